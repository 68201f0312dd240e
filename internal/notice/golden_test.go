package notice

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/buildmedic/buildmedic/internal/decide"
)

var update = flag.Bool("update", false, "rewrite the files in testdata")

// TestGolden compares every kind of notice with its golden file.
func TestGolden(t *testing.T) {
	names := []string{"digest.txtar", "week.txtar"}
	for _, s := range samples {
		names = append(names, s.name+".txtar")
		t.Run(s.name, func(t *testing.T) {
			m := Render(s.outcome)
			golden(t, s.name, s.shows, m,
				txtar.File{Name: "metrics.jsonl", Data: append(Metrics(s.outcome), '\n')},
				txtar.File{Name: "audit.jsonl", Data: append(Audit(s.outcome), '\n')})
		})
	}
	t.Run("digest", func(t *testing.T) {
		var os []decide.Outcome
		for _, s := range samples {
			os = append(os, s.outcome)
		}
		golden(t, "digest", "More notices than a team should get one by one.", Digest(os))
	})
	t.Run("week", func(t *testing.T) {
		golden(t, "week", "How a week was, to be read on a phone.", Week(sampleWeek()))
	})
	kept, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range kept {
		if !slices.Contains(names, filepath.Base(k)) {
			t.Errorf("%s belongs to no sample", k)
		}
	}
}

func golden(t *testing.T, name, shows string, m Message, more ...txtar.File) {
	t.Helper()
	a := &txtar.Archive{Comment: []byte(shows + "\n"), Files: append([]txtar.File{
		{Name: "subject", Data: []byte(m.Subject + "\n")},
		{Name: "email", Data: []byte(m.Email)},
		{Name: "card.json", Data: indented(t, m.Chat)},
		{Name: "notice.json", Data: indented(t, m.JSON)},
		{Name: "default", Data: []byte(m.Default + "\n")},
	}, more...)}
	if m.Report != "" {
		a.Files = append(a.Files, txtar.File{Name: "report", Data: []byte(m.Report)})
	}
	got := txtar.Format(a)
	file := filepath.Join("testdata", name+".txtar")
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v (run with -update to make it)", err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", file, diff)
	}
}

func indented(t *testing.T, s string) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := json.Indent(&b, []byte(s), "", "  "); err != nil {
		t.Fatal(err)
	}
	b.WriteByte('\n')
	return b.Bytes()
}
