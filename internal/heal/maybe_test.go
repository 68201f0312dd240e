package heal

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// TestMayBe is the table of which build may be the healer's although its
// initiator does not name the healer.
func TestMayBe(t *testing.T) {
	h := &Healer{Home: settings.Account{ID: "111122223333"}, Self: decide.Self{Initiator: "buildmedic/s"}}
	asked := failedAt.Add(4 * time.Minute)
	for _, row := range []struct {
		name   string
		change func(*held, *codebuild.Build)
		want   bool
	}{
		{"an unknown name", func(*held, *codebuild.Build) {}, true},
		{"no name", func(_ *held, b *codebuild.Build) { b.Initiator = "" }, true},
		{"by StartBuild", func(c *held, _ *codebuild.Build) { c.last().Decision.Plan.Route = decide.RouteStart }, true},
		{"by a stage", func(c *held, _ *codebuild.Build) { c.last().Decision.Plan.Route = decide.RouteStage }, false},
		{"nothing was asked for", func(c *held, _ *codebuild.Build) { c.last().RetryAt = time.Time{} }, false},
		{"the answer named another", func(c *held, _ *codebuild.Build) { c.last().Retry = "shop:9" }, false},
		{"a webhook's", func(_ *held, b *codebuild.Build) { b.Initiator = "GitHub-Hookshot/9" }, false},
		{"a pipeline's", func(_ *held, b *codebuild.Build) { b.Initiator = "codepipeline/p" }, false},
		{"another build's", func(_ *held, b *codebuild.Build) { b.Initiator = "r/AWSCodeBuild-1" }, false},
		{"of a batch", func(_ *held, b *codebuild.Build) { b.BatchARN = "arn:x" }, false},
		{"CodeBuild's own auto-retry", func(_ *held, b *codebuild.Build) { b.AutoRetry.Previous = "arn:x" }, false},
		{"who started the failed build", func(c *held, b *codebuild.Build) { c.Rounds[0].Build.Initiator = b.Initiator }, false},
		{"who started the failed build, which was ours", func(c *held, b *codebuild.Build) {
			r := c.Rounds[0]
			r.Build.ID, r.Retry = "shop:0", c.last().Build.ID
			c.last().Build.Initiator = b.Initiator
			c.Rounds = []decide.Round{r, *c.last()}
		}, true},
		{"another source", func(_ *held, b *codebuild.Build) { b.ResolvedSourceVersion, b.SourceVersion = "2", "2" }, false},
		{"another project", func(_ *held, b *codebuild.Build) { b.Project = "other" }, false},
		{"before it was asked for", func(_ *held, b *codebuild.Build) {
			b.Start = asked.Add(-decide.ClockSkew - time.Second)
		}, false},
		{"the clocks differ a little", func(_ *held, b *codebuild.Build) {
			b.Start = asked.Add(-decide.ClockSkew + time.Second)
		}, true},
		{"long after", func(_ *held, b *codebuild.Build) { b.Start = asked.Add(time.Hour) }, false},
		{"the failed build itself", func(c *held, b *codebuild.Build) { b.ID = c.last().Build.ID }, false},
	} {
		c := &held{Case: decide.Case{Rounds: []decide.Round{{Build: failedBuild(), RetryAt: asked, Step: decide.StepRetrying,
			Decision: &decide.Decision{Plan: &decide.Plan{Route: decide.RouteBuild}}}}}}
		b := failedBuild()
		b.ID, b.Initiator, b.Start, b.End = "shop:2", "AROAEXAMPLE:s", asked.Add(time.Second), time.Time{}
		row.change(c, &b)
		if got := h.mayBe(c, b); got != row.want {
			t.Errorf("%s: %v", row.name, got)
		}
	}
}

// listed is a ledger that knows no build, and lists these cases.
type listed struct {
	Store
	cases []decide.Case
}

func (listed) Get(context.Context, string, string) (Item, error) { return Item{}, ErrNotFound }

func (l listed) Between(context.Context, string, time.Time, time.Time, bool, int) (its []Item, err error) {
	for _, c := range l.cases {
		data, err := json.Marshal(c)
		if err != nil {
			return nil, err
		}
		its = append(its, Item{Kind: kindCase, ID: c.ID, Data: data})
	}
	return its, nil
}

type stopped time.Time

func (s stopped) Now() time.Time { return time.Time(s) }

// TestFindCase: a build that no case knows, and whose initiator does not name the
// healer, goes to the newest case that may have started it, and to no other.
func TestFindCase(t *testing.T) {
	at := settings.Account{ID: "111122223333", Region: "us-east-1"}
	asked := failedAt.Add(4 * time.Minute)
	b := failedBuild()
	b.ID, b.Initiator, b.Start, b.End = "shop:2", "AROAEXAMPLE:s", asked.Add(time.Second), time.Time{}
	waits := func(id string, change func(*decide.Case)) decide.Case {
		c := decide.Case{ID: id, Account: at.ID, Region: at.Region, Project: b.Project, Rounds: []decide.Round{{Build: failedBuild(),
			RetryAt: asked, Step: decide.StepRetrying, Decision: &decide.Decision{Plan: &decide.Plan{Route: decide.RouteBuild}}}}}
		if change != nil {
			change(&c)
		}
		return c
	}
	other := waits("other", func(c *decide.Case) {
		c.Rounds[0].Build.ResolvedSourceVersion, c.Rounds[0].Build.SourceVersion = "2", "2"
	})
	own := decide.CaseID(at, b)
	for _, row := range []struct {
		name  string
		cases []decide.Case
		want  string
	}{
		{"none waits", nil, own},
		{"one of another commit", []decide.Case{other}, own},
		{"one that may", []decide.Case{other, waits("a", nil)}, "a"},
		{"two that may", []decide.Case{waits("newest", nil), waits("a", nil)}, "newest"},
		{"of another project", []decide.Case{waits("a", func(c *decide.Case) { c.Project = "other" })}, own},
		{"of another account", []decide.Case{waits("a", func(c *decide.Case) { c.Account = "999988887777" })}, own},
		{"it starts nothing", []decide.Case{waits("a", func(c *decide.Case) { c.Rounds[0].Step = decide.StepRetried })}, own},
		{"without a round", []decide.Case{waits("a", func(c *decide.Case) { c.Rounds = nil })}, own},
	} {
		h := &Healer{Home: at, Self: decide.Self{Initiator: "buildmedic/s"}, Store: listed{cases: row.cases}, Clock: stopped(asked)}
		if got, err := h.findCase(t.Context(), at, b); got != row.want || err != nil {
			t.Errorf("%s: case %s, want %s: %v", row.name, got, row.want, err)
		}
	}
	ours := b
	ours.Initiator = "buildmedic/s"
	h := &Healer{Home: at, Self: decide.Self{Initiator: "buildmedic/s", Function: "buildmedic"}, Clock: stopped(asked),
		Store: listed{cases: []decide.Case{waits("maybe", func(c *decide.Case) { c.Rounds[0].Build.ID = "shop:0" }), waits("a", nil)}}}
	if got, err := h.findCase(t.Context(), at, ours); got != "maybe" || err != nil {
		t.Errorf("of the healer's own: case %s: %v", got, err)
	}
}
