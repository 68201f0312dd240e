package awsapi

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/simaws"
)

// TestBefore ensures that the builds before one are read newest first, in two calls, of the newest
// hundred at most.
func TestBefore(t *testing.T) {
	s := world(t, failing)
	var ids []string
	for range 105 {
		ids = append(ids, begun(t, s, simaws.Start{Project: "fine"}))
		s.Clock.Advance(time.Minute)
	}
	s.Settle()
	slices.Reverse(ids)
	p := Past{function(s, "")}
	for _, row := range []struct {
		at   int // place of the build among all, newest first
		want int
		read int // calls that read builds
	}{{0, 100, 1}, {1, 99, 1}, {98, 2, 1}, {99, 0, 0}, {104, 0, 0}} {
		lists, reads := count(s, "ListBuildsForProject"), count(s, "BatchGetBuilds")
		bs, err := p.Before(t.Context(), home, "fine", ids[row.at])
		if err != nil {
			t.Fatal(err)
		}
		var have []string
		for _, b := range bs {
			have = append(have, b.Build.ID)
		}
		if !slices.Equal(have, ids[row.at:row.at+row.want]) {
			t.Errorf("before build %d: %d, want %d in order", row.at, len(have), row.want)
		}
		if n, m := count(s, "ListBuildsForProject")-lists, count(s, "BatchGetBuilds")-reads; n != 1 || m != row.read {
			t.Errorf("before build %d: %d and %d calls", row.at, n, m)
		}
	}
	if _, err := p.Before(t.Context(), home, "gone", "gone:x"); !errors.Is(err, heal.ErrNotFound) {
		t.Errorf("no such project: %v", err)
	}
}

// TestSetup ensures that what is compared is read, and no value of a variable.
func TestSetup(t *testing.T) {
	b := types.Build{
		Source: &types.ProjectSource{Location: aws.String("https://github.com/example/shop"),
			Buildspec: aws.String("version: 0.2\nphases: {}\n")},
		Environment: &types.ProjectEnvironment{ComputeType: types.ComputeTypeBuildGeneral1Small,
			PrivilegedMode: aws.Bool(true),
			Fleet:          &types.ProjectFleet{FleetArn: aws.String("arn:f")},
			EnvironmentVariables: []types.EnvironmentVariable{{Name: aws.String("B"),
				Value: aws.String("hunter2")}, {Name: aws.String("A"), Value: aws.String("x")}}},
		Cache: &types.ProjectCache{Type: types.CacheTypeLocal,
			Modes: []types.CacheMode{types.CacheModeLocalSourceCache}},
		VpcConfig: &types.VpcConfig{VpcId: aws.String("vpc-1"), Subnets: []string{"s-1"},
			SecurityGroupIds: []string{"sg-1"}},
		TimeoutInMinutes: aws.Int32(60), QueuedTimeoutInMinutes: aws.Int32(480),
	}
	got := setup(b)
	if len(got.Inline) != 64 {
		t.Errorf("no digest of the buildspec: %q", got.Inline)
	}
	got.Inline = ""
	want := codebuild.Setup{Location: "https://github.com/example/shop", Compute: "BUILD_GENERAL1_SMALL",
		Fleet: "arn:f", Privileged: true,
		Variables: []string{"A", "B"}, Cache: "LOCAL LOCAL_SOURCE_CACHE", VPC: "vpc-1 s-1 sg-1", Timeout: 60,
		Queued: 480}
	if !slices.Equal(got.Variables, want.Variables) || got.Location != want.Location || got.VPC != want.VPC ||
		got.Cache != want.Cache ||
		got.Compute != want.Compute || got.Fleet != want.Fleet || !got.Privileged || got.Timeout != 60 ||
		got.Queued != 480 {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if s := setup(types.Build{}); s.Location != "" || s.Variables != nil || s.VPC != "" {
		t.Errorf("of nothing: %+v", s)
	}
}

// TestEnd ensures that of a green build's log two pages are read at most, and fewer if that is
// enough.
func TestEnd(t *testing.T) {
	s := world(t, failing)
	b := ran(t, s, simaws.Start{Project: "fine"})
	p := Past{function(s, "")}
	enough := func(string) bool { return true }
	never := func(string) bool { return false }
	read := func(b codebuild.Build, enough func(string) bool) (heal.Text, int) {
		before := count(s, "GetLogEvents")
		x, err := p.End(t.Context(), b, enough)
		if err != nil {
			t.Fatal(err)
		}
		return x, count(s, "GetLogEvents") - before
	}
	if x, n := read(b, enough); n != 1 || !x.Cut || !strings.Contains(x.Text, "Running command make") {
		t.Errorf("enough: %d calls, %+v", n, x)
	}
	if x, n := read(b, never); n != 2 || x.Cut || !strings.Contains(x.Text, "Running command make") {
		t.Errorf("to the beginning: %d calls, %+v", n, x)
	}
	if x, n := read(codebuild.Build{ARN: b.ARN}, never); n != 0 || !x.None {
		t.Errorf("no log: %d calls, %+v", n, x)
	}
	gone := b
	gone.Logs.Stream = "gone"
	if x, n := read(gone, never); n != 1 || !x.None {
		t.Errorf("a log that is gone: %d calls, %+v", n, x)
	}
	long := world(t, strings.Replace(failing, "roles:", "trouble: {log_page: 3}\nroles:", 1))
	b = ran(t, long, simaws.Start{Project: "fine"})
	x, err := Past{function(long, "")}.End(t.Context(), b, never)
	if n := count(long, "GetLogEvents"); err != nil || n != 2 || !x.Cut || strings.Count(x.Text, "\n") != 6 {
		t.Errorf("a long log: %d calls, %v, %+v", n, err, x)
	}
}
