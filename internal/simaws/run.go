package simaws

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Start is a build, batch or pipeline execution to be started from outside.
type Start struct {
	Project  string
	Pipeline string // instead of Project
	Batch    bool   // of Project

	Account, Region string // "" is home
	Version         string // source version: branch, tag, pr/7, commit; "" is the default branch
	// Initiator is who started it: "" is the webhook, "GitHub-Hookshot/…".
	Initiator string
	// Of a pipeline: Trigger is what started it (default WebhookV2), and Branch the name of the branch
	// that its source read; the default is that of Version.
	Trigger, Branch string

	buildspec string // override
	over      overrides
}

const hookshot = "GitHub-Hookshot/0a1b2c3"

// at finds where the start belongs and checks it.
func (s *Sim) at(st Start) (*estate, error) {
	acct, region := orText(st.Account, s.cfg.Account), orText(st.Region, s.cfg.Region)
	e, ok := s.estates[place{acct, region}]
	switch {
	case !ok:
		return nil, fmt.Errorf("there is nothing in account %s, region %s", acct, region)
	case st.Pipeline != "" && e.pipes[st.Pipeline] == nil:
		return nil, fmt.Errorf("there is no pipeline %q", st.Pipeline)
	case st.Pipeline == "" && e.project[st.Project] == nil:
		return nil, fmt.Errorf("there is no project %q", st.Project)
	case st.Batch && len(e.project[st.Project].conf.Batch) == 0:
		return nil, fmt.Errorf("project %q has no batch", st.Project)
	}
	return e, nil
}

// start begins it and returns its id.
func (e *estate) start(st Start) string {
	if st.Pipeline != "" {
		return e.pipes[st.Pipeline].start(execution{version: st.Version, trigger: orText(st.Trigger, "WebhookV2"), by: st.Initiator,
			branch: orText(st.Branch, strings.TrimPrefix(st.Version, "refs/heads/"))})
	}
	p := e.project[st.Project]
	if st.Batch {
		return p.beginBatch(st.Version, nil, orText(st.Initiator, hookshot)).id()
	}
	return p.begin(order{version: st.Version, initiator: orText(st.Initiator, hookshot), retry: autoRetry{limit: p.conf.AutoRetry},
		over: st.over, buildspec: st.buildspec}).id()
}

// Run starts a build (batch, pipeline execution) as an outside caller, and
// returns its id: PROJECT:UUID, or the execution's. It goes on as time does. It
// fails if CodeBuild's queue for such builds is full.
func (s *Sim) Run(st Start) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, err := s.at(st)
	if err == nil && st.Pipeline == "" && !st.Batch {
		p := e.project[st.Project]
		err = e.lane(st.over.environment(p.environmentOut())).room()
	}
	if err != nil {
		return "", fmt.Errorf("starting a build: %w", err)
	}
	return e.start(st), nil
}

// Stop stops a running build of the home account, as a person would.
func (s *Sim) Stop(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, ok := s.home().builds[id]
	if !ok || b.complete {
		return fmt.Errorf("stopping build %q: there is none under way", id)
	}
	b.abort(stopped, "", "")
	return nil
}

// Build tells of one build.
type Build struct {
	ID, ARN, Project string
	Account, Region  string
	Number           int64
	Status           string
	Initiator        string
	Version, Commit  string
	Buildspec        string // path as it was asked for
	Role             string // ARN
	Failure          string // "CODE: message" of the first failed phase, "" if none
	Log              string // everything that it printed
	Start, End       time.Time
}

// AllBuilds lists the builds of all accounts and regions, oldest first.
func (s *Sim) AllBuilds() []Build {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Build
	for _, e := range s.estates {
		for _, b := range e.builds {
			out = append(out, b.tell())
		}
	}
	slices.SortFunc(out, func(a, b Build) int { return cmp.Or(a.Start.Compare(b.Start), strings.Compare(a.ARN, b.ARN)) })
	return out
}

// Builds lists a project's builds in the home account, oldest first.
func (s *Sim) Builds(project string) []Build { return s.BuildsAt("", "", project) }

// BuildsAt lists a project's builds in an account and region, oldest first.
func (s *Sim) BuildsAt(account, region, project string) []Build {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.estates[place{orText(account, s.cfg.Account), orText(region, s.cfg.Region)}]
	if !ok || e.project[project] == nil {
		return nil
	}
	var out []Build
	for _, b := range e.project[project].builds {
		out = append(out, b.tell())
	}
	return out
}

func (b *build) tell() Build {
	t := Build{
		ID: b.id(), ARN: b.arn(), Project: b.p.conf.Name, Account: b.p.est.acct.id, Region: b.p.est.region, Number: b.number,
		Status: b.status, Initiator: b.initiator, Version: b.sourceVersion, Commit: b.resolved,
		Buildspec: b.p.buildspecPath(b.buildspec), Role: b.role, Failure: b.failure(), Start: b.start, End: b.end,
	}
	var log []byte
	for _, e := range b.printed {
		log = append(log, e.message...)
	}
	t.Log = string(log)
	return t
}

// RolePolicies gives a role's inline policies as IAM has them now, by name,
// and the ARNs of those attached. The account "" is home.
func (s *Sim) RolePolicies(account, role string) (inline map[string]string, attached []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, ok := s.accounts[orText(account, s.cfg.Account)]
	if !ok {
		return nil, nil
	}
	r, ok := a.role(role)
	if !ok {
		return nil, nil
	}
	inline = map[string]string{}
	for k, v := range r.inline {
		inline[k] = v
	}
	return inline, slices.Clone(r.attached)
}

// PolicyVersion is a version of a managed policy.
type PolicyVersion struct {
	ID, Document string
	Default      bool
}

// PolicyVersions lists a managed policy's versions, oldest first.
func (s *Sim) PolicyVersions(arn string) []PolicyVersion {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.policyByARN(arn)
	if !ok {
		return nil
	}
	var out []PolicyVersion
	for _, v := range p.versions {
		out = append(out, PolicyVersion{v.id, v.document, v.id == p.current})
	}
	return out
}

// PutRolePolicy writes an inline policy as a stranger would, e.g. from a
// hook between two calls; it is no recorded call.
func (s *Sim) PutRolePolicy(role, name, document string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.home().acct.role(role)
	if !ok {
		return fmt.Errorf("writing policy %q: there is no role %q", name, role)
	}
	return r.putInline(name, document)
}

// UpdateAssumeRolePolicy changes whom a role trusts, as its owner would. The
// account "" is home.
func (s *Sim) UpdateAssumeRolePolicy(account, role, document string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.account(orText(account, s.cfg.Account)).role(role)
	if !ok {
		return fmt.Errorf("changing whom role %q trusts: there is no such role", role)
	}
	if _, err := parseResourcePolicy(document, r.arn()); err != nil {
		return fmt.Errorf("changing whom role %q trusts: %w", role, err)
	}
	r.trust = document
	return nil
}

// CreatePolicyVersion makes a new default version of a managed policy as a
// stranger would, and returns its id.
func (s *Sim) CreatePolicyVersion(arn, document string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.policyByARN(arn)
	if !ok {
		return "", fmt.Errorf("writing policy %q: there is none", arn)
	}
	v, err := p.newVersion(s, document, true)
	return v.id, err
}
