package notice

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// wording chooses the sentences for an outcome. n holds what was filled in before it.
type wording struct {
	*view
	n Notice
}

// headline is the result in a line; a subject puts kind and project before it.
func (s wording) headline() string {
	p, planned := s.plan, s.planned
	h := ""
	switch s.Kind {
	case decide.Healed:
		h = s.phrases(p).done + ", build green after " + about(s.timeToHeal)
		if s.ofAction() {
			h = "stage retried, green after " + about(s.timeToHeal)
		}
		if s.rerun {
			h = s.phrases(p).done + ", passed after " + about(s.timeToHeal)
		}
		if f := s.n.Followers; f != nil {
			h = s.phrases(p).done + ", " + thousands(f.green()) + " builds green"
		}
	case decide.Retrying:
		h = s.retryWords(p)
	case decide.Proposed:
		h = s.phrases(p).wish + " Your approval is needed"
	case decide.Requested:
		h = s.requestHeadline()
	case decide.MadePermanent:
		h = s.permanentWords()
	case decide.Undone:
		h = s.phrases(p).done + ", then undone"
		switch {
		case s.unsent != nil:
			h = s.unsentWords() + ", undone"
		case s.ineffective:
			h = s.phrases(p).done + ", did not help, undone"
		}
	case decide.Failed:
		h = "not healed"
		if s.Lacks != "" {
			h += ": " + s.lacks()
		} else if s.ofAction() {
			h = "the stage is not green"
		} else if planned {
			h = s.phrases(p).done + ", but the build is not green"
			if s.rerun {
				h = s.phrases(p).done + ", and did not pass"
			}
		} else if s.takenBack {
			h += ": its change was undone"
		}
	case decide.Expiring:
		h = s.expiryWords()
	case decide.Paused:
		h = "no changes until you resume"
		if !s.Everywhere {
			h = fmt.Sprintf("no changes for %s until you resume", id(s.Case.Project))
		}
	case decide.OfIncident:
		h = s.incidentHeadline()
	default:
		h = s.reportWords(p)
	}
	if s.Repeats > 0 {
		h += fmt.Sprintf(" (and %s more like this)", thousands(s.Repeats))
	}
	return h
}

func (s wording) retryWords(p decide.Plan) string {
	switch p.Remedy {
	case diagnose.Retry:
		if s.ofAction() {
			return "stage retried"
		}
		if s.rerun {
			return "its job is run again at GitHub"
		}
		if f := s.flakyTests(); f != "" {
			return "build started again for " + f
		}
		if s.through {
			return s.got() + ", build started again"
		}
		return "build started again, unchanged"
	case diagnose.OverrideBuildspec:
		return "build started again with " + quote(p.Buildspec, maxName)
	}
	return s.phrases(p).done + ", build started again"
}

func (s wording) reportWords(p decide.Plan) string {
	switch {
	case s.orphan:
		return "a job waits for a runner that has ended"
	case s.Lacks != "":
		return s.lacks()
	case s.observed:
		return "would have " + s.phrases(p).would
	case s.through && len(s.n.Refusals) > 0:
		return fmt.Sprintf("%s, not started again (%s)", s.got(), s.n.Refusals[0].Rule)
	case s.through:
		return s.got() + ", not started again"
	case s.forgone():
		_, where := s.asked()
		return "no longer waits for " + cmp.Or(where, "a deployment")
	case s.n.Plan != "":
		return "the repair was not made"
	case s.ofAction() && s.title() != "":
		return s.title()
	case len(s.n.Refusals) > 0 && s.refusedAction() != "":
		if by := s.deniedBy(); by != "" {
			return fmt.Sprintf("%s denied by %s", s.refusedAction(), by)
		}
		return fmt.Sprintf("%s not granted (%s)", s.refusedAction(), s.n.Refusals[0].Rule)
	case s.unread:
		return "the build could not be read"
	case s.title() != "":
		return s.title()
	}
	return "nothing changed"
}

// refusedAction is the first action that was refused, or else denied.
func (s wording) refusedAction() string {
	if a := s.n.Refusals[0].Action; a != "" {
		return a
	}
	if s.n.Failure != nil && len(s.n.Failure.Denials) > 0 {
		return s.n.Failure.Denials[0].Action
	}
	return ""
}

// phrases say what a plan does, in a few words.
type phrases struct {
	done  string // "ECR push allowed"
	would string // "allowed ECR push"
	wish  string // "allow ECR push?"
}

func (s wording) phrases(p decide.Plan) phrases {
	switch p.Remedy {
	case diagnose.Grant:
		g := s.granted()
		return phrases{g + " allowed", "allowed " + g, "allow " + g + "?"}
	case diagnose.OverrideBuildspec:
		b := quote(p.Buildspec, maxName)
		return phrases{"built with " + b, "built with " + b, "build with " + b + "?"}
	case diagnose.CreateRepository:
		r := "repository " + named(id(p.Repository))
		return phrases{r + " created", "created " + r, "create " + r + "?"}
	case diagnose.SwitchRole:
		r := "role " + lastElement(id(p.NewRole))
		return phrases{"switched to " + r, "switched to " + r, "switch to " + r + "?"}
	}
	if s.through {
		return phrases{s.got(), "started it again", "start it again?"}
	}
	if s.ofAction() {
		return phrases{"stage retried", "retried the stage", "retry the stage?"}
	}
	if s.rerun {
		return phrases{"job run again at GitHub", "had its job run again at GitHub", "run its job again at GitHub?"}
	}
	return phrases{"started again", "started it again", "start it again?"}
}

// granted names what the grants allow: "ECR push", or else the first denied actions.
func (s wording) granted() string {
	var out []string
	for _, g := range s.n.Grants {
		name := "grant " + g.ID
		if s.Settings != nil {
			if of, ok := s.Settings.Grant(g.ID); ok && of.Set != "" {
				name = setWords(id(of.Set))
			}
		}
		out = append(out, name)
	}
	if len(out) == 0 && s.n.Failure != nil {
		out = actions(s.n.Failure.Denials)
	}
	if len(out) == 0 {
		return "a permission"
	}
	return list(out, 2)
}

// ofAction reports whether it is about an action of a pipeline that failed without a build.
func (s wording) ofAction() bool { return s.latest.Build.Action != nil }

func (s wording) expiryWords() string {
	for _, g := range s.n.Grants {
		if !g.Expires.IsZero() {
			if g.Expires.After(s.At) {
				return fmt.Sprintf("grant %s ends on %s", g.ID, g.Expires.Format("2006-01-02"))
			}
			return fmt.Sprintf("grant %s has ended", g.ID)
		}
	}
	return "a grant ends"
}

// maxOpening is how long lead and todo should be together: a phone shows about as much of a
// mail or a chat message before it is opened.
const maxOpening = 120

// opening is the first two lines: what happened to what, and what to do. The most detailed
// wording that is short enough wins.
func (s wording) opening() (lead, todo string) {
	todo, brief := s.todo()
	long, short := s.lead()
	for _, way := range [][2]string{{long, todo}, {long, brief}, {short, todo}} {
		if len(way[0])+len(way[1]) <= maxOpening {
			return way[0], way[1]
		}
	}
	return short, brief
}

// lead is the first sentence, and a shorter one in case that is too long.
func (s wording) lead() (long, short string) {
	name := s.n.about()
	p, planned := s.plan, s.planned
	done := ""
	if planned {
		done = s.phrases(p).done
	}
	with := func(short, detail string) (string, string) {
		if detail == "" {
			return short + ".", short + "."
		}
		for _, article := range []string{"A ", "An ", "The "} {
			if rest, ok := strings.CutPrefix(detail, article); ok {
				detail = strings.ToLower(article) + rest
			}
		}
		return short + ": " + detail + ".", short + "."
	}
	switch s.Kind {
	case decide.Healed:
		if f := s.n.Followers; f != nil && f.Healed > 0 {
			return with(name+" and "+plural(f.Healed, "other build")+" are green again", done)
		}
		return with(name+" is green again after "+about(s.timeToHeal), done)
	case decide.Retrying:
		if f := s.flakyTests(); f != "" {
			return with(name+" failed of "+f+" alone and was started again, unchanged", "")
		}
		if s.ofAction() {
			return with(name+" failed, and its stage was retried", s.title())
		}
		if s.rerun {
			return with(name+" failed, and its job is run again at GitHub", s.title())
		}
		if p.Remedy == diagnose.Retry && !s.through {
			return with(name+" failed and was started again, unchanged", s.title())
		}
		return with(name+" failed and was started again", done)
	case decide.Proposed:
		return with(name+" failed, and a repair waits for approval", strings.TrimSuffix(s.phrases(p).wish, "?"))
	case decide.Requested:
		says, detail := s.requestLead()
		return with(name+says, detail)
	case decide.MadePermanent:
		says, detail := s.permanentLead()
		return with(name+says, detail)
	case decide.Undone:
		switch {
		case s.unsent != nil:
			return with(name+" still fails", s.unsentWords()+", undone")
		case s.ineffective:
			return with(name+" still fails", done+", did not help, undone")
		}
		return with("The change made for "+name+" was undone", "")
	case decide.Failed:
		if s.Lacks != "" {
			return with(name+" is not healed: "+s.lacks(), "")
		}
		switch {
		case s.ofAction():
			done = "the stage is not green"
		case done != "" && s.rerun:
			done += ", not passed"
		case done != "":
			done += ", build not green"
		case s.takenBack:
			done = "its change was undone"
		}
		return with(name+" is not healed", done)
	case decide.Expiring:
		words := s.expiryWords()
		return name + ": " + words + ".", name + ": a grant ends."
	case decide.Paused:
		if !s.Everywhere {
			return with(fmt.Sprintf("Buildmedic has paused project %s and changes nothing for it", id(s.Case.Project)), "")
		}
		return with("Buildmedic has paused and changes nothing", "")
	case decide.OfIncident:
		return with(s.incidentLead())
	}
	switch {
	case s.orphan:
		return with(name+" left a job without a runner", "job "+quote(s.latest.Orphan.Name, maxName))
	case s.Lacks != "":
		return with(name+" failed, and "+s.lacks(), "")
	case s.unread:
		return with(name+" failed, and Buildmedic may not read the build", "")
	case s.inCode:
		return with(name+" failed, and the repair belongs in code", strings.TrimSuffix(s.phrases(p).wish, "?"))
	case s.observed:
		return with(name+" failed", "mode heal would have "+s.phrases(p).would)
	case s.through:
		return with(name+" failed, and was not started again", s.got())
	case s.forgone():
		_, where := s.asked()
		return with(name+" failed, and waits no longer for its repair", where)
	case s.n.Plan != "":
		return with(name+" failed, and the repair was not made", strings.TrimSuffix(s.phrases(p).wish, "?"))
	}
	return with(name+" failed", s.whyReported())
}

// unsentWords say which service may not send the key on which a grant's scope hangs.
func (s wording) unsentWords() string {
	return id(s.unsent.Service) + " may not send " + settings.ProjectKey
}

// whyReported is why nothing was done, without the name of the rule.
func (s wording) whyReported() string {
	if len(s.n.Refusals) > 0 && s.refusedAction() != "" && !s.ofAction() {
		if by := s.deniedBy(); by != "" {
			return s.refusedAction() + " denied by " + by
		}
		return s.refusedAction() + " not granted"
	}
	return s.title()
}

// title is the cause's title as a part of a sentence.
func (s wording) title() string {
	if s.n.Failure == nil {
		return ""
	}
	return strings.TrimSuffix(s.n.Failure.Title, ".")
}

// todo is what a person should do in a line, and in a shorter one.
func (s wording) todo() (long, short string) {
	const nothing = "Nothing to do now."
	if s.Lacks != "" {
		return s.todoDenied()
	}
	p := s.plan
	switch s.Kind {
	case decide.Healed:
		switch p.Remedy {
		case diagnose.Retry:
			return "Nothing to do.", "Nothing to do."
		case diagnose.OverrideBuildspec:
			return "To do: make it permanent, or the next build fails again.", "To do: make it permanent."
		}
		if s.n.asked {
			return s.todoForGood(), nothing
		}
		return "Nothing to do now; make it permanent in your own code.", nothing
	case decide.Retrying:
		if s.ofAction() {
			return "Nothing to do now: a notice follows when the action ends.", nothing
		}
		return "Nothing to do now: a notice follows when the build ends.", nothing
	case decide.Proposed:
		return "To do: approve or reject it.", "To do: approve or reject it."
	case decide.Requested:
		return s.todoRequested()
	case decide.MadePermanent:
		return "Nothing to do.", "Nothing to do."
	case decide.Undone:
		switch {
		case s.unsent != nil && len(s.n.Refusals) > 0:
			return "To do: say what else may be given.", "To do: see below."
		case s.unsent != nil:
			return "To do: see the plan that is offered next.", "To do: see the next notice."
		case s.ineffective:
			return "To do: find what else denies it.", "To do: see below."
		}
		return nothing, nothing
	case decide.Failed:
		if s.standing {
			return "To do: look at the build; keep the change or undo it.", "To do: keep it or undo it."
		}
		if s.ofAction() {
			return "To do: look at the pipeline.", "To do: look at the pipeline."
		}
		return "To do: look at the build.", "To do: look at the build."
	case decide.Expiring:
		return "To do: make it permanent, renew it, or let it end.", "To do: renew it or let it end."
	case decide.Paused:
		if s.byPerson() {
			return "To do: resume once the reason is gone.", "To do: resume in time."
		}
		return "To do: look at what was undone, then resume.", "To do: see below."
	case decide.OfIncident:
		return s.incidentTodo()
	}
	return s.todoReported()
}

// byPerson: of a pause, that a person has made it. The breaker's is of a case.
func (s wording) byPerson() bool { return s.Case.ID == "" }

// lacks names the permission that the healer itself lacks, which is not to be
// taken for the one that the build's role lacks.
func (s wording) lacks() string { return "Buildmedic itself lacks " + id(s.Lacks) }

// todoDenied is what to do if the healer itself lacks a permission.
func (s wording) todoDenied() (long, short string) {
	switch {
	case s.Function == "":
		return "To do: use credentials with that permission.", "To do: use other credentials."
	case s.elsewhereAccount():
		return "To do: deploy the member template in that account.", "To do: deploy the member template."
	}
	return "To do: deploy the stack again, or find what denies it.", "To do: deploy the stack again."
}

// elsewhereAccount reports whether the project is in a member account.
func (s wording) elsewhereAccount() bool { return s.Case.Account != s.Home.ID }

func (s wording) todoReported() (long, short string) {
	const advice, below = "To do: follow the advice below.", "To do: see below."
	switch {
	case s.orphan:
		return "To do: cancel the run and run it again; see below.", below
	case s.unread:
		return s.todoDenied()
	case s.inCode:
		return "To do: open the pull request; see below.", below
	case s.observed && s.Function == "":
		return "Nothing was changed: this shows what would have been done.", "Nothing was changed."
	case s.observed:
		return observedOnly, "Nothing was changed."
	case s.through && s.superseded():
		return "Nothing to do, unless this build is wanted, too.", below
	case s.through:
		return "To do: start the build again; see below.", below
	case s.forgone():
		return "To do: replay the build if it is still needed.", "To do: replay it if needed."
	case s.n.Plan != "":
		return "To do: fix what is described below.", below
	case entries(s.n.Refusals) > 0:
		return "To do: if it should be granted, add the entry below.", below
	case s.deniedBy() != "":
		return "To do: have that policy changed; a grant cannot help.", below
	case s.ofAction():
		return advice, below
	case s.runAgain != "" && len(s.n.Refusals) > 0:
		return "To do: run the job again where it is from; see below.", below
	case s.untrusted():
		return "Nothing to do, unless it also fails on a branch.", below
	case len(s.n.Refusals) > 0:
		return "To do: read the reasons before you allow anything.", below
	}
	return advice, below
}

// ofRunner reports whether the refusals say how the job of a runner's build is run again.
func (s wording) ofRunner() bool {
	return slices.ContainsFunc(s.n.Refusals, func(r Refusal) bool { return r.Rule == guardrail.RunnerBuild })
}

// superseded reports whether a newer build makes it wrong to start this one again.
func (s wording) superseded() bool {
	return slices.ContainsFunc(s.n.Refusals, func(r Refusal) bool { return r.Rule == guardrail.NewerBuild })
}

// untrusted reports whether the build was refused because of where it comes from.
func (s wording) untrusted() bool {
	return slices.ContainsFunc(s.n.Refusals, func(r Refusal) bool { return r.Rule == guardrail.UntrustedBuild })
}

// summary is what happened in two or three sentences.
func (s wording) summary() string {
	out := s.happened()
	if s.Repeats > 0 {
		out = append(out, s.repeats())
	}
	return strings.Join(slices.DeleteFunc(out, func(sentence string) bool { return sentence == "" }), " ")
}

func (s wording) happened() []string {
	p, planned := s.plan, s.planned
	switch {
	case s.Kind == decide.Paused && !s.Everywhere:
		return []string{fmt.Sprintf("Failed builds of %s are still explained, but nothing is changed for them until somebody "+
			"resumes it. Other projects are healed as before.", id(s.Case.Project))}
	case s.Kind == decide.Paused:
		return []string{"Failed builds are still explained, but nothing is changed until somebody resumes it."}
	case s.Kind == decide.OfIncident:
		return s.incidentHappened()
	case s.Kind == decide.Expiring:
		return []string{
			fmt.Sprintf("Role %s has the permissions of the grant until then. After that, the build is denied the "+
				"same thing again.", lastElement(s.role())),
		}
	case s.Kind == decide.Undone && s.ineffective:
		return []string{s.cause(), s.n.Why, "So the change was undone, and the previous state is restored."}
	case s.Kind == decide.Undone:
		return []string{"The previous state is restored.", s.cause(),
			"Builds that still need the change will fail again" + s.until() + "."}
	case s.Kind == decide.MadePermanent:
		return append(s.n.requestWords()[:min(len(s.n.Requests), 3)], s.takenOut())
	case s.bridged():
		return append([]string{s.cause()}, s.n.requestWords()[:min(len(s.n.Requests), 3)]...)
	case s.Kind == decide.Requested:
		return append(append([]string{s.cause()}, s.n.requestWords()[:min(len(s.n.Requests), 3)]...), nothingWritten)
	case s.Kind == decide.Healed:
		return []string{s.cause(), s.remedy(p), greenAfter(s.timeToHeal),
			s.roundCount(), s.others()}
	case s.Kind == decide.Retrying, s.Kind == decide.Failed && s.n.Plan != "" && planned:
		return []string{s.cause(), s.remedy(p), s.roundCount()}
	case s.inCode, s.observed && s.Function == "":
		return []string{s.cause(), s.n.Why}
	case s.observed:
		return []string{s.cause(), s.n.Why,
			onlyObserved}
	case s.orphan:
		return []string{"Nothing was changed or started."}
	case s.unread:
		return []string{"Only that it failed is known, and nothing was changed."}
	case s.Kind == decide.Reported && s.n.Plan == "":
		return []string{s.cause(), s.n.Why, "Nothing was changed."}
	}
	return []string{s.cause(), s.n.Why}
}

// besides is the summary without what a mail says in other words: the cause, and that the
// settings allow what was done.
func (s wording) besides() string {
	said := append([]string{"", s.cause(), "Nothing was changed.", greenAfter(s.timeToHeal)}, s.n.requestWords()...)
	if _, todo := s.opening(); todo == observedOnly {
		said = append(said, onlyObserved)
	}
	if len(s.n.Grants)+len(s.n.Refusals) > 0 && s.Kind != decide.Undone && !s.beyondScope {
		said = append(said, s.n.Why)
	}
	if s.planned && s.plan.Remedy == diagnose.Grant {
		said = append(said, s.remedy(s.plan))
	}
	out := slices.DeleteFunc(s.happened(), func(sentence string) bool { return slices.Contains(said, sentence) })
	if s.Repeats > 0 {
		out = append(out, s.repeats())
	}
	return strings.Join(out, " ")
}

func greenAfter(d time.Duration) string { return "It is green " + duration(d) + " after it failed." }

// repeats says how many equal failures the notice stands for.
func (s wording) repeats() string {
	return fmt.Sprintf("And %s more like this: equal failures since the last notice are only counted.", thousands(s.Repeats))
}

// others tells of the builds that followed this one.
func (s wording) others() string {
	if s.n.Followers == nil {
		return ""
	}
	return s.n.Followers.Says
}

// until says how long a person's undo lasts.
func (s wording) until() string {
	if len(s.heldBack()) == 0 {
		return ""
	}
	return ": it is not made again until a person lifts the undo"
}

// roundCount says how many rounds there were, if more than one.
func (s wording) roundCount() string {
	switch n := len(s.acted); {
	case n < 2:
		return ""
	case s.Kind == decide.Healed:
		return fmt.Sprintf("It took %d rounds.", n)
	default:
		return fmt.Sprintf("This is round %d.", n)
	}
}

// role is the ARN of the role that is changed: the failed build's, or another one of its deployment.
func (s wording) role() string {
	if other, ok := s.anotherRole(); ok {
		return id(other.ARN())
	}
	if s.n.Build == nil {
		return ""
	}
	return s.n.Build.Role
}

// cause says in a sentence why the build failed.
func (s wording) cause() string {
	f := s.n.Failure
	if f == nil {
		return ""
	}
	ds := f.Denials
	if s.Kind == decide.Healed {
		ds = nil
		for _, r := range s.acted {
			if r.Diagnosis != nil {
				ds = append(ds, denials(r.Diagnosis.Denials)...)
			}
		}
	}
	as := actions(ds)
	if len(as) == 0 {
		return sentence(f.Title)
	}
	fromLog := f.Origin == buildlog.FromLog && len(s.n.Refusals) > 0 // nothing but the log says so
	if s.Kind != decide.Healed && !s.deniedIsCause() {
		if fromLog && strings.HasPrefix(f.Title, as[0]) { // somebody else's denial
			return sentence("According to its log, " + f.Title)
		}
		return sentence(f.Title)
	}
	what := list(as, 3)
	if by := s.deniedBy(); by != "" {
		what += " by " + by
	}
	if fromLog {
		return "According to its log, the build was denied " + what + "."
	}
	return "The build was denied " + what + "."
}

// deniedIsCause reports whether the build failed since it was denied what the notice lists. A
// denial may also stand beside the cause, or be somebody else's.
func (s wording) deniedIsCause() bool {
	g := s.latest.Diagnosis
	causal := func(d buildlog.Denial) bool { return d.Causal }
	return g == nil || diagnose.OfDenial(g.Cause) && slices.ContainsFunc(g.Denials, causal)
}

// deniedBy names the kind of policy that denied, if no grant could change that.
func (s wording) deniedBy() string {
	if s.n.Failure == nil || len(s.n.Failure.Denials) == 0 || s.Kind != decide.Healed && !s.deniedIsCause() {
		return ""
	}
	d := s.n.Failure.Denials[0]
	name := layers[d.Layer]
	if name == "" || d.Layer == buildlog.IdentityBased && d.Effect != buildlog.Explicit {
		return ""
	}
	return article(name)
}

// remedy says in a sentence what was done and why.
func (s wording) remedy(p decide.Plan) string {
	switch p.Remedy {
	case diagnose.Grant:
		return "The settings allow that, so the role was given the permission and the build was started again."
	case diagnose.OverrideBuildspec:
		return fmt.Sprintf("The settings list %s as an alternative, so the same commit was built with that.",
			quote(p.Buildspec, maxName))
	case diagnose.CreateRepository:
		return fmt.Sprintf("The settings allow creating it, so the repository %s was created and the build "+
			"was started again.", named(id(p.Repository)))
	case diagnose.SwitchRole:
		return fmt.Sprintf("The settings name a ready role, so the project was switched to %s and built again.",
			lastElement(id(p.NewRole)))
	case diagnose.Retry:
		if s.through {
			return s.throughWords()
		}
	}
	return s.n.Why
}

// proof lists the evidence for the cause, the weakest first.
func (s wording) proof() []string {
	out := []string{}
	if s.Kind == decide.MadePermanent {
		return append(out, "IAM's policy simulator: allowed by the role's other policies alone.")
	}
	f := s.n.Failure
	if f == nil || f.Text == "" && len(f.Denials) == 0 {
		return out
	}
	origin, line := s.place()
	switch {
	case origin == buildlog.FromPhase && s.ofAction():
		out = append(out, "CodePipeline's record of the action says so.")
	case origin == buildlog.FromPhase:
		out = append(out, "CodeBuild itself says so in the phase's context.")
	case origin == buildlog.FromReport:
		out = append(out, "CodeBuild's test report says so.")
	case origin == buildlog.FromStack && len(f.Denials) > 0:
		out = append(out, "An event of the CloudFormation stack says so. That alone is no proof: it repeats what hooks and the "+
			"functions behind custom resources answer.")
	case origin == buildlog.FromStack:
		out = append(out, "An event of the CloudFormation stack says so.")
	case origin == buildlog.FromDecoded:
		out = append(out, "AWS's encoded message says so; AWS STS decoded it.")
	case len(f.Denials) > 0:
		out = append(out,
			lineOfLog(line)+" says so. That alone is no proof: any code that runs in a build can print it.")
	case line > 0 && s.ofAction():
		out = append(out, fmt.Sprintf("Line %d of the action's log says so.", line))
	case line > 0:
		out = append(out, lineOfLog(line)+" says so.")
	}
	if new := f.Since.proved(); new != "" {
		out = append(out, new)
	}
	if s.proved(settings.EvidenceCloudTrail) {
		out = append(out, "CloudTrail shows that this build's session was denied this.")
	}
	if s.proved(settings.EvidenceAuthorization) {
		out = append(out, "AWS's own record of the request shows that this build's session was denied this, and that only a missing "+
			"permission of its role denied it.")
	} else if i := slices.IndexFunc(s.latest.Recorded, func(r guardrail.Recorded) bool { return r.Silent != "" }); i >= 0 {
		out = append(out, "The authorization ID in its message proves no more: "+s.latest.Recorded[i].Silent+".")
	}
	if p := s.plan; s.planned && p.Write != nil && p.Write.Kind != guardrail.Attach {
		out = append(out, "IAM's policy simulator: not allowed without the change, allowed with it.")
	} else if s.through {
		out = append(out, "IAM's policy simulator: not allowed when it was asked for, allowed now.")
	}
	switch {
	case s.Kind == decide.Healed && s.ofAction():
		out = append(out, "The stage was retried and the action is green.")
	case s.Kind == decide.Healed && s.rerun:
		return append(out, "GitHub ran the job again and says that it passed.")
	case s.Kind == decide.Healed:
		out = append(out, "The build was started again and is green.")
	}
	return out
}

func lineOfLog(n int) string { return fmt.Sprintf("Line %d of the build's log", n) }

// place is where it stands why the build failed.
func (s wording) place() (buildlog.Origin, int) {
	f := s.n.Failure
	if len(f.Denials) > 0 && s.deniedIsCause() { // it is told as the cause, so its own place is the proof
		return f.Denials[0].Origin, f.Denials[0].Line
	}
	return f.Origin, f.Line
}

// certainty is how well the denial is proved, in a row of a phone, for a person who is to approve; ""
// if there is nothing to prove.
func (s wording) certainty() string {
	switch {
	case s.Kind != decide.Proposed && s.Kind != decide.Requested || s.bridged() || len(s.n.Proof) == 0:
		return ""
	case s.proved(settings.EvidenceAuthorization):
		return "Proof: AWS's own record of the request."
	case s.proved(settings.EvidenceCloudTrail):
		return "Proof: CloudTrail shows the denial."
	}
	switch origin, _ := s.place(); origin {
	case buildlog.FromPhase:
		return "Proof: CodeBuild's own phase context."
	case buildlog.FromReport:
		return "Proof: CodeBuild's test report."
	case buildlog.FromStack:
		return "Proof: a stack's event; code can fake it."
	case buildlog.FromDecoded:
		return "Proof: AWS's encoded message."
	}
	return "Proof: the log alone; code can fake it."
}

// proved reports whether a denial is proved so: one of the latest round, unless that gave nothing.
func (s wording) proved(by settings.Evidence) bool {
	if d := s.latest.Decision; d != nil && len(d.Used) > 0 {
		return slices.ContainsFunc(d.Used, func(u guardrail.Used) bool { return u.Evidence == by })
	}
	return slices.ContainsFunc(s.n.Grants, func(g Grant) bool { return g.Evidence == by })
}

// That nothing was done in mode observe, as what to do and as what happened.
const (
	observedOnly = "Nothing was changed: the project is in mode observe."
	onlyObserved = "The project is in mode observe, so nothing was changed; this notice shows what would have been done."
)

// What a mail does not repeat, since its first screen says it in other words.
const (
	caseClosed     = "The case is closed."
	runsAgain      = "The build is running again. When it ends, a notice says whether it was healed or what was tried next."
	stageAgain     = "The stage is running again. When the action ends, a notice says whether it was healed or what was tried next."
	nothingHappens = "Nothing."
	untilApproved  = "Nothing, until somebody approves or rejects it."
	nothingWritten = "Nothing is written in IAM."
	addEntry       = "If the entry is right, add it to buildmedic.yaml, deploy, and replay this failure."
	makePermanent  = "Make it permanent in your own code: until then, IAM differs from what your code says."
)

// next says what happens now, and what a person should do.
func (s wording) next() []string {
	out := []string{}
	say := func(sentence string) {
		if sentence != "" {
			out = append(out, sentence)
		}
	}
	p := s.plan
	switch s.Kind {
	case decide.Healed:
		say(caseClosed)
		s.afterChange(say, p)
	case decide.Retrying:
		if s.ofAction() {
			say(stageAgain)
		} else {
			say(runsAgain)
		}
		s.afterChange(say, p)
	case decide.Proposed:
		say(untilApproved)
		if !s.n.Until.IsZero() {
			say("It can be approved until " + stamp(s.n.Until) + ".")
		}
		say("An approval applies exactly what is proposed here; if the role or the project has changed since, it is refused.")
		if s.latest.Decision != nil && s.latest.Decision.Plan != nil {
			for _, e := range s.latest.Decision.Plan.Ends {
				say(fmt.Sprintf("What grant %s gives lasts %s from the approval; the end that is shown here counts from now.",
					id(e.Grant), duration(e.Lasts)))
			}
		}
	case decide.Requested:
		s.awaits(say)
	case decide.MadePermanent:
		s.fromNowOn(say)
	case decide.Expiring:
		say("If the build still needs it, make it permanent in your own code, or renew the grant in " +
			"buildmedic.yaml and deploy.")
	case decide.Paused:
		if s.byPerson() {
			say("Resume once the reason is gone. Builds that failed in the meantime can be replayed then.")
			break
		}
		say("Look at the cases that were undone, fix the settings, then resume.")
	case decide.OfIncident:
		s.incidentNext(say)
	default:
		s.advise(say)
	}
	if len(out) == 0 {
		say("Nothing more until a person acts.")
	}
	return out
}

// advise says what a person should do about a build that is not healed.
func (s wording) advise(say func(string)) {
	advice := ""
	// The advice for a missing permission is to allow it. The refusals say more than that, and a
	// log alone is no reason to allow anything.
	if r := s.latest; s.n.Failure != nil && r.Diagnosis != nil && r.Diagnosis.Remedy != diagnose.Grant {
		advice = sentence(s.n.Failure.Advice)
	}
	if s.runAgain != "" && s.latest.Diagnosis.Remedy == diagnose.Retry {
		advice = "" // it is to start the build again
	}
	switch {
	case s.Lacks != "":
		s.adviseDenied(say)
	case s.unread:
		say("Once that is done, replay this failure, or wait: the sweep finds it within 15 minutes, unless it is " +
			"older than a day.")
	case s.inCode:
		say("`buildmedic replay -pull-request " + s.buildNamed() + "` opens the pull request, with credentials of your own; it asks " +
			"once more before that.")
		say("Once the request is merged and deployed, start the build again.")
		if s.Function != "" {
			say("To have it opened and the build started again without you, set mode: heal (or propose) for the project in " +
				"buildmedic.yaml and deploy.")
		}
	case s.observed && s.Function == "":
		say("Nothing, until you run the command; it asks once more before it changes anything.")
	case s.observed:
		say(nothingHappens)
		say("To have such failures repaired, set mode: heal (or propose) for the project in buildmedic.yaml and deploy.")
	case s.unsent != nil && entries(s.n.Refusals) > 0:
		say("Add what the entry says to the grant if everybody who runs as the role may have it, and deploy. Else give the " +
			"project a role of its own, and the grant scope: role.")
	case s.unsent != nil:
		say("Approve the plan that is offered next if everybody who runs as the role may have it. Else give the project a " +
			"role of its own, and the grant scope: role.")
	case s.ineffective:
		say("Look for what else denies it and IAM's policy simulator cannot see: the resource's own policy, " +
			"a VPC endpoint policy, a session policy or a resource control policy.")
	case entries(s.n.Refusals) > 0:
		say(addEntry)
		if entries(s.n.Refusals) < len(s.n.Refusals) {
			say("The entry alone is not enough: nothing is granted until all the reasons above are gone.")
		}
	case s.through && s.superseded():
		say("The role has what the build was denied. If this build is wanted, too, start it by hand.")
	case s.through:
		say("Start the build again by hand: its role has what it was denied.")
	case advice != "":
		say(advice)
	case s.runAgain != "" && s.latest.Diagnosis.Remedy != diagnose.Grant: // the refusals say what helps
	case len(s.n.Refusals) > 0:
		say("The reasons above say what would have to change. Do not allow it by hand just because this log asks for " +
			"it: first find out who was denied what, for example in CloudTrail.")
	}
	if s.runAgain != "" && s.Lacks == "" && !s.ofRunner() {
		say(s.runAgain)
	}
	if s.standing {
		say("The change stays in place until it is undone.")
	}
}

// adviseDenied says what to do if the healer itself lacks a permission.
func (s wording) adviseDenied(say func(string)) {
	what := id(s.Lacks)
	switch {
	case s.Function == "":
		say("Your credentials do not allow " + what + ", so Buildmedic could not go on. Use credentials that do.")
	case s.elsewhereAccount():
		say("Deploy the member template of these settings in account " + id(s.Case.Account) +
			" (make member), and the " +
			"stack of the hub if the account is new in the settings. If that does not help, look for the policy that " +
			"denies " + what + ".")
	default:
		say("Deploy the stack again (make deploy): that gives Buildmedic's function the permissions that " +
			"buildmedic.yaml asks for. If that does not help, look for the policy that denies " + what + " to the " +
			"function's role, such as a permissions boundary or a service control policy.")
	}
	if s.unread {
		say("Then replay this failure, or wait: the sweep finds it within 15 minutes, unless it is older than a day.")
	} else if s.Kind == decide.Reported {
		say("Then replay this failure.")
	}
}

// afterChange says what to do about a change that stands.
func (s wording) afterChange(say func(string), p decide.Plan) {
	for _, g := range s.n.Grants {
		if !g.Expires.IsZero() {
			say(fmt.Sprintf("Grant %s ends on %s; a reminder is sent before that.", g.ID, stamp(g.Expires)))
		}
	}
	for _, r := range s.acted {
		for _, d := range r.Dropped {
			say(fmt.Sprintf("Version %s of policy %s (made %s), the oldest, was deleted to make room. Its document is kept: "+
				"`buildmedic show %s` prints it, and undo brings it back where a version is free.", id(d.Version),
				lastElement(id(d.Policy)), stamp(d.Created), id(s.Case.ID)))
		}
	}
	switch p.Remedy {
	case diagnose.Grant:
		if s.n.asked {
			s.asksForGood(say)
		} else {
			say(makePermanent)
		}
		if p.Write != nil && p.Write.Kind == guardrail.Managed {
			say("If CloudFormation, CDK or Terraform owns the policy, its next deployment may put the " +
				"old version back.")
		} else {
			say("If CloudFormation or CDK owns the role, the stack cannot delete the role while it has this policy, " +
				"so undo first. If Terraform owns it, the next apply may remove the policy.")
		}
	case diagnose.CreateRepository:
		say("The repository stays. Make it permanent in your own code, with the scanning and the lifecycle " +
			"policy that you need.")
	case diagnose.OverrideBuildspec:
		say("Only this build used that path: the next build fails again until you make it permanent.")
	case diagnose.SwitchRole:
		say("The project keeps that role until it is undone.")
	}
}

// then says what would follow a change that is only proposed or explained.
func (s wording) then() string {
	r := s.latest
	if r.Decision == nil || r.Decision.Plan == nil || s.Kind != decide.Proposed && !s.observed || s.inCode {
		return ""
	}
	verb := "would be"
	if s.Kind == decide.Proposed {
		verb = "will be"
	}
	switch p := r.Decision.Plan; {
	case p.Write != nil && p.Write.Kind == guardrail.Code && p.Route == decide.RouteNone:
		return "Then a pull request asks for it. Once that is merged and deployed, the build is left for you to start, as the " +
			"settings require."
	case p.Write != nil && p.Write.Kind == guardrail.Code:
		return "Then a pull request asks for it, and the build is started again by itself once that is merged and deployed."
	case p.Route == decide.RouteNone:
		return "The build " + verb + " left for you to start, as the settings require."
	case s.ofAction() && p.Settle > 0:
		return fmt.Sprintf("After %s, the stage %s retried.", duration(p.Settle), verb)
	case p.Settle > 0:
		return fmt.Sprintf("After %s, the build %s started again.", duration(p.Settle), verb)
	}
	return "Then the build " + verb + " started again."
}

// entries counts the refusals that come with an entry for the settings.
func entries(rs []Refusal) (n int) {
	for _, r := range rs {
		if r.Entry != "" {
			n++
		}
	}
	return n
}
