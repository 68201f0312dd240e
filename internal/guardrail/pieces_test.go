package guardrail

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// keys are n denials of objects in a bucket that a grant covers by a pattern.
func keys(n int, prefix string) (ds []buildlog.Denial) {
	for i := range n {
		ds = append(ds, denial("s3:GetObject", fmt.Sprintf("arn:aws:s3:::shop-a/%s%d", prefix, i)))
	}
	return ds
}

// TestNotFilledInPieces ensures that a build gets only a few of the resources
// that a pattern covers, and a project only a share of the policy's size; beyond
// that the grant's own pattern is offered, in one statement, and a person decides.
func TestNotFilledInPieces(t *testing.T) {
	const pattern = "inline | + s3:GetObject on arn:aws:s3:::shop-*/*"
	long := strings.Repeat("k", 180)
	for _, row := range []struct {
		name string
		edit func(*Input)
		want string // verdict; its beginning, where it ends with …
		why  string // a part of the offer; "" for none
	}{
		{"48 long keys", func(in *Input) { in.Denials = keys(48, long) }, pattern, "48 resources"},
		{"as many as the limit", func(in *Input) { in.Denials = keys(5, "") }, "inline | + s3:GetObject on arn:aws:s3:::shop-a/0,…", ""},
		{"one more", func(in *Input) { in.Denials = keys(6, "") }, pattern, "new_resources_per_case (5)"},
		{"with those of earlier rounds", func(in *Input) { in.Denials, in.Given = keys(2, ""), 4 }, pattern, "6 resources"},
		{"of which the policy has some", func(in *Input) {
			in.Role.Inline["buildmedic"] = Judge(with(*in, keys(5, ""))).Target.After
			in.Denials, in.Given = keys(6, ""), 4
		}, "inline | + s3:GetObject on arn:aws:s3:::shop-a/5", ""},
		{"the limit is 0", func(in *Input) { in.Settings.Limits.NewResources, in.Denials = 0, keys(1, "") }, pattern,
			"new_resources_per_case (0)"},
		{"a share of the quota", func(in *Input) {
			in.Role.Inline["buildmedic"] = policy(iampolicy.Allow("x", []string{"s3:GetObject"}, resources(keys(12, long))))
			in.Denials = keys(1, "new")
		}, pattern, "quota_share_per_project (25%)"},
		{"the owner's own statements are none of it", func(in *Input) {
			in.Role.Inline["buildmedic"] = policy(iampolicy.Allow("x", []string{"s3:PutObject"}, resources(keys(30, long))))
			in.Denials = keys(1, "new")
		}, "inline | + s3:GetObject on arn:aws:s3:::shop-a/new0", ""},
		{"the quota of a managed policy is smaller", func(in *Input) {
			in.Project.Write = settings.Write{Managed: "builds"}
			in.Role.Named = &ManagedPolicy{ARN: "arn:aws:iam::" + account + ":policy/builds", Default: "v1", Attached: true,
				Document: policy(iampolicy.Allow("x", []string{"s3:GetObject"}, resources(keys(7, long))))}
			in.Denials = keys(1, "new")
		}, "managed | + s3:GetObject on arn:aws:s3:::shop-*/*", "6144"},
		{"what the grant names itself is no piece", func(in *Input) {
			grantOf(in).Resources = resources(keys(9, ""))
			in.Denials = keys(9, "")
		}, "inline | + s3:GetObject on arn:aws:s3:::shop-a/0,…", ""},
		{"nor is it held against a policy that is full of them", func(in *Input) {
			grantOf(in).Resources = []string{"arn:aws:s3:::shop-*/*", "arn:aws:s3:::shop-b/x"}
			in.Role.Inline["buildmedic"] = policy(iampolicy.Allow("x", []string{"s3:GetObject"}, resources(keys(14, long))))
			in.Denials = []buildlog.Denial{denial("s3:GetObject", "arn:aws:s3:::shop-b/x")}
		}, "inline | + s3:GetObject on arn:aws:s3:::shop-b/x", ""},
		{"only the pattern that was asked for", func(in *Input) {
			grantOf(in).Resources = []string{"arn:aws:s3:::other/*", "arn:aws:s3:::shop-a/*", "arn:aws:s3:::shop-b/x"}
			in.Denials = append(keys(6, ""), denial("s3:GetObject", "arn:aws:s3:::shop-b/x"))
		}, "inline | + s3:GetObject on arn:aws:s3:::shop-a/*,arn:aws:s3:::shop-b/x", "6 resources"},
		{"give: set gives the pattern without a question", func(in *Input) {
			grantOf(in).Give, in.Denials = settings.GiveSet, keys(9, "")
		}, "inline | + s3:GetObject on arn:aws:s3:::shop-*/*", ""},
		{"a pattern renews nothing that has ended", func(in *Input) {
			grantOf(in).Expires = time.Hour
			in.Role.Inline["buildmedic"] = Judge(with(*in, keys(1, ""))).Target.After
			in.Now, in.Denials = now.Add(2*time.Hour), keys(9, "")
		}, "grant-expired", ""},
		{"nor does it reach the healer", func(in *Input) {
			in.Healer = []string{"arn:aws:s3:::shop-state/*"}
			in.Denials = keys(9, "")
		}, "floor-healer", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			in := shop()
			wide(&in, settings.GiveExact)
			row.edit(&in)
			j := Judge(in)
			got, want := verdict(j), row.want
			if begin, open := strings.CutSuffix(want, "…"); open && strings.HasPrefix(got, begin) {
				got = want
			}
			if got != want || (j.Offer == "") != (row.why == "") || !strings.Contains(j.Offer, row.why) {
				t.Errorf("got  %.300s\nwant %s\noffer %q", got, want, j.Offer)
			}
			if j.Offer != "" && j.Pieces != 0 {
				t.Errorf("%d pieces beside the pattern", j.Pieces)
			}
		})
	}
}

func with(in Input, ds []buildlog.Denial) Input {
	in.Denials = ds
	return in
}

func resources(ds []buildlog.Denial) (rs []string) {
	for _, d := range ds {
		rs = append(rs, d.Resource)
	}
	return rs
}

// TestPiecesAreCounted ensures that a log group, which has two names in a policy,
// counts once.
func TestPiecesAreCounted(t *testing.T) {
	in := shop()
	*grantOf(&in) = settings.Grant{ID: "logs", Actions: []string{"logs:CreateLogGroup"},
		Resources: []string{"arn:${partition}:logs:${region}:${account}:log-group:/ci/*"}}
	in.Project.Grants = []string{"logs"}
	in.Denials = []buildlog.Denial{denial("logs:CreateLogGroup", "arn:aws:logs:eu-west-1:"+account+":log-group:/ci/a:log-stream:")}
	if j := Judge(in); j.Pieces != 1 || j.Target == nil {
		t.Errorf("%d pieces, %s", j.Pieces, verdict(j))
	}
}
