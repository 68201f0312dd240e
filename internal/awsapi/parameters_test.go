package awsapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"github.com/buildmedic/buildmedic/internal/codehost"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/settings"
	"github.com/buildmedic/buildmedic/internal/simaws"
)

const parameterKey = "arn:aws:kms:us-east-1:111122223333:key/k"

// parametersWorld has a parameter of each kind, all of which hold the same.
const parametersWorld = `
enforce: true
parameters:
  /ci/github: {value: "github_pat_11SIMULATED0000000000_simulatedsimulated"}
  github: {value: text}
  /hidden: {value: text}
  /locked: {value: text, key: "` + parameterKey + `"}
  /keyed: {value: text, key: "` + parameterKey + `2"}
  /keyless: {value: text, key: "` + parameterKey + `", key_state: pending deletion}
  /plain: {value: github_pat_11SIMULATED0000000000_simulatedsimulated, type: String}
  /list: {value: "a,b", type: StringList}
  /short: {value: '{"token": "x"}'}
  /long: {value: "` + "%s" + `"}
roles:
  - name: buildmedic
    inline:
      own: '{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":"ssm:GetParameter","Resource":"*"},
        {"Effect":"Allow","Action":"kms:Decrypt","Resource":"` + parameterKey + `2","Condition":{"StringEquals":{
          "kms:ViaService":"ssm.us-east-1.amazonaws.com",
          "kms:EncryptionContext:PARAMETER_ARN":"arn:aws:ssm:us-east-1:111122223333:parameter/keyed"}}},
        {"Effect":"Deny","Action":"*","Resource":"arn:aws:ssm:*:*:parameter/hidden"}]}'
members: [{account: "111122223333", region: eu-west-1, parameters: {/ci/there: {value: else}}}]
`

func withParameters(t *testing.T) *simaws.Sim {
	t.Helper()
	return world(t, fmt.Sprintf(parametersWorld, strings.Repeat("x", 9000)))
}

// TestParameter reads parameters as settings name them, each in its own region, as the SDK's module for
// the service does.
func TestParameter(t *testing.T) {
	s := withParameters(t)
	accounts := function(s, "")
	for id, want := range map[string]string{"github": "text", "arn:aws:ssm:us-east-1:111122223333:parameter/github": "text",
		"/keyed": "text", "arn:aws:ssm:us-east-1:111122223333:parameter/keyed": "text",
		"arn:aws:ssm:eu-west-1:111122223333:parameter/ci/there": "else",
		"/github": "!ParameterNotFound", "/ci/there": "!ParameterNotFound", "/hidden": "!AccessDeniedException",
		"/locked": "!AccessDeniedException", "/keyless": "!InvalidKeyId", "/plain": "", "/list": ""} {
		if got, err := (Parameters{accounts}).Secret(t.Context(), id); got != want && (got != "" || err == nil) {
			t.Errorf("%s: %q, %v, want %q", id, got, err, want)
		}
		if want == "" {
			continue // which is refused, and not by AWS
		}
		cfg := accounts.base
		if strings.Contains(id, "eu-west-1") {
			cfg.Region = "eu-west-1"
		}
		client := ssm.NewFromConfig(cfg)
		var said smithy.APIError
		got := ""
		if out, err := client.GetParameter(t.Context(), &ssm.GetParameterInput{Name: &id, WithDecryption: aws.Bool(true)}); err == nil {
			got = *out.Parameter.Value
		} else if errors.As(err, &said) {
			got = "!" + said.ErrorCode()
		}
		if got != want {
			t.Errorf("%s: the SDK's module reads %q, want %q", id, got, want)
		}
	}
	if u := s.Unknown(); len(u) > 0 {
		t.Errorf("the simulated account does not know %q", u)
	}
}

// TestParameterFaults: what is wrong with a parameter is said with what to do, and without a credential;
// it is told from what passes.
func TestParameterFaults(t *testing.T) {
	s := withParameters(t)
	s.SetGitHub(simaws.GitHub{Token: "github_pat_11SIMULATED0000000000_simulatedsimulated", Permissions: []string{"statuses"},
		Repositories: []string{"example/shop"}})
	tell := func(id string) error {
		w := Wiring{Identity: Identity{Partition: "aws", Account: home.ID}, Region: home.Region, Clock: s.Clock,
			Settings: &settings.Settings{Code: settings.Code{GitHub: &settings.GitHub{Host: "github.com", Parameter: id}}}}
		g := &codehost.GitHub{Home: home, Clock: s.Clock, HTTP: s.CodeHost(s.Client()),
			Credentials: hostCredentials(w, function(s, ""))}
		return g.Status(t.Context(), decide.Telling{Case: "c1", Account: home.ID, Region: home.Region, Project: "shop",
			Repository: "github.com/example/shop", Commit: strings.Repeat("ab", 20), Kind: decide.Reported, Title: "Tests failed"})
	}
	for id, want := range map[string]string{
		"/ci/github": "",
		"/gone":      "there is no parameter /gone in this account and region; make it, or write its ARN into the settings",
		"/hidden": "parameter /hidden cannot be read: the healer lacks a permission: ssm:GetParameter; deploy the stack " +
			"again with these settings, or look for a policy that denies it",
		"/locked": "parameter /locked cannot be read: the healer lacks a permission: kms:Decrypt; the policy of its key must " +
			"allow that to the function's role",
		"/keyless": "; restore it, or mend its key",
		"/plain": "parameter /plain is a String and not a SecureString, so the credentials are there for everybody to read who " +
			"may read parameters: revoke them, delete the parameter, and store new ones in its place as a SecureString",
		"/list":  "parameter /list is a StringList and not a SecureString",
		"/short": "parameter /short is not as it should be: its token has spaces in it, or is too short to be one",
		"/long":  "parameter /long is not as it should be: it has more than 8192 bytes; store JSON with the keys ",
	} {
		err := tell(id)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v\nwant %s", id, err, want)
		}
		var fault heal.FaultError
		if want != "" && !errors.As(err, &fault) || err != nil && strings.Contains(err.Error(), "SIMULATED") {
			t.Errorf("%s: %v is no fault, or shows a credential", id, err)
		}
	}
	s.Hook(func(c simaws.Call) simaws.Fault { return simaws.Fault{Throttle: c.Service == "ssm" && !c.Done} })
	if err := tell("/ci/github"); !errors.Is(err, heal.ErrLater) || !strings.Contains(err.Error(), "reading parameter /ci/github") {
		t.Errorf("throttled: %v", err)
	}
}

// TestParameterRefused: whatever Parameter Store refuses is for a person to mend, and is not tried again
// and again; that it is busy is not.
func TestParameterRefused(t *testing.T) {
	s := withParameters(t)
	api := Parameters{function(s, "")}
	for code, row := range map[string]struct {
		status int
		want   error
	}{
		"ParameterNotFound":       {400, heal.ErrNotFound},
		"InvalidKeyId":            {400, heal.ErrFinal},
		"ValidationException":     {400, heal.ErrFinal},
		"SomethingNew":            {400, heal.ErrFinal},
		"AccessDeniedException":   {400, heal.ErrDenied},
		"ThrottlingException":     {400, heal.ErrLater},
		"TooManyUpdates":          {429, nil},
		"InternalServerError":     {500, heal.ErrLater},
		"ServiceUnavailableError": {503, heal.ErrLater},
	} {
		s.Hook(func(c simaws.Call) simaws.Fault {
			if c.Service == "ssm" && !c.Done {
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
	const older = "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are " +
		"not allowed to access. (Service: AWSKMS; Status Code: 400; Error Code: AccessDeniedException)"
	fault(s, "GetParameter", simaws.Fault{Code: "AccessDeniedException", Status: 400, Message: older})
	if _, err := api.Secret(context.Background(), "github"); !errors.Is(err, heal.ErrDenied) {
		t.Errorf("KMS as it said until some years ago: %v", err)
	}
}

// TestParameterRequest: the call by hand is the one that the SDK's module for the service makes.
func TestParameterRequest(t *testing.T) {
	type asked struct{ Call, Scope, Signed, Type, Target, Body string }
	var seen []asked
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, scope, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
		scope, _, _ = strings.Cut(scope, ",")
		_, signed, _ := strings.Cut(r.Header.Get("Authorization"), "SignedHeaders=")
		signed, _, _ = strings.Cut(signed, ",")
		headers := slices.DeleteFunc(strings.Split(signed, ";"), func(h string) bool { return strings.HasPrefix(h, "amz-sdk-") })
		body, _ := io.ReadAll(r.Body)
		seen = append(seen, asked{r.Method + " " + r.URL.RequestURI(), scope[strings.Index(scope, "/us-"):], strings.Join(headers, " "),
			r.Header.Get("Content-Type"), r.Header.Get("X-Amz-Target"), string(body)})
		if n := r.ContentLength; n != int64(len(body)) || r.Header.Get("X-Amz-Security-Token") != "" {
			t.Errorf("%d bytes are announced of %s; %v", n, body, r.Header)
		}
		fmt.Fprint(w, `{"Parameter":{"Type":"SecureString","Value":"text"}}`)
	}))
	defer srv.Close()
	cfg := config(srv.URL, "AKIATEST", srv.Client())
	const name = `/ci/github`
	theirs, err := ssm.NewFromConfig(cfg).GetParameter(t.Context(), &ssm.GetParameterInput{Name: aws.String(name),
		WithDecryption: aws.Bool(true)})
	if err != nil || *theirs.Parameter.Value != "text" {
		t.Fatal(err)
	}
	if got, err := (Parameters{NewAccounts(cfg, home, "aws", "")}).Secret(t.Context(), name); err != nil || got != "text" {
		t.Fatalf("%q, %v", got, err)
	}
	if diff := cmp.Diff(seen[0], seen[1]); diff != "" {
		t.Errorf("-SDK +by hand:\n%s", diff)
	}
}

// TestParameterIsTriedAgain: a call is tried again with all of its body.
func TestParameterIsTriedAgain(t *testing.T) {
	var bodies []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if bodies = append(bodies, string(body)); len(bodies) < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		fmt.Fprint(w, `{"Parameter":{"Type":"SecureString","Value":"text"}}`)
	}))
	defer srv.Close()
	cfg := config(srv.URL, "AKIATEST", srv.Client())
	cfg.Retryer = func() aws.Retryer { return quick{Retryer()} }
	got, err := Parameters{NewAccounts(cfg, home, "aws", "")}.Secret(t.Context(), "x")
	if err != nil || got != "text" || len(bodies) != 3 || len(slices.Compact(bodies)) != 1 {
		t.Errorf("%q, %v, asked %q", got, err, bodies)
	}
}

// TestParameterAnswers: an answer that is none, or too large, is for good, and shows nothing of itself.
func TestParameterAnswers(t *testing.T) {
	for name, answer := range map[string]string{"no JSON": "secret-text", "another shape": `{"Parameter":"secret-text"}`,
		"nothing": "", "too large": `{"Parameter":{"Type":"SecureString","Value":"` + strings.Repeat("secret-text", 8000) + `"}}`} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, answer) }))
		_, err := Parameters{NewAccounts(config(srv.URL, "AKIATEST", srv.Client()), home, "aws", "")}.Secret(t.Context(), "x")
		if !errors.Is(err, heal.ErrFinal) || strings.Contains(err.Error(), "secret-text") {
			t.Errorf("%s: %v", name, err)
		}
		srv.Close()
	}
}

// TestParameterEndpoint: the host is the one that the SDK's module for the service would ask.
func TestParameterEndpoint(t *testing.T) {
	resolver := ssm.NewDefaultEndpointResolverV2()
	for _, region := range []string{"us-east-1", "eu-west-1", "ca-central-1", "cn-north-1", "us-gov-west-1", "us-gov-east-1",
		"eusc-de-east-1", "us-iso-east-1"} {
		for _, fips := range []string{"false", "true"} {
			for _, dual := range []string{"false", "true"} {
				t.Run(strings.Join([]string{region, fips, dual}, " "), func(t *testing.T) {
					t.Setenv("AWS_USE_FIPS_ENDPOINT", fips)
					t.Setenv("AWS_USE_DUALSTACK_ENDPOINT", dual)
					cfg, err := awsconfig.LoadDefaultConfig(t.Context(), awsconfig.WithRegion(region))
					if err != nil {
						t.Fatal(err)
					}
					want := ""
					if e, err := resolver.ResolveEndpoint(t.Context(), ssm.EndpointParameters{Region: &region,
						UseFIPS: aws.Bool(fips == "true"), UseDualStack: aws.Bool(dual == "true")}); err == nil {
						want = e.URI.String()
					}
					if got := newParameterStore(cfg).base; got != want {
						t.Errorf("%q, the SDK's module says %q", got, want)
					}
				})
			}
		}
	}
	for env, want := range map[string]string{"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_ENDPOINT_URL_SSM": "http://127.0.0.1:1",
		"AWS_ENDPOINT_URL_CODEBUILD": "https://ssm.us-east-1.amazonaws.com"} {
		t.Run(env, func(t *testing.T) {
			t.Setenv(env, "http://127.0.0.1:1")
			cfg, err := awsconfig.LoadDefaultConfig(t.Context(), awsconfig.WithRegion("us-east-1"))
			if err != nil {
				t.Fatal(err)
			}
			if got := newParameterStore(cfg).base; got != want {
				t.Errorf("%s, want %s", got, want)
			}
		})
	}
}

// TestParameterIsOwn: the parameter with the credentials for code hosts is the healer's own, and so are
// the paths above it, by which it could be read; others are not.
func TestParameterIsOwn(t *testing.T) {
	const at = "arn:aws:ssm:us-east-1:111122223333:parameter/"
	for name, own := range map[string]map[string]bool{
		"/ci/git/hub": {"ci/git/hub": true, "ci/git": true, "ci": true, "": true, "ci/git/lab": false, "ci/git/hub2": false, "git": false},
		at + "ci/hub": {"ci/hub": true, "ci": true, "": true, "hub": false},
		"hub":         {"hub": true, "": true, "hub/x": false, "ci/hub": false},
	} {
		w := Wiring{Identity: Identity{Partition: "aws", Account: home.ID}, Region: home.Region,
			Settings: &settings.Settings{Code: settings.Code{GitHub: &settings.GitHub{Host: "github.com", Parameter: name}}}}
		parts := Wire(w).Self.Parts
		is := func(arn string) bool {
			return slices.ContainsFunc(parts, func(p string) bool { return iampolicy.MatchPattern(p, arn) })
		}
		for path, want := range own {
			if is(at+path) != want {
				t.Errorf("%s: %s is its own: %v", name, path, !want)
			}
		}
		if is("arn:aws:ssm:us-east-1:444455556666:parameter/ci/git/hub") {
			t.Errorf("%s: one of another account is its own", name)
		}
	}
}

// TestWireGitHub: GitHub is reached with credentials, wherever they are, and without any it is not.
func TestWireGitHub(t *testing.T) {
	for _, row := range []struct{ secret, parameter, want string }{
		{"", "", ""}, {"ci/github", "", " ci/github"}, {"", "/ci/github", "parameter /ci/github"},
	} {
		w := Wiring{Identity: Identity{Partition: "aws", Account: home.ID}, Region: home.Region, CodeHost: http.DefaultTransport,
			Settings: &settings.Settings{Code: settings.Code{GitHub: &settings.GitHub{Host: "github.com", Secret: row.secret,
				Parameter: row.parameter}}}}
		got := ""
		if g, ok := Wire(w).CodeHost.(*codehost.GitHub); ok {
			got = g.Credentials.Kind + " " + g.Credentials.Secret
		}
		if got != row.want {
			t.Errorf("%+v: %q", row, got)
		}
	}
}
