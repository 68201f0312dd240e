package simaws

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/iampolicy"
)

// question is one use of an action on a resource, to be judged as AWS judges it.
type question struct {
	who      caller
	action   string
	resource string // ARN or "*"
	region   string
	context  map[string][]string
}

// ruling is the answer.
type ruling struct {
	allowed bool
	deny    denial // if not
}

// denial says why, as far as AWS tells.
type denial struct {
	explicit bool
	layer    string // as it stands in messages: "identity-based policy", …; "" if the message does not say
	policy   string // ARN of the denying policy; only for explicit denials
}

// The layers as messages write them (AWS.md#denial-layers).
const (
	layerIdentity = "identity-based policy"
	layerResource = "resource-based policy"
	layerBoundary = "permissions boundary"
	layerSCP      = "service control policy"
	layerTrust    = "role trust policy"
)

// judge decides as AWS does: a deny anywhere wins; then service control
// policies, resource policy, identity policies and boundary must allow. Only
// the first layer that denies is named (AWS.md#denial-sentence).
func (s *Sim) judge(q question) ruling {
	if q.who.owner {
		return ruling{allowed: true}
	}
	who := s.access(q.who)
	scps := s.serviceControl(q.who.acct)
	res := s.resourcePolicy(q.resource)
	for _, l := range []layerDocs{scps, res.denies(q.who), who.identity, who.boundary} {
		if v, i := s.evaluate(l.docs, q); v == iampolicy.ExplicitDeny {
			return ruling{deny: denial{explicit: true, layer: l.name, policy: l.arn(i)}}
		}
	}
	if !s.allows(scps, q) {
		return ruling{deny: denial{layer: layerSCP}}
	}
	foreign := s.foreign(q)
	given := s.allows(res.allows(q.who, foreign), q)
	if foreign && !given {
		return ruling{deny: denial{layer: layerResource}}
	}
	if !s.allows(who.identity, q) && (foreign || !given) {
		return ruling{deny: denial{layer: layerIdentity}}
	}
	if who.bounded && !s.allows(who.boundary, q) {
		return ruling{deny: denial{layer: layerBoundary}}
	}
	return ruling{allowed: true}
}

// layerDocs are the documents of one layer, with their ARNs where they have one.
type layerDocs struct {
	name string
	docs []iampolicy.Document
	arns []string
}

func (l layerDocs) arn(i int) string {
	if i < 0 || i >= len(l.arns) {
		return ""
	}
	return l.arns[i]
}

func (l *layerDocs) add(d iampolicy.Document, arn string) {
	l.docs, l.arns = append(l.docs, d), append(l.arns, arn)
}

func (s *Sim) allows(l layerDocs, q question) bool {
	v, _ := s.evaluate(l.docs, q)
	return v == iampolicy.Allowed
}

// evaluate asks iampolicy. A condition key that the request does not carry is
// absent, not unknown: this is the real evaluation. What remains unknown is
// a condition that iampolicy cannot read; it is noted and denies.
func (s *Sim) evaluate(docs []iampolicy.Document, q question) (iampolicy.Verdict, int) {
	v, m := iampolicy.Evaluate(iampolicy.Access{Policies: docs}, iampolicy.Request{
		Action: q.action, Resource: q.resource, Context: s.context(q, docs), Now: s.now})
	if v == iampolicy.Unknown {
		s.unknown = append(s.unknown, fmt.Sprintf("condition that decides on %s %s", q.action, q.resource))
	}
	return v, m.Policy
}

// context is what AWS itself puts into every request, and the question's own.
func (s *Sim) context(q question, docs []iampolicy.Document) map[string][]string {
	c := map[string][]string{}
	for _, key := range conditionKeys(docs) {
		c[key] = nil
	}
	set := func(key, value string) {
		if value != "" {
			c[strings.ToLower(key)] = []string{value}
		}
	}
	set("aws:PrincipalArn", q.who.principal())
	set("aws:PrincipalAccount", q.who.acct.id)
	set("aws:RequestedRegion", q.region)
	set("aws:ResourceAccount", s.resourceAccount(q.resource))
	if strings.HasPrefix(q.action, "s3:") {
		// A bucket that the world does not describe is the account's own (AWS.md#bucket-owner).
		set("s3:ResourceAccount", cmp.Or(s.resourceAccount(q.resource), q.who.acct.id))
	}
	set("aws:SecureTransport", "true")
	// A build's credentials bring these along (AWS.md#build-keys).
	service, _, _ := strings.Cut(q.action, ":")
	if !slices.ContainsFunc(s.cfg.NoBuildKeys, func(other string) bool { return strings.EqualFold(other, service) }) {
		set("codebuild:projectArn", q.who.project)
		set("codebuild:buildArn", q.who.build)
	}
	for k, v := range q.context {
		c[strings.ToLower(k)] = v
	}
	delete(c, "aws:currenttime")
	delete(c, "aws:epochtime")
	return c
}

// conditionKeys lists the condition keys in documents, lower case.
func conditionKeys(docs []iampolicy.Document) []string {
	keys := map[string]bool{}
	for _, d := range docs {
		for _, st := range d.Statements {
			for _, c := range st.Condition {
				keys[strings.ToLower(c.Key)] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(keys))
}

// document parses a policy document, once. It was checked when it came in,
// so a failure is a defect of the Sim.
func (s *Sim) document(text string) iampolicy.Document {
	if d, ok := s.documents[text]; ok {
		return *d
	}
	d, err := iampolicy.ParseLoose([]byte(text))
	if err != nil {
		s.unknown = append(s.unknown, "policy document: "+err.Error())
	}
	s.documents[text] = &d
	return d
}

// resourceAccount is the account that owns the resource, "" if nobody knows.
func (s *Sim) resourceAccount(arn string) string {
	f := strings.SplitN(arn, ":", 6)
	if len(f) == 6 && f[2] == "s3" {
		name, _, _ := strings.Cut(f[5], "/")
		if b, ok := s.buckets[name]; ok {
			return b.owner.id
		}
	}
	if len(f) < 6 || len(f[4]) != 12 {
		return ""
	}
	return f[4]
}

// foreign reports whether the resource belongs to another account than the
// caller.
func (s *Sim) foreign(q question) bool {
	owner := s.resourceAccount(q.resource)
	return owner != "" && owner != q.who.acct.id
}

// message is AWS's message for a denial, in the form that names the layer
// (AWS.md#denial-sentence).
func (q question) message(d denial) string {
	m := fmt.Sprintf("User: %s is not authorized to perform: %s on resource: %s", q.who.arn, q.action, q.shown())
	switch {
	case d.layer == "":
		return m
	case d.explicit:
		m += " with an explicit deny in " + article(d.layer) + " " + d.layer
		if d.policy != "" {
			m += ": " + d.policy
		}
		return m
	}
	return m + " because no " + d.layer + " allows the " + q.action + " action"
}

// shown is the resource as messages write it: S3 quotes it (AWS.md#denied-resource).
func (q question) shown() string {
	if strings.HasPrefix(q.action, "s3:") && q.resource != "*" {
		return `"` + q.resource + `"`
	}
	return q.resource
}

func article(layer string) string {
	if layer == layerIdentity {
		return "an"
	}
	if layer == layerTrust {
		return "the"
	}
	return "a"
}

// resourceRules is a resource policy, statement by statement, with whom each
// is about.
type resourceRules []resourceRule

type resourceRule struct {
	effect string
	who    principals
	not    bool // NotPrincipal
	doc    iampolicy.Document
}

// principals are the values of a Principal element by kind; All is "*".
type principals struct {
	all  bool
	aws  []string
	svcs []string
}

// parseResourcePolicy splits a resource policy or trust policy into rules.
// resource stands in for a missing Resource element: ECR's and trust policies
// have none.
func parseResourcePolicy(text, resource string) (resourceRules, error) {
	var doc struct {
		Version   string
		ID        string `json:"Id"`
		Statement json.RawMessage
	}
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		return nil, fmt.Errorf("reading resource policy: %w", err)
	}
	var list []map[string]json.RawMessage
	if json.Unmarshal(doc.Statement, &list) != nil {
		var one map[string]json.RawMessage
		if err := json.Unmarshal(doc.Statement, &one); err != nil {
			return nil, fmt.Errorf("reading resource policy: Statement: %w", err)
		}
		list = append(list, one)
	}
	var out resourceRules
	for i, st := range list {
		r, err := parseRule(doc.Version, st, resource)
		if err != nil {
			return nil, fmt.Errorf("reading resource policy: statement %d: %w", i+1, err)
		}
		out = append(out, r)
	}
	return out, nil
}

func parseRule(version string, st map[string]json.RawMessage, resource string) (resourceRule, error) {
	var r resourceRule
	p, ok := st["Principal"]
	if !ok {
		p, r.not = st["NotPrincipal"]
	}
	who, err := parsePrincipals(p)
	if err != nil {
		return r, err
	}
	r.who = who
	delete(st, "Principal")
	delete(st, "NotPrincipal")
	if st["Resource"] == nil && st["NotResource"] == nil {
		st["Resource"], _ = json.Marshal(resource)
	}
	text, err := json.Marshal(map[string]any{"Version": version, "Statement": []any{st}})
	if err != nil {
		return r, err
	}
	if version == "" {
		text, _ = json.Marshal(map[string]any{"Statement": []any{st}})
	}
	if r.doc, err = iampolicy.ParseLoose(text); err != nil {
		return r, err
	}
	r.effect = r.doc.Statements[0].Effect
	return r, nil
}

func parsePrincipals(raw json.RawMessage) (principals, error) {
	var star string
	if json.Unmarshal(raw, &star) == nil {
		if star != "*" {
			return principals{}, fmt.Errorf("element Principal is %q", star)
		}
		return principals{all: true}, nil
	}
	var kinds map[string]json.RawMessage
	if err := json.Unmarshal(raw, &kinds); err != nil {
		return principals{}, fmt.Errorf("element Principal: %w", err)
	}
	var p principals
	for kind, v := range kinds {
		var list []string
		if json.Unmarshal(v, &list) != nil {
			var one string
			if err := json.Unmarshal(v, &one); err != nil {
				return p, fmt.Errorf("element Principal.%s: %w", kind, err)
			}
			list = []string{one}
		}
		switch kind {
		case "AWS":
			p.aws = append(p.aws, list...)
			p.all = p.all || slices.Contains(list, "*")
		case "Service":
			p.svcs = append(p.svcs, list...)
		default:
			return p, fmt.Errorf("principals of the kind %q are not simulated", kind)
		}
	}
	return p, nil
}

// covers reports whether the rule is about the caller, or its whole account.
func (p principals) covers(c caller) bool {
	return p.all || slices.ContainsFunc(p.aws, func(a string) bool {
		return a == c.arn || a == c.principal() || a == c.acct.id || a == c.acct.arn("iam", "", "root")
	})
}

// direct reports whether the rule names the caller itself.
func (p principals) direct(c caller) bool {
	return p.all || slices.Contains(p.aws, c.arn) || slices.Contains(p.aws, c.principal())
}

func (rs resourceRules) denies(c caller) layerDocs {
	l := layerDocs{name: layerResource}
	for _, r := range rs {
		if r.effect == "Deny" && r.who.covers(c) != r.not {
			l.add(r.doc, "")
		}
	}
	return l
}

// allows gives the rules that give access. For a caller of the same account
// only those count that name the caller itself: naming the account leaves it
// to IAM.
func (rs resourceRules) allows(c caller, foreign bool) layerDocs {
	l := layerDocs{name: layerResource}
	for _, r := range rs {
		if r.effect == "Allow" && !r.not && (r.who.direct(c) || foreign && r.who.covers(c)) {
			l.add(r.doc, "")
		}
	}
	return l
}
