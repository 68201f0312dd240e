package heal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
	"github.com/buildmedic/buildmedic/internal/redact"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// Bounds of reading test reports, so that they never hold up what the log says.
const (
	// maxLooks is how often a report that is not complete is looked at again; each wait is twice as
	// long as the one before.
	maxLooks = 3
	// maxReports is how many reports' cases are read: a project has at most five report groups
	// (AWS.md#test-reports).
	maxReports = 5
	// reportTime is how long reading them may take, in real time.
	reportTime = 10 * time.Second
)

// TestReports reads what CodeBuild's own reports say of a build's tests. They are only evidence:
// whatever goes wrong with them, the failure is explained from the log.
type TestReports struct {
	Reports Reports

	list    []codebuild.Report
	err     error
	missing bool // one that was asked for is not among them
}

// Find looks for the build's reports in the groups that settings name. It makes one call, and none
// where settings or the build have none.
func (t *TestReports) Find(ctx context.Context, at settings.Account, p settings.Project, b codebuild.Build) {
	arns := reportsToRead(at, p, b)
	if len(arns) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, reportTime)
	defer cancel()
	list, err := t.Reports.Read(ctx, at, arns)
	if t.err = err; err != nil {
		return
	}
	t.missing = len(list) < len(arns)
	for _, r := range list {
		// A report of another build, which the record should not name, would blame this one for its
		// tests.
		if r.Type == codebuild.TestReport && r.Build == b.ARN {
			t.list = append(t.list, r)
		}
	}
}

// reportsToRead lists the build's reports that the healer may read: those of groups that CodeBuild
// made for the project, and of those that settings name (AWS.md#test-reports).
func reportsToRead(at settings.Account, p settings.Project, b codebuild.Build) (arns []string) {
	if !p.TestReports {
		return nil
	}
	for _, arn := range b.ReportARNs {
		group := codebuild.ReportGroup(arn)
		where, _ := codebuild.ParseARN(arn)
		if settings.AccountOf(where) == at && group != "" &&
			(strings.HasPrefix(group, p.Name+"-") || slices.Contains(p.ReportGroups, group)) {
			arns = append(arns, arn)
		}
	}
	return arns[:min(len(arns), codebuild.MaxReports)]
}

// Late reports whether a report is not complete, or could not be read now.
func (t *TestReports) Late() bool {
	return errors.Is(t.err, ErrLater) || slices.ContainsFunc(t.list, generating)
}

func generating(r codebuild.Report) bool { return r.Status == codebuild.Generating }

// Partial reports whether more tests may have failed than the reports tell: one is gone or was not
// completed, or does not count them.
func (t *TestReports) Partial() bool {
	return t.missing || slices.ContainsFunc(t.list, func(r codebuild.Report) bool {
		return r.Status != codebuild.Succeeded && (r.Status != codebuild.Failed || r.Failed < 0 || r.Errors < 0)
	})
}

// Unread says in a sentence why reports were not read, "" if there is nothing to tell. A report
// that CodeBuild could not complete says nothing, and is not told of.
func (t *TestReports) Unread() string {
	why := ""
	switch {
	case errors.Is(t.err, ErrDenied):
		why = t.err.Error()
	case errors.Is(t.err, ErrLater), errors.Is(t.err, context.DeadlineExceeded):
		why = "CodeBuild did not answer in time"
	case t.err != nil:
		why = "CodeBuild did not give them"
	case slices.ContainsFunc(t.list, generating):
		why = "CodeBuild had not completed them"
	default:
		return ""
	}
	return "The build's test reports were not read: " + why + "."
}

// Read puts the failed cases of the reports into the failure.
func (t *TestReports) Read(ctx context.Context, at settings.Account, f *buildlog.Failure) {
	ctx, cancel := context.WithTimeout(ctx, reportTime)
	defer cancel()
	read := 0
	for _, r := range t.list {
		if r.Status != codebuild.Failed {
			continue
		}
		if read++; read > maxReports {
			f.MoreTests += max(r.Failed, 0) + max(r.Errors, 0)
			continue
		}
		for _, kind := range []struct {
			status string
			count  int
		}{{codebuild.CaseFailed, r.Failed}, {codebuild.CaseError, r.Errors}} {
			t.cases(ctx, at, f, r.ARN, kind.status, kind.count)
		}
	}
}

// cases reads the cases of a report that have a status, of which it counts so many.
func (t *TestReports) cases(ctx context.Context, at settings.Account, f *buildlog.Failure, report, status string, count int) {
	room, got := diagnose.MaxTests-len(f.Tests), 0
	if room > 0 && count != 0 && t.err == nil {
		list, err := t.Reports.Cases(ctx, at, report, status, room)
		for _, c := range list {
			f.Tests = append(f.Tests, condensed(c))
		}
		t.err, got = err, len(list)
	}
	f.MoreTests += max(count-got, 0)
}

// condensed leaves of a case's message, which may hold a whole stack trace and all that the test
// printed, the line that says why it failed, and the place. Secrets are removed from the whole,
// since a private key spans several lines.
func condensed(c codebuild.TestCase) codebuild.TestCase {
	lines := strings.Split(redact.Text(c.Message), "\n")
	c.Message, c.At, c.Line = reason(lines), place(lines), 0
	return c
}

// reason returns the line that says why a test failed: the first, or the one that pytest marks
// below the test's code.
func reason(lines []string) (first string) {
	for _, l := range lines {
		if m, ok := strings.CutPrefix(l, "E  "); ok && strings.TrimSpace(m) != "" {
			return strings.TrimSpace(m)
		}
		if l = strings.TrimSpace(l); first == "" {
			first = l
		}
	}
	return first
}

// frames are the forms in which stacks name a place in the source.
var frames = []*lazyregexp.Regexp{
	lazyregexp.New(`\(([^()\s]+\.[A-Za-z]\w{0,9}:\d+)(?::\d+)?\)\s*$`),         // at shop.CartTest.adds(CartTest.java:12)
	lazyregexp.New(`^\s*File "([^"]+)", (line \d+)`),                           // Python
	lazyregexp.New(` in (\S+):(line \d+)\s*$`),                                 // .NET
	lazyregexp.New(`^\s*(?:(?:at|#|in|❯) +)?([^\s():]+\.[A-Za-z]\w{0,9}:\d+)`), // cart_test.go:14: wrong total
}

// framework matches the frames of what runs tests and of the language, above which the test's own
// frames stand.
var framework = lazyregexp.New(`(^|[\s/(\\])(node_modules|site-packages|node:|internal/|vendor/|jdk\.|java\.|sun\.)|` +
	`\b(org\.junit|junit\.framework|org\.testng|org\.assertj|org\.hamcrest|org\.opentest4j|kotlin\.test|Xunit|NUnit)\.`)

// place returns the first place in a stack that is not of a framework, as FILE:LINE; the first of
// all if each is; "" if none is named.
func place(lines []string) (first string) {
	for _, l := range lines {
		for _, re := range frames {
			m := re.FindStringSubmatch(l)
			if m == nil {
				continue
			}
			at := m[1]
			if len(m) > 2 {
				at = fmt.Sprint(m[1], ":", strings.TrimPrefix(m[2], "line "))
			}
			if !framework.MatchString(l) {
				return at
			}
			if first == "" {
				first = at
			}
			break
		}
	}
	return first
}
