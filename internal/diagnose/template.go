package diagnose

import (
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/buildlog"
)

// Template returns what is the same about a line in every build that prints it: without what tools
// put in front of it, and without colours, times, ids, hashes, numbers and paths. It is what
// [Diagnosis.Fingerprint] is made of. A line that has nothing else has the template "".
func Template(line string) string { return steady(bare(line)) }

// ErrorStrength ranks a line of output by how surely it says why its command failed: the larger,
// the surer; 0 for what only follows from an error.
func ErrorStrength(line string) int { return strength(line, bare(line)) }

// Printed returns those of the lines that the failed command printed: without what CodeBuild's
// agent says, and without the lines of the command itself.
func Printed(lines []buildlog.Line, command string) []buildlog.Line {
	own := linesOf(command)
	return slices.DeleteFunc(slices.Clone(lines), func(l buildlog.Line) bool {
		b := bare(l.Text)
		return repeatsCommand(b) || own[strings.TrimSpace(b)] || buildlog.AgentLine(l.Text)
	})
}

// ProvedBy gives the diagnosis with another line of the failed command's output as its evidence,
// and with an excerpt that holds that line. Nothing else changes: neither the cause nor the
// fingerprint, which would then depend on what other builds printed. tail is the command's output;
// a line that is not there changes nothing.
func (d Diagnosis) ProvedBy(tail []buildlog.Line, line int) Diagnosis {
	i := slices.IndexFunc(tail, func(l buildlog.Line) bool { return l.N == line })
	if i < 0 || d.Evidence.Origin != buildlog.FromLog {
		return d
	}
	d.Evidence.Line, d.Evidence.Text = line, printable(tail[i].Text)
	if !slices.ContainsFunc(d.Excerpt, func(l buildlog.Line) bool { return l.N == line }) {
		d.Excerpt = nil
		for _, l := range buildlog.ExcerptAround(tail, nil, i) {
			d.Excerpt = append(d.Excerpt, buildlog.Line{N: l.N, Text: printable(clip(l.Text, maxLineBytes))})
		}
	}
	return d
}
