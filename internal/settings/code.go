package settings

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// Code is how code hosts are reached, and what they are told where a project does not say.
type Code struct {
	GitHub *GitHub // nil: none is reached
	Tell   Tell
}

// GitHub is github.com, a company's part of it, or a GitHub Enterprise Server.
type GitHub struct {
	Host   string // "github.com" or another, with its port if it has one
	Secret string // name or ARN of the secret of Secrets Manager with the credentials
}

// Tell is how the developers of a project are told.
type Tell string

// The ways to tell. CommitStatus is the default where a project names a repository.
const (
	TellStatus  Tell = "commit-status"
	TellComment Tell = "pull-request-comment"
	TellNobody  Tell = "none"
)

// ProjectCode is where a project's source is, and how its developers are told there.
type ProjectCode struct {
	GitHub string // OWNER/REPOSITORY; "" names none
	Tell   Tell   // never "" if GitHub is not; TellNobody says none
}

// Tells reports whether the project's developers are told anything at their code host.
func (p Project) Tells() bool { return p.Code.GitHub != "" && p.Code.Tell != TellNobody }

// Repository is the project's repository as HOST/OWNER/REPOSITORY; "" if it names none.
func (s *Settings) Repository(p Project) string {
	if s.Code.GitHub == nil || p.Code.GitHub == "" {
		return ""
	}
	return s.Code.GitHub.Host + "/" + p.Code.GitHub
}

// maxSecret is the most characters that a secret's name may have (AWS.md#secrets).
const maxSecret = 512

var (
	secretName = &form{lazyregexp.New(`^[\w/+=.@-]+$`), maxSecret}
	secretARN  = lazyregexp.New(`^arn:[a-z-]+:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[\w/+=.@-]+$`)
	gitHubRepo = lazyregexp.New(`^[A-Za-z0-9](-?[A-Za-z0-9]){0,38}/[\w.-]{1,100}$`)
	codeHost   = lazyregexp.New(`^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?(:[0-9]{1,5})?$`)
)

// inItself are how GitHub's tokens and private keys begin: what must never stand in the settings.
var inItself = []string{"ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "-----BEGIN"}

func (r *reader) code(o object) Code {
	c := Code{Tell: Tell(o.oneOf("tell"))}
	if !o.has("github") {
		return c
	}
	g := o.child("github")
	c.GitHub = &GitHub{Host: g.host("url"), Secret: g.secret("secret")}
	return c
}

// secret reads where credentials are. What looks like the credentials themselves is not repeated.
func (o object) secret(key string) string {
	const rule = "write the name or the ARN of the secret in Secrets Manager that holds the credentials"
	text := o.text(key)
	switch {
	case !o.has(key):
		o.problem(key, "missing; %s", rule)
	case slices.ContainsFunc(inItself, func(s string) bool { return strings.HasPrefix(strings.TrimSpace(text), s) }):
		o.problem(key,
			"this is a credential itself, which everybody who reads this file has now; revoke it, and %s", rule)
	case strings.HasPrefix(text, "arn:"):
		if !secretARN.MatchString(text) {
			o.problem(key, "%q is not a secret's ARN; %s", clip(text), rule)
		}
		return text
	default:
		return o.matching(key, secretName, rule)
	}
	return ""
}

// host reads the address of a GitHub Enterprise Server.
func (o object) host(key string) string {
	const own = "github.com"
	text := o.text(key)
	if text == "" {
		return own
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" ||
		u.Fragment != "" || !codeHost.MatchString(u.Host) {
		o.problem(key, "%s is not valid: write https:// and the host's name in lower case, as browsers reach it, "+
			"such as https://github.example.com", quoteAddress(text))
		return own
	}
	return u.Host
}

// projectCode reads where the project's source is.
func (r *reader) projectCode(o object, s *Settings) ProjectCode {
	if !o.has("code") {
		return ProjectCode{}
	}
	c := o.child("code")
	p := ProjectCode{Tell: Tell(c.oneOf("tell"))}
	if p.Tell == "" {
		p.Tell = s.Code.Tell
	}
	if !c.has("github") {
		if c.readable() && p.Tell != TellNobody {
			o.problem("code",
				"it names no repository: give github: OWNER/REPOSITORY. GitHub is the only code host that is "+
					"told so far, and GitHub Enterprise Server with code.github.url")
		}
		return p
	}
	const rule = "write OWNER/REPOSITORY, such as example/shop; the host is that of code.github"
	repo := c.text("github")
	if c.value("github").Kind == yaml.ScalarNode && (!gitHubRepo.MatchString(repo) || strings.HasSuffix(repo, "/..") ||
		strings.HasSuffix(repo, "/.") || strings.HasSuffix(repo, ".git")) {
		c.problem("github", "%s is not valid: %s", quoteAddress(repo), rule)
		return p
	}
	p.GitHub = repo
	if s.Code.GitHub == nil {
		c.problem("github",
			"there is no code.github in this file, so nothing reaches GitHub; add code: {github: {secret: NAME}}")
	}
	return p
}

// quoteAddress repeats an address for a message, unless it may hold a password.
func quoteAddress(s string) string {
	if strings.Contains(s, "@") {
		return "what stands here"
	}
	return strconv.Quote(clip(s))
}
