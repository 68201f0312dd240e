package main

import (
	"fmt"
	"slices"

	"github.com/buildmedic/buildmedic/internal/settings"
)

// lasting is where the changes of a role are made permanent.
type lasting struct {
	File string   `json:"file"`          // with its repository
	But  []string `json:"but,omitempty"` // grants that end, of which nothing is made permanent
}

// lastingOf says it of the role for which the project stands; nil if nothing that it is given is.
func lastingOf(s *settings.Settings, p settings.Project) *lasting {
	if !p.Permanent.Set() || len(p.Grants) == 0 {
		return nil
	}
	return &lasting{File: s.FileOf(p.Permanent), But: s.Ending(p)}
}

// text says it in a line or two.
func (l *lasting) text(indent string) string {
	if l == nil {
		return ""
	}
	text := fmt.Sprintf("%swhat it is given is asked for in %s, too, and taken back once it has that from there\n", indent, l.File)
	if len(l.But) > 0 {
		text += fmt.Sprintf("%sgrants that end are not asked for there: %s\n", indent, listSome(l.But, 5))
	}
	return text
}

// lasting says in a line for which projects changes are made permanent; "" if for none.
func (c checked) lasting() string {
	var of, but []string
	for _, p := range c.Projects {
		all := []*lasting{p.Permanent}
		for _, a := range p.Also {
			all = append(all, a.Permanent)
		}
		for _, l := range all {
			if l == nil {
				continue
			}
			if !slices.Contains(of, p.Project) {
				of = append(of, p.Project)
			}
			but = append(but, l.But...)
		}
	}
	if len(of) == 0 {
		return ""
	}
	text := "Made permanent in code: " + listSome(of, 5)
	if slices.Sort(but); len(but) > 0 {
		text += "; grants that end are not: " + listSome(slices.Compact(but), 5)
	}
	return text
}
