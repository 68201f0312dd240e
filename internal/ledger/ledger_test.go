package ledger

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/ledger/ledgertest"
)

func TestMemory(t *testing.T) {
	ledgertest.Conform(t, func(t *testing.T, c *ledgertest.Clock) heal.Store { return NewMemory(c) })
}

func TestFile(t *testing.T) {
	ledgertest.Conform(t, func(t *testing.T, c *ledgertest.Clock) heal.Store {
		f, err := OpenFile(filepath.Join(t.TempDir(), "ledger.json"), c)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := f.Close(); err != nil {
				t.Error(err)
			}
		})
		return f
	})
}

// TestFileLasts ensures that a second command finds what the first one wrote,
// and that two at the same time are refused.
func TestFileLasts(t *testing.T) {
	ctx, c, path := context.Background(), ledgertest.NewClock(), filepath.Join(t.TempDir(), "sub", "ledger.json")
	f, err := OpenFile(path, c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Put(ctx, heal.Item{Kind: "case", ID: "c1", Data: []byte("x"), Due: c.Now()}); err != nil {
		t.Fatal(err)
	}
	if ok, err := f.Count(ctx, "n", "a", 1, c.Now().Add(time.Hour)); !ok || err != nil {
		t.Fatal(ok, err)
	}
	if _, err := OpenFile(path, c); err == nil || !strings.Contains(err.Error(), "another command uses it") {
		t.Fatalf("second open: %v", err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if f, err = OpenFile(path, c); err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	it, err := f.Get(ctx, "case", "c1")
	if err != nil || string(it.Data) != "x" || it.Version != 1 {
		t.Errorf("got %+v, %v", it, err)
	}
	if ok, _ := f.Count(ctx, "n", "b", 1, c.Now().Add(time.Hour)); ok {
		t.Error("the counter was forgotten")
	}
}

// TestFormerFile ensures that what an earlier version counted stays counted.
func TestFormerFile(t *testing.T) {
	ctx, c, path := context.Background(), ledgertest.NewClock(), filepath.Join(t.TempDir(), "ledger.json")
	end := c.Now().Add(time.Hour)
	data := `{"items":null,"counters":{"n":{"By":{"a":true,"b":true},"Expires":"` + end.Format(time.RFC3339) + `"}}}`
	if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
		t.Fatal(err)
	}
	for i, row := range []struct {
		by   string
		want bool
	}{{"a", true}, {"c", true}, {"d", false}, {"b", true}} { // each by another command
		f, err := OpenFile(path, c)
		if err != nil {
			t.Fatal(err)
		}
		if ok, err := f.Count(ctx, "n", row.by, 3, end); ok != row.want || err != nil {
			t.Errorf("%d: %s is counted: %v, %v", i, row.by, ok, err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
