package settings

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// bridged has a project whose changes are made permanent in a file for each of its roles, and one whose
// roles' policies are in code.
const bridged = `version: 1
notify: {email: [platform@example.com]}
code: {github: {secret: x, url: "https://github.example.com"}}
defaults: {permanent: {code: {github: example/roles, path: "aws/${project}.json"}}}
projects:
  - name: shop
    role: build
    mode: heal
    write: {inline: a}
    grants: [read, ends]
    also_roles:
      - {role: exec, grants: [read], write: {managed: p}, permanent: {code: {codecommit: roles, path: exec.json, base: live}}}
      - {role: task, grants: [read], write: {inline: t}}
  - {name: web, role: web, mode: heal, write: {code: {github: example/web, path: p.json}}, permanent: {}, grants: [read]}
  - {name: docs, role: docs}
grants:
  - {id: read, because: B., owner: t, actions: ["s3:GetObject"], resources: ["arn:${partition}:s3:::in/*"]}
  - {id: ends, because: B., owner: t, actions: ["s3:PutObject"], resources: ["arn:${partition}:s3:::in/*"], expires: 14d}
tests:
  - {project: shop, allow: "s3:GetObject", on: "arn:aws:s3:::in/x"}
`

// TestPermanent: each role is made permanent where its own entry says, or its project for the project's
// role; a project to which nothing is written is not.
func TestPermanent(t *testing.T) {
	s := mustParse(t, bridged)
	shop, web, docs := s.Projects[0], s.Projects[1], s.Projects[2]
	own := PolicyCode{GitHub: "example/roles", Path: "aws/shop.json"}
	for _, row := range []struct {
		p               Project
		permanent, asks PolicyCode
		ending          string
	}{
		{shop, own, own, "ends"},
		{shop.For(shop.AlsoRoles[0]), PolicyCode{CodeCommit: "roles", Path: "exec.json", Base: "live"},
			PolicyCode{CodeCommit: "roles", Path: "exec.json", Base: "live"}, ""},
		{shop.For(shop.AlsoRoles[1]), PolicyCode{}, PolicyCode{}, ""},
		{shop.For(shop.AlsoRoles[1]).Whole(), own, own, "ends"},
		{web, PolicyCode{}, PolicyCode{GitHub: "example/web", Path: "p.json"}, ""},
		{docs, PolicyCode{}, PolicyCode{}, ""},
	} {
		if row.p.Permanent != row.permanent || row.p.PolicyCode() != row.asks {
			t.Errorf("%s, role %s: permanent in %+v, asked for in %+v", row.p.Name, row.p.Role, row.p.Permanent, row.p.PolicyCode())
		}
		if got := strings.Join(s.Ending(row.p), " "); got != row.ending {
			t.Errorf("%s, role %s: %q ends", row.p.Name, row.p.Role, got)
		}
	}
}

// TestSurprisesOfFiles: a file for several roles is pointed out once, and nothing else of what is made
// permanent; nor is the host of the requests one that nothing needs.
func TestSurprisesOfFiles(t *testing.T) {
	const (
		web    = "{github: example/web, path: p.json}"
		exec   = "codecommit: roles, path: exec.json, base: live"
		same   = "github: example/roles, path: aws/shop.json"
		url    = `, url: "https://github.example.com"`
		member = "111122223333"
		unread = "code.github: no project tells its developers anything there, or asks there for what its role may be given, so " +
			"GitHub is not reached; give a project code: {github: OWNER/REPOSITORY}, or remove it"
	)
	shared := func(roles string) []string {
		return []string{"projects[0].permanent.code: aws/shop.json in github.example.com/example/roles is the file of " + roles +
			": each has what is asked for another one; name a file for each, where that is not meant"}
	}
	for name, row := range map[string]struct {
		edits []string // old and new in turn
		want  []string
	}{
		"each its own": {},
		"in CodeCommit alone": {[]string{url, "", web, "{codecommit: web, path: p.json}", "{github: example/roles,",
			"{codecommit: roles,"}, []string{unread}},
		"one for all": {[]string{"aws/${project}.json", "aws/shop.json", "permanent: {}, ", "", "{code: " + web + "}", "{inline: w}"},
			shared("role build, role web")},
		"of code, too":      {[]string{web, "{" + same + "}"}, shared("role build, role web")},
		"of another branch": {[]string{web, "{" + same + ", base: live}"}, nil},
		"of the project's other roles": {[]string{exec, same, "{inline: t}}", "{inline: t}, permanent: {code: {" + same + "}}}"},
			shared("role build, policy p, role task")},
		"one policy on two roles":  {[]string{"write: {inline: a}", "write: {managed: x/P, shared: true}", exec, same}, nil},
		"one role of two projects": {[]string{"role: web,", "role: x/BUILD,", web, "{" + same + "}"}, nil},
		"CodeCommit of two accounts": {[]string{"code: {github: {secret: x" + url + "}}\n", "", "github: example/roles",
			"codecommit: roles", web, "{codecommit: roles, path: aws/shop.json}", "name: web,", `name: web, account: "` + member + `",`,
			"grants:\n", "accounts: [{id: \"" + member + "\", region: eu-west-1}]\ngrants:\n"}, nil},
	} {
		text := bridged
		for i := 0; i < len(row.edits); i += 2 {
			if !strings.Contains(text, row.edits[i]) {
				t.Fatalf("%s: there is no %q", name, row.edits[i])
			}
			text = strings.ReplaceAll(text, row.edits[i], row.edits[i+1])
		}
		var got []string
		for _, p := range Surprises(mustParse(t, text)) {
			if !strings.Contains(p.Message, "have what project") {
				got = append(got, p.Path+": "+p.Message)
			}
		}
		if diff := cmp.Diff(row.want, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
	}
}
