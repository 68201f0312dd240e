package awsapi

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/simaws"
)

// claims is a CodePipeline in which an action that began earlier invokes a function, which says by itself what it ran.
type claims struct {
	http.RoundTripper
	external string
}

const claimed = "11111111-2222-4333-8444-555555555555"

func (c claims) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := c.RoundTripper.RoundTrip(r)
	if err != nil || !strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".ListActionExecutions") {
		return resp, err
	}
	body, err := io.ReadAll(resp.Body)
	i := max(0, bytes.LastIndexByte(body, ']'))
	body = slices.Insert(body, i, []byte(`,{"pipelineExecutionId":"`+claimed+`","actionExecutionId":"`+claimed+`","pipelineVersion":1,`+
		`"stageName":"Build","actionName":"Invoke","startTime":4102444800,"status":"Succeeded","input":{"actionTypeId":{"owner":"AWS",`+
		`"category":"Invoke","provider":"Lambda","version":"1"}},"output":{"executionResult":{"externalExecutionId":"`+
		c.external+`"}}}`)...)
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	resp.Header.Set("Content-Length", strconv.Itoa(len(body)))
	resp.Header.Del("X-Amz-Crc32")
	return resp, err
}

// TestRunOfAnotherProvider: a build is of the execution whose CodeBuild action ran it, whatever other actions say that
// they ran.
func TestRunOfAnotherProvider(t *testing.T) {
	s := world(t, pipe)
	begun(t, s, simaws.Start{Pipeline: "shop"})
	b := s.Builds("app")[0].ID
	p := &Pipelines{Accounts: NewAccounts(config(s.URL(), simaws.FunctionKey, &http.Client{Transport: claims{s.Client().Transport, b}}),
		home, "aws", "")}
	run, err := p.RunOf(t.Context(), home, "shop", b, s.Clock.Now())
	if err != nil || run.Execution == claimed || run.Project != "app" {
		t.Errorf("build %s is said to be of %+v, %v", b, run, err)
	}
}
