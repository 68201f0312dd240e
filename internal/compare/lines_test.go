package compare

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/diagnose"
)

// lines numbers the lines of a text.
func lines(text string) (out []buildlog.Line) {
	n := 0
	for l := range strings.Lines(text) {
		n++
		out = append(out, buildlog.Line{N: n, Text: strings.TrimRight(l, "\n")})
	}
	return out
}

// found gives the texts of the new lines in their order.
func found(t *testing.T, failed, green string) (out []string) {
	t.Helper()
	list, ok := newLines(lines(failed), lines(green))
	if !ok {
		t.Fatal("too many lines to tell")
	}
	for _, c := range list {
		out = append(out, c.text)
	}
	return out
}

func TestNewLines(t *testing.T) {
	for _, row := range []struct{ what, failed, green, want string }{
		{"the same output", "building\nok 12 tests in 3.2s\n", "building\nok 11 tests in 4.0s\n", ""},
		{"ids, times, hashes and paths alone", "2026-01-02T10:00:00Z wrote /tmp/x81/app.js 4f3c2a1b9d in 12 ms\n",
			"2026-01-01T09:00:00Z wrote /tmp/y02/app.js 99aa01bcd2 in 7 ms\n", ""},
		{"a line that says nothing", "====\n----\n\n12 34\n", "x\n", ""},
		{"a warning that was always there", "WARN: deprecated glob@7.2.3\nError: boom\n",
			"WARN: deprecated glob@7.1.0\n", "Error: boom"},
		{"an error before what follows from it, though printed first",
			"Error: cannot find module './tax'\nmake: *** [test] Error 1\n",
			"ok\n", "Error: cannot find module './tax' | make: *** [test] Error 1"},
		{"what is printed once before what is printed often",
			"ERROR retry of connection 1\nERROR retry of connection 2\nERROR no route to shop-db\n", "ok\n",
			"ERROR no route to shop-db | ERROR retry of connection 1"},
		{"of errors the first, since it causes the others", "ERROR one\nERROR two\n", "ok\n", "ERROR one | ERROR two"},
		{"of plain lines the last", "reading shop.json\nwrong currency in shop.json\n", "x\n",
			"wrong currency in shop.json | reading shop.json"},
		{"two programs' lines in another order",
			"web | Error: port taken\nweb | listening on 3000\napi | listening on 4000\n",
			"api | listening on 4001\nweb | listening on 3000\n", "web | Error: port taken"},
		{"a word that only a non-ASCII line has", "✗ prüft Währung\n✓ prüft Preis\n",
			"✓ prüft Preis\n✓ prüft Währung\n",
			"✗ prüft Währung"},
		{"no ASCII letter at all", "失敗\n成功\n", "成功\n", "失敗"},
		{"no green output", "Error: boom\n", "", "Error: boom"},
	} {
		if got := strings.Join(found(t, row.failed, row.green), " | "); got != row.want {
			t.Errorf("%s: new are %q, want %q", row.what, got, row.want)
		}
	}
}

// TestNearTheEndFirst ensures that of equally sure errors those near the end come first.
func TestNearTheEndFirst(t *testing.T) {
	var b strings.Builder
	b.WriteString("ERROR early trouble that was survived\n")
	for range 2 * nearEnd {
		b.WriteString("working\n")
	}
	b.WriteString("ERROR the end\n")
	if got := found(t, b.String(), "working\n"); got[0] != "ERROR the end" || len(got) != 2 {
		t.Errorf("%q", got)
	}
}

// words of which random logs are made: levels, names, numbers and ids as tools print them.
var vocabulary = []string{"ERROR", "error:", "warning", "FAIL", "ok", "test", "shop", "tax",
	"/src/shop/main.go:12", "12", "3.4s",
	"4f3c2a1b9d", "https://example.com/a/1", "2026-01-02", "10:00:00", "✓", "✗", "Währung", "[3/9]", "│",
	"#7 1.2", "(", "):", "module",
	"not", "found", "10:00 utc", "deadbeef", "a", "K", "ſ", "\"x\"", "exit", "status"}

func randomLog(r *rand.Rand, n int) (out []buildlog.Line) {
	for i := range n {
		var words []string
		for range 1 + r.IntN(6) {
			words = append(words, vocabulary[r.IntN(len(vocabulary))])
		}
		out = append(out, buildlog.Line{N: i + 1, Text: strings.Join(words, " ")})
	}
	return out
}

// TestNothingKnownIsNew ensures, for random logs, that no line is new whose template the green
// build has, that every other template is among the new ones once, and that the order of the green
// lines, their number, and numbers in them play no part.
func TestNothingKnownIsNew(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 400 {
		failed, green := randomLog(r, 1+r.IntN(40)), randomLog(r, r.IntN(40))
		list, ok := newLines(failed, green)
		if !ok {
			t.Fatal("too many lines to tell")
		}
		known, want := map[string]bool{}, map[string]bool{}
		for _, l := range green {
			known[diagnose.Template(l.Text)] = true
		}
		for _, l := range failed {
			if tpl := diagnose.Template(l.Text); words(tpl) && !known[tpl] {
				want[tpl] = true
			}
		}
		got := map[string]bool{}
		for _, c := range list {
			tpl := diagnose.Template(c.text)
			if known[tpl] || got[tpl] {
				t.Fatalf("%q is shown: known %t, twice %t", c.text, known[tpl], got[tpl])
			}
			got[tpl] = true
		}
		if len(got) != len(want) {
			t.Fatalf("%d templates are new, want %d", len(got), len(want))
		}
		other := slices.Clone(green)
		r.Shuffle(len(other), func(i, j int) { other[i], other[j] = other[j], other[i] })
		other = append(other, green...)
		for i := range other {
			other[i].N = i + 1
			other[i].Text = strings.NewReplacer("12", "7345", "3.4s", "91 ms", "4f3c2a1b9d", "0011223344aa",
				"10:00:00", "23:59:59.123").
				Replace(other[i].Text)
		}
		again, _ := newLines(failed, other)
		if fmt.Sprint(list) != fmt.Sprint(again) {
			t.Fatalf("the order of the green log matters:\n%v\n%v", list, again)
		}
	}
}

// TestInterleaved ensures that two programs that print at once have the same new lines in whatever
// order their lines come.
func TestInterleaved(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	a := []string{"web:build: compiling", "web:build: ERROR in ./src/tax.js", "web:build: done"}
	b := []string{"api:build: compiling", "api:build: linking", "api:build: done"}
	mixed := func() string {
		var out []string
		for i, j := 0, 0; i < len(a) || j < len(b); {
			if j == len(b) || i < len(a) && r.IntN(2) == 0 {
				out, i = append(out, a[i]), i+1
			} else {
				out, j = append(out, b[j]), j+1
			}
		}
		return strings.Join(out, "\n") + "\n"
	}
	green := strings.ReplaceAll(mixed(), "web:build: ERROR in ./src/tax.js\n", "")
	for range 20 {
		if got := found(t, mixed(), green); !slices.Equal(got, []string{"web:build: ERROR in ./src/tax.js"}) {
			t.Fatalf("%q", got)
		}
	}
}

// TestHostileGreenLog ensures that a green log made to cost much costs little, and hides nothing:
// it is then said that nothing was compared.
func TestHostileGreenLog(t *testing.T) {
	var green []buildlog.Line
	for i := range maxGreenLines {
		green = append(green, buildlog.Line{N: i + 1, Text: "boom " + strings.Repeat(string(rune('a'+i%26)),
			i/26%900+1)})
	}
	failed := lines("boom: the new line\n")
	if _, ok := newLines(failed, green); ok {
		t.Error("more templates were made than are allowed")
	}
	if list, ok := newLines(lines("crash: the new line\nboom a\n"), green[:100]); !ok || len(list) != 1 {
		t.Errorf("%v, %t", list, ok)
	}
}

func FuzzNewLines(f *testing.F) {
	f.Add("Error: boom\nok 1\n", "ok 2\n")
	f.Add("✗ Währung\n", "✓ Währung\n10:00 utcfoo\n")
	f.Add("\x1b[31mERROR\x1b[0m x\n", "ERROR y\n")
	f.Fuzz(func(t *testing.T, failed, green string) {
		g := lines(green)
		list, _ := newLines(lines(failed), g)
		for _, c := range list {
			if slices.ContainsFunc(g, func(l buildlog.Line) bool { return l.Text == c.text }) {
				t.Errorf("%q is shown, and the green build printed it", c.text)
			}
		}
	})
}
