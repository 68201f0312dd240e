package settings

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing that is wrong with a settings file, and what to do.
type Problem struct {
	Line    int    `json:"line"` // 1-based; 0 if it belongs to no line
	Path    string `json:"path"` // "projects[0].grants[1]"; "" for the file itself
	Message string `json:"message"`
}

// Error gives "buildmedic.yaml:12: projects[0].grants[1]: ...".
func (p Problem) Error() string {
	var b strings.Builder
	b.WriteString("buildmedic.yaml:")
	if p.Line > 0 {
		fmt.Fprintf(&b, "%d:", p.Line)
	}
	b.WriteByte(' ')
	if p.Path != "" {
		b.WriteString(p.Path + ": ")
	}
	b.WriteString(p.Message)
	return b.String()
}

// Problems are all problems of a file, in the order of its lines.
type Problems []Problem

// Error gives one problem a line.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// sorted orders the problems by line; those of one line stay as they were
// found.
func (ps Problems) sorted() Problems {
	slices.SortStableFunc(ps, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
	return ps
}
