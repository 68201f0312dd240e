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

func TestCouldBe(t *testing.T) {
	const (
		images = "arn:aws:ecr:*:111122223333:repository/cdk-*-assets-111122223333-*"
		log    = "arn:aws:logs:*:111122223333:log-group:/aws/lambda/buildmedic:*"
	)
	for _, row := range []struct {
		part, resource string
		want           bool
	}{
		{images, "arn:aws:ecr:eu-west-1:111122223333:repository/docker-hub/*", false},
		{images, "arn:aws:ecr:*:111122223333:repository/docker-hub/*", true}, // the grant's * may go on beyond its colon
		{images, "arn:aws:ecr:eu-west-1:111122223333:repository/docker-hub/node", false},
		{images, "arn:aws:ecr:eu-west-1:111122223333:repository/*", true},
		{images, "arn:aws:ecr:eu-west-1:111122223333:repository/cdk-*", true},
		{images, "arn:aws:ecr:eu-west-1:111122223333:repository/c?k-*", true},
		{images, "arn:aws:ecr:eu-west-1:111122223333:repository/*-eu-west-1", true},
		{images, "arn:aws:ecr:eu-west-1:111122223333:repository/cdk-hnb659fds-container-assets-111122223333-eu-west-1", true},
		{images, "arn:aws:ecr:eu-west-1:444455556666:repository/cdk-hnb659fds-container-assets-444455556666-eu-west-1", false},
		{images, "arn:aws:ecr:*", true},
		{images, "arn:aws:ecr:eu-*", true},
		{images, "*", true},
		{log, "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/buildmedic:log-stream:x", true},
		{log, "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/codebuild/*", false},
	} {
		if got := couldBe(row.part, row.resource); got != row.want {
			t.Errorf("couldBe(%q, %q) = %v", row.part, row.resource, got)
		}
	}
}

// TestOverlapOfShortPatterns compares all short pairs with what follows from the words of the
// comment alone.
func TestOverlapOfShortPatterns(t *testing.T) {
	var meet func(a, b string, n int) bool
	meet = func(a, b string, n int) bool {
		switch {
		case a == "" && b == "":
			return true
		case a != "" && a[0] == '*':
			return meet(a[1:], b, n-1) || b != "" && (b[0] != ':' || n <= 0) && meet(a, b[1:], n)
		case b != "" && b[0] == '*':
			return meet(a, b[1:], n) || a != "" && meet(a[1:], b, n-1)
		case a == "" || b == "":
			return false
		}
		return (a[0] == b[0] || a[0] == '?' || b[0] == '?') && meet(a[1:], b[1:], n-1)
	}
	all := []string{""}
	for from := 0; len(all) < 1+4+16+64+256; { // by length, up to four
		to := len(all)
		for _, p := range all[from:to] {
			for _, c := range "a:*?" {
				all = append(all, p+string(c))
			}
		}
		from = to
	}
	for _, a := range all {
		for _, b := range all {
			for n := range len(a) + 1 {
				if got, want := overlapBelow(a, b, n), meet(a, b, n); got != want {
					t.Fatalf("overlapBelow(%q, %q, %d) = %v", a, b, n, got)
				}
			}
		}
	}
}
