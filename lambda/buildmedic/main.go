// Command buildmedic is the healer at a desk: the same code as the function,
// as a command.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"time"
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
		{"remove", "take back what all cases changed, before the function is deleted", runRemove},
		{"resume", "allow changes again after a pause", runResume},
		{"schema", "print the JSON Schema of notices for programs", runSchema},
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	context.AfterFunc(ctx, func() {
		stop() // a second interrupt ends at once
		time.Sleep(2 * time.Second)
		os.Exit(exitInterrupted) // what runs does not look at ctx: it waits for input
	})
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	if ctx.Err() != nil {
		code = exitInterrupted
	}
	os.Exit(code)
}

func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	for _, c := range commands() {
		if len(args) > 0 && c.name == args[0] {
			return c.run(ctx, args[1:], stdin, stdout, stderr)
		}
	}
	switch {
	case len(args) == 0:
		usage(stderr)
		return exitUsage
	case args[0] == "help" && len(args) == 2 && args[1] != "help":
		return run(ctx, []string{args[1], "-h"}, stdin, stdout, stderr)
	case args[0] == "help" || args[0] == "-h" || args[0] == "-help" || args[0] == "--help":
		usage(stdout)
		return exitOK
	}
	var names []string
	for _, c := range commands() {
		names = append(names, c.name)
	}
	fmt.Fprintf(stderr, "buildmedic: there is no command %q; there are %s\nsee: buildmedic -h\n", args[0],
		strings.Join(names, ", "))
	return exitUsage
}

func usage(w io.Writer) {
	var b strings.Builder
	b.WriteString("buildmedic heals failed CodeBuild builds.\n\nUsage: buildmedic COMMAND [ARGUMENTS]\n\n")
	for _, c := range commands() {
		fmt.Fprintf(&b, "  %-9s %s\n", c.name, c.short)
	}
	b.WriteString("\nEach command explains itself, with an example, under -h.\nExit codes: 0 done, 1 failed, 2 " +
		"wrong usage, 130 interrupted.\n")
	io.WriteString(w, b.String())
}
