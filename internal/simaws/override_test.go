package simaws_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"

	"github.com/buildmedic/buildmedic/internal/simaws"
)

// TestStartConditions: StartBuild's condition keys are in the request if it
// sets what they are about, and not otherwise; UpdateProject's role likewise.
func TestStartConditions(t *testing.T) {
	for key, set := range map[string]func(in *codebuild.StartBuildInput){
		"environment.image":          func(in *codebuild.StartBuildInput) { in.ImageOverride = aws.String("x") },
		"source.location":            func(in *codebuild.StartBuildInput) { in.SourceLocationOverride = aws.String("x") },
		"source.buildspec":           func(in *codebuild.StartBuildInput) { in.BuildspecOverride = aws.String("buildspec.yml") },
		"environment.privilegedMode": func(in *codebuild.StartBuildInput) { in.PrivilegedModeOverride = aws.Bool(true) },
		"encryptionKey":              func(in *codebuild.StartBuildInput) { in.EncryptionKeyOverride = aws.String("x") },
		"serviceRole":                func(in *codebuild.StartBuildInput) { in.ServiceRoleOverride = aws.String("arn:x") },
		"environment.environmentVariables.name": func(in *codebuild.StartBuildInput) {
			in.EnvironmentVariablesOverride = []types.EnvironmentVariable{{Name: aws.String("A"), Value: aws.String("b")}}
		},
	} {
		s := world(t, enforced(`'{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"codebuild:*","Resource":"*",`+
			`"Condition":{"Null":{"codebuild:`+key+`":"true"}}}]}'`))
		c := dial(s, simaws.FunctionKey, "us-east-1").codebuild
		in := &codebuild.StartBuildInput{ProjectName: aws.String("p")}
		set(in)
		if _, err := c.StartBuild(deadline(t), in); err == nil ||
			!strings.Contains(err.Error(), "not authorized to perform: codebuild:StartBuild") {
			t.Errorf("%s is set: %v", key, err)
		}
		if _, err := c.StartBuild(deadline(t), &codebuild.StartBuildInput{ProjectName: aws.String("p"),
			TimeoutInMinutesOverride: aws.Int32(30)}); err != nil && strings.Contains(err.Error(), "not authorized") {
			t.Errorf("%s is not set: %v", key, err)
		}
		_, err := c.UpdateProject(deadline(t), &codebuild.UpdateProjectInput{Name: aws.String("p"), ServiceRole: aws.String("arn:x")})
		denied := err != nil && strings.Contains(err.Error(), "not authorized to perform: codebuild:UpdateProject")
		if denied != (key == "serviceRole") {
			t.Errorf("%s: a change of the role: %v", key, err)
		}
	}
}
