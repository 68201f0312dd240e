package diagnose

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
)

// words gives what the placeholders of titles and advice stand for: the
// named groups, and those that are always there.
func (x *facts) words(found finding) map[string]string {
	w := map[string]string{"command": "unknown", "exit": "unknown", "action": "an action", "denied": "an action"}
	if x.Command != "" {
		w["command"] = printable(clip(x.Command, 200))
	}
	if x.Exit != "" {
		w["exit"] = printable(clip(x.Exit, 16))
	}
	if d := found.denial; d != nil {
		w["action"] = what(d)
		w["denied"] = what(d)
		if n := len(x.actions()) - 1; n > 0 {
			w["denied"] += fmt.Sprintf(" and %d more", n)
		}
	}
	for k, v := range found.details {
		w[k] = printable(v)
	}
	return w
}

// actions gives the different actions that failed the build, as what names them.
func (x *facts) actions() []string {
	var list []string
	seen := map[string]bool{}
	for i := range x.causal {
		if a := what(&x.causal[i]); !seen[a] {
			seen[a] = true
			list = append(list, a)
		}
	}
	return list
}

// what names the denied action as well as the text allows.
func what(d *buildlog.Denial) string {
	switch {
	case d.Action != "":
		return printable(clip(d.Action, 128))
	case d.Operation != "":
		return "the operation " + printable(clip(d.Operation, 128))
	}
	return "an action that the text does not name"
}

// aboutDenial adds to the advice what is known of this one denial: which
// policy denies, and whether it is the build's role that was denied.
func (x *facts) aboutDenial(d *buildlog.Denial) string {
	var b strings.Builder
	if d.PolicyARN != "" {
		fmt.Fprintf(&b, " The denying policy is %s.", printable(clip(d.PolicyARN, 300)))
	}
	if d.Layer == buildlog.LayerUnstated && d.Effect == buildlog.Unstated && d.Action != "" {
		b.WriteString(" AWS does not say which policy is in the way; if the role has the permission already, look for a deny" +
			" in the resource's policy or above the role.")
	}
	switch {
	case d.Action != "":
	case d.EncodedCut:
		b.WriteString(" The encoded message would say it, but it is cut.")
	case d.Encoded != "":
		b.WriteString(" The encoded message says it: aws sts decode-authorization-message.")
	}
	if x.otherPrincipal(d.Principal) {
		fmt.Fprintf(&b, " Denied was %s, which is not the build's service role: the permission belongs there.",
			printable(clip(d.Principal, 300)))
	}
	return b.String()
}

// otherPrincipal reports whether the principal is certainly not the build's
// service role (aws-facts §3.6). Without a build record, only an IAM user or
// an account's root is certain.
func (x *facts) otherPrincipal(principal string) bool {
	a, ok := codebuild.ParseARN(principal)
	if !ok || strings.Contains(principal, "*") {
		return false
	}
	kind, name, _ := strings.Cut(a.Resource, "/")
	switch {
	case a.Service == "iam" && (kind == "user" || a.Resource == "root"):
		return true
	case a.Service == "sts" && kind == "assumed-role":
		name, _, _ = strings.Cut(name, "/")
	case a.Service == "iam" && kind == "role":
		name = name[strings.LastIndexByte(name, '/')+1:]
	default:
		return false
	}
	role, ok := x.Build.Role()
	return ok && (name != role.Name || a.Account != role.Account)
}

// expand replaces the {placeholders} that it knows.
func expand(text string, words map[string]string) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(text, "{")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		name, after, ok := strings.Cut(rest, "}")
		v, known := words[name]
		if !ok || !known {
			b.WriteByte('{')
			text = rest
			continue
		}
		b.WriteString(v)
		text = after
	}
}

// printable gives s as one line without anything that a terminal or a mail
// program could take for more than text.
func printable(s string) string {
	if strings.IndexFunc(s, unprintable) < 0 {
		return s
	}
	s = ansi.ReplaceAllString(s, "")
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unprintable(r):
			return -1
		}
		return r
	}, s)
}

// unprintable reports control characters and those that change how what
// follows is shown, such as right-to-left marks.
func unprintable(r rune) bool {
	return r != ' ' && !unicode.IsGraphic(r) || r == unicode.ReplacementChar
}
