package diagnose

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/buildmedic/buildmedic/internal/buildlog"
)

//go:generate go run ./gen

// Cause is one entry of causes.yaml, which documents the fields and the
// precedence: the first cause that holds is the cause.
type Cause struct {
	Name      string // stable, kebab-case, unique
	Title     string // one sentence without a full stop; may hold {placeholders}
	Advice    string // what a person can do, in whole sentences
	Remedy    Remedy
	Retryable bool // an unchanged retry has a chance

	when     when     // what the build's record must show
	last     int      // only so many last lines are searched; 0: all
	unlogged string   // the advice for a build without a log
	shows    []string // beginnings, in lower case, of lines that the advice names
	quotes   bool     // such a failure prints texts about others
	vague    bool     // only the class that the text gives itself
	tests    bool     // what tests run on is missing: see everyTestSays
	general  bool     // words that many tools share: a team's own causes come before
	rules    []rule
}

// Causes lists every built-in cause in the order of precedence.
func Causes() []Cause { return slices.Clone(causes) }

// OfDenial reports whether the cause is that the build was denied something that its title names.
// True for a name that is not in causes.yaml: older versions wrote it.
func OfDenial(cause string) bool {
	i := slices.IndexFunc(causes, func(c Cause) bool { return c.Name == cause })
	return i < 0 || strings.Contains(causes[i].Title, "{denied}") && !strings.Contains(causes[i].Title, "{principal}")
}

// commandFailed is the cause of which no more is known than that a command failed.
const commandFailed = "command-failed"

// Unexplained reports whether the cause says no more than that something failed, or only of which
// class it is.
func Unexplained(cause string) bool {
	return cause == commandFailed || cause == "unknown" ||
		slices.ContainsFunc(causes, func(c Cause) bool { return c.vague && c.Name == cause })
}

// rule is one sign of a cause. All fields that are set must hold.
type rule struct {
	status, phase, code, exit, command []string
	nolog                              bool // the build left no log
	denial                             *denialRule
	says, not, also                    []string // in lower case
	like                               *pattern
	aws                                *pattern // what an AWS service answered: "CODE: message"
	first                              bool     // the first line is the evidence, not the last
	any                                string   // "command", "test", "unanswered", "failure" or ""
	consequence                        bool     // perhaps only what an earlier failure of the command led to
	shared                             bool     // words of many tools: the line must be why the command ended
	sure                               bool     // first-hand proof that no denial and no rate limit explains
	remedy                             Remedy   // Report or ""
}

// aboutLine reports whether the rule looks for a line of the output.
func (r *rule) aboutLine() bool { return r.says != nil || r.aws != nil }

// denialRule says which denials a rule is about.
type denialRule struct {
	layer     []buildlog.Layer
	effect    []buildlog.Effect
	action    string // "known", "unknown" or "": either
	operation []string
	actions   []string
	other     bool   // certainly not the build was denied
	bare      bool   // an answer of 403 without a body
	reason    string // "none", "given", a text in lower case that is in the reason, or "": any
	every     bool
}

// pattern is a regular expression that is compiled when it is first needed:
// most never are.
type pattern struct {
	source string
	once   sync.Once
	re     *regexp.Regexp
}

func (p *pattern) regexp() *regexp.Regexp {
	p.once.Do(func() { p.re = regexp.MustCompile(p.source) })
	return p.re
}
