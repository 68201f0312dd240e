package simaws_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	trailtypes "github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"github.com/buildmedic/buildmedic/internal/simaws"
)

func putP(ctx context.Context, c clients, doc string) error {
	_, err := c.iam.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: aws.String("r"), PolicyName: aws.String("p"),
		PolicyDocument: &doc})
	return err
}

const anyDoc = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`

// A fault before the call prevents it; after the call it only hides the answer.
func TestFaults(t *testing.T) {
	tests := []struct {
		name    string
		done    bool
		fault   simaws.Fault
		code    string // "" for a broken connection
		written bool
	}{
		{"throttled", false, simaws.Fault{Throttle: true}, "Throttling", false},
		{"other error", false, simaws.Fault{Code: "ServiceFailure", Message: "x", Status: 500}, "ServiceFailure", false},
		{"request lost", false, simaws.Fault{Cut: true}, "", false},
		{"answer lost", true, simaws.Fault{Cut: true}, "", true},
		{"answer replaced", true, simaws.Fault{Code: "ServiceFailure", Status: 500}, "ServiceFailure", true},
		{"crash before", false, simaws.Fault{Crash: true}, "", false},
		{"crash after", true, simaws.Fault{Crash: true}, "", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := world(t, "roles: [{name: r}]")
			c := dial(s, simaws.FunctionKey, "us-east-1")
			s.Hook(func(call simaws.Call) simaws.Fault {
				if call.Done == tt.done && call.Operation == "PutRolePolicy" {
					return tt.fault
				}
				return simaws.Fault{}
			})
			err := putP(deadline(t), c, anyDoc)
			var api smithy.APIError
			if errors.As(err, &api) != (tt.code != "") || err == nil || tt.code != "" && api.ErrorCode() != tt.code {
				t.Errorf("error %v, want code %q", err, tt.code)
			}
			if inline, _ := s.RolePolicies("", "r"); (len(inline) == 1) != tt.written {
				t.Errorf("written: %v, want %v", inline, tt.written)
			}
			want := tt.code
			if want == "" {
				want = "cut"
			}
			if call := s.Calls()[0]; call.Error != want || !call.Writes || !call.Done || call.Took != tt.written {
				t.Errorf("recorded %+v", call)
			}
			if got := s.Writes(); (len(got) == 1) != tt.written {
				t.Errorf("writes %q", got)
			}
			s.Unhook()
			_, err = c.sts.GetCallerIdentity(deadline(t), nil)
			if (err != nil) != tt.fault.Crash {
				t.Errorf("the next call: %v", err)
			}
			if other := dial(s, simaws.OwnerKey, "us-east-1"); tt.fault.Crash {
				if _, err := other.sts.GetCallerIdentity(deadline(t), nil); err != nil {
					t.Errorf("another caller: %v", err)
				}
				s.Restart()
				if _, err := c.sts.GetCallerIdentity(deadline(t), nil); err != nil {
					t.Errorf("after the restart: %v", err)
				}
			}
		})
	}
}

// Each service throttles with its own code, and the SDK knows it as such.
func TestThrottling(t *testing.T) {
	s := world(t, "trouble: {throttle: 1}")
	c, ctx := dial(s, simaws.FunctionKey, "us-east-1"), deadline(t)
	calls := map[string]func() error{
		"Throttling":          func() error { _, err := c.iam.GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String("r")}); return err },
		"ThrottlingException": func() error { _, err := c.codebuild.ListProjects(ctx, nil); return err },
		"RequestThrottled":    func() error { _, err := c.sqs.SendMessage(ctx, sending(s)); return err },
	}
	for want, call := range calls {
		err := call()
		var api smithy.APIError
		if !errors.As(err, &api) || api.ErrorCode() != want {
			t.Errorf("error %v, want %s", err, want)
		}
		if _, throttle := throttleCodes[want]; !throttle {
			t.Errorf("the SDK does not take %s for throttling", want)
		}
	}
}

// A stranger writes between our read and our write.
func TestStranger(t *testing.T) {
	s := world(t, "roles: [{name: r, inline: {p: "+v1+"}}]")
	c, ctx := dial(s, simaws.FunctionKey, "us-east-1"), deadline(t)
	s.Hook(func(call simaws.Call) simaws.Fault {
		if call.Done && call.Operation == "GetRolePolicy" {
			if err := s.PutRolePolicy("r", "p", strings.Replace(anyDoc, "Allow", "Deny", 1)); err != nil {
				t.Error(err)
			}
		}
		return simaws.Fault{}
	})
	read := func() string {
		out, err := c.iam.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: aws.String("r"), PolicyName: aws.String("p")})
		if err != nil {
			t.Fatal(err)
		}
		return *out.PolicyDocument
	}
	if a, b := read(), read(); a == b {
		t.Error("the stranger's write is not seen")
	}
	for _, call := range s.Calls() {
		if call.Operation != "GetRolePolicy" {
			t.Errorf("the stranger is recorded: %v", call)
		}
	}
}

// Events are lost, doubled and late with the given probabilities, and the
// same seed gives the same course of events.
func TestEventTrouble(t *testing.T) {
	course := func(seed int) (out []string) {
		s := world(t, fmt.Sprintf("seed: %d\ntrouble: {drop_events: 0.3, duplicate_events: 0.3, delay_events: 5m}\n",
			seed)+roleMay()+buildOf("make"))
		for range 100 {
			if _, err := s.Run(simaws.Start{Project: "p"}); err != nil {
				t.Fatal(err)
			}
			s.Clock.Advance(30 * time.Second)
		}
		for {
			m, ok := s.NextMessage(deadline(t))
			if !ok {
				return out
			}
			m.Ack()
			out = append(out, fmt.Sprintf("%s %s", s.Clock.Now(), m.Body))
		}
	}
	a, b, other := course(1), course(1), course(2)
	if d := cmp.Diff(a, b); d != "" {
		t.Errorf("the same seed differs: %s", d)
	}
	if cmp.Equal(a, other) {
		t.Error("another seed does not differ")
	}
	distinct := map[string]bool{}
	for _, e := range a {
		_, body, _ := strings.Cut(e, " UTC ")
		distinct[body] = true
	}
	if lost, twice := 100-len(distinct), len(a)-len(distinct); lost < 15 || lost > 45 || twice < 8 || twice > 40 {
		t.Errorf("%d lost, %d twice of 100", lost, twice)
	}
}

// Rate limits are in simulated time: LookupEvents twice a second.
func TestRateLimits(t *testing.T) {
	s := world(t, "trouble: {rate_limits: true}")
	c, ctx := dial(s, simaws.FunctionKey, "us-east-1"), deadline(t)
	look := func() bool {
		_, err := c.trail.LookupEvents(ctx, &cloudtrail.LookupEventsInput{})
		var api smithy.APIError
		if errors.As(err, &api) && api.ErrorCode() == "ThrottlingException" {
			return false
		}
		if err != nil {
			t.Fatal(err)
		}
		return true
	}
	var got []bool
	for _, d := range []time.Duration{0, 0, 0, 400 * time.Millisecond, 100 * time.Millisecond, 0, 10 * time.Second, 0, 0} {
		s.Clock.Advance(d)
		got = append(got, look())
	}
	if want := []bool{true, true, false, false, true, false, true, true, false}; !cmp.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// CloudTrail shows a build's denial about five minutes later, under its session.
func TestLookupEvents(t *testing.T) {
	s := world(t, roleMay()+buildOf("aws ecr get-login-password"))
	if err := run(s, "p"); err != nil {
		t.Fatal(err)
	}
	c, ctx := dial(s, simaws.FunctionKey, "us-east-1"), deadline(t)
	session := "AWSCodeBuild-" + strings.TrimPrefix(s.Builds("p")[0].ID, "p:")
	look := func() []trailtypes.Event {
		out, err := c.trail.LookupEvents(ctx, &cloudtrail.LookupEventsInput{LookupAttributes: []trailtypes.LookupAttribute{{
			AttributeKey: trailtypes.LookupAttributeKeyUsername, AttributeValue: &session}}})
		if err != nil {
			t.Fatal(err)
		}
		return out.Events
	}
	if n := len(look()); n != 0 {
		t.Errorf("%d events at once", n)
	}
	s.Clock.Advance(5 * time.Minute)
	events := look()
	if len(events) == 0 || *events[0].EventName != "GetAuthorizationToken" {
		t.Fatalf("events %+v", events)
	}
	for _, want := range []string{
		`"errorCode":"AccessDeniedException"`, `"arn":"arn:aws:iam::111122223333:role/r"`,
		`"errorMessage":"User: arn:aws:sts::111122223333:assumed-role/r/` + session,
	} {
		if text := *events[0].CloudTrailEvent; !strings.Contains(text, want) {
			t.Errorf("the record lacks %s: %s", want, text)
		}
	}
}

// Calls take the time they are told to take, in either clock.
func TestCallTime(t *testing.T) {
	s := world(t, "trouble: {call_time: 25ms}")
	c := dial(s, simaws.FunctionKey, "us-east-1")
	start := s.Clock.Now()
	for range 4 {
		if _, err := c.sts.GetCallerIdentity(deadline(t), &sts.GetCallerIdentityInput{}); err != nil {
			t.Fatal(err)
		}
	}
	if d := s.Clock.Now().Sub(start); d != 100*time.Millisecond {
		t.Errorf("four calls took %v", d)
	}
	s.SetTrouble(simaws.Trouble{Latency: 20 * time.Millisecond})
	if _, err := c.sts.GetCallerIdentity(deadline(t), nil); err != nil {
		t.Fatal(err)
	}
	if call := s.Calls()[4]; call.Ended.Sub(call.Began) < 20*time.Millisecond {
		t.Errorf("the call took %v", call.Ended.Sub(call.Began))
	}
}

// Things are done at their time, in order, and may use the Sim.
func TestAfter(t *testing.T) {
	s := world(t, "region: us-east-1")
	start := s.Clock.Now()
	var got []time.Duration
	note := func() { got = append(got, s.Clock.Now().Sub(start)) }
	s.After(3*time.Second, note)
	s.After(time.Second, func() {
		note()
		s.After(time.Second, note)
	})
	s.Clock.Advance(10 * time.Second)
	if want := []time.Duration{1 * time.Second, 2 * time.Second, 3 * time.Second}; !cmp.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Clock.Sleep(ctx, time.Hour); err == nil || s.Clock.Now().Sub(start) != 10*time.Second {
		t.Errorf("a cancelled sleep: %v at %v", err, s.Clock.Now().Sub(start))
	}
	if d := s.Clock.Skewed(-time.Minute)().Sub(start); d != -50*time.Second {
		t.Errorf("a skewed clock shows %v", d)
	}
}

// A run is the same in every byte if the seed is.
func TestDeterminism(t *testing.T) {
	course := func() string {
		s := load(t, "tracker.yaml")
		c := dial(s, simaws.FunctionKey, "us-west-2")
		var out strings.Builder
		for range 3 {
			m := next(t, s)
			fmt.Fprintln(&out, s.Clock.Now(), m.ID, m.ReceiptHandle, m.Body)
			bs := s.Builds("TrackerAPI")
			fmt.Fprintln(&out, bs[len(bs)-1].Log)
			if _, err := c.codebuild.RetryBuild(deadline(t), &codebuild.RetryBuildInput{Id: &bs[0].ID}); err != nil {
				t.Fatal(err)
			}
		}
		for _, call := range s.Calls() {
			fmt.Fprintln(&out, call)
		}
		return out.String()
	}
	if d := cmp.Diff(course(), course()); d != "" {
		t.Error(d)
	}
}
