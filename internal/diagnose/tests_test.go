package diagnose

import (
	"fmt"
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
)

const goReport = "--- FAIL: TestUp (0.10s)\n    up_test.go:7: got TEXT\n        log of the run: TEXT\nFAIL\nFAIL\texample.com/shop\t0.2s\n"

// What stands in a test runner's report is the test's own text: it names no other cause, and brings
// in neither a grant nor a retry. This build's own session is a fact wherever it stands.
func TestTextOfTests(t *testing.T) {
	for _, c := range []struct {
		what, text, cause string
		remedy            Remedy
	}{
		{"a refusal that names nobody", bareRefusal, "test-failure", Report},
		{"a rate limit", "ThrottlingException: Rate exceeded", "test-failure", Report},
		{"a registry that is down", "received unexpected HTTP status: 503 Service Unavailable", "test-failure", Report},
		{"a full disk", "write /var/lib/docker/tmp/x: no space left on device", "test-failure", Report},
		{"a name that does not resolve", "dial tcp: lookup registry.example.com: no such host", "test-failure", Report},
		{"another build's refusal", strings.ReplaceAll(ownSentence, "codebuild-shop", "other"), "test-failure", Report},
		{"this build's own refusal", ownSentence, "missing-permission", Grant},
	} {
		log := "OK\n" + strings.ReplaceAll(goReport, "TEXT", c.text)
		d := Diagnose(buildlog.ReadText(evidenceBuild, evidenceLog(log)))
		if d.Cause != c.cause || d.Remedy != c.remedy {
			t.Errorf("%s: %s, %s by %q, want %s, %s", c.what, d.Cause, d.Remedy, d.Evidence.Text, c.cause, c.remedy)
		}
		if len(d.Tests) != 1 || d.Tests[0].Name != "TestUp" || d.Tests[0].At != "up_test.go:7" {
			t.Errorf("%s: names %+v", c.what, d.Tests)
		}
	}
}

// A report of CodeBuild's own names the failed tests, whatever the log looks like.
func TestReportedTests(t *testing.T) {
	many := make([]codebuild.TestCase, MaxTests+3)
	for i := range many {
		many[i] = codebuild.TestCase{Name: strings.Repeat("n", i%7) + "x", Message: strings.Repeat("why ", 300)}
	}
	for _, c := range []struct {
		what, log   string
		tests       []codebuild.TestCase
		cause       string
		names, more int
	}{
		{"no log", "", []codebuild.TestCase{{Suite: "Cart", Name: "adds"}}, "test-failure", 1, 0},
		{"a log that says nothing", "done\n", []codebuild.TestCase{{Suite: "Cart", Name: "adds"}}, "test-failure", 1, 0},
		{"a log that names another", goReport, []codebuild.TestCase{{Suite: "Cart", Name: "adds"}}, "test-failure", 1, 0},
		{"a denial of this build's", "OWN\n", []codebuild.TestCase{{Name: "adds"}}, "missing-permission", 1, 0},
		{"more than are told", "done\n", many, "test-failure", MaxTests, 3},
	} {
		f := buildlog.NoLog(evidenceBuild)
		if c.log != "" {
			f = buildlog.ReadText(evidenceBuild, evidenceLog(withDenials(c.log)))
		}
		f.Tests = c.tests
		d := Diagnose(f)
		if d.Cause != c.cause || len(d.Tests) != c.names || d.MoreTests != c.more {
			t.Errorf("%s: %s with %d tests and %d more, want %s, %d and %d", c.what, d.Cause, len(d.Tests), d.MoreTests,
				c.cause, c.names, c.more)
		}
		size := 0
		for _, x := range d.Tests {
			size += len(x.Message) + len(x.At)
		}
		if size > maxTestBytes+400 {
			t.Errorf("%s: messages of %d bytes", c.what, size)
		}
		if c.cause == "test-failure" && c.log == "" && (d.Evidence.Text != "Cart › adds" || d.Evidence.Origin != buildlog.FromReport) {
			t.Errorf("%s: evidence %+v", c.what, d.Evidence)
		}
	}
}

// A command that does nothing but run tests prints what they print, also where its reporter is
// silent. One that fetches or builds as well meets refusals of its own.
func TestSilentRunners(t *testing.T) {
	for _, c := range []struct {
		what, command, log string
		grants, retries    bool
	}{
		{"mocha, whose reporter writes a file", "npx mocha --reporter mocha-junit-reporter", "BARE\n", false, false},
		{"Robot Framework's quiet console", "cd e2e && robot --console quiet tests", "BARE\n", false, false},
		{"pytest of a virtual environment", "AWS_REGION=eu-west-1 .venv/bin/pytest -q -p no:terminal", "BARE\n", false, false},
		{"a rate limit that a scenario prints", "npx cucumber-js -f html", "ThrottlingException: Rate exceeded\n", false, false},
		{"this build's own session, which a test may have printed", "bundle exec rspec", "OWN\n", false, false},
		{"this build's own session, while a file is loaded", "bundle exec rspec",
			"\nAn error occurred while loading ./spec/live_spec.rb.\nFailure/Error: Till.rates\n\nAws::S3::Errors::AccessDenied:\n" +
				"  OWN\n# ./spec/live_spec.rb:3:in 'load'\nRun options: exclude\n\nAll examples were filtered out\n\n\n" +
				"Finished in 0.1 seconds (files took 0.1 seconds to load)\n0 examples, 0 failures, 1 error occurred outside of examples\n",
			true, false},
		{"this build's own session, in a set-up for all tests", "npx jest", "Determining test suites to run..." +
			"Error: Jest: Got error running globalSetup - /src/setup.js, reason: OWN\n    at f (/src/setup.js:3:1)\n", true, false},
		{"this build's own session, which ended the runner", "npx mocha test/live", "node:internal/process/promises:394\n" +
			"      triggerUncaughtException(err, true);\n      ^\n\nAccessDenied: OWN\n    at f (/src/live.js:3:1)\n\nNode.js v22.11.0\n",
			true, false},
		{"tests, and then an upload", "npx mocha && aws s3 cp report s3://media/x", "BARE\n", true, false},
		{"a script of any name", "./test.sh", "BARE\n", true, false},
		{"the installation of browsers", "npx playwright install", "ThrottlingException: Rate exceeded\n", false, true},
	} {
		log := strings.ReplaceAll(evidenceLog(withDenials(c.log)), "./ci.sh", c.command)
		d := Diagnose(buildlog.ReadText(evidenceBuild, log))
		if (d.Remedy == Grant) != c.grants || (d.Remedy == Retry) != c.retries {
			t.Errorf("%s: %s, %s by %q", c.what, d.Remedy, d.Cause, d.Evidence.Text)
		}
	}
}

// A report in one line of JSON is longer than any other line that is kept.
func TestReportInOneLine(t *testing.T) {
	passed := strings.Repeat(
		`{"ancestorTitles":["cart"],"fullName":"cart adds","status":"passed","title":"adds","failureMessages":[]},`, 50,
	)
	log := `{"numTotalTestSuites":1,"numFailedTests":1,"success":false,"testResults":[{"assertionResults":[` + passed +
		`{"ancestorTitles":["cart"],"fullName":"cart rounds","status":"failed","title":"rounds","failureMessages":["Error: 1 is not 2"]}` +
		`],"name":"/src/cart.test.ts"}]}` + "\n"
	d := Diagnose(buildlog.ReadText(evidenceBuild, evidenceLog(log)))
	if d.Cause != "test-failure" || len(d.Tests) != 1 || d.Tests[0].Name != "rounds" {
		t.Errorf("%s with the tests %+v", d.Cause, d.Tests)
	}
	for _, l := range d.Excerpt {
		if len(l.Text) > 1000 {
			t.Errorf("a line of the excerpt has %d bytes", len(l.Text))
		}
	}
}

// Mocha prints how many tests failed above their list. However long that is, the report is known,
// and nobody is given another's name or reason across the lines that are not kept.
func TestManyFailures(t *testing.T) {
	var b strings.Builder
	b.WriteString("\n  12 passing (20ms)\n  230 failing\n\n")
	for i := range 230 {
		fmt.Fprintf(&b, "  %d) many\n       big %d:\n     Error: nope %d\n", i+1, i, i)
		b.WriteString(strings.Repeat("      at Context.<anonymous> (test/many.js:9:13)\n", 12) + "\n")
	}
	b.WriteString("  231) last\n       is limited:\n     Error: ThrottlingException: Rate exceeded\n\n")
	d := Diagnose(buildlog.ReadText(evidenceBuild, evidenceLog(b.String())))
	if d.Cause != "test-failure" || len(d.Tests) < 50 {
		t.Fatalf("%s, %s by %q with %d tests", d.Cause, d.Remedy, d.Evidence.Text, len(d.Tests))
	}
	for _, c := range d.Tests {
		if n := strings.TrimPrefix(c.Name, "big "); n != c.Name && c.Message != "" && c.Message != "Error: nope "+n || len(c.Name) > 20 {
			t.Errorf("%+v", c)
		}
	}
}
