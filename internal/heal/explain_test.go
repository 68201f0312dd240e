package heal_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/heal"
)

// brokenLogs stands for a fault of a reader: it panics over what one build printed.
type brokenLogs struct {
	heal.Logs
	build string
}

func (l brokenLogs) Tail(ctx context.Context, b codebuild.Build, enough func(string) bool) (heal.Text, error) {
	if b.ID == l.build {
		panic("index out of range")
	}
	return l.Logs.Tail(ctx, b, enough)
}

// TestFaultOfAReader: a text over which a reader of ours panics ends the explanation of its own build
// alone. That is told, nothing is done for it, and the others of the batch are healed.
func TestFaultOfAReader(t *testing.T) {
	for name, projects := range map[string]int{"alone": 1, "in a batch": 2} {
		t.Run(name, func(t *testing.T) {
			s := crowd(t, projects, 1)
			bad := s.Sim.Builds("p0")[0].ID
			h := s.Inbox.Healer
			h.Logs = brokenLogs{h.Logs, bad}
			s.wait(time.Hour)
			c := s.of(bad)
			if c.Outcome != decide.Reported || len(c.Rounds) != 1 || c.Rounds[0].Retry != "" || !c.Rounds[0].Written.IsZero() {
				t.Errorf("%s, %d rounds", c.Outcome, len(c.Rounds))
			}
			told := 0
			for _, m := range s.Sim.Notices() {
				if strings.Contains(m.Message, "fault of its own") {
					told++
				}
			}
			if told != 1 {
				t.Errorf("told %d times\n%s", told, transcript(s.Stage))
			}
			for p := 1; p < projects; p++ {
				if c := s.of(s.Sim.Builds(fmt.Sprintf("p%d", p))[0].ID); c.Outcome != decide.Healed {
					t.Errorf("the other build: %s", c.Outcome)
				}
			}
			if !strings.Contains(s.log.String(), "explain_test.go") {
				t.Errorf("the function's log does not say where:\n%s", s.log.String())
			}
		})
	}
}
