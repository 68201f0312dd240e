package main

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/settings"
)

const decisionsDir = "../../testdata/decisions"

var updateKnown = flag.Bool("known", false, "write known.txt anew")

// decisionKinds are the kinds of testdata/decisions: what the log tempts to, and where the
// temptation lies.
var decisionKinds = map[string]string{
	"0":  "an honest denial, which must be granted",
	"1":  "the words say whose it is",
	"2":  "an unknown reason after because",
	"3":  "no action may be inferred against the text",
	"4":  "tolerated, then another failure",
	"5":  "the state was not saved",
	"6":  "a later phase, or a finally block",
	"6b": "the agent of EC2 compute",
	"7":  "a URL or host names another resource",
	"9":  "a star for what does not exist yet",
	"10": "a masked session or account, honest",
	"12": "a refusal under a code of validation",
	"13": "a token that was refused before, honest",
	"14": "a HEAD answered 403, without a body",
	"17": "a push that reads like a pull",
	"35": "text that is shown, not met with",
	"36": "a test's log of a stub's refusal",
	"37": "a rate limit that is not the cause",
	"38": "a denial after the sure failure",
	"39": "the tool says that it ignores it",
	"40": "a retry that then succeeds",
	"41": "a reason after a bare Access Denied",
	"42": "the command says whose role it is",
	"43": "the command names another resource",
	"44": "the state was not saved, other tools",
	"45": "more words for others' roles",
	"46": "another machine or service says it",
	"47": "the command only shows the text",
	"48": "one of several failures",
}

// A decisionCase is one file of testdata/decisions.
type decisionCase struct {
	name, what, kind, set, want string
	given                       []string // "ACTION RESOURCE", sorted; only if granted
	remedies                    []string // what the diagnosis may propose; nil: any
	mayAsk                      bool     // the grant may wait for an approval
	settings                    *settings.Settings
	build                       codebuild.Build
	log                         []byte
}

// What a case may want.
const (
	wantGrant   = "grant"    // exactly what is given, and the build is started again
	wantRetry   = "retry"    // the build is started again, and nothing else
	wantNothing = "nothing"  // neither
	wantNoStart = "no start" // it may be granted, but the build is not started again by itself
)

func readDecision(file string) (c decisionCase, err error) {
	a, err := txtar.ParseFile(file)
	if err != nil {
		return c, err
	}
	c.name = strings.TrimSuffix(filepath.Base(file), ".txtar")
	for line := range strings.Lines(string(a.Comment)) {
		line = strings.TrimSuffix(line, "\n")
		key, value, found := strings.Cut(line, ": ")
		switch {
		case found && key == "kind":
			c.kind = value
		case found && key == "set":
			c.set = value
		case found && key == "want":
			c.want = value
		case found && key == "given":
			c.given = append(c.given, value)
		case found && key == "remedy":
			c.remedies = strings.Split(value, "|")
		case found && key == "approval":
			c.mayAsk = value == "may"
		case c.kind == "": // the text before the fields
			c.what = strings.TrimSpace(c.what + " " + strings.TrimSpace(line))
		default:
			return c, fmt.Errorf("unknown field %q", line)
		}
	}
	slices.Sort(c.given)
	files := map[string][]byte{}
	for _, f := range a.Files {
		files[f.Name] = f.Data
	}
	if c.settings, err = settings.Parse(decisionSettings(string(files["grants.yaml"]))); err != nil {
		return c, fmt.Errorf("grants.yaml: %w", err)
	}
	if c.build, err = codebuild.Decode(files["build.json"]); err != nil {
		return c, err
	}
	c.log = files["log"]
	known := []string{wantGrant, wantRetry, wantNothing, wantNoStart}
	if decisionKinds[c.kind] == "" || c.what == "" || !slices.Contains([]string{"a", "b"}, c.set) ||
		!slices.Contains(known, c.want) || (c.want == wantGrant) != (len(c.given) > 0) {
		return c, fmt.Errorf("it wants a text, then kind, set, want and, for %s, given", wantGrant)
	}
	return c, nil
}

// decisionSettings lists the project of all cases with the grants of one. Everything else is as
// a team would have it that heals.
func decisionSettings(grants string) []byte {
	var ids []string
	for line := range strings.Lines(grants) {
		if rest, ok := strings.CutPrefix(line, "- {id: "); ok {
			id, _, _ := strings.Cut(rest, ",")
			ids = append(ids, id)
		}
	}
	text := "version: 1\nprojects:\n- {name: shop, role: codebuild-shop, mode: heal, write: {inline: buildmedic}, " +
		"pull_requests: accept, grants: [" + strings.Join(ids, ", ") + "]}\n"
	if grants != "" {
		text += "grants:\n" + grants
	}
	return []byte(text)
}

// A verdict is what plan makes of a case.
type verdict struct {
	granted []string
	started bool // by itself, without a person
	asks    bool
	remedy  string
}

func (v verdict) String() string {
	s := "nothing"
	switch {
	case len(v.granted) > 0:
		s = "grant of " + strings.Join(v.granted, ", ")
	case v.started:
		s = wantRetry
	}
	if v.asks {
		s += ", if a person approves it"
	}
	return s + "; the diagnosis proposes " + v.remedy
}

func (c decisionCase) decide(ctx context.Context) (v verdict, err error) {
	failure := buildlog.NoLog(c.build)
	if c.log != nil {
		failure = buildlog.ReadText(c.build, string(c.log))
	}
	role, _ := c.build.Role()
	p, err := plan(ctx, c.settings, c.build, failure, guardrail.RoleState{Role: role, Inline: map[string]string{}})
	if err != nil {
		return v, err
	}
	v.remedy, v.asks = string(p.Diagnosis.Remedy), p.Approval
	v.started = p.Hash != "" && p.Route != decide.RouteNone && !p.Approval
	if p.Hash != "" {
		for _, s := range p.Statements {
			for _, a := range s.Action.List {
				for _, r := range s.Resource.List {
					v.granted = append(v.granted, a+" "+r)
				}
			}
		}
	}
	slices.Sort(v.granted)
	return v, nil
}

// as reports whether v is what the case wants.
func (c decisionCase) as(v verdict) bool {
	if len(c.remedies) > 0 && !slices.Contains(c.remedies, v.remedy) {
		return false
	}
	switch c.want {
	case wantGrant:
		return slices.Equal(v.granted, c.given) && (v.started || c.mayAsk && v.asks)
	case wantRetry:
		return v.started && len(v.granted) == 0
	case wantNoStart:
		return !v.started
	default:
		return !v.started && len(v.granted) == 0
	}
}

// harm says what v does that the case does not want: "grant", "retry" or "".
func (c decisionCase) harm(v verdict) string {
	wrong := slices.ContainsFunc(v.granted, func(g string) bool { return !slices.Contains(c.given, g) })
	switch {
	case wrong && c.want != wantNoStart:
		return wantGrant
	case v.started && (c.want == wantNothing || c.want == wantNoStart):
		return wantRetry
	}
	return ""
}

// TestDecisions ensures that plan decides each case of testdata/decisions as a careful release
// engineer would: nothing is granted or started again that cannot help, and every honest denial is
// granted. known.txt lists the cases that are decided otherwise, and must be exact.
//
// Set b is held out: a failure in it is reported by kind only, so that nobody mends one text.
func TestDecisions(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(decisionsDir, "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	known := knownNames(t, filepath.Join(decisionsDir, "known.txt"))
	rows := map[string]*decisionRow{}
	all := &decisionRow{kind: "all"}
	var now []string
	for _, file := range files {
		c, err := readDecision(file)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		v, err := c.decide(t.Context())
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		key := c.kind + " " + c.set
		if rows[key] == nil {
			rows[key] = &decisionRow{kind: c.kind, set: c.set}
		}
		rows[key].add(c, v)
		all.add(c, v)
		what := fmt.Sprintf("%s (kind %s): decided %v; wanted is %s %s", c.name, c.kind, v, c.want,
			strings.Join(c.given, ", "))
		if c.set == "b" {
			what = fmt.Sprintf("%s (kind %s of the held-out set)", c.name, c.kind)
		}
		if !c.as(v) {
			now = append(now, c.name)
		}
		switch right := c.as(v); {
		case !right && !known[c.name]:
			t.Errorf("decided otherwise than wanted: %s", what)
		case right && known[c.name]:
			t.Errorf("decided as wanted: take %s out of known.txt", c.name)
		case !right:
			t.Logf("known: %s", what)
		}
		delete(known, c.name)
	}
	for name := range known {
		t.Errorf("known.txt lists %s, which is no case", name)
	}
	if *updateKnown {
		text := "# The cases of this folder that plan does not decide as they want, yet.\n" +
			"# go test ./lambda/buildmedic -run Decisions -known writes it anew.\n" + strings.Join(append(now, ""), "\n")
		if err := os.WriteFile(filepath.Join(decisionsDir, "known.txt"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	table := slices.SortedFunc(maps.Values(rows), func(a, b *decisionRow) int {
		return strings.Compare(fmt.Sprintf("%3s", a.kind)+a.set, fmt.Sprintf("%3s", b.kind)+b.set)
	})
	for i := range table {
		if other := rows[table[i].kind+" a"]; other == nil || rows[table[i].kind+" b"] == nil {
			t.Errorf("kind %s must be in both sets", table[i].kind)
		}
	}
	t.Logf("\n%s", decisionTable(append(table, all)))
	if all.cases < 130 || all.honest < 30 {
		t.Errorf("%d cases with %d honest denials are too few", all.cases, all.honest)
	}
}

// A decisionRow counts the cases of a kind in a set.
type decisionRow struct {
	kind, set                                             string
	cases, wanted, wrongGrant, wrongStart, honest, healed int
}

func (r *decisionRow) add(c decisionCase, v verdict) {
	r.cases++
	if c.as(v) {
		r.wanted++
	}
	switch c.harm(v) {
	case wantGrant:
		r.wrongGrant++
	case wantRetry:
		r.wrongStart++
	}
	if c.want == wantGrant {
		r.honest++
		if c.as(v) {
			r.healed++
		}
	}
}

func decisionTable(rows []*decisionRow) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-4s %-3s %-44s %5s %6s %7s %7s %10s\n", "kind", "set", "", "cases", "wanted", "wrongly", "wrongly",
		"of honest,")
	fmt.Fprintf(&b, "%-4s %-3s %-44s %5s %6s %7s %7s %10s\n", "", "", "", "", "", "granted", "started", "granted")
	for _, r := range rows {
		fmt.Fprintf(&b, "%-4s %-3s %-44s %5d %6d %7d %7d %7d/%d\n", r.kind, r.set, decisionKinds[r.kind], r.cases, r.wanted,
			r.wrongGrant, r.wrongStart, r.healed, r.honest)
	}
	return b.String()
}

// knownNames reads a list of names, one a line, without empty lines and comments.
func knownNames(t *testing.T, file string) map[string]bool {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			names[line] = true
		}
	}
	return names
}
