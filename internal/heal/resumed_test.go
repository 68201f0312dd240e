package heal_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/settings"
	"github.com/buildmedic/buildmedic/internal/simaws"
	"github.com/buildmedic/buildmedic/internal/story"
)

// played is the story of that name, before its first build.
func played(t *testing.T, name string) *stage {
	t.Helper()
	ss := stories(t)
	i := slices.IndexFunc(ss, func(s story.Story) bool { return s.Name == name })
	st, err := story.Open(ss[i], story.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(st.Close)
	return &stage{Stage: st, t: t}
}

// TestRepositoryIsDecidedAgain: a function that died before it made a repository
// makes it only if the settings still say what they said, and nothing is paused.
func TestRepositoryIsDecidedAgain(t *testing.T) {
	for name, meanwhile := range map[string]func(*stage){
		"the settings changed": func(s *stage) { s.Settings.Grants[0].Create, s.Settings.SHA256 = false, "other" },
		"a person paused it":   func(s *stage) { s.do(`{"pause":{}}`) },
	} {
		t.Run(name, func(t *testing.T) {
			s := played(t, "repository-missing")
			s.Sim.Hook(func(c simaws.Call) simaws.Fault {
				if c.Operation == "CreateRepository" && !c.Done {
					return simaws.Fault{Code: "ServerException", Status: 500}
				}
				return simaws.Fault{}
			})
			s.Sim.Clock.Advance(time.Second)
			id := s.Sim.Builds("TrackerAPI")[0].ID
			s.step(id, decide.StepWriting)
			s.Sim.Unhook()
			meanwhile(s)
			before := s.count("CreateRepository")
			s.drain()
			c := s.of(id)
			if n := s.count("CreateRepository") - before; n != 0 || c.Outcome != decide.Reported || len(refusals(c)) == 0 {
				t.Errorf("asked for the repository %d times; outcome %s %v", n, c.Outcome, refusals(c))
			}
		})
	}
}

// elsewhere is a CodeBuild in which somebody gives the project another role,
// once its role has been read so many times.
type elsewhere struct {
	heal.Projects
	reads int
	set   []string
}

const somebodys = "arn:aws:iam::290008131176:role/somebodys"

func (e *elsewhere) Role(ctx context.Context, at settings.Account, project string) (string, error) {
	if e.reads--; e.reads < 0 {
		return somebodys, nil
	}
	return e.Projects.Role(ctx, at, project)
}

func (e *elsewhere) SetRole(ctx context.Context, at settings.Account, project, role string) error {
	e.set = append(e.set, role)
	return e.Projects.SetRole(ctx, at, project, role)
}

// TestRoleOfSomebodyElse: a project's role is switched, and switched back, only
// from the role that the decision knew.
func TestRoleOfSomebodyElse(t *testing.T) {
	s := played(t, "another-role")
	e := &elsewhere{Projects: s.Inbox.Healer.Projects, reads: 1} // what the decision reads
	s.Inbox.Healer.Projects = e
	s.drain()
	if c := s.of(s.Sim.Builds("TrackerAPI")[0].ID); len(e.set) > 0 || c.Outcome != decide.Reported {
		t.Errorf("switched to %q; outcome %s %v", e.set, c.Outcome, refusals(c))
	}

	s = played(t, "another-role")
	e = &elsewhere{Projects: s.Inbox.Healer.Projects, reads: 2} // that, and what the switch reads
	s.Inbox.Healer.Projects = e
	s.drain()
	c := s.of(s.Sim.Builds("TrackerAPI")[0].ID)
	a := s.do(fmt.Sprintf(`{"undo":{"case":%q}}`, c.ID))
	if c.Outcome != decide.Healed || len(e.set) != 1 || a.Done || !strings.Contains(a.Message, "changed by somebody else") {
		t.Errorf("outcome %s, switched to %q; undo says %q", c.Outcome, e.set, a.Message)
	}
}
