package soak

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/ledger"
	"github.com/buildmedic/buildmedic/internal/simaws"
	"github.com/buildmedic/buildmedic/internal/story"
)

// TestChaos plays small worlds in which everything goes wrong by a seed:
// events are lost, doubled, late and out of order, calls are throttled, cut
// before and after their effect, IAM takes up to minutes, the function's
// clock is wrong, the function dies, and strangers write policies between our
// reads and our writes. After each run nothing may be lost or doubled.
//
// With one worker a run is the same for the same seed. Every fourth run has
// four workers, whose order is the scheduler's.
func TestChaos(t *testing.T) {
	runs := 200
	if *long {
		runs = 4000
	}
	t.Logf("seed %d", *seed)
	var sum chaosSum
	t.Run("seeds", func(t *testing.T) {
		for i := range 8 {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				t.Parallel()
				for n := i; n < runs; n += 8 {
					if !chaos(t, *seed+int64(n), &sum) {
						return
					}
				}
			})
		}
	})
	t.Logf("%d runs: %d failed builds in %d cases (%v), %d builds started by the healer, of which %d followed "+
		"another, %d strangers' writes, %d notices of which %d sent again, %d messages given up and found by the sweep",
		sum.runs, sum.failed, sum.cases, sum.outcomes, sum.started, sum.followed, sum.strangers, sum.notices, sum.again, sum.dead)
}

type chaosSum struct {
	mu sync.Mutex

	runs, failed, cases, started, followed, strangers, notices, again, dead int

	outcomes map[decide.Kind]int
}

type skewed struct {
	heal.Clock
	by time.Duration
}

func (s skewed) Now() time.Time { return s.Clock.Now().Add(s.by) }

func chaos(t *testing.T, seed int64, sum *chaosSum) bool {
	rng := rand.New(rand.NewPCG(uint64(seed), 7))
	w := newChaosWorld(rng, seed)
	r := &run{life: &life{at: point{n: rng.IntN(150) + 1, after: rng.IntN(2) == 0, ledger: rng.IntN(2) == 0}}}
	st, err := story.Open(w.story(), story.Options{
		Sim: func(s *simaws.Sim) {
			s.Hook(r.life.hook)
			s.Hook(func(c simaws.Call) simaws.Fault { w.stranger(s, c); return simaws.Fault{} })
		},
		Store: func(c heal.Clock) heal.Store { return mortal{ledger.NewMemory(c), r.life} },
		Clock: func(c heal.Clock) heal.Clock { return skewed{c, w.skew} },
		Full:  w.full,
	})
	if err != nil {
		t.Error(err)
		return false
	}
	st.Sim.SetTrouble(w.trouble)
	r.st = st
	defer r.close()
	ctx := context.Background()
	if w.workers == 1 {
		r.life.arm()
	}
	if err := w.play(ctx, r); err != nil {
		t.Errorf("seed %d: %v\n%s", seed, err, w)
		return false
	}
	if bad := w.check(ctx, r, sum); len(bad) > 0 {
		t.Errorf("seed %d:\n  %s\n%s", seed, strings.Join(bad, "\n  "), w)
		return false
	}
	return true
}

// chaosWorld is what one run plays in.
type chaosWorld struct {
	yaml, settings string
	projects       []chaosProject
	managed        bool // roles have one managed policy each, else inline ones
	roles          int
	workers        int
	batch          int // messages of one invocation, at most
	full           int // of one behind which others wait, so that new cases are put off
	trouble        simaws.Trouble
	skew           time.Duration

	mu        sync.Mutex
	rng       *rand.Rand
	strangers map[string][]string // policy → Sids that a stranger added
	last      map[string]time.Time
}

type chaosProject struct {
	name, kind, role string
	starts           int
	branches         int  // of a crowd: each with a commit of its own, all built at about the same time
	tagged           bool // a tag of the same commit is built, too, and fails for a cause of its own
}

const chaosAccount = "111122223333"

func newChaosWorld(rng *rand.Rand, seed int64) *chaosWorld {
	w := &chaosWorld{rng: rng, managed: rng.IntN(2) == 0, roles: 1 + rng.IntN(2), workers: 1,
		strangers: map[string][]string{}, last: map[string]time.Time{}}
	if seed%4 == 3 {
		w.workers = 4
	}
	w.batch = 1 + rng.IntN(10)
	w.full = 1 + rng.IntN(10)
	w.skew = time.Duration(rng.IntN(181)-90) * time.Second
	w.trouble = simaws.Trouble{DropEvents: 0.1, DuplicateEvents: 0.2, DelayEvents: time.Duration(rng.IntN(120)) * time.Second,
		Throttle: 0.04, LoseRequest: 0.01, LoseResponse: 0.02, CallTime: time.Duration(rng.IntN(200)) * time.Millisecond}
	if seed%5 == 0 { // and no strangers: nobody could see what they write
		w.trouble.StaleReads = 8 * time.Second
	}
	kinds := []string{"plain", "plain", "crowd", "crowd", "crowd", "hopeless", "flaky", "auto", "batch", "stage"}
	var y, set, starts, pipes strings.Builder
	fmt.Fprintf(&y, "seed: %d\nstart: 2026-11-22T10:00:00Z\npropagation: 4s\npropagation_most: %ds\n", seed, 4+rng.IntN(180))
	w.writeRoles(&y)
	y.WriteString("buckets:\n  - {name: closed}\n")
	for i := range 4 {
		fmt.Fprintf(&y, "  - {name: dist-%d}\n", i)
	}
	y.WriteString("projects:\n")
	set.WriteString("version: 1\nnotify: {digest: 1000}\nprojects:\n") // a digest does not name each case
	for i := range 2 + rng.IntN(3) {
		p := chaosProject{name: fmt.Sprintf("p%d", i), kind: kinds[rng.IntN(len(kinds))],
			role: fmt.Sprintf("role-%d", rng.IntN(w.roles)), starts: 1}
		if p.kind == "stage" {
			twin := chaosProject{name: p.name + "b", kind: "stage", role: fmt.Sprintf("role-%d", rng.IntN(w.roles)), starts: 1}
			w.add(&y, &set, twin, rng)
			fmt.Fprintf(&pipes, "  - name: pipe-%s\n    stages:\n      - {name: Source, actions: [{name: S}]}\n"+
				"      - {name: Build, actions: [{name: A, project: %s}, {name: B, project: %s}]}\n", p.name,
				p.name, twin.name)
			fmt.Fprintf(&starts, "  - {pipeline: pipe-%s, after: %ds}\n", p.name, rng.IntN(60))
		} else if p.kind == "crowd" {
			p.branches = 2 + rng.IntN(5)
			for n := range p.branches {
				fmt.Fprintf(&starts, "  - {project: %s, version: refs/heads/b%d, after: %ds}\n", p.name, n, rng.IntN(20))
			}
		} else {
			if p.kind != "batch" {
				p.starts += rng.IntN(2)
			}
			for n := range p.starts {
				fmt.Fprintf(&starts, "  - {project: %s, version: refs/heads/main, batch: %v, after: %ds}\n", p.name,
					p.kind == "batch", n*rng.IntN(400)+rng.IntN(60))
			}
			if p.tagged = p.kind != "batch" && rng.IntN(3) == 0; p.tagged {
				fmt.Fprintf(&starts, "  - {project: %s, version: refs/tags/v1, after: %ds}\n", p.name, rng.IntN(400))
			}
		}
		w.add(&y, &set, p, rng)
	}
	if pipes.Len() > 0 {
		y.WriteString("pipelines:\n" + pipes.String())
	}
	y.WriteString("starts:\n" + starts.String())
	set.WriteString("grants:\n")
	for i := range 4 {
		fmt.Fprintf(&set, "  - {id: dist-%d, because: The build uploads., owner: team, actions: [\"s3:PutObject\"], "+
			"resources: [\"arn:${partition}:s3:::dist-%d/*\"]}\n", i, i)
	}
	w.yaml, w.settings = y.String(), set.String()
	return w
}

func (w *chaosWorld) policyName(role string) string { return "healed-" + role }

const chaosBase = `{"Version": "2012-10-17", "Statement": [
      {"Sid": "Base", "Effect": "Allow", "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", ` +
	`"logs:PutLogEvents", "codebuild:RetryBuild"], "Resource": "*"},
      {"Sid": "Source", "Effect": "Allow", "Action": ["s3:GetObject", "s3:GetObjectVersion"], "Resource": "arn:aws:s3:::codepipeline-*"}]}`

func (w *chaosWorld) writeRoles(y *strings.Builder) {
	if w.managed {
		y.WriteString("policies:\n")
		for i := range w.roles {
			fmt.Fprintf(y, "  - name: healed-role-%d\n    document: '%s'\n", i, strings.ReplaceAll(chaosBase, "\n", ""))
		}
	}
	y.WriteString("roles:\n")
	for i := range w.roles {
		if w.managed {
			fmt.Fprintf(y, "  - {name: role-%d, attached: [healed-role-%d]}\n", i, i)
		} else {
			fmt.Fprintf(y, "  - name: role-%d\n    inline: {base: '%s'}\n", i, strings.ReplaceAll(chaosBase, "\n", ""))
		}
	}
}

// add writes a project of the world, and its entry in the settings.
func (w *chaosWorld) add(y, set *strings.Builder, p chaosProject, rng *rand.Rand) {
	w.projects = append(w.projects, p)
	fmt.Fprintf(y, "  - name: %s\n    role: %s\n", p.name, p.role)
	switch p.kind {
	case "auto":
		y.WriteString("    auto_retry: 1\n")
	case "batch":
		y.WriteString("    batch: [a, b]\n")
	}
	if p.tagged {
		const commit = "2f1c0de2f1c0de2f1c0de2f1c0de2f1c0de2f1c0"
		fmt.Fprintf(y, "    versions:\n      - {ref: refs/heads/main, commit: %s}\n      - {ref: refs/tags/v1, commit: %s, "+
			"buildspecs: {buildspec.yml: {build: [{run: make, takes: %ds}, "+
			"{run: ./release, fails: {prints: \"disk quota exceeded\"}}]}}}\n",
			commit, commit, 10+rng.IntN(120))
	}
	if p.branches > 0 {
		y.WriteString("    versions:\n")
		for n := range p.branches {
			fmt.Fprintf(y, "      - {ref: refs/heads/b%d, commit: \"%040x\"", n, n+1)
			if rng.IntN(6) == 0 { // its own failure is another, behind the common one
				y.WriteString(", buildspecs: {buildspec.yml: {build: [{run: make, takes: 40s}, aws s3 cp x s3://dist-0/x, " +
					"{run: ./release, fails: {prints: \"disk quota exceeded\"}}]}}")
			}
			y.WriteString("}\n")
		}
	}
	fmt.Fprintf(y, "    buildspecs:\n      buildspec.yml:\n        build:\n          - {run: make, takes: %ds}\n", 10+rng.IntN(120))
	if p.kind == "flaky" {
		fmt.Fprintf(y, "          - run: docker pull base\n            fails: {times: %d, prints: \"toomanyrequests: "+
			"You have reached your pull rate limit. You may increase the limit by authenticating\"}\n", 1+rng.IntN(5))
	}
	if p.kind == "crowd" { // of several projects that share a role, all lack the same
		y.WriteString("          - aws s3 cp x s3://dist-0/x\n")
		if rng.IntN(2) == 0 { // and go on for long behind it
			fmt.Fprintf(y, "          - {run: make test, takes: %ds}\n", 10+rng.IntN(900))
		}
	}
	for range 1 + rng.IntN(2) {
		fmt.Fprintf(y, "          - aws s3 cp x s3://dist-%d/x\n", rng.IntN(4))
	}
	if p.kind == "hopeless" {
		y.WriteString("          - aws s3 cp x s3://closed/x\n")
	}
	write := "inline: " + w.policyName(p.role)
	if w.managed {
		write = "managed: " + w.policyName(p.role)
	}
	fmt.Fprintf(set, "  - {name: %s, role: %s, mode: heal, write: {%s}, grants: [dist-0, dist-1, dist-2, dist-3]", p.name, p.role, write)
	if p.kind == "stage" {
		fmt.Fprintf(set, ", pipelines: [pipe-%s]", strings.TrimSuffix(p.name, "b"))
	}
	set.WriteString("}\n")
}

func (w *chaosWorld) story() story.Story {
	return story.Story{Name: "chaos", World: []byte(w.yaml), Settings: []byte(w.settings),
		Expect: story.Expect{Project: w.projects[0].name}}
}

func (w *chaosWorld) String() string {
	return fmt.Sprintf("workers %d, skew %s, trouble %+v\n%s", w.workers, w.skew, w.trouble, w.yaml)
}

// stranger sometimes adds a statement to one of the policies that we write:
// at any point around the calls on a managed policy; on an inline policy of
// our name at any point but the one that IAM leaves open, between our last
// look and our write (AWS.md#policy-writes).
func (w *chaosWorld) stranger(s *simaws.Sim, c simaws.Call) {
	w.mu.Lock()
	defer w.mu.Unlock()
	role := fmt.Sprintf("role-%d", w.rng.IntN(w.roles))
	// Two strangers in one window of ours overwrite each other: what the
	// second reads is ours, without the first one's.
	if c.Service != "iam" || w.rng.IntN(15) > 0 || c.At.Sub(w.last[role]) < 20*time.Minute {
		return
	}
	w.last[role] = c.At
	if w.managed {
		w.strangerVersion(s, w.policyName(role))
		return
	}
	open := w.trouble.StaleReads > 0 || w.workers > 1 || c.Operation == "PutRolePolicy" && !c.Done ||
		c.Operation == "GetRolePolicy" && c.Done
	if !open {
		w.strangerInline(s, role)
	}
}

const maxStrangers = 4

func (w *chaosWorld) strangerInline(s *simaws.Sim, role string) {
	name := w.policyName(role)
	w.mu.Unlock()
	inline, _ := s.RolePolicies("", role)
	w.mu.Lock()
	if len(w.strangers[name]) >= maxStrangers {
		return
	}
	doc, sid := w.withStatement(inline[name], name)
	if s.PutRolePolicy(role, name, doc) == nil {
		w.strangers[name] = append(w.strangers[name], sid)
	}
}

func (w *chaosWorld) strangerVersion(s *simaws.Sim, name string) {
	arn := "arn:aws:iam::" + chaosAccount + ":policy/" + name
	for _, v := range s.PolicyVersions(arn) {
		if !v.Default || len(w.strangers[name]) >= maxStrangers {
			continue
		}
		doc, sid := w.withStatement(v.Document, name)
		if _, err := s.CreatePolicyVersion(arn, doc); err == nil { // else there are five
			w.strangers[name] = append(w.strangers[name], sid)
		}
	}
}

// withStatement adds a stranger's statement to the document.
func (w *chaosWorld) withStatement(doc, name string) (string, string) {
	var d struct {
		Version   string
		Statement []json.RawMessage
	}
	if doc == "" || json.Unmarshal([]byte(doc), &d) != nil {
		d.Version = "2012-10-17"
	}
	sid := fmt.Sprintf("Stranger%d", len(w.strangers[name]))
	d.Statement = append(d.Statement,
		json.RawMessage(fmt.Sprintf(`{"Sid": "%s", "Effect": "Allow", "Action": "s3:GetObject", `+
			`"Resource": "arn:aws:s3:::%s/*"}`, sid, strings.ToLower(sid))))
	out, err := json.Marshal(d)
	if err != nil {
		panic(err)
	}
	return string(out), sid
}

// play delivers all there is, sweeps as the schedule would, and puts the
// function up again when it dies.
func (w *chaosWorld) play(ctx context.Context, r *run) error {
	// As before anything failed: a project's first sweep looks back an hour only, and of the first one
	// anything may have gone wrong.
	w.sweep(ctx, r)
	w.sweep(ctx, r)
	for n := range 200 {
		if err := w.drain(ctx, r); err != nil {
			return err
		}
		its, err := r.st.Store.Between(ctx, "case", time.Time{}, r.st.Sim.Clock.Now().Add(1000*time.Hour), false, 1000)
		if err != nil {
			return err
		}
		if n > 3 && len(its) == 0 && w.allKnown(ctx, r) {
			return nil
		}
		r.st.Sim.Clock.Advance(10 * time.Minute)
		w.sweep(ctx, r)
	}
	return fmt.Errorf("it does not come to an end; open cases: %s", w.open(ctx, r))
}

// open tells of the cases that are not closed, and of those with which something is still to be
// done.
func (w *chaosWorld) open(ctx context.Context, r *run) (out string) {
	its, _ := r.st.Store.Between(ctx, "case", time.Time{}, r.st.Sim.Clock.Now().Add(1000*time.Hour), false, 1000)
	for _, it := range its {
		var c decide.Case
		if err := json.Unmarshal(it.Data, &c); err != nil {
			return err.Error()
		}
		out += fmt.Sprintf("\ncase %s, due %s: %s, outbox %d, others %d, crowd %+v", c.ID, it.Due, c.Outcome, len(c.Outbox), len(c.Others),
			c.Crowd)
	}
	for _, p := range w.projects {
		for _, b := range r.st.Sim.Builds(p.name) {
			if c, err := caseOf(ctx, r, b.ID); err != nil || c.Closed.IsZero() || !knows(c, b.ID) {
				out += fmt.Sprintf("\nbuild %s %s: %v", b.ID, b.Status, err)
				for _, round := range c.Rounds {
					out += fmt.Sprintf("\n  round of %s at %s, started %s, retry %q, not before %s, tries %d",
						round.Build.ID, round.Step, round.Started, round.Retry, round.NotYet, round.Tries)
				}
			}
		}
	}
	return out
}

func (w *chaosWorld) sweep(ctx context.Context, r *run) {
	_, _ = r.st.Inbox.Invoke(ctx, json.RawMessage(`{"sweep":{}}`)) // what it does not do, the next one does
	w.revive(r)
}

func (w *chaosWorld) revive(r *run) bool {
	if !r.life.died() {
		return false
	}
	for r.st.Restart() != nil {
	}
	return true
}

func (w *chaosWorld) drain(ctx context.Context, r *run) error {
	var wg sync.WaitGroup
	errs := make([]error, w.workers)
	for i := range w.workers {
		wg.Go(func() {
			for range 3000 {
				ms := story.NextBatch(ctx, r.st.Sim, w.batch)
				if len(ms) == 0 {
					return
				}
				again, err := r.st.DeliverBatch(ctx, ms...)
				dead := w.workers == 1 && w.revive(r)
				giveBack(ms, func(m simaws.Message) bool { return dead || err != nil || slices.Contains(again, m.ID) })
				if err != nil {
					errs[i] = err
					return
				}
			}
			errs[i] = fmt.Errorf("it goes round and round")
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// greenByItself reports whether CodeBuild has retried the only build of the case by itself, and that was green:
// then there is nothing to tell.
func greenByItself(s *simaws.Sim, c decide.Case) bool {
	r := c.Rounds[0]
	_, next, ok := codebuild.ParseBuildARN(r.Build.AutoRetry.Next)
	return ok && len(c.Rounds) == 1 && r.Decision == nil && slices.ContainsFunc(s.Builds(c.Project), func(b simaws.Build) bool {
		return b.ID == next && b.Status == codebuild.Succeeded
	})
}

// allKnown reports whether no failed build is unknown to the ledger.
func (w *chaosWorld) allKnown(ctx context.Context, r *run) bool {
	for _, p := range w.projects {
		for _, b := range r.st.Sim.Builds(p.name) {
			if b.Status == "FAILED" {
				if c, err := caseOf(ctx, r, b.ID); err != nil || !knows(c, b.ID) {
					return false
				}
			}
		}
	}
	return true
}

func caseOf(ctx context.Context, r *run, build string) (decide.Case, error) {
	it, err := r.st.Store.Get(ctx, "build", build)
	if err != nil {
		return decide.Case{}, err
	}
	return r.st.Inbox.Healer.Case(ctx, string(it.Data))
}

func knows(c decide.Case, build string) bool {
	return slices.Contains(c.Past.Builds, build) || slices.ContainsFunc(c.Rounds, func(r decide.Round) bool { return r.Build.ID == build })
}

// check holds the end against what must be true of it.
func (w *chaosWorld) check(ctx context.Context, r *run, sum *chaosSum) (bad []string) {
	complain := func(format string, args ...any) { bad = append(bad, fmt.Sprintf(format, args...)) }
	sim := r.st.Sim
	cases := map[string]decide.Case{}
	failed, started := 0, 0
	for _, p := range w.projects {
		ours := map[string]int{}
		for _, b := range sim.Builds(p.name) {
			c, err := caseOf(ctx, r, b.ID)
			if err == nil {
				cases[c.ID] = c
			}
			if b.Initiator == "buildmedic/buildmedic" {
				ours[c.ID]++
				started++
			}
			if b.Status != "FAILED" {
				continue
			}
			failed++
			retried := p.kind == "auto" && slices.Contains(c.Past.Builds, b.ID) // and that one was dealt with first
			if b.Version == "refs/tags/v1" && !retried &&
				!slices.ContainsFunc(c.Rounds, func(r decide.Round) bool { return r.Build.ID == b.ID }) {
				complain("nothing was done about build %s of a tag, case %s", b.ID, c.ID)
			}
			switch {
			case err != nil:
				complain("failed build %s is in no case: %v", b.ID, err)
			case !knows(c, b.ID):
				complain("failed build %s points to case %s, which does not know it", b.ID, c.ID)
			case len(c.Others) > 0:
				complain("builds %v still wait for the end of case %s", c.Others, c.ID)
			case c.Closed.IsZero():
				complain("case %s of %s is still open at %s", c.ID, b.ID, c.Rounds[len(c.Rounds)-1].Step)
			}
		}
		for id, n := range ours {
			if n > r.st.Settings.Limits.Rounds {
				complain("project %s: %d builds of case %q were started, limits.rounds is %d", p.name, n, id,
					r.st.Settings.Limits.Rounds)
			}
		}
	}
	ids, again := sent(sim)
	followed := 0
	for _, c := range cases {
		for n := 1; n <= c.Told; n++ {
			id := fmt.Sprintf("%s.%d ", c.ID, n)
			if !slices.ContainsFunc(ids, func(s string) bool { return strings.HasPrefix(s, id) }) {
				complain("notice %sof %s (%s) was never sent", id, c.Project, c.Outcome)
			}
		}
		if len(c.Outbox) > 0 {
			complain("case %s still has notices to send", c.ID)
		}
		if ts, _ := told(sim); !c.Closed.IsZero() && ts[c.ID] == "" && !greenByItself(sim, c) {
			complain("no notice tells how case %s of %s ended (%s)", c.ID, c.Project, c.Outcome)
		}
		for _, r := range c.Rounds {
			if r.Decision != nil && r.Decision.Follows != "" {
				followed++
				if r.Decision.Plan != nil && r.Decision.Plan.Write != nil {
					complain("case %s follows %s, and was given something", c.ID, r.Decision.Follows)
				}
			}
		}
	}
	w.checkPolicies(r, cases, complain)
	sum.add(w, cases, failed, started, followed, len(ids), len(again), len(sim.Queued(simaws.DeadLetter)))
	return bad
}

// checkPolicies looks for each statement that a stranger wrote, and for each
// that a healed case says it gave.
func (w *chaosWorld) checkPolicies(r *run, cases map[string]decide.Case, complain func(string, ...any)) {
	docs := map[string]string{}
	for i := range w.roles {
		role := fmt.Sprintf("role-%d", i)
		name := w.policyName(role)
		if w.managed {
			for _, v := range r.st.Sim.PolicyVersions("arn:aws:iam::" + chaosAccount + ":policy/" + name) {
				if v.Default {
					docs[name] = v.Document
				}
			}
		} else {
			inline, _ := r.st.Sim.RolePolicies("", role)
			docs[name] = inline[name]
		}
	}
	for name, sids := range w.strangers {
		for _, sid := range sids {
			if !strings.Contains(docs[name], `"`+sid+`"`) {
				complain("the stranger's statement %s is lost from %s: %s", sid, name, docs[name])
			}
		}
	}
	for _, c := range cases {
		for _, round := range c.Rounds {
			if round.Written.IsZero() || !round.Undone.IsZero() || round.Decision.Plan.Write == nil {
				continue
			}
			role, _ := round.Build.Role()
			for _, q := range round.Decision.Plan.Proof {
				bucket, _, _ := strings.Cut(strings.TrimPrefix(q.Resource, "arn:aws:s3:::"), "/")
				if doc := docs[w.policyName(role.Name)]; !strings.Contains(doc, "arn:aws:s3:::"+bucket+"/") {
					complain("what case %s granted on %s is lost from %s: %s", c.ID, bucket, w.policyName(role.Name), doc)
				}
			}
		}
	}
}

func (s *chaosSum) add(w *chaosWorld, cases map[string]decide.Case, failed, started, followed, notices, again, dead int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.outcomes == nil {
		s.outcomes = map[decide.Kind]int{}
	}
	s.runs++
	s.failed += failed
	s.started += started
	s.followed += followed
	s.cases += len(cases)
	s.notices += notices
	s.again += again
	s.dead += dead
	for _, c := range cases {
		s.outcomes[c.Outcome]++
	}
	for _, sids := range w.strangers {
		s.strangers += len(sids)
	}
}
