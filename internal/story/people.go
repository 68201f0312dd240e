package story

import (
	"context"
	"fmt"
	"time"

	"github.com/buildmedic/buildmedic/internal/simaws"
)

// Push is a commit of one file by a person.
type Push struct {
	Repository string `yaml:"repository"`
	Branch     string `yaml:"branch"` // REQUEST stands for that of the open pull request
	Path       string `yaml:"path"`
	Text       string `yaml:"text"`
}

// Start is a build that begins as those under starts of the world do.
type Start struct {
	Project string `yaml:"project"`
	Version string `yaml:"version"`
}

// every is how often the schedule sweeps.
const every = 15 * time.Minute

// patience is how long people wait for a pull request that they merge or close.
const patience = 24 * time.Hour

// Act has people and time do what is not the function's: it reports whether th is such a thing. pass
// lets so much time pass under the schedule, see [Pass].
func (st *Stage) Act(ctx context.Context, th Then, pass func(context.Context, time.Duration) error) (done bool, err error) {
	at, after := st.Sim.Clock.Now(), len(st.Sim.Calls())
	var said, came string
	switch {
	case th.Schedule != "":
		d, err := time.ParseDuration(th.Schedule)
		if err == nil {
			err = pass(ctx, d)
		}
		return true, err
	case th.Merge != "" || th.Close != "":
		if err := st.awaitRequest(ctx, th, pass); err != nil {
			return true, err
		}
		at, after = st.Sim.Clock.Now(), len(st.Sim.Calls())
		said, came, err = st.closeRequests(th)
	case th.Push != nil:
		said, came, err = st.push(*th.Push)
	case th.Start != nil:
		said = "start " + th.Start.Project
		came, err = st.Sim.Run(simaws.Start{Project: th.Start.Project, Version: th.Start.Version})
	default:
		return false, nil
	}
	if err != nil {
		return true, err
	}
	st.Asked = append(st.Asked, Asked{At: at, After: after, Command: said, Done: true, Message: came, Person: true})
	return true, nil
}

// repository is that whose pull requests are merged or closed.
func (th Then) repository() string { return th.Merge + th.Close }

// awaitRequest lets time pass until a pull request is open, and has been as long as the story says.
func (st *Stage) awaitRequest(ctx context.Context, th Then, pass func(context.Context, time.Duration) error) error {
	var after time.Duration
	if th.After != "" {
		d, err := time.ParseDuration(th.After)
		if err != nil {
			return err
		}
		after = d
	}
	for waited := time.Duration(0); waited < patience; waited += every {
		if open := st.open(th.repository()); len(open) > 0 {
			return pass(ctx, open[len(open)-1].Opened.Add(after).Sub(st.Sim.Clock.Now()))
		}
		if err := pass(ctx, every); err != nil {
			return err
		}
	}
	return fmt.Errorf("there is no open pull request in %s", th.repository())
}

// open lists the open pull requests of a repository.
func (st *Stage) open(repository string) (out []simaws.CodeRequest) {
	for _, r := range st.Sim.CodeRequests() {
		if r.Repository == repository && r.Open {
			out = append(out, r)
		}
	}
	return out
}

func (st *Stage) closeRequests(th Then) (said, came string, err error) {
	said, came = "merge "+th.Merge, "merged"
	if th.Merge == "" {
		said, came = "close "+th.Close, "closed"
	}
	for _, r := range st.open(th.repository()) {
		if !st.Sim.CloseRequest(r.Repository, r.Number, th.Merge != "") {
			return said, "", fmt.Errorf("pull request %s of %s cannot be merged", r.Number, r.Repository)
		}
		came += " #" + r.Number
	}
	return said, came, nil
}

func (st *Stage) push(p Push) (said, came string, err error) {
	if p.Branch == "REQUEST" {
		open := st.open(p.Repository)
		if len(open) != 1 {
			return "", "", fmt.Errorf("%d pull requests are open in %s, so it is not clear which one is meant", len(open), p.Repository)
		}
		p.Branch = open[0].Head
	}
	st.Sim.PushCode(p.Repository, p.Branch, "Change "+p.Path, map[string]*simaws.GitFile{p.Path: {Text: p.Text}})
	return "push " + p.Repository, p.Path + " on " + p.Branch, nil
}

// Pass lets time d pass, in which the schedule sweeps every 15 minutes, as in the stack. What is due
// meanwhile happens in its time: messages is called whenever one can be received.
func Pass(ctx context.Context, sim *simaws.Sim, d time.Duration, sweep, messages func(context.Context) error) error {
	now := sim.Clock.Now()
	end, next := now.Add(d), now.Truncate(every).Add(every)
	for !next.After(end) {
		if err := until(ctx, sim, next, messages); err != nil {
			return err
		}
		if err := sweep(ctx); err != nil {
			return err
		}
		next = sim.Clock.Now().Truncate(every).Add(every)
	}
	return until(ctx, sim, end, messages)
}

// until does all that is due until then, and moves time there.
func until(ctx context.Context, sim *simaws.Sim, end time.Time, messages func(context.Context) error) error {
	for {
		if err := messages(ctx); err != nil {
			return err
		}
		at, ok := sim.Next()
		if !ok || at.After(end) {
			break
		}
		sim.Clock.Advance(at.Sub(sim.Clock.Now()))
	}
	if now := sim.Clock.Now(); now.Before(end) {
		sim.Clock.Advance(end.Sub(now))
	}
	return messages(ctx)
}

// pass lets time pass on the stage.
func (st *Stage) pass(ctx context.Context, d time.Duration) error {
	return Pass(ctx, st.Sim, d, st.sweep, func(ctx context.Context) error {
		return st.receive(ctx, func() []simaws.Message { return Visible(st.Sim, batch) })
	})
}

// sweep is what the schedule sends. What the function answers is in the story's answers only where it
// is no success: the schedule sweeps whatever came of the last time.
func (st *Stage) sweep(ctx context.Context) error {
	at, after := st.Sim.Clock.Now(), len(st.Sim.Calls())
	answer, err := st.invoke(ctx, `{"sweep":{}}`)
	if err != nil {
		answer = Asked{Message: err.Error()}
	}
	answer.At, answer.After, answer.Command = at, after, "the schedule sweeps"
	if st.Swept = append(st.Swept, answer); !answer.Done {
		st.Asked = append(st.Asked, answer)
	}
	return ctx.Err()
}
