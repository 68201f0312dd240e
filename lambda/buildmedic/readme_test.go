package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDocumentedSettings ensures that the settings that documents show are
// valid, have nothing to be warned of, and allow what they seem to.
func TestDocumentedSettings(t *testing.T) {
	for document, wants := range map[string][]string{
		"README.md": {"and its 2 tests hold", "shop  (role codebuild-shop-service-role, mode heal",
			"on arn:aws:ecr:us-east-1:111122223333:repository/shop if ArnEquals codebuild:projectArn = "},
		"infra/SETTINGS.md": {"and its 3 tests hold", "shop  (role codebuild-shop-service-role, mode heal",
			"on arn:aws:ecr:us-east-1:111122223333:repository/shop\n", "iam:PassRole on arn:aws:iam::111122223333:role/shop-task",
			"site  (role site-build, mode propose", "s3:PutObject on arn:aws:s3:::example-site/*",
			"worker  (role codebuild-worker-service-role, mode observe", "and 2 samples of causes diagnosed as they say"},
	} {
		text, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(document)))
		if err != nil {
			t.Fatal(err)
		}
		blocks := regexp.MustCompile(`(?s)<!-- settings -->\n\x60{3}yaml\n(.*?)\x60{3}\n`).FindAllSubmatch(text, -1)
		if blocks == nil {
			t.Fatalf("%s has no block of settings", document)
		}
		out := ""
		for _, m := range blocks {
			file := filepath.Join(t.TempDir(), "buildmedic.yaml")
			if err := os.WriteFile(file, m[1], 0o600); err != nil {
				t.Fatal(err)
			}
			code, said, errs := buildmedic(t, "", "check", "-v", "-settings", file, "-account", "111122223333", "-region",
				"us-east-1", "-partition", "aws")
			if code != exitOK || strings.Contains(said, "warning:") {
				t.Fatalf("%s: code %d\n%s%s", document, code, said, errs)
			}
			out += said
		}
		for _, want := range wants {
			if !strings.Contains(out, want) {
				t.Errorf("%s: check does not say %q:\n%s", document, want, out)
			}
		}
	}
}
