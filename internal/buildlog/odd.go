package buildlog

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// Odd lines are those that are like hardly any other of their command's output. In thousands of
// lines that look alike they are what a reader stops at, whatever words they have, so they are kept
// wherever they stand.
//
// Lines are alike if they begin and end alike, or have the same word behind the first ones, digits
// apart: a tool's prefix may stand in front of every line, and names may be in all of them.
type odds struct {
	from   int64 // where the command begins whose lines these are
	at     int64 // lines before this offset have been looked at
	line   int   // the number of the line at lineAt, which is at or where the buffer no longer had it
	lineAt int64
	lines  int
	seen   [features][oddSlots]uint8 // how many lines have a feature, at most oddOften+1
	often  [features]int             // how many features are not rare
	found  []oddLine
	taken  int      // how many lines were found
	full   bool     // too many are odd to keep them all
	free   [][]byte // the texts of lines that were given up
}

const features = 3 // beginning, end, word

type oddLine struct {
	n     int // its number
	text  []byte
	slots [features]uint16
	error uint8 // 1 if it has the words of an error, 2 if not, 0 if nobody asked yet
}

const (
	oddSlots  = 1 << 12
	oddOften  = 3       // a feature that more lines have is not rare
	oddKept   = 160     // lines that are kept at a time
	oddBytes  = maxLine // of each
	oddReach  = 64      // bytes in which the word is looked for
	oddLines  = 24      // lines that are kept in the end
	oddFew    = 200     // a command with fewer lines has none: all of its lines may be the only ones of their kind
	oddTaken  = 100     // one line in so many is taken in, beyond those
	oddShare  = 20      // at most one line in so many: else nothing looks alike here
	oddMuch   = oddSlots / 4
	edgeBytes = 8
)

// read looks at the lines of the command that begins at from, as far as the buffer has them and
// they end before until.
func (o *odds) read(s *scanner, from, output, until int64) {
	if o.from != from || o.line == 0 {
		*o = odds{from: from, at: output, lineAt: -1}
	}
	o.at = max(o.at, s.off)
	if until <= o.at {
		return
	}
	b := s.buf[o.at-s.off : until-s.off]
	if o.lineAt != o.at {
		o.line = s.lineAt(o.at)
	}
	for len(b) > 0 {
		n := bytes.IndexByte(b, '\n')
		if n < 0 {
			break // its end is still to come
		}
		if n >= edgeBytes/2 {
			o.lines++
			if slots, rare := o.weigh(b[:n]); rare && o.taken <= oddKept+o.lines/oddTaken {
				o.keep(o.line, b[:min(n, oddBytes)], slots)
			}
		}
		o.at += int64(n) + 1
		o.line++
		b = b[n+1:]
	}
	o.lineAt = o.at
}

// weigh counts a line's features and reports whether they are rare so far.
func (o *odds) weigh(line []byte) (slots [features]uint16, rare bool) {
	var head, tail uint64
	if len(line) >= edgeBytes {
		head = binary.LittleEndian.Uint64(line)
		tail = binary.LittleEndian.Uint64(line[len(line)-edgeBytes:])
	} else {
		var short [edgeBytes]byte
		copy(short[:], line)
		head = binary.LittleEndian.Uint64(short[:])
	}
	head, tail = withoutDigits(head), withoutDigits(tail)
	slots[0], slots[1] = slotOf(head), slotOf(tail)
	often := 0
	for i := range 2 {
		if o.count(i, slots[i]) {
			often++
		}
	}
	if often == 2 {
		return slots, false
	}
	word := wordOf(line)
	if slots[2] = slotOf(withoutDigits(word)); word != 0 && o.count(2, slots[2]) {
		often = 2
	}
	return slots, often < 2
}

// count counts a feature and reports whether it is no longer rare.
func (o *odds) count(feature int, slot uint16) bool {
	n := &o.seen[feature][slot]
	if *n > oddOften {
		return o.often[feature] < oddMuch
	}
	if *n++; *n > oddOften {
		o.often[feature]++
	}
	return false
}

// common reports whether many lines have a feature. Where each line has another one, as ids make it, in
// the end all slots are full and tell nothing.
func (o *odds) common(feature int, slot uint16) bool {
	return o.seen[feature][slot] > oddOften && o.often[feature] < oddMuch
}

// withoutDigits makes all digits among eight bytes alike.
func withoutDigits(x uint64) uint64 {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	low := x &^ high                                                          // without what would carry
	digit := (low + ones*(0x80-'0')) &^ (low + ones*(0x80-'9'-1)) &^ x & high // 0x80 in each byte that is a digit
	return x &^ (digit >> 7 * 0x0f)
}

func slotOf(x uint64) uint16 { return uint16(x * 0x9e3779b97f4a7c15 >> (64 - 12)) }

// wordOf gives the word behind the first blank that stands not quite in the beginning of a line, 0 if
// there is none.
func wordOf(line []byte) uint64 {
	if len(line) < 3*edgeBytes {
		return 0
	}
	for i := edgeBytes; i < min(len(line)-edgeBytes, oddReach); i++ {
		if line[i] == ' ' {
			return binary.LittleEndian.Uint64(line[i+1:])
		}
	}
	return 0
}

// keep takes a line in. Where there are too many, those that turned out not to be odd go first,
// then the older ones without the words of an error.
func (o *odds) keep(number int, line []byte, slots [features]uint16) {
	var text []byte
	if n := len(o.free); n > 0 {
		text, o.free = o.free[n-1][:0], o.free[:n-1]
	}
	o.taken++
	o.found = append(o.found, oddLine{n: number, text: append(text, line...), slots: slots})
	if len(o.found) < oddKept {
		return
	}
	o.drop(len(o.found), func(l *oddLine) bool { return !o.odd(l) })
	if len(o.found) < oddKept*3/4 {
		return
	}
	o.full = true
	o.drop(len(o.found)/2, func(l *oddLine) bool { return !l.reports() })
	if len(o.found) >= oddKept*3/4 {
		o.drop(oddKept/4, func(*oddLine) bool { return true })
	}
}

// drop gives up those of the first n lines for which it is so.
func (o *odds) drop(n int, is func(*oddLine) bool) {
	kept := o.found[:0]
	for i, l := range o.found {
		if i < n && is(&o.found[i]) {
			o.free = append(o.free, l.text)
		} else {
			l.error = o.found[i].error
			kept = append(kept, l)
		}
	}
	o.found = kept
}

// reports reports whether the line has the words of an error.
func (l *oddLine) reports() bool {
	if l.error == 0 {
		l.error = 2
		if Strength(clip(clean(l.text), maxLine)) >= Perhaps {
			l.error = 1
		}
	}
	return l.error == 1
}

// odd reports whether two of a line's features are still rare.
func (o *odds) odd(l *oddLine) bool {
	return !o.common(2, l.slots[2]) && !(o.common(0, l.slots[0]) && o.common(1, l.slots[1]))
}

// list returns the odd lines, the surest errors first where there are too many; none where so many
// are odd that it means nothing.
func (o *odds) list() []Line {
	if o.lines < oddFew {
		return nil
	}
	var list []Line
	for _, l := range o.found {
		text := clip(clean(l.text), maxLine)
		if o.odd(&l) && text != "" && !AgentLine(text) {
			list = append(list, Line{l.n, text})
		}
	}
	if o.full || len(list)*oddShare > o.lines {
		list = slices.DeleteFunc(list, func(l Line) bool { return Strength(l.Text) < Perhaps })
	}
	if len(list) > oddLines {
		slices.SortStableFunc(list, func(a, b Line) int {
			if d := Strength(b.Text) - Strength(a.Text); d != 0 {
				return d
			}
			return b.N - a.N
		})
		list = list[:oddLines]
		slices.SortFunc(list, func(a, b Line) int { return a.N - b.N })
	}
	return list
}
