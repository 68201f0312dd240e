package awsapi

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// IAM implements heal.Roles, heal.Simulator and heal.Policies.
type IAM struct{ Accounts *Accounts }

func (i IAM) client(at settings.Account) (*iam.Client, error) {
	return client(i.Accounts, at, iam.NewFromConfig)
}

// document decodes a policy document: IAM answers with it URL-encoded
// (AWS.md#policy-writes). A plus sign is a plus sign.
func document(s *string) (string, error) {
	doc, err := url.PathUnescape(aws.ToString(s))
	if err != nil {
		return "", fmt.Errorf("decoding policy document: %w", err)
	}
	return doc, nil
}

// Role implements [heal.Roles]. What can be read at the same time is.
func (i IAM) Role(ctx context.Context, at settings.Account, r codebuild.Role, named settings.Write) (guardrail.RoleState, error) {
	client, err := i.client(at)
	if err != nil {
		return guardrail.RoleState{}, err
	}
	s := guardrail.RoleState{Role: r, Inline: map[string]string{}}
	fns := []func(context.Context) error{
		func(ctx context.Context) error { return readRole(ctx, client, r, &s) },
		func(ctx context.Context) (err error) { s.Inline, err = inlinePolicies(ctx, client, r.Name); return err },
		func(ctx context.Context) (err error) {
			s.Managed, err = attachedPolicies(ctx, client, r.Name)
			return err
		},
	}
	if named.Managed != "" {
		fns = append(fns, func(ctx context.Context) (err error) {
			s.Named, err = namedPolicy(ctx, client, r, named.Managed)
			return err
		})
	}
	if err := parallel(ctx, fns...); err != nil {
		return guardrail.RoleState{}, err
	}
	if s.Named != nil {
		s.Named.Attached = slices.ContainsFunc(s.Managed, func(m guardrail.ManagedPolicy) bool { return m.ARN == s.Named.ARN })
	}
	return s, nil
}

// readRole reads the role itself and its boundary's document.
func readRole(ctx context.Context, client *iam.Client, r codebuild.Role, s *guardrail.RoleState) error {
	out, err := client.GetRole(ctx, &iam.GetRoleInput{RoleName: &r.Name})
	if err != nil {
		return classify(err)
	}
	if got := aws.ToString(out.Role.Arn); got != r.ARN() {
		return fmt.Errorf("the role named %q is %q, not %q: %w", r.Name, got, r.ARN(), heal.ErrNotFound)
	}
	if s.Trust, err = document(out.Role.AssumeRolePolicyDocument); err != nil {
		return err
	}
	s.Linked = strings.HasPrefix(aws.ToString(out.Role.Path), "/aws-service-role/")
	if t := out.Role.SourceRoleTemplate; t != nil {
		s.Template = aws.ToString(t.TemplateArn)
	}
	if b := out.Role.PermissionsBoundary; b != nil {
		p, err := managedPolicy(ctx, client, aws.ToString(b.PermissionsBoundaryArn))
		if err != nil {
			return err
		}
		s.Boundary = &p
	}
	return nil
}

func inlinePolicies(ctx context.Context, client *iam.Client, role string) (map[string]string, error) {
	var names []string
	for p := iam.NewListRolePoliciesPaginator(client, &iam.ListRolePoliciesInput{RoleName: &role}); p.HasMorePages(); {
		page, err := p.NextPage(ctx)
		if err != nil {
			return nil, classify(err)
		}
		names = append(names, page.PolicyNames...)
	}
	docs := make([]string, len(names))
	var fns []func(context.Context) error
	for i, name := range names {
		fns = append(fns, func(ctx context.Context) (err error) {
			docs[i], err = inlinePolicy(ctx, client, role, name)
			return err
		})
	}
	if err := parallel(ctx, fns...); err != nil {
		return nil, err
	}
	m := map[string]string{}
	for i, name := range names {
		m[name] = docs[i]
	}
	return m, nil
}

// inlinePolicy reads one inline policy; "" if there is none of that name.
func inlinePolicy(ctx context.Context, client *iam.Client, role, name string) (string, error) {
	out, err := client.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: &role, PolicyName: &name})
	if err := classify(err); errors.Is(err, heal.ErrNotFound) {
		return "", nil
	} else if err != nil {
		return "", err
	}
	return document(out.PolicyDocument)
}

func attachedPolicies(ctx context.Context, client *iam.Client, role string) ([]guardrail.ManagedPolicy, error) {
	arns, err := attachedARNs(ctx, client, role)
	if err != nil {
		return nil, err
	}
	ps := make([]guardrail.ManagedPolicy, len(arns))
	var fns []func(context.Context) error
	for i, arn := range arns {
		fns = append(fns, func(ctx context.Context) (err error) { ps[i], err = managedPolicy(ctx, client, arn); return err })
	}
	err = parallel(ctx, fns...)
	for i := range ps {
		ps[i].Attached = true
	}
	return ps, err
}

func attachedARNs(ctx context.Context, client *iam.Client, role string) ([]string, error) {
	var arns []string
	for p := iam.NewListAttachedRolePoliciesPaginator(client, &iam.ListAttachedRolePoliciesInput{RoleName: &role}); p.HasMorePages(); {
		page, err := p.NextPage(ctx)
		if err != nil {
			return nil, classify(err)
		}
		for _, a := range page.AttachedPolicies {
			arns = append(arns, aws.ToString(a.PolicyArn))
		}
	}
	return arns, nil
}

// awsManaged keeps the documents of AWS's own policies by ARN and version: a
// version never changes.
var awsManaged sync.Map

// managedPolicy reads a managed policy's default version.
func managedPolicy(ctx context.Context, client *iam.Client, arn string) (guardrail.ManagedPolicy, error) {
	out, err := client.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: &arn})
	if err != nil {
		return guardrail.ManagedPolicy{}, classify(err)
	}
	m := guardrail.ManagedPolicy{ARN: arn, Default: aws.ToString(out.Policy.DefaultVersionId)}
	m.Document, err = policyVersion(ctx, client, arn, m.Default)
	return m, err
}

func policyVersion(ctx context.Context, client *iam.Client, arn, version string) (string, error) {
	if doc, ok := awsManaged.Load(arn + " " + version); ok {
		return doc.(string), nil
	}
	v, err := client.GetPolicyVersion(ctx, &iam.GetPolicyVersionInput{PolicyArn: &arn, VersionId: &version})
	if err != nil {
		return "", classify(err)
	}
	doc, err := document(v.PolicyVersion.Document)
	if err == nil && strings.Contains(arn, ":iam::aws:policy/") {
		awsManaged.Store(arn+" "+version, doc)
	}
	return doc, err
}

// namedPolicy reads the customer managed policy that settings name, with its
// versions and users; nil if it does not exist.
func namedPolicy(ctx context.Context, client *iam.Client, r codebuild.Role, name string) (*guardrail.ManagedPolicy, error) {
	arn := r.PolicyARN(name)
	m := guardrail.ManagedPolicy{ARN: arn}
	err := parallel(ctx,
		func(ctx context.Context) (err error) {
			m.Versions, m.Default, err = versions(ctx, client, arn)
			return err
		},
		func(ctx context.Context) (err error) { m.Users, err = users(ctx, client, arn, r.Name); return err })
	if errors.Is(err, heal.ErrNotFound) {
		return nil, nil
	}
	if err == nil {
		m.Document, err = policyVersion(ctx, client, arn, m.Default)
	}
	return &m, err
}

func versions(ctx context.Context, client *iam.Client, arn string) (vs []guardrail.Version, def string, err error) {
	for p := iam.NewListPolicyVersionsPaginator(client, &iam.ListPolicyVersionsInput{PolicyArn: &arn}); p.HasMorePages(); {
		page, err := p.NextPage(ctx)
		if err != nil {
			return nil, "", classify(err)
		}
		for _, v := range page.Versions {
			vs = append(vs, guardrail.Version{ID: aws.ToString(v.VersionId), Created: aws.ToTime(v.CreateDate)})
			if v.IsDefaultVersion {
				def = aws.ToString(v.VersionId)
			}
		}
	}
	return vs, def, nil
}

// users lists who else than the role uses a managed policy.
func users(ctx context.Context, client *iam.Client, arn, role string) ([]string, error) {
	var us []string
	for p := iam.NewListEntitiesForPolicyPaginator(client, &iam.ListEntitiesForPolicyInput{PolicyArn: &arn}); p.HasMorePages(); {
		page, err := p.NextPage(ctx)
		if err != nil {
			return nil, classify(err)
		}
		for _, r := range page.PolicyRoles {
			if aws.ToString(r.RoleName) != role {
				us = append(us, "role "+aws.ToString(r.RoleName))
			}
		}
		for _, u := range page.PolicyUsers {
			us = append(us, "user "+aws.ToString(u.UserName))
		}
		for _, g := range page.PolicyGroups {
			us = append(us, "group "+aws.ToString(g.GroupName))
		}
	}
	return us, nil
}
