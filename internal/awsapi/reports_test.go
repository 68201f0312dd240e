package awsapi

import (
	"errors"
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/simaws"
)

// tested is a project with reports of its tests, and one of their coverage.
const tested = `
roles: [{name: r, inline: {logs: LOGS}}]
projects:
  - name: shop
    role: r
    buildspecs: {buildspec.yml: {build: [{run: make, fails: {prints: "no"}}]}}
    reports:
      - {group: unit, passed: 3, cases: [{suite: S, name: row %d, repeat: 230, message: no}, {name: broken, status: ERROR}]}
      - {group: green, passed: 2}
      - {group: half, incomplete: true}
      - {group: coverage, type: CODE_COVERAGE}
`

func TestReports(t *testing.T) {
	s := world(t, tested)
	b := ran(t, s, simaws.Start{Project: "shop"})
	r := Reports{function(s, "")}
	if len(b.ReportARNs) != 4 {
		t.Fatalf("the build has the reports %q", b.ReportARNs)
	}
	gone := strings.Replace(b.ReportARNs[0], "shop-unit:", "shop-unit:0", 1)
	list, err := r.Read(t.Context(), home, append([]string{gone}, b.ReportARNs...))
	if err != nil || len(list) != 4 {
		t.Fatalf("%v, %+v", err, list)
	}
	for i, want := range []codebuild.Report{
		{Type: "TEST", Status: "FAILED", Failed: 230, Errors: 1},
		{Type: "TEST", Status: "SUCCEEDED"},
		{Type: "TEST", Status: "INCOMPLETE"},
		{Type: "CODE_COVERAGE", Status: "SUCCEEDED", Failed: -1, Errors: -1},
	} {
		want.ARN, want.Build = b.ReportARNs[i], b.ARN
		if list[i] != want {
			t.Errorf("got %+v, want %+v", list[i], want)
		}
	}
	for _, row := range []struct {
		status string
		most   int
		got    int
		calls  int
	}{{"FAILED", 200, 200, 2}, {"FAILED", 201, 201, 3}, {"FAILED", 999, 230, 3}, {"FAILED", 7, 7, 1}, {"ERROR", 200, 1, 1}} {
		before := count(s, "DescribeTestCases")
		cases, err := r.Cases(t.Context(), home, b.ReportARNs[0], row.status, row.most)
		if n := count(s, "DescribeTestCases") - before; err != nil || len(cases) != row.got || n != row.calls {
			t.Errorf("%d of %s: %d in %d calls, %v", row.most, row.status, len(cases), n, err)
		}
		if want := (codebuild.TestCase{Suite: "S", Name: "row 1", Message: "no"}); row.status == "FAILED" && cases[0] != want {
			t.Errorf("got %+v, want %+v", cases[0], want)
		}
	}
	if _, err := r.Cases(t.Context(), home, gone, "FAILED", 1); !errors.Is(err, heal.ErrNotFound) {
		t.Errorf("a report that is gone: %v", err)
	}
}

// TestReportPages ensures that pages which hold little, or nothing, do not go on for ever, and that
// what was read before an error is returned with it.
func TestReportPages(t *testing.T) {
	s := world(t, strings.Replace(tested, "repeat: 230", "repeat: 500", 1))
	b := ran(t, s, simaws.Start{Project: "shop"})
	calls := 0
	s.Hook(func(c simaws.Call) simaws.Fault {
		if c.Operation == "DescribeTestCases" && !c.Done {
			if calls++; calls == 3 {
				return simaws.Fault{Code: "AccessDeniedException", Status: 400,
					Message: "User: x is not authorized to perform: codebuild:DescribeTestCases on resource: y"}
			}
		}
		return simaws.Fault{}
	})
	cases, err := Reports{function(s, "")}.Cases(t.Context(), home, b.ReportARNs[0], "FAILED", 500)
	var denied heal.DeniedError
	if len(cases) != 200 || !errors.As(err, &denied) || denied.Action != "codebuild:DescribeTestCases" {
		t.Errorf("%d cases, %v", len(cases), err)
	}
}

// TestReportTexts ensures that no text of a case is longer than what is kept of it.
func TestReportTexts(t *testing.T) {
	long := strings.Repeat("x", 100<<10)
	s := world(t, strings.Replace(tested, "message: no", "message: "+long, 1))
	b := ran(t, s, simaws.Start{Project: "shop"})
	cases, err := Reports{function(s, "")}.Cases(t.Context(), home, b.ReportARNs[0], "FAILED", 1)
	if err != nil || len(cases[0].Message) > 16<<10 || cases[0].Message == "" {
		t.Errorf("%v, a message of %d bytes", err, len(cases[0].Message))
	}
}
