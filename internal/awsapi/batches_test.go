package awsapi

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/simaws"
)

// TestBatchThatFailedByItself reads a batch that died before its first build, as a build that stands for
// each of its attempts, and retries it.
func TestBatchThatFailedByItself(t *testing.T) {
	s := world(t, `
roles: [{name: r, inline: {logs: LOGS}}, {name: own, inline: {start: '`+may("codebuild:StartBuild")+`'}}]
projects:
  - {name: other, role: r, buildspecs: {buildspec.yml: {build: [make]}}}
  - name: matrix
    role: r
    batch_role: own
    batch: [linux, windows]
    batch_fails: [{phase: DOWNLOAD_BATCHSPEC, code: YAML_FILE_ERROR, message: "no buildspec; password=hunter2hunter2", times: 2}]
    buildspecs: {buildspec.yml: {build: [make]}}
`)
	if _, err := s.Run(simaws.Start{Project: "matrix", Batch: true, Version: "refs/heads/main"}); err != nil {
		t.Fatal(err)
	}
	s.Settle()
	c := CodeBuild{function(s, "")}
	ids, err := c.BatchIDs(t.Context(), home, "matrix")
	if err != nil || len(ids) != 1 {
		t.Fatalf("batches: %v, %v", ids, err)
	}
	if _, err := c.BatchIDs(t.Context(), home, "gone"); !errors.Is(err, heal.ErrNotFound) {
		t.Errorf("of a project that is gone: %v", err)
	}
	ps, err := c.Read(t.Context(), home, []string{"matrix", "other"})
	if err != nil || len(ps) != 2 || slices.ContainsFunc(ps, func(p codebuild.Project) bool { return p.Batches != (p.Name == "matrix") }) {
		t.Errorf("set up for batches: %+v, %v", ps, err)
	}
	read := func(id string) codebuild.Build {
		t.Helper()
		b, err := c.Get(t.Context(), home, id)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	first := read(codebuild.BatchPrefix + ids[0])
	p, _ := first.FailedPhase()
	if r, _ := first.Role(); r.Name != "own" || first.Status != codebuild.Failed || p.Type != "DOWNLOAD_BATCHSPEC" ||
		len(p.Contexts) != 1 || p.Contexts[0].Code != "YAML_FILE_ERROR" || strings.Contains(p.Contexts[0].Message, "hunter2") ||
		first.Number != 1 || first.SourceVersion != "refs/heads/main" || first.Start.IsZero() || first.End.Before(first.Start) {
		t.Errorf("it stands for the batch: %+v", first)
	}
	retry := func(b codebuild.Build, token string) error {
		_, err := c.Retry(t.Context(), b, decide.Plan{Route: decide.RouteBatch}, token, nil)
		return err
	}
	for _, token := range []string{"a", "a"} { // asked twice with the same token, it is retried once
		if err := retry(first, token); err != nil {
			t.Fatal(err)
		}
		s.Settle()
	}
	if n := s.Attempts("matrix"); n != 2 {
		t.Errorf("%d attempts", n)
	}
	second := read(codebuild.BatchID(ids[0], 2))
	if again := read(first.ID); again.Status != codebuild.Failed || !again.End.Equal(first.End) || second.Start.Before(first.End) {
		t.Errorf("the first attempt is %+v, the second %+v", again, second)
	}
	for _, id := range []string{codebuild.BatchID(ids[0], 3), codebuild.BatchPrefix + "matrix:00000000-0000-0000-0000-000000000000"} {
		if _, err := c.Get(t.Context(), home, id); !errors.Is(err, heal.ErrNotFound) {
			t.Errorf("%s: %v", id, err)
		}
	}
	s.Clock.Advance(10 * time.Minute)
	if err := retry(second, "b"); err != nil {
		t.Fatal(err)
	}
	s.Settle()
	if bs := s.Builds("matrix"); len(bs) != 2 || count(s, "RetryBuildBatch") != 3 {
		t.Errorf("%d builds", len(bs))
	}
	several, err := c.Several(t.Context(), home, []string{second.ID, s.Builds("matrix")[0].ID, first.ID})
	if err != nil || len(several) != 3 {
		t.Errorf("several: %d, %v", len(several), err)
	}
	if err := retry(second, "c"); !errors.Is(err, heal.ErrFinal) {
		t.Errorf("it is green: %v", err)
	}
}

// TestNoQuota: a limit of 0 is told from one that passes.
func TestNoQuota(t *testing.T) {
	s := world(t, `
no_quota: [BUILD_GENERAL1_SMALL]
roles: [{name: r, inline: {logs: LOGS}}]
projects: [{name: shop, role: r, buildspecs: {buildspec.yml: {build: [{run: make, fails: {prints: "no"}}]}}}]
starts: [{project: shop}]
`)
	s.Settle()
	b := got(t, s, s.Builds("shop")[0].ID)
	_, err := CodeBuild{function(s, "")}.Retry(t.Context(), b, decide.Plan{Route: decide.RouteBuild}, "t", nil)
	if !errors.As(err, &heal.QuotaError{}) || errors.Is(err, heal.ErrLater) || !strings.Contains(err.Error(), "more than 0 builds") {
		t.Errorf("%v", err)
	}
}
