package main

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

const (
	pictureStory = "tracker-api"
	pictureFile  = "demo.svg"
	mailStory    = "proposed-and-approved"
	mailFile     = "mail.svg"
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
	checkPicture(t, pictureFile, picture("go run ./lambda/buildmedic demo "+pictureStory, out.String()))
	for _, l := range strings.Split(colour.ReplaceAllString(out.String(), ""), "\n") {
		if n := utf8.RuneCountInString(l); n > terminal {
			t.Errorf("%d columns, and the picture has %d: %s", n, terminal, l)
		}
	}
}

// TestPictureOfMail ensures that the README's picture of a mail is what demo -mail shows of it on a
// phone, as far as its first screens go.
func TestPictureOfMail(t *testing.T) {
	const phone, shown = 40, 24
	code, out, errs := buildmedic(t, "", "demo", "-mail", "-width", fmt.Sprint(phone), mailStory)
	if code != exitOK {
		t.Fatal(errs)
	}
	rows := strings.Split(out, "\n")[1:] // without the line that says which mail it is
	subject := slices.Index(rows, "")
	class := "1"
	for i, row := range rows[:shown] {
		switch {
		case i < subject:
		case row == "" || i == subject+1:
			class = "0"
		case strings.HasPrefix(row, "+ "):
			class = "32"
		case strings.HasPrefix(row, "https://"):
			class = "36"
		case strings.HasPrefix(row, "{"):
			class = "33"
		case strings.Contains(row, ": ") || strings.HasSuffix(row, ":"):
			class = "0"
		}
		if row != "" {
			rows[i] = "\x1b[" + class + "m" + row + "\x1b[0m"
		}
	}
	checkPicture(t, mailFile, drawn("A mail on a phone", phone, rows[:shown]))
}

// checkPicture compares a picture with its file.
func checkPicture(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what is printed now: run make picture, and look at it", file)
	}
	if err := xml.Unmarshal(got, new(struct{})); err != nil {
		t.Errorf("%s is not well-formed: %v", file, err)
	}
}

// The picture's measures in pixels; the terminal's width in columns.
const (
	terminal = 116
	cell     = 7.25
	fontSize = 12
	lineSize = 18
	padding  = 16
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

// picture draws what a command printed on a terminal, below the prompt and an empty line.
func picture(command, output string) []byte {
	lines := []string{"\x1b[2m$ \x1b[0m" + command, ""}
	return drawn("What the command "+command+" prints", terminal,
		append(lines, strings.Split(strings.TrimRight(output, "\n"), "\n")...))
}

// drawn draws lines on a screen of so many columns.
func drawn(label string, columns int, lines []string) []byte {
	width := 2*padding + float64(columns)*cell
	height := 2*padding + len(lines)*lineSize
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %d" role="img" aria-label="%s">`+"\n",
		width, height, label)
	fmt.Fprintf(&b, "  <style>%s  </style>\n", pictureStyle)
	fmt.Fprintf(&b, `  <rect class="bg" x="0.5" y="0.5" width="%.0f" height="%d" rx="6"/>`+"\n", width-1, height-1)
	for i, l := range lines {
		drawLine(&b, i, l)
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
