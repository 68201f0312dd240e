package policyfile

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// contextLines are unchanged lines around a change, as in git's patches.
const contextLines = 3

// Patch is the difference between two texts of a file, as `git apply` takes it: one hunk, since what
// is added stands together. before is nil where there is no file yet. It is "" where nothing differs.
// The path is one that [ValidPath] takes.
func Patch(path string, before, after []byte) string {
	if before != nil && bytes.Equal(before, after) {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "diff --git a/%s b/%s\n", path, path)
	if before == nil {
		fmt.Fprintf(&b, "new file mode 100644\n--- /dev/null\n+++ b/%s\n", path)
	} else {
		fmt.Fprintf(&b, "--- a/%s\n+++ b/%s\n", path, path)
	}
	was, is := lines(before), lines(after)
	head := 0
	for head < min(len(was), len(is)) && was[head] == is[head] {
		head++
	}
	tail := 0
	for tail < min(len(was), len(is))-head && was[len(was)-1-tail] == is[len(is)-1-tail] {
		tail++
	}
	from, behind := max(head-contextLines, 0), max(tail-contextLines, 0)
	fmt.Fprintf(&b, "@@ -%s +%s @@\n", span(from, len(was)-behind), span(from, len(is)-behind))
	put := func(mark string, of []string) {
		for _, l := range of {
			b.WriteString(mark + l)
			if !strings.HasSuffix(l, "\n") {
				b.WriteString("\n\\ No newline at end of file\n")
			}
		}
	}
	put(" ", was[from:head])
	put("-", was[head:len(was)-tail])
	put("+", is[head:len(is)-tail])
	put(" ", was[len(was)-tail:len(was)-behind])
	return b.String()
}

// span names lines from..to as a hunk's head does: of no lines, by the one before.
func span(from, to int) string {
	if from == to {
		return fmt.Sprintf("%d,0", from)
	}
	return fmt.Sprintf("%d,%d", from+1, to-from)
}

func lines(text []byte) (out []string) {
	for l := range strings.Lines(string(text)) {
		out = append(out, l)
	}
	return out
}

// maxPath and maxDepth bound a path: each folder of it costs a call of the code host.
const maxPath, maxDepth = 200, 8

var component = lazyregexp.New(`^[A-Za-z0-9._+@=-]+$`)

// ValidPath reports whether a path within a repository is one that is read and written: plain names,
// joined by slashes, none of which git keeps for itself. Such a path needs no quotes anywhere.
func ValidPath(path string) bool {
	parts := strings.Split(path, "/")
	return len(path) <= maxPath && len(parts) <= maxDepth && !slices.ContainsFunc(parts, func(p string) bool {
		return !component.MatchString(p) || p == "." || p == ".." || strings.EqualFold(p, ".git")
	})
}
