// Package testdata carries the golden stories: a whole failure each, from the
// world in which it happens to the notices that tell of it.
package testdata

import "embed"

// Stories holds the stories as txtar archives, in the order in which the
// demo plays them.
//
//go:embed stories/*.txtar
var Stories embed.FS

// Routes holds further stories, for the tests alone: each way by which a
// build is started again, and what can stand in it.
//
//go:embed routes/*.txtar
var Routes embed.FS

// Sandbox is the world of the sandbox, in the form of a story.
//
//go:embed sandbox.txtar
var Sandbox []byte
