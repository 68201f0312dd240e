package buildlog

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/buildmedic/buildmedic/internal/codebuild"
)

// linked is what AWS puts behind its sentence.
func linked(region, id string) string {
	return fmt.Sprintf(". Go to https://%s.console.aws.amazon.com/iam/home?region=%[1]s#/authorization-details/%s for complete details, "+
		"or call the GetRequestAuthorizationDetails API with the following authorization id: %[2]s", region, id)
}

// TestAuthorizationIsReadBack ensures that the ID is found however tools wrap the message, and that
// the rest of the message is read as it is without one.
func TestAuthorizationIsReadBack(t *testing.T) {
	read := 0
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 2))
		d, s := randomDenial(r)
		e, l := pick(r, envelopes...), pick(r, layouts...)
		if e.name == "ec2" || l.spoils != nil && l.spoils(d) {
			continue // EC2's message has its own end
		}
		d.Authorization = Authorization{ID: pick(r, "a1b2c3d4e5f6g7h8i9j0k1l2m", "7k", strings.Repeat("z9", 30)),
			Region: pick(r, "us-east-1", "eu-west-1")}
		s += linked(d.Authorization.Region, d.Authorization.ID)
		text := pick(r, noise...) + l.wrap(r, e.wrap(r, s)) + "\n" + pick(r, noise...)
		var got []Denial
		for _, g := range Denials(text) {
			got = append(got, Denial{Principal: g.Principal, Action: g.Action, Resource: g.Resource, Effect: g.Effect,
				Layer: g.Layer, PolicyARN: g.PolicyARN, Reason: g.Reason, Authorization: g.Authorization})
		}
		if diff := cmp.Diff([]Denial{d}, got); diff != "" {
			t.Errorf("seed %d, %s, %s (-want +got):\n%s\n%s", seed, e.name, l.name, diff, text)
		}
		read++
	}
	if read < 1500 {
		t.Errorf("only %d were read", read)
	}
}

// TestAuthorizationOfThePartition ensures that the region is one of the build's partition.
func TestAuthorizationOfThePartition(t *testing.T) {
	for _, c := range []struct {
		partition, region string
		ok                bool
	}{
		{"aws", "us-east-1", true}, {"aws", "us-gov-west-1", false}, {"aws", "cn-north-1", false}, {"aws", "", false},
		{"aws-us-gov", "us-gov-west-1", true}, {"aws-us-gov", "us-east-1", false}, {"aws-cn", "cn-north-1", true},
		{"aws-eusc", "eusc-de-east-1", true},
	} {
		b := codebuild.Build{ARN: "arn:" + c.partition + ":codebuild:x:111122223333:build/shop:0a1b"}
		text := "User: arn:" + c.partition + ":sts::111122223333:assumed-role/shop/s is not authorized to " +
			"perform: iam:GetRole on resource: arn:" + c.partition + ":iam::111122223333:role/app because no identity-based policy " +
			"allows the iam:GetRole action" +
			linked(c.region, "abc")
		want := Authorization{}
		if c.ok {
			want = Authorization{"abc", c.region}
		}
		for _, d := range denialsOf(b, text) {
			if d.Authorization != want {
				t.Errorf("%s in %s: %+v, want %+v", c.region, c.partition, d.Authorization, want)
			}
		}
	}
}

// TestAuthorizationOfARepetition ensures that a denial which is printed more than once has the ID of
// the first that has one, and costs no more than one denial.
func TestAuthorizationOfARepetition(t *testing.T) {
	const s = "User: arn:aws:sts::111122223333:assumed-role/shop/s is not authorized to perform: iam:GetRole on resource: " +
		"arn:aws:iam::111122223333:role/app because no identity-based policy allows the iam:GetRole action"
	text := s + "\n" + s + linked("us-east-1", "first") + "\n" + s + "\n" + s + linked("us-east-1", "second") + "\n"
	list := Denials(text)
	if len(list) != 1 || list[0].Authorization.ID != "first" {
		t.Errorf("%+v", list)
	}
	flood := s + linked("us-east-1", "first") + "\n" + strings.Repeat(s+linked("us-east-1", "second")+"\n", maxFirst+10)
	tr := newTracker(codebuild.Build{})
	_ = scan(strings.NewReader(flood), tr)
	if len(tr.claims.first) != 1 {
		t.Errorf("%d claims are kept", len(tr.claims.first))
	}
}
