package simaws

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/buildmedic/buildmedic/internal/iampolicy"
)

// IAM Access Troubleshooter (AWS.md#authorization-ids): denials of IAM's own APIs carry an ID, by
// which their details are read later.

// Troubleshooter says how it behaves. Its zero value is that no denial carries an ID.
type Troubleshooter struct {
	On bool
	// Late is how often each ID is looked up in vain before its request is recorded; -1 is always.
	Late int
	// Page is how many evaluations a page has; 0 is all of them.
	Page int
	// Unchecked: no evaluation tells its checks.
	Unchecked bool
}

// authorization is the record of one denied request.
type authorization struct {
	acct   *account
	region string
	asked  int
	out    authorizationOut
}

type authorizationOut struct {
	RequestContext map[string]any  `json:"requestContext"`
	Evaluations    []evaluationOut `json:"evaluations"`
	Policies       []policyInfoOut `json:"policies"`
	NextToken      string          `json:"nextToken,omitempty"`
}

type evaluationOut struct {
	Action          string         `json:"action"`
	Resource        string         `json:"resource"`
	Context         map[string]any `json:"context,omitempty"`
	EvaluatedEffect string         `json:"evaluatedEffect"`
	Checks          []checkOut     `json:"checks,omitempty"`
}

type checkOut struct {
	CheckType           string             `json:"checkType"`
	EvaluatedEffect     string             `json:"evaluatedEffect"`
	TargetARN           string             `json:"targetArn,omitempty"`
	RelevantPolicyTypes []string           `json:"relevantPolicyTypes,omitempty"`
	MatchedPolicies     []matchedPolicyOut `json:"matchedPolicies,omitempty"`
}

type matchedPolicyOut struct {
	URI               string                `json:"uri"`
	MatchedStatements []matchedStatementOut `json:"matchedStatements"`
}

type matchedStatementOut struct {
	EvaluatedEffect string `json:"evaluatedEffect"`
}

type policyInfoOut struct {
	Type       string        `json:"type"`
	Inline     bool          `json:"inline"`
	URI        string        `json:"uri"`
	AttachedTo []attachedOut `json:"attachedTo"`
}

type attachedOut struct {
	ARN string `json:"arn"`
}

// globalRegion is where IAM's own APIs are, whichever region a request comes from.
func globalRegion(partition string) string {
	switch partition {
	case "aws-cn":
		return "cn-north-1"
	case "aws-us-gov":
		return "us-gov-west-1"
	}
	return "us-east-1"
}

// identified adds what AWS appends to a denial of IAM, and records the request: all that it needed,
// of which q was denied first.
func (s *Sim) identified(message string, q question, also []question) string {
	if !s.cfg.Troubleshooter.On || !strings.HasPrefix(q.action, "iam:") {
		return message
	}
	d := s.digest("authorization", q.who.arn, q.action, q.resource, itoa(s.nth("authorization")))
	id, region := fmt.Sprintf("%x", d)[:25], globalRegion(q.who.acct.partition)
	rec := &authorization{acct: q.who.acct, region: region, out: authorizationOut{RequestContext: map[string]any{
		"aws:PrincipalArn": q.who.principal(), "aws:PrincipalAccount": q.who.acct.id, "aws:PrincipalType": "AssumedRole",
		"aws:userid": q.who.userID(), "aws:SourceIp": "203.0.113.7", "aws:UserAgent": "aws-sdk", "aws:PrincipalOrgID": "o-simulated0",
		"aws:SecureTransport": true, "aws:RequestedRegion": region}, Policies: []policyInfoOut{}}}
	for _, x := range append([]question{q}, also...) {
		rec.evaluate(s, x)
	}
	s.authorizations[id] = rec
	return message + fmt.Sprintf(". Go to https://%s.console.aws.amazon.com/iam/home?region=%[1]s#/authorization-details/%s for complete "+
		"details, or call the GetRequestAuthorizationDetails API with the following authorization id: %[2]s", region, id)
}

// userID is the condition key aws:userid of a session.
func (c caller) userID() string {
	if r, ok := c.acct.role(c.role); ok {
		return r.id + ":" + c.session
	}
	return "AIDASIMULATED"
}

// evaluate adds how AWS judges one of the request's needs, requirement by requirement.
func (a *authorization) evaluate(s *Sim, q question) {
	who, acct := s.access(q.who), q.who.acct
	organization := "arn:" + acct.partition + ":organizations::" + s.cfg.Account + ":"
	e := evaluationOut{Action: q.action, Resource: q.resource, EvaluatedEffect: "ALLOW"}
	check := func(kind, policies, target, none string, l layerDocs) {
		c := checkOut{CheckType: kind, TargetARN: target, EvaluatedEffect: none, RelevantPolicyTypes: []string{policies}}
		v, i := s.evaluate(l.docs, q)
		effect := ""
		switch v {
		case iampolicy.Allowed:
			c.EvaluatedEffect, effect = "ALLOW", "ALLOW"
		case iampolicy.ExplicitDeny:
			c.EvaluatedEffect, effect = "EXPLICIT_DENY", "DENY"
		}
		if arn := l.arn(i); arn != "" && effect != "" {
			c.MatchedPolicies = []matchedPolicyOut{{arn, []matchedStatementOut{{effect}}}}
		}
		for _, arn := range l.arns {
			if arn != "" {
				a.out.Policies = append(a.out.Policies, policyInfoOut{Type: policies, URI: arn, AttachedTo: []attachedOut{{target}}})
			}
		}
		if c.EvaluatedEffect == "EXPLICIT_DENY" || c.EvaluatedEffect == "IMPLICIT_DENY" && e.EvaluatedEffect == "ALLOW" {
			e.EvaluatedEffect = c.EvaluatedEffect
		}
		e.Checks = append(e.Checks, c)
	}
	root := layerDocs{docs: []iampolicy.Document{s.document(fullAccess)}, arns: []string{"arn:aws:organizations::aws:policy/" +
		"service_control_policy/p-FullAWSAccess"}}
	check("SERVICE_CONTROL_POLICY", "SERVICE_CONTROL_POLICY", organization+"root/o-simulated0/r-simu", "IMPLICIT_DENY", root)
	check("SERVICE_CONTROL_POLICY", "SERVICE_CONTROL_POLICY", organization+"account/o-simulated0/"+acct.id, "IMPLICIT_DENY",
		s.serviceControl(acct))
	if res := s.resourcePolicy(q.resource); res != nil {
		check("RESOURCE", "RESOURCE_BASED_POLICY", "", "NO_IMPACT", res.denies(q.who))
	}
	check(checkPrincipal, "IDENTITY_BASED_POLICY", "", "IMPLICIT_DENY", who.identity)
	if who.bounded {
		check("PERMISSIONS_BOUNDARY", "PERMISSIONS_BOUNDARY", "", "IMPLICIT_DENY", who.boundary)
	}
	check("SESSION", "SESSION_POLICY", "", "NO_IMPACT", layerDocs{})
	if s.cfg.Troubleshooter.Unchecked {
		e.Checks = nil
	}
	a.out.Evaluations = append(a.out.Evaluations, e)
}

const checkPrincipal = "PRINCIPAL"

var toolboxOperations = map[string]operation{"GetRequestAuthorizationDetails": {run: getRequestAuthorizationDetails}}

const detailsPath = "/authorization-details/"

// toolboxWire is the service's REST protocol. Its requests are signed in IAM's name.
func toolboxWire() wire {
	w := restWire(toolboxOperations)
	w.name = func(h *http.Request, _ []byte) string {
		if rest, ok := strings.CutPrefix(h.URL.Path, detailsPath); ok && h.Method == http.MethodGet && !strings.Contains(rest, "/") {
			return "GetRequestAuthorizationDetails"
		}
		return h.Method + " " + h.URL.Path
	}
	return w
}

func getRequestAuthorizationDetails(r *request) (any, error) {
	if err := r.onlyQuery("nextToken"); err != nil {
		return nil, err
	}
	if err := r.authorize("iam:GetRequestAuthorizationDetails", "*", nil); err != nil {
		return nil, err
	}
	id := strings.TrimPrefix(r.http.URL.Path, detailsPath)
	if id == "" || len(id) > 256 || strings.Trim(id, "0123456789abcdefghijklmnopqrstuvwxyz") != "" {
		return nil, fail("ValidationException", "Invalid authorization ID.")
	}
	r.about = id
	a, late := r.sim.authorizations[id], r.sim.cfg.Troubleshooter.Late
	if a == nil || a.acct != r.caller.acct || a.region != r.est.region || late < 0 || a.asked < late {
		if a != nil {
			a.asked++
		}
		return nil, &apiError{Code: "ResourceNotFoundException", Status: http.StatusNotFound,
			Message: "Authorization details for the requested authorization ID were not found."}
	}
	out, from, size := a.out, 0, r.sim.cfg.Troubleshooter.Page
	if token := r.http.URL.Query().Get("nextToken"); token != "" {
		if _, err := fmt.Sscanf(token, "page/%d=", &from); err != nil || from >= len(out.Evaluations) {
			return nil, fail("ValidationException", "Invalid nextToken.")
		}
	}
	to := len(out.Evaluations)
	if size > 0 && from+size < to {
		to = from + size
		out.NextToken = fmt.Sprintf("page/%d=", to) // what must be escaped in a query
	}
	out.Evaluations = out.Evaluations[from:to]
	return out, nil
}
