// Package openapi judges requests to GitHub's REST API, and the answers to them, by GitHub's own
// OpenAPI description. It is for tests: of what asks, and of the simulated code host that answers.
package openapi

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/buildmedic/buildmedic/internal/simaws"
)

//go:embed github.json
var github []byte

// description is the part of GitHub's OpenAPI description that command gen has cut out.
type description struct {
	From  string `json:"from"`
	Paths map[string]map[string]struct {
		RequestBody *content           `json:"requestBody"`
		Responses   map[string]content `json:"responses"`
	} `json:"paths"`
	Components map[string]json.RawMessage `json:"components"`
}

type content struct {
	Ref     string `json:"$ref"`
	Content map[string]struct {
		Schema json.RawMessage `json:"schema"`
	} `json:"content"`
}

// schema is the part of OpenAPI 3.0's schemas that these use. Any other keyword is an error.
type schema struct {
	Ref        string             `json:"$ref"`
	Type       string             `json:"type"`
	Nullable   bool               `json:"nullable"`
	Enum       []any              `json:"enum"`
	Properties map[string]*schema `json:"properties"`
	Required   []string           `json:"required"`
	Items      *schema            `json:"items"`
	AnyOf      []*schema          `json:"anyOf"`
	OneOf      []*schema          `json:"oneOf"`
	Additional json.RawMessage    `json:"additionalProperties"`
	Format     string             `json:"format"`
	Default    any                `json:"default"`
	MinLength  int                `json:"minLength"`
	MaxLength  int                `json:"maxLength"`
	Breaking   any                `json:"x-github-breaking-changes"`
	// Discriminator says which of oneOf it is; that is found by trying all.
	Discriminator any `json:"discriminator"`
}

var parsed = sync.OnceValues(func() (*description, error) {
	var d description
	err := json.Unmarshal(github, &d)
	return &d, err
})

// Check says what is not as GitHub describes it, in these requests and their answers.
func Check(exchanges []simaws.Exchange) (wrong []string) {
	d, err := parsed()
	if err != nil {
		return []string{"GitHub's description: " + err.Error()}
	}
	for _, e := range exchanges {
		wrong = append(wrong, d.exchange(e)...)
	}
	return wrong
}

func (d *description) schema(raw json.RawMessage) (*schema, error) {
	dec := json.NewDecoder(strings.NewReader(string(raw)))
	dec.DisallowUnknownFields()
	var s schema
	return &s, dec.Decode(&s)
}

// check says what is wrong with a value. strict: a property that the schema does not have is wrong.
func (d *description) check(s *schema, at string, v any, strict bool) (wrong []string) {
	if s.Ref != "" {
		to, err := d.schema(d.Components[s.Ref])
		if err != nil {
			return []string{at + ": " + s.Ref + ": " + err.Error()}
		}
		return d.check(to, at, v, strict)
	}
	if v == nil {
		if !s.Nullable && (s.Type != "" || s.Enum != nil) {
			return []string{at + " is null"}
		}
		return nil
	}
	if any := append(slices.Clone(s.AnyOf), s.OneOf...); len(any) > 0 {
		var all []string
		for _, one := range any {
			bad := d.check(one, at, v, strict)
			if len(bad) == 0 {
				return nil
			}
			all = append(all, bad...)
		}
		return append(all, at+" is none of those")
	}
	if s.Enum != nil && !slices.Contains(s.Enum, v) {
		wrong = append(wrong, fmt.Sprintf("%s is %v, none of %v", at, v, s.Enum))
	}
	switch v := v.(type) {
	case map[string]any:
		wrong = append(wrong, d.object(s, at, v, strict)...)
	case []any:
		wrong = append(wrong, ofType(s, at, "array")...)
		for i := range v {
			if s.Items != nil {
				wrong = append(wrong, d.check(s.Items, at+"["+strconv.Itoa(i)+"]", v[i], strict)...)
			}
		}
	case string:
		wrong = append(wrong, ofType(s, at, "string")...)
		if s.MaxLength > 0 && (len(v) < s.MinLength || len(v) > s.MaxLength) {
			wrong = append(wrong, fmt.Sprintf("%s has %d characters, not %d to %d", at, len(v), s.MinLength, s.MaxLength))
		}
		if u, err := url.Parse(v); s.Format == "uri" && (err != nil || u.Scheme == "") {
			wrong = append(wrong, at+" is no URI: "+v)
		}
	case bool:
		wrong = append(wrong, ofType(s, at, "boolean")...)
	case float64:
		if s.Type != "number" && !(s.Type == "integer" && v == float64(int64(v))) {
			wrong = append(wrong, at+" is a number, not "+s.Type)
		}
	}
	return wrong
}

func (d *description) object(s *schema, at string, v map[string]any, strict bool) (wrong []string) {
	wrong = ofType(s, at, "object")
	for _, key := range s.Required {
		if _, ok := v[key]; !ok {
			wrong = append(wrong, at+" lacks "+key)
		}
	}
	for key, sub := range v {
		if p, ok := s.Properties[key]; ok {
			wrong = append(wrong, d.check(p, at+"."+key, sub, strict)...)
		} else if strict && s.Additional == nil {
			wrong = append(wrong, at+" has "+key+", which nothing describes")
		}
	}
	return wrong
}

func ofType(s *schema, at, want string) []string {
	if s.Type != "" && s.Type != want {
		return []string{at + " is of type " + want + ", not " + s.Type}
	}
	return nil
}

// exchange says what is wrong with a request and its answer.
func (d *description) exchange(e simaws.Exchange) []string {
	path, _, _ := strings.Cut(e.Path, "?")
	for form, methods := range d.Paths {
		op, ok := methods[strings.ToLower(e.Method)]
		if !ok || !fits(form, path) {
			continue
		}
		at := e.Method + " " + form
		var wrong []string
		switch {
		case op.RequestBody == nil && len(e.Request) > 0:
			wrong = append(wrong, at+" takes no body")
		case op.RequestBody != nil:
			wrong = append(wrong, d.body(*op.RequestBody, at+" request", e.Request, true)...)
		}
		status := strconv.Itoa(e.Status)
		answer, ok := op.Responses[status]
		switch { // any call may be answered so, too
		case ok:
		case e.Status >= 400:
			answer = content{Ref: "responses/forbidden"}
		case e.Status == 301:
			answer = content{Ref: "responses/moved_permanently"}
		default:
			return append(wrong, at+" does not answer "+status)
		}
		return append(wrong, d.body(answer, at+" "+status, e.Response, false)...)
	}
	return []string{e.Method + " " + path + " is described nowhere"}
}

func fits(form, path string) bool {
	f, p := strings.Split(form, "/"), strings.Split(path, "/")
	if f[len(f)-1] == "{ref}" && len(p) > len(f) { // which may have slashes
		p = p[:len(f)]
	}
	return slices.EqualFunc(f, p, func(a, b string) bool { return strings.HasPrefix(a, "{") || a == b })
}

func (d *description) body(c content, at string, body []byte, strict bool) []string {
	if c.Ref != "" {
		if err := json.Unmarshal(d.Components[c.Ref], &c); err != nil {
			return []string{at + ": " + err.Error()}
		}
	}
	described, ok := c.Content["application/json"]
	if !ok {
		return []string{at + " has no JSON"}
	}
	s, err := d.schema(described.Schema)
	if err != nil {
		return []string{at + ": " + err.Error()}
	}
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		return []string{at + ": " + err.Error()}
	}
	return d.check(s, at, v, strict)
}
