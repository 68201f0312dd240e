package buildlog

import (
	"testing"

	"github.com/buildmedic/buildmedic/internal/codebuild"
)

const deniedLog = `[Container] 2026/01/05 10:11:10.000001 Running command aws s3 ls s3://optional || true
An error occurred (AccessDenied) when calling the ListObjectsV2 operation: Access Denied
[Container] 2026/01/05 10:11:12.000001 Running command docker push $URI
The push refers to repository [111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop]
denied: User: arn:aws:sts::111122223333:assumed-role/codebuild-shop/AWSCodeBuild-b1 is not authorized to perform: ecr:InitiateLayerUpload on resource: arn:aws:ecr:eu-west-1:111122223333:repository/shop because no identity-based policy allows the ecr:InitiateLayerUpload action
[Container] 2026/01/05 10:11:13.000001 Command did not exit successfully docker push $URI exit status 1
[Container] 2026/01/05 10:11:13.000001 Phase complete: BUILD State: FAILED
[Container] 2026/01/05 10:11:13.000001 Phase context status code: COMMAND_EXECUTION_ERROR Message: Error while executing command: docker push $URI. Reason: exit status 1
`

func TestReadText(t *testing.T) {
	f := ReadText(codebuild.Build{}, deniedLog)
	if f.Phase != "BUILD" || f.Command != "docker push $URI" || f.Exit != "1" {
		t.Errorf("phase %q, command %q, exit %q", f.Phase, f.Command, f.Exit)
	}
	if len(f.Denials) != 2 || f.Denials[0].Causal || !f.Denials[1].Causal {
		t.Fatalf("denials: %+v", f.Denials)
	}
	if d := f.Denials[1]; d.Action != "ecr:InitiateLayerUpload" || d.Line != 5 || d.Effect != Implicit {
		t.Errorf("denial: %+v", d)
	}
}
