package notice

import (
	"encoding/json"
	"strings"

	"github.com/buildmedic/buildmedic/internal/decide"
)

// commands lists the commands that make sense after this outcome, the likeliest first.
func commands(v *view) []Command {
	c := commander{v.Outcome}
	out := []Command{}
	add := func(name string, with args, desk string) {
		if cmd, ok := c.command(name, with, desk); ok {
			out = append(out, cmd)
		}
	}
	b, build, there := v.latest.Build, v.buildNamed(), v.there()
	for _, h := range v.heldBack() {
		with := args{}
		for k, s := range h.LiftArgs(v.Home) {
			with[k] = id(s)
		}
		add("resume", with, "resume -project "+with["project"]+" -grant "+with["grant"])
	}
	switch v.Kind {
	case decide.Proposed:
		if plan := v.planHash; plan != "" {
			add("approve", args{"plan": plan}, "approve "+plan)
			add("reject", args{"plan": plan}, "reject "+plan)
		}
	case decide.Paused:
		if v.Everywhere {
			add("resume", args{}, "")
			break
		}
		what := args{"project": id(v.Case.Project)}
		if there {
			what["account"], what["region"] = id(v.Case.Account), id(v.Case.Region)
		}
		add("resume", what, "")
	case decide.Reported, decide.Undone, decide.Failed:
		switch {
		case build == "", v.orphan:
		case there && b.ARN == "": // the build could not be read, so only its id is known
			add("replay", args{"build": build, "account": id(v.Case.Account), "region": id(v.Case.Region)}, "")
		case v.inCode:
			add("replay", args{"build": build}, "replay -pull-request "+build)
		case v.observed:
			add("replay", args{"build": build}, "replay -apply "+build)
		default:
			add("replay", args{"build": build}, "replay "+build)
		}
	}
	caseID := id(v.Case.ID)
	if v.standing && v.Kind != decide.MadePermanent {
		add("undo", args{"case": caseID}, "undo "+caseID)
	}
	if show := "show " + caseID; caseID != "" {
		if v.Desk.Unstored {
			show = ""
		}
		add("status", args{"case": caseID}, show)
	}
	if v.Kind != decide.Paused {
		add("pause", args{}, "")
	}
	return out
}

type commander struct{ o decide.Outcome }

// args are a command's arguments.
type args map[string]string

// command returns the payload {"name":{"key":"value"}} and the shell line that sends it to the
// function, or, at the desk, the healer's own command. ok is false if the desk has no such
// command.
func (c commander) command(name string, with args, desk string) (Command, bool) {
	cmd := Command{Name: name, Payload: json.RawMessage(jsonText(map[string]args{name: with}))}
	switch {
	case c.o.Function != "":
		cmd.Line = invoke(id(c.o.Function), id(c.o.Home.Region), string(cmd.Payload))
	case desk != "":
		command, arguments, _ := strings.Cut(desk, " ")
		cmd.Line = c.o.Desk.Line(command, arguments)
	default:
		return Command{}, false
	}
	return cmd, true
}

// invoke is the shell line that sends a payload to the function and prints its answer, which may be
// a refusal. Versions 1 and 2 of the AWS CLI both accept it: version 1 has no --cli-binary-format,
// without which version 2 takes a payload on the command line for base64. The CLI truncates
// /dev/stdout before it writes to it, so that an answer that goes to a file would be lost but for
// cat.
func invoke(function, region, payload string) string {
	at := ""
	if region != "" {
		at = " --region " + shellWord(region)
	}
	return "printf %s " + shellQuote(payload) + " |\n" +
		"  aws lambda invoke --function-name " + shellWord(function) + at + " \\\n" +
		"    --payload fileb:///dev/stdin /dev/stdout | cat"
}

// oneLine puts the line that [invoke] makes on a single line. A payload has no line of its own.
func oneLine(invoked string) string {
	return strings.NewReplacer(" |\n  ", " | ", " \\\n    ", " ").Replace(invoked)
}

// shellQuote quotes s as one word for a POSIX shell.
func shellQuote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// shellWord quotes s only if that is necessary.
func shellWord(s string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:@+,%"
	if s != "" && strings.Trim(s, plain) == "" {
		return s
	}
	return shellQuote(s)
}

// there reports whether the project is not in the healer's own account and region.
func (v *view) there() bool { return v.Case.Account != v.Home.ID || v.Case.Region != v.Home.Region }

// buildNamed is the build as commands take it; "" if none is known.
func (v *view) buildNamed() string {
	b := v.latest.Build
	if b.ID != "" && v.there() && b.ARN != "" {
		return id(b.ARN)
	}
	return id(b.ID)
}
