package heal

import (
	"context"
	"fmt"
	"reflect"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// foreseen is a simulator that was asked early about the policy that would probably be written.
// Whoever asks just that is given the answers; anything else is asked.
type foreseen struct {
	Simulator
	at      settings.Account
	role    codebuild.Role
	qs      []guardrail.Question
	after   string
	answers []guardrail.Answer
}

// Simulate implements [Simulator].
func (s *foreseen) Simulate(
	ctx context.Context, at settings.Account, r codebuild.Role, qs []guardrail.Question, extra []string,
) ([]guardrail.Answer, error) {
	if len(s.answers) > 0 && at == s.at && r == s.role && reflect.DeepEqual(qs, s.qs) && len(extra) == 1 && extra[0] == s.after {
		return s.answers, nil
	}
	return s.Simulator.Simulate(ctx, at, r, qs, extra)
}

// foresee asks about the policy early.
func (s *foreseen) foresee(ctx context.Context, at settings.Account, r codebuild.Role, qs []guardrail.Question, after string) error {
	answers, err := s.Simulator.Simulate(ctx, at, r, qs, []string{after})
	if err != nil {
		return fmt.Errorf("simulating the new policy: %w", err)
	}
	s.at, s.role, s.qs, s.after, s.answers = at, r, qs, after, answers
	return nil
}

// look reads all that a grant hangs on, as much of it at the same time as can be. Of a role that
// the healer never wrote there is most likely nothing to build on: while its policies are read, the
// simulator's answers show which policy would probably be written, so that it can be proved, and
// who else would have what it gives can be read.
func (h *Healer) look(
	ctx context.Context, at settings.Account, f *decide.Facts, qs []guardrail.Question, wrote bool, seen *foreseen,
) error {
	early, whole, further := *f, *f, true
	err := beside(
		func() error { return h.readRole(ctx, at, &whole) },
		func() (err error) {
			if further, err = h.ask(ctx, at, &early, qs); err != nil || !further || wrote {
				return err
			}
			return h.lookEarly(ctx, at, &early, seen)
		})
	f.Before, f.AnswersUnkeyed = early.Before, early.AnswersUnkeyed
	if err != nil || !further {
		return err
	}
	f.Role, f.Trail, f.PullRequests = whole.Role, whole.Trail, early.PullRequests
	j := guardrail.Judge(f.Judged())
	if f.PullRequests.Read && !j.NeedsPullRequests {
		return nil
	}
	return h.lookAhead(ctx, at, f, decide.Decide(*f), seen, j.NeedsPullRequests, j.Scoped())
}

// lookEarly looks ahead as if the role had no policies of its own.
func (h *Healer) lookEarly(ctx context.Context, at settings.Account, f *decide.Facts, seen *foreseen) error {
	role, _ := f.RoleInHand()
	f.Role = &guardrail.RoleState{Role: role}
	d := decide.Decide(*f)
	if d.Plan == nil || d.Plan.Write == nil || d.Plan.Write.Kind != guardrail.Inline {
		return nil // what would be written hangs on more than an inline policy that is not there
	}
	return h.lookAhead(ctx, at, f, d, seen, f.Project.PullRequests != settings.Accept, d.Plan.Scoped)
}

// lookAhead has proved what d would write and, if that is shared, reads who else would have it:
// of what is scoped, only the project's own builds.
func (h *Healer) lookAhead(
	ctx context.Context, at settings.Account, f *decide.Facts, d decide.Decision, seen *foreseen, shared, scoped bool,
) error {
	role := f.Role.Role
	return beside(
		func() error {
			if d.Plan == nil || d.Plan.Write == nil || d.Plan.Write.Kind == guardrail.Attach {
				return nil
			}
			return seen.foresee(ctx, at, role, d.Plan.Proof, d.Plan.Write.After)
		},
		func() (err error) {
			if shared {
				f.PullRequests, err = h.pullRequests(ctx, at, f.Project, scoped)
			}
			return err
		})
}
