package notice

import (
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/compare"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// TestGuestsSeeNoLog ensures that who is told as a guest is shown nothing that the build printed or
// ran, wherever the notice has it from, alone or in a digest; and that he is shown the rest.
func TestGuestsSeeNoLog(t *testing.T) {
	s, err := settings.Parse([]byte(`version: 1
causes:
  - name: environment-taken
    title: "Give {customer} another environment"
    advice: "Ask whoever holds the environment of {customer} to end it."
    remedy: report
    match: [{says: [is taken], like: 'environment of (?P<customer>[a-z]+) is taken'}]
    samples: ["the environment of acme is taken"]
projects:
  - {name: shop, role: codebuild-shop, owner: web}
`))
	if err != nil {
		t.Fatal(err)
	}
	const seen = "acme"
	denied := buildlog.Denial{Action: "s3:PutObject", Resource: "arn:aws:s3:::dist/x", Text: seen, Reason: seen, Near: seen, Causal: true}
	diagnosis := func(cause, title string) *diagnose.Diagnosis {
		return &diagnose.Diagnosis{Cause: cause, Title: title, Advice: "Ask whoever holds the environment of " + seen + " to end it.",
			Evidence: diagnose.Evidence{Line: 3, Text: seen}, Remedy: diagnose.Report, Details: map[string]string{"customer": seen},
			Excerpt: []buildlog.Line{{N: 3, Text: seen}}, Tests: []codebuild.TestCase{{Name: seen, Message: seen}},
			Also: []buildlog.Also{{Command: seen, Message: seen}}}
	}
	for _, row := range []struct{ cause, title, want string }{
		{"environment-taken", "Give acme another environment", "Give … another environment"},
		{"command-failed", "A command failed with exit status acme", "A command failed with exit status …"},
		{"one-of-before", "It was acme", "one-of-before"},
	} {
		first := decide.Round{Build: build("shop", "codebuild-shop", "BUILD", command("deploy "+seen)), Written: failedAt,
			Diagnosis: diagnosis("missing-permission", "The role lacks s3:PutObject"), Decision: &decide.Decision{}}
		first.Diagnosis.Denials = []buildlog.Denial{denied}
		second := decide.Round{Build: build("shop", "codebuild-shop", "BUILD", command("deploy "+seen)),
			Diagnosis: diagnosis(row.cause, row.title), Decision: &decide.Decision{},
			Since: &compare.Since{Lines: []compare.Line{{N: 3, Text: seen}}}}
		for _, guest := range []bool{true, false} {
			o := decide.Outcome{ID: "c.1", Kind: decide.Reported, At: failedAt, Round: 1, Settings: s,
				For:  decide.Audience{Owner: "data", Guest: guest},
				Case: decide.Case{ID: "c", Project: "shop", Rounds: []decide.Round{first, second}}}
			for what, m := range map[string]Message{"notice": Render(o), "digest": Digest([]decide.Outcome{o, o})} {
				all := strings.Join([]string{m.Subject, m.Email, m.Report, m.Chat, m.JSON, m.Default}, "\n")
				if got := strings.Contains(all, seen); got == guest {
					t.Errorf("%s of %s, guest %v: it shows what the build printed: %v\n%s", what, row.cause, guest, got, all)
				}
				if guest && !strings.Contains(all, row.want) {
					t.Errorf("%s of %s: %q is not in\n%s", what, row.cause, row.want, all)
				}
			}
			if o.Case.Rounds[1].Diagnosis.Title != row.title || o.Case.Rounds[1].Build.Phases[1].Contexts == nil {
				t.Fatal("the case itself was changed")
			}
		}
	}
}
