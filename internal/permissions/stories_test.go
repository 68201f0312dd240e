package permissions_test

import (
	"context"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/iamref"
	"github.com/buildmedic/buildmedic/internal/permissions"
	"github.com/buildmedic/buildmedic/internal/settings"
	"github.com/buildmedic/buildmedic/internal/simaws"
	"github.com/buildmedic/buildmedic/internal/story"
	"github.com/buildmedic/buildmedic/testdata"
)

// enforced is the story with a function that may do only what the story's
// own settings give it, in an account that enforces that.
func enforced(t *testing.T, s story.Story) (story.Story, permissions.Policies) {
	t.Helper()
	set, err := settings.Parse(s.Settings, guardrail.Catalog())
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
	p, err := permissions.Hub(set, permissions.Parts{Place: at, Table: at.ARN("dynamodb", "table/ledger"), Key: at.ARN("kms", "key/notices"),
		Topic: at.ARN("sns", simaws.Topic), Queue: at.ARN("sqs", simaws.Queue), LogGroup: at.ARN("logs", "log-group:/aws/lambda/buildmedic")})
	if err != nil {
		t.Fatal(err)
	}
	inline := map[string]string{"own": string(permissions.Document(p.Inline).Compact())}
	for _, groups := range p.Managed {
		inline["projects"+groups[0].Name] = string(permissions.Document(groups...).Compact())
	}
	name := permissions.HubRole + at.Region
	roles, _ := world["roles"].([]any)
	world["roles"] = append(roles, map[string]any{"name": name, "inline": inline,
		"trust": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`})
	world["function"] = map[string]any{"role": name, "session": permissions.Function}
	world["enforce"] = true
	if s.World, err = yaml.Marshal(world); err != nil {
		t.Fatal(err)
	}
	return s, p
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
	allowed, used := map[string]bool{}, map[string]bool{}
	for _, told := range stories {
		t.Run(told.Name, func(t *testing.T) {
			s, p := enforced(t, told)
			for _, st := range permissions.Document(p.Groups()...).Statements {
				for _, a := range st.Action.List {
					if st.Effect == "Allow" {
						allowed[a] = true
					}
				}
			}
			for _, c := range play(t, s) {
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
	// What stories cannot show, since the simulated account has none of it.
	for _, a := range []string{
		"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:Query", // the ledger is in memory
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

// play runs a story to its end and gives the function's calls.
func play(t *testing.T, s story.Story) (calls []simaws.Call) {
	t.Helper()
	st, err := story.Open(s, story.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	if err := st.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	r, err := st.Result(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if d := s.Differs(r, st.Sim.Builds(s.Expect.Project)); d != "" {
		t.Errorf("the story ended otherwise than it is told: %s", d)
	}
	for _, c := range st.Sim.Calls() {
		if c.Key == simaws.FunctionKey {
			calls = append(calls, c)
		}
	}
	if len(calls) == 0 {
		t.Error("the function made no call")
	}
	return calls
}
