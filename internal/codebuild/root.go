package codebuild

import "strings"

// Root is who asked for a build, and for which source, where that is not the
// build itself: the batch that it is a part of, or the first build of the chain
// that it repeats.
type Root struct {
	From                  string // the batch's ARN, or the first build's PROJECT:UUID
	Initiator             string // AWS.md#initiator
	SourceType            string
	SourceVersion         string // AWS.md#source-version
	ResolvedSourceVersion string
	SecondaryVersions     []string `json:",omitempty"`
	Ran                   Ran      `json:"-"`
}

// Derived reports whether somebody else than the build's initiator asked for
// it: CodeBuild itself started it, for a batch or as an auto-retry, or its
// record says so and is not whole. Only its root then says who did.
func (b Build) Derived() bool {
	return b.BatchARN != "" || b.AutoRetry.Previous != "" || b.AutoRetry.Number > 0
}

// Asked is who asked for the build as far as is known: its root, or, if it has
// none, what its own record says.
func (b Build) Asked() Root {
	if b.Root != nil {
		return *b.Root
	}
	return Root{b.ID, b.Initiator, b.SourceType, b.SourceVersion, b.ResolvedSourceVersion, b.SecondaryVersions, b.Ran}
}

// Asked is who asked for the batch of that ARN.
func (b Batch) Asked(arn string) Root {
	return Root{arn, b.Initiator, b.SourceType, b.SourceVersion, b.ResolvedSourceVersion, b.SecondaryVersions, b.Ran}
}

// AskedPipeline is the name of the pipeline that asked for the build, or for the batch that it is a part
// of; "" if none did, as far as is known. CodeBuild itself starts a batch's builds (AWS.md#initiator).
func (b Build) AskedPipeline() string { return Build{Initiator: b.Asked().Initiator}.Pipeline() }

// External is what a pipeline's action calls the build: by its own id, or, if it is a part of a batch, by
// the batch's.
func (b Build) External() string {
	if _, id, ok := strings.Cut(b.BatchARN, ":build-batch/"); ok {
		return id
	}
	return b.ID
}

// Line names what a build is one of a series of: the branch or tag, the pipeline, or the default
// branch. It is "" for what names nothing but a commit.
func (r Root) Line() string {
	b := Build{Initiator: r.Initiator, SourceVersion: r.SourceVersion, ResolvedSourceVersion: r.ResolvedSourceVersion}
	switch ref, name := b.Ref(), b.Pipeline(); {
	case name != "":
		return "pipeline " + name
	case ref != "":
		return "ref " + ref
	case r.SourceVersion == "":
		return "default"
	}
	return ""
}
