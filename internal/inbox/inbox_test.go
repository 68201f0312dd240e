package inbox_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/simaws"
	"github.com/buildmedic/buildmedic/internal/story"
)

// shop is an account with two projects whose builds fail for reasons that no
// grant mends.
const shop = `
roles: [{name: ci, inline: {logs: '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"logs:*","Resource":"*"}]}'}}]
projects:
  - {name: one, role: ci, buildspecs: {buildspec.yml: {build: [{run: make, fails: {prints: "no rule"}}]}}}
  - {name: two, role: ci, buildspecs: {buildspec.yml: {build: [{run: make, fails: {prints: "no rule"}}]}}}
starts: [{project: one}, {project: two}]
`

const rules = `
version: 1
notify: {email: [platform@example.com]}
projects:
  - {name: one, role: ci, mode: heal, write: {inline: CI}}
  - {name: two, role: ci, mode: heal, write: {inline: CI}}
`

// stage opens the account with the healer on it, and takes the events of
// both builds from the queue.
func stage(t *testing.T, o story.Options) (*story.Stage, []simaws.Message) {
	t.Helper()
	s := story.Story{Name: "inbox", World: []byte(shop), Settings: []byte(rules), Expect: story.Expect{Project: "one"}}
	st, err := story.Open(s, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(st.Close)
	var ms []simaws.Message
	for range 2 {
		m, ok := st.Sim.NextMessage(t.Context())
		if !ok {
			t.Fatal("there are not two events")
		}
		ms = append(ms, m)
	}
	return st, ms
}

// deliver invokes the function with a batch.
func deliver(t *testing.T, ctx context.Context, st *story.Stage, bodies ...string) []string {
	t.Helper()
	var b events.SQSEvent
	for i, body := range bodies {
		b.Records = append(b.Records, events.SQSMessage{MessageId: fmt.Sprintf("m-%d", i), Body: body, EventSource: "aws:sqs"})
	}
	payload, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	out, err := st.Inbox.Invoke(ctx, payload)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := json.Marshal(out)
	if err != nil || !strings.HasPrefix(string(answer), `{"batchItemFailures":[`) {
		t.Fatalf("Lambda gets %s, %v", answer, err)
	}
	failed := []string{}
	for _, f := range out.(events.SQSEventResponse).BatchItemFailures {
		failed = append(failed, f.ItemIdentifier)
	}
	return failed
}

// requeued is a message that was put back.
type requeued struct {
	body  string
	delay time.Duration
}

// record has what is put back remembered instead.
func record(st *story.Stage, back *[]requeued, err error) {
	st.Inbox.Requeue = func(_ context.Context, _, body string, d time.Duration) error {
		*back = append(*back, requeued{body, d})
		return err
	}
}

// cases counts the builds of a project that have a case.
func cases(t *testing.T, st *story.Stage, project string) int {
	t.Helper()
	n := 0
	for _, b := range st.Sim.Builds(project) {
		if _, err := st.Store.Get(t.Context(), "build", b.ID); err == nil {
			n++
		}
	}
	return n
}

// TestBatch: of a good message, one that nobody can read and one for which
// AWS was busy, only the second is delivered again by the queue. The third
// comes back as a new message, so it does not come nearer to the dead letters.
func TestBatch(t *testing.T) {
	var log bytes.Buffer
	st, ms := stage(t, story.Options{Log: &log})
	var back []requeued
	record(st, &back, nil)
	busy := 0
	st.Sim.Hook(func(c simaws.Call) simaws.Fault {
		if c.Operation == "BatchGetBuilds" && !c.Done && busy < 5 { // all tries of the SDK for both and for the first
			busy++
			return simaws.Fault{Throttle: true}
		}
		return simaws.Fault{}
	})
	throttled, good, poison := ms[0].Body, ms[1].Body, `{"detail": "secret-value"`
	failed := deliver(t, t.Context(), st, throttled, poison, good)
	if !slices.Equal(failed, []string{"m-1"}) {
		t.Errorf("delivered again: %q", failed)
	}
	if len(back) != 1 || back[0].body != throttled || back[0].delay < time.Second || back[0].delay > 15*time.Minute {
		t.Errorf("put back: %+v", back)
	}
	if n := cases(t, st, "two"); n != 1 {
		t.Errorf("the good message made %d cases", n)
	}
	if s := log.String(); !strings.Contains(s, `"message":"m-1"`) || strings.Contains(s, "secret-value") {
		t.Errorf("the log: %s", s)
	}
	st.Sim.Unhook()
	if failed := deliver(t, t.Context(), st, back[0].body); len(failed) > 0 || cases(t, st, "one") != 1 {
		t.Errorf("when it came back: failed %q, %d cases", failed, cases(t, st, "one"))
	}
}

// TestReadTogether: the records of a batch's builds are read with one call. One that does not show
// yet that its build has ended is read again, and so is one that is no longer fresh.
func TestReadTogether(t *testing.T) {
	for _, row := range []struct {
		name    string
		happens func(*story.Stage, simaws.Call)
		calls   int
	}{
		{"at once", func(*story.Stage, simaws.Call) {}, 1},
		{"two minutes before", func(st *story.Stage, c simaws.Call) {
			if c.Operation == "BatchGetBuilds" && c.Done {
				st.Sim.Clock.Advance(2 * time.Minute)
			}
		}, 3},
	} {
		st, ms := stage(t, story.Options{})
		before := len(st.Sim.Calls())
		st.Sim.Hook(func(c simaws.Call) simaws.Fault { row.happens(st, c); return simaws.Fault{} })
		if failed := deliver(t, t.Context(), st, ms[0].Body, ms[1].Body); len(failed) > 0 {
			t.Errorf("%s: delivered again: %q", row.name, failed)
		}
		reads := 0
		for _, c := range st.Sim.Calls()[before:] {
			if c.Operation == "BatchGetBuilds" {
				reads++
			}
		}
		if reads != row.calls || cases(t, st, "one") != 1 || cases(t, st, "two") != 1 {
			t.Errorf("%s: %d reads, %d and %d cases", row.name, reads, cases(t, st, "one"), cases(t, st, "two"))
		}
	}
}

// TestReadEarly: the log of a build that failed alone is read beside its record, and of several it
// is not: most of them may never be needed.
func TestReadEarly(t *testing.T) {
	for _, together := range []bool{false, true} {
		st, ms := stage(t, story.Options{})
		before := len(st.Sim.Calls())
		st.Sim.Hook(func(c simaws.Call) simaws.Fault {
			if c.Operation == "BatchGetBuilds" {
				return simaws.Fault{Code: "AccessDeniedException", Status: 400} // so that nothing asks for the log
			}
			return simaws.Fault{}
		})
		bodies := []string{ms[0].Body}
		if together {
			bodies = append(bodies, ms[1].Body)
		}
		if failed := deliver(t, t.Context(), st, bodies...); len(failed) > 0 {
			t.Errorf("delivered again: %q", failed)
		}
		read := slices.ContainsFunc(st.Sim.Calls()[before:], func(c simaws.Call) bool { return c.Operation == "GetLogEvents" })
		if read == together {
			t.Errorf("several: %v; a log is read: %v", together, read)
		}
	}
}

// TestRequeueFails: a message that cannot be put back is not lost.
func TestRequeueFails(t *testing.T) {
	st, ms := stage(t, story.Options{})
	var back []requeued
	record(st, &back, fmt.Errorf("the queue is away: %w", heal.ErrLater))
	st.Sim.Hook(func(c simaws.Call) simaws.Fault { return simaws.Fault{Throttle: c.Operation == "BatchGetBuilds"} })
	if failed := deliver(t, t.Context(), st, ms[0].Body, ms[1].Body); !slices.Equal(failed, []string{"m-0", "m-1"}) {
		t.Errorf("delivered again: %q", failed)
	}
}

// TestPoison: each message that cannot be read is delivered again, until the
// queue moves it to the dead letters.
func TestPoison(t *testing.T) {
	st, _ := stage(t, story.Options{})
	var back []requeued
	record(st, &back, nil)
	bodies := []string{"", "hello", "null", "[]", "{}", `{"continue":{}}`, `{"continue":{"case":""}}`,
		`{"continue":{"case":"c","more":1}}`, `{"continue":{"case":3}}`, `{"continue":{"case":"c"}} x`,
		`{"continue":{"case":"c"}}{"continue":{"case":"d"}}`, `{"status":{}}`,
		`{"release":{}}`, `{"release":{"leader":""}}`, `{"release":{"leader":"c","more":1}}`,
		`{"source":"aws.codebuild","detail-type":"CodeBuild Build State Change","detail":{}}`,
		action(`"pipeline":"a/b","execution-id":"8e0e9c55-c699-4132-ac4f-6c6de3e636d1","stage":"s","action":"a","state":"FAILED"`)}
	var want []string
	for i := range bodies {
		want = append(want, fmt.Sprintf("m-%d", i))
	}
	if failed := deliver(t, t.Context(), st, bodies...); !slices.Equal(failed, want) || len(back) > 0 {
		t.Errorf("delivered again: %q, put back %v", failed, back)
	}
}

// action is the event of a pipeline's action.
func action(detail string) string {
	return `{"source":"aws.codepipeline","detail-type":"CodePipeline Action Execution State Change","account":"111122223333",` +
		`"region":"us-east-1","detail":{` + detail + `}}`
}

const named = `"pipeline":"shop","execution-id":"8e0e9c55-c699-4132-ac4f-6c6de3e636d1","stage":"s","action":"a"`

// TestIgnored: what is no ended build, or not of a project in the settings,
// is done with.
func TestIgnored(t *testing.T) {
	st, ms := stage(t, story.Options{})
	other := strings.NewReplacer(`build/one:`, `build/unnamed:`, `build/two:`, `build/unnamed:`).Replace(ms[0].Body)
	running := strings.ReplaceAll(ms[0].Body, `"FAILED"`, `"IN_PROGRESS"`)
	if other == ms[0].Body || running == ms[0].Body {
		t.Fatal("the event has another shape")
	}
	before := len(st.Sim.Calls())
	if failed := deliver(t, t.Context(), st, other, running,
		`{"source":"aws.ec2","detail-type":"EC2 Instance State-change Notification","detail":{}}`,
		action(named+`,"state":"SUCCEEDED","type":{"provider":"CodeBuild"}`),
		action(named+`,"state":"FAILED","type":{"provider":"Manual"}`),
		action(named+`,"state":"FAILED","type":{"provider":"CodeBuild"}`), // of a pipeline that nobody lists
		action(named+`,"state":"FAILED","type":{"provider":"Commands"},"region":"eu-west-1"`)); len(failed) > 0 {
		t.Errorf("delivered again: %q", failed)
	}
	if n := len(st.Sim.Calls()) - before; n > 0 {
		t.Errorf("%d calls were made", n)
	}
}

// TestNoTimeLeft: what the function has no time for goes back as it is.
func TestNoTimeLeft(t *testing.T) {
	st, ms := stage(t, story.Options{})
	var back []requeued
	record(st, &back, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	before := len(st.Sim.Calls())
	failed := deliver(t, ctx, st, ms[0].Body, "poison", ms[1].Body)
	if len(failed) > 0 || !slices.Equal(back, []requeued{{ms[0].Body, 0}, {"poison", 0}, {ms[1].Body, 0}}) ||
		len(st.Sim.Calls()) != before {
		t.Errorf("failed %q, put back %v, %d calls", failed, back, len(st.Sim.Calls())-before)
	}
	roomy, stop := context.WithTimeout(t.Context(), 10*time.Minute)
	defer stop()
	if failed := deliver(t, roomy, st, ms[0].Body); len(failed) > 0 || len(back) != 3 {
		t.Errorf("with time enough: failed %q, %d put back", failed, len(back))
	}
}

// TestTimeRunsOut: a message in whose handling the function's time runs out is
// put back before Lambda ends the function; so is what comes after it.
func TestTimeRunsOut(t *testing.T) {
	st, ms := stage(t, story.Options{})
	st.Sim.Hook(func(c simaws.Call) simaws.Fault { return simaws.Fault{Throttle: c.Service == "codebuild"} })
	synctest.Test(t, func(t *testing.T) { // in which waiting takes no time
		cfg := st.Config(simaws.FunctionKey)
		cfg.HTTPClient, cfg.RetryMaxAttempts = st.Sim.Direct(), 0
		cfg.Retryer = func() aws.Retryer { return retry.AddWithMaxAttempts(retry.NewStandard(), 0) }
		var err error
		if st.Inbox, err = st.Instance(cfg, io.Discard); err != nil {
			t.Fatal(err)
		}
		var back []requeued
		record(st, &back, nil)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		defer cancel()
		failed := deliver(t, ctx, st, ms[0].Body, ms[1].Body)
		if ctx.Err() != nil {
			t.Error("the function's time was used up")
		}
		if len(failed) > 0 || len(back) != 2 || back[0].body != ms[0].Body || back[0].delay == 0 || back[1] != (requeued{ms[1].Body, 0}) {
			t.Errorf("failed %q, put back %.300v", failed, back)
		}
	})
}

// TestReleasesAreShared: of the messages that release cases a batch keeps two. The others are put back
// at once, for an invocation that has nothing to do; what cannot be put back stays.
func TestReleasesAreShared(t *testing.T) {
	release := func(n int) string { return fmt.Sprintf(`{"release":{"leader":"%d"}}`, n) }
	const resume = `{"continue":{"case":"none"}}`
	for _, row := range []struct {
		left []string // of what is to be put back
		err  error
		read []string // leaders that are looked at
	}{
		{nil, nil, []string{"1", "2"}},
		{[]string{release(4)}, nil, []string{"1", "2", "4"}},
		{[]string{release(3), release(4), release(5)}, errors.New("SQS is away"), []string{"1", "2", "3", "4", "5"}},
	} {
		st, ms := stage(t, story.Options{})
		var read, put []string
		st.Inbox.Healer.Store = observed{st.Inbox.Healer.Store, func(kind, id string) {
			if kind == "case" && len(id) == 1 {
				read = append(read, id)
			}
		}}
		st.Inbox.RequeueTogether = func(_ context.Context, _ string, bodies []string) ([]string, error) {
			put = slices.Clone(bodies)
			return row.left, row.err
		}
		failed := deliver(t, t.Context(), st, release(1), resume, release(2), ms[0].Body, release(3), release(4), release(5))
		if len(failed) > 0 || !slices.Equal(put, []string{release(3), release(4), release(5)}) || !slices.Equal(read, row.read) {
			t.Errorf("left %q: failed %q, put back %q, looked at %q", row.left, failed, put, read)
		}
		if n := cases(t, st, "one") + cases(t, st, "two"); n != 1 {
			t.Errorf("%d builds have a case", n)
		}
	}
}

// observed is a ledger of which somebody sees what is read.
type observed struct {
	heal.Store
	sees func(kind, id string)
}

func (s observed) Get(ctx context.Context, kind, id string) (heal.Item, error) {
	s.sees(kind, id)
	return s.Store.Get(ctx, kind, id)
}

// TestDirectEvent: EventBridge, or a person, may invoke the function with the
// event itself. An error is then the invocation's.
func TestDirectEvent(t *testing.T) {
	st, ms := stage(t, story.Options{})
	out, err := st.Inbox.Invoke(t.Context(), json.RawMessage(ms[0].Body))
	if err != nil || out != nil || cases(t, st, "one")+cases(t, st, "two") != 1 {
		t.Errorf("answered %v, %v", out, err)
	}
	if _, err := st.Inbox.Invoke(t.Context(),
		json.RawMessage(
			`{"source":"aws.codebuild","detail-type":"CodeBuild Build State Change","detail":{"build-id":"x"}}`,
		)); err == nil {
		t.Error("an event that cannot be read was taken")
	}
}

// TestCommands: what is no command says which there are.
func TestCommands(t *testing.T) {
	st, _ := stage(t, story.Options{})
	for _, payload := range []string{
		"", "{", `"status"`, `[]`, `{"statsu":{}}`, `{"status":{"cse":"x"}}`, `{"approve":["plan"]}`, `{"approve":7}`,
		`{"approve":{"plan":"p","who":"x"}}`,
		`{"resume":""}`, `{"status":"case"}`,
		`{"status":{},"more":1}`,
	} {
		out, err := st.Inbox.Invoke(t.Context(), json.RawMessage(payload))
		if err == nil || out != nil && out.(heal.CommandAnswer).Done {
			t.Errorf("%q was taken: %v", payload, out)
		}
	}
	_, err := st.Inbox.Invoke(t.Context(), json.RawMessage(`{"statsu":{}}`))
	if err == nil || !strings.Contains(err.Error(), "statsu") ||
		!strings.Contains(err.Error(), "approve, reject, undo, status, replay, pause, resume, sweep") {
		t.Errorf("an unknown command: %v", err)
	}
	for _, row := range []struct {
		payload string
		done    bool
	}{
		{`{}`, false},
		{`{"status":{},"sweep":{}}`, false},
		{`{"status":{}}`, true},
		{`{"pause":{"because":"a release"}}`, true},
		{`{"resume":{}}`, true},
	} {
		out, err := st.Inbox.Invoke(t.Context(), json.RawMessage(row.payload))
		a, ok := out.(heal.CommandAnswer)
		if err != nil || !ok || a.Done != row.done || a.Message == "" && !row.done {
			t.Errorf("%s: %+v, %v", row.payload, out, err)
		}
	}
}

// TestCommandNotNow: a command that comes while AWS is busy is answered, and
// did nothing.
func TestCommandNotNow(t *testing.T) {
	st, _ := stage(t, story.Options{})
	st.Sim.Hook(func(c simaws.Call) simaws.Fault { return simaws.Fault{Throttle: c.Operation == "BatchGetBuilds"} })
	out, err := st.Inbox.Invoke(t.Context(), json.RawMessage(fmt.Sprintf(`{"replay":{"build":%q}}`, st.Sim.Builds("one")[0].ID)))
	a, ok := out.(heal.CommandAnswer)
	if err != nil || !ok || a.Done || !strings.HasPrefix(a.Message, "Not now: ") {
		t.Errorf("%+v, %v", out, err)
	}
}

// TestContinue: the healer's own message continues the case, and does no
// harm when it comes twice; white space around it is nothing.
func TestContinue(t *testing.T) {
	st, ms := stage(t, story.Options{})
	if failed := deliver(t, t.Context(), st, ms[0].Body, ms[1].Body); len(failed) > 0 {
		t.Fatal(failed)
	}
	c, err := st.Case(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	body := fmt.Sprintf(`{"continue":{"case":%q}}`, c.ID)
	if failed := deliver(t, t.Context(), st, body, "\n"+body+" \n"); len(failed) > 0 {
		t.Errorf("delivered again: %q", failed)
	}
	again, err := st.Case(t.Context())
	if err != nil || again.ID != c.ID || len(again.Rounds) != len(c.Rounds) {
		t.Errorf("the case went from %+v to %+v, %v", c, again, err)
	}
}

// TestRelease: the healer's own message releases those that follow a case; that of a case which is
// not there is done with.
func TestRelease(t *testing.T) {
	st, _ := stage(t, story.Options{})
	ctx := t.Context()
	w, now := &decide.Crowd{Run: 7, Since: st.Sim.Clock.Now()}, st.Sim.Clock.Now()
	data, err := json.Marshal(decide.Case{ID: "leader", Closed: now, Outcome: decide.Failed, Crowd: w, Rounds: []decide.Round{{}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := st.Store.Put(ctx, heal.Item{Kind: "case", ID: "leader", Data: data}); err != nil {
		t.Fatal(err)
	}
	failed := deliver(t, ctx, st, `{"release":{"leader":"nobody"}}`, `{"release":{"leader":"leader","run":7,"pass":1}}`)
	if c, err := st.Inbox.Healer.Case(ctx, "leader"); err != nil || len(failed) > 0 || !c.Crowd.Done {
		t.Errorf("delivered again %q, crowd %+v, %v", failed, c.Crowd, err)
	}
}

// watched is a ledger that notes until when it is asked to have answered.
type watched struct {
	heal.Store
	mu *sync.Mutex
	by *time.Time
}

func (w watched) Get(ctx context.Context, kind, id string) (heal.Item, error) {
	w.mu.Lock()
	*w.by, _ = ctx.Deadline()
	w.mu.Unlock()
	return w.Store.Get(ctx, kind, id)
}

// TestTimeToRecord: whatever the function is invoked with, it has time left
// to record how far it came when it has to stop.
func TestTimeToRecord(t *testing.T) {
	st, ms := stage(t, story.Options{})
	var by time.Time
	st.Inbox.Healer.Store = watched{st.Store, &sync.Mutex{}, &by}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	end, _ := ctx.Deadline()
	for _, payload := range []string{ms[0].Body, `{"status":{}}`, `{"sweep":{}}`} {
		by = time.Time{}
		if _, err := st.Inbox.Invoke(ctx, json.RawMessage(payload)); err != nil {
			t.Fatal(err)
		}
		if by.IsZero() || end.Sub(by) < 20*time.Second {
			t.Errorf("%.40s may take until %s before the end", payload, end.Sub(by))
		}
	}
}
