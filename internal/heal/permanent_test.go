package heal_test

import (
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/heal"
)

// bridged has what is written to role-0 made permanent by a repository.
func bridged(t *testing.T, world, set string) (*stage, *repository) {
	t.Helper()
	return withCode(t, world, strings.Replace(set, "write: {inline: healed}",
		"write: {inline: healed}, permanent: {code: {github: example/shop, path: aws/policy.json}}", 1))
}

// saying counts the notices of requests that say so.
func (s *stage) saying(words string) (n int) {
	for _, m := range s.Sim.Notices() {
		if m.Attributes["kind"] == string(decide.Requested) && strings.Contains(strings.Join(strings.Fields(m.Message), " "), words) {
			n++
		}
	}
	return n
}

// TestMadePermanent: what was written directly is asked for in code once the build is green, and taken
// out again once the role has it from there, and not before.
func TestMadePermanent(t *testing.T) {
	s, r := bridged(t, shop(1, ""), shopSettings(1, ""))
	id := s.start("p0")
	s.drain()
	c := s.of(id)
	if c.Outcome != decide.Healed || len(r.state) != 1 || c.Rounds[0].Requests[0].State != decide.RequestOpened {
		t.Fatalf("%s %v, %d requests, %+v", c.Outcome, refusals(c), len(r.state), c.Rounds[0].Requests)
	}
	s.sweep(20 * time.Minute)
	r.merge()
	s.sweep(20 * time.Minute)
	if c = s.of(id); !strings.Contains(s.inline("role-0"), "s3:PutObject") || !c.Rounds[0].Stands() {
		t.Fatalf("merged and not deployed, the policy is %s", s.inline("role-0"))
	}
	s.deploy(r, "role-0")
	s.sweep(20 * time.Minute)
	if c = s.of(id); s.inline("role-0") != "" || c.Rounds[0].Stands() || !c.Rounds[0].Permanent || c.Outcome != decide.Healed {
		t.Errorf("deployed: %s, permanent %v, the policy is %s", c.Outcome, c.Rounds[0].Permanent, s.inline("role-0"))
	}
	if n := s.ofKind(decide.MadePermanent, ""); n != 1 {
		t.Errorf("told %d times", n)
	}
	asked := r.asked
	s.sweep(20 * time.Minute)
	s.sweep(20 * time.Minute)
	if r.asked != asked {
		t.Errorf("it is over, and the code host was asked %d times", r.asked-asked)
	}
}

// TestPermanentLater: a code host that does not answer keeps no build from being healed, and is asked
// by a sweep.
func TestPermanentLater(t *testing.T) {
	s, r := bridged(t, shop(1, ""), shopSettings(1, ""))
	r.later = 3
	id := s.start("p0")
	s.drain()
	if c := s.of(id); c.Outcome != decide.Healed || len(r.state) != 0 {
		t.Fatalf("%s, %d requests", c.Outcome, len(r.state))
	}
	r.fails = heal.FaultError{Says: "the token has expired"}
	for range 4 {
		s.sweep(20 * time.Minute)
	}
	if n := s.saying("the token has expired"); n != 1 {
		t.Errorf("told %d times", n)
	}
	r.fails, r.later = nil, 0
	s.sweep(20 * time.Minute)
	if len(r.state) != 1 {
		t.Errorf("%d requests", len(r.state))
	}
}

// TestPermanentDeclined: a request that is closed unmerged leaves the change as it is, and says so once.
func TestPermanentDeclined(t *testing.T) {
	s, r := bridged(t, shop(1, ""), shopSettings(1, ""))
	id := s.start("p0")
	s.drain()
	for b := range r.state {
		r.state[b] = decide.RequestDeclined
	}
	for range 3 {
		s.sweep(20 * time.Minute)
	}
	if n := s.saying("closed"); n != 1 {
		t.Errorf("told %d times", n)
	}
	c := s.of(id)
	if !c.Rounds[0].Stands() || !strings.Contains(s.inline("role-0"), "s3:PutObject") {
		t.Errorf("the policy is %s", s.inline("role-0"))
	}
	s.undo(id)
	if s.inline("role-0") != "" {
		t.Errorf("after an undo the policy is %s", s.inline("role-0"))
	}
}

// TestPermanentBesideOthers: what others have written into the same policy since stays, and what
// somebody has changed of the healer's own is left alone and told.
func TestPermanentBesideOthers(t *testing.T) {
	s, r := bridged(t, shop(1, ""), shopSettings(1, ""))
	id := s.start("p0")
	s.drain()
	more := strings.Replace(s.inline("role-0"), `"Statement":[`, `"Statement":[{"Sid":"Stranger","Effect":"Allow",`+
		`"Action":"s3:GetObject","Resource":"arn:aws:s3:::other/*"},`, 1)
	if !strings.Contains(more, "Stranger") {
		more = strings.Replace(s.inline("role-0"), `"Statement": [`, `"Statement": [{"Sid":"Stranger","Effect":"Allow",`+
			`"Action":"s3:GetObject","Resource":"arn:aws:s3:::other/*"},`, 1)
	}
	if err := s.Sim.PutRolePolicy("role-0", "healed", more); err != nil || !strings.Contains(more, "Stranger") {
		t.Fatal(err, more)
	}
	r.merge()
	s.deploy(r, "role-0")
	s.sweep(20 * time.Minute)
	if p := s.inline("role-0"); !strings.Contains(p, "Stranger") || strings.Contains(p, "s3:PutObject") || !s.of(id).Rounds[0].Permanent {
		t.Errorf("beside another statement: %s", p)
	}

	s, r = bridged(t, shop(1, ""), shopSettings(1, ""))
	id = s.start("p0")
	s.drain()
	if err := s.Sim.PutRolePolicy("role-0", "healed", strings.Replace(s.inline("role-0"), "s3:PutObject", "s3:Put*", 1)); err != nil {
		t.Fatal(err)
	}
	changed := s.inline("role-0")
	r.merge()
	s.deploy(r, "role-0")
	for range 3 {
		s.sweep(20 * time.Minute)
	}
	if p := s.inline("role-0"); p != changed || s.of(id).Rounds[0].Permanent || s.saying("by hand") != 1 {
		t.Errorf("changed by somebody: %s, told %d times", p, s.saying("by hand"))
	}
}

// TestDeployedAsTheSamePolicy: where the file is deployed as the very policy into which was written, there
// is nothing to take out, and that is said once.
func TestDeployedAsTheSamePolicy(t *testing.T) {
	s, r := bridged(t, shop(1, ""), shopSettings(1, ""))
	id := s.start("p0")
	s.drain()
	r.merge()
	for range 20 {
		s.sweep(20 * time.Minute)
	}
	c := s.of(id)
	if !c.Rounds[0].Stands() || s.saying("has it from policy healed alone") != 1 {
		t.Errorf("it stands: %v, told %d times", c.Rounds[0].Stands(), s.saying("has it from policy healed alone"))
	}
}
