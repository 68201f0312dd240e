package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/buildmedic/buildmedic/internal/iampolicy"
)

const forty = "../../infra/testdata/forty.yaml"

// settingsOf writes a file of settings.
func settingsOf(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "buildmedic.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestCheckOnOneScreen ensures that forty projects fit on a screen of 80 columns, whatever is said
// of all of them.
func TestCheckOnOneScreen(t *testing.T) {
	data, err := os.ReadFile(forty)
	if err != nil {
		t.Fatal(err)
	}
	unbounded := settingsOf(t, strings.Replace(string(data), "  boundary: build-boundary\n", "", 1))
	oneRole := strings.Replace(string(data), "  role: \"service-role/codebuild-${project}-service-role\"\n", "", 1)
	oneRole, _, _ = strings.Cut(strings.Replace(oneRole, ", role: catalog-build", "", 1), "tests:")
	shared := settingsOf(t, strings.ReplaceAll(oneRole, "  - {name: ", "  - {role: codebuild, name: "))
	for file, wants := range map[string][]string{
		forty: {"forty.yaml is valid, and its 2 tests hold.\n",
			"\nPROJECT  MODE    ROLE          GRANTS       MOST IT COULD GAIN\n",
			"\naccounts heal    *             image        ecr:PutImage repository/accounts +7\n",
			"\naddress  propose *             image,deploy iam:PassRole role/ecs-task +12\n",
			"\nbasket   observe *             -            nothing\n",
			"\ncatalog  propose catalog-build packages ",
			"\n40 projects: 8 in heal, 16 in propose, 16 in observe\n* is service-role/codebuild-${project}-service-role\n",
			"\nTold: platform@example.com, Slack channel C0123456789\n", "buildmedic check -v -settings " + forty},
		unbounded: {"(8\n  times; also branding, cms, exports, imports, media and 2 more)\n"},
		shared:    {"builds of project accounts have what"},
	} {
		code, out, errs := buildmedic(t, "", "check", "-settings", file)
		for _, want := range wants {
			if !strings.Contains(out, want) && !strings.Contains(strings.Join(strings.Fields(out), " "), strings.TrimSpace(want)) {
				t.Errorf("%s: no %q", file, want)
			}
		}
		lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
		for _, l := range lines {
			if utf8.RuneCountInString(l) > narrow && len(strings.Fields(l)) > 1 && !strings.Contains(l, file) {
				t.Errorf("%d columns: %s", utf8.RuneCountInString(l), l)
			}
		}
		if code != exitOK || len(lines) > 62 || t.Failed() {
			t.Errorf("%d: %d lines\n%s%s", code, len(lines), out, errs)
		}
	}
	if _, out, _ := buildmedic(t, "", "check", "-v", "-settings", forty); strings.Count(out, "\n") < 164 ||
		!strings.Contains(out, "\n  boundary: build-boundary  (default of line 12)\n") ||
		!strings.Contains(out, "\n  role: catalog-build  (line 22)\n") {
		t.Errorf("with -v:\n%s", out)
	}
}

// TestCheckTellsSlipsOnce ensures that a slip that stands in forty lines is one error.
func TestCheckTellsSlipsOnce(t *testing.T) {
	var b strings.Builder
	b.WriteString("version: 1\nprojects:\n")
	for i := range 40 {
		fmt.Fprintf(&b, "  - {name: web-%d, role: r, mode: heel}\n", i)
	}
	b.WriteString("  - {name: web-40, role: r, retry: perhaps}\n")
	code, out, _ := buildmedic(t, "", "check", "-settings", settingsOf(t, b.String()))
	if code != exitFailed || strings.Count(out, "\n") != 4 || !strings.Contains(out, "buildmedic.yaml:3: projects[0].mode: ") ||
		!strings.Contains(out, "(40 times; also line 4, line 5, line 6, line 7, line 8 and 34 more)") ||
		!strings.Contains(out, "buildmedic.yaml:43: projects[40].retry: ") || !strings.Contains(out, "is not valid: 41 errors") {
		t.Errorf("code %d\n%s", code, out)
	}
}

// TestCheckTellsNamesakesApart ensures that two projects of one name are not one.
func TestCheckTellsNamesakesApart(t *testing.T) {
	_, out, _ := buildmedic(t, "", "check", "-settings", settingsOf(t, `version: 1
accounts: [{id: "444455556666", region: eu-west-1}]
projects: [{name: web, role: r}, {name: web, role: r, account: "444455556666"}, {name: api, role: r, region: us-east-1}]
`))
	for _, want := range []string{"\nweb              ", "\nweb@444455556666 ", "\napi              "} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

// TestMostDangerous ensures that the one thing that is shown is the one to look at.
func TestMostDangerous(t *testing.T) {
	allow := func(actions, resources string) iampolicy.Statement {
		return iampolicy.Allow("x", strings.Fields(actions), strings.Fields(resources))
	}
	repository := "arn:aws:ecr:eu-west-1:111122223333:repository/shop"
	ecr := func(actions string) iampolicy.Statement { return allow(actions, repository) }
	for _, c := range []struct {
		want string
		list []iampolicy.Statement
	}{
		{"nothing", nil},
		{"ecr:BatchGetImage repository/shop", []iampolicy.Statement{ecr("ecr:BatchGetImage")}},
		{"ecr:PutImage repository/shop +2", []iampolicy.Statement{ecr("ecr:BatchGetImage ecr:InitiateLayerUpload ecr:PutImage")}},
		{"s3:DeleteObject a/* +1", []iampolicy.Statement{allow("s3:PutObject", "arn:aws:s3:::b/*"),
			allow("s3:DeleteObject", "arn:aws:s3:::a/*")}},
		{"ecs:UpdateService * +1", []iampolicy.Statement{allow("s3:DeleteObject", "arn:aws:s3:::a/x"), allow("ecs:UpdateService", "*")}},
		{"s3:GetObject * +1", []iampolicy.Statement{allow("s3:GetObject", "*"), allow("s3:PutObject", "arn:aws:s3:::a/x")}},
		{"ecr:PutImage repository/shop +1", []iampolicy.Statement{allow("ecr:GetAuthorizationToken", "*"), ecr("ecr:PutImage")}},
		{"iam:PassRole role/task +1", []iampolicy.Statement{allow("s3:DeleteObject", "*"),
			allow("iam:PassRole", "arn:aws:iam::111122223333:role/task")}},
		{"sts:AssumeRole role/deploy +1", []iampolicy.Statement{allow("s3:DeleteObject", "*"),
			allow("sts:AssumeRole", "arn:aws:iam::111122223333:role/deploy")}},
	} {
		if got := most(c.list, narrow); got != c.want {
			t.Errorf("%v: %s, want %s", c.list, got, c.want)
		}
	}
	if got := most([]iampolicy.Statement{ecr("ecr:PutImage ecr:BatchGetImage")}, 24); got != "ecr:PutImage reposit… +1" {
		t.Errorf("in 24 columns: %s", got)
	}
}

// TestCheckFile ensures that the file may stand behind the command by itself, as most type it.
func TestCheckFile(t *testing.T) {
	file := settingsOf(t, "version: 1\nnotify: {email: [a@example.com]}\nprojects: [{name: web, role: r}]\n")
	if code, out, errs := buildmedic(t, "", "check", file); code != exitOK || !strings.Contains(out, file) {
		t.Errorf("code %d\n%s%s", code, out, errs)
	}
	if code, _, errs := buildmedic(t, "", "check", file, "-settings", file); code != exitUsage || !strings.Contains(errs, "one file") {
		t.Errorf("two files: code %d\n%s", code, errs)
	}
}

// TestCheckFitsTheTerminal ensures that a warning is broken for the terminal once: not at the report's
// own width and, where the terminal is narrower, again.
func TestCheckFitsTheTerminal(t *testing.T) {
	_, wide, _ := buildmedic(t, "", "check", "-settings", "../../infra/testdata/seed.yaml")
	t.Setenv("COLUMNS", "60")
	_, out, _ := buildmedic(t, "", "check", "-settings", "../../infra/testdata/seed.yaml")
	report, _, ok := strings.Cut(out, "\n\n")
	all, _, _ := strings.Cut(wide, "\n\n")
	if !ok || strings.Join(strings.Fields(report), " ") != strings.Join(strings.Fields(all), " ") {
		t.Fatalf("another report:\n%s", report)
	}
	lines := strings.Split(report, "\n")
	for i, l := range lines {
		n := utf8.RuneCountInString(l)
		if n > 60 && len(strings.Fields(l)) > 1 || strings.HasPrefix(l, "   ") {
			t.Errorf("%d columns: %s", n, l)
		}
		if i+1 < len(lines) && strings.HasPrefix(lines[i+1], "  ") {
			if first := strings.Fields(lines[i+1])[0]; n+1+utf8.RuneCountInString(first) <= 56 {
				t.Errorf("%q would fit behind: %s", first, l)
			}
		}
	}
}
