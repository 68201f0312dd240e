package simaws

import (
	"math"
	"slices"
	"strings"
	"time"
)

// Rate is how many calls an account may make in a region: a bucket that holds
// Burst tokens and gets PerSecond new ones.
type Rate struct{ PerSecond, Burst float64 }

// assumed is the source of a rate that AWS does not publish.
const assumed = "assumed"

// rates are the request rates of [Trouble.RateLimits], the first that fits: of
// a "service:Operation" or of a whole "service", in certain regions (none
// named: in the others). An operation has either a bucket of its own or takes
// from its service's. Where a rate is documented, its burst is not: a second's
// worth is assumed. What is assumed is set low, since a healer must live with
// low rates (AWS.md#request-rates).
var rates = []struct {
	calls   string
	regions string
	rate    Rate
	source  string
}{
	{"cloudtrail:LookupEvents", "", Rate{2, 2}, "ct-lookup"},
	{"logs:GetLogEvents", "us-west-2 eu-west-1 eu-central-1 ap-northeast-3 ap-southeast-3 ca-west-1 il-central-1", Rate{10, 10}, "cwl"},
	{"logs:GetLogEvents", "eu-west-3", Rate{30, 30}, "cwl"},
	{"logs:GetLogEvents", "", Rate{25, 25}, "cwl"},
	{"sns:Publish", "us-east-1", Rate{30_000, 30_000}, "sns-q"},
	{"sns:Publish", "us-west-2 eu-west-1", Rate{9_000, 9_000}, "sns-q"},
	{"sns:Publish", "us-east-2 us-west-1 ap-south-1 ap-northeast-2 ap-southeast-1 ap-southeast-2 ap-northeast-1 eu-central-1",
		Rate{1_500, 1_500}, "sns-q"},
	{"sns:Publish", "", Rate{300, 300}, "sns-q"},
	{"codebuild", "", Rate{10, 30}, assumed},
	{"iam", "", Rate{15, 30}, assumed},
	{"codepipeline", "", Rate{10, 20}, assumed},
	{"ecr", "", Rate{10, 20}, assumed},
	{"access-analyzer", "", Rate{10, 10}, assumed},
}

// RateOf gives the rate that applies to an operation in a region, the name of
// the bucket that it takes from, and where the rate is documented: a source of
// AWS.md, or "assumed". ok is false where the Sim limits nothing.
func RateOf(service, operation, region string) (r Rate, bucket, source string, ok bool) {
	for _, row := range rates {
		if row.calls != service && row.calls != service+":"+operation {
			continue
		}
		if row.regions == "" || slices.Contains(strings.Fields(row.regions), region) {
			return row.rate, row.calls, row.source, true
		}
	}
	return Rate{}, "", "", false
}

// tokenBuckets are the fill levels by place and rate name.
type tokenBuckets map[string]*tokenBucket

type tokenBucket struct {
	tokens float64
	at     time.Time
	others time.Time // up to when others have called
}

// throttled takes a token for the call, or says that there is none.
func (s *Sim) throttled(r *request) bool {
	if !s.cfg.Trouble.RateLimits {
		return false
	}
	rate, bucket, _, ok := RateOf(r.service, r.operation, r.est.region)
	if !ok {
		return false
	}
	key := r.est.acct.id + " " + r.est.region + " " + bucket
	b, ok := s.limits[key]
	if !ok {
		b = &tokenBucket{tokens: rate.Burst, at: s.now}
		s.limits[key] = b
	}
	s.othersCall(b, key, rate)
	return !b.take(rate, s.now)
}

// refilled is longer than any bucket takes to fill: what others called before makes no difference.
const refilled = 10 * time.Second

// othersCall makes the calls of others up to now.
func (s *Sim) othersCall(b *tokenBucket, key string, rate Rate) {
	a := s.cfg.Trouble.Others * rate.PerSecond
	if a <= 0 {
		return
	}
	if from := s.now.Add(-refilled); b.others.Before(from) {
		b.others = from
	}
	for {
		between := -math.Log(1-s.chance("others", key, itoa(s.nth("others "+key)))) / a
		b.others = b.others.Add(time.Duration(between * float64(time.Second)))
		if b.others.After(s.now) {
			b.others = s.now // the next call is drawn anew from here: how long one waits for it is the same
			return
		}
		if b.others.After(b.at) {
			b.take(rate, b.others)
		}
	}
}

func (b *tokenBucket) take(rate Rate, now time.Time) bool {
	b.tokens = min(rate.Burst, b.tokens+now.Sub(b.at).Seconds()*rate.PerSecond)
	b.at = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}
