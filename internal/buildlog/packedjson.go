package buildlog

import (
	"io"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// jsonText takes the lines of a log out of JSON: the values of one key, or the strings that have
// none. It needs no whole value in memory, and goes on after what is no JSON.
type jsonText struct {
	key string // of the values that hold the log
	out func(stream string, text []byte)

	depth  []byte // the open '{' and '['
	in     jsonString
	open   bool // the text is a string without quotation marks
	isKey  bool // the next string is a key
	name   []byte
	stream []byte

	escape []byte // an escape that has begun, with its backslash
	high   rune   // the first half of a surrogate pair
	text   []byte // to be given out
	ended  bool   // the last line that was given out is whole
	empty  bool   // the string that is being read has nothing yet
	plain  bool   // no JSON any more
}

type jsonString uint8

const (
	jsonOutside jsonString = iota // between strings
	jsonName                      // in a key
	jsonOwn                       // in a string of the log
	jsonStream                    // in the name of a stream
	jsonOther
)

func unpackJSON(r io.Reader, j *jsonText) error {
	buf := make([]byte, formHead)
	j.ended = true
	for {
		n, err := r.Read(buf)
		j.write(buf[:n])
		if err != nil {
			j.flush()
			return err
		}
	}
}

func (j *jsonText) write(b []byte) {
	for _, x := range b {
		switch {
		case j.plain:
			j.text = append(j.text, x)
		case j.in != jsonOutside:
			j.inside(x)
		default:
			j.between(x)
		}
	}
	j.flush()
}

func (j *jsonText) flush() {
	if n := len(j.text); n > 0 {
		j.ended = j.text[n-1] == '\n'
		j.out(string(j.stream), j.text)
		j.text = j.text[:0]
	}
}

// between takes a byte outside strings.
func (j *jsonText) between(x byte) {
	switch x {
	case '{', '[':
		j.depth = append(j.depth[:min(len(j.depth), 64)], x)
		j.isKey, j.name = x == '{', j.name[:0]
		if x == '{' {
			j.flush()
			j.stream = j.stream[:0]
		}
	case '}', ']':
		j.depth = j.depth[:max(0, len(j.depth)-1)]
	case ',':
		j.isKey = len(j.depth) > 0 && j.depth[len(j.depth)-1] == '{'
		if j.isKey {
			j.name = j.name[:0]
		}
	case ':':
		j.isKey = false
	case '"':
		switch {
		case j.isKey:
			j.in, j.name = jsonName, j.name[:0]
		case string(j.name) == j.key:
			j.in, j.empty = jsonOwn, true
		case strings.Contains(strings.ToLower(string(j.name)), "streamname"):
			j.in, j.stream = jsonStream, j.stream[:0]
		default:
			j.in = jsonOther
		}
	default:
		if len(j.depth) == 0 && x > ' ' && x < utf8.RuneSelf { // something else follows
			j.plain = true
			j.text = append(j.text, x)
		}
	}
}

// inside takes a byte of a string.
func (j *jsonText) inside(x byte) {
	if len(j.escape) > 0 {
		j.escape = append(j.escape, x)
		if j.escape[1] != 'u' || len(j.escape) == 6 {
			j.unescape()
			j.escape = j.escape[:0]
		}
		return
	}
	switch {
	case x == '\\':
		j.escape = append(j.escape, x)
	case x == '"' && !j.open:
		if j.in == jsonOwn {
			j.endLine()
		}
		j.in = jsonOutside
	default:
		j.put(x)
	}
}

// endLine ends the line that a string holds, if it did not itself.
func (j *jsonText) endLine() {
	if n := len(j.text); j.empty || n > 0 && j.text[n-1] != '\n' || n == 0 && !j.ended {
		j.text = append(j.text, '\n')
	}
}

func (j *jsonText) put(b ...byte) {
	switch j.in {
	case jsonOwn:
		j.text, j.empty = append(j.text, b...), false
	case jsonName:
		if len(j.name) < maxPrefix {
			j.name = append(j.name, b...)
		}
	case jsonStream:
		if len(j.stream) < maxPrefix {
			j.stream = append(j.stream, b...)
		}
	}
}

func (j *jsonText) unescape() {
	e := j.escape
	if e[1] != 'u' {
		if i := strings.IndexByte(`nrtbf`, e[1]); i >= 0 {
			j.put("\n\r\t\b\f"[i])
		} else {
			if j.open && strings.IndexByte(`"\/`, e[1]) < 0 {
				j.put(e[0])
			}
			j.put(e[1])
		}
		return
	}
	v, ok := hex(e[2:])
	switch {
	case !ok:
		j.put(e...)
	case utf16.IsSurrogate(v) && j.high == 0:
		j.high = v
		return
	case j.high != 0:
		v = utf16.DecodeRune(j.high, v)
		fallthrough
	default:
		j.put(utf8.AppendRune(nil, v)...)
	}
	j.high = 0
}
