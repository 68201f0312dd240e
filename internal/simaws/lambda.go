package simaws

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
)

// Invocation runs a function: what it answers, or its error.
type Invocation func(ctx context.Context, payload json.RawMessage) (json.RawMessage, error)

// AddFunction puts a Lambda function into the home account. It may call the Sim.
func (s *Sim) AddFunction(name string, run Invocation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.functions[name] = run
}

var lambdaOperations = map[string]operation{
	"Invoke": {writes: true, run: invoke},
}

// maxInvocation is Lambda's limit of a payload, to and from a function.
const maxInvocation = 6 << 20

// lambdaWire is Lambda's REST protocol, of which the path names the operation and the function.
func lambdaWire() wire {
	w := restWire(lambdaOperations)
	w.name = func(h *http.Request, _ []byte) string {
		if _, ok := invoked(h); ok && h.Method == http.MethodPost {
			return "Invoke"
		}
		return h.Method + " " + h.URL.Path
	}
	w.result = func(_ *request, v any) response { return v.(response) }
	return w
}

// invoked is the name of the function that a request is for, which may be given by its ARN.
func invoked(h *http.Request) (string, bool) {
	rest, ok := strings.CutPrefix(h.URL.EscapedPath(), "/2015-03-31/functions/")
	name, ok2 := strings.CutSuffix(rest, "/invocations")
	name, err := url.PathUnescape(name)
	if _, n, ok := strings.Cut(name, ":function:"); ok {
		name = n
	}
	return name, ok && ok2 && err == nil
}

// invoke runs a function. A function's error is an answer, with a header that says so
// (AWS.md#invoke). An event's answer nobody sees.
func invoke(r *request) (any, error) {
	name, _ := invoked(r.http)
	arn := r.est.arn("lambda", "function:"+name)
	if err := r.authorize("lambda:InvokeFunction", arn, nil); err != nil {
		return nil, err
	}
	run := r.sim.functions[name]
	if run == nil || r.est != r.sim.home() {
		return nil, &apiError{Code: "ResourceNotFoundException", Message: "Function not found: " + arn, Status: 404}
	}
	payload := json.RawMessage(r.body)
	if len(payload) == 0 {
		payload = json.RawMessage("{}")
	}
	switch {
	case len(payload) > maxInvocation:
		return nil, &apiError{Code: "RequestEntityTooLargeException", Status: 413,
			Message: "Request must be smaller than 6291456 bytes for the InvokeFunction operation"}
	case !json.Valid(payload):
		return nil, fail("InvalidRequestContentException", "Could not parse request body into json: it is no JSON")
	}
	kind := r.http.Header.Get("X-Amz-Invocation-Type")
	if kind == "DryRun" {
		return response{status: 204}, nil
	}
	ctx := r.http.Context()
	return outside(func() (any, error) {
		header := map[string]string{"Content-Type": "application/json", "X-Amz-Executed-Version": "$LATEST"}
		answer, err := run(ctx, payload)
		if err != nil {
			header["X-Amz-Function-Error"] = "Unhandled"
			answer, _ = json.Marshal(map[string]string{"errorMessage": err.Error(), "errorType": "errorString"}) // texts always can be
		}
		if kind == "Event" {
			return response{status: 202, header: header}, nil
		}
		return response{status: 200, header: header, body: answer}, nil
	}), nil
}
