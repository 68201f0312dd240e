package simaws

import (
	"cmp"
	"slices"
	"time"
)

// Mailbox is an e-mail subscription to a topic, with what it was sent.
type Mailbox struct {
	Address string
	Topic   string // ARN
	Filter  string // its filter policy; "" for none
	// ARN is the subscription's; "PendingConfirmation" once more than ten
	// e-mails were due to it within a second. It gets nothing then, until its
	// owner confirms it again, which nobody does here (AWS.md#e-mail).
	ARN   string
	Mails []Mail
	Lost  int // e-mails that were not sent

	filter filter
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
		s.mailboxes = append(s.mailboxes, &Mailbox{Address: a, Topic: s.TopicARN(), ARN: s.TopicARN() + ":" + s.uuid("subscription")})
	}
}

// Provide makes another topic in the home account and gives its ARN.
func (s *Sim) Provide(topic string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	home := s.estate(s.cfg.Account, s.cfg.Region)
	home.topics[topic] = true
	return home.arn("sns", topic)
}

// Subscribe makes a confirmed e-mail subscription to a topic, with a filter policy unless that is
// "". A topic takes only one of an address (AWS.md#subscription-filters).
func (s *Sim) Subscribe(topic, address, policy string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := &Mailbox{Address: address, Topic: topic, Filter: policy, ARN: topic + ":" + s.uuid("subscription")}
	if !s.topicExists(topic) {
		return noTopic()
	}
	if slices.ContainsFunc(s.mailboxes, func(o *Mailbox) bool { return o.Topic == topic && o.Address == address }) {
		return invalidParameter("Attributes Reason: Subscription already exists with different attributes")
	}
	if policy != "" {
		var err error
		if m.filter, err = parseFilter(policy); err != nil {
			return invalidParameter("FilterPolicy: " + err.Error())
		}
	}
	s.mailboxes = append(s.mailboxes, m)
	return nil
}

// mail delivers a notice to the subscriptions of its topic.
func (s *Sim) mail(n Notice) {
	for _, m := range s.mailboxes {
		if m.Topic != n.Topic || !m.filter.lets(n.Attributes) {
			continue
		}
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
	list := slices.DeleteFunc(slices.Clone(r.sim.mailboxes), func(m *Mailbox) bool { return m.Topic != topic })
	return []node{members("Subscriptions", list, func(m *Mailbox) node {
		return el("", el("SubscriptionArn", m.ARN), el("Owner", r.est.acct.id), el("Protocol", "email"),
			el("Endpoint", m.Address), el("TopicArn", topic))
	})}, nil
}
