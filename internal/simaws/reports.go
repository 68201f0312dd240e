package simaws

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// report is a test or coverage report of a build (AWS.md#test-reports).
type report struct {
	b     *build
	group string
	uuid  string
	conf  reportFile
	all   []testCaseOut // also those that are not kept
	made  time.Time
}

// maxCases is how many cases of a report are kept.
const maxCases = 500

func (r *report) arn() string { return r.b.p.est.arn("codebuild", "report/"+r.group+":"+r.uuid) }

func (r *report) groupARN() string { return r.b.p.est.arn("codebuild", "report-group/"+r.group) }

// status is GENERATING until the report is complete, which may be after the build's end.
func (r *report) status() string {
	switch {
	case !r.b.complete || r.b.sim().now.Before(r.b.end.Add(time.Duration(r.conf.Takes))):
		return "GENERATING"
	case r.conf.Incomplete:
		return "INCOMPLETE"
	case slices.ContainsFunc(r.all, func(c testCaseOut) bool { return c.Status == "FAILED" || c.Status == "ERROR" }):
		return failed
	}
	return succeeded
}

// kept are the cases that can be read: the failed ones first, and of the others what there is
// room for.
func (r *report) kept() []testCaseOut {
	list := slices.Clone(r.all)
	slices.SortStableFunc(list, func(a, b testCaseOut) int {
		switch {
		case a.Status == b.Status:
			return 0
		case a.Status == failed:
			return -1
		case b.Status == failed:
			return 1
		}
		return 0
	})
	return list[:min(len(list), maxCases)]
}

// makeReports writes the build's reports, as CodeBuild does when the build has run its commands.
// The role's permissions for that are not asked for.
func (b *build) makeReports() {
	for _, f := range b.conf.Reports {
		r := &report{b: b, group: b.p.conf.Name + "-" + f.Group, conf: f, made: b.sim().now,
			uuid: b.sim().uuid("report " + b.p.arn() + f.Group)}
		if f.Shared {
			r.group = f.Group
		}
		for range f.Passed {
			r.all = append(r.all, r.testCase(caseFile{Name: fmt.Sprintf("passes %d", len(r.all)+1), Status: succeeded}))
		}
		for _, c := range f.Cases {
			if c.Times > 0 && b.sim().nth(strings.Join([]string{"case", b.p.arn(), b.commit.id, c.Suite, c.Name}, " ")) > c.Times {
				c.Status, c.Message = succeeded, ""
			}
			for i := range max(c.Repeat, 1) {
				again := c
				again.Name = strings.ReplaceAll(c.Name, "%d", itoa(i+1))
				r.all = append(r.all, r.testCase(again))
			}
		}
		b.reports = append(b.reports, r)
		b.p.est.reports[r.arn()] = r
	}
}

func (r *report) testCase(f caseFile) testCaseOut {
	return testCaseOut{ReportArn: r.arn(), Prefix: f.Suite, TestSuiteName: f.Suite, Name: f.Name, Status: orText(f.Status, failed),
		Message: f.Message, DurationInNanoSeconds: int64(time.Millisecond), Expired: epoch(r.made.AddDate(0, 0, 30))}
}

type reportOut struct {
	Arn            string          `json:"arn"`
	Type           string          `json:"type"`
	Name           string          `json:"name"`
	ReportGroupArn string          `json:"reportGroupArn"`
	ExecutionID    string          `json:"executionId"`
	Status         string          `json:"status"`
	Created        epoch           `json:"created"`
	Expired        epoch           `json:"expired"`
	Truncated      bool            `json:"truncated"`
	TestSummary    *testSummaryOut `json:"testSummary,omitempty"`
}

type testSummaryOut struct {
	Total                 int            `json:"total"`
	StatusCounts          map[string]int `json:"statusCounts"`
	DurationInNanoSeconds int64          `json:"durationInNanoSeconds"`
}

type testCaseOut struct {
	ReportArn             string `json:"reportArn"`
	Prefix                string `json:"prefix,omitempty"`
	TestSuiteName         string `json:"testSuiteName,omitempty"`
	Name                  string `json:"name"`
	Status                string `json:"status"`
	DurationInNanoSeconds int64  `json:"durationInNanoSeconds"`
	Message               string `json:"message,omitempty"`
	Expired               epoch  `json:"expired"`
}

func (r *report) out() reportOut {
	o := reportOut{Arn: r.arn(), Type: orText(r.conf.Type, "TEST"), Name: r.uuid, ReportGroupArn: r.groupARN(),
		ExecutionID: orText(r.conf.Build, r.b.arn()), Status: r.status(), Created: epoch(r.made),
		Expired: epoch(r.made.AddDate(0, 0, 30)), Truncated: len(r.all) > maxCases}
	if o.Type == "TEST" && o.Status != "GENERATING" {
		s := &testSummaryOut{Total: len(r.all), StatusCounts: map[string]int{"ERROR": 0, "FAILED": 0, "SKIPPED": 0, "SUCCEEDED": 0,
			"UNKNOWN": 0}, DurationInNanoSeconds: int64(len(r.all)) * int64(time.Millisecond)}
		for _, c := range r.all {
			s.StatusCounts[c.Status]++
		}
		o.TestSummary = s
	}
	return o
}

type reportsInput struct {
	ReportArns []string `json:"reportArns"`
}

// reportGroup is the ARN of a report's group, by the report's ARN.
func reportGroup(arn string) (string, error) {
	before, name, ok := strings.Cut(arn, ":report/")
	group, _, named := strings.Cut(name, ":")
	if !ok || !named {
		return "", fail("InvalidInputException", "Invalid report ARN: "+arn)
	}
	return before + ":report-group/" + group, nil
}

func batchGetReports(r *request, in *reportsInput) (any, error) {
	if len(in.ReportArns) == 0 || len(in.ReportArns) > 100 {
		return nil, fail("InvalidInputException", "1 validation error detected: Value at 'reportArns' failed to satisfy constraint: "+
			"Member must have length between 1 and 100")
	}
	found, missing := []reportOut{}, []string{}
	for _, arn := range in.ReportArns {
		group, err := reportGroup(arn)
		if err != nil {
			return nil, err
		}
		if err := r.authorize("codebuild:BatchGetReports", group, nil); err != nil {
			return nil, err
		}
		if rep, ok := r.est.reports[arn]; ok {
			found = append(found, rep.out())
		} else {
			missing = append(missing, arn)
		}
	}
	return map[string]any{"reports": found, "reportsNotFound": missing}, nil
}

type testCasesInput struct {
	ReportArn  string `json:"reportArn"`
	NextToken  string `json:"nextToken"`
	MaxResults int    `json:"maxResults"`
	Filter     struct {
		Status  string `json:"status"`
		Keyword string `json:"keyword"`
	} `json:"filter"`
}

// describeTestCases lists the kept cases of a report, those of one status or all.
func describeTestCases(r *request, in *testCasesInput) (any, error) {
	group, err := reportGroup(in.ReportArn)
	if err != nil {
		return nil, err
	}
	if err := r.authorize("codebuild:DescribeTestCases", group, nil); err != nil {
		return nil, err
	}
	rep, ok := r.est.reports[in.ReportArn]
	if !ok {
		return nil, fail("ResourceNotFoundException", "Report does not exist: "+in.ReportArn)
	}
	if in.MaxResults < 0 || in.MaxResults > 100 {
		return nil, fail("InvalidInputException", "maxResults must be between 1 and 100")
	}
	r.about = in.Filter.Status
	list := slices.DeleteFunc(rep.kept(), func(c testCaseOut) bool {
		return in.Filter.Status != "" && c.Status != in.Filter.Status || !strings.Contains(c.Prefix+" "+c.Name, in.Filter.Keyword)
	})
	from := 0
	if in.NextToken != "" {
		if _, err := fmt.Sscanf(in.NextToken, "case-%d", &from); err != nil || from > len(list) {
			return nil, fail("InvalidInputException", "Invalid next token: "+in.NextToken)
		}
	}
	size := in.MaxResults
	if size == 0 {
		size = 100
	}
	to := min(from+size, len(list))
	out := map[string]any{"testCases": append([]testCaseOut{}, list[from:to]...)}
	if to < len(list) {
		out["nextToken"] = fmt.Sprintf("case-%d", to)
	}
	return out, nil
}
