package soak

import (
	"fmt"
	"strings"
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
	what string
	why  string
	// least is the time from the failures until the last of it is through; with ends, it is a
	// build's end, otherwise a build's start must still follow.
	least time.Duration
	ends  bool
}

// eventTime is how long after its end a build's event arrives.
const eventTime = time.Second

// bound derives the storm's bound.
//
// Of each kind of call the least number is counted that tells a healer what it must know:
//   - CodeBuild starts one build a call: n RetryBuild. 100 records are read a call, those of the
//     failures before the last build is started, those of the green builds while it runs.
//   - IAM is asked once for each role, who shares a cause: the role, its inline policies' names, its
//     managed policies, the policy to write; what the role may do before the write and after it;
//     the write; the policy read back. That is 8 calls.
//   - GetLogEvents once for each role: one page of one of its builds.
//   - one e-mail for each role, fewer than ten a second.
//
// What a service lets through at once is its burst. The builds themselves run so many at a time,
// one after the other. A bound that only AWS's rates make has no time in it for a probe, for IAM to
// settle, or for the function: those are the healer's own.
func (s *storm) bound() bound {
	b := bound{}
	b.fails, b.green = s.durations()
	roles, each := s.roles(), 8
	records := (s.n + 99) / 100
	b.add("codebuild", "RetryBuild", s.n+records, fmt.Sprintf("%d RetryBuild, %d BatchGetBuilds", s.n, records))
	b.add("iam", "PutRolePolicy", roles*each, fmt.Sprintf("%d of each of %d roles", each, roles))
	b.add("logs", "GetLogEvents", roles, fmt.Sprintf("one of each of %d roles", roles))
	b.limits = append(b.limits, limit{what: "e-mail", why: fmt.Sprintf("one of each of %d roles, 10 a second at most", roles),
		least: seconds(float64(roles-10) / 10), ends: true})
	if s.atOnce > 0 {
		waves := (s.n + s.atOnce - 1) / s.atOnce
		b.limits = append(b.limits, limit{what: "builds", ends: true, least: time.Duration(waves) * b.green,
			why: fmt.Sprintf("%d one after the other in each of %d places, of %s", waves, s.atOnce, b.green)})
	}
	return b
}

// add adds calls of a service at its rate.
func (b *bound) add(service, operation string, calls int, why string) {
	rate, _, source, _ := simaws.RateOf(service, operation, region)
	b.limits = append(b.limits, limit{what: service,
		why:   fmt.Sprintf("%d calls (%s), %v a second after the first %v (%s)", calls, why, rate.PerSecond, rate.Burst, source),
		least: seconds((float64(calls) - rate.Burst) / rate.PerSecond)})
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

// slowest is the limit that decides, and the time until the last build has ended.
func (b bound) slowest() (is limit, until time.Duration) {
	until = b.green
	for _, l := range b.limits {
		d := l.least
		if !l.ends {
			d += b.green
		}
		if d > until {
			is, until = l, d
		}
	}
	return is, until
}

// total is the bound, from the start of the builds that fail.
func (b bound) total() time.Duration {
	_, until := b.slowest()
	return b.fails + eventTime + until + eventTime
}

// String is the derivation.
func (b bound) String() string {
	var out strings.Builder
	is, until := b.slowest()
	fmt.Fprintf(&out, "  bound %s: %s until they fail, %s until the last build has ended (by %s), a second each for the events\n",
		b.total().Round(time.Second), b.fails.Round(time.Second), until.Round(time.Second), is.what)
	for _, l := range b.limits {
		then := ""
		if !l.ends {
			then = fmt.Sprintf(", then a build of %s", b.green.Round(time.Second))
		}
		fmt.Fprintf(&out, "    %-10s %6.0f s%s: %s\n", l.what, l.least.Seconds(), then, l.why)
	}
	return out.String()
}
