package story

import (
	"context"
	"strings"
	"testing"
	"time"
)

const peopleWorld = `
start: 2026-11-22T10:05:00Z
github: {repositories: [example/tracker]}
roles: [{name: shop-role, inline: {base: 'LOGS'}}]
code:
  - {repository: example/tracker, files: {p.json: '{"Version": "2012-10-17", "Statement": []}'}}
deploys:
  - {repository: example/tracker, path: p.json, role: shop-role, inline: p, takes: 50m}
projects:
  - {name: shop, role: shop-role, buildspecs: {buildspec.yml: {build: [make]}}}
starts: [{project: shop}]
`

// people is a stage with a pull request that somebody opens after some time.
func people(t *testing.T, opened time.Duration) *Stage {
	t.Helper()
	world := strings.Replace(peopleWorld, "LOGS", crowdBase, 1)
	st, err := Open(Story{Name: t.Name(), World: []byte(world), Expect: Expect{Project: "shop"},
		Settings: []byte("version: 1\nprojects: [{name: shop, role: shop-role}]\n")}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(st.Close)
	if err := st.drain(context.Background()); err != nil {
		t.Fatal(err)
	}
	st.Sim.After(opened, func() {
		st.Sim.PushCode("example/tracker", "fix", "m", nil)
		if _, _, err := st.push(Push{"example/tracker", "fix", "p.json", allowed}); err != nil {
			t.Error(err)
		}
		st.Sim.OpenPull("example/tracker", "fix", "main", false)
	})
	return st
}

// act has people and time do something, and returns the first error.
func (st *Stage) act(ths ...Then) error {
	for _, th := range ths {
		if _, err := st.Act(context.Background(), th, st.pass); err != nil {
			return err
		}
	}
	return nil
}

const allowed = `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}`

// TestPeopleMerge: a pull request is merged so long after it was opened, and deployed in its time,
// while the schedule sweeps every quarter of an hour.
func TestPeopleMerge(t *testing.T) {
	st := people(t, 40*time.Minute)
	began := st.Sim.Clock.Now()
	holds := func(want bool) {
		t.Helper()
		if in, _ := st.Sim.RolePolicies("", "shop-role"); (in["p"] == allowed) != want {
			t.Errorf("IAM holds %q", in["p"])
		}
	}
	if err := st.act(Then{Merge: "example/tracker", After: "2h"}, Then{Schedule: "49m"}); err != nil {
		t.Fatal(err)
	}
	holds(false)
	if merge := st.Asked[0]; merge.Command != "merge example/tracker" || merge.Message != "merged #101" ||
		!merge.At.Equal(began.Add(160*time.Minute)) {
		t.Errorf("%+v, want a merge 2 h 40 min after %s", merge, began)
	}
	if n := len(st.Swept); n != 14 { // from 10:15 to 13:30
		t.Errorf("%d sweeps", n)
	}
	if err := st.act(Then{Schedule: "1m"}); err != nil {
		t.Fatal(err)
	}
	holds(true)
	if passed := st.Sim.Clock.Now().Sub(began); passed != 210*time.Minute {
		t.Errorf("%s have passed", passed)
	}
}

// TestPeopleWait: people wait for a pull request to merge or to close, a day at most.
func TestPeopleWait(t *testing.T) {
	st := people(t, 20*time.Hour)
	err := st.act(Then{Close: "example/tracker"}, Then{Merge: "example/tracker"})
	if err == nil || !strings.Contains(err.Error(), "there is no open pull request in example/tracker") {
		t.Errorf("%v", err)
	}
	if r := st.Sim.CodeRequests()[0]; r.Open || r.Merged {
		t.Errorf("%+v", r)
	}
}

// TestPeopleAct: somebody pushes to the branch of the request and starts a build, which goes on as
// time passes.
func TestPeopleAct(t *testing.T) {
	st := people(t, time.Minute)
	if err := st.act(Then{Schedule: "1m"}, Then{Push: &Push{"example/tracker", "REQUEST", "p.json", "x"}},
		Then{Start: &Start{Project: "shop"}}); err != nil {
		t.Fatal(err)
	}
	if got := st.Sim.CodeFile("example/tracker", "fix", "p.json"); got != "x" {
		t.Errorf("the branch has %q", got)
	}
	last := func(want string) {
		t.Helper()
		if bs := st.Builds(); len(bs) != 2 || bs[1].Status != want {
			t.Errorf("builds %+v", bs)
		}
	}
	last("IN_PROGRESS")
	err := st.act(Then{Schedule: "10m"}, Then{Close: "example/tracker"},
		Then{Push: &Push{Repository: "example/tracker", Branch: "REQUEST"}})
	if err == nil || !strings.Contains(err.Error(), "0 pull requests are open") {
		t.Errorf("%v", err)
	}
	last("SUCCEEDED")
}

// TestConflict: what cannot be merged is an error of the story.
func TestConflict(t *testing.T) {
	st := people(t, time.Minute)
	err := st.act(Then{Schedule: "1m"}, Then{Push: &Push{"example/tracker", "main", "p.json", "x"}}, Then{Merge: "example/tracker"})
	if err == nil || !strings.Contains(err.Error(), "cannot be merged") {
		t.Errorf("%v", err)
	}
}
