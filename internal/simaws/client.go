package simaws

import (
	"io"
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
