package heal

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// archive is a CodeBuild that remembers how it was asked.
type archive struct {
	Builds
	records  map[string]codebuild.Build
	together [][]string
	alone    []string
	err      error
}

func (a *archive) Several(_ context.Context, _ settings.Account, ids []string) (bs []codebuild.Build, err error) {
	a.together = append(a.together, ids)
	for _, id := range ids {
		if b, ok := a.records[id]; ok && a.err == nil {
			bs = append(bs, b)
		}
	}
	return bs, a.err
}

func (a *archive) Get(_ context.Context, _ settings.Account, id string) (codebuild.Build, error) {
	a.alone = append(a.alone, id)
	return a.records[id], nil
}

// TestTogether ensures that each record that is read with others is given once, and only if what
// the event needs is in it.
func TestTogether(t *testing.T) {
	set, err := settings.Parse([]byte(
		"version: 1\nnotify: {email: [a@example.com]}\nprojects: [{name: shop, role: shop-role, mode: observe}]\n",
	))
	if err != nil {
		t.Fatal(err)
	}
	home := settings.Account{ID: "111122223333", Region: "eu-west-1"}
	records := map[string]codebuild.Build{
		"shop:green":   {ID: "shop:green", Status: codebuild.Succeeded},
		"shop:failed":  {ID: "shop:failed", Status: codebuild.Failed},
		"shop:running": {ID: "shop:running", Status: codebuild.InProgress},
		"shop:repeats": {ID: "shop:repeats", Status: codebuild.Failed, AutoRetry: codebuild.AutoRetry{Limit: 2}},
		"shop:last":    {ID: "shop:last", Status: codebuild.Failed, AutoRetry: codebuild.AutoRetry{Limit: 2, Number: 2}},
	}
	var es []Ended
	for _, id := range []string{"green", "failed", "running", "repeats", "last", "gone", "failed"} {
		es = append(es, Ended{At: home, Project: "shop", Build: "shop:" + id})
	}
	es = append(es, Ended{At: home, Project: "another", Build: "another:1"},
		Ended{At: settings.Account{ID: "444455556666", Region: "eu-west-1"}, Project: "shop", Build: "shop:far"})
	a := &archive{records: records}
	h := &Healer{Settings: set, Home: home, Builds: a, Clock: stopped(failedAt), Log: slog.New(slog.DiscardHandler)}
	with := h.Together(t.Context(), es)
	if want := []string{"shop:green", "shop:failed", "shop:running", "shop:repeats", "shop:last", "shop:gone"}; len(a.together) != 1 ||
		!slices.Equal(a.together[0], want) {
		t.Fatalf("read together: %v", a.together)
	}
	for _, e := range es[:6] {
		if _, err := with.Builds.Get(t.Context(), home, e.Build); err != nil {
			t.Error(err)
		}
	}
	if want := []string{"shop:running", "shop:repeats", "shop:gone"}; !slices.Equal(a.alone, want) {
		t.Errorf("read alone: %v", a.alone)
	}
	a.alone = nil
	if _, err := with.Builds.Get(t.Context(), home, "shop:green"); err != nil || len(a.alone) != 1 {
		t.Errorf("a second time: %v, read alone %v", err, a.alone)
	}

	h.Clock = stopped(failedAt.Add(freshFor))
	a.alone = nil
	if _, err := with.Builds.Get(t.Context(), home, "shop:failed"); err != nil || len(a.alone) != 1 {
		t.Errorf("no longer fresh: %v, read alone %v", err, a.alone)
	}
	h.Clock = stopped(failedAt)
	a = &archive{records: records, err: errors.New("throttled")}
	if h.Builds = a; h.Together(t.Context(), es) != h || len(a.together) != 1 {
		t.Errorf("CodeBuild was busy: read together %v", a.together)
	}
	a = &archive{records: records}
	h.Builds = a
	if h.Together(t.Context(), es[:1]) != h || len(a.together) > 0 {
		t.Errorf("one alone: read together %v", a.together)
	}
}

// TestGreenTogether ensures that the records of green builds are read as soon as one of them is
// needed, and then with one call.
func TestGreenTogether(t *testing.T) {
	set, err := settings.Parse([]byte(
		"version: 1\nnotify: {email: [a@example.com]}\nprojects: [{name: shop, role: shop-role, mode: observe}]\n",
	))
	if err != nil {
		t.Fatal(err)
	}
	home := settings.Account{ID: "111122223333", Region: "eu-west-1"}
	a := &archive{records: map[string]codebuild.Build{}}
	h := &Healer{Settings: set, Home: home, Builds: a, Clock: stopped(failedAt), Log: slog.New(slog.DiscardHandler)}
	var es []Ended
	for _, id := range []string{"shop:1", "shop:2", "shop:3", "shop:2"} {
		a.records[id] = codebuild.Build{ID: id, Status: codebuild.Succeeded}
		es = append(es, Ended{At: home, Project: "shop", Build: id, Status: codebuild.Succeeded})
	}
	with := h.Together(t.Context(), es)
	if len(a.together)+len(a.alone) > 0 {
		t.Errorf("read before they were needed: %v %v", a.together, a.alone)
	}
	for _, id := range []string{"shop:2", "shop:1"} {
		if b, err := with.Builds.Get(t.Context(), home, id); err != nil || b.ID != id {
			t.Errorf("%s: %+v, %v", id, b, err)
		}
	}
	if len(a.together) != 1 || !slices.Equal(a.together[0], []string{"shop:2", "shop:1", "shop:3"}) || len(a.alone) > 0 {
		t.Errorf("read together %v, and alone %v", a.together, a.alone)
	}
	if _, err := with.Builds.Get(t.Context(), home, "shop:2"); err != nil || len(a.alone) != 1 {
		t.Errorf("a second time: %v, read alone %v", err, a.alone)
	}
}

// sealed are projects of which one may not be read.
type sealed struct {
	Projects
	asked [][]string
}

func (s *sealed) Read(_ context.Context, _ settings.Account, names []string) (ps []codebuild.Project, err error) {
	s.asked = append(s.asked, slices.Clone(names))
	if slices.Contains(names, "sealed") {
		return nil, DeniedError{Action: "codebuild:BatchGetProjects", Err: errors.New("denied")}
	}
	for _, name := range names {
		ps = append(ps, codebuild.Project{Name: name})
	}
	return ps, nil
}

// TestProjectsTogether ensures that a project which may not be read does not keep those from being read
// together whose builds failed.
func TestProjectsTogether(t *testing.T) {
	set, err := settings.Parse([]byte("version: 1\nnotify: {email: [a@example.com]}\nprojects:\n" +
		"  - {name: one, role: r, mode: observe}\n  - {name: two, role: r, mode: observe}\n  - {name: sealed, role: r, mode: observe}\n"))
	if err != nil {
		t.Fatal(err)
	}
	home := settings.Account{ID: "111122223333", Region: "eu-west-1"}
	s := &sealed{}
	h := &Healer{Settings: set, Home: home, Projects: s, Known: &KnownProjects{}, Clock: stopped(failedAt),
		Log: slog.New(slog.DiscardHandler)}
	var bs []codebuild.Build
	for _, name := range []string{"one", "two"} {
		bs = append(bs, codebuild.Build{ID: name + ":1", Project: name, Status: codebuild.Failed})
	}
	h.projectsTogether(t.Context(), home, bs)
	for _, name := range []string{"one", "two"} {
		if p, fresh, err := h.knownProject(t.Context(), home, name, failedAt); err != nil || fresh || p.Name != name {
			t.Errorf("%s: %+v, read again: %v, %v", name, p, fresh, err)
		}
	}
	if len(s.asked) != 2 {
		t.Errorf("read: %v", s.asked)
	}
}
