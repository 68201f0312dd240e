package deploytest

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/simaws"
)

// router is AWS's one endpoint on loopback: it hands each call to the
// emulator, except for those that only the simulated account can answer. It
// speaks TLS, as AWS does: the stack's own policies refuse whoever comes
// without, and so does the bucket that `cdk bootstrap` makes.
type router struct {
	*httptest.Server
	sim    *simaws.Sim
	root   string // access key id of the emulator's root: the account's number
	mirror func(context.Context) error

	mu    sync.Mutex
	known map[string]bool // access keys that the Sim was told of
	calls []string        // "emulator iam.PutRolePolicy", "simaws codebuild.RetryBuild", with the status if it is an error
	// function is who uses a key that is not known: the function need not ask STS who it is.
	function *simaws.Identity
}

// simulated are the calls for the simulated account: a service, or one
// operation of it.
var simulated = []string{"codebuild", "logs.GetLogEvents", "iam.SimulatePrincipalPolicy"}

// newRouter starts a router. mirror is called before each call to the Sim.
func newRouter(emulator *url.URL, sim *simaws.Sim, root string, mirror func(context.Context) error) (*router, error) {
	stand, err := url.Parse(sim.URL())
	if err != nil {
		return nil, fmt.Errorf("the simulated account's address: %w", err)
	}
	r := &router{sim: sim, root: root, mirror: mirror, known: map[string]bool{}}
	to := func(target *url.URL, name string, signed bool) *httputil.ReverseProxy {
		return &httputil.ReverseProxy{
			Rewrite: func(p *httputil.ProxyRequest) {
				p.SetURL(target) // the Sim answers to its own name alone
				if signed {
					p.Out.Host = p.In.Host
				}
				p.Out.Header.Set("X-Forwarded-Proto", "https")
			},
			ModifyResponse: func(resp *http.Response) error { return r.saw(name, resp) },
		}
	}
	there, here := to(emulator, "emulator", true), to(stand, "simaws", false)
	r.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		c, err := readCall(req)
		switch {
		case err != nil:
			http.Error(w, err.Error(), http.StatusBadRequest)
		case !c.simulated():
			there.ServeHTTP(w, req)
		default:
			if err := r.prepare(req, c.key); err != nil {
				http.Error(w, "deploytest: "+err.Error(), http.StatusBadGateway)
				return
			}
			here.ServeHTTP(w, req)
		}
	}))
	return r, nil
}

// prepare has the Sim know what it needs to judge a call: the time, the
// policies as the emulator has them, and who calls.
func (r *router) prepare(req *http.Request, key string) error {
	r.mu.Lock()
	known := r.known[key]
	r.mu.Unlock()
	if d := time.Since(r.sim.Clock.Now()); d > 0 {
		r.sim.Clock.Advance(d)
	}
	if err := r.mirror(req.Context()); err != nil {
		return err
	}
	if key == r.root {
		signed := req.Header.Get("Authorization")
		req.Header.Set("Authorization", strings.Replace(signed, "Credential="+key+"/", "Credential="+simaws.OwnerKey+"/", 1))
	} else if !known && r.function != nil {
		r.sim.Caller(key, account, *r.function)
		r.mu.Lock()
		r.known[key] = true
		r.mu.Unlock()
	} else if !known {
		return fmt.Errorf("whose key %q is, is not known here: the emulator answered no GetCallerIdentity with it", key)
	}
	return nil
}

// saw records an answer, and learns from STS whose a key is.
func (r *router) saw(from string, resp *http.Response) error {
	c, err := readCall(resp.Request)
	if err != nil {
		return err
	}
	line := from + " " + c.service + "." + c.operation
	if resp.StatusCode >= 400 {
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			return err
		}
		resp.Body = io.NopCloser(bytes.NewReader(body))
		line += fmt.Sprintf(" -> %d %.600s", resp.StatusCode, bytes.TrimSpace(body))
	}
	if c.service == "sts" && c.operation == "GetCallerIdentity" && resp.StatusCode == http.StatusOK {
		if err := r.learn(c.key, resp); err != nil {
			return err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, line)
	return nil
}

func (r *router) learn(key string, resp *http.Response) error {
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	var answer struct {
		Arn     string `xml:"GetCallerIdentityResult>Arn"`
		Account string `xml:"GetCallerIdentityResult>Account"`
	}
	if err := xml.Unmarshal(body, &answer); err != nil {
		return fmt.Errorf("what STS answers: %w", err)
	}
	_, session, ok := strings.Cut(answer.Arn, ":assumed-role/")
	if !ok {
		return nil // the root, which prepare knows
	}
	role, session, _ := strings.Cut(session, "/")
	r.sim.Caller(key, answer.Account, simaws.Identity{Role: role, Session: session})
	r.mu.Lock()
	defer r.mu.Unlock()
	r.known[key] = true
	return nil
}

// seen lists the calls so far.
func (r *router) seen() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.calls)
}

// call is what a request says it is.
type call struct{ key, service, operation string }

func (c call) simulated() bool {
	return slices.Contains(simulated, c.service) || slices.Contains(simulated, c.service+"."+c.operation)
}

// readCall reads who calls what: the access key and the service from the
// signature, the operation from the header of the JSON protocols or the form
// of the query protocol. For others it is the method and the path.
func readCall(req *http.Request) (call, error) {
	_, rest, _ := strings.Cut(req.Header.Get("Authorization"), "Credential=")
	credential, _, _ := strings.Cut(rest, ",")
	f := strings.Split(credential, "/")
	if len(f) != 5 {
		return call{service: "unsigned", operation: req.Method + " " + req.URL.Path}, nil
	}
	c := call{key: f[0], service: f[3], operation: req.Method + " " + req.URL.Path}
	if target := req.Header.Get("X-Amz-Target"); target != "" {
		_, c.operation, _ = strings.Cut(target, ".")
		return c, nil
	}
	if !strings.HasPrefix(req.Header.Get("Content-Type"), "application/x-www-form-urlencoded") || req.Body == nil {
		return c, nil
	}
	if req.GetBody == nil { // read once, kept for whoever sends it on and for saw
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return c, fmt.Errorf("reading a call of %s: %w", c.service, err)
		}
		req.Body = io.NopCloser(bytes.NewReader(body))
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	}
	again, err := req.GetBody()
	if err != nil {
		return c, err
	}
	body, err := io.ReadAll(again)
	if err != nil {
		return c, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return c, fmt.Errorf("reading a call of %s: %w", c.service, err)
	}
	c.operation = form.Get("Action")
	return c, nil
}

// TestRouter ensures that each call goes where it is answered, with the
// signature of its caller, and over TLS.
func TestRouter(t *testing.T) {
	sim, err := simaws.New(simaws.Config{Account: "290008131176", Region: "us-west-2"})
	if err != nil {
		t.Fatal(err)
	}
	defer sim.Close()
	var got []string
	emulator := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		got = append(got, fmt.Sprintf("%s %s %s", req.Host, req.Header.Get("X-Forwarded-Proto"), body))
		io.WriteString(w, `<GetCallerIdentityResponse><GetCallerIdentityResult>`+
			`<Arn>arn:aws:sts::290008131176:assumed-role/buildmedic/f</Arn>`+
			`<Account>290008131176</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`)
	}))
	defer emulator.Close()
	at, err := url.Parse(emulator.URL)
	if err != nil {
		t.Fatal(err)
	}
	mirrored := 0
	r, err := newRouter(at, sim, "290008131176", func(context.Context) error { mirrored++; return nil })
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	send := func(key, service, target, form string) (int, string) {
		req, err := http.NewRequest(http.MethodPost, r.URL, strings.NewReader(form))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+key+"/20261129/us-west-2/"+service+
			"/aws4_request, SignedHeaders=host, Signature=00")
		if target != "" {
			req.Header.Set("X-Amz-Target", target)
		} else {
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
		}
		resp, err := r.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(body)
	}

	const list = "CodeBuild_20161006.ListProjects"
	status, body := send("ASIAFUNCTION", "codebuild", list, "{}")
	if status != http.StatusBadGateway || !strings.Contains(body, "is not known here") {
		t.Errorf("a key that STS does not know: %d %s", status, body)
	}
	const who = "Action=GetCallerIdentity&Version=2011-06-15"
	if status, _ := send("ASIAFUNCTION", "sts", "", who); status != http.StatusOK {
		t.Errorf("the emulator's answer: %d", status)
	}
	if want := strings.TrimPrefix(r.URL, "https://") + " https " + who; len(got) != 1 || got[0] != want {
		t.Errorf("the emulator got %q, want %q", got, want)
	}
	for _, key := range []string{"ASIAFUNCTION", "290008131176"} {
		if status, body := send(key, "codebuild", list, "{}"); status != http.StatusOK || !strings.Contains(body, "projects") {
			t.Errorf("%s to the simulated account: %d %s", key, status, body)
		}
	}
	calls := sim.Calls()
	if len(calls) != 2 || calls[0].Principal != "arn:aws:sts::290008131176:assumed-role/buildmedic/f" ||
		calls[1].Principal != "arn:aws:iam::290008131176:root" {
		t.Errorf("the simulated account saw %v", calls)
	}
	if len(got) != 1 || mirrored != 3 {
		t.Errorf("the emulator got %d calls, should be 1; policies were mirrored %d times, should be 3", len(got), mirrored)
	}
	for operation, want := range map[call]bool{
		{service: "logs", operation: "GetLogEvents"}: true, {service: "logs", operation: "PutLogEvents"}: false,
		{service: "iam", operation: "SimulatePrincipalPolicy"}: true, {service: "iam", operation: "PutRolePolicy"}: false,
		{service: "codebuild", operation: "RetryBuild"}: true, {service: "s3", operation: "GET /b"}: false,
	} {
		if operation.simulated() != want {
			t.Errorf("%+v goes to the simulated account: %t", operation, !want)
		}
	}
}
