package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"unicode/utf16"
	"unicode/utf8"
)

// openInput opens a file, or standard input for "" and "-", as text: it
// unpacks gzip, which CodeBuild's logs in S3 are (AWS.md#s3-logs), and turns
// UTF-16, which PowerShell writes with >, into UTF-8. what is named in errors.
func openInput(what, path string, stdin io.Reader) (io.ReadCloser, error) {
	var c io.Closer = io.NopCloser(nil)
	r := stdin
	if path != "" && path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", what, err)
		}
		r, c = f, f
	}
	b := bufio.NewReaderSize(r, 64<<10)
	if head, _ := b.Peek(2); bytes.Equal(head, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(b)
		if err != nil {
			c.Close()
			return nil, fmt.Errorf("reading %s: it begins like gzip and is not: %w", what, err)
		}
		b = bufio.NewReaderSize(z, 64<<10)
	}
	return struct {
		io.Reader
		io.Closer
	}{asUTF8(b), c}, nil
}

// readInput reads all of a file as openInput opens it.
func readInput(what, path string) ([]byte, error) {
	in, err := openInput(what, path, nil)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	data, err := io.ReadAll(in)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", what, err)
	}
	return data, nil
}

// asUTF8 takes away a byte order mark, and reads UTF-16 as UTF-8. Without a
// mark, text is UTF-16 if one byte of each of its first pairs is zero: then
// it begins with Latin letters.
func asUTF8(b *bufio.Reader) io.Reader {
	if head, _ := b.Peek(3); bytes.Equal(head, []byte("\xef\xbb\xbf")) {
		b.Discard(3)
		return b
	}
	head, _ := b.Peek(8) // not more: JSON Lines are answered as they come
	switch {
	case bytes.HasPrefix(head, []byte{0xff, 0xfe}):
		b.Discard(2)
		return &utf16Reader{r: b, order: binary.LittleEndian}
	case bytes.HasPrefix(head, []byte{0xfe, 0xff}):
		b.Discard(2)
		return &utf16Reader{r: b, order: binary.BigEndian}
	case zeros(head, 1):
		return &utf16Reader{r: b, order: binary.LittleEndian}
	case zeros(head, 0):
		return &utf16Reader{r: b, order: binary.BigEndian}
	}
	return b
}

// zeros reports whether of each pair of bytes just the one at i is zero.
func zeros(head []byte, i int) bool {
	for ; len(head) >= 2; head = head[2:] {
		if head[i] != 0 || head[1-i] == 0 {
			return false
		}
		if len(head) < 4 {
			return true
		}
	}
	return false
}

// utf16Reader reads UTF-16 as UTF-8. What is no character becomes U+FFFD, and
// a last single byte is left out.
type utf16Reader struct {
	r     *bufio.Reader
	order binary.ByteOrder
	rest  []byte // of a character that did not fit
}

func (u *utf16Reader) Read(p []byte) (int, error) {
	n := copy(p, u.rest)
	u.rest = u.rest[n:]
	for n < len(p) && len(u.rest) == 0 {
		c, err := u.next()
		if err != nil {
			if n > 0 {
				return n, nil // what is read is given first: the error comes again
			}
			return 0, err
		}
		s := utf8.AppendRune(nil, c)
		k := copy(p[n:], s)
		n, u.rest = n+k, s[k:]
	}
	return n, nil
}

// next reads a character: one unit, or the two of a pair.
func (u *utf16Reader) next() (rune, error) {
	b, err := u.r.Peek(2)
	if len(b) < 2 {
		return 0, err
	}
	c := rune(u.order.Uint16(b))
	u.r.Discard(2)
	if !utf16.IsSurrogate(c) {
		return c, nil
	}
	if b, _ = u.r.Peek(2); len(b) == 2 {
		if pair := utf16.DecodeRune(c, rune(u.order.Uint16(b))); pair != utf8.RuneError {
			u.r.Discard(2)
			return pair, nil
		}
	}
	return utf8.RuneError, nil
}
