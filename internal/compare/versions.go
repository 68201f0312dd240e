package compare

import (
	"cmp"
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// A printer is a form in which tools print a version. Templates leave versions out, so without
// these lines nobody would see that one has changed.
type printer struct {
	mark string // a text that the line has
	re   *lazyregexp.Regexp
	what string // its name, where the expression has no group "name"
}

var printers = []printer{
	{"runtime version", lazyregexp.New(`(?i)selecting '(?P<name>[\w.-]+)' runtime version '(?P<version>[\w.-]+)'`), ""},
	{"installed : v", lazyregexp.New(`^\s*installed : v(?P<version>\d[\w.-]*)`), "Node.js"},
	{"go version go", lazyregexp.New(`^go version go(?P<version>\d[\w.-]*)`), "Go"},
	{"openjdk ", lazyregexp.New(`^openjdk (?:version )?"?(?P<version>\d[\w.+-]*)`), "OpenJDK"},
	{"Python ", lazyregexp.New(`^Python (?P<version>\d+\.\d[\w.+-]*)$`), "Python"},
	{"ruby ", lazyregexp.New(`^ruby (?P<version>\d+\.\d[\w.]*)[ (]`), "Ruby"},
	{"PHP ", lazyregexp.New(`^PHP (?P<version>\d+\.\d[\w.-]*) \(`), "PHP"},
	{"Docker version ", lazyregexp.New(`^Docker version (?P<version>\d[\w.+-]*),`), "Docker"},
	{"aws-cli/", lazyregexp.New(`^aws-cli/(?P<version>\d[\w.]*) `), "AWS CLI"},
	{"Terraform v", lazyregexp.New(`^Terraform v(?P<version>\d[\w.-]*)`), "Terraform"},
	{"Apache Maven ", lazyregexp.New(`^Apache Maven (?P<version>\d[\w.-]*)`), "Maven"},
	{"Gradle ", lazyregexp.New(`^Gradle (?P<version>\d[\w.-]*)!?$`), "Gradle"},
	{"yarn install v", lazyregexp.New(`^yarn install v(?P<version>\d[\w.-]*)`), "Yarn"},
	{"YN0000", lazyregexp.New(`YN0000: .{0,4}Yarn (?P<version>\d[\w.-]*)`), "Yarn"},
	{"pip ", lazyregexp.New(`^pip (?P<version>\d[\w.]*) from `), "pip"},
	{"git version ", lazyregexp.New(`^git version (?P<version>\d[\w.]*)`), "Git"},
	{"cmake version ", lazyregexp.New(`^cmake version (?P<version>\d[\w.-]*)`), "CMake"},
	{"gcc (", lazyregexp.New(`^gcc \(.{1,60}\) (?P<version>\d[\w.]*)`), "GCC"},
	{"rustc ", lazyregexp.New(`^rustc (?P<version>\d[\w.-]*) \(`), "Rust"},
	// packages
	{"go: downloading ", lazyregexp.New(`^go: downloading (?P<name>\S+) (?P<version>v\S+)$`), ""},
	{" v", lazyregexp.New(`^ *(?:Compiling|Downloaded|Checking) (?P<name>[\w-]+) v(?P<version>\d\S*)`), ""},
	{"Installing ",
		lazyregexp.New(`^(?:Installing|Fetching) (?P<name>[\w.-]+) (?P<version>\d\S*)(?: with native extensions)?$`), ""},
	{"Using ", lazyregexp.New(`^Using (?P<name>[\w.-]+) (?P<version>\d\S*)$`), ""},
	{"- Installing ", lazyregexp.New(`^ +- Installing (?P<name>[\w./-]+) \((?P<version>[\w.-]+)\)`), ""},
	{"Setting up ", lazyregexp.New(`^Setting up (?P<name>[\w.+:-]+) \((?P<version>[^()\s]+)\) ?\.\.\.`), ""},
	{"+ ", lazyregexp.New(`^\+ (?P<name>@?[\w./-]+) (?P<version>\d\S*)$`), ""}, // pnpm
	// the images that a build pulls
	{"@sha256:", lazyregexp.New(`(?P<name>[\w.-][\w./:-]*:[\w.-]+)@(?P<version>sha256:[0-9a-f]{12})`), ""},
}

// pulled is what docker pull prints behind a digest.
var pulled = lazyregexp.New(`^Status: (?:Downloaded newer image|Image is up to date) for (\S+)$`)

// bareVersion is what a tool prints that is asked for nothing but its version.
var (
	bareVersion = lazyregexp.New(`^v?\d+\.\d+\.\d+[\w.+-]*$`)
	asksVersion = lazyregexp.New(`^(?:\S*/)?([\w.-]+) (?:-v|-V|--version|version)$`)
)

// maxVersions bounds how many names of a log are remembered.
const maxVersions = 4000

// versions lists what both logs print a version of, if each prints one and it is not the same: a
// tool of several versions is installed several times, and nothing is known of what only one log
// prints, as not all of a log need have been read.
func versions(failed, green string) (list []Change) {
	if failed == "" || green == "" {
		return nil
	}
	was, is := printed(green), printed(failed)
	for name, v := range is {
		if w, both := was[name]; both && w != v && w != several && v != several {
			list = append(list, Change{"version of " + name, w, v})
		}
	}
	slices.SortFunc(list, func(a, b Change) int { return cmp.Compare(a.What, b.What) })
	return list
}

const several = "\x00" // stands for more than one version

// printed returns the versions that a log prints, by name.
func printed(text string) map[string]string {
	out := map[string]string{}
	add := func(name, version string) {
		switch known, ok := out[name]; {
		case !ok && len(out) < maxVersions:
			out[name] = version
		case ok && known != version:
			out[name] = several
		}
	}
	asked, digest := "", ""
	for _, l := range buildlog.Texts(text) {
		if command, ok := buildlog.StartedCommand(l); ok {
			asked = ""
			if m := asksVersion.Get().FindStringSubmatch(command); m != nil {
				asked = m[1]
			}
			continue
		}
		if asked != "" && bareVersion.MatchString(l) {
			add(asked, strings.TrimPrefix(l, "v"))
		}
		if d, ok := strings.CutPrefix(l, "Digest: "); ok {
			digest = d[:min(len(d), len("sha256:")+12)]
		} else if m := pulled.Get().FindStringSubmatch(l); m != nil && digest != "" {
			add(m[1], digest)
			digest = ""
		}
		if list, ok := strings.CutPrefix(l, "Successfully installed "); ok { // pip, and one gem
			for _, p := range strings.Fields(list) {
				if i := strings.LastIndexByte(p, '-'); i > 0 {
					add(p[:i], p[i+1:])
				}
			}
		}
		for i := range printers {
			printers[i].read(l, add)
		}
	}
	return out
}

func (p *printer) read(line string, add func(name, version string)) {
	if !strings.Contains(line, p.mark) {
		return
	}
	re := p.re.Get()
	m := re.FindStringSubmatch(line)
	if m == nil {
		return
	}
	name := p.what
	if i := re.SubexpIndex("name"); i >= 0 {
		name = m[i]
	}
	add(name, m[re.SubexpIndex("version")])
}
