package main

import (
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// program is how this command was called, for lines that the user is to type: hints and usage.
var program = "buildmedic"

// goRun finds what go run has built: the first time in a folder of its own, later in Go's cache of
// builds.
var goRun = lazyregexp.New(`(^|/)go-build[0-9]*/b[0-9]+/exe/[^/]+$|/[0-9a-f]{2}/[0-9a-f]{64}-d/[^/]+$`)

// calledAs says how the command was called, by the first word of its command line, the file that
// runs, and its build's record.
func calledAs(word, file string, info *debug.BuildInfo) string {
	switch {
	case !goRun.MatchString(filepath.ToSlash(file)):
		if word = strings.TrimSuffix(word, ".exe"); word == "" {
			return "buildmedic"
		}
		return shellWord(word)
	case info != nil && info.Main.Version != "" && info.Main.Version != "(devel)" && info.Main.Sum != "":
		return "go run " + info.Path + "@" + info.Main.Version
	}
	return "go run ./lambda/buildmedic"
}

// asCalled replaces the name where a text has a line that the user is to type.
func asCalled(text string) string {
	if program == "buildmedic" {
		return text
	}
	pairs := []string{"buildmedic -h", program + " -h", "buildmedic COMMAND", program + " COMMAND"}
	for _, c := range commands() {
		pairs = append(pairs, "buildmedic "+c.name, program+" "+c.name)
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// shellWord quotes s for a POSIX shell, if that is necessary.
func shellWord(s string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:@+,%="
	if s != "" && strings.Trim(s, plain) == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
