package awsapi

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/buildmedic/buildmedic/internal/codehost"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/notice"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// Wiring is what a healer on AWS needs to know.
type Wiring struct {
	Config     aws.Config
	Identity   Identity
	Region     string
	Settings   *settings.Settings
	Store      heal.Store
	Topic      string // ARN
	Queues     Queues
	MemberRole string
	Function   string   // name
	Parts      []string // ARNs of the healer's own parts
	CodeBucket string   // where the function's code was uploaded to; "" if nobody says
	Journal    io.Writer
	// CodeHost is how code hosts are reached; nil: nobody is told anything there, nor asked.
	CodeHost http.RoundTripper
	Clock    heal.Clock
	Sleep    func(context.Context, time.Duration) error // of [heal.Healer]
	Log      *slog.Logger
}

// Wire makes a healer whose ports are AWS.
func Wire(w Wiring) *heal.Healer {
	home := settings.Account{ID: w.Identity.Account, Region: w.Region}
	accounts := NewAccounts(w.Config, home, w.Identity.Partition, w.MemberRole)
	build, iam := CodeBuild{accounts}, IAM{accounts}
	h := &heal.Healer{
		Settings: w.Settings, Home: home,
		Self: decide.Self{Initiator: w.Identity.Initiator, MemberInitiator: memberInitiator(w.MemberRole),
			Function: w.Function, Caller: caller(w),
			Parts: slices.Concat(memberParts(w), credentialParts(w), w.Parts), Source: Source(w.Identity, w.CodeBucket),
			Qualifier: qualifier(w.Identity, w.CodeBucket)},
		Builds: build, Pipelines: &Pipelines{Accounts: accounts},
		Projects: build, Known: &heal.KnownProjects{}, Crowds: &heal.Crowds{}, Retrier: build,
		Logs: Logs{accounts}, Past: Past{accounts}, Reports: Reports{accounts}, Stacks: Stacks{accounts},
		Roles: iam, Simulator: iam, Documents: iam, Policies: iam, Repositories: ECR{accounts}, Decoder: STS{accounts},
		Analyzer: Analyzer{accounts},
		Notifier: SNS{Client: sns.NewFromConfig(w.Config), Topic: w.Topic, Owners: ownersTopics(w)}, Journal: Journal{w.Journal},
		Queue: w.Queues,
		Store: w.Store, Clock: w.Clock, Sleep: w.Sleep, Log: w.Log,
	}
	code := PolicyCode{Accounts: accounts}
	if c := hostCredentials(w, accounts); c != nil && w.CodeHost != nil {
		// There is one for all, since it is one host that asks to be left alone.
		code.GitHub = &codehost.GitHub{HTTP: w.CodeHost, Home: home, Clock: w.Clock, Credentials: c}
		h.Tellings, h.CodeHost = &heal.Tellings{}, code.GitHub
		h.Jobs, h.KnownJobs = codehost.Jobs{GitHub: code.GitHub}, &heal.KnownJobs{}
	}
	h.PolicyCode = code
	for _, g := range w.Settings.Grants {
		if g.Evidence == settings.EvidenceCloudTrail {
			h.Trail = CloudTrail{accounts}
		}
	}
	if slices.ContainsFunc(settings.Roles(w.Settings.Projects), w.Settings.Recorded) {
		h.Authorizations = Troubleshooter{accounts}
	}
	return h
}

// caller is who works at a desk. The function acts for whoever invoked it.
func caller(w Wiring) string {
	if w.Function != "" {
		return ""
	}
	return w.Identity.Caller
}

// memberParts are the healer's roles in member accounts.
func memberParts(w Wiring) []string {
	if w.MemberRole == "" {
		return nil
	}
	return []string{"arn:" + w.Identity.Partition + ":iam::*:role/" + w.MemberRole}
}

// hostCredentials are those for GitHub, wherever the settings say that they are; nil if they do not say.
func hostCredentials(w Wiring, accounts *Accounts) *codehost.Credentials {
	g := w.Settings.Code.GitHub
	if !g.Held() {
		return nil
	}
	c := &codehost.Credentials{Host: g.Host, Secret: g.Secret, Secrets: Secrets{accounts}, Clock: w.Clock}
	if g.Parameter != "" {
		c.Kind, c.Secret, c.Secrets = "parameter", g.Parameter, Parameters{accounts}
	}
	return c
}

// credentialParts is where the credentials for code hosts are: whoever reads them can write there as
// Buildmedic does.
func credentialParts(w Wiring) []string {
	g := w.Settings.Code.GitHub
	arn := func(service, resource string) string {
		return strings.Join([]string{"arn", w.Identity.Partition, service, w.Region, w.Identity.Account, resource}, ":")
	}
	switch {
	case !g.Held():
		return nil
	case g.Parameter != "":
		own := g.Parameter
		if !strings.HasPrefix(own, "arn:") {
			own = arn("ssm", "parameter/"+strings.TrimPrefix(own, "/"))
		}
		return parameterParts(own)
	case strings.HasPrefix(g.Secret, "arn:"):
		return []string{g.Secret}
	}
	return []string{arn("secretsmanager", "secret:"+g.Secret+"-*")}
}

// parameterParts are a parameter, and the paths above it: who may read by a path reads all that is below
// (AWS.md#parameters).
func parameterParts(arn string) []string {
	const root = ":parameter/"
	parts := []string{arn}
	for end := strings.Index(arn, root) + len(root); ; {
		i := strings.IndexByte(arn[end:], '/')
		if i < 0 {
			return append(parts, arn[:strings.Index(arn, root)+len(root)])
		}
		parts, end = append(parts, arn[:end+i]), end+i+1
	}
}

// Parts lists the ARNs of the healer's own parts, as patterns: what the
// function's environment names, arns among it, and what the stacks in infra/
// make, whose own names are fixed.
func Parts(id Identity, region, function string, queues Queues, table string, arns ...string) []string {
	arn := func(service, resource string) string {
		return strings.Join([]string{"arn", id.Partition, service, region, id.Account, resource}, ":")
	}
	parts := append(stackParts(id.Partition),
		arn("lambda", "function:"+function), arn("lambda", "function:"+function+":*"), arn("logs", "log-group:/aws/lambda/"+function+"*"),
		arn("sqs", "Buildmedic-*"), // the queues, their dead letters and lost events
		arn("events", "event-bus/buildmedic"), arn("events", "rule/buildmedic/*"), arn("events", "rule/buildmedic-*"),
		arn("cloudwatch", "alarm:Buildmedic-*"),
		arn("sns", settings.OwnerTopics+"*")) // the topics on which owners are told
	for _, a := range arns {
		if a != "" {
			parts = append(parts, a)
		}
	}
	for _, q := range []SQS{queues.Failures, queues.FollowUps, queues.Cures} {
		if name := queueName(q.URL); name != "" && !slices.Contains(parts, arn("sqs", name)) {
			parts = append(parts, arn("sqs", name))
		}
	}
	if table != "" {
		parts = append(parts, arn("dynamodb", "table/"+table), arn("dynamodb", "table/"+table+"/*"))
	}
	if id.Role != "" {
		iam := "arn:" + id.Partition + ":iam::" + id.Account + ":role/"
		parts = append(parts, iam+id.Role, iam+"*/"+id.Role)
	}
	return parts
}

// stackParts are the stacks, wherever they are, and what CloudFormation named
// for them: a name that it makes begins with the stack's.
func stackParts(partition string) []string {
	parts := []string{"arn:" + partition + ":iam::*:role/buildmedic-*",
		"arn:" + partition + ":iam::*:policy/buildmedic/*",
		"arn:" + partition + ":cloudformation:*:*:stackset/BuildmedicMember:*"}
	for _, stack := range []string{"Buildmedic", "BuildmedicMember", "StackSet-BuildmedicMember-*"} {
		parts = append(parts, "arn:"+partition+":cloudformation:*:*:stack/"+stack+"/*",
			"arn:"+partition+":events:*:*:rule/"+stack+"-*", "arn:"+partition+":iam::*:role/"+stack+"-*")
	}
	return parts
}

// Source lists the ARNs, as patterns, of what the function is deployed from:
// the bucket of its code, if that is known, and all that the CDK's bootstrap
// makes in the account, whatever its qualifier (AWS.md#bootstrap). The function cannot
// find the bucket out by itself, because Lambda keeps a copy of the code.
func Source(id Identity, bucket string) []string {
	arn := func(service, account, resource string) string {
		return strings.Join([]string{"arn", id.Partition, service, "*", account, resource}, ":")
	}
	s3 := "arn:" + id.Partition + ":s3:::"
	assets := s3 + "cdk-*-assets-" + id.Account + "-*"
	list := []string{assets, assets + "/*",
		arn("ecr", id.Account, "repository/cdk-*-assets-"+id.Account+"-*"),
		arn("ssm", id.Account, "parameter/cdk-bootstrap/*"),
		arn("cloudformation", id.Account, "stack/CDKToolkit*/*"),
		"arn:" + id.Partition + ":iam::*:role/cdk-*-role-*", "arn:" + id.Partition + ":iam::*:role/CDKToolkit*"}
	if bucket != "" {
		list = append(list, s3+bucket, s3+bucket+"/*")
	}
	return list
}

// qualifier is that of the CDK's bootstrap whose bucket holds the function's code; "" if that is not known, or
// has a name of the owner's own (AWS.md#bootstrap).
func qualifier(id Identity, bucket string) string {
	rest, ok := strings.CutPrefix(bucket, "cdk-")
	q, _, found := strings.Cut(rest, "-assets-"+id.Account+"-")
	if !ok || !found {
		return ""
	}
	return q
}

// Journal implements heal.Journal: one line of metrics and one of audit per
// outcome, and one of audit per command.
type Journal struct{ W io.Writer }

// Record implements [heal.Journal].
func (j Journal) Record(o decide.Outcome) {
	// A journal that cannot be written must not stop a heal.
	_, _ = j.W.Write(append(notice.Metrics(o), '\n'))
	_, _ = j.W.Write(append(notice.Audit(o), '\n'))
}

// Asked implements [heal.Journal].
func (j Journal) Asked(a decide.Asked) { _, _ = j.W.Write(append(notice.Asked(a), '\n')) }

// Told implements [heal.Journal].
func (j Journal) Told(t decide.Told) { _, _ = j.W.Write(append(notice.Told(t), '\n')) }

// Clock is the real time.
type Clock struct{}

// Now implements [heal.Clock].
func (Clock) Now() time.Time { return time.Now() }

// Sleep returns when d has passed, or with the context's error.
func (Clock) Sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
