// Command gen writes infra/SETTINGS.md and infra/buildmedic.schema.json from the tables that the
// settings' reader uses, and from the sets, so that they say what holds.
package main

import (
	_ "embed"
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/buildmedic/buildmedic/internal/floor"
	"github.com/buildmedic/buildmedic/internal/iamref"
	"github.com/buildmedic/buildmedic/internal/settings"
)

//go:embed settings.md
var page string

func main() {
	log.SetFlags(0)
	for name, text := range map[string]string{"SETTINGS.md": render(), settings.SchemaFile: settings.JSONSchema()} {
		if err := os.WriteFile("../../infra/"+name, []byte(text), 0o644); err != nil {
			log.Fatalf("gen: %v", err)
		}
	}
}

func render() string {
	var keys strings.Builder
	section(&keys, "", settings.Keys())
	exact := 0
	for _, service := range iamref.Services() {
		for _, a := range iamref.Actions(service) {
			if h, _ := floor.Of(a.Name); h == floor.ExactName {
				exact++
			}
		}
	}
	return strings.NewReplacer("{{keys}}", strings.TrimSuffix(keys.String(), "\n"), "{{sets}}", sets(),
		"{{exact}}", fmt.Sprint(exact)).Replace(page)
}

// section writes the keys of one mapping, and then those below them.
func section(b *strings.Builder, at string, keys []settings.Key) {
	title := "The file"
	if at != "" {
		title = "`" + at + "`"
	}
	if at == "defaults" {
		defaults(b, keys)
		return
	}
	fmt.Fprintf(b, "### %s\n\n| key | what it means | takes | left out | example |\n| - | - | - | - | - |\n", title)
	for _, k := range keys {
		fmt.Fprintf(b, "| `%s` | %s | %s | %s | %s |\n", k.Name, k.Means, k.Takes, leftOut(k), example(k))
	}
	b.WriteString("\n")
	for _, k := range keys {
		if k.Choices == nil {
			continue
		}
		fmt.Fprintf(b, "`%s`:\n\n", k.Name)
		for _, c := range k.Choices {
			fmt.Fprintf(b, "- `%s`: %s\n", c.Word, c.Means)
		}
		b.WriteString("\n")
	}
	for _, k := range keys {
		if k.Keys != nil {
			section(b, strings.TrimPrefix(at+"."+k.Name, "."), k.Keys)
		}
	}
}

// defaults writes the keys that projects have, too: what they mean is said there.
func defaults(b *strings.Builder, keys []settings.Key) {
	b.WriteString("### `defaults`\n\nKeys of [projects](#projects), where it says what they mean. See " +
		"[Many projects](#many-projects).\n\n| key | takes | example |\n| - | - | - |\n")
	for _, k := range keys {
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", k.Name, k.Takes, example(k))
	}
	b.WriteString("\n")
}

func leftOut(k settings.Key) string {
	if k.Unset == "" {
		return "must be there"
	}
	return k.Unset
}

func example(k settings.Key) string {
	if k.Example == "" {
		return "see below"
	}
	return "`" + k.Name + ": " + k.Example + "`"
}

func sets() string {
	var b strings.Builder
	b.WriteString("| set | for | actions |\n| - | - | - |\n")
	for _, s := range floor.Sets() {
		var list []string
		for _, a := range s.Actions {
			h, _ := floor.Of(a)
			switch {
			case h == floor.ExactName:
				list = append(list, "`"+a+"`¹")
			case floor.Conditions(a) != nil:
				list = append(list, "`"+a+"`²")
			default:
				list = append(list, "`"+a+"`")
			}
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", s.Name, s.Purpose, strings.Join(list, ", "))
	}
	return b.String()
}
