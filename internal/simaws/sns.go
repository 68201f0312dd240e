package simaws

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Notice is one published SNS message.
type Notice struct {
	ID         string
	At         time.Time
	Topic      string // ARN
	Subject    string
	Message    string            // as published
	ByProtocol map[string]string // with MessageStructure json: protocol → text; always has "default"
	Attributes map[string]string // string message attributes
}

// maxPublish is SNS's default limit, attributes included (AWS.md#sns).
const maxPublish = 256 << 10

var snsOperations = map[string]operation{
	"Publish":                  queryCall(true, "TopicArn Message Subject MessageStructure MessageAttributes", publish),
	"ListSubscriptionsByTopic": queryCall(false, "TopicArn", listSubscriptions),
	"ListTopics":               queryCall(false, "", listTopics),
}

// Notices lists what was published, oldest first.
func (s *Sim) Notices() []Notice {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.notices)
}

func publish(r *request, in form) ([]node, error) {
	topic := in.get("TopicArn")
	if err := r.authorize("sns:Publish", topic, nil); err != nil {
		return nil, err
	}
	if !r.sim.topicExists(topic) {
		return nil, noTopic()
	}
	if key := r.sim.cfg.TopicKey; key != "" && strings.HasPrefix(topic, strings.TrimSuffix(r.sim.TopicARN(), Topic)) {
		for _, action := range []string{"kms:GenerateDataKey", "kms:Decrypt"} {
			if err := r.authorize(action, key, nil); err != nil {
				return nil, &apiError{Code: "KMSAccessDenied", Message: err.Error(), Status: 400}
			}
		}
	}
	n := Notice{At: r.sim.now, Topic: topic, Subject: in.get("Subject"), Message: in.get("Message"), Attributes: snsAttributes(in)}
	if err := n.check(in); err != nil {
		return nil, err
	}
	n.ID = r.sim.uuid("notice")
	r.about = n.Subject
	r.sim.notices = append(r.sim.notices, n)
	r.sim.mail(n)
	return []node{el("MessageId", n.ID)}, nil
}

func listTopics(r *request, _ form) ([]node, error) {
	if err := r.authorize("sns:ListTopics", "*", nil); err != nil {
		return nil, err
	}
	return []node{members("Topics", sortedKeys(r.est.topics), func(name string) node {
		return el("", el("TopicArn", r.est.arn("sns", name)))
	})}, nil
}

func noTopic() error {
	return &apiError{Code: "NotFound", Message: "Topic does not exist", Status: 404}
}

func (s *Sim) topicExists(arn string) bool {
	for at, e := range s.estates {
		name, ok := strings.CutPrefix(arn, e.acct.arn("sns", at.region, ""))
		if ok && e.topics[name] {
			return true
		}
	}
	return false
}

// check applies SNS's rules (AWS.md#sns).
func (n *Notice) check(in form) error {
	size := len(n.Message)
	for k, v := range n.Attributes {
		size += len(k) + len(v)
	}
	switch {
	case n.Message == "":
		return invalidParameter("Empty message")
	case size > maxPublish:
		return invalidParameter("Message too long")
	case in.has("Subject") && !goodSubject(n.Subject):
		return invalidParameter("Subject")
	}
	switch s := in.get("MessageStructure"); s {
	case "":
		return nil
	case "json":
		return n.split()
	default:
		return invalidParameter("MessageStructure")
	}
}

// split reads a message that is JSON by protocol.
func (n *Notice) split() error {
	if err := json.Unmarshal([]byte(n.Message), &n.ByProtocol); err != nil {
		return invalidParameter("Message Structure - JSON message body failed to parse")
	}
	if n.ByProtocol["default"] == "" {
		return invalidParameter("Message Structure - No default entry in JSON message body")
	}
	return nil
}

func goodSubject(s string) bool {
	first, _ := utf8.DecodeRuneInString(s)
	return s != "" && utf8.RuneCountInString(s) < 100 && !unicode.IsSpace(first) && !strings.ContainsFunc(s, unicode.IsControl)
}

func invalidParameter(what string) error { return fail("InvalidParameter", "Invalid parameter: "+what) }

func snsAttributes(in form) map[string]string {
	out := map[string]string{}
	for i := 1; ; i++ {
		pre := fmt.Sprintf("MessageAttributes.entry.%d.", i)
		if !in.has(pre + "Name") {
			return out
		}
		out[in.get(pre+"Name")] = in.get(pre + "Value.StringValue")
	}
}
