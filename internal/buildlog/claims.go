package buildlog

import (
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/codebuild"
)

// A claim is a denial and where in page.flat it was read.
type claim struct {
	Denial
	from, to int
	raw      int  // where in the raw text it begins
	warning  bool // the program that printed it went on
	stack    bool // CloudFormation says it of a stack's resource
}

// maxText bounds Denial.Text, in bytes.
const maxText = 2000

// claims returns all denials of the page in the order of the text, with repetitions. Resources that
// the text names without an ARN are taken to be in home, the build's partition, account and region.
func (p *page) claims(home codebuild.ARN) []claim {
	s := &sentences{page: p, home: home, all: p.allTails()}
	s.heads()
	s.loose(true)
	s.wrapped()
	s.loose(false)
	slices.SortStableFunc(s.list, func(a, b claim) int { return a.from - b.from })
	s.dropFields()
	s.dropBare()
	s.located()
	for i := range s.list {
		c := &s.list[i]
		at := int(p.at[c.from])
		c.Line, c.raw = p.rows[p.rowAt(at)].line, int(p.src[at])
		c.Text = p.sentence(c.from, c.to)
		c.Over = p.rows[p.rowAt(int(p.at[max(c.from, c.to-1)]))].mark&markOver != 0
		c.Authorization = p.authorization(c.to, home.Partition)
		s.denied(c)
		c.warning = p.warned(c.from, c.to)
	}
	list := s.list[:0:0]
	for i, c := range s.list {
		if repeated(s.list, i) {
			continue
		}
		if c.Action != "" || c.Operation != "" || c.Resource != "" || c.Encoded != "" || saysWhy(s.list, i) || !explained(s.list, i) {
			list = append(list, c)
		}
	}
	return list
}

// repeated reports whether a claim says less than the one right behind it, and nothing else: tools
// print AWS's sentence in an error of their own that begins with a part of it.
func repeated(claims []claim, i int) bool {
	if i+1 == len(claims) {
		return false
	}
	a, b := claims[i], claims[i+1]
	return b.from-a.to < len("onresource:*:") && b.Effect != Unstated && a.Effect == Unstated && a.Reason == "" &&
		a.Action == b.Action && a.Principal == b.Principal && (a.Resource == b.Resource || a.Resource == "") && a.Encoded == ""
}

// near is how far apart, in lines, a bare "Access Denied" and the denial that
// it is about may be.
const near = 10

// saysWhy reports whether a claim without an action has a reason of its own, such as KMS's, that no
// claim near it gives.
func saysWhy(claims []claim, i int) bool {
	return strings.Contains(claims[i].Reason, "ciphertext") && !slices.ContainsFunc(claims, func(d claim) bool {
		return strings.HasPrefix(d.Action, "kms:")
	})
}

// explained reports whether a claim that says nothing has one near it that does: tools print the
// same refusal in a long and in a short form.
func explained(claims []claim, i int) bool {
	line := claims[i].Line
	for j := i - 1; j >= 0 && j >= i-near && line-claims[j].Line <= near; j-- {
		if claims[j].Action != "" || claims[j].Subject != "" {
			return true
		}
	}
	for j := i + 1; j < len(claims) && j <= i+near && claims[j].Line-line <= near; j++ {
		if claims[j].Action != "" || claims[j].Subject != "" {
			return true
		}
	}
	return false
}

// Warnings stand around denials that fail no build (AWS.md#denial-wrappers,
// AWS.md#codebuild-denials).
var (
	warnBefore = []string{"unabletodownloadcache", "unabletouploadcache"}
	warnAfter  = []string{"proceedinganyway"}
)

// warned reports whether flat[from:to] is printed as a warning, or is the text of a script.
func (p *page) warned(from, to int) bool {
	return holds(p.flat[max(0, from-80):from], warnBefore) || holds(p.flat[to:min(len(p.flat), to+80)], warnAfter) || p.toldAside(from)
}

// toldAside reports whether the row in which flat[from] stands calls what
// follows a warning ("Warning: …", "[Warning at /Stack] …"), or is a line of a
// script that would print it (echo "…").
func (p *page) toldAside(from int) bool {
	at := int(p.at[from])
	before := strings.ToLower(strings.TrimRight(string(p.text[p.rows[p.rowAt(at)].start:at]), " \"'"))
	if strings.HasSuffix(before, "warning:") || strings.HasPrefix(before, "[warning at /") {
		return true
	}
	word, ok := strings.CutSuffix(before, "echo")
	return ok && strings.TrimRight(word, " ;+&|({@-\t") != word || before == "echo"
}

// sentence returns flat[from:to] as one line of text.
func (p *page) sentence(from, to int) string {
	b := p.text[p.at[from]:p.at[min(to, len(p.at)-1)]]
	return clip(strings.Join(strings.Fields(string(b)), " "), maxText)
}
