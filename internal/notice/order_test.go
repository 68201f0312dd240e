package notice

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/chat"
	"github.com/buildmedic/buildmedic/internal/decide"
)

// trackerApproved is trackerHealed, of a plan that a person approved.
func trackerApproved() decide.Outcome {
	o := trackerHealed()
	r := &o.Case.Rounds[len(o.Case.Rounds)-1]
	r.Approved = r.Decision.Plan.Hash()
	o.Case.Orders = []decide.Order{{Verb: decide.Approve, At: after(90 * time.Second), Plan: r.Approved,
		Sender: decide.Sender{By: "ana", Via: decide.ViaConsole, Request: "8f14e45f-ceea-467f-9575-1a2b3c4d5e6f"}}}
	return o
}

func contextOf(t *testing.T, o decide.Outcome) chat.Context {
	t.Helper()
	var c Card
	if err := json.Unmarshal([]byte(Render(o).Chat), &c); err != nil {
		t.Fatal(err)
	}
	if !c.Metadata.EnableCustomActions {
		t.Error("the card has no custom actions")
	}
	return c.Metadata.AdditionalContext
}

// TestButtonsFitTheNotice ensures that a card has the buttons that make sense on it, and that only
// a plan that waits can be approved.
func TestButtonsFitTheNotice(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range samples {
		c := contextOf(t, s.outcome)
		offers := func(command string) bool {
			return slices.ContainsFunc(commands(newView(s.outcome)), func(c Command) bool { return c.Name == command })
		}
		want := ""
		switch {
		case s.outcome.Function == "":
		case s.outcome.Kind == decide.Proposed:
			want = chat.OnPlan
		case s.outcome.Kind == decide.Paused:
			want = chat.OnPause
		case offers("undo"):
			want = chat.OnChange
		}
		if seen[want] = true; c[chat.Action] != want {
			t.Errorf("%s: action %q, want %q", s.name, c[chat.Action], want)
		}
		if (c[chat.Plan] != "") != (want == chat.OnPlan) || (c[chat.Pause] != "") != (want == chat.OnPause) {
			t.Errorf("%s: %v", s.name, c)
		}
		if seen[c[chat.Stop]] = true; c[chat.Stop] != "" && (s.outcome.Function == "" || s.outcome.Kind == decide.Healed ||
			s.outcome.Kind == decide.Proposed || s.outcome.Kind == decide.Paused) {
			t.Errorf("%s: it offers to pause everything", s.name)
		}
	}
	if len(seen) != 5 {
		t.Errorf("the samples have %v", seen)
	}
	c := contextOf(t, trackerProposed())
	if len(c[chat.Plan]) != 64 || c[chat.Function] != function || c[chat.Region] != home.Region || c[chat.Case] != caseID {
		t.Errorf("a plan that waits: %v", c)
	}
}

// TestNothingHostileOnAButton ensures that whatever a build, its source and a commit say, the
// context of a card has nothing but ids.
func TestNothingHostileOnAButton(t *testing.T) {
	const evil = `x"} --function-name evil --payload {"approve": "`
	for _, s := range samples {
		o := s.outcome
		o.Case.Project, o.Case.Commit, o.Note, o.Case.ID, o.Pause = evil, evil, evil, evil, evil
		o.Case.Rounds = slices.Clone(o.Case.Rounds)
		for i := range o.Case.Rounds {
			r := &o.Case.Rounds[i]
			r.Build.ID, r.Build.Project, r.Build.SourceVersion, r.Retry = evil, evil, evil, evil
		}
		for k, v := range contextOf(t, o) {
			if strings.ContainsAny(v, "\"{}$ `'\\") {
				t.Errorf("%s: %s is %q", s.name, k, v)
			}
		}
	}
}

// TestSenderWords ensures that what the sender says is told as such, and how to find who it was.
func TestSenderWords(t *testing.T) {
	for _, row := range []struct {
		sender decide.Sender
		want   string
	}{
		{decide.Sender{}, "somebody"},
		{decide.Sender{By: "ana"}, "ana, as the command says"},
		{decide.Sender{Via: decide.ViaChat, Request: "r1"}, "somebody from chat; who it was, CloudTrail tells under request r1"},
		{decide.Sender{By: "ana", Via: decide.ViaConsole, Request: "r1"},
			"ana in the Lambda console, as the command says; who it was, CloudTrail tells under request r1"},
		{decide.Sender{By: "arn:aws:sts::111122223333:assumed-role/dev/ana", Via: decide.ViaDesk},
			"arn:aws:sts::111122223333:assumed-role/dev/ana at a desk, as the command says"},
		{decide.Sender{Via: "owl"}, "somebody"},
	} {
		if got := orderOf(decide.Order{Sender: row.sender}).sender(); got != row.want {
			t.Errorf("%+v: %q, want %q", row.sender, got, row.want)
		}
	}
}

// TestApprovalIsAudited ensures that the audit line of what was approved says by whom, and that a
// command has a line of its own.
func TestApprovalIsAudited(t *testing.T) {
	line := string(Audit(trackerApproved()))
	for _, want := range []string{`"approval":{"verb":"approve"`, `"by":"ana"`, `"via":"console"`,
		`"request":"8f14e45f-ceea-467f-9575-1a2b3c4d5e6f"`} {
		if !strings.Contains(line, want) {
			t.Errorf("the line does not have %s:\n%s", want, line)
		}
	}
	if strings.Contains(string(Audit(trackerHealed())), `"approval"`) {
		t.Error("nobody approved it")
	}
	a := decide.Asked{Order: trackerApproved().Case.Orders[0], Message: "Line\n\x1b[31mtwo " + strings.Repeat("x", 9000)}
	got := string(Asked(a))
	if len(got) > 1500 || strings.ContainsAny(got, "\n\x1b") || !strings.Contains(got, `"audit":"buildmedic.command/1"`) ||
		!strings.Contains(got, `"done":false`) {
		t.Errorf("%.300s", got)
	}
}

// TestApprovalIsTold ensures that whatever came of what a person approved, the notice says that one
// did.
func TestApprovalIsTold(t *testing.T) {
	for _, kind := range []decide.Kind{decide.Retrying, decide.Healed, decide.Undone, decide.Failed, decide.Expiring} {
		o := trackerApproved()
		o.Kind = kind
		if kind == decide.Undone { // since it did not help
			r := &o.Case.Rounds[len(o.Case.Rounds)-1]
			d := *r.Decision
			d.Undo, r.Decision = 1, &d
		}
		want := kind != decide.Expiring // that is about the grant
		if n := tell(newView(o)); strings.Contains(n.Note, "Approved by ana in the Lambda console, as the command says") != want {
			t.Errorf("%s: %s", kind, n.Note)
		}
	}
}

// TestApprovalIsOfThatChange ensures that nobody is said to have approved what he did not: a change
// of another round, or another plan than the one he saw.
func TestApprovalIsOfThatChange(t *testing.T) {
	approvedRounds := func(kind decide.Kind, which ...int) decide.Outcome {
		o := copyOf(twoRoundsHealed())
		o.Kind = kind
		for _, i := range which {
			r := &o.Case.Rounds[i]
			r.Approved = r.Decision.Plan.Hash()
			o.Case.Orders = append(o.Case.Orders, decide.Order{Verb: decide.Approve, Plan: r.Approved,
				Sender: decide.Sender{By: []string{"ana", "ben"}[i]}})
		}
		return o
	}
	other := approvedRounds(decide.Healed, 1)
	other.Case.Rounds[1].Decision.Plan.Route = decide.RouteStage
	waits := approvedRounds(decide.Retrying, 0)
	waits.Case.Rounds[1].Written, waits.Case.Rounds[1].RetryAt = time.Time{}, time.Time{}
	for why, row := range map[string]struct {
		o    decide.Outcome
		want string
	}{
		"the first, while the second runs": {approvedRounds(decide.Retrying, 0), ""},
		"the second, which runs":           {approvedRounds(decide.Retrying, 1), "Approved by ben, as the command says."},
		"the second was not done":          {waits, ""},
		"the first, and both healed it":    {approvedRounds(decide.Healed, 0), "Round 1 of 2 was approved by ana, as the command says."},
		"the second, and it did not help":  {approvedRounds(decide.Failed, 1), "Round 2 of 2 was approved by ben, as the command says."},
		"both": {approvedRounds(decide.Healed, 0, 1), "Round 1 of 2 was approved by ana, as the command says. " +
			"Round 2 of 2 was approved by ben, as the command says."},
		"another plan than what was applied": {other, ""},
	} {
		if got := approval(newView(row.o)); got != row.want {
			t.Errorf("%s: %q, want %q", why, got, row.want)
		}
	}
	for _, key := range []string{`"approval"`, `"approved"`} {
		if line := string(Audit(other)); strings.Contains(line, key) {
			t.Errorf("the audit line says that somebody approved it:\n%s", line)
		}
		if line := string(Audit(approvedRounds(decide.Healed, 1))); !strings.Contains(line, key) {
			t.Errorf("the audit line does not say who approved it:\n%s", line)
		}
	}
}
