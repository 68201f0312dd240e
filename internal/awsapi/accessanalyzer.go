package awsapi

import (
	"context"
	"errors"
	"fmt"
	"time"

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

// Generated is what Access Analyzer has made of a role's activity.
type Generated struct {
	Principal string   // ARN
	Policies  []string // documents
	Complete  bool     // as Access Analyzer says, of the services that it knows
	From, To  time.Time
}

// ErrRunning: the job has not ended yet.
var ErrRunning = errors.New("the job runs still")

// Generated reads what a job has generated, for the desk; [ErrRunning] as long as it runs.
func (a Analyzer) Generated(ctx context.Context, at settings.Account, job string) (Generated, error) {
	client, err := client(a.Accounts, at, accessanalyzer.NewFromConfig)
	if err != nil {
		return Generated{}, err
	}
	out, err := client.GetGeneratedPolicy(ctx, &accessanalyzer.GetGeneratedPolicyInput{JobId: &job,
		IncludeResourcePlaceholders: aws.Bool(true)})
	if err != nil {
		return Generated{}, classify(err)
	}
	switch d := out.JobDetails; {
	case d == nil:
		return Generated{}, fmt.Errorf("job %q has no status", job)
	case d.Status == types.JobStatusInProgress:
		return Generated{}, ErrRunning
	case d.Status != types.JobStatusSucceeded:
		why := ""
		if d.JobError != nil {
			why = ": " + string(d.JobError.Code) + ": " + aws.ToString(d.JobError.Message)
		}
		return Generated{}, fmt.Errorf("job %q ended as %s%s", job, d.Status, why)
	}
	var g Generated
	if r := out.GeneratedPolicyResult; r != nil {
		for _, p := range r.GeneratedPolicies {
			g.Policies = append(g.Policies, aws.ToString(p.Policy))
		}
		if p := r.Properties; p != nil {
			g.Principal, g.Complete = aws.ToString(p.PrincipalArn), aws.ToBool(p.IsComplete)
			if t := p.CloudTrailProperties; t != nil {
				g.From, g.To = aws.ToTime(t.StartTime), aws.ToTime(t.EndTime)
			}
		}
	}
	return g, nil
}

// Generate has Access Analyzer make a policy of what a role did since then, from a trail that it reads
// as the access role, and gives the job's id.
func (a Analyzer) Generate(ctx context.Context, at settings.Account, role, trail, access string, from time.Time) (job string, err error) {
	client, err := client(a.Accounts, at, accessanalyzer.NewFromConfig)
	if err != nil {
		return "", err
	}
	out, err := client.StartPolicyGeneration(ctx, &accessanalyzer.StartPolicyGenerationInput{
		PolicyGenerationDetails: &types.PolicyGenerationDetails{PrincipalArn: &role},
		CloudTrailDetails: &types.CloudTrailDetails{AccessRole: &access, StartTime: &from,
			Trails: []types.Trail{{CloudTrailArn: &trail, AllRegions: aws.Bool(true)}}},
	})
	if err != nil {
		return "", classify(err)
	}
	return aws.ToString(out.JobId), nil
}
