package settings

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"iter"
	"maps"
	"net/mail"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// MaxSize is the most bytes that a settings file may have.
const MaxSize = 256 << 10

// Parse reads a settings file. It is strict: whatever it does not know is an
// error. Every error is a [Problems] that holds all problems of the file, each
// with its line; then the settings are nil.
//
// An empty file is valid and allows nothing. The file's own tests are not run:
// they need the hub's account, so the caller runs [RunTests]. Nor are the samples of its causes.
func Parse(data []byte) (*Settings, error) {
	if len(data) > MaxSize {
		return nil, Problems{
			{Message: fmt.Sprintf("it has %d bytes, more than %d; split the projects over two installations",
				len(data), MaxSize)},
		}
	}
	r := &reader{}
	s := r.settings(r.document(data))
	if len(r.problems) > 0 {
		return nil, r.problems.sorted()
	}
	sum := sha256.Sum256(data)
	s.SHA256 = hex.EncodeToString(sum[:])
	return s, nil
}

func (r *reader) settings(n *yaml.Node) *Settings {
	s := &Settings{Version: 1}
	if n == nil {
		n = &yaml.Node{Kind: yaml.MappingNode}
	} else {
		r.version(n)
	}
	o := r.object(n, "", fileKeys)
	s.Notify = r.notify(o.child("notify"))
	code, host := r.code(o.child("code"))
	s.Code = code
	s.Limits = r.limits(o.child("limits"))
	s.Accounts = r.accounts(o.each("accounts"))
	s.Grants = r.grants(o.each("grants"))
	s.Projects = r.projects(o, s)
	r.credentials(host, s)
	r.onePlace(s)
	r.prices(s)
	s.Causes = r.causes(o.each("causes"))
	s.Tests = r.tests(o.each("tests"), s)
	return s
}

// version is looked for first: in a file of another version the keys may be
// others.
func (r *reader) version(n *yaml.Node) {
	for i := 0; i+1 < len(n.Content) && n.Kind == yaml.MappingNode; i += 2 {
		if n.Content[i].Value != "version" {
			continue
		}
		if v := n.Content[i+1]; v.Kind != yaml.ScalarNode || v.Tag != "!!int" || v.Value != "1" {
			r.problem(v, "version", "%s where 1 is expected, the only version there is", kind(v))
		}
		return
	}
	for i := 1; i < len(n.Content) && n.Kind == yaml.MappingNode; i += 2 {
		if says(n.Content[i]) {
			r.problem(n, "version", "missing; write version: 1")
			return
		}
	}
}

// says reports whether a value says anything: a file of empty ones is as good
// as an empty file, which needs no version.
func says(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && !isNull(n) || len(n.Content) > 0 }

// child gives the mapping under a key, an empty one if there is none.
func (o object) child(key string) object {
	n := o.value(key)
	if n == nil {
		n = &yaml.Node{Kind: yaml.MappingNode, Line: o.node.Line}
	}
	return o.r.object(n, o.at(key), o.key(key).Keys)
}

func (r *reader) notify(o object) Notify {
	n := Notify{Digest: o.integer("digest"), Weekly: o.boolean("weekly"), Email: r.addresses(o), Unowned: o.oneOf("scope") == "unowned",
		Price: o.price("price_per_minute")}
	if o.has("chat") {
		n.Chat = r.chat(o.child("chat"))
	}
	n.Owners = r.owners(o)
	return n
}

func (r *reader) addresses(o object) (list []string) {
	for _, v := range o.texts("email") {
		a, err := mail.ParseAddress(v.text)
		if err != nil || a.Address != v.text {
			r.flag(v, "%q is not an e-mail address", clip(v.text))
			continue
		}
		list = append(list, v.text)
	}
	return list
}

// The forms of Amazon Q Developer's channel configurations.
var (
	slackWorkspace = &form{lazyregexp.New(`^[0-9A-Z]+$`), 255}
	slackChannel   = &form{lazyregexp.New(`^[A-Za-z0-9]+$`), 128}
	uuid           = lazyregexp.New(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)
	teamsChannel   = lazyregexp.New(`^[\w=+/.,-]*%3[aA][\w=+/.,-]*%40[\w=+/.,-]*$`)
)

func (r *reader) chat(o object) *Chat {
	if !o.readable() {
		return nil
	}
	if o.has("slack") == o.has("teams") {
		r.problem(o.node, o.path, "give exactly one of slack and teams")
		return nil
	}
	if o.has("slack") {
		c := o.child("slack")
		return &Chat{Slack: &SlackChannel{
			Workspace: c.id("workspace", slackWorkspace, "write the workspace's id, such as T0123456789"),
			Channel:   c.id("channel", slackChannel, "write the channel's id, such as C0123456789, not its name"),
		}}
	}
	c := o.child("teams")
	return &Chat{Teams: &TeamsChannel{
		Team:    c.id("team", uuid, "write the team's id, a UUID"),
		Tenant:  c.id("tenant", uuid, "write the tenant's id, a UUID"),
		Channel: c.id("channel", teamsChannel, "write the channel's id as in its link, such as 19%3A…%40thread.tacv2"),
	}}
}

// id gives a string that must be there and match.
func (o object) id(key string, want matcher, rule string) string {
	if !o.has(key) {
		o.problem(key, "missing; %s", rule)
		return ""
	}
	return o.matching(key, want, rule)
}

func (r *reader) limits(o object) Limits {
	return Limits{
		Rounds:       o.integer("rounds"),
		WritesRole:   o.integer("writes_per_role_per_day"),
		WritesHour:   o.integer("writes_per_hour"),
		RetriesHour:  o.integer("retries_per_hour"),
		Incident:     o.integer("incident_projects"),
		UndoneToStop: o.integer("stop_after_undone"),
		Settle:       o.duration("settle"),
		CloudTrail:   o.duration("cloudtrail_wait"),
		Approve:      o.duration("approve_within"),
		Analyzer:     o.boolean("access_analyzer"),
		NewResources: o.integer("new_resources_per_case"),
		PieceShare:   o.integer("quota_share_per_project"),
	}
}

var (
	accountID  = lazyregexp.New(`^[0-9]{12}$`)
	regionName = lazyregexp.New(`^[a-z]{2,}(-[a-z]+)+-[0-9]{1,2}$`)
)

func (o object) region(key string) string {
	return o.matching(key, regionName, "write a region, such as eu-west-1")
}

// account gives an account id. Without quotes it is a number to YAML, which
// is as good here.
func (o object) account(key string) string {
	s, ok := o.scalar(key, "an account id", "!!str", "!!int", "!!float")
	if ok && !accountID.MatchString(s) {
		o.problem(key, "%q is not an account id; write its 12 digits", clip(s))
		return ""
	}
	return s
}

func (r *reader) accounts(items iter.Seq[object]) []Account {
	var list []Account
	for o := range items {
		for _, key := range []string{"id", "region"} {
			if !o.has(key) {
				o.problem(key, "missing; an account needs an id and a region")
			}
		}
		a := Account{o.account("id"), o.region("region")}
		if a.ID == "" || a.Region == "" {
			continue
		}
		if slices.Contains(list, a) {
			r.problem(o.node, o.path, "account %s in %s is there already; remove one", a.ID, a.Region)
			continue
		}
		list = append(list, a)
	}
	return list
}

func (r *reader) tests(items iter.Seq[object], s *Settings) []Test {
	var list []Test
	for o := range items {
		if t, ok := r.test(o, s); ok {
			list = append(list, t)
		}
	}
	return list
}

func (r *reader) test(o object, s *Settings) (Test, bool) {
	t := Test{
		Project: o.required("project", "name the project that the test is about"),
		On:      o.required("on", `name the resource by its exact ARN, or "*" for an action that takes none`),
		Allow:   o.has("allow"),
		Line:    o.node.Line,
	}
	if o.readable() && o.has("allow") == o.has("deny") {
		r.problem(o.node, o.path, "give exactly one of allow and deny")
		return t, false
	}
	key := "deny"
	if t.Allow {
		key = "allow"
	}
	action := o.required(key, "name an action")
	if len(r.problems) > o.before {
		return t, false
	}
	known := names(s.Projects)
	// Where no project could be read, that has been said, and is all there is to mend.
	if !slices.Contains(known, t.Project) && (len(known) > 0 || o.before == 0) {
		o.problem("project", "there is no project %q%s", clip(t.Project), suggest(t.Project, known, ""))
	}
	t.Action, _ = r.action(o.value(key), o.at(key), action)
	if t.Action != "" {
		r.testResource(o, t)
	}
	return t, len(r.problems) == o.before
}

// oneOf gives one of the words that a key takes; the first is the default.
func (o object) oneOf(key string) string {
	var words []string
	for _, c := range o.key(key).Choices {
		words = append(words, c.Word)
	}
	s, ok := o.scalar(key, "text", "!!str")
	unset := words[0]
	if o.key(key).open {
		unset = ""
	}
	if !ok {
		return unset
	}
	if !slices.Contains(words, s) {
		o.problem(key, "%q is not one of %s%s", clip(s), strings.Join(words, ", "), suggest(s, words, ""))
		return unset
	}
	return s
}

// among lists known names for a message.
func among(names []string) string {
	if len(names) == 0 {
		return "there are none"
	}
	return "there are " + strings.Join(names, ", ")
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
