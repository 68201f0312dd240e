package main

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/buildmedic/buildmedic/internal/notice"
	"github.com/buildmedic/buildmedic/internal/settings"
)

func runSchema(_ context.Context, args []string, _ io.Reader, stdout, stderr io.Writer) int {
	fs := flags("schema", "[notices | settings]",
		"Prints the JSON Schema of the notices for programs, or of the settings. An editor with the YAML language\n"+
			"server uses that of the settings by the first line of infra/buildmedic.yaml:\n\n  "+modeline,
		"buildmedic schema settings > "+settings.SchemaFile, stderr)
	if done, code := parse(fs, args, stdout); done {
		return code
	}
	switch args := fs.Args(); {
	case len(args) == 0, slices.Equal(args, []string{"notices"}):
		fmt.Fprintln(stdout, notice.JSONSchema())
	case slices.Equal(args, []string{"settings"}):
		fmt.Fprint(stdout, settings.JSONSchema())
	case len(args) > 1:
		return wrong(fs, "name one schema: notices or settings")
	default:
		return wrong(fs, "there is no schema %q; there are notices and settings", args[0])
	}
	return exitOK
}
