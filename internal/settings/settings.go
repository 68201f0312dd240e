// Package settings reads buildmedic.yaml: what the owner allows, for which
// projects. Deny is the zero value: an empty file grants nothing.
package settings

import (
	"slices"
	"strings"
	"time"

	"github.com/buildmedic/buildmedic/internal/codebuild"
)

// Mode is how far the healer may go.
type Mode string

// The modes. Observe is the default.
const (
	Observe Mode = "observe" // explain only
	Propose Mode = "propose" // store the plan, wait for an approval
	Heal    Mode = "heal"
)

// Evidence is how well a denial must be proved before it may bring in a grant.
type Evidence string

// The kinds of evidence, weakest first.
const (
	EvidenceLog        Evidence = "log"
	EvidencePhase      Evidence = "phase"
	EvidenceDecoded    Evidence = "decoded"
	EvidenceCloudTrail Evidence = "cloudtrail"
	// EvidenceAuthorization is the strongest: who was denied what, and that nothing but a missing
	// allow of the role's own denied it. CloudTrail tells only the former.
	EvidenceAuthorization Evidence = "authorization"
)

// Give says how much of a grant one denial brings in.
type Give string

// The ways to give. Exact is the default.
const (
	GiveExact Give = "exact" // only what was denied
	GiveSet   Give = "set"   // all of the grant
)

// Scope says whose builds have what is granted, of all that run as the role on which it lands.
type Scope string

// The scopes. Role is the default, so that files from before there was a choice mean the same.
const (
	ScopeRole    Scope = "role"    // everybody's who runs as the role
	ScopeProject Scope = "project" // the project's own only
)

// Unscoped says what becomes of a scoped grant where a service does not send the project.
type Unscoped string

// What may become of it. Never is the default.
const (
	UnscopedNever   Unscoped = "never"   // it is taken back, and told
	UnscopedApprove Unscoped = "approve" // it is offered for the whole role: a person must approve that
)

// PullRequests is what the owner says of pull requests: whether their builds get
// what the project's role is given.
type PullRequests string

// What an owner may say; "" says nothing.
const (
	SeparateRole PullRequests = "separate-role" // they are built as another role
	Accept       PullRequests = "accept"        // they may have it, too
)

// Settings is one valid file. Names are unique; every reference resolves.
type Settings struct {
	Version  int
	Notify   Notify
	Code     Code
	Limits   Limits
	Accounts []Account
	Projects []Project
	Grants   []Grant
	Causes   []Cause
	Tests    []Test

	SHA256 string // of the file's bytes, lower-case hex
}

// Notify says who is told.
type Notify struct {
	Email []string
	Chat  *Chat // nil: none
	// Unowned: these are told only of what no owner is told of. See [Owner].
	Unowned bool
	Owners  []Owner // who are told of what is theirs
	Weekly  bool    // tell each week how it went
	Digest  int     // notices an hour that are sent one by one, to each who is told; default 30
	Price   Price   // of a minute that a build runs; zero: not known
}

// Chat is an Amazon Q Developer channel.
type Chat struct {
	Slack *SlackChannel // exactly one of the two
	Teams *TeamsChannel
}

// SlackChannel names a Slack channel.
type SlackChannel struct{ Workspace, Channel string }

// TeamsChannel names a Microsoft Teams channel.
type TeamsChannel struct{ Team, Tenant, Channel string }

// Limits are the budgets. A key left out of the file means the default; a 0 means none.
type Limits struct {
	Rounds       int           // retries per case; default 3
	WritesRole   int           // policy writes per role and day; default 10
	WritesHour   int           // policy writes per hour, all roles; default 20
	RetriesHour  int           // retries per hour, all projects; default 60
	Incident     int           // projects that fail of one cause at once and make an incident; default 5
	UndoneToStop int           // undone grants within a day after which writing stops; default 3
	Settle       time.Duration // wait after a write before an early denial is retried; default 60s
	CloudTrail   time.Duration // how long to wait for CloudTrail evidence; 0: ask once; default 20m
	Approve      time.Duration // how long a proposed plan waits for its approval; default 7 days
	Analyzer     bool          // also ask Access Analyzer
	NewResources int           // of a grant's patterns, given one by one in a case; default 5
	PieceShare   int           // per cent of a policy's quota that these may take for one project; default 25
}

// Account is a member account or another region that the hub looks after.
type Account struct{ ID, Region string }

// AccountOf is the account and region of what the ARN names.
func AccountOf(a codebuild.ARN) Account { return Account{ID: a.Account, Region: a.Region} }

// Project is one CodeBuild project that the healer looks after.
type Project struct {
	Name         string
	Account      string // "" is the hub's own
	Region       string // "" is the hub's own
	Role         string // service role with its path: "service-role/codebuild-x"
	Mode         Mode
	Write        Write
	Permanent    PolicyCode // the file in which what was written is asked for, so that it need not stay
	Grants       []string   // ids
	Buildspecs   []string   // tried in order when the build cannot find its buildspec
	AlsoRoles    []AlsoRole
	SwitchRole   string // ready role, with its path, to switch the project to instead of granting; "" none
	Retry        bool   // default true; false: never start a build (not idempotent)
	Runner       bool   // its builds run jobs of a code host's own pipelines, whatever its webhook says
	Rerun        bool   // such a job is run again at GitHub, in the repository of Code
	RetryFlaky   bool   // start a build again in which only tests failed that are known to be flaky
	Compare      bool   // default true; false: failed builds are not compared with the last green one
	Boundary     string // name of the permissions boundary that the role must carry; "" none
	Logs         Logs
	TestReports  bool     // CodeBuild's own test reports of its builds are read
	ReportGroups []string // names of report groups beyond those that CodeBuild makes for the project
	Stacks       []string // names of CloudFormation stacks whose events are read
	Pipelines    []string // names of the pipelines whose failed stages may be retried for its builds
	Trust        Trust
	Troubleshoot bool // AWS's own record is read of each denied request that has an authorization ID
	PullRequests PullRequests
	Code         ProjectCode
	Owner        string // who looks after it; "" nobody that is named
	Price        Price  // of a minute that its builds run; zero: as notify says
	Line         int

	Base *Project // what it was made of; see [Project.For]
}

// Trust is whose builds of a project count as the team's own, beyond those that
// always do.
type Trust struct {
	MergeQueue bool     // builds of a merge queue's branches
	Starters   []string // IAM roles, users and rules whose builds need not name their branch in full
}

// Starter reports whether the initiator of a build (AWS.md#initiator) is one of
// the starters: the same, or a session of the same role.
func (t Trust) Starter(initiator string) bool {
	return slices.ContainsFunc(t.Starters, func(s string) bool {
		return initiator == s || strings.HasPrefix(initiator, s+"/")
	})
}

// Logs is where a project's builds write their logs. Nothing is read from
// anywhere else.
type Logs struct {
	Group string // CloudWatch log group; "" is CodeBuild's own: /aws/codebuild/ and the project's name
	S3    string // bucket, or bucket/prefix, of builds that log to S3 only; "" none
}

// Write is where a project's grants go. Exactly one is set if Grants is not empty.
type Write struct {
	Inline  string // name of an inline policy of the healer's own
	Managed string // name (with path) of a customer managed policy that gets a new version
	Attach  bool   // attach ready-made managed policies, one per grant
	Shared  bool   // the managed policy may be used by other principals too
	// KeepVersions: no version of the managed policy is deleted to make room.
	KeepVersions bool
	Code         PolicyCode // the file of a repository that owns the role's policy
}

// PolicyCode is a policy document in a repository. The zero value is none.
type PolicyCode struct {
	GitHub     string // OWNER/REPOSITORY, at the host of code.github; or
	CodeCommit string // a repository's name, in the project's account and region
	Path       string // of the file, within the repository
	Base       string // the branch that requests are for; "": the default one
}

// Set reports whether there is one.
func (c PolicyCode) Set() bool { return c.Path != "" }

// Grant is one entry of the allowlist.
type Grant struct {
	ID        string
	Because   string
	Owner     string
	Set       string              // name of a set, or ""
	Actions   []string            // exact action names if Set is ""; canonical case
	Resources []string            // patterns with ${partition}, ${account}, ${region}, ${project}
	PassRoles map[string][]string // service principal → exact role ARNs (with placeholders)
	Give      Give
	Scope     Scope
	Unscoped  Unscoped
	Unsent    []string // services for whose actions the grant is the whole role's; no key, see [Settings.WholeRole]
	Create    bool
	Evidence  Evidence
	Expires   time.Duration // 0: never
	Line      int
}

// Test is one assertion about the settings themselves.
type Test struct {
	Project string
	Action  string
	On      string
	Allow   bool // else deny
	Line    int
}

// Project finds the project by name, account and region; "" in the settings
// matches the hub's own, which the caller passes as home.
func (s *Settings) Project(name, account, region string, home Account) (Project, bool) {
	for _, p := range s.Projects {
		a, r := p.Account, p.Region
		if a == "" {
			a = home.ID
		}
		if r == "" {
			r = home.Region
		}
		if p.Name == name && a == account && r == region {
			return p, true
		}
	}
	return Project{}, false
}

// Witnessed reports whether one of the grants for the project's role asks for CloudTrail's
// word. For other projects the healer may lack the permission to ask.
func (s *Settings) Witnessed(p Project) bool {
	return slices.ContainsFunc(p.Grants, func(id string) bool {
		g, ok := s.Grant(id)
		return ok && g.Evidence == EvidenceCloudTrail
	})
}

// Recorded reports whether AWS's own record of denied requests is read for the role for which the project
// stands: where it says so, or one of that role's grants asks for that record.
func (s *Settings) Recorded(p Project) bool {
	return p.Troubleshoot || slices.ContainsFunc(p.Grants, func(id string) bool {
		g, ok := s.Grant(id)
		return ok && g.Evidence == EvidenceAuthorization
	})
}

// Grant finds a grant by its id.
func (s *Settings) Grant(id string) (Grant, bool) {
	for _, g := range s.Grants {
		if g.ID == id {
			return g, true
		}
	}
	return Grant{}, false
}
