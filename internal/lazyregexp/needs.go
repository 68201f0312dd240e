package lazyregexp

import (
	"regexp/syntax"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Needs returns texts in lower case of which every match holds at least one, in whatever case; nil
// if there are none. Where a text holds none of them, the expression need not be tried, nor
// compiled.
//
// A text with one of [OddLetters] may match without.
func (r *Regexp) Needs() []string {
	r.needed.Do(func() {
		if tree, err := syntax.Parse(r.expr, syntax.Perl); err == nil {
			r.needs = needsOf(tree.Simplify()).best()
		}
	})
	return r.needs
}

// OddLetters are those that are equal to a letter of ASCII where case does not count.
const OddLetters = "\u017f\u212a"

// MatchIn is MatchString for a text that is given in lower case, too: it tries only a text that
// holds what the expression needs.
func (r *Regexp) MatchIn(s, lower string) bool {
	needs := r.Needs()
	return (needs == nil || slices.ContainsFunc(needs, func(w string) bool { return strings.Contains(lower, w) }) ||
		strings.Contains(s, OddLetters[:2]) || strings.Contains(s, OddLetters[2:])) && r.MatchString(s)
}

// mostTexts bounds the sets of texts, mostRunes the classes of characters that are taken apart.
const (
	mostTexts = 128
	mostRunes = 8
)

// A need is what a part of an expression matches: one of exact and nothing else, or, where exact is
// nil, something that holds one of any; nil if nothing is known.
type need struct{ exact, any []string }

// best returns the texts of which a match holds one.
func (n need) best() []string {
	if n.exact == nil {
		return n.any
	}
	if shortest(n.exact) == 0 {
		return nil
	}
	return n.exact
}

func shortest(list []string) int {
	if len(list) == 0 {
		return 0
	}
	return len(slices.MinFunc(list, func(a, b string) int { return len(a) - len(b) }))
}

// better returns the set that rules out more: the one with longer texts, or else fewer.
func better(a, b []string) []string {
	if n, m := shortest(a), shortest(b); m > n || m == n && len(b) < len(a) {
		return b
	}
	return a
}

func needsOf(re *syntax.Regexp) need {
	switch re.Op {
	case syntax.OpEmptyMatch, syntax.OpBeginLine, syntax.OpEndLine, syntax.OpBeginText, syntax.OpEndText, syntax.OpWordBoundary,
		syntax.OpNoWordBoundary:
		return need{exact: []string{""}}
	case syntax.OpLiteral:
		s, ok := lowered(re.Rune, re.Flags&syntax.FoldCase != 0)
		if !ok {
			return need{}
		}
		return need{exact: []string{s}}
	case syntax.OpCharClass:
		return needsOfClass(re.Rune)
	case syntax.OpCapture:
		return needsOf(re.Sub[0])
	case syntax.OpPlus:
		return need{any: needsOf(re.Sub[0]).best()}
	case syntax.OpQuest:
		if n := needsOf(re.Sub[0]); n.exact != nil {
			return need{exact: union(n.exact, []string{""})}
		}
	case syntax.OpConcat:
		return needsOfAll(re.Sub)
	case syntax.OpAlternate:
		return needsOfOne(re.Sub)
	}
	return need{}
}

// lowered returns the text of a literal; not ok if letters beyond ASCII may be in either case.
func lowered(runes []rune, fold bool) (string, bool) {
	var b strings.Builder
	for _, r := range runes {
		if r >= utf8.RuneSelf && !strings.ContainsRune(OddLetters, r) && (unicode.ToLower(r) != r || fold && unicode.SimpleFold(r) != r) {
			return "", false
		}
		b.WriteRune(lowerRune(r))
	}
	return b.String(), true
}

// lowerRune returns the letter of ASCII in lower case that r is where case does not count, else r.
func lowerRune(r rune) rune {
	switch {
	case 'A' <= r && r <= 'Z':
		return r + 'a' - 'A'
	case r == '\u017f':
		return 's'
	case r == '\u212a':
		return 'k'
	}
	return r
}

func needsOfClass(ranges []rune) need {
	var list []string
	for i := 0; i < len(ranges); i += 2 {
		for r := ranges[i]; r <= ranges[i+1]; r++ {
			if r >= utf8.RuneSelf && !strings.ContainsRune(OddLetters, r) && unicode.ToLower(r) != r {
				return need{}
			}
			if list = union(list, []string{string(lowerRune(r))}); len(list) > mostRunes {
				return need{}
			}
		}
	}
	return need{exact: list}
}

// needsOfAll is for parts that follow each other.
func needsOfAll(parts []*syntax.Regexp) need {
	var best []string
	run, whole := []string{""}, true // what the parts since the last unknown one match
	for _, p := range parts {
		n := needsOf(p)
		if n.exact != nil && len(run)*len(n.exact) <= mostTexts {
			var next []string
			for _, a := range run {
				for _, b := range n.exact {
					next = append(next, a+b)
				}
			}
			// What may be left out, or is a space of any kind, makes many texts and rules out no
			// more.
			if shortest(next) > shortest(run) || len(next) <= len(run) || len(next) <= mostTexts/4 {
				best = better(best, need{exact: run}.best())
				run = next
				continue
			}
		}
		best = better(better(best, need{exact: run}.best()), n.best())
		run, whole = []string{""}, false
		if n.exact != nil {
			run = n.exact
		}
	}
	if whole {
		return need{exact: run}
	}
	return need{any: better(best, need{exact: run}.best())}
}

// needsOfOne is for parts of which one matches.
func needsOfOne(parts []*syntax.Regexp) need {
	exact, any := []string{}, []string{}
	for _, p := range parts {
		n := needsOf(p)
		if exact != nil && n.exact != nil {
			exact = union(exact, n.exact)
		} else {
			exact = nil
		}
		if texts := n.best(); any != nil && texts != nil {
			any = union(any, texts)
		} else {
			any = nil
		}
	}
	switch {
	case exact != nil && len(exact) <= mostTexts:
		return need{exact: exact}
	case any != nil && len(any) <= mostTexts:
		return need{any: any}
	}
	return need{}
}

func union(a, b []string) []string {
	list := slices.Concat(a, b)
	slices.Sort(list)
	return slices.Compact(list)
}
