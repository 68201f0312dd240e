package diagnose

import (
	"encoding/json"
	"html"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// A message seldom stays as its program wrote it. Loggers put a time, a name and a level in front
// of it, or make JSON of it; tools indent what others print, and wrap it; people put it into lists,
// tables and comments. The rules read lines as they are printed first. Where these say nothing, or
// only something general, the message is read once more without what is around it. It names the
// cause then and proves no more: what is found so is only reported.

// reread returns a cause that is better than c, found by r; nil if there is none. Where c says
// something, the better one is about the same message, and precedes c.
func (x *facts) reread(causes []Cause, c *Cause, r *rule, f finding) (*Cause, *rule, finding) {
	from, to := 0, len(x.lines)
	general := Unexplained(c.Name) || r.consequence
	if !general {
		i := x.line(f.evidence.Line)
		if i < 0 || r.denial != nil || !r.aboutLine() {
			return nil, nil, finding{}
		}
		from, to = max(0, i-messageLines), min(len(x.lines), i+messageLines)
		causes = causes[:slices.IndexFunc(causes, func(o Cause) bool { return o.Name == c.Name })]
	}
	printed := x.lines[from:to]
	plain, anew := undressed(printed)
	readings := [][]buildlog.Line{printed, plain, unwrapped(plain, anew, " ")}
	if x.excerptOnly() {
		readings = append(readings, unwrapped(plain, anew, ""))
	}
	if Unexplained(c.Name) {
		readings = append(readings, unnamed(plain), unnamed(unnamed(plain)))
	}
	for n, lines := range readings {
		if n == 0 || slices.ContainsFunc(readings[:n], func(r []buildlog.Line) bool { return slices.Equal(r, lines) }) {
			continue // it was read so
		}
		better, by, found := x.readAs(lines, causes, general, c)
		if better != nil && better.Name == c.Name {
			break // the line that was found says it as well
		}
		if better != nil {
			return better, by, found
		}
	}
	return nil, nil, finding{}
}

// messageLines is how many lines before and behind a line may belong to its message.
const messageLines = 4

// readAs returns the first of the causes that a line proves, as if the failed command had printed
// these lines. A consequence counts only if what is known is general, and the class that a text
// gives itself only if nothing is.
func (x *facts) readAs(lines []buildlog.Line, causes []Cause, general bool, known *Cause) (*Cause, *rule, finding) {
	y := &facts{Failure: x.Failure, causes: x.causes, statuses: x.statuses, summary: -1, sure: x.sure, quoted: x.excerptOnly()}
	if !x.excerptOnly() {
		y.doubts = func(n int) bool {
			i := x.line(n)
			return x.tested(i) || x.provesNone(i, 0, 0)
		}
	}
	y.take(lines)
	vague := Unexplained(known.Name) && !known.vague
	for _, consequence := range []bool{false, true} {
		for i := range causes {
			c := &causes[i]
			if c.vague && !vague || consequence && !general {
				continue
			}
			for j := range c.rules {
				r := &c.rules[j]
				if r.consequence != consequence || r.denial != nil || !r.aboutLine() && r.any != "pointed" {
					continue
				}
				f, ok := y.try(c, r)
				i := x.line(f.evidence.Line)
				if !ok || i < 0 {
					continue
				}
				if skip := x.disproved(c, r); skip != nil && !y.quoted && skip(i, 0, len(x.bare[i])) {
					continue // by what stands around it
				}
				f.evidence.Text = x.lines[i].Text
				told := *r
				told.remedy = Report
				return c, &told, f
			}
		}
	}
	return nil, nil, finding{}
}

// undressed returns the lines without what is around a message, and which of them begin one: a time,
// a number or a level stood there. One line of JSON may hold several.
func undressed(lines []buildlog.Line) (list []buildlog.Line, anew []bool) {
	for _, l := range lines {
		if l.Text == "" {
			list, anew = append(list, l), append(anew, true)
		}
		shown := bare(l.Text)
		front := strings.TrimSuffix(l.Text, shown)
		for text := range strings.Lines(unquoted(shown)) {
			text = strings.TrimRight(text, "\r\n")
			plain := undress(text)
			before, _, _ := strings.Cut(text, plain)
			list, anew = append(list, buildlog.Line{N: l.N, Text: plain}), append(anew, beginning.MatchString(front+before))
		}
	}
	return list, anew
}

// beginning matches what stands in front of a message, and not in front of each of its lines.
var beginning = lazyregexp.New(`[\w•-]`)

// dress matches what may stand in front of a message: white space; a mark of a list, a table, a
// comment or a quotation; a number; a time; a level in brackets; and whatever a logger has in front
// of the level, as "2026-01-02 03:04:05,678 - shop - ERROR - ".
var dress = lazyregexp.New(`^(?:\s+|(?:[-*+•·▪►▶»>|│✖✗✘❌⨯×→]+|` +
	`//+|#+|--|;+)(?:\s+|$)|\(?\d{1,5}[.):|]\s+|\d{1,5}\t|` +
	`\[?\d{4}[-/]\d\d[-/]\d\d(?:[T ]\d\d:\d\d[\d:.,]*)?(?:Z| ?[+-]\d\d:?\d\d)?\]?(?:\s+|$)|` +
	`\[?\d\d:\d\d(?::\d\d[\d.,]*)?\]?(?:\s+|$)|` +
	`\d\d[OE][ +]|` +
	`[\[(<](?i:error|err|fatal|critical|severe|stderr|stdout|e|f)[\])>]:?\s*|` +
	`(?:\[?[\w.:/,@+-]{1,40}\]?[\s|-]+){0,4}\[?(?:ERROR|FATAL|CRITICAL|SEVERE|CRIT|ERR)\]?` +
	`(?:\s*[|:-]+\s+|\s+[\w.$]+\s+[:-]\s+|\s{2,})|` +
	"`+|\\*\\*+|~~|__)")

// undress returns the line without what may be around a message.
func undress(line string) string {
	line = html.UnescapeString(plainSigns.Replace(line))
	for range 8 {
		n := len(dress.FindString(line))
		if n == 0 {
			break
		}
		line = line[n:]
	}
	return strings.TrimRight(line, " \t`*|│")
}

// named matches the name of who speaks, in front of what it says.
var named = lazyregexp.New(`^@?[\w./@-]{1,40}(?: [\w./-]{1,20}){0,2}: +`)

// unnamed returns the lines without the name of who speaks.
func unnamed(lines []buildlog.Line) []buildlog.Line {
	list := slices.Clone(lines)
	for i := range list {
		name := named.FindString(list[i].Text)
		if name != strings.ToUpper(name) { // an error code is part of the message
			list[i].Text = undress(list[i].Text[len(name):])
		}
	}
	return list
}

// plainSigns replaces what editors and web pages write for signs of ASCII.
var plainSigns = strings.NewReplacer("\u00a0", " ", "\u202f", " ", "“", `"`, "”", `"`, "„", `"`, "‘", "'", "’", "'", "´", "'",
	`\_`, "_", `\*`, "*", `\<`, "<", `\>`, ">", "…", "...", "***", "masked", "\u200b", "", "\ufeff", "")

// unquoted returns the texts that a line of JSON holds, or the line without the escapes of a string.
func unquoted(line string) string {
	trimmed := strings.TrimSpace(line)
	if trimmed == "" {
		return line
	}
	if strings.ContainsRune(`{["`, rune(trimmed[0])) {
		var v any
		if json.Unmarshal([]byte(trimmed), &v) == nil && !belowError(v) {
			if texts := textsIn(v, nil); len(texts) > 0 {
				return strings.Join(texts, "\n")
			}
		}
	}
	if strings.Contains(line, `\n`) || strings.Contains(line, `\"`) {
		return escapedSigns.Replace(line)
	}
	return line
}

// belowError reports whether v is a logger's record that says of itself that it is no error.
func belowError(v any) bool {
	record, ok := v.(map[string]any)
	if !ok {
		return false
	}
	for _, key := range []string{"level", "severity", "levelname", "log.level", "lvl", "@level"} {
		switch level := record[key].(type) {
		case string:
			return slices.Contains([]string{"trace", "debug", "info", "notice", "warn", "warning"}, strings.ToLower(level))
		case float64:
			return level < 50 // Bunyan's and Pino's number of an error
		}
	}
	return false
}

var escapedSigns = strings.NewReplacer(`\\n`, "\n", `\n`, "\n", `\r`, "", `\\t`, " ", `\t`, " ", `\\\"`, `"`, `\"`, `"`, `\\`, `\`)

// textsIn appends the texts in a value of JSON, but for short words.
func textsIn(v any, list []string) []string {
	switch v := v.(type) {
	case string:
		if strings.ContainsAny(v, " :") {
			list = append(list, v)
		}
	case []any:
		for _, e := range v {
			list = textsIn(e, list)
		}
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			list = textsIn(v[k], list)
		}
	}
	return list
}

// unwrapped returns the lines with those joined by glue that seem to be one, which was wrapped: the
// next word, or with no glue the next sign, had no room. None is joined that begins a message.
func unwrapped(lines []buildlog.Line, anew []bool, glue string) []buildlog.Line {
	var list []buildlog.Line
	for i := 0; i < len(lines); {
		end, width, n := i, 0, 0 // n: lines that were joined
		for ; end < len(lines) && lines[end].Text != ""; end++ {
			width = max(width, utf8.RuneCountInString(lines[end].Text))
		}
		for k := i; k < end; k++ {
			if k > i && !anew[k] && n < maxWrapped && minWidth <= width && width <= maxWidth &&
				full(lines[k-1].Text, lines[k].Text, glue, width) {
				list[len(list)-1].Text += glue + lines[k].Text
				n++
			} else {
				list, n = append(list, lines[k]), 1
			}
		}
		for i = end; i < len(lines) && lines[i].Text == ""; i++ {
			list = append(list, lines[i])
		}
	}
	return list
}

// The widths at which somebody wraps, and of how many lines a message is then at most.
const (
	minWidth   = 40
	maxWidth   = 200
	maxWrapped = 8
)

// full reports whether a line had no room for what the next one begins with.
func full(line, next, glue string, width int) bool {
	n := utf8.RuneCountInString(line)
	word, _, _ := strings.Cut(next, " ")
	return n == width || glue != "" && n+1+utf8.RuneCountInString(word) > width
}
