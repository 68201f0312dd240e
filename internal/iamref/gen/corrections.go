package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// corrections is what the other inputs have wrong or lack.
type corrections struct {
	Operations map[string]struct {
		Actions []string
		Why     string
	}
	Resources []struct {
		Actions       []string // these actions, or
		Service, Like string   // all actions of the service that take the type Like
		Name, ARN     string   // take this one too
		Why           string
	}
	// NotByName has actions, or services' prefixes, that the name of an
	// operation alone does not mean, each with the reason.
	NotByName map[string]string `json:"not_by_name"`
}

func readCorrections(data []byte) (*corrections, error) {
	c := &corrections{}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(c); err != nil {
		return nil, err
	}
	for name, o := range c.Operations {
		if o.Why == "" || len(o.Actions) == 0 {
			return nil, fmt.Errorf("operation %s needs actions and a reason", name)
		}
	}
	for _, r := range c.Resources {
		if r.Why == "" {
			return nil, fmt.Errorf("resource %s needs a reason", r.ARN)
		}
	}
	return c, nil
}

func (c *corrections) addResources(ref *reference) error {
	for name := range c.NotByName {
		if _, ok := ref.find(name); !ok && ref.services[name] == nil {
			return fmt.Errorf("not_by_name: there is no %q", name)
		}
	}
	for _, r := range c.Resources {
		prefix := r.Service
		if prefix == "" {
			prefix, _, _ = strings.Cut(r.Actions[0], ":")
		}
		s := ref.services[prefix]
		if s == nil {
			return fmt.Errorf("there is no service %q", prefix)
		}
		if slices.ContainsFunc(s.types, func(t resourceType) bool { return t.arn == r.ARN }) {
			return fmt.Errorf("%s is in the package now: drop the correction", r.ARN)
		}
		s.types = append(s.types, resourceType{r.Name, r.ARN})
		n := 0
		for i := range s.actions {
			a := &s.actions[i]
			like := slices.IndexFunc(a.uses, func(u use) bool { return s.types[u.kind].name == r.Like })
			switch {
			case like >= 0:
				a.uses = append(a.uses, use{len(s.types) - 1, a.uses[like].required})
			case slices.Contains(r.Actions, s.prefix+":"+a.name):
				a.uses = append(a.uses, use{len(s.types) - 1, false})
			default:
				continue
			}
			n++
		}
		if n == 0 || r.Service == "" && n != len(r.Actions) {
			return fmt.Errorf("%s changes %d actions", r.ARN, n)
		}
	}
	return nil
}
