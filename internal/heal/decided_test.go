package heal

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// standstill is a clock that shows one time.
type standstill time.Time

func (s standstill) Now() time.Time { return time.Time(s) }

// TestWaitForCloudTrail: CloudTrail is looked at every two minutes, until the
// time of the settings is over.
func TestWaitForCloudTrail(t *testing.T) {
	const wait = 15 * time.Minute
	began := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	for after, waits := range map[time.Duration]bool{0: true, wait - time.Second: true, wait: true, wait + time.Second: false} {
		h := &Healer{Settings: &settings.Settings{Limits: settings.Limits{CloudTrail: wait}}, Clock: standstill(began.Add(after))}
		c := &held{Case: decide.Case{Rounds: []decide.Round{{Started: began, Decision: &decide.Decision{Waits: true}}}}}
		if err := h.waitForCloudTrail(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		r := c.last()
		switch {
		case c.Closed.IsZero() != waits || r.Decision.Waits != waits:
			t.Errorf("after %s: closed %s, waits %v", after, c.Closed, r.Decision.Waits)
		case waits && (r.Step != decide.StepDecided || !r.NotYet.Equal(began.Add(after+2*time.Minute))):
			t.Errorf("after %s: at %s until %s", after, r.Step, r.NotYet)
		case !waits && c.Outcome != decide.Reported:
			t.Errorf("after %s: %s", after, c.Outcome)
		}
	}
}

// TestLeases: what is leased is what is written, and before the role is read it
// is the same as before the write.
func TestLeases(t *testing.T) {
	const role, policy = "arn:aws:iam::111122223333:role/ci", "arn:aws:iam::111122223333:policy/shared"
	b := codebuild.Build{ARN: "arn:aws:codebuild:eu-west-1:111122223333:build/shop:u", ServiceRole: role}
	for _, row := range []struct {
		write settings.Write
		kind  guardrail.TargetKind
		name  string
		want  string
	}{
		{settings.Write{Inline: "healed"}, guardrail.Inline, "healed", role},
		{settings.Write{Managed: "shared"}, guardrail.Managed, policy, policy}, // others may share it
		{settings.Write{Attach: true}, guardrail.Attach, "", role},
	} {
		p := settings.Project{Mode: settings.Heal, Write: row.write}
		if got := leaseOf(decide.Plan{Role: role, Write: &guardrail.Target{Kind: row.kind, Name: row.name}}); got != row.want {
			t.Errorf("%s: a write leases %q", row.kind, got)
		}
		if got := (&Healer{}).leaseNeeded(decide.Facts{Project: p, Build: b}); got != row.want {
			t.Errorf("%s: a read leases %q", row.kind, got)
		}
		p.Mode = settings.Propose
		if got := (&Healer{}).leaseNeeded(decide.Facts{Project: p, Build: b}); got != "" {
			t.Errorf("%s: a proposal leases %q", row.kind, got)
		}
	}
}

// says is a simulator that gives one answer to all questions.
type says iampolicy.Verdict

func (s says) Simulate(
	_ context.Context, _ settings.Account, _ codebuild.Role, qs []guardrail.Question, _ []string,
) (as []guardrail.Answer, err error) {
	for range qs {
		as = append(as, guardrail.Answer{Verdict: iampolicy.Verdict(s)})
	}
	return as, nil
}

// TestUnprovedGivesNothing: a plan that the simulator does not prove leaves
// neither a change nor a word of a grant.
func TestUnprovedGivesNothing(t *testing.T) {
	for verdict, proved := range map[iampolicy.Verdict]bool{iampolicy.Allowed: true, iampolicy.ImplicitDeny: false,
		iampolicy.Unknown: false} {
		h := &Healer{Settings: &settings.Settings{}, Simulator: says(verdict)}
		d := decide.Decision{Used: []guardrail.Used{{Grant: "dist"}}, Plan: &decide.Plan{Write: &guardrail.Target{Kind: guardrail.Inline},
			Proof: []guardrail.Question{{Action: "s3:PutObject", Resource: "arn:aws:s3:::dist/x"}}}}
		if err := h.prove(t.Context(), settings.Account{}, decide.Facts{}, &d); err != nil {
			t.Fatal(err)
		}
		if (d.Plan != nil) != proved || (len(d.Used) == 1) != proved || (len(d.Refusals) == 0) != proved {
			t.Errorf("%v: plan %v, grants %v, refusals %v", verdict, d.Plan, d.Used, d.Refusals)
		}
	}
}

// shelf is a ledger of single items.
type shelf struct {
	Store
	items map[string]Item
}

var shelfMu sync.Mutex // of all shelves

func (s shelf) Turn(_ context.Context, _, _ string, _ int, _ time.Time, p Pace) (time.Time, bool, error) {
	return p.From, true, nil
}

func (s shelf) Get(_ context.Context, kind, id string) (Item, error) {
	shelfMu.Lock()
	defer shelfMu.Unlock()
	it, ok := s.items[kind+" "+id]
	if !ok {
		return it, ErrNotFound
	}
	return it, nil
}

func (s shelf) Put(_ context.Context, it Item) (Item, error) {
	shelfMu.Lock()
	defer shelfMu.Unlock()
	if k := it.Kind + " " + it.ID; s.items[k].Version == it.Version {
		it.Version++
		s.items[k] = it
		return it, nil
	}
	return it, ErrConflict
}

// TestRenewOwnLease: a lease that another case has by now is not extended.
func TestRenewOwnLease(t *testing.T) {
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	for _, holder := range []string{"mine", "another"} {
		s := shelf{items: map[string]Item{}}
		h := &Healer{Store: s, Clock: standstill(now)}
		mine, ok, err := h.putLease(t.Context(), "role", roleLease{Case: "mine", Until: now})
		if !ok || err != nil {
			t.Fatal(err)
		}
		if holder != "mine" {
			if _, ok, err := h.putLease(t.Context(), "role",
				roleLease{Case: holder, Until: now, version: mine.version}); !ok || err != nil {
				t.Fatal(err)
			}
		}
		if err := h.renew(t.Context(), &held{Case: decide.Case{ID: "mine"}, leased: "role", lease: mine},
			now.Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		l, err := h.readLease(t.Context(), "role")
		if err != nil || l.Case != holder || l.Until.After(now) != (holder == "mine") {
			t.Errorf("of %s: %+v, %v", holder, l, err)
		}
	}
}

// deafIAM refuses a write, whose document is there all the same, or is not.
type deafIAM struct {
	Policies
	refuses error
	there   string
}

func (d deafIAM) Write(context.Context, settings.Account, codebuild.Role, guardrail.Target, []string) (string, error) {
	return "", d.refuses
}

func (d deafIAM) Current(context.Context, settings.Account, codebuild.Role, guardrail.Target) (string, string, error) {
	return d.there, "v2", nil
}

// TestRefusedAndWritten: a refusal of what is there already is no refusal: the
// answer to the first try was lost.
func TestRefusedAndWritten(t *testing.T) {
	const before, after = `{"Version":"2012-10-17","Statement":[]}`,
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}`
	for _, row := range []struct {
		refuses error
		there   string
		written bool
	}{
		{ErrFinal, after, true}, {ErrDenied, after, true}, {ErrFinal, before, false}, {ErrLater, after, false},
	} {
		h := &Healer{Policies: deafIAM{refuses: row.refuses, there: row.there}}
		c := &held{Case: decide.Case{Rounds: []decide.Round{{Decision: &decide.Decision{Plan: &decide.Plan{}}}}}}
		v, err := h.writePolicy(t.Context(), c, guardrail.Target{Kind: guardrail.Managed, Before: before, After: after}, false)
		if (err == nil) != row.written || row.written && v != "v2" || !row.written && !errors.Is(err, row.refuses) {
			t.Errorf("%v, and there is %s: %q, %v", row.refuses, row.there, v, err)
		}
	}
}

// quiet is a CodeBuild in which no build was started, and that starts one.
type quiet struct {
	Builds
	Retrier
	token string
}

func (q *quiet) Several(context.Context, settings.Account, []string) ([]codebuild.Build, error) {
	return nil, nil
}

func (q *quiet) Since(context.Context, settings.Account, string, time.Time, string) ([]codebuild.Build, error) {
	return nil, nil
}

func (q *quiet) Retry(
	_ context.Context, _ codebuild.Build, _ decide.Plan, token string, _ func([]string) error,
) (Started, error) {
	q.token = token
	return Started{ID: "shop:2"}, nil
}

// TestFreshToken: while CodeBuild surely remembers the token it is asked with it
// again; from then on with a new one, which a later run will find recorded.
func TestFreshToken(t *testing.T) {
	began := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	const surely = tokenFor - decide.ClockSkew
	for after, same := range map[time.Duration]bool{0: true, surely - time.Second: true, surely: false, time.Hour: false} {
		q := &quiet{}
		h := &Healer{Settings: &settings.Settings{}, Store: shelf{items: map[string]Item{}},
			Clock: standstill(began.Add(after)), Builds: q, Retrier: q,
			Sleep: func(context.Context, time.Duration) error { return nil }}
		c := &held{Case: decide.Case{ID: "c", Rounds: []decide.Round{{Step: decide.StepRetrying, RetryAt: began, Token: "first",
			Build: codebuild.Build{ID: "shop:1"}, Decision: &decide.Decision{Plan: &decide.Plan{Route: decide.RouteBuild}}}}}}
		if err := h.startAgain(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		if r := c.last(); (q.token == "first") != same || r.Token != q.token || r.Retry != "shop:2" ||
			r.RetryAt.Equal(began) != (same || after == 0) {
			t.Errorf("after %s: token %q, recorded %q of %s", after, q.token, r.Token, r.RetryAt)
		}
	}
}
