package iamref

import "testing"

// TestPrintsStar: AWS prints a star for the id of what an action is about to create and for all
// that a call lists, and nowhere else (AWS.md#denied-resource).
func TestPrintsStar(t *testing.T) {
	const at = ":eu-west-1:111122223333:"
	tests := []struct {
		what, action, arn string
		want              bool
	}{
		{"a network", "ec2:CreateVpc", "arn:aws:ec2" + at + "vpc/*", true},
		{"any case of the action", "EC2:createvpc", "arn:aws:ec2" + at + "vpc/*", true},
		{"another partition", "ec2:CreateVpc", "arn:aws-cn:ec2:cn-north-1:111122223333:vpc/*", true},
		{"a name of two words", "ec2:CreateSecurityGroup", "arn:aws:ec2" + at + "security-group/*", true},
		{"an address, whose type has another name", "ec2:AllocateAddress", "arn:aws:ec2" + at + "elastic-ip/*", true},
		{"a type whose name goes on in front", "ec2:CreateFlowLogs", "arn:aws:ec2" + at + "vpc-flow-log/*", true},
		{"an instance", "ec2:RunInstances", "arn:aws:ec2" + at + "instance/*", true},
		{"what an instance brings along", "ec2:RunInstances", "arn:aws:ec2" + at + "network-interface/*", true},
		{"likewise its disk", "ec2:RunInstances", "arn:aws:ec2" + at + "volume/*", true},
		{"a snapshot, whose ARN has no account", "ec2:CreateSnapshot", "arn:aws:ec2:eu-west-1::snapshot/*", true},
		{"a table of routes", "ec2:CreateRouteTable", "arn:aws:ec2" + at + "route-table/*", true},
		{"a name, then an id", "elasticloadbalancing:CreateTargetGroup", "arn:aws:elasticloadbalancing" + at + "targetgroup/web/*", true},
		{"a type of two words", "elasticloadbalancing:CreateLoadBalancer",
			"arn:aws:elasticloadbalancing" + at + "loadbalancer/app/web/*", true},
		{"a scope, a name, an id", "wafv2:CreateWebACL", "arn:aws:wafv2" + at + "regional/webacl/shop/*", true},
		{"an id behind a colon", "backup:CreateBackupPlan", "arn:aws:backup" + at + "backup-plan:*", true},
		{"RDS, for a name too", "rds:CreateDBInstance", "arn:aws:rds" + at + "db:*", true},
		{"an id in the middle", "autoscaling:CreateAutoScalingGroup",
			"arn:aws:autoscaling" + at + "autoScalingGroup:*:autoScalingGroupName/web", true},
		{"a collection", "apigateway:POST", "arn:aws:apigateway:eu-west-1::/restapis/*", true},
		{"a type that the action is not said to take", "mediaconvert:CreateJob", "arn:aws:mediaconvert" + at + "jobs/*", true},
		{"a file system", "elasticfilesystem:CreateFileSystem", "arn:aws:elasticfilesystem" + at + "file-system/*", true},
		{"a certificate", "acm:RequestCertificate", "arn:aws:acm" + at + "certificate/*", true},
		{"the tags of what is created", "ec2:CreateTags", "arn:aws:ec2" + at + "vpc/*", true},
		{"likewise in RDS", "rds:AddTagsToResource", "arn:aws:rds" + at + "db:*", true},
		{"likewise a pool of users", "cognito-idp:TagResource", "arn:aws:cognito-idp" + at + "userpool/*", true},
		{"all that a call lists", "rds:DescribeDBInstances", "arn:aws:rds" + at + "db:*", true},
		{"likewise, by name", "ecr:DescribeRepositories", "arn:aws:ecr" + at + "repository/*", true},

		{"likewise, with a word in front", "elasticache:DescribeCacheClusters", "arn:aws:elasticache" + at + "cluster:*", true},
		{"all of something in which a call lists", "ecr:ListImages", "arn:aws:ecr" + at + "repository/*", false},
		{"some of what a call lists", "rds:DescribeDBInstances", "arn:aws:rds" + at + "db:shop-*", false},
		{"all buckets, of which a call lists one", "s3:ListBucket", "arn:aws:s3:::*", false},
		{"what exists already", "ec2:CreateSubnet", "arn:aws:ec2" + at + "vpc/*", false},
		{"likewise", "ec2:RunInstances", "arn:aws:ec2" + at + "subnet/*", false},
		{"likewise an image", "ec2:RunInstances", "arn:aws:ec2:eu-west-1::image/*", false},
		{"likewise its parent", "appconfig:CreateEnvironment", "arn:aws:appconfig" + at + "application/*", false},
		{"likewise a route's table", "ec2:CreateRoute", "arn:aws:ec2" + at + "route-table/*", false},
		{"an action that changes", "ec2:ModifyVpcAttribute", "arn:aws:ec2" + at + "vpc/*", false},
		{"one that deletes", "ec2:DeleteVpc", "arn:aws:ec2" + at + "vpc/*", false},
		{"one that takes tags away", "ec2:DeleteTags", "arn:aws:ec2" + at + "vpc/*", false},
		{"one that reads", "s3:GetObject", "arn:aws:s3:::shop/*", false},
		{"one that writes into what exists", "s3:PutObject", "arn:aws:s3:::shop/*", false},
		{"a bucket, whose name the caller chooses", "s3:CreateBucket", "arn:aws:s3:::*", false},
		{"likewise a repository", "ecr:CreateRepository", "arn:aws:ecr" + at + "repository/*", false},
		{"likewise a function", "lambda:CreateFunction", "arn:aws:lambda" + at + "function:*", false},
		{"likewise a role", "iam:CreateRole", "arn:aws:iam::111122223333:role/*", false},
		{"a role that is passed", "iam:PassRole", "arn:aws:iam::111122223333:role/*", false},
		{"a role that is assumed", "sts:AssumeRole", "arn:aws:iam::111122223333:role/*", false},
		{"a part of an id", "ec2:CreateVpc", "arn:aws:ec2" + at + "vpc/vpc-*", false},
		{"a star for the name", "elasticloadbalancing:CreateTargetGroup", "arn:aws:elasticloadbalancing" + at + "targetgroup/*/x", false},
		{"a star for name and id", "elasticloadbalancing:CreateTargetGroup", "arn:aws:elasticloadbalancing" + at + "targetgroup/*", false},
		{"two stars", "elasticloadbalancing:CreateTargetGroup", "arn:aws:elasticloadbalancing" + at + "targetgroup/*/*", false},
		{"a star for the type", "ec2:CreateVpc", "arn:aws:ec2" + at + "*", false},
		{"a star for the region", "ec2:CreateVpc", "arn:aws:ec2:*:111122223333:vpc/vpc-0a1b", false},
		{"a star for the account", "ec2:CreateVpc", "arn:aws:ec2:eu-west-1:*:vpc/*", false},
		{"a question mark", "ec2:CreateVpc", "arn:aws:ec2" + at + "vpc/?", false},
		{"no star", "ec2:CreateVpc", "arn:aws:ec2" + at + "vpc/vpc-0a1b", false},
		{"everything", "ec2:CreateVpc", "*", false},
		{"another service's", "ec2:CreateVpc", "arn:aws:rds" + at + "db:*", false},
		{"no action", "ec2:CreateNothing", "arn:aws:ec2" + at + "vpc/*", false},
	}
	for _, tt := range tests {
		if got := PrintsStar(tt.action, tt.arn); got != tt.want {
			t.Errorf("%s: PrintsStar(%s, %s) = %v", tt.what, tt.action, tt.arn, got)
		}
	}
}
