package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/simaws"
)

// TestPullRequestsFoundLive ensures that scan and check -live find the projects that
// build pull requests, that scan's settings say what to decide, and that check warns of
// a role which they share.
func TestPullRequestsFoundLive(t *testing.T) {
	const project = `  - name: NAME
    role: build
HOOK    buildspecs: {buildspec.yml: {build: [aws s3 cp x s3://dist/x]}}
`
	world := "buckets: [{name: dist}]\nroles: [{name: build}]\nprojects:\n" +
		strings.NewReplacer("NAME", "web", "HOOK", "").Replace(project) +
		strings.NewReplacer("NAME", "lint", "HOOK", "    webhook: [[{type: EVENT, pattern: PULL_REQUEST_CREATED}]]\n").Replace(project)
	sim, err := simaws.Load([]byte(world))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sim.Close)
	behind(t, sim)
	if _, err := sim.Run(simaws.Start{Project: "lint", Version: "refs/heads/main"}); err != nil {
		t.Fatal(err)
	}
	sim.Settle()
	code, out, errs := buildmedic(t, "", "scan")
	if code != exitOK || !strings.Contains(out, "What builds pull requests, which have whatever the role is given\n        lint\n") ||
		!strings.Contains(out, "    # pull_requests: accept\n") {
		t.Errorf("scan: code %d\n%s\n%s", code, out, errs)
	}
	for says, want := range map[string]string{
		"":                               "the webhook of project lint starts builds of pull requests",
		", pull_requests: separate-role": "project web says separate-role, and the webhook of project lint",
		", pull_requests: accept":        "",
	} {
		file := filepath.Join(t.TempDir(), "buildmedic.yaml")
		if err := os.WriteFile(file, []byte(`version: 1
projects:
  - {name: web, role: build, mode: heal, write: {inline: healed}, grants: [dist]`+says+`}
  - {name: lint, role: build}
grants:
  - {id: dist, because: B., owner: t, actions: ["s3:PutObject"], resources: ["arn:${partition}:s3:::dist/x"]}
`), 0o600); err != nil {
			t.Fatal(err)
		}
		code, out, errs := buildmedic(t, "", "check", "-v", "-settings", file, "-live")
		if code != exitOK || !strings.Contains(out, want) || (want == "") == strings.Contains(out, "pull requests") {
			t.Errorf("check -live with %q: code %d\n%s\n%s", says, code, out, errs)
		}
		if _, out, _ := buildmedic(t, "", "check", "-v", "-settings", file); strings.Contains(out, "pull requests") {
			t.Errorf("without -live it reads AWS:\n%s", out)
		}
	}
}
