package settings

import (
	"slices"
	"testing"
)

// TestTestReports ensures that no report is read unless the settings say so, and that naming a
// shared group says so.
func TestTestReports(t *testing.T) {
	for _, row := range []struct {
		keys   string
		read   bool
		groups []string
	}{
		{"", false, nil},
		{"test_reports: false", false, nil},
		{"test_reports: true", true, nil},
		{"test_reports: true\n    report_groups: [shared-tests, e2e_2]", true, []string{"shared-tests", "e2e_2"}},
		{"report_groups: [shared-tests]", true, []string{"shared-tests"}},
		{"report_groups: []", false, nil},
	} {
		p := mustParse(t, "version: 1\nprojects:\n  - name: web\n    role: r\n    "+row.keys+"\n").Projects[0]
		if p.TestReports != row.read || !slices.Equal(p.ReportGroups, row.groups) {
			t.Errorf("%s: %t, %q", row.keys, p.TestReports, p.ReportGroups)
		}
	}
}
