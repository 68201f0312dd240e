package guardrail

import (
	"testing"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// TestTrustedOfItsBatch: whoever starts a batch with a buildspec of his own chooses in it the image and the buildspec of
// each of its builds. That such a build's own buildspec is one that settings list makes it no more trusted.
func TestTrustedOfItsBatch(t *testing.T) {
	project := settings.Project{Name: "shop", Role: "service-role/codebuild-shop", Buildspecs: []string{"ci/buildspec.yml"}}
	is := codebuild.Project{Name: "shop", Ran: codebuild.Ran{Source: "s", Buildspec: "b", Role: trustRole, Image: "i"}}
	asked := codebuild.Root{From: trustBatch, Initiator: "dev/mallory", SourceType: "GITHUB", SourceVersion: "refs/heads/main",
		Ran: codebuild.Ran{Source: "s", Buildspec: "inline of mallory's", Role: trustRole, Image: "i"}}
	child := codebuild.Build{Initiator: trustInner, SourceVersion: "refs/heads/main", ServiceRole: trustRole, Buildspec: "ci/buildspec.yml",
		BatchARN: trustBatch, Root: &asked,
		Ran: codebuild.Ran{Source: "s", Buildspec: "listed", Role: trustRole, Image: "mallory/image"}}
	c := is.Check(child)
	child.Checked = &c
	if ok, _ := Trusted(child, project); ok {
		t.Errorf("a build of a batch whose buildspec somebody chose is trusted: it ran %q; known to be other than the project's: %q",
			child.Ran.Image, c.Overrides)
	}
}
