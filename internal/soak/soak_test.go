package soak

import (
	"flag"
	"os"
	"runtime/debug"
	"testing"
)

var (
	seed = flag.Int64("seed", 1, "seed of the first chaos run; the others follow it")
	long = flag.Bool("long", false, "many more runs, and the largest scale")
)

// TestMain trades memory for time: thousands of small accounts are made and
// thrown away.
func TestMain(m *testing.M) {
	debug.SetGCPercent(800)
	flag.Parse()
	os.Exit(m.Run())
}
