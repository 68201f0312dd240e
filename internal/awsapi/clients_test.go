package awsapi

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	cb "github.com/aws/aws-sdk-go-v2/service/codebuild"
)

// answers is a service that answers with these statuses, then always with 200.
type answers struct{ statuses []int }

// Do implements [aws.HTTPClient].
func (a *answers) Do(*http.Request) (*http.Response, error) {
	status := http.StatusOK
	if len(a.statuses) > 0 {
		status, a.statuses = a.statuses[0], a.statuses[1:]
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("{}"))}, nil
}

// TestQuotaIsRefilled ensures that calls which succeed give a client back what
// its retries have used up of its quota: else, after a storm, each call would
// fail at its first error for as long as the instance lives.
func TestQuotaIsRefilled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service := &answers{}
		cfg := config("http://127.0.0.1", "AKIDEXAMPLE", nil)
		cfg.HTTPClient, cfg.Retryer = service, func() aws.Retryer { return Retryer() }
		client := cb.NewFromConfig(cfg)
		call := func(statuses ...int) error {
			service.statuses = statuses
			_, err := client.ListBuilds(t.Context(), &cb.ListBuildsInput{})
			return err
		}
		down := slices.Repeat([]int{http.StatusInternalServerError}, 100)
		for range 100 {
			if err := call(down...); err == nil {
				t.Fatal("a service that is down answers")
			}
		}
		if err := call(http.StatusInternalServerError); err == nil {
			t.Fatal("the quota has no end")
		}
		for range 100 {
			if err := call(); err != nil {
				t.Fatal(err)
			}
		}
		if err := call(http.StatusInternalServerError); err != nil {
			t.Errorf("after 100 successes one error is not tried again: %v", err)
		}
	})
}
