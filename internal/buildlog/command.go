package buildlog

import (
	"maps"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/iamref"
)

// What the failed command itself names: the AWS CLI's options say on what it works, also where the
// refusal does not.

// maxCommand bounds the commands that are parsed, in bytes.
const maxCommand = 8 << 10

// arg is one word of a command; ok is false if only the shell knows its value.
type arg struct {
	text string
	ok   bool
}

// calls returns the words of every simple command in a shell's command line, those of loops and
// substitutions included; nil if it is none.
func calls(command string) [][]arg {
	file := parse(command)
	if file == nil {
		return nil
	}
	return callsIn(file)
}

// parse reads a shell's command line; nil if it is none, or too long.
func parse(command string) *syntax.File {
	if len(command) > maxCommand {
		return nil
	}
	file, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(command), "")
	if err != nil {
		return nil
	}
	return file
}

// callsIn returns the words of every simple command in a part of a command line.
func callsIn(node syntax.Node) (list [][]arg) {
	syntax.Walk(node, func(n syntax.Node) bool {
		if call, ok := n.(*syntax.CallExpr); ok && len(call.Args) > 0 {
			var words []arg
			for _, a := range call.Assigns {
				if a.Name != nil {
					words = append(words, arg{a.Name.Value + "=", false})
				}
			}
			for _, w := range call.Args {
				words = append(words, literal(w.Parts, false))
			}
			list = append(list, words)
		}
		return true
	})
	return list
}

// literal is the value of a word without expansions.
func literal(parts []syntax.WordPart, quoted bool) arg {
	w := arg{ok: true}
	for _, p := range parts {
		switch p := p.(type) {
		case *syntax.Lit:
			w.text += p.Value
			w.ok = w.ok && !strings.Contains(p.Value, `\`) && (quoted || !strings.ContainsAny(p.Value, "*?[~{"))
		case *syntax.SglQuoted:
			w.text += p.Value
			w.ok = w.ok && !p.Dollar
		case *syntax.DblQuoted:
			inner := literal(p.Parts, true)
			w.text += inner.text
			w.ok = w.ok && inner.ok && !p.Dollar
		default:
			w.ok = false
		}
	}
	return w
}

// awsCall is one call of the AWS CLI.
type awsCall struct {
	service, operation string
	options            map[string][]arg // by name, without the dashes
	args               []arg            // that are no option; an option's value may be among them
	elsewhere          bool             // the account and the region may not be the build's
}

// awsCalls returns the calls of the AWS CLI in a command line.
func awsCalls(command string) []awsCall { return awsCallsOf(calls(command)) }

func awsCallsOf(calls [][]arg) (list []awsCall) {
	for _, words := range calls {
		at := slices.IndexFunc(words, func(w arg) bool { return w.ok && (w.text == "aws" || strings.HasSuffix(w.text, "/aws")) })
		if at < 0 {
			continue
		}
		c := awsCall{options: map[string][]arg{}}
		for _, w := range words[:at] {
			c.elsewhere = c.elsewhere || strings.HasPrefix(w.text, "AWS_")
			if w.text == "xargs" {
				c.args = append(c.args, arg{})
			}
		}
		c.read(words[at+1:])
		list = append(list, c)
	}
	return list
}

// read takes in the words after "aws".
func (c *awsCall) read(words []arg) {
	name := ""
	for _, w := range words {
		if o, ok := strings.CutPrefix(w.text, "--"); ok && o != "" {
			var v string
			name, v, ok = strings.Cut(o, "=")
			c.options[name] = append(c.options[name], nil...)
			if ok {
				c.options[name] = append(c.options[name], arg{v, w.ok})
				name = ""
			}
			continue
		}
		global := name == "region" || name == "profile" || name == "output" || name == "query" || name == "endpoint-url" ||
			name == "cli-read-timeout" || name == "cli-connect-timeout" || name == "color" || name == "ca-bundle"
		switch {
		case c.service == "" && (name == "" || !global || len(c.options[name]) > 0):
			c.service = w.text
		case c.operation == "" && (name == "" || !global || len(c.options[name]) > 0):
			c.operation = w.text
		default:
			if name != "" {
				c.options[name] = append(c.options[name], w)
			}
			c.args = append(c.args, w)
			continue
		}
		name = ""
	}
	for _, o := range []string{"profile", "endpoint-url"} {
		c.elsewhere = c.elsewhere || len(c.options[o]) > 0
	}
}

// commandNames returns what a command line names that the action can be about. known is false if a
// call that may be the refused one has a value that only the shell knows.
func commandNames(command string, a iamref.Action, operation string, home codebuild.ARN) (c choice, known bool) {
	service, _, _ := strings.Cut(a.Name, ":")
	var all []names
	for _, call := range awsCalls(command) {
		if len(call.options["endpoint-url"]) > 0 {
			return choice{}, true // not AWS's, perhaps
		}
		if call.service == "s3" && service == "s3" {
			list, ok := call.s3(a, operation)
			if !ok {
				return choice{}, false
			}
			all = append(all, list...)
			continue
		}
		if !call.does(a, service, operation) {
			continue
		}
		list, ok := call.names(a, service)
		if !ok {
			return choice{}, false
		}
		if call.elsewhere {
			for i := range list {
				if list[i].service != "s3" {
					return choice{}, false
				}
			}
		}
		all = append(all, list...)
	}
	soft := len(all) == 0
	if soft { // another tool: what is named there may be for something else
		for _, words := range calls(command) {
			all = append(all, mentioned(words, a, service)...)
		}
	}
	c = choose(all, a, home)
	c.soft = soft
	return c, true
}

// mentioned is what the words of any command name: URLs, and options that are called like what the
// action works on.
func mentioned(words []arg, a iamref.Action, service string) (all []names) {
	c := awsCall{options: map[string][]arg{}, service: "-", operation: "-"}
	c.read(words)
	delete(c.options, "name") // of anything
	if v := c.options["s3-bucket"]; len(v) > 0 {
		c.options["bucket"] = v
	}
	list, _ := c.names(a, service)
	for _, w := range words {
		if w.ok {
			list = append(list, namesIn(w.text)...)
		}
	}
	for _, n := range list {
		n.soft = true
		all = append(all, n)
	}
	return all
}

// does reports whether the call needs the action: it is its operation, or a command of several
// operations of the service (aws cloudformation deploy).
func (c *awsCall) does(a iamref.Action, service, operation string) bool {
	actions, _ := iamref.ForOperation(c.service, c.operation)
	if len(actions) > 0 {
		return slices.Contains(actions, a.Name)
	}
	own, ok := iamref.ForOperation(c.service, operation)
	if !ok {
		_, name, _ := strings.Cut(a.Name, ":")
		own, _ = iamref.ForOperation(c.service, name)
	}
	return slices.Contains(own, a.Name)
}

// s3 reads a call of "aws s3": which objects it reads, writes or deletes.
func (c *awsCall) s3(a iamref.Action, operation string) (list []names, ok bool) {
	var ends []names
	_, recursive := c.options["recursive"]
	recursive = recursive || c.operation == "sync"
	for _, w := range c.args {
		u, isURL := strings.CutPrefix(w.text, "s3://")
		if !w.ok && (isURL || w.text == "") {
			return nil, false
		}
		if !isURL {
			continue
		}
		bucket, key, _ := strings.Cut(u, "/")
		switch {
		case bucket == "":
			return nil, false
		case recursive || key == "" || strings.HasSuffix(key, "/"):
			ends = append(ends, s3Below(bucket, key))
		default:
			ends = append(ends, s3Names(bucket, key))
		}
	}
	switch {
	case len(ends) != 2:
	case c.operation == "sync" && strings.HasPrefix(a.Name, "s3:Delete"):
		return ends[1:], true // with --delete
	case a.Name == "s3:ListBucket":
		return ends, true // a sync lists both
	default:
		ends = oneWay(ends, a, operation)
	}
	return ends, true
}

// names reads the options of a call for the action's resources: an option that is named like a
// variable of a resource's ARN gives its value.
func (c *awsCall) names(a iamref.Action, service string) (list []names, ok bool) {
	base := names{service: service, vars: map[string]string{}}
	if r := c.options["region"]; len(r) > 0 {
		if !r[0].ok {
			return nil, false
		}
		base.region = r[0].text
	}
	for _, o := range []string{"registry-id", "domain-owner", "account-id"} {
		if v := c.options[o]; len(v) > 0 {
			if !v[0].ok {
				return nil, false
			}
			base.account = v[0].text
		}
	}
	list = []names{base}
	for _, t := range a.Resources {
		for _, v := range variables(t.ARN) {
			values := c.values(t, v)
			if len(values) == 0 || list[0].vars[v] != "" {
				continue
			}
			var more []names
			for _, w := range values {
				if !w.ok {
					return nil, false
				}
				for _, n := range list {
					n, ok := n.with(v, w.text)
					if !ok {
						return nil, false
					}
					more = append(more, n)
				}
			}
			list = more
		}
	}
	return list, true
}

// with returns n with the value of one more variable, as an option holds it: a name, an ARN or a
// queue's URL. ok is false if it is not clear what the value names.
func (n names) with(variable, value string) (names, bool) {
	vars := map[string]string{}
	for k, v := range n.vars {
		vars[k] = v
	}
	n.vars = vars
	if strings.HasPrefix(value, "arn:") {
		n.arn = value
		return n, true
	}
	switch variable {
	case "QueueName":
		for _, q := range namesIn(value) {
			if q.service == "sqs" {
				return q, true
			}
		}
		return n, false
	case "ParameterNameWithoutLeadingSlash":
		value = strings.TrimPrefix(value, "/")
	case "ObjectName":
		vars[variable] = value
		return n, value != ""
	case "SecretId":
		vars[variable] = value + newSecret
		n.soft = n.region != "" // of a name alone, the region is taken to be the build's
		return n, value != "" && !strings.ContainsAny(value, ":*?")
	case "KeyId":
		if strings.HasPrefix(value, "alias/") {
			return n, false // IAM is asked about the key
		}
	}
	vars[variable] = value
	return n, value != "" && !strings.ContainsAny(value, ":@*?") // NAME:VERSION, file://…
}

// variables lists the variables of a resource's name in an ARN.
func variables(arn string) (list []string) {
	for _, part := range strings.Split(arn, "${")[1:] {
		name, _, _ := strings.Cut(part, "}")
		if name != "Partition" && name != "Region" && name != "Account" {
			list = append(list, name)
		}
	}
	return list
}

// otherNames are the options whose names are not those of the reference's variables.
var otherNames = []struct {
	variable string
	options  []string
}{
	{"ObjectName", []string{"key"}},
	{"SecretId", []string{"secret-id"}},
	{"ParameterNameWithoutLeadingSlash", []string{"name", "names", "path"}},
	{"QueueName", []string{"queue-url", "queue-name"}},
	{"DbInstanceName", []string{"db-instance-identifier"}},
}

// values returns the values of the option that stands for a variable of a type of resource:
// --table-name or --table for TableName, --id or --hosted-zone-id for the Id of a hostedzone.
func (c *awsCall) values(t iamref.ResourceType, variable string) []arg {
	for _, n := range otherNames {
		if n.variable != variable {
			continue
		}
		for _, o := range n.options {
			if v := c.options[o]; len(v) > 0 {
				return v
			}
		}
	}
	want := []string{stem(variable)}
	if (want[0] == "" || variable == "ResourceId") && len(variables(t.ARN)) == 1 {
		want = []string{stem(t.Name)} // "Id" of a hostedzone
	}
	var found []arg
	for _, o := range slices.Sorted(maps.Keys(c.options)) {
		if want[0] != "" && slices.Contains(want, stem(o)) {
			found = append(found, c.options[o]...)
		}
	}
	if len(found) > 0 {
		return found
	}
	// A type's only name is often called no more than that: --name of a cluster.
	if v := c.options["name"]; len(v) > 0 && len(variables(t.ARN)) == 1 && (want[0] == stem(t.Name) ||
		strings.HasSuffix(variable, "Name")) {
		return v
	}
	return nil
}

// stem makes the names of an option, a variable and a type comparable: without separators, and
// without what says only that it is a name.
func stem(s string) string {
	s = strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(s))
	s = strings.TrimSuffix(s, "s")
	for _, end := range []string{"name", "identifier", "id", "arn"} {
		if t, ok := strings.CutSuffix(s, end); ok {
			return t
		}
	}
	return s
}
