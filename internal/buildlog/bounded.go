package buildlog

// placed is a claim and where in the log it begins.
type placed struct {
	Denial
	off     int64
	warning bool
	stack   bool   // see [claim]
	around  []Line // the lines around it, of a section's first claims
}

// bounded keeps the first and the last of any number of claims. Within one
// section of the log, repetitions do not count.
type bounded struct {
	first, last []placed
	section     int // of the log; set by the tracker
	seen        map[Denial]sighting
	shown       int // claims of section whose lines around were kept
	shownIn     int // that section
	dropped     int
}

// sighting is what is remembered of a claim. One that comes with an authorization ID is kept beside
// one that does not.
type sighting struct {
	section    int
	identified bool
}

// How many claims are kept.
const (
	maxFirst = 64
	maxLast  = 256
	maxSeen  = 4096
	maxShown = 4
)

// add records a claim; around returns the lines around it, and is called only if they will be kept.
func (b *bounded) add(p placed, around func() []Line) {
	k := p.key()
	identified := p.Authorization.ID != ""
	if s, ok := b.seen[k]; ok && s.section == b.section && (s.identified || !identified) {
		return
	}
	if b.seen == nil || len(b.seen) >= maxSeen {
		b.seen = map[Denial]sighting{}
	}
	b.seen[k] = sighting{b.section, identified}
	if b.shownIn != b.section {
		b.shown, b.shownIn = 0, b.section
	}
	if b.shown++; b.shown <= maxShown {
		p.around = around()
	}
	if len(b.first) < maxFirst {
		b.first = append(b.first, p)
		return
	}
	if len(b.last) == 2*maxLast {
		b.dropped += maxLast
		b.last = append(b.last[:0], b.last[maxLast:]...)
	}
	b.last = append(b.last, p)
}

// within returns the claims that begin in [from, to).
func (b *bounded) within(from, to int64) []placed {
	var list []placed
	for _, l := range [][]placed{b.first, b.last} {
		for _, p := range l {
			if p.off >= from && p.off < to {
				list = append(list, p)
			}
		}
	}
	return list
}
