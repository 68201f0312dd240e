package codebuild

import (
	"slices"
	"strings"
	"testing"
	"time"
)

const arn = "arn:aws:codebuild:eu-west-1:111122223333:build/web:b1"

// TestRole ensures that a build's role is read in every form that AWS
// documents (AWS.md#service-role), and never as one of another account.
func TestRole(t *testing.T) {
	for _, row := range []struct{ role, want string }{
		{"arn:aws:iam::111122223333:role/codebuild-web", "arn:aws:iam::111122223333:role/codebuild-web"},
		{"arn:aws:iam::111122223333:role/service-role/codebuild-web", "arn:aws:iam::111122223333:role/service-role/codebuild-web"},
		{"codebuild-web", "arn:aws:iam::111122223333:role/codebuild-web"},
		{"service-role/codebuild-web", "arn:aws:iam::111122223333:role/service-role/codebuild-web"},
		{"/service-role/codebuild-web", "arn:aws:iam::111122223333:role/service-role/codebuild-web"},
		{"arn:aws:iam::999999999999:role/codebuild-web", ""},
		{"arn:aws-cn:iam::111122223333:role/codebuild-web", ""},
		{"arn:aws:iam::111122223333:user/web", ""},
		{"arn:aws:sts::111122223333:assumed-role/web/x", ""},
		{"arn:aws:iam::111122223333:role/", ""},
		{"arn:garbage", ""},
		{"", ""},
	} {
		r, ok := Build{ARN: arn, ServiceRole: row.role}.Role()
		if got := r.ARN(); ok != (row.want != "") || (ok && got != row.want) {
			t.Errorf("%q: got %q, %v", row.role, got, ok)
		}
	}
	for text, want := range map[string]string{"arn:aws-cn:iam::111122223333:role/a/b": "a/b", "b": "",
		"arn:aws:iam::111122223333:role/": "", "arn:aws:iam::111122223333:user/b": "", "arn:aws:sts::111122223333:role/b": ""} {
		if r, ok := ParseRole(text); ok != (want != "") || ok && (r.PathName() != want || r.ARN() != text) {
			t.Errorf("%q: got %+v, %v", text, r, ok)
		}
	}
	if r, _ := (Build{ARN: arn, ServiceRole: "a/b/c"}).Role(); r.Path != "/a/b/" || r.Name != "c" || r.PathName() != "a/b/c" {
		t.Errorf("got %+v", r)
	}
}

// TestWithRolePath ensures that only a bare name is completed, and only by
// the same role.
func TestWithRolePath(t *testing.T) {
	for _, row := range []struct{ record, settings, want string }{
		{"codebuild-web", "service-role/codebuild-web", "service-role/codebuild-web"},
		{"codebuild-web", "/service-role/codebuild-web", "service-role/codebuild-web"},
		{"codebuild-web", "codebuild-web", "codebuild-web"},
		{"codebuild-web", "service-role/admin", "codebuild-web"},
		{"codebuild-web", "", "codebuild-web"},
		{"other/codebuild-web", "service-role/codebuild-web", "other/codebuild-web"},
		{"arn:aws:iam::111122223333:role/codebuild-web", "service-role/codebuild-web", "arn:aws:iam::111122223333:role/codebuild-web"},
		{"", "", ""},
	} {
		if got := (Build{ServiceRole: row.record}).WithRolePath(row.settings).ServiceRole; got != row.want {
			t.Errorf("%+v: got %q", row, got)
		}
	}
}

// TestFailedPhase ensures that the first failed phase is the cause, though
// later ones passed or failed too (AWS.md#build-phases).
func TestFailedPhase(t *testing.T) {
	b := Build{Phases: []Phase{
		{Type: "SUBMITTED", Status: Succeeded},
		{Type: "BUILD", Status: "CLIENT_ERROR"},
		{Type: "POST_BUILD", Status: Failed},
		{Type: "COMPLETED"},
	}}
	if p, ok := b.FailedPhase(); !ok || p.Type != "BUILD" {
		t.Errorf("got %+v, %v", p, ok)
	}
	if _, ok := (Build{Phases: []Phase{{Type: "BUILD", Status: Succeeded}, {Type: "COMPLETED"}}}).FailedPhase(); ok {
		t.Error("no phase failed")
	}
}

func TestAutoRetryPending(t *testing.T) {
	for _, row := range []struct {
		a    AutoRetry
		want bool
	}{
		{AutoRetry{}, false},
		{AutoRetry{Limit: 2, Number: 2}, false},
		{AutoRetry{Limit: 2, Number: 1}, true},
		{AutoRetry{Limit: 2, Number: 2, Next: arn}, true},
	} {
		if got := row.a.Pending(); got != row.want {
			t.Errorf("%+v: %v", row.a, got)
		}
	}
}

// TestDecode ensures that what the CLI prints is read, without its secrets.
func TestDecode(t *testing.T) {
	one := `{"id":"web:b1","arn":"` + arn + `","buildNumber":42,"startTime":"2026-11-22T10:12:29.123000+01:00","endTime":1795338912.5,
		"buildStatus":"FAILED","projectName":"web","serviceRole":"arn:aws:iam::111122223333:role/r","initiator":"codepipeline/p",
		"secondarySourceVersions":[{"sourceIdentifier":"lib","sourceVersion":"pr/7"}],"source":{"type":"GITHUB",` +
		`"location":"https://user:hunter2@github.com/o/r","buildspec":"version: 0.2\nenv:\n  variables: {T: secret}"},
		"environment":{"image":"i","type":"ARM_CONTAINER","computeType":"BUILD_GENERAL1_SMALL","privilegedMode":true,
			"fleet":{"fleetArn":"arn:aws:codebuild:eu-west-1:111122223333:fleet/ci:f1"},
			"dockerServer":{"computeType":"BUILD_GENERAL1_LARGE","status":{"status":"ACTIVE"}},
			"environmentVariables":[{"name":"T","value":"hunter2"}]},
		"vpcConfig":{"vpcId":"vpc-0a1b2c3d","subnets":["subnet-1"]},
		"phases":[{"phaseType":"BUILD","phaseStatus":"FAILED","contexts":[{"statusCode":"COMMAND_EXECUTION_ERROR","message":"x"}]}],
		"reportArns":["arn:aws:codebuild:eu-west-1:111122223333:report/web-unit:1"],
		"logs":{"groupName":"null","streamName":"null","s3LogsArn":"arn:aws:s3:::b/null"}}`
	for _, data := range []string{one, `{"builds":[` + one + `],"buildsNotFound":[]}`} {
		b, err := Decode([]byte(data))
		if err != nil {
			t.Fatal(err)
		}
		if b.Number != 42 || b.Pipeline() != "p" || b.UUID() != "b1" || b.Session() != "AWSCodeBuild-b1" ||
			b.Buildspec != "(inline)" || len(b.ReportARNs) != 1 || ReportGroup(b.ReportARNs[0]) != "web-unit" ||
			!slices.Equal(b.SecondaryVersions, []string{"pr/7"}) ||
			b.Logs != (Logs{S3Encrypted: true}) || !b.Start.Equal(time.Date(2026, 11, 22, 9, 12, 29, 123e6, time.UTC)) || b.End.IsZero() ||
			b.Phases[0].Contexts[0].String() != "COMMAND_EXECUTION_ERROR: x" {
			t.Errorf("got %+v", b)
		}
		if b.Environment != "ARM_CONTAINER" || b.Compute != "BUILD_GENERAL1_SMALL" || !b.Privileged || !b.DockerServer ||
			b.Fleet != "arn:aws:codebuild:eu-west-1:111122223333:fleet/ci:f1" || b.VPC != "vpc-0a1b2c3d" {
			t.Errorf("where it ran: %+v", b)
		}
	}
	for data, want := range map[string]string{
		``:                                "reading build",
		`{"id":"web:b1"}`:                 "needs id, arn and projectName",
		`{"builds":[{},{}]}`:              "there are 2 builds",
		`{"id":"x","startTime":"yester"}`: "2026-01-31",
	} {
		if _, err := Decode([]byte(data)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", data, err)
		}
	}
}

// TestOtherCredentials: the name of a variable says whether AWS's tools act as somebody else.
func TestOtherCredentials(t *testing.T) {
	for name, want := range map[string]bool{
		"AWS_ACCESS_KEY_ID": true, "AWS_PROFILE": true, "AWS_ENDPOINT_URL": true, "AWS_ENDPOINT_URL_S3": true,
		"AWS_REGION": false, "AWS_MAX_ATTEMPTS": false, "DEPLOY_AWS_PROFILE": false, "aws_profile": false,
	} {
		b, err := Decode([]byte(`{"id":"web:b1","arn":"arn:aws:codebuild:eu-west-1:111122223333:build/web:b1","projectName":"web",` +
			`"environment":{"environmentVariables":[{"name":"STAGE","value":"prod"},{"name":"` + name + `","value":"x"}]}}`))
		if err != nil || b.OtherCredentials != want {
			t.Errorf("%s: %t, want %t (%v)", name, b.OtherCredentials, want, err)
		}
	}
}

// TestReportGroup: only a report of CodeBuild has a group.
func TestReportGroup(t *testing.T) {
	const place = "arn:aws-cn:codebuild:cn-north-1:111122223333:"
	for s, want := range map[string]string{
		place + "report/web-unit:0a1b-2c3d": "web-unit", place + "report/a:b:c": "a", place + "report/web-unit": "",
		place + "report/:1":        "",
		place + "report/web-unit:": "", place + "report-group/web-unit:1": "", place + "build/web:1": "",
		"arn:aws:s3:eu-west-1:111122223333:report/web:1": "", "web-unit:1": "", "": "",
	} {
		if got := ReportGroup(s); got != want {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
	}
}

func FuzzParseARN(f *testing.F) {
	f.Add(arn)
	f.Add("arn:aws:s3:::b/k:v:w")
	f.Fuzz(func(t *testing.T, s string) {
		if a, ok := ParseARN(s); ok && a.String() != s {
			t.Errorf("%q became %q", s, a)
		}
	})
}

// TestParseBuildARN ensures that only a build's ARN gives a build.
func TestParseBuildARN(t *testing.T) {
	at, id, ok := ParseBuildARN("arn:aws-cn:codebuild:cn-north-1:111122223333:build/shop:1")
	if !ok || id != "shop:1" || at.Account != "111122223333" || at.Partition != "aws-cn" {
		t.Errorf("%+v, %q, %v", at, id, ok)
	}
	for _, s := range []string{"", "shop:1", "arn:aws:codebuild:r:a:build/", "arn:aws:codebuild:r:a:build-batch/shop",
		"arn:aws:codebuild:r:a:project/shop", "arn:aws:logs:r:a:build/shop:1"} {
		if at, id, ok := ParseBuildARN(s); ok || id != "" || at != (ARN{}) {
			t.Errorf("%q: %+v, %q, %v", s, at, id, ok)
		}
	}
}

// TestRoleNamed ensures that a name and its path come apart and together.
func TestRoleNamed(t *testing.T) {
	at := ARN{Partition: "aws", Account: "111122223333"}
	for in, want := range map[string]string{
		"r": "arn:aws:iam::111122223333:role/r", "/r": "arn:aws:iam::111122223333:role/r",
		"a/b/r": "arn:aws:iam::111122223333:role/a/b/r", "/a/r": "arn:aws:iam::111122223333:role/a/r",
	} {
		if got := RoleNamed(at, in).ARN(); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}

func TestRef(t *testing.T) {
	const commit = "2f1c0de2f1c0de2f1c0de2f1c0de2f1c0de2f1c0"
	for v, want := range map[string]string{
		"refs/heads/main": "refs/heads/main", "refs/heads/main^{" + commit + "}": "refs/heads/main", "refs/tags/v1": "refs/tags/v1",
		"pr/7": "pr/7", "main": "main", "": "", commit: "", "arn:aws:s3:::pipe/app.zip": "", "2f1c0de": "2f1c0de", "v-0001": "",
	} {
		if got := (Build{SourceVersion: v, ResolvedSourceVersion: "v-0001"}).Ref(); got != want {
			t.Errorf("%q is asked for by the name %q, want %q", v, got, want)
		}
	}
}
