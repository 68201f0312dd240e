package heal_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/simaws"
	"github.com/buildmedic/buildmedic/internal/story"
)

const hostToken = "github_pat_11SIMULATED0000000000_simulatedsimulated"

// hosted is a world with n projects of one repository, and the code host that it is at.
func hosted(n int, permissions string) string {
	return shop(n, `    source: {type: GITHUB, location: "https://github.com/example/shop.git"}`+"\n") +
		"secrets: {github: '{\"token\": \"" + hostToken + "\"}'}\n" +
		"github: {token: " + hostToken + ", permissions: [" + permissions + "], repositories: [example/shop]}\n"
}

// versions gives the world's projects these branches and pull requests.
func versions(world string, refs ...string) string {
	var b strings.Builder
	b.WriteString("    versions:\n")
	for _, ref := range refs {
		b.WriteString("      - {ref: " + ref + "}\n")
	}
	return strings.ReplaceAll(world, "    buildspecs:", b.String()+"    buildspecs:")
}

// telling are the settings of n projects whose developers are told.
func telling(n int, how, limits string) string {
	return strings.ReplaceAll("code: {github: {secret: github}, tell: "+how+"}\n"+shopSettings(n, limits),
		", mode: heal,",
		", mode: heal, code: {github: example/shop},")
}

// states are the states of the statuses, in their order.
func (s *stage) states() (out []string) {
	for _, c := range s.Sim.Statuses() {
		out = append(out, c.State)
	}
	return out
}

// toldLines are the journal's lines about the code host.
func (s *stage) toldLines() (out []map[string]any) {
	s.t.Helper()
	for l := range strings.Lines(s.Journal.String()) {
		if !strings.Contains(l, `"buildmedic.code/1"`) {
			continue
		}
		var m map[string]any
		if err := json.Unmarshal([]byte(l), &m); err != nil {
			s.t.Fatal(err)
		}
		out = append(out, m)
	}
	return out
}

func (s *stage) results() (out []string) {
	for _, l := range s.toldLines() {
		out = append(out, l["Result"].(string))
	}
	return out
}

func onHost(c simaws.Call) bool { return c.Service == "github" }

// TestDevelopersAreToldLast: nothing is asked of the code host before the case's outcome is
// recorded and the team is told; and each of several failures of a batch is dealt with before.
func TestDevelopersAreToldLast(t *testing.T) {
	s := open(t, hosted(3, "statuses"), telling(3, "commit-status", ""))
	for i := range 3 {
		s.start(fmt.Sprint("p", i))
	}
	s.drain()
	if got := s.states(); len(got) != 6 || !slices.Equal(got[3:], []string{"success", "success", "success"}) {
		t.Errorf("states: %q", got)
	}
	before := ""
	for _, c := range s.Sim.Calls() {
		if onHost(c) && before != "github" && before != "secretsmanager" && before != "sns" {
			t.Errorf("%s comes behind a call of %s", c, before)
		}
		before = c.Service
	}
	contexts := map[string]bool{}
	for _, c := range s.Sim.Statuses() {
		contexts[c.Context] = true
	}
	if len(contexts) != 3 { // one commit, three projects
		t.Errorf("contexts: %v", contexts)
	}
	if got := s.results(); len(got) != 6 || slices.ContainsFunc(got, func(r string) bool { return r != "told" }) {
		t.Errorf("journal: %q", got)
	}
}

// TestCodeHostDown: while the code host is down, heals and notices are what they are without it, it
// is asked once a minute at most, and a sweep tells what was left, as it is then.
func TestCodeHostDown(t *testing.T) {
	plain := open(t, hosted(1, "statuses"), shopSettings(1, ""))
	plain.start("p0")
	plain.drain()
	for name, fault := range map[string]simaws.Fault{
		"502":        {Code: "bad gateway", Status: 502},
		"too fast":   {Throttle: true},
		"cut":        {Cut: true},
		"no sign-in": {Code: "x", Status: 500, Message: "{"},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, hosted(1, "statuses"), telling(1, "commit-status", ""))
			s.Sim.Hook(func(c simaws.Call) simaws.Fault {
				if onHost(c) && !c.Done {
					return fault
				}
				return simaws.Fault{}
			})
			id := s.start("p0")
			s.drain()
			if got, want := s.subjects(), plain.subjects(); !slices.Equal(got, want) {
				t.Errorf("notices: %q, want %q", got, want)
			}
			if c := s.of(id); c.Outcome != "healed" || len(c.Outbox) > 0 || len(s.states()) > 0 {
				t.Errorf("outcome %q, outbox %v, states %q", c.Outcome, c.Outbox, s.states())
			}
			s.Sim.Unhook()
			s.Sim.Clock.Advance(16 * time.Minute)
			s.do(`{"sweep":{}}`)
			if got := s.states(); !slices.Equal(got, []string{"success"}) {
				t.Errorf("after the sweep: %q", got)
			}
			if got := s.results(); got[0] != "later" || got[len(got)-1] != "told" ||
				strings.Contains(s.Journal.String(), hostToken) {
				t.Errorf("journal: %q", got)
			}
			s.Sim.Clock.Advance(16 * time.Minute)
			s.do(`{"sweep":{}}`)
			if got := s.states(); len(got) != 1 {
				t.Errorf("told again: %q", got)
			}
		})
	}
}

// TestTellingDropped: what could not be told for two hours is dropped, with the reason.
func TestTellingDropped(t *testing.T) {
	s := open(t, hosted(1, "statuses"), telling(1, "commit-status", ""))
	s.Sim.Hook(func(c simaws.Call) simaws.Fault { return simaws.Fault{Cut: onHost(c) && !c.Done} })
	s.start("p0")
	s.drain()
	for range 10 {
		s.Sim.Clock.Advance(15 * time.Minute)
		s.do(`{"sweep":{}}`)
	}
	s.Sim.Unhook()
	s.do(`{"sweep":{}}`)
	lines := s.toldLines()
	if last := lines[len(lines)-1]; last["Result"] != "dropped" ||
		last["Why"] != "it could not be told within 2h0m0s" || len(s.states()) > 0 {
		t.Errorf("last %v, states %q", last, s.states())
	}
}

// TestCrashWhileTelling: a function that dies while it tells has lost nothing: a sweep tells again,
// and what is told is the same.
func TestCrashWhileTelling(t *testing.T) {
	for _, done := range []bool{false, true} {
		for n := 1; n <= 2; n++ { // the first telling, the second
			s := open(t, hosted(1, "statuses"), telling(1, "commit-status", ""))
			seen := 0
			s.Sim.Hook(func(c simaws.Call) simaws.Fault {
				if onHost(c) && c.Done == done {
					seen++
				}
				return simaws.Fault{Crash: onHost(c) && c.Done == done && seen == n}
			})
			id := s.start("p0")
			for {
				if ms := story.NextBatch(context.Background(), s.Sim, 1); len(ms) == 0 {
					break
				} else if _, err := s.DeliverBatch(context.Background(), ms...); err != nil {
					t.Fatal(err)
				} else {
					ms[0].Ack()
				}
				if seen == n {
					break
				}
			}
			s.Sim.Unhook()
			if err := s.Restart(); err != nil {
				t.Fatal(err)
			}
			s.drain()
			s.Sim.Clock.Advance(16 * time.Minute)
			s.do(`{"sweep":{}}`)
			got := s.Sim.Statuses()
			if c := s.of(id); c.Outcome != "healed" || len(got) == 0 || got[len(got)-1].State != "success" {
				t.Errorf("dead at telling %d (its effect %v): outcome %q, statuses %+v", n, done, c.Outcome, got)
			}
		}
	}
}

// TestCodeHostFault: what a person must mend is in the journal each time, and in one notice.
func TestCodeHostFault(t *testing.T) {
	s := open(t, hosted(2, "issues"), telling(2, "commit-status", ""))
	s.start("p0")
	s.drain()
	s.start("p1")
	s.drain()
	const says = "need the repository and the permission Commit statuses: Read and write"
	var told []int
	for i, n := range s.Sim.Notices() {
		if strings.Contains(strings.Join(strings.Fields(n.ByProtocol["email"]), " "), says) {
			told = append(told, i)
		}
	}
	if !slices.Equal(told, []int{1}) { // of the first failure the first notice was sent before
		t.Errorf("notices that say it: %v of %q", told, s.subjects())
	}
	for _, l := range s.toldLines() {
		if l["Result"] != "fault" || l["CodeHostNotTold"] != 1.0 || !strings.Contains(l["Why"].(string), says) {
			t.Errorf("journal: %v", l)
		}
	}
	if n := len(s.toldLines()); n != 4 {
		t.Errorf("%d lines", n)
	}
	s.Sim.Clock.Advance(25 * time.Hour)
	for range 2 {
		s.start("p0") // which is healed by now
		s.drain()
	}
}

// faultyHost is a code host at which a person must mend now this, now that.
type faultyHost struct{ n int }

func (h *faultyHost) Status(context.Context, decide.Telling) error {
	h.n++
	return heal.FaultError{Says: fmt.Sprintf("fault %c", 'A'+h.n%2)}
}

func (h *faultyHost) Comment(context.Context, []decide.Telling, int64) (int64, error) { return 0, nil }

// TestAlternatingFaults: two faults that alternate are told once each within a day.
func TestAlternatingFaults(t *testing.T) {
	const n = 8
	refs := []string{"refs/heads/main"}
	for i := range n {
		refs = append(refs, fmt.Sprintf("refs/heads/b%d", i))
	}
	world := strings.NewReplacer("aws s3 cp x s3://dist/x",
		`{run: npm test, fails: {prints: "1 failing"}}`).Replace(hosted(1, "statuses"))
	s := open(t, versions(world, refs...), telling(1, "commit-status", ""))
	s.Inbox.Healer.CodeHost = &faultyHost{}
	for _, ref := range refs[1:] {
		if _, err := s.Sim.Run(simaws.Start{Project: "p0", Version: ref}); err != nil {
			t.Fatal(err)
		}
		s.drain()
	}
	said := map[string]int{}
	for _, notice := range s.Sim.Notices() {
		for _, fault := range []string{"fault A", "fault B"} {
			if strings.Contains(strings.Join(strings.Fields(notice.ByProtocol["email"]), " "), fault) {
				said[fault]++
			}
		}
	}
	if results := s.results(); len(results) < n || said["fault A"] != 1 || said["fault B"] != 1 {
		t.Errorf("notices said %v; journal %q", said, results)
	}
}

// TestGreenByAnother: a status that is red turns green once somebody else's build of the same commit
// is green, and stays red for a build of another commit.
func TestGreenByAnother(t *testing.T) {
	world := strings.NewReplacer("aws s3 cp x s3://dist/x", `{run: npm test, fails: {times: 1, prints: "1 failing"}}`).
		Replace(hosted(1, "statuses"))
	s := open(t, versions(world, "refs/heads/main", "refs/heads/x"), telling(1, "commit-status", ""))
	id := s.start("p0")
	s.drain()
	if c := s.of(id); c.Outcome == "healed" || !slices.Equal(s.states(), []string{"failure"}) {
		t.Fatalf("outcome %q, states %q", c.Outcome, s.states())
	}
	s.do(`{"sweep":{}}`)
	for _, version := range []string{"refs/heads/x", "refs/heads/x", "refs/heads/main"} {
		if _, err := s.Sim.Run(simaws.Start{Project: "p0", Version: version, Initiator: "alice"}); err != nil {
			t.Fatal(err)
		}
		s.drain()
		s.Sim.Clock.Advance(16 * time.Minute)
		s.do(`{"sweep":{}}`)
	}
	var main []string
	for _, c := range s.Sim.Statuses() {
		if c.Commit == s.of(id).Commit {
			main = append(main, c.State+" "+strings.Split(c.Description, ":")[0])
		}
	}
	if main = slices.Compact(main); !slices.Equal(main, []string{"failure Not healed", "success Green again"}) {
		t.Errorf("states: %q", main)
	}
}

// TestLongOutage: what takes the place of something that was told is told however long the code host
// is down, and however long the build ran, within days.
func TestLongOutage(t *testing.T) {
	for name, fault := range map[string]simaws.Fault{"502": {Code: "bad gateway", Status: 502},
		"a revoked token": {Code: "x", Status: 401}} {
		s := open(t, hosted(1, "statuses"), telling(1, "commit-status", ""))
		id := s.start("p0")
		for len(s.states()) == 0 {
			m, ok := s.Sim.NextMessage(context.Background())
			if !ok {
				t.Fatal("nothing is told")
			}
			if _, err := s.Deliver(context.Background(), m); err != nil {
				t.Fatal(err)
			}
			m.Ack()
		}
		s.Sim.Hook(func(c simaws.Call) simaws.Fault {
			if onHost(c) && !c.Done {
				return fault
			}
			return simaws.Fault{}
		})
		s.drain()
		for range 24 {
			s.Sim.Clock.Advance(2 * time.Hour)
			s.do(`{"sweep":{}}`)
		}
		if got := s.states(); !slices.Equal(got, []string{"pending"}) {
			t.Fatalf("%s: %q while it is down", name, got)
		}
		s.Sim.Unhook()
		s.Sim.Clock.Advance(2 * time.Hour)
		s.do(`{"sweep":{}}`)
		if got := s.states(); s.of(id).Outcome != "healed" || !slices.Equal(got, []string{"pending", "success"}) {
			t.Errorf("%s: %q at last", name, got)
		}
	}
}

// TestNoLongerWaits: a commit does not say that a plan waits for an approval once it was rejected or
// is too old.
func TestNoLongerWaits(t *testing.T) {
	for _, reject := range []bool{false, true} {
		s := open(t, hosted(1, "statuses"), strings.Replace(telling(1, "commit-status", ""), "mode: heal", "mode: propose", 1))
		id := s.start("p0")
		s.drain()
		says := func() (out []string) {
			for _, c := range s.Sim.Statuses() {
				out = append(out, strings.Split(c.Description, ":")[0])
			}
			return out
		}
		if got := says(); !slices.Equal(got, []string{"Waits for approval"}) {
			t.Fatalf("before: %q", got)
		}
		r := last(s.of(id).Rounds)
		if reject {
			if a := s.do(fmt.Sprintf(`{"reject":{"plan":%q}}`, r.Decision.Plan.Hash())); !a.Done {
				t.Fatalf("reject: %+v", a)
			}
		} else {
			s.Sim.Clock.Advance(r.Until.Add(-time.Minute).Sub(s.Sim.Clock.Now()))
			if s.do(`{"sweep":{}}`); len(says()) > 1 {
				t.Errorf("told while it waits: %q", says())
			}
		}
		for range 2 {
			s.Sim.Clock.Advance(16 * time.Minute)
			s.do(`{"sweep":{}}`)
		}
		if got := says(); !slices.Equal(got, []string{"Waits for approval", "Not healed"}) {
			t.Errorf("rejected %v: %q", reject, got)
		}
	}
}

// TestToldInAStorm: a sweep that had no time for anything more still tells.
func TestToldInAStorm(t *testing.T) {
	s := open(t, hosted(1, "statuses"), telling(1, "commit-status", ""))
	s.Sim.Hook(func(c simaws.Call) simaws.Fault { return simaws.Fault{Cut: onHost(c) && !c.Done} })
	s.start("p0")
	s.drain()
	s.Sim.Unhook()
	s.Sim.Clock.Advance(16 * time.Minute)
	for _, row := range []struct {
		left time.Duration // the inbox keeps 20 seconds of it
		told int
	}{{30 * time.Second, 0}, {60 * time.Second, 1}} {
		ctx, cancel := context.WithTimeout(context.Background(), row.left)
		if _, err := s.Inbox.Invoke(ctx, json.RawMessage(`{"sweep":{}}`)); err != nil {
			t.Fatal(err)
		}
		cancel()
		if got := s.states(); len(got) != row.told {
			t.Errorf("with %s left: %q", row.left, got)
		}
	}
}

// TestUndoneStaysGreen: taking a change back makes no green build red, neither of a case that was
// healed nor of one that did not know yet that its build was green.
func TestUndoneStaysGreen(t *testing.T) {
	for _, unheard := range []bool{false, true} {
		s := open(t, hosted(1, "statuses"), telling(1, "commit-status", ""))
		id := s.start("p0")
		if unheard {
			s.step(id, decide.StepRetried)
			m, ok := s.Sim.NextMessage(context.Background())
			if !ok {
				t.Fatal("no event of the build that was started again")
			}
			s.undo(id)
			if _, err := s.Deliver(context.Background(), m); err != nil {
				t.Fatal(err)
			}
			m.Ack()
		} else {
			s.drain()
			s.undo(id)
		}
		s.drain()
		s.Sim.Clock.Advance(16 * time.Minute)
		s.do(`{"sweep":{}}`)
		c := s.of(id)
		got := s.Sim.Statuses()
		now := got[len(got)-1]
		if c.Outcome != decide.Undone || now.State != "success" ||
			!strings.Contains(now.URL, strings.ReplaceAll(last(c.Rounds).Retry, ":", "%3A")) {
			t.Errorf("unheard %v: outcome %q, statuses %+v", unheard, c.Outcome, got)
		}
	}
}

// TestOneCommentAPullRequest: several projects that build one pull request have one comment, with a
// line each, and it is edited.
func TestOneCommentAPullRequest(t *testing.T) {
	s := open(t, versions(hosted(2, "pull_requests"), "refs/heads/main", "pr/7", "pr/8"), telling(2,
		"pull-request-comment", ""))
	for _, version := range []string{"pr/7", "pr/8", "refs/heads/main"} {
		for _, p := range []string{"p0", "p1"} {
			if _, err := s.Sim.Run(simaws.Start{Project: p, Version: version}); err != nil {
				t.Fatal(err)
			}
		}
	}
	s.drain()
	all := s.Sim.PullComments()
	if len(all) != 2 {
		t.Fatalf("comments: %+v", all)
	}
	for _, c := range all {
		if strings.Count(c.Body, "- **Not healed** `p0`") != 1 || strings.Count(c.Body, "- **Not healed** `p1`") != 1 ||
			strings.Count(c.Body, "\n") != 3 {
			t.Errorf("#%d says %q", c.Pull, c.Body)
		}
	}
	if len(s.states()) > 0 {
		t.Errorf("states: %q", s.states())
	}
}

// TestBusyPullRequest: a pull request whose comment cannot be made at this moment keeps no other one
// waiting, not in the invocation and not in a sweep.
func TestBusyPullRequest(t *testing.T) {
	s := open(t, versions(hosted(1, "pull_requests"), "refs/heads/main", "pr/7", "pr/8"), telling(1,
		"pull-request-comment", ""))
	data := fmt.Appendf(nil, `{"lines":[],"making":%q}`, s.Sim.Clock.Now().Add(time.Hour).Format(time.RFC3339))
	if _, err := s.Store.Put(context.Background(), heal.Item{Kind: "pull", ID: "github.com/example/shop#7", Data: data,
		Expires: s.Sim.Clock.Now().Add(24 * time.Hour)}); err != nil {
		t.Fatal(err)
	}
	for _, version := range []string{"pr/7", "pr/8"} {
		if _, err := s.Sim.Run(simaws.Start{Project: "p0", Version: version}); err != nil {
			t.Fatal(err)
		}
	}
	s.drainAll()
	pulls := func() (out []int) {
		for _, c := range s.Sim.PullComments() {
			out = append(out, c.Pull)
		}
		return out
	}
	if got := pulls(); !slices.Equal(got, []int{8}) || !slices.Contains(s.results(), "later") {
		t.Errorf("comments on %v, journal %q", got, s.results())
	}
	for range 5 {
		s.Sim.Clock.Advance(16 * time.Minute)
		s.do(`{"sweep":{}}`)
	}
	if got := pulls(); !slices.Equal(got, []int{8, 7}) {
		t.Errorf("comments on %v at last", got)
	}
}

// TestCommandsTellLater: a person's command is answered before anything is asked of the code host.
func TestCommandsTellLater(t *testing.T) {
	s := open(t, hosted(1, "statuses"), telling(1, "commit-status", ""))
	id := s.start("p0")
	s.drain()
	before := len(s.Sim.Exchanges())
	s.undo(id)
	s.do(`{"status":{}}`)
	if n := len(s.Sim.Exchanges()) - before; n > 0 {
		t.Errorf("%d calls while a person waits", n)
	}
	s.Sim.Clock.Advance(16 * time.Minute)
	s.do(`{"sweep":{}}`)
	if n := len(s.Sim.Exchanges()) - before; n != 1 {
		t.Errorf("%d calls in the sweep", n)
	}
	s.start("p0") // the id is still remembered, and need not be told again
	s.drain()
	for _, c := range s.Sim.Statuses()[3:] {
		if c.Description == s.Sim.Statuses()[2].Description {
			t.Errorf("told again: %+v", c)
		}
	}
}

// slowHost is a code host that notes how long it may take.
type slowHost struct{ may []time.Duration }

func (h *slowHost) Status(ctx context.Context, _ decide.Telling) error {
	end, _ := ctx.Deadline()
	h.may = append(h.may, time.Until(end))
	return nil
}

func (h *slowHost) Comment(context.Context, []decide.Telling, int64) (int64, error) { return 1, nil }

// TestTellingIsShort: telling holds the answer to a batch for a few seconds at most, and that to a
// full one not at all.
func TestTellingIsShort(t *testing.T) {
	s := open(t, hosted(1, "statuses"), telling(1, "commit-status", ""))
	slow := &slowHost{}
	s.Inbox.Healer.CodeHost = slow
	s.start("p0")
	ms := story.NextBatch(context.Background(), s.Sim, 1)
	full := slices.Repeat(ms, 10)
	if _, err := s.DeliverBatch(context.Background(), full...); err != nil || len(slow.may) > 0 {
		t.Errorf("after a full batch %d are told, %v", len(slow.may), err)
	}
	ms[0].Ack()
	s.drain()
	if len(slow.may) == 0 {
		t.Error("nothing was told")
	}
	for _, d := range slow.may {
		if d > 5*time.Second {
			t.Errorf("it may take %s", d)
		}
	}
}

// TestStormOfTellings: a storm asks no more of the code host than it lets through, and all is told.
func TestStormOfTellings(t *testing.T) {
	const n = 120
	refs := []string{"refs/heads/main"}
	for i := range n {
		refs = append(refs, fmt.Sprintf("refs/heads/b%d", i))
	}
	world := strings.NewReplacer("aws s3 cp x s3://dist/x",
		`{run: npm test, fails: {prints: "1 failing"}}`).Replace(hosted(1, "statuses"))
	s := open(t, versions(world, refs...), telling(1, "commit-status", "")+"notify: {digest: 1000}\n")
	for i := range n {
		if _, err := s.Sim.Run(simaws.Start{Project: "p0", Version: fmt.Sprintf("refs/heads/b%d", i)}); err != nil {
			t.Fatal(err)
		}
	}
	s.drainAll()
	if got := len(s.subjects()); got < n {
		t.Errorf("%d notices", got)
	}
	for range 12 {
		s.Sim.Clock.Advance(15 * time.Minute)
		s.do(`{"sweep":{}}`)
	}
	results := map[string]int{}
	for _, r := range s.results() {
		results[r]++
	}
	t.Logf("%d failures: %v; GitHub was asked %d times", n, results, len(s.Sim.Exchanges()))
	if results["told"] != n || len(results) > 1 {
		t.Errorf("results: %v", results)
	}
	s.withinLimits()
}

// TestBacklogOfTellings: of more than can be told within two hours, as much is told as the limits
// allow, and the rest is dropped with a reason.
func TestBacklogOfTellings(t *testing.T) {
	s := open(t, hosted(1, "statuses"), telling(1, "commit-status", ""))
	id := s.start("p0")
	s.drain()
	one := s.of(id)
	const n = 2000
	for i := range n {
		one.ID = fmt.Sprintf("%016x", i)
		data, err := json.Marshal(one)
		if err != nil {
			t.Fatal(err)
		}
		now := s.Sim.Clock.Now()
		for _, it := range []heal.Item{{Kind: "case", ID: one.ID, Data: data, Expires: now.Add(24 * time.Hour)},
			{Kind: "telling", ID: one.ID, Due: now, Expires: now.Add(24 * time.Hour),
				Data: fmt.Appendf(nil, `{"since":%q}`, now.Format(time.RFC3339))}} {
			if _, err := s.Store.Put(context.Background(), it); err != nil {
				t.Fatal(err)
			}
		}
	}
	for range 10 {
		s.do(`{"sweep":{}}`)
		s.Sim.Clock.Advance(15 * time.Minute)
	}
	results := map[string]int{}
	for _, r := range s.results()[2:] {
		results[r]++
	}
	t.Logf("%d tellings: %v", n, results)
	if results["told"]+results["dropped"] != n || results["told"] < 400 || len(results) > 2 {
		t.Errorf("results: %v", results)
	}
	s.withinLimits()
}

// withinLimits ensures that the code host never had enough.
func (s *stage) withinLimits() {
	t := s.t
	t.Helper()
	for _, e := range s.Sim.Exchanges() {
		if e.Status == 403 {
			t.Fatalf("GitHub had enough: %s", e.Response)
		}
	}
	at := map[string]int{}
	for _, c := range s.Sim.Statuses() {
		at[c.At.Format("15:04")]++
	}
	for minute, k := range at {
		if k > 61 {
			t.Errorf("%s: %d in a minute", minute, k)
		}
	}
}

// drainAll is drain for more messages than a story may take.
func (s *stage) drainAll() {
	s.t.Helper()
	for {
		ms := story.NextBatch(context.Background(), s.Sim, 10)
		if len(ms) == 0 {
			return
		}
		again, err := s.DeliverBatch(context.Background(), ms...)
		if err != nil {
			s.t.Fatal(err)
		}
		for _, m := range ms {
			if slices.Contains(again, m.ID) {
				m.Nack()
			} else {
				m.Ack()
			}
		}
	}
}
