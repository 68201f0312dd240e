package awsapi

import (
	"errors"
	"fmt"
	"slices"

	"github.com/aws/smithy-go"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// The error codes by what the healer does about them. They are AWS's own
// (AWS.md#retry-of-a-build, AWS.md#retry-of-a-stage, AWS.md#policy-writes). A code
// in none of the lists is trouble of an unknown kind: the message is delivered
// again.
var (
	notFound = []string{"NoSuchEntity", "ResourceNotFoundException", "RepositoryNotFoundException", "NoSuchKey", "NoSuchBucket",
		"PipelineNotFoundException", "StageNotFoundException", "PipelineVersionNotFoundException",
		"PipelineExecutionNotFoundException", "NotFound", "ParameterNotFound"}
	conflict = []string{"ConcurrentModification", "EntityAlreadyExists", "DeleteConflict"}
	later    = []string{"Throttling", "ThrottlingException", "ThrottledException", "TooManyRequestsException",
		"RequestLimitExceeded", "SlowDown", "KMSThrottling", "KMSThrottlingException",
		"ProvisionedThroughputExceededException",
		"ServiceFailure", "ServiceUnavailable", "ServiceUnavailableException",
		"InternalFailure", "InternalError", "InternalServerException", "InternalServerError", "ServerException",
		"ConflictException", "ConcurrentPipelineExecutionsLimitExceededException",
		"OperationAbortedException", "RequestTimeout", "PriorRequestNotComplete"}
	final = []string{"InvalidInputException", "InvalidInput", "ValidationException", "ValidationError", "LimitExceeded",
		"LimitExceededException", "MalformedPolicyDocument", "UnmodifiableEntity", "PolicyNotAttachable",
		"NotLatestPipelineExecutionException", "StageNotRetryableException", "InvalidAuthorizationMessageException",
		"InvalidParameterException", "InvalidParameter"}
	denied = []string{"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError", "NotAuthorized"}
)

// deniedAction finds which action an access-denied message of AWS names.
var deniedAction = lazyregexp.New(`not authorized to perform: ([A-Za-z0-9-]+:[A-Za-z0-9]+)`)

// deniedMember finds the member role that the healer may not assume, and its
// account.
var deniedMember = lazyregexp.New(`not authorized to perform: sts:AssumeRole on resource: (arn:[a-z-]+:iam::([0-9]{12` +
	`}):role/[\w+=,.@/-]*[\w+=,@/-])`)

// classify says what the healer should do about an error of AWS, by wrapping
// one of heal's errors. nil stays nil.
func classify(err error) error {
	var api smithy.APIError
	if err == nil || !errors.As(err, &api) {
		return err
	}
	code := api.ErrorCode()
	switch {
	case slices.Contains(notFound, code):
		return fmt.Errorf("%w: %w", heal.ErrNotFound, err)
	case slices.Contains(conflict, code):
		return fmt.Errorf("%w: %w", heal.ErrConflict, err)
	case code == "AccountLimitExceededException" && codebuild.NoQuota(api.ErrorMessage()):
		return heal.QuotaError{Says: api.ErrorMessage()}
	case code == "AccountLimitExceededException":
		return fmt.Errorf("%w: %w", heal.ErrFull, err)
	case slices.Contains(later, code), api.ErrorFault() == smithy.FaultServer:
		return fmt.Errorf("%w: %w", heal.ErrLater, err)
	case slices.Contains(final, code):
		return fmt.Errorf("%w: %s: %s", heal.ErrFinal, code, api.ErrorMessage())
	case slices.Contains(denied, code):
		if m := deniedMember.FindStringSubmatch(api.ErrorMessage()); m != nil {
			return heal.DeniedError{Action: "sts:AssumeRole", Err: err, Advice: fmt.Sprintf(" on %s, so it reaches nothing in account %s; "+
				"deploy the member template of these settings there (make member), with this hub's account and region "+
				"as its parameters, and the hub's stack if the account is new in the settings", m[1], m[2])}
		}
		e := heal.DeniedError{Err: err, Advice: "; deploy the stack again with these settings, or look for a policy that denies it"}
		if m := deniedAction.FindStringSubmatch(api.ErrorMessage()); m != nil {
			e.Action = m[1]
		}
		return e
	}
	return err
}
