package heal_test

import (
	"os"
	"testing"

	"github.com/buildmedic/buildmedic/internal/simaws"
	"github.com/buildmedic/buildmedic/internal/story"
)

// routed opens a route by its name, with changes of its world and settings.
func routed(t *testing.T, name string, change func(*story.Story)) *stage {
	t.Helper()
	ss, err := story.Load(os.DirFS("../../testdata"), "routes")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range ss {
		if s.Name != name {
			continue
		}
		s.Then = nil
		if change != nil {
			change(&s)
		}
		st := &stage{t: t}
		opened, err := story.Open(s, story.Options{Log: &st.log})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(opened.Close)
		st.Stage = opened
		return st
	}
	t.Fatalf("no route %q", name)
	return nil
}

// TestPipelineDeniedForGood: a case that waits for an action which can never be read again ends, as one that
// waits for such a build does.
func TestPipelineDeniedForGood(t *testing.T) {
	s := routed(t, "start-refused-queue-full", nil)
	retried := false
	s.Sim.Hook(func(c simaws.Call) simaws.Fault {
		if c.Operation == "RetryStageExecution" && c.Done {
			retried = true
		}
		if c.Operation == "ListActionExecutions" && !c.Done && retried {
			return simaws.Fault{Code: "AccessDeniedException", Message: "User: x is not authorized to perform: " +
				"codepipeline:ListActionExecutions on resource: y", Status: 400}
		}
		return simaws.Fault{}
	})
	s.hours(72)
	if open := s.due("case"); len(open) > 0 {
		t.Errorf("three days later it is still open: %v, %q", open, s.subjects())
	}
}

// TestPipelineInvalid: where CodePipeline calls a question about an execution invalid, the failure is told all the same.
func TestPipelineInvalid(t *testing.T) {
	for _, op := range []string{"ListActionExecutions", "GetPipeline", "GetPipelineExecution"} {
		t.Run(op, func(t *testing.T) {
			s := routed(t, "pull-request-pipeline-by-hand", nil)
			s.Sim.Hook(func(c simaws.Call) simaws.Fault {
				if c.Operation == op && !c.Done && c.Key == simaws.FunctionKey {
					return simaws.Fault{Code: "ValidationException", Message: "1 validation error", Status: 400}
				}
				return simaws.Fault{}
			})
			s.hours(30)
			if len(s.Sim.Queued(simaws.DeadLetter)) > 0 || len(s.subjects()) == 0 {
				t.Errorf("the failure is lost: %d messages given up, notices %q", len(s.Sim.Queued(simaws.DeadLetter)), s.subjects())
			}
		})
	}
}
