package buildevent

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/buildmedic/buildmedic/internal/codebuild"
)

const arn = "arn:aws:codebuild:eu-west-1:111122223333:build/shop:8745a7a9-c340-456a-9166-edf953571b00"

func event(detail string) string {
	return `{"version":"0","id":"e1","detail-type":"CodeBuild Build State Change","source":"aws.codebuild",` +
		`"account":"111122223333","time":"2026-11-22T10:15:12Z","region":"eu-west-1","resources":["` + arn + `"],"detail":` + detail + `}`
}

// TestDecode ensures that what breaks published decoders (AWS.md#event-decoding) does not break
// this one.
func TestDecode(t *testing.T) {
	want := Event{ID: "e1", Account: "111122223333", Region: "eu-west-1", Project: "shop",
		BuildID: "shop:8745a7a9-c340-456a-9166-edf953571b00", ARN: arn, Status: "FAILED",
		Time: time.Date(2026, 11, 22, 10, 15, 12, 0, time.UTC)}
	for name, detail := range map[string]string{
		"plain": `{"build-status":"FAILED","project-name":"shop","build-id":"` + arn + `"}`,
		"empty times": `{"build-status":"FAILED","project-name":"shop","build-id":"` + arn +
			`","additional-information":{"build-start-time":"","phases":[{"start-time":null,"end-time":""}]}}`,
		"narrow space": `{"build-status":"FAILED","project-name":"shop","build-id":"` + arn +
			"\",\"additional-information\":{\"build-start-time\":\"Sep 1, 2017 4:12:29\u202fPM\"}}",
		"floats": `{"build-status":"FAILED","project-name":"shop","build-id":"` + arn +
			`","additional-information":{"timeout-in-minutes":60.0,"build-number":16777217.0}}`,
		"unknown fields": `{"build-status":"FAILED","project-name":"shop","build-id":"` + arn + `","new-thing":{"a":[1,2]}}`,
		"bare id":        `{"build-status":"FAILED","project-name":"shop","build-id":"shop:8745a7a9-c340-456a-9166-edf953571b00"}`,
		"odd phase status": `{"build-status":"FAILED","project-name":"shop","build-id":"` + arn +
			`","additional-information":{"phases":[{"phase-status":"CLIENT_ERROR"}]}}`,
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Decode([]byte(event(detail)))
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, got, cmpopts.IgnoreFields(Event{}, "Said")); d != "" {
				t.Error(d)
			}
			if !got.Ended() {
				t.Error("a failed build has ended")
			}
		})
	}
}

// TestSaid ensures that an event's own words about log and phases are read as far as they can be,
// and that what cannot be read is no error.
func TestSaid(t *testing.T) {
	base := codebuild.Build{ID: "shop:8745a7a9-c340-456a-9166-edf953571b00", ARN: arn, Project: "shop", Status: "FAILED"}
	whole := base
	whole.Initiator = "GitHub-Hookshot/0123abc"
	whole.Logs = codebuild.Logs{Group: "/aws/codebuild/shop", Stream: "8745a7a9"}
	whole.Phases = []codebuild.Phase{{Type: "BUILD", Status: "FAILED", Contexts: []codebuild.Context{
		{Code: "COMMAND_EXECUTION_ERROR", Message: "Error while executing command: make: all. Reason: exit status 1"}}}}
	for name, row := range map[string]struct {
		additional string
		want       codebuild.Build
	}{
		"whole": {`{"initiator":"GitHub-Hookshot/0123abc","logs":{"group-name":"/aws/codebuild/shop","stream-name":"8745a7a9"},` +
			`"phases":[{"phase-type":"BUILD","phase-status":"FAILED","phase-context":["COMMAND_EXECUTION_ERROR: Error while ` +
			`executing command: make: all. Reason: exit status 1"]}]}`, whole},
		"no log":        {`{"logs":{"group-name":"null","stream-name":"null"}}`, base},
		"half a log":    {`{"logs":{"group-name":"/aws/codebuild/shop"}}`, base},
		"another shape": {`{"phases":"none"}`, codebuild.Build{}},
		"nothing":       {`null`, base},
	} {
		e, err := Decode([]byte(event(
			`{"build-status":"FAILED","build-id":"` + arn + `","additional-information":` + row.additional + `}`,
		)))
		if d := cmp.Diff(row.want, e.Said); err != nil || d != "" {
			t.Errorf("%s: %v %s", name, err, d)
		}
	}
}

// TestDecodeIgnores ensures that what is not about a build is a value, not an error.
func TestDecodeIgnores(t *testing.T) {
	for _, s := range []string{
		`{"version":"0","source":"aws.codebuild","detail-type":"CodeBuild Build Phase Change","detail":{}}`,
		`{"version":"0","source":"aws.codebuild","detail-type":"CodeBuild Fleet State Change","detail":{}}`,
		`{"version":"0","source":"aws.ec2","detail-type":"CodeBuild Build State Change","detail":{}}`,
	} {
		e, err := Decode([]byte(s))
		if err != nil || e.Ignored == "" || e.Ended() {
			t.Errorf("%s: got %+v, %v", s, e, err)
		}
	}
}

// TestDecodeRefuses ensures that a clear error says what is wrong with an unreadable event.
func TestDecodeRefuses(t *testing.T) {
	for s, want := range map[string]string{
		``:   "reading event: unexpected end",
		`[]`: "reading event: json",
		`{}`: "not an EventBridge event",
		`{"source":"aws.codebuild","detail-type":"CodeBuild Build State Change"}`:                           "detail",
		event(`{"build-status":"FAILED","project-name":"shop","build-id":"arn:aws:s3:::b/build/shop:1"}`):   "is no build ARN",
		event(`{"build-status":"FAILED","build-id":"arn:aws:codebuild:eu-west-1:111122223333:build/shop"}`): "no PROJECT:UUID",
		event(
			`{"build-status":"FAILED","build-id":"arn:aws:codebuild:eu-west-1:999999999999:build/shop:1"}`,
		): `but the build is of account "999999999999"`,
		event(`{"build-id":"` + arn + `"}`): "no build-status",
	} {
		if _, err := Decode([]byte(s)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", s, err, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(event(`{"build-status":"FAILED","build-id":"` + arn + `"}`)))
	f.Add([]byte(`{"source":"x"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := Decode(data)
		if err != nil || e.Ignored != "" {
			return
		}
		if e.Project == "" || e.BuildID == "" || e.Status == "" || !strings.HasPrefix(e.BuildID, e.Project+":") {
			t.Errorf("incomplete event without an error: %+v", e)
		}
	})
}

// TestTime: an event whose time cannot be read is still an event.
func TestTime(t *testing.T) {
	good := event(`{"build-status":"FAILED","project-name":"shop","build-id":"` + arn + `"}`)
	for _, time := range []string{`""`, `"Nov 22, 2026"`, `1795342512`, `null`, `{}`} {
		got, err := Decode([]byte(strings.Replace(good, `"2026-11-22T10:15:12Z"`, time, 1)))
		if err != nil || !got.Time.IsZero() || got.BuildID == "" {
			t.Errorf("time %s: %+v, %v", time, got, err)
		}
	}
}
