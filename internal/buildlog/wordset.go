package buildlog

import (
	"strings"
	"sync"
)

// A wordList is a set of words that is made when it is first asked: most starts of the function
// need none of them.
type wordList struct {
	words string
	once  sync.Once
	set   map[string]bool
}

// wordSet returns the set of the words of a text.
func wordSet(words string) *wordList { return &wordList{words: words} }

// has reports whether w, in lower case, is one of the words.
func (l *wordList) has(w string) bool {
	l.once.Do(func() {
		l.set = map[string]bool{}
		for _, w := range strings.Fields(l.words) {
			l.set[w] = true
		}
	})
	return l.set[w]
}
