package simaws

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// bucket is an S3 bucket; names are unique in the whole world.
type bucket struct {
	owner   *account
	region  string
	policy  string
	objects map[string]object
}

type object struct {
	data []byte
	at   time.Time
}

var s3Operations = map[string]operation{
	"GetObject":     {run: getObject},
	"HeadObject":    {run: getObject},
	"ListObjectsV2": {run: listObjects},
	"ListBuckets":   {run: listBuckets},
}

// s3Wire is S3's REST protocol, with path-style addresses.
func s3Wire() wire {
	return wire{
		name:   s3Name,
		result: func(_ *request, v any) response { return v.(response) },
		failure: func(r *request, e *apiError) response {
			return xmlResponse(orStatus(e.Status, 400), el("Error", el("Code", e.Code), el("Message", e.Message),
				el("RequestId", r.id), el("HostId", "simulated")))
		},
		throttle:   apiError{Code: "SlowDown", Message: "Please reduce your request rate.", Status: 503},
		deniedCode: "AccessDenied",
		strange:    "InvalidAccessKeyId", noOperation: "NotImplemented",
		operations: s3Operations,
	}
}

func s3Name(h *http.Request, _ []byte) string {
	_, key := s3Path(h)
	switch {
	case h.Method == http.MethodGet && key != "":
		return "GetObject"
	case h.Method == http.MethodHead && key != "":
		return "HeadObject"
	case h.Method == http.MethodGet && h.URL.Query().Get("list-type") == "2":
		return "ListObjectsV2"
	case h.Method == http.MethodGet && h.URL.Path == "/":
		return "ListBuckets"
	}
	return h.Method + " " + h.URL.Path
}

func s3Path(h *http.Request) (bucket, key string) {
	bucket, key, _ = strings.Cut(strings.TrimPrefix(h.URL.Path, "/"), "/")
	return bucket, key
}

func (e *estate) objectARN(bucket, key string) string {
	return "arn:" + e.acct.partition + ":s3:::" + bucket + "/" + key
}

// getObject also answers HEAD, whose errors have no body (AWS.md#missing-object).
func getObject(r *request) (any, error) {
	if err := r.onlyQuery("x-id"); err != nil {
		return nil, err
	}
	name, key := s3Path(r.http)
	if err := r.authorize("s3:GetObject", r.est.objectARN(name, key), nil); err != nil {
		return nil, err
	}
	b, ok := r.sim.buckets[name]
	if !ok {
		return nil, &apiError{Code: "NoSuchBucket", Message: "The specified bucket does not exist", Status: 404}
	}
	o, ok := b.objects[key]
	if !ok {
		return nil, r.missingKey(name)
	}
	data, status, err := cutRange(o.data, r.http.Header.Get("Range"))
	if err != nil {
		return nil, err
	}
	return response{status: status, body: data, header: map[string]string{
		"Content-Type":   "application/octet-stream",
		"Content-Length": strconv.Itoa(len(data)),
		"ETag":           `"` + md5Hex(string(o.data)) + `"`,
		"Last-Modified":  o.at.UTC().Format(http.TimeFormat),
	}}, nil
}

// missingKey: without s3:ListBucket a missing key gives 403 (AWS.md#missing-object).
func (r *request) missingKey(bucket string) error {
	q := question{who: r.caller, action: "s3:ListBucket", resource: "arn:" + r.est.acct.partition + ":s3:::" + bucket, region: r.est.region}
	if r.sim.cfg.Enforce && !r.sim.judge(q).allowed {
		return &apiError{Code: "AccessDenied", Message: "Access Denied", Status: 403}
	}
	return &apiError{Code: "NoSuchKey", Message: "The specified key does not exist.", Status: 404}
}

// cutRange applies a Range header of the forms bytes=a-, bytes=a-b, bytes=-n.
func cutRange(data []byte, header string) ([]byte, int, error) {
	if header == "" {
		return data, 200, nil
	}
	invalid := &apiError{Code: "InvalidRange", Message: "The requested range is not satisfiable", Status: 416}
	spec, ok := strings.CutPrefix(header, "bytes=")
	first, last, found := strings.Cut(spec, "-")
	if !ok || !found {
		return nil, 0, invalid
	}
	from, err1 := strconv.Atoi(first)
	to, err2 := strconv.Atoi(last)
	switch {
	case first == "" && err2 == nil:
		from, to = max(0, len(data)-to), len(data)-1
	case last == "" && err1 == nil:
		to = len(data) - 1
	case err1 != nil || err2 != nil:
		return nil, 0, invalid
	}
	if from >= len(data) || to < from {
		return nil, 0, invalid
	}
	return data[from:min(to+1, len(data))], 206, nil
}

func listObjects(r *request) (any, error) {
	if err := r.onlyQuery("list-type", "prefix", "delimiter", "encoding-type"); err != nil {
		return nil, err
	}
	delimiter := r.http.URL.Query().Get("delimiter")
	name, _ := s3Path(r.http)
	if err := r.authorize("s3:ListBucket", "arn:"+r.est.acct.partition+":s3:::"+name, nil); err != nil {
		return nil, err
	}
	b, ok := r.sim.buckets[name]
	if !ok {
		return nil, &apiError{Code: "NoSuchBucket", Message: "The specified bucket does not exist", Status: 404}
	}
	prefix := r.http.URL.Query().Get("prefix")
	root := el("ListBucketResult", el("Name", name), el("Prefix", prefix), el("IsTruncated", false))
	folder := ""
	for _, key := range sortedKeys(b.objects) {
		if strings.HasPrefix(key, prefix) {
			o := b.objects[key]
			if head, _, ok := strings.Cut(key[len(prefix):], delimiter); ok && delimiter != "" {
				if f := prefix + head + delimiter; f != folder {
					folder = f
					root.kids = append(root.kids, el("CommonPrefixes", el("Prefix", f)))
				}
				continue
			}
			root.kids = append(root.kids, el("Contents", el("Key", key), el("Size", len(o.data)),
				el("LastModified", o.at), el("ETag", fmt.Sprintf("%q", md5Hex(string(o.data)))), el("StorageClass", "STANDARD")))
		}
	}
	return xmlResponse(200, root), nil
}

// listBuckets gives those of the caller's account.
func listBuckets(r *request) (any, error) {
	if err := r.onlyQuery("x-id"); err != nil {
		return nil, err
	}
	if err := r.authorize("s3:ListAllMyBuckets", "*", nil); err != nil {
		return nil, err
	}
	all := el("Buckets")
	for _, name := range sortedKeys(r.sim.buckets) {
		if r.sim.buckets[name].owner == r.est.acct {
			all.kids = append(all.kids, el("Bucket", el("Name", name), el("CreationDate", r.sim.cfg.Start)))
		}
	}
	return xmlResponse(200, el("ListAllMyBucketsResult", el("Owner", el("ID", r.est.acct.id)), all)), nil
}
