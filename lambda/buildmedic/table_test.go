package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/buildmedic/buildmedic/internal/awsapi"
	"github.com/buildmedic/buildmedic/internal/simaws"
)

// TestLedgerIsFound ensures that commands work on the table that the stack names, and say so; that
// without a stack, or without credentials, it is the local ledger, and they say so; and that where
// the stack cannot be looked at, a ledger has to be named.
func TestLedgerIsFound(t *testing.T) {
	sim, err := simaws.Load([]byte("region: eu-west-1\nenforce: true\nroles: [{name: reader}]\n" +
		"callers: {ASIAREADER: {role: reader}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sim.Close)
	behind(t, sim)
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("XDG_CONFIG_HOME", home)
	sim.AddTable(simaws.Table{Name: "ledger", Partition: awsapi.PartitionKey, Sort: awsapi.SortKey, Index: awsapi.IndexName,
		IndexPartition: "shard", IndexSort: "due"})
	sim.AddStack(simaws.Stack{Name: "Buildmedic", Outputs: []simaws.Output{{Key: "TopicArn", Value: "t"},
		{Key: "TableName", Value: "ledger"}}})
	sim.AddStack(simaws.Stack{Name: "Other"})
	file := filepath.Join(home, "settings.yaml")
	if err := os.WriteFile(file, []byte("version: 1\nprojects: [{name: web, role: reader}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const local = "The ledger is the local one, HOME/buildmedic/ledger.json: "
	const where = "AWS account 111122223333, region eu-west-1."
	const found = "The ledger is the function's: table ledger of stack Buildmedic. " + where
	for _, tt := range []struct {
		name, args string
		env        map[string]string
		code       int
		out, errs  string
	}{
		{"found", "history", nil, exitOK, `Table "ledger" has no such case.`, found},
		{"found by show", "show c", nil, exitFailed, "", found},
		{"found by undo", "undo c", nil, exitFailed, `There is no case "c".`, found},
		{"found by resume", "resume", nil, exitFailed, "It is not paused.", found},
		{"found by remove", "remove -yes", nil, exitOK, "The function is paused", found},
		{"found by replay", "replay -apply web:00000000-0000-0000-0000-000000000000", nil, exitFailed, "", found},
		{"no stack", "history -stack None", nil, exitOK, "The local ledger has no such case",
			local + "there is no stack None in region eu-west-1"},
		{"another region", "history", map[string]string{"AWS_REGION": "us-east-1"}, exitOK, "The local ledger",
			local + "there is no stack Buildmedic in region us-east-1"},
		{"not Buildmedic's", "history -stack Other", nil, exitFailed, "", "stack Other has no output TableName"},
		{"denied", "history", map[string]string{"AWS_ACCESS_KEY_ID": "ASIAREADER"}, exitFailed, "",
			"your credentials lack cloudformation:DescribeStacks on stack Buildmedic in region eu-west-1. Name its table with -table"},
		{"nobody's key", "history", map[string]string{"AWS_ACCESS_KEY_ID": "AKIANOBODY"}, exitFailed, "",
			"CloudFormation answers InvalidClientTokenId"},
		{"no credentials", "history", map[string]string{"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, exitOK, "The local ledger",
			local + "the function's was not looked for, since there are no AWS credentials"},
		{"no region", "history", map[string]string{"AWS_REGION": "", "AWS_DEFAULT_REGION": ""}, exitOK, "The local ledger",
			local + "the function's was not looked for: no AWS region: set AWS_REGION, such as AWS_REGION=eu-west-1"},
		{"named", "history -table ledger", nil, exitOK, `Table "ledger" has no such case.`, where},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for k, v := range tt.env {
				t.Setenv(k, v)
			}
			code, out, errs := buildmedic(t, "", append(strings.Fields(tt.args), "-settings", file)...)
			errs = strings.ReplaceAll(strings.Join(strings.Fields(errs), " "), home, "HOME")
			if code != tt.code || !strings.Contains(out, tt.out) || !strings.Contains(errs, tt.errs) {
				t.Errorf("code %d\n%s\n%s", code, out, errs)
			}
		})
	}
	if _, err := os.Stat(filepath.Join(home, "buildmedic", "ledger.json")); err == nil {
		t.Error("a local ledger was written for the function's commands")
	}
}

// TestSinceWhen ensures that a day, a time and a span are read, and that nothing else is.
func TestSinceWhen(t *testing.T) {
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]string{
		"2026-11-22": "2026-11-22 00:00", "2026-11-22 10:30": "2026-11-22 10:30", "2026-11-22T10:30": "2026-11-22 10:30",
		"2026-11-22T10:30:00+02:00": "2026-11-22 08:30", "36h": "2026-11-28 00:00", "90m": "2026-11-29 10:30",
		"7d": "2026-11-22 12:00", "2w": "2026-11-15 12:00",
		"": "", "yesterday": "", "-3d": "", "0d": "", "2027-01-01": "", "d": "", "99999d": "", "9999999h": "", "1.5d": "", "2026-13-01": "",
	} {
		got, err := sinceWhen(text, now)
		switch {
		case want == "" && err == nil:
			t.Errorf("%q is read as %s", text, got)
		case want != "" && (err != nil || got.UTC().Format("2006-01-02 15:04") != want):
			t.Errorf("%q: %s %v, want %s", text, got, err, want)
		}
	}
}

// TestHistorySince ensures that the history tells what ended in a time, and sums it up; that what
// waits is told whenever it ended; and that the command which approves a plan is of the same ledger.
func TestHistorySince(t *testing.T) {
	sim, file := account(t, "proposed-and-approved")
	ledger := filepath.Join(t.TempDir(), "it's one.json")
	id := sim.Builds("TrackerAPI")[0].ID
	flags := []string{"-settings", file, "-ledger", ledger}
	desk := func(name string, args ...string) string {
		t.Helper()
		code, out, errs := buildmedic(t, "", append(append([]string{name}, flags...), args...)...)
		if code != exitOK {
			t.Fatalf("%s %v: code %d\n%s%s", name, args, code, out, errs)
		}
		return out
	}
	desk("replay", "-apply", "-yes", id)
	if got := desk("history"); !strings.HasSuffix(got, "\n1 case: 1 healed.\n") || strings.Contains(got, "WAITING") {
		t.Errorf("history:\n%s", got)
	}
	sim.Clock.Advance(3 * 24 * time.Hour)
	if got := desk("history", "-since", "2d"); !strings.Contains(got, "no such case") {
		t.Errorf("-since 2d:\n%s", got)
	}
	if got := desk("history", "-since", "4d"); !strings.Contains(got, "\n1 case since 2026-11-21 10:1") {
		t.Errorf("-since 4d:\n%s", got)
	}
	for _, args := range []string{"-since never", "-flaky -since 7d", "-costs -since 91d", "-costs -days 7 -since 7d"} {
		if code, _, errs := buildmedic(t, "", append([]string{"history"}, strings.Fields(args)...)...); code != exitUsage {
			t.Errorf("%s: code %d %s", args, code, errs)
		}
	}
}

// TestSlowCredentials ensures that credentials which take long to come are not taken for none: that
// would lead a command to the local ledger, and its next call to the account.
func TestSlowCredentials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := aws.CredentialsProviderFunc(func(ctx context.Context) (aws.Credentials, error) {
			<-ctx.Done()
			return aws.Credentials{}, ctx.Err()
		})
		if ok, err := hasCredentials(t.Context(), aws.Config{Credentials: slow}); ok || err == nil {
			t.Errorf("credentials that do not come: %v, %v", ok, err)
		}
	})
	none := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return aws.Credentials{}, errors.New("none") })
	if ok, err := hasCredentials(t.Context(), aws.Config{Credentials: none}); ok || err != nil {
		t.Errorf("no credentials: %v, %v", ok, err)
	}
}
