package buildlog

import (
	"bytes"
	"strconv"
	"unicode/utf8"
)

// stripper removes what tools print around every row.
type stripper struct {
	label  []byte // of the previous row, see labelOf
	number int    // that the previous row began with, -1 if none
}

// strip finds what a tool put in front of a row, and at the end of a box's row: rules, comment
// signs, times, line numbers, levels, CodeBuild's own "[Container] DATE TIME". The row's own text
// is b[from:to]; r.mark records what was removed.
func (s *stripper) strip(b []byte, r *row) (from, to int) {
	number := -1
	from = decorations(b, 0, s.number, &number, r)
	label := labelOf(b[from:])
	if len(label) > 0 && bytes.Equal(label, s.label) {
		from = decorations(b, from+len(label), s.number, &number, r)
	} else {
		s.label = append(s.label[:0], label...)
	}
	s.number = number
	rest := b[from:]
	if r.mark&markBar != 0 {
		rest = r.otherSide(rest)
	}
	return from, from + len(rest)
}

// decorations returns where b's own text begins, from b[from:] on. before is the number in front of
// the row before; number is set to this row's.
func decorations(b []byte, from, before int, number *int, r *row) int {
	for from < len(b) {
		n, m := decoration(b[from:])
		if n == 0 && *number < 0 {
			if n, *number = lineNumber(b[from:], before); n > 0 {
				m = markNumber
			}
		}
		if n == 0 {
			break
		}
		r.mark |= m
		from += n
	}
	return from
}

// otherSide removes the right side of a box.
func (r *row) otherSide(b []byte) []byte {
	for _, bar := range []string{"│", "┃", "║", "|"} {
		if cell, ok := bytes.CutSuffix(b, []byte(bar)); ok && (len(cell) == 0 || cell[len(cell)-1] == ' ') {
			r.mark |= markCell
			b = bytes.TrimRight(cell, " \t")
			if len(cell)-len(b) <= 1 {
				r.mark |= markFull
			}
		}
	}
	return b
}

// decoration returns the length of the first decoration of b, 0 if none.
func decoration(b []byte) (int, mark) {
	switch x := b[0]; {
	case x == ' ' || x == '\t':
		return 1, 0
	case x == ',' && len(b) > 1 && b[1] == ' ': // SAM's tables
		return 1, 0
	case x == '|' && (len(b) == 1 || b[1] == ' '):
		return 1, markBar
	case x == '[':
		return bracketed(b), 0
	case x == '#' || x == '>' || x == '/' && len(b) > 1 && b[1] == '/':
		return commentSign(b), 0
	case (x == '-' || x == '*') && len(b) > 1 && b[1] == ' ':
		if bytes.HasPrefix(b[2:], []byte("because ")) || bytes.HasPrefix(b[2:], []byte("with an ")) {
			return 0, 0 // "on resource: *"
		}
		return 2, markBullet
	case '0' <= x && x <= '9':
		return timestamp(b), 0
	case x >= 0x80:
		return box(b)
	case x == 'E' || x == 'W' || x == 'I' || x == 'F':
		return klog(b), 0
	}
	for _, s := range []string{"npm ERR! ", "npm error ", "gyp ERR! ", "remote: ", "stderr: ", "stdout: ", "STDERR ", "STDOUT "} {
		if bytes.HasPrefix(b, []byte(s)) {
			return len(s), 0
		}
	}
	return 0, 0
}

// box reads a box-drawing rune, also where UTF-8 was taken for Windows-1252.
func box(b []byte) (int, mark) {
	for _, s := range []string{"â”‚", "â•µ", "â•·"} {
		if bytes.HasPrefix(b, []byte(s)) {
			return len(s), markBar
		}
	}
	ru, n := utf8.DecodeRune(b)
	switch {
	case ru >= 0x2500 && ru <= 0x257f:
		return n, markBar
	case ru == 0xa0 || ru == 0xfeff || ru == 0x200b:
		return n, 0
	case ru == '•':
		return n, markBullet
	}
	return 0, 0
}

// commentSign reads "### ", "// ", "> " and BuildKit's "#12 3.456 ".
func commentSign(b []byte) int {
	i := 0
	for i < len(b) && b[i] == b[0] {
		i++
	}
	if i == len(b) || b[i] == ' ' || b[i] == '\t' {
		return i
	}
	if b[0] != '#' || i != 1 {
		return 0
	}
	n := digits(b[i:])
	if n == 0 || i+n == len(b) || b[i+n] != ' ' {
		return 0
	}
	i += n + 1
	if n = digits(b[i:]); n > 0 && i+n < len(b) && b[i+n] == '.' {
		if m := digits(b[i+n+1:]); m > 0 && (i+n+1+m == len(b) || b[i+n+1+m] == ' ') {
			return i + n + 1 + m
		}
	}
	return i
}

// bracketed reads "[Container] DATE TIME ", "[INFO] ", "[12:30:01] "; not the
// CDK's "[Error at /Stack] ", which says whose message follows.
func bracketed(b []byte) int {
	end := bytes.IndexByte(b[:min(len(b), 48)], ']')
	if end < 2 || end+1 < len(b) && b[end+1] != ' ' && b[end+1] != ':' && b[end+1] != '[' {
		return 0
	}
	for i, x := range b[1:end] {
		if x == '"' || x == '*' || x == '/' && b[i] == ' ' || x == ':' && i+2 < end && letter(b[i+2]) {
			return 0
		}
	}
	end++
	if end < len(b) && b[end] == ':' {
		end++
	}
	return end
}

// timestamp reads a date, a time, or both, with what ends it.
func timestamp(b []byte) int {
	i := 0
	if n := date(b); n > 0 {
		if i = n; i == len(b) {
			return i
		}
		if b[i] != 'T' && b[i] != ' ' && b[i] != '_' {
			return 0
		}
		i++
	}
	n := clock(b[i:])
	if n == 0 {
		return 0
	}
	i += n
	switch {
	case i < len(b) && b[i] == 'Z':
		i++
	case i+5 <= len(b) && (b[i] == '+' || b[i] == '-') && digits(b[i+1:]) >= 2:
		i++
		for i < len(b) && (b[i] == ':' || '0' <= b[i] && b[i] <= '9') {
			i++
		}
	}
	if i == len(b) || b[i] == ' ' || b[i] == '\t' || b[i] == '|' {
		return i
	}
	return 0
}

// date reads 2026-10-08 or 2026/10/08.
func date(b []byte) int {
	if len(b) < 10 || digits(b) != 4 || b[4] != '-' && b[4] != '/' || digits(b[5:]) != 2 || b[7] != b[4] || digits(b[8:10]) != 2 {
		return 0
	}
	return 10
}

// clock reads 12:20:17 with an optional fraction.
func clock(b []byte) int {
	if len(b) < 8 || digits(b) > 2 || digits(b) == 0 {
		return 0
	}
	i := digits(b)
	if b[i] != ':' || i+6 > len(b) || digits(b[i+1:]) != 2 || b[i+3] != ':' || digits(b[i+4:]) != 2 {
		return 0
	}
	i += 6
	if i < len(b) && (b[i] == '.' || b[i] == ',') {
		if n := digits(b[i+1:]); n > 0 {
			i += 1 + n
		}
	}
	return i
}

// klog reads the header of Kubernetes' components:
// "E0519 09:29:10.091183       1 aws_manager.go:128] ".
func klog(b []byte) int {
	if len(b) < 14 || digits(b[1:]) != 4 || b[5] != ' ' || clock(b[6:]) == 0 {
		return 0
	}
	end := bytes.Index(b[:min(len(b), 120)], []byte("] "))
	if end < 0 {
		return 6 + clock(b[6:])
	}
	return end + 2
}

// lineNumber reads a printed line number: "13: ", "13 | ", "13\t", and "13 " if the row before
// began with 12. It returns the number, -1 if there is none, and the length of what to remove.
func lineNumber(b []byte, before int) (n, number int) {
	d := digits(b)
	if d == 0 || d > 7 || d == len(b) {
		return 0, -1
	}
	number, err := strconv.Atoi(string(b[:d]))
	if err != nil {
		return 0, -1
	}
	rest := b[d:]
	switch {
	case rest[0] == '\t':
		return d + 1, number
	case bytes.IndexByte([]byte(":|.)"), rest[0]) >= 0 && (len(rest) == 1 || rest[1] == ' ' || rest[1] == '\t'):
		return d + 1, number
	case bytes.HasPrefix(rest, []byte(" | ")), bytes.HasPrefix(rest, []byte(" │ ")):
		return d + 2, number
	case rest[0] != ' ':
		return 0, -1
	case before >= 0 && number == before+1:
		return d + 1, number
	}
	return 0, number
}

// labelOf returns the word with which some tools name the source of each line: "web_1  |",
// "deploy:", "==>". "User:" is not one: messages begin with it.
func labelOf(b []byte) []byte {
	i := bytes.IndexAny(b[:min(len(b), 40)], " \t")
	if i <= 0 {
		return nil
	}
	if x := b[i-1]; x == ':' || x == '>' || x == ']' {
		if bytes.EqualFold(b[:i], []byte("user:")) {
			return nil
		}
		return b[:i]
	}
	j := i
	for j < len(b) && j < 40 && b[j] == ' ' {
		j++
	}
	if j+1 < len(b) && b[j] == '|' && b[j+1] == ' ' {
		return b[:j+1]
	}
	return nil
}

func digits(b []byte) int {
	i := 0
	for i < len(b) && '0' <= b[i] && b[i] <= '9' {
		i++
	}
	return i
}

func letter(b byte) bool { return 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' }
func digit(b byte) bool  { return '0' <= b && b <= '9' }
