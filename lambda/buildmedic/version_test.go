package main

import (
	"encoding/json"
	"runtime/debug"
	"strings"
	"testing"
)

// TestVersion ensures that the version is known from a release's flags, after go install, and from a
// clone; and that it is printed for people and programs.
func TestVersion(t *testing.T) {
	deps := []*debug.Module{{Path: sdkModule, Version: "v1.48.0"}, {Path: sdkModule + "/service/iam", Version: "v1.66.0"},
		{Path: sdkModule + "/internal/v4a", Version: "v1.5.12"}, {Path: "github.com/aws/smithy-go", Version: "v1.28.9"},
		{Path: "github.com/google/go-cmp", Version: "v0.7.0"}}
	clone := []debug.BuildSetting{{Key: "vcs.revision", Value: "1234abcd"}, {Key: "vcs.time", Value: "2026-11-29T10:00:00Z"},
		{Key: "vcs.modified", Value: "true"}}
	for _, row := range []struct {
		name                       string
		version, commit, committed string
		info                       *debug.BuildInfo
		want                       string
	}{
		{"a release", "v1.2.3", "abcd", "2026-11-28", &debug.BuildInfo{Main: debug.Module{Version: "(devel)"}, Settings: clone},
			"buildmedic v1.2.3\ncommit    abcd\ndate      2026-11-28\n"},
		{"go install at a version", "", "", "", &debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}, Deps: deps},
			"buildmedic v1.2.3\ncommit    not recorded\ngo "},
		{"a clone", "", "", "", &debug.BuildInfo{Main: debug.Module{Version: "(devel)"}, Settings: clone},
			"buildmedic development build\ncommit    1234abcd, modified\ndate      2026-11-29T10:00:00Z\ngo "},
		{"nothing known", "", "", "", nil, "buildmedic development build\ncommit    not recorded\ngo "},
		{"the SDK", "", "", "", &debug.BuildInfo{Deps: deps}, "\nsdk       aws-sdk-go-v2 v1.48.0, iam v1.66.0, smithy-go v1.28.9\n"},
	} {
		version, commit, committed = row.version, row.commit, row.committed
		if got := buildOf(row.info).text(columns); !strings.Contains(got, row.want) {
			t.Errorf("%s: %s", row.name, got)
		}
	}
	version, commit, committed = "v1.2.3", "", ""
	t.Cleanup(func() { version = "" })
	for _, args := range [][]string{{"version", "-json"}, {"--version", "-json"}, {"-version", "--json"}} {
		code, out, errs := buildmedic(t, "", args...)
		var b build
		if err := json.Unmarshal([]byte(out), &b); err != nil || code != exitOK || b.Version != "v1.2.3" || b.Go == "" || b.OS == "" ||
			b.Arch == "" {
			t.Errorf("%q: code %d, %v\n%s%s", args, code, err, out, errs)
		}
	}
}

// TestCalledAs ensures that hints and usage say how the command was called.
func TestCalledAs(t *testing.T) {
	const hash = "c4b4d39ad5a517bd4a26b0d3a682390e4a4b2f6cde936536b3d34cc11e26571a"
	const module = "github.com/buildmedic/buildmedic"
	for _, row := range []struct{ word, file, version, sum, want string }{
		{"buildmedic", "/home/me/go/bin/buildmedic", "v1.2.3", "h1:x", "buildmedic"},
		{"", "/home/me/go/bin/buildmedic", "", "", "buildmedic"},
		{"./dist/buildmedic", "/home/me/dist/buildmedic", "(devel)", "", "./dist/buildmedic"},
		{"buildmedic.exe", `C:/go/bin/buildmedic.exe`, "(devel)", "", "buildmedic"},
		{"/my tools/buildmedic", "/my tools/buildmedic", "(devel)", "", "'/my tools/buildmedic'"},
		{"/t/go-build295/b001/exe/buildmedic", "/t/go-build295/b001/exe/buildmedic", "(devel)", "", "go run ./lambda/buildmedic"},
		{"x", "/c/go-build/c4/" + hash + "-d/buildmedic", "(devel)", "", "go run ./lambda/buildmedic"},
		{"x", "/elsewhere/c4/" + hash + "-d/buildmedic", "v0.0.1-0.20261129+dirty", "", "go run ./lambda/buildmedic"},
		{"x", "/c/go-build/c4/" + hash + "-d/buildmedic", "v1.2.3", "h1:x", "go run " + module + "/lambda/buildmedic@v1.2.3"},
	} {
		info := &debug.BuildInfo{Path: module + "/lambda/buildmedic", Main: debug.Module{Path: module, Version: row.version, Sum: row.sum}}
		if got := calledAs(row.word, row.file, info); got != row.want {
			t.Errorf("%q, %q: %q, want %q", row.word, row.file, got, row.want)
		}
	}
	old := program
	program = "go run ./lambda/buildmedic"
	t.Cleanup(func() { program = old })
	for _, row := range []struct {
		args []string
		want string
	}{
		{[]string{"demo", "-h"}, "Usage: go run ./lambda/buildmedic demo "},
		{[]string{"-h"}, "Usage: go run ./lambda/buildmedic COMMAND"},
		{[]string{"demo", "-x"}, "\nsee: go run ./lambda/buildmedic demo -h\n"},
		{[]string{"demonstrate"}, "\nsee: go run ./lambda/buildmedic -h\n"},
		{[]string{"show"}, "`go run ./lambda/buildmedic history` lists them"},
	} {
		if _, out, errs := buildmedic(t, "", row.args...); !strings.Contains(out+errs, row.want) {
			t.Errorf("%q: %s%s", row.args, out, errs)
		}
	}
}
