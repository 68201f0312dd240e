package testrun

import (
	"strings"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// goRunners are those of Go.
var goRunners = []runner{
	{"go test", []string{"--- FAIL: ", "FAIL\t"}, goTest},
}

var (
	goFail  = lazyregexp.New(`^\s*--- FAIL: (\S+) \([\d.]+s\)$`)
	goPlace = lazyregexp.New(`^\s+(\S+\.go:\d+): ?(.*)$`)
	goEnd   = lazyregexp.New(`^(?:FAIL|ok|\?)\s+(\S+)\s`)
)

// goTest reads what `go test` prints, with and without -v. A test whose subtests failed is not
// named beside them.
func goTest(out *output) []Report {
	var r Report
	for i, l := range out.lines {
		if m := goFail.FindStringSubmatch(l); m != nil {
			t := codebuild.TestCase{Name: m[1], Line: out.n[i]}
			for _, next := range out.lines[i+1 : min(len(out.lines), i+4)] {
				if p := goPlace.FindStringSubmatch(next); p != nil {
					t.At, t.Message = p[1], p[2]
					break
				}
			}
			r.Failed = append(r.Failed, t)
		} else if m := goEnd.FindStringSubmatch(l); m == nil || !strings.HasPrefix(l, "FAIL") {
			continue
		}
		if r.First == 0 {
			r.First = out.n[i]
		}
		r.Last = out.n[i]
	}
	if r.Last == 0 {
		return nil
	}
	return []Report{r}
}
