package awsapi

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	cb "github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// Past implements heal.Past.
type Past struct{ Accounts *Accounts }

// Before implements [heal.Past]. The ids come newest first, 100 a page, and as many builds can be
// read at once (AWS.md#listing-builds). A build that is not on the page is older than all that are.
func (p Past) Before(ctx context.Context, at settings.Account, project, own string) ([]codebuild.Past, error) {
	client, err := client(p.Accounts, at, cb.NewFromConfig)
	if err != nil {
		return nil, err
	}
	list, err := client.ListBuildsForProject(ctx, &cb.ListBuildsForProjectInput{ProjectName: &project})
	if err != nil {
		return nil, classify(err)
	}
	i := slices.Index(list.Ids, own)
	if i < 0 || i == len(list.Ids)-1 {
		return nil, nil
	}
	ids := list.Ids[i:]
	out, err := client.BatchGetBuilds(ctx, &cb.BatchGetBuildsInput{Ids: ids})
	if err != nil {
		return nil, classify(err)
	}
	var builds []codebuild.Past
	for _, b := range out.Builds {
		builds = append(builds, codebuild.Past{Build: build(b), Setup: setup(b)})
	}
	slices.SortFunc(builds, func(a, b codebuild.Past) int {
		return slices.Index(ids, a.Build.ID) - slices.Index(ids, b.Build.ID)
	})
	return builds, nil
}

// setup is what the build ran with: of variables the names alone.
func setup(b types.Build) codebuild.Setup {
	s := codebuild.Setup{Timeout: int(aws.ToInt32(b.TimeoutInMinutes)),
		Queued: int(aws.ToInt32(b.QueuedTimeoutInMinutes))}
	if src := b.Source; src != nil {
		s.Location = aws.ToString(src.Location)
		if spec := aws.ToString(src.Buildspec); codebuild.BuildspecPath(spec) != spec {
			s.Inline = digest(spec)
		}
	}
	if e := b.Environment; e != nil {
		s.Compute, s.Privileged = string(e.ComputeType), aws.ToBool(e.PrivilegedMode)
		if e.Fleet != nil {
			s.Fleet = aws.ToString(e.Fleet.FleetArn)
		}
		for _, v := range e.EnvironmentVariables {
			s.Variables = append(s.Variables, aws.ToString(v.Name))
		}
		slices.Sort(s.Variables)
	}
	if c := b.Cache; c != nil {
		words := []string{string(c.Type), aws.ToString(c.Location)}
		for _, m := range c.Modes {
			words = append(words, string(m))
		}
		s.Cache = strings.Join(strings.Fields(strings.Join(words, " ")), " ")
	}
	if v := b.VpcConfig; v != nil && aws.ToString(v.VpcId) != "" {
		s.VPC = strings.Join(slices.Concat([]string{aws.ToString(v.VpcId)}, v.Subnets, v.SecurityGroupIds), " ")
	}
	return s
}

// ofGreen is the budget of one read of a green build's log: two pages have at most 2 MB.
var ofGreen = logBudget{pages: 2, bytes: 4 << 20, unpacked: 64 << 20}

// End implements [heal.Past].
func (p Past) End(ctx context.Context, b codebuild.Build, enough func(string) bool) (heal.Text, error) {
	return Logs(p).read(ctx, b, enough, ofGreen)
}
