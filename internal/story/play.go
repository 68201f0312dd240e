package story

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/buildmedic/buildmedic/internal/awsapi"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/inbox"
	"github.com/buildmedic/buildmedic/internal/ledger"
	"github.com/buildmedic/buildmedic/internal/settings"
	"github.com/buildmedic/buildmedic/internal/simaws"
)

// Stage is a story being played: the simulated account, and the healer on
// AWS SDK clients that talk to it.
type Stage struct {
	Story    Story
	Sim      *simaws.Sim
	Settings *settings.Settings
	Store    heal.Store
	Inbox    *inbox.Inbox
	Journal  bytes.Buffer // metrics and audit lines
	Asked    []Asked      // the commands that people sent, and what else they did
	Swept    []Asked      // the sweeps of the schedule

	log   io.Writer
	clock heal.Clock
	sleep func(context.Context, time.Duration) error
	full  int
}

// Options change how a story is played.
type Options struct {
	Settings func(*settings.Settings)    // changes the settings first
	Store    func(heal.Clock) heal.Store // default: in memory
	Clock    func(heal.Clock) heal.Clock // the function's own; default: the simulated one
	// Sleep is how the function waits; default: it makes simulated time pass.
	Sleep  func(context.Context, time.Duration) error
	Full   int                  // messages that a batch has at most; default: as many as the stack has it
	Log    io.Writer            // the function's log; default: none
	Config func(*simaws.Config) // changes what the world asks for
	Sim    func(*simaws.Sim)    // prepares the account: troubles, hooks
}

// The names of the function and of its role in member accounts on the stage.
const (
	Function   = "buildmedic"
	MemberRole = "buildmedic-member"
)

// Open builds the stage. Close it after use.
func Open(s Story, o Options) (*Stage, error) {
	config := o.Config
	if config == nil {
		config = func(*simaws.Config) {}
	}
	sim, err := simaws.Load(s.World, config)
	if err != nil {
		return nil, fmt.Errorf("story %s: %w", s.Name, err)
	}
	set, err := settings.Parse(s.Settings)
	if err != nil {
		sim.Close()
		return nil, fmt.Errorf("story %s: buildmedic.yaml: %w", s.Name, err)
	}
	if o.Settings != nil {
		o.Settings(set)
	}
	if o.Sim != nil {
		o.Sim(sim)
	}
	st := &Stage{Story: s, Sim: sim, Settings: set, clock: sim.Clock, full: o.Full}
	if o.Clock != nil {
		st.clock = o.Clock(sim.Clock)
	}
	if st.sleep = o.Sleep; st.sleep == nil {
		st.sleep = sim.Clock.Sleep
	}
	if o.Store != nil {
		st.Store = o.Store(st.clock)
	} else {
		st.Store = ledger.NewMemory(st.clock)
	}
	st.log = io.Discard
	if o.Log != nil {
		st.log = o.Log
	}
	err = st.subscribe()
	if err == nil {
		err = st.wire()
	}
	if err != nil {
		sim.Close()
		return nil, fmt.Errorf("story %s: %w", s.Name, err)
	}
	return st, nil
}

// subscribe makes what the stack makes for the owners: topics, and subscriptions that somebody has
// confirmed.
func (st *Stage) subscribe() error {
	n := st.Settings.Notify
	for _, o := range n.Owners {
		name := o.TopicName()
		if name == "" {
			continue
		}
		topic := st.Sim.Provide(name)
		for _, address := range o.Email {
			if err := st.Sim.Subscribe(topic, address, ""); err != nil {
				return err
			}
		}
	}
	return nil
}

// Close ends the simulated account.
func (st *Stage) Close() { st.Sim.Close() }

// Config is the SDK configuration of a caller on the stage.
func (st *Stage) Config(key string) aws.Config { return Config(st.Sim, key) }

// Config is the SDK configuration of a caller of a simulated account.
func Config(sim *simaws.Sim, key string) aws.Config {
	a := strings.Split(sim.TopicARN(), ":")
	return aws.Config{
		Region:           a[3],
		BaseEndpoint:     aws.String(sim.URL()),
		Credentials:      credentials.NewStaticCredentialsProvider(key, "simulated", ""),
		HTTPClient:       sim.Client(),
		RetryMaxAttempts: 2,
		Retryer:          quick,
	}
}

// Restart puts a new function in the place of one that died: same account,
// same ledger, nothing else kept.
func (st *Stage) Restart() error {
	st.Sim.Restart()
	return st.wire()
}

// wire puts up the one function of a story.
func (st *Stage) wire() (err error) {
	st.Inbox, err = st.Instance(st.Config(simaws.FunctionKey), &st.Journal)
	return err
}

// Instance makes another instance of the function, as the function's handler
// does: it shares nothing with others but the account and the ledger.
func (st *Stage) Instance(cfg aws.Config, journal io.Writer) (*inbox.Inbox, error) {
	a, me := strings.Split(st.Sim.TopicARN(), ":"), st.Sim.Function()
	id, ok := awsapi.Invoked(strings.Join([]string{"arn", a[1], "lambda", a[3], a[4], "function", me.Session}, ":"),
		me.Role[strings.LastIndexByte(me.Role, '/')+1:])
	if !ok {
		return nil, fmt.Errorf("the function has no role: %+v", me)
	}
	logger := slog.New(slog.NewJSONHandler(st.log, nil))
	queues := awsapi.NewQueues(sqs.NewFromConfig(cfg), st.Sim.QueueURL(simaws.Queue), st.Sim.QueueURL(simaws.FollowUps),
		st.Sim.QueueURL(simaws.Cures), st.clock)
	return &inbox.Inbox{Log: logger,
		Requeue: queues.Back, RequeueTogether: queues.BackTogether, Full: st.full,
		Healer: awsapi.Wire(awsapi.Wiring{
			Config:     cfg,
			Identity:   id,
			Region:     cfg.Region,
			Settings:   st.Settings,
			Store:      st.Store,
			Topic:      st.Sim.TopicARN(),
			Queues:     queues,
			MemberRole: MemberRole,
			Function:   Function,
			Journal:    journal,
			CodeHost:   st.Sim.CodeHost(cfg.HTTPClient),
			Clock:      st.clock,
			Sleep:      st.sleep,
			Log:        logger,
			Parts:      awsapi.Parts(id, cfg.Region, Function, queues, "", st.Sim.TopicARN()),
			CodeBucket: "cdk-hnb659fds-assets-" + id.Account + "-" + cfg.Region, // as the CDK deploys it unless told otherwise
		})}, nil
}

// Run delivers messages until the queues are empty and nothing is under way,
// then does what the story says happens then, and so on.
func (st *Stage) Run(ctx context.Context) error {
	if err := st.drain(ctx); err != nil {
		return err
	}
	for _, th := range st.Story.Then {
		acted, err := st.Act(ctx, th, st.pass)
		if err != nil {
			return fmt.Errorf("story %s: then: %w", st.Story.Name, err)
		}
		if acted {
			continue // what comes of it comes as time passes
		}
		if err := st.then(ctx, th); err != nil {
			return err
		}
		if err := st.drain(ctx); err != nil {
			return err
		}
	}
	return nil
}

// most bounds how many messages a story may take: more is a loop.
const most = 500

func (st *Stage) drain(ctx context.Context) error {
	return st.receive(ctx, func() []simaws.Message { return NextBatch(ctx, st.Sim, batch) })
}

// receive delivers messages until next gives none.
func (st *Stage) receive(ctx context.Context, next func() []simaws.Message) error {
	for range most {
		ms := next()
		if len(ms) == 0 {
			return ctx.Err()
		}
		again, err := st.DeliverBatch(ctx, ms...)
		for _, m := range ms {
			if err != nil || slices.Contains(again, m.ID) {
				m.Nack()
			} else {
				m.Ack()
			}
		}
		if err != nil {
			return err
		}
	}
	return fmt.Errorf("story %s: more than %d messages: it goes round and round", st.Story.Name, most)
}

// batch is how many messages an invocation takes at most.
const batch = 10

// NextBatch receives the next message and whatever else is there by then, at most
// so many, as Lambda's SQS trigger does.
func NextBatch(ctx context.Context, sim *simaws.Sim, most int) (ms []simaws.Message) {
	if m, ok := sim.NextMessage(ctx); ok {
		ms = append([]simaws.Message{m}, Visible(sim, most-1)...)
	}
	return ms
}

// Visible receives messages that are there by now, at most so many.
func Visible(sim *simaws.Sim, most int) (ms []simaws.Message) {
	for len(ms) < most {
		m, ok := sim.Receive()
		if !ok {
			break
		}
		ms = append(ms, m)
	}
	return ms
}

// Deliver hands a message to the function as Lambda's SQS trigger does, and
// reports whether it is to be delivered again.
func (st *Stage) Deliver(ctx context.Context, m simaws.Message) (again bool, err error) {
	failed, err := st.DeliverBatch(ctx, m)
	return len(failed) > 0, err
}

// DeliverBatch hands several messages to the function in one invocation, and
// names those that are to be delivered again, by their ids.
func (st *Stage) DeliverBatch(ctx context.Context, ms ...simaws.Message) (again []string, err error) {
	payload, err := json.Marshal(Batch(ms...))
	if err != nil {
		return nil, err
	}
	out, err := st.Inbox.Invoke(ctx, payload)
	if err != nil { // a function error: the whole batch comes again
		for _, m := range ms {
			again = append(again, m.ID)
		}
		return again, nil
	}
	resp, ok := out.(events.SQSEventResponse)
	if !ok {
		return nil, fmt.Errorf("the function answered a batch with %T", out)
	}
	for _, f := range resp.BatchItemFailures {
		again = append(again, f.ItemIdentifier)
	}
	return again, nil
}

// Asked is a command that a person sent, and its answer.
type Asked struct {
	At      time.Time // simulated
	After   int       // how many calls were made before it
	Command string    // as the story has it
	Done    bool
	Message string
	Person  bool // it is nothing that the function was asked for
}

// Batch is the invocation by which Lambda's SQS trigger delivers messages.
func Batch(ms ...simaws.Message) events.SQSEvent {
	var e events.SQSEvent
	for _, m := range ms {
		e.Records = append(e.Records, events.SQSMessage{MessageId: m.ID, ReceiptHandle: m.ReceiptHandle, Body: m.Body,
			Attributes: m.Attributes(), EventSource: "aws:sqs", EventSourceARN: m.EventSourceARN, AWSRegion: m.Region})
	}
	return e
}

func (st *Stage) then(ctx context.Context, th Then) error {
	switch {
	case th.After != "":
		d, err := time.ParseDuration(th.After)
		if err != nil {
			return fmt.Errorf("story %s: then: %w", st.Story.Name, err)
		}
		st.Sim.Clock.Advance(d)
		return nil
	case th.Trust != nil:
		return st.Sim.UpdateAssumeRolePolicy(th.Trust.Account, th.Trust.Role, th.Trust.Document)
	case th.Sweep:
		th.Command = `{"sweep":{}}`
	}
	r, err := st.Result(ctx)
	if err == nil && th.Press != "" {
		th.Command, err = st.press(th.Press)
	}
	if err != nil {
		return err
	}
	at, after := st.Sim.Clock.Now(), len(st.Sim.Calls())
	payload := strings.NewReplacer("PLAN", r.Plan, "CASE", r.Case).Replace(th.Command)
	said := th.Command
	if th.Press != "" {
		said = "press " + th.Press
	}
	answer, err := st.invoke(ctx, payload)
	if th.Fails {
		if err == nil {
			return fmt.Errorf("story %s: %s: it should have failed", st.Story.Name, said)
		}
		st.Asked = append(st.Asked, Asked{At: at, After: after, Command: said, Message: err.Error()})
		return nil
	}
	if err != nil {
		return fmt.Errorf("story %s: %s: %w", st.Story.Name, said, err)
	}
	answer.At, answer.After, answer.Command = at, after, said
	st.Asked = append(st.Asked, answer)
	return nil
}

// invoke sends a payload to the function.
func (st *Stage) invoke(ctx context.Context, payload string) (Asked, error) {
	ctx = lambdacontext.NewContext(ctx, &lambdacontext.LambdaContext{
		AwsRequestID: fmt.Sprintf("5e3b1c9a-0000-4000-8000-%012d", len(st.Asked)+len(st.Swept)+1)})
	out, err := st.Inbox.Invoke(ctx, json.RawMessage(payload))
	if err != nil {
		return Asked{}, err
	}
	answer, ok := out.(heal.CommandAnswer)
	if !ok {
		return Asked{}, fmt.Errorf("it answered %T", out)
	}
	return Asked{Done: answer.Done, Message: answer.Message}, nil
}

// Result is how a story ended, as `demo -json` prints it.
type Result struct {
	Story    string              `json:"story"`
	Project  string              `json:"project"`
	Cause    string              `json:"cause"`
	Remedy   string              `json:"remedy"`
	Rounds   int                 `json:"rounds"`
	Outcome  decide.Kind         `json:"outcome"`
	Grants   []string            `json:"grants"`
	Refusals []guardrail.Refusal `json:"refusals"`
	Policy   json.RawMessage     `json:"policy"` // the resulting document, {} if none was written or would be
	Calls    []string            `json:"calls"`  // operations that wrote something, in AWS or in code

	Case   string        `json:"-"`
	Plan   string        `json:"-"`
	Closed bool          `json:"-"`
	Took   time.Duration `json:"-"` // simulated
}

// Result reads the outcome of the story's project.
func (st *Stage) Result(ctx context.Context) (Result, error) {
	r := Result{Story: st.Story.Name, Project: st.Story.Expect.Project, Grants: []string{}, Refusals: []guardrail.Refusal{},
		Policy: json.RawMessage("{}"), Calls: st.Writes()}
	c, err := st.Case(ctx)
	if errors.Is(err, heal.ErrNotFound) {
		return r, nil
	}
	if err != nil {
		return r, err
	}
	r.Case, r.Outcome, r.Closed, r.Took = c.ID, c.Outcome, !c.Closed.IsZero(), c.Closed.Sub(c.Opened)
	for i, round := range c.Rounds {
		if !round.RetryAt.IsZero() || i == 0 {
			r.Rounds++
		}
		st.tellRound(&r, round)
	}
	return r, nil
}

func (st *Stage) tellRound(r *Result, round decide.Round) {
	if round.Diagnosis != nil && r.Cause == "" {
		r.Cause = round.Diagnosis.Cause
	}
	d := round.Decision
	if d == nil {
		return
	}
	if r.Remedy == "" {
		r.Remedy = string(d.Remedy)
	}
	for _, u := range d.Used {
		if !slices.Contains(r.Grants, u.Grant) {
			r.Grants = append(r.Grants, u.Grant)
		}
	}
	r.Refusals = append(r.Refusals, d.Refusals...)
	if d.Plan != nil {
		r.Plan = d.Plan.Hash()
		if w := d.Plan.Write; w != nil && w.After != "" {
			r.Policy = json.RawMessage(compact(w.After))
		}
	}
}

func compact(doc string) []byte {
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(doc)); err != nil {
		return []byte("{}")
	}
	return b.Bytes()
}

// Writes lists the operations that changed something, in the order of their
// first success: notices, what developers are told, the function's own queue and its ledger are not
// among them.
func (st *Stage) Writes() []string {
	return slices.DeleteFunc(append([]string{}, st.Sim.Writes()...), func(w string) bool {
		return strings.HasPrefix(w, "dynamodb.") || slices.Contains(tells, w)
	})
}

// tells are the operations that tell somebody something.
var tells = []string{"sns.Publish", "sqs.SendMessage", "sqs.SendMessageBatch", "github.CreateCommitStatus", "github.CreateIssueComment",
	"github.UpdateIssueComment"}

// Case reads the case of the story's project: of its first build, or of the first one of the source
// version that the story is about.
func (st *Stage) Case(ctx context.Context) (decide.Case, error) {
	bs := st.Builds()
	if v := st.Story.Expect.Version; v != "" {
		bs = slices.DeleteFunc(slices.Clone(bs), func(b simaws.Build) bool { return b.Version != v })
	}
	if of := st.Story.Expect.Pipeline; of != "" { // of which an action failed without a build
		return st.caseOfPipeline(ctx, of)
	}
	var it heal.Item
	err := heal.ErrNotFound
	if len(bs) > 0 {
		it, err = st.Store.Get(ctx, "build", bs[0].ID)
	}
	for _, batch := range st.Sim.Batches(st.Story.Expect.Project) { // of one that failed by itself
		if errors.Is(err, heal.ErrNotFound) {
			it, err = st.Store.Get(ctx, "build", batch)
		}
	}
	if err != nil {
		return decide.Case{}, err
	}
	return st.Inbox.Healer.Case(ctx, string(it.Data))
}

// caseOfPipeline is the oldest case about an action of the pipeline that ran no build.
func (st *Stage) caseOfPipeline(ctx context.Context, pipeline string) (first decide.Case, err error) {
	all, err := st.Inbox.Healer.History(ctx, st.Story.Expect.Project, 100)
	if err != nil {
		return first, err
	}
	for _, s := range all {
		c, err := st.Inbox.Healer.Case(ctx, s.Case)
		if err != nil {
			return first, err
		}
		if a := c.Rounds[0].Build.Action; a != nil && a.Pipeline == pipeline && (first.ID == "" || c.Opened.Before(first.Opened)) {
			first = c
		}
	}
	if first.ID == "" {
		err = heal.ErrNotFound
	}
	return first, err
}

// Differs says in which way the result is not what the story expects; "" if
// it is.
func (s Story) Differs(r Result, builds []simaws.Build) string {
	var rules []guardrail.Rule
	for _, f := range r.Refusals {
		rules = append(rules, f.Rule)
	}
	last := ""
	if n := len(builds); n > 0 {
		last = builds[n-1].Status
	}
	var bad []string
	differ := func(what string, want, got any) {
		if w, g := fmt.Sprint(want), fmt.Sprint(got); w != g {
			bad = append(bad, fmt.Sprintf("%s is %s, should be %s", what, g, w))
		}
	}
	e := s.Expect
	differ("outcome", e.Outcome, r.Outcome)
	differ("cause", e.Cause, r.Cause)
	differ("remedy", e.Remedy, r.Remedy)
	differ("rounds", e.Rounds, r.Rounds)
	differ("grants", e.Grants, r.Grants)
	differ("refusals", e.Refusals, rules)
	differ("writes", e.Writes, r.Calls)
	differ("builds", e.Builds, len(builds))
	differ("last build", e.Last, last)
	return strings.Join(bad, "; ")
}
