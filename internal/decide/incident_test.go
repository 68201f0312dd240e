package decide

import (
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/settings"
)

func TestHostIn(t *testing.T) {
	for line, want := range map[string]string{
		"npm ERR! network request to https://npm.example.com/left-pad failed, reason: connect ETIMEDOUT": "npm.example.com",
		"fatal: unable to access 'https://user:token@git.example.com/x.git/': error: 503":                "git.example.com",
		"curl: (6) Could not resolve host: NPM.Example.com":                                              "npm.example.com",
		"getaddrinfo EAI_AGAIN npm.example.com":                                                          "npm.example.com",
		"dial tcp: lookup goproxy.example.com on 10.0.0.2:53: server misbehaving":                        "goproxy.example.com",
		"Could not GET 'https://repo.maven.apache.org/maven2/x.pom'. Received status code 503":           "repo.maven.apache.org",
		"Error: connect ECONNREFUSED 127.0.0.1:5432":                                                     "",
		"connect to http://10.1.2.3:8080 failed":                                                         "",
		"http://localhost:3000/health: connection refused":                                               "",
		"db.internal: could not resolve host: db.internal":                                               "",
		"npm ERR! code ETIMEDOUT":                                                                        "",
		"Cannot find module './index.js'":                                                                "",
		"":                                                                                               "",
	} {
		if got := hostIn(line); got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}

func FuzzHostIn(f *testing.F) {
	f.Add("npm ERR! network request to https://a:b@npm.example.com:443/left-pad failed")
	f.Add("lookup a..b. on")
	name := regexp.MustCompile(`^[a-z0-9-]+(\.[a-z0-9-]+)+$`)
	f.Fuzz(func(t *testing.T, line string) {
		if h := hostIn(line); h != "" && (len(h) > 253 || strings.Contains(h, "@") || strings.Contains(h, "..") || !name.MatchString(h)) {
			t.Errorf("%q: %q", line, h)
		}
	})
}

// TestSignCauses ensures that each cause of which many projects may fail is one that there is.
func TestSignCauses(t *testing.T) {
	text, err := os.ReadFile("../diagnose/causes.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for name := range common {
		if !strings.Contains(string(text), "\n  - name: "+name+"\n") && !strings.Contains(string(text), "\n  - name: "+name+" #") {
			t.Errorf("there is no cause %q", name)
		}
	}
	for _, name := range ofRole {
		if !strings.Contains(string(text), "\n  - name: "+name+"\n") {
			t.Errorf("there is no cause %q", name)
		}
	}
}

// signFacts are those of a build that a registry failed.
func signFacts() (Facts, Decision) {
	f := Facts{Settings: &settings.Settings{Limits: settings.Limits{Rounds: 3, RetriesHour: 60}},
		Project: settings.Project{Name: "shop", Mode: settings.Heal, Retry: true, Role: "codebuild-ci"},
		Build: codebuild.Build{ID: "shop:1", ARN: "arn:aws:codebuild:eu-west-1:111122223333:build/shop:1", Project: "shop",
			ServiceRole: "arn:aws:iam::111122223333:role/codebuild-ci"},
		Diagnosis: diagnose.Diagnosis{Cause: "network-failure", Remedy: diagnose.Retry, Fingerprint: "1",
			Evidence: diagnose.Evidence{Line: 7, Text: "request to https://npm.example.com/x failed, reason: ECONNRESET"}}}
	return f, Decision{Mode: settings.Heal, Remedy: diagnose.Retry, Plan: &Plan{Remedy: diagnose.Retry, Route: RouteBuild}}
}

func TestSignOf(t *testing.T) {
	f, d := signFacts()
	base, ok := SignOf(f, d)
	if !ok || base.What != "npm.example.com" || len(base.Key) != 16 {
		t.Fatalf("%+v %v", base, ok)
	}
	denied := func(f *Facts, d *Decision) {
		f.Diagnosis = diagnose.Diagnosis{Cause: "missing-permission", Remedy: diagnose.Grant, Fingerprint: "2",
			Denials: []buildlog.Denial{{Action: "s3:PutObject", Resource: "arn:aws:s3:::dist/x", Causal: true}}}
		*d = Refuse(Decision{Mode: settings.Heal, Remedy: diagnose.Grant}, "no", guardrail.Refusal{Rule: guardrail.NoGrantConfigured})
	}
	for _, row := range []struct {
		name   string
		change func(f *Facts, d *Decision)
		has    bool // a sign
		same   bool // as the first
	}{
		{"another project", func(f *Facts, _ *Decision) { f.Project.Name, f.Build.Project = "cart", "cart" }, true, true},
		{"another cause of the kind", func(f *Facts, _ *Decision) { f.Diagnosis.Cause = "registry-unavailable" }, true, true},
		{"another text", func(f *Facts, _ *Decision) {
			f.Diagnosis.Evidence.Text = "GET https://npm.example.com/y: socket hang up ECONNRESET"
		}, true, true},
		{"only observed", func(_ *Facts, d *Decision) { d.Mode = settings.Observe }, true, true},
		{"not to be started", func(_ *Facts, d *Decision) { d.Plan = nil }, true, true},
		{"another host", func(f *Facts, _ *Decision) { f.Diagnosis.Evidence.Text = "https://pypi.org: ECONNRESET" }, true, false},
		{"another region", func(f *Facts, _ *Decision) {
			f.Build.ARN = "arn:aws:codebuild:eu-north-1:111122223333:build/shop:1"
		}, true, false},
		{"another account", func(f *Facts, _ *Decision) {
			f.Build.ARN = "arn:aws:codebuild:eu-west-1:444455556666:build/shop:1"
		}, true, false},
		{"another remedy", func(f *Facts, d *Decision) { f.Diagnosis.Remedy, d.Plan = diagnose.Report, nil }, true, false},
		{"a host that a person must look at", func(f *Facts, d *Decision) {
			f.Diagnosis.Cause, f.Diagnosis.Remedy, d.Plan, d.Remedy = "npm-unauthorized", diagnose.Report, nil, diagnose.Report
		}, true, false},
		{"no host", func(f *Facts, _ *Decision) { f.Diagnosis.Evidence.Text = "ECONNRESET" }, false, false},
		{"a host near by", func(f *Facts, _ *Decision) {
			f.Diagnosis.Evidence.Text = "npm ERR! code ECONNRESET"
			f.Diagnosis.Excerpt = []buildlog.Line{{N: 1, Text: "https://pypi.org"}, {N: 9, Text: "GET https://npm.example.com/x"}}
		}, true, true},
		{"a cause that each has for itself", func(f *Facts, _ *Decision) { f.Diagnosis.Cause = "test-failure" }, false, false},
		{"replayed", func(f *Facts, _ *Decision) { f.Replayed = true }, false, false},
		{"a plan that waits", func(_ *Facts, d *Decision) { d.Mode = settings.Propose }, false, false},
		{"a grant", func(f *Facts, d *Decision) {
			denied(f, d)
			d.Plan = &Plan{Remedy: diagnose.Grant, Write: &guardrail.Target{}}
		}, false, false},
		{"a grant that needs no write any more", func(f *Facts, d *Decision) {
			denied(f, d)
			d.Remedy, d.Plan = diagnose.Retry, &Plan{Remedy: diagnose.Retry}
		}, false, false},
		{"a grant that waits for evidence", func(f *Facts, d *Decision) { denied(f, d); d.Waits = true }, false, false},
		{"a refused grant", denied, true, false},
		{"a runner's job", func(f *Facts, _ *Decision) { f.Project.Runner = true }, false, false},
		{"an undo", func(_ *Facts, d *Decision) { d.Undo = 1 }, false, false},
		{"one that follows", func(_ *Facts, d *Decision) { d.Follows = "1" }, false, false},
	} {
		f, d := signFacts()
		row.change(&f, &d)
		s, ok := SignOf(f, d)
		if ok != row.has || ok && (s.Key == base.Key) != row.same {
			t.Errorf("%s: %+v %v", row.name, s, ok)
		}
	}
}

// TestSignOfDenial: a refused grant has the sign of its role, of what was denied and of why it was
// refused, so that no other refusal is told with it.
func TestSignOfDenial(t *testing.T) {
	sign := func(role, action string, rule guardrail.Rule) string {
		f, _ := signFacts()
		f.Build.ServiceRole = "arn:aws:iam::111122223333:role/" + role
		f.Diagnosis = diagnose.Diagnosis{Cause: "missing-permission", Remedy: diagnose.Grant, Fingerprint: "2",
			Denials: []buildlog.Denial{{Action: action, Resource: "arn:aws:s3:::dist/x", Causal: true}}}
		s, ok := SignOf(f, Refuse(Decision{Mode: settings.Heal, Remedy: diagnose.Grant}, "no", guardrail.Refusal{Rule: rule}))
		if !ok {
			t.Fatal("no sign")
		}
		return s.Key
	}
	keys := []string{sign("a", "s3:PutObject", guardrail.NoGrantConfigured), sign("b", "s3:PutObject", guardrail.NoGrantConfigured),
		sign("a", "s3:GetObject", guardrail.NoGrantConfigured), sign("a", "s3:PutObject", guardrail.Paused)}
	if n := len(slices.Compact(slices.Sorted(slices.Values(keys)))); n != len(keys) {
		t.Errorf("%q", keys)
	}
}

// TestToldByIncident: what the settings have to be changed for is told by itself.
func TestToldByIncident(t *testing.T) {
	passes, cured := Sign{Remedy: diagnose.Retry}, Sign{Remedy: diagnose.Report}
	for _, row := range []struct {
		s    Sign
		rule guardrail.Rule
		want bool
	}{{passes, "", true}, {passes, guardrail.RetryForbidden, true}, {passes, guardrail.NoRoute, false},
		{passes, guardrail.RoundsUsedUp, false}, {cured, guardrail.NoRoute, true}} {
		d := Decision{}
		if row.rule != "" {
			d = Refuse(d, "no", guardrail.Refusal{Rule: row.rule})
		}
		if got := ToldByIncident(row.s, d); got != row.want {
			t.Errorf("%s, %s: %v", row.s.Remedy, row.rule, got)
		}
	}
}

// TestSee plays incidents at random: each ends within [Lasts], none begins a probe while one runs or
// before its time, and what is green frees those that wait.
func TestSee(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 3))
		now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
		n := Incident{Sign: Sign{Key: "k", Remedy: diagnose.Retry}, Number: 1, Opened: now, Since: now, Next: now.Add(Gathering)}
		if r.IntN(4) == 0 {
			n.Sign.Remedy = diagnose.Report
		}
		began := time.Time{}
		for looks := 0; n.End == ""; looks++ {
			if looks > 2000 || now.Sub(n.Opened) > Lasts+time.Hour {
				t.Fatalf("seed %d: it goes on at %s: %+v", seed, now, n)
			}
			if now = n.Next; r.IntN(10) == 0 {
				now = now.Add(time.Duration(r.IntN(30)) * time.Minute) // a message was lost
			}
			s := Sight{Greens: max(0, r.IntN(30)-27), Failed: r.IntN(3) == 0, Runs: r.IntN(2) == 0, Newest: n.Opened,
				Waiting: r.IntN(3), Open: r.IntN(2), AllGreen: r.IntN(50) == 0}
			if r.IntN(6) == 0 {
				s.Relapsed = 1
			}
			was := n
			runs := was.Probe != "" && s.Runs && now.Sub(was.ProbeAt) < UnderWay
			switch move := n.See(s, now); {
			case move == MoveProbe && (!n.Transient() || runs || s.Greens == 0 && now.Before(was.NotYet)):
				t.Errorf("seed %d: a probe at %s: %+v, %+v", seed, now, was, s)
			case move == MoveProbe && r.IntN(5) == 0:
				n.NoneWaits(s.Newest, now)
			case move == MoveProbe:
				n.Begins(Member{Case: fmt.Sprint(looks), Project: fmt.Sprint("p", looks%3)}, now)
				if now.Sub(began) < firstPause && !began.IsZero() && was.Pauses > 0 && s.Failed && s.Greens == 0 {
					t.Errorf("seed %d: a probe %s after the last", seed, now.Sub(began))
				}
				began = now
			case move == MoveFree && n.Green.IsZero():
				t.Errorf("seed %d: freed without a green build", seed)
			case move != MoveEnd && !n.Next.After(now) && move != MoveFree:
				t.Errorf("seed %d: the next look is at %s, now it is %s", seed, n.Next, now)
			}
			if len(n.Probed) > maxProbed {
				t.Errorf("seed %d: %d probes are kept", seed, len(n.Probed))
			}
		}
	}
}

// TestTellsNow: a project that joins late is told of within half an hour, where no notice of its own tells of it.
func TestTellsNow(t *testing.T) {
	at := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	for notices := 1; notices < 20; notices++ {
		n := Incident{Sign: Sign{Remedy: diagnose.Report}, Notices: notices, ToldAt: at, Told: map[string]int{"": 5}}
		if !n.TellsNow(6, at.Add(30*time.Minute)) || n.TellsNow(5, at.Add(30*time.Minute)) || n.TellsNow(6, at.Add(time.Minute)) {
			t.Errorf("after %d notices, half an hour after the last", notices)
		}
	}
}

// TestSpared: only what the incident has started, and what failed of its sign, does not count.
func TestSpared(t *testing.T) {
	f, d := signFacts()
	sign, ok := SignOf(f, d)
	if !ok {
		t.Fatal("no sign")
	}
	name := sign.Key + "-1"
	f.Build.ID = "shop:9"
	r := Round{Retry: "shop:9", Step: StepDone, Incident: name}
	for what, row := range map[string]struct {
		change func(r *Round)
		want   int
	}{
		"freed":                {func(*Round) {}, 1},
		"the probe":            {func(r *Round) { r.Probe = true }, 1},
		"by itself":            {func(r *Round) { r.Own = true }, 0},
		"in no incident":       {func(r *Round) { r.Incident = "" }, 0},
		"of another sign":      {func(r *Round) { r.Incident = "other-1" }, 0},
		"another build":        {func(r *Round) { r.Retry = "shop:8" }, 0},
		"told of":              {func(r *Round) { r.Told = true }, 0},
		"has started no build": {func(r *Round) { r.Retry = "" }, 0},
	} {
		one := r
		row.change(&one)
		if f.Earlier = []Round{one}; spared(f) != row.want {
			t.Errorf("%s: %d", what, spared(f))
		}
	}
	f.Earlier = nil
	for i := range 3 * MaxSpared {
		f.Earlier = append(f.Earlier, Round{Build: codebuild.Build{ID: fmt.Sprint("shop:", i)}, Retry: fmt.Sprint("shop:", i+1),
			Step: StepDone, Incident: name})
	}
	if got := spared(f); got != MaxSpared {
		t.Errorf("%d", got)
	}
}

// TestCandidates: each next probe is of another project as long as there is one, so that nobody decides
// alone how long the others wait; and never a build that may be anybody's.
func TestCandidates(t *testing.T) {
	n := Incident{}
	var ms []Member
	for i := range 9 {
		ms = append(ms, Member{Case: fmt.Sprint("c", i), Project: fmt.Sprint("p", min(i/3, 2)), Waits: i != 4, MayProbe: i != 0})
	}
	ms = append(ms, Member{Case: "fork", Project: "p9", Waits: true})
	var got []string
	for range 6 {
		list := n.Candidates(ms)
		n.Begins(list[0], time.Time{})
		got = append(got, list[0].Project)
		if list[0].Case == "fork" || list[0].Case == "c0" || list[0].Case == "c4" {
			t.Errorf("%s is a probe", list[0].Case)
		}
	}
	if want := []string{"p0", "p1", "p2", "p0", "p1", "p2"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestWaited: a build that has waited is started again at once, unless a newer one of its branch ran
// meanwhile.
func TestWaited(t *testing.T) {
	f, _ := signFacts()
	f.Settings.Limits.Settle = time.Minute
	if d := Decide(f); d.Plan == nil || d.Plan.Settle != time.Minute {
		t.Errorf("without waiting: %+v", d)
	}
	f.Waited = true
	if d := Decide(f); d.Plan == nil || d.Plan.Settle != 0 {
		t.Errorf("after waiting: %+v", d)
	}
	f.Newer = "shop:2"
	if d := Decide(f); d.Plan != nil || len(d.Refusals) != 1 || d.Refusals[0].Rule != guardrail.NewerBuild {
		t.Errorf("with a newer build: %+v", d)
	}
}

func TestShows(t *testing.T) {
	at := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	n := Incident{Since: at}
	round := func(retry, ended time.Duration) Round {
		r := Round{RetryAt: at.Add(retry)}
		if ended > 0 {
			r.Ended = at.Add(ended)
		}
		return r
	}
	for _, row := range []struct {
		name          string
		c             Case
		green, failed bool
	}{
		{"nothing was started", Case{Rounds: []Round{{}}}, false, false},
		{"started before", Case{Rounds: []Round{round(-time.Minute, time.Minute)}, Closed: at, Outcome: Healed}, false, false},
		{"green", Case{Rounds: []Round{round(time.Minute, 2*time.Minute)}, Closed: at, Outcome: Healed}, true, false},
		{"runs", Case{Rounds: []Round{round(time.Minute, 0)}}, false, false},
		{"stopped", Case{Rounds: []Round{round(time.Minute, 0)}, Closed: at, Outcome: Failed}, false, true},
		{"failed again", Case{Rounds: []Round{round(time.Minute, 0), {Step: StepJoined}}}, false, true},
	} {
		if green, failed := n.Shows(row.c); green != row.green || failed != row.failed {
			t.Errorf("%s: %v %v", row.name, green, failed)
		}
	}
}
