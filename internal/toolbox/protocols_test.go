package toolbox

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"
)

// The protocols in which AWS speaks to tools.
const (
	protocolJSON     = "awsJson" // 1.0 and 1.1, which differ in the content type alone
	protocolQuery    = "query"
	protocolEC2      = "ec2"
	protocolRESTJSON = "restJson"
	protocolRESTXML  = "restXml"
	protocolS3       = "s3"
	protocolCBOR     = "rpc-v2-cbor"
	protocolRegistry = "OCI registry" // ECR's
	protocolPackages = "packages"     // CodeArtifact's npm, PyPI and Maven ends
)

// request is a call of AWS, as far as a refusal needs to know it.
type request struct {
	http     *http.Request
	body     []byte
	protocol string
	service  string // IAM's prefix
	name     string // SERVICE:OPERATION, see answer
	bucket   string // of S3
	key      string
	repo     string // of ECR or CodeArtifact
}

// prefixes are signing names that are not IAM's prefix.
var prefixes = map[string]string{"monitoring": "cloudwatch", "email": "ses", "elasticmapreduce": "elasticmapreduce",
	"states": "states", "tagging": "tag", "s3express": "s3"}

// xmlServices speak REST-XML.
var xmlServices = map[string]bool{"cloudfront": true, "route53": true}

func newRequest(h *http.Request, body []byte) *request {
	q := &request{http: h, body: body, service: signedFor(h)}
	host := h.Host
	switch {
	case strings.Contains(host, ".dkr.ecr"):
		q.readRegistry()
	case strings.Contains(host, ".d.codeartifact."):
		q.readPackages()
	case h.Header.Get("X-Amz-Target") != "":
		q.protocol = protocolJSON
		_, op, _ := strings.Cut(h.Header.Get("X-Amz-Target"), ".")
		q.name = q.service + ":" + op[strings.LastIndex(op, ".")+1:]
	case h.Header.Get("Smithy-Protocol") == "rpc-v2-cbor":
		q.protocol = protocolCBOR
		q.name = q.service + ":" + path.Base(h.URL.Path)
	case q.service == "s3":
		q.readS3()
	case xmlServices[q.service]:
		q.protocol = protocolRESTXML
		q.name = q.service + ":" + h.Method + h.URL.Path
	case actionOf(h, body) != "":
		q.protocol = protocolQuery
		if q.service == "ec2" {
			q.protocol = protocolEC2
		}
		q.name = q.service + ":" + actionOf(h, body)
	default:
		q.protocol = protocolRESTJSON
		q.name = q.service + ":" + h.Method + h.URL.Path
	}
	return q
}

func actionOf(h *http.Request, body []byte) string {
	if v := h.URL.Query().Get("Action"); v != "" {
		return v
	}
	if !strings.HasPrefix(h.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		return ""
	}
	v, err := url.ParseQuery(string(body))
	if err != nil {
		return ""
	}
	return v.Get("Action")
}

// signedFor is the service, by the signature's scope or else by the host.
func signedFor(h *http.Request) string {
	scope := h.Header.Get("Authorization")
	if c := h.URL.Query().Get("X-Amz-Credential"); c != "" {
		scope = "Credential=" + c
	}
	_, rest, _ := strings.Cut(scope, "Credential=")
	cred, _, _ := strings.Cut(rest, ",")
	name := ""
	if f := strings.Split(cred, "/"); len(f) == 5 {
		name = f[3]
	} else {
		labels := strings.Split(h.Host, ".")
		name = labels[0]
		for _, l := range labels {
			if l == "s3" || strings.HasPrefix(l, "s3-") {
				name = "s3"
			}
		}
	}
	if p := prefixes[name]; p != "" {
		return p
	}
	return name
}

// s3Parts are the sub-resources that name an operation of their own.
var s3Parts = []string{"acl", "policy", "policyStatus", "location", "website", "versioning", "tagging", "cors", "encryption",
	"lifecycle", "notification", "logging", "publicAccessBlock", "ownershipControls", "uploads", "versions"}

func (q *request) readS3() {
	q.protocol = protocolS3
	h := q.http
	label, rest, _ := strings.Cut(h.Host, ".s3")
	if rest != "" && !strings.HasPrefix(h.Host, "s3.") {
		q.bucket, q.key = label, strings.TrimPrefix(h.URL.Path, "/")
	} else {
		q.bucket, q.key, _ = strings.Cut(strings.TrimPrefix(h.URL.Path, "/"), "/")
	}
	q.name = "s3:" + q.s3Operation()
}

func (q *request) s3Operation() string {
	h, v := q.http, q.http.URL.Query()
	what := "Bucket"
	if q.key != "" {
		what = "Object"
	}
	for _, p := range s3Parts {
		if v.Has(p) && !(p == "uploads" && h.Method == http.MethodPost) {
			return verbs[h.Method] + what + strings.ToUpper(p[:1]) + p[1:]
		}
	}
	switch {
	case q.bucket == "":
		return "ListBuckets"
	case v.Has("uploads"):
		return "CreateMultipartUpload"
	case v.Has("delete"):
		return "DeleteObjects"
	case v.Has("uploadId"):
		return map[string]string{"PUT": "UploadPart", "POST": "CompleteMultipartUpload", "DELETE": "AbortMultipartUpload",
			"GET": "ListParts"}[h.Method]
	case q.key != "" && h.Header.Get("X-Amz-Copy-Source") != "":
		return "CopyObject"
	case q.key == "" && h.Method == http.MethodGet && v.Get("list-type") == "2":
		return "ListObjectsV2"
	case q.key == "" && h.Method == http.MethodGet:
		return "ListObjects"
	case q.key == "" && h.Method == http.MethodPut:
		return "CreateBucket"
	}
	return verbs[h.Method] + what
}

var verbs = map[string]string{"GET": "Get", "PUT": "Put", "HEAD": "Head", "DELETE": "Delete", "POST": "Post"}

// readRegistry names what a call of a registry needs in IAM.
func (q *request) readRegistry() {
	q.protocol, q.service = protocolRegistry, "ecr"
	h := q.http
	p := strings.TrimPrefix(h.URL.Path, "/v2/")
	op := "Ping"
	switch {
	case strings.Contains(p, "/manifests/"):
		q.repo, _, _ = strings.Cut(p, "/manifests/")
		op = "BatchGetImage"
		if h.Method == http.MethodPut {
			op = "PutImage"
		}
	case strings.Contains(p, "/blobs/uploads/"):
		q.repo, _, _ = strings.Cut(p, "/blobs/uploads/")
		op = map[string]string{"POST": "InitiateLayerUpload", "PATCH": "UploadLayerPart", "PUT": "CompleteLayerUpload"}[h.Method]
	case strings.Contains(p, "/blobs/"):
		q.repo, _, _ = strings.Cut(p, "/blobs/")
		op = "GetDownloadUrlForLayer"
		if h.Method == http.MethodHead {
			op = "BatchCheckLayerAvailability"
		}
	case strings.Contains(p, "/tags/list"):
		q.repo, _, _ = strings.Cut(p, "/tags/list")
		op = "ListImages"
	case strings.Contains(p, "/referrers/"):
		q.repo, _, _ = strings.Cut(p, "/referrers/")
		op = "Referrers"
	}
	q.name = "ecr:" + op
}

// readPackages: the host is DOMAIN-ACCOUNT.d.codeartifact.…, the path /FORMAT/REPOSITORY/….
func (q *request) readPackages() {
	q.protocol, q.service = protocolPackages, "codeartifact"
	f := strings.Split(q.http.URL.Path, "/")
	if len(f) > 2 {
		domain, _, _ := strings.Cut(q.http.Host, ".")
		q.repo = domain[:max(0, strings.LastIndex(domain, "-"))] + "/" + f[2]
	}
	q.name = "codeartifact:" + q.http.Method + q.http.URL.Path
}

// s3Actions are operations whose action has another name.
var s3Actions = map[string]string{"ListObjectsV2": "ListBucket", "ListObjects": "ListBucket", "HeadBucket": "ListBucket",
	"HeadObject": "GetObject", "CreateMultipartUpload": "PutObject", "UploadPart": "PutObject", "CompleteMultipartUpload": "PutObject",
	"CopyObject": "PutObject", "DeleteObjects": "DeleteObject", "ListBuckets": "ListAllMyBuckets",
	"GetBucketVersions": "ListBucketVersions",
	"GetBucketUploads":  "ListBucketMultipartUploads", "GetBucketPublicAccessBlock": "GetBucketPublicAccessBlock"}

func (q *request) action() string {
	if q.protocol == protocolPackages {
		if q.http.Method == http.MethodGet || q.http.Method == http.MethodHead {
			return "codeartifact:ReadFromRepository"
		}
		return "codeartifact:PublishPackageVersion"
	}
	_, op, _ := strings.Cut(q.name, ":")
	if q.protocol == protocolS3 {
		if a := s3Actions[op]; a != "" {
			op = a
		}
	}
	return q.service + ":" + op
}

// resource is the ARN that the request itself tells; "" if a program must say it.
func (q *request) resource() string {
	switch {
	case q.protocol == protocolS3 && q.key != "":
		return "arn:aws:s3:::" + q.bucket + "/" + q.key
	case q.protocol == protocolS3 && q.bucket != "":
		return "arn:aws:s3:::" + q.bucket
	case q.protocol == protocolRegistry:
		return "arn:aws:ecr:eu-west-1:111122223333:repository/" + q.repo
	case q.protocol == protocolPackages:
		return "arn:aws:codeartifact:eu-west-1:111122223333:repository/" + q.repo
	}
	return ""
}

// deniedCode is the code, and the status, with which the service refuses.
func (q *request) deniedCode() (string, int) {
	switch q.protocol {
	case protocolEC2:
		return "UnauthorizedOperation", http.StatusForbidden
	case protocolRegistry:
		return "DENIED", http.StatusForbidden
	case protocolQuery:
		if q.service == "sns" {
			return "AuthorizationError", http.StatusForbidden
		}
		return "AccessDenied", http.StatusForbidden
	case protocolS3, protocolRESTXML:
		return "AccessDenied", http.StatusForbidden
	case protocolRESTJSON, protocolPackages:
		return "AccessDeniedException", http.StatusForbidden
	}
	return "AccessDeniedException", http.StatusBadRequest
}

// What differs from call to call in AWS is the same here, so that a tool prints the same each time.
const (
	requestID = "11111111-aaaa-4bbb-8ccc-222222222222"
	s3Request = "TOOLBOX0EXAMPLE0"
	s3Host    = "toolboxExampleHostId0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJ="
)

// stamp sets the headers that name the request.
func (q *request) stamp(h http.Header) {
	if q.protocol == protocolS3 {
		h.Set("x-amz-request-id", s3Request)
		h.Set("x-amz-id-2", s3Host)
		return
	}
	h.Set("x-amzn-RequestId", requestID)
}

// contentType is that of the request, which a JSON service answers in.
func (q *request) contentType() string {
	if strings.HasSuffix(q.http.Header.Get("Content-Type"), "json-1.0") {
		return "application/x-amz-json-1.0"
	}
	return "application/x-amz-json-1.1"
}

// failure puts an error as the service's protocol does.
func (q *request) failure(status int, code, message, body string) response {
	text := func(v any) string {
		b, err := json.Marshal(v)
		if err != nil {
			panic(err) // strings alone
		}
		return string(b)
	}
	header := map[string]string{"Content-Type": "application/json"}
	switch q.protocol {
	case protocolJSON:
		header["Content-Type"] = q.contentType()
		if q.service == "sqs" {
			header["x-amzn-query-error"] = strings.TrimSuffix(code, "Exception") + ";Sender"
			code = "com.amazonaws.sqs#" + code
		}
		return response{status, header, text(map[string]string{"__type": code, "message": message})}
	case protocolRESTJSON:
		header["x-amzn-errortype"] = code
		key := "message"
		if q.service == "lambda" || q.service == "apigateway" {
			key = "Message"
		}
		return response{status, header, text(map[string]string{key: message})}
	case protocolCBOR:
		header = map[string]string{"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}
		if q.service == "cloudwatch" {
			header["x-amzn-query-error"] = strings.TrimSuffix(code, "Exception") + ";Sender"
		}
		return response{status, header, "\xa2" + cborText("__type") + cborText("com.amazonaws.toolbox#"+code) +
			cborText("message") + cborText(message)}
	case protocolRegistry:
		if status == http.StatusUnauthorized {
			return q.wantsLogin()
		}
		return response{status, header, text(map[string]any{"errors": []any{map[string]string{"code": code, "message": message}}})}
	case protocolPackages:
		switch body {
		case "none":
			return response{status: status, header: map[string]string{"Content-Type": "text/plain"}}
		case "error":
			return response{status, header, text(map[string]string{"error": message})}
		}
		return response{status, header, text(map[string]string{"message": message})}
	}
	header["Content-Type"] = "text/xml"
	if q.protocol == protocolS3 {
		header["Content-Type"] = "application/xml"
	}
	return response{status, header, q.errorXML(code, message)}
}

// errorXML is an error of one of the protocols that speak XML.
func (q *request) errorXML(code, message string) string {
	esc := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace
	const head = `<?xml version="1.0" encoding="UTF-8"?>` + "\n"
	inner := "<Code>" + esc(code) + "</Code><Message>" + esc(message) + "</Message>"
	switch q.protocol {
	case protocolS3:
		return head + "<Error>" + inner + "<RequestId>" + s3Request + "</RequestId><HostId>" + s3Host + "</HostId></Error>"
	case protocolEC2:
		return head + "<Response><Errors><Error>" + inner + "</Error></Errors><RequestID>" + requestID + "</RequestID></Response>"
	}
	return head + "<ErrorResponse><Error><Type>Sender</Type>" + inner + "</Error><RequestId>" + requestID + "</RequestId></ErrorResponse>"
}

// cborText encodes a text string (RFC 8949, major type 3).
func cborText(s string) string {
	switch n := len(s); {
	case n < 24:
		return string([]byte{0x60 | byte(n)}) + s
	case n < 256:
		return string([]byte{0x78, byte(n)}) + s
	default:
		return string([]byte{0x79, byte(n >> 8), byte(n)}) + s
	}
}

// success is a plausible answer: body, or what the operation's success is by default.
func (q *request) success(body string) response {
	_, op, _ := strings.Cut(q.name, ":")
	if body == "" {
		body = defaults[q.name]
	}
	switch q.protocol {
	case protocolJSON:
		if body == "" {
			body = "{}"
		}
		return response{200, map[string]string{"Content-Type": q.contentType()}, body}
	case protocolRESTJSON:
		if body == "" {
			body = "{}"
		}
		return response{200, map[string]string{"Content-Type": "application/json"}, body}
	case protocolCBOR:
		return response{200, map[string]string{"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}, "\xa0"}
	case protocolRegistry:
		return q.registrySuccess(op, body)
	case protocolPackages:
		if body == "" {
			return response{404, nil, ""}
		}
		return response{200, map[string]string{"Content-Type": contentOf(q.http)}, body}
	case protocolS3:
		return q.s3Success(op, body)
	}
	if !strings.HasPrefix(body, "<?xml") && !strings.HasPrefix(body, "<"+op+"Response") && q.protocol == protocolQuery {
		body = "<" + op + "Response><" + op + "Result>" + body + "</" + op + "Result><ResponseMetadata><RequestId>" + requestID +
			"</RequestId></ResponseMetadata></" + op + "Response>"
	} else if body == "" {
		body = "<" + op + "Response><requestId>" + requestID + "</requestId></" + op + "Response>"
	}
	return response{200, map[string]string{"Content-Type": "text/xml"}, body}
}

// contentOf: pip wants HTML, npm JSON.
func contentOf(h *http.Request) string {
	if strings.HasPrefix(h.URL.Path, "/pypi/") {
		return "text/html"
	}
	return "application/json"
}

// wantsLogin is what a registry says to whom it does not know.
func (q *request) wantsLogin() response {
	return response{401, map[string]string{"Content-Type": "text/plain",
		"Www-Authenticate": `Basic realm="https://` + q.http.Host + `/",service="ecr.amazonaws.com"`}, "Not Authorized\n"}
}

func (q *request) registrySuccess(op, body string) response {
	h := q.http
	location := "/v2/" + q.repo + "/blobs/uploads/" + requestID
	switch {
	case h.Header.Get("Authorization") == "":
		return q.wantsLogin()
	case op == "Ping":
		return response{status: 200}
	case op == "InitiateLayerUpload", op == "UploadLayerPart":
		return response{202, map[string]string{"Location": location, "Docker-Upload-UUID": requestID,
			"Range": fmt.Sprintf("0-%d", max(0, len(q.body)-1))}, ""}
	case op == "CompleteLayerUpload":
		return response{201, map[string]string{"Location": "/v2/" + q.repo + "/blobs/x",
			"Docker-Content-Digest": h.URL.Query().Get("digest")}, ""}
	case op == "PutImage":
		return response{status: 201}
	case op == "BatchCheckLayerAvailability":
		return response{status: 404}
	}
	if body != "" {
		return response{200, map[string]string{"Content-Type": "application/vnd.docker.distribution.manifest.v2+json"}, body}
	}
	r := q.failure(404, "MANIFEST_UNKNOWN", "Requested image not found", "")
	return r
}

func (q *request) s3Success(op, body string) response {
	xmlHeader := map[string]string{"Content-Type": "application/xml"}
	if body != "" {
		return response{200, xmlHeader, body}
	}
	modified := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).Format(http.TimeFormat)
	switch op {
	case "GetObject", "HeadObject":
		return response{404, xmlHeader, q.errorXML("NoSuchKey", "The specified key does not exist.")}
	case "ListObjectsV2", "ListObjects":
		return response{200, xmlHeader, "<ListBucketResult><Name>" + q.bucket + "</Name><KeyCount>0</KeyCount><MaxKeys>1000</MaxKeys>" +
			"<IsTruncated>false</IsTruncated></ListBucketResult>"}
	case "GetBucketLocation":
		return response{200, xmlHeader, `<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/">` +
			"eu-west-1</LocationConstraint>"}
	case "CreateMultipartUpload":
		return response{200, xmlHeader, "<InitiateMultipartUploadResult><Bucket>" + q.bucket + "</Bucket><Key>" + q.key +
			"</Key><UploadId>toolbox</UploadId></InitiateMultipartUploadResult>"}
	}
	return response{200, map[string]string{"ETag": `"d41d8cd98f00b204e9800998ecf8427e"`, "Last-Modified": modified,
		"x-amz-bucket-region": "eu-west-1"}, ""}
}

// defaults are the successes that tools need before they reach what is denied.
var defaults = map[string]string{
	"sts:GetCallerIdentity": "<Arn>" + session + "</Arn><UserId>AROAEXAMPLEID:AWSCodeBuild-" + buildUUID +
		"</UserId><Account>111122223333</Account>",
	"sts:AssumeRole": "<Credentials><AccessKeyId>ASIAEXAMPLE</AccessKeyId><SecretAccessKey>example</SecretAccessKey>" +
		"<SessionToken>example</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>" +
		"<AssumedRoleUser><Arn>arn:aws:sts::111122223333:assumed-role/deploy/build</Arn><AssumedRoleId>AROAEXAMPLE:build" +
		"</AssumedRoleId></AssumedRoleUser>",
	"ecr:GetAuthorizationToken": `{"authorizationData":[{"authorizationToken":"QVdTOnRva2Vu","expiresAt":4070908800,` +
		`"proxyEndpoint":"https://111122223333.dkr.ecr.eu-west-1.amazonaws.com"}]}`,
	"codeartifact:POST/v1/authorization-token": `{"authorizationToken":"token","expiration":4070908800}`,
}

// drain is for tests: it reads and closes.
func drain(r io.ReadCloser) string {
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		return err.Error()
	}
	return string(b)
}
