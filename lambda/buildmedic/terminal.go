package main

import (
	"context"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"
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

// reflow breaks the lines of a text that are too long for the width, between words. What is made of a
// line is indented as it, and its rest by so many columns more.
func reflow(text string, width, more int) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if utf8.RuneCountInString(strings.TrimRight(line, "\n")) <= width {
			b.WriteString(line)
			continue
		}
		body := strings.TrimLeft(line, " ")
		indent := len(line) - len(body)
		body = strings.TrimRight(body, "\n")
		for i, l := range wrapped(body, max(width-indent-more, narrowest/2)) {
			if i > 0 {
				b.WriteString(strings.Repeat(" ", more))
			}
			b.WriteString(strings.TrimRight(strings.Repeat(" ", indent)+l, " ") + "\n")
		}
	}
	return b.String()
}

// interruptible is standard input whose reads end when the context does: a person who is asked
// something can interrupt, too.
type interruptible struct {
	*os.File
	ctx context.Context
}

// Read implements [io.Reader].
func (r interruptible) Read(p []byte) (int, error) {
	type result struct {
		data []byte
		err  error
	}
	if err := r.ctx.Err(); err != nil {
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
		return copy(p, got.data), got.err
	case <-r.ctx.Done():
		return 0, r.ctx.Err()
	}
}
