package awsapi

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/buildmedic/buildmedic/internal/simaws"
)

func TestWhoami(t *testing.T) {
	s := world(t, "partition: aws-us-gov\nregion: us-gov-west-1\nfunction: {role: ci/medic, session: run}\n")
	s.Caller("AKIAALICE", "", simaws.Identity{User: "team/alice"})
	for key, want := range map[string]Identity{
		simaws.FunctionKey: {Partition: "aws-us-gov", Account: home.ID, Initiator: "medic/run", Role: "medic",
			Caller: "arn:aws-us-gov:sts::" + home.ID + ":assumed-role/medic/run"},
		"AKIAALICE": {Partition: "aws-us-gov", Account: home.ID, Initiator: "team/alice",
			Caller: "arn:aws-us-gov:iam::" + home.ID + ":user/team/alice"},
	} {
		id, err := Whoami(t.Context(), config(s.URL(), key, s.Client()))
		if d := cmp.Diff(want, id); err != nil || d != "" {
			t.Errorf("%s: %v\n%s", key, err, d)
		}
	}
	if _, err := Whoami(t.Context(), config(s.URL(), "AKIANOBODY", s.Client())); err == nil ||
		!strings.Contains(err.Error(), "asking AWS who calls") {
		t.Errorf("a key that nobody has: %v", err)
	}
}

// TestInvoked ensures that a function knows from its ARN and its role what STS would say.
func TestInvoked(t *testing.T) {
	s := world(t, "partition: aws-us-gov\nregion: us-gov-west-1\nfunction: {role: ci/medic, session: shop-medic}\n")
	want, err := Whoami(t.Context(), config(s.URL(), simaws.FunctionKey, s.Client()))
	if err != nil {
		t.Fatal(err)
	}
	want.Caller = "" // it acts for whoever invoked it
	arn := "arn:aws-us-gov:lambda:us-gov-west-1:" + home.ID + ":function:shop-medic"
	for _, row := range []struct {
		arn, role string
		ok        bool
	}{
		{arn, "medic", true},
		{arn + ":live", "medic", true},
		{arn, "", false},
		{"", "medic", false},
		{"arn:aws-us-gov:lambda:us-gov-west-1:" + home.ID + ":function:", "medic", false},
		{"arn:aws-us-gov:iam::" + home.ID + ":role/shop-medic", "medic", false},
	} {
		id, ok := Invoked(row.arn, row.role)
		if ok != row.ok || ok && id != want || !ok && id != (Identity{}) {
			t.Errorf("%s as %q: %+v, %v", row.arn, row.role, id, ok)
		}
	}
}

// TestCreateRepository: it is made once, and is there already the next time.
func TestCreateRepository(t *testing.T) {
	s := world(t, "repositories: [{name: old}]\n")
	for _, name := range []string{"old", "team/new", "team/new"} {
		if err := (ECR{function(s, "")}).Create(t.Context(), home, name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	have := s.Repositories()
	if slices.Sort(have); !slices.Equal(have, []string{"old", "team/new"}) {
		t.Errorf("there are %q", have)
	}
}

// TestAnalyzer: errors and security warnings are findings, and so is access
// that is new.
func TestAnalyzer(t *testing.T) {
	s := world(t, "roles: [{name: shop}]\n")
	a := Analyzer{function(s, "")}
	for _, row := range []struct {
		existing, after string
		want            []string // what each finding contains
	}{
		{may("s3:GetObject"), may("s3:GetObject"), nil},
		{may("s3:*"), may("s3:GetObject"), nil},
		{may("s3:GetObject"), may("s3:GetObject s3:PutObject"), []string{"grant new access", "index: 0"}},
		{may("iam:PassRole"), may("iam:PassRole"), []string{"SECURITY_WARNING PASS_ROLE_WITH_STAR_IN_RESOURCE"}},
		{may("s3:GetObject"), may("iam:PassRole"),
			[]string{"SECURITY_WARNING PASS_ROLE_WITH_STAR_IN_RESOURCE", "grant new access", "index: 0"}},
	} {
		found, err := a.Check(t.Context(), home, row.existing, row.after)
		if err != nil || len(found) != len(row.want) {
			t.Errorf("%s: %q, %v", row.after, found, err)
			continue
		}
		for i, f := range found {
			if !strings.HasPrefix(f, "Access Analyzer: ") || !strings.Contains(f, row.want[i]) {
				t.Errorf("%s: finding %q does not tell of %q", row.after, f, row.want[i])
			}
		}
	}
}

// TestLater: a message comes when it should, never earlier, but after 15
// minutes at the latest.
func TestLater(t *testing.T) {
	for delay, want := range map[time.Duration]time.Duration{
		-time.Hour: 0, 0: 0, time.Nanosecond: time.Second, 400 * time.Millisecond: time.Second, 20 * time.Second: 20 * time.Second,
		90*time.Second + time.Millisecond: 91 * time.Second, 15*time.Minute - time.Millisecond: 15 * time.Minute,
		15 * time.Minute: 15 * time.Minute, 15*time.Minute + time.Second: 15 * time.Minute, 300 * 24 * time.Hour: 15 * time.Minute,
	} {
		s := world(t, "roles: [{name: shop}]\n")
		q := NewQueues(sqs.NewFromConfig(config(s.URL(), simaws.FunctionKey, s.Client())), s.QueueURL(simaws.Queue), "", "", s.Clock)
		start := s.Clock.Now()
		if err := q.Later(t.Context(), "c-1", start.Add(delay)); err != nil {
			t.Errorf("%v: %v", delay, err)
			continue
		}
		m, ok := s.NextMessage(t.Context())
		if at := s.Clock.Now().Sub(start); !ok || m.Body != `{"continue":{"case":"c-1"}}` || at != want {
			t.Errorf("in %v: came after %v: %q", delay, at, m.Body)
		}
	}
}

// TestBack ensures that a message goes back into the queue that it came from, the healer's own
// messages into that of follow-ups, cases that are put off into that of cures, and all into the one
// before if there is none.
func TestBack(t *testing.T) {
	s := world(t, "roles: [{name: shop}]\n")
	client := sqs.NewFromConfig(config(s.URL(), simaws.FunctionKey, s.Client()))
	three := NewQueues(client, s.QueueURL(simaws.Queue), s.QueueURL(simaws.FollowUps), s.QueueURL(simaws.Cures), s.Clock)
	two := NewQueues(client, s.QueueURL(simaws.Queue), s.QueueURL(simaws.FollowUps), "", s.Clock)
	one := NewQueues(client, s.QueueURL(simaws.Queue), "", "", s.Clock)
	const failures, followUps, cures = "arn:aws:sqs:us-east-1:111122223333:" + simaws.Queue,
		"arn:aws:sqs:us-east-1:111122223333:" + simaws.FollowUps, "arn:aws:sqs:us-east-1:111122223333:" + simaws.Cures
	for body, err := range map[string]error{
		"a": three.Back(t.Context(), failures, "a", 0),
		"b": three.Back(t.Context(), followUps, "b", 0),
		"c": three.Back(t.Context(), "", "c", 0), // who invoked the function by hand
		"d": one.Back(t.Context(), failures, "d", 0),
		"e": one.Back(t.Context(), followUps, "e", 0),
		"f": three.Later(t.Context(), "f", s.Clock.Now()),
		"g": one.Later(t.Context(), "g", s.Clock.Now()),
		"h": three.Back(t.Context(), cures, "h", 0),
		"i": three.Cure(t.Context(), "i"),
		"j": two.Cure(t.Context(), "j"),
		"k": one.Cure(t.Context(), "k"),
	} {
		if err != nil {
			t.Errorf("%s: %v", body, err)
		}
	}
	for name, want := range map[string][]string{
		simaws.Queue:     {"a", "c", "d", "e", `{"continue":{"case":"g"}}`, `{"continue":{"case":"k"}}`},
		simaws.FollowUps: {"b", `{"continue":{"case":"f"}}`, `{"continue":{"case":"j"}}`},
		simaws.Cures:     {"h", `{"continue":{"case":"i"}}`},
	} {
		got := s.Queued(name)
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("in %s are %q", name, got)
		}
	}
}

// TestBackTogether ensures that messages go back with one call, and that one which the queue does not take
// is named, and all are if it cannot be reached.
func TestBackTogether(t *testing.T) {
	s := world(t, "roles: [{name: shop}]\n")
	q := NewQueues(sqs.NewFromConfig(config(s.URL(), simaws.FunctionKey, s.Client())), s.QueueURL(simaws.Queue),
		s.QueueURL(simaws.FollowUps), "", s.Clock)
	const followUps = "arn:aws:sqs:us-east-1:111122223333:" + simaws.FollowUps
	left, err := q.BackTogether(t.Context(), followUps, []string{"a", "", "c"})
	if err != nil || !slices.Equal(left, []string{""}) || !slices.Equal(s.Queued(simaws.FollowUps), []string{"a", "c"}) {
		t.Errorf("left %q, %v; in the queue are %q", left, err, s.Queued(simaws.FollowUps))
	}
	if n := len(s.Calls()); n != 1 {
		t.Errorf("%d calls", n)
	}
	eleven := strings.Split("abcdefghijk", "")
	if left, err := q.BackTogether(t.Context(), followUps, eleven); err == nil || !slices.Equal(left, eleven) {
		t.Errorf("of eleven are left %q, %v", left, err)
	}
}

// TestParallel: the first error in order is returned, and all have run.
func TestParallel(t *testing.T) {
	ran := make([]bool, 3)
	fail := func(i int, err error) func(context.Context) error {
		return func(context.Context) error { ran[i] = true; return err }
	}
	one, two := context.Canceled, context.DeadlineExceeded
	if err := parallel(t.Context(), fail(0, nil), fail(1, one), fail(2, two)); err != one || slices.Contains(ran, false) {
		t.Errorf("%v, ran %v", err, ran)
	}
}
