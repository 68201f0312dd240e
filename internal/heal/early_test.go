package heal

import (
	"context"
	"testing"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// printed are logs that say which was read.
type printed struct {
	Logs
	reads int
}

func (p *printed) Tail(_ context.Context, b codebuild.Build, _ func(string) bool) (Text, error) {
	p.reads++
	return Text{Text: b.Logs.Group + " " + b.Logs.Stream}, nil
}

// TestEarlyLog ensures that a log which was read where an event says it is counts only for a record
// that says the same, and once.
func TestEarlyLog(t *testing.T) {
	record := codebuild.Build{ID: "shop:1", ARN: "arn:aws:codebuild:eu-west-1:111122223333:build/shop:1", Status: codebuild.Failed,
		ServiceRole: "shop-role", Logs: codebuild.Logs{Group: "g", Stream: "s", DeepLink: "link"},
		Phases: []codebuild.Phase{{Type: "INSTALL", Status: codebuild.Succeeded}, {Type: "BUILD", Status: codebuild.Failed,
			Contexts: []codebuild.Context{{Code: "C", Message: "make"}}}}}
	for name, row := range map[string]struct {
		change func(said *codebuild.Build)
		reads  int // after the first use of the log, and after the second
		twice  int
	}{
		"the same":           {func(*codebuild.Build) {}, 1, 2},
		"another group":      {func(b *codebuild.Build) { b.Logs.Group = "other" }, 2, 3},
		"another stream":     {func(b *codebuild.Build) { b.Logs.Stream = "other" }, 2, 3},
		"another build":      {func(b *codebuild.Build) { b.ARN += "2" }, 2, 3},
		"another phase":      {func(b *codebuild.Build) { b.Phases[0].Status = codebuild.Failed }, 2, 3},
		"another command":    {func(b *codebuild.Build) { b.Phases[1].Contexts = nil }, 2, 3},
		"no log":             {func(b *codebuild.Build) { b.Logs = codebuild.Logs{} }, 1, 2},
		"CodeBuild's repeat": {func(b *codebuild.Build) { b.Initiator = "shop-role/AWSCodeBuild-1" }, 1, 2},
	} {
		said := codebuild.Build{ID: record.ID, ARN: record.ARN, Status: record.Status, Logs: codebuild.Logs{Group: "g", Stream: "s"}}
		for _, p := range record.Phases {
			said.Phases = append(said.Phases, codebuild.Phase{Type: p.Type, Status: p.Status, Contexts: p.Contexts})
		}
		row.change(&said)
		logs := &printed{}
		h := &Healer{Logs: logs, Builds: &archive{records: map[string]codebuild.Build{record.ID: record}}}
		with, b, _, err := h.readBoth(t.Context(), Ended{At: settings.Account{ID: "111122223333"}, Build: record.ID, Said: said},
			settings.Project{})
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []int{row.reads, row.twice} {
			text, err := with.Logs.Tail(t.Context(), b, nil)
			if err != nil || text.Text != "g s" || logs.reads != want {
				t.Errorf("%s: %q, %v after %d reads", name, text.Text, err, logs.reads)
			}
		}
	}
}
