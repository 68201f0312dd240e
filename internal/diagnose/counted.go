package diagnose

import (
	"strconv"

	"github.com/buildmedic/buildmedic/internal/lazyregexp"
	"github.com/buildmedic/buildmedic/internal/testrun"
)

// counted reports whether it is certain that the n tests that are named failed, and nothing else:
// by the count of each runner that printed a report, or by CodeBuild's own reports, where no runner
// knows of more. A build of which CodeBuild alone says that tests failed may have failed of what
// its output ends with.
func (x *facts) counted(n int) bool {
	sum := 0
	for _, r := range x.reports {
		count := x.countOf(r)
		if count == 0 && len(x.Tests) == 0 {
			return false // it does not say
		}
		sum += max(count, len(r.Failed))
	}
	if len(x.Tests) > 0 {
		return (len(x.reports) > 0 || x.NoLog) && sum <= n
	}
	return sum == n && n > 0
}

var (
	// failedCount are the forms in which runners say how many tests failed: "2 failed, 1 error",
	// "3 examples, 1 failure", "FAILED (failures=1)", "Failures: 1, Errors: 0".
	failedCount = lazyregexp.New(`(?i)\b(\d+) (?:tests? )?(?:failed|failing|failures?|errors?)\b|` +
		`\b(?:failed|failures?|errors?)[:=] ?(\d+)\b`)
	// notTests counts something else than tests.
	notTests = lazyregexp.New(`(?i)\b(?:suites?|files?|snapshots?|targets?|packages?|steps?)\b|^\s*assertions:`)
)

// countOf is how many tests failed by the runner's own words; 0 if they do not say. What a test
// printed may look like them, so the last count must be the largest.
func (x *facts) countOf(r testrun.Report) (count int) {
	if r.Count > 0 {
		return r.Count
	}
	most := 0
	for _, l := range x.Tail {
		if l.N < r.First || l.N > r.Last+2 || notTests.MatchString(l.Text) {
			continue
		}
		found := failedCount.Get().FindAllStringSubmatch(l.Text, -1)
		if found == nil {
			continue
		}
		count = 0
		for _, m := range found {
			n, _ := strconv.Atoi(m[1] + m[2]) // a number too long leaves 0, which is "not said"
			count += n
		}
		most = max(most, count)
	}
	if count < most {
		return 0
	}
	return count
}
