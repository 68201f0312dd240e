// Package inbox takes in everything that the function is told: batches from
// its queues, commands of people, ticks of the schedule. It decodes each and
// hands it to the healer; it decides nothing about failures.
package inbox

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/buildmedic/buildmedic/internal/buildevent"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// Inbox is what the function runs.
type Inbox struct {
	Healer *heal.Healer
	// Requeue puts a message back into the queue that it came from, by its ARN, to
	// be delivered after the delay with a fresh count of tries.
	Requeue func(ctx context.Context, from, body string, delay time.Duration) error
	// RequeueTogether does the same with up to ten messages, at once. left are those that are not put back.
	RequeueTogether func(ctx context.Context, from string, bodies []string) (left []string, err error)

	Log *slog.Logger
	// Full is how many messages a batch has at most, as the stack sets it; 0: 10.
	Full int
}

const (
	// notNow is after how long at most a message comes back when AWS, or
	// another invocation, was busy.
	notNow = 40 * time.Second
	// spare is how much of the function's time must be left to begin with
	// another message.
	spare = 90 * time.Second
	// reading is how long reading what the messages of a batch are about may take; what is not read
	// by then is read with its message.
	reading = 20 * time.Second
	// last is how much of it is kept for recording how far it came, and for
	// giving a message back: one whose function is ended by Lambda comes again
	// only when its visibility timeout ends.
	last = 20 * time.Second
	// fullBatch is how many messages a batch has at most unless [Inbox.Full] says otherwise.
	fullBatch = 10
	// few is how many messages that release cases a batch keeps. Each may start many builds, and another
	// invocation may have nothing to do.
	few = 2
)

// delivery is what the messages of one batch share.
type delivery struct {
	healer *heal.Healer // which knows what their builds are
	// alone: there is one message. Then the log of a build that failed is read at once. Of many it is
	// not: one may tell enough for others.
	alone bool
	// full: others wait behind it, and what can be put off is.
	full bool
}

// full reports whether others wait behind a batch of so many messages.
func (in *Inbox) full(n int) bool { return n >= cmp.Or(in.Full, fullBatch) }

// Invoke takes one invocation: a batch of a queue, an EventBridge event, or
// a [heal.Command]. Whatever else comes is refused with an error that says
// what there is.
func (in *Inbox) Invoke(ctx context.Context, payload json.RawMessage) (any, error) {
	var shape struct {
		Records    []events.SQSMessage `json:"Records"`
		DetailType string              `json:"detail-type"`
	}
	if err := json.Unmarshal(payload, &shape); err != nil {
		return nil, fmt.Errorf("reading invocation: %w", err)
	}
	switch {
	case shape.Records != nil:
		answer := in.batch(ctx, shape.Records)
		if !in.full(len(shape.Records)) { // else they are told later
			in.tellDevelopers(ctx)
		}
		return answer, nil
	case shape.DetailType != "":
		defer in.tellDevelopers(ctx)
		return nil, in.inTime(ctx, delivery{healer: in.Healer, alone: true}, string(payload))
	}
	ctx, cancel := early(ctx)
	defer cancel()
	var cmd heal.Command
	if err := strict(payload, &cmd); err != nil {
		return nil, fmt.Errorf("reading command: %w; there are approve, reject, undo, status, replay, pause, resume, sweep", err)
	}
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		cmd = cmd.By(decide.Sender{Request: lc.AwsRequestID})
	}
	answer, err := in.Healer.Do(ctx, cmd)
	if cmd.Sweep != nil { // a person who sends another waits for the answer; a later invocation tells
		in.tellDevelopers(ctx)
	}
	if errors.Is(err, heal.ErrLater) {
		return heal.CommandAnswer{Message: "Not now: " + err.Error() + ". Send the command again in a minute."}, nil
	}
	return answer, err
}

// tellDevelopers has the developers told of what has happened, once all else is done. That delays
// the answer by a few seconds.
func (in *Inbox) tellDevelopers(ctx context.Context) {
	ctx, cancel := early(ctx)
	defer cancel()
	in.Healer.TellDevelopers(ctx)
}

// strict decodes one JSON value with known fields and nothing behind it.
func strict(data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if d.InputOffset() < int64(len(bytes.TrimRight(data, " \t\r\n"))) {
		return errors.New("there is more behind it")
	}
	return nil
}

// batch handles the messages one after the other and names those that must
// be delivered again. One that cannot be read is among them, until the queue
// moves it to the dead letters, where it is kept and an alarm tells of it.
func (in *Inbox) batch(ctx context.Context, ms []events.SQSMessage) events.SQSEventResponse {
	resp := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
	d := delivery{alone: len(ms) == 1, full: in.full(len(ms))}
	ms = in.share(ctx, ms) // first: others can begin
	d.healer = in.together(ctx, ms)
	for _, m := range ms {
		if err := in.one(ctx, d, m); err != nil {
			in.Log.ErrorContext(ctx, "message not handled", "message", m.MessageId, "error", err.Error())
			resp.BatchItemFailures = append(resp.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: m.MessageId})
		}
	}
	return resp
}

// share puts messages that release cases back at once, but for a few, for another invocation. It gives those
// that this one goes on with.
func (in *Inbox) share(ctx context.Context, ms []events.SQSMessage) (kept []events.SQSMessage) {
	n, more := 0, map[string][]string{} // by the queue that they came from
	for _, m := range ms {
		if _, ok := release(m.Body); ok {
			if n++; n > few {
				more[m.EventSourceARN] = append(more[m.EventSourceARN], m.Body)
				continue
			}
		}
		kept = append(kept, m)
	}
	for from, bodies := range more {
		left, err := in.RequeueTogether(ctx, from, bodies)
		if err != nil {
			in.Log.WarnContext(ctx, "messages are not put back for others", "error", err.Error())
		}
		for _, m := range ms {
			if i := slices.Index(left, m.Body); i >= 0 && m.EventSourceARN == from {
				kept, left = append(kept, m), slices.Delete(left, i, i+1)
			}
		}
	}
	return kept
}

// together gives the healer that knows what the messages' builds are: they are read at once.
func (in *Inbox) together(ctx context.Context, ms []events.SQSMessage) *heal.Healer {
	if len(ms) < 2 || pressed(ctx) {
		return in.Healer
	}
	var es []heal.Ended
	for _, m := range ms {
		if e, err := buildevent.Decode([]byte(m.Body)); err == nil && e.Ended() {
			es = append(es, ended(e))
		}
	}
	ctx, cancel := context.WithTimeout(ctx, reading)
	defer cancel()
	return in.Healer.Together(ctx, es)
}

// pressed reports whether too little of the function's time is left to begin with anything.
func pressed(ctx context.Context) bool {
	end, ok := ctx.Deadline()
	return ok && time.Until(end) < spare
}

func (in *Inbox) one(ctx context.Context, d delivery, m events.SQSMessage) error {
	if pressed(ctx) {
		// Given back as it is: a message that was not looked at must not come
		// nearer to the dead letters.
		return in.Requeue(ctx, m.EventSourceARN, m.Body, 0)
	}
	err := in.inTime(ctx, d, m.Body)
	if errors.Is(err, heal.ErrLater) || errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		in.Log.InfoContext(ctx, "message comes back later", "message", m.MessageId, "because", err.Error())
		after := heal.Jitter(notNow, m.MessageId) // when it comes back it has a new id
		return in.Requeue(ctx, m.EventSourceARN, m.Body, after)
	}
	return err
}

// early ends before the function's time does, so that what is under way then
// can still be recorded.
func early(ctx context.Context) (context.Context, context.CancelFunc) {
	end, ok := ctx.Deadline()
	if !ok {
		return ctx, func() {}
	}
	return context.WithDeadline(ctx, end.Add(-last))
}

// inTime handles a message within the function's time but for the last part.
func (in *Inbox) inTime(ctx context.Context, d delivery, body string) error {
	ctx, cancel := early(ctx)
	defer cancel()
	return in.message(ctx, d, body)
}

// release decodes a message that releases cases.
func release(body string) (heal.Release, bool) {
	var m heal.ReleaseMessage
	err := strict([]byte(body), &m)
	return m.Release, err == nil && m.Release.Leader+m.Release.Incident != ""
}

// message handles one message: an event, or the healer calling itself back.
func (in *Inbox) message(ctx context.Context, d delivery, body string) error {
	var again heal.ResumeMessage
	if err := strict([]byte(body), &again); err == nil && again.Continue.Case != "" {
		return d.healer.Resume(ctx, again.Continue.Case)
	}
	if r, ok := release(body); ok {
		return in.Healer.Release(ctx, r)
	}
	if a, ok, err := buildevent.DecodeAction([]byte(body)); ok {
		return in.action(ctx, a, err)
	}
	e, err := buildevent.Decode([]byte(body))
	if err != nil {
		return err
	}
	if !e.Ended() {
		in.Log.InfoContext(ctx, "event ignored", "event", e.ID, "status", e.Status, "because", e.Ignored)
		return nil
	}
	end := ended(e)
	end.Crowded = d.full
	if end.Said = e.Said; !d.alone {
		end.Said.Logs.Group, end.Said.Logs.Stream = "", ""
	}
	return d.healer.BuildEnded(ctx, end)
}

// action handles the event of a pipeline's action.
func (in *Inbox) action(ctx context.Context, e buildevent.ActionEvent, err error) error {
	if err != nil {
		return err
	}
	if e.Ignored != "" {
		in.Log.InfoContext(ctx, "event ignored", "event", e.ID, "because", e.Ignored)
		return nil
	}
	return in.Healer.ActionFailed(ctx, heal.ActionFailed{At: settings.Account{ID: e.Account, Region: e.Region},
		ActionRegion: e.ActionRegion, Action: e.Action, Build: e.Build(), End: e.Time})
}

func ended(e buildevent.Event) heal.Ended {
	return heal.Ended{At: settings.Account{ID: e.Account, Region: e.Region},
		Project: e.Project, Build: e.BuildID, Status: e.Status, End: e.Time}
}
