package settings

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/buildmedic/buildmedic/internal/lazyregexp"
	"github.com/buildmedic/buildmedic/internal/policyfile"
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

// gitHub is the host where the settings name no other.
const gitHub = "github.com"

// maxSecret is the most characters that a secret's name may have (AWS.md#secrets).
const maxSecret = 512

var (
	secretName     = &form{lazyregexp.New(`^[\w/+=.@-]+$`), maxSecret}
	secretARN      = lazyregexp.New(`^arn:[a-z-]+:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[\w/+=.@-]+$`)
	gitHubRepo     = lazyregexp.New(`^[A-Za-z0-9](-?[A-Za-z0-9]){0,38}/[\w.-]{1,100}$`)
	codeCommitName = lazyregexp.New(`^[\w.-]{1,100}$`)
	branchName     = lazyregexp.New(`^[A-Za-z0-9_][A-Za-z0-9._+@=/-]{0,199}$`)
	codeHost       = lazyregexp.New(`^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?(:[0-9]{1,5})?$`)
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
	const own = gitHub
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
	var ok bool
	if p.GitHub, ok = c.gitHubRepository("github"); !ok {
		return p
	}
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

// gitHubRepository reads which repository of GitHub is meant.
func (o object) gitHubRepository(key string) (name string, ok bool) {
	const rule = "write OWNER/REPOSITORY, such as example/shop; the host is that of code.github"
	repo := o.text(key)
	if o.value(key).Kind == yaml.ScalarNode && (!gitHubRepo.MatchString(repo) || strings.HasSuffix(repo, "/..") ||
		strings.HasSuffix(repo, "/.") || strings.HasSuffix(repo, ".git")) {
		o.problem(key, "%s is not valid: %s", quoteAddress(repo), rule)
		return "", false
	}
	return repo, true
}

// policyCode reads which file of which repository owns the role's policy.
func (o object) policyCode() PolicyCode {
	if !o.has("code") {
		return PolicyCode{}
	}
	c := o.child("code")
	p := PolicyCode{
		CodeCommit: c.matching("codecommit", codeCommitName, "write the repository's name: up to 100 letters, digits and _.-"),
		Path:       c.text("path"),
		Base:       c.matching("base", branchName, "write the branch's name, such as main"),
	}
	if c.has("github") {
		p.GitHub, _ = c.gitHubRepository("github")
	}
	if c.has("github") == c.has("codecommit") && c.readable() {
		o.problem("code", "give exactly one of github: OWNER/REPOSITORY and codecommit: NAME")
	}
	switch {
	case !c.has("path"):
		c.problem("path", "missing; write where the policy document is in the repository, such as aws/iam-policy-codebuild.json")
	case !policyfile.ValidPath(p.Path):
		c.problem("path", "%q is not valid: write a path of plain letters, digits and ._+@=-, within the repository, such as "+
			"aws/iam-policy-codebuild.json", clip(p.Path))
		p.Path = ""
	}
	if strings.Contains(p.Base, "..") {
		c.problem("base", "%q is no branch's name", clip(p.Base))
	}
	return p
}

// PolicyFile names the file that owns the policy of the project's role, with its repository; "" if
// none does.
func (s *Settings) PolicyFile(p Project) string { return s.FileOf(p.Write.Code) }

// AsksIn is the code in which pull requests of the function ask for what p's role may be given, p being
// the project as it stands for that role ([Project.Roles]); none where it never opens one.
func (p Project) AsksIn() PolicyCode {
	if p.Mode == Observe || p.SwitchRole != "" || len(p.Grants) == 0 {
		return PolicyCode{}
	}
	return p.Write.Code
}

// AsksAtGitHub reports whether the function opens pull requests at GitHub. It needs credentials for it.
func (s *Settings) AsksAtGitHub() bool {
	return slices.ContainsFunc(Roles(s.Projects), func(p Project) bool { return p.AsksIn().GitHub != "" })
}

// FileOf names a policy's file with its repository; "" if it names none.
func (s *Settings) FileOf(c PolicyCode) string {
	switch {
	case !c.Set():
		return ""
	case c.CodeCommit != "":
		return c.Path + " in CodeCommit repository " + c.CodeCommit
	}
	return c.Path + " in " + s.GitHubHost() + "/" + c.GitHub
}

// GitHubHost is the host of GitHub's repositories.
func (s *Settings) GitHubHost() string {
	if s.Code.GitHub == nil {
		return gitHub
	}
	return s.Code.GitHub.Host
}
