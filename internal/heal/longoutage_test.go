package heal_test

import (
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/settings"
	"github.com/buildmedic/buildmedic/internal/simaws"
)

// TestLongOutageOfMany: an outage that lasts for longer than members wait, with more projects than builds may be
// started in an hour.
func TestLongOutageOfMany(t *testing.T) {
	for _, lasts := range []string{"100m", "4h"} {
		t.Run(lasts, func(t *testing.T) {
			s := outage(t, 60, lasts, "retries_per_hour: 20", "")
			ids := s.startAll(60, time.Second)
			for range 48 {
				s.pass(15 * time.Minute)
				s.do(`{"sweep":{}}`)
			}
			kinds := map[string]int{}
			for _, m := range s.Sim.Notices() {
				kinds[m.Attributes["kind"]]++
			}
			refused := 0
			for _, id := range ids {
				if strings.Contains(strings.Join(refusals(s.of(id)), " "), "retries-per-hour") {
					refused++
				}
			}
			if got := s.outcomes(ids); refused > 0 || got["healed"] != 60 {
				t.Errorf("%v, %d of them since others had used the hour's budget up; notices %v", got, refused, kinds)
			}
		})
	}
}

// TestIncidentWhoseLeadGoes: whatever becomes of the settings meanwhile, each failure ends, and the incident does.
func TestIncidentWhoseLeadGoes(t *testing.T) {
	for name, change := range map[string]func(*settings.Settings){
		"first removed": func(set *settings.Settings) { set.Projects = set.Projects[1:] },
		"opener and those around it removed": func(set *settings.Settings) {
			set.Projects = append(append([]settings.Project{}, set.Projects[:2]...), set.Projects[6:]...)
		},
		"all removed": func(set *settings.Settings) { set.Projects = nil },
		"turned off":  func(set *settings.Settings) { set.Limits.Incident = 0 },
		"all observed": func(set *settings.Settings) {
			for i := range set.Projects {
				set.Projects[i].Mode = "observe"
			}
		},
		"no more retries": func(set *settings.Settings) { set.Limits.RetriesHour = 0 },
	} {
		t.Run(name, func(t *testing.T) {
			s := outage(t, 12, "40m", "", "")
			s.startAll(12, 5*time.Second)
			s.pass(10 * time.Minute)
			change(s.Settings)
			s.Settings.SHA256 = "other"
			s.hours(12)
			if open := append(s.due("case"), s.due("incident")...); len(open) > 0 {
				t.Errorf("still open: %v", open)
			}
			if n := len(s.Sim.Queued(simaws.DeadLetter)); n > 0 {
				t.Errorf("%d messages given up", n)
			}
		})
	}
}
