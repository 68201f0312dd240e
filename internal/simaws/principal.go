package simaws

import "strings"

// caller is who makes a call: a role's session or a user.
type caller struct {
	acct    *account
	arn     string // as denials name it: …:assumed-role/R/SESSION or …:user/U
	role    string // role name, "" for a user
	session string
	owner   bool   // the account's root user: may do everything
	project string // ARN of the project whose build it is, and of the build; "" if it is none
	build   string
}

// principal is the ARN that conditions and Principal elements see: a role's
// own ARN for its sessions.
func (c caller) principal() string {
	if r, ok := c.acct.role(c.role); ok {
		return r.arn()
	}
	return c.arn
}

// initiator is how CodeBuild names who started a build (AWS.md#initiator).
func (c caller) initiator() string {
	if c.role != "" {
		return c.role + "/" + c.session
	}
	return c.arn[strings.LastIndexAny(c.arn, "/:")+1:]
}

// initiator is how CodeBuild names the caller, in the world's own form if it
// has one.
func (r *request) initiator() string {
	if r.sim.cfg.Initiator == "" || r.caller.role == "" {
		return r.caller.initiator()
	}
	return strings.NewReplacer("ROLE", r.caller.role, "SESSION", r.caller.session, "ARN", r.caller.arn).Replace(r.sim.cfg.Initiator)
}

// identify makes the caller for an identity.
func (s *Sim) identify(a *account, id Identity) caller {
	if id.User != "" {
		return caller{acct: a, arn: a.arn("iam", "", "user/"+id.User)}
	}
	session := id.Session
	def(&session, "session")
	return a.session(id.Role, session)
}

// session is a session of a role: its ARN drops the role's path (AWS.md#build-session).
func (a *account) session(roleName, session string) caller {
	name := roleName[strings.LastIndexByte(roleName, '/')+1:]
	return caller{acct: a, role: name, session: session, arn: a.arn("sts", "", "assumed-role/"+name+"/"+session)}
}

// Caller makes an access key id known: calls signed with it are made by the
// identity, in the account ("" is the home account).
func (s *Sim) Caller(key, account string, id Identity) {
	s.mu.Lock()
	defer s.mu.Unlock()
	def(&account, s.cfg.Account)
	s.keys[key] = s.identify(s.account(account), id)
}

// access is what the caller's identity gives and bounds, as it is felt now.
type access struct {
	identity layerDocs
	boundary layerDocs
	bounded  bool
}

// access gathers the policies of a caller. A user, and a role that does not
// exist, has none.
func (s *Sim) access(c caller) access {
	a := access{identity: layerDocs{name: layerIdentity}, boundary: layerDocs{name: layerBoundary}}
	r, ok := c.acct.role(c.role)
	if !ok {
		return a
	}
	felt := r.felt(s.now)
	for _, text := range felt.inline {
		a.identity.add(s.document(text), "")
	}
	for _, arn := range felt.attached {
		if p, ok := s.policyByARN(arn); ok {
			a.identity.add(s.document(p.felt(s.now)), arn)
		}
	}
	if r.boundary != "" {
		a.bounded = true
		if p, ok := s.policyByARN(r.boundary); ok {
			a.boundary.add(s.document(p.felt(s.now)), r.boundary)
		}
	}
	return a
}

// serviceControl is the account's service control policies. One level of the
// organization is simulated.
func (s *Sim) serviceControl(a *account) layerDocs {
	l := layerDocs{name: layerSCP}
	if a.fullAccess {
		l.add(s.document(fullAccess), "")
	}
	for _, p := range a.scps {
		l.add(s.document(p.document), p.arn)
	}
	return l
}

const fullAccess = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`

// scp is a service control policy attached to an account.
type scp struct{ arn, document string }

// resourcePolicy is the policy of the resource itself, nil if it has none.
func (s *Sim) resourcePolicy(arn string) resourceRules {
	f := strings.SplitN(arn, ":", 6)
	if len(f) < 6 {
		return nil
	}
	text := ""
	if f[2] == "s3" {
		name, _, _ := strings.Cut(f[5], "/")
		if b, ok := s.buckets[name]; ok {
			text = b.policy
		}
	} else if e, ok := s.estates[place{f[4], f[3]}]; ok {
		text = e.grants[arn]
		if name, isRepo := strings.CutPrefix(f[5], "repository/"); isRepo && f[2] == "ecr" && e.repos[name] != nil {
			text = e.repos[name].policy
		}
	}
	if text == "" {
		return nil
	}
	rules, err := parseResourcePolicy(text, arn)
	if err != nil {
		s.unknown = append(s.unknown, err.Error())
	}
	return rules
}

// authorize says what the call needs, for the record, and, if the Sim
// enforces the callers' policies, refuses it as AWS does.
func (r *request) authorize(action, resource string, context map[string][]string) error {
	r.resources = append(r.resources, resource)
	if !r.sim.cfg.Enforce {
		return nil
	}
	q := question{who: r.caller, action: action, resource: resource, region: r.est.region, context: context}
	rule := r.sim.judge(q)
	if rule.allowed {
		return nil
	}
	m := q.message(rule.deny)
	r.est.witness(q, services[r.service].deniedCode, m)
	return &apiError{Code: services[r.service].deniedCode, Message: m, Status: deniedStatus(r.service)}
}

// deniedStatus: the JSON protocols answer 400, the others 403.
func deniedStatus(service string) int {
	switch service {
	case "iam", "iam-toolbox", "sts", "sns", "s3", "access-analyzer", "cloudformation", "lambda":
		return 403
	}
	return 400
}
