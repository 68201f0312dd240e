package heal

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/settings"
)

var errBroken = errors.New("broken")

// mute is a ledger that cannot be read, but written.
type mute struct {
	Store
	puts *int
}

func (mute) Get(context.Context, string, string) (Item, error) { return Item{}, errBroken }

func (m mute) Put(_ context.Context, it Item) (Item, error) {
	*m.puts++
	return it, nil
}

// TestUnreadPauseStands: a pause that cannot be read is not ended, and nothing is
// written over it.
func TestUnreadPauseStands(t *testing.T) {
	puts := 0
	h := &Healer{Store: mute{puts: &puts}}
	if done, err := h.clear(t.Context(), pausedFlag); done || !errors.Is(err, errBroken) || puts != 0 {
		t.Errorf("cleared %v, %d writes: %v", done, puts, err)
	}
	if done, err := h.set(t.Context(), pausedFlag, []byte("why"), failedAt); done || !errors.Is(err, errBroken) || puts != 0 {
		t.Errorf("set %v, %d writes: %v", done, puts, err)
	}
}

// halfMute is a ledger that only cases cannot be read from.
type halfMute struct{ listed }

func (halfMute) Get(_ context.Context, kind, _ string) (Item, error) {
	if kind == kindCase {
		return Item{}, errBroken
	}
	return Item{}, ErrNotFound
}

// TestStatusOfAnUnreadCase: status gives no empty case for one that cannot be read.
func TestStatusOfAnUnreadCase(t *testing.T) {
	h := &Healer{Store: halfMute{}, Clock: stopped(failedAt)}
	if a, err := h.status(t.Context(), "1160bc9cefbf0600"); a.Done || a.Case != nil || !errors.Is(err, errBroken) {
		t.Errorf("%+v: %v", a, err)
	}
}

// TestResumeNamesTheAccount: the command that ends a pause names account and
// region only of a project that is elsewhere.
func TestResumeNamesTheAccount(t *testing.T) {
	h := &Healer{Home: settings.Account{ID: "111122223333", Region: "us-east-1"}}
	for at, want := range map[settings.Account]string{
		h.Home: `{"resume":{"project":"p"}}`,
		{ID: "111122223333", Region: "eu-west-1"}: `{"resume":{"project":"p","account":"111122223333","region":"eu-west-1"}}`,
		{ID: "999988887777", Region: "us-east-1"}: `{"resume":{"project":"p","account":"999988887777","region":"us-east-1"}}`,
	} {
		if got := h.resumeOf(PausedProject{Project: "p", Account: at.ID, Region: at.Region}); got != want {
			t.Errorf("%v: %s, want %s", at, got, want)
		}
	}
}

// asRead gives the build's record as it is now.
type asRead struct {
	Builds
	b   codebuild.Build
	err error
}

func (r asRead) Get(context.Context, settings.Account, string) (codebuild.Build, error) {
	return r.b, r.err
}

// TestSameAsked: which build asked for the same as another of its commit.
func TestSameAsked(t *testing.T) {
	build := func(id, version, parameters string) codebuild.Build {
		b := failedBuild()
		b.ID, b.SourceVersion, b.Parameters = id, version, parameters
		return b
	}
	const main, tag, commit = "refs/heads/main", "refs/tags/v1", "1111111111111111111111111111111111111111"
	b, bare := build("shop:2", main, "a"), build("shop:2", commit, "a")
	for _, row := range []struct {
		name   string
		was, b codebuild.Build
		now    asRead // what is read, where was has no parameters
		want   bool
		fails  bool
	}{
		{"the same", build("shop:1", main, "a"), b, asRead{err: errBroken}, true, false},
		{"other parameters", build("shop:1", main, "b"), b, asRead{err: errBroken}, false, false},
		{"by another name", build("shop:1", tag, "a"), b, asRead{err: errBroken}, false, false},
		{"by its commit alone", build("shop:1", commit, "a"), b, asRead{err: errBroken}, true, false},
		{"by a name, and this one by its commit", build("shop:1", main, "a"), bare, asRead{err: errBroken}, true, false},
		{"both by the commit", build("shop:1", commit, "a"), bare, asRead{err: errBroken}, true, false},
		{"none", codebuild.Build{Parameters: "a"}, b, asRead{err: errBroken}, false, false},
		{"read again, the same", build("shop:1", main, ""), b, asRead{b: build("shop:1", main, "a")}, true, false},
		{"read again, another", build("shop:1", main, ""), b, asRead{b: build("shop:1", main, "b")}, false, false},
		{"gone", build("shop:1", main, ""), b, asRead{err: ErrNotFound}, false, false},
		{"not to be read", build("shop:1", main, ""), b, asRead{err: ErrDenied}, false, false},
		{"not read now", build("shop:1", main, ""), b, asRead{err: errBroken}, false, true},
	} {
		got, err := (&Healer{Builds: row.now}).sameAsked(t.Context(), &held{}, row.was, row.b)
		if got != row.want || (err != nil) != row.fails {
			t.Errorf("%s: %v, %v", row.name, got, err)
		}
	}
}

// TestNoLedgerHoldsNothing: at a desk without a ledger there is nothing to read.
func TestNoLedgerHoldsNothing(t *testing.T) {
	if hs, err := (&Healer{}).heldBack(t.Context(), settings.Account{}, settings.Project{Name: "p"}); len(hs) > 0 || err != nil {
		t.Errorf("%v, %v", hs, err)
	}
}

// oneCase is a ledger that has one case, to which every build belongs.
type oneCase struct {
	Store
	c    decide.Case
	lost bool // the case is not there
}

func (o oneCase) Get(_ context.Context, kind, _ string) (Item, error) {
	switch {
	case kind == kindBuild:
		return Item{Data: []byte("c")}, nil
	case kind != kindCase || o.lost:
		return Item{}, ErrNotFound
	}
	data, err := json.Marshal(o.c)
	return Item{Data: data}, err
}

// TestKnown: which of the ends that the sweep finds have been dealt with.
func TestKnown(t *testing.T) {
	failed := failedBuild()
	other := failed
	other.ID = "shop:9"
	green := other
	green.Status = codebuild.Succeeded
	has := func(change func(*decide.Case)) oneCase {
		c := decide.Case{ID: "c", Rounds: []decide.Round{{Build: failed}}}
		if change != nil {
			change(&c)
		}
		return oneCase{c: c}
	}
	waits := func(c *decide.Case) { c.Rounds[0].Retry = other.ID }
	for _, row := range []struct {
		name string
		in   oneCase
		b    codebuild.Build
		want bool
	}{
		{"of a round", has(nil), failed, true},
		{"waits for its turn", has(func(c *decide.Case) { c.Others = []string{other.ID} }), other, true},
		{"assigned, and no more", has(nil), other, false},
		{"green", has(nil), green, true},
		{"the case was never saved", oneCase{lost: true}, failed, false},
		{"the case has no round", has(func(c *decide.Case) { c.Rounds = nil }), green, false},
		{"the case waits for it", has(waits), green, false},
		{"the case has seen it end", has(func(c *decide.Case) { waits(c); c.Rounds[0].Ended = failedAt }), green, true},
		{"the case is closed", has(func(c *decide.Case) { waits(c); c.Closed = failedAt }), green, true},
	} {
		if got, err := (&Healer{Store: row.in}).known(t.Context(), row.b); got != row.want || err != nil {
			t.Errorf("%s: %v, %v", row.name, got, err)
		}
	}
}
