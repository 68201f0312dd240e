package notice

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/buildmedic/buildmedic/internal/decide"
)

// schema is the part of JSON Schema that schema.json uses. Any other keyword is an error, since
// it would not be checked.
type schema struct {
	Schema      string             `json:"$schema"`
	Title       string             `json:"title"`
	Description string             `json:"description"`
	Type        string             `json:"type"`
	Const       string             `json:"const"`
	Enum        []string           `json:"enum"`
	Format      string             `json:"format"`
	Minimum     *int               `json:"minimum"`
	Properties  map[string]*schema `json:"properties"`
	Additional  json.RawMessage    `json:"additionalProperties"`
	Required    []string           `json:"required"`
	Items       *schema            `json:"items"`
	OneOf       []*schema          `json:"oneOf"`
	Ref         string             `json:"$ref"`
	Defs        map[string]*schema `json:"$defs"`
}

func readSchema(t *testing.T) *schema {
	t.Helper()
	data, err := os.ReadFile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	dec := json.NewDecoder(strings.NewReader(string(data)))
	dec.DisallowUnknownFields()
	var s schema
	if err := dec.Decode(&s); err != nil {
		t.Fatalf("schema.json: %v", err)
	}
	return &s
}

// check returns what is wrong with v, at path.
func (root *schema) check(s *schema, path string, v any) []string {
	if s.Ref != "" {
		return root.check(root.Defs[strings.TrimPrefix(s.Ref, "#/$defs/")], path, v)
	}
	if s.OneOf != nil {
		return root.oneOf(s, path, v)
	}
	bad := func(format string, args ...any) []string { return []string{path + ": " + fmt.Sprintf(format, args...)} }
	if s.Const != "" {
		if v != s.Const {
			return bad("%v is not %q", v, s.Const)
		}
		return nil
	}
	switch v := v.(type) {
	case string:
		switch {
		case s.Type != "string":
			return bad("want %s, not a string", s.Type)
		case s.Enum != nil && !slices.Contains(s.Enum, v):
			return bad("%q is none of %q", v, s.Enum)
		case s.Format == "date-time" && !isTime(v):
			return bad("%q is no time", v)
		}
	case float64:
		if s.Type != "integer" || v != float64(int(v)) {
			return bad("want %s, not %v", s.Type, v)
		}
		if s.Minimum != nil && v < float64(*s.Minimum) {
			return bad("%v is less than %d", v, *s.Minimum)
		}
	case []any:
		if s.Type != "array" {
			return bad("want %s, not a list", s.Type)
		}
		var out []string
		for i, e := range v {
			out = append(out, root.check(s.Items, fmt.Sprintf("%s[%d]", path, i), e)...)
		}
		return out
	case map[string]any:
		if s.Type != "object" {
			return bad("want %s, not an object", s.Type)
		}
		return root.object(s, path, v)
	case bool:
		if s.Type != "boolean" {
			return bad("want %s, not %t", s.Type, v)
		}
	default:
		return bad("want %s, not %v", s.Type, v)
	}
	return nil
}

func isTime(s string) bool { _, err := time.Parse(time.RFC3339Nano, s); return err == nil }

func (root *schema) oneOf(s *schema, path string, v any) []string {
	var all []string
	fits := 0
	for _, o := range s.OneOf {
		bad := root.check(o, path, v)
		if len(bad) == 0 {
			fits++
		}
		all = append(all, bad...)
	}
	if fits == 1 {
		return nil
	}
	return append(all, fmt.Sprintf("%s: fits %d of %d forms", path, fits, len(s.OneOf)))
}

func (root *schema) object(s *schema, path string, v map[string]any) []string {
	var out []string
	for _, k := range s.Required {
		if _, ok := v[k]; !ok {
			out = append(out, path+"."+k+": is missing")
		}
	}
	for k, e := range v {
		switch p := s.Properties[k]; {
		case p != nil:
			out = append(out, root.check(p, path+"."+k, e)...)
		case string(s.Additional) == "false":
			out = append(out, path+"."+k+": unknown key")
		case len(s.Additional) > 0:
			var a schema
			if err := json.Unmarshal(s.Additional, &a); err != nil {
				return append(out, err.Error())
			}
			out = append(out, root.check(&a, path+"."+k, e)...)
		}
	}
	return out
}

// TestSchema checks every sample's JSON against schema.json.
func TestSchema(t *testing.T) {
	root := readSchema(t)
	texts := map[string]string{}
	var os []decide.Outcome
	for _, s := range samples {
		os = append(os, s.outcome)
		texts[s.name] = Render(s.outcome).JSON
	}
	texts["week"], texts["empty week"] = Week(sampleWeek()).JSON, Week(decide.Week{}).JSON
	texts["digest"], texts["empty digest"], texts["empty"] = Digest(os).JSON, Digest(nil).JSON,
		Render(decide.Outcome{Kind: decide.Reported}).JSON
	for name, text := range texts {
		var v any
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, bad := range root.check(root, "$", v) {
			t.Errorf("%s: %s", name, bad)
		}
	}
}

// TestSchemaRefuses ensures that the check above can fail.
func TestSchemaRefuses(t *testing.T) {
	root := readSchema(t)
	good := Render(trackerHealed()).JSON
	for _, row := range []struct{ old, new, want string }{
		{`"kind":"healed"`, `"kind":"cured"`, `"cured" is none of`},
		{`"repeats":0`, `"repeats":"none"`, "want integer, not a string"},
		{`"repeats":0`, `"repeats":-1`, "less than 0"},
		{`"repeats":0`, `"repeats":0,"extra":1`, "$.extra: unknown key"},
		{`"repeats":0,`, ``, "$.repeats: is missing"},
		{`"at":"2026`, `"at":"last 2026`, "is no time"},
		{`"schema":"buildmedic.notice/1"`, `"schema":"buildmedic.notice/2"`, "is not"},
		{`"refusals":[]`, `"refusals":null`, "want array"},
	} {
		var v any
		if err := json.Unmarshal([]byte(strings.Replace(good, row.old, row.new, 1)), &v); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(root.check(root, "$", v), "\n"); !strings.Contains(got, row.want) {
			t.Errorf("%s → %s: got %q, want it to say %q", row.old, row.new, got, row.want)
		}
	}
}

// TestSchemaKeys compares the schema's keys with the types', in both directions.
func TestSchemaKeys(t *testing.T) {
	root := readSchema(t)
	for name, typ := range map[string]any{"notice": Notice{}, "case": Case{}, "build": Build{}, "failure": Failure{},
		"denial": Denial{}, "event": Event{}, "refusal": Refusal{},
		"order": Order{}, "grant": Grant{}, "change": Change{}, "request": Request{}, "command": Command{},
		"holders": Holders{}, "followers": Followers{}, "incident": Incident{},
		"follower": Follower{}, "snippet": Snippet{}, "links": Links{},
		"since":  Since{},
		"digest": Roundup{}, "group": Group{}, "lost": Lost{}, "week": Weekly{},
		"week_cause": WeekCause{}, "flaky_test": FlakyTest{}, "week_rule": WeekRule{},
		"week_standing": WeekStanding{}, "saved": Saved{}, "price": Price{}} {
		var keys, required []string
		rt := reflect.TypeOf(typ)
		for i := range rt.NumField() {
			tag := rt.Field(i).Tag.Get("json")
			if tag == "" {
				continue
			}
			key, options, _ := strings.Cut(tag, ",")
			keys = append(keys, key)
			if !strings.Contains(options, "omit") {
				required = append(required, key)
			}
		}
		def := root.Defs[name]
		var have []string
		for k := range def.Properties {
			have = append(have, k)
		}
		slices.Sort(keys)
		slices.Sort(have)
		if diff := cmp.Diff(keys, have); diff != "" {
			t.Errorf("%s: keys of the type (-) and of the schema (+):\n%s", name, diff)
		}
		slices.Sort(required)
		if diff := cmp.Diff(required, slices.Sorted(slices.Values(def.Required))); diff != "" {
			t.Errorf("%s: keys that are always there (-) and that the schema requires (+):\n%s", name, diff)
		}
	}
}

// TestSchemaKinds ensures that every place that lists the kinds of outcome lists all of them.
func TestSchemaKinds(t *testing.T) {
	kinds := readSchema(t).Defs["kind"].Enum
	for _, k := range kindOrder {
		if !slices.Contains(kinds, string(k)) || marks[k] == "" ||
			!regexp.MustCompile(`^[A-Z][a-z]+$`).MatchString(kindMetrics[k]) {
			t.Errorf("kind %q: in the schema %v, mark %q, metric %q", k, slices.Contains(kinds, string(k)), marks[k],
				kindMetrics[k])
		}
	}
	if len(kinds) != len(kindOrder) {
		t.Errorf("the schema has %d kinds, want %d", len(kinds), len(kindOrder))
	}
	told := map[decide.Kind]bool{}
	for _, s := range samples {
		told[s.outcome.Kind] = true
	}
	if len(told) != len(kinds) {
		t.Errorf("the samples are of %d kinds, want %d", len(told), len(kinds))
	}
}

// TestRoundTrip reads every notice back into the type that wrote it.
func TestRoundTrip(t *testing.T) {
	for _, s := range samples {
		text := Render(s.outcome).JSON
		dec := json.NewDecoder(strings.NewReader(text))
		dec.DisallowUnknownFields()
		var n Notice
		if err := dec.Decode(&n); err != nil {
			t.Errorf("%s: %v", s.name, err)
			continue
		}
		if again := jsonText(n); again != text {
			t.Errorf("%s: reads back differently:\n%s\n%s", s.name, text, again)
		}
	}
}
