package soak

import (
	"fmt"
	"testing"

	"github.com/buildmedic/buildmedic/internal/heal"
	memory "github.com/buildmedic/buildmedic/internal/ledger"
	"github.com/buildmedic/buildmedic/internal/story"
)

func TestUnits2Tmp(t *testing.T) {
	for _, s := range demo(t)[:6] {
		var m *story.Metered
		st, err := story.Open(s, story.Options{
			Store: func(c heal.Clock) heal.Store { m = story.NewMetered(memory.NewMemory(c)); m.Keep = true; return m },
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := st.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		x := m.Meter()
		fmt.Println(s.Name, x.WriteUnits, x.Largest, x.Of)
		if s.Name == "tracker-api" {
			for _, c := range m.Calls() {
				if c.WriteUnits > 0 {
					fmt.Println("  ", c.Operation, c.Kind, c.WriteUnits)
				}
			}
		}
		st.Close()
	}
}
