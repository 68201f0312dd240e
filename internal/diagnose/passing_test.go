package diagnose

import (
	"testing"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
)

// TestWhatPassesIsNoFailure: lines that passing runs print too, or that are about something else,
// give no cause.
func TestWhatPassesIsNoFailure(t *testing.T) {
	for what, text := range map[string]string{
		"behave":                   "2 scenarios passed, 0 failed, 0 skipped",
		"robot":                    "6 tests, 6 passed, 0 failed",
		"TAP, a todo":              "not ok 2 ships # TODO not done yet",
		"TAP, a skip":              "not ok 3 flies # SKIP no wings",
		"TAP, the count":           "# pass 9\n# fail 0",
		"vitest as JSON":           `{"numTotalTests":27,"numPassedTests":27,"numFailedTests":0,"success":true}`,
		"JUnit as XML":             `<testsuites name="x" tests="6" failures="0" errors="0" time="0.02">`,
		"Catch2":                   "test cases: 5 | 5 passed",
		"terraform test":           "Success! 3 passed, 0 failed.",
		"prove":                    "Result: PASS",
		"jasmine":                  "4 specs, 0 failures",
		"ExUnit":                   "12 tests, 0 failures",
		"Pester":                   "Tests Passed: 3, Failed: 0, Skipped: 0 NotRun: 0",
		"TestNG":                   "Total tests run: 3, Passes: 3, Failures: 0, Skips: 0",
		"sbt":                      "[info] Passed: Total 3, Failed 0, Errors 0, Passed 3",
		"Clojure":                  "0 failures, 0 errors.",
		"testthat":                 "[ FAIL 0 | WARN 0 | SKIP 0 | PASS 2 ]",
		"nextest":                  "Summary [   0.012s] 3 tests run: 3 passed, 0 failed, 0 skipped",
		"dotnet":                   "Test summary: total: 3, failed: 0, succeeded: 3, skipped: 0, duration: 1.2s",
		"go test as JSON":          `{"Action":"pass","Package":"example.com/shop/price","Test":"TestFailNever"}`,
		"javac's warning in Maven": "[WARNING] /src/Cart.java:[14,9] total() in Cart has been deprecated",
		"a Python warning":         "/src/cart.py:12: DeprecationWarning: total is deprecated",
		"mypy's note":              "shop/cart.py:6:5: note: See https://mypy.readthedocs.io",
		"ESLint, warnings only":    "12:9  warning  Unexpected console statement  no-console",
		"ESLint, its sum":          "✖ 3 problems (0 errors, 3 warnings)",
		"cfn-lint": "Cfn-lint scanned 1 templates against 307 rules and found 0 " +
			"errors, 1 warnings, and 0 informational violations",
		"Compose builds it next": " ! tests Warning pull access denied for shop-tests, " +
			"repository does not exist or may require 'docker login': " +
			"denied: requested access to the resource is denied",
		"semgrep": "Ran 312 rules on 40 files: 0 findings.",
		"the CDK goes on": "could not be used to assume " +
			"'arn:aws:iam::111122223333:role/cdk-x', but are for the right account. Proceeding anyway.",
		"a port in a list":         "services: web 0.0.0.0:3000->3000/tcp",
		"a trust policy that fits": "The role's trust policy allows lambda.amazonaws.com to use it",
		"npm names its own log": "npm error A complete log of this run can be found in: " +
			"/root/.npm/_logs/2026-11-20T10_00_00_000Z-debug-0.log",
		"a state that was saved":  "State saved to s3://shop-state/prod.tfstate",
		"curl's progress":         "100  1256  100  1256    0     0   9401      0 --:--:-- --:--:-- --:--:--  9443",
		"a colon in a go log":     "cart.go:14: total is 3",
		"a stack of Go, no error": "/src/cart.go:14 +0x1d",
	} {
		f := buildlog.ReadText(codebuild.Build{}, text)
		f.Command, f.Exit = "make", "1"
		if d := Diagnose(f); d.Cause != "command-failed" {
			t.Errorf("%s: %s, by %q", what, d.Cause, d.Evidence.Text)
		}
		x := gather(&f)
		if s := x.findSure(causes); s != nil {
			t.Errorf("%s: it is sure of %s", what, s.cause)
		}
	}
}
