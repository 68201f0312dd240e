package heal_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/settings"
	"github.com/buildmedic/buildmedic/internal/simaws"
	"github.com/buildmedic/buildmedic/internal/story"
)

// hiding shows no run before its time.
type hiding struct {
	heal.Pipelines
	hidden func() bool
}

func (l hiding) Runs(ctx context.Context, at settings.Account, pipeline, execution string) ([]codebuild.ActionRun, error) {
	if l.hidden() {
		return nil, nil
	}
	return l.Pipelines.Runs(ctx, at, pipeline, execution)
}

// TestActionIsListedLate: an event may be quicker than the list of a pipeline's actions, and no other event tells.
func TestActionIsListedLate(t *testing.T) {
	s := routed(t, "start-refused-queue-full", nil)
	from := s.Sim.Clock.Now()
	h := s.Inbox.Healer
	h.Pipelines = hiding{h.Pipelines, func() bool { return s.Sim.Clock.Now().Sub(from) < 20*time.Second }}
	s.pass(30 * time.Minute)
	if len(s.allCases())+len(s.due("case")) == 0 {
		t.Errorf("the failure is lost: %q", s.subjects())
	}
}

// TestPersonRetriesTheStage: a person retries the stage of a start that was refused, before the healer does or after.
func TestPersonRetriesTheStage(t *testing.T) {
	for _, times := range []int{1, 2} {
		for _, after := range []time.Duration{5 * time.Second, time.Minute, 9*time.Minute + 55*time.Second, 12 * time.Minute} {
			t.Run(fmt.Sprintf("%d refusals, after %s", times, after), func(t *testing.T) {
				s := routed(t, "start-refused-queue-full", func(st *story.Story) {
					st.World = []byte(strings.Replace(string(st.World), "times: 2", fmt.Sprintf("times: %d", times), 1))
				})
				s.pass(25*time.Second + after)
				x := ""
				for _, c := range s.Sim.Calls() {
					if c.Operation == "ListActionExecutions" && c.About != "" {
						x = c.About
					}
				}
				person := codepipeline.NewFromConfig(s.Config(simaws.OwnerKey))
				_, err := person.RetryStageExecution(t.Context(), &codepipeline.RetryStageExecutionInput{
					PipelineName: aws.String("shop-main"), StageName: aws.String("Build"),
					PipelineExecutionId: &x, RetryMode: "FAILED_ACTIONS"}) // it may be refused
				s.pass(13 * time.Minute)
				s.hours(4)
				c := s.allCases()
				if len(c) != 1 || c[0].Outcome != decide.Healed || len(s.due("case")) > 0 {
					t.Errorf("%d cases, %q, %v, open %v", len(c), s.subjects(), err, s.due("case"))
				}
				if n := s.startsAgain(); n > times {
					t.Errorf("%d starts for %d refusals", n, times)
				}
			})
		}
	}
}
