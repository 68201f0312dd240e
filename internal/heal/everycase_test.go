package heal_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/story"
)

// TestCommandsOnEachRoad: whatever a person asks for about cases without a build, at whatever time, is answered;
// and so is what the schedule does with them: digests and the weekly notice.
func TestCommandsOnEachRoad(t *testing.T) {
	for _, name := range []string{"start-refused-queue-full", "commands-action", "pipeline-role", "batch-fault-stops-children",
		"runner-job-run-again", "runner-orphan", "queue-full-for-good"} {
		for _, verb := range []string{"status", "replay", "undo"} {
			t.Run(name+"/"+verb, func(t *testing.T) {
				s := routed(t, name, func(st *story.Story) {
					st.Settings = append(st.Settings, "\nnotify: {digest: 0, weekly: true}\n"...)
				})
				ctx := t.Context()
				asked := map[string]bool{}
				for i := range 30 {
					for range 12 {
						if m, ok := s.Sim.Receive(); ok {
							if again, err := s.Deliver(ctx, m); again || err != nil {
								m.Nack()
							} else {
								m.Ack()
							}
						}
						s.Sim.Clock.Advance(time.Duration(5+i*2) * time.Second)
					}
					if _, err := s.Inbox.Invoke(ctx, []byte(`{"sweep":{}}`)); err != nil {
						t.Errorf("sweep: %v", err)
					}
					h := s.Inbox.Healer
					if _, err := h.Waiting(ctx, ""); err != nil {
						t.Error(err)
					}
					if _, err := h.Costs(ctx, "", time.Time{}, s.Sim.Clock.Now()); err != nil {
						t.Error(err)
					}
					for _, c := range s.allCases() {
						b := last(c.Rounds).Build.ID
						if asked[verb+b+string(c.Outcome)] {
							continue
						}
						asked[verb+b+string(c.Outcome)] = true
						switch verb {
						case "status":
							s.do(fmt.Sprintf(`{"status":{"case":%q}}`, c.ID))
						case "undo":
							s.do(fmt.Sprintf(`{"undo":{"case":%q}}`, c.ID))
						case "replay":
							a := s.do(fmt.Sprintf(`{"replay":{"build":%q}}`, b))
							if strings.Contains(a.Message, "no build") {
								t.Errorf("replay of %s: %s", b, a.Message)
							}
						}
					}
				}
				s.Sim.Clock.Advance(8 * 24 * time.Hour)
				for range 3 {
					if _, err := s.Inbox.Invoke(ctx, []byte(`{"sweep":{}}`)); err != nil {
						t.Errorf("sweep: %v", err)
					}
					s.Sim.Clock.Advance(time.Hour)
				}
				if n := len(s.Sim.Notices()); n == 0 {
					t.Error("nobody hears of it")
				}
				if open := s.due("case"); len(open) > 0 {
					t.Errorf("still open: %v", open)
				}
			})
		}
	}
}
