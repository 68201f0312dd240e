package decide

import (
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/codebuild"
)

// TestNewer: which builds make it wrong to start an older one again after a long wait.
func TestNewer(t *testing.T) {
	noon := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	at := func(id, version, initiator string, m int) codebuild.Build {
		return codebuild.Build{ID: "shop:" + id, Project: "shop", SourceVersion: version, Initiator: initiator,
			Start: noon.Add(time.Duration(m) * time.Minute)}
	}
	const main, commit = "refs/heads/main", "1f2e3d4c5b6a79880a1b2c3d4e5f60718293a4b5"
	old := at("old", main, "GitHub-Hookshot/0a1b2c3", 0)
	piped := at("old", "arn:aws:s3:::artifacts/shop/x", "codepipeline/shop", 0)
	batch := func(b codebuild.Build, arn string) codebuild.Build { b.BatchARN = arn; return b }
	for _, row := range []struct {
		name     string
		old, new codebuild.Build
		want     bool
	}{
		{"the same branch", old, at("new", main, "GitHub-Hookshot/0a1b2c3", 5), true},
		{"its commit, by a webhook", old, at("new", main+"^{"+commit+"}", "GitHub-Hookshot/0a1b2c3", 5), true},
		{"another branch", old, at("new", "refs/heads/next", "GitHub-Hookshot/0a1b2c3", 5), false},
		{"a tag", old, at("new", "refs/tags/v1", "GitHub-Hookshot/0a1b2c3", 5), false},
		{"a bare commit, perhaps of main", old, at("new", commit, "ci", 5), true},
		{"the default branch, perhaps main", old, at("new", "", "rule/nightly", 5), true},
		{"an older build", old, at("new", main, "GitHub-Hookshot/0a1b2c3", -5), false},
		{"one of the case", old, at("own", main, "GitHub-Hookshot/0a1b2c3", 5), false},
		{"the pipeline's next execution", piped, at("new", "arn:aws:s3:::artifacts/shop/y", "codepipeline/shop", 5), true},
		{"another action of the same execution", piped, at("new", "arn:aws:s3:::artifacts/shop/x", "codepipeline/shop", 5), false},
		{"another build of the batch", batch(old, "b"), batch(at("new", main, "GitHub-Hookshot/0a1b2c3", 5), "b"), false},
		{"a build of the next batch", batch(old, "b"), batch(at("new", main, "GitHub-Hookshot/0a1b2c3", 5), "c"), true},
	} {
		got := Newer(row.old, []codebuild.Build{row.old, row.new}, func(id string) bool { return id == "shop:own" })
		if (got != "") != row.want || got != "" && got != row.new.ID {
			t.Errorf("%s: %q", row.name, got)
		}
	}
}
