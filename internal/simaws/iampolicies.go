package simaws

import (
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/iampolicy"
)

func getPolicy(r *request, in form) ([]node, error) {
	arn := in.get("PolicyArn")
	if err := r.authorize("iam:GetPolicy", arn, nil); err != nil {
		return nil, err
	}
	p, err := r.policyNamed(arn)
	if err != nil {
		return nil, err
	}
	attached, bounds := r.sim.usersOf(arn)
	return []node{el("Policy",
		el("PolicyName", p.name), el("PolicyId", p.id), el("Arn", p.arn), el("Path", p.path),
		el("DefaultVersionId", p.current), el("AttachmentCount", len(attached)),
		el("PermissionsBoundaryUsageCount", len(bounds)), el("IsAttachable", true),
		el("CreateDate", p.created), el("UpdateDate", p.versions[len(p.versions)-1].created))}, nil
}

// usersOf lists the roles that have the policy attached, and those that have
// it as their boundary.
func (s *Sim) usersOf(arn string) (attached, bounds []*role) {
	for _, id := range sortedKeys(s.accounts) {
		for _, ro := range s.accounts[id].sortedRoles() {
			if slices.Contains(ro.attached, arn) {
				attached = append(attached, ro)
			}
			if ro.boundary == arn {
				bounds = append(bounds, ro)
			}
		}
	}
	return attached, bounds
}

func getPolicyVersion(r *request, in form) ([]node, error) {
	arn := in.get("PolicyArn")
	if err := r.authorize("iam:GetPolicyVersion", arn, nil); err != nil {
		return nil, err
	}
	p, err := r.policyNamed(arn)
	if err != nil {
		return nil, err
	}
	r.about = in.get("VersionId")
	v, err := p.versionNamed(r.about)
	if err != nil {
		return nil, err
	}
	return []node{el("PolicyVersion", el("Document", encoded(v.document)), p.describe(v))}, nil
}

// describe gives a version's members without its document.
func (p *managedPolicy) describe(v policyVersion) []node {
	return []node{el("VersionId", v.id), el("IsDefaultVersion", v.id == p.current), el("CreateDate", v.created)}
}

func (p *managedPolicy) versionNamed(id string) (policyVersion, error) {
	v, ok := p.version(id)
	if !ok {
		return v, noEntity("Policy %s version %s does not exist or is not attachable.", p.arn, id)
	}
	return v, nil
}

func listPolicyVersions(r *request, in form) ([]node, error) {
	arn := in.get("PolicyArn")
	if err := r.authorize("iam:ListPolicyVersions", arn, nil); err != nil {
		return nil, err
	}
	p, err := r.policyNamed(arn)
	if err != nil {
		return nil, err
	}
	newestFirst := slices.Clone(p.versions)
	slices.Reverse(newestFirst)
	vs, tail, err := page(r, in, newestFirst)
	return append([]node{members("Versions", vs, func(v policyVersion) node {
		return el("member", p.describe(v))
	})}, tail...), err
}

// writable refuses AWS's own policies (AWS.md#untouchable-policies).
func (p *managedPolicy) writable() error {
	if p.acct == nil {
		return &apiError{Code: "AccessDenied", Status: 403,
			Message: "Policy is outside your own account."}
	}
	return nil
}

func createPolicyVersion(r *request, in form) ([]node, error) {
	arn, doc := in.get("PolicyArn"), in.get("PolicyDocument")
	if err := r.authorize("iam:CreatePolicyVersion", arn, nil); err != nil {
		return nil, err
	}
	p, err := r.policyNamed(arn)
	if err != nil {
		return nil, err
	}
	v, err := p.newVersion(r.sim, doc, in.get("SetAsDefault") == "true")
	if err != nil {
		return nil, err
	}
	r.about = v.id
	return []node{el("PolicyVersion", p.describe(v))}, nil
}

func (p *managedPolicy) newVersion(s *Sim, doc string, setDefault bool) (policyVersion, error) {
	if err := p.writable(); err != nil {
		return policyVersion{}, err
	}
	if err := checkDocument(doc); err != nil {
		return policyVersion{}, err
	}
	if iampolicy.Size([]byte(doc)) > maxManaged {
		return policyVersion{}, limitExceeded("Cannot exceed quota for PolicySize: %d", maxManaged)
	}
	if len(p.versions) >= maxVersions {
		return policyVersion{}, limitExceeded("A managed policy can have up to %d versions. Before you create a new "+
			"version, you must delete an existing version.", maxVersions)
	}
	v := p.addVersion(doc, s.now)
	if setDefault {
		p.current = v.id
		p.changed(s)
	}
	return v, nil
}

func setDefaultPolicyVersion(r *request, in form) ([]node, error) {
	arn := in.get("PolicyArn")
	if err := r.authorize("iam:SetDefaultPolicyVersion", arn, nil); err != nil {
		return nil, err
	}
	p, err := r.policyNamed(arn)
	if err != nil {
		return nil, err
	}
	if err := p.writable(); err != nil {
		return nil, err
	}
	r.about = in.get("VersionId")
	v, err := p.versionNamed(r.about)
	if err != nil {
		return nil, err
	}
	p.current = v.id
	p.changed(r.sim)
	return nil, nil
}

func deletePolicyVersion(r *request, in form) ([]node, error) {
	arn := in.get("PolicyArn")
	if err := r.authorize("iam:DeletePolicyVersion", arn, nil); err != nil {
		return nil, err
	}
	p, err := r.policyNamed(arn)
	if err != nil {
		return nil, err
	}
	if err := p.writable(); err != nil {
		return nil, err
	}
	r.about = in.get("VersionId")
	v, err := p.versionNamed(r.about)
	if err != nil {
		return nil, err
	}
	if v.id == p.current {
		return nil, &apiError{Code: "DeleteConflict", Status: 409, Message: "Cannot delete the default version of a policy."}
	}
	p.versions = slices.DeleteFunc(slices.Clone(p.versions), func(o policyVersion) bool { return o.id == v.id })
	return nil, nil
}

func listEntitiesForPolicy(r *request, in form) ([]node, error) {
	arn := in.get("PolicyArn")
	if err := r.authorize("iam:ListEntitiesForPolicy", arn, nil); err != nil {
		return nil, err
	}
	if _, err := r.policyNamed(arn); err != nil {
		return nil, err
	}
	attached, bounds := r.sim.usersOf(arn)
	users := attached
	switch in.get("PolicyUsageFilter") {
	case "PermissionsBoundary":
		users = bounds
	case "":
		users = slices.Concat(attached, bounds)
	}
	if f := in.get("EntityFilter"); f != "" && f != "Role" {
		users = nil // only roles are simulated as users of policies
	}
	if pre := in.get("PathPrefix"); pre != "" {
		users = slices.DeleteFunc(slices.Clone(users), func(ro *role) bool { return !strings.HasPrefix(ro.path, pre) })
	}
	list, tail, err := page(r, in, users)
	out := []node{members("PolicyRoles", list, func(ro *role) node {
		return el("member", el("RoleName", ro.name), el("RoleId", ro.id))
	}), el("PolicyUsers"), el("PolicyGroups")}
	return append(out, tail...), err
}
