package buildlog

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAnchorLengths(t *testing.T) {
	for _, a := range anchors {
		if len(a.literal) < window || len(a.literal) > maxLiteral {
			t.Errorf("%q has %d bytes", a.literal, len(a.literal))
		}
	}
}

// The matcher, which skips most bytes, finds what looking at every byte does.
func TestMatcher(t *testing.T) {
	found := 0
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 3))
		var b strings.Builder
		for range r.IntN(200) {
			a := anchors[r.IntN(len(anchors))]
			pieces := append([]string{a.literal, a.literal[:r.IntN(len(a.literal))], a.literal[r.IntN(len(a.literal)):], " ", "\n", word(r)}, slices.Concat(a.before, a.near)...)
			b.WriteString(pick(r, pieces...))
		}
		text := []byte(b.String())
		from := r.IntN(len(text)/2 + 1)
		type place struct {
			Literal string
			At      int
		}
		var want, got []place
		for i := range text {
			for j := range anchors {
				a := &anchors[j]
				end := i + rarestWindow(a.literal) + window - 1
				if end >= from && end < len(text) && bytes.HasPrefix(text[i:], []byte(a.literal)) && a.at(text, i) {
					want = append(want, place{a.literal, i})
				}
			}
		}
		for _, h := range anchorMatcher().find(text, from, len(text)) {
			got = append(got, place{h.anchor.literal, h.at})
		}
		byPlace := func(a, b place) int {
			if a.At != b.At {
				return a.At - b.At
			}
			return strings.Compare(a.Literal, b.Literal)
		}
		slices.SortFunc(want, byPlace)
		slices.SortFunc(got, byPlace)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("seed %d from %d (-every byte +matcher):\n%s\n%q", seed, from, diff, text)
		}
		found += len(got)
	}
	if found < 1000 {
		t.Errorf("only %d anchors in the samples", found)
	}
}
