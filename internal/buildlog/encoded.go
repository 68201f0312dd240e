package buildlog

import (
	"bytes"
	"strings"
)

// EC2 puts the details of a denial in a message for sts:DecodeAuthorizationMessage, in base64url,
// several hundred characters long (AWS.md#encoded-message). Terminals and tables wrap it anywhere.
const (
	encodedWords = "encodedauthorizationfailuremessage:"
	minEncoded   = 100   // a shorter one was cut
	maxEncoded   = 10240 // what sts:DecodeAuthorizationMessage takes
)

// encoded reads the encoded message that follows c, if one does.
func (p *page) encoded(c *claim) {
	i := p.skipFlat(c.to, ".", "]", ")", ",", `"`, "'")
	i, ok := cut(p.flat, i, encodedWords)
	if !ok {
		return
	}
	c.EncodedCut = true
	if i >= len(p.flat) {
		c.to = i
		return
	}
	message, end := p.base64(int(p.at[p.skipFlat(i, `"`, "'", "`")]))
	c.to = p.flatAt(end)
	rest := p.text[end:min(len(p.text), end+8)]
	elided := bytes.HasPrefix(rest, []byte("..")) || bytes.HasPrefix(rest, []byte("…")) || bytes.HasPrefix(rest, []byte("[..")) ||
		bytes.HasPrefix(rest, []byte("<")) || bytes.HasPrefix(rest, []byte("*"))
	if len(message) < minEncoded || len(message) > maxEncoded || elided || len(strings.TrimRight(message, "="))%4 == 1 {
		return
	}
	c.Encoded, c.EncodedCut = message, false
}

// base64 reads the base64url that begins at text[t], over the rows that it
// was wrapped to.
func (p *page) base64(t int) (string, int) {
	var b []byte
	width := int32(0)
	u := base64End(p.text, t)
	b = append(b, p.text[t:u]...)
	for len(b) <= maxEncoded {
		next, ok := p.nextRow(u)
		if !ok {
			break
		}
		width = max(width, p.rows[p.rowAt(u)].width)
		end := base64End(p.text, next)
		if !p.goesOn(next, end, p.rows[p.rowAt(u)].width, width) {
			break
		}
		b = append(b, p.text[next:end]...)
		u = end
	}
	return string(b), u
}

func base64End(b []byte, i int) int {
	for i < len(b) && (letter(b[i]) || digit(b[i]) || b[i] == '-' || b[i] == '_' || b[i] == '=') {
		i++
	}
	return i
}

// goesOn reports whether text[from:to], at the beginning of a row, continues
// base64 whose last row and widest row had the given widths. Few words are
// as long as a row; a short rest must look random, fill no sentence, and
// follow a full row.
func (p *page) goesOn(from, to int, last, widest int32) bool {
	n := to - from
	switch {
	case n == 0:
		return false
	case n >= 24:
		return true
	case last < widest || p.text[to] == ' ' && !p.stop(p.flatAt(to)):
		return false
	}
	word := p.text[from:to]
	lower := bytes.ToLower(word)
	return bytes.ContainsAny(word, "0123456789_-") || !bytes.Equal(word[1:], lower[1:])
}
