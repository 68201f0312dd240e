package main

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/buildmedic/buildmedic/internal/settings"
)

// TestFresh ensures that the files of infra say what the tables say.
func TestFresh(t *testing.T) {
	for name, want := range map[string]string{"SETTINGS.md": render(), settings.SchemaFile: settings.JSONSchema()} {
		got, err := os.ReadFile("../../../infra/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(got), want); diff != "" {
			t.Errorf("infra/%s is not what it would be now; run make generate:\n%s", name, diff)
		}
	}
}
