package simaws_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"

	"github.com/buildmedic/buildmedic/internal/simaws"
)

// A document comes back URL-encoded, byte for byte what was written; role
// names are the same in any case.
func TestInlinePolicyRoundTrip(t *testing.T) {
	s := world(t, `roles: [{name: service-role/codebuild-x}]`)
	c, ctx := dial(s, simaws.FunctionKey, "us-east-1"), deadline(t)
	doc := "{\n  \"Version\": \"2012-10-17\", \"Statement\": {\"Effect\": \"Allow\", \"Action\": \"s3:GetObject\", " +
		"\"Resource\": \"arn:aws:s3:::b/a+b %20/*\"}\n}"
	if _, err := c.iam.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: aws.String("CodeBuild-X"),
		PolicyName: aws.String("p"), PolicyDocument: &doc}); err != nil {
		t.Fatal(err)
	}
	out, err := c.iam.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: aws.String("codebuild-x"), PolicyName: aws.String("p")})
	if err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(*out.PolicyDocument, " \"{+") {
		t.Errorf("the document is not URL-encoded: %s", *out.PolicyDocument)
	}
	for name, decode := range map[string]func(string) (string, error){"query": url.QueryUnescape, "path": url.PathUnescape} {
		if got, err := decode(*out.PolicyDocument); err != nil || got != doc {
			t.Errorf("decoded as %s: %q, %v; want %q", name, got, err, doc)
		}
	}
	role, err := c.iam.GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String("codebuild-x")})
	if err != nil {
		t.Fatal(err)
	}
	if *role.Role.Arn != "arn:aws:iam::111122223333:role/service-role/codebuild-x" || *role.Role.Path != "/service-role/" {
		t.Errorf("role %s, path %s", *role.Role.Arn, *role.Role.Path)
	}
	if _, err := c.iam.DeleteRolePolicy(ctx,
		&iam.DeleteRolePolicyInput{RoleName: aws.String("codebuild-x"), PolicyName: aws.String("p")}); err != nil {
		t.Fatal(err)
	}
	if inline, _ := s.RolePolicies("", "codebuild-x"); len(inline) != 0 {
		t.Errorf("policies %v after the only one was deleted", inline)
	}
}

// Lists are cut into pages, of any size.
func TestIAMPaging(t *testing.T) {
	var text strings.Builder
	text.WriteString("trouble: {iam_page: 2}\npolicies:\n")
	for i := range 5 {
		fmt.Fprintf(&text, "  - {name: m%d, document: %s}\n", i, v1)
	}
	text.WriteString("roles:\n  - {name: r, attached: [m0, m1, m2, m3, m4], inline: {a: " + v1 + ", b: " + v1 + ", c: " + v1 + "}}\n")
	for i := range 4 {
		fmt.Fprintf(&text, "  - {name: u%d, attached: [m0]}\n", i)
	}
	s := world(t, text.String())
	c, ctx := dial(s, simaws.FunctionKey, "us-east-1"), deadline(t)
	var inline, attached, users []string
	for p := iam.NewListRolePoliciesPaginator(c.iam, &iam.ListRolePoliciesInput{RoleName: aws.String("r")}); p.HasMorePages(); {
		page, err := p.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		inline = append(inline, page.PolicyNames...)
	}
	for p := iam.NewListAttachedRolePoliciesPaginator(c.iam,
		&iam.ListAttachedRolePoliciesInput{RoleName: aws.String("r")}); p.HasMorePages(); {
		page, err := p.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if len(page.AttachedPolicies) > 2 {
			t.Errorf("a page of %d", len(page.AttachedPolicies))
		}
		for _, a := range page.AttachedPolicies {
			attached = append(attached, *a.PolicyName)
		}
	}
	for p := iam.NewListEntitiesForPolicyPaginator(
		c.iam, &iam.ListEntitiesForPolicyInput{PolicyArn: aws.String("arn:aws:iam::111122223333:policy/m0")},
	); p.HasMorePages(); {
		page, err := p.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page.PolicyRoles {
			users = append(users, *r.RoleName)
		}
	}
	got := map[string][]string{"inline": inline, "attached": attached, "users": users}
	want := map[string][]string{
		"inline":   {"a", "b", "c"},
		"attached": {"m0", "m1", "m2", "m3", "m4"},
		"users":    {"r", "u0", "u1", "u2", "u3"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

// Versions of a managed policy count up and are never used again.
func TestPolicyVersions(t *testing.T) {
	s := world(t, `policies: [{name: team/m, document: `+v1+`}]`)
	c, ctx := dial(s, simaws.FunctionKey, "us-east-1"), deadline(t)
	arn := aws.String("arn:aws:iam::111122223333:policy/team/m")
	doc := aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}`)
	create := func(setDefault bool) string {
		t.Helper()
		out, err := c.iam.CreatePolicyVersion(ctx,
			&iam.CreatePolicyVersionInput{PolicyArn: arn, PolicyDocument: doc, SetAsDefault: setDefault})
		if err != nil {
			t.Fatal(err)
		}
		if out.PolicyVersion.IsDefaultVersion != setDefault {
			t.Errorf("version %s: default %v", *out.PolicyVersion.VersionId, out.PolicyVersion.IsDefaultVersion)
		}
		return *out.PolicyVersion.VersionId
	}
	if v := create(true); v != "v2" {
		t.Errorf("second version is %s", v)
	}
	if _, err := c.iam.DeletePolicyVersion(ctx, &iam.DeletePolicyVersionInput{PolicyArn: arn, VersionId: aws.String("v1")}); err != nil {
		t.Fatal(err)
	}
	if v := create(false); v != "v3" {
		t.Errorf("third version is %s", v)
	}
	if _, err := c.iam.SetDefaultPolicyVersion(ctx,
		&iam.SetDefaultPolicyVersionInput{PolicyArn: arn, VersionId: aws.String("v3")}); err != nil {
		t.Fatal(err)
	}
	p, err := c.iam.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: arn})
	if err != nil {
		t.Fatal(err)
	}
	list, err := c.iam.ListPolicyVersions(ctx, &iam.ListPolicyVersionsInput{PolicyArn: arn})
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, v := range list.Versions {
		ids = append(ids, *v.VersionId)
	}
	if *p.Policy.DefaultVersionId != "v3" || !slices.Equal(ids, []string{"v3", "v2"}) {
		t.Errorf("default %s, versions %v", *p.Policy.DefaultVersionId, ids)
	}
}

const simulated = `
policies:
  - {name: m, document: '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ecs:*","Resource":"*"},` +
	`{"Effect":"Allow","Action":"iam:PassRole","Resource":"*","Condition":{"StringEquals":{` +
	`"iam:PassedToService":"ecs-tasks.amazonaws.com"}}}]}'}
  - {name: fence, document: '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ecs:Update*","iam:*",` +
	`"s3:*","ecr:*"],"Resource":"*"}]}'}
scps:
  - {id: p-noecr, document: '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"ecr:Delete*","Resource":"*"}]}'}
roles:
  - name: path/r
    attached: [m]
    boundary: fence
    inline:
      own: '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject",` +
	`"Resource":"arn:aws:s3:::b/*"},{"Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::b/secret"}]}'
`

// The simulator judges what is written on the role, with the documents that
// are given besides, the boundary and the organization.
func TestSimulatePrincipalPolicy(t *testing.T) {
	s := world(t, simulated)
	c, ctx := dial(s, simaws.FunctionKey, "us-east-1"), deadline(t)
	ecr := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ecr:*","Resource":"*"}]}`
	tests := []struct {
		name, action, resource string
		input                  string
		service                string // iam:PassedToService
		want                   types.PolicyEvaluationDecisionType
		by                     string
		organization, boundary bool
		missing                []string
	}{
		{"inline allow", "s3:GetObject", "arn:aws:s3:::b/k", "", "", "allowed", "role_r_own", true, true, nil},
		{"inline deny", "s3:GetObject", "arn:aws:s3:::b/secret", "", "", "explicitDeny", "role_r_own", true, true, nil},
		{"nothing says so", "s3:PutObject", "arn:aws:s3:::b/k", "", "", "implicitDeny", "", true, true, nil},
		{"managed allow", "ecs:UpdateService", "*", "", "", "allowed", "m", true, true, nil},
		{"boundary is silent", "ecs:RegisterTaskDefinition", "*", "", "", "implicitDeny", "", true, false, nil},
		{"not yet", "ecr:PutImage", "arn:aws:ecr:us-east-1:111122223333:repository/x", "", "", "implicitDeny", "", true, true, nil},
		{"with more", "ecr:PutImage", "arn:aws:ecr:us-east-1:111122223333:repository/x", ecr, "", "allowed",
			"PolicyInputList.1", true, true, nil},
		{"organization denies", "ecr:DeleteRepository", "arn:aws:ecr:us-east-1:111122223333:repository/x", ecr, "",
			"explicitDeny", "", false, true, nil},
		{"context missing", "iam:PassRole", "arn:aws:iam::111122223333:role/t", "", "", "implicitDeny", "", true, true,
			[]string{"iam:PassedToService"}},
		{"context given", "iam:PassRole", "arn:aws:iam::111122223333:role/t", "", "ecs-tasks.amazonaws.com", "allowed",
			"m", true, true, nil},
		{"context wrong", "iam:PassRole", "arn:aws:iam::111122223333:role/t", "", "ec2.amazonaws.com", "implicitDeny", "", true, true, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := &iam.SimulatePrincipalPolicyInput{PolicySourceArn: aws.String("arn:aws:iam::111122223333:role/path/r"),
				ActionNames: []string{tt.action}, ResourceArns: []string{tt.resource}}
			if tt.input != "" {
				in.PolicyInputList = []string{tt.input}
			}
			if tt.service != "" {
				in.ContextEntries = []types.ContextEntry{{ContextKeyName: aws.String("iam:PassedToService"),
					ContextKeyType: types.ContextKeyTypeEnumString, ContextKeyValues: []string{tt.service}}}
			}
			out, err := c.iam.SimulatePrincipalPolicy(ctx, in)
			if err != nil {
				t.Fatal(err)
			}
			r := out.EvaluationResults[0]
			by, missing := r.MatchedStatements, r.MissingContextValues
			if tt.resource != "*" {
				by, missing = r.ResourceSpecificResults[0].MatchedStatements, r.ResourceSpecificResults[0].MissingContextValues
				if r.ResourceSpecificResults[0].EvalResourceDecision != r.EvalDecision {
					t.Errorf("the resource's decision is %s, the whole's %s",
						r.ResourceSpecificResults[0].EvalResourceDecision, r.EvalDecision)
				}
			} else if len(r.ResourceSpecificResults) > 0 {
				t.Errorf("results by resource for *")
			}
			name := ""
			if len(by) > 0 {
				name = *by[0].SourcePolicyId
			}
			if len(missing) == 0 {
				missing = nil
			}
			if r.EvalDecision != tt.want || name != tt.by || !slices.Equal(missing, tt.missing) {
				t.Errorf("%s by %q, missing %v; want %s by %q, missing %v", r.EvalDecision, name, missing, tt.want, tt.by, tt.missing)
			}
			if r.OrganizationsDecisionDetail.AllowedByOrganizations != tt.organization ||
				r.PermissionsBoundaryDecisionDetail.AllowedByPermissionsBoundary != tt.boundary {
				t.Errorf("organization %v, boundary %v", r.OrganizationsDecisionDetail.AllowedByOrganizations,
					r.PermissionsBoundaryDecisionDetail.AllowedByPermissionsBoundary)
			}
		})
	}
}

// TestSimulateCustomPolicy: documents alone are judged, with the boundary that is given: nothing that is on
// a role, no service control policy, and of whose call it is only what is said.
func TestSimulateCustomPolicy(t *testing.T) {
	s := world(t, simulated)
	c, ctx := dial(s, simaws.FunctionKey, "us-east-1"), deadline(t)
	doc := func(effect, action, condition string) string {
		return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":%q,"Action":%q,"Resource":"*"%s}]}`, effect, action, condition)
	}
	when := func(key, value string) string { return `,"Condition":{"StringEquals":{"` + key + `":"` + value + `"}}` }
	const caller = "arn:aws:iam::111122223333:role/path/gone"
	get, deny := doc("Allow", "s3:Get*", ""), doc("Deny", "s3:GetObject", "")
	for _, tt := range []struct {
		name     string
		docs     []string
		boundary string
		action   string
		caller   string
		want     types.PolicyEvaluationDecisionType
		by       string
		missing  string
	}{
		{"one allows", []string{doc("Allow", "ecs:*", ""), get}, "", "s3:GetObject", "", "allowed", "PolicyInputList.2", ""},
		{"no document", []string{}, "", "s3:GetObject", caller, "implicitDeny", "", ""},
		{"what the role has", []string{get}, "", "ecs:UpdateService", "", "implicitDeny", "", ""},
		{"one denies", []string{get, deny}, "", "s3:GetObject", "", "explicitDeny", "PolicyInputList.2", ""},
		{"what the organization denies", []string{doc("Allow", "ecr:*", "")}, "", "ecr:DeleteRepository", caller, "allowed",
			"PolicyInputList.1", ""},
		{"the boundary allows", []string{get}, doc("Allow", "s3:*", ""), "s3:GetObject", "", "allowed", "PolicyInputList.1", ""},
		{"the boundary is silent", []string{get}, doc("Allow", "ecs:*", ""), "s3:GetObject", "", "implicitDeny", "", ""},
		{"the boundary denies", []string{get}, deny, "s3:GetObject", "", "explicitDeny", "PermissionsBoundaryPolicyInputList.1", ""},
		{"nobody's call", []string{doc("Allow", "s3:*", when("aws:PrincipalArn", caller))}, "", "s3:GetObject", "", "implicitDeny", "",
			"aws:PrincipalArn"},
		{"somebody's call", []string{doc("Allow", "s3:*", when("aws:PrincipalArn", caller))}, "", "s3:GetObject", caller, "allowed",
			"PolicyInputList.1", ""},
		{"the account", []string{doc("Allow", "s3:*", when("aws:PrincipalAccount", "111122223333"))}, "", "s3:GetObject", "",
			"allowed", "PolicyInputList.1", ""},
		{"the organization", []string{doc("Allow", "s3:*", when("aws:PrincipalOrgID", "o-simulated0"))}, "", "s3:GetObject", caller,
			"implicitDeny", "", "aws:PrincipalOrgID"},
	} {
		in := &iam.SimulateCustomPolicyInput{PolicyInputList: tt.docs, ActionNames: []string{tt.action}}
		if tt.boundary != "" {
			in.PermissionsBoundaryPolicyInputList = []string{tt.boundary}
		}
		if tt.caller != "" {
			in.CallerArn = &tt.caller
		}
		out, err := c.iam.SimulateCustomPolicy(ctx, in)
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		r, by := out.EvaluationResults[0], ""
		if len(r.MatchedStatements) > 0 {
			by = *r.MatchedStatements[0].SourcePolicyId
		}
		if r.EvalDecision != tt.want || by != tt.by || strings.Join(r.MissingContextValues, " ") != tt.missing ||
			r.OrganizationsDecisionDetail != nil || (r.PermissionsBoundaryDecisionDetail != nil) != (tt.boundary != "") {
			t.Errorf("%s: %s by %q, missing %v, %+v %+v", tt.name, r.EvalDecision, by, r.MissingContextValues,
				r.OrganizationsDecisionDetail, r.PermissionsBoundaryDecisionDetail)
		}
	}
}

// TestSimulateOrganization: conditions of service control policies count, and what they ask
// for and was not supplied counts as absent, without a word about it.
func TestSimulateOrganization(t *testing.T) {
	s := world(t, `
roles: [{name: r, inline: {own: '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ecr:*","s3:*"],"Resource":"*"}]}'}}]
scps:
  - {id: p-region, document: '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"ecr:*","Resource":"*",`+
		`"Condition":{"StringNotEquals":{"aws:RequestedRegion":"eu-west-1"}}}]}'}
  - {id: p-org, document: '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"*",`+
		`"Condition":{"StringNotEquals":{"aws:PrincipalOrgID":"o-simulated0"}}}]}'}
`)
	c := dial(s, simaws.FunctionKey, "us-east-1")
	for _, tt := range []struct {
		name, action, region string
		want                 types.PolicyEvaluationDecisionType
		allowed              bool
	}{
		{"no region", "ecr:PutImage", "", "explicitDeny", false},
		{"the right region", "ecr:PutImage", "eu-west-1", "allowed", true},
		{"another region", "ecr:PutImage", "us-east-1", "explicitDeny", false},
		{"the organization itself", "s3:GetObject", "", "allowed", true},
	} {
		in := &iam.SimulatePrincipalPolicyInput{PolicySourceArn: aws.String("arn:aws:iam::111122223333:role/r"),
			ActionNames: []string{tt.action}}
		if tt.region != "" {
			in.ContextEntries = []types.ContextEntry{{ContextKeyName: aws.String("aws:RequestedRegion"),
				ContextKeyType: types.ContextKeyTypeEnumString, ContextKeyValues: []string{tt.region}}}
		}
		out, err := c.iam.SimulatePrincipalPolicy(deadline(t), in)
		if err != nil {
			t.Fatal(err)
		}
		r := out.EvaluationResults[0]
		if r.EvalDecision != tt.want || r.OrganizationsDecisionDetail.AllowedByOrganizations != tt.allowed ||
			len(r.MissingContextValues) > 0 {
			t.Errorf("%s: %s, by the organization %v, missing %v", tt.name, r.EvalDecision,
				r.OrganizationsDecisionDetail.AllowedByOrganizations, r.MissingContextValues)
		}
	}
}

// Several actions give a result each; several resources are told apart only
// within it.
func TestSimulateMany(t *testing.T) {
	s := world(t, simulated)
	c := dial(s, simaws.FunctionKey, "us-east-1")
	out, err := c.iam.SimulatePrincipalPolicy(deadline(t), &iam.SimulatePrincipalPolicyInput{
		PolicySourceArn: aws.String("arn:aws:iam::111122223333:role/path/r"),
		ActionNames:     []string{"s3:GetObject", "s3:PutObject"}, ResourceArns: []string{"arn:aws:s3:::b/k", "arn:aws:s3:::b/secret"}})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range out.EvaluationResults {
		got = append(got, *r.EvalActionName+" "+string(r.EvalDecision))
		for _, x := range r.ResourceSpecificResults {
			got = append(got, *x.EvalResourceName+" "+string(x.EvalResourceDecision))
		}
	}
	want := []string{"s3:GetObject explicitDeny", "arn:aws:s3:::b/k allowed", "arn:aws:s3:::b/secret explicitDeny",
		"s3:PutObject explicitDeny", "arn:aws:s3:::b/k implicitDeny", "arn:aws:s3:::b/secret explicitDeny"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}
