package diagnose_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/codebuild"
)

// A crossing changes a whole log in a way that must not change why the build failed. cross reports
// false where it does not apply: BUILD's failure alone is followed by POST_BUILD
// (AWS.md#failed-command).
type crossing struct {
	name  string
	cross func(wholeLog) (string, codebuild.Build, bool)
}

// crossings are what a careful reader is not misled by. The names are those in known.txt.
var crossings = []crossing{
	{"later: POST_BUILD passes, with a rate limit", laterPhase(false, output(
		"pull 1: toomanyrequests: You have reached your unauthenticated pull rate limit.",
		"pull 2: ThrottlingException: Rate exceeded", "pull 3: done"))},
	{"later: POST_BUILD passes, with a denial", laterPhase(false, tolerated)},
	{"later: POST_BUILD fails by a denial", laterPhase(true, denied)},
	{"later: UPLOAD_ARTIFACTS finds nothing", uploadFails("no matching artifact paths found")},
	{"later: UPLOAD_ARTIFACTS is denied", uploadFails("Error in UPLOAD_ARTIFACTS phase: AccessDenied: {denial}")},
	{"tolerated: a command before", beforeCommand("./ci/warm.sh || true", tolerated)},
	{"tolerated: within, before the rest", withinCommand(tolerated)},
	{"tolerated: within, at the end", endOfCommand(tolerated)},
	{"finally: prints a denial and passes", afterCommand(false, tolerated)},
	{"finally: fails by a denial", afterCommand(true, denied)},
	{"long: 5,000 lines in a command before", beforeCommand("./ci/list.sh", output(many(5000)...))},
	{"long: 5,000 lines before, within", withinCommand(output(many(5000)...))},
	{"long: 200 lines of a service's log after, within", endOfCommand(output(serviceLog(200)...))},
	{"form: CRLF", form(func(w wholeLog, l string, _ int) string { return l + "\r" })},
	{"form: logs tail", tail},
	{"form: time stamps", form(func(_ wholeLog, l string, n int) string {
		return fmt.Sprintf("2026-11-20T10:%02d:%02d.%03dZ %s", n/60%60, n%60, n%1000, l)
	})},
	{"form: line numbers", form(func(_ wholeLog, l string, n int) string { return fmt.Sprintf("%6d\t%s", n+1, l) })},
	{"form: line numbers and colons", form(func(_ wholeLog, l string, n int) string {
		return fmt.Sprintf("%d:%s", n+1, l)
	})},
	{"form: quoted", form(func(_ wholeLog, l string, _ int) string { return "> " + l })},
	{"form: Compose's service", form(func(_ wholeLog, l string, _ int) string { return "agent_1  | " + l })},
	{"form: colours", form(coloured)},
	{"form: colours behind", form(func(_ wholeLog, l string, _ int) string { return l + "\x1b[0m" })},
	{"form: [Instance]", instance},
	{"form: JSON events", jsonEvents},
	{"form: JSON events, one a line", form(func(_ wholeLog, l string, n int) string {
		return fmt.Sprintf(`{"timestamp":%d,"message":%s}`, 1795514400000+n, quotedJSON(l+"\n"))
	})},
	{"form: events as text", tabs},
	{"both: [Instance], a command before", both(beforeCommand("./ci/warm.sh || true", tolerated), instance)},
	{"both: [Instance], POST_BUILD's rate limit", both(laterPhase(false,
		output("toomanyrequests: Rate exceeded", "done")), instance)},
	{"both: logs tail, a finally block", both(afterCommand(false, tolerated), tail)},
	{"both: JSON events, POST_BUILD's denial", both(laterPhase(false, tolerated), jsonEvents)},
	{"alone: no record of phases", noRecord},
	{"alone: [Instance]", both(noRecord, instance)},
	{"alone: logs tail", both(noRecord, tail)},
	{"alone: JSON events", both(noRecord, jsonEvents)},
	{"alone: events as text", both(noRecord, tabs)},
	{"alone: colours behind", both(noRecord, form(func(_ wholeLog, l string, _ int) string { return l + "\x1b[0m" }))},
	{"alone: a later phase fails, too", both(laterPhase(true, denied), noRecord)},
}

// The forms that are crossed with more than one thing.
var (
	tail = form(func(w wholeLog, l string, n int) string {
		return fmt.Sprintf("2026-11-20T10:00:%02d.%06d+00:00 %s %s", n/60%60, n, w.build.Logs.Stream, l)
	})
	instance = form(func(_ wholeLog, l string, _ int) string {
		if rest, ok := strings.CutPrefix(l, agent); ok {
			return "[Instance] " + rest
		}
		return l
	})
	// The AWS CLI prints events so with --output text: a message ends with a line break of its own.
	tabs = form(func(_ wholeLog, l string, n int) string {
		return fmt.Sprintf("EVENTS\t%d\t%s\n\t%d", 1795514401000+n, l, 1795514400000+n)
	})
)

// noRecord is the log of a build of which nothing else is known, as somebody pipes one.
func noRecord(w wholeLog) (string, codebuild.Build, bool) {
	b := w.build
	b.Phases, b.Status = nil, ""
	return w.text, b, true
}

// both crosses a log with one thing after the other.
func both(first, second func(wholeLog) (string, codebuild.Build, bool)) func(wholeLog) (string,
	codebuild.Build, bool) {
	return func(w wholeLog) (string, codebuild.Build, bool) {
		var ok bool
		if w.text, w.build, ok = first(w); !ok {
			return "", w.build, false
		}
		return second(w)
	}
}

const agent = "[Container] "

// survived are denials that a script outlives, in the words of different scripts. {denial} is AWS's
// sentence, {call} the same as the AWS CLI reports it.
var survived = [][]string{
	{"{call}", "metrics are off, going on"},
	{"{call}", "warning: the metric was not written; the build continues"},
	{"could not write the metric, skipping it: {denial}"},
	{"[metrics] {denial} (ignored)"},
	{"metrics are optional: AccessDeniedException: {denial}", "nothing is sent this time"},
	{"metric not sent ({denial}), carrying on without"},
}

// A printer is the output of a command, which may differ from log to log.
type printer func(wholeLog) []string

func output(lines ...string) printer { return func(w wholeLog) []string { return w.own(lines) } }

// tolerated prints a denial and goes on.
func tolerated(w wholeLog) []string {
	n := 0
	for _, c := range w.name {
		n += int(c)
	}
	return w.own(survived[n%len(survived)])
}

// denied prints a denial, and nothing else.
func denied(w wholeLog) []string { return w.own([]string{"{call}"}) }

func many(n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("ok file %d", i+1)
	}
	return list
}

// serviceLog is what a script shows of a service when its own work is over: no further work.
func serviceLog(n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("db-1  | 2026-11-20 09:%02d:%02d UTC [27] LOG:  checkpoint complete: wrote %d buffers",
			i/60, i%60, i)
	}
	return list
}

// lines gives the log's lines, and where the failed command's begin and end: at is the index of
// "Running command", exit that of the line which says that it failed.
func (w wholeLog) lines() (lines []string, at, exit int) {
	lines = strings.Split(strings.TrimSuffix(w.text, "\n"), "\n")
	at, exit = -1, -1
	for i, l := range lines {
		switch {
		case exit >= 0:
		case says(l, "Running command "):
			at = i
		case says(l, "Command did not exit successfully "):
			exit = i
		}
	}
	return lines, at, exit
}

// says reports whether l is the agent's and goes on with text after the time.
func says(l, text string) bool {
	rest, ok := strings.CutPrefix(l, agent)
	return ok && len(rest) > 27 && strings.HasPrefix(rest[27:], text)
}

// agentLine is a line of the agent at the time of the line like.
func agentLine(like, text string) string { return like[:len(agent)+27] + text }

// own puts denials of the build's session in the place of {denial} and {call}.
func (w wholeLog) own(lines []string) []string {
	role, _ := w.build.Role()
	denial := fmt.Sprintf("User: arn:aws:sts::%s:assumed-role/%s/%s is not authorized to perform: "+
		"cloudwatch:PutMetricData on resource: * because no identity-based policy allows the cloudwatch:PutMetricData "+
		"action",
		role.Account, role.Name, w.build.Session())
	call := "An error occurred (AccessDeniedException) when calling the PutMetricData operation: " + denial
	r := strings.NewReplacer("{denial}", denial, "{call}", call)
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = r.Replace(l)
	}
	return out
}

func joined(lines []string) string { return strings.Join(lines, "\n") + "\n" }

func beforeCommand(command string, print printer) func(wholeLog) (string, codebuild.Build, bool) {
	return func(w wholeLog) (string, codebuild.Build, bool) {
		lines, at, exit := w.lines()
		if exit < 0 {
			return "", w.build, false
		}
		more := append([]string{agentLine(lines[at], "Running command "+command)}, print(w)...)
		return joined(slices.Insert(lines, at, more...)), w.build, true
	}
}

func withinCommand(print printer) func(wholeLog) (string, codebuild.Build, bool) {
	return func(w wholeLog) (string, codebuild.Build, bool) {
		lines, at, exit := w.lines()
		if exit < 0 {
			return "", w.build, false
		}
		return joined(slices.Insert(lines, at+1, print(w)...)), w.build, true
	}
}

func endOfCommand(print printer) func(wholeLog) (string, codebuild.Build, bool) {
	return func(w wholeLog) (string, codebuild.Build, bool) {
		lines, _, exit := w.lines()
		if exit < 0 {
			return "", w.build, false
		}
		return joined(slices.Insert(lines, exit, print(w)...)), w.build, true
	}
}

// afterCommand adds a command of a finally block, which runs before the phase is complete.
func afterCommand(fails bool, print printer) func(wholeLog) (string, codebuild.Build, bool) {
	const command = "./ci/keep-log.sh"
	return func(w wholeLog) (string, codebuild.Build, bool) {
		lines, _, exit := w.lines()
		if exit < 0 {
			return "", w.build, false
		}
		more := append([]string{agentLine(lines[exit], "Running command "+command)}, print(w)...)
		if fails {
			more = append(more, agentLine(lines[exit], "Command did not exit successfully "+command+" exit status 254"))
		}
		return joined(slices.Insert(lines, exit+1, more...)), w.build, true
	}
}

// laterPhase adds a command to POST_BUILD, or the phase with it.
func laterPhase(fails bool, print printer) func(wholeLog) (string, codebuild.Build, bool) {
	const command = "./ci/after.sh"
	return func(w wholeLog) (string, codebuild.Build, bool) {
		lines, _, exit := w.lines()
		failed, _ := w.build.FailedPhase()
		if exit < 0 || failed.Type != "BUILD" {
			return "", w.build, false
		}
		state, code, message := codebuild.Succeeded, "", ""
		ran := append([]string{agentLine(lines[exit], "Running command "+command)}, print(w)...)
		if fails {
			ran = append(ran, agentLine(lines[exit], "Command did not exit successfully "+command+" exit status 254"))
			state, code = codebuild.Failed, "COMMAND_EXECUTION_ERROR"
			message = "Error while executing command: " + command + ". Reason: exit status 254"
		}
		begin := slices.IndexFunc(lines, func(l string) bool { return says(l, "Entering phase POST_BUILD") })
		if begin >= 0 {
			if fails {
				return "", w.build, false // the phase has an end of its own
			}
			return joined(slices.Insert(lines, begin+1, ran...)), w.build, true
		}
		end := exit + slices.IndexFunc(lines[exit:], func(l string) bool { return says(l, "Phase context status code: ") })
		phase := append([]string{agentLine(lines[exit], "Entering phase POST_BUILD")}, ran...)
		phase = append(phase, agentLine(lines[exit], "Phase complete: POST_BUILD State: "+state),
			agentLine(lines[exit], "Phase context status code: "+code+" Message: "+message))
		b := w.build
		i := slices.IndexFunc(b.Phases, func(p codebuild.Phase) bool { return p.Type == "BUILD" })
		p := codebuild.Phase{Type: "POST_BUILD", Status: state}
		if code != "" {
			p.Contexts = []codebuild.Context{{Code: code, Message: message}}
		}
		b.Phases = slices.Insert(slices.Clone(b.Phases), i+1, p)
		return joined(slices.Insert(lines, end+1, phase...)), b, true
	}
}

// uploadFails makes UPLOAD_ARTIFACTS fail, which runs whatever BUILD came to.
func uploadFails(message string) func(wholeLog) (string, codebuild.Build, bool) {
	return func(w wholeLog) (string, codebuild.Build, bool) {
		lines, _, exit := w.lines()
		at := slices.IndexFunc(lines, func(l string) bool {
			return says(l, "Phase complete: UPLOAD_ARTIFACTS State: SUCCEEDED")
		})
		if exit < 0 || at < 0 {
			return "", w.build, false
		}
		message := w.own([]string{message})[0]
		lines[at] = agentLine(lines[at], "Phase complete: UPLOAD_ARTIFACTS State: FAILED")
		lines[at+1] = agentLine(lines[at], "Phase context status code: CLIENT_ERROR Message: "+message)
		b := w.build
		b.Phases = slices.Clone(b.Phases)
		i := slices.IndexFunc(b.Phases, func(p codebuild.Phase) bool { return p.Type == "UPLOAD_ARTIFACTS" })
		b.Phases[i].Status = codebuild.Failed
		b.Phases[i].Contexts = []codebuild.Context{{Code: "CLIENT_ERROR", Message: message}}
		return joined(lines), b, true
	}
}

// form changes each line on its own.
func form(change func(w wholeLog, line string, n int) string) func(wholeLog) (string, codebuild.Build, bool) {
	return func(w wholeLog) (string, codebuild.Build, bool) {
		lines, _, _ := w.lines()
		for i, l := range lines {
			lines[i] = change(w, l, i)
		}
		return joined(lines), w.build, true
	}
}

// coloured colours the agent's lines and what looks like an error, as a terminal's copy holds it.
func coloured(_ wholeLog, l string, _ int) string {
	switch {
	case strings.HasPrefix(l, agent):
		return "\x1b[34m[Container]\x1b[0m" + strings.TrimPrefix(l, "[Container]")
	case strings.Contains(strings.ToLower(l), "error"), strings.Contains(strings.ToLower(l), "fail"):
		return "\x1b[1m\x1b[31m" + l + "\x1b[39m\x1b[22m"
	}
	return l
}

// jsonEvents is the log as `aws logs get-log-events` prints it by default.
func jsonEvents(w wholeLog) (string, codebuild.Build, bool) {
	type event struct {
		Timestamp     int64  `json:"timestamp"`
		Message       string `json:"message"`
		IngestionTime int64  `json:"ingestionTime"`
	}
	lines, _, _ := w.lines()
	var answer struct {
		Events []event `json:"events"`
	}
	for i, l := range lines {
		answer.Events = append(answer.Events, event{1795514400000 + int64(i), l + "\n", 1795514401000 + int64(i)})
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "    ")
	if err := e.Encode(answer); err != nil {
		return "", w.build, false
	}
	return b.String(), w.build, true
}

func quotedJSON(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(s) != nil {
		return ""
	}
	return strings.TrimSuffix(b.String(), "\n")
}
