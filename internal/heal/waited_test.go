package heal_test

import (
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/settings"
)

// TestSettingsChangeWhileQueueIsFull: a case that waits for hours for a place in CodeBuild's queue starts
// nothing that the settings of then do not allow any more.
func TestSettingsChangeWhileQueueIsFull(t *testing.T) {
	for name, change := range map[string]func(*settings.Settings){
		"project removed": func(set *settings.Settings) { set.Projects = set.Projects[1:] },
		"observe":         func(set *settings.Settings) { set.Projects[0].Mode = settings.Observe },
		"retry: false":    func(set *settings.Settings) { set.Projects[0].Retry = false },
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, crowded(3), shopSettings(2, ""))
			id := s.start("p0")
			for range 4 {
				s.pass(10 * time.Minute)
			}
			if c := s.of(id); c.Rounds[0].Refused == 0 {
				t.Fatalf("it was not refused: %+v", c.Rounds[0])
			}
			change(s.Settings)
			s.Settings.SHA256 = "other"
			s.hours(6)
			if n := len(s.Sim.Builds("p0")); n != 1 {
				t.Errorf("%d builds: it was started although the settings do not allow that any more; %q", n, s.subjects())
			}
		})
	}
}
