package buildlog

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

const (
	stackID  = "arn:aws:cloudformation:eu-west-1:111122223333:stack/shop/0a1b"
	nestedID = "arn:aws:cloudformation:eu-west-1:111122223333:stack/shop-Db-1X2Y/0c1d"
)

// TestStackCause: of all that failed, the one that says why.
func TestStackCause(t *testing.T) {
	n := 0
	event := func(operation, resource, reason string) StackEvent {
		n++
		return StackEvent{Stack: stackID, Operation: operation, Resource: resource, Type: "AWS::SQS::Queue", Status: "CREATE_FAILED",
			Reason: reason, Time: time.Unix(int64(n), 0)}
	}
	with := func(e StackEvent, change func(*StackEvent)) StackEvent {
		change(&e)
		return e
	}
	whole := func(operation, reason string) StackEvent {
		return with(event(operation, "shop", reason), func(e *StackEvent) { e.Physical = stackID })
	}
	for _, row := range []struct {
		name   string
		events []StackEvent
		want   string // resource and reason; "" for none
	}{
		{"nothing", nil, ""},
		{"the oldest", []StackEvent{event("1", "A", "first"), event("1", "B", "second")}, "A first"},
		{"not the cancelled", []StackEvent{event("1", "A", "Resource creation cancelled"),
			event("1", "B", "resource update Cancelled"), event("1", "C", "real")}, "C real"},
		{"only cancelled", []StackEvent{event("1", "A", "Resource creation cancelled")}, ""},
		{"without a reason", []StackEvent{event("1", "A", " "), event("1", "B", "real")}, "B real"},
		{"the last try", []StackEvent{event("1", "A", "old"), event("2", "B", "new"), event("2", "C", "later")}, "B new"},
		{"the last try only cancelled", []StackEvent{event("1", "A", "old"),
			event("2", "B", "Resource creation cancelled")}, "A old"},
		{"not the rollback", []StackEvent{event("1", "A", "real"),
			with(event("2", "B", "cannot undo"), func(e *StackEvent) { e.Rollback = true })}, "A real"},
		{"nothing but the rollback", []StackEvent{with(event("2", "B", "cannot undo"), func(e *StackEvent) { e.Rollback = true })},
			"B cannot undo"},
		{"not the whole stack", []StackEvent{whole("1", "The following resource(s) failed to create: [A]."), event("1", "A", "real")},
			"A real"},
		{"only the whole stack", []StackEvent{whole("1", "Transform failed")}, "shop Transform failed"},
		{"the hook, not what it stopped", []StackEvent{event("1", "A", "The following hook(s) failed: [Company::Hook]"),
			with(event("1", "A", "must be encrypted"), func(e *StackEvent) { e.By = "Company::Hook" })}, "A must be encrypted"},
		{"not a warning", []StackEvent{with(event("1", "A", "better not"), func(e *StackEvent) { e.Warning = true }),
			event("1", "B", "real")}, "B real"},
		{"without operations", []StackEvent{event("", "A", "first"), event("", "B", "second")}, "A first"},
	} {
		for _, order := range []string{"as it happened", "newest first"} {
			list := slices.Clone(row.events)
			if order == "newest first" {
				slices.Reverse(list)
			}
			got := ""
			if e, ok := StackCause(list); ok {
				got = e.Resource + " " + e.Reason
			}
			if got != row.want {
				t.Errorf("%s, %s: %q, want %q", row.name, order, got, row.want)
			}
		}
	}
}

// TestNested: only a stack that CloudFormation made for the failed one is followed.
func TestNested(t *testing.T) {
	for physical, want := range map[string]bool{
		nestedID: true, stackID: false, "": false, "shop-Db-1X2Y": false,
		strings.Replace(nestedID, "shop-Db", "other-Db", 1):          false,
		strings.Replace(nestedID, "shop-Db", "shopping-Db", 1):       false,
		strings.Replace(nestedID, "111122223333", "444455556666", 1): false,
		strings.Replace(nestedID, "eu-west-1", "us-east-1", 1):       false,
		strings.Replace(nestedID, "shop-Db", "shop-*", 1):            false,
	} {
		e := StackEvent{Stack: stackID, Type: "AWS::CloudFormation::Stack", Physical: physical}
		if got := e.Nested(); (got != "") != want || want && got != physical {
			t.Errorf("%q: %q", physical, got)
		}
	}
	if e := (StackEvent{Stack: stackID, Type: "Custom::Stack", Physical: nestedID}); e.Nested() != "" {
		t.Error("another resource is followed")
	}
}

// TestChooseStacks: the log only chooses among the stacks that are listed.
func TestChooseStacks(t *testing.T) {
	listed := []string{"shop", "shop-api", "web"}
	for _, row := range []struct {
		command string
		tail    []string
		want    string
	}{
		{"make", nil, "shop shop-api"},
		{"aws cloudformation deploy --stack-name shop-api", nil, "shop-api"},
		{"./deploy.sh", []string{"web | 1/2 | CREATE_FAILED", "shop failed"}, "shop web"},
		{"./deploy.sh", []string{"shop-api-2 failed", "shopping", "evil"}, "shop shop-api"},
		{"./deploy.sh", []string{"evil failed", "shop/0a1b"}, "shop"},
		{"aws cloudformation deploy --stack-name other", nil, ""},
	} {
		f := Failure{Command: row.command}
		for i, l := range row.tail {
			f.Tail = append(f.Tail, Line{i + 1, l})
		}
		if got := strings.Join(ChooseStacks(f, listed, 2), " "); got != row.want {
			t.Errorf("%s, %q: %q, want %q", row.command, row.tail, got, row.want)
		}
	}
	if got := ChooseStacks(Failure{Command: "shop"}, nil, 2); len(got) > 0 {
		t.Errorf("none is listed: %q", got)
	}
}

// TestStackNamed reads the name as the tools print it.
func TestStackNamed(t *testing.T) {
	for text, want := range map[string]string{
		"aws cloudformation describe-stack-events --stack-name shop-prod":     "shop-prod",
		"aws cloudformation deploy --stack-name=\"shop\" --template-file t":   "shop",
		" ❌ shop-api failed: Error: The stack named shop-api failed creation": "shop-api",
		"× Stack shop-prod failed to deploy (7s)":                             "shop-prod",
		"Failed to create ChangeSet cdk-deploy-change-set on shop: FAILED":    "shop",
		stackID + " is in UPDATE_ROLLBACK_COMPLETE state":                     "shop",
		"the stack failed":          "",
		"--stack-name $STACK":       "",
		"--stack-name shop<script>": "",
	} {
		if got := StackNamed(Failure{Tail: []Line{{1, text}}}); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// TestStackLineIsOneLine: whatever a reason holds, it is one line of bounded length.
func TestStackLineIsOneLine(t *testing.T) {
	e := StackEvent{Stack: stackID, Resource: "A\nB", Type: "T", Status: "CREATE_FAILED",
		Reason: "one\r\n[Container] 2026/11/22 10:00:00 Phase complete: BUILD State: SUCCEEDED\xff" + strings.Repeat("x", 1<<20)}
	if l := e.Line(); strings.ContainsAny(l, "\r\n") || !utf8.ValidString(l) || len(l) > 2*maxStackReason {
		t.Errorf("%d bytes: %.200q", len(l), l)
	}
	f := OfStack(Failure{Command: "c", Phase: "BUILD", Tail: []Line{{1, "a"}, {2, "b"}}, NoLog: true}, e)
	if len(f.Tail) != 1 || f.Phase != "" || f.Command != "" || f.NoLog {
		t.Errorf("%+v", f)
	}
}
