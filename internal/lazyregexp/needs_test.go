package lazyregexp

import (
	"slices"
	"testing"
)

// TestNeeds: which texts every match holds.
func TestNeeds(t *testing.T) {
	for _, tt := range []struct {
		what, expr string
		want       []string
	}{
		{"a text", `Access Denied`, []string{"access denied"}},
		{"in any case", `(?i)\bERROR\b`, []string{"error"}},
		{"one of several", `no|never|not`, []string{"never", "no", "not"}},
		{"the longer of two parts", `a.*failed`, []string{"failed"}},
		{"parts that touch", `\bfail(ed|ure)?\b`, []string{"fail", "failed", "failure"}},
		{"what comes at least once", `(fail\d)+`, []string{"fail"}},
		{"a repeated part", `(ab){2}x*`, []string{"abab"}},
		{"a small class", `[Rr]ole`, []string{"role"}},
		{"a letter beyond ASCII", `[❌✗]`, []string{"✗", "❌"}},
		{"a letter that has another form", `(?i)é|ok`, nil},
		{"one way without any", `error|\d+`, nil},
		{"nothing at all", `^\s*$`, nil},
		{"only what may be left out", `(error)?`, nil},
		{"a bad expression", `(`, nil},
	} {
		if got := New(tt.expr).Needs(); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %s needs %q, want %q", tt.what, tt.expr, got, tt.want)
		}
	}
}
