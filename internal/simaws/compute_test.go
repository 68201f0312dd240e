package simaws_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/codebuild"

	"github.com/buildmedic/buildmedic/internal/simaws"
)

// TestCompute ensures that a build's record says where it ran.
func TestCompute(t *testing.T) {
	s := world(t, roleMay("ec2:*")+strings.Replace(buildOf("make"), "role: r", "role: r, vpc: true, environment: ARM_CONTAINER, "+
		"compute: BUILD_GENERAL1_LARGE, privileged: false, fleet: ci-large, docker_server: true, "+
		"refused: {phase: DOWNLOAD_SOURCE, code: CLIENT_ERROR, message: no, times: 1}", 1))
	c := dial(s, simaws.FunctionKey, "us-east-1")
	for _, want := range []string{"FAILED", "SUCCEEDED"} { // it is refused once
		id, err := s.Run(simaws.Start{Project: "p"})
		if err != nil {
			t.Fatal(err)
		}
		next(t, s)
		out, err := c.codebuild.BatchGetBuilds(deadline(t), &codebuild.BatchGetBuildsInput{Ids: []string{id}})
		if err != nil {
			t.Fatal(err)
		}
		b := out.Builds[0]
		e := b.Environment
		if string(b.BuildStatus) != want {
			t.Errorf("it is %s, want %s", b.BuildStatus, want)
		}
		if e.Type != "ARM_CONTAINER" || e.ComputeType != "BUILD_GENERAL1_LARGE" || *e.PrivilegedMode || e.DockerServer == nil ||
			*b.VpcConfig.VpcId != "vpc-0a1b2c3d" ||
			!strings.HasPrefix(*e.Fleet.FleetArn, "arn:aws:codebuild:us-east-1:111122223333:fleet/ci-large:") {
			t.Errorf("it ran on %+v", e)
		}
	}
}
