package compare

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/buildmedic/buildmedic/internal/diagnose"
)

// TestPairs prints where the line that decides stands among the new ones, for pairs of logs of real
// tools: a green one, and one of the same command after a single change. It must be among the first
// three in nine of ten.
func TestPairs(t *testing.T) {
	files, err := filepath.Glob("testdata/pairs/*.txtar")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d pairs, %v", len(files), err)
	}
	first := 0
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, deciding, ok := strings.Cut(strings.TrimSpace(string(a.Comment)), "\ndeciding: ")
		if !ok || len(a.Files) != 2 || a.Files[0].Name != "green" || a.Files[1].Name != "failed" {
			t.Fatalf("%s: want a sentence, the deciding text, and the files green and failed", file)
		}
		green, failed := string(a.Files[0].Data), string(a.Files[1].Data)
		if strings.Contains(green, deciding) || !strings.Contains(failed, deciding) {
			t.Fatalf("%s: the deciding text is not in the failed log alone", file)
		}
		s, before, after := against(failed, green)
		place := 1 + slices.IndexFunc(s.Lines, func(l Line) bool { return strings.Contains(l.Text, deciding) })
		if place > 0 && place <= 3 {
			first++
		}
		t.Logf("%-12s %2d of %2d new lines, cause %s", strings.TrimSuffix(filepath.Base(file), ".txtar"), place,
			len(s.Lines)+s.More, before.Cause)
		known := map[string]bool{}
		for l := range strings.Lines(green) {
			known[diagnose.Template(strings.TrimRight(l, "\n"))] = true
		}
		for _, l := range s.Lines {
			if known[diagnose.Template(l.Text)] {
				t.Errorf("%s: the green build printed %q as well", file, l.Text)
			}
		}
		if after.Cause != before.Cause || after.Remedy != before.Remedy || after.Fingerprint != before.Fingerprint {
			t.Errorf("%s: the comparison changed what is diagnosed", file)
		}
	}
	t.Logf("the deciding line is among the first three in %d of %d", first, len(files))
	if first*10 < len(files)*9 {
		t.Error("that is less than nine of ten")
	}
}
