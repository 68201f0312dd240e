package main

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestCheckPermanent ensures that check says where changes are made permanent, for each role, and which
// grants end instead, without a warning.
func TestCheckPermanent(t *testing.T) {
	file := settingsOf(t, `version: 1
notify: {email: [a@example.com]}
code: {github: {secret: x}}
defaults: {boundary: b, permanent: {code: {github: example/roles, path: "aws/${project}.json"}}}
projects:
  - name: shop
    role: build
    mode: heal
    write: {inline: a}
    grants: [read, ends]
    also_roles:
      - {role: exec, boundary: b, grants: [read, ends], write: {managed: p}, permanent: {code: {codecommit: roles, path: exec.json}}}
      - {role: task, boundary: b, grants: [read], write: {inline: t}}
  - {name: site, role: site, mode: propose, write: {attach: true}, grants: [read]}
  - {name: docs, role: docs, write: {inline: a}}
  - {name: web, role: web, mode: heal, write: {inline: a}, grants: [read], permanent: {}}
grants:
  - {id: read, because: B., owner: t, actions: ["s3:GetObject"], resources: ["arn:aws:s3:::in/x"]}
  - {id: ends, because: B., owner: t, actions: ["s3:PutObject"], resources: ["arn:aws:s3:::in/x"], expires: 14d}
tests:
  - {project: shop, allow: "s3:GetObject", on: "arn:aws:s3:::in/x"}
`)
	code, out, errs := buildmedic(t, "", "check", file)
	if code != exitOK || !strings.Contains(out, "\nMade permanent in code: shop, site; grants that end are not: ends\n") ||
		strings.Contains(out, "warning") {
		t.Errorf("code %d\n%s%s", code, out, errs)
	}
	_, out, _ = buildmedic(t, "", "check", "-v", file)
	for want, times := range map[string]int{
		"\n  what it is given is asked for in aws/shop.json in github.com/example/roles, too, and taken back once it has that from " +
			"there\n  grants that end are not asked for there: ends\n": 1,
		"\n    what it is given is asked for in exec.json in CodeCommit repository roles, too, and taken back once it has that from " +
			"there\n    grants that end are not asked for there: ends\n": 1,
		"what it is given": 3, "grants that end": 2,
	} {
		if strings.Count(out, want) != times {
			t.Errorf("not %d times: %q in\n%s", times, want, out)
		}
	}
	_, out, _ = buildmedic(t, "", "check", "-json", file)
	var c checked
	if err := json.Unmarshal([]byte(out), &c); err != nil || len(c.Projects) != 4 || c.Projects[0].Permanent == nil ||
		c.Projects[0].Permanent.But[0] != "ends" || c.Projects[0].Also[0].Permanent.File != "exec.json in CodeCommit repository roles" ||
		c.Projects[0].Also[1].Permanent != nil || c.Projects[1].Permanent.But != nil || c.Projects[2].Permanent != nil ||
		c.Projects[3].Permanent != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if _, out, _ = buildmedic(t, "", "check", forty); strings.Contains(out, "Made permanent") {
		t.Errorf("where nothing is:\n%s", out)
	}
}
