package codebuild

import "testing"

// TestPartitionOf ensures that a region is known by its form.
func TestPartitionOf(t *testing.T) {
	for region, want := range map[string]string{"eu-west-1": "aws", "ap-northeast-3": "aws", "mx-central-1": "aws", "il-central-1": "aws",
		"cn-northwest-1": "aws-cn", "us-gov-east-1": "aws-us-gov", "us-iso-west-1": "aws-iso", "us-isob-east-1": "aws-iso-b",
		"eu-isoe-west-1": "aws-iso-e", "eusc-de-east-1": "aws-eusc", "eu-wst-1": "", "eu-west": "", "euro-west-1": "", "": ""} {
		if got := PartitionOf(region); got != want {
			t.Errorf("%s: %q, want %q", region, got, want)
		}
	}
}
