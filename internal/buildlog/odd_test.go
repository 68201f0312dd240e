package buildlog

import (
	"slices"
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/codebuild"
)

// oddOnes say what failed in words that no anchor finds.
var oddOnes = []string{
	"  ✖ keeps the basket after a reload", "E   assert 10.13 == 10.12", "FATAL the schema is older than the code",
	"make: *** [Makefile:12: site] Error 1", "basket: schema is too old", "💥 basket check failed",
	`{"level":"error","msg":"basket: schema is too old"}`, "== Compilation error in file lib/cart.ex ==",
	"1) CartTest::testKeepsBasket", "Killed",
}

// A line like no other of a long output is in the excerpt, whatever it says and wherever it stands.
func TestExcerptHoldsTheOddLine(t *testing.T) {
	const start, end = agentStamp + "Running command ./all.sh\n",
		agentStamp + "Command did not exit successfully ./all.sh exit status 1\n" + agentStamp +
			"Phase complete: BUILD State: FAILED\n"
	prune := numbered("deleted: sha256:0fa1", 8000)
	service := numbered(`web-1  | 10.0.0.7 - - "GET /cart HTTP/1.1" 200`, 9000)
	errors := numbered("db-1  | ERROR:  duplicate key value violates unique constraint", 3000)
	files := strings.Repeat("a lib/cart/total.js\na lib/price/net.js\na lib/price/index.d.ts\n", 4000)
	for _, line := range oddOnes {
		for name, output := range map[string]string{
			"before what is pruned":  service + line + "\n" + prune,
			"at the beginning":       line + "\n" + prune + files,
			"beyond the buffer":      strings.Repeat(service, 6) + line + "\n" + strings.Repeat(prune, 6),
			"among others' errors":   errors + files + line + "\n" + service + errors,
			"behind a service's log": files + "web-1  | " + line + "\n" + service,
		} {
			f := ReadText(codebuild.Build{}, start+output+end)
			if !slices.ContainsFunc(f.Excerpt, func(l Line) bool { return strings.HasSuffix(l.Text, clean([]byte(line))) }) {
				t.Errorf("%q %s: not in the excerpt", line, name)
			}
			lines := strings.Split(start+output+end, "\n")
			for _, l := range f.Excerpt {
				if clean([]byte(lines[l.N-1])) != l.Text {
					t.Fatalf("%q %s: line %d is %q, not %q", line, name, l.N, lines[l.N-1], l.Text)
				}
			}
		}
	}
}

// In an output of which each line differs no line is odd, and what is kept stays small.
func TestNothingIsOdd(t *testing.T) {
	var b strings.Builder
	x := uint64(1)
	for range 20000 {
		for range 6 {
			x ^= x << 13
			x ^= x >> 7
			x ^= x << 17
			for range 1 + x%9 {
				b.WriteByte('a' + byte(x>>20%26))
				x = x*6364136223846793005 + 1
			}
			b.WriteByte(' ')
		}
		b.WriteByte('\n')
	}
	f := ReadText(codebuild.Build{}, agentStamp+"Running command ./all.sh\n"+b.String()+agentStamp+
		"Command did not exit successfully ./all.sh exit status 1\n"+agentStamp+"Phase complete: BUILD State: FAILED\n")
	if len(f.Odd) > oddLines {
		t.Errorf("%d lines are odd", len(f.Odd))
	}
}

// A long line that is like no other is kept as long as any other line of the output.
func TestLongOddLine(t *testing.T) {
	long := "schema is too old: " + strings.Repeat("0123456789 ", 60) + "and the last word"
	log := agentStamp + "Running command ./all.sh\n" + numbered("deleted: sha256:0fa1", 3000) + long + "\n%s" + agentStamp +
		"Command did not exit successfully ./all.sh exit status 1\n" + agentStamp + "Phase complete: BUILD State: FAILED\n"
	for where, after := range map[string]string{"at the end": "", "beyond the buffer": numbered("pruned: sha256:0fa1", 60000)} {
		f := ReadText(codebuild.Build{}, strings.Replace(log, "%s", after, 1))
		if !slices.ContainsFunc(f.Tail, func(l Line) bool { return l.Text == long }) {
			t.Errorf("%s: not whole in the tail", where)
		}
	}
}
