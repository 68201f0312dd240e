package heal

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// openCases is a ledger with so many open cases and the marks of earlier sweeps.
type openCases struct {
	Store
	n     int
	marks []Item
}

func (o openCases) Between(_ context.Context, kind string, _, _ time.Time, _ bool, limit int) ([]Item, error) {
	if kind == kindSweep {
		return o.marks, nil
	}
	return make([]Item, min(o.n, limit)), nil
}

func (o openCases) Put(_ context.Context, it Item) (Item, error) { return it, nil }

// listedBuilds notes of which projects builds are listed.
type listedBuilds struct {
	Builds
	projects []string
}

func (l *listedBuilds) Since(_ context.Context, _ settings.Account, project string, _ time.Time, _ string) ([]codebuild.Build, error) {
	l.projects = append(l.projects, project)
	return nil, nil
}

// TestSweepInAStorm ensures that a sweep leaves CodeBuild's rate to the healing while many cases are
// open, but looks through each project once an hour all the same.
func TestSweepInAStorm(t *testing.T) {
	set := &settings.Settings{Projects: []settings.Project{{Name: "recent"}, {Name: "long-ago"}}}
	for open, want := range map[int][]string{
		manyOpen - 1: {"long-ago", "recent"},
		manyOpen:     {"long-ago"},
	} {
		builds := &listedBuilds{}
		h := &Healer{Settings: set, Builds: builds, Clock: stopped(failedAt), Log: slog.New(slog.DiscardHandler)}
		ledger := openCases{n: open}
		for name, ago := range map[string]time.Duration{"recent": inStorm - time.Minute, "long-ago": inStorm} {
			ledger.marks = append(ledger.marks, Item{Kind: kindSweep, ID: h.sweepKey(settings.Project{Name: name}), Version: 1,
				Due: failedAt.Add(-ago), Data: []byte(`{}`)})
		}
		h.Store = ledger
		if err := h.sweepProjects(t.Context()); err != nil || !slices.Equal(builds.projects, want) {
			t.Errorf("with %d open cases the builds of %q are listed, %v; want %q", open, builds.projects, err, want)
		}
	}
}
