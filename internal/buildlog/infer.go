package buildlog

import (
	"bytes"
	"regexp"
	"strings"

	"github.com/buildmedic/buildmedic/internal/iamref"
)

// inferred finds the action of a report that names no operation: an action
// printed just before it, or what the words before it say was tried.
func (s *sentences) inferred(r report) string {
	lo := max(0, r.from-300)
	for _, b := range s.list {
		if b.to <= r.from {
			lo = max(lo, b.to)
		}
	}
	lo += 1 + bytes.LastIndexByte(s.flat[lo:r.from], '\n')
	if a, _ := s.namedAction(lo, r.from); a != "" {
		return a
	}
	return s.tried(lo, r)
}

var actionWord = regexp.MustCompile(`\b[a-z][a-z0-9-]+:[A-Z][A-Za-z0-9]+\b`)

// namedAction gives the last action that text prints in flat[lo:hi] and that
// the service reference knows, and where.
func (p *page) namedAction(lo, hi int) (string, int) {
	from := int(p.at[lo])
	list := actionWord.FindAllIndex(p.text[from:p.at[hi]], -1)
	for i := len(list) - 1; i >= 0; i-- {
		a := string(p.text[from+list[i][0] : from+list[i][1]])
		if x, ok := iamref.Lookup(a); ok {
			return x.Name, p.flatAt(from + list[i][0])
		}
	}
	return "", 0
}

// verbs are the words that operations begin with, by the forms in which tools
// tell what they tried.
var verbs = map[string]string{}

func init() {
	for _, v := range []string{"create", "describe", "delete", "get", "list", "put", "update", "attach", "detach", "modify", "run",
		"tag", "start", "stop", "associate", "disassociate", "register", "deregister", "authorize", "revoke", "enable", "disable",
		"add", "remove", "set", "use", "copy", "import", "allocate", "release"} {
		verbs[v] = v
		verbs[v+"ing"], verbs[strings.TrimSuffix(v, "e")+"ing"] = v, v
		verbs[v+v[len(v)-1:]+"ing"] = v
	}
}

// tried reads the words before a report for an operation: "could not create
// volume in EC2" is ec2:CreateVolume. The service must be told, by the words
// or by the error code.
func (s *sentences) tried(lo int, r report) string {
	text := string(s.text[s.at[lo]:s.at[r.from]])
	words := strings.FieldsFunc(text, func(c rune) bool {
		return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-')
	})
	services := servicesIn(text, words, r)
	for i := len(words) - 1; i >= 0 && i >= len(words)-16; i-- {
		verb, ok := verbs[strings.ToLower(words[i])]
		if !ok {
			continue
		}
		for _, service := range services {
			if a := operationOf(service, verb, words[i+1:]); a != "" {
				return a
			}
		}
	}
	return ""
}

// servicesIn lists the IAM prefixes that a report may be about.
func servicesIn(text string, words []string, r report) []string {
	var list []string
	if r.code == "unauthorizedoperation" {
		return []string{"ec2"}
	}
	if r.service != "" {
		return []string{r.service}
	}
	if i := strings.LastIndex(text, "arn:"); i >= 0 {
		if f := strings.SplitN(text[i:], ":", 4); len(f) == 4 {
			list = append(list, f[2])
		}
	}
	for i := len(words) - 1; i >= 0 && i >= len(words)-16; i-- {
		switch w := strings.ToLower(words[i]); w {
		case "s3", "ec2", "iam", "ecr", "ecs", "eks", "rds", "sns", "sqs", "kms", "ssm", "lambda", "dynamodb", "cloudwatch", "cloudfront",
			"cloudformation", "route53", "codebuild", "codeartifact", "codecommit", "secretsmanager", "elasticache", "kinesis":
			list = append(list, w)
		}
	}
	return list
}

// operationOf joins a verb and up to four of the words after it to an
// operation that the service has.
func operationOf(service, verb string, words []string) (action string) {
	op := verb
	for i, n := 0, 0; i < len(words) && i < 7 && n < 4; i++ {
		w := words[i]
		switch strings.ToLower(w) {
		case "the", "a", "an", "new", "aws", "amazon", service:
			continue
		}
		op += strings.ReplaceAll(w, "-", "")
		n++
		if a, ok := iamref.Lookup(service + ":" + op); ok {
			action = a.Name // the longest wins: CreateVpcEndpoint, not CreateVpc
		}
	}
	return action
}
