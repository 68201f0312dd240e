package observe

import (
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/lazyregexp"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// piece is a part of a pattern that was used: the pattern with what its wildcards stood for.
type piece struct {
	before string // all but what a star at the end of the pattern stood for
	end    string // that
	open   bool   // the pattern has a star at its end
}

// token is a wildcard, or text between wildcards.
type token struct {
	raw  string // as the pattern has it
	text string // with the placeholders filled in
	wild byte   // '*', '?', or 0
}

func tokens(pattern string, vars settings.Vars) (list []token) {
	for pattern != "" {
		i := strings.IndexAny(pattern, "*?")
		switch {
		case i == 0:
			list = append(list, token{raw: pattern[:1], wild: pattern[0]})
			pattern = pattern[1:]
			continue
		case i < 0:
			i = len(pattern)
		}
		list = append(list, token{raw: pattern[:i], text: settings.Expand(pattern[:i], vars)})
		pattern = pattern[i:]
	}
	return list
}

// capture puts what the wildcards of a pattern stand for in a resource in their place. What AWS itself
// appends to the resource's name stays open, since it is another one next time.
func capture(pattern string, vars settings.Vars, resource string) (piece, bool) {
	resource = reopened(resource)
	ts := tokens(pattern, vars)
	got := make([]string, len(ts))
	// The classic way to match wildcards: of a star as little as will do, and more of the last one
	// where that leads nowhere.
	at, pos, star, from := 0, 0, -1, 0
	for at < len(ts) || pos < len(resource) {
		if at < len(ts) {
			t := ts[at]
			switch {
			case t.wild == '*':
				star, from = at, pos
				got[at] = ""
				at++
				continue
			case t.wild == '?' && pos < len(resource):
				got[at] = resource[pos : pos+1]
				at, pos = at+1, pos+1
				continue
			case t.wild == 0 && t.text != "" && strings.HasPrefix(resource[pos:], t.text):
				at, pos = at+1, pos+len(t.text)
				continue
			}
		}
		next := from + len(gotOf(got, star)) + 1
		if star < 0 || next > len(resource) {
			return piece{}, false
		}
		got[star] = resource[from:next]
		at, pos = star+1, next
	}
	last := len(ts) - 1
	one := piece{open: last >= 0 && ts[last].wild == '*'}
	for i, t := range ts {
		switch {
		case i == last && one.open:
			one.end = got[i]
		case t.wild != 0:
			one.before += got[i]
		default:
			one.before += t.raw
		}
	}
	return one.placed(pattern, vars), true
}

// placed writes placeholders again for what wildcards stood for in the ARN's own fields.
func (p piece) placed(pattern string, vars settings.Vars) piece {
	was, f := strings.SplitN(pattern, ":", 6), strings.SplitN(p.before+p.end, ":", 6)
	if len(f) < 6 {
		return p
	}
	for i, v := range map[int][2]string{1: {vars.Partition, "${partition}"}, 3: {vars.Region, "${region}"},
		4: {vars.Account, "${account}"}} {
		if f[i] == v[0] && v[0] != "" && (len(was) < 6 || strings.ContainsAny(was[i], "*?")) {
			f[i] = v[1]
		}
	}
	text := strings.Join(f, ":")
	if before, ok := strings.CutSuffix(text, p.end); ok && strings.Count(p.before, ":") >= 5 {
		return piece{before, p.end, p.open}
	}
	if end, ok := strings.CutPrefix(text, p.before); ok {
		return piece{p.before, end, p.open}
	}
	return p
}

func gotOf(got []string, star int) string {
	if star < 0 {
		return ""
	}
	return got[star]
}

// openEnds are what AWS appends to a name: the id of a stack, the revision of a task definition, the
// six characters of a secret.
var openEnds = []struct {
	form *lazyregexp.Regexp
	with string
}{
	{lazyregexp.New(`^(arn:[^:]+:cloudformation:[^:]*:[^:]*:stack/[^/*?]+/)[^/*?]+$`), "${1}*"},
	{lazyregexp.New(`^(arn:[^:]+:ecs:[^:]*:[^:]*:task-definition/[^/:*?]+:)[0-9]+$`), "${1}*"},
	{lazyregexp.New(`^(arn:[^:]+:secretsmanager:[^:]*:[^:]*:secret:[^*?]+-)[A-Za-z0-9]{6}$`), "${1}??????"},
}

func reopened(resource string) string {
	for _, o := range openEnds {
		if o.form.MatchString(resource) {
			return o.form.ReplaceAllString(resource, o.with)
		}
	}
	return resource
}

const (
	// manyNames is how many different names below one place make a pattern of them: whoever used so
	// many will use another one next.
	manyNames = 5
	// maxNames is how many resources take the place of one at most.
	maxNames = 20
)

// generalise writes down what was used of a pattern as a person would: each resource by its name, or
// a place below which there were many. It never gives more than the pattern.
func generalise(pattern string, used []piece) []string {
	ends := map[string][]string{}
	var list []string
	for _, p := range used {
		if !p.open {
			list = append(list, p.before)
			continue
		}
		ends[p.before] = append(ends[p.before], p.end)
	}
	for before, all := range ends {
		for _, end := range spread(set(all)) {
			list = append(list, before+end)
		}
	}
	if list = set(list); len(list) > maxNames {
		return []string{pattern}
	}
	return list
}

func set(list []string) []string { return slices.Compact(slices.Sorted(slices.Values(list))) }

// spread gives names, each once, or in place of many of them what they begin with and a star.
func spread(names []string) (list []string) {
	first := map[string][]string{} // what they begin with, to the slash → the rest
	volatile := false
	for _, n := range names {
		head, rest := n, ""
		if i := strings.IndexByte(n, '/'); i >= 0 {
			head, rest = n[:i+1], n[i+1:]
		}
		first[head] = append(first[head], rest)
		volatile = volatile || passing(strings.TrimSuffix(head, "/"))
	}
	if len(names) >= manyNames && (len(first) >= manyNames || volatile) {
		return []string{"*"}
	}
	for head, rests := range first {
		if !strings.HasSuffix(head, "/") {
			list = append(list, head)
			continue
		}
		for _, rest := range spread(set(rests)) {
			list = append(list, head+rest)
		}
	}
	return list
}

var passingName = lazyregexp.New(`^([0-9]+|[0-9a-f-]{7,})(\..*)?$`)

// passing reports whether a name is one that will be another next time: a number, a date, a commit,
// a UUID.
func passing(name string) bool {
	return passingName.MatchString(name) && strings.ContainsAny(name, "0123456789")
}
