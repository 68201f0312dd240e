package simaws

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/buildmedic/buildmedic/internal/iampolicy"
)

// account is what IAM has for one account, in all regions.
type account struct {
	sim        *Sim
	id         string
	partition  string
	roles      map[string]*role          // by lower-case name: names are unique ignoring case (AWS.md#names)
	policies   map[string]*managedPolicy // by ARN
	scps       []scp
	fullAccess bool // the policy FullAWSAccess is attached, as it is unless somebody took it away
}

// role is an IAM role.
type role struct {
	acct       *account
	name, path string
	id         string
	created    time.Time
	trust      string
	inline     map[string]string // policy name → document
	attached   []string          // ARNs
	boundary   string            // ARN, "" for none
	tags       map[string]string
	past       []feltRole // oldest first
	held       []heldInline
}

// heldInline is what a role's inline policies were from a time on.
type heldInline struct {
	from   time.Time
	inline map[string]string
}

// feltRole is what a role's policies were, and from when builds feel it.
type feltRole struct {
	from     time.Time
	inline   []string
	attached []string
}

// managedPolicy is a managed policy.
type managedPolicy struct {
	acct       *account // nil for AWS's own
	name, path string
	id         string
	arn        string
	created    time.Time
	versions   []policyVersion // oldest first
	current    string          // id of the default version
	next       int             // number of the next version: they are never used again
	past       []feltPolicy
}

type policyVersion struct {
	id, document string
	created      time.Time
}

type feltPolicy struct {
	from     time.Time
	document string
}

// The quotas (AWS.md#quotas).
const (
	maxInline   = 10240 // characters of all inline policies of a role, without whitespace
	maxManaged  = 6144
	maxVersions = 5
	maxAttached = 10
)

func (r *role) arn() string { return r.acct.arn("iam", "", "role"+r.path+r.name) }

func (a *account) role(name string) (*role, bool) {
	r, ok := a.roles[strings.ToLower(name)]
	return r, ok
}

// addRole founds a role; pathName may have a path.
func (a *account) addRole(pathName string) *role {
	name := pathName[strings.LastIndexByte(pathName, '/')+1:]
	path := "/" + strings.TrimPrefix(strings.TrimSuffix(pathName, name), "/")
	r := &role{acct: a, name: name, path: path, id: a.sim.uniqueID("AROA", a.id+name), created: a.sim.cfg.Start,
		inline: map[string]string{}, tags: map[string]string{}}
	a.roles[strings.ToLower(name)] = r
	return r
}

// addPolicy founds a customer managed policy with its first version.
func (a *account) addPolicy(pathName, document string) *managedPolicy {
	name := pathName[strings.LastIndexByte(pathName, '/')+1:]
	path := "/" + strings.TrimPrefix(strings.TrimSuffix(pathName, name), "/")
	p := &managedPolicy{acct: a, name: name, path: path, id: a.sim.uniqueID("ANPA", a.id+name),
		arn: a.arn("iam", "", "policy"+path+name), created: a.sim.cfg.Start, next: 1}
	p.addVersion(document, a.sim.cfg.Start)
	p.current = p.versions[0].id
	p.past = []feltPolicy{{document: document}}
	a.policies[p.arn] = p
	return p
}

func (p *managedPolicy) addVersion(document string, now time.Time) policyVersion {
	v := policyVersion{id: fmt.Sprintf("v%d", p.next), document: document, created: now}
	p.next++
	p.versions = append(p.versions, v)
	return v
}

func (p *managedPolicy) version(id string) (policyVersion, bool) {
	i := slices.IndexFunc(p.versions, func(v policyVersion) bool { return v.id == id })
	if i < 0 {
		return policyVersion{}, false
	}
	return p.versions[i], true
}

// document is the default version's.
func (p *managedPolicy) document() string {
	v, _ := p.version(p.current)
	return v.document
}

// policyByARN finds a customer managed policy, or one of AWS's own.
func (s *Sim) policyByARN(arn string) (*managedPolicy, bool) {
	for _, a := range s.accounts {
		if p, ok := a.policies[arn]; ok {
			return p, true
		}
	}
	return nil, false
}

// propagation is how long the next write to what takes until it is felt.
func (s *Sim) propagation(what string) time.Duration {
	n := fmt.Sprint(s.nth("propagation " + what))
	return s.between(s.cfg.Propagation, s.cfg.PropagationMost, "propagation", what, n)
}

// settle records what the role's policies are now; at the beginning of the
// world they are felt at once.
func (r *role) settle(delay time.Duration) {
	f := feltRole{attached: slices.Clone(r.attached)}
	if delay > 0 {
		f.from = r.acct.sim.now.Add(delay)
	}
	for _, name := range sortedKeys(r.inline) {
		f.inline = append(f.inline, r.inline[name])
	}
	r.past = append(r.past, f)
}

// setInline replaces the inline policies. next is the role's own from now on.
func (r *role) setInline(next map[string]string) {
	if len(r.held) == 0 {
		r.held = []heldInline{{inline: r.inline}}
	}
	r.inline = next
	r.held = append(r.held, heldInline{r.acct.sim.now, next})
	r.changed()
}

// readInline is what one read of the inline policies finds.
func (r *role) readInline() map[string]string {
	s := r.acct.sim
	if s.cfg.Trouble.StaleReads == 0 {
		return r.inline
	}
	at := s.now.Add(-s.between(0, s.cfg.Trouble.StaleReads, "stale", r.arn(), fmt.Sprint(s.nth("stale "+r.arn()))))
	for _, h := range slices.Backward(r.held) {
		if !h.from.After(at) {
			return h.inline
		}
	}
	return r.inline
}

// changed records a write to the role's policies.
func (r *role) changed() { r.settle(max(1, r.acct.sim.propagation(r.arn()))) }

// felt is the newest state of the role's policies that has propagated.
func (r *role) felt(now time.Time) feltRole {
	for _, f := range slices.Backward(r.past) {
		if !f.from.After(now) {
			return f
		}
	}
	return feltRole{}
}

// changed records that the default version is another one now.
func (p *managedPolicy) changed(s *Sim) {
	p.past = append(p.past, feltPolicy{s.now.Add(s.propagation(p.arn)), p.document()})
}

func (p *managedPolicy) felt(now time.Time) string {
	for _, f := range slices.Backward(p.past) {
		if !f.from.After(now) {
			return f.document
		}
	}
	return p.document()
}

// inlineSize is the size of all inline policies as IAM counts it.
func inlineSize(docs map[string]string) int {
	n := 0
	for _, d := range docs {
		n += iampolicy.Size([]byte(d))
	}
	return n
}

var (
	policyNameForm = regexp.MustCompile(`^[\w+=,.@-]{1,128}$`)
	roleNameForm   = regexp.MustCompile(`^[\w+=,.@-]{1,64}$`)
)

// checkDocument refuses what IAM refuses as a policy document.
func checkDocument(text string) error {
	for _, c := range text {
		if c != '\t' && c != '\n' && c != '\r' && (c < 0x20 || c > 0xff) {
			return fail("ValidationError",
				"The specified value for policyDocument is invalid. It must contain only printable ASCII characters.")
		}
	}
	d, err := iampolicy.ParseLoose([]byte(text))
	if err != nil {
		return malformed("Syntax errors in policy. (" + err.Error() + ")")
	}
	return checkStatements(d)
}

func malformed(message string) error { return fail("MalformedPolicyDocument", message) }

var (
	sidForm    = regexp.MustCompile(`^[0-9A-Za-z]*$`)
	actionForm = regexp.MustCompile(`^(\*|[0-9A-Za-z-]+:[0-9A-Za-z*?]+)$`)
)

func checkStatements(d iampolicy.Document) error {
	sids := map[string]bool{}
	for _, st := range d.Statements {
		switch {
		case !sidForm.MatchString(st.Sid):
			return malformed("Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular " +
				"expression [0-9A-Za-z]*")
		case st.Sid != "" && sids[st.Sid]:
			return malformed("Statement IDs (SID) in a single policy must be unique.")
		}
		sids[st.Sid] = true
		for _, a := range slices.Concat(st.Action.List, st.NotAction.List) {
			if !actionForm.MatchString(a) {
				return malformed("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")
			}
		}
		for _, res := range slices.Concat(st.Resource.List, st.NotResource.List) {
			if res != "*" && !strings.HasPrefix(res, "arn:") {
				return malformed("Resource " + res + " must be in ARN format or \"*\".")
			}
		}
	}
	return nil
}

// roleNamed finds the role that a call names.
func (r *request) roleNamed(name string) (*role, error) {
	if !roleNameForm.MatchString(name) {
		return nil, fail("ValidationError", "The specified value for roleName is invalid. It must contain only "+
			"alphanumeric characters and/or the following: +=,.@_-")
	}
	ro, ok := r.caller.acct.role(name)
	if !ok {
		return nil, noEntity("The role with name %s cannot be found.", name)
	}
	return ro, nil
}

// roleARN is what authorize is asked about: the role's ARN, also of one that
// does not exist.
func (r *request) roleARN(name string) string {
	if ro, ok := r.caller.acct.role(name); ok {
		return ro.arn()
	}
	return r.caller.acct.arn("iam", "", "role/"+name)
}

// policyNamed finds the managed policy that a call names.
func (r *request) policyNamed(arn string) (*managedPolicy, error) {
	p, ok := r.sim.policyByARN(arn)
	if !ok || p.acct != nil && p.acct != r.caller.acct {
		return nil, noEntity("Policy %s does not exist or is not attachable.", arn)
	}
	return p, nil
}

func noEntity(format string, args ...any) error {
	return &apiError{Code: "NoSuchEntity", Message: fmt.Sprintf(format, args...), Status: 404}
}

func limitExceeded(format string, args ...any) error {
	return &apiError{Code: "LimitExceeded", Message: fmt.Sprintf(format, args...), Status: 409}
}

// modifiable refuses service-linked roles (AWS.md#untouchable-policies).
func (r *role) modifiable() error {
	if strings.HasPrefix(r.path, "/aws-service-role/") {
		return fail("UnmodifiableEntity",
			fmt.Sprintf("Cannot perform the operation on the protected role '%s' - this role is only modifiable by AWS",
				r.name))
	}
	return nil
}

// encoded is a document as IAM gives it: URL-encoded by RFC 3986, so a space
// is %20 (AWS.md#policy-writes).
func encoded(document string) string {
	return strings.ReplaceAll(url.QueryEscape(document), "+", "%20")
}

// roleContext gives the condition keys about a role (AWS.md#conditions-on-writes).
func (r *request) roleContext(name string) map[string][]string {
	ro, ok := r.caller.acct.role(name)
	if !ok {
		return nil
	}
	c := map[string][]string{}
	if ro.boundary != "" {
		c["iam:PermissionsBoundary"] = []string{ro.boundary}
	}
	for k, v := range ro.tags {
		c["aws:ResourceTag/"+k] = []string{v}
		c["iam:ResourceTag/"+k] = []string{v}
	}
	return c
}

func with(c map[string][]string, key string, values ...string) map[string][]string {
	c = maps.Clone(c)
	if c == nil {
		c = map[string][]string{}
	}
	c[key] = values
	return c
}

// page cuts a list by IAM's Marker and MaxItems (default 100). IAM may give
// fewer items than it was asked for.
func page[T any](r *request, in form, list []T) ([]T, []node, error) {
	from, size := 0, 100
	if m := in.get("Marker"); m != "" {
		if _, err := fmt.Sscanf(m, "marker-%d", &from); err != nil || from > len(list) {
			return nil, nil, fail("ValidationError", "Invalid Marker.")
		}
	}
	if n := in.get("MaxItems"); n != "" {
		if _, err := fmt.Sscan(n, &size); err != nil || size < 1 || size > 1000 {
			return nil, nil, fail("ValidationError", "Invalid MaxItems.")
		}
	}
	if n := r.sim.cfg.Trouble.IAMPage; n > 0 {
		size = min(size, n)
	}
	to := min(from+size, len(list))
	tail := []node{el("IsTruncated", to < len(list))}
	if to < len(list) {
		tail = append(tail, el("Marker", fmt.Sprintf("marker-%d", to)))
	}
	return list[from:to], tail, nil
}

// sortedRoles lists an account's roles by name.
func (a *account) sortedRoles() []*role {
	return slices.SortedFunc(maps.Values(a.roles), func(x, y *role) int { return cmp.Compare(x.name, y.name) })
}
