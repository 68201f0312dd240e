package heal_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	since "github.com/buildmedic/buildmedic/internal/compare"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/ledger"
	"github.com/buildmedic/buildmedic/internal/simaws"
	"github.com/buildmedic/buildmedic/internal/story"
)

// itemLimit is what no item of the ledger may exceed.
const itemLimit = 100_000

// limited is a ledger that takes no larger items than limit.
type limited struct {
	heal.Store
	limit *int
	most  *int
}

func (s limited) Put(ctx context.Context, it heal.Item) (heal.Item, error) {
	n := heal.Packed(it.Data)
	oneByOne.Lock()
	defer oneByOne.Unlock()
	if n > *s.limit {
		return heal.Item{}, fmt.Errorf("writing %s %q: %d bytes: %w", it.Kind, it.ID, n, heal.ErrTooLarge)
	}
	*s.most = max(*s.most, n)
	return s.Store.Put(ctx, it)
}

func openLimited(t *testing.T, world, set string) (s *stage, limit, most *int) {
	t.Helper()
	limit, most = new(int), new(int)
	*limit = itemLimit
	s = &stage{t: t}
	st, err := story.Open(story.Story{Name: t.Name(), World: []byte(world), Settings: []byte(set),
		Expect: story.Expect{Project: "p0"}}, story.Options{Log: &s.log, Store: func(c heal.Clock) heal.Store {
		return limited{ledger.NewMemory(c), limit, most}
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(st.Close)
	s.Stage = st
	return s, limit, most
}

// noise is text that cannot be packed well.
func noise(r *rand.Rand, n int) string {
	var b strings.Builder
	for b.Len() < n {
		for range 4 + r.IntN(6) {
			b.WriteByte(byte('a' + r.IntN(26)))
		}
		b.WriteByte('/')
	}
	return b.String()[:n]
}

func denialLine(r *rand.Rand, n int) string {
	return "An error occurred (AccessDenied) when calling the PutObject operation: User is not authorized to perform: " +
		"s3:PutObject on resource: arn:aws:s3:::b/" + noise(r, n) +
		" because no identity-based policy allows the s3:PutObject action"
}

// printing is a shop whose build prints the lines and fails.
func printing(lines []string) string {
	return strings.Replace(shop(1, ""), "aws s3 cp x s3://dist/x",
		fmt.Sprintf("{run: ./x, fails: {prints: %q, exit: 1}}", strings.Join(lines, "\n")), 1)
}

// TestFloodOfDenials: a build that prints more denials than the ledger can keep
// is told like any other, and its case is closed.
func TestFloodOfDenials(t *testing.T) {
	for _, n := range []int{10, 50, 60, 320} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, uint64(n)))
			var lines []string
			for range n {
				lines = append(lines, denialLine(r, 1700))
			}
			s, _, most := openLimited(t, printing(lines), shopSettings(1, ""))
			id := s.start("p0")
			s.drain()
			c := s.of(id)
			if c.Closed.IsZero() || c.Outcome != decide.Reported || len(s.Sim.Notices()) != 1 || *most > itemLimit {
				t.Fatalf("closed %v, outcome %s, notices %q, largest item %d bytes", c.Closed, c.Outcome, s.subjects(), *most)
			}
			if n := len(c.Rounds[0].Diagnosis.Denials); n > 50 {
				t.Errorf("%d denials are kept", n)
			}
			want := fmt.Sprintf("%d of %d denials", n-50, n)
			if told := strings.Contains(s.Sim.Notices()[0].ByProtocol["sqs"], want); told != (n > 50) {
				t.Errorf("the notice says %q: %v", want, told)
			}
			if n > 50 && !strings.Contains(strings.Join(refusals(c), " "), string(guardrail.HostileText)) {
				t.Errorf("%d denials at once are refused for %v", n, refusals(c))
			}
			s.Sim.Clock.Advance(time.Hour)
			s.do(`{"sweep":{}}`)
		})
	}
}

// TestOneCommitFailsForDays: a commit that fails every hour is told every time,
// and its case stays small.
func TestOneCommitFailsForDays(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	var lines []string
	for range 60 {
		lines = append(lines, strings.ReplaceAll(noise(r, 990), "/", " "))
	}
	s, _, most := openLimited(t, printing(lines), shopSettings(1, ""))
	const builds = 45
	var ids []string
	for range builds {
		ids = append(ids, s.start("p0"))
		s.drain()
		s.Sim.Clock.Advance(time.Hour + time.Minute)
	}
	c := s.of(ids[0])
	if len(c.Rounds) > 20 || c.Past.Rounds+len(c.Rounds) != builds || *most > itemLimit {
		t.Errorf("%d rounds and %d more, largest item %d bytes", len(c.Rounds), c.Past.Rounds, *most)
	}
	if n := len(s.Sim.Notices()); n != builds {
		t.Errorf("%d notices of %d failures", n, builds)
	}
	// The events of builds that were dropped are delivered once more.
	before := len(s.Sim.Notices())
	for _, id := range ids[builds-40:] {
		b := s.Sim.Builds("p0")[0]
		if err := s.Inbox.Healer.BuildEnded(t.Context(), heal.Ended{At: s.Inbox.Healer.Home, Project: "p0", Build: id,
			Status: codebuild.Failed, End: b.End}); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(s.Sim.Notices()); n != before || len(s.of(ids[0]).Rounds) != len(c.Rounds) {
		t.Errorf("old events made %d more notices and %d rounds", n-before, len(s.of(ids[0]).Rounds)-len(c.Rounds))
	}
}

// TestHealedThroughNoise: a case whose diagnosis is kept only in part reads the
// log again when it is resumed, and decides as if nothing had been left out.
func TestHealedThroughNoise(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var runs []string
	for range 60 { // the build goes on after these
		runs = append(runs, fmt.Sprintf("{run: \"./x || true\", prints: %q}", denialLine(r, 1500)))
	}
	world := strings.Replace(shop(1, ""), "aws s3 cp x s3://dist/x", strings.Join(append(runs, "aws s3 cp x s3://dist/x"), ", "), 1)
	s, _, most := openLimited(t, world, shopSettings(1, ""))
	n := 0
	s.Sim.Hook(func(c simaws.Call) simaws.Fault {
		if c.Operation != "SimulatePrincipalPolicy" || c.Done {
			return simaws.Fault{}
		}
		if n++; n > 8 {
			return simaws.Fault{}
		}
		return simaws.Fault{Code: "Throttling"}
	})
	id := s.start("p0")
	s.drain()
	if c := s.of(id); c.Outcome != decide.Healed || len(c.Rounds) != 1 || n < 9 || *most > itemLimit {
		t.Errorf("outcome %s, %v, after %d calls, largest item %d bytes", c.Outcome, refusals(c), n, *most)
	}
}

// TestTooLargeForTheLedger: a case that the ledger cannot hold at all is told
// and closed, and nothing comes back for it.
func TestTooLargeForTheLedger(t *testing.T) {
	s, limit, _ := openLimited(t, shop(1, ""), shopSettings(1, ""))
	first := s.start("p0")
	s.drain()
	if c := s.of(first); c.Outcome != decide.Healed {
		t.Fatalf("outcome %s", c.Outcome)
	}
	*limit = 4000
	s.Sim.Clock.Advance(time.Hour)
	if err := s.Sim.PutRolePolicy("role-0", "healed", `{"Version": "2012-10-17", "Statement": [`+logs+`]}`); err != nil {
		t.Fatal(err)
	}
	before := len(s.Sim.Notices())
	id := s.start("p0")
	s.drain()
	c := s.of(id)
	if c.Closed.IsZero() || c.Outcome != decide.Failed || len(s.Sim.Notices()) != before+1 {
		t.Fatalf("closed %v, outcome %s, notices %q", c.Closed, c.Outcome, s.subjects())
	}
	for _, want := range []string{"too large for the ledger", "inline policy healed of role role-0"} {
		if body := s.Sim.Notices()[before].ByProtocol["email"]; !strings.Contains(body, want) {
			t.Errorf("the notice does not say %q:\n%s", want, body)
		}
	}
	for range 3 {
		s.Sim.Clock.Advance(time.Hour)
		s.do(`{"sweep":{}}`)
		s.drain()
	}
	if n := len(s.Sim.Notices()); n != before+1 {
		t.Errorf("%d notices", n-before)
	}
}

// randomCase is a case as hostile builds can make it, and as the healer lets it
// become: every plan has passed [heal.WithRoom].
func randomCase(t *testing.T, r *rand.Rand) decide.Case {
	text := func(n int) string { return noise(r, 1+r.IntN(n)) }
	at := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	c := decide.Case{ID: text(16), Account: "111122223333", Region: "eu-west-1", Project: text(150), Commit: text(64), Opened: at}
	role := "arn:aws:iam::111122223333:role/" + text(500)
	build := func() string { return c.Project + ":" + noise(r, 36) }
	big := 1 << r.IntN(12)
	for i := range 1 + r.IntN(80) {
		at = at.Add(time.Hour)
		round := decide.Round{Started: at, Step: decide.StepDone, Tries: r.IntN(9), Token: text(80),
			Build: codebuild.Build{ID: build(), ARN: "arn:" + build(), Project: c.Project, ServiceRole: role, Initiator: text(150),
				SourceVersion: text(150), ResolvedSourceVersion: c.Commit, Image: text(200), EncryptionKey: text(150),
				Start: at, End: at.Add(time.Minute), Logs: codebuild.Logs{Group: text(512), Stream: text(512), DeepLink: text(1000)}}}
		for range r.IntN(12) {
			round.Build.Phases = append(round.Build.Phases, codebuild.Phase{Type: text(20), Status: codebuild.Failed,
				Contexts: []codebuild.Context{{Code: text(30), Message: text(1 + big*4)}}})
		}
		g := diagnose.Diagnosis{Cause: text(30), Title: text(300), Advice: text(2000), Fingerprint: text(16),
			Evidence: diagnose.Evidence{Text: text(2000)}, Details: map[string]string{"x": text(2000)}}
		for range r.IntN(321) >> r.IntN(4) {
			g.Denials = append(g.Denials, buildlog.Denial{Principal: text(big), Action: text(60), Operation: text(60),
				Resource: text(big), Text: text(big), Causal: r.IntN(3) > 0})
		}
		for n := range r.IntN(41) {
			g.Excerpt = append(g.Excerpt, buildlog.Line{N: n, Text: text(1000)})
		}
		d := decide.Decision{Mode: "heal", Remedy: diagnose.Grant, Why: text(300)}
		for range r.IntN(60) {
			d.Refusals = append(d.Refusals, guardrail.Refusal{Rule: guardrail.Rules[r.IntN(len(guardrail.Rules))],
				Action: text(60), Resource: text(big), Message: text(1000), Entry: text(2 * big)})
		}
		round.Diagnosis, round.Decision = &g, &d
		if r.IntN(2) == 0 {
			round.Since = &since.Since{Build: build(), Commit: c.Commit, Link: text(600)}
			for range r.IntN(since.MaxLines + 1) {
				round.Since.Lines = append(round.Since.Lines, since.Line{Text: text(900)})
				round.Since.Changes = append(round.Since.Changes, since.Change{What: text(300), Was: text(300), Is: text(300)})
			}
		}
		c.Rounds = append(c.Rounds, round)
		last := &c.Rounds[i]
		if r.IntN(2) == 0 {
			p := &decide.Plan{Case: c.ID, Build: build(), Project: c.Project, Role: role, Remedy: diagnose.Grant,
				Route: decide.RouteBuild}
			if r.IntN(2) == 0 {
				p.Write = &guardrail.Target{Kind: guardrail.Inline, Name: text(128), Before: text(5000), After: text(10240)}
			}
			for range r.IntN(51) {
				p.Proof = append(p.Proof, guardrail.Question{Action: text(60), Resource: text(big)})
			}
			d.Plan = p
			got, err := heal.WithRoom(c, d)
			if err != nil {
				t.Fatal(err)
			}
			last.Decision = &got
			if got.Plan != nil && r.IntN(8) > 0 {
				last.RetryAt, last.Retry = at, build()
				if got.Plan.Write != nil {
					last.Written = at
				}
				if r.IntN(3) == 0 {
					last.Undone = at
				}
			}
		}
		if r.IntN(6) == 0 {
			c.Outbox = append(c.Outbox, decide.Pending{ID: text(20), Kind: decide.Reported, Round: i, At: at, Note: text(9000)})
		}
		for range r.IntN(6) {
			c.Others = append(c.Others, build())
		}
	}
	last := &c.Rounds[len(c.Rounds)-1]
	switch {
	case r.IntN(2) == 0:
		c.Closed, c.Outcome = at, decide.Reported
		if last.Decision.Plan != nil && last.ToldOnly() {
			c.Outcome = decide.Proposed
		}
	case last.Decision.Plan != nil:
		last.Step = []decide.Step{decide.StepDecided, decide.StepWriting, decide.StepWritten, decide.StepRetried}[r.IntN(4)]
	default:
		last.Step = decide.StepReceived
	}
	return c
}

// TestEveryItemIsSmall: whatever a case has come to, what is put into the
// ledger is below the limit, and holds what undoing and going on need.
func TestEveryItemIsSmall(t *testing.T) {
	most := 0
	for seed := range uint64(10) {
		r := rand.New(rand.NewPCG(7, seed))
		c := randomCase(t, r)
		was, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		data, err := heal.Storable(c)
		if err != nil {
			t.Fatal(err)
		}
		if now, _ := json.Marshal(c); string(now) != string(was) {
			t.Fatalf("seed %d: the case itself was changed", seed)
		}
		var got decide.Case
		if err := json.Unmarshal(data, &got); err != nil {
			t.Fatal(err)
		}
		most = max(most, heal.Packed(data))
		if n := heal.Packed(data); n > itemLimit {
			t.Errorf("seed %d: %d bytes", seed, n)
		}
		holdsWhatIsNeeded(t, seed, c, got)
		again, err := heal.Storable(got)
		if err != nil || heal.Packed(again) > itemLimit {
			t.Errorf("seed %d: stored again it has %d bytes, %v", seed, heal.Packed(again), err)
		}
		o := decide.Outcome{ID: "x", Kind: decide.Reported, Case: c, Round: r.IntN(len(c.Rounds))}
		data, err = heal.StoredOutcome(o)
		if err != nil || heal.Packed(data) > itemLimit {
			t.Errorf("seed %d: a notice of %d bytes, %v", seed, heal.Packed(data), err)
		}
		var kept decide.Outcome
		if err := json.Unmarshal(data, &kept); err != nil || kept.Case.Rounds[kept.Round].Build.ID != c.Rounds[o.Round].Build.ID {
			t.Errorf("seed %d: the notice tells of another build, %v", seed, err)
		}
	}
	t.Logf("the largest item has %d bytes", most)
	if most < heal.MaxData/2 {
		t.Errorf("the largest item has only %d bytes: the cases are too small to show anything", most)
	}
}

// holdsWhatIsNeeded compares what undoing, going on and the budgets read.
func holdsWhatIsNeeded(t *testing.T, seed uint64, c, got decide.Case) {
	t.Helper()
	needed := func(c decide.Case) (out []string) {
		for _, p := range c.Changes() {
			out = append(out, fmt.Sprint(p.Write, p.Role, p.Route))
		}
		for _, r := range c.Rounds {
			if !r.ToldOnly() {
				out = append(out, fmt.Sprint(r.Build.ID, r.Build.ServiceRole, r.Build.SourceVersion, r.Retry, r.RetryAt,
					r.Written, r.Undone))
			}
		}
		last := c.Rounds[len(c.Rounds)-1]
		out = append(out, last.Build.ID, string(last.Step), fmt.Sprint(c.Past.Rounds+len(c.Rounds)),
			fmt.Sprint(c.Past.Others+len(c.Others)))
		if c.Outcome == decide.Proposed {
			out = append(out, last.Decision.Plan.Hash())
		}
		told := len(c.Outbox)
		for _, p := range c.Outbox {
			told += p.Repeats
		}
		return append(out, fmt.Sprint(told))
	}
	if a, b := needed(c), needed(got); !reflect.DeepEqual(a, b) {
		t.Errorf("seed %d: what is needed is lost:\n%.300q\n%.300q", seed, a, b)
	}
	for i, p := range got.Outbox {
		j := len(c.Outbox) - len(got.Outbox) + i
		if got.Rounds[p.Round].Build.ID != c.Rounds[c.Outbox[j].Round].Build.ID {
			t.Errorf("seed %d: notice %d tells of another build", seed, i)
		}
	}
}
