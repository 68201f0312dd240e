package decide

import (
	"fmt"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// pipelineFacts are those of a failed build of the pipeline shop-main, in a
// project with the settings given.
func pipelineFacts(t *testing.T, project string, remedy diagnose.Remedy) Facts {
	t.Helper()
	s, err := settings.Parse(fmt.Appendf(nil, `version: 1
projects:
  - {name: shop, role: codebuild-shop, mode: heal, %s}
grants:
  - {id: image, because: b, owner: o, set: ecr-push, create: true, resources: ["arn:${partition}:ecr:${region}:${account}:repository/shop"]}
  - {id: proved, because: b, owner: o, set: ecr-push, evidence: cloudtrail, `+
		`resources: ["arn:${partition}:ecr:${region}:${account}:repository/shop"]}
`, project))
	if err != nil {
		t.Fatal(err)
	}
	f := Facts{Settings: s, Home: settings.Account{ID: hostileAccount, Region: "eu-west-1"}, Project: s.Projects[0], Case: "c",
		PullRequests: guardrail.PullRequestBuilds{Read: true},
		Build: codebuild.Build{
			ID:            "shop:" + hostileUUID,
			ARN:           "arn:aws:codebuild:eu-west-1:111122223333:build/shop:" + hostileUUID,
			Project:       "shop",
			ServiceRole:   "arn:aws:iam::111122223333:role/codebuild-shop",
			Initiator:     "codepipeline/shop-main",
			SourceType:    "CODEPIPELINE",
			SourceVersion: "arn:aws:s3:::artifacts/shop-main/SourceArti/8e0e9c5",
		},
		Diagnosis: diagnose.Diagnosis{Cause: "x", Remedy: remedy, Details: map[string]string{"repository": "shop"}}}
	if remedy == diagnose.Grant {
		f.Diagnosis.Denials = []buildlog.Denial{{Principal: hostileSession, Action: "ecr:PutImage", Resource: hostileRepo,
			Effect: buildlog.Implicit, Layer: buildlog.IdentityBased, Origin: buildlog.FromLog, Causal: true}}
	}
	role, _ := f.Build.Role()
	f.Role = &guardrail.RoleState{Role: role, Inline: map[string]string{}}
	return f
}

// A build of a pipeline that the settings do not list is never started: the
// healer has no permission for it. Its notice shows what to write, and with
// that the build is.
func TestOnlyListedPipelines(t *testing.T) {
	const write = "write: {inline: p}, "
	for _, c := range []struct {
		name, project string
		remedy        diagnose.Remedy
		others        int // refusals beside it
	}{
		{"a grant", write + "grants: [image]", diagnose.Grant, 0},
		{"a grant, and another pipeline is listed",
			write + `grants: [image], pipelines: [shop, Shop-main, shop-main-2]`, diagnose.Grant, 0},
		{"a retry", "grants: []", diagnose.Retry, 0},
		{"a missing repository", write + "grants: [image]", diagnose.CreateRepository, 0},
		{"another role", "switch_role: ready", diagnose.Grant, 0},
		{"a grant that waits for CloudTrail", write + "grants: [proved]", diagnose.Grant, 1},
		{"nothing is granted either", "grants: []", diagnose.Grant, 1},
		{"no repository is allowed either", "grants: []", diagnose.CreateRepository, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := pipelineFacts(t, c.project, c.remedy)
			d := Decide(f)
			if d.Plan != nil || d.Waits || len(d.Used) > 0 || d.Why == "" || len(d.Refusals) != c.others+1 {
				t.Fatalf("decided: %+v", d)
			}
			r := d.Refusals[c.others]
			if r.Rule != guardrail.NoRoute || !strings.Contains(r.Message, `"shop-main"`) {
				t.Errorf("refused: %+v", r)
			}
			var entry struct {
				Projects []struct {
					Name      string
					Pipelines []string
				}
			}
			if err := yaml.Unmarshal([]byte(r.Entry), &entry); err != nil || len(entry.Projects) != 1 || entry.Projects[0].Name != "shop" {
				t.Fatalf("%v: the entry is\n%s", err, r.Entry)
			}
			f.Project.Pipelines = entry.Projects[0].Pipelines
			d = Decide(f)
			if c.others == 0 && (d.Plan == nil || d.Plan.Route != RouteStage || len(d.Refusals) > 0) {
				t.Errorf("with the entry: %+v", d)
			}
			for _, r := range d.Refusals {
				if r.Rule == guardrail.NoRoute {
					t.Errorf("with the entry it is refused still: %+v", r)
				}
			}
		})
	}
}

// Where listing the pipeline would change nothing, nothing is said of it.
func TestPipelineIsNoMatter(t *testing.T) {
	for _, c := range []struct {
		name, project string
		remedy        diagnose.Remedy
		edit          func(*Facts)
		plan          bool
		refusals      int
	}{
		{"retry: false grants and starts nothing", "write: {inline: p}, grants: [image], retry: false", diagnose.Grant, nil, true, 0},
		{"retry: false of a retry", "retry: false", diagnose.Retry, nil, false, 1},
		{"only a person can cure it", "grants: []", diagnose.Report, nil, false, 0},
		{"another buildspec, which a pipeline's build cannot have", "buildspecs: [a.yml]", diagnose.OverrideBuildspec, nil, false, 1},
		{"a build of no pipeline", "grants: []", diagnose.Retry, func(f *Facts) { f.Build.Initiator = "ci/alice" }, true, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := pipelineFacts(t, c.project, c.remedy)
			if c.edit != nil {
				c.edit(&f)
			}
			d := Decide(f)
			if (d.Plan != nil) != c.plan || len(d.Refusals) != c.refusals {
				t.Fatalf("decided: %+v", d)
			}
			for _, r := range d.Refusals {
				if strings.Contains(r.Entry, "pipelines") {
					t.Errorf("it asks for the pipeline: %+v", r)
				}
			}
		})
	}
}
