package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSchemaOfSettings ensures that the command prints the file that lies beside the settings, and
// that the settings name it, so that an editor finds it.
func TestSchemaOfSettings(t *testing.T) {
	want, err := os.ReadFile("../../infra/buildmedic.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	if code, out, errs := buildmedic(t, "", "schema", "settings"); code != exitOK || out != string(want) {
		t.Errorf("exit %d, %d bytes of %d: %s", code, len(out), len(want), errs)
	}
	if code, out, _ := buildmedic(t, "", "schema", "notices"); code != exitOK || !strings.Contains(out, "notice") {
		t.Errorf("exit %d: %.80s", code, out)
	}
	if code, _, errs := buildmedic(t, "", "schema", "setings"); code != exitUsage || !strings.Contains(errs, "notices and settings") {
		t.Errorf("exit %d: %s", code, errs)
	}
	data, err := os.ReadFile("../../infra/buildmedic.yaml")
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := bytes.Cut(data, []byte("\n"))
	if _, name, _ := strings.Cut(string(first), "$schema="); name != filepath.Base("infra/buildmedic.schema.json") {
		t.Errorf("infra/buildmedic.yaml begins with %q", first)
	}
	if !strings.HasPrefix(starter(nil, nil), string(first)) {
		t.Error("what scan writes does not")
	}
}
