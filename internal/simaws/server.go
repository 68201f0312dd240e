package simaws

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// request is one API call on its way through the Sim.
type request struct {
	sim       *Sim
	key       string  // access key id
	est       *estate // the caller's account, in the region that the request was signed for
	caller    caller
	service   string // as in the signature's scope
	operation string
	body      []byte
	http      *http.Request
	resources []string // what authorize was asked about
	about     string   // what else a transcript should show
	id        string
}

// operation is one API operation. run is called with the Sim locked.
type operation struct {
	writes bool // changes something that outlives the call
	run    func(r *request) (any, error)
}

// wire is a service's protocol: how it names the operation, and how it puts
// results and errors.
type wire struct {
	name       func(h *http.Request, body []byte) string
	result     func(r *request, v any) response
	failure    func(r *request, e *apiError) response
	throttle   apiError
	deniedCode string
	strange    string // error code for an access key that nobody has
	// noOperation is the error code for an operation that the service does not have. The Sim answers
	// with it what it does not know.
	noOperation string
	operations  map[string]operation
}

// outside is the part of an operation that runs with the Sim unlocked.
type outside func() (any, error)

// response is what goes back over HTTP.
type response struct {
	status int
	header map[string]string
	body   []byte
}

// services are the services that the Sim knows, by the name in the
// signature's scope.
var services map[string]wire

func init() {
	services = map[string]wire{
		"codebuild":       jsonWire("1.1", "CodeBuild_20161006", codebuildOperations),
		"logs":            jsonWire("1.1", "Logs_20140328", logsOperations),
		"ecr":             jsonWire("1.1", "AmazonEC2ContainerRegistry_V20150921", ecrOperations),
		"codepipeline":    jsonWire("1.1", "CodePipeline_20150709", pipelineOperations),
		"codecommit":      jsonWire("1.1", "CodeCommit_20150413", codeCommitOperations),
		"cloudtrail":      jsonWire("1.1", "CloudTrail_20131101", trailOperations),
		"sqs":             sqsWire(),
		"iam":             queryWire("https://iam.amazonaws.com/doc/2010-05-08/", "AccessDenied", iamOperations),
		"sts":             queryWire("https://sts.amazonaws.com/doc/2011-06-15/", "AccessDenied", stsOperations),
		"sns":             queryWire("http://sns.amazonaws.com/doc/2010-03-31/", "AuthorizationError", snsOperations),
		"s3":              s3Wire(),
		"secretsmanager":  jsonWire("1.1", "secretsmanager", secretsOperations),
		"ssm":             jsonWire("1.1", "AmazonSSM", parametersOperations),
		"github":          githubWire(), // the code host, which is no service of AWS
		"access-analyzer": restWire(analyzerOperations),
		"iam-toolbox":     toolboxWire(),
		"dynamodb":        jsonWire("1.0", "DynamoDB_20120810", dynamodbOperations),
		"cloudformation":  queryWire("http://cloudformation.amazonaws.com/doc/2010-05-15/", "AccessDenied", stackOperations),
		"lambda":          lambdaWire(),
	}
}

// apiError is an error that a service answers with.
type apiError struct {
	Code, Message string
	Status        int            // 0: the protocol's usual one
	More          map[string]any // what else a JSON answer has
}

func (e *apiError) Error() string { return e.Code + ": " + e.Message }

func fail(code, message string) error { return &apiError{Code: code, Message: message} }

// maxBody bounds a request's body.
const maxBody = 8 << 20

// serve answers one HTTP request.
func (s *Sim) serve(w http.ResponseWriter, h *http.Request) {
	began := time.Now()
	if why := s.strange(h); why != "" {
		http.Error(w, why, http.StatusForbidden)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, h.Body, maxBody))
	if err != nil {
		http.Error(w, "the request's body cannot be read, or has more than 8 MB", http.StatusRequestEntityTooLarge)
		return
	}
	if other := s.besides(h.URL.Path); other != nil {
		other.ServeHTTP(w, h)
		return
	}
	time.Sleep(s.latency())
	sc := parseScope(h.Header.Get("Authorization"))
	if h.Header.Get(codeHostHeader) != "" {
		sc = scope{key: FunctionKey, region: s.cfg.Region, service: "github"}
	}
	if sc.service == "iam" && strings.HasPrefix(h.URL.Path, detailsPath) {
		sc.service = "iam-toolbox"
	}
	wr, known := services[sc.service]
	if !known {
		s.note(sc.service + " (service)")
		s.writeResponse(w, &request{http: h}, noService(h, sc))
		return
	}
	r := &request{sim: s, service: sc.service, operation: wr.name(h, body), body: body, http: h}
	c := s.arrive(r, sc, began)
	if s.cutOff(sc.key) {
		s.finish(c, r, nil, faultCut, false)
		cut(w)
		return
	}
	if f := s.ask(c); f.any() {
		s.refuse(w, r, wr, c, f)
		return
	}
	resp, apiErr := s.perform(r, wr)
	done := s.finish(c, r, apiErr, "", apiErr == nil)
	if f := s.ask(done); f.any() {
		s.refuse(w, r, wr, c, f)
		return
	}
	s.writeResponse(w, r, resp)
}

// strange says why a request is refused before it is looked at. A page in a browser can send
// requests to loopback, under a name of its own that it has made resolve to it; AWS's clients send
// no Origin.
func (s *Sim) strange(h *http.Request) string {
	_, port, _ := net.SplitHostPort(s.host)
	switch {
	case h.Host != s.host && h.Host != "localhost:"+port:
		return "this simulated AWS account answers only to " + s.host
	case h.Header.Get("Origin") != "" || h.Header.Get("Sec-Fetch-Site") != "":
		return "this simulated AWS account does not answer to web pages"
	}
	return ""
}

func (s *Sim) besides(path string) http.Handler {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.beside[path]
}

// noService answers a call of a service that the Sim does not know, in the protocol that the call
// looks like.
func noService(h *http.Request, sc scope) response {
	e := &apiError{Code: "UnknownOperationException", Status: http.StatusNotImplemented,
		Message: "the simulated AWS account has no service " + strconv.Quote(sc.service)}
	if sc.service == "" {
		e = &apiError{Code: "MissingAuthenticationToken", Status: http.StatusForbidden,
			Message: "this is a simulated AWS account: the request is not signed by an AWS client"}
	}
	r := &request{http: h}
	switch {
	case h.Header.Get("X-Amz-Target") != "":
		return jsonWire("1.1", "", nil).failure(r, e)
	case strings.HasPrefix(h.Header.Get("Content-Type"), "application/x-www-form-urlencoded"):
		return queryWire("", "", nil).failure(r, e)
	}
	return restWire(nil).failure(r, e)
}

// perform carries the call out and gives its answer.
func (s *Sim) perform(r *request, wr wire) (response, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cfg.Trouble.CallTime > 0 {
		s.advance(s.now.Add(s.cfg.Trouble.CallTime))
	}
	v, err := s.carryOut(r, wr)
	if do, ok := v.(outside); ok && err == nil {
		s.mu.Unlock()
		v, err = do()
		s.mu.Lock()
	}
	if err == nil {
		return wr.result(r, v), nil
	}
	var ae *apiError
	if !errors.As(err, &ae) {
		ae = &apiError{Code: "InternalFailure", Message: "simaws: " + err.Error(), Status: http.StatusInternalServerError}
		s.unknown = append(s.unknown, r.service+"."+r.operation+": "+err.Error())
	}
	return wr.failure(r, ae), ae
}

func (s *Sim) carryOut(r *request, wr wire) (any, error) {
	op, ok := wr.operations[r.operation]
	if !ok {
		s.unknown = append(s.unknown, r.service+"."+r.operation)
		return nil, &apiError{Code: wr.noOperation, Status: http.StatusNotImplemented,
			Message: "the simulated AWS account does not know " + r.service + "." + r.operation}
	}
	if r.est == nil {
		return nil, &apiError{Code: wr.strange, Status: http.StatusForbidden,
			Message: "The security token included in the request is invalid."}
	}
	if r.service == "github" {
		if err := s.github.down(s.now); err != nil {
			return nil, err
		}
	}
	if s.throttled(r) {
		e := wr.throttle
		return nil, &e
	}
	return op.run(r)
}

// refuse answers with a fault instead.
func (s *Sim) refuse(w http.ResponseWriter, r *request, wr wire, c Call, f Fault) {
	if f.Crash {
		s.mu.Lock()
		s.dead[s.root(c.Key)] = true
		s.mu.Unlock()
	}
	if f.Cut || f.Crash {
		s.finish(c, r, nil, faultCut, false)
		cut(w)
		return
	}
	e := &apiError{Code: f.Code, Message: f.Message, Status: f.Status}
	if f.Throttle {
		t := wr.throttle
		e = &t
	}
	s.finish(c, r, e, "", false)
	s.writeResponse(w, r, wr.failure(r, e))
}

// cut drops the connection without an answer.
func cut(w http.ResponseWriter) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		conn.Close()
	}
}

func (s *Sim) writeResponse(w http.ResponseWriter, r *request, resp response) {
	for k, v := range resp.header {
		w.Header().Set(k, v)
	}
	w.Header().Set("x-amzn-RequestId", r.id)
	s.exchanged(r, resp)
	w.WriteHeader(resp.status)
	if r.http.Method != http.MethodHead {
		w.Write(resp.body) // an error here is the caller's: it went away
	}
}

// scope is what a request's signature says of itself.
type scope struct{ key, region, service string }

// parseScope reads Credential=KEY/DATE/REGION/SERVICE/aws4_request.
func parseScope(authorization string) scope {
	_, rest, _ := strings.Cut(authorization, "Credential=")
	cred, _, _ := strings.Cut(rest, ",")
	f := strings.Split(cred, "/")
	if len(f) != 5 {
		return scope{}
	}
	return scope{key: f[0], region: f[2], service: f[3]}
}
