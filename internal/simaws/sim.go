package simaws

import (
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/buildmedic/buildmedic/internal/iampolicy"
)

// Config is what a simulated account begins with. The zero value of each
// field means the default given there.
type Config struct {
	Account   string    // "111122223333"
	Region    string    // "us-east-1"
	Partition string    // "aws"
	Start     time.Time // simulated time at the beginning; 2026-11-22 10:00 UTC
	Seed      uint64    // of everything that looks random

	// Propagation is how long an IAM write takes until builds and callers
	// feel it; IAM's own reads show it at once (AWS.md#consistency). Writes differ:
	// each takes between Propagation and PropagationMost. 4s each.
	Propagation, PropagationMost time.Duration

	// Enforce evaluates every call against the caller's own policies.
	Enforce bool

	// RetryKeepsRole has RetryBuild use the old build's role instead of the
	// project's present one: which of the two AWS uses is not documented
	// (AWS.md#undocumented).
	RetryKeepsRole bool

	// Initiator is the form in which CodeBuild names a role's session that
	// starts a build, with ROLE, SESSION and ARN for the caller's; "" is
	// ROLE/SESSION. AWS does not document that it is always this
	// (AWS.md#initiator).
	Initiator string

	// NoBuildKeys are the services, by their prefix, whose requests do not carry
	// codebuild:projectArn and codebuild:buildArn with a build's credentials. That
	// every service's do is not documented (AWS.md#build-keys).
	NoBuildKeys []string

	// Troubleshooter says what becomes of denials of IAM's own APIs.
	Troubleshooter Troubleshooter

	// BuildQueue is how many builds may be under way at once in an account
	// and region; 0: any number.
	BuildQueue int

	// NoQuota are the compute types of which the account may run no builds: calls
	// that start one are refused for good (AWS.md#queue-limits). What a world starts
	// by itself is of before.
	NoQuota []string

	// TopicKey is the ARN of the KMS key that encrypts the topics of the home account and region; "" for none. A
	// publisher needs it too (AWS.md#sns).
	TopicKey string

	// Mailboxes are the addresses of e-mail subscriptions to [Topic], which
	// their owners have confirmed.
	Mailboxes []string

	// Function names the role and session of the key [FunctionKey].
	Function Identity

	// Pattern is the EventBridge rule's event pattern, as JSON. The default
	// lets every ended build through: FAILED, FAULT, TIMED_OUT, SUCCEEDED, STOPPED.
	Pattern string
	Queue   QueueConfig
	Trouble Trouble

	// Port is where it listens on loopback; 0: any free one.
	Port int
}

// Identity names a caller: a role with its session, or a user.
type Identity struct {
	Role    string `yaml:"role"`    // with its path
	Session string `yaml:"session"` // default "session"
	User    string `yaml:"user"`
}

// QueueConfig sets the queues that the rules feed.
type QueueConfig struct {
	Visibility time.Duration // default 6m
	MaxReceive int           // then to the dead-letter queue; default 5
}

// The names of what a Sim always has in its home account.
const (
	Queue      = "buildmedic"            // takes failed builds
	FollowUps  = "buildmedic-follow-ups" // takes the other ends of builds
	Cures      = "buildmedic-cures"      // takes cases that were put off
	DeadLetter = "buildmedic-dlq"        // of all three
	Topic      = "buildmedic"
)

// The access key ids that every Sim knows. Secrets are not checked: any will do.
const (
	FunctionKey = "ASIASIMULATEDFUNCTION" // the healer's own role, Config.Function
	OwnerKey    = "AKIASIMULATEDOWNER"    // the account's root user, who may do everything
)

// Sim is a simulated AWS organization: one home account and region, members
// if the world has them, and one HTTP endpoint for all of it. Its methods may
// be called from several goroutines.
type Sim struct {
	// Clock is simulated time.
	Clock Clock

	cfg    Config
	url    string
	host   string // of url, as requests name it
	http   *http.Server
	client *http.Client

	mu      sync.Mutex
	changed *sync.Cond // broadcast whenever a message or the clock moved
	now     time.Time
	agenda  agenda
	github  codeHost
	commits codeCommit
	// deploys say what is made of files of code, deployments what was.
	deploys     []deployFile
	deployments []Deployment
	accounts    map[string]*account
	estates     map[place]*estate
	buckets     map[string]*bucket
	keys        map[string]caller
	assumed     map[string]string // access key of a session → the key that assumed the role

	outages   []HostOutage
	counters  map[string]int // for ids
	documents map[string]*iampolicy.Document
	encoded   map[string]string // EC2 authorization messages → decoded JSON
	// authorizations are the records of denied requests, by authorization ID.
	authorizations map[string]*authorization
	pattern        eventPattern

	calls     []Call
	unknown   []string
	notices   []Notice
	mailboxes []*Mailbox
	hooks     []func(Call) Fault
	dead      map[string]bool // access keys of crashed callers
	limits    tokenBuckets
	functions map[string]Invocation
	beside    map[string]http.Handler // what else is served, by path
}

// place is an account and a region.
type place struct{ account, region string }

// estate is what an account has in one region.
type estate struct {
	sim     *Sim
	acct    *account
	region  string
	project map[string]*project
	builds  map[string]*build  // by id
	batches map[string]*batch  // by id
	reports map[string]*report // by ARN
	lanes   map[string]*lane   // by environment type and compute type
	groups  map[string]*logGroup
	repos   map[string]*repository
	// createOnPush are the prefixes of repository creation templates for it.
	createOnPush []string
	queues       map[string]*queue
	topics       map[string]bool
	pipes        map[string]*pipeline
	grants       map[string]string // resource ARN → resource policy, beyond ECR's and S3's
	tables       map[string]*table
	stacks       map[string]*Stack
	// templates are what stacks are made of, by their names in the world.
	templates map[string]stackFile
	secrets   map[string]string // of Secrets Manager: name → text
	// parameters are those of Parameter Store, by their names.
	parameters map[string]parameterFile
	trail      []trailEvent
	jobs       map[string]*generation // of Access Analyzer, by id
}

// New starts an empty simulated account. The caller must Close it. It fails
// only if the configuration is unusable or loopback cannot be listened on.
func New(cfg Config) (*Sim, error) {
	setDefaults(&cfg)
	pattern, err := parsePattern(cfg.Pattern)
	if err != nil {
		return nil, err
	}
	s := &Sim{
		cfg: cfg, now: cfg.Start, pattern: pattern, client: newClient(),
		accounts: map[string]*account{}, estates: map[place]*estate{}, buckets: map[string]*bucket{},
		keys: map[string]caller{}, assumed: map[string]string{}, counters: map[string]int{}, documents: map[string]*iampolicy.Document{},
		authorizations: map[string]*authorization{},
		encoded:        map[string]string{}, dead: map[string]bool{}, limits: tokenBuckets{},
		functions: map[string]Invocation{}, beside: map[string]http.Handler{},
	}
	s.Clock = Clock{s}
	s.changed = sync.NewCond(&s.mu)
	s.furnish()
	ln, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(cfg.Port)))
	if err != nil {
		return nil, fmt.Errorf("starting the simulated account: %w", err)
	}
	s.host = ln.Addr().String()
	s.url = "http://" + s.host
	s.http = &http.Server{Handler: http.HandlerFunc(s.serve), ReadHeaderTimeout: time.Minute, ReadTimeout: 5 * time.Minute,
		MaxHeaderBytes: 64 << 10, ErrorLog: log.New(io.Discard, "", 0)} // what hangs up is no matter
	go s.http.Serve(ln) // ends with Close
	return s, nil
}

func setDefaults(c *Config) {
	def(&c.Account, "111122223333")
	def(&c.Region, "us-east-1")
	def(&c.Partition, "aws")
	def(&c.Start, time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC))
	c.Start = c.Start.UTC()
	def(&c.Propagation, 4*time.Second)
	c.PropagationMost = max(c.PropagationMost, c.Propagation)
	if c.Function.User == "" {
		def(&c.Function.Role, "buildmedic")
		def(&c.Function.Session, "buildmedic")
	}
	def(&c.Pattern, defaultPattern)
	def(&c.Queue.Visibility, 6*time.Minute)
	def(&c.Queue.MaxReceive, 5)
}

// def sets a value that is still zero.
func def[T comparable](p *T, v T) {
	var zero T
	if *p == zero {
		*p = v
	}
}

// furnish puts in what every home account has.
func (s *Sim) furnish() {
	home := s.estate(s.cfg.Account, s.cfg.Region)
	dlq := &queue{name: DeadLetter, est: home, visibility: s.cfg.Queue.Visibility}
	home.queues[DeadLetter] = dlq
	for _, name := range inbound {
		home.queues[name] = &queue{name: name, est: home, visibility: s.cfg.Queue.Visibility,
			dead: dlq, maxReceive: s.cfg.Queue.MaxReceive}
	}
	home.topics[Topic] = true
	s.subscribe(s.cfg.Mailboxes)
	s.keys[FunctionKey] = s.identify(home.acct, s.cfg.Function)
	s.keys[OwnerKey] = caller{acct: home.acct, arn: home.acct.arn("iam", "", "root"), owner: true}
}

// URL is the endpoint for every service: give it to the SDK as base endpoint.
func (s *Sim) URL() string { return s.url }

// Handle serves a path of the endpoint beside AWS's services.
func (s *Sim) Handle(path string, h http.Handler) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.beside[path] = h
}

// Close stops the endpoint.
func (s *Sim) Close() {
	s.client.CloseIdleConnections()
	s.http.Close()
}

// QueueURL is the address of a queue in the home account.
func (s *Sim) QueueURL(name string) string { return s.url + "/" + s.cfg.Account + "/" + name }

// TopicARN is the ARN of the notice topic.
func (s *Sim) TopicARN() string {
	return strings.Join([]string{"arn", s.cfg.Partition, "sns", s.cfg.Region, s.cfg.Account, Topic}, ":")
}

// account finds or founds an account.
func (s *Sim) account(id string) *account {
	a, ok := s.accounts[id]
	if !ok {
		a = &account{sim: s, id: id, partition: s.cfg.Partition, roles: map[string]*role{},
			policies: map[string]*managedPolicy{}, fullAccess: true}
		s.accounts[id] = a
	}
	return a
}

// estate finds or founds an account's part in a region.
func (s *Sim) estate(acct, region string) *estate {
	at := place{acct, region}
	e, ok := s.estates[at]
	if !ok {
		e = &estate{
			sim: s, acct: s.account(acct), region: region, project: map[string]*project{},
			builds: map[string]*build{}, batches: map[string]*batch{}, reports: map[string]*report{}, groups: map[string]*logGroup{},
			lanes: map[string]*lane{}, repos: map[string]*repository{}, queues: map[string]*queue{}, topics: map[string]bool{},
			pipes: map[string]*pipeline{}, grants: map[string]string{}, tables: map[string]*table{}, stacks: map[string]*Stack{},
			templates:  map[string]stackFile{},
			secrets:    map[string]string{},
			parameters: map[string]parameterFile{},
			jobs:       map[string]*generation{},
		}
		s.estates[at] = e
	}
	return e
}

// arn names something of the estate.
func (e *estate) arn(service, resource string) string { return e.acct.arn(service, e.region, resource) }

func (a *account) arn(service, region, resource string) string {
	return strings.Join([]string{"arn", a.partition, service, region, a.id, resource}, ":")
}

// sortedKeys gives a map's keys in order, so that nothing depends on Go's.
func sortedKeys[M ~map[string]V, V any](m M) []string { return slices.Sorted(maps.Keys(m)) }
