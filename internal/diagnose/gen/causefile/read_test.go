package causefile

import (
	"strings"
	"testing"
)

func TestCausesAreReadStrictly(t *testing.T) {
	const good = `
version: 1
causes:
  - name: a-cause
    title: A title
    advice: An advice.
    remedy: report
    match:
      - {says: [One, two], like: 'one (?P<x>\w+)', not: three, pick: first}
general:
  - {name: another, title: T, advice: A., remedy: report, match: [{any: failure}]}
`
	if _, _, err := read([]byte(good)); err != nil {
		t.Fatalf("the good one: %v", err)
	}
	for _, tt := range []struct{ name, old, new, want string }{
		{"no version", "version: 1", "", "version is 0"},
		{"other version", "version: 1", "version: 2", "version is 2"},
		{"unknown key on top", "version: 1", "version: 1\nother: 1", "other not found"},
		{"unknown key in a cause", "title:", "titel:", "titel not found"},
		{"unknown key in a rule", "says:", "contains:", "contains not found"},
		{"key twice", "remedy: report", "remedy: report\n    remedy: report", "already defined"},
		{"second document", "match:", "match:\n---\n", "second YAML document"},
		{"name twice", "causes:",
			"causes:\n  - {name: a-cause, title: T, advice: A., remedy: report, match: [{says: x}]}", "an earlier cause has this name"},
		{"name not kebab", "a-cause", "A_Cause", "kebab-case"},
		{"no name", "a-cause", `""`, "kebab-case"},
		{"title with full stop", "A title", "A title.", "title"},
		{"no advice", "An advice.", `""`, "advice"},
		{"also without says", "match:", "match:\n      - {exit: ['1'], also: x}", "need says"},
		{"a denial of nobody known", "match:", "match:\n      - {denial: {whose: mine}}", "whose is \"mine\""},
		{"unlogged is no sentence", "An advice.", "An advice.\n    unlogged: no log", "unlogged"},
		{"a denial of no operation", "match:", "match:\n      - {denial: {operation: ''}}", "none empty"},
		{"sure without a line", "{says: [One, two], like: 'one (?P<x>\\w+)', not: three, pick: first}", "{exit: ['1'], sure: true}",
			"sure needs says"},
		{"a consequence that is sure", "pick: first", "consequence: true, sure: true", "consequence needs says"},
		{"shared words that are no consequence", "pick: first", "shared: true", "shared needs consequence"},
		{"sure of a denial", "pick: first", "denial: {}, sure: true", "neither denial"},
		{"unknown remedy", "remedy: report", "remedy: pray", `remedy "pray"`},
		{"no remedy", "remedy: report", "", `remedy ""`},
		{"switch-role is for settings", "remedy: report", "remedy: switch-role", `"switch-role" is not one of`},
		{"retryable beside retry", "remedy: report", "remedy: retry\n    retryable: true", "retryable is for remedy report"},
		{"retryable beside ignore", "remedy: report", "remedy: ignore\n    retryable: true", "retryable is for remedy report"},
		{"last negative", "remedy: report", "remedy: report\n    last: -1", "last"},
		{"no rules", "match:\n      - {says: [One, two], like: 'one (?P<x>\\w+)', not: three, pick: first}", "match: []",
			"no rule"},
		{"empty rule", "{says: [One, two], like: 'one (?P<x>\\w+)', not: three, pick: first}", "{}", "no condition"},
		{"like without says", "says: [One, two], ", "", "need says"},
		{"empty word", "[One, two]", "[One, '']", "none empty"},
		{"no words", "[One, two]", "[]", "empty"},
		{"a map for words", "[One, two]", "{a: b}", "want text"},
		{"bad regexp", `'one (?P<x>\w+)'`, "'one ('", "missing closing )"},
		{"lookahead is not RE2", `'one (?P<x>\w+)'`, "'one(?=two)'", "invalid or unsupported"},
		{"aws beside says", "says: [One, two], like: 'one (?P<x>\\w+)', not: three", "says: One, aws: two", "aws stands in place of says"},
		{"aws that is no regexp", "says: [One, two], like: 'one (?P<x>\\w+)', not: three", "aws: '('", "missing closing )"},
		{"like beside aws", "says: [One, two],", "aws: One,", "need says"},
		{"unknown pick", "pick: first", "pick: middle", "middle"},
		{"unknown any", "pick: first", "any: thing", "any is"},
		{"unknown status", "pick: first", "status: SUCCEEDED", "unknown status"},
		{"unknown phase", "pick: first", "phase: TEST", "unknown phase"},
		{"a record that is asked nothing", "remedy: report", "remedy: report\n    when: {}", "no condition"},
		{"a record of no known environment", "remedy: report", "remedy: report\n    when: {environment: lambda}", "want words of"},
		{"an unknown condition of the record", "remedy: report", "remedy: report\n    when: {nat: true}", "nat not found"},
		{"a condition that is neither", "remedy: report", "remedy: report\n    when: {vpc: perhaps}", "perhaps"},
		{"rule with another remedy", "pick: first", "remedy: grant", "only change"},
		{"unknown layer", "pick: first", "denial: {layer: [policy]}", "unknown layer"},
		{"unknown effect", "pick: first", "denial: {effect: [maybe]}", "unknown effect"},
		{"unknown action", "pick: first", "denial: {action: some}", "known or unknown"},
		{"nothing", good, "", "EOF"},
		{"no causes", good, "version: 1", "no causes"},
		{"no general causes", "general:\n  -", "unused:\n  -", "unused not found"},
		{"nothing is general", "general:\n  - {name: another, title: T, advice: A., remedy: report, match: [{any: failure}]}",
			"general: []", "no general ones"},
		{"a name twice, once of a general one", "name: another", "name: a-cause", "an earlier cause has this name"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if !strings.Contains(good, tt.old) {
				t.Fatalf("the good one has no %q", tt.old)
			}
			_, _, err := read([]byte(strings.Replace(good, tt.old, tt.new, 1)))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
		})
	}
}
