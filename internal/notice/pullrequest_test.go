package notice

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
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

// TestPullRequestOf compares a pull request's text with its golden file: for one build, and for
// several.
func TestPullRequestOf(t *testing.T) {
	o := trackerObserved()
	older := copyOf(o)
	older.Case.ID = "00c0ffee00c0ffee"
	r := &older.Case.Rounds[0]
	r.Build.ID = "TrackerAPI:00c0ffee-3c4d-4e5f-8a9b-0c1d2e3f4a5b"
	r.Diagnosis.Denials = slices.Clone(r.Diagnosis.Denials)
	r.Diagnosis.Evidence.Line, r.Diagnosis.Denials[0].Line = 41, 41
	many := trackerFile(o)
	many.More = 7
	for file, made := range map[string]func() (string, string){
		"pullrequest.txt":      func() (string, string) { return PullRequestOf(trackerFile(o), o) },
		"pullrequest-many.txt": func() (string, string) { return PullRequestOf(many, o, older) },
	} {
		file = filepath.Join("testdata", file)
		title, body := made()
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
	}
	f := trackerFile(o)
	f.New = true
	if _, body := PullRequestOf(f, o); !strings.Contains(body,
		"In the new file `aws/iam-policy-codebuild.json`, which must be deployed") {
		t.Errorf("of a new file:\n%s", body)
	}
}

// TestPullRequestSaysWhatFollows: by itself only a build is started again whose case waits, and only
// where the settings have builds started again. The rest is a person's.
func TestPullRequestSaysWhatFollows(t *testing.T) {
	waits, desk := trackerObserved(), copyOf(trackerObserved())
	desk.Case.ID = ""
	forbidden := copyOf(waits)
	forbidden.Case.Rounds[0].Decision.Plan.Route = decide.RouteNone
	for _, tt := range []struct {
		os   []decide.Outcome
		more int
		want string
	}{
		{[]decide.Outcome{waits}, 0, "deployed, Buildmedic starts the build again by itself. Closed"},
		{[]decide.Outcome{waits}, 3,
			"deployed, Buildmedic starts the newest of these builds again by itself, of each branch its own. Closed"},
		{[]decide.Outcome{forbidden}, 0, "deployed, the build can be started again; the settings leave that to a person. Closed"},
		{[]decide.Outcome{desk}, 0, "deployed, the build can be started again. Closed"},
		{[]decide.Outcome{desk, desk}, 0, "deployed, the builds can be started again. Closed"},
	} {
		f := trackerFile(waits)
		f.More = tt.more
		if _, body := PullRequestOf(f, tt.os...); !strings.Contains(body, tt.want) {
			t.Errorf("%q is not in\n%s", tt.want, body)
		}
	}
}

// TestPullRequestIsBounded: whatever many builds printed, the text says what it allows, who has
// consented and what follows, and how many more builds there are than it tells of.
func TestPullRequestIsBounded(t *testing.T) {
	o := trackerObserved()
	r := &o.Case.Rounds[0]
	d := r.Diagnosis.Denials[0]
	r.Diagnosis.Denials = nil
	for i := range 40 {
		d.Resource = strings.Repeat("x", 250) + strings.Repeat("y", i)
		r.Diagnosis.Denials = append(r.Diagnosis.Denials, d)
	}
	os := make([]decide.Outcome, 9)
	for i := range os {
		os[i] = copyOf(o)
		os[i].Case.ID = fmt.Sprintf("%016x", i)
	}
	f := trackerFile(o)
	f.More = 1000
	for n, want := range map[int][]string{1: {"- 1,000 more builds", "Cases `0000000000000000` and 1000 more."},
		9: {"1,009 builds of project", " more builds\n", "`0000000000000004` and 1004 more."}} {
		_, body := PullRequestOf(f, os[:n]...)
		if len(body) > 10000 {
			t.Errorf("%d bytes", len(body))
		}
		for _, want := range append(want, "  - Denied: ", " more\n", "+ Allow ", "- Grant `tracker-image` of ",
			"- IAM's policy simulator", "Closed unmerged") {
			if !strings.Contains(body, want) {
				t.Errorf("%q is not in\n%s", want, body)
			}
		}
	}
	few := trackerObserved()
	os = nil
	for i := range 7 {
		os = append(os, copyOf(few))
		os[i].Case.ID = fmt.Sprintf("%016x", i)
	}
	if _, body := PullRequestOf(trackerFile(few), os...); strings.Count(body, "- Build ") < 3 || strings.Count(body, "- Grant ") != 1 ||
		strings.Count(body, "That alone is no proof") != 1 {
		t.Errorf("of seven alike:\n%s", body)
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
		title, body := PullRequestOf(f, o, o, o)
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
