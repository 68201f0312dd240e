// Package diagnose names the cause of a failed build and what would cure it.
// It is pure: facts, causes.yaml and the causes of a team's own in, a [Diagnosis] out.
package diagnose

import (
	"strings"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
)

// Remedy is what would cure a failure. The set is closed.
type Remedy string

// The remedies.
const (
	Grant             Remedy = "grant"              // add a missing permission to the service role
	Retry             Remedy = "retry"              // start the build again, unchanged
	OverrideBuildspec Remedy = "override-buildspec" // start the same commit with another buildspec path
	CreateRepository  Remedy = "create-repository"  // create the ECR repository that the build pushes to
	SwitchRole        Remedy = "switch-role"        // give the project another service role
	Report            Remedy = "report"             // a person must act
	Ignore            Remedy = "ignore"             // nothing to do or to tell
)

// Remedies lists every remedy.
var Remedies = []Remedy{Grant, Retry, OverrideBuildspec, CreateRepository, SwitchRole, Report, Ignore}

// Diagnosis is why a build failed.
type Diagnosis struct {
	Cause     string            `json:"cause"`     // the name of an entry of causes.yaml, or of one of the team's own
	Title     string            `json:"title"`     // one sentence, plain text, without a full stop
	Remedy    Remedy            `json:"remedy"`    // never SwitchRole, which only settings choose
	Retryable bool              `json:"retryable"` // an unchanged retry has a chance
	Evidence  Evidence          `json:"evidence"`
	Advice    string            `json:"advice"` // what a person should do, plain text
	Denials   []buildlog.Denial `json:"denials"`
	Dropped   int               `json:"dropped,omitempty"` // how many more denials there were
	Details   map[string]string `json:"details,omitempty"` // named groups of the cause's pattern, e.g. "repository"
	Excerpt   []buildlog.Line   `json:"excerpt"`
	// Tests are the tests that failed, by name: those of CodeBuild's reports where the facts have
	// them, else those that the output names. At most [MaxTests]; MoreTests is how many more there
	// are.
	Tests     []codebuild.TestCase `json:"tests,omitempty"`
	MoreTests int                  `json:"more_tests,omitempty"`
	// Counted: it is certain that these are all tests that failed, since whoever ran them says how
	// many did.
	Counted bool `json:"tests_counted,omitempty"`
	// Also is what failed besides, after the build had failed: never the cause.
	Also []buildlog.Also `json:"also,omitempty"`
	// Fingerprint is 16 hex digits, equal for equal failures whatever their
	// numbers, ids, times and paths.
	Fingerprint string `json:"fingerprint"`
}

// Evidence is the line that proves the cause best.
type Evidence struct {
	Line   int             `json:"line"` // 0 in a phase context
	Text   string          `json:"text"`
	Origin buildlog.Origin `json:"origin"`
}

// Diagnose says why the build failed. It always names a cause: "unknown" if no other holds,
// "command-failed" if at least a command did.
//
// Denials are all of f's; only those that failed the build (Causal) decide the cause, and the
// remedy is grant only if a policy of the role could cure each of those and none was dropped.
// Whether such a policy is allowed is not decided here.
//
// own are causes of a team's own, from [NewCause]. They stand in front of the general ones, and say
// nothing about denials: with them, a build that was denied something is diagnosed as without.
//
// Neither Denials nor Excerpt is nil. All texts come from the log and are as untrusted as it is;
// they are single lines without control characters.
func Diagnose(f buildlog.Failure, own ...Cause) Diagnosis {
	x := gather(&f)
	x.weigh(causes)
	x.causes = withOwn(own)
	c, r, found := x.find(x.causes)
	d := Diagnosis{
		Cause: c.Name, Remedy: c.Remedy, Retryable: c.Retryable,
		Evidence: found.evidence, Details: found.details,
		Denials: append([]buildlog.Denial{}, x.denials...), Dropped: f.Dropped,
	}
	if r.remedy != "" && r.remedy != c.Remedy {
		d.Remedy, d.Retryable = r.remedy, false
	}
	if d.Remedy == Grant && (f.Dropped > 0 || x.incurable()) {
		d.Remedy = Report // nobody knows whether a grant could cure the rest, or none can
	}
	if d.Evidence.Text == "" {
		d.Evidence = x.bestEvidence()
	}
	d.Fingerprint = x.fingerprint(&d)
	d.Evidence.Text = printable(d.Evidence.Text)
	d.Tests, d.MoreTests = x.failedTests()
	d.Counted = x.counted(len(d.Tests))
	words := x.words(found)
	words["tests"] = aboutTests(d.Tests, d.MoreTests)
	d.Title = expand(c.Title, words)
	if n := len(d.Tests) + d.MoreTests; c.Name == testFailure && n > 0 {
		d.Title = countTests(n)
	}
	d.Advice = x.firstOfAll() + expand(c.Advice, words)
	if f.NoLog && c.unlogged != "" {
		d.Advice = expand(c.unlogged, words)
	}
	if _, batch, ok := strings.Cut(f.Build.BatchARN, ":build-batch/"); ok && f.Build.Status == codebuild.Stopped {
		d.Advice = "It is one of the builds of the batch " + printable(batch) + ". A batch that fails or faults ends those that " +
			"still run: look at the batch, and at its builds that failed. If there is none, somebody stopped it."
	}
	if found.denial != nil {
		d.Advice += x.aboutDenial(found.denial)
	}
	d.Advice += x.aboutEnvironment(c.Name)
	d.Advice += x.shown(c.shows, d.Evidence)
	d.Advice += x.aboutAside() + x.aboutUndecoded()
	d.Excerpt = x.excerpt(d.Evidence)
	for _, a := range f.Also {
		for _, s := range []*string{&a.Phase, &a.Command, &a.Exit, &a.Message} {
			*s = printable(*s)
		}
		d.Also = append(d.Also, a)
	}
	return d
}
