package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
)

// What a release sets with -ldflags "-X main.version=… -X main.commit=… -X main.committed=…". Without it, the build's own record is
// asked, which knows the version after `go install MODULE@VERSION`, and the commit in a clone.
var version, commit, committed string

// build says what this command was built of.
type build struct {
	Version  string            `json:"version"`
	Commit   string            `json:"commit,omitempty"`
	Modified bool              `json:"modified,omitempty"` // beyond the commit
	Date     string            `json:"date,omitempty"`     // of the commit
	Go       string            `json:"go"`
	OS       string            `json:"os"`
	Arch     string            `json:"arch"`
	SDK      map[string]string `json:"sdk"` // versions of the AWS SDK's modules
}

const sdkModule = "github.com/aws/aws-sdk-go-v2"

// buildOf puts together what is known. info may be nil.
func buildOf(info *debug.BuildInfo) build {
	b := build{Version: version, Commit: commit, Date: committed, Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH,
		SDK: map[string]string{}}
	if info != nil {
		if v := info.Main.Version; v != "(devel)" {
			b.Version = cmp.Or(b.Version, v)
		}
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision":
				b.Commit = cmp.Or(b.Commit, s.Value)
			case s.Key == "vcs.time":
				b.Date = cmp.Or(b.Date, s.Value)
			case s.Key == "vcs.modified" && commit == "":
				b.Modified = s.Value == "true"
			}
		}
		for _, m := range info.Deps {
			if m.Replace != nil {
				m = m.Replace
			}
			if m.Path == sdkModule || strings.HasPrefix(m.Path, sdkModule+"/") && !strings.Contains(m.Path, "/internal/") ||
				m.Path == "github.com/aws/smithy-go" {
				b.SDK[m.Path] = m.Version
			}
		}
	}
	b.Version = cmp.Or(b.Version, "development build")
	return b
}

func (b build) text(width int) string {
	var w strings.Builder
	fmt.Fprintf(&w, "buildmedic %s\n", b.Version)
	state := ""
	if b.Modified {
		state = ", modified"
	}
	fmt.Fprintf(&w, "commit    %s%s\n", cmp.Or(b.Commit, "not recorded"), state)
	if b.Date != "" {
		fmt.Fprintf(&w, "date      %s\n", b.Date)
	}
	fmt.Fprintf(&w, "go        %s\nplatform  %s/%s\n", b.Go, b.OS, b.Arch)
	var parts []string
	for _, path := range slices.Sorted(maps.Keys(b.SDK)) {
		parts = append(parts, path[strings.LastIndexByte(path, '/')+1:]+" "+b.SDK[path])
	}
	for i, l := range wrapped(strings.Join(parts, ", "), width-10) {
		fmt.Fprintf(&w, "%-10s%s\n", map[bool]string{true: "sdk"}[i == 0], l)
	}
	return w.String()
}

func runVersion(_ context.Context, args []string, _ io.Reader, stdout, stderr io.Writer) int {
	fs := flags("version", "[-json]", "Prints the version of this command, the commit and the Go and AWS SDK versions that it was\n"+
		"built of: what a bug report should say.", "buildmedic version -json", stderr)
	asJSON := fs.Bool("json", false, "print JSON")
	if done, code := parse(fs, args, stdout); done {
		return code
	}
	if fs.NArg() > 0 {
		return wrong(fs, "there is no argument, got %q", fs.Arg(0))
	}
	info, _ := debug.ReadBuildInfo()
	if *asJSON {
		return printJSON(stdout, stderr, buildOf(info))
	}
	if _, err := io.WriteString(stdout, buildOf(info).text(textWidth(stdout))); err != nil {
		return fail(stderr, fmt.Errorf("printing: %w", err))
	}
	return exitOK
}
