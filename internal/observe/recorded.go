package observe

import (
	"fmt"
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/iamref"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// recorded are the services all of whose API calls are management events (AWS.md#cloudtrail). What
// other services record of a call is not told by one rule, so there no event is no proof.
var recorded = []string{"batch", "ecr", "ecs", "secretsmanager"}

// unnamed are actions of these that are checked without an event of their name being certain: what a
// registry's client asks over HTTP has none in the published records of a push.
var unnamed = []string{"ecr:BatchCheckLayerAvailability"}

// Recorded reports whether CloudTrail's event history has every call that needs the action, as far as
// the region is that of the call. Tags are checked as a part of other calls.
func Recorded(action string) bool {
	service, operation, _ := strings.Cut(action, ":")
	a, known := iamref.Lookup(action)
	if !known || a.Level == iamref.Tagging || !slices.Contains(recorded, service) || slices.Contains(unnamed, action) {
		return false
	}
	actions, ok := iamref.ForOperation(service, operation)
	return ok && actions[0] == action
}

// untold says why the project could have used the action and no source have shown it; "" if one would.
func (s *seen) untold(a settings.Gives, p Project) string {
	whole := s.givenWhole(p)
	pattern := !whole && s.patternGiven(a, p)
	switch {
	case p.Full:
		return "project " + p.Name + " used more than is looked at"
	case !whole && !pattern && !p.Cut:
		return "" // nothing of the grant was given but what was denied, and each denial is known
	case !p.Trail && pattern:
		return "a pattern was given, so no case tells" + unread(p)
	case !p.Trail && whole:
		return "no case tells, since the grant is given whole" + unread(p)
	case !p.Trail:
		return "not all cases are kept whole" + unread(p)
	case !Recorded(a.Action):
		return "CloudTrail's event history may not record it"
	case slices.Contains(p.Unread, serviceOf(a.Action)):
		return "CloudTrail tells of a call of " + serviceOf(a.Action) + " that is no known action"
	}
	for _, r := range a.Resources {
		if f := strings.SplitN(settings.Expand(r, varsOf(p)), ":", 6); len(f) < 6 || f[3] != p.Region {
			return "it may be used in another region than " + p.Region + ", which was not looked at"
		}
	}
	for _, other := range s.Gives() {
		if o, ok := iamref.Lookup(other.Action); ok && slices.Contains(o.Dependent, a.Action) {
			return fmt.Sprintf("%s may need it", other.Action)
		}
	}
	return ""
}

func unread(p Project) string { return ", and CloudTrail was not read whole for project " + p.Name }

// givenWhole reports whether one denial brings the project all of the grant.
func (s *seen) givenWhole(p Project) bool { return s.Give == settings.GiveSet || p.Write.Attach }

// patternGiven reports whether a pattern was written that gives the action on resources of the grant.
func (s *seen) patternGiven(a settings.Gives, p Project) bool {
	return slices.ContainsFunc(p.Given, func(u Use) bool {
		return u.Action == a.Action && takesResource(a) && !settings.Exact(u.Resource) &&
			slices.ContainsFunc(a.Resources, func(r string) bool {
				return iampolicy.PatternWithin(u.Resource, settings.Expand(r, varsOf(p)))
			})
	})
}

func serviceOf(action string) string {
	service, _, _ := strings.Cut(action, ":")
	return service
}
