package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/aws-cdk-go/awscdk/v2/regioninfo"
	"github.com/aws/jsii-runtime-go"

	"github.com/buildmedic/buildmedic/internal/chat"
	"github.com/buildmedic/buildmedic/internal/permissions"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// These tests need Node and the CDK's modules. What the templates must say is
// tested in the root module, on the committed ones; here it is tested that
// the app still makes these.

func TestMain(m *testing.M) {
	code := m.Run()
	jsii.Close()
	os.Exit(code)
}

const bootstrap = "testdata/bootstrap"

// staged reads the settings and lays out the function's code with them.
func staged(t *testing.T, data []byte) (*settings.Settings, string) {
	t.Helper()
	s, err := settings.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	code, err := stage(bootstrap, data)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(code) })
	return s, code
}

// synth makes the stacks and gives their templates by the stacks' names.
func synth(t *testing.T, file string, edit func(*settings.Settings)) map[string]map[string]any {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s, code := staged(t, data)
	if edit != nil {
		edit(s)
	}
	a := app(t, nil)
	if err := NewApp(a, s, code); err != nil {
		t.Fatal(err)
	}
	templates := map[string]map[string]any{}
	for _, c := range *a.Node().Children() {
		if stack, ok := c.(awscdk.Stack); ok {
			templates[*stack.StackName()] = plain(t, assertions.Template_FromStack(stack, nil).ToJSON())
		}
	}
	return templates
}

// app is the app as the CDK's command would start it: with the context of
// cdk.json, and that of its own -c.
func app(t *testing.T, own map[string]any) awscdk.App {
	t.Helper()
	data, err := os.ReadFile("../cdk.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Context map[string]any }
	if err := json.Unmarshal(data, &file); err != nil || len(file.Context) == 0 {
		t.Fatalf("cdk.json has no context: %v", err)
	}
	maps.Copy(file.Context, own)
	return awscdk.NewApp(&awscdk.AppProps{AnalyticsReporting: jsii.Bool(false), Context: &file.Context})
}

// plain is v as JSON reads it.
func plain(t *testing.T, v any) map[string]any {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestGolden(t *testing.T) {
	for _, c := range []struct{ settings, stack, golden string }{
		{"testdata/shipped.yaml", "Buildmedic", "testdata/template.shipped.json"},
		{"testdata/seed.yaml", "Buildmedic", "testdata/template.seed.json"},
		{"testdata/seed.yaml", "BuildmedicMember", "testdata/template.member.json"},
		{"testdata/code.yaml", "Buildmedic", "testdata/template.code.json"},
		{"testdata/code.yaml", "BuildmedicMember", "testdata/template.code-member.json"},
	} {
		t.Run(filepath.Base(c.golden), func(t *testing.T) {
			data, err := os.ReadFile(c.golden)
			if err != nil {
				t.Fatal(err)
			}
			var want map[string]any
			if err := json.Unmarshal(data, &want); err != nil {
				t.Fatal(err)
			}
			got := synth(t, c.settings, nil)[c.stack]
			if where := difference("", want, got); where != "" {
				t.Errorf("the app makes another template than %s; make synth-golden renews it:\n%s", c.golden, where)
			}
		})
	}
}

// difference tells where two values differ, the first place only.
func difference(path string, want, got any) string {
	if reflect.DeepEqual(want, got) {
		return ""
	}
	a, okA := want.(map[string]any)
	b, okB := got.(map[string]any)
	if !okA || !okB {
		x, _ := json.Marshal(want)
		y, _ := json.Marshal(got)
		return fmt.Sprintf("%s:\nwant %s\ngot  %s", path, x, y)
	}
	keys := map[string]bool{}
	for k := range a {
		keys[k] = true
	}
	for k := range b {
		keys[k] = true
	}
	for k := range keys {
		if d := difference(path+"/"+k, a[k], b[k]); d != "" {
			return d
		}
	}
	return path
}

func TestSynthTwiceIsTheSame(t *testing.T) {
	one, two := synth(t, "testdata/seed.yaml", nil), synth(t, "testdata/seed.yaml", nil)
	if !reflect.DeepEqual(one, two) {
		t.Error(difference("", map[string]any{"": one}, map[string]any{"": two}))
	}
}

// Changing one project must change its statements and nothing else.
func TestOneProjectChangesItsStatementsOnly(t *testing.T) {
	before := synth(t, "testdata/seed.yaml", nil)
	after := synth(t, "testdata/seed.yaml", func(s *settings.Settings) {
		i := slices.IndexFunc(s.Projects, func(p settings.Project) bool { return p.Name == "docs" })
		s.Projects[i].Mode = settings.Heal
	})
	for name := range before {
		a, b := before[name]["Resources"].(map[string]any), after[name]["Resources"].(map[string]any)
		for id := range a {
			if reflect.DeepEqual(a[id], b[id]) {
				continue
			}
			if !strings.HasPrefix(id, "RoleProjects") {
				t.Errorf("%s: %s changed too: %s", name, id, difference("", a[id], b[id]))
				continue
			}
			for _, sid := range changedSids(a[id], b[id]) {
				if !strings.HasSuffix(sid, "docs") {
					t.Errorf("statement %s changed too", sid)
				}
			}
		}
		if len(a) != len(b) {
			t.Errorf("%s has %d resources, and had %d", name, len(b), len(a))
		}
	}
}

func changedSids(a, b any) (sids []string) {
	of := func(v any) map[string]any {
		m := map[string]any{}
		doc := v.(map[string]any)["Properties"].(map[string]any)["PolicyDocument"].(map[string]any)
		for _, s := range doc["Statement"].([]any) {
			m[s.(map[string]any)["Sid"].(string)] = s
		}
		return m
	}
	x, y := of(a), of(b)
	for sid := range y {
		if !reflect.DeepEqual(x[sid], y[sid]) {
			sids = append(sids, sid)
		}
	}
	for sid := range x {
		if y[sid] == nil {
			sids = append(sids, sid)
		}
	}
	return sids
}

func TestFunctionNotBuilt(t *testing.T) {
	_, err := stage(filepath.Join(t.TempDir(), "bootstrap"), nil)
	if err == nil || !strings.Contains(err.Error(), "make build") {
		t.Errorf("got %v; it should say what to do", err)
	}
}

func TestFunctionCarriesTheSettings(t *testing.T) {
	dir, err := stage(bootstrap, []byte("version: 1\n"))
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if got, err := os.ReadFile(filepath.Join(dir, "buildmedic.yaml")); err != nil || string(got) != "version: 1\n" {
		t.Errorf("got %q, %v", got, err)
	}
	if info, err := os.Stat(filepath.Join(dir, "bootstrap")); err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("bootstrap cannot be run: %v, %v", info, err)
	}
}

func TestSuits(t *testing.T) {
	s, err := settings.Parse([]byte(`version: 1
projects:
  - {name: web, role: codebuild-web, write: {inline: buildmedic}, grants: [image]}
grants:
  - {id: image, because: It is pushed., owner: web, set: ecr-push, resources: ["arn:${partition}:ecr:${region}:${account}:repository/web"]}
tests:
  - {project: web, allow: "ecr:PutImage", on: "arn:aws:ecr:eu-west-1:111122223333:repository/web"}
accounts:
  - {id: "444455556666", region: eu-west-1}
`))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ account, region, want string }{
		{"", "", ""},
		{"111122223333", "eu-west-1", ""},
		{"111122223333", "us-east-1", "no grant of project web allows"},
		{"444455556666", "eu-west-1", "the hub's own account"},
	} {
		err := suits(s, c.account, c.region)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("in %s %s: got %v, want %q", c.account, c.region, err, c.want)
		}
	}
}

func TestSuitsChat(t *testing.T) {
	s := &settings.Settings{Notify: settings.Notify{Chat: &settings.Chat{Slack: &settings.SlackChannel{}}}}
	for region, want := range map[string]bool{"": true, "eu-west-1": true, "cn-north-1": false, "us-gov-west-1": false} {
		if err := suits(s, "", region); (err == nil) != want || !want && !strings.Contains(err.Error(), "notify.chat: "+region) {
			t.Errorf("in %q: %v", region, err)
		}
	}
}

// Both kinds of channel have all buttons, each of its own, and a command that is short enough in
// every region that the CDK knows.
func TestButtons(t *testing.T) {
	teams := &settings.Chat{Teams: &settings.TeamsChannel{Team: "11111111-2222-3333-4444-555555555555",
		Tenant: "66666666-7777-8888-9999-000000000000", Channel: "19%3Aab12%40thread.tacv2"}}
	for kind, c := range map[string]*settings.Chat{
		"AWS::Chatbot::SlackChannelConfiguration":          {Slack: &settings.SlackChannel{Workspace: "T0EXAMPLE", Channel: "C0EXAMPLE"}},
		"AWS::Chatbot::MicrosoftTeamsChannelConfiguration": teams,
	} {
		hub := synth(t, "testdata/seed.yaml", func(s *settings.Settings) { s.Notify.Chat = c })["Buildmedic"]
		resources := hub["Resources"].(map[string]any)
		actions, listed := 0, map[string]bool{}
		for id, r := range resources {
			switch r := r.(map[string]any); r["Type"] {
			case "AWS::Chatbot::CustomAction":
				actions++
			case kind:
				for _, arn := range r["Properties"].(map[string]any)["CustomizationResourceArns"].([]any) {
					of := arn.(map[string]any)["Fn::GetAtt"].([]any)
					listed[of[0].(string)] = of[1] == "CustomActionArn"
				}
				if r["Properties"].(map[string]any)["UserRoleRequired"] != true {
					t.Errorf("%s: everybody in the channel is one", id)
				}
				name, _ := json.Marshal(r["Properties"].(map[string]any)["ConfigurationName"])
				if !bytes.Contains(name, []byte(`{"Ref":"AWS::Region"}`)) {
					t.Errorf("%s: a hub in another region has a configuration named %s, too", id, name)
				}
			}
		}
		if n := len(chat.Buttons()); actions != n || len(listed) != n {
			t.Errorf("%s: %d actions, %v in the channel; want %d", kind, actions, listed, n)
		}
	}
	regions := *regioninfo.RegionInfo_Regions()
	if len(regions) < 30 {
		t.Fatalf("the CDK knows %d regions", len(regions))
	}
	for _, r := range regions {
		for _, b := range chat.Buttons() {
			if n := len(b.Command(permissions.Function, *r.Name())); n > chat.MaxCommand {
				t.Errorf("%s in %s: %d characters", b.Name, *r.Name(), n)
			}
			if n := len(b.ActionName(*r.Name())); n > 64 {
				t.Errorf("%s in %s: a name of %d characters", b.Name, *r.Name(), n)
			}
		}
	}
}

func TestEventsFitEventBridge(t *testing.T) {
	var ps []settings.Project
	for i := range 200 {
		ps = append(ps, settings.Project{Name: fmt.Sprintf("project-with-a-rather-long-name-%03d", i)})
	}
	seen := map[string]int{}
	es := events(ps, "buildmedic-hub-ap-southeast-2/")
	for _, e := range es {
		if n := length(e.whole()); n > 2048 {
			t.Errorf("a pattern has %d characters", n)
		}
		for _, p := range e.Projects {
			seen[p]++
		}
	}
	for _, p := range ps {
		if seen[p.Name] != 2 {
			t.Errorf("%s is in %d patterns; want it in one for failures and one for what was started", p.Name, seen[p.Name])
		}
	}
	if len(events(nil, "x/")) != 0 {
		t.Error("without projects there is nothing to listen to")
	}
}

// TestPipelineEventsFitEventBridge: each pipeline is in one pattern, however many projects list it.
func TestPipelineEventsFitEventBridge(t *testing.T) {
	var ps []settings.Project
	for i := range 200 {
		ps = append(ps, settings.Project{Name: fmt.Sprint(i),
			Pipelines: []string{"shared", fmt.Sprintf("pipeline-with-a-rather-long-name-%03d", i)}})
	}
	seen := map[string]int{}
	for _, p := range pipelineEvents(ps) {
		if n := length(p); n > 2048 {
			t.Errorf("a pattern has %d characters", n)
		}
		for _, name := range p["detail"].(map[string]any)["pipeline"].([]string) {
			seen[name]++
		}
	}
	if len(seen) != 201 {
		t.Errorf("%d pipelines are listened to", len(seen))
	}
	for name, n := range seen {
		if n != 1 {
			t.Errorf("%s is in %d patterns", name, n)
		}
	}
	if len(pipelineEvents([]settings.Project{{Name: "web"}})) != 0 {
		t.Error("a project without pipelines needs no rule")
	}
}

// What one role holds depends on how many managed policies IAM attaches to
// it, which an account may have had raised.
func TestQuota(t *testing.T) {
	data := strings.Builder{}
	data.WriteString("version: 1\nprojects:\n")
	for i := range 400 {
		fmt.Fprintf(&data, "  - {name: service-with-a-longer-name-%03d, "+
			"role: service-role/codebuild-service-with-a-longer-name-%03[1]d, mode: heal}\n", i)
	}
	s, code := staged(t, []byte(data.String()))
	for _, c := range []struct{ policies, want string }{
		{"", "-c policies=20"}, {"19", "-c policies=20"}, {"20", ""}, {"9", "from 10 to 25"}, {"26", "from 10 to 25"},
		{"many", `policies is "many"`},
	} {
		err := NewApp(app(t, map[string]any{"policies": c.policies}), s, code)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("policies=%s: got %v, want %q", c.policies, err, c.want)
		}
	}
}

// What CloudFormation would not take is said before it is asked.
func TestTooManyResources(t *testing.T) {
	data := strings.Builder{}
	data.WriteString("version: 1\naccounts:\n")
	regions := []string{"eu-west-1", "us-east-1", "us-west-2"}
	each := func(format string) {
		for i := range 90 {
			for _, r := range regions {
				fmt.Fprintf(&data, format, 444455550000+i, r)
			}
		}
	}
	each("  - {id: \"%d\", region: %s}\n")
	data.WriteString("projects:\n")
	each("  - {name: web, role: web, account: \"%d\", region: %s}\n")
	s, code := staged(t, []byte(data.String()))
	err := NewApp(app(t, nil), s, code)
	if err == nil || !strings.Contains(err.Error(), "BuildmedicMember: it has 631 resources, and CloudFormation takes 500") {
		t.Errorf("got %v; want an error that says what CloudFormation takes", err)
	}
}
