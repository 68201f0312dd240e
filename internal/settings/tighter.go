package settings

import (
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/iamref"
)

// bucketAccount is the key with the account that owns the bucket of a request. No ARN of a bucket
// says whose it is, and anybody may make one whose name fits a pattern (AWS.md#bucket-owner).
const bucketAccount = "s3:ResourceAccount"

// tighter parts the resources on which an action is given by the conditions that AWS offers
// besides: buckets of a pattern must be the project's account's own. A bucket that the owner names
// exactly may be anybody's, since they named it.
func tighter(action string, resources []string, conditions []iampolicy.Condition) (list []bundle) {
	a, _ := iamref.Lookup(action)
	if len(a.Resources) == 0 || !slices.Contains(a.Conditions, bucketAccount) {
		return []bundle{{resources: resources, conditions: conditions}}
	}
	var named, open []string
	for _, r := range resources {
		if openBucket(r) {
			open = append(open, r)
		} else {
			named = append(named, r)
		}
	}
	if len(named) > 0 {
		list = append(list, bundle{resources: named, conditions: conditions})
	}
	if len(open) > 0 {
		own := iampolicy.Condition{Operator: "StringEquals", Key: bucketAccount,
			Values: iampolicy.Values{List: []string{"${account}"}}}
		list = append(list, bundle{resources: open, conditions: append(slices.Clone(conditions), own)})
	}
	return list
}

// openBucket reports whether the pattern matches buckets of more than one name.
func openBucket(resource string) bool {
	f := strings.SplitN(resource, ":", 6)
	return resource == "*" || len(f) == 6 && f[4] == "" && strings.ContainsAny(before(f[5], "/"), "*?")
}

// filled gives the conditions with the placeholders of their values filled in.
func filled(list []iampolicy.Condition, v Vars) (out []iampolicy.Condition) {
	for _, c := range list {
		values := slices.Clone(c.Values.List)
		for i := range values {
			values[i] = Expand(values[i], v)
		}
		c.Values.List = values
		out = append(out, c)
	}
	return out
}
