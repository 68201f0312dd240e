package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/ledger"
	"github.com/buildmedic/buildmedic/internal/simaws"
	"github.com/buildmedic/buildmedic/internal/story"
)

// function is a function that has healed builds of several projects, with a
// ledger in a file that the desk can open too.
type function struct {
	*story.Stage
	t              *testing.T
	ledger, config string
}

// deployed makes the function and a project for each role, p0 and so on, which
// may not upload to the bucket.
func deployed(t *testing.T, roles ...string) *function {
	t.Helper()
	const logs = `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "logs:*", "Resource": "*"}]}`
	var world, set strings.Builder
	world.WriteString("start: 2026-11-22T10:00:00Z\nbuckets: [{name: dist}]\nroles:\n")
	for _, r := range slices.Compact(slices.Clone(roles)) {
		fmt.Fprintf(&world, "  - {name: %s, inline: {base: '%s'}}\n", r, logs)
	}
	world.WriteString("projects:\n")
	set.WriteString("version: 1\nprojects:\n")
	for i, r := range roles {
		fmt.Fprintf(&world, "  - {name: p%d, role: %s, buildspecs: {buildspec.yml: {build: [{run: make, takes: "+
			"60s}, aws s3 cp x s3://dist/%d]}}}\n", i, r, i)
		fmt.Fprintf(&set, "  - {name: p%d, role: %s, mode: heal, write: {inline: healed}, grants: [dist]}\n", i, r)
	}
	set.WriteString("grants:\n  - {id: dist, because: It uploads., owner: t, actions: [\"s3:PutObject\"], " +
		"resources: [\"arn:${partition}:s3:::dist/*\"]}\n")
	return play(t, story.Story{Name: t.Name(), World: []byte(world.String()), Settings: []byte(set.String()),
		Expect: story.Expect{Project: "p0"}})
}

// play makes the function of a story.
func play(t *testing.T, s story.Story) *function {
	t.Helper()
	dir := t.TempDir()
	f := &function{t: t, ledger: filepath.Join(dir, "ledger.json"), config: filepath.Join(dir, "buildmedic.yaml")}
	if err := os.WriteFile(f.config, s.Settings, 0o600); err != nil {
		t.Fatal(err)
	}
	st, err := story.Open(s, story.Options{Store: func(c heal.Clock) heal.Store {
		file, err := ledger.OpenFile(f.ledger, c)
		if err != nil {
			t.Fatal(err)
		}
		return file
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(st.Close)
	f.Stage = st
	behind(t, st.Sim)
	return f
}

// heal starts a build of each project and heals it.
func (f *function) heal(projects ...string) {
	f.t.Helper()
	for _, p := range projects {
		if _, err := f.Sim.Run(simaws.Start{Project: p, Version: "refs/heads/main"}); err != nil {
			f.t.Fatal(err)
		}
	}
	if err := f.Run(context.Background()); err != nil {
		f.t.Fatal(err)
	}
}

// begin starts a build of the project and heals it as far as until is true.
func (f *function) begin(project string, until func() bool) {
	f.t.Helper()
	if _, err := f.Sim.Run(simaws.Start{Project: project, Version: "refs/heads/main"}); err != nil {
		f.t.Fatal(err)
	}
	for !until() {
		m, ok := f.Sim.NextMessage(context.Background())
		if !ok {
			f.t.Fatal("nothing is left to do")
		}
		if again, err := f.Deliver(context.Background(), m); err != nil || again {
			f.t.Fatal(again, err)
		}
		m.Ack()
	}
}

// leave closes the function's ledger, so that the desk can open it.
func (f *function) leave() {
	f.t.Helper()
	if err := f.Store.(*ledger.File).Close(); err != nil {
		f.t.Fatal(err)
	}
}

func (f *function) policy(role string) string {
	in, _ := f.Sim.RolePolicies("", role)
	return in["healed"]
}

func (f *function) desk(stdin string, args ...string) (code int, stdout, stderr string) {
	f.t.Helper()
	return buildmedic(f.t, stdin, slices.Insert(args, 1, "-settings", f.config, "-ledger", f.ledger)...)
}

// TestRemove: two healed builds, one case between grant and green, and one
// whose policy a stranger has changed since. All is taken back but the last.
func TestRemove(t *testing.T) {
	f := deployed(t, "role-0", "role-1", "role-2")
	f.heal("p0")
	f.heal("p1")
	f.begin("p2", func() bool { return len(f.Sim.Builds("p2")) == 2 })
	given := f.policy("role-1")
	changed := strings.Replace(given, "s3:PutObject", "s3:GetObject", 1)
	if err := f.Sim.PutRolePolicy("role-1", "healed", changed); err != nil {
		t.Fatal(err)
	}
	f.leave()

	code, out, errs := f.desk("", "history")
	if code != exitOK || !strings.Contains(out, " open ") || !strings.Contains(out,
		"has changed: inline policy healed of role role-2") ||
		strings.Index(out, " open ") > strings.Index(out, " healed ") {
		t.Errorf("history: code %d\n%s%s", code, out, errs)
	}
	writes := len(f.Sim.Writes())
	code, out, errs = f.desk("no\n", "remove")
	for _, want := range []string{"3 cases with changes that stand", "p2 (role role-2, account 111122223333)",
		", open\n", "Type yes: Nothing was changed."} {
		if !strings.Contains(out, want) {
			t.Errorf("it does not show %q:\n%s%s", want, out, errs)
		}
	}
	if strings.Contains(out, " \n") {
		t.Errorf("lines end in blanks:\n%q", out)
	}
	if code != exitFailed || len(f.Sim.Writes()) != writes {
		t.Errorf("refused: code %d, %d writes", code, len(f.Sim.Writes())-writes)
	}

	code, out, errs = f.desk("yes\n", "remove")
	if code != exitFailed || f.policy("role-0") != "" || f.policy("role-1") != changed || f.policy("role-2") != "" {
		t.Errorf("code %d, policies %q %q %q\n%s%s", code, f.policy("role-0"), f.policy("role-1"), f.policy("role-2"), out, errs)
	}
	for _, want := range []string{"This command is paused", "2 changes taken back", "\nLeft:\n\np1 (role role-1",
		"Somebody has changed the policy since", "closed before 2026-08-24", "  inline policy healed of role role-0\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("it does not say %q:\n%s", want, out)
		}
	}

	// Once the stranger's change is gone, nothing is left; and nothing more is written.
	if err := f.Sim.PutRolePolicy("role-1", "healed", given); err != nil {
		t.Fatal(err)
	}
	code, out, errs = f.desk("", "remove", "-yes", "-json")
	var r removed
	if err := json.Unmarshal([]byte(out), &r); err != nil || code != exitOK || !r.Complete || !r.Paused ||
		len(r.Left) != 0 || len(r.TakenBack) != 1 {
		t.Errorf("code %d, %v\n%s%s", code, err, out, errs)
	}
	f.Sim.Settle()
	if bs := f.Sim.Builds("p2"); len(bs) != 2 {
		t.Errorf("%d builds of the case that was open", len(bs))
	}
	code, out, _ = f.desk("", "remove", "-yes")
	if code != exitOK || !strings.Contains(out, "No case in the ledger has a change that stands.") {
		t.Errorf("again: code %d\n%s", code, out)
	}
}

// TestResume: remove leaves a pause behind, which resume ends, once.
func TestResume(t *testing.T) {
	f := deployed(t, "role-0")
	f.heal("p0")
	f.leave()
	code, out, errs := f.desk("", "remove", "-yes")
	if code != exitOK || !strings.Contains(out, "`buildmedic resume` with the same flags") {
		t.Errorf("remove: code %d\n%s%s", code, out, errs)
	}
	if code, out, errs = f.desk("", "resume"); code != exitOK || !strings.Contains(out, "Writing is allowed again.") {
		t.Errorf("code %d\n%s%s", code, out, errs)
	}
	if code, out, errs = f.desk("", "resume"); code != exitFailed || !strings.Contains(out, "It is not paused.") {
		t.Errorf("again: code %d\n%s%s", code, out, errs)
	}
	if code, _, errs = f.desk("", "resume", "all"); code != exitUsage || !strings.Contains(errs, "it takes no argument") {
		t.Errorf("with an argument: code %d\n%s", code, errs)
	}
}

// TestRemoveWaits: the function works on a case at the moment. Its lock ends, and
// then its change is taken back too.
func TestRemoveWaits(t *testing.T) {
	f := deployed(t, "role-0")
	f.Sim.Hook(func(c simaws.Call) simaws.Fault { // it dies right after the write, with the case locked
		return simaws.Fault{Crash: c.Key == simaws.FunctionKey && f.policy("role-0") != ""}
	})
	store := f.Store
	f.Inbox.Healer.Store = locked{store, func() bool { return f.policy("role-0") != "" }}
	if _, err := f.Sim.Run(simaws.Start{Project: "p0", Version: "refs/heads/main"}); err != nil {
		t.Fatal(err)
	}
	for f.policy("role-0") == "" {
		m, ok := f.Sim.NextMessage(context.Background())
		if !ok {
			t.Fatal("nothing was written")
		}
		if _, err := f.Deliver(context.Background(), m); err != nil {
			t.Fatal(err)
		}
		m.Ack()
	}
	f.Sim.Unhook()
	f.leave()
	began := f.Sim.Clock.Now()
	if code, out, errs := f.desk("", "remove", "-yes", "-wait", "1m"); code != exitFailed || !strings.Contains(out,
		"another invocation works on the case") || f.policy("role-0") == "" {
		t.Errorf("it did not wait long enough: code %d\n%s%s", code, out, errs)
	}
	code, out, errs := f.desk("", "remove", "-yes")
	if code != exitOK || f.policy("role-0") != "" || !strings.Contains(errs, "waiting for cases") {
		t.Errorf("code %d, policy %q\n%s%s", code, f.policy("role-0"), out, errs)
	}
	if waited := f.Sim.Clock.Now().Sub(began); waited > 10*time.Minute {
		t.Errorf("it waited %s", waited)
	}
}

// locked is a ledger that a dead function cannot write any more.
type locked struct {
	heal.Store
	dead func() bool
}

func (l locked) Put(ctx context.Context, it heal.Item) (heal.Item, error) {
	if l.dead() {
		return heal.Item{}, fmt.Errorf("the function is dead")
	}
	return l.Store.Put(ctx, it)
}

// TestRemoveMany: more closed cases than one page of the ledger hold a change.
func TestRemoveMany(t *testing.T) {
	f := deployed(t, "role-0")
	f.heal("p0")
	store := f.Store.(*ledger.File)
	its, err := store.Between(context.Background(), "closed", time.Time{}, f.Sim.Clock.Now().Add(time.Hour), true, 10)
	if err != nil || len(its) != 1 {
		t.Fatal(its, err)
	}
	for i := range 1500 { // newer ones, which changed nothing
		it := its[0]
		it.ID, it.Version = fmt.Sprintf("%016x", i), 0
		it.Due = it.Due.Add(time.Duration(i+1) * time.Second)
		it.Data = []byte(strings.Replace(string(it.Data), its[0].ID, it.ID, 1))
		kept := heal.Item{Kind: "case", ID: it.ID, Data: []byte(`{"id":"` + it.ID +
			`","closed":"2026-11-22T11:00:00Z","outcome":"reported"}`)}
		for _, it := range []heal.Item{it, kept} {
			if _, err := store.Memory.Put(context.Background(), it); err != nil {
				t.Fatal(err)
			}
		}
	}
	f.Sim.Clock.Advance(time.Hour)
	if _, err := store.Put(context.Background(), heal.Item{Kind: "sweep", ID: "any"}); err != nil { // writes the file
		t.Fatal(err)
	}
	f.leave()
	if code, out, errs := f.desk("", "remove", "-yes"); code != exitOK || f.policy("role-0") != "" {
		t.Errorf("code %d, policy %q\n%s%s", code, f.policy("role-0"), out, errs)
	}
	f.Sim.Clock.Advance(80 * 24 * time.Hour)
	if code, out, _ := f.desk("", "history", "-n", "2000", "p0"); code != exitOK || strings.Count(out, "\n") != 1505 ||
		!strings.Contains(out, "taken back by a person, until buildmedic resume: grant \"dist\"") {
		t.Errorf("code %d, %d lines of history", code, strings.Count(out, "\n"))
	}
}

// TestRemoveOrder: two cases have changed one policy, the second on top of the
// first; they are undone the last first, although the first was closed last.
func TestRemoveOrder(t *testing.T) {
	f := deployed(t, "role-0", "role-0")
	f.begin("p0", func() bool { return len(f.Sim.Builds("p0")) == 2 })
	f.begin("p1", func() bool { return strings.Contains(f.policy("role-0"), "dist/1") })
	f.leave()
	if code, out, errs := f.desk("", "remove", "-yes"); code != exitOK || f.policy("role-0") != "" ||
		!strings.Contains(out, "2 changes taken back") {
		t.Errorf("code %d, policy %q\n%s%s", code, f.policy("role-0"), out, errs)
	}
}

// TestRemoveElsewhere: a member account's role is changed by the function alone.
// The command says so, and how.
func TestRemoveElsewhere(t *testing.T) {
	ss, err := chosen([]string{"member-account"})
	if err != nil {
		t.Fatal(err)
	}
	f := play(t, ss[0])
	f.heal()
	f.leave()
	code, out, errs := f.desk("", "remove", "-yes")
	if code != exitFailed || !strings.Contains(out, "\nLeft:\n") || !strings.Contains(out, "account 444455556666") ||
		!strings.Contains(strings.Join(strings.Fields(out), " "), `Send it {"undo":{"case":"`) {
		t.Errorf("code %d\n%s%s", code, out, errs)
	}
}
