package notice

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// A mail is made for a phone that is held upright. No line is broken in a paragraph: phones and
// desktops wrap by themselves.
const (
	phone     = 40  // columns
	maxRows   = 59  // rows of a mail there
	firstRows = 15  // rows of what decides: what happened to what, the difference, what to do
	maxOctets = 900 // of a line; mail programs take 998 (AWS.md#e-mail)
)

// letter is a mail in parts, the most important first. What does not fit into maxRows is left
// out, and the mail says so; what nothing else has is never left out.
type letter struct {
	first []string // what decides
	parts []part
	group int
	rest  string // where to see the rest
	foot  string
}

// part is a paragraph, or a list.
type part struct {
	name  string // what it is, if it has to be left out: "the log's lines"
	lines []string
	items bool // lines after the first are items, of which some may be left out
	more  int  // items that are not among them
	group int  // parts of one group have no empty line between them
	keep  int  // rows that are kept free for it, since nothing else has what it says
}

// apart begins a group of parts, which an empty line sets apart.
func (l *letter) apart() { l.group++ }

// add appends a part, unless it is empty.
func (l *letter) add(name string, lines ...string) {
	if len(lines) > 0 && lines[0] != "" {
		l.parts = append(l.parts, part{name: name, lines: lines, group: l.group})
	}
}

// keepLast keeps room for the part that was appended last: for all of it, or for a list with its
// first items.
func (l *letter) keepLast() {
	const items = 3
	p := &l.parts[len(l.parts)-1]
	lines := p.lines
	if p.items {
		lines = append(slices.Clone(lines[:min(len(lines), 1+items)]), "and more")
	}
	p.keep = rowsOf(lines) + 1
}

// list appends a part whose items are shown as far as there is room. There are more of them
// than these.
func (l *letter) list(name, head string, items []string, more int) {
	if len(items) > 0 {
		l.apart()
		l.parts = append(l.parts, part{name, append([]string{head}, items...), true, more, l.group, 0})
		l.apart()
	}
}

// leftRows is the room for the sentence that says what was left out.
const leftRows = 4

// text puts the mail together.
func (l letter) text() string {
	var out, left []string
	out = append(out, l.first...)
	end := []string{"-- ", l.foot}
	room := maxRows - rowsOf(l.first) - 1 - rowsOf(end) - rows(l.rest) - leftRows
	for _, p := range l.parts {
		room -= p.keep
	}
	group := -1
	for _, p := range l.parts {
		room += p.keep
		if p.group == group {
			room++ // no empty line
		}
		shown, told := p.within(room - 1)
		if !told && !slices.Contains(left, p.name) {
			left = append(left, p.name)
		}
		if len(shown) == 0 {
			if p.group == group {
				room--
			}
			continue
		}
		if p.group != group {
			out = append(out, "")
		}
		room, group = room-1-rowsOf(shown), p.group
		out = append(out, shown...)
	}
	out = append(out, "")
	rest := l.rest
	if len(left) > 0 {
		rest = strings.TrimSpace("Not shown here: " + list(left, 3) + ". " + rest)
	}
	if rest != "" {
		out = append(out, rest)
	}
	var b strings.Builder
	for _, line := range append(out, end...) {
		for _, s := range breakLine(line) {
			b.WriteString(s + "\n")
		}
	}
	return b.String()
}

// within is what fits into so many rows. A list that is not whole says so by itself.
func (p part) within(room int) (shown []string, told bool) {
	if p.more == 0 && rowsOf(p.lines) <= room {
		return p.lines, true
	}
	if !p.items {
		return nil, false
	}
	room -= rows(p.lines[0]) + 1 // for how many more there are
	n := 1
	for ; n < len(p.lines) && rows(p.lines[n]) <= room; n++ {
		room -= rows(p.lines[n])
	}
	if n == 1 {
		return nil, false
	}
	return append(slices.Clone(p.lines[:n]), "and "+thousands(len(p.lines)-n+p.more)+" more"), true
}

// breakLine breaks a line that is longer than a mail's may be.
func breakLine(line string) (out []string) {
	for len(line) > maxOctets {
		i := strings.LastIndexByte(line[:maxOctets], ' ')
		if i <= 0 {
			for i = maxOctets; i > 0 && !utf8.RuneStart(line[i]); i-- {
			}
		}
		out = append(out, line[:i])
		line = strings.TrimPrefix(line[i:], " ")
	}
	return append(out, line)
}

func rowsOf(lines []string) (n int) {
	for _, l := range lines {
		n += rows(l)
	}
	return n
}

// rows is how many rows of a phone a line takes.
func rows(line string) (n int) {
	wrapped(line, phone, func(string) { n++ })
	return n
}

// Screen is a text as a screen of so many columns shows it, row by row.
func Screen(text string, columns int) (out []string) {
	for line := range strings.Lines(text) {
		wrapped(strings.TrimRight(line, "\n"), columns, func(row string) { out = append(out, row) })
	}
	return out
}

// wrapped gives the rows of a line that is wrapped at its blanks. A word that is longer than a row
// begins in a new one and is broken.
func wrapped(line string, columns int, row func(string)) {
	start, used := 0, 0 // of the row
	for at := 0; ; {
		end := len(line)
		if i := strings.IndexByte(line[at:], ' '); i >= 0 {
			end = at + i
		}
		switch n := cells(line[at:end]); {
		case at == 0:
		case used+1+n <= columns:
			used++ // the blank
		default:
			if start < at {
				row(line[start : at-1])
			}
			start, used = at, 0
		}
		for i, r := range line[at:end] {
			c := columnsOf(r)
			if used+c > columns {
				row(line[start : at+i])
				start, used = at+i, 0
			}
			used += c
		}
		if end == len(line) {
			break
		}
		at = end + 1
	}
	row(line[start:])
}

// cells is how many columns a text takes.
func cells(s string) (n int) {
	for _, r := range s {
		n += columnsOf(r)
	}
	return n
}

// columnsOf is how many columns a character takes: East Asian ones and pictures take two.
func columnsOf(r rune) int {
	if r >= 0x1100 && r <= 0x115f || r >= 0x2e80 {
		return 2
	}
	return 1
}

// middle shortens a name to so many characters, and keeps its beginning and its end.
func middle(s string, most int) string {
	r := []rune(s)
	if len(r) <= most {
		return s
	}
	tail := (most - 1) / 3
	return string(r[:most-1-tail]) + "…" + string(r[len(r)-tail:])
}

// fitRows shortens a text to so many rows.
func fitRows(s string, most int) string {
	s = middle(s, most*phone)
	for n := len([]rune(s)); rows(s) > most; {
		n -= 4
		s = middle(s, n)
	}
	return s
}
