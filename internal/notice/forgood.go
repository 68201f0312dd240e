package notice

import (
	"fmt"
	"slices"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/guardrail"
)

// askedForGood reports whether code is asked, or will be, for all that was given to the role, so that a
// change of the team's own is not needed to keep it.
func (v *view) askedForGood() bool {
	if v.Kind != decide.Healed && v.Kind != decide.Retrying {
		return false
	}
	stands := slices.DeleteFunc(slices.Clone(v.acted), func(r decide.Round) bool {
		return !r.Stands() || r.Decision.Plan.Write == nil
	})
	declined := func(q decide.Request) bool { return q.State == decide.RequestDeclined }
	return len(stands) > 0 && !slices.ContainsFunc(stands, func(r decide.Round) bool {
		return !r.Bridges() || slices.ContainsFunc(r.Requests, declined)
	})
}

// forGood are the requests by which code is asked for what was given, each once; the state is "" of
// those that are not made yet.
func (v *view) forGood() (out []Request) {
	var qs []decide.Request
	for _, r := range v.acted {
		if !r.Bridges() {
			continue
		}
		asks := r.Requests
		if len(asks) == 0 {
			asks = r.Decision.Plan.Requests
		}
		for _, q := range asks {
			if i := slices.IndexFunc(qs, func(o decide.Request) bool { return o.Branch == q.Branch }); i >= 0 {
				qs[i] = q
			} else {
				qs = append(qs, q)
			}
		}
	}
	return requests(&view{Outcome: v.Outcome, requests: qs})
}

// asksForGood says where code is asked for what was given, and what becomes of the change then.
func (s wording) asksForGood(say func(string)) {
	var open, later, have []string // labels
	add := func(list *[]string, label string) {
		if !slices.Contains(*list, label) {
			*list = append(*list, label)
		}
	}
	for _, r := range s.forGood() {
		file := r.Path + " in " + r.Repository
		switch r.State {
		case "":
			add(&later, file)
		case decide.RequestLanded:
			add(&have, file)
		default:
			add(&open, r.branch())
		}
	}
	then := "what was written here is taken out."
	if s.Function == "" { // the case may be in a ledger at which nobody looks
		then = "the function takes out what was written here, if the case is in its ledger."
	}
	if len(open) > 0 {
		say("Asked for in " + list(open, 3) + ", so that it stays; once that is deployed, " + then)
	}
	if len(later) > 0 {
		when := ""
		if s.Kind == decide.Retrying {
			when = ", once the build is green"
		}
		say("It will be asked for in " + list(later, 3) + when + ", so that it stays; once that is deployed, " + then)
	}
	if len(have) > 0 {
		say("What was given is in " + list(have, 3) + " already; once that is deployed, " + then)
	}
}

// todoForGood is what to do about a change that stands until code gives it.
func (s wording) todoForGood() string {
	rs := s.forGood()
	switch {
	case slices.ContainsFunc(rs, func(r Request) bool { return r.State != "" && r.State != decide.RequestLanded }):
		return "Nothing to do now; review and merge " + verbFor(len(asking(rs)), "the pull request", "the pull requests") + "."
	case landed(rs):
		return "Nothing to do now; deploy your code, so that it stays."
	}
	return "Nothing to do now: it is asked for in your code."
}

// permanentWords say that code gives what was written in IAM for the time being.
func (s wording) permanentWords() string {
	what, _ := s.asked()
	return what + " " + verbFor(len(s.n.Requests), "comes", "come") + " from code now"
}

// permanentLead is what a lead says, and its detail.
func (s wording) permanentLead() (says, detail string) {
	what, where := s.asked()
	if where != "" {
		what += " in " + where
	}
	return "'s repair comes from code now", what
}

// takenOut says what became of the change in IAM.
func (s wording) takenOut() string {
	role := lastElement(id(s.plan.Role))
	what := "what Buildmedic had given it was taken out again"
	switch t := s.plan.Write; {
	case t == nil:
	case t.Kind == guardrail.Attach:
		what = "what Buildmedic had attached was detached again"
	default:
		what = "what Buildmedic had written into policy " + lastElement(id(t.Name)) + " was taken out again"
	}
	return fmt.Sprintf("That is deployed: role %s has it from there, so %s.", role, what)
}

// fromNowOn says how the permission is taken from the role from now on.
func (s wording) fromNowOn(say func(string)) {
	var files []string
	for _, r := range s.n.Requests {
		if file := r.Path + " in " + r.Repository; !slices.Contains(files, file) {
			files = append(files, file)
		}
	}
	if len(files) > 0 {
		say("There is nothing to undo here: to take it from the role, take it out of " + list(files, 3) + " and deploy.")
	}
}
