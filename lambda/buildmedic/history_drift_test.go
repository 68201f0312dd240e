package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// TestDriftOfStories ensures that what a case changed in IAM is listed until it is taken back, as text
// and as JSON, and what ends by itself says when.
func TestDriftOfStories(t *testing.T) {
	file := settingsOf(t, "version: 1\nprojects:\n  - {name: TrackerAPI, role: codebuild-TrackerAPI-service-role, write: {inline: a}, "+
		"permanent: {code: {github: example/tracker, path: p.json}}}\n")
	other := settingsOf(t, "version: 1\nprojects: [{name: nothing, role: nothing-build, mode: observe}]\n")
	for _, name := range []string{"tracker-api", "grant-that-expires", "undone-by-command", "docker-hub-rate-limit"} {
		path := remembered(t, name)
		for _, args := range [][]string{{}, {"-json"}, {"-settings", file}} {
			code, out, errs := buildmedic(t, "", append([]string{"history", "-ledger", path, "-drift"}, args...)...)
			if code != exitOK || len(args) == 1 && !json.Valid([]byte(out)) {
				t.Fatalf("%s %v: code %d\n%s%s", name, args, code, out, errs)
			}
			kind := "-drift"
			if len(args) > 0 {
				kind += args[0]
			}
			golden(t, "history/"+name+kind+".txt", out)
		}
		if code, out, _ := buildmedic(t, "", "history", "-ledger", path, "-settings", other, "-drift", "nothing"); code != exitOK ||
			!strings.HasPrefix(out, "No change in IAM stands") {
			t.Errorf("%s: of another project: code %d\n%s", name, code, out)
		}
	}
	for _, args := range []string{"-drift -flaky", "-drift -costs", "-drift -since 7d", "-drift -n 0"} {
		if code, _, _ := buildmedic(t, "", append([]string{"history"}, strings.Fields(args)...)...); code != exitUsage {
			t.Errorf("%s: code %d", args, code)
		}
	}
}

// TestDriftStates ensures that each change says whether code will have it, the oldest first, for each
// grant and role by itself.
func TestDriftStates(t *testing.T) {
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	s, err := settings.Parse([]byte(`version: 1
code: {github: {secret: x}}
projects:
  - name: shop
    role: builds/shop
    mode: heal
    write: {inline: buildmedic}
    permanent: {code: {github: example/shop, path: aws/p.json}}
    also_roles: [{role: exec, grants: [image], write: {managed: p}}]
    grants: [image]
  - {name: site, account: "444455556666", role: site, write: {inline: x}, grants: [image],
     permanent: {code: {codecommit: roles, path: site.json}}}
accounts: [{id: "444455556666", region: eu-west-1}]
grants:
  - {id: image, because: B., owner: o, set: ecr-push, resources: ["arn:aws:ecr:eu-west-1:111122223333:repository/shop"]}
`))
	if err != nil {
		t.Fatal(err)
	}
	write := func(kind guardrail.TargetKind, name string) decide.Plan {
		return decide.Plan{Project: "shop", Role: "arn:aws:iam::111122223333:role/builds/shop",
			Write: &guardrail.Target{Kind: kind, Name: name}}
	}
	round := func(days int, p decide.Plan, grants ...string) decide.Round {
		d := decide.Decision{Plan: &p}
		for _, g := range grants {
			d.Used = append(d.Used, guardrail.Used{Grant: g})
		}
		return decide.Round{Decision: &d, Started: now.AddDate(0, 0, -days), Written: now.AddDate(0, 0, -days).Add(time.Minute)}
	}
	request := func(grant string, state decide.RequestState) decide.Request {
		return decide.Request{Grant: grant, Repository: "example/shop", Path: "aws/p.json", Branch: "buildmedic/shop-0a1b2c3d4e5f",
			Number: "12", URL: "https://github.com/example/shop/pull/12", State: state, Seen: now}
	}
	shop := func(id string, rs ...decide.Round) decide.Case {
		return decide.Case{ID: id, Account: "111122223333", Region: "eu-west-1", Project: "shop", Rounds: rs}
	}
	inline := write(guardrail.Inline, "buildmedic")
	var cases []decide.Case
	states := []decide.RequestState{decide.RequestOpened, decide.RequestUpdated, decide.RequestWaiting, decide.RequestLanded,
		decide.RequestDeclined, decide.RequestBehind, decide.RequestEdited, ""}
	for i, state := range states {
		r := round(3+i, inline, "image")
		r.Requests = []decide.Request{request("other", decide.RequestOpened), request("image", state)}
		cases = append(cases, shop("000000000000000"+string(rune('0'+i)), r))
	}
	ends := write(guardrail.Inline, "buildmedic")
	ends.Ends = []decide.End{{Grant: "ends", Lasts: 48 * time.Hour}, {Grant: "ended", Lasts: time.Hour, At: now.Add(-time.Hour)}}
	both := round(1, ends, "ends", "ended", "image")
	both.Requests = []decide.Request{request("image", decide.RequestWaiting)}
	exec := write(guardrail.Managed, "arn:aws:iam::111122223333:policy/ci/p")
	exec.Role = "arn:aws:iam::111122223333:role/exec"
	part, begun, undone := round(20, exec, "image"), round(0, write(guardrail.Attach, ""), "image"), round(30, inline, "image")
	part.Partly, undone.Undone = true, now
	begun.Step, begun.Written = decide.StepWriting, time.Time{}
	asks := begun
	code := write(guardrail.Code, "aws/p.json in github.com/example/shop")
	asks.Decision = &decide.Decision{Plan: &code, Used: []guardrail.Used{{Grant: "image"}}}
	repository := round(40, decide.Plan{Repository: "shop"}, "image")
	site := shop("00000000000000aa", round(2, inline, "image"))
	site.Project, site.Account = "site", "444455556666"
	other := site
	other.ID, other.Account = "00000000000000bb", "111122223333"
	cases = append(cases, shop("000000000000000a", both), shop("000000000000000b", part, begun), shop("000000000000000c", undone, asks,
		repository, decide.Round{}), site, other)

	var b bytes.Buffer
	l := heal.Inventory{From: now.AddDate(0, 0, -90)}
	list := drifts(cases, "", s, now)
	printDrift(&b, list, 100, l, now)
	b.WriteString("\n---- at most two, of a ledger that is cut, without settings\n")
	l.Cut = true
	printDrift(&b, drifts(cases[7:], "", nil, now), 2, l, now)
	golden(t, "history/drift-states.txt", b.String())
	for i, d := range list {
		if i > 0 && d.Since.Before(list[i-1].Since) {
			t.Errorf("%s of case %s is older than what stands before it", d.Grant, d.Case)
		}
		if d.Case == "000000000000000c" {
			t.Errorf("listed: %+v", d)
		}
	}
	if got := drifts(cases, "site", s, now); len(got) != 2 || got[0].State != driftNotAsked || got[1].State != driftNowhere {
		t.Errorf("of one project: %+v", got)
	}
	t.Setenv("COLUMNS", "60")
	b.Reset()
	printDrift(&b, list, 100, l, now)
	for line := range strings.Lines(b.String()) {
		if n := shown(strings.TrimSuffix(line, "\n")); n > 60 && !strings.Contains(line, "https://") && !strings.Contains(line, "of role") {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}
