package lazyregexp

import (
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// TestRegexp ensures that an expression does what regexp's does, also when
// many ask for it at once.
func TestRegexp(t *testing.T) {
	const expr, text = `(a+)(b?)`, "xaab-a"
	want, got := regexp.MustCompile(expr), New(expr)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if !got.MatchString(text) || got.MatchString("x") {
				t.Error("MatchString")
			}
			if w, g := want.FindStringSubmatch(text), got.FindStringSubmatch(text); strings.Join(w, "|") != strings.Join(g, "|") {
				t.Errorf("FindStringSubmatch: %q, want %q", g, w)
			}
			if w, g := want.ReplaceAllString(text, "<$2$1>"), got.ReplaceAllString(text, "<$2$1>"); w != g {
				t.Errorf("ReplaceAllString: %q, want %q", g, w)
			}
			if w, g := want.ReplaceAllStringFunc(text, strings.ToUpper), got.ReplaceAllStringFunc(text, strings.ToUpper); w != g {
				t.Errorf("ReplaceAllStringFunc: %q, want %q", g, w)
			}
			if re := got.Get(); re != got.Get() {
				t.Error("it was compiled twice")
			}
		})
	}
	wg.Wait()
}

// TestNewCompilesNothing ensures that an expression costs nothing until it is used, and that a bad
// one panics then.
func TestNewCompilesNothing(t *testing.T) {
	bad := New(`(`)
	defer func() {
		if recover() == nil {
			t.Error("a bad expression was used")
		}
	}()
	bad.MatchString("")
}

// TestAllCompile compiles every expression of the module, since a bad one would be noticed only
// where it is used. An expression that is assembled at run time must be tested by its own package.
func TestAllCompile(t *testing.T) {
	n := 0
	for dir, files := range sources(t) {
		info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}}
		fset := token.NewFileSet()
		var parsed []*ast.File
		for _, name := range files {
			f, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			parsed = append(parsed, f)
		}
		// Imports stay unknown: the package's own constants are enough.
		conf := types.Config{Error: func(error) {}, Importer: none{}, FakeImportC: true}
		_, _ = conf.Check(dir, fset, parsed, info)
		for _, f := range parsed {
			ast.Inspect(f, func(node ast.Node) bool {
				call, ok := node.(*ast.CallExpr)
				if !ok || len(call.Args) != 1 || types.ExprString(call.Fun) != "lazyregexp.New" {
					return true
				}
				v := info.Types[call.Args[0]].Value
				if v == nil {
					return true
				}
				n++
				if _, err := regexp.Compile(constant.StringVal(v)); err != nil {
					t.Errorf("%s: %v", fset.Position(call.Pos()), err)
				}
				return true
			})
		}
	}
	if n < 80 {
		t.Errorf("only %d expressions were found", n)
	}
}

// sources returns the Go files of the module's packages without their tests, by directory.
func sources(t *testing.T) map[string][]string {
	t.Helper()
	list := map[string][]string{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == "testdata":
			return filepath.SkipDir
		case strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go"):
			list[filepath.Dir(path)] = append(list[filepath.Dir(path)], path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

type none struct{}

func (none) Import(path string) (*types.Package, error) {
	p := types.NewPackage(path, filepath.Base(path))
	p.MarkComplete()
	return p, nil
}
