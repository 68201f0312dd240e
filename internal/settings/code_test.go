package settings

import (
	"strings"
	"testing"
)

// TestCredentialsAreNotRepeated ensures that a message about a credential that stands in the
// settings does not hold it: CI prints these messages.
func TestCredentialsAreNotRepeated(t *testing.T) {
	for _, value := range []string{
		`{secret: ghp_Zm9vYmFyYmF6cXV4MTIzNDU2}`, `{secret: "ghs_1_Zm9vYmFyYmF6cXV4MTIzNDU2"}`,
		`{secret: " github_pat_Zm9vYmFyYmF6cXV4MTIzNDU2"}`,
		`{secret: "-----BEGIN PRIVATE KEY-----\nZm9vYmFyYmF6cXV4MTIzNDU2"}`,
		`{secret: x, url: "https://me:Zm9vYmFyYmF6cXV4MTIzNDU2@github.example.com/x"}`,
	} {
		_, err := Parse([]byte("version: 1\ncode: {github: " + value + "}"))
		if err == nil || strings.Contains(err.Error(), "Zm9v") {
			t.Errorf("%s: %v", value, err)
		}
	}
	_, err := Parse([]byte(`{version: 1, code: {github: {secret: x}},
		projects: [{name: aa, role: r, code: {github: "https://Zm9v@github.com/a/b"}}]}`))
	if err == nil || strings.Contains(err.Error(), "Zm9v") {
		t.Errorf("a repository's address: %v", err)
	}
}

// TestTells: a project is told of only where it names a repository, and as the file says unless it
// says otherwise itself.
func TestTells(t *testing.T) {
	s := mustParse(t, `
version: 1
code: {github: {secret: x}, tell: pull-request-comment}
projects:
  - {name: aa, role: r}
  - {name: bb, role: r, code: {github: example/shop}}
  - {name: cc, role: r, code: {github: example/shop, tell: none}}
  - {name: dd, role: r, code: {github: example/shop, tell: commit-status}}
  - {name: ee, role: r, code: {tell: none}}
`)
	want := []ProjectCode{{}, {"example/shop", TellComment}, {"example/shop", TellNobody}, {"example/shop",
		TellStatus}, {"", TellNobody}}
	for i, p := range s.Projects {
		if tells := i == 1 || i == 3; p.Code != want[i] || p.Tells() != tells {
			t.Errorf("%s: %+v, told %v", p.Name, p.Code, p.Tells())
		}
		if repo := s.Repository(p); (repo != "") != (i > 0 && i < 4) || repo != "" &&
			repo != "github.com/example/shop" {
			t.Errorf("%s: repository %q", p.Name, repo)
		}
	}
	found := Surprises(mustParse(t,
		"version: 1\nnotify: {email: [a@example.com]}\ncode: {github: {secret: x}}\nprojects: [{name: aa, role: r}]"))
	if len(found) != 1 || found[0].Path != "code.github" {
		t.Errorf("a secret that nothing needs: %v", found)
	}
	found = Surprises(mustParse(t, `
version: 1
notify: {email: [a@example.com]}
code: {github: {secret: x, url: "https://github.example.com"}}
projects:
  - {name: aa, role: r, write: {code: {github: example/aa, path: p.json}}, grants: [g, ends]}
grants:
  - {id: g, because: b, owner: o, actions: ["s3:GetObject"], resources: ["arn:aws:s3:::b/k"]}
  - {id: ends, because: b, owner: o, expires: 14d, actions: ["s3:PutObject"], resources: ["arn:aws:s3:::b/k"]}
tests: [{project: aa, allow: "s3:GetObject", on: "arn:aws:s3:::b/k"}]`))
	if len(found) != 1 || found[0].Path != "projects[0].write.code" || !strings.Contains(found[0].Message, "grant ends") {
		t.Errorf("a host that a pull request needs, and an end that code cannot have: %v", found)
	}
}

// TestAsksIn: where the function opens pull requests itself, and that `check` says when it has no
// credentials for it, or when credentials are for nothing.
func TestAsksIn(t *testing.T) {
	for _, row := range []struct {
		project string
		secret  bool
		in      string // where it asks; "" nowhere
		says    string // of code.github; "" nothing
	}{
		{"mode: heal, write: {code: {github: example/shop, path: p.json}}, grants: [g]", true, "example/shop", ""},
		{"mode: propose, write: {code: {github: example/shop, path: p.json}}, grants: [g]", true, "example/shop", ""},
		{"mode: heal, write: {code: {github: example/shop, path: p.json}}, grants: [g]", false, "example/shop", "has no credentials"},
		{"mode: observe, write: {code: {github: example/shop, path: p.json}}, grants: [g]", true, "", "is not read"},
		{"mode: observe, write: {code: {github: example/shop, path: p.json}}, grants: [g]", false, "", ""},
		{"mode: heal, write: {code: {github: example/shop, path: p.json}}, grants: [g], switch_role: other", true, "", "is not read"},
		{"mode: heal, write: {code: {codecommit: shop, path: p.json}}, grants: [g]", false, "shop", ""},
		{"mode: heal, write: {code: {codecommit: shop, path: p.json}}, grants: [g]", true, "shop", "is not read"},
		{"mode: heal, write: {inline: mine}, grants: [g], also_roles: [{role: other, grants: [g], write: {code: {github: example/shop, " +
			"path: p.json}}}]", false, "example/shop", "has no credentials"},
	} {
		code := ""
		if row.secret {
			code = "code: {github: {secret: x}}"
		}
		s := mustParse(t, "version: 1\nnotify: {email: [a@example.com]}\n"+code+`
projects:
  - {name: aa, role: r, `+row.project+`}
grants:
  - {id: g, because: b, owner: o, actions: ["s3:GetObject"], resources: ["arn:aws:s3:::b/k"]}
tests: [{project: aa, allow: "s3:GetObject", on: "arn:aws:s3:::b/k"}]`)
		in := ""
		for _, p := range s.Projects[0].Roles() {
			in += p.AsksIn().GitHub + p.AsksIn().CodeCommit
		}
		if in != row.in || s.AsksAtGitHub() != (in == "example/shop") {
			t.Errorf("%s: it asks in %q, at GitHub %v", row.project, in, s.AsksAtGitHub())
		}
		said := ""
		for _, w := range Surprises(s) {
			if w.Path == "code.github" {
				said += w.Message
			}
		}
		if (said == "") != (row.says == "") || !strings.Contains(said, row.says) {
			t.Errorf("%s: it says %q, want %q", row.project, said, row.says)
		}
	}
}
