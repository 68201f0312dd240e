package awsapi

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/accessanalyzer"
	"github.com/aws/aws-sdk-go-v2/service/accessanalyzer/types"

	"github.com/buildmedic/buildmedic/internal/settings"
)

// Analyzer implements heal.Analyzer.
type Analyzer struct{ Accounts *Accounts }

// Check implements [heal.Analyzer]: ValidatePolicy, of which errors and
// security warnings count, and CheckNoNewAccess (AWS.md#access-analyzer).
func (a Analyzer) Check(ctx context.Context, at settings.Account, existing, after string) ([]string, error) {
	client, err := client(a.Accounts, at, accessanalyzer.NewFromConfig)
	if err != nil {
		return nil, err
	}
	var invalid, wider []string
	err = parallel(ctx,
		func(ctx context.Context) (err error) { invalid, err = validate(ctx, client, after); return err },
		func(ctx context.Context) (err error) {
			wider, err = noNewAccess(ctx, client, existing, after)
			return err
		})
	return append(invalid, wider...), err
}

func validate(ctx context.Context, client *accessanalyzer.Client, doc string) ([]string, error) {
	var found []string
	in := &accessanalyzer.ValidatePolicyInput{PolicyDocument: &doc, PolicyType: types.PolicyTypeIdentityPolicy}
	for p := accessanalyzer.NewValidatePolicyPaginator(client, in); p.HasMorePages(); {
		page, err := p.NextPage(ctx)
		if err != nil {
			return nil, classify(err)
		}
		for _, f := range page.Findings {
			if f.FindingType == types.ValidatePolicyFindingTypeError || f.FindingType == types.ValidatePolicyFindingTypeSecurityWarning {
				found = append(found, fmt.Sprintf("Access Analyzer: %s %s: %s", f.FindingType,
					aws.ToString(f.IssueCode), aws.ToString(f.FindingDetails)))
			}
		}
	}
	return found, nil
}

func noNewAccess(ctx context.Context, client *accessanalyzer.Client, existing, after string) ([]string, error) {
	out, err := client.CheckNoNewAccess(ctx, &accessanalyzer.CheckNoNewAccessInput{ExistingPolicyDocument: &existing,
		NewPolicyDocument: &after,
		PolicyType:        types.AccessCheckPolicyTypeIdentityPolicy})
	if err != nil {
		return nil, classify(err)
	}
	if out.Result == types.CheckNoNewAccessResultPass {
		return nil, nil
	}
	found := []string{"Access Analyzer: " + aws.ToString(out.Message)}
	for _, r := range out.Reasons {
		found = append(found, "Access Analyzer: "+aws.ToString(r.Description))
	}
	return found, nil
}
