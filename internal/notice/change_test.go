package notice

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/settings"
)

func TestCompare(t *testing.T) {
	const a = `{"Sid":"A","Effect":"Allow","Action":"s3:GetObject","Resource":"*"}`
	doc := func(ss ...string) string {
		return `{"Version":"2012-10-17","Statement":[` + strings.Join(ss, ",") + `]}`
	}
	for _, row := range []struct {
		name, from, to string
		want           []string
	}{
		{"nothing before", "", doc(a), []string{"+ Allow s3:GetObject", "+    on *"}},
		{"nothing after", doc(a), "", []string{"- Allow s3:GetObject", "-    on *"}},
		{"the same", doc(a), doc(a), []string{"  (1 statement unchanged)"}},
		{"the same, otherwise written", doc(a),
			doc(`{ "Action" : "s3:GetObject", "Resource": "\u002a", "Effect":"Allow", "Sid":"A" }`),
			[]string{"  (1 statement unchanged)"}},
		{"one of two equal ones goes", doc(a, a), doc(a),
			[]string{"- Allow s3:GetObject", "-    on *", "  (1 statement unchanged)"}},
		{"extended", doc(a),
			doc(`{"Sid":"A","Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"*"}`),
			[]string{"- Allow s3:GetObject", "-    on *", "+ Allow s3:GetObject", "+       s3:PutObject", "+    on *"}},
		{"exactly", "",
			doc(`{"Effect":"Deny","NotAction":["a:b","a:c"],"NotResource":"x","Condition":{"StringLike":{"k":["1",` +
				`"2"]},"Bool":{"l":"true"}}}`),
			[]string{"+ Deny  all but a:b", "+       a:c", "+    on all but x", "+    if Bool l = true",
				"+    if StringLike k = 1 or 2"}},
		{"unreadable before", "{", doc(a), []string{"+ Allow s3:GetObject", "+    on *"}},
		{"unreadable after", doc(a), "[]", []string{"- Allow s3:GetObject", "-    on *"}},
	} {
		var c Change
		c.compare(row.from, row.to)
		if diff := cmp.Diff(row.want, c.difference()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.name, diff)
		}
		if len(c.Added) != len(c.added) || len(c.Removed) != len(c.removed) {
			t.Errorf("%s: %d and %d statements in JSON, %d and %d in words", row.name, len(c.Added), len(c.Removed),
				len(c.added), len(c.removed))
		}
	}
}

// TestApart ensures that of a statement which several projects share, a notice tells of
// the project's own part, whether it comes or goes, and of nothing that it is not.
func TestApart(t *testing.T) {
	const ours = `"arn:aws:codebuild:eu-west-1:111122223333:project/shop"`
	const theirs = `"arn:aws:codebuild:eu-west-1:111122223333:project/web"`
	ifOf := func(arns ...string) string {
		return "if ArnEquals codebuild:projectArn = " + strings.ReplaceAll(strings.Join(arns, " or "), `"`, "") + ": "
	}
	of := func(action string, arns ...string) string {
		return `{"Version":"2012-10-17","Statement":[{"Sid":"A","Effect":"Allow","Action":"` + action + `","Resource":"*",` +
			`"Condition":{"ArnEquals":{"codebuild:projectArn":[` + strings.Join(arns, ",") + `]}}}]}`
	}
	const open = `{"Version":"2012-10-17","Statement":[{"Sid":"A","Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}`
	home := codebuild.ARN{Partition: "aws", Service: "codebuild", Region: "eu-west-1", Account: "111122223333", Resource: "build/shop:1"}
	for name, row := range map[string]struct {
		from, to string
		want     string
		kept     int
	}{
		"comes":      {of("s3:GetObject", theirs), of("s3:GetObject", ours, theirs), "+ this project only: s3:GetObject on *", 1},
		"goes":       {of("s3:GetObject", ours, theirs), of("s3:GetObject", theirs), "- this project only: s3:GetObject on *", 1},
		"of another": {of("s3:GetObject", ours), of("s3:GetObject", ours, theirs), "+ " + ifOf(theirs) + "s3:GetObject on *", 1},
		"one for one": {of("s3:GetObject", theirs), of("s3:GetObject", ours),
			"- " + ifOf(theirs) + "s3:GetObject on *\n+ this project only: s3:GetObject on *", 0},
		"also widened": {of("s3:GetObject", ours), of("s3:*", ours, theirs),
			"- this project only: s3:GetObject on *\n+ " + ifOf(ours, theirs) + "s3:* on *", 0},
		"for everybody": {of("s3:GetObject", ours), open, "- this project only: s3:GetObject on *\n+ s3:GetObject on *", 0},
	} {
		c := Change{What: InlinePolicy, home: home, project: "shop"}
		c.compare(row.from, row.to)
		lines, _ := c.brief(exactly)
		if got := strings.Join(lines, "\n"); got != row.want || c.Kept != row.kept || len(c.Added) != 1 || len(c.Removed) != 1 {
			t.Errorf("%s: %d kept, %q\nwant %q", name, c.Kept, got, row.want)
		}
	}
}

func TestVisibleJSON(t *testing.T) {
	for in, want := range map[string]string{
		"{\"a\":\"b\"}\n":        "{\"a\":\"b\"}\n",
		"\"\u202e\u00ad\u007f\"": `"\u202e\u00ad\u007f"`,
		"\"\U000e0041\"":         `"\udb40\udc41"`,
		"\"é😀\"":                 "\"é😀\"",
		"\"\xff\"":               `"\ufffd"`,
	} {
		if got := VisibleJSON(in); got != want {
			t.Errorf("VisibleJSON(%q) = %q, want %q", in, got, want)
		}
	}
}

// TestChangesOfRounds ensures that several writes of the same policy are one change, and that
// what stands, what was undone and what was never done are kept apart.
func TestChangesOfRounds(t *testing.T) {
	first := written(trackerRound(settings.Heal))
	second := written(trackerRound(settings.Heal))
	second.Decision.Plan.Write.Before = trackerPolicy()
	second.Decision.Plan.Write.After = qivrAfter()
	old := first
	old.Old = true
	undone := first
	undone.Undone = failedAt
	planned := trackerRound(settings.Heal)
	attached := func(arn string) decide.Round {
		r := written(trackerRound(settings.Heal))
		r.Decision.Plan.Write = &guardrail.Target{Kind: "attach", Attach: []string{arn}}
		return r
	}
	type change struct {
		What           What
		Status         Status
		Added, Removed int
		Name           string
	}
	const policy = "CodeBuild-ECR-Permissions"
	for _, row := range []struct {
		name   string
		kind   decide.Kind
		rounds []decide.Round
		want   []change
	}{
		{"one", decide.Healed, []decide.Round{first}, []change{{InlinePolicy, Done, 2, 0, policy}}},
		{"two, joined", decide.Healed, []decide.Round{first, second}, []change{{InlinePolicy, Done, 4, 0, policy}}},
		{"one of an earlier day", decide.Healed, []decide.Round{old, second},
			[]change{{InlinePolicy, Done, 4, 2, policy}}},
		{"undone is not told of when healed", decide.Healed, []decide.Round{undone, second},
			[]change{{InlinePolicy, Done, 4, 2, policy}}},
		{"undone", decide.Undone, []decide.Round{undone}, []change{{InlinePolicy, TakenBack, 0, 2, policy}}},
		{"planned, and never done", decide.Reported, []decide.Round{planned},
			[]change{{InlinePolicy, WasPlanned, 2, 0, policy}}},
		{"proposed", decide.Proposed, []decide.Round{planned}, []change{{InlinePolicy, WaitsFor, 2, 0, policy}}},
		{"a plan of an earlier round", decide.Reported, []decide.Round{planned, first},
			[]change{{InlinePolicy, Done, 2, 0, policy}}},
		{"attached, joined", decide.Healed, []decide.Round{attached("arn:a"), attached("arn:b"), attached("arn:a")},
			[]change{{AttachedPolicies, Done, 0, 0, "arn:b arn:a"}}},
		{"none", decide.Reported, nil, []change{}},
	} {
		o := decide.Outcome{Kind: row.kind, Case: decide.Case{Rounds: row.rounds}, Round: len(row.rounds) - 1}
		got := []change{}
		for _, c := range changesOf(newView(o)) {
			got = append(got, change{c.What, c.Status, len(c.Added), len(c.Removed), c.Name})
		}
		if row.name == "attached, joined" && len(got) == 1 {
			got[0].Name = strings.Join(strings.Fields(got[0].Name), " ")
			row.want[0].Name = got[0].Name
			if !strings.Contains(got[0].Name, "arn:a") || !strings.Contains(got[0].Name, "arn:b") {
				t.Errorf("%s: %q", row.name, got[0].Name)
			}
		}
		if diff := cmp.Diff(row.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.name, diff)
		}
	}
}

// TestFacts looks in the report for what a reader must find there, and in all texts for what is to
// be nowhere.
func TestFacts(t *testing.T) {
	for _, row := range []struct {
		name            string
		o               decide.Outcome
		report, nowhere []string
	}{
		{"healed", trackerHealed(),
			[]string{"Line 37", "PRE_BUILD", "4 min 12 s", `{"undo":{"case":"` + caseID + `"}}`, "put-role-policy",
				"the stack cannot delete the"}, []string{"would", "approve"}},
		{"managed", qivrHealed(),
			[]string{"v2 in place of v1", "(2 statements unchanged)", "may put the old version back",
				"create-policy-version"}, []string{"cannot delete the"}},
		{"observed", trackerObserved(),
			[]string{"would have", "mode observe", "Then the build would be started again."},
			[]string{"TO UNDO", "Wrote", "WHAT WAS CHANGED"}},
		{"proposed", trackerProposed(),
			[]string{`{"approve":{"plan":"` + newView(trackerProposed()).planHash + `"}}`, `{"reject":{"plan":"`,
				"Then the build will be started again."}, []string{"TO UNDO", "Wrote"}},
		{"not allowed", notAllowedReported(),
			[]string{"This entry in buildmedic.yaml would allow it:\n\ngrants:\n  - id: web-delete-object\n",
				"not-on-allowlist"}, []string{"TO UNDO", "WHAT WAS CHANGED"}},
		{"forged", forgedReported(),
			[]string{"hxxps://aws.example[.]com", "token=[redacted]", "Do not allow it by hand"},
			[]string{"\u202e", "\x1b", "https://aws.example", "Allow it in buildmedic.yaml",
				"add it to a policy of the role by hand"}},
		{"undone", trackerUndone(), []string{"- Allow ecr:GetAuthorizationToken", "was removed: there was none before"},
			[]string{"TO UNDO", "+ Allow", "TO MAKE IT PERMANENT", "Allow it in buildmedic.yaml"}},
		{"repeats", rateLimitHealed(), []string{"And 7 more like this"}, []string{"TO UNDO"}},
		{"paused", paused(), []string{`{"resume":{}}`}, []string{"WHAT FAILED", `{"pause":{}}`}},
		{"desk", deskHealed(), []string{"buildmedic undo " + caseID},
			[]string{"aws lambda invoke", "Other payloads"}},
		{"preview", deskPreviewed(),
			[]string{"would have",
				"buildmedic replay -apply " + deskPreviewed().Case.Rounds[0].Build.ID,
				"Nothing was changed"}, []string{"the project is in mode observe", "deploy.", "aws lambda invoke"}},
		{"buildspec", buildspecHealed(),
			[]string{"git mv aws/buildspec.yml buildspec.yml", "aws codebuild update-project --name qivr-deploy"},
			[]string{"TO UNDO", "simulator"}},
		{"role", roleHealed(), []string{"--service-role arn:aws:iam::111122223333:role/" + trackerRole, "TO UNDO"},
			[]string{"put-role-policy"}},
		{"expiring", twoRoundsHealed(),
			[]string{"Grant tracker-parameters ends on 2026-12-06 12:02 UTC", "without the end of the grant",
				"It took 2 rounds", "CloudTrail shows"}, nil},
	} {
		m := Render(row.o)
		unwrapped := strings.Join(strings.Fields(m.Report), " ")
		for _, want := range row.report {
			if !strings.Contains(m.Report, want) && !strings.Contains(unwrapped, want) {
				t.Errorf("%s: the report does not say %q", row.name, want)
			}
		}
		for _, not := range row.nowhere {
			for part, text := range map[string]string{"report": m.Report, "email": m.Email, "chat": m.Chat} {
				if strings.Contains(text, not) {
					t.Errorf("%s: the %s says %q", row.name, part, not)
				}
			}
		}
	}
}

// TestElsewhere ensures that a build of a member account is named by its ARN.
func TestElsewhere(t *testing.T) {
	o := testsReported()
	o.Case.Account = "444455556666"
	if m := Render(o); !strings.Contains(m.Email,
		`{"replay":{"build":"arn:aws:codebuild:us-west-2:111122223333:build/web:`+uuid1+`"}}`) {
		t.Errorf("the command does not name the build's account:\n%s", m.Email)
	}
}

func TestTimeToHeal(t *testing.T) {
	o := trackerHealed()
	for _, row := range []struct {
		name string
		with func(o *decide.Outcome)
		want time.Duration
	}{
		{"from build to build", func(*decide.Outcome) {}, 252 * time.Second},
		{"the green build's end is not known", func(o *decide.Outcome) { o.Case.Rounds[0].Ended = time.Time{} },
			255 * time.Second},
		{"nor the case's", func(o *decide.Outcome) { o.Case.Rounds[0].Ended, o.Case.Closed = time.Time{}, time.Time{} },
			255 * time.Second},
		{"the failed build's end is not known", func(o *decide.Outcome) { o.Case.Rounds[0].Build.End = time.Time{} },
			247 * time.Second},
		{"nothing is known", func(o *decide.Outcome) { *o = decide.Outcome{At: failedAt} }, 0},
		{"clocks differ", func(o *decide.Outcome) { o.Case.Rounds[0].Ended = failedAt.Add(-time.Hour) }, 0},
		{"an earlier day's round does not count", func(o *decide.Outcome) {
			r := o.Case.Rounds[0]
			r.Old, r.Build.End = true, failedAt.Add(-48*time.Hour)
			o.Case.Rounds, o.Round = []decide.Round{r, o.Case.Rounds[0]}, 1
		}, 252 * time.Second},
	} {
		c := o
		c.Case.Rounds = append([]decide.Round(nil), o.Case.Rounds...)
		row.with(&c)
		if got := newView(c).timeToHeal; got != row.want {
			t.Errorf("%s: %v, want %v", row.name, got, row.want)
		}
	}
}
