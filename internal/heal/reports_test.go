package heal_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/settings"
	"github.com/buildmedic/buildmedic/internal/simaws"
)

// shelves are reports with so many failed cases of each status, and how they are asked for.
type shelves struct {
	list  []codebuild.Report
	cases map[string]int // REPORT STATUS → how many are kept
	fails error          // of the second call for cases, and of each later one
	read  []string       // ARNs asked for
	asked []string       // REPORT STATUS MOST
}

func (s *shelves) Read(_ context.Context, _ settings.Account, arns []string) ([]codebuild.Report, error) {
	s.read = append(s.read, arns...)
	return s.list, nil
}

func (s *shelves) Cases(_ context.Context, _ settings.Account, report, status string, most int) (list []codebuild.TestCase, err error) {
	s.asked = append(s.asked, fmt.Sprint(report, " ", status, " ", most))
	for i := range min(s.cases[report+" "+status], most) {
		list = append(list, codebuild.TestCase{Suite: report, Name: fmt.Sprint(status, " ", i), Message: "first\nsecond"})
	}
	if len(s.asked) > 1 {
		err = s.fails
	}
	return list, err
}

var (
	reportAt    = settings.Account{ID: "111122223333", Region: "eu-west-1"}
	reportBuild = codebuild.Build{ARN: "arn:aws:codebuild:eu-west-1:111122223333:build/shop:1b7e6a52-3c4d-4e5f-8a9b-0c1d2e3f4a5b",
		Project: "shop", ReportARNs: []string{"arn:aws:codebuild:eu-west-1:111122223333:report/shop-unit:1"}}
	reportProject = settings.Project{Name: "shop", TestReports: true, ReportGroups: []string{"shared"}}
)

func failedReport(name string, failed, errors int) codebuild.Report {
	return codebuild.Report{ARN: name, Build: reportBuild.ARN, Type: "TEST", Status: "FAILED", Failed: failed, Errors: errors}
}

// TestWhichReports ensures that only reports of groups that are the project's or that settings name
// are asked for, and none where settings do not ask for reports.
func TestWhichReports(t *testing.T) {
	const here = "arn:aws:codebuild:eu-west-1:111122223333:report/"
	b := reportBuild
	b.ReportARNs = []string{here + "shop-unit:1", here + "shared:2", here + "shared-2:3", here + "shop:4", here + "payroll-unit:5",
		"arn:aws:codebuild:us-east-1:111122223333:report/shop-unit:6", "arn:aws:codebuild:eu-west-1:444455556666:report/shop-unit:7",
		here + "shop-unit", here + ":8", "shop-unit:9", "arn:aws:codebuild:eu-west-1:111122223333:report-group/shop-unit:10"}
	for _, row := range []struct {
		what    string
		project settings.Project
		want    []string
	}{
		{"of the project, and shared", reportProject, []string{here + "shop-unit:1", here + "shared:2"}},
		{"of the project", settings.Project{Name: "shop", TestReports: true}, []string{here + "shop-unit:1"}},
		{"settings do not ask for them", settings.Project{Name: "shop", ReportGroups: []string{"shared"}}, nil},
		{"another project", settings.Project{Name: "site", TestReports: true}, nil},
	} {
		s := &shelves{}
		reports := heal.TestReports{Reports: s}
		reports.Find(t.Context(), reportAt, row.project, b)
		if !slices.Equal(s.read, row.want) {
			t.Errorf("%s: read %q, want %q", row.what, s.read, row.want)
		}
	}
}

// TestReadReports ensures which reports are believed, that what is read of them is bounded, and
// that what is left out is counted.
func TestReadReports(t *testing.T) {
	other := failedReport("other", 3, 3)
	other.Build = "arn:aws:codebuild:eu-west-1:111122223333:build/shop:00000000-1111-4222-8333-444455556666"
	coverage, incomplete := failedReport("c", 3, 3), failedReport("i", 3, 3)
	green, generating := failedReport("g", 3, 3), failedReport("w", 3, 3)
	coverage.Type, incomplete.Status, green.Status, generating.Status = "CODE_COVERAGE", "INCOMPLETE", "SUCCEEDED", "GENERATING"
	many := []codebuild.Report{}
	for i := range 7 {
		many = append(many, failedReport(fmt.Sprint("r", i), 1, 0))
	}
	for _, row := range []struct {
		what    string
		shelves shelves
		failed  int
		more    int
		asked   []string
		unread  string
		partial bool
	}{
		{what: "both kinds of failure", shelves: shelves{list: []codebuild.Report{failedReport("a", 2, 1)},
			cases: map[string]int{"a FAILED": 2, "a ERROR": 1}}, failed: 3, asked: []string{"a FAILED 200", "a ERROR 198"}},
		{what: "nothing is asked for what the report counts as none", shelves: shelves{list: []codebuild.Report{failedReport("a", 0, 1)},
			cases: map[string]int{"a ERROR": 1}}, failed: 1, asked: []string{"a ERROR 200"}},
		{what: "a report that counts nothing is asked for both", shelves: shelves{list: []codebuild.Report{failedReport("a", -1, -1)},
			cases: map[string]int{"a FAILED": 1}}, failed: 1, asked: []string{"a FAILED 200", "a ERROR 199"}, partial: true},
		{what: "a report that is gone", partial: true},
		{what: "no more than a diagnosis names", shelves: shelves{
			list:  []codebuild.Report{failedReport("a", 620, 30), failedReport("b", 4, 0)},
			cases: map[string]int{"a FAILED": 500, "b FAILED": 4}}, failed: 200, more: 454, asked: []string{"a FAILED 200"}},
		{what: "few reports", shelves: shelves{list: many, cases: map[string]int{"r0 FAILED": 1, "r4 FAILED": 1, "r5 FAILED": 1}},
			failed: 2, more: 5, asked: []string{"r0 FAILED 200", "r1 FAILED 199", "r2 FAILED 199", "r3 FAILED 199", "r4 FAILED 199"}},
		{what: "of another build, of coverage, not complete, green", shelves: shelves{
			list: []codebuild.Report{other, coverage, incomplete, green}, cases: map[string]int{"i FAILED": 3}}, partial: true},
		{what: "still written", shelves: shelves{list: []codebuild.Report{generating}, cases: map[string]int{"w FAILED": 3}},
			unread: "The build's test reports were not read: CodeBuild had not completed them.", partial: true},
		{what: "what was read before an error is kept", shelves: shelves{fails: heal.DeniedError{Action: "codebuild:DescribeTestCases"},
			list: []codebuild.Report{failedReport("a", 2, 1), failedReport("b", 5, 0)}, cases: map[string]int{"a FAILED": 2, "a ERROR": 1}},
			failed: 3, more: 5, asked: []string{"a FAILED 200", "a ERROR 198"},
			unread: "The build's test reports were not read: the healer lacks a permission: codebuild:DescribeTestCases."},
		{what: "an error that says nothing", shelves: shelves{fails: errors.New("RequestID: 7"),
			list: []codebuild.Report{failedReport("a", 2, 1)}, cases: map[string]int{"a FAILED": 2}},
			failed: 2, more: 1, asked: []string{"a FAILED 200", "a ERROR 198"},
			unread: "The build's test reports were not read: CodeBuild did not give them."},
		{what: "no answer in time", shelves: shelves{fails: fmt.Errorf("reading: %w", context.DeadlineExceeded),
			list: []codebuild.Report{failedReport("a", 2, 1)}, cases: map[string]int{"a FAILED": 2}},
			failed: 2, more: 1, asked: []string{"a FAILED 200", "a ERROR 198"},
			unread: "The build's test reports were not read: CodeBuild did not answer in time."},
	} {
		reports := heal.TestReports{Reports: &row.shelves}
		reports.Find(t.Context(), reportAt, reportProject, reportBuild)
		var f buildlog.Failure
		reports.Read(t.Context(), reportAt, &f)
		if len(f.Tests) != row.failed || f.MoreTests != row.more {
			t.Errorf("%s: %d failed and %d more, want %d and %d", row.what, len(f.Tests), f.MoreTests, row.failed, row.more)
		}
		if d := cmp.Diff(row.asked, row.shelves.asked); d != "" {
			t.Errorf("%s: what was asked for differs (-want +got):\n%s", row.what, d)
		}
		if got := reports.Partial(); got != row.partial {
			t.Errorf("%s: partial is %t, want %t", row.what, got, row.partial)
		}
		if got := reports.Unread(); got != row.unread {
			t.Errorf("%s: unread is %q, want %q", row.what, got, row.unread)
		}
	}
}

// oneCase is a report with one failed case of that message.
type oneCase string

func (oneCase) Read(context.Context, settings.Account, []string) ([]codebuild.Report, error) {
	return []codebuild.Report{failedReport("a", 1, 0)}, nil
}

func (c oneCase) Cases(context.Context, settings.Account, string, string, int) ([]codebuild.TestCase, error) {
	return []codebuild.TestCase{{Name: "t", Message: string(c)}}, nil
}

// TestCondensed ensures what is taken of a case's message: the line that says why, the first place
// that is not a framework's, and no secret.
func TestCondensed(t *testing.T) {
	for _, row := range []struct{ what, message, says, at string }{
		{"nothing", "", "", ""},
		{"one line", "expected 1, got 2", "expected 1, got 2", ""},
		{"blank lines above", "\n\n  expected 1, got 2  \n", "expected 1, got 2", ""},
		{"JUnit: the frames of the framework and the language stand above the test's",
			"org.opentest4j.AssertionFailedError: expected: <2> but was: <3>\n" +
				"\tat org.junit.jupiter.api.AssertEquals.failNotEqual(AssertEquals.java:197)\n" +
				"\tat java.base/java.lang.reflect.Method.invoke(Method.java:568)\n\tat shop.CartTest.adds(CartTest.java:31)\n",
			"org.opentest4j.AssertionFailedError: expected: <2> but was: <3>", "CartTest.java:31"},
		{"all frames are a framework's", "boom\n\tat org.junit.Assert.fail(Assert.java:89)\n\tat org.junit.Assert.x(Assert.java:90)",
			"boom", "Assert.java:89"},
		{"jest", "Error: expect(received).toBe(expected)\n\nExpected: 3\n    at toBe (/src/node_modules/expect/build/index.js:12:9)\n" +
			"    at Object.<anonymous> (src/cart.test.ts:12:17)", "Error: expect(received).toBe(expected)", "src/cart.test.ts:12"},
		{"a frame without brackets", "AssertionError: no\n    at async /src/cart.test.mjs:7:3\n    at /src/cart.test.mjs:9:3",
			"AssertionError: no", "/src/cart.test.mjs:9"},
		{"Python's own", "Traceback (most recent call last):\n  File \"/src/tests/test_cart.py\", line 9, in test_adds\n" +
			"    self.assertEqual(2, 3)\nAssertionError: 2 != 3", "Traceback (most recent call last):", "/src/tests/test_cart.py:9"},
		{"pytest marks the line below the code", "def test_adds():\n>       assert add(1, 1) == 3\nE       assert 2 == 3\n" +
			"E        +  where 2 = add(1, 1)\n\ntests/test_cart.py:4: AssertionError", "assert 2 == 3", "tests/test_cart.py:4"},
		{"Go", "    cart_test.go:14: got 2, want 3", "cart_test.go:14: got 2, want 3", "cart_test.go:14"},
		{".NET", "Assert.Equal() Failure\n   at Xunit.Assert.Equal(Int32 a) in /_/src/EqualityAsserts.cs:line 96\n" +
			"   at Shop.CartTests.Adds() in /src/CartTests.cs:line 12", "Assert.Equal() Failure", "/src/CartTests.cs:12"},
		{"RSpec", "expected: 3\n     got: 2\n# ./spec/cart_spec.rb:5:in `block'", "expected: 3", "./spec/cart_spec.rb:5"},
		{"PHPUnit", "Failed asserting that 2 matches expected 3.\n\n/src/tests/CartTest.php:23",
			"Failed asserting that 2 matches expected 3.", "/src/tests/CartTest.php:23"},
		{"a time is no place", "timed out at 10:12:13", "timed out at 10:12:13", ""},
		{"a secret", "login with password=hunter2hunter2 failed", "login with password=[redacted] failed", ""},
		{"a private key over several lines",
			"-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA\nabc.def:12\n-----END RSA PRIVATE KEY-----\nrefused",
			"[redacted]", ""},
	} {
		reports := heal.TestReports{Reports: oneCase(row.message)}
		reports.Find(t.Context(), reportAt, reportProject, reportBuild)
		var f buildlog.Failure
		reports.Read(t.Context(), reportAt, &f)
		want := []codebuild.TestCase{{Name: "t", Message: row.says, At: row.at}}
		if d := cmp.Diff(want, f.Tests); d != "" {
			t.Errorf("%s (-want +got):\n%s", row.what, d)
		}
	}
}

// reported is a world whose builds fail, with a test report that is complete so long after the
// build's end.
func reported(takes string) string {
	return strings.Replace(shop(1, "    reports: [{group: unit, takes: "+takes+", cases: [{suite: S, name: fails, message: no}]}]\n"),
		"{run: make, takes: 60s}", "{run: make, fails: {prints: 'make: *** [check] Error 1', exit: 2}}", 1)
}

func reportSettings() string {
	return strings.Replace(shopSettings(1, ""), "mode: heal", "mode: heal, test_reports: true", 1)
}

// TestCountedReports ensures that tests are taken for all that failed only if each report of the
// build says so.
func TestCountedReports(t *testing.T) {
	for more, want := range map[string]bool{
		"": true,
		", {group: e2e, cases: [{suite: S, name: passes, status: SUCCEEDED}]}": true,
		", {group: e2e, incomplete: true}":                                     false,
		", {group: e2e, shared: true}":                                         false,
		", {group: e2e, type: CODE_COVERAGE}":                                  true,
	} {
		world := strings.Replace(reported("0s"), "}]}]\n", "}]}"+more+"]\n    logs: {off: true}\n", 1)
		s := open(t, world, reportSettings())
		id := s.start("p0")
		s.drain()
		if d := s.of(id).Rounds[0].Diagnosis; d.Cause != "test-failure" || d.Counted != want {
			t.Errorf("%s: %s, counted %t, want %t", more, d.Cause, d.Counted, want)
		}
	}
}

// TestLateReports ensures that a report which is not complete is waited for a while, and no longer,
// and that neither that nor an error of CodeBuild loses the failure.
func TestLateReports(t *testing.T) {
	refuse := func(operation string, f simaws.Fault) func(simaws.Call) simaws.Fault {
		return func(c simaws.Call) simaws.Fault {
			if c.Operation == operation && !c.Done {
				return f
			}
			return simaws.Fault{}
		}
	}
	for _, row := range []struct {
		what  string
		takes string
		fault func(simaws.Call) simaws.Fault
		cause string
		looks int // that found it incomplete
		reads int // of the log: once too often where it was read before it was known that there are reports to wait for
		told  string
	}{
		{what: "complete at once", takes: "0s", cause: "test-failure", reads: 1},
		{what: "complete a little later", takes: "10s", cause: "test-failure", looks: 2, reads: 2},
		{what: "complete much later", takes: "10m", cause: "command-failed", looks: 3, reads: 2, told: "had not completed"},
		{what: "throttled all the time", takes: "0s", fault: refuse("BatchGetReports", simaws.Fault{Throttle: true}),
			cause: "command-failed", looks: 3, reads: 2, told: "did not answer in time"},
		{what: "the reports may not be read", takes: "0s", fault: refuse("BatchGetReports", simaws.Fault{Code: "AccessDeniedException",
			Status: 400, Message: "User: x is not authorized to perform: codebuild:BatchGetReports on resource: y"}),
			cause: "command-failed", reads: 1, told: "codebuild:BatchGetReports"},
		{what: "their cases may not be read", takes: "0s", fault: refuse("DescribeTestCases", simaws.Fault{Code: "AccessDeniedException",
			Status: 400, Message: "User: x is not authorized to perform: codebuild:DescribeTestCases on resource: y"}),
			cause: "command-failed", reads: 1, told: "codebuild:DescribeTestCases"},
		{what: "CodeBuild refuses", takes: "0s", fault: refuse("BatchGetReports", simaws.Fault{Code: "InvalidInputException", Status: 400}),
			cause: "command-failed", reads: 1, told: "did not give them"},
	} {
		s := open(t, reported(row.takes), reportSettings())
		if row.fault != nil {
			s.Sim.Hook(row.fault)
		}
		id := s.start("p0")
		s.drain()
		c := s.of(id)
		r := c.Rounds[0]
		if c.Outcome != decide.Reported || r.Diagnosis.Cause != row.cause || r.Looks != row.looks || s.count("GetLogEvents") != row.reads {
			t.Errorf("%s: %s, %s, %d looks, the log was read %d times", row.what, c.Outcome, r.Diagnosis.Cause, r.Looks,
				s.count("GetLogEvents"))
		}
		told := s.Sim.Notices()
		if len(told) != 1 || !strings.Contains(strings.Join(strings.Fields(told[0].ByProtocol["email"]), " "), row.told) ||
			(r.Unread == "") != (row.told == "") {
			t.Errorf("%s: unread %q, told %+v", row.what, r.Unread, told)
		}
		if row.cause == "test-failure" && (len(r.Diagnosis.Tests) != 1 || r.Diagnosis.Tests[0].FullName() != "S › fails") {
			t.Errorf("%s: failed are %+v", row.what, r.Diagnosis.Tests)
		}
	}
}

// TestReportsAtADesk ensures that a person who looks at a build waits for nothing, and sees the
// tests that are known.
func TestReportsAtADesk(t *testing.T) {
	for takes, cause := range map[string]string{"0s": "test-failure", "10m": "command-failed"} {
		s := open(t, reported(takes), reportSettings())
		id := s.start("p0")
		s.drain()
		c, err := s.Inbox.Healer.Look(t.Context(), settings.Account{ID: "111122223333", Region: "us-east-1"}, id)
		if err != nil || c.Rounds[0].Diagnosis == nil || c.Rounds[0].Diagnosis.Cause != cause {
			t.Errorf("%s: %v, %+v", takes, err, c.Rounds[0].Diagnosis)
		}
	}
}

// TestNoReports ensures that nothing is asked for where settings do not say so.
func TestNoReports(t *testing.T) {
	s := open(t, reported("0s"), shopSettings(1, ""))
	id := s.start("p0")
	s.drain()
	if c := s.of(id); c.Rounds[0].Diagnosis.Cause != "command-failed" || s.count("BatchGetReports") > 0 {
		t.Errorf("%s, %d calls", c.Rounds[0].Diagnosis.Cause, s.count("BatchGetReports"))
	}
}

// TestTestsInHistory ensures that the history names the first failed tests, and counts the others.
func TestTestsInHistory(t *testing.T) {
	s := open(t, strings.Replace(reported("0s"), "name: fails,", "name: fails %d, repeat: 9,", 1), reportSettings())
	s.start("p0")
	s.drain()
	list, err := s.Inbox.Healer.History(t.Context(), "p0", 5)
	if err != nil || len(list) != 1 || len(list[0].FailedTests) != 5 ||
		list[0].FailedTests[0] != "S › fails 1" || list[0].MoreTests != 4 {
		t.Errorf("%v, %+v", err, list)
	}
}

// TestTestsWithoutSecrets ensures that no text of a failed test keeps a secret.
func TestTestsWithoutSecrets(t *testing.T) {
	const secret = "ghp_0123456789abcdefghijklmnopqrstuvwxyz"
	d := heal.WithoutSecrets(diagnose.Diagnosis{Tests: []codebuild.TestCase{{Suite: secret, Name: secret, Message: secret, At: secret}}})
	if c := d.Tests[0]; strings.Contains(fmt.Sprint(c), secret) {
		t.Errorf("%+v", c)
	}
}
