package settings

import (
	"strings"
	"testing"
)

const shared = `version: 1
notify: {email: [platform@example.com]}
projects:
  - {name: app-pr, role: shared, mode: heal, write: {inline: a}, grants: [read]}
  - {name: app-release, role: ci/Shared, mode: heal, write: {inline: b}, grants: [release]}
  - {name: alone, role: alone, mode: heal, write: {inline: a}, grants: [read]}
  - {name: abroad, account: "444455556666", region: eu-west-1, role: shared, mode: observe}
  - {name: switched, role: other, switch_role: shared, mode: heal}
  - {name: one, role: one, mode: heal, write: {managed: builds, shared: true}, grants: [release]}
  - {name: two, role: two, mode: heal, write: {managed: builds, shared: true}, grants: [read]}
accounts: [{id: "444455556666", region: eu-west-1}]
grants:
  - {id: read, because: B., owner: t, actions: ["s3:GetObject"], resources: ["arn:${partition}:s3:::in/*"]}
  - {id: release, because: B., owner: t, actions: ["s3:PutObject"], resources: ["arn:${partition}:s3:::prod/*"]}
tests:
`

// TestDenyIsOfTheRole ensures that a deny test fails if another project's grant lands
// on the project's role, and only then; and that an allow test is about the project's
// own grants.
func TestDenyIsOfTheRole(t *testing.T) {
	for test, fails := range map[string]string{
		`{project: app-pr, deny: "s3:PutObject", on: "arn:aws:s3:::prod/x"}`:       "grant release of project app-release",
		`{project: app-release, deny: "s3:GetObject", on: "arn:aws:s3:::in/x"}`:    "grant read of project app-pr",
		`{project: alone, deny: "s3:PutObject", on: "arn:aws:s3:::prod/x"}`:        "",
		`{project: abroad, deny: "s3:PutObject", on: "arn:aws:s3:::prod/x"}`:       "",
		`{project: switched, deny: "s3:PutObject", on: "arn:aws:s3:::prod/x"}`:     "grant release of project app-release",
		`{project: two, deny: "s3:PutObject", on: "arn:aws:s3:::prod/x"}`:          "grant release of project one",
		`{project: app-pr, allow: "s3:PutObject", on: "arn:aws:s3:::prod/x"}`:      "no grant of project app-pr",
		`{project: app-release, allow: "s3:PutObject", on: "arn:aws:s3:::prod/x"}`: "",
	} {
		s := mustParse(t, shared+"  - "+test+"\n")
		got := RunTests(s, home, "aws")
		if (len(got) > 0) != (fails != "") || fails != "" && !strings.Contains(got[0].Message, fails) {
			t.Errorf("%s: %v, want %q", test, got, fails)
		}
	}
}

// TestSharing ensures that whoever has what a project is given is found, and that
// the file's reader is warned of it.
func TestSharing(t *testing.T) {
	s := mustParse(t, shared)
	sh := SharingOf(s, home)
	for project, want := range map[string]string{"app-pr": "app-pr app-release switched", "alone": "alone",
		"one": "one two", "switched": "switched"} {
		p, _ := s.Project(project, home.ID, home.Region, home)
		if got := strings.Join(names(sh.Holders(p)), " "); got != want {
			t.Errorf("%s: held by %q, want %q", project, got, want)
		}
	}
	p, _ := s.Project("app-pr", home.ID, home.Region, home)
	if got := sh.Max(p, "aws"); len(got) != 2 {
		t.Errorf("app-pr could gain %v", got)
	}
	warned := ""
	for _, w := range Surprises(s) {
		warned += w.Message + "\n"
	}
	if !strings.Contains(warned, "builds of project app-pr have what project app-release is given") ||
		strings.Contains(warned, "project alone have") {
		t.Errorf("warned of %s", warned)
	}
}

// TestSiblingsDisagree ensures that projects of one role that say different things of
// pull requests are told, and those that say nothing are not.
func TestSiblingsDisagree(t *testing.T) {
	for name, row := range map[string]struct {
		first, second string
		want          bool
	}{
		"neither says anything": {"", "", false},
		"one says nothing":      {", pull_requests: accept", "", false},
		"the same":              {", pull_requests: accept", ", pull_requests: accept", false},
		"otherwise":             {", pull_requests: separate-role", ", pull_requests: accept", true},
	} {
		text := strings.Replace(shared, "{name: app-pr, role: shared", "{name: app-pr, role: shared"+row.first, 1)
		s := mustParse(t, strings.Replace(text, "{name: app-release, role: ci/Shared", "{name: app-release, role: ci/Shared"+row.second, 1))
		warned := ""
		for _, w := range Surprises(s) {
			warned += w.Message + "\n"
		}
		if got := strings.Contains(warned, "project app-pr says separate-role and project app-release says otherwise"); got != row.want {
			t.Errorf("%s: warned of %s", name, warned)
		}
	}
}
