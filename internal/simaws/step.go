package simaws

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// step is one command of a buildspec.
type step = stepFile

func (st step) duration() time.Duration {
	if st.Takes > 0 {
		return time.Duration(st.Takes)
	}
	return 2 * time.Second
}

// perform runs a command and returns its exit status. First the step's own
// failure, then its calls in order, each judged now; what a command needs
// apart from IAM (a repository that exists) comes where the real one would
// find out.
func (b *build) perform(st step) (exit int) {
	if f := st.Fails; f != nil && b.failsNow(st) {
		b.print(f.Prints)
		return f.exit()
	}
	if o, ok := b.outageFor(st); ok {
		b.print(o.Prints)
		return o.Exit
	}
	cmd := b.command(st)
	if cmd.before != "" {
		b.print(cmd.before)
	}
	for _, c := range cmd.calls {
		if exit := b.call(st, cmd, c); exit != 0 {
			return exit
		}
	}
	if cmd.push != nil {
		if text := cmd.push.fail(); text != "" {
			b.print(text)
			return 1
		}
		cmd.push.store()
	}
	if cmd.stack != nil && !b.p.est.deploy(cmd.stack, b.session()) {
		b.print(failedStack(cmd.stack.Name))
		return 255
	}
	if cmd.start != nil {
		if err := b.startAnother(*cmd.start, cmd.retries); err != nil {
			b.print(err.Error())
			return 254
		}
	}
	if out := orText(st.Prints, cmd.after); out != "" {
		b.print(out)
	}
	return 0
}

// startAnother has the build's commands start a build or batch beside it, as
// the build's own session (AWS.md#initiator). retries is the auto-retry limit
// that it asks for, "" for the project's.
func (b *build) startAnother(st Start, retries string) error {
	st.Account, st.Region, st.Initiator = b.p.est.acct.id, b.p.est.region, b.session().initiator()
	e, err := b.sim().at(st)
	if err != nil {
		return err
	}
	o := order{version: st.Version, initiator: st.Initiator, retry: autoRetry{limit: e.project[st.Project].conf.AutoRetry}}
	if st.Batch {
		e.start(st)
		return nil
	}
	if retries != "" {
		if o.retry.limit, err = strconv.Atoi(retries); err != nil {
			return fmt.Errorf("auto-retry limit %q: %w", retries, err)
		}
	}
	e.project[st.Project].begin(o)
	return nil
}

// call makes one of the step's API calls.
func (b *build) call(st step, cmd command, c callFile) int {
	q := b.ask(c.Action, orText(c.On, "*"))
	if c.Role != "" {
		q.who = b.p.est.acct.session(c.Role, orText(c.Session, "session"))
	}
	q.context = map[string][]string{}
	for k, v := range c.With {
		q.context[k] = []string{v}
	}
	d, denied := b.denied(q)
	if !denied {
		return 0
	}
	usual := formFull
	if strings.HasPrefix(c.Action, "s3:") && b.sim().foreign(q) {
		usual = formPlain // S3 tells other accounts nothing (AWS.md#operation-names)
	}
	var also []question
	for _, text := range c.Also {
		action, on, _ := strings.Cut(text, " on ")
		also = append(also, question{who: q.who, action: action, resource: orText(on, "*"), region: q.region, context: q.context})
	}
	r := refusal{q: q, d: d, also: also, form: orText(c.As, usual), requestID: b.sim().uuid("tool request")}
	r.service, r.operation = cmd.service, cmd.operation
	if r.operation == "" {
		r.service, r.operation = operationOf(c.Action)
	}
	if c.Operation != "" {
		r.operation = c.Operation
	}
	if text := b.text(orText(st.Tool, cmd.tool), c.Says, r); text != "" {
		b.print(text)
	}
	if cmd.afterDenial != "" {
		b.print(cmd.afterDenial)
	}
	if st.Exit != 0 {
		return st.Exit
	}
	return cmd.exit
}

// failsNow reports whether the step's own failure applies: always, or only
// for the first so many builds of the commit.
func (b *build) failsNow(st step) bool {
	if st.Fails.Times == 0 {
		return true
	}
	n := b.sim().nth(strings.Join([]string{"fails", b.p.arn(), b.commit.id, st.Run}, " "))
	return n <= st.Fails.Times
}

func (f failFile) exit() int {
	if f.Exit == 0 {
		return 1
	}
	return f.Exit
}

func orText(s, other string) string {
	if s != "" {
		return s
	}
	return other
}
