package awsapi

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestPack ensures that data of any size come out as they went in, also those that an earlier
// version packed, and that a case becomes small.
func TestPack(t *testing.T) {
	noise := make([]byte, 96<<10)
	rand.NewChaCha8([32]byte{1}).Read(noise) // never fails
	like := bytes.ReplaceAll(dictionary, []byte("shop"), []byte("worker"))
	for name, row := range map[string]struct {
		data []byte
		most int
	}{
		"nothing":               {nil, 1},
		"little":                {like[:packFrom-1], packFrom},
		"a case":                {like, len(like) / 10},
		"what cannot be packed": {noise, len(noise) + 100},
		"what is all the same":  {[]byte(strings.Repeat("policy ", 40_000)), 2000},
	} {
		for range 2 { // by a packer that was used before
			packed, err := compress(row.data)
			if err != nil || len(packed) > row.most {
				t.Fatalf("%s: %d of %d bytes, %v", name, len(packed), len(row.data), err)
			}
			if out, err := decompress(packed); err != nil || !bytes.Equal(out, row.data) {
				t.Errorf("%s: %d of %d bytes come out, %v", name, len(out), len(row.data), err)
			}
		}
	}
}

// TestFormerData ensures that what earlier versions wrote can be read, and that what a later one
// writes is not taken for something else.
func TestFormerData(t *testing.T) {
	gzipped, err := hex.DecodeString("011f8b08000000000002ffab564a4e2c4e55b2524acb2fca4d2d52aa050037cb8fee11000000")
	if err != nil {
		t.Fatal(err)
	}
	for data, want := range map[string]string{"\x00{}": "{}", string(gzipped): `{"case":"former"}`} {
		if out, err := decompress([]byte(data)); err != nil || string(out) != want {
			t.Errorf("%q, want %q, %v", out, want, err)
		}
	}
	for data, want := range map[string]string{"": "empty", "\x03x": "form 3", "\x01x": "EOF", "\x02\xff\xff": "corrupt"} {
		if out, err := decompress([]byte(data)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is taken for %q, %v", data, out, err)
		}
	}
}

// TestDictionaryStays ensures that nobody changes it: see there.
func TestDictionaryStays(t *testing.T) {
	const want = "1f843db409e19baec3de8345aeaf02a52a4bbf85d3f6e75a9febeb83b22f7fa6"
	if h := sha256.Sum256(dictionary); hex.EncodeToString(h[:]) != want {
		t.Errorf("the dictionary is another one, %x: what was packed with it cannot be read", h)
	}
}
