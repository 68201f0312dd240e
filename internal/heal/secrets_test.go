package heal

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/diagnose"
)

// TestWithoutSecrets puts a secret wherever a diagnosis quotes the log. None
// is left, and what a policy would be made of is masked where one was.
func TestWithoutSecrets(t *testing.T) {
	const token = "gh" + "p_0123456789abcdefghijABCDEFGHIJ012345" // no one's
	key := []string{"-----BEGIN RSA PRIVATE " + "KEY-----", "MIIEpAIBAAKCAQEAsecretsecret", "c2VjcmV0",
		"-----END RSA PRIVATE " + "KEY-----", "after it"}
	d := diagnose.Diagnosis{
		Title:    "t " + token,
		Advice:   "a " + token,
		Evidence: diagnose.Evidence{Text: "e " + token},
		Details:  map[string]string{"x": token},
		Also:     []buildlog.Also{{Phase: token, Command: "./notify.sh " + token, Exit: token, Message: "CLIENT_ERROR: " + token}},
		Denials: []buildlog.Denial{
			{
				Principal: "arn:aws:sts::111122223333:assumed-role/" + token + "/s",
				Action:    "s3:GetObject",
				Resource:  "arn:aws:s3:::shop/" + token,
				PolicyARN: "arn:aws:iam::111122223333:policy/" + token,
				Operation: token,
				Subject:   "role " + token,
				Reason:    "because " + token,
				Near:      "arn:aws:s3:::shop/a arn:aws:s3:::shop/" + token,
				Text:      token,
			},
			{Action: "s3:GetObject", Resource: "arn:aws:s3:::shop/x?X-Amz-Security-Token=" + token},
			{Action: "s3:GetObject", Resource: "https://shop.s3.amazonaws.com/x?X-Amz-Signature=" + strings.Repeat("0f", 32)},
			{Action: token, Resource: "arn:aws:secretsmanager:eu-west-1:111122223333:secret:shop/db-password-AbCdEf"},
		},
	}
	for i, l := range key {
		d.Excerpt = append(d.Excerpt, buildlog.Line{N: i + 1, Text: l})
	}
	got := WithoutSecrets(d)
	all, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{token, "0f0f0f", "c2VjcmV0", "MIIEpAIBAAKCAQEA"} {
		if strings.Contains(string(all), secret) {
			t.Errorf("%q is left in %s", secret, all)
		}
	}
	if n := len(got.Excerpt); n != len(key) || got.Excerpt[n-1].Text != "after it" || got.Excerpt[n-1].N != n {
		t.Errorf("excerpt %+v", got.Excerpt)
	}
	for i, want := range []string{"arn:aws:s3:::shop/***", "arn:aws:s3:::shop/x?X-Amz-Security-Token=***"} {
		if got.Denials[i].Resource != want {
			t.Errorf("resource %q, want %q", got.Denials[i].Resource, want)
		}
	}
	if got := got.Denials[3].Resource; got != "arn:aws:secretsmanager:eu-west-1:111122223333:secret:shop/db-password-AbCdEf" {
		t.Errorf("the name of a secret is none: %q", got)
	}
}

// TestWithoutSecretsCopies ensures that a diagnosis which somebody else reads at the same time
// stays as it is.
func TestWithoutSecretsCopies(t *testing.T) {
	const token = "gh" + "p_0123456789abcdefghijABCDEFGHIJ012345" // no one's
	fresh := func() diagnose.Diagnosis {
		return diagnose.Diagnosis{
			Details: map[string]string{"x": token},
			Also:    []buildlog.Also{{Message: token}},
			Denials: []buildlog.Denial{{Text: token}},
			Excerpt: []buildlog.Line{{N: 1, Text: token}},
			Tests:   []codebuild.TestCase{{Name: token}},
		}
	}
	d := fresh()
	WithoutSecrets(d)
	if diff := cmp.Diff(fresh(), d); diff != "" {
		t.Errorf("it was changed (-want +got):\n%s", diff)
	}
}

// TestCutSecrets: wherever a failed test's text is cut, no part of a secret is left, which nobody
// would recognise as one. The token is the last word of what is kept, and then longer by each byte.
func TestCutSecrets(t *testing.T) {
	const token = "gh" + "p_0123456789abcdefghijABCDEFGHIJ012345" // no one's
	for pad := 200; pad < 420; pad++ {
		says := strings.Repeat("x", pad) + " " + token + " was refused"
		f := buildlog.Failure{Command: "pytest", Exit: "1", Build: codebuild.Build{Status: codebuild.Failed}}
		for i, l := range []string{"=========================== short test summary info ============================",
			"FAILED tests/test_cart.py::test_adds[" + says + "] - AssertionError: " + says,
			"FAILED tests/test_cart.py::test_pays - AssertionError: " + says,
			"========================= 2 failed, 1 passed in 6.12s ========================="} {
			f.Tail = append(f.Tail, buildlog.Line{N: i + 1, Text: l})
		}
		read := diagnose.Diagnose(f)
		if len(read.Tests) == 0 {
			t.Fatalf("no test is read with %d bytes before the token", pad)
		}
		f.Tests = []codebuild.TestCase{{Suite: says, Name: says, Message: says, At: says}}
		reported := diagnose.Diagnose(f)
		for _, d := range []diagnose.Diagnosis{read, reported} {
			all, err := json.Marshal(WithoutSecrets(d).Tests)
			if err != nil || strings.Contains(string(all), token[:4]) {
				t.Fatalf("%d bytes before the token: %v %s", pad, err, all)
			}
		}
	}
}
