package testrun

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSplit ensures that each process is read on its own, and that what only looks like a label
// stays where it is.
func TestSplit(t *testing.T) {
	for _, c := range []struct {
		what string
		text string
		want []string // what each process printed; the one without a label first
		n    []int    // the number of each one's first line
	}{
		{"no label", "a\nb\n", []string{"a|b"}, []int{1}},
		{"Turborepo, two tasks at once", "web:test: a\n@shop/api:test: x\nweb:test: b\n@shop/api:test:\n" +
			"web:test:   c\n" +
			"@shop/api:test: z\n ERROR  run failed\n", []string{" ERROR  run failed", "a|b|  c", "x||z"},
			[]int{7, 1, 2}},
		{"concurrently by number", "[0] a\n[1] x\n[0] b\n[1] y\n[0] c\n[1] z\n", []string{"", "a|b|c",
			"x|y|z"}, []int{0, 1, 2}},
		{"npm-run-all pads its labels", "[test:api] a\n[lint    ] x\n[test:api] b\n[lint    ] y\n" +
			"[test:api] c\n[lint    ] z\n",
			[]string{"", "a|b|c", "x|y|z"}, []int{0, 1, 2}},
		{"Yarn's workspaces", "[@shop/web]: a\n[@shop/web]: b\n[@shop/web]: c\n", []string{"", "a|b|c"}, []int{0, 1}},
		{"Docker Compose and one that exits", "api-1  | a\napi-1  | b\napi-1  |   c\napi-1 exited with code 1\n",
			[]string{"api-1 exited with code 1", "a|b|  c"}, []int{4, 1}},
		{"foreman's time in front of the label", "03:04:05 web.1   | a\n03:04:05 web.1   | b\n03:04:05 web.1   | c\n",
			[]string{"", "a|b|c"}, []int{0, 1}},
		{"pnpm in all packages", "packages/cart test$ mocha\npackages/cart test: a\npackages/cart test:   b\n",
			[]string{"", "mocha|a|  b"}, []int{0, 1}},
		{"Bun in all packages, which does not show the command", "@shop/cart test: a\n@shop/cart test:\n@shop/cart test:   b\n",
			[]string{"", "a||  b"}, []int{0, 1}},
		{"Lerna's packages", "@shop/cart: > @shop/cart@1.0.0 test\n@shop/cart: > mocha\n@shop/cart:   a\n",
			[]string{"", "> @shop/cart@1.0.0 test|> mocha|  a"}, []int{0, 1}},
		{"Lerna's packages, and the log of a service", "@shop/cart: > mocha\n@shop/cart:   a\n@shop/cart: b\ndb-1  | x\ndb-1  | y\n" +
			"db-1  | z\n", []string{"", "> mocha|  a|b", "x|y|z"}, []int{0, 1, 4}},
		{"BuildKit's step, and a label within", "#9 [4/4] RUN npm test\n#9 0.512 [0] a\n#9 0.520 [0] b\n" +
			"#9 0.600 [0] c\n",
			[]string{"#9 [4/4] RUN npm test", "", "a|b|c"}, []int{1, 0, 2}},
		{"times in front of all lines", "2026-01-02T03:04:05.678Z a\n2026-01-02T03:04:06.001Z   b\n",
			[]string{"a|  b"}, []int{1}},
		{"levels are no labels", "[INFO] a\n[INFO] b\n[INFO] c\n[ERROR] d\n",
			[]string{"[INFO] a|[INFO] b|[INFO] c|[ERROR] d"}, []int{1}},
		{"nor are counters", "[1/3] a\n[2/3] b\n[3/3] c\n", []string{"[1/3] a|[2/3] b|[3/3] c"}, []int{1}},
		{"nor places in the source", "a.go:1: x\na.go:2: y\na.go:3: z\n",
			[]string{"a.go:1: x|a.go:2: y|a.go:3: z"}, []int{1}},
		{"nor errors", "Error: a\nError: b\nError: c\n", []string{"Error: a|Error: b|Error: c"}, []int{1}},
		{"nor a source with its numbers", "1 | a\n2 | b\n3 | c\n", []string{"1 | a|2 | b|3 | c"}, []int{1}},
		{"nor what stands in few of the lines", "[a] 1\nb\n[a] 2\nc\nd\n[a] 3\ne\n",
			[]string{"[a] 1|b|[a] 2|c|d|[a] 3|e"}, []int{1}},
	} {
		var got []string
		var n []int
		for _, o := range split(linesOf(c.text)) {
			got = append(got, strings.Join(o.lines, "|"))
			if n = append(n, 0); len(o.n) > 0 {
				n[len(n)-1] = o.n[0]
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.what, diff)
		}
		if diff := cmp.Diff(c.n, n); diff != "" {
			t.Errorf("%s: first lines (-want +got):\n%s", c.what, diff)
		}
	}
}
