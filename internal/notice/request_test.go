package notice

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/settings"
)

const policyPath = "aws/iam-policy-codebuild.json"

// request is one at GitHub.
func request(state decide.RequestState, grant, number string) decide.Request {
	q := decide.Request{Grant: grant, Repository: "example/shop", Path: policyPath, Branch: "buildmedic/TrackerAPI-3f1c9a7be01d",
		Number: number, State: state, Seen: after(7 * time.Second)}
	if number != "" {
		q.URL = "https://github.com/example/shop/pull/" + number
	}
	return q
}

// inCodeCommit is the request in CodeCommit.
func inCodeCommit(q decide.Request) decide.Request {
	q.Repository = "shop"
	q.URL = "https://console.aws.amazon.com/codesuite/codecommit/repositories/shop/pull-requests/" + q.Number + "/details?region=us-west-2"
	return q
}

// codeRound is a round whose role's policy is owned by a file of a repository.
func codeRound(qs ...decide.Request) decide.Round {
	r := trackerRound(settings.Heal)
	r.Decision.Plan.Write = &guardrail.Target{Kind: guardrail.Code, Name: policyPath + " in github.com/example/shop",
		After: trackerPolicy()}
	r.Requests = qs
	return r
}

func codeRequested(qs ...decide.Request) decide.Outcome {
	if len(qs) == 0 {
		qs = []decide.Request{request(decide.RequestOpened, "tracker-image", "12")}
	}
	return outcome(decide.Requested, after(8*time.Second), trackerSettings(), codeRound(qs...))
}

func codeTwoRequested() decide.Outcome {
	o := codeRequested(request(decide.RequestOpened, "tracker-image", "12"), request(decide.RequestUpdated, "web-assets", "9"))
	d := o.Case.Rounds[0].Decision
	d.Used = append(d.Used, guardrail.Used{Grant: "web-assets", Because: "The site's files are put there by its build.", Owner: "web",
		Evidence: settings.EvidenceLog})
	doc, err := iampolicy.Parse([]byte(trackerPolicy()))
	if err != nil {
		panic(err)
	}
	doc.Statements = append(doc.Statements, iampolicy.Allow("WebAssets", []string{"s3:PutObject"}, []string{"arn:aws:s3:::example-site/*"}))
	d.Plan.Write.After = string(doc.Canonical())
	return o
}

func codeDeclined() decide.Outcome {
	r := codeRound(request(decide.RequestDeclined, "tracker-image", "12"))
	r.Decision.Plan, r.Decision.Used = nil, nil
	r.Decision.Why = "What was denied was asked for before, and declined."
	r.Decision.Refusals = []guardrail.Refusal{{Rule: guardrail.Declined, Action: "ecr:GetAuthorizationToken", Resource: "*",
		Message: "Grant tracker-image was asked for in example/shop#12, and that was closed unmerged. It is asked for again once the " +
			"grant, or where its file is, changes."}}
	return outcome(decide.Reported, after(8*time.Second), trackerSettings(), r)
}

// codeStarted is the round once IAM allows what its requests ask for, and its build was started again.
func codeStarted(qs ...decide.Request) decide.Round {
	r := codeRound(qs...)
	r.Decision = &decide.Decision{Mode: settings.Heal, Remedy: diagnose.Retry, Settings: strings.Repeat("8c1d0a2b", 8),
		Why: "IAM allows by now what was denied.", Plan: &decide.Plan{Case: caseID, Build: "TrackerAPI:" + uuid1, Project: "TrackerAPI",
			Role: r.Decision.Plan.Role, Remedy: diagnose.Retry, Route: decide.RouteBuild}}
	r.RetryAt, r.Retry = after(3*time.Hour), "TrackerAPI:"+uuid2
	return r
}

func codeRetrying() decide.Outcome {
	return outcome(decide.Retrying, after(3*time.Hour+time.Second), trackerSettings(),
		codeStarted(request(decide.RequestOpened, "tracker-image", "12")))
}

func codeHealed() decide.Outcome {
	q := request(decide.RequestLanded, "tracker-image", "12")
	q.Seen = after(3*time.Hour - time.Minute)
	return outcome(decide.Healed, after(3*time.Hour+4*time.Minute), trackerSettings(), ended(codeStarted(q), 4*time.Minute))
}

// TestRequestIsToldAsItStands ensures that a notice says of each state what it means, what to do, and
// what follows.
func TestRequestIsToldAsItStands(t *testing.T) {
	const branch = "buildmedic/TrackerAPI-3f1c9a7be01d"
	byHand := codeRequested()
	byHand.Case.Rounds[0].Decision.Plan.Route = decide.RouteNone
	for _, row := range []struct {
		why                        string
		o                          decide.Outcome
		subject, lead, todo, words string
		next                       string
	}{
		{"opened", codeRequested(), "grant tracker-image asked for in example/shop#12",
			"its repair was asked for: grant tracker-image in example/shop#12.", "To do: review, merge and deploy it.",
			"Grant tracker-image was asked for in example/shop#12, in file " + policyPath + ".",
			"Once it is merged and deployed, the build is started again by itself. " +
				"Closed unmerged, it is not asked for again until the grant changes."},
		{"the settings have nothing started again", byHand, "grant tracker-image asked for in example/shop#12",
			"its repair was asked for: grant tracker-image in example/shop#12.", "To do: review, merge and deploy it.",
			"Grant tracker-image was asked for in example/shop#12, in file " + policyPath + ".",
			"Once it is merged and deployed, start the build again: the settings leave that to you. Closed unmerged, it is"},
		{"updated", codeRequested(request(decide.RequestUpdated, "tracker-image", "12")),
			"grant tracker-image asked for in example/shop#12",
			"its repair was asked for: grant tracker-image in example/shop#12.", "To do: review, merge and deploy it.",
			"example/shop#12, which was open, asks for this, too: grant tracker-image, in file " + policyPath + ".",
			"Once it is merged and deployed, the build is started again by itself."},
		{"waiting", codeRequested(request(decide.RequestWaiting, "tracker-image", "12")),
			"grant tracker-image asked for already in example/shop#12",
			"its repair is asked for already: grant tracker-image in example/shop#12.", "To do: review, merge and deploy it.",
			"Grant tracker-image is asked for already in example/shop#12, which is open, in file " + policyPath + ".",
			"Once it is merged and deployed, the build is started again by itself."},
		{"landed, by a request", codeRequested(request(decide.RequestLanded, "tracker-image", "12")),
			"grant tracker-image not deployed yet", "its repair is not deployed: grant tracker-image.",
			"To do: deploy it, if that does not happen by itself.",
			"File " + policyPath + " has what grant tracker-image gives already, as example/shop#12 asked. What is missing is that it is " +
				"deployed.", "Once it is deployed, the build is started again by itself."},
		{"landed, by somebody", codeRequested(request(decide.RequestLanded, "tracker-image", "")),
			"grant tracker-image not deployed yet", "its repair is not deployed: grant tracker-image.",
			"To do: deploy it, if that does not happen by itself.",
			"File " + policyPath + " of example/shop has what grant tracker-image gives already. What is missing is that it is deployed.",
			"Once it is deployed, the build is started again by itself."},
		{"edited", codeRequested(request(decide.RequestEdited, "tracker-image", "12")),
			"somebody changed example/shop#12, so it is left alone", "its request was changed: example/shop#12.",
			"To do: look at the change; merge or close it.",
			"Somebody has changed example/shop#12, which asks for grant tracker-image in file " + policyPath + ". So its branch is " +
				"theirs, and was left alone.",
			"Once it is merged and deployed, the build is started again by itself. Closed unmerged, it is not"},
		{"a branch without a request, edited", codeRequested(request(decide.RequestEdited, "tracker-image", "")),
			"somebody changed branch " + branch + ", so it is left alone", "its request was changed: branch " + branch + ".",
			"To do: look at the change; merge or close it.",
			"Somebody has changed branch " + branch + ", which asks for grant tracker-image in file " + policyPath + " of example/shop.",
			"Once it is merged and deployed, the build is started again by itself."},
		{"behind", codeRequested(inCodeCommit(request(decide.RequestBehind, "tracker-image", "7"))),
			"pull request 7 of shop is out of date: merge or close it", "its request is out of date: pull request 7 of shop.",
			"To do: merge it, or close it.",
			"File " + policyPath + " has changed since pull request 7 of shop asked for grant tracker-image there.",
			"Once it is merged and deployed, the build is started again by itself."},
		{"two", codeTwoRequested(), "2 grants asked for in example/shop#12 and example/shop#9", "its repair was asked for",
			"To do: review, merge and deploy them.", "example/shop#9, which was open, asks for this, too: grant web-assets, in file",
			"Once all of it is merged and deployed, the build is started again by itself. What is closed unmerged is not asked for again " +
				"until its grant changes."},
		{"one that somebody changed comes first", codeRequested(request(decide.RequestOpened, "tracker-image", "12"),
			request(decide.RequestEdited, "web-assets", "9")), "somebody changed example/shop#9, so it is left alone",
			"its request was changed: example/shop#9.", "To do: look at the change; merge or close it.",
			"Grant tracker-image was asked for in example/shop#12", "Once all of it is merged and deployed, the build"},
		{"one is merged", codeRequested(request(decide.RequestLanded, "tracker-image", "12"),
			request(decide.RequestOpened, "web-assets", "9")), "grant web-assets asked for in example/shop#9",
			"its repair was asked for: grant web-assets in example/shop#9.", "To do: review, merge and deploy it.",
			"has what grant tracker-image gives already, as example/shop#12 asked.", "Once all of it is merged and deployed, the build"},
	} {
		m, n := Render(row.o), tell(newView(row.o))
		if want := subject(decide.Requested, "TrackerAPI: "+row.subject); m.Subject != want {
			t.Errorf("%s: the subject is %q, want %q", row.why, m.Subject, want)
		}
		long, _ := wording{newView(row.o), n}.lead()
		todo, _ := wording{newView(row.o), n}.todo()
		if !strings.Contains(long, row.lead) || todo != row.todo {
			t.Errorf("%s: lead %q, to do %q", row.why, long, todo)
		}
		if !strings.HasPrefix(strings.Join(n.Next, " "), row.next) {
			t.Errorf("%s: next %q", row.why, n.Next)
		}
		var c Card
		if err := json.Unmarshal([]byte(m.Chat), &c); err != nil {
			t.Fatal(err)
		}
		steps := strings.Join(c.Content.NextSteps, "\n")
		report := strings.Join(strings.Fields(m.Report), " ")
		for _, q := range row.o.Case.Rounds[0].Requests {
			for what, text := range map[string]string{"mail": m.Email, "card": steps, "report": m.Report, "JSON": m.JSON} {
				if q.URL != "" && !strings.Contains(text, q.URL) {
					t.Errorf("%s: the page %s is not in the %s:\n%s", row.why, q.URL, what, text)
				}
			}
		}
		plain := strings.ReplaceAll(c.Content.Description, "`", "")
		for what, text := range map[string]string{"mail": m.Email, "card": plain, "report": report, "JSON": m.JSON} {
			if !strings.Contains(text, row.words) {
				t.Errorf("%s: %q is not in the %s:\n%s", row.why, row.words, what, text)
			}
		}
		checkNotice(t, row.why, row.o)
		checkCard(t, row.why, m.Chat)
	}
}

// TestRequestNoteIsNotRepeated ensures that where a note says how it stands, the notice says only what
// was asked for where; and that a note of who approved it is none.
func TestRequestNoteIsNotRepeated(t *testing.T) {
	o := codeRequested(request(decide.RequestEdited, "tracker-image", "12"))
	o.Note = "Somebody has changed the branch of example/shop#12, so it is left alone: merge it, or close it."
	n := tell(newView(o))
	want := "Grant tracker-image was asked for in example/shop#12, in file " + policyPath + "."
	if got := n.requestWords(); n.Note != o.Note || len(got) != 1 || got[0] != want {
		t.Errorf("%q, note %q", got, n.Note)
	}
	approved := codeRequested(request(decide.RequestEdited, "tracker-image", "12"))
	r := &approved.Case.Rounds[0]
	r.Approved = r.Decision.Plan.Hash()
	approved.Case.Orders = []decide.Order{{Verb: decide.Approve, Plan: r.Approved, Sender: decide.Sender{By: "ana"}}}
	n = tell(newView(approved))
	if got := n.requestWords()[0]; n.Note != "Approved by ana, as the command says." || !strings.HasPrefix(got, "Somebody has changed") {
		t.Errorf("approved: %q, note %q", got, n.Note)
	}
	unmade := request("", "tracker-image", "")
	if n := tell(newView(codeRequested(unmade))); len(n.Requests) != 0 {
		t.Errorf("a request that was not made is told: %+v", n.Requests)
	}
}

// TestRequestOfAChangeThatStands ensures that where a request asks for good for what was written in IAM,
// nobody reads that nothing was written, nor that a build waits for it; and that it can be undone.
func TestRequestOfAChangeThatStands(t *testing.T) {
	const until = "Once it is merged and deployed, the change is taken out of IAM again by itself."
	for _, row := range []struct {
		q                         decide.Request
		subject, lead, todo, next string
	}{
		{request(decide.RequestEdited, "tracker-image", "12"), "somebody changed example/shop#12, so it is left alone",
			"TrackerAPI is healed; its request was changed: example/shop#12.", "To do: look at the change; merge or close it.", until},
		{request(decide.RequestDeclined, "tracker-image", "12"), "example/shop#12 was closed unmerged, the change stays",
			"TrackerAPI is healed; its request was closed unmerged: example/shop#12.", "To do: keep the change, or undo it.",
			"Nothing more until a person acts."},
		{request(decide.RequestLanded, "tracker-image", "12"), "the code gives it, but the change in IAM was not taken out",
			"TrackerAPI is healed; its change was not taken out: grant tracker-image.", "To do: take it out of IAM; see below.",
			"Nothing more until a person acts."},
		{request(decide.RequestOpened, "tracker-image", "12"), "grant tracker-image asked for in example/shop#12",
			"TrackerAPI is healed; that is not permanent yet: example/shop#12.", "To do: review, merge and deploy it.", until},
	} {
		o := trackerHealed()
		o.Kind, o.At, o.Note = decide.Requested, o.At.Add(time.Hour), "A note that says more."
		r := &o.Case.Rounds[0]
		r.Requests = []decide.Request{row.q}
		r.Decision.Plan.Requests = r.Requests
		m, n := Render(o), tell(newView(o))
		if m.Subject != "[requested] TrackerAPI: "+row.subject || n.Lead != row.lead || n.Todo != row.todo || n.Next[0] != row.next {
			t.Errorf("%s: %q, %q, %q, %q", row.q.State, m.Subject, n.Lead, n.Todo, n.Next)
		}
		for _, text := range []string{m.Email, m.Report, m.Chat, m.Default} {
			if strings.Contains(text, "Nothing is written") || strings.Contains(text, "started again by itself") ||
				!strings.Contains(text, "tracker-image") && text != m.Default {
				t.Errorf("%s: it says\n%s", row.q.State, text)
			}
		}
		if c := contextOf(t, o); c["action"] != "buildmedic-change" || !strings.Contains(m.Email, `{"undo":{"case":`) {
			t.Errorf("%s: it cannot be undone: %v\n%s", row.q.State, c, m.Email)
		}
		checkNotice(t, string(row.q.State), o)
	}
}

// TestRequestAtADesk ensures that nobody is promised there that a build is started again by itself:
// the case may be in a ledger at which nobody looks.
func TestRequestAtADesk(t *testing.T) {
	o := codeRequested()
	o.Function = ""
	next := strings.Join(tell(newView(o)).Next, " ")
	if !strings.HasPrefix(next, "Once it is merged and deployed, the function starts the build again, if the case is in its ledger. Else "+
		"start it by hand.") {
		t.Errorf("%q", next)
	}
}

// TestRequestOffersNoCommand ensures that what a pull request decides, and what it has led to, is not
// decided or undone by a command, and that nobody reads that Buildmedic gave anything.
func TestRequestOffersNoCommand(t *testing.T) {
	failed := codeHealed()
	failed.Kind = decide.Failed
	notStarted := codeRetrying()
	r := &notStarted.Case.Rounds[0]
	notStarted.Kind, r.RetryAt, r.Retry, r.Decision.Plan = decide.Reported, time.Time{}, "", nil
	r.Decision.Refusals = []guardrail.Refusal{{Rule: guardrail.RetryForbidden, Message: "The project has retry: false."}}
	superseded := codeRequested()
	superseded.Kind = decide.Reported
	left := decide.LeftFor(*superseded.Case.Rounds[0].Decision, "TrackerAPI:"+uuid2)
	superseded.Case.Rounds[0].Decision = &left
	forgone := codeRequested()
	forgone.Kind, forgone.Note = decide.Reported, "The settings no longer give the project grant tracker-image, which was asked for."
	merged := codeRetrying()
	merged.Case.Rounds[0].Requests[0].State = decide.RequestLanded
	deployed := codeRetrying()
	deployed.Case.Rounds[0].Requests = []decide.Request{request(decide.RequestLanded, "tracker-image", "")}
	two := codeHealed() // round by round
	second := codeStarted(request(decide.RequestLanded, "web-assets", "13"))
	second.Build.ID, second.RetryAt = "TrackerAPI:"+uuid2, after(5*time.Hour)
	two.Case.Rounds, two.Round = append(two.Case.Rounds, ended(second, time.Minute)), 1
	for _, row := range []struct {
		why     string
		o       decide.Outcome
		subject string
		offers  []string
	}{
		{"requested", codeRequested(), "grant tracker-image asked for in example/shop#12", []string{"status", "pause"}},
		{"retrying", codeRetrying(), "role has what example/shop#12 asks for, build started again", []string{"status", "pause"}},
		{"retrying, merged", merged, "example/shop#12 merged and deployed, build started again", []string{"status", "pause"}},
		{"retrying, merged by somebody", deployed, "grant tracker-image deployed, build started again", []string{"status", "pause"}},
		{"healed", codeHealed(), "example/shop#12 merged and deployed, build green after 3 h", []string{"status", "pause"}},
		{"healed, in two rounds", two, "example/shop#12 and example/shop#13 merged and deployed, build green after 5 h",
			[]string{"status", "pause"}},
		{"failed", failed, "example/shop#12 merged and deployed, but the build is not green", []string{"replay", "status", "pause"}},
		{"not started", notStarted, "role has what example/shop#12 asks for, not started again (retry-forbidden)",
			[]string{"replay", "status", "pause"}},
		{"a newer build was", superseded, "role has what example/shop#12 asks for, not started again (newer-build)",
			[]string{"replay", "status", "pause"}},
		{"the settings have changed", forgone, "no longer waits for example/shop#12", []string{"replay", "status", "pause"}},
	} {
		m, n := Render(row.o), tell(newView(row.o))
		if want := "[" + string(row.o.Kind) + "] TrackerAPI: " + row.subject; m.Subject != want {
			t.Errorf("%s: the subject is %q, want %q", row.why, m.Subject, want)
		}
		var offers []string
		for _, c := range n.Commands {
			offers = append(offers, c.Name)
		}
		if !slices.Equal(offers, row.offers) {
			t.Errorf("%s: it offers %q", row.why, offers)
		}
		if c := contextOf(t, row.o); c["action"] != "" || c["stop"] != "" {
			t.Errorf("%s: the card has buttons: %v", row.why, c)
		}
		for _, text := range []string{m.Subject, m.Email, m.Report, m.Chat, m.Default} {
			for _, claim := range []string{"push allowed", "was given", "the role was given", "WHAT WAS CHANGED", "What was changed",
				"ake it permanent", "To undo"} {
				if strings.Contains(text, claim) {
					t.Errorf("%s: it says %q:\n%s", row.why, claim, text)
				}
			}
		}
		const proof = "IAM's policy simulator: not allowed when it was asked for, allowed now."
		if (row.o.Kind != decide.Requested && row.why != "the settings have changed") != slices.Contains(n.Proof, proof) {
			t.Errorf("%s: proof %q", row.why, n.Proof)
		}
		checkNotice(t, row.why, row.o)
		checkTexts(t, row.why, m)
	}
	n := tell(newView(notStarted))
	if todo, _ := (wording{newView(notStarted), n}).todo(); todo != "To do: start the build again; see below." ||
		!slices.Contains(n.Next, "Start the build again by hand: its role has what it was denied.") {
		t.Errorf("not started: %s %q", todo, n.Next)
	}
	if n := tell(newView(superseded)); strings.Contains(strings.Join(n.Next, " "), "Do not allow it by hand") ||
		!slices.Contains(n.Next, "The role has what the build was denied. If this build is wanted, too, start it by hand.") {
		t.Errorf("superseded: %q", n.Next)
	}
	if n := tell(newView(forgone)); n.Changes[0].Status != AskedFor || n.Note != forgone.Note {
		t.Errorf("forgone: %+v, %q", n.Changes[0], n.Note)
	}
}

// TestRequestLinkIsItsOwn ensures that of what was stored only the page of this request, at the code
// host of the settings or in the console, becomes a link.
func TestRequestLinkIsItsOwn(t *testing.T) {
	s, err := settings.Parse([]byte("version: 1\ncode: {github: {url: \"https://git.example.com\", secret: x}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	own := request(decide.RequestOpened, "g", "12")
	console := inCodeCommit(own)
	for _, row := range []struct {
		why  string
		q    decide.Request
		s    *settings.Settings
		url  string
		want bool
	}{
		{"its own", own, trackerSettings(), own.URL, true},
		{"CodeCommit's", console, trackerSettings(), console.URL, true},
		{"CodeCommit's, without settings", console, nil, console.URL, true},
		{"at a server of the settings", own, s, "https://git.example.com/example/shop/pull/12", true},
		{"at a host that the settings do not name", own, s, own.URL, false},
		{"without settings", own, nil, own.URL, false},
		{"another request's", own, trackerSettings(), "https://github.com/example/shop/pull/13", false},
		{"another repository's", own, trackerSettings(), "https://github.com/example/other/pull/12", false},
		{"another host's", own, trackerSettings(), "https://evil.com/example/shop/pull/12", false},
		{"a port", own, trackerSettings(), "https://github.com:8443/example/shop/pull/12", false},
		{"a name and a password", own, trackerSettings(), "https://a:b@github.com/example/shop/pull/12", false},
		{"no TLS", own, trackerSettings(), "http://github.com/example/shop/pull/12", false},
		{"more behind it", own, trackerSettings(), own.URL + "/../../x", false},
		{"a query", own, trackerSettings(), own.URL + "?x=https://evil.com", false},
		{"a line break", own, trackerSettings(), own.URL + "\nhttps://evil.com", false},
		{"another console page", console, trackerSettings(), "https://console.aws.amazon.com/iam/home", false},
		{"the console's at another host", console, trackerSettings(), strings.Replace(console.URL, "aws.amazon.com", "evil.com", 1), false},
		{"nothing", own, trackerSettings(), "", false},
	} {
		row.q.URL = row.url
		if got := requestLink(row.q, row.s); (got == row.url && got != "") != row.want || got != "" && got != row.url {
			t.Errorf("%s: %q becomes the link %q", row.why, row.url, got)
		}
		o := codeRequested(row.q)
		o.Settings = row.s
		checkTexts(t, row.why, Render(o))
	}
}

// TestRequestIsCountedOnce ensures that a case whose repair was asked for is counted as a failure when
// it is asked for, and not when that is told again, nor when the build is green.
func TestRequestIsCountedOnce(t *testing.T) {
	told := codeRequested(request(decide.RequestLanded, "tracker-image", ""))
	told.At = told.Case.Closed.Add(6 * time.Hour)
	turnedDown := codeDeclined()
	turnedDown.Case.Rounds[0].Requests = []decide.Request{request(decide.RequestOpened, "tracker-image", "12")}
	for why, row := range map[string]struct {
		o    decide.Outcome
		want bool
	}{"asked for": {codeRequested(), true}, "told again": {told, false}, "healed": {codeHealed(), false},
		"on its way": {codeRetrying(), false}, "turned down": {turnedDown, false}, "turned down before": {codeDeclined(), true}} {
		if got := strings.Contains(string(Metrics(row.o)), `"Failures":1`); got != row.want {
			t.Errorf("%s: counted: %t: %s", why, got, Metrics(row.o))
		}
	}
	if m := string(Metrics(codeRequested())); !strings.Contains(m, `"Requested":1`) {
		t.Errorf("no metric of its own: %s", m)
	}
}

// TestProposedInCode ensures that whoever approves, or only observes, what belongs in code reads that a
// request asks for it, and who opens that.
func TestProposedInCode(t *testing.T) {
	proposed := codeRequested()
	proposed.Kind, proposed.Case.Rounds[0].Requests = decide.Proposed, nil
	if n := tell(newView(proposed)); n.Then != "Then a pull request asks for it, and the build is started again by itself once "+
		"that is merged and deployed." {
		t.Errorf("proposed: %q", n.Then)
	}
	byHand := copyOf(proposed)
	byHand.Case.Rounds[0].Decision.Plan.Route = decide.RouteNone
	if n := tell(newView(byHand)); n.Then != "Then a pull request asks for it. Once that is merged and deployed, the build is left "+
		"for you to start, as the settings require." {
		t.Errorf("proposed, by hand: %q", n.Then)
	}
	observed := copyOf(proposed)
	observed.Kind, observed.Case.Rounds[0].Decision.Mode = decide.Reported, settings.Observe
	next := strings.Join(tell(newView(observed)).Next, " ")
	for _, want := range []string{
		"`buildmedic replay -pull-request TrackerAPI:" + uuid1 + "` opens the pull request, with credentials of your own",
		"To have it opened and the build started again without you, set mode: heal (or propose)"} {
		if !strings.Contains(next, want) {
			t.Errorf("observed: %q is not in %q", want, next)
		}
	}
	desk := copyOf(observed)
	desk.Function = ""
	if next := strings.Join(tell(newView(desk)).Next, " "); strings.Contains(next, "set mode: heal") {
		t.Errorf("at a desk: %q", next)
	}
	unmade := copyOf(proposed) // in mode heal, and the host was down
	unmade.Kind = decide.Reported
	if n := tell(newView(unmade)); n.Headline != "the repair was not made" || n.Changes[0].Status != WasPlanned {
		t.Errorf("not made: %q, %+v", n.Headline, n.Changes[0])
	}
}
