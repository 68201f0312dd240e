package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/redact"
)

const (
	noCredentials = "no AWS credentials that work: set AWS_PROFILE, or run `aws sso login`, until `aws sts " +
		"get-caller-identity` answers"
	expiredCredentials = "your AWS credentials have expired: log in again, for example with `aws sso login`"
)

// The error codes by which AWS refuses the caller, whatever was asked.
var (
	expiredCodes = []string{"ExpiredToken", "ExpiredTokenException", "RequestExpired"}
	unknownCodes = []string{"InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId", "AuthFailure",
		"SignatureDoesNotMatch", "InvalidSignatureException", "IncompleteSignature", "MissingAuthenticationToken"}
)

// hopeless says, for the person at the desk, why nothing can be asked of AWS: it is not
// reached, or does not know the caller. "" is an error of this one call.
func hopeless(err error, region string) string {
	var api smithy.APIError
	var op *smithy.OperationError
	var name *net.DNSError
	var send *smithyhttp.RequestSendError
	var slow interface{ Timeout() bool }
	switch {
	case !errors.As(err, &op):
		return ""
	// The SDK has no type for it.
	case strings.Contains(op.Err.Error(), "get identity: "):
		return noCredentials
	case errors.As(err, &api):
		switch code := api.ErrorCode(); {
		case slices.Contains(expiredCodes, code):
			return expiredCredentials
		case slices.Contains(unknownCodes, code):
			return fmt.Sprintf("AWS does not accept your credentials in region %s: they are wrong, or the region is not "+
				"enabled in the account", region)
		}
	case errors.As(err, &name), errors.As(err, &send) && (!errors.As(err, &slow) || !slow.Timeout()):
		return fmt.Sprintf("AWS is not reached in region %q: is the region's name right, and is there a network?", region)
	}
	return ""
}

// noIdentity says first what to do, then what the SDK said.
func noIdentity(err error, region string) error {
	if errors.Is(err, context.Canceled) {
		return errors.New("interrupted before AWS said who calls")
	}
	why := hopeless(err, region)
	if why == "" {
		why = noCredentials
	}
	return fmt.Errorf("%s (%w)", why, err)
}

// reason says in one line, for the person at the desk, why something could not be read. It is the
// same for all that AWS refuses in the same way.
func reason(err error) string {
	var denied heal.DeniedError
	var api smithy.APIError
	var slow interface{ Timeout() bool }
	switch {
	case errors.As(err, &denied) && denied.Action != "":
		return "your credentials lack " + denied.Action
	case errors.Is(err, heal.ErrDenied):
		return "your credentials lack a permission; which one, AWS does not say"
	case errors.Is(err, heal.ErrNotFound):
		return "it is gone"
	case errors.As(err, &api):
		return brief(fmt.Sprintf("AWS answered %s: %s", api.ErrorCode(), api.ErrorMessage()))
	case errors.As(err, &slow) && slow.Timeout():
		return fmt.Sprintf("AWS did not answer within %s, %d times", callTime, maxTries)
	}
	return brief(err.Error())
}

// brief makes a text of others fit for a line of a report.
func brief(s string) string { return oneLine(plain(redact.Text(s)), 200) }
