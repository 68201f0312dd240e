package iamref

import (
	"slices"
	"strings"
)

// PrintsStar reports whether AWS itself prints arn, with its one star, when it denies the action
// (AWS.md#denied-resource): where the id of what is about to be created will stand, as in
// arn:aws:ec2:eu-west-1:111122223333:vpc/* for ec2:CreateVpc, also when it is tagged while it is
// created; and where a call that lists asks for all.
//
// What an action creates is derived from the reference. A star anywhere else, also in the place of
// what exists already or of a name that the caller chooses, is none of AWS's.
func PrintsStar(action, arn string) bool {
	e := find(action)
	if e == nil || len(arn) > maxARN || strings.Count(arn, "*") != 1 || strings.Contains(arn, "?") {
		return false
	}
	fields := strings.SplitN(arn, ":", 6)
	if len(fields) != 6 || fields[0] != "arn" || !strings.Contains(fields[5], "*") {
		return false
	}
	return slices.ContainsFunc(e.creates(), func(t int) bool { return e.of.starred(t, fields, false) }) ||
		slices.ContainsFunc(e.lists(), func(t int) bool { return e.of.starred(t, fields, true) })
}

// lists gives the types, as indices, of which the action lists all if it is not told which: what
// its name says, or what the reference says that it need not name.
func (e *entry) lists() []int {
	_, name, _ := strings.Cut(e.Name, ":")
	verb := len("List")
	if strings.HasPrefix(name, "Describe") {
		verb = len("Describe")
	} else if !strings.HasPrefix(name, "List") {
		return nil
	}
	noun := plain(name[verb:])
	one := singular(noun)
	var list []int
	for i, r := range e.Resources {
		typ := singular(plain(r.Name))
		if one != noun && (isType(one, r.Name) || strings.HasSuffix(one, typ)) || e.Level == List && !r.Required {
			list = append(list, e.types[i])
		}
	}
	return list
}

// starred reports whether the fields of an ARN name a resource of the type whose id, or if names
// count too whose name, is a star.
func (s *service) starred(t int, fields []string, names bool) bool {
	_, shape, _ := strings.Cut(s.types[t].ARN, "}:")
	resource := strings.SplitN(shape, ":", 4)[3]
	before, after, ok := idOf(resource, names)
	if !ok {
		// API Gateway's POST is on the collection: /restapis for /restapis/*.
		collection, ok := strings.CutSuffix(fields[5], "/*")
		return ok && !strings.HasSuffix(resource, "}") && s.shapes()[t].meets(withResource(fields, collection))
	}
	got, rest, _ := strings.Cut(fields[5], "*")
	return before != "" && strings.HasSuffix(got, before) && strings.HasPrefix(rest, after) && (after != "" || rest == "") &&
		s.shapes()[t].meets(withResource(fields, got+"0"+rest))
}

func withResource(fields []string, resource string) []string {
	return append(slices.Clone(fields[:5]), resource)
}

// idOf finds the variable of a type's pattern that AWS fills when the resource is created: the last
// one, but for names, which the caller chooses; with names, just the last one. before and after are
// the texts around it. RDS alone prints a star for names, too.
func idOf(resource string, names bool) (before, after string, ok bool) {
	end := len(resource)
	for end > 0 {
		i := strings.LastIndex(resource[:end], "${")
		if i < 0 {
			break
		}
		n := strings.IndexByte(resource[i:], '}')
		if name := resource[i+2 : i+n]; strings.Contains(name, "Name") && !names && !slices.Contains(starredNames, name) {
			end = i
			continue
		}
		before = resource[strings.LastIndexByte(resource[:i], '}')+1 : i]
		after = resource[i+n+1:]
		if k := strings.Index(after, "${"); k >= 0 {
			after = after[:k]
		}
		return before, after, true
	}
	return "", "", false
}

// starredNames are the variables of RDS for which it prints a star (AWS.md#denied-resource).
var starredNames = []string{"DbInstanceName", "DbClusterInstanceName", "SnapshotName", "ClusterSnapshotName", "SubnetGroupName",
	"ParameterGroupName", "ClusterParameterGroupName"}

// creatingVerbs begin the names of actions that create what their name goes on to say.
var creatingVerbs = []string{"Create", "Allocate", "Run", "Register", "Import", "Restore", "Copy", "Request", "Purchase",
	"Provision", "Submit", "Start", "Launch"}

// alsoCreated lists types that an action creates besides the one that its name says
// (AWS.md#denied-resource).
func alsoCreated(action string) []string {
	switch action {
	case "ec2:RunInstances":
		return []string{"network-interface", "volume"}
	case "ec2:CreateFleet":
		return []string{"instance", "volume"}
	case "ec2:CreateImage", "ec2:CopyImage", "ec2:RegisterImage":
		return []string{"snapshot"}
	}
	return nil
}

const requestTag = "aws:RequestTag/${TagKey}"

// creates lists the types, as indices, of what the action creates. It is a creating action by its
// verb; if it takes tags for something new, one whose name says otherwise may be about the one type
// that it requires. An action that tags may be about whatever is created in its service.
func (e *entry) creates() []int {
	switch {
	case e.Level == Tagging:
		return e.of.tagged(e)
	case e.Level != Write:
		return nil
	case e.Name == "apigateway:POST": // named after the method: what it takes are collections
		return e.types
	}
	noun, ok := e.noun()
	if !ok {
		return nil
	}
	var list []int
	for t, r := range e.of.types {
		if saysType(noun, r.Name) && (slices.Contains(e.types, t) || isType(noun, r.Name)) ||
			slices.Contains(alsoCreated(e.Name), r.Name) {
			list = append(list, t)
		}
	}
	if len(list) == 0 && slices.Contains(e.Conditions, requestTag) {
		list = e.onlyRequired()
	}
	return list
}

// onlyRequired gives the one type that the action requires, unless another action creates that.
func (e *entry) onlyRequired() []int {
	var list []int
	for i, r := range e.Resources {
		if r.Required {
			list = append(list, e.types[i])
		}
	}
	if len(list) != 1 {
		return nil
	}
	for _, other := range e.of.actions {
		if noun, ok := other.noun(); ok && saysType(noun, e.of.types[list[0]].Name) {
			return nil
		}
	}
	return list
}

// noun gives what the action's name says that it creates: "securitygroup".
func (e *entry) noun() (string, bool) {
	_, name, _ := strings.Cut(e.Name, ":")
	for _, v := range creatingVerbs {
		if rest, ok := strings.CutPrefix(name, v); ok && rest != "" && rest[0] >= 'A' && rest[0] <= 'Z' {
			return singular(plain(rest)), true
		}
	}
	return "", false
}

// saysType reports whether the noun of an action's name is a type's name: "loadbalancer" is
// "loadbalancer/app/", "flowlog" is "vpc-flow-log".
func saysType(noun, typ string) bool {
	return isType(noun, typ) || len(noun) > 3 && strings.HasSuffix(singular(plain(typ)), noun)
}

// isType is [saysType] for the whole name.
func isType(noun, typ string) bool {
	first, _, _ := strings.Cut(typ, "/")
	return noun == singular(plain(first))
}

// tagged lists the types of an action that tags which some action of the service creates.
func (s *service) tagged(e *entry) []int {
	_, name, _ := strings.Cut(e.Name, ":")
	if !strings.HasPrefix(name, "Tag") && !strings.HasPrefix(name, "Add") && !strings.HasPrefix(name, "Create") {
		return nil // it takes tags away
	}
	made := map[int]bool{}
	for i := range s.actions {
		if a := &s.actions[i]; a.Level == Write {
			for _, t := range a.creates() {
				made[t] = true
			}
		}
	}
	var list []int
	for _, t := range e.types {
		if made[t] {
			list = append(list, t)
		}
	}
	return list
}

// plain gives a name's letters and digits in lower case.
func plain(name string) string {
	var b strings.Builder
	for _, c := range []byte(lower(name)) {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' {
			b.WriteByte(c)
		}
	}
	return b.String()
}

func singular(noun string) string {
	if rest, ok := strings.CutSuffix(noun, "ies"); ok {
		return rest + "y"
	}
	if strings.HasSuffix(noun, "ss") {
		return noun
	}
	return strings.TrimSuffix(noun, "s")
}
