// Package policyfile changes a policy document that lies in a repository: it adds what a grant
// gives, as a person would who edits the file by hand. It is pure.
//
// The file holds one identity-based policy document and nothing else, as JSON. That is what
// Terraform takes by file(), the CDK by PolicyDocument.fromJson, and CloudFormation as the value of
// PolicyDocument, without a step between. Nothing of the file is written anew: what is added goes
// behind the last statement, indented as the others are, and every other byte stays.
package policyfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/buildmedic/buildmedic/internal/iampolicy"
)

// MaxFile is the most bytes that a file may have. IAM's largest policy is some 10 kB; the rest is
// indentation.
const MaxFile = 256 << 10

// maxPolicy is IAM's quota for all inline policies of a role, the largest that a document meets
// (AWS.md#quotas). Which quota holds is known only to the code that deploys the file.
const maxPolicy = 10240

// Add adds to the file what it lacks of the statements, by [iampolicy.Merge], and returns the file's
// next text with what was added. before is nil where there is no file yet. Where nothing is added,
// the file stays as it is, byte for byte.
//
// The error says what is wrong with the file, for the person who keeps it, and is no sentence: "line
// 3:5: …". Then nothing is to be written.
func Add(before []byte, statements []iampolicy.Statement) (after []byte, added []iampolicy.Statement, err error) {
	var d iampolicy.Document
	if before != nil {
		if d, err = read(before); err != nil {
			return nil, nil, err
		}
	}
	next, n := iampolicy.Merge(d, statements)
	added = next.Statements[len(next.Statements)-n:]
	switch {
	case n == 0 && before != nil:
		return before, nil, nil
	case before == nil:
		after = next.Canonical()
	default:
		if after, err = insert(before, added); err != nil {
			return nil, nil, err
		}
	}
	if size := iampolicy.Size(after); size > maxPolicy {
		return nil, nil, fmt.Errorf("it would have %d characters, and no policy of IAM has more than %d; clear out what "+
			"is not needed, or use a second file", size, maxPolicy)
	}
	return after, added, nil
}

var byteOrderMark = []byte("\xef\xbb\xbf")

// read reads a file as strictly as what is written to IAM is read.
func read(file []byte) (iampolicy.Document, error) {
	switch {
	case len(file) > MaxFile:
		return iampolicy.Document{}, fmt.Errorf("it has %d bytes, and %d are the most that is read of a policy",
			len(file), MaxFile)
	case bytes.HasPrefix(file, byteOrderMark):
		return iampolicy.Document{}, errors.New("it begins with a byte order mark, which no JSON does; save it without")
	case len(bytes.TrimSpace(file)) == 0:
		return iampolicy.Document{}, errors.New("it is empty; delete it, and it is made anew, or put a policy document into it")
	}
	d, err := iampolicy.Parse(file)
	if err != nil {
		return d, errors.New(strings.TrimPrefix(err.Error(), "reading policy: "))
	}
	return d, nil
}

// list is where a file's list of statements is: offsets of the bytes behind its opening bracket, of
// its first statement, behind its last one, and of its closing bracket.
type list struct{ open, first, last, end int }

// find finds the list of statements in a file that was read.
func find(file []byte) (l list, err error) {
	d := json.NewDecoder(bytes.NewReader(file))
	if _, err = d.Token(); err != nil {
		return l, err
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return l, err
		}
		var value json.RawMessage
		if key != "Statement" {
			if err := d.Decode(&value); err != nil {
				return l, err
			}
			continue
		}
		if _, err = d.Token(); err != nil {
			return l, err
		}
		l.open = int(d.InputOffset())
		l.first, l.last = l.open, l.open
		for d.More() {
			if err := d.Decode(&value); err != nil {
				return l, err
			}
			l.last = int(d.InputOffset())
			if l.first == l.open {
				l.first = l.last - len(value)
			}
		}
		if _, err = d.Token(); err != nil {
			return l, err
		}
		l.end = int(d.InputOffset()) - 1
	}
	return l, nil
}

// insert puts the statements behind the last one.
func insert(file []byte, added []iampolicy.Statement) ([]byte, error) {
	l, err := find(file)
	if err != nil {
		return nil, err
	}
	s := styleOf(file, l)
	var b bytes.Buffer
	b.Write(file[:l.last])
	for i, st := range added {
		if i > 0 || l.first < l.last {
			b.WriteByte(',')
		}
		text, err := s.print(st)
		if err != nil {
			return nil, err
		}
		b.WriteString(s.before)
		b.Write(text)
	}
	if l.first == l.last { // what stood in the empty list was white space
		b.WriteString(s.behind)
		l.last = l.end
	}
	b.Write(file[l.last:])
	// What was put there must be what was judged.
	d, err := iampolicy.Parse(file)
	if err != nil {
		return nil, err
	}
	d.Statements = append(d.Statements, added...)
	got, err := iampolicy.Parse(b.Bytes())
	if err != nil || !bytes.Equal(got.Compact(), d.Compact()) {
		return nil, errors.New("nothing can be added to it in its own form")
	}
	return b.Bytes(), nil
}

// style is how a file writes its statements.
type style struct {
	flat         bool   // all on one line
	newline      string // line end
	prefix, unit string // indentation of a statement, and what each level adds to it
	before       string // between a comma and a statement
	behind       string // between the last statement and the bracket, in a list that was empty
}

const usualUnit = "  "

func styleOf(file []byte, l list) style {
	s := style{newline: "\n", unit: usualUnit}
	if i := bytes.IndexByte(file, '\n'); i > 0 && file[i-1] == '\r' {
		s.newline = "\r\n"
	}
	line := indentation(file[bytes.LastIndexByte(file[:l.open], '\n')+1:])
	gap, first := file[l.open:l.first], file[l.first:l.last]
	switch i := bytes.LastIndexByte(gap, '\n'); {
	case len(first) == 0: // an empty list
		if s.flat = !bytes.Contains(file[:l.open], []byte("\n")); s.flat {
			return s
		}
		if line != "" {
			s.unit = line
		}
		s.prefix, s.behind = line+s.unit, s.newline+line
		s.before = s.newline + s.prefix
		return s
	case i >= 0: // each statement begins a line
		s.prefix = string(gap[i+1:])
		s.before = s.newline + s.prefix
	default: // as in [{
		s.prefix, s.before = line, " "
	}
	inner := first[1:]
	i := bytes.IndexByte(inner, '\n')
	switch {
	case i < 0 || len(bytes.TrimSpace(inner[:i])) > 0:
		s.flat = true
		if s.before == " " && !bytes.HasPrefix(bytes.TrimLeft(file[l.open:], " "), []byte("{ ")) {
			s.before = ""
		}
	case strings.HasPrefix(indentation(inner[i+1:]), s.prefix) && indentation(inner[i+1:]) != s.prefix:
		s.unit = strings.TrimPrefix(indentation(inner[i+1:]), s.prefix)
	}
	return s
}

// indentation is the white space that a line begins with.
func indentation(line []byte) string {
	return string(line[:len(line)-len(bytes.TrimLeft(line, " \t"))])
}

func (s style) print(st iampolicy.Statement) ([]byte, error) {
	compact, err := st.MarshalJSON()
	if err != nil || s.flat {
		return compact, err
	}
	var b bytes.Buffer
	if err := json.Indent(&b, compact, s.prefix, s.unit); err != nil {
		return nil, err
	}
	return bytes.ReplaceAll(b.Bytes(), []byte("\n"), []byte(s.newline)), nil
}
