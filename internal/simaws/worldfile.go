package simaws

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// The world file: see the package documentation.

type worldFile struct {
	Account         string                `yaml:"account"`
	Region          string                `yaml:"region"`
	Partition       string                `yaml:"partition"`
	Start           time.Time             `yaml:"start"`
	Seed            uint64                `yaml:"seed"`
	Propagation     duration              `yaml:"propagation"`
	PropagationMost duration              `yaml:"propagation_most"`
	Enforce         bool                  `yaml:"enforce"`
	RetryKeepsRole  bool                  `yaml:"retry_keeps_role"`
	Initiator       string                `yaml:"initiator"`
	NoBuildKeys     []string              `yaml:"no_build_keys"`
	BuildQueue      int                   `yaml:"build_queue"`
	NoQuota         []string              `yaml:"no_quota"`
	TopicKey        string                `yaml:"topic_key"`
	Mailboxes       []string              `yaml:"mailboxes"`
	Function        Identity              `yaml:"function"`
	Callers         map[string]callerFile `yaml:"callers"`
	Pattern         string                `yaml:"pattern"`
	Queue           queueFile             `yaml:"queue"`
	Trouble         troubleFile           `yaml:"trouble"`
	Estate          estateFile            `yaml:",inline"`
	Members         []memberFile          `yaml:"members"`
	Starts          []startFile           `yaml:"starts"`
	GitHub          githubFile            `yaml:"github"`
	Code            []codeFile            `yaml:"code"`
	Deploys         []deployFile          `yaml:"deploys"`
	Troubleshooter  *troubleshooterFile   `yaml:"access_troubleshooter"`
	Outages         []hostOutageFile      `yaml:"outages"`
}

type troubleshooterFile struct {
	Late      int  `yaml:"late"`
	Page      int  `yaml:"page"`
	Unchecked bool `yaml:"unchecked"`
}

type githubFile struct {
	Host         string            `yaml:"host"`
	Token        string            `yaml:"token"`
	Permissions  []string          `yaml:"permissions"`
	Repositories []string          `yaml:"repositories"`
	Comments     []pullCommentFile `yaml:"comments"`
	Runs         []workflowFile    `yaml:"runs"`
	Outages      []outageFile      `yaml:"outages"`
}

type outageFile struct {
	After duration `yaml:"after"`
	Lasts duration `yaml:"lasts"`
}

type workflowFile struct {
	Repository string            `yaml:"repository"`
	Run        int64             `yaml:"run"`
	Version    string            `yaml:"version"`
	After      duration          `yaml:"after"`
	Jobs       []workflowJobFile `yaml:"jobs"`
}

type workflowJobFile struct {
	Name     string   `yaml:"name"`
	Project  string   `yaml:"project"`
	Lost     int      `yaml:"lost"`
	Idle     int      `yaml:"idle"`
	Dies     diesFile `yaml:"dies"`
	Again    duration `yaml:"again"`
	NamesRun bool     `yaml:"names_run"`
}

type diesFile struct {
	Times int      `yaml:"times"`
	After duration `yaml:"after"`
}

type hostOutageFile struct {
	Host   string   `yaml:"host"`
	After  duration `yaml:"after"`
	Lasts  duration `yaml:"lasts"`
	Prints string   `yaml:"prints"`
	Exit   int      `yaml:"exit"`
}

type codeFile struct {
	Repository string            `yaml:"repository"`
	Branch     string            `yaml:"branch"`
	Files      map[string]string `yaml:"files"`
	Links      map[string]string `yaml:"links"`
}

type deployFile struct {
	Repository string   `yaml:"repository"`
	Branch     string   `yaml:"branch"`
	Path       string   `yaml:"path"`
	Account    string   `yaml:"account"`
	Role       string   `yaml:"role"`
	Inline     string   `yaml:"inline"`
	Policy     string   `yaml:"policy"`
	Takes      duration `yaml:"takes"`
}

type pullCommentFile struct {
	Repository string `yaml:"repository"`
	Pull       int    `yaml:"pull"`
	Author     int64  `yaml:"author"`
	Body       string `yaml:"body"`
}

type callerFile struct {
	Account  string   `yaml:"account"`
	Identity Identity `yaml:",inline"`
}

type queueFile struct {
	Visibility duration `yaml:"visibility"`
	MaxReceive int      `yaml:"max_receive"`
}

type troubleFile struct {
	DropEvents      float64  `yaml:"drop_events"`
	DuplicateEvents float64  `yaml:"duplicate_events"`
	DelayEvents     duration `yaml:"delay_events"`
	Throttle        float64  `yaml:"throttle"`
	LoseRequest     float64  `yaml:"lose_request"`
	LoseResponse    float64  `yaml:"lose_response"`
	CallTime        duration `yaml:"call_time"`
	LogLag          duration `yaml:"log_lag"`
	EmptyPages      int      `yaml:"empty_pages"`
	LogPage         int      `yaml:"log_page"`
	IAMPage         int      `yaml:"iam_page"`
	RateLimits      bool     `yaml:"rate_limits"`
	Others          float64  `yaml:"others"`
	Concurrent      int      `yaml:"concurrent_builds"`
}

type memberFile struct {
	Account string     `yaml:"account"`
	Region  string     `yaml:"region"`
	Estate  estateFile `yaml:",inline"`
}

type estateFile struct {
	SCPs             []scpFile                `yaml:"scps"`
	FullAccess       *bool                    `yaml:"full_aws_access"`
	Policies         []policyFile             `yaml:"policies"`
	Roles            []roleFile               `yaml:"roles"`
	Repositories     []repositoryFile         `yaml:"repositories"`
	CreateOnPush     []string                 `yaml:"create_on_push"`
	Buckets          []bucketFile             `yaml:"buckets"`
	Topics           []string                 `yaml:"topics"`
	ResourcePolicies []resourcePolicyFile     `yaml:"resource_policies"`
	Projects         []projectFile            `yaml:"projects"`
	Pipelines        []pipelineFile           `yaml:"pipelines"`
	Secrets          map[string]string        `yaml:"secrets"`
	Parameters       map[string]parameterFile `yaml:"parameters"`
	Stacks           []stackFile              `yaml:"stacks"`
}

type parameterFile struct {
	Value    string `yaml:"value"`
	Type     string `yaml:"type"`
	Key      string `yaml:"key"`
	KeyState string `yaml:"key_state"`
}

type stackFile struct {
	Name      string              `yaml:"name"`
	Role      string              `yaml:"role"`
	Nested    bool                `yaml:"nested"`
	Deleted   bool                `yaml:"deleted"`
	Resources []stackResourceFile `yaml:"resources"`
}

type stackResourceFile struct {
	ID         string       `yaml:"id"`
	Type       string       `yaml:"type"`
	Needs      []callFile   `yaml:"needs"`
	Reason     string       `yaml:"reason"`
	Stack      string       `yaml:"stack"`
	Hook       *refusalFile `yaml:"hook"`
	Validation *refusalFile `yaml:"validation"`
}

type refusalFile struct {
	Name   string `yaml:"name"`
	Reason string `yaml:"reason"`
	Path   string `yaml:"path"`
	Mode   string `yaml:"mode"`
}

type scpFile struct {
	ID       string `yaml:"id"`
	Document string `yaml:"document"`
}

type policyFile struct {
	Name     string   `yaml:"name"`
	Document string   `yaml:"document"`
	Versions []string `yaml:"versions"`
	Default  string   `yaml:"default"`
}

type roleFile struct {
	Name     string            `yaml:"name"`
	Trust    string            `yaml:"trust"`
	Inline   map[string]string `yaml:"inline"`
	Attached []string          `yaml:"attached"`
	Boundary string            `yaml:"boundary"`
	Tags     map[string]string `yaml:"tags"`
}

type repositoryFile struct {
	Name   string `yaml:"name"`
	Policy string `yaml:"policy"`
}

type bucketFile struct {
	Name    string            `yaml:"name"`
	Policy  string            `yaml:"policy"`
	Objects map[string]string `yaml:"objects"`
}

type resourcePolicyFile struct {
	Resource string `yaml:"resource"`
	Document string `yaml:"document"`
}

type projectFile struct {
	Name             string                `yaml:"name"`
	Role             string                `yaml:"role"`
	Image            string                `yaml:"image"`
	Source           sourceFile            `yaml:"source"`
	Buildspec        string                `yaml:"buildspec"`
	Buildspecs       map[string]phasesFile `yaml:"buildspecs"`
	Versions         []versionFile         `yaml:"versions"`
	AutoRetry        int                   `yaml:"auto_retry"`
	ConcurrentBuilds int                   `yaml:"concurrent_builds"`
	Timeout          duration              `yaml:"timeout"`
	Faults           int                   `yaml:"faults"`
	OnFailure        onFailureFile         `yaml:"on_failure"`
	Batch            []childFile           `yaml:"batch"`
	BatchRole        string                `yaml:"batch_role"`
	BatchFails       []batchFailFile       `yaml:"batch_fails"`
	Logs             logsFile              `yaml:"logs"`
	Artifacts        string                `yaml:"artifacts"`
	Reports          []reportFile          `yaml:"reports"`
	Webhook          [][]filterOut         `yaml:"webhook"` // groups of filters
	Parameters       []string              `yaml:"parameters"`
	Secrets          []string              `yaml:"secrets"`
	VPC              bool                  `yaml:"vpc"`
	Environment      string                `yaml:"environment"`
	Compute          string                `yaml:"compute"`
	Privileged       *bool                 `yaml:"privileged"`
	Fleet            string                `yaml:"fleet"`
	DockerServer     bool                  `yaml:"docker_server"`
	Refused          refusedFile           `yaml:"refused"`
}

// refusedFile is a phase of CodeBuild's own that fails.
type refusedFile struct {
	Phase   string `yaml:"phase"`
	Code    string `yaml:"code"`
	Message string `yaml:"message"`
	Times   int    `yaml:"times"`
}

type reportFile struct {
	Group      string     `yaml:"group"`
	Shared     bool       `yaml:"shared"`
	Type       string     `yaml:"type"`
	Takes      duration   `yaml:"takes"`
	Incomplete bool       `yaml:"incomplete"`
	Build      string     `yaml:"build"`
	Passed     int        `yaml:"passed"`
	Cases      []caseFile `yaml:"cases"`
}

type caseFile struct {
	Suite   string `yaml:"suite"`
	Name    string `yaml:"name"`
	Status  string `yaml:"status"`
	Message string `yaml:"message"`
	Times   int    `yaml:"times"`
	Repeat  int    `yaml:"repeat"`
}

type sourceFile struct {
	Type     string `yaml:"type"`
	Location string `yaml:"location"`
}

type logsFile struct {
	Group  string `yaml:"group"`
	Stream string `yaml:"stream"`
	Off    bool   `yaml:"off"`
	S3     string `yaml:"s3"`
}

type versionFile struct {
	Ref        string                `yaml:"ref"`
	Commit     string                `yaml:"commit"`
	Buildspecs map[string]phasesFile `yaml:"buildspecs"`
}

type childFile struct {
	Identifier string `yaml:"identifier"`
	Buildspec  string `yaml:"buildspec"`
}

type phasesFile struct {
	Install   []stepFile `yaml:"install"`
	PreBuild  []stepFile `yaml:"pre_build"`
	Build     []stepFile `yaml:"build"`
	PostBuild []stepFile `yaml:"post_build"`
}

type stepFile struct {
	Run    string     `yaml:"run"`
	Takes  duration   `yaml:"takes"`
	Prints string     `yaml:"prints"`
	Calls  []callFile `yaml:"calls"`
	Fails  *failFile  `yaml:"fails"`
	Tool   string     `yaml:"tool"`
	Exit   int        `yaml:"exit"`
	Ignore bool       `yaml:"ignore_failure"`
	Needs  string     `yaml:"needs"`
}

type callFile struct {
	Action    string            `yaml:"action"`
	On        string            `yaml:"on"`
	With      map[string]string `yaml:"with"`
	As        string            `yaml:"as"`
	Says      string            `yaml:"says"`
	Operation string            `yaml:"operation"`
	Role      string            `yaml:"role"`
	Session   string            `yaml:"session"`
	Also      []string          `yaml:"also"`
}

type failFile struct {
	Times  int    `yaml:"times"`
	Prints string `yaml:"prints"`
	Exit   int    `yaml:"exit"`
}

type pipelineFile struct {
	Name   string      `yaml:"name"`
	Role   string      `yaml:"role"`
	Pulls  bool        `yaml:"pull_requests"`
	Stages []stageFile `yaml:"stages"`
}

type stageFile struct {
	Name    string       `yaml:"name"`
	Retry   bool         `yaml:"retry_on_failure"`
	Actions []actionFile `yaml:"actions"`
}

type actionFile struct {
	Name     string        `yaml:"name"`
	Project  string        `yaml:"project"`
	Batch    bool          `yaml:"batch"`
	Branch   string        `yaml:"branch"`
	Refuses  *refuseFile   `yaml:"refuses"`
	Commands *commandsFile `yaml:"commands"`
}

// refuseFile has CodeBuild refuse the first so many starts; 0: all of them.
type refuseFile struct {
	Times int    `yaml:"times"`
	Code  string `yaml:"code"`
	Says  string `yaml:"says"`
}

// commandsFile is what a Commands action runs. It fails the first so many times; 0: always.
type commandsFile struct {
	Run    string `yaml:"run"`
	Prints string `yaml:"prints"`
	Times  int    `yaml:"times"`
	Exit   int    `yaml:"exit"`
}

type startFile struct {
	Project   string    `yaml:"project"`
	Pipeline  string    `yaml:"pipeline"`
	Batch     bool      `yaml:"batch"`
	Account   string    `yaml:"account"`
	Region    string    `yaml:"region"`
	Version   string    `yaml:"version"`
	Initiator string    `yaml:"initiator"`
	Trigger   string    `yaml:"trigger"`
	Branch    string    `yaml:"branch"`
	After     duration  `yaml:"after"`
	Buildspec string    `yaml:"buildspec"`
	Overrides overrides `yaml:"overrides"`
}

// duration is a Go duration in the file: "90s".
type duration time.Duration

func (d *duration) UnmarshalYAML(n *yaml.Node) error {
	v, err := time.ParseDuration(n.Value)
	if err != nil || v < 0 {
		return fmt.Errorf("line %d: %q is no duration such as 90s", n.Line, n.Value)
	}
	*d = duration(v)
	return nil
}

// UnmarshalYAML reads a step: a command, or a mapping.
func (s *stepFile) UnmarshalYAML(n *yaml.Node) error {
	type plain stepFile
	if n.Kind == yaml.ScalarNode {
		*s = stepFile{Run: n.Value}
		return nil
	}
	if err := known(n, "run", "takes", "prints", "calls", "fails", "tool", "exit", "ignore_failure", "needs"); err != nil {
		return err
	}
	return n.Decode((*plain)(s))
}

// UnmarshalYAML reads a batch's child: its identifier, or a mapping.
func (c *childFile) UnmarshalYAML(n *yaml.Node) error {
	type plain childFile
	if n.Kind == yaml.ScalarNode {
		*c = childFile{Identifier: n.Value}
		return nil
	}
	if err := known(n, "identifier", "buildspec"); err != nil {
		return err
	}
	return n.Decode((*plain)(c))
}

// UnmarshalYAML reads a call: "ACTION", "ACTION on RESOURCE", or a mapping.
func (c *callFile) UnmarshalYAML(n *yaml.Node) error {
	type plain callFile
	if n.Kind == yaml.ScalarNode {
		action, on, _ := strings.Cut(n.Value, " on ")
		*c = callFile{Action: action, On: on}
		return nil
	}
	if err := known(n, "action", "on", "with", "as", "says", "operation", "role", "session", "also"); err != nil {
		return err
	}
	return n.Decode((*plain)(c))
}

// UnmarshalYAML reads a step's own failure.
func (f *failFile) UnmarshalYAML(n *yaml.Node) error {
	type plain failFile
	if err := known(n, "times", "prints", "exit"); err != nil {
		return err
	}
	return n.Decode((*plain)(f))
}

// known refuses a key that is not in the list: the strictness of the decoder
// does not reach into own unmarshalers.
func known(n *yaml.Node, keys ...string) error {
	if n.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: neither a string nor a mapping", n.Line)
	}
	for i := 0; i < len(n.Content); i += 2 {
		if k := n.Content[i]; !slices.Contains(keys, k.Value) {
			return fmt.Errorf("line %d: field %s not found", k.Line, k.Value)
		}
	}
	return nil
}
