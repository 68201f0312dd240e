package buildlog

import (
	"bytes"
	"slices"
	"unicode/utf8"
)

// byColumn puts the lines of tables in reading order: cell by cell. Where only one column was
// wrapped, nothing needs to change, because the other cells are blank in the lines that follow;
// where several were, the cells of one line are parts of different texts.
func byColumn(list []fragment) []fragment {
	var out []fragment
	for i := 0; i < len(list); {
		n, cells := table(list[i:])
		if n == 0 {
			out = append(out, list[i])
			i++
			continue
		}
		out = append(out, cells...)
		i += n
	}
	return out
}

// maxTable bounds the lines of one cell. It also bounds the work: a line is
// compared with no more than the lines of its own table.
const maxTable = 400

// table reads the table that list begins with. It returns the number of its lines and its cells, or
// 0 if there is none that needs reordering.
func table(list []fragment) (int, []fragment) {
	first := list[0].text
	if len(first) > 1000 {
		return 0, nil
	}
	if starts := bars(first); len(starts) > 2 {
		n := 1
		for n < len(list) && n < maxTable && slices.Equal(bars(list[n].text), starts) {
			n++
		}
		return n, boxCells(list[:n], len(starts)-1)
	}
	starts := columns(first)
	if len(starts) < 3 {
		return 0, nil
	}
	last := starts[len(starts)-1]
	n, mixed := 1, false
	for n < len(list) && n < maxTable {
		more, other := continuesColumns(list[n].text, starts, last)
		if !more {
			break
		}
		mixed = mixed || other
		n++
	}
	if !mixed {
		return 0, nil
	}
	return n, columnCells(list[:n], starts)
}

// columnCells cuts lines at the given places and returns the text of the first column, then that of
// the second, and so on, with a blank line between.
func columnCells(list []fragment, starts []int) []fragment {
	var out []fragment
	for k, from := range starts {
		for _, f := range list {
			to := len(f.text)
			if k+1 < len(starts) {
				to = min(to, starts[k+1])
			}
			out = appendCell(out, f, min(from, to), to)
		}
		out = append(out, fragment{line: list[0].line})
	}
	return out
}

// boxCells does the same for lines with n cells between bars. A cell keeps
// its bars.
func boxCells(list []fragment, n int) []fragment {
	var out []fragment
	for k := range n {
		for _, f := range list {
			at := barBytes(f.text)
			out = appendCell(out, f, at[k][0], at[k+1][1])
		}
		out = append(out, fragment{line: list[0].line})
	}
	return out
}

// appendCell adds f's text[from:to], unless it is blank.
func appendCell(out []fragment, f fragment, from, to int) []fragment {
	text := bytes.TrimRight(f.text[from:to], " ")
	if len(bytes.Trim(text, " |│┃║")) == 0 {
		return out
	}
	return append(out, fragment{text, f.src[from : from+len(text)], f.line, f.whole, f.over})
}

// continuesColumns reports whether a line continues the last column of a
// table, and whether it holds text of another column too.
func continuesColumns(line []byte, starts []int, last int) (more, other bool) {
	if len(line) <= last || line[last] == ' ' || line[last-1] != ' ' || line[last-2] != ' ' || line[0] != ' ' {
		return false, false
	}
	for _, s := range columns(line[:last]) {
		if s > 0 && !slices.Contains(starts, s) {
			return false, false
		}
		other = true
	}
	return true, other
}

// columns returns where the columns of a line begin that are at least two spaces apart.
func columns(line []byte) []int {
	var starts []int
	for i := 0; i < len(line); i++ {
		if line[i] != ' ' && (i == 0 || i == 1 && line[0] == ' ' || i > 1 && line[i-1] == ' ' && line[i-2] == ' ') {
			starts = append(starts, i)
		}
	}
	return starts
}

// bars returns the columns of the sides of the boxes in a line that begins and ends with one; nil
// if it does not.
func bars(line []byte) []int {
	var columns []int
	for _, at := range barBytes(line) {
		columns = append(columns, utf8.RuneCount(line[:at[0]]))
	}
	return columns
}

// barBytes returns the same as places in the line: where each begins and ends.
func barBytes(line []byte) [][2]int {
	line = bytes.TrimRight(line, " ")
	for _, bar := range []string{"│", "┃", "║", "|"} {
		b := []byte(bar)
		if !bytes.HasPrefix(bytes.TrimLeft(line, " "), b) || !bytes.HasSuffix(line, b) {
			continue
		}
		var at [][2]int
		for i := 0; ; {
			n := bytes.Index(line[i:], b)
			if n < 0 {
				return at
			}
			at = append(at, [2]int{i + n, i + n + len(b)})
			i += n + len(b)
		}
	}
	return nil
}
