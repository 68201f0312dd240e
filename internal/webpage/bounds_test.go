package webpage

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
)

// big is an account of n projects in which everything fails, each in its own way, with names of
// the given length.
func big(kind Kind, n, length int) Report {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	r := Report{
		Kind:     kind,
		Account:  "111122223333",
		Region:   "eu-west-1",
		Made:     start,
		From:     start,
		To:       start.AddDate(0, 0, 90),
		Projects: n,
		Causes:   map[string]Term{},
		Whys:     map[string]Term{},
	}
	long := func(format string, i int) string {
		s := fmt.Sprintf(format, i)
		return s + strings.Repeat("<", max(length-len(s), 0))
	}
	for i := range n {
		r.Notes = append(r.Notes, long("note %d", i))
		p := long("p%04d", i)
		for j := range 10 {
			b := Build{
				Project: p,
				Cause:   long("cause-%d", i),
				Class:   Class(j % 3),
				Why:     long("why-%d", i),
				End:     start.AddDate(0, 0, (i+j)%90),
				Seconds: 60,
			}
			r.Causes[b.Cause], r.Whys[b.Why] = Term{Meaning: long("m%d", i)}, Term{long("m%d", i), long("c%d", i)}
			r.Builds = append(r.Builds, b)
		}
		r.Denied = append(
			r.Denied,
			Denied{Action: long("a:%d", i), Resource: long("r%d", i), Builds: 1, Projects: []string{p}},
		)
		r.Cases = append(
			r.Cases,
			Case{
				ID:      long("%016d", i),
				Project: p,
				Cause:   long("c%d", i),
				Outcome: long("o%d", i),
				Opened:  start,
				Waits:   true,
				Changed: []string{p, p, p, p},
				Refused: []string{long("rule-%d", i)},
			},
		)
		r.Flaky = append(r.Flaky, Flaky{Project: p, Test: long("t%d", i), Last: start})
		r.Settings += long("line %d", i) + "\n"
	}
	return r
}

// TestBounded ensures that a page of a thousand projects is small, whatever their names, and that
// what it leaves out is counted.
func TestBounded(t *testing.T) {
	for _, length := range []int{0, 2000} {
		for kind, want := range map[Kind][]string{
			Scan: {"and 975 causes more: 9,750 failed builds", "and 940 projects more: 9,400 failed builds, " +
				"which ran 157 h", "and 960 actions more"},
			History: {"and 975 causes more", "and 940 projects more", "and 960 cases more", "and 970 outcomes more",
				"and 970 rules more",
				"and 980 tests more"},
		} {
			page := render(t, big(kind, 1000, length))
			if len(page) > maxBytes {
				t.Errorf("kind %d, names of %d: %d bytes", kind, length, len(page))
			}
			for _, w := range append(want, "and 980 notes more") {
				if !bytes.Contains(page, []byte("… "+w)) && !bytes.Contains(page, []byte("<li>"+w)) {
					t.Errorf("kind %d, names of %d: it does not say %q", kind, length, w)
				}
			}
			cut := bytes.Contains(page, []byte("lines more: buildmedic scan -yaml prints all"))
			if cut != (kind == Scan && length > 0) {
				t.Errorf("kind %d, names of %d: settings cut: %t", kind, length, cut)
			}
			t.Logf("kind %d, names of %d: %d bytes", kind, length, len(page))
		}
	}
}

// TestSmall ensures that a page of one build, and of none, makes sense.
func TestSmall(t *testing.T) {
	r := example(Scan)
	r.Builds, r.Notes, r.Denied, r.Settings = nil, nil, nil, ""
	page := string(render(t, r))
	if !strings.Contains(page, "No build is known to have failed in this time.") || strings.Contains(page, "<nav") ||
		strings.Contains(page, "Read this first") {
		t.Errorf("of no build: %s", page)
	}
	r = Report{
		Made:     exampleEnd,
		From:     exampleEnd.AddDate(0, 0, -1),
		To:       exampleEnd,
		Projects: 1,
		Most:     10,
		Builds: []Build{
			{Project: "shop", Cause: "test-failure", Class: Rest, Why: "report", End: exampleEnd, Seconds: 61},
		},
	}
	page = string(render(t, r))
	for _, want := range []string{"1 failed build of 1 project ran 1 min 1 s.",
		"Most often: test-failure, 1 build, 100 %.",
		"acted on 0 of them (0 %).", "29 – 30 Sep 2026", "In 1 of 1 project."} {
		if !strings.Contains(page, want) {
			t.Errorf("of one build: it does not say %q", want)
		}
	}
	r.From, r.Builds = exampleEnd.AddDate(0, 0, -20), append(r.Builds, Build{End: exampleEnd.AddDate(0, 0, -11)})
	if page = string(render(t, r)); strings.Contains(page, "in the first half") {
		t.Error("it compares halves, and knows nothing of the first quarter")
	}
	r.Builds[1].End = exampleEnd.AddDate(0, 0, -16)
	if page = string(render(t, r)); !strings.Contains(page, "1 failed in the first half of this time, 1 in the "+
		"second.") {
		t.Error("it does not compare the halves")
	}
	r.Cut = true
	if page = string(render(t, r)); strings.Contains(page, "in the first half") {
		t.Error("it compares halves of which the first is cut")
	}
	r.From, r.Builds = exampleEnd.AddDate(0, 0, -1), r.Builds[:1]
	// What no report should have.
	r.From, r.To = r.To, r.From
	r.Builds = append(
		r.Builds,
		Build{Class: -3, Seconds: -5, Green: exampleEnd},
		Build{Class: 99, End: exampleEnd.AddDate(900, 0, 0)},
	)
	if page = string(render(t, r)); !strings.Contains(page, "3 failed builds of 2 projects ran 1 min 1 s.") {
		t.Error("of builds that make no sense: they are not counted")
	}
}

// TestFiguresAgree ensures that the columns of the chart, the causes and the projects sum up to all.
func TestFiguresAgree(t *testing.T) {
	for _, kind := range []Kind{Scan, History} {
		s := newSum(example(kind))
		want := [...]int{len(s.Builds), s.all.seconds}
		got := map[string][2]int{}
		for name, gs := range map[string][]*group{"causes": s.causes, "projects": s.projects, "whys": s.whys} {
			for _, g := range gs {
				got[name] = [2]int{got[name][0] + g.builds, got[name][1] + g.seconds}
			}
		}
		for _, one := range s.spans {
			got["spans"] = [2]int{got["spans"][0] + one.builds, got["spans"][1] + one.seconds}
		}
		for name, sum := range got {
			if sum != want {
				t.Errorf("kind %d: %s sum up to %v, all are %v", kind, name, sum, want)
			}
		}
		for _, c := range s.chart().Columns {
			for _, p := range c.Parts {
				if strings.HasPrefix(p.Y, "-") || strings.HasPrefix(p.H, "-") {
					t.Errorf("a column is out of the chart: %v", p)
				}
			}
		}
	}
}

func TestSpans(t *testing.T) {
	from := time.Date(2026, 9, 2, 10, 0, 0, 0, time.UTC) // a Wednesday
	for _, tt := range []struct {
		days, n     int
		unit, first string
	}{
		{1, 2, "day", "Wed 2 Sep"}, // the end is on the next day
		{30, 31, "day", "Wed 2 Sep"},
		{34, 35, "day", "Wed 2 Sep"},
		{35, 6, "week", "31 Aug – 6 Sep 2026"},
		{90, 14, "week", "31 Aug – 6 Sep 2026"},
		{3650, 58, "9 weeks", "31 Aug – 1 Nov 2026"},
	} {
		got, unit := spans(from, from.AddDate(0, 0, tt.days))
		if len(got) != tt.n || unit != tt.unit || got[0].name() != tt.first {
			t.Errorf("%d days: %d by %s, first %s", tt.days, len(got), unit, got[0].name())
		}
		for i := 1; i < len(got); i++ {
			if !got[i].from.Equal(got[i-1].to) {
				t.Errorf("%d days: a gap before %v", tt.days, got[i].from)
			}
		}
		// A build at a boundary counts for what begins there.
		s := newSum(
			Report{
				From:   from,
				To:     from.AddDate(0, 0, tt.days),
				Builds: []Build{{End: got[1].from}, {End: got[0].from}, {End: from}},
			},
		)
		if s.spans[0].builds != 2 || s.spans[1].builds != 1 {
			t.Errorf("%d days: %v", tt.days, s.spans)
		}
	}
}

func TestAxis(t *testing.T) {
	for most, want := range map[int][2]int{0: {1, 1}, 1: {1, 1}, 4: {4, 1}, 5: {6, 2}, 8: {8, 2}, 9: {10, 5},
		20: {20, 5}, 21: {30, 10},
		99: {100, 50}, 1234: {1500, 500}, 100_000: {100_000, 50_000}} {
		if top, step := axis(most); [2]int{top, step} != want {
			t.Errorf("up to %d: %d by %d", most, top, step)
		}
	}
}

func TestWords(t *testing.T) {
	for got, want := range map[string]string{
		thousands(0): "0", thousands(999): "999", thousands(1000): "1,000", thousands(-1234567): "-1,234,567",
		count(1, "day"): "1 day", count(2000, "day"): "2,000 days",
		percent(0, 9): "0 %", percent(1, 1000): "< 1 %", percent(5, 1000): "1 %", percent(1, 3): "33 %",
		percent(999, 1000): "> 99 %",
		percent(994, 1000): "99 %", percent(7, 7): "100 %", percent(3, 0): "0 %",
		lasted(0): "0 s", lasted(59): "59 s", lasted(60): "1 min", lasted(599): "9 min 59 s", lasted(600): "10 min",
		lasted(3599): "1 h",
		lasted(3660): "1 h 1 min", lasted(7200): "2 h", lasted(360_000): "100 h", lasted(3_600_000): "1,000 h",
		minutes(0): "0", minutes(29): "< 1", minutes(30): "1", minutes(90_000): "1,500",
		period(exampleEnd, exampleEnd):                    "30 Sep 2026",
		period(exampleEnd.AddDate(0, 0, -9), exampleEnd):  "21 – 30 Sep 2026",
		period(exampleEnd.AddDate(0, -1, -9), exampleEnd): "21 Aug – 30 Sep 2026",
		period(exampleEnd.AddDate(-1, 0, 0), exampleEnd):  "30 Sep 2025 – 30 Sep 2026",
		some([]string{"a", "b", "c"}, 2):                  "a, b and 1 more", some([]string{"a"}, 2): "a",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	for in, want := range map[string]string{
		"shop":                        "shop",
		"a\u202eb\n\x00\x1b[0m":       `a\u202eb\n\u0000\u001b[0m`,
		"\U000e0041\xff":              `\udb40\udc41\ufffd`,
		"e\u0301\u0302\u0303\u0304":   "e\u0301\u0302" + `\u0303\u0304`,
		"AKIAIOSFODNN7EXAMPLE is in":  "[redacted] is in",
		"123456789012":                "1234567890… (2 more characters)",
		strings.Repeat("é", 10) + "é": strings.Repeat("é", 10) + "… (1 more character)",
	} {
		most := 99
		if len(want) > 10 && strings.Contains(want, "…") {
			most = 10
		}
		if got := shown(in, most); got != want {
			t.Errorf("%q is shown as %q, want %q", in, got, want)
		}
	}
	if out, more := lines(strings.Repeat("x", maxBlock) + "\ny\n"); len(out) != maxBlock || more != 3 {
		t.Errorf("a long line: %d bytes, %d more", len(out), more)
	}
	if out, more := lines("a: b\n  - c\u202e\n"); out != "a: b\n  - c"+`\u202e`+"\n" || more != 0 {
		t.Errorf("lines: %q, %d more", out, more)
	}
	if got, _ := median([]int{9, 1, 5, 3}); got != 3 {
		t.Errorf("the median is %d", got)
	}
}

// rgb are a colour's parts, linear.
type rgb [3]float64

func colour(t *testing.T, hex string) (c rgb) {
	t.Helper()
	if len(hex) == 4 {
		hex = string([]byte{'#', hex[1], hex[1], hex[2], hex[2], hex[3], hex[3]})
	}
	var v [3]int
	if _, err := fmt.Sscanf(hex, "#%02x%02x%02x", &v[0], &v[1], &v[2]); err != nil {
		t.Fatalf("%q: %v", hex, err)
	}
	for i := range v {
		c[i] = linear(float64(v[i]) / 255)
	}
	return c
}

func linear(f float64) float64 {
	if f <= 0.04045 {
		return f / 12.92
	}
	return math.Pow((f+0.055)/1.055, 2.4)
}

func (c rgb) luminance() float64 { return 0.2126*c[0] + 0.7152*c[1] + 0.0722*c[2] }

// contrast is that of WCAG 2.
func contrast(a, b rgb) float64 {
	x, y := a.luminance()+0.05, b.luminance()+0.05
	return max(x, y) / min(x, y)
}

// seen are how people see colours: all cones, and without each of the three, by Machado, Oliveira and
// Fernandes (2009), for linear colours.
var seen = map[string][3]rgb{
	"normal":       {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}},
	"protanopia":   {{0.152286, 1.052583, -0.204868}, {0.114503, 0.786281, 0.099216}, {-0.003882, -0.048116, 1.051998}},
	"deuteranopia": {{0.367322, 0.860646, -0.227968}, {0.280085, 0.672501, 0.047413}, {-0.011820, 0.042940, 0.968881}},
	"tritanopia":   {{1.255528, -0.076749, -0.178779}, {-0.078411, 0.930809, 0.147602}, {0.004733, 0.691367, 0.303900}},
}

func (c rgb) lab(m [3]rgb) (l [3]float64) {
	var d rgb
	for i := range d {
		d[i] = min(max(m[i][0]*c[0]+m[i][1]*c[1]+m[i][2]*c[2], 0), 1)
	}
	f := func(v float64) float64 {
		if v > 0.008856 {
			return math.Cbrt(v)
		}
		return 7.787*v + 16.0/116
	}
	x, y, z := f(
		(0.4124*d[0]+0.3576*d[1]+0.1805*d[2])/0.9505,
	), f(
		d.luminance(),
	), f(
		(0.0193*d[0]+0.1192*d[1]+0.9505*d[2])/1.089,
	)
	return [3]float64{116*y - 16, 500 * (x - y), 200 * (y - z)}
}

// TestPalette ensures that text can be read on its background (WCAG 2, AA), that bars stand out from
// theirs, and that the three colours are told apart by everybody, light or dark.
func TestPalette(t *testing.T) {
	light, dark, ok := strings.Cut(style, "prefers-color-scheme: dark")
	if !ok {
		t.Fatal("there is no dark theme")
	}
	for theme, css := range map[string]string{"light": light, "dark": dark} {
		of := func(name string) rgb {
			_, after, ok := strings.Cut(css, "--"+name+": ")
			if !ok {
				t.Fatalf("%s has no --%s", theme, name)
			}
			hex, _, _ := strings.Cut(after, ";")
			return colour(t, hex)
		}
		for _, pair := range []struct {
			text, on string
			least    float64
		}{
			{"ink", "bg", 7}, {"ink", "card", 7}, {"ink", "note", 7}, {"muted", "bg", 4.5},
			{"muted", "card", 4.5}, {"muted", "note", 4.5},
			{"link", "bg", 4.5}, {"link", "card", 4.5}, {"k0", "card", 3}, {"k1", "card", 3}, {"k2", "card", 3},
		} {
			if got := contrast(of(pair.text), of(pair.on)); got < pair.least {
				t.Errorf("%s: %s on %s has a contrast of %.1f, want %.1f", theme, pair.text, pair.on, got, pair.least)
			}
		}
		for eyes, m := range seen {
			for _, pair := range [][2]string{{"k0", "k1"}, {"k0", "k2"}, {"k1", "k2"}} {
				a, b := of(pair[0]).lab(m), of(pair[1]).lab(m)
				if d := math.Sqrt(math.Pow(a[0]-b[0], 2) + math.Pow(a[1]-b[1], 2) + math.Pow(a[2]-b[2], 2)); d < 20 {
					t.Errorf("%s, %s: %v differ by %.0f, want 20", theme, eyes, pair, d)
				}
			}
		}
	}
}
