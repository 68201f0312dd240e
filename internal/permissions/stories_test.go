package permissions_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/buildmedic/buildmedic/internal/iamref"
	"github.com/buildmedic/buildmedic/internal/permissions"
	"github.com/buildmedic/buildmedic/internal/settings"
	"github.com/buildmedic/buildmedic/internal/simaws"
	"github.com/buildmedic/buildmedic/internal/story"
	"github.com/buildmedic/buildmedic/testdata"
)

// enforced is the story with a function that may do only what the story's
// own settings give it, here and as the role of a member account, in accounts
// that enforce that.
func enforced(t *testing.T, s story.Story) (story.Story, []permissions.Group) {
	t.Helper()
	set, err := settings.Parse(s.Settings)
	if err != nil {
		t.Fatal(err)
	}
	var world map[string]any
	if err := yaml.Unmarshal(s.World, &world); err != nil {
		t.Fatal(err)
	}
	get := func(key, otherwise string) string {
		if v, ok := world[key].(string); ok {
			return v
		}
		return otherwise
	}
	at := permissions.Place{Partition: get("partition", "aws"), Account: get("account", "111122223333"), Region: get("region", "us-east-1")}
	p, err := permissions.Hub(set, permissions.Parts{
		Place: at,
		Table: at.ARN("dynamodb", "table/ledger"),
		Key:   at.ARN("kms", "key/notices"),
		Topic: at.ARN("sns", simaws.Topic),
		Queue: at.ARN("sqs", simaws.Queue), FollowUps: at.ARN("sqs", simaws.FollowUps), Cures: at.ARN("sqs", simaws.Cures),
		LogGroup: at.ARN("logs", "log-group:/aws/lambda/buildmedic"),
	}, permissions.ManagedPolicies)
	if err != nil {
		t.Fatal(err)
	}
	name := permissions.HubRole + at.Region
	world["roles"] = append(without(world["roles"],
		name),
		role(name, p,
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},`+
				`"Action":"sts:AssumeRole"}]}`))
	world["function"] = map[string]any{"role": name, "session": permissions.Function}
	world["enforce"] = true
	groups := p.Groups()
	for _, id := range permissions.Members(set) {
		groups = append(groups, enforcedMember(t, world, set, id, at)...)
	}
	if s.World, err = yaml.Marshal(world); err != nil {
		t.Fatal(err)
	}
	return s, groups
}

// enforcedMember puts the role into a member of the world that the member's
// template makes there, with the trust that the synthesized template has.
func enforcedMember(t *testing.T, world map[string]any, set *settings.Settings, id string, hub permissions.Place) []permissions.Group {
	t.Helper()
	p, err := permissions.Member(set, id, hub, permissions.ManagedPolicies)
	if err != nil {
		t.Fatal(err)
	}
	if hub.Account != account || hub.Region != region {
		t.Fatalf("the template is resolved for a hub in %s, %s; tell the story there", account, region)
	}
	made, _ := load(t, member).role(t, permissions.MemberRole)
	trust, err := json.Marshal(made.Properties["AssumeRolePolicyDocument"])
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range world["members"].([]any) {
		if m := m.(map[string]any); m["account"] == id {
			m["roles"] = append(without(m["roles"], permissions.MemberRole), role(permissions.MemberRole, p, string(trust)))
			return p.Groups()
		}
	}
	t.Fatalf("the world has no member %s", id)
	return nil
}

// role is a role of a world file that has the policies.
func role(name string, p permissions.Policies, trust string) map[string]any {
	inline := map[string]string{"own": string(permissions.Document(p.Inline).Compact())}
	for i, groups := range p.Managed {
		inline[fmt.Sprintf("projects%d", i+1)] = string(permissions.Document(groups...).Compact())
	}
	return map[string]any{"name": name, "inline": inline, "trust": trust}
}

// without is the list of roles without the one of that name.
func without(roles any, name string) []any {
	list, _ := roles.([]any)
	return slices.DeleteFunc(slices.Clone(list), func(r any) bool { return r.(map[string]any)["name"] == name })
}

// The stories end as told when the function has its own permissions only,
// and all that it may do to projects is needed in one of them.
func TestStoriesWithOwnPermissions(t *testing.T) {
	var stories []story.Story
	for _, fsys := range []fs.FS{testdata.Stories, os.DirFS("testdata")} { // the second: what the first do not need
		ss, err := story.Load(fsys, "stories")
		if err != nil {
			t.Fatal(err)
		}
		stories = append(stories, ss...)
	}
	routes, err := story.Load(testdata.Routes, "routes")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range routes { // what the function repeats, or finds, its permissions let it repeat and find
		if slices.Contains([]string{"overrides", "not-repeatable", "pull-request-pipeline", "batch-dies-before-a-child"}, s.Name) {
			stories = append(stories, s)
		}
	}
	allowed, used := map[string]bool{}, map[string]bool{}
	for _, told := range stories {
		t.Run(told.Name, func(t *testing.T) {
			s, groups := enforced(t, told)
			for _, st := range permissions.Document(groups...).Statements {
				for _, a := range st.Action.List {
					if st.Effect == "Allow" {
						allowed[a] = true
					}
				}
			}
			for _, c := range play(t, s) {
				if c.Service == "github" {
					continue // what it may do there its credentials say
				}
				actions, sure := iamref.ForOperation(c.Service, c.Operation)
				if !sure {
					t.Errorf("which action is %s of %s? One of %v", c.Operation, c.Service, actions)
					continue
				}
				if strings.HasPrefix(c.Error, "AccessDenied") || c.Error == "AuthorizationError" {
					t.Errorf("the function may not %s on %v", actions[0], c.Resources)
				}
				used[actions[0]] = true
			}
		})
	}
	// TestAsksWithOwnPermissions shows that these are needed, some of them only after a death.
	maps.DeleteFunc(allowed, func(a string, _ bool) bool { return strings.HasPrefix(a, "codecommit:") })
	// What stories cannot show, since the simulated account has none of it.
	for _, a := range []string{
		"dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:Query", // the ledger is in memory
		"kms:Decrypt", "kms:GenerateDataKey", // SNS asks for these
		"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", // Lambda polls the queue
		"logs:CreateLogStream", "logs:PutLogEvents", "xray:PutTraceSegments", "xray:PutTelemetryRecords", // Lambda's own
		"iam:PassRole", // a part of UpdateProject
	} {
		if !allowed[a] {
			t.Errorf("%s is excused, and nowhere allowed", a)
		}
		delete(allowed, a)
	}
	for _, a := range slices.Sorted(maps.Keys(allowed)) {
		if !used[a] {
			t.Errorf("%s is allowed, and no story needs it", a)
		}
	}
}

// TestCodeHostWithOwnPermissions: with what the settings give it, the function reads the credentials for
// GitHub from wherever they are, and tells the developers.
func TestCodeHostWithOwnPermissions(t *testing.T) {
	routes, err := story.Load(testdata.Routes, "routes")
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(routes, func(s story.Story) bool { return s.Name == "developers-told" })
	told := routes[i]
	for _, kept := range []struct{ settings, world, service string }{
		{"secret: buildmedic/github", "secrets:\n  buildmedic/github: $value\n", "secretsmanager"},
		{"parameter: /buildmedic/github", "parameters:\n  /buildmedic/github: {value: $value}\n", "ssm"},
	} {
		t.Run(kept.service, func(t *testing.T) {
			s := told
			s.Settings = []byte(strings.Replace(string(told.Settings), "secret: buildmedic/github", kept.settings, 1))
			secret := regexp.MustCompile("(?m)^secrets:\n  buildmedic/github: (?P<value>.+)\n")
			if s.World = secret.ReplaceAll(told.World, []byte(kept.world)); !secret.Match(told.World) {
				t.Fatalf("the world has no secret:\n%s", told.World)
			}
			s, _ = enforced(t, s)
			read, set := 0, 0
			for _, c := range play(t, s) {
				if c.Service == kept.service && c.Error == "" {
					read++
				}
				if c.Service == "github" && c.Error == "" {
					set++
				}
			}
			if read != 1 || set == 0 {
				t.Errorf("the credentials were read %d times, and GitHub took %d requests", read, set)
			}
		})
	}
}

// over runs a story to its end.
func over(t *testing.T, s story.Story) *story.Stage {
	t.Helper()
	st, err := story.Open(s, story.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(st.Close)
	if err := st.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	return st
}

// play runs a story to its end and gives the function's calls, in all accounts.
func play(t *testing.T, s story.Story) (calls []simaws.Call) {
	t.Helper()
	st := over(t, s)
	r, err := st.Result(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if d := s.Differs(r, st.Builds()); d != "" {
		t.Errorf("the story ended otherwise than it is told: %s", d)
	}
	for _, c := range st.Sim.Calls() {
		if c.Key == simaws.FunctionKey || strings.Contains(c.Principal, ":assumed-role/"+permissions.MemberRole+"/") {
			calls = append(calls, c)
		}
	}
	if len(calls) == 0 {
		t.Error("the function made no call")
	}
	return calls
}

// Neither side of the way into a member account is enough alone, and either
// one that is missing is told, with what to deploy.
func TestMemberNeedsBothSides(t *testing.T) {
	stories, err := story.Load(testdata.Stories, "stories")
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(stories, func(s story.Story) bool { return s.Name == "member-account" })
	for name, change := range map[string]func(world map[string]any){
		"the hub's stack is older than the account": func(w map[string]any) {
			for _, r := range w["roles"].([]any) {
				inline := r.(map[string]any)["inline"].(map[string]any)
				inline["own"] = strings.ReplaceAll(inline["own"].(string), "role/"+permissions.MemberRole, "role/somewhere-else")
			}
		},
		"the member trusts another hub": func(w map[string]any) {
			for _, r := range w["members"].([]any)[0].(map[string]any)["roles"].([]any) {
				if r := r.(map[string]any); r["name"] == permissions.MemberRole {
					r["trust"] = strings.ReplaceAll(r["trust"].(string), permissions.HubRole+region, permissions.HubRole+"us-east-1")
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := enforced(t, stories[i])
			var world map[string]any
			if err := yaml.Unmarshal(s.World, &world); err != nil {
				t.Fatal(err)
			}
			change(world)
			if s.World, err = yaml.Marshal(world); err != nil {
				t.Fatal(err)
			}
			st := over(t, s)
			ns := st.Sim.Notices()
			if len(ns) != 1 || len(st.Writes()) != 0 || len(st.Sim.Queued(simaws.DeadLetter)) != 0 {
				t.Fatalf("%d notices, wrote %v, dead letters %q; want one notice and nothing else", len(ns),
					st.Writes(), st.Sim.Queued(simaws.DeadLetter))
			}
			said := strings.Join(strings.Fields(ns[0].ByProtocol["email"]), " ")
			for _, want := range []string{"account " + other, "deploy the member template", "the hub's stack", "make member"} {
				if !strings.Contains(said, want) {
					t.Errorf("the notice does not say %q:\n%s", want, ns[0].ByProtocol["email"])
				}
			}
		})
	}
}
