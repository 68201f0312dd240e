// Package codebuild holds CodeBuild's own words as plain data: Build, Phase,
// Context, ServiceRole, Initiator, and what follows from them alone: which
// account and partition a build is in, which phase failed first, who started
// it, which role it runs as.
//
// It talks to nothing. [Build] deliberately has no field for environment
// variables, source credentials or anything else that may hold a secret.
package codebuild

import (
	"slices"
	"strings"
	"time"
)

// Statuses of a build (AWS.md#statuses).
const (
	Succeeded  = "SUCCEEDED"
	Failed     = "FAILED"
	Fault      = "FAULT"
	TimedOut   = "TIMED_OUT"
	InProgress = "IN_PROGRESS"
	Stopped    = "STOPPED"
)

// Build is what BatchGetBuilds says of one build, without its secrets.
// Every text in it other than ids and ARNs is untrusted.
type Build struct {
	ID      string // PROJECT:UUID
	ARN     string // arn:P:codebuild:R:A:build/PROJECT:UUID
	Project string
	Number  int64
	Status  string // see the constants; unknown values are kept

	// ServiceRole is the role's ARN as the project has it. BatchGetBuilds
	// documents it as a name (AWS.md#service-role), so it may be a bare one;
	// [Build.Role] reads both.
	ServiceRole string
	Initiator   string // AWS.md#initiator

	// AWS.md#source-version has the forms of SourceVersion.
	SourceType string // GITHUB, CODEPIPELINE, S3, …
	// Repository is where the source is, as [RepositoryAt] has it.
	Repository            string `json:",omitempty"`
	SourceVersion         string // branch, tag, pr/N, commit, refs/…, S3 ARN; "" is the default branch
	ResolvedSourceVersion string // commit id, or S3 version
	// SecondaryVersions are those of the secondary sources that the build was
	// asked for by name, like SourceVersion.
	SecondaryVersions []string `json:",omitempty"`
	Buildspec         string   // path as the project or the start call gave it; inline ones are cut to "(inline)"

	BatchARN  string // "" if the build is no batch child
	AutoRetry AutoRetry
	// Root is in no record: it is read from other records. nil: not read, or
	// not to be read.
	Root *Root `json:",omitempty"`
	// Action is the run of a pipeline's action that the record stands for, if there is no build: its
	// start was refused, or the action runs commands by itself.
	Action *Action `json:",omitempty"`
	// Checked is read from other records, too. nil: not looked at.
	Checked *Checked `json:",omitempty"`

	EncryptionKey string
	Image         string
	Environment   string `json:",omitempty"` // its type, as in LINUX_LAMBDA_CONTAINER; "" if unknown
	Compute       string `json:",omitempty"` // BUILD_GENERAL1_SMALL, …; "" if unknown
	Fleet         string `json:",omitempty"` // ARN of the reserved capacity that it ran on; "" for none
	VPC           string `json:",omitempty"` // id of the network that it ran in; "" for none
	Privileged    bool   `json:",omitempty"`
	DockerServer  bool   `json:",omitempty"` // it had a Docker server of its own
	// OtherCredentials: by the name of a variable of its environment, AWS's tools may act as somebody
	// else than the service role, or ask another service.
	OtherCredentials bool `json:",omitempty"`
	// Parameters is a digest of all that the build was started with that may differ
	// between two builds of one source version: variables, image, buildspec, role.
	// Only a record that was just read has it. It is never stored, since whoever
	// reads it could try guesses of a short secret.
	Parameters string `json:"-"`
	Ran        Ran    `json:"-"`

	Start, End time.Time // zero if unknown
	Phases     []Phase
	Logs       Logs
	// ReportARNs are the reports of tests and coverage that the build made, at most [MaxReports].
	ReportARNs []string `json:",omitempty"`
}

// AutoRetry is CodeBuild's native auto-retry state (AWS.md#auto-retry).
type AutoRetry struct {
	Limit, Number  int
	Next, Previous string // build ARNs, "" if none
}

// Pending reports whether CodeBuild itself will retry, or has retried, the build.
func (a AutoRetry) Pending() bool { return a.Next != "" || a.Number < a.Limit }

// Phase is one phase of a build, in the order CodeBuild ran them.
type Phase struct {
	Type       string // SUBMITTED … COMPLETED; unknown values are kept
	Status     string // "" while it runs
	Contexts   []Context
	Start, End time.Time
}

// CommandError is the status code of a phase in which a command failed. Its message repeats the
// command, which whoever wrote the buildspec chose (AWS.md#failed-command).
const CommandError = "COMMAND_EXECUTION_ERROR"

// Context is one phase context. Code may contain spaces (AWS.md#phase-contexts).
type Context struct{ Code, Message string }

// String gives "CODE: message", as the event prints it.
func (c Context) String() string {
	if c.Code == "" {
		return c.Message
	}
	return c.Code + ": " + c.Message
}

// Logs says where the build's log is. An empty Group and S3ARN mean that
// there is no log to read (AWS.md#log-location, AWS.md#no-log).
type Logs struct {
	Group, Stream string // CloudWatch; never the literal "null"
	S3ARN         string // arn:P:s3:::bucket/key.gz
	S3Encrypted   bool
	DeepLink      string
}

// Role is an IAM role as its ARN names it.
type Role struct {
	Partition, Account string
	Path               string // "/" or "/service-role/"
	Name               string
}

// ARN gives arn:P:iam::A:role/PATH/NAME.
func (r Role) ARN() string {
	return "arn:" + r.Partition + ":iam::" + r.Account + ":role" + r.Path + r.Name
}

// PolicyARN gives the ARN of the customer managed policy of that name, with
// its path, in the role's account.
func (r Role) PolicyARN(pathName string) string {
	return "arn:" + r.Partition + ":iam::" + r.Account + ":policy/" + strings.TrimPrefix(pathName, "/")
}

// PathName gives the role's name with its path and without a leading slash:
// the form in settings.
func (r Role) PathName() string { return strings.TrimPrefix(r.Path+r.Name, "/") }

// RoleNamed is the role of that name, with its path if it has one, in the
// account of at.
func RoleNamed(at ARN, pathName string) Role {
	path, name := SplitPath(pathName)
	return Role{at.Partition, at.Account, path, name}
}

// ParseRole reads a role's ARN; ok is false for any other text.
func ParseRole(arn string) (r Role, ok bool) {
	a, _ := ParseARN(arn)
	name, ok := strings.CutPrefix(a.Resource, "role/")
	if !ok || a.Service != "iam" {
		return Role{}, false
	}
	r = RoleNamed(a, name)
	return r, r.Name != ""
}

// SplitPath parts an IAM name from its path: "a/b/NAME" is "/a/b/" and "NAME",
// and a bare name has the path "/".
func SplitPath(pathName string) (path, name string) {
	pathName = strings.TrimPrefix(pathName, "/")
	i := strings.LastIndexByte(pathName, '/')
	return "/" + pathName[:i+1], pathName[i+1:]
}

// At is where the build is: its own ARN. It is the zero ARN if the record
// has none that can be read.
func (b Build) At() ARN {
	a, _ := ParseARN(b.ARN)
	return a
}

// ProjectARN is that of the build's project; "" if the record has no readable ARN.
func (b Build) ProjectARN() string {
	a, ok := ParseARN(b.ARN)
	if !ok || b.Project == "" {
		return ""
	}
	a.Resource = "project/" + b.Project
	return a.String()
}

// Role is the build's service role. Account and partition are the build's
// own; ok is false if the record has no readable role or one of another
// account.
func (b Build) Role() (r Role, ok bool) {
	a, ok := ParseARN(b.ARN)
	if !ok || b.ServiceRole == "" {
		return Role{}, false
	}
	if strings.HasPrefix(b.ServiceRole, "arn:") {
		r, ok = ParseRole(b.ServiceRole)
		if !ok || r.Account != a.Account || r.Partition != a.Partition {
			return Role{}, false
		}
		return r, true
	}
	r = RoleNamed(a, b.ServiceRole)
	return r, r.Name != ""
}

// WithRolePath completes a service role that the record names without its
// path (AWS.md#service-role) from pathName, the same role as settings name it.
// Any other role is left as it is.
func (b Build) WithRolePath(pathName string) Build {
	if _, name := SplitPath(pathName); !strings.ContainsAny(b.ServiceRole, ":/") && b.ServiceRole == name {
		b.ServiceRole = strings.TrimPrefix(pathName, "/")
	}
	return b
}

// UUID is the part of the build id after the project's name.
func (b Build) UUID() string {
	i := strings.LastIndexByte(b.ID, ':')
	return b.ID[i+1:]
}

// Session is the session name under which the build calls AWS (AWS.md#build-session).
func (b Build) Session() string { return "AWSCodeBuild-" + b.UUID() }

// FailedPhase is the first phase whose status is neither SUCCEEDED nor
// empty: later phases may have passed (AWS.md#build-phases). Of a phase that ran
// several times, the last run counts (AWS.md#repeated-phases).
func (b Build) FailedPhase() (Phase, bool) {
	for _, p := range LastRuns(b.Phases) {
		if p.Failed() {
			return p, true
		}
	}
	return Phase{}, false
}

// LastRuns leaves out runs of a phase that was run again.
func LastRuns(ps []Phase) (last []Phase) {
	for i, p := range ps {
		if !slices.ContainsFunc(ps[i+1:], func(q Phase) bool { return q.Type == p.Type }) {
			last = append(last, p)
		}
	}
	return last
}

// Failed reports whether the phase ended and did not succeed. There are more statuses than are
// listed (AWS.md#statuses).
func (p Phase) Failed() bool {
	return p.Status != "" && p.Status != Succeeded && p.Status != InProgress
}

// Commit names what was built: the resolved source version, else the
// requested one, else "".
func (b Build) Commit() string {
	if b.ResolvedSourceVersion != "" {
		return b.ResolvedSourceVersion
	}
	return b.SourceVersion
}

// Ref is what was asked for by name: a branch, a tag, a pull request. It is ""
// for a bare commit, an object in S3 and the default branch, which say of two
// builds of one commit nothing that tells them apart. A commit behind the name
// (refs/heads/main^{2f1c0de…}) is left out.
func (b Build) Ref() string {
	v := b.SourceVersion
	if at, _, ok := strings.Cut(v, "^{"); ok {
		v = at
	}
	if v == b.ResolvedSourceVersion || strings.HasPrefix(v, "arn:") || commitForm(v) {
		return ""
	}
	return v
}

// commitForm reports whether s is a commit id in full: SHA-1 or SHA-256.
func commitForm(s string) bool {
	return (len(s) == 40 || len(s) == 64) && strings.Trim(s, "0123456789abcdef") == ""
}

// HasFailed reports whether the build has ended, and neither well nor since
// somebody stopped it.
// There are more statuses than are listed (AWS.md#statuses); one that is not known counts once the
// record says when the build ended.
func (b Build) HasFailed() bool {
	switch b.Status {
	case Failed, Fault, TimedOut:
		return true
	case "", InProgress, Succeeded, Stopped:
		return false
	}
	return !b.End.IsZero()
}

// Runs reports whether the build has not ended, as far as its record says.
func (b Build) Runs() bool {
	return b.Status == "" || b.Status == InProgress || !b.HasFailed() && b.Status != Succeeded && b.Status != Stopped
}

// Pipeline is the name of the pipeline that started the build, or "".
func (b Build) Pipeline() string {
	p, ok := strings.CutPrefix(b.Initiator, "codepipeline/")
	if !ok {
		return ""
	}
	return p
}

// ARN is a parsed Amazon Resource Name.
type ARN struct{ Partition, Service, Region, Account, Resource string }

// ParseARN splits an ARN at its first five colons. ok is false if s has
// fewer, or does not begin with "arn:".
func ParseARN(s string) (a ARN, ok bool) {
	f := strings.SplitN(s, ":", 6)
	if len(f) != 6 || f[0] != "arn" || f[1] == "" || f[2] == "" || f[5] == "" {
		return ARN{}, false
	}
	return ARN{f[1], f[2], f[3], f[4], f[5]}, true
}

// ParseBuildARN reads a build's ARN: where the build is, and its id,
// PROJECT:UUID, or that of one that stands for a batch. ok is false for any other text.
func ParseBuildARN(s string) (at ARN, id string, ok bool) {
	at, ok = ParseARN(s)
	id, isBuild := strings.CutPrefix(at.Resource, "build/")
	if _, _, stands := ParseBatchID(at.Resource); stands {
		id, isBuild = at.Resource, true
	}
	if !ok || !isBuild || at.Service != "codebuild" || id == "" {
		return ARN{}, "", false
	}
	return at, id, true
}

// String joins the ARN again.
func (a ARN) String() string {
	return strings.Join([]string{"arn", a.Partition, a.Service, a.Region, a.Account, a.Resource}, ":")
}

// Known gives the logs without the literal "null" that CodeBuild writes for
// a log that does not exist (AWS.md#log-location).
func (l Logs) Known() Logs {
	if l.Group == "null" || l.Stream == "null" || l.Group == "" || l.Stream == "" {
		l.Group, l.Stream = "", ""
	}
	if strings.HasSuffix(l.S3ARN, "null") || strings.HasSuffix(l.S3ARN, "null.gz") {
		l.S3ARN = ""
	}
	return l
}

// BuildspecPath gives the path of a buildspec as the record has it, or
// "(inline)" for one that is written out there: its text may hold anything.
func BuildspecPath(s string) string {
	if strings.ContainsAny(s, "\n\r{") {
		return "(inline)"
	}
	return s
}

// maxContext bounds a phase context's message, and each text of a test case. A denial's message
// with its policy ARN is well below it.
const maxContext = 16 << 10

// Clip bounds a phase context's message, or a text of a test case.
func Clip(s string) string {
	if len(s) <= maxContext {
		return s
	}
	return strings.ToValidUTF8(s[:maxContext], "")
}

// Cut bounds a text to size bytes, in front of a word that it would cut: what is left of a secret
// is not recognised as one. It cuts a word only if it is longer than that.
func Cut(s string, size int) string {
	if len(s) <= size {
		return s
	}
	inWord := func(c byte) bool {
		return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("_-+/=.~%", c) >= 0
	}
	end := size
	for end > 0 && inWord(s[end]) && inWord(s[end-1]) {
		end--
	}
	if end == 0 {
		end = size
	}
	return strings.ToValidUTF8(s[:end], "")
}

// TestCase is a test that failed, as a report of CodeBuild or a test runner's output names it. All
// its texts are the build's, and as untrusted as its log.
type TestCase struct {
	Suite string `json:"suite,omitempty"` // the file, class or group that the test is in; "" if none is named
	Name  string `json:"name"`
	// Message is the first line that says why, "" if none does.
	Message string `json:"message,omitempty"`
	// At is the place in the source, as FILE:LINE or as the first line of a stack; "" if none is
	// named.
	At string `json:"at,omitempty"`
	// Line is the line of the log that names the test; 0 if a report of CodeBuild does.
	Line int `json:"line,omitempty"`
}

// FullName is the name of the test with its suite, as people read it.
func (t TestCase) FullName() string {
	if t.Suite == "" {
		return t.Name
	}
	return t.Suite + " › " + t.Name
}
