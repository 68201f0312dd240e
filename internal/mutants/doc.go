// Package mutants has only tests. They change the code of the rooms that judge
// and act in small ways, one at a time, and run the rooms' tests on each: a
// change that no test notices is a hole in them. See README.md.
package mutants
