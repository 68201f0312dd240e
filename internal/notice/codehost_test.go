package notice

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/settings"
)

func telling(kind decide.Kind, title string) decide.Telling {
	return decide.Telling{Case: "c1", Account: "111122223333", Region: "eu-west-1", Project: "shop",
		Repository: "github.com/example/shop",
		Commit:     "2f1c0de9c1c7f1d8b7a8f5f9b2a1c3d4e5f60718", PullRequest: 7, Kind: kind, Title: title,
		Build: "shop:b2", ARN: "arn:aws:codebuild:eu-west-1:111122223333:build/shop:b1",
		At: time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)}
}

var tellingHome = settings.Account{ID: "111122223333", Region: "eu-west-1"}

// page is what the tellings link to.
const page = "https://console.aws.amazon.com/codesuite/codebuild/111122223333/projects/shop/build/shop%3Ab2/" +
	"?region=eu-west-1"

// TestStatusOf ensures that a status says how the case stands, and is red only where the build is.
func TestStatusOf(t *testing.T) {
	for _, row := range []struct {
		kind        decide.Kind
		green       bool
		state, text string
	}{
		{decide.Retrying, false, "pending", "Started again: The role lacks s3:PutObject"},
		{decide.Healed, false, "success", "Healed: The role lacks s3:PutObject"},
		{decide.Reported, true, "success", "Green again: The role lacks s3:PutObject"},
		{decide.Proposed, false, "failure", "Waits for approval: The role lacks s3:PutObject"},
		{decide.Requested, false, "pending", "Waits for a pull request: The role lacks s3:PutObject"},
		{decide.Requested, true, "success", "Green again: The role lacks s3:PutObject"},
		{decide.Reported, false, "failure", "Not healed: The role lacks s3:PutObject"},
		{decide.Undone, false, "failure", "Not healed: The role lacks s3:PutObject"},
		{decide.Failed, false, "failure", "Not healed: The role lacks s3:PutObject"},
	} {
		in := telling(row.kind, "The role lacks s3:PutObject")
		in.Green = row.green
		if got, want := StatusOf(in, tellingHome), (CommitStatus{row.state, "buildmedic/shop", row.text,
			page}); got != want {
			t.Errorf("%s, green %v: %+v, want %+v", row.kind, row.green, got, want)
		}
	}
	waits := telling(decide.Requested, "x")
	for want, set := range map[string]func(){
		"Waits for pull request 12: x":         func() { waits.Requests = "12" },
		"Waits for pull requests 12 and 13: x": func() { waits.Requests = "12 13" },
		"Waits for a deployment: x":            func() { waits.Merged = true },
	} {
		waits.Requests, waits.Merged = "", false
		if set(); StatusOf(waits, tellingHome).Description != want {
			t.Errorf("%q, want %q", StatusOf(waits, tellingHome).Description, want)
		}
		if c := CommentOf([]decide.Telling{waits}, tellingHome); strings.Contains(c, "#") {
			t.Errorf("the comment mentions a request: %s", c)
		}
	}
	other := telling(decide.Reported, "")
	other.Region = "us-east-1"
	if got := StatusOf(other, tellingHome); got.Context != "buildmedic/shop@111122223333.us-east-1" ||
		got.Description != "Not healed: the build could not be read" {
		t.Errorf("elsewhere: %+v", got)
	}
}

// TestCodeHostTextIsInert ensures that no text of a build is anything but text at a code host, that
// it shows no secret and no ARN, and that a status's description fits.
func TestCodeHostTextIsInert(t *testing.T) {
	for _, title := range []string{
		"`@team` closes #1 ![x](https://evil.example/x.png) <img src=x> --> <!-- x\n\n# head\r\n| a | b |",
		"``` ```js @org/admins", "\u202e@everyone\u200b \x1b]8;;https://evil.example\x07click\x1b]8;;\x07",
		"key AKIAIOSFODNN7EXAMPLE and ghp_Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MDEyMzQ1Njc4",
		"denied to arn:aws:sts::999988887777:assumed-role/admin-of-everything/me, not to this build",
		strings.Repeat("ü", 500), strings.Repeat("`", 400), "fixes #12, resolves GH-3 [a](javascript:alert(1)) www.evil.com",
	} {
		in := telling(decide.Reported, title)
		s := StatusOf(in, tellingHome)
		if n := utf8.RuneCountInString(s.Description); n > 140 {
			t.Errorf("%q: %d characters", title, n)
		}
		comment := CommentOf([]decide.Telling{in, in}, tellingHome)
		for _, text := range []string{s.Description, comment} {
			for _, bad := range []string{"AKIAIOSFODNN7EXAMPLE", "Zm9v", "999988887777", "admin-of-everything", "\x1b", "\u202e",
				"\u200b", "\r", "evil.com", "https://evil"} {
				if strings.Contains(text, bad) {
					t.Errorf("%q: %q is in %q", title, bad, text)
				}
			}
		}
		lines := strings.Split(strings.TrimSuffix(comment, "\n"), "\n")
		if len(lines) != 3 || lines[0] != CommentMarker {
			t.Fatalf("%q: the comment is %q", title, comment)
		}
		// Outside of code spans there are only our own words.
		parts := strings.Split(lines[1], "`")
		const link = " ([build](" + page + "))"
		if len(parts) != 5 || parts[0] != "- **Not healed** " || parts[1] != "shop" || parts[2] != ": " ||
			parts[3] == "" || parts[4] != link {
			t.Errorf("%q: %q", title, parts)
		}
	}
}

// TestTold ensures that the journal's line is metrics and says why nothing was told, without secrets.
func TestTold(t *testing.T) {
	for result, name := range map[decide.ToldResult]string{decide.ToldDone: "CodeHostTold",
		decide.ToldFault: "CodeHostNotTold",
		decide.ToldLater: "CodeHostNotTold", decide.ToldDropped: "CodeHostNotTold"} {
		line := Told(decide.Told{Telling: telling(decide.Healed, "x"), Result: result,
			Why: "token ghp_Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MDEyMzQ1Njc4 is no good\n{"})
		var got map[string]any
		if err := json.Unmarshal(line, &got); err != nil || got[name] != 1.0 || got["Result"] != string(result) ||
			got["_aws"] == nil {
			t.Errorf("%s: %s, %v", result, line, err)
		}
		if strings.ContainsAny(string(line), "\n") || strings.Contains(string(line), "Zm9v") ||
			!strings.Contains(string(line), "is no good") {
			t.Errorf("%s: %s", result, line)
		}
	}
}
