package decide

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/compare"
	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/guardrail"
)

// long is a text of n bytes.
func long(n int) string { return strings.Repeat("x", n) }

// fullRound is a round of which there is too much of everything.
func fullRound(id string, change func(*Round)) Round {
	b := build()
	b.ID, b.Image, b.Buildspec = id, "img", long(3000)
	b.Phases = []codebuild.Phase{{Type: "INSTALL", Status: "SUCCEEDED"}, {Type: "BUILD", Status: "FAILED", Contexts: []codebuild.Context{
		{Code: long(200), Message: long(3000)}, {Message: "second"}, {Message: "third"}}}}
	d := diagnose.Diagnosis{Cause: "some", Advice: long(5000), Details: map[string]string{"a": "b"}, Fingerprint: "f"}
	for i := range 80 {
		d.Denials = append(d.Denials, buildlog.Denial{Principal: long(900), Action: "s3:PutObject", Operation: "PutObject",
			Resource: fmt.Sprintf("arn:aws:s3:::dist/%d", i), PolicyARN: "p", Text: long(2000), Causal: i >= 20})
	}
	for i := range 90 {
		d.Excerpt = append(d.Excerpt, buildlog.Line{N: i, Text: long(900)})
	}
	for range 8 {
		d.Also = append(d.Also, buildlog.Also{Phase: "BUILD", Command: long(500), Message: long(500)})
	}
	dec := Decision{Why: long(9000), Used: []guardrail.Used{{Grant: "g", Because: long(900)}}}
	for i := range 90 {
		dec.Refusals = append(dec.Refusals, guardrail.Refusal{Rule: guardrail.NotAllowed, Action: "a", Message: long(9000),
			Entry: long(700), Resource: fmt.Sprint(i)})
	}
	dec.Refusals = append(dec.Refusals, guardrail.Refusal{Rule: guardrail.Paused, Message: "last"})
	r := Round{Build: b, Step: StepDone, Diagnosis: &d, Decision: &dec, Abandoned: long(3000)}
	if change != nil {
		change(&r)
	}
	return r
}

// stands has the round's change still in place.
func stands(r *Round) {
	r.Written, r.RetryAt = began, began
	r.Decision.Plan = &Plan{Proof: []guardrail.Question{{Action: "q"}},
		Write: &guardrail.Target{Before: "before", After: "after", Holds: map[string]string{"a": "b"}}}
}

// undone has the round's change taken back.
func undone(r *Round) {
	stands(r)
	r.Undone = began
}

// TestBounded: how much of a round is kept at each size, of a past one and of
// the one that the case goes on from.
func TestBounded(t *testing.T) {
	c := Case{Rounds: []Round{fullRound("told", nil), fullRound("stands", stands), fullRound("undone", undone),
		fullRound("open", func(r *Round) { stands(r); r.Step, r.Written = StepDecided, time.Time{} })}}
	before, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	sums := map[Size][][]int{}
	for _, s := range []Size{Whole, Recent, Short, Bare} {
		got := c.Bounded(s)
		for _, r := range got.Rounds {
			d, dec, b := r.Diagnosis, r.Decision, r.Build
			row := []int{len(d.Denials), d.Dropped, len(d.Denials[0].Principal) + len(d.Denials[0].Text), len(d.Excerpt),
				lineLength(d.Excerpt), len(d.Advice), len(d.Details), len(r.Denied), len(dec.Why), len(dec.Refusals), dec.Dropped,
				len(dec.Refusals[0].Message), len(dec.Refusals[0].Entry), len(dec.Used[0].Because), len(b.Phases),
				len(last(b.Phases).Contexts), len(last(b.Phases).Contexts[0].Message), len(b.Image), len(b.Buildspec), len(r.Abandoned)}
			if p := dec.Plan; p != nil {
				row = append(row, len(p.Proof), len(p.Write.Before), len(p.Write.After), len(p.Write.Holds))
			}
			if !r.Cut {
				t.Errorf("size %d, %s: not marked as cut", s, b.ID)
			}
			sums[s] = append(sums[s], row)
		}
	}
	if after, _ := json.Marshal(c); string(after) != string(before) {
		t.Error("the case itself was cut")
	}
	if d := cmp.Diff(boundedSums, sums); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if d := c.Bounded(Bare).Rounds[0].Diagnosis.Denials[0]; !d.Causal || d.Operation != "" || d.PolicyARN != "" {
		t.Errorf("of all denials, the first is kept before those that failed the build: %+v", d)
	}
	if p := c.Bounded(Bare).Changes(); len(p) != 1 || p[0].Write.Before != "before" || p[0].Proof != nil || p[0].Write.After != "after" {
		t.Errorf("changes that stand: %+v", p)
	}
}

// TestBoundedAlso: what failed besides is kept shorter, and then not at all.
func TestBoundedAlso(t *testing.T) {
	c := Case{Rounds: []Round{fullRound("told", nil)}}
	for s, want := range map[Size][2]int{Whole: {8, 500}, Recent: {8, 500}, Short: {2, 303}, Bare: {0, 0}} {
		got := c.Bounded(s).Rounds[0].Diagnosis.Also
		length := 0
		for _, a := range got {
			length = max(length, len(a.Command), len(a.Message))
		}
		if len(got) != want[0] || length != want[1] {
			t.Errorf("size %d: %d of %d bytes, want %v", s, len(got), length, want)
		}
	}
	if also := c.Rounds[0].Diagnosis.Also; len(also) != 8 || len(also[0].Command) != 500 {
		t.Error("the case itself was cut")
	}
}

// TestBoundedTests: failed tests are kept shorter, then counted only; what is remembered of them is
// kept of those that are still named.
func TestBoundedTests(t *testing.T) {
	c := Case{Rounds: []Round{fullRound("told", func(r *Round) {
		r.Build.ReportARNs, r.Unread = []string{"arn"}, long(3000)
		r.Diagnosis.MoreTests = 5
		for i := range 60 {
			name := fmt.Sprint("test ", i)
			r.Diagnosis.Tests = append(r.Diagnosis.Tests, codebuild.TestCase{Suite: "s", Name: name, Message: long(400), At: "a"})
			r.Known = append(r.Known, TestHistory{Suite: "s", Name: name, Times: i})
		}
		r.Known = append(r.Known, TestHistory{Suite: "other", Name: "test 1"})
	})}}
	for s, want := range map[Size]struct{ tests, more, message, known, arns int }{
		Whole: {60, 5, 400, 60, 1}, Recent: {60, 5, 400, 60, 1}, Short: {20, 45, 303, 20, 0}, Bare: {0, 65, 0, 0, 0}} {
		r := c.Bounded(s).Rounds[0]
		message := 0
		for _, x := range r.Diagnosis.Tests {
			message = max(message, len(x.Message))
		}
		got := struct{ tests, more, message, known, arns int }{len(r.Diagnosis.Tests), r.Diagnosis.MoreTests, message, len(r.Known),
			len(r.Build.ReportARNs)}
		if got != want || len(r.Unread) > maxNote+3 {
			t.Errorf("size %d: %+v, want %+v; unread has %d bytes", s, got, want, len(r.Unread))
		}
		if h, ok := r.History(codebuild.TestCase{Suite: "s", Name: "test 7"}); s != Bare && (!ok || h.Times != 7) {
			t.Errorf("size %d: test 7 has the history %+v, %t", s, h, ok)
		}
	}
	if d := c.Rounds[0].Diagnosis; len(d.Tests) != 60 || len(d.Tests[0].Message) != 400 {
		t.Error("the case itself was cut")
	}
}

// TestBoundedSince: what is new since the last green build is kept shorter, and then not at all.
// That alone leaves nothing out which a decision needs.
func TestBoundedSince(t *testing.T) {
	since := &compare.Since{Build: "shop:1"}
	for range compare.MaxLines {
		since.Lines = append(since.Lines, compare.Line{N: 1, Text: long(900)})
		since.Changes = append(since.Changes, compare.Change{What: "image", Was: long(900), Is: long(900)})
	}
	c := Case{Rounds: []Round{{Step: StepDone, Since: since}}}
	for s, want := range map[Size][3]int{Whole: {20, 20, 303}, Recent: {20, 20, 303}, Short: {5, 5, 103}, Bare: {0, 0, 0}} {
		r := c.Bounded(s).Rounds[0]
		got := [3]int{}
		if n := r.Since; n != nil {
			got = [3]int{len(n.Lines), len(n.Changes), max(len(n.Lines[0].Text), len(n.Changes[0].Is), len(n.Changes[0].Was))}
		}
		if got != want || r.Cut {
			t.Errorf("size %d: %v, want %v; cut %t", s, got, want, r.Cut)
		}
	}
	if len(since.Lines[0].Text) != 900 || len(since.Lines) != compare.MaxLines {
		t.Error("the case itself was cut")
	}
}

func lineLength(ls []buildlog.Line) int {
	if len(ls) == 0 {
		return 0
	}
	return len(ls[0].Text)
}

// boundedSums has a row for each round of [TestBounded]: how many denials are
// kept and dropped, the bytes of one; of lines, their number and bytes; of advice,
// details, denial keys and the reason; refusals kept and dropped, the bytes of one
// and of its entry; of the grant's reason; phases, contexts and the bytes of one; of
// image, buildspec and what was abandoned; and of the plan its proof, the
// documents before and after, and what it holds.
var boundedSums = map[Size][][]int{
	Whole: {
		{50, 10, 2900, 60, 900, 5000, 1, 1, 4099, 61, 30, 4099, 700, 900, 2, 3, 3000, 3, 3000, 1027},
		{50, 10, 2900, 60, 900, 5000, 1, 1, 4099, 61, 30, 4099, 700, 900, 2, 3, 3000, 3, 3000, 1027, 1, 6, 5, 1},
		{50, 10, 2900, 60, 900, 5000, 1, 1, 4099, 61, 30, 4099, 700, 900, 2, 3, 3000, 3, 3000, 1027, 1, 6, 5, 1},
		{50, 10, 2900, 60, 900, 5000, 1, 1, 4099, 61, 30, 4099, 700, 900, 2, 3, 3000, 3, 3000, 1027, 1, 6, 5, 1},
	},
	Recent: {
		{10, 50, 303, 10, 303, 603, 0, 1, 603, 11, 80, 603, 0, 203, 1, 2, 1003, 3, 1003, 1027},
		{10, 50, 303, 10, 303, 603, 0, 1, 603, 11, 80, 603, 0, 203, 1, 2, 1003, 3, 1003, 1027, 0, 6, 5, 0},
		{10, 50, 303, 10, 303, 603, 0, 1, 603, 11, 80, 603, 0, 203, 1, 2, 1003, 3, 1003, 1027, 0, 6, 5, 0},
		{50, 10, 2900, 60, 900, 5000, 1, 1, 4099, 61, 30, 4099, 700, 900, 2, 3, 3000, 3, 3000, 1027, 1, 6, 5, 1},
	},
	Short: {
		{10, 50, 303, 10, 303, 603, 0, 1, 603, 11, 80, 603, 0, 203, 1, 2, 1003, 3, 1003, 1027},
		{10, 50, 303, 10, 303, 603, 0, 1, 603, 11, 80, 603, 0, 203, 1, 2, 1003, 3, 1003, 1027, 0, 6, 5, 0},
		{10, 50, 303, 10, 303, 603, 0, 1, 603, 11, 80, 603, 0, 203, 1, 2, 1003, 3, 1003, 1027, 0, 6, 5, 0},
		{10, 50, 303, 10, 303, 603, 0, 1, 603, 11, 80, 603, 0, 203, 1, 2, 1003, 3, 1003, 1027, 1, 6, 5, 1},
	},
	Bare: {
		{3, 57, 0, 0, 0, 0, 0, 0, 63, 3, 88, 63, 0, 203, 1, 2, 63, 0, 1003, 1027},
		{3, 57, 0, 0, 0, 0, 0, 1, 63, 3, 88, 63, 0, 203, 1, 2, 63, 0, 1003, 1027, 0, 6, 5, 0},
		{3, 57, 0, 0, 0, 0, 0, 1, 63, 3, 88, 63, 0, 203, 1, 2, 63, 0, 1003, 1027, 0, 0, 0, 0},
		{3, 57, 0, 0, 0, 0, 0, 1, 63, 3, 88, 63, 0, 203, 1, 2, 63, 0, 1003, 1027, 1, 6, 5, 1},
	},
}

// TestBoundedEnds: the last round of a case that is over is a past one, unless
// its plan waits for an approval.
func TestBoundedEnds(t *testing.T) {
	for outcome, keeps := range map[Kind]bool{Proposed: true, Reported: false} {
		c := Case{Closed: began, Outcome: outcome,
			Rounds: []Round{fullRound("last", func(r *Round) { stands(r); r.Written = time.Time{} })}}
		if p := c.Bounded(Bare).Rounds[0].Decision.Plan; (p.Write.After == "after") != keeps || (p.Proof != nil) != keeps {
			t.Errorf("%s: %+v", outcome, p)
		}
	}
}

// TestDroppedRounds: rounds that were only told are dropped, but for what
// separates others and what is still to be told; numbers of rounds follow.
func TestDroppedRounds(t *testing.T) {
	var c Case
	add := func(n int, change func(*Round)) {
		for range n {
			r := Round{Build: codebuild.Build{ID: fmt.Sprint(len(c.Rounds)), Initiator: fmt.Sprint("by", len(c.Rounds)%3),
				Start: began.Add(time.Duration(len(c.Rounds)) * time.Hour)}, Decision: &Decision{}}
			if change != nil {
				change(&r)
			}
			c.Rounds = append(c.Rounds, r)
		}
	}
	did := func(r *Round) { r.Written, r.RetryAt = began, began }
	add(1, func(r *Round) { did(r); r.Old = true })                    // 0
	add(6, nil)                                                        // 1…6
	add(1, did)                                                        // 7
	add(8, nil)                                                        // 8…15
	add(1, func(r *Round) { did(r); r.Decision = &Decision{Undo: 3} }) // 16 undoes 3
	add(3, nil)                                                        // 17…19
	c.Outbox = []Pending{{Round: 3}, {Round: 16}, {Round: -1}, {Round: 99}}
	ids := func(c Case) (out []string) {
		for _, r := range c.Rounds {
			out = append(out, r.Build.ID)
		}
		return out
	}
	got := c.Bounded(Whole)
	if want := []string{"0", "3", "6", "7", "15", "16", "18", "19"}; !slices.Equal(ids(got), want) {
		t.Errorf("kept %q, want %q", ids(got), want)
	}
	if p := got.Past; p.Rounds != 12 ||
		!slices.Equal(p.Builds, []string{"1", "2", "4", "5", "8", "9", "10", "11", "12", "13", "14", "17"}) ||
		!p.Start.Equal(began.Add(17*time.Hour)) || !slices.Equal(p.Initiators, []string{"by1", "by2", "by0"}) {
		t.Errorf("the past is %+v", p)
	}
	if got.Outbox[0].Round != 1 || got.Outbox[1].Round != 5 || got.Outbox[2].Round != -1 || got.Outbox[3].Round != 99 {
		t.Errorf("notices tell of rounds %+v", got.Outbox)
	}
	if n := got.Rounds[5].Decision.Undo; n != 1 { // 3 is the first of those that are not old
		t.Errorf("the undo means round %d", n)
	}
	if len(c.Rounds) != 20 || c.Rounds[16].Decision.Undo != 3 || c.Outbox[0].Round != 3 || c.Past.Rounds != 0 {
		t.Error("the case itself was cut")
	}
	c.Rounds, c.Outbox = c.Rounds[:maxKeptRounds], nil
	if got := c.Bounded(Whole); len(got.Rounds) != maxKeptRounds {
		t.Errorf("of as many rounds as are kept, %d are", len(got.Rounds))
	}
}

// TestRenumberUndo: an undo keeps to the round that it means, where some before
// it are dropped; a number that means none stays.
func TestRenumberUndo(t *testing.T) {
	c := Case{Rounds: []Round{{}, {Decision: &Decision{}}, {Decision: &Decision{Undo: 1}}, {Decision: &Decision{Undo: 3}},
		{Decision: &Decision{Undo: 4}}, {Decision: &Decision{Undo: 5}}}}
	was := c.Rounds[3].Decision
	c.renumberUndo([]int{0, 0, 1, 2})
	var got []int
	for _, r := range c.Rounds[1:] {
		got = append(got, r.Decision.Undo)
	}
	if fmt.Sprint(got) != "[0 1 2 2 5]" || c.Rounds[0].Decision != nil || was.Undo != 3 {
		t.Errorf("%v, and the decision before has %d", got, was.Undo)
	}
}

// TestBoundedDropped: the newest of the versions that a round deleted stay.
func TestBoundedDropped(t *testing.T) {
	var r Round
	for i := range maxKeptDropped + 2 {
		r.Dropped = append(r.Dropped, Dropped{Version: fmt.Sprint(i)})
	}
	if got := r.bounded(Whole, true).Dropped; len(got) != maxKeptDropped || got[0].Version != "2" {
		t.Errorf("%+v", got)
	}
}

// TestBoundedPlan: which plan of a round is cut, and of what.
func TestBoundedPlan(t *testing.T) {
	for _, row := range []struct {
		name string
		r    Round
		s    Size
		open bool
		want string // of: proof, holds, documents
	}{
		{"whole", Round{Step: StepRetried, Written: began}, Whole, false, "proof holds documents"},
		{"waits for its approval", Round{Step: StepDone}, Bare, true, "proof holds documents"},
		{"not decided yet", Round{Step: StepReceived}, Bare, true, "proof holds documents"},
		{"about to be written", Round{Step: StepWriting}, Bare, true, "holds documents"},
		{"written", Round{Step: StepWritten, Written: began}, Bare, true, "documents"},
		{"stands", Round{Step: StepDone, Written: began}, Bare, false, "documents"},
		{"never written", Round{Step: StepDone}, Short, false, "holds documents"},
		{"never written, and no room", Round{Step: StepDone}, Bare, false, ""},
		{"undone", Round{Step: StepDone, Written: began, Undone: began}, Short, false, "documents"},
		{"undone, and no room", Round{Step: StepDone, Written: began, Undone: began}, Bare, false, ""},
	} {
		whole := Plan{Proof: []guardrail.Question{{}},
			Write: &guardrail.Target{Before: "b", After: "a", Holds: map[string]string{"a": "b"}}}
		p := row.r.boundedPlan(whole, row.s, row.open)
		var got []string
		if p.Proof != nil {
			got = append(got, "proof")
		}
		if p.Write.Holds != nil {
			got = append(got, "holds")
		}
		if p.Write.Before != "" && p.Write.After != "" {
			got = append(got, "documents")
		}
		if strings.Join(got, " ") != row.want {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
		if whole.Write.Holds == nil || whole.Write.Before == "" {
			t.Errorf("%s: the plan itself was cut", row.name)
		}
		if p := row.r.boundedPlan(Plan{Repository: "shop"}, row.s, row.open); p.Write != nil || p.Repository != "shop" {
			t.Errorf("%s: of a repository %+v", row.name, p)
		}
	}
}

// TestPastIsBounded: what is summed up of dropped rounds is bounded, too.
func TestPastIsBounded(t *testing.T) {
	var p Past
	for i := range 280 {
		p.add(Round{Build: codebuild.Build{ID: fmt.Sprint(i), Initiator: fmt.Sprint("by", i),
			Start: began.Add(-time.Duration(i) * time.Hour)}})
	}
	p.add(Round{Build: codebuild.Build{ID: long(maxName + 1), Initiator: long(maxName + 1)}})
	p.add(Round{Build: codebuild.Build{ID: long(maxName), Initiator: long(maxName)}})
	p.add(Round{})
	if p.Rounds != 283 || len(p.Builds) != maxKeptBuilds || len(p.Initiators) != maxKeptNames || !p.Start.Equal(began) ||
		p.Builds[0] != "82" || p.Initiators[0] != "by261" || last(p.Initiators) != long(maxName) {
		t.Errorf("%d rounds, builds %q, by %q, start %s", p.Rounds, p.Builds, p.Initiators, p.Start)
	}
}

// TestBoundedLists: the newest of the builds that were set aside and of the
// notices stay, and what the case is about to take up; the rest is counted.
func TestBoundedLists(t *testing.T) {
	c := Case{Rounds: []Round{{Retry: "2"}}, Past: Past{Others: 1}}
	for i := range MaxOthers + 5 {
		c.Others = append(c.Others, fmt.Sprint(i))
	}
	for i := range maxKeptNotices + 2 {
		c.Outbox = append(c.Outbox, Pending{ID: fmt.Sprint(i), Note: long(3000), Repeats: 1})
	}
	got := c.Bounded(Whole)
	if len(got.Others) != MaxOthers || got.Past.Others != 6 || got.Others[0] != "2" || got.Others[1] != "6" {
		t.Errorf("%d others, %d dropped: %q", len(got.Others), got.Past.Others, got.Others[:2])
	}
	if len(got.Outbox) != maxKeptNotices || got.Outbox[0].ID != "2" || got.Outbox[0].Repeats != 5 || got.Outbox[1].Repeats != 1 ||
		len(got.Outbox[0].Note) != maxNote+len("…") {
		t.Errorf("%d notices, the first %s with %d repeats", len(got.Outbox), got.Outbox[0].ID, got.Outbox[0].Repeats)
	}
	if c.Others[5] != "5" || c.Outbox[2].Repeats != 1 || len(c.Outbox[2].Note) != 3000 {
		t.Error("the case itself was cut")
	}
	for _, retry := range []string{"", "5", "new"} {
		c.Rounds[0].Retry = retry
		if got := c.Bounded(Whole); len(got.Others) != MaxOthers || got.Others[0] != "5" {
			t.Errorf("with %q to take up, %d others: %q", retry, len(got.Others), got.Others[:2])
		}
	}
	c.Others, c.Rounds = c.Others[:MaxOthers], nil
	if got := c.Bounded(Whole); len(got.Others) != MaxOthers || got.Past.Others != 1 {
		t.Errorf("of as many as are kept, %d are, and %d dropped", len(got.Others), got.Past.Others)
	}
}

// TestFirstDenials: those that failed the build come first, each in its order.
func TestFirstDenials(t *testing.T) {
	var all []buildlog.Denial
	for i, causal := range []bool{true, false, true, false, true} {
		all = append(all, buildlog.Denial{Line: i, Causal: causal})
	}
	for n, want := range map[int]string{1: "[0]", 3: "[0 2 4]", 4: "[0 2 4 1]", 5: "[0 1 2 3 4]", 6: "[0 1 2 3 4]"} {
		var got []int
		for _, d := range firstDenials(all, n) {
			got = append(got, d.Line)
		}
		if fmt.Sprint(got) != want {
			t.Errorf("%d: %v, want %s", n, got, want)
		}
	}
}

// TestBoundedEmpty: what there is nothing of needs no bound.
func TestBoundedEmpty(t *testing.T) {
	c := Case{ID: "c", Rounds: []Round{{Build: build(), Step: StepReceived}}}
	for s := Whole; s <= Bare; s++ {
		if got := c.Bounded(s); got.Rounds[0].Diagnosis != nil || got.Rounds[0].Decision != nil ||
			got.Rounds[0].Cut || got.Past.Others != 0 {
			t.Errorf("size %d: %+v", s, got)
		}
	}
}

// TestRepositoryName: which names ECR takes.
func TestRepositoryName(t *testing.T) {
	for name, want := range map[string]bool{"ab": true, "a": false, "": false, "az09/._-z": true, "Ab": false, "a:": false,
		"a`": false,
		"a{": false, "a0": true, "0z": true, "a//b": false, "/ab": false, "ab/": false, "-ab": false, "ab.": false,
		"a_b": true, "aüb": false,
		long(256): true, long(257): false} {
		if got := repositoryName(name); got != want {
			t.Errorf("%.20q: %v", name, got)
		}
	}
}
