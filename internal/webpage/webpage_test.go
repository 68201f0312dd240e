package webpage

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
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

// TestRequestedIsExplained ensures that the page says what a case waits for that pull requests ask for,
// where there is one.
func TestRequestedIsExplained(t *testing.T) {
	for outcome, want := range map[string]bool{"requested": true, "proposed": false} {
		r := Report{Kind: History, Cases: []Case{{ID: "1", Project: "shop", Outcome: outcome, Waits: true}}}
		page := string(render(t, r))
		if got := strings.Contains(page, "waits until the pull requests that ask for it are merged"); got != want {
			t.Errorf("%s: explained: %t", outcome, got)
		}
	}
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
