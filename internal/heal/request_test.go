package heal_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/settings"
	"github.com/buildmedic/buildmedic/internal/simaws"
)

// repository is the code of a role's policy, as a code host shows it: one request for each branch.
type repository struct {
	gives   map[string][]iampolicy.Statement // what a branch asks for
	state   map[string]decide.RequestState
	file    []iampolicy.Statement // of the base
	asked   int
	changes []heal.PolicyChange
	fails   error
	later   int  // it does not answer so often
	lost    bool // the answer is lost once, after the request was made
}

func (r *repository) Propose(_ context.Context, _ settings.Account, c heal.PolicyChange) (decide.Request, error) {
	r.asked++
	r.changes = append(r.changes, c)
	if r.fails != nil {
		return decide.Request{}, r.fails
	}
	if r.later > 0 {
		r.later--
		return decide.Request{}, fmt.Errorf("%w: GitHub did not answer", heal.ErrLater)
	}
	q := c.Request
	all := iampolicy.Document{Statements: r.file}
	if ok, _ := iampolicy.Contains([]iampolicy.Document{all}, []iampolicy.Document{{Statements: c.Statements}}); ok {
		q.State = decide.RequestLanded
		return q, nil
	}
	was, there := r.state[q.Branch]
	q.Number, q.URL = "12", "https://github.com/example/shop/pull/12"
	switch {
	case !there:
		r.state[q.Branch] = decide.RequestOpened
		q.State = decide.RequestOpened
	case was == decide.RequestDeclined, was == decide.RequestEdited, was == decide.RequestBehind:
		q.State = was
		return q, nil
	default:
		q.State = decide.RequestWaiting
	}
	doc, n := iampolicy.Merge(iampolicy.Document{Statements: r.gives[q.Branch]}, c.Statements)
	if n > 0 && there {
		q.State = decide.RequestUpdated
	}
	r.gives[q.Branch] = doc.Statements
	if r.lost {
		r.lost = false
		return decide.Request{}, fmt.Errorf("the answer is lost: %w", heal.ErrLater)
	}
	return q, nil
}

// inCode has the policy of role-0 in a repository.
func inCode(t *testing.T, world, set string) (*stage, *repository) {
	t.Helper()
	return withCode(t, world, strings.Replace(set, "write: {inline: healed}",
		"write: {code: {github: example/shop, path: aws/policy.json}}", 1))
}

func withCode(t *testing.T, world, set string) (*stage, *repository) {
	t.Helper()
	s := open(t, world, strings.Replace(set, "version: 1\n", "version: 1\ncode: {github: {secret: github}}\n", 1))
	r := &repository{gives: map[string][]iampolicy.Statement{}, state: map[string]decide.RequestState{}}
	s.Inbox.Healer.PolicyCode = r
	return s, r
}

// merge puts into the file what the requests ask for; deploy gives the role what the file has.
func (r *repository) merge() {
	for _, sts := range r.gives {
		d, _ := iampolicy.Merge(iampolicy.Document{Statements: r.file}, sts)
		r.file = d.Statements
	}
	clear(r.gives)
	clear(r.state)
}

func (s *stage) deploy(r *repository, role string) {
	s.t.Helper()
	doc := iampolicy.Document{Version: "2012-10-17", Statements: r.file}
	if err := s.Sim.PutRolePolicy(role, "from-code", string(doc.Canonical())); err != nil {
		s.t.Fatal(err)
	}
}

// sweep lets time pass and sweeps.
func (s *stage) sweep(after time.Duration) {
	s.t.Helper()
	s.Sim.Clock.Advance(after)
	s.do(`{"sweep":{}}`)
	s.drain()
}

// noIAMWrites fails if the function wrote to IAM.
func (s *stage) noIAMWrites() {
	s.t.Helper()
	for _, w := range s.Sim.Writes() {
		if strings.HasPrefix(w, "iam.") {
			s.t.Errorf("the function wrote: %s", w)
		}
	}
}

// TestAskedInCode: a grant is asked for in code, the case waits, and once it is deployed the build is
// started again.
func TestAskedInCode(t *testing.T) {
	for _, mode := range []string{"heal", "propose"} {
		t.Run(mode, func(t *testing.T) {
			s, r := inCode(t, shop(1, ""), strings.Replace(shopSettings(1, ""), "mode: heal", "mode: "+mode, 1))
			id := s.start("p0")
			s.drain()
			if mode == "propose" {
				c := s.of(id)
				if c.Outcome != decide.Proposed || r.asked != 0 {
					t.Fatalf("%s, asked %d times before the approval", c.Outcome, r.asked)
				}
				s.Sim.Clock.Advance(time.Minute)
				s.do(fmt.Sprintf(`{"approve":{"plan":%q}}`, last(c.Rounds).Decision.Plan.Hash()))
			}
			c := s.of(id)
			qs := last(c.Rounds).Requests
			if c.Outcome != decide.Requested || len(qs) != 1 || qs[0].State != decide.RequestOpened {
				t.Fatalf("%s, %v, requests %+v", c.Outcome, refusals(c), qs)
			}
			ws, err := s.Inbox.Healer.Waiting(t.Context(), "p0")
			const waits = "example/shop#12 (https://github.com/example/shop/pull/12) to be merged and deployed"
			if err != nil || len(ws) != 1 || ws[0].For != waits {
				t.Errorf("it waits for %+v, %v", ws, err)
			}
			told := len(s.Sim.Notices())
			s.sweep(20 * time.Minute)
			s.sweep(20 * time.Minute)
			r.merge()
			s.sweep(20 * time.Minute)
			builds, more := len(s.Sim.Builds("p0")), len(s.Sim.Notices())-told
			if c = s.of(id); c.Outcome != decide.Requested || builds != 1 || more != 0 {
				t.Fatalf("merged, not deployed: %s, %d builds, %d more notices", c.Outcome, builds, more)
			}
			s.deploy(r, "role-0")
			s.sweep(20 * time.Minute)
			if c = s.of(id); c.Outcome != decide.Healed || len(s.Sim.Builds("p0")) != 2 || len(c.Rounds) != 1 {
				t.Errorf("deployed: %s %v, %d builds", c.Outcome, refusals(c), len(s.Sim.Builds("p0")))
			}
			s.noIAMWrites()
			asked := r.asked
			s.sweep(20 * time.Minute)
			s.sweep(time.Hour)
			if r.asked != asked {
				t.Errorf("nobody waits, and the code host was asked %d times", r.asked-asked)
			}
		})
	}
}

// TestUndoOfARequest: a person who takes back a case that waits is told what does that.
func TestUndoOfARequest(t *testing.T) {
	s, _ := inCode(t, shop(1, ""), shopSettings(1, ""))
	id := s.start("p0")
	s.drain()
	a := s.do(fmt.Sprintf(`{"undo":{"case":%q}}`, s.of(id).ID))
	if a.Done || !strings.Contains(a.Message, "it waits for example/shop#12. Close that unmerged") || s.of(id).Outcome != decide.Requested {
		t.Errorf("%+v, %s", a, s.of(id).Outcome)
	}
}

// TestDeclinedInCode: a request that was closed unmerged ends the case refused, and a later commit is
// refused without another one.
func TestDeclinedInCode(t *testing.T) {
	s, r := inCode(t, shop(1, commits("")), shopSettings(1, ""))
	id := s.start("p0")
	s.drain()
	for b := range r.state {
		r.state[b] = decide.RequestDeclined
	}
	s.sweep(20 * time.Minute)
	c := s.of(id)
	if c.Outcome != decide.Reported || !slices.Equal(refusals(c), []string{string(guardrail.Declined)}) {
		t.Fatalf("%s, refused by %v", c.Outcome, refusals(c))
	}
	next := s.commitOf("1")
	if c = s.of(next); c.Outcome != decide.Reported || !slices.Contains(refusals(c), string(guardrail.Declined)) {
		t.Errorf("the next build: %s, refused by %v", c.Outcome, refusals(c))
	}
	s.noIAMWrites()
}

// commits are versions of a project: of main's commits by digit, and of release, which has one. The
// commit green, if there is one, needs nothing.
func commits(green string) string {
	var b strings.Builder
	b.WriteString("    versions:\n      - {ref: refs/heads/main}\n")
	for _, d := range []string{"1", "2", "3", "4"} {
		fmt.Fprintf(&b, "      - {ref: \"%s%s}\", commit: %q}\n", mainAt, strings.Repeat(d, 40), strings.Repeat(d, 40))
	}
	fmt.Fprintf(&b, "      - {ref: refs/heads/release, commit: %q}\n", strings.Repeat("a", 40))
	if green != "" {
		fmt.Fprintf(&b, "      - {ref: \"%s%s}\", commit: %q, buildspecs: {buildspec.yml: {build: [make]}}}\n", mainAt,
			strings.Repeat(green, 40), strings.Repeat(green, 40))
	}
	return b.String()
}

// commitOf begins a build of main at the commit of a digit.
func (s *stage) commitOf(digit string) string {
	s.t.Helper()
	return s.version(mainAt + strings.Repeat(digit, 40) + "}")
}

func (s *stage) version(ref string) string {
	s.t.Helper()
	id, err := s.Sim.Run(simaws.Start{Project: "p0", Version: ref})
	if err != nil {
		s.t.Fatal(err)
	}
	s.drain()
	return id
}

// TestNewestIsStarted: of many builds of a branch that wait for one request only the newest is started.
func TestNewestIsStarted(t *testing.T) {
	s, r := inCode(t, shop(1, commits("")), shopSettings(1, ""))
	var ids []string
	for i := range 4 {
		ids = append(ids, s.commitOf(fmt.Sprint(i+1)))
		s.Sim.Clock.Advance(time.Minute)
	}
	release := s.version("refs/heads/release")
	if len(r.state) != 1 {
		t.Fatalf("%d requests", len(r.state))
	}
	tells := 0
	for _, c := range r.changes {
		tells = max(tells, len(c.Tells)+c.More)
	}
	r.merge()
	s.deploy(r, "role-0")
	s.sweep(20 * time.Minute)
	for i, id := range append(ids, release) {
		c := s.of(id)
		want := decide.Reported
		if i >= 3 {
			want = decide.Healed
		}
		if c.Outcome != want || want == decide.Reported && !slices.Contains(refusals(c), string(guardrail.NewerBuild)) {
			t.Errorf("build %d: %s %v", i, c.Outcome, refusals(c))
		}
	}
	if n := len(s.Sim.Builds("p0")); n != 7 {
		t.Errorf("%d builds, want 5 and 2 more", n)
	}
}

// TestNotOverANewerBuild: a build that waited for days is not started again over a newer one that was
// green without it.
func TestNotOverANewerBuild(t *testing.T) {
	s, r := inCode(t, shop(1, commits("b")), shopSettings(1, ""))
	id := s.start("p0")
	s.drain()
	s.Sim.Clock.Advance(time.Hour)
	s.commitOf("b")
	r.merge()
	s.deploy(r, "role-0")
	s.sweep(20 * time.Minute)
	if c := s.of(id); c.Outcome != decide.Reported || !slices.Contains(refusals(c), string(guardrail.NewerBuild)) ||
		len(s.Sim.Builds("p0")) != 2 {
		t.Errorf("%s %v, %d builds", c.Outcome, refusals(c), len(s.Sim.Builds("p0")))
	}
}

// TestAskedOnce: whatever is lost on the way, there is one request, and it is told once.
func TestAskedOnce(t *testing.T) {
	s, r := inCode(t, shop(1, ""), shopSettings(1, ""))
	r.lost = true
	id := s.start("p0")
	s.drain()
	c := s.of(id)
	if c.Outcome != decide.Requested || len(r.state) != 1 || s.ofKind(decide.Requested, "") != 1 || r.asked != 2 {
		t.Errorf("%s %v, %d requests after %d tries, told %d times", c.Outcome, refusals(c), len(r.state), r.asked,
			s.ofKind(decide.Requested, ""))
	}
	if got := last(c.Rounds).Requests[0].State; got != decide.RequestOpened {
		t.Errorf("it is %s", got)
	}
	if l := s.lease("role-0"); l.Case != "" {
		t.Errorf("case %s has the role", l.Case)
	}
}

// TestAskingFails: what a person must mend ends the case with the words for that; what passes by
// itself is waited for.
func TestAskingFails(t *testing.T) {
	s, r := inCode(t, shop(1, commits("")), shopSettings(1, ""))
	r.fails = heal.FaultError{Says: "GitHub does not accept the credentials in secret host"}
	id := s.start("p0")
	s.drain()
	if c := s.of(id); c.Outcome != decide.Reported || !strings.Contains(s.lastNotice(), "does not accept the credentials") {
		t.Errorf("%s; the notice says %s", c.Outcome, s.lastNotice())
	}
	r.fails, r.later = nil, 20
	next := s.commitOf("1")
	if c := s.of(next); c.Outcome != decide.Requested || r.later != 0 {
		t.Errorf("when it answers after 20 tries: %s %v", c.Outcome, refusals(c))
	}
}

// TestToldOfTheRequest: what a person must do about a request is told once.
func TestToldOfTheRequest(t *testing.T) {
	for _, row := range []struct {
		what  string
		set   func(*repository)
		words string
	}{
		{"edited", func(r *repository) {
			for b := range r.state {
				r.state[b] = decide.RequestEdited
			}
		}, "is left alone"},
		{"behind", func(r *repository) {
			for b := range r.state {
				r.state[b] = decide.RequestBehind
			}
		}, "has changed since"},
		{"merged and not deployed", (*repository).merge, "the role still lacks it"},
		{"credentials", func(r *repository) { r.fails = heal.FaultError{Says: "the token has expired"} }, "the token has expired"},
	} {
		s, r := inCode(t, shop(1, ""), shopSettings(1, ""))
		id := s.start("p0")
		s.drain()
		row.set(r)
		before := len(s.Sim.Notices())
		for range 20 {
			s.sweep(20 * time.Minute)
		}
		told := s.Sim.Notices()[before:]
		if len(told) != 1 || !strings.Contains(told[0].Message, row.words) {
			t.Errorf("%s: %d notices: %+v", row.what, len(told), told)
		}
		r.fails = nil
		r.merge()
		r.file = append(r.file, iampolicy.Allow("x", []string{"s3:PutObject"}, []string{"arn:aws:s3:::dist/*"}))
		s.deploy(r, "role-0")
		s.sweep(time.Hour)
		if c := s.of(id); c.Outcome != decide.Healed {
			t.Errorf("%s, then deployed: %s %v", row.what, c.Outcome, refusals(c))
		}
	}
}

// TestNotForever: a request that nobody merges ends its case after a month.
func TestNotForever(t *testing.T) {
	s, r := inCode(t, shop(1, ""), shopSettings(1, ""))
	id := s.start("p0")
	s.drain()
	for range 20 {
		s.sweep(36 * time.Hour)
	}
	if c := s.of(id); c.Outcome != decide.Requested {
		t.Fatalf("after 30 days less an hour: %s", c.Outcome)
	}
	asked := r.asked
	s.sweep(36 * time.Hour)
	s.sweep(36 * time.Hour)
	if c := s.of(id); c.Outcome != decide.Reported || r.asked != asked {
		t.Errorf("%s, asked %d times more", c.Outcome, r.asked-asked)
	}
}

// TestAskingUsesTheBudgets: a request counts as a change of the role, and asking for what is asked for
// already does not.
func TestAskingUsesTheBudgets(t *testing.T) {
	s, r := inCode(t, shop(1, commits("")), shopSettings(1, "writes_per_role_per_day: 1"))
	for i := range 3 {
		id := s.commitOf(fmt.Sprint(i + 1))
		if c := s.of(id); c.Outcome != decide.Requested {
			t.Errorf("build %d: %s %v", i, c.Outcome, refusals(c))
		}
	}
	if len(r.state) != 1 {
		t.Errorf("%d requests", len(r.state))
	}
	s, r = inCode(t, shop(1, ""), shopSettings(1, "writes_per_role_per_day: 0"))
	id := s.start("p0")
	s.drain()
	if c := s.of(id); c.Outcome != decide.Reported || r.asked != 0 {
		t.Errorf("with no budget: %s, asked %d times", c.Outcome, r.asked)
	}
}
