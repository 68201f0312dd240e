package codebuild

import "strings"

// Report is a test or coverage report that a build made (AWS.md#test-reports), without any text of
// the build.
type Report struct {
	ARN    string
	Build  string // ARN of the build that made it
	Type   string // TestReport, or another
	Status string // see the constants; unknown values are kept
	// Failed and Errors are how many of its cases have that status, also those that are no longer
	// kept; -1 if the report does not count its cases.
	Failed, Errors int
}

// TestReport is the type of a report of tests.
const TestReport = "TEST"

// Statuses of a report (AWS.md#test-reports). Failed and Succeeded are those of builds.
const (
	Generating = "GENERATING"
	Incomplete = "INCOMPLETE"
)

// Statuses of a test case of a report that did not pass.
const (
	CaseFailed = "FAILED"
	CaseError  = "ERROR"
)

// MaxReports is how many reports of a build are known.
const MaxReports = 100

// ReportGroup is the name of the group that a report is in, by the report's ARN:
// arn:P:codebuild:R:A:report/GROUP:ID. It is "" for any other text.
func ReportGroup(arn string) string {
	a, ok := ParseARN(arn)
	group, isReport := strings.CutPrefix(a.Resource, "report/")
	name, id, _ := strings.Cut(group, ":")
	if !ok || !isReport || a.Service != "codebuild" || name == "" || id == "" {
		return ""
	}
	return name
}
