package story

import (
	"context"
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/simaws"
)

// TestHealerDenied ensures that a permission that the healer itself lacks is named in the subject
// of the notice, whichever call is refused, and that the notice says what to do about it.
func TestHealerDenied(t *testing.T) {
	for operation, action := range map[string]string{
		"BatchGetBuilds":          "codebuild:BatchGetBuilds",
		"GetLogEvents":            "logs:GetLogEvents",
		"SimulatePrincipalPolicy": "iam:SimulatePrincipalPolicy",
		"PutRolePolicy":           "iam:PutRolePolicy",
		"RetryBuild":              "codebuild:RetryBuild",
	} {
		t.Run(action, func(t *testing.T) {
			st, err := Open(named(t, "tracker-api"), Options{Sim: func(s *simaws.Sim) {
				s.Hook(func(c simaws.Call) simaws.Fault {
					if c.Operation != operation {
						return simaws.Fault{}
					}
					return simaws.Fault{Code: "AccessDeniedException",
						Message: "User: arn:aws:sts::290008131176:assumed-role/buildmedic/f " +
							"is not authorized to perform: " + action +
							" because no identity-based policy allows the " + action + " action"}
				})
			}})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(st.Close)
			if err := st.Run(context.Background()); err != nil {
				t.Fatal(err)
			}
			ns := st.Sim.Notices()
			if len(ns) == 0 {
				t.Fatal("there is no notice")
			}
			last := ns[len(ns)-1]
			if want := "Buildmedic itself lacks " + action; !strings.HasSuffix(last.Subject, want) {
				t.Errorf("the subject is %q, want it to end in %q", last.Subject, want)
			}
			mail := last.ByProtocol["email"]
			before, _, _ := strings.Cut(mail, "https://")
			if !strings.Contains(before, "\nTo do: deploy the stack again") || strings.Contains(mail, "advice below") {
				t.Errorf("the mail does not say what to do:\n%s", mail)
			}
		})
	}
}
