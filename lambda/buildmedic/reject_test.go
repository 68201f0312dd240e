package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/story"
	"github.com/buildmedic/buildmedic/testdata"
)

// TestApprovedAndRejectedAtTheDesk: a plan of the function's is approved, or rejected, with a
// person's own credentials, and the case says whose they were.
func TestApprovedAndRejectedAtTheDesk(t *testing.T) {
	ss, err := story.Load(testdata.Stories, "stories")
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"approve", "reject"} {
		var f *function
		for _, s := range ss {
			if s.Name == "proposed-and-approved" {
				s.Then = nil
				f = play(t, s)
			}
		}
		if err := f.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		f.leave()
		code, out, errs := f.desk("", "history", "-json")
		var cases []heal.Summary
		if err := json.Unmarshal([]byte(out), &cases); code != exitOK || err != nil || len(cases) != 1 || len(cases[0].Plan) != 64 ||
			cases[0].Until.Format("2006-01-02 15:04") != "2026-11-29 10:12" {
			t.Fatalf("code %d, %v: %s %s", code, err, out, errs)
		}
		if code, out, errs = f.desk("", "show", cases[0].Case); code != exitOK ||
			!strings.Contains(out, "waits for an approval until 2026-11-29 10:12:") {
			t.Errorf("code %d: %s %s", code, out, errs)
		}
		if code, out, errs = f.desk("", verb, cases[0].Plan); code != exitOK {
			t.Errorf("%s: code %d: %s %s", verb, code, out, errs)
		}
		code, out, errs = f.desk("", "show", cases[0].Case)
		if want := " UTC  " + verb + " by arn:aws:"; code != exitOK || !strings.Contains(out, want) ||
			!strings.Contains(out, ", via desk, as the command said\n") {
			t.Errorf("code %d, want %q: %.600s %s", code, want, out, errs)
		}
		if code, out, _ = f.desk("", verb, cases[0].Plan); code != exitFailed || !strings.Contains(out, "by arn:aws:") {
			t.Errorf("%s again: code %d: %s", verb, code, out)
		}
		if verb == "approve" && (!strings.Contains(out, "`buildmedic undo ") || strings.Contains(out, `{"undo"`)) {
			t.Errorf("it offers no command that takes it back: %s", out)
		}
	}
}
