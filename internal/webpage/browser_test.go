package webpage

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image/png"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// tab is a page in a browser, and what it did besides being shown.
type tab struct {
	t   *testing.T
	ctx context.Context

	mu       sync.Mutex
	console  []string
	requests []string
}

// openBrowser starts the browser that BUILDMEDIC_BROWSER names; it ends with the test.
func openBrowser(t *testing.T) context.Context {
	t.Helper()
	path := os.Getenv("BUILDMEDIC_BROWSER")
	if path == "" {
		t.Skip("NOT RUN: opens the page in a browser, for half a minute: make test-page does it")
	}
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(path),
		chromedp.Flag("hide-scrollbars", true))
	options = append(options, chromedp.Env("TMPDIR="+t.TempDir())) // what it leaves goes with the test
	if os.Getuid() == 0 {
		options = append(options, chromedp.NoSandbox) // root has none
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx, chromedp.WithLogf(t.Logf), chromedp.WithErrorf(t.Logf))
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("starting %s: %v", path, err)
	}
	return ctx
}

// open shows a page from a file in a tab of its own.
func open(t *testing.T, browser context.Context, content []byte, width, height int64, scheme string) *tab {
	t.Helper()
	file := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := chromedp.NewContext(browser)
	t.Cleanup(cancel)
	b := &tab{t: t, ctx: ctx}
	if err := chromedp.Listen(ctx, b.hear); err != nil {
		t.Fatal(err)
	}
	call(b, network.Enable, network.EnableParams{})
	call(b, cdplog.Enable, cdp.Empty{})
	call(b, cdppage.AddScriptToEvaluateOnNewDocument, cdppage.AddScriptToEvaluateOnNewDocumentParams{Source: `
		window.violations = [];
		document.addEventListener('securitypolicyviolation', e =>
			violations.push(e.effectiveDirective + ' ' + e.blockedURI));`})
	b.media("", scheme)
	b.do(chromedp.EmulateViewport(width, height), chromedp.Navigate((&url.URL{Scheme: "file", Path: file}).String()))
	return b
}

func (b *tab) hear(ev any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch ev := ev.(type) {
	case *cdplog.EventEntryAdded:
		b.console = append(b.console, ev.Entry.Text)
	case *runtime.EventConsoleAPICalled:
		b.console = append(b.console, fmt.Sprint("console.", ev.Type))
	case *runtime.EventExceptionThrown:
		b.console = append(b.console, ev.ExceptionDetails.Text)
	case *network.EventRequestWillBeSent:
		b.requests = append(b.requests, ev.Request.URL)
	}
}

func call[P, R any](b *tab, command cdp.Command[P, R], params P) R {
	b.t.Helper()
	r, err := chromedp.Run(
		b.ctx,
		func(ctx context.Context, t *chromedp.Target) (R, error) { return cdp.Call(ctx, t, command, params) },
	)
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

// eval asks the page something; the page's policy does not hold for that.
func eval[T any](b *tab, script string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](script))
	if err != nil {
		b.t.Fatal(err)
	}
	return v
}

func (b *tab) media(media, scheme string) {
	b.t.Helper()
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: media,
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
}

// quiet ensures that the page asked for nothing but itself, and that nothing was refused to it.
func (b *tab) quiet() {
	b.t.Helper()
	for _, v := range eval[[]string](b, "violations") {
		b.t.Errorf("the policy is violated: %s", v)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.console {
		b.t.Errorf("on the console: %s", c)
	}
	if len(b.requests) != 1 || !strings.HasPrefix(b.requests[0], "file:") {
		b.t.Errorf("requests: %q", b.requests)
	}
}

// keep writes a picture for somebody to look at, if BUILDMEDIC_SHOTS names a folder.
func keep(t *testing.T, name string, data []byte) {
	t.Helper()
	if dir := os.Getenv("BUILDMEDIC_SHOTS"); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// wide lists what is wider than the window.
const wide = `(() => {
	const w = document.documentElement.clientWidth, out = [];
	const all = document.documentElement.scrollWidth;
	if (all > w) out.push('the page is ' + all + ' wide');
	for (const e of document.querySelectorAll('body *')) {
		if (e.tagName !== 'PRE' && e.closest('pre') || e.closest('thead')) continue;
		if (getComputedStyle(e).position === 'absolute') continue;
		const r = e.getBoundingClientRect();
		const card = e.closest('.card'), end = card ? card.getBoundingClientRect().right : w;
		if (r.width > 0 && (r.right > end + 0.5 || r.left < -0.5)) out.push(e.tagName + ' ends at ' + r.right);
	}
	return out.slice(0, 9);
})()`

// faint lists texts that cannot be read on their background, by WCAG 2, AA, and counts all.
const faint = `(() => {
	const rgb = s => s.match(/[\d.]+/g).map(Number);
	const linear = v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
	const light = c => { const [r, g, b] = c.slice(0, 3).map(linear);
		return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
	const behind = e => {
		for (; e; e = e.parentElement) {
			const c = rgb(getComputedStyle(e).backgroundColor);
			if (c.length < 4 || c[3] > 0) return c;
		}
		return [255, 255, 255];
	};
	const out = [];
	let n = 0;
	const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	while (walk.nextNode()) {
		const e = walk.currentNode.parentElement, style = getComputedStyle(e);
		if (['title', 'desc'].includes(e.tagName) || !e.getClientRects().length) continue;
		if (!walk.currentNode.data.trim()) continue;
		const a = light(rgb(e.tagName === 'text' ? style.fill : style.color)), b = light(behind(e));
		const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
		n++;
		if (contrast < 4.5) out.push(contrast.toFixed(2) + ' ' + walk.currentNode.data.slice(0, 40));
	}
	if (n < 50) out.push('only ' + n + ' texts');
	return out.slice(0, 9);
})()`

const background = `getComputedStyle(document.body).backgroundColor + ' ' +
	getComputedStyle(document.body).color + ' ' +
	getComputedStyle(document.querySelector('.k0')).fill`

// TestInBrowser opens pages in a browser as people do: on a desk and on a phone, by day and by
// night. They must fit, be readable, and ask for nothing.
func TestInBrowser(t *testing.T) {
	browser := openBrowser(t)
	for _, page := range []struct {
		name   string
		report Report
	}{
		{"scan", example(Scan)}, {"history", example(History)},
		{"one", Report{Made: exampleEnd, From: exampleEnd.AddDate(0, 0, -1),
			To: exampleEnd, Projects: 1, Most: 10, Builds: example(Scan).Builds[:1], Settings: "version: 1\n"}},
		{"thousand-scan", big(Scan, 1000, 300)}, {"thousand-history", big(History, 1000, 300)},
	} {
		content := render(t, page.report)
		looks := map[string]string{}
		for _, size := range []struct {
			name          string
			width, height int64
		}{{"desk", 1400, 900}, {"tablet", 820, 1100}, {"phone", 375, 812}, {"small", 320, 600}} {
			for _, scheme := range []string{"light", "dark"} {
				t.Run(page.name+" "+size.name+" "+scheme, func(t *testing.T) {
					b := open(t, browser, content, size.width, size.height, scheme)
					if title := eval[string](b, "document.title"); !strings.HasPrefix(title, "Failed builds, ") {
						t.Errorf("the title is %q", title)
					}
					b.do(
						chromedp.Evaluate[chromedp.Void](
							"document.querySelectorAll('details').forEach(d => d.open = true)",
						),
					)
					for _, w := range eval[[]string](b, wide) {
						t.Errorf("too wide: %s", w)
					}
					if page.name != "one" {
						for _, f := range eval[[]string](b, faint) {
							t.Errorf("hard to read: %s", f)
						}
					}
					looks[scheme] = eval[string](b, background)
					b.quiet()
					if page.name == "scan" || page.name == "history" {
						b.do(
							chromedp.Evaluate[chromedp.Void](
								"document.querySelectorAll('details').forEach(d => d.open = false)",
							),
						)
						shot, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
						if err != nil {
							t.Fatal(err)
						}
						keep(t, page.name+"-"+size.name+"-"+scheme+".png", shot)
					}
				})
			}
		}
		if looks["light"] == looks["dark"] && looks["light"] != "" {
			t.Errorf("%s: light and dark are the same: %s", page.name, looks["light"])
		}
	}
}

// TestHostileInBrowser ensures that texts which try to become more are shown, and do nothing.
func TestHostileInBrowser(t *testing.T) {
	browser := openBrowser(t)
	for _, kind := range []Kind{Scan, History} {
		for _, width := range []int64{1400, 375} {
			b := open(t, browser, render(t, filled(kind, hostile)), width, 900, "light")
			b.do(chromedp.Evaluate[chromedp.Void]("document.querySelectorAll('details').forEach(d => d.open = true)"))
			if title := eval[string](b, "document.title"); !strings.HasPrefix(title, "Failed builds, ") {
				t.Errorf("the title is %q", title)
			}
			for _, w := range eval[[]string](b, wide) {
				t.Errorf("too wide: %s", w)
			}
			shown := eval[string](b, "document.body.innerText")
			for _, want := range []string{hostile[0], hostile[1], hostile[3], `\u202eevil`,
				`\u0000\u0001\u001b[31mred`, `<meta http-equiv=refresh`} {
				if !strings.Contains(shown, want) {
					t.Errorf("%q is not shown as text", want)
				}
			}
			// All that can be clicked is.
			b.do(
				chromedp.Evaluate[chromedp.Void](
					`document.querySelectorAll('a, summary, pre, td, th, li').forEach(e => {
				for (const k of ['mouseover', 'focus', 'click'])
					e.dispatchEvent(new MouseEvent(k, {bubbles: true})); })`,
				),
			)
			if title := eval[string](b, "document.title"); !strings.HasPrefix(title, "Failed builds, ") {
				t.Errorf("once all was clicked the title is %q", title)
			}
			b.quiet()
		}
	}
}

// TestPolicyInBrowser ensures that the page's policy stops what gets in all the same, and that this
// would be noticed.
func TestPolicyInBrowser(t *testing.T) {
	browser := openBrowser(t)
	worse := bytes.Replace(render(t, example(Scan)), []byte("</main>"), []byte(`
		<script>document.title = 'owned'</script><p onclick="document.title = 'owned'" id="bad" style="color: red">x</p>
		<style>body { color: red }</style><img src="http://127.0.0.1:9/x.png">
		<link rel="stylesheet" href="http://127.0.0.1:9/x.css">
		<iframe src="http://127.0.0.1:9/"></iframe></main>`), 1)
	b := open(t, browser, worse, 1400, 900, "light")
	b.do(chromedp.Evaluate[chromedp.Void]("document.getElementById('bad').click()"))
	if title := eval[string](b, "document.title"); !strings.HasPrefix(title, "Failed builds, ") {
		t.Errorf("the title is %q", title)
	}
	got := strings.Join(eval[[]string](b, "violations"), "\n")
	for _, want := range []string{"script-src-elem", "script-src-attr", "style-src-attr", "style-src-elem inline",
		"img-src", "frame-src",
		"style-src-elem http://127.0.0.1:9/x.css"} {
		if !strings.Contains(got, want) {
			t.Errorf("no violation of %s is told:\n%s", want, got)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.console) == 0 {
		t.Error("the console is empty")
	}
}

// pdfPage is a page in a PDF of the browser's.
var pdfPage = regexp.MustCompile(`/Type\s*/Page\b`)

// TestPrinted ensures that the page is printed on white, whatever the theme, and on few sheets.
func TestPrinted(t *testing.T) {
	browser := openBrowser(t)
	for name, kind := range map[string]Kind{"scan": Scan, "history": History} {
		b := open(t, browser, render(t, example(kind)), 1400, 900, "dark")
		dark := eval[string](b, background)
		b.media("print", "dark")
		if got := eval[string](
			b,
			background,
		); got == dark ||
			!strings.HasPrefix(got, "rgb(255, 255, 255) rgb(27, 31, 36)") {
			t.Errorf("%s: printed, the colours are %s", name, got)
		}
		if seen := eval[bool](
			b,
			"document.querySelector('.fold table').checkVisibility({contentVisibilityAuto: true})",
		); !seen {
			t.Errorf("%s: the values of the chart are not printed", name)
		}
		b.media("", "dark")
		pdf, err := chromedp.Run(
			b.ctx,
			chromedp.PrintToPDF(chromedp.PDFPaper(chromedp.PaperA4), chromedp.PDFPreferCSSPageSize()),
		)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(
			pdfPage.FindAll(pdf, -1),
		); !bytes.HasPrefix(pdf, []byte("%PDF-")) || n < 2 || n > 9 ||
			len(pdf) > maxBytes {
			t.Errorf("%s: %d sheets, %d bytes", name, n, len(pdf))
		}
		keep(t, name+".pdf", pdf)
		b.quiet()
	}
}

// TestKeyboard ensures that the Tab key goes through what can be used, in the order in which it
// stands, and that what has the focus can be seen.
func TestKeyboard(t *testing.T) {
	browser := openBrowser(t)
	r := example(Scan)
	r.Settings = "version: 1\n"
	b := open(t, browser, render(t, r), 1400, 900, "light")
	want := eval[[]string](b, `[...document.querySelectorAll('a, summary, pre')].map(e => e.textContent.trim())`)
	var got []string
	for range want {
		b.do(chromedp.KeyEvent("\t"))
		got = append(got, eval[string](b, "document.activeElement.textContent.trim()"))
		if eval[bool](
			b,
			`(() => { const e = document.activeElement, r = e.getBoundingClientRect(), s = getComputedStyle(e);
			return r.right <= 0 || s.outlineStyle === 'none'; })()`,
		) {
			t.Errorf("%q has the focus, and nobody sees it", got[len(got)-1])
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("the focus goes %q, what can be used is %q", got, want)
	}
}

// TestRolesInBrowser ensures that on a phone, where rows are drawn as blocks, tables are still tables
// to whoever does not see them, and that charts have a name.
func TestRolesInBrowser(t *testing.T) {
	browser := openBrowser(t)
	roles := func(width int64) (count map[string]int, charts []string) {
		b := open(t, browser, render(t, example(Scan)), width, 900, "light")
		count = map[string]int{}
		for _, n := range call(b, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{}).Nodes {
			if n.Ignored || n.Role == nil {
				continue
			}
			var role, name string
			if err := json.Unmarshal(n.Role.Value, &role); err != nil {
				t.Fatal(err)
			}
			if n.Name != nil && json.Unmarshal(n.Name.Value, &name) == nil && role == "image" {
				charts = append(charts, name)
			}
			count[role]++
		}
		return count, charts
	}
	desk, charts := roles(1400)
	phone, _ := roles(375)
	for _, role := range []string{"table", "row", "rowheader", "cell", "columnheader"} {
		if desk[role] < 4 || phone[role] != desk[role] {
			t.Errorf("%s: %d on a desk, %d on a phone", role, desk[role], phone[role])
		}
	}
	for _, want := range []string{"Failed builds by day", "Failed builds by what could be done"} {
		if !slices.ContainsFunc(charts, func(c string) bool { return strings.HasPrefix(c, want) }) {
			t.Errorf("no chart is called %q: %q", want, charts)
		}
	}
}

const picture = "page.png"

// TestPicture draws the README's picture with -update. It is not compared: each browser draws text
// a little differently.
func TestPicture(t *testing.T) {
	if *update && os.Getenv("BUILDMEDIC_BROWSER") != "" {
		b := open(t, openBrowser(t), render(t, example(Scan)), 1200, 1250, "light")
		shot, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(picture, shot, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(picture)
	if err != nil {
		t.Fatal(err)
	}
	size, err := png.DecodeConfig(bytes.NewReader(data))
	if err != nil || len(data) > 200<<10 || size.Width != 1200 {
		t.Errorf("%s: %d bytes, %v, %v", picture, len(data), size, err)
	}
}
