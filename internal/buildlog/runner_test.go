package buildlog

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// What real runners print (AWS.md#runners), without the job's own output, which goes to the host.
const (
	gitHubLog = "\n√ Connected to GitHub\n\nCurrent runner version: '2.337.0'\n2026-09-12 19:33:10Z: Listening for Jobs\n" +
		"2026-09-12 19:33:14Z: Running job: test (3.12)\n2026-09-12 19:40:02Z: Job test (3.12) completed with result: Failed\n" +
		"Runner listener exit with 0 return code, stop the service, no retry needed.\nExiting runner...\n"
	gitLabLog = "Initializing executor providers                     builds=0 max_builds=1\n" +
		"Checking for jobs... received                       job=399659 repo_url=https://gitlab.com/example/shop.git runner=N83zBFyfs\n" +
		"WARNING: Job failed: exit status 1                  duration_s=3.8 job=399659 project=4884 runner=N83zBFyfs\n"
	buildkiteLog = "2026-09-12 19:33:10 INFO   shop-1 Assigned job 018f1e62-0b5c-4c0e-9a3f-5b0f6f0c2a11. Accepting...\n" +
		"2026-09-12 19:33:11 INFO   shop-1 Starting job 018f1e62-0b5c-4c0e-9a3f-5b0f6f0c2a11 for build at " +
		"https://buildkite.com/example/shop/builds/77\n"
)

func TestReadJob(t *testing.T) {
	for _, row := range []struct {
		name, log string
		want      Job
		not       bool
	}{
		{name: "a job of GitHub", log: gitHubLog, want: Job{Runner: GitHubRunner, Name: "test (3.12)", Began: true}},
		{name: "in colours, with carriage returns",
			log:  strings.ReplaceAll(strings.ReplaceAll(gitHubLog, "√", "\x1b[32m√\x1b[0m"), "\n", "\r\n"),
			want: Job{Runner: GitHubRunner, Name: "test (3.12)", Began: true}},
		{name: "the label of the run",
			log: gitHubLog + "[Container] 2026/09/12 19:33:01.000000 labels: codebuild-shop-34713051605-2, instance-size:large\n",
			want: Job{Runner: GitHubRunner, Name: "test (3.12)", Run: 34713051605, Attempt: 2,
				Began: true}},
		{name: "another project's label", log: gitHubLog + "codebuild-shop-web-7-1\ncodebuild-api-34713051605-2\n",
			want: Job{Runner: GitHubRunner, Name: "test (3.12)", Began: true}},
		{name: "variables",
			log:  gitHubLog + "CODEBUILD_RUNNER_OWNER=example\nCODEBUILD_RUNNER_REPO=shop\nCODEBUILD_WEBHOOK_RUN_ID=42\n",
			want: Job{Runner: GitHubRunner, Name: "test (3.12)", Repository: "example/shop", Run: 42, Began: true}},
		{name: "two runs", log: gitHubLog + "codebuild-shop-42-1\ncodebuild-shop-43-1\n",
			want: Job{Runner: GitHubRunner, Name: "test (3.12)", Began: true}},
		{name: "two attempts", log: gitHubLog + "codebuild-shop-42-1\ncodebuild-shop-42-2\n",
			want: Job{Runner: GitHubRunner, Name: "test (3.12)", Began: true}},
		{name: "label and variable contradict each other", log: gitHubLog + "codebuild-shop-42-1\nCODEBUILD_WEBHOOK_RUN_ID=43\n",
			want: Job{Runner: GitHubRunner, Name: "test (3.12)", Began: true}},
		{name: "two jobs", log: gitHubLog + "2026-09-12 19:41:14Z: Running job: deploy\n", want: Job{Runner: GitHubRunner, Began: true}},
		{name: "a run that is no number", log: gitHubLog + "codebuild-shop-042-1\ncodebuild-shop-42-0\n" +
			"codebuild-shop-99999999999999999999-1\nCODEBUILD_WEBHOOK_RUN_ID=../7\n",
			want: Job{Runner: GitHubRunner, Name: "test (3.12)", Began: true}},
		{name: "a repository that is none", log: gitHubLog + "CODEBUILD_RUNNER_OWNER=../evil\nCODEBUILD_RUNNER_REPO=shop\n",
			want: Job{Runner: GitHubRunner, Name: "test (3.12)", Began: true}},
		{name: "a name that turns the text", log: "2026-09-12 19:33:14Z: Running job: a\u202eb\n",
			want: Job{Runner: GitHubRunner, Began: true}},
		{name: "no job came", log: "√ Connected to GitHub\n2026-09-12 19:33:10Z: Listening for Jobs\n", want: Job{Runner: GitHubRunner}},
		{name: "no session was opened", log: "√ Connected to GitHub\nA session for this runner already exists.\n",
			want: Job{Runner: GitHubRunner, Refused: true}},
		{name: "a session was opened at last", log: "A session for this runner already exists.\n" + gitHubLog,
			want: Job{Runner: GitHubRunner, Name: "test (3.12)", Began: true}},
		{name: "a job of GitLab", log: gitLabLog, want: Job{Runner: GitLabRunner, Number: 399659, Began: true}},
		{name: "a job of Buildkite", log: buildkiteLog, want: Job{Runner: BuildkiteRunner, Pipeline: "example/shop#77", Began: true}},
		{name: "several runners", log: gitHubLog + gitLabLog, want: Job{Began: true}},

		{name: "an ordinary build", log: "npm ERR! code 1\nuploading codebuild-shop-42-1\n", not: true},
		{name: "words of a runner within a line", log: "echo 2026-09-12 19:33:14Z: Running job: x\n > Listening for Jobs\n", not: true},
		{name: "no time in front", log: "Running job: x\nListening for Jobs\nJob x completed with result: Failed\n", not: true},
		{name: "a variable that is only asked for", log: "echo $CODEBUILD_WEBHOOK_RUN_ID\nCODEBUILD_WEBHOOK_RUN_ID=\n", not: true},
		{name: "the variables of a webhook", log: "CODEBUILD_WEBHOOK_EVENT=PUSH\nCODEBUILD_WEBHOOK_TRIGGER=branch/main\n", not: true},
		{name: "a session alone", log: "A session for this runner already exists.\n", not: true},
		{name: "nothing", not: true},
	} {
		got, ok := ReadJob("shop", row.log)
		if ok == row.not {
			t.Errorf("%s: ok is %t", row.name, ok)
		}
		if got != row.want {
			t.Errorf("%s:\n got %+v\nwant %+v", row.name, got, row.want)
		}
	}
}

// FuzzReadJob: whatever a build prints, what is read of it is bounded and fit for an address, and
// nothing that is printed besides makes a runner's log look like another build's.
func FuzzReadJob(f *testing.F) {
	for _, s := range []string{gitHubLog, gitLabLog, buildkiteLog, "codebuild-shop-42-1", "CODEBUILD_RUNNER_OWNER=a",
		"2026-09-12 19:33:14Z: Running job: \x00", "CODEBUILD_RUNNER_REPO=..", "A session for this runner already exists"} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, before, after string) {
		checkJob(t, before)
		for _, log := range []string{gitHubLog, gitLabLog, buildkiteLog} {
			if len(before) > maxJobLine {
				break
			}
			text := before + "\n" + log + after
			if _, ok := ReadJob("shop", text); !ok {
				t.Errorf("no runner is seen in %q", text)
			}
			checkJob(t, text)
		}
	})
}

func checkJob(t *testing.T, text string) {
	t.Helper()
	j, _ := ReadJob("shop", text)
	switch owner, name, _ := strings.Cut(j.Repository, "/"); {
	case j.Run < 0 || j.Attempt < 0 || j.Attempt > 9999 || j.Number < 0,
		len(j.Name) > maxJobName || !utf8.ValidString(j.Name) || strings.ContainsAny(j.Name, "\n\r\x00\x1b\u202e"),
		j.Repository != "" && (owner == "" || name == "" || strings.ContainsAny(j.Repository, "?#%&@:\\ ") ||
			strings.Contains(j.Repository, "..") && name == ".." || strings.Count(j.Repository, "/") != 1),
		strings.ContainsAny(j.Pipeline, "?%&@:\\ ."), j.Refused && j.Began:
		t.Errorf("%+v is read in %q", j, text)
	}
}
