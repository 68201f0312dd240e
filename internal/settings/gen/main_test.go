package main

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestFresh ensures that infra/SETTINGS.md says what the tables say.
func TestFresh(t *testing.T) {
	got, err := os.ReadFile("../../../infra/SETTINGS.md")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(got), render()); diff != "" {
		t.Errorf("infra/SETTINGS.md is not what it would be now; run make generate:\n%s", diff)
	}
}
