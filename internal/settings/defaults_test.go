package settings

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// everyDefault says each default that there is, and byHand the same at a project.
const (
	everyDefault = `
  role: "service-role/codebuild-${project}-role"
  mode: propose
  owner: web
  price_per_minute: 0.005 USD
  write: {managed: "build/${project}-policy", shared: true, versions: keep}
  permanent: {code: {github: example/roles, path: "aws/${project}.json", base: "release/${project}"}}
  buildspecs: ["ci/${project}.yml", buildspec.yml]
  retry: {flaky_tests: true}
  since_green: false
  boundary: build-boundary
  logs: {group: "/ci/${project}", s3: "build-logs/${project}"}
  test_reports: true
  access_troubleshooter: true
  report_groups: ["${project}-shared", all]
  stacks: ["${project}", "${project}-data"]
  pipelines: ["${project}-main"]
  runner: {rerun: true}
  pull_requests: separate-role
  code: {github: "example/${project}", tell: pull-request-comment}
  trust: {merge_queue: true, starters: [nightly, "rule/${project}"]}
`
	// withHost begins a file that reaches a code host.
	withHost = "version: 1\ncode: {github: {secret: x}}\n"
	image    = `
grants:
  - {id: image, because: It is pushed., owner: web, set: ecr-push, resources: ["arn:aws:ecr:eu-west-1:111122223333:repository/web"]}
`
)

// butLines compares settings but for the lines in which things stand.
var butLines = cmp.Options{cmpopts.IgnoreFields(Settings{}, "SHA256"), cmpopts.IgnoreFields(Project{}, "Line"),
	cmpopts.IgnoreFields(Grant{}, "Line")}

// TestEveryDefault ensures that each key that may be a default is one in effect, and that the test
// knows them all.
func TestEveryDefault(t *testing.T) {
	for _, k := range defaultKeys() {
		if !strings.Contains(everyDefault, "\n  "+k.Name+": ") {
			t.Errorf("%s is not tried as a default", k.Name)
		}
	}
	got := mustParse(t, withHost+"defaults:"+everyDefault+"projects: [{name: web}]\n")
	want := mustParse(t, withHost+"projects:\n  - name: web"+
		strings.ReplaceAll(strings.ReplaceAll(everyDefault, "${project}", "web"), "\n", "\n  "))

	if diff := cmp.Diff(want, got, butLines); diff != "" {
		t.Errorf("-by hand +by default:\n%s", diff)
	}
	if cmp.Equal(got.Projects[0], mustParse(t, "version: 1\nprojects: [{name: web, role: r}]\n").Projects[0]) {
		t.Error("the defaults changed nothing")
	}
}

// TestDefaultsByHand ensures that a file with defaults means what it means written out: whatever a
// project says stands, and what it leaves out is the default.
func TestDefaultsByHand(t *testing.T) {
	said := map[string]string{"role": "r-of-its-own", "mode": "heal", "write": "{inline: own}", "buildspecs": "[]", "retry": "false",
		"since_green": "true", "runner": "true", "boundary": "other", "logs": "{s3: other-logs}", "test_reports": "true",
		"report_groups":         "[]",
		"access_troubleshooter": "false",
		"pipelines":             "[own]", "pull_requests": "accept", "trust": "{}", "grants": "[image]", "switch_role": "ready",
		"stacks": "[own]", "permanent": "{}",
		"code": "{github: own/repository}"}
	values := map[string]string{}
	for line := range strings.Lines(strings.TrimPrefix(everyDefault, "\n")) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		values[key] = value
	}

	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 17))
		short, long := withHost+"defaults:\n  since_green: true\n", withHost
		given := map[string]string{}
		for _, k := range defaultKeys() {
			if random.IntN(2) == 0 && k.Name != "since_green" {
				given[k.Name] = values[k.Name]
				short += fmt.Sprintf("  %s: %s\n", k.Name, values[k.Name])
			}
		}
		short, long = short+"projects:\n", long+"projects:\n"
		for i := range 1 + random.IntN(4) {
			name := fmt.Sprintf("web-%d", i)
			short, long = short+"  - name: "+name+"\n", long+"  - name: "+name+"\n"
			for _, k := range projectKeys[1:] {
				own, ok := said[k.Name]
				_, fallback := given[k.Name]
				must := k.Name == "role" && !fallback // or the file is not valid
				switch {
				case ok && (must || random.IntN(3) == 0):
					short += fmt.Sprintf("    %s: %s\n", k.Name, own)
					long += fmt.Sprintf("    %s: %s\n", k.Name, own)
				case fallback:
					if random.IntN(3) == 0 {
						short += fmt.Sprintf("    %s:\n", k.Name) // a key without a value is left out
					}
					long += fmt.Sprintf("    %s: %s\n", k.Name, strings.ReplaceAll(given[k.Name], "${project}", name))
				}
			}
		}
		a, errA := Parse([]byte(short + image))
		b, errB := Parse([]byte(long + image))
		if (errA == nil) != (errB == nil) {
			t.Fatalf("seed %d: with defaults: %v\nby hand: %v\n%s\n%s", seed, errA, errB, short, long)
		}
		if diff := cmp.Diff(b, a, butLines); diff != "" {
			t.Fatalf("seed %d: -by hand +by default:\n%s\n%s", seed, diff, short)
		}
	}
}

// TestNoDefault ensures that nothing by which a project would be healed, or given anything, is said
// for projects that do not say it themselves.
func TestNoDefault(t *testing.T) {
	for _, c := range []string{"name: web", `pattern: "web-*"`, `account: "444455556666"`, "region: eu-west-1", "mode: heal",
		"grants: [image]", "switch_role: ready", "pull_requests: accept"} {
		key, _, _ := strings.Cut(c, ":")
		_, err := Parse([]byte("version: 1\ndefaults:\n  " + c + "\nprojects:\n  - {name: web, role: r}\n" + image))
		var problems Problems
		if !errors.As(err, &problems) || len(problems) != 1 || problems[0].Line != 3 ||
			!strings.Contains(problems[0].Message, " is no default: ") || !strings.Contains(problems[0].Error(), key) {
			t.Errorf("%s: %v", c, err)
		}
	}
}

// TestDefaultsAreBounded ensures that a short file is not large in memory.
func TestDefaultsAreBounded(t *testing.T) {
	file := func(pipelines, projects int) []byte {
		var b strings.Builder
		b.WriteString("version: 1\ndefaults: {role: \"r-${project}\", pipelines: [p0")
		for i := range pipelines {
			fmt.Fprintf(&b, ", p-%d", i+1)
		}
		b.WriteString("]}\nprojects:\n")
		for i := range projects {
			fmt.Fprintf(&b, "  - {name: web-%d}\n", i)
		}
		return []byte(b.String())
	}
	if s, err := Parse(file(20, 2000)); err != nil || len(s.Projects) != 2000 {
		t.Errorf("2,000 projects with 20 pipelines: %v", err)
	}
	_, err := Parse(file(2000, 2000))
	var problems Problems
	if !errors.As(err, &problems) || len(problems) != 1 || !strings.Contains(problems[0].Message, "more than 1048576 bytes") {
		t.Errorf("2,000 projects with 2,000 pipelines: %v", err)
	}
}

// FuzzDefaults ensures that whatever is written under defaults is refused, or means what it means
// at each project.
func FuzzDefaults(f *testing.F) {
	for line := range strings.Lines(strings.TrimSpace(everyDefault)) {
		f.Add(strings.TrimSpace(line))
	}
	f.Add("mode: heal")
	f.Add("role: r-${project}\n  retry:")

	f.Fuzz(func(t *testing.T, body string) {
		key, _, _ := strings.Cut(body, ":")
		if find(defaultKeys(), key) == nil || strings.ContainsAny(body, "\n\r\u0085\u2028\u2029#") {
			return // only what stands in one line stands alike elsewhere
		}
		role := "\n    role: r"
		if key == "role" {
			role = ""
		}
		short, err := Parse([]byte("version: 1\ndefaults:\n  " + body + "\nprojects:\n  - name: web" + role + "\n" + image))
		if err != nil || len(short.Projects) == 0 {
			return
		}
		own := strings.ReplaceAll(body, "${project}", "web")
		long, err := Parse([]byte("version: 1\nprojects:\n  - name: web\n    " + own + role + "\n" + image))
		if err != nil {
			t.Fatalf("%q is a default, and no value: %v", body, err)
		}
		if diff := cmp.Diff(long, short, butLines); diff != "" {
			t.Errorf("%q: -by hand +by default:\n%s", body, diff)
		}
	})
}

// TestPattern ensures that a project's pattern is matched from its first character to its last.
func TestPattern(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"web-*", "web-a", true}, {"web-*", "web-", true}, {"web-*", "web", false}, {"web-*", "my-web-a", false},
		{"*-web", "a-web", true}, {"*-web", "a-web-b", false}, {"*", "anything", true}, {"**", "a", true},
		{"a*b", "ab", true}, {"a*a", "a", false}, {"a*b*c", "a-b-c", true}, {"a*b*c", "acb", false}, {"a*bb*b", "abb", false},
		{"a*bb*b", "abbb", true}, {"*a*a*", "a", false}, {"*a*a*", "xaya", true}, {"Web-*", "web-a", false},
	} {
		if got := matchesPattern(c.pattern, c.name); got != c.want {
			t.Errorf("%s matches %s: %v, want %v", c.pattern, c.name, got, c.want)
		}
	}
}

// TestEffective ensures that of each key it can be seen where it stands.
func TestEffective(t *testing.T) {
	got := Effective([]byte(`version: 1
defaults:
  role: "codebuild-${project}-role"
  mode: propose
  write: {inline: mine}
projects:
  - name: web
    mode: heal
    pipelines: [a, b]
  - {name: api, role: own, write: }
`))
	want := [][]Said{
		{{"name", "web", 7, false}, {"role", "codebuild-web-role", 3, true}, {"mode", "heal", 8, false},
			{"write", "{inline: mine}", 5, true}, {"pipelines", "[a, b]", 9, false}},
		{{"name", "api", 10, false}, {"role", "own", 10, false}, {"mode", "propose", 4, true}, {"write", "{inline: mine}", 5, true}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if Effective(nil) != nil || Effective([]byte("version: 1\n")) != nil {
		t.Error("a file without projects has some")
	}
}
