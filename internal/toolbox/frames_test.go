package toolbox

import (
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/testrun"
)

// asides are what a test may print or expect. None is a failure of the build.
var asides = []string{
	"An error occurred (AccessDenied) when calling the PutObject operation: Access Denied",
	"User: arn:aws:sts::444455556666:assumed-role/other/session is not authorized to perform: s3:PutObject on resource: " +
		"arn:aws:s3:::shop-site/a because no identity-based policy allows the s3:PutObject action",
	"ThrottlingException: Rate exceeded",
	"toomanyrequests: You have reached your pull rate limit",
	"curl: (6) Could not resolve host: registry.example.com",
}

// Wherever within a runner's report such a text stands, the cause stays, and nothing is granted or
// started again.
func TestTextInReports(t *testing.T) {
	reports := 0
	_, runs := allRuns(t)
	for _, r := range runs {
		if len(r.want.failing) == 0 || r.known != "" {
			continue
		}
		lines := strings.Split(strings.TrimSuffix(r.output, "\n"), "\n")
		ahead := strings.Count(strings.SplitN(r.log(), r.output, 2)[0], "\n")
		for _, rep := range testrun.Read(buildlog.ReadText(r.build(), r.log()).Tail) {
			reports++
			first, last := max(0, rep.First-ahead-1), min(rep.Last-ahead-1, len(lines)-1) // indices of lines
			for k, text := range asides {
				at := first + (last-first)*(k+1)/(len(asides)+1)
				indent := lines[at][:len(lines[at])-len(strings.TrimLeft(lines[at], " "))]
				changed := *r
				changed.output = strings.Join(lines[:at+1], "\n") + "\n" + indent + text + "\n" + strings.Join(lines[at+1:], "\n") + "\n"
				_, d := changed.read()
				if d.Remedy == diagnose.Grant || d.Remedy == diagnose.Retry {
					t.Errorf("%s: %s (%s) because of %q behind line %d of the report of %s, lines %d to %d",
						r.name, d.Remedy, d.Cause, text, at+1, rep.Runner, first+1, last+1)
				}
			}
		}
	}
	if t.Logf("%d reports", reports); reports < 150 {
		t.Errorf("%d reports, want at least 150", reports)
	}
}
