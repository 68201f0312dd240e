package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/buildmedic/buildmedic/internal/awsapi"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/inbox"
	"github.com/buildmedic/buildmedic/internal/ledger"
	"github.com/buildmedic/buildmedic/internal/notice"
)

// handler is the function between its start and its invocations. Who it is,
// the first invocation says: a cold start makes no call.
type handler struct {
	config config
	aws    aws.Config
	out    io.Writer

	mu    sync.Mutex
	inbox *inbox.Inbox
}

func newHandler(out io.Writer) (*handler, error) {
	c, err := osConfig()
	if err != nil {
		return nil, fmt.Errorf("reading configuration:\n%w", err)
	}
	cfg, err := awsconfig.LoadDefaultConfig(context.Background(),
		awsconfig.WithRetryer(func() aws.Retryer { return awsapi.Retryer() }))
	if err != nil {
		return nil, fmt.Errorf("reading AWS configuration: %w", err)
	}
	return &handler{config: c, aws: cfg, out: out}, nil
}

// Invoke handles one invocation.
func (h *handler) Invoke(ctx context.Context, payload json.RawMessage) (any, error) {
	in, err := h.wired(ctx)
	if err != nil {
		return nil, err
	}
	answer, err := in.Invoke(ctx, payload)
	if err != nil {
		return nil, err
	}
	return visible(answer)
}

// visible makes an answer's JSON: people read it in a terminal, and what builds
// printed is in it.
func visible(answer any) (json.RawMessage, error) {
	data, err := json.Marshal(answer)
	if err != nil {
		return nil, fmt.Errorf("answering: %w", err)
	}
	return json.RawMessage(notice.VisibleJSON(string(data))), nil
}

func (h *handler) wired(ctx context.Context) (*inbox.Inbox, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.inbox != nil {
		return h.inbox, nil
	}
	id, err := h.identity(ctx)
	if err != nil {
		return nil, err
	}
	c, clock := h.config, awsapi.Clock{}
	log := slog.New(slog.NewJSONHandler(h.out, nil))
	var store heal.Store = ledger.NewMemory(clock)
	if c.table != "" {
		store = awsapi.NewDynamoDB(dynamodb.NewFromConfig(h.aws), c.table, clock)
	} else {
		log.Warn("the ledger is in memory: what was done is forgotten when this instance ends")
	}
	queues := awsapi.NewQueues(sqs.NewFromConfig(h.aws), c.queue, c.followUps, c.cures, clock)
	h.inbox = &inbox.Inbox{Log: log,
		Healer: awsapi.Wire(awsapi.Wiring{
			Config:     h.aws,
			Identity:   id,
			Region:     c.region,
			Settings:   c.settings,
			Store:      store,
			Topic:      c.topic,
			Queues:     queues,
			MemberRole: c.memberRole,
			Function:   c.function,
			CodeBucket: c.code,
			Parts:      awsapi.Parts(id, c.region, c.function, queues, c.table, c.topic, c.key),
			Journal:    h.out,
			CodeHost:   http.DefaultTransport,
			Clock:      clock,
			Sleep:      clock.Sleep,
			Log:        log,
		}),
		Requeue: queues.Back, RequeueTogether: queues.BackTogether,
	}
	return h.inbox, nil
}

// identity is that of the function: from its own ARN and the role that the stack names, or else as
// AWS says.
func (h *handler) identity(ctx context.Context) (awsapi.Identity, error) {
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		if id, ok := awsapi.Invoked(lc.InvokedFunctionArn, h.config.role); ok {
			return id, nil
		}
	}
	return awsapi.Whoami(ctx, h.aws)
}
