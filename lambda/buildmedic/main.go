// Command buildmedic is the healer at a desk: the same code as the function,
// as a command.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// command is one sub-command. run returns the exit code.
type command struct {
	name, short string
	run         func(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int
}

// The exit codes of every command.
const (
	exitOK          = 0 // done; for diagnose and plan: whatever the finding is
	exitFailed      = 1 // it did not go as it should: the error says what and what to do
	exitUsage       = 2 // the command line is wrong
	exitInterrupted = 130
)

func commands() []command {
	return []command{
		{"demo", "heal the stories' failed builds in a simulated account", runDemo},
		{"sandbox", "start a simulated AWS account to try everything in", runSandbox},
		{"diagnose", "say why a build failed, from its log", runDiagnose},
		{"plan", "decide about one failed build, with no AWS at all", runPlan},
		{"explain", "explain a rule that refused, or a cause of failure", runExplain},
		{"check", "validate settings and show what they could at most grant", runCheck},
		{"policy", "print a role's present policy, ready to be committed", runPolicy},
		{"replay", "diagnose a real failed build, and show or do what would be done", runReplay},
		{"scan", "see what fails in an account, and what could be healed", runScan},
		{"history", "list cases with their outcome", runHistory},
		{"show", "tell one case's whole story", runShow},
		{"undo", "take back what one case changed", runUndo},
		{"approve", "apply a proposed plan", runApprove},
		{"reject", "drop a proposed plan, or revoke its approval", runReject},
		{"remove", "take back what all cases changed, before the function is deleted", runRemove},
		{"resume", "allow changes again after a pause", runResume},
		{"schema", "print the JSON Schema of notices for programs, or of the settings", runSchema},
		{"version", "print the version, and what it was built of", runVersion},
		{"completion", "print a script that completes commands, flags and names in a shell", runCompletion},
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	context.AfterFunc(ctx, func() {
		stop() // a second interrupt ends at once
		time.Sleep(2 * time.Second)
		fmt.Fprintln(os.Stderr, "buildmedic: interrupted")
		os.Exit(exitInterrupted) // what runs does not look at ctx
	})
	if file, err := os.Executable(); err == nil {
		info, _ := debug.ReadBuildInfo()
		program = calledAs(os.Args[0], file, info)
	}
	enterSandbox()
	args := os.Args[1:]
	code := run(ctx, args, &interruptible{File: os.Stdin, ctx: ctx}, stdoutOf(os.Stdout, args), fold(os.Stderr))
	if ctx.Err() != nil && code != exitInterrupted {
		fmt.Fprintln(os.Stderr, "buildmedic: interrupted")
		code = exitInterrupted
	}
	os.Exit(code)
}

// stdoutOf is standard output, whose lines fit a terminal unless they are data.
func stdoutOf(w io.Writer, args []string) io.Writer {
	if data(args) {
		return w
	}
	return fold(w)
}

// data reports whether standard output is for programs, or to be copied, and so is left as it is.
func data(args []string) bool {
	if len(args) > 0 && slices.Contains([]string{"plan", "policy", "schema", "completion"}, args[0]) {
		return !slices.Contains(args, "-h") && !slices.Contains(args, "--help")
	}
	return slices.ContainsFunc(args, func(a string) bool {
		name, _, _ := strings.Cut(strings.TrimLeft(a, "-"), "=")
		return strings.HasPrefix(a, "-") && slices.Contains([]string{"json", "jsonl", "yaml", "observed"}, name)
	})
}

func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		usage(stderr)
		return exitUsage
	}
	switch name := strings.TrimLeft(args[0], "-"); {
	case args[0] == name:
	case name == "h" || name == "help":
		usage(stdout)
		return exitOK
	case name == "version":
		return runVersion(ctx, args[1:], stdin, stdout, stderr)
	default:
		fmt.Fprintf(stderr, "buildmedic: %q stands where a command belongs: flags go behind it\nsee: %s -h\n", args[0], program)
		return exitUsage
	}
	err := newRoot(args, stdin, stdout, stderr).ExecuteContext(ctx)
	var code exitCode
	if errors.As(err, &code) {
		return int(code)
	}
	if err != nil { // of the library itself
		fmt.Fprintf(stderr, "buildmedic: %v\nsee: %s -h\n", err, program)
		return exitUsage
	}
	return exitOK
}

// exitCode carries a command's exit code through cobra.
type exitCode int

func (c exitCode) Error() string { return fmt.Sprintf("exit code %d", int(c)) }

// newRoot makes the tree of commands. Each reads its flags itself, but for completion, which wants
// to know them beforehand.
func newRoot(args []string, stdin io.Reader, stdout, stderr io.Writer) *cobra.Command {
	root := &cobra.Command{Use: "buildmedic", SilenceErrors: true, SilenceUsage: true,
		SuggestionsMinimumDistance: 2, CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true}}
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.Args = func(*cobra.Command, []string) error { return nil }
	root.RunE = func(cmd *cobra.Command, args []string) error { return unknownCommand(cmd, args[0]) }
	root.SetHelpCommand(&cobra.Command{Use: "help [COMMAND]", Short: "explain a command", DisableFlagParsing: true,
		ValidArgsFunction: completeCommands, RunE: help})
	for _, c := range commands() {
		cmd := &cobra.Command{Use: c.name, Short: c.short, DisableFlagParsing: true}
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			if code := c.run(cmd.Context(), args, cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr()); code != exitOK {
				return exitCode(code)
			}
			return nil
		}
		root.AddCommand(cmd)
	}
	root.SetArgs(args)
	if strings.HasPrefix(args[0], cobra.ShellCompRequestCmd) {
		completing(root, args)
	}
	return root
}

// help is the command "help".
func help(cmd *cobra.Command, args []string) error {
	if len(args) == 0 || args[0] == "help" || strings.HasPrefix(args[0], "-") {
		usage(cmd.OutOrStdout())
		return nil
	}
	for _, c := range commands() {
		if c.name == args[0] {
			c.run(cmd.Context(), []string{"-h"}, cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr())
			return nil
		}
	}
	return unknownCommand(cmd.Root(), args[0])
}

func unknownCommand(root *cobra.Command, name string) error {
	var names []string
	for _, c := range commands() {
		names = append(names, c.name)
	}
	text := fmt.Sprintf("buildmedic: there is no command %q", name)
	if near := root.SuggestionsFor(name); len(near) > 0 && name != "" {
		text += "; did you mean " + strings.Join(near, " or ") + "?"
	} else {
		text += "; there are " + strings.Join(names, ", ")
	}
	fmt.Fprintf(root.ErrOrStderr(), "%s\nsee: %s -h\n", text, program)
	return exitCode(exitUsage)
}

func usage(w io.Writer) {
	var b strings.Builder
	b.WriteString("buildmedic heals failed CodeBuild builds.\n\nUsage: buildmedic COMMAND [ARGUMENTS]\n\n")
	for _, c := range commands() {
		fmt.Fprintf(&b, "  %-10s %s\n", c.name, c.short)
	}
	b.WriteString("\nEach command explains itself, with an example, under -h.\nExit codes: 0 done, 1 failed, 2 " +
		"wrong usage, 130 interrupted.\n")
	io.WriteString(w, asCalled(b.String()))
}
