package diagnose

import (
	"strings"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// pointed finds where Terraform points at a place of the configuration that it cannot use. It has
// some 400 titles for that, and one form: "Error: " with a title, and below it the place. What a
// provider, or AWS, says about a resource has the same form, and then names the resource ("with
// aws_x.y,") above the place. That line came together with the frame around the message: without a
// frame, the place must be in a block that no provider sees. But if the line shown below the place is
// an argument, and not the block's first line, the error is about what is written there, whoever says so.
func (x *facts) pointed() (finding, bool) {
	if x.rows.grams.lacks(" line ") || x.rows.grams.lacks("error: ") {
		return finding{}, false
	}
	for k := len(x.bare) - 1; k > 0; k-- {
		if !x.rows.match(configPlace, k) {
			continue
		}
		i := x.pointedTitle(k)
		if i < 0 || !x.quoted && x.provesNoRetry(i, 0, len(x.bare[i])) {
			continue
		}
		return finding{evidence: Evidence{x.lines[i].N, x.lines[i].Text, buildlog.FromLog}}, true
	}
	return finding{}, false
}

// pointedTitle returns the index of the line with the title of the error that points at the place in
// the line with index k; -1 if a resource has that error.
func (x *facts) pointedTitle(k int) int {
	argument := k+1 < len(x.bare) && x.rows.match(shownArgument, k+1)
	framed := strings.Contains(x.lines[k].Text, "│")
	if !framed && !argument && !x.rows.match(withoutProvider, k) {
		return -1
	}
	for i := k - 1; i >= max(0, k-maxAbove); i-- {
		switch text := strings.TrimSpace(x.bare[i]); {
		case strings.HasPrefix(text, "with ") && !argument, strings.HasPrefix(text, "Warning: "):
			return -1
		case strings.HasPrefix(text, "Error: "):
			if argument && x.rows.match(calledAWS, i) {
				return -1
			}
			return i
		}
	}
	return -1
}

// maxAbove is how far above the place the title of an error is at most: most often there is an empty
// line between them.
const maxAbove = 4

var (
	// configPlace matches how Terraform names a place: "on main.tf line 3, in variable "size":".
	configPlace = lazyregexp.New(`^\s*on \S+\.(?:tf|tofu|tfvars|hcl)(?:\.json)? line \d+(?:, in .*)?:?\s*$`)
	// shownArgument matches the line of the configuration that Terraform shows, where it sets an argument.
	shownArgument = lazyregexp.New(`^\s*\d+: +"?[\w-]+"? *= *\S`)
	// calledAWS matches the title of an error that a provider met while it did something.
	calledAWS = lazyregexp.New(`^\s*Error: (?:error )?[a-z]+ing\b|\boperation error\b|(?i)\bstatus ?code:`)
	// withoutProvider matches places in blocks that no provider sees.
	withoutProvider = lazyregexp.New(` line \d+, in (?:module|variable|output|locals|terraform|moved|import|removed|check)\b`)
)
