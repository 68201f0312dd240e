package heal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// denialRecords answers with errors, one a look-up, and then with a record that shows a boundary.
type denialRecords struct {
	errs  []error
	asked []buildlog.Authorization
}

func (r *denialRecords) Details(_ context.Context, _ settings.Account, a buildlog.Authorization) (guardrail.Authorization, error) {
	r.asked = append(r.asked, a)
	if n := len(r.asked); n <= len(r.errs) {
		return guardrail.Authorization{}, r.errs[n-1]
	}
	return guardrail.Authorization{Principal: "arn:aws:iam::111122223333:role/shop", User: "AROAX:AWSCodeBuild-u",
		Evaluations: []guardrail.Evaluation{{Action: "iam:GetRole", Resource: "arn:aws:iam::111122223333:role/app", Effect: "IMPLICIT_DENY",
			Checks: []guardrail.Check{{Type: "PERMISSIONS_BOUNDARY", Effect: "IMPLICIT_DENY",
				Policies: []string{"arn:aws:iam::111122223333:policy/password=hunter2hunter2"}}}}}}, nil
}

// watch is a clock that a test moves.
type watch time.Time

func (s *watch) Now() time.Time { return time.Time(*s) }

// asking is a round of a build that was denied something by requests with such IDs, and a healer.
func asking(port Authorizations, ids ...string) (*Healer, *held, *decide.Facts, *watch) {
	clock := watch(time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC))
	p := settings.Project{Name: "shop", Role: "shop", Troubleshoot: true}
	b := codebuild.Build{ID: "shop:u", ARN: "arn:aws:codebuild:eu-west-1:111122223333:build/shop:u", Project: "shop",
		ServiceRole: "arn:aws:iam::111122223333:role/shop", Initiator: "GitHub-Hookshot/0a", SourceType: "GITHUB",
		SourceVersion: "refs/heads/main", Status: codebuild.Failed, End: clock.Now()}
	f := &decide.Facts{Settings: &settings.Settings{Projects: []settings.Project{p}}, Project: p, Build: b,
		Diagnosis: diagnose.Diagnosis{Remedy: diagnose.Grant}}
	for _, id := range ids {
		d := buildlog.Denial{Action: "iam:GetRole", Resource: "arn:aws:iam::111122223333:role/app", Causal: true}
		if id != "" {
			d.Authorization = buildlog.Authorization{ID: id, Region: "us-east-1"}
		}
		f.Diagnosis.Denials = append(f.Diagnosis.Denials, d)
	}
	h := &Healer{Clock: &clock, Log: slog.New(slog.DiscardHandler), Authorizations: port, Settings: f.Settings}
	return h, &held{Case: decide.Case{Rounds: []decide.Round{{Build: b}}}}, f, &clock
}

// TestRecordComesLate ensures that a record which AWS does not have yet is waited for outside of the
// function's time, a minute at most, and that the case goes on without.
func TestRecordComesLate(t *testing.T) {
	none := fmt.Errorf("%w: nothing there", ErrNotFound)
	denied := DeniedError{Action: "iam:GetRequestAuthorizationDetails"}
	for _, c := range []struct {
		name   string
		errs   []error
		ended  time.Duration // before
		waits  []time.Duration
		silent string // "": the record was read
	}{
		{"at once", nil, 0, nil, ""},
		{"at the third look", []error{none, none}, 0, recordWaits[:2], ""},
		{"at the last", []error{none, none, none}, 0, recordWaits, ""},
		{"never", slices.Repeat([]error{none}, 9), 0, recordWaits, "AWS has no record of it"},
		{"never, of a build that ended long ago", slices.Repeat([]error{none}, 9), 25 * time.Hour, nil, "AWS has no record of it"},
		{"throttled, then there", []error{ErrLater}, 0, recordWaits[:1], ""},
		{"no such host in that region", slices.Repeat([]error{errors.New("dial: no such host")}, 9), 0, recordWaits,
			"AWS did not give its record of it"},
		{"not allowed to ask", slices.Repeat([]error{denied}, 9), 0, nil,
			"Buildmedic lacks iam:GetRequestAuthorizationDetails to read it"},
		{"refused for good", slices.Repeat([]error{ErrFinal}, 9), 0, nil, "AWS did not give its record of it"},
	} {
		port := &denialRecords{errs: c.errs}
		h, held, f, clock := asking(port, "a1b2")
		f.Build.End = f.Build.End.Add(-c.ended)
		var waits []time.Duration
		for {
			if err := h.readRecords(t.Context(), held, f); err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			d := held.last().NotYet.Sub(clock.Now())
			if d <= 0 {
				break
			}
			if f.Recorded != nil {
				t.Errorf("%s: it is judged while it waits", c.name)
			}
			waits = append(waits, d)
			*clock = watch(clock.Now().Add(d))
		}
		if !slices.Equal(waits, c.waits) || len(f.Recorded) != 1 || f.Recorded[0].Silent != c.silent ||
			(f.Recorded[0].Refusal != nil) != (c.silent == "") {
			t.Errorf("%s: waited %v, %+v", c.name, waits, f.Recorded)
		}
		asked := len(port.asked)
		f.Recorded = nil // as when the case comes back for another reason
		if err := h.readRecords(t.Context(), held, f); err != nil || len(port.asked) != asked || len(f.Recorded) != 1 {
			t.Errorf("%s: asked again: %v, %d times", c.name, err, len(port.asked)-asked)
		}
		if text := fmt.Sprint(f.Recorded[0].Refusal); strings.Contains(text, "hunter2") {
			t.Errorf("%s: a secret is kept: %s", c.name, text)
		}
	}
}

// TestFewRecordsAreLookedUp ensures that a log that prints hundreds of IDs costs a handful of calls, and
// that the rest proves nothing.
func TestFewRecordsAreLookedUp(t *testing.T) {
	for _, c := range []struct {
		ids   []string
		asked int
	}{
		{nil, 0},
		{[]string{"", ""}, 0},
		{[]string{"a", "a", "", "a"}, 1},
		{strings.Fields("a b c d e"), 5},
		{strings.Split(strings.Repeat("x ", 60)+"a b c d e f g h", " "), 5},
	} {
		port := &denialRecords{}
		h, held, f, _ := asking(port, c.ids...)
		for i := range f.Diagnosis.Denials {
			f.Diagnosis.Denials[i].Resource += fmt.Sprint(i)
		}
		if err := h.readRecords(t.Context(), held, f); err != nil || len(port.asked) != c.asked || len(f.Recorded) != len(c.ids) {
			t.Errorf("%q: asked %d times, %d records, %v", c.ids, len(port.asked), len(f.Recorded), err)
		}
		for i, r := range f.Recorded {
			if r.Proved || c.ids[i] != "" && r.Silent == "" && r.Refusal == nil {
				t.Errorf("%q: %+v", c.ids, r)
			}
		}
		small := decide.Case{Rounds: held.Rounds}.Bounded(decide.Whole)
		if n := len(small.Rounds[0].Recorded); n > 2*decide.MaxRecorded {
			t.Errorf("%d are kept", n)
		}
	}
}

// TestWhoseRecordsAreLookedUp ensures that nobody is asked for whom nothing is granted, or whose
// settings do not ask for it: there the permission is missing.
func TestWhoseRecordsAreLookedUp(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(h *Healer, f *decide.Facts)
		asked  int
	}{
		{"the project asks for it", func(*Healer, *decide.Facts) {}, 1},
		{"nobody asks for it", func(_ *Healer, f *decide.Facts) { f.Project.Troubleshoot = false }, 0},
		{"a grant asks for it", func(_ *Healer, f *decide.Facts) {
			f.Project.Troubleshoot, f.Project.Grants = false, []string{"g"}
			f.Settings.Grants = []settings.Grant{{ID: "g", Evidence: settings.EvidenceAuthorization}}
		}, 1},
		{"a pull request", func(_ *Healer, f *decide.Facts) { f.Build.SourceVersion = "pr/7" }, 0},
		{"nothing to grant", func(_ *Healer, f *decide.Facts) { f.Diagnosis.Remedy = diagnose.Report }, 0},
		{"a role is switched", func(_ *Healer, f *decide.Facts) { f.Project.SwitchRole = "ready" }, 0},
		{"a denial that failed nothing", func(_ *Healer, f *decide.Facts) { f.Diagnosis.Denials[0].Causal = false }, 0},
		{"no port", func(h *Healer, _ *decide.Facts) { h.Authorizations = nil }, 0},
	} {
		port := &denialRecords{}
		h, held, f, _ := asking(port, "a1b2")
		c.change(h, f)
		if err := h.readRecords(t.Context(), held, f); err != nil || len(port.asked) != c.asked {
			t.Errorf("%s: asked %d times, %v", c.name, len(port.asked), err)
		}
	}
	stop, cancel := context.WithCancel(t.Context())
	cancel()
	h, held, f, _ := asking(&denialRecords{errs: []error{context.Canceled}}, "a1b2")
	if err := h.readRecords(stop, held, f); !errors.Is(err, context.Canceled) {
		t.Errorf("at the end of the function's time: %v", err)
	}
}

// TestRecordOfOneRoleProvesNothingOfAnother ensures that a text which repeats the authorization ID of one role's denial
// under another role's name is judged by that name, whichever comes first.
func TestRecordOfOneRoleProvesNothingOfAnother(t *testing.T) {
	for _, first := range []int{0, 1} {
		h, held, f, _ := asking(&denialRecords{}, "a1b2", "a1b2")
		f.Project.AlsoRoles = []settings.AlsoRole{{Role: "exec"}}
		f.Diagnosis.Denials[0].Principal = "arn:aws:sts::111122223333:assumed-role/shop/AWSCodeBuild-u"
		f.Diagnosis.Denials[1].Principal = "arn:aws:sts::111122223333:assumed-role/exec/AWSCloudFormation"
		if first == 1 {
			slices.Reverse(f.Diagnosis.Denials)
		}
		if err := h.readRecords(t.Context(), held, f); err != nil || len(f.Recorded) != 2 {
			t.Fatalf("%v, %+v", err, f.Recorded)
		}
		own, other := f.Recorded[first].Refusal, f.Recorded[1-first].Refusal
		if own == nil || own.Rule != guardrail.OtherLayer || other == nil || other.Rule != guardrail.OtherPrincipal {
			t.Errorf("own %+v, other %+v", own, other)
		}
	}
}
