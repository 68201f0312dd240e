package heal_test

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	since "github.com/buildmedic/buildmedic/internal/compare"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/simaws"
)

// The commits of the project below: a green one, one that fails for a reason that no rule knows,
// one whose only error the green one prints as well, and one that fails for a known reason.
const (
	greenCommit = "1111111111111111111111111111111111111111"
	newCommit   = "2222222222222222222222222222222222222222"
	noiseCommit = "3333333333333333333333333333333333333333"
	knownCommit = "4444444444444444444444444444444444444444"
)

// moving is a project whose main branch moves from commit to commit.
const moving = `
start: 2026-11-22T10:00:00Z
roles: [{name: role-0, inline: {base: '{"Version": "2012-10-17", "Statement": [` + logs + `]}'}}]
projects:
  - name: p0
    role: role-0
    source: {type: GITHUB, location: "https://somebody:hunter2secret@github.com/example/shop.git"}
    versions:
      - ref: refs/heads/main
        commit: "` + greenCommit + `"
        buildspecs: {buildspec.yml: {build: [{run: npm run report,
	prints: "shop 1.4\nERROR no cache, going on\n12 prices"}]}}
      - commit: "` + newCommit + `"
        buildspecs:
          buildspec.yml:
            build:
              - run: npm run report
                fails: {prints: "shop 1.5\nERROR no cache, going on\nthe ledger does not balance by 3 in /tmp/x1/ledger.csv"}
      - commit: "` + noiseCommit + `"
        buildspecs: {buildspec.yml: {build: [{run: npm run report,
	fails: {prints: "shop 1.6\nERROR no cache, going on"}}]}}
      - commit: "` + knownCommit + `"
        buildspecs: {buildspec.yml: {build: [{run: npm run report, fails: {prints: "x: No space left on device"}}]}}
      - {ref: refs/heads/other, commit: "5555555555555555555555555555555555555555",
	buildspecs: {buildspec.yml: {build: [npm run report]}}}
      - {ref: pr/7, commit: "6666666666666666666666666666666666666666",
	buildspecs: {buildspec.yml: {build: [npm run report]}}}
`

const unbalanced = "the ledger does not balance by 3 in /tmp/x1/ledger.csv"

const movingSettings = "version: 1\nprojects:\n  - {name: p0, role: role-0, mode: heal}\n"

const mainAt = "refs/heads/main^{"

// beginAll starts builds one after another, each when the one before has ended and was dealt with.
func (s *stage) beginAll(starts ...simaws.Start) (last string) {
	s.t.Helper()
	for _, st := range starts {
		st.Project = "p0"
		id, err := s.Sim.Run(st)
		if err != nil {
			s.t.Fatal(err)
		}
		s.drain()
		s.Sim.Clock.Advance(10 * time.Minute)
		last = id
	}
	return last
}

func of(commit string) simaws.Start { return simaws.Start{Version: mainAt + commit + "}"} }

// TestSinceGreen ensures that a failure that nothing explains is compared with the last green build
// of the same branch: by at most four calls, and only then.
func TestSinceGreen(t *testing.T) {
	pr := func(v string) simaws.Start { return simaws.Start{Version: v} }
	for _, row := range []struct {
		what     string
		settings string
		starts   []simaws.Start // the last one fails
		lists    int            // of the project's builds, for the comparison
		number   int64          // of the green build; 0: nothing is compared
		first    string         // the first new line
		evidence string
		newness  since.Newness
	}{
		{"a new line explains it", "", []simaws.Start{of(greenCommit), of(newCommit)}, 1, 1,
			unbalanced, unbalanced, since.IsNew},
		{"the green build is some builds ago", "", []simaws.Start{of(greenCommit), of(noiseCommit),
			of(newCommit)}, 1, 1,
			unbalanced, unbalanced, since.IsNew},
		{"nothing is new but the exit status", "", []simaws.Start{of(greenCommit), of(noiseCommit)}, 1, 1,
			"", "ERROR no cache, going on", since.IsKnown},
		{"no green build", "", []simaws.Start{of(newCommit)}, 1, 0, "", "ERROR no cache, going on", ""},
		{"a green build of another branch only", "", []simaws.Start{pr("refs/heads/other"), of(newCommit)}, 1, 0,
			"", "ERROR no cache, going on", ""},
		{"a green pull request is no green branch", "", []simaws.Start{pr("pr/7"), of(newCommit)}, 1, 0,
			"", "ERROR no cache, going on", ""},
		{"a known cause is not compared", "", []simaws.Start{of(greenCommit), of(knownCommit)}, 0, 0, "",
			"x: No space left on device", ""},
		{"the settings do not want it", ", since_green: false", []simaws.Start{of(greenCommit), of(newCommit)}, 0, 0,
			"", "ERROR no cache, going on", ""},
	} {
		t.Run(row.what, func(t *testing.T) {
			s := open(t, moving, strings.Replace(movingSettings, "heal}", "heal"+row.settings+"}", 1))
			n := len(row.starts) - 1
			s.beginAll(row.starts[:n]...)
			before := len(s.Sim.Calls())
			c := s.of(s.beginAll(row.starts[n]))
			r := last(c.Rounds)
			lists, all := 0, len(s.Sim.Calls())-before
			for _, c := range s.Sim.Calls()[before:] {
				if c.Operation == "ListBuildsForProject" {
					lists++
				}
			}
			if lists != row.lists {
				t.Errorf("%d lists of builds were read, want %d", lists, row.lists)
			}
			if most := 3 + 4; all > most { // the record, the log and the notice
				t.Errorf("%d calls, want at most %d", all, most)
			}
			if c.Outcome != decide.Reported || r.Diagnosis.Evidence.Text != row.evidence {
				t.Errorf("outcome %s, evidence %q, want %q", c.Outcome, r.Diagnosis.Evidence.Text, row.evidence)
			}
			if row.number == 0 {
				if r.Since != nil {
					t.Errorf("compared with %+v", r.Since)
				}
				return
			}
			if r.Since == nil {
				t.Fatalf("nothing was compared\n%s", s.log.String())
			}
			first := ""
			if len(r.Since.Lines) > 0 {
				first = r.Since.Lines[0].Text
			}
			if r.Since.Number != row.number || first != row.first || r.Since.Evidence != row.newness ||
				r.Since.Between != n-1 || r.Since.Age < 10*time.Minute {
				t.Errorf("%+v", r.Since)
			}
			if row.number != 0 && !strings.HasPrefix(r.Since.Link,
				"https://github.com/example/shop/compare/"+greenCommit+"...") {
				t.Errorf("the link is %q", r.Since.Link)
			}
		})
	}
}

// TestSinceGreenChanges ensures that other differences are told, of variables the names alone, and
// that a green build without a log is compared by its record.
func TestSinceGreenChanges(t *testing.T) {
	s := open(t, moving+`
starts:
  - project: p0
    version: refs/heads/main
    overrides:
      environmentVariablesOverride: [{name: OLD_FLAG, value: secretvalue1}, {name: SAME, value: secretvalue2}]
      logsConfigOverride: {cloudWatchLogs: {status: DISABLED}}
  - project: p0
    version: "`+mainAt+newCommit+`}"
    after: 20m
    overrides:
      environmentVariablesOverride: [{name: NEW_FLAG, value: secretvalue3}, {name: SAME, value: secretvalue4}]
      imageOverride: aws/codebuild/standard:8.0
      privilegedModeOverride: false
      timeoutInMinutesOverride: 30
`, movingSettings)
	s.drain()
	s.Sim.Clock.Advance(time.Hour)
	s.drain()
	r := last(s.of(last(s.Sim.Builds("p0")).ID).Rounds)
	want := []since.Change{
		{What: "image", Was: "aws/codebuild/standard:7.0", Is: "aws/codebuild/standard:8.0"},
		{What: "privileged mode", Was: "on", Is: "off"},
		{What: "environment variables added", Is: "NEW_FLAG"},
		{What: "environment variables removed", Was: "OLD_FLAG"},
		{What: "time limit", Was: "60 min", Is: "30 min"},
	}
	if r.Since == nil || !slices.Equal(r.Since.Changes, want) || r.Since.Read != since.ReadNothing ||
		r.Since.Lines != nil {
		t.Errorf("%+v\n%s", r.Since, s.log.String())
	}
	for _, kind := range []string{"case", "closed"} {
		its, err := s.Store.Between(context.Background(), kind, time.Time{}, s.Sim.Clock.Now().Add(time.Hour),
			true, 100)
		if err != nil {
			t.Fatal(err)
		}
		for _, it := range its {
			if strings.Contains(string(it.Data), "secretvalue") || strings.Contains(string(it.Data), "hunter2") {
				t.Errorf("the ledger holds a value of a variable or a password: %s", it.Data)
			}
		}
	}
	for _, n := range s.Sim.Notices() {
		for protocol, text := range n.ByProtocol {
			if strings.Contains(text, "secretvalue") || strings.Contains(text, "hunter2") {
				t.Errorf("a notice for %s holds a value of a variable or a password", protocol)
			}
		}
	}
}

// TestSinceGreenFails ensures that the failure is told as without the comparison, whichever of its
// calls fails, and however.
func TestSinceGreenFails(t *testing.T) {
	for _, operation := range []string{"ListBuildsForProject", "BatchGetBuilds", "GetLogEvents"} {
		for what, f := range map[string]simaws.Fault{
			"denied":    {Code: "AccessDeniedException", Message: "no", Status: 400},
			"throttled": {Throttle: true},
			"cut":       {Cut: true},
			"not found": {Code: "ResourceNotFoundException", Message: "gone", Status: 400},
		} {
			t.Run(operation+" "+what, func(t *testing.T) {
				s := open(t, moving, movingSettings)
				s.beginAll(of(greenCommit))
				listed := false
				s.Sim.Hook(func(c simaws.Call) simaws.Fault {
					listed = listed || c.Operation == "ListBuildsForProject"
					if listed && c.Operation == operation && !c.Done {
						return f
					}
					return simaws.Fault{}
				})
				c := s.of(s.beginAll(of(newCommit)))
				r := last(c.Rounds)
				told := len(s.Sim.Notices())
				if c.Outcome != decide.Reported || r.Diagnosis.Cause != "command-failed" || told != 1 ||
					len(c.Rounds) != 1 {
					t.Errorf("outcome %s, cause %s, %d notices, %d rounds", c.Outcome, r.Diagnosis.Cause, told,
						len(c.Rounds))
				}
				switch {
				case operation != "GetLogEvents" && r.Since != nil:
					t.Errorf("compared with %+v", r.Since)
				case operation == "GetLogEvents" && (r.Since == nil || len(r.Since.Lines) > 0 ||
					r.Since.Read != since.ReadNothing):
					t.Errorf("without a log, compared with %+v", r.Since)
				}
			})
		}
	}
}

// TestSetupIsNotStored ensures that what a build ran with is compared and forgotten: whatever has
// names of variables beside other settings could come to have their values.
func TestSetupIsNotStored(t *testing.T) {
	seen := map[reflect.Type]bool{}
	var walk func(x reflect.Type, path string)
	walk = func(x reflect.Type, path string) {
		if x == reflect.TypeFor[codebuild.Setup]() {
			t.Errorf("%s holds a codebuild.Setup", path)
		}
		if seen[x] {
			return
		}
		seen[x] = true
		switch x.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Array:
			walk(x.Elem(), path)
		case reflect.Map:
			walk(x.Key(), path)
			walk(x.Elem(), path)
		case reflect.Struct:
			for i := range x.NumField() {
				walk(x.Field(i).Type, path+"."+x.Field(i).Name)
			}
		}
	}
	walk(reflect.TypeFor[decide.Case](), "Case")
	walk(reflect.TypeFor[decide.Outcome](), "Outcome")
	if !seen[reflect.TypeFor[since.Since]()] {
		t.Error("a case has no room for what is new")
	}
}

// TestLookSinceGreen ensures that a person who replays a failure at a desk is shown what is new,
// too.
func TestLookSinceGreen(t *testing.T) {
	s := open(t, moving, movingSettings)
	id := s.beginAll(of(greenCommit), of(newCommit))
	h := s.Inbox.Healer
	c, err := h.Look(context.Background(), h.Home, id)
	if err != nil {
		t.Fatal(err)
	}
	if r := c.Rounds[0]; r.Since == nil || r.Since.Number != 1 || r.Diagnosis.Evidence.Text != unbalanced {
		t.Errorf("%+v, evidence %q", r.Since, r.Diagnosis.Evidence.Text)
	}
}
