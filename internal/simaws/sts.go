package simaws

import (
	"strings"
	"time"

	"github.com/buildmedic/buildmedic/internal/iampolicy"
)

var stsOperations = map[string]operation{
	"GetCallerIdentity":          queryCall(false, "", getCallerIdentity),
	"AssumeRole":                 queryCall(false, "RoleArn RoleSessionName DurationSeconds ExternalId", assumeRole),
	"DecodeAuthorizationMessage": queryCall(false, "EncodedMessage", decodeAuthorizationMessage),
}

// getCallerIdentity needs no permission.
func getCallerIdentity(r *request, _ form) ([]node, error) {
	id := r.sim.uniqueID("AIDA", r.caller.arn)
	if ro, ok := r.caller.acct.role(r.caller.role); ok {
		id = ro.id + ":" + r.caller.session
	}
	return []node{el("Arn", r.caller.arn), el("UserId", id), el("Account", r.caller.acct.id)}, nil
}

// assumeRole gives credentials whose access key id stands for the session.
// The trust policy is always checked. The expiration is by the real clock,
// since that is what SDKs compare it with; the Sim itself never expires keys.
func assumeRole(r *request, in form) ([]node, error) {
	arn, session := in.get("RoleArn"), in.get("RoleSessionName")
	if err := r.authorizeForeign("sts:AssumeRole", arn); err != nil {
		return nil, err
	}
	target, ok := r.sim.roleByARN(arn)
	if !ok || !target.trusts(r.caller, in.get("ExternalId")) {
		q := question{who: r.caller, action: "sts:AssumeRole", resource: arn}
		return nil, &apiError{Code: "AccessDenied", Status: 403, Message: q.message(denial{layer: layerTrust})}
	}
	who := target.acct.session(target.name, session)
	key := r.sim.uniqueID("ASIA", r.sim.uuid("credentials"))
	r.sim.keys[key] = who
	return []node{
		el("Credentials", el("AccessKeyId", key), el("SecretAccessKey", "simulated"), el("SessionToken", "simulated"),
			el("Expiration", time.Now().Add(time.Hour))),
		el("AssumedRoleUser", el("AssumedRoleId", target.id+":"+session), el("Arn", who.arn)),
	}, nil
}

// authorizeForeign asks only the caller's identity policies: what the other
// account says is the trust policy's business.
func (r *request) authorizeForeign(action, resource string) error {
	r.resources = append(r.resources, resource)
	if !r.sim.cfg.Enforce || r.caller.owner {
		return nil
	}
	q := question{who: r.caller, action: action, resource: resource, region: r.est.region}
	if r.sim.allows(r.sim.access(r.caller).identity, q) {
		return nil
	}
	return &apiError{Code: "AccessDenied", Status: 403, Message: q.message(denial{layer: layerIdentity})}
}

func (s *Sim) roleByARN(arn string) (*role, bool) {
	f := strings.SplitN(arn, ":", 6)
	if len(f) < 6 || s.accounts[f[4]] == nil {
		return nil, false
	}
	ro, ok := s.accounts[f[4]].role(f[5][strings.LastIndexByte(f[5], '/')+1:])
	return ro, ok && ro.arn() == arn
}

// trusts reports whether the role's trust policy lets the caller assume it.
func (r *role) trusts(c caller, externalID string) bool {
	s := r.acct.sim
	rules, err := parseResourcePolicy(r.trust, r.arn())
	if err != nil {
		s.unknown = append(s.unknown, "trust policy of "+r.arn()+": "+err.Error())
		return false
	}
	q := question{who: c, action: "sts:AssumeRole", resource: r.arn()}
	if externalID != "" {
		q.context = map[string][]string{"sts:ExternalId": {externalID}}
	}
	if v, _ := s.evaluate(rules.denies(c).docs, q); v == iampolicy.ExplicitDeny {
		return false
	}
	return s.allows(rules.allows(c, true), q)
}

func decodeAuthorizationMessage(r *request, in form) ([]node, error) {
	if err := r.authorize("sts:DecodeAuthorizationMessage", "*", nil); err != nil {
		return nil, err
	}
	text, ok := r.sim.encoded[in.get("EncodedMessage")]
	if !ok {
		return nil, fail("InvalidAuthorizationMessageException", "Message is not valid")
	}
	return []node{el("DecodedMessage", text)}, nil
}
