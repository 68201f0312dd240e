package main

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdklabs/cdk-nag-go/cdknag/v2"
)

// finding is what cdk-nag says of a resource.
type finding struct {
	rule  string // of the pack AwsSolutions
	about string // what of the resource is meant; "" for a rule that finds one thing only
	at    string // the resource's path below the app
}

// nag runs the pack AwsSolutions on the stacks of the settings.
func nag(t *testing.T, file string) []finding {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s, code := staged(t, data)
	// With this flag assertions cannot read findings: the synthesis fails first.
	a := app(t, map[string]any{"@aws-cdk/core:annotationsInValidationReport": false})
	if err := NewApp(a, s, code); err != nil {
		t.Fatal(err)
	}
	pack := cdknag.NewAwsSolutionsChecks(&cdknag.NagPackProps{Reports: jsii.Bool(false)})
	awscdk.Aspects_Of(a).Add(pack, &awscdk.AspectOptions{Priority: awscdk.AspectPriority_READONLY()})
	form := regexp.MustCompile(`(?s)^(\w+)(?:\[(.*?)\])?: `)
	var list []finding
	for _, c := range *a.Node().Children() {
		stack, ok := c.(awscdk.Stack)
		if !ok {
			continue
		}
		annotations := assertions.Annotations_FromStack(stack)
		all, text := jsii.String("*"), assertions.Match_AnyValue()
		for _, m := range append(*annotations.FindError(all, text), *annotations.FindWarning(all, text)...) {
			says, _ := m.Entry.Data.(string)
			parts := form.FindStringSubmatch(strings.TrimPrefix(says, "AwsSolutions-"))
			if parts == nil {
				t.Errorf("%s: %v", *m.Id, m.Entry.Data)
				continue
			}
			list = append(list, finding{parts[1], parts[2], strings.TrimPrefix(*m.Id, "/")})
		}
	}
	return list
}

// exception is a finding that is as it shall be; at and about are patterns of
// the whole.
type exception struct{ rule, at, about, because string }

var exceptions = []exception{
	{"SQS3", `Buildmedic/LostEvents/Resource`, ``,
		"It is the dead-letter queue of the rules, which cdk-nag does not see, and an alarm watches it."},
	{"IAM5", `Buildmedic/Role`, `Resource::.*:log-group:/aws/lambda/buildmedic:log-stream:\*`,
		"Lambda names the streams of the function's own log."},
	{"IAM5", `Buildmedic/Role`, `Resource::arn:<AWS::Partition>:sns:<AWS::Region>:<AWS::AccountId>:buildmedic-owner-\*`,
		"The stack's topics for the owners, which are as many as the settings name; publishing only."},
	{"IAM5", `Buildmedic(Member)?/Role\d*`, `Resource::\*`,
		"These actions have no resources: X-Ray, DecodeAuthorizationMessage, GetRequestAuthorizationDetails, Access Analyzer's " +
			"checks, LookupEvents. " +
			"TestWildcards holds internal/permissions to that."},
	{"IAM5", `Buildmedic(Member)?/Role\d*`, `Resource::arn:<AWS::Partition>:iam::(aws|<AWS::AccountId>|\d{12}):policy/\*`,
		"Reading only: which policies a project's role carries is not known before."},
	{"IAM5", `Buildmedic(Member)?/Role\d*Projects\d+`, `Resource::.*:log-group:[^*]+:\*`,
		"CodeBuild names the streams of a project's log, one for each build."},
	{"IAM5", `Buildmedic(Member)?/Role\d*Projects\d+`, `Resource::arn:<AWS::Partition>:codebuild:[^*]+:report-group/[^*]+-\*`,
		"CodeBuild makes a project's report groups, and names them after it and the buildspec's; reading only."},
	{"IAM5", `Buildmedic(Member)?/Role\d*Projects\d+`, `Resource::arn:<AWS::Partition>:cloudformation:[^*]+:stack/[^*]+(-\*)?/\*`,
		"CloudFormation chooses how a stack's ARN ends, and names nested stacks after the one that they are in; reading only."},
	{"IAM5", `Buildmedic(Member)?/Role\d*Projects\d+`, `Resource::arn:<AWS::Partition>:codepipeline:[^*]+/\*`,
		"RetryStageExecution of a pipeline that the settings name, whichever of its stages failed."},
	{"IAM5", `Buildmedic(Member)?/Role\d*Projects\d+`, `Resource::arn:<AWS::Partition>:s3:::[^*]+/\*`,
		"The logs of a project below the bucket and prefix that the settings name; each build has its own object."},
	{"IAM5", `Buildmedic(Member)?/Ready\w+`, `Resource::arn:<AWS::Partition>:s3:::example-site/\*`,
		"A grant as the settings of this test give it."},
}

// TestNag ensures that cdk-nag finds nothing but what is excepted, and that
// each exception is still needed.
func TestNag(t *testing.T) {
	used := make([]bool, len(exceptions))
	for _, f := range slices.Concat(nag(t, "testdata/shipped.yaml"), nag(t, "testdata/seed.yaml"), nag(t, "testdata/code.yaml")) {
		i := slices.IndexFunc(exceptions, func(e exception) bool {
			return e.rule == f.rule && whole(e.at).MatchString(f.at) && whole(e.about).MatchString(f.about)
		})
		if i < 0 {
			t.Errorf("AwsSolutions-%s at %s: %q: mend it, or except it with the reason", f.rule, f.at, f.about)
			continue
		}
		used[i] = true
	}
	for i, e := range exceptions {
		if !used[i] {
			t.Errorf("nothing needs the exception %s at %s, %q: take it out", e.rule, e.at, e.about)
		}
	}
}

// whole is the pattern of a whole text.
func whole(pattern string) *regexp.Regexp { return regexp.MustCompile("^(?:" + pattern + ")$") }
