package buildlog

import (
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"github.com/buildmedic/buildmedic/internal/iamref"
)

// Ignored reports whether a command line goes on by its own words where AWS denies d to a call of the
// AWS CLI in it, as aws s3 cp … || true does. Another call there that d may as well be about, and that
// ends the command, makes it false; so does a command line that is no shell's.
func Ignored(command string, d *Denial) bool {
	if !strings.Contains(command, "||") {
		return false
	}
	a, ok := iamref.Lookup(d.Action)
	if !ok {
		return false
	}
	file := parse(command)
	if file == nil {
		return false
	}
	var left []awsCall // of what is ignored
	syntax.Walk(file, func(n syntax.Node) bool {
		if b, ok := n.(*syntax.BinaryCmd); ok && b.Op == syntax.OrStmt && passes(b.Y) {
			left = append(left, awsCallsOf(callsIn(b.X))...)
			return false
		}
		return true
	})
	all := awsCallsOf(callsIn(file))
	for _, alike := range []func(*awsCall) bool{
		func(c *awsCall) bool { return c.needs(a, d.Operation) && d.Resource != "" && c.mentions(d.Resource) },
		func(c *awsCall) bool { return c.needs(a, d.Operation) },
	} {
		if n := matching(all, alike); n > 0 {
			return matching(left, alike) == n
		}
	}
	return false
}

func matching(calls []awsCall, alike func(*awsCall) bool) (n int) {
	for i := range calls {
		if alike(&calls[i]) {
			n++
		}
	}
	return n
}

// passes reports whether a statement cannot fail: it ends with true or with a text that it prints.
func passes(s *syntax.Stmt) bool {
	switch c := s.Cmd.(type) {
	case *syntax.CallExpr:
		return len(c.Args) > 0 && slices.Contains([]string{"true", ":", "echo", "printf"}, c.Args[0].Lit())
	case *syntax.Block:
		return passes(c.Stmts[len(c.Stmts)-1]) && !leaves(c.Stmts)
	}
	return false
}

// leaves reports whether one of the statements ends the shell.
func leaves(stmts []*syntax.Stmt) bool {
	return slices.ContainsFunc(stmts, func(s *syntax.Stmt) bool {
		c, ok := s.Cmd.(*syntax.CallExpr)
		return !ok || len(c.Args) > 0 && slices.Contains([]string{"exit", "return", "exec", "kill"}, c.Args[0].Lit())
	})
}

// needs reports whether the call may need the action.
func (c *awsCall) needs(a iamref.Action, operation string) bool {
	service, _, _ := strings.Cut(a.Name, ":")
	return c.service == "s3" && service == "s3" || c.does(a, service, operation)
}

// mentions reports whether a word of the call is part of the resource, or holds its name.
func (c *awsCall) mentions(resource string) bool {
	_, name, s3 := strings.Cut(resource, ":::")
	if !s3 {
		name = resource[strings.LastIndexByte(resource, ':')+1:]
	}
	holds := func(w arg) bool {
		text := strings.TrimSuffix(strings.TrimPrefix(w.text, "s3://"), "/")
		return len(text) > 1 && (strings.HasPrefix(name+"/", text+"/") || strings.HasSuffix("/"+name, "/"+text))
	}
	if slices.ContainsFunc(c.args, holds) {
		return true
	}
	for _, values := range c.options {
		if slices.ContainsFunc(values, holds) {
			return true
		}
	}
	return false
}
