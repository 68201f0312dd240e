package buildlog

import (
	"bytes"
	"slices"

	"github.com/buildmedic/buildmedic/internal/codebuild"
)

// A tracker follows the markers and claims of a log, in order, and determines which part of the log
// belongs to the failure:
//
//   - the command that CodeBuild says did not exit successfully, up to the line
//     that says so: what follows in the same phase is its finally block. If a
//     command of that block failed as well, the one that the phase's context
//     names, else the first;
//   - else, if a phase failed without one, its last command: it was stopped;
//   - else, if it had no command, all of that phase;
//   - else, if the log ends within a command, that command: the build timed
//     out, or the rest of the log has not arrived;
//   - else what follows the last phase that is said to have ended;
//   - else, without any such marker, the whole text: it is an excerpt.
//
// A phase may run several times within one build: the agent enters it again, or its first command is
// started again after one has failed (AWS.md#repeated-phases). Then the last run counts.
//
// A build may print what looks like a marker. Of several failed phases with
// the same name the last one counts, because what a build prints comes
// before what CodeBuild says of it.
type tracker struct {
	scanner *scanner
	name    string // of the failed phase; "" until it is known
	wanted  string // the command that failed, as the phase's context names it; "" until it is known
	named   bool   // the build's record names the failed phase
	record  bool   // the build's record names it, so the log's contexts need not

	home codebuild.ARN // the build's partition, account and region

	starts []part  // of the last commands, newest last
	phase  part    // what follows the last end of a phase, or the beginning
	exits  []*part // the commands of this phase that failed: the first and the last ones
	run    int     // which run of this phase it is, from 0 on
	inside string  // the phase that was entered last
	first  string  // the command with which this phase began
	signs  signs   // what reports an error, since the last command started
	odds   odds    // the lines of the last command that are like no others
	sifted int64   // how many bytes were sifted before the buffer dropped them
	failed *part   // what belongs to the failure
	rivals []*part // the exits of the failed phase

	also  []Also            // what failed besides
	ended *located          // the end of a phase, if nothing of the agent's stands behind it
	stray codebuild.Context // of a failed phase whose end a copy has left out

	role   string // the name of the build's service role, "" if it is not known
	claims bounded

	tookRole int64 // where the first command ends that takes other credentials; 0 without one
	fetched  int64 // likewise of the first that gets something from the Internet
}

// A part is a stretch of the log.
type part struct {
	from, to         int64
	fromLine, toLine int
	output, exitFrom int64 // where its output begins, and where the line that says it failed does, 0 if none
	exitLine         int
	command, exit    string
	phase            string
	context          codebuild.Context
	run              int      // of its phase
	claims           []placed // of the failed part, kept before others push them out
	signs            signs
	odd              []Line // lines like no others of its output
	head, tail       []byte // copies, once the buffer no longer has them
	headLine         int    // number of head's first line; likewise tailLine
	tailLine         int
	saved            bool
}

// maxStarts is how many commands back the start of the failed one is looked for.
const maxStarts = 16

// maxExits is how many failed commands of one phase are kept.
const maxExits = 8

// headSize is how much of a command's beginning is kept, in bytes.
const headSize = 4 << 10

func newTracker(b codebuild.Build) *tracker {
	t := &tracker{phase: part{fromLine: 1}, home: b.At()}
	if t.home.Partition == "" {
		t.home.Partition = "aws"
	}
	if r, ok := b.Role(); ok {
		t.role = r.Name
	}
	t.name, t.wanted = failedByRecord(b)
	t.named, t.record = t.name != "", t.wanted != ""
	return t
}

// marker handles the next marker.
func (t *tracker) marker(m located) {
	ended := t.ended
	if m.kind != signLine {
		t.ended = nil
	}
	switch m.kind {
	case signLine:
		t.signs.add(m.sign)
	case started:
		t.claims.section++
		t.signs = signs{}
		if len(t.starts) == maxStarts {
			t.starts = append(t.starts[:0], t.starts[1:]...)
		}
		if t.tookRole == 0 && takesRole(m.text) {
			t.tookRole = m.to
		}
		if t.fetched == 0 && fetches(m.text) {
			t.fetched = m.to
		}
		switch {
		case t.first == "":
			t.first = m.text
		case t.first == m.text && t.exited(t.run):
			t.run++
		}
		t.starts = append(t.starts, part{from: m.from, fromLine: m.fromLine, output: m.to, command: m.text})
	case exited:
		t.exit(m)
	case entering:
		if t.inside == m.text && t.exited(t.run) {
			t.run++
		}
		t.inside = m.text
	case phaseDone:
		t.phaseDone(m)
		t.claims.section++
		t.signs = signs{}
		t.ended = &m
	case phaseContext:
		switch {
		case ended != nil && !ended.ok:
			t.phaseContext(m, ended)
		case ended == nil && t.name == "" && t.stray.Code == "":
			t.stray = m.context()
		}
	}
}

// exit handles the end of a command that failed.
func (t *tracker) exit(m located) {
	p := t.startOf(m.text)
	t.sift(&p, m.from)
	p.odd = t.odds.list()
	p.to, p.toLine, p.command, p.exit = m.to, m.toLine, m.text, m.exit
	p.exitFrom, p.exitLine, p.signs = m.from, m.fromLine, t.signs.clone()
	p.run = t.run
	if len(t.exits) == maxExits {
		i := 1
		if t.exits[0].run != t.run {
			i = 0
		}
		t.exits = append(t.exits[:i], t.exits[i+1:]...)
	}
	t.exits = append(t.exits, &p)
}

// exited reports whether a command of that run of the phase failed.
func (t *tracker) exited(run int) bool {
	n := len(t.exits)
	return n > 0 && t.exits[n-1].run == run
}

// choose returns the command that failed its phase: the one that the context names, else the first of
// the phase's last run.
func (t *tracker) choose(exits []*part) *part {
	texts := make([]string, len(exits))
	for i, p := range exits {
		texts[i] = p.command
	}
	if i := failedExit(texts, t.wanted); i >= 0 {
		return exits[i]
	}
	last := exits[len(exits)-1].run
	return exits[slices.IndexFunc(exits, func(p *part) bool { return p.run == last })]
}

// phaseDone handles the end of a phase.
func (t *tracker) phaseDone(m located) {
	switch {
	case m.ok:
		if f := t.failed; f != nil && f.phase == m.text && !t.named { // another run of it has passed
			t.failed, t.rivals, t.also, t.name = nil, nil, nil, ""
			if !t.record {
				t.wanted = ""
			}
		}
	case t.name == "" || t.name == m.text:
		t.name = m.text
		if !t.record {
			t.wanted = ""
		}
		t.settle(t.exits)
		f := t.failed
		if f == nil {
			p := t.phase
			if n := len(t.starts); n > 0 {
				p = t.starts[n-1]
			}
			t.sift(&p, m.from)
			p.signs, p.odd = t.signs, t.odds.list()
			f = &p
			f.extend(m)
		}
		f.phase = m.text
		f.claims = t.claims.within(f.from, f.to)
		t.failed, t.also = f, nil
	case t.failed != nil:
		t.alsoFailed(m)
	}
	t.exits, t.run, t.first = nil, 0, ""
	t.starts = t.starts[:0]
	t.phase = part{from: m.to, fromLine: m.toLine, output: m.to}
}

// settle makes the failed command out of those that failed, if there is one.
func (t *tracker) settle(exits []*part) {
	t.failed, t.rivals = nil, exits
	if len(exits) > 0 {
		t.failed = t.choose(exits)
	}
}

// phaseContext handles what the agent says of a phase that it has just said failed.
func (t *tracker) phaseContext(m located, ended *located) {
	f := t.failed
	switch {
	case f == nil:
	case ended.text != f.phase:
		t.alsoContext(m)
	case f.context != (codebuild.Context{}):
	case len(t.rivals) == 0:
		f.context = m.context()
		f.extend(m)
		f.claims = t.claims.within(f.from, f.to)
	default:
		context := m.context()
		if t.wanted == "" {
			t.wanted, _ = contextCommand(context)
			f = t.choose(t.rivals)
			f.phase = ended.text
			f.claims = t.claims.within(f.from, f.to)
			t.failed = f
		}
		f.context = context
	}
}

// extend moves the end of p to that of m.
func (p *part) extend(m located) { p.to, p.toLine = m.to, m.toLine }

// startOf finds where a command began: the newest start with its text, else
// the newest start, else the start of the phase.
func (t *tracker) startOf(command string) part {
	for i := len(t.starts) - 1; i >= 0; i-- {
		if sameStart(t.starts[i].command, command) {
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
	if t.wanted == "" {
		t.wanted, _ = contextCommand(t.stray)
	}
	t.guess(end)
	t.failed.context = t.stray
}

// guess chooses the failed part of a log in which no phase is said to have failed.
func (t *tracker) guess(end int64) {
	if t.settle(t.exits); t.failed != nil {
		if f := t.failed; f.output == f.from && t.scanner.blank(f.from, f.exitFrom) {
			// An excerpt that begins with how the command ended: all the rest is about it.
			f.to, f.toLine, f.exitFrom = end, t.scanner.lineAt(end), 0
		}
		return
	}
	p := t.phase // all of the log if no phase has ended
	if n := len(t.starts); n > 0 {
		p = t.starts[n-1]
	}
	t.sift(&p, end)
	p.to, p.toLine, p.signs, p.odd = end, t.scanner.lineAt(end), t.signs, t.odds.list()
	t.failed = &p
}

// blank reports whether the buffer has nothing but white space between the offsets.
func (s *scanner) blank(from, to int64) bool {
	return from >= s.off && to <= s.end() && len(bytes.TrimSpace(s.buf[from-s.off:to-s.off])) == 0
}

// maxSifted is how many bytes of a log are sifted as they go by, which is as much as is read of one in
// AWS: it costs a fifth of the time. Of a longer one only the end of the last command is, as far as the
// buffer has it.
const maxSifted = 16 << 20

// sift looks for what no anchor finds in the output of p, as far as it stands before until: crosses
// in front of lines, and lines like no others.
func (t *tracker) sift(p *part, until int64) {
	t.scanner.crosses(&t.signs, p.from, until)
	t.odds.read(t.scanner, p.from, max(p.from, p.output), until)
}

// forget copies the needed part of the log before off, which the buffer is about to drop.
func (t *tracker) forget(off int64) {
	s := t.scanner
	last := &t.phase
	if n := len(t.starts); n > 0 {
		last = &t.starts[n-1]
	}
	if last.from < off {
		until := off
		if n := bytes.IndexByte(s.buf[off-s.off:], '\n'); n >= 0 {
			until += int64(n) + 1 // with a whole line
		}
		if from := max(last.from, s.off); t.sifted < maxSifted {
			t.sifted += until - from
			t.sift(last, until)
		}
	}
	for i := range t.starts {
		s.saveHead(&t.starts[i], off)
	}
	s.saveHead(&t.phase, off)
	s.saveBefore(t.failed, off)
	for _, list := range [][]*part{t.exits, t.rivals} {
		for _, p := range list {
			s.saveBefore(p, off)
		}
	}
}

// saveBefore copies what is needed of p if some of it is before off.
func (s *scanner) saveBefore(p *part, off int64) {
	if p != nil && !p.saved && max(p.from, p.to-keepTail) < off {
		s.save(p)
	}
}

// saveHead copies the beginning of p if it is before off. Where p ends may not be known yet; see
// [part.beginning].
func (s *scanner) saveHead(p *part, off int64) {
	if p.head != nil || p.from >= off {
		return
	}
	from := max(p.from, s.off)
	p.head = bytes.Clone(s.buf[from-s.off : min(from-s.off+headSize, int64(len(s.buf)))])
	p.headLine = s.lineAt(from)
}

// beginning returns the whole lines of p's head, and nothing that stands behind p's end.
func (p *part) beginning() []byte {
	if size := p.to - p.from; int64(len(p.head)) >= size {
		return p.head[:max(0, size)]
	}
	if len(p.head) < headSize {
		return p.head
	}
	return p.head[:bytes.LastIndexByte(p.head, '\n')+1]
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
