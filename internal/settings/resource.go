package settings

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/iamref"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// Vars are the values of the placeholders ${partition}, ${account}, ${region}
// and ${project}. They come from the build record, never from the log.
type Vars struct{ Partition, Account, Region, Project string }

// Vars gives the values for a project. What it leaves open is the hub's own,
// which the caller passes as home.
func (p Project) Vars(home Account, partition string) Vars {
	v := Vars{partition, p.Account, p.Region, p.Name}
	if v.Account == "" {
		v.Account = home.ID
	}
	if v.Region == "" {
		v.Region = home.Region
	}
	return v
}

// Expand fills in the placeholders of a pattern. A value with wildcards would
// mean more than itself, so then the result is "", which matches no resource.
func Expand(pattern string, v Vars) string {
	for _, value := range []string{v.Partition, v.Account, v.Region, v.Project} {
		if strings.ContainsAny(value, "*?") {
			return ""
		}
	}
	return strings.NewReplacer(
		"${partition}", v.Partition, "${account}", v.Account, "${region}", v.Region, "${project}", v.Project,
	).Replace(pattern)
}

// sample fills in values that stand for any others.
func sample(pattern string) string {
	return Expand(pattern, Vars{"aws", "111122223333", "eu-west-1", "project"})
}

const placeholders = "${partition}, ${account}, ${region}, ${project}"

var placeholder = lazyregexp.New(`\$\{[^}]*\}?|\$`)

// unknownPlaceholder gives the first that is none of ours, or "".
func unknownPlaceholder(s string) string {
	for _, p := range placeholder.Get().FindAllString(s, -1) {
		if !slices.Contains(strings.Split(placeholders, ", "), p) {
			return p
		}
	}
	return ""
}

// resources checks a grant's patterns one by one.
func (r *reader) resources(list []value) []value {
	var good []value
	for _, v := range list {
		if problem := patternProblem(v.text); problem != "" {
			r.flag(v, "%s", problem)
			continue
		}
		good = append(good, v)
	}
	return good
}

var (
	printable = lazyregexp.New(`^[!-~]([ -~]*[!-~])?$`)
	partition = lazyregexp.New(`^aws[a-z-]*$`)
	service   = lazyregexp.New(`^[a-z0-9-]+$`)
	anyRegion = lazyregexp.New(`^[a-z0-9*?-]*$`)
)

const maxARN = 2048

// patternProblem tells what is wrong with a resource pattern, or "".
func patternProblem(s string) string {
	if s == "*" {
		return ""
	}
	if len(s) > maxARN || !printable.MatchString(s) {
		return fmt.Sprintf("%q is not a resource: write an ARN of printable ASCII characters, at most %d", clip(s), maxARN)
	}
	if p := unknownPlaceholder(s); p != "" {
		return fmt.Sprintf("%q is not a placeholder%s", clip(p), suggest(p, strings.Split(placeholders, ", "), "there are "+placeholders))
	}
	f := strings.SplitN(sample(s), ":", 6)
	if right := withColons(s); right != "" {
		return fmt.Sprintf("%q is not an ARN: a colon is missing; write %q", clip(s), clip(right))
	}
	if len(f) < 6 || f[0] != "arn" || f[5] == "" {
		return fmt.Sprintf(`%q is not an ARN; write one in full, or "*"`, clip(s))
	}
	switch {
	case !partition.MatchString(f[1]):
		return "its partition must be ${partition}, or exact such as aws"
	case !service.MatchString(f[2]):
		return "its service must be exact, such as ecr"
	case !anyRegion.MatchString(f[3]):
		return fmt.Sprintf("%q is not a region; write ${region}, or exact such as eu-west-1", clip(f[3]))
	case f[4] != "" && f[4] != "aws" && !accountID.MatchString(f[4]):
		return fmt.Sprintf("%q is not an account; write ${account}, or 12 digits, and nothing where the ARN has none", clip(f[4]))
	}
	return ""
}

// withColons gives the ARN that was probably meant by one that lacks a colon
// or two, since its region or account is empty and was left out; "" if there
// is none.
func withColons(s string) string {
	f := strings.Split(s, ":")
	if len(f) < 4 || len(f) > 5 || f[0] != "arn" || f[len(f)-1] == "" {
		return ""
	}
	start, last := strings.Join(f[:3], ":"), f[len(f)-1]
	places := []string{"::", ":${region}:${account}", "::${account}", ":${region}:"}
	if len(f) == 5 {
		places = []string{"::" + f[3], ":" + f[3] + ":", ":" + f[3] + ":${account}", ":${region}:" + f[3]}
	}
	for _, place := range places {
		arn := start + place + ":" + last
		if slices.ContainsFunc(iamref.Actions(f[2]), func(a iamref.Action) bool { return iamref.Fits(a.Name, sample(arn)) }) {
			return arn
		}
	}
	return ""
}

// Exact reports whether a resource pattern names one resource. What AWS
// itself appends to a name, and nobody can choose, may stay open: the id of a
// stack (stack/NAME/*), the revision of a task definition
// (task-definition/FAMILY:*), and the six characters after a secret's name
// (secret:NAME-??????).
func Exact(pattern string) bool {
	return !strings.ContainsAny(openEnd.ReplaceAllString(pattern, "$1"), "*?")
}

var openEnd = lazyregexp.New(`(:stack/[^/*?]+)/\*$|(:task-definition/[^/:*?]+):\*$|(:secret:[^*?]+)-\?{6}$`)

// wanted names the resources that an action takes, as they are written here.
func wanted(a iamref.Action) string {
	var list []string
	for _, t := range a.Resources {
		list = append(list, ours(t.ARN))
	}
	slices.SortFunc(list, func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) })
	const most = 3
	return strings.Join(slices.Compact(list[:min(len(list), most)]), " or ")
}

func wantedByAll(actions []value) string {
	var list []string
	for _, v := range actions {
		if a, _ := iamref.Lookup(v.text); len(a.Resources) > 0 {
			list = append(list, ours(a.Resources[0].ARN))
		}
	}
	slices.Sort(list)
	return strings.Join(slices.Compact(list), " or ")
}

var referenceVariable = lazyregexp.New(`\$\{([A-Za-z0-9]+)\}`)

// ours writes an ARN of the service reference with the settings' placeholders
// and plain words for what the owner fills in.
func ours(arn string) string {
	arn = strings.NewReplacer("${Partition}", "${partition}", "${Region}", "${region}", "${Account}", "${account}").Replace(arn)
	return referenceVariable.ReplaceAllStringFunc(arn, func(v string) string {
		if strings.Contains(placeholders, v) {
			return v
		}
		return strings.ToUpper(v[2 : len(v)-1])
	})
}

// hint guesses what is missing from a resource that fits no action.
func hint(actions []value, resource string) string {
	f := strings.SplitN(resource, ":", 6)
	if len(f) < 6 {
		return ""
	}
	fits := func(region, account string) bool {
		changed := strings.Join([]string{f[0], f[1], f[2], region, account, f[5]}, ":")
		return slices.ContainsFunc(actions, func(a value) bool { return iamref.Fits(a.text, sample(changed)) })
	}
	switch {
	case fits("${region}", "${account}"):
		return "; its ARN has a region and an account: write ${region} and ${account}"
	case fits("", "${account}"):
		return "; its ARN has an account and no region"
	case fits("", ""):
		return "; its ARN has neither region nor account"
	case fits("${region}", ""):
		return "; its ARN has a region and no account"
	}
	return ""
}

// LeftOut tells which actions of the grants' sets are not given, because no
// resource of the grant is of the kind that they take. That may be meant: a
// secret that no key of the owner's encrypts needs no kms:Decrypt.
func LeftOut(s *Settings) []Problem {
	var list []Problem
	for i, g := range s.Grants {
		for _, name := range g.actions() {
			if a, ok := iamref.Lookup(name); ok && len(fitting(name, g.Resources)) == 0 {
				list = append(list, Problem{g.Line, fmt.Sprintf("grants[%d].set", i),
					fmt.Sprintf("grant %s does not give %s of its set: no resource is a %s", g.ID, name, wanted(a))})
			}
		}
	}
	return list
}

// Warnings are the grants that are valid and wide: on "*", in all regions, on
// a name that begins with a wildcard, or on all buckets whose name fits.
func Warnings(s *Settings) []Problem {
	var list []Problem
	for i, g := range s.Grants {
		for j, res := range g.Resources {
			if why := wide(res); why != "" {
				list = append(list, Problem{g.Line, fmt.Sprintf("grants[%d].resources[%d]", i, j),
					fmt.Sprintf("grant %s is wide: %q %s", g.ID, res, why)})
			}
		}
	}
	return list
}

// startsOpen matches the resource part of an ARN whose name begins with a
// wildcard, after a word that may be its type.
var startsOpen = lazyregexp.New(`^([a-z-]+[/:])?[*?]`)

func wide(resource string) string {
	if resource == "*" {
		return "is every resource, in every account that lets the role in; of buckets, the account's own"
	}
	f := strings.SplitN(resource, ":", 6)
	if len(f) < 6 {
		return ""
	}
	m := startsOpen.FindStringSubmatch(f[5])
	switch {
	case m != nil && (m[1] == "" || isType(f[2], m[1])):
		return "is every resource of its kind"
	case f[2] == "s3" && f[4] == "" && strings.ContainsAny(before(f[5], "/"), "*?"):
		return "is every bucket of the account whose name fits, also those to come"
	case strings.ContainsAny(f[3], "*?"):
		return "is in more than one region"
	}
	return ""
}

func before(s, sep string) string {
	s, _, _ = strings.Cut(s, sep)
	return s
}

// isType reports whether a resource part of the service may begin so: in
// "repository/*" the word is a type, in S3's "bucket/*" it is a name.
func isType(service, word string) bool {
	return slices.ContainsFunc(iamref.Actions(service), func(a iamref.Action) bool {
		return slices.ContainsFunc(a.Resources, func(t iamref.ResourceType) bool {
			f := strings.SplitN(t.ARN, ":", 6)
			return strings.HasPrefix(f[5], word)
		})
	})
}
