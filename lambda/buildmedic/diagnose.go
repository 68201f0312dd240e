package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/redact"
)

const diagnoseAbout = `Says why a build failed, from its log: the cause, the line that proves it, who was denied what on what
and by which layer, what to do, and the grant that would cure it. It changes nothing, and uses no AWS but for -stack.
FILE is the log as CodeBuild wrote it, gzip, UTF-16 or plain; without it, standard input is read.
With -settings, causes of the team's own are known too.

With -since it shows what the failed command printed that it did not print in the log of a green build: the line that
explains a failure without a known cause is most often among the first ones.

With -stack it reads in CloudFormation, with your own credentials, why that stack failed at last within a week, if the
log leaves it open.

With -jsonl it reads JSON Lines {"id","text","phase_contexts":["CODE: message",...],"build_arn","service_role"},
all but id optional, and writes one object a line, in order: {"id","cause","remedy","retryable",
"denials":[{"action","resource","principal","effect","layer","policy_arn","line","causal"}],"excerpt":[...],
"tests":[{"suite","name","message","at","line"}],"more_tests",
"also":[{"phase","command","exit","message","line"}],"fingerprint"}.
A denial that is not causal did not fail the build; what is in also failed after the build had failed. What looks like a secret is masked.
A line that cannot be read gives {"id","error"}, and the next lines are still read.

Exit codes: 0 diagnosed, whatever the cause; 1 the input could not be read or the output not written; 2 wrong usage.`

// runDiagnose is the command "diagnose".
func runDiagnose(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	fs := flags("diagnose", "[-json|-jsonl] [-settings F] [-since GREENLOG] [-stack NAME] [FILE]", diagnoseAbout,
		// which both versions of the AWS CLI have, and not logs tail
		"aws logs filter-log-events --log-group-name /aws/codebuild/shop --log-stream-names STREAM \\\n"+
			"    --query 'events[].[message]' --output text | buildmedic diagnose", stderr)
	asJSON := fs.Bool("json", false, "print the diagnosis as one JSON object")
	asLines := fs.Bool("jsonl", false, "diagnose JSON Lines")
	settingsPath := fs.String("settings", "", "settings file, for the causes of the team's own")
	green := fs.String("since", "", "the log of a green build, `GREENLOG`: show what is new since then")
	stack := fs.String("stack", "", "stack `NAME`: read in CloudFormation why it failed, if the log does not say it")
	if done, code := parse(fs, args, stdout); done {
		return code
	}
	if *asJSON && *asLines {
		return wrong(fs, "-json and -jsonl exclude each other")
	}
	for name, value := range map[string]string{"-since": *green, "-stack": *stack} {
		if value != "" && *asLines {
			return wrong(fs, "%s is for one log, and not for -jsonl", name)
		}
	}
	if fs.NArg() > 1 {
		return wrong(fs, "one FILE at most, got %d", fs.NArg())
	}
	own, err := ownCauses(*settingsPath)
	if err != nil {
		return fail(stderr, err)
	}
	if name := fs.Arg(0); (name == "" || name == "-") && isTerminal(stdin) {
		fmt.Fprintf(stderr, "Waiting for a build log: paste it, then end it with %s; Ctrl-C leaves. See: %s diagnose -h\n",
			endOfInput(), program)
	}
	in, err := openInput("build log", fs.Arg(0), stdin)
	if err != nil {
		return fail(stderr, err)
	}
	defer in.Close()
	if *asLines {
		if err := diagnoseLines(ctx, in, stdout, own); err != nil {
			return fail(stderr, err)
		}
		return exitOK
	}
	b := bufio.NewReader(in)
	head, _ := b.Peek(512)
	if kind := http.DetectContentType(head); !strings.HasPrefix(kind, "text/") {
		fmt.Fprintf(stderr, "buildmedic: this looks like %s and not like a log: what follows may mean nothing\n", kind)
	}
	f, d, since, err := diagnosed(b, *green, own)
	if err != nil {
		return fail(stderr, err)
	}
	if *stack != "" {
		if d, err = ofStack(ctx, *stack, f, d, own, stderr); err != nil {
			return fail(stderr, err)
		}
	}
	f.Command = redact.Text(f.Command)
	if *asJSON {
		return printJSON(stdout, stderr, diagnosedSince{d, since})
	}
	if err := tell(stdout, f, d, since, colourful(stdout)); err != nil {
		return fail(stderr, fmt.Errorf("printing: %w", err))
	}
	return exitOK
}

// ownCauses reads the causes of the team's own; none without a path.
func ownCauses(path string) ([]diagnose.Cause, error) {
	if path == "" {
		return nil, nil
	}
	s, err := readSettings(path)
	if err != nil {
		return nil, err
	}
	return s.Own(), nil
}

// readFailure reads a log about whose build nothing else is known.
func readFailure(r io.Reader) (buildlog.Failure, error) {
	n := &counter{r: r}
	f, err := buildlog.Read(codebuild.Build{Status: codebuild.Failed}, n)
	if err != nil {
		return f, err
	}
	if n.n == 0 {
		return f, errors.New("reading build log: it is empty")
	}
	return f, nil
}

// counter counts what is read through it.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}
