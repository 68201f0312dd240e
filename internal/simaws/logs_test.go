package simaws_test

import (
	"compress/gzip"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/buildmedic/buildmedic/internal/simaws"
)

// printing is a world with one build that prints the text.
func printing(text string) string {
	return "roles: [{name: r, inline: {p: " + v1 + "}}]\n" +
		"projects: [{name: p, role: r, buildspecs: {buildspec.yml: {build: [{run: make, prints: " + fmt.Sprintf("%q", text) + "}]}}}]\n"
}

// pages reads a stream in one direction until the same token comes back, and
// gives its pages in order of time.
func pages(t *testing.T, c clients, stream string, head bool, limit int32) (out [][]string, empty int) {
	t.Helper()
	in := &cloudwatchlogs.GetLogEventsInput{LogGroupName: aws.String("/aws/codebuild/p"), LogStreamName: &stream, StartFromHead: &head}
	if limit > 0 {
		in.Limit = &limit
	}
	for range 5000 {
		page, err := c.logs.GetLogEvents(deadline(t), in)
		if err != nil {
			t.Fatal(err)
		}
		var lines []string
		for _, e := range page.Events {
			lines = append(lines, *e.Message)
		}
		next := page.NextForwardToken
		if !head {
			next = page.NextBackwardToken
		}
		if in.NextToken != nil && *in.NextToken == *next {
			if len(lines) > 0 {
				t.Errorf("the last page has %d events", len(lines))
			}
			if !head {
				slices.Reverse(out)
			}
			return out, empty
		}
		if len(lines) == 0 {
			empty++
		} else {
			out = append(out, lines)
		}
		in.NextToken = next
	}
	t.Fatal("no end")
	return nil, 0
}

// However a stream is read, the same lines come in the same order.
func TestGetLogEventsReadsAll(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for round := range 6 {
		lines := make([]string, 1+rng.IntN(400))
		for i := range lines {
			lines[i] = fmt.Sprintf("line %d %s", i, strings.Repeat("x", rng.IntN(60)))
		}
		s := world(t, printing(strings.Join(lines, "\n")))
		if err := run(s, "p"); err != nil {
			t.Fatal(err)
		}
		s.Clock.Advance(time.Minute)
		s.SetTrouble(simaws.Trouble{EmptyPages: round % 3, LogPage: rng.IntN(90)})
		b := s.Builds("p")[0]
		c := dial(s, simaws.FunctionKey, "us-east-1")
		for _, head := range []bool{true, false} {
			got, empty := pages(t, c, strings.TrimPrefix(b.ID, "p:"), head, int32(rng.IntN(70)))
			if text := strings.Join(slices.Concat(got...), ""); text != b.Log {
				t.Fatalf("round %d, from head %v: read\n%s\nwant\n%s", round, head, text, b.Log)
			}
			if want := len(got) * (round % 3); empty != want {
				t.Errorf("round %d: %d empty pages, want %d", round, empty, want)
			}
		}
	}
}

// A page has at most 10,000 events and 1 MB, and the first is the latest.
func TestGetLogEventsLimits(t *testing.T) {
	s := world(t, printing(strings.Repeat("x\n", 15000)+strings.Repeat(strings.Repeat("y", 300<<10)+"\n", 5)))
	if err := run(s, "p"); err != nil {
		t.Fatal(err)
	}
	s.Clock.Advance(time.Minute)
	c := dial(s, simaws.FunctionKey, "us-east-1")
	stream := strings.TrimPrefix(s.Builds("p")[0].ID, "p:")
	got, _ := pages(t, c, stream, false, 0)
	for i, page := range got {
		size := 0
		for _, l := range page {
			size += len(l)
		}
		if len(page) > 10000 || size > 1<<20 {
			t.Errorf("page %d: %d events, %d bytes", i, len(page), size)
		}
	}
	last := got[len(got)-1]
	if !strings.Contains(last[len(last)-1], "Phase context status code") {
		t.Errorf("the first page does not end with the log's end: %q", last[len(last)-1])
	}
	if _, err := c.logs.GetLogEvents(deadline(t), &cloudwatchlogs.GetLogEventsInput{LogGroupName: aws.String("/aws/codebuild/p"),
		LogStreamName: &stream, Limit: aws.Int32(10001)}); err == nil {
		t.Error("a limit of 10,001 is accepted")
	}
}

// A forward token needs startFromHead, and no token lives longer than a day.
func TestLogTokens(t *testing.T) {
	s := world(t, printing("x"))
	if err := run(s, "p"); err != nil {
		t.Fatal(err)
	}
	c, ctx := dial(s, simaws.FunctionKey, "us-east-1"), deadline(t)
	in := &cloudwatchlogs.GetLogEventsInput{LogGroupName: aws.String("/aws/codebuild/p"),
		LogStreamName: aws.String(strings.TrimPrefix(s.Builds("p")[0].ID, "p:"))}
	first, err := c.logs.GetLogEvents(ctx, in)
	if err != nil {
		t.Fatal(err)
	}
	in.NextToken = first.NextForwardToken
	if _, err := c.logs.GetLogEvents(ctx, in); err == nil {
		t.Error("a forward token without startFromHead is accepted")
	}
	in.NextToken = first.NextBackwardToken
	s.Clock.Advance(23 * time.Hour)
	if _, err := c.logs.GetLogEvents(ctx, in); err != nil {
		t.Errorf("after 23 h: %v", err)
	}
	s.Clock.Advance(2 * time.Hour)
	if _, err := c.logs.GetLogEvents(ctx, in); err == nil {
		t.Error("after 25 h the token is still accepted")
	}
}

// The last lines can come later than the event that tells of the build's end.
func TestLogLag(t *testing.T) {
	s := world(t, "trouble: {log_lag: 10s}\n"+printing("x"))
	c := dial(s, simaws.FunctionKey, "us-east-1")
	if _, err := s.Run(simaws.Start{Project: "p"}); err != nil {
		t.Fatal(err)
	}
	next(t, s)
	b := s.Builds("p")[0]
	stream := strings.TrimPrefix(b.ID, "p:")
	if early := logOf(t, c, "/aws/codebuild/p", stream); strings.Contains(early, "Phase complete: BUILD") {
		t.Errorf("everything is there at once:\n%s", early)
	}
	s.Clock.Advance(10 * time.Second)
	if late := logOf(t, c, "/aws/codebuild/p", stream); late != b.Log {
		t.Errorf("after ten seconds:\n%s", late)
	}
}

// A log in S3 is gzip of the plain text.
func TestS3Log(t *testing.T) {
	s := world(t, `
roles: [{name: r, inline: {p: `+v1+`}}]
buckets: [{name: logs}]
projects: [{name: p, role: r, logs: {off: true, s3: logs/build}, buildspecs: {buildspec.yml: {build: [echo hello]}}}]`)
	if err := run(s, "p"); err != nil {
		t.Fatal(err)
	}
	b := s.Builds("p")[0]
	c, ctx := dial(s, simaws.FunctionKey, "us-east-1"), deadline(t)
	key := "build/" + strings.TrimPrefix(b.ID, "p:") + ".gz"
	out, err := c.s3.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("logs"), Key: &key})
	if err != nil {
		t.Fatal(err)
	}
	defer out.Body.Close()
	z, err := gzip.NewReader(out.Body)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil || string(text) != b.Log || !strings.Contains(b.Log, "\nhello\n") {
		t.Errorf("the log is %q, %v", text, err)
	}
	list, err := c.s3.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String("logs"), Prefix: aws.String("build/")})
	if err != nil || len(list.Contents) != 1 || *list.Contents[0].Key != key {
		t.Errorf("objects %+v, %v", list, err)
	}
	for spec, want := range map[string]string{"bytes=0-1": "\x1f\x8b", "bytes=-0": "416", "bytes=99999-": "416"} {
		out, err := c.s3.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("logs"), Key: &key, Range: &spec})
		if err != nil {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("range %s: %v", spec, err)
			}
			continue
		}
		part, _ := io.ReadAll(out.Body)
		out.Body.Close()
		if string(part) != want {
			t.Errorf("range %s: %q", spec, part)
		}
	}
}
