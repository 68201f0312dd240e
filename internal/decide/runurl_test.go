package decide

import (
	"testing"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// TestRunURLOfAnotherSource: a notice links to no host that only whoever started the build has named.
func TestRunURLOfAnotherSource(t *testing.T) {
	job := &buildlog.Job{Runner: buildlog.GitHubRunner, Run: 7}
	b := codebuild.Build{SourceType: "GITHUB_ENTERPRISE", Repository: "github.example.com/example/shop"}
	if got := RunURL(&settings.Settings{}, settings.Project{}, b, job); got != "https://github.example.com/example/shop/actions/runs/7" {
		t.Errorf("the project's own source: %q", got)
	}
	b.Repository, b.Checked = "login.evil.example/example/shop", &codebuild.Checked{Overrides: []string{codebuild.OwnSource}}
	if got := RunURL(&settings.Settings{}, settings.Project{}, b, job); got != "" {
		t.Errorf("another source than the project's: %q", got)
	}
}
