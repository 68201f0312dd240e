package simaws

import (
	"maps"
	"slices"
)

var iamOperations = map[string]operation{
	"GetRole":                  queryCall(false, "RoleName", getRole),
	"ListRoles":                queryCall(false, "PathPrefix Marker MaxItems", listRoles),
	"ListRolePolicies":         queryCall(false, "RoleName Marker MaxItems", listRolePolicies),
	"GetRolePolicy":            queryCall(false, "RoleName PolicyName", getRolePolicy),
	"PutRolePolicy":            queryCall(true, "RoleName PolicyName PolicyDocument", putRolePolicy),
	"DeleteRolePolicy":         queryCall(true, "RoleName PolicyName", deleteRolePolicy),
	"ListAttachedRolePolicies": queryCall(false, "RoleName PathPrefix Marker MaxItems", listAttachedRolePolicies),
	"AttachRolePolicy":         queryCall(true, "RoleName PolicyArn", attachRolePolicy),
	"DetachRolePolicy":         queryCall(true, "RoleName PolicyArn", detachRolePolicy),
	"GetPolicy":                queryCall(false, "PolicyArn", getPolicy),
	"GetPolicyVersion":         queryCall(false, "PolicyArn VersionId", getPolicyVersion),
	"ListPolicyVersions":       queryCall(false, "PolicyArn Marker MaxItems", listPolicyVersions),
	"CreatePolicyVersion":      queryCall(true, "PolicyArn PolicyDocument SetAsDefault", createPolicyVersion),
	"SetDefaultPolicyVersion":  queryCall(true, "PolicyArn VersionId", setDefaultPolicyVersion),
	"DeletePolicyVersion":      queryCall(true, "PolicyArn VersionId", deletePolicyVersion),
	"ListEntitiesForPolicy": queryCall(false, "PolicyArn EntityFilter PathPrefix PolicyUsageFilter Marker MaxItems",
		listEntitiesForPolicy),
	"SimulatePrincipalPolicy": queryCall(false, "PolicySourceArn PolicyInputList ActionNames ResourceArns ContextEntries "+
		"PermissionsBoundaryPolicyInputList Marker MaxItems", simulatePrincipalPolicy),
	"SimulateCustomPolicy": queryCall(false, "PolicyInputList ActionNames ResourceArns ContextEntries CallerArn "+
		"PermissionsBoundaryPolicyInputList Marker MaxItems", simulateCustomPolicy),
}

func getRole(r *request, in form) ([]node, error) {
	if err := r.authorize("iam:GetRole", r.roleARN(in.get("RoleName")), nil); err != nil {
		return nil, err
	}
	ro, err := r.roleNamed(in.get("RoleName"))
	if err != nil {
		return nil, err
	}
	out := []node{
		el("Path", ro.path), el("RoleName", ro.name), el("RoleId", ro.id), el("Arn", ro.arn()), el("CreateDate", ro.created),
		el("AssumeRolePolicyDocument", encoded(ro.trust)), el("MaxSessionDuration", 3600),
	}
	if ro.boundary != "" {
		out = append(out, el("PermissionsBoundary",
			el("PermissionsBoundaryType", "PermissionsBoundaryPolicy"), el("PermissionsBoundaryArn", ro.boundary)))
	}
	out = append(out, members("Tags", sortedKeys(ro.tags), func(k string) node {
		return el("member", el("Key", k), el("Value", ro.tags[k]))
	}))
	return []node{el("Role", out)}, nil
}

// listRoles gives what is listed of a role, which is less than GetRole gives.
func listRoles(r *request, in form) ([]node, error) {
	if err := r.authorize("iam:ListRoles", r.est.acct.arn("iam", "", "role/*"), nil); err != nil {
		return nil, err
	}
	keys, tail, err := page(r, in, sortedKeys(r.est.acct.roles))
	return append([]node{members("Roles", keys, func(key string) node {
		ro := r.est.acct.roles[key]
		return el("", el("Path", ro.path), el("RoleName", ro.name), el("RoleId", ro.id), el("Arn", ro.arn()),
			el("CreateDate", ro.created), el("AssumeRolePolicyDocument", encoded(ro.trust)), el("MaxSessionDuration", 3600))
	})}, tail...), err
}

func listRolePolicies(r *request, in form) ([]node, error) {
	if err := r.authorize("iam:ListRolePolicies", r.roleARN(in.get("RoleName")), nil); err != nil {
		return nil, err
	}
	ro, err := r.roleNamed(in.get("RoleName"))
	if err != nil {
		return nil, err
	}
	names, tail, err := page(r, in, sortedKeys(ro.readInline()))
	return append([]node{members("PolicyNames", names, textMember)}, tail...), err
}

func getRolePolicy(r *request, in form) ([]node, error) {
	if err := r.authorize("iam:GetRolePolicy", r.roleARN(in.get("RoleName")), nil); err != nil {
		return nil, err
	}
	ro, err := r.roleNamed(in.get("RoleName"))
	if err != nil {
		return nil, err
	}
	r.about = in.get("PolicyName")
	doc, ok := ro.readInline()[r.about]
	if !ok {
		return nil, noEntity("The role policy with name %s cannot be found.", in.get("PolicyName"))
	}
	return []node{el("RoleName", ro.name), el("PolicyName", in.get("PolicyName")), el("PolicyDocument", encoded(doc))}, nil
}

func putRolePolicy(r *request, in form) ([]node, error) {
	role, name, doc := in.get("RoleName"), in.get("PolicyName"), in.get("PolicyDocument")
	r.about = name
	if err := r.authorize("iam:PutRolePolicy", r.roleARN(role), r.roleContext(role)); err != nil {
		return nil, err
	}
	ro, err := r.roleNamed(role)
	if err != nil {
		return nil, err
	}
	return nil, ro.putInline(name, doc)
}

// putInline replaces an inline policy as a whole, without a version check, as
// IAM does (AWS.md#policy-writes).
func (r *role) putInline(name, doc string) error {
	if err := r.modifiable(); err != nil {
		return err
	}
	if !policyNameForm.MatchString(name) {
		return fail("ValidationError", "The specified value for policyName is invalid. It must contain only "+
			"alphanumeric characters and/or the following: +=,.@_-")
	}
	if err := checkDocument(doc); err != nil {
		return err
	}
	next := maps.Clone(r.inline)
	next[name] = doc
	if inlineSize(next) > maxInline {
		return limitExceeded("Maximum policy size of %d bytes exceeded for role %s", maxInline, r.name)
	}
	r.setInline(next)
	return nil
}

func deleteRolePolicy(r *request, in form) ([]node, error) {
	role, name := in.get("RoleName"), in.get("PolicyName")
	r.about = name
	if err := r.authorize("iam:DeleteRolePolicy", r.roleARN(role), r.roleContext(role)); err != nil {
		return nil, err
	}
	ro, err := r.roleNamed(role)
	if err != nil {
		return nil, err
	}
	if err := ro.modifiable(); err != nil {
		return nil, err
	}
	if _, ok := ro.inline[name]; !ok {
		return nil, noEntity("The role policy with name %s cannot be found.", name)
	}
	next := maps.Clone(ro.inline)
	delete(next, name)
	ro.setInline(next)
	return nil, nil
}

func listAttachedRolePolicies(r *request, in form) ([]node, error) {
	if err := r.authorize("iam:ListAttachedRolePolicies", r.roleARN(in.get("RoleName")), nil); err != nil {
		return nil, err
	}
	ro, err := r.roleNamed(in.get("RoleName"))
	if err != nil {
		return nil, err
	}
	arns, tail, err := page(r, in, slices.Clone(ro.attached))
	return append([]node{members("AttachedPolicies", arns, func(arn string) node {
		p, _ := r.sim.policyByARN(arn)
		return el("member", el("PolicyName", p.name), el("PolicyArn", arn))
	})}, tail...), err
}

func attachRolePolicy(r *request, in form) ([]node, error) {
	role, arn := in.get("RoleName"), in.get("PolicyArn")
	r.about = arn
	if err := r.authorize("iam:AttachRolePolicy", r.roleARN(role), with(r.roleContext(role), "iam:PolicyARN", arn)); err != nil {
		return nil, err
	}
	ro, err := r.roleNamed(role)
	if err != nil {
		return nil, err
	}
	if err := ro.modifiable(); err != nil {
		return nil, err
	}
	if _, err := r.policyNamed(arn); err != nil {
		return nil, err
	}
	if slices.Contains(ro.attached, arn) {
		return nil, nil // attaching again is no error
	}
	if len(ro.attached) >= maxAttached {
		return nil, limitExceeded("Cannot exceed quota for PoliciesPerRole: %d", maxAttached)
	}
	ro.attached = append(ro.attached, arn)
	ro.changed()
	return nil, nil
}

func detachRolePolicy(r *request, in form) ([]node, error) {
	role, arn := in.get("RoleName"), in.get("PolicyArn")
	r.about = arn
	if err := r.authorize("iam:DetachRolePolicy", r.roleARN(role), with(r.roleContext(role), "iam:PolicyARN", arn)); err != nil {
		return nil, err
	}
	ro, err := r.roleNamed(role)
	if err != nil {
		return nil, err
	}
	if err := ro.modifiable(); err != nil {
		return nil, err
	}
	i := slices.Index(ro.attached, arn)
	if i < 0 {
		return nil, noEntity("Policy %s was not found.", arn)
	}
	ro.attached = slices.Delete(slices.Clone(ro.attached), i, i+1)
	ro.changed()
	return nil, nil
}
