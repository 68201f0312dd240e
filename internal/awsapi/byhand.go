package awsapi

import (
	"bytes"
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

	"github.com/buildmedic/buildmedic/internal/heal"
)

// byHand is the client of a service in one region whose module of the SDK is not linked. Its calls are
// put together of the SDK's own parts: signer, retries, endpoints.
type byHand struct {
	cfg     aws.Config
	service handService
	base    string // "" if the SDK does not know the region's partition
	http    *http.Client
	retryer aws.Retryer
}

// handService is how a service is named.
type handService struct {
	id    string // by the SDK
	host  string // how its hosts begin
	signs string // in signatures
}

// newByHand makes one as a service's NewFromConfig does.
func newByHand(cfg aws.Config, s handService) byHand {
	b := byHand{cfg: cfg, service: s, base: strings.TrimRight(s.endpoint(cfg), "/"), http: unredirected(cfg.HTTPClient)}
	if cfg.Retryer != nil {
		b.retryer = cfg.Retryer()
	} else {
		b.retryer = Retryer()
	}
	return b
}

// endpoint is where the service is in the configuration's region; "" if the SDK does not know the
// region's partition. The SDK has the names of regions' hosts only within the services' modules, so
// it is asked for CodeBuild's, which follows the same rules.
func (s handService) endpoint(cfg aws.Config) string {
	type provider interface {
		GetServiceBaseEndpoint(ctx context.Context, service string) (string, bool, error)
	}
	for _, source := range cfg.ConfigSources {
		if p, ok := source.(provider); ok {
			if url, found, err := p.GetServiceBaseEndpoint(context.Background(), s.id); err == nil && found {
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
	return e.URI.Scheme + "://" + s.host + strings.TrimPrefix(e.URI.Host, "codebuild")
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

// handCall is one call of a service.
type handCall struct {
	operation string
	method    string
	path      string // with its query
	header    map[string]string
	body      []byte
	most      int // bytes of an answer
}

// call makes a call and decodes its answer into out: the SDK's stack, with the service's own parts in
// it.
func (b *byHand) call(ctx context.Context, c handCall, out any) error {
	if b.base == "" {
		return fmt.Errorf("region %q has no known address for %s: %w", b.cfg.Region, b.service.id, heal.ErrFinal)
	}
	stack := middleware.NewStack(c.operation, smithyhttp.NewStackRequest)
	err := errors.Join(
		stack.Serialize.Add(middleware.SerializeMiddlewareFunc("request", func(ctx context.Context, in middleware.SerializeInput,
			next middleware.SerializeHandler) (out middleware.SerializeOutput, m middleware.Metadata, err error) {
			if in.Request, err = b.request(in.Request.(*smithyhttp.Request), c); err != nil {
				return out, m, err
			}
			return next.HandleSerialize(ctx, in)
		}), middleware.After),
		stack.Finalize.Add(retry.NewAttemptMiddleware(b.retryer, smithyhttp.RequestCloner), middleware.After),
		stack.Finalize.Add(middleware.FinalizeMiddlewareFunc("Signing", func(ctx context.Context, in middleware.FinalizeInput,
			next middleware.FinalizeHandler) (out middleware.FinalizeOutput, m middleware.Metadata, err error) {
			if err := b.sign(ctx, in.Request.(*smithyhttp.Request), c.body); err != nil {
				return out, m, err
			}
			return next.HandleFinalize(ctx, in)
		}), middleware.After),
		stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("answer", func(ctx context.Context, in middleware.DeserializeInput,
			next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
			o, m, err := next.HandleDeserialize(ctx, in)
			if err == nil {
				err = readAnswer(o.RawResponse.(*smithyhttp.Response), c.most, out)
			}
			return o, m, err
		}), middleware.After))
	for _, change := range b.cfg.APIOptions {
		err = errors.Join(err, change(stack))
	}
	if err != nil {
		return fmt.Errorf("preparing %s: %w", c.operation, err)
	}
	handler := middleware.DecorateHandler(smithyhttp.NewClientHandlerWithOptions(b.http), stack)
	if _, _, err = handler.Handle(ctx, struct{}{}); err != nil {
		return &smithy.OperationError{ServiceID: b.service.id, OperationName: c.operation, Err: err}
	}
	return nil
}

// request fills in a request.
func (b *byHand) request(r *smithyhttp.Request, c handCall) (*smithyhttp.Request, error) {
	var err error
	if r.URL, err = url.Parse(b.base + c.path); err != nil {
		return nil, err
	}
	r.Method = c.method
	for name, value := range c.header {
		r.Header.Set(name, value)
	}
	if c.body == nil {
		return r, nil
	}
	r.ContentLength = int64(len(c.body))
	return r.SetStream(bytes.NewReader(c.body))
}

func (b *byHand) sign(ctx context.Context, r *smithyhttp.Request, body []byte) error {
	if b.cfg.Credentials == nil {
		return errors.New("there are no credentials to sign with")
	}
	creds, err := b.cfg.Credentials.Retrieve(ctx)
	if err != nil {
		return fmt.Errorf("getting credentials: %w", err)
	}
	hash := sha256.Sum256(body)
	return v4.NewSigner().SignHTTP(ctx, creds, r.Request, hex.EncodeToString(hash[:]), b.service.signs, b.cfg.Region, time.Now())
}

// readAnswer reads an answer into out, or gives the error that it is.
func readAnswer(r *smithyhttp.Response, most int, out any) error {
	defer r.Body.Close()
	body, err := io.ReadAll(io.LimitReader(r.Body, int64(most)+1))
	if err != nil {
		return err
	}
	if r.StatusCode == http.StatusOK && len(body) > most {
		return fmt.Errorf("the answer has more than %d bytes: %w", most, heal.ErrFinal)
	}
	if r.StatusCode == http.StatusOK {
		if err := json.Unmarshal(body, out); err != nil {
			return fmt.Errorf("reading the answer: %w", heal.ErrFinal)
		}
		return nil
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
	return &smithyhttp.ResponseError{Response: r, Err: e}
}
