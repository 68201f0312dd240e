package testrun

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/buildmedic/buildmedic/internal/codebuild"
)

func TestGo(t *testing.T) {
	for _, c := range []struct {
		what, text string
		want       []Report
	}{
		{"a parent that failed by its subtests alone is not named beside them",
			"--- FAIL: TestCart (0.00s)\n    --- FAIL: TestCart/empty (0.00s)\n" +
				"        cart_test.go:7: got 1, want 0\nFAIL\nFAIL\texample.com/shop\t0.1s\n", []Report{{
				Runner: "go test", First: 1, Last: 5, Failed: []codebuild.TestCase{
					{Suite: "example.com/shop", Name: "TestCart/empty", At: "cart_test.go:7", Message: "got 1, want 0", Line: 2},
				}}}},
		{"a verdict behind what the test printed without a line break",
			"storing...--- FAIL: TestCart (0.00s)\n    cart_test.go:7: got 1, want 0\nFAIL\nFAIL\texample.com/shop\t0.1s\n",
			[]Report{{Runner: "go test", First: 1, Last: 4, Failed: []codebuild.TestCase{
				{Suite: "example.com/shop", Name: "TestCart", At: "cart_test.go:7", Message: "got 1, want 0", Line: 1},
			}}}},
		{"what a passing test prints is no failure",
			"=== RUN   TestReader\n--- FAIL: TestCart (0.00s)\n--- PASS: TestReader (0.00s)\nPASS\nok  \texample.com/shop\t0.1s\n",
			nil},
		{"a data race, whose place stands above the verdict",
			"==================\nWARNING: DATA RACE\nRead at 0x1 by goroutine 11:\n  example.com/shop.TestTill.func1()\n" +
				"      /src/shop/till_test.go:13 +0x2e\n==================\n--- FAIL: TestTill (0.07s)\n" +
				"    testing.go:1712: race detected during execution of test\nFAIL\nFAIL\texample.com/shop\t0.1s\n",
			[]Report{{Runner: "go test", First: 1, Last: 10, Failed: []codebuild.TestCase{
				{Suite: "example.com/shop", Name: "TestTill", At: "/src/shop/till_test.go:13",
					Message: "race detected during execution of test", Line: 7},
			}}}},
		{"a package that does not compile is no test", "FAIL\texample.com/shop [build failed]\nFAIL\n", nil},
		{"a process that ended while a test ran",
			"=== RUN   TestFine\n--- PASS: TestFine (0.00s)\n=== RUN   TestCart\nno such shop\n" +
				"exit status 3\nFAIL\texample.com/shop\t0.1s\nFAIL\n",
			[]Report{{Runner: "go test", First: 1, Last: 7, Failed: []codebuild.TestCase{
				{Suite: "example.com/shop", Name: "TestCart", Message: "no such shop", Line: 3},
			}}}},
		{"a goroutine that panicked outside of the test's",
			"panic: no basket\n\ngoroutine 7 [running]:\nexample.com/shop.TestCart.func1()\n" +
				"\t/src/shop/cart_test.go:9 +0x1d\ncreated by example.com/shop.TestCart in goroutine 6\n" +
				"\t/src/shop/cart_test.go:8 +0x1a\nFAIL\texample.com/shop\t0.1s\nFAIL\n",
			[]Report{{Runner: "go test", First: 1, Last: 9, Failed: []codebuild.TestCase{
				{Suite: "example.com/shop", Name: "TestCart", At: "/src/shop/cart_test.go:9", Message: "panic: no basket", Line: 1},
			}}}},
		{"the first version of Ginkgo",
			"Running Suite: Cart Suite\n=========================\nSummarizing 2 Failures:\n\n" +
				"[Fail] cart [It] is free when empty \n/src/shop/cart_test.go:14\n\n" +
				"[Panic!] cart vouchers [BeforeEach] takes an old one \n/src/shop/cart_test.go:18\n\n" +
				"Ran 3 of 3 Specs in 0.001 seconds\nFAIL! -- 1 Passed | 2 Failed | 0 Pending | 0 Skipped\n" +
				"--- FAIL: TestCart (0.00s)\nFAIL\n",
			[]Report{{Runner: "ginkgo", First: 1, Last: 14, Failed: []codebuild.TestCase{
				{Suite: "cart", Name: "is free when empty", At: "/src/shop/cart_test.go:14", Line: 5},
				{Suite: "cart vouchers", Name: "takes an old one", At: "/src/shop/cart_test.go:18", Line: 8},
			}}}},
		{"gotestsum: what passed when it was run again did not fail",
			"=== Failed\n=== FAIL: cart TestFlaky (0.00s)\n    cart_test.go:3: got 1, want 0\n\n" +
				"=== FAIL: cart TestCart (0.00s)\n    cart_test.go:7: got 1, want 0\n\n" +
				"=== FAIL: cart TestCart (re-run 1) (0.00s)\n    cart_test.go:7: got 1, want 0\n\n" +
				"DONE 2 runs, 5 tests, 3 failures in 0.1s\n",
			[]Report{{Runner: "gotestsum", First: 1, Last: 11, Failed: []codebuild.TestCase{
				{Suite: "cart", Name: "TestCart", At: "cart_test.go:7", Message: "got 1, want 0", Line: 8},
			}}}},
	} {
		wantReports(t, c.what, c.text, c.want)
	}
}

// wantReports compares what is read of a text.
func wantReports(t *testing.T, what, text string, want []Report) {
	t.Helper()
	if diff := cmp.Diff(want, Read(linesOf(text))); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}
