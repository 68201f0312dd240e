//go:build crosscheck

package permissions_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/crosscheck"
	"github.com/buildmedic/buildmedic/internal/floor"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
)

// events are builds of the projects and of others, of all states and origins,
// and events that CodeBuild does not send.
func events(t *testing.T, projects []string) []map[string]any {
	t.Helper()
	statuses := []string{"FAILED", "FAULT", "TIMED_OUT", "SUCCEEDED", "STOPPED", "IN_PROGRESS", "failed", ""}
	initiators := []string{"alice", "codepipeline/shop", "GitHub-Hookshot/0123abc",
		"buildmedic-hub-us-west-2/buildmedic", "buildmedic-hub-us-west-2/",
		"buildmedic-hub-us-west-2", "buildmedic-hub-us-west-2b/x", "Buildmedic-hub-us-west-2/buildmedic",
		"x/buildmedic-hub-us-west-2/",
		"buildmedic-member/buildmedic", "buildmedic-member", ""}
	var others []string
	for _, name := range projects {
		others = append(others, name+"-2", name[:len(name)-1], strings.ToUpper(name)+"!", name+" ")
	}
	var out []map[string]any
	for _, project := range slices.Concat(projects, others, []string{"payroll", "", "*"}) {
		for _, status := range statuses {
			for _, initiator := range initiators {
				out = append(out, event(t, project, status, initiator))
			}
		}
	}
	// The same builds in a member account.
	for _, project := range projects {
		for _, status := range statuses {
			for _, initiator := range initiators {
				out = append(out, changed(event(t, project, status, initiator), "account", "444455556666"))
			}
		}
	}
	// Of each project, one that fails and one that we retried, with one thing
	// other than CodeBuild sends it.
	for _, project := range projects {
		for _, e := range [][2]string{{"FAILED", "alice"}, {"SUCCEEDED",
			"buildmedic-hub-us-west-2/b"}, {"STOPPED", "buildmedic-member/b"}} {
			for _, value := range []any{nil, "", "x", true, 1.0, map[string]any{},
				map[string]any{"prefix": "FAILED"}, "444455556666"} {
				for _, path := range []string{"source", "detail-type", "account", "detail",
					"detail.build-status", "detail.project-name",
					"detail.additional-information", "detail.additional-information.initiator"} {
					out = append(out, changed(event(t, project, e[0], e[1]), path, value))
				}
			}
			out = append(out, changed(event(t, project, e[0], e[1]), "more", []any{"x"}), changed(event(t,
				project, e[0], e[1]), "detail.Build-Status", "STOPPED"))
		}
	}
	return out
}

// actionEvents are actions of the pipelines and of others, of all states and providers, and events that
// CodePipeline does not send.
func actionEvents(pipelines []string) (out []map[string]any) {
	action := func(pipeline, state, provider, in string) map[string]any {
		return map[string]any{"version": "0", "id": "1", "source": "aws.codepipeline", "account": in, "region": "us-west-2",
			"detail-type": "CodePipeline Action Execution State Change", "resources": []any{},
			"detail": map[string]any{"pipeline": pipeline, "state": state, "stage": "Build", "action": "Build", "version": 1.0,
				"type": map[string]any{"owner": "AWS", "provider": provider, "category": "Build", "version": "1"}}}
	}
	all := []string{"payroll", "", "*"}
	for _, name := range pipelines {
		all = append(all, name, name+"-2", name[:len(name)-1], strings.ToUpper(name))
	}
	for _, in := range []string{account, "444455556666"} {
		for _, pipeline := range all {
			for _, state := range []string{"FAILED", "SUCCEEDED", "STARTED", "CANCELED", "ABANDONED", "failed", ""} {
				for _, provider := range []string{"CodeBuild", "Commands", "Lambda", "Manual", "codebuild", ""} {
					out = append(out, action(pipeline, state, provider, in))
				}
			}
		}
		for _, pipeline := range pipelines {
			for _, value := range []any{nil, "", "x", true, 1.0, map[string]any{}, "444455556666"} {
				for _, path := range []string{"source", "detail-type", "account", "detail", "detail.state", "detail.pipeline",
					"detail.type", "detail.type.provider"} {
					out = append(out, changed(action(pipeline, "FAILED", "CodeBuild", in), path, value))
				}
			}
			out = append(out, changed(action(pipeline, "FAILED", "Commands", in), "more", []any{"x"}))
		}
	}
	return out
}

// changed puts the value at the path; nil takes away what is there.
func changed(e map[string]any, path string, value any) map[string]any {
	at, keys := e, strings.Split(path, ".")
	for _, key := range keys[:len(keys)-1] {
		at = at[key].(map[string]any)
	}
	if last := keys[len(keys)-1]; value == nil {
		delete(at, last)
	} else {
		at[last] = value
	}
	return e
}

// The patterns of all rules take of all events those that AWS's own library
// takes, which EventBridge runs; the tests of this package judge by matches.
func TestCrossCheckPatterns(t *testing.T) {
	t.Parallel()
	type question struct {
		Pattern any            `json:"pattern"`
		Event   map[string]any `json:"event"`
	}
	var questions []question
	var rules []string
	for _, file := range []string{shipped, seed, member} {
		all := load(t, file).of("AWS::Events::Rule")
		for _, id := range slices.Sorted(maps.Keys(all)) {
			p := all[id].Properties["EventPattern"]
			if p == nil {
				continue
			}
			projects := []string{"TrackerAPI"}
			detail, _ := p.(map[string]any)["detail"].(map[string]any)
			if names, ok := detail["project-name"].([]any); ok { // a hub's rule for its members names none
				projects = nil
				for _, name := range names {
					projects = append(projects, name.(string))
				}
			}
			pipelines := []string{"qivr-main"}
			if names, ok := detail["pipeline"].([]any); ok {
				pipelines = nil
				for _, name := range names {
					pipelines = append(pipelines, name.(string))
				}
			}
			for _, e := range append(events(t, projects), actionEvents(pipelines)...) {
				questions, rules = append(questions, question{p, e}), append(rules, file+" "+id)
			}
		}
	}
	var input []byte
	for _, q := range questions {
		line, err := json.Marshal(q)
		if err != nil {
			t.Fatal(err)
		}
		input = append(append(input, line...), '\n')
	}
	answers := crosscheck.Lines(t, crosscheck.EventRuler(t), input)
	if len(answers) != len(questions) {
		t.Fatalf("event-ruler answered %d of %d questions", len(answers), len(questions))
	}
	counts := map[string]map[string]int{}
	for i, answer := range answers {
		if counts[rules[i]] == nil {
			counts[rules[i]] = map[string]int{}
		}
		counts[rules[i]][answer]++
		if got := matches(t, questions[i].Pattern, questions[i].Event); answer != map[bool]string{true: "true",
			false: "false"}[got] {
			t.Errorf("%s: we say %v, event-ruler says %s of %s", rules[i], got, answer, text(questions[i].Event))
		}
	}
	for rule, n := range counts {
		if n["true"] < 3 || n["false"] < 100 {
			t.Errorf("%s takes %d events and leaves %d: the test shows little", rule, n["true"], n["false"])
		}
	}
	t.Logf("%d events: taken and left by rule: %v", len(answers), counts)
}

// An evaluation by others, too, says that the function can do what it must and
// nothing that it must never. It also checks that the actions exist and the
// resources fit them.
func TestCrossCheckRole(t *testing.T) {
	t.Parallel()
	tpl := load(t, seed)
	_, docs := tpl.role(t, "buildmedic-hub-"+region)
	var policies []json.RawMessage
	for _, d := range docs {
		policies = append(policies, d.Compact())
	}
	var input []byte
	var asked []string
	var allowed []bool
	ask := func(c calls, want bool) {
		for r := range c.each {
			if unlisted[r.Action] != "" {
				continue // the simulator's list is that of the service reference
			}
			context := map[string]any{}
			for key, values := range r.Context {
				if len(values) > 0 {
					context[key] = values[0]
				}
			}
			q := map[string]any{"action": r.Action, "resource": r.Resource, "context": context, "policies": policies}
			f := strings.Split(r.Resource, ":")
			if len(f) > 4 && len(f[4]) == len(account) {
				q["account"] = f[4]
			}
			// Keys and roles have to trust the account besides.
			trusts := map[string]any{"Effect": "Allow",
				"Principal": map[string]any{"AWS": "arn:aws:iam::" + account + ":root"}, "Action": r.Action}
			if strings.HasPrefix(r.Action, "kms:") {
				trusts["Resource"] = "*"
			}
			// So does an owner's topic in another account.
			if len(f) > 4 && f[2] == "sns" && f[4] != account {
				trusts["Resource"] = r.Resource
			}
			if r.Action == "sts:AssumeRole" || trusts["Resource"] != nil {
				q["resourcePolicy"] = map[string]any{"Version": "2012-10-17", "Statement": []any{trusts}}
			}
			input = append(append(input, text(q)...), '\n')
			asked, allowed = append(asked, fmt.Sprintf("%s on %s %v", r.Action, r.Resource, r.Context)),
				append(allowed, want)
		}
	}
	for _, c := range must(t, tpl) {
		ask(c, true)
	}
	for _, c := range never(ownParts(t, tpl)) {
		ask(c.calls, false)
	}
	counts := crosscheck.Verdicts(t, input, asked, allowed)
	t.Logf("%d calls that the function must or must never be able to make: %v", len(asked), counts)
}

// named finds which of the actions that no service reference lists a warning is about.
func named(warning string) (action string, ok bool) {
	for a := range unlisted {
		_, name, _ := strings.Cut(a, ":")
		if strings.HasPrefix(warning, "'"+strings.ToLower(name)+"' is not one of ") {
			return a, true
		}
	}
	return "", false
}

// Neither the templates nor the policies that a grant of a set makes have an
// error or a warning of cfn-lint's; it knows properties, their types and
// values, and which actions there are.
func TestCrossCheckTemplates(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name string, resources map[string]any) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text(map[string]any{"Resources": resources})), 0o666); err != nil {
			t.Fatal(err)
		}
		return path
	}
	policy := func(actions ...string) any {
		doc := iampolicy.Document{Version: "2012-10-17", Statements: []iampolicy.Statement{iampolicy.Allow("set",
			actions, []string{"*"})}}
		return map[string]any{"Type": "AWS::IAM::ManagedPolicy",
			"Properties": map[string]any{"PolicyDocument": json.RawMessage(doc.Compact())}}
	}
	sets := map[string]any{}
	for i, set := range floor.Sets() {
		sets[fmt.Sprintf("Set%d", i)] = policy(set.Actions...)
	}
	// Of a template that is wrong in two ways both must be found.
	wrong := map[string]any{"Policy": policy("sqs:SendMessages"),
		"Queue": map[string]any{"Type": "AWS::SQS::Queue", "Properties": map[string]any{"VisibilityTimeout": "soon"}}}
	args := []string{"--format", "json", "--non-zero-exit-code", "none", "--", write("sets.json", sets),
		write("wrong.json", wrong)}
	templates := []string{shipped, seed, member, inCode, inCodeMember}
	for _, file := range templates {
		path, err := filepath.Abs(filepath.Join("../../infra/testdata", file))
		if err != nil {
			t.Fatal(err)
		}
		args = append(args, path)
	}
	var found []struct {
		Filename, Level, Message string
		Location                 struct{ Start struct{ LineNumber int } }
		Rule                     struct{ ID string }
	}
	out := crosscheck.Lines(t, crosscheck.CfnLint(t, args...), nil)
	if err := json.Unmarshal([]byte(strings.Join(out, "\n")), &found); err != nil {
		t.Fatalf("cfn-lint: %v", err)
	}
	ours, unknown := 0, map[string]bool{}
	inWrong := map[string]int{}
	for _, f := range found {
		if name := filepath.Base(f.Filename); name == "wrong.json" {
			inWrong[f.Rule.ID]++
		} else if action, ok := named(f.Message); ok && f.Rule.ID == "W3037" {
			unknown[action] = true
		} else {
			ours++
			t.Errorf("%s:%d: %s %s: %s", name, f.Location.Start.LineNumber, f.Level, f.Rule.ID, f.Message)
		}
	}
	if want := map[string]int{"E3012": 1, "W3037": 1}; !maps.Equal(inWrong, want) {
		t.Errorf("in the wrong template it finds %v, want %v", inWrong, want)
	}
	if len(unknown) != len(unlisted) {
		t.Errorf("actions that cfn-lint does not know: %v, want those that the service reference does not list", unknown)
	}
	t.Logf("%d templates and %d sets: %d errors and warnings", len(templates), len(sets), ours)
}
