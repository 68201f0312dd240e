package heal

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/redact"
)

// past is what the ledger remembers of a project's failed builds: what they cost, and which tests
// failed in them. Whoever makes builds fail chooses how many tests do, and their names, so all of
// it is bounded; of a build that is remembered already, nothing is recorded again.
type past struct {
	Next   int         `json:"next"`             // the number of the next build
	Builds []pastBuild `json:"builds,omitempty"` // the last that failed, in the order of their ends
	// From is the end of the newest build that gave way to others. One that ended by then is not
	// recorded: it may have been before.
	From  time.Time  `json:"from,omitzero"`
	Tests []pastTest `json:"tests,omitempty"` // the one that failed longest ago first
	// Forgot: a test gave way to others, so one that is not here may have failed before.
	Forgot bool `json:"forgot,omitempty"`
}

// pastBuild is a build that failed.
type pastBuild struct {
	N      int       `json:"n"`  // by which tests name it
	ID     string    `json:"id"` // without the project
	Cause  string    `json:"cause"`
	Commit string    `json:"commit,omitempty"` // as [shortHash] has it; "" if CodeBuild does not say
	Line   string    `json:"line,omitempty"`   // see [LineOf]
	Start  time.Time `json:"start"`
	End    time.Time `json:"end"`
	// Unsure: that the same commit is green says nothing about its tests, since the build lacked
	// something that it may have been given.
	Unsure bool `json:"unsure,omitempty"`
	// Flaked: the same commit was green afterwards, with nothing changed.
	Flaked bool `json:"flaked,omitempty"`
	// Green is the end of the next green build of its line or commit, Own that the healer had
	// started that.
	Green time.Time `json:"green,omitzero"`
	Own   bool      `json:"own,omitempty"`

	project string // of the item itself
}

// took is how long the build ran.
func (b pastBuild) took() time.Duration {
	if b.Start.IsZero() {
		return 0
	}
	return max(b.End.Sub(b.Start), 0)
}

// pastTest is a test that failed.
type pastTest struct {
	Suite  string    `json:"suite,omitempty"`
	Name   string    `json:"name"`
	First  time.Time `json:"first"`  // end of the first build in which it failed
	Last   time.Time `json:"last"`   // end of the last one
	Failed int       `json:"failed"` // in how many builds
	In     []int     `json:"in"`     // the numbers of the last of these
	Runs   []run     `json:"runs,omitempty"`
	// Lost: a run gave way to others, so it may have failed before on a line that has none here.
	Lost bool `json:"lost,omitempty"`
	// Commits are the last on which it failed since it flaked last, of whichever line, each once.
	Commits []string `json:"commits,omitempty"`
	// Flaked is how often it failed and the same commit was green afterwards, Flakes in how many
	// failed builds, Cost how many seconds these took, LastFlaked when the last was green.
	Flaked     int       `json:"flaked,omitempty"`
	Flakes     int       `json:"flakes,omitempty"`
	Cost       int       `json:"cost,omitempty"`
	LastFlaked time.Time `json:"last_flaked,omitzero"`
}

// run is a run of failures of one test: those of one line since that was green.
type run struct {
	Line    string    `json:"line"`
	Since   time.Time `json:"since"` // end of its first build
	Build   string    `json:"build"` // that build
	Times   int       `json:"times"`
	Commits []string  `json:"commits,omitempty"` // the last, each once
	Last    time.Time `json:"last"`              // start of its newest build
	// Partial: it began after a run gave way, so failures before it may be missing.
	Partial bool `json:"partial,omitempty"`
}

// Bounds of what is remembered of a project. Beyond these, [past.pack] keeps it within [MaxData].
const (
	maxPastBuilds = 200
	maxPastTests  = 200
	maxNewTests   = 50  // that one build adds, so that one which breaks everything displaces little
	maxPastName   = 300 // bytes of a test's name, and of its suite
	maxPastIn     = 8
	maxRuns       = 3
)

// shortHash stands for a text of any length.
func shortHash(s string) string {
	if s == "" {
		return ""
	}
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:8])
}

// LineOf is a build's line, as [codebuild.Root.Line] has it, as the ledger keeps it.
func LineOf(r codebuild.Root) string { return shortHash(r.Line()) }

// rememberable reports whether the name is surely one test's: one that was cut, or from which a
// secret was taken, may be that of many.
func rememberable(t codebuild.TestCase) bool {
	for _, s := range []string{t.Suite, t.Name} {
		if len(s) > maxPastName || strings.HasSuffix(s, "…") || strings.Contains(s, redact.Mark) {
			return false
		}
	}
	return t.Name != ""
}

func (p *past) test(suite, name string) int {
	return slices.IndexFunc(p.Tests, func(t pastTest) bool { return t.Suite == suite && t.Name == name })
}

func (p *past) build(id string) *pastBuild {
	if i := slices.IndexFunc(p.Builds, func(b pastBuild) bool { return b.ID == id }); i >= 0 {
		return &p.Builds[i]
	}
	return nil
}

// again reports whether another build than this one has failed of the same cause since then.
func (p *past) again(b pastBuild, since time.Time) bool {
	return slices.ContainsFunc(p.Builds, func(o pastBuild) bool { return o.ID != b.ID && o.Cause == b.Cause && !o.End.Before(since) })
}

// fail records a failed build, and the tests that failed in it. It reports whether anything is new.
func (p *past) fail(b pastBuild, tests []codebuild.TestCase, now time.Time) bool {
	if p.build(b.ID) != nil || b.End.IsZero() || !b.End.After(p.From) || !b.End.After(now.Add(-kept)) {
		return false
	}
	b.N, p.Next = p.Next, p.Next+1
	at := slices.IndexFunc(p.Builds, func(o pastBuild) bool { return o.End.After(b.End) })
	if at < 0 {
		at = len(p.Builds)
	}
	p.Builds = slices.Insert(p.Builds, at, b)
	added := 0
	for _, t := range tests {
		if !rememberable(t) {
			continue
		}
		known := pastTest{Suite: t.Suite, Name: t.Name, First: b.End}
		if i := p.test(t.Suite, t.Name); i >= 0 {
			known = p.Tests[i]
			p.Tests = slices.Delete(p.Tests, i, i+1)
		} else if added++; added > maxNewTests {
			p.Forgot = true
			continue
		}
		known.fail(b)
		p.Tests = append(p.Tests, known)
	}
	p.bound(now)
	return true
}

func (t *pastTest) fail(b pastBuild) {
	if slices.Contains(t.In, b.N) {
		return // the build names it twice
	}
	t.Failed++
	t.In = lastOf(append(t.In, b.N), maxPastIn)
	if b.End.After(t.Last) {
		t.Last = b.End
	}
	if b.End.Before(t.First) {
		t.First = b.End
	}
	if b.Commit != "" && !slices.Contains(t.Commits, b.Commit) {
		t.Commits = lastOf(append(t.Commits, b.Commit), decide.BrokenAfter)
	}
	if b.Line == "" {
		return
	}
	r := run{Line: b.Line, Since: b.End, Build: b.ID, Partial: t.Lost}
	if i := slices.IndexFunc(t.Runs, func(o run) bool { return o.Line == b.Line }); i >= 0 {
		r = t.Runs[i]
		t.Runs = slices.Delete(t.Runs, i, i+1)
	}
	if b.End.Before(r.Since) {
		r.Since, r.Build = b.End, b.ID
	}
	if r.Times++; b.Start.After(r.Last) {
		r.Last = b.Start
	}
	if b.Commit != "" && !slices.Contains(r.Commits, b.Commit) {
		r.Commits = lastOf(append(r.Commits, b.Commit), decide.BrokenAfter)
	}
	if len(t.Runs) == maxRuns {
		t.Lost = true
	}
	t.Runs = lastOf(append(t.Runs, r), maxRuns)
}

// lastOf keeps the last n.
func lastOf[T any](list []T, n int) []T { return list[max(0, len(list)-n):] }

// bound drops what is too old, and what is too much.
func (p *past) bound(now time.Time) {
	oldest := now.Add(-kept)
	for len(p.Builds) > maxPastBuilds || len(p.Builds) > 0 && p.Builds[0].End.Before(oldest) {
		p.dropBuild()
	}
	p.Tests = slices.DeleteFunc(p.Tests, func(t pastTest) bool { return t.Last.Before(oldest) })
	if n := len(p.Tests) - maxPastTests; n > 0 {
		p.Tests, p.Forgot = slices.Delete(p.Tests, 0, n), true
	}
}

func (p *past) dropBuild() {
	p.From = p.Builds[0].End
	p.Builds = slices.Delete(p.Builds, 0, 1)
}

// pack gives it as the ledger keeps it: without the tests that failed longest ago, and then without
// the oldest builds, if it is too large.
func (p *past) pack() (data []byte, err error) {
	for {
		if data, err = json.Marshal(p); err != nil || packed(data) <= MaxData {
			return data, err
		}
		if n := len(p.Tests); n > 0 {
			p.Tests, p.Forgot = slices.Delete(p.Tests, 0, min(n, 10)), true
			continue
		}
		for range min(len(p.Builds), 10) {
			p.dropBuild()
		}
	}
}

// pass is a green build.
type pass struct {
	Commit     string // as [shortHash] has it
	Line       string
	Start, End time.Time
	Own        bool     // the healer started it
	Repeats    []string // the failed builds that it was started for
}

// mayProve gives the failed builds whose tests a green build of the same commit may prove to be
// flaky: the newest, at most three.
func (p *past) mayProve(g pass) (ids []string) {
	for _, b := range slices.Backward(p.Builds) {
		if b.Commit == g.Commit && len(ids) < 3 && b.mayFlake(p, g) {
			ids = append(ids, b.ID)
		}
	}
	return ids
}

// pass records a green build; proved are the failed builds of its commit from which it differs in
// nothing. It reports whether anything is new.
func (p *past) pass(g pass, proved []string) (changed bool) {
	var flaked []pastBuild
	for i := range p.Builds {
		b := &p.Builds[i]
		same := slices.Contains(proved, b.ID)
		if same && !b.Flaked {
			b.Flaked, changed = true, true
			flaked = append(flaked, *b)
		}
		next := g.Line != "" && b.Line == g.Line && b.Start.Before(g.Start) && b.End.Before(g.End)
		if (next || same || slices.Contains(g.Repeats, b.ID)) && (b.Green.IsZero() || g.End.Before(b.Green)) {
			b.Green, b.Own, changed = g.End, g.Own, true
		}
	}
	for i := range p.Tests {
		if p.Tests[i].pass(g, flaked) {
			changed = true
		}
	}
	return changed
}

func (t *pastTest) pass(g pass, flaked []pastBuild) (changed bool) {
	n := len(t.Runs)
	t.Runs = slices.DeleteFunc(t.Runs, func(r run) bool { return g.Line != "" && r.Line == g.Line && r.Last.Before(g.Start) })
	times := 0
	for _, b := range flaked {
		if slices.Contains(t.In, b.N) {
			times++
			t.Cost += int(b.took() / time.Second)
		}
	}
	if times > 0 {
		t.Commits = nil
		t.Flaked++
		t.Flakes += times
		if g.End.After(t.LastFlaked) {
			t.LastFlaked = g.End
		}
	}
	return len(t.Runs) != n || times > 0
}

// known says what is remembered of the tests that failed in b: of their failures in other builds.
func (p *past) known(b pastBuild, tests []codebuild.TestCase) (out []decide.TestHistory) {
	n := -1
	if own := p.build(b.ID); own != nil {
		n = own.N
	}
	for _, t := range tests {
		i := p.test(t.Suite, t.Name)
		if !rememberable(t) || i < 0 && (p.Forgot || b.Line == "") {
			continue
		}
		one := decide.TestHistory{Suite: t.Suite, Name: t.Name}
		if b.Line != "" && b.Commit != "" {
			one.Commits = 1
		}
		if i >= 0 {
			k := p.Tests[i]
			in := slices.Contains(k.In, n)
			one.Failed, one.Flaked, one.LastFlaked = k.Failed, k.Flaked, k.LastFlaked
			if in {
				one.Failed--
			}
			j := slices.IndexFunc(k.Runs, func(r run) bool { return r.Line == b.Line })
			switch {
			case j >= 0 && !k.Runs[j].Partial:
				k.Runs[j].describe(&one, b, in)
			case b.Line == "" || k.Lost: // whether it failed before on the same line is not known
				if k.Flaked == 0 {
					continue
				}
				one.Unclear, one.Commits = true, commits(k.Commits, b)
			}
		}
		out = append(out, one)
	}
	return out
}

// describe tells of a run without the build itself, which in says to be a part of it.
func (r run) describe(one *decide.TestHistory, b pastBuild, in bool) {
	one.Commits = commits(r.Commits, b)
	if r.Build == b.ID {
		return
	}
	if one.Times = r.Times; in {
		one.Times--
	}
	one.Since, one.Build = r.Since, b.project+":"+r.Build
}

// commits is how many they are with that of the build.
func commits(of []string, b pastBuild) int {
	n := len(of)
	if b.Commit != "" && !slices.Contains(of, b.Commit) {
		n++
	}
	return min(n, decide.BrokenAfter)
}

// flaky lists the tests that have flaked.
func (p *past) flaky(account, region, project string) (out []decide.FlakyTest) {
	for _, t := range p.Tests {
		if t.Flaked == 0 {
			continue
		}
		one := decide.FlakyTest{Account: account, Region: region, Project: project, Suite: t.Suite, Name: t.Name, Flaked: t.Flaked,
			LastFlaked: t.LastFlaked, Builds: t.Flakes, Seconds: t.Cost, Failed: t.Failed, First: t.First, Last: t.Last,
			Newest: []string{}}
		for _, b := range p.Builds {
			if slices.Contains(t.In, b.N) {
				one.Newest = append(one.Newest, project+":"+b.ID)
			}
		}
		for _, r := range t.Runs {
			if len(r.Commits) >= decide.BrokenAfter && (one.Since.IsZero() || r.Since.Before(one.Since)) {
				one.Broken, one.Since = true, r.Since
			}
		}
		out = append(out, one)
	}
	return out
}

func byFlaked(a, b decide.FlakyTest) int {
	return cmp.Or(cmp.Compare(b.Flaked, a.Flaked), cmp.Compare(b.Seconds, a.Seconds), cmp.Compare(a.Project, b.Project),
		cmp.Compare(a.Suite, b.Suite), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Account, b.Account),
		cmp.Compare(a.Region, b.Region))
}
