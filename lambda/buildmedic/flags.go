package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"

	"github.com/buildmedic/buildmedic/internal/settings"
)

// flags makes a flag set that prints its usage with an example.
func flags(name, args, about, example string, stderr io.Writer) *pflag.FlagSet {
	fs := pflag.NewFlagSet(name, pflag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.Usage = func() {
		text := fmt.Sprintf("Usage: %s\n\n%s\n\nExample:\n  %s\n", strings.TrimSpace("buildmedic "+name+" "+args), about, example)
		if fs.HasFlags() {
			text += "\nFlags, with one dash or two, before names or behind them:\n" + flagUsages(fs)
		}
		io.WriteString(fs.Output(), asCalled(text))
	}
	return fs
}

// flagUsages describes the flags as the documents write them, with one dash.
func flagUsages(fs *pflag.FlagSet) string {
	var b strings.Builder
	fs.VisitAll(func(f *pflag.Flag) {
		value, usage := pflag.UnquoteUsage(f)
		b.WriteString(strings.TrimRight("  -"+f.Name+" "+value, " ") + "\n        " + usage)
		switch f.DefValue {
		case "", "0", "false":
		default:
			fmt.Fprintf(&b, " (default %s)", f.DefValue)
		}
		b.WriteByte('\n')
	})
	return b.String()
}

// parse reads the flags; done means that the command should end with code.
func parse(fs *pflag.FlagSet, args []string, stdout io.Writer) (done bool, code int) {
	if d, ok := stdout.(*described); ok {
		d.flags = fs
		return true, exitOK
	}
	args, help := twoDashes(fs, args)
	if help {
		fs.SetOutput(stdout)
		fs.Usage()
		return true, exitOK
	}
	usage := fs.Usage
	fs.Usage = func() {} // what is wrong is said in our words
	defer func() { fs.Usage = usage }()
	if err := fs.Parse(args); err != nil {
		return true, wrong(fs, "%s", flagTrouble(fs, err))
	}
	return false, exitOK
}

// described stands in for standard output when only a command's flags are asked for.
type described struct {
	io.Writer
	flags *pflag.FlagSet
}

// twoDashes writes all flags with two dashes, as pflag wants long names: to it, -json is -j -s -o -n.
// The rule: no flag has a short form, so one dash means what two mean. What stands behind "--", or is
// the value of the flag before it, is no flag; neither is "-", which stands for standard input.
// help says whether -h or -help is among the flags.
func twoDashes(fs *pflag.FlagSet, args []string) (out []string, help bool) {
	for i := 0; i < len(args); i++ {
		a := args[i]
		if a == "--" {
			return append(out, args[i:]...), help
		}
		if len(a) < 2 || a[0] != '-' {
			out = append(out, a)
			continue
		}
		if a[1] != '-' {
			a = "-" + a
		}
		out = append(out, a)
		name, _, valued := strings.Cut(a[2:], "=")
		f := fs.Lookup(name)
		if f == nil && (name == "h" || name == "help") {
			help = true
		}
		if f != nil && f.NoOptDefVal == "" && !valued && i+1 < len(args) {
			i++
			out = append(out, args[i])
		}
	}
	return out, help
}

// flagTrouble says what pflag found wrong, with the flag as the documents write it.
func flagTrouble(fs *pflag.FlagSet, err error) string {
	var unknown *pflag.NotExistError
	var bare *pflag.ValueRequiredError
	var value *pflag.InvalidValueError
	switch {
	case errors.As(err, &unknown):
		var names []string
		fs.VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		text := "there is no flag -" + plain(unknown.GetSpecifiedName())
		if near := settings.Near(unknown.GetSpecifiedName(), names); near != "" {
			text += fmt.Sprintf("; did you mean -%s?", near)
		}
		return text
	case errors.As(err, &bare):
		return fmt.Sprintf("-%s needs a value", bare.GetSpecifiedName())
	case errors.As(err, &value):
		is := map[string]string{"int": "is no whole number", "bool": "is neither true nor false",
			"duration": "is no duration, such as 90s or 15m"}[value.GetFlag().Value.Type()]
		if is == "" {
			is = "is not valid: " + value.Unwrap().Error()
		}
		return fmt.Sprintf("-%s: %q %s", value.GetFlag().Name, value.GetValue(), is)
	}
	return plain(err.Error())
}

// fail prints what went wrong and gives the exit code for it.
func fail(stderr io.Writer, err error) int {
	if interrupted(err) {
		fmt.Fprintln(stderr, asCalled("buildmedic: interrupted"+goOn(err)))
		return exitInterrupted
	}
	err = worded(err, &session{})
	fmt.Fprintf(stderr, "buildmedic: %s\n", plainLines(asCalled(err.Error())))
	return exitFailed
}

// wrong prints what is wrong with the command line.
func wrong(fs *pflag.FlagSet, format string, a ...any) int {
	fmt.Fprintf(fs.Output(), "buildmedic %s: %s\nsee: %s %s -h\n", fs.Name(), asCalled(fmt.Sprintf(format, a...)), program, fs.Name())
	return exitUsage
}
