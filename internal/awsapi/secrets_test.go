package awsapi

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/settings"
	"github.com/buildmedic/buildmedic/internal/simaws"
)

// TestSecret reads secrets as settings name them, each in its own region, and tells what a person
// must mend from what passes.
func TestSecret(t *testing.T) {
	s := world(t, `
enforce: true
secrets: {github: text, hidden: text}
roles:
  - name: buildmedic
    inline:
      own: '{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":"secretsmanager:GetSecretValue","Resource":"*"},
        {"Effect":"Deny","Action":"*","Resource":"arn:aws:secretsmanager:*:*:secret:hidden-*"}]}'
members: [{account: "111122223333", region: eu-west-1, secrets: {there: else}}]
`)
	api := Secrets{function(s, "")}
	for id, want := range map[string]string{"github": "text", "arn:aws:secretsmanager:us-east-1:111122223333:secret:github-a1B2c3": "text",
		"arn:aws:secretsmanager:eu-west-1:111122223333:secret:there-a1B2c3": "else"} {
		if got, err := api.Secret(context.Background(), id); got != want || err != nil {
			t.Errorf("%s: %q, %v", id, got, err)
		}
	}
	if _, err := api.Secret(context.Background(), "there"); !errors.Is(err, heal.ErrNotFound) {
		t.Errorf("a secret of another region, by its name: %v", err)
	}
	var denied heal.DeniedError
	if _, err := api.Secret(context.Background(), "hidden"); !errors.As(err, &denied) ||
		denied.Action != "secretsmanager:GetSecretValue" {
		t.Errorf("one that may not be read: %v", err)
	}
}

// TestSecretRefused: whatever Secrets Manager refuses is for a person to mend, and is not tried again
// and again; that it is busy is not.
func TestSecretRefused(t *testing.T) {
	s := world(t, "secrets: {github: text}\n")
	api := Secrets{function(s, "")}
	for code, row := range map[string]struct {
		status int
		want   error
	}{
		"InvalidRequestException":   {400, heal.ErrFinal}, // it is marked for deletion
		"DecryptionFailure":         {400, heal.ErrFinal},
		"KMSInvalidStateException":  {400, heal.ErrFinal},
		"SomethingNew":              {400, heal.ErrFinal},
		"InvalidParameterException": {400, heal.ErrFinal},
		"ResourceNotFoundException": {400, heal.ErrNotFound},
		"AccessDeniedException":     {400, heal.ErrDenied},
		"ThrottlingException":       {400, heal.ErrLater},
		"InternalServiceError":      {500, nil},
		"SlowerPlease":              {429, nil},
	} {
		s.Hook(func(c simaws.Call) simaws.Fault {
			if c.Service == "secretsmanager" && !c.Done {
				return simaws.Fault{Code: code, Status: row.status, Message: "no"}
			}
			return simaws.Fault{}
		})
		_, err := api.Secret(context.Background(), "github")
		s.Unhook()
		if row.want != nil && !errors.Is(err, row.want) || row.want == nil && (err == nil || errors.Is(err, heal.ErrFinal)) {
			t.Errorf("%s: %v, want %v", code, err, row.want)
		}
	}
}

// TestSecretIsOwn: the secret with the credentials for code hosts is the healer's own, so that no
// grant gives anybody anything on it; a secret whose name only begins like it is not.
func TestSecretIsOwn(t *testing.T) {
	const arn = "arn:aws:secretsmanager:us-east-1:111122223333:secret:buildmedic/github-a1B2c3"
	for _, name := range []string{"buildmedic/github", arn} {
		w := Wiring{Identity: Identity{Partition: "aws", Account: home.ID}, Region: home.Region,
			Settings: &settings.Settings{Code: settings.Code{GitHub: &settings.GitHub{Host: "github.com", Secret: name}}}}
		for arn, want := range map[string]bool{
			arn: true,
			"arn:aws:secretsmanager:us-east-1:111122223333:secret:buildmedic/gitlab-a1B2c3": false,
			"arn:aws:secretsmanager:us-east-1:444455556666:secret:buildmedic/github-a1B2c3": false,
		} {
			own := slices.ContainsFunc(Wire(w).Self.Parts, func(p string) bool { return iampolicy.MatchPattern(p, arn) })
			if own != want {
				t.Errorf("%s: %s is its own: %v", name, arn, own)
			}
		}
	}
}
