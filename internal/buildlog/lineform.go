package buildlog

import (
	"bytes"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// A lineForm is what stands around each line.
type lineForm struct {
	front  *regexp.Regexp // nil: nothing; its group, if any, is the stream's name
	behind *regexp.Regexp
	rest   *regexp.Regexp // lines that hold nothing of the log
	double bool           // a blank line follows each line
	width  int            // of the terminal that broke the lines, 0: none
}

// own returns what the log holds of a line, and its stream if that is known. keep is false for a
// line that holds nothing of the log.
func (f *lineForm) own(line []byte) (name string, own []byte, keep bool) {
	if f.front == nil && f.behind == nil {
		return "", line, true
	}
	text := unstyled(line)
	end := text[len(bytes.TrimRight(text, "\r\n")):]
	text = text[:len(text)-len(end)]
	if f.front != nil {
		m := f.front.FindSubmatch(text)
		if m == nil {
			return "", line, f.rest == nil || !f.rest.Match(text)
		}
		text = text[len(m[0]):]
		if len(m) > 1 {
			name = string(m[1])
		}
	}
	if f.behind != nil {
		if i := f.behind.FindIndex(text); i != nil {
			text = text[:i[0]]
		}
	}
	return name, append(bytes.Clone(text), end...), true
}

// lineFormOf learns what stands around each line of the text that begins with sample.
func lineFormOf(sample []byte) lineForm {
	var f lineForm
	lines := strings.Split(strings.TrimSuffix(string(unstyled(sample)), "\n"), "\n")
	if len(sample) >= formHead {
		lines = lines[:len(lines)-1] // it is cut
	}
	for i := range lines {
		lines[i] = strings.TrimSuffix(lines[i], "\r")
	}
	var fronts []front
	var behind []string
	stamps := 0
	for _, l := range lines {
		if stampOnly.MatchString(l) {
			stamps++
		}
		at, text := agentAt([]byte(l))
		if at < 0 || l[text-1] == ']' {
			continue
		}
		fronts = append(fronts, frontOf(l[:at]))
		if m := phaseState.Get().FindStringIndex(l[text:]); m != nil {
			if other, _ := agentAt([]byte(l[text:])); other < 0 {
				behind = append(behind, l[text+m[1]:])
			}
		}
	}
	f.front = frontForm(fronts)
	if f.front != nil || len(behind) > 1 {
		f.behind = behindForm(behind)
	}
	if f.front != nil && stamps >= len(fronts) {
		f.rest = stampOnly.Get() // text and tables of the AWS CLI, in which a message ends with its newline
	}
	f.double = doubled(lines)
	if f.front == nil && f.behind == nil {
		f.width = brokenAt(lines)
	}
	return f
}

var (
	phaseState = lazyregexp.New(`^Phase complete: \S+ (?:State: [A-Z_]+|Success: (?:true|false))`)
	stampOnly  = lazyregexp.New(`^[\t |]*\d{12,14}[\t |]*$`) // an event's time in milliseconds, with a table's bars
)

// A front is what stands in front of one of the agent's lines.
type front struct {
	words []string
	gap   string // the blanks behind them
}

func frontOf(s string) front {
	words := strings.Fields(s)
	return front{words, s[len(strings.TrimRight(s, " \t")):]}
}

// frontForm returns an expression for what stands in front of each line, nil if there is nothing.
func frontForm(list []front) *regexp.Regexp {
	if len(list) < 2 {
		return nil
	}
	// Of some outputs, the first line has nothing in front of it.
	if first := list[0]; len(first.words) == 0 && first.gap == "" && len(list) > 2 {
		list = list[1:]
	}
	gap := list[0].gap
	for _, x := range list {
		if len(x.words) != len(list[0].words) || len(x.words) == 0 && x.gap == "" {
			return nil
		}
		if x.gap != gap {
			gap = ""
		}
	}
	if len(list[0].words) == 0 {
		if gap == "" {
			return nil
		}
		return regexp.MustCompile("^" + regexp.QuoteMeta(gap))
	}
	expr, group := "^[ \t]*", false
	for i := range list[0].words {
		if i > 0 {
			expr += "[ \t]+"
		}
		word, stream := wordForm(list, i)
		if stream && !group {
			word, group = "("+word+")", true
		}
		expr += word
	}
	if gap == "" && list[0].gap != "" {
		return regexp.MustCompile(expr + "(?:[ \t]+|$)")
	}
	return regexp.MustCompile(expr + "(?:" + regexp.QuoteMeta(gap) + "|[ \t]*$)")
}

// wordForm returns an expression for a word in front of each line, and whether it may be the name
// of a stream: it holds a build's id, or is not the same everywhere.
func wordForm(list []front, i int) (expr string, stream bool) {
	first := list[0].words[i]
	if buildID.MatchString(first) {
		return `\S+`, true
	}
	shape := digitsShape(first)
	for _, x := range list[1:] {
		if digitsShape(x.words[i]) != shape {
			return `\S+`, true
		}
	}
	return shape, false
}

var (
	buildID    = lazyregexp.New(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	digitsForm = lazyregexp.New(`\d+`)
)

// digitsShape returns an expression for s with any numbers.
func digitsShape(s string) string {
	return digitsForm.Get().ReplaceAllLiteralString(regexp.QuoteMeta(s), `\d+`)
}

// behindForm returns an expression for what stands behind each line, nil if there is nothing.
func behindForm(list []string) *regexp.Regexp {
	if len(list) == 0 || list[0] == "" {
		return nil
	}
	shape := digitsShape(list[0])
	for _, s := range list {
		if digitsShape(s) != shape {
			return nil
		}
	}
	return regexp.MustCompile(shape + "$")
}

// doubled reports whether a blank line follows each line.
func doubled(lines []string) bool {
	full, pairs := 0, 0
	for i, l := range lines {
		if l != "" && i+1 < len(lines) {
			full++
			if lines[i+1] == "" {
				pairs++
			}
		}
	}
	return full >= 6 && pairs == full
}

// brokenAt returns the width at which a terminal broke the lines, 0 if none did: no line is longer,
// and lines of the agent that are as long go on in a line that is not the agent's.
func brokenAt(lines []string) int {
	width, n := 0, 0
	for _, l := range lines {
		width = max(width, utf8.RuneCountInString(l))
	}
	for i, l := range lines {
		if i+1 == len(lines) || utf8.RuneCountInString(l) != width {
			continue
		}
		at, _ := agentAt([]byte(l))
		next, _ := agentAt([]byte(lines[i+1]))
		if at == 0 && next < 0 && lines[i+1] != "" {
			n++
		}
	}
	if n < 2 || width < 40 {
		return 0
	}
	return width
}
