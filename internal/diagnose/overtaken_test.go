package diagnose

import (
	"testing"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
)

// TestOvertakenCause: where nothing else is known, an error with other work behind it names the
// cause, and nothing is started again for it. What is shown, survived or beside a sure failure names
// nothing.
func TestOvertakenCause(t *testing.T) {
	const throttled = "An error occurred (ThrottlingException) when calling the StartBuild operation: Rate exceeded\n"
	for _, c := range []struct{ what, log, cause string }{
		{"other work behind it", throttled + "Uploading 3 reports\nteam: owner is missing in service.yaml\n", "throttling"},
		{"survived", "warning: retrying: " + throttled + "team: owner is missing in service.yaml\n", "aws-api-error"},
		{"a compiler behind it", throttled + "main.c:3:5: error: expected ';' before 'return'\n", "compile-error"},
		{"in a difference", "-pool: Rate exceeded\n+pool: free\nnot the expected output\n", "command-failed"},
	} {
		f := buildlog.ReadText(codebuild.Build{Status: codebuild.Failed}, c.log)
		f.Command, f.Exit = "./ci/deploy.sh", "1"
		if d := Diagnose(f); d.Cause != c.cause || d.Remedy != Report {
			t.Errorf("%s: %s, %s by %q", c.what, d.Cause, d.Remedy, d.Evidence.Text)
		}
	}
}
