package buildlog

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/google/go-cmp/cmp"
)

// wholeLog is a log in parts, so that tests can put something between them.
type wholeLog struct {
	before  string // what ran before the failed command
	command string
	output  string
	exit    string
	finally string // what ran after it in its phase
	later   string // what ran after its phase
}

func (w wholeLog) String() string {
	return agentStamp + "Running on CodeBuild On-demand\n" +
		agentStamp + "CODEBUILD_SRC_DIR=/codebuild/output/src1029/src/github.com/example/a-shop-with-a-long-name\n" +
		agentStamp + "YAML location is /codebuild/output/src1029/src/github.com/example/a-shop-with-a-long-name/buildspec.yml\n" +
		agentStamp + "Phase complete: DOWNLOAD_SOURCE State: SUCCEEDED\n" +
		agentStamp + "Phase context status code:  Message: \n" + agentStamp + "Entering phase BUILD\n" + w.before +
		agentStamp + "Running command " + w.command + "\n" + w.output +
		agentStamp + "Command did not exit successfully " + w.command + " exit status " + w.exit + "\n" + w.finally +
		agentStamp + "Phase complete: BUILD State: FAILED\n" +
		agentStamp + "Phase context status code: COMMAND_EXECUTION_ERROR Message: Error while executing command: " +
		w.command +
		". Reason: exit status " + w.exit + "\n" + w.later
}

// ran is a command that another one of the log ran, with its output; exit "" for success.
func ran(command, output, exit string) string {
	s := agentStamp + "Running command " + command + "\n" + output
	if exit != "" {
		s += agentStamp + "Command did not exit successfully " + command + " exit status " + exit + "\n"
	}
	return s
}

// phase ends a phase of the log.
func phase(name, state, code, message string) string {
	return agentStamp + "Phase complete: " + name + " State: " + state + "\n" +
		agentStamp + "Phase context status code: " + code + " Message: " + message + "\n"
}

// failedLogs are failures of several kinds.
var failedLogs = []wholeLog{
	{command: "npx tsc", output: "src/a.ts(1,1): error TS2322: Type 'string' is not assignable to type 'number'.\n",
		exit: "2"},
	{command: "./deploy.sh", output: "deploying\n" + denial("ecs:UpdateService",
		"arn:aws:ecs:eu-west-1:111122223333:service/a/b") + "\n", exit: "254"},
	// A refusal that says nothing is not explained by another command's, nor goes on there.
	{command: "./fetch.sh", output: "fetching\nAccessDeniedException: Access to it is not allowed\n", exit: "1"},
	{command: "./sync.sh", output: "fatal error: An error occurred: Access Denied\n", exit: "1"},
	{command: "make check", output: numbered("ok", 60) + "❌ owner bob is not a member of the team\n" +
		numbered("ok file", 20), exit: "1"},
	{command: "set -o errexit\nmake one\nmake two", output: "panic: it broke\n\ngoroutine 1 [running]:\n", exit: "2"},
	{command: "terraform apply -auto-approve", output: "╷\n│ Error: creating topic: operation error SNS: " +
		"CreateTopic, https response error StatusCode: " +
		"403, api error AuthorizationError: " + denial("sns:CreateTopic",
		"arn:aws:sns:eu-west-1:111122223333:orders") + "\n│ \n╵\n", exit: "1"},
	{command: "go test ./...", output: "--- FAIL: TestCart (0.01s)\n    cart_test.go:9: got \"2\", want " +
		"\"3\"\nFAIL\tshop/cart\t0.012s\nFAIL\n", exit: "1"},
}

// noises are what may stand around the failed command and must not change what is read of it. A
// denial among them is listed, but failed nothing.
var noises = []struct {
	what string
	add  func(w *wholeLog)
}{
	{"a denial that an earlier command tolerated", func(w *wholeLog) {
		w.before += ran("./metrics.sh || true", denial("cloudwatch:PutMetricData", "*")+"\n", "")
	}},
	{"5,000 lines before", func(w *wholeLog) {
		w.before += ran("npm ci", numbered("npm http fetch GET 200", 5000),
			"")
	}},
	{"an earlier command with errors", func(w *wholeLog) {
		w.before += ran("./probe.sh", "Error: cannot find the cache, going on\nfatal: no tag\n", "")
	}},
	{"a finally block that prints a denial", func(w *wholeLog) {
		w.finally += ran("aws s3 cp report.xml s3://shop-reports/r", "upload failed: "+denial("s3:PutObject",
			"arn:aws:s3:::shop-reports/r")+"\n", "")
	}},
	{"a finally block whose command fails as well", func(w *wholeLog) {
		w.finally += ran("./clean.sh", "Error: "+denial("s3:DeleteObject", "arn:aws:s3:::shop-tmp/x")+"\n", "1")
	}},
	{"POST_BUILD that prints another error", func(w *wholeLog) {
		w.later += agentStamp + "Entering phase POST_BUILD\n" +
			ran("./after.sh", "toomanyrequests: Rate exceeded, trying again\nNo space left on device\n", "") +
			phase("POST_BUILD", "SUCCEEDED", "", "")
	}},
	{"POST_BUILD that fails with a denial", func(w *wholeLog) {
		w.later += agentStamp + "Entering phase POST_BUILD\n" + ran("./notify.sh", denial("sns:Publish", "*")+"\n",
			"1") +
			phase("POST_BUILD", "FAILED", "COMMAND_EXECUTION_ERROR", "Error while executing command: ./notify.sh. "+
				"Reason: exit status 1")
	}},
	{"UPLOAD_ARTIFACTS that fails", func(w *wholeLog) {
		w.later += agentStamp + "Expanding base directory path: dist\n" +
			phase("UPLOAD_ARTIFACTS", "FAILED", "CLIENT_ERROR", "AccessDenied: "+denial("s3:PutObject",
				"arn:aws:s3:::shop-artifacts/x"))
	}},
	{"3,000 lines after", func(w *wholeLog) {
		w.later += ran("./logs.sh", numbered("Error: a line of a service", 3000), "") + phase("FINALIZING",
			"SUCCEEDED", "", "")
	}},
}

// ofFailure keeps of a reading what failed the build.
func ofFailure(f Failure) reading {
	r := readingOf(f)
	r.Denials = slices.DeleteFunc(r.Denials, func(d string) bool { return strings.HasSuffix(d, "causal false") })
	if len(r.Denials) == 0 {
		r.Denials = nil
	}
	r.Also = nil
	for i, l := range r.Tail {
		r.Tail[i] = strings.ReplaceAll(l, agentWords[1], agentWords[0])
	}
	return r
}

// The property: whatever stands around the failed command, and however the log was saved, the same
// command, the same denials that failed it, and the same lines of it are read.
func TestWhateverStandsAroundTheFailure(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 5))
	rounds := 240
	if testing.Short() {
		rounds = 60
	}
	for n := range rounds {
		w := failedLogs[n%len(failedLogs)]
		want := ofFailure(ReadEvents(codebuild.Build{}, w.String()))
		if want.Command != oneLine(w.command) || want.Exit != w.exit || want.Phase != "BUILD" {
			t.Fatalf("%s: got %+v", w.command, want)
		}
		var what []string
		for _, x := range noises {
			if r.IntN(3) == 0 {
				x.add(&w)
				what = append(what, x.what)
			}
		}
		log := w.String()
		if r.IntN(4) == 0 {
			log = strings.ReplaceAll(log, agentWords[0], agentWords[1])
			what = append(what, agentWords[1])
		}
		b := codebuild.Build{}
		if r.IntN(2) == 0 {
			b = failedIn("BUILD", "COMMAND_EXECUTION_ERROR", "Error while executing command: "+w.command+". "+
				"Reason: exit status "+w.exit)
			what = append(what, "with the build's record")
		}
		if r.IntN(4) > 0 {
			form := logForms[r.IntN(len(logForms))]
			log = form.form(log)
			what = append(what, form.what)
		}
		if diff := cmp.Diff(want, ofFailure(ReadText(b, log))); diff != "" {
			t.Errorf("%s, %s: (-want +got):\n%s", oneLine(w.command), strings.Join(what, ", "), diff)
			if n > 20 {
				return
			}
		}
	}
}

// Each noise alone, so that one that changes the reading is named.
func TestEachNoiseAlone(t *testing.T) {
	for _, x := range noises {
		for i, w := range failedLogs {
			want := ofFailure(ReadEvents(codebuild.Build{}, w.String()))
			x.add(&w)
			if diff := cmp.Diff(want, ofFailure(ReadText(codebuild.Build{}, w.String()))); diff != "" {
				t.Errorf("%s, failure %d: (-want +got):\n%s", x.what, i, diff)
			}
		}
	}
}

// What failed besides is told, with its line, and is never the failure.
func TestAlso(t *testing.T) {
	command := "npx tsc"
	w := wholeLog{command: command, output: "error TS2322\n", exit: "2"}
	with := func(names ...string) string {
		w := w
		for _, x := range noises {
			if slices.Contains(names, x.what) {
				x.add(&w)
			}
		}
		return w.String()
	}
	const context = "Error while executing command: npx tsc. Reason: exit status 2"
	record := failedIn("BUILD", "COMMAND_EXECUTION_ERROR", context)
	record.Phases = append(record.Phases,
		codebuild.Phase{Type: "POST_BUILD", Status: codebuild.Succeeded},
		codebuild.Phase{Type: "UPLOAD_ARTIFACTS", Status: codebuild.Failed,
			Contexts: []codebuild.Context{{Code: "CLIENT_ERROR", Message: "no matching artifact paths found"}}},
		codebuild.Phase{Type: "COMPLETED"})
	for _, c := range []struct {
		what  string
		build codebuild.Build
		log   string
		want  []string // "PHASE COMMAND EXIT MESSAGE line"
	}{
		{"nothing", codebuild.Build{}, w.String(), nil},
		{"a command of the finally block", codebuild.Build{}, with("a finally block whose command fails as well"),
			[]string{`BUILD "./clean.sh" "1" "" line 12`}},
		{"a later phase's command", codebuild.Build{}, with("POST_BUILD that fails with a denial"),
			[]string{`POST_BUILD "./notify.sh" "1" "" line 15`}},
		{"a later phase without a command", codebuild.Build{}, with("UPLOAD_ARTIFACTS that fails"),
			[]string{`UPLOAD_ARTIFACTS "" "" "CLIENT_ERROR: AccessDenied: User: arn:aws:sts::111122" line 13`}},
		{"what passed after the failure", codebuild.Build{}, with("a finally block that prints a denial",
			"POST_BUILD that prints another error"), nil},
		{"only in the record", record, w.String(),
			[]string{`UPLOAD_ARTIFACTS "" "" "CLIENT_ERROR: no matching artifact paths found" line 0`}},
		{"in both", record, w.String() + phase("UPLOAD_ARTIFACTS", "FAILED", "CLIENT_ERROR",
			"no matching artifact paths found"),
			[]string{`UPLOAD_ARTIFACTS "" "" "CLIENT_ERROR: no matching artifact paths found" line 12`}},
		{"several", record, with("a finally block whose command fails as well", "POST_BUILD that fails with a denial"),
			[]string{`BUILD "./clean.sh" "1" "" line 12`, `POST_BUILD "./notify.sh" "1" "" line 18`,
				`UPLOAD_ARTIFACTS "" "" "CLIENT_ERROR: no matching artifact paths found" line 0`}},
	} {
		f := ReadText(c.build, c.log)
		var got []string
		for _, a := range f.Also {
			got = append(got, fmt.Sprintf("%s %q %q %q line %d", a.Phase, a.Command, a.Exit, clip(a.Message, 53),
				a.Line))
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: (-want +got):\n%s", c.what, diff)
		}
		if f.Command != command || f.Phase != "BUILD" || f.Exit != "2" {
			t.Errorf("%s: phase %s, command %q, exit %s", c.what, f.Phase, f.Command, f.Exit)
		}
	}
	if got := NoLog(record).Also; len(got) != 1 || got[0].Phase != "UPLOAD_ARTIFACTS" {
		t.Errorf("without a log: %+v", got)
	}
}

// Of several commands of one phase that failed, the failure is the one that the phase's context
// names, else the first: the others are clean-up.
func TestWhichCommandFailed(t *testing.T) {
	two := ran("make one", "a\n", "3") + ran("make two", "b\n", "4")
	named := func(command string) codebuild.Build {
		return failedIn("BUILD", "COMMAND_EXECUTION_ERROR", "Error while executing command: "+command+". Reason: "+
			"exit status 9")
	}
	done := agentStamp + "Phase complete: BUILD State: FAILED\n"
	context := func(command string) string {
		return phase("BUILD", "FAILED", "COMMAND_EXECUTION_ERROR", "Error while executing command: "+command+". "+
			"Reason: exit status 9")
	}
	long := "./run.sh " + strings.Repeat("with an argument ", 20)
	for _, c := range []struct {
		what  string
		build codebuild.Build
		log   string
		want  string // a line of the failed command's output
	}{
		{"no context: the first", codebuild.Build{}, two + done, "a"},
		{"no end of the phase: the first", codebuild.Build{}, two, "a"},
		{"the log's context names the first", codebuild.Build{}, two + context("make one"), "a"},
		{"the log's context names the second", codebuild.Build{}, two + context("make two"), "b"},
		{"the record names the second", named("make two"), two + done, "b"},
		{"the record wins over the log", named("make one"), two + context("make two"), "a"},
		{"a context that names neither", named("make three"), two + done, "a"},
		{"one name begins with the other", named("make"), ran("make", "a\n", "3") + ran("make clean", "b\n", "4") +
			done, "a"},
		{"a text that is cut", named(long[:200]), ran("make", "a\n", "3") + ran(long, "b\n", "4") + done, "b"},
		{"the same command again: the last", named("make"), ran("make", "a\n", "3") + ran("make", "b\n", "4") + done,
			"b"},
		{"very many of them", named("make 1"), ran("make 1", "a\n", "3") + strings.Repeat(ran("make x", "b\n", "4"),
			30) + done, "a"},
	} {
		f := ReadText(c.build, agentStamp+"Entering phase BUILD\n"+c.log)
		if len(f.Tail) != 3 || f.Tail[1].Text != c.want {
			t.Errorf("%s: got %v, want the command that printed %q", c.what, f.Tail, c.want)
		}
	}
}

// An excerpt that begins with the line that says how the command ended holds its output behind it.
func TestExcerptBehindTheExitLine(t *testing.T) {
	f := ReadText(codebuild.Build{}, "Command did not exit successfully npm run build exit status 1\nCould not "+
		"find a required file.\n"+
		"Error: "+denial("s3:GetObject", "*")+"\n")
	if f.Command != "npm run build" || f.Exit != "1" || len(f.Tail) != 3 || len(f.Denials) != 1 ||
		!f.Denials[0].Causal {
		t.Errorf("command %q, exit %q, tail %v, denials %v", f.Command, f.Exit, f.Tail, facts(f))
	}
}

// The context of a failed command repeats the command, which may have the text of a refusal.
func TestContextRepeatsTheCommand(t *testing.T) {
	const says = "An error occurred (AccessDenied) when calling the PutObject operation: Access Denied"
	log := agentStamp + "Running command ./put.sh || echo '" + says + "'\n3 rows\n" + agentStamp +
		"Command did not exit successfully ./put.sh || echo '" + says + "' exit status 1\n"
	b := failedIn("BUILD", codebuild.CommandError, "Error while executing command: ./put.sh || echo '"+says+"'. Reason: exit status 1")
	for _, d := range ReadText(b, log).Denials {
		if d.Causal || d.Origin == FromPhase {
			t.Errorf("read %+v", d)
		}
	}
	b = failedIn("UPLOAD_ARTIFACTS", "CLIENT_ERROR", "Error while executing the upload. Reason: "+says)
	if d := ReadText(b, log).Denials; len(d) == 0 || d[0].Origin != FromPhase || !d[0].Causal {
		t.Errorf("read %+v", d)
	}
}

// A copy may hold what the agent says of a failed phase, and not the line before it that says so.
func TestContextWithoutPhase(t *testing.T) {
	const context = agentStamp + "Phase context status code: COMMAND_EXECUTION_ERROR Message: Error while executing " +
		"command: make 2. Reason: exit status 3\n"
	none := agentStamp + "Phase context status code:  Message:\n"
	of := func(command, exit, output string) string {
		return agentStamp + "Running command " + command + "\n" + output + agentStamp +
			"Command did not exit successfully " + command + " exit status " + exit + "\n"
	}
	for _, c := range []struct {
		what, log string
		build     codebuild.Build
		want      string // the command, the exit status and the context's code
	}{
		{what: "alone", log: context, want: "make 2/3/COMMAND_EXECUTION_ERROR"},
		{what: "cut off before it", log: "a\n" + context + agentStamp + "Entering phase POST_BUILD\n",
			want: "make 2/3/COMMAND_EXECUTION_ERROR"},
		{what: "behind two commands", log: of("make 1", "4", "a\n") + of("make 2", "3", "b\n") + context,
			want: "make 2/3/COMMAND_EXECUTION_ERROR"},
		{what: "behind one without a failure", log: none + context, want: "make 2/3/COMMAND_EXECUTION_ERROR"},
		{what: "printed before a phase failed", log: context + of("make 1", "4", "a\n") + agentStamp +
			"Phase complete: BUILD State: FAILED\n" + agentStamp + "Phase context status code: X Message: x\n", want: "make 1/4/X"},
		{what: "the record says another", log: context, build: failedIn("BUILD", "CLIENT_ERROR", "x"), want: "//CLIENT_ERROR"},
	} {
		f := ReadText(c.build, c.log)
		if got := f.Command + "/" + f.Exit + "/" + f.Context.Code; got != c.want {
			t.Errorf("%s: got %s, want %s", c.what, got, c.want)
		}
	}
}

// The text of a command is not its output: what it names did not happen.
func TestTheCommandsText(t *testing.T) {
	w := wholeLog{command: `grep -q "` + denial("s3:PutObject", "*") + `" log.txt`,
		output: "grep: log.txt: No such file or directory\n", exit: "2"}
	for _, d := range ReadText(codebuild.Build{}, w.String()).Denials {
		if d.Causal {
			t.Errorf("line %d: %s", d.Line, d.Text)
		}
	}
}

// The agent on an EC2 instance writes another word.
func TestAgentPattern(t *testing.T) {
	if got, want := AgentPattern(), `(?:\[Container\]|\[Instance\])`; got != want {
		t.Errorf("got %s", got)
	}
	for line, want := range map[string]bool{
		"[Instance] 2026/01/05 10:11:12 Entering phase BUILD":           true,
		"[Container] 2026/01/05 10:11:12.000001 Waiting":                true,
		"12: [Instance] 2026/01/05 10:11:12 Waiting":                    true,
		"\x1b[36m[Container]\x1b[0m 2026/01/05 10:11:12 Waiting\x1b[0m": true,
		"the word [Container] in a sentence":                            false,
		"[Containers] 2026/01/05 10:11:12 Waiting":                      false,
		"": false,
	} {
		if AgentLine(line) != want {
			t.Errorf("%q: %t", line, !want)
		}
	}
}

// The end of a log that holds only the clean-up, or only a later phase that failed too, does not
// reach the failed command's start.
func TestFailedStartBeforeTheCleanUp(t *testing.T) {
	b := failedIn("BUILD", "COMMAND_EXECUTION_ERROR", "Error while executing command: make. Reason: exit status 2")
	made := ran("make", "Error: x\n", "2")
	clean := ran("./clean.sh", "Error: y\n", "1")
	done := phase("BUILD", "FAILED", "COMMAND_EXECUTION_ERROR", "Error while executing command: make. Reason: exit status 2")
	later := ran("./after.sh", "z\n", "1") + phase("POST_BUILD", "FAILED", "COMMAND_EXECUTION_ERROR",
		"Error while executing command: ./after.sh. Reason: exit status 1")
	for _, c := range []struct {
		what, text string
		want       bool
	}{
		{"the command's start is there", made + clean + done + later, true},
		{"the clean-up alone", clean + done + later, false},
		{"the command's end, without its start", "Error: x\n" + strings.SplitAfterN(made, "\n", 3)[2] + clean + done, false},
		{"a later phase alone", later, false},
		{"the phase ended, and a later one failed", done + later, false},
	} {
		if got := FailedStart(b)(c.text); got != c.want {
			t.Errorf("%s: %t", c.what, got)
		}
	}
}
