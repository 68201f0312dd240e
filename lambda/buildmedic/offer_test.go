package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/simaws"
)

// TestReplayOffer ensures that a person who replays a failure at the desk, sees a
// grant's own pattern offered and says yes, has approved it.
func TestReplayOffer(t *testing.T) {
	sim, err := simaws.Load([]byte(`start: 2026-11-22T10:00:00Z
buckets: [{name: dist}]
roles:
  - name: web-build
    inline:
      base: '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": "*", "Action":
        ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]}]}'
projects:
  - {name: web, role: web-build, buildspecs: {buildspec.yml: {build: [aws s3 cp x s3://dist/x]}}}
starts: [{project: web, version: refs/heads/main}]
`))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sim.Close)
	sim.Settle()
	file := filepath.Join(t.TempDir(), "buildmedic.yaml")
	if err := os.WriteFile(file, []byte(`version: 1
limits: {new_resources_per_case: 0}
projects:
  - {name: web, role: web-build, mode: heal, write: {inline: healed}, grants: [dist]}
grants:
  - {id: dist, because: It uploads., owner: web, actions: ["s3:PutObject"], resources: ["arn:${partition}:s3:::dist/*"]}
`), 0o600); err != nil {
		t.Fatal(err)
	}
	behind(t, sim)
	code, out, errs := buildmedic(t, "", "replay", "-settings", file, "-ledger", filepath.Join(t.TempDir(), "l.json"), "-apply",
		"-yes", sim.Builds("web")[0].ID)
	in, _ := sim.RolePolicies("", "web-build")
	if code != exitOK || !strings.Contains(out, "new_resources_per_case (0)") || !strings.Contains(in["healed"], "arn:aws:s3:::dist/*") {
		t.Errorf("exit %d, policy %q\n%s%s", code, in["healed"], out, errs)
	}
}

// TestCheckUnitesByRole ensures that check shows what a project has by the grants of
// another one on its role, and says whose they are.
func TestCheckUnitesByRole(t *testing.T) {
	file := filepath.Join(t.TempDir(), "buildmedic.yaml")
	if err := os.WriteFile(file, []byte(`version: 1
notify: {email: [platform@example.com]}
projects:
  - {name: watched, role: shared, mode: observe}
  - {name: release, role: shared, mode: heal, write: {inline: b}, grants: [release]}
grants:
  - {id: release, because: B., owner: t, actions: ["s3:PutObject"], resources: ["arn:${partition}:s3:::prod/*"]}
`), 0o600); err != nil {
		t.Fatal(err)
	}
	_, out, errs := buildmedic(t, "", "check", "-v", "-settings", file)
	_, watched, _ := strings.Cut(out, "\nwatched  ")
	watched, _, _ = strings.Cut(watched, "\nrelease  ")
	for _, want := range []string{"has what project release is given, too", "could at most gain", "s3:PutObject"} {
		if !strings.Contains(watched, want) {
			t.Errorf("of the watched project it does not say %q:\n%s%s", want, out, errs)
		}
	}
}
