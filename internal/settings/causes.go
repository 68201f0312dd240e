package settings

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/diagnose"
)

// Cause is a cause of the team's own.
type Cause struct {
	diagnose.Cause
	Samples []Sample // outputs that it is the cause of
	Unlike  []Sample // outputs that look alike, and that it is not the cause of
	Line    int
}

// Sample is what a failed command printed.
type Sample struct {
	Text    string // without the facts
	Command string
	Exit    string
	Phase   string
	Line    int
}

// The bounds of samples.
const (
	maxSamples     = 10      // of one key
	maxSampleBytes = 8 << 10 // of one
)

// Own lists the team's own causes, for [diagnose.Diagnose].
func (s *Settings) Own() []diagnose.Cause {
	list := make([]diagnose.Cause, 0, len(s.Causes))
	for i := range s.Causes {
		list = append(list, s.Causes[i].Cause)
	}
	return list
}

func (r *reader) causes(items iter.Seq[object]) []Cause {
	var list []Cause
	lines := map[string]int{}
	size := 0
	for o := range items {
		if len(list) == diagnose.MaxOwn {
			r.problem(o.node, o.path, "there are more than %d causes, and each costs time at each failed build; keep "+
				"those that help", diagnose.MaxOwn)
			return list
		}
		c, name := r.cause(o)
		list = append(list, c)
		if first, dup := lines[name]; dup {
			o.problem("name", "a cause %q is there already, in line %d; remove one, or put their rules together",
				clip(name), first)
		} else if name != "" {
			lines[name] = o.node.Line
		}
		before := size
		if size += c.Size(); size > diagnose.MaxPrograms && before <= diagnose.MaxPrograms {
			r.problem(o.node, o.path, "up to here the patterns of all causes have %d steps, more than %d, and each "+
				"character of a log may cost as many; write words under says in place of patterns, and smaller repeats",
				size, diagnose.MaxPrograms)
		}
	}
	return list
}

// cause reads one cause; the name is there even where the cause is not taken.
func (r *reader) cause(o object) (c Cause, name string) {
	own := diagnose.Own{
		Name:      o.required("name", "write lower-case words with hyphens, such as test-pool-empty"),
		Title:     o.required("title", "say what happened"),
		Advice:    o.required("advice", "say what a person can do"),
		Remedy:    diagnose.Remedy(o.oneOf("remedy")),
		Retryable: o.boolean("retryable"),
		Last:      o.integer("last"),
	}
	var rules []object
	for m := range o.each("match") {
		rules = append(rules, m)
		own.Match = append(own.Match, diagnose.OwnRule{
			Says: m.words("says"), Not: m.words("not"), Also: m.words("also"), Like: m.text("like"),
			First: m.oneOf("pick") == "first", Exit: m.words("exit"), Command: m.words("command"), Phase: m.phases("phase"),
			Report: m.oneOf("remedy") == string(diagnose.Report),
		})
	}
	c = Cause{Samples: o.samples("samples"), Unlike: o.samples("unlike"), Line: o.node.Line}
	if !o.has("match") {
		o.problem("match", "missing; give rules, such as [{says: words of the line that tells}]")
	}
	if !o.has("samples") {
		o.problem("samples", "missing; give the output of a failed command that it is the cause of; check diagnoses it")
	}
	if len(r.problems) > o.before {
		return c, own.Name // what follows would only repeat them in other words
	}
	var flaws []diagnose.Flaw
	c.Cause, flaws = diagnose.NewCause(own)
	for _, f := range flaws {
		at := o
		if f.Rule >= 0 {
			at = rules[f.Rule]
		}
		at.problem(f.Key, "%s", f.Text)
	}
	return c, own.Name
}

// words gives a text, or each text of a list; a number counts as one.
func (o object) words(key string) []string {
	n := o.value(key)
	if n == nil {
		return nil
	}
	items := []item{{n, o.at(key)}}
	if n.Kind == yaml.SequenceNode {
		items = o.r.items(n, o.at(key))
	}
	var list []string
	for _, it := range items {
		if s, ok := o.r.scalar(it.node, it.path, "text", "!!str", "!!int"); ok {
			list = append(list, s)
		}
	}
	if len(list) == 0 && n.Kind == yaml.SequenceNode && len(items) == 0 {
		o.problem(key, "the list is empty; write a text, or leave it out")
	}
	return list
}

// phases gives the phases of a build in which commands run.
func (o object) phases(key string) []string {
	list := o.words(key)
	for _, s := range list {
		if !slices.Contains(commandPhases, s) {
			o.problem(key, "%q is not a phase with commands%s", clip(s), suggest(s, commandPhases, among(commandPhases)))
		}
	}
	return list
}

var commandPhases = []string{"INSTALL", "PRE_BUILD", "BUILD", "POST_BUILD"}

// samples reads outputs of failed commands. A line that begins with %command, %exit or %phase is a
// fact of the build.
func (o object) samples(key string) []Sample {
	var list []Sample
	items := o.items(key)
	if len(items) > maxSamples {
		o.problem(key, "there are %d, more than %d; keep those that differ", len(items), maxSamples)
		return nil
	}
	for _, it := range items {
		text, ok := o.r.scalar(it.node, it.path, "the output of a failed command", "!!str")
		if !ok {
			continue
		}
		if len(text) > maxSampleBytes {
			o.r.problem(it.node, it.path, "it has %d bytes, more than %d; keep the lines around the one that tells",
				len(text), maxSampleBytes)
			continue
		}
		s := Sample{Line: it.node.Line}
		var out strings.Builder
		for l := range strings.Lines(text) {
			fact, value, _ := strings.Cut(strings.TrimSpace(l), " ")
			switch fact {
			case "%command":
				s.Command = value
			case "%exit":
				s.Exit = value
			case "%phase":
				s.Phase = value
			default:
				out.WriteString(l)
			}
		}
		if s.Text = out.String(); strings.TrimSpace(s.Text) == "" {
			o.r.problem(it.node, it.path, "there is no line of an output in it")
			continue
		}
		list = append(list, s)
	}
	return list
}

// failure is the failure that the sample shows.
func (s Sample) failure() buildlog.Failure {
	f := buildlog.ReadText(codebuild.Build{Status: codebuild.Failed}, s.Text)
	f.Command, f.Exit = s.Command, s.Exit
	if s.Phase != "" {
		f.Phase = s.Phase
	}
	return f
}

// runSamples diagnoses the samples of the team's own causes, and tells which are diagnosed as
// something else than they should.
func runSamples(s *Settings) []Problem {
	var list []Problem
	own := s.Own()
	for i := range s.Causes {
		c := &s.Causes[i]
		for k, sample := range c.Samples {
			if text := c.missed(sample.failure(), own); text != "" {
				list = append(list, Problem{sample.Line, fmt.Sprintf("causes[%d].samples[%d]", i, k), text})
			}
		}
		for k, sample := range c.Unlike {
			if d := diagnose.Diagnose(sample.failure(), own...); d.Cause == c.Name {
				list = append(list, Problem{sample.Line, fmt.Sprintf("causes[%d].unlike[%d]", i, k),
					fmt.Sprintf("failed: it is diagnosed as %s, by %q; make the rule narrower", c.Name, clip(d.Evidence.Text))})
			}
		}
	}
	return list
}

// missed says what is wrong with the diagnosis of a sample.
func (c *Cause) missed(f buildlog.Failure, own []diagnose.Cause) string {
	d := diagnose.Diagnose(f, own...)
	unmet := c.Unmet(f)
	switch {
	case d.Cause != c.Name && len(d.Denials) > 0 && diagnose.OfDenial(d.Cause):
		return fmt.Sprintf("failed: it is diagnosed as %s, by %q; what AWS denies goes before any cause of your own", d.Cause,
			clip(d.Evidence.Text))
	case d.Cause != c.Name && unmet != "":
		return fmt.Sprintf("failed: it is diagnosed as %s, by %q; %s", d.Cause, clip(d.Evidence.Text), unmet)
	case d.Cause != c.Name:
		return fmt.Sprintf("failed: it is diagnosed as %s, by %q; `buildmedic explain %s` says what that is. A cause of "+
			"your own comes behind the built-in ones of one tool, and before the general ones", d.Cause,
			clip(d.Evidence.Text), d.Cause)
	case strings.Contains(d.Title+d.Advice, "{"):
		return fmt.Sprintf("failed: a placeholder is left in %q; its group found nothing here", clip(d.Title+": "+d.Advice))
	}
	return ""
}

// SampleCount is how many samples the team's own causes have.
func (s *Settings) SampleCount() (n int) {
	for i := range s.Causes {
		n += len(s.Causes[i].Samples) + len(s.Causes[i].Unlike)
	}
	return n
}
