package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestReadmeSettings ensures that the README's settings are valid, have
// nothing to be warned of, and allow what they seem to.
func TestReadmeSettings(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?s)<!-- settings -->\n\x60{3}yaml\n(.*?)\x60{3}\n`).FindSubmatch(text)
	if m == nil {
		t.Fatal("the README has no block of settings")
	}
	file := filepath.Join(t.TempDir(), "buildmedic.yaml")
	if err := os.WriteFile(file, m[1], 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errs := buildmedic(t, "", "check", "-settings", file, "-account", "111122223333", "-region", "us-east-1", "-partition", "aws")
	if code != exitOK || strings.Contains(out, "warning:") {
		t.Fatalf("code %d\n%s%s", code, out, errs)
	}
	for _, want := range []string{"and its 2 tests hold", "shop  (role codebuild-shop-service-role, mode heal", "on arn:aws:ecr:us-east-1:111122223333:repository/shop\n",
		"site  (role site-build, mode propose", "s3:PutObject on arn:aws:s3:::example-site/*", "worker  (role codebuild-worker-service-role, mode observe"} {
		if !strings.Contains(out, want) {
			t.Errorf("check does not say %q:\n%s", want, out)
		}
	}
}
