package sandbox

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"path/filepath"
	"time"

	"github.com/buildmedic/buildmedic/internal/simaws"
)

// What the sandbox serves beside AWS's services, to callers who know its name: no page in a browser
// can send that header.
const (
	clockPath  = "/buildmedic-sandbox/clock"
	nameHeader = "X-Buildmedic-Sandbox"
)

// maxPass is how much time passes at most for one call.
const maxPass = 400 * 24 * time.Hour

// serve answers a [Client]: what time it is, after letting time pass if it asks for that.
func (s *Sandbox) serve(sim *simaws.Sim) {
	name := filepath.Base(s.o.Dir)
	sim.Handle(clockPath, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if subtle.ConstantTimeCompare([]byte(r.Header.Get(nameHeader)), []byte(name)) != 1 {
			http.Error(w, "this is another sandbox", http.StatusForbidden)
			return
		}
		s.catchUp()
		if text := r.URL.Query().Get("pass"); text != "" {
			d, err := time.ParseDuration(text)
			if err != nil || d < 0 || d > maxPass || r.Method != http.MethodPost {
				http.Error(w, "it takes a duration of up to 400 days", http.StatusBadRequest)
				return
			}
			s.pass(r.Context(), d)
		}
		s.touch()
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(s.Sim.Clock.Now()) // an error is of a caller who went away
	}))
}

// Client is the sandbox's time, for a command that works against it.
type Client struct {
	url, name string
	http      *http.Client
}

// Connect makes the client of the sandbox at the endpoint, which must be on loopback, with the
// folder. It calls nothing.
func Connect(endpoint, dir string) (*Client, error) {
	u, err := url.Parse(endpoint)
	if err != nil {
		return nil, fmt.Errorf("the sandbox's endpoint: %w", err)
	}
	ip, err := netip.ParseAddr(u.Hostname())
	if u.Scheme != "http" || err != nil || !ip.IsLoopback() || dir == "" {
		return nil, fmt.Errorf("%q is no sandbox's endpoint", endpoint)
	}
	return &Client{url: "http://" + u.Host + clockPath, name: filepath.Base(dir),
		http: &http.Client{Timeout: 5 * time.Minute}}, nil
}

// ErrEnded means that the sandbox does not answer.
var ErrEnded = errors.New("the sandbox has ended")

// Time asks what time it is in the account.
func (c *Client) Time(ctx context.Context) (time.Time, error) { return c.ask(ctx, http.MethodGet, "") }

// Pass lets time pass in the account, and says what time it is then.
func (c *Client) Pass(ctx context.Context, d time.Duration) (time.Time, error) {
	return c.ask(ctx, http.MethodPost, "?pass="+d.String())
}

func (c *Client) ask(ctx context.Context, method, query string) (now time.Time, err error) {
	r, err := http.NewRequestWithContext(ctx, method, c.url+query, nil)
	if err != nil {
		return now, err
	}
	r.Header.Set(nameHeader, c.name)
	resp, err := c.http.Do(r)
	if err != nil {
		return now, errors.Join(ErrEnded, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
	switch {
	case err != nil:
		return now, errors.Join(ErrEnded, err)
	case resp.StatusCode == http.StatusForbidden:
		return now, ErrEnded // another has its port
	case resp.StatusCode != http.StatusOK:
		return now, fmt.Errorf("the sandbox: %s", body)
	}
	return now, json.Unmarshal(body, &now)
}

// Now implements a clock: the account's time, or the real one once the sandbox has ended.
func (c *Client) Now() time.Time {
	now, err := c.Time(context.Background())
	if err != nil {
		return time.Now()
	}
	return now
}

// Sleep returns when the time has passed in the account.
func (c *Client) Sleep(ctx context.Context, d time.Duration) error {
	_, err := c.Pass(ctx, max(d, 0))
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}
