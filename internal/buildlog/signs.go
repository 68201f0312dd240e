package buildlog

import (
	"bytes"
	"slices"
)

// A sign is a line that tools print when something fails. The lines of a command that hold one are
// kept wherever they are: the error may stand before any amount of other output.
type sign struct {
	kind string // which literal or symbol it was; see signAnchors and symbols
	line int
	raw  []byte // the line, and a little of what follows it
}

// Bounds of the signs that are kept of a command: the first and the last ones of each kind, so that
// no number of lines of one kind hides one of another.
const (
	maxSigns  = 6 // of either
	signReach = 2 // lines that are kept behind a sign's
	signBytes = 24 << 10
)

// signs are those of a command.
type signs struct {
	kinds map[string]*signsOfKind
}

type signsOfKind struct {
	first []sign
	last  []sign // a ring, once it is full
	next  int    // of the ring
}

func (s *signs) add(x sign) {
	if s.kinds == nil {
		s.kinds = map[string]*signsOfKind{}
	}
	k := s.kinds[x.kind]
	if k == nil {
		k = &signsOfKind{}
		s.kinds[x.kind] = k
	}
	switch {
	case len(k.first) < maxSigns:
		k.first = append(k.first, x)
	case len(k.last) < maxSigns:
		k.last = append(k.last, x)
	default:
		k.last[k.next] = x
		k.next = (k.next + 1) % maxSigns
	}
}

func (s signs) clone() signs {
	c := signs{kinds: make(map[string]*signsOfKind, len(s.kinds))}
	for kind, k := range s.kinds {
		c.kinds[kind] = &signsOfKind{slices.Clone(k.first), slices.Clone(k.last), k.next}
	}
	return c
}

// lines returns the lines of the signs that do report an error, and those behind them: the strongest
// first where not all can be kept.
func (s signs) lines() []Line {
	var found []sign
	for _, k := range s.kinds {
		found = append(append(found, k.first...), k.last...)
	}
	strength := map[int]int{}
	found = slices.DeleteFunc(found, func(x sign) bool {
		own, _, _ := bytes.Cut(x.raw, newline)
		n := Strength(clip(clean(own), maxLine))
		strength[x.line] = n
		return n < Consequence
	})
	slices.SortFunc(found, func(a, b sign) int {
		if d := strength[b.line] - strength[a.line]; d != 0 {
			return d
		}
		return a.line - b.line
	})
	var own, behind []Line
	size := 0
	for _, x := range found {
		for i, l := range linesOf(x.raw, x.line) {
			if size += len(l.Text) + 1; size > signBytes {
				break
			}
			if i == 0 {
				own = append(own, l)
			} else {
				behind = append(behind, l)
			}
		}
	}
	return merge(own, behind)
}

// sign handles the literal or symbol of a sign, which begins at off.
func (s *scanner) sign(off int64, kind string) {
	if off < s.signEnd {
		return // in the line of the sign before
	}
	at := int(off - s.off)
	from := max(0, at-maxLine)
	if n := bytes.LastIndexByte(s.buf[from:at], '\n'); n >= 0 {
		from += n + 1
	} else if from > 0 || s.off > 0 {
		return // nothing prints a report in the middle of so long a line
	}
	to := at
	for i := range signReach + 1 {
		n := bytes.IndexByte(s.buf[to:min(len(s.buf), from+2*maxLine)], '\n')
		if n < 0 {
			to = min(len(s.buf), from+2*maxLine)
			break
		}
		to += n + 1
		if i == 0 {
			s.signEnd = s.off + int64(to)
		}
	}
	if s.signEnd <= off {
		s.signEnd = s.off + int64(to)
	}
	raw := s.buf[from:to]
	for { // what the agent writes is no output
		i, _ := indexAgent(raw)
		if i < 0 {
			break
		}
		raw = raw[:bytes.LastIndexByte(raw[:i], '\n')+1]
	}
	if len(raw) <= at-from {
		return
	}
	begin := s.off + int64(from)
	s.waiting = append(s.waiting, located{marker: marker{kind: signLine}, from: off, to: off,
		sign: sign{kind, s.lineAt(begin), bytes.Clone(bytes.TrimRight(raw, "\r\n"))}})
	if !s.open {
		s.pass(off + 1)
	}
}

// symbols finds the signs that have no word: a cross or another mark in front of a line, of three
// bytes, which is too short for an anchor.
func (s *scanner) symbols(hits []hit, from, to int) []hit {
	for b := s.buf[:min(to, len(s.buf))]; from < len(b); from++ {
		n := bytes.IndexByte(b[from:], crossMark[0])
		if n < 0 {
			break
		}
		from += n
		if from+2 < len(s.buf) && isCross(s.buf[from+1], s.buf[from+2]) {
			hits = append(hits, hit{&crossAnchor, from})
		}
	}
	return hits
}

const crossMark = "❌"

var crossAnchor = anchor{literal: crossMark, kind: signAnchor}

// isCross reports whether the two bytes after the first are those of ✕ ✖ ✗ ✘ ❌ or ❎.
func isCross(a, b byte) bool {
	return a == 0x9c && b >= 0x95 && b <= 0x98 || a == 0x9d && (b == 0x8c || b == 0x8e)
}
