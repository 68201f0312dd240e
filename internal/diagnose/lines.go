package diagnose

import (
	"strings"

	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// lines are the searched lines in one form. Many questions are asked of each line, most of them by
// the same expressions again and again: an expression is tried on a line at most once, and only
// where one of the texts that it needs stands.
type lines struct {
	list   []string
	text   string // list in lower case, each line ended by a newline
	starts []int  // where each line starts in text
	grams  *grams // of text
	odd    bool   // a letter equals one of ASCII: what an expression needs may be there unseen
	asked  map[*lazyregexp.Regexp]*matches
}

func newLines(list []string) *lines {
	l := &lines{list: list, asked: map[*lazyregexp.Regexp]*matches{}}
	var b strings.Builder
	for _, s := range list {
		l.starts = append(l.starts, b.Len())
		b.WriteString(lower(s))
		b.WriteByte('\n')
	}
	l.text = b.String()
	l.grams = gramsOf(l.text)
	l.odd = strings.ContainsAny(l.text, lazyregexp.OddLetters)
	return l
}

// matches is what is known of one expression and each line.
type matches struct {
	re   *lazyregexp.Regexp
	list []string
	memo memo
}

// of returns what is known of an expression.
func (l *lines) of(re *lazyregexp.Regexp) *matches {
	m := l.asked[re]
	if m == nil {
		m = &matches{re, l.list, make(memo, len(l.list))}
		l.asked[re] = m
		if needs := re.Needs(); needs != nil && !l.odd {
			l.ruleOut(m.memo, needs)
		}
	}
	return m
}

// ruleOut marks the lines in which none of the words, which are in lower case, stands.
func (l *lines) ruleOut(m memo, words []string) {
	for i := range m {
		m[i] = no
	}
	for _, w := range words {
		if !l.grams.lacks(w) {
			l.holding(w, 0, func(i int) { m[i] = unknown })
		}
	}
}

// holding calls found for each line, from index lo, that holds word, which is in lower case.
func (l *lines) holding(word string, lo int, found func(i int)) {
	for i := lo; i < len(l.starts); i++ {
		n := strings.Index(l.text[l.starts[i]:], word)
		if n < 0 {
			return
		}
		i = l.at(l.starts[i]+n, i)
		found(i)
	}
}

// at returns the index of the line, not before the one with index lo, that holds text[off].
func (l *lines) at(off, lo int) int {
	hi := len(l.starts)
	for lo+1 < hi {
		if mid := int(uint(lo+hi) >> 1); l.starts[mid] <= off {
			lo = mid
		} else {
			hi = mid
		}
	}
	return lo
}

// low returns the line with index i in lower case.
func (l *lines) low(i int) string { return l.text[l.starts[i] : l.starts[i]+len(l.list[i])] }

// match reports whether the line with index i matches.
func (l *lines) match(re *lazyregexp.Regexp, i int) bool { return l.of(re).at(i) }

// may reports whether a part of the line with index i may match.
func (l *lines) may(re *lazyregexp.Regexp, i int) bool {
	return l.of(re).memo[i] != no
}

// anyAfter reports whether a line behind the one with index i matches.
func (l *lines) anyAfter(re *lazyregexp.Regexp, i int) bool {
	m := l.of(re)
	for k := i + 1; k < len(l.list); k++ {
		if m.at(k) {
			return true
		}
	}
	return false
}

func (m *matches) at(i int) bool {
	if m.memo[i] == unknown {
		m.memo[i] = noMatch // it was tried
		if m.re.MatchString(m.list[i]) {
			m.memo[i] = yes
		}
	}
	return m.memo[i] == yes
}

// A memo holds an answer for each line.
type memo []int8

// The answers.
const (
	unknown int8 = iota
	no           // what it needs is not there
	noMatch
	yes
)

// get returns the answer for the line with index i, one of n, and finds it at the first call.
func (m *memo) get(n, i int, find func(i int) bool) bool {
	if *m == nil {
		*m = make(memo, n)
	}
	if (*m)[i] == unknown {
		(*m)[i] = noMatch
		if find(i) {
			(*m)[i] = yes
		}
	}
	return (*m)[i] == yes
}
