package heal

import (
	"context"
	"errors"
	"testing"

	"github.com/buildmedic/buildmedic/internal/codebuild"
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
