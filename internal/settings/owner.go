package settings

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// Owner is a team that is told of what is its own: its projects, and what its grants give.
type Owner struct {
	Name  string
	Email []string
	Chat  *Chat
	Topic string // ARN of its own topic, in place of the two; "" none
	Key   string // ARN of the key that encrypts it; "" none
	Line  int
}

// Reachable reports whether there is anywhere to tell the owner.
func (o Owner) Reachable() bool { return len(o.Email) > 0 || o.Chat != nil || o.Topic != "" }

// TopicName is the name of the stack's topic on which the owner is told; "" if it is told on one of
// its own. Each owner has one to itself: with one for all, subscriptions would have to filter, and a
// filter that is new takes effect only after a while (AWS.md#subscription-filters).
func (o Owner) TopicName() string {
	if o.Topic != "" {
		return ""
	}
	if plainName.MatchString(o.Name) {
		return OwnerTopics + o.Name
	}
	h := sha256.Sum256([]byte(o.Name))
	return OwnerTopics + "-" + hex.EncodeToString(h[:8])
}

var plainName = form{lazyregexp.New(`^[A-Za-z0-9][A-Za-z0-9_-]*$`), 100}

// OwnerTopics is how the names of these topics begin.
const OwnerTopics = "buildmedic-owner-"

// Owner finds an owner who is told by its name.
func (n Notify) Owner(name string) (Owner, bool) {
	for _, o := range n.Owners {
		if o.Name == name && o.Reachable() {
			return o, true
		}
	}
	return Owner{}, false
}

// Pace names what the owner's notices share with those of others who are told on the same topic:
// its subscriptions take only so many at once (AWS.md#e-mail).
func (n Notify) Pace(owner string) string {
	o, _ := n.Owner(owner)
	return cmp.Or(o.Topic, owner)
}

const maxOwner = 100 // characters of a name

var (
	topicName = lazyregexp.New(`^[A-Za-z0-9_-]{1,256}$`)
	keyName   = lazyregexp.New(`^key/[A-Za-z0-9-]{1,128}$`)
)

// owner gives a name. It becomes a message attribute and a filter, so it is one line of plain text.
func (o object) owner(key string) string {
	s := strings.TrimSpace(o.text(key))
	if len([]rune(s)) > maxOwner || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		o.problem(key, "%q is no owner's name: write up to %d printable characters", clip(s), maxOwner)
		return ""
	}
	return s
}

func (r *reader) owners(o object) []Owner {
	var list []Owner
	for e := range o.each("owners") {
		w := Owner{Name: e.owner("name"), Email: r.addresses(e), Line: e.node.Line}
		if n := e.value("name"); n == nil || n.Kind == yaml.ScalarNode && strings.TrimSpace(n.Value) == "" {
			e.problem("name", "missing; name the owner as projects and grants do")
		}
		for _, other := range list {
			if other.Name == w.Name && w.Name != "" {
				r.problem(e.node, e.at("name"), "owner %q is there already, in line %d; put the two together", w.Name, other.Line)
			}
		}
		if e.has("chat") {
			w.Chat = r.chat(e.child("chat"))
		}
		w.Topic = e.arn("topic", "sns", topicName, "write the ARN of a standard topic, such as arn:aws:sns:eu-west-1:444455556666:ci")
		w.Key = e.arn("key", "kms", keyName, "write the ARN of a key, not of an alias, such as arn:aws:kms:eu-west-1:444455556666:key/…")
		if e.has("topic") && (e.has("email") || e.has("chat")) {
			e.problem("topic", "an owner has a topic, or email and chat; subscribe these to the topic where it is")
		}
		if e.has("key") && !e.has("topic") {
			e.problem("key", "only an owner's own topic has a key; remove it")
		}
		t, _ := codebuild.ParseARN(w.Topic)
		if w.Topic != "" && w.Key != "" && !strings.HasPrefix(w.Key, "arn:"+t.Partition+":kms:"+t.Region+":") {
			e.problem("key", "%q is not valid: the key of a topic is in the topic's own region, %s", clip(w.Key), t.Region)
			w.Key = ""
		}
		list = append(list, w)
	}
	return list
}

// arn gives the ARN of something of a service by its exact name.
func (o object) arn(key, service string, name matcher, rule string) string {
	s := o.text(key)
	if s == "" {
		return ""
	}
	a, ok := codebuild.ParseARN(s)
	there := accountID.MatchString(a.Account) && regionName.MatchString(a.Region)
	if !ok || a.Service != service || !there || !name.MatchString(a.Resource) {
		o.problem(key, "%q is not valid: %s", clip(s), rule)
		return ""
	}
	if in := codebuild.PartitionOf(a.Region); in != a.Partition {
		if in == "" {
			o.problem(key, "%q is not valid: %q is no region; write one such as eu-west-1", clip(s), a.Region)
		} else {
			o.problem(key, "%q is not valid: region %s is in partition %s, not %s", clip(s), a.Region, in, clip(a.Partition))
		}
		return ""
	}
	return s
}

// farTopics tells of owners' topics in another partition than the hub's, where nothing can be
// published. Without that partition, the hub's region says it; without both, nobody knows.
func farTopics(s *Settings, home Account, partition string) (list []Problem) {
	if partition = cmp.Or(partition, codebuild.PartitionOf(home.Region)); partition == "" {
		return nil
	}
	for i, o := range s.Notify.Owners {
		if a, ok := codebuild.ParseARN(o.Topic); ok && a.Partition != partition {
			list = append(list, Problem{o.Line, fmt.Sprintf("notify.owners[%d].topic", i), fmt.Sprintf("%q is in partition %s, and "+
				"the hub in %s, from where it cannot be reached; name a topic of %[3]s, or give email or chat", o.Topic, a.Partition,
				partition)})
		}
	}
	return list
}

// Price is what a minute of a build costs.
type Price struct {
	Millionths int64 // of the currency
	Currency   string
}

var priceText = lazyregexp.New(`^([0-9]{1,6})(?:\.([0-9]{1,6}))? ([A-Z]{3})$`)

func (o object) price(key string) Price {
	s := o.text(key)
	if s == "" {
		return Price{}
	}
	m := priceText.FindStringSubmatch(s)
	if m == nil {
		o.problem(key, "%q is no price: write a number with up to six decimals and a currency, such as 0.005 USD", clip(s))
		return Price{}
	}
	n, _ := strconv.ParseInt(m[1]+(m[2] + "000000")[:6], 10, 64)
	return Price{n, m[3]}
}

// prices checks that they can be added up.
func (r *reader) prices(s *Settings) {
	first := s.Notify.Price.Currency
	for i, p := range s.Projects {
		if p.Price.Currency == "" {
			continue
		}
		if first == "" {
			first = p.Price.Currency
		}
		if p.Price.Currency != first {
			r.problem(&yaml.Node{Line: p.Line}, fmt.Sprintf("projects[%d].price_per_minute", i),
				"it is in %s, and others are in %s; write all prices in one currency", p.Price.Currency, first)
		}
	}
}

// PriceOf is what a minute of the project's builds costs; ok is false if nobody says.
func (s *Settings) PriceOf(p Project) (price Price, ok bool) {
	if p.Price.Currency != "" {
		return p.Price, true
	}
	return s.Notify.Price, s.Notify.Price.Currency != ""
}

// unheard tells of owners that nobody tells anything, and of entries that nobody uses.
func unheard(s *Settings) (list []Problem) {
	say := func(line int, path, format string, args ...any) {
		list = append(list, Problem{line, path, fmt.Sprintf(format, args...)})
	}
	var known []string
	for _, o := range s.Notify.Owners {
		known = append(known, o.Name)
	}
	used, lacks := map[string]bool{}, map[string]bool{}
	look := func(line int, path, what, owner string) {
		used[owner] = true
		if owner == "" || lacks[owner] || slices.Contains(known, owner) || len(known) == 0 {
			return
		}
		lacks[owner] = true
		say(line, path, "%s has owner %q, whom nobody tells: notify.owners has no such name%s", what, owner, suggest(owner, known, ""))
	}
	for i, p := range s.Projects {
		look(p.Line, fmt.Sprintf("projects[%d].owner", i), "project "+p.Name, p.Owner)
	}
	for i, g := range s.Grants {
		look(g.Line, fmt.Sprintf("grants[%d].owner", i), "grant "+g.ID, g.Owner)
	}
	for i, o := range s.Notify.Owners {
		path := fmt.Sprintf("notify.owners[%d]", i)
		if !o.Reachable() {
			say(o.Line, path, "owner %q has no email, chat or topic, so nobody is told", o.Name)
		}
		if !used[o.Name] {
			say(o.Line, path, "no project and no grant has owner %q, so nothing is told there; name it under a project's "+
				"owner, or remove it", o.Name)
		}
	}
	return append(list, untold(s)...)
}

// untold tells of projects of which nobody is told.
func untold(s *Settings) []Problem {
	n := s.Notify
	if len(n.Email) > 0 || n.Chat != nil {
		return nil
	}
	var names []string
	for _, p := range s.Projects {
		if _, ok := n.Owner(p.Owner); !ok {
			names = append(names, p.Name)
		}
	}
	switch {
	case len(names) == 0:
		return nil
	case len(names) == len(s.Projects):
		return []Problem{{0, "notify", "nobody is told: there is no address under email and no channel under chat; what happens is " +
			"in the ledger and the function's log alone"}}
	}
	return []Problem{{0, "notify", fmt.Sprintf("nobody is told of project %s: it has no owner who is told, and there is no address under "+
		"email and no channel under chat", brief(names))}}
}
