package main

import (
	"os"
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/simaws"
)

const (
	ownToken   = "github_pat_11SIMULATED0000000000_simulatedsimulated"
	policyHome = "example/tracker"
	policyPath = "aws/iam-policy-codebuild.json"
)

// withHost says in settings where the function's own credentials for GitHub are.
func withHost(settings string) string {
	return strings.Replace(settings, "version: 1\n", "version: 1\ncode: {github: {secret: buildmedic/github}}\n", 1)
}

// inCode is story 1 with the role's policy in a repository at GitHub, which takes the user's own
// token.
func inCode(t *testing.T) (sim *simaws.Sim, args []string) {
	t.Helper()
	sim, file := account(t, "tracker-api")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, after, ok := strings.Cut(string(text), "write: {inline: CodeBuild-ECR-Permissions}")
	if !ok {
		t.Fatalf("the story writes elsewhere now:\n%s", text)
	}
	put(t, file, withHost(before)+"write: {code: {github: "+policyHome+", path: "+policyPath+"}}"+after)
	sim.SetGitHub(simaws.GitHub{Token: ownToken, Permissions: []string{"contents", "pull_requests"},
		Repositories: []string{policyHome}})
	sim.Push(policyHome, "main", "first", map[string]*simaws.GitFile{policyPath: {
		Text: "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": []\n}\n"}})
	old := codeHosts
	codeHosts = sim.CodeHost(sim.Client())
	t.Cleanup(func() { codeHosts = old })
	t.Setenv("GH_TOKEN", "")
	t.Setenv("GITHUB_TOKEN", ownToken)
	return sim, []string{"replay", "-settings", file, sim.Builds("TrackerAPI")[0].ID}
}

// TestReplayPullRequest: what the plan gives is asked for in the repository, after asking, with the
// user's own token, and nothing is written in IAM; asked again, the same request is found.
func TestReplayPullRequest(t *testing.T) {
	sim, args := inCode(t)
	code, out, errs := buildmedic(t, "", args...)
	if code != exitOK || !strings.Contains(strings.Join(strings.Fields(out), " "),
		"owned by "+policyPath+" in github[.]com/"+policyHome+", so nothing is written in IAM: it is asked for there.") ||
		!strings.Contains(out, "\nbuildmedic replay -settings ") || !strings.Contains(out, " -pull-request TrackerAPI:") {
		t.Errorf("without the flag: code %d\n%s%s", code, out, errs)
	}
	args = append(args, "-pull-request")
	if code, out, errs = buildmedic(t, "no\n", args...); code != exitOK || !strings.Contains(out, "Nothing was changed.") ||
		len(sim.PullRequests()) > 0 {
		t.Errorf("after no: code %d\n%s%s", code, out, errs)
	}
	code, out, errs = buildmedic(t, "yes\n", args...)
	pulls := sim.PullRequests()
	if code != exitOK || len(pulls) != 1 || !strings.Contains(out, ": opened https://github.com/"+policyHome+"/pull/101\n") {
		t.Fatalf("code %d, %+v\n%s%s", code, pulls, out, errs)
	}
	if file := sim.FileAt(policyHome, pulls[0].Head, policyPath); !strings.Contains(file, "repository/tracker_api") {
		t.Errorf("the file:\n%s", file)
	}
	for _, want := range []string{"**What failed**", "`TrackerAPI:", "+ Allow ecr:", "tracker_api", "Grant `"} {
		if !strings.Contains(pulls[0].Body, want) {
			t.Errorf("the text lacks %q:\n%s", want, pulls[0].Body)
		}
	}
	if strings.Contains(pulls[0].Body, "\nCase ") {
		t.Errorf("the text names a case that is in no ledger:\n%s", pulls[0].Body)
	}
	code, out, _ = buildmedic(t, "", append(args, "-yes")...)
	if code != exitOK || len(sim.PullRequests()) != 1 || !strings.Contains(out, ": is open already: https://github.com/") {
		t.Errorf("again: code %d, %d requests\n%s", code, len(sim.PullRequests()), out)
	}
	sim.ClosePull(101, false)
	if _, out, _ = buildmedic(t, "", append(args, "-yes")...); !strings.Contains(out,
		"was closed unmerged, so it is not asked for again") {
		t.Errorf("after it was closed:\n%s", out)
	}
	settings, err := os.ReadFile(args[2])
	if err != nil {
		t.Fatal(err)
	}
	put(t, args[2], strings.Replace(string(settings), "pushed by its own pipeline", "pushed by itself", 1))
	if _, out, _ = buildmedic(t, "", append(args, "-yes")...); !strings.Contains(out, "was closed unmerged") {
		t.Errorf("a reason in other words made it another grant:\n%s", out)
	}
	put(t, args[2], strings.Replace(string(settings), `repository/tracker_api"]`,
		`repository/tracker_api", "arn:${partition}:ecr:${region}:${account}:repository/tracker_web"]`, 1))
	if _, out, _ = buildmedic(t, "", append(args, "-yes")...); !strings.Contains(out, ": opened https://") {
		t.Errorf("a grant that gives something else counts as the same:\n%s", out)
	}
	for _, w := range sim.Writes() {
		if strings.HasPrefix(w, "iam.") || strings.HasPrefix(w, "codebuild.") {
			t.Errorf("it wrote %s", w)
		}
	}
	if strings.Contains(out+errs, ownToken) {
		t.Error("the token is shown")
	}
}

// TestReplayPullRequestForAnotherRole: what another role of a deployment lacks is asked for in the file that owns that
// role's policy, and not in that of the project's own role.
func TestReplayPullRequestForAnotherRole(t *testing.T) {
	const own, other = "aws/own.json", "aws/deploy.json"
	sim, file := routeAccount(t, "execution-role-healed")
	text := strings.Replace(mustRead(t, file), "write: {inline: buildmedic}", "write: {code: {github: "+policyHome+", path: "+
		other+"}}", 1)
	text = strings.Replace(text, "    mode: heal\n", "    mode: heal\n    grants: [shop-assets]\n    write: {code: {github: "+policyHome+
		", path: "+own+"}}\n", 1)
	put(t, file, withHost(text))
	sim.SetGitHub(simaws.GitHub{Token: ownToken, Permissions: []string{"contents", "pull_requests"},
		Repositories: []string{policyHome}})
	const none = "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": []\n}\n"
	sim.Push(policyHome, "main", "first", map[string]*simaws.GitFile{own: {Text: none}, other: {Text: none}})
	old := codeHosts
	codeHosts = sim.CodeHost(sim.Client())
	t.Cleanup(func() { codeHosts = old })
	t.Setenv("GH_TOKEN", "")
	t.Setenv("GITHUB_TOKEN", ownToken)
	code, out, errs := buildmedic(t, "", "replay", "-settings", file, "-pull-request", "-yes", sim.Builds("shop")[0].ID)
	pulls := sim.PullRequests()
	if code != exitOK || len(pulls) != 1 {
		t.Fatalf("code %d, %+v\n%s%s", code, pulls, out, errs)
	}
	if mine, its := sim.FileAt(policyHome, pulls[0].Head, own), sim.FileAt(policyHome, pulls[0].Head, other); mine != none ||
		!strings.Contains(its, "shop-orders") {
		t.Errorf("the project's own role: %s\nthe other role: %s", mine, its)
	}
	if !strings.Contains(pulls[0].Body, "It was role `shop-cfn-exec` that was denied") {
		t.Errorf("the text does not name the role:\n%s", pulls[0].Body)
	}
	if w := strings.Join(sim.Writes(), " "); strings.Contains(w, "iam.") {
		t.Errorf("it wrote %s", w)
	}
}

// TestReplayPullRequestInCodeCommit: the same in CodeCommit, with the user's own credentials.
func TestReplayPullRequestInCodeCommit(t *testing.T) {
	sim, args := inCode(t)
	text, err := os.ReadFile(args[2])
	if err != nil {
		t.Fatal(err)
	}
	put(t, args[2], strings.Replace(string(text), "github: "+policyHome, "codecommit: tracker", 1))
	t.Setenv("GITHUB_TOKEN", "")
	sim.PushCodeCommit("tracker", "main", "first", map[string]*simaws.GitFile{"README": {Text: "x"}})
	code, out, errs := buildmedic(t, "", append(args, "-pull-request", "-yes")...)
	all := sim.CodeCommitRequests()
	if code != exitOK || len(all) != 1 || !strings.Contains(out, ": opened https://console.aws.amazon.com/codesuite/codecommit/") {
		t.Fatalf("code %d, %+v\n%s%s", code, all, out, errs)
	}
	if file := sim.CodeCommitFile("tracker", all[0].Source, policyPath); !strings.Contains(file, "repository/tracker_api") {
		t.Errorf("the file:\n%s", file)
	}
}

// TestApplyInCode: where a file owns the role's policy, -apply writes nothing either.
func TestApplyInCode(t *testing.T) {
	sim, args := inCode(t)
	code, out, errs := buildmedic(t, "", append(args, "-apply", "-yes", "-ledger", t.TempDir()+"/l.json")...)
	if code != exitFailed || !strings.Contains(errs, "say -pull-request in the place of -apply") || len(sim.Writes()) > 0 ||
		len(sim.PullRequests()) > 0 {
		t.Errorf("code %d, wrote %v\n%s%s", code, sim.Writes(), out, errs)
	}
}

// TestPullRequestTrouble: what stands in the way is said, and no token is shown.
func TestPullRequestTrouble(t *testing.T) {
	sim, args := inCode(t)
	args = append(args, "-pull-request", "-yes")
	if code, _, errs := buildmedic(t, "", append(args, "-apply")...); code != exitUsage ||
		!strings.Contains(errs, "exclude each other") {
		t.Errorf("with -apply: code %d\n%s", code, errs)
	}
	t.Setenv("GITHUB_TOKEN", "github_pat_11OLD00000000000000000_simulatedsimulated")
	code, out, errs := buildmedic(t, "", args...)
	if code != exitFailed || !strings.Contains(errs, "GitHub does not accept the credentials in GITHUB_TOKEN (401)") ||
		strings.Contains(out+errs, "github_pat_") {
		t.Errorf("code %d\n%s%s", code, out, errs)
	}
	t.Setenv("GITHUB_TOKEN", "")
	if code, _, errs := buildmedic(t, "", args...); code != exitFailed ||
		!strings.Contains(errs, "there is no token for github.com: set GITHUB_TOKEN") {
		t.Errorf("code %d\n%s", code, errs)
	}
	if len(sim.PullRequests()) > 0 {
		t.Error("a request was opened")
	}
	_, file := account(t, "tracker-api")
	args[2] = file
	if code, _, errs := buildmedic(t, "", args...); code != exitFailed || !strings.Contains(errs, "say write: {code: {…}}") {
		t.Errorf("written to IAM: code %d\n%s", code, errs)
	}
}
