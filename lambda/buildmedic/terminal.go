package main

import (
	"cmp"
	"context"
	"io"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"

	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// columns is how wide text is where nothing says how wide the terminal is, and at most: longer lines
// are hard to read. A name that cannot be broken is wider, and so is the grant, which is to be copied.
const columns = 100

// narrowest is what text needs.
const narrowest = 40

// isTerminal reports whether w, or a reader, is a terminal.
func isTerminal(w any) bool {
	f, ok := w.(interface{ Fd() uintptr })
	return ok && term.IsTerminal(int(f.Fd()))
}

// screen is the width of the terminal that w is, or of COLUMNS, which goes before; 0 if nothing says.
func screen(w any) int {
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n > 0 {
		return max(n, narrowest)
	}
	if f, ok := w.(*folding); ok {
		return f.width
	}
	if f, ok := w.(interface{ Fd() uintptr }); ok {
		if n, _, err := term.GetSize(int(f.Fd())); err == nil && n > 0 {
			return max(n, narrowest)
		}
	}
	return 0
}

// textWidth is how wide text on w is.
func textWidth(w any) int {
	if n := screen(w); n > 0 {
		return min(n, columns)
	}
	return columns
}

// colourful reports whether w is a terminal whose owner likes colours (https://no-color.org).
func colourful(w io.Writer) bool {
	return isTerminal(w) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// folding breaks lines that are too long for a terminal between words, so that it does not break
// them within. It keeps what is no whole line as it is: a question, or progress.
type folding struct {
	io.Writer
	width   int
	partial bool // the last line has no end yet
}

// fold makes lines on w fit its terminal. Elsewhere they stay as they are: a program may look for
// words in them.
func fold(w io.Writer) io.Writer {
	if n := screen(w); n > 0 {
		return &folding{Writer: w, width: n}
	}
	return w
}

// bareWriter is what stands behind w. A program that this one starts needs the terminal itself: a
// shell that is given a pipe has no prompt and no keys, and does not know how wide it is.
func bareWriter(w io.Writer) io.Writer {
	if f, ok := w.(*folding); ok {
		return f.Writer
	}
	return w
}

// bareReader is what stands behind r, as with [bareWriter].
func bareReader(r io.Reader) io.Reader {
	if i, ok := r.(*interruptible); ok {
		return i.File
	}
	return r
}

// Fd is that of the terminal; none if there is none.
func (f *folding) Fd() uintptr {
	if t, ok := f.Writer.(interface{ Fd() uintptr }); ok {
		return t.Fd()
	}
	return ^uintptr(0)
}

// Write implements [io.Writer].
func (f *folding) Write(p []byte) (int, error) {
	var b strings.Builder
	for line := range strings.Lines(string(p)) {
		body, whole := strings.CutSuffix(line, "\n")
		if f.partial || !whole {
			b.WriteString(line)
		} else {
			b.WriteString(folded(body, f.width))
		}
		f.partial = !whole
	}
	if _, err := io.WriteString(f.Writer, b.String()); err != nil {
		return 0, err
	}
	return len(p), nil
}

// folded breaks one line. What is made of it stands below its last column, if it is one of a table,
// or is indented.
func folded(line string, width int) string {
	if shown(line) <= width || toCopy(line) {
		return line + "\n"
	}
	hang := beginsRest(line, width)
	var b strings.Builder
	n, blank, first := 0, 0, true // columns so far, and those of the blanks before the next word
	for rest := line; rest != ""; {
		word := strings.TrimLeft(rest, " ")
		blank, rest = len(rest)-len(word), ""
		if i := strings.IndexByte(word, ' '); i >= 0 {
			word, rest = word[:i], word[i:]
		}
		if size := shown(word); !first && word != "" && n+blank+size > width {
			b.WriteString("\n" + hang + word)
			n = len(hang) + size
		} else {
			b.WriteString(strings.Repeat(" ", blank) + word)
			n += blank + size
		}
		first = first && word == ""
	}
	return strings.TrimRight(b.String(), " ") + "\n"
}

// beginsRest is what begins the further lines of a long one.
func beginsRest(line string, width int) string {
	body := strings.TrimLeft(line, " ")
	indent := len(line) - len(body)
	if rest, ok := strings.CutPrefix(body, "#"); ok { // a comment's rest is one
		return line[:indent] + "#" + strings.Repeat(" ", min(len(rest)-len(strings.TrimLeft(rest, " "))+2, width/2))
	}
	at := 0 // of the last column of a table
	text := []rune(escapes.ReplaceAllString(line, ""))
	for i := 2; i < min(len(text), width*2/3); i++ {
		if text[i] != ' ' && text[i-1] == ' ' && text[i-2] == ' ' {
			at = i
		}
	}
	if at <= indent {
		at = indent + 2
	}
	return strings.Repeat(" ", min(at, width/2))
}

// toCopy reports whether a line is for a shell or a program, where a break would do harm.
func toCopy(line string) bool {
	word, _, _ := strings.Cut(strings.TrimSpace(escapes.ReplaceAllString(line, "")), " ")
	switch word {
	case "aws", "printf", "echo", "git", "go", "make", "cdk", "terraform", "buildmedic", "{", "source", "eval":
		return true
	}
	begin, _, _ := strings.Cut(program, " ")
	return word == begin || strings.HasPrefix(word, "{") || slices.Contains(grantKeys, word)
}

// grantKeys begin the lines of a grant that may be long.
var grantKeys = []string{"because:", "actions:", "resources:"}

// escapes are the colours of a terminal, which take no column.
var escapes = lazyregexp.New(`\x1b\[[0-9;]*m`)

// shown is how many columns a text takes.
func shown(s string) int {
	if strings.Contains(s, "\x1b") {
		s = escapes.ReplaceAllString(s, "")
	}
	return utf8.RuneCountInString(s)
}

// column is one of a table's.
type column struct {
	width int
	right bool // its text stands at the right
	whole bool // it is never cut: an id that is to be copied
	drop  int  // in a narrow terminal columns are left out, that with the highest number first; 0: never
	cut   bool // it was made narrower, so that its text may be cut
}

const leastColumn = 12

// fit makes columns fit a terminal of that width (0: of any): it makes the widest ones narrower, and
// if that is not enough leaves out those that may be. last is what the column behind them wants.
func fit(cols []column, last, width int) []column {
	cols = slices.Clone(cols)
	if width == 0 {
		return cols
	}
	for {
		out := slices.Clone(cols)
		for total(out, last) > width && squeeze(out) {
		}
		dropped := -1
		for i, c := range cols {
			if c.width > 0 && c.drop > 0 && (dropped < 0 || c.drop > cols[dropped].drop) {
				dropped = i
			}
		}
		if total(out, last) <= width || dropped < 0 {
			return out
		}
		cols[dropped].width = 0
	}
}

func total(cols []column, last int) int {
	for _, c := range cols {
		if c.width > 0 {
			last += c.width + 1
		}
	}
	return last
}

// squeeze makes the widest column narrower, if any may be.
func squeeze(cols []column) bool {
	widest := -1
	for i, c := range cols {
		if !c.whole && c.width > leastColumn && (widest < 0 || c.width > cols[widest].width) {
			widest = i
		}
	}
	if widest < 0 {
		return false
	}
	cols[widest].width--
	cols[widest].cut = true
	return true
}

// tableRow is a line of a table: the columns' cells, and behind them one that is as long as it is.
func tableRow(cols []column, cells ...string) string {
	var b strings.Builder
	for i, c := range cols {
		if c.width == 0 {
			continue
		}
		text := cells[i]
		if c.cut && utf8.RuneCountInString(text) > c.width {
			text = string([]rune(text)[:c.width-1]) + "…"
		}
		pad := strings.Repeat(" ", max(0, c.width-shown(text)))
		if c.right {
			text = pad + text
		} else {
			text += pad
		}
		b.WriteString(text + " ")
	}
	if len(cells) > len(cols) {
		b.WriteString(" " + cells[len(cols)])
	}
	return strings.TrimRight(b.String(), " ") + "\n"
}

// endOfInput are the keys that end what is typed.
func endOfInput() string {
	if runtime.GOOS == "windows" {
		return "Ctrl-Z and Enter"
	}
	return "Ctrl-D on a line of its own"
}

// interruptible is standard input whose reads end when the context does: a person who is asked
// something can interrupt, too.
type interruptible struct {
	*os.File
	ctx context.Context
	end error // that came once: at a terminal, one Ctrl-D is enough
}

// Read implements [io.Reader].
func (r *interruptible) Read(p []byte) (int, error) {
	type result struct {
		data []byte
		err  error
	}
	if err := cmp.Or(r.end, r.ctx.Err()); err != nil {
		return 0, err
	}
	done := make(chan result, 1)
	go func() { // it may be left behind: the command ends then
		data := make([]byte, len(p))
		n, err := r.File.Read(data)
		done <- result{data[:n], err}
	}()
	select {
	case got := <-done:
		r.end = got.err
		return copy(p, got.data), got.err
	case <-r.ctx.Done():
		return 0, r.ctx.Err()
	}
}
