package buildlog

import (
	"bytes"
	"io"
	"slices"
)

// A scanner reads a log once, from front to end, in constant memory. It looks only for anchors.
// Around an anchor of a denial it reads a stretch of the log, a region, and passes its claims to
// the tracker; a line of CodeBuild's agent it passes on as a marker. Both come in the order of the
// log.
type scanner struct {
	buf []byte // a part of the log
	off int64  // of buf[0] in the log
	eof bool

	done int64 // anchors before this offset have been found

	line    int   // number of the line that holds the byte at lineOff
	lineOff int64 // somewhere not after done

	// The open region: anchors in [first, last]. Claims that begin before cut were passed on with
	// the previous region.
	open        bool
	first, last int64
	cut         int64

	waiting []located // markers and signs that wait for the claims before them, from index passed on
	passed  int
	signEnd int64 // where the line of the last sign ends
	crossed int64 // crosses before this offset have been looked for
	read    int64 // how many bytes have been read as regions and signs, for tests

	tracker *tracker
}

// located is a marker and its place in the log.
type located struct {
	marker
	from, to         int64
	fromLine, toLine int
	sign             sign // signLine
}

// Sizes in bytes. A region is what lies between anchors that are less than ahead apart, with what a
// message may need before the first and after the last of them. It is passed on in parts if it
// grows beyond maxRegion, so that a log full of anchors is still read in constant memory.
const (
	blockSize = 1 << 20
	firstSize = 32 << 10 // of the buffer, until a log turns out to be longer
	back      = 4 << 10
	ahead     = 16 << 10 // EC2's encoded messages have up to 10,240 characters
	aheadMost = 4 << 10  // of all other messages
	maxRegion = 128 << 10
	keepTail  = 256 << 10 // of the failed command's end
)

// scan reads all of r. A read error other than io.EOF ends it and is returned after everything read
// has been passed on.
func scan(r io.Reader, t *tracker) error {
	s := newScanner(t)
	var err error
	for !s.eof {
		s.room()
		err = s.fill(r)
		s.search(s.end() - ahead - maxLiteral)
	}
	s.close()
	return err
}

func newScanner(t *tracker) *scanner {
	s := &scanner{buf: make([]byte, 0, firstSize), line: 1, tracker: t}
	t.scanner = s
	return s
}

// Write takes the next part of the log, from somebody who gives it in pieces.
func (s *scanner) Write(b []byte) (int, error) {
	written := len(b)
	for len(b) > 0 {
		if len(s.buf) == cap(s.buf) {
			s.search(s.end() - ahead - maxLiteral)
			s.room()
		}
		n := min(len(b), cap(s.buf)-len(s.buf))
		s.buf = append(s.buf, b[:n]...)
		b = b[n:]
	}
	return written, nil
}

// close ends the log.
func (s *scanner) close() {
	s.eof = true
	s.search(s.end())
	s.flush(s.end())
	s.pass(s.end())
	s.tracker.finish(s.end())
}

// end is the offset after the last byte that was read.
func (s *scanner) end() int64 { return s.off + int64(len(s.buf)) }

// room makes room in the buffer by dropping what is no longer needed.
func (s *scanner) room() {
	keep := min(s.done, s.end())
	if s.open {
		keep = min(keep, s.first)
	}
	keep = max(s.off, keep-keepTail)
	s.tracker.forget(keep)
	s.lineAt(keep)
	n := copy(s.buf, s.buf[keep-s.off:])
	s.buf, s.off = s.buf[:n], keep
	if n > cap(s.buf)/2 && cap(s.buf) < blockSize {
		s.buf = slices.Grow(s.buf, blockSize-n)
	}
}

// fill reads until the buffer is full or the log ends.
func (s *scanner) fill(r io.Reader) error {
	for len(s.buf) < cap(s.buf) {
		n, err := r.Read(s.buf[len(s.buf):cap(s.buf)])
		s.buf = s.buf[:len(s.buf)+n]
		if err != nil {
			s.eof = true
			if err == io.EOF {
				err = nil
			}
			return err
		}
	}
	return nil
}

// search finds the anchors before limit.
func (s *scanner) search(limit int64) {
	if limit <= s.done {
		return
	}
	hits := anchorMatcher().find(s.buf, int(s.done-s.off), int(limit-s.off))
	for _, h := range hits {
		switch at := s.off + int64(h.at); h.anchor.kind {
		case markerAnchor:
			s.marker(at)
		case signAnchor:
			s.sign(at, h.anchor.literal)
		default:
			s.denial(at)
		}
	}
	s.done = limit
	if s.open && limit >= s.last+ahead {
		s.flush(limit)
	}
}

// denial handles an anchor of a denial.
func (s *scanner) denial(at int64) {
	switch {
	case !s.open:
	case at > s.last+ahead:
		s.flush(at)
	case at-s.first > maxRegion:
		s.region(s.first, at, s.cut, at)
		s.first, s.last, s.cut = at, at, at
		return
	default:
		s.last = max(s.last, at)
		return
	}
	s.open, s.first, s.last, s.cut = true, at, at, max(s.cut, at-back)
}

// flush passes on the open region. Claims that begin before limit belong to it.
func (s *scanner) flush(limit int64) {
	if s.open {
		s.region(s.first, s.last, s.cut, limit)
		s.open, s.cut = false, min(limit, s.last+ahead)
	}
}

// region reads the log from shortly before first to shortly after last, and passes on the claims
// that begin in [cut, limit).
func (s *scanner) region(first, last, cut, limit int64) {
	to := min(last+aheadMost, s.end())
	if bytes.Contains(s.buf[last-s.off:to-s.off], encodedWord) {
		to = min(last+ahead, s.end())
	}
	from := max(first-back, s.off)
	raw := s.buf[from-s.off : to-s.off]
	s.read += int64(len(raw))
	if from > 0 { // begin with a whole line, if one begins
		if n := bytes.IndexByte(raw[:min(len(raw), int(max(0, cut-from)))], '\n'); n >= 0 {
			from += int64(n) + 1
			raw = raw[n+1:]
		}
	}
	if start := s.stackStart(from); start < from {
		from, raw = start, s.buf[start-s.off:to-s.off]
	}
	for line := s.lineAt(from); len(raw) > 0; {
		n := agentLine(raw)
		part := raw[:n]
		for _, c := range newPage(part, line).claims(s.tracker.home) {
			if at := from + int64(c.raw); at >= cut && at < limit {
				s.pass(at)
				s.tracker.claim(c, at, func() []Line { return linesAround(part, c.raw, c.Line) })
			}
		}
		from += int64(n)
		line += bytes.Count(part, newline)
		raw = raw[n:]
	}
	s.pass(limit)
}

// agentLine returns where in b, behind b[0], the agent next says what it does; len(b) if it does
// not. No message goes on over such a line, and none is explained by what stands behind it. Behind
// the agent's time alone, a message may: something puts it in front of all lines.
func agentLine(b []byte) int {
	for from := 1; from < len(b); {
		n, text := agentAt(b[from:])
		if n < 0 {
			break
		}
		n, text = from+n, from+text
		line, _, _ := bytes.Cut(b[text:min(len(b), text+maxLine)], newline)
		if markerText(string(unstyled(line))).kind != noMarker {
			if i := bytes.LastIndexByte(b[:n], '\n') + 1; i > 0 {
				return i
			}
			return n
		}
		from = text
	}
	return len(b)
}

// pass passes on the waiting markers before limit.
func (s *scanner) pass(limit int64) {
	for s.passed < len(s.waiting) && s.waiting[s.passed].from < limit {
		s.tracker.marker(s.waiting[s.passed])
		s.passed++
	}
	if 2*s.passed >= len(s.waiting) { // not each time: many wait where a log is full of errors
		s.waiting, s.passed = append(s.waiting[:0], s.waiting[s.passed:]...), 0
	}
}

// lineAt returns the number of the line that holds the byte at off, which must not be before the
// buffer.
func (s *scanner) lineAt(off int64) int {
	if off >= s.lineOff {
		s.line += bytes.Count(s.buf[s.lineOff-s.off:off-s.off], newline)
	} else {
		s.line -= bytes.Count(s.buf[off-s.off:s.lineOff-s.off], newline)
	}
	s.lineOff = off
	return s.line
}

// lineStart reports whether nothing that a build printed stands between off and the beginning of
// its line.
func (s *scanner) lineStart(off int64) bool {
	before := s.buf[max(0, off-s.off-maxPrefix) : off-s.off]
	if i := bytes.LastIndexByte(before, '\n'); i >= 0 {
		before = before[i+1:]
	} else if off-s.off > maxPrefix || s.off > 0 {
		return false
	}
	if at, _ := indexAgent(before); at >= 0 {
		return false // the agent's own
	}
	before = unstyled(before)
	number := -1
	return decorations(before, 0, -1, &number, &row{}) == len(before)
}

// maxPrefix bounds what a program puts in front of a line, in bytes.
const maxPrefix = 160

var (
	newline     = []byte{'\n'}
	encodedWord = []byte("ncoded")
)

// marker handles a line of CodeBuild's agent, or its part from off on.
func (s *scanner) marker(off int64) {
	b := s.buf[off-s.off:]
	b = b[:min(len(b), ahead)]
	if _, text := agentAt(b[:min(len(b), maxLiteral)]); text == 0 || b[text-1] == ']' {
		if !s.lineStart(off) { // without a date it may be anything
			return
		}
	}
	end := bytes.IndexByte(b, '\n')
	if end < 0 {
		end = len(b)
	}
	if n, _ := agentAt(b[1:end]); n > 0 {
		end = n + 1
	}
	m := parseMarker(b[:end])
	if m.kind == noMarker {
		return
	}
	if m.kind == exited && m.exit == "" || m.kind == phaseContext { // they may go on over several lines
		n := nextAgent(b[end:min(len(b), end+maxMarker)])
		if more := parseMarker(b[:end+n]); more.exit != "" || m.kind == phaseContext {
			m, end = more, end+n
		}
	}
	s.waiting = append(s.waiting, located{marker: m, from: off, to: off + int64(end),
		fromLine: s.lineAt(off), toLine: s.lineAt(off + int64(end))})
	if !s.open {
		s.pass(off + 1)
	}
}

// maxMarker bounds a line of the agent that goes on over several lines, in bytes.
const maxMarker = 4 << 10

// nextAgent returns where in b the next line of the agent begins, with what a program may have put
// in front of it; len(b) if there is none.
func nextAgent(b []byte) int {
	for from := 0; from < len(b); {
		n, _ := agentAt(b[from:])
		if n < 0 {
			break
		}
		if from += n; n > 0 {
			return bytes.LastIndexByte(b[:from], '\n') + 1
		}
		from++
	}
	return len(b)
}
