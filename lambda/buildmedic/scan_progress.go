package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// progress tells how far a scan is, in a line that changes: on a terminal, and nowhere else.
type progress struct {
	w        io.Writer
	live     bool // w is a terminal
	width    int  // of a line on it
	patience *patience
}

func newProgress(w io.Writer, p *patience) *progress {
	width := 78
	if n := screen(w); n > 0 {
		width = min(width, n-2)
	}
	return &progress{w, isTerminal(w) && os.Getenv("TERM") != "dumb", width, p}
}

// show shows how far the reading is until end is called.
func (p *progress) show(r *reading) (end func()) {
	if !p.live {
		return func() {}
	}
	began, done := time.Now(), make(chan struct{})
	first := r.far()
	var wg sync.WaitGroup
	wg.Go(func() {
		t := time.NewTicker(time.Second)
		defer t.Stop()
		for {
			select {
			case <-done:
				fmt.Fprintf(p.w, "\r%s\r", strings.Repeat(" ", p.width))
				return
			case <-t.C:
				line := r.far().line(first, time.Since(began))
				if p.patience.throttledWithin(5 * time.Second) {
					line += ", AWS throttles"
				}
				fmt.Fprintf(p.w, "\r%-*.*s", p.width, p.width, line)
			}
		}
	})
	return func() { close(done); wg.Wait() }
}

// far is how far a scan is.
type far struct {
	projects, listed int
	builds, read     int // of the projects that are listed
}

func (r *reading) far() far {
	r.mu.Lock()
	defer r.mu.Unlock()
	return far{len(r.projects), len(r.picks), len(r.sent), len(r.reads)}
}

// line is f in words. What is left is estimated from what was done since first, in the time that
// passed; projects that are not listed yet are taken to have as many failed builds as the others.
func (f far) line(first far, passed time.Duration) string {
	if f.projects == 0 {
		return "listing the projects"
	}
	line := fmt.Sprintf("%d of %s listed, %d of %s read", f.listed, count(f.projects, "project"), f.read,
		count(f.builds, "failed build"))
	if f.listed == 0 {
		return line // nothing is known of the rest
	}
	builds := float64(f.builds) * float64(f.projects) / float64(f.listed)
	left, known := rest(float64(f.projects), f.listed, first.listed, passed)
	if more, ok := rest(builds, f.read, first.read, passed); ok {
		left, known = max(left, more), true
	}
	if known && left > 0 {
		line += fmt.Sprintf(", about %s left", max(left, time.Second).Round(time.Second))
	}
	return line
}

// rest is how long the rest takes at the pace so far; not ok if nothing is known of the pace.
func rest(all float64, done, first int, passed time.Duration) (left time.Duration, ok bool) {
	if done <= first || passed <= 0 {
		return 0, false
	}
	const most = 1000 * time.Hour
	return time.Duration(min((all-float64(done))/float64(done-first)*float64(passed), float64(most))), true
}
