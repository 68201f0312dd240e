package settings

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const rewriteHead = `# Of the team.
version: 1
notify: {email: [a@example.com]} # who is told
projects:
    - name: web
      role: web-role
      mode: heal
      write: {inline: buildmedic}
      grants: [image]
grants:
`

// TestRewritten ensures that a grant is written as it is to be, and that nothing else of the file
// changes, in whichever way its lists are written.
func TestRewritten(t *testing.T) {
	const repo = "arn:aws:ecr:eu-west-1:111122223333:repository/"
	for name, tt := range map[string]struct {
		was, want string
		set       string
		scope     Scope
		actions   []string
		resources []string
		now       map[string][]string
	}{
		"block lists": {
			was: `
    # Images.
    - id: image
      because: Builds push.   # ask first
      owner: a
      actions:
        - ecr:PutImage      # the push
        # and the pull
        - ecr:BatchGetImage
      resources: # of this account
        # all
        - "arn:aws:ecr:eu-west-1:111122223333:repository/*" # wide
        - arn:aws:ecr:eu-west-1:111122223333:repository/gone
      evidence: log

# The end.
`,
			want: `
    # Images.
    - id: image
      because: Builds push.   # ask first
      owner: a
      actions:
        - ecr:PutImage      # the push
        # and the pull
      resources: # of this account
        # all
        - "arn:aws:ecr:eu-west-1:111122223333:repository/a" # wide
        - "arn:aws:ecr:eu-west-1:111122223333:repository/b"
      evidence: log

# The end.
`,
			actions: []string{"ecr:PutImage"}, resources: []string{repo + "a", repo + "b"},
			now: map[string][]string{repo + "*": {repo + "a", repo + "b"}, repo + "gone": nil}},
		"a set": {
			was: `    - id: image
      because: Builds push.
      owner: a
      set: ecr-push # all of it
      give: set
      resources:
        - 'arn:aws:ecr:eu-west-1:111122223333:repository/*'
`,
			want: `    - id: image
      because: Builds push.
      owner: a
      actions: # all of it
        - ecr:GetAuthorizationToken
        - ecr:PutImage
      give: set
      resources:
        - 'arn:aws:ecr:eu-west-1:111122223333:repository/a'
`,
			actions: []string{"ecr:GetAuthorizationToken", "ecr:PutImage"}, resources: []string{repo + "a"},
			now: map[string][]string{repo + "*": {repo + "a"}}},
		"in braces, at the end of the file": {
			was: `    - {id: image, because: Builds push., owner: a, set: ecr-push, ` +
				`resources: ["arn:aws:ecr:eu-west-1:111122223333:repository/*"]}`,
			want: `    - {id: image, because: Builds push., owner: a, actions: [ecr:PutImage], resources: ` +
				`["arn:aws:ecr:${region}:111122223333:repository/a", arn:aws:ecr:eu-west-1:111122223333:repository/b]}`,
			actions: []string{"ecr:PutImage"}, resources: []string{"arn:aws:ecr:${region}:111122223333:repository/a", repo + "b"},
			now: map[string][]string{repo + "*": {"arn:aws:ecr:${region}:111122223333:repository/a", repo + "b"}}},
		"brackets": {
			was: `    - id: image
      because: Bäckt "Bilder" — 1
      owner: a
      actions: [ecr:PutImage, "ecr:BatchGetImage" ] # both
      resources: [ arn:aws:ecr:eu-west-1:111122223333:repository/*, ]
`,
			want: `    - id: image
      because: Bäckt "Bilder" — 1
      owner: a
      actions: [ecr:PutImage] # both
      resources: [arn:aws:ecr:eu-west-1:111122223333:repository/a]
`,
			actions: []string{"ecr:PutImage"}, resources: []string{repo + "a"}, now: map[string][]string{repo + "*": {repo + "a"}}},
		"a scope": {
			was: `    - id: image # of the web
      because: Builds push.
      owner: a
      actions: [ecr:PutImage]
      resources: ["arn:aws:ecr:eu-west-1:111122223333:repository/*"]
`,
			want: `    - id: image # of the web
      scope: project
      because: Builds push.
      owner: a
      actions: [ecr:PutImage]
      resources: ["arn:aws:ecr:eu-west-1:111122223333:repository/*"]
`,
			scope: ScopeProject, actions: []string{"ecr:PutImage"}, resources: []string{repo + "*"}},
		"a scope in braces, and one in the place of another": {
			was: `    - {id: image, because: b, scope: role, owner: a, actions: [ecr:PutImage],
       resources: [arn:aws:ecr:eu-west-1:111122223333:repository/a]}
`,
			want: `    - {id: image, because: b, scope: project, owner: a, actions: [ecr:PutImage],
       resources: [arn:aws:ecr:eu-west-1:111122223333:repository/a]}
`,
			scope: ScopeProject, actions: []string{"ecr:PutImage"}, resources: []string{repo + "a"}},
		"no resource is left": {
			was: `    - id: image
      because: Builds log in.
      owner: a
      resources:
        - arn:aws:ecr:eu-west-1:111122223333:repository/*
      actions:
        - ecr:GetAuthorizationToken
        - ecr:PutImage
`,
			want: `    - id: image
      because: Builds log in.
      owner: a
      actions:
        - ecr:GetAuthorizationToken
`,
			actions: []string{"ecr:GetAuthorizationToken"}, now: map[string][]string{repo + "*": nil}},
		"one takes the place of two": {
			was: `    - id: image
      because: Builds push.
      owner: a
      actions: [ecr:PutImage]
      resources:
      - arn:aws:ecr:eu-west-1:111122223333:repository/a
      - arn:aws:ecr:eu-west-1:111122223333:repository/a*
`,
			want: `    - id: image
      because: Builds push.
      owner: a
      actions: [ecr:PutImage]
      resources:
      - arn:aws:ecr:eu-west-1:111122223333:repository/a
`,
			actions: []string{"ecr:PutImage"}, resources: []string{repo + "a"}, now: map[string][]string{repo + "a*": {repo + "a"}}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, newline := range []string{"\n", "\r\n"} {
				lines := strings.NewReplacer("\n", newline)
				change := Rewrite{Grant{ID: "image", Set: tt.set, Scope: tt.scope, Actions: tt.actions,
					Resources: tt.resources}, tt.now}
				got, err := Rewritten([]byte(lines.Replace(rewriteHead+tt.was)), change)
				if err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(lines.Replace(rewriteHead+tt.want), string(got)); d != "" {
					t.Errorf("-want +got:\n%s", d)
				}
			}
		})
	}
}

// TestRewrittenByHand ensures that what cannot be changed in its lines is left to a person.
func TestRewrittenByHand(t *testing.T) {
	const all = "arn:aws:ecr:eu-west-1:111122223333:repository/*"
	for name, resources := range map[string]string{
		"a list in brackets over lines": "[\n        " + all + ",\n        arn:aws:ecr:eu-west-1:111122223333:repository/b]",
		"a text over lines":             "\n        - \"arn:aws:ecr:\\\n          eu-west-1:111122223333:repository/*\"",
		"a block of text":               "\n        - >-\n          " + all,
		"an escape":                     "[\"\\x61rn:aws:ecr:eu-west-1:111122223333:repository/*\", # ]\n        ]",
	} {
		file := rewriteHead + "    - id: image\n      because: Builds push.\n      owner: a\n      actions: [ecr:PutImage]\n" +
			"      resources: " + resources + "\n"
		if _, err := Parse([]byte(file)); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		now := strings.TrimSuffix(all, "*") + "a"
		_, err := Rewritten([]byte(file), Rewrite{Grant{ID: "image", Actions: []string{"ecr:PutImage"}, Resources: []string{now}},
			map[string][]string{all: {now}, strings.TrimSuffix(all, "*") + "b": nil}})
		if !errors.Is(err, ErrByHand) {
			t.Errorf("%s: %v", name, err)
		}
	}
	file := []byte(rewriteHead + "    - {id: image, because: b, owner: a, actions: [ecr:PutImage], resources: [\"" + all + "\"]}\n")
	for _, id := range []string{"image", "other"} {
		// What is asked for is not what would come out.
		_, err := Rewritten(file, Rewrite{Grant{ID: id, Actions: []string{"ecr:PutImage"}}, map[string][]string{all: {all + "x"}}})
		if err == nil {
			t.Errorf("%s: no error", id)
		}
	}
	if _, err := Rewritten([]byte("version: 2\n"), Rewrite{}); err == nil {
		t.Error("of a file that is not valid: no error")
	}
}
