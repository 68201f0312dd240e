package guardrail

import (
	"testing"

	"github.com/buildmedic/buildmedic/internal/floor"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
)

// TestFloorOfStatements shows the second lock: statements as settings never
// make them.
func TestFloorOfStatements(t *testing.T) {
	role := "arn:aws:iam::111122223333:role/task"
	for _, row := range []struct {
		name string
		st   iampolicy.Statement
		want Rule
	}{
		{"fine", iampolicy.Allow("x", []string{"ecr:PutImage"}, []string{"*"}), ""},
		{"a write to IAM", iampolicy.Allow("x", []string{"ecr:PutImage", "iam:CreateUser"}, []string{"*"}), FloorNever},
		{"passing without a service", iampolicy.Allow("x", []string{floor.PassRole}, []string{role}), FloorPassRole},
		{"passing to what looks like a service", iampolicy.Allow("x", []string{floor.PassRole}, []string{role},
			iampolicy.Condition{Operator: "StringLike", Key: passedTo, Values: iampolicy.Values{List: []string{"*"}}}), FloorPassRole},
		{"passing any role",
			iampolicy.Allow("x", []string{floor.PassRole}, []string{role + "*"},
				equals(passedTo, "ecs-tasks.amazonaws.com")), FloorPassRole},
		{"passing", iampolicy.Allow("x", []string{floor.PassRole}, []string{role}, equals(passedTo, "ecs-tasks.amazonaws.com")), ""},
		{"assuming any role", iampolicy.Allow("x", []string{"sts:AssumeRole"}, []string{role, "*"}), FloorExact},
		{"assuming one", iampolicy.Allow("x", []string{"sts:AssumeRole"}, []string{role}), ""},
		{"assuming what looks like a stack",
			iampolicy.Allow("x", []string{"sts:AssumeRole"}, []string{"arn:aws:iam::111122223333:role/a:stack/b/*"}),
			FloorExact},
		{"sending to what looks like a secret",
			iampolicy.Allow("x", []string{"ssm:SendCommand"}, []string{"arn:aws:s3:::a:secret:b-??????"}), FloorExact},
		{"changing a stack whose id AWS makes up",
			iampolicy.Allow("x", []string{"cloudformation:UpdateStack"},
				[]string{"arn:aws:cloudformation:eu-west-1:111122223333:stack/a/*"}), ""},
		{"a bound action alone", iampolicy.Allow("x", []string{"ec2:CreateNetworkInterfacePermission"}, []string{"*"}), FloorNever},
		{"a bound action for another",
			iampolicy.Allow("x", []string{"ec2:CreateNetworkInterfacePermission"}, []string{"*"},
				equals("ec2:AuthorizedService", "evil.example.com")), FloorNever},
		{"a bound action",
			iampolicy.Allow("x", []string{"ec2:CreateNetworkInterfacePermission"}, []string{"*"},
				equals("ec2:AuthorizedService", "codebuild.amazonaws.com")), ""},
	} {
		g := grant{statements: []iampolicy.Statement{row.st}}
		r := keepsFloor(shop(), g, denial("ecr:PutImage", repo), g.statements)
		if r == nil && row.want != "" || r != nil && r.Rule != row.want {
			t.Errorf("%s: %+v, want %q", row.name, r, row.want)
		}
	}
}

func TestExpand(t *testing.T) {
	in := shop()
	if got := Expand("arn:${partition}:ecr:${region}:${account}:repository/${project}", in.Build); got != repo {
		t.Errorf("Expand: %q", got)
	}
	in.Build.Project = "*"
	if got := Expand("arn:${partition}:ecr:${region}:${account}:repository/${project}", in.Build); got != "" {
		t.Errorf("a project that is a pattern: %q", got)
	}
}

func equals(key, value string) iampolicy.Condition {
	return iampolicy.Condition{Operator: "StringEquals", Key: key, Values: iampolicy.Values{List: []string{value}}}
}
