package guardrail

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/floor"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/iamref"
	"github.com/buildmedic/buildmedic/internal/settings"
)

const (
	currentTime  = "aws:CurrentTime"
	dateLessThan = "DateLessThan"
	passedTo     = "iam:PassedToService"
)

// grant is an entry of the allowlist, with the statements that it stands for
// in this build's account and region.
type grant struct {
	settings.Grant
	statements []iampolicy.Statement
}

// whole reports whether one denial brings in all of the grant.
func (g grant) whole() bool { return g.Give == settings.GiveSet }

// listed gives the settings' entries for the project, in the project's order.
func listed(in Input) (out []settings.Grant) {
	if in.Settings == nil {
		return nil
	}
	for _, id := range in.Project.Grants {
		if g, ok := in.Settings.Grant(id); ok {
			out = append(out, g)
		}
	}
	return out
}

// grants works out what each of the project's grants stands for.
func grants(in Input) (out []grant) {
	at := in.Build.At()
	for _, g := range listed(in) {
		sts := g.Statements(in.Project, settings.AccountOf(at), at.Partition)
		out = append(out, grant{g, until(sts, expiry(in, g))})
	}
	return out
}

// most is everything that the settings could give the project's role.
func most(in Input) []iampolicy.Statement {
	if in.Settings == nil {
		return nil
	}
	at := in.Build.At()
	return settings.Max(in.Settings, in.Project, settings.AccountOf(at), at.Partition)
}

// expiry is when what the grant gives now would end; zero: never.
func expiry(in Input, g settings.Grant) time.Time {
	if g.Expires <= 0 {
		return time.Time{}
	}
	return in.Now.Add(g.Expires).UTC().Truncate(time.Second)
}

func stamp(t time.Time) string { return t.UTC().Truncate(time.Second).Format(time.RFC3339) }

// until puts the end of the grant on the statements.
func until(sts []iampolicy.Statement, end time.Time) (out []iampolicy.Statement) {
	if end.IsZero() {
		return sts
	}
	for _, st := range sts {
		out = append(out, iampolicy.Allow(st.Sid, st.Action.List, st.Resource.List, append(slices.Clone(st.Condition),
			iampolicy.Condition{Operator: dateLessThan, Key: currentTime, Values: iampolicy.Values{List: []string{stamp(end)}}})...))
	}
	return out
}

// covering gives what the statements allow of the claim's action on the resource:
// each statement that does, narrowed to them, and to the service through which a
// key is used.
func covering(sts []iampolicy.Statement, c claim, resource string) (out []iampolicy.Statement) {
	action := c.action.Name
	for _, st := range sts {
		if !slices.Contains(st.Action.List, action) ||
			!slices.ContainsFunc(st.Resource.List, func(p string) bool { return iampolicy.PatternWithin(resource, p) }) {
			continue
		}
		part := iampolicy.Allow(st.Sid, []string{action}, []string{resource}, slices.Concat(st.Condition, c.via)...)
		if ok, _ := iampolicy.Contains(document(st), document(part)); ok {
			out = append(out, part)
		}
	}
	return out
}

func document(sts ...iampolicy.Statement) []iampolicy.Document {
	return []iampolicy.Document{{Version: "2012-10-17", Statements: sts}}
}

// pick is what one grant gives, and how well the denial is proved that brings
// it in.
type pick struct {
	grant      grant
	statements []iampolicy.Statement
	evidence   settings.Evidence
	// pieces is what was denied, where statements offer the grant's patterns in its place.
	pieces []iampolicy.Statement
}

// allow takes one denied claim through guardrails 5 and 6. It gives what the
// first grant that allows it gives; or, if the resource is missing, what all
// of those give of which something is denied, since the text cannot tell
// which one is meant. denied says so of a question about the claim.
func allow(in Input, gs []grant, c claim, denied func(Question) bool) (picks []pick, r *Refusal) {
	d := in.Denials[c.n]
	if r := onFloor(in, c, d); r != nil {
		return nil, r
	}
	if len(gs) == 0 {
		return nil, about(d, NoGrantConfigured,
			fmt.Sprintf("The settings name no grant for project %q. Add the entry, and name it under the "+
				"project's grants.",
				in.Project.Name)).with(entry(in, c))
	}
	var first *Refusal
	for _, g := range gs {
		sts := g.give(c, in, denied)
		if len(sts) == 0 {
			continue
		}
		if r := acceptable(in, g, c, d, sts); r != nil {
			first = cmp.Or(first, r)
			continue
		}
		picks = append(picks, pick{grant: g, statements: sts, evidence: evidenceOf(in, c.n)})
		if c.resources != nil {
			break
		}
	}
	switch {
	case len(picks) > 0:
		return picks, nil
	case first != nil:
		return nil, first
	case len(c.near) > 0:
		return nil, about(d, UnknownResource,
			fmt.Sprintf("The text does not say for certain on what %s was denied, and no grant of the project with "+
				"give: set holds all that it may be: %s.", c.action.Name, clip(strings.Join(c.near, ", "))))
	case c.resources == nil:
		return nil, about(d, UnknownResource,
			fmt.Sprintf("The text does not say on what %s was denied, and a resource is never guessed. A grant of "+
				"the project that holds the action and says give: set would bring in its own resources.",
				c.action.Name))
	}
	return nil, about(d, NotAllowed,
		fmt.Sprintf("No grant of %s allows %s on %s. Add the entry if %s should have it.",
			in.whom(), c.action.Name, clip(strings.Join(c.resources, " and ")), in.user())).with(in.entryFor(c))
}

func (r *Refusal) with(entry string) *Refusal {
	r.Entry = entry
	return r
}

// give is what the grant gives for the claim; nothing if it does not allow it.
func (g grant) give(c claim, in Input, denied func(Question) bool) (sts []iampolicy.Statement) {
	if c.resources == nil {
		if g.whole() && g.holds(c) && slices.ContainsFunc(questionsOf(c, []grant{g}, in), denied) {
			return g.statements
		}
		return nil
	}
	for i, r := range c.resources {
		part := covering(g.statements, c, r)
		// Of a log group's two names the last is what IAM asks about.
		if len(part) == 0 && i == len(c.resources)-1 {
			return nil
		}
		sts = append(sts, part...)
	}
	if g.whole() {
		return g.statements
	}
	return sts
}

// holds reports whether the grant holds all that the text names near a denial without a resource:
// else what was denied may be what it does not hold, and another thing would be given.
func (g grant) holds(c claim) bool {
	return !slices.ContainsFunc(c.near, func(named string) bool {
		return !slices.ContainsFunc(g.statements, func(st iampolicy.Statement) bool { return meets(st, c.action.Name, named) })
	})
}

// meets reports whether the statement allows the action on something that the pattern matches.
func meets(st iampolicy.Statement, action, named string) bool {
	return slices.Contains(st.Action.List, action) &&
		slices.ContainsFunc(st.Resource.List, func(r string) bool { return overlap(r, named) })
}

// acceptable refuses what the grant would give if the denial is not proved
// well enough, if it is below the floor, or if it cannot be given in part.
func acceptable(in Input, g grant, c claim, d buildlog.Denial, sts []iampolicy.Statement) *Refusal {
	if r := enough(in, g, c, d); r != nil {
		return r
	}
	if in.Project.Write.Attach && (!g.whole() || g.Expires > 0) {
		return about(d, AttachGivesAll,
			fmt.Sprintf("Grant %q gives only what was denied, or only for a time, and a ready-made policy is "+
				"attached as a whole and for good. Set give: set without expires, or write to an inline policy.", g.ID))
	}
	if in.Project.Write.Code.Set() && g.Expires > 0 {
		return about(d, NoTarget, fmt.Sprintf("Grant %q ends by itself, and what is in code is there until somebody takes it "+
			"out. Give the grant without expires, or write to an inline policy.", g.ID))
	}
	return keepsFloor(in, g, d, sts)
}

// onFloor refuses what no grant may give.
func onFloor(in Input, c claim, d buildlog.Denial) *Refusal {
	if h, why := floor.Of(c.action.Name); h == floor.Never {
		return about(d, FloorNever, why+" Give it to the role yourself if it must have it.")
	}
	for _, r := range c.resources {
		switch reachesHealer(in, c.action.Name, r) {
		case itself:
			return about(d, FloorHealer, "It is a part of the healer itself, which no build may touch.")
		case policies:
			return about(d, FloorHealer, "A role's policy is deployed from there, so who changes it gives that role what they like. "+
				"A build may read it, and no more.")
		case itsSource:
			return about(d, FloorHealer, "The healer is deployed from there, so who changes it changes the healer. "+
				"A build may read it, and no more.")
		}
	}
	return nil
}

// keepsFloor checks what a grant would give, and by what right. Settings
// check the same when they are read; this is the second lock.
func keepsFloor(in Input, g grant, d buildlog.Denial, sts []iampolicy.Statement) *Refusal {
	for _, st := range sts {
		for _, a := range st.Action.List {
			if r := floorOf(g, d, a); r != nil {
				return r
			}
			for _, r := range st.Resource.List {
				if reached := reachesHealer(in, a, r); reached != nothing {
					return about(d, FloorHealer,
						fmt.Sprintf("%s on %q would reach %s. Narrow the grant's resources.", a, clip(r), reached))
				}
			}
		}
	}
	return nil
}

// floorOf checks an action against all statements of the grant that hold it:
// an exact piece of a pattern is no exact name.
func floorOf(g grant, d buildlog.Denial, action string) *Refusal {
	h, why := floor.Of(action)
	if h == floor.Never {
		return about(d, FloorNever, why)
	}
	for _, st := range g.statements {
		if !slices.Contains(st.Action.List, action) {
			continue
		}
		wide := slices.ContainsFunc(st.Resource.List, func(r string) bool { return !isExact(r) })
		switch {
		case h == floor.PassRoles && (wide || !passesToService(st)):
			return about(d, FloorPassRole, why)
		case h == floor.ExactName && wide:
			return about(d, FloorExact, fmt.Sprintf("%s Grant %q has a pattern.", why, g.ID))
		case !keptToPurpose(action, st):
			return about(d, FloorNever,
				fmt.Sprintf("%s is given only under a condition that keeps it to its purpose, and the grant's "+
					"statement has none.", action))
		}
	}
	return nil
}

// keptToPurpose reports whether the statement has the condition without which the
// action is never given.
func keptToPurpose(action string, st iampolicy.Statement) bool {
	for _, want := range floor.Conditions(action) {
		if !slices.ContainsFunc(st.Condition, func(c iampolicy.Condition) bool {
			return c.Operator == want.Operator && c.Key == want.Key && slices.Equal(c.Values.List, want.Values.List)
		}) {
			return false
		}
	}
	return true
}

// isExact reports whether a grant's resource names one thing. An open end
// counts as exact only where AWS itself makes it up, and not in a name of
// another service that looks like it.
func isExact(resource string) bool {
	a, ok := codebuild.ParseARN(resource)
	openEnded := a.Service == "cloudformation" || a.Service == "ecs" || a.Service == "secretsmanager"
	return ok && settings.Exact(resource) && (openEnded || !strings.ContainsAny(resource, "*?"))
}

// passesToService reports whether the statement says to whom a role may be
// passed, by exact names.
func passesToService(st iampolicy.Statement) bool {
	return slices.ContainsFunc(st.Condition, func(c iampolicy.Condition) bool {
		return c.Operator == "StringEquals" && c.Key == passedTo && len(c.Values.List) > 0
	})
}

// reach is what of the healer something could reach.
type reach string

const (
	nothing   reach = ""
	itself    reach = "the healer's own parts"
	itsSource reach = "what the healer is deployed from"
	policies  reach = "the repository from which a role's policy is deployed"
)

// reachesHealer tells what of the healer the action on the resource could
// reach.
func reachesHealer(in Input, action, resource string) reach {
	fits := func(part string) bool {
		return part != "*" && couldBe(part, resource) && iamref.Fits(action, part)
	}
	switch {
	case slices.ContainsFunc(in.Healer, fits):
		return itself
	case leavesSource(action):
		return nothing
	case slices.ContainsFunc(in.Source, fits):
		return itsSource
	case slices.ContainsFunc(policyRepositories(in), fits):
		return policies
	}
	return nothing
}

// policyRepositories are the repositories of CodeCommit from which, as the settings have it, the policy
// of some role is deployed. Repositories elsewhere no role of AWS can write to.
func policyRepositories(in Input) (arns []string) {
	if in.Settings == nil {
		return nil
	}
	at := in.Build.At()
	for _, p := range settings.Roles(in.Settings.Projects) {
		if name := p.PolicyCode().CodeCommit; name != "" { // where the project says no account or region, any counts
			arns = append(arns, fmt.Sprintf("arn:%s:codecommit:%s:%s:%s", cmp.Or(at.Partition, "aws"), cmp.Or(p.Region, "*"),
				cmp.Or(p.Account, "*"), name))
		}
	}
	return arns
}

// leavesSource reports whether the action changes nothing that the healer is
// deployed from. To assume a role is granted only for the exact role that the
// owner names, as every deployment with the CDK needs it; settings warn of it.
func leavesSource(action string) bool {
	a, ok := iamref.Lookup(action)
	return ok && (a.Level == iamref.Read || a.Level == iamref.List || strings.HasPrefix(a.Name, "sts:"))
}

// enough refuses if the grant asks for better evidence than the denial has.
func enough(in Input, g grant, c claim, d buildlog.Denial) *Refusal {
	have, want := evidenceOf(in, c.n), g.Evidence
	if rank(have) >= rank(want) {
		return nil
	}
	if want == settings.EvidenceCloudTrail {
		return about(d, NoTrail,
			fmt.Sprintf("Grant %q asks for CloudTrail's confirmation, and CloudTrail has not shown this denial.", g.ID))
	}
	if want == settings.EvidenceAuthorization {
		return about(d, WeakEvidence, fmt.Sprintf("Grant %q asks for AWS's own record of the request (evidence: authorization), and %s.",
			g.ID, unrecorded(in, c.n)))
	}
	return about(d, WeakEvidence, fmt.Sprintf("Grant %q asks for evidence %q, and this denial has %q.", g.ID, want, have))
}

// evidenceOf is how well the denial is proved.
func evidenceOf(in Input, n int) settings.Evidence {
	switch d := in.Denials[n]; {
	case n < len(in.Recorded) && in.Recorded[n].Proved:
		return settings.EvidenceAuthorization
	case n < len(in.Trail) && in.Trail[n]:
		return settings.EvidenceCloudTrail
	case d.Origin == buildlog.FromDecoded:
		return settings.EvidenceDecoded
	case d.Origin == buildlog.FromPhase && saidByCodeBuild(in.Build, d):
		return settings.EvidencePhase
	}
	return settings.EvidenceLog
}

// saidByCodeBuild reports whether CodeBuild itself wrote this very denial into
// a phase context. That of a failed command repeats the command, which whoever
// wrote the buildspec chose (AWS.md#failed-command), so it proves no more than the log.
func saidByCodeBuild(b codebuild.Build, d buildlog.Denial) bool {
	same := func(c buildlog.Denial) bool {
		return strings.EqualFold(c.Action, d.Action) && c.Resource == d.Resource && c.Principal == d.Principal
	}
	for _, p := range b.Phases {
		for _, c := range p.Contexts {
			only := codebuild.Build{ARN: b.ARN, Phases: []codebuild.Phase{{Contexts: []codebuild.Context{c}}}}
			if c.Code != codebuild.CommandError && slices.ContainsFunc(buildlog.NoLog(only).Denials, same) {
				return true
			}
		}
	}
	return false
}

// rank orders the kinds of evidence. None said in the settings is the weakest.
func rank(e settings.Evidence) int {
	all := []settings.Evidence{settings.EvidenceLog, settings.EvidencePhase, settings.EvidenceDecoded, settings.EvidenceCloudTrail,
		settings.EvidenceAuthorization}
	if e == "" {
		return 0
	}
	if i := slices.Index(all, e); i >= 0 {
		return i
	}
	return len(all)
}

// Expand puts the build's partition, account, region and project into a
// pattern of the settings. All of them come out of the build record.
func Expand(pattern string, b codebuild.Build) string {
	a := b.At()
	return settings.Expand(pattern, settings.Vars{Partition: a.Partition, Account: a.Account, Region: a.Region, Project: b.Project})
}
