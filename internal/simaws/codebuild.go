package simaws

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

var codebuildOperations = map[string]operation{
	"BatchGetBuilds":             jsonCall(false, batchGetBuilds),
	"ListBuilds":                 jsonCall(false, listBuilds),
	"ListBuildsForProject":       jsonCall(false, listBuildsForProject),
	"RetryBuild":                 jsonCall(true, retryBuild),
	"StartBuild":                 jsonCall(true, startBuild),
	"StopBuild":                  jsonCall(true, stopBuild),
	"BatchGetProjects":           jsonCall(false, batchGetProjects),
	"ListProjects":               jsonCall(false, listProjects),
	"UpdateProject":              jsonCall(true, updateProject),
	"ListBuildBatchesForProject": jsonCall(false, listBuildBatches),
	"RetryBuildBatch":            jsonCall(true, retryBuildBatch),
	"BatchGetBuildBatches":       jsonCall(false, batchGetBuildBatches),
	"BatchGetReports":            jsonCall(false, batchGetReports),
	"DescribeTestCases":          jsonCall(false, describeTestCases),
}

var uuidForm = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// buildID reads PROJECT:UUID, or a build's ARN.
func buildID(s string) (id, project string, ok bool) {
	if strings.HasPrefix(s, "arn:") {
		_, s, _ = strings.Cut(s, ":build/")
	}
	i := strings.LastIndexByte(s, ':')
	if i <= 0 || !uuidForm.MatchString(s[i+1:]) {
		return "", "", false
	}
	return s, s[:i], true
}

func (e *estate) projectARN(name string) string { return e.arn("codebuild", "project/"+name) }

type idsInput struct {
	Ids []string `json:"ids"`
}

func (in idsInput) check() error {
	if len(in.Ids) == 0 || len(in.Ids) > 100 {
		return fail("InvalidInputException",
			fmt.Sprintf("1 validation error detected: Value at 'ids' failed to satisfy constraint: Member must have "+
				"length between 1 and 100, not %d", len(in.Ids)))
	}
	return nil
}

// batchGetBuilds accepts ids and ARNs (AWS.md#listing-builds); what does not
// exist is listed, and no error.
func batchGetBuilds(r *request, in *idsInput) (any, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	found, missing := []buildOut{}, []string{}
	for _, given := range in.Ids {
		id, project, ok := buildID(given)
		if !ok {
			return nil, fail("InvalidInputException", "Invalid build ID: "+given)
		}
		if err := r.authorize("codebuild:BatchGetBuilds", r.est.projectARN(project), nil); err != nil {
			return nil, err
		}
		if b, ok := r.est.builds[id]; ok {
			found = append(found, b.out())
		} else {
			missing = append(missing, given)
		}
	}
	return map[string]any{"builds": found, "buildsNotFound": missing}, nil
}

type listBuildsInput struct {
	ProjectName string `json:"projectName"`
	NextToken   string `json:"nextToken"`
	SortOrder   string `json:"sortOrder"`
}

// listBuildsForProject lists ids by build number, newest first, 100 a page.
func listBuildsForProject(r *request, in *listBuildsInput) (any, error) {
	p, err := r.projectNamed("codebuild:ListBuildsForProject", in.ProjectName)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, b := range p.builds {
		ids = append(ids, b.id())
	}
	if in.SortOrder != "" && len(ids) > 100 {
		return nil, fail("InvalidInputException", "Sort order cannot be set for projects with more than 100 builds")
	}
	if in.SortOrder != "ASCENDING" {
		slices.Reverse(ids)
	}
	return pageOf("ids", ids, in.NextToken)
}

// listBuilds lists the ids of the account and region, 100 a page. AWS does not document the order
// (AWS.md#listing-builds): here the newest come first, unless an order by id is asked for.
func listBuilds(r *request, in *listBuildsInput) (any, error) {
	if err := r.authorize("codebuild:ListBuilds", "*", nil); err != nil {
		return nil, err
	}
	bs := slices.Collect(maps.Values(r.est.builds))
	slices.SortFunc(bs, func(a, b *build) int {
		if in.SortOrder != "" {
			return strings.Compare(a.id(), b.id())
		}
		return cmp.Or(b.start.Compare(a.start), strings.Compare(a.p.conf.Name, b.p.conf.Name), cmp.Compare(b.number, a.number))
	})
	var ids []string
	for _, b := range bs {
		ids = append(ids, b.id())
	}
	if in.SortOrder == "DESCENDING" {
		slices.Reverse(ids)
	}
	return pageOf("ids", ids, in.NextToken)
}

// pageOf cuts a list into pages of 100.
func pageOf(name string, list []string, token string) (any, error) {
	from := 0
	if token != "" {
		if _, err := fmt.Sscanf(token, "page-%d", &from); err != nil || from > len(list) {
			return nil, fail("InvalidInputException", "Invalid next token: "+token)
		}
	}
	to := min(from+100, len(list))
	out := map[string]any{name: append([]string{}, list[from:to]...)}
	if to < len(list) {
		out["nextToken"] = fmt.Sprintf("page-%d", to)
	}
	return out, nil
}

// projectNamed finds a project, after asking for the permission.
func (r *request) projectNamed(action, name string) (*project, error) {
	return r.projectFor(action, name, nil)
}

// projectFor is the same for an action that has condition keys.
func (r *request) projectFor(action, name string, context map[string][]string) (*project, error) {
	if err := r.authorize(action, r.est.projectARN(name), context); err != nil {
		return nil, err
	}
	p, ok := r.est.project[name]
	if !ok {
		return nil, noProject(r.est.projectARN(name))
	}
	return p, nil
}

func noProject(arn string) error {
	return fail("ResourceNotFoundException", "Project cannot be found: "+arn)
}

type retryBuildInput struct {
	ID               string `json:"id"`
	IdempotencyToken string `json:"idempotencyToken"`
}

// retryBuild starts a build again under a new id (AWS.md#retry-of-a-build). What
// AWS does with running, pipeline and batch builds is not documented; the Sim
// refuses them, since a caller must not rely on it.
func retryBuild(r *request, in *retryBuildInput) (any, error) {
	id, name, ok := buildID(in.ID)
	if !ok || strings.HasPrefix(in.ID, "arn:") {
		return nil, fail("InvalidInputException", "Invalid build ID: "+in.ID)
	}
	p, err := r.projectNamed("codebuild:RetryBuild", name)
	if err != nil {
		return nil, err
	}
	params := "RetryBuild " + id
	r.about = id
	if t, used, err := p.redeem(in.IdempotencyToken, params); err != nil || used {
		return buildResult(t.build), err
	}
	b, ok := r.est.builds[id]
	if !ok {
		return nil, fail("ResourceNotFoundException", "Build cannot be found: "+r.est.arn("codebuild", "build/"+id))
	}
	if err := b.retryable(); err != nil {
		return nil, err
	}
	if err := p.room(b.env); err != nil {
		return nil, err
	}
	next := p.begin(b.again(r.initiator()))
	p.remember(in.IdempotencyToken, params, next, nil)
	return buildResult(next), nil
}

func (b *build) retryable() error {
	switch {
	case !b.complete:
		return fail("InvalidInputException", "Build "+b.arn()+" is still in progress")
	case b.run != nil:
		return fail("InvalidInputException", "Builds started by CodePipeline cannot be retried: "+b.arn())
	case b.batch != nil:
		return fail("InvalidInputException", "Builds of a batch cannot be retried by themselves: "+b.arn())
	}
	return nil
}

// again is the order for the same build once more: same source, and the
// project's present role, or the old one if the world says so: which of the two
// AWS takes is not documented (AWS.md#undocumented).
func (b *build) again(initiator string) order {
	o := order{version: b.sourceVersion, commit: b.commit, buildspec: b.buildspec, over: b.over, initiator: initiator,
		retry: autoRetry{limit: b.retry.limit}}
	if b.sim().cfg.RetryKeepsRole {
		o.role = b.role
	}
	return o
}

// room refuses a build whose role CodeBuild cannot assume
// (AWS.md#codebuild-denials), and one beyond the project's limit or the account's
// queue for such an environment (AWS.md#queue-limits).
func (p *project) room(env environmentOut) error {
	if ro, ok := p.est.sim.roleByARN(p.role); !ok || !ro.trustsCodeBuild() {
		return notAssumable()
	}
	if slices.Contains(p.est.sim.cfg.NoQuota, env.ComputeType) {
		return fail("AccountLimitExceededException", "Cannot have more than 0 builds in queue for the account")
	}
	if n := p.conf.ConcurrentBuilds; n > 0 && p.running() >= n {
		return fail("AccountLimitExceededException", fmt.Sprintf("Cannot have more than %d active builds for the project", n))
	}
	if n := p.est.sim.cfg.BuildQueue; n > 0 && p.est.running() >= n {
		return fail("AccountLimitExceededException", fmt.Sprintf("Cannot have more than %d builds in queue for the account", n))
	}
	return p.est.lane(env).room()
}

func (e *estate) running() int {
	n := 0
	for _, p := range e.project {
		n += p.running()
	}
	return n
}

func buildResult(b *build) any {
	if b == nil {
		return nil
	}
	return map[string]any{"build": b.out()}
}

type startBuildInput struct {
	ProjectName       string `json:"projectName"`
	SourceVersion     string `json:"sourceVersion"`
	BuildspecOverride string `json:"buildspecOverride"`
	IdempotencyToken  string `json:"idempotencyToken"`
	overrides
}

// startBuild starts a build of the project, with what the call overrides. Who
// overrides the service role must be allowed to pass it.
func startBuild(r *request, in *startBuildInput) (any, error) {
	p, err := r.projectFor("codebuild:StartBuild", in.ProjectName, in.context())
	if err != nil {
		return nil, err
	}
	if in.ServiceRole != "" {
		ro, ok := r.sim.roleByARN(in.ServiceRole)
		if !ok || ro.acct != r.est.acct || !ro.trustsCodeBuild() {
			return nil, notAssumable()
		}
		if err := r.authorize("iam:PassRole", ro.arn(), passedToCodeBuild); err != nil {
			return nil, err
		}
	}
	if p.conf.Source.Type == "CODEPIPELINE" {
		return nil, fail("InvalidInputException",
			"Project "+p.conf.Name+" has source type CODEPIPELINE: builds can only be started by CodePipeline")
	}
	if strings.Contains(in.BuildspecOverride, "\n") {
		return nil, r.unknownParameter("a buildspec that is no path")
	}
	params := fmt.Sprintf("StartBuild %q %q %s", in.SourceVersion, in.BuildspecOverride, in.digest())
	r.about = strings.Join(strings.Fields(in.SourceVersion+" "+in.BuildspecOverride+" "+strings.Join(in.names(), " ")), " ")
	if t, used, err := p.redeem(in.IdempotencyToken, params); err != nil || used {
		return buildResult(t.build), err
	}
	if err := p.room(in.environment(p.environmentOut())); err != nil {
		return nil, err
	}
	b := p.begin(order{version: in.SourceVersion, buildspec: in.BuildspecOverride, over: in.overrides, initiator: r.initiator(),
		retry: autoRetry{limit: p.conf.AutoRetry}})
	p.remember(in.IdempotencyToken, params, b, nil)
	return buildResult(b), nil
}

type stopBuildInput struct {
	ID string `json:"id"`
}

// stopBuild stops a build that runs; of one that has ended it changes nothing.
func stopBuild(r *request, in *stopBuildInput) (any, error) {
	id, name, ok := buildID(in.ID)
	if !ok {
		return nil, fail("InvalidInputException", "Invalid build ID: "+in.ID)
	}
	if _, err := r.projectNamed("codebuild:StopBuild", name); err != nil {
		return nil, err
	}
	b, ok := r.est.builds[id]
	if !ok {
		return nil, fail("ResourceNotFoundException", "Build cannot be found: "+r.est.arn("codebuild", "build/"+id))
	}
	if r.about = id; !b.complete {
		b.abort(stopped, "", "")
	}
	return buildResult(b), nil
}

type namesInput struct {
	Names []string `json:"names"`
}

func batchGetProjects(r *request, in *namesInput) (any, error) {
	found, missing := []projectOut{}, []string{}
	for _, n := range in.Names {
		if err := r.authorize("codebuild:BatchGetProjects", r.est.projectARN(n), nil); err != nil {
			return nil, err
		}
		if p, ok := r.est.project[n]; ok {
			found = append(found, p.out())
		} else {
			missing = append(missing, n)
		}
	}
	return map[string]any{"projects": found, "projectsNotFound": missing}, nil
}

type listProjectsInput struct {
	NextToken string `json:"nextToken"`
	SortBy    string `json:"sortBy"`
	SortOrder string `json:"sortOrder"`
}

func listProjects(r *request, in *listProjectsInput) (any, error) {
	if err := r.authorize("codebuild:ListProjects", "*", nil); err != nil {
		return nil, err
	}
	return pageOf("projects", sortedKeys(r.est.project), in.NextToken)
}

type updateProjectInput struct {
	Name        string `json:"name"`
	ServiceRole string `json:"serviceRole"`
}

// updateProject changes the service role, which the caller must be allowed
// to pass; it may be given by name or ARN.
func updateProject(r *request, in *updateProjectInput) (any, error) {
	context := map[string][]string{}
	if in.ServiceRole != "" {
		context["codebuild:serviceRole"] = []string{in.ServiceRole}
	}
	p, err := r.projectFor("codebuild:UpdateProject", in.Name, context)
	if err != nil {
		return nil, err
	}
	if in.ServiceRole != "" {
		ro, ok := r.sim.roleByARN(in.ServiceRole)
		if !ok {
			ro, ok = r.est.acct.role(in.ServiceRole[strings.LastIndexByte(in.ServiceRole, '/')+1:])
		}
		if !ok || ro.acct != r.est.acct || !ro.trustsCodeBuild() {
			return nil, notAssumable()
		}
		if err := r.authorize("iam:PassRole", ro.arn(), passedToCodeBuild); err != nil {
			return nil, err
		}
		p.role, r.about = ro.arn(), ro.name
	}
	p.changed = r.sim.now
	return map[string]any{"project": p.out()}, nil
}

var passedToCodeBuild = map[string][]string{"iam:PassedToService": {"codebuild.amazonaws.com"}}

func notAssumable() error {
	return fail("InvalidInputException", "CodeBuild is not authorized to perform: sts:AssumeRole on service role. "+
		"Please verify that: 1) The provided service role exists, 2) The role name is case-sensitive and matches "+
		"exactly, and 3) The role has the necessary trust policy configured.")
}

// trustsCodeBuild reports whether CodeBuild may assume the role.
func (r *role) trustsCodeBuild() bool {
	rules, err := parseResourcePolicy(r.trust, r.arn())
	return err == nil && slices.ContainsFunc(rules, func(x resourceRule) bool {
		return x.effect == "Allow" && slices.Contains(x.who.svcs, "codebuild.amazonaws.com")
	})
}
