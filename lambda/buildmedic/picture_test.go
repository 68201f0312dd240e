package main

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

const (
	pictureStory = "tracker-api"
	pictureFile  = "demo.svg"
)

// TestPicture ensures that the README's picture shows what the demo really
// prints on a terminal.
func TestPicture(t *testing.T) {
	stories, err := chosen([]string{pictureStory})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	d := demo{out: &out, palette: palette{on: true}}
	if err := d.play(t.Context(), stories[0]); err != nil {
		t.Fatal(err)
	}
	d.table()
	got := picture("go run ./lambda/buildmedic demo "+pictureStory, out.String())
	if *update {
		if err := os.WriteFile(pictureFile, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(pictureFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what the demo prints now: run make picture, and look at it", pictureFile)
	}
	if err := xml.Unmarshal(got, new(struct{})); err != nil {
		t.Errorf("%s is not well-formed: %v", pictureFile, err)
	}
	for _, l := range strings.Split(colour.ReplaceAllString(out.String(), ""), "\n") {
		if n := utf8.RuneCountInString(l); n > terminal {
			t.Errorf("%d columns, and the picture has %d: %s", n, terminal, l)
		}
	}
}

// The picture's measures in pixels; the terminal's width in columns.
const (
	terminal  = 116
	cell      = 7.25
	fontSize  = 12
	lineSize  = 18
	padding   = 16
	promptRow = 2 // the prompt, and an empty line
)

// pictureStyle gives each of the palette's colours a shade that can be read on
// the background of the reader's own theme, light or dark.
const pictureStyle = `
    text { font: 12px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; white-space: pre; fill: #1f2328 }
    .bg { fill: #f6f8fa; stroke: #d1d9e0 }
    .c1 { font-weight: bold }
    .c2 { fill: #59636e }
    .c31 { fill: #c01c28 }
    .c32 { fill: #116329 }
    .c33 { fill: #7d4e00 }
    .c36 { fill: #0a5c82 }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3 }
      .bg { fill: #161b22; stroke: #3d444d }
      .c2 { fill: #9198a1 }
      .c31 { fill: #ff7b72 }
      .c32 { fill: #56d364 }
      .c33 { fill: #e3b341 }
      .c36 { fill: #79c0ff }
    }
`

// colour is one escape sequence of the palette.
var colour = regexp.MustCompile(`\x1b\[(\d+)m`)

// picture draws what a command printed on a terminal.
func picture(command, output string) []byte {
	lines := strings.Split(strings.TrimRight(output, "\n"), "\n")
	width := 2*padding + terminal*cell
	height := 2*padding + (len(lines)+promptRow)*lineSize
	var b bytes.Buffer
	fmt.Fprintf(&b,
		`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %d" role="img" aria-label="What the `+
			`command %s prints">`+"\n",
		width, height, command)
	fmt.Fprintf(&b, "  <style>%s  </style>\n", pictureStyle)
	fmt.Fprintf(&b, `  <rect class="bg" x="0.5" y="0.5" width="%.0f" height="%d" rx="6"/>`+"\n", width-1, height-1)
	drawLine(&b, 0, "\x1b[2m$ \x1b[0m"+command)
	for i, l := range lines {
		drawLine(&b, i+promptRow, l)
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

// drawLine draws the line's words apart wherever there are two blanks or
// another colour. Each is put at its own column and stretched to its width, so
// that columns stay straight in whatever font the reader has.
func drawLine(b *bytes.Buffer, row int, line string) {
	column, class := 0, "0"
	for line != "" {
		text, next := line, ""
		if m := colour.FindStringSubmatchIndex(line); m != nil {
			text, next, line = line[:m[0]], line[m[2]:m[3]], line[m[1]:]
		} else {
			line = ""
		}
		for i, part := range strings.Split(text, "  ") {
			if i > 0 {
				column += 2
			}
			word := strings.TrimLeft(part, " ")
			column += len(part) - len(word)
			drawText(b, row, column, class, word)
			column += utf8.RuneCountInString(word)
		}
		if next != "" {
			class = next
		}
	}
}

func drawText(b *bytes.Buffer, row, column int, class, text string) {
	if strings.TrimSpace(text) == "" {
		return
	}
	n := utf8.RuneCountInString(text)
	fmt.Fprintf(b, `  <text x="%.2f" y="%d" textLength="%.2f" lengthAdjust="spacingAndGlyphs"`,
		padding+float64(column)*cell, padding+fontSize+row*lineSize, float64(n)*cell)
	if class != "0" {
		fmt.Fprintf(b, ` class="c%s"`, class)
	}
	b.WriteString(">")
	xml.EscapeText(b, []byte(text)) // a Buffer takes everything
	b.WriteString("</text>\n")
}
