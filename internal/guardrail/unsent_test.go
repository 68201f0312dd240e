package guardrail

import (
	"testing"

	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// TestUnsent ensures that a key is said to be missing from requests only if the simulator allows
// the call with it and not without.
func TestUnsent(t *testing.T) {
	const allowed, denied, explicit, unknown = iampolicy.Allowed, iampolicy.ImplicitDeny, iampolicy.ExplicitDeny, iampolicy.Unknown
	in := shop()
	grantOf(&in).Scope = settings.ScopeProject
	keyed, unkeyed := Questions(in), Unkeyed(in)
	if len(keyed) != 1 || len(unkeyed) != 1 {
		t.Fatalf("asked %v and %v", keyed, unkeyed)
	}
	for _, key := range []string{settings.ProjectKey, settings.BuildKey} {
		if len(keyed[0].Context[key]) == 0 || len(unkeyed[0].Context[key]) > 0 {
			t.Errorf("%s: asked with %v and without %v", key, keyed[0].Context, unkeyed[0].Context)
		}
	}
	for _, row := range []struct {
		before, without []iampolicy.Verdict
		want            bool
	}{
		{[]iampolicy.Verdict{allowed}, []iampolicy.Verdict{denied}, true},
		{[]iampolicy.Verdict{allowed}, []iampolicy.Verdict{allowed}, false},
		{[]iampolicy.Verdict{denied}, []iampolicy.Verdict{denied}, false},
		{[]iampolicy.Verdict{allowed}, []iampolicy.Verdict{explicit}, false},
		{[]iampolicy.Verdict{allowed}, []iampolicy.Verdict{unknown}, false},
		{[]iampolicy.Verdict{allowed}, nil, false},
		{nil, []iampolicy.Verdict{denied}, false},
	} {
		in.Before = nil
		for _, v := range row.before {
			in.Before = append(in.Before, Answer{Verdict: v})
		}
		var without []Answer
		for _, v := range row.without {
			without = append(without, Answer{Verdict: v})
		}
		if q, ok := Unsent(in, without); ok != row.want || ok && q.Action != "ecr:PutImage" {
			t.Errorf("%v with the key, %v without: %v %v", row.before, row.without, q, ok)
		}
	}
}
