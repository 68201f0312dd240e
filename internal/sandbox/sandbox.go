// Package sandbox is a simulated AWS account to try things in: the function runs in it as it would
// in a real one, its stack can be looked at, and the desk and the AWS CLI work against it.
//
// # Time
//
// The account's time is never behind the real one, and nobody waits for it: what is under way is
// carried out as soon as no one has called for a moment, and time jumps from one thing that happens
// to the next. So a build of five minutes ends within a second, five minutes later. The desk goes by
// the account's time, too, and when it waits, time passes here: see [Client].
package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/buildmedic/buildmedic/internal/awsapi"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/notice"
	"github.com/buildmedic/buildmedic/internal/settings"
	"github.com/buildmedic/buildmedic/internal/simaws"
	"github.com/buildmedic/buildmedic/internal/story"
)

// The names of what the stack has, as the stack itself would give them.
const (
	Stack = "Buildmedic"
	Table = "Buildmedic-Ledger"
)

// SettingsFile is the name of the settings in the sandbox's folder.
const SettingsFile = "buildmedic.yaml"

// Options say what a sandbox is like.
type Options struct {
	Story story.Story
	Lead  time.Duration // how long ago its world begins
	Port  int           // 0: any
	// Dir is the sandbox's own folder. The settings are written there, and read again when they have
	// changed. Its name is what a client of the sandbox has to know.
	Dir   string
	Now   func() time.Time // the real time
	Quiet time.Duration    // for how long nobody may have called before time jumps
	Tell  func(Event)      // hears what happens, in order
	Log   io.Writer        // of the function
}

// Sandbox is a simulated account in which the function runs.
type Sandbox struct {
	Sim *simaws.Sim

	o     Options
	stage *story.Stage
	teller
	end  context.CancelFunc
	done chan struct{}

	turn  sync.Mutex // who holds it may run the function, or move time on
	text  []byte     // the settings that the function has, and those that it did not take
	wrong []byte
	sweep time.Time // when the schedule comes next
	every time.Duration

	mu     sync.Mutex
	called time.Time     // when somebody called last, in real time
	poke   chan struct{} // somebody has called
}

// schedule is how often the function looks for what events did not tell; when much time passes at
// once, it looks fewer times.
const (
	schedule = 15 * time.Minute
	looks    = 24
)

// Open starts a sandbox and plays its world until nothing is under way. Close it after use.
func Open(ctx context.Context, o Options) (*Sandbox, error) {
	s := &Sandbox{o: o, text: o.Story.Settings, poke: make(chan struct{}, 1), done: make(chan struct{}), every: schedule,
		teller: teller{say: o.Tell, builds: map[string]string{}}}
	now := o.Now().Truncate(time.Second)
	var err error
	s.stage, err = story.Open(o.Story, story.Options{
		Log:    o.Log,
		Config: func(c *simaws.Config) { c.Start, c.Port = now.Add(-o.Lead), o.Port },
		Sim:    s.furnish,
		Store: func(c heal.Clock) heal.Store {
			return awsapi.NewDynamoDB(dynamodb.NewFromConfig(story.Config(s.Sim, simaws.FunctionKey)), Table, c)
		},
	})
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(s.file(), o.Story.Settings, 0o600); err != nil {
		s.stage.Close()
		return nil, fmt.Errorf("writing the sandbox's settings: %w", err)
	}
	s.sweep = s.Sim.Clock.Now().Add(schedule)
	s.settle(ctx)
	if err := ctx.Err(); err != nil {
		s.stage.Close()
		return nil, err
	}
	s.catchUp()
	s.Sim.Hook(s.hear)
	ctx, s.end = context.WithCancel(ctx)
	go s.live(ctx)
	return s, nil
}

// furnish puts in what the stack has and a story's world has not.
func (s *Sandbox) furnish(sim *simaws.Sim) {
	s.Sim, s.teller.sim = sim, sim
	sim.AddTable(simaws.Table{Name: Table, Partition: awsapi.PartitionKey, Sort: awsapi.SortKey, Index: awsapi.IndexName,
		IndexPartition: "shard", IndexSort: "due"})
	sim.AddStack(simaws.Stack{Name: Stack, Outputs: []simaws.Output{
		{Key: "FunctionName", Value: story.Function, Description: "The function; send it commands with aws lambda invoke."},
		{Key: "QueueUrl", Value: sim.QueueURL(simaws.Queue), Description: "Failed builds go in here; make test-event sends one."},
		{Key: "TopicArn", Value: sim.TopicARN(), Description: "Notices come out here."},
		{Key: "TableName", Value: Table, Description: "The ledger. It stays when the stack goes."}}})
	sim.AddFunction(story.Function, s.invoke)
	s.serve(sim)
}

// Close ends the sandbox. Its folder is its owner's.
func (s *Sandbox) Close() {
	s.end()
	s.stage.Close()
	<-s.done
}

func (s *Sandbox) file() string { return filepath.Join(s.o.Dir, SettingsFile) }

// hear notes that somebody else than the function calls. By then the account's time is no longer
// behind.
func (s *Sandbox) hear(c simaws.Call) simaws.Fault {
	if c.Key == simaws.FunctionKey {
		return simaws.Fault{}
	}
	if !c.Done {
		s.catchUp()
	}
	s.touch()
	return simaws.Fault{}
}

func (s *Sandbox) touch() {
	s.mu.Lock()
	s.called = time.Now()
	s.mu.Unlock()
	select {
	case s.poke <- struct{}{}:
	default:
	}
}

// catchUp moves the account's time on to the real one, if it is behind.
func (s *Sandbox) catchUp() {
	if behind := s.o.Now().Sub(s.Sim.Clock.Now()); behind > 0 {
		s.Sim.Clock.Advance(behind)
	}
}

// live carries on whatever callers have begun, until the sandbox ends.
func (s *Sandbox) live(ctx context.Context) {
	defer close(s.done)
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.poke:
		}
		for range most {
			if !s.quiet(ctx) {
				return
			}
			s.turn.Lock()
			going := s.step(ctx, time.Time{})
			s.turn.Unlock()
			if !going {
				break
			}
		}
	}
}

// quiet waits until nobody has called for a while: time must not jump between two calls of one
// command.
func (s *Sandbox) quiet(ctx context.Context) bool {
	for {
		s.mu.Lock()
		wait := s.o.Quiet - time.Since(s.called)
		s.mu.Unlock()
		if wait <= 0 {
			return ctx.Err() == nil
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(wait):
		}
	}
}

// most bounds how many steps are made in a row: more is a loop.
const most = 20_000

// settle carries on until nothing is under way.
func (s *Sandbox) settle(ctx context.Context) {
	s.turn.Lock()
	defer s.turn.Unlock()
	for range most {
		if !s.step(ctx, time.Time{}) {
			return
		}
	}
}

// pass lets time pass, and everything happen meanwhile.
func (s *Sandbox) pass(ctx context.Context, d time.Duration) {
	s.turn.Lock()
	defer s.turn.Unlock()
	end := s.Sim.Clock.Now().Add(d)
	s.every = max(schedule, d/looks)
	defer func() { s.every = schedule }()
	for range most {
		if !s.step(ctx, end) {
			break
		}
	}
	if left := end.Sub(s.Sim.Clock.Now()); left > 0 && ctx.Err() == nil {
		s.Sim.Clock.Advance(left)
		s.tell()
	}
}

// step does the next thing there is to do: it delivers messages, has the function look around, or
// moves time on, no further than until unless that is zero. It reports whether there may be more.
func (s *Sandbox) step(ctx context.Context, until time.Time) (more bool) {
	defer s.tell()
	if ctx.Err() != nil {
		return false
	}
	if s.deliver(ctx) {
		return true
	}
	now := s.Sim.Clock.Now()
	next, busy := s.Sim.Next()
	if s.sweep.Before(now) {
		s.sweep = now
	}
	look := !until.IsZero() || s.waits(ctx, busy)
	switch {
	case look && (!busy || s.sweep.Before(next)) && (until.IsZero() || !s.sweep.After(until)):
		s.Sim.Clock.Advance(s.sweep.Sub(now))
		s.sweep = s.sweep.Add(s.every)
		_, _ = s.stage.Inbox.Invoke(ctx, json.RawMessage(`{"sweep":{}}`)) // it comes again
		return true
	case !busy || !until.IsZero() && next.After(until):
		return false
	}
	s.Sim.Clock.Advance(next.Sub(now))
	return true
}

// patience is for how long time goes on for an open case when nothing else is under way.
const patience = 3 * time.Hour

// waits reports whether an open case waits for the schedule.
func (s *Sandbox) waits(ctx context.Context, busy bool) bool {
	if busy {
		return false
	}
	cs, err := s.stage.Inbox.Healer.History(ctx, "", 20)
	return err == nil && slices.ContainsFunc(cs, func(c heal.Summary) bool {
		return c.Outcome == heal.Open && s.Sim.Clock.Now().Sub(c.Opened) < patience
	})
}

// deliver hands the messages that are there to the function.
func (s *Sandbox) deliver(ctx context.Context) bool {
	var ms []simaws.Message
	for len(ms) < 10 {
		m, ok := s.Sim.Receive()
		if !ok {
			break
		}
		ms = append(ms, m)
	}
	if len(ms) == 0 {
		return false
	}
	s.renew()
	again, err := s.stage.DeliverBatch(ctx, ms...)
	for _, m := range ms {
		if err != nil || slices.Contains(again, m.ID) {
			m.Nack()
		} else {
			m.Ack()
		}
	}
	return true
}

// invoke runs the function as Lambda would, for a person's command.
func (s *Sandbox) invoke(ctx context.Context, payload json.RawMessage) (json.RawMessage, error) {
	s.turn.Lock()
	defer s.turn.Unlock()
	s.renew()
	answer, err := s.stage.Inbox.Invoke(ctx, payload)
	s.tell()
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(answer)
	if err != nil {
		return nil, fmt.Errorf("answering: %w", err)
	}
	return json.RawMessage(notice.VisibleJSON(string(data))), nil
}

// maxSettings is how much of a settings file is read; more than any may have.
const maxSettings = 1 << 20

// renew has the function go by the settings as they are in the folder by now, as a deployment
// would. Those that are wrong it does not take.
func (s *Sandbox) renew() {
	f, err := os.Open(s.file())
	if err != nil {
		return // it is gone: the function keeps what it has
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxSettings))
	if err != nil || string(text) == string(s.text) || string(text) == string(s.wrong) {
		return
	}
	set, err := settings.Parse(text)
	if err != nil {
		s.wrong = text
		s.say(Event{At: s.Sim.Clock.Now(), Kind: Settings,
			Text: "the settings are wrong, see buildmedic check: the function keeps its own"})
		return
	}
	old := s.stage.Settings
	s.stage.Settings = set
	in, err := s.stage.Instance(s.stage.Config(simaws.FunctionKey), io.Discard)
	if err != nil {
		s.stage.Settings = old
		return
	}
	s.stage.Inbox, s.text = in, text
	s.say(Event{At: s.Sim.Clock.Now(), Kind: Settings, Text: "the function has the changed settings"})
}
