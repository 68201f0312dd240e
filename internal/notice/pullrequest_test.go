package notice

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
)

func trackerFile(o decide.Outcome) PolicyFile {
	f := PolicyFile{Path: "aws/iam-policy-codebuild.json", Grant: "tracker-image"}
	for _, u := range o.Case.Rounds[0].Decision.Used {
		f.Added = append(f.Added, u.Statements...)
	}
	if len(f.Added) == 0 {
		f.Added = []iampolicy.Statement{iampolicy.Allow("push", []string{"ecr:PutImage", "ecr:UploadLayerPart"},
			[]string{"arn:aws:ecr:eu-west-1:" + account + ":repository/tracker_api"})}
	}
	return f
}

// TestPullRequestOf compares a pull request's text with its golden file.
func TestPullRequestOf(t *testing.T) {
	o := trackerObserved()
	title, body := PullRequestOf(o, trackerFile(o))
	file := filepath.Join("testdata", "pullrequest.txt")
	got := title + "\n\n" + body
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil || string(want) != got {
		t.Errorf("%v: got\n%s", err, got)
	}
	f := trackerFile(o)
	f.New = true
	if _, body := PullRequestOf(o, f); !strings.Contains(body,
		"In the new file `aws/iam-policy-codebuild.json`, which must be deployed") {
		t.Errorf("of a new file:\n%s", body)
	}
}

// TestPullRequestTextIsInert: whatever a log says, nothing of it is Markdown, a mention, a link, a
// secret or a word that closes an issue, neither as Markdown nor as plain text; and it is bounded.
func TestPullRequestTextIsInert(t *testing.T) {
	for _, text := range []string{
		"`@team` fixes #1, closes GH-3 ![x](https://evil.example/x.png) <img src=x> --> <!-- x\n\n# head\r\n| a | b |",
		"``` ```js @org/admins resolves example/shop#7", "\u202e@everyone\u200b \x1b]8;;https://evil.example\x07click\x1b]8;;\x07",
		"key AKIAIOSFODNN7EXAMPLE and ghp_Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MDEyMzQ1Njc4",
		strings.Repeat("ü#1 @a ", 5000), strings.Repeat("`", 4000), "fixes https://github.com/example/shop/issues/1",
	} {
		o := trackerObserved()
		r := &o.Case.Rounds[0]
		r.Diagnosis.Evidence.Text, r.Diagnosis.Title = text, text
		for i := range r.Diagnosis.Denials {
			r.Diagnosis.Denials[i].Resource = text
		}
		r.Decision.Used[0].Because, r.Decision.Used[0].Owner = text, text
		f := PolicyFile{Path: "p.json", Grant: "tracker-image", Added: []iampolicy.Statement{
			iampolicy.Allow("x", []string{"s3:GetObject"}, []string{text})}}
		title, body := PullRequestOf(o, f)
		if utf8.RuneCountInString(title) > 150 || len(body) > 10000 || strings.ContainsAny(title, "\n`@#") {
			t.Errorf("%.60q: title %q, %d bytes", text, title, len(body))
		}
		for _, bad := range []string{"AKIAIOSFODNN7EXAMPLE", "Zm9v", "\x1b", "\u202e", "\u200b", "\r", "https://evil", "#1", "GH-3", "#7",
			"@t", "@o", "@e", "@a", "github.com/example", "\n# head"} {
			if strings.Contains(title+"\n"+body, bad) {
				t.Errorf("%.60q: %q is in\n%s", text, bad, body)
			}
		}
		fenced := strings.Split(body, "```")
		if len(fenced) != 3 {
			t.Fatalf("%.60q: %d fences in\n%s", text, len(fenced)-1, body)
		}
		for _, outside := range []string{fenced[0], fenced[2]} {
			for _, line := range strings.Split(outside, "\n") {
				var plain string
				for i, part := range strings.Split(line, "`") {
					if i%2 == 0 {
						plain += part
					}
				}
				if strings.Contains(plain, "evil") || strings.Contains(plain, "AKIA") || strings.ContainsAny(plain, "<|#@") ||
					strings.Contains(plain, "ü") {
					t.Errorf("%.60q: outside of a span: %q", text, plain)
				}
			}
		}
	}
}
