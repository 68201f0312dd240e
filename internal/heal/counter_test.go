package heal

import (
	"fmt"
	"testing"
	"time"
)

// TestCounterIsBounded ensures that a counter takes up no more the more it counts, that it knows
// as many of those counted last as it promises, and that one whom it has forgotten is counted
// again.
func TestCounterIsBounded(t *testing.T) {
	c := Counter{}.At(time.Time{}.Add(1), time.Time{}.Add(time.Hour))
	for i := range 10_000 {
		c = c.Add(fmt.Sprint(i))
		if size := len(c.Recent) + len(c.Before); size > 2*Remembered {
			t.Fatalf("after %d it knows %d", i, size)
		}
		for back := range min(i, Remembered) {
			if !c.Knows(fmt.Sprint(i - back)) {
				t.Fatalf("after %d it does not know %d", i, i-back)
			}
		}
	}
	if c.N != 10_000 || c.Room("new", c.N) || !c.Room("9999", c.N) || c.Room("1", c.N) {
		t.Errorf("%d are counted", c.N)
	}
}

// TestCountersDoNotShare ensures that to count with one counter leaves another that began as the
// same alone.
func TestCountersDoNotShare(t *testing.T) {
	c := Counter{}.Add("a")
	_, d := c.Add("b"), c.Add("c")
	if !d.Knows("c") || d.Knows("b") || c.Knows("c") {
		t.Errorf("%+v, %+v", c, d)
	}
}
