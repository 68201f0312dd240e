package buildlog

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// StackEvent is an event of a CloudFormation stack that says that something failed. Its reason is
// as untrusted as a log: it repeats what services, hooks and the functions behind custom resources
// say, and whoever wrote the template chose the names.
type StackEvent struct {
	Stack     string // the stack's id, an ARN
	Operation string // the id of the operation that it belongs to; "" where AWS does not tell
	Rollback  bool   // the operation undoes another one
	Resource  string // the resource's name in the template
	Type      string // "AWS::SQS::Queue"
	Physical  string // the resource's own id: of a nested stack its ARN
	Status    string // "CREATE_FAILED"; what a hook or validation ended with
	Reason    string
	By        string // the hook or validation that refused; "" for the resource itself
	Warning   bool   // the operation went on
	Time      time.Time
}

// maxStackReason is how much of a reason is read. AWS's own sentences have some hundreds of characters.
const maxStackReason = 4 << 10

// cancelled finds the reason of a resource that only stopped because another one failed.
var cancelled = lazyregexp.New(`(?i)^\s*Resource (creation|update|deletion|import|\w+) cancelled`)

// repeats finds reasons that only point to another event.
var repeats = lazyregexp.New(`(?i)^\s*The following (resource\(s\) failed to|hook\(s\)[^:]{0,20}failed)`)

// StackCause finds the event that says why a stack failed: the oldest failure, of the last operation
// that was no rollback, that is not only the end of work that was cancelled. An update and the
// rollback after it are two operations (AWS.md#stack-events).
func StackCause(events []StackEvent) (StackEvent, bool) {
	list := slices.DeleteFunc(slices.Clone(events), func(e StackEvent) bool {
		return e.Warning || strings.TrimSpace(e.Reason) == "" || cancelled.MatchString(clip(e.Reason, maxStackReason))
	})
	slices.SortStableFunc(list, func(a, b StackEvent) int { return a.Time.Compare(b.Time) })
	rank := func(e StackEvent) int {
		switch {
		case e.Rollback:
			return 2
		case e.Physical != "" && e.Physical == e.Stack, repeats.MatchString(clip(e.Reason, maxStackReason)):
			return 1 // about the whole stack, or another event
		}
		return 0
	}
	last := ""
	for _, e := range list {
		if rank(e) == 0 {
			last = e.Operation
		}
	}
	var best *StackEvent
	for i := range list {
		if r := rank(list[i]); r == 0 && list[i].Operation != last {
			continue // an earlier try
		} else if best == nil || r < rank(*best) {
			best = &list[i]
		}
	}
	if best == nil {
		return StackEvent{}, false
	}
	return *best, true
}

// Name is the name of the event's stack.
func (e StackEvent) Name() string { return StackName(e.Stack) }

// StackName gives the name out of a stack's id, "" if it is none.
func StackName(id string) string {
	a, ok := codebuild.ParseARN(id)
	rest, is := strings.CutPrefix(a.Resource, "stack/")
	name, _, whole := strings.Cut(rest, "/")
	if !ok || !is || !whole || a.Service != "cloudformation" {
		return ""
	}
	return name
}

// Nested is the id of the nested stack that failed, "" if it was another resource. CloudFormation
// names it after the stack that it is in.
func (e StackEvent) Nested() string {
	in, at := codebuild.ParseARN(e.Physical)
	own, is := codebuild.ParseARN(e.Stack)
	if e.Type != "AWS::CloudFormation::Stack" || !at || !is || e.Physical == e.Stack ||
		in.Account != own.Account || in.Region != own.Region || !nestedIn(StackName(e.Physical), e.Name()) {
		return ""
	}
	return e.Physical
}

func nestedIn(name, parent string) bool {
	return parent != "" && strings.HasPrefix(name, parent+"-") && stackName.MatchString(name)
}

// Line is the event as a line, in the columns that tools print it.
func (e StackEvent) Line() string {
	reason := e.Reason
	if e.By != "" {
		reason = e.By + " failed: " + reason
	}
	s := strings.Join([]string{e.Name(), e.Status, e.Type, e.Resource + " " + codebuild.Cut(reason, maxStackReason)}, " | ")
	return strings.Join(strings.Fields(strings.ToValidUTF8(s, "�")), " ")
}

// OfStack gives the facts of the failure as if the log said nothing but the event. Who was denied is
// only known if the reason says it: CloudFormation may have worked as a role of its own.
func OfStack(f Failure, e StackEvent) Failure {
	b := codebuild.Build{ARN: f.Build.ARN, ID: f.Build.ID, Project: f.Build.Project, ServiceRole: f.Build.ServiceRole}
	line := e.Line()
	f.Build, f.Tail, f.Denials = b, []Line{{1, line}}, denialsOf(b, line)
	f.Phase, f.Context, f.Command, f.Exit = "", codebuild.Context{}, "", ""
	f.Excerpt, f.Long, f.Also, f.Tests, f.MoreTests = nil, nil, nil, nil, 0
	f.Dropped, f.Undecoded, f.TookRole, f.Fetched, f.NoLog, f.Cut = 0, 0, false, false, false, false
	for i := range f.Denials {
		d := &f.Denials[i]
		d.Line, d.Origin, d.Causal = 1, FromStack, true
		if d.Principal == "" && d.Subject == "" {
			d.Subject = "whoever CloudFormation worked as for the stack " + e.Name()
		}
	}
	return f
}

// stackName is what CloudFormation takes as a stack's name.
var stackName = lazyregexp.New(`^[a-zA-Z][-a-zA-Z0-9]{0,127}$`)

// stackMention finds where tools name the stack that they work on.
var stackMention = lazyregexp.New(`(?:--stack-name[= ]+["']?|:stack/|\b[Ss]tack named ["']?|[×✖] Stack |❌ +|` +
	`\bChangeSet [-\w]{1,128} on )([a-zA-Z][-a-zA-Z0-9]{0,127})(?:["'/:, ]|$)`)

// StackNamed is what the failed command and what it printed call the stack at last, "" if they name
// none. It is a claim.
func StackNamed(f Failure) string {
	name := ""
	look := func(text string) {
		if all := stackMention.Get().FindAllStringSubmatch(clip(text, maxStackReason), -1); len(all) > 0 {
			name = all[len(all)-1][1]
		}
	}
	look(f.Command)
	for _, l := range f.Tail {
		look(l.Text)
	}
	return name
}

// stackIDs finds the ids of stacks.
var stackIDs = lazyregexp.New(`arn:[a-z-]+:cloudformation:[a-z0-9-]+:[0-9]{12}:stack/[a-zA-Z][-a-zA-Z0-9]{0,127}/[-0-9a-f]{1,64}`)

// StackID is the id that the failed command's output names last for a stack of that name in the
// account and region, "" if it names none.
func StackID(f Failure, account, region, name string) string {
	for i := len(f.Tail) - 1; i >= 0; i-- {
		all := stackIDs.FindAllString(f.Tail[i].Text, -1)
		for k := len(all) - 1; k >= 0; k-- {
			if a, _ := codebuild.ParseARN(all[k]); a.Account == account && a.Region == region && StackName(all[k]) == name {
				return all[k]
			}
		}
	}
	return ""
}

// ChooseStacks orders those of the listed stacks that may be the one that failed, at most so many:
// those that the failed command and its output name, the last named first. If they name no stack at
// all, any may be meant; if they name another one, none is.
func ChooseStacks(f Failure, listed []string, most int) []string {
	at := map[string]int{}
	note := func(text string, n int) {
		for _, name := range listed {
			if holdsName(text, name) {
				at[name] = n
			}
		}
	}
	note(f.Command, 1)
	for i, l := range f.Tail {
		note(l.Text, i+2)
	}
	list := slices.Clone(listed)
	if len(at) > 0 || StackNamed(f) != "" {
		list = slices.DeleteFunc(list, func(name string) bool { return at[name] == 0 })
	}
	slices.SortStableFunc(list, func(a, b string) int { return cmp.Compare(at[b], at[a]) })
	return list[:min(len(list), most)]
}

// holdsName reports whether the text holds the name as a word of its own: "shop" is not in "shop-api".
func holdsName(text, name string) bool {
	part := func(c byte) bool {
		return c == '-' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
	}
	for from := 0; ; {
		i := strings.Index(text[from:], name)
		if i < 0 {
			return false
		}
		i += from
		if (i == 0 || !part(text[i-1])) && (i+len(name) == len(text) || !part(text[i+len(name)])) {
			return true
		}
		from = i + 1
	}
}
