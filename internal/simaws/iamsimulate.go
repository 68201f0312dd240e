package simaws

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/buildmedic/buildmedic/internal/iampolicy"
)

// simulator is one SimulatePrincipalPolicy, as AWS answers since 30 July 2026. It judges
// by what is written on the role, even before it takes effect: identity policies,
// boundary and service control policies with their conditions; no resource or session
// policies (AWS.md#policy-simulator).
type simulator struct {
	sim      *Sim
	role     *role
	names    []string // of the identity policies
	identity layerDocs
	boundary layerDocs
	bounded  bool
	scps     layerDocs
	context  map[string][]string
}

// outcome is the simulator's answer for one action on one resource.
type outcome struct {
	action, resource string
	decision         string
	by               []iampolicy.Match // matched statements of identity policies
	byOrganization   bool              // AllowedByOrganizations
	byBoundary       bool              // AllowedByPermissionsBoundary
	missing          []string
}

func simulatePrincipalPolicy(r *request, in form) ([]node, error) {
	source := in.get("PolicySourceArn")
	if err := r.authorize("iam:SimulatePrincipalPolicy", source, nil); err != nil {
		return nil, err
	}
	sm, err := r.newSimulator(in, source)
	if err != nil {
		return nil, err
	}
	resources := in.list("ResourceArns")
	if len(resources) == 0 {
		resources = []string{"*"}
	}
	var results []node
	for _, action := range in.list("ActionNames") {
		if !strings.Contains(action, ":") || strings.ContainsAny(action, "*?") {
			return nil, fail("InvalidInput", "Invalid Input Actions: "+action)
		}
		results = append(results, sm.describe(sm.ask(action, resources)))
	}
	list, tail, err := page(r, in, results)
	return append([]node{members("EvaluationResults", list, func(n node) node { return n })}, tail...), err
}

func (r *request) newSimulator(in form, source string) (*simulator, error) {
	a := r.caller.acct
	name, isRole := strings.CutPrefix(source, a.arn("iam", "", "role/"))
	if !isRole {
		return nil, fail("InvalidInput", "Invalid Entity Arn: "+source+" does not clearly define entity type and name.")
	}
	ro, ok := a.role(name[strings.LastIndexByte(name, '/')+1:])
	if !ok || ro.arn() != source {
		return nil, noEntity("The role with name %s cannot be found.", name)
	}
	sm := &simulator{sim: r.sim, role: ro, scps: r.sim.serviceControl(a), bounded: ro.boundary != "", context: contextEntries(in)}
	inline := ro.readInline()
	for _, n := range sortedKeys(inline) {
		sm.add(n, inline[n])
	}
	for _, arn := range ro.attached {
		if p, ok := r.sim.policyByARN(arn); ok {
			sm.add(p.name, p.document())
		}
	}
	for i, doc := range in.list("PolicyInputList") {
		if err := checkDocument(doc); err != nil {
			return nil, fail("InvalidInput", "Invalid Input Policies: "+err.Error())
		}
		sm.add("PolicyInputList."+strconv.Itoa(i+1), doc)
	}
	bounds := in.list("PermissionsBoundaryPolicyInputList")
	if p, ok := r.sim.policyByARN(ro.boundary); ok && len(bounds) == 0 {
		bounds = []string{p.document()}
	}
	for _, doc := range bounds {
		sm.bounded = true
		sm.boundary.add(r.sim.document(doc), "")
	}
	return sm, nil
}

func (sm *simulator) add(name, doc string) {
	sm.names = append(sm.names, name)
	sm.identity.add(sm.sim.document(doc), "")
}

// contextEntries reads ContextEntries.member.N.
func contextEntries(in form) map[string][]string {
	out := map[string][]string{}
	for i := 1; ; i++ {
		pre := fmt.Sprintf("ContextEntries.member.%d.", i)
		if !in.has(pre + "ContextKeyName") {
			return out
		}
		out[strings.ToLower(in.get(pre+"ContextKeyName"))] = in.list(pre + "ContextKeyValues")
	}
}

func (sm *simulator) ask(action string, resources []string) []outcome {
	var out []outcome
	for _, res := range resources {
		out = append(out, sm.one(action, res))
	}
	return out
}

// one judges one action on one resource.
func (sm *simulator) one(action, resource string) outcome {
	o := outcome{action: action, resource: resource, missing: sm.missing(action, resource)}
	id, idAt := sm.evaluate(sm.identity.docs, action, resource)
	org, _ := sm.evaluate(sm.scps.docs, action, resource)
	bound := iampolicy.Allowed
	if sm.bounded {
		bound, _ = sm.evaluate(sm.boundary.docs, action, resource)
	}
	o.byOrganization, o.byBoundary = org == iampolicy.Allowed, bound == iampolicy.Allowed
	if idAt.Statement >= 0 && id != iampolicy.ImplicitDeny {
		o.by = append(o.by, idAt)
	}
	all := []iampolicy.Verdict{id, org, bound}
	switch {
	case slices.Contains(all, iampolicy.ExplicitDeny):
		o.decision = "explicitDeny"
	case id == iampolicy.Allowed && o.byOrganization && o.byBoundary:
		o.decision = "allowed"
	default:
		o.decision = "implicitDeny"
	}
	return o
}

// evaluate treats what was not supplied as absent, but for what AWS puts in itself.
func (sm *simulator) evaluate(docs []iampolicy.Document, action, resource string) (iampolicy.Verdict, iampolicy.Match) {
	ctx := map[string][]string{}
	for _, key := range conditionKeys(docs) {
		ctx[key] = nil
	}
	a := sm.role.acct
	ctx["aws:principalaccount"], ctx["aws:principaltype"] = []string{a.id}, []string{"AssumedRole"}
	if sm.organized() {
		ctx["aws:principalorgid"] = []string{organization}
	}
	maps.Copy(ctx, sm.context)
	return iampolicy.Evaluate(iampolicy.Access{Policies: docs},
		iampolicy.Request{Action: action, Resource: resource, Context: ctx, Now: sm.sim.now})
}

// organized reports whether the account is in an organization whose policies count.
func (sm *simulator) organized() bool { return len(sm.role.acct.scps) > 0 || !sm.role.acct.fullAccess }

// missing lists the condition keys of the statements about this action and
// resource that were not supplied. What only a service control policy asks for
// is not told.
func (sm *simulator) missing(action, resource string) []string {
	keys := map[string]bool{}
	for _, d := range slices.Concat(sm.identity.docs, sm.boundary.docs) {
		for _, st := range d.Statements {
			bare := st
			bare.Condition = nil
			one := iampolicy.Document{Version: d.Version, Statements: []iampolicy.Statement{bare}}
			v, _ := iampolicy.Evaluate(iampolicy.Access{Policies: []iampolicy.Document{one}},
				iampolicy.Request{Action: action, Resource: resource})
			if v == iampolicy.ImplicitDeny {
				continue
			}
			for _, c := range st.Condition {
				if _, given := sm.context[strings.ToLower(c.Key)]; !given && !ownKey(c.Key) {
					keys[c.Key] = true
				}
			}
		}
	}
	return sortedKeys(keys)
}

// ownKey reports the keys that the simulator fills in itself.
func ownKey(key string) bool {
	return slices.Contains([]string{"aws:currenttime", "aws:epochtime", "aws:principalaccount", "aws:principalid",
		"aws:principalorgid", "aws:principalorgmasteraccountid", "aws:principalorgpaths", "aws:principaltype", "aws:type",
		"aws:userid", "aws:username"}, strings.ToLower(key))
}

// describe is one EvaluationResult: one per action, with the resources in
// ResourceSpecificResults if any were named.
func (sm *simulator) describe(os []outcome) node {
	first := os[0]
	all := first
	for _, o := range os[1:] {
		all.resource = "*"
		all.byOrganization = all.byOrganization && o.byOrganization
		all.byBoundary = all.byBoundary && o.byBoundary
		all.by = append(all.by, o.by...)
		all.missing = append(slices.Clone(all.missing), o.missing...)
		if worse(o.decision, all.decision) {
			all.decision = o.decision
		}
	}
	n := el("member", el("EvalActionName", all.action), el("EvalResourceName", all.resource), el("EvalDecision", all.decision),
		sm.matched(all))
	if sm.organized() {
		n.kids = append(n.kids, el("OrganizationsDecisionDetail", el("AllowedByOrganizations", all.byOrganization)))
	}
	if sm.bounded {
		n.kids = append(n.kids, el("PermissionsBoundaryDecisionDetail", el("AllowedByPermissionsBoundary", all.byBoundary)))
	}
	slices.Sort(all.missing)
	n.kids = append(n.kids, members("MissingContextValues", slices.Compact(all.missing), textMember))
	if first.resource != "*" {
		n.kids = append(n.kids, members("ResourceSpecificResults", os, sm.specific))
	}
	return n
}

func (sm *simulator) specific(o outcome) node {
	n := el("member", el("EvalResourceName", o.resource), el("EvalResourceDecision", o.decision), sm.matched(o),
		members("MissingContextValues", o.missing, textMember))
	if sm.bounded {
		n.kids = append(n.kids, el("PermissionsBoundaryDecisionDetail", el("AllowedByPermissionsBoundary", o.byBoundary)))
	}
	return n
}

func (sm *simulator) matched(o outcome) node {
	return members("MatchedStatements", o.by, func(m iampolicy.Match) node {
		return el("member", el("SourcePolicyId", sm.names[m.Policy]), el("SourcePolicyType", "IAM Policy"),
			el("StartPosition", el("Line", 1), el("Column", 1)), el("EndPosition", el("Line", 1), el("Column", 1)))
	})
}

// worse orders decisions: a deny over a missing allow over an allow.
func worse(a, b string) bool {
	rank := map[string]int{"allowed": 0, "implicitDeny": 1, "explicitDeny": 2}
	return rank[a] > rank[b]
}
