package simaws

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// queue is a standard SQS queue.
type queue struct {
	name       string
	est        *estate
	visibility time.Duration
	dead       *queue // dead-letter queue, nil for none
	maxReceive int
	messages   []*message // in order of arrival
	held       int        // received by NextMessage and not yet given back
}

type message struct {
	id        string
	nth       int // of all, in order of arrival
	body      string
	sent      time.Time
	visible   time.Time
	receives  int
	first     time.Time // first receive
	receipt   string    // of the last receive
	attribute map[string]sqsAttribute
	held      bool
}

type sqsAttribute struct {
	DataType    string `json:"DataType"`
	StringValue string `json:"StringValue,omitempty"`
	BinaryValue []byte `json:"BinaryValue,omitempty"`
}

// maxMessage is SQS's limit of a message.
const maxMessage = 1 << 20

var sqsOperations = map[string]operation{
	"SendMessage":             jsonCall(true, sendMessage),
	"SendMessageBatch":        jsonCall(true, sendMessageBatch),
	"ReceiveMessage":          jsonCall(false, receiveMessage),
	"DeleteMessage":           jsonCall(true, deleteMessage),
	"ChangeMessageVisibility": jsonCall(true, changeMessageVisibility),
}

// sqsQueryCodes are the codes of the old protocol, which SDKs report.
var sqsQueryCodes = map[string]string{
	"QueueDoesNotExist":            "AWS.SimpleQueueService.NonExistentQueue",
	"MessageNotInflight":           "AWS.SimpleQueueService.MessageNotInflight",
	"EmptyBatchRequest":            "AWS.SimpleQueueService.EmptyBatchRequest",
	"TooManyEntriesInBatchRequest": "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
	"BatchEntryIdsNotDistinct":     "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
	"BatchRequestTooLong":          "AWS.SimpleQueueService.BatchRequestTooLong",
	"AccessDeniedException":        "AccessDenied",
}

func (q *queue) arn() string { return q.est.arn("sqs", q.name) }

// put adds a message that becomes visible after the delay.
func (q *queue) put(body string, delay time.Duration) *message {
	s := q.est.sim
	m := &message{id: s.uuid("message"), nth: s.nth("order of messages"), body: body, sent: s.now, visible: s.now.Add(delay)}
	q.messages = append(q.messages, m)
	s.changed.Broadcast()
	return m
}

// receive takes the message that has been visible the longest, if there is
// one, moving those received too often to the dead-letter queue.
func (q *queue) receive(visibility time.Duration) *message {
	s := q.est.sim
	for {
		m := q.oldest()
		if m == nil || m.visible.After(s.now) {
			return nil
		}
		if q.dead != nil && m.receives >= q.maxReceive {
			q.remove(m)
			m.visible = s.now
			q.dead.messages = append(q.dead.messages, m)
			continue
		}
		if m.receives++; m.receives == 1 {
			m.first = s.now
		}
		m.visible = s.now.Add(visibility)
		m.receipt = s.uuid("receipt")
		return m
	}
}

// oldest is the message that is or becomes visible first.
func (q *queue) oldest() *message {
	var best *message
	for _, m := range q.messages {
		if !m.held && (best == nil || m.visible.Before(best.visible)) {
			best = m
		}
	}
	return best
}

func (q *queue) remove(m *message) {
	q.messages = slices.DeleteFunc(q.messages, func(o *message) bool { return o == m })
}

// Message is a queue message as Lambda's SQS trigger hands it over.
type Message struct {
	ID             string
	Body           string // the EventBridge event, or what was sent
	ReceiptHandle  string
	ReceiveCount   int
	Sent, First    time.Time
	EventSourceARN string
	Region         string

	queue   *queue
	message *message
}

// Attributes are the system attributes as the trigger gives them.
func (m Message) Attributes() map[string]string {
	return map[string]string{
		"ApproximateReceiveCount":          strconv.Itoa(m.ReceiveCount),
		"SentTimestamp":                    strconv.FormatInt(m.Sent.UnixMilli(), 10),
		"ApproximateFirstReceiveTimestamp": strconv.FormatInt(m.First.UnixMilli(), 10),
		"SenderId":                         m.queue.est.sim.uniqueID("AIDA", "events"),
	}
}

// Ack deletes the message, as Lambda does for one that was handled.
func (m Message) Ack() { m.release(true) }

// Nack leaves the message: it comes again when its visibility timeout ends,
// as after a function error, a partial batch failure or a crash.
func (m Message) Nack() { m.release(false) }

func (m Message) release(done bool) {
	s := m.queue.est.sim
	s.mu.Lock()
	defer s.mu.Unlock()
	if m.message.held {
		m.message.held = false
		m.queue.held--
	}
	if done {
		m.queue.remove(m.message)
	}
	s.changed.Broadcast()
}

// inbound are the queues that Lambda polls for the function.
var inbound = []string{Queue, FollowUps, Cures}

// NextMessage receives the next message of [Queue], [FollowUps] or [Cures], moving time on to it if
// it is in the future: builds go on, events arrive, visibility timeouts end.
// ok is false when nothing is left that could bring one, or when ctx is done.
//
// Time does not move here while another message is held, that is received
// and neither acked nor nacked: then NextMessage waits for a message or for
// the others to be given back. So one goroutine must give back its message
// before it asks for the next.
func (s *Sim) NextMessage(ctx context.Context) (m Message, ok bool) {
	defer context.AfterFunc(ctx, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.changed.Broadcast()
	})()
	s.mu.Lock()
	defer s.mu.Unlock()
	for ctx.Err() == nil {
		if q, m := s.receive(inbound...); m != nil {
			m.held = true
			q.held++
			return q.hand(m), true
		}
		if slices.ContainsFunc(inbound, func(name string) bool { return s.home().queues[name].held > 0 }) {
			s.changed.Wait()
			continue
		}
		next, ok := s.nextTime()
		if !ok {
			return Message{}, false
		}
		s.advance(next)
	}
	return Message{}, false
}

// Receive takes the next message that is visible now, if there is one: of the
// queues named, or, if none is, of those of [Sim.NextMessage]. Unlike that it
// never moves time.
func (s *Sim) Receive(queues ...string) (m Message, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(queues) == 0 {
		queues = inbound
	}
	q, got := s.receive(queues...)
	if got == nil {
		return Message{}, false
	}
	return q.hand(got), true
}

// receive takes the message of the queues that has been visible the longest, if
// there is one.
func (s *Sim) receive(queues ...string) (*queue, *message) {
	for {
		q, m := s.oldest(queues...)
		if m == nil || m.visible.After(s.now) {
			return nil, nil
		}
		if m := q.receive(q.visibility); m != nil {
			return q, m
		}
	}
}

// oldest is the message of the queues that is or becomes visible first.
func (s *Sim) oldest(queues ...string) (of *queue, best *message) {
	for _, name := range queues {
		q := s.home().queues[name]
		m := q.oldest()
		if m != nil && (best == nil || m.visible.Before(best.visible) || m.visible.Equal(best.visible) && m.nth < best.nth) {
			of, best = q, m
		}
	}
	return of, best
}

func (q *queue) hand(m *message) Message {
	return Message{ID: m.id, Body: m.body, ReceiptHandle: m.receipt, ReceiveCount: m.receives, Sent: m.sent, First: m.first,
		EventSourceARN: q.arn(), Region: q.est.region, queue: q, message: m}
}

// nextTime is when something happens next that may bring a message.
func (s *Sim) nextTime() (time.Time, bool) {
	_, m := s.oldest(inbound...)
	switch {
	case m == nil && len(s.agenda) == 0:
		return time.Time{}, false
	case m == nil || len(s.agenda) > 0 && s.agenda[0].at.Before(m.visible):
		return s.agenda[0].at, true
	}
	return m.visible, true
}

// Next is when something happens next that may bring a message; ok is false when nothing is under
// way.
func (s *Sim) Next() (at time.Time, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.nextTime()
}

// home is the home account's estate.
func (s *Sim) home() *estate { return s.estates[place{s.cfg.Account, s.cfg.Region}] }

// Queued lists the bodies in a queue of the home account, also those that are
// in flight or delayed.
func (s *Sim) Queued(name string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	if q, ok := s.home().queues[name]; ok {
		for _, m := range q.messages {
			out = append(out, m.body)
		}
	}
	return out
}

// Send puts a message into a queue of the home account, as a stranger would.
func (s *Sim) Send(name, body string, delay time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.home().queues[name].put(body, delay)
}

// queueAt finds a queue by its URL.
func (r *request) queueAt(url, action string) (*queue, error) {
	f := strings.Split(url, "/")
	if len(f) < 5 {
		return nil, fail("InvalidAddress", "The address "+url+" is not valid for this endpoint.")
	}
	acct, name := f[len(f)-2], f[len(f)-1]
	est, ok := r.sim.estates[place{acct, r.est.region}]
	arn := strings.Join([]string{"arn", r.sim.cfg.Partition, "sqs", r.est.region, acct, name}, ":")
	if err := r.authorize(action, arn, nil); err != nil {
		return nil, err
	}
	if ok && est.queues[name] != nil {
		return est.queues[name], nil
	}
	return nil, fail("QueueDoesNotExist", "The specified queue does not exist.")
}

type sendMessageInput struct {
	QueueUrl          string
	MessageBody       string
	DelaySeconds      int
	MessageAttributes map[string]sqsAttribute
}

func sendMessage(r *request, in *sendMessageInput) (any, error) {
	q, err := r.queueAt(in.QueueUrl, "sqs:SendMessage")
	if err != nil {
		return nil, err
	}
	if err := in.valid(); err != nil {
		return nil, err
	}
	m := q.put(in.MessageBody, time.Duration(in.DelaySeconds)*time.Second)
	m.attribute = in.MessageAttributes
	return map[string]any{"MessageId": m.id, "MD5OfMessageBody": md5Hex(m.body)}, nil
}

// valid gives the error that SQS gives for a message that it does not take.
func (in *sendMessageInput) valid() error {
	switch {
	case in.DelaySeconds < 0 || in.DelaySeconds > 900:
		return fail("InvalidParameterValue",
			fmt.Sprintf("Value %d for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900.",
				in.DelaySeconds))
	case in.MessageBody == "":
		return fail("MissingParameter", "The request must contain the parameter MessageBody.")
	case len(in.MessageBody) > maxMessage:
		return fail("InvalidParameterValue",
			fmt.Sprintf("One or more parameters are invalid. Reason: Message must be shorter than %d bytes.",
				maxMessage))
	}
	return nil
}

type sendMessageBatchInput struct {
	QueueUrl string
	Entries  []struct {
		Id string
		sendMessageInput
	}
}

type batchErrorOut struct {
	Id, Code, Message string
	SenderFault       bool
}

// sendMessageBatch takes up to ten messages, and says of each whether it was taken.
func sendMessageBatch(r *request, in *sendMessageBatchInput) (any, error) {
	q, err := r.queueAt(in.QueueUrl, "sqs:SendMessage")
	if err != nil {
		return nil, err
	}
	size, ids := 0, map[string]bool{}
	for _, e := range in.Entries {
		size += len(e.MessageBody)
		ids[e.Id] = true
	}
	switch n := len(in.Entries); {
	case n == 0:
		return nil, fail("EmptyBatchRequest", "There should be at least one SendMessageBatchRequestEntry in the request.")
	case n > 10:
		return nil, fail("TooManyEntriesInBatchRequest",
			fmt.Sprintf("Maximum number of entries per request are 10. You have sent %d.", n))
	case len(ids) < n:
		return nil, fail("BatchEntryIdsNotDistinct", "Two or more batch entries in the request have the same Id.")
	case size > maxMessage:
		return nil, fail("BatchRequestTooLong",
			fmt.Sprintf("Batch requests cannot be longer than %d bytes. You have sent %d bytes.", maxMessage, size))
	}
	sent, failed := []map[string]any{}, []batchErrorOut{}
	for _, e := range in.Entries {
		if why := (*apiError)(nil); errors.As(e.valid(), &why) {
			failed = append(failed, batchErrorOut{Id: e.Id, Code: why.Code, Message: why.Message, SenderFault: true})
			continue
		}
		m := q.put(e.MessageBody, time.Duration(e.DelaySeconds)*time.Second)
		m.attribute = e.MessageAttributes
		sent = append(sent, map[string]any{"Id": e.Id, "MessageId": m.id, "MD5OfMessageBody": md5Hex(m.body)})
	}
	return map[string]any{"Successful": sent, "Failed": failed}, nil
}

func md5Hex(s string) string {
	sum := md5.Sum([]byte(s))
	return hex.EncodeToString(sum[:])
}

type receiveMessageInput struct {
	QueueUrl                    string
	MaxNumberOfMessages         int
	VisibilityTimeout           *int
	WaitTimeSeconds             int
	AttributeNames              []string
	MessageSystemAttributeNames []string
	MessageAttributeNames       []string
	ReceiveRequestAttemptId     string
}

type messageOut struct {
	MessageId         string
	ReceiptHandle     string
	MD5OfBody         string
	Body              string
	Attributes        map[string]string       `json:",omitempty"`
	MessageAttributes map[string]sqsAttribute `json:",omitempty"`
}

// receiveMessage answers at once, with what is visible now: time does not
// pass for a long poll.
func receiveMessage(r *request, in *receiveMessageInput) (any, error) {
	q, err := r.queueAt(in.QueueUrl, "sqs:ReceiveMessage")
	if err != nil {
		return nil, err
	}
	def(&in.MaxNumberOfMessages, 1)
	if in.MaxNumberOfMessages < 1 || in.MaxNumberOfMessages > 10 {
		return nil, fail("InvalidParameterValue",
			fmt.Sprintf("Value %d for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and "+
				"10, if provided.", in.MaxNumberOfMessages))
	}
	visibility := q.visibility
	if in.VisibilityTimeout != nil {
		visibility = time.Duration(*in.VisibilityTimeout) * time.Second
	}
	out := []messageOut{}
	for len(out) < in.MaxNumberOfMessages {
		m := q.receive(visibility)
		if m == nil {
			break
		}
		o := messageOut{MessageId: m.id, ReceiptHandle: m.receipt, MD5OfBody: md5Hex(m.body), Body: m.body}
		if len(in.AttributeNames)+len(in.MessageSystemAttributeNames) > 0 {
			o.Attributes = q.hand(m).Attributes()
		}
		if len(in.MessageAttributeNames) > 0 {
			o.MessageAttributes = m.attribute
		}
		out = append(out, o)
	}
	if len(out) == 0 {
		return map[string]any{}, nil
	}
	return map[string]any{"Messages": out}, nil
}

// inFlight finds a message by its latest receipt handle; nil if it is gone
// or was received again since.
func (q *queue) inFlight(receipt string) *message {
	for _, m := range q.messages {
		if m.receipt == receipt && receipt != "" {
			return m
		}
	}
	return nil
}

type receiptInput struct {
	QueueUrl          string
	ReceiptHandle     string
	VisibilityTimeout int
}

// deleteMessage of a message that is gone, or with an old receipt, succeeds
// and does nothing.
func deleteMessage(r *request, in *receiptInput) (any, error) {
	q, err := r.queueAt(in.QueueUrl, "sqs:DeleteMessage")
	if err != nil {
		return nil, err
	}
	if m := q.inFlight(in.ReceiptHandle); m != nil {
		q.remove(m)
	}
	return map[string]any{}, nil
}

func changeMessageVisibility(r *request, in *receiptInput) (any, error) {
	q, err := r.queueAt(in.QueueUrl, "sqs:ChangeMessageVisibility")
	if err != nil {
		return nil, err
	}
	if in.VisibilityTimeout < 0 || in.VisibilityTimeout > 43200 {
		return nil, fail("InvalidParameterValue",
			fmt.Sprintf("Value %d for parameter VisibilityTimeout is invalid. Reason: VisibilityTimeout must be an "+
				"integer between 0 and 43200.", in.VisibilityTimeout))
	}
	m := q.inFlight(in.ReceiptHandle)
	if m == nil {
		return nil, fail("InvalidParameterValue",
			fmt.Sprintf("Value %s for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not "+
				"available for visibility timeout change.", in.ReceiptHandle))
	}
	m.visible = r.sim.now.Add(time.Duration(in.VisibilityTimeout) * time.Second)
	return map[string]any{}, nil
}
