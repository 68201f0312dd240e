package compare

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/diagnose"
)

const (
	// maxGreenLines bounds how many lines of the green build are compared.
	maxGreenLines = 40_000
	// maxTemplates bounds how many templates are made of them: with words of a new line in every
	// line, a green log could cost minutes.
	maxTemplates = 8000
	// nearEnd is how many lines of the end hold the error of most commands.
	nearEnd = 400
)

// A candidate is a line that is new, with all lines that are alike.
type candidate struct {
	n        int // of the first one
	text     string
	template string
	at       []int
	strength int
	near     bool // the last of them stands near the end
}

// newLines returns those lines of the failed build whose template no line of the green one has, one
// for each template, the most telling first. ok is false if the green one has too many lines to
// tell.
//
// How much it costs is linear in both: only for lines of the green build that have a word of a
// possibly new line is a template made.
func newLines(failed, green []buildlog.Line) (list []candidate, ok bool) {
	seen := make(map[string]bool, len(green))
	for _, l := range green {
		seen[rough(l.Text)] = true
	}
	list = candidates(failed, seen)
	if list, ok = withoutKnown(list, green); !ok {
		return nil, false
	}
	slices.SortStableFunc(list, func(a, b candidate) int {
		c := cmp.Or(cmp.Compare(b.strength, a.strength), cmp.Compare(len(a.at), len(b.at)), compareBool(b.near, a.near))
		switch {
		case c != 0:
			return c
		case a.strength >= buildlog.Perhaps: // one error often causes those behind it
			return cmp.Compare(a.n, b.n)
		}
		return cmp.Compare(b.n, a.n)
	})
	return list, true
}

// candidates returns the failed build's lines by template, without those that the green one surely
// has.
func candidates(failed []buildlog.Line, seen map[string]bool) (list []candidate) {
	place := map[string]int{}
	last := 0
	for _, l := range failed {
		last = max(last, l.N)
	}
	for _, l := range failed {
		if !words(l.Text) || seen[rough(l.Text)] {
			continue
		}
		t := diagnose.Template(l.Text)
		if !words(t) {
			continue
		}
		i, known := place[t]
		if !known {
			i = len(list)
			place[t] = i
			list = append(list, candidate{n: l.N, text: strings.TrimSpace(l.Text), template: t,
				strength: diagnose.ErrorStrength(l.Text)})
		}
		c := &list[i]
		c.at = append(c.at, l.N)
		c.near = c.near || last-l.N < nearEnd
	}
	return list
}

// withoutKnown returns the candidates whose template no green line has.
func withoutKnown(list []candidate, green []buildlog.Line) (_ []candidate, ok bool) {
	wanted := map[string]bool{} // a word of each
	left := map[string]bool{}   // templates
	for _, c := range list {
		left[c.template] = true
		wanted[longestWord(c.template)] = true
	}
	asked := map[string]bool{}
	for _, l := range green {
		if len(left) == 0 {
			break
		}
		if !holds(l.Text, wanted) {
			continue
		}
		r := rough(l.Text)
		if asked[r] {
			continue
		}
		if len(asked) == maxTemplates {
			return nil, false
		}
		asked[r] = true
		delete(left, diagnose.Template(l.Text))
	}
	return slices.DeleteFunc(list, func(c candidate) bool { return !left[c.template] }), true
}

// rough is a line without its numbers and blanks: lines that are the same then are alike.
func rough(line string) string {
	b := make([]byte, 0, len(line))
	for i := range len(line) {
		switch c := line[i]; {
		case c >= '0' && c <= '9':
			if n := len(b); n == 0 || b[n-1] != '0' {
				b = append(b, '0')
			}
		case c != ' ':
			b = append(b, c)
		}
	}
	return string(b)
}

// words reports whether a text has a letter: others say nothing.
func words(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return letter(r) || r >= utf8.RuneSelf }) >= 0
}

func letter(r rune) bool { return r|0x20 >= 'a' && r|0x20 <= 'z' }

// longestWord returns the longest run of ASCII letters in a template, which every line with that
// template has as well: what a template leaves out of a line takes whole words. "" without any.
func longestWord(template string) (word string) {
	for _, w := range wordsOf(template) {
		if len(w) > len(word) {
			word = w
		}
	}
	return word
}

// wordsOf returns the runs of ASCII letters in a text, in lower case.
func wordsOf(s string) []string {
	return strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return !letter(r) })
}

// holds reports whether the line has one of the words; with "" among them, whether it has a letter
// that is none of ASCII's.
func holds(line string, wanted map[string]bool) bool {
	return slices.ContainsFunc(wordsOf(line), func(w string) bool { return wanted[w] }) ||
		wanted[""] && strings.IndexFunc(line, func(r rune) bool { return r >= utf8.RuneSelf }) >= 0
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// clip cuts a text to so many bytes.
func clip(s string, size int) string {
	if len(s) <= size {
		return s
	}
	return strings.ToValidUTF8(s[:size], "") + "…"
}
