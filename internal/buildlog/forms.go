package buildlog

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/buildmedic/buildmedic/internal/codebuild"
)

// People save logs with other tools than CodeBuild's: as JSON or CSV with an event for each line,
// with a time, a stream's name or a number in front of each line, or copied from a terminal. A form
// takes such a log apart, so that it is read as CodeBuild wrote it. It is learned from where the
// agent's lines stand in the beginning of the text, not from a list of tools, and a text without
// them, or with one at the beginning of a line, has none.
//
// Lines of several builds, which their streams tell apart, are read apart.
type form struct {
	unpack func(r io.Reader, out func(stream string, text []byte)) error // nil: nothing to unpack
	lines  lineForm
}

// formHead is how much of a text its form is learned from, from the agent's first line on, in
// bytes; formReach is how far that line is looked for.
const (
	formHead  = 32 << 10
	formReach = 1 << 20
)

// readAny is Read, whatever the log's form is.
func readAny(b codebuild.Build, r io.Reader) (Failure, error) {
	head, err := beginning(r)
	if err == nil {
		r = io.MultiReader(bytes.NewReader(head), r)
	} else {
		r = io.MultiReader(bytes.NewReader(head), failing{err})
	}
	f := formOf(head)
	if f == nil {
		t := newTracker(b)
		err := scan(r, t)
		return assemble(b, t), err
	}
	return f.read(b, r)
}

// beginning reads as much of r as a form is learned from.
func beginning(r io.Reader) (head []byte, err error) {
	for want := formHead; ; want = len(head) + formHead {
		head = slices.Grow(head, want-len(head))
		for err == nil && len(head) < want {
			var n int
			n, err = r.Read(head[len(head):want])
			head = head[:len(head)+n]
		}
		at, _ := indexAgent(head)
		if err != nil || len(head) >= formReach || at >= 0 && len(head)-at >= formHead {
			return head, err
		}
	}
}

// failing is a reader of nothing but an error.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// formOf learns the form of the text that begins with head; nil: it is as CodeBuild wrote it.
func formOf(head []byte) *form {
	if i, _ := indexAgent(head); i < 0 {
		return nil
	}
	f := &form{}
	sample := head
	if f.unpack = packed(head); f.unpack != nil {
		var text []byte
		_ = f.unpack(bytes.NewReader(head), func(_ string, b []byte) { text = append(text, b...) })
		sample = text // as much as is whole in head
	}
	f.lines = lineFormOf(sample)
	if f.unpack == nil && f.lines == (lineForm{}) {
		return nil
	}
	return f
}

// maxStreams bounds how many builds' logs are told apart, since each of them needs a buffer.
const maxStreams = 12

// read reads a text of form f.
func (f *form) read(b codebuild.Build, r io.Reader) (Failure, error) {
	s := streams{build: b, form: &f.lines}
	unpack := f.unpack
	if unpack == nil {
		unpack = unpackNothing
	}
	err := unpack(r, s.text)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	s.close()
	t := s.failed()
	failure := assemble(b, t)
	failure.Cut = s.more
	return failure, err
}

func unpackNothing(r io.Reader, out func(string, []byte)) error {
	buf := make([]byte, formHead)
	for {
		n, err := r.Read(buf)
		out("", buf[:n])
		if err != nil {
			return err
		}
	}
}

// streams reads the logs of several builds that come in one text.
type streams struct {
	build codebuild.Build
	form  *lineForm
	list  []*stream
	last  *stream // that the last line belonged to
	line  []byte  // the beginning of a line
	from  string  // its stream, as far as the text was packed
	clock int
	more  bool // some streams were left out
}

type stream struct {
	name    string
	scanner *scanner
	joiner  joiner
	touched int // when its last line came
}

// text takes the next part of the text.
func (s *streams) text(from string, b []byte) {
	if from != s.from && len(s.line) > 0 {
		s.take(s.line)
		s.line = s.line[:0]
	}
	s.from = from
	for len(b) > 0 {
		n := bytes.IndexByte(b, '\n')
		if n < 0 {
			s.line = append(s.line, b...)
			if len(s.line) > ahead { // so that any line is read in constant memory
				s.take(s.line)
				s.line = s.line[:0]
			}
			return
		}
		if len(s.line) > 0 {
			s.line = append(s.line, b[:n+1]...)
			s.take(s.line)
			s.line = s.line[:0]
		} else {
			s.take(b[:n+1])
		}
		b = b[n+1:]
	}
}

// take takes a line, with its end.
func (s *streams) take(line []byte) {
	name, own, keep := s.form.own(line)
	if !keep {
		return
	}
	if s.from != "" {
		name = s.from
	}
	if x := s.stream(name); x != nil {
		s.clock++
		x.touched = s.clock
		s.last = x
		x.joiner.line(s.form, x.scanner, own)
	}
}

// stream returns the stream of a name. A line without one belongs to the stream of the line before.
func (s *streams) stream(name string) *stream {
	if s.last != nil && (name == "" || s.last.name == name) {
		return s.last
	}
	for _, x := range s.list {
		if x.name == name {
			return x
		}
	}
	if len(s.list) == maxStreams {
		s.more = true
		return nil
	}
	x := &stream{name: name, scanner: newScanner(newTracker(s.build))}
	s.list = append(s.list, x)
	return x
}

func (s *streams) close() {
	if len(s.line) > 0 {
		s.take(s.line)
	}
	if len(s.list) == 0 {
		s.stream("")
	}
	for _, x := range s.list {
		x.joiner.flush(x.scanner)
		x.scanner.close()
	}
}

// failed returns what was read of the build that is asked about: the one that the record names,
// else the one that failed, and of several the last.
func (s *streams) failed() *tracker {
	best, rank := s.list[0], -1
	_, id, _ := strings.Cut(s.build.ID, ":")
	for _, x := range s.list {
		n := 0
		switch f := x.scanner.tracker.failed; {
		case x.name != "" && (x.name == s.build.Logs.Stream || id != "" && strings.HasSuffix(x.name, id)):
			n = 3
		case f.phase != "":
			n = 2
		case f.exitFrom > 0:
			n = 1
		}
		if n > rank || n == rank && x.touched > best.touched {
			best, rank = x, n
		}
	}
	return best.scanner.tracker
}

// A joiner puts lines together that were taken apart, or removes the blank lines between them.
type joiner struct {
	part []byte // a line that the next one may go on
	skip bool   // a blank line that follows is no line of the log
}

func (j *joiner) line(f *lineForm, out io.Writer, b []byte) {
	bare := bytes.TrimRight(b, "\r\n")
	if f.double {
		if len(bare) == 0 && j.skip {
			j.skip = false
			return
		}
		j.skip = true
	}
	if f.width == 0 {
		_, _ = out.Write(b) // a scanner has no errors
		return
	}
	agent, _ := agentAt(bare)
	if agent == 0 {
		j.flush(out)
	}
	j.part = append(j.part, bare...)
	switch n := utf8.RuneCount(bare); {
	case n == f.width && len(j.part) < ahead:
		return
	case n == f.width-1 && agent == 0: // the blank at which it was broken is lost
		j.part = append(j.part, ' ')
		return
	}
	j.part = append(j.part, b[len(bare):]...)
	j.flush(out)
}

func (j *joiner) flush(out io.Writer) {
	if n := len(j.part); n > 0 {
		if j.part[n-1] != '\n' {
			j.part = append(j.part, '\n')
		}
		_, _ = out.Write(j.part)
		j.part = j.part[:0]
	}
}
