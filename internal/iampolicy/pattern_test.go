package iampolicy

import (
	"fmt"
	"math/big"
	"regexp"
	"strings"
	"testing"
)

func TestMatchPattern(t *testing.T) {
	tests := []struct {
		pattern, s string
		want       bool
	}{
		{"", "", true},
		{"", "a", false},
		{"*", "", true},
		{"*", "arn:aws:s3:::b/k", true},
		{"?", "", false},
		{"?", "a", true},
		{"?", "ab", false},
		{"?", "é", true}, // one character, two bytes
		{"?", "\xc3", true},
		{"\xff", "\xfe", false}, // no UTF-8: not the same replacement character
		{"\xff", "\uFFFD", false},
		{"a*", "a", true},
		{"a*", "b", false},
		{"*a", "ba", true},
		{"*a", "ab", false},
		{"a*b*c", "abc", true},
		{"a*b*c", "a-b-b-c", true},
		{"a*b*c", "acb", false},
		{"a*?", "a", false},
		{"a?*", "ab", true},
		{"**", "x", true},
		{"a**b", "ab", true},
		{"ab", "aB", false},
		{"a.c", "abc", false}, // no regular expression
		{"[a]", "a", false},
		{`\*`, "*", false}, // no escapes
		{"*", "a\nb", true},
		{"a*b", "a\nb", true},
		{"*.tgz", "x.tgz.sig", false},
		{"repository/*", "repository", false},
	}
	for _, test := range tests {
		if got := MatchPattern(test.pattern, test.s); got != test.want {
			t.Errorf("MatchPattern(%q, %q) = %v", test.pattern, test.s, got)
		}
	}
}

func TestMatchAction(t *testing.T) {
	tests := []struct {
		pattern, action string
		want            bool
	}{
		{"ecr:PutImage", "ECR:putimage", true},
		{"ECR:PUT*", "ecr:PutImage", true},
		{"ecr:*", "ecr:PutImage", true},
		{"ecr:*", "ecr-public:PutImage", false},
		{"ecr*", "ecr-public:PutImage", true},
		{"*", "iam:PassRole", true},
		{"s3:GetObject", "s3:GetObjectVersion", false},
		{"s3:GetObject?", "s3:GetObject", false},
		// These fold to k and s beyond ASCII; IAM's names are ASCII.
		{"\u212Ams:Decrypt", "kms:Decrypt", false},
		{"kms:Decrypt", "\u212Ams:Decrypt", false},
		{"\u017Fts:AssumeRole", "sts:AssumeRole", false},
		{"sts:AssumeRole", "sts:A\u017F\u017FumeRole", false},
		{"s3:\xff", "s3:\xfe", false},
	}
	for _, test := range tests {
		if got := MatchAction(test.pattern, test.action); got != test.want {
			t.Errorf("MatchAction(%q, %q) = %v", test.pattern, test.action, got)
		}
	}
}

func TestPatternWithin(t *testing.T) {
	tests := []struct {
		inner, outer string
		want         bool
	}{
		{"", "", true},
		{"", "*", true},
		{"*", "", false},
		{"*", "*", true},
		{"a", "a", true},
		{"a*", "a", false},
		{"a", "a*", true},
		{"a*", "a*", true},
		{"a*b", "a*", true},
		{"a*b", "*b", true},
		{"a*b", "*c*", false},
		{"*?", "?*", true},
		{"?*", "*?", true},
		{"**", "*", true},
		{"*", "**", true},
		{"*a?*", "??*", true},
		{"a?b", "a*b", true},
		{"a*b", "a?b", false},
		{"a?b", "a?b", true},
		{"a??", "a?*?", true},
		{"a?", "a?*?", false},
		{"*ab*", "*a*b*", true},
		{"*a*b*", "*ab*", false},
		{"*a*", "*a*a*", false},
		{"a*a", "a*", true},
		{"a*a", "*a*a*", true},
		{"ecr:Put*", "ecr:*", true},
		{"ecr:*", "ecr:put*", false},
		{"é?", "??", true},
		{"?", "é", false},
	}
	for _, test := range tests {
		if got := PatternWithin(test.inner, test.outer); got != test.want {
			t.Errorf("PatternWithin(%q, %q) = %v", test.inner, test.outer, got)
		}
	}
}

// words gives all strings over the alphabet of at most n letters.
func words(alphabet string, n int) []string {
	out := []string{""}
	for begin := 0; n > 0; n-- {
		end := len(out)
		for _, w := range out[begin:end] {
			for _, r := range alphabet {
				out = append(out, w+string(r))
			}
		}
		begin = end
	}
	return out
}

// Over words with a letter that no pattern has, containment and meeting are
// decided by trying; the answers must be the same, both ways.
// TestPatternOfAnyCharacter: NUL is a character like another, and no wildcard.
func TestPatternOfAnyCharacter(t *testing.T) {
	for _, c := range []struct {
		inner, outer string
		want         bool
	}{{"a\x00b", "a\x00b", true}, {"a\x00b", "a?b", true}, {"a?b", "a\x00b", false}, {"\x00", "\x00*", true}} {
		if got := PatternWithin(c.inner, c.outer); got != c.want {
			t.Errorf("%q in %q: %v", c.inner, c.outer, got)
		}
	}
}

func TestPatternsAgainstBruteForce(t *testing.T) {
	patterns, texts := words("ab*?", 4), words("abc", 6)
	matched := make([]*big.Int, len(patterns)) // bit j: the pattern matches texts[j]
	for i, p := range patterns {
		re := regexp.MustCompile("^" + strings.NewReplacer("*", ".*", "?", ".").Replace(p) + "$")
		matched[i] = new(big.Int)
		for j, s := range texts {
			want := re.MatchString(s)
			if got := MatchPattern(p, s); got != want {
				t.Fatalf("MatchPattern(%q, %q) = %v", p, s, got)
			}
			if want {
				matched[i].SetBit(matched[i], j, 1)
			}
		}
	}
	var both big.Int
	for i, inner := range patterns {
		for k, outer := range patterns {
			both.And(matched[i], matched[k])
			if got := PatternWithin(inner, outer); got != (both.Cmp(matched[i]) == 0) {
				t.Fatalf("PatternWithin(%q, %q) = %v", inner, outer, got)
			}
			if got := intersects(compile(inner), compile(outer)); got != (both.Sign() > 0) {
				t.Fatalf("intersects(%q, %q) = %v", inner, outer, got)
			}
		}
	}
}

func FuzzPattern(f *testing.F) {
	f.Add("a*b?", "a?*", "axby")
	f.Add("*a*a*a*", "*a*a*", "aaaa")
	f.Add("arn:aws:s3:::b/*", "arn:*", "arn:aws:s3:::b/k")
	f.Add("\xff?", "é*", "\uFFFD\xff")
	f.Fuzz(func(t *testing.T, a, b, s string) {
		if len(a)+len(b)+len(s) > 1<<12 {
			return // quadratic time is allowed
		}
		inA, inB := MatchPattern(a, s), MatchPattern(b, s)
		if PatternWithin(a, b) && inA && !inB {
			t.Errorf("PatternWithin(%q, %q), but only the first matches %q", a, b, s)
		}
		if inA && inB && !intersects(compile(a), compile(b)) {
			t.Errorf("%q and %q both match %q, but do not intersect", a, b, s)
		}
		if !hasWildcard(s) && PatternWithin(s, a) != inA {
			t.Errorf("%q within %q is not the same as a match", s, a)
		}
		if !PatternWithin(a, a) || !PatternWithin(a, "*") {
			t.Errorf("%q is not within itself or *", a)
		}
		if MatchPattern(a, s) && !MatchAction(a, s) {
			t.Errorf("%q matches %q only as an action", a, s)
		}
		if !MatchPattern(s, s) {
			t.Errorf("%q does not match itself", s)
		}
	})
}

// The worst patterns for a matcher that backtracks.
func BenchmarkMatchPattern(b *testing.B) {
	for _, n := range []int{10, 100, 1000} {
		pattern, s := strings.Repeat("*a", n)+"b", strings.Repeat("a", 2*n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				MatchPattern(pattern, s)
			}
		})
	}
}

func BenchmarkPatternWithin(b *testing.B) {
	for _, n := range []int{10, 100, 1000} {
		outer, inner := strings.Repeat("*?a", n)+"b", strings.Repeat("a*", 2*n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				PatternWithin(inner, outer)
			}
		})
	}
}
