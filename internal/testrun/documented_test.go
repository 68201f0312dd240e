package testrun

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestDocumentedForms reads what runners print that no pinned run has, in the form that their
// authors document. Each test is written as SUITE|NAME|AT|MESSAGE.
func TestDocumentedForms(t *testing.T) {
	for _, c := range []struct {
		what, text, runner string
		first, last        int
		want               []string
	}{
		{"dotnet test on VSTest with xUnit", `Test run for /src/bin/Shop.Tests.dll (.NETCoreApp,Version=v8.0)
Starting test execution, please wait...
A total of 1 test files matched the specified pattern.
[xUnit.net 00:00:00.51]     Shop.Tests.TillTests.CountsCoins(n: 2.5) [FAIL]
  Failed Shop.Tests.TillTests.CountsCoins(n: 2.5) [12 ms]
  Error Message:
   Assert.Equal() Failure: Values differ
Expected: 165
Actual:   170
  Stack Trace:
     at Shop.Tests.TillTests.CountsCoins(Double n) in /src/TillTests.cs:line 12
   at System.RuntimeMethodHandle.InvokeMethod()
  Failed closes in the evening [< 1 ms]
  Error Message:
   System.Exception : ThrottlingException: Rate exceeded
  Stack Trace:
     at Shop.Tests.TillTests.Closes() in /src/TillTests.cs:line 20

Failed!  - Failed:     2, Passed:     3, Skipped:     0, Total:     5, Duration: 20 ms - Shop.Tests.dll (net8.0)
`, "dotnet test", 1, 19, []string{
			"Shop.Tests.TillTests|CountsCoins(n: 2.5)|/src/TillTests.cs:12|" +
				"Assert.Equal() Failure: Values differ Expected: 165 Actual: 170",
			"|closes in the evening|/src/TillTests.cs:20|System.Exception : ThrottlingException: Rate exceeded"}},
		{"dotnet test with the terminal logger", `  Shop.Tests test net9.0 failed with 1 error(s) (1.2s)
    /src/TillTests.cs(12): error TESTERROR: Shop.Tests.TillTests.CountsCoins (12ms): Error Message: Assert.True() Failure
Test summary: total: 5, failed: 1, succeeded: 4, skipped: 0, duration: 1.0s
`, "dotnet test", 1, 3, []string{"Shop.Tests.TillTests|CountsCoins|/src/TillTests.cs:12|Assert.True() Failure"}},
		{"Microsoft.Testing.Platform", `Running tests from /src/bin/Shop.Tests.dll (net10.0|x64)
failed CountsCoins (12ms)
  Assert.AreEqual failed. Expected:<165>. Actual:<170>.
    at Shop.Tests.TillTests.CountsCoins() in /src/TillTests.cs:12
failed Shop.Tests.TillTests.Closes (1s 020ms)
  still open

Test run summary: Failed! - /src/bin/Shop.Tests.dll (net10.0|x64)
  total: 5
  failed: 2
`, "Microsoft.Testing.Platform", 1, 10, []string{
			"|CountsCoins|/src/TillTests.cs:12|Assert.AreEqual failed. Expected:<165>. Actual:<170>.",
			"Shop.Tests.TillTests|Closes||still open"}},
		{"NUnit's console", `NUnit Console 3.17.0
Errors, Failures and Warnings

1) Failed : Shop.Tests.TillTests.CountsCoins
  Expected: 165
  But was:  170
at Shop.Tests.TillTests.CountsCoins() in /src/TillTests.cs:line 12

2) Error : Shop.Tests.TillTests.Closes
System.InvalidOperationException : still open
   at Shop.Tests.TillTests.Closes() in /src/TillTests.cs:line 20

Test Run Summary
  Overall result: Failed
  Test Count: 5, Pass: 3, Failed: 2, Warnings: 0, Inconclusive: 0, Skipped: 0
`, "NUnit console", 1, 15, []string{
			"Shop.Tests.TillTests|CountsCoins|/src/TillTests.cs:12|Expected: 165 But was: 170",
			"Shop.Tests.TillTests|Closes|/src/TillTests.cs:20|System.InvalidOperationException : still open"}},
		{"xUnit.net's console", `xUnit.net Console Runner v2.9.0 (64-bit .NET 8.0)
  Starting:    Shop.Tests
    Shop.Tests.TillTests.CountsCoins [FAIL]
      Assert.True() Failure
      Expected: True
      Actual:   False
      Stack Trace:
        /src/TillTests.cs(12,0): at Shop.Tests.TillTests.CountsCoins()
  Finished:    Shop.Tests
`, "xUnit.net", 1, 9, []string{"Shop.Tests.TillTests|CountsCoins||Assert.True() Failure Expected: True Actual: False"}},

		{"XCTest on Linux", `Test Suite 'All tests' started at 2026-01-02 03:04:05.000
Test Case 'TillTests.testOpens' started at 2026-01-02 03:04:05.000
Test Case 'TillTests.testOpens' passed (0.001 seconds)
/src/Tests/TillTests.swift:12: error: TillTests.testCountsCoins : XCTAssertEqual failed: ("170") is not equal to ("165") -
Test Case 'TillTests.testCountsCoins' failed (0.001 seconds)
Executed 2 tests, with 1 failure (0 unexpected) in 0.002 (0.002) seconds
`, "XCTest", 1, 6, []string{
			`TillTests|testCountsCoins|/src/Tests/TillTests.swift:12|XCTAssertEqual failed: ("170") is not equal to ("165")`}},
		{"XCTest in xcodebuild", `Test Suite 'ShopTests.xctest' started at 2026-01-02 03:04:05.000
/src/TillTests.swift:12: error: -[ShopTests.TillTests testCountsCoins] : failed - still open
Test Case '-[ShopTests.TillTests testCountsCoins]' failed (0.010 seconds).
	 Executed 1 test, with 1 failure (0 unexpected) in 0.010 (0.011) seconds
Failing tests:
	TillTests.testCountsCoins()

** TEST FAILED **
`, "XCTest", 1, 8, []string{"TillTests|testCountsCoins|/src/TillTests.swift:12|failed - still open"}},
		{"Swift Testing", `◇ Test run started.
◇ Test opens() started.
✔ Test opens() passed after 0.001 seconds.
✘ Test "counts coins" recorded an issue at TillTests.swift:12:5: Expectation failed: (net(200) → 170) == 165
✘ Test "counts coins" failed after 0.001 seconds with 1 issue.
✘ Test fits(coin:) recorded an issue with 1 argument coin → 2 at TillTests.swift:20:5: Expectation failed: coin != 2
✘ Test fits(coin:) with 3 test cases failed after 0.001 seconds with 1 issue.
✘ Test run with 3 tests failed after 0.002 seconds with 2 issues.
`, "XCTest", 1, 8, []string{
			"|counts coins|TillTests.swift:12|Expectation failed: (net(200) → 170) == 165",
			"|fits(coin:)|TillTests.swift:20|Expectation failed: coin != 2 coin → 2"}},
		{"xcpretty", `Test Suite ShopTests.xctest started
TillTests
    ✓ testOpens (0.001 seconds)
    ✗ testCountsCoins, XCTAssertEqual failed: ("170") is not equal to ("165")
Executed 2 tests, with 1 failure (0 unexpected) in 0.002 (0.002) seconds
`, "xcpretty", 1, 5, []string{`TillTests|testCountsCoins||XCTAssertEqual failed: ("170") is not equal to ("165")`}},

		{"dart test", `00:00 +0: loading test/till_test.dart
00:01 +1: test/till_test.dart: opens
00:01 +1 -1: test/till_test.dart: till counts coins [E]
  Expected: <165>
    Actual: <170>
  package:matcher          expect
  test/till_test.dart 7:5  main.<fn>

00:01 +1 -1: Some tests failed.
`, "dart test", 1, 9, []string{"test/till_test.dart|till counts coins|test/till_test.dart:7|Expected: <165> Actual: <170>"}},
		{"dart test for GitHub", `✅ test/till_test.dart: opens
❌ test/till_test.dart: counts coins (failed)
  Expected: <165>
    Actual: <170>
::error::1 test passed, 1 failed.
`, "dart test", 1, 5, []string{"test/till_test.dart|counts coins||Expected: <165> Actual: <170>"}},
		{"dart test's JSON", `{"suite":{"id":0,"path":"test/till_test.dart"},"type":"suite","time":0}
{"test":{"id":3,"name":"counts coins","suiteID":0},"type":"testStart","time":1}
{"testID":3,"error":"Expected: <165>\n  Actual: <170>\n","stackTrace":"test/till_test.dart 7:5  main.<fn>\n","type":"error"}
{"testID":3,"result":"failure","hidden":false,"type":"testDone","time":2}
{"success":false,"type":"done","time":3}
`, "dart test", 1, 5, []string{"test/till_test.dart|counts coins|test/till_test.dart:7|Expected: <165> Actual: <170>"}},
		{"Hspec", `
till
  opens [✔]
  counts coins [✘]

Failures:

  test/TillSpec.hs:10:20:
  1) till counts coins
       expected: 165
        but got: 170

  To rerun use: --match "/till/counts coins/"

Finished in 0.0004 seconds
2 examples, 1 failure
`, "hspec", 1, 16, []string{"|till counts coins|test/TillSpec.hs:10|expected: 165 but got: 170"}},
		{"Tasty", `shop
  till
    opens:        OK
    counts coins: FAIL (0.01s)
      test/Main.hs:12:
      expected: 165
       but got: 170
      Use -p '/counts coins/' to rerun this test only.

1 out of 2 tests failed (0.01s)
`, "tasty", 1, 10, []string{"shop / till|counts coins|test/Main.hs:12|expected: 165 but got: 170"}},
		{"rebar3 eunit", `===> Performing EUnit tests...
.F
Failures:

  1) till_tests:counts_coins_test/0: module 'till_tests'
     Failure/Error: ?assertEqual(165, net ( 200 ))
       expected: 165
            got: 170
     %% /src/test/till_tests.erl:7:in ` + "`till_tests:counts_coins_test/0`" + `
Finished in 0.1 seconds
2 tests, 1 failures
`, "rebar3 eunit", 1, 11, []string{
			"till_tests|counts_coins_test|/src/test/till_tests.erl:7|?assertEqual(165, net ( 200 )) expected: 165 got: 170"}},
		{"EUnit, a test of a generator, and one that printed something", `======================== EUnit ========================
  till_tests: counts_coins_test...not yet open
*failed*
in function till_tests:counts_coins_test/0 (till_tests.erl, line 4)
in call from eunit_proc:run_test/1 (eunit_proc.erl, line 531)
**error:{assertEqual,[{module,till_tests},
              {line,4},
              {expression,"net(200)"},
              {expected,165},
              {value,170}]}
  output:<<"">>

  till_tests:6: -fits_test_/0-fun-3- (a coin)...*failed*
in function till_tests:'-fits_test_/0-fun-3-'/0 (till_tests.erl, line 6)
**error:not_stored
  output:<<"">>

  Failed: 2.  Skipped: 0.  Passed: 2.
`, "eunit", 1, 18, []string{
			`till_tests|counts_coins_test|till_tests.erl:4|expression "net(200)" expected 165 value 170`,
			"till_tests|fits_test_ (a coin)|till_tests.erl:6|error:not_stored"}},
		{"Common Test", `Testing lib.shop: Starting test, 2 test cases

- - - - - - - - - - - - - - - - - - - - - - - - - -
till_SUITE:counts_coins failed on line 12
Reason: {badmatch,170}
- - - - - - - - - - - - - - - - - - - - - - - - - -

Testing lib.shop: TEST COMPLETE, 1 ok, 1 failed of 2 test cases
`, "common test", 1, 8, []string{"till_SUITE|counts_coins|till_SUITE.erl:12|{badmatch,170}"}},
		{"Pester", `Starting discovery in 1 files.
[-] till.counts coins 5ms (3ms|2ms)
 Expected 165, but got 170.
 at net 200 | Should -Be 165, /src/Till.Tests.ps1:8
 at <ScriptBlock>, /src/Till.Tests.ps1:8
Tests completed in 300ms
Tests Passed: 4, Failed: 1, Skipped: 0 NotRun: 0
`, "pester", 1, 7, []string{"|till.counts coins|/src/Till.Tests.ps1:8|Expected 165, but got 170."}},
		{"the plug-in unittest of Helm", `### Chart [ shop ] charts/shop

 FAIL  deployment	charts/shop/tests/deployment_test.yaml
	- has the image

		- asserts[0] ` + "`equal`" + ` fail
			Template:	shop/templates/deployment.yaml
 PASS  service	charts/shop/tests/service_test.yaml

Charts:      1 failed, 0 passed, 1 total
Tests:       1 failed, 3 passed, 4 total
`, "helm unittest", 1, 11, []string{"charts/shop/tests/deployment_test.yaml|has the image||asserts[0] `equal` fail"}},
		{"helm test", `NAME: shop
TEST SUITE:     shop-test-connection
Last Started:   Fri Jan  2 03:04:05 2026
Phase:          Failed
Error: pod shop-test-connection failed
`, "helm test", 1, 4, []string{"|shop-test-connection||"}},
		{"opa test", `policy/till_test.rego:
data.till.test_opens: PASS (1ms)
data.till.test_counts_coins: FAIL (2ms)
--------------------------------------------------------------------------------
PASS: 1/2
FAIL: 1/2
`, "opa test", 1, 6, []string{"policy/till_test.rego|data.till.test_counts_coins||"}},
		{"cfn-guard test", `Test Case #1
Name: bucket is encrypted
  FAIL Rules:
    S3_ENCRYPTED: Expected = PASS, Evaluated = [FAIL]
`, "cfn-guard test", 1, 4, []string{"bucket is encrypted|S3_ENCRYPTED||expected PASS, evaluated FAIL"}},
		{"Molecule's idempotence", `CRITICAL Idempotence test failed because of the following tasks:
*  [instance] => shop : write the config
`, "molecule", 1, 2, []string{"|shop : write the config||changed something when it ran again"}},
		{"goss", `..F.

Failures/Skipped:

Package: httpd: installed: doesn't match, expect: [true] found: [false]

Count: 4, Failed: 1, Skipped: 0
`, "goss", 3, 7, []string{"|Package: httpd: installed||doesn't match, expect: [true] found: [false]"}},
		{"InSpec", `Profile:   shop
  ×  till-1: the till is closed (1 failed)
     ×  File /srv/till is expected not to exist
     expected File /srv/till not to exist

Profile Summary: 1 successful control, 1 control failure, 0 controls skipped
Test Summary: 3 successful, 1 failure, 0 skipped
`, "inspec", 1, 7, []string{"|till-1||File /srv/till is expected not to exist"}},
		{"Newman", `  #  failure         detail

 1.  AssertionError  answers with 200
                     expected response to have status code 200 but got 503
                     at assertion:0 in test-script
                     inside "the till / open"
`, "newman", 1, 6, []string{"the till / open|answers with 200||expected response to have status code 200 but got 503"}},
		{"k6", `     execution: local
     ✗ answers with 200
      ↳  90% — ✓ 9 / ✗ 1
     ✓ is fast
time="2026-01-02T03:04:05Z" level=error msg="thresholds on metrics 'http_req_duration' have been crossed"
`, "k6", 1, 5, []string{"|answers with 200||90% — ✓ 9 / ✗ 1", "|http_req_duration||threshold crossed"}},
		{"Julia", `till: Test Failed at /src/test/runtests.jl:5
  Expression: net(200) == 165
   Evaluated: 170 == 165

Stacktrace:
Test Summary: | Pass  Fail  Total  Time
till          |    1     1      2  0.1s
`, "julia", 1, 7, []string{"|till|/src/test/runtests.jl:5|Expression: net(200) == 165 Evaluated: 170 == 165"}},

		{"ScalaTest in sbt", `[info] compiling 1 Scala source to /src/target ...
[info] TillSpec:
[info] till
[info] - opens
[info] - counts coins *** FAILED ***
[info]   170 did not equal 165 (TillSpec.scala:8)
[info] Run completed in 200 milliseconds.
[info] *** 1 TEST FAILED ***
[error] Failed: Total 2, Failed 1, Errors 0, Passed 1
[error] Failed tests:
[error] 	shop.TillSpec
`, "sbt", 2, 10, []string{"TillSpec|counts coins|TillSpec.scala:8|170 did not equal 165"}},
		{"MUnit", `shop.TillSuite:
  + opens 0.01s
==> X shop.TillSuite.counts coins  0.02s munit.ComparisonFailException: /src/TillSuite.scala:8
7:  test("counts coins"):
8:    assertEquals(net(200), 165)
values are not the same
=> Obtained
170
=> Diff (- expected, + obtained)
Failed: Total 2, Failed 1, Errors 0, Passed 1
`, "sbt", 1, 10, []string{"shop.TillSuite|counts coins|/src/TillSuite.scala:8|" +
			"values are not the same => Obtained 170"}},
		{"specs2", `[info] TillSpec
[info]   + opens
[error]   x counts coins
[error]    170 != 165 (TillSpec.scala:8)
[info] 2 examples, 1 failure, 0 error
`, "sbt", 1, 5, []string{"TillSpec|counts coins|TillSpec.scala:8|170 != 165"}},
		{"ZIO Test", `  + till
    + opens
    - counts coins
      ✗ 170 was not equal to 165
1 tests passed. 1 tests failed. 0 tests ignored.
`, "sbt", 1, 5, []string{"|counts coins||170 was not equal to 165"}},
		{"JUnit in sbt", `[info] Test run started
[error] Test shop.TillTest.countsCoins failed: java.lang.AssertionError: expected:<165> but was:<170>, took 0.01 sec
[error]     at shop.TillTest.countsCoins(TillTest.java:8)
[error] Failed: Total 2, Failed 1, Errors 0, Passed 1
`, "sbt", 1, 4, []string{"shop.TillTest|countsCoins|TillTest.java:8|expected:<165> but was:<170>"}},
		{"clojure.test in Leiningen", `lein test shop.till-test

lein test :only shop.till-test/counts-coins

FAIL in (counts-coins) (till_test.clj:8)
a big order
expected: (= 165 (net 200))
  actual: (not (= 165 170))

Ran 2 tests containing 3 assertions.
1 failures, 0 errors.
`, "clojure.test", 1, 11, []string{
			"shop.till-test|counts-coins|till_test.clj:8|a big order expected: (= 165 (net 200)) actual: (not (= 165 170))"}},
		{"Kaocha", `FAIL in shop.till-test/counts-coins (till_test.clj:8)
Expected:
  165
2 tests, 3 assertions, 1 failures.
`, "clojure.test", 1, 4, []string{"shop.till-test|counts-coins|till_test.clj:8|Expected: 165 2 tests, 3 assertions, 1 failures."}},
		{"TestNG's own text", `PASSED: shop.TillTest.opens
FAILED: shop.TillTest.countsCoins(2, "b")
java.lang.AssertionError: expected [165] but found [170]
	at org.testng.Assert.fail(Assert.java:111)
	at shop.TillTest.countsCoins(TillTest.java:8)

===============================================
    Tests by testng
Total tests run: 2, Passes: 1, Failures: 1, Skips: 0
`, "TestNG", 1, 9, []string{`shop.TillTest|countsCoins(2, "b")|TillTest.java:8|expected [165] but found [170]`}},
		{"JUnit 4's text", `JUnit version 4.13.2
..E
Time: 0.01
There was 1 failure:
1) countsCoins(shop.TillTest)
java.lang.AssertionError: expected:<165> but was:<170>
	at shop.TillTest.countsCoins(TillTest.java:8)

FAILURES!!!
Tests run: 2,  Failures: 1
`, "JUnit 4", 1, 10, []string{"shop.TillTest|countsCoins|TillTest.java:8|expected:<165> but was:<170>"}},
		{"Gradle: classes and groups that failed by their tests are not named beside them", `> Task :test FAILED

TillTest > counts coins() FAILED
    org.opentest4j.AssertionFailedError at TillTest.java:8

TillTest > fits(int) > [2] 2 FAILED
    org.opentest4j.AssertionFailedError: expected: <true> but was: <false>
        at app//org.junit.jupiter.api.AssertTrue.failNotTrue(AssertTrue.java:63)
        at app//shop.TillTest.fits(TillTest.java:12)

TillTest > fits(int) FAILED

BrokenTest > initializationError FAILED
    java.lang.IllegalStateException at BrokenTest.java:6

4 tests completed, 3 failed
`, "gradle test", 2, 16, []string{
			"TillTest|counts coins()|TillTest.java:8|AssertionFailedError",
			"TillTest|fits(int) > [2] 2|TillTest.java:12|expected: <true> but was: <false>",
			"BrokenTest|BrokenTest|BrokenTest.java:6|IllegalStateException"}},
		{"Surefire: a flake is no failure", `[INFO]  T E S T S
[INFO] Running shop.TillTest
[ERROR] Tests run: 2, Failures: 1, Errors: 0, Skipped: 0, Time elapsed: 0.1 s <<< FAILURE! -- in shop.TillTest
[ERROR] shop.TillTest.flaky -- Time elapsed: 0.01 s <<< FAILURE!
org.opentest4j.AssertionFailedError: not the first time
[ERROR] Tests run: 1, Failures: 0, Errors: 1, Skipped: 0, Time elapsed: 0.1 s <<< FAILURE! -- in shop.BasketTest
[ERROR] shop.BasketTest.stays -- Time elapsed: 0.01 s <<< ERROR!
java.lang.IllegalStateException: gone
[INFO] Results:
[ERROR] Errors: 
[ERROR] shop.BasketTest.stays
[ERROR]   Run 1: BasketTest.stays:9 » IllegalState gone
[ERROR]   Run 2: BasketTest.stays:9 » IllegalState gone
[INFO] 
[WARNING] Flakes: 
[WARNING] shop.TillTest.flaky
[ERROR]   Run 1: TillTest.flaky:5 not the first time
[INFO]   Run 2: PASS
[INFO] 
[ERROR] Tests run: 3, Failures: 0, Errors: 1, Skipped: 0, Flakes: 1
`, "maven surefire", 1, 20, []string{"shop.BasketTest|stays||IllegalStateException: gone"}},
		{"cargo test before Rust 1.73", `running 1 test
test tests::counts ... FAILED

failures:

---- tests::counts stdout ----
thread 'tests::counts' panicked at 'assertion failed: ` + "`(left == right)`" + `
  left: ` + "`170`" + `,
 right: ` + "`165`" + `', src/lib.rs:5:9

failures:
    tests::counts

test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out
`, "cargo test", 1, 14, []string{"|tests::counts|src/lib.rs:5|assertion failed: `(left == right)` left: `170`, right: `165`"}},
		{"doctest's XML", `<?xml version="1.0" encoding="UTF-8"?>
<doctest binary="./till" version="2.4.9">
  <TestSuite>
    <TestCase name="counts coins" filename="till.cpp" line="8">
      <SubCase name="many" filename="till.cpp" line="10">
        <Expression success="false" type="CHECK" filename="till.cpp" line="10">
          <Original>
            net(200) == 165
          </Original>
          <Expanded>
            170 == 165
          </Expanded>
        </Expression>
      </SubCase>
      <OverallResultsAsserts successes="1" failures="1" test_case_success="false"/>
    </TestCase>
  </TestSuite>
</doctest>
`, "doctest", 2, 18, []string{"counts coins|many|till.cpp:10|net(200) == 165 170 == 165"}},
		{"Boost.Test's detailed report alone", `Test module "shop" has failed with:
  1 test case out of 2 passed
    Test case "till/opens" has passed with:
      1 assertion out of 1 passed
    Test case "till/counts_coins" has failed with:
      1 assertion out of 1 failed
`, "boost.test", 1, 6, []string{"|till/counts_coins||1 assertion out of 1 failed"}},
		{"Unity", "test/till.c:8:test_counts_coins:FAIL: Expected 165 Was 170\n\n2 Tests 1 Failures 0 Ignored\nFAIL\n",
			"unity", 1, 3, []string{"|test_counts_coins|test/till.c:8|Expected 165 Was 170"}},
		{"make check", "PASS: opens\nFAIL: counts_coins\n=====\nTestsuite summary for shop 1.0\n=====\n# FAIL: 1\n",
			"make check", 2, 4, []string{"|counts_coins||"}},
		{"Bazel, with what the test printed", `==================== Test output for //shop:till_test:
[ RUN      ] Till.CountsCoins
till_test.cc:8: Failure
Value of: open
[  FAILED  ] Till.CountsCoins (0 ms)
================================================================================
//shop:basket_test                                    TIMEOUT in 60.1s
//shop:till_test                                       FAILED in 0.1s

Executed 2 out of 2 tests: 2 fail locally.
`, "bazel test", 1, 10, []string{
			"|//shop:basket_test||TIMEOUT in 60.1s",
			"//shop:till_test|Till.CountsCoins|till_test.cc:8|Value of: open"}},
	} {
		got := Read(linesOf(strings.ReplaceAll(c.text, "\t", "  "))) // as buildlog hands tabs on
		if len(got) != 1 {
			t.Errorf("%s: %d reports, want one of %s: %+v", c.what, len(got), c.runner, got)
			continue
		}
		r := got[0]
		if r.Runner != c.runner || r.First != c.first || r.Last != c.last {
			t.Errorf("%s: read by %s, lines %d to %d; want %s, %d to %d", c.what, r.Runner, r.First, r.Last, c.runner, c.first, c.last)
		}
		var names []string
		for _, x := range r.Failed {
			names = append(names, fmt.Sprintf("%s|%s|%s|%s", x.Suite, x.Name, x.At, x.Message))
		}
		if diff := cmp.Diff(c.want, names); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.what, diff)
		}
	}
}

// TestNoReport lists what looks like a failed test and is none.
func TestNoReport(t *testing.T) {
	for _, c := range []struct{ what, text string }{
		{"Ninja's failed command", "[1/2] Building C object pay.c.o\nFAILED: pay.c.o\ngcc -c pay.c\nninja: build stopped\n"},
		{"GoogleTest that passed, and a test's own words", "[ RUN      ] Till.Opens\n[  FAILED  ] as it says itself\n" +
			"[       OK ] Till.Opens (0 ms)\n[==========] 1 test from 1 test suite ran. (0 ms total)\n[  PASSED  ] 1 test.\n"},
		{"Surefire that passed, and a test's own words", "[INFO]  T E S T S\n[INFO] Running shop.TillTest\n<<< FAILURE! it says\n" +
			"[INFO] Tests run: 1, Failures: 0, Errors: 0, Skipped: 0, Time elapsed: 0.1 s -- in shop.TillTest\n" +
			"[INFO] Results:\n[INFO] \n[INFO] Tests run: 1, Failures: 0, Errors: 0, Skipped: 0\n"},
		{"Gradle's failed task that is no test", "> Task :compileJava FAILED\n\nFAILURE: Build failed with an exception.\n"},
		{"cargo test that passed", "running 1 test\ntest fails_to_open ... ok\n\ntest result: ok. 1 passed; 0 failed; 0 ignored\n"},
		{"CTest that passed", "    Start 1: opens\n1/1 Test #1: opens ............   Passed    0.01 sec\n\n" +
			"100% tests passed, 0 tests failed out of 1\n"},
		{"terraform test that passed", "tests/a.tftest.hcl... in progress\n  run \"fail\"... pass\n\nSuccess! 1 passed, 0 failed.\n"},
		{"ExUnit that passed", "..\nFinished in 0.1 seconds\n2 tests, 0 failures\n"},
		{"a numbered list", "  1) test the change (Shop)\n  2) deploy it\n"},
		{"a program that panicked, which is no test", "panic: no basket\n\ngoroutine 1 [running]:\nmain.main()\n\t/src/main.go:4 +0x1\n"},
		{"a Java program that threw", "Exception in thread \"main\" java.lang.IllegalStateException: gone\n" +
			"\tat shop.Main.main(Main.java:4)\n"},
	} {
		if got := Read(linesOf(strings.ReplaceAll(c.text, "\t", "  "))); got != nil {
			t.Errorf("%s: %+v", c.what, got)
		}
	}
}
