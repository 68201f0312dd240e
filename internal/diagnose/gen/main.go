// Command gen reads causes.yaml strictly and writes it as Go, so that neither
// a failure nor the start of a Lambda function waits for a YAML parser.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"go/format"
	"io"
	"log"
	"os"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/diagnose"
)

func main() {
	log.SetFlags(0)
	if err := run("causes.yaml", "causes_gen.go"); err != nil {
		log.Fatalf("gen: %v", err)
	}
}

func run(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	list, err := read(data)
	if err != nil {
		return fmt.Errorf("reading %s: %w", from, err)
	}
	code, err := write(list)
	if err != nil {
		return err
	}
	return os.WriteFile(to, code, 0o644)
}

// cause is one entry; causes.yaml documents the fields.
type cause struct {
	Name      string          `yaml:"name"`
	Title     string          `yaml:"title"`
	Advice    string          `yaml:"advice"`
	Remedy    diagnose.Remedy `yaml:"remedy"`
	Retryable bool            `yaml:"retryable"`
	Last      int             `yaml:"last"`
	Quotes    bool            `yaml:"quotes"`
	Match     []rule          `yaml:"match"`
}

type rule struct {
	Status  words           `yaml:"status"`
	Phase   words           `yaml:"phase"`
	Code    words           `yaml:"code"`
	Exit    words           `yaml:"exit"`
	Command words           `yaml:"command"`
	Denial  *denial         `yaml:"denial"`
	Says    words           `yaml:"says"`
	Not     words           `yaml:"not"`
	Also    words           `yaml:"also"`
	Like    string          `yaml:"like"`
	Pick    string          `yaml:"pick"`
	Any     string          `yaml:"any"`
	Remedy  diagnose.Remedy `yaml:"remedy"`
}

type denial struct {
	Layer     words  `yaml:"layer"`
	Effect    words  `yaml:"effect"`
	Action    string `yaml:"action"`
	Operation words  `yaml:"operation"`
	Whose     string `yaml:"whose"`
	Every     bool   `yaml:"every"`
}

// words is one string or a list of them.
type words []string

// UnmarshalYAML takes a scalar or a sequence of scalars; neither may be empty.
func (w *words) UnmarshalYAML(n *yaml.Node) error {
	*w = nil
	nodes := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		nodes = n.Content
	}
	for _, n := range nodes {
		if n.Kind != yaml.ScalarNode || n.Value == "" {
			return fmt.Errorf("line %d: want text or a list of texts, none empty", n.Line)
		}
		*w = append(*w, n.Value)
	}
	if len(*w) == 0 {
		return fmt.Errorf("line %d: the list is empty", n.Line)
	}
	return nil
}

// read reads the document strictly: unknown keys, unknown values, duplicate
// names, regular expressions that do not compile and a second document are
// errors.
func read(data []byte) ([]cause, error) {
	var file struct {
		Version int     `yaml:"version"`
		Causes  []cause `yaml:"causes"`
	}
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	if err := d.Decode(&file); err != nil {
		return nil, err
	}
	if err := d.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is more after the first document")
	}
	if file.Version != 1 {
		return nil, fmt.Errorf("version is %d, want 1", file.Version)
	}
	if len(file.Causes) == 0 {
		return nil, errors.New("there are no causes")
	}
	var errs []error
	seen := map[string]bool{}
	for i, c := range file.Causes {
		if err := c.check(); err != nil {
			errs = append(errs, fmt.Errorf("cause %d, %q: %w", i+1, c.Name, err))
		}
		if seen[c.Name] {
			errs = append(errs, fmt.Errorf("cause %d, %q: the name is taken", i+1, c.Name))
		}
		seen[c.Name] = true
	}
	return file.Causes, errors.Join(errs...)
}

var nameForm = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)

func (c *cause) check() error {
	var errs []error
	say := func(format string, a ...any) { errs = append(errs, fmt.Errorf(format, a...)) }
	if !nameForm.MatchString(c.Name) {
		say("the name is not kebab-case")
	}
	if c.Title == "" || strings.HasSuffix(c.Title, ".") || strings.Contains(c.Title, "\n") {
		say("the title must be one line without a full stop")
	}
	if !strings.HasSuffix(c.Advice, ".") || strings.Contains(c.Advice, "\n") {
		say("the advice must be whole sentences in one paragraph")
	}
	if !slices.Contains(diagnose.Remedies, c.Remedy) || c.Remedy == diagnose.SwitchRole {
		say("remedy %q is none that a cause may have", c.Remedy)
	}
	if c.Remedy == diagnose.Retry && !c.Retryable {
		say("the remedy is retry, but the cause is not retryable")
	}
	if c.Last < 0 {
		say("last is negative")
	}
	if len(c.Match) == 0 {
		say("there is no rule")
	}
	for i := range c.Match {
		if err := c.Match[i].check(); err != nil {
			say("rule %d: %w", i+1, err)
		}
	}
	return errors.Join(errs...)
}

func (r *rule) check() error {
	switch {
	case r.Says == nil && (r.Like != "" || r.Not != nil || r.Also != nil || r.Pick != ""):
		return errors.New("like, not, also and pick need says")
	case r.Says == nil && r.Status == nil && r.Phase == nil && r.Code == nil && r.Exit == nil && r.Denial == nil && r.Any == "":
		return errors.New("the rule asks for nothing")
	case r.Pick != "" && r.Pick != "first" && r.Pick != "last":
		return fmt.Errorf("pick is %q, want first or last", r.Pick)
	case r.Any != "" && r.Any != "command" && r.Any != "failure":
		return fmt.Errorf("any is %q, want command or failure", r.Any)
	case r.Remedy != "" && r.Remedy != diagnose.Report:
		return fmt.Errorf("remedy is %q; a rule may only narrow it to report", r.Remedy)
	}
	if _, err := regexp.Compile(r.Like); err != nil {
		return err
	}
	for _, s := range r.Status {
		if !slices.Contains(statuses, s) {
			return fmt.Errorf("unknown status %q", s)
		}
	}
	for _, s := range r.Phase {
		if !slices.Contains(phases, s) {
			return fmt.Errorf("unknown phase %q", s)
		}
	}
	if r.Denial != nil {
		return r.Denial.check()
	}
	return nil
}

func (d *denial) check() error {
	if d.Action != "" && d.Action != "known" && d.Action != "unknown" {
		return fmt.Errorf("action is %q, want known or unknown", d.Action)
	}
	if d.Whose != "" && d.Whose != "other" {
		return fmt.Errorf("whose is %q, want other", d.Whose)
	}
	for _, l := range d.Layer {
		if !slices.Contains(layers, buildlog.Layer(l)) {
			return fmt.Errorf("unknown layer %q", l)
		}
	}
	for _, e := range d.Effect {
		if !slices.Contains(effects, buildlog.Effect(e)) {
			return fmt.Errorf("unknown effect %q", e)
		}
	}
	return nil
}

// The closed vocabularies of rules.
var (
	statuses = []string{"FAILED", "FAULT", "TIMED_OUT", "STOPPED"}
	phases   = []string{
		"SUBMITTED", "QUEUED", "PROVISIONING", "DOWNLOAD_SOURCE", "INSTALL", "PRE_BUILD", "BUILD", "POST_BUILD",
		"UPLOAD_ARTIFACTS", "FINALIZING", "COMPLETED",
	}
	layers = []buildlog.Layer{
		buildlog.IdentityBased, buildlog.ResourceBased, buildlog.PermissionsBoundary, buildlog.SessionPolicy,
		buildlog.ServiceControl, buildlog.ResourceControl, buildlog.VPCEndpoint, buildlog.RoleTrust, buildlog.LayerUnstated,
	}
	effects = []buildlog.Effect{buildlog.Implicit, buildlog.Explicit, buildlog.Unstated}
)

// write gives the causes as the Go source of causes_gen.go.
func write(list []cause) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("// Code generated from causes.yaml by go generate; DO NOT EDIT.\n\npackage diagnose\n\n" +
		"import \"github.com/buildmedic/buildmedic/internal/buildlog\"\n\nvar causes = []Cause{\n")
	for i := range list {
		c := &list[i]
		fmt.Fprintf(&b, "{\nName: %q,\nTitle: %q,\nAdvice: %q,\nRemedy: %q,\n", c.Name, c.Title, c.Advice, c.Remedy)
		if c.Retryable {
			b.WriteString("Retryable: true,\n")
		}
		if c.Last != 0 {
			fmt.Fprintf(&b, "last: %d,\n", c.Last)
		}
		if c.Quotes {
			b.WriteString("quotes: true,\n")
		}
		b.WriteString("rules: []rule{\n")
		for j := range c.Match {
			b.WriteString("{" + strings.Join(c.Match[j].fields(), ", ") + "},\n")
		}
		b.WriteString("},\n},\n")
	}
	b.WriteString("}\n")
	return format.Source(b.Bytes())
}

// fields gives the rule's fields that are set, as in a composite literal.
func (r *rule) fields() []string {
	var list []string
	add := func(name, format string, v any, set bool) {
		if set {
			list = append(list, fmt.Sprintf(name+": "+format, v))
		}
	}
	strs := func(name string, w words) { add(name, "%#v", []string(w), w != nil) }
	strs("status", r.Status)
	strs("phase", r.Phase)
	strs("code", r.Code)
	strs("exit", r.Exit)
	strs("command", r.Command)
	if d := r.Denial; d != nil {
		s := fmt.Sprintf("action: %q, every: %t", d.Action, d.Every)
		if d.Whose != "" {
			s += ", other: true"
		}
		if d.Operation != nil {
			s += fmt.Sprintf(", operation: %#v", []string(d.Operation))
		}
		if d.Layer != nil {
			s += fmt.Sprintf(", layer: []buildlog.Layer{%s}", quoted(d.Layer))
		}
		if d.Effect != nil {
			s += fmt.Sprintf(", effect: []buildlog.Effect{%s}", quoted(d.Effect))
		}
		add("denial", "&denialRule{%s}", s, true)
	}
	strs("says", lower(r.Says))
	strs("not", lower(r.Not))
	strs("also", lower(r.Also))
	add("like", "&pattern{source: %q}", r.Like, r.Like != "")
	add("first", "%t", true, r.Pick == "first")
	add("any", "%q", r.Any, r.Any != "")
	add("remedy", "%q", r.Remedy, r.Remedy != "")
	return list
}

func quoted(w words) string {
	var list []string
	for _, s := range w {
		list = append(list, fmt.Sprintf("%q", s))
	}
	return strings.Join(list, ", ")
}

// lower gives the words as they are compared: ASCII letters in lower case.
func lower(w words) words {
	var list words
	for _, s := range w {
		list = append(list, strings.Map(func(r rune) rune {
			if 'A' <= r && r <= 'Z' {
				r += 'a' - 'A'
			}
			return r
		}, s))
	}
	return list
}
