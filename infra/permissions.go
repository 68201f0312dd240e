package main

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/permissions"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// here is where a stack is deployed, known only then.
func here() permissions.Place {
	return permissions.Place{Partition: *awscdk.Aws_PARTITION(), Region: *awscdk.Aws_REGION(), Account: *awscdk.Aws_ACCOUNT_ID()}
}

// quota is how many managed policies IAM attaches to one role. Where that was
// raised in the accounts concerned, -c policies=N says so.
func quota(stack awscdk.Stack) (int, error) {
	v := option(stack, "policies", strconv.Itoa(permissions.ManagedPolicies))
	n, err := strconv.Atoi(v)
	if err != nil || n < permissions.ManagedPolicies || n > permissions.MostManagedPolicies {
		return 0, fmt.Errorf("context policies is %q: it is how many managed policies IAM attaches to one role, "+
			"from %d to %d", v, permissions.ManagedPolicies, permissions.MostManagedPolicies)
	}
	return n, nil
}

// object is a policy document as a template has it. The CDK's own documents
// are not used: they would merge and reorder statements.
func object(d iampolicy.Document) map[string]any {
	var m map[string]any
	if err := json.Unmarshal(d.Compact(), &m); err != nil {
		panic("infra: a policy document is no JSON: " + err.Error())
	}
	return m
}

// role makes a role with exactly the permissions given, and nothing that
// other constructs would like it to have. cond may be nil.
func role(
	scope constructs.Construct, id, name, description string, trust map[string]any, p permissions.Policies,
	cond awscdk.CfnCondition,
) (awsiam.CfnRole, []awsiam.CfnManagedPolicy) {
	r := awsiam.NewCfnRole(scope, jsii.String(id), &awsiam.CfnRoleProps{
		RoleName: jsii.String(name), Description: jsii.String(description),
		AssumeRolePolicyDocument: map[string]any{"Version": "2012-10-17", "Statement": []any{trust}},
		Policies: []any{&awsiam.CfnRole_PolicyProperty{
			PolicyName: jsii.String("own"), PolicyDocument: object(permissions.Document(p.Inline))}},
	})
	under(r, cond)
	var managed []awsiam.CfnManagedPolicy
	for i, groups := range p.Managed {
		m := awsiam.NewCfnManagedPolicy(scope, jsii.String(fmt.Sprintf("%sProjects%d", id, i+1)), &awsiam.CfnManagedPolicyProps{
			Path:           jsii.String(permissions.Path),
			Description:    jsii.String("What Buildmedic may do for the projects that its settings name."),
			PolicyDocument: object(permissions.Document(groups...)),
			Roles:          &[]any{r.Ref()},
		})
		under(m, cond)
		managed = append(managed, m)
	}
	return r, managed
}

// ready makes the managed policies that the function may attach in an
// account; "" is the hub's own.
func ready(scope constructs.Construct, s *settings.Settings, account string, home permissions.Place, cond awscdk.CfnCondition) error {
	list, err := permissions.Ready(s, account, home)
	if err != nil {
		return err
	}
	for _, a := range list {
		m := awsiam.NewCfnManagedPolicy(scope, jsii.String("Ready"+account+a.ID), &awsiam.CfnManagedPolicyProps{
			ManagedPolicyName: jsii.String(a.Name), Path: jsii.String(permissions.Path), PolicyDocument: object(a.Document),
			Description: jsii.String("Buildmedic may attach this grant, and cannot change it."),
		})
		under(m, cond)
	}
	return nil
}

func under(r awscdk.CfnResource, cond awscdk.CfnCondition) {
	if cond != nil {
		r.CfnOptions().SetCondition(cond)
	}
}
