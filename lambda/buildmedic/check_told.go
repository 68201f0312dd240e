package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/settings"
)

// hearer is who is told, and of what.
type hearer struct {
	Owner    string   `json:"owner"` // "" is whom notify itself names
	Where    []string `json:"where"` // addresses, a channel, a topic
	Projects []string `json:"projects"`
	// Grants are those of the owner that projects of others have, each as "GRANT of PROJECT".
	Grants []string `json:"grants,omitempty"`
}

// hearers lists who is told of what, those whom notify itself names last.
func hearers(s *settings.Settings) (list []hearer) {
	n := s.Notify
	if len(n.Owners) == 0 {
		return nil
	}
	for _, o := range n.Owners {
		if !o.Reachable() {
			continue
		}
		t := hearer{Owner: o.Name, Where: listeners(settings.Notify{Email: o.Email, Chat: o.Chat}), Projects: []string{}}
		if o.Topic != "" {
			t.Where = []string{o.Topic}
		}
		for _, p := range s.Projects {
			if p.Owner == o.Name {
				t.Projects = append(t.Projects, p.Name)
				continue
			}
			for _, r := range p.Roles() {
				for _, id := range r.Grants {
					one := id + " of " + p.Name
					if g, ok := s.Grant(id); ok && g.Owner == o.Name && !slices.Contains(t.Grants, one) {
						t.Grants = append(t.Grants, one)
					}
				}
			}
		}
		list = append(list, t)
	}
	all := hearer{Where: listeners(n), Projects: []string{}}
	for _, p := range s.Projects {
		if _, owned := n.Owner(p.Owner); !owned || !n.Unowned {
			all.Projects = append(all.Projects, p.Name)
		}
	}
	return append(list, all)
}

// hear says it in a line or two each.
func hear(list []hearer) string {
	if len(list) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("\nWho is told:\n")
	for _, t := range list {
		name, at := t.Owner, listSome(t.Where, 3)
		if name == "" {
			name = "notify"
		}
		if at == "" {
			at = "nobody"
		}
		of := "no project"
		if n := len(t.Projects); n > 0 {
			of = fmt.Sprintf("%s: %s", count(n, "project"), listSome(t.Projects, 5))
		}
		fmt.Fprintf(&b, "  %s (%s): %s\n", plain(name), at, of)
		if n := len(t.Grants); n > 0 {
			fmt.Fprintf(&b, "    and what grants give to others: %s\n", listSome(t.Grants, 5))
		}
	}
	return b.String()
}
