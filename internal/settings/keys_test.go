package settings

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// everyKey walks the tables. at is a key's place as problems name it, and
// wrap puts text under the key, into a file that has nothing else.
func everyKey(keys []Key, at string, wrap func(string) string, visit func(k Key, at string, wrap func(string) string)) {
	for _, k := range keys {
		at, wrap := strings.TrimPrefix(at+"."+k.Name, "."), func(s string) string { return wrap(k.Name + ": " + s) }
		visit(k, at, wrap)
		if k.Keys == nil {
			continue
		}
		below := func(s string) string { return wrap("{" + s + "}") }
		if k.list {
			at, below = at+"[0]", func(s string) string { return wrap("[{" + s + "}]") }
		}
		everyKey(k.Keys, at, below, visit)
	}
}

func file(s string) string {
	if strings.HasPrefix(s, "version:") {
		return s
	}
	return "version: 1\n" + s
}

// TestKeysAreRead ensures that the reader reads each key that the tables have:
// it objects to a value that no key takes.
func TestKeysAreRead(t *testing.T) {
	everyKey(Keys(), "", file, func(k Key, at string, wrap func(string) string) {
		_, err := Parse([]byte(wrap("[[1]]")))
		var problems Problems
		errors.As(err, &problems)
		if !slices.ContainsFunc(problems, func(p Problem) bool { return strings.HasPrefix(p.Path, at) }) {
			t.Errorf("%s: a list of lists is taken: %v", at, err)
		}
	})
}

// TestKeysAreExplained ensures that each key says what it means, what it takes
// and what holds without it, and that its example is one.
func TestKeysAreExplained(t *testing.T) {
	everyKey(Keys(), "", file, func(k Key, at string, wrap func(string) string) {
		if k.Means == "" || k.Takes == "" || strings.ContainsAny(k.Means+k.Takes+k.Unset, "|\n") {
			t.Errorf("%s: means %q, takes %q, without it %q", at, k.Means, k.Takes, k.Unset)
		}
		if k.Keys != nil {
			return
		}
		_, err := Parse([]byte(wrap(k.Example)))
		var problems Problems
		errors.As(err, &problems)
		// What the key needs beside it is missing, and may be said at the key itself.
		neighbours := []string{"there is no ", "stands for no project yet", "none of the grant's actions", "needs a resource",
			"accounts has no entry", "only a managed policy",
			"only an owner's own topic", "write scope: project"}
		for _, p := range problems {
			of := func(s string) bool { return strings.Contains(p.Message, s) }
			if strings.HasPrefix(p.Path, at) && !slices.ContainsFunc(neighbours, of) {
				t.Errorf("%s: the example %s: %v", at, k.Example, p)
			}
		}
	})
}

// TestKeysAreDocumented ensures that infra/SETTINGS.md has a line for each key. What the line says
// is the generator's business, which has a test of its own.
func TestKeysAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../../infra/SETTINGS.md")
	if err != nil {
		t.Fatal(err)
	}
	everyKey(Keys(), "", file, func(k Key, at string, _ func(string) string) {
		if strings.HasPrefix(at, "defaults.") && strings.Count(at, ".") > 1 {
			return // as at projects, where it has one
		}
		title := "### The file\n"
		if i := strings.LastIndexByte(at, '.'); i >= 0 {
			title = "### `" + strings.ReplaceAll(at[:i], "[0]", "") + "`\n"
		}
		_, section, _ := strings.Cut(string(text), title)
		section, _, _ = strings.Cut(section, "\n#")
		if !strings.Contains(section, "\n| `"+k.Name+"` | ") {
			t.Errorf("infra/SETTINGS.md has no line for %s; run make generate", at)
		}
	})
}

// TestTypedChoices ensures that the words of the tables are the typed ones.
func TestTypedChoices(t *testing.T) {
	for name, want := range map[string][]string{
		"mode":          {string(Observe), string(Propose), string(Heal)},
		"give":          {string(GiveExact), string(GiveSet)},
		"pull_requests": {string(SeparateRole), string(Accept)},
		"tell": {string(TellStatus), string(TellComment), string(TellNobody), // of the file
			string(TellStatus), string(TellComment), string(TellNobody)}, // of a project
		"evidence": {string(EvidenceLog), string(EvidencePhase), string(EvidenceDecoded), string(EvidenceCloudTrail),
			string(EvidenceAuthorization)},
	} {
		var got []string
		everyKey(Keys(), "", file, func(k Key, at string, _ func(string) string) {
			for _, c := range k.Choices {
				if k.Name == name && !strings.HasPrefix(at, "defaults.") {
					got = append(got, c.Word)
				}
			}
		})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
	}
}

// TestZeroMeansNone ensures that a 0 is no other word for the default: every
// number and time span is 0 then, or the file is refused.
func TestZeroMeansNone(t *testing.T) {
	got := mustParse(t, `
version: 1
notify: {digest: 0}
limits: {rounds: 0, writes_per_role_per_day: 0, writes_per_hour: 0, retries_per_hour: 0, incident_projects: 0,
  settle: 0, cloudtrail_wait: 0s, new_resources_per_case: 0, quota_share_per_project: 0}
`)
	if diff := cmp.Diff(Limits{UndoneToStop: 3, Approve: 7 * 24 * time.Hour}, got.Limits); diff != "" || got.Notify.Digest != 0 {
		t.Errorf("digest %d, limits -want +got:\n%s", got.Notify.Digest, diff)
	}
	everyKey(Keys(), "", file, func(k Key, at string, wrap func(string) string) {
		if k.to == 0 || k.from == 0 {
			return
		}
		if k.noZero == "" {
			t.Errorf("%s takes no 0, and does not say what to write instead", at)
		}
		_, err := Parse([]byte(wrap("0")))
		want := fmt.Sprintf("%s: 0 is not ", at)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), k.noZero) {
			t.Errorf("%s: 0: %v", at, err)
		}
	})
}
