package permissions

import (
	"fmt"
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// Attachment is a managed policy that holds one grant of one project. The
// function may attach it, and cannot change it.
type Attachment struct {
	ID       string // of letters and digits, unique in its account
	Name     string // under Path
	Because  string
	Document iampolicy.Document
}

// managedSize is what IAM takes in one managed policy (AWS.md#quotas).
const managedSize = 6144

// Ready renders the ready-made policies of an account's projects; "" is the
// hub's own. It fails where a policy would be larger than IAM takes, or would
// serve two projects of the same name in two regions, each of which would get
// the other's permissions.
func Ready(s *settings.Settings, account string, home Place) ([]Attachment, error) {
	var list []Attachment
	for _, p := range Projects(s, account) {
		for _, g := range readyMade(s, p) {
			a := Attachment{
				ID:       string(sidOf(p) + sidOf(settings.Project{Name: g.ID})),
				Name:     guardrail.AttachName(p.Name, g.ID),
				Because:  g.Because,
				Document: iampolicy.Document{Version: "2012-10-17"},
			}
			if slices.ContainsFunc(list, func(b Attachment) bool { return b.Name == a.Name }) {
				return nil, fmt.Errorf("project %q: grant %q: a project of that name in another region of the "+
					"account already has the ready-made policy %q: let one of the two write: {inline: NAME}", p.Name,
					g.ID, a.Name)
			}
			for _, st := range g.Statements(p, unknown.home(), unknown.Partition) {
				for i, r := range st.Resource.List {
					st.Resource.List[i] = home.place(p).fill(r)
				}
				for _, c := range st.Condition { // a scope names the project by its ARN
					for i, v := range c.Values.List {
						c.Values.List[i] = home.place(p).fill(v)
					}
				}
				a.Document.Statements = append(a.Document.Statements, st)
			}
			if n := iampolicy.Size(a.Document.Compact()); n > managedSize {
				return nil, fmt.Errorf("project %q: grant %q makes a policy of %d characters, and IAM takes %d: make "+
					"two grants of it", p.Name, g.ID, n, managedSize)
			}
			list = append(list, a)
		}
	}
	return list, nil
}

// readyMade are the grants of which the project has a ready-made policy, each once: what it holds
// does not hang on the role to which it is attached.
func readyMade(s *settings.Settings, p settings.Project) (list []settings.Grant) {
	for _, r := range p.Roles() {
		for _, g := range attachable(s, r) {
			if !slices.ContainsFunc(list, func(h settings.Grant) bool { return h.ID == g.ID }) {
				list = append(list, g)
			}
		}
	}
	return list
}

// attachable are the grants, for the role for which the project stands, that a ready-made policy can
// hold: it gives all of a grant, permanently.
func attachable(s *settings.Settings, p settings.Project) []settings.Grant {
	if !p.Write.Attach || !granted(p) {
		return nil
	}
	var list []settings.Grant
	for _, id := range p.Grants {
		if g, ok := s.Grant(id); ok && g.Give == settings.GiveSet && g.Expires == 0 {
			list = append(list, g)
		}
	}
	return list
}

// unknown stands for the hub's place, which may be known only to the
// deployment, while settings fill in their placeholders: they take no values
// that are placeholders again. Nothing in AWS has these names.
var unknown = Place{Partition: "aws-buildmedic-hub", Account: "000000000000", Region: "buildmedic-hub-0"}

func (at Place) home() settings.Account { return settings.Account{ID: at.Account, Region: at.Region} }

// fill puts the place where unknown stands.
func (at Place) fill(s string) string {
	return strings.NewReplacer(unknown.Partition, at.Partition, unknown.Account, at.Account, unknown.Region, at.Region).Replace(s)
}

// filled is the group with the place where unknown stands.
func (at Place) filled(g Group) Group {
	all := func(v iampolicy.Values) iampolicy.Values {
		v.List = slices.Clone(v.List)
		for i := range v.List {
			v.List[i] = at.fill(v.List[i])
		}
		return v
	}
	g.Permissions = slices.Clone(g.Permissions)
	for i := range g.Permissions {
		p := &g.Permissions[i]
		p.Resource, p.Condition = all(p.Resource), slices.Clone(p.Condition)
		for j := range p.Condition {
			p.Condition[j].Values = all(p.Condition[j].Values)
		}
	}
	return g
}
