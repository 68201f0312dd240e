package settings

import (
	"go/scanner"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	// dotted is how texts name a key by its place: limits.rounds, notify.chat.teams.
	dotted = regexp.MustCompile(`\b(notify|limits|accounts|projects|grants|tests|write|logs|chat|trust)(\.[a-z_]+)+\b`)
	// withValue is how they name one with what to write: retry: false.
	withValue = regexp.MustCompile(`\b([a-z_]+): (true|false|exact|observe|propose|heal)\b`)
	aFile     = regexp.MustCompile(`\.(yaml|yml|go|md|json|html|svg)$`)
)

// TestNamedKeysExist ensures that every key of the settings that a text of
// ours names is one: messages, rules and documents tell owners what to write.
func TestNamedKeysExist(t *testing.T) {
	var places, names []string
	everyKey(Keys(), "", file, func(k Key, at string, _ func(string) string) {
		at = strings.ReplaceAll(at, "[0]", "")
		places, names = append(places, at, strings.TrimPrefix(strings.TrimPrefix(at, "projects."), "notify.")), append(names, k.Name)
	})
	found := map[string]bool{}
	for name, texts := range ourTexts(t) {
		for _, text := range texts {
			for _, m := range dotted.FindAllStringIndex(text, -1) {
				place, rest := text[m[0]:m[1]], text[m[1]:]
				if aFile.MatchString(place) || strings.HasPrefix(rest, "-") || strings.HasPrefix(rest, "/") {
					continue // the name of a file or a host
				}
				found[place] = true
				if !slices.Contains(places, place) {
					t.Errorf("%s names %q, which is no key of the settings", name, place)
				}
			}
			for _, m := range withValue.FindAllStringSubmatch(text, -1) {
				found[m[0]] = true
				if !slices.Contains(names, m[1]) {
					t.Errorf("%s says %q, and %q is no key of the settings", name, m[0], m[1])
				}
			}
		}
	}
	for _, want := range []string{"limits.rounds", "limits.writes_per_role_per_day", "retry: false", "mode: heal"} {
		if !found[want] {
			t.Errorf("no text names %s: is everything read?", want)
		}
	}
}

// ourTexts are the string literals of the product's code, and the documents.
func ourTexts(t *testing.T) map[string][]string {
	t.Helper()
	texts := map[string][]string{}
	root := filepath.Join("..", "..")
	skipped := []string{"testdata", "node_modules", "gen", "dist", "cdk.out", "simaws" /* its worlds have keys of their own */}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		name, generated := d.Name(), path == filepath.Join(root, "internal", "diagnose", "causes_gen.go")
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != root && (strings.HasPrefix(name, ".") || slices.Contains(skipped, name)):
			return fs.SkipDir
		case strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") && !generated:
			text, err := os.ReadFile(path)
			texts[path] = literals(text)
			return err
		case strings.HasSuffix(name, ".md") || path == filepath.Join(root, "infra", "buildmedic.yaml"):
			text, err := os.ReadFile(path)
			texts[path] = []string{string(text)}
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return texts
}

func literals(source []byte) (list []string) {
	var s scanner.Scanner
	files := token.NewFileSet()
	s.Init(files.AddFile("", files.Base(), len(source)), source, nil, 0)
	for {
		_, tok, lit := s.Scan()
		switch tok {
		case token.EOF:
			return list
		case token.STRING:
			list = append(list, lit)
		}
	}
}
