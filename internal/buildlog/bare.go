package buildlog

import (
	"bytes"
	"strings"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// A request without a body, HEAD above all, can be answered with no more than the status 403. The
// method, the host and the path say what was refused, and nothing says why: an expired login and
// another account's policy look the same (AWS.md#bare-403). So such a claim is marked as bare.

// registryAction returns the action of a request to a registry by its method and the kind of its
// path. A tool that prints no method was reading.
func registryAction(method, kind string) string {
	switch method + " " + kind {
	case "head manifests", "get manifests", " manifests":
		return "ecr:BatchGetImage"
	case "put manifests":
		return "ecr:PutImage"
	case "head blobs":
		return "ecr:BatchCheckLayerAvailability"
	case "get blobs", " blobs":
		return "ecr:GetDownloadUrlForLayer"
	case "post blobs":
		return "ecr:InitiateLayerUpload"
	case "patch blobs":
		return "ecr:UploadLayerPart"
	case "put blobs":
		return "ecr:CompleteLayerUpload"
	case "get tags", "head tags", " tags":
		return "ecr:ListImages"
	case "delete manifests":
		return "ecr:BatchDeleteImage"
	}
	return ""
}

// In flat: what is before a registry's host, what follows it, and the status.
var (
	requestBefore = lazyregexp.New(`(?:(head|get|put|post|patch|delete)(?:requestto)?["':(]?)?https?://(\d{12})$`)
	requestPath   = lazyregexp.New(`^\.dkr[.-]ecr(?:-fips)?\.([a-z0-9-]+)\.(?:amazonaws\.com(\.cn)?|on\.aws)(?::443)?/v2/` +
		`([a-z0-9][a-z0-9._/-]*?)/(manifests|blobs|tags)/`)
	status403    = lazyregexp.New(`(?:[:(\]"'=,]|code:?|status:?|error:?|http)403(?::?forbidden|[^0-9a-z]|$)`)
	forbidden403 = lazyregexp.New(`403forbidden[^0-9a-z]{0,12}(?:error|warn|info)?[^0-9a-z]{0,3}$`)
)

// maxRequest bounds what is read of a request, in characters of flat.
const maxRequest = 420

// readRequest: "unexpected status from HEAD request to https://HOST/v2/REPO/manifests/TAG: 403
// Forbidden"; the status may be in front of it.
func (s *sentences) readRequest(at int) (report, bool) {
	lo := max(0, at-60)
	before := requestBefore.Get().FindSubmatchIndex(s.flat[lo:at])
	rest := s.flat[at:min(len(s.flat), at+maxRequest)]
	path := requestPath.Get().FindSubmatchIndex(rest)
	if before == nil || path == nil {
		return s.readImage(at)
	}
	group := func(b []byte, m []int, i int) string {
		if m[2*i] < 0 {
			return ""
		}
		return string(b[m[2*i]:m[2*i+1]])
	}
	method, account := group(s.flat[lo:at], before, 1), group(s.flat[lo:at], before, 2)
	r := report{from: lo + before[0], bare: true}
	after := rest[path[1]:]
	if n := bytes.Index(after, []byte("https://")); n >= 0 {
		after = after[:n] // another request
	}
	if n := bytes.IndexByte(after, '\n'); n >= 0 {
		after = after[:n]
	}
	if m := status403.Get().FindIndex(after); m != nil {
		r.msg = at + path[1] + m[1]
	} else if forbidden403.Get().Match(s.flat[max(0, r.from-40):r.from]) {
		r.msg = s.flatAt(s.rowEnd(int(s.at[at+path[1]])))
	} else {
		return report{}, false
	}
	if s.goesOn(r.msg) {
		return report{}, false
	}
	r.action = registryAction(method, group(rest, path, 4))
	n := names{service: "ecr", account: account, region: group(rest, path, 1), china: group(rest, path, 2) != ""}
	r.resource = n.image(group(rest, path, 3), s.home)
	return r, r.action != ""
}

// imageWords say what a tool did with an image, where it names the image and no request.
var imageWords = []struct{ words, action string }{
	{"checkingwhetherablob", "ecr:BatchCheckLayerAvailability"},
	{"initiatinglayerupload", "ecr:InitiateLayerUpload"},
	{"writingblob", "ecr:InitiateLayerUpload"},
	{"readingblob", "ecr:GetDownloadUrlForLayer"},
	{"writingmanifest", "ecr:PutImage"},
	{"uploadingmanifest", "ecr:PutImage"},
	{"readingmanifest", "ecr:BatchGetImage"},
	{"fetchingmanifest", "ecr:BatchGetImage"},
	{"failedtoresolve", "ecr:BatchGetImage"},
	{"failedtorequestmanifesthead", "ecr:BatchGetImage"}, // regctl
	{"failedtogetmanifest", "ecr:BatchGetImage"},
	{"failedtosendblobpost", "ecr:InitiateLayerUpload"},
}

// readImage: "reading manifest TAG in HOST/REPO: unexpected HTTP status: 403 Forbidden", as podman,
// buildah, skopeo and regctl say it.
func (s *sentences) readImage(at int) (report, bool) {
	const account = 12 // digits
	t := int(s.at[at]) - account
	start, end := s.rowStart(int(s.at[at])), s.rowEnd(int(s.at[at]))
	if t < start {
		return report{}, false
	}
	m := imageRef.Get().FindSubmatchIndex(s.text[t:end])
	if m == nil || bytes.HasPrefix(s.text[t+m[8]:], []byte("v2/")) {
		return report{}, false
	}
	from, after := s.flatAt(start), s.flatAt(t+m[1])
	status := status403.Get().FindIndex(s.flat[after:min(len(s.flat), s.flatAt(end), after+maxRequest)])
	if status == nil || s.goesOn(after+status[1]) {
		return report{}, false
	}
	r := report{from: at - account, msg: after + status[1], bare: true}
	last := -1
	for _, w := range imageWords {
		if i := bytes.LastIndex(s.flat[from:r.msg], []byte(w.words)); i > last {
			last, r.action = i, w.action
		}
	}
	if last >= 0 {
		r.from = min(r.from, from+last) // the words, not what they quote
	}
	text := string(s.text[t:end])
	n := names{account: text[m[2]:m[3]], region: text[m[4]:m[5]], china: m[6] >= 0}
	r.resource = n.image(repositoryOf(text[m[8]:m[1]]), s.home)
	return r, r.action != ""
}

// goesOn reports whether the answer whose status ends before flat[i] has a body: words, or a
// document in the same row or at the beginning of the next.
func (s *sentences) goesOn(i int) bool {
	t := int(s.at[min(i, len(s.at)-1)])
	if t > 0 && t < len(s.text) && !bytes.ContainsRune(s.text[s.at[i-1]:t], '\n') {
		rest := bytes.TrimLeft(s.text[t:s.rowEnd(t)], " \t.,;:)]}\"'`\\")
		if len(rest) > 0 && rest[0] != '(' {
			return true
		}
		t = s.rowEnd(t) + 1
	}
	return bytes.HasPrefix(bytes.TrimLeft(s.text[min(t, len(s.text)):], " \t\n"), []byte("{"))
}

// image is the ARN of a repository of ECR.
func (n names) image(repository string, home codebuild.ARN) string {
	a := codebuild.ARN{Partition: home.Partition, Service: "ecr", Region: n.region, Account: n.account,
		Resource: "repository/" + repository}
	if n.china {
		a.Partition = "aws-cn"
	}
	return a.String()
}

// maxImage is how many rows above a registry's answer are read for the image that was asked for.
const maxImage = 60

var (
	askedFor = lazyregexp.New(`^statuscode\[(manifests|blobs)([^\]\s]{1,200})\]:403(?:forbidden|[^0-9a-z]|$)`)
	imageRef = lazyregexp.New(`^(\d{12})\.dkr[.-]ecr(?:-fips)?\.([a-z0-9-]+)\.(?:amazonaws\.com(\.cn)?|on\.aws)(?::443)?/` +
		`([a-z0-9][a-z0-9._/-]*)(?::([\w.-]+))?(?:@(sha256:[0-9a-f]+))?`)
)

// readAskedFor: "failed with status code [manifests TAG]: 403 Forbidden", as containerd's resolver
// says it: the image is named elsewhere.
func (s *sentences) readAskedFor(at int) (report, bool) {
	m := askedFor.Get().FindSubmatchIndex(s.flat[at:min(len(s.flat), at+maxRequest)])
	if m == nil {
		return report{}, false
	}
	kind, ref := string(s.flat[at+m[2]:at+m[3]]), string(s.flat[at+m[4]:at+m[5]])
	r := report{from: at, msg: at + m[1], bare: true, action: registryAction("", kind)}
	seen := ""
	row := s.rowAt(int(s.at[at]))
	for i := row; i >= 0 && i >= row-maxImage; i-- {
		text := s.row(i)
		if !strings.Contains(text, ".dkr") {
			continue
		}
		for _, m := range imagesIn(text) {
			tag, digest := strings.ToLower(first(m[5], "latest")), m[6]
			if strings.HasPrefix(m[4], "v2/") || kind == "manifests" && ref != tag && ref != digest {
				continue
			}
			n := names{account: m[1], region: m[2], china: m[3] != ""}
			arn := n.image(m[4], s.home)
			if seen != "" && seen != arn {
				return r, true // which of the two is not said
			}
			seen = arn
		}
	}
	r.resource = seen
	return r, seen != "" // else it may be any registry
}

// imagesIn returns imageRef's matches in a text.
func imagesIn(text string) (list [][]string) {
	const account = 12 // digits
	for i := 0; ; {
		n := strings.Index(text[i:], ".dkr")
		if n < 0 {
			return list
		}
		if at := i + n - account; at >= 0 {
			if m := imageRef.Get().FindStringSubmatch(text[at:]); m != nil {
				list = append(list, m)
			}
		}
		i += n + len(".dkr")
	}
}

// readBucketCheck: Ansible's "Permission denied accessing bucket 'NAME' (during bucket_check)", a
// HEAD of the bucket.
func (s *sentences) readBucketCheck(at int) (report, bool) {
	i := at + len("permissiondeniedaccessingbucket")
	bucket, end := s.value(i, tail{}, false, 0)
	if _, ok := cut(s.flat, end, "(duringbucket"); !ok || !bucketName.MatchString(bucket) {
		return report{}, false
	}
	r := report{from: at, msg: end, bare: true, action: "s3:ListBucket", operation: "HeadBucket"}
	r.resource = codebuild.ARN{Partition: s.home.Partition, Service: "s3", Resource: bucket}.String()
	return r, true
}

// readS3cmd: "S3 error: 403 (Forbidden)", s3cmd's words for an answer without a body. Which request
// it was is not said.
func (s *sentences) readS3cmd(at int) (report, bool) {
	return report{from: at, msg: at + len(s3cmdWords)}, true
}

const s3cmdWords = "s3error:403(forbidden)"

// dropBare removes bare claims beside one that says what was refused on the same resource, and why.
func (s *sentences) dropBare() {
	list := s.list[:0:0]
	for i, c := range s.list {
		if !c.Bare || !s.saidBeside(i) {
			list = append(list, c)
		}
	}
	s.list = list
}

// saidBeside reports whether a claim near the bare one at index i has words for the same refusal.
func (s *sentences) saidBeside(i int) bool {
	c := &s.list[i]
	row := s.rowAt(int(s.at[c.from]))
	for j := max(0, i-near); j < min(len(s.list), i+near+1); j++ {
		d := &s.list[j]
		if distance := s.rowAt(int(s.at[d.from])) - row; !d.Bare && d.Resource == c.Resource && distance <= near && distance >= -near {
			return true
		}
	}
	return false
}
