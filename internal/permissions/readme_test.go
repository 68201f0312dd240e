package permissions

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// everything is settings that ask for each permission that there is, but for that on a parameter, which
// stands in the place of a secret.
const everything = `
notify:
  owners:
    - {name: web, email: [web@example.com]}
    - {name: data, topic: "arn:aws:sns:eu-west-1:444455556666:ci", key: "arn:aws:kms:eu-west-1:444455556666:key/1"}
limits: {access_analyzer: true}
code: {github: {secret: github}}
accounts: [{id: "444455556666", region: eu-west-1}]
projects:
  - {name: inline, role: a, mode: heal, code: {github: example/shop}, write: {inline: mine}, grants: [image, seen], buildspecs: [a.yml], ` +
	`permanent: {code: {github: example/roles, path: a.json}}, logs: {s3: builds/a}, pipelines: [main]}
  - {name: managed, role: b, mode: heal, test_reports: true, access_troubleshooter: true, stacks: [s], write: {managed: m}, grants: [image]}
  - {name: attach, role: c, mode: propose, write: {attach: true}, grants: [image]}
  - {name: code, role: g, mode: heal, write: {code: {codecommit: shop, path: p.json}}, grants: [image]}
  - {name: switched, role: d, mode: heal, switch_role: e}
  - {name: member, account: "444455556666", region: eu-west-1, role: f}
` + image + `
  - {id: seen, because: It is read., owner: web, actions: ["s3:GetObject"], ` +
	`resources: ["arn:${partition}:s3:::seen/*"], evidence: cloudtrail}
`

var documentedAction = regexp.MustCompile("`([a-z0-9-]+:[A-Z][A-Za-z]+)`")

// TestDocumented ensures that the README's table names the actions that the
// function is allowed, each for the projects that need it.
func TestDocumented(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	// documented are the actions of rows whose third column begins as one of these.
	documented := func(neededBy ...string) (actions []string) {
		for line := range strings.Lines(string(text)) {
			cells := strings.Split(line, " | ")
			if len(cells) != 4 || !slices.ContainsFunc(neededBy, func(n string) bool { return strings.HasPrefix(cells[2], n) }) {
				continue
			}
			for _, m := range documentedAction.FindAllStringSubmatch(cells[0], -1) {
				actions = append(actions, m[1])
			}
		}
		slices.Sort(actions)
		return slices.Compact(actions)
	}
	const inline = "`heal` or `propose`, with grants and `write: {inline: …}`"
	for _, c := range []struct {
		name, settings string
		neededBy       []string
	}{
		{"everything", everything, []string{""}},
		{"everything, with a parameter", inParameter(everything), []string{""}},
		{"nothing", "", []string{"the function"}},
		{"observe", "projects: [{name: web, role: r, write: {inline: mine}, grants: [image], pipelines: [main]}]" + image,
			[]string{"the function", "every project", "`pipelines`"}},
		{"heal", "projects: [{name: web, role: r, mode: heal, write: {inline: mine}, grants: [image]}]" +
			strings.Replace(image, ", create: true", "", 1),
			[]string{"the function", "every project", "`heal` or `propose`, except", inline}},
		{"heal, in code", "code: {github: {secret: github}}\nprojects: [{name: web, role: r, mode: heal, " +
			"write: {code: {github: example/shop, path: p.json}}, grants: [image]}]" + strings.Replace(image, ", create: true", "", 1),
			[]string{"the function", "every project", "`heal` or `propose`, except", "`code.github: {secret: …}`"}},
		{"heal, made permanent", "code: {github: {secret: github}}\nprojects: [{name: web, role: r, mode: heal, " +
			"write: {inline: mine}, permanent: {code: {github: example/shop, path: p.json}}, grants: [image]}]" +
			strings.Replace(image, ", create: true", "", 1),
			[]string{"the function", "every project", "`heal` or `propose`, except", inline,
				"`heal` or `propose`, with grants and `permanent: {code: …}`", "`code.github: {secret: …}`"}},
		{"propose, in CodeCommit", "projects: [{name: web, role: r, mode: propose, write: {code: {codecommit: shop, path: p.json, " +
			"base: main}}, grants: [image]}]" + strings.Replace(image, ", create: true", "", 1),
			[]string{"the function", "every project", "`heal` or `propose`, except",
				"`heal` or `propose`, with grants and `write: {code: {codecommit: …}}`"}},
		{"heal, never again", "projects: [{name: web, role: r, mode: heal, retry: false, write: {inline: mine}, grants: [image]}]" +
			strings.Replace(image, ", create: true", "", 1), []string{"the function", "every project", inline}},
	} {
		t.Run(c.name, func(t *testing.T) {
			want, got := documented(c.neededBy...), allowed(t, c.settings)
			// The credentials for GitHub are in one place.
			for _, other := range [][2]string{{"ssm:GetParameter", "secretsmanager:GetSecretValue"},
				{"secretsmanager:GetSecretValue", "ssm:GetParameter"}} {
				if slices.Contains(got, other[0]) {
					want = slices.DeleteFunc(want, func(a string) bool { return a == other[1] })
				}
			}
			if d := cmp.Diff(want, got); d != "" || len(want) == 0 {
				t.Errorf("the table of README.md against the function's role (-README +role):\n%s", d)
			}
		})
	}
}

// inParameter puts the credentials for GitHub into a parameter.
func inParameter(settings string) string {
	return strings.Replace(settings, "{secret: github}", "{parameter: /ci/github}", 1)
}

// allowed gives the actions that the hub's role allows, sorted, each once.
func allowed(t *testing.T, file string) (actions []string) {
	t.Helper()
	p, err := Hub(parse(t, file), parts(), ManagedPolicies)
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range p.Groups() {
		for _, st := range g.Permissions {
			if st.Effect == "Allow" {
				actions = append(actions, st.Action.List...)
			}
		}
	}
	slices.Sort(actions)
	return slices.Compact(actions)
}
