// Package lazyregexp has regular expressions that are compiled when they are first used. The Lambda
// function often starts cold, and most invocations need few of its expressions.
package lazyregexp

import (
	"regexp"
	"sync"
)

// A Regexp is an expression that is compiled when it is first used. It is safe
// for concurrent use.
type Regexp struct {
	expr string
	once sync.Once
	re   *regexp.Regexp

	needed sync.Once
	needs  []string
}

// New returns the expression without compiling it. An expression that does not compile panics only
// when it is used; a test of this package compiles all of the module's.
func New(expr string) *Regexp { return &Regexp{expr: expr} }

// Get compiles the expression at its first call.
func (r *Regexp) Get() *regexp.Regexp {
	r.once.Do(func() { r.re = regexp.MustCompile(r.expr) })
	return r.re
}

// MatchString is [regexp.Regexp.MatchString].
func (r *Regexp) MatchString(s string) bool { return r.Get().MatchString(s) }

// FindString is [regexp.Regexp.FindString].
func (r *Regexp) FindString(s string) string { return r.Get().FindString(s) }

// FindAllString is [regexp.Regexp.FindAllString].
func (r *Regexp) FindAllString(s string, n int) []string { return r.Get().FindAllString(s, n) }

// FindStringSubmatch is [regexp.Regexp.FindStringSubmatch].
func (r *Regexp) FindStringSubmatch(s string) []string { return r.Get().FindStringSubmatch(s) }

// ReplaceAllString is [regexp.Regexp.ReplaceAllString].
func (r *Regexp) ReplaceAllString(s, repl string) string { return r.Get().ReplaceAllString(s, repl) }

// ReplaceAllStringFunc is [regexp.Regexp.ReplaceAllStringFunc].
func (r *Regexp) ReplaceAllStringFunc(s string, repl func(string) string) string {
	return r.Get().ReplaceAllStringFunc(s, repl)
}
