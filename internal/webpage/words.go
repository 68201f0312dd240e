package webpage

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/buildmedic/buildmedic/internal/notice"
	"github.com/buildmedic/buildmedic/internal/redact"
)

// Bounds of texts, in characters.
const (
	maxName = 160
	maxText = 600
	// maxBlock is of a text to copy, in bytes: escaped, it is at most five times as much.
	maxBlock = 256 << 10
)

// shown makes one line of a text that may be anything: secrets are taken out, what cannot be seen or
// turns text around is written as \uXXXX, and what is too long is cut and says so.
func shown(s string, most int) string {
	s = strings.ToValidUTF8(s, "�")
	cut := ""
	if n := utf8.RuneCountInString(s); n > most {
		end := 0
		for range most {
			_, size := utf8.DecodeRuneInString(s[end:])
			end += size
		}
		s, cut = s[:end], fmt.Sprintf("… (%s)", count(n-most, "more character"))
	}
	s = notice.VisibleJSON(redact.Text(s))
	return strings.NewReplacer("\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(flat(s)) + cut
}

// flat writes the combining marks of a pile out: those above the second would cover other lines.
func flat(s string) string {
	var b strings.Builder
	pile := 0
	for _, r := range s {
		if pile++; !unicode.In(r, unicode.Mn, unicode.Me) {
			pile = 0
		}
		if pile > 2 {
			fmt.Fprintf(&b, `\u%04x`, r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

func name(s string) string { return shown(s, maxName) }
func text(s string) string { return shown(s, maxText) }

// lines makes a text of several lines safe in the same way, and cuts it between two of them.
// Secrets were taken out where it was made: doing it here might change what it says.
func lines(s string) (out string, more int) {
	s = strings.ToValidUTF8(s, "�")
	if len(s) > maxBlock {
		end := strings.LastIndexByte(s[:maxBlock], '\n') + 1
		if end == 0 {
			end = len(strings.ToValidUTF8(s[:maxBlock], ""))
		}
		more = strings.Count(s[end:], "\n") + 1
		s = s[:end]
	}
	return flat(notice.VisibleJSON(s)), more
}

// thousands groups a number's digits.
func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return thousands(n) + " " + what + "s"
}

// percent is a share in words: what is there is never 0 %, and what is not all never 100 %.
func percent(n, of int) string {
	switch {
	case of <= 0 || n <= 0:
		return "0 %"
	case n >= of:
		return "100 %"
	case n*1000 < 5*of:
		return "< 1 %"
	case n*1000 >= 995*of:
		return "> 99 %"
	}
	return fmt.Sprintf("%d %%", (200*n+of)/(2*of))
}

// lasted is a time in the two units that say enough.
func lasted(seconds int) string {
	d := func(n int, unit string, rest int, small string) string {
		if rest == 0 {
			return fmt.Sprintf("%s %s", thousands(n), unit)
		}
		return fmt.Sprintf("%s %s %d %s", thousands(n), unit, rest, small)
	}
	switch m := (seconds + 30) / 60; {
	case seconds < 60:
		return fmt.Sprintf("%d s", max(seconds, 0))
	case seconds < 600:
		return d(seconds/60, "min", seconds%60, "s")
	case m < 60:
		return fmt.Sprintf("%d min", m)
	case m < 100*60:
		return d(m/60, "h", m%60, "min")
	default:
		return d((m+30)/60, "h", 0, "")
	}
}

// minutes are a column's: one unit, to be compared.
func minutes(seconds int) string {
	if seconds > 0 && seconds < 30 {
		return "< 1"
	}
	return thousands((seconds + 30) / 60)
}

func day(t time.Time) string { return t.UTC().Format("2 Jan 2006") }

func stamp(t time.Time) string { return t.UTC().Format("2 Jan 2006 15:04 UTC") }

// period is from one day to another.
func period(from, to time.Time) string {
	from, to = from.UTC(), to.UTC()
	switch {
	case day(from) == day(to):
		return day(to)
	case from.Year() != to.Year():
		return day(from) + " – " + day(to)
	case from.Month() != to.Month():
		return from.Format("2 Jan") + " – " + day(to)
	}
	return from.Format("2") + " – " + day(to)
}
