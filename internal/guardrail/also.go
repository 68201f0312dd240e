package guardrail

import (
	"fmt"
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// Other roles of a deployment: CloudFormation's, the CDK's, a task's. The settings list them under a
// project's also_roles, and a denial of one is judged as one of the project's own role is, with
// everything in its place: its grants, its place to write to, its boundary, its policies, its trust.
//
// The session of such a role is none of the build's, so nothing tells that this build's deployment
// was denied, and not another one, or nobody. So of the text nothing may be masked, and the simulator
// must say that the role lacks what was denied.

// InHand is what the project is for the role that a build's denials are about: one role a round. It
// is the project's own role as long as one denial is not certainly another's, else the first of the
// other roles, in the settings' order, that was denied something.
//
// A build that shows denials of several roles is cured one role after the other, each by a round of
// its own, with the proof, the lease, the budget and the undo that a change of one role has. A plan
// for two would have to be undone by halves where the second write fails. Nothing is half done for
// it: [Judge] refuses all of them if the words alone of one are refused, the order does not hang on
// the text, and the next role's turn comes only once the first one's denials are gone. If they come
// back, what was given is taken back, and nothing more is given.
func InHand(p settings.Project, b codebuild.Build, ds []buildlog.Denial) settings.Project {
	all := p.Roles()
	if len(ds) == 0 || len(all) == 1 {
		return all[0]
	}
	first := len(all)
	for _, d := range ds {
		first = min(first, holder(all, b, d))
	}
	return all[first]
}

// inHand is the input about the role that the denials are about.
func (in Input) inHand() Input {
	in.Project = InHand(in.Project, in.Build, in.Denials)
	return in
}

// holder says for which of the project's roles a denial counts, as an index: of one of the others if
// it certainly is that role's, else of its own.
func holder(all []settings.Project, b codebuild.Build, d buildlog.Denial) int {
	for i, p := range all[1:] {
		if ofRole(codebuild.RoleNamed(b.At(), p.Role), d) {
			return i + 1
		}
	}
	return 0
}

// ofRole reports whether the principal is a session of exactly that role, and none that CodeBuild
// began: such a one is of a build that runs as the role, of which this build's log says nothing.
func ofRole(role codebuild.Role, d buildlog.Denial) bool {
	name, session, ok := sessionOf(d.Principal, role)
	return ok && d.Subject == "" && name == role.Name && !ofCodeBuild(session)
}

// sessionOf reads the ARN of a role's session in the account and partition of at, of which nothing is
// masked.
func sessionOf(principal string, at codebuild.Role) (name, session string, ok bool) {
	a, ok := codebuild.ParseARN(principal)
	parts := strings.Split(a.Resource, "/")
	if !ok || a.Partition != at.Partition || a.Service != "sts" || a.Region != "" || a.Account != at.Account ||
		len(parts) != 3 || parts[0] != "assumed-role" || !roleName.MatchString(parts[1]) || !sessionName.MatchString(parts[2]) {
		return "", "", false
	}
	return parts[1], parts[2], true
}

// The names that IAM and STS take (AWS.md#names).
var (
	roleName    = lazyregexp.New(`^[A-Za-z0-9_+=,.@-]{1,64}$`)
	sessionName = lazyregexp.New(`^[A-Za-z0-9_+=,.@-]{2,64}$`)
)

// ofCodeBuild reports whether the name is one of a build's session (AWS.md#build-session).
func ofCodeBuild(session string) bool {
	return strings.HasPrefix(strings.ToLower(session), "awscodebuild")
}

// RoleInHand is the role that may be changed for the build: its service role, or the other role for
// which the project stands. ok is false if the record has no readable service role.
func RoleInHand(b codebuild.Build, p settings.Project) (codebuild.Role, bool) {
	role, ok := b.Role()
	if ok && p.IsFor() {
		role = codebuild.RoleNamed(b.At(), p.Role)
	}
	return role, ok
}

// whom names the role that is in hand in a sentence about the settings.
func (in Input) whom() string {
	if in.Project.IsFor() {
		return fmt.Sprintf("role %q of project %q", in.Project.Role, in.Project.Name)
	}
	return fmt.Sprintf("project %q", in.Project.Name)
}

// user is who would have what is given.
func (in Input) user() string {
	if in.Project.IsFor() {
		return "the role"
	}
	return "the build"
}

// later refuses for the denials of the project's roles that are not in hand, as far as their words, the
// floor and the settings go: of what can never be given for one role, nothing is given for another.
func later(in Input) (refusals []Refusal) {
	for _, p := range in.Project.Roles() {
		if p.Role == in.Project.Role {
			continue
		}
		in := in
		in.Project, in.Role, in.Before = p, RoleState{}, nil
		cs, rs := claims(in)
		_, more := allowAll(in, grants(in), cs, nil)
		refusals = append(append(refusals, rs...), more...)
	}
	// CloudTrail is asked about them once it is their turn.
	return slices.DeleteFunc(refusals, func(r Refusal) bool { return r.Rule == NoTrail })
}

// alsoEntry writes the entry under which a denial of a role counts that the project does not list; ""
// if none may. Of the text, it holds a role's name that IAM takes, an action and a resource that were
// checked, all quoted.
func alsoEntry(in Input, own codebuild.Role, d buildlog.Denial) string {
	name, session, ok := sessionOf(d.Principal, own)
	role := own
	role.Path, role.Name = "/", name
	if !ok || ofCodeBuild(session) || strings.HasPrefix(name, "AWSServiceRoleFor") || strings.HasPrefix(name, "AWSReservedSSO_") ||
		strings.EqualFold(name, own.Name) || overlapsAny(in.Healer, role.ARN()) || !in.mayWriteSource(role) {
		return ""
	}
	if _, r := layer(d); r != nil {
		return ""
	}
	a, r := action(d)
	if r != nil {
		return ""
	}
	c := claim{action: a}
	if c.resources, r = resource(in, own, a, d); r != nil || onFloor(in, c, d) != nil {
		return ""
	}
	grant := entry(in, c)
	if grant == "" {
		return ""
	}
	_, grant, _ = strings.Cut(forAnyBuild(grant), "\n") // its head says that the project's own role gets it
	return fmt.Sprintf("# only if %s deploys with this role; write its path before its name, if it has one\n"+
		"projects:\n  - name: %s\n    also_roles:\n      - role: %s\n        grants: [%s]\n"+
		"        write: {inline: buildmedic}\ngrants:\n%s",
		quoteYAML(in.Project.Name), quoteYAML(in.Project.Name), quoteYAML(name), freeID(in, a.Name), grant)
}

// entryFor writes the entry that would allow a claim for the role that is in hand.
func (in Input) entryFor(c claim) string {
	if in.Project.IsFor() {
		return forAnyBuild(entry(in, c))
	}
	return entry(in, c)
}

// forAnyBuild takes out of an entry that its grant is for the project's own builds: another role's calls
// do not say from which build they come (AWS.md#build-keys).
func forAnyBuild(entry string) string { return strings.Replace(entry, "  scope: project\n", "", 1) }

// mayWriteSource reports whether the role is none with which the healer is deployed. What the CDK's
// bootstrap made may be that, unless the qualifier is known with which the healer was, and the role's is
// another (AWS.md#bootstrap).
func (in Input) mayWriteSource(role codebuild.Role) bool {
	return !overlapsAny(in.Source, role.ARN()) ||
		in.Qualifier != "" && strings.HasPrefix(role.Name, "cdk-") && !strings.HasPrefix(role.Name, "cdk-"+in.Qualifier+"-")
}

// otherRefusals are what stands in the way of writing another role than the build's, beyond what
// holds for that one: who may assume it. A service role is CodeBuild's alone to assume, and whom its
// owner names besides gets what it gets. Another role may be anybody's to deploy with, and whose denial
// it was is not proved. So one that somebody of another account may assume, under whatever condition,
// is not written. Services may, such as CloudFormation, and whoever of the role's own account may.
func otherRefusals(in Input) (out []Refusal) {
	sts, err := parseTrust(in.Role.Trust)
	if !in.Project.IsFor() || in.Role.Trust == "" || err != nil {
		return nil // said already
	}
	for _, st := range sts {
		if who := st.outsider(in.Role.Role.Account); who != "" {
			return []Refusal{{Rule: OpenTrust, Message: fmt.Sprintf(
				"The trust policy of %q lets %s assume it, so what a deployment lacks here would be given to another account, too. "+
					"Name a role that only this account and its services may assume.", in.Role.Role.ARN(), who)}}
		}
	}
	return nil
}

// outsider names who may be of another account and whom the statement trusts, "" if nobody.
func (st trustStatement) outsider(account string) string {
	if st.Effect != "Allow" {
		return ""
	}
	i := slices.IndexFunc(st.Principal["AWS"], func(p string) bool {
		a, isARN := codebuild.ParseARN(p)
		return p == "*" || isARN && a.Account != account || !isARN && isAccount(p) && p != account
	})
	if i < 0 {
		return ""
	}
	return fmt.Sprintf("%q", clip(st.Principal["AWS"][i]))
}
