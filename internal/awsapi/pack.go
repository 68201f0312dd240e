package awsapi

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"sync"
)

// The forms of an item's data, by its first byte.
const (
	formPlain  = 0
	formGzip   = 1 // of earlier versions
	formPacked = 2 // as flate packs it, with the dictionary
)

// dictionary is what most cases have in common: one that was healed. With it a
// case takes up a third of what it takes without, and mostly one write unit. Never change it:
// what was packed with it could not be read any more. A better one is another form.
//
//go:embed dictionary.json
var dictionary []byte

// packFrom is from which size on data are packed.
const packFrom = 512

// packers are used again: each has 800 KB of tables, and has taken in the dictionary.
var packers = sync.Pool{New: func() any {
	w, err := flate.NewWriterDict(io.Discard, flate.DefaultCompression, dictionary)
	if err != nil {
		panic("awsapi: the ledger's packer: " + err.Error()) // of a level that there is not
	}
	return w
}}

// compress packs what is large.
func compress(data []byte) ([]byte, error) {
	if len(data) < packFrom {
		return append([]byte{formPlain}, data...), nil
	}
	var b bytes.Buffer
	b.WriteByte(formPacked)
	w := packers.Get().(*flate.Writer)
	defer packers.Put(w)
	w.Reset(&b)
	if _, err := w.Write(data); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func decompress(b []byte) ([]byte, error) {
	if len(b) == 0 {
		return nil, errors.New("empty data")
	}
	switch form, packed := b[0], bytes.NewReader(b[1:]); form {
	case formPlain:
		return b[1:], nil
	case formGzip:
		r, err := gzip.NewReader(packed)
		if err != nil {
			return nil, err
		}
		return io.ReadAll(r)
	case formPacked:
		return io.ReadAll(flate.NewReaderDict(packed, dictionary))
	default:
		return nil, fmt.Errorf("data of form %d, which this version does not know: deploy the version that wrote it", form)
	}
}
