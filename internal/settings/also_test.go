package settings

import (
	"strings"
	"testing"
)

const also = `version: 1
notify: {email: [platform@example.com]}
projects:
  - name: shop
    role: ci/build
    switch_role: ci/ready
    mode: heal
    write: {inline: a}
    grants: [read]
    also_roles:
      - {role: deploy/exec, grants: [release], write: {managed: p}, boundary: b}
      - {role: task, grants: [read], write: {inline: t}}
  - {name: web, role: web, mode: heal, write: {inline: a}, grants: [read],
     also_roles: [{role: Exec, grants: [more], write: {managed: p}, boundary: b}]}
  - {name: runs-as-it, role: x/TASK, mode: heal}
grants:
  - {id: read, because: B., owner: t, actions: ["s3:GetObject"], resources: ["arn:${partition}:s3:::in/*"]}
  - {id: release, because: B., owner: t, actions: ["s3:PutObject"], resources: ["arn:${partition}:s3:::prod/*"]}
  - {id: more, because: B., owner: t, actions: ["s3:DeleteObject"], resources: ["arn:${partition}:s3:::prod/*"]}
tests:
  - {project: shop, allow: "s3:PutObject", on: "arn:aws:s3:::prod/x"}
  - {project: web, deny: "sqs:SendMessage", on: "arn:aws:sqs:eu-west-1:111122223333:q"}
`

// TestProjectFor: what a project is for another role has nothing of its own role's, and leads back to it.
func TestProjectFor(t *testing.T) {
	p := mustParse(t, also).Projects[0]
	if len(p.AlsoRoles) != 2 || p.IsFor() {
		t.Fatalf("read %+v", p)
	}
	q := p.For(p.AlsoRoles[0])
	if !q.IsFor() || q.Role != "deploy/exec" || strings.Join(q.Grants, " ") != "release" || q.Write != (Write{Managed: "p"}) ||
		q.Boundary != "b" || q.SwitchRole != "" || q.Name != "shop" || q.Mode != Heal {
		t.Errorf("for the first: %+v", q)
	}
	for name, want := range map[string]string{"exec": "deploy/exec", "task": "task", "build": "ci/build", "ready": "ci/build",
		"x": "ci/build", "EXEC": "ci/build"} {
		if got := q.ForRole(name).Role; got != want {
			t.Errorf("for role %s: %s, want %s", name, got, want)
		}
	}
	if w := q.For(p.AlsoRoles[1]).Whole(); w.IsFor() || w.Role != "ci/build" || w.SwitchRole != "ci/ready" || w.Write.Inline != "a" {
		t.Errorf("the whole of it: %+v", w)
	}
}

// TestSharingOfOtherRoles: what lands on another role of a deployment is held by whoever deploys with it or runs
// as it, and a deny test of each is about it, too.
func TestSharingOfOtherRoles(t *testing.T) {
	s := mustParse(t, also)
	sh := SharingOf(s, home)
	shop, web := s.Projects[0], s.Projects[1]
	for _, row := range []struct {
		p       Project
		holders string
		most    int
	}{
		{shop, "shop", 1}, {shop.For(shop.AlsoRoles[0]), "shop web", 2}, {shop.For(shop.AlsoRoles[1]), "shop runs-as-it", 1},
		{web, "web", 1},
	} {
		if got := strings.Join(names(sh.Holders(row.p)), " "); got != row.holders {
			t.Errorf("role %s: held by %q, want %q", row.p.Role, got, row.holders)
		}
		if got := sh.Max(row.p, "aws"); len(got) != row.most {
			t.Errorf("role %s could get %v", row.p.Role, got)
		}
	}
	if got := RunTests(s, home, "aws"); len(got) > 0 {
		t.Errorf("tests: %v", got)
	}
	for test, fails := range map[string]string{
		`{project: shop, deny: "s3:DeleteObject", on: "arn:aws:s3:::prod/x"}`: "grant more of project web, which lands on the role " +
			"deploy/exec",
		`{project: web, deny: "s3:PutObject", on: "arn:aws:s3:::prod/x"}`: "grant release of project shop, which lands on the role " +
			"Exec",
		`{project: runs-as-it, deny: "s3:GetObject", on: "arn:aws:s3:::in/x"}`:      "grant read of project shop",
		`{project: runs-as-it, deny: "s3:DeleteObject", on: "arn:aws:s3:::prod/x"}`: "",
		`{project: web, allow: "s3:PutObject", on: "arn:aws:s3:::prod/x"}`:          "no grant of project web",
	} {
		got := RunTests(mustParse(t, also+"  - "+test+"\n"), home, "aws")
		if (len(got) > 0) != (fails != "") || fails != "" && !strings.Contains(got[0].Message, fails) {
			t.Errorf("%s: %v, want %q", test, got, fails)
		}
	}
}

// TestSurprisesOfOtherRoles: a role of the CDK's bootstrap is pointed out, each role without a boundary is, and a
// grant that only another role has is one that is used.
func TestSurprisesOfOtherRoles(t *testing.T) {
	said := ""
	for _, p := range Surprises(mustParse(t, also)) {
		said += p.Path + ": " + p.Message + "\n"
	}
	if strings.Contains(said, "no project has grant") || strings.Contains(said, "bootstrap") {
		t.Errorf("said %s", said)
	}
	s := mustParse(t, strings.Replace(also, "role: task", "role: cdk-x-deploy-role-111122223333-eu-west-1", 1))
	said = ""
	for _, p := range Surprises(s) {
		said += p.Path + ": " + p.Message + "\n"
	}
	if !strings.Contains(said, "projects[0].also_roles[1]: cdk-x-deploy-role") {
		t.Errorf("said %s", said)
	}
	said = ""
	for _, p := range Unbounded(s) {
		said += p.Path + " "
	}
	if said != "projects[0].also_roles[1].boundary projects[1].boundary " {
		t.Errorf("unbounded: %s", said)
	}
}
