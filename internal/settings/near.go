package settings

import (
	"fmt"
	"strings"
)

// suggest ends a message about a name that is not known: with the one that
// may have been meant, if one is near, and with the rest, if there is any.
func suggest(text string, known []string, rest string) string {
	name := Near(text, known)
	switch {
	case name == "" && rest == "":
		return ""
	case name == "":
		return "; " + rest
	case rest == "":
		return fmt.Sprintf("; did you mean %q?", name)
	}
	return fmt.Sprintf("; did you mean %q? %s%s", name, strings.ToUpper(rest[:1]), rest[1:])
}

// longest is how many characters a name may have for which another is looked
// for: whatever is longer was no slip.
const longest = 150

// Near gives the known name that a slip of typing turned into the text: at
// most one slip in three characters, and at most two. Upper and lower case
// are the same. It gives "" if there is none, or more than one that is as near.
func Near(text string, known []string) string {
	most := min(len(text)/3, 2)
	if most == 0 || len(text) > longest {
		return ""
	}
	best, found := most+1, ""
	for _, name := range known {
		switch d := slips(strings.ToLower(text), strings.ToLower(name)); {
		case d < best:
			best, found = d, name
		case d == best && name != found:
			found = ""
		}
	}
	if best > most {
		return ""
	}
	return found
}

// slips counts the characters to be put in, left out, changed, or swapped
// with their neighbour, to make b of a.
func slips(a, b string) int {
	x, y := []rune(a), []rune(b)
	before, last, row := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(x); i++ {
		before, last, row = last, row, before
		row[0] = i
		for j := 1; j <= len(y); j++ {
			change := 1
			if x[i-1] == y[j-1] {
				change = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+change)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(y)]
}
