package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/guardrail"
)

var limitKey = regexp.MustCompile(`limits\.([a-z_]+)|limits: \{([a-z_]+)`)

// placeholderWord finds a placeholder's name where a sentence has no place for it.
var placeholderWord = regexp.MustCompile(`repository the repository|status the exit|: the code\b`)

// TestPagesAreWhole: each rule, cause and finding has a page, with every part, and no
// page names a limit that the settings do not have.
func TestPagesAreWhole(t *testing.T) {
	all, err := pages()
	if err != nil {
		t.Fatal(err)
	}
	if want := len(guardrail.Rules) + len(diagnose.Causes()) + len(diagnose.Findings); len(all) != want {
		t.Errorf("%d pages of %d rules, causes and findings", len(all), want)
	}
	keys, err := os.ReadFile("../../infra/SETTINGS.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		whole := p.Name != "" && p.Group != "" && strings.HasSuffix(p.Meaning, ".") && strings.Join(p.Example, "") != "" &&
			strings.HasSuffix(strings.TrimRight(p.Change, `"`), ".") && (p.Kind != "cause" || p.Cure != "" && p.Remedy != "")
		if !whole || strings.ContainsAny(p.Meaning+p.Cure, "{}") || len(p.Meaning) > 200 {
			t.Errorf("the page is not whole: %+v", p)
		}
		if m := placeholderWord.FindString(p.Meaning + " " + p.Change); m != "" {
			t.Errorf("%s %s: %q is what a placeholder left", p.Kind, p.Name, m)
		}
		for _, m := range limitKey.FindAllStringSubmatch(p.Meaning+" "+strings.Join(p.Example, " ")+" "+p.Change, -1) {
			if key := m[1] + m[2]; !strings.Contains(string(keys), "| `"+key+"` |") {
				t.Errorf("%s %s names the limit %q, which the settings do not have", p.Kind, p.Name, key)
			}
		}
		code, out, errs := buildmedic(t, "", "explain", p.Name)
		if code != exitOK || !strings.Contains(out, p.Kind+" "+p.Name+"\n") || !strings.Contains(out, "What you can change") {
			t.Errorf("explain %s: code %d\n%s%s", p.Name, code, out, errs)
		}
	}
}

// TestExplain compares a rule's page and a cause's with golden ones.
func TestExplain(t *testing.T) {
	for _, name := range []string{"not-on-allowlist", "docker-rate-limit"} {
		code, out, errs := buildmedic(t, "", "explain", name)
		if code != exitOK || errs != "" {
			t.Fatalf("code %d: %s", code, errs)
		}
		golden := filepath.Join("testdata", "explain", name+".txt")
		if *update {
			if err := os.WriteFile(golden, []byte(out), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), out); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

// TestExplainNames: without a name all are listed; an unknown name is answered
// with what may be meant; a rule and a cause of one name are both explained.
func TestExplainNames(t *testing.T) {
	code, out, _ := buildmedic(t, "", "explain")
	lines := strings.Split(out, "\n")
	for _, r := range guardrail.Rules {
		if !slices.ContainsFunc(lines, func(l string) bool {
			return strings.HasPrefix(l, "  "+string(r)+" ") && len([]rune(l)) <= 120
		}) {
			t.Errorf("rule %s is not listed in one line", r)
		}
	}
	for _, c := range diagnose.Causes() {
		if n := strings.Count(out, "\n  "+c.Name+" "); n == 0 {
			t.Errorf("cause %s is not listed", c.Name)
		}
	}
	if code != exitOK || strings.Count(out, "\nRemedy ") != 6 || strings.Count(out, "\nGuardrail ") != 9 {
		t.Errorf("code %d\n%s", code, out)
	}
	for name, want := range map[string]string{
		"floor-exact-nme": `did you mean "floor-exact-name"?`,
		"rate-limit":      "did you mean one of",
		"no-repo":         `did you mean "no-repository"?`,
		"xyzzy":           "lists them",
	} {
		if code, _, errs := buildmedic(t, "", "explain", name); code != exitUsage || !strings.Contains(errs, want) {
			t.Errorf("%s: code %d, %s", name, code, errs)
		}
	}
	code, out, _ = buildmedic(t, "", "explain", "-json", "explicit-deny")
	var ps []page
	if err := json.Unmarshal([]byte(out), &ps); err != nil || code != exitOK || len(ps) != 2 ||
		ps[0].Kind != "rule" || ps[1].Kind != "cause" {
		t.Errorf("code %d, %v\n%s", code, err, out)
	}
}

// ownSettings has one cause of the team's own.
const ownSettings = `version: 1
causes:
  - name: test-pool-empty
    title: No environment is free in the pool {pool}
    advice: Look at who holds one.
    remedy: retry
    match: [{says: no environment, like: "pool (?P<pool>[a-z]+)"}]
    samples: ["pool blue: no environment of 4 is free"]
`

// TestOwnCauses: with settings, the team's own causes are listed, explained and used.
func TestOwnCauses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "buildmedic.yaml")
	if err := os.WriteFile(file, []byte(ownSettings), 0o600); err != nil {
		t.Fatal(err)
	}
	const log = "e2e\npool red: no environment of 9 is free\n"
	for _, tt := range []struct {
		what, stdin string
		args        []string
		code        int
		want        []string
	}{
		{"one is explained", "", []string{"explain", "-settings", file, "test-pool-empty"}, exitOK,
			[]string{"cause test-pool-empty\nOf your own, in buildmedic.yaml: remedy retry", "No environment is free in the pool {pool}.",
				"pool blue: no environment of 4 is free", "starts the build again", "Look at who holds one."}},
		{"it is listed", "", []string{"explain", "-settings", file}, exitOK, []string{"\n  test-pool-empty  ", "\n  disk-full  "}},
		{"a slip is answered", "", []string{"explain", "-settings", file, "test-pool-emty"}, exitUsage,
			[]string{`did you mean "test-pool-empty"?`}},
		{"without settings nobody knows it", "", []string{"explain", "test-pool-empty"}, exitUsage,
			[]string{"there is no rule, cause"}},
		{"settings that cannot be read", "", []string{"explain", "-settings", file + ".gone"}, exitFailed,
			[]string{"reading settings"}},
		{"a log is diagnosed with it", log, []string{"diagnose", "-settings", file}, exitOK,
			[]string{"No environment is free in the pool red", "test-pool-empty"}},
		{"so are records", `{"id":1,"text":"pool red: no environment of 9 is free"}`,
			[]string{"diagnose", "-jsonl", "-settings", file}, exitOK, []string{`"cause":"test-pool-empty","remedy":"retry"`}},
		{"without settings a log is not", log, []string{"diagnose"}, exitOK, []string{"unknown"}},
		{"settings that do not exist", log, []string{"diagnose", "-settings", file + ".gone"}, exitFailed, []string{"reading settings"}},
		{"its sample is checked", "", []string{"check", "-settings", file}, exitOK,
			[]string{"is valid, and 1 sample of causes diagnosed as they say."}},
	} {
		code, out, errs := buildmedic(t, tt.stdin, tt.args...)
		for _, want := range tt.want {
			if code != tt.code || !strings.Contains(out+errs, want) {
				t.Errorf("%s: code %d, no %q in\n%s%s", tt.what, code, want, out, errs)
			}
		}
	}
}
