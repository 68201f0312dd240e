package main

import (
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/floor"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// deskProject stands for the project's name, which no log holds.
const deskProject = "PROJECT"

// grantsFor asks the guardrails, with settings that allow nothing, which
// entries would allow what failed the build; what is in the way of one; and whether no entry at all
// may allow it.
func grantsFor(f buildlog.Failure, d diagnose.Diagnosis) (entries, hindrances []string, never bool) {
	possible := false
	for _, x := range d.Denials {
		if !x.Causal {
			continue
		}
		in := deskInput(f.Build, x)
		for range guardrail.Questions(in) { // the denial stands for the simulator's answer
			in.Before = append(in.Before, guardrail.Answer{Verdict: iampolicy.ImplicitDeny})
		}
		for _, r := range guardrail.Judge(in).Refusals {
			switch {
			case r.Entry != "":
				possible = true
				entries = append(entries, withoutComments(r.Entry))
			case r.Rule == guardrail.NoGrantConfigured: // so far nothing but the resource is in the way
				possible = true
				hindrances = append(hindrances,
					"The text does not say on what "+r.Action+" was denied, and a resource is never guessed."+
						" A grant that holds the action and says give: set brings in its own resources.")
			default:
				hindrances = append(hindrances, r.Message+" (rule "+string(r.Rule)+")")
			}
		}
	}
	return unique(entries), unique(hindrances), !possible && len(hindrances) > 0
}

// setsOf names the sets that hold all the actions that failed the build.
func setsOf(d diagnose.Diagnosis) []string {
	var actions []string
	for _, x := range d.Denials {
		if x.Causal {
			actions = append(actions, x.Action)
		}
	}
	var out []string
	for _, set := range floor.Sets() {
		if len(actions) > 0 && !slices.ContainsFunc(actions, func(a string) bool { return !slices.Contains(set.Actions, a) }) {
			out = append(out, set.Name)
		}
	}
	return out
}

// deskInput makes the build and role that the denial speaks of: at the desk
// there is no other record of them.
func deskInput(b codebuild.Build, x buildlog.Denial) guardrail.Input {
	who, _ := codebuild.ParseARN(x.Principal)
	what, _ := codebuild.ParseARN(x.Resource)
	at := codebuild.ARN{Partition: first(who.Partition, what.Partition, "aws"), Service: "codebuild",
		Region: first(what.Region, "us-east-1"), Account: first(who.Account, what.Account, "111122223333")}
	role, session := deskProject, "AWSCodeBuild-desk"
	if p := strings.Split(who.Resource, "/"); who.Service == "sts" && len(p) == 3 {
		role, session = p[1], p[2]
	}
	id := deskProject + ":" + strings.TrimPrefix(session, "AWSCodeBuild-")
	at.Resource = "build/" + id
	b.ID, b.ARN, b.Project = id, at.String(), deskProject
	b.Initiator, b.SourceVersion = "desk", "refs/heads/main" // taken for granted, as all else here
	b.ServiceRole = codebuild.Role{Partition: at.Partition, Account: at.Account, Path: "/", Name: role}.ARN()
	r, _ := b.Role()
	return guardrail.Input{
		Settings: &settings.Settings{}, Project: settings.Project{Name: deskProject, PullRequests: settings.Accept}, Build: b,
		Denials: []buildlog.Denial{x}, Role: guardrail.RoleState{Role: r, Inline: map[string]string{}},
	}
}

func first(list ...string) string {
	for _, s := range list {
		if s != "" {
			return s
		}
	}
	return ""
}

func withoutComments(entry string) string {
	var b strings.Builder
	for l := range strings.Lines(entry) {
		if !strings.HasPrefix(l, "#") {
			b.WriteString(l)
		}
	}
	return b.String()
}

func unique(list []string) []string {
	var out []string
	for _, s := range list {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}
