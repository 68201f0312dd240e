package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// api is one service as SDKs know it. Several may share an IAM prefix.
type api struct {
	name    string
	prefix  string
	others  []string
	unknown bool // to the SDKs: retired, or never called through one
}

type apiList struct {
	list   []api
	byName map[string]int // by key(name)
}

// key is how names of services are compared. Package iamref has the same rule.
func key(name string) string {
	var b strings.Builder
	for _, c := range strings.ToLower(name) {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' {
			b.WriteRune(c)
		}
	}
	s := b.String()
	for _, maker := range []string{"amazon", "aws"} {
		if rest, ok := strings.CutPrefix(s, maker); ok && rest != "" {
			s = rest
		}
	}
	return s
}

func readAPIs(text string, ref *reference) (*apiList, error) {
	l := &apiList{byName: map[string]int{}}
	for n, line := range strings.Split(text, "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		prefix, names, ok := strings.Cut(line, ": ")
		if !ok || ref.services[prefix] == nil {
			return nil, fmt.Errorf("line %d: there is no service %q", n+1, prefix)
		}
		parts := strings.Split(names, " | ")
		for _, name := range parts {
			if at, dup := l.byName[key(name)]; dup {
				return nil, fmt.Errorf("line %d: %q is a name of %s already", n+1, name, l.list[at].name)
			}
			l.byName[key(name)] = len(l.list)
		}
		l.list = append(l.list, api{name: parts[0], prefix: prefix, others: parts[1:]})
	}
	// A prefix names itself: the API of that name, else the first listed.
	for _, prefix := range ref.prefixes() {
		if _, ok := l.byName[key(prefix)]; ok {
			continue
		}
		at := slices.IndexFunc(l.list, func(a api) bool { return a.prefix == prefix })
		if at >= 0 {
			l.list[at].others = append(l.list[at].others, prefix)
		} else {
			at = len(l.list)
			l.list = append(l.list, api{name: prefix, prefix: prefix, unknown: true})
		}
		l.byName[key(prefix)] = at
	}
	return l, nil
}

// operation is a row for which "the action has the operation's name" does
// not hold. More than one action: one of these, it is not known which.
type operation struct {
	api     int
	name    string
	actions []string
}

type operationList struct {
	source  string
	rows    []operation
	dropped []string
}

func readOperations(data []byte, cor *corrections, apis *apiList, ref *reference) (*operationList, error) {
	var file struct {
		Source     string
		Operations map[string][]string
	}
	if err := json.Unmarshal(data, &file); err != nil {
		return nil, err
	}
	l := &operationList{source: file.Source}
	for _, name := range slices.Sorted(maps.Keys(file.Operations)) {
		if _, ok := cor.Operations[name]; ok {
			continue
		}
		service, op, _ := strings.Cut(name, ".")
		at, ok := apis.byName[key(service)]
		if !ok {
			l.dropped = append(l.dropped, name+": that service no longer exists")
			continue
		}
		var actions []string
		for _, a := range file.Operations[name] {
			if a, ok := ref.find(a); ok {
				actions = append(actions, a)
			}
		}
		same, exists := ref.find(apis.list[at].prefix + ":" + op)
		switch {
		case exists && slices.Contains(actions, same):
			// The rule gives it; the others the call may need besides.
			others := slices.DeleteFunc(actions, func(a string) bool { return a == same })
			ref.action(same).depend(others)
		case exists:
			// The action is younger than the data: either may be meant.
			l.rows = append(l.rows, operation{at, op, unique(append(actions, same))})
		case len(actions) == 0:
			l.dropped = append(l.dropped, fmt.Sprintf("%s: %v no longer exists", name, file.Operations[name]))
		case len(actions) == 1 && strings.HasPrefix(actions[0], "iam:"):
			l.dropped = append(l.dropped, fmt.Sprintf("%s: only %v of %v exists", name, actions, file.Operations[name]))
		default:
			l.rows = append(l.rows, operation{at, op, unique(actions)})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(cor.Operations)) {
		row, err := correct(name, cor, apis, ref)
		if err != nil {
			return nil, fmt.Errorf("corrections.json: operation %s: %w", name, err)
		}
		l.rows = append(l.rows, row)
	}
	slices.SortFunc(l.rows, func(a, b operation) int {
		if a.api != b.api {
			return a.api - b.api
		}
		return strings.Compare(strings.ToLower(a.name), strings.ToLower(b.name))
	})
	return l, nil
}

func correct(name string, cor *corrections, apis *apiList, ref *reference) (operation, error) {
	service, op, _ := strings.Cut(name, ".")
	at, ok := apis.byName[key(service)]
	if !ok {
		return operation{}, fmt.Errorf("there is no service %q", service)
	}
	if same, ok := ref.find(apis.list[at].prefix + ":" + op); ok {
		return operation{}, fmt.Errorf("%s exists now: drop the correction", same)
	}
	var actions []string
	for _, a := range cor.Operations[name].Actions {
		found, ok := ref.find(a)
		if !ok || found != a {
			return operation{}, fmt.Errorf("there is no action %q", a)
		}
		actions = append(actions, a)
	}
	return operation{at, op, actions}, nil
}
