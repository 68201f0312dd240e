package simaws

import (
	"cmp"
	"slices"
	"time"
)

// Mailbox is an e-mail subscription to [Topic], with what it was sent.
type Mailbox struct {
	Address string
	// ARN is the subscription's; "PendingConfirmation" once more than ten
	// e-mails were due to it within a second. It gets nothing then, until its
	// owner confirms it again, which nobody does here (AWS.md#e-mail).
	ARN   string
	Mails []Mail
	Lost  int // e-mails that were not sent
}

// Mail is one e-mail.
type Mail struct {
	At            time.Time
	Subject, Text string
}

// mailsASecond is how many e-mails a subscription takes in a second.
const mailsASecond = 10

// pendingConfirmation is what SNS shows in the place of a subscription's ARN.
const pendingConfirmation = "PendingConfirmation"

// Mailboxes lists the e-mail subscriptions, in the order of the configuration.
func (s *Sim) Mailboxes() []Mailbox {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Mailbox
	for _, m := range s.mailboxes {
		b := *m
		b.Mails = slices.Clone(m.Mails)
		out = append(out, b)
	}
	return out
}

// subscribe makes the subscriptions of the configuration.
func (s *Sim) subscribe(addresses []string) {
	for _, a := range addresses {
		s.mailboxes = append(s.mailboxes, &Mailbox{Address: a, ARN: s.TopicARN() + ":" + s.uuid("subscription")})
	}
}

// mail delivers a notice to the subscriptions of its topic.
func (s *Sim) mail(n Notice) {
	if n.Topic != s.TopicARN() {
		return
	}
	for _, m := range s.mailboxes {
		if m.full(n.At) {
			m.ARN = pendingConfirmation
		}
		if m.ARN == pendingConfirmation {
			m.Lost++
			continue
		}
		m.Mails = append(m.Mails, Mail{n.At, n.Subject, cmp.Or(n.ByProtocol["email"], n.ByProtocol["default"], n.Message)})
	}
}

// full reports whether one e-mail more would be too many within a second.
func (m *Mailbox) full(now time.Time) bool {
	i := len(m.Mails) - mailsASecond
	return i >= 0 && now.Sub(m.Mails[i].At) < time.Second
}

func listSubscriptions(r *request, in form) ([]node, error) {
	topic := in.get("TopicArn")
	if err := r.authorize("sns:ListSubscriptionsByTopic", topic, nil); err != nil {
		return nil, err
	}
	if !r.sim.topicExists(topic) {
		return nil, noTopic()
	}
	var list []*Mailbox
	if topic == r.sim.TopicARN() {
		list = r.sim.mailboxes
	}
	return []node{members("Subscriptions", list, func(m *Mailbox) node {
		return el("", el("SubscriptionArn", m.ARN), el("Owner", r.est.acct.id), el("Protocol", "email"),
			el("Endpoint", m.Address), el("TopicArn", topic))
	})}, nil
}
