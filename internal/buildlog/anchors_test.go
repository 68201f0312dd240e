package buildlog

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAnchorLengths(t *testing.T) {
	for _, a := range slices.Concat(anchors, signAnchors) {
		if len(a.literal) < window-1 || len(a.literal) > maxLiteral {
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
			pieces := append([]string{a.literal, a.literal[:r.IntN(len(a.literal))], a.literal[r.IntN(len(a.literal)):], " ",
				"\n", word(r)}, slices.Concat(a.before, a.near)...)
			b.WriteString(pick(r, pieces...))
		}
		text := []byte(b.String())
		from := r.IntN(len(text)/2 + 1)
		type place struct {
			Literal string
			At      int
		}
		var want, got []place
		all := slices.Concat(anchors, signAnchors)
		for i := range text {
			for j := range all {
				a := &all[j]
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

// TestBrokenAnchor breaks each anchor of each text at each of its characters,
// as a tool that wraps lines does. AWS's own sentence holds at least two, so
// what it states is still found. A tool's own short report may hold only one,
// such as an error code; how many are lost with it is bounded.
func TestBrokenAnchor(t *testing.T) {
	texts := map[string]string{}
	for _, s := range readShapes(t) {
		if s.category != "wrapped" { // broken already, some of them at an anchor
			texts[s.category+"/"+s.name] = s.text
		}
	}
	for seed := range uint64(60) {
		_, texts[fmt.Sprintf("random sentence %d", seed)] = randomDenial(rand.New(rand.NewPCG(seed, 5)))
	}
	stated, reported, lost := 0, 0, 0
	for name, text := range texts {
		hits := slices.DeleteFunc(anchorMatcher().find([]byte(text), 0, len(text)),
			func(h hit) bool { return h.anchor.kind != denialAnchor })
		want := statedActions(text)
		switch {
		case len(want) > 0 && len(hits) < 2:
			t.Errorf("%s holds %d anchors, want two: %s", name, len(hits), text)
		case len(want) > 0:
			stated++
		case len(Denials(text)) > 0:
			reported++
		}
		found := true
		for _, h := range hits {
			for k := h.at + 1; k < h.at+len(h.anchor.literal); k++ {
				broken := text[:k] + "\n" + text[k:]
				if got := statedActions(broken); !slices.Equal(got, want) {
					t.Errorf("%s, broken within %q: %v, want %v\n%s", name, h.anchor.literal, got, want, broken)
				}
				found = found && len(Denials(broken)) > 0
			}
		}
		if len(hits) > 0 && len(want) == 0 && len(Denials(text)) > 0 && !found {
			lost++
		}
	}
	t.Logf("%d texts with AWS's sentence, all found; %d other reports, of which a broken anchor loses %d", stated, reported, lost)
	if stated < 190 || reported < 90 {
		t.Errorf("%d texts with AWS's sentence and %d other reports, want at least 190 and 90", stated, reported)
	}
	if lost*100 > 45*reported {
		t.Errorf("a broken anchor loses %d of %d reports, want at most 45 %%", lost, reported)
	}
}

// statedActions returns the actions that AWS's own sentence states in a text.
func statedActions(text string) []string {
	var list []string
	for _, d := range Denials(text) {
		if d.Action != "" && !d.Inferred {
			list = append(list, d.Action)
		}
	}
	return list
}
