package codebuild

import "slices"

// Checked is what other records than the build's own say of who chose what it ran. It is looked at before
// anything is done for a build that failed.
type Checked struct {
	// Runner: the project's webhook has its builds run the jobs of a code host's own pipelines.
	Runner bool `json:",omitempty"`
	// Printed: the build's log looks like that of a runner. Anybody can print that, so it only ever counts
	// against the build.
	Printed bool `json:",omitempty"`
	// Overrides names what the build had that its project has not: source, buildspec, service role or image.
	// Whoever started the build chose it, or the project was changed since (AWS.md#overrides).
	Overrides []string `json:",omitempty"`
	// Unread says in a sentence why that cannot be told, "" if it can.
	Unread string `json:",omitempty"`
	// Execution is that of the pipeline which asked for the build; nil: none did, or it was not looked for.
	Execution *Execution `json:",omitempty"`
}

// What a start may override so that another thing is built than the project's, as [Checked] names it.
const (
	OwnSource    = "source"
	OwnBuildspec = "buildspec"
	OwnRole      = "service role"
	OwnImage     = "image"
)

// Ran is what a start may override, to be compared and forgotten: a location and a buildspec may hold a
// secret, so of them it has digests, and nothing that is stored holds one. "" is unknown.
type Ran struct {
	Source    string // digest of where the sources are
	Buildspec string // digest of the buildspec, or of its path
	Role      string // in any form
	Image     string
}

// Read reports whether it was read from a record.
func (r Ran) Read() bool { return r != Ran{} }

// Check compares the build, which was just read, with its project.
func (p Project) Check(b Build) Checked {
	c := Checked{Runner: p.Webhook.RunsJobs()}
	was := b.Ran
	if b.BatchARN != "" && b.Root != nil {
		// The batch's buildspec, which is of the same source, gives its builds their own.
		was.Buildspec, was.Image = b.Root.Ran.Buildspec, b.Root.Ran.Image
	}
	if b.SourceType == "CODEPIPELINE" && b.ofPipeline() {
		was.Source = "" // a pipeline hands over its artifact, whatever source the project names
	}
	for _, s := range []struct{ name, was, is string }{
		{OwnSource, was.Source, p.Ran.Source},
		{OwnBuildspec, was.Buildspec, p.Ran.Buildspec},
		{OwnRole, roleName(was.Role), roleName(p.Ran.Role)},
		{OwnImage, was.Image, p.Ran.Image},
	} {
		if s.was != "" && s.is != "" && s.was != s.is {
			c.Overrides = append(c.Overrides, s.name)
		}
	}
	return c
}

func (b Build) ofPipeline() bool { return Build{Initiator: b.Asked().Initiator}.Pipeline() != "" }

// Chosen reports whether the build is known to have had anything else than its project.
func (b Build) Chosen() bool { return b.Checked != nil && len(b.Checked.Overrides) > 0 }

// Overrode reports whether the build is known to have had another such thing than its project.
func (b Build) Overrode(name string) bool {
	return b.Checked != nil && slices.Contains(b.Checked.Overrides, name)
}

// WithPrinted is the build, with what its log shows besides.
func (b Build) WithPrinted() Build {
	var c Checked
	if b.Checked != nil {
		c = *b.Checked
	}
	c.Printed = true
	b.Checked = &c
	return b
}
