package testrun

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Forms of reports that no pinned run has: of other versions, options and plugins, and of runners
// whose packages cannot be pinned.
func TestForms(t *testing.T) {
	for _, c := range []struct {
		what, text string
		want       []named
	}{
		{"pytest: subtests are named by their message and parameters",
			`============================= test session starts ==============================
collected 1 item

=================================== FAILURES ===================================
________________________ test_sub [custom message] (i=0) ________________________

>               assert i == 1
E               assert 0 == 1

more/test_more.py:5: AssertionError
=========================== short test summary info ============================
SUBFAILED[custom message] (i=0) more/test_more.py::test_sub - assert 0 == 1
FAILED more/test_more.py::test_sub - contains 1 failed subtest
============================== 2 failed in 17.32s ==============================
`, []named{{"pytest", 1, 14, []string{
				"more/test_more.py | test_sub [custom message] (i=0) | assert 0 == 1 | more/test_more.py:5",
				"more/test_more.py | test_sub | contains 1 failed subtest | ",
			}}}},
		{"pytest: a worker that crashed",
			`============================= test session starts ==============================
=================================== FAILURES ===================================
______________________________ more/test_more.py _______________________________
[gw1] linux -- Python 3.11.7 /opt/venv/bin/python
worker 'gw1' crashed while running 'more/test_more.py::test_crash'
============================== 1 failed in 1.02s ===============================
`, []named{{"pytest", 1, 6, []string{
				"more/test_more.py | test_crash | worker 'gw1' crashed while running 'more/test_more.py::test_crash' | ",
			}}}},
		{"pytest: a time-out that ends the process",
			`============================= test session starts ==============================
more/test_more.py +++++++++++++++++++++++++++++++++++ Timeout ++++++++++++++++++++++++++++++++++++
~~~~~~~~~~~~~~~ Stack of MainThread (140094425462464) ~~~~~~~~~~~~~~~
  File "/opt/venv/lib/python3.11/site-packages/_pytest/python.py", line 187, in pytest_pyfunc_call
    result = testfunction(**testargs)
  File "/src/more/test_more.py", line 12, in test_slow
+++++++++++++++++++++++++++++++++++ Timeout ++++++++++++++++++++++++++++++++++++
`, []named{{"pytest", 1, 7, []string{" | test_slow | Timeout | "}}}},
		{"pytest: a broken conftest, before any session", `ImportError while loading conftest '/src/conftest.py'.
conftest.py:6: in <module>
    import shop_cellar
E   ModuleNotFoundError: No module named 'shop_cellar'
`, []named{{"pytest", 1, 1, []string{
			" | /src/conftest.py | ModuleNotFoundError: No module named 'shop_cellar' | conftest.py:6",
		}}}},
		{"pytest: an internal error names no test",
			`============================= test session starts ==============================
collected 5 items
INTERNALERROR> Traceback (most recent call last):
INTERNALERROR> SystemError: plugin broke
`, []named{{"pytest", 1, 4, nil}}},
		{"pytest: with nothing but the line of progress, the files stand for their tests",
			`============================= test session starts ==============================
tests/test_cart.py .FFF.FE.EF.sFx....                                    [ 89%]
tests/test_fine.py ..                                                    [100%]
========================= 7 failed, 9 passed in 4.25s ==========================
`, []named{{"pytest", 1, 4, []string{" | tests/test_cart.py |  | "}}}},
		{"pytest: what a test prints adds a name and hides none",
			`============================= test session starts ==============================
=================================== FAILURES ===================================
__________________________________ test_real ___________________________________
E       assert 1 == 2
test_a.py:3: AssertionError
----------------------------- Captured stdout call -----------------------------
=========================== short test summary info ============================
FAILED test_b.py::test_printed - imitation
=============================== 1 failed in 0.1s ===============================
__________________________________ test_other __________________________________
E       assert 3 == 4
test_a.py:9: AssertionError
=========================== short test summary info ============================
FAILED test_a.py::test_real - assert 1 == 2
FAILED test_a.py::test_other - assert 3 == 4
=============================== 2 failed in 0.10s ==============================
`, []named{
				{"pytest", 1, 9, []string{
					"test_a.py | test_real | assert 1 == 2 | test_a.py:3", "test_b.py | test_printed | imitation | ",
				}},
				{"pytest", 10, 16, []string{
					"test_a.py | test_real | assert 1 == 2 | ", "test_a.py | test_other | assert 3 == 4 | ",
				}},
			}},
		{"pytest: a test's own failure is told before what its teardown adds, and a setup's error before a teardown's",
			`============================= test session starts ==============================
==================================== ERRORS ====================================
_________________________ ERROR at teardown of test_both _________________________
>       raise RuntimeError("till is stuck")
E       RuntimeError: till is stuck
conftest.py:5: RuntimeError
_________________________ ERROR at setup of test_around __________________________
>       raise RuntimeError("no till")
E       RuntimeError: no till
conftest.py:9: RuntimeError
_________________________ ERROR at teardown of test_around _______________________
>       raise RuntimeError("no key")
E       RuntimeError: no key
conftest.py:14: RuntimeError
=================================== FAILURES ===================================
___________________________________ test_both ____________________________________
>   def test_both(till): assert 0
E   assert 0
test_a.py:6: AssertionError
=========================== short test summary info ============================
FAILED test_a.py::test_both - assert 0
ERROR test_a.py::test_both - RuntimeError: till is stuck
ERROR test_a.py::test_around - RuntimeError: no till
ERROR test_a.py::test_around - RuntimeError: no key
========================= 1 failed, 3 errors in 0.44s ==========================
`, []named{{"pytest", 1, 25, []string{
				"test_a.py | test_both | assert 0 | test_a.py:6", "test_a.py | test_around | RuntimeError: no till | conftest.py:9",
			}}}},
		{"pytest: two runs, as tox has them",
			`============================= test session starts ==============================
=========================== short test summary info ============================
FAILED test_a.py::test_one - assert 1 == 2
=============================== 1 failed in 0.10s ==============================
py312: exit 0
============================= test session starts ==============================
=========================== short test summary info ============================
FAILED test_a.py::test_two - assert 1 == 2
=============================== 1 failed in 0.10s ==============================
`, []named{
				{"pytest", 1, 4, []string{"test_a.py | test_one | assert 1 == 2 | "}},
				{"pytest", 6, 9, []string{"test_a.py | test_two | assert 1 == 2 | "}},
			}},
		{"pytest-sugar", `Test session starts (platform: linux, Python 3.11.7, pytest 9.2.0, pytest-sugar 1.1.1)
―――――――― test_price[red tea] ―――――――
E       KeyError: 'red tea'

shop/__init__.py:6: KeyError

 tests/test_cart.py ⨯                                             16% █▋

Results (5.14s):
       9 passed
       2 failed
         - tests/test_cart.py:25 test_price[red tea]
         - tests/test_cart.py:56 TestVouchers.test_strict
       1 skipped
make: *** [test] Error 1
`, []named{{"pytest", 1, 14, []string{
			"tests/test_cart.py | test_price[red tea] | KeyError: 'red tea' | shop/__init__.py:6",
			"tests/test_cart.py::TestVouchers | test_strict |  | tests/test_cart.py:56",
		}}}},
		{"pytest: a passing run has no report",
			`============================= test session starts ==============================
tests/test_cart.py ...                                                   [100%]
=================== 3 passed, 1 xfailed, 2 warnings in 0.10s ===================
`, nil},
		{"unittest before Python 3.11, and a suite of modules", `F
======================================================================
FAIL: test_sum (tests.test_cart.CartTest)
----------------------------------------------------------------------
Traceback (most recent call last):
  File "/src/tests/test_cart.py", line 11, in test_sum
    self.assertEqual(total([1]), 2)
AssertionError: 1 != 2

======================================================================
ERROR: tests.test_missing (unittest.loader._FailedTest)
----------------------------------------------------------------------
ImportError: Failed to import test module: tests.test_missing
Traceback (most recent call last):
  File "/src/tests/test_missing.py", line 1, in <module>
    import shop_cellar
ModuleNotFoundError: No module named 'shop_cellar'


----------------------------------------------------------------------
Ran 2 tests in 0.001s

FAILED (failures=1, errors=1)
`, []named{{"unittest", 1, 23, []string{
			"tests.test_cart.CartTest | test_sum | AssertionError: 1 != 2 | /src/tests/test_cart.py:11",
			" | tests.test_missing | ModuleNotFoundError: No module named 'shop_cellar' | /src/tests/test_missing.py:1",
		}}}},
		{"Django in parallel without tblib: the first failure ends the run", `Found 5 test(s).
test_throttled (cart.tests.VoucherTest.test_throttled) failed:

    AssertionError("'nothing' not found in 'ThrottlingException: Rate exceeded'")

Unfortunately, tracebacks cannot be pickled, making it impossible for the
`, []named{{"unittest", 1, 2, []string{"cart.tests.VoucherTest | test_throttled | " +
			`AssertionError("'nothing' not found in 'ThrottlingException: Rate exceeded'") | `}}}},
		{"trial: verdicts in a tree, and one behind what the test printed", `tests.test_cart
  CartTest
    test_sum ...                                                          [FAIL]
    test_refusal ... An error occurred (AccessDenied)
                                                                          [ERROR]
    test_fine ...                                                           [OK]
`, []named{{"unittest", 1, 6, []string{
			"tests.test_cart.CartTest | test_sum |  | ", "tests.test_cart.CartTest | test_refusal |  | ",
		}}}},
		{"R's own error is no failure of green's",
			"Error in library(shop) : there is no package called 'shop'\nExecution halted\n", nil},
		{"doctest: the first line that differs", `**********************************************************************
File "/src/prices.py", line 18, in prices.gross
Failed example:
    for i in range(2):
        print(gross(i))
Expected:
    0
    2
Got:
    0
    1
**********************************************************************
1 items had failures:
   1 of   2 in prices.gross
***Test Failed*** 1 failures.
`, []named{{"doctest", 1, 15, []string{"prices.gross | for i in range(2): | expected 2, got 1 | /src/prices.py:18"}}}},
		{"Rails' form of minitest", `Run options: --seed 62415

# Running:

F

Failure:
CartTest#test_sum [test/models/cart_test.rb:7]:
Expected: 165
  Actual: 170


bin/rails test test/models/cart_test.rb:6

E

Error:
CartTest#test_price:
KeyError: key not found: "red tea"
    app/models/cart.rb:3:in 'fetch'
    test/models/cart_test.rb:13:in 'block in <class:CartTest>'


bin/rails test test/models/cart_test.rb:12

Finished in 0.002269s, 5729.9720 runs/s, 4848.4378 assertions/s.
2 runs, 1 assertions, 1 failures, 1 errors, 0 skips
`, []named{{"minitest", 1, 27, []string{
			"CartTest | test_sum | Expected: 165, Actual: 170 | test/models/cart_test.rb:7",
			`CartTest | test_price | KeyError: key not found: "red tea" | app/models/cart.rb:3`,
		}}}},
		{"an error that only looks like minitest's", "Error:\nsee https://shop.example/docs#upload\n", nil},
		{"an error that only looks like test-unit's", "Error: connect failed (ECONNREFUSED)\n", nil},
		{"a file that another program could not load is no test", "An error occurred while loading config.yml.\n", nil},
		{"RSpec's formatter failures", "./spec/cart_spec.rb:7:gives the bulk discount\n./spec/cart_spec.rb:9:in 'block'\n",
			[]named{{"RSpec", 1, 1, []string{"spec/cart_spec.rb | gives the bulk discount |  | spec/cart_spec.rb:7"}}}},
		{"PHPUnit 10 and later, with data beside the data set's name", `PHPUnit 11.5.2 by Sebastian Bergmann and contributors.

.F                                                                  2 / 2 (100%)

Time: 00:00.012, Memory: 8.00 MB

There was 1 failure:

1) Tests\Unit\CartTest::testPrice with data set "red tea" with data ('red tea', 3)
Failed asserting that 4 is identical to 3.

/src/tests/Unit/CartTest.php:16

FAILURES!
Tests: 2, Assertions: 2, Failures: 1.
`, []named{{"PHPUnit", 1, 15, []string{
			`Tests\Unit\CartTest | testPrice with data set "red tea" | Failed asserting that 4 is identical to 3. | ` +
				"/src/tests/Unit/CartTest.php:16",
		}}}},
		{"PHPUnit 10 and later with --debug", `PHPUnit Started (PHPUnit 10.5.38 using PHP 8.3.14 (cli) on Linux)
Test Prepared (CartTest::testSum)
Test Failed (CartTest::testSum)
Failed asserting that 170 is identical to 165.
Test Finished (CartTest::testSum)
Test Errored (CartTest::testPrice#red tea)
Undefined array key "red tea"
PHPUnit Finished (Shell Exit Code: 2)
`, []named{{"PHPUnit", 1, 8, []string{
			"CartTest | testSum | Failed asserting that 170 is identical to 165. | ",
			`CartTest | testPrice with data set "red tea" | Undefined array key "red tea" | `,
		}}}},
		{"another program's numbered errors are not PHPUnit's",
			"There were 2 errors:\n\n1) Disk is full\n2) Disk is slow\n", nil},
		{"Pest", `   FAIL  Tests\Unit\CartTest
  ✓ it sums                                                             0.01s
  ⨯ it gives the bulk discount                                          0.02s
  ────────────────────
   FAILED  Tests\Unit\CartTest > it gives the bulk discount
  Failed asserting that 170 is identical to 165.

  at tests/Unit/CartTest.php:7
      3▕ it('gives the bulk discount', function () {
  ➜   7▕     expect(170)->toBe(165);

  1   tests/Unit/CartTest.php:7


  Tests:    1 failed, 1 passed (2 assertions)
  Duration: 0.10s
`, []named{{"Pest", 1, 15, []string{
			`Tests\Unit\CartTest | it gives the bulk discount | Failed asserting that 170 is identical to 165. | ` +
				"tests/Unit/CartTest.php:7",
		}}}},
		{"Codeception", `Codeception PHP Testing Framework v5.1.2

Unit Tests (2) -----------------------------------------------------------------
✔ CartCest: Sums (0.00s)
✖ CartCest: Gives bulk discount (0.00s)
--------------------------------------------------------------------------------
There was 1 failure:
1) CartCest: Gives bulk discount
 Test  tests/Unit/CartCest.php:givesBulkDiscount
 Step  Assert equals 165,170
 Fail  Failed asserting that 170 matches expected 165.
#1  /src/vendor/codeception/lib-asserts/src/Codeception/Util/Shared/InheritedAsserts.php:65
#2  /src/tests/Unit/CartCest.php:9

FAILURES!
Tests: 2, Assertions: 2, Failures: 1.
`, []named{{"Codeception", 1, 16, []string{"tests/Unit/CartCest.php | givesBulkDiscount | " +
			"Failed asserting that 170 matches expected 165. | /src/tests/Unit/CartCest.php:9"}}}},
		{"phpspec", `      Shop\Cart

  11  ✔ sums
  15  ✘ gives the bulk discount
      expected [integer:165], but got [integer:170].

1 specs
2 examples (1 passed, 1 failed)
10ms
`, []named{{"phpspec", 1, 8, []string{
			`Shop\Cart | gives the bulk discount | expected [integer:165], but got [integer:170]. | `,
		}}}},
		{"Behat", `Feature: Cart

  Scenario: Bulk discount      # features/cart.feature:6
    Given a cart with 200      # FeatureContext::aCartWith()
    Then the total is 165      # FeatureContext::theTotalIs()
      Failed asserting that 170 matches expected 165.

--- Failed scenarios:

    features/cart.feature:6
    features/cart.feature:17 (on line 13)

3 scenarios (1 passed, 2 failed)
6 steps (4 passed, 2 failed)
`, []named{{"Behat", 1, 14, []string{
			"features/cart.feature | Bulk discount |  | features/cart.feature:6",
			"features/cart.feature | features/cart.feature:17 |  | features/cart.feature:17",
		}}}},
		{"ShellSpec", `Running: /usr/bin/sh [sh]
.F

Examples:
  1) cart gives the bulk discount
     When call total 200 15

     1.1) The output should equal 165

            expected: 165
                 got: 170

          # spec/cart_spec.sh:9

Finished in 0.26 seconds (user: 0.06s, sys: 0.00s)
2 examples, 1 failure


Failure examples / Errors: (Listed here affect your suite's status)

shellspec spec/cart_spec.sh:7 # 1) cart gives the bulk discount FAILED
`, []named{{"ShellSpec", 1, 21, []string{
			"spec/cart_spec.sh | cart gives the bulk discount | The output should equal 165 | spec/cart_spec.sh:7",
		}}}},
		{"ShellSpec's formatter failures", "./spec/cart_spec.sh:7:FAILED:cart gives the bulk discount\n",
			[]named{{"ShellSpec", 1, 1, []string{
				"spec/cart_spec.sh | cart gives the bulk discount |  | spec/cart_spec.sh:7",
			}}}},
		{"testthat's reporter check", `An error occurred (AccessDenied)
══ Failed tests ════════════════════
── Failure (???): gives the bulk discount ──────
total(200, 15) not equal to 165.
── Error ('test-cart.R:7:3'): is throttled ──────
Error in ` + "`eval(code, test_env)`" + `: ThrottlingException: Rate exceeded

[ FAIL 2 | WARN 0 | SKIP 1 | PASS 2 ]
`, []named{{"testthat", 1, 8, []string{
			" | gives the bulk discount | total(200, 15) not equal to 165. | ",
			"test-cart.R | is throttled | Error in `eval(code, test_env)`: ThrottlingException: Rate exceeded | test-cart.R:7",
		}}}},
		{"testthat's reporter progress, without lines", `✖ | 1   1   2 | cart [4.9s]
Failure ('test-cart.R:7'): shows a refusal
FALSE is not TRUE

[ FAIL 1 | WARN 0 | SKIP 1 | PASS 2 ]
`, []named{{"testthat", 1, 5, []string{"test-cart.R | shows a refusal | FALSE is not TRUE | test-cart.R:7"}}}},
		{"test-unit's XML", `<stream>
  <test-result>
    <result>
      <test-case>
        <name>CartTest</name>
      </test-case>
      <test>
        <name>test: with &quot;quotes&quot;</name>
      </test>
      <detail>&lt;RuntimeError(&lt;ThrottlingException: Rate exceeded&gt;)
&gt;.</detail>
      <status>failure</status>
    </result>
  </test-result>
</stream>
`, []named{{"test-unit", 1, 15, []string{
			"CartTest | with \"quotes\" | <RuntimeError(<ThrottlingException: Rate exceeded>) | ",
		}}}},
		{"green: a class's fixture has no name", `E

Error in ..
  File "/opt/venv/lib/python3.11/site-packages/green/suite.py", line 122, in _handleClassSetUp
    setUpClass()
  File "/src/test_ledger.py", line 7, in setUpClass
    raise RuntimeError("ledger is closed")
RuntimeError: ledger is closed

Ran 1 test in 0.204s using 2 processes

FAILED (errors=1)
`, []named{{"green", 1, 12, []string{" | setUpClass | RuntimeError: ledger is closed | /src/test_ledger.py:7"}}}},
		{"zope.testrunner", `Running zope.testrunner.layer.UnitTests tests:

Failure in test test_sum (tests.test_cart.CartTest.test_sum)
Traceback (most recent call last):
  File "/src/tests/test_cart.py", line 11, in test_sum
    self.assertEqual(total([1]), 2)
AssertionError: 1 != 2

  Ran 2 tests with 1 failures, 0 errors and 0 skipped in 0.034 seconds.
`, []named{{"green", 1, 9, []string{
			"tests.test_cart.CartTest | test_sum | AssertionError: 1 != 2 | /src/tests/test_cart.py:11",
		}}}},
		{"Test2's tables, and a waived test", `# Failed test 'bulk discount'
# at t/v0.t line 2.
# +-----+----+-------+
# | GOT | OP | CHECK |
# +-----+----+-------+
# | 170 | eq | 165   |
# +-----+----+-------+
t/v0.t ..
not ok 1 - bulk discount
not ok 2 - rounds # TODO later
# Failed test 'rounds'
# at t/v0.t line 5.
1..2
t/v0.t   (Wstat: 256 (exited 1) Tests: 2 Failed: 1)
Result: FAIL
`, []named{{"prove", 1, 15, []string{"t/v0.t | bulk discount | 170 | eq | 165 | t/v0.t:2"}}}},
		{"Busted's output handler gtest", `[  FAILED  ] cart_spec.lua @ 4: cart shows a refusal (0.11 ms)
[  ERROR   ] cart_spec.lua @ 5: cart is throttled (0.06 ms)
`, []named{{"Busted", 1, 2, []string{
			"cart_spec.lua | cart shows a refusal |  | cart_spec.lua:4", "cart_spec.lua | cart is throttled |  | cart_spec.lua:5",
		}}}},
		{"prove -v of tests that are not written in Perl", `t/cart.sh ..
1..2
ok 1 - sums
not ok 2 - gives the bulk discount
Failed 1/2 subtests

Test Summary Report
-------------------
t/cart.sh (Wstat: 0 Tests: 2 Failed: 1)
  Failed test:  2
Files=1, Tests=2,  0 wallclock secs
Result: FAIL
`, []named{{"prove", 1, 12, []string{"t/cart.sh | gives the bulk discount |  | "}}}},
		{"two runners, neither of which announces itself", `not ok 1 adds a tax
# (in test file tax.bats, line 3)
#   ` + "`false' failed" + `
1..1
.F

Failures:

  1) Cart gives the bulk discount
     Failure/Error: expect(170).to eq(165)

2 examples, 1 failure

Failed examples:

rspec ./spec/cart_spec.rb:7 # Cart gives the bulk discount
`, []named{
			{"TAP", 1, 4, []string{"tax.bats | adds a tax | `false' failed | tax.bats:3"}},
			{"RSpec", 5, 16, []string{"spec/cart_spec.rb | Cart gives the bulk discount |  | spec/cart_spec.rb:7"}},
		}},
	} {
		if diff := cmp.Diff(c.want, readNamed(c.text)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.what, diff)
		}
	}
}
