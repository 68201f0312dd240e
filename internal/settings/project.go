package settings

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// Names as AWS takes them (AWS.md#names). Paths are kept to the same
// characters as names: in an ARN, anything more could be a pattern.
var (
	projectName = &form{lazyregexp.New(`^[A-Za-z0-9][A-Za-z0-9_-]+$`), 150}
	roleName    = inPath{64}
	policyName  = &form{lazyregexp.New(`^[\w+=,.@-]+$`), 128}
	policyPath  = inPath{128}
	logGroup    = &form{lazyregexp.New(`^[\w./#-]+$`), 512}
	logPlace    = lazyregexp.New(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[\w!'()+=,.@-]+)*$`) // bucket/prefix
	reportGroup = &form{lazyregexp.New(`^[A-Za-z0-9][A-Za-z0-9_-]+$`), 128}
	stack       = &form{lazyregexp.New(`^[a-zA-Z][-a-zA-Z0-9]*$`), 128}
	pipeline    = &form{lazyregexp.New(`^[\w.@-]+$`), 100}
	starter     = &form{lazyregexp.New(`^[\w+=,.@-]+(/[\w+=,.@-]+)?$`), 128}
)

const (
	maxPath  = 512  // of an IAM path
	maxKey   = 1024 // of an S3 key
	roleRule = "write the role's name of up to 64 characters, with its path if it has one, " +
		"such as service-role/codebuild-web; not its ARN, and without a leading slash"
)

func (r *reader) projects(file object, s *Settings) []Project {
	var list []Project
	d := r.defaults(file)
	for o := range file.each("projects") {
		if !d.fill(o) {
			return list
		}
		if o.has("pattern") && !r.pinned(o) {
			continue
		}
		p := r.project(o, s)
		d.claim(o, p.Name)
		same := func(q Project) bool { return q.Name == p.Name && q.Account == p.Account && q.Region == p.Region }
		if i := slices.IndexFunc(list, same); i >= 0 && p.Name != "" {
			r.problem(o.node, o.at("name"), "project %q is there already, in line %d; "+
				"remove one, or tell them apart by account and region", p.Name, list[i].Line)
		}
		list = append(list, p)
	}
	d.tell(s)
	return list
}

func (r *reader) project(o object, s *Settings) Project {
	p := Project{
		Name:         o.id("name", projectName, "write the name of a CodeBuild project: 2 to 150 letters, digits, - and _"),
		Account:      o.account("account"),
		Region:       o.region("region"),
		Role:         o.role("role"),
		Mode:         Mode(o.oneOf("mode")),
		Buildspecs:   r.buildspecs(o.texts("buildspecs")),
		Compare:      o.boolean("since_green"),
		Boundary:     o.policy("boundary", policyPath),
		Logs:         o.logs(),
		TestReports:  o.boolean("test_reports"),
		Troubleshoot: o.boolean("access_troubleshooter"),
		ReportGroups: r.reportGroups(o.texts("report_groups")),
		Stacks:       r.stacks(o.texts("stacks")),
		Pipelines:    r.pipelines(o.texts("pipelines")),
		Trust:        r.trust(o),
		PullRequests: PullRequests(o.oneOf("pull_requests")),
		Owner:        o.owner("owner"),
		Price:        o.price("price_per_minute"),
		Line:         o.node.Line,
	}
	if !o.has("role") {
		o.problem("role", "missing; %s", roleRule)
	}
	if o.has("switch_role") {
		p.SwitchRole = o.role("switch_role")
		if p.SwitchRole == p.Role && p.Role != "" {
			o.problem("switch_role", "%q is the project's role itself; name the role to switch to", p.Role)
		}
	}
	p.Grants = r.grantsNamed(o, s)
	if len(p.ReportGroups) > 0 && !p.TestReports {
		if o.has("test_reports") {
			o.problem("report_groups", "test_reports is false, so no report is read; remove one of the two")
		}
		p.TestReports = true
	}
	p.Retry, p.RetryFlaky = o.retry()
	p.Runner, p.Rerun = o.runner()
	p.Write = r.write(o)
	p.Permanent = o.permanent(p.Write)
	p.AlsoRoles = r.alsoRoles(o, p, s)
	p.Code = r.projectCode(o, s)
	if p.Rerun && p.Code.GitHub == "" {
		o.problem("code", "it names no repository of GitHub, where runner has jobs run again; give github: OWNER/REPOSITORY, with "+
			"tell: none if its developers are told nothing")
	}
	r.place(o, p, s)
	return p
}

// grantsNamed reads the ids of grants, of which each must be there.
func (r *reader) grantsNamed(o object, s *Settings) (list []string) {
	for _, v := range o.texts("grants") {
		if !slices.ContainsFunc(s.Grants, func(g Grant) bool { return g.ID == v.text }) {
			r.flag(v, "there is no grant %q%s", clip(v.text), suggest(v.text, ids(s.Grants), among(ids(s.Grants))))
			continue
		}
		list = append(list, v.text)
	}
	return list
}

func names(projects []Project) []string {
	var list []string
	for _, p := range projects {
		list = append(list, p.Name)
	}
	return list
}

func ids(grants []Grant) []string {
	var list []string
	for _, g := range grants {
		if g.ID != "" {
			list = append(list, g.ID)
		}
	}
	return list
}

// place checks that an account that the project names is looked after.
func (r *reader) place(o object, p Project, s *Settings) {
	if p.Account == "" {
		return
	}
	known := func(a Account) bool { return a.ID == p.Account && (p.Region == "" || a.Region == p.Region) }
	if !slices.ContainsFunc(s.Accounts, known) {
		o.problem("account", "accounts has no entry for %s; add one", strings.TrimSpace(p.Account+" "+p.Region))
	}
}

func (o object) role(key string) string {
	s := o.matching(key, roleName, roleRule)
	switch i := strings.LastIndexByte(s, '/'); {
	case i >= maxPath:
		o.problem(key, "its path has more than %d characters, which IAM does not take", maxPath)
	case strings.HasPrefix(s, "aws-service-role/"):
		o.problem(key, "%q is a service-linked role, which only AWS may change", s)
	}
	return s
}

func (o object) policy(key string, want matcher) string {
	return o.matching(key, want, "write the policy's name, with its path if it has one; not its ARN, and without a leading slash")
}

// retry reads whether the project's builds may be started again, and for what besides.
func (o object) retry() (retry, flaky bool) {
	if n := o.value("retry"); n == nil || n.Kind != yaml.MappingNode {
		return o.boolean("retry"), false
	}
	return true, o.child("retry").boolean("flaky_tests")
}

// runner reads whether the project's builds run a code host's jobs, and whether the host runs them again.
func (o object) runner() (runner, rerun bool) {
	if n := o.value("runner"); n == nil || n.Kind != yaml.MappingNode {
		return o.boolean("runner"), false
	}
	return true, o.child("runner").boolean("rerun")
}

// write reads where the project's grants go.
func (r *reader) write(o object) Write {
	if !o.has("write") {
		if n := o.value("grants"); n != nil && len(n.Content) > 0 {
			o.problem("write", "missing; say where grants are written: {inline: NAME}, {managed: NAME}, {attach: true} or "+
				"{code: {…}}")
		}
		return Write{}
	}
	c := o.child("write")
	w := Write{
		Inline:  c.matching("inline", policyName, "write the inline policy's name: up to 128 letters, digits and _+=,.@-"),
		Managed: c.policy("managed", policyPath),
		Attach:  c.boolean("attach"),
		Shared:  c.boolean("shared"),

		KeepVersions: c.oneOf("versions") == "keep",
		Code:         c.policyCode(),
	}
	count := 0
	for _, given := range []bool{c.has("inline"), c.has("managed"), w.Attach, c.has("code")} {
		if given {
			count++
		}
	}
	if count != 1 && c.readable() {
		o.problem("write", "give exactly one of inline: NAME, managed: NAME, attach: true and code: {…}")
	}
	if w.Shared && !c.has("managed") {
		c.problem("shared", "only a managed policy can be shared; remove it")
	}
	if c.has("versions") && !c.has("managed") {
		c.problem("versions", "only a managed policy has versions; remove it")
	}
	if strings.HasPrefix(w.Managed, "aws-service-role/") {
		c.problem("managed", "%q belongs to a service-linked role, which only AWS may change", w.Managed)
	}
	return w
}

// logs reads where the project's builds log.
func (o object) logs() Logs {
	if !o.has("logs") {
		return Logs{}
	}
	c := o.child("logs")
	if c.readable() && !c.has("group") && !c.has("s3") {
		o.problem("logs", "give group: NAME, s3: BUCKET/PREFIX, or both")
	}
	l := Logs{
		Group: c.matching("group", logGroup, "write the log group's exact name, such as /ci/builds; not its ARN"),
		S3:    c.matching("s3", logPlace, "write BUCKET or BUCKET/PREFIX, without a slash at its end; not an ARN, and without wildcards"),
	}
	if len(l.S3) > maxKey {
		c.problem("s3", "it has more than %d characters, which S3 does not take", maxKey)
	}
	return l
}

// named gives the names that are as AWS takes them, and flags the others with what to write.
func (r *reader) named(list []value, want matcher, kind, write string) []string {
	var names []string
	for _, v := range list {
		if !want.MatchString(v.text) {
			r.flag(v, "%q is not the name of a %s; write its exact name%s", clip(v.text), kind, write)
			continue
		}
		names = append(names, v.text)
	}
	return names
}

func (r *reader) reportGroups(list []value) []string {
	return r.named(list, reportGroup, "report group", ", 2 to 128 letters, digits, - and _, and not its ARN")
}

func (r *reader) stacks(list []value) []string {
	return r.named(list, stack, "stack", ", up to 128 letters, digits and -, beginning with a letter, and not its ARN")
}

func (r *reader) pipelines(list []value) []string {
	return r.named(list, pipeline, "pipeline", ": up to 100 letters, digits and _.@-")
}

// trust reads whose builds count as the team's.
func (r *reader) trust(o object) Trust {
	if !o.has("trust") {
		return Trust{}
	}
	c := o.child("trust")
	t := Trust{MergeQueue: c.boolean("merge_queue")}
	for _, v := range c.texts("starters") {
		if !starter.MatchString(v.text) || strings.HasPrefix(strings.ToLower(v.text), "github-hookshot") {
			r.flag(v, "%q is not the name of an IAM role or user; write it as the build's initiator has it, "+
				"such as nightly-builds, or rule/nightly for a rule", clip(v.text))
			continue
		}
		t.Starters = append(t.Starters, v.text)
	}
	return t
}

// buildspecs are paths and nothing else: CodeBuild would take a buildspec's
// content or an S3 object in the same place.
func (r *reader) buildspecs(list []value) []string {
	var paths []string
	for _, v := range list {
		parts := strings.Split(v.text, "/")
		if !buildspecPath.MatchString(v.text) || slices.Contains(parts, "") || slices.Contains(parts, "..") {
			r.flag(v, "%q is not a path in the source; write one such as ci/buildspec.yml", clip(v.text))
			continue
		}
		paths = append(paths, v.text)
	}
	return paths
}

var buildspecPath = &form{lazyregexp.New(`^[\w.][\w.@+ /-]*$`), 255}
