package simaws_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/buildmedic/buildmedic/internal/simaws"
)

const (
	policyOf  = `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:ACTION", "Resource": "*"}]}`
	codeWorld = `
github: {token: t, repositories: [example/tracker], permissions: [contents], outages: [{after: 10m, lasts: 1h}]}
roles: [{name: x, attached: [ci]}, {name: y}]
code:
  - {repository: example/tracker, files: {x.json: 'READ'}, links: {y.json: x.json}}
  - {repository: infra, branch: prod, files: {ci.json: 'READ'}}
deploys:
  - {repository: example/tracker, path: x.json, role: x, inline: p, takes: 3m}
  - {repository: example/tracker, path: new.json, role: y, inline: p}
  - {repository: infra, branch: prod, path: ci.json, policy: ci, takes: 1m}
`
)

func allowing(action string) string { return strings.Replace(policyOf, "ACTION", action, 1) }

func codeSim(t *testing.T) *simaws.Sim {
	t.Helper()
	s, err := simaws.Load([]byte(strings.ReplaceAll(codeWorld, "READ", allowing("GetObject"))))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

const ciPolicy = "arn:aws:iam::111122223333:policy/ci"

// What files of code say is in IAM at first, and after each change of their branch when it is deployed;
// a deployment that changes nothing is none.
func TestDeployed(t *testing.T) {
	s := codeSim(t)
	holds := func(when, x, y, ci string) {
		t.Helper()
		var newest string
		for _, v := range s.PolicyVersions(ciPolicy) {
			if v.Default {
				newest = v.Document
			}
		}
		inX, attached := s.RolePolicies("", "x")
		inY, _ := s.RolePolicies("", "y")
		if inX["p"] != x || inY["p"] != y || newest != ci || len(attached) != 1 {
			t.Errorf("%s: IAM holds %q, %q, %q; want %q, %q, %q", when, inX["p"], inY["p"], newest, x, y, ci)
		}
	}
	read, write := allowing("GetObject"), allowing("PutObject")
	holds("at first", read, "", read)
	file := func(path, text string) map[string]*simaws.GitFile {
		return map[string]*simaws.GitFile{path: {Text: text}}
	}
	s.PushCode("example/tracker", "feature", "m", file("x.json", write))
	s.PushCode("infra", "main", "m", file("ci.json", write))
	s.Settle()
	holds("after pushes to other branches", read, "", read)
	s.PushCode("example/tracker", "main", "m", file("new.json", read))
	s.Settle()
	holds("after a new file", read, read, read)
	if !s.ClosePull(openPull(s, "example/tracker", "feature"), true) {
		t.Fatal("it cannot be merged")
	}
	s.Clock.Advance(3*time.Minute - time.Second)
	holds("before it is deployed", read, read, read)
	s.Clock.Advance(time.Second)
	holds("once it is deployed", write, read, read)
	for range 6 { // more than a policy can have versions
		s.PushCode("infra", "prod", "m", file("ci.json", write))
		s.PushCode("infra", "prod", "m", file("ci.json", read))
		s.PushCode("infra", "prod", "m", file("ci.json", write))
		s.Settle()
	}
	holds("after many", write, read, write)
	if n := len(s.PolicyVersions(ciPolicy)); n != 5 {
		t.Errorf("the policy has %d versions", n)
	}
	done := len(s.Deployments())
	s.PushCode("example/tracker", "main", "m", file("x.json", "{"))
	s.PushCode("example/tracker", "main", "m", map[string]*simaws.GitFile{"new.json": nil})
	s.Settle()
	holds("after what cannot be deployed", write, read, write)
	var failed []string
	for _, d := range s.Deployments()[done:] {
		failed = append(failed, d.To+": "+strings.SplitAfter(d.Error, "policy.")[0])
	}
	want := []string{"role y, inline policy p: there is no file new.json",
		"role x, inline policy p: MalformedPolicyDocument: Syntax errors in policy.",
		"role x, inline policy p: MalformedPolicyDocument: Syntax errors in policy."}
	if d := cmp.Diff(want, failed); d != "" {
		t.Errorf("failed deployments (-want +got):\n%s", d)
	}
}

// openPull has somebody open a pull request, and tells its number.
func openPull(s *simaws.Sim, repository, head string) int {
	s.OpenPull(repository, head, "main", false)
	all := s.PullRequests()
	return all[len(all)-1].Number
}

// A pull request says what it brings and what became of it, wherever it is.
func TestCodeRequests(t *testing.T) {
	s := codeSim(t)
	s.PushCode("example/tracker", "feature", "Allow it\n\nmore", map[string]*simaws.GitFile{"x.json": {Text: "{}"}, "y.json": nil})
	s.Clock.Advance(time.Hour)
	openPull(s, "example/tracker", "feature")
	want := simaws.CodeRequest{Repository: "example/tracker", Number: "101", Head: "feature", Base: "main", Open: true,
		Opened: s.Clock.Now(), Commits: []string{"Allow it\n\nmore"}, Files: map[string]string{"x.json": "{}", "y.json": ""}}
	if d := cmp.Diff([]simaws.CodeRequest{want}, s.CodeRequests()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if !s.CloseRequest("example/tracker", "101", true) || s.CloseRequest("example/tracker", "101", true) ||
		s.CloseRequest("example/tracker", "x", true) || s.CloseRequest("infra", "101", true) {
		t.Error("an open request can be merged, once")
	}
	want.Open, want.Merged = false, true
	if d := cmp.Diff([]simaws.CodeRequest{want}, s.CodeRequests()); d != "" {
		t.Errorf("merged (-want +got):\n%s", d)
	}
	if got := s.CodeFile("example/tracker", "main", "x.json"); got != "{}" {
		t.Errorf("main has %q", got)
	}
	if got := s.CodeBranches("example/tracker"); got["main"] != "Merge pull request #101" || len(got) != 2 {
		t.Errorf("branches %q", got)
	}
	if got := s.CodeBranches("gone"); len(got) != 0 {
		t.Errorf("a repository that is not there has branches %q", got)
	}
}

// During an outage the code host answers nothing but 503.
func TestOutage(t *testing.T) {
	s := codeSim(t)
	ask := func() int {
		t.Helper()
		r, err := http.NewRequest(http.MethodGet, "https://api.github.com/repos/example/tracker", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer t")
		r.Header.Set("X-GitHub-Api-Version", "2022-11-28")
		resp, err := s.CodeHost(s.Client()).RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	var got []int
	for _, after := range []time.Duration{0, 10 * time.Minute, time.Hour - 1, 1} {
		s.Clock.Advance(after)
		got = append(got, ask())
	}
	if d := cmp.Diff([]int{200, 503, 503, 200}, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
