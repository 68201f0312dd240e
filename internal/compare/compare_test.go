package compare

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/diagnose"
)

// agent is a line of CodeBuild's agent.
func agent(text string) string { return "[Container] 2026/11/22 10:00:00.000000 " + text + "\n" }

// failedLog is the log of a build whose command failed with the output.
func failedLog(command, output string) string {
	return agent("Entering phase BUILD") + agent("Running command "+command) + output + "\n" +
		agent("Command did not exit successfully "+command+" exit status 1") +
		agent("Phase complete: BUILD State: FAILED") +
		agent("Phase context status code: COMMAND_EXECUTION_ERROR Message: Error while executing command: "+command+
			". Reason: exit status 1")
}

// greenLog is the log of a build of which each command, with its output, succeeded.
func greenLog(commands ...[2]string) string {
	text := agent("Entering phase BUILD")
	for _, c := range commands {
		text += agent("Running command "+c[0]) + c[1]
	}
	return text + agent("Phase complete: BUILD State: SUCCEEDED") + agent("Phase context status code:  Message: ")
}

// against compares the failed log with the green one.
func against(failed, green string) (Since, diagnose.Diagnosis, diagnose.Diagnosis) {
	f := buildlog.ReadText(codebuild.Build{Status: codebuild.Failed}, failed)
	d := diagnose.Diagnose(f)
	s, after := Lines(Side{Text: failed}, Side{Text: green}, f, d)
	return s, d, after
}

func TestEvidence(t *testing.T) {
	const run = "npm run report"
	for _, row := range []struct {
		what, failed string
		green        string
		read         Read
		evidence     string
		newness      Newness
	}{
		{"an error that the green build survived gives way to the new line", "ERROR no cache\nprices do not add up\n",
			greenLog([2]string{run, "ERROR no cache\n"}), ReadCommand, "prices do not add up", IsNew},
		{"a new error stays", "ERROR prices do not add up\ncleaning the workspace\n",
			greenLog([2]string{run, "ok\n"}), ReadCommand, "ERROR prices do not add up", IsNew},
		{"nothing is new", "ERROR no cache 12\n", greenLog([2]string{run, "ERROR no cache 13\n"}), ReadCommand,
			"ERROR no cache 12", IsKnown},
		{"what only follows from an error is no evidence", "ERROR no cache\nexited with code 3\n",
			greenLog([2]string{run, "ERROR no cache\n"}), ReadCommand, "ERROR no cache", IsKnown},
		{"another command printed it then", "ERROR no cache\n", greenLog([2]string{"npm ci", "ERROR no cache\n"},
			[2]string{run, "ok\n"}),
			ReadCommand, "ERROR no cache", IsNew},
		{"the command is new itself", "ERROR no cache\n", greenLog([2]string{"npm ci", "ERROR no cache\n"}), ReadLog,
			"ERROR no cache", IsKnown},
		{"no green log", "ERROR no cache\n", "", ReadNothing, "ERROR no cache", Unknown},
	} {
		s, before, d := against(failedLog(run, row.failed), row.green)
		if before.Cause != "command-failed" {
			t.Fatalf("%s: the cause is %s", row.what, before.Cause)
		}
		if d.Evidence.Text != row.evidence || s.Evidence != row.newness || s.Read != row.read {
			t.Errorf("%s: evidence %q, %q, read %q", row.what, d.Evidence.Text, s.Evidence, s.Read)
		}
		if !slices.ContainsFunc(d.Excerpt, func(l buildlog.Line) bool { return l.N == d.Evidence.Line }) {
			t.Errorf("%s: the evidence is not in the excerpt", row.what)
		}
	}
}

// TestKnownCauseKeepsEvidence ensures that of a failed test, too, the new lines are told, and that
// the evidence of a cause that says more stays.
func TestKnownCauseKeepsEvidence(t *testing.T) {
	s, before, d := against(failedLog("pytest",
		"E   assert 3 == 4\nFAILED tests/test_tax.py::test_sum - assert 3 == 4\n1 failed in 0.1s\n"),
		greenLog([2]string{"pytest", "2 passed in 0.1s\n"}))
	if before.Cause != "test-failure" || d.Evidence != before.Evidence || len(s.Lines) == 0 {
		t.Errorf("%s: %+v, was %+v; %v", before.Cause, d.Evidence, before.Evidence, s.Lines)
	}
}

// TestPartOfAGreenLog ensures that nothing is compared with a log whose beginning is missing, if
// the command may be there.
func TestPartOfAGreenLog(t *testing.T) {
	f := buildlog.ReadText(codebuild.Build{}, failedLog("make", "ERROR x\n"))
	for _, row := range []struct {
		text string
		want Read
	}{{greenLog([2]string{"npm ci", "ok\n"}), ReadNothing}, {greenLog([2]string{"make", "ok\n"}), ReadCommand}} {
		s, _ := Lines(Side{}, Side{Text: row.text, Cut: true}, f, diagnose.Diagnose(f))
		if s.Read != row.want || (len(s.Lines) > 0) != (row.want != ReadNothing) {
			t.Errorf("%q: %+v", row.text, s)
		}
	}
}

// TestNeverChangesTheCause ensures, for all samples of causes and random green logs, that the
// comparison changes nothing but evidence and excerpt, and those only where the cause explains
// nothing.
func TestNeverChangesTheCause(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	outputs := []string{"x: No space left on device\n", "ERROR no cache\nprices do not add up\n",
		"--- FAIL: TestTax (0.01s)\nFAIL\n",
		"An error occurred (AccessDenied) when calling the PutObject operation: User: arn:aws:sts::111122223333:assumed-role/shop/x is " +
			"not authorized to perform: s3:PutObject on resource: \"arn:aws:s3:::shop/x\" because no identity-based policy allows " +
			"the s3:PutObject action\n",
		"toomanyrequests: You have reached your pull rate limit.\n", "plain\n", ""}
	for i := range 300 {
		out := outputs[i%len(outputs)]
		for _, l := range randomLog(r, r.IntN(20)) {
			out += l.Text + "\n"
		}
		green := ""
		for _, l := range randomLog(r, r.IntN(60)) {
			green += l.Text + "\n"
		}
		if r.IntN(2) == 0 {
			green += outputs[r.IntN(len(outputs))]
		}
		_, before, after := against(failedLog("make", out), greenLog([2]string{"make", green}))
		if !diagnose.Unexplained(before.Cause) && !reflect.DeepEqual(before, after) {
			t.Fatalf("%s has changed:\n%+v\n%+v", before.Cause, before, after)
		}
		after.Evidence, after.Excerpt = before.Evidence, before.Excerpt
		if !reflect.DeepEqual(before, after) {
			t.Fatalf("more than evidence and excerpt has changed:\n%+v\n%+v", before, after)
		}
	}
}

var began = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

// build is the n-th build of a project; one a minute begins.
func build(n int, status, version, commit string) codebuild.Build {
	at := began.Add(time.Duration(n) * time.Minute)
	return codebuild.Build{ID: fmt.Sprintf("shop:%d", n), Number: int64(n), Status: status, SourceVersion: version,
		ResolvedSourceVersion: commit, Start: at, End: at.Add(30 * time.Second)}
}

func TestGreen(t *testing.T) {
	const ok, bad = codebuild.Succeeded, codebuild.Failed
	a, b := strings.Repeat("a", 40), strings.Repeat("b", 40)
	with := func(x codebuild.Build, change func(*codebuild.Build)) codebuild.Build { change(&x); return x }
	piped := func(x codebuild.Build) codebuild.Build {
		return with(x, func(x *codebuild.Build) { x.Initiator = "codepipeline/shop" })
	}
	child := func(x codebuild.Build, spec string) codebuild.Build {
		return with(x, func(x *codebuild.Build) {
			x.BatchARN, x.Buildspec = "arn:aws:codebuild:eu-west-1:111122223333:build-batch/shop:1", spec
		})
	}
	for _, row := range []struct {
		what    string
		failed  codebuild.Build
		builds  []codebuild.Build // oldest first
		want    string            // "" for none
		between int
	}{
		{"the newest green one", build(9, bad, "refs/heads/main", b),
			[]codebuild.Build{build(1, ok, "refs/heads/main", a), build(2, ok, "refs/heads/main", a)}, "shop:2", 0},
		{"failed ones between", build(9, bad, "refs/heads/main", b),
			[]codebuild.Build{build(1, ok, "refs/heads/main", a), build(2, bad, "refs/heads/main", a),
				build(3, codebuild.Stopped, "refs/heads/main", a)}, "shop:1", 2},
		{"a short name is the same branch", build(9, bad, "main", b), []codebuild.Build{build(1, ok,
			"refs/heads/main^{"+a+"}", a)},
			"shop:1", 0},
		{"another branch", build(9, bad, "refs/heads/main", b), []codebuild.Build{build(1, ok, "refs/heads/x",
			a)}, "", 0},
		{"another branch does not count", build(9, bad, "main", b),
			[]codebuild.Build{build(1, ok, "main", a), build(2, bad, "x", a)}, "shop:1", 0},
		{"the same commit of another branch", build(9, bad, "refs/heads/main", a), []codebuild.Build{build(1, ok,
			"refs/heads/x", a)},
			"shop:1", 0},
		{"a pull request's is its own", build(9, bad, "pr/7", b), []codebuild.Build{build(1, ok, "main", a),
			build(2, ok, "pr/8", a)}, "", 0},
		{"the pull request itself", build(9, bad, "pr/7", b), []codebuild.Build{build(1, ok, "refs/pull/7/head",
			a)}, "shop:1", 0},
		{"a branch is not compared with a pull request", build(9, bad, "main", b), []codebuild.Build{build(1, ok,
			"pr/7", a)}, "", 0},
		{"a later one", build(1, bad, "main", b), []codebuild.Build{build(2, ok, "main", a)}, "", 0},
		{"bare commits", build(9, bad, b, b), []codebuild.Build{build(1, ok, a, a)}, "shop:1", 0},
		{"a bare commit and a branch", build(9, bad, b, b), []codebuild.Build{build(1, ok, "main", a)}, "", 0},
		{"the default branch", build(9, bad, "", b), []codebuild.Build{build(1, ok, "", a), build(2, ok, a, a)},
			"shop:1", 0},
		{"a pipeline's", piped(build(9, bad, "arn:aws:s3:::artifacts/x/2", b)),
			[]codebuild.Build{piped(build(1, ok, "arn:aws:s3:::artifacts/x/1", a)), build(2, ok, "main", a)},
			"shop:1", 0},
		{"of a batch only what does the same", child(build(9, bad, "main", b), "api.yml"),
			[]codebuild.Build{child(build(1, ok, "main", a), "api.yml"), child(build(2, ok, "main", a), "web.yml"),
				build(3, ok, "main", a)}, "shop:1", 1},
		{"the failed one itself is none", build(9, ok, "main", b), []codebuild.Build{build(9, ok, "main", b)}, "", 0},
	} {
		var builds []codebuild.Past
		for _, x := range slices.Backward(append(row.builds, row.failed)) {
			builds = append(builds, codebuild.Past{Build: x})
		}
		got, between, found := Green(row.failed, builds)
		if got.Build.ID != row.want || found != (row.want != "") || between != row.between {
			t.Errorf("%s: %q, %d between, want %q, %d", row.what, got.Build.ID, between, row.want, row.between)
		}
	}
}

// TestIdsPlayNoPart ensures that which build is chosen and which lines are new depends on no id.
func TestIdsPlayNoPart(t *testing.T) {
	for _, rename := range []string{"shop:", "zzz:", "0:"} {
		name := func(b codebuild.Build) codebuild.Build { b.ID = strings.Replace(b.ID, "shop:", rename, 1); return b }
		failed := name(build(5, codebuild.Failed, "main", ""))
		got, _, ok := Green(failed, []codebuild.Past{{Build: failed}, {Build: name(build(4, codebuild.Succeeded,
			"main", ""))}})
		if !ok || got.Build.Number != 4 {
			t.Errorf("%s: %+v", rename, got)
		}
	}
}

func TestNew(t *testing.T) {
	a, b := strings.Repeat("a", 40), strings.Repeat("b", 40)
	failed, green := build(9, codebuild.Failed, b, b), build(4, codebuild.Succeeded, a, a)
	failed.SourceType, failed.Image, green.Image = "GITHUB", "standard:7.0", "standard:6.0"
	text := failedLog("make", "ERROR prices\n")
	f := buildlog.ReadText(failed, text)
	s, _ := New(
		Side{Past: codebuild.Past{Build: failed,
			Setup: codebuild.Setup{Location: "https://github.com/example/shop.git"}}, Text: text},
		Side{Past: codebuild.Past{Build: green,
			Setup: codebuild.Setup{Location: "https://github.com/example/shop.git"}},
			Text: greenLog([2]string{"make", "ok\n"})}, f, diagnose.Diagnose(f), 4)
	want := Since{Build: "shop:4", Number: 4, Commit: a, Ended: green.End, Age: 5 * time.Minute, Between: 4,
		Unsure: true,
		Link:   "https://github.com/example/shop/compare/" + a + "..." + b, Read: ReadCommand,
		Lines: []Line{{N: 3, Text: "ERROR prices"}}, Evidence: IsNew,
		Changes: []Change{{"image", "standard:6.0", "standard:7.0"}}}
	if !reflect.DeepEqual(s, want) {
		t.Errorf("got  %+v\nwant %+v", s, want)
	}
}

func TestLink(t *testing.T) {
	a, b := strings.Repeat("a", 40), strings.Repeat("b", 40)
	for _, row := range []struct{ kind, location, want string }{
		{"GITHUB", "https://github.com/example/shop.git", "https://github.com/example/shop/compare/A...B"},
		{"GITHUB", "https://user:secret@github.com/example/shop", "https://github.com/example/shop/compare/A...B"},
		{"GITHUB", "https://evil.example/example/shop.git", ""},
		{"GITHUB", "https://github.com/example/shop?x=1#y", "https://github.com/example/shop/compare/A...B"},
		{"GITHUB", "https://github.com/example/../../shop", ""},
		{"GITHUB", "http://github.com/example/shop.git", ""},
		{"GITHUB", "https://github.com/example", ""},
		{"GITHUB", "https://github.com/exa mple/shop", ""},
		{"GITHUB", "git@github.com:example/shop.git", ""},
		{"GITHUB_ENTERPRISE", "https://ghe.example.com/example/shop.git",
			"https://ghe.example.com/example/shop/compare/A...B"},
		{"GITHUB_ENTERPRISE", "https://ghe.example.com\u202e/example/shop.git", ""},
		{"GITLAB", "https://gitlab.com/group/sub/shop.git", "https://gitlab.com/group/sub/shop/-/compare/A...B"},
		{"GITLAB_SELF_MANAGED", "https://git.example.com:8443/group/shop.git",
			"https://git.example.com:8443/group/shop/-/compare/A...B"},
		{"BITBUCKET", "https://bitbucket.org/example/shop.git",
			"https://bitbucket.org/example/shop/branches/compare/B..A"},
		{"CODECOMMIT", "https://git-codecommit.eu-west-1.amazonaws.com/v1/repos/shop",
			"https://console.aws.amazon.com/codesuite/codecommit/repositories/shop/compare/A/.../B?region=eu-west-1"},
		{"CODECOMMIT", "https://git-codecommit.eu-west-1.amazonaws.com/v1/repos/a/b", ""},
		{"CODEPIPELINE", "", ""},
		{"S3", "bucket/key.zip", ""},
	} {
		build := codebuild.Build{SourceType: row.kind, ARN: "arn:aws:codebuild:eu-west-1:111122223333:build/shop:1"}
		want := strings.NewReplacer("A...B", a+"..."+b, "B..A", b+".."+a, "A/.../B", a+"/.../"+b).Replace(row.want)
		if got := Link(build, row.location, a, b); got != want {
			t.Errorf("%s %s: %q, want %q", row.kind, row.location, got, want)
		}
		build.ResolvedSourceVersion = b
		if ok := IsLink(build, a, want); ok != (want != "") {
			t.Errorf("%s %q: is a link: %t", row.kind, want, ok)
		}
		for _, page := range []string{"https://evil.com/a", "https://evil.com", want + "x", strings.Replace(want, a, b, 1),
			strings.Replace(want, "https:", "http:", 1), strings.Replace(want, "com/", "com/../", 1), " " + want,
			strings.Replace(want, "https://", "https://user@", 1), strings.Replace(want, "/compare/", "/", 1)} {
			if page != want && IsLink(build, a, page) {
				t.Errorf("%s: %q is a link", row.kind, page)
			}
		}
	}
	for _, from := range []string{"", b, "main", "../" + a[3:], a[:39]} {
		if got := Link(codebuild.Build{SourceType: "GITHUB"}, "https://github.com/example/shop", from, b); got != "" {
			t.Errorf("from %q: %q", from, got)
		}
	}
}

func TestRecorded(t *testing.T) {
	was := codebuild.Past{
		Build: codebuild.Build{Image: "standard:6.0", Environment: "LINUX_CONTAINER",
			ServiceRole: "arn:aws:iam::111122223333:role/ci/shop"},
		Setup: codebuild.Setup{Compute: "BUILD_GENERAL1_SMALL", Variables: []string{"A", "OLD"},
			Cache: "NO_CACHE", Timeout: 60, Queued: 480,
			Location: "https://x:hunter2@github.com/example/shop.git", Inline: "1"},
	}
	if got := recorded(was, was); got != nil {
		t.Errorf("a build differs from itself: %v", got)
	}
	same := was
	same.Build.ServiceRole, same.Setup.Location = "shop", "https://y:other@github.com/example/shop.git"
	if got := recorded(same, was); got != nil {
		t.Errorf("a role's path and a password count: %v", got)
	}
	is := codebuild.Past{
		Build: codebuild.Build{Image: "standard:7.0", Environment: "ARM_CONTAINER", ServiceRole: "shop-ci",
			Buildspec: "ci/buildspec.yml"},
		Setup: codebuild.Setup{Compute: "BUILD_GENERAL1_LARGE", Fleet: "f", Privileged: true,
			Variables: []string{"A", "NEW", "NEW", "B"},
			Cache:     "LOCAL LOCAL_SOURCE_CACHE", VPC: "vpc-1 subnet-1 sg-1", Timeout: 30, Queued: 5,
			Location: "https://github.com/example/shop2"},
	}
	want := "[{image standard:6.0 standard:7.0} {environment type LINUX_CONTAINER ARM_CONTAINER} " +
		"{compute type BUILD_GENERAL1_SMALL BUILD_GENERAL1_LARGE} {fleet  f} {privileged mode off on} " +
		"{environment variables added  B, NEW} {environment variables removed OLD } {buildspec buildspec.yml ci/buildspec.yml} " +
		"{source https://github.com/example/shop.git https://github.com/example/shop2} {service role shop shop-ci} " +
		"{cache NO_CACHE LOCAL LOCAL_SOURCE_CACHE} {VPC none vpc-1 subnet-1 sg-1} {time limit 60 min 30 min} " +
		"{time limit of the queue 480 min 5 min}]"
	if got := fmt.Sprint(recorded(is, was)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	edited := was
	edited.Setup.Inline = "2"
	if got := fmt.Sprint(recorded(edited, was)); got != "[{the buildspec in the project  edited}]" {
		t.Errorf("an edited buildspec: %s", got)
	}
}

// TestVersions ensures that versions which templates leave out are told, where both logs print one.
func TestVersions(t *testing.T) {
	const digest = "sha256:c13b26e7e602ef2f1074aef304ce6e9b7dd284c419b35d89fcf3cc8e44a8def9"
	const other = "sha256:d24c37f8f713f03a2185bfa415df7fac8ee395d52ac46e9a0d4cc9f55b9ef0a0"
	for _, row := range []struct{ what, green, failed, want string }{
		{"a runtime", "Python 3.12.1\n", "Python 3.13.0\n", "version of Python: 3.12.1, 3.13.0"},
		{"a command that asks", agent("Running command node --version") + "v20.1.0\n",
			agent("Running command node --version") + "v22.0.0\n",
			"version of node: 20.1.0, 22.0.0"},
		{"a version that nobody asked for", agent("Running command make") + "20.1.0\n",
			agent("Running command make") + "22.0.0\n", ""},
		{"a package of pip", "Successfully installed attrs-23.1.0 shop-1.0\n",
			"Successfully installed attrs-24.2.0 shop-1.0\n",
			"version of attrs: 23.1.0, 24.2.0"},
		{"a module of Go", "go: downloading example.com/tax v1.2.0\n", "go: downloading example.com/tax v1.3.0\n",
			"version of example.com/tax: v1.2.0, v1.3.0"},
		{"a crate", "   Compiling serde v1.0.1\n", "   Compiling serde v1.0.2\n", "version of serde: 1.0.1, 1.0.2"},
		{"an image that was pulled", "Digest: " + digest + "\nStatus: Downloaded newer image for node:20\n",
			"Digest: " + other + "\nStatus: Image is up to date for node:20\n",
			"version of node:20: sha256:c13b26e7e602, sha256:d24c37f8f713"},
		{"a base image", "#4 [1/6] FROM docker.io/library/node:20@" + digest + "\n",
			"#4 [1/6] FROM docker.io/library/node:20@" + other + "\n",
			"version of docker.io/library/node:20: sha256:c13b26e7e602, sha256:d24c37f8f713"},
		{"the same", "Python 3.12.1\n", "Python 3.12.1\n", ""},
		{"several versions of one", "Python 3.11.0\nPython 3.12.1\n", "Python 3.13.0\n", ""},
		{"only one log has it", "x\n", "Python 3.13.0\n", ""},
	} {
		var got []string
		for _, c := range versions(row.failed, row.green) {
			got = append(got, c.What+": "+c.Was+", "+c.Is)
		}
		if s := strings.Join(got, "; "); s != row.want {
			t.Errorf("%s: %q, want %q", row.what, s, row.want)
		}
	}
}

func TestBounded(t *testing.T) {
	long := strings.Repeat("x", 1000)
	s := Since{More: 1}
	for range 20 {
		s.Lines, s.Changes = append(s.Lines, Line{Text: long}), append(s.Changes, Change{long, long, long})
	}
	b := s.Bounded(5, 100)
	if len(b.Lines) != 5 || b.More != 16 || len(b.Changes) != 5 || len(b.Lines[0].Text) > 110 ||
		len(b.Changes[0].Is) > 110 {
		t.Errorf("%d lines, %d more, %d changes", len(b.Lines), b.More, len(b.Changes))
	}
	if len(s.Lines) != 20 || s.Lines[0].Text != long || s.Changes[0].Is != long {
		t.Error("the original was changed")
	}
}
