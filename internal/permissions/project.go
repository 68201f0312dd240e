package permissions

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// changed reports whether anything may be changed for the project at all.
func changed(p settings.Project) bool { return p.Mode == settings.Heal || p.Mode == settings.Propose }

// judged reports whether the role for which the project stands is looked into. Where settings
// name a role to switch to, the project's own is not.
func judged(p settings.Project) bool { return p.SwitchRole == "" }

// startsAnew reports whether builds of the project may be started as new ones,
// since a retry takes no overrides.
func startsAnew(p settings.Project) bool { return len(p.Buildspecs) > 0 || p.SwitchRole != "" }

// granted reports whether policies of the role for which the project stands may be written.
func granted(p settings.Project) bool { return changed(p) && judged(p) && len(p.Grants) > 0 }

// bridged reports whether changes of the role for which the project stands are taken back once code
// gives the same: then the simulator is asked about the role's other policies.
func bridged(p settings.Project) bool { return granted(p) && p.Permanent.Set() }

// project is what looking after one project needs: reading in any mode;
// starting builds and changing its role only in propose and heal.
func project(s *settings.Settings, p settings.Project, at Place) Group {
	sid := sidOf(p)
	builds := at.ARN("codebuild", "project/"+p.Name)
	// A batch's record says who asked for it, which its builds' do not. That a batch failed by itself no
	// event tells, so batches are listed, too.
	// A project's webhook says whether it builds pull requests, which have what its
	// role is given. What a build overrode is told by comparing it with its project. The builds
	// before it show what is new since the last green one.
	reads := []string{"codebuild:BatchGetBuilds", "codebuild:ListBuildsForProject", "codebuild:BatchGetBuildBatches",
		"codebuild:ListBuildBatchesForProject", "codebuild:BatchGetProjects"}
	ps := []Permission{
		sid.allow("Builds", "Builds are read to explain them, and listed to find those that no event reported.", reads, []string{builds}),
	}
	ps = append(ps, logs(sid, p, at)...)
	ps = append(ps, reports(sid, p, at)...)
	ps = append(ps, stacks(sid, p, at)...)
	ps = append(ps, executions(sid, p, at)...)
	for _, r := range p.Roles() {
		if judged(r) {
			ps = append(ps, role(sid.of(r), r, at)...)
		}
	}
	if changed(p) {
		ps = append(ps, start(sid, p, at, builds)...)
		ps = append(ps, create(s, sid, p, at)...)
		ps = append(ps, switchRole(sid, p, at, builds)...)
	}
	for _, r := range p.Roles() {
		if granted(r) {
			ps = append(ps, write(s, sid.of(r), r, at)...)
		}
		ps = append(ps, requests(sid.of(r), r.AsksIn(), at)...)
	}
	return Group{Name: p.Name, Permissions: ps}
}

// logs is for reading the project's logs, where settings say that they are.
// Logs in S3 are encrypted; a key other than S3's own (SSE-KMS) is not
// covered: its key policy has to allow the healer kms:Decrypt.
func logs(sid suffix, p settings.Project, at Place) []Permission {
	group := p.Logs.Group
	if group == "" {
		group = "/aws/codebuild/" + p.Name
	}
	groups := []string{at.ARN("logs", "log-group:"+group+":*")}
	for _, name := range p.Pipelines { // of actions that run commands by themselves (AWS.md#commands-actions)
		groups = append(groups, at.ARN("logs", "log-group:/aws/codepipeline/"+name+":*"))
	}
	ps := []Permission{sid.allow("Log", "The log of a failed build is read.", []string{"logs:GetLogEvents"}, groups)}
	if p.Logs.S3 != "" { // the log is there and nowhere else (AWS.md#s3-logs)
		ps = append(ps, sid.allow("Object", "A build that logs to S3 only has its log there, in an object with the build's id.",
			[]string{"s3:GetObject"}, []string{"arn:" + at.Partition + ":s3:::" + p.Logs.S3 + "/*"}))
	}
	return ps
}

// reports is for reading the test reports of the project's builds. IAM knows report groups and no
// reports, and those of projects whose names begin alike cannot be told apart
// (AWS.md#test-reports).
func reports(sid suffix, p settings.Project, at Place) []Permission {
	if !p.TestReports {
		return nil
	}
	groups := []string{at.ARN("codebuild", "report-group/"+p.Name+"-*")}
	for _, g := range p.ReportGroups {
		groups = append(groups, at.ARN("codebuild", "report-group/"+g))
	}
	return []Permission{sid.allow("Reports", "The test reports of a failed build name the tests that failed.",
		[]string{"codebuild:BatchGetReports", "codebuild:DescribeTestCases"}, groups)}
}

// stacks is for reading why the project's stacks failed. A nested stack is named after the one that
// it is in, and IAM has no other sign of it (AWS.md#stack-events): so a stack whose name only begins
// like one that is listed, followed by a hyphen, could be read as well.
func stacks(sid suffix, p settings.Project, at Place) []Permission {
	if len(p.Stacks) == 0 {
		return nil
	}
	var own []string
	for _, name := range p.Stacks {
		own = append(own, at.ARN("cloudformation", "stack/"+name+"/*"), at.ARN("cloudformation", "stack/"+name+"-*/*"))
	}
	return []Permission{sid.allow("Stacks", "The events of a stack that failed say why.",
		[]string{"cloudformation:DescribeEvents", "cloudformation:DescribeStackEvents"}, own)}
}

// role is for reading what the role may do.
func role(sid suffix, p settings.Project, at Place) []Permission {
	ps := []Permission{sid.allow("Role", whatRoleMay(p),
		[]string{"iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies", "iam:SimulatePrincipalPolicy"},
		[]string{at.IAM("role/" + p.Role)})}
	if p.Write.Managed != "" {
		ps = append(ps, sid.allow("Policy", "A new version needs room, and must not reach anybody else who uses the policy.",
			[]string{"iam:ListEntitiesForPolicy", "iam:ListPolicyVersions"}, []string{at.IAM("policy/" + p.Write.Managed)}))
	}
	return ps
}

// start is for starting builds again.
func start(sid suffix, p settings.Project, at Place, builds string) []Permission {
	if !p.Retry {
		return nil
	}
	actions := []string{"codebuild:RetryBuild", "codebuild:RetryBuildBatch"}
	because := "A healed build is started again, alone or in its batch."
	ps := []Permission{sid.allow("Retry", because, actions, []string{builds})}
	if startsAnew(p) {
		ps = append(ps, sid.allow("Start", "A retry takes no overrides, so one with another buildspec or role is started as "+
			"a new build: never of another image, source or role than the project's.",
			[]string{"codebuild:StartBuild"}, []string{builds}, ownBuild(p)...))
	}
	return append(ps, stages(sid, p, at)...)
}

// executions is for reading what the pipelines that settings list ran, and who may have started it: a build's
// own record does not say (AWS.md#what-started-a-pipeline). So it is needed in any mode.
func executions(sid suffix, p settings.Project, at Place) []Permission {
	if len(p.Pipelines) == 0 {
		return nil
	}
	var whole []string
	for _, name := range p.Pipelines {
		whole = append(whole, at.ARN("codepipeline", name))
	}
	return []Permission{
		sid.allow("Pipeline", "Which execution and stage a build is of is read, and whether pull requests may have started it; and why an "+
			"action failed that ran no build.", []string{"codepipeline:GetPipeline", "codepipeline:GetPipelineExecution",
			"codepipeline:GetPipelineState", "codepipeline:ListActionExecutions"}, whole),
	}
}

// stages is for starting builds of pipelines again, which is done through
// their stages (AWS.md#retry-of-a-stage): those of the pipelines that settings list.
func stages(sid suffix, p settings.Project, at Place) []Permission {
	if len(p.Pipelines) == 0 {
		return nil
	}
	var of []string
	for _, name := range p.Pipelines {
		of = append(of, at.ARN("codepipeline", name+"/*"))
	}
	return []Permission{sid.allow("Stage", "A pipeline's build is started again by a retry of its stage. That runs again, "+
		"as the pipeline's own role, what the pipeline itself had run; it starts nothing new.",
		[]string{"codepipeline:RetryStageExecution"}, of)}
}

func whatRoleMay(p settings.Project) string {
	if p.IsFor() {
		return "What another role of the deployment may do is read, and asked of the simulator."
	}
	return "What the service role may do is read, and asked of the simulator."
}

// write is the one way in which the role for which the project stands may get a grant. What IAM can
// bound here, and what it cannot: AWS.md#conditions-on-writes.
func write(s *settings.Settings, sid suffix, p settings.Project, at Place) []Permission {
	service := []string{at.IAM("role/" + p.Role)}
	switch w := p.Write; {
	case w.Managed != "":
		return []Permission{sid.allow("Write", "Grants go into new versions of this policy. IAM has no condition for "+
			"a boundary here; the guardrails look for it.",
			[]string{"iam:CreatePolicyVersion", "iam:DeletePolicyVersion", "iam:SetDefaultPolicyVersion"},
			[]string{at.IAM("policy/" + w.Managed)})}
	case w.Attach:
		var ready []string
		for _, g := range attachable(s, p) {
			ready = append(ready, at.IAM("policy"+Path+guardrail.AttachName(p.Name, g.ID)))
		}
		if len(ready) == 0 {
			return nil
		}
		return []Permission{sid.allow("Write",
			"Grants are ready-made policies; it may attach these and detach them, and never says what is in them.",
			[]string{"iam:AttachRolePolicy", "iam:DetachRolePolicy"}, service,
			append(boundary(p, at), equals("ArnEquals", "iam:PolicyARN", ready...))...)}
	case w.Code.Set():
		return nil // pull requests ask for it
	}
	return []Permission{sid.allow("Write", "Grants go into an inline policy of this role. IAM has no condition for "+
		"the policy's name or content; the guardrails see to these.",
		[]string{"iam:DeleteRolePolicy", "iam:PutRolePolicy"}, service, boundary(p, at)...)}
}

// branches are those that the function makes, as codecommit:References names them. Its requests are
// of these, and it writes to no other.
const branches = "refs/heads/buildmedic/*"

// requests is for asking by pull requests in CodeCommit. What IAM can bound there: AWS.md#codecommit.
func requests(sid suffix, code settings.PolicyCode, at Place) []Permission {
	if code.CodeCommit == "" {
		return nil
	}
	repository := []string{at.ARN("codecommit", code.CodeCommit)}
	calls := []string{"codecommit:GetBranch", "codecommit:GetCommit", "codecommit:GetDifferences", "codecommit:GetFile",
		"codecommit:GetMergeOptions", "codecommit:GetPullRequest", "codecommit:ListPullRequests", "codecommit:CreatePullRequest",
		"codecommit:UpdatePullRequestDescription", "codecommit:UpdatePullRequestTitle"}
	if code.Base == "" { // the default branch is asked for
		calls = append(calls, "codecommit:GetRepository")
	}
	return []Permission{
		sid.allow("Requests", "The file that owns the role's policy is read, and a pull request asks for a grant in it. It may neither "+
			"approve nor merge one.", calls, repository),
		sid.allow("Branches", "A request is made from a branch of its own, and no other branch can be "+
			"written.", []string{"codecommit:CreateBranch", "codecommit:CreateCommit", "codecommit:MergeBranchesByFastForward"},
			repository, equals("StringLike", "codecommit:References", branches)),
	}
}

// boundary holds only while the boundary that settings name is on the role.
func boundary(p settings.Project, at Place) []iampolicy.Condition {
	if p.Boundary == "" {
		return nil
	}
	return []iampolicy.Condition{equals("StringEquals", "iam:PermissionsBoundary", at.IAM("policy/"+p.Boundary))}
}

// switchRole is for running the project with another role, and back.
func switchRole(sid suffix, p settings.Project, at Place, builds string) []Permission {
	if p.SwitchRole == "" {
		return nil
	}
	return []Permission{
		sid.allow("Switch", "The project is switched to the ready role, or back; nothing else of it is changed.",
			[]string{"codebuild:UpdateProject"}, []string{builds},
			append(roleOnly(), equals("ArnEquals", "codebuild:serviceRole", at.IAM("role/"+p.SwitchRole), at.IAM("role/"+p.Role)))...),
		sid.allow("Pass", "Who switches a project's role passes it: the ready one, or the one before.",
			[]string{"iam:PassRole"}, []string{at.IAM("role/" + p.SwitchRole), at.IAM("role/" + p.Role)},
			equals("StringEquals", "iam:PassedToService", "codebuild.amazonaws.com")),
	}
}

// create is for missing repositories that a grant names exactly; a pattern
// is not enough to make things.
func create(s *settings.Settings, sid suffix, p settings.Project, at Place) []Permission {
	var repositories []string
	for _, id := range p.Grants {
		g, ok := s.Grant(id)
		if !ok || !g.Create {
			continue
		}
		for _, r := range g.Resources {
			if strings.Contains(r, ":ecr:") && !strings.ContainsAny(r, "*?") {
				repositories = append(repositories, at.fill(settings.Expand(r, p.Vars(unknown.home(), unknown.Partition))))
			}
		}
	}
	if len(repositories) == 0 {
		return nil
	}
	return []Permission{sid.allow("Repository", "A grant says that this repository may be created when it is missing.",
		[]string{"ecr:CreateRepository"}, repositories)}
}

// suffix ends a project's Sids.
type suffix string

func (sid suffix) allow(kind, because string, actions, resources []string, conditions ...iampolicy.Condition) Permission {
	p := allow(kind+string(sid), because, actions, resources, conditions...)
	p.kind = kind
	return p
}

// of ends the Sids of what is for one of the project's roles: those for another role than its own carry a
// hash of that role.
func (sid suffix) of(p settings.Project) suffix {
	if !p.IsFor() {
		return sid
	}
	h := sha256.Sum256([]byte(p.Role))
	return sid + "As" + suffix(hex.EncodeToString(h[:4]))
}

// sidOf tells a project's Sids from those of others. Sids take letters and
// digits only, so a name with anything else carries a hash.
func sidOf(p settings.Project) suffix {
	full := p.Name
	if p.Region != "" {
		full += "@" + p.Region
	}
	plain := strings.Map(func(r rune) rune {
		if (r >= 'a' && r <= 'z') || (r >= 'A' && r <= 'Z') || (r >= '0' && r <= '9') {
			return r
		}
		return -1
	}, full)
	const most, cut = 40, 32
	if plain == full && len(plain) <= most {
		return suffix(plain)
	}
	h := sha256.Sum256([]byte(full))
	return suffix(plain[:min(len(plain), cut)] + hex.EncodeToString(h[:4]))
}
