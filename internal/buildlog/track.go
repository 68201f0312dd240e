package buildlog

import (
	"bytes"

	"github.com/buildmedic/buildmedic/internal/codebuild"
)

// A tracker follows the markers and claims of a log, in order, and determines which part of the log
// belongs to the failure:
//
//   - the command that CodeBuild says did not exit successfully, up to the end
//     of the failed phase;
//   - else, if a phase failed without one, its last command: it was stopped;
//   - else, if it had no command, all of that phase;
//   - else, if the log ends within a command, that command: the build timed
//     out, or the rest of the log has not arrived;
//   - else what follows the last phase that is said to have ended;
//   - else, without any such marker, the whole text: it is an excerpt.
//
// A build may print what looks like a marker. Of several failed phases with
// the same name the last one counts, because what a build prints comes
// before what CodeBuild says of it.
type tracker struct {
	scanner *scanner
	name    string // of the failed phase; "" until it is known

	partition string // the build's

	starts  []part // of the last commands, newest last
	phase   part   // what follows the last end of a phase, or the beginning
	pending *part  // from a failed command's start to its end
	failed  *part  // what belongs to the failure

	role   string // the name of the build's service role, "" if it is not known
	claims bounded
}

// A part is a stretch of the log.
type part struct {
	from, to         int64
	fromLine, toLine int
	command, exit    string
	phase            string
	context          codebuild.Context
	claims           []placed // of the failed part, kept before others push them out
	head, tail       []byte   // copies, once the buffer no longer has them
	headLine         int      // number of head's first line; likewise tailLine
	tailLine         int
	saved            bool
}

// maxStarts is how many commands back the start of the failed one is looked for.
const maxStarts = 16

// headSize is how much of a command's beginning is kept, in bytes.
const headSize = 4 << 10

func newTracker(b codebuild.Build) *tracker {
	t := &tracker{phase: part{fromLine: 1}, partition: "aws"}
	if p := b.At().Partition; p != "" {
		t.partition = p
	}
	if r, ok := b.Role(); ok {
		t.role = r.Name
	}
	if p, ok := b.FailedPhase(); ok {
		t.name = p.Type
	}
	return t
}

// marker handles the next marker.
func (t *tracker) marker(m located) {
	switch m.kind {
	case started:
		t.claims.section++
		if len(t.starts) == maxStarts {
			t.starts = append(t.starts[:0], t.starts[1:]...)
		}
		t.starts = append(t.starts, part{from: m.from, fromLine: m.fromLine, command: m.text})
	case exited:
		p := t.startOf(m.text)
		p.to, p.toLine, p.command, p.exit = m.to, m.toLine, m.text, m.exit
		t.pending = &p
	case phaseDone:
		t.phaseDone(m)
		t.claims.section++
	case phaseContext:
		if f := t.failed; f != nil && m.fromLine <= f.toLine+1 && f.context == (codebuild.Context{}) {
			f.context = m.context()
			f.extend(m)
		}
	}
}

// phaseDone handles the end of a phase.
func (t *tracker) phaseDone(m located) {
	if !m.ok && (t.name == "" || t.name == m.text) {
		t.name = m.text
		f := t.phase
		if t.pending != nil {
			f = *t.pending
		} else if n := len(t.starts); n > 0 {
			f = t.starts[n-1]
		}
		f.phase = m.text
		f.extend(m)
		f.claims = t.claims.within(f.from, f.to)
		t.failed = &f
	}
	t.pending = nil
	t.starts = t.starts[:0]
	t.phase = part{from: m.to, fromLine: m.toLine}
}

// extend moves the end of p to that of m.
func (p *part) extend(m located) { p.to, p.toLine = m.to, m.toLine }

// startOf finds where a command began: the newest start with its text, else
// the newest start, else the start of the phase.
func (t *tracker) startOf(command string) part {
	first, _, _ := bytes.Cut([]byte(command), newline)
	for i := len(t.starts) - 1; i >= 0; i-- {
		s, _, _ := bytes.Cut([]byte(t.starts[i].command), newline)
		if len(s) > 0 && (bytes.HasPrefix(first, s) || bytes.HasPrefix(s, first)) {
			return t.starts[i]
		}
	}
	if n := len(t.starts); n > 0 {
		return t.starts[n-1]
	}
	return t.phase
}

// claim records the next claim, which begins at off; around returns the lines around it.
func (t *tracker) claim(c claim, off int64, around func() []Line) {
	if namesRole(c.Subject, t.role) {
		c.Subject = ""
	}
	t.claims.add(placed{Denial: c.Denial, off: off, warning: c.warning, stack: c.stack}, around)
}

// finish chooses the failed part of a log that does not say which it is.
func (t *tracker) finish(end int64) {
	if t.failed != nil {
		return
	}
	lines := t.scanner.lineAt(end)
	switch {
	case t.pending != nil:
		t.failed = t.pending
	case len(t.starts) > 0:
		p := t.starts[len(t.starts)-1]
		p.to, p.toLine = end, lines
		t.failed = &p
	default:
		p := t.phase // all of the log if no phase has ended
		p.to, p.toLine = end, lines
		t.failed = &p
	}
}

// forget copies the needed part of the log before off, which the buffer is about to drop.
func (t *tracker) forget(off int64) {
	s := t.scanner
	for i := range t.starts {
		s.saveHead(&t.starts[i], off)
	}
	s.saveHead(&t.phase, off)
	for _, p := range []*part{t.pending, t.failed} {
		if p != nil && !p.saved && max(p.from, p.to-keepTail) < off {
			s.save(p)
		}
	}
}

// saveHead copies the beginning of p if it is before off.
func (s *scanner) saveHead(p *part, off int64) {
	if p.head != nil || p.from >= off {
		return
	}
	from := max(p.from, s.off)
	p.head = bytes.Clone(s.buf[from-s.off : min(from-s.off+headSize, int64(len(s.buf)))])
	p.headLine = s.lineAt(from)
}

// save copies the end of p, and its beginning.
func (s *scanner) save(p *part) {
	s.saveHead(p, p.from+1)
	from := max(p.from, p.to-keepTail, s.off)
	to := max(from, min(p.to, s.end()))
	if n := bytes.IndexByte(s.buf[from-s.off:to-s.off], '\n'); from > p.from && n >= 0 {
		from += int64(n) + 1 // with a whole line
	}
	p.tail = bytes.Clone(s.buf[from-s.off : to-s.off])
	p.tailLine = s.lineAt(from)
	p.saved = true
}
