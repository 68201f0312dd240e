package buildlog

import "unicode/utf8"

const maxText = 2000 // bytes of Denial.Text

// Denials gives all distinct denials of a text, in order. Where the text has
// CodeBuild's markers they are not used: see [ReadText].
func Denials(text string) []Denial {
	return distinct(newPage([]byte(text), 1).claims())
}

// distinct drops repetitions: of two equal claims the first is kept.
func distinct(claims []claim) []Denial {
	var list []Denial
	seen := map[Denial]bool{}
	for i, c := range claims {
		if c.Action == "" && c.Operation == "" && c.Resource == "" && explained(claims, i) {
			continue
		}
		k := c.key()
		if !seen[k] {
			seen[k] = true
			list = append(list, c.Denial)
		}
	}
	return list
}

// key is what makes two claims the same.
func (d Denial) key() Denial {
	k := Denial{Principal: d.Principal, Action: d.Action, Operation: d.Operation, Resource: d.Resource,
		Effect: d.Effect, Layer: d.Layer, PolicyARN: d.PolicyARN}
	if d.Action != "" {
		k.Operation = ""
	}
	return k
}

// near is how far apart, in lines, a bare "Access Denied" and the denial that
// it is about may be.
const near = 10

// explained reports whether a claim that says nothing has one beside it that
// does: tools print the same refusal in a long and in a short form.
func explained(claims []claim, i int) bool {
	for j := i - 1; j >= 0 && claims[i].Line-claims[j].Line <= near; j-- {
		if claims[j].Action != "" {
			return true
		}
	}
	for j := i + 1; j < len(claims) && claims[j].Line-claims[i].Line <= near; j++ {
		if claims[j].Action != "" {
			return true
		}
	}
	return false
}

// clip cuts s to at most n bytes, between runes.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
