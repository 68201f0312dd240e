package heal_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/decide"
)

// upload is a build that uploads objects whose names it makes up, and prints
// every denial.
func upload(keys ...string) string {
	var calls []string
	for _, k := range keys {
		calls = append(calls, fmt.Sprintf(`{action: "s3:PutObject", on: "arn:aws:s3:::dist/%s"}`, k))
	}
	return strings.Replace(shop(1, ""), "aws s3 cp x s3://dist/x", "{run: ./upload, calls: ["+strings.Join(calls, ", ")+"]}", 1)
}

// TestOneByOne ensures that a commit whose builds are denied one resource after
// the other gets a few of them and no more: then the grant's own pattern waits for
// a person, although the project is in mode heal, and one approval gives all of it.
func TestOneByOne(t *testing.T) {
	s := open(t, upload("a", "b", "c", "d"), shopSettings(1, "new_resources_per_case: 2, rounds: 5"))
	id := s.start("p0")
	s.drain()
	c := s.of(id)
	if c.Outcome != decide.Proposed || len(c.Rounds) != 3 {
		t.Fatalf("%s after %d rounds, %v; policy %s", c.Outcome, len(c.Rounds), refusals(c), s.inline("role-0"))
	}
	had := s.inline("role-0")
	if strings.Contains(had, "dist/*") || !strings.Contains(had, "dist/a") || !strings.Contains(had, "dist/b") ||
		strings.Contains(had, "dist/c") {
		t.Errorf("before the approval the role has %s", had)
	}
	n := s.lastNotice()
	for _, want := range []string{"new_resources_per_case (2)", "arn:aws:s3:::dist/*", "approve"} {
		if !strings.Contains(n, want) {
			t.Errorf("the notice does not say %q:\n%s", want, n)
		}
	}
	if a := s.do(fmt.Sprintf(`{"approve":{"plan":%q}}`, last(c.Rounds).Decision.Plan.Hash())); !a.Done {
		t.Fatalf("approve: %+v", a)
	}
	s.drain()
	if c := s.of(id); c.Outcome != decide.Healed || !strings.Contains(s.inline("role-0"), "arn:aws:s3:::dist/*") {
		t.Errorf("approved: %s, policy %s", c.Outcome, s.inline("role-0"))
	}
}

// TestRejectedPattern ensures that a pattern that nobody approves is not given.
func TestRejectedPattern(t *testing.T) {
	s := open(t, upload("a"), shopSettings(1, "new_resources_per_case: 0"))
	id := s.start("p0")
	s.drain()
	if c := s.of(id); c.Outcome != decide.Proposed || s.inline("role-0") != "" {
		t.Fatalf("%s, policy %s", c.Outcome, s.inline("role-0"))
	}
	if a := s.do(fmt.Sprintf(`{"reject":{"plan":%q}}`, s.of(id).Rounds[0].Decision.Plan.Hash())); !a.Done {
		t.Errorf("reject: %+v", a)
	}
	s.drain()
	if s.inline("role-0") != "" {
		t.Errorf("written: %s", s.inline("role-0"))
	}
}
