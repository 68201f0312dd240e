package heal_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/guardrail"
)

// TestNothingThatALayerWouldSwallow: what the boundary or the organization would deny still is
// refused before it is written, with who can change it; and a layer that only asks for what each
// call carries, such as its region, stands in nobody's way.
func TestNothingThatALayerWouldSwallow(t *testing.T) {
	deny := func(condition string) string {
		return `{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:PutObject", "Resource": "*", ` +
			`"Condition": {` + condition + `}}]}`
	}
	fence := func(action string) string {
		return `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["logs:*", "` + action + `"], ` +
			`"Resource": "*", "Condition": {"StringEquals": {"aws:RequestedRegion": "us-east-1"}}}]}`
	}
	for _, tt := range []struct {
		name, scp, boundary string
		written             bool
		says                string
	}{
		{"regions", deny(`"StringNotEquals": {"aws:RequestedRegion": "us-east-1"}`), "", true, ""},
		{"other regions", deny(`"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}`), "", false, ""},
		{"roles", deny(`"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/role-*"}`), "", true, ""},
		{"boundary", "", fence("s3:*"), true, ""},
		{"boundary without it", "", fence("s3:Get*"), false,
			"permissions boundary arn:aws:iam::111122223333:policy/fence does not"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			world := shop(1, "")
			if tt.scp != "" {
				world += fmt.Sprintf("scps: [{id: p-1, document: '%s'}]\n", tt.scp)
			}
			if tt.boundary != "" {
				world = strings.Replace(world, "  - name: role-0\n", "  - name: role-0\n    boundary: fence\n", 1) +
					fmt.Sprintf("policies: [{name: fence, document: '%s'}]\n", tt.boundary)
			}
			s := open(t, world, shopSettings(1, ""))
			id := s.start("p0")
			s.drain()
			c := s.of(id)
			if written := s.inline("role-0") != ""; written != tt.written {
				t.Errorf("written: %v", written)
			}
			if tt.says != "" && !slices.ContainsFunc(c.Rounds[0].Decision.Refusals, func(r guardrail.Refusal) bool {
				return r.Rule == guardrail.OtherLayer && strings.Contains(r.Message, tt.says)
			}) {
				t.Errorf("refused: %+v", c.Rounds[0].Decision.Refusals)
			}
		})
	}
}
