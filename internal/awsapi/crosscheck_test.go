//go:build crosscheck

package awsapi

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/crosscheck"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/simaws"
)

// asked is a request as its receiver knows it.
type asked struct {
	Call, Scope string
	Signed      []string
}

// The AWS SDK for Python has a model of the service, and we have none: what we ask is what it asks, and
// the simulated account answers it so that its model reads the same as we do. A header that the SDK for
// Go signs besides in every request is left out.
func TestCrossCheckDetails(t *testing.T) {
	s := world(t, "access_troubleshooter: {late: 1, page: 1}\nroles: [{name: shop, inline: {logs: LOGS}, boundary: edge}]\n"+
		"policies: [{name: edge, document: '"+may("logs:*")+"'}]\n"+
		"projects: [{name: shop, role: shop, buildspecs: {buildspec.yml: {build: [{run: terraform apply, tool: terraform, "+
		"calls: [{action: iam:GetRole, on: 'arn:aws:iam::111122223333:role/app', also: "+
		"['iam:ListRolePolicies on arn:aws:iam::111122223333:role/app', iam:ListRoles]}]}]}}}]\n")
	b := ran(t, s, simaws.Start{Project: "shop", Version: "refs/heads/main"})
	text, err := Logs{function(s, "")}.Tail(t.Context(), b, never)
	if err != nil {
		t.Fatal(err)
	}
	of := buildlog.ReadEvents(b, text.Text).Denials[0].Authorization
	target, err := url.Parse(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	var requests []asked
	proxy := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		auth := r.In.Header.Get("Authorization")
		_, scope, _ := strings.Cut(auth, "Credential=")
		scope, _, _ = strings.Cut(scope, ",")
		_, signed, _ := strings.Cut(auth, "SignedHeaders=")
		signed, _, _ = strings.Cut(signed, ",")
		requests = append(requests, asked{r.In.Method + " " + r.In.URL.RequestURI(), strings.Join(strings.Split(scope, "/")[2:], "/"),
			slices.DeleteFunc(strings.Split(signed, ";"), func(h string) bool { return h == "amz-sdk-request" })})
		r.SetURL(target)
	}, Transport: http.DefaultTransport})
	defer proxy.Close()
	cfg := config(proxy.URL, simaws.FunctionKey, proxy.Client())
	ours := Troubleshooter{NewAccounts(cfg, home, "aws", "")}
	if _, err := ours.Details(t.Context(), home, of); err == nil {
		t.Error("it is there at once, so nothing is shown of its absence")
	}
	mine, err := ours.Details(t.Context(), home, of)
	if err != nil {
		t.Fatal(err)
	}
	asMine := requests
	requests = nil
	theirs := func(id string) (out struct {
		Error       string
		Context     map[string]any
		Evaluations []struct {
			Action, Resource, EvaluatedEffect string
			Checks                            []struct{ CheckType, EvaluatedEffect, TargetArn string }
		}
	}) {
		lines := crosscheck.Lines(t, crosscheck.Botocore(t, "details.py", proxy.URL, of.Region, id), nil)
		if err := json.Unmarshal([]byte(lines[0]), &out); err != nil {
			t.Fatalf("%v: %s", err, lines)
		}
		return out
	}
	got := theirs(of.ID)
	same := len(requests)
	if d := cmp.Diff(requests, asMine[1:]); d != "" {
		t.Errorf("-botocore +ours:\n%s", d)
	}
	read := guardrail.Authorization{Principal: got.Context["aws:PrincipalArn"].(string), User: got.Context["aws:userid"].(string)}
	for _, e := range got.Evaluations {
		x := guardrail.Evaluation{Action: e.Action, Resource: e.Resource, Effect: e.EvaluatedEffect}
		for _, c := range e.Checks {
			x.Checks = append(x.Checks, guardrail.Check{Type: c.CheckType, Effect: c.EvaluatedEffect, Target: c.TargetArn})
		}
		read.Evaluations = append(read.Evaluations, x)
	}
	for i := range mine.Evaluations {
		for j := range mine.Evaluations[i].Checks {
			mine.Evaluations[i].Checks[j].Policies = nil
		}
	}
	if d := cmp.Diff(read, mine); d != "" || len(mine.Evaluations) != 3 {
		t.Errorf("-botocore +ours:\n%s", d)
	}
	if got := theirs("0nobody").Error; got != "ResourceNotFoundException" {
		t.Errorf("of nobody's ID: %q", got)
	}
	t.Logf("%d requests and %d evaluations are the same", same, len(mine.Evaluations))
}
