package webpage

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// maxBytes is what a page may have.
const maxBytes = 2 << 20

// textless are attributes whose values come from a report.
var textless = []string{"data-l", "aria-label"}

// outline is what there is of elements and attributes, without what texts say.
func outline(t testing.TB, page []byte) (out []string) {
	t.Helper()
	doc, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode {
			if n.Type == html.CommentNode {
				t.Errorf("a comment: %q", n.Data)
			}
			continue
		}
		depth := 0
		for p := n.Parent; p != nil; p = p.Parent {
			depth++
		}
		line := fmt.Sprintf("%d %s/%s", depth, n.Namespace, n.Data)
		for _, a := range n.Attr {
			if line += " " + a.Key; !slices.Contains(textless, a.Key) {
				line += "=" + a.Val
			}
		}
		out = append(out, line)
	}
	return out
}

// hostile are texts that mean something to a browser, a terminal or a reader's eye.
var hostile = []string{
	"<script>document.title='owned'</script>",
	"</style><script>document.title='owned'</script><style>",
	"</title></svg></table><img src=x onerror=\"document.title='owned'\">",
	"\" onmouseover=\"document.title='owned'\" x=\"",
	"' autofocus onfocus='document.title=1",
	"<a href=\"javascript:document.title='owned'\">click</a>",
	"javascript:document.title='owned'",
	"<iframe srcdoc=\"<script>parent.document.title='owned'</script>\">",
	"<link rel=stylesheet href=http://127.0.0.1:9/x.css><img src=http://127.0.0.1:9/x.png>",
	"<meta http-equiv=refresh content='0;url=http://127.0.0.1:9/'>",
	"{{.}} {{template \"table\" .}} ${7*7} <!-- --> <![CDATA[ ]]> ]]> --!> <!--",
	"\u202eevil\u202c \u2066x\u2069 \u200b\u200d\ufeff\U000e0041 a\u0300\u0301\u0302\u0303\u0304\u0305",
	"\x00\x01\x1b[31mred\x1b[0m\x07\r\n\t\x7f\u0085\u2028\u2029",
	"\xff\xfe\xc3(",
	strings.Repeat("<b>long ", 1300),
	strings.Repeat("x", 10_000),
	"",
	" ",
}

// filled is a report of which every text is one of texts.
func filled(kind Kind, texts []string) Report {
	at := 0
	s := func() string { at++; return texts[(at-1)%len(texts)] }
	start := time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
	r := Report{
		Kind:     kind,
		Account:  s(),
		Region:   s(),
		Project:  s(),
		Made:     start,
		From:     start,
		To:       start.AddDate(0, 0, 7),
		Projects: 9,
		Notes:    []string{s(), s()},
		Causes:   map[string]Term{},
		Whys:     map[string]Term{},
		Settings: s() + "\n" + s(),
	}
	for i := range len(texts) {
		b := Build{
			Project: s(),
			Cause:   s(),
			Why:     s(),
			Class:   Class(i % 3),
			End:     start.AddDate(0, 0, i%7),
			Seconds: 60 * i,
		}
		r.Causes[b.Cause], r.Whys[b.Why] = Term{s(), s()}, Term{s(), s()}
		r.Builds = append(r.Builds, b)
		r.Denied = append(
			r.Denied,
			Denied{Action: s(), Resource: s(), Builds: i, Projects: []string{s(), s()}, Never: s()},
		)
		r.Cases = append(
			r.Cases,
			Case{
				ID:      s(),
				Project: s(),
				Cause:   s(),
				Outcome: s(),
				Waits:   true,
				Changed: []string{s()},
				Refused: []string{s()},
			},
		)
		r.Flaky = append(r.Flaky, Flaky{Project: s(), Test: s(), Broken: true})
	}
	return r
}

// TestHostileTexts ensures that no text adds an element or an attribute, or is anything but text,
// and that what cannot be seen is written out.
func TestHostileTexts(t *testing.T) {
	for _, kind := range []Kind{Scan, History} {
		page := render(t, filled(kind, hostile))
		for _, r := range string(page) {
			if r != '\n' && (unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp)) {
				t.Errorf("the page has %U", r)
			}
		}
		if !utf8.Valid(page) || !bytes.Contains(page, []byte(`\u202e`)) {
			t.Error("it is not in UTF-8, or does not show what turns text around")
		}
		if allowed(t, page) < 500 {
			t.Error("hardly anything is shown")
		}
	}
}

// allowed ensures that a page has only elements and attributes that the template may make; it
// returns how many elements there are.
func allowed(t testing.TB, page []byte) int {
	t.Helper()
	elements := strings.Fields(
		"html head meta title style body div a header main section nav footer h1 h2 p ul li span small code pre " +
			"table " +
			"caption thead tbody tr th td details summary svg rect line text g desc",
	)
	attributes := strings.Fields(
		"lang charset name content http-equiv class href id role aria-labelledby aria-label aria-hidden focusable " +
			"tabindex width height x y x1 x2 y1 y2 rx text-anchor scope data-l open",
	)
	doc, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for e := range doc.Descendants() {
		if e.Type != html.ElementNode {
			continue
		}
		n++
		if !slices.Contains(elements, e.Data) {
			t.Errorf("an element %s", e.Data)
		}
		for _, a := range e.Attr {
			if !slices.Contains(attributes, a.Key) || a.Key == "href" && !strings.HasPrefix(a.Val, "#") {
				t.Errorf("%s has %s=%q", e.Data, a.Key, a.Val)
			}
		}
	}
	return n
}

// FuzzReport ensures that a page with any texts has the elements and attributes of one with
// harmless texts.
func FuzzReport(f *testing.F) {
	for i := range hostile {
		f.Add(hostile[i], hostile[(i+5)%len(hostile)], hostile[(i+11)%len(hostile)])
	}
	f.Fuzz(func(t *testing.T, a, b, c string) {
		texts := []string{a, b, c, "end"}
		for _, kind := range []Kind{Scan, History} {
			page := render(t, filled(kind, texts))
			if len(page) > maxBytes {
				t.Fatalf("%d bytes", len(page))
			}
			allowed(t, page)
			want := outline(t, render(t, likeness(filled(kind, texts))))
			if d := cmp.Diff(want, outline(t, page)); d != "" {
				t.Errorf("the outline (-harmless +these):\n%s", d)
			}
		}
	})
}

// likeness has a harmless text for each text of a report, in the same order, and none where it has none.
func likeness(r Report) Report {
	known := map[string]string{}
	texts := map[string]bool{}
	each(&r, func(s *string) { texts[*s] = true })
	order := make([]string, 0, len(texts))
	for s := range texts {
		order = append(order, s)
	}
	slices.Sort(order)
	for i, s := range order {
		if known[s] = fmt.Sprintf("w%03d", i); strings.TrimSpace(s) == "" || s == "healed" {
			known[s] = s // these mean something
		}
	}
	causes, whys := map[string]Term{}, map[string]Term{}
	each(&r, func(s *string) {
		if strings.Contains(*s, "\n") && s == &r.Settings {
			*s = strings.Repeat("w\n", strings.Count(*s, "\n")) + "w"
			return
		}
		*s = known[*s]
	})
	for k, v := range r.Causes {
		causes[known[k]] = Term{known[v.Meaning], known[v.Change]}
	}
	for k, v := range r.Whys {
		whys[known[k]] = Term{known[v.Meaning], known[v.Change]}
	}
	r.Causes, r.Whys = causes, whys
	return r
}

// each visits the texts of a report, but for those of maps.
func each(r *Report, visit func(*string)) {
	for _, s := range []*string{&r.Account, &r.Region, &r.Project, &r.Settings} {
		visit(s)
	}
	all := func(ss []string) {
		for i := range ss {
			visit(&ss[i])
		}
	}
	all(r.Notes)
	for i := range r.Builds {
		for _, s := range []*string{&r.Builds[i].Project, &r.Builds[i].Cause, &r.Builds[i].Why} {
			visit(s)
		}
	}
	for i := range r.Denied {
		visit(&r.Denied[i].Action)
		visit(&r.Denied[i].Resource)
		visit(&r.Denied[i].Never)
		all(r.Denied[i].Projects)
	}
	for i := range r.Cases {
		for _, s := range []*string{&r.Cases[i].ID, &r.Cases[i].Project, &r.Cases[i].Cause, &r.Cases[i].Outcome} {
			visit(s)
		}
		all(r.Cases[i].Changed)
		all(r.Cases[i].Refused)
	}
	for i := range r.Flaky {
		visit(&r.Flaky[i].Project)
		visit(&r.Flaky[i].Test)
	}
}

// TestPolicyOfThePage ensures that the page allows its own style sheet and nothing else, and can be told from
// other files.
func TestPolicyOfThePage(t *testing.T) {
	page := render(t, example(Scan))
	if at := bytes.Index(page, []byte(Mark)); at < 0 || at+len(Mark) > MarkWithin {
		t.Errorf("the mark is at %d", at)
	}
	doc, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	policies, sheets := 0, 0
	got, want := "", ""
	for n := range doc.Descendants() {
		switch {
		case n.DataAtom == atom.Style:
			sheets++
			sum := sha256.Sum256([]byte(n.FirstChild.Data))
			want = "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
				"'; base-uri 'none'; form-action 'none'"
		case n.DataAtom == atom.Meta && attr(n, "http-equiv") != "":
			policies++
			got = attr(n, "content")
			if sheets > 0 {
				t.Error("the policy is behind the style sheet")
			}
		}
	}
	if policies != 1 || sheets != 1 || got != want {
		t.Errorf("%d policies, %d style sheets: %s, want %s", policies, sheets, got, want)
	}
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// TestAccessible ensures that what the page refers to is there once, that charts have a title, a
// description and a table, and that tables say what they hold.
func TestAccessible(t *testing.T) {
	for _, kind := range []Kind{Scan, History} {
		doc, err := html.Parse(bytes.NewReader(render(t, example(kind))))
		if err != nil {
			t.Fatal(err)
		}
		ids := map[string]int{}
		var wanted []string
		images := 0
		for n := range doc.Descendants() {
			if n.Type != html.ElementNode {
				continue
			}
			if id := attr(n, "id"); id != "" {
				ids[id]++
			}
			wanted = append(wanted, strings.Fields(attr(n, "aria-labelledby"))...)
			if h := attr(n, "href"); h != "" {
				wanted = append(wanted, h[1:])
			}
			switch {
			case n.Data == "svg" && attr(n, "role") == "img":
				images++
				if len(strings.Fields(attr(n, "aria-labelledby"))) != 2 {
					t.Errorf("a chart without a title and a description: %v", n.Attr)
				}
				section := n.Parent
				for section.Data != "section" {
					section = section.Parent
				}
				if !has(section, "table") {
					t.Errorf("no table beside the chart %v", n.Attr)
				}
			case n.Data == "svg" && attr(n, "aria-hidden") != "true":
				t.Errorf("a picture that is neither described nor hidden: %v", n.Attr)
			case n.Data == "table" && (!has(n, "caption") || !has(n, "th")):
				t.Error("a table without a caption or heads")
			case n.Data == "html" && attr(n, "lang") != "en":
				t.Error("no language")
			}
		}
		for _, id := range wanted {
			if ids[id] != 1 {
				t.Errorf("%q is there %d times", id, ids[id])
			}
		}
		if images != 2 {
			t.Errorf("%d charts", images)
		}
	}
}

func has(n *html.Node, element string) bool {
	for d := range n.Descendants() {
		if d.Data == element {
			return true
		}
	}
	return false
}
