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
		`{secret: 'the key: {"private_key":"Zm9vYmFyYmF6cXV4MTIzNDU2"}'}`, `{secret: "Zm9vYmFy YmF6cXV4MTIzNDU2"}`,
		`{parameter: ghp_Zm9vYmFyYmF6cXV4MTIzNDU2}`, `{parameter: '{"token": "Zm9vYmFyYmF6cXV4MTIzNDU2"}'}`,
		`{parameter: "Zm9vYmFyYmF6cXV4MTIzNDU2=="}`,
		`{secret: x, url: "https://me:Zm9vYmFyYmF6cXV4MTIzNDU2@github.example.com/x"}`,
	} {
		_, err := Parse([]byte("version: 1\ncode: {github: " + value + "}"))
		if err == nil || strings.Contains(err.Error(), "Zm9v") {
			t.Errorf("%s: %v", value, err)
		}
	}
	const older = "3fa1c2d4e5b6978012345678deadbeefcafe0123" // the form of GitHub's tokens until 2021
	for _, key := range []string{"secret", "parameter"} {
		_, err := Parse([]byte("version: 1\ncode: {github: {" + key + ": " + older + "}}"))
		if err == nil || strings.Contains(err.Error(), older) {
			t.Errorf("%s: an older token: %v", key, err)
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

// TestReachesGitHub: the function reaches GitHub where a project's developers are told there, or a
// role's policy that is there is to be changed, and needs credentials only then.
func TestReachesGitHub(t *testing.T) {
	const file = "{github: example/shop, path: p.json}"
	for _, row := range []struct {
		name, project string
		want          bool
	}{
		{"told", "code: {github: example/shop}", true},
		{"told nothing", "code: {github: example/shop, tell: none}, mode: heal", false},
		{"observed", "write: {code: " + file + "}", false},
		{"proposed", "mode: propose, write: {code: " + file + "}", true},
		{"healed", "mode: heal, write: {code: " + file + "}", true},
		{"made permanent", "mode: heal, write: {inline: x}, permanent: {code: " + file + "}", true},
		{"made permanent, observed", "write: {inline: x}, permanent: {code: " + file + "}", false},
		{"another role", "mode: heal, also_roles: [{role: s, grants: [g], write: {code: " + file + "}}]", true},
		{"in CodeCommit", "mode: heal, write: {code: {codecommit: shop, path: p.json}}", false},
		{"in IAM", "mode: heal, write: {inline: x}", false},
	} {
		const url = `https://github.example.com`
		text := "version: 1\ncode: {github: {url: '" + url + "'%}}\nprojects: [{name: aa, role: r, " + row.project + "}]\n" +
			"grants: [{id: g, because: b, owner: o, actions: ['s3:GetObject'], resources: ['arn:aws:s3:::b/k']}]\n"
		without, err := Parse([]byte(strings.Replace(text, "%", "", 1)))
		if (err != nil) != row.want || err == nil && (without.Code.GitHub.Held() || without.ReachesGitHub()) {
			t.Errorf("%s: without credentials: %v", row.name, err)
		}
		if err != nil && !strings.Contains(err.Error(), "code.github: it holds no credentials, and project aa ") {
			t.Errorf("%s: %v", row.name, err)
		}
		for key, want := range map[string]GitHub{"secret: ci/github": {Secret: "ci/github"},
			"parameter: /ci/github": {Parameter: "/ci/github"}, "parameter: github": {Parameter: "github"},
			"parameter: 'arn:aws-cn:ssm:cn-north-1:111122223333:parameter/ci/github'": {
				Parameter: "arn:aws-cn:ssm:cn-north-1:111122223333:parameter/ci/github"}} {
			want.Host = "github.example.com"
			s := mustParse(t, strings.Replace(text, "%", ", "+key, 1))
			if *s.Code.GitHub != want || !s.Code.GitHub.Held() || s.ReachesGitHub() != row.want {
				t.Errorf("%s: %s: %+v, reaches GitHub: %v", row.name, key, *s.Code.GitHub, s.ReachesGitHub())
			}
		}
	}
}
