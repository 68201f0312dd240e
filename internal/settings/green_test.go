package settings

import "testing"

// TestSinceGreen ensures that failed builds are compared with the last green one unless the project
// says otherwise.
func TestSinceGreen(t *testing.T) {
	for _, row := range []struct {
		says string
		want bool
	}{{"", true}, {", since_green: true", true}, {", since_green: false", false}} {
		s := mustParse(t, "version: 1\nprojects:\n  - {name: shop, role: codebuild-shop"+row.says+"}\n")
		if got := s.Projects[0].Compare; got != row.want {
			t.Errorf("%q: %t, want %t", row.says, got, row.want)
		}
	}
}
