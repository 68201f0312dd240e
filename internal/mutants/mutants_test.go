//go:build mutants

package mutants

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"
	"time"
)

var (
	number = flag.Int("n", 100, "changes of each room to try; 0: all")
	seed   = flag.Int("seed", 1, "draws the changes")
	only   = flag.String("rooms", "", "the rooms to try, with commas; all if empty")
	match  = flag.String("match", "", "a regular expression: try only the changes whose names it matches")
	own    = flag.Bool("own", false, "try only the room's own tests, which is quicker")
	least  = flag.Float64("least", 90, "percent that must be noticed in each room")
)

const root = "../.."

// rooms are what is changed, and whose tests must notice it: the room's own
// first. The tests of a judging room are also those of the room that asks it.
var rooms = []struct {
	room  string
	tests []string
}{
	{"internal/floor", []string{"internal/floor", "internal/settings", "internal/guardrail"}},
	{"internal/iampolicy", []string{"internal/iampolicy"}},
	{"internal/guardrail", []string{"internal/guardrail", "internal/decide"}},
	{"internal/decide", []string{"internal/decide", "internal/heal"}},
	{"internal/heal", []string{"internal/heal"}},
}

// score is how a room did.
type score struct {
	room                     string
	tried, noticed, accepted int
	survivors, lazy          []string
}

func (s score) percent() float64 {
	return 100 * float64(s.noticed) / float64(max(1, s.tried-s.accepted))
}

// TestMutants tries the changes, prints the scores and what nobody noticed, and
// fails if less is noticed than -least.
func TestMutants(t *testing.T) {
	accepted := readSurvivors(t)
	var scores []score
	for _, r := range rooms {
		if *only != "" && !slices.Contains(strings.Split(*only, ","), filepath.Base(r.room)) {
			continue
		}
		s := try(t, r.room, r.tests, accepted)
		scores = append(scores, s)
		if s.percent() < *least {
			t.Errorf("%s: %.1f %% noticed, want %.0f", s.room, s.percent(), *least)
		}
	}
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "room\tmutants\tnoticed\taccepted\tscore")
	for _, s := range scores {
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%.1f %%\n", s.room, s.tried, s.noticed, s.accepted, s.percent())
	}
	w.Flush()
	for _, s := range scores {
		for _, m := range s.survivors {
			b.WriteString("\nnobody noticed " + m)
		}
		for _, m := range s.lazy {
			b.WriteString("\nlisted as a survivor, and noticed or gone: " + m)
		}
	}
	fmt.Println(b.String())
}

// readSurvivors reads survivors.txt: the changes that do not matter, each with
// the reason in an indented line below it.
func readSurvivors(t *testing.T) map[string]bool {
	t.Helper()
	data, err := os.ReadFile("survivors.txt")
	if err != nil {
		t.Fatal(err)
	}
	list, last := map[string]bool{}, ""
	for i, line := range strings.Split(string(data), "\n") {
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "  "):
			if last == "" {
				t.Errorf("survivors.txt:%d: a reason of nothing", i+1)
			}
			list[last] = true
		default:
			if last != "" && !list[last] {
				t.Errorf("survivors.txt:%d: no reason", i)
			}
			last = line
		}
	}
	return list
}

// try changes a room.
func try(t *testing.T, room string, tests []string, accepted map[string]bool) score {
	t.Helper()
	ms, err := mutantsOf(root, room)
	if err != nil {
		t.Fatal(err)
	}
	s := score{room: room}
	var suites []*suite
	if *own {
		tests = tests[:1]
	}
	for _, p := range tests {
		suites = append(suites, newSuite(t, p))
	}
	known := map[string]bool{}
	for _, m := range ms {
		known[m.key] = true
	}
	wanted, err := regexp.Compile(*match)
	if err != nil {
		t.Fatal(err)
	}
	ms = slices.DeleteFunc(ms, func(m mutant) bool { return !wanted.MatchString(m.key) })
	for key := range accepted {
		if strings.HasPrefix(key, room+"/") && !known[key] {
			s.lazy = append(s.lazy, key)
		}
	}
	for _, m := range sample(ms, *seed) {
		if *number > 0 && s.tried == *number {
			break
		}
		began := time.Now()
		verdict := "noticed"
		switch noticed, valid := tryOne(t, suites, m); {
		case !valid:
			continue // it does not compile
		case noticed && accepted[m.key]:
			s.lazy = append(s.lazy, m.key)
			s.noticed++
		case noticed:
			s.noticed++
		case accepted[m.key]:
			verdict = "accepted"
			s.accepted++
		default:
			verdict = "SURVIVED"
			s.survivors = append(s.survivors, place(m))
		}
		s.tried++
		fmt.Fprintf(os.Stderr, "%-8s %5.1fs %s\n", verdict, time.Since(began).Seconds(), place(m))
	}
	slices.Sort(s.survivors)
	return s
}

func place(m mutant) string {
	return fmt.Sprintf("%s:%d%s", m.file, m.line, strings.TrimPrefix(m.key, m.file))
}

// tryOne reports whether one of the suites notices the change; valid is false
// for one that does not compile.
func tryOne(t *testing.T, suites []*suite, m mutant) (noticed, valid bool) {
	t.Helper()
	dir := t.TempDir()
	file, err := filepath.Abs(filepath.Join(root, m.file))
	if err != nil {
		t.Fatal(err)
	}
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	changed, overlay := filepath.Join(dir, "changed.go"), filepath.Join(dir, "overlay.json")
	data, err := json.Marshal(map[string]map[string]string{"Replace": {file: changed}})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.WriteFile(changed, m.apply(src), 0o600), os.WriteFile(overlay, data, 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, s := range suites {
		bin, out, err := s.build(dir, overlay)
		if err != nil {
			if strings.Contains(out, "changed.go") {
				return false, false
			}
			t.Fatalf("%s: %v\n%s", m.key, err, out)
		}
		for _, pass := range s.passes {
			if _, err := s.run(bin, pass.limit, pass.args...); err != nil {
				return true, true
			}
		}
		if err := os.Remove(bin); err != nil {
			t.Fatal(err)
		}
	}
	return false, true
}

// A suite is the tests of one package: the quick ones first, then the rest.
type suite struct {
	dir    string
	passes []pass
}

type pass struct {
	args  []string
	limit time.Duration
}

// quick is how long a test takes that is in the first pass.
const quick = 300 * time.Millisecond

var took = regexp.MustCompile(`(?m)^--- PASS: (\w+) \((\d+\.\d+)s\)`)

// newSuite runs the tests once, unchanged, to see that they pass and how long
// each takes.
func newSuite(t *testing.T, pkg string) *suite {
	t.Helper()
	s := &suite{dir: filepath.Join(root, pkg)}
	bin, out, err := s.build(t.TempDir(), "")
	if err == nil {
		out, err = s.run(bin, 10*time.Minute, "-test.v")
	}
	if err != nil {
		t.Fatalf("the tests of %s fail without a change: %v\n%s", pkg, err, out)
	}
	var slow []string
	sums := [2]time.Duration{}
	for _, m := range took.FindAllStringSubmatch(out, -1) {
		seconds, _ := strconv.ParseFloat(m[2], 64)
		d := time.Duration(seconds * float64(time.Second))
		if d > quick {
			slow = append(slow, m[1])
			sums[1] += d
		} else {
			sums[0] += d
		}
	}
	limit := func(d time.Duration) time.Duration { return 30*time.Second + 5*d }
	if len(slow) == 0 {
		s.passes = []pass{{nil, limit(sums[0])}}
		return s
	}
	names := "^(" + strings.Join(slow, "|") + ")$"
	s.passes = []pass{{[]string{"-test.skip", names}, limit(sums[0])}, {[]string{"-test.run", names}, limit(sums[1])}}
	return s
}

func (s *suite) build(dir, overlay string) (bin, out string, err error) {
	bin = filepath.Join(dir, filepath.Base(s.dir)+".test")
	cmd := exec.Command("go", "test", "-c", "-p", "1", "-vet=off", "-overlay", overlay, "-o", bin, ".")
	cmd.Dir = s.dir
	data, err := cmd.CombinedOutput()
	return bin, string(data), err
}

// run runs the tests until the first one fails. A change may have them wait or
// take memory for ever, so both are bounded.
func (s *suite) run(bin string, limit time.Duration, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", append([]string{"-c", `ulimit -v 12000000; exec "$0" -test.failfast "$@"`, bin}, args...)...)
	cmd.Dir = s.dir
	cmd.WaitDelay = time.Second
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), cmp.Or(ctx.Err(), err)
}
