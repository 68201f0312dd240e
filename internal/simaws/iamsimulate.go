package simaws

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/buildmedic/buildmedic/internal/iampolicy"
)

// simulator is one SimulatePrincipalPolicy or SimulateCustomPolicy, as AWS answers since 30 July 2026. It
// judges by what is written on the role, even before it takes effect, or by what it is given: identity
// policies, boundary and, of a role, service control policies with their conditions; no resource or
// session policies (AWS.md#policy-simulator).
type simulator struct {
	sim       *Sim
	names     []string // of the identity policies
	identity  layerDocs
	boundary  layerDocs
	fence     string // name of the boundary
	bounded   bool
	governed  bool      // service control policies count
	scps      layerDocs // of the account
	organized bool      // it is in an organization that has some
	own       []string
	context   map[string][]string // of what AWS puts in itself, and of what was said
	said      map[string][]string
}

// outcome is the simulator's answer for one action on one resource.
type outcome struct {
	action, resource string
	decision         string
	by               []source // of the statements that matched
	byOrganization   bool     // AllowedByOrganizations
	byBoundary       bool     // AllowedByPermissionsBoundary
	missing          []string
}

// source is the policy that a statement is of.
type source struct{ id, kind string }

func simulatePrincipalPolicy(r *request, in form) ([]node, error) {
	arn := in.get("PolicySourceArn")
	if err := r.authorize("iam:SimulatePrincipalPolicy", arn, nil); err != nil {
		return nil, err
	}
	sm, err := r.principalSimulator(in, arn)
	if err != nil {
		return nil, err
	}
	return sm.results(r, in)
}

func simulateCustomPolicy(r *request, in form) ([]node, error) {
	if err := r.authorize("iam:SimulateCustomPolicy", "*", nil); err != nil {
		return nil, err
	}
	sm, err := r.customSimulator(in)
	if err != nil {
		return nil, err
	}
	return sm.results(r, in)
}

func (sm *simulator) results(r *request, in form) ([]node, error) {
	resources := in.list("ResourceArns")
	if len(resources) == 0 {
		resources = []string{"*"}
	}
	for _, res := range resources {
		if res != "*" && strings.Count(res, ":") < 5 {
			return nil, fail("InvalidInput", "ResourceNames are not in a valid ARN format: "+res+".")
		}
	}
	var results []node
	for _, action := range in.list("ActionNames") {
		switch {
		case !strings.Contains(action, ":"):
			return nil, fail("InvalidInput", "The action is invalid since it is missing names")
		case strings.ContainsAny(action, "*?"): // AWS answers; what it says of them is of no use
			return nil, fail("InvalidInput", "Invalid Input Actions: "+action)
		}
		results = append(results, sm.describe(sm.ask(action, resources)))
	}
	list, tail, err := page(r, in, results)
	return append([]node{members("EvaluationResults", list, func(n node) node { return n })}, tail...), err
}

// principalSimulator is for a role, with all that is on it and counts for it.
func (r *request) principalSimulator(in form, arn string) (*simulator, error) {
	a := r.caller.acct
	name, isRole := strings.CutPrefix(arn, a.arn("iam", "", "role/"))
	if !isRole {
		return nil, fail("InvalidInput", "Invalid Entity Arn: "+arn+" does not clearly define entity type and name.")
	}
	ro, ok := a.role(name[strings.LastIndexByte(name, '/')+1:])
	if !ok || ro.arn() != arn {
		return nil, noEntity("The role with name %s cannot be found.", name)
	}
	sm := &simulator{sim: r.sim, governed: true, scps: r.sim.serviceControl(a), organized: len(a.scps) > 0 || !a.fullAccess,
		bounded: ro.boundary != "", own: ownKeys,
		context: map[string][]string{"aws:principalaccount": {a.id}, "aws:principaltype": {"AssumedRole"}}}
	if sm.organized {
		sm.context["aws:principalorgid"] = []string{organization}
	}
	inline := ro.readInline()
	for _, n := range sortedKeys(inline) {
		sm.add("role_"+ro.name+"_"+n, inline[n])
	}
	for _, arn := range ro.attached {
		if p, ok := r.sim.policyByARN(arn); ok {
			sm.add(p.name, p.document())
		}
	}
	if p, ok := r.sim.policyByARN(ro.boundary); ok {
		sm.fence = p.name
		sm.boundary.add(r.sim.document(p.document()), "")
	}
	return sm, sm.read(in)
}

// customSimulator is for the documents that it is given, and no more: no service control policy counts,
// also where the account has some. Whose call it is, it is told; it need not be anybody who exists.
func (r *request) customSimulator(in form) (*simulator, error) {
	sm := &simulator{sim: r.sim, own: customKeys,
		context: map[string][]string{"aws:principalaccount": {r.caller.acct.id}}}
	if arn := in.get("CallerArn"); arn != "" {
		m := callerForm.FindStringSubmatch(arn)
		if m == nil {
			return nil, fail("InvalidInput", "Invalid caller - Caller must be an IAM user, role or group in this context.")
		}
		sm.context["aws:principalaccount"], sm.context["aws:principalarn"] = []string{m[1]}, []string{arn}
	}
	return sm, sm.read(in)
}

var callerForm = regexp.MustCompile(`^arn:[a-z-]+:iam::([0-9]{12}):(?:user|role|group)/.+$`)

// maxInput is how many characters a policy may have that a simulation is given.
const maxInput = 131072

// read takes what both are given: documents, and what is said of the call.
func (sm *simulator) read(in form) (err error) {
	if sm.said, err = contextEntries(in); err != nil {
		return err
	}
	for i, doc := range in.list("PolicyInputList") {
		if err := checkInput("policyInputList", "Policy input list", i+1, doc); err != nil {
			return err
		}
		sm.add("PolicyInputList."+strconv.Itoa(i+1), doc)
	}
	bounds := in.list("PermissionsBoundaryPolicyInputList")
	if len(bounds) > 1 {
		return fail("InvalidInput", "The list of Permissions Boundary policies cannot exceed 1 items.")
	}
	for i, doc := range bounds {
		if err := checkInput("permissionsBoundaryPolicyInputList", "Permissions boundary policy input list", i+1, doc); err != nil {
			return err
		}
		sm.bounded, sm.fence, sm.boundary = true, "PermissionsBoundaryPolicyInputList.1", layerDocs{}
		sm.boundary.add(sm.sim.document(doc), "")
	}
	return nil
}

func checkInput(list, words string, n int, doc string) error {
	if len([]rune(doc)) > maxInput {
		return fail("ValidationError", fmt.Sprintf("1 validation error detected: Value at '%s.%d.member' failed to satisfy "+
			"constraint: Member must have length less than or equal to %d", list, n, maxInput))
	}
	if checkDocument(doc) != nil {
		return fail("InvalidInput", fmt.Sprintf("%s item %d has invalid content", words, n))
	}
	return nil
}

func (sm *simulator) add(name, doc string) {
	sm.names = append(sm.names, name)
	sm.identity.add(sm.sim.document(doc), "")
}

// contextEntries reads ContextEntries.member.N.
func contextEntries(in form) (map[string][]string, error) {
	out := map[string][]string{}
	for i := 1; ; i++ {
		pre := fmt.Sprintf("ContextEntries.member.%d.", i)
		if !in.has(pre + "ContextKeyName") {
			return out, nil
		}
		name := in.get(pre + "ContextKeyName")
		if _, twice := out[strings.ToLower(name)]; twice {
			return nil, fail("InvalidInput", "Duplicate context key: "+name+".")
		}
		out[strings.ToLower(name)] = in.list(pre + "ContextKeyValues")
	}
}

func (sm *simulator) ask(action string, resources []string) []outcome {
	var out []outcome
	for _, res := range resources {
		out = append(out, sm.one(action, res))
	}
	return out
}

// one judges one action on one resource. The statements that matched are told of what was decided alone,
// and never of a service control policy.
func (sm *simulator) one(action, resource string) outcome {
	o := outcome{action: action, resource: resource, missing: sm.missing(action, resource)}
	id, idAt := sm.evaluate(sm.identity.docs, action, resource)
	org, bound := iampolicy.Allowed, iampolicy.Allowed
	if sm.governed {
		org, _ = sm.evaluate(sm.scps.docs, action, resource)
	}
	if sm.bounded {
		bound, _ = sm.evaluate(sm.boundary.docs, action, resource)
	}
	o.byOrganization, o.byBoundary = org == iampolicy.Allowed, bound == iampolicy.Allowed
	decided := iampolicy.ImplicitDeny
	switch all := []iampolicy.Verdict{id, org, bound}; {
	case slices.Contains(all, iampolicy.ExplicitDeny):
		decided, o.decision = iampolicy.ExplicitDeny, "explicitDeny"
	case id == iampolicy.Allowed && o.byOrganization && o.byBoundary:
		decided, o.decision = iampolicy.Allowed, "allowed"
	default:
		o.decision = "implicitDeny"
	}
	if decided == iampolicy.ImplicitDeny || !o.byOrganization {
		return o
	}
	if bound == iampolicy.ExplicitDeny {
		o.by = append(o.by, source{sm.fence, "Permissions Boundary Policy"})
	}
	if id == decided && idAt.Statement >= 0 {
		o.by = append(o.by, source{sm.names[idAt.Policy], "IAM Policy"})
	}
	return o
}

// evaluate treats what was not supplied as absent, but for what AWS puts in itself.
func (sm *simulator) evaluate(docs []iampolicy.Document, action, resource string) (iampolicy.Verdict, iampolicy.Match) {
	ctx := map[string][]string{}
	for _, key := range conditionKeys(docs) {
		ctx[key] = nil
	}
	maps.Copy(ctx, sm.context)
	maps.Copy(ctx, sm.said)
	return iampolicy.Evaluate(iampolicy.Access{Policies: docs},
		iampolicy.Request{Action: action, Resource: resource, Context: ctx, Now: sm.sim.now})
}

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
				key := strings.ToLower(c.Key)
				if _, said := sm.said[key]; !said && len(sm.context[key]) == 0 && !slices.Contains(sm.own, key) {
					keys[c.Key] = true
				}
			}
		}
	}
	return sortedKeys(keys)
}

// The keys that the simulator fills in itself: of a role, and of documents alone.
var (
	ownKeys = []string{"aws:currenttime", "aws:epochtime", "aws:principalaccount", "aws:principalid", "aws:principalorgid",
		"aws:principalorgmasteraccountid", "aws:principalorgpaths", "aws:principaltype", "aws:type", "aws:userid", "aws:username"}
	customKeys = []string{"aws:currenttime", "aws:epochtime", "aws:principalaccount"}
)

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
	if sm.organized {
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
	return members("MatchedStatements", o.by, func(by source) node {
		return el("member", el("SourcePolicyId", by.id), el("SourcePolicyType", by.kind),
			el("StartPosition", el("Line", 1), el("Column", 1)), el("EndPosition", el("Line", 1), el("Column", 1)))
	})
}

// worse orders decisions: a deny over a missing allow over an allow.
func worse(a, b string) bool {
	rank := map[string]int{"allowed": 0, "implicitDeny": 1, "explicitDeny": 2}
	return rank[a] > rank[b]
}
