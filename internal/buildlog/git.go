package buildlog

import (
	"bytes"
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/codebuild"
)

// Git prints the same line when a fetch and when a push is refused. Which of the two it was is
// taken from what else git prints, and from the command; the words "git push" in a text prove
// nothing.
const (
	gitPull = "codecommit:GitPull"
	gitPush = "codecommit:GitPush"
)

// refused403 is what git says about an answer of 403.
const refused403 = "therequestedurlreturnederror:403"

// readCodeCommit: git's "unable to access 'https://git-codecommit…': The requested URL returned
// error: 403". It has no action if a fetch and a push are both possible.
func (s *sentences) readCodeCommit(at int) (report, bool) {
	end := min(len(s.flat), at+400)
	n := bytes.Index(s.flat[at:end], []byte(refused403))
	if n < 0 || bytes.IndexByte(s.flat[at:at+n], '\n') >= 0 {
		return report{}, false
	}
	if bytes.Contains(s.flat[at+1:at+n], []byte("git-codecommit.")) {
		return report{}, false // the refusal is of the address behind this one, such as the command's
	}
	r := report{from: at, msg: at + n + len(refused403)}
	if n := bytes.LastIndex(s.flat[max(0, at-60):at], []byte("fatal:")); n >= 0 {
		r.from = max(0, at-60) + n
	}
	r.action = s.gitAction(int(s.at[r.from]), int(s.at[r.msg-1]))
	for _, n := range namesIn(strings.ReplaceAll(string(s.text[s.at[r.from]:s.at[r.msg-1]]), "\n", "")) {
		if n.service == "codecommit" {
			r.resource = n.repository(s.home)
		}
	}
	return r, true
}

// repository is the ARN of a CodeCommit repository; "" if the build's account is not known.
func (n names) repository(home codebuild.ARN) string {
	a := codebuild.ARN{Partition: home.Partition, Service: "codecommit", Region: first(n.region, home.Region),
		Account: home.Account, Resource: n.vars["RepositoryName"]}
	if a.Account == "" || a.Region == "" || a.Resource == "" {
		return ""
	}
	return a.String()
}

// Rows that show what git does. A row counts as a command only if it is one: a shell's trace, a
// prompt, what a package manager or CodeBuild's agent prints before it runs one.
var (
	pullSign = gitSigns{
		begins: []string{"Submodule path", "Cloning into '", "Fetching ", "From https://", "error: could not fetch "},
		holds:  []string{"git-upload-pack", "clone of 'https://git-codecommit", ": git ls-remote -", ": git clone -", ": git fetch -"},
	}
	pushSign = gitSigns{
		begins: []string{"To https://", "error: failed to push ", "Pushing to "},
		holds:  []string{"git-receive-pack", "[remote rejected]"},
	}
)

// gitSigns are in a row that begins with, or holds, one of them.
type gitSigns struct{ begins, holds []string }

func (s gitSigns) in(row string) bool {
	return slices.ContainsFunc(s.begins, func(w string) bool { return strings.HasPrefix(row, w) }) ||
		slices.ContainsFunc(s.holds, func(w string) bool { return strings.Contains(row, w) })
}

// gitWindow is how many rows before and after a refusal are read for what git was doing.
const gitWindow = 12

// gitAction decides by the rows around the refusal at text[from:to]: the one before it that is
// nearest, else one after it.
func (s *sentences) gitAction(from, to int) string {
	r, last := s.rowAt(from), s.rowAt(to)
	for i := r; i >= 0 && i >= r-gitWindow; i-- {
		row := s.row(i)
		if i < r && strings.Contains(row, "fatal: unable to access") {
			break // the end of another command
		}
		if a := gitSign(row); a != "" {
			return a
		}
	}
	for i := last + 1; i < len(s.rows) && i <= last+2; i++ {
		if a := gitSign(s.row(i)); a != "" {
			return a
		}
	}
	return ""
}

// row returns the text of a row.
func (p *page) row(i int) string {
	start := int(p.rows[i].start)
	return string(p.text[start:p.rowEnd(start)])
}

// gitSign is what one row shows; "" if nothing.
func gitSign(row string) string {
	pull, push := pullSign.in(row), pushSign.in(row)
	if c := commandIn(row); c != "" && !pull && !push {
		return gitCommand(c)
	}
	switch {
	case pull == push:
		return ""
	case pull:
		return gitPull
	}
	return gitPush
}

// commandIn is git's command line in a row that shows one; "" if it shows none.
func commandIn(row string) string {
	row = strings.TrimLeft(row, "+$%># ")
	for _, before := range []string{"Running command ", "command "} { // npm: "error: command git …"
		if i := strings.Index(row, before+"git "); i >= 0 && i <= 40 {
			row = row[i+len(before):]
		}
	}
	rest := row
	for {
		name, more, ok := strings.Cut(rest, " ")
		if !ok || !strings.Contains(name, "=") || strings.ToUpper(name[:1]) != name[:1] {
			break
		}
		rest = more
	}
	if !strings.HasPrefix(rest, "git ") {
		return ""
	}
	return row
}

// gitCommand is what a command line does with a remote repository; "" if nothing, or both.
func gitCommand(command string) string {
	found := ""
	for _, words := range calls(command) {
		at := slices.IndexFunc(words, func(w arg) bool { return w.ok && (w.text == "git" || strings.HasSuffix(w.text, "/git")) })
		if at < 0 {
			continue
		}
		a := ""
		switch gitSubcommand(words[at+1:]) {
		case "push":
			a = gitPush
		case "clone", "fetch", "pull", "ls-remote", "submodule", "remote":
			a = gitPull
		}
		if a != "" && found != "" && a != found {
			return ""
		}
		found = first(a, found)
	}
	return found
}

// gitSubcommand skips the options before the subcommand; some take a value of their own.
func gitSubcommand(words []arg) string {
	for i := 0; i < len(words); i++ {
		switch w := words[i].text; {
		case w == "-C" || w == "-c" || w == "--git-dir" || w == "--work-tree" || w == "--namespace" || w == "--exec-path":
			i++
		case strings.HasPrefix(w, "-"):
		default:
			return w
		}
	}
	return ""
}
