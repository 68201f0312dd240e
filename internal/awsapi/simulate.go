package awsapi

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// Simulate implements [heal.Simulator] by SimulatePrincipalPolicy, with its
// caveats (AWS.md#policy-simulator): it knows identity policies, boundary and service
// control policies, and no other layer. Questions about the same resource go
// together in one call; the calls run at the same time.
func (i IAM) Simulate(
	ctx context.Context, at settings.Account, r codebuild.Role, qs []guardrail.Question, extra []string,
) ([]guardrail.Answer, error) {
	client, err := i.client(at)
	if err != nil {
		return nil, err
	}
	answers := make([]guardrail.Answer, len(qs))
	for i := range answers {
		answers[i].Verdict = iampolicy.Unknown // until IAM has answered
	}
	var fns []func(context.Context) error
	for _, group := range together(qs) {
		fns = append(fns, func(ctx context.Context) error { return simulate(ctx, client, r, qs, group, extra, answers) })
	}
	return answers, parallel(ctx, fns...)
}

// together groups the indexes of the questions that one call can ask.
func together(qs []guardrail.Question) [][]int {
	var groups [][]int
	at := map[string]int{}
	for i, q := range qs {
		key := q.Resource + "\x00" + fmt.Sprint(q.Context)
		g, ok := at[key]
		if !ok {
			g = len(groups)
			at[key], groups = g, append(groups, nil)
		}
		groups[g] = append(groups[g], i)
	}
	return groups
}

func simulate(
	ctx context.Context, client *iam.Client, r codebuild.Role, qs []guardrail.Question, group []int, extra []string,
	answers []guardrail.Answer,
) error {
	arn := r.ARN()
	in := &iam.SimulatePrincipalPolicyInput{PolicySourceArn: &arn, PolicyInputList: extra}
	for _, i := range group {
		if !slices.Contains(in.ActionNames, qs[i].Action) {
			in.ActionNames = append(in.ActionNames, qs[i].Action)
		}
	}
	if res := qs[group[0]].Resource; res != "" && res != "*" {
		in.ResourceArns = []string{res}
	}
	for k, vs := range qs[group[0]].Context {
		kind := types.ContextKeyTypeEnumStringList
		if strings.EqualFold(k, "aws:CurrentTime") {
			kind = types.ContextKeyTypeEnumDate
		}
		in.ContextEntries = append(in.ContextEntries,
			types.ContextEntry{ContextKeyName: aws.String(k), ContextKeyType: kind, ContextKeyValues: vs})
	}
	for p := iam.NewSimulatePrincipalPolicyPaginator(client, in); p.HasMorePages(); {
		page, err := p.NextPage(ctx)
		if err != nil {
			return classify(err)
		}
		for _, res := range page.EvaluationResults {
			for _, i := range group {
				if strings.EqualFold(qs[i].Action, aws.ToString(res.EvalActionName)) {
					answers[i] = answer(res)
				}
			}
		}
	}
	return nil
}

func answer(res types.EvaluationResult) guardrail.Answer {
	a := guardrail.Answer{Missing: res.MissingContextValues}
	decision := res.EvalDecision
	if len(res.ResourceSpecificResults) == 1 {
		s := res.ResourceSpecificResults[0]
		decision, a.Missing = s.EvalResourceDecision, append(a.Missing, s.MissingContextValues...)
	}
	switch decision {
	case types.PolicyEvaluationDecisionTypeAllowed:
		a.Verdict = iampolicy.Allowed
	case types.PolicyEvaluationDecisionTypeExplicitDeny:
		a.Verdict = iampolicy.ExplicitDeny
	case types.PolicyEvaluationDecisionTypeImplicitDeny:
		a.Verdict = iampolicy.ImplicitDeny
	default:
		a.Verdict = iampolicy.Unknown
	}
	switch o, b := res.OrganizationsDecisionDetail, res.PermissionsBoundaryDecisionDetail; {
	case o != nil && !o.AllowedByOrganizations:
		a.By = "organizations"
	case b != nil && !b.AllowedByPermissionsBoundary:
		a.By = "boundary"
	case len(res.MatchedStatements) > 0:
		a.By = aws.ToString(res.MatchedStatements[0].SourcePolicyId)
	}
	return a
}
