package notice

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/guardrail"
)

// bridgeHealed is a direct heal whose settings name the code that shall give for good what it wrote.
func bridgeHealed(qs ...decide.Request) decide.Outcome {
	o := copyOf(trackerHealed())
	r := &o.Case.Rounds[0]
	for i := range qs {
		qs[i].Seen = r.Ended.Add(3 * time.Second)
	}
	r.Decision.Plan.Requests = []decide.Request{{Grant: "tracker-image", Repository: "example/shop", Path: policyPath,
		Branch: request("", "", "").Branch}}
	r.Requests = qs
	return o
}

func bridgeAsked() decide.Outcome {
	return bridgeHealed(request(decide.RequestOpened, "tracker-image", "12"))
}

// madePermanent is the same once the request is merged and deployed.
func madePermanent() decide.Outcome {
	q := request(decide.RequestLanded, "tracker-image", "12")
	o := bridgeHealed(q)
	o.ID, o.Kind, o.At = caseID+".2", decide.MadePermanent, after(27*time.Hour)
	r := &o.Case.Rounds[0]
	r.Requests[0].Seen, r.Undone, r.Permanent = after(26*time.Hour), o.At, true
	return o
}

// TestMadePermanent ensures that the notice says where the role has it from, what was taken out, and that
// there is nothing to do: no command to undo it, no snippet, no button.
func TestMadePermanent(t *testing.T) {
	two := madePermanent()
	r := &two.Case.Rounds[0]
	second := request(decide.RequestOpened, "web-assets", "13") // as it was found before the last one landed
	second.Branch += "2"
	r.Requests = append(r.Requests, second)
	unnumbered := madePermanent()
	unnumbered.Case.Rounds[0].Requests = []decide.Request{request("", "tracker-image", "")}
	attached := madePermanent()
	plan := attached.Case.Rounds[0].Decision.Plan
	plan.Write = &guardrail.Target{Kind: guardrail.Attach, Attach: []string{"arn:aws:iam::" + account + ":policy/push"}}
	other := madePermanent() // another round's change stands
	other.Case.Rounds = append([]decide.Round{bridgeAsked().Case.Rounds[0]}, other.Case.Rounds...)
	other.Round = 1
	const page = "https://github.com/example/shop/pull/12"
	for _, row := range []struct {
		why           string
		o             decide.Outcome
		subject, lead string
		says          []string
		link          string
	}{
		{"one", madePermanent(), "grant tracker-image comes from code now",
			"TrackerAPI's repair comes from code now: grant tracker-image in example/shop#12.",
			[]string{"Grant tracker-image was asked for in example/shop#12, which was merged into file " + policyPath + ".",
				"role " + trackerRole + " has it from there, so what Buildmedic had written into policy CodeBuild-ECR-Permissions " +
					"was taken out again."}, page},
		{"two", two, "2 grants come from code now", "TrackerAPI's repair comes from code now",
			[]string{"asked for in example/shop#13, which was merged into"}, page},
		{"merged by somebody", unnumbered, "grant tracker-image comes from code now",
			"TrackerAPI's repair comes from code now: grant tracker-image.",
			[]string{"File " + policyPath + " of example/shop has what grant tracker-image gives."}, ""},
		{"attached", attached, "grant tracker-image comes from code now", "TrackerAPI's repair comes from code now",
			[]string{"what Buildmedic had attached was detached again", "- attach arn:aws:iam::" + account + ":policy/push"}, page},
		{"another round", other, "grant tracker-image comes from code now", "TrackerAPI's repair comes from code now", nil, page},
	} {
		m, n := Render(row.o), tell(newView(row.o))
		if m.Subject != "[permanent] TrackerAPI: "+row.subject || !strings.HasPrefix(n.Lead, row.lead) || n.Todo != "Nothing to do." {
			t.Errorf("%s: %q, %q, %q", row.why, m.Subject, n.Lead, n.Todo)
		}
		report := strings.Join(strings.Fields(m.Report), " ")
		for _, want := range append(row.says, "There is nothing to undo here: to take it from the role, take it out of "+policyPath+
			" in example/shop and deploy.", "IAM's policy simulator: allowed by the role's other policies alone.") {
			if !strings.Contains(report, want) {
				t.Errorf("%s: %q is not in\n%s", row.why, want, m.Report)
			}
		}
		for what, text := range map[string]string{"mail": m.Email, "card": m.Chat, "report": m.Report, "JSON": m.JSON,
			"default": m.Default} {
			if !strings.Contains(text, row.link) || strings.Contains(text, `{"undo"`) || strings.Contains(text, "ake it permanent") ||
				strings.Contains(text, "replay") {
				t.Errorf("%s: the %s has not %q, or offers what is not to be done:\n%s", row.why, what, row.link, text)
			}
		}
		if len(n.Changes) != 1 || n.Changes[0].Status != TakenOut || len(n.Changes[0].Added) > 0 || len(n.Permanent) > 0 {
			t.Errorf("%s: changes %+v, snippets %v", row.why, n.Changes, n.Permanent)
		}
		for _, l := range n.Changes[0].difference() {
			if !strings.HasPrefix(l, "- ") {
				t.Errorf("%s: the difference has %q", row.why, l)
			}
		}
		if c := contextOf(t, row.o); c["action"] != "" || c["stop"] != "" {
			t.Errorf("%s: the card has buttons: %v", row.why, c)
		}
		if got := string(Metrics(row.o)); !strings.Contains(got, `"Permanent":1`) || strings.Contains(got, "Failures") {
			t.Errorf("%s: it is counted so: %s", row.why, got)
		}
		checkNotice(t, row.why, row.o)
		checkCard(t, row.why, m.Chat)
		checkTexts(t, row.why, m)
	}
}

// TestPermanentIsNotUndone ensures that what code gives is not told of as taken back when a person undoes
// the rest of the case.
func TestPermanentIsNotUndone(t *testing.T) {
	o := madePermanent()
	later := copyOf(trackerHealed()).Case.Rounds[0]
	later.Decision.Plan.Write.Name = "another"
	later.Undone, later.ByPerson = after(30*time.Hour), true
	o.Kind, o.At, o.Round = decide.Undone, later.Undone, 1
	o.Case.Rounds = append(o.Case.Rounds, later)
	n := tell(newView(o))
	if len(n.Changes) != 1 || n.Changes[0].Name != "another" || n.Changes[0].Status != TakenBack {
		t.Errorf("%+v", n.Changes)
	}
	var undone []string
	for _, e := range n.Timeline {
		if strings.HasPrefix(e.What, "Undone") || strings.HasPrefix(e.What, "Taken out") {
			undone = append(undone, e.What)
		}
	}
	want := []string{"Taken out of IAM again, since the role has it from code.", "Undone: the previous state is restored."}
	if !slices.Equal(undone, want) {
		t.Errorf("%q", undone)
	}
}

// TestHealedIsAskedForGood ensures that where a request asks for good for what was written, nobody is told
// to do that by hand, and that whoever must still do it is told so.
func TestHealedIsAskedForGood(t *testing.T) {
	const then = "once that is deployed, what was written here is taken out."
	retrying := bridgeHealed()
	retrying.Kind, retrying.Case.Closed = decide.Retrying, time.Time{}
	retrying.Case.Rounds[0].Ended = time.Time{}
	desk := bridgeAsked()
	desk.Function = ""
	partly := bridgeAsked() // the settings named no code at first
	first := copyOf(trackerHealed()).Case.Rounds[0]
	partly.Case.Rounds, partly.Round = append([]decide.Round{first}, partly.Case.Rounds...), 1
	for _, row := range []struct {
		why        string
		o          decide.Outcome
		todo, next string
		byHand     bool
	}{
		{"opened", bridgeAsked(), "Nothing to do now; review and merge the pull request.",
			"Asked for in example/shop#12, so that it stays; " + then, false},
		{"changed by somebody", bridgeHealed(request(decide.RequestEdited, "tracker-image", "12")),
			"Nothing to do now; review and merge the pull request.", "Asked for in example/shop#12, so that it stays; " + then, false},
		{"not made yet", bridgeHealed(request("", "tracker-image", "")), "Nothing to do now: it is asked for in your code.",
			"It will be asked for in " + policyPath + " in example/shop, so that it stays; " + then, false},
		{"the file has it", bridgeHealed(request(decide.RequestLanded, "tracker-image", "")),
			"Nothing to do now; deploy your code, so that it stays.",
			"What was given is in " + policyPath + " in example/shop already; " + then, false},
		{"running", retrying, "Nothing to do now: a notice follows when the build ends.",
			"It will be asked for in " + policyPath + " in example/shop, once the build is green, so that it stays; " + then, false},
		{"at a desk", desk, "Nothing to do now; review and merge the pull request.", "Asked for in example/shop#12, so that it stays; " +
			"once that is deployed, the function takes out what was written here, if the case is in its ledger.", false},
		{"closed unmerged", bridgeHealed(request(decide.RequestDeclined, "tracker-image", "12")),
			"Nothing to do now; make it permanent in your own code.", makePermanent, true},
		{"not all of it", partly, "Nothing to do now; make it permanent in your own code.", makePermanent, true},
		{"no code", trackerHealed(), "Nothing to do now; make it permanent in your own code.", makePermanent, true},
	} {
		m, n := Render(row.o), tell(newView(row.o))
		if todo, _ := (wording{newView(row.o), n}).todo(); todo != row.todo || !slices.Contains(n.Next, row.next) {
			t.Errorf("%s: to do %q, next %q", row.why, todo, n.Next)
		}
		if (len(n.Permanent) > 0) != row.byHand || slices.Contains(n.Next, makePermanent) != row.byHand {
			t.Errorf("%s: snippets %d, next %q", row.why, len(n.Permanent), n.Next)
		}
		for _, q := range row.o.Case.Rounds[row.o.Round].Requests {
			for what, text := range map[string]string{"mail": m.Email, "card": m.Chat, "report": m.Report, "JSON": m.JSON} {
				if !strings.Contains(text, q.URL) {
					t.Errorf("%s: the page %s is not in the %s:\n%s", row.why, q.URL, what, text)
				}
			}
		}
		if !slices.ContainsFunc(n.Commands, func(c Command) bool { return c.Name == "undo" }) {
			t.Errorf("%s: it cannot be undone", row.why)
		}
		checkNotice(t, row.why, row.o)
		checkTexts(t, row.why, m)
	}
}

// TestPullRequestOfAChangeThatStands ensures that a request does not promise a build that is green already,
// and says what becomes of the change in IAM.
func TestPullRequestOfAChangeThatStands(t *testing.T) {
	bridge := bridgeAsked()
	bridge.Kind = decide.Requested
	taken := copyOf(madePermanent()) // a later look makes the same text
	taken.Kind, taken.At = decide.Requested, bridge.At
	taken.Case.Rounds[0].Requests = bridge.Case.Rounds[0].Requests
	waits := codeRequested()
	waits.Case.ID = "00c0ffee00c0ffee"
	file := trackerFile(trackerObserved())
	_, body := PullRequestOf(file, bridge)
	if want := "The build is green already, by a direct change in IAM. Once this is merged and deployed, Buildmedic takes its own " +
		"statement out of IAM again by itself. Closed unmerged, it is not asked for again until the grant changes, and the direct " +
		"change stays.\n"; !strings.HasSuffix(body, want) || strings.Contains(body, "starts the build") {
		t.Errorf("it does not end with %q:\n%s", want, body)
	}
	if _, again := PullRequestOf(file, taken); again != body {
		t.Errorf("once it is taken out, the text is another:\n%s", again)
	}
	file.More = 2
	if _, body := PullRequestOf(file, bridge); !strings.Contains(body, "The builds are green already,") {
		t.Errorf("of many:\n%s", body)
	}
	file.More = 0
	_, body = PullRequestOf(file, waits, bridge)
	for _, want := range []string{"Buildmedic starts the newest of these builds again by itself", "What Buildmedic wrote in IAM in the " +
		"meantime is taken out again then."} {
		if !strings.Contains(body, want) {
			t.Errorf("of both: %q is not in\n%s", want, body)
		}
	}
	if _, body := PullRequestOf(file, waits); strings.Contains(body, "green already") || strings.Contains(body, "in the meantime") {
		t.Errorf("nothing was written:\n%s", body)
	}
}
