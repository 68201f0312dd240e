package soak

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/ledger"
	"github.com/buildmedic/buildmedic/internal/notice"
	"github.com/buildmedic/buildmedic/internal/simaws"
	"github.com/buildmedic/buildmedic/internal/story"
	"github.com/buildmedic/buildmedic/testdata"
)

// demo are the demo's stories.
func demo(t testing.TB) []story.Story {
	t.Helper()
	ss, err := story.Load(testdata.Stories, "stories")
	if err != nil {
		t.Fatal(err)
	}
	return ss
}

// route is one of the routes.
func route(t testing.TB, name string) story.Story {
	t.Helper()
	ss := stories(t)
	i := slices.IndexFunc(ss, func(s story.Story) bool { return s.Name == name })
	if i < 0 {
		t.Fatalf("there is no route %s", name)
	}
	return ss[i]
}

// stories are the demo's and the routes.
func stories(t testing.TB) []story.Story {
	t.Helper()
	more, err := story.Load(testdata.Routes, "routes")
	if err != nil {
		t.Fatal(err)
	}
	return append(demo(t), more...)
}

// run is one story played by one function that may die once.
type run struct {
	st    *story.Stage
	life  *life
	world world
	// lost: the message in whose handling the function dies is never
	// delivered again, so that only the sweep can help.
	lost bool
}

// world is what a run's end is looked at in.
type world struct {
	Partition string   `yaml:"partition"`
	Home      estate   `yaml:",inline"`
	Members   []estate `yaml:"members"`
	Code      []struct {
		Repository string `yaml:"repository"`
	} `yaml:"code"`
}

// estate is what an account has in a region.
type estate struct {
	Account string `yaml:"account"`
	Region  string `yaml:"region"`
	Roles   []struct {
		Name string `yaml:"name"`
	} `yaml:"roles"`
	Policies []struct {
		Name string `yaml:"name"`
	} `yaml:"policies"`
	Projects []struct {
		Name string `yaml:"name"`
	} `yaml:"projects"`
}

// crowded ends the name of a story in which four messages are a full batch.
const crowded = ", crowded"

func open(s story.Story, at point, lost bool) (*run, error) {
	r := &run{life: &life{at: at}, lost: lost}
	if err := yaml.Unmarshal(s.World, &r.world); err != nil {
		return nil, err
	}
	full := 0
	if strings.HasSuffix(s.Name, crowded) {
		full = 4
	}
	st, err := story.Open(s, story.Options{
		Sim:   func(s *simaws.Sim) { s.Hook(r.life.hook) },
		Store: func(c heal.Clock) heal.Store { return mortal{ledger.NewMemory(c), r.life} },
		Full:  full,
	})
	r.st = st
	return r, err
}

func (r *run) close() { r.st.Close() }

// play plays the story to its end, however often the function has to be
// put up again, and then lets the schedule sweep until all is still.
func (r *run) play(ctx context.Context) error {
	r.life.arm()
	if err := r.drain(ctx); err != nil {
		return err
	}
	for _, th := range r.st.Story.Then {
		if err := r.then(ctx, th); err != nil {
			return fmt.Errorf("then: %w", err)
		}
	}
	return r.still(ctx)
}

// still sweeps until no case is open, and once more.
func (r *run) still(ctx context.Context) error {
	for range 80 {
		open, err := r.st.Store.Between(ctx, "case", time.Time{}, r.st.Sim.Clock.Now().Add(1000*time.Hour), false, 100)
		if err != nil {
			return err
		}
		r.st.Sim.Clock.Advance(15 * time.Minute)
		if err := r.tell(ctx, `{"sweep":{}}`); err != nil {
			return err
		}
		if err := r.drain(ctx); err != nil {
			return err
		}
		if len(open) == 0 {
			return nil
		}
	}
	return fmt.Errorf("cases are still open")
}

func (r *run) then(ctx context.Context, th story.Then) error {
	if acted, err := r.st.Act(ctx, th, r.pass); acted || err != nil {
		return err
	}
	if th.After != "" {
		d, err := time.ParseDuration(th.After)
		if err != nil {
			return err
		}
		r.st.Sim.Clock.Advance(d)
		return r.drain(ctx)
	}
	cmd := th.Command
	if th.Sweep {
		cmd = `{"sweep":{}}`
	}
	res, err := r.st.Result(ctx)
	if err != nil {
		return err
	}
	if err := r.tell(ctx, strings.NewReplacer("PLAN", res.Plan, "CASE", res.Case).Replace(cmd)); err != nil {
		return err
	}
	return r.drain(ctx)
}

// tell sends a command, and sends it again when the function died at it or
// had no time for it.
func (r *run) tell(ctx context.Context, cmd string) error {
	for range 20 {
		out, err := r.st.Inbox.Invoke(ctx, json.RawMessage(cmd))
		if r.life.died() {
			if err := r.st.Restart(); err != nil {
				return err
			}
		} else if a, ok := out.(heal.CommandAnswer); err == nil && ok && !strings.HasPrefix(a.Message, "Not now") {
			return nil
		}
		r.st.Sim.Clock.Advance(7 * time.Minute)
	}
	return fmt.Errorf("command %s does not get through", cmd)
}

// pass lets time pass under the schedule. A sweep at which the function dies is not sent again: the
// next one does what it had to do.
func (r *run) pass(ctx context.Context, d time.Duration) error {
	return story.Pass(ctx, r.st.Sim, d, func(ctx context.Context) error {
		_, _ = r.st.Inbox.Invoke(ctx, json.RawMessage(`{"sweep":{}}`)) // as the schedule, which nobody answers
		if r.life.died() {
			return r.st.Restart()
		}
		return ctx.Err()
	}, func(ctx context.Context) error {
		return r.receive(ctx, func() []simaws.Message { return story.Visible(r.st.Sim, 10) })
	})
}

func (r *run) drain(ctx context.Context) error {
	return r.receive(ctx, func() []simaws.Message { return story.NextBatch(ctx, r.st.Sim, 10) })
}

func (r *run) receive(ctx context.Context, next func() []simaws.Message) error {
	for range 2000 {
		ms := next()
		if len(ms) == 0 {
			return ctx.Err()
		}
		again, err := r.st.DeliverBatch(ctx, ms...)
		if err != nil {
			giveBack(ms, func(simaws.Message) bool { return true })
			return err
		}
		died := r.life.died()
		if died {
			if err := r.st.Restart(); err != nil {
				return err
			}
		}
		giveBack(ms, func(m simaws.Message) bool { return died && !r.lost || !died && slices.Contains(again, m.ID) })
		if died && r.lost {
			return r.still(ctx)
		}
	}
	return fmt.Errorf("it goes round and round")
}

// giveBack has some messages delivered again; the others are done with.
func giveBack(ms []simaws.Message, again func(simaws.Message) bool) {
	for _, m := range ms {
		if again(m) {
			m.Nack()
		} else {
			m.Ack()
		}
	}
}

// end is what is compared.
type end struct {
	Policies map[string]string // what IAM holds
	Builds   map[string]int    // of each project
	Cases    map[string]decide.Kind
	Notices  []string       // "CASE.N kind", sorted
	Again    map[string]int // sent more than once
	Dead     int            // messages given up by the queue
	// Told is how the last notice that names a case says that it ended: its own, or that of the
	// case that it followed. Crowd: there is one of the latter kind.
	Told  map[string]decide.Kind
	Crowd bool
	// Tests is what is remembered of tests that flaked: how often, and in how many builds they
	// failed. Failed is how many failed builds are remembered.
	Tests  map[string][2]int
	Failed int
	// Developers is what developers see at their code host in the end: the last status of each
	// commit, Buildmedic's comments, and each job in the newest attempt of its run.
	Developers map[string]string
	// Code is what people see in repositories: each branch by the message of its newest commit, each
	// pull request with its text, and each file that it changes.
	Code map[string]string
}

func (r *run) end(ctx context.Context) (end, error) {
	e := end{Policies: map[string]string{}, Builds: map[string]int{}, Cases: map[string]decide.Kind{}, Again: map[string]int{}}
	sim := r.st.Sim
	for _, at := range append([]estate{r.world.Home}, r.world.Members...) {
		if err := r.endAt(ctx, at, &e); err != nil {
			return e, err
		}
	}
	e.Policies["repositories"] = strings.Join(sim.Repositories(), " ")
	e.Notices, e.Again = sent(sim)
	e.Told, e.Crowd = told(sim)
	e.Developers = developers(sim)
	e.Code = r.code()
	e.Dead = len(sim.Queued(simaws.DeadLetter))
	tests, err := r.st.Inbox.Healer.Flaky(ctx, "", 1000)
	if err != nil {
		return e, err
	}
	e.Tests = map[string][2]int{}
	for _, t := range tests {
		e.Tests[t.Name] = [2]int{t.Flaked, t.Failed}
	}
	costs, err := r.st.Inbox.Healer.Costs(ctx, "", time.Time{}, sim.Clock.Now())
	e.Failed = costs.Total.Builds
	return e, err
}

// developers is what developers see at last.
func developers(sim *simaws.Sim) map[string]string {
	see := map[string]string{}
	for _, s := range sim.Statuses() {
		see[s.Commit+" "+s.Context] = s.State + ": " + s.Description
	}
	for _, j := range sim.WorkflowJobs() {
		see[fmt.Sprintf("job %s of run %d", j.Name, j.Run)] = fmt.Sprintf("attempt %d, %s %s", j.Attempt, j.Status, j.Conclusion)
	}
	for _, c := range sim.PullComments() {
		if c.Author > 1000 { // not a person's
			see[fmt.Sprintf("comment %d on #%d", c.ID, c.Pull)] = link.ReplaceAllString(c.Body, "")
		}
	}
	return see
}

// code is what people see in repositories at last.
func (r *run) code() map[string]string {
	see, sim := map[string]string{}, r.st.Sim
	for _, c := range r.world.Code {
		for branch, message := range sim.CodeBranches(c.Repository) {
			see[c.Repository+" "+branch] = message
		}
	}
	for _, q := range sim.CodeRequests() {
		at := fmt.Sprintf("%s #%s of %s", q.Repository, q.Number, q.Head)
		see[at] = fmt.Sprintf("open %t, merged %t\n%s\n%s\n%q", q.Open, q.Merged, q.Title, link.ReplaceAllString(q.Body, ""), q.Commits)
		for path, text := range q.Files {
			see[at+": "+path] = text
		}
	}
	return see
}

// link is a link to a build, whose id depends on what was done before.
var link = regexp.MustCompile(`\(https:[^)]*\)`)

// endAt adds what is in one account and region.
func (r *run) endAt(ctx context.Context, at estate, e *end) error {
	sim := r.st.Sim
	for _, ro := range at.Roles {
		name := ro.Name[strings.LastIndexByte(ro.Name, '/')+1:]
		inline, attached := sim.RolePolicies(at.Account, name)
		for k, v := range inline {
			e.Policies["role "+name+" inline "+k] = expiry.ReplaceAllString(v, "later")
		}
		e.Policies["role "+name+" attached"] = strings.Join(attached, " ")
	}
	for _, p := range at.Policies {
		arn := p.Name
		if !strings.HasPrefix(arn, "arn:") {
			arn = "arn:" + orDefault(r.world.Partition, "aws") + ":iam::" + orDefault(at.Account, "111122223333") + ":policy/" + p.Name
		}
		vs := sim.PolicyVersions(arn)
		for _, v := range vs {
			if v.Default {
				e.Policies["policy "+p.Name] = v.Document
			}
		}
		e.Policies["policy "+p.Name+" versions"] = fmt.Sprint(len(vs))
	}
	for _, p := range at.Projects {
		bs := sim.BuildsAt(at.Account, at.Region, p.Name)
		e.Builds[p.Name] = len(bs)
		if err := r.actionsAt(ctx, p.Name, e); err != nil {
			return err
		}
		for _, b := range bs {
			it, err := r.st.Store.Get(ctx, "build", b.ID)
			if err != nil || b.Status == "SUCCEEDED" { // whether a case waited for a green one says nothing
				continue
			}
			c, err := r.st.Inbox.Healer.Case(ctx, string(it.Data))
			if err != nil {
				return err
			}
			e.Cases[c.ID] = c.Outcome
			if c.Closed.IsZero() {
				e.Cases[c.ID] = decide.Kind("open at " + string(c.Rounds[len(c.Rounds)-1].Step))
			}
		}
	}
	return nil
}

// actionsAt adds the cases of actions that failed without a build.
func (r *run) actionsAt(ctx context.Context, project string, e *end) error {
	all, err := r.st.Inbox.Healer.History(ctx, project, 100)
	if err != nil {
		return err
	}
	for _, s := range all {
		c, err := r.st.Inbox.Healer.Case(ctx, s.Case)
		if err != nil {
			return err
		}
		if n := len(c.Rounds); n == 0 || c.Rounds[0].Build.Action == nil {
			continue
		}
		e.Cases[c.ID] = c.Outcome
		if c.Closed.IsZero() {
			e.Cases[c.ID] = decide.Kind("open at " + string(c.Rounds[len(c.Rounds)-1].Step))
		}
	}
	return nil
}

// expiry is the time at which a grant ends: it is later if the function died.
var expiry = regexp.MustCompile(`20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ`)

func orDefault(s, d string) string {
	if s == "" {
		return d
	}
	return s
}

var noticeID = regexp.MustCompile(`\b[0-9a-f]{16}\.[0-9]+\b`)

// told says of each case how it ended, as the notices tell it, and whether one
// tells of several.
func told(sim *simaws.Sim) (out map[string]decide.Kind, crowd bool) {
	out = map[string]decide.Kind{}
	for _, n := range sim.Notices() {
		var one notice.Notice
		if err := json.Unmarshal([]byte(n.ByProtocol["sqs"]), &one); err != nil || one.Case.Closed.IsZero() {
			continue
		}
		out[one.Case.ID] = one.Kind
		if one.Followers == nil {
			continue
		}
		crowd = true
		for _, f := range one.Followers.Named {
			if f.Outcome == decide.Healed {
				out[f.Case] = f.Outcome
			}
		}
	}
	return out, crowd
}

// sent lists the notices by id, and those that were sent more than once.
func sent(sim *simaws.Sim) (ids []string, again map[string]int) {
	again = map[string]int{}
	for _, n := range sim.Notices() {
		var all []string
		text, ok := n.ByProtocol["sqs"]
		if !ok {
			text = n.Message
		}
		all = append(all, noticeID.FindAllString(text, -1)...)
		slices.Sort(all)
		for _, id := range slices.Compact(all) {
			id = strings.TrimSpace(id + " " + n.Attributes["kind"] + " " + n.Attributes["to"]) // each who is told gets it once
			if slices.Contains(ids, id) {
				again[id]++
			} else {
				ids = append(ids, id)
			}
		}
	}
	slices.Sort(ids)
	return ids, again
}
