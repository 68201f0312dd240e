package guardrail

import (
	"strings"
	"testing"
)

func TestOverlap(t *testing.T) {
	for _, row := range []struct {
		a, b string
		want bool
	}{
		{"", "", true}, {"*", "", true}, {"?", "", false}, {"a", "a", true}, {"a", "b", false}, {"a*", "*b", true}, {"a*", "b*", false},
		{"a?c", "ab?", true}, {"*", "*", true}, {"a**b", "ab", true}, {"*x*", "aaa", false}, {"*x*", "aa?", true},
		{"arn:aws:s3:::buildmedic*", "arn:aws:s3:::*", true}, {"arn:aws:s3:::buildmedic*", "arn:aws:s3:::shop*", false},
		{strings.Repeat("*a", 200) + "b", strings.Repeat("a", 400), false},
	} {
		if got := overlap(row.a, row.b); got != row.want {
			t.Errorf("overlap(%q, %q) = %v", row.a, row.b, got)
		}
		if got := overlap(row.b, row.a); got != row.want {
			t.Errorf("overlap(%q, %q) = %v", row.b, row.a, got)
		}
	}
}
