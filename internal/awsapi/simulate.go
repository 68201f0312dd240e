package awsapi

import (
	"context"
	"fmt"
	"maps"
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
//
// What each real call carries is said, too: a service control policy is judged as if
// what is not said were absent, and nothing in the answer tells.
func (i IAM) Simulate(
	ctx context.Context, at settings.Account, r codebuild.Role, qs []guardrail.Question, extra []string,
) ([]guardrail.Answer, error) {
	arn := r.ARN()
	return i.simulate(ctx, at, r, qs, func(ctx context.Context, client *iam.Client, c call, each results) error {
		for p := iam.NewSimulatePrincipalPolicyPaginator(client, &iam.SimulatePrincipalPolicyInput{PolicySourceArn: &arn,
			PolicyInputList: extra, ActionNames: c.actions, ResourceArns: c.resources, ContextEntries: c.context}); p.HasMorePages(); {
			page, err := p.NextPage(ctx)
			if err != nil {
				return classify(err)
			}
			each(page.EvaluationResults)
		}
		return nil
	})
}

// SimulateDocuments answers the questions as if the documents were all that is on the role, by
// SimulateCustomPolicy and else as Simulate does. No service control policy is looked at
// (AWS.md#policy-simulator): what one forbids, it forbids whichever policy of the role allows it.
func (i IAM) SimulateDocuments(
	ctx context.Context, at settings.Account, r codebuild.Role, docs []string, boundary *string, qs []guardrail.Question,
) ([]guardrail.Answer, error) {
	arn := r.ARN()
	var bounds []string
	if boundary != nil {
		bounds = []string{*boundary}
	}
	docs = append([]string{}, docs...) // of none, too, a list: it is required
	return i.simulate(ctx, at, r, qs, func(ctx context.Context, client *iam.Client, c call, each results) error {
		for p := iam.NewSimulateCustomPolicyPaginator(client, &iam.SimulateCustomPolicyInput{CallerArn: &arn, PolicyInputList: docs,
			PermissionsBoundaryPolicyInputList: bounds, ActionNames: c.actions, ResourceArns: c.resources,
			ContextEntries: c.context}); p.HasMorePages(); {
			page, err := p.NextPage(ctx)
			if err != nil {
				return classify(err)
			}
			each(page.EvaluationResults)
		}
		return nil
	})
}

// call is what one call of either asks: actions on one resource, and what the real call carries.
type call struct {
	actions, resources []string
	context            []types.ContextEntry
}

// results takes those of a page.
type results func([]types.EvaluationResult)

// simulate asks the questions about the role's calls, those together that one call can ask.
func (i IAM) simulate(
	ctx context.Context, at settings.Account, r codebuild.Role, qs []guardrail.Question,
	ask func(ctx context.Context, client *iam.Client, c call, each results) error,
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
		c := one(at, r, qs, group)
		fns = append(fns, func(ctx context.Context) error {
			return ask(ctx, client, c, func(page []types.EvaluationResult) {
				for _, res := range page {
					for _, i := range group {
						if strings.EqualFold(qs[i].Action, aws.ToString(res.EvalActionName)) {
							answers[i] = answer(res)
							answers[i].By = strings.TrimPrefix(answers[i].By, "role_"+r.Name+"_") // of an inline policy
						}
					}
				}
			})
		})
	}
	return answers, parallel(ctx, fns...)
}

// together groups the indexes of the questions that one call can ask.
func together(qs []guardrail.Question) [][]int {
	var groups [][]int
	at := map[string]int{}
	for i, q := range qs {
		key := fmt.Sprint(q.Resource, "\x00", global(q.Action), q.Context)
		g, ok := at[key]
		if !ok {
			g = len(groups)
			at[key], groups = g, append(groups, nil)
		}
		groups[g] = append(groups[g], i)
	}
	return groups
}

// one is the call that asks the questions of a group.
func one(at settings.Account, r codebuild.Role, qs []guardrail.Question, group []int) (c call) {
	for _, i := range group {
		if !slices.Contains(c.actions, qs[i].Action) {
			c.actions = append(c.actions, qs[i].Action)
		}
	}
	if res := qs[group[0]].Resource; res != "" && res != "*" {
		c.resources = []string{res}
	}
	said := carried(at, r, qs[group[0]])
	for _, k := range slices.Sorted(maps.Keys(said)) {
		c.context = append(c.context,
			types.ContextEntry{ContextKeyName: aws.String(k), ContextKeyType: kindOf(k), ContextKeyValues: said[k]})
	}
	return c
}

// carried is what the real call carries, as far as it is known, with what the question
// says of it. Whom it is made by is certain. Where it is made is what the resource says,
// and else the build's own region, which the AWS CLI and SDKs use in a build
// unless told otherwise (AWS.md#policy-simulator).
func carried(at settings.Account, r codebuild.Role, q guardrail.Question) map[string][]string {
	said := map[string][]string{"aws:PrincipalArn": {r.ARN()}}
	region := at.Region
	if a, ok := codebuild.ParseARN(q.Resource); ok && a.Region != "" {
		region = a.Region
	}
	if global(q.Action) {
		region = ""
		if r.Partition == "aws" {
			region = "us-east-1"
		}
	}
	if region != "" {
		said["aws:RequestedRegion"] = []string{region}
	}
	for k, vs := range q.Context {
		maps.DeleteFunc(said, func(have string, _ []string) bool { return strings.EqualFold(have, k) })
		said[k] = vs
	}
	return said
}

// global reports services with one endpoint for all regions, which is in us-east-1.
func global(action string) bool {
	service, _, _ := strings.Cut(strings.ToLower(action), ":")
	return slices.Contains([]string{"cloudfront", "iam", "organizations", "route53"}, service)
}

// kindOf is the type of a context entry. IAM has none for ARNs: they are strings (AWS.md#build-keys).
func kindOf(key string) types.ContextKeyTypeEnum {
	switch {
	case strings.EqualFold(key, "aws:CurrentTime"):
		return types.ContextKeyTypeEnumDate
	case strings.EqualFold(key, settings.ProjectKey), strings.EqualFold(key, settings.BuildKey):
		return types.ContextKeyTypeEnumString
	}
	return types.ContextKeyTypeEnumStringList
}

func answer(res types.EvaluationResult) guardrail.Answer {
	a := guardrail.Answer{Missing: res.MissingContextValues}
	decision, boundary := res.EvalDecision, res.PermissionsBoundaryDecisionDetail
	if len(res.ResourceSpecificResults) == 1 {
		s := res.ResourceSpecificResults[0]
		decision, a.Missing = s.EvalResourceDecision, s.MissingContextValues
		if s.PermissionsBoundaryDecisionDetail != nil {
			boundary = s.PermissionsBoundaryDecisionDetail
		}
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
	switch o := res.OrganizationsDecisionDetail; {
	case o != nil && !o.AllowedByOrganizations:
		a.By = guardrail.ByOrganizations
	case boundary != nil && !boundary.AllowedByPermissionsBoundary:
		a.By = guardrail.ByBoundary
	case len(res.MatchedStatements) > 0:
		a.By = aws.ToString(res.MatchedStatements[0].SourcePolicyId)
	}
	if a.Verdict == iampolicy.Allowed && guardrail.Elsewhere(a.By) {
		a.Verdict = iampolicy.Unknown // an answer that contradicts itself is none
	}
	return a
}
