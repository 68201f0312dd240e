package iampolicy

import (
	"strings"
	"unicode/utf8"
)

// A pattern is matched as a list of symbols: characters, and these two
// wildcards. A wildcard is never equal to a character.
const (
	anyRun rune = -1 // "*": any characters, also none
	anyOne rune = -2 // "?": one character
)

// MatchPattern reports whether the pattern, in which * stands for any
// characters and ? for exactly one, matches all of s. Case counts; * also
// crosses colons and slashes; policy variables are not looked at. The time is
// at most proportional to len(pattern)*len(s).
func MatchPattern(pattern, s string) bool {
	return covers(compile(pattern), symbols(s))
}

// MatchAction is [MatchPattern] without regard to the case of ASCII letters.
// Case is not folded beyond ASCII, so that no look-alike letter matches.
func MatchAction(pattern, action string) bool {
	return MatchPattern(lowerASCII(pattern), lowerASCII(action))
}

// PatternWithin reports whether outer matches every string that inner
// matches, both as [MatchPattern] reads them. It is exact; its time is at
// most proportional to len(inner)*len(outer). For actions, lower both first.
func PatternWithin(inner, outer string) bool {
	return covers(widen(compile(outer)), compile(inner))
}

// symbols gives the characters of s. A byte that is not UTF-8 becomes a
// symbol of its own, so that two different such bytes are never equal.
func symbols(s string) []rune {
	out := make([]rune, 0, len(s))
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			r = utf8.MaxRune + 1 + rune(s[i])
		}
		out = append(out, r)
		i += n
	}
	return out
}

// compile gives the symbols of a pattern without policy variables.
func compile(pattern string) []rune {
	out := symbols(pattern)
	for i, r := range out {
		switch r {
		case '*':
			out[i] = anyRun
		case '?':
			out[i] = anyOne
		}
	}
	return out
}

// covers reports whether pattern matches s. If s holds wildcards itself, it
// stands for everything that it matches: its anyRun is covered only by
// anyRun, its anyOne by either. That is exact if pattern went through widen.
func covers(pattern, s []rune) bool {
	p, i := 0, 0
	star, mark := -1, 0 // the last anyRun tried, and how far it reaches
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == anyRun:
			star, mark = p, i
			p++
		case p < len(pattern) && coversOne(pattern[p], s[i]):
			p++
			i++
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == anyRun {
		p++
	}
	return p == len(pattern)
}

// coversOne reports whether p, a character or anyOne, stands for all that s
// stands for.
func coversOne(p, s rune) bool {
	if p == anyOne {
		return s != anyRun
	}
	return p == s
}

// widen writes each run of wildcards that has an anyRun as anyRun, anyOne,
// anyRun, anyOne, ... anyRun. It matches the same strings, and each anyOne
// may then be met anywhere among the wildcards of an inner pattern.
func widen(pattern []rune) []rune {
	out := make([]rune, 0, 2*len(pattern)+1)
	for i := 0; i < len(pattern); {
		if pattern[i] >= 0 {
			out = append(out, pattern[i])
			i++
			continue
		}
		ones, open := 0, false
		for ; i < len(pattern) && pattern[i] < 0; i++ {
			if pattern[i] == anyOne {
				ones++
			} else {
				open = true
			}
		}
		if open {
			out = append(out, anyRun)
		}
		for range ones {
			out = append(out, anyOne)
			if open {
				out = append(out, anyRun)
			}
		}
	}
	return out
}

// intersects reports whether some string is matched by both patterns.
func intersects(a, b []rune) bool {
	// meet[j] says whether a[i:] and b[j:] have a string in common.
	meet, below := make([]bool, len(b)+1), make([]bool, len(b)+1)
	for i := len(a); i >= 0; i-- {
		for j := len(b); j >= 0; j-- {
			aRun := i < len(a) && a[i] == anyRun
			bRun := j < len(b) && b[j] == anyRun
			switch {
			case i == len(a) && j == len(b):
				meet[j] = true
			case aRun || bRun:
				meet[j] = i < len(a) && (aRun || bRun) && below[j] || j < len(b) && meet[j+1]
			case i == len(a) || j == len(b):
				meet[j] = false
			default:
				meet[j] = (a[i] == b[j] || a[i] == anyOne || b[j] == anyOne) && below[j+1]
			}
		}
		meet, below = below, meet
	}
	return below[0]
}

// lowerASCII lowers the letters A to Z and changes no other byte.
func lowerASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + ('a' - 'A')
		}
	}
	return string(b)
}

// hasWildcard reports whether s holds * or ?.
func hasWildcard(s string) bool { return strings.ContainsAny(s, "*?") }
