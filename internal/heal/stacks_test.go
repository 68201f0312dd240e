package heal_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/settings"
	"github.com/buildmedic/buildmedic/internal/simaws"
)

// askedStacks answers by name or id, and keeps what it was asked.
type askedStacks struct {
	answers  map[string][]buildlog.StackEvent
	err      error
	asked    []string
	from, to time.Time
}

func (s *askedStacks) Failed(_ context.Context, _ settings.Account, stack string, from, to time.Time) ([]buildlog.StackEvent, error) {
	s.asked, s.from, s.to = append(s.asked, stack), from, to
	if list, ok := s.answers[stack]; ok {
		return list, nil
	}
	if s.err != nil {
		return nil, s.err
	}
	return nil, heal.ErrNotFound
}

func stackARN(name string) string {
	return "arn:aws:cloudformation:us-east-1:111122223333:stack/" + name + "/0a1b2c3d-0000"
}

func failedEvent(stack, physical string) []buildlog.StackEvent {
	e := buildlog.StackEvent{Stack: stackARN(stack), Resource: "R", Type: "AWS::SQS::Queue", Status: "CREATE_FAILED",
		Reason: "rain in " + stack}
	if physical != "" {
		e.Type, e.Physical = "AWS::CloudFormation::Stack", physical
	}
	return []buildlog.StackEvent{e}
}

// TestStackReasons: which stacks are asked, and for which time.
func TestStackReasons(t *testing.T) {
	at := settings.Account{ID: "111122223333", Region: "us-east-1"}
	build := codebuild.Build{Start: time.Unix(1000, 0), End: time.Unix(2000, 0)}
	const silent = "Failed to create/update the stack. Run the following command"
	endless := map[string][]buildlog.StackEvent{}
	name := "shop"
	for range 20 {
		endless[map[bool]string{true: "shop", false: stackARN(name)}[name == "shop"]] = failedEvent(name, stackARN(name+"-N"))
		name += "-N"
	}
	for _, row := range []struct {
		name, log string
		listed    []string
		answers   map[string][]buildlog.StackEvent
		asked     string
		says      string
	}{
		{"the one that is listed", silent, []string{"shop"}, map[string][]buildlog.StackEvent{"shop": failedEvent("shop", "")}, "shop",
			"rain in shop"},
		{"none is listed", silent, nil, nil, "", ""},
		{"the one that is named", "--stack-name web\n" + silent, []string{"shop", "web"},
			map[string][]buildlog.StackEvent{"web": failedEvent("web", "")}, "web", "rain in web"},
		{"another one is named", "--stack-name evil\n" + silent, []string{"shop"}, nil, "", ""},
		{"nothing failed in it", silent, []string{"shop", "web"}, map[string][]buildlog.StackEvent{"shop": nil,
			"web": failedEvent("web", "")}, "shop web", "rain in web"},
		{"not more than a few", silent, []string{"a", "b", "c", "d", "e"}, nil, "a b c", ""},
		{"a cause in the log", "toomanyrequests: You have reached your pull rate limit", []string{"shop"}, nil, "", ""},
		{"deleted", stackARN("shop") + " is gone\n" + silent, []string{"shop"},
			map[string][]buildlog.StackEvent{stackARN("shop"): failedEvent("shop", "")}, "shop " + stackARN("shop"), "rain in shop"},
		{"deleted, and another's id in the log", strings.Replace(stackARN("shop"), "111122223333", "444455556666", 1) + "\n" +
			strings.Replace(stackARN("shop"), "us-east-1", "eu-west-1", 1) + "\n" + stackARN("shop-2") + "\nshop\n" + silent,
			[]string{"shop"}, nil, "shop", ""},
		{"nested, and nothing is told there", silent, []string{"shop"},
			map[string][]buildlog.StackEvent{"shop": failedEvent("shop", stackARN("shop-Net-1X"))}, "shop " + stackARN("shop-Net-1X"),
			"rain in shop"},
		{"nested for ever", silent, []string{"shop"}, endless,
			"shop " + stackARN("shop-N") + " " + stackARN("shop-N-N") + " " + stackARN("shop-N-N-N"), "rain in shop-N-N-N"},
		{"nested in name only", silent, []string{"shop"},
			map[string][]buildlog.StackEvent{"shop": failedEvent("shop", stackARN("payroll-Net-1X"))}, "shop", "rain in shop"},
	} {
		f := buildlog.ReadEvents(build, "[Container] 2026/11/22 10:13:02 Running command ./deploy.sh\n"+row.log+
			"\n[Container] 2026/11/22 10:14:02 Command did not exit successfully ./deploy.sh exit status 255\n"+
			"[Container] 2026/11/22 10:14:02 Phase complete: BUILD State: FAILED\n")
		s := &askedStacks{answers: row.answers}
		reasons := heal.StackReasons{Stacks: s}
		d := reasons.Read(t.Context(), at, settings.Project{Stacks: row.listed}, f, diagnose.Diagnose(f))
		if got := strings.Join(s.asked, " "); got != row.asked {
			t.Errorf("%s: asked %q, want %q", row.name, got, row.asked)
		}
		said := d.Evidence.Origin == buildlog.FromStack
		if said != (row.says != "") || said && !strings.Contains(d.Evidence.Text, row.says) {
			t.Errorf("%s: %+v", row.name, d.Evidence)
		}
		if len(s.asked) > 0 && (!s.from.Equal(build.Start) || !s.to.Equal(build.End)) {
			t.Errorf("%s: asked for %v to %v", row.name, s.from, s.to)
		}
		if why := reasons.Unread(); why != "" {
			t.Errorf("%s: %s", row.name, why)
		}
	}
}

// TestStackUnread: what goes wrong is told, and the log explains the failure.
func TestStackUnread(t *testing.T) {
	build := codebuild.Build{Start: time.Unix(1000, 0), End: time.Unix(2000, 0)}
	f := buildlog.Failure{Build: build, Tail: []buildlog.Line{{N: 1, Text: "Failed to create/update the stack."}}}
	for _, row := range []struct {
		err  error
		want string
	}{
		{heal.DeniedError{Action: "cloudformation:DescribeEvents", Err: errors.New("no")}, "cloudformation:DescribeEvents"},
		{fmt.Errorf("busy: %w", heal.ErrLater), "did not answer in time"},
		{errors.New("strange <b>"), "did not give them"},
	} {
		reasons := heal.StackReasons{Stacks: &askedStacks{err: row.err}}
		before := diagnose.Diagnose(f)
		d := reasons.Read(t.Context(), settings.Account{}, settings.Project{Stacks: []string{"shop"}}, f, before)
		if d.Cause != before.Cause || !strings.Contains(reasons.Unread(), row.want) || strings.Contains(reasons.Unread(), "<b>") {
			t.Errorf("%v: %s, %q", row.err, d.Cause, reasons.Unread())
		}
	}
}

// TestStackOfWhomever: for a build that may be anybody's nothing is asked; what a stack says is
// redacted as a log is, and what its resources hold gets nowhere.
func TestStackOfWhomever(t *testing.T) {
	const key = "AKIAIOSFODNN7EXAMPLE"
	world := strings.Replace(shop(1, ""), "aws s3 cp x s3://dist/x", "aws cloudformation deploy --stack-name p0", 1)
	world = strings.Replace(world, `"logs:PutLogEvents"]`, `"logs:PutLogEvents", "cloudformation:*"]`, 1) +
		"    versions: [{ref: refs/heads/main}, {ref: pr/7}]\n" +
		"stacks:\n  - name: p0\n    resources:\n      - {id: A, type: \"Custom::Shop\", reason: \"Received response status [FAILED] " +
		"from custom resource. Message returned: <script> @here " + key + "\"}\n"
	for _, version := range []string{"refs/heads/main", "pr/7"} {
		s := open(t, world, strings.Replace(shopSettings(1, ""), "mode: heal,", "mode: heal, stacks: [p0],", 1))
		var calls []string
		s.Sim.Hook(func(c simaws.Call) simaws.Fault {
			if c.Service == "cloudformation" {
				calls = append(calls, c.Operation)
			}
			return simaws.Fault{}
		})
		id, err := s.Sim.Run(simaws.Start{Project: "p0", Version: version})
		if err != nil {
			t.Fatal(err)
		}
		s.drain()
		d := s.of(id).Rounds[0].Diagnosis
		if ours := version == "refs/heads/main"; slices.Contains(calls, "DescribeEvents") != ours ||
			(d.Evidence.Origin == buildlog.FromStack) != ours {
			t.Errorf("%s: %q, %+v", version, calls, d.Evidence)
		}
		for _, n := range s.Sim.Notices() {
			for _, secret := range []string{key, simaws.SecretProperty} {
				if strings.Contains(fmt.Sprint(n), secret) {
					t.Errorf("%s: a notice has %q", version, secret)
				}
			}
		}
	}
}
