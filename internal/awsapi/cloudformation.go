package awsapi

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/smithy-go"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// Bounds of reading a stack's events. A page has up to 1 MB.
const (
	maxStackPages  = 5
	maxStackEvents = 200
)

// Stacks implements heal.Stacks.
type Stacks struct{ Accounts *Accounts }

// Failed implements [heal.Stacks] by DescribeEvents, which tells failed events alone; where
// CloudFormation does not know it yet, by DescribeStackEvents (AWS.md#stack-events).
func (s Stacks) Failed(ctx context.Context, at settings.Account, stack string, from, to time.Time) ([]buildlog.StackEvent, error) {
	client, err := client(s.Accounts, at, cloudformation.NewFromConfig)
	if err != nil {
		return nil, err
	}
	list, err := operationEvents(ctx, client, stack)
	var api smithy.APIError
	if errors.As(err, &api) && slices.Contains([]string{"InvalidAction", "UnknownOperationException"}, api.ErrorCode()) {
		list, err = stackEvents(ctx, client, stack, from)
	}
	if errors.As(err, &api) && api.ErrorCode() == "ValidationError" && strings.Contains(api.ErrorMessage(), "does not exist") {
		return nil, fmt.Errorf("%w: %w", heal.ErrNotFound, err)
	}
	return slices.DeleteFunc(list, func(e buildlog.StackEvent) bool {
		return e.Time.Before(from) || e.Time.After(to)
	}), classify(err)
}

// operationEvents reads the stack's failed events. In which order they come is not documented.
func operationEvents(ctx context.Context, client *cloudformation.Client, stack string) (list []buildlog.StackEvent, err error) {
	in := &cloudformation.DescribeEventsInput{StackName: &stack, Filters: &types.EventFilter{FailedEvents: aws.Bool(true)}}
	for range maxStackPages {
		out, err := client.DescribeEvents(ctx, in)
		if err != nil {
			return list, err
		}
		for _, e := range out.OperationEvents {
			if of, ok := operationEvent(e); ok && len(list) < maxStackEvents {
				list = append(list, of)
			}
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			break
		}
	}
	return list, nil
}

// operationEvent takes an event without the properties of its resource, which may hold secrets.
func operationEvent(e types.OperationEvent) (buildlog.StackEvent, bool) {
	of := event(e.StackId, e.OperationId, e.LogicalResourceId, e.ResourceType, e.PhysicalResourceId, e.ResourceStatus,
		e.ResourceStatusReason, e.Timestamp)
	of.Rollback = e.OperationType == types.OperationTypeRollback || e.OperationType == types.OperationTypeContinueRollback
	hook(&of, e.HookType, e.HookStatus, e.HookStatusReason, e.HookFailureMode)
	if e.ValidationStatus == types.ValidationStatusFailed {
		of.Status, of.By, of.Reason = "VALIDATION_FAILED", name(e.ValidationName), aws.ToString(e.ValidationStatusReason)
		if p := name(e.ValidationPath); p != "" {
			of.Reason += " (" + p + ")"
		}
		of.Warning = e.ValidationFailureMode == types.HookFailureModeWarn
	}
	return of, strings.HasSuffix(of.Status, "_FAILED")
}

// stackEvents reads the stack's events back to the time, the newest first, and keeps those that
// failed.
func stackEvents(
	ctx context.Context, client *cloudformation.Client, stack string, back time.Time,
) (list []buildlog.StackEvent, err error) {
	rollbacks := map[string]bool{}
	in := &cloudformation.DescribeStackEventsInput{StackName: &stack}
	for range maxStackPages {
		out, err := client.DescribeStackEvents(ctx, in)
		if err != nil {
			return list, err
		}
		older := false
		for _, e := range out.StackEvents {
			of := event(e.StackId, e.OperationId, e.LogicalResourceId, e.ResourceType, e.PhysicalResourceId, e.ResourceStatus,
				e.ResourceStatusReason, e.Timestamp)
			hook(&of, e.HookType, e.HookStatus, e.HookStatusReason, e.HookFailureMode)
			if of.Physical == of.Stack && strings.HasSuffix(of.Status, "ROLLBACK_IN_PROGRESS") && of.Operation != "" {
				rollbacks[of.Operation] = true
			}
			if strings.HasSuffix(of.Status, "_FAILED") && len(list) < maxStackEvents {
				list = append(list, of)
			}
			older = older || of.Time.Before(back)
		}
		if in.NextToken = out.NextToken; in.NextToken == nil || older {
			break
		}
	}
	for i := range list {
		list[i].Rollback = rollbacks[list[i].Operation]
	}
	return list, nil
}

// event takes what both calls tell.
func event(
	stack, operation, resource, kind, physical *string, status types.ResourceStatus, reason *string, at *time.Time,
) buildlog.StackEvent {
	return buildlog.StackEvent{Stack: name(stack), Operation: name(operation), Resource: name(resource), Type: name(kind),
		Physical: name(physical), Status: string(status), Reason: aws.ToString(reason), Time: aws.ToTime(at)}
}

// hook makes the event one of the hook's, if that is what it is.
func hook(of *buildlog.StackEvent, kind *string, status types.HookStatus, reason *string, mode types.HookFailureMode) {
	if status != "" {
		of.Status, of.By, of.Reason = string(status), name(kind), aws.ToString(reason)
		of.Warning = mode == types.HookFailureModeWarn
	}
}

// name bounds what names something: an id of CloudFormation's has at most 1,024 characters.
func name(s *string) string { return codebuild.Cut(aws.ToString(s), 1024) }
