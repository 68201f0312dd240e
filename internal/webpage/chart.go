package webpage

import (
	"fmt"
	"time"
)

// part is a piece of a bar, of a class.
type part struct {
	Class int
	X, W  string // per cent
	Y, H  string // pixels; for columns
}

// parts are the pieces of a bar of which the whole width is of.
func parts(by [classes]int, of int) (out []part) {
	at := 0
	for c, n := range by {
		if n > 0 && of > 0 {
			out = append(out, part{Class: c, X: share(at, of), W: share(n, of)})
			at += n
		}
	}
	return out
}

func share(n, of int) string { return fmt.Sprintf("%.2f", 100*float64(n)/float64(of)) }

// split is one bar of the whole, with a legend that is also its table.
type split struct {
	Title, Describe string
	Parts           []part
	Table           table
}

// trend is a chart of columns.
type trend struct {
	Title, Describe string
	Height          int
	Ticks           []tick
	Columns         []column
	Labels          []label
	Legend          []legend
	Base            string
}

type tick struct{ Y, TextY, Label string }

type column struct {
	Title string
	Parts []part
}

type label struct {
	X, Text string
	Y       int
}

type legend struct {
	Class int
	Text  string
}

// The chart's measures, in pixels.
const (
	chartTop    = 10
	chartPlot   = 180
	chartBottom = 26
)

// maxColumns bounds a chart: it has days, or weeks, or as many weeks to a column as are needed.
const maxColumns = 60

// span is a stretch of time that builds are counted for.
type span struct {
	from, to time.Time
	by       [classes]int
	builds   int
	seconds  int
}

// spans cuts the time of a report into days, or into weeks that begin on Mondays.
func spans(from, to time.Time) (out []span, unit string) {
	const oneDay = 24 * time.Hour
	from, to = from.UTC().Truncate(oneDay), to.UTC()
	if !from.Before(to) {
		to = from.Add(oneDay)
	}
	step := oneDay
	unit = "day"
	if n := to.Sub(from); n > 35*oneDay {
		from = from.AddDate(0, 0, -(int(from.Weekday())+6)%7)
		weeks := int((to.Sub(from) + 7*oneDay - 1) / (7 * oneDay))
		each := (weeks + maxColumns - 1) / maxColumns
		step, unit = time.Duration(each)*7*oneDay, "week"
		if each > 1 {
			unit = fmt.Sprintf("%d weeks", each)
		}
	}
	for t := from; t.Before(to); t = t.Add(step) {
		out = append(out, span{from: t, to: t.Add(step)})
	}
	return out, unit
}

func (s span) name() string {
	if s.to.Sub(s.from) == 24*time.Hour {
		return s.from.Format("Mon 2 Jan")
	}
	return period(s.from, s.to.Add(-time.Second))
}

// axis is the highest value of the scale, and the step between its lines.
func axis(most int) (top, step int) {
	step = 1
	for i := 0; (most+step-1)/step > 4; i++ {
		step = step * []int{2, 5, 2}[i%3]
		if i%3 == 1 {
			step /= 2 // 1, 2, 5, 10
		}
	}
	return max((most+step-1)/step, 1) * step, step
}

func (s *sum) chart() *trend {
	words := s.words()
	most, high := 0, 0
	for i, one := range s.spans {
		if one.builds > most {
			most, high = one.builds, i
		}
	}
	top, step := axis(most)
	y := func(n int) float64 { return chartTop + chartPlot*(1-float64(n)/float64(top)) }
	px := func(f float64) string { return fmt.Sprintf("%.1f", f) }
	t := &trend{Title: "Failed builds by " + s.unit, Height: chartTop + chartPlot + chartBottom, Base: px(y(0))}
	t.Describe = fmt.Sprintf("%s by %s, %s.", count(len(s.Builds), "failed build"), s.unit, period(s.From, s.To))
	if most > 0 {
		t.Describe += fmt.Sprintf(
			" Most were %s: %s. The table below has all values.",
			s.spans[high].name(),
			thousands(most),
		)
	}
	for n := 0; n <= top; n += step {
		t.Ticks = append(t.Ticks, tick{Y: px(y(n)), TextY: px(y(n) + 4), Label: thousands(n)})
	}
	n := float64(len(s.spans))
	for i, one := range s.spans {
		c := column{Title: fmt.Sprintf("%s: %s", one.name(), count(one.builds, "failed build"))}
		at := 0
		for class, k := range one.by {
			if k == 0 {
				continue
			}
			c.Parts = append(c.Parts, part{Class: class, X: fmt.Sprintf("%.2f", 100*(float64(i)+0.12)/n),
				W: fmt.Sprintf("%.2f", 76/n), Y: px(y(at + k)), H: px(y(at) - y(at+k))})
			c.Title += fmt.Sprintf("; %s: %s", words[class].short, thousands(k))
			at += k
		}
		t.Columns = append(t.Columns, c)
	}
	each := (len(s.spans) + 4) / 5
	for i := each / 2; i < len(s.spans); i += each {
		t.Labels = append(
			t.Labels,
			label{X: fmt.Sprintf("%.2f", 100*(float64(i)+0.5)/n), Text: s.spans[i].from.Format("2 Jan"),
				Y: chartTop + chartPlot + 18},
		)
	}
	for c, w := range words {
		t.Legend = append(t.Legend, legend{c, w.short})
	}
	return t
}
