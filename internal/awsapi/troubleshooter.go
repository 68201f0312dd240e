package awsapi

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// Troubleshooter implements heal.Authorizations (AWS.md#authorization-ids). The SDK's module for the
// service is of the preview and not served everywhere yet, so its one call is put together here, of
// the SDK's own parts: signer, retries, endpoints.
type Troubleshooter struct{ Accounts *Accounts }

// Bounds of an answer.
const (
	maxAuthorizationPages = 5
	maxRecordPage         = 1 << 20 // bytes
	maxToken              = 8 << 10
)

// page is a page of the answer, as far as it is read. What it tells besides (addresses, user agents,
// ids of the organization) goes nowhere.
type page struct {
	RequestContext map[string]json.RawMessage
	Evaluations    []struct {
		Action, Resource, EvaluatedEffect string
		Checks                            []struct {
			CheckType, EvaluatedEffect, TargetArn string
			MatchedPolicies                       []struct {
				URI               string
				MatchedStatements []struct{ EvaluatedEffect string }
			}
		}
	}
	Policies []struct {
		Type, URI string
	}
	NextToken string
}

// Details implements [heal.Authorizations].
func (t Troubleshooter) Details(ctx context.Context, at settings.Account, of buildlog.Authorization) (guardrail.Authorization, error) {
	client, err := client(t.Accounts, settings.Account{ID: at.ID, Region: of.Region}, newToolbox)
	if err != nil {
		return guardrail.Authorization{}, err
	}
	var out guardrail.Authorization
	token := ""
	for n := range maxAuthorizationPages {
		p, err := client.details(ctx, of.ID, token)
		if err != nil {
			return guardrail.Authorization{}, classify(err)
		}
		if n == 0 {
			out.Principal, out.User = p.key("aws:PrincipalArn"), p.key("aws:userid")
		}
		out.Evaluations = append(out.Evaluations, p.evaluations()...)
		if token = p.NextToken; token == "" {
			return out, nil
		}
		if len(token) > maxToken {
			break
		}
	}
	out.Partial = true
	return out, nil
}

// key gives the one value of a condition key, "" if there is none or more than one.
func (p page) key(name string) (value string) {
	for k, raw := range p.RequestContext {
		if !strings.EqualFold(k, name) {
			continue
		}
		var one string
		var list []string
		if json.Unmarshal(raw, &one) != nil {
			if json.Unmarshal(raw, &list) != nil || len(list) != 1 {
				return ""
			}
			one = list[0]
		}
		if value != "" && one != value {
			return ""
		}
		value = one
	}
	return value
}

// kinds are the types of the policies by which a check fails of which there is one kind.
var kinds = map[string]string{"PERMISSIONS_BOUNDARY": "PERMISSIONS_BOUNDARY", "SESSION": "SESSION_POLICY",
	"VPC_ENDPOINT": "VPC_ENDPOINT_POLICY", "RESOURCE": "RESOURCE_BASED_POLICY"}

func (p page) evaluations() (list []guardrail.Evaluation) {
	for _, e := range p.Evaluations {
		x := guardrail.Evaluation{Action: e.Action, Resource: e.Resource, Effect: e.EvaluatedEffect}
		for _, c := range e.Checks {
			y := guardrail.Check{Type: c.CheckType, Effect: c.EvaluatedEffect, Target: c.TargetArn}
			for _, m := range c.MatchedPolicies { // that deny
				for _, st := range m.MatchedStatements {
					if st.EvaluatedEffect == "DENY" && !slices.Contains(y.Policies, m.URI) {
						y.Policies = append(y.Policies, m.URI)
					}
				}
			}
			for _, q := range p.Policies { // that do not allow
				if c.EvaluatedEffect == "IMPLICIT_DENY" && q.Type != "" && q.Type == kinds[c.CheckType] {
					y.Policies = append(y.Policies, q.URI)
				}
			}
			x.Checks = append(x.Checks, y)
		}
		list = append(list, x)
	}
	return list
}

// toolbox is the client of the service iam-toolbox in one region.
type toolbox struct {
	cfg     aws.Config
	base    string
	http    *http.Client
	retryer aws.Retryer
}

// newToolbox makes one as a service's NewFromConfig does.
func newToolbox(cfg aws.Config, _ ...func(*struct{})) *toolbox {
	b := &toolbox{cfg: cfg, base: strings.TrimRight(toolboxEndpoint(cfg), "/"), http: unredirected(cfg.HTTPClient)}
	if cfg.Retryer != nil {
		b.retryer = cfg.Retryer()
	} else {
		b.retryer = Retryer()
	}
	return b
}

// toolboxEndpoint is where the service is in the configuration's region; "" if the SDK does not know
// the region's partition. The SDK has the names of regions' hosts only within the services' modules,
// so it is asked for CodeBuild's, which follows the same rules.
func toolboxEndpoint(cfg aws.Config) string {
	type provider interface {
		GetServiceBaseEndpoint(ctx context.Context, service string) (string, bool, error)
	}
	for _, source := range cfg.ConfigSources {
		if p, ok := source.(provider); ok {
			if url, found, err := p.GetServiceBaseEndpoint(context.Background(), "IAM Toolbox"); err == nil && found {
				return url
			}
		}
	}
	if url := aws.ToString(cfg.BaseEndpoint); url != "" {
		return url
	}
	o := codebuild.NewFromConfig(cfg).Options().EndpointOptions
	e, err := codebuild.NewDefaultEndpointResolverV2().ResolveEndpoint(context.Background(), codebuild.EndpointParameters{
		Region: aws.String(cfg.Region), UseFIPS: aws.Bool(o.UseFIPSEndpoint == aws.FIPSEndpointStateEnabled),
		UseDualStack: aws.Bool(o.UseDualStackEndpoint == aws.DualStackEndpointStateEnabled)})
	if err != nil {
		return ""
	}
	return e.URI.Scheme + "://iam-toolbox" + strings.TrimPrefix(e.URI.Host, "codebuild")
}

// unredirected is the client, but that it follows no redirect: the signature, and with it the
// session's token, are for one host.
func unredirected(c aws.HTTPClient) *http.Client {
	out := &http.Client{}
	switch c := c.(type) {
	case *http.Client:
		*out = *c
	case *awshttp.BuildableClient:
		out.Transport, out.Timeout = c.GetTransport(), c.GetTimeout()
	case nil:
		out.Transport = awshttp.NewBuildableClient().GetTransport()
	default:
		out.Transport = roundTripper(c.Do)
	}
	out.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return out
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// noBody is the hash of an empty body.
var noBody = func() string {
	h := sha256.Sum256(nil)
	return hex.EncodeToString(h[:])
}()

// details makes the call: the SDK's stack, with the service's own parts in it.
func (b *toolbox) details(ctx context.Context, id, token string) (p page, err error) {
	const operation = "GetRequestAuthorizationDetails"
	if b.base == "" {
		return p, fmt.Errorf("region %q has no known address for IAM Access Troubleshooter: %w", b.cfg.Region, heal.ErrFinal)
	}
	address := b.base + "/authorization-details/" + url.PathEscape(id)
	if token != "" {
		address += "?nextToken=" + url.QueryEscape(token)
	}
	stack := middleware.NewStack(operation, smithyhttp.NewStackRequest)
	err = errors.Join(
		stack.Serialize.Add(middleware.SerializeMiddlewareFunc("address", func(ctx context.Context, in middleware.SerializeInput,
			next middleware.SerializeHandler) (out middleware.SerializeOutput, m middleware.Metadata, err error) {
			r := in.Request.(*smithyhttp.Request)
			r.Method = http.MethodGet
			if r.URL, err = url.Parse(address); err != nil {
				return out, m, err
			}
			in.Request = r
			return next.HandleSerialize(ctx, in)
		}), middleware.After),
		stack.Finalize.Add(retry.NewAttemptMiddleware(b.retryer, smithyhttp.RequestCloner), middleware.After),
		stack.Finalize.Add(middleware.FinalizeMiddlewareFunc("Signing", func(ctx context.Context, in middleware.FinalizeInput,
			next middleware.FinalizeHandler) (out middleware.FinalizeOutput, m middleware.Metadata, err error) {
			if err := b.sign(ctx, in.Request.(*smithyhttp.Request)); err != nil {
				return out, m, err
			}
			return next.HandleFinalize(ctx, in)
		}), middleware.After),
		stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("page", func(ctx context.Context, in middleware.DeserializeInput,
			next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
			out, m, err := next.HandleDeserialize(ctx, in)
			if err == nil {
				out.Result, err = readPage(out.RawResponse.(*smithyhttp.Response))
			}
			return out, m, err
		}), middleware.After))
	for _, change := range b.cfg.APIOptions {
		err = errors.Join(err, change(stack))
	}
	if err != nil {
		return p, fmt.Errorf("preparing %s: %w", operation, err)
	}
	handler := middleware.DecorateHandler(smithyhttp.NewClientHandlerWithOptions(b.http), stack)
	result, _, err := handler.Handle(ctx, struct{}{})
	if err != nil {
		return p, &smithy.OperationError{ServiceID: "IAM Toolbox", OperationName: operation, Err: err}
	}
	return result.(page), nil
}

// sign signs the request. The name in the signature is IAM's (AWS.md#authorization-ids).
func (b *toolbox) sign(ctx context.Context, r *smithyhttp.Request) error {
	if b.cfg.Credentials == nil {
		return errors.New("there are no credentials to sign with")
	}
	creds, err := b.cfg.Credentials.Retrieve(ctx)
	if err != nil {
		return fmt.Errorf("getting credentials: %w", err)
	}
	return v4.NewSigner().SignHTTP(ctx, creds, r.Request, noBody, "iam", b.cfg.Region, time.Now())
}

// readPage reads an answer, or the error that it is.
func readPage(r *smithyhttp.Response) (p page, err error) {
	defer r.Body.Close()
	body, err := io.ReadAll(io.LimitReader(r.Body, maxRecordPage+1))
	if err != nil {
		return p, err
	}
	if r.StatusCode == http.StatusOK && len(body) > maxRecordPage {
		return p, fmt.Errorf("the answer has more than %d bytes: %w", maxRecordPage, heal.ErrFinal)
	}
	if r.StatusCode == http.StatusOK {
		if err := json.Unmarshal(body, &p); err != nil {
			return page{}, fmt.Errorf("reading the answer: %w: %w", heal.ErrFinal, err)
		}
		return p, nil
	}
	var said struct {
		Type    string `json:"__type"`
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	_ = json.Unmarshal(body, &said) // a proxy's page is no JSON
	code, _, _ := strings.Cut(cmp.Or(r.Header.Get("X-Amzn-Errortype"), said.Type, said.Code), ":")
	code = code[strings.LastIndexByte(code, '#')+1:]
	e := &smithy.GenericAPIError{Code: cmp.Or(code, fmt.Sprintf("status %d", r.StatusCode)), Message: said.Message,
		Fault: smithy.FaultClient}
	switch {
	case r.StatusCode >= 500:
		e.Fault = smithy.FaultServer
	case r.StatusCode == http.StatusTooManyRequests && code == "":
		e.Code = "TooManyRequestsException"
	}
	return p, &smithyhttp.ResponseError{Response: r, Err: e}
}

var _ heal.Authorizations = Troubleshooter{}
