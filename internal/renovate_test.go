package internal

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
)

// unmanaged are pins that Renovate cannot raise: a version made of a commit's
// time and hash, because the module has no release that Go takes.
var unmanaged = regexp.MustCompile(`@v0\.0\.0-\d{14}-[0-9a-f]{12}$`)

// TestRenovateKnowsEachPin ensures that every tool which the Makefile or an
// installer pins is kept up to date as the modules are.
func TestRenovateKnowsEachPin(t *testing.T) {
	data, err := os.ReadFile("../.github/renovate.json")
	if err != nil {
		t.Fatal(err)
	}
	var renovate struct {
		CustomManagers []struct {
			ManagerFilePatterns []string
			MatchStrings        []string
		}
	}
	if err := json.Unmarshal(data, &renovate); err != nil {
		t.Fatal(err)
	}
	pin := regexp.MustCompile(`\S*(?:@v?|==|\bv\d=)\d[\w.-]*`)
	for _, name := range []string{"Makefile", "internal/commandline/install.sh"} {
		text, err := os.ReadFile("../" + name)
		if err != nil {
			t.Fatal(err)
		}
		known := map[string]bool{}
		for _, m := range renovate.CustomManagers {
			for _, f := range m.ManagerFilePatterns {
				if !regexp.MustCompile(strings.Trim(f, "/")).MatchString(name) {
					continue
				}
				for _, s := range m.MatchStrings {
					for _, found := range regexp.MustCompile(s).FindAllString(string(text), -1) {
						known[pin.FindString(found)] = true
					}
				}
			}
		}
		pins := 0
		for _, p := range pin.FindAllString(string(text), -1) {
			if unmanaged.MatchString(p) {
				continue
			}
			pins++
			if !known[p] {
				t.Errorf("%s pins %s, which .github/renovate.json does not match", name, p)
			}
		}
		if pins == 0 {
			t.Errorf("%s pins nothing", name)
		}
	}
}
