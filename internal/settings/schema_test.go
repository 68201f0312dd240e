package settings

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
	"golang.org/x/tools/txtar"
)

// validator is the schema as a validator by others has it, which also holds it to its draft's own.
func validator(t *testing.T) func(text []byte) error {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(JSONSchema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("buildmedic.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("buildmedic.json")
	if err != nil {
		t.Fatal(err)
	}
	return func(text []byte) error {
		var v any
		if err := yaml.Unmarshal(text, &v); err != nil {
			return err
		}
		b, err := json.Marshal(v)
		if err != nil {
			return err
		}
		if v, err = jsonschema.UnmarshalJSON(bytes.NewReader(b)); err != nil {
			t.Fatal(err)
		}
		return s.Validate(v)
	}
}

// settingsFiles are all settings that the repository has: files, those within stories, and those in
// documents.
func settingsFiles(t *testing.T) map[string][]byte {
	t.Helper()
	found := map[string][]byte{}
	fence := regexp.MustCompile("(?s)```yaml\n(.*?)```")
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if slices.Contains([]string{"node_modules", "dist", "cdk.out", ".git"}, d.Name()) && d.IsDir() {
			return fs.SkipDir
		}
		ext := filepath.Ext(path)
		if d.IsDir() || !slices.Contains([]string{".yaml", ".txtar", ".txt", ".md"}, ext) {
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		switch ext {
		case ".yaml":
			found[path] = data
		case ".md":
			for i, m := range fence.FindAllSubmatch(data, -1) {
				found[path+":"+strconv.Itoa(i)] = m[1]
			}
		default:
			for _, f := range txtar.Parse(data).Files {
				if filepath.Ext(f.Name) == ".yaml" {
					found[path+":"+f.Name] = f.Data
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range found {
		if !bytes.Contains(data, []byte("version: 1")) {
			delete(found, name)
		}
	}
	found["full"], found["every default"] = []byte(full), []byte(withHost+"defaults:"+everyDefault+"projects: [{name: web, role: }]\n")
	found["other roles"] = []byte(strings.Replace(also, "write: {inline: t}", "write: {code: {codecommit: roles, path: t.json}}", 1))
	found["a cause"] = []byte(`version: 1
causes:
  - name: pool-empty
    title: No pool
    advice: Wait.
    remedy: report
    retryable: true
    last: 20
    match:
      - {says: [pool, no environment that is free], not: dry run, also: [e2e], like: 'pool (?P<pool>[a-z]+)', pick: first,
         exit: 3, command: e2e.sh, phase: BUILD, remedy: report}
    samples: ["%exit 3\npool a has no environment that is free"]
    unlike: [none]
`)
	return found
}

// TestSchemaTakesWhatIsValid ensures that no editor marks what the reader takes.
func TestSchemaTakesWhatIsValid(t *testing.T) {
	validate, valid := validator(t), 0
	for name, data := range settingsFiles(t) {
		if _, err := Parse(data); err != nil {
			continue
		}
		valid++
		if err := validate(data); err != nil {
			t.Errorf("%s is valid, and the schema refuses it: %v", name, err)
		}
	}
	for _, text := range []string{"", "~\n", "version: 1\n", "projects: []\n", "notify: {}\ntests:\n",
		"version: 1\nprojects:\ngrants:\nnotify:\nlimits: {}\naccounts: []\ntests: ~\n"} {
		if err := validate([]byte(text)); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
	if valid < 50 {
		t.Errorf("only %d valid files were found", valid)
	}
}

// TestSchemaKnowsOnePlace ensures that an editor marks credentials in two places, and in one takes them.
func TestSchemaKnowsOnePlace(t *testing.T) {
	validate := validator(t)
	for host, valid := range map[string]bool{"{secret: a, parameter: /a}": false, "{secret: a}": true, "{parameter: /a}": true,
		"{secret: a, parameter: ~}": true, "{url: 'https://github.example.com'}": true, "~": true} {
		text := []byte("version: 1\ncode: {github: " + host + "}\n")
		if err := validate(text); (err == nil) != valid {
			t.Errorf("%s: the schema: %v", host, err)
		}
		if _, err := Parse(text); (err == nil) != valid {
			t.Errorf("%s: the reader: %v", host, err)
		}
	}
}

// structural are the words of problems that a schema must know as well. The others take more than
// one place of the file, what AWS has, or arithmetic.
var structural = regexp.MustCompile(`unknown key "|" stands where |(list|nothing) stands where |pairs stand where |: missing; |` +
	`is not one of |is not a whole number |is not a time span|: blank; |give exactly one of|where 1 is expected|is no default|, not both`)

// beyond are those that a schema does not know even so.
var beyond = regexp.MustCompile(`write: missing; say where|"[0-9-]+" stands where text`)

// TestSchemaRefusesSlips ensures that the schema refuses each single slip in a file that the reader
// refuses for its structure, and nothing that the reader takes.
func TestSchemaRefusesSlips(t *testing.T) {
	validate := validator(t)
	files, slips, refused := settingsFiles(t), 0, 0
	for _, name := range []string{"full", "every default", "a cause"} {
		data := files[name]
		if _, err := Parse(data); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for what, text := range everySlip(t, data) {
			slips++
			_, parsed := Parse(text)
			schema := validate(text)
			if parsed == nil && schema != nil {
				t.Errorf("%s: %s: the reader takes it, and the schema does not: %v\n%s", name, what, schema, text)
			}
			var problems Problems
			if parsed != nil {
				problems = parsed.(Problems)
			}
			must := slices.ContainsFunc(problems, func(p Problem) bool {
				return structural.MatchString(p.Error()) && !beyond.MatchString(p.Error())
			})
			if must && schema == nil {
				t.Errorf("%s: %s: the schema takes it: %v", name, what, parsed)
			}
			if schema != nil {
				refused++
			}
		}
	}
	t.Logf("%d slips, %d of them refused", slips, refused)
	if slips < 1500 || refused < slips/2 {
		t.Errorf("%d slips, of which the schema refuses %d", slips, refused)
	}
}

// everySlip makes all files that differ from a file in one place.
func everySlip(t *testing.T, data []byte) map[string][]byte {
	t.Helper()
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	slips := map[string][]byte{}
	add := func(what string) {
		b, err := yaml.Marshal(&doc)
		if err != nil {
			t.Fatal(err)
		}
		slips[what] = b
	}
	values := []string{"some text", `""`, "1", "-1", "true", "[]", "[[1]]", "{x: 1}", "~"}
	var walk func(n *yaml.Node, at string)
	walk = func(n *yaml.Node, at string) {
		if at != "" {
			was := *n
			for _, v := range values {
				var other yaml.Node
				if err := yaml.Unmarshal([]byte(v), &other); err != nil {
					t.Fatal(err)
				}
				*n = *other.Content[0]
				add(at + " is " + v)
			}
			*n = was
		}
		for i, c := range n.Content {
			if n.Kind != yaml.MappingNode {
				walk(c, at+"["+strconv.Itoa(i)+"]")
				continue
			}
			if i%2 == 1 {
				continue
			}
			key := c.Value
			walk(n.Content[i+1], at+"."+key)
			c.Value = key + "s"
			add(at + "." + key + " has another letter")
			c.Value = key
			was := n.Content
			n.Content = slices.Concat(was[:i], was[i+2:])
			add(at + "." + key + " is gone")
			n.Content = was
		}
	}
	walk(doc.Content[0], "")
	return slips
}
