package heal_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/settings"
	"github.com/buildmedic/buildmedic/internal/simaws"
)

// runnersOnly is a CodeBuild in which all projects are runnersOnly.
type runnersOnly struct{ heal.Projects }

func (r runnersOnly) Read(ctx context.Context, at settings.Account, names []string) ([]codebuild.Project, error) {
	ps, err := r.Projects.Read(ctx, at, names)
	for i := range ps {
		ps[i].Webhook = &codebuild.Webhook{Runner: true}
	}
	return ps, err
}

// TestUncheckedIsDecidedAgain: what a version decided that did not look at the build's project is decided again before it
// is written, and not carried out.
func TestUncheckedIsDecidedAgain(t *testing.T) {
	s := open(t, shop(1, ""), shopSettings(1, ""))
	id := s.start("p0")
	s.Sim.Hook(func(c simaws.Call) simaws.Fault {
		if c.Operation == "PutRolePolicy" && !c.Done {
			return simaws.Fault{Code: "ServiceFailure", Status: 500}
		}
		return simaws.Fault{}
	})
	s.step(id, decide.StepWriting)
	s.Sim.Unhook()
	ctx := context.Background()
	it, err := s.Store.Get(ctx, "case", s.of(id).ID)
	if err != nil {
		t.Fatal(err)
	}
	var c map[string]any
	if err := json.Unmarshal(it.Data, &c); err != nil {
		t.Fatal(err)
	}
	delete(c["rounds"].([]any)[0].(map[string]any)["build"].(map[string]any), "Checked")
	if it.Data, err = json.Marshal(c); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Store.Put(ctx, it); err != nil {
		t.Fatal(err)
	}
	if s.of(id).Rounds[0].Build.Checked != nil {
		t.Fatal("it is still there")
	}
	s.Inbox.Healer.Projects, s.Inbox.Healer.Known = runnersOnly{s.Inbox.Healer.Projects}, &heal.KnownProjects{}
	s.drain()
	if got := s.of(id); s.inline("role-0") != "" || got.Outcome != decide.Reported {
		t.Errorf("a runner's build was given %s; %s %v", s.inline("role-0"), got.Outcome, refusals(got))
	}
}
