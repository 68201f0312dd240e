package webpage

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

func (s *sum) view() view {
	v := view{Title: "Failed builds, " + period(s.From, s.To)}
	v.Eyebrow = "Buildmedic · scan of an account"
	if s.Kind == History {
		v.Eyebrow = "Buildmedic · history"
	}
	if s.Project != "" {
		v.Facts = append(v.Facts, "project "+name(s.Project))
	}
	if s.Account != "" {
		v.Facts = append(v.Facts, "account "+name(s.Account))
	}
	if s.Region != "" {
		v.Facts = append(v.Facts, "region "+name(s.Region))
	}
	if s.Projects > 0 {
		v.Facts = append(v.Facts, count(s.Projects, "project"))
	}
	v.Facts = append(v.Facts, "made "+stamp(s.Made))
	for i, n := range s.Notes {
		if i == maxNotes {
			v.Notes = append(v.Notes, more(len(s.Notes), maxNotes, "note"))
			break
		}
		v.Notes = append(v.Notes, text(n))
	}
	v.Foot = []string{
		"All figures are counted from the records and logs of builds. None is an estimate. Times are UTC.",
		"This page is whole: it loads nothing, sends nothing and runs no script. It names projects, roles and " +
			"resources of your account: " +
			"share it as you would share those.",
	}
	if len(s.Builds) == 0 {
		v.Short = []string{"No build is known to have failed in this time."}
	} else {
		v.Short = s.short()
		v.Tiles = s.tiles()
		v.Sections = append(v.Sections, s.overTime(), s.byCause(), s.byClass(), s.waits(), s.byProject())
	}
	if s.Kind == Scan {
		v.Sections = append(v.Sections, s.denials()...)
		v.Sections = append(v.Sections, s.settings()...)
	} else {
		v.Sections = append(v.Sections, s.cases()...)
		v.Sections = append(v.Sections, s.flaky()...)
	}
	return v
}

// short is what somebody reads who reads nothing else.
func (s *sum) short() []string {
	n := len(s.Builds)
	out := []string{
		fmt.Sprintf(
			"%s of %s ran %s.",
			count(n, "failed build"),
			count(len(s.projects), "project"),
			lasted(s.all.seconds),
		),
	}
	line := "Most often: " + s.often(s.causes[0])
	if len(s.causes) > 1 {
		line += " Then: " + s.often(s.causes[1])
	}
	out = append(out, line)
	best, others := s.all.by[Best], s.all.by[Other]
	if s.Kind == Scan {
		line = fmt.Sprintf(
			"With your consent in the settings, Buildmedic could have acted on %s of them (%s)",
			thousands(best),
			percent(best, n),
		)
		if others > 0 {
			line += fmt.Sprintf("; %s more it would still refuse", thousands(others))
		}
	} else {
		line = fmt.Sprintf(
			"After %s of them (%s) Buildmedic had started the next green build",
			thousands(best),
			percent(best, n),
		)
		if m, ok := median(s.all.ofClass[Best]); ok {
			line += fmt.Sprintf(", which had ended after %s (median)", lasted(m))
		}
		if m, ok := median(s.all.ofClass[Other]); ok {
			line += fmt.Sprintf("; after %s somebody else had, after %s", thousands(others), lasted(m))
		}
	}
	out = append(out, line+".")
	if m, ok := median(s.all.ofClass[Best]); ok && s.Kind == Scan {
		out = append(
			out,
			fmt.Sprintf("After %s of those the branch was green again, whoever saw to it: %s after the failed build "+
				"(median).", thousands(len(s.all.ofClass[Best])), lasted(m)),
		)
	}
	if first, second, ok := s.halves(); ok {
		out = append(out, fmt.Sprintf("%s failed in the first half of this time, %s in the second.", thousands(first),
			thousands(second)))
	}
	if half, names := s.half(); len(s.projects) > 3 && half <= max(3, len(s.projects)/4) && s.all.seconds > 0 {
		verb := "have"
		if half == 1 {
			verb = "has"
		}
		out = append(
			out,
			fmt.Sprintf(
				"%s of %s %s half of the time that failed builds ran: %s.",
				thousands(half),
				count(len(s.projects), "project"),
				verb,
				names,
			),
		)
	}
	return out
}

// often says how often a cause was that.
func (s *sum) often(g *group) string {
	what := name(g.name)
	if m := strings.TrimSuffix(text(s.Causes[g.name].Meaning), "."); m != "" {
		what = m + " (" + what + ")"
	}
	return fmt.Sprintf("%s, %s, %s.", what, count(g.builds, "build"), percent(g.builds, len(s.Builds)))
}

// halves counts the builds of the first and of the second half of the days. They are not compared
// where there are few days, where older builds are cut off, and where nothing is known of the first
// quarter, perhaps since nobody took notes yet.
func (s *sum) halves() (first, second int, ok bool) {
	all, early := s.To.Sub(s.From), false
	middle := s.From.Add(all / 2)
	for _, b := range s.Builds {
		early = early || b.End.Before(s.From.Add(all/4))
		if b.End.Before(middle) {
			first++
		} else {
			second++
		}
	}
	return first, second, early && !s.Cut && all >= 14*24*time.Hour
}

// half is how many projects have at least half of the time, and which.
func (s *sum) half() (int, string) {
	at := 0
	var names []string
	for _, p := range s.projects {
		at += p.seconds
		names = append(names, p.name)
		if 2*at >= s.all.seconds {
			break
		}
	}
	return len(names), some(names, 5)
}

func (s *sum) tiles() []tile {
	n := len(s.Builds)
	what := "That ended in this time, in " + count(len(s.projects), "project") + "."
	if s.Kind == Scan {
		what = fmt.Sprintf("In %s of %s. At most the last %s of each were read.", thousands(len(s.projects)),
			count(s.Projects, "project"), thousands(s.Most))
	}
	out := []tile{
		{"Failed builds", thousands(n), "", what},
		{"They ran", lasted(s.all.seconds), "", "From start to end, as CodeBuild has them; queueing included."},
	}
	w := s.words()[Best]
	label := "Could have been acted on"
	if s.Kind == History {
		label = "Green again by Buildmedic"
	}
	out = append(out, tile{label, thousands(s.all.by[Best]), percent(s.all.by[Best], n), w.long})
	return append(out, tile{
		"Until green again, median",
		greenIn(s.all.toGreen),
		"",
		fmt.Sprintf(
			"From a failed build's end to the end of the next green one of its branch, tag or pipeline. Of %s; "+
				"of %s none is known.",
			thousands(len(s.all.toGreen)),
			thousands(n-len(s.all.toGreen)),
		),
	})
}

func (s *sum) overTime() section {
	w := s.words()
	t := table{
		Caption: "Failed builds by " + s.unit,
		Folded:  "All values, by " + s.unit,
		Head: columns(
			strings.ToUpper(s.unit[:1])+s.unit[1:],
			"#Failed",
			"#"+w[Best].column,
			"#"+w[Other].column,
			"#"+w[Rest].column,
			"#Minutes",
		),
	}
	for _, one := range s.spans {
		t.add(
			-1,
			words(one.name()),
			number(one.builds),
			number(one.by[Best]),
			number(one.by[Other]),
			number(one.by[Rest]),
			words(minutes(one.seconds)),
		)
	}
	sec := section{ID: "trend", Title: "Over time", Trend: s.chart(), Tables: []table{t},
		Intro: []string{"Failed builds by the " + s.unit + " in which they ended."}}
	if s.unit != "day" {
		sec.Intro[0] += " The first and the last may be cut short by the time that is told of."
	}
	return sec
}

func (s *sum) byCause() section {
	head := columns("Cause", "#Builds", "=Share", "#Minutes", "#Projects", "#Until green")
	intro := "By number of failed builds. Minutes are those that the failed builds ran; until green is the " +
		"median of those after which a " +
		"green build is known."
	if s.Kind == History {
		head = columns(
			"Cause",
			"#Builds",
			"=Share",
			"#Minutes",
			"#Until green, by Buildmedic",
			"#Until green, otherwise",
		)
		intro += " The two can be compared within a cause, and hardly across causes."
	}
	t := table{Caption: "Failed builds by cause", Head: head}
	gs, more := rest(s.causes, maxCauses, "cause")
	t.More = more
	for _, g := range gs {
		c := both(name(g.name), text(s.Causes[g.name].Meaning))
		last := []cell{number(len(g.projects)), words(greenIn(g.toGreen))}
		if s.Kind == History {
			last = []cell{words(greenIn(g.ofClass[Best])), words(greenIn(g.ofClass[Other]))}
		}
		t.add(
			-1,
			append(
				[]cell{
					c,
					both(thousands(g.builds), percent(g.builds, len(s.Builds))),
					drawn(parts(g.by, s.causes[0].builds)),
					words(minutes(g.seconds)),
				},
				last...)...)
	}
	return section{ID: "causes", Title: "What fails most", Tables: []table{t}, Intro: []string{intro}}
}

func (s *sum) byClass() section {
	w := s.words()
	t := table{Caption: "Failed builds by what could be done", Head: columns("", "#Builds", "#Minutes", "#Until green")}
	if s.Kind == History {
		t.Caption = "Failed builds by how their branch became green again"
	}
	for c := range classes {
		t.add(
			int(c),
			both(strings.ToUpper(w[c].short[:1])+w[c].short[1:], w[c].long),
			both(
				thousands(s.all.by[c]),
				percent(s.all.by[c], len(s.Builds)),
			),
			words(minutes(s.all.bySecs[c])),
			words(greenIn(s.all.ofClass[c])),
		)
	}
	sp := &split{Title: t.Caption, Parts: parts(s.all.by, len(s.Builds)), Table: t}
	for c := range classes {
		sp.Describe += fmt.Sprintf(
			"%s: %s, %s. ",
			w[c].short,
			thousands(s.all.by[c]),
			percent(s.all.by[c], len(s.Builds)),
		)
	}
	sp.Describe = strings.TrimSpace(sp.Describe)
	sec := section{ID: "healed", Title: "What was healed", Split: sp}
	if s.Kind == History {
		sec.Intro = []string{
			"What Buildmedic heals fails for other reasons than what it leaves to people, so the difference " +
				"between the two " +
				"times is not what was saved: compare them within a cause, above.",
		}
		return sec
	}
	sec.Title = "What could have been healed, and what not"
	sec.Intro = []string{"The minutes of a failed build are spent, whoever mends it. What a heal saves is the " +
		"wait until the branch " +
		"is green again: how long that was stands in the last column. How much shorter it would have been is " +
		"not known, " +
		"and not guessed."}
	by := table{
		Caption: "Why, and what it takes",
		Head:    columns("Remedy, or rule that refuses", "#Builds", "#Minutes", "#Projects"),
	}
	gs, more := rest(s.whys, maxWhys, "reason")
	by.More = more
	for _, g := range gs {
		term := s.Whys[g.name]
		by.add(
			int(g.class),
			both(name(g.name), text(strings.TrimSpace(term.Meaning+" "+term.Change))),
			number(g.builds),
			words(minutes(g.seconds)),
			number(len(g.projects)),
		)
	}
	sec.Tables = []table{by}
	return sec
}

// waited are the steps of how long it took until green again.
var waited = []struct {
	most int // seconds
	word string
}{{15 * 60, "up to 15 minutes"}, {3600, "up to an hour"}, {4 * 3600, "up to 4 hours"}, {24 * 3600, "up to a day"},
	{7 * 24 * 3600, "up to a week"}, {1 << 62, "longer"}}

func (s *sum) waits() section {
	t := table{
		Caption: "Failed builds by the time until green again",
		Head:    columns("Until green again", "#Builds", "=Share"),
	}
	ns := make([][classes]int, len(waited)+1)
	for _, b := range s.Builds {
		at := len(waited)
		if !b.Green.IsZero() {
			to := int(b.Green.Sub(b.End).Seconds())
			at = slices.IndexFunc(waited, func(w struct {
				most int
				word string
			}) bool {
				return to <= w.most
			})
		}
		ns[at][b.Class]++
	}
	high := 1
	total := func(by [classes]int) int { return by[Best] + by[Other] + by[Rest] }
	for _, by := range ns {
		high = max(high, total(by))
	}
	for i, by := range ns {
		word := "no green build is known"
		if i < len(waited) {
			word = waited[i].word
		}
		t.add(-1, words(word), both(thousands(total(by)), percent(total(by), len(s.Builds))), drawn(parts(by, high)))
	}
	intro := "From the end of a failed build to the end of the next green one that began after it, of the same " +
		"branch, tag or pipeline. " +
		"Each failed build counts by itself."
	if s.Kind == Scan {
		intro += " Of builds that are part of a batch, it is not looked for."
	}
	return section{ID: "waits", Title: "How long until green again", Tables: []table{t}, Intro: []string{intro}}
}

func (s *sum) byProject() section {
	w := s.words()
	t := table{
		Caption: "Failed builds by project",
		Head: columns(
			"Project",
			"#Minutes",
			"=Share",
			"#Builds",
			"#"+w[Best].column,
			"Most frequent cause",
			"#Until green",
			"#Last",
		),
	}
	gs, more := rest(s.projects, maxProjects, "project")
	t.More = more
	high := max(s.projects[0].seconds, 1)
	for _, g := range gs {
		t.add(
			-1,
			words(name(g.name)),
			both(minutes(g.seconds), percent(g.seconds, s.all.seconds)),
			drawn(parts(g.bySecs, high)),
			number(
				g.builds,
			),
			number(g.by[Best]),
			words(name(mostOf(g.causes))),
			words(greenIn(g.toGreen)),
			words(g.last.UTC().Format("2 Jan")),
		)
	}
	return section{ID: "projects", Title: "Projects", Tables: []table{t},
		Intro: []string{"By the minutes that their failed builds ran. A project without a failed build is not listed."}}
}

func (s *sum) denials() []section {
	if len(s.Denied) == 0 {
		return nil
	}
	t := table{Caption: "Denied actions", Head: columns("Action and resource", "#Builds", "Projects"),
		More: more(len(s.Denied), maxDenied, "action")}
	for _, d := range s.Denied[:min(len(s.Denied), maxDenied)] {
		c := both(name(d.Action), none(name(d.Resource), "the text does not say on what"))
		c.Code = true
		if d.Never != "" {
			c.Sub += " · " + text(d.Never)
		}
		t.add(-1, c, number(d.Builds), words(some(d.Projects, 4)))
	}
	return []section{{ID: "denied", Title: "What the roles were denied", Tables: []table{t}, Intro: []string{
		"These are the grants to think about: what builds' own roles were denied, where that failed the build, " +
			"and where nothing refuses it " +
			"from the outset. A log is a claim: whether the build needs it, its owner must know.",
	}}}
}

func (s *sum) settings() []section {
	if s.Settings == "" {
		return nil
	}
	b := &block{Label: "buildmedic.yaml"}
	cut := 0
	b.Text, cut = lines(s.Settings)
	n := strings.Count(b.Text, "\n")
	b.Summary, b.Open = "buildmedic.yaml, "+count(n, "line"), n <= 40
	if cut > 0 {
		b.More = fmt.Sprintf("and %s more: buildmedic scan -yaml prints all", count(cut, "line"))
	}
	return []section{{ID: "settings", Title: "A buildmedic.yaml to start from", Block: b, Intro: []string{
		"Everything in it is in observe and grants nothing. Click on the text to select all of it, and copy it " +
			"into a file. Read each " +
			"comment; take the number signs off what you want to allow. buildmedic check says what it would give.",
	}}}
}

func (s *sum) cases() []section {
	var out []section
	open := slices.DeleteFunc(slices.Clone(s.Cases), func(c Case) bool { return !c.Waits })
	outcomes, refused := map[string]int{}, map[string]int{}
	for _, c := range s.Cases {
		outcomes[c.Outcome]++
		for _, r := range c.Refused {
			refused[r]++
		}
	}
	t := table{
		Caption: "Cases by outcome",
		Head:    columns("Outcome", "#Cases", "=Share"),
		More:    more(len(outcomes), maxWhys, "outcome"),
	}
	high := 1
	for _, n := range outcomes {
		high = max(high, n)
	}
	for _, o := range byCount(outcomes)[:min(len(outcomes), maxWhys)] {
		class := Rest
		if o == "healed" {
			class = Best
		}
		var by [classes]int
		by[class] = outcomes[o]
		t.add(
			-1,
			both(name(o), text(s.Whys[o].Meaning)),
			both(thousands(outcomes[o]), percent(outcomes[o], len(s.Cases))),
			drawn(parts(by, high)),
		)
	}
	if len(t.Rows) > 0 {
		sec := section{ID: "cases", Title: "What became of the cases", Tables: []table{t}, Intro: []string{
			"A case is what Buildmedic did about the failed builds of one project and commit. " + count(
				len(s.Cases),
				"case",
			) +
				" opened in this time, and those that are still open.",
		}}
		if len(refused) > 0 {
			r := table{
				Caption: "Why something was refused",
				Head:    columns("Rule", "#Cases"),
				More:    more(len(refused), maxWhys, "rule"),
			}
			for _, k := range byCount(refused)[:min(len(refused), maxWhys)] {
				term := s.Whys[k]
				r.add(
					int(Other),
					both(name(k), text(strings.TrimSpace(term.Meaning+" "+term.Change))),
					number(refused[k]),
				)
			}
			sec.Tables = append(sec.Tables, r)
			sec.Intro = append(sec.Intro, "A case may be refused by several rules.")
		}
		out = append(out, sec)
	}
	if len(open) > 0 {
		t := table{Caption: "Open cases", Head: columns("Case", "Project", "Cause", "Outcome", "#Since", "Has changed"),
			More: more(len(open), maxCases, "case")}
		for _, c := range open[:min(len(open), maxCases)] {
			outcome := words(name(c.Outcome))
			if !c.Until.IsZero() {
				outcome.Sub = "until " + stamp(c.Until)
			}
			t.add(-1, verbatim(name(c.ID)), words(name(c.Project)), words(name(c.Cause)), outcome,
				words(c.Opened.UTC().Format("2 Jan 15:04")), words(none(some(c.Changed, 3), "–")))
		}
		intro := []string{"buildmedic show CASE tells one whole. A proposed plan waits for an approval; if something has " +
			"changed since, approving it is refused."}
		if slices.ContainsFunc(open, func(c Case) bool { return c.Outcome == "requested" }) {
			intro = append(intro, "What is requested waits until the pull requests that ask for it are merged and deployed.")
		}
		out = append(out, section{ID: "open", Title: "Open, or waiting for somebody", Tables: []table{t}, Intro: intro})
	}
	return out
}

// byCount sorts names by their numbers, those with most first.
func byCount(m map[string]int) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.SortFunc(out, func(a, b string) int {
		if m[a] != m[b] {
			return m[b] - m[a]
		}
		return strings.Compare(a, b)
	})
	return out
}

func (s *sum) flaky() []section {
	if len(s.Flaky) == 0 {
		return nil
	}
	t := table{Caption: "Flaky tests", Head: columns("Test", "#Flaked", "#Builds", "#Minutes", "#Last", ""),
		More: more(len(s.Flaky), maxFlaky, "test")}
	for _, f := range s.Flaky[:min(len(s.Flaky), maxFlaky)] {
		now := ""
		if f.Broken {
			now = "broken now"
		}
		t.add(-1, both(name(f.Test), name(f.Project)), number(f.Flaked), number(f.Builds), words(minutes(f.Seconds)),
			words(f.Last.UTC().Format("2 Jan")), words(now))
	}
	return []section{{ID: "flaky", Title: "Flakiest tests", Tables: []table{t}, Intro: []string{
		"Tests that failed, and passed on the same commit: how often, in how many failed builds, and how long " +
			"these ran. Of all that is " +
			"remembered. A build in which two such tests failed counts for both.",
	}}}
}
