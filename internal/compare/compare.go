// Package compare says what is new about a failed build since the last green one of the same
// branch: which lines its failed command printed that it did not print then, and what the build
// ran with that was otherwise. It is pure, and never says why a build failed: neither cause nor
// remedy depends on it.
//
// Two lines are alike if they have the same template (see [diagnose.Template]): what differs in
// numbers, times, ids or paths alone is not new.
package compare

import (
	"slices"
	"time"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/diagnose"
)

// Bounds of what is kept.
const (
	MaxLines   = 20 // new lines
	maxChanges = 20
	maxNames   = 20      // environment variables that came or went
	maxText    = 300     // bytes of a line
	maxValue   = 200     // bytes of an id
	maxRaw     = 4 << 10 // bytes of what changed, before secrets are taken out: one that is cut is none
)

// Since is what is new about a failed build since a green one.
type Since struct {
	Build  string    `json:"build"` // id of the green build
	Number int64     `json:"number,omitempty"`
	Commit string    `json:"commit,omitempty"`
	Ended  time.Time `json:"ended,omitzero"`
	// Age is how long before the failed build it ended.
	Age time.Duration `json:"age,omitempty"`
	// Between is how many other builds of the same branch began between the two.
	Between int `json:"between,omitempty"`
	// Unsure: the records of both builds name no branch, so they may be of different ones.
	Unsure bool `json:"unsure,omitempty"`
	// SameCommit: both have built the same commit, so no code of theirs is new.
	SameCommit bool `json:"same_commit,omitempty"`
	// Link is the page of the source's host that shows the commits between; "" if it has none.
	Link string `json:"link,omitempty"`

	Read  Read   `json:"read"` // with what of the green build's log the lines were compared
	Lines []Line `json:"lines,omitempty"`
	More  int    `json:"more,omitempty"` // how many more new lines there are
	// Evidence says of the line that proves the cause best whether it is new.
	Evidence Newness  `json:"evidence,omitempty"`
	Changes  []Change `json:"changes,omitempty"`
}

// Read says what of the green build's log was compared.
type Read string

// What was compared.
const (
	ReadCommand Read = "command" // what the same command printed
	ReadLog     Read = "log"     // all of it: it has no such command, or none failed
	ReadNothing Read = ""        // nothing: there is no log, or too little of it was read
)

// Newness says of a line whether the green build printed it too.
type Newness string

// What is known of a line.
const (
	IsNew   Newness = "new"
	IsKnown Newness = "known" // the green build printed it as well
	Unknown Newness = ""      // nothing was compared, or it is no line of the log
)

// Line is a line that is new.
type Line struct {
	N     int    `json:"n"` // of the failed build's log
	Text  string `json:"text"`
	Times int    `json:"times,omitempty"` // how often the command printed lines like it
}

// Change is something else in which the two builds differ. What came has no Was, what went no Is.
type Change struct {
	What string `json:"what"`
	Was  string `json:"was,omitempty"`
	Is   string `json:"is,omitempty"`
}

// Applies reports whether failures of the cause are compared: those for which no line of the log
// says what is wrong, and failed tests.
func Applies(cause string) bool { return diagnose.Unexplained(cause) || cause == "test-failure" }

// A Side is one of the two builds.
type Side struct {
	codebuild.Past
	Text string // its log, or the end of it, as it was read; "" if there is none
	Cut  bool   // the log's beginning is missing in Text
}

// New compares the failed build with the green one. failure and d are what is known of the failed
// build; between is how many builds lie between the two.
//
// The diagnosis that it returns is d, unless d's cause says no more than that something failed and
// a new line tells more than d's evidence: then that line is the evidence. Cause, remedy, denials
// and fingerprint are always d's.
func New(failed, green Side, failure buildlog.Failure, d diagnose.Diagnosis, between int) (Since, diagnose.Diagnosis) {
	a, b := failed.Build, green.Build
	s := Since{Build: clip(b.ID, maxValue), Number: b.Number, Commit: clip(b.Commit(), maxValue), Ended: b.End,
		Between:    between,
		SameCommit: a.ResolvedSourceVersion != "" && a.ResolvedSourceVersion == b.ResolvedSourceVersion,
		Link:       Link(a, failed.Setup.Location, b.ResolvedSourceVersion, a.ResolvedSourceVersion),
	}
	s.Unsure = !s.SameCommit && lineageOf(a).unsure
	if !a.End.IsZero() && !b.End.IsZero() {
		s.Age = max(0, a.End.Sub(b.End))
	}
	d = s.compareLines(green, failure, d)
	s.Changes = changes(failed, green)
	return s, d
}

// Lines is [New] for two logs about whose builds nothing is known.
func Lines(failed, green Side, failure buildlog.Failure, d diagnose.Diagnosis) (Since, diagnose.Diagnosis) {
	var s Since
	d = s.compareLines(green, failure, d)
	s.Changes = changes(failed, green)
	return s, d
}

// compareLines finds the new lines, and chooses the evidence.
func (s *Since) compareLines(green Side, failure buildlog.Failure, d diagnose.Diagnosis) diagnose.Diagnosis {
	if failure.NoLog || green.Text == "" {
		return d
	}
	known, found := buildlog.Output(green.Text, failure.Command, maxGreenLines)
	switch {
	case found:
		s.Read = ReadCommand
	case green.Cut || len(known) == 0:
		return d // its output may be in the part that was not read
	default:
		s.Read = ReadLog
	}
	list, ok := newLines(diagnose.Printed(failure.Tail, failure.Command), known)
	if !ok {
		s.Read = ReadNothing
		return d
	}
	isNew := func(n int) bool {
		return slices.ContainsFunc(list, func(l candidate) bool { return slices.Contains(l.at, n) })
	}
	if diagnose.Unexplained(d.Cause) && d.Evidence.Origin == buildlog.FromLog && len(list) > 0 && list[0].strength > 0 {
		if !isNew(d.Evidence.Line) || list[0].strength > diagnose.ErrorStrength(d.Evidence.Text) {
			d = d.ProvedBy(failure.Tail, list[0].n)
		}
	}
	switch {
	case d.Evidence.Origin != buildlog.FromLog:
	case isNew(d.Evidence.Line):
		s.Evidence = IsNew
	case slices.ContainsFunc(failure.Tail, func(l buildlog.Line) bool {
		return l.N == d.Evidence.Line &&
			words(l.Text)
	}):
		s.Evidence = IsKnown
	}
	for _, l := range list[:min(len(list), MaxLines)] {
		out := Line{N: l.n, Text: clip(l.text, maxText)}
		if len(l.at) > 1 {
			out.Times = len(l.at)
		}
		s.Lines = append(s.Lines, out)
	}
	s.More = max(0, len(list)-MaxLines)
	return d
}

// Bounded keeps at most so many lines, and as many changes, each text at most size bytes long.
func (s Since) Bounded(lines, size int) Since {
	if more := len(s.Lines) - lines; more > 0 {
		s.Lines, s.More = s.Lines[:lines], s.More+more
	}
	s.Lines = slices.Clone(s.Lines)
	for i := range s.Lines {
		s.Lines[i].Text = clip(s.Lines[i].Text, size)
	}
	s.Changes = slices.Clone(s.Changes[:min(len(s.Changes), lines)])
	for i := range s.Changes {
		c := &s.Changes[i]
		c.What, c.Was, c.Is = clip(c.What, size), clip(c.Was, size), clip(c.Is, size)
	}
	return s
}
