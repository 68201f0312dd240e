package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/heal"
)

// printIncidents lists the incidents that are open.
func printIncidents(ctx context.Context, w io.Writer, h *heal.Healer) error {
	all, err := h.Incidents(ctx)
	for _, n := range all {
		what := n.Cause
		if n.What != "" {
			what += " of " + n.What
		}
		more, then := "", "its members are only told of"
		if n.MoreProjects {
			more = " and more"
		}
		if n.Remedy == diagnose.Retry {
			then = "its members wait for its end"
		}
		fmt.Fprintf(w, "incident %s since %s: %s in %s%s (%d builds); %s\n", plain(n.Incident), n.Since.UTC().Format("2006-01-02 15:04"),
			plain(what), plain(strings.Join(n.Projects, ", ")), more, n.Builds, then)
	}
	return err
}
