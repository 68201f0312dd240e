package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// expand prints the settings with their patterns of projects written out: the names and roles that
// CodeBuild has now. Whoever puts that in the place of the old file has allowed what it says; the
// function never matches a name.
func expand(ctx context.Context, cfg aws.Config, file string, stdout, stderr io.Writer) int {
	data, err := settingsFile(file)
	if err != nil {
		return fail(stderr, err)
	}
	id, err := whoami(ctx, cfg)
	if err != nil {
		return ended(ctx, stderr, err)
	}
	d := newReader(newPatience(cfg.Region).apply(cfg), id)
	fmt.Fprintf(stderr, "%s: ", sessionOf(cfg))
	existing, err := d.existing(ctx)
	if err != nil {
		fmt.Fprintln(stderr)
		return ended(ctx, stderr, err)
	}
	fmt.Fprintf(stderr, "%s\n", count(len(existing), "project"))
	p, err := settings.Pin(data, d.home, existing)
	if err != nil {
		return fail(stderr, fmt.Errorf("%s cannot be expanded:\n%w", file, err))
	}
	for _, pattern := range p.Patterns {
		fmt.Fprintln(stderr, plainLines(pattern.String()))
	}
	for _, pattern := range p.Skipped {
		fmt.Fprintf(stderr, "%s: of another account or region, so it stays; run this with credentials of that one, too\n", plain(pattern))
	}
	if len(p.Patterns)+len(p.Skipped) == 0 {
		fmt.Fprintln(stderr, "There is no pattern under projects.")
	}
	stdout.Write(p.Text)
	if _, err := settings.Parse(p.Text); err != nil {
		return fail(stderr, fmt.Errorf("what was printed is not valid yet:\n%w", err))
	}
	return exitOK
}

// existing lists the projects of the account and region, with their roles.
func (d *desk) existing(ctx context.Context) (list []settings.Existing, err error) {
	names, err := d.codebuild.Names(ctx, d.home)
	if err != nil {
		return nil, fmt.Errorf("listing the projects: %w", err)
	}
	projects, err := d.codebuild.Read(ctx, d.home, names)
	if err != nil {
		return nil, fmt.Errorf("reading the roles of the projects: %w", err)
	}
	for _, p := range projects {
		e := settings.Existing{Name: p.Name}
		if a, ok := codebuild.ParseARN(p.ServiceRole); ok && a.Service == "iam" && a.Account == d.home.ID {
			e.Role, _ = strings.CutPrefix(a.Resource, "role/")
		}
		list = append(list, e)
	}
	return list, nil
}

// plainLines is plain for a text of several lines.
func plainLines(s string) string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		lines[i] = plain(l)
	}
	return strings.Join(lines, "\n")
}
