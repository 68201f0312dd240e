package awsapi

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/settings"
	"github.com/buildmedic/buildmedic/internal/simaws"
)

// TestErrorsOnTheWire has each service answer with its own error codes, and
// looks what is left of them for the healer.
func TestErrorsOnTheWire(t *testing.T) {
	const nothing = "nothing"
	s := world(t, "roles: [{name: shop, inline: {logs: LOGS}}]\npolicies: [{name: shared, document: '"+
		statement("Before")+"'}]\nprojects: [{name: shop, role: shop, buildspecs: {buildspec.yml: {build: [make]}}}]\n")
	accounts := function(s, "")
	i, c := IAM{accounts}, CodeBuild{accounts}
	b := ran(t, s, simaws.Start{Project: "shop"})
	put := guardrail.Target{Kind: guardrail.Inline, Name: "p", After: statement("Ours")}
	calls := map[string]func(context.Context) error{
		"GetRole": func(ctx context.Context) error {
			_, err := i.Role(ctx, home, role("shop"), settings.Write{})
			return err
		},
		"PutRolePolicy": func(ctx context.Context) error { _, err := i.Write(ctx, home, role("shop"), put, nil); return err },
		"CreatePolicyVersion": func(ctx context.Context) error {
			_, err := i.Write(ctx, home, role("shop"),
				guardrail.Target{Kind: guardrail.Managed, Name: policyARN, BeforeVersion: "v1",
					After: statement("Ours")}, []string{"v1"})
			return err
		},
		"SimulatePrincipalPolicy": func(ctx context.Context) error {
			_, err := i.Simulate(ctx, home, role("shop"), []guardrail.Question{{Action: "s3:GetObject"}}, nil)
			return err
		},
		"SimulateCustomPolicy": func(ctx context.Context) error {
			_, err := i.SimulateDocuments(ctx, home, role("shop"), nil, nil, []guardrail.Question{{Action: "s3:GetObject"}})
			return err
		},
		"BatchGetBuilds": func(ctx context.Context) error { _, err := c.Get(ctx, home, b.ID); return err },
		"RetryBuild": func(ctx context.Context) error {
			_, err := c.Retry(ctx, b, decide.Plan{Route: decide.RouteBuild}, "t", nil)
			return err
		},
		"GetLogEvents":               func(ctx context.Context) error { _, err := Logs{accounts}.Tail(ctx, b, never); return err },
		"CreateRepository":           func(ctx context.Context) error { return ECR{accounts}.Create(ctx, home, "shop") },
		"DecodeAuthorizationMessage": func(ctx context.Context) error { _, err := STS{accounts}.Decode(ctx, home, "x"); return err },
		"ValidatePolicy": func(ctx context.Context) error {
			_, err := Analyzer{accounts}.Check(ctx, home, statement("A"), statement("A"))
			return err
		},
		"SendMessage": func(ctx context.Context) error {
			return SQS{Client: sqs.NewFromConfig(accounts.base), URL: s.QueueURL(simaws.Queue), Clock: s.Clock}.Send(ctx, "x", 0)
		},
	}
	for _, row := range []struct {
		operation, code string
		status          int
		want            error // nil: none of heal's
	}{
		{"GetRole", "NoSuchEntity", 404, heal.ErrNotFound},
		{"GetRole", "Throttling", 400, heal.ErrLater},
		{"GetRole", "ServiceFailure", 500, heal.ErrLater},
		{"GetRole", "AccessDenied", 403, heal.ErrDenied},
		{"GetRole", "InvalidClientTokenId", 403, nil},
		{"PutRolePolicy", "ConcurrentModification", 409, heal.ErrConflict},
		{"PutRolePolicy", "MalformedPolicyDocument", 400, heal.ErrFinal},
		{"PutRolePolicy", "LimitExceeded", 409, heal.ErrFinal},
		{"PutRolePolicy", "UnmodifiableEntity", 400, heal.ErrFinal},
		{"CreatePolicyVersion", "LimitExceeded", 409, heal.ErrFinal},
		{"CreatePolicyVersion", "EntityAlreadyExists", 409, heal.ErrConflict},
		{"SimulatePrincipalPolicy", "InvalidInput", 400, heal.ErrFinal},
		{"SimulateCustomPolicy", "InvalidInput", 400, heal.ErrFinal},
		{"SimulateCustomPolicy", "PolicyEvaluation", 500, heal.ErrLater},
		{"SimulateCustomPolicy", "AccessDenied", 403, heal.ErrDenied},
		{"BatchGetBuilds", "ThrottlingException", 400, heal.ErrLater},
		{"BatchGetBuilds", "InvalidInputException", 400, heal.ErrFinal},
		{"BatchGetBuilds", "AccessDeniedException", 400, heal.ErrDenied},
		{"BatchGetBuilds", "ExpiredTokenException", 400, nil},
		{"RetryBuild", "AccountLimitExceededException", 400, heal.ErrLater},
		{"RetryBuild", "ResourceNotFoundException", 400, heal.ErrNotFound},
		{"GetLogEvents", "InvalidParameterException", 400, heal.ErrFinal},
		{"GetLogEvents", "ServiceUnavailableException", 500, heal.ErrLater},
		{"GetLogEvents", "ThrottlingException", 400, heal.ErrLater},
		{"CreateRepository", "LimitExceededException", 400, heal.ErrFinal},
		{"CreateRepository", "ServerException", 500, heal.ErrLater},
		{"CreateRepository", "RepositoryAlreadyExistsException", 400, errNone},
		{"DecodeAuthorizationMessage", "InvalidAuthorizationMessageException", 400, heal.ErrFinal},
		{"ValidatePolicy", "ValidationException", 400, heal.ErrFinal},
		{"ValidatePolicy", "InternalServerException", 500, heal.ErrLater},
		{"ValidatePolicy", "ThrottlingException", 429, heal.ErrLater},
		{"SendMessage", "AccessDenied", 403, heal.ErrDenied},
		{"SendMessage", "OverLimit", 403, nil},
	} {
		s.Unhook()
		fault(s, row.operation, simaws.Fault{Code: row.code, Status: row.status, Message: nothing})
		err := calls[row.operation](t.Context())
		s.Unhook()
		if row.want == errNone {
			if err != nil {
				t.Errorf("%s: %s: %v", row.operation, row.code, err)
			}
			continue
		}
		if err == nil {
			t.Errorf("%s: %s: no error", row.operation, row.code)
			continue
		}
		for _, kind := range []error{heal.ErrNotFound, heal.ErrConflict, heal.ErrLater, heal.ErrFinal, heal.ErrDenied} {
			if errors.Is(err, kind) != (kind == row.want) {
				t.Errorf("%s: %s: is %q: %v, want %v", row.operation, row.code, err, kind, row.want)
			}
		}
		if row.want == heal.ErrFinal && !strings.Contains(err.Error(), row.code+": "+nothing) {
			t.Errorf("%s: %s: AWS's own words are lost: %v", row.operation, row.code, err)
		}
	}
	fault(s, "BatchGetBuilds", simaws.Fault{Cut: true})
	if _, err := c.Get(t.Context(), home, b.ID); err == nil || errors.Is(err, heal.ErrFinal) || errors.Is(err, heal.ErrNotFound) {
		t.Errorf("the connection was cut: %v", err)
	}
}

// errNone stands for no error at all.
var errNone = io.EOF
