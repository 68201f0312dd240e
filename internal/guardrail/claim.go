package guardrail

import (
	"fmt"
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/iamref"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// Bounds on what hostile text may make us do. IAM reads no resource longer
// than 2,048 characters, and no build is denied so many things at once.
const (
	maxResource = 2048
	maxDenials  = 50
)

// claim is a denial that passed guardrails 1, 3 and 4 as far as the text and
// the record go.
type claim struct {
	n      int // index into Input.Denials
	action iamref.Action
	// resources are what was denied, as a policy names it: exact, but for
	// names that AWS itself gives only in part (AWS.md#denied-resource). nil:
	// the text does not say, and nothing is guessed.
	resources []string
	near      []string              // patterns of what it may be, where resources are nil and the text names something
	via       []iampolicy.Condition // besides the grant's own: through which service a key was denied
	needs     bool                  // counts only if the simulator says that the role lacks it
}

// Identify asks whose denials these are (guardrail 1): it refuses for a build
// whose service role is not the one that the settings name, and for each
// denial of somebody else. It needs the settings, the project, the build
// record and the denials.
func Identify(in Input) []Refusal {
	role, r := serviceRole(in)
	if r != nil {
		return []Refusal{*r}
	}
	var out []Refusal
	all := in.Project.Roles()
	for _, d := range in.Denials {
		if holder(all, in.Build, d) > 0 {
			continue
		}
		if r := whose(in, role, d); r != nil {
			out = append(out, *r)
		}
	}
	return out
}

// roleInHand gives the role that may be changed: the service role, or the other one that is in hand.
func roleInHand(in Input) (codebuild.Role, *Refusal) {
	role, r := serviceRole(in)
	if r == nil && in.Project.IsFor() {
		role = codebuild.RoleNamed(in.Build.At(), in.Project.Role)
	}
	return role, r
}

// serviceRole gives the build record's role, if it is the one that the settings name.
func serviceRole(in Input) (codebuild.Role, *Refusal) {
	b, p := in.Build, in.Project.Whole()
	at := b.At()
	if p.Name != b.Project || p.Account != "" && p.Account != at.Account || p.Region != "" && p.Region != at.Region {
		return codebuild.Role{}, &Refusal{Rule: ProjectNotListed,
			Message: fmt.Sprintf("The build belongs to %q in %s/%s, which is not the project that the settings mean.",
				clip(b.Project), at.Account, at.Region)}
	}
	role, ok := b.Role()
	if !ok || b.UUID() == "" || !isAccount(role.Account) {
		return codebuild.Role{}, &Refusal{Rule: NotTheRole,
			Message: fmt.Sprintf("The build record names the service role %q, which is none of this account's.", clip(b.ServiceRole))}
	}
	want := strings.TrimPrefix(p.Role, "/")
	if !strings.HasPrefix(b.ServiceRole, "arn:") {
		// A bare name comes without its path (AWS.md#service-role).
		_, want = codebuild.SplitPath(want)
	}
	if role.PathName() != want && (want != "" || len(p.Grants) > 0 || len(p.AlsoRoles) > 0) {
		return codebuild.Role{}, &Refusal{Rule: NotTheRole,
			Message: fmt.Sprintf("The build ran as %q, and the settings name the role %q for this project. "+
				"Correct projects.role, or the project's service role.", role.PathName(), p.Role)}
	}
	return role, nil
}

func isAccount(id string) bool { return len(id) == 12 && strings.Trim(id, "0123456789") == "" }

// whose refuses a denial of anybody but the build's own session. The role's
// path is not part of a session's ARN (AWS.md#build-session). What is masked of
// the principal (AWS.md#masking) may be the build's own; the rest must agree.
func whose(in Input, role codebuild.Role, d buildlog.Denial) *Refusal {
	refuse := func(rule Rule, format string, args ...any) *Refusal {
		return about(d, rule, fmt.Sprintf(format, args...))
	}
	if d.Subject != "" {
		return refuse(OtherPrincipal, "The text says that it was %q that was denied, not the build's service role %q. Give it "+
			"the permission itself; the build's role would not help.", clip(d.Subject), role.Name)
	}
	if d.Principal == "" {
		return nil
	}
	a, ok := codebuild.ParseARN(d.Principal)
	if !ok {
		return refuse(OtherPrincipal, "The denied principal %q is masked or cut, so it may be anybody.", clip(d.Principal))
	}
	if !buildlog.MayBe(a.Account, role.Account) || a.Partition != role.Partition {
		return refuse(OtherAccount,
			"%q was denied, which is not of account %s. Give it the permission where it belongs.", clip(d.Principal),
			role.Account)
	}
	p := strings.Split(a.Resource, "/")
	if a.Service != "sts" || a.Region != "" || len(p) != 3 || p[0] != "assumed-role" || !buildlog.MayBe(p[1], role.Name) {
		r := refuse(OtherPrincipal, "%q was denied, not the build's service role %q. Give it the permission "+
			"itself; the build's role would not help.", clip(d.Principal), role.Name)
		if r.Entry = alsoEntry(in, role, d); r.Entry != "" {
			r.Message += " If the project deploys with that role, list it under also_roles."
		}
		return r
	}
	if !buildlog.MayBe(p[2], in.Build.Session()) {
		return refuse(OtherBuild, "The session %q was denied, and this build's is %q. The line comes from elsewhere.",
			clip(p[2]), in.Build.Session())
	}
	return nil
}

// claims takes the denials of the role that is in hand through guardrails 1, 3 and 4.
func claims(in Input) (cs []claim, refusals []Refusal) {
	role, r := roleInHand(in)
	if r != nil {
		return nil, []Refusal{*r}
	}
	if len(in.Denials) > maxDenials {
		return nil, []Refusal{{Rule: HostileText, Message: fmt.Sprintf(
			"The build shows %d different denials, more than the %d that are looked at. Look at its log yourself.",
			len(in.Denials), maxDenials)}}
	}
	all := in.Project.Roles()
	for n, d := range in.Denials {
		if all[holder(all, in.Build, d)].Role != in.Project.Role {
			continue // see later
		}
		c, r := readClaim(in, role, n, d)
		if r != nil {
			refusals = append(refusals, *r)
			continue
		}
		cs = append(cs, c)
	}
	return cs, refusals
}

func readClaim(in Input, role codebuild.Role, n int, d buildlog.Denial) (claim, *Refusal) {
	c := claim{n: n}
	var r *Refusal
	if !in.Project.IsFor() {
		r = whose(in, role, d)
	}
	if r == nil {
		c.needs, r = layer(d)
		c.needs = c.needs || in.Project.IsFor()
	}
	if r == nil && n < len(in.Recorded) {
		r = in.Recorded[n].Refusal
	}
	if r == nil {
		c.action, r = action(d)
	}
	if r == nil {
		c.resources, r = resource(in, role, c.action, d)
	}
	if c.resources == nil {
		c.near = near(d)
	}
	c.via = via(d, c.action, c.resources)
	return c, r
}

// layer refuses what no allow in the role's policies can cure
// (AWS.md#denial-layers), and tells whether the text alone proves too little.
func layer(d buildlog.Denial) (needs bool, r *Refusal) {
	by := ""
	if d.PolicyARN != "" {
		by = fmt.Sprintf(" (%s)", clip(d.PolicyARN))
	}
	switch {
	case d.Effect == buildlog.Explicit:
		return false, about(d, ExplicitDeny,
			fmt.Sprintf("A %s denies it explicitly%s. Only who owns that policy can lift the deny.",
				layerName(d.Layer), by))
	case d.Layer != buildlog.IdentityBased && d.Layer != buildlog.LayerUnstated && d.Layer != "":
		return false, about(d, OtherLayer,
			fmt.Sprintf("A %s does not allow it%s. Change it there; the role's own policies cannot cure it.",
				layerName(d.Layer), by))
	}
	if d.Bare {
		return false, about(d, Unconfirmed, "The answer was a status of 403 without a reason. A login that has expired, a policy "+
			"of the resource and another account get the same, so nothing shows that the role lacks a permission.")
	}
	if d.Reason != "" {
		return false, about(d, OtherReason,
			fmt.Sprintf("AWS gives a reason that no permission is known to cure: %q.", clip(d.Reason)))
	}
	stated := d.Principal != "" && !buildlog.Masked(d.Principal) && d.Effect == buildlog.Implicit && d.Layer == buildlog.IdentityBased
	return !stated, nil
}

func layerName(l buildlog.Layer) string {
	if l == buildlog.LayerUnstated || l == "" {
		return "policy"
	}
	return clip(strings.ReplaceAll(string(l), "-", " "))
}

var actionName = lazyregexp.New(`^[A-Za-z0-9-]+:[A-Za-z0-9]+$`)

// isActionName reports whether AWS could name an action so. The lengths are no
// part of the expression, which would take long to compile.
func isActionName(s string) bool {
	service, name, _ := strings.Cut(s, ":")
	return len(service) <= 63 && len(name) <= 127 && actionName.MatchString(s)
}

func action(d buildlog.Denial) (iamref.Action, *Refusal) {
	if d.Action == "" {
		return iamref.Action{}, about(d, UnknownAction,
			"The text does not say which action was denied. Find out, and give it to the role yourself.")
	}
	if !isActionName(d.Action) {
		return iamref.Action{}, about(d, HostileText, fmt.Sprintf("%q is not how AWS names an action.", clip(d.Action)))
	}
	a, ok := iamref.Lookup(d.Action)
	if !ok {
		return iamref.Action{}, about(d, UnknownAction, fmt.Sprintf("IAM knows no action %q.", clip(d.Action)))
	}
	return a, nil
}

// resource reads what was denied, in the forms of AWS.md#denied-resource.
func resource(in Input, role codebuild.Role, a iamref.Action, d buildlog.Denial) ([]string, *Refusal) {
	text, partial := unmask(d.Resource)
	if why := hostile(text, a); why != "" {
		return nil, about(d, HostileText, "The resource "+why+", as AWS never prints it.")
	}
	if why := unreadable(text); why != "" {
		return nil, about(d, HostileText, "The resource "+why+". If that is its name, give it to the role yourself.")
	}
	arn, isARN := codebuild.ParseARN(d.Resource)
	if isARN && !partial {
		if r := foreign(d, arn, role); r != nil {
			return nil, r
		}
	}
	switch {
	case len(a.Resources) == 0:
		return []string{"*"}, nil // whatever the text says, a policy takes nothing else
	case partial || d.Resource == "" || d.Resource == "*":
		return nil, nil
	case !isARN && buildlog.ByURL(d.Resource, a.Name, in.Build) != "":
		return []string{buildlog.ByURL(d.Resource, a.Name, in.Build)}, nil
	case !isARN:
		return bareName(in, role, a, d.Resource), nil
	case iamref.PrintsStar(a.Name, d.Resource):
		return []string{d.Resource}, nil // of the grants, only a pattern that holds all of it covers it
	case strings.ContainsAny(d.Resource, "*?") && !unnumbered.MatchString(d.Resource):
		return nil, about(d, HostileText, "The resource holds a wildcard where AWS prints none.")
	case !iamref.Fits(a.Name, d.Resource):
		return nil, about(d, UnfitResource, fmt.Sprintf("%s takes no resource like %q.", a.Name, clip(d.Resource)))
	}
	return logNames(in, d.Resource), nil
}

// near gives what the text names without naming one certain resource: other words than an ARN, or
// an ARN of which a part is masked or cut off.
func near(d buildlog.Denial) []string {
	if d.Near != "" {
		return strings.Fields(d.Near)
	}
	if !strings.HasPrefix(d.Resource, "arn:") {
		return nearName(d.Resource)
	}
	return []string{strings.NewReplacer("***", "*", "...", "*", "…", "*").Replace(d.Resource)}
}

// nearName gives the ARNs that may be of what the text names in words: "shop", "role X".
func nearName(resource string) []string {
	words := strings.Fields(resource)
	if len(words) == 0 || len(words) > 2 || len(words) == 2 && !slices.Contains(entities, words[0]) {
		return nil
	}
	switch name := words[len(words)-1]; {
	case name == "*", slices.Contains(noNames, strings.ToLower(name)):
		return nil
	default:
		name, _ = unmask(name)
		return []string{"arn:*" + name + "*"}
	}
}

var (
	// entities precede a name where AWS prints no ARN (AWS.md#denied-resource).
	entities = []string{"role", "user", "group", "policy"}
	// noNames are words of a sentence about a resource that it does not name.
	noNames = []string{"this", "the", "that", "associated", "resource"}
)

// unnumbered matches the names that AWS prints with a * in the place of a
// number that does not exist yet: a stack's id, a task definition's revision.
var unnumbered = lazyregexp.New(
	`^arn:[^:*?]*:(cloudformation:[^:*?]*:[^:*?]*:stack/[^*?/]+/|ecs:[^:*?]*:[^:*?]*:task-definition/[^*?:]+:)\*$`,
)

// unmask takes out what CodeBuild puts in the place of secrets (AWS.md#masking),
// and the marks of a cut, and tells whether there were any.
func unmask(s string) (rest string, partial bool) {
	rest = strings.NewReplacer("***", "", "...", "", "…", "").Replace(s)
	return rest, rest != s
}

// unreadable says what in the name of a resource may not come before a person who is to judge it,
// "" if nothing. Keys of S3 may have it; then the person can allow it himself.
func unreadable(s string) string {
	switch {
	case strings.HasPrefix(s, "arn:") && strings.Contains(s, "://"):
		return "holds a web address"
	case strings.ContainsAny(s, "\u00a0\u00ad"):
		return "holds an invisible character"
	}
	return ""
}

// hostile says what in a resource no policy may hold or AWS does not print,
// "" if nothing. A policy variable would mean something else in a policy.
func hostile(s string, a iamref.Action) string {
	switch {
	case len(s) > maxResource:
		return "is longer than IAM reads"
	case strings.Contains(s, "${"):
		return "holds a policy variable"
	case strings.ContainsAny(s, "\"\\`<>"):
		return "holds a quote, a backslash or an angle bracket"
	case strings.HasPrefix(s, "arn:") && strings.Contains(unkeyed(s, a), " "):
		return "holds a space"
	}
	for _, r := range s {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r > 0xff {
			return "holds a character that policies do not take"
		}
	}
	return ""
}

// unkeyed is an ARN without the key of an object, which may hold spaces; a bucket's name may not.
func unkeyed(arn string, a iamref.Action) string {
	if !strings.HasPrefix(a.Name, "s3:") {
		return arn
	}
	bucket, _, _ := strings.Cut(arn, "/")
	return bucket
}

// foreign refuses what is not of this partition and account. Some ARNs have
// no account, and that of a transform is "aws".
func foreign(d buildlog.Denial, arn codebuild.ARN, role codebuild.Role) *Refusal {
	transform := arn.Account == "aws" && arn.Service == "cloudformation" && strings.HasPrefix(arn.Resource, "transform/")
	if arn.Partition == role.Partition && (arn.Account == role.Account || arn.Account == "" || transform) {
		return nil
	}
	return about(d, ForeignResource,
		fmt.Sprintf("%q is not in account %s. Such access needs a policy there too, so a person has to arrange it.",
			clip(d.Resource), role.Account))
}

// maxSecretName is how long a secret's name may be.
const maxSecretName = 512

var secretName = lazyregexp.New(`^[A-Za-z0-9/_+=.@-]+$`)

// bareName reads a resource that is no ARN. Secrets Manager prints a secret's
// name, whose ARN ends in six characters more; everything else ("role X",
// "this resource") does not name one certain resource.
func bareName(in Input, role codebuild.Role, a iamref.Action, name string) []string {
	if !strings.HasPrefix(a.Name, "secretsmanager:") || !secretName.MatchString(name) || len(name) > maxSecretName {
		return nil
	}
	at := in.Build.At()
	arn := codebuild.ARN{Partition: role.Partition, Service: "secretsmanager", Region: at.Region, Account: role.Account,
		Resource: "secret:" + name + "-??????"}
	if !iamref.Fits(a.Name, arn.String()) {
		return nil
	}
	return []string{arn.String()}
}

// logNames gives the resources for a denial by CloudWatch Logs. It names a
// group with an empty stream, for which a policy needs two forms. A stream
// that is named after this build has another name in the next one.
func logNames(in Input, arn string) []string {
	i := strings.Index(arn, ":log-stream:")
	if a, _ := codebuild.ParseARN(arn); a.Service != "logs" || i < 0 {
		return []string{arn}
	}
	group, stream := arn[:i], arn[i+len(":log-stream:"):]
	if stream == "" {
		return []string{group, group + ":*"}
	}
	return []string{group + ":log-stream:" + strings.ReplaceAll(stream, in.Build.UUID(), "*")}
}

// about makes a refusal that concerns a denial.
func about(d buildlog.Denial, rule Rule, message string) *Refusal {
	return &Refusal{Rule: rule, Action: clip(d.Action), Resource: clip(d.Resource), Message: message}
}

// clip bounds text that came out of a log and takes out what does not print.
func clip(s string) string {
	const most = 300
	var b strings.Builder
	for _, r := range s {
		if b.Len() >= most {
			return b.String() + "…"
		}
		if r < ' ' || r >= 0x7f && r < 0xa0 || r > 0xff {
			r = '?'
		}
		b.WriteRune(r)
	}
	return b.String()
}
