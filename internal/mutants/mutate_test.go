package mutants

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A mutant is one small change of one file.
type mutant struct {
	file     string // from the root of the repository
	line     int
	from, to int    // the bytes that are replaced
	text     string // by this
	// key names the change without a line number, so that it outlives edits of
	// other functions: FILE FUNCTION: `OLD` => `NEW`, with a number from the
	// second such change on.
	key string
}

// apply gives the file with the change made.
func (m mutant) apply(src []byte) []byte {
	return slices.Concat(src[:m.from], []byte(m.text), src[m.to:])
}

// mutantsOf gives every change of a room's code, in a fixed order.
func mutantsOf(root, room string) ([]mutant, error) {
	files, err := filepath.Glob(filepath.Join(root, room, "*.go"))
	if err != nil {
		return nil, err
	}
	var all []mutant
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		src, err := os.ReadFile(f)
		if err != nil {
			return nil, err
		}
		ms, err := mutate(room+"/"+filepath.Base(f), src)
		if err != nil {
			return nil, err
		}
		all = append(all, ms...)
	}
	return all, nil
}

// sample orders the changes by chance, the same for the same seed. An edit of
// the code moves only the changes that it touches.
func sample(ms []mutant, seed int) []mutant {
	draw := func(m mutant) string {
		h := sha256.Sum256(fmt.Appendf(nil, "%d %s", seed, m.key))
		return string(h[:])
	}
	return slices.SortedFunc(slices.Values(ms), func(a, b mutant) int { return cmp.Compare(draw(a), draw(b)) })
}

// mutate gives the changes of one file:
//
//   - a condition of an if or a case is never, or always, true
//   - && for ||, < for <=, == for !=, and back
//   - a call whose result nobody takes is left out
//   - what is assigned is worked out and thrown away
//   - return true for return false, and back
//   - continue is left out
//
// Lines of the healer's log are let be.
func mutate(name string, src []byte) ([]mutant, error) {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, name, src, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	m := &mutator{file: name, fset: fset, src: src, seen: map[string]int{}}
	for _, d := range f.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Body != nil {
			m.function = functionName(fn)
			ast.Inspect(fn.Body, m.visit)
		}
	}
	return m.list, nil
}

func functionName(fn *ast.FuncDecl) string {
	if fn.Recv == nil || len(fn.Recv.List) == 0 {
		return fn.Name.Name
	}
	t := fn.Recv.List[0].Type
	if star, ok := t.(*ast.StarExpr); ok {
		t = star.X
	}
	if id, ok := t.(*ast.Ident); ok {
		return id.Name + "." + fn.Name.Name
	}
	return fn.Name.Name
}

type mutator struct {
	file, function string
	fset           *token.FileSet
	src            []byte
	seen           map[string]int
	list           []mutant
}

func (m *mutator) at(p token.Pos) int { return m.fset.Position(p).Offset }

func (m *mutator) source(n ast.Node) string { return string(m.src[m.at(n.Pos()):m.at(n.End())]) }

// replace adds the change of a stretch of the file.
func (m *mutator) replace(from, to token.Pos, text string) {
	key := fmt.Sprintf("%s %s: `%s` => `%s`", m.file, m.function, short(string(m.src[m.at(from):m.at(to)])), short(text))
	if m.seen[key]++; m.seen[key] > 1 {
		key += fmt.Sprintf(" %d", m.seen[key])
	}
	m.list = append(m.list, mutant{m.file, m.fset.Position(from).Line, m.at(from), m.at(to), text, key})
}

// short is code on one line, cut in the middle if it is long.
func short(code string) string {
	s := []rune(strings.Join(strings.Fields(code), " "))
	if len(s) > 90 {
		return string(s[:60]) + " … " + string(s[len(s)-27:])
	}
	return string(s)
}

func (m *mutator) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.IfStmt:
		m.condition(n.Cond)
	case *ast.SwitchStmt:
		if n.Tag == nil {
			for _, c := range n.Body.List {
				for _, e := range c.(*ast.CaseClause).List {
					m.condition(e)
				}
			}
		}
	case *ast.BinaryExpr:
		if op, ok := swapped[n.Op]; ok {
			m.replace(n.OpPos, n.OpPos+token.Pos(len(n.Op.String())), op.String())
		}
	case *ast.ExprStmt:
		if call, ok := n.X.(*ast.CallExpr); ok && !strings.Contains(m.source(call.Fun), ".Log.") && m.source(call.Fun) != "panic" {
			m.replace(n.Pos(), n.End(), "")
		}
	case *ast.AssignStmt:
		m.assignment(n)
	case *ast.IncDecStmt:
		m.replace(n.Pos(), n.End(), "")
	case *ast.BranchStmt:
		if n.Tok == token.CONTINUE {
			m.replace(n.Pos(), n.End(), "")
		}
	case *ast.ReturnStmt:
		for _, e := range n.Results {
			if id, ok := e.(*ast.Ident); ok && other[id.Name] != "" {
				m.replace(id.Pos(), id.End(), other[id.Name])
			}
		}
	}
	return true
}

var swapped = map[token.Token]token.Token{token.LAND: token.LOR, token.LOR: token.LAND, token.LSS: token.LEQ,
	token.LEQ: token.LSS, token.GTR: token.GEQ, token.GEQ: token.GTR, token.EQL: token.NEQ, token.NEQ: token.EQL}

var other = map[string]string{"true": "false", "false": "true"}

// condition keeps the condition itself, so that what it names stays in use.
func (m *mutator) condition(e ast.Expr) {
	m.replace(e.Pos(), e.End(), "false && ("+m.source(e)+")")
	m.replace(e.Pos(), e.End(), "true || ("+m.source(e)+")")
}

func (m *mutator) assignment(n *ast.AssignStmt) {
	if n.Tok == token.DEFINE || m.source(n.Lhs[0]) == "_" && len(n.Lhs) == 1 {
		return
	}
	blanks := strings.TrimSuffix(strings.Repeat("_, ", len(n.Lhs)), ", ")
	if len(n.Rhs) == 1 && m.source(n.Rhs[0]) == "nil" {
		m.replace(n.Pos(), n.End(), "")
		return
	}
	m.replace(n.Pos(), n.Rhs[0].Pos(), blanks+" = ")
}

// TestMutate shows every kind of change.
func TestMutate(t *testing.T) {
	const src = `package p

func (t *T) f(a, b int) (ok bool) {
	for i := range a {
		if i < b && t.ready {
			t.call(i)
			continue
		}
		t.x, t.y = i, b
		t.n++
		t.Log.Print(i)
	}
	switch {
	case a == b:
		t.p = nil
		return false
	}
	t.sum += a
	t.sum += b
	return true
}
`
	ms, err := mutate("p.go", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"5 `i < b && t.ready` => `false && (i < b && t.ready)`",
		"5 `i < b && t.ready` => `true || (i < b && t.ready)`",
		"5 `&&` => `||`",
		"5 `<` => `<=`",
		"6 `t.call(i)` => ``",
		"7 `continue` => ``",
		"9 `t.x, t.y =` => `_, _ =`",
		"10 `t.n++` => ``",
		"14 `a == b` => `false && (a == b)`",
		"14 `a == b` => `true || (a == b)`",
		"14 `==` => `!=`",
		"15 `t.p = nil` => ``",
		"16 `false` => `true`",
		"18 `t.sum +=` => `_ =`",
		"19 `t.sum +=` => `_ =` 2",
		"20 `true` => `false`",
	}
	var got []string
	for _, m := range ms {
		got = append(got, strings.Replace(m.key, "p.go T.f:", fmt.Sprint(m.line), 1))
		if _, err := parser.ParseFile(token.NewFileSet(), "", m.apply([]byte(src)), 0); err != nil {
			t.Errorf("%s: %v", m.key, err)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestSample: the same seed draws the same changes, also after an edit elsewhere.
func TestSample(t *testing.T) {
	ms, err := mutantsOf("../..", "internal/floor")
	if err != nil || len(ms) < 20 {
		t.Fatalf("%d changes of the floor, %v", len(ms), err)
	}
	keys := func(ms []mutant) (out []string) {
		for _, m := range ms {
			out = append(out, m.key)
		}
		return out
	}
	a, other := keys(sample(ms, 1)), keys(sample(ms, 2))
	if slices.Equal(a, other) || slices.Equal(a, keys(ms)) {
		t.Error("the order is not drawn")
	}
	without := keys(sample(slices.DeleteFunc(slices.Clone(ms), func(m mutant) bool { return m.key == a[3] }), 1))
	if !slices.Equal(without, slices.Delete(slices.Clone(a), 3, 4)) {
		t.Error("taking one change away moves others")
	}
	slices.Sort(a)
	if n := len(a); len(slices.Compact(a)) != n {
		t.Error("two changes have the same name")
	}
}
