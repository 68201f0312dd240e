// Package iamref knows IAM's service reference: which actions exist, what
// they do, which resources they take, and which action an API operation
// needs.
//
// The data is generated (see gen) and embedded, a block a service; a block is
// parsed when it is first asked for, so looking up one action costs one
// service. Nothing here talks to anything. All functions may be called at once
// from several goroutines, and what they return is shared: do not modify it.
//
// The reference is what AWS documents. Where AWS itself behaves otherwise
// (AWS.md#denied-resource, AWS.md#operation-names), gen/corrections.json adds to
// it, each entry with its reason.
package iamref

import (
	"slices"
	"strings"
)

//go:generate go run ./gen

// Level is what an action does, in the reference's own words.
type Level string

// The levels. The set is closed.
const (
	List        Level = "List"
	Read        Level = "Read"
	Write       Level = "Write"
	Permissions Level = "Permissions management"
	Tagging     Level = "Tagging"
)

// Action is one IAM action.
type Action struct {
	Name  string // canonical case: "ecr:PutImage"
	Level Level
	// Resources are the types that it takes, in the reference's order. Empty:
	// it takes none, and a policy has to say "*" (AWS.md#actions-without-a-resource).
	Resources []ResourceType
	// Dependent are the actions that the caller may need besides, as of 2025:
	// "iam:PassRole". Sorted; not complete.
	Dependent []string
	// Conditions are the condition keys that the action has a value for, on
	// any of its resources; sorted. Global keys that every action has
	// (aws:CurrentTime, …) are not listed.
	Conditions []string
}

// ResourceType is one kind of resource that an action takes.
type ResourceType struct {
	Name string // "repository"
	ARN  string // "arn:${Partition}:ecr:${Region}:${Account}:repository/${RepositoryName}"
	// Required: every call of the action is about a resource of this type.
	Required bool
}

// maxName bounds what is looked up. The longest action has fewer than 100
// characters, the longest resource that IAM reads 2,048.
const (
	maxName = 200
	maxARN  = 2048
)

// Lookup finds an action by its name, in any case.
func Lookup(action string) (Action, bool) {
	a := find(action)
	if a == nil {
		return Action{}, false
	}
	return a.Action, true
}

func find(name string) *entry {
	if len(name) > maxName {
		return nil
	}
	prefix, rest, ok := strings.Cut(lower(name), ":")
	if !ok {
		return nil
	}
	s := load(prefix)
	if s == nil {
		return nil
	}
	i, ok := slices.BinarySearchFunc(s.actions, rest, func(e entry, key string) int {
		return strings.Compare(e.key, key)
	})
	if !ok {
		return nil
	}
	return &s.actions[i]
}

// Services lists all IAM prefixes ("ecr"), sorted.
func Services() []string { return slices.Clone(file().prefixes) }

// Actions lists a service's actions, sorted by name; nil if there is no such
// prefix.
func Actions(service string) []Action {
	s := load(lower(service))
	if s == nil {
		return nil
	}
	list := make([]Action, len(s.actions))
	for i, e := range s.actions {
		list[i] = e.Action
	}
	return list
}

// Expand gives the canonical names of all actions that a policy's Action
// element "ecr:Put*" stands for, sorted; nil if there is none. Both sides of
// the colon may hold * and ?; "*" alone is everything, and loads everything.
func Expand(pattern string) []string {
	if len(pattern) > maxName {
		return nil
	}
	prefix, rest, ok := strings.Cut(lower(pattern), ":")
	if !ok {
		if pattern != "*" {
			return nil
		}
		prefix, rest = "*", "*"
	}
	var names []string
	for _, p := range file().prefixes {
		if !glob(prefix, p) {
			continue
		}
		for _, e := range load(p).actions {
			if glob(rest, e.key) {
				names = append(names, e.Name)
			}
		}
	}
	slices.Sort(names)
	return names
}

// glob matches * and ?. It is linear but for the last *.
func glob(pattern, s string) bool {
	star, mark := -1, 0
	p, i := 0, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == s[i]):
			p++
			i++
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// lower folds ASCII letters only: a look-alike letter of another script is
// not the same action.
func lower(s string) string {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c >= 'A' && c <= 'Z' {
			b := []byte(s)
			for ; i < len(b); i++ {
				if c := b[i]; c >= 'A' && c <= 'Z' {
					b[i] = c + 'a' - 'A'
				}
			}
			return string(b)
		}
	}
	return s
}
