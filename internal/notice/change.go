package notice

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// roundChange is one round's change before it is put into words.
type roundChange struct {
	plan    decide.Plan
	status  Status
	version string // managed policies: what the write made
	dropped []decide.Dropped
}

// changesOf lists what was changed, or would be, up to the outcome's round. Several writes of
// the same policy are one change.
func changesOf(v *view) []Change {
	var steps []roundChange
	for i, r := range v.rounds {
		s, ok := statusOf(v.Outcome, r, i)
		if !ok {
			continue
		}
		next := roundChange{*r.Decision.Plan, s, r.WrittenVersion, r.Dropped}
		if j := slices.IndexFunc(steps, next.continues); j >= 0 {
			next.dropped = append(slices.Clone(steps[j].dropped), next.dropped...)
			next.plan.Write = joined(*steps[j].plan.Write, *next.plan.Write)
			steps = slices.Delete(steps, j, j+1)
		}
		steps = append(steps, next)
	}
	out := []Change{}
	home, sets := v.latest.Build.At(), setsOf(v)
	for _, s := range steps {
		if c, ok := s.change(); ok {
			c.home, c.project, c.sets = home, v.latest.Build.Project, sets
			out = append(out, c)
		}
	}
	return out
}

// setsOf names the sets of the grants that the rounds used.
func setsOf(v *view) (out []string) {
	if v.Settings == nil {
		return nil
	}
	for _, g := range grants(v) {
		if of, ok := v.Settings.Grant(g.ID); ok && of.Set != "" && !slices.Contains(out, of.Set) {
			out = append(out, of.Set)
		}
	}
	return out
}

// statusOf returns what became of a round's plan; ok is false if the notice should leave it out.
func statusOf(o decide.Outcome, r decide.Round, i int) (s Status, ok bool) {
	switch {
	case r.Decision == nil || r.Decision.Plan == nil:
		return "", false
	case o.Kind == decide.MadePermanent, r.Permanent: // told of once, and alone
		return TakenOut, o.Kind == decide.MadePermanent && i == o.Round
	case !r.Undone.IsZero():
		return TakenBack, o.Kind == decide.Undone
	case r.Old:
		return "", false
	case r.Partly:
		return Partly, true
	case !r.Written.IsZero(), !r.Decision.Mutates() && !r.RetryAt.IsZero():
		return Done, true
	case i != o.Round:
		return "", false
	case o.Kind == decide.Proposed:
		return WaitsFor, true
	case o.Kind == decide.Requested, r.Requested() && r.Decision.Plan.InCode():
		return AskedFor, true
	case r.Decision.Mode == settings.Observe:
		return WouldBe, true
	}
	return WasPlanned, true
}

// continues reports whether s writes t's policy again.
func (s roundChange) continues(t roundChange) bool {
	return s.status == t.status && s.plan.Role == t.plan.Role && s.plan.Write != nil && t.plan.Write != nil &&
		s.plan.Write.Kind == t.plan.Write.Kind && s.plan.Write.Name == t.plan.Write.Name
}

func joined(first, second guardrail.Target) *guardrail.Target {
	second.Before, second.BeforeVersion = first.Before, first.BeforeVersion
	for _, a := range first.Attach {
		if !slices.Contains(second.Attach, a) {
			second.Attach = append(slices.Clone(second.Attach), a)
		}
	}
	second.Holds = maps.Clone(second.Holds)
	for a, doc := range first.Holds {
		if second.Holds == nil {
			second.Holds = map[string]string{}
		}
		second.Holds[a] = doc
	}
	return &second
}

func (s roundChange) change() (c Change, ok bool) {
	c.Status = s.status
	p := s.plan
	switch {
	case p.Write != nil:
		c.Role = id(p.Role)
		s.policy(&c, *p.Write)
	case p.Repository != "":
		c.What, c.Name = Repository, id(p.Repository)
	case p.NewRole != "":
		c.What, c.Name, c.Before, c.After = ProjectRole, id(p.NewRole), id(p.OldRole), id(p.NewRole)
	case p.Buildspec != "":
		c.What, c.Name, c.After = Buildspec, quote(p.Buildspec, maxName), quote(p.Buildspec, maxName)
	default:
		return Change{}, false // the build was only started again
	}
	return c, true
}

func (s roundChange) policy(c *Change, t guardrail.Target) {
	if t.Kind == guardrail.Attach {
		c.What = AttachedPolicies
		var names []string
		for _, a := range t.Attach {
			names = append(names, id(a))
		}
		c.Name = strings.Join(names, " ")
		for _, a := range t.Attach {
			for _, one := range statements(t.Holds[a]) {
				c.holds = append(c.holds, one.Statement)
			}
		}
		return
	}
	if t.Kind == guardrail.Code {
		c.What, c.Name = PolicyInCode, quote(t.Name, maxName)
		c.compare("", t.After)
		c.Document = nil // it is what is asked for, and not the file
		return
	}
	c.What, c.Name, c.fresh = InlinePolicy, id(t.Name), t.Before == ""
	if t.Kind == guardrail.Managed {
		c.What, c.Before, c.After = ManagedPolicy, id(t.BeforeVersion), id(s.version)
		if t.DropVersion != "" && (s.status == WaitsFor || s.status == WouldBe) {
			s.dropped = []decide.Dropped{{Version: t.DropVersion, Created: t.DropCreated}}
		}
		var gone []string
		for _, d := range s.dropped {
			gone = append(gone, id(d.Version)+", made "+stamp(d.Created))
		}
		c.Dropped = strings.Join(gone, "; ")
	}
	from, to := t.Before, t.After
	if s.status == TakenOut { // somebody may have changed the rest of the policy since
		c.compare(to, from)
		c.Before, c.After, c.Dropped, c.Kept, c.Document = "", "", "", 0, nil
		return
	}
	if s.status == TakenBack {
		from, to = to, from
		c.Before, c.After = c.After, c.Before
	}
	c.compare(from, to)
}

// gone reports whether what was written before was taken away again.
func (c Change) gone() bool { return c.Status == TakenBack || c.Status == TakenOut }

// compare fills in the difference between two documents; "" is no document.
func (c *Change) compare(from, to string) {
	before, after := statements(from), statements(to)
	for _, s := range after {
		if i := slices.IndexFunc(before, s.same); i >= 0 {
			before = slices.Delete(before, i, i+1)
			c.Kept++
			continue
		}
		c.added, c.Added = append(c.added, s.Statement), append(c.Added, s.json)
	}
	for _, s := range before {
		c.removed, c.Removed = append(c.removed, s.Statement), append(c.Removed, s.json)
	}
	c.added, c.removed, c.Kept = apart(c.added, c.removed, c.Kept)
	if json.Valid([]byte(to)) {
		c.Document = json.RawMessage(VisibleJSON(to))
	}
}

// apart leaves out of statements that several projects have what others had before and
// have still: it shares a statement with what is given, and is no part of the change.
func apart(added, removed []iampolicy.Statement, kept int) (_, _ []iampolicy.Statement, _ int) {
	for i, a := range added {
		for j, r := range removed {
			more, less := without(a, r), without(r, a)
			switch {
			case more != nil && less == nil:
				added[i], removed = *more, slices.Delete(removed, j, j+1)
			case less != nil && more == nil:
				removed[j], added = *less, slices.Delete(added, i, i+1)
			default:
				continue
			}
			return apart(added, removed, kept+1)
		}
	}
	return added, removed, kept
}

// without gives what statement a is for more projects than b; nil if that is nothing, or if
// they differ otherwise.
func without(a, b iampolicy.Statement) *iampolicy.Statement {
	projects, others := settings.ScopeOf(a), settings.ScopeOf(b)
	more := slices.DeleteFunc(slices.Clone(projects), func(arn string) bool { return slices.Contains(others, arn) })
	if len(others) == 0 || len(more) == 0 || len(more)+len(others) < len(projects) {
		return nil
	}
	only := func(st iampolicy.Statement, arns []string) iampolicy.Statement {
		st.Raw, st.Condition = "", slices.Clone(st.Condition)
		for i, c := range st.Condition {
			if settings.ScopeOf(iampolicy.Statement{Condition: []iampolicy.Condition{c}}) != nil {
				st.Condition[i].Values = iampolicy.Values{List: arns}
			}
		}
		return st
	}
	if only(a, others).String() != only(b, others).String() {
		return nil
	}
	a = only(a, more)
	return &a
}

// statement is a statement, its bytes, and a canonical form to compare by.
type statement struct {
	iampolicy.Statement
	json json.RawMessage
	form string
}

func (s statement) same(t statement) bool { return s.form == t.form }

// statements parses a document; it returns nil for one that cannot be parsed.
func statements(doc string) []statement {
	d, err := iampolicy.ParseLoose([]byte(doc))
	if err != nil {
		return nil
	}
	var out []statement
	for _, s := range d.Statements {
		var v any
		if err := json.Unmarshal([]byte(s.Raw), &v); err != nil {
			return nil
		}
		form, err := json.Marshal(v)
		if err != nil {
			return nil
		}
		out = append(out, statement{s, json.RawMessage(VisibleJSON(s.Raw)), string(form)})
	}
	return out
}

// VisibleJSON escapes the invisible characters of a JSON text, such as those on which a terminal
// acts or by which it turns text around. That does not change what the JSON says.
func VisibleJSON(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\n' || r == '\t' || r == '\r' || visible(r):
			b.WriteRune(r)
		case r > 0xffff:
			r -= 0x10000
			fmt.Fprintf(&b, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// pretty indents a JSON text and keeps the order of its keys.
func pretty(doc json.RawMessage) string {
	var b bytes.Buffer
	if err := json.Indent(&b, doc, "", "  "); err != nil {
		return string(doc)
	}
	return strings.TrimRight(b.String(), "\n ")
}

// difference returns a policy's change as lines: added statements with a plus, removed ones with
// a minus.
func (c Change) difference() []string {
	var out []string
	for _, s := range c.removed {
		out = append(out, statementLines("- ", s)...)
	}
	for _, s := range c.added {
		out = append(out, statementLines("+ ", s)...)
	}
	if c.What == AttachedPolicies {
		sign := "+ attach "
		if c.gone() {
			sign = "- attach "
		}
		for a := range strings.FieldsSeq(c.Name) {
			out = append(out, sign+a)
		}
	}
	if c.Dropped != "" {
		out = append(out, "- version "+c.Dropped+", the oldest, to make room")
	}
	if c.Kept > 0 {
		out = append(out, "  ("+plural(c.Kept, "statement")+" unchanged)")
	}
	return out
}

// statementLines prints a whole statement with less punctuation than JSON, and with each name as
// [named] has it; its exact bytes are in [Change.Document]:
//
//   - Allow ecr:BatchGetImage
//     ecr:PutImage
//     on arn:…
//     if StringEquals iam:PassedToService = ecs-tasks.amazonaws.com
func statementLines(sign string, s iampolicy.Statement) []string {
	var out []string
	put := func(label string, values []string) {
		for _, v := range values {
			out = append(out, sign+fmt.Sprintf("%-5s ", label)+v)
			label = ""
		}
	}
	put(s.Effect, namedAll(s.Action.List))
	put(s.Effect, allBut(s.NotAction.List))
	put("   on", namedAll(s.Resource.List))
	put("   on", allBut(s.NotResource.List))
	for _, cond := range s.Condition {
		put("   if", []string{conditionWords(cond)})
	}
	return out
}

func allBut(values []string) []string {
	if len(values) == 0 {
		return nil
	}
	values = namedAll(values)
	return append([]string{"all but " + values[0]}, values[1:]...)
}
