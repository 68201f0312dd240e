package simaws_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/buildmedic/buildmedic/internal/simaws"
)

const ofP = "arn:aws:codebuild:us-east-1:111122223333:project/p"

// scopedTo is a world in which two projects run as a role that gives s3 to one of them.
func scopedTo(condition, more string) string {
	return more + `
roles: [{name: r, inline: {p: '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:PutObject","Resource":"*",` +
		`"Condition":` + condition + `},{"Effect":"Allow","Action":"logs:*","Resource":"*"}]}'}}, {name: other, inline: {p: ` +
		`'{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:PutObject","Resource":"*","Condition":` + condition + `}]}'}}]
buckets: [{name: b}]
projects:
  - {name: p, role: r, buildspecs: {buildspec.yml: {build: [aws s3 cp x s3://b/x]}}}
  - {name: p2, role: r, buildspecs: {buildspec.yml: {build: [aws s3 cp x s3://b/x]}}}
  - {name: assumed, role: r, buildspecs: {buildspec.yml: {build: [{run: ./deploy, ` +
		`calls: [{action: "s3:PutObject", on: "arn:aws:s3:::b/x", role: other}]}]}}}
`
}

// TestBuildKeys ensures that a build's own calls say of which project and build they
// are, where the service sends that, and nobody else's do.
func TestBuildKeys(t *testing.T) {
	const ofProject, ofBuild = `{"ArnEquals":{"codebuild:projectArn":"` + ofP + `"}}`,
		`{"ArnLike":{"codebuild:buildArn":"arn:aws:codebuild:us-east-1:111122223333:build/p:*"}}`
	for name, row := range map[string]struct{ condition, more, want string }{
		"the project":             {ofProject, "", "p"},
		"its builds":              {ofBuild, "", "p"},
		"a service that does not": {ofProject, "no_build_keys: [S3]", ""},
		"another that does not":   {ofProject, "no_build_keys: [ecr, dynamodb]", "p"},
		"whoever says nothing":    {`{"Null":{"codebuild:projectArn":"true"}}`, "", "assumed"},
	} {
		s := world(t, scopedTo(row.condition, row.more))
		var healthy []string
		for _, project := range []string{"p", "p2", "assumed"} {
			if err := run(s, project); err != nil {
				t.Fatal(err)
			}
			if s.Builds(project)[0].Status == "SUCCEEDED" {
				healthy = append(healthy, project)
			}
		}
		if got := strings.Join(healthy, " "); got != row.want {
			t.Errorf("%s: succeeded %q, want %q", name, got, row.want)
		}
	}
}

// TestSimulateBuildKeys ensures that the simulator knows nothing of a build but what
// it is told, and says that it lacks it.
func TestSimulateBuildKeys(t *testing.T) {
	s := world(t, scopedTo(`{"ArnEquals":{"codebuild:projectArn":["`+ofP+`","`+ofP+`3"]}}`, ""))
	c, ctx := dial(s, simaws.FunctionKey, "us-east-1"), deadline(t)
	for project, want := range map[string]types.PolicyEvaluationDecisionType{
		"": "implicitDeny", ofP: "allowed", ofP + "2": "implicitDeny", ofP + "3": "allowed"} {
		in := &iam.SimulatePrincipalPolicyInput{PolicySourceArn: aws.String("arn:aws:iam::111122223333:role/r"),
			ActionNames: []string{"s3:PutObject"}, ResourceArns: []string{"arn:aws:s3:::b/x"}}
		if project != "" {
			in.ContextEntries = []types.ContextEntry{{ContextKeyName: aws.String("codebuild:projectArn"),
				ContextKeyType: types.ContextKeyTypeEnumString, ContextKeyValues: []string{project}}}
		}
		out, err := c.iam.SimulatePrincipalPolicy(ctx, in)
		if err != nil {
			t.Fatal(err)
		}
		r := out.EvaluationResults[0].ResourceSpecificResults[0]
		missing := strings.Join(r.MissingContextValues, " ")
		if r.EvalResourceDecision != want || (missing == "codebuild:projectArn") != (project == "") {
			t.Errorf("%q: %s, missing %q", project, r.EvalResourceDecision, missing)
		}
	}
}
