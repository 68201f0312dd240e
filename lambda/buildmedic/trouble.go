package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials/processcreds"
	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
	"github.com/buildmedic/buildmedic/internal/redact"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// trouble is what keeps the desk from AWS, for the person there.
type trouble struct {
	what string // is wrong
	next string // what to do
	here bool   // of this call alone: others may be answered
	// clear: what AWS said is all in it.
	clear bool
}

// tellable is an error with what the desk knows about it.
type tellable struct {
	trouble
	doing string // what the desk was doing
	err   error
}

// Error says what is wrong, then on lines of their own what to do and what the SDK said.
func (e tellable) Error() string {
	text := e.what + ".\n" + strings.ToUpper(e.next[:1]) + e.next[1:]
	if !strings.HasSuffix(text, "?") {
		text += "."
	}
	if e.here { // otherwise it is no matter of what was being done
		text = e.doing + text
	}
	if e.clear {
		return text
	}
	said := strings.TrimPrefix(strings.TrimPrefix(e.err.Error(), whoCalls), heal.ErrLater.Error()+": ")
	return text + "\n(" + oneLine(plain(redact.Text(boilerplate.Replace(said))), 400) + ")"
}

// boilerplate is what the SDK says that helps nobody.
var boilerplate = strings.NewReplacer("https response error StatusCode: 0, RequestID: , ", "", "request send failed, ", "",
	"failed to refresh cached credentials, ", "", "get identity: get credentials: ", "")

func (e tellable) Unwrap() error { return e.err }

// worded puts an error of AWS into words for the person at the desk: what is wrong, what to do, and
// in parentheses what the SDK said. Other errors stay as they are.
// s is whose call it was, unless the error knows that itself.
func worded(err error, s *session) error {
	var done tellable
	if err == nil || errors.As(err, &done) || interrupted(err) {
		return err
	}
	var of sessionError
	if errors.As(err, &of) {
		s = of.session
	}
	t, ok := troubleOf(err, s)
	if !ok {
		return err
	}
	return tellable{trouble: t, doing: doing(err), err: err}
}

// hopeless is the error in words, if it keeps everything from being asked, and not this call alone.
func hopeless(err error, s *session) error {
	var t tellable
	if errors.As(worded(err, s), &t) && !t.here {
		return t
	}
	return nil
}

// doing is what an error's text says before AWS's part of it.
func doing(err error) string {
	var denied heal.DeniedError
	var op *smithy.OperationError
	text := ""
	switch {
	case errors.As(err, &denied):
		text, _, _ = strings.Cut(err.Error(), denied.Error())
	case errors.As(err, &op):
		text, _, _ = strings.Cut(err.Error(), op.Error())
	}
	text = strings.TrimSuffix(text, heal.ErrLater.Error()+": ")
	if strings.HasSuffix(text, ": ") && text != whoCalls {
		return plain(text)
	}
	return ""
}

const whoCalls = "asking AWS who calls: "

// interrupted reports whether a person ended it: a deadline is another thing.
func interrupted(err error) bool {
	var no noAnswer
	return errors.Is(err, context.Canceled) && !errors.As(err, &no)
}

// The error codes by which AWS refuses the caller, whatever was asked.
var (
	expiredCodes = []string{"ExpiredToken", "ExpiredTokenException"}
	clockCodes   = []string{"RequestExpired", "RequestTimeTooSkewed", "RequestInTheFuture"}
	unknownCodes = []string{"InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId", "AuthFailure",
		"MissingAuthenticationToken", "IncompleteSignature", "NotSignedUp", "OptInRequired"}
	signatureCodes = []string{"SignatureDoesNotMatch", "InvalidSignatureException"}
	deniedCodes    = []string{"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError", "NotAuthorized"}
)

// troubleOf says what kept AWS from answering as it should; not ok if the error is about what was
// asked.
func troubleOf(err error, s *session) (trouble, bool) {
	ops := operations(err)
	if len(ops) == 0 {
		return trouble{}, false
	}
	inner := ops[len(ops)-1] // of a credential provider's, if there are two
	// The SDK has no type for it.
	if strings.Contains(ops[0].Err.Error(), "get identity: ") {
		if inner.ServiceID == "ec2imds" { // where the SDK looks last
			return s.noCredentials(), true
		}
		if t, ok := network(err, s, inner); ok {
			return t, true
		}
		return s.badCredentials(err, ops), true
	}
	var api smithy.APIError
	switch {
	case strings.Contains(err.Error(), "invalid input region"): // which no host name can have
		return s.noSuchRegion(), true
	case errors.As(err, &api):
		return s.refused(err, api, inner)
	}
	return network(err, s, inner)
}

// operations are the SDK's calls that failed, the one that was asked for first.
func operations(err error) (ops []*smithy.OperationError) {
	for op := (*smithy.OperationError)(nil); errors.As(err, &op); err = op.Err {
		ops = append(ops, op)
	}
	return ops
}

// refused is what AWS answered.
func (s *session) refused(err error, api smithy.APIError, op *smithy.OperationError) (trouble, bool) {
	code, message := api.ErrorCode(), api.ErrorMessage()
	switch {
	case slices.Contains(expiredCodes, code):
		return trouble{what: "your AWS credentials have expired", next: s.logIn()}, true
	case slices.Contains(clockCodes, code),
		slices.Contains(signatureCodes, code) && (strings.Contains(message, "expired") || strings.Contains(message, "not yet current")):
		return clockOff(err), true
	case slices.Contains(signatureCodes, code) && strings.Contains(message, "valid region"):
		return s.noSuchRegion(), true
	case slices.Contains(signatureCodes, code):
		return trouble{what: "AWS does not accept the signature: the secret access key does not belong to the access key",
			next: "look whether the key was copied whole, or " + s.logIn()}, true
	case slices.Contains(unknownCodes, code):
		return trouble{what: fmt.Sprintf("AWS does not know your credentials in region %s: they are wrong, deleted or deactivated, or "+
			"the region is not enabled in the account", s.region), next: "try another region with AWS_REGION=R, or " + s.logIn()}, true
	case slices.Contains(deniedCodes, code):
		return s.denied(message, op), true
	case retry.IsErrorThrottles(retry.DefaultThrottles).IsErrorThrottle(err).Bool():
		where := "region " + s.region
		if s.id.Account != "" {
			where = s.String()
		}
		return trouble{here: true, what: fmt.Sprintf("AWS throttles %s in %s", call(op), where),
			next: "other programs of the account use up the rate; run it again in a minute"}, true
	}
	return trouble{}, false
}

func call(op *smithy.OperationError) string { return op.ServiceID + " " + op.OperationName }

// logIn is how to get credentials that work, as the present ones were had.
func (s *session) logIn() string {
	profile := ""
	if s.profile != "" {
		profile = " --profile " + shellWord(plain(s.profile))
	}
	switch {
	case s.sso:
		return "run `aws sso login" + profile + "`"
	case s.login:
		return "run `aws login" + profile + "`"
	case s.env:
		return "renew AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN in the environment, which go before each " +
			"profile, or unset them and set AWS_PROFILE"
	}
	return "log in again, as profile " + orWord(plain(s.profile), "default") + " does; for example `aws sso login" + profile + "`"
}

func orWord(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// noCredentials has nothing to add from the SDK, which names only the last place where it looked.
func (s *session) noCredentials() trouble {
	t := trouble{clear: true, what: "there are no AWS credentials", next: "set AWS_PROFILE to a profile of yours " +
		"(`aws configure list-profiles` lists them), or log in with `aws sso login`, until `aws sts get-caller-identity` answers"}
	if s.profile != "" {
		t.what = fmt.Sprintf("profile %q has no AWS credentials", s.profile)
		t.next = "log in with `aws sso login --profile " + shellWord(plain(s.profile)) + "`, or choose another profile with AWS_PROFILE"
	}
	return t
}

// badCredentials is why the credentials could not be had.
func (s *session) badCredentials(err error, ops []*smithy.OperationError) trouble {
	var token *ssocreds.InvalidTokenError
	var process *processcreds.ProviderError
	var api smithy.APIError
	code := ""
	if errors.As(err, &api) {
		code = api.ErrorCode()
	}
	text := err.Error()
	provider := ""
	if len(ops) > 1 {
		provider = ops[len(ops)-1].ServiceID
	}
	switch {
	case provider == "SSO" && code == "ForbiddenException":
		return trouble{what: "IAM Identity Center does not give you the account and permission set that " + s.named() + " names",
			next: "ask who assigns them, or choose another profile with AWS_PROFILE"}
	case errors.As(err, &token), provider == "SSO", provider == "SSO OIDC", strings.Contains(text, "SSO token"),
		strings.Contains(text, "SSO session"):
		s := *s
		s.sso = true
		return trouble{what: "your login at IAM Identity Center has expired", next: s.logIn()}
	case provider == "Signin", strings.Contains(text, "login token"):
		s := *s
		s.login = true
		return trouble{what: "your login has expired", next: s.logIn()}
	case errors.As(err, &process):
		return trouble{what: "the credential_process of " + s.named() + " failed", next: "run it by hand to see why"}
	case provider == "STS" && slices.Contains(deniedCodes, code):
		return trouble{what: s.named() + " may not assume the role that it names", next: "ask who manages that role's trust policy, or " +
			"choose another profile with AWS_PROFILE; AWS says: " + brief(api.ErrorMessage())}
	case provider == "STS" && slices.Contains(expiredCodes, code):
		return trouble{what: "the credentials with which " + s.named() + " assumes its role have expired", next: "log in again with its " +
			"source_profile, for example `aws sso login --profile SOURCE`"}
	}
	return trouble{what: "there are no AWS credentials that work", next: s.noCredentials().next}
}

// noCode is about a role that wants a second factor.
func (s *session) noCode() trouble {
	return trouble{clear: true, what: s.named() + " asks for an MFA code, which this command cannot do", next: "have the AWS CLI ask " +
		"for it: eval \"$(aws configure export-credentials --format env" + s.flag() + ")\" && unset AWS_PROFILE"}
}

func (s *session) named() string {
	if s.profile == "" {
		return "the default profile"
	}
	return fmt.Sprintf("profile %q", s.profile)
}

func (s *session) flag() string {
	if s.profile == "" {
		return ""
	}
	return " --profile " + shellWord(plain(s.profile))
}

// denialWords takes apart how AWS words a denial.
var denialWords = lazyregexp.New(`not authorized to perform: ([A-Za-z0-9-]+:[A-Za-z0-9]+)(?: on resource: (\S+))?`)

// denied names the permission that the user's own credentials lack, and who can give it.
func (s *session) denied(message string, op *smithy.OperationError) trouble {
	action, on := call(op), ""
	m := denialWords.FindStringSubmatch(oneLine(plain(message), 2000))
	if m != nil {
		action = m[1]
		if m[2] != "" && m[2] != "*" {
			on = " on " + m[2]
		}
	}
	t := trouble{here: true, clear: m != nil, what: "your credentials lack " + action + on}
	if s.id.Account != "" {
		t.what += ".\nYou are " + s.arn() + ", in " + s.String()
	}
	holder, account := s.holder(), orWord(s.id.Account, "the account")
	switch {
	case strings.Contains(message, "service control policy"):
		t.next = "a service control policy of the organization forbids it; ask who manages AWS Organizations"
	case strings.Contains(message, "resource control policy"):
		t.next = "a resource control policy of the organization forbids it; ask who manages AWS Organizations"
	case strings.Contains(message, "permissions boundary"):
		t.next = "the permissions boundary of " + holder + " does not allow it; ask who manages IAM in account " + account
	case strings.Contains(message, "session policy"):
		t.next = "the policy of your session does not allow it; log in without that policy"
	case strings.Contains(message, "VPC endpoint policy"):
		t.next = "the VPC endpoint that you call through does not allow it; ask who manages it, or use another network"
	case strings.Contains(message, "explicit deny in a resource-based policy"):
		t.next = "the resource's own policy forbids it; ask its owner"
	case strings.Contains(message, "explicit deny"):
		t.next = "a policy of " + holder + " forbids it; ask who manages IAM in account " + account
	default:
		t.next = "ask who manages " + holder + " in account " + account + " to allow it, or choose another profile with AWS_PROFILE"
	}
	return t
}

// arn is the caller's, as STS says it.
func (s *session) arn() string {
	switch id := s.id; {
	case id.Role != "":
		return "arn:" + id.Partition + ":sts::" + id.Account + ":assumed-role/" + id.Initiator
	case id.Initiator != "":
		return "arn:" + id.Partition + ":iam::" + id.Account + ":user/" + id.Initiator
	default:
		return "arn:" + id.Partition + ":iam::" + id.Account + ":root"
	}
}

// holder is what a permission would be added to.
func (s *session) holder() string {
	if name, ok := strings.CutPrefix(s.id.Role, "AWSReservedSSO_"); ok && strings.Contains(name, "_") {
		return "permission set " + name[:strings.LastIndexByte(name, '_')] + " of IAM Identity Center"
	}
	switch {
	case s.id.Role != "":
		return "role " + s.id.Role
	case s.id.Initiator != "":
		return "user " + s.id.Initiator
	}
	return "your user or role"
}

// clockOff says by how much this computer's clock is off.
func clockOff(err error) trouble {
	t := trouble{what: "AWS refuses the time of the call: the clock of this computer is off",
		next: "set it, for example with `timedatectl set-ntp true`"}
	var answer *smithyhttp.ResponseError
	if errors.As(err, &answer) && answer.Response != nil {
		if aws, err := http.ParseTime(answer.Response.Header.Get("Date")); err == nil {
			if d := deskClock.Now().Sub(aws).Abs().Round(time.Minute); d >= time.Minute {
				t.what += fmt.Sprintf(" by %s: it says %s UTC, and AWS %s UTC", strings.TrimSuffix(d.String(), "0s"),
					deskClock.Now().UTC().Format("2006-01-02 15:04:05"),
					aws.UTC().Format("2006-01-02 15:04:05"))
			}
		}
	}
	return t
}

// network is why AWS was not reached.
func network(err error, s *session, op *smithy.OperationError) (trouble, bool) {
	var name *net.DNSError
	var dial *net.OpError
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	var verify *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var no noAnswer
	var slow interface{ Timeout() bool }
	var send *smithyhttp.RequestSendError
	var answer *smithyhttp.ResponseError
	var garbled *smithy.DeserializationError
	at, where := place(err, s, op)
	proxied := errors.As(err, &dial) && dial.Op == "proxyconnect"
	if proxied {
		at, where = "the proxy "+proxyOf(dial), ""
	}
	switch {
	case errors.As(err, &no):
		return trouble{here: true, clear: true, what: fmt.Sprintf("%s gave no answer within %s%s", at, no.after, where),
			next: noAnswerNext(s)}, true
	case errors.As(err, &name) && !proxied && s.endpoint == "" && where == "" && name.IsNotFound && !knownRegion(s.region):
		return s.noSuchRegion(), true
	case errors.As(err, &name):
		t := trouble{what: fmt.Sprintf("the host of %s is not found%s", at, where), next: "is there a network, and does its DNS answer?"}
		if where != "" {
			t.next = "correct the endpoint, or unset it to call AWS itself"
		}
		return t, true
	case errors.Is(err, syscall.ECONNREFUSED):
		t := trouble{what: fmt.Sprintf("nothing listens at %s%s", at, where), next: "look for a firewall or a proxy between here and AWS"}
		if where != "" {
			t.next = "start what should listen there, or unset it to call AWS itself"
		} else if proxied {
			t.next = "correct HTTPS_PROXY, or unset it"
		}
		return t, true
	case errors.As(err, &authority), errors.As(err, &host), errors.As(err, &invalid), errors.As(err, &verify):
		why := "it is " + reasonOfCertificate(err)
		return trouble{what: fmt.Sprintf("the certificate of %s is not trusted%s: %s", at, where, why),
			next: "if a proxy of your company opens TLS, set AWS_CA_BUNDLE to the file with its certificate authority"}, true
	case errors.As(err, &record), strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return trouble{what: fmt.Sprintf("%s does not speak TLS%s", at, where),
			next: "an endpoint or proxy that speaks plain HTTP begins with http://"}, true
	case errors.As(err, &slow) && slow.Timeout():
		return trouble{here: true, what: fmt.Sprintf("%s gave no answer in time%s", at, where), next: noAnswerNext(s)}, true
	case errors.As(err, &answer) && answer.HTTPStatusCode() >= 500:
		return trouble{here: true, what: fmt.Sprintf("%s fails%s: it answered %d", at, where, answer.HTTPStatusCode()), next: "run it " +
			"again in a minute; https://health.aws.amazon.com/ shows whether AWS has trouble"}, true
	case errors.As(err, &garbled):
		return trouble{what: fmt.Sprintf("%s answered, and not as AWS does%s", at, where),
			next: "is it AWS? A proxy or the login page of a network may have answered in its place"}, true
	case where != "" && strings.Contains(err.Error(), "unsupported protocol scheme"):
		return trouble{what: fmt.Sprintf("%s is not reached%s", at, where),
			next: "an endpoint is a URL, such as http://127.0.0.1:4566: correct it, or unset it to call AWS itself"}, true
	case errors.As(err, &send):
		return trouble{what: fmt.Sprintf("%s is not reached%s", at, where), next: "is there a network, and a proxy on the way?"}, true
	}
	return trouble{}, false
}

func noAnswerNext(s *session) string {
	if s.endpoint != "" {
		return "is it what should listen there?"
	}
	return "is a firewall or a proxy on the way? Then run it again"
}

// place names the server of a call that failed, and where its address comes from if it is not AWS's
// own. The SDK heeds AWS_ENDPOINT_URL, but not where it takes on a profile's role: there only
// AWS_ENDPOINT_URL_STS counts.
func place(err error, s *session, op *smithy.OperationError) (at, where string) {
	at = "AWS " + op.ServiceID + " in region " + s.region
	host := ""
	var u *url.Error
	if errors.As(err, &u) {
		if to, err := url.Parse(u.URL); err == nil && to.Host != "" {
			at, host = plain(to.Host), to.Host
		}
	}
	own := "AWS_ENDPOINT_URL_" + strings.ToUpper(strings.ReplaceAll(op.ServiceID, " ", "_"))
	for _, variable := range []string{own, "AWS_ENDPOINT_URL"} {
		if v := os.Getenv(variable); v != "" && (host == "" || hostOf(v) == host) {
			return at, fmt.Sprintf(" (%s is %s)", variable, address(v))
		}
	}
	if s.endpoint != "" && hostOf(s.endpoint) == host {
		return at, fmt.Sprintf(" (endpoint_url of %s is %s)", s.named(), address(s.endpoint))
	}
	return at, ""
}

func hostOf(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	return u.Host
}

// address is a URL without what may be secret in it.
func address(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return fmt.Sprintf("%q", redact.Text(oneLine(plain(text), 100)))
	}
	return u.Scheme + "://" + plain(u.Host)
}

func proxyOf(dial *net.OpError) string {
	if dial.Addr != nil {
		return dial.Addr.String()
	}
	for _, variable := range []string{"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"} {
		if v := os.Getenv(variable); v != "" {
			return address(v) + " of " + variable
		}
	}
	return "of the environment"
}

func reasonOfCertificate(err error) string {
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &authority) && authority.Cert != nil:
		return fmt.Sprintf("signed by %q, which this computer does not know", plain(authority.Cert.Issuer.String()))
	case errors.As(err, &host):
		return "made out for another host"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "expired, or the clock of this computer is off"
	}
	return "not valid"
}

func (s *session) noSuchRegion() trouble {
	t := trouble{what: fmt.Sprintf("there is no AWS region %q", s.region)}
	switch near := settings.Near(strings.ReplaceAll(strings.ToLower(s.region), " ", "-"), regions()); {
	case near != "":
		t.next = fmt.Sprintf("did you mean %s? Set AWS_REGION, or `aws configure set region %s%s`", near, near, s.flag())
	default:
		t.next = "set AWS_REGION to one of " + strings.Join(regions(), ", ")
	}
	return t
}

// reason says in one line, for the person at the desk, why something could not be read. It is the
// same for all that AWS refuses in the same way.
func reason(err error) string {
	var denied heal.DeniedError
	var api smithy.APIError
	var slow interface{ Timeout() bool }
	switch {
	case errors.As(err, &denied) && denied.Action != "":
		return "your credentials lack " + denied.Action
	case errors.Is(err, heal.ErrDenied):
		return "your credentials lack a permission; which one, AWS does not say"
	case errors.Is(err, heal.ErrNotFound):
		return "it is gone"
	case errors.As(err, &api):
		return brief(fmt.Sprintf("AWS answered %s: %s", api.ErrorCode(), api.ErrorMessage()))
	case errors.As(err, &slow) && slow.Timeout():
		return fmt.Sprintf("AWS did not answer in time, %d times", maxTries)
	}
	return brief(err.Error())
}

// brief makes a text of others fit for a line of a report.
func brief(s string) string { return oneLine(plain(redact.Text(s)), 200) }
