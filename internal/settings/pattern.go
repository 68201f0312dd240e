package settings

import (
	"strings"

	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

var projectPattern = &form{lazyregexp.New(`^[A-Za-z0-9_-]*\*[A-Za-z0-9_*-]*$`), 150}

// pinned checks the pattern of a project, and reports whether the project is one: a pattern alone
// stands for none. Whatever somebody creates in CodeBuild under a name that fits changes nothing
// before a person has put that name into the file.
func (r *reader) pinned(o object) bool {
	pattern := o.matching("pattern", projectPattern, "write letters, digits, - and _, and * for any number of these, such as web-*")
	if !o.has("name") {
		if pattern != "" {
			o.problem("pattern", "%q stands for no project yet: `buildmedic scan -expand` prints the file with the name and "+
				"the role of each project that it matches now", pattern)
		}
		return false
	}
	if name := o.value("name").Value; pattern != "" && projectName.MatchString(name) && !matchesPattern(pattern, name) {
		o.problem("pattern", "%q does not match %s; remove one of the two", pattern, name)
	}
	return true
}

// matchesPattern reports whether a name matches: * is any number of characters. It takes linear time.
func matchesPattern(pattern, name string) bool {
	parts := strings.Split(pattern, "*")
	first, last := parts[0], parts[len(parts)-1]
	if len(name) < len(first)+len(last) || !strings.HasPrefix(name, first) || !strings.HasSuffix(name, last) {
		return false
	}
	name = name[len(first) : len(name)-len(last)]
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(name, part)
		if i < 0 {
			return false
		}
		name = name[i+len(part):]
	}
	return true
}
