package compare

import (
	"strings"

	"github.com/buildmedic/buildmedic/internal/codebuild"
)

// Green chooses, of a project's builds, newest first, the one that the failed build is compared
// with: the newest that is green, began before it, and built the same branch or commit. between is
// how many builds of the same branch lie between the two.
func Green(failed codebuild.Build, builds []codebuild.Past) (green codebuild.Past, between int, ok bool) {
	own := lineageOf(failed)
	for _, p := range builds {
		b := p.Build
		if b.ID == failed.ID || !before(b, failed) {
			continue
		}
		sameCommit := failed.ResolvedSourceVersion != "" && failed.ResolvedSourceVersion == b.ResolvedSourceVersion
		if lineageOf(b) != own && (!sameCommit || own.batch != (b.BatchARN != "")) {
			continue
		}
		if b.Status == codebuild.Succeeded && comparable(failed, b) {
			return p, between, true
		}
		between++
	}
	return codebuild.Past{}, 0, false
}

// before reports whether a began before b.
func before(a, b codebuild.Build) bool {
	if a.Start.IsZero() || b.Start.IsZero() || a.Start.Equal(b.Start) {
		return a.Number < b.Number
	}
	return a.Start.Before(b.Start)
}

// comparable reports whether the builds do the same work. The builds of a batch are of one project
// and one branch, and their records do not say which part of the batch each is: only those with the
// same buildspec and environment may be compared (AWS.md#what-a-build-ran-with).
func comparable(a, b codebuild.Build) bool {
	return a.BatchARN == "" || a.Buildspec == b.Buildspec && a.Environment == b.Environment && a.Image == b.Image
}

// A lineage is what successive builds of one branch have in common.
type lineage struct {
	ref      string // branch, tag or pull request
	pipeline string
	batch    bool
	unsure   bool // no branch is named: any that names none is of the same lineage
}

// lineageOf tells a build's lineage (AWS.md#source-version). A build that was asked for by its
// commit, as a webhook does, does not say of which branch that is; what a pipeline hands over is of
// its source action.
func lineageOf(b codebuild.Build) lineage {
	l := lineage{pipeline: b.Pipeline(), batch: b.BatchARN != ""}
	if l.pipeline != "" {
		return l
	}
	l.ref = strings.TrimPrefix(b.Ref(), "refs/heads/")
	if n, ok := strings.CutPrefix(l.ref, "refs/pull/"); ok { // of GitHub
		n, _, _ = strings.Cut(n, "/")
		l.ref = "pr/" + n
	}
	if l.ref == "" {
		l.ref, l.unsure = "commit", b.SourceVersion != ""
		if b.SourceVersion == "" {
			l.ref = "default branch"
		}
	}
	return l
}
