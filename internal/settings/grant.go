package settings

import (
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/buildmedic/buildmedic/internal/floor"
	"github.com/buildmedic/buildmedic/internal/iamref"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

var grantID = &form{lazyregexp.New(`^[a-z0-9][a-z0-9-]*$`), 64}

const maxExpiry = 365 * 24 * time.Hour

func (r *reader) grants(items iter.Seq[object]) []Grant {
	var list []Grant
	for o := range items {
		g := r.grant(o)
		if i := slices.IndexFunc(list, func(h Grant) bool { return h.ID == g.ID }); i >= 0 && g.ID != "" {
			r.problem(o.node, o.at("id"), "grant %q is there already, in line %d; remove or rename one", g.ID, list[i].Line)
		}
		list = append(list, g)
	}
	return list
}

func (r *reader) grant(o object) Grant {
	g := Grant{
		ID:       o.id("id", grantID, "write lower-case letters, digits and -, such as web-image"),
		Because:  o.required("because", "say in a sentence why the project may have this"),
		Owner:    o.required("owner", "say who answers for it"),
		Set:      o.text("set"),
		Give:     Give(o.oneOf("give")),
		Scope:    Scope(o.oneOf("scope")),
		Unscoped: Unscoped(o.oneOf("unscoped")),
		Create:   o.boolean("create"),
		Evidence: Evidence(o.oneOf("evidence")),
		Expires:  o.duration("expires"),
		Line:     o.node.Line,
	}
	if g.Unscoped == UnscopedApprove && !g.Scoped() {
		o.problem("unscoped", "the grant is the whole role's already; write scope: project, or take it off")
	}
	before := len(r.problems)
	actions := r.content(o, &g)
	resources := r.resources(o.texts("resources"))
	for _, v := range resources {
		g.Resources = append(g.Resources, v.text)
	}
	g.PassRoles = r.passRoles(o)
	if len(r.problems) > before {
		return g // what follows would only repeat them in other words
	}
	r.match(o, actions, resources)
	if g.Create && !slices.ContainsFunc(g.Resources, isRepository) {
		o.problem("create", "no resource names an ECR repository exactly, so there is nothing to create")
	}
	return g
}

// content reads which actions the grant gives: those of its set or its own.
func (r *reader) content(o object, g *Grant) []value {
	switch {
	case o.has("set") && o.has("actions"):
		o.problem("actions", "a grant has a set or actions, not both; make two grants")
		return nil
	case o.has("set"):
		return r.set(o, g)
	case o.has("actions"):
		return r.actions(o, g)
	case o.has("pass_roles"):
		return nil
	}
	o.problem("actions", "missing; give a set (%s), or actions, or pass_roles", strings.Join(floor.SetNames(), ", "))
	return nil
}

func (r *reader) set(o object, g *Grant) []value {
	set, ok := floor.SetNamed(g.Set)
	if !ok {
		if o.value("set").Tag == "!!str" {
			o.problem("set", "there is no set %q%s", clip(g.Set), suggest(g.Set, floor.SetNames(), among(floor.SetNames())))
		}
		return nil
	}
	var list []value
	for _, name := range set.Actions {
		v := value{item{o.value("set"), o.at("set")}, name}
		if r.floor(v, name) {
			list = append(list, v)
		}
	}
	return list
}

func (r *reader) actions(o object, g *Grant) []value {
	items := o.texts("actions")
	if len(items) == 0 && o.value("actions").Kind == yaml.SequenceNode && len(o.value("actions").Content) == 0 {
		o.problem("actions", "empty; list the actions, or remove the grant")
	}
	var list []value
	for _, v := range items {
		name, ok := r.action(v.node, v.path, v.text)
		if !ok || !r.floor(v, name) {
			continue
		}
		if slices.Contains(g.Actions, name) {
			r.flag(v, "%s is there already, in another case; remove one", name)
			continue
		}
		g.Actions = append(g.Actions, name)
		v.text = name
		list = append(list, v)
	}
	return list
}

// action checks that an action is exact and exists, and gives its canonical
// name.
func (r *reader) action(n *yaml.Node, path, text string) (string, bool) {
	if a, ok := iamref.Lookup(text); ok {
		return a.Name, true
	}
	if strings.ContainsAny(text, "*?") {
		r.problem(n, path, "%q is a pattern; name each action%s", clip(text), instead(text))
		return "", false
	}
	r.problem(n, path, "there is no action %q%s", clip(text), nearest(text))
	return "", false
}

// nearest tells what may have been meant by an action that does not exist.
func nearest(text string) string {
	service, name, ok := strings.Cut(text, ":")
	if !ok {
		if names := iamref.ForOperationName(text); len(names) > 0 {
			return "; write it with its service: " + strings.Join(names, " or ")
		}
		return "; write it with its service, such as ecr:PutImage"
	}
	if needs, ok := iamref.ForOperation(service, name); ok {
		return "; the API operation of that name needs " + needs[0]
	}
	actions := iamref.Actions(service)
	if actions == nil {
		return fmt.Sprintf("; no service has the prefix %q", clip(service)) + suggest(service, iamref.Services(), "")
	}
	prefix, _, _ := strings.Cut(actions[0].Name, ":")
	var known []string
	for _, a := range actions {
		known = append(known, strings.TrimPrefix(a.Name, prefix+":"))
	}
	if meant := Near(name, known); meant != "" {
		return fmt.Sprintf("; did you mean %q?", prefix+":"+meant)
	}
	return ""
}

// instead lists what a pattern of actions stands for, if that is not too much.
func instead(pattern string) string {
	const most = 8
	service, _, _ := strings.Cut(pattern, ":")
	if iamref.Actions(service) == nil {
		return ""
	}
	names := iamref.Expand(pattern)
	switch n := len(names); {
	case n == 0:
		return "; it stands for none"
	case n > most:
		return fmt.Sprintf(", such as %s; it stands for %d", names[0], n)
	}
	return ": " + strings.Join(names, ", ")
}

// floor checks an action that the owner lists against what is never granted.
func (r *reader) floor(v value, name string) bool {
	if name == floor.PassRole {
		r.flag(v, "%s is given by pass_roles only: list there, for each service principal, the exact roles "+
			"that may be passed", floor.PassRole)
		return false
	}
	if h, why := floor.Of(name); h == floor.Never {
		r.flag(v, "%s", why)
		return false
	}
	return true
}

// match checks that actions and resources belong together. An action that the
// owner lists must fit some resource; of a set, what fits none is left out.
// Every resource must be of use to some action, and exact where one of them
// asks for it.
func (r *reader) match(o object, actions, resources []value) {
	fitted := map[string]bool{} // actions with a resource to be on
	for _, res := range resources {
		users := r.users(actions, res)
		for _, name := range users {
			fitted[name] = true
		}
		if len(users) == 0 && res.text != "*" {
			r.flag(res, "none of the grant's actions takes such a resource%s", hint(actions, res.text))
		}
	}
	if o.has("set") {
		if len(fitted) == 0 && takesResources(actions) {
			o.problem("resources", "no resource fits the set; add %s", wantedByAll(actions))
		}
		return
	}
	for _, v := range actions {
		if a, _ := iamref.Lookup(v.text); len(a.Resources) > 0 && !fitted[v.text] {
			r.flag(v, "%s needs a resource of the grant to be on: add %s", v.text, wanted(a))
		}
	}
}

// users gives the actions that take the resource, and tells if it is too wide
// for one that runs code or hands on an identity.
func (r *reader) users(actions []value, res value) []string {
	var names []string
	told := false
	for _, v := range actions {
		if a, _ := iamref.Lookup(v.text); len(a.Resources) == 0 || !iamref.Fits(v.text, sample(res.text)) {
			continue
		}
		names = append(names, v.text)
		if h, why := floor.Of(v.text); h == floor.ExactName && !told && !Exact(res.text) {
			r.flag(res, "%q is too wide: %s", clip(res.text), why)
			told = true
		}
	}
	return names
}

func takesResources(actions []value) bool {
	return slices.ContainsFunc(actions, func(v value) bool {
		a, _ := iamref.Lookup(v.text)
		return len(a.Resources) > 0
	})
}

// passRoles reads which roles may be passed to which services.
func (r *reader) passRoles(o object) map[string][]string {
	if !o.has("pass_roles") {
		return nil
	}
	list := map[string][]string{}
	path := o.at("pass_roles")
	for _, e := range r.entries(o.value("pass_roles"), path) {
		service := e.key.Value
		if !servicePrincipal.MatchString(service) {
			r.problem(e.key, path, "%q is not a service principal; write one such as ecs-tasks.amazonaws.com", clip(service))
			continue
		}
		path := path + "." + service
		for _, v := range r.unique(r.items(e.value, path)) {
			if !isExactRole(sample(v.text)) || unknownPlaceholder(v.text) != "" {
				r.flag(v, "%q is not the exact ARN of a role; write arn:${partition}:iam::${account}:role/NAME, "+
					"without wildcards", clip(v.text))
				continue
			}
			list[service] = append(list[service], v.text)
		}
		if len(e.value.Content) == 0 && e.value.Kind == yaml.SequenceNode {
			r.problem(e.value, path, "empty; list the exact roles that may be passed to it")
		}
	}
	if len(list) == 0 && len(o.value("pass_roles").Content) == 0 && o.value("pass_roles").Kind == yaml.MappingNode {
		o.problem("pass_roles", "empty; write a service principal and its list of roles")
	}
	return list
}

var (
	servicePrincipal = lazyregexp.New(`^[a-z0-9-]+(\.[a-z0-9-]+)*\.amazonaws\.com(\.cn)?$`)
	roleAccount      = lazyregexp.New(`^arn:aws[a-z-]*:iam::[0-9]{12}$`)
	exactRepository  = lazyregexp.New(`^arn:[^:]+:ecr:[^:*?]+:[0-9]{12}:repository/[a-z0-9._/-]+$`)
)

// isExactRole reports whether arn is that of one role, in one account.
func isExactRole(arn string) bool {
	account, name, ok := strings.Cut(arn, ":role/")
	return ok && roleAccount.MatchString(account) && roleName.MatchString(name)
}

func isRepository(resource string) bool { return exactRepository.MatchString(sample(resource)) }
