package awsapi

import (
	"cmp"
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	cb "github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// Reports implements heal.Reports.
type Reports struct{ Accounts *Accounts }

// Read implements [heal.Reports].
func (c Reports) Read(ctx context.Context, at settings.Account, arns []string) (list []codebuild.Report, err error) {
	client, err := client(c.Accounts, at, cb.NewFromConfig)
	if err != nil {
		return nil, err
	}
	out, err := client.BatchGetReports(ctx, &cb.BatchGetReportsInput{ReportArns: arns})
	if err != nil {
		return nil, classify(err)
	}
	for _, r := range out.Reports {
		list = append(list, report(r))
	}
	return list, nil
}

func report(r types.Report) codebuild.Report {
	out := codebuild.Report{ARN: aws.ToString(r.Arn), Build: aws.ToString(r.ExecutionId), Type: string(r.Type),
		Status: string(r.Status), Failed: -1, Errors: -1}
	if s := r.TestSummary; s != nil && s.StatusCounts != nil {
		out.Failed, out.Errors = int(s.StatusCounts[codebuild.CaseFailed]), int(s.StatusCounts[codebuild.CaseError])
	}
	return out
}

// maxCases is how many cases DescribeTestCases gives at once (AWS.md#test-reports).
const maxCases = 100

// Cases implements [heal.Reports].
func (c Reports) Cases(ctx context.Context, at settings.Account, report, status string, most int) ([]codebuild.TestCase, error) {
	client, err := client(c.Accounts, at, cb.NewFromConfig)
	if err != nil {
		return nil, err
	}
	in := &cb.DescribeTestCasesInput{ReportArn: &report, Filter: &types.TestCaseFilter{Status: &status},
		MaxResults: aws.Int32(int32(min(most, maxCases)))}
	var list []codebuild.TestCase
	// A page may hold less than was asked for, so pages are counted as well.
	for range (most+maxCases-1)/maxCases + 1 {
		out, err := client.DescribeTestCases(ctx, in)
		if err != nil {
			return list, classify(err)
		}
		for _, t := range out.TestCases {
			list = append(list, testCase(t))
		}
		if out.NextToken == nil || len(list) >= most {
			break
		}
		in.NextToken = out.NextToken
	}
	return list[:min(len(list), most)], nil
}

// testCase takes a case's names and its message, which may hold all that the test printed.
func testCase(t types.TestCase) codebuild.TestCase {
	return codebuild.TestCase{
		Suite:   codebuild.Clip(cmp.Or(strings.TrimSpace(aws.ToString(t.TestSuiteName)), strings.TrimSpace(aws.ToString(t.Prefix)))),
		Name:    codebuild.Clip(strings.TrimSpace(aws.ToString(t.Name))),
		Message: codebuild.Clip(aws.ToString(t.Message)),
	}
}
