package codebuild

import (
	"slices"
	"time"
)

// Batch is what BatchGetBuildBatches says of one batch build: builds that run
// side by side. It has no event of its own (AWS.md#delivery).
type Batch struct {
	ARN     string // arn:P:codebuild:R:A:build-batch/PROJECT:UUID
	Project string
	Number  int64
	Status  string
	Groups  []BuildGroup

	// Role is the batch's own, which starts its builds; that of the builds is another one as a rule.
	Role       string
	Repository string // as in [Build]
	Buildspec  string
	Start, End time.Time // of its first attempt, and of the last one's end
	Phases     []Phase   // of all attempts

	// Who asked for the batch, and for which source, as in [Build]. The records of
	// its builds name CodeBuild instead (AWS.md#initiator).
	Initiator             string
	SourceType            string
	SourceVersion         string
	ResolvedSourceVersion string
	SecondaryVersions     []string
	Ran                   Ran // what it was started with
}

// BuildGroup is one build of a batch's buildspec: its present run, and the
// runs that it had before the batch was retried (AWS.md#retry-of-a-batch).
type BuildGroup struct {
	Identifier    string
	IgnoreFailure bool      // the batch may pass without it
	Build         string    // PROJECT:UUID; "" until it begins
	Status        string    // of Build
	Requested     time.Time // when Build was asked for; zero if that is not known
	Prior         []string  // PROJECT:UUID
}

// Rerun finds the group that the build was a run of and that has been started
// again since. Nothing in a build's own record tells which one it repeats.
func (b Batch) Rerun(build string) (BuildGroup, bool) {
	i := slices.IndexFunc(b.Groups, func(g BuildGroup) bool { return slices.Contains(g.Prior, build) })
	if i < 0 {
		return BuildGroup{}, false
	}
	return b.Groups[i], true
}

// Has reports whether the build is the present run of one of the groups.
func (b Batch) Has(build string) bool {
	return slices.ContainsFunc(b.Groups, func(g BuildGroup) bool { return build != "" && g.Build == build })
}

// Group finds the group of which the build is the present run.
func (b Batch) Group(build string) (BuildGroup, bool) {
	i := slices.IndexFunc(b.Groups, func(g BuildGroup) bool { return build != "" && g.Build == build })
	if i < 0 {
		return BuildGroup{}, false
	}
	return b.Groups[i], true
}

// Outcome is how the batch ends: [InProgress] while that is open, else
// [Failed] if a build failed that it needs, [Stopped] if one was stopped, or
// [Succeeded]. The build that has ended as ended says is taken at its word:
// whether the batch's record shows an end at once is not documented
// (AWS.md#undocumented).
func (b Batch) Outcome(build, ended string) string {
	out, open := Succeeded, false
	for _, g := range b.Groups {
		if g.Build == build && build != "" {
			g.Status = ended
		}
		switch {
		case g.Build == "" || g.Status == InProgress:
			open = true
		case g.Status == Succeeded || g.IgnoreFailure:
		case g.Status == Stopped:
			if out == Succeeded {
				out = Stopped
			}
		default:
			out = Failed
		}
	}
	switch {
	case out == Stopped && b.HasFailed() && b.Status != Failed:
		return Failed // nobody stopped it: CodeBuild did, since the batch failed
	case out == Failed || !open && len(b.Groups) > 0:
		return out
	case b.Status == InProgress:
		return InProgress
	case b.Status == Succeeded || b.Status == Stopped:
		return b.Status // builds that did not begin never will
	}
	return Failed
}
