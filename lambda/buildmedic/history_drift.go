package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// drift is what one grant gave in IAM, and nobody has taken back: as far as the ledger knows, code does
// not have it yet.
type drift struct {
	Account string    `json:"account"`
	Region  string    `json:"region"`
	Project string    `json:"project"`
	Role    string    `json:"role"` // ARN
	Policy  string    `json:"policy"`
	Grant   string    `json:"grant"`
	Case    string    `json:"case"`
	Since   time.Time `json:"since"`
	Days    int       `json:"days"`
	// Perhaps: the case may not have made it yet, or only a part of it.
	Perhaps bool       `json:"perhaps,omitempty"`
	State   driftState `json:"state"`
	Ends    time.Time  `json:"ends,omitzero"`
	// Request is the pull request that asks for it in code.
	Request *decide.Request `json:"request,omitempty"`
}

// driftState is what becomes of it.
type driftState string

const (
	driftEnds     driftState = "ends"      // by itself, and code would never have it
	driftAsked    driftState = "requested" // in code; the request says how it stands
	driftNotAsked driftState = "not-requested"
	driftNowhere  driftState = "not-configured" // the settings name no code for it
	driftUnknown  driftState = "unknown"        // there are no settings to look at
)

// drifts lists what stands, the oldest first, of one project or of all. Without settings it is not known
// whether what was not asked for will be.
func drifts(cases []decide.Case, project string, s *settings.Settings, now time.Time) (list []drift) {
	for _, c := range cases {
		if project != "" && c.Project != project {
			continue
		}
		for _, r := range c.Rounds {
			writing := r.Step == decide.StepWriting
			if r.Decision == nil || r.Decision.Plan == nil || r.Decision.Plan.Write == nil || !r.Stands() && !writing {
				continue
			}
			p := *r.Decision.Plan
			if p.Write.Kind == guardrail.Code { // nothing is written in IAM
				continue
			}
			for _, u := range r.Decision.Used {
				d := drift{Account: c.Account, Region: c.Region, Project: c.Project, Role: p.Role, Case: c.ID, Grant: u.Grant,
					Policy: wroteTo(p, u.Grant), Since: r.Written, Perhaps: r.Partly || writing}
				if d.Since.IsZero() {
					d.Since = r.Started
				}
				d.Days = int(now.Sub(d.Since) / (24 * time.Hour))
				d.Ends = endOf(p, u.Grant, d.Since)
				i := slices.IndexFunc(r.Requests, func(q decide.Request) bool { return q.Grant == u.Grant && q.State != "" })
				switch {
				case !d.Ends.IsZero():
					d.State = driftEnds
				case i >= 0:
					d.State, d.Request = driftAsked, &r.Requests[i]
				case s == nil:
					d.State = driftUnknown
				case permanentIn(s, c, p):
					d.State = driftNotAsked
				default:
					d.State = driftNowhere
				}
				list = append(list, d)
			}
		}
	}
	slices.SortStableFunc(list, func(a, b drift) int {
		return cmp.Or(a.Since.Compare(b.Since), strings.Compare(a.Case, b.Case), strings.Compare(a.Grant, b.Grant))
	})
	return list
}

// wroteTo is the policy that has what the grant gave.
func wroteTo(p decide.Plan, grant string) string {
	switch p.Write.Kind {
	case guardrail.Managed:
		return "managed policy " + lastOf(p.Write.Name)
	case guardrail.Attach:
		return "attached policy " + guardrail.AttachName(p.Project, grant)
	}
	return "inline policy " + p.Write.Name
}

func lastOf(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }

// endOf is when what the grant gave then ends; zero: never.
func endOf(p decide.Plan, grant string, given time.Time) time.Time {
	i := slices.IndexFunc(p.Ends, func(e decide.End) bool { return e.Grant == grant })
	switch {
	case i < 0:
		return time.Time{}
	case p.Ends[i].At.IsZero():
		return given.Add(p.Ends[i].Lasts)
	}
	return p.Ends[i].At
}

// permanentIn reports whether the settings name code in which changes of the plan's role are made
// permanent. Which account is the function's own, a desk need not know.
func permanentIn(s *settings.Settings, c decide.Case, p decide.Plan) bool {
	return slices.ContainsFunc(s.Projects, func(q settings.Project) bool {
		return q.Name == c.Project && (q.Account == "" || q.Account == c.Account) && (q.Region == "" || q.Region == c.Region) &&
			q.ForRole(lastOf(p.Role)).Permanent.Set()
	})
}

// words says what becomes of it.
func (d drift) words(now time.Time) string {
	switch d.State {
	case driftEnds:
		if now.Before(d.Ends) {
			return "ends by itself at " + stamp(d.Ends)
		}
		return "ended by itself at " + stamp(d.Ends)
	case driftAsked:
		return asked(*d.Request)
	case driftNotAsked:
		return "not asked for in code yet"
	case driftNowhere:
		return "in no code: the settings say no permanent: {code: …} for it"
	}
	return "not asked for in code; with -settings it is said whether it will be"
}

// asked says how it stands with a request.
func asked(q decide.Request) string {
	file := q.Path + " of " + q.Repository
	if q.State == decide.RequestLanded {
		return "in " + file + " already, and not deployed yet, as far as is known"
	}
	how := map[decide.RequestState]string{
		decide.RequestDeclined: "was closed unmerged",
		decide.RequestBehind:   "is open, and the file has changed since",
		decide.RequestEdited:   "is open, with changes by somebody",
	}[q.State]
	text := "asked for in " + file + ": pull request #" + q.Number + " " + cmp.Or(how, "is open")
	if q.URL != "" {
		text += ", " + q.URL
	}
	return text
}

// writeDrift lists what stands in IAM and is not permanent.
func writeDrift(ctx context.Context, h *heal.Healer, project string, most int, asJSON bool, stdout, stderr io.Writer) error {
	l, err := h.Standing(ctx)
	if err != nil {
		return err
	}
	list := drifts(l.Standing, project, h.Settings, deskClock.Now())
	if asJSON {
		return orError(printJSON(stdout, stderr, append([]drift{}, list[:min(most, len(list))]...))) // of none, too, an array
	}
	printDrift(stdout, list, most, l, deskClock.Now())
	return nil
}

func printDrift(w io.Writer, list []drift, most int, l heal.Inventory, now time.Time) {
	if len(list) == 0 {
		fmt.Fprintln(w, "No change in IAM stands, as far as the ledger knows.")
	} else {
		cols := fit([]column{{width: 4, right: true, whole: true}, {width: 17, whole: true}, {width: 16, drop: 1}, {width: 20}},
			20, screen(w))
		io.WriteString(w, tableRow(cols, "DAYS", "CASE", "PROJECT", "GRANT", "POLICY"))
		for _, d := range list[:min(most, len(list))] {
			perhaps := ""
			if d.Perhaps {
				perhaps = ", perhaps"
			}
			io.WriteString(w, tableRow(cols, fmt.Sprint(d.Days), d.Case, d.Project, d.Grant,
				plain(fmt.Sprintf("%s of role %s%s", d.Policy, lastOf(d.Role), perhaps))))
			for _, line := range wrapped(plain(d.words(now)), textWidth(w)-4) {
				fmt.Fprintf(w, "    %s\n", line)
			}
		}
		fmt.Fprintf(w, "\n%s\n", strings.Join(wrapped(sumOf(list, most), textWidth(w)), "\n"))
	}
	note := "Cases that were closed before " + date(l.From) + " are not in the ledger any more."
	if l.Cut || len(l.Lost) > 0 {
		note = "Not every case could be read, so there may be more. " + note
	}
	fmt.Fprintln(w, strings.Join(wrapped(note, textWidth(w)), "\n"))
}

// sumOf sums them up in a sentence.
func sumOf(list []drift, most int) string {
	n := map[driftState]int{}
	for _, d := range list {
		n[d.State]++
	}
	var parts []string
	for _, one := range []struct {
		state driftState
		what  string
	}{{driftAsked, "asked for in code"}, {driftNotAsked, "not asked for yet"}, {driftNowhere, "in no code"},
		{driftUnknown, "not asked for"}, {driftEnds, "to end by itself"}} {
		if n[one.state] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n[one.state], one.what))
		}
	}
	more := ""
	if len(list) > most {
		more = fmt.Sprintf(", of which the oldest %d are listed (-n shows more)", most)
	}
	oldest := count(list[0].Days, "day")
	if list[0].Days == 0 {
		oldest = "less than a day"
	}
	return fmt.Sprintf("%s in IAM that code does not have yet, the oldest for %s%s: %s.", count(len(list), "change"), oldest, more,
		strings.Join(parts, ", "))
}
