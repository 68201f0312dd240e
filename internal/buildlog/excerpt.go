package buildlog

import (
	"bytes"
	"cmp"
	"maps"
	"slices"
	"strings"
)

// Bounds of what is kept of the failed command for people and causes.
const (
	maxLine      = 1000 // bytes of a Line's text
	maxTailLines = 1000
	maxTailBytes = 128 << 10
	maxExcerpt   = 40 // lines
	edge         = 10 // lines at either end of an excerpt
	maxPlaces    = 4  // of an excerpt of several denials
	maxWrapped   = 9  // lines of each, as a box breaks it, and the one above
	placesLines  = 27 // and of all of them
)

// linesOf cleans raw, whose first line has the given number.
func linesOf(raw []byte, n int) []Line {
	var list []Line
	for len(raw) > 0 {
		l, rest, _ := bytes.Cut(raw, newline)
		list = append(list, Line{n, clip(clean(l), maxLine)})
		raw = rest
		n++
	}
	return list
}

// Bounds of the long lines that are kept whole.
const (
	maxLong  = 64 << 10 // bytes of each
	maxLongs = 2
)

// longLines returns the last lines that are JSON and longer than a Line's text.
func longLines(raw []byte, n int) []Line {
	var list []Line
	for len(raw) > 0 {
		l, rest, _ := bytes.Cut(raw, newline)
		if len(l) > maxLine && (bytes.HasPrefix(l, []byte(`{"`)) || bytes.HasPrefix(l, []byte(`[{"`))) {
			list = append(list, Line{n, strings.ToValidUTF8(string(l[:min(len(l), maxLong)]), "\ufffd")})
		}
		raw = rest
		n++
	}
	return list[max(0, len(list)-maxLongs):]
}

// linesAround returns the lines around raw[at], whose line has the given number.
func linesAround(raw []byte, at, n int) []Line {
	const reach = 3
	from, to := at, at
	for i := 0; ; i++ {
		k := bytes.LastIndexByte(raw[:from], '\n')
		if k < 0 || i == reach {
			from = k + 1
			break
		}
		from, n = k, n-1
	}
	for range reach + 1 {
		k := bytes.IndexByte(raw[to:], '\n')
		if k < 0 {
			to = len(raw)
			break
		}
		to += k + 1
	}
	return linesOf(raw[from:to], n)
}

// clean returns a line as a terminal would show it at the end: without escape sequences and control
// characters, and only the last state of a progress bar.
func clean(b []byte) string {
	b = bytes.TrimRight(b, "\r\n")
	if i := bytes.LastIndexByte(b, '\r'); i >= 0 {
		b = b[i+1:]
	}
	for i, n := lastStart(b); i >= 0; i, n = lastStart(b) {
		if visible(b[i+n:]) {
			b = b[i+n:]
			break
		}
		b = b[:i] // nothing was written over it
	}
	if len(b) > 8*maxLine {
		b = b[:8*maxLine]
	}
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); {
		switch x := b[i]; {
		case x == 0x1b:
			i += escapes(b[i:], len(out))
		case x == '\t':
			out = append(out, ' ', ' ')
			i++
		case x < 0x20 || x == 0x7f:
			i++
		default:
			out = append(out, x)
			i++
		}
	}
	return strings.ToValidUTF8(string(bytes.TrimRight(out, " ")), "\ufffd")
}

// lastStart returns where the last escape sequence stands that begins the line anew, and its length; -1 if
// there is none.
func lastStart(b []byte) (at, n int) {
	for at = bytes.LastIndexByte(b, 0x1b); at >= 0; at = bytes.LastIndexByte(b[:at], 0x1b) {
		if n = startsOver(b[at:]); n > 0 {
			return at, n
		}
	}
	return -1, 0
}

// visible reports whether a terminal shows anything of b.
func visible(b []byte) bool {
	for i := 0; i < len(b); {
		switch x := b[i]; {
		case x == 0x1b:
			i += escapes(b[i:], 0)
		case x > ' ' && x != 0x7f:
			return true
		default:
			i++
		}
	}
	return false
}

// merge puts the lines of lists together, each line once, by number: as long as any list has it.
func merge(lists ...[]Line) []Line {
	var all []Line
	for _, l := range lists {
		all = append(all, l...)
	}
	slices.SortStableFunc(all, func(a, b Line) int { return cmp.Or(a.N-b.N, len(b.Text)-len(a.Text)) })
	return slices.CompactFunc(all, func(a, b Line) bool { return a.N == b.N })
}

// bound puts together what is kept of a command's output: its beginning, the lines that were noted
// on the way, and as much of its end as is then possible.
func bound(head, noted, end []Line) []Line {
	if all := merge(head, noted, end); fits(all) {
		return all
	}
	list := merge(head[:min(len(head), 2*edge)], noted)
	lines, size := maxTailLines-len(list), maxTailBytes-sizeOf(list)
	i := len(end)
	for i > 0 && lines > 0 && size > len(end[i-1].Text) {
		i--
		lines--
		size -= len(end[i].Text) + 1
	}
	return merge(list, end[i:])
}

func fits(l []Line) bool { return len(l) <= maxTailLines && sizeOf(l) <= maxTailBytes }

func sizeOf(l []Line) int {
	n := 0
	for i := range l {
		n += len(l[i].Text) + 1
	}
	return n
}

// excerpt chooses what a person should read first: the beginning of the command's output, what is
// around its error, other lines that report one, and its end.
func excerpt(tail []Line, odd []int, denials []Denial) []Line {
	strength := strengths(tail)
	var at []int
	for i := range denials {
		n := denials[i].Line
		k, ok := slices.BinarySearchFunc(tail, n, func(l Line, n int) int { return l.N - n })
		if ok && n > 0 && denials[i].Causal {
			at = append(at, k)
		}
	}
	if len(at) == 0 {
		at = []int{deciding(tail, strength)}
	}
	return excerptAround(tail, odd, at, strength)
}

// ExcerptAround chooses at most 40 of the lines: those around the first place, the beginnings of what
// stands at the others (of several denials each is to be seen), the first and the last
// ones, and others that report an error, the strongest and the rarest first, since what is printed
// once explains more than what is printed fifty times. Every second of these is an odd one, by its
// number, if there are any.
func ExcerptAround(lines []Line, odd []int, at ...int) []Line {
	return excerptAround(lines, odd, at, strengths(lines))
}

func excerptAround(lines []Line, odd, places, strength []int) []Line {
	if len(lines) <= maxExcerpt {
		return lines
	}
	chosen := map[int]bool{}
	add := func(i int) {
		if i >= 0 && i < len(lines) && len(chosen) < maxExcerpt {
			chosen[i] = true
		}
	}
	const before, after = 4, 9
	at := places[0]
	add(at)
	if places = places[:min(len(places), maxPlaces)]; len(places) > 1 {
		for _, p := range places {
			add(p - 1)
			for i := range min(maxWrapped, placesLines/len(places)) - 1 {
				if i > 0 && p+i < len(lines) && frames(lines[p+i].Text) {
					break
				}
				add(p + i)
			}
		}
	}
	for i := range edge / 2 {
		add(i)
	}
	for i := range edge {
		add(len(lines) - 1 - i)
	}
	for i := 1; i <= before; i++ {
		add(at - i)
	}
	for i := 1; i <= after; i++ {
		add(at + i)
	}
	list, rare := others(lines, strength), oddest(lines, odd, strength)
	for i := range max(len(list), len(rare)) {
		if i < len(list) {
			add(list[i])
		}
		for ; len(rare) > 0; rare = rare[1:] {
			if !chosen[rare[0]] {
				add(rare[0])
				rare = rare[1:]
				break
			}
		}
	}
	for i := 1; len(chosen) < maxExcerpt; i++ {
		add(at - before - i)
		add(at + after + 2*i - 1)
		add(at + after + 2*i)
	}
	out := make([]Line, 0, maxExcerpt)
	for i := range lines {
		if chosen[i] {
			out = append(out, lines[i])
		}
	}
	return out
}

// frames reports whether a line is empty but for the frame of a box: a message ends there.
func frames(text string) bool {
	return strings.Trim(text, " \t│┃|╵╷╰╯╭╮─━═║╚╝╔╗+-") == ""
}

// oddest returns the indices of the odd lines, the surest errors first, then the last ones.
func oddest(lines []Line, odd []int, strength []int) []int {
	var list []int
	for i, l := range lines {
		if _, ok := slices.BinarySearch(odd, l.N); ok {
			list = append(list, i)
		}
	}
	slices.SortFunc(list, func(a, b int) int { return cmp.Or(strength[b]-strength[a], b-a) })
	return list
}

func numbersOf(lines []Line) []int {
	list := make([]int, len(lines))
	for i := range lines {
		list[i] = lines[i].N
	}
	return list
}

// others returns the indices of the lines that report an error, one of each kind of line before
// there are two of any: the strongest kinds first, then the rarest.
func others(lines []Line, strength []int) []int {
	type kind struct {
		strength int
		at       []int
	}
	like := map[string]*kind{}
	for i := range lines {
		s := strength[i]
		if s == NoError {
			continue
		}
		key := likeness(ownText(lines[i].Text))
		k := like[key]
		if k == nil {
			k = &kind{}
			like[key] = k
		}
		k.strength = max(k.strength, s)
		k.at = append(k.at, i)
	}
	kinds := slices.SortedFunc(maps.Values(like), func(a, b *kind) int {
		return cmp.Or(b.strength-a.strength, len(a.at)-len(b.at), b.at[0]-a.at[0])
	})
	var list []int
	for n := 0; len(list) < maxExcerpt; n++ { // of each kind the last line, then the first, and so on
		before := len(list)
		for _, k := range kinds {
			if n < len(k.at) {
				i := len(k.at) - 1 - n/2
				if n%2 == 1 {
					i = n / 2
				}
				list = append(list, k.at[i])
			}
		}
		if len(list) == before {
			break
		}
	}
	return list
}

// likeness is equal for lines that a tool prints of one kind: the letters that they begin with.
func likeness(text string) string {
	var b []byte
	for i := 0; i < len(text) && len(b) < 16; i++ {
		if letter(text[i]) || text[i] >= 0x80 {
			b = append(b, text[i])
		}
	}
	return string(b)
}

// ownText returns a cleaned line without what tools put in front of every line.
func ownText(line string) string {
	b := []byte(line)
	number := -1
	return string(b[decorations(b, 0, -1, &number, &row{}):])
}

// strengths returns the strength of each line.
func strengths(lines []Line) []int {
	list := make([]int, len(lines))
	for i := range lines {
		list[i] = strengthOf(lines[i].Text, ownText(lines[i].Text))
	}
	return list
}

// strengthOf is the strength of a line or of its own text: a level in brackets is in one of them
// only.
func strengthOf(line, own string) int {
	s := Strength(line)
	if s != NoError && AgentLine(line) {
		return NoError
	}
	if s == Consequence || s == Sure || own == line {
		return s
	}
	return Strength(own)
}

// nearEnd is how many lines of the end hold the error of most commands.
const nearEnd = 400

// deciding returns the index of the line of a command's output that says best why it failed: of the
// strongest ones the first near the end, since one error often causes those behind it, else the
// last. Without any it is near the end.
func deciding(lines []Line, strength []int) int {
	best, at := NoError, max(0, len(lines)-2*edge)
	near := false
	for i := range lines {
		l := &lines[i]
		s := strength[i]
		here := i >= len(lines)-nearEnd && lines[len(lines)-1].N-l.N < nearEnd
		if s > best || s == best && s > NoError && !near {
			best, at, near = s, i, here
		}
	}
	return at
}
