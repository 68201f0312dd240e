package main

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// regions are those that the SDK knows: its partitions are internal to it, but S3's model lists
// them, all but the first one.
func regions() []string {
	names := []string{"us-east-1"}
	for _, r := range types.BucketLocationConstraint("").Values() {
		if r != types.BucketLocationConstraintEu {
			names = append(names, string(r))
		}
	}
	slices.Sort(names)
	return names
}

// knownRegion reports whether the SDK knows the region. AWS may have opened others since.
func knownRegion(name string) bool { return slices.Contains(regions(), name) }

// partitionOf is the partition that a region of [regions] is in.
func partitionOf(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	}
	return "aws"
}

// elsewhere is a region with projects.
type elsewhere struct {
	Region   string `json:"region"`
	Projects int    `json:"projects"`
	More     bool   `json:"more,omitempty"` // than are listed with one call
}

const lookers = 16 // at a time

// otherRegions looks for projects in the partition's other regions: one call for each, within
// times.look together. What is not answered, or refused, as in regions that the account has not
// enabled, is left out.
func otherRegions(ctx context.Context, cfg aws.Config) (found []elsewhere) {
	ctx, cancel := context.WithTimeout(ctx, times.look)
	defer cancel()
	partition := sessionOf(cfg).id.Partition
	var names []string
	for _, r := range regions() {
		if r != cfg.Region && (partition == "" || partitionOf(r) == partition) {
			names = append(names, r)
		}
	}
	next := make(chan string)
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range lookers {
		wg.Go(func() {
			for region := range next {
				there := cfg.Copy()
				there.Region, there.RetryMaxAttempts, there.Retryer = region, 1, nil
				out, err := codebuild.NewFromConfig(there).ListProjects(ctx, &codebuild.ListProjectsInput{})
				if err != nil || len(out.Projects) == 0 {
					continue
				}
				mu.Lock()
				found = append(found, elsewhere{region, len(out.Projects), out.NextToken != nil})
				mu.Unlock()
			}
		})
	}
	for _, r := range names {
		next <- r
	}
	close(next)
	wg.Wait()
	slices.SortFunc(found, func(a, b elsewhere) int { return strings.Compare(a.Region, b.Region) })
	return found
}
