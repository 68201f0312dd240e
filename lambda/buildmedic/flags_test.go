package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
)

// someFlags are flags of each kind that commands have.
func someFlags() *pflag.FlagSet {
	fs := flags("x", "", "", "", io.Discard)
	fs.Bool("json", false, "")
	fs.Bool("jsonl", false, "")
	fs.String("settings", "", "")
	fs.Int("n", 10, "")
	fs.Duration("wait", time.Minute, "")
	return fs
}

// TestFlags ensures that a flag has one dash or two, stands before names or behind them, and that
// nothing else is taken for a flag.
func TestFlags(t *testing.T) {
	for _, row := range []struct{ line, flags, names string }{
		{"", "", ""},
		{"-json", "json=true", ""},
		{"--json", "json=true", ""},
		{"-jsonl", "jsonl=true", ""},
		{"FILE -json", "json=true", "FILE"},
		{"a -n 5 b -json c", "json=true n=5", "a b c"},
		{"-settings F", "settings=F", ""},
		{"-settings=F", "settings=F", ""},
		{"--settings F", "settings=F", ""},
		{"--settings=F", "settings=F", ""},
		{"-settings=a=b", "settings=a=b", ""},
		{"-settings -", "settings=-", ""},
		{"-settings -json", "settings=-json", ""},
		{"-settings -- x", "settings=--", "x"},
		{"-settings= x", "settings=", "x"},
		{"-", "", "-"},
		{"- -json", "json=true", "-"},
		{"-json=false x", "json=false", "x"},
		{"-json false", "json=true", "false"},
		{"-n -5", "n=-5", ""},
		{"-n=-5", "n=-5", ""},
		{"-wait -1m", "wait=-1m0s", ""},
		{"-n 1 -n 2", "n=2", ""},
		{"-- -json", "", "-json"},
		{"x -- -json --", "", "x -json --"},
		{"-n 0x10", "n=16", ""},
	} {
		fs := someFlags()
		var errs bytes.Buffer
		fs.SetOutput(&errs)
		if done, code := parse(fs, strings.Fields(row.line), io.Discard); done {
			t.Errorf("%q: code %d: %s", row.line, code, errs.String())
			continue
		}
		var set []string
		fs.Visit(func(f *pflag.Flag) { set = append(set, f.Name+"="+f.Value.String()) })
		if got := strings.Join(set, " "); got != row.flags || strings.Join(fs.Args(), " ") != row.names {
			t.Errorf("%q: flags %q, names %q; want %q, %q", row.line, got, fs.Args(), row.flags, row.names)
		}
	}
}

// TestFlagTrouble ensures that it is said what is wrong with a flag, as it was written.
func TestFlagTrouble(t *testing.T) {
	for line, want := range map[string]string{
		"-jsn":                "there is no flag -jsn; did you mean -json?",
		"--jsn x":             "there is no flag -jsn; did you mean -json?",
		"x -nonsense":         "there is no flag -nonsense\n",
		"-jsonx":              "there is no flag -jsonx\n", // json or jsonl: neither is nearer
		"-nonsense=1":         "there is no flag -nonsense\n",
		"-non\x1b[31msense":   "there is no flag -non[31msense\n",
		"-5":                  "there is no flag -5\n",
		"-n":                  "-n needs a value",
		"-n x":                `-n: "x" is no whole number`,
		"-n=":                 `-n: "" is no whole number`,
		"-json=maybe":         `-json: "maybe" is neither true nor false`,
		"-wait 5":             `-wait: "5" is no duration, such as 90s or 15m`,
		"---json":             "bad flag syntax: ---json",
		"-=x":                 "bad flag syntax: --=x",
		"-settings F -q -n x": "there is no flag -q",
	} {
		fs := someFlags()
		var errs bytes.Buffer
		fs.SetOutput(&errs)
		done, code := parse(fs, strings.Fields(line), io.Discard)
		if !done || code != exitUsage || !strings.HasPrefix(errs.String(), "buildmedic x: "+want) ||
			!strings.HasSuffix(errs.String(), "\nsee: buildmedic x -h\n") {
			t.Errorf("%q: code %d: %s", line, code, errs.String())
		}
	}
}

// TestHelpAnywhere ensures that -h explains a command wherever it stands as a flag, and whatever
// else is wrong.
func TestHelpAnywhere(t *testing.T) {
	for _, line := range []string{"-h", "--h", "-help", "--help", "x -h", "-nonsense -h", "-json -n x --help"} {
		fs := someFlags()
		var out bytes.Buffer
		if done, code := parse(fs, strings.Fields(line), &out); !done || code != exitOK || !strings.HasPrefix(out.String(), "Usage: ") {
			t.Errorf("%q: done %t, code %d: %s", line, done, code, out.String())
		}
	}
	for _, line := range []string{"-settings -h", "-- -h"} {
		if done, _ := parse(someFlags(), strings.Fields(line), io.Discard); done {
			t.Errorf("%q is taken for a call for help", line)
		}
	}
}

// FuzzFlags ensures that whatever the standard library's flags take is taken in the same way: with
// them this command began, and scripts rely on it.
func FuzzFlags(f *testing.F) {
	for _, s := range []string{"-json\nF", "-settings\n-json", "-n=5\n-", "--json=false", "-wait\n1m\n--\nx", "-n\n08", "-=", "-json=\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		args := strings.Split(line, "\n")
		old := flag.NewFlagSet("x", flag.ContinueOnError)
		old.SetOutput(io.Discard)
		old.Bool("json", false, "")
		old.Bool("jsonl", false, "")
		old.String("settings", "", "")
		old.Int("n", 10, "")
		old.Duration("wait", time.Minute, "")
		fs := someFlags()
		fs.SetOutput(io.Discard)
		done, _ := parse(fs, args, io.Discard)
		if old.Parse(args) != nil {
			return
		}
		if slices.ContainsFunc(old.Args(), func(a string) bool { return len(a) > 1 && a[0] == '-' }) {
			return // flags behind names were refused, and so was what looks like one
		}
		if done {
			t.Fatalf("%q is refused", args)
		}
		if !slices.Equal(old.Args(), fs.Args()) {
			t.Fatalf("%q: names %q, want %q", args, fs.Args(), old.Args())
		}
		old.VisitAll(func(g *flag.Flag) {
			if got := fs.Lookup(g.Name).Value.String(); got != g.Value.String() {
				t.Fatalf("%q: -%s is %q, want %q", args, g.Name, got, g.Value)
			}
		})
	})
}

// TestFlagsBehindNames ensures that a command of a user's takes flags behind names.
func TestFlagsBehindNames(t *testing.T) {
	file := filepath.Join(t.TempDir(), "build.log")
	if err := os.WriteFile(file, []byte("npm ERR! code E404\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, want, _ := buildmedic(t, "", "diagnose", "-json", file)
	for _, args := range [][]string{{"diagnose", file, "-json"}, {"diagnose", file, "--json"}, {"diagnose", "--json", "--", file}} {
		if code, out, errs := buildmedic(t, "", args...); code != exitOK || out != want || !strings.HasPrefix(out, "{") {
			t.Errorf("%q: code %d\n%s%s", args, code, out, errs)
		}
	}
	if code, out, errs := buildmedic(t, "npm ERR! code E404\n", "diagnose", "-", "-json"); code != exitOK || out != want {
		t.Errorf("standard input: code %d\n%s%s", code, out, errs)
	}
}

// TestCompletion ensures that commands, flags, stories, rules, causes and files are completed, with
// no AWS to ask.
func TestCompletion(t *testing.T) {
	account(t, "tracker-api") // whose calls would be unexpected
	own := filepath.Join(t.TempDir(), "own.yaml")
	if err := os.WriteFile(own, []byte("version: 1\ncauses:\n  - name: our-proxy\n    title: Our proxy is down\n    advice: Wait.\n"+
		"    remedy: retry\n    match: [{says: [proxy-seven is down]}]\n    samples: [proxy-seven is down]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		words        []string
		want, absent string
	}{
		{[]string{"di"}, "diagnose\tsay why", "demo"},
		{[]string{"help", ""}, "demo\theal the stories", "tracker-api"},
		{[]string{"demo", ""}, "\ntracker-api\n", "build.log"},
		{[]string{"demo", "tracker-api", ""}, "\nqivr-deploy\n", "\ntracker-api\n"},
		{[]string{"demo", "--js"}, "\n--json\tprint", "\n-json"},
		{[]string{"demo", "-js"}, "\n-json\tprint", "--json"},
		{[]string{"diagnose", "FILE", "-s"}, "\n-since\tthe log of a green build, GREENLOG", "`"},
		{[]string{"diagnose", "-settings", "F", "-json", "-s"}, "\n-since\t", "-settings"},
		{[]string{"diagnose", ""}, "\n:0\n", "tracker-api"},
		{[]string{"diagnose", "-since", ""}, "\n:0\n", "tracker-api"},
		{[]string{"explain", ""}, "\nnot-on-allowlist\t", "our-proxy"},
		{[]string{"explain", "no-such-cause", ""}, "\n:4\n", "not-on-allowlist"},
		{[]string{"explain", "-settings", own, ""}, "\nour-proxy\t", "\n:0\n"},
		{[]string{"check", "-settings", ""}, "\nyaml\nyml\n:8\n", "-json"},
		{[]string{"check", "-settings=b"}, "\nyaml\nyml\n:8\n", "-json"},
		{[]string{"plan", "-build", ""}, "\njson\n:8\n", "yaml"},
		{[]string{"check", "--", "-s"}, "\n:4\n", "-settings"},
		{[]string{"show", ""}, "\n:4\n", "build.log"},
		{[]string{"replay", "-apply", ""}, "\n:4\n", "build.log"},
		{[]string{"completion", ""}, "\nbash\nfish\npowershell\nzsh\n:4\n", "demo"},
	} {
		code, out, errs := buildmedic(t, "", append([]string{"__complete"}, row.words...)...)
		if out = "\n" + out; code != exitOK || !strings.Contains(out, row.want) || strings.Contains(out, row.absent) {
			t.Errorf("%q: code %d\n%s%s", row.words, code, out, errs)
		}
	}
}

// TestCompletionScripts ensures that there is a script for each shell, and that the shells that are
// here can read it.
func TestCompletionScripts(t *testing.T) {
	for shell := range shells {
		code, out, errs := buildmedic(t, "", "completion", shell)
		if code != exitOK || !strings.Contains(out, "__complete") {
			t.Errorf("%s: code %d\n%s%s", shell, code, out, errs)
		}
		if path, err := exec.LookPath(shell); err == nil && shell != "powershell" {
			check := exec.CommandContext(context.Background(), path, "-n")
			check.Stdin = strings.NewReader(out)
			if said, err := check.CombinedOutput(); err != nil {
				t.Errorf("%s -n: %v\n%s", shell, err, said)
			}
		}
	}
}

// TestFailIsPlain ensures that an error's text moves no cursor and changes no terminal.
func TestFailIsPlain(t *testing.T) {
	var out strings.Builder
	fail(&out, errors.New("first\x1b]0;title\x07\nsecond"))
	if out.String() != "buildmedic: first]0;title\nsecond\n" {
		t.Errorf("%q", out.String())
	}
}
