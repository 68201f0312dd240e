package awsapi

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/heal"
)

// TestPublishErrors ensures that what an owner's topic answers is taken for what it is.
func TestPublishErrors(t *testing.T) {
	const home, near = "arn:aws:sns:eu-west-1:111122223333:buildmedic", "arn:aws:sns:eu-west-1:444455556666:ci"
	for _, row := range []struct {
		topic, code string
		status      int
		want        error
	}{
		{near, "KMSAccessDenied", 400, heal.ErrDenied},
		{near, "KMSDisabled", 400, heal.ErrDenied},
		{near, "KMSThrottling", 400, heal.ErrLater},
		{near, "AuthorizationError", 403, heal.ErrDenied},
	} {
		answer := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(row.status)
			fmt.Fprintf(w, "<ErrorResponse><Error><Code>%s</Code><Message>no</Message></Error></ErrorResponse>", row.code)
		})
		server := httptest.NewServer(answer)
		s := SNS{Topic: home, Owners: map[string]string{"data": row.topic}, Client: sns.New(sns.Options{Region: "eu-west-1",
			BaseEndpoint: aws.String(server.URL), Retryer: aws.NopRetryer{},
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
