package story

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/ledger"
	"github.com/buildmedic/buildmedic/internal/ledger/ledgertest"
)

// TestMetered ensures that a metered ledger is one, and that it charges what DynamoDB does.
func TestMetered(t *testing.T) {
	ledgertest.Conform(t, func(t *testing.T, c *ledgertest.Clock) heal.Store { return NewMetered(ledger.NewMemory(c)) })

	ctx, c := context.Background(), ledgertest.NewClock()
	m := NewMetered(ledger.NewMemory(c))
	small := []byte("x")
	version := int64(0)
	for _, row := range []struct {
		what    string
		data    []byte
		due     time.Time
		version int64
		units   int
	}{
		{"a small item", small, time.Time{}, 0, 1},
		{"one that gets a place in the index", small, c.Now(), 1, 2},
		{"that stays there", small, c.Now(), 2, 1},
		{"that moves", small, c.Now().Add(time.Second), 3, 3},
		{"a refused write", small, c.Now(), 1, 1},
		{"one that leaves the index", small, time.Time{}, 4, 2},
		{"one of more than 3 KB", noise(3100), time.Time{}, 5, 4},
		{"a small one in its place", small, time.Time{}, 6, 4},
	} {
		before := m.Meter().WriteUnits
		it, err := m.Put(ctx, heal.Item{Kind: "case", ID: "c", Version: row.version, Data: row.data, Due: row.due})
		if refused := errors.Is(err, heal.ErrConflict); err != nil && !refused || refused != (row.version < version) {
			t.Fatalf("%s: %v", row.what, err)
		}
		version = max(version, it.Version)
		if got := m.Meter().WriteUnits - before; got != row.units {
			t.Errorf("%s costs %d, not %d", row.what, got, row.units)
		}
	}
	if got := m.Meter(); got.Of != "case#c" || got.Largest < 3100 || got.Largest > 3300 {
		t.Errorf("the largest item is %s with %d bytes", got.Of, got.Largest)
	}
	// A counter stays as small as it is, whatever it counts.
	m = NewMetered(ledger.NewMemory(c))
	for i := range 200 {
		if _, err := m.Count(ctx, "n", strings.Repeat("x", 100)+string(rune('a'+i)), 1000, c.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	if got := m.Meter(); got.WriteUnits != 200 || got.Of != "count#n" || got.Largest < 600 || got.Largest > 1024 {
		t.Errorf("counting 200 costs %d; the largest item is %s with %d bytes", got.WriteUnits, got.Of, got.Largest)
	}
}

// noise is data that no packing makes smaller.
func noise(size int) []byte {
	data := make([]byte, size)
	rand.NewChaCha8([32]byte{1}).Read(data) // never fails
	return data
}

// TestMeteredTime ensures that each request takes its time.
func TestMeteredTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, c := context.Background(), ledgertest.NewClock()
		m := NewMetered(ledger.NewMemory(c))
		m.Latency, m.Keep = 5*time.Millisecond, true
		began := time.Now()
		_, _ = m.Get(ctx, "case", "c")
		if _, err := m.Put(ctx, heal.Item{Kind: "case", ID: "c", Due: c.Now()}); err != nil {
			t.Fatal(err)
		}
		_, _ = m.Room(ctx, "n", "a", 1)
		_, _ = m.Count(ctx, "n", "a", 1, c.Now().Add(time.Hour))
		_, _ = m.Between(ctx, "case", time.Time{}, c.Now().Add(time.Hour), true, 1000)
		inTurn, said := 0, []string{}
		for _, call := range m.Calls() {
			said = append(said, call.Operation+" "+call.Kind)
			inTurn += call.InTurn
			if call.Ended.Sub(call.Began) != time.Duration(call.InTurn)*m.Latency {
				t.Errorf("%s took %s", call.Operation, call.Ended.Sub(call.Began))
			}
		}
		if got := strings.Join(said, ", "); got != "Get case, Put case, Room count, Count count, Between case" {
			t.Errorf("called %s", got)
		}
		if took := time.Since(began); took != time.Duration(inTurn)*m.Latency || inTurn != 6 || m.Meter().Requests <= inTurn {
			t.Errorf("%d requests, %d of them one after the other, took %s", m.Meter().Requests, inTurn, took)
		}
	})
}
