package awsapi

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/simaws"
)

// never is an enough that always wants more.
func never(string) bool { return false }

// printed is a world whose build prints the lines "line 0" to "line N-1".
func printed(t *testing.T, lines int, logs, more string) *simaws.Sim {
	var b strings.Builder
	for n := range lines {
		fmt.Fprintf(&b, "line %d\n", n)
	}
	return world(t, more+"roles: [{name: shop, inline: {p: '"+may("logs:* s3:*")+
		"'}}]\nprojects:\n  - name: shop\n    role: shop\n    logs: "+logs+
		"\n    buildspecs: {buildspec.yml: {build: [{run: make, prints: "+fmt.Sprintf("%q", b.String())+"}]}}\n")
}

// inOrder reports whether the text has exactly the lines from first to last.
func inOrder(text string, first, last int) bool {
	n := first
	for line := range strings.Lines(text) {
		if _, rest, ok := strings.Cut(line, "line "); ok && !strings.Contains(rest, " ") {
			if strings.TrimSpace(rest) != fmt.Sprint(n) {
				return false
			}
			n++
		}
	}
	return n == last+1
}

// TestTailBackwards walks over more than two full pages, with empty ones
// between them.
func TestTailBackwards(t *testing.T) {
	s := printed(t, 25000, "{}", "trouble: {empty_pages: 3}\n")
	b := ran(t, s, simaws.Start{Project: "shop"})
	l := Logs{function(s, "")}
	whole, err := l.Tail(t.Context(), b, never)
	if err != nil || whole.Cut || whole.None || !inOrder(whole.Text, 0, 24999) {
		t.Errorf("the whole log: %v, cut %v, none %v, %d bytes", err, whole.Cut, whole.None, len(whole.Text))
	}

	before, asked := count(s, "GetLogEvents"), 0
	part, err := l.Tail(t.Context(), b, func(text string) bool { asked++; return strings.Contains(text, "line 17000\n") })
	if err != nil || !part.Cut || !strings.HasSuffix(whole.Text, part.Text) ||
		!strings.Contains(part.Text, "line 17000\n") || strings.Contains(part.Text, "line 4000\n") {
		t.Errorf("as much as is enough: %v, cut %v, %d of %d bytes", err, part.Cut, len(part.Text), len(whole.Text))
	}
	if calls := count(s, "GetLogEvents") - before; asked == 0 || asked > 2 || calls > 8 {
		t.Errorf("%d calls, asked %d times: the walk did not stop, or empty pages were asked about", calls, asked)
	}
}

// TestTailBudget: a log that goes on and on is given up with what there is.
func TestTailBudget(t *testing.T) {
	s := printed(t, 10, "{}", "trouble: {empty_pages: 1000}\n")
	b := ran(t, s, simaws.Start{Project: "shop"})
	x, err := Logs{function(s, "")}.Tail(t.Context(), b, never)
	if err != nil || !x.Cut || x.Text != "" || count(s, "GetLogEvents") != ofFailed.pages {
		t.Errorf("%+v, %v after %d calls", x, err, count(s, "GetLogEvents"))
	}
}

// TestTailMissing: a log that was never made is none; one that may not be
// read is an error.
func TestTailMissing(t *testing.T) {
	s := printed(t, 10, "{}", "")
	b := ran(t, s, simaws.Start{Project: "shop"})
	l := Logs{function(s, "")}
	where := b.Logs
	for name, row := range map[string]struct {
		logs  codebuild.Logs
		calls int
	}{
		"no stream":    {codebuild.Logs{Group: where.Group, Stream: "gone"}, 1},
		"no group":     {codebuild.Logs{Group: "/aws/codebuild/gone", Stream: where.Stream}, 1},
		"null":         {codebuild.Logs{Group: "null", Stream: "null"}.Known(), 0},
		"said of none": {codebuild.Logs{}, 0},
	} {
		before := count(s, "GetLogEvents")
		b.Logs = row.logs
		x, err := l.Tail(t.Context(), b, never)
		if err != nil || !x.None || x.Text != "" || count(s, "GetLogEvents")-before != row.calls {
			t.Errorf("%s: %+v, %v", name, x, err)
		}
	}
	b.Logs = where
	fault(s, "GetLogEvents", simaws.Fault{Code: "AccessDeniedException", Status: 400})
	if x, err := l.Tail(t.Context(), b, never); !errors.Is(err, heal.ErrDenied) || x.None {
		t.Errorf("a log that may not be read: %+v, %v", x, err)
	}
	b.ARN = "shop:1"
	if _, err := l.Tail(t.Context(), b, never); !errors.Is(err, heal.ErrFinal) {
		t.Errorf("no ARN: %v", err)
	}
}

// TestTailOfS3: a build that logs to S3 only.
func TestTailOfS3(t *testing.T) {
	s := printed(t, 3000, "{off: true, s3: log-bucket/ci}",
		"buckets: [{name: log-bucket}, {name: plain-bucket, objects: {log: hello, broken.gz: no gzip}}]\n")
	b := ran(t, s, simaws.Start{Project: "shop"})
	l := Logs{function(s, "")}
	if b.Logs.Group != "" || !strings.HasSuffix(b.Logs.S3ARN, ".gz") {
		t.Fatalf("the build logs to %+v", b.Logs)
	}
	x, err := l.Tail(t.Context(), b, never)
	if err != nil || x.None || x.Cut || !inOrder(x.Text, 0, 2999) {
		t.Errorf("read %d bytes, %v", len(x.Text), err)
	}
	for arn, want := range map[string]string{
		"arn:aws:s3:::plain-bucket/log":     "hello",
		"arn:aws:s3:::plain-bucket/gone.gz": "",
		"arn:aws:s3:::gone/log.gz":          "",
		"arn:aws:s3:::plain-bucket":         "",
		"log":                               "",
	} {
		b.Logs.S3ARN = arn
		x, err := l.Tail(t.Context(), b, never)
		if err != nil || x.Text != want || x.None != (want == "") {
			t.Errorf("%s: %+v, %v", arn, x, err)
		}
	}
	b.Logs.S3ARN = "arn:aws:s3:::plain-bucket/broken.gz"
	if _, err := l.Tail(t.Context(), b, never); err == nil || !strings.Contains(err.Error(), "broken.gz") {
		t.Errorf("what is no gzip: %v", err)
	}
	fault(s, "GetObject", simaws.Fault{Code: "AccessDenied", Message: "Access Denied", Status: 403})
	if x, err := l.Tail(t.Context(), b, never); err != nil || !x.None {
		t.Errorf("403: %+v, %v", x, err)
	}
	s.Unhook()
	fault(s, "GetObject", simaws.Fault{Throttle: true})
	if x, err := l.Tail(t.Context(), b, never); !errors.Is(err, heal.ErrLater) || x.None {
		t.Errorf("throttled: %+v, %v", x, err)
	}
}
