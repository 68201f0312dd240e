package decide_test

import (
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/settings"
)

const sha = "2f1c0de9c1c7f1d8b7a8f5f9b2a1c3d4e5f60718"

var tellingHome = settings.Account{ID: "111122223333", Region: "eu-west-1"}

// told is a project's settings and a closed case of it.
func told(t *testing.T, code string) (*settings.Settings, decide.Case) {
	t.Helper()
	s, err := settings.Parse([]byte("version: 1\ncode: {github: {secret: x}}\n" +
		"projects: [{name: shop, role: r, code: " + code + "}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	b := codebuild.Build{ID: "shop:b1", ARN: "arn:aws:codebuild:eu-west-1:111122223333:build/shop:b1", Project: "shop",
		Repository: "github.com/Example/shop", SourceVersion: "pr/7", ResolvedSourceVersion: sha}
	at := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	return s, decide.Case{ID: "c1", Account: tellingHome.ID, Region: tellingHome.Region, Project: "shop",
		Closed: at, Outcome: decide.Reported,
		Rounds: []decide.Round{{Build: b, Step: decide.StepDone,
			Diagnosis: &diagnose.Diagnosis{Title: "Tests failed"}}}}
}

// TestTellingOf ensures that a commit is told of only where the build's own record says that it is
// one of the repository in the settings.
func TestTellingOf(t *testing.T) {
	s, c := told(t, "{github: example/shop}")
	got, ok := decide.TellingOf(s, tellingHome, c, "")
	want := decide.Telling{Case: "c1", Account: tellingHome.ID, Region: tellingHome.Region, Project: "shop",
		Repository: "github.com/example/shop", Commit: sha, PullRequest: 7, How: settings.TellStatus,
		Kind:  decide.Reported,
		Title: "Tests failed", Build: "shop:b1", ARN: c.Rounds[0].Build.ARN, At: c.Closed}
	if !ok || got != want {
		t.Errorf("got %+v, %v; want %+v", got, ok, want)
	}
	for name, change := range map[string]func(*decide.Case){
		"another repository": func(c *decide.Case) { c.Rounds[0].Build.Repository = "github.com/example/shop2" },
		"another host":       func(c *decide.Case) { c.Rounds[0].Build.Repository = "github.example.com/example/shop" },
		"no location":        func(c *decide.Case) { c.Rounds[0].Build.Repository = "" },
		"a branch":           func(c *decide.Case) { c.Rounds[0].Build.ResolvedSourceVersion = "main" },
		"no commit":          func(c *decide.Case) { c.Rounds[0].Build.ResolvedSourceVersion = "" },
		"a longer commit":    func(c *decide.Case) { c.Rounds[0].Build.ResolvedSourceVersion = sha + "000000000000000000000000" },
		"another project":    func(c *decide.Case) { c.Project = "site" },
		"another account":    func(c *decide.Case) { c.Account = "444455556666" },
		"nothing known":      func(c *decide.Case) { c.Rounds = nil },
		"under way":          func(c *decide.Case) { c.Closed, c.Rounds[0].Step = time.Time{}, decide.StepReceived },
		"a written change":   func(c *decide.Case) { c.Closed, c.Rounds[0].Step = time.Time{}, decide.StepWritten },
		"no failure":         func(c *decide.Case) { c.Rounds[0].Decision = &decide.Decision{Remedy: diagnose.Ignore} },
		"a path in the place": func(c *decide.Case) {
			c.Rounds[0].Build.ResolvedSourceVersion = "../../../../user/keys?title=x&padding=1"
		},
	} {
		_, c := told(t, "{github: example/shop}")
		change(&c)
		if got, ok := decide.TellingOf(s, tellingHome, c, ""); ok {
			t.Errorf("%s: told %+v", name, got)
		}
	}
	for code, want := range map[string]bool{"{github: example/shop, tell: none}": false, "{tell: none}": false,
		"{github: example/shop, tell: pull-request-comment}": true} {
		s, c := told(t, code)
		if _, ok := decide.TellingOf(s, tellingHome, c, ""); ok != want {
			t.Errorf("%s: told %v", code, ok)
		}
		c.Rounds[0].Build.SourceVersion = "refs/heads/main"
		if _, ok := decide.TellingOf(s, tellingHome, c, ""); ok {
			t.Errorf("%s: told of a branch", code)
		}
	}
}

// TestTellingOfRequests: developers read which request a case waits for only where it is one of their
// own repository, and not where the policy's repository is another one.
func TestTellingOfRequests(t *testing.T) {
	ours := func(state decide.RequestState, number string) decide.Request {
		return decide.Request{Repository: "Example/shop", Number: number, State: state}
	}
	others := ours(decide.RequestOpened, "3")
	others.Repository = "example/infrastructure"
	for name, row := range map[string]struct {
		qs       []decide.Request
		requests string
		merged   bool
	}{
		"one":                 {[]decide.Request{ours(decide.RequestOpened, "12")}, "12", false},
		"two":                 {[]decide.Request{ours(decide.RequestEdited, "12"), ours(decide.RequestWaiting, "13")}, "12 13", false},
		"one elsewhere":       {[]decide.Request{others, ours(decide.RequestOpened, "12")}, "12", false},
		"both elsewhere":      {[]decide.Request{others, {Repository: "shop", Number: "3"}}, "", false},
		"one is merged":       {[]decide.Request{ours(decide.RequestLanded, "12"), ours(decide.RequestOpened, "13")}, "13", false},
		"all are merged":      {[]decide.Request{ours(decide.RequestLanded, "12"), ours(decide.RequestLanded, "")}, "", true},
		"what is no number":   {[]decide.Request{ours(decide.RequestOpened, "1 @team")}, "", false},
		"none, which is none": {nil, "", false},
	} {
		s, c := told(t, "{github: example/shop}")
		c.Outcome, c.Rounds[0].Requests = decide.Requested, row.qs
		got, ok := decide.TellingOf(s, tellingHome, c, "")
		if !ok || got.Kind != decide.Requested || got.Requests != row.requests || got.Merged != row.merged {
			t.Errorf("%s: %+v, %v", name, got, ok)
		}
	}
	s, c := told(t, "{github: example/shop}")
	c.Rounds[0].Requests = []decide.Request{ours(decide.RequestOpened, "12")}
	if got, _ := decide.TellingOf(s, tellingHome, c, ""); got.Requests != "" {
		t.Errorf("reported: it waits for %q", got.Requests)
	}
}

// TestTellingStands: what is told is how the case stands: the build that was started again while it
// runs, and a green one of the same commit even if nobody healed it.
func TestTellingStands(t *testing.T) {
	for _, row := range []struct {
		name, green string
		change      func(*decide.Case)
		kind        decide.Kind
		build       string
	}{
		{"retrying", "", func(c *decide.Case) { c.Closed = time.Time{} }, decide.Retrying, "shop:b2"},
		{"retrying, with an older green one", "shop:b0", func(c *decide.Case) { c.Closed = time.Time{} },
			decide.Retrying, "shop:b2"},
		{"healed", "", func(c *decide.Case) { c.Outcome = decide.Healed }, decide.Healed, "shop:b2"},
		{"failed", "", func(c *decide.Case) { c.Outcome = decide.Failed }, decide.Failed, "shop:b1"},
		{"undone after it was green", "", func(c *decide.Case) { c.Outcome, c.Rounds[0].Green = decide.Undone, true },
			decide.Undone, "shop:b2"},
		{"undone, since it did not help", "", func(c *decide.Case) { c.Outcome = decide.Undone }, decide.Undone, "shop:b1"},
		{"green since", "shop:b3", func(c *decide.Case) { c.Outcome = decide.Failed }, decide.Failed, "shop:b3"},
	} {
		s, c := told(t, "{github: example/shop}")
		r := &c.Rounds[0]
		r.RetryAt, r.Retry, r.Step = c.Closed, "shop:b2", decide.StepRetried
		row.change(&c)
		got, ok := decide.TellingOf(s, tellingHome, c, row.green)
		if !ok || got.Kind != row.kind || got.Build != row.build ||
			got.Green != (row.build == "shop:b3" || row.kind == decide.Undone && row.build == "shop:b2") {
			t.Errorf("%s: %+v, %v", row.name, got, ok)
		}
	}
}
