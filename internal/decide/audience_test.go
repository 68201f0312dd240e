package decide

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// TestAudiences ensures that the project's owner hears of all, whose grant is used and whose build
// the same change cured hears as a guest, and that nothing goes unheard.
func TestAudiences(t *testing.T) {
	all := settings.Notify{Owners: []settings.Owner{
		{Name: "web", Email: []string{"w@example.com"}}, {Name: "data", Topic: "arn:aws:sns:eu-west-1:444455556666:ci"},
		{Name: "nowhere"}, {Name: "ops", Chat: &settings.Chat{}},
	}}
	rest := all
	rest.Unowned = true
	at := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	used := func(r Round) Round {
		r.Decision = &Decision{Used: []guardrail.Used{{Owner: "data"}, {Owner: "nowhere"}, {Owner: "data"}}}
		return r
	}
	written := used(Round{Written: at})
	shop := func(k Kind, rs ...Round) Outcome {
		return Outcome{Kind: k, Case: Case{Project: "shop", Rounds: rs}, Round: len(rs) - 1}
	}
	yesterday := written
	yesterday.Old = true
	notify, web := Audience{}, Audience{Owner: "web"}
	data, ops := Audience{Owner: "data", Guest: true}, Audience{Owner: "ops", Guest: true}
	for what, row := range map[string]struct {
		notify settings.Notify
		o      Outcome
		want   []Audience
	}{
		"no owners":             {settings.Notify{}, shop(Failed), []Audience{notify}},
		"nobody's project":      {rest, Outcome{Kind: Failed, Case: Case{Project: "other"}}, []Audience{notify}},
		"an owner nobody tells": {rest, Outcome{Kind: Failed, Case: Case{Project: "lost"}}, []Audience{notify}},
		"all":                   {all, shop(Failed), []Audience{web, notify}},
		"the rest":              {rest, shop(Failed), []Audience{web}},
		"proposed":              {rest, shop(Proposed, used(Round{})), []Audience{web, data}},
		"asked for":             {rest, shop(Requested, used(Round{})), []Audience{web, data}},
		"proposed, by another's grant than what was given": {rest, shop(Proposed, written,
			Round{Decision: &Decision{Used: []guardrail.Used{{Owner: "ops"}}}}), []Audience{web, data, ops}},
		"only explained":            {rest, shop(Reported, used(Round{})), []Audience{web}},
		"given":                     {rest, shop(Retrying, written), []Audience{web, data}},
		"given in an earlier round": {rest, shop(Healed, written, Round{}), []Audience{web, data}},
		"given on an earlier day":   {rest, shop(Failed, yesterday, Round{}), []Audience{web}},
		"it ends":                   {rest, shop(Expiring, yesterday), []Audience{web, data}},
		"nobody's, by a grant": {rest, Outcome{Kind: Healed, Case: Case{Project: "other", Rounds: []Round{written}}},
			[]Audience{data, notify}},
		"an owner's own grant": {rest, Outcome{Kind: Healed, Case: Case{Project: "lake", Rounds: []Round{written}}},
			[]Audience{{Owner: "data"}}},
		"everything is paused": {rest, Outcome{Kind: Paused, Everywhere: true, Case: Case{Project: "shop"}},
			[]Audience{web, data, ops, notify}},
		"the project is paused": {rest, shop(Paused), []Audience{web}},
		"a permission is lacking": {rest, Outcome{Kind: Failed, Lacks: "iam:GetRole", Case: Case{Project: "shop"}},
			[]Audience{web, notify}},
		"an owner could not be told": {rest, Outcome{Kind: Failed, Untold: []string{"web"}, Case: Case{Project: "shop"}},
			[]Audience{web, notify}},
		"others were cured": {rest, Outcome{Kind: Healed, Case: Case{Project: "shop"},
			Followers: &Followers{Projects: []string{"lake", "shop"}}}, []Audience{web, data}},
	} {
		row.o.Settings = &settings.Settings{Notify: row.notify, Projects: []settings.Project{
			{Name: "shop", Owner: "web"}, {Name: "lake", Owner: "data"}, {Name: "lost", Owner: "nowhere"}, {Name: "other"}}}
		if d := cmp.Diff(row.want, Audiences(row.o)); d != "" {
			t.Errorf("%s: -want +got:\n%s", what, d)
		}
	}
}
