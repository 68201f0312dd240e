package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/buildmedic/buildmedic/internal/story"
	"github.com/buildmedic/buildmedic/testdata"
)

// shells are those that cobra writes scripts for.
var shells = map[string]func(root *cobra.Command, w io.Writer) error{
	"bash":       func(root *cobra.Command, w io.Writer) error { return root.GenBashCompletionV2(w, true) },
	"zsh":        func(root *cobra.Command, w io.Writer) error { return root.GenZshCompletion(w) },
	"fish":       func(root *cobra.Command, w io.Writer) error { return root.GenFishCompletion(w, true) },
	"powershell": func(root *cobra.Command, w io.Writer) error { return root.GenPowerShellCompletionWithDesc(w) },
}

const completionAbout = `Prints a script that completes commands, flags, stories, rules, causes and files, without any call of AWS.
It is for the command buildmedic in your PATH, which ` + "`go install`" + ` makes, and not for go run.

bash, which needs the package bash-completion:
  mkdir -p ~/.local/share/bash-completion/completions
  buildmedic completion bash > ~/.local/share/bash-completion/completions/buildmedic
zsh, with compinit in ~/.zshrc:
  buildmedic completion zsh > "${fpath[1]}/_buildmedic"
fish:
  mkdir -p ~/.config/fish/completions
  buildmedic completion fish > ~/.config/fish/completions/buildmedic.fish
PowerShell, in the file that $PROFILE names:
  buildmedic completion powershell | Out-String | Invoke-Expression`

func runCompletion(_ context.Context, args []string, _ io.Reader, stdout, stderr io.Writer) int {
	fs := flags("completion", "bash|zsh|fish|powershell", completionAbout, "source <(buildmedic completion bash)", stderr)
	if done, code := parse(fs, args, stdout); done {
		return code
	}
	script := shells[fs.Arg(0)]
	if script == nil || fs.NArg() != 1 {
		return wrong(fs, "name one shell: bash, zsh, fish or powershell")
	}
	var b bytes.Buffer
	if err := script(newRoot([]string{"completion"}, nil, stdout, stderr), &b); err != nil {
		return fail(stderr, err)
	}
	if _, err := stdout.Write(b.Bytes()); err != nil {
		return fail(stderr, fmt.Errorf("printing: %w", err))
	}
	return exitOK
}

// completing tells cobra what the commands take. The shell's script calls with what has been typed,
// the last word perhaps in part.
func completing(root *cobra.Command, args []string) {
	sets := map[string]*pflag.FlagSet{}
	for _, cmd := range root.Commands() {
		i := slices.IndexFunc(commands(), func(c command) bool { return c.name == cmd.Name() })
		if i < 0 {
			continue
		}
		d := &described{}
		commands()[i].run(context.Background(), nil, nil, d, io.Discard)
		cmd.DisableFlagParsing = false
		cmd.Flags().AddFlagSet(d.flags)
		cmd.ValidArgsFunction = completeNames[cmd.Name()]
		if cmd.ValidArgsFunction == nil {
			cmd.ValidArgsFunction = cobra.NoFileCompletions
		}
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			_, f.Usage = pflag.UnquoteUsage(f)
			completeValue(cmd, f)
		})
		sets[cmd.Name()] = cmd.Flags()
	}
	if len(args) < 3 || sets[args[1]] == nil {
		return
	}
	typed, last := args[2:len(args)-1], args[len(args)-1]
	before, _ := twoDashes(sets[args[1]], typed)
	one := len(last) > 1 && last[0] == '-' && last[1] != '-' && !slices.Contains(before, "--")
	if one {
		last = "-" + last
	}
	root.SetArgs(append(append([]string{args[0], args[1]}, before...), last))
	if one && !strings.Contains(last, "=") { // the shell wants words that begin as what was typed
		root.SetOut(oneDash{root.OutOrStdout()})
	}
}

// oneDash takes a dash off the flags that are offered.
type oneDash struct{ w io.Writer }

func (o oneDash) Write(p []byte) (int, error) {
	if bytes.HasPrefix(p, []byte("--")) {
		n, err := o.w.Write(p[1:])
		return n + 1, err
	}
	return o.w.Write(p)
}

// completeNames complete what is no flag, by command. Other commands take no names that are known
// without asking AWS or a ledger.
var completeNames = map[string]cobra.CompletionFunc{
	"demo": completeStories,
	"diagnose": func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return nil, cobra.ShellCompDirectiveDefault
	},
	"explain":    completePages,
	"completion": cobra.FixedCompletions([]string{"bash", "fish", "powershell", "zsh"}, cobra.ShellCompDirectiveNoFileComp),
}

func completeCommands(_ *cobra.Command, args []string, _ string) (names []string, _ cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	for _, c := range commands() {
		names = append(names, cobra.CompletionWithDesc(c.name, c.short))
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

func completeStories(_ *cobra.Command, args []string, _ string) (names []string, _ cobra.ShellCompDirective) {
	all, err := story.Load(testdata.Stories, "stories")
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	for _, s := range all {
		if !slices.Contains(args, s.Name) {
			names = append(names, s.Name)
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// completePages completes rules, causes and findings, the team's own among them.
func completePages(cmd *cobra.Command, args []string, _ string) (names []string, _ cobra.ShellCompDirective) {
	all, err := pages()
	if err != nil || len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	if path, _ := cmd.Flags().GetString("settings"); path != "" {
		if s, err := readSettings(path); err == nil {
			all = append(all, ownPages(s)...)
		}
	}
	for _, p := range all {
		names = append(names, cobra.CompletionWithDesc(p.Name, p.Meaning))
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// completeValue completes a flag's value: files for those that name one.
func completeValue(cmd *cobra.Command, f *pflag.Flag) {
	complete := cobra.NoFileCompletions
	switch f.Name {
	case "settings":
		complete = cobra.FixedCompletions([]string{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt)
	case "build", "policies", "ledger", "patch":
		complete = cobra.FixedCompletions([]string{"json"}, cobra.ShellCompDirectiveFilterFileExt)
	case "log", "html":
		complete = completeNames["diagnose"]
	case "since":
		if cmd.Name() == "diagnose" {
			complete = completeNames["diagnose"]
		}
	}
	// It fails only for a flag that is not there, or has one already.
	_ = cmd.RegisterFlagCompletionFunc(f.Name, complete)
}
