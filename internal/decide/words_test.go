package decide

import (
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/diagnose"
)

// TestWordsThatWithholdAreKept: however little is kept of a case, a denial of somebody else, or one
// with a reason, does not become the build's own.
func TestWordsThatWithholdAreKept(t *testing.T) {
	long := strings.Repeat("x", 5000)
	c := Case{Rounds: []Round{{Diagnosis: &diagnose.Diagnosis{Denials: []buildlog.Denial{
		{Action: "s3:PutObject", Subject: "the task role " + long, Causal: true},
		{Action: "s3:PutObject", Reason: "because object protected by object lock " + long, Causal: true},
		{Action: "s3:PutObject", Near: "arn:aws:s3:::media/a arn:aws:s3:::other/" + long, Causal: true},
		{Action: "ecr:BatchGetImage", Bare: true, Causal: true},
	}}}}}
	for _, s := range []Size{Whole, Recent, Short, Bare} {
		for _, d := range c.Bounded(s).Rounds[0].Diagnosis.Denials {
			if d.Subject == "" && d.Reason == "" && d.Near == "" && !d.Bare || strings.HasPrefix(d.Near,
				"arn:") && s == Bare || len(d.Subject)+len(d.Reason) > 4000 && s == Bare {
				t.Errorf("size %v: %q, %q", s, d.Subject, d.Reason)
			}
		}
	}
}
