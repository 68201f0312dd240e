package heal_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/ledger"
)

// TestManyProjects: what is remembered of very many projects is read a page at a time, each once,
// also if many were written at one moment.
func TestManyProjects(t *testing.T) {
	clock := &still{time.Date(2026, 1, 5, 10, 0, 0, 0, time.UTC)}
	store := &pages{Store: ledger.NewMemory(clock)}
	const n = 230
	for i := range n {
		data, err := json.Marshal(map[string]any{"next": 2, "builds": []map[string]any{{"n": 1, "id": fmt.Sprint(i), "cause": "c",
			"end": clock.t.Add(-time.Hour)}}})
		if err != nil {
			t.Fatal(err)
		}
		due := clock.t.Add(-time.Duration(i/37) * time.Minute)
		if _, err := store.Put(context.Background(), heal.Item{Kind: "past", ID: fmt.Sprintf("111122223333 eu-west-1 p%d", i),
			Data: data, Due: due}); err != nil {
			t.Fatal(err)
		}
	}
	h := &heal.Healer{Store: store, Clock: clock}
	costs, err := h.Costs(context.Background(), "", time.Time{}, clock.t)
	if err != nil || costs.Total.Builds != n {
		t.Errorf("%d builds, %v; want %d", costs.Total.Builds, err, n)
	}
	if store.most > 50 {
		t.Errorf("%d memories were read at once", store.most)
	}
}

// pages notes how many items were listed at once.
type pages struct {
	heal.Store
	most int
}

func (p *pages) Between(ctx context.Context, kind string, from, to time.Time, newest bool, limit int) ([]heal.Item, error) {
	its, err := p.Store.Between(ctx, kind, from, to, newest, limit)
	p.most = max(p.most, len(its))
	return its, err
}

type still struct{ t time.Time }

func (s *still) Now() time.Time { return s.t }
