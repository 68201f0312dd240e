// Package ledgertest is the conformance suite of [heal.Store]: the ledgers in
// memory, in a file and in DynamoDB all pass it.
package ledgertest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/buildmedic/buildmedic/internal/heal"
)

// Clock is a clock that goes only when it is told to.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock starts at the real time: an independent DynamoDB has its own.
func NewClock() *Clock { return &Clock{now: time.Now().UTC().Truncate(time.Second)} }

// Now implements [heal.Clock].
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance lets time pass.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Conform holds a store to what every ledger must do. open gives an empty one
// that goes by the clock.
func Conform(t *testing.T, open func(*testing.T, *Clock) heal.Store) {
	t.Helper()
	ctx := context.Background()
	start := func(t *testing.T) (heal.Store, *Clock) { c := NewClock(); return open(t, c), c }

	t.Run("a missing item is not found", func(t *testing.T) {
		s, _ := start(t)
		if _, err := s.Get(ctx, "case", "none"); !errors.Is(err, heal.ErrNotFound) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("what is put is got", func(t *testing.T) {
		s, c := start(t)
		for name, data := range map[string][]byte{
			"empty":  nil,
			"small":  []byte("x"),
			"binary": {0, 1, 255},
			"large":  bytes.Repeat([]byte("policy "), 40_000),
			"packed": noise(heal.MaxData), // the largest that the healer puts, if it cannot be packed
		} {
			want := heal.Item{Kind: "case", ID: "id/with #signs " + name, Data: data,
				Due: c.Now().Add(123456789 * time.Nanosecond), Expires: c.Now().Add(time.Hour)}
			put, err := s.Put(ctx, want)
			if err != nil {
				t.Fatal(err)
			}
			want.Version = 1
			got, err := s.Get(ctx, "case", want.ID)
			if err != nil {
				t.Fatal(err)
			}
			for _, it := range []heal.Item{put, got} {
				if !bytes.Equal(it.Data, data) {
					t.Errorf("%s: %d bytes are not the %d that were put", name, len(it.Data), len(data))
				}
				it.Data, want.Data = nil, nil // for byte by byte is slow
				if d := cmp.Diff(want, it); d != "" {
					t.Errorf("%s: %s", name, d)
				}
			}
		}
	})
	t.Run("kinds do not mix", func(t *testing.T) {
		s, _ := start(t)
		mustPut(t, s, heal.Item{Kind: "build", ID: "x", Data: []byte("b")})
		if _, err := s.Get(ctx, "case", "x"); !errors.Is(err, heal.ErrNotFound) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a put on a stale version conflicts", func(t *testing.T) {
		s, _ := start(t)
		v1 := mustPut(t, s, heal.Item{Kind: "case", ID: "x", Data: []byte("1")})
		if _, err := s.Put(ctx, heal.Item{Kind: "case", ID: "x", Data: []byte("other")}); !errors.Is(err, heal.ErrConflict) {
			t.Errorf("second creation: %v", err)
		}
		v1.Data = []byte("2")
		mustPut(t, s, v1)
		v1.Data = []byte("late")
		if _, err := s.Put(ctx, v1); !errors.Is(err, heal.ErrConflict) {
			t.Errorf("stale put: %v", err)
		}
		if it, _ := s.Get(ctx, "case", "x"); string(it.Data) != "2" || it.Version != 2 {
			t.Errorf("got %+v", it)
		}
	})
	t.Run("a put on what was never there conflicts", func(t *testing.T) {
		s, _ := start(t)
		if _, err := s.Put(ctx, heal.Item{Kind: "case", ID: "x", Version: 3}); !errors.Is(err, heal.ErrConflict) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("of many writers one wins", func(t *testing.T) {
		s, _ := start(t)
		var wg sync.WaitGroup
		var mu sync.Mutex
		won := 0
		for i := range 16 {
			wg.Go(func() {
				_, err := s.Put(ctx, heal.Item{Kind: "role", ID: "r", Data: []byte{byte(i)}})
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					won++
				} else if !errors.Is(err, heal.ErrConflict) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if won != 1 {
			t.Errorf("%d won", won)
		}
	})
	t.Run("an expired item is gone and may be made again", func(t *testing.T) {
		s, c := start(t)
		mustPut(t, s, heal.Item{Kind: "plan", ID: "p", Data: []byte("old"), Due: c.Now(), Expires: c.Now().Add(time.Minute)})
		c.Advance(2 * time.Minute)
		if _, err := s.Get(ctx, "plan", "p"); !errors.Is(err, heal.ErrNotFound) {
			t.Errorf("got %v", err)
		}
		if its, err := s.Between(ctx, "plan", time.Time{}, c.Now().Add(time.Hour), false, 10); err != nil || len(its) != 0 {
			t.Errorf("listed %v, %v", its, err)
		}
		mustPut(t, s, heal.Item{Kind: "plan", ID: "p", Data: []byte("new")})
	})
	t.Run("between lists in order", func(t *testing.T) {
		s, c := start(t)
		for i, id := range []string{"c", "a", "d", "b"} {
			mustPut(t, s, heal.Item{Kind: "closed", ID: id, Due: c.Now().Add(time.Duration((i*7)%4) * time.Second)})
		}
		mustPut(t, s, heal.Item{Kind: "closed", ID: "never"})
		mustPut(t, s, heal.Item{Kind: "case", ID: "other", Due: c.Now()})
		for _, row := range []struct {
			from, to time.Duration
			newest   bool
			limit    int
			want     string
		}{
			{-time.Hour, time.Hour, false, 10, "cbda"},
			{-time.Hour, time.Hour, true, 10, "adbc"},
			{-time.Hour, time.Hour, false, 2, "cb"},
			{0, 2 * time.Second, false, 10, "cb"},
			{time.Second, time.Second, false, 10, ""},
		} {
			its, err := s.Between(ctx, "closed", c.Now().Add(row.from), c.Now().Add(row.to), row.newest, row.limit)
			got := ""
			for _, it := range its {
				got += it.ID
			}
			if err != nil || got != row.want {
				t.Errorf("%+v: got %q, %v", row, got, err)
			}
		}
		its, err := s.Between(ctx, "closed", time.Time{}, c.Now().Add(time.Hour), false, 10)
		if err != nil || len(its) != 4 {
			t.Errorf("from the beginning of time: %d items, %v", len(its), err)
		}
	})
	t.Run("an item can leave the list", func(t *testing.T) {
		s, c := start(t)
		it := mustPut(t, s, heal.Item{Kind: "case", ID: "x", Due: c.Now()})
		it.Due = time.Time{}
		mustPut(t, s, it)
		if its, err := s.Between(ctx, "case", time.Time{}, c.Now().Add(time.Hour), false, 10); err != nil || len(its) != 0 {
			t.Errorf("listed %v, %v", its, err)
		}
	})
	t.Run("a counter stops at its maximum", func(t *testing.T) {
		s, c := start(t)
		for i := range 5 {
			ok, err := s.Count(ctx, "writes 2026", fmt.Sprint("case ", i), 3, c.Now().Add(time.Hour))
			if err != nil || ok != (i < 3) {
				t.Errorf("%d: %v, %v", i, ok, err)
			}
		}
		if ok, err := s.Count(ctx, "other", "a", 0, c.Now().Add(time.Hour)); ok || err != nil {
			t.Errorf("a maximum of none: %v, %v", ok, err)
		}
	})
	t.Run("a counter counts nobody twice", func(t *testing.T) {
		s, c := start(t)
		for i, row := range []struct {
			by   string
			want bool
		}{{"a", true}, {"a", true}, {"b", true}, {"c", false}, {"a", true}, {"b", true}, {"c", false}} {
			if ok, err := s.Count(ctx, "n", row.by, 2, c.Now().Add(time.Hour)); ok != row.want || err != nil {
				t.Errorf("%d: %s is counted: %v, %v", i, row.by, ok, err)
			}
		}
	})
	t.Run("a counter knows those counted last", func(t *testing.T) {
		s, c := start(t)
		const max = 2*heal.Remembered + 7
		count := func(by string, want bool) {
			t.Helper()
			if ok, err := s.Count(ctx, "n", by, max, c.Now().Add(time.Hour)); ok != want || err != nil {
				t.Fatalf("%s is counted: %v, %v", by, ok, err)
			}
		}
		for i := range max {
			count(fmt.Sprint(i), true)
			count(fmt.Sprint(i-min(i, heal.Remembered-1)), true) // as many came in between as may come
		}
		count("one more", false)
		count(fmt.Sprint(max-heal.Remembered), true)
	})
	t.Run("a counter never has fewer than were counted", func(t *testing.T) {
		s, c := start(t)
		const max = 5 * heal.Remembered
		by, in := rand.New(rand.NewPCG(1, 2)), map[string]bool{}
		for range 4 * max {
			one := fmt.Sprint(by.IntN(2 * max))
			ok, err := s.Count(ctx, "n", one, max, c.Now().Add(time.Hour))
			if err != nil {
				t.Fatal(err)
			}
			if ok {
				in[one] = true
			}
		}
		if len(in) > max || len(in) < max/2 {
			t.Errorf("%d are counted, of at most %d", len(in), max)
		}
	})
	t.Run("of many who count at the same time as many are counted as there is room", func(t *testing.T) {
		for _, row := range []struct{ each, times, max int }{
			{14, 1, 5 * heal.Remembered / 2},
			{2, 2, heal.Remembered / 3}, // sent twice, it counts once: there are too few for one to be forgotten
		} {
			s, c := start(t)
			counted := make([]int, 12)
			var wg sync.WaitGroup
			for i := range counted {
				wg.Go(func() {
					for n := range row.each * row.times {
						ok, err := s.Count(ctx, "n", fmt.Sprint(i, " ", n/row.times), row.max, c.Now().Add(time.Hour))
						if err != nil {
							t.Error(err)
						} else if ok {
							counted[i]++
						}
					}
				})
			}
			wg.Wait()
			all := 0
			for _, n := range counted {
				all += n
			}
			if all != row.times*row.max {
				t.Errorf("%d counts of %d are answered with yes, where %d may be", all, row.each*row.times*len(counted), row.times*row.max)
			}
		}
	})
	t.Run("turns keep their distance", func(t *testing.T) {
		s, c := start(t)
		const most = 3
		turn := func(by string, from time.Duration, ok bool, want time.Duration, late error) {
			t.Helper()
			now := c.Now()
			at, is, err := s.Turn(ctx, "n", by, most, now.Add(time.Hour),
				heal.Pace{From: now.Add(from), Latest: now.Add(3 * time.Second), Every: time.Second})
			if is != ok || !errors.Is(err, late) || ok && !at.Equal(now.Add(want)) {
				t.Errorf("%q has a turn: %v at %v, %v; want one: %v at %v", by, is, at.Sub(now), err, ok, want)
			}
		}
		turn("a", 0, true, 0, nil)
		turn("a", 0, true, time.Second, nil) // it is counted, and gets another turn
		turn("", 0, true, 2*time.Second, nil)
		turn("b", 500*time.Millisecond, true, 3*time.Second, nil)
		turn("c", 0, false, 0, heal.ErrLater)
		turn("", 0, false, 0, heal.ErrLater)
		c.Advance(10 * time.Second)
		turn("c", 123456789, true, 123456789, nil)
		turn("d", 0, false, 0, nil) // three are counted
		turn("", 0, true, 123456789+time.Second, nil)
		for by, want := range map[string]bool{"b": true, "d": false} {
			if ok, err := s.Count(ctx, "n", by, most, c.Now().Add(time.Hour)); ok != want || err != nil {
				t.Errorf("%s is counted: %v, %v", by, ok, err)
			}
		}
		if ok, err := s.Count(ctx, "n", "d", most+1, c.Now().Add(time.Hour)); !ok || err != nil {
			t.Fatal(ok, err)
		}
		turn("f", 0, false, 0, nil) // more than its own maximum are counted
		turn("", 0, true, 123456789+2*time.Second, nil)
		c.Advance(2 * time.Hour)
		turn("e", 0, true, 0, nil)
	})
	t.Run("turns that are taken at the same time keep their distance", func(t *testing.T) {
		s, c := start(t)
		const most = 40
		now := c.Now()
		var mu sync.Mutex
		var turns []time.Time
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				for n := range 6 {
					at, ok, err := s.Turn(ctx, "n", fmt.Sprint(i, " ", n), most, now.Add(time.Hour),
						heal.Pace{From: now.Add(time.Duration(i) * time.Second), Latest: now.Add(time.Hour), Every: 250 * time.Millisecond})
					if err != nil {
						t.Error(err)
					}
					mu.Lock()
					if ok {
						turns = append(turns, at)
					}
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		slices.SortFunc(turns, time.Time.Compare)
		for i := range turns[1:] {
			if d := turns[i+1].Sub(turns[i]); d < 250*time.Millisecond {
				t.Errorf("turn %d is %v after the one before", i+1, d)
			}
		}
		if len(turns) != most {
			t.Errorf("%d have a turn, want %d", len(turns), most)
		}
	})
	t.Run("room is what a count would find, and takes none", func(t *testing.T) {
		s, c := start(t)
		room := func(by string, max int, want bool) {
			t.Helper()
			for range 2 { // asking changes nothing
				if ok, err := s.Room(ctx, "n", by, max); ok != want || err != nil {
					t.Errorf("room for %s of %d: %v, %v", by, max, ok, err)
				}
			}
		}
		room("a", 0, false)
		room("a", 1, true)
		for _, by := range []string{"a", "b"} {
			if ok, err := s.Count(ctx, "n", by, 2, c.Now().Add(time.Minute)); !ok || err != nil {
				t.Fatal(ok, err)
			}
		}
		room("a", 2, true)
		room("c", 2, false)
		room("c", 3, true)
		c.Advance(2 * time.Minute)
		room("c", 1, true)
	})
	t.Run("what is given back is somebody else's to take", func(t *testing.T) {
		s, c := start(t)
		count := func(by string, want bool) {
			t.Helper()
			if ok, err := s.Count(ctx, "n", by, 2, c.Now().Add(time.Hour)); ok != want || err != nil {
				t.Errorf("%s is counted: %v, %v; want %v", by, ok, err, want)
			}
		}
		back := func(by string) {
			t.Helper()
			for range 2 { // a second time it gives nothing
				if err := s.GiveBack(ctx, "n", by); err != nil {
					t.Errorf("%s gives back: %v", by, err)
				}
			}
		}
		back("nobody") // there is no counter yet
		count("a", true)
		count("b", true)
		count("c", false)
		back("c") // it never had a place
		count("c", false)
		back("a")
		count("c", true)
		count("a", false)
		back("b")
		back("c")
		count("a", true)
		count("a", true)
		count("b", true)
		count("c", false)
		c.Advance(2 * time.Hour)
		back("a") // of a counter whose time is over
		for i, by := range []string{"d", "e", "f"} {
			count(by, i < 2)
		}
	})
	t.Run("who is no longer remembered stays counted", func(t *testing.T) {
		s, c := start(t)
		const max = 3 * heal.Remembered
		for i := range max {
			if ok, err := s.Count(ctx, "n", fmt.Sprint(i), max, c.Now().Add(time.Hour)); !ok || err != nil {
				t.Fatal(ok, err)
			}
		}
		if err := s.GiveBack(ctx, "n", "0"); err != nil {
			t.Fatal(err)
		}
		if ok, err := s.Count(ctx, "n", "one more", max, c.Now().Add(time.Hour)); ok || err != nil {
			t.Errorf("more are counted than there is room for: %v, %v", ok, err)
		}
	})
	t.Run("of many who count and give back at the same time never too many are counted", func(t *testing.T) {
		s, c := start(t)
		const most = 4
		var in, over atomic.Int32
		var wg sync.WaitGroup
		for i := range 10 {
			wg.Go(func() {
				for n := range 8 {
					by := fmt.Sprint(i, " ", n%2)
					ok, err := s.Count(ctx, "n", by, most, c.Now().Add(time.Hour))
					if err != nil {
						t.Error(err)
					}
					if !ok {
						continue
					}
					if in.Add(1) > most {
						over.Add(1)
					}
					in.Add(-1) // before somebody else may have the place
					if err := s.GiveBack(ctx, "n", by); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		if n := over.Load(); n > 0 {
			t.Errorf("%d times more than %d had a place", n, most)
		}
		for i := range most + 1 {
			if ok, err := s.Count(ctx, "n", fmt.Sprint("after ", i), most, c.Now().Add(time.Hour)); ok != (i < most) || err != nil {
				t.Errorf("after all gave back, count %d: %v, %v", i, ok, err)
			}
		}
	})
	t.Run("a counter past its time begins again", func(t *testing.T) {
		s, c := start(t)
		for _, by := range []string{"a", "b"} {
			if ok, err := s.Count(ctx, "n", by, 2, c.Now().Add(time.Minute)); !ok || err != nil {
				t.Fatal(ok, err)
			}
		}
		c.Advance(2 * time.Minute)
		for i, by := range []string{"c", "d", "e"} {
			if ok, err := s.Count(ctx, "n", by, 2, c.Now().Add(time.Hour)); ok != (i < 2) || err != nil {
				t.Errorf("%s is counted: %v, %v", by, ok, err)
			}
		}
	})
}

// noise is data that no packing makes smaller.
func noise(size int) []byte {
	data := make([]byte, size)
	rand.NewChaCha8([32]byte{1}).Read(data) // never fails
	return data
}

func mustPut(t *testing.T, s heal.Store, it heal.Item) heal.Item {
	t.Helper()
	it, err := s.Put(context.Background(), it)
	if err != nil {
		t.Fatal(err)
	}
	return it
}
