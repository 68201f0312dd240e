package buildlog

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/codebuild"
)

// Read reads the log of a failed build, its whole text or its end, as
// CodeBuild wrote it or as somebody saved it: as JSON, CSV or text of the AWS
// CLI, with something in front of each line, from a terminal (forms.go). Line
// numbers are those of the build's own log. It reads once, in constant memory,
// whatever the log holds. b's phases say which phase failed, and their contexts
// may hold denials of their own.
//
// The error is r's. The facts read before it are returned too, with Cut set.
func Read(b codebuild.Build, r io.Reader) (Failure, error) {
	f, err := readAny(b, r)
	if err != nil {
		f.Cut = true
		return f, fmt.Errorf("reading build log: %w", err)
	}
	return f, nil
}

// ReadText is [Read] for a text in memory.
func ReadText(b codebuild.Build, text string) Failure {
	f, _ := Read(b, strings.NewReader(text)) // such a reader has no errors
	return f
}

// ReadEvents reads log events joined without anything between them, as they come from CodeBuild. So
// nothing that a build prints can make it look for another form.
func ReadEvents(b codebuild.Build, text string) Failure {
	t := newTracker(b)
	_ = scan(strings.NewReader(text), t) // such a reader has no errors
	return assemble(b, t)
}

// logActions are what a build needs to write its log.
var logActions = []string{"logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"}

// NoLog returns what is known of a build without a log: the role may not write one, or logs are
// disabled (AWS.md#no-log).
func NoLog(b codebuild.Build) Failure {
	f := failure(b)
	f.NoLog = true
	f.Also = alsoRecorded(b)
	f.Denials = contextDenials(b)
	for i := range f.Denials { // whatever failed besides, nothing can be known before this is cured
		d := &f.Denials[i]
		d.Causal = d.Causal || slices.Contains(logActions, d.Action)
	}
	return f
}

// failure starts the facts with those of the build record.
func failure(b codebuild.Build) Failure {
	f := Failure{Build: b}
	if p, ok := b.FailedPhase(); ok {
		f.Phase = p.Type
		for _, c := range p.Contexts {
			if c.Code != "" || c.Message != "" {
				f.Context = c
				break
			}
		}
	}
	f.Command, f.Exit = contextCommand(f.Context)
	return f
}

// assemble makes the facts of what was read.
func assemble(b codebuild.Build, t *tracker) Failure {
	f := failure(b)
	p := t.failed
	if f.Phase == "" {
		f.Phase = p.phase
	}
	if f.Context == (codebuild.Context{}) {
		f.Context = p.context
		f.Command, f.Exit = contextCommand(f.Context)
	}
	if f.Command == "" {
		f.Command, f.Exit = p.command, p.exit
	}
	claims := t.denials(p)
	f.Dropped = t.claims.dropped
	if !p.saved {
		t.scanner.save(p)
	}
	noted := merge(p.signs.lines(), p.odd)
	f.Tail = bound(linesOf(p.beginning(), p.headLine), noted, linesOf(p.tail, p.tailLine))
	if f.Context == (codebuild.Context{}) && f.Phase == "" && f.Command == "" {
		f.Context = excerptContext(f.Tail)
		f.Command, f.Exit = contextCommand(f.Context)
	}
	f.TookRole = t.tookRole > 0 && t.tookRole <= p.from
	f.Fetched = t.fetched > 0 && t.fetched <= p.from
	f.linkLogins(claims, p.from)
	f.nameFromCommand(claims, t.home)
	f.Denials = mergeContext(plainDenials(claims), contextDenials(b))
	for _, c := range claims {
		switch {
		case c.Causal && c.off < p.from: // a login, which explains the failure
			noted = merge(noted, c.around)
		case c.Causal:
			noted = merge(noted, p.within(c.around))
		}
	}
	f.Tail = bound(linesOf(p.beginning(), p.headLine), noted, linesOf(p.tail, p.tailLine))
	f.Long = longLines(p.tail, p.tailLine)
	f.Odd = numbersOf(p.odd)
	f.Excerpt = excerpt(f.Tail, f.Odd, f.Denials)
	f.Also = alsoFailed(b, &f, t)
	return f
}

// within returns those of the lines that belong to p.
func (p *part) within(lines []Line) []Line {
	return slices.DeleteFunc(slices.Clone(lines), func(l Line) bool {
		return l.N < p.fromLine || p.toLine > 0 &&
			l.N > p.toLine
	})
}

// denials returns the distinct claims of the log in order. Of a claim that is made in the failed
// part and elsewhere, the one in the failed part is kept.
func (t *tracker) denials(failed *part) []placed {
	all := append(append(slices.Clone(failed.claims), t.claims.first...), t.claims.last...)
	for i := range all {
		d := &all[i]
		d.Origin = FromLog
		d.Causal = failed.printed(d.off) && !d.warning
		if d.Causal && d.stack && d.Subject == "" {
			d.Subject = deployRole(failed.command, false)
		}
		if d.Causal && d.Principal == "" && d.Subject == "" {
			d.Subject = OtherCredentials(failed.command)
		}
	}
	slices.SortStableFunc(all, func(a, b placed) int {
		if a.Causal != b.Causal {
			return cmp.Compare(btoi(b.Causal), btoi(a.Causal))
		}
		return cmp.Compare(a.off, b.off)
	})
	seen := map[Denial]int{}
	once := all[:0]
	for _, p := range all {
		k := p.key()
		if i, ok := seen[k]; ok {
			if kept := &once[i]; kept.Authorization.ID == "" && kept.Causal == p.Causal {
				kept.Authorization = p.Authorization
			}
			continue
		}
		seen[k] = len(once)
		once = append(once, p)
	}
	all = once
	slices.SortStableFunc(all, func(a, b placed) int { return cmp.Compare(a.off, b.off) })
	return all
}

// printed reports whether the failed part printed what is at off. What CodeBuild says before and
// after a command's output is the command's text.
func (p *part) printed(off int64) bool {
	to := p.to
	if p.exitFrom > 0 {
		to = p.exitFrom
	}
	return off >= max(p.from, p.output) && off < to
}

func plainDenials(claims []placed) []Denial {
	list := make([]Denial, len(claims))
	for i := range claims {
		list[i] = claims[i].Denial
	}
	return list
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// contextDenials returns the denials that phase contexts hold. Those of the first failed phase are
// causal.
func contextDenials(b codebuild.Build) []Denial {
	var list []Denial
	phases := codebuild.LastRuns(b.Phases)
	first := slices.IndexFunc(phases, codebuild.Phase.Failed)
	for i, p := range phases {
		for _, c := range p.Contexts {
			if i := strings.LastIndex(c.Message, ". Reason: "); i >= 0 && c.Code == codebuild.CommandError {
				c.Message = c.Message[i:] // in front of it stands the command, whose text proves nothing
			}
			for _, d := range denialsOf(b, c.String()) {
				d.Line, d.Origin, d.Causal = 0, FromPhase, i == first
				list = append(list, d)
			}
		}
	}
	return list
}

// mergeContext adds the denials of the contexts to those of the log; a claim
// that both make is kept once, with the log's line.
func mergeContext(fromLog, contexts []Denial) []Denial {
	var list []Denial
	for _, c := range contexts {
		i := slices.IndexFunc(fromLog, func(d Denial) bool { return d.key() == c.key() })
		if i < 0 {
			if !slices.ContainsFunc(list, func(d Denial) bool { return d.key() == c.key() }) {
				list = append(list, c)
			}
			continue
		}
		fromLog[i].Origin = FromPhase
		fromLog[i].Causal = fromLog[i].Causal || c.Causal
	}
	return append(list, fromLog...)
}
