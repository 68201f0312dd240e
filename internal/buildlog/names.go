package buildlog

import (
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/iamref"
)

// names are what a text or a command says about a resource without its ARN: the service, and the
// values of variables of the service reference ("BucketName", "TableName"). It may say in which
// account and region the resource is; if not, they are the build's.
type names struct {
	service         string // IAM's prefix
	account, region string
	china           bool // the host is one of the aws-cn partition
	vars            map[string]string
	prefix, begins  string // a variable of which only the beginning is known; "" if there is none
	arn             string // where the ARN itself is given
	soft            bool   // it may be about something else
}

// arns gives the ARNs of the action's resources that n can mean. They are patterns, with a * in
// the place of what n does not say, if no type of resource is named in full.
func (n names) arns(a iamref.Action, home codebuild.ARN) (list []string, whole bool) {
	if n.arn != "" {
		return []string{n.arn}, !n.soft && iamref.Fits(a.Name, n.arn)
	}
	if service, _, _ := strings.Cut(a.Name, ":"); service != n.service {
		return nil, false
	}
	var parts []string
	most := 0
	for _, t := range a.Resources {
		arn, missing, filled := n.fill(t.ARN, home)
		switch {
		case filled == 0:
		case missing == 0 || missing == 1 && t.Name == "stack" && n.service == "cloudformation":
			// A stack's id is not known before it exists; AWS prints a * then.
			if t.Name == "log-group" {
				arn += ":log-stream:" // as AWS prints it
			}
			list = append(list, arn)
		case filled > most:
			parts, most = []string{arn}, filled
		case filled == most:
			parts = append(parts, arn)
		}
	}
	if len(list) > 0 {
		return list, !n.soft
	}
	return parts, false
}

// fill puts what n says into the ARN of a type of resource. It tells how many variables n does not
// know, and how many it does; what stands for the account and the region does not count as known.
func (n names) fill(arn string, home codebuild.ARN) (s string, missing, filled int) {
	var b strings.Builder
	put := func(v string) {
		if v == "" {
			missing++
			v = "*"
		}
		b.WriteString(v)
	}
	for arn != "" {
		i := strings.Index(arn, "${")
		j := strings.IndexByte(arn, '}')
		if i < 0 || j < i {
			break
		}
		b.WriteString(arn[:i])
		switch name := arn[i+2 : j]; name {
		case "Partition":
			if n.china {
				put("aws-cn")
			} else {
				put(home.Partition)
			}
		case "Region":
			put(first(n.region, home.Region))
		case "Account":
			put(first(n.account, home.Account))
		default:
			v := n.vars[name]
			switch {
			case v != "":
				filled++
			case name == n.prefix && n.begins != "":
				filled++
				missing++
				v = n.begins + "*"
			}
			put(v)
		}
		arn = arn[j+1:]
	}
	b.WriteString(arn)
	return b.String(), missing, filled
}

// first returns the first that is not empty.
func first(list ...string) string {
	for _, s := range list {
		if s != "" {
			return s
		}
	}
	return ""
}

// s3Names is an object, or a bucket if there is no key.
func s3Names(bucket, key string) names {
	n := names{service: "s3", vars: map[string]string{"BucketName": bucket}}
	if key != "" {
		n.vars["ObjectName"] = key
	}
	return n
}

// s3Below is all objects of a bucket whose keys begin so.
func s3Below(bucket, key string) names {
	n := s3Names(bucket, "")
	n.prefix, n.begins = "ObjectName", key
	return n
}

// A choice is what is named near a denial that does not say on what it was.
type choice struct {
	arns  []string // distinct
	whole bool     // each is named in full
	soft  bool     // a command names them that may do something else with them too
}

// choose puts together what some names mean for the action.
func choose(all []names, a iamref.Action, home codebuild.ARN) choice {
	c := choice{whole: true}
	for _, n := range all {
		list, whole := n.arns(a, home)
		for _, arn := range list {
			name := strings.TrimSuffix(strings.TrimSuffix(arn, newSecret), "/*")
			if strings.ContainsAny(name, "*?\"\\") { // it would be a pattern
				whole = false
			}
			if !slices.Contains(c.arns, arn) {
				c.arns = append(c.arns, arn)
			}
			c.whole = c.whole && whole
		}
	}
	return c
}

// newSecret is what follows a secret's name in its ARN: six characters that only AWS knows.
const newSecret = "-??????"

// notSpace keeps the list of [Denial.Near] unambiguous: a pattern's ? stands for a space.
func notSpace(r rune) rune {
	if r <= ' ' {
		return '?'
	}
	return r
}

// one returns the resource that is meant, if it is certain: its ARN, or a secret's name, which is
// what Secrets Manager prints.
func (c choice) one() string {
	if len(c.arns) != 1 || !c.whole {
		return ""
	}
	if arn, ok := strings.CutSuffix(c.arns[0], newSecret); ok {
		_, name, _ := strings.Cut(arn, ":secret:")
		return name
	}
	return c.arns[0]
}

// near writes the choice as [Denial.Near] holds it.
func (c choice) near() string {
	const most = 8 // more cannot be told apart; whatever is granted may be the wrong one
	list := slices.Clone(c.arns[:min(len(c.arns), most)])
	for i, arn := range list {
		list[i] = strings.Map(notSpace, arn)
	}
	return strings.Join(list, " ")
}

// agrees reports whether one of the two says nothing, or each of c is one of d's, which may be
// patterns that end in a *.
func (c choice) agrees(d choice) bool {
	if len(c.arns) == 0 || len(d.arns) == 0 {
		return true
	}
	return !slices.ContainsFunc(c.arns, func(arn string) bool {
		return !slices.ContainsFunc(d.arns, func(p string) bool {
			begin, ok := strings.CutSuffix(p, "*")
			return strings.Map(notSpace, arn) == strings.Map(notSpace, p) || ok && !strings.Contains(begin,
				"*") && strings.HasPrefix(arn, begin)
		})
	})
}
