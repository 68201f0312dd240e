package awsapi

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	cb "github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/simaws"
)

// newer answers as a CodeBuild that has settings which the SDK does not know: text is put behind the
// first environment of an answer to the operation.
type newer struct {
	http.RoundTripper
	text map[string]string // by operation
}

func (n newer) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := n.RoundTripper.RoundTrip(r)
	text := n.text[r.Header.Get("X-Amz-Target")[len("CodeBuild_20161006."):]]
	if err != nil || text == "" {
		return resp, err
	}
	body, err := io.ReadAll(resp.Body)
	body = bytes.Replace(body, []byte(`"environment":{`), []byte(`"environment":{`+text+`,`), 1)
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	resp.Header.Set("Content-Length", strconv.Itoa(len(body)))
	resp.Header.Del("X-Amz-Crc32")
	return resp, err
}

// TestSettingsThatNobodyKnows: a build with a setting that is newer than the SDK is not started anew, unless
// its project has the same.
func TestSettingsThatNobodyKnows(t *testing.T) {
	s := world(t, failing)
	b := got(t, s, overriding(t, s, &cb.StartBuildInput{TimeoutInMinutesOverride: aws.Int32(30)}))
	kernel := `"hostKernel":{"version":"6.12"}`
	for name, row := range map[string]struct {
		text map[string]string
		want []string
	}{
		"nothing new":    {nil, nil},
		"of the build":   {map[string]string{"BatchGetBuilds": kernel}, []string{"environment.hostKernel"}},
		"of the project": {map[string]string{"BatchGetProjects": kernel}, []string{"environment.hostKernel"}},
		"of both":        {map[string]string{"BatchGetBuilds": kernel, "BatchGetProjects": kernel}, nil},
		"of both, and another": {map[string]string{"BatchGetBuilds": kernel, "BatchGetProjects": `"hostKernel":{"version":"6.1"}`},
			[]string{"environment.hostKernel"}},
		"there, and not set":          {map[string]string{"BatchGetBuilds": `"hostKernel":null`}, nil},
		"an older name in other case": {map[string]string{"BatchGetBuilds": `"computetype":"BUILD_GENERAL1_SMALL"`}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			client := *s.Client()
			client.Transport = newer{client.Transport, row.text}
			c := CodeBuild{NewAccounts(config(s.URL(), simaws.FunctionKey, &client), home, "aws", "")}
			missing, err := c.Unrepeatable(t.Context(), b)
			if err != nil || !slices.Equal(missing, row.want) {
				t.Errorf("it misses %v, %v; want %v", missing, err, row.want)
			}
			_, err = c.Retry(t.Context(), b, decide.Plan{Route: decide.RouteStart, Buildspec: "moved.yml"}, "token "+name, nil)
			if refused := err != nil && strings.Contains(err.Error(), "hostKernel"); refused != (len(row.want) > 0) {
				t.Errorf("started: %v", err)
			}
			if err != nil && strings.Contains(err.Error(), "6.1") {
				t.Errorf("a value is told: %v", err)
			}
		})
	}
}

// otherwise answers to the operation with one text in the place of another.
type otherwise struct {
	http.RoundTripper
	operation, was, is string
}

func (o otherwise) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := o.RoundTripper.RoundTrip(r)
	if err != nil || !strings.HasSuffix(r.Header.Get("X-Amz-Target"), "."+o.operation) {
		return resp, err
	}
	body, err := io.ReadAll(resp.Body)
	body = bytes.ReplaceAll(body, []byte(o.was), []byte(o.is))
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	resp.Header.Del("X-Amz-Crc32")
	return resp, err
}

// TestRetriedAsItWas: what a retry takes from the project as it is now is not documented (AWS.md#undocumented), so
// the new build's record is compared with the old one's, and what differs is told by its name alone.
func TestRetriedAsItWas(t *testing.T) {
	for want, row := range map[string][2]string{
		"":                      {"x", "x"},
		"environment variables": {`"value":"staging"`, `"value":"production"`},
		"privileged mode":       {`"privilegedMode":true`, `"privilegedMode":false`},
		"image":                 {`"image":"aws/codebuild/standard:7.0"`, `"image":"example/own"`},
	} {
		s := world(t, failing)
		id := overriding(t, s, &cb.StartBuildInput{PrivilegedModeOverride: aws.Bool(true),
			EnvironmentVariablesOverride: []types.EnvironmentVariable{{Name: aws.String("STAGE"), Value: aws.String("staging")}}})
		client := *s.Client()
		client.Transport = otherwise{client.Transport, "RetryBuild", row[0], row[1]}
		c := CodeBuild{NewAccounts(config(s.URL(), simaws.FunctionKey, &client), home, "aws", "")}
		again, err := c.Retry(t.Context(), got(t, s, id), decide.Plan{Route: decide.RouteBuild}, "token", nil)
		if err != nil || strings.Join(again.Differs, ", ") != want {
			t.Errorf("it differs in %v, %v; want %q", again.Differs, err, want)
		}
	}
}
