package internal

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

const awsFacts = "internal/AWS.md"

// TestAWSFacts ensures that comments and AWS.md agree: see [awsProblems].
func TestAWSFacts(t *testing.T) {
	for _, p := range awsProblems(t, os.DirFS("..")) {
		t.Error(p)
	}
}

// TestAWSFactsFail ensures that each kind of disagreement is found.
func TestAWSFactsFail(t *testing.T) {
	const sound = "# T\n\n## G\n\n### Two words\n\n- A fact. (D [page])\n- See [above](#two-words). (A)\n\n" +
		"[page]: https://docs.aws.amazon.com/page \"1 Nov 2026\"\n"
	const cited = "// Cited (AWS.md#two-words).\n"
	tests := []struct{ name, facts, code, want string }{
		{"agree", sound, cited, ""},
		{"no such section", sound, cited + "// AWS.md#three-words", `cites AWS.md#three-words`},
		{"no such section within the file", sound + "[x](#three-words)", cited, `cites AWS.md#three-words`},
		{"never cited", sound, "// not", `"Two words" is cited nowhere`},
		{"background", strings.Replace(sound, "- A fact", "Background: why.\n\n- A fact", 1), "// not", ""},
		{"background, and cited", strings.Replace(sound, "- A fact", "Background: why.\n\n- A fact", 1), cited,
			`is cited, so it is no background`},
		{"two of a name", sound + "\n### Two words\n", cited, `two sections "Two words"`},
		{"no mark", strings.Replace(sound, "(A)", "", 1), cited, `does not say how it is known`},
		{"no such source", strings.Replace(sound, "(A)", "(R [issue])", 1), cited, `source [issue] is not listed`},
		{"source without a day", strings.Replace(sound, ` "1 Nov 2026"`, "", 1), cited, `source [page] has no day of reading`},
		{"source never named", strings.Replace(sound, "(D [page])", "(A)", 1), cited, `source [page] is named nowhere`},
		{"a document that is not shipped", sound, cited + "// aws" + "-facts 1", "a document that is not in the repository"},
		{"another", sound, cited + "// design" + ".md", "a document that is not in the repository"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := awsProblems(t, fstest.MapFS{awsFacts: {Data: []byte(tt.facts)}, "room/code.go": {Data: []byte(tt.code)}})
			switch {
			case tt.want == "" && len(got) > 0:
				t.Errorf("found %q", got)
			case tt.want != "" && (len(got) != 1 || !strings.Contains(got[0], tt.want)):
				t.Errorf("found %q, want one with %q", got, tt.want)
			}
		})
	}
}

var (
	citation    = regexp.MustCompile(`AWS\.md#([a-z0-9-]+)`)
	ownLink     = regexp.MustCompile(`\]\(#([a-z0-9-]+)\)`)
	elsewhere   = regexp.MustCompile(`aws` + `-facts|\bdesign` + `\.md`)
	factMark    = regexp.MustCompile(`\([DSRTA][ ),]`)
	sourceName  = regexp.MustCompile(`\[([a-z0-9-]*[a-z][a-z0-9-]*)\](?:[ ,)]|$)`)
	sourceEntry = regexp.MustCompile(`(?m)^\[([a-z0-9-]+)\]: https://\S+(?: "(\d+ [A-Z][a-z]+ \d{4})")?$`)
)

// section is one "###" of AWS.md, with its text.
type section struct{ title, text string }

// anchor is the section's anchor as code hosts make it.
func (s section) anchor() string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || 'a' <= r && r <= 'z' || '0' <= r && r <= '9':
			return r
		}
		return -1
	}, strings.ToLower(s.title))
}

// awsProblems lists where AWS.md and the rest of the repository disagree: a
// citation of a section that does not exist, or of a document that is not
// shipped; a section that nothing cites and that is no background; a fact
// without a mark; a source that is not listed, has no day, or is not used.
func awsProblems(t *testing.T, repo fs.FS) (problems []string) {
	t.Helper()
	found := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	text, err := fs.ReadFile(repo, awsFacts)
	if err != nil {
		t.Fatal(err)
	}
	sections := sectionsOf(string(text))
	if len(sections) == 0 {
		t.Fatalf("%s has no sections", awsFacts)
	}
	byAnchor := map[string]section{}
	for _, s := range sections {
		if _, ok := byAnchor[s.anchor()]; ok {
			found("%s has two sections %q", awsFacts, s.title)
		}
		byAnchor[s.anchor()] = s
	}

	cited := map[string]bool{}
	cites := func(file, anchor string) {
		if _, ok := byAnchor[anchor]; !ok {
			found("%s cites AWS.md#%s, a section that does not exist; there are %v", file, anchor, slices.Sorted(maps.Keys(byAnchor)))
		}
	}
	for file, data := range shipped(t, repo) {
		if m := elsewhere.Find(data); m != nil {
			found("%s cites %q, a document that is not in the repository: cite a section of %s", file, m, awsFacts)
		}
		if file == awsFacts || file == "internal/aws_test.go" {
			continue
		}
		for _, m := range citation.FindAllSubmatch(data, -1) {
			cites(file, string(m[1]))
			cited[string(m[1])] = true
		}
	}
	for _, m := range ownLink.FindAllSubmatch(text, -1) {
		cites(awsFacts, string(m[1]))
	}
	for _, s := range sections {
		background := strings.HasPrefix(s.text, "Background")
		if !background && !cited[s.anchor()] {
			found("%s: %q is cited nowhere: remove it, or begin it with \"Background\"", awsFacts, s.title)
		}
		if background && cited[s.anchor()] {
			found("%s: %q is cited, so it is no background", awsFacts, s.title)
		}
		for fact := range strings.SplitSeq("\n"+s.text, "\n- ") {
			if fact, _, _ = strings.Cut(fact, "\n\n"); strings.HasPrefix("\n"+s.text, fact) {
				continue // what stands before the first of them
			}
			if !factMark.MatchString(fact) {
				found("%s: %q: this does not say how it is known: %q", awsFacts, s.title, fact)
			}
		}
	}
	return append(problems, sourceProblems(string(text))...)
}

func sourceProblems(text string) (problems []string) {
	days := map[string]string{}
	for _, m := range sourceEntry.FindAllStringSubmatch(text, -1) {
		days[m[1]] = m[2]
		if m[2] == "" {
			problems = append(problems, fmt.Sprintf("%s: source [%s] has no day of reading", awsFacts, m[1]))
		}
	}
	used := map[string]bool{}
	for line := range strings.Lines(text) {
		for _, m := range sourceName.FindAllStringSubmatch(strings.TrimRight(line, "\n"), -1) {
			used[m[1]] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(used)) {
		if _, ok := days[name]; !ok {
			problems = append(problems, fmt.Sprintf("%s: source [%s] is not listed", awsFacts, name))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(days)) {
		if !used[name] {
			problems = append(problems, fmt.Sprintf("%s: source [%s] is named nowhere", awsFacts, name))
		}
	}
	return problems
}

// sectionsOf reads the sections; each ends at the next heading, or where the
// sources begin.
func sectionsOf(text string) (list []section) {
	for part := range strings.SplitSeq("\n"+text, "\n### ") {
		title, body, ok := strings.Cut(part, "\n")
		if body, _, _ = strings.Cut(body, "\n## "); !ok || strings.HasPrefix(part, "\n") {
			continue // what stands before the first of them
		}
		if i := sourceEntry.FindStringIndex(body); i != nil {
			body = body[:i[0]]
		}
		list = append(list, section{title, strings.TrimSpace(body)})
	}
	return list
}

// shipped gives the repository's files by name, without what tools make; those that are no text are
// empty.
func shipped(t *testing.T, repo fs.FS) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	err := fs.WalkDir(repo, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := path.Base(name)
		if d.IsDir() {
			if slices.Contains([]string{".git", "node_modules", "cdk.out", "dist"}, base) {
				return fs.SkipDir
			}
			return nil
		}
		if !d.Type().IsRegular() {
			return nil
		}
		data, err := fs.ReadFile(repo, name)
		if bytes.IndexByte(data, 0) >= 0 {
			data = nil // a picture: it is there, and says nothing
		}
		files[name] = data
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
