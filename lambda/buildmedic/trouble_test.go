package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/buildmedic/buildmedic/internal/simaws"
)

// alone gives the environment of a shell with no AWS in it, and no network but this machine's.
func alone(t *testing.T) {
	t.Helper()
	for _, kv := range os.Environ() {
		if name, _, _ := strings.Cut(kv, "="); strings.HasPrefix(name, "AWS_") || strings.HasSuffix(strings.ToUpper(name), "_PROXY") {
			t.Setenv(name, "")
		}
	}
	t.Setenv("HOME", t.TempDir())
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_CONFIG_FILE", os.DevNull)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", os.DevNull)
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
}

// stsError is how STS words an error.
func stsError(status int, code, message string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		fmt.Fprintf(w, `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>`+
			`<Code>%s</Code><Message>%s</Message></Error><RequestId>r</RequestId></ErrorResponse>`, code, message)
	}
}

// TestTrouble ensures that each thing that keeps the desk from AWS is told in words of its own that
// say what to do: over real sockets of this machine, and with the SDK's real configuration.
func TestTrouble(t *testing.T) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refused := free.Addr().String()
	free.Close()
	silent, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and never answers
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	answers := func(h http.HandlerFunc) func(*testing.T) string {
		return func(t *testing.T) string {
			s := httptest.NewServer(h)
			t.Cleanup(s.Close)
			return s.URL
		}
	}
	at := func(url string) func(*testing.T) string { return func(*testing.T) string { return url } }
	keys := map[string]string{"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "x", "AWS_REGION": "eu-west-1"}
	profile := func(name string) map[string]string { return map[string]string{"AWS_PROFILE": name} }
	for _, row := range []struct {
		name     string
		env      map[string]string
		endpoint func(*testing.T) string
		want     []string
	}{
		{"no credentials", map[string]string{"AWS_REGION": "eu-west-1"}, nil,
			[]string{"buildmedic: there are no AWS credentials.\n", "Set AWS_PROFILE", "aws sso login"}},
		{"a profile without credentials", profile("shop"), nil,
			[]string{`profile "shop" has no AWS credentials.`, "`aws sso login --profile shop`"}},
		{"an expired login of a session", profile("sso"), nil,
			[]string{"your login at IAM Identity Center has expired.", "Run `aws sso login --profile sso`."}},
		{"an expired login of a profile", profile("old"), nil,
			[]string{"your login at IAM Identity Center has expired.", "Run `aws sso login --profile old`."}},
		{"an expired aws login", profile("login"), nil, []string{"your login has expired.", "Run `aws login --profile login`."}},
		{"a second factor", profile("mfa"), nil,
			[]string{`profile "mfa" asks for an MFA code`, "export-credentials --format env --profile mfa"}},
		{"a credential_process that fails", profile("process"), nil, []string{`the credential_process of profile "process" failed.`}},
		{"no such profile", profile("shpo"), nil, []string{`no profile "shpo", which AWS_PROFILE names; did you mean "shop"?`}},
		{"no such profile, and none near", profile("x"), nil, []string{"it has shop, sso, "}},
		{"no region", nil, nil, []string{"no AWS region: set AWS_REGION"}},
		{"a region that no host name can have", with(keys, "AWS_REGION", "eu west 1"), nil,
			[]string{`there is no AWS region "eu west 1".`, "Did you mean eu-west-1?"}},
		{"a region of nobody's", with(keys, "AWS_REGION", "moon_1"), nil, []string{`no AWS region "moon_1".`, "us-east-1", "eu-west-1"}},
		{"a region spelled otherwise", with(keys, "AWS_REGION", "EU-WEST-1"),
			answers(stsError(403, "SignatureDoesNotMatch", "Credential should be scoped to a valid region. ")),
			[]string{`there is no AWS region "EU-WEST-1".`, "Did you mean eu-west-1?"}},
		{"a refused port", keys, at("http://" + refused),
			[]string{"nothing listens at " + refused + " (AWS_ENDPOINT_URL is http://" + refused,
				"unset it to call AWS itself"}},
		{"a refused port of a service", with(keys, "AWS_ENDPOINT_URL_STS", "http://"+refused), nil,
			[]string{"AWS_ENDPOINT_URL_STS is http://" + refused}},
		{"a certificate of nobody's", keys, func(t *testing.T) string {
			s := httptest.NewUnstartedServer(http.NotFoundHandler())
			s.Config.ErrorLog = log.New(io.Discard, "", 0)
			s.StartTLS()
			t.Cleanup(s.Close)
			return s.URL
		}, []string{"is not trusted", "signed by \"O=Acme Co\"", "AWS_CA_BUNDLE"}},
		{"an endpoint that is no URL", keys, at("nonsense"), []string{"(AWS_ENDPOINT_URL is ", "endpoint is a URL, such as http://"}},
		{"no TLS where it should be", keys, func(t *testing.T) string {
			return strings.Replace(answers(http.NotFound)(t), "http:", "https:", 1)
		}, []string{"does not speak TLS", "begins with http://"}},
		{"no AWS", keys, answers(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>log in</html>") }),
			[]string{"answered, and not as AWS does", "login page of a network"}},
		{"a server that fails", keys, answers(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }),
			[]string{"fails (AWS_ENDPOINT_URL", "it answered 503.", "Run it again"}},
		{"a server that never answers", keys, at("http://" + silent.Addr().String()),
			[]string{"gave no answer within 300ms (AWS_ENDPOINT_URL is http://" + silent.Addr().String()}},
		{"expired keys", keys, answers(stsError(403, "ExpiredToken", "The security token included in the request is expired")),
			[]string{"your AWS credentials have expired.", "Renew AWS_ACCESS_KEY_ID"}},
		{"unknown keys", keys, answers(stsError(403, "InvalidClientTokenId", "The security token included in the request is invalid.")),
			[]string{"does not know your credentials in region eu-west-1", "region is not enabled"}},
		{"a wrong secret", keys, answers(stsError(403, "SignatureDoesNotMatch", "The request signature we calculated does not match")),
			[]string{"does not belong to the access key"}},
		{"a clock that is off", keys, answers(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Date", time.Now().UTC().Add(3*time.Hour).Format(http.TimeFormat))
			stsError(403, "SignatureDoesNotMatch", "Signature expired: 20261129T190000Z is now earlier than 20261129T194500Z")(w, r)
		}), []string{"the clock of this computer is off by 3h0m:", "and AWS 2"}},
		{"throttled", keys, answers(stsError(400, "Throttling", "Rate exceeded")),
			[]string{"AWS throttles STS GetCallerIdentity in region eu-west-1.", "in a minute"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			alone(t)
			t.Setenv("AWS_MAX_ATTEMPTS", "1")
			if strings.Contains(row.name, "never answers") {
				quick(t)
			}
			config := filepath.Join(t.TempDir(), "config")
			if err := os.WriteFile(config, []byte(someProfiles), 0o600); err != nil {
				t.Fatal(err)
			}
			t.Setenv("AWS_CONFIG_FILE", config)
			for k, v := range row.env {
				t.Setenv(k, v)
			}
			if row.endpoint != nil {
				t.Setenv("AWS_ENDPOINT_URL", row.endpoint(t))
			}
			code, out, errs := buildmedic(t, "", "scan")
			if code != exitFailed || out != "" || strings.Contains(errs, "hunter2") {
				t.Errorf("code %d\n%s%s", code, out, errs)
			}
			for _, want := range row.want {
				if !strings.Contains(errs, want) {
					t.Errorf("it does not say %q:\n%s", want, errs)
				}
			}
		})
	}
}

// TestRefusedProxy ensures that a proxy that is not there is not taken for AWS, and its password not
// told. (Go reads the environment's proxy once in a process, so that it is given here.)
func TestRefusedProxy(t *testing.T) {
	alone(t)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	free.Close()
	proxy := &url.URL{Scheme: "http", User: url.UserPassword("me", "hunter2"), Host: free.Addr().String()}
	t.Setenv("HTTPS_PROXY", proxy.String())
	cfg := (&session{region: "eu-west-1"}).with(aws.Config{Region: "eu-west-1", RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("k", "s", ""),
		HTTPClient:  &http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(proxy)}}})
	_, err = whoami(t.Context(), cfg)
	if err == nil || !strings.HasPrefix(err.Error(), "nothing listens at the proxy http://"+proxy.Host+
		" of HTTPS_PROXY.\nCorrect HTTPS_PROXY") ||
		strings.Contains(err.Error(), "hunter2") {
		t.Error(err)
	}
}

// with is a copy of the environment with one more variable.
func with(env map[string]string, name, value string) map[string]string {
	out := map[string]string{name: value}
	for k, v := range env {
		if k != name {
			out[k] = v
		}
	}
	return out
}

// quick makes waiting short.
func quick(t *testing.T) {
	t.Helper()
	old := times
	times.whoami, times.calls = 300*time.Millisecond, 300*time.Millisecond
	t.Cleanup(func() { times = old })
}

const someProfiles = `[profile shop]
region = eu-west-1
[profile sso]
region = eu-west-1
sso_session = corp
sso_account_id = 111122223333
sso_role_name = Dev
[sso-session corp]
sso_start_url = https://example.com/start
sso_region = eu-west-1
[profile old]
region = eu-west-1
sso_start_url = https://example.com/start
sso_region = eu-west-1
sso_account_id = 111122223333
sso_role_name = Dev
[profile login]
region = eu-west-1
login_session = arn:aws:iam::111122223333:user/me
[profile mfa]
region = eu-west-1
role_arn = arn:aws:iam::111122223333:role/x
source_profile = keys
mfa_serial = arn:aws:iam::111122223333:mfa/me
[profile keys]
aws_access_key_id = AKIAIOSFODNN7EXAMPLE
aws_secret_access_key = x
[profile process]
region = eu-west-1
credential_process = false
`

// TestDeadlines ensures that no call can take for ever, and that a call behind the first one ends,
// too.
func TestDeadlines(t *testing.T) {
	if times.whoami > time.Minute || times.calls > 2*time.Minute || times.answer > times.calls || times.connect > times.answer {
		t.Errorf("%+v", times)
	}
	alone(t)
	sim, file := account(t, "tracker-api")
	quick(t)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		if strings.Contains(r.Header.Get("X-Amz-Target"), "BatchGetBuilds") {
			<-r.Context().Done()
			return
		}
		w.Header().Set("Content-Type", "text/xml")
		fmt.Fprintf(w, `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>`+
			`<Arn>arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Dev_0123456789abcdef/me</Arn></GetCallerIdentityResult>`+
			`</GetCallerIdentityResponse>`)
	}))
	defer front.Close()
	t.Setenv("AWS_ENDPOINT_URL", front.URL)
	code, out, errs := buildmedic(t, "", "replay", "-settings", file, "-ledger", filepath.Join(t.TempDir(), "l.json"),
		sim.Builds("TrackerAPI")[0].ID)
	if code != exitFailed || !strings.Contains(errs, "gave no answer within 300ms") {
		t.Errorf("code %d\n%s%s", code, out, errs)
	}
}

// TestInterrupted ensures that an interruption in the middle of a call is told as one, and that a
// deadline is not taken for it.
func TestInterrupted(t *testing.T) {
	asked := make(chan struct{}, 10)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		asked <- struct{}{}
		<-r.Context().Done()
	}))
	defer server.Close()
	settings := filepath.Join(t.TempDir(), "buildmedic.yaml")
	if err := os.WriteFile(settings, []byte("version: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"scan"}, {"policy", "-role", "r"}, {"history", "-table", "t"}, {"show", "-table", "t", "c"},
		{"replay", "-settings", settings, "web:1"}, {"undo", "-table", "t", "-settings", settings, "c"},
		{"check", "-live", "-settings", settings}} {
		alone(t)
		for k, v := range map[string]string{"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_REGION": "eu-west-1",
			"AWS_ENDPOINT_URL": server.URL} {
			t.Setenv(k, v)
		}
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			<-asked
			cancel()
		}()
		var out, errs lockedBuffer
		code := run(ctx, args, strings.NewReader(""), &out, &errs)
		if code != exitInterrupted || errs.String() != "buildmedic: interrupted\n" {
			t.Errorf("%q: code %d\n%s%s", args, code, out.String(), errs.String())
		}
		cancel()
	}
	alone(t)
	ctx, cancel := context.WithCancel(t.Context())
	in, _, err := os.Pipe() // nothing comes from it
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	time.AfterFunc(10*time.Millisecond, cancel)
	var out, errs lockedBuffer
	if code := run(ctx, []string{"diagnose"}, &interruptible{File: in, ctx: ctx}, &out, &errs); code != exitInterrupted ||
		errs.String() != "buildmedic: interrupted\n" {
		t.Errorf("diagnose: code %d\n%s%s", code, out.String(), errs.String())
	}
}

// TestOwnPermissions ensures that a permission that the person at the desk lacks is told with the
// caller, the place, and who can give it; and never as the function's.
func TestOwnPermissions(t *testing.T) {
	const role = "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Dev_0123456789abcdef/me"
	sim, file := account(t, "tracker-api")
	t.Setenv("AWS_PROFILE", "")
	for _, row := range []struct{ because, want string }{
		{" because no identity-based policy allows the codebuild:BatchGetBuilds action",
			"Ask who manages your user or role in account ACCOUNT to allow it"},
		{" with an explicit deny in a service control policy", "A service control policy of the organization forbids it"},
		{" because no permissions boundary allows the codebuild:BatchGetBuilds action", "The permissions boundary of "},
		{" with an explicit deny in an identity-based policy", "forbids it; ask who manages IAM in account ACCOUNT"},
		{" because no session policy allows it", "The policy of your session"},
	} {
		sim.Hook(func(c simaws.Call) simaws.Fault {
			if c.Operation != "BatchGetBuilds" {
				return simaws.Fault{}
			}
			return simaws.Fault{Code: "AccessDeniedException", Status: 400, Message: "User: " + role + " is not authorized to perform: " +
				"codebuild:BatchGetBuilds on resource: arn:aws:codebuild:us-west-2:111122223333:project/TrackerAPI" + row.because}
		})
		code, out, errs := buildmedic(t, "", "replay", "-settings", file, "-ledger", filepath.Join(t.TempDir(), "l.json"),
			sim.Builds("TrackerAPI")[0].ID)
		sim.Unhook()
		if code != exitFailed || strings.Contains(out+errs, "deploy the stack") || strings.Contains(out+errs, "the healer lacks") {
			t.Errorf("code %d\n%s%s", code, out, errs)
		}
		for _, want := range []string{"your credentials lack codebuild:BatchGetBuilds on " +
			"arn:aws:codebuild:us-west-2:111122223333:project/TrackerAPI.\n",
			"You are arn:aws:iam::ACCOUNT:", "account ACCOUNT, region us-west-2", row.want} {
			want = strings.ReplaceAll(want, "ACCOUNT", accountOf(sim))
			if !strings.Contains(errs, want) {
				t.Errorf("it does not say %q:\n%s", want, errs)
			}
		}
	}
	for _, row := range []struct{ role, initiator, arn, holder string }{
		{"AWSReservedSSO_Dev_0123456789abcdef", "AWSReservedSSO_Dev_0123456789abcdef/me", role,
			"permission set Dev of IAM Identity Center"},
		{"deploy", "deploy/me", "arn:aws:sts::111122223333:assumed-role/deploy/me", "role deploy"},
		{"", "team/alice", "arn:aws:iam::111122223333:user/team/alice", "user team/alice"},
		{"", "", "arn:aws:iam::111122223333:root", "your user or role"},
	} {
		s := session{}
		s.id.Partition, s.id.Account, s.id.Role, s.id.Initiator = "aws", "111122223333", row.role, row.initiator
		if s.arn() != row.arn || s.holder() != row.holder {
			t.Errorf("%+v: %s, %s", row, s.arn(), s.holder())
		}
	}
}

// TestWrongRegion ensures that a region without projects is told from one in which nothing failed,
// with the account, and with the regions that have projects.
func TestWrongRegion(t *testing.T) {
	sim, _ := account(t, "tracker-api")
	t.Setenv("AWS_REGION", "eu-central-1")
	code, out, errs := buildmedic(t, "", "scan")
	if code != exitOK || !strings.HasPrefix(errs, "Scanning account "+accountOf(sim)+", region eu-central-1.\n") ||
		!strings.HasPrefix(out, "Account "+accountOf(sim)+", region eu-central-1: 0 projects, ") ||
		!strings.Contains(out, "has no CodeBuild project") || !strings.Contains(out, "The account has projects in us-west-2 (1 project): "+
		"`AWS_REGION=us-west-2 buildmedic scan`.\n") || strings.Contains(out, "othing failed") {
		t.Errorf("code %d\n%s%s", code, out, errs)
	}
	if _, out, _ = buildmedic(t, "", "scan", "-json"); !strings.Contains(out, `"account": "`+accountOf(sim)+`"`) ||
		!strings.Contains(out, `"region": "eu-central-1"`) || !strings.Contains(out, `"partition": "aws"`) ||
		!strings.Contains(out, "\"elsewhere\": [\n    {\n      \"region\": \"us-west-2\",\n      \"projects\": 1\n") {
		t.Error(out)
	}
	sim.Hook(func(c simaws.Call) simaws.Fault { // in regions that are not enabled
		if c.Operation == "ListProjects" && c.Region != "eu-central-1" {
			return simaws.Fault{Code: "UnrecognizedClientException", Message: "The security token included in the request is invalid.",
				Status: 403}
		}
		return simaws.Fault{}
	})
	if code, out, errs = buildmedic(t, "", "scan"); code != exitOK || !strings.Contains(out,
		"Another region is `AWS_REGION=R buildmedic scan`") {
		t.Errorf("code %d\n%s%s", code, out, errs)
	}
}

// accountOf is the account's id.
func accountOf(sim *simaws.Sim) string { return strings.Split(sim.TopicARN(), ":")[4] }
