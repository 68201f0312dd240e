package guardrail

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/iamref"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// TestStarsGiveNothingBeyondTheSettings: wherever stars and question marks stand in the text, what
// is given lies within the grant's own patterns, and holds a wildcard only where AWS prints one.
func TestStarsGiveNothingBeyondTheSettings(t *testing.T) {
	const at = ":eu-west-1:111122223333:"
	claims := []struct{ action, resource string }{
		{"ec2:CreateVpc", "arn:aws:ec2" + at + "vpc/*"},
		{"ec2:CreateSubnet", "arn:aws:ec2" + at + "vpc/vpc-0a1b"},
		{"ec2:CreateSubnet", "arn:aws:ec2" + at + "subnet/*"},
		{"ec2:RunInstances", "arn:aws:ec2" + at + "network-interface/*"},
		{"ec2:CreateTags", "arn:aws:ec2" + at + "vpc/*"},
		{"ec2:DeleteVpc", "arn:aws:ec2" + at + "vpc/vpc-0a1b"},
		{"rds:CreateDBInstance", "arn:aws:rds" + at + "db:*"},
		{"elasticloadbalancing:CreateTargetGroup", "arn:aws:elasticloadbalancing" + at + "targetgroup/web/*"},
		{"autoscaling:CreateAutoScalingGroup", "arn:aws:autoscaling" + at + "autoScalingGroup:*:autoScalingGroupName/web"},
		{"backup:CreateBackupPlan", "arn:aws:backup" + at + "backup-plan:*"},
		{"s3:GetObject", "arn:aws:s3:::shop/a.js"},
		{"ecr:PutImage", repo},
	}
	r := rand.New(rand.NewPCG(14, 9))
	given := 0
	for range 6000 {
		c := claims[r.IntN(len(claims))]
		allowed := starred(r, c.resource, r.IntN(2))
		in := shop()
		in.Denials[0] = denial(c.action, starred(r, c.resource, r.IntN(3)))
		g := grantOf(&in)
		g.Actions, g.Resources, g.Give = []string{c.action}, []string{allowed}, settings.GiveExact
		j := Judge(asked(in))
		for _, st := range j.Added {
			for _, got := range st.Resource.List {
				given++
				if !iampolicy.PatternWithin(got, allowed) {
					t.Fatalf("%s was given for %s on %q, and the grant has %q", got, c.action, in.Denials[0].Resource, allowed)
				}
				if strings.ContainsAny(got, "*?") && (got != in.Denials[0].Resource || !iamref.PrintsStar(c.action, got)) {
					t.Fatalf("%s holds a wildcard, and was given for %s on %q", got, c.action, in.Denials[0].Resource)
				}
			}
		}
	}
	if given < 300 {
		t.Errorf("only %d grants: the test shows little", given)
	}
}

// starred puts wildcards in the place of n parts of an ARN, each of any length.
func starred(r *rand.Rand, arn string, n int) string {
	for range n {
		i := 4 + r.IntN(len(arn)-4)
		end := min(len(arn), i+r.IntN(8))
		arn = arn[:i] + oneOf(r, []string{"*", "*", "?", "**"}) + arn[end:]
	}
	return arn
}
