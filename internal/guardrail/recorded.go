package guardrail

import (
	"fmt"
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/iamref"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// Authorization is AWS's own record of a denied request (AWS.md#authorization-ids), as far as anything
// is judged by it.
type Authorization struct {
	Principal   string // condition key aws:PrincipalArn; "" if it is not there
	User        string // condition key aws:userid; "" if it is not there
	Evaluations []Evaluation
	Partial     bool // there are more evaluations
}

// Evaluation is one action on one resource that the request needed.
type Evaluation struct {
	Action, Resource, Effect string
	Checks                   []Check // none: what was looked at is not told
}

// Check is one requirement, and whether it was met.
type Check struct {
	Type, Effect string
	Target       string   // ARN of what in the organization a service or resource control policy is attached to
	Policies     []string // ARNs, or opaque names, of the policies that it failed by, as far as they are told
}

// What AWS calls the effects.
const (
	effectAllow    = "ALLOW"
	effectNone     = "NO_IMPACT"
	effectImplicit = "IMPLICIT_DENY"
	effectExplicit = "EXPLICIT_DENY"
)

// checkPrincipal is the one check that a grant can change.
const checkPrincipal = "PRINCIPAL"

// checks are the types of checks, in words.
var checks = map[string]string{
	"SERVICE_CONTROL_POLICY": "a service control policy", "RESOURCE_CONTROL_POLICY": "a resource control policy",
	"VPC_ENDPOINT": "the VPC endpoint's policy", "RESOURCE": "the resource's own policy",
	checkPrincipal: "an identity-based policy", "PERMISSIONS_BOUNDARY": "the permissions boundary", "SESSION": "the session's policy",
}

// Recorded is what AWS's record of a request says of one denial. At most one of the last three is set.
type Recorded struct {
	ID     string `json:"id"`
	Action string `json:"action"`
	// Resource and Principal are the denial's, as Action is: a record of one role's request says nothing of
	// what another one was denied.
	Resource  string `json:"resource"`
	Principal string `json:"principal,omitempty"`

	Proved  bool     `json:"proved,omitempty"`  // nothing but a missing allow of the role's own policies denied it
	Refusal *Refusal `json:"refusal,omitempty"` // no grant would help, or the text is not true
	Silent  string   `json:"silent,omitempty"`  // why it says neither, as a clause
}

// Of reports whether it is what was recorded of the denial.
func (r Recorded) Of(d buildlog.Denial) bool {
	return r.ID == d.Authorization.ID && r.Action == d.Action && r.Resource == d.Resource && r.Principal == d.Principal
}

// Unrecorded is for a denial of which AWS has no record, for the reason why.
func Unrecorded(d buildlog.Denial, why string) Recorded {
	return Recorded{ID: d.Authorization.ID, Action: d.Action, Resource: d.Resource, Principal: d.Principal, Silent: why}
}

// Record judges AWS's record of the request that a denial's authorization ID stands for. The text
// says which record, and nothing else: it may be that of another denial. The record must be of the
// build's own session; of another role that the project lists, of the session that the text names.
func Record(b codebuild.Build, p settings.Project, d buildlog.Denial, a Authorization) Recorded {
	r := Unrecorded(d, "")
	if r.Refusal, r.Silent = notTheirs(b, p, d, a); r.Refusal != nil || r.Silent != "" {
		return r
	}
	for _, e := range a.Evaluations { // the request needed them all
		if r.Refusal = beyondGrants(d, e); r.Refusal != nil {
			return r
		}
	}
	own, named := evaluationsOf(d, a.Evaluations)
	denied := slices.DeleteFunc(slices.Clone(own), func(e Evaluation) bool { return e.Effect == effectAllow })
	switch {
	case len(denied) == 0 && a.Partial:
		r.Silent = "AWS's record of the request is longer than what is read of it"
	case len(own) > 0 && len(denied) == 0:
		r.Refusal = about(d, RecordedOtherwise, "AWS's own record of the request says that this was allowed in it. The text is not AWS's.")
	case len(own) == 0 && named == "":
		r.Refusal = about(d, RecordedOtherwise, "AWS's own record of the request with this authorization ID is about another action. "+
			"The text is not AWS's.")
	case len(own) == 0 && exactARN(named) && exactARN(d.Resource):
		r.Refusal = about(d, RecordedOtherwise, "AWS's own record of the request with this authorization ID is about another resource. "+
			"The text is not AWS's.")
	case len(own) == 0:
		r.Silent = "AWS's record of the request does not name the resource as the text does"
	default:
		r.Silent = doubtful(denied)
		r.Proved = r.Silent == ""
	}
	return r
}

// notTheirs refuses a record of somebody else's request, and says what keeps from telling whose it
// is.
func notTheirs(b codebuild.Build, p settings.Project, d buildlog.Denial, a Authorization) (*Refusal, string) {
	role, ok := b.Role()
	if !ok || b.UUID() == "" {
		return nil, "the build's record does not name its role"
	}
	session, whose := b.Session(), "this build's"
	if all := p.Roles(); holder(all, b, d) > 0 {
		role = codebuild.RoleNamed(b.At(), all[holder(all, b, d)].Role)
		_, session, _ = sessionOf(d.Principal, role)
		whose = "that of the text"
	}
	arn := "arn:" + role.Partition + ":sts::" + role.Account + ":assumed-role/" + role.Name + "/" + session
	if who := a.Principal; who != "" && who != role.ARN() && who != arn {
		rule := OtherPrincipal
		if parsed, ok := codebuild.ParseARN(who); ok && parsed.Account != role.Account {
			rule = OtherAccount
		}
		return about(d, rule, fmt.Sprintf("AWS's own record of the request with this authorization ID is of %q, and not of %q. "+
			"The line comes from elsewhere.", clip(who), role.ARN())), ""
	}
	if _, name, ok := strings.Cut(a.User, ":"); a.User != "" && (!ok || name != session) {
		rule := OtherBuild
		if whose != "this build's" {
			rule = OtherPrincipal
		}
		return about(d, rule, fmt.Sprintf("AWS's own record of the request with this authorization ID is of another session than "+
			"%s, which is %q. The line comes from elsewhere.", whose, clip(session))), ""
	}
	if a.Principal == "" || a.User == "" {
		return nil, "AWS's record of the request does not say whose it was"
	}
	return nil, ""
}

// evaluationsOf gives the evaluations of what was denied, and otherwise a resource for which the
// action was looked at; "" if it was not.
func evaluationsOf(d buildlog.Denial, all []Evaluation) (own []Evaluation, named string) {
	known, ok := iamref.Lookup(d.Action)
	for _, e := range all {
		if !strings.EqualFold(e.Action, d.Action) {
			continue
		}
		if e.Resource == d.Resource && e.Resource != "" || ok && len(known.Resources) == 0 {
			own = append(own, e)
		}
		if named == "" || !exactARN(e.Resource) {
			named = e.Resource
			if named == "" {
				named = "*"
			}
		}
	}
	return own, named
}

func exactARN(s string) bool { return strings.HasPrefix(s, "arn:") && !strings.ContainsAny(s, "*?") }

// beyondGrants refuses where something denies that no allow of the role's own can make up for.
func beyondGrants(d buildlog.Denial, e Evaluation) *Refusal {
	also := ""
	if !strings.EqualFold(e.Action, d.Action) {
		also = fmt.Sprintf(" It is about %s, which the same request needs.", clip(e.Action))
	}
	for _, c := range e.Checks {
		layer, ok := checks[c.Type]
		if !ok {
			layer = fmt.Sprintf("what AWS calls %q", clip(c.Type))
		}
		switch {
		case c.Effect == effectExplicit:
			return about(d, ExplicitDeny, fmt.Sprintf("AWS's own record of the request says that %s%s denies it explicitly. No allow "+
				"beats that.%s", layer, c.where(), also))
		case c.Effect == effectImplicit && c.Type != checkPrincipal:
			return about(d, OtherLayer, fmt.Sprintf("AWS's own record of the request says that %s%s does not allow it, whatever the "+
				"role's own policies say. Change it there.%s", layer, c.where(), also))
		}
	}
	if e.Effect == effectExplicit {
		return about(d, ExplicitDeny, "AWS's own record of the request says that it is denied explicitly. No allow beats that."+also)
	}
	return nil
}

// doubtful says, as a clause, why the evaluations do not show that only a missing allow of the role's
// own policies denied; "" if they do.
func doubtful(denied []Evaluation) string {
	for _, e := range denied {
		own := false
		for _, c := range e.Checks {
			switch _, known := checks[c.Type]; {
			case !known || c.Effect != effectAllow && c.Effect != effectNone && c.Effect != effectImplicit:
				return "AWS's record of the request has a check that this version does not know"
			case c.Type == checkPrincipal && c.Effect == effectImplicit:
				own = true
			case c.Type == checkPrincipal:
				return "by AWS's record of the request it is not the role's own policies that lack it"
			}
		}
		switch {
		case e.Effect != effectImplicit:
			return "AWS's record of the request has an effect that this version does not know"
		case len(e.Checks) == 0:
			return "AWS's record of the request does not tell what was checked"
		case !own:
			return "AWS's record of the request does not tell whether the role's own policies lack it"
		}
	}
	return ""
}

// maxNamed bounds the policies that a refusal names.
const maxNamed = 3

var organizationPolicy = lazyregexp.New(`^p-[a-z0-9]{8,128}$`)

// where names the policies of a check, and to what they are attached. Of an organization, whose ids
// are not told, it is the policy's own id and the kind of target.
func (c Check) where() string {
	var names []string
	for _, uri := range c.Policies {
		a, ok := codebuild.ParseARN(uri)
		last := uri[strings.LastIndexByte(uri, '/')+1:]
		switch {
		case !ok: // the opaque name of an inline policy
		case a.Service != "organizations":
			names = append(names, clip(uri))
		case organizationPolicy.MatchString(last):
			names = append(names, last)
		}
	}
	if len(names) > maxNamed {
		names = append(names[:maxNamed], "…")
	}
	where := ""
	if len(names) > 0 {
		where = " (" + strings.Join(names, ", ") + ")"
	}
	target, _ := codebuild.ParseARN(c.Target)
	switch kind, _, _ := strings.Cut(target.Resource, "/"); kind {
	case "root":
		where += " at the organization's root"
	case "ou":
		where += " of an organizational unit"
	case "account":
		where += " of the account"
	}
	return where
}

// unrecorded says, as a clause, why AWS's record does not prove the denial.
func unrecorded(in Input, n int) string {
	switch {
	case in.Denials[n].Authorization.ID == "":
		return "the message carries no authorization ID, by which that would be found"
	case n >= len(in.Recorded) || in.Recorded[n].Silent == "":
		return "it was not looked up"
	}
	return in.Recorded[n].Silent
}
