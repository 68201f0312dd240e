package buildlog

import (
	"bytes"
	"slices"

	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// A sign is a line that tools print when something fails. The lines of a command that hold one are
// kept wherever they are: the error may stand before any amount of other output.
type sign struct {
	kind signKind
	line int
	raw  []byte // the line, and a little of what follows it
}

// signKind is equal for lines of one kind: which literal or symbol is in it, and the letters that
// the line begins with.
type signKind struct {
	literal string
	letters [10]byte
}

// Bounds of the signs that are kept of a command: the first and the last ones of each kind, so that
// no number of lines of one kind hides one of another.
const (
	maxSigns  = 6 // of either
	maxKinds  = 96
	signReach = 2 // lines that are kept behind a sign's
	signBytes = 24 << 10
)

// signs are those of a command.
type signs struct {
	kinds map[signKind]*signsOfKind
}

type signsOfKind struct {
	first []sign
	last  []sign // a ring, once it is full
	next  int    // of the ring
}

func (s *signs) add(x sign) {
	if s.kinds == nil {
		s.kinds = map[signKind]*signsOfKind{}
	}
	k := s.kinds[x.kind]
	if k == nil && len(s.kinds) >= maxKinds {
		x.kind.letters = [10]byte{}
		k = s.kinds[x.kind]
	}
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
	c := signs{kinds: make(map[signKind]*signsOfKind, len(s.kinds))}
	for kind, k := range s.kinds {
		c.kinds[kind] = &signsOfKind{slices.Clone(k.first), slices.Clone(k.last), k.next}
	}
	return c
}

// sumAbove matches the sum that Mocha prints above the list of failed tests. It explains nothing, but
// without it nobody knows that the list is one.
var sumAbove = lazyregexp.New(`^\s*\d+ failing$`)

// lines returns the lines of the signs that do report an error, and those behind them: the
// strongest first where not all can be kept.
func (s signs) lines() []Line {
	var found []sign
	for _, k := range s.kinds {
		found = append(append(found, k.first...), k.last...)
	}
	strength := map[int]int{}
	found = slices.DeleteFunc(found, func(x sign) bool {
		own, _, _ := bytes.Cut(x.raw, newline)
		text := clip(clean(own), maxLine)
		n := Strength(text)
		strength[x.line] = n
		return n < Consequence && !sumAbove.MatchString(text)
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

// sign handles the literal of a sign, which begins at off.
func (s *scanner) sign(off int64, literal string) {
	if literal[0] == '\n' {
		off++
	}
	if off < s.signEnd {
		return // in the line of the sign before
	}
	var x sign
	if x, s.signEnd = s.signAt(off, literal); x.raw == nil {
		return
	}
	s.waiting = append(s.waiting, located{marker: marker{kind: signLine}, from: off, to: off, sign: x})
	if !s.open {
		s.pass(off + 1)
	}
}

// signAt returns the sign whose literal or symbol is at off, and where its line ends. The sign has
// no text if it is none.
func (s *scanner) signAt(off int64, literal string) (x sign, end int64) {
	at := int(off - s.off)
	from := max(0, at-maxLine)
	if n := bytes.LastIndexByte(s.buf[from:at], '\n'); n >= 0 {
		from += n + 1
	} else if from > 0 || s.off > 0 {
		to := min(len(s.buf), at+maxLine) // nothing prints a report in the middle of so long a line
		if n := bytes.IndexByte(s.buf[at:to], '\n'); n >= 0 {
			to = at + n
		}
		return sign{}, s.off + int64(to)
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
			end = s.off + int64(to)
		}
	}
	if end == 0 {
		end = s.off + int64(to)
	}
	raw := s.buf[from:to]
	s.read += int64(len(raw))
	for { // what the agent writes is no output
		i, _ := indexAgent(raw)
		if i < 0 {
			break
		}
		raw = raw[:bytes.LastIndexByte(raw[:i], '\n')+1]
	}
	if len(raw) <= at-from {
		return sign{}, end
	}
	return sign{kindOf(literal, raw), s.lineAt(s.off + int64(from)), bytes.Clone(bytes.TrimRight(raw, "\r\n"))}, end
}

func kindOf(literal string, line []byte) signKind {
	k := signKind{literal: literal}
	n := 0
	for _, x := range line {
		if n == len(k.letters) || x == '\n' {
			break
		}
		if letter(x) {
			k.letters[n] = x
			n++
		}
	}
	return k
}

// crosses adds the signs that have no word, a cross in front of a line, to those of the part of the
// log between the offsets, as far as the buffer has it. Their three bytes are too short for an
// anchor, and looking for them everywhere would be slow.
func (s *scanner) crosses(to *signs, from, until int64) {
	from = max(from, s.crossed, s.off)
	s.crossed = max(s.crossed, until)
	for from < until {
		n := bytes.IndexByte(s.buf[from-s.off:until-s.off], crossMark[0])
		if n < 0 {
			break
		}
		from += int64(n)
		if i := int(from - s.off); i+2 >= len(s.buf) || !isCross(s.buf[i+1], s.buf[i+2]) {
			from++
			continue
		}
		var x sign
		if x, from = s.signAt(from, crossMark); x.raw != nil {
			to.add(x)
		}
	}
}

const crossMark = "❌"

// isCross reports whether the two bytes after the first are those of ✕ ✖ ✗ ✘ ❌ or ❎.
func isCross(a, b byte) bool {
	return a == 0x9c && b >= 0x95 && b <= 0x98 || a == 0x9d && (b == 0x8c || b == 0x8e)
}
