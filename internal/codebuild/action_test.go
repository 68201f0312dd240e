package codebuild

import (
	"strings"
	"testing"
	"time"
)

// TestParseRefusal: only what stands between AWS's own prefix and suffix is CodeBuild's answer.
func TestParseRefusal(t *testing.T) {
	const suffix = " (Service: AWSCodeBuild; Status Code: 400; Error Code: AccountLimitExceededException; Request ID: 1a-2b"
	for _, row := range []struct{ text, code, message string }{
		{"Error calling startBuild: Cannot have more than 1 builds in queue for the account" + suffix + "; Proxy: null)",
			"AccountLimitExceededException", "Cannot have more than 1 builds in queue for the account"},
		{"Error calling startBuild: x" + suffix + ")\n", "AccountLimitExceededException", "x"},
		// A text within the text changes neither code nor end.
		{"Error calling startBuild: a (Service: AWSCodeBuild; Status Code: 400; Error Code: AccessDeniedException; Request ID: 1)" +
			suffix + ")", "AccountLimitExceededException",
			"a (Service: AWSCodeBuild; Status Code: 400; Error Code: AccessDeniedException; Request ID: 1)"},
		{"x Error calling startBuild: a" + suffix + ")", "", ""},
		{"Error calling startBuild: a" + suffix + ") x", "", ""},
		{"Error calling startBuild: a\nb" + suffix + ")", "", ""},
		{"Error calling startBuild: a" + strings.Replace(suffix, "AWSCodeBuild", "AWSCodeDeploy", 1) + ")", "", ""},
		{"Error calling startBuild: a" + strings.Replace(suffix, "Exception", " Exception", 1) + ")", "", ""},
		{"Build terminated with state: FAILED", "", ""},
		{`{"ProviderType":"GitHub","CommitMessage":"Error calling startBuild: a"}`, "", ""},
	} {
		c, ok := ParseRefusal(row.text)
		if c.Code != row.code || c.Message != row.message || ok != (row.code != "") {
			t.Errorf("%q: %t, %+v", row.text, ok, c)
		}
	}
}

func FuzzParseRefusal(f *testing.F) {
	f.Add("Error calling startBuild: a (Service: AWSCodeBuild; Status Code: 400; Error Code: X; Request ID: 1)")
	f.Fuzz(func(t *testing.T, text string) {
		c, ok := ParseRefusal(text)
		if ok && (c.Code == "" || strings.ContainsAny(c.Code, " ;)") || strings.ContainsAny(c.Message, "\r\n") ||
			!strings.Contains(text, c.Message)) {
			t.Fatalf("%q: %+v", text, c)
		}
	})
}

// TestActionID: what stands for a build is told from a build, and back again.
func TestActionID(t *testing.T) {
	const execution, run = "8e0e9c55-c699-4132-ac4f-6c6de3e636d1", "195b9908-cbca-4d6c-90a7-6811d0702f02"
	a := Action{Pipeline: "shop@main", Execution: execution, Stage: "Build", Name: "Build", Run: run}
	got, ok := ParseActionID(a.ID())
	if !ok || got != (Action{Pipeline: a.Pipeline, Execution: execution, Run: run}) {
		t.Errorf("%t, %+v", ok, got)
	}
	for _, id := range []string{"shop:" + run, "", "a/b/c", "a/" + execution + "/" + run + "/x", "a b/" + execution + "/" + run} {
		if _, ok := ParseActionID(id); ok {
			t.Errorf("%q is an action", id)
		}
	}
	at := ARN{Partition: "aws", Service: "codepipeline", Region: "eu-west-1", Account: "111122223333"}
	b := ActionRun{Action: a, Status: RunFailed}.Build(at, "shop")
	if where, id, ok := ParseActionARN(b.ARN); !ok || id != a.ID() || where.Account != at.Account {
		t.Errorf("%q: %t, %q", b.ARN, ok, id)
	}
	if _, _, ok := ParseActionARN("arn:aws:codebuild:eu-west-1:111122223333:build/shop:" + run); ok {
		t.Error("a build is no action")
	}
	again := a
	again.Run = execution
	if !again.Repeats(a) || a.Repeats(a) {
		t.Error("another run repeats the action, and none repeats itself")
	}
}

// TestActionRunBuild: the record that stands for a run has no role to be changed, reads no log but that of the
// pipeline's own group, and failed only if the run did.
func TestActionRunBuild(t *testing.T) {
	at := ARN{Partition: "aws", Service: "codepipeline", Region: "eu-west-1", Account: "111122223333"}
	const group = "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/codepipeline/"
	r := ActionRun{Action: Action{Pipeline: "shop", Provider: ProviderCommands, Stage: "S", Name: "A"}, Status: RunFailed,
		Updated: time.Unix(1, 0), Message: "Action failed with status: FAILED. COMMAND_EXECUTION_ERROR: " +
			"Error while executing command: make. Reason: exit status 2"}
	for external, stream := range map[string]string{group + "shop:log-stream:e/r": "e/r", group + "other:log-stream:e/r": "",
		strings.Replace(group, "eu-west-1", "us-east-1", 1) + "shop:log-stream:e/r": "", group + "shop:log-stream:*": "", "": ""} {
		r.External = external
		b := r.Build(at, "web")
		if b.Logs.Stream != stream || (stream != "") != (b.Logs.Group == "/aws/codepipeline/shop") {
			t.Errorf("%q: %+v", external, b.Logs)
		}
		if _, ok := b.Role(); ok || !b.HasFailed() || b.Pipeline() != "shop" || b.Project != "web" {
			t.Errorf("%+v", b)
		}
		if p, _ := b.FailedPhase(); p.Contexts[0].Code != "COMMAND_EXECUTION_ERROR" {
			t.Errorf("%+v", p)
		}
	}
	for status, want := range map[string]string{RunSucceeded: Succeeded, RunInProgress: InProgress, RunAbandoned: Stopped, "New": Stopped} {
		r.Status = status
		if b := r.Build(at, "web"); b.Status != want || len(b.Phases) > 0 {
			t.Errorf("%s: %+v", status, b)
		}
	}
}
