package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"golang.org/x/net/html"

	"github.com/buildmedic/buildmedic/internal/simaws"
	"github.com/buildmedic/buildmedic/internal/webpage"
)

// mixedAccount has a build of each kind: one that could be healed; one that was green afterwards;
// one of a pull request; one that was denied what no setting gives.
func mixedAccount(t *testing.T) *simaws.Sim {
	t.Helper()
	sim, err := simaws.Load([]byte(`
start: 2026-10-01T10:00:00Z
region: eu-west-1
buckets: [{name: dist}]
roles:
  - {name: role, inline: {logs: '` + mayLog + `'}}
projects:
  - {name: web, role: role, buildspecs: {buildspec.yml: {build: [aws s3 cp x s3://dist/x]}}}
  - name: infra
    role: role
    buildspecs:
      buildspec.yml:
        build:
          - run: aws iam create-role --role-name shop
            calls: [{action: 'iam:CreateRole', on: 'arn:aws:iam::111122223333:role/shop'}]
  - name: shop
    role: role
    versions:
      - ref: refs/heads/main
        commit: 5ca1ab1e00000000000000000000000000000001
        buildspecs:
          buildspec.yml:
            build: [{run: go test ./..., fails: {times: 2, prints: "FAIL\tshop/cart\t0.01s", exit: 1}}]
      - ref: pr/7
        commit: 5ca1ab1e00000000000000000000000000000007
        buildspecs: {buildspec.yml: {build: [aws s3 cp x s3://dist/x]}}
`))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sim.Close)
	for _, st := range []simaws.Start{{Project: "web"}, {Project: "infra"},
		{Project: "shop"}, {Project: "shop"}, {Project: "shop"},
		{Project: "shop", Version: "pr/7"}, {Project: "shop"}} {
		if st.Version == "" {
			st.Version = "refs/heads/main"
		}
		if _, err := sim.Run(st); err != nil {
			t.Fatal(err)
		}
		sim.Settle()
		sim.Clock.Advance(time.Hour)
	}
	return sim
}

var blanks = regexp.MustCompile(`\s+`)

// textOf is what a page says.
func textOf(t *testing.T, page []byte) string {
	t.Helper()
	if !bytes.Contains(page, []byte(webpage.Mark)) {
		t.Fatalf("that is no page: %.200s", page)
	}
	doc, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for n := range doc.Descendants() {
		if n.Type == html.TextNode && n.Parent.Data != "style" {
			b.WriteString(n.Data + " ")
		}
	}
	return blanks.ReplaceAllString(b.String(), " ")
}

// TestScanPage ensures that the page of a scan has the figures of its report, which goes to standard
// output as ever, and that it is made again in the place of an older page.
func TestScanPage(t *testing.T) {
	sim := mixedAccount(t)
	privateCache(t, sim)
	_, plain, _, _ := bubble(t, sim, simaws.Trouble{}, scanOptions{most: 3, days: 30}, nil)
	file := filepath.Join(t.TempDir(), "a page.html")
	for range 2 {
		code, out, errs, _ := bubble(t, sim, simaws.Trouble{}, scanOptions{most: 3, days: 30, html: file}, nil)
		if code != exitOK || out != plain || !strings.Contains(errs, "The page is in "+file+" (") {
			t.Fatalf("code %d\n%s\n%s", code, errs, out)
		}
	}
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, out, _, _ := bubble(t, sim, simaws.Trouble{}, scanOptions{most: 3, days: 30, json: true}, nil)
	var report scanned
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		t.Fatal(err)
	}
	if report.Failures != 5 || len(report.Refused) != 2 || report.Seconds < 60 || len(report.Full) != 1 {
		t.Fatalf(
			"%d failures, %v refused, %d seconds, %v full",
			report.Failures,
			report.Refused,
			report.Seconds,
			report.Full,
		)
	}
	if strings.Contains(report.Settings, "iam:CreateRole") {
		t.Error("the settings to start from offer what no setting can give")
	}
	got := textOf(t, page)
	for _, want := range []string{
		"account 111122223333", "region eu-west-1", "3 projects",
		"5 failed builds of 3 projects ran ", "could have acted on 1 of them (20 %); 2 more it would still refuse.",
		"In 1 project the limit of 3 failed builds (-n) was reached", "In 3 of 3 projects.",
		"Could have been acted on", "floor-never", "untrusted-build", "Buildmedic explains it and changes nothing",
		"s3:PutObject arn:aws:s3:::dist/x", "iam:CreateRole arn:aws:iam::111122223333:role/shop · iam:CreateRole",
		"version: 1 # Made by `buildmedic scan`", "test-failure Tests failed.",
		"Of 2; of 3 none is known.", // the two of main were green two hours and one hour later
	} {
		if !strings.Contains(got, want) {
			t.Errorf("it does not say %q", want)
		}
	}
	if t.Failed() {
		t.Log(got)
	}
	if !strings.Contains(plain, "could have acted on 1 of 5.\n     1  more it would refuse, whatever is "+
		"granted: floor-never\n"+
		"     1  more it would refuse, whatever is granted: untrusted-build\nIn 1 project the limit of -n was reached") {
		t.Errorf("the report says\n%s", plain)
	}
	names, err := os.ReadDir(filepath.Dir(file))
	if err != nil || len(names) != 1 {
		t.Errorf("beside the page are %v, %v", names, err)
	}
}

// TestScanPageOnOutput ensures that a page for standard output is there alone.
func TestScanPageOnOutput(t *testing.T) {
	sim := mixedAccount(t)
	privateCache(t, sim)
	code, out, errs, _ := bubble(t, sim, simaws.Trouble{}, scanOptions{most: 3, days: 30, html: "-"}, nil)
	if code != exitOK || !strings.HasPrefix(out, "<!DOCTYPE html>") || !strings.HasSuffix(out, "</html>\n") {
		t.Fatalf("code %d\n%s\n%s", code, errs, out)
	}
	if code, _, errs := buildmedic(
		t,
		"",
		"scan",
		"-html",
		"-",
		"-json",
	); code != exitUsage ||
		!strings.Contains(errs, "give the page a file") {
		t.Errorf("with -json: code %d, %s", code, errs)
	}
}

// TestScanPagePart ensures that a scan which is interrupted writes a page that says so, and how to
// go on with the same page.
func TestScanPagePart(t *testing.T) {
	sim := scannedAccount(t, 30, 8)
	privateCache(t, sim)
	file := filepath.Join(t.TempDir(), "p.html")
	o := scanOptions{most: 3, days: 30, html: file}
	code, _, errs, _ := bubble(t, sim, simaws.Trouble{}, o, func(read int) bool { return read == 10 })
	page, err := os.ReadFile(file)
	if code != exitInterrupted || err != nil || !strings.Contains(errs, "scan -resume -n 3 -days 30 -html "+file) {
		t.Fatalf("code %d, %v\n%s", code, err, errs)
	}
	if got := textOf(t, page); !strings.Contains(got, "This is a part: the scan ended early, with ") {
		t.Errorf("it does not say that it is a part: %.900s", got)
	}
	o.resume = true
	if code, _, errs, _ := bubble(t, sim, simaws.Trouble{}, o, nil); code != exitOK {
		t.Fatalf("resumed: code %d\n%s", code, errs)
	}
	if page, err = os.ReadFile(file); err != nil || strings.Contains(textOf(t, page), "This is a part") {
		t.Errorf("resumed, it is still a part: %v", err)
	}
}

// refusesAll is a network that is down, and counts who asks.
type refusesAll struct{ calls int }

func (c *refusesAll) client() *http.Client { return &http.Client{Transport: c} }

func (c *refusesAll) RoundTrip(r *http.Request) (*http.Response, error) {
	c.calls++
	return noSuchHost{}.RoundTrip(r)
}

// TestScanPageNotWritten ensures that what cannot be written is told before anything is read, that
// nothing is left of it, and that no file of others is replaced.
func TestScanPageNotWritten(t *testing.T) {
	dir := t.TempDir()
	notes := filepath.Join(dir, "notes.html")
	if err := os.WriteFile(notes, []byte("<!DOCTYPE html>\nmine"), 0o600); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{
		notes:                                "there is such a file, and it is no page of buildmedic's",
		dir:                                  "it is a folder: name a file in it",
		filepath.Join(dir, "none", "p.html"): "no such file or directory",
	} {
		var c refusesAll
		cfg := aws.Config{Region: "eu-west-1", HTTPClient: c.client()}
		var out, errs lockedBuffer
		code := scanOptions{most: 3, days: 30, html: file}.scan(context.Background(), cfg, &out, &errs)
		if code != exitFailed || c.calls > 0 ||
			!strings.Contains(errs.String(), "the page cannot be written to "+file+": "+want) {
			t.Errorf("%s: code %d, %d calls, %s", file, code, c.calls, errs.String())
		}
	}
	// The scan fails: an older page stays, and nothing lies beside it.
	older := filepath.Join(dir, "older.html")
	if err := os.WriteFile(older, []byte("<!DOCTYPE html>\n"+webpage.Mark), 0o600); err != nil {
		t.Fatal(err)
	}
	var c refusesAll
	var out, errs lockedBuffer
	cfg := aws.Config{
		Region:      "eu-west-1",
		HTTPClient:  c.client(),
		Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""),
	}
	if code := (scanOptions{most: 3, days: 30, html: older}).scan(
		context.Background(),
		cfg,
		&out,
		&errs,
	); code != exitFailed ||
		c.calls == 0 {
		t.Errorf("code %d\n%s", code, errs.String())
	}
	if got, err := os.ReadFile(older); err != nil || !strings.HasSuffix(string(got), webpage.Mark) {
		t.Errorf("the older page is %q, %v", got, err)
	}
	if names, err := os.ReadDir(dir); err != nil || len(names) != 2 {
		t.Errorf("there are %v, %v", names, err)
	}
	if got, err := os.ReadFile(notes); err != nil || !strings.HasSuffix(string(got), "mine") {
		t.Errorf("the file of others is %q, %v", got, err)
	}
}

// TestPageThroughLink ensures that a link stays one, and that what it names is written.
func TestPageThroughLink(t *testing.T) {
	if runtime.GOOS == "windows" {
		return // only some may make links there
	}
	dir := t.TempDir()
	file, link := filepath.Join(dir, "real.html"), filepath.Join(dir, "link.html")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	var errs bytes.Buffer
	p, err := newPageFile(link, nil, &errs)
	if err == nil {
		err = p.write(webpage.Report{})
	}
	if err != nil {
		t.Fatal(err)
	}
	if fi, err := os.Lstat(link); err != nil || fi.Mode().IsRegular() || !isPage(file) {
		t.Errorf("%v, %v, %s", fi, err, errs.String())
	}
}
