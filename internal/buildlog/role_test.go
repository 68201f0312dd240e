package buildlog

import (
	"testing"

	"github.com/buildmedic/buildmedic/internal/codebuild"
)

// TestTookRole ensures that a command which takes other credentials counts for those behind it, and
// no other command does.
func TestTookRole(t *testing.T) {
	const at = "[Container] 2026/11/20 10:00:01.000001 "
	for command, want := range map[string]bool{
		"eval $(./ci/assume.sh arn:aws:iam::444455556666:role/publisher)":                   true,
		`eval "$(aws sts assume-role --role-arn $ROLE --query x)"`:                          true,
		". ci/assume-publisher.sh":                                                          true,
		"export AWS_PROFILE=publisher":                                                      true,
		"export AWS_ACCESS_KEY_ID=$KEY AWS_SECRET_ACCESS_KEY=$SECRET":                       true,
		"export AWS_ENDPOINT_URL_S3=http://localhost:9000":                                  true,
		"export AWS_REGION=eu-west-1":                                                       false,
		"AWS_PROFILE=publisher aws s3 ls":                                                   false,
		"aws sts get-caller-identity":                                                       false,
		"aws cloudformation deploy --role-arn arn:aws:iam::111122223333:role/cfn-execution": false,
	} {
		log := at + "Entering phase BUILD\n" + at + "Running command " + command + "\n" + at + "Running command ./up.sh\nno\n" +
			at + "Command did not exit successfully ./up.sh exit status 1\n" + at + "Phase complete: BUILD State: FAILED\n" +
			at +
			"Phase context status code: COMMAND_EXECUTION_ERROR Message: Error while executing command: ./up.sh. " +
			"Reason: exit status 1\n"
		if got := ReadText(codebuild.Build{}, log).TookRole; got != want {
			t.Errorf("%s: %t, want %t", command, got, want)
		}
		failed := at + "Entering phase BUILD\n" + at + "Running command ./up.sh\nno\n" +
			at + "Command did not exit successfully ./up.sh exit status 1\n" + at + "Phase complete: BUILD State: FAILED\n" +
			at + "Entering phase POST_BUILD\n" + at + "Running command " + command + "\n"
		if ReadText(codebuild.Build{}, failed).TookRole {
			t.Errorf("%s: counts for a command before it", command)
		}
	}
}
