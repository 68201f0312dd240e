package internal

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

// widest is the longest line that Go code may have, as an editor shows it with
// tabs of four columns, and in bytes, as awk and grep count it.
const widest = 140

// notOurs are directories that hold no source of ours: what was built or
// installed.
var notOurs = map[string]bool{"node_modules": true, "dist": true, "cdk.out": true}

// TestWidth ensures that every line of Go can be read without scrolling, also
// beside another file, in generated files and in infra's module too.
func TestWidth(t *testing.T) {
	files := 0
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (notOurs[d.Name()] || strings.HasPrefix(d.Name(), ".") && path != ".."):
			return filepath.SkipDir
		case d.IsDir() || filepath.Ext(path) != ".go":
			return nil
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files++
		var wide []int
		for i, line := range strings.Split(string(src), "\n") {
			if columns(line) > widest {
				wide = append(wide, i+1)
			}
		}
		if len(wide) > 0 {
			t.Errorf("%s: lines %v have more than %d columns: break them", path, wide, widest)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 100 {
		t.Errorf("only %d Go files were found", files)
	}
}

func columns(line string) int {
	return max(len(line), utf8.RuneCountInString(line)+3*strings.Count(line, "\t"))
}

func TestWidthCountsTabsAndBytes(t *testing.T) {
	for line, want := range map[string]int{"": 0, "abc": 3, "\t\tx": 9, "é": 2, "\té": 5, "ééé\t": 7} {
		if got := columns(line); got != want {
			t.Errorf("columns(%q) = %d, want %d", line, got, want)
		}
	}
}
