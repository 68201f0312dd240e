package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/settings"
	"github.com/buildmedic/buildmedic/internal/simaws"
	"github.com/buildmedic/buildmedic/internal/story"
	"github.com/buildmedic/buildmedic/testdata"
)

// account puts a story's world behind the environment's AWS credentials, as a
// user's shell would have them, and plays its builds until they have failed.
func account(t *testing.T, name string) (*simaws.Sim, string) {
	t.Helper()
	ss, err := story.Load(testdata.Stories, "stories")
	if err != nil {
		t.Fatal(err)
	}
	return accountOfOne(t, ss, name)
}

// routeAccount is the same of a route.
func routeAccount(t *testing.T, name string) (*simaws.Sim, string) {
	t.Helper()
	ss, err := story.Load(testdata.Routes, "routes")
	if err != nil {
		t.Fatal(err)
	}
	return accountOfOne(t, ss, name)
}

func accountOfOne(t *testing.T, ss []story.Story, name string) (*simaws.Sim, string) {
	t.Helper()
	for _, s := range ss {
		if s.Name != name {
			continue
		}
		sim, err := simaws.Load(s.World)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(sim.Close)
		sim.Settle()
		file := filepath.Join(t.TempDir(), "buildmedic.yaml")
		if err := os.WriteFile(file, s.Settings, 0o600); err != nil {
			t.Fatal(err)
		}
		behind(t, sim)
		return sim, file
	}
	t.Fatalf("there is no story %q", name)
	return nil, ""
}

// behind makes the environment's AWS credentials those of the account's owner,
// and the desk's time the account's.
func behind(t *testing.T, sim *simaws.Sim) {
	t.Helper()
	for k, v := range map[string]string{"AWS_ENDPOINT_URL": sim.URL(), "AWS_ACCESS_KEY_ID": simaws.OwnerKey,
		"AWS_SECRET_ACCESS_KEY": "simulated", "AWS_SESSION_TOKEN": "", "AWS_REGION": strings.Split(sim.TopicARN(), ":")[3],
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_EC2_METADATA_DISABLED": "true"} {
		t.Setenv(k, v)
	}
	privateCache(t, sim)
	old := deskClock
	deskClock = sim.Clock
	t.Cleanup(func() { deskClock = old })
}

// buildmedic runs the command line and gives what it printed.
func buildmedic(t *testing.T, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	code = run(context.Background(), args, strings.NewReader(stdin), &out, &err)
	return code, out.String(), err.String()
}

// TestReplayShows ensures that replay explains a real failed build and
// changes nothing.
func TestReplayShows(t *testing.T) {
	sim, file := account(t, "tracker-api")
	id := sim.Builds("TrackerAPI")[0].ID
	ledger := filepath.Join(t.TempDir(), "l.json")
	code, out, errs := buildmedic(t, "", "replay", id, "--ledger="+ledger, "-settings", file)
	if code != exitOK {
		t.Fatalf("code %d: %s", code, errs)
	}
	for _, want := range []string{"ecr:GetAuthorizationToken", "CodeBuild-ECR-Permissions",
		"repository/tracker_api", "would have allowed ECR push", "\nbuildmedic replay -ledger " + ledger +
			" -settings " + file + " -apply " + id + "\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("it does not say %q:\n%s", want, out)
		}
	}
	if strings.Contains(out, "buildmedic show") {
		t.Errorf("it offers to show a case that is nowhere:\n%s", out)
	}
	if code, out, errs = buildmedic(t, "no\n", "replay", "-ledger", ledger, "-settings", file, "-apply", id); code != exitOK ||
		!strings.Contains(out, "Do this? Type yes: Nothing was changed.") {
		t.Errorf("the command that is offered: code %d\n%s%s", code, out, errs)
	}
	if strings.Contains(out, "not made") {
		t.Errorf("what is only shown reads like a failure:\n%s", out)
	}
	if w := sim.Writes(); len(w) > 0 {
		t.Errorf("it wrote %v", w)
	}
}

// TestReplayApplies ensures that replay -apply asks, does it, and stays until
// the build is green; and that history, show and undo know of it afterwards.
func TestReplayApplies(t *testing.T) {
	sim, file := account(t, "tracker-api")
	ledger := filepath.Join(t.TempDir(), "l.json")
	id := sim.Builds("TrackerAPI")[0].ID
	flags := []string{"-settings", file, "-ledger", ledger}
	code, out, errs := buildmedic(t, "no\n", append([]string{"replay", "-apply"}, append(flags, id)...)...)
	if code != exitOK || !strings.Contains(out, "Nothing was changed.") || len(sim.Writes()) > 0 {
		t.Fatalf("code %d, wrote %v\n%s%s", code, sim.Writes(), out, errs)
	}
	code, out, errs = buildmedic(t, "yes\n", append([]string{"replay", "-apply"}, append(flags, id)...)...)
	if code != exitOK || !strings.Contains(out, ": healed") ||
		!strings.Contains(out, "\nbuildmedic undo -ledger "+ledger+" -settings "+file+" ") ||
		!strings.Contains(strings.Join(strings.Fields(out), " "), "buildmedic show -ledger "+ledger+" -settings "+file+" ") {
		t.Fatalf("code %d\n%s%s", code, out, errs)
	}
	if n := strings.Count(errs, " runs;"); n != 1 {
		t.Errorf("it says %d times that the build runs:\n%s", n, errs)
	}
	if bs := sim.Builds("TrackerAPI"); len(bs) != 2 || bs[1].Status != "SUCCEEDED" {
		t.Errorf("builds %+v", bs)
	}
	code, out, errs = buildmedic(t, "", append([]string{"history", "-json"}, append(flags, "TrackerAPI")...)...)
	var cases []struct{ Case, Outcome string }
	if err := json.Unmarshal([]byte(out), &cases); code != exitOK || err != nil || len(cases) != 1 ||
		cases[0].Outcome != "healed" {
		t.Fatalf("history: code %d %v\n%s%s", code, err, out, errs)
	}
	code, out, errs = buildmedic(t, "", append(append([]string{"show"}, flags...), cases[0].Case)...)
	if code != exitOK || !strings.Contains(out, "round 1") {
		t.Errorf("show: code %d\n%s%s", code, out, errs)
	}
	code, out, errs = buildmedic(t, "", append(append([]string{"undo"}, flags...), cases[0].Case)...)
	if code != exitOK || !strings.Contains(out, "Took back 1 change") {
		t.Errorf("undo: code %d\n%s%s", code, out, errs)
	}
	if inline, _ := sim.RolePolicies("", "codebuild-TrackerAPI-service-role"); inline["CodeBuild-ECR-Permissions"] != "" {
		t.Error("the policy is still there")
	}
	code, out, errs = buildmedic(t, "", append(append([]string{"undo"}, flags...), cases[0].Case)...)
	if code != exitFailed || !strings.Contains(out, "nothing that still stands") {
		t.Errorf("second undo: code %d\n%s%s", code, out, errs)
	}
	const holds = "until buildmedic resume: grant \"tracker-image\""
	if _, out, _ = buildmedic(t, "", append([]string{"history"}, flags...)...); !strings.Contains(out, holds) {
		t.Errorf("history does not say what is held back:\n%s", out)
	}
	resume := append(append([]string{"resume"}, flags...), "-project", "TrackerAPI", "-grant", "tracker-image")
	if code, out, errs = buildmedic(t, "", resume...); code != exitOK || !strings.Contains(out, "It may be given again") {
		t.Errorf("resume: code %d\n%s%s", code, out, errs)
	}
	if _, out, _ = buildmedic(t, "", append([]string{"history"}, flags...)...); strings.Contains(out, holds) {
		t.Errorf("history says that it is held back still:\n%s", out)
	}
}

// TestLedgerWithoutAWS ensures that history and show read a ledger file with
// no region, no credentials and no settings; and that a ledger that is not
// there is not started.
func TestLedgerWithoutAWS(t *testing.T) {
	sim, file := account(t, "tracker-api")
	ledger := filepath.Join(t.TempDir(), "l.json")
	if code, out, errs := buildmedic(t, "", "replay", "-apply", "-yes", "-settings", file, "-ledger", ledger,
		sim.Builds("TrackerAPI")[0].ARN); code != exitOK {
		t.Fatalf("code %d\n%s%s", code, out, errs)
	}
	calls := len(sim.Calls())
	for _, k := range []string{"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} {
		t.Setenv(k, "")
	}
	code, out, errs := buildmedic(t, "", "history", "-json", "-ledger", ledger)
	var cases []struct{ Case, Outcome, Account, Region string }
	if err := json.Unmarshal([]byte(out), &cases); code != exitOK || err != nil || len(cases) != 1 ||
		cases[0].Outcome != "healed" ||
		!strings.Contains(sim.Builds("TrackerAPI")[0].ARN, ":"+cases[0].Region+":"+cases[0].Account+":") {
		t.Fatalf("history: code %d %v\n%s%s", code, err, out, errs)
	}
	var one struct{ Account, Region string }
	if _, out, _ = buildmedic(t, "", "show", "-json", "-ledger", ledger, cases[0].Case); json.Unmarshal([]byte(out), &one) != nil ||
		one.Account != cases[0].Account || one.Region != cases[0].Region {
		t.Errorf("show -json: %+v", one)
	}
	if code, out, errs = buildmedic(t, "", "show", "-ledger", ledger, cases[0].Case); code != exitOK ||
		!strings.Contains(out, "round 1") || !strings.Contains(out, "TrackerAPI is green again") {
		t.Errorf("show: code %d\n%s%s", code, out, errs)
	}
	quiet := settingsOf(t, "version: 1\nprojects: [{name: quiet, role: quiet-build, mode: observe}]\n")
	for _, row := range []struct {
		args []string
		code int
	}{
		{[]string{"TrackerAPI"}, exitOK},
		{[]string{"-settings", quiet, "TrackerAPI"}, exitOK},
		{[]string{"-settings", quiet, "quiet"}, exitOK}, // it has never failed
		{[]string{"nosuch"}, exitFailed},
		{[]string{"-settings", quiet, "-json", "nosuch"}, exitFailed},
		{[]string{"-costs", "nosuch"}, exitFailed},
	} {
		code, out, errs := buildmedic(t, "", append([]string{"history", "-ledger", ledger}, row.args...)...)
		if code != row.code || (code == exitFailed) != strings.Contains(errs, `there is no project "nosuch" in this ledger`) {
			t.Errorf("history %q: code %d\n%s%s", row.args, code, out, errs)
		}
	}
	if n := len(sim.Calls()); n != calls {
		t.Errorf("%d calls to AWS", n-calls)
	}
	for _, args := range [][]string{{"history", "-ledger", ledger + ".gone"}, {"show", "-ledger", ledger + ".gone", "c"}} {
		if code, _, errs := buildmedic(t, "", args...); code != exitFailed || !strings.Contains(errs,
			"there is no ledger to read") {
			t.Errorf("%q: code %d: %s", args, code, errs)
		}
	}
	if code, _, errs := buildmedic(t, "", "history", "-settings", file+".gone", "-ledger",
		ledger); code != exitFailed || !strings.Contains(errs, "settings") {
		t.Errorf("settings that are named and not there: code %d: %s", code, errs)
	}
	for _, args := range [][]string{{"history", "-table", "t"}, {"undo", "-settings", file, "-ledger", ledger, cases[0].Case}} {
		if code, _, errs := buildmedic(t, "", args...); code != exitFailed || !strings.Contains(errs, "no AWS region") {
			t.Errorf("%q: code %d: %s", args, code, errs)
		}
	}
}

// TestJSONAlone ensures that what -json prints on standard output is JSON and
// nothing else, whatever is asked and told beside it.
func TestJSONAlone(t *testing.T) {
	sim, file := account(t, "tracker-api")
	ledger := filepath.Join(t.TempDir(), "l.json")
	if err := os.WriteFile(ledger, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	flags := []string{"-json", "-settings", file, "-ledger", ledger}
	id := sim.Builds("TrackerAPI")[0].ID
	for _, row := range []struct {
		name, stdin string
		args        []string
		want, told  string
	}{
		{"nothing is closed yet", "", append([]string{"history"}, flags...), "[]\n", ""},
		{"refused", "no\n", append(append([]string{"replay", "-apply"}, flags...), id), `"rounds"`,
			"Do this? Type yes: Nothing was changed."},
		{"done", "yes\n", append(append([]string{"replay", "-apply"}, flags...), id), `"outcome": "healed"`, ": healed"},
		{"taken back", "", append(append([]string{"undo"}, flags...), "1160bc9cefbf0600"), `"region": "us-west-2"`, "[undone]"},
	} {
		code, out, errs := buildmedic(t, row.stdin, row.args...)
		if code != exitOK || !json.Valid([]byte(out)) || !strings.Contains(out, row.want) || !strings.Contains(errs, row.told) {
			t.Errorf("%s: code %d\n%s\n%s", row.name, code, out, errs)
		}
	}
}

// TestReplayElsewhere ensures that a build of another account is told from
// one that does not exist.
func TestReplayElsewhere(t *testing.T) {
	sim, file := account(t, "member-account")
	b := sim.BuildsAt("444455556666", "eu-west-1", "worker")[0]
	code, _, errs := buildmedic(t, "", "replay", "-settings", file, "-ledger", filepath.Join(t.TempDir(), "l.json"), b.ARN)
	if code != exitFailed || !strings.Contains(errs, "is in account 444455556666") || !strings.Contains(errs, "AWS_PROFILE") {
		t.Errorf("code %d: %s", code, errs)
	}
}

// TestScan ensures that scan tells what fails, and that the settings it
// writes are valid, observe everything and grant nothing; and that with the
// number signs taken off they say what a person would say.
func TestScan(t *testing.T) {
	sim, _ := account(t, "tracker-api")
	code, out, errs := buildmedic(t, "", "scan")
	if code != exitOK {
		t.Fatalf("code %d: %s", code, errs)
	}
	for _, want := range []string{"1 project, 1 failed build read", "missing-permission",
		"ecr:GetAuthorizationToken", "could have acted on 1 of 1"} {
		if !strings.Contains(out, want) {
			t.Errorf("it does not say %q:\n%s", want, out)
		}
	}
	if w := sim.Writes(); len(w) > 0 {
		t.Errorf("it wrote %v", w)
	}
	_, yaml, _ := buildmedic(t, "", "scan", "-yaml")
	s, err := settings.Parse([]byte(yaml))
	if err != nil {
		t.Fatalf("%v\n%s", err, yaml)
	}
	if len(s.Projects) != 1 || s.Projects[0].Mode != settings.Observe || len(s.Grants) != 0 {
		t.Errorf("got %+v", s)
	}
}

// TestScanReadsReports ensures that scan names the cause that only a test report knows, and writes
// how to have reports read.
func TestScanReadsReports(t *testing.T) {
	account(t, "failed-tests-without-a-log")
	code, out, errs := buildmedic(t, "", "scan")
	if code != exitOK || !strings.Contains(out, "test-failure") {
		t.Errorf("code %d\n%s%s", code, out, errs)
	}
	if _, yaml, _ := buildmedic(t, "", "scan", "-yaml"); !strings.Contains(yaml, "    # test_reports: true\n") {
		t.Errorf("it does not offer to read reports:\n%s", yaml)
	}
}

// TestHistoryNamesTests ensures that the history names the tests that failed.
func TestHistoryNamesTests(t *testing.T) {
	var b strings.Builder
	printHistory(&b, []listed{{Summary: heal.Summary{Case: "c", FailedTests: []string{"S › a", "S › \x1b[31mb"}, MoreTests: 3}},
		{Summary: heal.Summary{Case: "d", FailedTests: []string{"x"}}}, {Summary: heal.Summary{Case: "e"}}}, "")
	if got := b.String(); !strings.Contains(got, "\n  failed tests: S › a, S › [31mb and 3 more\n") ||
		!strings.Contains(got, "\n  failed tests: x\n") || strings.Count(got, "failed tests") != 2 {
		t.Error(got)
	}
}

// TestPolicy ensures that a role's policy is printed as it is committed.
func TestPolicy(t *testing.T) {
	account(t, "qivr-deploy")
	code, out, errs := buildmedic(t, "", "policy", "-role", "qivr-codebuild-role")
	if code != exitOK || !strings.Contains(out, `"Sid": "Images"`) || !json.Valid([]byte(out)) {
		t.Errorf("code %d\n%s%s", code, out, errs)
	}
	for _, form := range []string{"-cdk", "-terraform"} {
		if code, out, errs := buildmedic(t, "", "policy", "-role", "qivr-codebuild-role", form); code != exitOK ||
			!strings.Contains(out, "qivr-codebuild-policy") {
			t.Errorf("%s: code %d\n%s%s", form, code, out, errs)
		}
	}
	if code, _, errs := buildmedic(t, "", "policy", "-role", "nobody"); code != exitFailed || !strings.Contains(errs, "nobody") {
		t.Errorf("code %d: %s", code, errs)
	}
}

// TestUsage ensures that each command explains itself, with an example, and
// that a wrong command line is said to be wrong.
func TestUsage(t *testing.T) {
	for _, c := range commands() {
		code, out, _ := buildmedic(t, "", c.name, "-h")
		if code != exitOK || !strings.Contains(out, "Example") || !strings.Contains(out, "buildmedic "+c.name) {
			t.Errorf("%s -h: code %d\n%s", c.name, code, out)
		}
	}
	for _, args := range [][]string{{}, {"heal-all"}, {"demo", "no-such-story"}, {"plan"}, {"replay"}, {"show"},
		{"undo", "a", "b"}, {"resume", "-grant", "g"}, {"policy"}, {"scan", "-n", "0"}, {"demo", "-nonsense"}, {"demo", "-mail", "-json"},
		{"demo", "-width", "40"}, {"demo", "-mail", "-width", "3"}, {"schema", "x"},
		{"history", "-n", "0"}, {"remove", "web"}, {"remove", "-wait", "-1m"},
		{"history", "-table", "t", "-ledger", "l"}, {"undo", "-table", "t", "-ledger", "l", "c"},
		{"approve", "abc"}, {"approve", strings.Repeat("x", 64)},
		{"check", "-account", "1111"}, {"help", "heal-all"}, {"-v"}} {
		if code, _, errs := buildmedic(t, "", args...); code != exitUsage || errs == "" {
			t.Errorf("%q: code %d, %q", args, code, errs)
		}
	}
	if code, out, _ := buildmedic(t, "", "help", "diagnose"); code != exitOK || !strings.HasPrefix(out,
		"Usage: buildmedic diagnose ") {
		t.Errorf("help diagnose: code %d\n%s", code, out)
	}
	if code, _, errs := buildmedic(t, "", "diagnos"); code != exitUsage || !strings.Contains(errs,
		`no command "diagnos"; did you mean diagnose?`) {
		t.Errorf("diagnos: code %d\n%s", code, errs)
	}
	if code, _, errs := buildmedic(t, "", "undo", "c"); code != exitFailed || !strings.Contains(errs,
		"name the file with -settings") {
		t.Errorf("undo without settings: code %d\n%s", code, errs)
	}
}

// TestUsageHints ensures that who leaves a name out, or mistypes one, is told which there are.
func TestUsageHints(t *testing.T) {
	for args, want := range map[string]string{
		"schema foo":             `there is no schema "foo"; there are notices and settings`,
		"schema notices setting": "name one schema: notices or settings",
		"demo traker-api":        `there is no story "traker-api"; did you mean "tracker-api"?`,
		"undo":                   "name one case; `buildmedic history` lists them",
		"approve":                "name one plan; `buildmedic history` lists them",
	} {
		if code, _, errs := buildmedic(t, "", strings.Fields(args)...); code != exitUsage || !strings.Contains(errs, want) {
			t.Errorf("%s: code %d, %s", args, code, errs)
		}
	}
}

// TestDemo ensures that every story ends as it should, in words and as JSON.
func TestDemo(t *testing.T) {
	code, out, errs := buildmedic(t, "", "demo")
	if code != exitOK || !strings.Contains(out, "stories ended as they should") || strings.Contains(out, "\x1b") {
		t.Errorf("code %d\n%s%s", code, out, errs)
	}
	if code, out, errs = buildmedic(t, "", "demo", "10-forged-in-a-pull-request"); code != exitOK ||
		!strings.Contains(out, "\nit ended as it should\n") {
		t.Errorf("a story by its file's name: code %d\n%s%s", code, out, errs)
	}
	code, out, errs = buildmedic(t, "", "demo", "-mail", "proposed-and-approved")
	if code != exitOK || strings.Count(out, "\nSubject: ") != 3 || !strings.Contains(out, "proposed-and-approved, mail 1 of 3, ") ||
		!strings.Contains(out, "\n{\"approve\":{\"plan\":\"") {
		t.Errorf("demo -mail: code %d\n%s%s", code, out, errs)
	}
	code, out, _ = buildmedic(t, "", "demo", "-mail", "-width", "40", "proposed-and-approved")
	for row := range strings.Lines(out) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(row, "\n")); n > 40 && !strings.Contains(row, ", mail ") || code != exitOK {
			t.Errorf("demo -mail -width 40 ends with %d and prints %d columns: %s", code, n, row)
		}
	}
	code, out, _ = buildmedic(t, "", "demo", "-json", "tracker-api")
	var r map[string]any
	if err := json.Unmarshal([]byte(out), &r); code != exitOK || err != nil {
		t.Fatalf("code %d: %v\n%s", code, err, out)
	}
	for _, k := range []string{"story", "project", "cause", "remedy", "rounds", "outcome", "grants", "refusals",
		"policy", "calls"} {
		if _, ok := r[k]; !ok {
			t.Errorf("no %q", k)
		}
	}
}

// TestPlan ensures that the whole decision is printed offline: story 1 from
// a record, a log and the role's policies.
func TestPlan(t *testing.T) {
	sim, file := account(t, "tracker-api")
	b := sim.Builds("TrackerAPI")[0]
	dir := t.TempDir()
	record := `{"builds":[{"id":"` + b.ID + `","arn":"` + b.ARN + `","projectName":"TrackerAPI",
		"buildStatus":"FAILED","serviceRole":"` + b.Role + `","initiator":"` + b.Initiator + `",
		"sourceVersion":"refs/heads/main","endTime":"2026-11-22T10:12:19Z",
		"phases":[{"phaseType":"PRE_BUILD","phaseStatus":"FAILED","contexts":[{"statusCode":"COMMAND_EXECUTION_ERROR","message":"x"}]}]}]}`
	for name, text := range map[string]string{"b.json": record, "l.log": b.Log,
		"p.json": `{"inline":{"Other":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"logs:*",` +
			`"Resource":"*"}]}}}`} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	code, out, errs := buildmedic(t, "", "plan", "-settings", file, "-build", filepath.Join(dir, "b.json"), "-log",
		filepath.Join(dir, "l.log"), "-policies", filepath.Join(dir, "p.json"))
	var p planned
	if err := json.Unmarshal([]byte(out), &p); code != exitOK || err != nil {
		t.Fatalf("code %d: %v\n%s%s", code, err, out, errs)
	}
	if p.Remedy != "grant" || len(p.Statements) != 2 || p.Hash == "" || len(p.Refusals) != 0 ||
		!strings.Contains(string(p.Policy), "repository/tracker_api") || p.Target != "inline CodeBuild-ECR-Permissions" {
		t.Errorf("got %s", out)
	}
	if strings.Count(errs, "note: ") != 1 || !strings.HasPrefix(errs, "note: whether pull requests are built") {
		t.Errorf("for a project that is listed, want one note, about pull requests: %s", errs)
	}
	other := filepath.Join(dir, "other.yaml")
	if err := os.WriteFile(other, []byte("version: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, errs := buildmedic(t, "", "plan", "-settings", other, "-build", filepath.Join(dir, "b.json")); !strings.Contains(
		errs, `lists no project "TrackerAPI"`) {
		t.Errorf("no note about a project that is not listed: %q", errs)
	}
	// With the permission there already, nothing is written: the build is only started again.
	all := `{"inline":{"All":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ecr:*","Resource":"*"}]}}}`
	if err := os.WriteFile(filepath.Join(dir, "p.json"), []byte(all), 0o600); err != nil {
		t.Fatal(err)
	}
	_, out, _ = buildmedic(t, "", "plan", "-settings", file, "-build", filepath.Join(dir, "b.json"), "-log",
		filepath.Join(dir, "l.log"), "-policies", filepath.Join(dir, "p.json"))
	p = planned{}
	if err := json.Unmarshal([]byte(out), &p); err != nil || p.Remedy != "retry" || string(p.Policy) != "null" {
		t.Errorf("%v %s", err, out)
	}
}

// TestOtherRoles ensures that check shows what another role of a deployment could gain apart from what the
// project's own could, that plan takes the policies that it is given for the role that was denied, and that
// remove says where to look.
func TestOtherRoles(t *testing.T) {
	dir := t.TempDir()
	uuid := "8745a7a9-c340-456a-9166-edf953571b01"
	for name, text := range map[string]string{
		"s.yaml": `version: 1
projects:
  - {name: shop, role: shop-build, mode: heal, write: {inline: own}, grants: [image],
     also_roles: [{role: deploy/shop-exec, grants: [queue], write: {managed: exec}}]}
  - {name: web, role: web-build, mode: heal, also_roles: [{role: shop-exec, grants: [topic], write: {managed: exec}}]}
grants:
  - {id: image, because: b, owner: o, set: ecr-push, resources: ["arn:${partition}:ecr:${region}:${account}:repository/shop"]}
  - {id: queue, because: b, owner: o, actions: ["sqs:CreateQueue"], resources: ["arn:${partition}:sqs:${region}:${account}:shop-*"]}
  - {id: topic, because: b, owner: o, actions: ["sns:CreateTopic"], resources: ["arn:${partition}:sns:${region}:${account}:shop-*"]}
`,
		"b.json": `{"id":"shop:` + uuid + `","arn":"arn:aws:codebuild:eu-west-1:111122223333:build/shop:` + uuid + `","projectName":"shop",
			"buildStatus":"FAILED","serviceRole":"arn:aws:iam::111122223333:role/shop-build","initiator":"GitHub-Hookshot/0a1b2c3",
			"sourceVersion":"refs/heads/main","endTime":"2026-11-22T10:12:19Z","phases":[{"phaseType":"BUILD","phaseStatus":"FAILED",
			"contexts":[{"statusCode":"COMMAND_EXECUTION_ERROR","message":"x"}]}]}`,
		"l.log": `[Container] 2026/11/22 10:12:00.000000 Running command npx cdk deploy
User: arn:aws:sts::111122223333:assumed-role/shop-exec/AWSCloudFormation is not authorized to perform: sqs:CreateQueue on resource: ` +
			`arn:aws:sqs:eu-west-1:111122223333:shop-orders because no identity-based policy allows the sqs:CreateQueue action
[Container] 2026/11/22 10:12:10.000000 Command did not exit successfully npx cdk deploy exit status 1
[Container] 2026/11/22 10:12:10.000000 Phase complete: BUILD State: FAILED
`,
		"p.json": `{"managed":{"arn:aws:iam::111122223333:policy/exec":{"Version":"2012-10-17","Statement":[{"Effect":"Allow",` +
			`"Action":"sqs:GetQueueUrl","Resource":"*"}]}}}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	at := func(name string) string { return filepath.Join(dir, name) }
	_, out, errs := buildmedic(t, "", "check", "-v", "-settings", at("s.yaml"))
	shop, web, _ := strings.Cut(out[max(0, strings.Index(out, "\nshop ")):], "\nweb ")
	own, exec, ok := strings.Cut(shop, "  another role, deploy/shop-exec  (writes a new version of managed policy exec)\n")
	if !ok || !strings.Contains(own, "ecr:PutImage") || strings.Contains(own, "sqs:CreateQueue") ||
		strings.Contains(own, "sns:CreateTopic") ||
		!strings.Contains(exec, "sqs:CreateQueue") || !strings.Contains(exec, "sns:CreateTopic") || strings.Contains(exec, "ecr:") ||
		!strings.Contains(exec, "has what project web is given for it, too") || !strings.Contains(web, "could gain nothing") {
		t.Errorf("check -v:\n%s%s", out, errs)
	}
	if _, out, _ = buildmedic(t, "", "check", "-settings", at("s.yaml")); !strings.Contains(out, "\n  also") {
		t.Errorf("check:\n%s", out)
	}
	var p planned
	code, out, errs := buildmedic(t, "", "plan", "-settings", at("s.yaml"), "-build", at("b.json"), "-log", at("l.log"), "-policies",
		at("p.json"))
	if err := json.Unmarshal([]byte(out), &p); err != nil || code != exitOK || p.Role != "deploy/shop-exec" ||
		p.Target != "managed arn:aws:iam::111122223333:policy/exec" || !strings.Contains(string(p.Policy), "shop-orders") {
		t.Errorf("plan: code %d, %v\n%s%s", code, err, out, errs)
	}
	_, _, errs = buildmedic(t, "", "plan", "-settings", at("s.yaml"), "-build", at("b.json"), "-log", at("l.log"), "-policies",
		at("p.json"), "-patch", at("none.json"))
	if !strings.Contains(errs, "role deploy/shop-exec was denied, not the build's own") {
		t.Errorf("plan -patch: %s", errs)
	}
	s, err := settings.Parse([]byte(mustRead(t, at("s.yaml"))))
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(writes(s), ", "); got != "inline policy own of role shop-build, managed policy exec of role deploy/shop-exec, "+
		"managed policy exec of role shop-exec" {
		t.Errorf("written: %s", got)
	}
}

func mustRead(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestCheck ensures that check shows what a project could gain, and fails on
// settings that are not valid.
func TestCheck(t *testing.T) {
	_, file := account(t, "qivr-deploy")
	code, out, errs := buildmedic(t, "", "check", "-v", "-settings", file)
	if code != exitOK || !strings.Contains(out, "is valid") || !strings.Contains(out, "iam:PassedToService") ||
		!strings.Contains(out, "warning:") {
		t.Errorf("code %d\n%s%s", code, out, errs)
	}
	write := func(text string) string {
		t.Helper()
		path := filepath.Join(t.TempDir(), "buildmedic.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	bad := write("version: 1\nproject: []\n")
	code, out, _ = buildmedic(t, "", "check", "-settings", bad)
	if code != exitFailed || !strings.Contains(out, "error: "+bad+":2: unknown key \"project\"; did you mean \"projects\"?") {
		t.Errorf("code %d\n%s", code, out)
	}
	idle := write("version: 1\nprojects: [{name: web, role: r, mode: heal}]\n")
	reads := write("version: 1\nprojects:\n  - {name: shop, role: shop-build, mode: propose, " +
		"report_groups: [shared-tests], stacks: [shop, shop-data], retry: {flaky_tests: true}}\n")
	if _, out, _ := buildmedic(t, "", "check", "-v", "-settings", reads); !strings.Contains(out, "  a build in which only "+
		"flaky tests failed is started again once a person approves\n") || !strings.Contains(out, "groups shop-*, shared-tests\n") ||
		!strings.Contains(out, "why a stack failed is read of shop, shop-data\n") {
		t.Errorf("a project that reads reports: %s", out)
	}
	code, out, _ = buildmedic(t, "", "check", "-v", "-settings", idle)
	if code != exitOK || !strings.Contains(out, "warning: "+idle+": notify: nobody is told") ||
		!strings.Contains(out, "warning: "+idle+":2: projects[0].grants: ") {
		t.Errorf("code %d\n%s", code, out)
	}
	failing := write("version: 1\nprojects: [{name: web, role: r, grants: [g], write: {inline: p}}]\n" +
		"grants: [{id: g, because: b, owner: o, actions: [\"s3:GetObject\"], resources: " +
		"[\"arn:${partition}:s3:::other/*\"]}]\ntests: [{project: web, allow: \"s3:GetObject\", on: " +
		"\"arn:${partition}:s3:::b/${account}\"}]\n")
	for _, row := range [][3]string{
		{"", "", "on arn:${partition}:s3:::b/${account}; ${partition}, ${account} are not known here: try check " +
			"-partition P -account ID\n"},
		{"-partition", "aws-cn", "on arn:aws-cn:s3:::b/${account}; ${account} is not known here: try check -account ID\n"},
	} {
		args := []string{"check", "-settings", failing}
		if row[0] != "" {
			args = append(args, row[0], row[1])
		}
		code, out, _ = buildmedic(t, "", args...)
		if code != exitFailed || !strings.Contains(out, row[2]) {
			t.Errorf("%q: code %d\n%s", args, code, out)
		}
	}
	code, out, _ = buildmedic(t, "", "check", "-json", "-settings", bad)
	if code != exitFailed || !json.Valid([]byte(out)) {
		t.Errorf("code %d\n%s", code, out)
	}
	held := write(`version: 1
notify: {email: [a@example.com]}
projects: [{name: web, role: r, grants: [g], write: {inline: p}}]
grants: [{id: g, because: b, owner: o, actions: ["s3:GetObject"], resources: ["arn:${partition}:s3:::assets/*"]}]
tests:
  - {project: web, allow: "s3:GetObject", on: "arn:aws:s3:::assets/a"}
  - {project: web, deny: "s3:PutObject", on: "arn:aws:s3:::assets/a"}
`)
	code, out, _ = buildmedic(t, "", "check", "-v", "-settings", held)
	if code != exitOK || !strings.HasPrefix(out, held+" is valid, and its 2 tests hold. SHA-256 ") {
		t.Errorf("code %d\n%s", code, out)
	}
	code, out, _ = buildmedic(t, "", "check", "-json", "-settings", held)
	if code != exitOK || !strings.Contains(out, `"warnings": []`) || !strings.Contains(out, `"tests": 2`) {
		t.Errorf("code %d\n%s", code, out)
	}
}
