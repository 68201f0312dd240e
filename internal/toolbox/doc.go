// Package toolbox has only tests. They hold the reader (buildlog, diagnose) to what real tools
// print when AWS denies them something: each file of testdata/tools is one run of one pinned tool,
// with its output and how a person reads it. With the build tag tools, they run the tools anew
// against a server that denies over AWS's wire protocols, and renew the files. See README.md.
package toolbox
