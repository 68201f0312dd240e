package permissions_test

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/iampolicy"
)

// The templates are what the CDK app really made of infra/testdata/shipped.yaml,
// which is infra/buildmedic.yaml before anybody edits it, and of seed.yaml; the
// app's own tests see to it that they are not out of date.
const (
	shipped = "template.shipped.json"
	seed    = "template.seed.json"
	member  = "template.member.json"
)

const (
	partition = "aws"
	account   = "111122223333"
	region    = "us-west-2"
	other     = "444455556666" // the member
)

// template is a CloudFormation template as it is once deployed: everything
// in it is resolved.
type template struct {
	Resources  map[string]resource
	Parameters map[string]any
	Conditions map[string]any
	Outputs    map[string]struct{ Value string }
}

type resource struct {
	Type           string
	Properties     map[string]any
	DeletionPolicy string
	Condition      string
	DependsOn      any
}

func load(t *testing.T, name string) template {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("../../infra/testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	var raw map[string]any
	if err := json.Unmarshal(data, &raw); err != nil {
		t.Fatal(err)
	}
	r := resolver{t, raw["Resources"].(map[string]any)}
	data, err = json.Marshal(r.value(raw))
	if err != nil {
		t.Fatal(err)
	}
	var tpl template
	if err := json.Unmarshal(data, &tpl); err != nil {
		t.Fatal(err)
	}
	return tpl
}

// resolver puts values in the place of CloudFormation's functions.
type resolver struct {
	t         *testing.T
	resources map[string]any
}

func (r resolver) value(v any) any {
	switch v := v.(type) {
	case []any:
		var list []any
		for _, e := range v {
			list = append(list, r.value(e))
		}
		return list
	case map[string]any:
		if len(v) == 1 {
			for f, arg := range v {
				if s, ok := r.function(f, arg); ok {
					return s
				}
			}
		}
		m := map[string]any{}
		for k, e := range v {
			m[k] = r.value(e)
		}
		return m
	}
	return v
}

func (r resolver) function(name string, arg any) (string, bool) {
	switch name {
	case "Ref":
		return r.ref(arg.(string)), true
	case "Fn::GetAtt":
		a := arg.([]any)
		return r.attribute(a[0].(string), a[1].(string)), true
	case "Fn::Join":
		a := arg.([]any)
		var parts []string
		for _, p := range r.value(a[1]).([]any) {
			parts = append(parts, p.(string))
		}
		return strings.Join(parts, a[0].(string)), true
	case "Fn::Sub":
		return strings.NewReplacer("${AWS::AccountId}", account, "${AWS::Region}", region).Replace(arg.(string)), true
	}
	return "", false
}

var pseudo = map[string]string{"AWS::Partition": partition, "AWS::Region": region, "AWS::AccountId": account,
	"HubAccount": account, "HubRegion": region, "BootstrapVersion": "30"}

// ref is a parameter, or a resource as Ref gives it.
func (r resolver) ref(id string) string {
	if v, ok := pseudo[id]; ok {
		return v
	}
	switch r.kind(id) {
	case "AWS::SNS::Topic", "AWS::IAM::ManagedPolicy":
		return r.attribute(id, "Arn")
	case "AWS::SQS::Queue":
		return "https://sqs." + region + ".amazonaws.com/" + account + "/" + id
	}
	return r.name(id)
}

func (r resolver) kind(id string) string {
	res, ok := r.resources[id].(map[string]any)
	if !ok {
		r.t.Fatalf("the template refers to %q, which it does not have", id)
	}
	return res["Type"].(string)
}

// name is the resource's own name, if the template gives it one.
func (r resolver) name(id string) string {
	p, _ := r.resources[id].(map[string]any)["Properties"].(map[string]any)
	for _, key := range []string{"RoleName", "FunctionName", "LogGroupName", "Name", "ManagedPolicyName", "TopicName"} {
		if n, ok := p[key]; ok {
			return r.value(n).(string)
		}
	}
	return id
}

func (r resolver) attribute(id, attribute string) string {
	if attribute != "Arn" {
		return r.name(id)
	}
	arn := func(service, resource string) string {
		return strings.Join([]string{"arn", partition, service, region, account, resource}, ":")
	}
	name := r.name(id)
	switch kind := r.kind(id); kind {
	case "AWS::KMS::Key":
		return arn("kms", "key/"+name)
	case "AWS::SNS::Topic":
		return arn("sns", name)
	case "AWS::SQS::Queue":
		return arn("sqs", name)
	case "AWS::DynamoDB::Table":
		return arn("dynamodb", "table/"+name)
	case "AWS::Lambda::Function":
		return arn("lambda", "function:"+name)
	case "AWS::Logs::LogGroup":
		return arn("logs", "log-group:"+name)
	case "AWS::Events::Rule":
		return arn("events", "rule/"+name)
	case "AWS::Events::EventBus":
		return arn("events", "event-bus/"+name)
	case "AWS::CloudWatch::Alarm":
		return arn("cloudwatch", "alarm:"+name)
	case "AWS::IAM::Role":
		return "arn:" + partition + ":iam::" + account + ":role/" + name
	case "AWS::IAM::ManagedPolicy":
		return "arn:" + partition + ":iam::" + account + ":policy/buildmedic/" + name
	default:
		r.t.Fatalf("the template asks for the ARN of %s, a %s", id, kind)
		return ""
	}
}

// of gives the resources of a type by their ids.
func (tpl template) of(kind string) map[string]resource {
	m := map[string]resource{}
	for id, r := range tpl.Resources {
		if r.Type == kind {
			m[id] = r
		}
	}
	return m
}

// owners takes out the topics of the owners, and gives them by their names: what is left of topics
// is the hub's own.
func (tpl template) owners() map[string]resource {
	named := map[string]resource{}
	for id, r := range tpl.of("AWS::SNS::Topic") {
		name, _ := r.Properties["TopicName"].(string)
		if name == "" {
			continue
		}
		named[name] = r
		delete(tpl.Resources, id)
		for policy, p := range tpl.of("AWS::SNS::TopicPolicy") {
			if strings.Contains(text(p.Properties["Topics"]), name) {
				delete(tpl.Resources, policy)
			}
		}
	}
	return named
}

// one gives the only resource of its type.
func (tpl template) one(t *testing.T, kind string) resource {
	t.Helper()
	m := tpl.of(kind)
	if len(m) != 1 {
		t.Fatalf("there are %d resources of type %s, want one", len(m), kind)
	}
	for _, r := range m {
		return r
	}
	panic("unreachable")
}

// role gives the role of a name and all policies that are on it.
func (tpl template) role(t *testing.T, name string) (resource, []iampolicy.Document) {
	t.Helper()
	for _, r := range tpl.of("AWS::IAM::Role") {
		if r.Properties["RoleName"] != name {
			continue
		}
		var docs []iampolicy.Document
		for _, p := range r.Properties["Policies"].([]any) {
			docs = append(docs, document(t, p.(map[string]any)["PolicyDocument"]))
		}
		managed := tpl.of("AWS::IAM::ManagedPolicy")
		for _, id := range slices.Sorted(maps.Keys(managed)) {
			m := managed[id]
			if roles, ok := m.Properties["Roles"].([]any); ok && slices.Contains(roles, any(name)) {
				docs = append(docs, document(t, m.Properties["PolicyDocument"]))
			}
		}
		return r, docs
	}
	t.Fatalf("there is no role %q", name)
	return resource{}, nil
}

func document(t *testing.T, v any) iampolicy.Document {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	d, err := iampolicy.Parse(data)
	if err != nil {
		t.Fatalf("a policy document of the template is none: %v\n%s", err, data)
	}
	return d
}

// text is v as JSON.
func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}

// parse reads a Go file of the module.
func parse(t *testing.T, path string) *ast.File {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// constants gives a file's string constants by name.
func constants(t *testing.T, path string) map[string]string {
	t.Helper()
	m := map[string]string{}
	ast.Inspect(parse(t, path), func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		for i, v := range spec.Values {
			if lit, ok := v.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				m[spec.Names[i].Name], _ = strconv.Unquote(lit.Value)
			}
		}
		return true
	})
	if len(m) == 0 {
		t.Fatalf("%s has no constants", path)
	}
	return m
}
