package awsapi

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/settings"
	"github.com/buildmedic/buildmedic/internal/simaws"
)

var ofUS = buildlog.Authorization{ID: "a1b2", Region: "us-east-1"}

// TestDetailsOfADenial ensures that what AWS recorded of a build's denied request is read, page by page,
// from the region that has it, and judged by the build's own denial.
func TestDetailsOfADenial(t *testing.T) {
	for _, c := range []struct{ name, boundary, more, want string }{
		{"only the role lacks it", "", "", "proved"},
		{"a boundary lacks it, too", ", boundary: edge", "", "other-layer"},
		{"a service control policy denies it", "", "scps: [{id: p-a1b2c3d4, document: '" + denies("iam:GetRole") + "'}]\n",
			"explicit-deny"},
		{"the next need of the request is denied by a boundary", ", boundary: most", "", "other-layer"},
	} {
		s := world(t, "region: eu-west-1\naccess_troubleshooter: {late: 2, page: 1}\n"+c.more+
			"policies: [{name: edge, document: '"+may("logs:*")+"'}, {name: most, document: '"+may("logs:* iam:GetRole")+"'}]\n"+
			"roles: [{name: ci/shop, inline: {logs: LOGS}"+c.boundary+"}]\n"+
			"projects: [{name: shop, role: ci/shop, buildspecs: {buildspec.yml: {build: [{run: terraform apply, tool: terraform, "+
			"calls: [{action: iam:GetRole, on: 'arn:aws:iam::111122223333:role/app', also: "+
			"['iam:ListRolePolicies on arn:aws:iam::111122223333:role/app']}]}]}}}]\n")
		at := settings.Account{ID: home.ID, Region: "eu-west-1"}
		cfg := config(s.URL(), simaws.FunctionKey, s.Client())
		cfg.Region = at.Region
		accounts := NewAccounts(cfg, at, "aws", "")
		id := begun(t, s, simaws.Start{Project: "shop", Version: "refs/heads/main"})
		s.Settle()
		b, err := CodeBuild{accounts}.Get(t.Context(), at, id)
		if err != nil {
			t.Fatal(err)
		}
		text, err := Logs{accounts}.Tail(t.Context(), b, never)
		if err != nil {
			t.Fatal(err)
		}
		ds := buildlog.ReadEvents(b, text.Text).Denials
		if len(ds) != 1 || ds[0].Authorization.ID == "" {
			t.Fatalf("%s: %+v", c.name, ds)
		}
		for n := range 3 {
			a, err := Troubleshooter{accounts}.Details(t.Context(), at, ds[0].Authorization)
			if n < 2 {
				if !errors.Is(err, heal.ErrNotFound) {
					t.Errorf("%s: look %d: %v", c.name, n, err)
				}
				continue
			}
			if err != nil || len(a.Evaluations) != 2 || a.Partial {
				t.Fatalf("%s: %+v, %v", c.name, a, err)
			}
			r := guardrail.Record(b, settings.Project{}, ds[0], a)
			got := r.Silent
			if r.Proved {
				got = "proved"
			}
			if r.Refusal != nil {
				got = string(r.Refusal.Rule)
			}
			if got != c.want {
				t.Errorf("%s: %q, want %q: %+v", c.name, got, c.want, r)
			}
		}
		if last := s.Calls()[len(s.Calls())-1]; last.Region != "us-east-1" || last.Service != "iam-toolbox" {
			t.Errorf("%s: asked %s in %s", c.name, last.Service, last.Region)
		}
		if _, err := (Troubleshooter{accounts}).Details(t.Context(), at,
			buildlog.Authorization{ID: ds[0].Authorization.ID, Region: "eu-west-1"}); !errors.Is(err, heal.ErrNotFound) {
			t.Errorf("%s: in another region: %v", c.name, err)
		}
	}
}

func denies(action string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"` + action + `","Resource":"*"}]}`
}

// answering is the toolbox of a server that answers so.
func answering(t *testing.T, f http.HandlerFunc) Troubleshooter {
	t.Helper()
	srv := httptest.NewServer(f)
	t.Cleanup(srv.Close)
	cfg := config(srv.URL, "AKIATEST", srv.Client())
	cfg.Region = "eu-west-1"
	return Troubleshooter{NewAccounts(cfg, settings.Account{ID: home.ID, Region: "eu-west-1"}, "aws", "")}
}

// TestDetailsRequest ensures that the request is what the service's model asks for.
func TestDetailsRequest(t *testing.T) {
	var seen []string
	tr := answering(t, func(w http.ResponseWriter, r *http.Request) {
		auth := r.Header.Get("Authorization")
		_, scope, _ := strings.Cut(auth, "/")
		scope, _, _ = strings.Cut(scope[strings.IndexByte(scope, '/')+1:], ",")
		_, signed, _ := strings.Cut(auth, "SignedHeaders=")
		signed, _, _ = strings.Cut(signed, ",")
		seen = append(seen, strings.Join([]string{r.Method, r.URL.RequestURI(), scope, signed}, " "))
		body, _ := io.ReadAll(r.Body)
		if len(body) > 0 || r.Header.Get("X-Amz-Security-Token") != "" {
			t.Errorf("%s, %v", body, r.Header)
		}
		if len(seen) == 1 {
			fmt.Fprint(w, `{"requestContext":{},"evaluations":[{"action":"iam:GetRole","resource":""}],"policies":[],`+
				`"nextToken":"a/b+c=&d"}`)
			return
		}
		fmt.Fprint(w, `{"requestContext":{},"evaluations":[],"policies":[]}`)
	})
	a, err := tr.Details(t.Context(), settings.Account{ID: home.ID, Region: "eu-west-1"}, ofUS)
	want := []string{"GET /authorization-details/a1b2 us-east-1/iam/aws4_request amz-sdk-request;host;x-amz-date",
		"GET /authorization-details/a1b2?nextToken=a%2Fb%2Bc%3D%26d us-east-1/iam/aws4_request amz-sdk-request;host;x-amz-date"}
	if err != nil || len(a.Evaluations) != 1 || !slices.Equal(seen, want) {
		t.Errorf("%+v, %v\n%q\n%q", a, err, seen, want)
	}
}

// TestDetailsErrors ensures that each answer is what it is to the healer, and that none is tried or
// followed without end.
func TestDetailsErrors(t *testing.T) {
	for _, c := range []struct {
		name, kind, body string
		status           int
		want             error
	}{
		{"nothing there", "ResourceNotFoundException", `{"message":"no"}`, 404, heal.ErrNotFound},
		{"the type with its namespace", "com.amazonaws.iamtoolbox#ResourceNotFoundException:http://x", "", 404, heal.ErrNotFound},
		{"the type in the body", "", `{"__type":"a#ResourceNotFoundException"}`, 404, heal.ErrNotFound},
		{"the code in the body", "", `{"code":"ResourceNotFoundException"}`, 404, heal.ErrNotFound},
		{"not allowed", "AccessDeniedException", `{"message":"User: x is not authorized to perform: iam:GetRequestAuthorizationDetails ` +
			`because no identity-based policy allows the iam:GetRequestAuthorizationDetails action"}`, 403, heal.ErrDenied},
		{"no such id", "ValidationException", `{"message":"no"}`, 400, heal.ErrFinal},
		{"a server's error", "InternalServerException", `{"message":"no"}`, 500, heal.ErrLater},
		{"a proxy's page", "", "<html>", 502, heal.ErrLater},
		{"throttled, which is in no model", "ThrottlingException", "{}", 400, heal.ErrLater},
		{"throttled by a status", "", "", 429, heal.ErrLater},
		{"no JSON", "", "<html>", 200, heal.ErrFinal},
		{"another shape", "", `{"evaluations":"none"}`, 200, heal.ErrFinal},
		{"too large", "", `{"nextToken":"` + strings.Repeat("x", maxRecordPage) + `"}`, 200, heal.ErrFinal},
		{"a page that is none of ours", "", "", 204, nil},
	} {
		asked := 0
		tr := answering(t, func(w http.ResponseWriter, _ *http.Request) {
			asked++
			if c.kind != "" {
				w.Header().Set("X-Amzn-Errortype", c.kind)
			}
			w.WriteHeader(c.status)
			fmt.Fprint(w, c.body)
		})
		_, err := tr.Details(t.Context(), home, ofUS)
		if err == nil || c.want != nil && !errors.Is(err, c.want) || asked != 1 {
			t.Errorf("%s: %v, want %v, asked %d times", c.name, err, c.want, asked)
		}
		var d heal.DeniedError
		if errors.As(err, &d) && d.Action != "iam:GetRequestAuthorizationDetails" {
			t.Errorf("%s: %+v", c.name, d)
		}
	}
}

// TestDetailsIsTriedAgain ensures that a throttled look-up is tried again as those of other clients are.
func TestDetailsIsTriedAgain(t *testing.T) {
	asked := 0
	tr := answering(t, func(w http.ResponseWriter, _ *http.Request) {
		if asked++; asked < 3 {
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		fmt.Fprint(w, `{}`)
	})
	tr.Accounts.base.Retryer = func() aws.Retryer { return quick{Retryer()} }
	if _, err := tr.Details(t.Context(), home, ofUS); err != nil || asked != 3 {
		t.Errorf("%v, asked %d times", err, asked)
	}
}

// quick waits for nothing.
type quick struct{ aws.RetryerV2 }

func (quick) RetryDelay(int, error) (d time.Duration, err error) { return 0, nil }

// TestDetailsFollowsNobody ensures that neither an answer nor a text leads a signed request to another
// host.
func TestDetailsFollowsNobody(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Errorf("%d was followed", status) }))
		tr := answering(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL, status) })
		if _, err := tr.Details(t.Context(), home, ofUS); err == nil {
			t.Errorf("%d: no error", status)
		}
		cfg := tr.Accounts.base
		cfg.HTTPClient = nil // the SDK's own
		if _, err := (Troubleshooter{NewAccounts(cfg, home, "aws", "")}).Details(t.Context(), home, ofUS); err == nil {
			t.Errorf("%d, with the SDK's client: no error", status)
		}
		other.Close()
	}
}

// TestDetailsAreBounded ensures that a service that never ends costs a few calls, and that what is left
// out is known to be.
func TestDetailsAreBounded(t *testing.T) {
	asked := 0
	tr := answering(t, func(w http.ResponseWriter, _ *http.Request) {
		asked++
		fmt.Fprintf(w, `{"evaluations":[{"action":"iam:GetRole"}],"nextToken":"%d"}`, asked)
	})
	a, err := tr.Details(t.Context(), home, ofUS)
	if err != nil || !a.Partial || asked != maxAuthorizationPages || len(a.Evaluations) != maxAuthorizationPages {
		t.Errorf("%+v, %v, asked %d times", a, err, asked)
	}
}

// TestDetailsKeys ensures that a condition key counts only if it has one value.
func TestDetailsKeys(t *testing.T) {
	for body, want := range map[string]string{
		`{"aws:PrincipalArn":"arn:a"}`:           "arn:a",
		`{"AWS:principalarn":["arn:a"]}`:         "arn:a",
		`{"aws:PrincipalArn":["arn:a","arn:b"]}`: "",
		`{"aws:PrincipalArn":{"x":1}}`:           "",
		`{"aws:PrincipalArn":7}`:                 "",
		`{}`:                                     "",
		`{"aws:PrincipalArn":"arn:a","AWS:PRINCIPALARN":"arn:a"}`:      "arn:a",
		`{"aws:PrincipalArn":"arn:a","aws:userid":"AROAX:s","x":null}`: "arn:a",
	} {
		tr := answering(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"requestContext":`+body+`}`) })
		a, err := tr.Details(t.Context(), home, ofUS)
		if err != nil || a.Principal != want {
			t.Errorf("%s: %+v, %v", body, a, err)
		}
	}
}

// TestToolboxEndpoint ensures that the host is the region's own, in the forms that the SDK knows, and
// that an endpoint of the environment goes before.
func TestToolboxEndpoint(t *testing.T) {
	for _, c := range []struct{ region, env, want string }{
		{"us-east-1", "", "https://iam-toolbox.us-east-1.amazonaws.com"},
		{"cn-north-1", "", "https://iam-toolbox.cn-north-1.amazonaws.com.cn"},
		{"us-gov-west-1", "", "https://iam-toolbox.us-gov-west-1.amazonaws.com"},
		{"eusc-de-east-1", "", "https://iam-toolbox.eusc-de-east-1.amazonaws.eu"},
		{"us-east-1", "AWS_USE_FIPS_ENDPOINT=true", "https://iam-toolbox-fips.us-east-1.amazonaws.com"},
		{"us-east-1", "AWS_USE_DUALSTACK_ENDPOINT=true", "https://iam-toolbox.us-east-1.api.aws"},
		{"us-east-1", "AWS_ENDPOINT_URL=http://127.0.0.1:1", "http://127.0.0.1:1"},
		{"us-east-1", "AWS_ENDPOINT_URL_IAM_TOOLBOX=http://127.0.0.1:2", "http://127.0.0.1:2"},
		{"us-east-1", "AWS_ENDPOINT_URL_CODEBUILD=http://127.0.0.1:3", "https://iam-toolbox.us-east-1.amazonaws.com"},
	} {
		t.Run(c.region+" "+c.env, func(t *testing.T) {
			if name, value, ok := strings.Cut(c.env, "="); ok {
				t.Setenv(name, value)
			}
			cfg, err := awsconfig.LoadDefaultConfig(t.Context(), awsconfig.WithRegion(c.region))
			if err != nil {
				t.Fatal(err)
			}
			if got := newToolbox(cfg).base; got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}
