package diagnose

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
)

// TestLogs diagnoses whole logs as CodeBuild writes them, with all that comes
// before and after the reason.
func TestLogs(t *testing.T) {
	frame := func(phase, command, output, exit string) string {
		return "[Container] 2026/03/04 10:11:12.131415 Entering phase " + phase + "\n" +
			"[Container] 2026/03/04 10:11:12.131416 Running command " + command + "\n" +
			output +
			"[Container] 2026/03/04 10:11:13.131417 Command did not exit successfully " + command + " exit status " + exit + "\n" +
			"[Container] 2026/03/04 10:11:13.131418 Phase complete: " + phase + " State: FAILED\n" +
			"[Container] 2026/03/04 10:11:13.131419 Phase context status code: COMMAND_EXECUTION_ERROR " +
			"Message: Error while executing command: " +
			command + ". Reason: exit status " + exit + "\n"
	}
	denial := "User: arn:aws:sts::111122223333:assumed-role/codebuild-shop/AWSCodeBuild-11111111-2222-3333-4444-555555555555" +
		" is not authorized to perform: ecr:PutImage on resource: arn:aws:ecr:eu-west-1:111122223333:repository/shop" +
		" because no identity-based policy allows the ecr:PutImage action"
	const severalLines = "docker info || { echo \"FATAL: Cannot connect to the Docker daemon\"; exit 1; }\n" +
		"test -f x || { echo \"FATAL: No space left on device\"; exit 1; }\n./verify.sh\n"
	for _, tt := range []struct {
		name, log string
		cause     string
		remedy    Remedy
		line      int
		evidence  string // part of it
	}{
		{"denial", frame("BUILD", "make push", "pushing\ndenied: "+denial+"\n", "1"),
			"missing-permission", Grant, 4, "ecr:PutImage"},
		{"denial of an earlier command", "[Container] 2026/03/04 10:11:11 Running command aws ecr describe || " +
			"true\n" + denial + "\n" +
			frame("BUILD", "npm test", "npm ERR! Test failed.  See above for more details.\n", "1"),
			"test-failure", Report, 5, "Test failed"},
		{"denial beside a generic cause", frame("BUILD", "./deploy.sh",
			"make: *** No rule to make target 'x'.  Stop.\nBuilding without it\n"+denial+"\n", "1"),
			"missing-permission", Grant, 5, "ecr:PutImage"},
		{"a generic cause that ended what ran", frame("BUILD", "make x",
			"make: *** No rule to make target 'x'.  Stop.\n"+denial+"\n", "1"),
			"make-target-missing", Report, 3, "No rule to make target"},
		{"explicit denial beside a curable one", frame("BUILD", "./deploy.sh", denial+"\n"+
			strings.ReplaceAll(strings.Replace(denial, "because no identity-based policy allows the ecr:PutImage action",
				"with an explicit deny in a service control policy: "+
					"arn:aws:organizations::444455556666:policy/o-example/service_control_policy/p-example", 1),
				"ecr:PutImage", "s3:PutObject")+"\n", "1"),
			"denied-by-scp", Report, 4, "service control policy"},
		{"the command names what it guards against", frame("BUILD", `sh -c 'x || echo "No space left on device"'`,
			"nothing\n", "1"),
			"command-failed", Report, 3, "nothing"},
		{"Kubernetes is not IAM", frame("BUILD", "kubectl get secret",
			`Error from server (Forbidden): secrets "t" is forbidden: User `+
				`"arn:aws:sts::111122223333:assumed-role/codebuild-shop/AWSCodeBuild-1" cannot get resource "secrets" in API `+
				`group "" in the namespace "prod"`+"\n", "1"),
			"kubernetes-rbac-forbidden", Report, 3, "Forbidden"},
		{"a database is not IAM", frame("BUILD", "mysql",
			"ERROR 1045 (28000): Access denied for user 'shop'@'10.0.0.1' (using password: YES)\n", "1"),
			"database-auth-failed", Report, 3, "Access denied for user"},
		{"GitHub is not IAM", frame("POST_BUILD", "git push",
			"remote: Permission to example/shop.git denied to bot.\nfatal: unable to access "+
				"'https://github.com/example/shop.git/': The requested URL returned error: 403\n", "128"),
			"git-auth", Report, 3, "remote: Permission to"},
		{"repository missing", frame("POST_BUILD", "docker push $IMAGE",
			"name unknown: The repository with name 'shop/web' does not exist in the registry with id '111122223333'\n", "1"),
			"ecr-repository-not-found", CreateRepository, 3, "shop/web"},
		{"a reset that was retried long before the end",
			frame("BUILD", "./build.sh", "ECONNRESET, trying again\n"+strings.Repeat("compiling\n", 100)+"it is wrong\n", "1"),
			"command-failed", Report, 104, "it is wrong"},
		{"out of memory by exit status", frame("BUILD", "./build.sh", "compiling\n", "137"),
			"out-of-memory", Report, 3, "compiling"},
		{"the buildspec is missing", "[Container] 2026/03/04 10:11:12 Phase complete: DOWNLOAD_SOURCE State: FAILED\n" +
			"[Container] 2026/03/04 10:11:12 Phase context status code: YAML_FILE_ERROR Message: YAML file does not exist\n",
			"buildspec-not-found", OverrideBuildspec, 0, "YAML file does not exist"},
		{"CodeBuild's own code beats what the log says", frame("BUILD", "./build.sh",
			"YAML_FILE_ERROR: YAML file does not exist\n", "1"),
			"command-failed", Report, 3, "YAML_FILE_ERROR"},
		{"a command of several lines is printed twice", "[Container] 2026/03/04 10:11:12.131416 Running command " +
			"set -e\n" + severalLines +
			"\nthe contract does not match\n[Container] 2026/03/04 10:11:13.131417 Command did not exit " +
			"successfully set -e\n" +
			severalLines +
			" exit status 1\n[Container] 2026/03/04 10:11:13.131418 Phase complete: PRE_BUILD State: FAILED\n" +
			"[Container] 2026/03/04 10:11:13.131419 Phase context status code: COMMAND_EXECUTION_ERROR Message: Error while " +
			"executing command: set -e\n" +
			severalLines + ". Reason: exit status 1\n",
			"command-failed", Report, 6, "the contract does not match"},
		{"tests print errors on purpose", frame("BUILD", "npm test",
			"console.error ThrottlingException: Rate exceeded\nError: connect ECONNREFUSED 127.0.0.1:5432\nHTTP Error 429\n"+
				"Tests:       1 failed, 10 passed, 11 total\nnpm ERR! code ELIFECYCLE\n", "1"),
			"test-failure", Report, 6, "1 failed"},
		{"tests without Docker", frame("BUILD", "mvn verify",
			"java.lang.IllegalStateException: Could not find a valid Docker environment.\nTests run: 3, Failures: 0, "+
				"Errors: 3, Skipped: 0\n", "1"),
			"docker-daemon-unavailable", Report, 3, "Docker environment"},
		{"a stack that was rolled back for a wrong value", frame("BUILD", "cdk deploy",
			"shop | CREATE_FAILED | AWS::Lambda::Function | F Resource handler returned message: \"'MemorySize' value "+
				"failed to satisfy constraint: Member must have value less than or equal to 3008\"\n"+
				"shop | ROLLBACK_COMPLETE | AWS::CloudFormation::Stack | shop\n ❌  shop failed: Error: The stack "+
				"named shop failed creation\n", "1"),
			"invalid-parameter", Report, 3, "MemorySize"},
		{"a denial within a rolled back stack", frame("BUILD", "cdk deploy",
			"shop | CREATE_FAILED | AWS::SQS::Queue | Q Resource handler returned message: \""+strings.ReplaceAll(denial,
				"ecr:PutImage", "sqs:CreateQueue")+" (Service: Sqs, Status Code: 403)\"\n"+
				"shop | ROLLBACK_COMPLETE | AWS::CloudFormation::Stack | shop\n", "1"),
			"missing-permission", Grant, 3, "sqs:CreateQueue"},
		{"a compiler within an image build", frame("BUILD", "docker build .",
			"#12 34.5 src/cart.ts(3,22): error TS2307: Cannot find module 'lodash'.\n#12 ERROR: process \"/bin/sh -c npm "+
				"run build\" did not complete successfully: exit code: 2\n", "1"),
			"compile-error", Report, 3, "TS2307"},
		{"warnings of an install are no failed scan", frame("BUILD", "npm ci && npm run build",
			"npm WARN deprecated left-pad@1.0.0\n3 vulnerabilities (1 moderate, 2 high)\nsh: 1: vite: not found\n", "127"),
			"command-not-found", Report, 5, "vite"},
		{"a limit while the stack waits", frame("BUILD", "terraform apply",
			"│ Error: creating SQS Queue: operation error SQS: CreateQueue, https response error StatusCode: 400, "+
				"RequestID: 1, api error RequestThrottled: Rate exceeded\n│\n", "1"),
			"throttling", Retry, 3, "Rate exceeded"},
		{"a test prints a denial of nobody here", frame("BUILD", "go test ./...",
			"    denial_test.go:4: got \""+strings.ReplaceAll(denial,
				"codebuild-shop/AWSCodeBuild-11111111-2222-3333-4444-555555555555", "fake/session")+
				"\"\n--- FAIL: TestDenial (0.00s)\nFAIL\n", "1"),
			"test-failure", Report, 4, "--- FAIL: TestDenial"},
		{"a test prints words of a denial", frame("BUILD", "npx mocha",
			"  1 failing\n\n     AssertionError: expected 'AccessDenied: Access Denied' to equal 'StoreError'\n", "1"),
			"test-failure", Report, 3, "1 failing"},
		{"a test is denied as the build", frame("BUILD", "go test ./...",
			"    push_test.go:4: "+denial+"\n--- FAIL: TestPush (0.00s)\nFAIL\n", "1"),
			"missing-permission", Grant, 3, "ecr:PutImage"},
		{"a test is denied an operation, and AWS names nobody", frame("BUILD", "pytest",
			"E   botocore.exceptions.ClientError: An error occurred (AccessDenied) when calling the PutObject operation: "+
				"Access Denied\nFAILED t.py::test_up - botocore\n", "1"),
			"test-failure", Report, 4, "FAILED t.py::test_up"}, // a stub that the test set up says the same
		{"a user's keys", frame("POST_BUILD", "./upload.sh",
			strings.ReplaceAll(denial, "sts::111122223333:assumed-role/codebuild-shop/"+
				"AWSCodeBuild-11111111-2222-3333-4444-555555555555", "iam::111122223333:user/uploader")+"\n", "1"),
			"denied-to-another", Report, 3, "user/uploader"},
		{"a denied push", frame("POST_BUILD", "./release.sh",
			"The push refers to repository [docker.io/example/shop]\n5f70bf18a086: Waiting\ndenied: requested access to the "+
				"resource is denied\n", "1"),
			"docker-push-denied", Report, 5, "denied: requested"},
		{"a HEAD of an object", frame("BUILD", "aws s3 cp s3://shop/a .",
			"fatal error: An error occurred (403) when calling the HeadObject operation: Forbidden\n", "1"),
			"object-missing-or-denied", Grant, 3, "HeadObject"},
		{"two HEADs", frame("BUILD", "terraform init",
			`Unable to access object "a" in S3 bucket "shop-state": operation error S3: HeadObject, https response error `+
				`StatusCode: 403, api error Forbidden: Forbidden`+
				"\nAn error occurred (403) when calling the HeadObject operation: Forbidden\n", "1"),
			"object-missing-or-denied", Grant, 4, "HeadObject"},
		{"a HEAD and another denial",
			frame("BUILD", "./sync.sh", "An error occurred (403) when calling the HeadObject operation: Forbidden\n"+
				"An error occurred (AccessDenied) when calling the ListObjectsV2 operation: Access Denied\n", "1"),
			"missing-permission", Grant, 4, "ListObjectsV2"},
		{"a GET says that it may not", frame("BUILD", "./get.sh",
			"An error occurred (AccessDenied) when calling the GetObject operation: Access Denied\n", "1"),
			"missing-permission", Grant, 3, "GetObject"},
		{"a HEAD of a bucket",
			frame("BUILD", "./get.sh", "An error occurred (403) when calling the HeadBucket operation: Forbidden\n",
				"1"),
			"missing-permission", Grant, 3, "HeadBucket"},
		{"nothing", "", "unknown", Report, 0, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := Diagnose(buildlog.ReadText(codebuild.Build{Status: codebuild.Failed}, tt.log))
			if d.Cause != tt.cause || d.Remedy != tt.remedy || d.Evidence.Line != tt.line ||
				!strings.Contains(d.Evidence.Text, tt.evidence) {
				t.Errorf("got %s, %s, line %d: %s\nwant %s, %s, line %d: %s", d.Cause, d.Remedy, d.Evidence.Line, d.Evidence.Text,
					tt.cause, tt.remedy, tt.line, tt.evidence)
			}
			checkDiagnosis(t, d)
		})
	}
}

// TestSamplesAsLogs reads each sample that is only text as a log, so that
// buildlog's way of reading and the rules fit together.
func TestSamplesAsLogs(t *testing.T) {
	n := 0
	for _, s := range samples(t) {
		f := s.failure
		if len(f.Denials) > 0 || f.Phase != "" || f.Context.Code != "" || f.Exit != "" ||
			f.Build.Status != codebuild.Failed || len(f.Tail) == 0 {
			continue
		}
		n++
		var b strings.Builder
		for _, l := range f.Tail {
			fmt.Fprintln(&b, l.Text)
		}
		if f.Command != "" {
			fmt.Fprintf(&b, "[Container] 2026/03/04 10:11:13.131417 Command did not exit successfully %s exit "+
				"status 1\n", f.Command)
		}
		got := Diagnose(buildlog.ReadText(f.Build, b.String()))
		if got.Cause != s.cause {
			t.Errorf("%s is diagnosed as %s, by %q, with denials %v", s.name, got.Cause, got.Evidence.Text, got.Denials)
		}
	}
	if n < 300 {
		t.Errorf("only %d samples are plain logs", n)
	}
}

// TestGrantOnlyIfAllAreCurable puts every denial beside some others.
func TestGrantOnlyIfAllAreCurable(t *testing.T) {
	var all []buildlog.Denial
	for _, l := range []buildlog.Layer{
		buildlog.IdentityBased, buildlog.ResourceBased, buildlog.PermissionsBoundary, buildlog.SessionPolicy,
		buildlog.ServiceControl, buildlog.ResourceControl, buildlog.VPCEndpoint, buildlog.RoleTrust, buildlog.LayerUnstated,
	} {
		for _, e := range []buildlog.Effect{buildlog.Implicit, buildlog.Explicit, buildlog.Unstated} {
			for _, action := range []string{"", "s3:GetObject"} {
				for _, causal := range []bool{false, true} {
					all = append(all, buildlog.Denial{Layer: l, Effect: e, Action: action, Causal: causal,
						Text: "denied", Origin: buildlog.FromLog})
				}
			}
		}
	}
	curable := func(d buildlog.Denial) bool {
		return d.Action != "" && d.Effect != buildlog.Explicit && (d.Layer == buildlog.IdentityBased ||
			d.Layer == buildlog.LayerUnstated)
	}
	beside := []buildlog.Denial{
		{Layer: buildlog.IdentityBased, Effect: buildlog.Implicit, Action: "s3:PutObject", Causal: true},
		{Layer: buildlog.IdentityBased, Effect: buildlog.Implicit, Action: "s3:PutObject"},
		{Layer: buildlog.LayerUnstated, Effect: buildlog.Unstated, Causal: true},
		{Layer: buildlog.ServiceControl, Effect: buildlog.Explicit, Action: "s3:PutObject"},
	}
	for _, a := range all {
		for _, b := range beside {
			list := []buildlog.Denial{a, b}
			d := Diagnose(buildlog.Failure{Denials: list, Command: "x", Exit: "1"})
			causal := slices.DeleteFunc(slices.Clone(list), func(d buildlog.Denial) bool { return !d.Causal })
			want := len(causal) > 0 && !slices.ContainsFunc(causal, func(d buildlog.Denial) bool { return !curable(d) })
			if got := d.Remedy == Grant; got != want {
				t.Fatalf("%+v and %+v: remedy is %s", a, b, d.Remedy)
			}
			if isDenial := d.Cause != "command-failed"; isDenial != (len(causal) > 0) {
				t.Fatalf("%+v and %+v: cause is %s", a, b, d.Cause)
			}
			if len(d.Denials) != 2 {
				t.Fatalf("%d denials are listed, want both", len(d.Denials))
			}
		}
	}
}

func TestAdviceOnDenials(t *testing.T) {
	const build = "arn:aws:codebuild:eu-west-1:111122223333:build/shop:11111111-2222-3333-4444-555555555555"
	session := func(role string) string { return "arn:aws:sts::111122223333:assumed-role/" + role + "/s" }
	const other = "the permission belongs there"
	const unstated = "does not say which policy"
	for _, tt := range []struct {
		name       string
		role       string
		denial     buildlog.Denial
		want, miss []string
	}{
		{"the build's role", "arn:aws:iam::111122223333:role/service-role/codebuild-shop",
			buildlog.Denial{Principal: session("codebuild-shop"), Effect: buildlog.Implicit, Layer: buildlog.IdentityBased},
			nil, []string{other, unstated}},
		{"the role's name only", "codebuild-shop",
			buildlog.Denial{Principal: session("codebuild-shop"), Effect: buildlog.Implicit,
				Layer: buildlog.IdentityBased}, nil, []string{other}},
		{"another role", "codebuild-shop",
			buildlog.Denial{Principal: session("cdk-deploy"), Effect: buildlog.Implicit, Layer: buildlog.IdentityBased},
			[]string{other, session("cdk-deploy")}, nil},
		{"the role itself", "codebuild-shop",
			buildlog.Denial{Principal: "arn:aws:iam::111122223333:role/path/codebuild-shop"}, nil, []string{other}},
		{"the same name in another account", "codebuild-shop",
			buildlog.Denial{Principal: "arn:aws:sts::444455556666:assumed-role/codebuild-shop/s"}, []string{other}, nil},
		{"a user", "", buildlog.Denial{Principal: "arn:aws:iam::111122223333:user/dev"}, []string{other, "user/dev"}, nil},
		{"the root of an account", "", buildlog.Denial{Principal: "arn:aws:iam::111122223333:root"}, []string{other}, nil},
		{"no build record", "", buildlog.Denial{Principal: session("x")}, nil, []string{other}},
		{"masked", "codebuild-shop", buildlog.Denial{Principal: "arn:aws:sts::***:assumed-role/codebuild-shop/***"}, nil,
			[]string{other}},
		{"a masked account, and another role", "codebuild-shop", buildlog.Denial{Principal: "arn:aws:sts::***:assumed-role/x/s"},
			[]string{other}, nil},
		{"in words", "codebuild-shop", buildlog.Denial{Subject: "The provided execution role"},
			[]string{other, "It was the provided execution role that was denied"}, []string{unstated}},
		{"a reason", "codebuild-shop", buildlog.Denial{Reason: "because object protected by object lock"},
			[]string{`AWS says: "because object protected by object lock".`}, []string{other, unstated}},
		{"none", "codebuild-shop", buildlog.Denial{}, nil, []string{other}},
		{"the policy is named", "", buildlog.Denial{Effect: buildlog.Explicit, Layer: buildlog.ServiceControl,
			PolicyARN: "arn:aws:organizations::444455556666:policy/o-example/service_control_policy/p-example"},
			[]string{"The denying policy is " +
				"arn:aws:organizations::444455556666:policy/o-example/service_control_policy/p-example."}, []string{unstated}},
		{"unstated", "", buildlog.Denial{Effect: buildlog.Unstated, Layer: buildlog.LayerUnstated}, []string{unstated}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := codebuild.Build{ARN: build, ServiceRole: tt.role}
			if tt.role == "" {
				b = codebuild.Build{}
			}
			tt.denial.Action, tt.denial.Causal = "s3:GetObject", true
			d := Diagnose(buildlog.Failure{Build: b, Denials: []buildlog.Denial{tt.denial}})
			for _, w := range tt.want {
				if !strings.Contains(d.Advice, w) {
					t.Errorf("the advice lacks %q: %s", w, d.Advice)
				}
			}
			for _, w := range tt.miss {
				if strings.Contains(d.Advice, w) {
					t.Errorf("the advice says %q: %s", w, d.Advice)
				}
			}
		})
	}
}

// TestDroppedDenialsWithholdTheGrant: what is not known cannot be cured.
func TestDroppedDenialsWithholdTheGrant(t *testing.T) {
	f := buildlog.Failure{Dropped: 1, Denials: []buildlog.Denial{{Action: "s3:GetObject", Effect: buildlog.Implicit,
		Layer: buildlog.IdentityBased, Causal: true}}}
	if d := Diagnose(f); d.Remedy != Report || d.Cause != "missing-permission" {
		t.Errorf("%s, %s", d.Cause, d.Remedy)
	}
}

func TestAdviceOnEncodedMessages(t *testing.T) {
	denied := buildlog.Denial{Effect: buildlog.Unstated, Layer: buildlog.LayerUnstated, Causal: true, Encoded: "abc"}
	if d := Diagnose(buildlog.Failure{Denials: []buildlog.Denial{denied}}); !strings.Contains(d.Advice,
		"decode-authorization-message") {
		t.Error(d.Advice)
	}
	denied.Encoded, denied.EncodedCut = "", true
	if d := Diagnose(buildlog.Failure{Denials: []buildlog.Denial{denied}}); !strings.Contains(d.Advice, "it is cut") {
		t.Error(d.Advice)
	}
	denied.Action = "ec2:RunInstances"
	if d := Diagnose(buildlog.Failure{Denials: []buildlog.Denial{denied}}); strings.Contains(d.Advice, "encoded") {
		t.Error(d.Advice)
	}
}

func TestTitleNamesActions(t *testing.T) {
	denied := func(actions ...string) buildlog.Failure {
		var f buildlog.Failure
		for _, a := range actions {
			d := buildlog.Denial{Action: a, Effect: buildlog.Implicit, Layer: buildlog.IdentityBased, Causal: true}
			if op, ok := strings.CutPrefix(a, "op "); ok {
				d.Action, d.Operation = "", op
			}
			f.Denials = append(f.Denials, d)
		}
		return f
	}
	for _, tt := range []struct {
		f    buildlog.Failure
		want string
	}{
		{denied("ecr:PutImage"), "The role lacks ecr:PutImage"},
		{denied("ecr:PutImage", "ecr:PutImage"), "The role lacks ecr:PutImage"},
		{denied("ecr:GetAuthorizationToken", "ecr:PutImage"), "The role lacks ecr:PutImage and 1 more"},
		{denied("op Frobnicate"), "AWS denied access and does not say which permission the operation needs"},
		{buildlog.Failure{Command: "make", Exit: "2"}, "A command failed with exit status 2"},
		{buildlog.Failure{Command: "make"}, "A command failed with exit status unknown"},
	} {
		if got := Diagnose(tt.f).Title; got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

// TestTextIsPlain ensures that a terminal or a mail program finds nothing to interpret in a hostile
// log.
func TestTextIsPlain(t *testing.T) {
	const evil = "\x1b[31m\x07a\u202eb\u2066c\x00d\r\ne\u009b1mf"
	d := Diagnose(buildlog.Failure{
		Command: evil, Exit: evil, Context: codebuild.Context{Code: "CLIENT_ERROR", Message: evil},
		Denials: []buildlog.Denial{{Action: evil, Resource: evil, Principal: "arn:aws:iam::1:user/" + evil,
			PolicyARN: evil, Text: evil, Causal: true}},
		Tail: []buildlog.Line{{N: 1, Text: evil}}, Excerpt: []buildlog.Line{{N: 1, Text: evil}},
	})
	for _, s := range []string{d.Title, d.Advice, d.Evidence.Text, d.Excerpt[0].Text} {
		checkPlain(t, s)
	}
}

// Where no cause is known, the evidence is the line that most surely reports an error, however much
// other output stands behind it, and the excerpt holds it.
func TestTheDecidingLine(t *testing.T) {
	const agent = "[Container] 2026/01/05 10:11:12.000001 "
	lines := func(format string, n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format+"\n", i)
		}
		return b.String()
	}
	for _, c := range []struct{ what, output, want string }{
		{"a home-made error, then what passed", lines("ok file %d", 30) +
			"❌ owner bob is not a member of the team\n" + lines("ok file %d", 20),
			"❌ owner bob is not a member of the team"},
		{"the same in 16,000 lines", lines("file %d is fine", 8000) + "❌ owner bob is not a member of the team\n" +
			lines("file %d is fine", 8000),
			"❌ owner bob is not a member of the team"},
		{"words of an error behind a sure one", "ERROR: owner bob is not a member\n" +
			lines("note %d: unknown owners may be missing", 20),
			"ERROR: owner bob is not a member"},
		{"of equal ones the last", "Error: first\nError: second\nbye\n", "Error: second"},
		{"what only follows from it", "✗ owners: bob\nmake: *** [Makefile:3: owners] Error 1\n", "✗ owners: bob"},
		{"what only follows from it, if there is nothing else", "make: *** [Makefile:3: owners] Error 1\n",
			"make: *** [Makefile:3: owners] Error 1"},
		{"no words of an error: the last line", "one\ntwo\n\n", "two"},
		{"a test that passed and is about an error", "owner bob: not a member\nok 12 - Error: is reported\n",
			"owner bob: not a member"},
	} {
		d := Diagnose(buildlog.ReadText(codebuild.Build{}, agent+"Running command ./owners.sh\n"+c.output+agent+
			"Command did not exit successfully ./owners.sh exit status 1\n"+agent+"Phase complete: BUILD State: FAILED\n"))
		if d.Evidence.Text != c.want {
			t.Errorf("%s (%s): evidence %q, want %q", c.what, d.Cause, d.Evidence.Text, c.want)
		}
		if len(d.Excerpt) > maxExcerpt || !slices.ContainsFunc(d.Excerpt, func(l buildlog.Line) bool { return l.Text == c.want }) {
			t.Errorf("%s: not in the excerpt of %d lines", c.what, len(d.Excerpt))
		}
	}
}

// A stopped build is nobody's business, but for one that its batch stopped as it failed or faulted.
func TestStopped(t *testing.T) {
	for batch, want := range map[string]string{
		"": "Nothing is wrong.",
		"arn:aws:codebuild:eu-west-1:111122223333:build-batch/shop:11111111-2222-3333-4444-555555555555": "look at the batch",
	} {
		d := Diagnose(buildlog.Failure{Build: codebuild.Build{Status: codebuild.Stopped, BatchARN: batch}})
		if d.Cause != "stopped" || d.Remedy != Ignore || !strings.Contains(d.Advice, want) {
			t.Errorf("batch %q: %s, %s: %s", batch, d.Cause, d.Remedy, d.Advice)
		}
		if batch != "" && (strings.Contains(d.Advice, "Nothing is wrong") || !strings.Contains(d.Advice, "shop:11111111")) {
			t.Errorf("batch %q: %s", batch, d.Advice)
		}
	}
}

// What failed besides is told in single lines of visible text, and decides nothing.
func TestAlsoFailed(t *testing.T) {
	f := buildlog.Failure{Tail: []buildlog.Line{{N: 1, Text: "a.ts(1,1): error TS2322: Type 'x' is not assignable to type 'y'."}},
		Command: "npx tsc", Exit: "2"}
	want := Diagnose(f)
	f.Also = []buildlog.Also{{Phase: "POST_BUILD", Command: "docker pull x\x1b[31m\ny", Exit: "1",
		Message: "toomanyrequests: You have reached your pull rate limit", Line: 9}}
	got := Diagnose(f)
	if len(got.Also) != 1 || got.Also[0].Line != 9 {
		t.Fatalf("got %+v", got.Also)
	}
	checkPlain(t, got.Also[0].Command)
	got.Also = nil
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the diagnosis changed (-want +got):\n%s", diff)
	}
}

func TestExcerpt(t *testing.T) {
	lines := func(from, to int) []buildlog.Line {
		var l []buildlog.Line
		for i := from; i <= to; i++ {
			l = append(l, buildlog.Line{N: i, Text: fmt.Sprintf("line %d", i)})
		}
		return l
	}
	at := func(l []buildlog.Line, n int, text string) []buildlog.Line {
		l = slices.Clone(l)
		for i := range l {
			if l[i].N == n {
				l[i].Text = text
			}
		}
		return l
	}
	for _, tt := range []struct {
		name  string
		f     buildlog.Failure
		holds [][2]int // lines from and to
	}{
		{"buildlog's, if it holds the evidence", buildlog.Failure{Tail: at(lines(1, 100), 95, "npm ERR! Test failed"),
			Excerpt: at(lines(80, 100), 95, "npm ERR! Test failed")}, [][2]int{{80, 100}}},
		{"around the evidence, with beginning and end", buildlog.Failure{Tail: at(lines(1, 100), 50, "npm ERR! Test failed"),
			Excerpt: lines(80, 100)}, [][2]int{{1, 5}, {42, 66}, {91, 100}}},
		{"around evidence at the start, and the end", buildlog.Failure{Tail: at(lines(1, 100), 2, "npm ERR! Test failed"),
			Excerpt: lines(80, 100)}, [][2]int{{1, 30}, {91, 100}}},
		{"without any: the end", buildlog.Failure{Tail: lines(1, 100)}, [][2]int{{1, 5}, {66, 100}}},
		{"too long", buildlog.Failure{Tail: lines(1, 100), Excerpt: lines(1, 100)}, [][2]int{{61, 100}}},
		{"the context, if there is no log",
			buildlog.Failure{NoLog: true, Context: codebuild.Context{Code: "CLIENT_ERROR", Message: "x"}}, [][2]int{{0, 0}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var want, got []int
			for _, r := range tt.holds {
				for n := r[0]; n <= r[1]; n++ {
					want = append(want, n)
				}
			}
			for _, l := range Diagnose(tt.f).Excerpt {
				got = append(got, l.N)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("lines (-want +got):\n%s", diff)
			}
		})
	}
	if d := Diagnose(buildlog.Failure{}); d.Excerpt == nil || d.Denials == nil {
		t.Error("excerpt and denials must not be nil")
	}
}

// TestBestEvidence shows which line stands for a failure of an unknown kind.
func TestBestEvidence(t *testing.T) {
	for _, tt := range []struct{ log, want string }{
		{"start\nsomething failed here\nclean up\n", "something failed here"},
		{"the widget is broken, unable to go on\n0 errors, 0 warnings\n\n", "the widget is broken, unable to go on"},
		{"fatal: no widget\nmake: *** [Makefile:3: all] Error 1\n", "fatal: no widget"},
		{"one\ntwo\n\n", "two"},
		{"error one\nerror two\n", "error two"},
	} {
		f := buildlog.Failure{Command: "x", Exit: "1"}
		for i, l := range strings.Split(strings.TrimSuffix(tt.log, "\n"), "\n") {
			f.Tail = append(f.Tail, buildlog.Line{N: i + 1, Text: l})
		}
		if d := Diagnose(f); d.Evidence.Text != tt.want || d.Cause != "command-failed" {
			t.Errorf("%q: got %s by %q, want %q", tt.log, d.Cause, d.Evidence.Text, tt.want)
		}
	}
}

// TestJSON fixes the names that programs read.
func TestJSON(t *testing.T) {
	got, err := json.Marshal(Diagnosis{Denials: []buildlog.Denial{}, Excerpt: []buildlog.Line{},
		Details: map[string]string{"repository": "shop"}})
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"cause":"","title":"","remedy":"","retryable":false,"evidence":{"line":0,"text":"","origin":""},` +
		`"advice":"","denials":[],` +
		`"details":{"repository":"shop"},"excerpt":[],"fingerprint":""}`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error(diff)
	}
}

var fingerprintForm = regexp.MustCompile(`^[0-9a-f]{16}$`)

// checkDiagnosis checks what holds for every diagnosis.
func checkDiagnosis(t testing.TB, d Diagnosis) {
	t.Helper()
	i := slices.IndexFunc(causes, func(c Cause) bool { return c.Name == d.Cause })
	if i < 0 {
		t.Fatalf("there is no cause %q", d.Cause)
	}
	if d.Remedy != causes[i].Remedy && d.Remedy != Report {
		t.Errorf("cause %s has remedy %s", d.Cause, d.Remedy)
	}
	if d.Remedy == Retry && !d.Retryable {
		t.Error("the remedy is retry, and a retry has no chance")
	}
	if !fingerprintForm.MatchString(d.Fingerprint) {
		t.Errorf("fingerprint is %q", d.Fingerprint)
	}
	explains := 0
	for _, x := range d.Denials {
		if x.Causal != (x.Verdict.Finding == Explains) || Meaning(x.Verdict.Finding) == "" {
			t.Errorf("causal is %v, and the finding is %q", x.Causal, x.Verdict.Finding)
		}
		if x.Causal {
			explains++
		}
	}
	if d.Remedy == Grant && explains == 0 {
		t.Error("the remedy is grant, and no denial explains the failure")
	}
	if d.Denials == nil || d.Excerpt == nil || len(d.Excerpt) > maxExcerpt {
		t.Error("denials or excerpt is nil or too long")
	}
	if len(d.Title) > 1000 || len(d.Advice) > 4000 || len(d.Evidence.Text) > 3*maxLineBytes {
		t.Errorf("title, advice or evidence is too long: %d, %d, %d", len(d.Title), len(d.Advice), len(d.Evidence.Text))
	}
	for _, s := range []string{d.Title, d.Advice, d.Evidence.Text} {
		checkPlain(t, s)
	}
	for _, l := range d.Excerpt {
		checkPlain(t, l.Text)
	}
}

func checkPlain(t testing.TB, s string) {
	t.Helper()
	for _, r := range s {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar ||
			strings.ContainsRune("\u2028\u2029", r) {
			t.Errorf("%q holds %q", s, r)
		}
	}
}

// FuzzDiagnose checks every diagnosis, and that it is always the same.
func FuzzDiagnose(f *testing.F) {
	for i, s := range samples(f) {
		if i%10 != 0 {
			continue
		}
		var b strings.Builder
		for _, l := range s.failure.Tail {
			fmt.Fprintln(&b, l.Text)
		}
		f.Add(b.String(), s.failure.Context.Code, s.failure.Context.Message, s.failure.Exit, "s3:GetObject", "implicit",
			"identity-based-policy", true)
	}
	f.Fuzz(func(t *testing.T, log, code, message, exit, action, effect, layer string, causal bool) {
		b := codebuild.Build{Status: codebuild.Failed, Phases: []codebuild.Phase{
			{Type: "BUILD", Status: codebuild.Failed, Contexts: []codebuild.Context{{Code: code, Message: message}}},
		}}
		fail := buildlog.ReadText(b, log)
		fail.Exit = exit
		if action != "" {
			fail.Denials = append(fail.Denials, buildlog.Denial{Action: action, Effect: buildlog.Effect(effect),
				Layer: buildlog.Layer(layer), Causal: causal})
		}
		d := Diagnose(fail)
		checkDiagnosis(t, d)
		if diff := cmp.Diff(d, Diagnose(fail)); diff != "" {
			t.Error(diff)
		}
		for _, x := range d.Denials {
			if d.Remedy == Grant && x.Causal && (x.Effect == buildlog.Explicit || x.Action == "") {
				t.Errorf("the remedy is grant with %+v", x)
			}
		}
	})
}

func BenchmarkDiagnose(b *testing.B) {
	var text strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&text, "%d compiling package number %d of the shop, nothing special about it\n", i, i)
	}
	f := buildlog.ReadText(codebuild.Build{Status: codebuild.Failed}, text.String())
	b.ReportAllocs()
	for b.Loop() {
		Diagnose(f)
	}
}

// TestWhose: whose denial it is, with and without a build record.
func TestWhose(t *testing.T) {
	const uuid = "11111111-2222-3333-4444-555555555555"
	build := codebuild.Build{ID: "shop:" + uuid, ServiceRole: "arn:aws:iam::111122223333:role/service-role/codebuild-shop",
		ARN: "arn:aws:codebuild:eu-west-1:111122223333:build/shop:" + uuid}
	for _, tt := range []struct {
		principal       string
		recorded, alone owner
	}{
		{"arn:aws:sts::111122223333:assumed-role/codebuild-shop/AWSCodeBuild-" + uuid, perhapsOurs, perhapsOurs},
		{"arn:aws:sts::111122223333:assumed-role/codebuild-shop/AWSCodeBuild-99999999-2222-3333-4444-555555555555",
			anotherSession, perhapsOurs},
		{"arn:aws:sts::111122223333:assumed-role/codebuild-shop/test-session", anotherSession, anotherSession},
		{"arn:aws:sts::111122223333:assumed-role/codebuild-shop", perhapsOurs, perhapsOurs},
		{"arn:aws:sts::111122223333:assumed-role/codebuild-shop/...", perhapsOurs, perhapsOurs},
		{"arn:aws:sts::111122223333:assumed-role/codebuild-shop/xxxx", perhapsOurs, perhapsOurs},
		{"arn:aws:sts::111122223333:assumed-role/codebuild-shop/<session>", perhapsOurs, perhapsOurs},
		{"arn:aws:sts::444455556666:assumed-role/codebuild-shop/AWSCodeBuild-" + uuid, anotherRole, perhapsOurs},
		{"arn:aws:sts::111122223333:assumed-role/codebuild-shop/***", perhapsOurs, perhapsOurs},
		{"arn:aws:sts::***:assumed-role/codebuild-shop/AWSCodeBuild-" + uuid, perhapsOurs, perhapsOurs},
		{"arn:aws:sts::111122223333:assumed-role/codebuild-shop/AWSCodeBuild-***", perhapsOurs, perhapsOurs},
		{"arn:aws:sts::********:assumed-role/***/***", perhapsOurs, perhapsOurs},
		{"arn:aws:sts::***:assumed-role/deploy/AWSCodeBuild-***", anotherRole, perhapsOurs},
		{"arn:aws:sts::4444****:assumed-role/codebuild-shop/AWSCodeBuild-" + uuid, anotherRole, perhapsOurs},
		{"arn:aws:sts::***:assumed-role/codebuild-shop/test-***", anotherSession, perhapsOurs},
		{"arn:aws:iam::***:user/kim", anotherRole, anotherRole},
		{"arn:aws:iam::111122223333:role/service-role/codebuild-shop", perhapsOurs, perhapsOurs},
		{"arn:aws:iam::111122223333:role/deploy", anotherRole, perhapsOurs},
		{"arn:aws:iam::111122223333:user/kim", anotherRole, anotherRole},
		{"arn:aws:iam::111122223333:root", anotherRole, anotherRole},
		{"arn:aws:sts::111122223333:federated-user/kim", perhapsOurs, perhapsOurs},
		{"anonymous", perhapsOurs, perhapsOurs},
		{"", perhapsOurs, perhapsOurs},
	} {
		with := facts{Failure: &buildlog.Failure{Build: build}}
		without := facts{Failure: &buildlog.Failure{}}
		if got := with.whose(&buildlog.Denial{Principal: tt.principal}); got != tt.recorded {
			t.Errorf("%q with a record: %d", tt.principal, got)
		}
		if got := without.whose(&buildlog.Denial{Principal: tt.principal}); got != tt.alone {
			t.Errorf("%q without a record: %d", tt.principal, got)
		}
	}
}

// TestWhoseOfListedRoles: a session of a role with which the settings say that the project deploys is told from the
// build's own and from anybody else's, and what it was denied may be given; of no other does that hold.
func TestWhoseOfListedRoles(t *testing.T) {
	const uuid = "11111111-2222-3333-4444-555555555555"
	build := codebuild.Build{ID: "shop:" + uuid, ServiceRole: "arn:aws:iam::111122223333:role/codebuild-shop",
		ARN: "arn:aws:codebuild:eu-west-1:111122223333:build/shop:" + uuid}
	for principal, want := range map[string]owner{
		"arn:aws:sts::111122223333:assumed-role/exec/AWSCloudFormation":                     listedRole,
		"arn:aws:sts::111122223333:assumed-role/exec/AWSCodeBuild-" + uuid:                  anotherRole,
		"arn:aws:sts::444455556666:assumed-role/exec/AWSCloudFormation":                     anotherRole,
		"arn:aws:sts::***:assumed-role/exec/AWSCloudFormation":                              anotherRole,
		"arn:aws:sts::111122223333:assumed-role/***/AWSCloudFormation":                      anotherSession,
		"arn:aws:sts::111122223333:assumed-role/exec-2/AWSCloudFormation":                   anotherRole,
		"arn:aws:iam::111122223333:role/exec":                                               anotherRole,
		"arn:aws:sts::111122223333:assumed-role/codebuild-shop/AWSCodeBuild-" + uuid:        perhapsOurs,
		"arn:aws:sts::111122223333:assumed-role/codebuild-shop/AWSCodeBuild-" + uuid + "-2": anotherSession,
	} {
		x := facts{Failure: &buildlog.Failure{Build: build, Roles: []string{"exec", "task"}}}
		if got := x.whose(&buildlog.Denial{Principal: principal}); got != want {
			t.Errorf("%q: %d, want %d", principal, got, want)
		}
		text := "[Container] 2026/11/22 10:14:00.000000 Running command cdk deploy\n" +
			"An error occurred (AccessDenied) when calling the CreateQueue operation: User: " + principal +
			" is not authorized to perform: sqs:CreateQueue on resource: arn:aws:sqs:eu-west-1:111122223333:q " +
			"because no identity-based policy allows the sqs:CreateQueue action\n" +
			"[Container] 2026/11/22 10:15:00.000000 Command did not exit successfully cdk deploy exit status 1\n" +
			"[Container] 2026/11/22 10:15:00.000000 Phase complete: BUILD State: FAILED\n"
		f := buildlog.ReadText(build, text)
		f.Roles = []string{"exec", "task"}
		d := Diagnose(f)
		if may := want == listedRole || want == perhapsOurs; (d.Remedy == Grant) != may {
			t.Errorf("%q: %s, remedy %s", principal, d.Cause, d.Remedy)
		}
		f.Roles = nil
		if want == listedRole && (Diagnose(f).Remedy != Report || !strings.Contains(d.Advice, "with which the settings say")) {
			t.Errorf("%q, not listed: %s; advice: %s", principal, Diagnose(f).Remedy, d.Advice)
		}
	}
}

// TestSetAside: what a failing test only prints is mentioned, and decides nothing.
func TestSetAside(t *testing.T) {
	f := buildlog.Failure{
		Tail: []buildlog.Line{{N: 1, Text: "--- FAIL: TestDenial (0.00s)"}},
		Denials: []buildlog.Denial{{Principal: "arn:aws:iam::111122223333:user/fake", Action: "s3:PutObject",
			Effect: buildlog.Explicit,
			Layer:  buildlog.ServiceControl, Causal: true, Origin: buildlog.FromLog}},
	}
	d := Diagnose(f)
	if d.Cause != "test-failure" || !strings.Contains(d.Advice, "user/fake was denied s3:PutObject") || len(d.Denials) != 1 {
		t.Errorf("%s: %s (%d denials)", d.Cause, d.Advice, len(d.Denials))
	}
	own := buildlog.Denial{Principal: "arn:aws:sts::111122223333:assumed-role/codebuild-shop/AWSCodeBuild-1",
		Action: "s3:PutObject",
		Effect: buildlog.Implicit, Layer: buildlog.IdentityBased, Causal: true, Origin: buildlog.FromLog}
	mixed := f
	mixed.Denials = append([]buildlog.Denial{own}, f.Denials...)
	if d := Diagnose(mixed); d.Cause != "denied-by-scp" || d.Remedy != Report {
		t.Errorf("beside a denial of the build: %s, %s", d.Cause, d.Remedy)
	}
	f.Tail[0].Text = "all tests passed"
	if d := Diagnose(f); d.Cause != "denied-by-scp" ||
		!strings.Contains(d.Advice, "user/fake that was denied, not the build's service role") {
		t.Errorf("%s: %s", d.Cause, d.Advice)
	}
}
