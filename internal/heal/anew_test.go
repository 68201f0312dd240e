package heal_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/simaws"
)

// secret has a middle that no time, number or digest holds.
const secret = "staging-qzxvk-hunter2"

// moved is a project whose buildspec is elsewhere, and a build of it that
// overrides something.
func moved(overrides string) string {
	return `
roles:
  - name: role-0
    inline: {base: '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"logs:*","Resource":"*"}]}'}
projects:
  - {name: p0, role: role-0, buildspecs: {ci/buildspec.yml: {build: [make]}}}
starts:
  - {project: p0, version: refs/heads/main, overrides: ` + overrides + `}
`
}

const movedSettings = "version: 1\nprojects:\n  - {name: p0, role: role-0, mode: heal, buildspecs: [ci/buildspec.yml]}\n"

// recorder is a ledger that remembers all that was ever put into it.
type recorder struct {
	heal.Store
	all *strings.Builder
}

func (r recorder) Put(ctx context.Context, it heal.Item) (heal.Item, error) {
	oneByOne.Lock()
	r.all.WriteString(it.ID)
	r.all.Write(it.Data)
	oneByOne.Unlock()
	return r.Store.Put(ctx, it)
}

// TestValuesOfVariablesAreKeptNowhere: a build is started again with the values
// of the variables that it overrode, and these are in no ledger, notice, log or
// journal, even if CodeBuild quotes them.
func TestValuesOfVariablesAreKeptNowhere(t *testing.T) {
	for name, fault := range map[string]simaws.Fault{
		"it starts":   {},
		"it does not": {Code: "InvalidInputException", Message: "Value " + secret + " of STAGE is wrong", Status: 400},
		"AWS fails":   {Code: "Mystery", Message: "Value " + secret + " of STAGE is wrong", Status: 400},
	} {
		s := open(t, moved("{environmentVariablesOverride: [{name: STAGE, value: "+secret+"}]}"), movedSettings)
		var ledger strings.Builder
		s.Inbox.Healer.Store = recorder{s.Inbox.Healer.Store, &ledger}
		s.Sim.Hook(func(c simaws.Call) simaws.Fault {
			if c.Operation == "StartBuild" && !c.Done {
				return fault
			}
			return simaws.Fault{}
		})
		_ = s.Run(t.Context()) // a mystery makes the message come again, and in the end a dead letter
		bs := s.Sim.Builds("p0")
		if c := s.of(bs[0].ID); fault.Code == "" && (c.Outcome != decide.Healed || len(c.Rounds[0].Differs) > 0) {
			t.Errorf("%s: %s, and it differs in %v", name, c.Outcome, c.Rounds[0].Differs)
		}
		told := s.Journal.String() + s.log.String() + ledger.String()
		for _, n := range s.Sim.Notices() {
			told += n.Subject + n.Message
			for _, text := range n.ByProtocol {
				told += text
			}
		}
		if len(told) < 1000 || strings.Contains(told, secret) || strings.Contains(told, "qzxvk") {
			t.Errorf("%s: the value of a variable is told, or nothing at all", name)
		}
	}
}

// TestNotRepeated: a build that overrode what bounds the function is reported,
// whatever the remedy, and nothing is started.
func TestNotRepeated(t *testing.T) {
	also := []string{"{imageOverride", "{sourceLocation", "{secondarySources"} // who chose these is not trusted either
	for overrides, want := range map[string]string{
		"{imageOverride: example/own}":                                                   "image",
		"{sourceLocationOverride: \"https://github.com/example/fork\"}":                  "source location",
		"{privilegedModeOverride: false}":                                                "privileged mode",
		"{debugSessionEnabled: true}":                                                    "debug session",
		"{artifactsOverride: {type: S3, location: bucket, name: x}}":                     "artifacts",
		"{secondarySourcesOverride: [{type: GITHUB, location: x, sourceIdentifier: y}]}": "secondary sources",
	} {
		s := open(t, moved(overrides), movedSettings)
		s.drain()
		c := s.of(s.Sim.Builds("p0")[0].ID)
		wanted := []string{"not-repeatable"}
		if slices.ContainsFunc(also, func(o string) bool { return strings.HasPrefix(overrides, o) }) {
			wanted = []string{"overridden-build"}
		}
		if got := refusals(c); c.Outcome != decide.Reported || !slices.Equal(got, wanted) || wanted[0] == "not-repeatable" &&
			!strings.Contains(c.Rounds[0].Decision.Refusals[0].Message, ": "+want+". Start the build by hand") {
			t.Errorf("%s: %s %v", overrides, c.Outcome, c.Rounds[0].Decision.Refusals)
		}
		if n := len(s.Sim.Builds("p0")); n != 1 {
			t.Errorf("%s: %d builds", overrides, n)
		}
	}
}

// forgetful is a Retrier that cannot tell what a build overrode.
type forgetful struct{ heal.Retrier }

func (forgetful) Unrepeatable(context.Context, codebuild.Build) ([]string, error) {
	return nil, errors.New("broken")
}

// TestOverridesUnread: as long as it cannot be read what the failed build
// overrode, no new one is started.
func TestOverridesUnread(t *testing.T) {
	s := open(t, moved("{privilegedModeOverride: false}"), movedSettings)
	s.Sim.Settle()
	id := s.Sim.Builds("p0")[0].ID
	h := s.Inbox.Healer
	whole := h.Retrier
	h.Retrier = forgetful{whole}
	ended := func() error {
		return h.BuildEnded(t.Context(), heal.Ended{At: h.Home, Project: "p0", Build: id, Status: "FAILED"})
	}
	if err := ended(); err == nil || len(s.Sim.Builds("p0")) != 1 || len(s.Sim.Notices()) > 0 {
		t.Errorf("%v, %d builds, notices %q", err, len(s.Sim.Builds("p0")), s.subjects())
	}
	h.Retrier = whole
	s.Sim.Clock.Advance(30 * time.Minute)
	if err := ended(); err != nil || !slices.Equal(refusals(s.of(id)), []string{"not-repeatable"}) {
		t.Errorf("%v, refusals %v", err, refusals(s.of(id)))
	}
}

// another is a Retrier whose builds turn out to be other ones.
type another struct{ heal.Retrier }

func (a another) Retry(ctx context.Context, b codebuild.Build, p decide.Plan, token string, ready func([]string) error,
) (heal.Started, error) {
	got, err := a.Retrier.Retry(ctx, b, p, token, ready)
	got.Differs = []string{"image", "service role"}
	return got, err
}

// TestAnotherBuildThanMeant: a build that is not what was asked for is told as
// such, when it starts and when it is green.
func TestAnotherBuildThanMeant(t *testing.T) {
	s := open(t, moved("{}"), movedSettings)
	s.Inbox.Healer.Retrier = another{s.Inbox.Healer.Retrier}
	s.drain()
	ns := s.Sim.Notices()
	if len(ns) != 2 {
		t.Fatalf("%d notices", len(ns))
	}
	for _, n := range ns {
		text := strings.Join(strings.Fields(n.ByProtocol["email"]), " ")
		if !strings.Contains(text, "not what the failed one was: image, service role") ||
			!strings.Contains(n.ByProtocol["sqs"], "It has another image, service role.") {
			t.Errorf("it does not say that the build is another one:\n%s", n.ByProtocol["email"])
		}
	}
}

// TestRetryTakesTheProjectsRole: a retry may take the project's present role;
// that it did is told.
func TestRetryTakesTheProjectsRole(t *testing.T) {
	s := open(t, strings.Replace(shop(1, ""), "roles:\n", "roles:\n  - {name: other, inline: {all: "+
		`'{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'}}`+"\n", 1), shopSettings(1, ""))
	s.Sim.Hook(func(c simaws.Call) simaws.Fault {
		if c.Operation == "RetryBuild" && !c.Done {
			if err := s.Inbox.Healer.Projects.SetRole(t.Context(), s.Inbox.Healer.Home, "p0",
				"arn:aws:iam::111122223333:role/other"); err != nil {
				t.Error(err)
			}
		}
		return simaws.Fault{}
	})
	id := s.start("p0")
	s.drain()
	if c := s.of(id); !slices.Equal(c.Rounds[0].Differs, []string{"service role"}) {
		t.Errorf("it differs in %v", c.Rounds[0].Differs)
	}
}
