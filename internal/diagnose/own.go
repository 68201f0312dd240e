package diagnose

import (
	"cmp"
	"fmt"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// The bounds of a team's own causes. A hostile log may hold their words in every line, so all of
// them together must not cost more than the built-in ones.
const (
	MaxOwn     = 30  // causes
	MaxRules   = 10  // of a cause
	MaxTexts   = 8   // of one key of a rule
	MaxText    = 200 // bytes of a text
	MaxPattern = 300 // bytes of a pattern

	maxProgram = 200 // instructions of a compiled pattern, so that counted repeats are bounded too
	// MaxPrograms is how many instructions the patterns of all causes may have: see [Cause.Size].
	MaxPrograms = 1000

	maxTitle  = 110
	maxAdvice = 420
	maxName   = 60
	minWord   = 4 // letters and digits of the longest text of says
)

// Own is a cause of a team's own as its settings have it: the form of causes.yaml, without what
// CodeBuild and AWS say by themselves. Such a cause only explains, or has the build started again.
type Own struct {
	Name, Title, Advice string
	Remedy              Remedy // Report or Retry
	Retryable           bool   // beside Report
	Last                int
	Match               []OwnRule
}

// OwnRule is a rule of a team's own cause. Says must be there, since the line is shown as proof.
type OwnRule struct {
	Exit, Command, Phase, Says, Not, Also []string
	Like                                  string
	First                                 bool // of the lines that hold, the first is the evidence
	Report                                bool // this form of the cause is only reported
}

// A Flaw is why [NewCause] does not take a cause: what is wrong with which key.
type Flaw struct {
	Rule int // index of the rule; -1: it is the cause's own key
	Key  string
	Text string
}

var ownName = lazyregexp.New(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)

// NewCause makes a team's own cause, which [Diagnose] then takes, or says everything that is wrong
// with it.
func NewCause(o Own) (Cause, []Flaw) {
	m := &maker{rule: -1}
	m.words(&o)
	c := Cause{Name: o.Name, Title: o.Title, Advice: o.Advice, Remedy: o.Remedy,
		Retryable: o.Retryable || o.Remedy == Retry, last: o.Last}
	switch {
	case len(o.Match) == 0:
		m.flaw("match", "it has no rule, so it never holds")
	case len(o.Match) > MaxRules:
		m.flaw("match", "it has %d rules, more than %d", len(o.Match), MaxRules)
	}
	for i := range o.Match {
		m.rule = i
		c.rules = append(c.rules, m.make(&o.Match[i]))
	}
	if !slices.ContainsFunc(m.flaws, func(f Flaw) bool { return f.Key == "like" }) {
		m.placeholders(&o, c.rules) // a pattern that is refused fills none
	}
	if len(m.flaws) > 0 {
		return Cause{}, m.flaws
	}
	return c, nil
}

// Unmet says what a team's own cause lacks to hold for a failure, by the rule that comes closest.
// It is empty if a rule has all that it asks for, so that something else stands in its way.
func (c Cause) Unmet(f buildlog.Failure) string {
	closest, text := -1, ""
	for i := range c.rules {
		met, why := c.rules[i].unmet(&f)
		if why == "" {
			return ""
		}
		if met > closest {
			closest, text = met, fmt.Sprintf("rule %d does not hold: %s", i+1, why)
		}
	}
	return text
}

// unmet is how much of what the rule asks for holds, and the first that does not.
func (r *rule) unmet(f *buildlog.Failure) (met int, why string) {
	const words, free, matched, all = 1, 2, 3, 4
	why = fmt.Sprintf("no line has %s", quotedList(r.says, " and "))
	var text strings.Builder
	for _, l := range f.Tail {
		low := lower(l.Text)
		text.WriteString(low + "\n")
		has := func(w string) bool { return strings.Contains(low, w) }
		switch {
		case !each(r.says, has):
		case slices.ContainsFunc(r.not, has):
			if met < words {
				met, why = words, fmt.Sprintf("%q has a text of not", clip(l.Text, 60))
			}
		case r.like != nil && !r.like.regexp().MatchString(l.Text):
			if met < free {
				met, why = free, fmt.Sprintf("like does not match %q; it minds upper and lower case", clip(l.Text, 60))
			}
		default:
			met, why = matched, ""
		}
	}
	if met < matched {
		return met, why
	}
	switch {
	case !each(r.also, func(w string) bool { return strings.Contains(text.String(), w) }):
		return matched, fmt.Sprintf("the output does not have %s, which also asks for", quotedList(r.also, " and "))
	case r.exit != nil && !slices.Contains(r.exit, f.Exit):
		return all, fmt.Sprintf("its exit is %s, and that of the command %s", quotedList(r.exit, " or "),
			cmp.Or(f.Exit, "is not known; give the sample a line such as %exit "+r.exit[0]))
	case r.command != nil &&
		!slices.ContainsFunc(r.command, func(s string) bool { return strings.Contains(f.Command, s) }):
		return all, fmt.Sprintf("its command is %s, and the failed one is %s", quotedList(r.command, " or "),
			cmp.Or(f.Command, "not known; give the sample a line %command"))
	case r.phase != nil && !slices.Contains(r.phase, f.Phase):
		return all, fmt.Sprintf("its phase is %s, and the failed one is %s", quotedList(r.phase, " or "),
			cmp.Or(f.Phase, "not known; give the sample a line such as %phase "+r.phase[0]))
	}
	return all, ""
}

func each(words []string, has func(string) bool) bool {
	return !slices.ContainsFunc(words, func(w string) bool { return !has(w) })
}

func quotedList(list []string, between string) string {
	var quoted []string
	for _, s := range list {
		quoted = append(quoted, strconv.Quote(clip(s, 60)))
	}
	return strings.Join(quoted, between)
}

// Size is how many instructions the compiled patterns of the cause have.
func (c Cause) Size() (n int) {
	for i := range c.rules {
		if c.rules[i].like != nil {
			n += programSize(c.rules[i].like.source)
		}
	}
	return n
}

// withOwn puts a team's own causes in front of the general ones: behind denials, what CodeBuild
// says, the message of one tool and of a compiler, all of which say more surely what failed. Their
// remedy is to start the build again or none, whatever they say.
func withOwn(own []Cause) []Cause {
	if len(own) == 0 {
		return causes
	}
	general := slices.IndexFunc(causes, func(c Cause) bool { return c.general })
	all := slices.Concat(causes[:general], own, causes[general:])
	for i := range own {
		if c := &all[general+i]; c.Remedy != Retry {
			c.Remedy = Report
		}
	}
	return all
}

// maker collects the flaws of one cause.
type maker struct {
	rule  int
	flaws []Flaw
}

func (m *maker) flaw(key, format string, a ...any) {
	m.flaws = append(m.flaws, Flaw{m.rule, key, fmt.Sprintf(format, a...)})
}

// words checks what the cause says of itself.
func (m *maker) words(o *Own) {
	switch {
	case !ownName.MatchString(o.Name) || len(o.Name) > maxName:
		m.flaw("name", "%q is not a name; write lower-case words with hyphens, such as test-pool-empty",
			clip(o.Name, maxName))
	case slices.ContainsFunc(causes, func(c Cause) bool { return c.Name == o.Name }):
		m.flaw("name", "%q is a built-in cause; take another name", o.Name)
	}
	if o.Title == "" || !oneLine(o.Title) || strings.HasSuffix(o.Title, ".") || len(o.Title) > maxTitle {
		m.flaw("title", "write what happened: one line without a full stop, at most %d bytes", maxTitle)
	}
	if !strings.HasSuffix(o.Advice, ".") || !oneLine(o.Advice) || len(o.Advice) > maxAdvice {
		m.flaw("advice", "write what a person can do: whole sentences in one paragraph, at most %d bytes", maxAdvice)
	}
	if o.Remedy != Report && o.Remedy != Retry {
		m.flaw("remedy", "%q is not %s or %s; a cause of your own cannot have another one",
			clip(string(o.Remedy), maxName), Report, Retry)
	}
	if o.Retryable && o.Remedy == Retry {
		m.flaw("retryable", "it is for remedy: report; with retry it is so anyway")
	}
	if o.Last < 0 || o.Last > maxLines {
		m.flaw("last", "%d is not a number of lines from 1 to %d", o.Last, maxLines)
	}
}

// make makes a rule.
func (m *maker) make(o *OwnRule) rule {
	before := len(m.flaws)
	r := rule{exit: o.Exit, command: o.Command, phase: o.Phase, first: o.First}
	if o.Report {
		r.remedy = Report
	}
	for _, k := range []struct {
		key  string
		from []string
		to   *[]string
	}{{"exit", o.Exit, nil}, {"command", o.Command, nil}, {"phase", o.Phase, nil},
		{"says", o.Says, &r.says}, {"not", o.Not, &r.not}, {"also", o.Also, &r.also}} {
		if len(k.from) > MaxTexts {
			m.flaw(k.key, "it has %d texts, more than %d", len(k.from), MaxTexts)
		}
		for _, s := range k.from {
			switch {
			case strings.TrimSpace(s) == "":
				m.flaw(k.key, "a text is empty, and so would hold everywhere; write words of the line")
			case k.key == "exit" && !exitStatus(s):
				m.flaw(k.key, "%q is not an exit status, a number from 0 to 255", clip(s, 60))
			case !oneLine(s) || len(s) > MaxText:
				m.flaw(k.key, "%q is not one line of at most %d bytes; a rule looks at one line", clip(s, 60), MaxText)
			}
			if k.to != nil {
				*k.to = append(*k.to, lower(s))
			}
		}
	}
	switch {
	case len(o.Says) == 0:
		m.flaw("says", "missing; without words of a line the rule would hold for any failure, and show nothing as proof")
	case len(m.flaws) == before && !slices.ContainsFunc(o.Says, func(s string) bool { return telling(s) >= minWord }):
		m.flaw("says", "%q is in too many lines; write at least %d letters or digits of this failure's own words",
			clip(o.Says[0], 60), minWord)
	}
	m.like(o, &r)
	if len(m.flaws) == before {
		m.everyday(&r)
	}
	return r
}

// exitStatus reports whether s is the exit status of a command.
func exitStatus(s string) bool {
	_, err := strconv.ParseUint(s, 10, 8)
	return err == nil
}

// like checks the rule's pattern.
func (m *maker) like(o *OwnRule, r *rule) {
	if o.Like == "" {
		return
	}
	if len(o.Like) > MaxPattern {
		m.flaw("like", "the pattern has %d bytes, more than %d", len(o.Like), MaxPattern)
		return
	}
	if _, err := syntax.Parse(o.Like, syntax.Perl); err != nil {
		m.flaw("like", "%q is not an RE2 pattern: %s", clip(o.Like, 60),
			strings.TrimPrefix(err.Error(), "error parsing regexp: "))
		return
	}
	if n := programSize(o.Like); n > maxProgram {
		m.flaw("like", "the pattern is too large (%d steps, at most %d): write smaller counted repeats", n, maxProgram)
		return
	}
	r.like = &pattern{source: o.Like}
	if r.like.regexp().MatchString("") {
		m.flaw("like", "%q matches everything, even an empty line; leave it out, or write what the line must have",
			clip(o.Like, 60))
	}
}

// everyday are lines that failed builds print whatever the reason. A rule that holds for one of
// them names no cause.
var everyday = []string{
	"error: command failed with exit code 1", "Error: Process completed with exit code 1.", "exit status 1", "ERROR",
	"FAILED", "BUILD FAILED in 12s", "FAILURE: Build failed with an exception.", "make: *** [Makefile:12: all] Error 1",
	"[ERROR] Failed to execute goal", "npm ERR! code ELIFECYCLE", "npm error Lifecycle script `build` failed with error:",
	"Command failed with exit code 1.", "Traceback (most recent call last):", "fatal error",
	"Exception in thread \"main\" java.lang.RuntimeException: failed",
	"warning: something is deprecated", "Tests run: 12, Failures: 1, Errors: 0", "1 failed, 12 passed in 3.21s",
	"Successfully installed requests-2.32.3", "Downloading https://example.com/shop-1.0.0.tgz", "Building the shop: done",
	"added 312 packages, and audited 313 packages in 9s", "Compiling shop v1.0.0", "Installing dependencies",
	"Successfully built 0123456789ab", "Running tests", "Starting the tests of the shop", "Done in 3.2s.",
}

// everyday refuses a rule that holds for such a line.
func (m *maker) everyday(r *rule) {
	for _, l := range everyday {
		if r.onLine(lower(l), l, &finding{}) {
			m.flaw("says", "it holds for %q, which failed builds print whatever the reason; write words that only "+
				"this failure prints", l)
			return
		}
	}
}

var ownPlaceholder = lazyregexp.New(`\{([^{}]*)\}`)

// placeholders checks that each rule fills what title and advice name.
func (m *maker) placeholders(o *Own, rules []rule) {
	m.rule = -1
	for _, k := range []struct{ key, text string }{{"title", o.Title}, {"advice", o.Advice}} {
		for _, p := range ownPlaceholder.Get().FindAllStringSubmatch(k.text, -1) {
			if i := slices.IndexFunc(rules, func(r rule) bool { return !r.gives(p[1]) }); i >= 0 {
				m.flaw(k.key, "rule %d does not fill {%s}; give its like a group, (?P<name>…), or leave it out",
					i+1, clip(p[1], 40))
			}
		}
	}
}

// gives reports whether a rule of a team's own gives the placeholder a value whenever it holds.
func (r rule) gives(name string) bool {
	return name == "command" || name == "exit" || r.like != nil && slices.Contains(r.like.regexp().SubexpNames(), name)
}

// programSize is how many instructions a pattern compiles to; a line costs at most so many steps
// for each byte.
func programSize(pattern string) int {
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return 0
	}
	prog, err := syntax.Compile(re.Simplify())
	if err != nil {
		return 0
	}
	return len(prog.Inst)
}

func oneLine(s string) bool { return strings.IndexFunc(s, unprintable) < 0 }

// telling is how many letters and digits s has.
func telling(s string) (n int) {
	for _, r := range s {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			n++
		}
	}
	return n
}
