package awsapi

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
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
		err := s.Week(t.Context(), decide.Week{For: "data"})
		server.Close()
		for _, kind := range []error{heal.ErrDenied, heal.ErrNotFound, heal.ErrFinal, heal.ErrLater} {
			if errors.Is(err, kind) != (kind == row.want) {
				t.Errorf("%s of %s: %v; is it %q: %v", row.code, row.topic, err, kind, errors.Is(err, kind))
			}
		}
	}
}
