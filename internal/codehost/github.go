// Package codehost tells developers at their code host how the healing of their build stands, asks
// there by pull requests for what a role may be given, and has the credentials with which that is
// done. It puts heal's port on GitHub's REST API.
//
// The calls are made by hand, a dozen of them, and every request and answer of the tests is judged by
// GitHub's own description. GitHub's library for Go, v89, would put 1.0 MB into the function (6.89 MB
// against 5.89 MB for a program of one call) and 0.14 ms into its start.
//
// A code host is told things; it is believed nothing. No answer of it, and no failure of it, may
// delay a heal or hold more than a bounded time and memory. Credentials are in no error, no log and
// no other host's hands.
package codehost

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/notice"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// GitHub is github.com or a GitHub Enterprise Server.
type GitHub struct {
	Credentials *Credentials
	Home        settings.Account  // of the healer
	HTTP        http.RoundTripper // how it is reached
	Clock       heal.Clock

	mu    sync.Mutex
	until time.Time // before this it is not asked again
	why   error
}

// The bounds of a call.
const (
	callTime  = 5 * time.Second
	maxAnswer = 8 << 20 // a page of comments, each as long as GitHub lets it be
	unasked   = time.Minute
	// longestPause is how long GitHub may ask to be left alone: whoever says more is asked again.
	longestPause = time.Hour
)

// apiVersion is the version of the API that github.com and all supported Enterprise Servers serve
// (AWS.md#github).
const apiVersion = "2022-11-28"

// APIOf is the address of the API of the host that people reach in their browsers.
func APIOf(host string) string {
	switch {
	case host == "github.com":
		return "https://api.github.com"
	case strings.HasSuffix(host, ".ghe.com"):
		return "https://api." + host
	}
	return "https://" + host + "/api/v3"
}

// Need is a permission of GitHub's, as its API names it, and as people do. Of several, the names are
// apart by blanks.
type Need struct{ Name, Words string }

// What telling needs.
var (
	writeStatuses = Need{"statuses", "Commit statuses: Read and write"}
	writeComments = Need{"pull_requests", "Pull requests: Read and write"}
)

// call is one request.
type call struct {
	method, path string
	body         any // nil: none
	repository   string
	need         Need
}

// do makes a call with the repository's credentials and decodes its answer into out.
func (g *GitHub) do(ctx context.Context, c call, out any) error {
	return g.signedIn(ctx, c.repository, c.need, func(token string) error { return g.send(ctx, c, token, out) })
}

// signedIn has something done with the repository's credentials, a second time with new ones if
// GitHub does not know those. Nothing is sent to GitHub but through it.
func (g *GitHub) signedIn(ctx context.Context, repository string, need Need, send func(token string) error) error {
	if err := g.left(); err != nil {
		return err
	}
	owner, name, _ := strings.Cut(repository, "/")
	token, err := g.Credentials.token(ctx, g, owner, name, need)
	if err == nil {
		err = send(token)
	}
	if errors.Is(err, errUnknownToken) {
		// It may have been replaced, or revoked, since it was read.
		if token, err = g.Credentials.renewed(ctx, g, owner, name, need, token); err == nil {
			err = send(token)
		}
	}
	if errors.Is(err, errUnknownToken) {
		err = g.Credentials.fault("GitHub does not accept the credentials %s (401): they are wrong, were revoked or "+
			"have expired; store new ones", g.Credentials.place())
		return g.leave(unasked, err)
	}
	return err
}

// left says why GitHub is left alone for now; nil if it is not.
func (g *GitHub) left() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.Clock.Now().Before(g.until) {
		return g.why
	}
	return nil
}

// leave leaves GitHub alone for a time, in which all calls end with the error.
func (g *GitHub) leave(d time.Duration, why error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.until, g.why = g.Clock.Now().Add(min(max(d, time.Second), longestPause)), why
	return why
}

func (g *GitHub) pause(d time.Duration, why string) error {
	return g.leave(d, fmt.Errorf("%w: %s", heal.ErrLater, why))
}

// errUnknownToken: GitHub does not know the token.
var errUnknownToken = errors.New("not accepted")

// send makes one request. It follows no redirect: the credentials are for one host, and the settings
// name the repository.
func (g *GitHub) send(ctx context.Context, c call, token string, out any) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	var body io.Reader
	if c.body != nil {
		data, err := json.Marshal(c.body)
		if err != nil {
			return err
		}
		body = bytes.NewReader(data)
	}
	r, err := http.NewRequestWithContext(ctx, c.method, g.Credentials.api()+c.path, body)
	if err != nil {
		return fmt.Errorf("%w: asking GitHub for %s", heal.ErrFinal, c.path)
	}
	r.Header.Set("Accept", "application/vnd.github+json")
	r.Header.Set("X-GitHub-Api-Version", apiVersion)
	r.Header.Set("User-Agent", "buildmedic")
	r.Header.Set("Authorization", "Bearer "+token)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	answer, err := g.HTTP.RoundTrip(r)
	if err != nil {
		return g.pause(unasked, "GitHub at "+g.Credentials.Host+" did not answer: "+g.Credentials.hide(reason(err)))
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer+1))
	if err != nil {
		return g.pause(unasked, "GitHub at "+g.Credentials.Host+" broke off: "+g.Credentials.hide(reason(err)))
	}
	if answer.StatusCode >= 200 && answer.StatusCode < 300 {
		if len(data) > maxAnswer {
			return fmt.Errorf("%w: GitHub's answer is larger than %d bytes", heal.ErrFinal, maxAnswer)
		}
		if out == nil {
			return nil
		}
		if err := json.Unmarshal(data, out); err != nil {
			return fmt.Errorf("%w: GitHub's answer cannot be read", heal.ErrFinal)
		}
		return nil
	}
	return g.refused(c, answer, data)
}

// reason is why a connection failed, without the address that was asked for.
func reason(err error) string {
	if e := (*url.Error)(nil); errors.As(err, &e) {
		err = e.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Sprintf("nothing came within %s", callTime)
	}
	return err.Error()
}

// refused says what an answer means that is no success (AWS.md#github).
func (g *GitHub) refused(c call, answer *http.Response, body []byte) error {
	var said struct {
		Message string `json:"message"`
		Errors  []struct{ Message string }
	}
	_ = json.Unmarshal(body[:min(len(body), maxAnswer)], &said) // a proxy in between may say anything
	words := said.Message
	for _, e := range said.Errors[:min(len(said.Errors), 3)] {
		if e.Message != "" {
			words += "; " + e.Message
		}
	}
	words = notice.Quote(g.Credentials.hide(cut(words, 300)))
	status := answer.StatusCode
	if wait, limited := g.limited(answer, words); limited {
		return g.pause(wait, fmt.Sprintf("GitHub limits how often it is asked (%d: %s)", status, words))
	}
	switch {
	case status == http.StatusUnauthorized:
		return errUnknownToken
	case status >= 500:
		return g.pause(unasked, fmt.Sprintf("GitHub at %s answered with %d", g.Credentials.Host, status))
	case status >= 300 && status < 400:
		return g.Credentials.fault("GitHub says that repository %s has another name now, and redirects are not followed; "+
			"write the new name into the settings", c.repository)
	case status == http.StatusForbidden && c.need == writeActions && refusesJob(words):
		return refusal{status, c.repository, words}
	case status == http.StatusForbidden:
		return g.Credentials.fault("GitHub refuses it for %s (403: %s): the credentials %s need the repository and the "+
			"permission %s%s", c.repository, words, g.Credentials.place(), c.need.Words, accepted(answer))
	case status == http.StatusNotFound:
		return fmt.Errorf("%w: %w", heal.ErrNotFound,
			g.Credentials.fault("GitHub shows nothing of the kind in %s (404): the "+
				"repository has another name, or the credentials %s do not include it with the permission %s",
				c.repository, g.Credentials.place(), c.need.Words))
	}
	return refusal{status, c.repository, words}
}

// refusal is an answer by which GitHub refuses what was asked, for another reason than who asks.
type refusal struct {
	status            int
	repository, words string
}

func (r refusal) Error() string {
	return fmt.Sprintf("%v: GitHub refuses it for %s (%d: %s)", heal.ErrFinal, r.repository, r.status, r.words)
}

func (r refusal) Unwrap() error { return heal.ErrFinal }

// says reports whether GitHub says a phrase, in lower case.
func (r refusal) says(phrase string) bool { return strings.Contains(strings.ToLower(r.words), phrase) }

// limited reports whether an answer says that GitHub was asked too often, and how long to wait then.
func (g *GitHub) limited(answer *http.Response, words string) (wait time.Duration, ok bool) {
	if answer.StatusCode != http.StatusForbidden && answer.StatusCode != http.StatusTooManyRequests {
		return 0, false
	}
	if s, err := strconv.Atoi(answer.Header.Get("Retry-After")); err == nil && s >= 0 {
		return time.Duration(min(s, 24*3600)) * time.Second, true
	}
	if answer.Header.Get("X-RateLimit-Remaining") == "0" {
		if at, err := strconv.ParseInt(answer.Header.Get("X-RateLimit-Reset"), 10, 64); err == nil {
			return time.Unix(at, 0).Sub(g.Clock.Now()), true
		}
		return unasked, true
	}
	return unasked, answer.StatusCode == http.StatusTooManyRequests || strings.Contains(strings.ToLower(words),
		"rate limit")
}

// accepted is what GitHub says that the call needs, if it does.
func accepted(answer *http.Response) string {
	need := answer.Header.Get("X-Accepted-GitHub-Permissions")
	if need == "" {
		return ""
	}
	return " (GitHub names " + notice.Quote(cut(need, 100)) + ")"
}

func cut(s string, most int) string { return strings.ToValidUTF8(s[:min(len(s), most)], "") }
