package soak

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/simaws"
)

// bound is the least time in which any healer could heal a storm: what must come one after the
// other for a single build, and meanwhile the slowest of what the account lets through.
type bound struct {
	fails, green time.Duration // how long a build runs that fails, and one that is green
	limits       []limit
}

// limit is one thing of which the account lets only so much through.
type limit struct {
	what, why string
	// ended is how long after the failures the last build can have ended; probed is the same if
	// only one build of each role starts before the first of them is green, or past what it lacked.
	ended, probed time.Duration
}

// eventTime is how long after its end a build's event arrives.
const eventTime = time.Second

// bound derives the storm's bound.
//
// Of each kind of call the least number is counted that tells a healer what it must know:
//   - CodeBuild starts one build a call: n RetryBuild. 100 records are read a call, those of the
//     failures before the last build is started, those of the green builds while it runs.
//   - IAM is asked once for each role, whose builds share a cause: for the role, its inline
//     policies' names, its managed policies and the policy to write; for what the role may do
//     before the write and after it; for the write; for the policy read back. That is 8 calls.
//   - GetLogEvents once for each role: one page of one of its builds.
//   - one e-mail for each role.
//
// What a service lets through at once is its burst. Builds run so many at a time, one after the
// other.
//
// IAM's time to settle and the function's own work are not in it. The probe, which is the healer's
// own caution, is in the second bound only.
func (s *storm) bound(fails, green time.Duration) bound {
	const iamCalls = 8
	b := bound{fails: fails, green: green}
	roles, records, probe := s.roles(), (s.n+99)/100, b.green+eventTime
	if s.behind > 0 {
		probe = b.fails
	}
	add := func(what, why string, ended, probed time.Duration) {
		b.limits = append(b.limits, limit{what, why, ended, max(ended, probed)})
	}

	took, rate := s.through("codebuild", "RetryBuild", s.n+records)
	rest, _ := s.through("codebuild", "RetryBuild", s.n-roles)
	add("CodeBuild", fmt.Sprintf("%d RetryBuild, %d BatchGetBuilds, %s; then a build", s.n, records, rate),
		took+b.green, probe+rest+b.green)

	took, rate = s.through("iam", "PutRolePolicy", iamCalls*roles)
	add("IAM", fmt.Sprintf("%d calls for each of %d roles, %s; then a build", iamCalls, roles, rate), took+b.green, 0)

	took, rate = s.through("logs", "GetLogEvents", roles)
	add("logs", fmt.Sprintf("%d GetLogEvents, %s; then a build", roles, rate), took+b.green, 0)

	add("e-mail", fmt.Sprintf("%d, 10 a second (sns-q)", roles), seconds(float64(roles-10)/10), 0)

	if s.atOnce > 0 {
		waves := func(n int) time.Duration { return time.Duration((n+s.atOnce-1)/s.atOnce) * b.green }
		add("builds", fmt.Sprintf("%d in %d places, of %s", s.n, s.atOnce, b.green.Round(time.Second)), waves(s.n), probe+waves(s.n-roles))
	}
	return b
}

// through is how long so many calls take at least, and the rate that they go by: what others leave of it.
// Of a rate of which others ask for more than there is, half is counted.
func (s *storm) through(service, operation string, calls int) (took time.Duration, why string) {
	rate, _, source, _ := simaws.RateOf(service, operation, region)
	rate.PerSecond *= max(1-s.others, 0.5)
	return seconds((float64(calls) - rate.Burst) / rate.PerSecond),
		fmt.Sprintf("%v a second after the first %v (%s)", rate.PerSecond, rate.Burst, source)
}

func seconds(s float64) time.Duration { return time.Duration(max(s, 0) * float64(time.Second)) }

// durations are how long the builds ran that failed, and those that were green, without their time
// in the queue: the shortest of either.
func (s *storm) durations() (fails, green time.Duration) {
	for i := range s.roles() {
		for _, b := range s.st.Sim.Builds(fmt.Sprintf("p%d", i)) {
			d := &fails
			if b.Status == "SUCCEEDED" {
				d = &green
			}
			if took := b.End.Sub(b.Start); *d == 0 || took < *d {
				*d = took
			}
		}
	}
	return fails, green
}

// least is the bound, from the start of the builds that fail, and the same with a probe of each
// role.
func (b bound) least() (any, probed time.Duration) {
	for _, l := range b.limits {
		any, probed = max(any, l.ended), max(probed, l.probed)
	}
	chain := b.fails + 2*eventTime
	return chain + any, chain + probed
}

// String is the derivation.
func (b bound) String() string {
	var out strings.Builder
	least, probed := b.least()
	fmt.Fprintf(&out, "  bound %s, with a probe of each role %s: builds fail after %s, a second each for their and the last event, and\n",
		least.Round(time.Second), probed.Round(time.Second), b.fails.Round(time.Second))
	for _, l := range b.limits {
		fmt.Fprintf(&out, "    %6.0f s, with probes %6.0f s, by %-9s  %s\n", l.ended.Seconds(), l.probed.Seconds(), l.what+":", l.why)
	}
	return out.String()
}

// TestBound ensures that the bounds are those that can be worked out by hand.
func TestBound(t *testing.T) {
	tests := []struct {
		storm         *storm
		build         time.Duration
		least, probed int // seconds
	}{
		{&storm{n: 100}, 80 * time.Second, 80 + 1 + 7 + 80 + 1, 80 + 1 + 81 + 6 + 80 + 1},
		{&storm{n: 10_000}, 80 * time.Second, 80 + 1 + 1007 + 80 + 1, 80 + 1 + 81 + 947 + 80 + 1},
		{&storm{n: 1000, atOnce: 300}, 320 * time.Second, 320 + 1 + 4*320 + 1, 320 + 1 + 321 + 4*320 + 1},
		{&storm{n: 10_000, atOnce: 300}, 320 * time.Second, 320 + 1 + 34*320 + 1, 320 + 1 + 34*320 + 1},
		{&storm{n: 10_000, others: 0.3}, 80 * time.Second, 80 + 1 + 1438 + 80 + 1, 80 + 1 + 1438 + 80 + 1},
		{&storm{n: 10_000, others: 1.1}, 80 * time.Second, 80 + 1 + 2014 + 80 + 1, 80 + 1 + 2014 + 80 + 1},
	}
	for i := range tests {
		tt := &tests[i]
		least, probed := tt.storm.bound(tt.build, tt.build).least()
		if int(least.Seconds()) != tt.least || int(probed.Seconds()) != tt.probed {
			t.Errorf("%s: %s, with probes %s; want %d s and %d s", tt.storm.name(), least, probed, tt.least, tt.probed)
		}
	}
}
