package internal

import (
	"fmt"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"unicode"
	"unicode/utf8"
)

// The README is what a stranger reads first, so it stays short.
const (
	readmeLines = 200
	readmeBytes = 14 << 10
	proseWidth  = 100
)

// TestDocuments ensures that the documents are in order and agree with the
// repository: see [documentProblems].
func TestDocuments(t *testing.T) {
	for _, p := range documentProblems(shipped(t, os.DirFS(".."))) {
		t.Error(p)
	}
}

// TestDocumentsFail ensures that each kind of problem is found.
func TestDocumentsFail(t *testing.T) {
	const setUp = "```console\ngo run ./lambda/buildmedic demo\ngo test ./...\n```\n"
	const long = "a line of more than a hundred columns, which is what no line of prose in a document may ever be, not one"
	tests := []struct{ name, readme, lambda, want string }{
		{"in order", "# T\n\nSee [here](#t), [there](lambda/), `TestThere`, `make here`.\n", "", ""},
		{"too many lines", strings.Repeat("\n", readmeLines), "", "lines, should be at most 200"},
		{"too many bytes", strings.Repeat(strings.Repeat("x", 90)+"\n", 180), "", "bytes, should be at most 14336"},
		{"no such file", "[x](nowhere.md)", "", "nowhere.md does not exist"},
		{"no such section", "[x](#nowhere)", "", "no section #nowhere"},
		{"no such section elsewhere", "[x](lambda/README.md#nowhere)", "", "no section #nowhere"},
		{"comment behind a command", "```sh\nls   # lists\n```\n", "", "behind a command"},
		{"comment in a block within a list", "1. x:\n\n   ```console\n   ls # lists\n   ```\n", "", "behind a command"},
		{"comment in another language", "```yaml\na: b # c\n```\n", "", ""},
		{"no such target", "`make nothing`", "", "make nothing: there is no such target"},
		{"no such target in a block", "```console\nmake nothing\n```\n", "", "make nothing: there is no such target"},
		{"no such command", "`buildmedic nothing -x`", "", `command "nothing"`},
		{"no such command, from source", "`go run ./lambda/buildmedic nothing`", "", `command "nothing"`},
		{"no such test", "`TestNowhere`", "", "TestNowhere does not exist"},
		{"long line", long, "", "columns"},
		{"long line of code", "```\n" + long + "\n```\n", "", ""},
		{"long row of a table", "| " + long + " |", "", ""},
		{"long link", "[x](https://example.com/" + strings.Repeat("x", 90) + ")", "", ""},
		{"no set-up command", "x", "", "demo is on no line of its own"},
		{"undocumented command", "", "no commands", `does not name the command "demo"`},
		{"undocumented payload", "", "`buildmedic demo` BUILDMEDIC_X `{\"a\":{}}`", `shows no payload "b"`},
		{"undocumented variable", "", "`buildmedic demo` `{\"a\":{}}` `{\"b\":{}}`", "does not name BUILDMEDIC_X"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.name != "no set-up command" {
				tt.readme = setUp + tt.readme
			}
			if tt.lambda == "" {
				tt.lambda = "`buildmedic demo` BUILDMEDIC_X `{\"a\":{}}` `{\"b\":{}}`"
			}
			repo := fstest.MapFS{}
			for name, text := range map[string]string{
				"README.md": tt.readme, "lambda/README.md": tt.lambda, "Makefile": "here: ## x\n", "x_test.go": "func TestThere(",
				commandsFile: `return []command{` + "\n\t\t" + `{"demo", "x", runDemo},`, environmentFile: `x = "BUILDMEDIC_X"`,
				payloadsFile: `"there are a, b"`,
			} {
				repo[name] = &fstest.MapFile{Data: []byte(text)}
			}
			got := documentProblems(shipped(t, repo))
			if tt.want == "" && len(got) > 0 || tt.want != "" && (len(got) == 0 || !strings.Contains(got[0], tt.want)) {
				t.Errorf("found %q, want %q", got, tt.want)
			}
		})
	}
}

// TestRoomsAreDocumented ensures that internal/README.md names each room.
func TestRoomsAreDocumented(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for room := range rooms {
		if !strings.Contains(string(text), "\n| `"+room+"` | ") {
			t.Errorf("internal/README.md: the table of rooms has no row for %s", room)
		}
	}
}

const (
	commandsFile    = "lambda/buildmedic/main.go"
	environmentFile = "lambda/config.go"
	payloadsFile    = "internal/inbox/inbox.go"
)

var (
	link        = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	target      = regexp.MustCompile(`(?m)^([a-z][a-z-]*):`)
	makes       = regexp.MustCompile("(?m)(?:`|^ *)make ([a-z-]+)")
	deskCommand = regexp.MustCompile(`\n\t\t\{"([a-z]+)", "`)
	desks       = regexp.MustCompile("(?m)(?:`|^ *|\\| )(?:go run \\./lambda/)?buildmedic ([a-z]+)")
	variable    = regexp.MustCompile(`"(BUILDMEDIC_[A-Z_]+)"`)
	payloads    = regexp.MustCompile(`there are ([a-z, ]+)"`)
	testName    = regexp.MustCompile("`((?:Test|Fuzz)[A-Z][A-Za-z0-9]+)`")
	testFunc    = regexp.MustCompile(`func ((?:Test|Fuzz)[A-Z][A-Za-z0-9]+)\(`)
	inlineCode  = regexp.MustCompile("`[^`]+`")
	comment     = regexp.MustCompile(`\S\s+#(\s|$)`)
	markup      = regexp.MustCompile("[`*]|\\]\\([^)]*\\)|\\[")
)

// documentProblems lists what is wrong with the documents among the files: a
// README that is too long or lacks a set-up command, a link into nowhere, a
// comment behind a command that one pastes, a make target, command or test that
// does not exist, a command, payload or variable that is documented nowhere, a long line.
func documentProblems(files map[string][]byte) (problems []string) {
	found := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	readme := string(files["README.md"])
	if n := strings.Count(readme, "\n"); n > readmeLines {
		found("README.md has %d lines, should be at most %d: move the rest into the room that it is about", n, readmeLines)
	}
	if len(readme) > readmeBytes {
		found("README.md has %d bytes, should be at most %d: move the rest into the room that it is about", len(readme), readmeBytes)
	}
	for _, c := range []string{"go run ./lambda/buildmedic demo", "go test ./..."} {
		if !strings.Contains(readme, "\n"+c+"\n") {
			found("README.md: %s is on no line of its own", c)
		}
	}

	known := namesIn(files)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if path.Ext(name) != ".md" || path.Base(path.Dir(name)) == "gen" {
			continue // a template's links are seen from where the document will be
		}
		for _, l := range linksOf(string(files[name])) {
			if why := dangling(files, name, l); why != "" {
				found("%s: link to %s: %s", name, l, why)
			}
		}
		problems = append(problems, lineProblems(name, string(files[name]), known)...)
	}
	for _, c := range slices.Sorted(maps.Keys(known["command"])) {
		if !strings.Contains(string(files["lambda/README.md"]), "`buildmedic "+c) {
			found("lambda/README.md does not name the command %q", c)
		}
	}
	if m := payloads.FindSubmatch(files[payloadsFile]); m != nil {
		for p := range strings.SplitSeq(string(m[1]), ", ") {
			if !strings.Contains(string(files["lambda/README.md"]), "`{\""+p+"\":{") {
				found("lambda/README.md shows no payload %q", p)
			}
		}
	}
	for _, m := range variable.FindAllSubmatch(files[environmentFile], -1) {
		if !strings.Contains(string(files["lambda/README.md"]), string(m[1])) {
			found("lambda/README.md does not name %s, which %s reads", m[1], environmentFile)
		}
	}
	return problems
}

// namesIn gives what documents may name, by its kind.
func namesIn(files map[string][]byte) map[string]map[string]bool {
	known := map[string]map[string]bool{"target": {}, "command": {}, "test": {}}
	collect := func(kind string, re *regexp.Regexp, text []byte) {
		for _, m := range re.FindAllSubmatch(text, -1) {
			known[kind][string(m[1])] = true
		}
	}
	collect("target", target, files["Makefile"])
	collect("command", deskCommand, files[commandsFile])
	for name, text := range files {
		if strings.HasSuffix(name, "_test.go") {
			collect("test", testFunc, text)
		}
	}
	return known
}

// lineProblems looks at a document line by line.
func lineProblems(name, text string, known map[string]map[string]bool) (problems []string) {
	block := "" // the language of the block of code that the line is in; "```" without one
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimRight(line, "\n")
		found := func(format string, args ...any) {
			problems = append(problems, fmt.Sprintf("%s:%d: ", name, n)+fmt.Sprintf(format, args...))
		}
		if fence, is := strings.CutPrefix(strings.TrimSpace(line), "```"); is {
			switch {
			case block != "":
				block = ""
			case fence == "":
				block = "```"
			default:
				block = fence
			}
			continue
		}
		shell := slices.Contains([]string{"console", "sh", "bash", "shell", "zsh"}, block)
		code := line
		switch {
		case shell && comment.MatchString(line):
			found("a comment behind a command, which breaks where it is pasted into an interactive zsh: %s", line)
		case block == "":
			code = strings.Join(inlineCode.FindAllString(line, -1), "\n")
			if w := width(line); w > proseWidth && !strings.HasPrefix(strings.TrimSpace(line), "|") {
				found("%d columns, should be at most %d", w, proseWidth)
			}
		}
		if block != "" && !shell {
			continue
		}
		for _, m := range makes.FindAllStringSubmatch(code, -1) {
			if !known["target"][m[1]] {
				found("make %s: there is no such target", m[1])
			}
		}
		for _, m := range desks.FindAllStringSubmatch(code, -1) {
			if !known["command"][m[1]] {
				found("buildmedic has no command %q", m[1])
			}
		}
		for _, m := range testName.FindAllStringSubmatch(code, -1) {
			if !known["test"][m[1]] {
				found("%s does not exist", m[1])
			}
		}
	}
	return problems
}

// width is how wide a line of prose is. A line that is one word or link counts
// for nothing, since it cannot be broken.
func width(line string) int {
	if text := strings.TrimLeft(line, " -"); !strings.Contains(link.ReplaceAllString(text, ""), " ") || strings.HasPrefix(text, "![") ||
		strings.HasPrefix(text, "[") && strings.Contains(text, "]: ") {
		return 0
	}
	return utf8.RuneCountInString(line)
}

// linksOf gives the links of a document to places within the repository.
func linksOf(text string) (links []string) {
	for i, part := range strings.Split(text, "```") {
		if i%2 == 1 {
			continue // a block of code
		}
		for _, m := range link.FindAllStringSubmatch(part, -1) {
			if !strings.Contains(m[1], "://") {
				links = append(links, m[1])
			}
		}
	}
	return links
}

// dangling says what is wrong with a link of the document, or "".
func dangling(files map[string][]byte, document, link string) string {
	file, anchor, _ := strings.Cut(link, "#")
	to := document
	if file != "" {
		to = path.Join(path.Dir(document), file)
	}
	if _, ok := files[to]; !ok {
		folder := false
		for name := range files {
			folder = folder || strings.HasPrefix(name, to+"/")
		}
		if !folder {
			return to + " does not exist"
		}
	}
	if anchor != "" && !slices.Contains(anchorsOf(string(files[to])), anchor) {
		return fmt.Sprintf("%s has no section #%s", to, anchor)
	}
	return ""
}

// anchorsOf gives the anchors of a document's headings as code hosts make them.
func anchorsOf(text string) (anchors []string) {
	for line := range strings.Lines(text) {
		title, ok := strings.CutPrefix(strings.TrimLeft(strings.TrimSpace(line), "#"), " ")
		if !ok || !strings.HasPrefix(line, "#") {
			continue
		}
		title = markup.ReplaceAllString(title, "")
		anchors = append(anchors, strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
				return unicode.ToLower(r)
			}
			return -1
		}, title))
	}
	return anchors
}
