package buildlog

import (
	"bytes"
	"sort"
	"unicode/utf8"
)

// A page is a stretch of a log, cleaned: without escape sequences, control characters and the
// prefixes that tools print on every line.
//
// Denials are looked for in flat, which has no white space at all, so that it does not matter where
// and how a tool wrapped the message. Their contents are then read from text.
type page struct {
	text []byte  // cleaned rows, each ended by '\n'
	src  []int32 // text[i] was raw[src[i]]
	rows []row   // in order; rows[0].start is 0
	flat []byte  // text in lower case without white space; a blank row leaves one '\n'
	at   []int32 // flat[i] was text[at[i]]

	inFlat, inText map[string]bool       // what was found by has and shows
	subjects       map[subjectKey]string // and by subject
}

// has reports whether w is anywhere in flat, shows whether it is in text: most pages have none of
// the words that are looked for around each claim.
func (p *page) has(w string) bool   { return found(&p.inFlat, p.flat, w) }
func (p *page) shows(w string) bool { return found(&p.inText, p.text, w) }

func found(known *map[string]bool, b []byte, w string) bool {
	is, ok := (*known)[w]
	if !ok {
		if *known == nil {
			*known = map[string]bool{}
		}
		is = bytes.Contains(b, []byte(w))
		(*known)[w] = is
	}
	return is
}

// A row is one line of a page. A line of the log has several rows if it
// holds carriage returns or newlines written as \n.
type row struct {
	start int32 // of its text
	line  int   // 1-based number in the log
	width int32 // columns of the whole line as printed; 0 if unknown
	mark  mark
}

// mark says what was printed before a row.
type mark uint8

const (
	markBar    mark = 1 << iota // a rule or box, as Terraform and tables draw it
	markBullet                  // a list item: a row that continues nothing
	markNumber                  // a line number
	markCell                    // the cell of a closed box
	markFull                    // a cell that its text fills
	markOver                    // the rest of its line was written over it
)

// newPage cleans raw, whose first line has the given number.
func newPage(raw []byte, line int) *page {
	p := &page{text: make([]byte, 0, len(raw)+1), src: make([]int32, 0, len(raw)+1)}
	c := cleaner{buf: make([]byte, 0, len(raw)), src: make([]int32, 0, len(raw))}
	for i := 0; i < len(raw); line++ {
		n := bytes.IndexByte(raw[i:], '\n')
		if n < 0 {
			n = len(raw) - i
		}
		c.line(raw[i:i+n], i, line)
		i += n + 1
	}
	s := stripper{number: -1}
	for _, f := range byColumn(singleSpaced(c.list)) {
		p.add(f, &s)
	}
	p.flatten()
	return p
}

// A fragment is a line of the log, or a part of one, without escape
// sequences and control characters.
type fragment struct {
	text  []byte
	src   []int32 // text[i] was raw[src[i]]
	line  int
	whole bool // it is as wide as the line was printed
	over  bool // the rest of its line was written over it
}

// singleSpaced drops the blank lines of a text in which every second line is blank: something
// doubled the line ends.
func singleSpaced(list []fragment) []fragment {
	var rest []fragment
	pairs := 0
	for i, f := range list {
		if len(f.text) > 0 {
			rest = append(rest, f)
			if i > 0 && len(list[i-1].text) == 0 && i > 1 && len(list[i-2].text) > 0 {
				pairs++
			}
		}
	}
	if len(rest) < 4 || pairs < len(rest)-2 {
		return list
	}
	return rest
}

// cleaner makes fragments.
type cleaner struct {
	buf  []byte // backs the fragments' texts
	src  []int32
	from int // of the fragment that is being made
	list []fragment
}

// line adds line n of the log, without its newline, and without the marks with which Markdown puts it
// in bold type or shows it as code; at is where in the raw text it begins.
func (c *cleaner) line(raw []byte, at, n int) {
	for _, mark := range marks {
		rest, ok := bytes.CutPrefix(bytes.TrimRight(raw, " \r"), mark)
		if text, ends := bytes.CutSuffix(rest, mark); ok && ends && len(text) > 0 && text[0] != mark[0] {
			raw, at = text, at+len(mark)
		}
	}
	if plain(raw) {
		c.put(raw, at)
		c.end(n, true)
		return
	}
	whole, first, last := true, len(c.list), 0 // last: of the fragments that something was written over
	for i := 0; i < len(raw); {
		switch b := raw[i]; {
		case b == '\r' || b == 0x1b && startsOver(raw[i:]) > 0:
			if i += max(1, startsOver(raw[i:])); i < len(raw) { // a progress bar; at the end it is half of CRLF
				c.end(n, true)
				last = len(c.list)
			}
		case b == 0x1b:
			i += escapes(raw[i:], len(c.buf)-c.from)
		case b == '\\':
			s, size := unescape(raw[i:])
			if s == "\n" {
				c.end(n, false)
				whole = false
			} else if i+size == len(raw) && size == 1 { // a shell's line continuation
			} else {
				c.put([]byte(s), at+i)
			}
			i += size
		case b == '&':
			s, size := entity(raw[i:])
			c.put([]byte(s), at+i)
			i += size
		case bytes.HasPrefix(raw[i:], noBreak):
			c.put(space, at+i)
			i += len(noBreak)
		case b == '\t' || b >= 0x20 && b != 0x7f:
			c.put(raw[i:i+1], at+i)
			i++
		default:
			i++
		}
	}
	c.end(n, whole)
	for i, written := len(c.list)-1, false; i >= first && last > 0; i-- {
		c.list[i].over = written && i < last
		written = written || len(c.list[i].text) > 0
	}
}

// startsOver returns the length of the escape sequence that b begins with if it moves the cursor to the
// beginning of the line, as a carriage return does; else 0.
func startsOver(b []byte) int {
	for _, s := range lineStarts {
		if bytes.HasPrefix(b, s) {
			return len(s)
		}
	}
	return 0
}

var lineStarts = [][]byte{[]byte("\x1b[G"), []byte("\x1b[0G"), []byte("\x1b[1G")}

// put adds bytes of the raw text at the given place to the
// fragment that is being made.
func (c *cleaner) put(b []byte, at int) {
	for i := range b {
		c.src = append(c.src, int32(at+i))
	}
	c.buf = append(c.buf, b...)
}

// plain reports whether b holds nothing to clean.
func plain(b []byte) bool {
	for _, x := range b {
		if x < 0x20 && x != '\t' || x == 0x7f || x == '\\' || x == '&' || x == noBreak[0] {
			return false
		}
	}
	return true
}

var marks = [][]byte{[]byte("**"), []byte("`")}

// noBreak is the space that pages and chats put into what is copied from them.
var noBreak, space = []byte("\u00a0"), []byte(" ")

// end ends the fragment that is being made.
func (c *cleaner) end(n int, whole bool) {
	to := c.from + len(bytes.TrimRight(c.buf[c.from:], " \t"))
	c.list = append(c.list, fragment{text: c.buf[c.from:to:to], src: c.src[c.from:to:to], line: n, whole: whole})
	c.from = len(c.buf)
}

// add adds a row.
func (p *page) add(f fragment, s *stripper) {
	r := row{start: int32(len(p.text)), line: f.line}
	if f.whole {
		r.width = int32(utf8.RuneCount(f.text))
	}
	if f.over {
		r.mark |= markOver
	}
	from, to := s.strip(f.text, &r)
	p.text = append(append(p.text, f.text[from:to]...), '\n')
	p.src = append(p.src, f.src[from:to]...)
	end := int32(0)
	if len(f.src) > 0 {
		end = f.src[len(f.src)-1]
	} else if n := len(p.src); n > 0 {
		end = p.src[n-1]
	}
	p.src = append(p.src, end)
	p.rows = append(p.rows, r)
}

// flatten fills flat and at.
func (p *page) flatten() {
	p.flat = make([]byte, 0, len(p.text))
	p.at = make([]int32, 0, len(p.text)+1)
	for i, b := range p.text {
		switch {
		case b == ' ' || b == '\t':
			continue
		case b == '\n':
			if i > 0 && p.text[i-1] != '\n' { // not a blank row
				continue
			}
		case 'A' <= b && b <= 'Z':
			b += 'a' - 'A'
		}
		p.flat = append(p.flat, b)
		p.at = append(p.at, int32(i))
	}
	p.at = append(p.at, int32(len(p.text)))
}

// rowAt returns the index of the row that holds text[pos].
func (p *page) rowAt(pos int) int {
	return sort.Search(len(p.rows), func(i int) bool { return int(p.rows[i].start) > pos }) - 1
}

// flatAt returns the index in flat of the first character at or after text[pos].
func (p *page) flatAt(pos int) int {
	return sort.Search(len(p.at), func(i int) bool { return int(p.at[i]) >= pos })
}

// minFold is the least number of characters in front of a fold.
const minFold = 60

// escapes returns the length of the escape sequence that b begins with, behind n characters. A
// paragraph in colour may be folded within its line: the colour ends, the padding of two rows
// stands there, and the colour begins anew. The fold belongs to the sequence.
func escapes(b []byte, n int) int {
	const end, start = "\x1b[0m", "\x1b[0m\x1b["
	if rest, ok := bytes.CutPrefix(b, []byte(end)); ok && n >= minFold {
		if text := bytes.TrimLeft(rest, " "); len(rest)-len(text) >= 2 && bytes.HasPrefix(text, []byte(start)) {
			return len(b) - len(text)
		}
	}
	return escape(b)
}

// escape returns the length of the terminal escape sequence that b begins with.
func escape(b []byte) int {
	if len(b) < 2 {
		return len(b)
	}
	switch b[1] {
	case '[': // CSI … final byte
		for i := 2; i < len(b); i++ {
			if b[i] >= 0x40 && b[i] <= 0x7e {
				return i + 1
			}
			if b[i] < 0x20 {
				return i
			}
		}
		return len(b)
	case ']', 'P', '_', '^', 'X': // string, ended by BEL or ESC \
		for i := 2; i < len(b) && i < 4096; i++ {
			if b[i] == 0x07 {
				return i + 1
			}
			if b[i] == 0x1b {
				return min(i+2, len(b))
			}
		}
		return 2
	case '(', ')', '*', '+', '#', '%', ' ':
		return min(3, len(b))
	}
	return 2
}

// unescape reads the run of backslashes that b begins with and what they escape in JSON or in a
// quoted string, however often it was quoted. It returns what they stand for and their length.
func unescape(b []byte) (string, int) {
	i := 0
	for i < len(b) && b[i] == '\\' {
		i++
	}
	if i == len(b) {
		return string(b), i
	}
	switch b[i] {
	case '"', '\'', '/', '`', '_': // Markdown escapes the last
		return string(b[i : i+1]), i + 1
	case 'n', 'r':
		return "\n", i + 1
	case 't':
		return " ", i + 1
	case 'u':
		if len(b) >= i+5 {
			if v, ok := hex(b[i+1 : i+5]); ok {
				return control(b, v, i+5)
			}
		}
	case 'x':
		if len(b) >= i+3 {
			if v, ok := hex(b[i+1 : i+3]); ok {
				return control(b, v, i+3)
			}
		}
	case 'e', '0': // \e[31m, \033[31m
		for _, s := range []string{"e[", "033["} {
			if bytes.HasPrefix(b[i:], []byte(s)) {
				return "", i + len(s) - 2 + escape(append([]byte{0x1b}, b[i+len(s)-1:min(len(b), i+64)]...))
			}
		}
	}
	return string(b[:i]), i
}

// control returns the character v that ends at b[end]: an escape sequence is dropped with all of
// it.
func control(b []byte, v rune, end int) (string, int) {
	switch {
	case v == 0x1b:
		n := escape(append([]byte{0x1b}, b[end:min(len(b), end+64)]...))
		return "", end + n - 1
	case v == '\n' || v == '\r':
		return "\n", end
	case v < 0x20 || v == 0x7f:
		return " ", end
	}
	return string(v), end
}

func hex(b []byte) (rune, bool) {
	var v rune
	for _, x := range b {
		switch {
		case '0' <= x && x <= '9':
			x -= '0'
		case 'a' <= x && x <= 'f':
			x -= 'a' - 10
		case 'A' <= x && x <= 'F':
			x -= 'A' - 10
		default:
			return 0, false
		}
		v = v<<4 | rune(x)
	}
	return v, true
}

// entity reads the HTML entity that b begins with.
func entity(b []byte) (string, int) {
	for _, e := range []struct{ name, char string }{
		{"&quot;", `"`}, {"&#34;", `"`}, {"&apos;", "'"}, {"&#39;", "'"}, {"&lt;", "<"}, {"&gt;", ">"}, {"&amp;", "&"},
	} {
		if bytes.HasPrefix(b, []byte(e.name)) {
			return e.char, len(e.name)
		}
	}
	return "&", 1
}
