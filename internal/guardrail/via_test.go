package guardrail

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
)

const key = "arn:aws:kms:eu-west-1:111122223333:key/1f2e3d4c-5b6a-4798-8a9b-0c1d2e3f4a5b"

// ofKey is a denial of a key in a tool's words before AWS's sentence.
func ofKey(before string) buildlog.Denial {
	d := denial("kms:Decrypt", key)
	d.Text = before + "User: " + session + " is not authorized to perform: kms:Decrypt on resource: " + key +
		" because no identity-based policy allows the kms:Decrypt action"
	return d
}

// keyed is a build that was denied the key, with a grant that covers all keys.
func keyed(before string) Input {
	in := shop()
	in.Denials[0] = ofKey(before)
	g := grantOf(&in)
	g.Actions, g.Resources = []string{"kms:Decrypt"}, []string{"arn:${partition}:kms:${region}:${account}:key/*"}
	return in
}

// TestKeyThroughService ensures that a key is given for the service that used it, where the text
// says which that was, and without such a condition where it does not.
func TestKeyThroughService(t *testing.T) {
	for _, row := range []struct{ name, before, want string }{
		{"the CLI reads a parameter", "An error occurred (AccessDeniedException) when calling the GetParameter operation: ",
			"ssm.eu-west-1.amazonaws.com"},
		{"Terraform reads a parameter", "operation error SSM: GetParameter, https response error StatusCode: 400, " +
			"RequestID: 5f642215-959a-11e8-bfd1-81a81941d54a, api error AccessDeniedException: ", "ssm.eu-west-1.amazonaws.com"},
		{"the CLI reads a secret", "An error occurred (AccessDeniedException) when calling the GetSecretValue operation: ",
			"secretsmanager.eu-west-1.amazonaws.com"},
		{"the CLI writes an object", "An error occurred (AccessDenied) when calling the PutObject operation: ",
			"s3.eu-west-1.amazonaws.com"},
		{"the build calls KMS itself", "An error occurred (AccessDeniedException) when calling the Decrypt operation: ", ""},
		{"nobody says", "AccessDeniedException: ", ""},
		{"an operation that uses no key", "An error occurred (AccessDeniedException) when calling the PutImage operation: ", ""},
		{"two operations", "when calling the GetParameter operation: when calling the PutObject operation: ", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			in := asked(keyed(row.before))
			j := Judge(in)
			checkShape(t, in, j)
			if j.Target == nil {
				t.Fatal(j.Refusals)
			}
			var cond []iampolicy.Condition
			if row.want != "" {
				cond = append(cond, equals(viaService, row.want))
			}
			want := []iampolicy.Statement{iampolicy.Allow("shop-image", []string{"kms:Decrypt"}, []string{key}, cond...)}
			if diff := cmp.Diff(want, j.Added); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if got := j.Proof[0].Context[viaService]; strings.Join(got, " ") != row.want {
				t.Errorf("it is proved for %q, want %q", got, row.want)
			}
		})
	}
}

// TestKeyForAnotherService ensures that each service's use of a key is asked about and given by
// itself, once.
func TestKeyForAnotherService(t *testing.T) {
	const ssm, s3 = "when calling the GetParameter operation: ", "when calling the PutObject operation: "
	in := keyed(ssm)
	in.Role.Inline["buildmedic"] = Judge(asked(in)).Target.After
	if j := Judge(asked(in)); !j.Allowed {
		t.Errorf("the same again: %s", verdict(j))
	}
	in.Denials[0] = ofKey(s3)
	j := Judge(asked(in))
	checkShape(t, in, j)
	if j.Target == nil || len(j.Added) != 1 || j.Added[0].Condition[0].Values.List[0] != "s3.eu-west-1.amazonaws.com" {
		t.Fatalf("another service: %s", verdict(j))
	}
	in.Role.Inline["buildmedic"] = policy(iampolicy.Allow("Old", []string{"kms:Decrypt"}, []string{key}))
	if j := Judge(asked(in)); !j.Allowed {
		t.Errorf("given for any service before: %s", verdict(j))
	}
}

// TestKeyIsNotRenewed ensures that a text which names another service, or none, does not renew a grant
// that has ended.
func TestKeyIsNotRenewed(t *testing.T) {
	in := keyed("when calling the GetParameter operation: ")
	grantOf(&in).Expires = time.Hour
	in.Role.Inline["buildmedic"] = Judge(asked(in)).Target.After
	in.Denials[0] = ofKey("when calling the PutObject operation: ")
	if j := Judge(asked(in)); j.Target == nil || len(j.Added) != 1 {
		t.Errorf("before its end: %s", verdict(j))
	}
	in.Now = in.Now.Add(2 * time.Hour)
	for _, before := range []string{"when calling the PutObject operation: ", "when calling the GetParameter operation: ",
		"when calling the GetSecretValue operation: ", "when calling the Decrypt operation: ", "AccessDeniedException: "} {
		in.Denials[0] = ofKey(before)
		if got := verdict(Judge(asked(in))); got != "grant-expired" {
			t.Errorf("%s: %s", before, got)
		}
	}
}

// TestBucketOfThisAccount ensures that a bucket whose name a pattern of the grant covers is given
// as the account's own only, and that one that the grant names is given as it is named.
func TestBucketOfThisAccount(t *testing.T) {
	for pattern, owned := range map[string]bool{
		"arn:${partition}:s3:::shop-*/*":       true,
		"arn:${partition}:s3:::*":              true,
		"*":                                    true,
		"arn:${partition}:s3:::shop-a/*":       false,
		"arn:${partition}:s3:::shop-a/build/x": false,
	} {
		in := shop()
		in.Denials[0] = denial("s3:PutObject", "arn:aws:s3:::shop-a/build/x")
		g := grantOf(&in)
		g.Actions, g.Resources = []string{"s3:PutObject"}, []string{pattern}
		in = asked(in)
		j := Judge(in)
		checkShape(t, in, j)
		var cond []iampolicy.Condition
		if owned {
			cond = append(cond, equals("s3:ResourceAccount", account))
		}
		want := []iampolicy.Statement{iampolicy.Allow("shop-image", []string{"s3:PutObject"}, []string{in.Denials[0].Resource}, cond...)}
		if diff := cmp.Diff(want, j.Added); diff != "" {
			t.Errorf("%s: -want +got:\n%s", pattern, diff)
		}
		ask := func(owner string) iampolicy.Verdict {
			d, err := iampolicy.Parse([]byte(j.Target.After))
			if err != nil {
				t.Fatal(err)
			}
			v, _ := iampolicy.Evaluate(iampolicy.Access{Policies: []iampolicy.Document{d}}, iampolicy.Request{
				Action: "s3:PutObject", Resource: "arn:aws:s3:::shop-a/build/x",
				Context: map[string][]string{"s3:ResourceAccount": {owner}}})
			return v
		}
		if own, other := ask(account), ask("444455556666"); own != iampolicy.Allowed || (other == iampolicy.Allowed) == owned {
			t.Errorf("%s: the account's own bucket %v, another's %v", pattern, own, other)
		}
	}
}

// TestOldBucketStatement ensures that what was given before buckets had to be the account's own
// counts as there: nothing is written beside it.
func TestOldBucketStatement(t *testing.T) {
	in := shop()
	in.Denials[0] = denial("s3:PutObject", "arn:aws:s3:::shop-a/x")
	g := grantOf(&in)
	g.Actions, g.Resources = []string{"s3:PutObject"}, []string{"arn:${partition}:s3:::shop-*/*"}
	in.Role.Inline["buildmedic"] = policy(iampolicy.Allow("Old", []string{"s3:PutObject"}, []string{"arn:aws:s3:::shop-*/*"}))
	if j := Judge(in); j.Refusals != nil || len(j.Added) != 0 {
		t.Errorf("not asked: %s", verdict(j))
	}
	if j := Judge(asked(in)); !j.Allowed {
		t.Errorf("asked: %s", verdict(j))
	}
}
