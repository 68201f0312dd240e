package buildlog

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/google/go-cmp/cmp"
)

// agentLog is a whole log, small: a phase that passed, a command with a denial that it tolerated,
// one that failed, its clean-up, and later phases.
func agentLog() string {
	var b strings.Builder
	say := func(format string, a ...any) {
		fmt.Fprintf(&b, agentStamp+format+"\n", a...)
	}
	say("Running on CodeBuild On-demand")
	say("Waiting for agent ping")
	say("Waiting for DOWNLOAD_SOURCE")
	say("CODEBUILD_SRC_DIR=/codebuild/output/src1029/src/github.com/example/a-shop-with-a-long-name")
	say("YAML location is /codebuild/output/src1029/src/github.com/example/a-shop-with-a-long-name/buildspec.yml")
	say("Phase complete: DOWNLOAD_SOURCE State: SUCCEEDED")
	say("Phase context status code:  Message: ")
	say("Entering phase PRE_BUILD")
	say("Running command ./metrics.sh || true")
	b.WriteString("metrics: " + denial("cloudwatch:PutMetricData", "*") + "\n")
	say("Phase complete: PRE_BUILD State: SUCCEEDED")
	say("Phase context status code:  Message: ")
	say("Entering phase BUILD")
	say("Running command ./release.sh --to \"the shop\"")
	b.WriteString("releasing, \"main\"\n\n  1 file\tchanged\nError: 50 % done, and then:\n" + denial("ecr:PutImage",
		"arn:aws:ecr:eu-west-1:111122223333:repository/shop") + "\n")
	b.WriteString(agentStamp + "Command did not exit successfully ./release.sh --to \"the shop\" exit status 3\n")
	say("Running command ./clean.sh")
	b.WriteString("clean: " + denial("s3:DeleteObject", "arn:aws:s3:::shop-tmp/x") + "\n")
	say("Command did not exit successfully ./clean.sh exit status 1")
	say("Phase complete: BUILD State: FAILED")
	say("Phase context status code: COMMAND_EXECUTION_ERROR Message: Error while executing command: ./release.sh " +
		"--to \"the shop\". " +
		"Reason: exit status 3")
	say("Entering phase POST_BUILD")
	say("Running command ./report.sh")
	b.WriteString("toomanyrequests: Rate exceeded, trying again\n")
	say("Phase complete: POST_BUILD State: SUCCEEDED")
	say("Phase context status code:  Message: ")
	say("Expanding base directory path: dist")
	say("Phase complete: UPLOAD_ARTIFACTS State: FAILED")
	say("Phase context status code: CLIENT_ERROR Message: no matching artifact paths found")
	return b.String()
}

// reading is what a reader of a log learns, without the numbers of lines.
type reading struct {
	Phase, Command, Exit string
	Denials              []string
	Tail                 []string
	Also                 []Also
}

func readingOf(f Failure) reading {
	r := reading{Phase: f.Phase, Command: oneLine(f.Command), Exit: f.Exit}
	for _, d := range f.Denials {
		r.Denials = append(r.Denials, fmt.Sprintf("%s on %s by %s, causal %t", d.Action, d.Resource, d.Principal,
			d.Causal))
	}
	for _, l := range f.Tail {
		r.Tail = append(r.Tail, l.Text)
	}
	for _, a := range f.Also {
		a.Line = 0
		r.Also = append(r.Also, a)
	}
	return r
}

const streamName = "codebuild/0a1b2c3d-0000-4000-8000-000000000000"

// eachLine puts something around each line of a log; the format takes the line's number and its
// text.
func eachLine(log, format string) string {
	var b strings.Builder
	for i, l := range strings.Split(strings.TrimSuffix(log, "\n"), "\n") {
		fmt.Fprintf(&b, format+"\n", i+1, l)
	}
	return b.String()
}

// logForms are ways in which a log may be saved.
var logForms = []struct {
	what string
	form func(log string) string
}{
	{"aws logs tail, with the stream's name", func(s string) string {
		return eachLine(s, "2026-01-05T10:11:%02[1]d.131000+00:00 "+streamName+" %[2]s")
	}},
	{"aws logs tail --format short", func(s string) string { return eachLine(s, "2026-01-05T10:11:%02[1]d %[2]s") }},
	{"aws logs tail, coloured", func(s string) string {
		return eachLine(s, "\x1b[32m2026-01-05T10:11:%02[1]d.131000+00:00\x1b[0m \x1b[36m"+streamName+"\x1b[0m %[2]s")
	}},
	{"times in front of each line", func(s string) string { return eachLine(s, "2026-01-05T10:11:12.131Z %[2]s") }},
	{"cat -n", func(s string) string { return eachLine(s, "%6[1]d\t%[2]s") }},
	{"grep -n", func(s string) string { return eachLine(s, "%[1]d:%[2]s") }},
	{"numbers and a bar", func(s string) string { return eachLine(s, "%4[1]d | %[2]s") }},
	{"a service of Compose", func(s string) string { return eachLine(s, "agent_1  | %[2]s") }},
	{"quoted in a mail", func(s string) string { return eachLine(s, "> %[2]s") }},
	{"quoted twice", func(s string) string { return eachLine(s, "> > %[2]s") }},
	{"indented", func(s string) string { return eachLine(s, "    %[2]s") }},
	{"coloured lines", func(s string) string { return eachLine(s, "\x1b[36m%[2]s\x1b[0m") }},
	{"carriage returns", func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }},
	{"--output text with times", func(s string) string { return eachLine(s, "17641512670%02[1]d\t%[2]s") }},
	{"get-log-events --output text", func(s string) string {
		return "b/1\tf/1\n" + eachLine(s, "EVENTS\t17641512670%02[1]d\t%[2]s\n\t1764151267000")
	}},
	{"filter-log-events --output text", func(s string) string {
		return eachLine(s, "EVENTS\t3812345678%[1]d\t1764151267000\t"+streamName+"\t%[2]s\n\t1764151267000")
	}},
	{"--output table", func(s string) string {
		return "-----------\n|  GetLogEvents  |\n+------+\n" + eachLine(s,
			"||  1764151267000|  %[2]s\n        |  1764151267000  ||")
	}},
	{"times and messages, --output text", func(s string) string { return eachLine(s, "17641512670%02[1]d\t%[2]s\n") }},
	{"get-log-events --output text, without newlines", func(s string) string {
		return eachLine(s, "EVENTS\t17641512670%02[1]d\t%[2]s\t1764151267000")
	}},
	{"all messages in a list, --output text", func(s string) string { return eachLine(s, "\t%[2]s")[1:] }},
	{"one blank line behind each", func(s string) string { return eachLine(s, "%[2]s\n") }},
	{"get-log-events", func(s string) string { return jsonEvents(s, "  ", "message", "\n") }},
	{"get-log-events in one line", func(s string) string { return jsonEvents(s, "", "message", "\n") }},
	{"events without newlines", func(s string) string { return jsonEvents(s, "    ", "@message", "") }},
	{"a list of messages", func(s string) string {
		b, _ := json.MarshalIndent(strings.SplitAfter(strings.TrimSuffix(s, "\n"), "\n"), "", "    ")
		return string(b)
	}},
	{"an object in each line", func(s string) string {
		var b strings.Builder
		for l := range strings.Lines(s) {
			x, _ := json.Marshal(map[string]string{"log": l, "stream": "stdout", "time": "2026-01-05T10:11:12.1Z"})
			b.Write(append(x, '\n'))
		}
		return b.String()
	}},
	{"one JSON string", func(s string) string { b, _ := json.Marshal(s); return string(b) }},
	{"a JSON string without its marks", func(s string) string {
		b,
			_ := json.Marshal(s)
		return string(b[1 : len(b)-1])
	}},
	{"CSV of the console", func(s string) string { return csvEvents(s, "timestamp,message", "1764151267123", "\n") }},
	{"a terminal of 80 columns", func(s string) string { return broken(s, 80, false) }},
	{"CSV without newlines", func(s string) string {
		return csvEvents(s, "@timestamp,@message",
			"2026-01-05 10:11:12.131", "")
	}},
}

func jsonEvents(log, indent, key, end string) string {
	var events []map[string]any
	for l := range strings.Lines(log) {
		events = append(events, map[string]any{"timestamp": 1764151267123, key: strings.TrimSuffix(l, "\n") + end,
			"ingestionTime": 1764151268000})
	}
	all := map[string]any{"events": events, "nextForwardToken": "f/38", "nextBackwardToken": "b/38"}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", indent)
	_ = e.Encode(all)
	return b.String()
}

func csvEvents(log, header, stamp, end string) string {
	var b bytes.Buffer
	b.WriteString(header + "\n")
	w := csv.NewWriter(&b)
	for l := range strings.Lines(log) {
		_ = w.Write([]string{stamp, strings.TrimSuffix(l, "\n") + end})
	}
	w.Flush()
	return b.String()
}

// However a log was saved, the same is read.
func TestForms(t *testing.T) {
	log := agentLog()
	want := readingOf(ReadEvents(codebuild.Build{}, log))
	if want.Command != `./release.sh --to "the shop"` || len(want.Denials) != 3 || len(want.Also) != 2 {
		t.Fatalf("got %+v", want)
	}
	for _, form := range logForms {
		t.Run(form.what, func(t *testing.T) {
			got := readingOf(ReadText(codebuild.Build{}, form.form(log)))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// broken breaks a log as a terminal of the width does, with or without the blanks at a line's end.
func broken(log string, width int, trim bool) string {
	var b strings.Builder
	for l := range strings.Lines(log) {
		rest := []rune(strings.ReplaceAll(strings.TrimSuffix(l, "\n"), "\t", "  "))
		for len(rest) > width {
			part := string(rest[:width])
			if trim {
				part = strings.TrimRight(part, " ")
			}
			b.WriteString(part + "\n")
			rest = rest[width:]
		}
		b.WriteString(string(rest) + "\n")
	}
	return b.String()
}

// A terminal breaks lines at its width, also those of the agent.
func TestCopiedFromATerminal(t *testing.T) {
	log := strings.ReplaceAll(agentLog(), "\t", "  ")
	want := readingOf(ReadEvents(codebuild.Build{}, log))
	for _, width := range []int{72, 80, 100, 120} {
		got := readingOf(ReadText(codebuild.Build{}, broken(log, width, false)))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("width %d (-want +got):\n%s", width, diff)
		}
	}
	// Where it drops a blank at the end of a line, output may lack it; what the agent says does
	// not.
	got := readingOf(ReadText(codebuild.Build{}, broken(log, 80, true)))
	got.Tail, got.Denials = want.Tail, want.Denials
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("blanks dropped (-want +got):\n%s", diff)
	}
	// A log whose longest line only happens to be the agent's is left alone.
	whole := ReadText(codebuild.Build{}, log)
	if diff := cmp.Diff(ReadEvents(codebuild.Build{}, log), whole); diff != "" {
		t.Errorf("not broken (-want +got):\n%s", diff)
	}
}

// Two builds' streams in one tail are read apart: the one that the record names, else the one that
// failed, else the one that failed last.
func TestStreamsOfTwoBuilds(t *testing.T) {
	const first, second = "codebuild/0a1b2c3d-0000-4000-8000-000000000001",
		"codebuild/0a1b2c3d-0000-4000-8000-000000000002"
	failing := agentLog()
	other := strings.NewReplacer("./release.sh", "./publish.sh", "ecr:PutImage", "ecr:BatchGetImage").Replace(failing)
	green := agentStamp + "Running on CodeBuild On-demand\n" + agentStamp +
		"Phase complete: DOWNLOAD_SOURCE State: SUCCEEDED\n" +
		agentStamp + "Running command ./green.sh\nError: but all is well\n" + denial("ssm:GetParameter", "*") + "\n" +
		agentStamp + "Phase complete: BUILD State: SUCCEEDED\n"
	mixed := func(a, b string) string {
		var out strings.Builder
		x, y := strings.SplitAfter(a, "\n"), strings.SplitAfter(b, "\n")
		for i := range max(len(x), len(y)) {
			for _, s := range []struct {
				lines []string
				name  string
			}{{x, first}, {y, second}} {
				if i < len(s.lines) && s.lines[i] != "" {
					fmt.Fprintf(&out, "2026-01-05T10:11:12.131000+00:00 %s %s", s.name, s.lines[i])
				}
			}
		}
		return out.String()
	}
	events := func(a, b string) string {
		var list []string
		for _, s := range []struct{ log, name string }{{a, first}, {b, second}} {
			for l := range strings.Lines(s.log) {
				m, _ := json.Marshal(l)
				list = append(list, fmt.Sprintf(`{"logStreamName": %q, "timestamp": 17641512, "message": %s, "eventId": "3"}`, s.name, m))
			}
		}
		return `{"events": [` + strings.Join(list, ",\n") + `], "searchedLogStreams": []}`
	}
	named := func(uuid string) codebuild.Build { return codebuild.Build{ID: "shop:" + uuid} }
	for _, c := range []struct {
		what  string
		build codebuild.Build
		text  string
		want  string // the log that is read
	}{
		{"the second failed", codebuild.Build{}, mixed(green, failing), failing},
		{"the first failed", codebuild.Build{}, mixed(failing, green), failing},
		{"one after the other", codebuild.Build{}, mixed(failing, "") + mixed("", green), failing},
		{"the second one begins late", codebuild.Build{}, mixed(strings.Replace(green, "Error", strings.Repeat("x\n",
			50000)+"Error", 1), "") + mixed("", failing), failing},
		{"both failed: the last", codebuild.Build{}, mixed(failing, "") + mixed("", other), other},
		{"both failed: the one that the record names", named("0a1b2c3d-0000-4000-8000-000000000001"), mixed(failing,
			other), failing},
		{"the record names its stream", codebuild.Build{Logs: codebuild.Logs{Stream: second}}, mixed(failing, other),
			other},
		{"events of filter-log-events", codebuild.Build{}, events(green, failing), failing},
		{"events, by the record", named("0a1b2c3d-0000-4000-8000-000000000002"), events(failing, other), other},
	} {
		t.Run(c.what, func(t *testing.T) {
			want := readingOf(ReadEvents(codebuild.Build{}, c.want))
			if diff := cmp.Diff(want, readingOf(ReadText(c.build, c.text))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
