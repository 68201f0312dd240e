package buildlog

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// The property: whatever denial AWS states, and however tools wrap its
// sentence, reading gives the denial back.

func pick[T any](r *rand.Rand, list ...T) T { return list[r.IntN(len(list))] }

// randomDenial makes a denial and AWS's sentence for it.
func randomDenial(r *rand.Rand) (Denial, string) {
	p := pick(r, "aws", "aws", "aws", "aws-cn", "aws-us-gov", "aws-eusc")
	region := pick(r, "eu-west-1", "us-east-1", "us-gov-west-1", "cn-north-1")
	account := pick(r, "111122223333", "444455556666", "***")
	name := func() string {
		return pick(r, "shop", "codebuild-shop-service-role", "my.bucket", "orders.fifo", "a", "Prod_DB-01",
			"cdk-hnb659fds-deploy-role-111122223333-eu-west-1", "x+y=z,w.@")
	}
	d := Denial{Effect: Unstated, Layer: LayerUnstated}
	d.Principal = pick(r,
		fmt.Sprintf("arn:%s:sts::%s:assumed-role/%s/AWSCodeBuild-0a1b2c3d-0000-4000-8000-000000000000", p, account, name()),
		fmt.Sprintf("arn:%s:iam::%s:user/%s", p, account, name()),
		fmt.Sprintf("arn:%s:sts::%s:federated-user/%s", p, account, name()),
		fmt.Sprintf("arn:%s:iam::%s:root", p, account))
	arn := func(format string) string { return fmt.Sprintf("arn:%s:"+format, p, region, account, name()) }
	s3 := fmt.Sprintf("arn:%s:s3:::%s", p, pick(r, "my.bucket", "artifacts", "artifacts/a/b c/d, e.tgz",
		"lake/year=2026/part-0.parquet", "b/über.txt"))
	type call struct{ action, resource string }
	c := pick(r,
		call{"ecr:InitiateLayerUpload", arn("ecr:%s:%s:repository/%s")},
		call{"ecr:GetAuthorizationToken", "*"},
		call{"ssm:GetParameters", arn("ssm:%s:%s:parameter/%s")},
		call{"secretsmanager:GetSecretValue", "prod/db.password"},
		call{"s3:GetObject", s3}, call{"s3:PutObject", s3}, call{"s3:ListBucket", s3},
		call{"iam:GetRole", "role " + name()},
		call{"iam:GetInstanceProfile", "instance profile web"},
		call{"iam:PassRole", fmt.Sprintf("arn:%s:iam::%s:role/%s", p, account, name())},
		call{"sqs:SendMessage", arn("sqs:%s:%s:%s")},
		call{"logs:CreateLogGroup", arn("logs:%s:%s:log-group:/aws/lambda/%s:log-stream:")},
		call{"codecommit:ListRepositories", ""},
		call{"kms:Decrypt", arn("kms:%s:%s:key/%s")},
		call{"lambda:UpdateFunctionCode", arn("lambda:%s:%s:function:%s")},
		call{"brandnew:MakeThing", arn("brandnew:%s:%s:thing/%s")},
		call{"cloudformation:CreateChangeSet", fmt.Sprintf("arn:%s:cloudformation:%s:aws:transform/Serverless-2016-10-31", p, region)},
	)
	d.Action, d.Resource = c.action, c.resource
	s := "User: " + d.Principal + " is not authorized to perform: " + d.Action
	switch {
	case d.Resource == "":
	case strings.HasPrefix(d.Action, "s3:"):
		s += ` on resource: "` + d.Resource + `"`
	default:
		s += " on resource: " + d.Resource
	}
	implicit := map[Layer]string{IdentityBased: "identity-based policy", ResourceBased: "resource-based policy",
		PermissionsBoundary: "permissions boundary",
		SessionPolicy:       "session policy", ServiceControl: "service control policy", VPCEndpoint: "VPC endpoint policy",
		RoleTrust: "role trust policy"}
	layers := []Layer{IdentityBased, ResourceBased, PermissionsBoundary, SessionPolicy, ServiceControl, VPCEndpoint, RoleTrust}
	switch r.IntN(5) {
	case 0:
	case 1, 2:
		d.Effect, d.Layer = Implicit, pick(r, layers...)
		s += " because no " + implicit[d.Layer] + " allows the " + d.Action + " action"
	default:
		d.Effect, d.Layer = Explicit, pick(r, append(layers, ResourceControl)...)
		implicit[ResourceControl] = "resource control policy"
		article := "a "
		if d.Layer == IdentityBased {
			article = "an "
		}
		s += " with an explicit deny in " + article + implicit[d.Layer]
		if r.IntN(2) == 0 {
			d.PolicyARN = pick(r, "arn:aws:organizations::444455556666:policy/o-abc/service_control_policy/p-def",
				"arn:aws:iam::111122223333:policy/deny.all")
			s += ": " + d.PolicyARN
		}
	}
	return d, s
}

// wrapper is something that tools do to a message.
type wrapper struct {
	name string
	wrap func(r *rand.Rand, s string) string
	// spoils reports that d cannot be read back from the wrapped text.
	spoils func(d Denial) bool
}

// envelopes are what stands around a message.
var envelopes = []wrapper{
	{"plain", func(_ *rand.Rand, s string) string { return s }, nil},
	{"dot", func(_ *rand.Rand, s string) string { return s + "." }, nil},
	{"cli", func(_ *rand.Rand, s string) string {
		return "An error occurred (AccessDeniedException) when calling the GetThing operation: " + s
	}, nil},
	{"go v1", func(_ *rand.Rand, s string) string {
		return "Error: creating thing (x): AccessDenied: " + s + "\n\tstatus code: 403, request id: 0a1b"
	}, nil},
	{"go v2", func(_ *rand.Rand, s string) string {
		return "operation error S3: PutObject, https response error StatusCode: 403, RequestID: 0a1b, HostID: a/b+c=, " +
			"api error AccessDenied: " + s
	}, nil},
	{"java", func(_ *rand.Rand, s string) string {
		return "com.amazonaws.AmazonServiceException: " + s +
			" (Service: AWSThing; Status Code: 400; Error Code: AccessDeniedException; Request ID: 0a1b; Proxy: null)"
	}, nil},
	{"handler", func(_ *rand.Rand, s string) string {
		return `Resource handler returned message: "` + s +
			` (Service: Thing, Status Code: 403, Request ID: 0a1b)" (RequestToken: 0a1b, HandlerErrorCode: AccessDenied)`
	}, nil},
	{"docker", func(_ *rand.Rand, s string) string { return "denied: " + s }, nil},
	{"ec2", func(_ *rand.Rand, s string) string {
		return "UnauthorizedOperation: You are not authorized to perform this operation. " + s +
			". Encoded authorization failure message: " + strings.Repeat("aB3-_x", 40)
	}, nil},
	{"bracketed", func(_ *rand.Rand, s string) string { return "failed: [" + s + "]" }, nil},
	{"codebuild", func(_ *rand.Rand, s string) string {
		return "ACCESS_DENIED: Service role arn:aws:iam::111122223333:role/service-role/x does not allow AWS CodeBuild " +
			"to create Amazon CloudWatch Logs log streams for build " +
			"arn:aws:codebuild:eu-west-1:111122223333:build/shop:0a1b. Error message: " + s
	}, nil},
}

// layouts are how the lines are broken and decorated.
var layouts = []wrapper{
	{"as is", func(_ *rand.Rand, s string) string { return s }, nil},
	{"crlf", func(_ *rand.Rand, s string) string { return strings.ReplaceAll(s, "\n", "\r\n") + "\r" }, nil},
	{"colours", colours, nil},
	{"terraform", func(r *rand.Rand, s string) string { return prefixed(words(s, 60+r.IntN(60)), "│ ") }, nil},
	{"words", func(r *rand.Rand, s string) string { return words(s, 60+r.IntN(60)) }, quotedSpaces},
	{"words and stamps", func(r *rand.Rand, s string) string {
		return prefixed(words(s, 60+r.IntN(60)), "2026-01-05T10:11:12.001Z ")
	}, quotedSpaces},
	{"words and agent", func(r *rand.Rand, s string) string {
		return prefixed(words(s, 60+r.IntN(60)), "[Container] 2026/01/05 10:11:12.000001 ")
	}, quotedSpaces},
	{"terminal", func(r *rand.Rand, s string) string { return hard(s, 60+r.IntN(100)) }, looseEnd},
	{"terminal and hashes", func(r *rand.Rand, s string) string { return prefixed(hard(s, 60+r.IntN(100)), "# ") }, looseEnd},
	{"column", func(r *rand.Rand, s string) string {
		rows := strings.Split(hard(s, 22+r.IntN(30)), "\n")
		for i := range rows {
			left := "CREATE_FAILED            AWS::IAM::Role           Role                     "
			if i > 0 {
				left = strings.Repeat(" ", len(left))
			}
			rows[i] = left + rows[i]
		}
		return strings.Join(rows, "\n") + "\nCREATE_FAILED            AWS::S3::Bucket          Bucket                   " +
			"Resource creation cancelled"
	}, looseEnd},
	{"json", func(_ *rand.Rand, s string) string { return quote(map[string]string{"msg": s}) }, nil},
	{"json in json", func(_ *rand.Rand, s string) string {
		return quote(map[string]string{"payload": quote(map[string]string{"msg": s})})
	}, nil},
}

// quotedSpaces: whether a wrapped quoted value had a space there cannot be known.
func quotedSpaces(d Denial) bool {
	return strings.HasPrefix(d.Action, "s3:") && strings.Contains(d.Resource, " ")
}

// looseEnd: nothing shows whether a name continues in the next line, and a space at the end of a
// line is lost.
func looseEnd(d Denial) bool {
	return strings.Contains(d.Resource, " ") || d.Effect == Unstated && d.Resource != "" ||
		d.PolicyARN != ""
}

func colours(r *rand.Rand, s string) string {
	var b strings.Builder
	for i, w := range strings.SplitAfter(s, " ") {
		if i > 0 && r.IntN(3) == 0 {
			b.WriteString(pick(r, "\x1b[31m", "\x1b[0m", "\x1b[1;38;5;196m", "\x1b[K", "\x1b]8;;\x1b\\"))
		}
		b.WriteString(w)
	}
	return b.String()
}

func prefixed(s, prefix string) string {
	return prefix + strings.ReplaceAll(s, "\n", "\n"+prefix)
}

// words wraps at spaces, as Terraform does.
func words(s string, width int) string {
	var out []string
	for _, l := range strings.Split(s, "\n") {
		row := ""
		for _, w := range strings.Split(l, " ") {
			if row != "" && utf8.RuneCountInString(row+" "+w) > width {
				out = append(out, row)
				row = w
				continue
			}
			if row != "" {
				row += " "
			}
			row += w
		}
		out = append(out, row)
	}
	return strings.Join(out, "\n")
}

// hard wraps anywhere, as a terminal does.
func hard(s string, width int) string {
	var out []string
	for _, l := range strings.Split(s, "\n") {
		for utf8.RuneCountInString(l) > width {
			r := []rune(l)
			out = append(out, string(r[:width]))
			l = string(r[width:])
		}
		out = append(out, l)
	}
	return strings.Join(out, "\n")
}

func quote(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// noise is what may stand before and after.
var noise = []string{"", "npm warn deprecated glob@7.2.3\n", "+ make deploy\n", "\n", "Step 3/9 : RUN make\n",
	"make: *** [deploy] Error 1\n", "  12: resource \"aws_x\" \"y\" {\n"}

func TestWrappedDenialsAreReadBack(t *testing.T) {
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 1))
		d, s := randomDenial(r)
		e, l := pick(r, envelopes...), pick(r, layouts...)
		if l.spoils != nil && l.spoils(d) {
			continue
		}
		text := pick(r, noise...) + l.wrap(r, e.wrap(r, s)) + "\n" + pick(r, noise...)
		var got []Denial
		for _, g := range Denials(text) {
			got = append(got, Denial{Principal: g.Principal, Action: g.Action, Resource: g.Resource, Effect: g.Effect,
				Layer: g.Layer, PolicyARN: g.PolicyARN})
		}
		if diff := cmp.Diff([]Denial{d}, got); diff != "" {
			t.Errorf("seed %d, %s, %s (-want +got):\n%s\n%s", seed, e.name, l.name, diff, text)
		}
	}
}
