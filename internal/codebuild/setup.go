package codebuild

// Past is a build of a project with what it ran with, to be compared with another one.
type Past struct {
	Build Build
	Setup Setup
}

// Setup is what a build's record says of what it ran with, beyond what [Build] has. It is there to
// be compared and forgotten: nothing that is stored holds one. Of environment variables it has the
// names, never the values (AWS.md#what-a-build-ran-with).
type Setup struct {
	Location   string // of the source, as the record has it
	Compute    string // BUILD_GENERAL1_SMALL, …
	Fleet      string // ARN of the reserved capacity, "" for none
	Privileged bool
	Variables  []string // names of the environment variables
	// Inline is a digest of a buildspec that is written out in the project, "" if it is a file's
	// path.
	Inline  string
	Cache   string // "NO_CACHE", "S3 BUCKET/PREFIX", "LOCAL MODE, MODE"
	VPC     string // id of the network, with its subnets and security groups; "" for none
	Timeout int    // minutes that the build may take
	Queued  int    // minutes that it may wait
}
