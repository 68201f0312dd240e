package awsapi

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/settings"
	"github.com/buildmedic/buildmedic/internal/simaws"
)

func statement(sid string) string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Sid":%q,"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}`, sid)
}

const policyARN = "arn:aws:iam::111122223333:policy/shared"

func account(t *testing.T) (*simaws.Sim, IAM) {
	t.Helper()
	s, err := simaws.Load([]byte("policies:\n  - {name: shared, document: '" + statement("Before") +
		"'}\nroles:\n  - {name: shop, attached: [shared], inline: {healed: '" + statement("Before") + "'}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	cfg := aws.Config{HTTPClient: s.Client(), Region: "us-east-1", BaseEndpoint: aws.String(s.URL()),
		Credentials: credentials.NewStaticCredentialsProvider(simaws.FunctionKey, "x", "")}
	return s, IAM{NewAccounts(cfg, settings.Account{ID: "111122223333", Region: "us-east-1"}, "aws", "")}
}

// TestStrangers has a stranger write before and after each call of one of
// our writes. On a managed policy each one is noticed, and the stranger's
// version is the default again, or still. On an inline policy IAM leaves one
// gap, between our look and our write (AWS.md#policy-writes): there, and only
// there, the stranger's document is lost.
func TestStrangers(t *testing.T) {
	role := codebuild.Role{Partition: "aws", Account: "111122223333", Path: "/", Name: "shop"}
	for _, kind := range []guardrail.TargetKind{guardrail.Managed, guardrail.Inline} {
		for n := 1; n <= 6; n++ {
			s, i := account(t)
			calls, at := 0, ""
			s.Hook(func(c simaws.Call) simaws.Fault {
				if calls++; calls != n {
					return simaws.Fault{}
				}
				at = fmt.Sprintf("%s, done %v", c.Operation, c.Done)
				var err error
				if kind == guardrail.Managed {
					_, err = s.CreatePolicyVersion(policyARN, statement("Stranger"))
				} else {
					err = s.PutRolePolicy("shop", "healed", statement("Stranger"))
				}
				if err != nil {
					t.Error(err)
				}
				return simaws.Fault{}
			})
			target := guardrail.Target{Kind: kind, Name: "healed", Before: statement("Before"), After: statement("Ours")}
			if kind == guardrail.Managed {
				target.Name, target.BeforeVersion = policyARN, "v1"
			}
			_, err := i.Write(context.Background(), settings.Account{}, role, target, []string{"v1"})
			if at == "" {
				break // the write makes fewer calls
			}
			now := standing(s, kind)
			if err != nil && !errors.Is(err, heal.ErrConflict) {
				t.Errorf("%s, stranger at %s: %v", kind, at, err)
			}
			gap := kind == guardrail.Inline && (at == "GetRolePolicy, done true" && n == 2 || at == "PutRolePolicy, done false")
			last := at == "GetRolePolicy, done true" && n == 6 || at == "ListPolicyVersions, done true" && n == 6
			switch {
			case gap:
				if err != nil || !strings.Contains(now, "Ours") {
					t.Errorf("%s, stranger at %s: the gap is closed? %v, %s: say so in the documentation", kind, at, err, now)
				}
			case !strings.Contains(now, "Stranger"):
				t.Errorf("%s, stranger at %s: lost: %v, %s", kind, at, err, now)
			case err == nil && !last:
				t.Errorf("%s, stranger at %s: not noticed", kind, at)
			}
		}
	}
}

// TestStrangersAtRestore has a stranger make a version before and after each
// call by which ours is taken back: it is the default afterwards.
func TestStrangersAtRestore(t *testing.T) {
	for n := 1; n <= 8; n++ {
		s, i := account(t)
		if _, err := s.CreatePolicyVersion(policyARN, statement("Ours")); err != nil {
			t.Fatal(err)
		}
		calls, at := 0, ""
		s.Hook(func(c simaws.Call) simaws.Fault {
			if calls++; calls == n {
				at = fmt.Sprintf("%s, done %v", c.Operation, c.Done)
				if _, err := s.CreatePolicyVersion(policyARN, statement("Stranger")); err != nil {
					t.Error(err)
				}
			}
			return simaws.Fault{}
		})
		target := guardrail.Target{Kind: guardrail.Managed, Name: policyARN, BeforeVersion: "v1",
			Before: statement("Before"), After: statement("Ours")}
		err := i.Restore(t.Context(), settings.Account{}, codebuild.Role{}, target, "v2")
		if at == "" {
			break
		}
		if now := standing(s, guardrail.Managed); !strings.Contains(now, "Stranger") {
			t.Errorf("stranger at %s: lost: %v, %s", at, err, now)
		}
		if noticed := n <= 5; noticed != errors.Is(err, heal.ErrConflict) {
			t.Errorf("stranger at %s: %v", at, err)
		}
	}
}

// standing is the document that IAM has now.
func standing(s *simaws.Sim, kind guardrail.TargetKind) string {
	if kind == guardrail.Inline {
		docs, _ := s.RolePolicies("", "shop")
		return docs["healed"]
	}
	for _, v := range s.PolicyVersions(policyARN) {
		if v.Default {
			return v.Document
		}
	}
	return ""
}

// TestWriteAgain ensures that a write which an earlier run made is completed,
// and that a stranger's version of that time is found even then.
func TestWriteAgain(t *testing.T) {
	role := codebuild.Role{Partition: "aws", Account: "111122223333", Path: "/", Name: "shop"}
	target := guardrail.Target{Kind: guardrail.Managed, Name: policyARN, BeforeVersion: "v1",
		Before: statement("Before"), After: statement("Ours")}
	for _, row := range []struct {
		docs []string // versions from v2 on
		want string   // version returned, "" for a conflict
		then string   // what stands
	}{
		{[]string{"Ours"}, "v2", "Ours"},
		{[]string{"Ours", "Ours"}, "v3", "Ours"},
		{[]string{"Stranger", "Ours"}, "", "Stranger"},
		{[]string{"Stranger"}, "", "Stranger"},
		{[]string{"Ours", "Stranger"}, "", "Stranger"},
	} {
		s, i := account(t)
		for _, d := range row.docs {
			if _, err := s.CreatePolicyVersion(policyARN, statement(d)); err != nil {
				t.Fatal(err)
			}
		}
		got, err := i.Write(context.Background(), settings.Account{}, role, target, []string{"v1"})
		if got != row.want || (row.want == "") != errors.Is(err, heal.ErrConflict) ||
			!strings.Contains(standing(s, guardrail.Managed), row.then) {
			t.Errorf("%v: %q, %v; %s stands", row.docs, got, err, standing(s, guardrail.Managed))
		}
	}
}

// TestClassify is the table of what the healer does about AWS's errors.
func TestClassify(t *testing.T) {
	for code, want := range map[string]error{
		"NoSuchEntity": heal.ErrNotFound, "ResourceNotFoundException": heal.ErrNotFound, "NoSuchKey": heal.ErrNotFound,
		"ConcurrentModification": heal.ErrConflict, "EntityAlreadyExists": heal.ErrConflict,
		"Throttling": heal.ErrLater, "ThrottlingException": heal.ErrLater,
		"AccountLimitExceededException": heal.ErrLater, "ConflictException": heal.ErrLater,
		"InvalidInputException": heal.ErrFinal, "LimitExceeded": heal.ErrFinal,
		"NotLatestPipelineExecutionException": heal.ErrFinal, "StageNotRetryableException": heal.ErrFinal,
		"AccessDenied": heal.ErrDenied, "AccessDeniedException": heal.ErrDenied, "AuthorizationError": heal.ErrDenied,
	} {
		err := classify(&smithy.GenericAPIError{Code: code,
			Message: "User: x is not authorized to perform: iam:PutRolePolicy on resource: y"})
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", code, err, want)
		}
		if want == heal.ErrDenied && !strings.Contains(err.Error(), "iam:PutRolePolicy") {
			t.Errorf("%s does not name the action: %v", code, err)
		}
	}
	if err := classify(&smithy.GenericAPIError{Code: "Odd", Fault: smithy.FaultServer}); !errors.Is(err, heal.ErrLater) {
		t.Errorf("a server's fault: %v", err)
	}
	plain := errors.New("connection reset")
	if classify(plain) != plain || classify(nil) != nil {
		t.Error("what is not AWS's answer was changed")
	}
}

// TestLostAnswer: the answer to our write, or to our deleting, is lost. What a
// stranger writes before it is noticed stands: the call is not repeated blindly.
func TestLostAnswer(t *testing.T) {
	role := codebuild.Role{Partition: "aws", Account: "111122223333", Path: "/", Name: "shop"}
	for _, row := range []struct {
		name, after string
		stranger    bool
		want        error
	}{
		{"written", statement("Ours"), false, nil},
		{"written, and a stranger writes", statement("Ours"), true, heal.ErrConflict},
		{"deleted", "", false, heal.ErrLater}, // and the next look finds it done
		{"deleted, and a stranger writes", "", true, heal.ErrLater},
	} {
		t.Run(row.name, func(t *testing.T) {
			s, i := account(t)
			var lost atomic.Bool // the Sim asks from a goroutine of its own
			s.Hook(func(c simaws.Call) simaws.Fault {
				if !c.Writes || !c.Done || lost.Swap(true) {
					return simaws.Fault{}
				}
				if row.stranger {
					if err := s.PutRolePolicy("shop", "healed", statement("Stranger")); err != nil {
						t.Error(err)
					}
				}
				return simaws.Fault{Cut: true}
			})
			target := guardrail.Target{Kind: guardrail.Inline, Name: "healed", Before: statement("Before"), After: row.after}
			_, err := i.Write(t.Context(), settings.Account{}, role, target, nil)
			if !lost.Load() || !errors.Is(err, row.want) {
				t.Errorf("got %v, want %v", err, row.want)
			}
			now := standing(s, guardrail.Inline)
			if row.stranger != strings.Contains(now, "Stranger") {
				t.Errorf("what stands: %q", now)
			}
			if _, err := i.Write(t.Context(), settings.Account{}, role, target, nil); row.stranger != errors.Is(err, heal.ErrConflict) {
				t.Errorf("the next time: %v", err)
			}
		})
	}
}
