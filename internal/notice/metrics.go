package notice

import (
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// Namespace is the metrics' namespace in CloudWatch.
const Namespace = "Buildmedic"

// metric is one metric of a line.
type metric struct {
	Name  string
	Unit  string
	value int
}

// Metrics returns an outcome's metrics in CloudWatch's embedded metric format: one JSON object a
// line, each a log event of its own, without a newline after the last.
//
// The first line counts: Failures (cases, once each, when they end), one
// metric named after the kind of outcome (Healed, Proposed, Requested, Reported, Undone,
// Failed, Permanent, Retrying, Expiring, Paused, Incident), Rounds of cases in which something was
// tried, TimeToHeal in seconds, and ScanTime (reading and scanning the log) in
// milliseconds; in all, by Cause and by Project. A further line for each rule that refused
// counts Refused by Rule. Dimensions have few values: names out of causes.yaml,
// of the settings and of the guardrails.
func Metrics(o decide.Outcome) []byte {
	v := newView(o)
	r := v.latest
	cause := "unknown"
	if r.Diagnosis != nil && r.Diagnosis.Cause != "" {
		cause = id(r.Diagnosis.Cause)
	}
	project := id(o.Case.Project)
	if project == "" {
		project = "none"
	}
	ms := []metric{{kindMetrics[o.Kind], "Count", 1}}
	if endsCase(v) {
		ms = append(ms, metric{"Failures", "Count", 1 + o.Repeats})
		if r.Scan > 0 {
			ms = append(ms, metric{"ScanTime", "Milliseconds", int(r.Scan.Milliseconds())})
		}
	}
	if n := len(v.acted); n > 0 &&
		(o.Kind == decide.Healed || o.Kind == decide.Failed || o.Kind == decide.Undone && endsCase(v)) {
		ms = append(ms, metric{"Rounds", "Count", n})
	}
	if o.Kind == decide.Healed {
		ms = append(ms, metric{"TimeToHeal", "Seconds", int(v.timeToHeal.Seconds())})
	}
	line := map[string]any{"Cause": cause, "Project": project, "Case": id(o.Case.ID), "Notice": id(o.ID)}
	lines := []string{emf(o, line, ms, []string{}, []string{"Cause"}, []string{"Project"})}
	for _, rule := range rules(r) {
		lines = append(lines, emf(o,
			map[string]any{"Rule": id(string(rule)), "Project": project, "Case": id(o.Case.ID)},
			[]metric{{"Refused", "Count", 1}}, []string{}, []string{"Rule"}))
	}
	return []byte(strings.Join(lines, "\n"))
}

// kindMetrics are the metrics' names by kind.
var kindMetrics = map[decide.Kind]string{
	decide.Healed: "Healed", decide.Proposed: "Proposed", decide.Requested: "Requested", decide.Reported: "Reported",
	decide.Undone: "Undone", decide.Failed: "Failed", decide.MadePermanent: "Permanent", decide.Retrying: "Retrying",
	decide.Expiring: "Expiring", decide.Paused: "Paused", decide.OfIncident: "Incident",
}

// endsCase reports whether the outcome ends a case for the first time. A proposed case that was
// approved, one that was asked for by a request, and a healed one that somebody undoes, have been
// counted before.
func endsCase(v *view) bool {
	r := v.latest
	proposed := v.through || r.Decision != nil && r.Decision.Mode == settings.Propose ||
		slices.ContainsFunc(v.rounds, func(r decide.Round) bool { return !r.Old && r.Approved != "" })
	switch v.Kind {
	case decide.Proposed:
		return true
	case decide.Reported: // of what was turned down at once, nothing was told before
		declined := func(q decide.Request) bool { return q.State == decide.RequestDeclined }
		return !r.Requested() || slices.ContainsFunc(r.Requests, declined)
	case decide.Requested: // that it waits still may be told again
		return !v.At.After(v.Case.Closed)
	case decide.Healed, decide.Failed:
		return !proposed
	case decide.Undone:
		return r.Decision != nil && r.Decision.Undo > 0 && !proposed
	}
	return false
}

// rules lists the rules that refused, each once.
func rules(r decide.Round) []guardrail.Rule {
	var out []guardrail.Rule
	if r.Decision == nil {
		return nil
	}
	for _, f := range r.Decision.Refusals {
		if !slices.Contains(out, f.Rule) {
			out = append(out, f.Rule)
		}
	}
	return out
}

// emf writes one line. dimensions are sets of keys of the line.
func emf(o decide.Outcome, line map[string]any, ms []metric, dimensions ...[]string) string {
	for _, m := range ms {
		line[m.Name] = m.value
	}
	line["_aws"] = map[string]any{
		"Timestamp":         o.At.UnixMilli(),
		"CloudWatchMetrics": []any{map[string]any{"Namespace": Namespace, "Dimensions": dimensions, "Metrics": ms}},
	}
	return jsonText(line)
}
