package settings

import (
	"fmt"
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
	Host string // "github.com" or another, with its port if it has one
	// Where the credentials are, by name or ARN: a secret of Secrets Manager, or a SecureString of
	// Parameter Store. One of the two is there where the function reaches GitHub, and never both.
	Secret, Parameter string
}

// Held reports whether the settings say where the credentials are.
func (g *GitHub) Held() bool { return g != nil && (g.Secret != "" || g.Parameter != "") }

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

// ReachesGitHub reports whether the function reaches GitHub: only then it needs credentials.
func (s *Settings) ReachesGitHub() bool {
	_, why := s.whyGitHub()
	return why != ""
}

// whyGitHub is the first role of a project for which the function reaches GitHub, and for what; ""
// if there is none.
func (s *Settings) whyGitHub() (p Project, why string) {
	for _, p := range Roles(s.Projects) {
		switch {
		case p.Tells():
			return p, "tells its developers there"
		case p.Rerun:
			return p, "has jobs run again there"
		case p.Mode != Observe && p.PolicyCode().GitHub != "":
			return p, fmt.Sprintf("asks there for what its role may be given, in mode %s", p.Mode)
		}
	}
	return Project{}, ""
}

// gitHub is the host where the settings name no other.
const gitHub = "github.com"

// The most characters that the names of secrets (AWS.md#secrets) and of parameters
// (AWS.md#parameters) may have.
const (
	maxSecret    = 512
	maxParameter = 1011
)

var (
	secretName     = &form{lazyregexp.New(`^[\w/+=.@-]+$`), maxSecret}
	secretARN      = lazyregexp.New(`^arn:[a-z-]+:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[\w/+=.@-]+$`)
	parameterName  = &form{lazyregexp.New(`^([\w.-]+|(/[\w.-]+){1,15})$`), maxParameter}
	parameterARN   = lazyregexp.New(`^arn:[a-z-]+:ssm:[a-z0-9-]+:[0-9]{12}:parameter((/[\w.-]+){1,15})$`)
	gitHubRepo     = lazyregexp.New(`^[A-Za-z0-9](-?[A-Za-z0-9]){0,38}/[\w.-]{1,100}$`)
	codeCommitName = lazyregexp.New(`^[\w.-]{1,100}$`)
	branchName     = lazyregexp.New(`^[A-Za-z0-9_][A-Za-z0-9._+@=/-]{0,199}$`)
	codeHost       = lazyregexp.New(`^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?(:[0-9]{1,5})?$`)
)

// How GitHub's tokens begin, and what is in the texts that hold its Apps' keys, or a token.
var (
	tokenBegins = []string{"ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"}
	keyHas      = []string{"-----BEGIN", `"private_key"`, `"token"`}
	olderToken  = lazyregexp.New(`^[0-9a-f]{40}$`)
)

// isCredential reports whether a text is what must never stand in the settings.
func isCredential(text string) bool {
	text = strings.TrimSpace(text)
	return slices.ContainsFunc(tokenBegins, func(s string) bool { return strings.HasPrefix(text, s) }) ||
		slices.ContainsFunc(keyHas, func(s string) bool { return strings.Contains(text, s) }) || olderToken.MatchString(text)
}

// code reads how code hosts are reached. host is what stands under code.github.
func (r *reader) code(o object) (c Code, host object) {
	c.Tell = Tell(o.oneOf("tell"))
	host = o.child("github")
	if !o.has("github") {
		return c, host
	}
	c.GitHub = &GitHub{Host: host.host("url"), Secret: host.secret(), Parameter: host.parameter()}
	if host.has("secret") && host.has("parameter") {
		host.problem("parameter", "there is a secret, too; the credentials are in one place, so remove one of the two")
	}
	return c, host
}

// credentials checks that the settings say where the credentials are, if the function needs any.
func (r *reader) credentials(host object, s *Settings) {
	p, why := s.whyGitHub()
	switch {
	case why == "" || !host.readable():
	case s.Code.GitHub == nil && p.Tells(): // which is said there
	case s.Code.GitHub == nil:
		r.problem(&yaml.Node{Line: p.Line}, "code", "there is no code.github in this file, and project %s %s; add code: {github: "+
			"{secret: NAME}}, or {parameter: NAME} in its place", p.Name, why)
	case !host.has("secret") && !host.has("parameter"):
		r.problem(host.node, host.path, "it holds no credentials, and project %s %s; give secret: NAME, of Secrets Manager, or "+
			"parameter: NAME, of a SecureString in Parameter Store", p.Name, why)
	}
}

const (
	secretRule    = "write the name or the ARN of the secret in Secrets Manager that holds the credentials"
	parameterRule = "write the name or the ARN of the SecureString in Parameter Store that holds the credentials"
)

// secret reads which secret holds the credentials.
func (o object) secret() string {
	text := o.holder("secret", secretRule)
	switch {
	case text == "" || secretARN.MatchString(text):
	case parameterARN.MatchString(text):
		o.problem("secret", "%q is a parameter's ARN; write parameter in the place of secret", clip(text))
	case strings.HasPrefix(text, "arn:"):
		o.problem("secret", "%q is not a secret's ARN; %s", clip(text), secretRule)
	case !secretName.MatchString(text):
		o.problem("secret", "this is no secret's name; %s", secretRule)
	}
	return text
}

// parameter reads which parameter holds the credentials.
func (o object) parameter() string {
	text := o.holder("parameter", parameterRule)
	name := text
	if m := parameterARN.Get().FindStringSubmatch(text); m != nil {
		name = m[1]
	}
	lower := strings.ToLower(strings.TrimPrefix(name, "/"))
	switch {
	case text == "":
	case secretARN.MatchString(text):
		o.problem("parameter", "%q is a secret's ARN; write secret in the place of parameter", clip(text))
	case strings.HasPrefix(name, "arn:"):
		o.problem("parameter", "%q is not a parameter's ARN; %s, without a version", clip(text), parameterRule)
	case parameterName.MatchString("/"+name) && strings.Contains(name, "/"):
		o.problem("parameter", "%q has a path, and such a parameter's name begins with a slash; write %q", clip(text), clip("/"+name))
	case !parameterName.MatchString(name):
		o.problem("parameter", "this is no parameter's name; %s, without a version", parameterRule)
	case strings.HasPrefix(lower, "aws/reference/secretsmanager/"):
		o.problem("parameter", "%q stands for a secret; write secret in the place of parameter, and the secret's own name", clip(text))
	case strings.HasPrefix(lower, "aws/"):
		o.problem("parameter", "%q is one of AWS's own parameters; %s", clip(text), parameterRule)
	}
	return text
}

// holder reads the name or the ARN of what holds credentials. What looks like the credentials
// themselves is not repeated.
func (o object) holder(key, rule string) string {
	text := o.text(key)
	if isCredential(text) {
		o.problem(key, "this is a credential itself, which everybody who reads this file has now; revoke it, and %s", rule)
		return ""
	}
	if text == "" && o.has(key) && o.value(key).Tag == "!!str" {
		o.problem(key, "empty; %s", rule)
	}
	return text
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
			"there is no code.github in this file, so nothing reaches GitHub; add code: {github: {secret: NAME}}, or "+
				"{parameter: NAME} in its place")
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
	return p.PolicyCode()
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
