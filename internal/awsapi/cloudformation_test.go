package awsapi

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/simaws"
)

// stacks is a world in which two builds deploy a stack that fails, an hour apart, the second time
// with many resources; one stack has another within it, and one is gone when it failed.
const stacks = `
start: 2026-11-22T10:00:00Z
roles: [{name: r, inline: {all: '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'}}]
projects:
  - {name: shop, role: r, buildspecs: {buildspec.yml: {build: ["aws cloudformation deploy --stack-name shop"]}}}
  - {name: gone, role: r, buildspecs: {buildspec.yml: {build: ["aws cloudformation deploy --stack-name gone"]}}}
stacks:
  - name: shop
    resources:
      - {id: Hooked, type: "AWS::S3::Bucket", hook: {name: "Company::Warn", reason: perhaps, mode: WARN}}
      - {id: Checked, type: "AWS::KMS::Key", validation: {name: PROPERTY_VALIDATION, reason: perhaps, path: /Resources/Checked, mode: WARN}}
      - {id: Net, type: "AWS::CloudFormation::Stack", stack: net}
%s
  - {name: net, nested: true, resources: [{id: Vpc, type: "AWS::EC2::VPC", reason: no room}]}
  - {name: gone, deleted: true, resources: [{id: A, type: "AWS::S3::Bucket",
      validation: {name: NAME_CONFLICT_VALIDATION, reason: it exists, path: /Resources/A}}]}
starts:
  - {project: shop, version: refs/heads/main}
  - {project: shop, version: refs/heads/main, after: 1h}
  - {project: gone, version: refs/heads/main}
`

// TestStackEvents reads the events of the time alone, all pages of them, by both calls.
func TestStackEvents(t *testing.T) {
	var more strings.Builder
	for i := range 30 {
		fmt.Fprintf(&more, "      - {id: More%d, type: \"AWS::SQS::Queue\"}\n", i)
	}
	s := world(t, fmt.Sprintf(stacks, strings.TrimSuffix(more.String(), "\n")))
	s.Settle()
	from := time.Date(2026, 11, 22, 10, 59, 0, 0, time.UTC)
	for _, way := range []string{"DescribeEvents", "DescribeStackEvents"} {
		if way == "DescribeStackEvents" { // where the other is not known
			s.Hook(func(c simaws.Call) simaws.Fault {
				if c.Operation == "DescribeEvents" {
					return simaws.Fault{Code: "InvalidAction", Status: 400}
				}
				return simaws.Fault{}
			})
		}
		of := Stacks{function(s, "")}
		list, err := of.Failed(t.Context(), home, "shop", from, from.Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		failed := 0
		for _, e := range list {
			if e.Time.Before(from) || e.Name() != "shop" || strings.Contains(fmt.Sprint(e), simaws.SecretProperty) {
				t.Errorf("%s: %+v", way, e)
			}
			if !e.Warning && !e.Rollback {
				failed++
			}
		}
		if failed != 31 { // the nested stack, and what was cancelled
			t.Errorf("%s: %d events that failed", way, failed)
		}
		e, ok := buildlog.StackCause(list)
		if !ok || e.Resource != "Net" || e.Nested() == "" {
			t.Fatalf("%s: %+v", way, e)
		}
		if list, err = of.Failed(t.Context(), home, e.Nested(), from, from.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		if e, ok = buildlog.StackCause(list); !ok || e.Resource != "Vpc" || e.Reason != "no room" {
			t.Errorf("%s: %+v", way, e)
		}
		if list, err := of.Failed(t.Context(), home, "shop", from.Add(24*time.Hour), from.Add(25*time.Hour)); err != nil || len(list) > 0 {
			t.Errorf("%s: another time has %+v, %v", way, list, err)
		}
	}
}

// TestDeletedStack: a stack that is gone is not found by its name, and by its id it is; a validation
// before the deployment is told with where in the template it is.
func TestDeletedStack(t *testing.T) {
	s := world(t, fmt.Sprintf(stacks, ""))
	s.Settle()
	of := Stacks{function(s, "")}
	from, to := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC), time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	for _, name := range []string{"gone", "never"} {
		if _, err := of.Failed(t.Context(), home, name, from, to); !errors.Is(err, heal.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	list, err := of.Failed(t.Context(), home, s.StackID("gone"), from, to)
	if err != nil {
		t.Fatal(err)
	}
	e, ok := buildlog.StackCause(list)
	if !ok || e.Resource != "A" || e.By != "NAME_CONFLICT_VALIDATION" || e.Reason != "it exists (/Resources/A)" {
		t.Errorf("%+v", e)
	}
}

// TestStackPagesEnd: however many pages there are, and however large they are, few are read and few
// events kept.
func TestStackPagesEnd(t *testing.T) {
	pages := map[string]int{}
	unknown := true
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		operation := r.PostForm.Get("Action")
		pages[operation]++
		if operation == "DescribeEvents" && unknown {
			w.WriteHeader(400)
			fmt.Fprint(w, "<ErrorResponse><Error><Code>InvalidAction</Code><Message>no</Message></Error></ErrorResponse>")
			return
		}
		list := map[string]string{"DescribeEvents": "OperationEvents", "DescribeStackEvents": "StackEvents"}[operation]
		fmt.Fprintf(w, "<%[1]sResponse><%[1]sResult><%[2]s>", operation, list)
		for range 100 {
			fmt.Fprint(w, "<member><Timestamp>2026-11-22T10:00:00.123Z</Timestamp><ResourceStatus>CREATE_FAILED</ResourceStatus>"+
				"<ResourceStatusReason>x</ResourceStatusReason></member>")
		}
		fmt.Fprintf(w, "</%[2]s><NextToken>%[3]d</NextToken></%[1]sResult></%[1]sResponse>", operation, list, pages[operation])
	}))
	defer srv.Close()
	of := Stacks{NewAccounts(config(srv.URL, simaws.FunctionKey, srv.Client()), home, "aws", "")}
	at := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	for _, unknown = range []bool{true, false} {
		list, err := of.Failed(t.Context(), home, "shop", at, at.Add(time.Hour))
		if err != nil || len(list) != maxStackEvents {
			t.Errorf("%d events, %v", len(list), err)
		}
	}
	if pages["DescribeStackEvents"] != maxStackPages || pages["DescribeEvents"] != 1+maxStackPages {
		t.Errorf("pages: %v", pages)
	}
}
