package simaws

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
)

// Client is an HTTP client to give to the SDK (aws.Config.HTTPClient). The
// SDK's own works too, but on loopback the answer can be there before that
// client has quite finished with the request; the SDK then closes the
// request's body, net/http takes this for a failed write and drops the
// connection, and the rest of a long answer with it. The SDK's usual retryer
// tries again, which makes one call two. This client is not so hasty.
func (s *Sim) Client() *http.Client { return s.client }

// newClient makes the client; it keeps connections for many workers.
func newClient() *http.Client {
	return &http.Client{Transport: plainBodies{&http.Transport{MaxIdleConnsPerHost: 64}}}
}

// plainBodies hides the WriteTo method of request bodies: the SDK's answers
// EOF after Close, which net/http takes for an error there, but not in Read.
type plainBodies struct{ *http.Transport }

type plainBody struct{ io.ReadCloser }

func (t plainBodies) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil && r.Body != http.NoBody {
		r = r.Clone(r.Context())
		r.Body = plainBody{r.Body}
	}
	return t.Transport.RoundTrip(r)
}

// Direct is an HTTP client that hands requests to the Sim without a network:
// where many are made, and in a bubble of package testing/synctest, in which
// time stands still while a goroutine waits for a network.
func (s *Sim) Direct() *http.Client { return &http.Client{Transport: direct{s}} }

type direct struct{ sim *Sim }

// RoundTrip implements [http.RoundTripper].
func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	in := r.Clone(r.Context())
	if in.Body == nil {
		in.Body = http.NoBody
	}
	defer in.Body.Close()
	in.RequestURI = r.URL.RequestURI()
	if in.Host == "" {
		in.Host = r.URL.Host
	}
	w := answer{header: http.Header{}, status: http.StatusOK}
	d.sim.serve(&w, in)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	if w.cut {
		return nil, io.ErrUnexpectedEOF
	}
	return &http.Response{Status: http.StatusText(w.status), StatusCode: w.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.header, Body: io.NopCloser(&w.body), ContentLength: int64(w.body.Len()), Request: r}, nil
}

// answer is what the Sim answers to a direct request.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
	cut    bool
}

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) WriteHeader(status int)      { a.status = status }
func (a *answer) Write(p []byte) (int, error) { return a.body.Write(p) }

// Hijack is how the Sim cuts a connection.
func (a *answer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	a.cut = true
	here, there := net.Pipe()
	there.Close()
	return here, nil, nil
}
