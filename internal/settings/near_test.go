package settings

import (
	"strings"
	"testing"
)

// A slip of typing finds the name that was meant; anything else finds none.
func TestNear(t *testing.T) {
	keys := []string{"name", "account", "region", "role", "mode", "write", "grants", "buildspecs", "switch_role",
		"retry", "boundary", "logs", "pipelines"}
	sets := []string{"ecr-pull", "ecr-push", "ecs-deploy", "s3-deploy", "s3-read"}
	for _, row := range []struct {
		text  string
		known []string
		want  string
	}{
		{"grant", keys, "grants"},
		{"grnats", keys, "grants"},
		{"Grants", keys, "grants"},
		{"GRANT", keys, "grants"},
		{"pipline", keys, "pipelines"},
		{"buildspec", keys, "buildspecs"},
		{"switch-role", keys, "switch_role"},
		{"swtich_rloe", keys, "switch_role"},
		{"rol", keys, "role"},
		{"roel", keys, "role"},
		{"modes", keys, "mode"},
		{"ecr-psh", sets, "ecr-push"},
		{"ecr_push", sets, "ecr-push"},
		{"s3-reed", sets, "s3-read"},
		{"heel", []string{"observe", "propose", "heal"}, "heal"},
		{"heal", []string{"heal", "heal"}, "heal"},
		{"wéb-image", []string{"web-image"}, "web-image"},

		{"swtich_rlo", keys, ""}, // three slips
		{"ml", keys, ""},         // nothing is near so short a name
		{"", keys, ""},           //
		{"", []string{""}, ""},   //
		{"abc", nil, ""},         //
		{"grants", nil, ""},      //
		{"policy", keys, ""},     //
		{"ecr-pusl", sets, ""},   // as near to ecr-push as to ecr-pull
		{"web-3", []string{"web-1", "web-2"}, ""},
		{"web-10", []string{"web-1", "web-100"}, ""},
		{strings.Repeat("g", 151), []string{strings.Repeat("g", 150)}, ""},
		{strings.Repeat("g", 149), []string{strings.Repeat("g", 150)}, strings.Repeat("g", 150)},
		{"\xff\xfe\xfd", []string{"abc"}, ""},
	} {
		if got := Near(row.text, row.known); got != row.want {
			t.Errorf("%q: %q, want %q", row.text, got, row.want)
		}
	}
}

func TestSlips(t *testing.T) {
	for _, row := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"abc", "abc", 0}, {"abc", "ab", 1}, {"abc", "abcd", 1},
		{"abc", "abd", 1}, {"abc", "acb", 1}, {"abc", "bac", 1},
		{"abc", "cab", 2}, {"abcdef", "badcfe", 3}, {"kitten", "sitting", 3}, {"é", "e", 1}, {"éa", "aé", 1},
	} {
		if got := slips(row.a, row.b); got != row.want {
			t.Errorf("%q, %q: %d, want %d", row.a, row.b, got, row.want)
		}
		if got := slips(row.b, row.a); got != row.want {
			t.Errorf("%q, %q: %d, want %d", row.b, row.a, got, row.want)
		}
	}
}
