package soak

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"testing"
)

func TestUnitsTmp(t *testing.T) {
	n, _ := strconv.Atoi(cmp.Or(os.Getenv("UNITS_N"), "100"))
	s := &storm{n: n, keep: true}
	s.play(t)
	type sum struct{ n, units, refused, most int }
	by := map[string]*sum{}
	all := 0
	for _, c := range s.ledger.Calls() {
		k := c.Operation + " " + c.Kind
		if by[k] == nil {
			by[k] = &sum{}
		}
		x := by[k]
		x.n++
		x.units += c.WriteUnits
		x.most = max(x.most, c.WriteUnits)
		all += c.WriteUnits
		if c.Err != nil {
			x.refused++
		}
	}
	for _, k := range slices.SortedFunc(maps.Keys(by), func(a, b string) int { return by[b].units - by[a].units }) {
		x := by[k]
		fmt.Printf("%-16s %6.2f a heal, %6.2f units a heal, %5.2f each, most %d, errors %d\n", k, float64(x.n)/float64(n), float64(x.units)/float64(n), float64(x.units)/float64(x.n), x.most, x.refused)
	}
	fmt.Printf("all %.1f\n", float64(all)/float64(n))
	t.Log(s)
}
