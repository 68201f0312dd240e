package story

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/buildmedic/buildmedic/internal/codehost/openapi"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/notice"
	"github.com/buildmedic/buildmedic/internal/settings"
	"github.com/buildmedic/buildmedic/internal/simaws"
	"github.com/buildmedic/buildmedic/testdata"
)

var update = flag.Bool("update", false, "rewrite the want sections of the stories")

// all are the stories that the demo plays.
func all(t *testing.T) []Story { return load(t, testdata.Stories, "stories") }

func load(t *testing.T, fsys fs.FS, dir string) []Story {
	t.Helper()
	ss, err := Load(fsys, dir)
	if err != nil {
		t.Fatal(err)
	}
	return ss
}

// order is that of the want sections in an archive.
var order = []string{"want/story.json", "want/calls", "want/answers", "want/requests", "want/developers", "want/mails", "want/notices"}

// TestStories plays every story and compares the whole of it: how it ended,
// each call made in its order, each notice as a reader sees it.
func TestStories(t *testing.T) { play(t, "stories", all(t)) }

// TestRoutes does the same with the further stories, which the demo leaves out.
func TestRoutes(t *testing.T) { play(t, "routes", load(t, testdata.Routes, "routes")) }

func play(t *testing.T, dir string, ss []Story) {
	for _, s := range ss {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			st, err := Open(s, Options{Log: &log})
			if err != nil {
				t.Fatal(err)
			}
			defer st.Close()
			if err := st.Run(context.Background()); err != nil {
				t.Fatal(err)
			}
			r, err := st.Result(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			if d := s.Differs(r, st.Builds()); d != "" {
				t.Errorf("the story ended otherwise than it should: %s\nlog:\n%s", d, log.String())
			}
			if u := st.Sim.Unknown(); len(u) > 0 {
				t.Errorf("the simulated account was asked what it does not know: %q", u)
			}
			for _, w := range openapi.Check(st.Sim.Exchanges()) {
				t.Error(w)
			}
			for _, n := range st.Sim.Notices() {
				checkPhone(t, n)
			}
			got := golden(t, st, r)
			if *update {
				path := filepath.Join("..", "..", "testdata", dir, s.File)
				if err := os.WriteFile(path, s.Rewrite(got, order), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			for _, name := range order {
				if d := gocmp.Diff(s.Want[name], got[name]); d != "" {
					t.Errorf("%s (-want +got); if that is right, run: go test ./internal/story -update\n%s", name, d)
				}
			}
			for name := range s.Want {
				if _, ok := got[name]; !ok {
					t.Errorf("%s is compared with nothing", name)
				}
			}
		})
	}
}

// checkPhone ensures that an e-mail fits a phone of 40 columns: fewer than 60 rows, and the result
// and the first page to open on the first screen.
func checkPhone(t *testing.T, n simaws.Notice) {
	t.Helper()
	const columns, tooLong, firstScreen = 40, 60, 15
	mail := n.ByProtocol["email"]
	if rows := notice.Screen(mail, columns); len(rows) >= tooLong {
		t.Errorf("%s: %d rows on a phone:\n%s", n.Subject, len(rows), strings.Join(rows, "\n"))
	}
	before, after, found := strings.Cut(mail, "https://")
	link, _, _ := strings.Cut(after, "\n")
	if rows := notice.Screen(before+"https://"+link, columns); !found || len(rows) > firstScreen {
		t.Errorf("%s: the page to open ends in row %d (found: %t):\n%s", n.Subject, len(rows), found, strings.Join(rows, "\n"))
	}
}

// golden gives what the want sections hold.
func golden(t *testing.T, st *Stage, r Result) map[string]string {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(r); err != nil {
		t.Fatal(err)
	}
	return map[string]string{"want/story.json": b.String(), "want/calls": calls(st), "want/notices": notices(st),
		"want/answers": answers(st), "want/requests": requests(st), "want/developers": developers(st), "want/mails": mails(st)}
}

// mails says who got which mails, in a story that has mailboxes.
func mails(st *Stage) string {
	var out []string
	for _, m := range st.Sim.Mailboxes() {
		for _, mail := range m.Mails {
			out = append(out, fmt.Sprintf("%s <- %s", m.Address, mail.Subject))
		}
	}
	for _, n := range st.Sim.Notices() { // on a topic of an owner's own nobody here subscribes
		if slices.ContainsFunc(st.Settings.Notify.Owners, func(o settings.Owner) bool { return o.Topic == n.Topic }) {
			out = append(out, fmt.Sprintf("%s <- %s", n.Topic, n.Subject))
		}
	}
	return lines(out)
}

// calls is the transcript of the AWS calls, each with what it was about. Calls that
// go out at the same time arrive in any order, so reads that follow each
// other are sorted. Those that want the credentials of a role at the same time ask for them
// together or one after the other, so that equal ones count once. What the schedule and people began
// is told by a line of its own, and sweeps that are all alike once.
func calls(st *Stage) string {
	parts := append([]Asked{{}}, st.Swept...)
	for _, a := range st.Asked {
		if a.Person {
			parts = append(parts, a)
		}
	}
	slices.SortStableFunc(parts, func(a, b Asked) int { return cmp.Or(a.After-b.After, a.At.Compare(b.At)) })
	all := st.Sim.Calls()
	var out []string
	before, alike := "", 0
	for i, p := range parts {
		to := len(all)
		if i+1 < len(parts) {
			to = parts[i+1].After
		}
		text := transcript(all[p.After:to])
		this := lines(append([]string{p.Command}, text...))
		if this == before {
			if alike++; alike > 1 {
				out = out[:len(out)-1]
			}
			out = append(out, fmt.Sprintf("# the same again: %d ×", alike))
			continue
		}
		before, alike = this, 0
		if p.Command != "" {
			out = append(out, "# "+p.Command)
		}
		out = append(out, text...)
	}
	return lines(out)
}

func transcript(calls []simaws.Call) []string {
	var out, reads []string
	flush := func() {
		slices.Sort(reads)
		reads = slices.CompactFunc(reads, func(a, b string) bool { return a == b && strings.HasPrefix(a, "sts.AssumeRole ") })
		out, reads = append(out, reads...), nil
	}
	for _, c := range calls {
		if c.Writes {
			flush()
			out = append(out, c.String())
		} else {
			reads = append(reads, c.String())
		}
	}
	flush()
	return out
}

// requests is what people see of pull requests, and what was deployed.
func requests(st *Stage) string {
	var out []string
	for _, r := range st.Sim.CodeRequests() {
		state := "open"
		switch {
		case r.Merged:
			state = "merged"
		case !r.Open:
			state = "closed"
		}
		out = append(out, fmt.Sprintf("%s #%s, %s into %s: %s, edited %d times", r.Repository, r.Number, r.Head, r.Base, state, r.Edits),
			"Title: "+r.Title, "", strings.TrimRight(r.Body, "\n"), strings.Repeat("-", 72))
		for _, c := range r.Commits {
			subject, _, _ := strings.Cut(c, "\n")
			out = append(out, "Commit: "+subject)
		}
		for _, path := range slices.Sorted(maps.Keys(r.Files)) {
			out = append(out, "File: "+path, strings.TrimRight(r.Files[path], "\n"))
		}
		out = append(out, strings.Repeat("=", 72))
	}
	for _, d := range st.Sim.Deployments() {
		what := fmt.Sprintf("%s: %s of %s deployed to %s", d.At.Format(time.DateTime), d.Path, d.Repository, d.To)
		if d.Error != "" {
			what += ": failed: " + d.Error
		}
		out = append(out, what)
	}
	return lines(out)
}

// developers is what developers see at their code host: each status in its order, and the comments
// as they are at last.
func developers(st *Stage) string {
	var out []string
	for _, s := range st.Sim.Statuses() {
		out = append(out, fmt.Sprintf("%s %.7s %s %s: %s", s.Repository, s.Commit, s.Context, s.State, s.Description), "  "+s.URL)
	}
	for _, c := range st.Sim.PullComments() {
		out = append(out, fmt.Sprintf("%s #%d, user %d, edited %d times:", c.Repository, c.Pull, c.Author, c.Edits))
		for l := range strings.Lines(c.Body) {
			out = append(out, "  "+strings.TrimRight(l, "\n"))
		}
	}
	return lines(out)
}

func notices(st *Stage) string {
	var b strings.Builder
	for _, n := range st.Sim.Notices() {
		fmt.Fprintf(&b, "Subject: %s\n\n%s\n", n.Subject, strings.TrimRight(n.ByProtocol["email"], "\n"))
		b.WriteString(strings.Repeat("=", 72) + "\n")
	}
	return b.String()
}

func answers(st *Stage) string {
	var out []string
	for _, a := range st.Asked {
		out = append(out, fmt.Sprintf("%s -> %v: %s", a.Command, a.Done, a.Message))
	}
	return lines(out)
}

func lines(ss []string) string {
	if len(ss) == 0 {
		return ""
	}
	return strings.Join(ss, "\n") + "\n"
}

// TestModes ensures that the same stories in observe write and start
// nothing and say what they would have done, and that in propose they store
// the plan under its hash and write nothing.
func TestModes(t *testing.T) {
	for _, s := range all(t) {
		for _, mode := range []settings.Mode{settings.Observe, settings.Propose} {
			t.Run(s.Name+"/"+string(mode), func(t *testing.T) {
				t.Parallel()
				s := s
				if slices.ContainsFunc(s.Then, func(th Then) bool { return th.Start != nil }) {
					s.Expect.Version = "" // that build is not started
				}
				s.Then = nil
				st, err := Open(s, Options{Settings: s.InMode(mode)})
				if err != nil {
					t.Fatal(err)
				}
				defer st.Close()
				if err := st.Run(context.Background()); err != nil {
					t.Fatal(err)
				}
				r, err := st.Result(context.Background())
				if err != nil {
					t.Fatal(err)
				}
				failed, builds := 0, 0
				for _, p := range st.Settings.Projects {
					for _, b := range st.Sim.BuildsAt(p.Account, p.Region, p.Name) {
						if builds++; b.Status != "SUCCEEDED" {
							failed++
						}
					}
				}
				started := strings.Count(string(s.World), "\n  - {project: ") + strings.Count(string(s.World), "\n  - project: ")
				if len(r.Calls) > 0 || builds != max(started, 1) {
					t.Errorf("in %s something was changed or started: %v", mode, r.Calls)
				}
				ns := st.Sim.Notices()
				if len(ns) != failed {
					t.Errorf("%d notices, should be %d", len(ns), failed)
				}
				acts := len(s.Expect.Writes) > 0
				switch {
				case acts && r.Plan == "":
					t.Error("no plan: nothing is said of what would be done")
				case acts && mode == settings.Propose:
					if r.Outcome != decide.Proposed {
						t.Errorf("outcome %s", r.Outcome)
					}
					if it, err := st.Store.Get(context.Background(), "plan", r.Plan); err != nil ||
						!bytes.Contains(it.Data, []byte(r.Case)) {
						t.Errorf("plan %s is not stored: %v", r.Plan, err)
					}
				case r.Outcome != decide.Reported:
					t.Errorf("outcome %s", r.Outcome)
				}
				if acts && mode == settings.Observe && !strings.Contains(ns[len(ns)-1].Subject+ns[len(ns)-1].ByProtocol["email"], "would") {
					t.Error("the notice does not say what would have been done")
				}
			})
		}
	}
}

// TestParseRefuses ensures that a story with a typing mistake is no story.
func TestParseRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"# c\n-- wrold.yaml --\nx\n":             "wrold.yaml: no such section",
		"# c\n-- world.yaml --\n":                "it needs a comment",
		"# c\n-- expect.yaml --\noutcom: healed": "field outcom not found",
	} {
		if _, err := Parse("x.txtar", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
