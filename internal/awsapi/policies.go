package awsapi

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/smithy-go"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// Current implements [heal.Policies].
func (i IAM) Current(ctx context.Context, at settings.Account, r codebuild.Role, t guardrail.Target) (doc, version string, err error) {
	client, err := i.client(at)
	if err != nil {
		return "", "", err
	}
	return current(ctx, client, r, t)
}

func current(ctx context.Context, client *iam.Client, r codebuild.Role, t guardrail.Target) (doc, version string, err error) {
	switch t.Kind {
	case guardrail.Inline:
		doc, err = inlinePolicy(ctx, client, r.Name, t.Name)
		return doc, "", err
	case guardrail.Managed:
		_, version, err = versions(ctx, client, t.Name)
		if err == nil {
			doc, err = policyVersion(ctx, client, t.Name, version)
		}
		return doc, version, err
	case guardrail.Attach:
		doc, err = attachedOf(ctx, client, r, t)
		return doc, "", err
	}
	return "", "", fmt.Errorf("target kind %q is not known", t.Kind)
}

func attachedOf(ctx context.Context, client *iam.Client, r codebuild.Role, t guardrail.Target) (string, error) {
	arns, err := attachedARNs(ctx, client, r.Name)
	var there []string
	for _, a := range t.Attach {
		if slices.Contains(arns, a) {
			there = append(there, a)
		}
	}
	return strings.Join(there, " "), err
}

// Write implements [heal.Policies].
func (i IAM) Write(ctx context.Context, at settings.Account, r codebuild.Role, t guardrail.Target, known []string) (string, error) {
	client, err := i.client(at)
	if err != nil {
		return "", err
	}
	switch t.Kind {
	case guardrail.Inline:
		return "", writeInline(ctx, client, r, t.Name, t.Before, t.After)
	case guardrail.Managed:
		return writeVersion(ctx, client, t, known)
	case guardrail.Attach:
		return "", attach(ctx, client, r, t)
	}
	return "", fmt.Errorf("target kind %q is not known", t.Kind)
}

// attach attaches the target's policies, none before each was looked at. One
// that is attached already stays so.
func attach(ctx context.Context, client *iam.Client, r codebuild.Role, t guardrail.Target) error {
	for _, arn := range t.Attach {
		if err := holdsAtMost(ctx, client, arn, t.Holds[arn]); err != nil {
			return err
		}
	}
	for _, arn := range t.Attach {
		_, err := client.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: &r.Name, PolicyArn: &arn})
		if err = classify(err); errors.Is(err, heal.ErrNotFound) {
			err = fmt.Errorf("the role or the policy is gone: %w: %w", heal.ErrFinal, err)
		}
		if err != nil {
			return fmt.Errorf("attaching policy %q: %w", arn, err)
		}
	}
	return nil
}

// detach detaches the target's policies, the last attached first, and returns
// those that were attached. One that cannot be detached does not keep the
// others attached. What is attached is not asked for first, since IAM may not
// show a policy yet that was attached a moment ago (AWS.md#consistency).
func detach(ctx context.Context, client *iam.Client, r codebuild.Role, t guardrail.Target) (was []string, err error) {
	var errs []error
	for _, arn := range slices.Backward(t.Attach) {
		_, err := client.DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: &r.Name, PolicyArn: &arn})
		switch err = classify(err); {
		case errors.Is(err, heal.ErrNotFound):
		case err != nil:
			errs = append(errs, fmt.Errorf("detaching policy %q: %w", arn, err))
		default:
			was = append(was, arn)
		}
	}
	slices.Reverse(was)
	return was, errors.Join(errs...)
}

// holdsAtMost looks whether a ready-made policy gives no more than its grant:
// otherwise a person who can change it would decide what the role gets.
func holdsAtMost(ctx context.Context, client *iam.Client, arn, most string) error {
	p, err := managedPolicy(ctx, client, arn)
	if errors.Is(err, heal.ErrNotFound) {
		err = fmt.Errorf("%w: %w", heal.ErrFinal, err)
	}
	if err != nil {
		return fmt.Errorf("reading policy %q: %w; deploy the stack with these settings", arn, err)
	}
	has, err := iampolicy.ParseLoose([]byte(p.Document))
	if err != nil {
		return fmt.Errorf("policy %q: %w: %w", arn, err, heal.ErrFinal)
	}
	may, err := iampolicy.ParseLoose([]byte(most))
	if err != nil {
		return fmt.Errorf("policy %q: what it should hold: %w: %w", arn, err, heal.ErrFinal)
	}
	if ok, why := iampolicy.Contains([]iampolicy.Document{may}, []iampolicy.Document{has}); !ok {
		return fmt.Errorf("policy %q gives more than its grant (%s), so it was not attached; "+
			"deploy the stack again: %w",
			arn, why, heal.ErrFinal)
	}
	return nil
}

// writeInline replaces an inline policy. IAM has no condition for that call
// (AWS.md#policy-writes): the document is compared right before, and read back
// right after; "" deletes the policy. The SDK must not repeat the call: if the
// answer is lost, somebody else may have written since, so what is there is looked at first.
func writeInline(ctx context.Context, client *iam.Client, r codebuild.Role, name, before, after string) error {
	now, err := inlinePolicy(ctx, client, r.Name, name)
	if err != nil || now == after {
		return err // written already, by a run that died
	}
	if !iampolicy.Same(now, before) {
		return fmt.Errorf("inline policy %q is not what it was: %w", name, heal.ErrConflict)
	}
	if after == "" {
		_, err := client.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: &r.Name, PolicyName: &name}, once)
		if err != nil && !answered(err) {
			return fmt.Errorf("deleting inline policy %q: no answer: %w: %w", name, heal.ErrLater, err)
		}
		if err = classify(err); errors.Is(err, heal.ErrNotFound) {
			return nil
		}
		return err
	}
	if _, err := client.PutRolePolicy(ctx,
		&iam.PutRolePolicyInput{RoleName: &r.Name, PolicyName: &name, PolicyDocument: &after}, once); err != nil &&
		answered(err) {
		return classify(err)
	}
	if now, err = inlinePolicy(ctx, client, r.Name, name); err != nil {
		return err
	}
	if iampolicy.Same(now, before) {
		// Not overwritten, but not shown yet (AWS.md#consistency): looked at again later.
		return fmt.Errorf("inline policy %q was written, and IAM does not show it: %w", name, heal.ErrUnseen)
	}
	if !iampolicy.Same(now, after) {
		return fmt.Errorf("inline policy %q was written by somebody else at the same time: %w", name, heal.ErrConflict)
	}
	return nil
}

// once keeps the SDK from sending a call again.
func once(o *iam.Options) { o.RetryMaxAttempts = 1 }

// answered reports whether an error is AWS's own word: any other one leaves
// open whether the call had its effect.
func answered(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api)
}

// writeVersion makes a new default version. A version that is neither known
// nor ours was made by somebody else between the look and the write; it is
// found by comparing the lists, and is the default again afterwards. A version
// of ours that an earlier run has made already is completed.
func writeVersion(ctx context.Context, client *iam.Client, t guardrail.Target, known []string) (string, error) {
	before, def, err := versions(ctx, client, t.Name)
	if err != nil {
		return "", err
	}
	if def != t.BeforeVersion {
		return adoptVersion(ctx, client, t, before, def, known)
	}
	if t.DropVersion != "" && has(before, t.DropVersion) {
		if err := dropVersion(ctx, client, t.Name, t.DropVersion); err != nil {
			return "", err
		}
	}
	out, err := client.CreatePolicyVersion(ctx,
		&iam.CreatePolicyVersionInput{PolicyArn: &t.Name, PolicyDocument: &t.After, SetAsDefault: true})
	if err != nil {
		return "", classify(err)
	}
	ours := aws.ToString(out.PolicyVersion.VersionId)
	after, def, err := versions(ctx, client, t.Name)
	if err != nil {
		return "", err
	}
	for _, v := range before {
		known = append(known, v.ID)
	}
	if err := alone(ctx, client, t, after, def, ours, known); err != nil {
		return "", err
	}
	return ours, nil
}

// adoptVersion completes a write that an earlier run has made: the
// default version is new, and it is what was to be written.
func adoptVersion(
	ctx context.Context, client *iam.Client, t guardrail.Target, vs []guardrail.Version, def string, known []string,
) (string, error) {
	doc := ""
	if len(known) > 0 && !slices.Contains(known, def) {
		var err error
		if doc, err = policyVersion(ctx, client, t.Name, def); err != nil {
			return "", err
		}
	}
	if doc == "" || !iampolicy.Same(doc, t.After) {
		return "", fmt.Errorf("policy %q has the default version %s, not %s: %w", t.Name, def, t.BeforeVersion, heal.ErrConflict)
	}
	if err := alone(ctx, client, t, vs, def, def, known); err != nil {
		return "", err
	}
	return def, nil
}

// alone ensures that nobody made another version while ours was made. A twin
// of ours, of a call whose answer was lost, is deleted. Of strangers' versions
// the newest is made the default again, and ours is deleted.
func alone(ctx context.Context, client *iam.Client, t guardrail.Target, vs []guardrail.Version, def, ours string, known []string) error {
	theirs := ""
	for _, v := range vs {
		if v.ID == ours || slices.Contains(known, v.ID) {
			continue
		}
		doc, err := policyVersion(ctx, client, t.Name, v.ID)
		if err != nil {
			return err
		}
		if !iampolicy.Same(doc, t.After) {
			if number(v.ID) > number(theirs) {
				theirs = v.ID
			}
		} else if v.ID != def {
			if err := dropVersion(ctx, client, t.Name, v.ID); err != nil {
				return err
			}
		}
	}
	if theirs == "" {
		if def != ours {
			return fmt.Errorf("policy %q has the default version %s, not our %s: %w", t.Name, def, ours, heal.ErrConflict)
		}
		return nil
	}
	if err := setDefault(ctx, client, t.Name, theirs, ours); err != nil {
		return err
	}
	if err := dropVersion(ctx, client, t.Name, ours); err != nil {
		return err
	}
	return fmt.Errorf("somebody else made version %s of policy %q at the same time: %w", theirs, t.Name, heal.ErrConflict)
}

// setDefault makes the version the default, or one that is newer still but
// not ours: a stranger may be at it at this moment.
func setDefault(ctx context.Context, client *iam.Client, arn, version, ours string) error {
	for range 3 {
		if _, err := client.SetDefaultPolicyVersion(ctx,
			&iam.SetDefaultPolicyVersionInput{PolicyArn: &arn, VersionId: &version}); err != nil {
			return classify(err)
		}
		vs, _, err := versions(ctx, client, arn)
		if err != nil {
			return err
		}
		later := newest(vs, func(id string) bool { return id != ours })
		if number(later) <= number(version) {
			return nil
		}
		version = later
	}
	return nil
}

// newest is the newest of the versions that count, "" if none does.
func newest(vs []guardrail.Version, counts func(id string) bool) (id string) {
	for _, v := range vs {
		if counts(v.ID) && number(v.ID) > number(id) {
			id = v.ID
		}
	}
	return id
}

// number is that of a version, "v12"; versions count up.
func number(version string) int {
	n, _ := strconv.Atoi(strings.TrimPrefix(version, "v"))
	return n
}

func dropVersion(ctx context.Context, client *iam.Client, arn, version string) error {
	_, err := client.DeletePolicyVersion(ctx, &iam.DeletePolicyVersionInput{PolicyArn: &arn, VersionId: &version})
	if err = classify(err); errors.Is(err, heal.ErrNotFound) {
		return nil
	}
	return err
}

func has(vs []guardrail.Version, id string) bool {
	return slices.ContainsFunc(vs, func(v guardrail.Version) bool { return v.ID == id })
}

// Restore implements [heal.Policies].
func (i IAM) Restore(ctx context.Context, at settings.Account, r codebuild.Role, t guardrail.Target, version string) error {
	client, err := i.client(at)
	if err != nil {
		return err
	}
	switch t.Kind {
	case guardrail.Inline:
		return writeInline(ctx, client, r, t.Name, t.After, t.Before)
	case guardrail.Managed:
		return restoreVersion(ctx, client, t, version)
	case guardrail.Attach:
		_, err := detach(ctx, client, r, t)
		return err
	}
	return nil
}

// Abandon implements [heal.Policies].
func (i IAM) Abandon(
	ctx context.Context, at settings.Account, r codebuild.Role, t guardrail.Target, known []string,
) (told string, err error) {
	client, err := i.client(at)
	if err != nil {
		return "", err
	}
	switch t.Kind {
	case guardrail.Inline:
		now, err := inlinePolicy(ctx, client, r.Name, t.Name)
		if err != nil || !iampolicy.Same(now, t.After) || iampolicy.Same(now, t.Before) {
			return "", err
		}
		if err := writeInline(ctx, client, r, t.Name, now, t.Before); err != nil {
			return "", err
		}
		return fmt.Sprintf("Inline policy %s had been written, and is again what it was.", t.Name), nil
	case guardrail.Managed:
		return abandonVersion(ctx, client, t, known)
	case guardrail.Attach:
		was, err := detach(ctx, client, r, t)
		if len(was) > 0 {
			told = fmt.Sprintf("It had attached %s, which is detached again.", strings.Join(was, " and "))
		}
		return told, err
	}
	return "", nil
}

// abandonVersion deletes the version that a write made, if it did. Whether the
// oldest version was deleted for it is not its business; see Recreate.
func abandonVersion(
	ctx context.Context, client *iam.Client, t guardrail.Target, known []string,
) (told string, err error) {
	vs, def, err := versions(ctx, client, t.Name)
	if err != nil {
		return "", err
	}
	var tell []string
	for _, v := range vs {
		if len(known) == 0 || slices.Contains(known, v.ID) {
			continue
		}
		doc, err := policyVersion(ctx, client, t.Name, v.ID)
		if err != nil {
			return "", err
		}
		switch {
		case !iampolicy.Same(doc, t.After):
			continue // somebody else's
		case v.ID == def:
			err = restoreVersion(ctx, client, t, v.ID)
		default:
			err = dropVersion(ctx, client, t.Name, v.ID)
		}
		if err != nil {
			return "", err
		}
		tell = append(tell, fmt.Sprintf("Version %s of policy %s had been made, and is deleted again.", v.ID, t.Name))
	}
	return strings.Join(tell, " "), nil
}

// Version implements [heal.Versions].
func (i IAM) Version(ctx context.Context, at settings.Account, policy, version string) (string, error) {
	client, err := i.client(at)
	if err != nil {
		return "", err
	}
	return policyVersion(ctx, client, policy, version)
}

// Recreate implements [heal.Versions].
func (i IAM) Recreate(ctx context.Context, at settings.Account, policy, gone, document string, known []string) (string, error) {
	client, err := i.client(at)
	if err != nil {
		return "", err
	}
	vs, _, err := versions(ctx, client, policy)
	if err != nil || has(vs, gone) {
		return gone, err
	}
	for _, v := range vs {
		if slices.Contains(known, v.ID) {
			continue
		}
		doc, err := policyVersion(ctx, client, policy, v.ID)
		if err != nil {
			return "", err
		}
		if iampolicy.Same(doc, document) {
			return v.ID, nil // made by an earlier run, whose answer was lost
		}
	}
	if len(vs) >= maxVersions {
		return "", fmt.Errorf("all %d places for versions are taken: %w", maxVersions, heal.ErrFinal)
	}
	out, err := client.CreatePolicyVersion(ctx, &iam.CreatePolicyVersionInput{PolicyArn: &policy, PolicyDocument: &document}, once)
	if err != nil {
		return "", classify(err)
	}
	return aws.ToString(out.PolicyVersion.VersionId), nil
}

// maxVersions is how many versions IAM keeps of a managed policy (AWS.md#quotas).
const maxVersions = 5

// restoreVersion makes the earlier version the default again, and deletes ours.
// Like a write it has no condition: a version that somebody else made between
// the look and the change is the default again afterwards.
func restoreVersion(ctx context.Context, client *iam.Client, t guardrail.Target, version string) error {
	vs, def, err := versions(ctx, client, t.Name)
	if err != nil {
		return err
	}
	if def != version || !has(vs, t.BeforeVersion) {
		return fmt.Errorf("policy %q has the default version %s, not our %s: %w", t.Name, def, version, heal.ErrConflict)
	}
	if _, err := client.SetDefaultPolicyVersion(ctx,
		&iam.SetDefaultPolicyVersionInput{PolicyArn: &t.Name, VersionId: &t.BeforeVersion}); err != nil {
		return classify(err)
	}
	after, _, err := versions(ctx, client, t.Name)
	if err != nil {
		return err
	}
	if theirs := newest(after, func(id string) bool { return !has(vs, id) }); theirs != "" {
		if err := setDefault(ctx, client, t.Name, theirs, version); err != nil {
			return err
		}
		return fmt.Errorf("somebody else made version %s of policy %q at the same time: %w", theirs, t.Name, heal.ErrConflict)
	}
	return dropVersion(ctx, client, t.Name, version)
}
