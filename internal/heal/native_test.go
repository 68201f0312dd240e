package heal_test

import (
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/simaws"
)

// retrying is a project whose builds CodeBuild retries by itself, if the role lets it.
func retrying(limit string, may bool) string {
	world := shop(1, "    auto_retry: "+limit+"\n")
	if may {
		world = strings.Replace(world, logs, logs+`, {"Effect": "Allow", "Action": "codebuild:RetryBuild", "Resource": "*"}`, 1)
	}
	return world
}

// own counts the builds that the healer itself started.
func (s *stage) own() (n int) {
	for _, c := range s.Sim.Calls() {
		if c.Key == simaws.FunctionKey && (c.Operation == "RetryBuild" || c.Operation == "StartBuild") && c.Error == "" {
			n++
		}
	}
	return n
}

// TestNativeRetryIsNotDoubled plays CodeBuild's own retries with what may go wrong on the way: whatever it
// is, the healer starts no build beside one of CodeBuild's own, and all is one case.
func TestNativeRetryIsNotDoubled(t *testing.T) {
	for name, trouble := range map[string]func(*stage){
		"nothing":             func(*stage) {},
		"all events lost":     func(s *stage) { s.Sim.SetTrouble(simaws.Trouble{DropEvents: 1}) },
		"events late":         func(s *stage) { s.Sim.SetTrouble(simaws.Trouble{DelayEvents: 10 * time.Minute}) },
		"events twice":        func(s *stage) { s.Sim.SetTrouble(simaws.Trouble{DuplicateEvents: 1}) },
		"IAM slow":            func(s *stage) { s.Sim.SetPropagation(3*time.Minute, 3*time.Minute) },
		"dead after writing":  func(s *stage) { dieAt(s, "PutRolePolicy") },
		"the queue is full":   func(s *stage) { s.Sim.SetTrouble(simaws.Trouble{ConcurrentBuilds: 1}) },
		"dead after the look": func(s *stage) { dieAt(s, "GetLogEvents") },
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, retrying("3", true), shopSettings(1, "rounds: 5"))
			trouble(s)
			id := s.start("p0")
			s.hours(3)
			bs := s.Sim.Builds("p0")
			if c := s.of(id); c.Outcome != decide.Healed || last(bs).Status != "SUCCEEDED" || s.own() > 1 || s.own() == 1 && len(bs) != 5 {
				t.Errorf("outcome %s, %d builds, of which the healer started %d, the last is %s; %q", c.Outcome, len(bs), s.own(),
					last(bs).Status, s.subjects())
			}
			for i, b := range bs[1:] {
				if b.Start.Before(bs[i].End) {
					t.Errorf("two builds ran beside each other: %s and %s", bs[i].ID, b.ID)
				}
			}
			for _, b := range bs {
				if it, err := s.Store.Get(t.Context(), "build", b.ID); err == nil && string(it.Data) != s.of(id).ID {
					t.Errorf("%s is of another case", b.ID)
				}
			}
		})
	}
}

// TestNativeRetryThatWasGreen: CodeBuild's own retry was green before the event of the first build came, so
// nothing is granted for it.
func TestNativeRetryThatWasGreen(t *testing.T) {
	s := open(t, retrying("1", true), shopSettings(1, ""))
	s.Sim.SetTrouble(simaws.Trouble{DropEvents: 1})
	id := s.start("p0")
	s.Sim.After(100*time.Second, func() { // somebody gives the permission as the second build runs
		_ = s.Sim.PutRolePolicy("role-0", "theirs",
			`{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"}]}`)
	})
	s.Sim.Clock.Advance(10 * time.Minute)
	s.hours(1)
	if bs := s.Sim.Builds("p0"); len(bs) != 2 || bs[1].Status != "SUCCEEDED" || len(s.Sim.Notices()) != 0 || s.inline("role-0") != "" {
		t.Errorf("%s and %d builds, policy %q, notices %q", id, len(bs), s.inline("role-0"), s.subjects())
	}
	if c := s.of(id); c.Closed.IsZero() || len(c.Rounds) != 1 || c.Rounds[0].Build.ID != id {
		t.Errorf("the failure is in no case: %+v", c)
	}
}

// TestNativeRetryNeverComes: the role may not retry, so CodeBuild does not. That is told after a while, with
// what is wrong, and no build is started beside one that may yet come.
func TestNativeRetryNeverComes(t *testing.T) {
	s := open(t, retrying("2", false), shopSettings(1, ""))
	id := s.start("p0")
	s.hours(4)
	c := s.of(id)
	if c.Outcome != decide.Failed || s.own() != 0 || len(s.Sim.Builds("p0")) != 1 ||
		!strings.Contains(last(s.Sim.Notices()).Message, "codebuild:RetryBuild") {
		t.Errorf("outcome %s, %d builds, notices %q:\n%s", c.Outcome, len(s.Sim.Builds("p0")), s.subjects(), last(s.Sim.Notices()).Message)
	}
}

// TestOwnRetryMayRetryItself: once CodeBuild's own retries are used up the healer starts the build, and
// CodeBuild retries that one by itself as often as any. It is one case, within limits.rounds.
func TestOwnRetryMayRetryItself(t *testing.T) {
	world := strings.Replace(retrying("1", true), "aws s3 cp x s3://dist/x",
		"{run: ./test, fails: {prints: \"net/http: TLS handshake timeout\", exit: 1}}", 1)
	s := open(t, world, shopSettings(1, "rounds: 3"))
	id := s.start("p0")
	s.hours(6)
	c := s.of(id)
	if n := len(s.Sim.Builds("p0")); c.Closed.IsZero() || s.own() > 1 || n > 4 || len(c.Rounds) > 4 {
		t.Errorf("outcome %s, %d builds, of which the healer started %d, %d rounds, notices %q", c.Outcome, n, s.own(),
			len(c.Rounds), s.subjects())
	}
}
