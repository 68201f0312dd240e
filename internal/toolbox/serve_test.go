package toolbox

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/accessanalyzer"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

// client reaches the server as tools do: as a proxy, under its own authority.
func (w *wire) client() *http.Client {
	pool := x509.NewCertPool()
	pool.AddCert(w.ca)
	return &http.Client{Transport: &http.Transport{
		Proxy: http.ProxyURL(w.proxyURL()), TLSClientConfig: &tls.Config{RootCAs: pool},
	}}
}

// program programs the server for one test.
func program(t *testing.T, answers string, bodies map[string]string) (*wire, *http.Client) {
	t.Helper()
	w, err := newWire()
	if err != nil {
		t.Fatal(err)
	}
	c := w.client()
	t.Cleanup(func() {
		c.CloseIdleConnections()
		w.close()
	})
	if err := w.program(answers, bodies); err != nil {
		t.Fatal(err)
	}
	return w, c
}

// TestWireSDK ensures that the SDK understands what each of its protocols is answered: the code,
// and AWS's whole sentence, under AWS's own host names.
func TestWireSDK(t *testing.T) {
	ctx := context.Background()
	const why = " because no identity-based policy allows the "
	cases := []struct {
		what, answers string
		call          func(aws.Config) error
		code, message string
	}{
		{"awsJson 1.1", "ecr:* deny identity resource=*", func(c aws.Config) error {
			_, err := ecr.NewFromConfig(c).GetAuthorizationToken(ctx, nil)
			return err
		}, "AccessDeniedException", "perform: ecr:GetAuthorizationToken on resource: *" + why},
		{"awsJson 1.0, with the older code in a header", "sqs:SendMessage deny scp resource=arn:aws:sqs:eu-west-1:111122223333:jobs",
			func(c aws.Config) error {
				_, err := sqs.NewFromConfig(c).SendMessage(ctx, &sqs.SendMessageInput{MessageBody: aws.String("x"),
					QueueUrl: aws.String("https://sqs.eu-west-1.amazonaws.com/111122223333/jobs")})
				return err
			}, "AccessDenied", ":jobs with an explicit deny in a service control policy"},
		{"query", "iam:GetRole deny identity resource=role%20shop", func(c aws.Config) error {
			_, err := iam.NewFromConfig(c).GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String("shop")})
			return err
		}, "AccessDenied", "perform: iam:GetRole on resource: role shop" + why},
		{"query, another error", "* error 403 ExpiredToken The security token included in the request is expired",
			func(c aws.Config) error {
				_, err := sts.NewFromConfig(c).GetCallerIdentity(ctx, nil)
				return err
			}, "ExpiredToken", "is expired"},
		{"S3", "once s3:PutObject deny vpce", func(c aws.Config) error {
			_, err := s3.NewFromConfig(c).PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("shop"), Key: aws.String("a/b"),
				Body: strings.NewReader("x")})
			return err
		}, "AccessDenied", `perform: s3:PutObject on resource: "arn:aws:s3:::shop/a/b" because no VPC endpoint policy allows`},
		{"S3, the bare words", "s3:ListObjectsV2 deny plain", func(c aws.Config) error {
			_, err := s3.NewFromConfig(c).ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String("shop")})
			return err
		}, "AccessDenied", "Access Denied"},
		{"S3, a HEAD without a body", "s3:HeadObject bare 403", func(c aws.Config) error {
			_, err := s3.NewFromConfig(c).HeadObject(ctx, &s3.HeadObjectInput{Bucket: aws.String("shop"), Key: aws.String("a")})
			return err
		}, "Forbidden", "Forbidden"},
		{"REST-JSON", "access-analyzer:GET/analyzer deny boundary resource=-", func(c aws.Config) error {
			_, err := accessanalyzer.NewFromConfig(c).ListAnalyzers(ctx, nil)
			return err
		}, "AccessDeniedException", "because no permissions boundary allows"},
	}
	for _, c := range cases {
		t.Run(c.what, func(t *testing.T) {
			w, client := program(t, c.answers, nil)
			err := c.call(aws.Config{Region: "eu-west-1", HTTPClient: client, RetryMaxAttempts: 1,
				Credentials: credentials.NewStaticCredentialsProvider("ASIAEXAMPLE", "example", "example")})
			var api smithy.APIError
			if !errors.As(err, &api) || api.ErrorCode() != c.code || !strings.Contains(api.ErrorMessage(), c.message) {
				t.Errorf("the call gives %v, want %s: …%s…", err, c.code, c.message)
			}
			if asked, denied := w.heard(); denied != 1 || len(asked) != 1 {
				t.Errorf("the server heard %q and refused %d", asked, denied)
			}
		})
	}
}

// TestWireForms ensures that what no SDK of ours speaks is answered as AWS would.
func TestWireForms(t *testing.T) {
	const scope = "AWS4-HMAC-SHA256 Credential=ASIAEXAMPLE/20260102/eu-west-1/"
	form := map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
	cases := []struct {
		what, answers, method, url, body string
		service                          string
		header                           map[string]string
		status                           int
		want                             string // in the body
	}{
		{"EC2, with its encoded message", "ec2:DescribeVpcs deny identity resource=-", "POST", "https://ec2.eu-west-1.amazonaws.com/",
			"Action=DescribeVpcs", "ec2", form, 403,
			"allows the ec2:DescribeVpcs action. Encoded authorization failure message: " + encoded},
		{"SNS has a code of its own", "sns:Publish deny session", "POST", "https://sns.eu-west-1.amazonaws.com/", "Action=Publish", "sns",
			form, 403, "<Code>AuthorizationError</Code>"},
		{"a query's success", "", "POST", "https://sts.eu-west-1.amazonaws.com/?Action=GetCallerIdentity", "", "sts", nil, 200, session},
		{"REST-XML", "cloudfront:POST* deny rcp action=cloudfront:CreateInvalidation", "POST",
			"https://cloudfront.amazonaws.com/2020-05-31/distribution/E1/invalidation", "", "cloudfront", nil, 403,
			"<Code>AccessDenied</Code><Message>User: " + session + " is not authorized to perform: cloudfront:CreateInvalidation"},
		{"rpc-v2-cbor", "cloudwatch:PutMetricData deny identity resource=*", "POST",
			"https://monitoring.eu-west-1.amazonaws.com/service/GraniteServiceVersion20100801/operation/PutMetricData", "", "monitoring",
			map[string]string{"Smithy-Protocol": "rpc-v2-cbor"}, 400, "not authorized to perform: cloudwatch:PutMetricData on resource: *"},
		{"rpc-v2-cbor's success", "", "POST", "https://monitoring.eu-west-1.amazonaws.com/service/X/operation/PutMetricData", "",
			"monitoring", map[string]string{"Smithy-Protocol": "rpc-v2-cbor"}, 200, "\xa0"},
		{"a registry wants a login", "", "GET", "https://111122223333.dkr.ecr.eu-west-1.amazonaws.com/v2/", "", "", nil, 401,
			"Not Authorized"},
		{"a registry refuses a manifest", "ecr:PutImage deny scp-arn", "PUT",
			"https://111122223333.dkr.ecr.eu-west-1.amazonaws.com/v2/a/b/manifests/1", "{}", "", nil, 403,
			`{"errors":[{"code":"DENIED","message":"User: ` + session + ` is not authorized to perform: ecr:PutImage on resource: ` +
				`arn:aws:ecr:eu-west-1:111122223333:repository/a/b with an explicit deny`},
		{"a package that may not be read", "codeartifact:GET/npm/* deny identity", "GET",
			"https://shop-111122223333.d.codeartifact.eu-west-1.amazonaws.com/npm/team/lib", "", "", nil, 403,
			"codeartifact:ReadFromRepository on resource: arn:aws:codeartifact:eu-west-1:111122223333:repository/shop/team"},
		{"a package that may not be published, said as an error", "codeartifact:PUT/npm/* deny identity body=error", "PUT",
			"https://shop-111122223333.d.codeartifact.eu-west-1.amazonaws.com/npm/team/lib", "", "", nil, 403, `{"error":"User: `},
		{"a body of the file", "codeartifact:GET/pypi/* ok index", "GET",
			"https://shop-111122223333.d.codeartifact.eu-west-1.amazonaws.com/pypi/team/simple/lib/", "", "", nil, 200, "<a>here</a>"},
		{"a body that the file does not have", "lambda:GET* ok none", "GET", "https://lambda.eu-west-1.amazonaws.com/x", "", "lambda", nil,
			501, "no section answers/none"},
	}
	for _, c := range cases {
		t.Run(c.what, func(t *testing.T) {
			_, client := program(t, c.answers, map[string]string{"answers/index": "<a>here</a>"})
			req, err := http.NewRequest(c.method, c.url, strings.NewReader(c.body))
			if err != nil {
				t.Fatal(err)
			}
			for k, v := range c.header {
				req.Header.Set(k, v)
			}
			if c.service != "" {
				req.Header.Set("Authorization", scope+c.service+"/aws4_request, SignedHeaders=host, Signature=0")
			}
			resp, err := client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			body := drain(resp.Body)
			if resp.StatusCode != c.status || !strings.Contains(body, c.want) {
				t.Errorf("%d %s, want %d and %s", resp.StatusCode, body, c.status, c.want)
			}
		})
	}
}

// TestWireUpload ensures that a registry has what it was given.
func TestWireUpload(t *testing.T) {
	w, client := program(t, "", nil)
	const host = "https://111122223333.dkr.ecr.eu-west-1.amazonaws.com/v2/shop/blobs/"
	status := func(method, path string) int {
		t.Helper()
		req, err := http.NewRequest(method, host+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.SetBasicAuth("AWS", "token")
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		drain(resp.Body)
		return resp.StatusCode
	}
	for _, step := range []struct {
		method, path string
		status       int
	}{
		{"HEAD", "sha256:1", 404}, {"POST", "uploads/", 202}, {"PATCH", "uploads/x", 202}, {"PUT", "uploads/x?digest=sha256:1", 201},
		{"HEAD", "sha256:1", 200},
	} {
		if got := status(step.method, step.path); got != step.status {
			t.Errorf("%s %s gives %d, want %d", step.method, step.path, got, step.status)
		}
	}
	if _, denied := w.heard(); denied != 0 {
		t.Error("the server counts a success as a refusal")
	}
}

// TestWireOthers ensures that no host but AWS's is reachable.
func TestWireOthers(t *testing.T) {
	_, client := program(t, "", nil)
	for _, url := range []string{"https://registry.example.com/", "http://registry.example.com/", "https://amazonaws.com.example.org/"} {
		resp, err := client.Get(url)
		if err == nil && resp.StatusCode != http.StatusBadGateway {
			t.Errorf("%s answers %s", url, resp.Status)
		}
		if err == nil {
			resp.Body.Close()
		}
	}
}

// TestParseAnswers ensures that a program that would silently do nothing is refused.
func TestParseAnswers(t *testing.T) {
	for _, text := range []string{"s3:PutObject", "s3:PutObject refuse identity", "s3:PutObject deny", "s3:PutObject deny moon",
		"once", "s3:* error 400", "s3:* bare"} {
		if list, err := parseAnswers(text); err == nil {
			t.Errorf("%q is taken: %v", text, list[0])
		}
	}
}
