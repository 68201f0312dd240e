package internal

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// starters are the functions of the standard library, and of libraries, by
// which code gets a second goroutine without a go statement.
var starters = []string{"Go", "AfterFunc", "NewServer", "NewTLSServer", "NewUnstartedServer", "Parallel", "RunParallel", "Serve",
	"ListenAndServe"}

// startsGoroutines reports whether a file has code that starts a goroutine.
func startsGoroutines(f *ast.File) (found bool) {
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			found = true
		case *ast.CallExpr:
			if s, ok := n.Fun.(*ast.SelectorExpr); ok && slices.Contains(starters, s.Sel.Name) {
				found = true
			}
		}
		return !found
	})
	return found
}

// raced are the packages whose tests can have a second goroutine: they, or what
// they link of this module, start one.
func raced(t *testing.T) []string {
	cmd := exec.Command("go", "list", "-test", "-deps", "-json=ImportPath,ForTest,Dir,GoFiles,Deps,Standard", module+"...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	type variant struct {
		ImportPath, ForTest, Dir string
		GoFiles, Deps            []string
		Standard                 bool
	}
	starts, seen := map[string]bool{}, map[string]bool{}
	var binaries []variant
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p variant
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if p.Standard || !strings.HasPrefix(p.ImportPath, module) {
			continue
		}
		if strings.HasSuffix(p.ImportPath, ".test") {
			binaries = append(binaries, p)
			continue // its main file is made by go test
		}
		for _, name := range p.GoFiles {
			path := filepath.Join(p.Dir, name)
			if _, ok := seen[path]; !ok {
				f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
				if err != nil {
					t.Fatal(err)
				}
				seen[path] = startsGoroutines(f)
			}
			starts[p.ImportPath] = starts[p.ImportPath] || seen[path]
		}
	}
	var names []string
	for _, b := range binaries {
		if slices.ContainsFunc(b.Deps, func(d string) bool { return starts[d] }) {
			names = append(names, strings.TrimSuffix(strings.TrimPrefix(b.ImportPath, module), ".test"))
		}
	}
	slices.Sort(names)
	return names
}

// words are those of a variable of the Makefile.
func words(t *testing.T, name string) []string {
	t.Helper()
	makefile, err := os.ReadFile("../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^` + name + ` := ((?:.*\\\n)*.*)$`).FindSubmatch(makefile)
	if m == nil {
		t.Fatalf("the Makefile has no %s", name)
	}
	return strings.Fields(strings.ReplaceAll(string(m[1]), "\\\n", " "))
}

// TestRaced ensures that the Makefile runs a room's tests with the race
// detector exactly if they can have more than one goroutine, but for the soak.
func TestRaced(t *testing.T) {
	want := slices.DeleteFunc(raced(t), func(room string) bool { return room == "internal/soak" })
	if got := words(t, "RACED"); !slices.Equal(got, want) {
		t.Errorf("RACED of the Makefile is\n%s, should be\n%s", strings.Join(got, " "), strings.Join(want, " "))
	}
}

// TestSlow ensures that what the Makefile leaves out of the race is a test of
// one of its rooms.
func TestSlow(t *testing.T) {
	var code strings.Builder
	for _, room := range words(t, "RACED") {
		files, err := filepath.Glob("../" + room + "/*_test.go")
		if err != nil || len(files) == 0 {
			t.Fatalf("%s has no tests: %v", room, err)
		}
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			code.Write(text)
		}
	}
	for _, name := range words(t, "SLOW") {
		if n := strings.Count(code.String(), "\nfunc "+name+"(t *testing.T)"); n != 1 {
			t.Errorf("SLOW names %s, which %d tests are called", name, n)
		}
	}
}

// TestPlainTestsRunOnce ensures that make test asks for the plain tests with the README's flags,
// which are none: with others, go test would take nothing of what has just run from its cache.
func TestPlainTestsRunOnce(t *testing.T) {
	for _, file := range []string{"../Makefile", "../.ci/run", "../README.md"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		plain := 0
		for _, m := range regexp.MustCompile(`(?m)\bgo test( .*)? \./\.\.\.`).FindAllStringSubmatch(string(text), -1) {
			switch {
			case m[1] == "":
				plain++
			case m[1] != " -cover":
				t.Errorf("%s runs all tests with%s", file, m[1])
			}
		}
		if plain == 0 {
			t.Errorf("%s runs no go test ./...", file)
		}
	}
}

// TestStartsGoroutines ensures that each way of starting one is seen, and no
// other code taken for one.
func TestStartsGoroutines(t *testing.T) {
	for code, want := range map[string]bool{
		"go f()": true, "wg.Go(f)": true, "t.Parallel()": true, "time.AfterFunc(d, f)": true, "httptest.NewServer(h)": true,
		"f()": false, "var g = func() { f() }; g()": false, "a.going()": false,
	} {
		f, err := parser.ParseFile(token.NewFileSet(), "", "package p\nfunc x() { "+code+" }", parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		if got := startsGoroutines(f); got != want {
			t.Errorf("%s: %v", code, got)
		}
	}
}
