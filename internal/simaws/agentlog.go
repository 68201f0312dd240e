package simaws

import (
	"bytes"
	"compress/gzip"
	"strconv"
	"strings"
	"time"
)

func itoa(n int) string { return strconv.Itoa(n) }

// openLog makes the build's log stream, if its role may.
func (b *build) openLog() (code, message string) {
	conf := b.conf.Logs
	if conf.Off {
		return "", ""
	}
	group, name := b.conf.logGroup(), b.conf.logStream(b.uuid)
	arn := b.p.est.streamARN(group, name)
	calls := []question{b.ask("logs:CreateLogStream", arn)}
	if b.p.est.groups[group] == nil {
		calls = append(calls, b.ask("logs:CreateLogGroup", b.p.est.arn("logs", "log-group:"+group)))
	}
	for _, q := range calls {
		if d, denied := b.denied(q); denied {
			return "ACCESS_DENIED", "Service role " + b.role +
				" does not allow AWS CodeBuild to create Amazon CloudWatch Logs log streams for build " +
				b.arn() + ". Error message: " + q.message(d)
		}
	}
	b.group, b.name = group, name
	b.stream = b.p.est.stream(group, name)
	_, b.mute = b.denied(b.ask("logs:PutLogEvents", arn)) // the stream is there and stays empty
	return "", ""
}

// ask is the build's own use of an action.
func (b *build) ask(action, resource string) question {
	return question{who: b.session(), action: action, resource: resource, region: b.p.est.region}
}

// denied judges a build's call and has CloudTrail see it.
func (b *build) denied(q question) (denial, bool) {
	r := b.sim().judge(q)
	code, msg := "", ""
	if !r.allowed {
		code, msg = errorCode(q.action), q.message(r.deny)
	}
	b.p.est.witness(q, code, msg)
	return r.deny, !r.allowed
}

// agent logs a line with the agent's prefix (AWS.md#log-lines).
func (b *build) agent(line string) {
	b.tick()
	b.line(b.last.Format("[Container] 2006/01/02 15:04:05.000000 ") + line)
}

// tick moves the time of the next line: lines of one moment are microseconds
// apart.
func (b *build) tick() {
	b.last = b.last.Add(13 * time.Microsecond)
	if now := b.sim().now; b.last.Before(now) {
		b.last = now
	}
}

// print logs text line by line, one event each; a last line feed is dropped.
func (b *build) print(text string) {
	for l := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
		b.tick()
		b.line(l)
	}
}

func (b *build) line(text string) {
	e := logEvent{b.last, text + "\n"}
	b.printed = append(b.printed, e)
	if b.stream != nil && !b.mute {
		b.stream.events = append(b.stream.events, e)
	}
}

// storeLog writes the S3 log, if the project has one (AWS.md#s3-logs).
func (b *build) storeLog() {
	bucket, key, ok := b.s3Log()
	if !ok || len(b.printed) == 0 {
		return
	}
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	for _, e := range b.printed {
		z.Write([]byte(e.message)) // a bytes.Buffer takes everything
	}
	z.Close()
	if bk, ok := b.sim().buckets[bucket]; ok {
		bk.objects[key] = object{data: buf.Bytes(), at: b.sim().now}
	}
}

// s3Log is where the S3 log lies.
func (b *build) s3Log() (bucket, key string, ok bool) {
	if b.conf.Logs.S3 == "" {
		return "", "", false
	}
	bucket, prefix, _ := strings.Cut(b.conf.Logs.S3, "/")
	if prefix != "" {
		prefix += "/"
	}
	return bucket, prefix + b.uuid + ".gz", true
}
