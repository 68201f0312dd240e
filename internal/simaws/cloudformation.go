package simaws

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Stack is a CloudFormation stack of the home account, as far as it can be looked at.
type Stack struct {
	Name    string
	Outputs []Output

	id       string // its ARN
	made     time.Time
	file     stackFile
	deployed bool // it exists; before, only its template does
	events   []stackEvent
}

// Output is one output of a stack.
type Output struct{ Key, Value, Description string }

// stackEvent is an event, as both DescribeStackEvents and DescribeEvents tell it.
type stackEvent struct {
	id, operation, kind        string // kind of the operation
	resource, typ, physical    string
	status, reason, properties string
	hook, hookStatus           string
	validation, path           string
	hookReason                 string // also of a validation
	mode                       string // FAIL or WARN
	at                         time.Time
}

func (e stackEvent) failed() bool {
	return strings.HasSuffix(e.status, "_FAILED") || strings.HasSuffix(e.hookStatus, "_FAILED") || e.validation != ""
}

// AddStack founds a stack in the home account.
func (s *Sim) AddStack(st Stack) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st.deployed = true
	s.home().addStack(&st)
}

func (e *estate) addStack(st *Stack) {
	st.made = e.sim.now
	st.id = e.arn("cloudformation", "stack/"+st.Name+"/"+e.sim.stackID(st.Name))
	e.stacks[st.Name] = st
}

// StackID is the id of a stack of the home account, also of one that is gone; "" if there never was one.
func (s *Sim) StackID(name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if st := s.home().stacks[name]; st != nil {
		return st.id
	}
	return ""
}

// stackID is the part of a stack's ARN that tells it from others of its name.
func (s *Sim) stackID(name string) string { return s.commitID("stack " + name)[:36] }

// deploy creates or updates a stack as the AWS CLI has it done, on behalf of the caller, and reports
// whether it went well. What fails is undone by an operation of its own.
func (e *estate) deploy(st *Stack, who caller) bool {
	s := e.sim
	if role := st.file.Role; role != "" {
		who = e.acct.session(role, "AWSCloudFormation")
	}
	doing, kind := "CREATE", "CREATE_STACK"
	if st.deployed {
		doing, kind = "UPDATE", "UPDATE_STACK"
	}
	st.deployed = true
	op := &operationRun{e, st, s.uuid("operation " + st.id), kind}
	op.note(stackEvent{resource: st.Name, typ: stackType, physical: st.id, status: doing + "_IN_PROGRESS",
		reason: "User Initiated"})
	var failed []string
	for _, r := range st.file.Resources {
		switch {
		case len(failed) > 0:
			op.note(stackEvent{resource: r.ID, typ: r.Type, status: doing + "_FAILED",
				reason: "Resource " + map[string]string{"CREATE": "creation", "UPDATE": "update"}[doing] + " cancelled"})
		case !op.resource(r, doing, who):
			failed = append(failed, r.ID)
		}
	}
	if len(failed) == 0 {
		op.note(stackEvent{resource: st.Name, typ: stackType, physical: st.id, status: doing + "_COMPLETE"})
		return true
	}
	undo := "ROLLBACK"
	if doing == "UPDATE" {
		undo = "UPDATE_ROLLBACK"
	}
	op = &operationRun{e, st, s.uuid("operation " + st.id), "ROLLBACK"}
	op.note(stackEvent{resource: st.Name, typ: stackType, physical: st.id, status: undo + "_IN_PROGRESS",
		reason: op.summary(doing, failed) + " Rollback requested by user."})
	op.note(stackEvent{resource: st.Name, typ: stackType, physical: st.id, status: undo + "_COMPLETE"})
	if st.file.Deleted {
		st.deployed = false // it is found by its id alone
	}
	return false
}

const stackType = "AWS::CloudFormation::Stack"

// operationRun is one operation under way.
type operationRun struct {
	e    *estate
	st   *Stack
	id   string
	kind string
}

func (op *operationRun) note(ev stackEvent) {
	ev.id, ev.operation, ev.kind = op.e.sim.uuid("event"), op.id, op.kind
	ev.at = op.e.sim.now.Add(time.Duration(len(op.st.events)) * time.Millisecond)
	ev.properties = `{"MasterUserPassword":"` + SecretProperty + `"}`
	op.st.events = append(op.st.events, ev)
}

// SecretProperty stands in the properties of each resource: nothing of it may get anywhere.
const SecretProperty = "simulated-property-of-a-resource"

func (op *operationRun) summary(doing string, failed []string) string {
	return "The following resource(s) failed to " + strings.ToLower(doing) + ": [" + strings.Join(failed, ", ") + "]."
}

// resource makes one resource and reports whether it went well.
func (op *operationRun) resource(r stackResourceFile, doing string, who caller) bool {
	ev := stackEvent{resource: r.ID, typ: r.Type, physical: op.st.Name + "-" + r.ID + "-1X2Y3Z"}
	say := func(status, reason string) bool {
		ev.status, ev.reason = doing+"_"+status, reason
		op.note(ev)
		return status != "FAILED"
	}
	say("IN_PROGRESS", "")
	if h := r.Hook; h != nil {
		of := ev
		of.status, of.hook, of.hookStatus, of.hookReason, of.mode = doing+"_IN_PROGRESS", h.Name, "HOOK_COMPLETE_FAILED", h.Reason,
			orText(h.Mode, "FAIL")
		op.note(of)
		if of.mode == "FAIL" {
			return say("FAILED", "The following hook(s) failed: ["+h.Name+"]")
		}
	}
	if v := r.Validation; v != nil {
		of := ev
		of.status, of.validation, of.hookReason, of.path, of.mode = "", v.Name, v.Reason, v.Path, orText(v.Mode, "FAIL")
		op.note(of)
		if of.mode == "FAIL" {
			return false
		}
	}
	if r.Stack != "" {
		return op.nested(&ev, r, say, doing, who)
	}
	for _, c := range r.Needs {
		q := question{who: who, action: c.Action, resource: orText(c.On, "*"), region: op.e.region, context: map[string][]string{}}
		for k, v := range c.With {
			q.context[k] = []string{v}
		}
		if ruling := op.e.sim.judge(q); !ruling.allowed {
			op.e.witness(q, errorCode(q.action), q.message(ruling.deny))
			service, _ := operationOf(q.action)
			return say("FAILED", fmt.Sprintf("Resource handler returned message: \"%s (Service: %s, Status Code: 403, Request ID: %s)\" "+
				"(RequestToken: %s, HandlerErrorCode: AccessDenied)", q.message(ruling.deny), camel(service),
				op.e.sim.uuid("request"), op.e.sim.uuid("token")))
		}
		op.e.witness(q, "", "")
	}
	if r.Reason != "" {
		return say("FAILED", r.Reason)
	}
	return say("COMPLETE", "")
}

// nested deploys a stack within the stack. CloudFormation names it after the one that it is in.
func (op *operationRun) nested(
	ev *stackEvent, r stackResourceFile, say func(status, reason string) bool, doing string, who caller,
) bool {
	name := op.st.Name + "-" + r.ID + "-1X2Y3Z"
	in := op.e.stacks[name]
	if in == nil {
		in = &Stack{Name: name, file: op.e.templates[r.Stack]}
		op.e.addStack(in)
	}
	ev.physical = in.id
	if op.e.deploy(in, who) {
		return say("COMPLETE", "")
	}
	done := map[string]string{"CREATE": "created", "UPDATE": "updated"}[doing]
	return say("FAILED", "Embedded stack "+in.id+" was not successfully "+done+": The following resource(s) failed to "+
		strings.ToLower(doing)+": [see the stack]. ")
}

var stackOperations = map[string]operation{
	"DescribeStacks":      queryCall(false, "StackName", describeStacks),
	"DescribeStackEvents": queryCall(false, "StackName NextToken", describeStackEvents),
	"DescribeEvents":      queryCall(false, "StackName Filters NextToken", describeEvents),
}

// describeStacks answers a stack that does not exist as CloudFormation does, with a
// ValidationError (AWS.md#stack-outputs).
func describeStacks(r *request, in form) ([]node, error) {
	name := in.get("StackName")
	resource := "*"
	if name != "" {
		resource = r.est.arn("cloudformation", "stack/"+name+"/*")
	}
	if err := r.authorize("cloudformation:DescribeStacks", resource, nil); err != nil {
		return nil, err
	}
	names := slices.DeleteFunc(sortedKeys(r.est.stacks), func(n string) bool { return !r.est.stacks[n].deployed })
	if name != "" {
		if !slices.Contains(names, name) {
			return nil, fail("ValidationError", fmt.Sprintf("Stack with id %s does not exist", name))
		}
		names = []string{name}
	}
	return []node{members("Stacks", names, func(n string) node {
		st := r.est.stacks[n]
		return el("", el("StackName", n), el("StackId", st.id), el("CreationTime", st.made), el("StackStatus", "CREATE_COMPLETE"),
			members("Outputs", st.Outputs, func(o Output) node {
				return el("", el("OutputKey", o.Key), el("OutputValue", o.Value), el("Description", o.Description))
			}))
	})}, nil
}

// stack finds a stack by its name or id. One that is deleted has only its id.
func (r *request) stack(action, name string) (*Stack, error) {
	var found *Stack
	resource := r.est.arn("cloudformation", "stack/"+name+"/*")
	if strings.HasPrefix(name, "arn:") {
		resource = name
	}
	for _, st := range r.est.stacks {
		if st.id == name || st.Name == name && st.deployed {
			found, resource = st, st.id
		}
	}
	if err := r.authorize(action, resource, nil); err != nil {
		return nil, err
	}
	if found == nil {
		return nil, fail("ValidationError", fmt.Sprintf("Stack [%s] does not exist", name))
	}
	return found, nil
}

// stackPage is how many events a page has. CloudFormation's hold up to 1 MB.
const stackPage = 10

// stackPages answers a page of the events, the newest first.
func stackPages(in form, list []stackEvent, name string, f func(stackEvent) node) ([]node, error) {
	slices.Reverse(list)
	from := 0
	if t := in.get("NextToken"); t != "" {
		n, err := strconv.Atoi(t)
		if err != nil || n < 0 || n > len(list) {
			return nil, fail("ValidationError", "Invalid NextToken")
		}
		from = n
	}
	to := min(from+stackPage, len(list))
	out := []node{members(name, list[from:to], f)}
	if to < len(list) {
		out = append(out, el("NextToken", itoa(to)))
	}
	return out, nil
}

func describeStackEvents(r *request, in form) ([]node, error) {
	st, err := r.stack("cloudformation:DescribeStackEvents", in.get("StackName"))
	if err != nil {
		return nil, err
	}
	// Validations before a deployment are no events of the stack.
	list := slices.DeleteFunc(slices.Clone(st.events), func(e stackEvent) bool { return e.validation != "" })
	return stackPages(in, list, "StackEvents", func(e stackEvent) node { return e.node(st) })
}

func describeEvents(r *request, in form) ([]node, error) {
	st, err := r.stack("cloudformation:DescribeEvents", in.get("StackName"))
	if err != nil {
		return nil, err
	}
	list := slices.Clone(st.events)
	if in.get("Filters.FailedEvents") == "true" {
		list = slices.DeleteFunc(list, func(e stackEvent) bool { return !e.failed() })
	}
	return stackPages(in, list, "OperationEvents", func(e stackEvent) node {
		n := e.node(st)
		n.kids = append(n.kids, el("OperationType", e.kind))
		if e.validation != "" {
			n.kids = append(n.kids, el("EventType", "VALIDATION_ERROR"), el("ValidationName", e.validation),
				el("ValidationStatus", "FAILED"), el("ValidationStatusReason", e.hookReason), el("ValidationPath", e.path),
				el("ValidationFailureMode", e.mode))
		}
		return n
	})
}

// node is what both calls tell of an event.
func (e stackEvent) node(st *Stack) node {
	n := el("", el("StackId", st.id), el("EventId", e.id), el("StackName", st.Name), el("OperationId", e.operation),
		el("LogicalResourceId", e.resource), el("PhysicalResourceId", e.physical), el("ResourceType", e.typ),
		el("Timestamp", e.at.UTC().Format("2006-01-02T15:04:05.000Z")), el("ResourceProperties", e.properties))
	if e.status != "" {
		n.kids = append(n.kids, el("ResourceStatus", e.status), el("ResourceStatusReason", e.reason))
	}
	if e.hook != "" {
		n.kids = append(n.kids, el("HookType", e.hook), el("HookStatus", e.hookStatus), el("HookStatusReason", e.hookReason),
			el("HookFailureMode", e.mode))
	}
	return n
}
