package settings

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var pinHome = Account{"111122223333", "eu-west-1"}

func existing(nameRoles ...string) (list []Existing) {
	for _, nr := range nameRoles {
		name, role, _ := strings.Cut(nr, " ")
		list = append(list, Existing{name, role})
	}
	return list
}

func pin(t *testing.T, text string, nameRoles ...string) (string, []PinnedPattern) {
	t.Helper()
	p, err := Pin([]byte(text), pinHome, existing(nameRoles...))
	if err != nil {
		t.Fatal(err)
	}
	return string(p.Text), p.Patterns
}

// TestPin ensures that a pattern becomes entries of exact names and roles, and that nothing else in
// the file changes: not a comment, not an empty line, not a quotation mark.
func TestPin(t *testing.T) {
	text, patterns := pin(t, `# yaml-language-server: $schema=buildmedic.schema.json
version:   1   # odd, and kept

projects:
  # by itself
  - name: 'web-own'
    role: r

  # all of the web
  - pattern: "web-*"   # see the wiki
    mode: propose
    # where to
    write: {inline: mine}
    grants: [image]
  # what follows

  - {pattern: api-*, boundary: b}
  - name: last
    role: l
grants:
  - {id: image, because: It is pushed., owner: web, set: ecr-push, resources: ["arn:aws:ecr:eu-west-1:111122223333:repository/web"]}
`, "web-b service-role/web-b", "web-own other", "web-a r,a", "api-1 yes", "api-x ", "not-web r", "last l")
	want := `# yaml-language-server: $schema=buildmedic.schema.json
version:   1   # odd, and kept

projects:
  # by itself
  - name: 'web-own'
    role: r

  # all of the web
  - name: web-a
    role: r,a
    pattern: "web-*" # see the wiki
    mode: propose
    # where to
    write: {inline: mine}
    grants: [image]
  - name: web-b
    role: service-role/web-b
    pattern: "web-*"
    mode: propose
    write: {inline: mine}
    grants: [image]
  # what follows

  - {name: api-1, role: "yes", pattern: api-*, boundary: b}
  - name: last
    role: l
grants:
  - {id: image, because: It is pushed., owner: web, set: ecr-push, resources: ["arn:aws:ecr:eu-west-1:111122223333:repository/web"]}
`
	if diff := cmp.Diff(want, text); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if diff := cmp.Diff([]PinnedPattern{
		{Pattern: "web-*", Names: []string{"web-a", "web-b"}, New: []string{"web-a", "web-b"}},
		{Pattern: "api-*", Names: []string{"api-1"}, New: []string{"api-1"}, NoRole: []string{"api-x"}},
	}, patterns); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	s := mustParse(t, text)
	if len(s.Projects) != 5 || s.Projects[2].Name != "web-b" || s.Projects[2].Mode != Propose || s.Projects[3].Role != "yes" {
		t.Errorf("%+v", s.Projects)
	}
}

// TestPinAgain ensures that what is new under a pattern is only observed, whatever those before it
// may have, and that what is gone or has another role is told and left as it is.
func TestPinAgain(t *testing.T) {
	text := `version: 1
accounts: [{id: "111122223333", region: eu-west-1}]
defaults: {mode: propose, role: "role-${project}", write: {inline: w}}
projects:
  - {name: web-a, role: ra, pattern: "web-*", mode: heal, grants: [image], account: "111122223333"}
  - {name: web-b, pattern: "web-*", mode: heal, grants: [image], account: "111122223333"}
  - {name: web-c, pattern: "web-*", mode: heal, account: "111122223333"}   # the last
  # not of the web
` + image[1:]
	got, patterns := pin(t, text, "web-a other", "web-b role-web-b", "web-new rn")
	want := strings.Replace(text, "# the last\n", "# the last\n"+
		`  - {name: web-new, role: rn, mode: observe, pattern: "web-*", account: "111122223333"}`+"\n", 1)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if diff := cmp.Diff([]PinnedPattern{{Pattern: "web-*", Names: []string{"web-a", "web-b", "web-c", "web-new"},
		New: []string{"web-new"}, Gone: []string{"web-c"}, Moved: []string{"web-a"}}}, patterns); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if p, ok := mustParse(t, got).Project("web-new", pinHome.ID, pinHome.Region, pinHome); !ok || p.Mode != Observe || len(p.Grants) > 0 {
		t.Errorf("%+v", p)
	}
	if again, patterns := pin(t, got, "web-a other", "web-b role-web-b", "web-new rn"); again != got || len(patterns[0].New) > 0 {
		t.Errorf("a second time adds %v:\n%s", patterns, again)
	}
}

// TestPinElsewhere ensures that patterns of other accounts are not expanded by what this one has.
func TestPinElsewhere(t *testing.T) {
	text := "version: 1\r\nprojects:\r\n  - {pattern: web-*, account: \"444455556666\"}\r\n  - pattern: '*'\r\n    region: eu-west-1"
	p, err := Pin([]byte(text), pinHome, existing("web-a r", "b0 s"))
	want := strings.Replace(text, "  - pattern: '*'\r\n    region: eu-west-1",
		"  - name: b0\r\n    role: s\r\n    pattern: '*'\r\n    region: eu-west-1\r\n"+
			"  - name: web-a\r\n    role: r\r\n    pattern: '*'\r\n    region: eu-west-1\r\n", 1)
	if diff := cmp.Diff(want, string(p.Text)); err != nil || diff != "" {
		t.Errorf("%v: -want +got:\n%s", err, diff)
	}
	if diff := cmp.Diff([]string{"web-*"}, p.Skipped); diff != "" {
		t.Error(diff)
	}
	for text, want := range map[string]string{
		"projects: [{pattern: web-*}]\n":       "buildmedic.yaml:1: projects: the entry of \"web-*\" does not begin a line",
		"projects:\n  -\n    pattern: web-*\n": "buildmedic.yaml:3: projects: the entry of \"web-*\" does not begin a line",
		"projects:\n  - pattern: 'a b*'\n":     "buildmedic.yaml:2: projects: \"a b*\" is not a pattern",
		"projects: {":                          "this is not YAML",
		"projects: &a []\n":                    "is an anchor",
	} {
		if _, err := Pin([]byte(text), pinHome, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// FuzzPin ensures that pinning keeps every line of the file but those of the patterns that it writes
// out, and that what it writes is the settings with these projects besides.
func FuzzPin(f *testing.F) {
	f.Add("  - name: web-own\n    role: r\n  # c\n", "  - pattern: '*-a'\n    mode: propose\n", "  - {name: z0, role: r}\n")
	f.Add("", "  - {pattern: 'web-*', mode: observe}\n", "")
	f.Add("  - name: web-a\n    role: ra\n    pattern: web-*\n", "", "# end\n")
	f.Fuzz(func(t *testing.T, before, pattern, after string) {
		text := "version: 1\nprojects:\n" + before + pattern + after
		p, err := Pin([]byte(text), pinHome, existing("web-a ra", "web-b rb", "x-a rx"))
		if err != nil || strings.Count(text, "pattern") > 1 {
			return
		}
		plain, errPlain := Parse([]byte("version: 1\nprojects:\n" + before + after))
		pinned, errPinned := Parse(p.Text)
		if errPlain != nil || errPinned != nil || len(p.Patterns) != 1 || strings.Contains(before+after, "pattern") {
			return
		}
		if got, want := len(pinned.Projects), len(plain.Projects)+len(p.Patterns[0].New); got != want {
			t.Errorf("%d projects, want %d:\n%s", got, want, p.Text)
		}
		for _, q := range plain.Projects {
			if _, ok := pinned.Project(q.Name, pinHome.ID, pinHome.Region, pinHome); !ok && q.Account == "" && q.Region == "" {
				t.Errorf("%s is lost:\n%s", q.Name, p.Text)
			}
		}
		for l := range strings.Lines(before + after) {
			if !strings.Contains(string(p.Text), strings.TrimRight(l, "\n")) {
				t.Errorf("%q is lost:\n%s", l, p.Text)
			}
		}
	})
}

// TestPinOtherBreaks ensures that a file whose lines YAML counts differently is left alone: the wrong
// entry would be replaced.
func TestPinOtherBreaks(t *testing.T) {
	for _, mark := range []string{"\u2028", "\u2029", "\u0085", "\r"} {
		text := "version: 1\n# a" + mark + "# b\nprojects:\n  - {name: prod, role: r2}\n  - {pattern: 'web-*'}\n"
		if p, err := Pin([]byte(text), Account{ID: "111122223333", Region: "eu-west-1"},
			[]Existing{{Name: "web-1", Role: "r"}}); err == nil {
			t.Errorf("%q: %s", mark, p.Text)
		}
	}
	text := strings.ReplaceAll("version: 1\nprojects:\n  - {pattern: 'web-*'}\n", "\n", "\r\n")
	if p, err := Pin([]byte(text), Account{ID: "111122223333", Region: "eu-west-1"}, []Existing{{Name: "web-1", Role: "r"}}); err != nil ||
		!strings.Contains(string(p.Text), "name: web-1") {
		t.Errorf("CRLF: %v\n%s", err, p.Text)
	}
}
