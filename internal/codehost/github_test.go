package codehost_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/codehost"
	"github.com/buildmedic/buildmedic/internal/codehost/openapi"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/notice"
	"github.com/buildmedic/buildmedic/internal/settings"
	"github.com/buildmedic/buildmedic/internal/simaws"
)

const (
	token = "github_pat_11SIMULATED0000000000_simulatedsimulated"
	sha   = "2f1c0de9c1c7f1d8b7a8f5f9b2a1c3d4e5f60718"
)

var home = settings.Account{ID: "111122223333", Region: "eu-west-1"}

// key is an App's private key, made once.
var key = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

// vault is a secret that may change.
type vault struct {
	text  string
	err   error
	reads int
}

func (v *vault) Secret(context.Context, string) (string, error) {
	v.reads++
	return v.text, v.err
}

// bench is a simulated GitHub, and Buildmedic with credentials for it.
type bench struct {
	*testing.T
	sim    *simaws.Sim
	vault  *vault
	github *codehost.GitHub
	hidden []string // what must be in no error
}

func open(t *testing.T, secret string, g simaws.GitHub) *bench {
	t.Helper()
	sim, err := simaws.New(simaws.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sim.Close)
	sim.SetGitHub(g)
	b := &bench{T: t, sim: sim, vault: &vault{text: secret}, hidden: []string{token, "PRIVATE KEY", "eyJ"}}
	b.github = &codehost.GitHub{Home: home, Clock: sim.Clock, HTTP: sim.CodeHost(sim.Client()),
		Credentials: &codehost.Credentials{
			Host: "github.com", Secret: "buildmedic/github", Secrets: b.vault, Clock: sim.Clock}}
	t.Cleanup(func() {
		for _, w := range openapi.Check(sim.Exchanges()) {
			t.Error(w)
		}
		if u := sim.Unknown(); len(u) > 0 {
			t.Errorf("the simulated GitHub was asked what it does not know: %q", u)
		}
	})
	return b
}

// good is a GitHub that takes the token and lets it do what is needed.
func good() simaws.GitHub {
	return simaws.GitHub{Token: token, Permissions: []string{"statuses", "pull_requests"},
		Repositories: []string{"example/shop"}}
}

// app is one with an App, and the App's secret.
func app(t *testing.T) (simaws.GitHub, string) {
	t.Helper()
	g := good()
	g.Token, g.App, g.AppKey = "", 42, &key().PublicKey
	text := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key())})
	secret, err := json.Marshal(map[string]any{"app_id": 42, "private_key": string(text)})
	if err != nil {
		t.Fatal(err)
	}
	return g, string(secret)
}

func telling() decide.Telling {
	return decide.Telling{Case: "c1", Account: home.ID, Region: home.Region, Project: "shop",
		Repository: "github.com/example/shop",
		Commit:     sha, PullRequest: 7, Kind: decide.Reported, Title: "Tests failed", Build: "shop:b1",
		ARN: "arn:aws:codebuild:eu-west-1:111122223333:build/shop:b1"}
}

// safe ensures that an error shows no credential.
func (b *bench) safe(err error) error {
	b.Helper()
	for _, h := range b.hidden {
		if err != nil && strings.Contains(err.Error(), h) {
			b.Errorf("the error shows %q: %v", h, err)
		}
	}
	return err
}

func (b *bench) status(t decide.Telling) error {
	b.Helper()
	return b.safe(b.github.Status(b.Context(), t))
}

func (b *bench) calls() int { return len(b.sim.Exchanges()) }

// TestStatus sets a status, and reads the secret once for several.
func TestStatus(t *testing.T) {
	b := open(t, `{"token": "`+token+`"}`, good())
	for range 3 {
		if err := b.status(telling()); err != nil {
			t.Fatal(err)
		}
	}
	got, want := b.sim.Statuses(), notice.StatusOf(telling(), home)
	if len(got) != 3 || got[0].Commit != sha || got[0].State != want.State || got[0].Context != want.Context ||
		got[0].Description != want.Description || got[0].URL != want.URL {
		t.Errorf("statuses: %+v", got)
	}
	if b.vault.reads != 1 {
		t.Errorf("the secret was read %d times", b.vault.reads)
	}
	b.sim.Clock.Advance(10*time.Minute + time.Second)
	if err := b.status(telling()); err != nil || b.vault.reads != 2 {
		t.Errorf("after ten minutes: read %d times, %v", b.vault.reads, err)
	}
}

// TestApp: an App signs in, gets a token for the one repository and the one permission, and uses it
// until it is nearly over.
func TestApp(t *testing.T) {
	g, secret := app(t)
	b := open(t, secret, g)
	for range 2 {
		if err := b.status(telling()); err != nil {
			t.Fatal(err)
		}
	}
	es := b.sim.Exchanges()
	if len(es) != 4 || string(es[1].Request) != `{"permissions":{"statuses":"write"},"repositories":["shop"]}` {
		t.Errorf("%d calls, the second with %s", len(es), es[1].Request)
	}
	b.sim.Clock.Advance(54 * time.Minute)
	if err := b.status(telling()); err != nil || b.calls() != 5 {
		t.Errorf("after 54 minutes: %d calls, %v", b.calls(), err)
	}
	b.sim.Clock.Advance(2 * time.Minute)
	if err := b.status(telling()); err != nil || b.calls() != 8 {
		t.Errorf("five minutes before its end: %d calls, %v", b.calls(), err)
	}
	if id, err := b.github.Comment(t.Context(), []decide.Telling{telling()}, 0); err != nil || id == 0 {
		t.Errorf("comment %d, %v", id, err)
	}
	if c := b.sim.PullComments(); len(c) != 1 || c[0].App != 42 {
		t.Errorf("comments: %+v", c)
	}
}

// TestFaults: what a person must mend is said with what to do, and shows no credential; GitHub is
// not asked again and again with credentials that it does not accept.
func TestFaults(t *testing.T) {
	appGitHub, appSecret := app(t)
	without := func(g simaws.GitHub, change func(*simaws.GitHub)) simaws.GitHub { change(&g); return g }
	for _, row := range []struct {
		name, secret string
		err          error
		github       simaws.GitHub
		says         string
	}{
		{"no permission", token, nil, without(good(), func(g *simaws.GitHub) { g.Permissions = nil }),
			"need the repository and the permission Commit statuses: Read and write (GitHub names statuses=write)"},
		{"no such repository", token, nil, without(good(), func(g *simaws.GitHub) { g.Repositories = nil }),
			"the repository has another name, or the credentials in secret buildmedic/github do not include it"},
		{"a renamed repository", token, nil, without(good(),
			func(g *simaws.GitHub) { g.Moved = []string{"example/shop"} }),
			"has another name now, and redirects are not followed"},
		{"a revoked token", token, nil, without(good(), func(g *simaws.GitHub) { g.Token = "another" }),
			"does not accept the credentials in secret buildmedic/github (401)"},
		{"an App of another key", appSecret, nil, without(appGitHub, func(g *simaws.GitHub) {
			k, err := rsa.GenerateKey(rand.Reader, 2048)
			if err != nil {
				t.Fatal(err)
			}
			g.AppKey = &k.PublicKey
		}), "does not accept the credentials in secret buildmedic/github (401)"},
		{"an App that is not installed", appSecret, nil, without(appGitHub,
			func(g *simaws.GitHub) { g.Repositories = nil }),
			"is not installed in repository example/shop; install it there, with the permission Commit statuses"},
		{"an App without the permission", appSecret, nil, without(appGitHub,
			func(g *simaws.GitHub) { g.Permissions = []string{"issues"} }),
			"gets no token for repository example/shop: it needs the permission Commit statuses"},
		{"no secret", "", heal.ErrNotFound, good(), "there is no secret buildmedic/github in this account and region"},
		{"a secret that may not be read", "", heal.DeniedError{Action: "kms:Decrypt"}, good(),
			"the healer lacks a permission: kms:Decrypt"},
		{"a secret that is marked for deletion", "", fmt.Errorf("%w: InvalidRequestException: marked for deletion",
			heal.ErrFinal), good(), "secret buildmedic/github cannot be read: refused by AWS: InvalidRequestException: marked"},
		{"an empty secret", "", nil, good(), "store JSON with the keys app_id and private_key"},
		{"no JSON", `{"token": ` + token, nil, good(), "it is no JSON of this form"},
		{"another key", `{"password": "` + token + `"}`, nil, good(), "it is no JSON of this form"},
		{"both", `{"token": "` + token + `", "app_id": 1, "private_key": "x"}`, nil, good(),
			"it holds a token and an App"},
		{"no key", `{"app_id": "42", "private_key": "MIIE"}`, nil, good(), "private_key is no PEM file"},
		{"a public key",
			`{"app_id": "42", "private_key": "-----BEGIN PUBLIC KEY-----\nMIIE\n-----END PUBLIC KEY-----\n"}`, nil,
			good(),
			"private_key is not the RSA key"},
		{"a strange App", strings.Replace(appSecret, "42", "4000000000000000000", 1), nil, good(),
			"app_id is no App's id"},
		{"a token with a space", `{"token": "x ` + token + `"}`, nil, good(), "its token has spaces in it"},
		{"a token with a line break", token + "\nHost: evil.example", nil, good(), "is not as it should be"},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := open(t, row.secret, row.github)
			b.vault.err = row.err
			err := b.status(telling())
			var fault heal.FaultError
			if !errors.As(err, &fault) || !strings.Contains(fault.Says, row.says) {
				t.Fatalf("it says %v, want %q", err, row.says)
			}
			other := open(t, row.secret, row.github)
			other.vault.err = row.err
			_, err = other.github.Comment(t.Context(), []decide.Telling{telling()}, 0)
			if says := strings.ReplaceAll(row.says, "Commit statuses", "Pull requests"); !errors.As(other.safe(err), &fault) ||
				!strings.Contains(fault.Says, cutAt(says, " (GitHub names")) {
				t.Errorf("of a comment it says %v, want %q", err, says)
			}
			before, after := b.calls(), other.calls()
			if strings.Contains(row.says, "401") {
				if err := b.status(telling()); !errors.As(err, &fault) || b.calls() != before {
					t.Errorf("asked again: %d calls more, %v", b.calls()-before, err)
				}
				_, err := other.github.Comment(t.Context(), []decide.Telling{telling()}, 0)
				if !errors.As(err, &fault) || other.calls() != after {
					t.Errorf("asked again for a comment: %d calls more, %v", other.calls()-after, err)
				}
			}
			if len(b.sim.Statuses()) > 0 {
				t.Error("it was told")
			}
		})
	}
}

// cutAt is the text before another.
func cutAt(s, at string) string { s, _, _ = strings.Cut(s, at); return s }

// TestRenewed: credentials that were replaced while the old ones were kept are read again at once.
func TestRenewed(t *testing.T) {
	b := open(t, token, good())
	if err := b.status(telling()); err != nil {
		t.Fatal(err)
	}
	g := good()
	g.Token = "github_pat_11RENEWED00000000000_renewedrenewedrenewed"
	b.sim.SetGitHub(g)
	b.vault.text = g.Token
	if err := b.status(telling()); err != nil || len(b.sim.Statuses()) != 2 {
		t.Errorf("%d statuses, %v", len(b.sim.Statuses()), err)
	}
	g.Token = "github_pat_11AGAIN0000000000000_againagainagainagain"
	b.sim.SetGitHub(g)
	b.vault.text = g.Token
	if _, err := b.github.Comment(t.Context(), []decide.Telling{telling()}, 0); err != nil || len(b.sim.PullComments()) != 1 {
		t.Errorf("%d comments, %v", len(b.sim.PullComments()), err)
	}
}

// TestLimits: where GitHub says that it is asked too often, or is down, it is left alone for as long
// as it says, and no longer than an hour; that is no fault.
func TestLimits(t *testing.T) {
	answer := func(status int, header ...string) func(*http.Request) (*http.Response, error) {
		return func(r *http.Request) (*http.Response, error) {
			h := http.Header{}
			for i := 0; i < len(header); i += 2 {
				h.Set(header[i], header[i+1])
			}
			return &http.Response{StatusCode: status, Header: h, Request: r,
				Body: io.NopCloser(strings.NewReader(`{"message":"x"}`))}, nil
		}
	}
	start := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	for _, row := range []struct {
		name   string
		answer func(*http.Request) (*http.Response, error)
		wait   time.Duration
	}{
		{"Retry-After", answer(403, "Retry-After", "90"), 90 * time.Second},
		{"Retry-After, 429", answer(429, "Retry-After", "7"), 7 * time.Second},
		{"Retry-After of a day", answer(429, "Retry-After", "86400"), time.Hour},
		{"Retry-After of nothing", answer(429, "Retry-After", "0"), time.Second},
		{"Retry-After that cannot be", answer(429, "Retry-After", "-99999999999999999999"), time.Minute},
		{"429 alone", answer(429), time.Minute},
		{"the hour is used up", answer(403, "X-RateLimit-Remaining", "0", "X-RateLimit-Reset",
			strconv.FormatInt(start.Add(20*time.Minute).Unix(), 10)),
			20 * time.Minute},
		{"used up until long ago", answer(403, "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "17"), time.Second},
		{"used up until when", answer(403, "X-RateLimit-Remaining", "0"), time.Minute},
		{"502", answer(502), time.Minute},
		{"no connection", func(*http.Request) (*http.Response, error) {
			return nil,
				errors.New("connection refused to " + token)
		}, time.Minute},
		{"too late", func(r *http.Request) (*http.Response, error) { return nil, context.DeadlineExceeded },
			time.Minute},
		{"broken off", func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Request: r,
				Body: io.NopCloser(io.MultiReader(strings.NewReader("{"), broken{}))}, nil
		}, time.Minute},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := open(t, token, good())
			n := 0
			b.github.HTTP = roundTrip(func(r *http.Request) (*http.Response, error) { n++; return row.answer(r) })
			for _, after := range []time.Duration{0, row.wait - time.Millisecond} {
				b.sim.Clock.Advance(after)
				if err := b.status(telling()); !errors.Is(err, heal.ErrLater) || n != 1 {
					t.Fatalf("after %s: %d calls, %v", after, n, err)
				}
			}
			b.sim.Clock.Advance(time.Millisecond)
			if err := b.status(telling()); !errors.Is(err, heal.ErrLater) || n != 2 {
				t.Errorf("after %s: %d calls, %v", row.wait, n, err)
			}
		})
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("connection reset") }

// TestStormIsLimited: the simulated GitHub lets 80 statuses a minute through, as the real one does.
func TestStormIsLimited(t *testing.T) {
	b := open(t, token, good())
	var err error
	n := 0
	for ; err == nil && n < 200; n++ {
		err = b.status(telling())
	}
	if n != 81 || !errors.Is(err, heal.ErrLater) || !strings.Contains(err.Error(),
		"limits how often it is asked (403: You have exceeded a secondary") {
		t.Errorf("after %d: %v", n, err)
	}
}

// TestHostileAnswers: whatever a host answers, it takes no more than its time and memory, and gets
// credentials for no other host.
func TestHostileAnswers(t *testing.T) {
	for name, row := range map[string]struct {
		status int
		body   io.Reader
		want   error
	}{
		"a redirect":      {302, strings.NewReader(""), nil},
		"no JSON":         {200, strings.NewReader("<html>"), heal.ErrFinal},
		"an endless body": {200, endless{}, heal.ErrFinal},
		"an endless 422":  {422, endless{}, heal.ErrFinal},
		"a strange 422": {422,
			strings.NewReader(`{"message": "\u001b[2J @team ` + token + `", "errors": [{"message": "x"}, 7]}`),
			heal.ErrFinal},
	} {
		t.Run(name, func(t *testing.T) {
			b := open(t, token, good())
			hosts := map[string]bool{}
			b.github.HTTP = roundTrip(func(r *http.Request) (*http.Response, error) {
				hosts[r.URL.Host] = true
				return &http.Response{StatusCode: row.status,
					Header: http.Header{"Location": {"https://evil.example/"}}, Request: r,
					Body: io.NopCloser(row.body)}, nil
			})
			_, err := b.github.Comment(t.Context(), []decide.Telling{telling()}, 5)
			if b.safe(err); row.want != nil && row.status != 200 && !errors.Is(err, row.want) {
				t.Errorf("it says %v", err)
			}
			if err != nil && strings.Contains(err.Error(), "\x1b") || len(hosts) != 1 || !hosts["api.github.com"] {
				t.Errorf("hosts %v, error %q", hosts, err)
			}
			if _, err := b.github.Comment(t.Context(), []decide.Telling{telling()}, 0); err == nil ||
				b.safe(err) == nil {
				t.Error("a comment was found in that")
			}
		})
	}
	b := open(t, token, good())
	in := telling()
	for _, in.Repository = range []string{"evil.example/example/shop", "github.com.evil.example/example/shop",
		"github.com/example", "github.com/a/b/c"} {
		if err := b.status(in); !errors.Is(err, heal.ErrFinal) || b.calls() > 0 {
			t.Errorf("%s: %v", in.Repository, err)
		}
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

// TestComment: there is one comment a pull request, whoever else writes there, and it is edited.
func TestComment(t *testing.T) {
	b := open(t, token, good())
	// Others may write the marker, and quote it. None of theirs is touched.
	for _, body := range []string{notice.CommentMarker + "\nmine", "> " + notice.CommentMarker, "hello"} {
		b.sim.Comment(simaws.PullComment{Repository: "example/shop", Pull: 7, Author: 5, Body: body})
	}
	b.sim.Comment(simaws.PullComment{Repository: "example/shop", Pull: 7, Author: 1001,
		Body: "by the token's user, by hand"})
	b.sim.Comment(simaws.PullComment{Repository: "example/shop", Pull: 7, Author: 1001, App: 9,
		Body: notice.CommentMarker + "\nby another App"})
	b.sim.Comment(simaws.PullComment{Repository: "example/shop", Pull: 8, Author: 1001,
		Body: notice.CommentMarker + "\nof another"})
	say := func(id int64, ts ...decide.Telling) int64 {
		t.Helper()
		id, err := b.github.Comment(t.Context(), ts, id)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	first := say(0, telling())
	other := telling()
	other.Project = "site"
	if again := say(first, telling(), other); again != first {
		t.Errorf("edited %d, not %d", again, first)
	}
	if found := say(0, other); found != first { // its id was lost
		t.Errorf("found %d, not %d", found, first)
	}
	all := b.sim.PullComments()
	if n := len(all); n != 7 || all[6].ID != first || all[6].Edits != 2 ||
		all[6].Body != notice.CommentOf([]decide.Telling{other}, home) {
		t.Errorf("comments: %+v", all)
	}
	if slices.ContainsFunc(all[:6], func(c simaws.PullComment) bool { return c.Edits > 0 }) {
		t.Errorf("another's was edited: %+v", all)
	}
	b.sim.DeleteComment(first)
	if made := say(first, telling()); made == 0 || len(b.sim.PullComments()) != 7 {
		t.Errorf("after somebody deleted it: %d, %+v", made, b.sim.PullComments())
	}
}

// TestManyComments: of a pull request with very many comments no more than 300 are read, and where
// Buildmedic's may be behind them, no second one is made.
func TestManyComments(t *testing.T) {
	for n, want := range map[int]int{299: 1, 300: 0} {
		b := open(t, token, good())
		for i := range n {
			b.sim.Comment(simaws.PullComment{Repository: "example/shop", Pull: 7, Author: 5,
				Body: fmt.Sprint("comment ", i)})
		}
		_, err := b.github.Comment(t.Context(), []decide.Telling{telling()}, 0)
		if made := len(b.sim.PullComments()) - n; made != want || (want == 0) != errors.Is(err, heal.ErrFinal) {
			t.Errorf("%d comments: %d made, %v", n, made, err)
		}
	}
}

// TestAPIOf: the API is where GitHub has it.
func TestAPIOf(t *testing.T) {
	for host, want := range map[string]string{"github.com": "https://api.github.com",
		"acme.ghe.com":            "https://api.acme.ghe.com",
		"github.example.com:8443": "https://github.example.com:8443/api/v3"} {
		if got := codehost.APIOf(host); got != want {
			t.Errorf("%s: %s", host, got)
		}
	}
}
