package simaws

import (
	"fmt"
	"time"
)

// Stack is a CloudFormation stack of the home account, as far as it can be looked at.
type Stack struct {
	Name    string
	Outputs []Output

	made time.Time
}

// Output is one output of a stack.
type Output struct{ Key, Value, Description string }

// AddStack founds a stack in the home account.
func (s *Sim) AddStack(st Stack) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st.made = s.now
	s.home().stacks[st.Name] = &st
}

var stackOperations = map[string]operation{
	"DescribeStacks": queryCall(false, "StackName", describeStacks),
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
	names := sortedKeys(r.est.stacks)
	if name != "" {
		if r.est.stacks[name] == nil {
			return nil, fail("ValidationError", fmt.Sprintf("Stack with id %s does not exist", name))
		}
		names = []string{name}
	}
	return []node{members("Stacks", names, func(n string) node {
		st := r.est.stacks[n]
		return el("", el("StackName", n), el("StackId", r.est.arn("cloudformation", "stack/"+n+"/"+r.sim.stackID(n))),
			el("CreationTime", st.made), el("StackStatus", "CREATE_COMPLETE"),
			members("Outputs", st.Outputs, func(o Output) node {
				return el("", el("OutputKey", o.Key), el("OutputValue", o.Value), el("Description", o.Description))
			}))
	})}, nil
}

// stackID is the part of a stack's ARN that tells it from others of its name.
func (s *Sim) stackID(name string) string { return s.commitID("stack " + name)[:36] }
