package soak

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/story"
)

// TestCrashEverywhere lets the function die at every AWS call and at every
// write to the ledger of every story, before the effect and after it, and
// compares what came of it with the run in which it did not die: same
// policies, same number of builds, same outcomes, same notices by id.
//
// It plays the demo's stories, and the routes in which AWS records a denied request late, in which
// notices go to several owners, and in which another role than the build's is written, whose end
// does not depend on how long it takes. In some of the routes the world goes on while the function
// is dead: CodeBuild's own retry runs before the role is repaired,
// IAM settles meanwhile, so that more or fewer builds are right there.
//
// One difference is allowed, since SNS cannot be asked to publish once: a
// notice is sent a second time, under the same id, if the function dies
// between sns.Publish taking effect and the ledger knowing of it. Nowhere
// else, and to one of those whom it tells alone.
func TestCrashEverywhere(t *testing.T) {
	var total tally
	t.Run("stories", func(t *testing.T) {
		full := route(t, "storm-build-goes-on")
		full.Name += crowded // so that its first case is put off
		for _, s := range append(demo(t), route(t, "forty-projects"), route(t, "authorization-proves"),
			route(t, "execution-role-healed"), route(t, "storm-build-goes-on"), full) {
			t.Run(s.Name, func(t *testing.T) {
				t.Parallel()
				crashStory(t, s, &total)
			})
		}
	})
	t.Logf("%d deaths with the message delivered again: at %d places at AWS calls and %d at writes to the ledger; "+
		"%d more, after whatever changed something, with the message lost",
		total.calls+total.writes, total.calls, total.writes, total.lost)
	t.Logf("notices sent twice under one id: %d, at %v", total.twice, slices.Sorted(maps.Keys(total.where)))
}

// TestCrashWhileTelling does the same with routes in which developers are told at their code host:
// whatever the function dies of, they see in the end what they would have seen, and one comment.
func TestCrashWhileTelling(t *testing.T) {
	var total tally
	tried := 0
	for _, s := range stories(t) {
		if s.Name != "developers-told" && s.Name != "pull-request-told" {
			continue
		}
		tried++
		crashStory(t, s, &total)
	}
	if tried != 2 {
		t.Errorf("%d routes", tried)
	}
	t.Logf("%d deaths at %d places at calls and %d at writes to the ledger; %d more with the message lost",
		total.calls+total.writes, total.calls, total.writes, total.lost)
}

// TestCrashWhileAsking does the same with routes in which a role's policy is code that people change
// meanwhile: there is one branch and one pull request, whatever the function dies of. One death may
// cost one notice more: what is to be done about a request is rather told twice than never.
func TestCrashWhileAsking(t *testing.T) {
	var total tally
	t.Run("routes", func(t *testing.T) {
		for _, name := range []string{"pull-request-edited", "behind-in-codecommit", "merged-in-codecommit"} {
			s := route(t, name)
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				crashStory(t, s, &total)
			})
		}
	})
	t.Logf("%d deaths at %d places at calls and %d at writes to the ledger; %d more with the message lost",
		total.calls+total.writes, total.calls, total.writes, total.lost)
}

// TestCrashWhileRunningAgain does the same with routes in which a job of GitHub's is run again, or waits in
// vain for a runner: whatever the function dies of, the run has one attempt more and no other, and what waits
// is told once.
func TestCrashWhileRunningAgain(t *testing.T) {
	var total tally
	t.Run("routes", func(t *testing.T) {
		for _, name := range []string{"runner-job-run-again", "runner-orphan"} {
			s := route(t, name)
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				crashStory(t, s, &total)
			})
		}
	})
	t.Logf("%d deaths at %d places at calls and %d at writes to the ledger; %d more with the message lost",
		total.calls+total.writes, total.calls, total.writes, total.lost)
}

// TestCrashWhateverTheInitiator lets the function die around each call that
// starts a build, where CodeBuild names the function in another form than the
// ROLE/SESSION that is assumed (AWS.md#initiator): no build is started twice.
func TestCrashWhateverTheInitiator(t *testing.T) {
	for f, form := range []string{"SESSION", "ARN", "somebody"} {
		var total tally
		t.Run(form, func(t *testing.T) {
			for i, s := range demo(t) {
				if !*long && i%3 != f {
					continue // each story in one form, each form in a third of them
				}
				s.World = append([]byte("initiator: "+form+"\n"), s.World...)
				t.Run(s.Name, func(t *testing.T) {
					t.Parallel()
					crashStarts(t, s, &total)
				})
			}
		})
		if total.calls+total.writes+total.lost == 0 {
			t.Errorf("%s: no story starts a build", form)
		}
		t.Logf("%s: %d deaths with the message delivered again, %d with the message lost; every end is the undisturbed one",
			form, total.calls+total.writes, total.lost)
	}
}

func crashStarts(t *testing.T, s story.Story, total *tally) {
	want, l := undisturbed(t, s)
	for _, st := range l.starts {
		points := []point{{n: st.call}, {n: st.call, after: true}}
		for n := max(st.writes, 1); n <= min(st.writes+2, l.writes); n++ {
			points = append(points, point{ledger: true, n: n}, point{ledger: true, n: n, after: true})
		}
		for _, at := range points {
			crash(t, s, at, false, want, total)
			crash(t, s, at, true, want, total)
		}
	}
}

type tally struct {
	mu                         sync.Mutex
	calls, writes, lost, twice int
	where                      map[string]bool
}

func crashStory(t *testing.T, s story.Story, total *tally) {
	want, l := undisturbed(t, s)
	for n := 1; n <= l.calls; n++ {
		crash(t, s, point{n: n}, false, want, total)
		if l.effects[n] || *long { // a death after a call that changed nothing is one before the next
			crash(t, s, point{n: n, after: true}, false, want, total)
			crash(t, s, point{n: n, after: true}, true, want, total)
		}
	}
	for n := 1; n <= l.writes; n++ {
		crash(t, s, point{ledger: true, n: n}, false, want, total)
		crash(t, s, point{ledger: true, n: n, after: true}, false, want, total)
		crash(t, s, point{ledger: true, n: n, after: true}, true, want, total)
	}
}

// undisturbed plays the story without a death, and counts the places for one.
func undisturbed(t *testing.T, s story.Story) (end, *life) {
	t.Helper()
	ctx := context.Background()
	r, err := open(s, point{}, false)
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	if err := r.play(ctx); err != nil {
		t.Fatal(err)
	}
	e, err := r.end(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if len(e.Again) > 0 || e.Dead > 0 {
		t.Fatalf("without any death, notices were sent twice %v, messages given up %d", e.Again, e.Dead)
	}
	return e, r.life
}

func crash(t *testing.T, s story.Story, at point, lost bool, want end, total *tally) {
	ctx := context.Background()
	r, err := open(s, at, lost)
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	name := at.String()
	if lost {
		name += ", message lost"
	}
	if err := r.play(ctx); err != nil {
		t.Errorf("%s (%s): %v", name, r.life.where, err)
		return
	}
	got, err := r.end(ctx)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	if r.life.where == "" {
		t.Errorf("%s: it did not die: the story does not always run alike", name)
	}
	twice := got.Again
	got.Again = want.Again
	if want.Crowd {
		// Who leads, and who comes too late for the common notice, depends on who died; what the
		// notices say in all does not. One death costs at most the two notices of a case of its
		// own.
		if n := len(got.Notices); n < len(want.Notices) || n > len(want.Notices)+2 {
			t.Errorf("%s (%s): %d notices, %d in the undisturbed run: %q", name, r.life.where, n, len(want.Notices), got.Notices)
		}
		got.Notices, got.Crowd = want.Notices, true
	}
	more := append(got.quieted(want), got.repeated(want)...)
	if len(more) > 1 {
		t.Errorf("%s (%s): one death, and each of these told something more: %v", name, r.life.where, more)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (%s) (-undisturbed +crashed):\n%s", name, r.life.where, d)
	}
	if len(twice) > 0 && !unavoidable(r.life) {
		t.Errorf("%s (%s): sent twice: %v", name, r.life.where, twice)
	}
	if len(twice) > 1 {
		t.Errorf("%s (%s): one death, and these were sent twice: %v", name, r.life.where, twice)
	}
	total.add(r.life, lost, len(twice))
}

// quieted takes out of an end what cases told that were quiet in the undisturbed run, since another one
// told it: where that other one has gone on before the death, they tell by themselves. It names them.
func (e *end) quieted(want end) (loud []string) {
	e.Told = maps.Clone(e.Told)
	for id, last := range want.Told {
		if how := want.Cases[id]; how != last && e.Told[id] == how {
			n := slices.IndexFunc(e.Notices, func(n string) bool {
				return strings.HasPrefix(n, id+".") && strings.HasSuffix(n, " "+string(how))
			})
			if n < 0 { // it is told under another id: a difference that is shown
				continue
			}
			loud = append(loud, id)
			e.Told[id] = last
			e.Notices = slices.Delete(slices.Clone(e.Notices), n, n+1)
		}
	}
	return loud
}

// repeated takes out of an end the notice by which a case told the same of its pull request once more:
// the function died after the notice was recorded, and before the request was known to be told of. It
// names the cases.
func (e *end) repeated(want end) (again []string) {
	for id := range want.Cases {
		got, wanted := kindsOf(e.Notices, id), kindsOf(want.Notices, id)
		for i := 1; i < len(got) && len(got) == len(wanted)+1; i++ {
			if got[i] == got[i-1] && got[i] == string(decide.Requested) && slices.Equal(slices.Delete(slices.Clone(got), i, i+1), wanted) {
				again = append(again, id)
				of := func(n string) bool { return strings.HasPrefix(n, id+".") }
				e.Notices = slices.DeleteFunc(slices.Clone(e.Notices), of)
				for _, n := range want.Notices {
					if of(n) {
						e.Notices = append(e.Notices, n)
					}
				}
				slices.Sort(e.Notices)
				break
			}
		}
	}
	return again
}

// kindsOf are the kinds of a case's notices, in their order.
func kindsOf(notices []string, id string) (kinds []string) {
	for _, n := range notices {
		if at, kind, _ := strings.Cut(n, " "); strings.HasPrefix(at, id+".") {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

// unavoidable tells whether the death was between a notice's publication and
// its record: after sns.Publish took effect, or before the write that
// follows it took effect.
func unavoidable(l *life) bool {
	if l.at.ledger {
		return !l.at.after && l.afterPublish
	}
	return l.at.after && l.where == "sns.Publish"
}

func (y *tally) add(l *life, lost bool, twice int) {
	y.mu.Lock()
	defer y.mu.Unlock()
	switch {
	case lost:
		y.lost++
	case l.at.ledger:
		y.writes++
	default:
		y.calls++
	}
	if twice > 0 {
		if y.where == nil {
			y.where = map[string]bool{}
		}
		y.twice += twice
		when, _, _ := strings.Cut(l.at.String(), " ")
		y.where[fmt.Sprintf("%s %s", when, l.where)] = true
	}
}
