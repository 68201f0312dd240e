package awsapi

import (
	"errors"
	"fmt"
	"regexp"
	"slices"

	"github.com/aws/smithy-go"

	"github.com/buildmedic/buildmedic/internal/heal"
)

// The error codes by what the healer does about them. They are AWS's own
// (aws-facts §2, §5.2); a code that is in none of the lists is trouble of an
// unknown kind, and the message is delivered again.
var (
	notFound = []string{"NoSuchEntity", "ResourceNotFoundException", "RepositoryNotFoundException", "NoSuchKey", "NoSuchBucket",
		"PipelineNotFoundException", "StageNotFoundException", "NotFound"}
	conflict = []string{"ConcurrentModification", "EntityAlreadyExists", "DeleteConflict"}
	later    = []string{"Throttling", "ThrottlingException", "ThrottledException", "TooManyRequestsException", "RequestLimitExceeded", "SlowDown",
		"AccountLimitExceededException", "ServiceFailure", "ServiceUnavailable", "ServiceUnavailableException", "InternalFailure", "InternalError",
		"InternalServerException", "InternalServerError", "ServerException", "ConflictException", "ConcurrentPipelineExecutionsLimitExceededException",
		"OperationAbortedException", "RequestTimeout", "PriorRequestNotComplete"}
	final = []string{"InvalidInputException", "InvalidInput", "ValidationException", "ValidationError", "LimitExceeded", "LimitExceededException", "MalformedPolicyDocument",
		"UnmodifiableEntity", "PolicyNotAttachable", "NotLatestPipelineExecutionException", "StageNotRetryableException", "InvalidAuthorizationMessageException", "InvalidParameterException", "InvalidParameter"}
	denied = []string{"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError", "NotAuthorized"}
)

// deniedAction finds which action an access-denied message of AWS names.
var deniedAction = regexp.MustCompile(`not authorized to perform: ([A-Za-z0-9-]+:[A-Za-z0-9]+)`)

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
	case slices.Contains(later, code), api.ErrorFault() == smithy.FaultServer:
		return fmt.Errorf("%w: %w", heal.ErrLater, err)
	case slices.Contains(final, code):
		return fmt.Errorf("%w: %s: %s", heal.ErrFinal, code, api.ErrorMessage())
	case slices.Contains(denied, code):
		what := "which one, AWS does not say"
		if m := deniedAction.FindStringSubmatch(api.ErrorMessage()); m != nil {
			what = m[1]
		}
		return fmt.Errorf("%w: %s; deploy the stack again with these settings, or look for a policy that denies it", heal.ErrDenied, what)
	}
	return err
}
