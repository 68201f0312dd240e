package diagnose

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// words returns what the placeholders of titles and advice stand for: the named groups, and those
// that are always there.
func (x *facts) words(found finding) map[string]string {
	w := map[string]string{"command": "unknown", "exit": "unknown", "action": "an action", "denied": "an action", "unsaid": "to what"}
	if x.Command != "" {
		w["command"] = printable(clip(x.Command, 200))
	}
	if x.Exit != "" {
		w["exit"] = printable(clip(x.Exit, 16))
	}
	w["vpc"], w["fleet"] = cmp.Or(printable(x.Build.VPC), "a VPC"), cmp.Or(printable(fleetName(x.Build.Fleet)), "of the project")
	w["environment"] = cmp.Or(printable(x.Build.Environment), "this environment type")
	w["compute"] = cmp.Or(printable(x.Build.Compute), "its compute type")
	if d := found.denial; d != nil {
		w["action"] = what(d)
		w["denied"] = what(d)
		w["principal"] = who(d)
		w["unsaid"] = x.unsaid(d)
		if n := len(x.actions()) - 1; n > 0 {
			w["denied"] += fmt.Sprintf(" and %d more", n)
		}
	}
	for k, v := range found.details {
		w[k] = printable(v)
	}
	return w
}

// actions returns the different actions that failed the build, as what names them.
func (x *facts) actions() []string {
	var list []string
	seen := map[string]bool{}
	for i := range x.causal {
		if a := what(&x.causal[i]); !seen[a] {
			seen[a] = true
			list = append(list, a)
		}
	}
	return list
}

// unsaid says what is missing in the text about the denials, so that a title does not claim more
// than the list under it.
func (x *facts) unsaid(d *buildlog.Denial) string {
	switch {
	case slices.ContainsFunc(x.causal, func(c buildlog.Denial) bool { return c.Action != "" }):
		return "all that it denied"
	case d.Operation != "":
		return "which permission the operation needs"
	case d.Resource != "":
		return "which action"
	}
	return "to what"
}

// bootstrapRole finds the CDK's remark that it could not take a role of the bootstrap and goes on
// as the build itself.
var bootstrapRole = lazyregexp.New(`could not be used to assume '(arn:[^']+:role/[^']+)'`)

// firstOfAll is what a person should know before the advice of any cause: denials of a CDK that
// works without the bootstrap's roles never end, one permission a round.
func (x *facts) firstOfAll() string {
	if x.rows.grams.lacks("could not be used to assume") || len(x.causal) == 0 {
		return ""
	}
	var roles []string
	for _, l := range x.bare {
		if m := bootstrapRole.Get().FindStringSubmatch(l); m != nil && !slices.Contains(roles, m[1]) && len(roles) < 3 {
			roles = append(roles, m[1])
		}
	}
	if len(roles) == 0 {
		return ""
	}
	text := "The CDK could not assume the bootstrap's roles and went on as the build itself, which needs far more " +
		"permissions. First let the build's role call sts:AssumeRole on " + printable(clip(strings.Join(roles, ", "), 600)) +
		", and check that these roles exist and trust it"
	if slices.ContainsFunc(x.Denials, func(d buildlog.Denial) bool { return d.Action == "sts:AssumeRole" }) {
		return text + ". "
	}
	return text + "; the log does not say which of the two was missing. "
}

// needsRoot matches the programs that Lambda compute does not have, or that need root there
// (AWS.md#lambda-compute).
var needsRoot = lazyregexp.New(`(?i)\b(apt|apt-get|apk|dnf|yum|rpm|microdnf|sudo|dockerd?|podman|buildah|systemctl)\b`)

// aboutEnvironment adds to the advice what the build's environment cannot do, or does otherwise.
func (x *facts) aboutEnvironment(cause string) string {
	vpc := slices.Contains(inVPC, cause) || cause == "pip-dependency-failed" && strings.Contains(x.rows.text, "(from versions: none)")
	switch {
	case x.Build.VPC != "" && vpc:
		return " This build runs in " + printable(x.Build.VPC) + ": what it may call is for the routes (a NAT gateway, VPC " +
			"endpoints), the DNS settings and the security group there."
	case x.Build.Fleet != "" && vpc:
		return " This build runs on the fleet " + printable(fleetName(x.Build.Fleet)) + ", which may have a VPC of its own."
	}
	onLambdaCompute := strings.Contains(x.Build.Environment, "LAMBDA") || strings.Contains(x.Build.Image, "-lambda-standard:")
	if !onLambdaCompute || !slices.Contains(onLambda, cause) || !needsRoot.MatchString(x.Command) && !x.says(needsRoot) {
		return ""
	}
	return " This build runs on Lambda compute: Amazon Linux without root, without Docker, and only /tmp can be written. " +
		"Nothing can be installed with apt-get, yum or sudo there: use an image that has the tool, install it below " +
		"/tmp, or choose EC2 compute in the project's environment settings."
}

// inVPC lists the causes that the network of a VPC may explain.
// pip says the same of an index that does not answer as of a package that is not there.
var inVPC = []string{"dns-failure", "endpoint-unreachable", "network-failure", "registry-unavailable", "docker-pull-failed",
	"build-timed-out", "pip-index-unanswered"}

// onLambda lists the causes that Lambda compute explains.
var onLambda = []string{"command-not-found", "file-permission", "not-executable",
	"os-package-failed", "os-package-mirror", "os-package-locked", "command-failed"}

// says reports whether one of the last lines matches.
func (x *facts) says(re *lazyregexp.Regexp) bool {
	return slices.ContainsFunc(x.bare[max(0, len(x.bare)-20):], re.MatchString)
}

// what names the denied action as precisely as the text allows.
func what(d *buildlog.Denial) string {
	switch {
	case d.Action != "":
		return printable(clip(d.Action, 128))
	case d.Operation != "":
		return "the operation " + printable(clip(d.Operation, 128))
	}
	return "an action that the text does not name"
}

// who names the denied principal without its account: "deploy/ci" of a session
// of the role deploy.
func who(d *buildlog.Denial) string {
	if d.Subject != "" {
		return said(d)
	}
	a, ok := codebuild.ParseARN(d.Principal)
	if !ok {
		return "somebody"
	}
	return printable(clip(strings.TrimPrefix(a.Resource, "assumed-role/"), 128))
}

// said is how the text names who was denied.
func said(d *buildlog.Denial) string {
	if d.Subject == "" {
		return printable(clip(d.Principal, 300))
	}
	s := printable(clip(d.Subject, 160))
	for _, the := range []string{"The ", "A ", "An "} {
		if rest, ok := strings.CutPrefix(s, the); ok {
			return strings.ToLower(the) + rest
		}
	}
	return s
}

// incurable reports whether one of the denials that failed the build is not the build's, or has a
// reason that no permission is known to cure.
func (x *facts) incurable() bool {
	for i := range x.causal {
		if d := &x.causal[i]; d.Reason != "" || !x.mayBeCured(d) {
			return true
		}
	}
	return false
}

// mayBeCured reports whether d may be the build's own, or is of a role with which it deploys.
func (x *facts) mayBeCured(d *buildlog.Denial) bool {
	whose := x.whose(d)
	return whose == perhapsOurs || whose == listedRole
}

// shownWithin is how far from the evidence a line may be that the advice names.
const shownWithin = 60

// besideText is what tools put in front of the lines of a message of theirs.
var besideText = lazyregexp.New(`^(?:npm (?:ERR!|error)|INFO:?|\[INFO\]|[│|\s])+`)

// shown repeats the lines that the advice names, since the excerpt may have lost them: for each
// beginning the first line after the evidence, or around it, that starts so.
func (x *facts) shown(beginnings []string, e Evidence) string {
	at := x.line(e.Line)
	if at < 0 || e.Origin != buildlog.FromLog {
		return ""
	}
	var found []string
	for _, begin := range beginnings {
		for _, from := range []int{at, max(0, at-shownWithin)} {
			i := slices.IndexFunc(x.bare[from:min(len(x.bare), at+shownWithin)], func(l string) bool {
				return strings.HasPrefix(lower(withoutBeside(l)), begin)
			})
			if i >= 0 {
				found = append(found, "\""+printable(clip(strings.TrimSpace(withoutBeside(x.bare[from+i])), 200))+"\"")
				break
			}
		}
	}
	if len(found) == 0 {
		return ""
	}
	return " The output says " + strings.Join(found, ", ") + "."
}

func withoutBeside(line string) string {
	return line[len(besideText.Get().FindString(line)):]
}

// aboutAside adds to the advice which denial of the failed command was not taken for the reason,
// and why not.
func (x *facts) aboutAside() string {
	if len(x.aside) == 0 {
		return ""
	}
	d := &x.aside[len(x.aside)-1]
	denied := what(d) + " was denied"
	switch {
	case d.Principal != "":
		denied = printable(clip(d.Principal, 300)) + " was denied " + what(d)
	case d.Subject != "":
		denied = printable(clip(d.Subject, 300)) + " was denied " + what(d)
	}
	text := fmt.Sprintf(" The output also says that %s, but %s", denied, Meaning(d.Verdict.Finding))
	if n := d.Verdict.RivalLine; n > 0 {
		text += fmt.Sprintf(" (line %d)", n)
	}
	return text + ": nothing is granted for it."
}

// aboutUndecoded adds to the advice how many encoded messages nobody was asked
// about.
func (x *facts) aboutUndecoded() string {
	if x.Undecoded == 0 {
		return ""
	}
	return fmt.Sprintf(" %d encoded authorization message(s) in the log were not decoded: nothing is given for this build, "+
		"or there are too many. Decode them with aws sts decode-authorization-message.", x.Undecoded)
}

// aboutDenial adds to the advice what is known about this one denial: which policy denies, and
// whether the build's role was denied.
func (x *facts) aboutDenial(d *buildlog.Denial) string {
	var b strings.Builder
	if d.PolicyARN != "" {
		fmt.Fprintf(&b, " The denying policy is %s.", printable(clip(d.PolicyARN, 300)))
	}
	if d.Reason != "" {
		fmt.Fprintf(&b, " AWS says: %q.", printable(clip(d.Reason, 300)))
	}
	if d.Layer == buildlog.LayerUnstated && d.Effect == buildlog.Unstated && d.Action != "" && d.Reason == "" && d.Subject == "" {
		b.WriteString(" AWS does not say which policy denies; if the role already has the permission, look for a deny" +
			" in the resource's policy or above the role.")
	}
	switch {
	case d.Action != "":
	case d.EncodedCut:
		b.WriteString(" The encoded message would name it, but it is cut.")
	case d.Encoded != "":
		b.WriteString(" The encoded message names it; decode it with aws sts decode-authorization-message.")
	}
	switch who := said(d); x.whose(d) {
	case anotherRole:
		fmt.Fprintf(&b, " It was %s that was denied, not the build's service role: the permission belongs there.", who)
	case listedRole:
		fmt.Fprintf(&b, " It was %s that was denied, of a role with which the settings say that this project deploys.", who)
	case anotherSession:
		fmt.Fprintf(&b, " It was %s that was denied, not this build's session.", who)
	}
	return b.String()
}

// An owner says whose denial it is.
type owner int

const (
	perhapsOurs    owner = iota // or masked, cut, or not said
	anotherRole                 // a user, or a role that is not the build's service role
	anotherSession              // not this build's session, whatever its role
	listedRole                  // a role of the account with which the settings say that the project deploys
)

// whose says whose denial d is, where that is certain (AWS.md#build-session). Without a build
// record only an IAM user, an account's root, and a session whose name is not one of CodeBuild's
// are certainly not ours.
//
// A part that the text masks says nothing, and the others must still agree.
func (x *facts) whose(d *buildlog.Denial) owner {
	if d.Subject != "" {
		return anotherRole
	}
	a, ok := codebuild.ParseARN(d.Principal)
	if !ok {
		return perhapsOurs
	}
	if a.Service == "iam" && (strings.HasPrefix(a.Resource, "user/") || a.Resource == "root") {
		return anotherRole
	}
	name, account, session := d.Owner()
	role, recorded := x.Build.Role()
	switch {
	case name == "":
		return perhapsOurs
	case recorded && slices.Contains(x.Roles, name) && account == role.Account && session != "" &&
		!strings.HasPrefix(strings.ToLower(session), "awscodebuild"):
		return listedRole
	case recorded && (!mayBe(name, role.Name) || !mayBe(account, role.Account)):
		return anotherRole
	case recorded:
		if x.Build.UUID() != "" && !mayBe(session, x.Build.Session()) && readable(strings.ReplaceAll(session, "*", "")) {
			return anotherSession
		}
	case readable(session) && !strings.HasPrefix(session, "AWSCodeBuild"):
		return anotherSession
	}
	return perhapsOurs
}

// mayBe is [buildlog.MayBe] for texts in which people mask with fewer stars than machines.
func mayBe(part, name string) bool { return buildlog.MayBe(strings.ReplaceAll(part, "*", "***"), name) }

// readable reports whether a session's name is complete: people mask with characters that AWS does
// not allow.
func readable(session string) bool {
	return len(session) >= 2 && !strings.Contains(session, "..") && strings.Trim(strings.ToLower(session), "x") != "" &&
		!strings.ContainsFunc(session, func(r rune) bool {
			return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_+=,.@-", r))
		})
}

// expand replaces the {placeholders} that it knows.
func expand(text string, words map[string]string) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(text, "{")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		name, after, ok := strings.Cut(rest, "}")
		v, known := words[name]
		if !ok || !known {
			b.WriteByte('{')
			text = rest
			continue
		}
		b.WriteString(v)
		text = after
	}
}

// printable returns s as one line, without anything that a terminal or a mail program could
// interpret.
func printable(s string) string {
	if strings.IndexFunc(s, unprintable) < 0 {
		return s
	}
	s = ansi.ReplaceAllString(s, "")
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unprintable(r):
			return -1
		}
		return r
	}, s)
}

// unprintable reports control characters and those that change how what
// follows is shown, such as right-to-left marks.
func unprintable(r rune) bool {
	return r != ' ' && !unicode.IsGraphic(r) || r == unicode.ReplacementChar
}
