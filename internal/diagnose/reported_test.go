package diagnose

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/testrun"
)

// logOfFailed is the log of a build whose command printed this and failed.
func logOfFailed(command, output string) string {
	const agent = "[Container] 2026/11/22 10:12:13.600000 "
	return agent + "Entering phase BUILD\n" + agent + "Running command " + command + "\n" + output + "\n" +
		agent + "Command did not exit successfully " + command + " exit status 1\n" +
		agent + "Phase complete: BUILD State: FAILED\n" +
		agent + "Phase context status code: COMMAND_EXECUTION_ERROR Message: Error while executing command: " + command +
		". Reason: exit status 1\n"
}

func failedBuild(command string) codebuild.Build {
	const id = "shop:1b7e6a52-3c4d-4e5f-8a9b-0c1d2e3f4a5b"
	return codebuild.Build{ID: id, ARN: "arn:aws:codebuild:eu-west-1:111122223333:build/" + id, Project: "shop",
		Status: codebuild.Failed, ServiceRole: "arn:aws:iam::111122223333:role/codebuild-shop",
		Phases: []codebuild.Phase{{Type: "BUILD", Status: codebuild.Failed, Contexts: []codebuild.Context{{
			Code: "COMMAND_EXECUTION_ERROR", Message: "Error while executing command: " + command + ". Reason: exit status 1"}}}}}
}

const goRun = "ok  \texample.com/shop/pay\t0.012s\n--- FAIL: TestTax (0.00s)\n    total_test.go:21: got 10.12, want 10.13\n" +
	"FAIL\nFAIL\texample.com/shop/cart\t0.031s\nFAIL"

// TestReportInDiagnosis ensures what a report of CodeBuild adds to a diagnosis, and what it never
// does.
func TestReportInDiagnosis(t *testing.T) {
	adds := codebuild.TestCase{Suite: "shop.CartTest", Name: "adds", Message: "expected: <2> but was: <3>", At: "CartTest.java:31"}
	const own = "An error occurred (AccessDenied) when calling the PutObject operation: User: arn:aws:sts::111122223333:assumed-role/" +
		"codebuild-shop/AWSCodeBuild-1b7e6a52-3c4d-4e5f-8a9b-0c1d2e3f4a5b is not authorized to perform: s3:PutObject on resource: " +
		"\"arn:aws:s3:::site/x\" because no identity-based policy allows the s3:PutObject action"
	const bareDenial = "An error occurred (AccessDenied) when calling the PutObject operation: Access Denied"
	const rate = "toomanyrequests: You have reached your pull rate limit."
	tests := []struct {
		what            string
		command, output string
		reported        []codebuild.TestCase
		cause           string
		remedy          Remedy
		evidence        string
		tests           []codebuild.TestCase
		advice          string
	}{
		{what: "a command failed, and nobody says why but the report", command: "make check",
			output: "make: *** [Makefile:7: check] Error 1", reported: []codebuild.TestCase{adds},
			cause: "test-failure", remedy: Report, evidence: "shop.CartTest › adds: expected: <2> but was: <3>",
			tests: []codebuild.TestCase{adds}, advice: "named above"},
		{what: "without a report the command is all that is known", command: "make check",
			output: "make: *** [Makefile:7: check] Error 1", cause: "command-failed", remedy: Report},
		{what: "a known cause stays, and the tests are named beside it", command: "make site",
			output: own, reported: []codebuild.TestCase{adds}, cause: "missing-permission", remedy: Grant,
			tests: []codebuild.TestCase{adds}},
		{what: "a denial of nobody is a test's where a report says that tests failed", command: "make check",
			output: bareDenial, reported: []codebuild.TestCase{adds}, cause: "test-failure", remedy: Report,
			tests: []codebuild.TestCase{adds}},
		{what: "words of no certain tool are a test's as well", command: "make check",
			output: "bash: line 3: data.csv: No such file or directory", reported: []codebuild.TestCase{adds}, cause: "test-failure",
			remedy: Report, tests: []codebuild.TestCase{adds}},
		{what: "a rate limit is a test's as well, so nothing is started again", command: "make check",
			output: rate, reported: []codebuild.TestCase{adds}, cause: "test-failure", remedy: Report,
			tests: []codebuild.TestCase{adds}},
		{what: "a case that speaks of a denial brings in none", command: "make check", output: "make: *** [check] Error 1",
			reported: []codebuild.TestCase{{Name: "denied", Message: own}}, cause: "test-failure", remedy: Report,
			tests: []codebuild.TestCase{{Name: "denied", Message: own}}},
		{what: "a case that speaks of a rate limit starts nothing", command: "make check", output: "make: *** [check] Error 1",
			reported: []codebuild.TestCase{{Name: "limit", Message: rate}}, cause: "test-failure", remedy: Report,
			tests: []codebuild.TestCase{{Name: "limit", Message: rate}}},
		{what: "the log completes a case that has no place, and a message that says nothing", command: "go test ./...",
			output: goRun, reported: []codebuild.TestCase{{Suite: "example.com/shop/cart", Name: "TestTax", Message: "Failed"}},
			cause: "test-failure", remedy: Report, tests: []codebuild.TestCase{{Suite: "example.com/shop/cart", Name: "TestTax",
				Message: "got 10.12, want 10.13", At: "total_test.go:21", Line: 4}}, advice: "named above"},
		{what: "what the report says is not replaced", command: "go test ./...",
			output: goRun, reported: []codebuild.TestCase{{Name: "TestTax", Message: "wrong tax", At: "tax.go:3"}},
			cause: "test-failure", remedy: Report,
			tests: []codebuild.TestCase{{Name: "TestTax", Message: "wrong tax", At: "tax.go:3", Line: 4}}},
		{what: "tests failed and none is named", command: "mvn verify", output: "[ERROR] There are test failures.",
			cause: "test-failure", remedy: Report, advice: "does not name the failing tests"},
	}
	for _, tt := range tests {
		t.Run(tt.what, func(t *testing.T) {
			f := buildlog.ReadEvents(failedBuild(tt.command), logOfFailed(tt.command, tt.output))
			f.Tests = tt.reported
			d := Diagnose(f)
			if d.Cause != tt.cause || d.Remedy != tt.remedy || tt.evidence != "" && d.Evidence.Text != tt.evidence {
				t.Errorf("got %s, %s, %q; want %s, %s, %q", d.Cause, d.Remedy, d.Evidence.Text, tt.cause, tt.remedy, tt.evidence)
			}
			if !strings.Contains(d.Advice, tt.advice) {
				t.Errorf("the advice %q does not say %q", d.Advice, tt.advice)
			}
			for _, n := range d.Denials {
				if n.Causal && tt.remedy != Grant {
					t.Errorf("causal: %+v", n)
				}
			}
			if diff := cmp.Diff(tt.tests, d.Tests); diff != "" {
				t.Errorf("tests differ (-want +got):\n%s", diff)
			}
		})
	}
}

// TestSameName ensures that the log completes a reported case only by the one test that it can be,
// whichever of the two takes the suite into the name.
func TestSameName(t *testing.T) {
	printed := testrun.Report{Failed: []codebuild.TestCase{
		{Suite: "CartTest", Name: "adds", At: "CartTest.java:1"}, {Suite: "PayTest", Name: "adds", At: "PayTest.java:2"},
		{Name: "tests/test_cart.py::test_tax", At: "tests/test_cart.py:3"}, {Suite: "a > b", Name: "c", At: "abc.ts:4"}}}
	for _, tt := range []struct{ suite, name, at string }{
		{"PayTest", "adds", "PayTest.java:2"}, {"", "PayTest.adds", "PayTest.java:2"}, {"", "adds", ""}, {"OtherTest", "adds", ""},
		{"tests/test_cart.py", "test_tax", "tests/test_cart.py:3"}, {"", "a > b > c", "abc.ts:4"}, {"a > b", "d", ""},
		{"src/x.ts", "c", ""}, {"src/abc.ts a > b", "c", "abc.ts:4"},
	} {
		x := &facts{Failure: &buildlog.Failure{Tests: []codebuild.TestCase{{Suite: tt.suite, Name: tt.name}}},
			reports: []testrun.Report{printed}}
		if got := x.reportedTests()[0].At; got != tt.at {
			t.Errorf("%s, %s: completed with %q, want %q", tt.suite, tt.name, got, tt.at)
		}
	}
}

// TestCountedTests ensures that tests which a report only counts are not counted again beside those
// that the output names.
func TestCountedTests(t *testing.T) {
	f := buildlog.ReadEvents(failedBuild("go test ./..."), logOfFailed("go test ./...", goRun))
	for counted, want := range map[int]int{0: 0, 1: 0, 3: 2} {
		f.MoreTests = counted
		if d := Diagnose(f); len(d.Tests) != 1 || d.MoreTests != want {
			t.Errorf("%d counted: %d named and %d more, want 1 and %d", counted, len(d.Tests), d.MoreTests, want)
		}
	}
}

// TestReportWithoutLog ensures that a report is the cause where a build left no log, and that the
// number of failed tests that a diagnosis names is bounded.
func TestReportWithoutLog(t *testing.T) {
	f := buildlog.NoLog(failedBuild("make check"))
	for i := range MaxTests + 7 {
		f.Tests = append(f.Tests, codebuild.TestCase{Name: fmt.Sprintf("row %d", i), Message: strings.Repeat("x", 1000)})
	}
	f.MoreTests = 30
	d := Diagnose(f)
	if d.Cause != "test-failure" || d.Evidence.Origin != buildlog.FromReport || !strings.Contains(d.Advice, "left no log") {
		t.Errorf("got %s, %+v, %q", d.Cause, d.Evidence, d.Advice)
	}
	if len(d.Tests) != MaxTests || d.MoreTests != 37 {
		t.Errorf("%d tests and %d more, want %d and 37", len(d.Tests), d.MoreTests, MaxTests)
	}
	size := 0
	for _, c := range d.Tests {
		size += len(c.Message)
	}
	if size > maxTestBytes {
		t.Errorf("the messages have %d bytes", size)
	}
}

// TestSomeNamed: the advice does not say that all failing tests are named where a mail shows a few.
func TestSomeNamed(t *testing.T) {
	list := func(n int) []codebuild.TestCase { return make([]codebuild.TestCase, n) }
	for _, tt := range []struct {
		named, more int
		want        string
	}{
		{0, 3, "does not name the failing tests"}, {1, 0, "The failing tests are named"},
		{15, 0, "The failing tests are named"},
		{1, 6, "Only some"}, {16, 0, "Only some"},
	} {
		if got := aboutTests(list(tt.named), tt.more); !strings.Contains(got, tt.want) {
			t.Errorf("%d and %d more: %s", tt.named, tt.more, got)
		}
	}
}
