package notice

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/buildmedic/buildmedic/internal/buildlog"
)

// duration in words: "4 min 12 s", "2 h 5 min", "3 d"; what is less than a
// second is "0 s".
func duration(d time.Duration) string {
	d = max(d, 0).Truncate(time.Second)
	units := []struct {
		size time.Duration
		name string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "min"}, {time.Second, "s"}}
	for i, u := range units {
		if d < u.size && u.name != "s" {
			continue
		}
		s := fmt.Sprintf("%d %s", d/u.size, u.name)
		if i+1 < len(units) {
			if rest := d % u.size / units[i+1].size; rest > 0 {
				s += fmt.Sprintf(" %d %s", rest, units[i+1].name)
			}
		}
		return s
	}
	return ""
}

// about is [duration] in its largest unit alone, for a subject: "4 min".
func about(d time.Duration) string {
	f := strings.Fields(duration(d))
	return f[0] + " " + f[1]
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

func plural(n int, one string) string {
	switch {
	case n == 1:
		return "1 " + one
	case strings.HasSuffix(one, "y"):
		return thousands(n) + " " + strings.TrimSuffix(one, "y") + "ies"
	}
	return thousands(n) + " " + one + "s"
}

func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// list joins to "a, b and c"; beyond most it ends "and N more".
func list(items []string, most int) string {
	if len(items) > most {
		return strings.Join(items[:most], ", ") + " and " + thousands(len(items)-most) + " more"
	}
	if len(items) < 2 {
		return strings.Join(items, "")
	}
	return strings.Join(items[:len(items)-1], ", ") + " and " + items[len(items)-1]
}

// acronyms are the parts of sets' names that have a spelling of their own.
var acronyms = map[string]string{"ecr": "ECR", "ecs": "ECS", "eks": "EKS", "s3": "S3", "ssm": "SSM", "cdk": "CDK",
	"vpc": "VPC", "sam": "SAM", "kms": "KMS", "codeartifact": "CodeArtifact", "cloudfront": "CloudFront",
	"lambda": "Lambda", "cloudformation": "CloudFormation"}

// setWords turns the name of a set into words: "ecr-push" is "ECR push".
func setWords(name string) string {
	w := strings.Split(name, "-")
	for i := range w {
		if a, ok := acronyms[w[i]]; ok {
			w[i] = a
		}
	}
	return strings.Join(w, " ")
}

// sentence ends s with a full stop, unless something ends it already.
func sentence(s string) string {
	if s == "" || strings.ContainsAny(s[len(s)-1:], ".!?:") {
		return s
	}
	return s + "."
}

// capital begins s with a capital letter.
func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// shortCommit is the first seven digits of a commit id; any other version stays whole.
func shortCommit(c string) string {
	if len(c) == 40 && strings.Trim(c, "0123456789abcdef") == "" {
		return c[:7]
	}
	return c
}

// firstOf is the beginning of a hash, enough to recognize it.
func firstOf(s string, n int) string {
	r := []rune(s)
	return string(r[:min(len(r), n)])
}

// lastElement is what follows the last slash: a role's name without its path.
func lastElement(s string) string { return s[strings.LastIndexByte(s, '/')+1:] }

// wrap breaks text into lines of at most width characters. Words that are
// longer stay whole.
func wrap(s string, width int) []string {
	var lines []string
	line, n := "", 0
	for _, w := range strings.Fields(s) {
		l := len([]rune(w))
		switch {
		case line == "":
			line, n = w, l
		case n+1+l > width:
			lines = append(lines, line)
			line, n = w, l
		default:
			line += " " + w
			n += 1 + l
		}
	}
	return append(lines, line)
}

// layers are the kinds of policies that can deny, as people write them.
var layers = map[buildlog.Layer]string{
	buildlog.IdentityBased:       "identity-based policy",
	buildlog.ResourceBased:       "resource-based policy",
	buildlog.PermissionsBoundary: "permissions boundary",
	buildlog.SessionPolicy:       "session policy",
	buildlog.ServiceControl:      "service control policy",
	buildlog.ResourceControl:     "resource control policy",
	buildlog.VPCEndpoint:         "VPC endpoint policy",
	buildlog.RoleTrust:           "role trust policy",
}

func article(noun string) string {
	if strings.ContainsAny(noun[:1], "aeiou") {
		return "an " + noun
	}
	return "a " + noun
}
