package buildevent

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/buildmedic/buildmedic/internal/codebuild"
)

const (
	execution = "8e0e9c55-c699-4132-ac4f-6c6de3e636d1"
	run       = "195b9908-cbca-4d6c-90a7-6811d0702f02"
)

func actionEvent(detail string) string {
	return `{"version":"0","id":"e1","detail-type":"CodePipeline Action Execution State Change","source":"aws.codepipeline",` +
		`"account":"111122223333","time":"2026-11-22T10:15:12Z","region":"eu-west-1",` +
		`"resources":["arn:aws:codepipeline:eu-west-1:111122223333:shop-main"],"detail":` + detail + `}`
}

const ofAction = `"pipeline":"shop-main","execution-id":"` + execution + `","stage":"Build","action":"Build","action-execution-id":"` +
	run + `","state":"FAILED"`

// TestDecodeAction ensures that whatever AWS leaves out, or writes otherwise, breaks nothing
// (AWS.md#pipeline-events).
func TestDecodeAction(t *testing.T) {
	named := codebuild.Action{Pipeline: "shop-main", Execution: execution, Stage: "Build", Name: "Build", Run: run, Provider: "CodeBuild"}
	whole := ActionEvent{ID: "e1", Account: "111122223333", Region: "eu-west-1", ActionRegion: "eu-west-1", Action: named, State: "FAILED",
		External: "shop:8745a7a9-c340-456a-9166-edf953571b00", Time: time.Date(2026, 11, 22, 10, 15, 12, 0, time.UTC)}
	with := func(change func(*ActionEvent)) ActionEvent { e := whole; change(&e); return e }
	for name, row := range map[string]struct {
		detail string
		want   ActionEvent
	}{
		"whole": {`{` + ofAction + `,"region":"eu-west-1","version":3.0,"pipeline-execution-attempt":0.0,` +
			`"type":{"owner":"AWS","provider":"CodeBuild","category":"Build","version":"1"},` +
			`"input-artifacts":[{"name":"a","s3location":{}}],` +
			`"execution-result":{"external-execution-url":"https://x","external-execution-summary":"Build terminated with state: FAILED",` +
			`"external-execution-id":"shop:8745a7a9-c340-456a-9166-edf953571b00","error-code":"JobFailed"}}`, whole},
		"in another region": {`{` + ofAction + `,"region":"us-east-1","type":{"provider":"CodeBuild"},"execution-result":{` +
			`"external-execution-id":"shop:8745a7a9-c340-456a-9166-edf953571b00"}}`,
			with(func(e *ActionEvent) { e.ActionRegion = "us-east-1" })},
		"no result": {`{` + ofAction + `,"type":{"provider":"CodeBuild"}}`, with(func(e *ActionEvent) { e.External = "" })},
		"a result of another form": {`{` + ofAction + `,"type":{"provider":"CodeBuild"},"execution-result":"none"}`,
			with(func(e *ActionEvent) { e.External = "" })},
		"JSON in the summary": {`{` + ofAction + `,"type":{"provider":"CodeBuild"},"execution-result":{"external-execution-summary":` +
			`"{\"ProviderType\":\"GitHub\",\"CommitMessage\":\"Error calling startBuild: x\"}"}}`,
			with(func(e *ActionEvent) { e.External = "" })},
		"an approval": {`{` + ofAction + `,"type":{"provider":"Manual"}}`, with(func(e *ActionEvent) {
			e.External, e.Provider, e.Ignored = "", "Manual", `an action of "Manual" runs no build`
		})},
		"no type": {`{` + ofAction + `}`, with(func(e *ActionEvent) {
			e.External, e.Provider, e.Ignored = "", "", `an action of "" runs no build`
		})},
		"abandoned": {strings.Replace(`{`+ofAction+`,"type":{"provider":"CodeBuild"}}`, "FAILED", "ABANDONED", 1),
			with(func(e *ActionEvent) { e.External, e.State, e.Ignored = "", "ABANDONED", `the action is "ABANDONED"` })},
	} {
		got, ok, err := DecodeAction([]byte(actionEvent(row.detail)))
		if err != nil || !ok {
			t.Errorf("%s: %t, %v", name, ok, err)
			continue
		}
		if d := cmp.Diff(row.want, got); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	if got := whole.Build(); got != whole.External {
		t.Errorf("the build is %q", got)
	}
	for _, external := range []string{"shop", "shop:1", "a b:8745a7a9-c340-456a-9166-edf953571b00",
		"arn:aws:logs:eu-west-1:111122223333:log-group:/aws/codepipeline/shop-main:log-stream:x"} {
		if got := with(func(e *ActionEvent) { e.External = external }).Build(); got != "" {
			t.Errorf("%q is taken for the build %q", external, got)
		}
	}
}

// TestDecodeActionRefuses: what goes into calls is as CodePipeline has it, or nothing is called.
func TestDecodeActionRefuses(t *testing.T) {
	detail := `{` + ofAction + `,"type":{"provider":"CodeBuild"}}`
	for name, change := range map[string][2]string{
		"a pipeline's name": {`"shop-main","ex`, `"shop/main","ex`}, "a stage": {`"stage":"Build"`, `"stage":"Bu ild"`},
		"an execution": {execution, "../" + execution[3:]}, "a run": {run, "*"}, "no execution": {`"execution-id"`, `"x"`},
		"another pipeline's resource": {`"pipeline":"shop-main"`, `"pipeline":"shop"`}, "no state": {`"state"`, `"x"`},
		"an account": {`"account":"111122223333"`, `"account":"1"`}, "a region": {`"region":"eu-west-1"`, `"region":"eu-west-1/x"`},
		"a number": {`"pipeline":"shop-main"`, `"pipeline":3`},
	} {
		_, ok, err := DecodeAction([]byte(strings.Replace(actionEvent(detail), change[0], change[1], 1)))
		if !ok || err == nil {
			t.Errorf("%s: %t, %v", name, ok, err)
		}
	}
	for _, other := range []string{event(`{}`), `{"detail-type":"CodePipeline Stage Execution State Change","source":"aws.codepipeline"}`,
		`{"detailType":"CodePipeline Action Execution State Change","source":"aws.codepipeline"}`, `[]`, ``} {
		if _, ok, err := DecodeAction([]byte(other)); ok || err != nil {
			t.Errorf("%s: %t, %v", other, ok, err)
		}
	}
	if e, err := Decode([]byte(actionEvent(detail))); err != nil || e.Ended() {
		t.Errorf("an action's event is no build's: %+v, %v", e, err)
	}
}

// FuzzDecodeAction: what is decoded names only what CodePipeline takes, and everything that a call needs.
func FuzzDecodeAction(f *testing.F) {
	f.Add([]byte(actionEvent(`{` + ofAction + `,"type":{"provider":"CodeBuild"}}`)))
	f.Add([]byte(actionEvent(`{"state":"FAILED","type":{"provider":"CodeBuild"},"execution-result":{"external-execution-id":"shop:` +
		run + `"}}`)))
	f.Add([]byte(actionEvent(`null`)))
	f.Fuzz(func(t *testing.T, data []byte) {
		e, ok, err := DecodeAction(data)
		if !ok || err != nil {
			return
		}
		if !e.Valid() || len(e.Account) != 12 || codebuild.PartitionOf(e.Region) == "" || codebuild.PartitionOf(e.ActionRegion) == "" {
			t.Fatalf("%+v", e)
		}
		if e.Build() == "" && (e.Pipeline == "" || e.Execution == "" || e.Run == "" && (e.Stage == "" || e.Name == "")) {
			t.Fatalf("it names no action: %+v", e)
		}
	})
}
