package settings

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/buildmedic/buildmedic/internal/floor"
)

// SchemaFile is the name of the file that has the schema, beside the settings.
const SchemaFile = "buildmedic.schema.json"

// JSONSchema is the JSON Schema (draft 2020-12) of the settings, made of [Keys]. What [Parse] takes
// is valid. It refuses what has the wrong keys, kinds, choices or forms; what takes more than one
// place of the file to know, and the ranges of time spans, only Parse knows.
func JSONSchema() string {
	root := mappingSchema(Keys(), false)
	root.Schema = "https://json-schema.org/draft/2020-12/schema"
	root.Title = "buildmedic.yaml"
	root.Description = "What Buildmedic may do, for which CodeBuild projects."
	root.Type = []string{"object", "null"}
	// A file that says nothing needs no version.
	nothing := &schema{AnyOf: []*schema{
		{Type: "null"}, {Type: "array", MaxItems: new(int)}, {Type: "object", MaxProperties: new(int)},
	}}
	role := &schema{Required: []string{"role"}, Properties: properties{{"role", &schema{Not: &schema{Type: "null"}}}}}
	byDefault := &schema{Type: "object", Required: role.Required, Properties: role.Properties}
	root.AllOf = []*schema{
		{If: &schema{AdditionalProperties: nothing}, Else: &schema{Required: []string{"version"}}},
		{If: &schema{Required: []string{defaultsPath}, Properties: properties{{defaultsPath, byDefault}}},
			Else: &schema{Properties: properties{{"projects", &schema{Items: role}}}}},
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(root); err != nil {
		panic("settings: the schema is no JSON: " + err.Error())
	}
	return b.String()
}

// schema is the part of JSON Schema that the settings need.
type schema struct {
	Schema               string     `json:"$schema,omitempty"`
	Title                string     `json:"title,omitempty"`
	Description          string     `json:"description,omitempty"`
	Type                 any        `json:"type,omitempty"`
	Const                any        `json:"const,omitempty"`
	Enum                 []any      `json:"enum,omitempty"`
	Default              any        `json:"default,omitempty"`
	Examples             []any      `json:"examples,omitempty"`
	Pattern              string     `json:"pattern,omitempty"`
	MaxLength            int        `json:"maxLength,omitempty"`
	Minimum              *int64     `json:"minimum,omitempty"`
	Maximum              *int64     `json:"maximum,omitempty"`
	MinItems             int        `json:"minItems,omitempty"`
	MaxItems             *int       `json:"maxItems,omitempty"`
	UniqueItems          bool       `json:"uniqueItems,omitempty"`
	Items                *schema    `json:"items,omitempty"`
	Properties           properties `json:"properties,omitempty"`
	PropertyNames        *schema    `json:"propertyNames,omitempty"`
	AdditionalProperties any        `json:"additionalProperties,omitempty"`
	MinProperties        int        `json:"minProperties,omitempty"`
	MaxProperties        *int       `json:"maxProperties,omitempty"`
	Required             []string   `json:"required,omitempty"`
	AllOf                []*schema  `json:"allOf,omitempty"`
	AnyOf                []*schema  `json:"anyOf,omitempty"`
	OneOf                []*schema  `json:"oneOf,omitempty"`
	Not                  *schema    `json:"not,omitempty"`
	If                   *schema    `json:"if,omitempty"`
	Else                 *schema    `json:"else,omitempty"`
}

// properties are a mapping's, in the order of the table.
type properties []property

type property struct {
	name string
	*schema
}

// MarshalJSON implements json.Marshaler.
func (ps properties) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	for i, p := range ps {
		b.WriteString([]string{"{", ","}[min(i, 1)])
		if err := enc.Encode(p.name); err != nil {
			return nil, err
		}
		b.WriteByte(':')
		if err := enc.Encode(p.schema); err != nil {
			return nil, err
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// mappingSchema is the schema of a mapping with the keys. In the defaults, texts may have the
// project's name in them, and nothing must be there.
func mappingSchema(keys []Key, defaults bool) *schema {
	s := &schema{Type: "object", AdditionalProperties: false}
	for _, k := range keys {
		s.Properties = append(s.Properties, property{k.Name, k.schema(defaults)})
		if k.Unset == "" {
			s.Required = append(s.Required, k.Name)
		}
	}
	return s
}

// schema is that of what stands under the key. A key without a value is as if it were left out, so
// that null is as good as what it takes, but where something must be there.
func (k Key) schema(defaults bool) *schema {
	s := k.content(defaults || k.Name == defaultsPath)
	if t, ok := s.Type.(string); ok {
		s.Type = []string{t}
	}
	if k.Unset != "" && k.shape != isVersion {
		s.Type = append(s.Type.([]string), "null")
		if s.Enum != nil {
			s.Enum = append(s.Enum, nil)
		}
	} else if t := s.Type.([]string); len(t) == 1 {
		s.Type = t[0]
	}
	if k.one != nil && k.shape == isMapping {
		s.If, s.Else = &schema{Type: "null"}, &schema{OneOf: k.there(k.one)}
	}
	if k.both != nil {
		s.If, s.Else = &schema{Type: "null"}, &schema{Not: &schema{AllOf: k.there(k.both)}}
	}
	s.Description = k.describe()
	if k.Example != "" {
		var v any
		if err := yaml.Unmarshal([]byte(k.Example), &v); err != nil {
			panic("settings: an example is no YAML: " + err.Error())
		}
		s.Examples = []any{v}
	}
	return s
}

// describe is what an editor shows. Editors take it as plain text: the one that marks keys by this
// schema shows the signs of Markdown as they are.
func (k Key) describe() string {
	var b strings.Builder
	b.WriteString(withoutLinks(k.Means))
	for _, c := range k.Choices {
		fmt.Fprintf(&b, "\n- %s: %s", c.Word, c.Means)
	}
	if k.Choices == nil && k.Keys == nil {
		fmt.Fprintf(&b, "\n\nTakes: %s.", k.Takes)
	}
	if k.Unset != "" && k.Unset != "—" {
		fmt.Fprintf(&b, "\n\nLeft out: %s.", k.Unset)
	}
	return strings.ReplaceAll(b.String(), "`", "")
}

// withoutLinks gives a text with what its links say, and not where they lead.
func withoutLinks(text string) string {
	for {
		before, rest, ok := strings.Cut(text, "](")
		at := strings.LastIndexByte(before, '[')
		if _, after, end := strings.Cut(rest, ")"); ok && end && at >= 0 {
			text = before[:at] + before[at+1:] + after
			continue
		}
		return text
	}
}

// content is the schema without its words.
func (k Key) content(defaults bool) *schema {
	switch k.shape {
	case isVersion:
		return &schema{Type: "integer", Const: 1}
	case isAccount:
		zero, most := int64(0), int64(999999999999)
		return &schema{Type: []string{"string", "number"}, Pattern: accountID.Get().String(), Minimum: &zero, Maximum: &most}
	case isTruth:
		s := &schema{Type: "boolean", Default: k.unset == 1}
		if k.Keys != nil {
			below := mappingSchema(k.Keys, defaults)
			s.Type, s.Properties, s.AdditionalProperties = []string{"boolean", "object"}, below.Properties, false
		}
		return s
	case isNumber:
		return &schema{Type: "integer", Default: k.unset, Minimum: &k.from, Maximum: &k.to}
	case isSpan:
		s := &schema{Type: "string", Pattern: durationText.Get().String()}
		if k.from == 0 {
			s.Type, s.Minimum, s.Maximum = []string{"string", "integer"}, new(int64), new(int64)
		}
		if k.unset != 0 {
			s.Default = strings.Trim(k.Unset, "`")
		}
		return s
	case isTexts:
		return &schema{Type: "array", Items: k.text(defaults), UniqueItems: true}
	case isSamples:
		most := maxSamples
		return &schema{Type: "array", Items: k.text(defaults), MaxItems: &most}
	case isTextOrTexts:
		return &schema{Type: []string{"string", "integer", "array"}, MinItems: 1, Items: &schema{Type: []string{"string", "integer"}}}
	case isMapping:
		return mappingSchema(k.Keys, defaults)
	case isMappings:
		s := mappingSchema(k.Keys, defaults)
		if k.one != nil {
			s.OneOf = k.there(k.one)
		}
		if k.any != nil {
			s.AnyOf, s.Not = k.there(k.any), &schema{AllOf: k.there(k.any[:2])}
		}
		return &schema{Type: "array", Items: s}
	case isPassRoles:
		return &schema{Type: "object", MinProperties: 1, PropertyNames: &schema{Pattern: servicePrincipal.Get().String()},
			AdditionalProperties: &schema{Type: "array", MinItems: 1, UniqueItems: true, Items: &schema{Type: "string"}}}
	}
	s := k.text(defaults)
	for _, c := range k.Choices {
		s.Enum = append(s.Enum, c.Word)
	}
	if k.Choices != nil && !k.open {
		s.Default = k.Choices[0].Word
	}
	if k.Name == "set" {
		for _, name := range floor.SetNames() {
			s.Enum = append(s.Enum, name)
		}
	}
	return s
}

// text is the schema of one text. In the defaults the form is that of the text with a project's
// name in it, which only the reader knows.
func (k Key) text(defaults bool) *schema {
	s := &schema{Type: "string"}
	if k.form == nil {
		return s
	}
	s.Pattern, s.MaxLength = characters(k.form)
	if defaults {
		mark := strings.NewReplacer("$", `\$`, "{", `\{`, "}", `\}`).Replace(projectMark)
		if s.Pattern, s.MaxLength = s.Pattern+"|"+mark, 0; k.Name == "role" {
			s.Pattern = mark
		}
	}
	return s
}

// there says of each of the keys below that it has a value.
func (k Key) there(names []string) (list []*schema) {
	for _, name := range names {
		value := &schema{Not: &schema{Type: "null"}}
		if find(k.Keys, name).shape == isTruth {
			value = &schema{Const: true}
		}
		list = append(list, &schema{Required: []string{name}, Properties: properties{{name, value}}})
	}
	return list
}
