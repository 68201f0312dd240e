package settings

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Said is one key that a project has, and where that stands.
type Said struct {
	Key     string `json:"key"`
	Value   string `json:"value"` // as YAML, in one line
	Line    int    `json:"line"`
	Default bool   `json:"default"` // it stands under defaults
}

// Effective gives what is said of each project of a file that [Parse] takes, in the order of the
// file and of the table of keys: by the project itself, and for what it leaves out by the defaults.
// What neither says is as the table says.
func Effective(data []byte) (list [][]Said) {
	r := &reader{}
	n := r.document(data)
	if n == nil {
		return nil
	}
	file := r.object(n, "", fileKeys)
	d := r.defaults(file)
	for o := range file.each("projects") {
		d.fill(o)
		var said []Said
		for _, k := range projectKeys {
			if v := o.value(k.Name); v != nil {
				said = append(said, Said{k.Name, oneLine(v), v.Line, slices.Contains(d.taken, k.Name)})
			}
		}
		list = append(list, said)
	}
	return list
}

// oneLine gives a value as YAML in one line.
func oneLine(n *yaml.Node) string {
	var parts []string
	switch n.Kind {
	case yaml.SequenceNode:
		for _, c := range n.Content {
			parts = append(parts, oneLine(c))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			parts = append(parts, n.Content[i].Value+": "+oneLine(n.Content[i+1]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return n.Value
}
