package buildlog

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "rewrite what the shapes are expected to give; read the difference before you commit it")

// shape is one sample of how a denial, or what looks like one, is printed.
type shape struct {
	category, name string
	text, want     string
}

// shapesDir holds the samples: one archive a category, each with files NAME
// and NAME.want. A .want file has a paragraph for each denial, and a line for
// each field that is not empty. An empty one says that there is no denial.
const shapesDir = "testdata/shapes"

func readShapes(t testing.TB) []shape {
	t.Helper()
	files, err := filepath.Glob(shapesDir + "/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var list []shape
	for _, f := range files {
		ar, err := txtar.ParseFile(f)
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]string{}
		for _, x := range ar.Files {
			if name, ok := strings.CutSuffix(x.Name, ".want"); ok {
				want[name] = string(x.Data)
			}
		}
		for _, x := range ar.Files {
			if strings.HasSuffix(x.Name, ".want") {
				continue
			}
			w, ok := want[x.Name]
			if !ok && !*update {
				t.Fatalf("%s: %s has no expectation", f, x.Name)
			}
			delete(want, x.Name)
			list = append(list, shape{strings.TrimSuffix(filepath.Base(f), ".txtar"), x.Name, string(x.Data), w})
		}
		for name := range want {
			t.Fatalf("%s: %s.want has no text", f, name)
		}
	}
	if len(list) < 80 {
		t.Fatalf("%d shapes in %s, want at least 80", len(list), shapesDir)
	}
	return list
}

// render writes denials as in a .want file.
func render(list []Denial) string {
	var b strings.Builder
	for i, d := range list {
		if i > 0 {
			b.WriteString("\n")
		}
		line := func(name, value string) {
			if value != "" {
				fmt.Fprintf(&b, "%s: %s\n", name, value)
			}
		}
		line("action", d.Action)
		line("operation", d.Operation)
		line("resource", d.Resource)
		line("near", d.Near)
		line("principal", d.Principal)
		line("subject", d.Subject)
		line("effect", string(d.Effect))
		line("layer", string(d.Layer))
		line("policy", d.PolicyARN)
		line("reason", d.Reason)
		if d.Inferred {
			line("inferred", "yes")
		}
		if d.Bare {
			line("bare", "yes")
		}
		if d.Encoded != "" {
			line("encoded", fmt.Sprintf("%d characters", len(d.Encoded)))
		}
		if d.EncodedCut {
			line("encoded", "cut")
		}
		line("authorization", strings.TrimSpace(d.Authorization.Region+" "+d.Authorization.ID))
		line("line", fmt.Sprint(d.Line))
	}
	return b.String()
}

// score counts the samples of one category.
type score struct{ shapes, denials, right int }

// TestAccuracy reads every sample, prints how many of each category are right,
// and holds README.md to these numbers.
func TestAccuracy(t *testing.T) {
	var categories []string
	scores := map[string]*score{}
	all := &score{}
	list := readShapes(t)
	for i := range list {
		s := &list[i]
		if s.name == "crlf" && !strings.Contains(s.text, "\r\n") {
			t.Errorf("%s/crlf has no carriage returns any more: an editor took them out", s.category)
		}
		if scores[s.category] == nil {
			scores[s.category] = &score{}
			categories = append(categories, s.category)
		}
		denials := Denials(s.text)
		got := render(denials)
		for _, c := range []*score{scores[s.category], all} {
			c.shapes++
			c.denials += len(denials)
			if got == s.want || *update {
				c.right++
			}
		}
		if *update {
			s.want = got
		} else if got != s.want {
			t.Errorf("%s/%s (-want +got):\n%s", s.category, s.name, cmp.Diff(s.want, got))
		}
	}
	if *update {
		rewrite(t, list)
	}
	t.Logf("%-16s %7s %9s %7s", "category", "shapes", "denials", "right")
	rows := map[string]score{"**all**": *all}
	for _, c := range categories {
		s := scores[c]
		rows["`"+c+"`"] = *s
		t.Logf("%-16s %7d %9d %7d", c, s.shapes, s.denials, s.right)
	}
	t.Logf("%-16s %7d %9d %7d (%.1f %%)", "all", all.shapes, all.denials, all.right, 100*float64(all.right)/float64(all.shapes))
	checkTable(t, rows)
}

// checkTable holds the table of README.md to the scores, by its first column.
func checkTable(t *testing.T, scores map[string]score) {
	t.Helper()
	old, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile(`(?m)^(\| (\S+) \|.*?\|) \d+ \| \d+ \| \d+ \|$`)
	found := map[string]bool{}
	text := row.ReplaceAllStringFunc(string(old), func(line string) string {
		m := row.FindStringSubmatch(line)
		s, ok := scores[m[2]]
		if !ok || found[m[2]] {
			t.Errorf("README.md: the row of %s is about no category, or there are two", m[2])
		}
		found[m[2]] = true
		return fmt.Sprintf("%s %d | %d | %d |", m[1], s.shapes, s.denials, s.right)
	})
	for name := range scores {
		if !found[name] {
			t.Errorf("README.md has no row of %s", name)
		}
	}
	if text == string(old) {
		return
	}
	if !*update {
		t.Errorf("README.md's accuracy is not that of the samples; run: go test ./internal/buildlog -run Accuracy -update\n%s",
			cmp.Diff(string(old), text))
	} else if err := os.WriteFile("README.md", []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func rewrite(t *testing.T, list []shape) {
	t.Helper()
	archives := map[string]*txtar.Archive{}
	for _, s := range list {
		f := filepath.Join(shapesDir, s.category+".txtar")
		if archives[f] == nil {
			old, err := txtar.ParseFile(f)
			if err != nil {
				t.Fatal(err)
			}
			archives[f] = &txtar.Archive{Comment: old.Comment}
		}
		archives[f].Files = append(archives[f].Files, txtar.File{Name: s.name, Data: []byte(s.text)},
			txtar.File{Name: s.name + ".want", Data: []byte(s.want)})
	}
	for f, ar := range archives {
		if err := os.WriteFile(f, txtar.Format(ar), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
