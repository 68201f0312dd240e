package guardrail

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// TestRulesAreIssued ensures that each rule of the table is given as a reason
// somewhere in the product: one that is not would be explained to nobody.
func TestRulesAreIssued(t *testing.T) {
	parse := func(path string) *ast.File {
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	issued := map[string]bool{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		source := strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go")
		if err != nil || d.IsDir() || !source || filepath.Base(path) == "rules.go" {
			return err
		}
		here := filepath.Dir(path) == filepath.Join("..", "guardrail")
		ast.Inspect(parse(path), func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectorExpr:
				if room, ok := n.X.(*ast.Ident); ok && room.Name == "guardrail" {
					issued[n.Sel.Name] = true
				}
			case *ast.Ident:
				issued[n.Name] = issued[n.Name] || here
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	declared := 0
	ast.Inspect(parse("rules.go"), func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if typ, ok := spec.Type.(*ast.Ident); !ok || typ.Name != "Rule" {
			return true
		}
		declared += len(spec.Names)
		for _, name := range spec.Names {
			if !issued[name.Name] {
				t.Errorf("rule %s is issued nowhere: remove it", name.Name)
			}
		}
		return true
	})
	if declared != len(Rules) {
		t.Errorf("%d rules are declared, and the table has %d", declared, len(Rules))
	}
}
