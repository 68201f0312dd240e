package webpage

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite golden files")

func render(t testing.TB, r Report) []byte {
	t.Helper()
	page, err := Render(r)
	if err != nil {
		t.Fatal(err)
	}
	return page
}

// TestGolden holds whole pages to their files, and the same report to the same page.
func TestGolden(t *testing.T) {
	for name, kind := range map[string]Kind{"scan.html": Scan, "history.html": History} {
		got := render(t, example(kind))
		for range 3 {
			if again := render(t, example(kind)); !bytes.Equal(got, again) {
				t.Fatalf("%s: the same report gave another page: %s", name, cmp.Diff(string(got), string(again)))
			}
		}
		path := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(path, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), string(got)); d != "" {
			t.Errorf("%s (-want +got); if that is right, run it with -update:\n%s", name, d)
		}
	}
}
