package simaws

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// announce sends the build's state to EventBridge, in the shape of CodeBuild's
// events (AWS.md#event-shape), and on to its queue if the rule's pattern matches.
func (b *build) announce() {
	s := b.sim()
	ev := b.event()
	text, err := json.Marshal(ev)
	if err != nil {
		panic("simaws: encoding an event: " + err.Error()) // only plain values in it
	}
	var match map[string]any
	if err := json.Unmarshal(text, &match); err != nil || !s.pattern.matches(match) {
		return
	}
	to := Queue
	if b.status == "SUCCEEDED" || b.status == "STOPPED" {
		to = FollowUps
	}
	s.deliver(to, b.id()+" "+b.status, string(text))
}

// deliver puts an event into a home queue, with what trouble does to it.
func (s *Sim) deliver(to, what, text string) {
	t := s.cfg.Trouble
	n := itoa(s.nth("event " + what))
	if t.DropEvents > 0 && s.chance("drop", what, n) < t.DropEvents {
		return
	}
	q := s.home().queues[to]
	s.after(s.between(0, t.DelayEvents, "delay", what, n), func() { q.put(text, 0) })
	if t.DuplicateEvents > 0 && s.chance("duplicate", what, n) < t.DuplicateEvents {
		s.after(s.between(0, max(t.DelayEvents, time.Minute), "duplicate delay", what, n), func() { q.put(text, 0) })
	}
}

// event is the state change event as it stands now.
func (b *build) event() map[string]any {
	s := b.sim()
	return map[string]any{
		"version": "0", "id": s.uuid("event " + b.id()), "detail-type": "CodeBuild Build State Change",
		"source": "aws.codebuild", "account": b.p.est.acct.id, "time": s.now.Format(time.RFC3339), "region": b.p.est.region,
		"resources": []string{b.arn()},
		"detail": map[string]any{
			"build-status": b.status, "project-name": b.p.conf.Name, "build-id": b.arn(),
			"additional-information": b.information(),
			"current-phase":          b.currentPhase(), "current-phase-context": "[: ]", "version": "1",
		},
	}
}

// information is the event's additional-information.
func (b *build) information() map[string]any {
	info := map[string]any{
		"cache":                     map[string]any{"type": "NO_CACHE"},
		"timeout-in-minutes":        float(60),
		"build-complete":            b.complete,
		"initiator":                 b.initiator,
		"build-start-time":          eventTimeText(b.start),
		"source":                    b.eventSource(),
		"artifact":                  map[string]any{"location": ""},
		"environment":               b.eventEnvironment(),
		"logs":                      b.eventLogs(),
		"phases":                    b.eventPhases(),
		"queued-timeout-in-minutes": float(480),
	}
	if b.complete {
		info["build-number"] = float(b.number) // absent while in progress (AWS.md#event-shape)
	}
	if b.sourceVersion != "" {
		info["source-version"] = b.sourceVersion
	}
	return info
}

// float is a number as CodeBuild's events write it: 60.0.
type float float64

func (f float) MarshalJSON() ([]byte, error) { return fmt.Appendf(nil, "%.1f", float64(f)), nil }

// eventTimeText is a time as CodeBuild's events write it.
func eventTimeText(t time.Time) string { return t.Format("Jan 2, 2006 3:04:05 PM") }

func (b *build) eventSource() map[string]any {
	if b.sourceType == "CODEPIPELINE" {
		return map[string]any{"type": "CODEPIPELINE"}
	}
	src := map[string]any{"type": b.sourceType, "location": b.conf.Source.Location, "report-build-status": false}
	if spec := orText(b.buildspec, b.p.conf.Buildspec); spec != "" {
		src["buildspec"] = spec
	}
	return src
}

func (b *build) eventEnvironment() map[string]any {
	return map[string]any{
		"image": b.env.Image, "privileged-mode": b.env.PrivilegedMode, "image-pull-credentials-type": "CODEBUILD",
		"compute-type": b.env.ComputeType, "type": b.env.Type,
		"environment-variables": b.env.EnvironmentVariables,
	}
}

// eventLogs names the stream only if there is one; an S3 log is not
// mentioned at all (AWS.md#log-location).
func (b *build) eventLogs() map[string]any {
	if b.stream == nil {
		return map[string]any{"deep-link": b.deepLink("null", "null")}
	}
	return map[string]any{"group-name": b.group, "stream-name": b.name, "deep-link": b.deepLink(b.group, b.name)}
}

func (b *build) deepLink(group, stream string) string {
	region := b.p.est.region
	return "https://console.aws.amazon.com/cloudwatch/home?region=" + region + "#logEvent:group=" + group + ";stream=" + stream
}

func (b *build) eventPhases() []map[string]any {
	var out []map[string]any
	for _, p := range b.phases {
		m := map[string]any{"phase-type": p.kind, "start-time": eventTimeText(p.start)}
		if !p.end.IsZero() {
			m["phase-status"], m["end-time"] = p.status, eventTimeText(p.end)
			m["duration-in-seconds"] = float(p.end.Sub(p.start).Truncate(time.Second).Seconds())
			m["phase-context"] = p.eventContext()
		}
		out = append(out, m)
	}
	return out
}

func (p phase) eventContext() []string {
	if p.code == "" && (p.kind == "SUBMITTED" || p.kind == "QUEUED") {
		return []string{}
	}
	return []string{p.code + ": " + p.message}
}

// eventPattern is an EventBridge event pattern.
type eventPattern map[string]any

const defaultPattern = `{"source": ["aws.codebuild"], "detail-type": ["CodeBuild Build State Change"],
 "detail": {"build-status": ["SUCCEEDED", "FAILED", "FAULT", "TIMED_OUT", "STOPPED"]}}`

// parsePattern reads an event pattern. Operators other than prefix, suffix,
// anything-but, exists and equals-ignore-case are errors.
func parsePattern(text string) (eventPattern, error) {
	var p eventPattern
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return nil, fmt.Errorf("reading event pattern: %w", err)
	}
	if err := checkPattern(p, ""); err != nil {
		return nil, fmt.Errorf("reading event pattern: %w", err)
	}
	return p, nil
}

func checkPattern(p map[string]any, path string) error {
	for key, v := range p {
		at := path + "/" + key
		switch v := v.(type) {
		case map[string]any:
			if err := checkPattern(v, at); err != nil {
				return err
			}
		case []any:
			if err := checkAlternatives(v, key, at); err != nil {
				return err
			}
		default:
			return fmt.Errorf("%s: neither a list nor an object", at)
		}
	}
	return nil
}

func checkAlternatives(list []any, key, at string) error {
	for _, alt := range list {
		m, ok := alt.(map[string]any)
		if !ok {
			continue
		}
		if key == "$or" {
			if err := checkPattern(m, at); err != nil {
				return err
			}
			continue
		}
		for op := range m {
			if !slices.Contains([]string{"prefix", "suffix", "anything-but", "exists", "equals-ignore-case"}, op) {
				return fmt.Errorf("%s: operator %q is not simulated", at, op)
			}
		}
	}
	return nil
}

// matches reports whether an event fits: every key of the pattern must.
func (p eventPattern) matches(event map[string]any) bool {
	for key, want := range p {
		if key == "$or" {
			if !slices.ContainsFunc(want.([]any), func(alt any) bool {
				return eventPattern(alt.(map[string]any)).matches(event)
			}) {
				return false
			}
			continue
		}
		got, present := event[key]
		switch want := want.(type) {
		case map[string]any:
			inner, _ := got.(map[string]any)
			if !eventPattern(want).matches(inner) {
				return false
			}
		case []any:
			if !anyMatches(want, got, present) {
				return false
			}
		}
	}
	return true
}

// anyMatches reports whether a value, or one of a list of values, fits one
// of the alternatives.
func anyMatches(alternatives []any, got any, present bool) bool {
	values, isList := got.([]any)
	if !isList {
		values = []any{got}
	}
	return slices.ContainsFunc(alternatives, func(alt any) bool {
		if m, ok := alt.(map[string]any); ok {
			if want, ok := m["exists"]; ok {
				return want == present
			}
		}
		return present && slices.ContainsFunc(values, func(v any) bool { return fits(alt, v) })
	})
}

func fits(alt, v any) bool {
	m, ok := alt.(map[string]any)
	if !ok {
		return alt == v
	}
	text, isText := v.(string)
	for op, arg := range m {
		switch op {
		case "prefix":
			return isText && strings.HasPrefix(text, arg.(string))
		case "suffix":
			return isText && strings.HasSuffix(text, arg.(string))
		case "equals-ignore-case":
			return isText && strings.EqualFold(text, arg.(string))
		case "anything-but":
			return !butFits(arg, v)
		}
	}
	return false
}

func butFits(arg, v any) bool {
	list, ok := arg.([]any)
	if !ok {
		list = []any{arg}
	}
	return slices.ContainsFunc(list, func(a any) bool { return fits(a, v) })
}
