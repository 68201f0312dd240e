package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/buildmedic/buildmedic/internal/awsapi"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/settings"
	"github.com/buildmedic/buildmedic/internal/simaws"
)

// callLatency is what each call takes in a bubble.
const callLatency = 25 * time.Millisecond

// mayLog is the policy of a role that may write its builds' logs.
const mayLog = `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "logs:*", "Resource": "*"}]}`

// scannedAccount is a world of n projects that fail in different ways, with builds that began
// on different days, from 40 days ago on.
func scannedAccount(t testing.TB, n, rounds int) *simaws.Sim {
	t.Helper()
	var w strings.Builder
	w.WriteString("start: 2026-10-01T10:00:00Z\nregion: eu-west-1\nbuckets: [{name: dist}]\nroles:\n")
	for i := range n {
		fmt.Fprintf(&w, "  - {name: role-%d, inline: {logs: '%s'}}\n", i, mayLog)
	}
	w.WriteString("projects:\n")
	for i := range n {
		commands := []string{
			fmt.Sprintf("aws s3 cp x s3://dist/x%d", i%3),
			`{run: go test ./..., fails: {prints: "FAIL\tshop/cart\t0.01s", exit: 1}}`,
			"make",
			"aws ssm get-parameter --name /shop/key",
			`{run: npm ci, fails: {prints: "npm error code E404", exit: 1}}`,
		}
		hook := ""
		if i%7 == 3 {
			hook = "    webhook: [[{type: EVENT, pattern: PULL_REQUEST_CREATED}]]\n"
		}
		fmt.Fprintf(&w, "  - name: p%02d\n    role: role-%d\n%s    buildspecs: {buildspec.yml: {build: [%s]}}\n", i, i, hook,
			commands[i%5])
	}
	sim, err := simaws.Load([]byte(w.String()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sim.Close)
	for round := range rounds {
		for i := range n {
			if (i+round)%4 == 3 {
				continue
			}
			if _, err := sim.Run(simaws.Start{Project: fmt.Sprintf("p%02d", i), Version: "refs/heads/main"}); err != nil {
				t.Fatal(err)
			}
		}
		sim.Settle()
		sim.Clock.Advance(4 * 24 * time.Hour)
	}
	return sim
}

// bubble scans in a bubble; it returns what the scan took.
func bubble(t *testing.T, sim *simaws.Sim, trouble simaws.Trouble, o scanOptions, interrupt func(read int) bool,
) (code int, stdout, stderr string, took time.Duration) {
	t.Helper()
	var out, errs lockedBuffer
	inBubble(t, sim, trouble, func(ctx context.Context, cancel func(), cfg aws.Config) {
		if interrupt != nil {
			read := 0
			sim.Hook(func(c simaws.Call) simaws.Fault {
				if c.Done && c.Operation == "GetLogEvents" && c.Error == "" {
					if read++; interrupt(read) {
						cancel()
					}
				}
				return simaws.Fault{}
			})
			defer sim.Unhook()
		}
		began := time.Now()
		code = o.scan(ctx, cfg, &out, &errs)
		took = time.Since(began)
	})
	return code, out.String(), errs.String(), took
}

// inBubble runs do in a bubble in which time moves when all wait: for an answer, or for their turn.
// The account's time is the bubble's; the desk's stands still.
func inBubble(t *testing.T, sim *simaws.Sim, trouble simaws.Trouble, do func(ctx context.Context, cancel func(), cfg aws.Config),
) {
	t.Helper()
	trouble.Latency = callLatency
	sim.SetTrouble(trouble)
	defer sim.SetTrouble(simaws.Trouble{})
	old := deskClock
	deskClock = fixed{sim.Clock.Now()}
	defer func() { deskClock = old }()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		clock, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			for clock.Err() == nil {
				time.Sleep(callLatency)
				sim.Clock.Advance(callLatency)
			}
		})
		region := strings.Split(sim.TopicARN(), ":")[3]
		do(ctx, cancel, (&session{region: region}).with(aws.Config{Region: region, BaseEndpoint: aws.String(sim.URL()),
			Credentials: credentials.NewStaticCredentialsProvider(simaws.OwnerKey, "simulated", ""), HTTPClient: sim.Direct()}))
		cancel()
		stop()
		wg.Wait()
	})
}

// fixed is a clock that stands still.
type fixed struct{ at time.Time }

func (f fixed) Now() time.Time                                 { return f.at }
func (fixed) Sleep(ctx context.Context, d time.Duration) error { return wallClock{}.Sleep(ctx, d) }

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// privateCache puts what scans keep into a folder of the test's, and returns the file of the
// account of [scannedAccount].
func privateCache(t *testing.T, sim *simaws.Sim) string {
	t.Helper()
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("HOME", t.TempDir()) // where macOS has its caches
	dir, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	a := strings.Split(sim.TopicARN(), ":")
	return filepath.Join(dir, "buildmedic", fmt.Sprintf("scan-%s-%s.jsonl", a[4], a[3]))
}

// kinds counts the calls by operation, and those that were throttled.
func kinds(sim *simaws.Sim, from int) (n map[string]int, throttled int) {
	n = map[string]int{}
	for _, c := range sim.Calls()[from:] {
		n[c.Operation]++
		if strings.Contains(c.Error, "Throttl") {
			throttled++
		}
	}
	return n, throttled
}

// TestScanReport compares a whole report with its golden file.
func TestScanReport(t *testing.T) {
	sim := scannedAccount(t, 30, 8)
	kept := privateCache(t, sim)
	code, out, errs, _ := bubble(t, sim, simaws.Trouble{RateLimits: true}, scanOptions{most: 3, days: 30}, nil)
	if code != exitOK || !strings.Contains(errs, "Scanning account 111122223333, region eu-west-1.\n") {
		t.Fatalf("code %d\n%s", code, errs)
	}
	if _, err := os.Stat(kept); err == nil {
		t.Errorf("after a complete scan %s is still there", kept)
	}
	golden(t, "scan/report.txt", out)
	i := strings.Index(out, "version: 1\n")
	if _, err := settings.Parse([]byte(out[i:])); err != nil {
		t.Errorf("its settings: %v", err)
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", filepath.FromSlash(name))
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s (-want +got); if that is right, run it with -update:\n%s", name, d)
	}
}

// TestScanResumed ensures that a scan that is interrupted again and again, at a different place
// each time, prints in the end what an undisturbed one prints, reads no log twice but the few
// that were under way, and says each time what it has and how to go on.
func TestScanResumed(t *testing.T) {
	sim := scannedAccount(t, 30, 8)
	kept := privateCache(t, sim)
	o := scanOptions{most: 3, days: 30}
	code, want, errs, _ := bubble(t, sim, simaws.Trouble{}, o, nil)
	if code != exitOK {
		t.Fatalf("code %d\n%s", code, errs)
	}
	all, _ := kinds(sim, 0)
	from := len(sim.Calls())
	var got string
	runs := 0
	for o.resume = false; ; o.resume = true {
		if runs++; runs > 20 {
			t.Fatal("it does not end")
		}
		code, got, errs, _ = bubble(t, sim, simaws.Trouble{}, o, func(read int) bool { return read == 10*runs })
		if code == exitOK {
			break
		}
		goOn := "buildmedic: interrupted\nWhat was read is kept in " + kept + ".\nTo go on: buildmedic scan -resume -n 3 -days 30\n"
		if code != exitInterrupted || !strings.Contains(got, "This is a part") || !strings.Contains(errs, goOn) {
			t.Fatalf("interrupted: code %d\n%s\n%s", code, got, errs)
		}
		if fi, err := os.Stat(kept); err != nil || fi.Mode().Perm() != 0o600 {
			t.Fatalf("%v, %v", fi, err)
		}
	}
	if got != want {
		t.Errorf("resumed: %s", cmp.Diff(want, got))
	}
	again, _ := kinds(sim, from)
	if runs < 3 || again["GetLogEvents"] > all["GetLogEvents"]+(runs-1)*atOnce {
		t.Errorf("%d runs read %d logs, a whole one %d", runs, again["GetLogEvents"], all["GetLogEvents"])
	}
	if _, err := os.Stat(kept); err == nil {
		t.Error("after a complete scan the file is still there")
	}
}

// TestScanThrottled ensures that a scan of which three calls in ten are throttled prints what an
// undisturbed one prints, and so does one at the account's real pace, however its calls are
// spread over time.
func TestScanThrottled(t *testing.T) {
	sim := scannedAccount(t, 30, 8)
	privateCache(t, sim)
	o := scanOptions{most: 3, days: 30, json: true}
	_, want, _, _ := bubble(t, sim, simaws.Trouble{}, o, nil)
	from := len(sim.Calls())
	code, got, errs, _ := bubble(t, sim, simaws.Trouble{RateLimits: true, Throttle: 0.3}, o, nil)
	if code != exitOK || got != want {
		t.Errorf("code %d\n%s\n%s", code, errs, cmp.Diff(want, got))
	}
	if n, throttled := kinds(sim, from); throttled < n["GetLogEvents"]/5 {
		t.Errorf("only %d calls were throttled: %v", throttled, n)
	}
}

// TestScanGoesOn ensures that what cannot be read is told with its reason, and that the rest is
// read all the same.
func TestScanGoesOn(t *testing.T) {
	sim := scannedAccount(t, 30, 8)
	kept := privateCache(t, sim)
	denied := func(action string) simaws.Fault {
		return simaws.Fault{Code: "AccessDeniedException", Status: 400,
			Message: "User: a is not authorized to perform: " + action + " on resource: r"}
	}
	on := func(c simaws.Call, operation, resource string) bool {
		return c.Done && c.Operation == operation && c.Error == "" && strings.Contains(strings.Join(c.Resources, " "), resource)
	}
	sim.Hook(func(c simaws.Call) simaws.Fault {
		switch {
		case on(c, "ListBuilds", ""):
			return denied("codebuild:ListBuilds")
		case on(c, "ListBuildsForProject", "project/p05"):
			return denied("codebuild:ListBuildsForProject")
		case on(c, "BatchGetBuilds", "project/p06"):
			return denied("codebuild:BatchGetBuilds")
		case on(c, "BatchGetProjects", ""):
			return denied("codebuild:BatchGetProjects")
		case on(c, "GetLogEvents", "/p10:"):
			return denied("logs:GetLogEvents")
		case on(c, "GetLogEvents", "/p11:"):
			return simaws.Fault{Code: "InternalFailure", Message: "oops", Status: 500}
		}
		return simaws.Fault{}
	})
	defer sim.Unhook()
	code, out, errs, _ := bubble(t, sim, simaws.Trouble{}, scanOptions{most: 2, days: 30}, nil)
	if code != exitOK {
		t.Fatalf("code %d\n%s", code, errs)
	}
	for _, want := range []string{
		"\nProjects that could not be read\n        p05: your credentials lack codebuild:ListBuildsForProject\n" +
			"        p06: your credentials lack codebuild:BatchGetBuilds\n\n",
		"\n2 logs could not be read: your credentials lack logs:GetLogEvents\n",
		"\n2 logs could not be read: AWS answered InternalFailure: oops\n",
		"\nWhich webhooks start builds of pull requests could not be read: your credentials lack codebuild:BatchGetProjects\n",
		"30 projects, ", "\nWhat fails most\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("it does not say %q:\n%s", want, out)
		}
	}
	if _, err := os.Stat(kept); err == nil {
		t.Error("after a complete scan the file is still there")
	}
}

// TestScanStops ensures that a scan whose credentials expire, or that loses the network, ends
// with what it has and says how to go on, in place of telling each project as unreadable.
func TestScanStops(t *testing.T) {
	for name, row := range map[string]struct {
		fault simaws.Fault
		says  string
	}{
		"expired": {simaws.Fault{Code: "ExpiredTokenException", Message: "The security token included in the request is expired",
			Status: 400}, "buildmedic: your AWS credentials have expired.\nLog in again"},
		"no network": {simaws.Fault{Cut: true}, "buildmedic: 127.0.0.1:"},
	} {
		t.Run(name, func(t *testing.T) {
			sim := scannedAccount(t, 30, 8)
			privateCache(t, sim)
			o := scanOptions{most: 3, days: 30}
			_, want, _, _ := bubble(t, sim, simaws.Trouble{}, o, nil)
			calls := 0
			sim.Hook(func(c simaws.Call) simaws.Fault {
				if calls++; !c.Done && calls > 60 {
					return row.fault
				}
				return simaws.Fault{}
			})
			code, out, errs, _ := bubble(t, sim, simaws.Trouble{}, o, nil)
			if code != exitFailed || !strings.Contains(errs, row.says) ||
				!strings.Contains(errs, "To go on: buildmedic scan -resume") || !strings.Contains(out, "This is a part") ||
				strings.Contains(out, "could not be read") {
				t.Errorf("code %d\n%s\n%s", code, errs, out)
			}
			sim.Unhook()
			o.resume = true
			if code, out, errs, _ = bubble(t, sim, simaws.Trouble{}, o, nil); code != exitOK || out != want {
				t.Errorf("resumed: code %d\n%s\n%s", code, errs, cmp.Diff(want, out))
			}
		})
	}
}

// TestScanNotResumed ensures that a kept file is not used for another scan than its own, nor if
// it is damaged, that this is said, and that the file stays.
func TestScanNotResumed(t *testing.T) {
	sim := scannedAccount(t, 30, 8)
	path := privateCache(t, sim)
	o := scanOptions{most: 3, days: 30}
	_, want, _, _ := bubble(t, sim, simaws.Trouble{}, o, nil)
	o.resume = true
	if code, _, errs, _ := bubble(t, sim, simaws.Trouble{}, o, nil); code != exitFailed ||
		!strings.Contains(errs, "no interrupted scan of account 111122223333, region eu-west-1 is kept") {
		t.Errorf("nothing kept: code %d\n%s", code, errs)
	}
	o.resume = false
	code, _, errs, _ := bubble(t, sim, simaws.Trouble{}, o, func(read int) bool { return read == 30 })
	if code != exitInterrupted {
		t.Fatalf("code %d\n%s", code, errs)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	o.resume = true
	change := func(from, to string) string {
		out := regexp.MustCompile(from).ReplaceAllString(string(data), to)
		if out == string(data) {
			t.Fatalf("%q is not in it", from)
		}
		return out
	}
	for name, row := range map[string]struct{ text, says string }{
		"another account":  {change(`"account":"[0-9]*"`, `"account":"444455556666"`), "it is of account 444455556666, "},
		"another region":   {change(`"region":"eu-west-1"`, `"region":"eu-west-2"`), "region eu-west-2"},
		"another version":  {change(`"tool":"[0-9a-f]*"`, `"tool":"0"`), "another version of buildmedic made it"},
		"another format":   {change(`"buildmedic_scan":2`, `"buildmedic_scan":1`), "another version of buildmedic made it"},
		"other flags":      {change(`"n":3`, `"n":4`), "it was begun with -n 4 -days 30: give the same"},
		"another's builds": {change(`\{"picked":\{"project":"p`, `{"picked":{"project":"q`), "a build is of another project"},
		"unknown remedy":   {change(`"remedy":"[a-z-]*"`, `"remedy":"format"`), "it is damaged"},
		"unknown lines":    {string(data) + "{\"other\":1}\n", "it is damaged"},
		"no times":         {change(`"from":"[^"]*"`, `"from":"2027-01-01T00:00:00Z"`), "its times make no sense"},
		"no file of ours":  {"#!/bin/sh\n", "it is no file of a scan"},
		"empty":            {"", "it is no file of a scan"},
		"a very long line": {string(data) + strings.Repeat("x", maxKeptLine+1) + "\n", "a line is too long"},
	} {
		if err := os.WriteFile(path, []byte(row.text), 0o600); err != nil {
			t.Fatal(err)
		}
		calls := len(sim.Calls())
		code, out, errs, _ := bubble(t, sim, simaws.Trouble{}, o, nil)
		if code != exitFailed || !strings.Contains(errs, row.says) || out != "" || len(sim.Calls()) > calls+1 {
			t.Errorf("%s: code %d, %d calls\n%s\n%s", name, code, len(sim.Calls())-calls, errs, out)
		}
		if now, err := os.ReadFile(path); err != nil || string(now) != row.text {
			t.Errorf("%s: the file was changed: %v", name, err)
		}
	}
	// What was being written when the machine went down does not count.
	if err := os.WriteFile(path, append(data, `{"read":{"id":"p00:`...), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, errs, _ := bubble(t, sim, simaws.Trouble{}, o, func(read int) bool { return read == 9 }); code != exitInterrupted {
		t.Errorf("half a line: code %d\n%s", code, errs)
	}
	if code, out, errs, _ := bubble(t, sim, simaws.Trouble{}, o, nil); code != exitOK || out != want {
		t.Errorf("half a line: code %d\n%s\n%s", code, errs, cmp.Diff(want, out))
	}
}

// TestScanAsksAgain ensures that what could not be read is not kept, but asked for again, and
// that a build which began later does not count.
func TestScanAsksAgain(t *testing.T) {
	sim := failingAccount(t, 10, 3)
	privateCache(t, sim)
	o := scanOptions{most: 4, days: 30}
	_, want, _, _ := bubble(t, sim, simaws.Trouble{}, o, nil)
	sim.Hook(func(c simaws.Call) simaws.Fault {
		resources := strings.Join(c.Resources, " ")
		if c.Done && (c.Operation == "GetLogEvents" && strings.Contains(resources, "/p1:") ||
			c.Operation == "ListBuildsForProject" && strings.HasSuffix(resources, "/p2")) {
			return simaws.Fault{Code: "AccessDeniedException", Message: "no", Status: 400}
		}
		return simaws.Fault{}
	})
	_, part, _, _ := bubble(t, sim, simaws.Trouble{}, o, func(read int) bool { return read == 20 })
	if !strings.Contains(part, "p2: your credentials lack a permission") ||
		!strings.Contains(part, "3 logs could not be read: your credentials lack a permission") {
		t.Errorf("not denied:\n%s", part)
	}
	// What fails meanwhile belongs to the next scan.
	if _, err := sim.Run(simaws.Start{Project: "p2", Version: "refs/heads/main"}); err != nil {
		t.Fatal(err)
	}
	sim.Settle()
	o.resume = true
	if code, out, errs, _ := bubble(t, sim, simaws.Trouble{}, o, nil); code != exitOK || out != want {
		t.Errorf("code %d\n%s\n%s", code, errs, cmp.Diff(want, out))
	}
}

// TestScanPart ensures that the report of a part has what was read of projects whose builds are
// not all listed.
func TestScanPart(t *testing.T) {
	r := &reading{scan: scan{desk: &desk{}, most: 2}, projects: []scanProject{{Name: "p"}, {Name: "q"}},
		picks: map[string]picked{"q": {Project: "q"}}, reads: map[string]failureRead{}}
	for n := range int64(3) {
		id := fmt.Sprintf("p:%d", n)
		r.reads[id] = failureRead{ID: id, Number: n, Cause: id, Remedy: "report"}
	}
	got := r.report()
	if got.Complete || got.Read != 1 || got.Failures != 2 || len(got.Causes) != 2 || got.Causes[0].Cause != "p:1" ||
		got.Causes[1].Cause != "p:2" {
		t.Errorf("got %+v", got)
	}
}

// TestScanBegunAnew ensures that a scan that begins anew says so, and replaces what is kept of an
// older one only once it has read something itself.
func TestScanBegunAnew(t *testing.T) {
	sim := failingAccount(t, 10, 3)
	path := privateCache(t, sim)
	o := scanOptions{most: 3, days: 30}
	bubble(t, sim, simaws.Trouble{}, o, func(read int) bool { return read == 12 })
	old, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	inBubble(t, sim, simaws.Trouble{}, func(ctx context.Context, cancel func(), cfg aws.Config) {
		sim.Hook(func(c simaws.Call) simaws.Fault {
			if c.Operation == "ListBuildsForProject" {
				cancel()
			}
			return simaws.Fault{}
		})
		defer sim.Unhook()
		var out, errs lockedBuffer
		if code := o.scan(ctx, cfg, &out, &errs); code != exitInterrupted || strings.Contains(errs.String(), "To go on") ||
			!strings.Contains(errs.String(), "note: this begins anew; -resume would go on with the scan that was interrupted\n") {
			t.Errorf("code %d\n%s", code, errs.String())
		}
	})
	if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, old) {
		t.Errorf("what was kept is gone: %v", err)
	}
	if _, _, errs, _ := bubble(t, sim, simaws.Trouble{}, o, func(read int) bool { return read == 9 }); !strings.Contains(errs, "To go on") {
		t.Error(errs)
	}
	if now, err := os.ReadFile(path); err != nil || bytes.Equal(now, old) {
		t.Errorf("the newer scan is not kept: %v", err)
	}
	all, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(all) != 1 {
		t.Errorf("%v, %v", all, err)
	}
}

// TestScanKeepsSoMuch ensures that a file does not grow beyond its bound, and that the scan goes on
// without it.
func TestScanKeepsSoMuch(t *testing.T) {
	var errs bytes.Buffer
	path := filepath.Join(t.TempDir(), "x", "scan.jsonl")
	k, err := newKeeper(path, keptHeader{}, &errs)
	if err != nil {
		t.Fatal(err)
	}
	defer k.close()
	k.read(failureRead{ID: "p:1"})
	k.size = maxKept - 100
	for range 3 {
		k.read(failureRead{ID: "p:2", Title: strings.Repeat("x", 100)})
	}
	data, err := os.ReadFile(path)
	if err != nil || strings.Count(string(data), "\n") != 2 || !k.holds() {
		t.Errorf("%v %s", err, data)
	}
	if errs.String() != "\nnote: from here on, what is read is not kept: it is too much to be kept\n" {
		t.Errorf("%q", errs.String())
	}
}

// TestScanAtOnce ensures that eight calls are under way at a time, and no more.
func TestScanAtOnce(t *testing.T) {
	sim := failingAccount(t, fewProjects, 2) // so that some are listed while builds of others are read
	privateCache(t, sim)
	inBubble(t, sim, simaws.Trouble{}, func(ctx context.Context, _ func(), cfg aws.Config) {
		busy := &counts{next: sim.Direct().Transport}
		cfg.HTTPClient = &http.Client{Transport: busy}
		var out, errs lockedBuffer
		if code := (scanOptions{most: 3, days: 30}).scan(ctx, cfg, &out, &errs); code != exitOK || busy.most != 8 {
			t.Errorf("code %d, %d at once\n%s", code, busy.most, errs.String())
		}
	})
}

// counts counts the requests under way; each takes three seconds more.
type counts struct {
	next http.RoundTripper

	mu        sync.Mutex
	now, most int
}

func (c *counts) RoundTrip(r *http.Request) (*http.Response, error) {
	c.mu.Lock()
	c.now++
	c.most = max(c.most, c.now)
	c.mu.Unlock()
	time.Sleep(3 * time.Second)
	c.mu.Lock()
	c.now--
	c.mu.Unlock()
	return c.next.RoundTrip(r)
}

// TestScanKeepsNoSecret ensures that a secret in what a log names is neither kept nor printed.
func TestScanKeepsNoSecret(t *testing.T) {
	const secret = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"
	sim, err := simaws.Load([]byte("buckets: [{name: dist}]\nroles: [{name: r, inline: {logs: '" + mayLog + "'}}]\n" +
		"projects:\n  - name: p\n    role: r\n    buildspecs: {buildspec.yml: {build: [aws s3 cp x s3://dist/" + secret + "]}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sim.Close)
	for range 20 {
		if _, err := sim.Run(simaws.Start{Project: "p", Version: "refs/heads/main"}); err != nil {
			t.Fatal(err)
		}
	}
	sim.Settle()
	if !strings.Contains(sim.Builds("p")[0].Log, secret) {
		t.Fatal("the log does not show it")
	}
	path := privateCache(t, sim)
	_, out, errs, _ := bubble(t, sim, simaws.Trouble{}, scanOptions{most: 20, days: 30},
		func(read int) bool { return read == 15 })
	data, err := os.ReadFile(path)
	if err != nil || strings.Count(string(data), `"read"`) < 5 || !strings.Contains(string(data), "arn:aws:s3:::dist/") {
		t.Fatalf("%v %s", err, data)
	}
	if all := string(data) + out + errs; strings.Contains(all, secret) {
		t.Errorf("it is in:\n%s", all)
	}
}

// reordered gives the account's list in other pages.
type reordered struct {
	lister
	pages func(ids []string) [][]string
	made  [][]string
}

func (l *reordered) BuildIDs(ctx context.Context, at settings.Account, project, token string,
) (ids []string, next string, err error) {
	if project != "" {
		return l.lister.BuildIDs(ctx, at, project, token)
	}
	if token == "" {
		for {
			page, next, err := l.lister.BuildIDs(ctx, at, "", token)
			if err != nil {
				return nil, "", err
			}
			if ids = append(ids, page...); next == "" {
				break
			}
			token = next
		}
		l.made, token = l.pages(ids), "0"
	}
	i, err := strconv.Atoi(token)
	if err != nil {
		return nil, "", err
	}
	if i+1 < len(l.made) {
		next = strconv.Itoa(i + 1)
	}
	return l.made[i], next, nil
}

func byID(ids []string) [][]string {
	slices.Sort(ids)
	return slices.Collect(slices.Chunk(ids, awsapi.MaxBuilds))
}

// oldestFirst has a page of its own for a build that is too old.
func oldestFirst(ids []string) [][]string {
	last := len(ids) - 1
	return append([][]string{ids[last:]}, slices.Collect(slices.Chunk(ids[:last], awsapi.MaxBuilds))...)
}

// ascending has the oldest first all the way.
func ascending(ids []string) [][]string {
	slices.Reverse(ids)
	return slices.Collect(slices.Chunk(ids, awsapi.MaxBuilds))
}

// TestScanOrder ensures that a scan finds the same builds whether the account is listed newest
// first, in another order, or project by project; that the first needs no more pages than reach
// back to the first day; and that none but the last lists by project.
func TestScanOrder(t *testing.T) {
	sim := failingAccount(t, 60, 8)
	privateCache(t, sim)
	var reports []scanned
	for _, row := range []struct {
		name  string
		order func(lister) lister
		want  map[string]int
	}{
		// 3 days are 120 builds or so; the third page has only older ones, and is read, and the
		// next is asked for meanwhile.
		{"newest first", func(l lister) lister { return l }, map[string]int{"ListBuilds": 4, "ListBuildsForProject": 0}},
		{"by id", func(l lister) lister { return &reordered{lister: l, pages: byID} },
			map[string]int{"ListBuilds": 5, "ListBuildsForProject": 0}},
		{"oldest first", func(l lister) lister { return &reordered{lister: l, pages: ascending} },
			map[string]int{"ListBuilds": 5, "ListBuildsForProject": 0}},
		{"an old one first", func(l lister) lister { return &reordered{lister: l, pages: oldestFirst} },
			map[string]int{"ListBuilds": 5, "ListBuildsForProject": 0}},
		{"by project", func(l lister) lister { return refused{l} }, map[string]int{"ListBuilds": 0, "ListBuildsForProject": 60}},
	} {
		from := len(sim.Calls())
		inBubble(t, sim, simaws.Trouble{}, func(ctx context.Context, _ func(), cfg aws.Config) {
			patience := newPatience(cfg.Region)
			id, err := whoami(ctx, cfg)
			if err != nil {
				t.Fatal(err)
			}
			d, now := newReader(patience.apply(cfg), id), deskClock.Now()
			s := scan{desk: d, lister: row.order(d.codebuild), most: 3, from: now.AddDate(0, 0, -3), until: now,
				progress: newProgress(io.Discard, patience)}
			r, err := s.read(context.WithValue(ctx, patient{}, true), nothingKept())
			if err != nil {
				t.Fatal(err)
			}
			reports = append(reports, r.report())
		})
		n, _ := kinds(sim, from)
		for op, want := range row.want {
			if n[op] != want {
				t.Errorf("%s: %d × %s, want %d", row.name, n[op], op, want)
			}
		}
		if len(reports) > 0 && reports[0].Failures == 0 || !reports[len(reports)-1].Complete {
			t.Errorf("%s: %d failed builds", row.name, reports[0].Failures)
		}
	}
	for _, r := range reports[1:] {
		if d := cmp.Diff(reports[0], r, cmpopts.IgnoreUnexported(scanned{}), cmp.AllowUnexported(deniedCount{})); d != "" {
			t.Error(d)
		}
	}
}

// refused may not list the account.
type refused struct{ lister }

func (r refused) BuildIDs(ctx context.Context, at settings.Account, project, token string) ([]string, string, error) {
	if project == "" {
		return nil, "", heal.DeniedError{Action: "codebuild:ListBuilds"}
	}
	return r.lister.BuildIDs(ctx, at, project, token)
}

// TestScanNewest ensures that the account's list shows no more of a project than its own list does.
func TestScanNewest(t *testing.T) {
	p := &inAccount{}
	for n := range int64(mostBuilds + 5) {
		p.numbers = append(p.numbers, n)
	}
	for _, n := range []int64{5, 4} {
		p.failed = append(p.failed, codebuild.Build{Number: n})
	}
	if got := p.newest(); len(got) != 1 || got[0].Number != 5 {
		t.Errorf("got %+v", got)
	}
}

// TestScanAwaitsReports ensures that a report that AWS is slow to give is waited for: without it
// the scan would find another cause.
func TestScanAwaitsReports(t *testing.T) {
	sim, _ := account(t, "failed-tests-without-a-log")
	inBubble(t, sim, simaws.Trouble{}, func(ctx context.Context, _ func(), cfg aws.Config) {
		began := time.Now()
		sim.Hook(func(c simaws.Call) simaws.Fault {
			busy := c.Operation == "BatchGetReports" || c.Operation == "DescribeTestCases"
			return simaws.Fault{Throttle: busy && time.Since(began) < time.Minute}
		})
		defer sim.Unhook()
		var out, errs lockedBuffer
		code := scanOptions{most: 10, days: 30}.scan(ctx, cfg, &out, &errs)
		if code != exitOK || !strings.Contains(out.String(), "test-failure") || time.Since(began) < time.Minute {
			t.Errorf("code %d\n%s%s", code, errs.String(), out.String())
		}
	})
}

// TestWorth ensures that the account is listed as a whole only while that looks cheaper.
func TestWorth(t *testing.T) {
	const day = 24 * time.Hour
	for _, row := range []struct {
		pages, projects int
		ordered         bool
		passed          time.Duration
		want            bool
	}{
		{1, 1000, true, time.Minute, true},       // tried
		{50, 1000, true, 4 * day, true},          // 325 pages to come
		{50, 1000, true, 2 * day, false},         // 700
		{50, 1000, true, 0, false},               // all at the same time
		{400, 1000, true, 29 * day, true},        // nearly done
		{249, 1000, false, 0, true},              // without an order
		{250, 1000, false, 29 * day, false},      // it would have cost 500 calls already
		{2, 21, true, 30 * day, true},            // few projects
		{2, 21, true, day, false},                //
		{1 << 20, 1 << 20, true, 1, false},       // no overflow
		{1 << 20, 1 << 30, true, 29 * day, true}, //
	} {
		if got := worth(row.pages, row.projects, row.ordered, row.passed, 30*day); got != row.want {
			t.Errorf("%+v: %v", row, got)
		}
	}
}

// TestScanNothing ensures that a scan of the wrong region says where it looked.
func TestScanNothing(t *testing.T) {
	sim, err := simaws.Load([]byte("region: eu-west-1\n"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sim.Close)
	privateCache(t, sim)
	code, out, _, _ := bubble(t, sim, simaws.Trouble{}, scanOptions{most: 3, days: 30}, nil)
	if code != exitOK || !strings.HasPrefix(out, "Account 111122223333, region eu-west-1: 0 projects, ") ||
		!strings.Contains(out, "Another region is `AWS_REGION=R buildmedic scan`") {
		t.Errorf("code %d\n%s", code, out)
	}
}

// TestScanCannotBegin ensures that what keeps a scan from beginning is said in words that tell
// what to do.
func TestScanCannotBegin(t *testing.T) {
	sim := failingAccount(t, 1, 1)
	privateCache(t, sim)
	answer := func(operation, code, message string) func(*aws.Config) {
		return func(*aws.Config) {
			sim.Hook(func(c simaws.Call) simaws.Fault {
				if c.Operation != operation {
					return simaws.Fault{}
				}
				return simaws.Fault{Code: code, Message: message, Status: 400}
			})
		}
	}
	for name, row := range map[string]struct {
		change func(*aws.Config)
		says   string
	}{
		"no credentials": {func(c *aws.Config) { c.Credentials = aws.NewCredentialsCache(noCredentialsAtAll{}) },
			"buildmedic: there are no AWS credentials that work.\nSet AWS_PROFILE to a profile of yours"},
		"expired": {answer("GetCallerIdentity", "ExpiredToken", "The security token included in the request is expired"),
			"buildmedic: your AWS credentials have expired.\nLog in again"},
		"region not enabled": {answer("GetCallerIdentity", "InvalidClientTokenId",
			"The security token included in the request is invalid"),
			"buildmedic: AWS does not know your credentials in region eu-west-1: they are wrong, deleted or deactivated, " +
				"or the region is not enabled"},
		"no such region": {func(c *aws.Config) { c.HTTPClient = &http.Client{Transport: noSuchHost{}} },
			"buildmedic: the host of 127.0.0.1:"},
		"no permission": {answer("ListProjects", "AccessDeniedException",
			"User: a is not authorized to perform: codebuild:ListProjects on resource: r"), "Scanning account 111122223333, " +
			"region eu-west-1.\nbuildmedic: your credentials lack codebuild:ListProjects on r.\n" +
			"You are arn:aws:iam::111122223333:root, in account " +
			"111122223333, region eu-west-1.\nAsk who manages "},
		"interrupted": {nil, "buildmedic: interrupted\n"},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, sim, simaws.Trouble{}, func(ctx context.Context, cancel func(), cfg aws.Config) {
				want := exitFailed
				if row.change != nil {
					row.change(&cfg)
				} else {
					want = exitInterrupted
					cancel()
				}
				var out, errs lockedBuffer
				code := scanOptions{most: 3, days: 30}.scan(ctx, cfg, &out, &errs)
				if code != want || !strings.HasPrefix(errs.String(), row.says) || out.String() != "" ||
					strings.Contains(errs.String(), "deploy the stack") {
					t.Errorf("code %d\n%s%s", code, errs.String(), out.String())
				}
			})
			sim.Unhook()
		})
	}
}

// TestScanWithoutProfile ensures that a profile or region that is missing is said before AWS is
// asked.
func TestScanWithoutProfile(t *testing.T) {
	for _, k := range []string{"AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"} {
		t.Setenv(k, os.DevNull)
	}
	for _, k := range []string{"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"} {
		t.Setenv(k, "")
	}
	if code, out, errs := buildmedic(t, "", "scan"); code != exitFailed || out != "" ||
		!strings.HasPrefix(errs, "buildmedic: no AWS region: set AWS_REGION, such as AWS_REGION=eu-west-1, ") {
		t.Errorf("no region: code %d\n%s%s", code, errs, out)
	}
	t.Setenv("AWS_PROFILE", "shop")
	if code, out, errs := buildmedic(t, "", "scan"); code != exitFailed || out != "" ||
		!strings.HasPrefix(errs, `buildmedic: your AWS configuration has no profile "shop", which AWS_PROFILE names: `) {
		t.Errorf("no profile: code %d\n%s%s", code, errs, out)
	}
}

type noCredentialsAtAll struct{}

func (noCredentialsAtAll) Retrieve(context.Context) (aws.Credentials, error) {
	return aws.Credentials{}, errors.New("no EC2 IMDS role found")
}

type noSuchHost struct{}

func (noSuchHost) RoundTrip(r *http.Request) (*http.Response, error) {
	return nil, &net.DNSError{Err: "no such host", Name: r.URL.Host, IsNotFound: true}
}

// TestScanDeadline ensures that a call that is never answered ends, is made again, and is told of
// its build alone; and that the desk's own calls have a deadline.
func TestScanDeadline(t *testing.T) {
	sim := failingAccount(t, 3, 2)
	privateCache(t, sim)
	inBubble(t, sim, simaws.Trouble{}, func(ctx context.Context, _ func(), cfg aws.Config) {
		hung := &hangs{of: "/aws/codebuild/p1\"", next: sim.Direct().Transport}
		cfg.HTTPClient = &http.Client{Transport: hung, Timeout: times.call}
		var out, errs lockedBuffer
		if code := (scanOptions{most: 3, days: 30}).scan(ctx, cfg, &out, &errs); code != exitOK || !strings.Contains(out.String(),
			"\n2 logs could not be read: AWS did not answer in time, 5 times\n") || hung.times != 2*maxTries {
			t.Errorf("code %d, tried %d times\n%s%s", code, hung.times, errs.String(), out.String())
		}
	})
	t.Setenv("AWS_REGION", "eu-west-1")
	t.Setenv("AWS_CONFIG_FILE", os.DevNull)
	cfg, err := quietly(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if c, ok := cfg.HTTPClient.(interface{ GetTimeout() time.Duration }); !ok || c.GetTimeout() != times.call {
		t.Errorf("calls have no deadline: %T", cfg.HTTPClient)
	}
}

// hangs never answers requests that hold a text.
type hangs struct {
	of   string
	next http.RoundTripper

	mu    sync.Mutex
	times int
}

func (h *hangs) RoundTrip(r *http.Request) (*http.Response, error) {
	data, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	if strings.Contains(string(data), h.of) {
		h.mu.Lock()
		h.times++
		h.mu.Unlock()
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	r = r.Clone(r.Context())
	r.Body = io.NopCloser(bytes.NewReader(data))
	return h.next.RoundTrip(r)
}

// TestStarterIsValid ensures that what a scan prints is taken by the settings, as it is and with
// the number signs off, whatever projects are called and whatever was denied.
func TestStarterIsValid(t *testing.T) {
	wants := map[string]want{}
	for i, name := range []string{"123", "null", "true", "0x10", "1e5", "2024-01-01", "yes", "shop", "a-b_C"} {
		wants[name] = want{role: []string{"shop-build", "service-role/007", "0123"}[i%3]}
	}
	wants["passes"] = want{role: "r", denials: map[string][]string{passRole: {"arn:aws:iam::111122223333:role/task"},
		"s3:PutObject": {"arn:aws:s3:::example-site/*"}}}
	wants["only-passes"] = want{role: "r2", denials: map[string][]string{passRole: {"arn:aws:iam::111122223333:role/task"}}}
	text := starter(wants, nil)
	s, err := settings.Parse([]byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	for _, p := range s.Projects {
		if _, ok := wants[p.Name]; !ok {
			t.Errorf("%q is no project's name", p.Name)
		}
	}
	var on []string
	for line := range strings.Lines(text) {
		rest := strings.TrimLeft(line, " ")
		switch bare, commented := strings.CutPrefix(rest, "# "); {
		case commented &&
			(strings.HasPrefix(bare, "Made by") || strings.HasPrefix(bare, "number signs") ||
				strings.HasPrefix(bare, "yaml-")):
		case commented:
			line = line[:len(line)-len(rest)] + bare
		}
		on = append(on, line)
	}
	all := strings.ReplaceAll(strings.Join(on, ""), "SERVICE.", "ecs-tasks.")
	if s, err = settings.Parse([]byte(all)); err != nil || len(s.Grants) != 2 {
		t.Errorf("with the number signs off: %v\n%s", err, all)
	}
}
