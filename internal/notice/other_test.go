package notice

import (
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/decide"
)

// TestAnotherRole: what was given to another role than the build's is told, recorded and linked as that role's.
func TestAnotherRole(t *testing.T) {
	const exec = "arn:aws:iam::290008131176:role/deploy/shop-exec"
	o := sharedRetrying()
	if r := audited(o); strings.Contains(r, `"role":"arn:aws:iam::290008131176:role/deploy`) {
		t.Fatalf("of the build's own role: %s", r)
	}
	o.Case.Rounds = append([]decide.Round{}, o.Case.Rounds...)
	d := *o.Case.Rounds[o.Round].Decision
	p := *d.Plan
	p.Role, d.Plan = exec, &p
	o.Case.Rounds[o.Round].Decision = &d
	n := tell(newView(o))
	if !strings.HasSuffix(n.Links.Role, "#/roles/details/shop-exec") || len(n.Changes) == 0 || n.Changes[0].Role != exec {
		t.Errorf("links %+v, changes %+v", n.Links, n.Changes)
	}
	if n.Holders == nil || !strings.Contains(n.Holders.Says, "runs as role shop-exec, or deploys with it,") {
		t.Errorf("who has it: %+v", n.Holders)
	}
	if n.Build == nil || strings.Contains(n.Build.Role, "shop-exec") {
		t.Errorf("the build's role: %+v", n.Build)
	}
	if r := audited(o); !strings.Contains(r, `"write":{"kind":"inline","role":"`+exec+`"`) {
		t.Errorf("audit: %s", r)
	}
	mail := Render(o).Email
	if !strings.Contains(mail, "Role: shop-exec, not the build's\n") {
		t.Errorf("mail:\n%s", mail)
	}
	p.NewRole, p.OldRole, p.Write = exec, o.Case.Rounds[o.Round].Build.ServiceRole, nil
	if _, other := newView(o).anotherRole(); other {
		t.Error("a project that is switched to a role counts as one that deploys with it")
	}
}

func audited(o decide.Outcome) string { return string(Audit(o)) }
