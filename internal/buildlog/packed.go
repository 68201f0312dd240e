package buildlog

import (
	"bytes"
	"encoding/csv"
	"io"
	"strings"

	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// packed returns how to unpack a text that begins with head and holds each line of a log as a value
// of a format, nil if it is none.
func packed(head []byte) func(io.Reader, func(string, []byte)) error {
	if quoted, key := quotedAgent(head); quoted {
		switch bytes.TrimLeft(head, " \t\r\n\ufeff")[0] {
		case '{', '[', '"':
			return func(r io.Reader, out func(string, []byte)) error {
				return unpackJSON(r, &jsonText{key: key, out: out})
			}
		}
	}
	if escapedLines(head) {
		return func(r io.Reader, out func(string, []byte)) error {
			return unpackJSON(r, &jsonText{key: "", out: out, in: jsonOwn, open: true})
		}
	}
	if c, ok := csvOf(head); ok {
		return c.unpack
	}
	return nil
}

// quotedAgent reports whether one of the agent's lines in head is a JSON string, and the key that
// it is the value of, "" if none.
func quotedAgent(head []byte) (ok bool, key string) {
	at := -1
	for _, a := range agentWords {
		if i := bytes.Index(head, []byte(`"`+a+` `)); i >= 0 && (at < 0 || i < at) {
			at = i
		}
	}
	if at < 0 {
		return false, ""
	}
	if m := keyBefore.Get().FindSubmatch(head[max(0, at-80):at]); m != nil {
		return true, string(m[1])
	}
	return true, ""
}

var keyBefore = lazyregexp.New(`"([^"\\]+)"\s*:\s*$`)

// escapedLines reports whether the lines of the log end with an escaped newline.
func escapedLines(head []byte) bool {
	escaped, plain := 0, 0
	for _, a := range agentWords {
		escaped += bytes.Count(head, []byte(`\n`+a+` `))
		plain += bytes.Count(head, []byte("\n"+a+" "))
	}
	return escaped >= 2 && plain == 0
}

// csvColumns are those of a table in CSV.
type csvColumns struct{ message, stream int }

// csvOf finds the column of a CSV table that holds the agent's lines.
func csvOf(head []byte) (c csvColumns, ok bool) {
	first, _, _ := bytes.Cut(head, newline)
	if at, _ := agentAt(first); at == 0 || bytes.IndexByte(first, ',') < 0 {
		return c, false
	}
	r := csvReader(bytes.NewReader(head))
	c = csvColumns{-1, -1}
	for row, found := 0, 0; ; row++ {
		rec, err := r.Read()
		if err != nil || len(rec) < 2 {
			return c, false
		}
		for i, cell := range rec {
			if row == 0 && strings.Contains(strings.ToLower(cell), "stream") {
				c.stream = i
			}
			if at, _ := agentAt([]byte(cell)); at == 0 && (c.message < 0 || c.message == i) {
				c.message = i
				if found++; found == 2 {
					return c, true
				}
			}
		}
	}
}

func csvReader(r io.Reader) *csv.Reader {
	c := csv.NewReader(r)
	c.FieldsPerRecord, c.LazyQuotes, c.ReuseRecord = -1, true, true
	return c
}

func (c csvColumns) unpack(r io.Reader, out func(string, []byte)) error {
	t := csvReader(r)
	for row := 0; ; row++ {
		rec, err := t.Read()
		if err != nil {
			return err
		}
		name := ""
		if c.stream >= 0 && c.stream < len(rec) {
			name = rec[c.stream]
		}
		switch {
		case c.message >= len(rec):
			out(name, []byte(strings.Join(rec, ",")+"\n")) // what somebody added
		case row > 0 || agentFirst(rec[c.message]):
			out(name, []byte(strings.TrimSuffix(rec[c.message], "\n")+"\n"))
		}
	}
}

func agentFirst(s string) bool {
	at, _ := agentAt([]byte(s))
	return at == 0
}
