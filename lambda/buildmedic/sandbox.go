package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/buildmedic/buildmedic/internal/sandbox"
	"github.com/buildmedic/buildmedic/internal/simaws"
	"github.com/buildmedic/buildmedic/internal/story"
	"github.com/buildmedic/buildmedic/testdata"
)

func runSandbox(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	var command []string
	if i := slices.Index(args, "--"); i >= 0 {
		args, command = args[:i], args[i+1:]
	}
	fs := flags("sandbox", "[-story NAME] [-mail] [-port N] [-shell KIND] [-- COMMAND...]",
		"Starts a simulated AWS account on this machine, with the function in it, to try everything in:\n"+
			"buildmedic's commands and the AWS CLI work against it. With a command, such as a shell, it runs that\n"+
			"with the environment set, and ends with it. Without, it prints the environment to set and runs until\n"+
			"Ctrl-C. It tells what happens in the account as it comes. Nothing is left behind.\n"+
			"Nobody waits: what takes minutes in the account takes a moment here. In a sandbox's shell,\n"+
			"-pass lets days go by.",
		"buildmedic sandbox -- bash", stderr)
	name := fs.String("story", "", "the world and settings of one of the demo's stories, in place of the sandbox's own")
	mail := fs.Bool("mail", false, "show notices as the e-mails that they are")
	port := fs.Int("port", 0, "where to listen on 127.0.0.1, and nowhere else; default: any free port")
	shell := fs.String("shell", "sh", "for which shell to print the environment: sh, fish or powershell")
	pass := fs.Duration("pass", 0, "in a sandbox's shell: let so much time pass in it, such as 72h")
	if done, code := parse(fs, args, stdout); done {
		return code
	}
	st, lead, err := sandboxStory(*name)
	switch {
	case err != nil:
		return wrong(fs, "%v", err)
	case fs.NArg() > 0:
		return wrong(fs, "a command stands behind --: buildmedic sandbox -- %s", strings.Join(fs.Args(), " "))
	case *port < 0 || *port > 65535:
		return wrong(fs, "-port is 1 to 65535, or 0 for any")
	case exporters[*shell] == "":
		return wrong(fs, "-shell is sh, fish or powershell")
	case *pass < 0:
		return wrong(fs, "-pass is a duration, such as 72h")
	}
	dir, clock := sandboxed()
	switch {
	case *pass > 0 && clock == nil:
		return fail(stderr, errors.New("this is no sandbox's shell: `buildmedic sandbox -- bash` starts one"))
	case *pass > 0:
		now, err := clock.Pass(ctx, *pass)
		if err != nil {
			return fail(stderr, err)
		}
		fmt.Fprintf(stdout, "It is %s in the sandbox.\n", now.UTC().Format("2006-01-02 15:04:05"))
		return exitOK
	case dir != "":
		return fail(stderr, errors.New("this is a sandbox's shell already"))
	}
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	b := &box{in: stdin, out: stdout, err: stderr, mail: *mail, shell: *shell, port: *port, command: command}
	code, err := b.run(ctx, st, lead)
	if err != nil {
		return fail(stderr, err)
	}
	return code
}

// sandboxStory is the world to play, and how long ago it begins.
func sandboxStory(name string) (story.Story, time.Duration, error) {
	if name == "" {
		st, err := story.Parse("sandbox.txtar", testdata.Sandbox)
		return st, 9 * 24 * time.Hour, err
	}
	ss, err := chosen([]string{name})
	if err != nil {
		return story.Story{}, 0, err
	}
	return ss[0], time.Hour, nil
}

// box is one run of the command.
type box struct {
	in       io.Reader
	out, err io.Writer
	mail     bool
	shell    string
	port     int
	command  []string
}

// quietFor is how long nobody may call before the sandbox carries on: longer than the AWS CLI takes
// to print an answer.
const quietFor = 700 * time.Millisecond

func (b *box) run(ctx context.Context, st story.Story, lead time.Duration) (code int, err error) {
	dir, err := os.MkdirTemp("", "buildmedic-sandbox-")
	if err != nil {
		return 0, fmt.Errorf("making the sandbox's folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	talk := b.out
	if len(b.command) > 0 {
		talk = b.err // what the command prints is the command's
	}
	s, err := sandbox.Open(ctx, sandbox.Options{Story: st, Lead: lead, Port: b.port, Dir: dir, Log: io.Discard,
		Now: time.Now, Quiet: quietFor, Tell: b.teller(talk)})
	if err != nil {
		return 0, err
	}
	defer s.Close()
	env := environment(s.Sim, dir)
	tools(dir)
	region := strings.Split(s.Sim.TopicARN(), ":")
	fmt.Fprintf(talk, "\nA simulated AWS account, with Buildmedic in it. Nothing is real, and nothing\nleaves this machine.\n"+
		"  account %s, region %s, at %s\n  settings: %s\n  (changed there, the function has them at once)\n\n",
		region[4], region[3], s.Sim.URL(), filepath.Join(dir, sandbox.SettingsFile))
	if len(b.command) > 0 {
		fmt.Fprint(talk, hints(st.Expect.Project))
		return b.child(ctx, env)
	}
	fmt.Fprintf(talk, "Set this in another terminal, and work there. Ctrl-C here ends it.\n\n%s\n%s",
		export(b.shell, env, dir), hints(st.Expect.Project))
	<-ctx.Done()
	return exitInterrupted, nil
}

// hints say what to try.
func hints(project string) string {
	return "Try, among others:\n" +
		"  buildmedic history\n" +
		"  buildmedic scan\n" +
		"  aws codebuild start-build --project-name " + project + " --source-version refs/heads/main\n" +
		"and each command that a notice shows.\n\n"
}

// environment is what leads the AWS SDKs and the AWS CLI into the sandbox, and nowhere else.
func environment(sim *simaws.Sim, dir string) [][2]string {
	region := strings.Split(sim.TopicARN(), ":")[3]
	return [][2]string{
		{"AWS_ENDPOINT_URL", sim.URL()}, {"AWS_ACCESS_KEY_ID", simaws.OwnerKey}, {"AWS_SECRET_ACCESS_KEY", "simulated"},
		{"AWS_REGION", region}, {"AWS_DEFAULT_REGION", region},
		{"AWS_CONFIG_FILE", os.DevNull}, {"AWS_SHARED_CREDENTIALS_FILE", os.DevNull}, {"AWS_EC2_METADATA_DISABLED", "true"},
		{"AWS_PAGER", ""}, {envSandbox, dir},
	}
}

// leads are the variables by which a caller's own environment could lead out of the sandbox again.
var leads = []string{"AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN", "AWS_ROLE_ARN",
	"AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT",
	// an address of one service goes before that of all
	"AWS_ENDPOINT_URL_ACCESSANALYZER", "AWS_ENDPOINT_URL_CLOUDFORMATION", "AWS_ENDPOINT_URL_CLOUDTRAIL",
	"AWS_ENDPOINT_URL_CLOUDWATCH_LOGS", "AWS_ENDPOINT_URL_CODEBUILD", "AWS_ENDPOINT_URL_CODEPIPELINE", "AWS_ENDPOINT_URL_DYNAMODB",
	"AWS_ENDPOINT_URL_ECR", "AWS_ENDPOINT_URL_IAM", "AWS_ENDPOINT_URL_IAM_TOOLBOX", "AWS_ENDPOINT_URL_LAMBDA", "AWS_ENDPOINT_URL_S3",
	"AWS_ENDPOINT_URL_SNS", "AWS_ENDPOINT_URL_SQS", "AWS_ENDPOINT_URL_STS"}

// exporters are how shells set a variable, and how they unset one.
var exporters = map[string]string{"sh": "export %s=%s\nunset %s\n", "fish": "set -gx %s %s\nset -e %s\n",
	"powershell": "$env:%s = %s\nRemove-Item -ErrorAction Ignore env:%s\n"}

// export is the environment as commands of a shell. No value has a quote in it but a path, perhaps.
func export(shell string, env [][2]string, dir string) string {
	set, unset, _ := strings.Cut(exporters[shell], "\n")
	quote := func(s string) string {
		switch shell {
		case "powershell":
			return "'" + strings.ReplaceAll(s, "'", "''") + "'"
		case "fish":
			return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
		}
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	var b strings.Builder
	for _, name := range leads {
		fmt.Fprintf(&b, unset, name)
	}
	for _, kv := range env {
		fmt.Fprintf(&b, set+"\n", kv[0], quote(kv[1]))
	}
	if shell == "sh" {
		fmt.Fprintf(&b, "export PATH=%s:\"$PATH\"\n", quote(filepath.Join(dir, "bin")))
	}
	return b.String()
}

// tools puts this program into the sandbox's folder, and the AWS CLI with the endpoint as an option:
// one of before July 2023 does not know the variable, and would go to AWS.
func tools(dir string) {
	bin := filepath.Join(dir, "bin")
	if runtime.GOOS == "windows" || os.Mkdir(bin, 0o700) != nil {
		return
	}
	if self, err := os.Executable(); err == nil {
		_ = os.Symlink(self, filepath.Join(bin, "buildmedic")) // without it, buildmedic has to be installed
	}
	if cli, err := exec.LookPath("aws"); err == nil {
		script := "#!/bin/sh\nexec '" + strings.ReplaceAll(cli, "'", `'\''`) + "' --endpoint-url \"$AWS_ENDPOINT_URL\" \"$@\"\n"
		_ = os.WriteFile(filepath.Join(bin, "aws"), []byte(script), 0o700) // without it, a newer AWS CLI works
	}
}

// child runs the command in the sandbox. Ctrl-C is the command's.
func (b *box) child(ctx context.Context, env [][2]string) (int, error) {
	signal.Reset(os.Interrupt)
	ignored := make(chan os.Signal, 1)
	signal.Notify(ignored, os.Interrupt) // caught, and not ignored, which the command would inherit
	defer signal.Stop(ignored)
	cmd := exec.CommandContext(ctx, b.command[0], b.command[1:]...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bareReader(b.in), bareWriter(b.out), bareWriter(b.err)
	cmd.Env = inSandbox(os.Environ(), env)
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit) && exit.ExitCode() >= 0:
		return exit.ExitCode(), nil
	case err != nil && ctx.Err() != nil:
		return exitInterrupted, nil
	case err != nil:
		return 0, fmt.Errorf("running %s: %w", b.command[0], err)
	}
	return exitOK, nil
}

// inSandbox is an environment without what is about AWS, with the sandbox's.
func inSandbox(old []string, env [][2]string) []string {
	out := slices.DeleteFunc(slices.Clone(old), func(kv string) bool {
		return strings.HasPrefix(kv, "AWS_") || strings.HasPrefix(kv, "BUILDMEDIC_") || strings.HasPrefix(kv, "PATH=")
	})
	for _, kv := range env {
		out = append(out, kv[0]+"="+kv[1])
	}
	dir := env[len(env)-1][1]
	return append(out, "PATH="+filepath.Join(dir, "bin")+string(os.PathListSeparator)+os.Getenv("PATH"))
}

// signs are what the kinds of events begin with.
var signs = map[sandbox.Kind]string{sandbox.Started: "▶", sandbox.Green: "✔", sandbox.Failed: "✘", sandbox.Changed: "●",
	sandbox.Told: "✉", sandbox.Settings: "⚙"}

// tellWidth is how wide an event's text is, so that its line fits into 80 columns.
const tellWidth = 60

// teller prints what happens in the account, a line each.
func (b *box) teller(w io.Writer) func(sandbox.Event) {
	p := newPalette(w)
	paint := map[sandbox.Kind]func(string) string{sandbox.Started: p.blue, sandbox.Green: p.green, sandbox.Failed: p.red,
		sandbox.Changed: p.yellow, sandbox.Told: p.bold, sandbox.Settings: p.bold}
	return func(e sandbox.Event) {
		line := signs[e.Kind] + " " + oneLine(plain(e.Text), tellWidth)
		var out strings.Builder
		fmt.Fprintf(&out, "%s  %s\n", p.dim(e.At.UTC().Format("Jan _2 15:04:05")), paint[e.Kind](line))
		if b.mail && e.Kind == sandbox.Told {
			fmt.Fprintf(&out, "\n%s\n", e.Mail)
		}
		io.WriteString(w, out.String())
	}
}
