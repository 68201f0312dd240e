package simaws

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// jsonWire is AWS JSON 1.0 or 1.1: the operation is in X-Amz-Target, bodies
// are JSON.
func jsonWire(version, target string, operations map[string]operation) wire {
	contentType := "application/x-amz-json-" + version
	return wire{
		name: func(h *http.Request, _ []byte) string {
			return strings.TrimPrefix(h.Header.Get("X-Amz-Target"), target+".")
		},
		result: func(_ *request, v any) response { return jsonResponse(contentType, 200, v) },
		failure: func(_ *request, e *apiError) response {
			body := map[string]any{"__type": e.Code, "message": e.Message}
			maps.Copy(body, e.More)
			return jsonResponse(contentType, orStatus(e.Status, 400), body)
		},
		throttle:   apiError{Code: "ThrottlingException", Message: "Rate exceeded", Status: 400},
		deniedCode: "AccessDeniedException",
		strange:    "UnrecognizedClientException", noOperation: "UnknownOperationException",
		operations: operations,
	}
}

// sqsWire is AWS JSON 1.0 with the error codes of the old query protocol in a
// header, which is what the SDK gives as code.
func sqsWire() wire {
	w := jsonWire("1.0", "AmazonSQS", sqsOperations)
	plain, name := w.failure, w.name
	// Clients of before 2024 speak the query protocol, which is only told that it is not known.
	old := queryWire("http://queue.amazonaws.com/doc/2012-11-05/", "", nil)
	w.name = func(h *http.Request, body []byte) string {
		if h.Header.Get("X-Amz-Target") == "" {
			return old.name(h, body) + " in the query protocol"
		}
		return name(h, body)
	}
	w.failure = func(r *request, e *apiError) response {
		if r.http.Header.Get("X-Amz-Target") == "" {
			return old.failure(r, e)
		}
		resp := plain(r, e)
		if old, ok := sqsQueryCodes[e.Code]; ok {
			resp.header["x-amzn-query-error"] = old + ";Sender"
		}
		return resp
	}
	w.throttle = apiError{Code: "RequestThrottled", Message: "Request is throttled.", Status: 400}
	return w
}

func jsonResponse(contentType string, status int, v any) response {
	body, err := json.Marshal(v)
	if err != nil {
		panic("simaws: encoding a response: " + err.Error()) // every response type is ours
	}
	return response{status: status, header: map[string]string{"Content-Type": contentType}, body: body}
}

func orStatus(status, usual int) int {
	if status != 0 {
		return status
	}
	return usual
}

// jsonCall makes an operation out of a function with a typed input. A
// parameter that the type does not have is refused loudly.
func jsonCall[In any](writes bool, f func(r *request, in *In) (any, error)) operation {
	return operation{writes: writes, run: func(r *request) (any, error) {
		var in In
		if err := r.onlyQuery(); err != nil {
			return nil, err
		}
		dec := json.NewDecoder(bytes.NewReader(r.body))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&in); err != nil {
			return nil, r.unknownParameter(err.Error())
		}
		return f(r, &in)
	}}
}

// unknownParameter refuses, and records, what the Sim does not know.
func (r *request) unknownParameter(what string) error {
	r.sim.unknown = append(r.sim.unknown, r.service+"."+r.operation+": "+what)
	return &apiError{Code: services[r.service].noOperation, Status: http.StatusNotImplemented,
		Message: "the simulated AWS account does not know this input of " + r.service + "." + r.operation + ": " + what}
}

// onlyQuery refuses loudly what else is in the URL's query.
func (r *request) onlyQuery(known ...string) error {
	for name := range r.http.URL.Query() {
		if !slices.Contains(known, name) {
			return r.unknownParameter("query parameter " + name)
		}
	}
	return nil
}

// epoch is a time as AWS JSON has it: seconds, with a fraction.
type epoch time.Time

func (e epoch) MarshalJSON() ([]byte, error) {
	t := time.Time(e)
	if t.IsZero() {
		return []byte("null"), nil
	}
	return strconv.AppendFloat(nil, float64(t.UnixMilli())/1000, 'f', 3, 64), nil
}
