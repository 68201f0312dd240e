package notice

import (
	"net/url"
	"strings"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// consoles are the hosts of the AWS console by partition. Other partitions get no links.
var consoles = map[string]string{
	"aws":        "console.aws.amazon.com",
	"aws-cn":     "console.amazonaws.cn",
	"aws-us-gov": "console.amazonaws-us-gov.com",
}

// Links are pages of the AWS console; "" where there is none.
type Links struct {
	Build string `json:"build,omitempty"`
	Retry string `json:"retry,omitempty"` // the build that was started again
	// Pipeline shows the execution whose action failed, where there is no build.
	Pipeline string `json:"pipeline,omitempty"`
	Log      string `json:"log,omitempty"`
	Role     string `json:"role,omitempty"`
	// Commits shows what came since the last green build. It is a page of the source's host.
	Commits string `json:"commits,omitempty"`
	// Run is the run of the job that the build ran, or was to run, at the code host.
	Run string `json:"run,omitempty"`
	// Commands is the test tab of Buildmedic's function, which takes a command's payload.
	Commands string `json:"commands,omitempty"`
}

// regionForm is what the name of a region looks like.
var regionForm = lazyregexp.New(`^[a-z]{2,4}(?:-[a-z]+)+-[0-9]{1,2}$`)

// commandsLink is the page at which a person sends a payload to the function, in a phone's browser
// too; "" where there is none (AWS.md#test-tab).
func commandsLink(function, region string) string {
	partition := "aws"
	switch {
	case function == "" || !regionForm.MatchString(region):
		return ""
	case strings.HasPrefix(region, "cn-"):
		partition = "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		partition = "aws-us-gov"
	case strings.Contains(region, "-iso"): // these have consoles of their own
		return ""
	}
	return "https://" + consoles[partition] + "/lambda/home?region=" + region + "#/functions/" +
		url.PathEscape(function) + "?tab=testing"
}

// links are made from the build's ARN. A link that the build itself gives is never repeated.
func links(b codebuild.Build, retry string) Links {
	a := b.At()
	host := consoles[a.Partition]
	if host == "" {
		return Links{}
	}
	region := "region=" + url.QueryEscape(a.Region)
	build := func(id string) string {
		if id == "" {
			return ""
		}
		kind := "/build/"
		if batch, _, ok := codebuild.ParseBatchID(id); ok {
			kind, id = "/batch/", batch
		}
		return "https://" + host + "/codesuite/codebuild/" + url.PathEscape(a.Account) + "/projects/" +
			url.PathEscape(b.Project) +
			kind + strings.ReplaceAll(url.PathEscape(id), ":", "%3A") + "/?" + region
	}
	l := Links{}
	if x := b.Action; x != nil {
		l.Pipeline = "https://" + host + "/codesuite/codepipeline/pipelines/" + url.PathEscape(id(x.Pipeline)) + "/executions/" +
			url.PathEscape(id(x.Execution)) + "/timeline?" + region
	} else {
		l.Build, l.Retry = build(b.ID), build(retry)
	}
	switch {
	case b.Logs.Group != "" && b.Logs.Stream != "":
		l.Log = "https://" + host + "/cloudwatch/home?" + region + "#logsV2:log-groups/log-group/" +
			fragment(b.Logs.Group) + "/log-events/" + fragment(b.Logs.Stream)
	case b.Logs.S3ARN != "":
		if s3, ok := codebuild.ParseARN(b.Logs.S3ARN); ok {
			bucket, key, _ := strings.Cut(s3.Resource, "/")
			l.Log = "https://" + host + "/s3/object/" + url.PathEscape(bucket) + "?" + region + "&prefix=" +
				url.QueryEscape(key)
		}
	}
	if r, ok := b.Role(); ok {
		l.Role = "https://" + host + rolePage + url.PathEscape(r.Name)
	}
	return l
}

// rolePage is where the IAM console shows a role.
const rolePage = "/iam/home#/roles/details/"

// roleLink leads to another role of the same console.
func roleLink(link string, r codebuild.Role) string {
	before, _, ok := strings.Cut(link, rolePage)
	if !ok {
		return link
	}
	return before + rolePage + url.PathEscape(id(r.Name))
}

// fragment escapes as the CloudWatch console does: twice, with $ for %.
func fragment(s string) string {
	return strings.ReplaceAll(url.QueryEscape(url.QueryEscape(s)), "%", "$")
}
