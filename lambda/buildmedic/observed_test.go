package main

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/ledger"
	"github.com/buildmedic/buildmedic/internal/settings"
	"github.com/buildmedic/buildmedic/internal/simaws"
	"github.com/buildmedic/buildmedic/internal/story"
)

const observedStory = `Two projects are healed by grants that are wider than what they use.
-- world.yaml --
region: eu-west-1
start: 2026-11-01T10:00:00Z
buckets: [{name: example-site}]
repositories: [{name: shop}, {name: shop-base}]
roles:
  - name: site-build
    inline:
      base: &logs |
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": "*",
         "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]}]}
  - {name: shop-build, inline: {base: *logs}}
  - {name: analyzer-access}
projects:
  - name: site
    role: site-build
    source: {type: GITHUB, location: "https://github.com/example/site.git"}
    buildspecs:
      buildspec.yml:
        build:
          - aws s3 cp dist/index.html s3://example-site/index.html
          - aws s3 cp dist/feed.xml s3://example-site/feed.xml
  - name: shop
    role: shop-build
    source: {type: GITHUB, location: "https://github.com/example/shop.git"}
    buildspecs:
      buildspec.yml:
        pre_build:
          - >-
            aws ecr get-login-password --region eu-west-1 |
            docker login --username AWS --password-stdin 111122223333.dkr.ecr.eu-west-1.amazonaws.com
        build:
          - docker push 111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop:latest
  - name: lint
    role: shop-build
    source: {type: GITHUB, location: "https://github.com/example/lint.git"}
    buildspecs: {buildspec.yml: {build: [make lint]}}
starts:
  - {project: site, version: refs/heads/main}
  - {project: shop, version: refs/heads/main}
-- buildmedic.yaml --
# What our builds may have.
version: 1
projects:
  - {name: site, role: site-build, mode: heal, write: {inline: buildmedic}, grants: [site-upload]}
  - {name: shop, role: shop-build, mode: heal, write: {inline: buildmedic}, grants: [shop-image]}
grants:
  - id: site-upload
    because: The site's build publishes it.  # since 2024
    owner: web
    actions:
      - s3:PutObject
      - s3:GetObject # is this needed?
    resources:
      # the whole site
      - "arn:${partition}:s3:::example-site/*"

  # Images.
  - id: shop-image
    because: The shop's image is pushed by its own pipeline.
    owner: platform
    set: ecr-push # login, and push
    give: set
    resources:
      - arn:${partition}:ecr:${region}:${account}:repository/shop
      - arn:${partition}:ecr:${region}:${account}:repository/shop-base # what it is built of
-- expect.yaml --
outcome: healed
`

// observedAccount plays the story into a ledger, and one more green build of each project. It leaves
// the settings in the working directory.
func observedAccount(t *testing.T, config ...func(*simaws.Config)) (*simaws.Sim, string) {
	t.Helper()
	s, err := story.Parse("1-observed.txtar", []byte(observedStory))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "ledger.json")
	var file *ledger.File
	o := story.Options{Store: func(c heal.Clock) heal.Store {
		if file, err = ledger.OpenFile(path, c); err != nil {
			t.Fatal(err)
		}
		return file
	}}
	if len(config) > 0 {
		o.Config = config[0]
	}
	st, err := story.Open(s, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(st.Close)
	if err := st.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	st.Sim.Clock.Advance(24 * time.Hour)
	for _, name := range []string{"site", "shop", "lint"} {
		if _, err := st.Sim.Run(simaws.Start{Project: name, Version: "refs/heads/main"}); err != nil {
			t.Fatal(err)
		}
	}
	st.Sim.Settle()
	st.Sim.Clock.Advance(time.Hour)
	behind(t, st.Sim)
	t.Chdir(t.TempDir())
	if err := os.Mkdir("infra", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(defaultSettings, s.Settings, 0o600); err != nil {
		t.Fatal(err)
	}
	return st.Sim, path
}

// TestObserved holds what check -observed tells and proposes to golden files: from cases alone, with
// CloudTrail, and with a policy that Access Analyzer generated.
func TestObserved(t *testing.T) {
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	_, path := observedAccount(t)
	for name, args := range map[string][]string{
		"few":   nil,
		"cases": {"-builds", "1"},
		"trail": {"-builds", "1", "-trail"},
		"analyzer": {"-builds", "1", "-grant", "site-upload", "-analyzer", "new", "-cloudtrail", exampleTrail, "-access-role",
			exampleAccess},
	} {
		t.Run(name, func(t *testing.T) {
			args := append([]string{"check", "-observed"}, args...)
			code, out, errs := buildmedic(t, "", append(args, "-ledger", path)...)
			if code != exitOK {
				t.Fatalf("code %d: %s", code, errs)
			}
			got := "$ buildmedic " + strings.Join(args, " ") + "\n" + anyUUID.ReplaceAllString(errs, "UUID") + out
			golden := filepath.Join(dir, "testdata", "observed", name+".txt")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), got); d != "" {
				t.Errorf("-want +got; if that is right, run it with -update:\n%s", d)
			}
			var found observedFound
			code, asJSON, errs := buildmedic(t, "", append(args, "-ledger", path, "-json")...)
			if err := json.Unmarshal([]byte(asJSON), &found); code != exitOK || err != nil || found.Diff != out {
				t.Errorf("-json: code %d %v\n%s%s", code, err, asJSON, errs)
			}
		})
	}
}

var anyUUID = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}`)

const (
	exampleTrail  = "arn:aws:cloudtrail:eu-west-1:111122223333:trail/all"
	exampleAccess = "arn:aws:iam::111122223333:role/analyzer-access"
)

// TestObservedApplies ensures that git and patch take the patch, in the folder of a clone or below it,
// that it makes valid settings with the narrower grants, and that the command itself changes nothing.
func TestObservedApplies(t *testing.T) {
	_, path := observedAccount(t)
	before, err := os.ReadFile(defaultSettings)
	if err != nil {
		t.Fatal(err)
	}
	absolute, err := filepath.Abs(defaultSettings)
	if err != nil {
		t.Fatal(err)
	}
	spaced := filepath.Join(filepath.Dir(absolute), "our settings.yaml")
	_, out, _ := buildmedic(t, "", "check", "-observed", "-builds", "1", "-ledger", path)
	for name, tool := range map[string][]string{
		"git apply": {"git", "-c", "core.autocrlf=false", "apply", "--whitespace=error-all"}, "patch -p1": {"patch", "-p1"},
	} {
		for _, at := range []struct{ file, from, absolute string }{
			{defaultSettings, ".", absolute}, {absolute, ".", absolute}, {"buildmedic.yaml", "infra", absolute},
			{"our settings.yaml", "infra", spaced}, {spaced, ".", spaced}, // patch takes the name up to a tab
		} {
			file, absolute := at.file, at.absolute
			for _, newline := range []string{"\n", "\r\n"} {
				text := strings.ReplaceAll(string(before), "\n", newline)
				if err := os.WriteFile(absolute, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				func() {
					back, err := os.Getwd()
					if err != nil {
						t.Fatal(err)
					}
					if err := os.Chdir(at.from); err != nil {
						t.Fatal(err)
					}
					defer os.Chdir(back)
					if newline == "\r\n" && tool[0] == "git" {
						tool = append(tool[:len(tool):len(tool)], "--whitespace=nowarn")
					}
					code, diff, errs := buildmedic(t, "", "check", "-observed", "-builds", "1", "-ledger", path, "-settings", file)
					if after, _ := os.ReadFile(absolute); code != exitOK || string(after) != text {
						t.Fatalf("code %d, or the file was changed: %s", code, errs)
					}
					cmd := exec.Command(tool[0], tool[1:]...)
					if cmd.Stdin = strings.NewReader(diff); tool[0] == "patch" {
						cmd.Args = append(cmd.Args, "--binary")
					}
					if said, err := cmd.CombinedOutput(); err != nil {
						t.Fatalf("%s of %s: %v\n%s\n%s", name, file, err, said, diff)
					}
				}()
				after, err := os.ReadFile(absolute)
				if err != nil {
					t.Fatal(err)
				}
				s, err := settings.Parse(after)
				if err != nil {
					t.Fatal(err)
				}
				g, _ := s.Grant("site-upload")
				want := settings.Grant{Actions: []string{"s3:PutObject"}, Resources: []string{"arn:${partition}:s3:::example-site/feed.xml",
					"arn:${partition}:s3:::example-site/index.html"}}
				if !cmp.Equal(g.Actions, want.Actions) || !cmp.Equal(g.Resources, want.Resources) {
					t.Errorf("%s of %s: %+v", name, file, g)
				}
			}
		}
	}
	if !strings.HasPrefix(out, "--- a/infra/buildmedic.yaml\n+++ b/infra/buildmedic.yaml\n") {
		t.Errorf("the patch begins %.80q", out)
	}
}

// TestObservedUsage ensures that what cannot be meant is said.
func TestObservedUsage(t *testing.T) {
	for _, tt := range []struct {
		args string
		want string
	}{
		{"-trail", "-trail goes with -observed"},
		{"-ledger x", "-ledger goes with -observed"},
		{"-observed -live", "goes with neither -live nor -v"},
		{"-observed -builds 0", "-builds is 1 to 1000"},
		{"-observed -table a -ledger b", "exclude each other"},
		{"-observed -analyzer new", "needs -cloudtrail and -access-role"},
		{"-observed -access-role x", "go with -analyzer new"},
	} {
		code, _, errs := buildmedic(t, "", append([]string{"check"}, strings.Fields(tt.args)...)...)
		if code != exitUsage || !strings.Contains(errs, tt.want) {
			t.Errorf("%s: code %d %s", tt.args, code, errs)
		}
	}
	file := settingsOf(t, "version: 1\nprojects: [{name: aa, role: r}]\ngrants: [{id: image, because: b, owner: o, "+
		"actions: [ecr:PutImage], resources: [\"arn:aws:ecr:eu-west-1:111122223333:repository/a\"]}]\n")
	none := filepath.Join(t.TempDir(), "ledger.json")
	if code, out, errs := buildmedic(t, "", "check", "-observed", "-ledger", none, file); code != exitOK || out != "" ||
		!strings.Contains(errs, "No grant has a set or a pattern, or is shared") {
		t.Errorf("of an exact grant: code %d %s%s", code, out, errs)
	}
	if code, _, errs := buildmedic(t, "", "check", "-observed", "-grant", "imge", file); code != exitFailed ||
		!strings.Contains(errs, "did you mean image?") {
		t.Errorf("code %d %s", code, errs)
	}
	bad := settingsOf(t, "version: 2\n")
	if code, _, errs := buildmedic(t, "", "check", "-observed", bad); code != exitFailed || !strings.Contains(errs, "is not valid") {
		t.Errorf("code %d %s", code, errs)
	}
}

// TestObservedTrouble ensures that what AWS refuses is said and proves nothing, that a throttled call
// is made again, and that an interruption ends it.
func TestObservedTrouble(t *testing.T) {
	sim, path := observedAccount(t)
	args := []string{"check", "-observed", "-builds", "1", "-trail", "-ledger", path}
	var fault simaws.Fault
	faults := 0
	sim.Hook(func(c simaws.Call) simaws.Fault {
		if c.Operation == "LookupEvents" && faults > 0 {
			faults--
			return fault
		}
		return simaws.Fault{}
	})
	fault, faults = simaws.Fault{Code: "AccessDeniedException", Status: 400, Message: "User: arn:aws:iam::111122223333:user/u is not " +
		"authorized to perform: cloudtrail:LookupEvents because no identity-based policy allows the cloudtrail:LookupEvents action"}, 99
	code, out, errs := buildmedic(t, "", args...)
	if code != exitOK || strings.Contains(out, "ecr-push") || !strings.Contains(out, "example-site/feed.xml") ||
		!strings.Contains(strings.Join(strings.Fields(errs), " "), "shop (your credentials lack cloudtrail:LookupEvents)") {
		t.Errorf("denied: code %d\n%s%s", code, errs, out)
	}
	fault, faults = simaws.Fault{Code: "ThrottlingException", Status: 400, Message: "Rate exceeded"}, 1
	code, out, errs = buildmedic(t, "", args...)
	if code != exitOK || faults != 0 || !strings.Contains(out, "-    set: ecr-push") {
		t.Errorf("throttled: code %d\n%s%s", code, errs, out)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	fault = simaws.Fault{}
	sim.Hook(func(c simaws.Call) simaws.Fault {
		if c.Operation == "LookupEvents" {
			cancel()
		}
		return simaws.Fault{}
	})
	var text strings.Builder
	if code := run(ctx, args, strings.NewReader(""), &text, &text); code != exitInterrupted ||
		!strings.Contains(text.String(), "interrupted") {
		t.Errorf("interrupted: code %d\n%s", code, text.String())
	}
	sim.Unhook()
	code, _, errs = buildmedic(t, "", "check", "-observed", "-ledger", path, "-analyzer", "gone")
	if code != exitFailed || !strings.Contains(errs, "reading what Access Analyzer generated as job \"gone\"") {
		t.Errorf("no such job: code %d %s", code, errs)
	}
	code, _, errs = buildmedic(t, "", "check", "-observed", "-ledger", path, "-analyzer", "new", "-cloudtrail", exampleTrail,
		"-access-role", exampleAccess)
	if code != exitFailed || !strings.Contains(errs, "name grants of one with -grant") {
		t.Errorf("two roles: code %d %s", code, errs)
	}
}

// TestObservedScope ensures that of a grant on a role that another project runs as, that one's builds
// are looked up, too, before the grant is said to be its own project's.
func TestObservedScope(t *testing.T) {
	_, path := observedAccount(t)
	data, err := os.ReadFile(defaultSettings)
	if err != nil {
		t.Fatal(err)
	}
	text, _, _ := strings.Cut(string(data), "  - id: site-upload")
	text = strings.Replace(text, "grants:\n", "  - {name: lint, role: shop-build}\ngrants:\n"+
		"  - id: shop-image\n    because: b\n    owner: o\n    actions: [ecr:PutImage]\n"+
		"    resources: [\"arn:${partition}:ecr:${region}:${account}:repository/shop\"]\n", 1)
	text = strings.Replace(text, ", grants: [site-upload]", "", 1)
	if err := os.WriteFile(defaultSettings, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]string{
		"":       "what project lint uses is not known well enough; -trail looks it up",
		"-trail": "project lint runs as the same role, and used nothing of it",
	} {
		all := append([]string{"check", "-observed", "-builds", "1", "-ledger", path}, strings.Fields(args)...)
		code, out, errs := buildmedic(t, "", all...)
		if said := strings.Join(strings.Fields(errs), " "); code != exitOK || !strings.Contains(said, want) ||
			strings.Contains(out, "+    scope: project\n") != (args != "") {
			t.Errorf("%q: code %d\n%s%s", args, code, errs, out)
		}
	}
}

// TestObservedOfAnotherRole: of a grant that another role of a deployment has, nothing is narrowed, and it is not said
// that it can go: what that role used, nothing tells that is read.
func TestObservedOfAnotherRole(t *testing.T) {
	_, path := observedAccount(t)
	text := mustRead(t, defaultSettings)
	for _, own := range []string{"site-upload", "shop-image"} {
		put(t, defaultSettings, strings.Replace(text, "grants: [site-upload]}", "grants: ["+own+"],\n     "+
			"also_roles: [{role: site-exec, grants: [site-upload], write: {inline: buildmedic}}]}", 1))
		code, out, errs := buildmedic(t, "", "check", "-observed", "-builds", "1", "-trail", "-grant", "site-upload", "-ledger", path)
		said := strings.Join(strings.Fields(errs), " ")
		if code != exitOK || out != "" || !strings.Contains(said, "another role of a deployment has it") ||
			strings.Contains(said, "can go") {
			t.Errorf("the project's own role has %s: code %d\n%s%s", own, code, errs, out)
		}
	}
}
