package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/compare"
	"github.com/buildmedic/buildmedic/internal/diagnose"
)

// The agent's lines around the output of a command.
const (
	before = "[Container] 2026/11/22 10:00:00.000000 Running command npm run report\n"
	failed = "[Container] 2026/11/22 10:00:09.000000 Command did not exit successfully npm run report exit status 1\n" +
		"[Container] 2026/11/22 10:00:09.000000 Phase complete: BUILD State: FAILED\n"
	passed = "[Container] 2026/11/22 10:00:09.000000 Phase complete: BUILD State: SUCCEEDED\n"
)

// written writes a file and gives its name.
func written(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestDiagnoseSince(t *testing.T) {
	log := before + "Python 3.13.0\nERROR no cache, going on\npassword=hunter2secret9 does not balance\n" + failed
	green := before + "Python 3.12.1\nERROR no cache, going on\n" + passed
	events := func(text string) string {
		var list []map[string]any
		for l := range strings.Lines(text) {
			list = append(list, map[string]any{"timestamp": 1, "message": l})
		}
		data, err := json.Marshal(map[string]any{"events": list})
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	for _, row := range []struct {
		what, log, green string
		want, not        []string
	}{
		{"a new line, and a version", log, green,
			[]string{"New since the green log, in what the command printed", "does not balance",
				"version of Python: 3.13.0, was 3.12.1"},
			[]string{"hunter2", "not new"}},
		{"logs as the AWS CLI prints them", events(log), events(green), []string{"in what the command printed",
			"does not balance"},
			[]string{"hunter2"}},
		{"nothing is new", before + "ERROR no cache, going on\n" + failed, green,
			[]string{"Nothing: the green build printed each", "The evidence above is not new"}, nil},
		{"another command", log, strings.ReplaceAll(green, "npm run report", "npm ci"),
			[]string{"New: nowhere in the green log"}, nil},
		{"an excerpt without CodeBuild's lines", "ERROR no cache, going on\nledger does not balance\n",
			"ERROR no cache, going on\n",
			[]string{"New: nowhere in the green log", "ledger does not balance"}, nil},
	} {
		code, out, errs := runDesk(row.log, "-since", written(t, row.green))
		if code != exitOK || errs != "" {
			t.Errorf("%s: code %d, %s", row.what, code, errs)
		}
		checkText(t, out)
		for _, w := range row.want {
			if !strings.Contains(out, w) {
				t.Errorf("%s: it does not say %q:\n%s", row.what, w, out)
			}
		}
		for _, w := range row.not {
			if strings.Contains(out, w) {
				t.Errorf("%s: it says %q:\n%s", row.what, w, out)
			}
		}
	}
}

func TestDiagnoseSinceJSON(t *testing.T) {
	log := before + "ERROR no cache, going on\nthe ledger does not balance\n" + failed
	code, out, errs := runDesk(log, "-json", "-since", written(t, before+"ERROR no cache, going on\n"+passed))
	var got struct {
		diagnose.Diagnosis
		Since compare.Since
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != exitOK {
		t.Fatalf("code %d, %v, %s", code, err, errs)
	}
	if got.Evidence.Text != "the ledger does not balance" || len(got.Since.Lines) != 1 ||
		got.Since.Lines[0].N != got.Evidence.Line ||
		got.Cause != "command-failed" {
		t.Errorf("%+v", got)
	}
}

func TestDiagnoseSinceUsage(t *testing.T) {
	if code, _, errs := runDesk("x\n", "-since", "green.log", "-jsonl"); code != exitUsage ||
		!strings.Contains(errs, "-since is for one log") {
		t.Errorf("code %d, %s", code, errs)
	}
	if code, _, errs := runDesk("x\n", "-since", filepath.Join(t.TempDir(), "none")); code != exitFailed ||
		!strings.Contains(errs, "reading log of the green build") {
		t.Errorf("code %d, %s", code, errs)
	}
}
