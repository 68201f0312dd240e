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
// CodeBuild wrote it: log events joined without anything between them. It
// reads once, in constant memory, whatever the log holds. b's phases say
// which phase failed, and their contexts may hold denials of their own.
//
// The error is r's. The facts read before it are returned too, with Cut set.
func Read(b codebuild.Build, r io.Reader) (Failure, error) {
	t := newTracker(b)
	err := scan(r, t)
	f := assemble(b, t)
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

// NoLog returns what is known of a build without a log: the role may not write one, or logs are
// disabled (AWS.md#no-log).
func NoLog(b codebuild.Build) Failure {
	f := failure(b)
	f.NoLog = true
	f.Denials = contextDenials(b)
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
	f.Denials = mergeContext(plainDenials(claims), contextDenials(b))
	f.Dropped = t.claims.dropped
	if !p.saved {
		t.scanner.save(p)
	}
	f.Tail = bound(merge(linesOf(wholeLines(p.head), p.headLine), linesOf(p.tail, p.tailLine)))
	for _, c := range claims {
		if c.Causal {
			f.Tail = merge(f.Tail, c.around)
		}
	}
	f.Excerpt = excerpt(f.Tail, f.Denials)
	return f
}

// wholeLines drops the last line of b if it is cut.
func wholeLines(b []byte) []byte {
	if len(b) < headSize {
		return b
	}
	return b[:strings.LastIndexByte(string(b), '\n')+1]
}

// denials returns the distinct claims of the log in order. Of a claim that is made in the failed
// part and elsewhere, the one in the failed part is kept.
func (t *tracker) denials(failed *part) []placed {
	all := append(append(slices.Clone(failed.claims), t.claims.first...), t.claims.last...)
	for i := range all {
		d := &all[i]
		d.Origin = FromLog
		d.Causal = d.off >= failed.from && d.off < failed.to && !d.warning
		if d.Causal && d.stack && d.Subject == "" {
			d.Subject = deployRole(failed.command, false)
		}
	}
	slices.SortStableFunc(all, func(a, b placed) int {
		if a.Causal != b.Causal {
			return cmp.Compare(btoi(b.Causal), btoi(a.Causal))
		}
		return cmp.Compare(a.off, b.off)
	})
	seen := map[Denial]bool{}
	all = slices.DeleteFunc(all, func(p placed) bool {
		k := p.key()
		if seen[k] {
			return true
		}
		seen[k] = true
		return false
	})
	slices.SortStableFunc(all, func(a, b placed) int { return cmp.Compare(a.off, b.off) })
	return all
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
	failed, _ := b.FailedPhase()
	for _, p := range b.Phases {
		for _, c := range p.Contexts {
			for _, d := range denialsOf(b, c.String()) {
				d.Line, d.Origin, d.Causal = 0, FromPhase, p.Type == failed.Type
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
