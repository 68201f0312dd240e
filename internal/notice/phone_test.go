package notice

import (
	"encoding/json"
	"fmt"
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
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// The bars of a mail on a phone of 40 columns: fewer rows than tooLong, and what decides in the
// first screen.
const (
	tooLong     = 60
	firstScreen = 15
)

// rowsOfPhone counts the rows of a mail on a phone, in a way of its own: it does not trust what
// the mail was made with.
func rowsOfPhone(text string) int {
	const columns = 40
	rows := 0
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		rows++
		left := columns
		for i, word := range strings.Split(line, " ") {
			n := utf8.RuneCountInString(word)
			if i > 0 {
				n++ // the blank
			}
			if n <= left {
				left -= n
				continue
			}
			if i > 0 && left < columns {
				rows, left = rows+1, columns
			}
			for n = utf8.RuneCountInString(word); n > left; n -= columns {
				rows++
			}
			left = columns - n
		}
	}
	return rows
}

// checkPhone checks a mail against the bars; until is the end of what decides.
func checkPhone(t *testing.T, name, email, until string) {
	t.Helper()
	if n := rowsOfPhone(email); n >= tooLong {
		t.Errorf("%s: %d rows on a phone, want fewer than %d:\n%s", name, n, tooLong, strings.Join(Screen(email, 40), "\n"))
	}
	before, _, found := strings.Cut(email, until)
	if n := rowsOfPhone(before + until); !found || n > firstScreen {
		t.Errorf("%s: what decides ends in row %d (found: %t), want at most %d:\n%s", name, n, found, firstScreen,
			strings.Join(Screen(email, 40), "\n"))
	}
	for line := range strings.Lines(email) {
		if len(line) > 998 { // RFC 5322
			t.Errorf("%s: a line of %d octets: %.100s", name, len(line), line)
		}
	}
	if !strings.HasSuffix(email, "\n") || strings.Contains(email, "\n\n\n") || strings.HasPrefix(email, "\n") {
		t.Errorf("%s: empty lines where there should be none:\n%s", name, email)
	}
}

// checkNotice checks the mail of an outcome.
func checkNotice(t *testing.T, name string, o decide.Outcome) {
	t.Helper()
	n := tell(newView(o))
	until := n.screen().act.link
	if until == "" {
		until = n.screen().act.todo
	}
	checkPhone(t, name, email(n), until+"\n")
}

// TestPhone ensures that every kind of mail fits a phone: all of it, and what decides in the first
// screen, even with the longest names that AWS takes.
func TestPhone(t *testing.T) {
	var os []decide.Outcome
	for _, s := range samples {
		os = append(os, s.outcome)
		checkNotice(t, s.name, s.outcome)
		for how, change := range extremes {
			if how == "names" {
				continue
			}
			o := copyOf(s.outcome)
			change(&o)
			if strings.Contains(how, "actions") { // which decide about the form
				checkNotice(t, s.name+" with many "+how, o)
			}
			extremes["names"](&o)
			if how == "paragraphs" {
				os = append(os, o)
			}
			checkNotice(t, s.name+" with long names and many "+how, o)
		}
	}
	digest := Digest(os)
	checkPhone(t, "digest", digest.Email, roundup(os).act.link)
	checkPhone(t, "digest of one", Digest(os[:1]).Email, roundup(os[:1]).act.link)
	checkPhone(t, "digest of none", Digest(nil).Email, "To do:")
	checkPhone(t, "week", Week(sampleWeek()).Email, "Saved: about 5 h 30 min (estimate)")
	checkPhone(t, "week of nothing", Week(decide.Week{}).Email, "Nothing to do now.")
	w := sampleWeek()
	w.Costs.Causes, w.Flaky = slices.Repeat(w.Costs.Causes, 10), slices.Repeat(w.Flaky, 10)
	for i := range w.Flaky {
		w.Flaky[i].Name, w.Flaky[i].Suite = strings.Repeat("n", 300), strings.Repeat("s", 300)
	}
	checkPhone(t, "long week", Week(w).Email, "Saved: about 5 h 30 min (estimate)")
}

// copyOf copies what the extremes change.
func copyOf(o decide.Outcome) decide.Outcome {
	o.Case.Rounds = slices.Clone(o.Case.Rounds)
	for i := range o.Case.Rounds {
		r := &o.Case.Rounds[i]
		r.Requests = slices.Clone(r.Requests)
		if r.Diagnosis != nil {
			d := *r.Diagnosis
			r.Diagnosis = &d
		}
		if r.Decision != nil {
			d := *r.Decision
			if d.Plan != nil {
				p := *d.Plan
				if p.Write != nil {
					w := *p.Write
					p.Write = &w
				}
				d.Plan = &p
			}
			r.Decision = &d
		}
	}
	return o
}

// manyActions is a policy with 30 actions of several services on many resources.
func manyActions(statements int) string {
	d := iampolicy.Document{Version: "2012-10-17"}
	for i := range statements {
		s := iampolicy.Statement{Sid: fmt.Sprintf("S%d", i), Effect: "Allow"}
		for j := range 30 / statements {
			s.Action.List = append(s.Action.List, fmt.Sprintf("%s:DescribeSomethingRatherLong%02d",
				[]string{"ec2", "ecs", "elasticloadbalancing"}[i%3], j))
			s.Resource.List = append(s.Resource.List, fmt.Sprintf("arn:aws:ecs:us-west-2:%s:service/%s/%02d", account,
				strings.Repeat("c", 255), j))
		}
		s.Condition = []iampolicy.Condition{{Operator: "StringEquals", Key: "aws:RequestTag/" + strings.Repeat("k", 100),
			Values: values(true, strings.Repeat("v", 200))}}
		d.Statements = append(d.Statements, s)
	}
	return string(d.Canonical())
}

// each calls f for each round that has a decision.
func each(o *decide.Outcome, f func(r *decide.Round)) {
	for i := range o.Case.Rounds {
		if o.Case.Rounds[i].Decision != nil && o.Case.Rounds[i].Diagnosis != nil {
			f(&o.Case.Rounds[i])
		}
	}
}

// extremes make an outcome as large as AWS and settings let it be.
var extremes = map[string]func(*decide.Outcome){
	"names": func(o *decide.Outcome) {
		project, role := strings.Repeat("project-", 18)+"longer", strings.Repeat("r", 64)
		o.Case.Project, o.Case.Account = project, "444455556666"
		o.Function, o.Home.Region = strings.Repeat("f", 64), "ap-southeast-3"
		for i := range o.Case.Rounds {
			b := &o.Case.Rounds[i].Build
			b.Project, b.ID = project, project+":"+uuid1
			b.ARN = "arn:aws:codebuild:ap-southeast-3:444455556666:build/" + b.ID
			b.ServiceRole = "arn:aws:iam::444455556666:role/" + strings.Repeat("p", 500) + "/" + role
			b.SourceVersion, b.Initiator = "refs/heads/"+strings.Repeat("b", 244), strings.Repeat("i", 200)
			b.Logs.Group, b.Logs.Stream = "/aws/codebuild/"+strings.Repeat("g", 490), strings.Repeat("s/", 200)
			if o.Case.Rounds[i].Retry != "" {
				o.Case.Rounds[i].Retry = project + ":" + uuid2
			}
		}
		each(o, func(r *decide.Round) {
			r.Decision.Used = slices.Clone(r.Decision.Used)
			for i := range r.Decision.Used {
				r.Decision.Used[i].Grant, r.Decision.Used[i].Owner = strings.Repeat("g", 64), strings.Repeat("the owners ", 30)
			}
			if p := r.Decision.Plan; p != nil {
				p.Role = r.Build.ServiceRole
				if p.Repository != "" {
					p.Repository = strings.Repeat("repository/", 23)
				}
				if p.NewRole != "" {
					p.NewRole, p.OldRole = "arn:aws:iam::444455556666:role/"+strings.Repeat("n", 64), p.Role
				}
				for i := range r.Requests {
					q := &r.Requests[i]
					q.Grant, q.Repository = strings.Repeat("g", 64), strings.Repeat("o", 39)+"/"+strings.Repeat("r", 100)
					q.Path, q.Branch = strings.Repeat("path/", 50), "buildmedic/"+strings.Repeat("b", 200)
					if q.Number != "" {
						q.Number = fmt.Sprint(999990 + i)
						q.URL = "https://github.com/" + q.Repository + "/pull/" + q.Number
					}
				}
				if p.Write != nil && p.Write.Kind == guardrail.Managed {
					p.Write.Name = "arn:aws:iam::444455556666:policy/" + strings.Repeat("p", 128)
				}
			}
		})
	},
	"actions in one statement": func(o *decide.Outcome) { writes(o, manyActions(1)) },
	"actions in 6 statements":  func(o *decide.Outcome) { writes(o, manyActions(6)) },
	"actions in 30 statements": func(o *decide.Outcome) { writes(o, manyActions(30)) },
	"versions": func(o *decide.Outcome) {
		each(o, func(r *decide.Round) {
			if p := r.Decision.Plan; p != nil && p.Write != nil && p.Write.Kind != guardrail.Attach {
				p.Write.Kind, p.Write.Name = guardrail.Managed, qivrPolicy
				p.Write.Before, p.Write.After = manyActions(5), manyActions(6)
				p.Write.DropVersion, p.Write.DropCreated = "v12", failedAt
			}
		})
	},
	"requests": func(o *decide.Outcome) {
		each(o, func(r *decide.Round) {
			for i := range 30 {
				if len(r.Requests) > 0 {
					q := r.Requests[0]
					q.Grant = fmt.Sprint("grant-", i)
					r.Requests = append(slices.Clone(r.Requests), q)
				}
			}
		})
	},
	"followers": func(o *decide.Outcome) {
		o.Followers = &decide.Followers{}
		for i := range 100 {
			o.Followers.Add(decide.Follower{Case: fmt.Sprint(i), Project: strings.Repeat("f", 148) + fmt.Sprint(i),
				Build: strings.Repeat("f", 148) + fmt.Sprint(i) + ":" + uuid1, Outcome: decide.Healed})
		}
	},
	"tests": func(o *decide.Outcome) {
		each(o, func(r *decide.Round) {
			for i := range 30 {
				r.Diagnosis.Tests = append(r.Diagnosis.Tests, codebuild.TestCase{Suite: strings.Repeat("suite ", 40),
					Name: fmt.Sprint("test ", i, strings.Repeat(" of a long name", 30)), Message: strings.Repeat("why ", 200)})
			}
		})
	},
	"lines since green": func(o *decide.Outcome) {
		each(o, func(r *decide.Round) {
			r.Since = &compare.Since{Build: "p:" + uuid1, Age: time.Hour, Read: compare.ReadCommand, More: 1e6}
			for i := range 50 {
				r.Since.Lines = append(r.Since.Lines, compare.Line{N: i, Text: strings.Repeat("line ", 100), Times: 2})
				r.Since.Changes = append(r.Since.Changes, compare.Change{What: strings.Repeat("w", 300), Was: "x",
					Is: strings.Repeat("y ", 300)})
			}
		})
	},
	"grants and holders": func(o *decide.Outcome) {
		each(o, func(r *decide.Round) {
			for i := range 40 {
				r.Decision.Used = append(slices.Clone(r.Decision.Used), guardrail.Used{Grant: fmt.Sprint("grant-", i),
					Because: strings.Repeat("since ", 100), Owner: strings.Repeat("team ", 40), Expires: after(time.Hour)})
			}
			if r.Decision.Plan != nil {
				for range 50 {
					r.Decision.Plan.Holders = append(slices.Clone(r.Decision.Plan.Holders), strings.Repeat("h", 150))
				}
				r.Decision.Plan.PullRequests = decide.PullRequestsAccepted
			}
		})
	},
	"refusals and denials": func(o *decide.Outcome) {
		each(o, func(r *decide.Round) {
			for i := range 40 {
				r.Decision.Refusals = append(slices.Clone(r.Decision.Refusals), guardrail.Refusal{Rule: guardrail.NotAllowed,
					Action: fmt.Sprint("s3:Get", i), Resource: strings.Repeat("arn", 300), Message: strings.Repeat("no ", 200),
					Entry: strings.Repeat("- entry\n", 80)})
				r.Diagnosis.Denials = append(slices.Clone(r.Diagnosis.Denials), buildlog.Denial{Action: strings.Repeat("a", 300),
					Resource: strings.Repeat("r", 300), Causal: true, PolicyARN: strings.Repeat("p", 300)})
			}
		})
	},
	"paragraphs": func(o *decide.Outcome) {
		o.Note, o.Repeats = strings.Repeat("A paragraph that says something. ", 60), 123456
		each(o, func(r *decide.Round) {
			r.Diagnosis.Title, r.Diagnosis.Advice = strings.Repeat("title ", 40), strings.Repeat("Do that. ", 200)
			r.Diagnosis.Evidence.Text, r.Unread = strings.Repeat("text ", 300), strings.Repeat("Not read. ", 50)
			r.Decision.Why = strings.Repeat("Because. ", 100)
			r.Abandoned = strings.Repeat("Abandoned. ", 100)
			for i := range 20 {
				r.Diagnosis.Also = append(r.Diagnosis.Also, buildlog.Also{Command: strings.Repeat("also ", 100), Line: i})
			}
		})
	},
}

func writes(o *decide.Outcome, doc string) {
	each(o, func(r *decide.Round) {
		p := r.Decision.Plan
		if p == nil || p.Write == nil {
			return
		}
		if p.Write.Kind == guardrail.Attach {
			p.Write.Holds = map[string]string{p.Write.Attach[0]: doc}
			return
		}
		p.Write.After = doc
	})
}

// TestApprovalShowsWhatItDecides ensures that the approver sees, before the page to open: project,
// role, what is given on what or how much of it, the grant and its owner.
func TestApprovalShowsWhatItDecides(t *testing.T) {
	proposed := func(doc string, change func(*decide.Outcome)) decide.Outcome {
		o := copyOf(trackerProposed())
		if doc != "" {
			writes(&o, doc)
		}
		change(&o)
		return o
	}
	attach := copyOf(trackerProposed())
	attach.Case.Rounds[0].Decision.Plan.Write = &guardrail.Target{Kind: guardrail.Attach,
		Attach: []string{"arn:aws:iam::" + account + ":policy/buildmedic/tracker-image"},
		Holds:  map[string]string{"arn:aws:iam::" + account + ":policy/buildmedic/tracker-image": trackerPolicy()}}
	for _, row := range []struct {
		why  string
		o    decide.Outcome
		want []string
	}{
		{"a set", trackerProposed(), []string{"TrackerAPI", "Role: " + trackerRole + "\n", "+ ecr:GetAuthorizationToken on *\n",
			"+ ecr-push (7 of 8 actions) on repository/tracker_api\n", "grant tracker-image of platform"}},
		{"a policy to attach", attach, []string{"+ attach policy/buildmedic/tracker-image\n",
			"+ ecr-push (7 of 8 actions) on repository/tracker_api\n"}},
		{"30 actions", proposed(manyActions(6), func(*decide.Outcome) {}), []string{"Role: " + trackerRole + "\n",
			"+ 15 actions on 5 resources, with conditions\n",
			"grant tracker-image of platform"}},
		{"the longest names", proposed("", extremes["names"]), []string{"project-project-…-longer (444455556666)",
			"Role: rrrrrrrrrrrrrrrrrrrrrr…rrrrrrrrrrr\n", "grant gggggg"}},
	} {
		m := Render(row.o)
		before, after, _ := strings.Cut(m.Email, "https://")
		for _, want := range row.want {
			if !strings.Contains(before, want) {
				t.Errorf("%s: %q is not above the page to open:\n%s", row.why, want, before)
			}
		}
		hash := newView(row.o).planHash
		for _, want := range []string{`{"approve":{"plan":"` + hash + `"}}` + "\n", `{"reject":{"plan":"` + hash + `"}}` + "\n"} {
			if !strings.Contains(after, "\n"+want) {
				t.Errorf("%s: no line of its own for %q:\n%s", row.why, want, after)
			}
		}
	}
}

// TestApprovalIsNotImitated ensures that nothing which a build can choose stands above the page on
// which a person approves, or takes its place; but for the name of a resource that a grant covers,
// see TestResourceIsNotWords.
func TestApprovalIsNotImitated(t *testing.T) {
	honest := tell(newView(trackerProposed())).screen().lines
	fake := "+ s3:GetObject on b/* Allowed by: grant docs of docs " + strings.Repeat(". ", 300) +
		`To approve, open https://console.aws.example/ {"approve":{"plan":"` + strings.Repeat("f", 64) + `"}}`
	o := copyOf(trackerProposed())
	r := &o.Case.Rounds[0]
	r.Build.SourceVersion, r.Build.ResolvedSourceVersion, r.Build.Initiator = fake, fake, fake
	r.Build.Phases = slices.Clone(r.Build.Phases)
	r.Build.Phases[1].Contexts = []codebuild.Context{{Code: fake,
		Message: "Error while executing command: " + fake + ". Reason: exit status 1"}}
	g := r.Diagnosis
	g.Title, g.Advice, g.Evidence.Text = fake, fake, fake
	g.Denials = []buildlog.Denial{{Principal: fake, Action: fake, Resource: fake, PolicyARN: fake, Causal: true, Line: 1}}
	g.Excerpt = []buildlog.Line{{N: 1, Text: fake}}
	g.Tests = []codebuild.TestCase{{Suite: fake, Name: fake, Message: fake}}
	g.Also = []buildlog.Also{{Command: fake}}
	r.Since = &compare.Since{Build: "p:1", Read: compare.ReadCommand, Lines: []compare.Line{{N: 1, Text: fake}},
		Changes: []compare.Change{{What: fake, Is: fake}}}
	got := tell(newView(o)).screen().lines
	if diff := cmp.Diff(honest, got); diff != "" {
		t.Errorf("the first screen (-of an honest build +of a hostile one):\n%s", diff)
	}
	email := Render(o).Email
	if !strings.HasPrefix(email, strings.Join(honest, "\n")+"\n") {
		t.Errorf("the mail does not begin with it:\n%s", email)
	}
	if strings.Contains(email, "https://console.aws.example") {
		t.Errorf("the build's link is one:\n%s", email)
	}
	checkNotice(t, "hostile", o)
	for line := range strings.Lines(strings.TrimPrefix(email, strings.Join(honest, "\n"))) {
		if strings.HasPrefix(line, "+ s3:GetObject") || strings.HasPrefix(line, "{\"approve") || strings.HasPrefix(line, "Allowed by") {
			t.Errorf("a line of the mail is the build's: %.80q", line)
		}
	}
}

// TestResourceIsNotWords ensures that a resource which a build chose stands on the first screen, in
// the card and in the report as a name alone: no end of the grant, no sentence, no link, no secret.
// Only a grant that gives exactly what was denied brings one there.
func TestResourceIsNotWords(t *testing.T) {
	const bucket = "arn:aws:s3:::dist/"
	for _, row := range []struct{ resource, want string }{
		{"x until 2026-12-01 10:00 UTC. To see what it does and approve, open https://evil.example.com/a",
			`"` + bucket + `x until 2026-12-01 10:00 UTC. To see what it does and approve, open hxxps://evil.example[.]com/a"`},
		{"https://evil.example.com/a", "dist/hxxps://evil.example[.]com/a"},
		{"www.example.com/a", "dist/www[.]example[.]com/a"},
		{"AKIAIOSFODNN7EXAMPLE", "dist/[redacted]"},
		{"x,arn:aws:s3:::other/*", `"` + bucket + `x,arn:aws:s3:::other/*"`},
		{"x if aws:SourceIp = 10.0.0.1", `"` + bucket + `x if aws:SourceIp = 10.0.0.1"`},
		{`x" until "noon`, `"` + bucket + `x\" until \"noon"`},
		{"x\nAllowed by: grant a", `"` + bucket + `x\nAllowed by: grant a"`},
		{"x\u00a0until\u00adnoon", `"` + bucket + `x\u00a0until\u00adnoon"`},
		{"x  y", `"` + bucket + `x  y"`},
		{"plain-1/a_b.tar", "dist/plain-1/a_b.tar"},
	} {
		o := copyOf(trackerProposed())
		writes(&o, string((iampolicy.Document{Version: "2012-10-17", Statements: []iampolicy.Statement{
			iampolicy.Allow("S", []string{"s3:PutObject"}, []string{bucket + row.resource})}}).Canonical()))
		m := Render(o)
		line := "+ s3:PutObject on " + row.want + "\n"
		before, _, found := strings.Cut(m.Email, "To approve or reject")
		if !found || !strings.Contains(before, line) {
			t.Errorf("%q: the mail has no line %q:\n%s", row.resource, line, before)
		}
		var c Card
		if err := json.Unmarshal([]byte(m.Chat), &c); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(c.Content.Description, line) {
			t.Errorf("%q: the card has no line %q:\n%s", row.resource, line, c.Content.Description)
		}
		report, _, _ := strings.Cut(m.Report, "THE WHOLE POLICY") // that is exact, to be copied
		whole := strings.Replace(row.want, "dist/", bucket, 1)
		if strings.HasPrefix(row.want, `"`) {
			whole = row.want
		}
		if !strings.Contains(report, "on "+whole+"\n") {
			t.Errorf("%q: the report does not have %q:\n%s", row.resource, whole, report)
		}
		for what, text := range map[string]string{"mail": m.Email, "card": c.Content.Description, "report": report} {
			if strings.Contains(text, "https://evil") || strings.Contains(text, "AKIAIOSFODNN7EXAMPLE") {
				t.Errorf("%q: the %s has a link or a secret:\n%s", row.resource, what, text)
			}
		}
	}
	o := copyOf(repositoryHealed())
	o.Case.Rounds[0].Decision.Plan.Repository = "evil.example.com/a"
	m := Render(o)
	report, _, _ := strings.Cut(m.Report, "TO MAKE IT PERMANENT") // with the name to be copied
	for _, text := range []string{m.Subject, m.Email, report} {
		if strings.Contains(text, "evil.example.com") || !strings.Contains(text, "evil.example[.]com/a") {
			t.Errorf("a repository's name is a link:\n%s", text)
		}
	}
}

// TestApprovalSaysHowCertain ensures that the approver sees right below the difference how well the
// denial is proved, and what is given on what, however long the name is that a build chose.
func TestApprovalSaysHowCertain(t *testing.T) {
	key := copyOf(trackerProposed())
	writes(&key, string((iampolicy.Document{Version: "2012-10-17", Statements: []iampolicy.Statement{
		iampolicy.Allow("S", []string{"s3:PutObject"}, []string{"arn:aws:s3:::dist/" + strings.Repeat("k/", 400)})}}).Canonical()))
	long := copyOf(key)
	extremes["names"](&long)
	from := func(o buildlog.Origin, e settings.Evidence) decide.Outcome {
		out := copyOf(trackerProposed())
		d := out.Case.Rounds[0].Diagnosis
		d.Denials = slices.Clone(d.Denials)
		d.Denials[0].Origin = o
		out.Case.Rounds[0].Decision.Used = []guardrail.Used{{Grant: "g", Evidence: e}}
		return out
	}
	const alone = "Proof: the log alone; code can fake it.\n"
	for why, row := range map[string]struct {
		o    decide.Outcome
		want string
	}{
		"a set":              {trackerProposed(), "on repository/tracker_api\n" + alone},
		"a long key":         {key, "\n+ s3:PutObject on dist/k/k/k"},
		"below a long key":   {key, "(shortened)\n" + alone},
		"in the short form":  {long, "\n+ s3:PutObject on dist/k/k/k"},
		"below it":           {long, "(shortened)\n" + alone},
		"the phase":          {from(buildlog.FromPhase, settings.EvidenceLog), "\nProof: CodeBuild's own phase context.\n"},
		"a decoded message":  {from(buildlog.FromDecoded, settings.EvidenceLog), "\nProof: AWS's encoded message.\n"},
		"CloudTrail as well": {from(buildlog.FromLog, settings.EvidenceCloudTrail), "\nProof: CloudTrail shows the denial.\n"},
	} {
		before, _, _ := strings.Cut(Render(row.o).Email, "To approve or reject")
		if !strings.Contains(before, row.want) {
			t.Errorf("%s: no %q above what to do:\n%s", why, row.want, before)
		}
		checkNotice(t, why, row.o)
	}
	parts, _ := opening(tell(newView(trackerProposed())))
	if text := strings.Join(parts, "\n"); !strings.Contains(text, "tracker_api\n```\n"+strings.TrimSpace(alone)) {
		t.Errorf("the card does not say it below the difference:\n%s", text)
	}
	if n := tell(newView(trackerHealed())); n.certainty != "" {
		t.Errorf("it is healed: %s", n.certainty)
	}
}

// TestBrief ensures that a change in few words says nothing less dangerous than it is.
func TestBrief(t *testing.T) {
	home := codebuild.ARN{Partition: "aws", Service: "codebuild", Region: "eu-west-1", Account: account}
	doc := func(statements ...string) string {
		return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
	}
	allow := func(actions, resources, more string) string {
		return `{"Effect":"Allow","Action":[` + actions + `],"Resource":[` + resources + `]` + more + `}`
	}
	const three, star, eu = `"s3:GetObject","s3:PutObject","s3:ListBucket"`, `"*"`, ":eu-west-1:"
	put := func(arn string) string { return doc(allow(`"ecr:PutImage"`, `"`+arn+`"`, "")) }
	for _, row := range []struct {
		why, before, after string
		d                  detail
		want               []string
		exact              bool
	}{
		{"a bucket is of no account", "", doc(allow(`"s3:GetObject"`, `"arn:aws:s3:::b/*"`, "")), exactly,
			[]string{"+ s3:GetObject on b/*"}, true},
		{"the own account's ARN", "", put("arn:aws:ecr" + eu + account + ":repository/x"), exactly,
			[]string{"+ ecr:PutImage on repository/x"}, true},
		{"another account's stays whole", "", put("arn:aws:ecr" + eu + "444455556666:repository/x"), exactly,
			[]string{"+ ecr:PutImage on arn:aws:ecr:eu-west-1:444455556666:repository/x"}, true},
		{"another region's, too", "", put("arn:aws:ecr:*:" + account + ":repository/x"), exactly,
			[]string{"+ ecr:PutImage on arn:aws:ecr:*:111122223333:repository/x"}, true},
		{"and another service's", "", put("arn:aws:codecommit" + eu + account + ":repository/x"), exactly,
			[]string{"+ ecr:PutImage on arn:aws:codecommit:eu-west-1:111122223333:repository/x"}, true},
		{"and one that is only a star", "", doc(allow(`"s3:GetObject"`, `"arn:aws:s3:::*"`, "")), exactly,
			[]string{"+ s3:GetObject on arn:aws:s3:::*"}, true},
		{"two actions are named", "", doc(allow(`"s3:GetObject","s3:PutObject"`, star, "")), counted,
			[]string{"+ s3:GetObject, s3:PutObject on *"}, true},
		{"three are counted, and conditions", "",
			doc(allow(three, `"a","b","*"`, `,"Condition":{"Bool":{"x":"true"}}`)), counted,
			[]string{"+ under 1 condition: 3 actions of s3 on 3 resources, one of them *"}, false},
		{"an action with a star is named", "", doc(allow(three+`,"iam:*"`, `"a","b*","c"`, "")), counted,
			[]string{"+ 3 actions of s3 and the pattern iam:* on 3 resources, 1 with wildcards"}, false},
		{"all but", "", doc(`{"Effect":"Allow","NotAction":["iam:PassRole"],"NotResource":["x"]}`), counted,
			[]string{"+ all but iam:PassRole on all but x"}, true},
		{"a denial", "", doc(`{"Effect":"Deny","Action":"s3:*","Resource":"*"}`), exactly, []string{"+ Deny s3:* on *"}, true},
		{"an end", "",
			doc(allow(`"s3:GetObject"`, star, `,"Condition":{"DateLessThan":{"aws:CurrentTime":"2026-12-06T12:03:54Z"}}`)),
			counted, []string{"+ until 2026-12-06 12:03 UTC: s3:GetObject on *"}, true},
		{"a condition", "", doc(allow(`"s3:GetObject"`, star, `,"Condition":{"Bool":{"x":"true"}}`)), exactly,
			[]string{"+ if Bool x = true: s3:GetObject on *"}, true},
		{"a name that reads like words", "", doc(allow(`"s3:GetObject"`, `"arn:aws:s3:::b/x until noon"`, "")), exactly,
			[]string{`+ s3:GetObject on "arn:aws:s3:::b/x until noon"`}, true},
		{"a removal", doc(allow(`"s3:GetObject"`, star, "")), "", exactly, []string{"- s3:GetObject on *"}, true},
		{"all the patterns are named, the widest first", "",
			doc(allow(`"s3:Get*","s3:P*","ec2:*","sns:Sub*","*"`, `"a"`, ""), allow(`"a:b"`, `"a"`, "")), summedUp,
			[]string{"+ 1 action and the patterns *, ec2:*, s3:P*, s3:Get* and sns:Sub* on a"}, false},
		{"one statement of two has a condition", "",
			doc(allow(three, star, ""), allow(`"s3:A"`, `"a"`, `,"Condition":{"Bool":{"x":"true"}}`)), summedUp,
			[]string{"+ 4 actions on 2 resources, one of them *, some with conditions"}, false},
		{"each has one", "", doc(allow(three, star, `,"Condition":{"Bool":{"x":"true"}}`)), summedUp,
			[]string{"+ 3 actions on *, with conditions"}, false},
		{"one action on one thing is named even in one line", "",
			doc(allow(`"s3:PutObject"`, `"arn:aws:s3:::dist/`+strings.Repeat("k", 300)+`"`, "")), summedUp,
			[]string{"+ s3:PutObject on dist/" + strings.Repeat("k", 21) + "…" + strings.Repeat("k", 13) + " (shortened)"}, false},
		{"a long name is shortened, and says so", "",
			doc(allow(`"s3:PutObject"`, `"arn:aws:s3:::dist/`+strings.Repeat("k", 100)+`*`+strings.Repeat("k", 100)+`"`, "")), counted,
			[]string{"+ s3:PutObject on dist/" + strings.Repeat("k", 48) + "…" + strings.Repeat("k", 26) +
				" (shortened, with wildcards)"}, false},
		{"and whole where there is room", "", doc(allow(`"s3:PutObject"`, `"arn:aws:s3:::dist/`+strings.Repeat("k", 300)+`"`, "")),
			exactly, []string{"+ s3:PutObject on dist/" + strings.Repeat("k", 300)}, true},
		{"in one line", doc(`{"Effect":"Deny","Action":"s3:*","Resource":"*"}`),
			doc(allow(three, `"a","*"`, ""), allow(`"iam:*"`, `"b"`, "")), summedUp,
			[]string{"- s3:* on *, not just Allow; + 3 actions and the pattern iam:* on 3 resources, " +
				"one of them *"}, false},
	} {
		c := Change{What: InlinePolicy, home: home}
		c.compare(row.before, row.after)
		got, exact := c.brief(row.d)
		if diff := cmp.Diff(row.want, got); diff != "" || exact != row.exact {
			t.Errorf("%s: exact %t (-want +got):\n%s", row.why, exact, diff)
		}
	}
}

// TestMailKeepsWhatNothingElseHas ensures that a mail never leaves out the remark and the other
// builds, which neither status nor show have, however much else there is; those that failed again
// come first.
func TestMailKeepsWhatNothingElseHas(t *testing.T) {
	for how, change := range extremes {
		o := copyOf(crowdHealed())
		o.Note = "A remark that nothing else has."
		if how != "followers" {
			change(&o)
		}
		if how != "paragraphs" && how != "followers" {
			extremes["names"](&o)
		}
		email := Render(o).Email
		checkNotice(t, "crowd with many "+how, o)
		for _, want := range []string{"\n" + o.Note[:12], "\nThe other builds:\n" +
			"TrackerAPI:1b7e6a52-3c4d-4e5f-8a9b-0c1d2e3f4a04: failed again\n" +
			"TrackerWeb:1b7e6a52-3c4d-4e5f-8a9b-0c1d2e3f4a05: not ended yet\n"} {
			if !strings.Contains(email, want) {
				t.Errorf("many %s: no %q in\n%s", how, want, email)
			}
		}
		if strings.Contains(email, "All of it") || !strings.Contains(email, "The whole case: {") {
			t.Errorf("many %s: where the rest is:\n%s", how, email)
		}
	}
}

// TestCommandsLink ensures that the page is the one of the function's own partition and region.
func TestCommandsLink(t *testing.T) {
	for _, row := range []struct{ function, region, want string }{
		{"buildmedic", "eu-west-1", "https://console.aws.amazon.com/lambda/home?region=eu-west-1#/functions/buildmedic?tab=testing"},
		{"buildmedic", "cn-north-1", "https://console.amazonaws.cn/lambda/home?region=cn-north-1#/functions/buildmedic?tab=testing"},
		{"buildmedic", "us-gov-west-1",
			"https://console.amazonaws-us-gov.com/lambda/home?region=us-gov-west-1#/functions/buildmedic?tab=testing"},
		{"a b/c?d", "eu-west-1", "https://console.aws.amazon.com/lambda/home?region=eu-west-1#/functions/a%20b%2Fc%3Fd?tab=testing"},
		{"buildmedic", "us-iso-east-1", ""},
		{"buildmedic", "us-isob-east-1", ""},
		{"buildmedic", "eu-west-1.example/x", ""},
		{"buildmedic", "", ""},
		{"", "eu-west-1", ""},
	} {
		if got := commandsLink(row.function, row.region); got != row.want {
			t.Errorf("%s in %s: %q, want %q", row.function, row.region, got, row.want)
		}
	}
	o := trackerProposed()
	o.Home.Region = "us-iso-east-1"
	if m := Render(o); !strings.Contains(m.Email, "To approve or reject, send the function a line below:\n{\"approve\":") {
		t.Errorf("without a page it does not say where to send the lines:\n%s", m.Email)
	}
}

// TestScreen ensures that a text is wrapped as a phone does it, and that nothing of it is lost.
func TestScreen(t *testing.T) {
	for in, want := range map[string][]string{
		"":                       nil,
		"\n":                     {""},
		"one two three":          {"one two", "three"},
		"12345678 0":             {"12345678", "0"},
		"1234567 0":              {"1234567", "0"},
		"123456 0":               {"123456 0"},
		"x 1234567890":           {"x", "12345678", "90"},
		"1234567890 x\n\nab":     {"12345678", "90 x", "", "ab"},
		"  indented text":        {" ", "indented", "text"},
		"日本語です x":                {"日本語で", "す x"},
		strings.Repeat("é", 9):   {"éééééééé", "é"},
		"-- \nBuild":             {"-- ", "Build"},
		"12345678901234567890 y": {"12345678", "90123456", "7890 y"},
	} {
		if diff := cmp.Diff(want, Screen(in, 8)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", in, diff)
		}
	}
}

// TestLongLines ensures that no line is longer than mail programs take.
func TestLongLines(t *testing.T) {
	for _, s := range []string{strings.Repeat("word ", 500), strings.Repeat("é", 2000), "short"} {
		got := breakLine(s)
		for _, l := range got {
			if len(l) > maxOctets || !utf8.ValidString(l) {
				t.Errorf("%d octets: %.80q", len(l), l)
			}
		}
		if joined := strings.Join(got, ""); strings.ReplaceAll(joined, " ", "") != strings.ReplaceAll(s, " ", "") {
			t.Errorf("%.20q is not whole any more", s)
		}
	}
}
