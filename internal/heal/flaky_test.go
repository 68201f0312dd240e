package heal_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/simaws"
)

// pytestFails is what pytest prints when the test fails.
func pytestFails(test string) string {
	return `============================= test session starts ==============================
collected 2 items

tests/test_cart.py .F                                                    [100%]

=================================== FAILURES ===================================
_________________________________ ` + test + ` __________________________________

    def ` + test + `():
>       assert total() == 3
E       assert 2 == 3

tests/test_cart.py:31: AssertionError
=========================== short test summary info ============================
FAILED tests/test_cart.py::` + test + ` - assert 2 == 3
========================= 1 failed, 1 passed in 6.12s =========================
`
}

// tested is a world with one project, whose build fails of a test, the first time of each commit.
// then is what the build runs after its tests.
func tested(extra, then string) string {
	prints := strings.ReplaceAll(pytestFails("test_adds"), "\n", "\n                ")
	return `start: 2026-11-22T10:00:00Z
buckets:
  - {name: dist}
roles:
  - name: role-0
    inline: {base: '{"Version": "2012-10-17", "Statement": [` + logs + `]}'}
projects:
  - name: p0
    role: role-0
` + extra + `    buildspecs:
      buildspec.yml:
        build:
          - run: python -m pytest
            takes: 60s
            prints: 2 passed in 6.01s
            fails:
              times: 1
              prints: |
                ` + prints + "\n" + then
}

func testedSettings(retry string) string {
	return "version: 1\nprojects:\n  - {name: p0, role: role-0, mode: heal, retry: " + retry +
		", write: {inline: healed}, grants: [dist]}\n" +
		"grants:\n  - {id: dist, because: The build uploads., owner: team, actions: [\"s3:PutObject\"], " +
		"resources: [\"arn:${partition}:s3:::dist/*\"]}\n"
}

// begin starts a build and plays until all is still.
func (s *stage) begin(b simaws.Start) string {
	s.t.Helper()
	b.Project = "p0"
	if b.Version == "" {
		b.Version = "refs/heads/main"
	}
	id, err := s.Sim.Run(b)
	if err != nil {
		s.t.Fatal(err)
	}
	s.drain()
	return id
}

// flaked says how often each test has flaked.
func (s *stage) flaked() string {
	s.t.Helper()
	ts, err := s.Inbox.Healer.Flaky(context.Background(), "", 100)
	if err != nil {
		s.t.Fatal(err)
	}
	var out []string
	for _, t := range ts {
		out = append(out, fmt.Sprint(t.Name, " ", t.Flaked))
	}
	return strings.Join(out, ", ")
}

// TestFlaked: a test has flaked if the same commit is green afterwards with nothing changed, and
// not otherwise.
func TestFlaked(t *testing.T) {
	again := func(b simaws.Start) func(*stage) {
		return func(s *stage) {
			s.begin(simaws.Start{})
			s.Sim.Clock.Advance(5 * time.Minute)
			s.begin(b)
		}
	}
	for _, row := range []struct {
		what, extra, then string
		do                func(*stage)
		want              string
	}{
		{"a person starts the same again", "", "", again(simaws.Start{Initiator: "ci/alice"}), "test_adds 1"},
		{"another image", "", "starts:\n  - {project: p0, version: refs/heads/main}\n  - {project: p0, version: refs/heads/main, " +
			"after: 20m, overrides: {imageOverride: aws/codebuild/standard:8.0}}\n", (*stage).drain, ""},
		{"a pull request of the same commit is green", "    versions: [{ref: refs/heads/main, commit: " + commitA +
			"}, {ref: pr/7, commit: " + commitA + "}]\n", "", again(simaws.Start{Version: "pr/7"}), ""},
		{"a pull request fails, and is green", "    versions: [{ref: refs/heads/main}, {ref: pr/7}]\n", "", func(s *stage) {
			s.begin(simaws.Start{Version: "pr/7"})
			s.begin(simaws.Start{Version: "pr/7"})
		}, ""},
		{"the role was given something in between", "", "          - aws s3 cp x s3://dist/x\n", func(s *stage) {
			first := s.begin(simaws.Start{}) // fails of its test
			if s.of(first).Outcome != decide.Reported {
				s.t.Errorf("the first build ended %s", s.of(first).Outcome)
			}
			s.Sim.Clock.Advance(10 * time.Minute)
			s.begin(simaws.Start{}) // passes it, is denied the upload, and healed
			if s.inline("role-0") == "" {
				s.t.Error("nothing was granted")
			}
		}, ""},
	} {
		s := open(t, tested(row.extra, row.then), testedSettings("true"))
		row.do(s)
		if got := s.flaked(); got != row.want {
			t.Errorf("%s: flaked %q, should be %q", row.what, got, row.want)
		}
		// However often its end is heard of, a build counts once.
		for _, b := range s.Sim.Builds("p0") {
			s.do(`{"replay":{"build":"` + b.ID + `"}}`)
		}
		s.do(`{"sweep":{}}`)
		s.drain()
		if got := s.flaked(); got != row.want {
			t.Errorf("%s: flaked %q once more", row.what, got)
		}
	}
}

const commitA = "9b1c5e0d3f7a42c68e1d90b7a5f3c2e4d6081b29"

// TestFlakySettings: without the setting, a build of a test known to be flaky is told of, and not
// started.
func TestFlakySettings(t *testing.T) {
	const two = "    versions: [{ref: refs/heads/main}, {ref: \"refs/heads/main^{" + commitA + "}\", commit: " + commitA + "}]\n"
	for retry, builds := range map[string]int{"true": 3, "{flaky_tests: false}": 3, "{flaky_tests: true}": 4} {
		s := open(t, tested(two, ""), testedSettings(retry))
		s.begin(simaws.Start{})
		s.begin(simaws.Start{})
		s.Sim.Clock.Advance(5 * time.Minute)
		last := s.begin(simaws.Start{Version: "refs/heads/main^{" + commitA + "}"})
		if n := len(s.Sim.Builds("p0")); n != builds {
			t.Errorf("retry: %s: %d builds, should be %d", retry, n, builds)
		}
		k := s.of(last).Rounds[0].Known
		if len(k) != 1 || k[0].Flaked != 1 || k[0].Times != 0 || k[0].Failed != 1 {
			t.Errorf("retry: %s: known is %+v", retry, k)
		}
	}
}

// TestFlakyOnce: a commit that fails again each day, of a test known to be flaky, is started again
// for it once, and not once a day.
func TestFlakyOnce(t *testing.T) {
	const two = "    versions: [{ref: refs/heads/main}, {ref: \"refs/heads/main^{" + commitA + "}\", commit: " + commitA + "}]\n"
	s := open(t, strings.ReplaceAll(tested(two, ""), "times: 1", "times: 9"), testedSettings("{flaky_tests: true}"))
	for range 9 { // main: it is broken until now
		s.begin(simaws.Start{})
	}
	s.begin(simaws.Start{}) // and is green, on the same commit
	if s.flaked() != "test_adds 1" {
		t.Fatalf("flaked %q", s.flaked())
	}
	for day := range 4 {
		before := len(s.Sim.Builds("p0"))
		s.begin(simaws.Start{Version: "refs/heads/main^{" + commitA + "}"})
		want := 1
		if day == 0 {
			want = 2
		}
		if got := len(s.Sim.Builds("p0")) - before; got != want {
			t.Errorf("day %d: %d builds, should be %d", day, got, want)
		}
		s.Sim.Clock.Advance(25 * time.Hour)
	}
}

// TestMemoryIsOptional: whatever becomes of what is remembered of a project, its builds are healed,
// and their cases closed.
func TestMemoryIsOptional(t *testing.T) {
	const key = "111122223333 us-east-1 p0"
	puts := 0
	for what, row := range map[string]struct {
		spoil  func(*stage)
		builds int // that are remembered
	}{
		"as it is": {func(*stage) {}, 1},
		"it cannot be read": {func(s *stage) {
			it := heal.Item{Kind: "past", ID: key, Due: s.Sim.Clock.Now(), Data: []byte("{")}
			if _, err := s.Store.Put(context.Background(), it); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Inbox.Healer.Costs(context.Background(), "", time.Time{}, s.Sim.Clock.Now()); err != nil {
				t.Errorf("costs: %v", err)
			}
		}, 1},
		"it cannot be written": {func(s *stage) {
			s.Inbox.Healer.Store = dying{s.Store, func(it heal.Item) error {
				if it.Kind == "past" {
					return errors.New("no")
				}
				return nil
			}}
		}, 0},
		"others write it": {func(s *stage) {
			s.Inbox.Healer.Store = dying{s.Store, func(it heal.Item) error {
				if it.Kind == "past" {
					if puts++; puts <= 20 {
						return heal.ErrConflict
					}
				}
				return nil
			}}
		}, 0},
	} {
		s := crowd(t, 1, 1)
		row.spoil(s)
		s.drain()
		if c := s.of(s.Sim.Builds("p0")[0].ID); c.Outcome != decide.Healed {
			t.Errorf("%s: outcome %q: %+v", what, c.Outcome, c.Rounds)
		}
		costs, err := s.Inbox.Healer.Costs(context.Background(), "", time.Time{}, s.Sim.Clock.Now().Add(time.Hour))
		if err != nil || costs.Total.Builds != row.builds {
			t.Errorf("%s: %d builds are remembered, %v", what, costs.Total.Builds, err)
		}
	}
}

// TestWeeklyOnce: of two sweeps at the same time one sends the weekly notice, and if it dies, a
// later one.
func TestWeeklyOnce(t *testing.T) {
	s := open(t, tested("", ""), strings.Replace(testedSettings("true"), "projects:", "notify: {weekly: true}\nprojects:", 1))
	s.begin(simaws.Start{}) // on a Sunday
	s.Sim.Clock.Advance(24 * time.Hour)
	h := s.Inbox.Healer
	teller, told := h.Notifier, 0
	var tell func() error
	h.Notifier = weeklies{teller, func() error { told++; return tell() }}
	tell = func() error {
		if told > 3 {
			return errors.New("it is told again and again")
		}
		return errors.Join(h.Sweep(context.Background()), errors.New("it died"))
	}
	if err := h.Sweep(context.Background()); err == nil || told != 1 {
		t.Errorf("told %d times, %v", told, err)
	}
	tell = func() error { return nil }
	for range 5 {
		s.Sim.Clock.Advance(15 * time.Minute)
		if err := h.Sweep(context.Background()); err != nil {
			t.Error(err)
		}
	}
	if told != 2 {
		t.Errorf("told %d times, should be once more", told)
	}
}

// weeklies does something for each weekly notice.
type weeklies struct {
	heal.Notifier
	week func() error
}

func (w weeklies) Week(context.Context, decide.Week, heal.Await) error { return w.week() }

// TestWeekly: what failed builds cost is told once a week, if the settings say so and any build
// failed.
func TestWeekly(t *testing.T) {
	for set, want := range map[string]int{"": 0, "notify: {weekly: true}\n": 1} {
		s := open(t, tested("", ""), strings.Replace(testedSettings("true"), "projects:", set+"projects:", 1))
		s.begin(simaws.Start{}) // on a Sunday
		s.begin(simaws.Start{})
		told := 0
		for range 3 * 7 * 24 {
			s.Sim.Clock.Advance(time.Hour)
			s.do(`{"sweep":{}}`)
		}
		for _, n := range s.Sim.Notices() {
			if n.Attributes["kind"] != "week" {
				continue
			}
			told++
			if want := "[week] 1 failed build in the week of 2026-11-16 took 1 min 16 s; 0 healed"; n.Subject != want {
				t.Errorf("subject %q, should be %q", n.Subject, want)
			}
		}
		if told != want {
			t.Errorf("%q: told %d times, should be %d", set, told, want)
		}
	}
}
