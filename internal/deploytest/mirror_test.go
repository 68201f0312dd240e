package deploytest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/buildmedic/buildmedic/internal/simaws"
)

// mirror shows the simulated account the policies that the emulator's IAM
// has, so that a build there, and the simulator of policies, judge by what was really written.
type mirror struct {
	from, to *iam.Client
	roles    []string
	mu       sync.Mutex
}

// sync brings the roles' policies over. An attached policy that the simulated
// account has too gets its default version's text; any other is shown as an
// inline policy of its name, which means the same to who judges the role.
func (m *mirror) sync(ctx context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, role := range m.roles {
		if err := m.role(ctx, role); err != nil {
			return fmt.Errorf("mirroring role %s: %w", role, err)
		}
	}
	return nil
}

func (m *mirror) role(ctx context.Context, role string) error {
	want, attached, err := policies(ctx, m.from, role)
	if err != nil {
		return err
	}
	have, ours, err := policies(ctx, m.to, role)
	if err != nil {
		return err
	}
	for arn, text := range attached {
		old, known := ours[arn]
		if !known {
			want[arn[strings.LastIndexByte(arn, '/')+1:]] = text
		} else if old != text {
			if _, err := m.to.CreatePolicyVersion(ctx, &iam.CreatePolicyVersionInput{
				PolicyArn: &arn, PolicyDocument: &text, SetAsDefault: true}); err != nil {
				return err
			}
		}
	}
	for name := range have {
		if _, ok := want[name]; !ok {
			if _, err := m.to.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: &role, PolicyName: &name}); err != nil {
				return err
			}
		}
	}
	for name, text := range want {
		if have[name] != text {
			if _, err := m.to.PutRolePolicy(ctx, &iam.PutRolePolicyInput{
				RoleName: &role, PolicyName: &name, PolicyDocument: &text}); err != nil {
				return err
			}
		}
	}
	return nil
}

// policies reads the documents of a role's inline policies by name, and of
// those attached by ARN. A role that is not there has none.
func policies(ctx context.Context, c *iam.Client, role string) (inline, attached map[string]string, err error) {
	inline, attached = map[string]string{}, map[string]string{}
	names, err := c.ListRolePolicies(ctx, &iam.ListRolePoliciesInput{RoleName: &role})
	if none := (*types.NoSuchEntityException)(nil); errors.As(err, &none) {
		return inline, attached, nil
	} else if err != nil {
		return nil, nil, err
	}
	for _, name := range names.PolicyNames {
		p, err := c.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: &role, PolicyName: &name})
		if err != nil {
			return nil, nil, err
		}
		if inline[name], err = url.PathUnescape(aws.ToString(p.PolicyDocument)); err != nil {
			return nil, nil, err
		}
	}
	list, err := c.ListAttachedRolePolicies(ctx, &iam.ListAttachedRolePoliciesInput{RoleName: &role})
	if err != nil {
		return nil, nil, err
	}
	for _, a := range list.AttachedPolicies {
		p, err := c.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: a.PolicyArn})
		if err != nil {
			return nil, nil, err
		}
		v, err := c.GetPolicyVersion(ctx, &iam.GetPolicyVersionInput{PolicyArn: a.PolicyArn, VersionId: p.Policy.DefaultVersionId})
		if err != nil {
			return nil, nil, err
		}
		if attached[*a.PolicyArn], err = url.PathUnescape(aws.ToString(v.PolicyVersion.Document)); err != nil {
			return nil, nil, err
		}
	}
	return inline, attached, nil
}

// client is IAM's client at an endpoint.
func client(endpoint, key string) *iam.Client {
	return iam.NewFromConfig(aws.Config{Region: "us-west-2", BaseEndpoint: &endpoint,
		Credentials: credentials.NewStaticCredentialsProvider(key, "test", "")})
}

// TestMirror ensures that what is written in one account's IAM is what the
// other judges by, and that it is gone there once it is gone here.
func TestMirror(t *testing.T) {
	world := func(inline, managed string) *simaws.Sim {
		sim, err := simaws.Load([]byte(`
account: "290008131176"
policies:
  - {name: shared, document: '` + managed + `'}
roles:
  - {name: build, attached: [shared], inline: {` + inline + `}}
`))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(sim.Close)
		return sim
	}
	document := func(action string) string {
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"` + action + `","Resource":"*"}]}`
	}
	from := world(`base: '`+document("logs:PutLogEvents")+`', new: '`+document("ecr:PutImage")+`'`,
		document("ecs:UpdateService"))
	to := world(`base: '`+document("logs:CreateLogGroup")+`', old: '`+document("s3:GetObject")+`'`,
		document("ecs:DescribeServices"))
	m := &mirror{from: client(from.URL(), simaws.OwnerKey), to: client(to.URL(), simaws.OwnerKey),
		roles: []string{"build", "not-there"}}
	for range 2 { // the second time there is nothing to do
		if err := m.sync(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	inline, attached := to.RolePolicies("", "build")
	if len(inline) != 2 || inline["base"] != document("logs:PutLogEvents") || inline["new"] != document("ecr:PutImage") {
		t.Errorf("inline policies: %v", inline)
	}
	if len(attached) != 1 {
		t.Fatalf("attached: %v", attached)
	}
	vs := to.PolicyVersions(attached[0])
	at := slices.IndexFunc(vs, func(v simaws.PolicyVersion) bool { return v.Default })
	if len(vs) != 2 || vs[at].Document != document("ecs:UpdateService") {
		t.Errorf("versions of the managed policy: %+v", vs)
	}
}
