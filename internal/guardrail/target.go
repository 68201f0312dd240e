package guardrail

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// IAM's quotas (AWS.md#quotas). The number of attached policies can be
// raised per account; to know that would need a permission more.
const (
	maxInlineSum     = 10240
	maxManaged       = 6144
	maxVersions      = 5
	maxAttached      = 10
	maxPolicyName    = 128
	attachPath       = "/buildmedic/"
	attachHashDigits = 12
)

// roleRefusals are guardrail 8 as far as it concerns the role alone.
func roleRefusals(in Input) (out []Refusal) {
	role := in.Role
	refuse := func(rule Rule, format string, args ...any) {
		out = append(out, Refusal{Rule: rule, Message: fmt.Sprintf(format, args...)})
	}
	arn := role.Role.ARN()
	switch {
	case role.Linked || strings.HasPrefix(role.Role.Path, "/aws-service-role/"):
		refuse(ProtectedRole, "The role %q is linked to a service, and only that service changes it.", arn)
	case strings.HasPrefix(role.Role.Path, "/aws-reserved/"):
		refuse(ProtectedRole, "The role %q is reserved by AWS.", arn)
	case role.Template != "":
		refuse(ProtectedRole, "The role %q was made from the role template %q and is changed only there.", arn, clip(role.Template))
	}
	if b := in.Project.Boundary; b != "" && !hasBoundary(role, b) {
		refuse(NoBoundary,
			"The settings ask for the permissions boundary %q, and the role %q does not carry it. Put it on the role.",
			b, arn)
	}
	switch {
	case overlapsAny(in.Healer, arn):
		refuse(FloorHealer, "The role %q is a part of the healer itself.", arn)
	case in.Project.IsFor() && !in.mayWriteSource(role.Role), !in.Project.IsFor() && overlapsAny(in.Source, arn):
		refuse(FloorHealer, "The healer is deployed with the role %q, so it gives it nothing.", arn)
	}
	return out
}

func overlapsAny(parts []string, resource string) bool {
	return slices.ContainsFunc(parts, func(p string) bool { return p != "*" && overlap(p, resource) })
}

func hasBoundary(role RoleState, want string) bool {
	if role.Boundary == nil {
		return false
	}
	a, ok := codebuild.ParseARN(role.Boundary.ARN)
	if !ok || a.Service != "iam" || a.Account != role.Role.Account && a.Account != "aws" {
		return false
	}
	return role.Boundary.ARN == want || a.Resource == "policy/"+strings.TrimPrefix(want, "/")
}

// draft is a grant on its way into a policy.
type draft struct {
	target Target
	added  []iampolicy.Statement
}

// aim merges the statements into the place that the settings name.
func aim(in Input, picks []pick) (draft, []Refusal) {
	switch w := in.Project.Write; {
	case w.Inline != "":
		return intoInline(in, picks)
	case w.Managed != "":
		return intoManaged(in, picks)
	case w.Attach:
		return attached(in, picks)
	case w.Code.Set():
		return merge(Target{Kind: Code, Name: in.Settings.PolicyFile(in.Project)}, picks, in)
	}
	return draft{}, []Refusal{{Rule: NoTarget,
		Message: fmt.Sprintf("The settings do not say where to write for %s. Add write: {inline: NAME}.", in.whom())}}
}

func intoInline(in Input, picks []pick) (draft, []Refusal) {
	t := Target{Kind: Inline, Name: in.Project.Write.Inline, Before: in.Role.Inline[in.Project.Write.Inline]}
	for _, name := range slices.Sorted(maps.Keys(in.Role.Inline)) {
		// IAM's names are unique ignoring case (AWS.md#names): writing the one
		// might replace the other.
		if name != t.Name && strings.EqualFold(name, t.Name) {
			return draft{}, []Refusal{{Rule: NoTarget, Message: fmt.Sprintf(
				"The settings name the inline policy %q, and the role has %q, which differs in case only. Write its "+
					"name as the role has it.", t.Name, clip(name))}}
		}
	}
	dr, rs := merge(t, picks, in)
	if len(rs) > 0 {
		return draft{}, rs
	}
	sum := iampolicy.Size([]byte(dr.target.After))
	for name, doc := range in.Role.Inline {
		if name != t.Name {
			sum += iampolicy.Size([]byte(doc))
		}
	}
	if sum > maxInlineSum {
		return draft{}, []Refusal{{Rule: PolicyTooLarge, Message: fmt.Sprintf(
			"All inline policies of the role together would have %d characters, and IAM takes %d. Write to a managed "+
				"policy, or clear out what is not needed.", sum, maxInlineSum)}}
	}
	return dr, nil
}

// consoleMade matches the policies that the CodeBuild console makes. A version
// that is not its own breaks the console's editing of the project (AWS.md#untouchable-policies).
var consoleMade = lazyregexp.New(`^policy/service-role/CodeBuild[A-Za-z]*Policy-`)

func intoManaged(in Input, picks []pick) (draft, []Refusal) {
	refuse := func(rule Rule, format string, args ...any) (draft, []Refusal) {
		return draft{}, []Refusal{{Rule: rule, Message: fmt.Sprintf(format, args...)}}
	}
	name, n := in.Project.Write.Managed, in.Role.Named
	if n == nil {
		return refuse(NoTarget, "There is no managed policy %q. Make it and attach it to the role, or write: {inline: NAME}.", name)
	}
	a, ok := codebuild.ParseARN(n.ARN)
	switch {
	case !ok || a.Service != "iam" || a.Resource != "policy/"+strings.TrimPrefix(name, "/"):
		return refuse(NoTarget, "The settings name the managed policy %q, and %q was found.", name, clip(n.ARN))
	case a.Account != in.Role.Role.Account:
		return refuse(ProtectedPolicy, "%q is not a policy of this account, so it cannot be changed. Name one of your own.", n.ARN)
	case consoleMade.MatchString(a.Resource):
		return refuse(ProtectedPolicy, "%q was made by the CodeBuild console, which cannot edit the project any more "+
			"once somebody else changes it. Use write: {inline: NAME}.", n.ARN)
	case overlapsAny(in.Healer, n.ARN), overlapsAny(in.Source, n.ARN), strings.HasPrefix(a.Resource, "policy"+attachPath):
		return refuse(FloorHealer, "The policy %q is a part of the healer itself.", n.ARN)
	case !n.Attached:
		return refuse(NoTarget, "The managed policy %q is not attached to the role, so changing it would not help. Attach it.", n.ARN)
	case len(n.Users) > 0 && !in.Project.Write.Shared:
		return refuse(SharedPolicy, "%s also use the policy %q and would get the permission too. Use a policy of the "+
			"role's own, or say shared: true.", clip(strings.Join(n.Users, ", ")), n.ARN)
	}
	t := Target{Kind: Managed, Name: n.ARN, Before: n.Document, BeforeVersion: n.Default}
	oldest := drop(*n)
	t.DropVersion, t.DropCreated = oldest.ID, oldest.Created
	dr, rs := merge(t, picks, in)
	if len(rs) == 0 && dr.target.DropVersion != "" && in.Project.Write.KeepVersions {
		return refuse(VersionsFull, "The policy %q has %d versions, as many as IAM takes, and the settings say versions: keep. "+
			"Delete one that nobody needs, such as %s of %s, or write versions: drop-oldest.", n.ARN, len(n.Versions), oldest.ID,
			stamp(oldest.Created))
	}
	if size := iampolicy.Size([]byte(dr.target.After)); len(rs) == 0 && size > maxManaged {
		return refuse(PolicyTooLarge, "The policy %q would have %d characters, and IAM takes %d. Use a second "+
			"policy, or clear out what is not needed.", n.ARN, size, maxManaged)
	}
	return dr, rs
}

// drop names the version that must go before a new one is made: the oldest
// that is not the default, and only when all places are taken.
func drop(p ManagedPolicy) Version {
	if len(p.Versions) < maxVersions {
		return Version{}
	}
	unused := slices.DeleteFunc(slices.Clone(p.Versions), func(v Version) bool { return v.ID == p.Default })
	if len(unused) == 0 {
		return Version{}
	}
	return slices.MinFunc(unused, func(a, b Version) int {
		if c := a.Created.Compare(b.Created); c != 0 {
			return c
		}
		return number(a.ID) - number(b.ID)
	})
}

func number(version string) int {
	n, err := strconv.Atoi(strings.TrimPrefix(version, "v"))
	if err != nil {
		return 0
	}
	return n
}

// merge adds the statements to the target's document.
func merge(t Target, picks []pick, in Input) (draft, []Refusal) {
	var before iampolicy.Document
	if t.Before != "" || t.Kind == Managed {
		var err error
		if before, err = iampolicy.Parse([]byte(t.Before)); err != nil {
			return draft{}, []Refusal{{Rule: UnreadablePolicy,
				Message: fmt.Sprintf("The policy %q, to which the grant would be added, cannot be read: %s.", t.Name,
					clip(err.Error()))}}
		}
	}
	docs, rs := documents(in.Role)
	if len(rs) > 0 {
		return draft{}, rs
	}
	var add []iampolicy.Statement
	for _, p := range picks {
		_, r := unexpired(in, pick{grant: p.grant, statements: p.pieces}, docs)
		if r != nil { // a pattern does not renew what has ended
			return draft{}, []Refusal{*r}
		}
		sts, r := unexpired(in, p, docs)
		if r != nil {
			return draft{}, []Refusal{*r}
		}
		add = append(add, sts...)
	}
	after, n := iampolicy.Merge(before, add)
	t.After = t.Before
	if n > 0 {
		// What a sibling has for its own builds becomes one statement with this: the
		// policy of a role that hundreds share is soon full.
		t.After = string(iampolicy.Unite(after, n, settings.ProjectKey).Canonical())
	} else {
		t.DropVersion, t.DropCreated = "", time.Time{}
	}
	return draft{t, after.Statements[len(after.Statements)-n:]}, nil
}

// unexpired leaves out what the role's documents give already until some time
// to come. What they gave until a time that has passed is not given again: only
// the owner renews a grant. All documents of the role count, whichever project
// writes to them: what ended on a role has ended for everyone who runs as it.
func unexpired(in Input, p pick, docs []iampolicy.Document) (out []iampolicy.Statement, r *Refusal) {
	if p.grant.Expires <= 0 {
		return p.statements, nil
	}
	for _, st := range p.statements {
		for _, part := range pairs(st) {
			end, found := given(part, docs)
			own := ofOwnBuilds(in, part)
			if last, is := given(own, docs); is && !in.Now.Before(last) {
				end, found = last, true
			}
			if first, is := givenVia(own, docs); is && !in.Now.Before(first) {
				end, found = first, true
			}
			switch {
			case found && !in.Now.Before(end):
				return nil, &Refusal{Rule: GrantExpired, Action: part.Action.List[0], Resource: part.Resource.List[0], Message: fmt.Sprintf(
					"Grant %q was given to the role and ended at %s. To renew it, take its ended statement out of the "+
						"role's policy, or give the grant without an end.", p.grant.ID, stamp(end))}
			case !found:
				out = joinStatement(out, part)
			}
		}
	}
	return out, nil
}

// ofOwnBuilds gives the part of a statement that is for builds of the project: what has ended for them
// has ended, also where the same would now be given to everybody who runs as the role.
func ofOwnBuilds(in Input, st iampolicy.Statement) iampolicy.Statement {
	arn := in.Build.ProjectARN()
	if arn == "" || in.Project.IsFor() || len(settings.ScopeOf(st)) > 0 {
		return st
	}
	return iampolicy.Allow(st.Sid, st.Action.List, st.Resource.List, append(slices.Clone(st.Condition), iampolicy.Condition{
		Operator: "ArnEquals", Key: settings.ProjectKey, Values: iampolicy.Values{List: []string{arn}}})...)
}

// pairs takes a statement apart into one for each action on each resource: of
// several together, some may have been given before.
func pairs(st iampolicy.Statement) (out []iampolicy.Statement) {
	for _, a := range st.Action.List {
		for _, r := range st.Resource.List {
			out = append(out, iampolicy.Allow(st.Sid, []string{a}, []string{r}, st.Condition...))
		}
	}
	return out
}

// given finds until when at most one of the documents gives what the statement
// gives, if one gives it for a time.
func given(st iampolicy.Statement, docs []iampolicy.Document) (end time.Time, found bool) {
	st.Condition = slices.DeleteFunc(slices.Clone(st.Condition), isEnd)
	for t := range statementsOf(docs) {
		i := slices.IndexFunc(t.Condition, isEnd)
		if i < 0 || len(t.Condition[i].Values.List) != 1 {
			continue
		}
		at, err := time.Parse(time.RFC3339, t.Condition[i].Values.List[0])
		if err != nil {
			continue
		}
		t.Condition = slices.DeleteFunc(slices.Clone(t.Condition), isEnd)
		if ok, _ := iampolicy.Contains(document(t), document(st)); ok && (!found || at.After(end)) {
			end, found = at, true
		}
	}
	return end, found
}

// givenVia finds when first the documents ended what the statement gives, of a key through a service:
// which service, and whether one at all, is for a text to say, and may not be what renews a grant.
func givenVia(st iampolicy.Statement, docs []iampolicy.Document) (first time.Time, found bool) {
	st.Condition = slices.DeleteFunc(slices.Clone(st.Condition), isVia)
	for t := range statementsOf(docs) {
		if !slices.ContainsFunc(t.Condition, isVia) {
			continue
		}
		t.Condition = slices.DeleteFunc(slices.Clone(t.Condition), isVia)
		if end, is := given(st, document(t)); is && (!found || end.Before(first)) {
			first, found = end, true
		}
	}
	return first, found
}

func isEnd(c iampolicy.Condition) bool { return c.Operator == dateLessThan && c.Key == currentTime }

// Timeless gives the target as it is whenever it is decided on: in place of each
// end that a grant gets now, After says how long the grant lasts.
func (t Target) Timeless(lasts map[time.Time]time.Duration) Target {
	for end, d := range lasts {
		t.After = strings.ReplaceAll(t.After, strconv.Quote(stamp(end)), strconv.Quote(d.String()+" from when it is given"))
	}
	return t
}

// Divided gives the target by which what t gave to the builds of one project alone is
// taken out of the document there now, to which others have given theirs since. ok is
// false unless t gave nothing else, all of it is there still, or all is gone, and
// nothing else there gives it.
func (t Target) Divided(now string) (next Target, ok bool) {
	before, after, read := t.documents()
	if !read || t.Kind != Inline {
		return t, false
	}
	gave := gained(before, after)
	rest, there := iampolicy.Divide(after, gave, settings.ProjectKey)
	if len(gave) == 0 || there != len(gave) || len(iampolicy.Diff(before, rest)) > 0 {
		return t, false
	}
	next = Target{Kind: Inline, Name: t.Name, Before: now, After: now}
	if now == "" {
		return next, true
	}
	is, err := iampolicy.Parse([]byte(now))
	if err != nil {
		return t, false
	}
	left, there := iampolicy.Divide(is, gave, settings.ProjectKey)
	for _, st := range gave {
		if still, _ := iampolicy.Contains([]iampolicy.Document{left}, document(st)); still || keepsOf(left, before, st) {
			return t, false
		}
	}
	switch {
	case there == 0:
		return next, true
	case there != len(gave):
		return t, false
	case len(left.Statements) == 0:
		next.Before = ""
	default:
		next.Before = string(left.Canonical())
	}
	return next, true
}

// keepsOf reports whether a statement of left gives the builds of st's projects something
// of what st gave, perhaps under other conditions: somebody has changed what was given.
// What was there before does not count.
func keepsOf(left, before iampolicy.Document, st iampolicy.Statement) bool {
	return slices.ContainsFunc(left.Statements, func(t iampolicy.Statement) bool {
		if t.Effect != "Allow" || !slices.ContainsFunc(t.Condition, func(c iampolicy.Condition) bool {
			return strings.EqualFold(c.Key, settings.ProjectKey) && meetAny(c.Values.List, settings.ScopeOf(st))
		}) {
			return false
		}
		own := only(t, settings.ScopeOf(st)...)
		was, _ := iampolicy.Contains([]iampolicy.Document{before}, []iampolicy.Document{{Version: left.Version,
			Statements: []iampolicy.Statement{own}}})
		return !was && (len(t.Action.List) == 0 || meetAny(t.Action.List, st.Action.List)) &&
			(len(t.Resource.List) == 0 || meetAny(t.Resource.List, st.Resource.List))
	})
}

// meetAny reports whether a pattern of the one list and one of the other have a text in common.
func meetAny(a, b []string) bool {
	return slices.ContainsFunc(a, func(p string) bool {
		return slices.ContainsFunc(b, func(q string) bool { return overlap(strings.ToLower(p), strings.ToLower(q)) })
	})
}

// gained are the statements of after that before does not have; of one that is for
// more projects than there, only for these.
func gained(before, after iampolicy.Document) (out []iampolicy.Statement) {
	for _, st := range after.Statements {
		had := func(arn string) bool {
			one := iampolicy.Document{Version: after.Version, Statements: []iampolicy.Statement{only(st, arn)}}
			_, n := iampolicy.Divide(before, one.Statements, settings.ProjectKey)
			return n > 0
		}
		more := slices.DeleteFunc(slices.Clone(settings.ScopeOf(st)), had)
		if len(more) > 0 {
			out = append(out, only(st, more...))
		}
	}
	return out
}

// only gives the part of a statement that is for some of its projects.
func only(st iampolicy.Statement, arns ...string) iampolicy.Statement {
	st.Raw, st.Condition = "", slices.Clone(st.Condition)
	for i, c := range st.Condition {
		if strings.EqualFold(c.Key, settings.ProjectKey) {
			st.Condition[i].Values = iampolicy.Values{List: arns}
		}
	}
	return st
}

// AttachName is the name of the ready-made managed policy of a grant for a
// project. It is at path /buildmedic/, made when the settings are deployed.
func AttachName(project, grantID string) string {
	name := grantID + "@" + project
	safe := unsafeInName.ReplaceAllString(name, "-")
	if safe == name && len(name) <= maxPolicyName {
		return name
	}
	h := sha256.Sum256([]byte(name))
	tail := "-" + hex.EncodeToString(h[:])[:attachHashDigits]
	return safe[:min(len(safe), maxPolicyName-len(tail))] + tail
}

var unsafeInName = lazyregexp.New(`[^A-Za-z0-9_+=,.@-]`)

func attached(in Input, picks []pick) (draft, []Refusal) {
	role := in.Role.Role
	dr := draft{target: Target{Kind: Attach, Holds: map[string]string{}}}
	for _, p := range picks {
		arn := codebuild.ARN{Partition: role.Partition, Service: "iam", Account: role.Account,
			Resource: "policy" + attachPath + AttachName(in.Project.Name, p.grant.ID)}.String()
		if slices.ContainsFunc(in.Role.Managed, func(m ManagedPolicy) bool { return m.ARN == arn }) {
			continue
		}
		dr.target.Attach = append(dr.target.Attach, arn)
		dr.target.Holds[arn] = string(iampolicy.Document{Version: "2012-10-17", Statements: p.statements}.Canonical())
		dr.added = append(dr.added, p.statements...)
	}
	if n := len(in.Role.Managed) + len(dr.target.Attach); n > maxAttached {
		return draft{}, []Refusal{{Rule: TooManyPolicies, Message: fmt.Sprintf(
			"The role would have %d managed policies, and IAM takes %d. Detach what is not needed, or write to "+
				"an inline policy.", n, maxAttached)}}
	}
	return dr, nil
}

// used lists what is used of which grant.
func used(in Input, picks []pick) (out []Used) {
	for _, p := range picks {
		out = append(out, Used{Grant: p.grant.ID, Because: p.grant.Because, Owner: p.grant.Owner,
			Statements: p.statements, Expires: expiry(in, p.grant.Grant), Evidence: p.evidence})
	}
	return out
}

// join puts picks of the same grant together: what several denials bring in
// of it on the same resources, or one on several, becomes one statement. The
// evidence is the weakest.
func join(picks []pick) (out []pick) {
	for _, p := range picks {
		i := slices.IndexFunc(out, func(q pick) bool { return q.grant.ID == p.grant.ID })
		if i < 0 {
			i, out = len(out), append(out, pick{grant: p.grant, evidence: p.evidence})
		}
		if rank(p.evidence) < rank(out[i].evidence) {
			out[i].evidence = p.evidence
		}
		for _, st := range p.statements {
			out[i].statements = joinStatement(out[i].statements, st)
		}
	}
	return out
}

func joinStatement(list []iampolicy.Statement, st iampolicy.Statement) []iampolicy.Statement {
	for i, s := range list {
		sameResources, sameActions := slices.Equal(s.Resource.List, st.Resource.List), slices.Equal(s.Action.List, st.Action.List)
		if (sameResources || sameActions) && sameConditions(s, st) {
			list[i] = iampolicy.Allow(s.Sid, slices.Concat(s.Action.List, st.Action.List),
				slices.Concat(s.Resource.List, st.Resource.List), s.Condition...)
			return list
		}
	}
	return append(list, st)
}

func sameConditions(a, b iampolicy.Statement) bool {
	return slices.EqualFunc(a.Condition, b.Condition, func(x, y iampolicy.Condition) bool {
		return x.Operator == y.Operator && x.Key == y.Key && slices.Equal(x.Values.List, y.Values.List)
	})
}

// allowlist is the most that the settings give the project, as a document.
func allowlist(in Input) iampolicy.Document {
	return iampolicy.Document{Version: "2012-10-17", Statements: most(in)}
}

// Allowlist gives, as one policy document, what the settings give the project
// at most together with what is at the target now: nothing that is written
// may go beyond it. It is "" if the target's document cannot be read.
func Allowlist(in Input) string {
	in = in.inHand()
	var before iampolicy.Document
	text := in.Role.Inline[in.Project.Write.Inline]
	if in.Role.Named != nil && in.Project.Write.Managed != "" {
		text = in.Role.Named.Document
	}
	if text != "" {
		var err error
		if before, err = iampolicy.Parse([]byte(text)); err != nil {
			return ""
		}
	}
	d, _ := iampolicy.Merge(before, most(in))
	return string(d.Canonical())
}
