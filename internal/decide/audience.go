package decide

import (
	"slices"

	"github.com/buildmedic/buildmedic/internal/settings"
)

// Audience is whom a notice is for.
type Audience struct {
	Owner string `json:"owner,omitempty"` // "": whom notify itself names
	// Guest: the project is not the owner's, who has to do with what its role is given, or with a
	// build that the same change cured. So he is not shown what its builds print.
	Guest bool `json:"guest,omitempty"`
}

// OwnerOf is who looks after the case's project; "" if the settings do not say.
func (o Outcome) OwnerOf() string { return ownerOf(o.Settings, o.Home, o.Case.at(), o.Case.Project) }

func (c Case) at() settings.Account { return settings.Account{ID: c.Account, Region: c.Region} }

func ownerOf(s *settings.Settings, home, at settings.Account, project string) string {
	if s == nil {
		return ""
	}
	p, _ := s.Project(project, at.ID, at.Region, home)
	return p.Owner
}

// Audiences says who is told of the outcome, each once: owners first, in the order of the settings,
// and whom notify itself names last, who then hear what could not be told to an owner.
func Audiences(o Outcome) (list []Audience) {
	if o.Settings == nil {
		return []Audience{{}}
	}
	n := o.Settings.Notify
	if o.Incident != nil {
		return o.incidentAudiences()
	}
	own, guests := o.OwnerOf(), o.guests()
	told := false
	for _, w := range n.Owners {
		switch {
		case !w.Reachable():
		case w.Name == own:
			list, told = append(list, Audience{Owner: w.Name}), true
		case o.Everywhere || slices.Contains(guests, w.Name):
			list = append(list, Audience{Owner: w.Name, Guest: true})
		}
	}
	if !n.Unowned || !told || o.Everywhere || o.Lacks != "" || len(o.Untold) > 0 {
		list = append(list, Audience{})
	}
	return list
}

// incidentAudiences are who is told of an incident: each owner of his own projects, and whom notify
// itself names of all. What the speaker's build printed is only for its own project's owner.
func (o Outcome) incidentAudiences() (list []Audience) {
	n := o.Settings.Notify
	own := o.OwnerOf()
	for _, p := range o.Incident.Owners {
		if w, ok := n.Owner(p.Owner); ok && w.Reachable() {
			list = append(list, Audience{Owner: p.Owner, Guest: p.Owner != own})
		}
	}
	if !n.Unowned || o.Incident.Unowned || len(list) < len(o.Incident.Owners) || len(o.Untold) > 0 || len(list) == 0 {
		list = append(list, Audience{})
	}
	return list
}

// guests are the owners of the grants that were used, or are to be, and of the projects whose builds the same
// change cured.
func (o Outcome) guests() (owners []string) {
	for i, r := range o.Case.Rounds[:min(max(o.Round+1, 0), len(o.Case.Rounds))] {
		proposed := (o.Kind == Proposed || o.Kind == Requested) && i == o.Round
		if r.Decision == nil || r.Old && i != o.Round || r.Written.IsZero() && !r.Partly && !proposed {
			continue
		}
		for _, u := range r.Decision.Used {
			owners = append(owners, u.Owner)
		}
	}
	if o.Followers != nil {
		for _, p := range o.Followers.Projects {
			owners = append(owners, ownerOf(o.Settings, o.Home, o.Case.at(), p))
		}
	}
	return owners
}
