package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/notice"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// defaultSettings is the settings file of commands that are given none.
var defaultSettings = "infra/buildmedic.yaml"

func settingsFile(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("reading settings: %w; name the file with -settings", err)
	}
	if err != nil {
		return nil, fmt.Errorf("reading settings: %w", err)
	}
	return data, nil
}

func readSettings(path string) (*settings.Settings, error) {
	data, err := settingsFile(path)
	if err != nil {
		return nil, err
	}
	s, err := settings.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("settings %s: %w", path, err)
	}
	return s, nil
}

// planned is the whole decision, as `plan` prints it.
type planned struct {
	Diagnosis  diagnose.Diagnosis    `json:"diagnosis"`
	Remedy     diagnose.Remedy       `json:"remedy"`
	Mode       settings.Mode         `json:"mode"`
	Why        string                `json:"why"`
	Statements []iampolicy.Statement `json:"statements"`
	Policy     json.RawMessage       `json:"policy"` // the complete next document; null if nothing is written
	Target     string                `json:"target,omitempty"`
	Role       string                `json:"role,omitempty"` // whose it is, if not the build's
	Route      decide.Route          `json:"route,omitempty"`
	Refusals   []guardrail.Refusal   `json:"refusals"`
	Approval   bool                  `json:"approval"` // a person must approve it, whatever the mode
	Hash       string                `json:"hash"`     // of the plan; "" without one
	Settings   string                `json:"settings"`
}

func runPlan(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	fs := flags("plan", "[-settings F] -build B.json [-log L] [-policies P.json] [-patch FILE]",
		"Decides about one failed build, and prints the whole decision as JSON. It uses no AWS.\n"+
			"B.json is a build as `aws codebuild batch-get-builds` prints it, the whole answer or one element.\n"+
			"L is its log, gzip, UTF-16 or plain; - is standard input; without it only the phase contexts are read.\n"+
			"P.json holds what the role has now: {\"inline\":{\"NAME\":{...}},\"managed\":{\"ARN\":{...}},\"boundary\":{...}}.\n"+
			"Without it the role has no policies, so what goes into a managed policy needs it. Where another role of the\n"+
			"project's deployment was denied, they are that role's.\n"+
			"FILE is a policy document in a checkout, such as aws/iam-policy-codebuild.json: with it, what would be\n"+
			"granted is printed as a patch of that file, for `git apply`.",
		"buildmedic plan -settings infra/buildmedic.yaml -build build.json -log build.log", stderr)
	settingsPath := fs.String("settings", defaultSettings, "settings file")
	buildPath := fs.String("build", "", "build record")
	logPath := fs.String("log", "", "build log")
	policiesPath := fs.String("policies", "", "the role's present policies")
	patch := fs.String("patch", "", "policy document in a checkout: print a patch of it")
	if done, code := parse(fs, args, stdout); done {
		return code
	}
	if *buildPath == "" || fs.NArg() > 0 {
		return wrong(fs, "name the build record with -build B.json; it takes flags only")
	}
	s, err := readSettings(*settingsPath)
	if err != nil {
		return fail(stderr, err)
	}
	b, err := readBuild(*buildPath)
	if err != nil {
		return fail(stderr, err)
	}
	if b.Status == codebuild.Succeeded || b.Status == codebuild.InProgress {
		return fail(stderr, fmt.Errorf("build %s did not fail: its status is %s", b.ID, b.Status))
	}
	failure, err := readLog(b, *logPath, stdin)
	if err != nil {
		return fail(stderr, err)
	}
	if _, home, listed := project(s, b); !listed {
		fmt.Fprintf(stderr, "note: %s lists no project %q in account %s and region %s, so nothing is done for its builds.\n"+
			"This is what would be decided if it were listed with mode: observe and no grants.\n",
			*settingsPath, b.Project, home.ID, home.Region)
	}
	state, err := readPolicies(*policiesPath, b, s)
	if err != nil {
		return fail(stderr, err)
	}
	p, err := plan(ctx, s, b, failure, state)
	if err != nil {
		return fail(stderr, err)
	}
	if at, _, _ := project(s, b); p.Policy != nil && at.PullRequests != settings.Accept {
		fmt.Fprintln(stderr, "note: whether pull requests are built as the role, too, is not known here. Where they are, or "+
			"that cannot\nbe read, it waits for an approval unless the project says pull_requests: accept.")
	}
	if *patch != "" {
		if err := printPatch(stdout, stderr, p, *patch); err != nil {
			return fail(stderr, err)
		}
		return exitOK
	}
	return printJSON(stdout, stderr, p)
}

func printJSON(stdout, stderr io.Writer, v any) int {
	if err := writeJSON(stdout, "  ", v); err != nil {
		return fail(stderr, fmt.Errorf("printing: %w", err))
	}
	return exitOK
}

// writeJSON writes v as JSON, with a line end behind it. Somebody may read it in
// a terminal, and what is in it comes from logs.
func writeJSON(w io.Writer, indent string, v any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	if err := e.Encode(v); err != nil {
		return err
	}
	_, err := io.WriteString(w, notice.VisibleJSON(b.String()))
	return err
}

func readBuild(path string) (codebuild.Build, error) {
	data, err := readInput("build", path)
	if err != nil {
		return codebuild.Build{}, err
	}
	var list []json.RawMessage // as --query builds makes it
	if json.Unmarshal(data, &list) == nil && len(list) == 1 {
		data = list[0]
	}
	b, err := codebuild.Decode(data)
	if err != nil {
		return b, fmt.Errorf("%w; %q should hold a build as `aws codebuild batch-get-builds` prints it", err, path)
	}
	return b, nil
}

func readLog(b codebuild.Build, path string, stdin io.Reader) (buildlog.Failure, error) {
	if path == "" {
		return buildlog.NoLog(b), nil
	}
	in, err := openInput("build log", path, stdin)
	if err != nil {
		return buildlog.Failure{}, err
	}
	defer in.Close()
	return buildlog.Read(b, in)
}

// readPolicies reads P.json. Without one the role has no policies.
func readPolicies(path string, b codebuild.Build, s *settings.Settings) (guardrail.RoleState, error) {
	role, _ := b.Role()
	state := guardrail.RoleState{Role: role, Inline: map[string]string{}}
	if path == "" {
		return state, nil
	}
	data, err := readInput("policies", path)
	if err != nil {
		return state, err
	}
	var p struct {
		Inline   map[string]json.RawMessage `json:"inline"`
		Managed  map[string]json.RawMessage `json:"managed"`
		Boundary json.RawMessage            `json:"boundary"`
	}
	in := json.NewDecoder(bytes.NewReader(data))
	in.DisallowUnknownFields() // a key that is misspelt would be a role without policies
	if err := in.Decode(&p); err != nil {
		return state, fmt.Errorf("reading policies %q: %w; the keys are inline, managed and boundary", path, err)
	}
	for name, doc := range p.Inline {
		state.Inline[name] = string(doc)
	}
	for _, arn := range slices.Sorted(maps.Keys(p.Managed)) {
		m := guardrail.ManagedPolicy{ARN: arn, Document: string(p.Managed[arn]), Default: "v1", Attached: true,
			Versions: []guardrail.Version{{ID: "v1"}}}
		state.Managed = append(state.Managed, m)
		if named := namedBy(s, b); named != "" && strings.HasSuffix(arn, ":policy/"+named) {
			state.Named = &m
		}
	}
	if len(p.Boundary) > 0 && string(p.Boundary) != "null" {
		state.Boundary = &guardrail.ManagedPolicy{ARN: "boundary", Document: string(p.Boundary)}
	}
	return state, nil
}

// namedBy is the managed policy that settings name for the build's project.
func namedBy(s *settings.Settings, b codebuild.Build) string {
	p, _, _ := project(s, b)
	return strings.TrimPrefix(p.Write.Managed, "/")
}

// project finds the build's project in settings that do not say which
// account they are for: the build's own is taken for the hub's. One that is not
// listed is taken for a project in observe.
func project(s *settings.Settings, b codebuild.Build) (p settings.Project, home settings.Account, listed bool) {
	home = settings.AccountOf(b.At())
	p, listed = s.Project(b.Project, home.ID, home.Region, home)
	if !listed {
		p = settings.Project{Name: b.Project, Mode: settings.Observe, Retry: true}
		if r, ok := b.Role(); ok {
			p.Role = r.PathName()
		}
	}
	return p, home, listed
}

// plan decides offline. The role's policies are asked in the simulator's
// place.
func plan(ctx context.Context, s *settings.Settings, b codebuild.Build, failure buildlog.Failure,
	state guardrail.RoleState) (planned, error) {
	p, home, _ := project(s, b)
	when := b.End
	if when.IsZero() {
		when = time.Now().Truncate(time.Second)
	}
	failure.Roles = p.AlsoNames()
	f := decide.Facts{Settings: s, Home: home, Project: p, Build: b,
		Diagnosis: heal.WithoutSecrets(diagnose.Diagnose(failure, s.Own()...)), Case: "desk", Role: &state, Now: when,
		PullRequests: guardrail.PullRequestBuilds{Read: true}} // runPlan says so
	if f = f.InHand(); f.Project.IsFor() { // so the policies that were given are taken for that role's
		state.Role, _ = f.RoleInHand()
		state.Named = nil
		for i, m := range state.Managed {
			if name := f.Project.Write.Managed; name != "" && strings.HasSuffix(m.ARN, ":policy/"+name) {
				state.Named = &state.Managed[i]
			}
		}
	}
	iam := offline{State: state, Now: when}
	qs := guardrail.Questions(f.Judged())
	var err error
	role, _ := f.RoleInHand()
	if f.Before, err = iam.Simulate(ctx, home, role, qs, nil); err != nil {
		return planned{}, fmt.Errorf("evaluating the role's policies: %w", err)
	}
	h := &heal.Healer{Settings: withoutAnalyzer(s), Home: home, Simulator: iam, Log: slog.New(slog.DiscardHandler)}
	d, err := h.Explain(ctx, home, f)
	if err != nil {
		return planned{}, err
	}
	out := planned{Diagnosis: f.Diagnosis, Remedy: d.Remedy, Mode: d.Mode, Why: d.Why, Approval: d.Asks,
		Statements: []iampolicy.Statement{}, Refusals: d.Refusals, Settings: s.SHA256}
	if out.Refusals == nil {
		out.Refusals = []guardrail.Refusal{}
	}
	if d.Plan != nil {
		out.Hash, out.Route = d.Plan.Hash(), d.Plan.Route
	}
	for _, u := range d.Used {
		out.Statements = append(out.Statements, u.Statements...)
	}
	if d.Plan != nil && d.Plan.Write != nil {
		out.Target = string(d.Plan.Write.Kind) + " " + d.Plan.Write.Name
		if f.Project.IsFor() {
			out.Role = d.Plan.Changes().PathName()
		}
		if d.Plan.Write.After != "" {
			out.Policy = json.RawMessage(d.Plan.Write.After)
		}
	}
	return out, nil
}

// withoutAnalyzer leaves out what cannot be asked without AWS.
func withoutAnalyzer(s *settings.Settings) *settings.Settings {
	c := *s
	c.Limits.Analyzer = false
	return &c
}
