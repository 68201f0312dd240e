package awsapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/heal"
)

// httpClient reaches a server; with status 0, not even its address.
func httpClient(status int) *http.Client {
	if status != 0 {
		return http.DefaultClient
	}
	return &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.DNSError{Err: "no such host", Name: "sns.eu-wst-1.amazonaws.com", IsNotFound: true}
	}}}
}

// TestPublishErrors ensures that what an owner's topic answers is taken for what it is.
func TestPublishErrors(t *testing.T) {
	const home, near = "arn:aws:sns:eu-west-1:111122223333:buildmedic", "arn:aws:sns:eu-west-1:444455556666:ci"
	const far, china = "arn:aws:sns:ap-east-2:444455556666:ci", "arn:aws-cn:sns:cn-north-1:444455556666:ci"
	for _, row := range []struct {
		topic, code string
		status      int
		want        error
	}{
		{near, "KMSAccessDenied", 400, heal.ErrDenied},
		{near, "KMSDisabled", 400, heal.ErrDenied},
		{near, "KMSThrottling", 400, heal.ErrLater},
		{near, "AuthorizationError", 403, heal.ErrDenied},
		{far, "AuthorizationError", 403, heal.ErrDenied},
		{far, "InvalidClientTokenId", 403, heal.ErrFinal},
		{far, "OptInRequired", 403, heal.ErrFinal},
		{china, "UnrecognizedClientException", 403, heal.ErrFinal},
		{far, "no such host", 0, heal.ErrFinal},
		{near, "InvalidClientTokenId", 403, nil}, // the healer's own credentials are bad, and no topic takes them
		{near, "no such host", 0, nil},
	} {
		answer := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(row.status)
			fmt.Fprintf(w, "<ErrorResponse><Error><Code>%s</Code><Message>no</Message></Error></ErrorResponse>", row.code)
		})
		server := httptest.NewServer(answer)
		s := SNS{Topic: home, Owners: map[string]string{"data": row.topic}, Client: sns.New(sns.Options{Region: "eu-west-1",
			BaseEndpoint: aws.String(server.URL), Retryer: aws.NopRetryer{}, HTTPClient: httpClient(row.status),
			Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", "")})}
		err := s.Week(t.Context(), decide.Week{For: "data"}, func(context.Context) error { return nil })
		server.Close()
		for _, kind := range []error{heal.ErrDenied, heal.ErrNotFound, heal.ErrFinal, heal.ErrLater} {
			if errors.Is(err, kind) != (kind == row.want) {
				t.Errorf("%s of %s: %v; is it %q: %v", row.code, row.topic, err, kind, errors.Is(err, kind))
			}
		}
	}
}

// TestPublishTurns ensures that each try to publish is made at a turn of its own, also those that the SDK
// repeats, and that none is made without one: e-mail subscriptions take only so many a second.
func TestPublishTurns(t *testing.T) {
	ours, plain := aws.Retryer(Retryer()), aws.Retryer(retry.NewStandard())
	for what, row := range map[string]struct {
		retryer   aws.Retryer
		throttled int // tries
		turns     int // that there are
		tries     int
		want      error
	}{
		"at once":          {ours, 0, 9, 1, nil},
		"the third":        {ours, 2, 9, 3, nil},
		"never":            {ours, 9, 9, 8, heal.ErrLater},
		"no turn":          {ours, 0, 0, 0, heal.ErrLater},
		"no turn any more": {ours, 2, 1, 1, heal.ErrLater},
		"of another kind":  {struct{ aws.Retryer }{plain}, 1, 9, 2, nil},
	} {
		synctest.Test(t, func(t *testing.T) {
			var turns, tries []time.Time
			answer := roundTripper(func(r *http.Request) (*http.Response, error) {
				tries = append(tries, time.Now())
				status, body := http.StatusOK, "<PublishResponse><PublishResult><MessageId>m</MessageId></PublishResult></PublishResponse>"
				if len(tries) <= row.throttled {
					status, body = http.StatusBadRequest, "<ErrorResponse><Error><Code>Throttling</Code></Error></ErrorResponse>"
				}
				return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)),
					Request: r}, nil
			})
			s := SNS{Topic: "arn:aws:sns:eu-west-1:111122223333:buildmedic", Client: sns.New(sns.Options{Region: "eu-west-1",
				Retryer: row.retryer, HTTPClient: &http.Client{Transport: answer},
				Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", "")})}
			err := s.Week(t.Context(), decide.Week{}, func(context.Context) error {
				if len(turns) == row.turns {
					// A ledger that is throttled is none of SNS's doing: SNS is not asked again, nor slower.
					return fmt.Errorf("%w: %w", heal.ErrLater, throttle)
				}
				time.Sleep(250 * time.Millisecond)
				turns = append(turns, time.Now())
				return nil
			})
			if !errors.Is(err, row.want) || len(tries) != row.tries || !slices.Equal(tries, turns) {
				t.Errorf("%s: tried at %v, with turns at %v, %v", what, tries, turns, err)
			}
		})
	}
}
