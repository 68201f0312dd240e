package heal

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
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
		h := &Healer{Logs: logs, Builds: &archive{records: map[string]codebuild.Build{record.ID: record}}, Clock: stopped(failedAt)}
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

// leases is a ledger that has one lease, of whatever role.
type leases struct {
	Store
	lease roleLease
	reads int
}

func (l *leases) Get(context.Context, string, string) (Item, error) {
	l.reads++
	data, err := json.Marshal(l.lease)
	return Item{Data: data}, err
}

// TestNoEarlyLogWhereAnotherLeads ensures that no log is read early if the build may follow another
// one, and that the lease is read once.
func TestNoEarlyLogWhereAnotherLeads(t *testing.T) {
	record := codebuild.Build{
		ID:            "shop:1",
		ARN:           "arn:aws:codebuild:eu-west-1:111122223333:build/shop:1",
		Status:        codebuild.Failed,
		ServiceRole:   "arn:aws:iam::111122223333:role/service-role/shop-role",
		Initiator:     "shop-admin",
		SourceVersion: "refs/heads/main",
		End:           failedAt,
		Logs:          codebuild.Logs{Group: "g", Stream: "s"},
		Phases: []codebuild.Phase{{Type: "BUILD", Status: codebuild.Failed,
			Contexts: []codebuild.Context{{Code: "C", Message: "make"}}}},
	}
	said := record
	said.ServiceRole = ""
	p := settings.Project{Name: "shop", Role: "service-role/shop-role", Mode: settings.Heal, Retry: true}
	for logsRead, ledger := range []*leases{
		{lease: roleLease{Leads: []lead{{Case: "c"}}}},
		{},
	} {
		logs := &printed{}
		h := &Healer{Logs: logs, Store: ledger, Self: decide.Self{Function: "buildmedic"}, Clock: stopped(failedAt),
			Builds: &archive{records: map[string]codebuild.Build{record.ID: record}}}
		with, b, lease, err := h.readBoth(t.Context(), Ended{At: settings.Account{ID: "111122223333", Region: "eu-west-1"},
			Build: record.ID, Said: said}, p)
		if err != nil || logs.reads != logsRead || ledger.reads != 1 {
			t.Errorf("%d logs and %d leases are read, %v", logs.reads, ledger.reads, err)
		}
		again, err := with.suspect(t.Context(), b, nil, p, lease)
		if err != nil || again.of == "" || ledger.reads != 1 {
			t.Errorf("of %q, %d leases are read, %v", again.of, ledger.reads, err)
		}
	}
}
