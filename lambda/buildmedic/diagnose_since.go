package main

import (
	"bytes"
	"fmt"
	"io"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/compare"
	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/heal"
)

// diagnosedSince is what -json prints.
type diagnosedSince struct {
	diagnose.Diagnosis
	Since *compare.Since `json:"since,omitempty"`
}

// diagnosed reads a log and diagnoses it, without secrets, since what is printed gets pasted into
// tickets. since is what is new since the green log in the file, nil without one.
func diagnosed(in io.Reader, green string, own []diagnose.Cause) (
	f buildlog.Failure, d diagnose.Diagnosis, since *compare.Since, err error,
) {
	if green == "" {
		if f, err = readFailure(in); err != nil {
			return f, d, nil, err
		}
		return f, heal.WithoutSecrets(diagnose.Diagnose(f, own...)), nil, nil
	}
	known, err := readInput("log of the green build", green)
	if err != nil {
		return f, d, nil, err
	}
	text, err := io.ReadAll(in)
	if err != nil {
		return f, d, nil, fmt.Errorf("reading build log: %w", err)
	}
	if f, err = readFailure(bytes.NewReader(text)); err != nil {
		return f, d, nil, err
	}
	since, d = heal.SinceLog(buildlog.Plain(string(text)), buildlog.Plain(string(known)), f, diagnose.Diagnose(f, own...))
	return f, d, since, nil
}

// showNew is how many new lines a person is shown.
const showNew = 12

// since prints what is new since the green log.
func (t *teller) since(s *compare.Since) {
	if s == nil {
		return
	}
	switch {
	case s.Read == compare.ReadNothing:
		t.section("New since the green log")
		t.wrap("  ", "  ", "Nothing could be compared: one of the logs is empty, or too long.")
	case len(s.Lines) == 0:
		t.section("New since the green log")
		t.wrap("  ", "  ",
			"Nothing: the green build printed each of these lines as well, apart from numbers, times, ids and paths.")
	case s.Read == compare.ReadLog:
		t.section("New: nowhere in the green log")
	default:
		t.section("New since the green log, in what the command printed")
	}
	for _, l := range s.Lines[:min(len(s.Lines), showNew)] {
		text := clipped(plain(l.Text), t.width-10)
		if l.Times > 1 {
			text += t.style(dim, fmt.Sprintf("  (%d times)", l.Times))
		}
		t.line(t.style(dim, fmt.Sprintf("  %6d  ", l.N)) + text)
	}
	if more := len(s.Lines) - showNew + s.More; len(s.Lines) >= showNew && more > 0 {
		t.line(fmt.Sprintf("  and %d more; -json lists at most %d", more, compare.MaxLines))
	}
	if s.Evidence == compare.IsKnown {
		t.wrap("  ", "  ", "The evidence above is not new: the green build printed that line as well.")
	}
	if len(s.Changes) > 0 {
		t.section("Different since the green log")
	}
	for _, c := range s.Changes {
		t.wrap("  ", "    ", fmt.Sprintf("%s: %s, was %s", c.What, c.Is, c.Was))
	}
}
