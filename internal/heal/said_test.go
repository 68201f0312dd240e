package heal_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/simaws"
)

// TestGreenBySaid ensures that the record of a green build which was started because of another
// case's cure is read only if its event does not tell enough.
func TestGreenBySaid(t *testing.T) {
	for _, row := range []struct {
		name   string
		change func(t *testing.T, s *stage, m *simaws.Message)
		reads  int // of green builds: the leader's, and what else is needed
	}{
		{"as it comes", func(*testing.T, *stage, *simaws.Message) {}, 1},
		{"of another source version", func(t *testing.T, _ *stage, m *simaws.Message) {
			m.Body = strings.Replace(m.Body, `"source-version":"refs/heads/b`, `"source-version":"refs/heads/c`, 1)
		}, 6},
		{"without a time", func(t *testing.T, _ *stage, m *simaws.Message) {
			m.Body = strings.Replace(m.Body, `"time":"2026`, `"time":"x`, 1)
		}, 6},
		{"while a test may prove to be flaky", func(t *testing.T, s *stage, _ *simaws.Message) {
			c := s.of(s.Sim.Builds("p0")[0].ID)
			ctx, key := context.Background(), c.Account+" "+c.Region+" p0"
			it, err := s.Store.Get(ctx, "past", key)
			if err != nil {
				t.Fatal(err)
			}
			var p map[string]any
			if err := json.Unmarshal(it.Data, &p); err != nil {
				t.Fatal(err)
			}
			b := p["builds"].([]any)[0].(map[string]any)
			if b["unsure"] == nil {
				return // done before
			}
			delete(b, "unsure")
			p["tests"] = []any{map[string]any{"name": "one", "in": []any{b["n"]}, "last": b["end"]}}
			if it.Data, err = json.Marshal(p); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Store.Put(ctx, it); err != nil {
				t.Fatal(err)
			}
		}, 7}, // with the failed build that the leader's is compared with
	} {
		t.Run(row.name, func(t *testing.T) {
			s := crowd(t, 1, 6)
			reads := 0
			for {
				m, ok := s.Sim.NextMessage(context.Background())
				if !ok {
					break
				}
				green := strings.Contains(m.Body, `"build-status":"SUCCEEDED"`)
				if green {
					row.change(t, s, &m)
				}
				before := s.count("BatchGetBuilds")
				if _, err := s.Deliver(context.Background(), m); err != nil {
					t.Fatal(err)
				}
				m.Ack()
				if green {
					reads += s.count("BatchGetBuilds") - before
				}
			}
			if reads != row.reads {
				t.Errorf("for green builds, records were read %d times\n%s", reads, transcript(s.Stage))
			}
			for _, b := range s.Sim.Builds("p0")[:6] {
				c := s.of(b.ID)
				if c.Outcome != decide.Healed || c.Rounds[0].Ended.IsZero() {
					t.Errorf("%s: %s at %s", b.ID, c.Outcome, c.Rounds[0].Ended)
				}
			}
			costs, err := s.Inbox.Healer.Costs(context.Background(), "p0", s.Sim.Clock.Now().Add(-24*time.Hour), s.Sim.Clock.Now())
			if err != nil || costs.Total.Healed.Builds != 6 {
				t.Errorf("remembered as green again: %+v, %v", costs.Total, err)
			}
		})
	}
}
