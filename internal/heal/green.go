package heal

import (
	"context"
	"fmt"
	"time"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/compare"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/redact"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// Past reads what a failed build is compared with: at most four calls in all.
type Past interface {
	// Before reads the build with the given id and those of the project that began before it,
	// newest first, as far as they are among the project's 100 newest, in two calls. None began
	// before it: it gives none at all.
	Before(ctx context.Context, at settings.Account, project, build string) ([]codebuild.Past, error)
	// End reads the end of a log, in two calls at most, until enough says so or 4 MB are read. A
	// build without a log gives a Text with None set.
	End(ctx context.Context, b codebuild.Build, enough func(text string) bool) (Text, error)
}

// compareFor bounds how long a failed build is compared with a green one.
const compareFor = 15 * time.Second

// comparison is the comparison of a failed build with the last green one, while it is made. It only
// reads, and never fails: without an answer, the notice says nothing of it.
type comparison struct {
	cancel context.CancelFunc
	done   chan struct{} // nil: nothing is compared
	since  *compare.Since
	proved diagnose.Diagnosis // with secrets
}

// compare begins to compare the failed build with the last green one, beside whatever else is read
// about it. text is the failed build's log, as far as it was read. Who may be anybody makes such
// builds read as well: nothing but a notice comes of it.
func (h *Healer) compare(
	ctx context.Context, at settings.Account, p settings.Project, f buildlog.Failure, text Text, d diagnose.Diagnosis,
) *comparison {
	c := &comparison{cancel: func() {}}
	if h.Past == nil || !p.Compare || !compare.Applies(d.Cause) {
		return c
	}
	ctx, c.cancel = context.WithTimeout(ctx, compareFor)
	c.done = make(chan struct{})
	go func() {
		defer close(c.done)
		defer func() {
			if r := recover(); r != nil { // the failure must be told all the same
				h.logFault(ctx, "comparing with the last green build", f.Build, r)
			}
		}()
		since, proved, err := h.sinceGreen(ctx, at, f, text, d)
		if err != nil {
			h.Log.WarnContext(ctx, "comparing with the last green build", "build", f.Build.ID, "error", err)
			return
		}
		c.since, c.proved = since, proved
	}()
	return c
}

// finish waits for the comparison and records in the round what it found. The diagnosis that it
// returns has other evidence and another excerpt than d at most, whatever became of d meanwhile.
func (c *comparison) finish(r *decide.Round, d diagnose.Diagnosis) diagnose.Diagnosis {
	defer c.cancel()
	if c.done == nil {
		return d
	}
	if <-c.done; c.since == nil {
		return d
	}
	r.Since = c.since
	proved := WithoutSecrets(c.proved)
	d.Evidence, d.Excerpt = proved.Evidence, proved.Excerpt
	return d
}

// sinceGreen finds the last green build and compares the failed one with it; nil if there is none.
func (h *Healer) sinceGreen(ctx context.Context, at settings.Account, f buildlog.Failure, text Text,
	d diagnose.Diagnosis,
) (*compare.Since, diagnose.Diagnosis, error) {
	builds, err := h.Past.Before(ctx, at, f.Build.Project, f.Build.ID)
	if err != nil {
		return nil, d, fmt.Errorf("reading the project's builds: %w", err)
	}
	failed := compare.Side{Past: codebuild.Past{Build: f.Build}, Text: text.Text, Cut: text.Cut}
	recorded := false
	for _, p := range builds {
		if p.Build.ID == f.Build.ID {
			failed.Past, recorded = p, true
		}
	}
	found, between, ok := compare.Green(failed.Build, builds)
	if !ok || !recorded {
		return nil, d, nil
	}
	green := compare.Side{Past: found}
	log, err := h.Past.End(ctx, found.Build, buildlog.Started(f.Command))
	if err != nil { // what the records say is worth telling alone
		h.Log.WarnContext(ctx, "reading the log of the last green build", "build", found.Build.ID, "error", err)
	} else {
		green.Text, green.Cut = log.Text, log.Cut
	}
	since, proved := compare.New(failed, green, f, d, between)
	return withoutSecretsSince(since, f.Tail), proved, nil
}

// SinceLog is the comparison with a green log, where nothing is known of the builds but their logs:
// what is new, and the diagnosis d with the evidence that is proved by it, both without secrets.
func SinceLog(text, green string, f buildlog.Failure, d diagnose.Diagnosis) (*compare.Since, diagnose.Diagnosis) {
	since, proved := compare.Lines(compare.Side{Text: text}, compare.Side{Text: green}, f, d)
	return withoutSecretsSince(since, f.Tail), WithoutSecrets(proved)
}

// withoutSecretsSince removes secrets from everything that a comparison quotes from the log and the
// records. The lines are taken from the whole output, since a private key spans several lines.
func withoutSecretsSince(s compare.Since, tail []buildlog.Line) *compare.Since {
	clean := make([]buildlog.Line, len(tail))
	copy(clean, tail)
	withoutSecrets(clean)
	texts := map[int]string{}
	for _, l := range clean {
		texts[l.N] = l.Text
	}
	for i := range s.Lines {
		s.Lines[i].Text = redact.Text(texts[s.Lines[i].N])
	}
	for i := range s.Changes {
		c := &s.Changes[i]
		c.What, c.Was, c.Is = redact.Text(c.What), redact.Text(c.Was), redact.Text(c.Is)
	}
	s = s.Bounded(compare.MaxLines, 300)
	return &s
}

// keeping gives the healer with logs that keep what they read last, and where that will be: a
// failed build's log need not be read twice.
func (h *Healer) keeping() (*Healer, *Text) {
	with, text := *h, &Text{}
	with.Logs = keptLog{h.Logs, text}
	return &with, text
}

// keptLog are logs that keep what was read last.
type keptLog struct {
	Logs
	text *Text
}

// Tail implements [Logs].
func (k keptLog) Tail(ctx context.Context, b codebuild.Build, enough func(text string) bool) (Text, error) {
	t, err := k.Logs.Tail(ctx, b, enough)
	*k.text = t
	return t, err
}
