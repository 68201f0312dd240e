package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/story"
	"github.com/buildmedic/buildmedic/testdata"
)

// TestCheckSaysWhoIsTold ensures that check says of forty projects in a few lines who hears of which,
// and nothing where no owner is named.
func TestCheckSaysWhoIsTold(t *testing.T) {
	ss, err := story.Load(testdata.Routes, "routes")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "buildmedic.yaml")
	for _, s := range ss {
		if err := os.WriteFile(file, s.Settings, 0o644); err != nil {
			t.Fatal(err)
		}
		code, out, errs := buildmedic(t, "", "check", "-settings", file)
		_, got, there := strings.Cut(out, "\nWho is told:\n")
		if s.Name != "forty-projects" {
			if named := strings.Contains(string(s.Settings), "owners:"); there != named {
				t.Errorf("%s: it says who is told: %s", s.Name, got)
			}
			continue
		}
		want := `  web (web@example.com, oncall@example.com): 13 projects: shop, shop-admin, cart, checkout, search and 8 more
  data (data@example.com): 13 projects: lake, ingest, etl-orders, etl-users, reports and 8 more
    and what grants give to others: lake-orders of shop
  pay (arn:aws:sns:eu-west-1:444455556666:pay-ci): 11 projects: payments, ledger, refunds, invoices, tax and 6 more
  notify (platform@example.com): 3 projects: sandbox, tools, docs-site
`
		if code != exitOK || !strings.HasPrefix(got, want) {
			t.Errorf("code %d, it says\n%swant\n%s%s", code, got, want, errs)
		}
	}
}
