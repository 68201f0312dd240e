package heal

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// Bounds of reading stacks, so that they never hold up what the log says.
const (
	maxStacks = 3 // that the project lists and the log may mean
	maxNested = 3 // stacks within each other
	stackTime = 10 * time.Second
)

// StackReasons reads in CloudFormation why a stack failed, where the log leaves it open. It is only
// evidence: whatever goes wrong with it, the failure is explained from the log.
type StackReasons struct {
	Stacks Stacks

	err error
}

// Read gives the diagnosis with the reason of the stack that failed while the build ran: one that
// settings list for the project, or one nested in it. What the log says only chooses among them.
func (s *StackReasons) Read(
	ctx context.Context, at settings.Account, p settings.Project, f buildlog.Failure, d diagnose.Diagnosis, own ...diagnose.Cause,
) diagnose.Diagnosis {
	if !d.WantsStack() || f.Build.Start.IsZero() || f.Build.End.IsZero() {
		return d
	}
	ctx, cancel := context.WithTimeout(ctx, stackTime)
	defer cancel()
	for _, name := range buildlog.ChooseStacks(f, p.Stacks, maxStacks) {
		e, ok, err := s.Cause(ctx, at, name, f)
		if s.err = err; ok {
			return d.FromStack(f, e, own...)
		}
	}
	return d
}

// Cause finds why the stack failed while the build ran, in the stacks nested in it, too.
func (s *StackReasons) Cause(
	ctx context.Context, at settings.Account, name string, f buildlog.Failure,
) (e buildlog.StackEvent, ok bool, err error) {
	e, ok, err = s.failed(ctx, at, name, f.Build)
	if errors.Is(err, ErrNotFound) {
		// A stack that is deleted is found by its id alone, which the log may tell.
		if id := buildlog.StackID(f, at.ID, at.Region, name); id != "" {
			e, ok, err = s.failed(ctx, at, id, f.Build)
		}
	}
	for range maxNested {
		id := e.Nested()
		if !ok || id == "" {
			break
		}
		in, found, problem := s.failed(ctx, at, id, f.Build)
		if err = problem; !found {
			break
		}
		e = in
	}
	return e, ok, err
}

// failed asks for one stack. Another run's failure is not this build's: only what happened while it
// ran counts.
func (s *StackReasons) failed(
	ctx context.Context, at settings.Account, stack string, b codebuild.Build,
) (e buildlog.StackEvent, ok bool, err error) {
	list, err := s.Stacks.Failed(ctx, at, stack, b.Start, b.End)
	e, ok = buildlog.StackCause(list)
	return e, ok, err
}

// Unread says in a sentence why stacks were not read, "" if there is nothing to tell.
func (s *StackReasons) Unread() string {
	why := ""
	switch {
	case errors.Is(s.err, ErrNotFound), s.err == nil:
		return ""
	case errors.Is(s.err, ErrDenied):
		why = s.err.Error()
	case errors.Is(s.err, ErrLater), errors.Is(s.err, context.DeadlineExceeded):
		why = "CloudFormation did not answer in time"
	default:
		why = "CloudFormation did not give them"
	}
	return "The stack's events were not read: " + why + "."
}

// ListStack is the advice to list the stack that the log names, where it leaves open why that failed
// and the project does not list it; "" otherwise.
func ListStack(p settings.Project, f buildlog.Failure, d diagnose.Diagnosis) string {
	name := buildlog.StackNamed(f)
	if diagnose.Unexplained(d.Cause) || !d.WantsStack() || name == "" || slices.Contains(p.Stacks, name) {
		return ""
	}
	return " Buildmedic can read why, if the project lists the stack: stacks: [" + name + "]."
}
