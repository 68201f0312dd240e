package simaws

import (
	"fmt"
	"regexp"
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
// The trust policy is always checked, the caller's own policies if the Sim
// enforces them. The expiration is by the real clock, since that is what SDKs
// compare it with; the Sim itself never expires keys.
func assumeRole(r *request, in form) ([]node, error) {
	arn, session := in.get("RoleArn"), in.get("RoleSessionName")
	r.resources = append(r.resources, arn)
	if !sessionForm.MatchString(session) {
		return nil, fail("ValidationError",
			fmt.Sprintf("1 validation error detected: Value '%s' at 'roleSessionName' failed to satisfy "+
				"constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*", session))
	}
	if r.caller.owner {
		return nil, &apiError{Code: "AccessDenied", Status: 403, Message: "Roles may not be assumed by root accounts."}
	}
	q := question{who: r.caller, action: "sts:AssumeRole", resource: arn, region: r.est.region}
	if id := in.get("ExternalId"); id != "" {
		q.context = map[string][]string{"sts:ExternalId": {id}}
	}
	target, ok := r.sim.roleByARN(arn)
	rule := ruling{deny: denial{layer: layerTrust}} // AWS says nothing more about a role that does not exist
	if ok {
		rule = r.sim.mayAssume(q, target)
	}
	if !rule.allowed {
		m := q.message(rule.deny)
		r.est.witness(q, "AccessDenied", m)
		return nil, &apiError{Code: "AccessDenied", Status: 403, Message: m}
	}
	who := target.acct.session(target.name, session)
	key := r.sim.uniqueID("ASIA", r.sim.uuid("credentials"))
	r.sim.keys[key], r.sim.assumed[key] = who, r.key
	return []node{
		el("Credentials", el("AccessKeyId", key), el("SecretAccessKey", "simulated"), el("SessionToken", "simulated"),
			el("Expiration", time.Now().Add(time.Hour))),
		el("AssumedRoleUser", el("AssumedRoleId", target.id+":"+session), el("Arn", who.arn)),
	}, nil
}

var sessionForm = regexp.MustCompile(`^[\w+=,.@-]{2,64}$`)

// mayAssume decides who may assume a role: the trust policy must let the
// caller, and the caller's own side must, too, unless the trust policy of its
// own account names it itself.
func (s *Sim) mayAssume(q question, target *role) ruling {
	trust, err := parseResourcePolicy(target.trust, target.arn())
	if err != nil {
		s.unknown = append(s.unknown, "trust policy of "+target.arn()+": "+err.Error())
		return ruling{deny: denial{layer: layerTrust}}
	}
	refuses := trust.denies(q.who)
	refuses.name = layerTrust
	layers := []layerDocs{refuses}
	own, scps := s.access(q.who), s.serviceControl(q.who.acct)
	if s.cfg.Enforce {
		layers = []layerDocs{scps, refuses, own.identity, own.boundary}
	}
	for _, l := range layers {
		if v, i := s.evaluate(l.docs, q); v == iampolicy.ExplicitDeny {
			return ruling{deny: denial{explicit: true, layer: l.name, policy: l.arn(i)}}
		}
	}
	named := !s.foreign(q) && s.allows(trust.allows(q.who, false), q)
	switch {
	case s.cfg.Enforce && !s.allows(scps, q):
		return ruling{deny: denial{layer: layerSCP}}
	case s.cfg.Enforce && !named && !s.allows(own.identity, q):
		return ruling{deny: denial{layer: layerIdentity}}
	case !s.allows(trust.allows(q.who, true), q):
		return ruling{deny: denial{layer: layerTrust}}
	case s.cfg.Enforce && own.bounded && !s.allows(own.boundary, q):
		return ruling{deny: denial{layer: layerBoundary}}
	}
	return ruling{allowed: true}
}

func (s *Sim) roleByARN(arn string) (*role, bool) {
	f := strings.SplitN(arn, ":", 6)
	if len(f) < 6 || s.accounts[f[4]] == nil {
		return nil, false
	}
	ro, ok := s.accounts[f[4]].role(f[5][strings.LastIndexByte(f[5], '/')+1:])
	return ro, ok && ro.arn() == arn
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
