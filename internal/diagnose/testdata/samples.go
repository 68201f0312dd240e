// Package testdata carries the samples: failures by the cause that each shows.
// The desk's pages about causes quote them.
package testdata

import "embed"

// Samples holds the samples as txtar archives, each file named CAUSE/WHAT. Lines
// that begin with % are facts of the build, others are the log's.
//
//go:embed samples/*.txtar
var Samples embed.FS
