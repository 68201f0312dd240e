package diagnose

import (
	"fmt"
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
)

// TestMuchAfterTheError: some words are only looked for at the end of the output. A service's log
// that is shown after the error does not hide them, and starts nothing again.
func TestMuchAfterTheError(t *testing.T) {
	var after strings.Builder
	for i := range 300 {
		fmt.Fprintf(&after, "db-1  | 10:%02d:%02d UTC [27] LOG:  checkpoint complete: wrote %d buffers\n", i/60, i%60, i)
	}
	for _, c := range []struct {
		what, text, cause string
		remedy            Remedy
	}{
		{"a file", "ERROR: FileNotFoundError: no rates.csv\n", "file-not-found", Report},
		{"a utility's words", "tar: dist: Cannot stat: No such file or directory\n", "file-not-found", Report},
		{"a command", "./ci.sh: line 3: error: terragrunt: command not found\n", "command-not-found", Report},
		{"a module", "ModuleNotFoundError: No module named 'boto3'\n", "python-module-missing", Report},
		{"the network, long before the end", "Error: read ECONNRESET\n", "command-failed", Report},
	} {
		f := buildlog.ReadText(codebuild.Build{}, c.text+after.String())
		f.Command, f.Exit = "./ci.sh", "1"
		if d := Diagnose(f); d.Cause != c.cause || d.Remedy != c.remedy {
			t.Errorf("%s: %s (%s), by %q; want %s (%s)", c.what, d.Cause, d.Remedy, d.Evidence.Text, c.cause, c.remedy)
		}
	}
}

// TestConsequencesReportNothing: a linter's words that only count where nothing else is known are
// no report outside of which a denial proves nothing.
func TestConsequencesReportNothing(t *testing.T) {
	const text = "Found 3 issues\nupload: out/a.html to s3://shop-docs/a.html\nupload failed: out/a.html to " +
		"s3://shop-prod-docs/a.html An error occurred (AccessDenied) when calling the PutObject operation: Access Denied\n"
	f := buildlog.ReadText(codebuild.Build{}, text)
	f.Command, f.Exit = "./docs.sh", "1"
	if d := Diagnose(f); d.Cause != "missing-permission" || d.Remedy != Grant {
		t.Errorf("%s (%s), by %q; want missing-permission (grant)", d.Cause, d.Remedy, d.Evidence.Text)
	}
	f = buildlog.ReadText(codebuild.Build{}, "Found 3 issues\n")
	f.Command, f.Exit = "./docs.sh", "1"
	if d := Diagnose(f); d.Cause != "lint-failed" {
		t.Errorf("alone: %s, by %q; want lint-failed", d.Cause, d.Evidence.Text)
	}
}
