// Package redact removes secrets from text that a build printed, before it is stored or shown:
// keys, tokens, passwords, URLs with credentials, private keys. What a reader needs (ARNs, digests,
// commit ids, paths) stays.
package redact

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// Mark stands where a secret was.
const Mark = "[redacted]"

// Text replaces what looks like a secret by "[redacted]": keys and tokens
// of known makes, values of names such as password or token, Authorization
// headers, credentials in URLs, JSON web tokens, private key blocks (each of
// their lines) and long random strings. The number of lines stays the same.
//
// ARNs, image digests, commit ids and UUIDs stay, since people need them.
// Text(Text(s)) is Text(s). Time is linear in the length of s.
func Text(s string) string {
	// Text beside a mark may look like a secret only after the replacement, hence the rounds. Text
	// that still changes after them is redacted whole.
	const rounds = 6
	for range rounds {
		next := redactOnce(s)
		if next == s {
			return s
		}
		s = next
	}
	return redactLines(s)
}

func redactOnce(s string) string {
	if strings.Contains(s, "PRIVATE KEY") {
		s = keyBlock.ReplaceAllStringFunc(s, redactLines)
		s = keyTail.ReplaceAllStringFunc(s, redactLines)
	}
	for _, t := range knownTokens() {
		if strings.Contains(s, t.needs) {
			s = t.re.ReplaceAllString(s, Mark)
		}
	}
	return redactRandom(redactContexts(s))
}

// redactContexts redacts line by line, since no context spans two, and looks only where one can be.
func redactContexts(s string) string {
	var b strings.Builder
	last, at := 0, 0
	for line := range strings.SplitSeq(s, "\n") {
		if next := redactLine(line); next != line {
			b.WriteString(s[last:at])
			b.WriteString(next)
			last = at + len(line)
		}
		at += len(line) + 1
	}
	return b.String() + s[last:]
}

func redactLine(s string) string {
	lower := strings.ToLower(s)
	for _, c := range contexts {
		if !slices.ContainsFunc(c.needs, func(n string) bool { return strings.Contains(lower, n) }) {
			continue
		}
		if next := c.redact(s); next != s {
			s, lower = next, strings.ToLower(next)
		}
	}
	return s
}

// redactLines replaces every line by a mark.
func redactLines(s string) string {
	return strings.Repeat(Mark+"\n", strings.Count(s, "\n")) + Mark
}

var (
	keyBlock = lazyregexp.New(`(?s)-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,10}-----.*?` +
		`(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,10}-----|\z)`)
	// keyTail matches a block whose beginning is missing.
	keyTail = lazyregexp.New(`(?:[A-Za-z0-9+/=]+[ \t\r]*\n[ \t]*)*-----END [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,10}-----`)
)

// token is a kind of secret with a form of its own. needs is text that all of them contain:
// searching for it first is much faster.
type token struct {
	needs string
	re    *lazyregexp.Regexp
}

// knownTokens are made when the first text is redacted.
var knownTokens = sync.OnceValue(func() []token {
	terraform := token{".atlasv1.", lazyregexp.New(`[A-Za-z0-9]*\.atlasv1\.[A-Za-z0-9_-]{20,}`)}
	openAI := token{"sk-", lazyregexp.New(`\bsk-[A-Za-z0-9_-]{20,}`)} // ecs-task-execution-role is not one
	return append(tokens(map[string]string{
		// AWS: access key ids, session tokens, Bedrock API keys.
		"AKIA": `[A-Z0-9]{16}`, "ASIA": `[A-Z0-9]{16}`, "ABIA": `[A-Z0-9]{16}`, "ACCA": `[A-Z0-9]{16}`,
		"FwoGZXIvYXdz": `[A-Za-z0-9/+=_%-]{16,}`, "IQoJb3JpZ2lu": `[A-Za-z0-9/+=_%-]{16,}`,
		"FQoGZXIvYXdz": `[A-Za-z0-9/+=_%-]{16,}`, "AQoDYXdz": `[A-Za-z0-9/+=_%-]{16,}`,
		"ABSK": `[A-Za-z0-9+/=]{40,}`,
		// GitHub and GitLab.
		"ghp_": `[A-Za-z0-9]{20,}`, "gho_": `[A-Za-z0-9]{20,}`, "ghu_": `[A-Za-z0-9]{20,}`, "ghs_": `[A-Za-z0-9]{20,}`,
		"ghr_":        `[A-Za-z0-9]{20,}`,
		"github_pat_": `[A-Za-z0-9_]{20,}`,
		"gl":          `(?:pat|dt|rt|cbt|ptt|ft|soat|imt|agent|oas)-[A-Za-z0-9_.-]{16,}`, "GR1348941": `[A-Za-z0-9_-]{16,}`,
		// Chat: tokens, and addresses to which anybody who knows them may post.
		"xox": `[abeoprs](?:\.xox[a-z])?-[A-Za-z0-9-]{10,}`, "xapp-": `[0-9]-[A-Za-z0-9-]{10,}`,
		"hooks.slack.com/":    `(?:services|workflows|triggers)/[A-Za-z0-9/_-]+`,
		".com/api/webhooks/":  `[0-9]+/[A-Za-z0-9_-]+`,
		".webhook.office.com": `/[A-Za-z0-9/@_-]+`,
		":AA":                 `[A-Za-z0-9_-]{33}`, // Telegram bots: after their number
		// Registries.
		"npm_": `[A-Za-z0-9]{20,}`, "pypi-AgE": `[A-Za-z0-9_-]{16,}`, "rubygems_": `[a-f0-9]{32,}`,
		"cio": `[A-Za-z0-9]{32}`, "oy2": `[a-z0-9]{43}`,
		"dckr_": `(?:pat|oat)_[A-Za-z0-9_-]{16,}`,
		// Others.
		"sk_": `(?:live|test)_[A-Za-z0-9]{10,}`, "rk_": `(?:live|test)_[A-Za-z0-9]{10,}`, "whsec_": `[A-Za-z0-9+/=]{16,}`,
		"AIza": `[A-Za-z0-9_-]{35}`, "ya29.": `[A-Za-z0-9_-]{16,}`, "GOCSPX-": `[A-Za-z0-9_-]{16,}`,
		"SG.":  `[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}`,
		"hvs.": `[A-Za-z0-9_-]{20,}`, "hvb.": `[A-Za-z0-9_-]{20,}`, "hvr.": `[A-Za-z0-9_-]{20,}`,
		"ATATT3": `[A-Za-z0-9_=-]{20,}`, "ATBB": `[A-Za-z0-9]{24,}`,
		"dop_v1_": `[a-f0-9]{32,}`, "doo_v1_": `[a-f0-9]{32,}`, "dapi": `[a-f0-9]{32}`, "dp.": `(?:pt|st|ct|sa)\.[A-Za-z0-9._-]{20,}`,
		"shp": `(?:at|ca|pa|ss)_[a-fA-F0-9]{32}`, "lin_api_": `[A-Za-z0-9]{20,}`, "NRAK-": `[A-Z0-9]{20,}`,
		"sntry": `[su]_[A-Za-z0-9+/=_-]{20,}`, "CCIPAT_": `[A-Za-z0-9_]{20,}`, "bkua_": `[a-f0-9]{32,}`,
		"nfp_": `[A-Za-z0-9]{30,}`, "pul-": `[a-f0-9]{40}`,
		// What scans, builds and publishes: SonarQube, JFrog, Grafana, Hugging Face, Postman,
		// Dynatrace, …
		"sqp_": `[a-f0-9]{40}`, "squ_": `[a-f0-9]{40}`, "sqa_": `[a-f0-9]{40}`,
		"AKCp": `[A-Za-z0-9]{60,}`, "cmVmdGtu": `[A-Za-z0-9]{50,}`, "glc_": `[A-Za-z0-9+/=]{32,}`, "glsa_": `[A-Za-z0-9_]{40,}`,
		"hf_": `[A-Za-z]{34}`, "PMAK-": `[a-f0-9]{24}-[a-f0-9]{34}`, "dt0c01.": `[A-Z0-9]{24}\.[A-Z0-9]{64}`,
		"sbp_": `[a-f0-9]{40}`, "pscale_": `(?:tkn|pw|oauth)_[A-Za-z0-9_.-]{32,}`, "CLOJARS_": `[a-z0-9]{60}`, "sgp_": `[a-f0-9_]{40,}`,
		"CFPAT-": `[A-Za-z0-9_-]{40,}`, "tskey-": `[a-z]+-[A-Za-z0-9]+-[A-Za-z0-9]{16,}`, "nvapi-": `[A-Za-z0-9_-]{60,}`,
		"figd_": `[A-Za-z0-9_-]{38,}`, "bkct_": `[A-Za-z0-9]{30,}`, "rdme_": `[a-z0-9]{70}`, "pnu_": `[A-Za-z0-9]{36}`,
		"gsk_": `[A-Za-z0-9]{40,}`, "xai-": `[A-Za-z0-9]{40,}`, "r8_": `[A-Za-z0-9]{37}`,
		"sq0":              `[a-z]{3}-[A-Za-z0-9_-]{20,}`,
		"AGE-SECRET-KEY-1": `[A-Z0-9]{50,}`,
		// JSON web tokens; their first part, or any JSON in base64, as in registry logins.
		"eyJ": `(?:[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]+){1,4}|[A-Za-z0-9+/_-]{32,}={0,2})`,
	}), terraform, openAI)
})

// tokens compiles expressions for what follows each prefix.
func tokens(forms map[string]string) []token {
	var out []token
	for _, prefix := range slices.Sorted(maps.Keys(forms)) {
		out = append(out, token{prefix, lazyregexp.New(regexp.QuoteMeta(prefix) + forms[prefix])})
	}
	return out
}

// context redacts a secret that is recognized by what stands around it, on its line.
type context struct {
	// needs are texts in lower case; each match contains one of them.
	needs []string
	re    *lazyregexp.Regexp
	// keep reports whether the match is not a secret after all; nil: never.
	keep func(m match) bool
}

// match is one match of a context: its groups "name" and "value", where the expression has them,
// the text before it, and what follows the value.
type match struct{ name, sep, value, before, after string }

const (
	// passwordName and secretName end the names whose values are secrets.
	passwordName = `passw(?:or)?d|passphrase|passwort|pwd`
	secretName   = passwordName + `|secret|token|credentials?|api[_-]?key|access[_-]?key|private[_-]?key|` +
		`signing[_-]?key|encryption[_-]?key|account[_-]?key|master[_-]?key|auth[_-]?key|deploy[_-]?key|license[_-]?key|` +
		`_auth|signature|connection[_-]?string|[_-](?:pass|pw)\b`
	// aValue is a quoted or bare value; also quoted inside of quoted JSON.
	aValue = `\\+"[^"\n]*?\\+"|"(?:[^"\\\n]|\\.)*"?|'[^'\n]*'?|[^\s"']+`
)

// secretWords contains a part of each secretName.
var secretWords = []string{"passw", "_pass", "-pass", "_pw", "-pw", "passphrase", "pwd", "secret", "token", "credential", "key",
	"_auth", "signature", "connection"}

var contexts = []context{
	{ // Headers: all that follows.
		needs: []string{"authorization", "cookie", "key", "token"},
		re: lazyregexp.New(`(?i)\b(?P<name>(?:proxy-)?authorization|(?:set-)?cookie|x-api-key|x-auth-token|` +
			`x-vault-token|x-amz-security-token|private-token|job-token)(?P<sep>["'\\]*[ \t]*[:=][ \t]*["'\\]*)(?P<value>[^\r\n"'\\]+)`),
	},
	{
		needs: []string{"bearer", "basic"},
		re:    lazyregexp.New(`(?i)\b(?P<name>bearer|basic)(?P<sep>[ \t]+)(?P<value>[A-Za-z0-9._~+/=:-]{8,})`), keep: isWords,
	},
	{ // scheme://user:password@host, also where the password holds a slash.
		needs: []string{"://"},
		re: lazyregexp.New(`(?P<name>[A-Za-z][A-Za-z0-9+.-]*:)(?P<sep>//)(?P<value>[^\s/@"'<>]*:[^\s@"'<>]*|` +
			`[^\s/@"'<>]+)@`), keep: isNoCredential,
	},
	{ // NAME=value, "name": "value", name => value; also behind a second name
		needs: secretWords,
		re: lazyregexp.New(`(?i)(?P<name>[A-Za-z0-9_.-]*(?:` + secretName +
			`)[A-Za-z0-9_-]*)(?P<sep>["'\\]*[ \t]*(?:=>|:=|==?|:|＝|：)[ \t]*(?:[A-Za-z0-9_.-]*(?:` + secretName +
			`)[A-Za-z0-9_-]*[:=][ \t]*)*)(?P<value>` + aValue + `)`), keep: isNoSecret,
	},
	{ // --name value
		needs: secretWords,
		re: lazyregexp.New(`(?i)(?:^|[\s"'(\[,])(?P<name>--?[A-Za-z0-9-]*(?:` + secretName +
			`)[A-Za-z0-9-]*)(?P<sep>["',]*[ \t]+)(?P<value>` + aValue + `)`), keep: isNoSecret,
	},
	{ // <name>value</name>
		needs: secretWords,
		re:    lazyregexp.New(`(?i)<(?P<name>[A-Za-z0-9_.:-]*(?:` + secretName + `)[A-Za-z0-9_-]*)(?P<sep>>)(?P<value>[^<\n]+)`),
	},
	{ // Parameters of signed addresses.
		needs: []string{"?", "&"},
		re:    lazyregexp.New(`(?i)[?&](?P<name>sig|key|code|auth|pass|x-amz-credential)(?P<sep>=)(?P<value>[^&\s"'#]+)`),
	},
	{ // "The password is …": prose, so a word that follows is none.
		needs: []string{" is", " was", " to", "\tis"},
		re: lazyregexp.New(`(?i)\b(?P<name>(?:` + passwordName + `|passcode|secret|token|(?:api|access)[ _-]?key)` +
			`(?:[ \t]+(?:for|of)[ \t]+\S+)?)` +
			`(?P<sep>[ \t]+(?:(?:(?:is|was|has been) )?(?:now )?(?:set|changed|reset) to|is now|ist|is|was)[ \t]*[:=]?[ \t]*)` +
			`(?P<value>` + aValue + `)`), keep: isProse,
	},
	{ // Java's and SonarQube's properties: a login is a token there.
		needs: []string{"-d", "sonar."},
		re: lazyregexp.New(`(?i)(?P<name>-D[A-Za-z0-9_.-]*(?:login|auth|pass|pw)|\bsonar\.login)(?P<sep>[ \t]*[=＝:][ \t]*)` +
			`(?P<value>` + aValue + `)`), keep: isVariable,
	},
	// Command lines.
	{
		needs: []string{"sshpass", "redis-cli", "zip", "sqlcmd", "mongo", "ldap"},
		re: lazyregexp.New(`(?P<name>\bsshpass[ \t][^\n|;&]*?-p|\bredis-cli\b[^\n|;&]*[ \t]-a|\b(?:un)?zip\b[^\n|;&]*[ \t]-P|` +
			`\bsqlcmd\b[^\n|;&]*[ \t]-P|\bmongo[a-z]*\b[^\n|;&]*[ \t]-p|\bldap[a-z]+\b[^\n|;&]*[ \t]-w)(?P<sep>[ \t]*)` +
			`(?P<value>` + aValue + `)`), keep: isOption,
	},
	{ // openssl's -passin pass:…, keytool's -storepass …
		needs: []string{"pass"},
		re: lazyregexp.New(`(?P<name>-pass(?:in|out)?[ \t=]+pass|-(?:dest|src)?(?:store|key)pass(?:wd)?)(?P<sep>:|[ \t]+)` +
			`(?P<value>` + aValue + `)`), keep: isOption,
	},
	{
		needs: []string{"login"},
		re:    lazyregexp.New(`(?i)(?P<name>\blogin\b[^\n|;&]*[ \t]-p)(?P<sep>[ =]?)(?P<value>` + aValue + `)`), keep: isFlag,
	},
	{
		needs: []string{"mysql"},
		re:    lazyregexp.New(`(?i)(?P<name>\bmysql(?:dump|admin)?\b[^\n|;&]*[ \t]-p)(?P<sep>)(?P<value>[^\s"']+)`),
	},
	{
		needs: []string{" -u", "\t-u", "-user"},
		re: lazyregexp.New(`(?P<name>[ \t](?:-u|--user|--proxy-user)[ =]["']?[^\s:"']+|` +
			`\bcurl\b[^\n|;&]*[ \t]-u["']?[^\s:"'=]+)(?P<sep>:)(?P<value>[^\s"']+)`),
	},
	{
		needs: []string{"password"},
		re:    lazyregexp.New(`(?i)(?P<name>\blogin[ \t]+\S+[ \t]+password)(?P<sep>[ \t]+)(?P<value>\S+)`),
	},
	{
		needs: []string{"--password-stdin"},
		re: lazyregexp.New(`(?P<name>\becho)(?P<sep>[ \t]+(?:-n[ \t]+)?)(?P<value>` + aValue +
			`)[ \t]*\|[ \t]*[^\n|]*--password-stdin`), keep: isVariable,
	},
}

func (c context) redact(s string) string {
	ms := c.re.Get().FindAllStringSubmatchIndex(s, -1)
	if ms == nil {
		return s
	}
	name, sep, value := 2*c.re.Get().SubexpIndex("name"), 2*c.re.Get().SubexpIndex("sep"), 2*c.re.Get().SubexpIndex("value")
	var b strings.Builder
	last := 0
	for _, m := range ms {
		found := match{name: s[m[name]:m[name+1]], sep: s[m[sep]:m[sep+1]], value: s[m[value]:m[value+1]],
			before: s[max(0, m[0]-256):m[0]], after: s[m[value+1]:min(len(s), m[value+1]+64)]}
		if hidden(found.value) || c.keep != nil && c.keep(found) {
			continue
		}
		b.WriteString(s[last:m[value]])
		b.WriteString(requote(found.value))
		last = m[value+1]
	}
	return b.String() + s[last:]
}

// requote keeps the quotes around a value that is replaced.
func requote(v string) string {
	open := v[:len(v)-len(strings.TrimLeft(v, `\"'`))]
	rest := v[len(open):]
	if open == "" {
		return Mark
	}
	return open + Mark + rest[len(strings.TrimRight(rest, `\"'`)):]
}

// hidden reports whether a value is already masked: by us, by CodeBuild (AWS.md#masking) or by the
// program that wrote it, with crosses or dots.
func hidden(v string) bool {
	v = strings.Trim(v, `\"'`)
	return strings.Trim(v, "*xX.") == "" || v == Mark
}

var (
	wordsOnly  = lazyregexp.New(`^(?:[A-Z]?[a-z]+|[A-Z]{1,4})(?:[-_]?(?:[A-Z][a-z]+|[a-z]+|[A-Z]{2,4}))*$`)
	shortValue = lazyregexp.New(`^(?:[0-9]{1,7}|true|false|null|none|nil|undefined|yes|no)$`)
	noSecret   = lazyregexp.New(`(?i)(?:[_-]?(?:stdin|arn|name|path|file|dir|type|length|count|ttl|expiry|expires|` +
		`expiration|policy|version|region|manager|endpoint|prefix)|[_-]ids?)$`)
	aPassword = lazyregexp.New(`(?i)(?:` + passwordName + `)`)
	uuid      = lazyregexp.New(`(?i)^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
)

// isWords: "Basic authentication", not a credential.
func isWords(m match) bool { return wordsOnly.MatchString(strings.TrimRight(m.value, ".:,;")) }

// isProse: "the password is wrong".
func isProse(m match) bool {
	v := strings.ToLower(strings.Trim(m.value, "`\\\"'.,:;!()"))
	return isVariable(m) || isFlag(m) || wordsOnly.MatchString(v) || shortValue.MatchString(v) || inARN(m.before+m.name)
}

// isOption: a shell variable, or the next option.
func isOption(m match) bool { return isVariable(m) || isFlag(m) }

func isFlag(m match) bool { return strings.HasPrefix(m.value, "-") }

// isVariable: a shell variable is not its value.
func isVariable(m match) bool { return strings.HasPrefix(strings.Trim(m.value, `"'`), "$") }

// isNoCredential: git@ is not a secret, and in host:443/path@x there is only a port.
func isNoCredential(m match) bool {
	_, port, ok := strings.Cut(m.value, ":")
	digits := strings.TrimLeft(port, "0123456789")
	return m.value == "git" || ok && digits != port && strings.HasPrefix(digits, "/")
}

// isNoSecret recognizes names and values that only look like secrets.
func isNoSecret(m match) bool {
	v := strings.Trim(m.value, `\"',;.`)
	switch {
	case strings.TrimSpace(m.sep) == "" && isFlag(m): // --name without a value
		return true
	case strings.HasPrefix(v, "$"): // a variable, not its value
		return true
	case isError(m):
		return true
	case strings.EqualFold(m.name, "PWD"), strings.EqualFold(m.name, "OLDPWD"):
		return strings.HasPrefix(v, "/")
	case strings.Contains(m.sep, ":") && inARN(m.before+m.name):
		return true
	case noSecret.MatchString(m.name):
		return !uuid.MatchString(v) // such an id may be the secret itself
	case aPassword.MatchString(m.name):
		return false
	case shortValue.MatchString(strings.ToLower(v)):
		return true
	}
	// "secretsmanager:GetSecretValue", "token: expired": words.
	return strings.Contains(m.sep, ":") && len(v) < 48 && wordsOnly.MatchString(v)
}

// anError matches the beginning of what programs say about a value or a command, up to a word that
// makes it an error: never one word alone that could be somebody's password.
var anError = lazyregexp.New(`(?i)^(?:line \d+: |\d+: )?(?:command not found|not found\b|` +
	`no such (?:file|device|command|user)\b|(?:permission|access) denied\b|operation not permitted|` +
	`inappropriate ioctl|(?:password )?authentication failed|` +
	`(?:cannot|can't|could not|may not|must|should|does not|doesn't|is not|isn't) (?:be|not|have|contain|match|access|` +
	`open|read|get|find|set|a|an|valid|correct|allowed|supported|recognized|provided)\b|` +
	`is (?:required|missing|invalid|incorrect|wrong|empty|too)\b|too (?:short|long|weak|common|many)\b|` +
	`not (?:set|valid|correct|allowed|supported|recognized|provided|a)\b|` +
	`(?:invalid|unrecognized|unknown|illegal|missing|extra) (?:option|argument|operand|value|input|length|password|` +
	`passphrase|credentials|user|character)|bad (?:decrypt|passphrase|password)|unbound variable|` +
	`parameter (?:null or )?not set|ignoring non-option|error (?:retrieving|reading|opening|while|in)\b|` +
	`mac verify (?:error|failure)|syntax error\b|read-only (?:variable|file)|readonly variable)`)

// isError: "PWD: command not found" and "password: authentication failed" tell what went wrong. A
// value stands behind an equals sign, in quotes, or is no such phrase.
func isError(m match) bool {
	colon := strings.TrimRight(m.sep, " \t")
	return colon != m.sep && strings.HasSuffix(colon, ":") && !strings.ContainsAny(colon, `="'`) &&
		anError.MatchString(m.value+m.after)
}

// inARN reports whether the text ends within an ARN.
func inARN(s string) bool {
	return strings.HasPrefix(s[strings.LastIndexAny(s, " \t\n\"'=(<[,")+1:], "arn:")
}

var (
	arn = lazyregexp.New(`\barn:aws[a-z-]*:[^\s"'<>,;()]+`)
	// named matches what is random and public: UUIDs, hexadecimal digests, and times as in the
	// names of npm's logs.
	named = lazyregexp.New(`(?i)\d{4}-\d\d-\d\dt\d\d[_-]?\d\d[_-]?\d\d(?:[_-]\d{1,9})?z?|` +
		`[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{12,}`)
	// digestName precedes a digest that is not hexadecimal (npm, Go, S3).
	digestName = lazyregexp.New(`(?i)(?:sha(?:1|224|256|384|512)[-:=]|\bh1:)$`)
	shaName    = lazyregexp.New(`^sha(?:1|256|384|512)-`)
)

// redactRandom replaces long random strings, whatever stands around them.
func redactRandom(s string) string {
	var arns [][]int // once a long run needs them
	var b strings.Builder
	last, first := 0, true
	for i := 0; i < len(s); {
		if !isBase64(s[i]) {
			i++
			continue
		}
		start := i
		for i < len(s) && isBase64(s[i]) {
			i++
		}
		if i-start < minRandom {
			continue
		}
		if first {
			arns, first = arn.Get().FindAllStringIndex(s, -1), false
		}
		for len(arns) > 0 && arns[0][1] <= start {
			arns = arns[1:]
		}
		if len(arns) > 0 && arns[0][0] <= start || digestName.MatchString(s[max(0, start-12):start]) {
			continue
		}
		b.WriteString(s[last:start])
		b.WriteString(redactToken(s[start:i]))
		last = i
	}
	return b.String() + s[last:]
}

// minRandom is the length from which a random string counts as a secret. AWS secret keys have 40
// characters.
const minRandom = 32

// redactToken judges one run of base64 characters. One with slashes may be a path, unless it is as
// long as an AWS secret key or random throughout.
func redactToken(t string) string {
	if shaName.MatchString(t) { // sha512-… of npm
		return t
	}
	slashes := strings.Contains(t, "/")
	if !slashes && isRandom(t, often) || slashes && (len(t) == 40 && isRandom(t, often) || len(t) > 40 && isRandom(t, veryOften)) {
		return Mark
	}
	parts := strings.Split(t, "/")
	for i, p := range parts {
		if len(p) >= minRandom && isRandom(p, often) {
			parts[i] = Mark
		}
	}
	return strings.Join(parts, "/")
}

func isBase64(c byte) bool { return charClass(c) != 0 || c == '=' }

// By chance, upper case, lower case and digits change after 0.64 of the
// characters; in words joined by capitals after fewer.
const (
	often     = 0.42
	veryOften = 0.5
)

// aWord is a part of an identifier or a path. By chance, 0.15 of the
// characters are in one.
var aWord = lazyregexp.New(`[A-Z]?[a-z]{3,}`)

// isRandom reports whether the classes of t's characters change at least as
// often as that, and few of them make words.
func isRandom(t string, changing float64) bool {
	if !mixed(t) {
		return false
	}
	t = named.ReplaceAllString(strings.TrimRight(t, "="), "-")
	if len(t) < minRandom-8 || !mixed(t) {
		return false
	}
	changes := 0
	for i := 1; i < len(t); i++ {
		if charClass(t[i]) != charClass(t[i-1]) {
			changes++
		}
	}
	inWords := 0
	for _, w := range aWord.Get().FindAllString(t, -1) {
		inWords += len(w)
	}
	return float64(changes) >= changing*float64(len(t)-1) && 5*inWords < 2*len(t)
}

// mixed reports whether t has upper case, lower case and digits.
func mixed(t string) bool {
	var seen [256]bool
	for i := range len(t) {
		seen[charClass(t[i])] = true
	}
	return seen['A'] && seen['a'] && seen['0']
}

func charClass(c byte) byte {
	switch {
	case 'A' <= c && c <= 'Z':
		return 'A'
	case 'a' <= c && c <= 'z':
		return 'a'
	case '0' <= c && c <= '9':
		return '0'
	case c == '+' || c == '/' || c == '_' || c == '-':
		return '-'
	}
	return 0
}
