package main

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/buildmedic/buildmedic/internal/settings"
)

// TestExpand ensures that a pattern becomes the projects that the account has, with their roles, and
// that the file with a pattern is no settings before.
func TestExpand(t *testing.T) {
	sim := failingAccount(t, 3, 0)
	behind(t, sim)
	file := settingsOf(t, "version: 1\nnotify: {email: [a@example.com]}\n# the projects\nprojects:\n"+
		"  - pattern: p*\n    mode: propose\n"+
		"  - {name: p9, pattern: p*, role: gone}\n")
	code, out, _ := buildmedic(t, "", "check", "-settings", file)
	if code != exitFailed ||
		!strings.Contains(out, ":5: projects[0].pattern: \"p*\" stands for no project yet: `buildmedic scan -expand`") {
		t.Errorf("%d %s", code, out)
	}
	code, out, errs := buildmedic(t, "", "scan", "-expand", "-settings", file)
	want := "version: 1\nnotify: {email: [a@example.com]}\n# the projects\nprojects:\n" +
		"  - name: p0\n    role: role-0\n    pattern: p*\n    mode: propose\n" +
		"  - name: p1\n    role: role-1\n    pattern: p*\n    mode: propose\n" +
		"  - name: p2\n    role: role-2\n    pattern: p*\n    mode: propose\n" +
		"  - {name: p9, pattern: p*, role: gone}\n"
	if diff := cmp.Diff(want, out); code != exitOK || diff != "" {
		t.Errorf("%d %s: -want +got:\n%s", code, errs, diff)
	}
	for _, want := range []string{"account 111122223333, region eu-west-1: 3 projects\n", "p*: 4 in the file\n", "\n  3 new: p0, p1, p2\n",
		"\n  1 gone from CodeBuild, so take them out"} {
		if !strings.Contains(errs, want) {
			t.Errorf("no %q in %s", want, errs)
		}
	}
	if _, err := settings.Parse([]byte(out)); err != nil {
		t.Error(err)
	}
	before, _ := os.ReadFile(file)
	none := settingsOf(t, "version: 1\nprojects:\n  - pattern: q*\n")
	if code, out, errs := buildmedic(t, "", "scan", "-expand", "-settings", none); code != exitFailed ||
		!strings.Contains(out, "pattern: q*") || !strings.Contains(errs, "q*: 0 in the file") || !strings.Contains(errs, "not valid yet") {
		t.Errorf("%d %s%s", code, out, errs)
	}
	if after, _ := os.ReadFile(file); string(after) != string(before) {
		t.Error("the file was changed")
	}
	for _, args := range [][]string{{"-json"}, {"-yaml"}, {"-resume"}} {
		if code, _, errs := buildmedic(t, "", append([]string{"scan", "-expand"}, args...)...); code != exitUsage {
			t.Errorf("%q: %d %s", args, code, errs)
		}
	}
}
