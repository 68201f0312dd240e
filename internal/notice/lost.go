package notice

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
)

// Lost is what failed builds of one cause cost, of those that a digest tells about. All of it are
// times of builds, as CodeBuild has them.
type Lost struct {
	Cause   string `json:"cause"`
	Builds  int    `json:"builds"`  // that failed
	Seconds int    `json:"seconds"` // how long these ran, from start to end
	// Healed is how many notices of the digest say that a build is green again, and HealSeconds the
	// median of how long that took, from the end of the failed build.
	Healed      int `json:"healed,omitempty"`
	HealSeconds int `json:"heal_seconds,omitempty"`
}

// maxLost bounds the causes that a digest lists.
const maxLost = 20

// loss sums up what failed builds cost. Several notices may be of one build.
type loss struct {
	builds map[string]failedBuild
	heals  map[string][]int // by cause
}

type failedBuild struct {
	cause   string
	seconds int
}

func newLoss() *loss { return &loss{map[string]failedBuild{}, map[string][]int{}} }

func (l *loss) add(v *view) {
	for _, r := range v.rounds {
		if r.Old || r.Diagnosis == nil {
			continue
		}
		one := failedBuild{cause: id(r.Diagnosis.Cause)}
		if b := r.Build; !b.Start.IsZero() && !b.End.IsZero() {
			one.seconds = int(max(b.End.Sub(b.Start), 0) / time.Second)
		}
		key := r.Build.ARN + " " + r.Build.ID
		if was, ok := l.builds[key]; !ok || cmp.Or(cmp.Compare(one.cause, was.cause), cmp.Compare(was.seconds, one.seconds)) < 0 {
			l.builds[key] = one // whichever notice is looked at first
		}
	}
	if v.Kind == decide.Healed && v.latest.Diagnosis != nil {
		cause := id(v.latest.Diagnosis.Cause)
		l.heals[cause] = append(l.heals[cause], int(v.timeToHeal/time.Second))
	}
}

// list gives the causes that cost most first.
func (l *loss) list() (out []Lost) {
	by := map[string]*Lost{}
	for _, b := range l.builds {
		if by[b.cause] == nil {
			by[b.cause] = &Lost{Cause: b.cause}
		}
		by[b.cause].Builds++
		by[b.cause].Seconds += b.seconds
	}
	for cause, one := range by {
		if heals := l.heals[cause]; len(heals) > 0 {
			slices.Sort(heals)
			one.Healed, one.HealSeconds = len(heals), heals[(len(heals)-1)/2]
		}
		out = append(out, *one)
	}
	slices.SortFunc(out, func(a, b Lost) int {
		return cmp.Or(cmp.Compare(b.Seconds, a.Seconds), cmp.Compare(b.Builds, a.Builds), strings.Compare(a.Cause, b.Cause))
	})
	return out[:min(len(out), maxLost)]
}

// words says what one cause cost.
func (o Lost) words() string {
	s := fmt.Sprintf("%s, %s", plural(o.Builds, "failed build"), duration(time.Duration(o.Seconds)*time.Second))
	if o.Healed > 0 {
		s += fmt.Sprintf("; %s healed, green again after %s", thousands(o.Healed), duration(time.Duration(o.HealSeconds)*time.Second))
		if o.Healed > 1 {
			s += " (median)"
		}
	}
	return s
}

// lostItems tells it cause by cause.
func lostItems(list []Lost) (out []string) {
	for _, o := range list {
		out = append(out, "* "+o.Cause+": "+o.words())
	}
	return out
}

func lostWords(list []Lost) (out []string) {
	for _, o := range list[:min(len(list), 5)] {
		out = append(out, o.Cause+": "+o.words())
	}
	return out
}
