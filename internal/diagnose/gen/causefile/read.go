// Package causefile reads causes.yaml strictly and writes it as Go, so that
// neither a diagnosis nor the start of the Lambda function waits for a YAML
// parser.
package causefile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/diagnose"
)

// Generate turns the text of causes.yaml into the text of causes_gen.go. The
// error names every entry that is not well formed.
func Generate(data []byte) ([]byte, error) {
	list, general, err := read(data)
	if err != nil {
		return nil, fmt.Errorf("reading causes.yaml: %w", err)
	}
	return write(list, general)
}

// cause is one entry; causes.yaml documents the fields.
type cause struct {
	Name      string          `yaml:"name"`
	Title     string          `yaml:"title"`
	Advice    string          `yaml:"advice"`
	Remedy    diagnose.Remedy `yaml:"remedy"`
	Retryable bool            `yaml:"retryable"`
	When      *when           `yaml:"when"`
	Last      int             `yaml:"last"`
	Unlogged  string          `yaml:"unlogged"`
	Shows     words           `yaml:"shows"`
	Quotes    bool            `yaml:"quotes"`
	Vague     bool            `yaml:"vague"`
	Tests     bool            `yaml:"tests"`
	Match     []rule          `yaml:"match"`
}

// when is a condition on the build's record.
type when struct {
	Environment  words `yaml:"environment"`
	VPC          *bool `yaml:"vpc"`
	Fleet        *bool `yaml:"fleet"`
	DockerServer *bool `yaml:"docker_server"`
	Privileged   *bool `yaml:"privileged"`
	Internet     *bool `yaml:"internet"`
}

type rule struct {
	Status      words           `yaml:"status"`
	Phase       words           `yaml:"phase"`
	Code        words           `yaml:"code"`
	Exit        words           `yaml:"exit"`
	Command     words           `yaml:"command"`
	NoLog       bool            `yaml:"nolog"`
	Denial      *denial         `yaml:"denial"`
	Says        words           `yaml:"says"`
	Not         words           `yaml:"not"`
	Also        words           `yaml:"also"`
	Like        string          `yaml:"like"`
	AWS         string          `yaml:"aws"`
	Pick        string          `yaml:"pick"`
	Any         string          `yaml:"any"`
	Sure        bool            `yaml:"sure"`
	Consequence bool            `yaml:"consequence"`
	Shared      bool            `yaml:"shared"`
	Remedy      diagnose.Remedy `yaml:"remedy"`
}

type denial struct {
	Layer     words  `yaml:"layer"`
	Effect    words  `yaml:"effect"`
	Action    string `yaml:"action"`
	Operation words  `yaml:"operation"`
	Actions   words  `yaml:"actions"`
	Whose     string `yaml:"whose"`
	Bare      bool   `yaml:"bare"`
	Reason    string `yaml:"reason"`
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
// errors. It returns all causes, and where the general ones begin.
func read(data []byte) (list []cause, general int, err error) {
	var file struct {
		Version int     `yaml:"version"`
		Causes  []cause `yaml:"causes"`
		General []cause `yaml:"general"`
	}
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	if err := d.Decode(&file); err != nil {
		return nil, 0, err
	}
	if err := d.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, 0, errors.New("there is a second YAML document (---); want one")
	}
	if file.Version != 1 {
		return nil, 0, fmt.Errorf("version is %d, want 1", file.Version)
	}
	if len(file.Causes) == 0 || len(file.General) == 0 {
		return nil, 0, errors.New("there are no causes, or no general ones")
	}
	list = slices.Concat(file.Causes, file.General)
	var errs []error
	seen := map[string]bool{}
	for i, c := range list {
		if err := c.check(); err != nil {
			errs = append(errs, fmt.Errorf("cause %d, %q: %w", i+1, c.Name, err))
		}
		if seen[c.Name] {
			errs = append(errs, fmt.Errorf("cause %d, %q: an earlier cause has this name", i+1, c.Name))
		}
		seen[c.Name] = true
	}
	return list, len(file.Causes), errors.Join(errs...)
}

var nameForm = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)

func (c *cause) check() error {
	var errs []error
	say := func(format string, a ...any) { errs = append(errs, fmt.Errorf(format, a...)) }
	if !nameForm.MatchString(c.Name) {
		say("the name must be kebab-case, such as disk-full")
	}
	if c.Title == "" || strings.HasSuffix(c.Title, ".") || strings.Contains(c.Title, "\n") {
		say("the title must be one line without a full stop")
	}
	if !strings.HasSuffix(c.Advice, ".") || strings.Contains(c.Advice, "\n") {
		say("the advice must be whole sentences in one paragraph")
	}
	if c.Unlogged != "" && (!strings.HasSuffix(c.Unlogged, ".") || strings.Contains(c.Unlogged, "\n")) {
		say("unlogged must be whole sentences in one paragraph")
	}
	if !slices.Contains(causeRemedies(), c.Remedy) {
		say("remedy %q is not one of %s", c.Remedy, causeRemedies())
	}
	if c.Retryable && c.Remedy != diagnose.Report {
		say("retryable is for remedy report; remedy %s says by itself whether a retry can help", c.Remedy)
	}
	if c.Last < 0 {
		say("last is negative")
	}
	if c.When != nil {
		if err := c.When.check(); err != nil {
			say("when: %w", err)
		}
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

// causeRemedies lists the remedies that a cause may have: only the settings
// choose another role.
func causeRemedies() []diagnose.Remedy {
	return slices.DeleteFunc(slices.Clone(diagnose.Remedies), func(r diagnose.Remedy) bool { return r == diagnose.SwitchRole })
}

func (w *when) check() error {
	if len(w.fields()) == 0 {
		return errors.New("there is no condition")
	}
	for _, e := range w.Environment {
		if !slices.Contains(environments, e) {
			return fmt.Errorf("environment %q, want words of %s", e, environments)
		}
	}
	return nil
}

func (r *rule) check() error {
	switch {
	case r.AWS != "" && (r.Says != nil || r.Denial != nil || r.Code != nil || r.Any != ""):
		return errors.New("aws stands in place of says, denial, code and any")
	case r.Says == nil && (r.Like != "" || r.AWS == "" && (r.Not != nil || r.Also != nil || r.Pick != "")):
		return errors.New("like, not, also and pick need says; the last three may stand beside aws")
	case r.Consequence && (r.Says == nil && r.AWS == "" && r.Any != "pointed" || r.Sure || r.Denial != nil):
		return errors.New("consequence needs says, aws or any: pointed, and neither sure nor denial")
	case r.Shared && !r.Consequence:
		return errors.New("shared needs consequence: words of many tools never hide what one says")
	case r.Sure && (r.Says == nil || r.Denial != nil || r.Code != nil):
		return errors.New("sure needs says, and neither denial nor code: it is about a line of the output")
	case r.Says == nil && r.AWS == "" && r.Status == nil && r.Phase == nil && r.Code == nil && r.Exit == nil && r.Command == nil &&
		r.Denial == nil && r.Any == "":
		return errors.New("the rule has no condition")
	case r.Pick != "" && r.Pick != "first" && r.Pick != "last":
		return fmt.Errorf("pick is %q, want first or last", r.Pick)
	case r.Any != "" && !slices.Contains([]string{"command", "test", "unanswered", "pointed", "failure"}, r.Any):
		return fmt.Errorf("any is %q, want command, test, unanswered, pointed or failure", r.Any)
	case r.Remedy != "" && r.Remedy != diagnose.Report:
		return fmt.Errorf("remedy is %q; a rule may only change it to report", r.Remedy)
	}
	if _, err := regexp.Compile(r.Like); err != nil {
		return fmt.Errorf("like: %w", err)
	}
	if _, err := regexp.Compile(r.AWS); err != nil {
		return fmt.Errorf("aws: %w", err)
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
		"DOWNLOAD_BATCHSPEC", "IN_PROGRESS", "COMBINE_ARTIFACTS", // of a batch itself
		"START", // none of CodeBuild's: a start that was refused
	}
	environments = []string{"LINUX", "ARM", "WINDOWS", "MAC", "LAMBDA", "EC2", "GPU", "CONTAINER"}
	layers       = []buildlog.Layer{
		buildlog.IdentityBased, buildlog.ResourceBased, buildlog.PermissionsBoundary, buildlog.SessionPolicy,
		buildlog.ServiceControl, buildlog.ResourceControl, buildlog.VPCEndpoint, buildlog.RoleTrust, buildlog.LayerUnstated,
	}
	effects = []buildlog.Effect{buildlog.Implicit, buildlog.Explicit, buildlog.Unstated}
)
