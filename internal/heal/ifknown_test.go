package heal

import (
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// TestIfKnown: what a green build had that its project has not is known from a project that was read since it began, and
// without a call.
func TestIfKnown(t *testing.T) {
	at, now := settings.Account{ID: "111122223333", Region: "eu-west-1"}, time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	b := codebuild.Build{Project: "shop", Start: now.Add(-5 * time.Minute), Ran: codebuild.Ran{Image: "example/own"}}
	for _, row := range []struct {
		name    string
		read    time.Duration // before now; 0: never
		checked bool
	}{
		{"not remembered", 0, false},
		{"read since it began", time.Minute, true},
		{"read before it began", 6 * time.Minute, false},
	} {
		h := &Healer{Clock: standstill(now), Known: &KnownProjects{}}
		if row.read > 0 {
			h.Known.put(projectOf{at, "shop"}, knownProject{Project: codebuild.Project{Name: "shop",
				Ran: codebuild.Ran{Image: "aws/codebuild/standard:7.0"}}, when: now.Add(-row.read)})
		}
		got := h.ifKnown(at, b)
		if (got.Checked != nil) != row.checked || got.Overrode(codebuild.OwnImage) != row.checked {
			t.Errorf("%s: %+v", row.name, got.Checked)
		}
	}
	if got := (&Healer{Clock: standstill(now)}).ifKnown(at, b); got.Checked != nil {
		t.Errorf("where nothing is remembered: %+v", got.Checked)
	}
}
