package buildlog

import (
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/codebuild"
)

// In these logs $ begins a line of the agent.
const (
	fetchDenied = "$Running command ./fetch\n" +
		"An error occurred (AccessDenied) when calling the GetObject operation: " +
		"User: arn:aws:sts::111122223333:assumed-role/r/AWSCodeBuild-1 " +
		"is not authorized to perform: s3:GetObject on resource: \"arn:aws:s3:::early/x\" " +
		"because no identity-based policy allows the s3:GetObject action\n" +
		"$Command did not exit successfully ./fetch exit status 254\n"
	putDenied = "$Running command ./put\n" +
		"An error occurred (AccessDenied) when calling the PutObject operation: " +
		"User: arn:aws:sts::111122223333:assumed-role/r/AWSCodeBuild-1 " +
		"is not authorized to perform: s3:PutObject on resource: \"arn:aws:s3:::late/x\" " +
		"because no identity-based policy allows the s3:PutObject action\n" +
		"$Command did not exit successfully ./put exit status 254\n"
	fetched     = "$Running command ./fetch\nfetched\n"
	made        = "$Running command make\nmade\n"
	buildFailed = "$Phase complete: BUILD State: FAILED\n"
	post        = "$Entering phase POST_BUILD\n$Running command ./notify\ntold\n$Phase complete: POST_BUILD State: SUCCEEDED\n" +
		"$Phase context status code:  Message: \n"
)

func because(command, exit string) string {
	return "$Phase context status code: COMMAND_EXECUTION_ERROR Message: Error while executing command: " + command +
		". Reason: exit status " + exit + "\n"
}

func agent(text string) string {
	return strings.ReplaceAll(text, "$", "[Container] 2026/11/22 10:00:00.123456 ")
}

func recordOf(command string, phases ...codebuild.Phase) codebuild.Build {
	b := codebuild.Build{ARN: "arn:aws:codebuild:eu-west-1:111122223333:build/shop:1", Status: codebuild.Failed}
	if command == "" {
		return b
	}
	b.Phases = append(phases, codebuild.Phase{Type: "BUILD", Status: codebuild.Failed, Contexts: []codebuild.Context{
		{Code: "COMMAND_EXECUTION_ERROR", Message: "Error while executing command: " + command + ". Reason: exit status 254"}}})
	return b
}

// TestPhaseThatRanAgain ensures that of a phase that ran several times within one build the last run
// counts: for the command, the denials and what failed besides (AWS.md#repeated-phases).
func TestPhaseThatRanAgain(t *testing.T) {
	entered := "$Entering phase BUILD\n"
	for _, row := range []struct {
		name, log, command string
		record             codebuild.Build
		causal, aside      string
	}{
		{"its end and its beginning are said again", entered + fetchDenied + buildFailed + because("./fetch", "254") +
			entered + fetched + putDenied + buildFailed + because("./put", "254") + post, "./put",
			recordOf("./put"), "s3:PutObject", "s3:GetObject"},
		{"without a record", entered + fetchDenied + buildFailed + because("./fetch", "254") +
			entered + fetched + putDenied + buildFailed + because("./put", "254") + post, "./put",
			recordOf(""), "s3:PutObject", "s3:GetObject"},
		{"only its beginning", entered + fetchDenied + entered + fetched + putDenied + buildFailed + because("./put", "254"),
			"./put", recordOf("./put"), "s3:PutObject", "s3:GetObject"},
		{"only its beginning, and nothing names the command", entered + fetchDenied + entered + fetched + putDenied + buildFailed,
			"./put", recordOf(""), "s3:PutObject", "s3:GetObject"},
		{"only its commands", entered + fetchDenied + fetched + putDenied + buildFailed + because("./put", "254"),
			"./put", recordOf("./put"), "s3:PutObject", "s3:GetObject"},
		{"only its commands, and nothing names the one", entered + fetchDenied + fetched + putDenied + buildFailed,
			"./put", recordOf(""), "s3:PutObject", "s3:GetObject"},
		{"the same denial twice", entered + fetched + putDenied + entered + fetched + putDenied + buildFailed + because("./put", "254"),
			"./put", recordOf("./put"), "s3:PutObject", ""},
		{"the same denial twice, without a beginning",
			entered + putDenied + putDenied + buildFailed, "./put", recordOf(""), "s3:PutObject", ""},
		{"three runs, of which the last fails earlier", entered + fetched + putDenied + entered + fetched + putDenied + entered +
			fetchDenied + buildFailed + because("./fetch", "254"), "./fetch", recordOf("./fetch"), "s3:GetObject", "s3:PutObject"},
		{"it passed the second time, and a later phase failed", entered + fetchDenied + buildFailed + because("./fetch", "254") +
			entered + fetched + made + "$Phase complete: BUILD State: SUCCEEDED\n$Phase context status code:  Message: \n" +
			"$Entering phase POST_BUILD\n" + putDenied + "$Phase complete: POST_BUILD State: FAILED\n" + because("./put", "254"),
			"./put", recordOf(""), "s3:PutObject", "s3:GetObject"},
		{"the record has both runs", entered + fetchDenied + buildFailed + because("./fetch", "254") +
			entered + fetched + putDenied + buildFailed + because("./put", "254"), "./put",
			recordOf("./put", recordOf("./fetch").Phases...), "s3:PutObject", "s3:GetObject"},
		// Not a second run: the clean-up of a phase that failed.
		{"a finally block",
			entered + made + fetchDenied + putDenied + buildFailed, "./fetch", recordOf(""), "s3:GetObject", "s3:PutObject"},
		{"a finally block, and the record names the command",
			entered + made + fetchDenied + putDenied + buildFailed + because("./fetch", "254"),
			"./fetch", recordOf("./fetch"), "s3:GetObject", "s3:PutObject"},
		// A build prints as if its phase had begun once more.
		{"a beginning that the build printed", entered + fetchDenied + entered + putDenied + buildFailed + because("./fetch", "254"),
			"./fetch", recordOf("./fetch"), "s3:GetObject", "s3:PutObject"},
		{"an end that the build printed", entered + fetchDenied + buildFailed + because("./fetch", "254") +
			"$Entering phase POST_BUILD\n$Phase complete: BUILD State: SUCCEEDED\n" + putDenied +
			"$Phase complete: POST_BUILD State: FAILED\n" +
			because("./put", "254"), "./fetch", recordOf("./fetch"), "s3:GetObject", "s3:PutObject"},
	} {
		t.Run(row.name, func(t *testing.T) {
			f := ReadEvents(row.record, agent(row.log))
			if f.Command != row.command {
				t.Errorf("the command that failed is %q, want %q", f.Command, row.command)
			}
			for _, d := range f.Denials {
				if d.Causal != (d.Action == row.causal) || d.Action != row.causal && d.Action != row.aside {
					t.Errorf("%s failed the build: %v", d.Action, d.Causal)
				}
			}
			text := ""
			for _, l := range f.Tail {
				text += l.Text + "\n"
			}
			if !strings.Contains(text, row.causal) || row.aside != "" && strings.Contains(text, row.aside) {
				t.Errorf("the log at that point:\n%s", text)
			}
			for _, a := range f.Also {
				if a.Phase == "BUILD" && a.Line > 0 && row.aside != "" && !strings.HasPrefix(row.name, "a ") {
					t.Errorf("also failed: %v", a)
				}
			}
		})
	}
}

// TestRunThatIsNotWhole ensures that a log is not taken for whole that ends within the second run of the
// failed phase.
func TestRunThatIsNotWhole(t *testing.T) {
	once := "$Entering phase BUILD\n" + fetchDenied + buildFailed + because("./fetch", "254")
	phase := codebuild.Phase{Type: "BUILD", Status: codebuild.Failed}
	for text, want := range map[string]bool{
		once:        true,
		once + post: true,
		once + "$Entering phase BUILD\n" + fetched:                                                     false,
		once + "$Entering phase BUILD\n" + fetched + putDenied + buildFailed:                           false,
		once + "$Entering phase BUILD\n" + fetched + putDenied + buildFailed + because("./put", "254"): true,
	} {
		for _, p := range []codebuild.Phase{phase, {}} {
			if got := Complete(agent(text), p); got != want {
				t.Errorf("phase %q: whole %v, want %v:\n%s", p.Type, got, want, text)
			}
		}
	}
}
