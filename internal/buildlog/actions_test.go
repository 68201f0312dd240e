package buildlog

import (
	"math/rand/v2"
	"regexp"
	"slices"
	"testing"
)

// TestActionAround ensures that actions are found as the expression finds them.
func TestActionAround(t *testing.T) {
	re := regexp.MustCompile(`\b[a-z][a-z0-9-]+:[A-Z][A-Za-z0-9]+\b`)
	parts := []string{"s3", ":", "Get", "A", "a", "-", "_", "9", " ", "ec2:", "Run", "::", "é"}
	r := rand.New(rand.NewPCG(1, 1))
	matches := 0
	for range 20000 {
		var text []byte
		for range 1 + r.IntN(14) {
			text = append(text, parts[r.IntN(len(parts))]...)
		}
		var got [][]int
		for end, colon := 0, 0; colon < len(text); colon++ {
			if text[colon] != ':' {
				continue
			}
			from, to := actionAround(text, end, colon)
			if end = colon + 1; from >= 0 {
				got, end = append(got, []int{from, to}), to
			}
		}
		want := re.FindAllIndex(text, -1)
		if !slices.EqualFunc(got, want, slices.Equal) {
			t.Fatalf("%q: %v, want %v", text, got, want)
		}
		matches += len(want)
	}
	if matches < 1000 {
		t.Errorf("only %d actions", matches)
	}
}
