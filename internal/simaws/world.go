package simaws

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Load starts the simulated account that a world file describes; the package
// documentation explains the format. It is strict: an unknown key, an
// unreadable policy, a reference to something that is not there, or a command
// of the AWS CLI whose calls the Sim does not know are errors. All problems
// are reported together. change, if given, changes the configuration that the world asks for.
func Load(world []byte, change ...func(*Config)) (*Sim, error) {
	var w worldFile
	dec := yaml.NewDecoder(bytes.NewReader(world))
	dec.KnownFields(true)
	if err := dec.Decode(&w); err != nil && err != io.EOF {
		return nil, fmt.Errorf("reading world: %w", err)
	}
	if err := dec.Decode(new(any)); err != io.EOF {
		return nil, fmt.Errorf("reading world: more than one YAML document")
	}
	c := w.config()
	for _, f := range change {
		f(&c)
	}
	s, err := New(c)
	if err == nil {
		g := w.GitHub
		var outages []Outage
		for _, o := range g.Outages {
			from := s.now.Add(time.Duration(o.After))
			outages = append(outages, Outage{from, from.Add(time.Duration(o.Lasts))})
		}
		s.SetGitHub(GitHub{Host: g.Host, Token: g.Token, Permissions: g.Permissions, Repositories: g.Repositories, Outages: outages})
		for _, o := range w.Outages {
			from := s.now.Add(time.Duration(o.After))
			s.AddOutage(HostOutage{Host: o.Host, From: from, To: from.Add(time.Duration(o.Lasts)), Prints: o.Prints, Exit: o.Exit})
		}
		for _, c := range g.Comments {
			s.Comment(PullComment{Repository: c.Repository, Pull: c.Pull, Author: c.Author, Body: c.Body})
		}
	}
	if err != nil {
		return nil, fmt.Errorf("reading world: %w", err)
	}
	if err := w.build(s); err != nil {
		s.Close()
		return nil, fmt.Errorf("reading world: %w", err)
	}
	return s, nil
}

func (w *worldFile) config() Config {
	t := w.Trouble
	var ids Troubleshooter
	if f := w.Troubleshooter; f != nil {
		ids = Troubleshooter{On: true, Late: f.Late, Page: f.Page, Unchecked: f.Unchecked}
	}
	return Config{
		Troubleshooter: ids,
		Account:        w.Account, Region: w.Region, Partition: w.Partition, Start: w.Start, Seed: w.Seed,
		Propagation: time.Duration(w.Propagation), PropagationMost: time.Duration(w.PropagationMost),
		Enforce: w.Enforce, RetryKeepsRole: w.RetryKeepsRole, Initiator: w.Initiator, BuildQueue: w.BuildQueue, NoQuota: w.NoQuota,
		NoBuildKeys: w.NoBuildKeys,
		TopicKey:    w.TopicKey, Mailboxes: w.Mailboxes, Function: w.Function, Pattern: w.Pattern,
		Queue: QueueConfig{time.Duration(w.Queue.Visibility), w.Queue.MaxReceive},
		Trouble: Trouble{
			DropEvents: t.DropEvents, DuplicateEvents: t.DuplicateEvents, DelayEvents: time.Duration(t.DelayEvents),
			Throttle: t.Throttle, LoseRequest: t.LoseRequest, LoseResponse: t.LoseResponse, CallTime: time.Duration(t.CallTime),
			LogLag: time.Duration(t.LogLag), EmptyPages: t.EmptyPages, LogPage: t.LogPage, IAMPage: t.IAMPage, RateLimits: t.RateLimits,
			Others: t.Others, ConcurrentBuilds: t.Concurrent,
		},
	}
}

// builder puts a world together and collects what is wrong with it.
type builder struct {
	sim  *Sim
	errs []error
}

func (bu *builder) bad(format string, args ...any) {
	bu.errs = append(bu.errs, fmt.Errorf(format, args...))
}

var accountForm = regexp.MustCompile(`^[0-9]{12}$`)

func (w *worldFile) build(s *Sim) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	bu := &builder{sim: s}
	bu.ranges(w)
	if !accountForm.MatchString(s.cfg.Account) {
		bu.bad("account %q is no account id of 12 digits (quote it)", s.cfg.Account)
	}
	type part struct {
		est  *estate
		file estateFile
	}
	parts := []part{{s.home(), w.Estate}}
	for _, m := range w.Members {
		if !accountForm.MatchString(m.Account) {
			bu.bad("members: account %q is no account id of 12 digits (quote it)", m.Account)
			continue
		}
		parts = append(parts, part{s.estate(m.Account, orText(m.Region, s.cfg.Region)), m.Estate})
	}
	bu.code(w)
	for _, p := range parts {
		bu.account(p.est, p.file)
	}
	bu.deployed()
	for _, p := range parts {
		bu.estate(p.est, p.file)
	}
	for key, c := range w.Callers {
		if c.Identity.Role == "" && c.Identity.User == "" {
			bu.bad("callers: %s: neither role nor user", key)
		}
		s.keys[key] = s.identify(s.account(orText(c.Account, s.cfg.Account)), c.Identity)
	}
	for _, st := range w.Starts {
		bu.start(st)
	}
	for _, r := range w.GitHub.Runs {
		bu.workflow(r)
	}
	return errors.Join(bu.errs...)
}

// ranges checks numbers that would make no sense.
func (bu *builder) ranges(w *worldFile) {
	t := w.Trouble
	for name, p := range map[string]float64{"drop_events": t.DropEvents, "duplicate_events": t.DuplicateEvents, "throttle": t.Throttle,
		"lose_request": t.LoseRequest, "lose_response": t.LoseResponse} {
		if !(p >= 0 && p <= 1) {
			bu.bad("trouble: %s: %v is no probability", name, p)
		}
	}
	if !(t.Others >= 0 && t.Others <= 10) {
		bu.bad("trouble: others: %v is not between 0 and 10", t.Others)
	}
	for name, n := range map[string]int{"build_queue": w.BuildQueue, "queue: max_receive": w.Queue.MaxReceive,
		"trouble: empty_pages": t.EmptyPages, "trouble: log_page": t.LogPage, "trouble: iam_page": t.IAMPage,
		"trouble: concurrent_builds": t.Concurrent} {
		if n < 0 || n > 1000 {
			bu.bad("%s: %d is not between 0 and 1000", name, n)
		}
	}
}

// account puts in what belongs to an account: policies, roles, SCPs.
// organization is the id of the organization that all simulated accounts belong to.
const organization = "o-simulated0"

func (bu *builder) account(e *estate, f estateFile) {
	a := e.acct
	if f.FullAccess != nil {
		a.fullAccess = *f.FullAccess
	}
	for _, p := range f.SCPs {
		bu.check("scp "+p.ID, p.Document)
		arn := p.ID
		if !strings.HasPrefix(arn, "arn:") {
			arn = "arn:" + a.partition + ":organizations::" + bu.sim.cfg.Account + ":policy/" + organization +
				"/service_control_policy/" + p.ID
		}
		a.scps = append(a.scps, scp{arn, p.Document})
	}
	for _, p := range f.Policies {
		bu.policy(a, p)
	}
	for _, r := range f.Roles {
		bu.role(a, r)
	}
}

func (bu *builder) check(what, document string) {
	if err := checkDocument(document); err != nil {
		bu.bad("%s: %v", what, err)
	}
}

// policy founds a managed policy; a name that is an ARN is one of AWS's own.
func (bu *builder) policy(a *account, f policyFile) {
	docs := f.Versions
	if f.Document != "" {
		docs = append([]string{f.Document}, docs...)
	}
	if f.Name == "" || len(docs) == 0 || len(docs) > maxVersions {
		bu.bad("policy %q: needs a name, and document or one to five versions", f.Name)
		return
	}
	for _, d := range docs {
		bu.check("policy "+f.Name, d)
	}
	p := a.addPolicy(f.Name, docs[0])
	for _, d := range docs[1:] {
		p.current = p.addVersion(d, bu.sim.cfg.Start).id
	}
	if f.Default != "" {
		p.current = f.Default
	}
	if _, ok := p.version(p.current); !ok {
		bu.bad("policy %q: no version %q", f.Name, p.current)
	}
	p.past = []feltPolicy{{document: p.document()}}
	if strings.HasPrefix(f.Name, "arn:") {
		delete(a.policies, p.arn)
		p.acct, p.arn, p.path = nil, f.Name, "/"
		a.policies[p.arn] = p
	}
}

const codebuildTrust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow",` +
	`"Principal":{"Service":"codebuild.amazonaws.com"},"Action":"sts:AssumeRole"}]}`

func (bu *builder) role(a *account, f roleFile) {
	if f.Name == "" {
		bu.bad("a role without a name")
		return
	}
	if _, ok := a.role(f.Name[strings.LastIndexByte(f.Name, '/')+1:]); ok {
		bu.bad("role %q: there are two (names are unique ignoring case and path)", f.Name)
	}
	r := a.addRole(f.Name)
	r.trust = orText(f.Trust, codebuildTrust)
	if _, err := parseResourcePolicy(r.trust, r.arn()); err != nil {
		bu.bad("role %q: trust: %v", f.Name, err)
	}
	for name, doc := range f.Inline {
		bu.check("role "+f.Name+": "+name, doc)
		r.inline[name] = doc
	}
	if inlineSize(r.inline) > maxInline {
		bu.bad("role %q: more than %d characters of inline policies", f.Name, maxInline)
	}
	for _, name := range f.Attached {
		r.attached = append(r.attached, bu.policyRef(a, "role "+f.Name, name))
	}
	if f.Boundary != "" {
		r.boundary = bu.policyRef(a, "role "+f.Name, f.Boundary)
	}
	for k, v := range f.Tags {
		r.tags[k] = v
	}
	r.settle(0)
}

// policyRef finds a policy by its name with path, or ARN.
func (bu *builder) policyRef(a *account, where, name string) string {
	arn := name
	if !strings.HasPrefix(name, "arn:") {
		arn = a.arn("iam", "", "policy/"+strings.TrimPrefix(name, "/"))
	}
	if _, ok := bu.sim.policyByARN(arn); !ok {
		bu.bad("%s: there is no policy %q", where, name)
	}
	return arn
}

// estate puts in what belongs to a region.
func (bu *builder) estate(e *estate, f estateFile) {
	for _, r := range f.Repositories {
		bu.resource("repository "+r.Name, r.Policy)
		e.repos[r.Name] = &repository{created: bu.sim.now, policy: r.Policy}
	}
	e.createOnPush = append(e.createOnPush, f.CreateOnPush...)
	for _, b := range f.Buckets {
		bu.resource("bucket "+b.Name, b.Policy)
		bk := &bucket{owner: e.acct, region: e.region, policy: b.Policy, objects: map[string]object{}}
		for k, v := range b.Objects {
			bk.objects[k] = object{[]byte(v), bu.sim.now}
		}
		bu.sim.buckets[b.Name] = bk
	}
	maps.Copy(e.secrets, f.Secrets)
	for name, p := range f.Parameters {
		def(&p.Type, "SecureString")
		def(&p.Key, defaultParameterKey)
		e.parameters[name] = p
	}
	for _, st := range f.Stacks {
		e.templates[st.Name] = st
		if !st.Nested {
			e.addStack(&Stack{Name: st.Name, file: st})
		}
	}
	for _, st := range f.Stacks {
		for _, r := range st.Resources {
			if t, ok := e.templates[r.Stack]; r.Stack != "" && (!ok || !t.Nested) {
				bu.bad("stack %s: %s: there is no nested stack %q", st.Name, r.ID, r.Stack)
			}
		}
	}
	for _, name := range f.Topics {
		e.topics[name] = true
	}
	for _, p := range f.ResourcePolicies {
		bu.resource("resource policy of "+p.Resource, p.Document)
		e.grants[p.Resource] = p.Document
	}
	for _, p := range f.Projects {
		bu.project(e, p)
	}
	for _, p := range f.Pipelines {
		bu.pipeline(e, p)
	}
}

func (bu *builder) resource(what, policy string) {
	if policy == "" {
		return
	}
	if _, err := parseResourcePolicy(policy, "*"); err != nil {
		bu.bad("%s: %v", what, err)
	}
}

func (bu *builder) project(e *estate, f projectFile) {
	where := "project " + f.Name
	def(&f.Source.Type, "GITHUB")
	if f.Source.Type == "GITHUB" {
		def(&f.Source.Location, "https://github.com/example/"+strings.ToLower(f.Name)+".git")
	}
	def(&f.Image, "aws/codebuild/standard:7.0")
	def(&f.Timeout, duration(time.Hour))
	if f.Name == "" || e.project[f.Name] != nil {
		bu.bad("project %q: no name, or there are two", f.Name)
		return
	}
	if f.AutoRetry < 0 || f.AutoRetry > 10 || f.ConcurrentBuilds < 0 || f.Faults < 0 {
		bu.bad("%s: auto_retry is between 0 and 10, concurrent_builds and faults are not negative", where)
	}
	ro, ok := e.acct.role(f.Role[strings.LastIndexByte(f.Role, '/')+1:])
	if !ok {
		bu.bad("%s: there is no role %q", where, f.Role)
		return
	}
	p := &project{est: e, conf: f, role: ro.arn(), created: bu.sim.now, changed: bu.sim.now, tokens: map[string]startToken{}}
	if len(f.Versions) == 0 {
		f.Versions = []versionFile{{Ref: "refs/heads/main"}}
	}
	for _, v := range f.Versions {
		p.commits = append(p.commits, bu.commit(p, f, v))
	}
	e.project[f.Name] = p
}

func (bu *builder) commit(p *project, f projectFile, v versionFile) *commit {
	c := &commit{id: v.Commit, buildspecs: v.Buildspecs}
	if v.Ref != "" {
		c.refs = []string{v.Ref}
	}
	if c.id == "" {
		c.id = bu.sim.commitID(f.Name + " " + v.Ref)
	}
	if c.buildspecs == nil {
		c.buildspecs = f.Buildspecs
	}
	for path, spec := range c.buildspecs {
		for _, st := range slices.Concat(spec.Install, spec.PreBuild, spec.Build, spec.PostBuild) {
			bu.step(p.est, "project "+f.Name+": "+path, st)
		}
	}
	return c
}

var callForm = regexp.MustCompile(`^[a-z0-9-]+:[A-Za-z0-9]+$`)

func (bu *builder) step(e *estate, where string, st stepFile) {
	if st.Run == "" {
		bu.bad("%s: a step without run", where)
		return
	}
	if len(st.Calls) == 0 && st.Fails == nil && e.derive(st.Run).unknown {
		bu.bad("%s: %q: the Sim does not know which calls this makes: list them under calls", where, st.Run)
	}
	if st.Tool != "" && !slices.Contains(tools, st.Tool) {
		bu.bad("%s: %q: no tool %q: one of %s", where, st.Run, st.Tool, strings.Join(tools, ", "))
	}
	for _, c := range st.Calls {
		if !callForm.MatchString(c.Action) {
			bu.bad("%s: %q: %q is no action", where, st.Run, c.Action)
		}
		if c.As != "" && !slices.Contains(forms, c.As) {
			bu.bad("%s: %q: no form %q: one of %s", where, st.Run, c.As, strings.Join(forms, ", "))
		}
	}
}

func (bu *builder) pipeline(e *estate, f pipelineFile) {
	p := &pipeline{est: e, name: f.Name, role: f.Role, pulls: f.Pulls, executions: map[string]*execution{}}
	for _, s := range f.Stages {
		st := &stage{name: s.Name, retryOnFailure: s.Retry}
		for _, a := range s.Actions {
			of := e.project[a.Project]
			if a.Project != "" && of == nil && a.Refuses == nil {
				bu.bad("pipeline %s: there is no project %q", f.Name, a.Project)
			}
			if a.Batch && (of == nil || len(of.conf.Batch) == 0) {
				bu.bad("pipeline %s: project %q has no batch", f.Name, a.Project)
			}
			st.actions = append(st.actions, pipelineAction{a.Name, a.Project, a.Batch, a.Branch, a.Refuses, a.Commands})
		}
		p.stages = append(p.stages, st)
	}
	if f.Name == "" || len(p.stages) == 0 {
		bu.bad("pipeline %q: needs a name and stages", f.Name)
		return
	}
	e.pipes[f.Name] = p
}

// start puts a build on the agenda that the world itself begins.
func (bu *builder) start(f startFile) {
	st := Start{Project: f.Project, Pipeline: f.Pipeline, Batch: f.Batch, Account: f.Account, Region: f.Region,
		Version: f.Version, Initiator: f.Initiator, Trigger: f.Trigger, Branch: f.Branch, buildspec: f.Buildspec, over: f.Overrides}
	e, err := bu.sim.at(st)
	if err != nil {
		bu.bad("starts: %w", err)
		return
	}
	bu.sim.after(time.Duration(f.After), func() { e.start(st) })
}
