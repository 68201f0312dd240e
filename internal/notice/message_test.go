package notice

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/compare"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// snsLimit is what SNS takes, subject and attributes included (AWS.md#sns).
const snsLimit = 256 << 10

// checkSNS checks a message against the limits of SNS and returns its parts.
func checkSNS(t *testing.T, name string, m Message) map[string]string {
	t.Helper()
	subject, body, attributes := m.SNS()
	size := len(subject) + len(body)
	for k, v := range attributes {
		if k == "" || v == "" {
			t.Errorf("%s: attribute %q is %q, and SNS takes no empty ones", name, k, v)
		}
		size += len(k) + len("String") + len(v)
	}
	if size >= snsLimit {
		t.Errorf("%s: %d bytes, SNS takes fewer than %d", name, size, snsLimit)
	}
	if len(subject) >= 100 {
		t.Errorf("%s: the subject has %d characters", name, len(subject))
	}
	for _, r := range subject {
		if r < ' ' || r > '~' {
			t.Errorf("%s: the subject has %U", name, r)
		}
	}
	var parts map[string]string
	if err := json.Unmarshal([]byte(body), &parts); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if parts["default"] == "" {
		t.Errorf("%s: SNS wants a default", name)
	}
	return parts
}

// checkTexts looks for what no text may contain.
func checkTexts(t *testing.T, name string, m Message) {
	t.Helper()
	for part, text := range map[string]string{
		"subject": m.Subject,
		"email":   m.Email,
		"report":  m.Report,
		"chat":    m.Chat,
		"JSON":    m.JSON,
		"default": m.Default,
	} {
		if r, ok := hiddenFrom(text, true); ok || !utf8.ValidString(text) {
			t.Errorf("%s: %s holds %U", name, part, r)
		}
		if strings.Contains(strings.ToLower(text), "evil.com") || strings.Contains(text, "https://evil") {
			at := max(strings.Index(strings.ToLower(text), "evil.com"), strings.Index(text, "https://evil"))
			t.Errorf("%s: %s holds a link: …%q", name, part, text[max(0, at-60):min(len(text), at+60)])
		}
	}
}

func TestGoldenFitSNS(t *testing.T) {
	var os []decide.Outcome
	for _, s := range samples {
		os = append(os, s.outcome)
		m := Render(s.outcome)
		parts := checkSNS(t, s.name, m)
		checkTexts(t, s.name, m)
		want := map[string]string{"default": m.Default, "email": m.Email, "https": m.Chat, "sqs": m.JSON,
			"lambda": m.JSON}
		if diff := cmp.Diff(want, parts); diff != "" {
			t.Errorf("%s: protocols (-want +got):\n%s", s.name, diff)
		}
		if _, _, attributes := m.SNS(); attributes["kind"] != string(s.outcome.Kind) {
			t.Errorf("%s: attributes %v", s.name, attributes)
		}
	}
	checkSNS(t, "digest", Digest(os))
	checkSNS(t, "digest of none", Digest(nil))
	checkSNS(t, "week", Week(sampleWeek()))
	checkSNS(t, "week of nothing", Week(decide.Week{}))
	checkSNS(t, "nothing", Render(decide.Outcome{}))
}

// TestPolicyStaysWhole ensures that other parts are left out first.
func TestPolicyStaysWhole(t *testing.T) {
	o := trackerHealed()
	r := &o.Case.Rounds[0]
	filler := strings.Repeat("word ", 50)
	for i := range 500 {
		r.Diagnosis.Excerpt = append(r.Diagnosis.Excerpt, buildlog.Line{N: i, Text: filler})
	}
	for i := range 36 {
		r.Decision.Refusals = append(r.Decision.Refusals, guardrail.Refusal{Rule: "r",
			Message: strings.Repeat("why ", 300), Entry: fmt.Sprint(i) + strings.Repeat(" entry", 300)})
	}
	m := Render(o)
	checkSNS(t, "long excerpt", m)
	if !strings.Contains(m.Report, "Left out, since SNS limits a notice to 256 KiB: the excerpt of the log.") {
		t.Errorf("the report does not say what was cut:\n%s", m.Report[len(m.Report)-400:])
	}
	for _, want := range []string{
		pretty(json.RawMessage(trackerPolicy())), "new iam.Policy(", "+ Allow ecr:GetAuthorizationToken",
	} {
		if !strings.Contains(m.Report, want) {
			t.Errorf("the report has lost %q", want)
		}
	}
}

// TestTooMuch ensures that a notice is cut in steps, whole policies last.
func TestTooMuch(t *testing.T) {
	policy := func(statements int) string {
		d := iampolicy.Document{Version: "2012-10-17"}
		for i := range statements {
			d.Statements = append(d.Statements, iampolicy.Statement{Sid: fmt.Sprintf("S%d", i), Effect: "Allow",
				Action: values(true, "ecr:PutImage"), Resource: values(true, "*")})
		}
		return string(d.Canonical())
	}
	for _, row := range []struct {
		statements int
		gone, kept []string
	}{
		{300, []string{"the excerpt", "the snippets"}, []string{"+ Allow", "THE WHOLE POLICY"}},
		{700, []string{"the excerpt", "the snippets", "the difference"}, []string{"THE WHOLE POLICY", `"Sid": "S699"`}},
		{3000, []string{"the excerpt", "the snippets", "the difference", "policy CodeBuild-ECR-Permissions of "},
			[]string{"WHAT HAPPENS NEXT", "TO UNDO"}},
	} {
		o := trackerHealed()
		o.Case.Rounds[0].Decision.Plan.Write.After = policy(row.statements)
		m := Render(o)
		checkSNS(t, fmt.Sprint(row.statements), m)
		var n Notice
		if err := json.Unmarshal([]byte(m.JSON), &n); err != nil {
			t.Fatal(err)
		}
		if len(n.Cut) != len(row.gone) {
			t.Errorf("%d statements: cut %q, want %q", row.statements, n.Cut, row.gone)
		}
		for i, g := range row.gone {
			if i < len(n.Cut) && !strings.HasPrefix(n.Cut[i], g) {
				t.Errorf("%d statements: cut %q, want %q", row.statements, n.Cut[i], g)
			}
		}
		for _, k := range row.kept {
			if !strings.Contains(m.Report, k) {
				t.Errorf("%d statements: the report has lost %q", row.statements, k)
			}
		}
	}
}

// TestSNSOfAnyMessage ensures that even a message that was not made here fits.
func TestSNSOfAnyMessage(t *testing.T) {
	huge := strings.Repeat("é\"\\\x01", 1<<17)
	for name, m := range map[string]Message{
		"huge email": {Email: huge, Chat: "{}", JSON: "{}", Default: "d"},
		"huge chat":  {Email: "e", Chat: huge, Default: "d"}, "huge JSON": {Email: "e", JSON: huge, Default: "d"},
		"all huge":        {Subject: strings.Repeat("s", 1<<20), Email: huge, Chat: huge, JSON: huge, Default: huge},
		"huge attributes": {Default: "d", Email: huge, attributes: map[string]string{"a": huge}},
	} {
		parts := checkSNS(t, name, m)
		if strings.HasPrefix(name, "huge email") && !strings.HasSuffix(parts["email"], "[cut]") {
			t.Errorf("%s: the cut is not said", name)
		}
	}
}

// monster makes an outcome of random size from hostile texts.
func monster(r *rand.Rand) decide.Outcome {
	texts := []string{
		"", "x", "https://evil.com/a", "\u202etxt\u200b", "\x1b[31m", "<!channel> `*_~", "`````", "a\nb\r\n", "\"\\",
		"]]>", "}}{{", "\xff\xfe", "arn:aws:s3:::b/*", strings.Repeat("é", 900), strings.Repeat("word ", 400), "\x00",
	}
	names := []string{"", "x", "https://evil-host/a", "\u202etxt\u200b", "`a`", "a b", "é", "\xff",
		strings.Repeat("n", 900)}
	text := func() string { return texts[r.IntN(len(texts))] + texts[r.IntN(len(texts))] }
	name := func() string { return names[r.IntN(len(names))] } // of what AWS and the settings name
	kinds := append([]decide.Kind{"", "other"}, kindOrder...)
	var rounds []decide.Round
	for range r.IntN(4) {
		b := build("p", "r", text(), text())
		b.Project, b.ID, b.ARN, b.SourceVersion, b.ResolvedSourceVersion, b.Initiator = name(), name(), name(), text(),
			text(), text()
		g := diagnose.Diagnosis{Cause: name(), Title: text(), Advice: text(),
			Evidence: diagnose.Evidence{Text: text(), Line: r.IntN(9), Origin: buildlog.FromLog}, Fingerprint: name()}
		d := decide.Decision{
			Mode:     []settings.Mode{settings.Observe, settings.Propose, settings.Heal}[r.IntN(3)],
			Remedy:   diagnose.Remedies[r.IntN(len(diagnose.Remedies))],
			Why:      text(),
			Settings: name(),
			Undo:     r.IntN(2),
		}
		for range r.IntN(60) {
			g.Denials = append(g.Denials, buildlog.Denial{Principal: text(), Action: text(), Resource: text(),
				PolicyARN: text(), Effect: buildlog.Explicit, Layer: buildlog.ServiceControl, Causal: r.IntN(2) == 0})
			g.Excerpt = append(g.Excerpt, buildlog.Line{N: r.IntN(1e6), Text: text()})
			g.Also = append(g.Also, buildlog.Also{Phase: text(), Command: text(), Exit: text(), Message: text(), Line: r.IntN(9)})
			d.Refusals = append(d.Refusals, guardrail.Refusal{Rule: guardrail.Rule(name()), Action: text(),
				Resource: text(), Message: text(), Entry: name()})
			d.Used = append(d.Used, guardrail.Used{Grant: name(), Because: text(), Owner: text(), Expires: failedAt})
		}
		if r.IntN(3) > 0 {
			d.Plan = &decide.Plan{Role: name(), Remedy: d.Remedy, Repository: name(), Buildspec: text(),
				NewRole: name(), OldRole: name(), Route: decide.RouteBuild}
			if r.IntN(2) == 0 {
				d.Plan.Write = &guardrail.Target{
					Kind:   []guardrail.TargetKind{"inline", "managed", "attach"}[r.IntN(3)],
					Name:   name(),
					Before: text(),
					After:  []string{text(), trackerPolicy(), qivrAfter()}[r.IntN(3)],
					Attach: []string{name(), name()},
				}
			}
		}
		rd := decide.Round{Build: b, Diagnosis: &g, Decision: &d, Retry: name(), WrittenVersion: name()}
		for _, at := range []*time.Time{&rd.Written, &rd.Undone, &rd.RetryAt, &rd.Ended} {
			if r.IntN(2) == 0 {
				*at = after(time.Duration(r.IntN(1e6)) * time.Second)
			}
		}
		if r.IntN(2) == 0 {
			rd.Since = &compare.Since{Build: name(), Commit: text(), Link: text(), Age: time.Hour, Between: r.IntN(3),
				Read: compare.ReadCommand, Evidence: compare.IsKnown, Unsure: r.IntN(2) == 0}
			for range r.IntN(60) {
				rd.Since.Lines = append(rd.Since.Lines, compare.Line{N: r.IntN(1e6), Text: text(), Times: r.IntN(3)})
				rd.Since.Changes = append(rd.Since.Changes, compare.Change{What: text(), Was: text(), Is: text()})
			}
		}
		for range r.IntN(4) * r.IntN(12) {
			rd.Requests = append(rd.Requests, decide.Request{Grant: name(), Repository: name(), Path: name(), Base: name(), Branch: name(),
				Number: name(), URL: text(), State: []decide.RequestState{decide.RequestOpened, decide.RequestUpdated,
					decide.RequestWaiting, decide.RequestLanded, decide.RequestDeclined, decide.RequestBehind, decide.RequestEdited,
					decide.RequestState(name())}[r.IntN(8)]})
		}
		if r.IntN(5) == 0 {
			rd.Diagnosis = nil
		}
		if r.IntN(5) == 0 {
			rd.Decision = nil
		}
		rounds = append(rounds, rd)
	}
	return decide.Outcome{
		ID:       name(),
		Kind:     kinds[r.IntN(len(kinds))],
		Note:     text(),
		Function: name(),
		Home:     settings.Account{Region: name()},
		Repeats:  r.IntN(3),
		Round:    r.IntN(6) - 1,
		At:       failedAt,
		For:      decide.Audience{Owner: name(), Guest: r.IntN(3) == 0},
		Case: decide.Case{ID: name(), Account: name(), Region: name(), Project: name(), Commit: text(),
			Rounds: rounds},
	}
}

// TestMonsters renders random hostile outcomes.
func TestMonsters(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 1))
	var os []decide.Outcome
	for i := range 12 {
		o := monster(r)
		os = append(os, o)
		m := Render(o)
		name := fmt.Sprintf("seed %d, outcome %d, kind %q", seed, i, o.Kind)
		checkSNS(t, name, m)
		checkTexts(t, name, m)
		checkCard(t, name, m.Chat)
		for _, line := range strings.Split(strings.TrimSpace(string(Metrics(o))+"\n"+string(Audit(o))), "\n") {
			if !json.Valid([]byte(line)) {
				t.Errorf("%s: no JSON: %q", name, line)
			}
		}
		if a, b := Render(o), m; a.Email != b.Email || a.Chat != b.Chat || a.JSON != b.JSON {
			t.Errorf("%s: rendered twice, it is different", name)
		}
	}
	checkSNS(t, fmt.Sprintf("seed %d, digest", seed), Digest(os))
	checkTexts(t, fmt.Sprintf("seed %d, digest", seed), Digest(os))
	checkCard(t, fmt.Sprintf("seed %d, digest", seed), Digest(os).Chat)
}

// TestCommitsLinkIsTheHosts ensures that of what was stored only a page of the source's own host,
// in its own form, becomes a link.
func TestCommitsLinkIsTheHosts(t *testing.T) {
	o := copyOf(sinceGreenReported())
	s := *o.Case.Rounds[0].Since
	o.Case.Rounds[0].Since = &s
	own := s.Link
	for _, page := range []string{own, "https://evil.com/a", "https://evil.com/example/web",
		strings.Replace(own, "github.com", "evil.com", 1), own + "/../x", own + "?region=eu"} {
		s.Link = page
		m := Render(o)
		checkTexts(t, page, m)
		if got := tell(newView(o)).Links.Commits; (got == page) != (page == own) || got != "" && got != page {
			t.Errorf("%q becomes the link %q", page, got)
		}
	}
}

// checkCard checks a card against the format that Amazon Q Developer shows.
func checkCard(t *testing.T, name, text string) {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(text))
	dec.DisallowUnknownFields()
	var c Card
	if err := dec.Decode(&c); err != nil {
		t.Errorf("%s: card: %v", name, err)
		return
	}
	if c.Version != "1.0" || c.Source != "custom" || c.Content.TextType != "client-markdown" ||
		c.Content.Description == "" || !c.Metadata.EnableCustomActions {
		t.Errorf("%s: the card would not be shown: %+v", name, c)
	}
	if len(c.Content.Title) > 250 || len(c.Content.Description) > 8000 {
		t.Errorf("%s: title of %d, description of %d bytes", name, len(c.Content.Title), len(c.Content.Description))
	}
	for _, s := range append([]string{c.Content.Title, c.Content.Description, c.Metadata.Summary},
		c.Content.NextSteps...) {
		if strings.ContainsAny(s, "<>") {
			t.Errorf("%s: %q could be a mention", name, s)
		}
		if n := strings.Count(s, "```"); n%2 == 1 {
			t.Errorf("%s: an open code block in %q", name, s)
		}
		if outside := outsideCode(s); strings.ContainsAny(strings.NewReplacer(headMarks...).Replace(outside),
			"~[]{}|\\") {
			t.Errorf("%s: markup in %q", name, outside)
		}
	}
	for k, v := range c.Metadata.AdditionalContext {
		if v == "" || len(v) > 1024 {
			t.Errorf("%s: variable %s is %q", name, k, v)
		}
	}
}

// headMarks are the bold titles that the card itself sets.
var headMarks = []string{"*What failed*", "", "*How well that is proved*", "", "*Why nothing was granted*", ""}

// outsideCode drops code blocks, code spans and links to the console.
func outsideCode(s string) string {
	var out strings.Builder
	for i, block := range strings.Split(s, "```") {
		if i%2 == 1 {
			continue
		}
		for j, span := range strings.Split(block, "`") {
			if j%2 == 0 {
				out.WriteString(span + " ")
			}
		}
	}
	var words []string
	for w := range strings.FieldsSeq(out.String()) {
		if !strings.HasPrefix(w, "https://console.") && !strings.HasPrefix(w, "https://github.com/example/") {
			words = append(words, w)
		}
	}
	return strings.Join(words, " ")
}

func TestCards(t *testing.T) {
	for _, s := range samples {
		m := Render(s.outcome)
		checkCard(t, s.name, m.Chat)
		var c Card
		if err := json.Unmarshal([]byte(m.Chat), &c); err != nil {
			t.Fatal(err)
		}
		if c.Metadata.ThreadID != s.outcome.Case.ID {
			t.Errorf("%s: thread %q, want the case %q", s.name, c.Metadata.ThreadID, s.outcome.Case.ID)
		}
	}
}

func TestProsemark(t *testing.T) {
	for in, want := range map[string]string{
		"plain words, and a-name.":        "plain words, and a-name.",
		"on *":                            "on `*`",
		"bucket my_bucket, here":          "bucket `my_bucket`, here",
		"(arn:aws:s3:::b/*).":             "(`arn:aws:s3:::b/*`).",
		"<!channel> <@U1> <https://x|y>":  "`‹!channel›` `‹@U1›` `‹https://x|y›`",
		"[a](b) ~x~ `code` **bold**":      "`[a](b`) `~x~` `'code'` `**bold**`",
		"denied! # heading":               "denied! `#` heading",
		"a & b":                           "a `&` b",
		"see hxxps://x":                   "see `hxxps://x`",
		"  many\n  lines ":                "many lines",
		"":                                "",
		"{\"resume\":{}}.":                "`{\"resume\":{}}`.",
		`back\slash`:                      "`back\\slash`",
		"repository-missing (rule x), no": "repository-missing (rule x), no",
	} {
		if got := prosemark(in); got != want {
			t.Errorf("prosemark(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestSubject(t *testing.T) {
	for title, want := range map[string]string{
		"TrackerAPI: ECR push allowed": "[healed] TrackerAPI: ECR push allowed",
		"é\u202e\n":                    "[healed] ???",
		strings.Repeat("word ", 40): "[healed] " +
			strings.TrimSpace(strings.Repeat("word ", 17)) + "...",
		strings.Repeat("x", 200): "[healed] " + strings.Repeat("x", 87) + "...",
		"P: " + strings.Repeat("a lot of it, ", 12): "[healed] P: " +
			strings.TrimSuffix(strings.Repeat("a lot of it, ", 6), ", ") + "...",
		strings.Repeat("y", 90): "[healed] " + strings.Repeat("y", 90),
		strings.Repeat("y", 91): "[healed] " + strings.Repeat("y", 87) + "...",
	} {
		if got := subject(decide.Healed, title); got != want || len(got) > 99 {
			t.Errorf("subject(%q)\n got %q (%d)\nwant %q", title, got, len(got), want)
		}
	}
}

// TestUndoneIsToldInItsPlace ensures that what a person took back is told before a build that failed
// after that, and not behind it.
func TestUndoneIsToldInItsPlace(t *testing.T) {
	first := ended(written(trackerRound(settings.Heal)), 182*time.Second)
	first.Undone, first.ByPerson = after(time.Hour), true
	second := again(trackerRound(settings.Heal))
	second.Build.End, second.Decision.Undo = after(2*time.Hour), 0
	n := tell(newView(outcome(decide.Failed, after(2*time.Hour+time.Second), trackerSettings(), first, second)))
	if !slices.IsSortedFunc(n.Timeline, func(a, b Event) int { return a.At.Compare(b.At) }) {
		t.Errorf("the timeline is out of order: %+v", n.Timeline)
	}
}

// TestOpening ensures that a mail and a card begin with what happened to what, which a phone shows
// whole beside the subject, and that both say what to do before they say why.
func TestOpening(t *testing.T) {
	for _, s := range samples {
		n, m := tell(newView(s.outcome)), Render(s.outcome)
		if !strings.HasPrefix(m.Email, n.Lead+"\n") {
			t.Errorf("%s: the e-mail does not begin with %q", s.name, n.Lead)
		}
		if l := len(n.Lead) + len(n.Todo); l > maxOpening {
			t.Errorf("%s: result and what to do have %d characters:\n%s\n%s", s.name, l, n.Lead, n.Todo)
		}
		if !strings.Contains(n.Lead, n.about()) {
			t.Errorf("%s: %q does not say what it is about: %s", s.name, n.Lead, n.about())
		}
		if !strings.HasPrefix(n.Todo, "To do: ") && !strings.HasPrefix(n.Todo, "Nothing ") {
			t.Errorf("%s: %q does not say what to do", s.name, n.Todo)
		}
		text := card(n).Content.Description
		todo, why := strings.Index(text, prosemark(n.Todo)), strings.Index(text, "*What failed*")
		if !strings.HasPrefix(text, prosemark(n.Lead)+"\n") || todo < 0 || why >= 0 && why < todo {
			t.Errorf("%s: the card begins %.300q", s.name, text)
		}
	}
}

// TestLongOpening ensures that what is too long is said in a shorter way, the
// result and what to do before the detail.
func TestLongOpening(t *testing.T) {
	for _, row := range []struct {
		why        string
		change     func(*decide.Outcome)
		lead, todo string
	}{
		{"all of it", func(*decide.Outcome) {}, "web failed: Tests failed.", "To do: follow the advice below."},
		{"a long title", func(o *decide.Outcome) {
			o.Case.Rounds[0].Diagnosis.Title = "The stack makes IAM resources or uses macros, and the command does " +
				"not agree to that"
		}, "web failed: the stack makes IAM resources or uses macros, and the command does not agree to that.",
			"To do: see below."},
		{"a longer one", func(o *decide.Outcome) {
			o.Case.Rounds[0].Diagnosis.Title = strings.Repeat("a reason ", 15) + "of its own"
		}, "web failed.", "To do: follow the advice below."},
		{"a long name", func(o *decide.Outcome) { o.Case.Project = strings.Repeat("w", 150) },
			strings.Repeat("w", 150) + " failed.", "To do: see below."},
		{"in a member account", func(o *decide.Outcome) { o.Case.Account = "444455556666" },
			"web (444455556666) failed: Tests failed.", "To do: follow the advice below."},
		{"in another region", func(o *decide.Outcome) { o.Case.Region = "eu-west-1" },
			"web (eu-west-1) failed: Tests failed.", "To do: follow the advice below."},
	} {
		o := testsReported()
		row.change(&o)
		if n := tell(newView(o)); n.Lead != row.lead || n.Todo != row.todo {
			t.Errorf("%s:\n%s\n%s\nwant\n%s\n%s", row.why, n.Lead, n.Todo, row.lead, row.todo)
		}
	}
}

// TestSummaryNamesTheCause: a denial beside the cause, or somebody else's, is not what the build
// failed of, and nobody is sent to the policy that denied it.
func TestSummaryNamesTheCause(t *testing.T) {
	denied := buildlog.Denial{Action: "s3:PutObject", Resource: "arn:aws:s3:::shop-reports/r.xml",
		Effect: buildlog.Explicit, Layer: buildlog.ServiceControl, Line: 90}
	for _, row := range []struct {
		why, cause, title string
		causal            bool
		want              string
	}{
		{"a tolerated upload beside failed tests", "test-failure", "Tests failed", false, "Tests failed."},
		{"a state that was not saved, though the denial is why", "state-not-saved", "What was deployed was not written to the state",
			true, "What was deployed was not written to the state."},
		{"somebody else's denial", "denied-to-another", "s3:PutObject was denied to deploy/ci, not to this build", true,
			"s3:PutObject was denied to deploy/ci, not to this build."},
		{"the denial itself", "denied-by-scp", "A service control policy denies s3:PutObject", true,
			"The build was denied s3:PutObject by a service control policy."},
	} {
		o := testsReported()
		g := *o.Case.Rounds[0].Diagnosis
		denied.Causal = row.causal
		g.Cause, g.Title, g.Denials = row.cause, row.title, []buildlog.Denial{denied}
		o.Case.Rounds[0].Diagnosis = &g
		n := tell(newView(o))
		if !strings.HasPrefix(n.Summary, row.want) {
			t.Errorf("%s: %q, want it to begin %q", row.why, n.Summary, row.want)
		}
		if sent := strings.Contains(n.Todo, "policy changed"); sent != (row.cause == "denied-by-scp") {
			t.Errorf("%s: %q", row.why, n.Todo)
		}
	}
}

// TestProofIsOfWhatIsTold ensures that neither the denial nor the cause is proved by the other's
// place.
func TestProofIsOfWhatIsTold(t *testing.T) {
	for _, row := range []struct {
		why, cause string
		denied     buildlog.Denial
		evidence   diagnose.Evidence
		want       string
	}{
		{"a denial of the log, while the context only names the command", "missing-permission",
			buildlog.Denial{Action: "s3:PutObject", Line: 90, Origin: buildlog.FromLog, Causal: true},
			diagnose.Evidence{Text: "COMMAND_EXECUTION_ERROR: ./ci.sh", Origin: buildlog.FromPhase}, "Line 90 of the build's log says so."},
		{"a denial of the context", "missing-permission",
			buildlog.Denial{Action: "s3:PutObject", Origin: buildlog.FromPhase, Causal: true},
			diagnose.Evidence{Text: "x", Line: 7, Origin: buildlog.FromLog}, "CodeBuild itself says so in the phase's context."},
		{"another cause beside a denial of the context", "state-not-saved",
			buildlog.Denial{Action: "s3:PutObject", Origin: buildlog.FromPhase, Causal: true},
			diagnose.Evidence{Text: "Error: Failed to persist state", Line: 7, Origin: buildlog.FromLog},
			"Line 7 of the build's log says so."},
	} {
		o := testsReported()
		g := *o.Case.Rounds[0].Diagnosis
		g.Cause, g.Denials, g.Evidence = row.cause, []buildlog.Denial{row.denied}, row.evidence
		o.Case.Rounds[0].Diagnosis = &g
		n := tell(newView(o))
		if len(n.Proof) == 0 || !strings.HasPrefix(n.Proof[0], row.want) {
			t.Errorf("%s: %q, want %q", row.why, n.Proof, row.want)
		}
	}
}

// TestUndoneIsNotClaimed ensures that no later notice of a case says that what was taken back is
// allowed, or by which grant.
func TestUndoneIsNotClaimed(t *testing.T) {
	undone := func(kind decide.Kind, person bool) decide.Outcome {
		o := copyOf(trackerUndone())
		o.Kind, o.Case.Rounds[0].ByPerson = kind, person
		o.Case.Rounds[1].Decision.Undo = 0
		return o
	}
	planned := undone(decide.Failed, true) // as it would be given again
	planned.Case.Rounds[1].Decision = copyOf(trackerRetrying()).Case.Rounds[0].Decision
	planned.Case.Rounds[1].Decision.Used = nil
	retried := undone(decide.Healed, false)
	retried.Case.Rounds[1] = copyOf(settlingRetrying()).Case.Rounds[1]
	for why, o := range map[string]decide.Outcome{"a person undid it": undone(decide.Failed, true),
		"it did not help": undone(decide.Failed, false), "it was not given again": planned, "green by itself": retried} {
		m := Render(o)
		for _, text := range []string{m.Subject, m.Email, m.Default} {
			for _, claim := range []string{"ECR push allowed", "Allowed by", "was given the permission", "allowed with it"} {
				if strings.Contains(text, claim) {
					t.Errorf("%s: it claims %q:\n%s", why, claim, text)
				}
			}
		}
		if first, _, _ := strings.Cut(m.Email, "\n+ "); why == "it was not given again" &&
			!strings.HasSuffix(first, "Planned, but not done:") {
			t.Errorf("%s, and the mail does not say so:\n%s", why, m.Email)
		}
		if o.Kind == decide.Failed && !strings.Contains(m.Subject, "not healed: its change was undone") {
			t.Errorf("%s: the subject is %q", why, m.Subject)
		}
	}
	stands := copyOf(twoRoundsHealed()) // the second change stands
	stands.Kind, stands.Case.Rounds[0].Undone = decide.Failed, after(time.Minute)
	if m := Render(stands); !strings.Contains(m.Subject, "SSM parameters allowed, but the build is not green") {
		t.Errorf("the subject is %q", m.Subject)
	}
}

// twoRoundsProposed is twoRoundsHealed of which the second change still waits.
func twoRoundsProposed() decide.Outcome {
	o := copyOf(twoRoundsHealed())
	r := &o.Case.Rounds[1]
	r.Written, r.RetryAt, r.Ended, r.Retry = time.Time{}, time.Time{}, time.Time{}, ""
	r.Decision.Mode = settings.Propose
	r.Decision.Used[0].Owner = "configuration"
	o.Kind, o.Case.Outcome, o.Case.Closed = decide.Proposed, "", time.Time{}
	return o
}

// TestGrantIsOfWhatWaits ensures that a change that waits, or would have been made, is told of with
// its own grant, owner, plan and evidence, and not with those of an earlier round; and that what
// was done is told of with all that allowed it.
func TestGrantIsOfWhatWaits(t *testing.T) {
	observed := twoRoundsProposed()
	observed.Kind, observed.Case.Rounds[1].Decision.Mode = decide.Reported, settings.Observe
	for _, o := range []decide.Outcome{twoRoundsProposed(), observed} {
		m := Render(o)
		n := tell(newView(o))
		if len(n.Grants) != 1 || n.Grants[0].ID != "tracker-parameters" {
			t.Errorf("%s: grants %+v", o.Kind, n.Grants)
		}
		first, _, _ := strings.Cut(m.Email, "https://")
		if !strings.Contains(first, "\nAllowed by: grant tracker-parameters of configuration\n") {
			t.Errorf("%s: who allows it:\n%s", o.Kind, first)
		}
		for _, text := range []string{m.Subject, first, n.Headline, n.Lead} {
			if strings.Contains(text, "ECR push") || !strings.Contains(text, "SSM parameters") {
				t.Errorf("%s: it tells of another change: %s", o.Kind, text)
			}
		}
		if !strings.Contains(strings.Join(n.Proof, " "), "CloudTrail shows") {
			t.Errorf("%s: proof %q", o.Kind, n.Proof)
		}
		o.Case.Rounds[1].Decision.Used[0].Evidence = settings.EvidenceLog
		o.Case.Rounds[0].Decision.Used = []guardrail.Used{{Grant: "tracker-image", Evidence: settings.EvidenceCloudTrail}}
		if n := tell(newView(o)); strings.Contains(strings.Join(n.Proof, " "), "CloudTrail shows") {
			t.Errorf("%s: CloudTrail shows what an earlier round was denied: %q", o.Kind, n.Proof)
		}
	}
	created := twoRoundsProposed() // a repository was created before
	created.Case.Rounds[0] = copyOf(repositoryHealed()).Case.Rounds[0]
	if m := Render(created); !strings.Contains(m.Subject, "allow SSM parameters?") || !strings.Contains(m.Email, "allow SSM parameters") {
		t.Errorf("the plan is an earlier one's: %s\n%s", m.Subject, m.Email)
	}
	if n := tell(newView(twoRoundsHealed())); len(n.Grants) != 2 {
		t.Errorf("healed by %+v", n.Grants)
	}
	waited := copyOf(twoRoundsHealed()) // a plan that was never carried out allowed nothing
	r := &waited.Case.Rounds[0]
	r.Written, r.RetryAt = time.Time{}, time.Time{}
	if n := tell(newView(waited)); len(n.Grants) != 1 || n.Grants[0].ID != "tracker-parameters" {
		t.Errorf("healed by %+v", n.Grants)
	}
}

// TestHealerDenied ensures that a notice about a permission that the healer itself lacks blames the
// healer and not the build's role, and says what to deploy, where.
func TestHealerDenied(t *testing.T) {
	unread := memberUnread()
	unreadAtHome := memberUnread()
	unreadAtHome.Case.Account, unreadAtHome.Case.Region = home.ID, home.Region
	unreadAtHome.Lacks = "codebuild:BatchGetBuilds"
	retry := trackerHealed()
	retry.Kind, retry.Lacks = decide.Failed, "codebuild:RetryBuild"
	unnamed := healerDenied()
	unnamed.Lacks = decide.UnnamedPermission
	for _, row := range []struct {
		o                   decide.Outcome
		subject, todo, next string
	}{
		{healerDenied(), "[reported] TrackerAPI: Buildmedic itself lacks iam:PutRolePolicy", "deploy the stack again",
			"that denies iam:PutRolePolicy to the function's role"},
		{logDenied(), "[reported] TrackerAPI: Buildmedic itself lacks logs:GetLogEvents", "deploy the stack again",
			"that denies logs:GetLogEvents to the function's role"},
		{unnamed, "[reported] TrackerAPI: Buildmedic itself lacks a permission", "deploy the stack again",
			"look for the policy that denies a permission"},
		{retry, "[failed] TrackerAPI: not healed: Buildmedic itself lacks codebuild:RetryBuild",
			"deploy the stack again", "that denies codebuild:RetryBuild"},
		{unread, "[reported] TrackerAPI (444455556666): Buildmedic itself lacks sts:AssumeRole",
			"deploy the member template", "in account 444455556666 (make member)"},
		{unreadAtHome, "[reported] TrackerAPI: Buildmedic itself lacks codebuild:BatchGetBuilds",
			"deploy the stack again", "the sweep finds it within 15 minutes"},
	} {
		m := Render(row.o)
		if m.Subject != row.subject {
			t.Errorf("the subject is %q, want %q", m.Subject, row.subject)
		}
		first, _, _ := strings.Cut(m.Email, "https://")
		if !strings.Contains(first, "\nTo do: "+row.todo) {
			t.Errorf("%s: the mail begins with\n%s", row.subject, first)
		}
		if !strings.Contains(m.Email, row.next) || strings.Contains(m.Email, "advice below") {
			t.Errorf("%s: the mail does not say %q, or promises advice:\n%s", row.subject, row.next, m.Email)
		}
	}
}

// TestReportWidth ensures that sentences are wrapped: only what is copied, or has no blank to wrap
// at, is wider.
func TestReportWidth(t *testing.T) {
	for _, s := range samples {
		text, _, _ := strings.Cut(Render(s.outcome).Report, "THE WHOLE POLICY")
		for _, l := range strings.Split(text, "\n") {
			if utf8.RuneCountInString(l) > width && strings.HasPrefix(l, "  ") && len(strings.Fields(l)) > 3 &&
				!strings.Contains(l, "aws lambda invoke") && !strings.HasPrefix(strings.TrimSpace(l), "+") {
				t.Errorf("%s: %q is wider than %d", s.name, l, width)
			}
		}
	}
}

func TestLinks(t *testing.T) {
	b := build("a b/c", "service-role/r", "BUILD", "X: y")
	for _, row := range []struct {
		partition, host string
	}{
		{"aws", "https://console.aws.amazon.com/"},
		{"aws-cn", "https://console.amazonaws.cn/"},
		{"aws-us-gov", "https://console.amazonaws-us-gov.com/"},
		{"aws-iso", ""},
		{"evil.example/", ""},
	} {
		b.ARN = "arn:" + row.partition + ":codebuild:us-west-2:" + account + ":build/x:y"
		b.ServiceRole = "arn:" + row.partition + ":iam::" + account + ":role/service-role/r"
		b.Logs = codebuild.Logs{Group: "/g/#?", Stream: "s/1"}
		l := links(b, "a:2")
		for _, u := range []string{l.Build, l.Retry, l.Log, l.Role} {
			if row.host == "" && u != "" || !strings.HasPrefix(u, row.host) || strings.ContainsAny(u, " <>\"") {
				t.Errorf("%s: %q", row.partition, u)
			}
		}
	}
	b.ARN = "arn:aws:codebuild:us-west-2:" + account + ":build/x:y"
	b.ServiceRole = "service-role/r"
	want := Links{
		Build: "https://console.aws.amazon.com/codesuite/codebuild/111122223333/projects/a%20b%2Fc/build/a%20b%2Fc%3A" +
			uuid1 + "/?region=us-west-2",
		Log: "https://console.aws.amazon.com/cloudwatch/home?region=us-west-2#logsV2:log-groups/log-group/" +
			"$252Fg$252F$2523$253F/log-events/s$252F1",
		Role: "https://console.aws.amazon.com/iam/home#/roles/details/r",
	}
	if diff := cmp.Diff(want, links(b, "")); diff != "" {
		t.Errorf("links (-want +got):\n%s", diff)
	}
	if l := links(codebuild.Build{}, "x"); l != (Links{}) {
		t.Errorf("links of no build: %+v", l)
	}
}

func TestWords(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0 s", 0: "0 s", 999 * time.Millisecond: "0 s", 59 * time.Second: "59 s", time.Minute: "1 min",
		252 * time.Second: "4 min 12 s", time.Hour: "1 h", 2*time.Hour + 5*time.Minute + 9*time.Second: "2 h 5 min",
		24 * time.Hour: "1 d", 3*24*time.Hour + 4*time.Hour: "3 d 4 h", 25 * time.Hour: "1 d 1 h",
		24*time.Hour + 59*time.Minute: "1 d",
	} {
		if got := duration(d); got != want {
			t.Errorf("duration(%v) = %q, want %q", d, got, want)
		}
		if got := about(d); !strings.HasPrefix(want, got) {
			t.Errorf("about(%v) = %q", d, got)
		}
	}
	for n, want := range map[int]string{0: "0", 12: "12", 999: "999", 1000: "1,000", 1234567: "1,234,567"} {
		if got := thousands(n); got != want {
			t.Errorf("thousands(%d) = %q, want %q", n, got, want)
		}
	}
	for want, items := range map[string][]string{
		"":                   nil,
		"a":                  {"a"},
		"a and b":            {"a", "b"},
		"a, b and c":         {"a", "b", "c"},
		"a, b, c and 2 more": {"a", "b", "c", "d", "e"},
	} {
		if got := list(items, 3); got != want {
			t.Errorf("list(%q) = %q, want %q", items, got, want)
		}
	}
	if got := plural(2, "policy") + plural(1, "policy") + plural(0, "round"); got != "2 policies1 policy0 rounds" {
		t.Errorf("plurals: %q", got)
	}
	if got := setWords("ecr-push") + "," + setWords("codeartifact") + "," +
		setWords("reports"); got != "ECR push,CodeArtifact,reports" {
		t.Errorf("set words: %q", got)
	}
	for _, s := range []string{"", "one", "one two three four", strings.Repeat("x", 30) + " y", "é é é é é é"} {
		for _, l := range wrap(s, 10) {
			if utf8.RuneCountInString(l) > 10 && strings.Contains(l, " ") {
				t.Errorf("wrap(%q): %q", s, l)
			}
		}
		if strings.Join(wrap(s, 10), " ") != s {
			t.Errorf("wrap(%q) lost words", s)
		}
	}
}
