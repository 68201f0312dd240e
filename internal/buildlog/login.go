package buildlog

import (
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// A shell goes on after TOKEN=$(aws …) in an export, after a pipe and after || true. So a denied
// login stands in a command that passed, and the next one fails for want of a credential
// (AWS.md#login-in-an-earlier-command).

// A login is a service that wants a credential of its own: the actions that give it, and its hosts.
type login struct {
	actions []string
	host    *lazyregexp.Regexp
	// tools matches lines of those that want this login and do not always name the host that
	// refused them; nil if all do.
	tools *lazyregexp.Regexp
}

var logins = []login{
	{[]string{"ecr:GetAuthorizationToken"}, lazyregexp.New(`^\d{12}\.dkr[.-]ecr(?:-fips)?\.[a-z0-9-]+\.`), nil},
	{[]string{"ecr-public:GetAuthorizationToken", "sts:GetServiceBearerToken"},
		lazyregexp.New(`^(?:public\.ecr\.aws|ecr-public\.aws\.com)$`), nil},
	{[]string{"codeartifact:GetAuthorizationToken", "sts:GetServiceBearerToken"},
		lazyregexp.New(`^(?P<domain>[a-z][a-z0-9-]*)-(?P<account>\d{12})\.d\.codeartifact\.(?P<region>[a-z0-9-]+)\.`),
		lazyregexp.New(`^npm (?:error|ERR!) code E401\b`)},
}

var (
	// noCredential is how tools say that they had no credential, or one that is none.
	noCredential = lazyregexp.New(`(?i)(?:status|code|http|http/[\d.]+|error|response|e)[ :=(]*401\b|` +
		`\b401[ :(]+(?:unauthori|error|client error|not authori)|` +
		`no basic auth credentials|\bunauthori[sz]ed\b|\bunauthenticated\b|authentication required|` +
		`credentials? not (?:correct|found)|basic credential not found|authorization error|may require 'docker login'|not logged in|` +
		`^User for \S+:|could not be authenticated|unable to authenticate`)
	// hostName is a host in a URL or in an image's name.
	hostName = lazyregexp.New(`(?:https?://(?:[^\s/@]*@)?|[\s"'\[(=]|^)([a-z0-9][a-z0-9-]*(?:\.[a-z0-9-]+)+)(?::\d+)?(?:[/:"'\s]|$)`)
)

// exportsCredentials matches a command after which the shell has other credentials than the service
// role's: commands of a buildspec share one (AWS.md#login-in-an-earlier-command).
var exportsCredentials = lazyregexp.New(`(?i)(?:^|[;&\s])(?:eval|source|\.) .*(?:assume|:role/)|` +
	`\bexport .*\bAWS_(?:PROFILE|DEFAULT_PROFILE|ACCESS_KEY_ID|SESSION_TOKEN|ROLE_ARN|CONFIG_FILE|SHARED_CREDENTIALS_FILE|` +
	`ENDPOINT_URL\w*)=|` +
	`\baws configure set \S*(?:aws_access_key_id|role_arn|credential_source)|configure-aws-credentials`)

// takesRole reports whether the command takes other credentials.
func takesRole(command string) bool {
	return (strings.Contains(command, "ssume") || strings.Contains(command, ":role/") || strings.Contains(command, "AWS_") ||
		strings.Contains(command, "aws")) && exportsCredentials.MatchString(command)
}

// linkLogins makes the denial of a login causal if the failed command, which came later, was
// refused for want of that credential at the same service, and nothing denied it something itself.
// from is where the failed part begins.
func (f *Failure) linkLogins(claims []placed, from int64) {
	if slices.ContainsFunc(claims, func(p placed) bool { return p.Causal }) {
		return
	}
	refused, unnamed, asked := "", "", false
	for i := range claims {
		c := &claims[i]
		if c.warning || c.off >= from {
			continue
		}
		k := slices.IndexFunc(logins, func(l login) bool { return slices.Contains(l.actions, c.Action) })
		if k < 0 {
			continue
		}
		if !asked {
			refused, unnamed = f.refusedHost()
			asked = true
		}
		if refused == "" && unnamed == "" {
			return
		}
		c.Causal = slices.ContainsFunc(logins, func(l login) bool {
			return slices.Contains(l.actions, c.Action) &&
				(refused != "" && l.at(refused, c.Resource) || refused == "" && l.tools != nil && l.tools.MatchString(unnamed))
		})
	}
}

// at reports whether host is one of the login's, and of the domain that the denied resource names.
func (l login) at(host, resource string) bool {
	re := l.host.Get()
	m := re.FindStringSubmatch(host)
	if m == nil {
		return false
	}
	a, ok := codebuild.ParseARN(resource)
	if !ok || a.Service != "codeartifact" {
		return true
	}
	return len(m) == 4 && a.Resource == "domain/"+m[1] && a.Account == m[2] && a.Region == m[3]
}

// refusedHost is the host at which the failed command had no credential: the one that the refusing
// line names, else one that the advice below it does, else the last that a line above does, else
// the command. If none names it, host is "", and line is the refusing line; both are "" if nothing
// was refused so.
func (f *Failure) refusedHost() (host, line string) {
	for i := len(f.Tail) - 1; i >= 0; i-- {
		text := f.Tail[i].Text
		if !noCredential.MatchString(text) || strings.Contains(text, "403") || parseMarker([]byte(text)).kind != noMarker {
			continue
		}
		if m := pulled.Get().FindStringSubmatch(text); m != nil { // an image without a host is Docker Hub's
			return lastHost(m[1] + "/"), text
		}
		if lastHost(text) == "" { // npm names the registry in what it advises
			for _, l := range f.Tail[i+1 : min(len(f.Tail), i+5)] {
				if h := lastHost(l.Text); slices.ContainsFunc(logins, func(l login) bool { return l.host.MatchString(h) }) {
					return h, text
				}
			}
		}
		for k := i; k >= 0; k-- {
			if h := lastHost(f.Tail[k].Text); h != "" {
				return h, text
			}
		}
		return lastHost(f.Command), text
	}
	return "", ""
}

// lastHost is the last host that a text names, of those that are not file names.
func lastHost(text string) string {
	list := hostName.Get().FindAllStringSubmatch(text, -1)
	for i := len(list) - 1; i >= 0; i-- {
		if h := list[i][1]; topLevel.MatchString(h) {
			return h
		}
	}
	return ""
}

// pulled is an image that could not be pulled; "" stands for Docker Hub.
var pulled = lazyregexp.New(`pull access denied for ([^\s,/]+)`)

// topLevel is how hosts of registries end.
var topLevel = lazyregexp.New(`\.(?:com|cn|io|org|net|aws|dev|eu|de|uk|local|internal)$`)
