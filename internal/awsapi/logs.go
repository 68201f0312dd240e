package awsapi

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// Logs implements heal.Logs on CloudWatch Logs and, for builds that log to
// S3 only, on S3.
type Logs struct{ Accounts *Accounts }

// logBudget is the budget of one read.
type logBudget struct {
	pages int // of at most 1 MB or 10,000 events each
	bytes int // of text that is kept
	// unpacked bounds what is unpacked of an S3 object; of a longer log nothing is read.
	unpacked int64
}

// ofFailed is the budget of one read of a failed build's log: no build has a longer one.
var ofFailed = logBudget{pages: 24, bytes: 16 << 20, unpacked: 4 << 30}

// Tail implements [heal.Logs].
func (l Logs) Tail(ctx context.Context, b codebuild.Build, enough func(string) bool) (heal.Text, error) {
	return l.read(ctx, b, enough, ofFailed)
}

func (l Logs) read(ctx context.Context, b codebuild.Build, enough func(string) bool, most logBudget) (heal.Text, error) {
	at, err := accountOf(b)
	if err != nil {
		return heal.Text{}, err
	}
	var t heal.Text
	switch {
	case b.Logs.Group != "":
		t, err = l.cloudWatch(ctx, at, b.Logs, enough, most)
	case b.Logs.S3ARN != "":
		t, err = l.object(ctx, at, b.Logs.S3ARN, most)
	default:
		return heal.Text{None: true}, nil
	}
	missing := errors.Is(err, heal.ErrNotFound)
	if b.Logs.Group == "" {
		// S3 answers 403 for an object that does not exist to a caller that may not
		// list the bucket (AWS.md#missing-object).
		missing = missing || errors.Is(err, heal.ErrDenied)
	}
	if missing {
		return heal.Text{None: true}, nil // never made: the role may not write logs (AWS.md#no-log)
	}
	return t, err
}

// cloudWatch walks from the stream's end backwards. A page may be empty while
// more exist; the beginning is reached when the same token comes back
// (AWS.md#reading-cloudwatch).
func (l Logs) cloudWatch(ctx context.Context, at settings.Account, where codebuild.Logs, enough func(string) bool, most logBudget,
) (heal.Text, error) {
	client, err := client(l.Accounts, at, cloudwatchlogs.NewFromConfig)
	if err != nil {
		return heal.Text{}, err
	}
	in := &cloudwatchlogs.GetLogEventsInput{LogGroupName: &where.Group, LogStreamName: &where.Stream, StartFromHead: aws.Bool(false)}
	var pages []string
	size := 0
	for range most.pages {
		out, err := client.GetLogEvents(ctx, in)
		if err != nil {
			return heal.Text{}, classify(err)
		}
		var page strings.Builder
		for _, e := range out.Events {
			writeEvent(&page, aws.ToString(e.Message))
		}
		pages, size = append(pages, page.String()), size+page.Len()
		if same := aws.ToString(out.NextBackwardToken); same == "" || same == aws.ToString(in.NextToken) {
			return heal.Text{Text: join(pages)}, nil
		}
		if page.Len() > 0 && enough(join(pages)) || size > most.bytes {
			break
		}
		in.NextToken = out.NextBackwardToken
	}
	return heal.Text{Text: join(pages), Cut: true}, nil
}

// writeEvent adds an event. CodeBuild's messages end with their newline
// (AWS.md#log-lines); another writer's may not, and still is a line of its own.
func writeEvent(b *strings.Builder, message string) {
	b.WriteString(message)
	if !strings.HasSuffix(message, "\n") && !strings.HasSuffix(message, "\r") {
		b.WriteByte('\n')
	}
}

// join puts pages that were read backwards into their order.
func join(pages []string) string {
	slices.Reverse(pages)
	s := strings.Join(pages, "")
	slices.Reverse(pages)
	return s
}

// object reads a log out of S3: a gzip of the plain text (AWS.md#s3-logs).
func (l Logs) object(ctx context.Context, at settings.Account, arn string, most logBudget) (heal.Text, error) {
	a, ok := codebuild.ParseARN(arn)
	bucket, key, found := strings.Cut(a.Resource, "/")
	if !ok || !found {
		return heal.Text{None: true}, nil
	}
	client, err := client(l.Accounts, at, s3.NewFromConfig, func(o *s3.Options) { o.UsePathStyle = aws.ToString(o.BaseEndpoint) != "" })
	if err != nil {
		return heal.Text{}, err
	}
	out, err := client.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		return heal.Text{}, classify(err)
	}
	defer out.Body.Close()
	var r io.Reader = out.Body
	if strings.HasSuffix(key, ".gz") {
		if r, err = gzip.NewReader(out.Body); err != nil {
			return heal.Text{}, fmt.Errorf("unpacking %q: %w", arn, err)
		}
	}
	limited := &io.LimitedReader{R: r, N: most.unpacked}
	data, cut, err := lastOf(limited, most.bytes)
	if err != nil {
		return heal.Text{}, fmt.Errorf("reading %q: %w", arn, err)
	}
	if limited.N == 0 {
		return heal.Text{None: true}, nil
	}
	return heal.Text{Text: string(data), Cut: cut}, nil
}

// lastOf reads to the end and keeps the last most bytes.
func lastOf(r io.Reader, most int) (data []byte, cut bool, err error) {
	chunk := make([]byte, 64<<10)
	for {
		n, err := r.Read(chunk)
		if data = append(data, chunk[:n]...); len(data) > 2*most {
			data, cut = append(data[:0], data[len(data)-most:]...), true
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, false, err
		}
	}
	if len(data) > most {
		return data[len(data)-most:], true, nil
	}
	return data, cut, nil
}
