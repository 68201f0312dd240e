package heal

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// trail counts how often it is asked, and says of each denial whether its
// resource is "seen".
type trail struct {
	asked int
	err   error
}

func (t *trail) Seen(_ context.Context, _ codebuild.Build, ds []buildlog.Denial) ([]bool, error) {
	t.asked++
	out := make([]bool, len(ds))
	for i, d := range ds {
		out[i] = d.Resource == "seen"
	}
	return out, t.err
}

// noPolicies is an IAM in which each role has none.
type noPolicies struct{}

func (noPolicies) Role(context.Context, settings.Account, codebuild.Role, settings.Write) (guardrail.RoleState, error) {
	return guardrail.RoleState{}, nil
}

// TestTrailIsAskedOnce ensures that CloudTrail, which answers two requests a
// second, is asked once for all denials that failed a build; and only where
// one of the project's own grants wants its word, since only there the healer
// has the permission to ask.
func TestTrailIsAskedOnce(t *testing.T) {
	ds := []buildlog.Denial{
		{Resource: "seen", Causal: true},
		{Resource: "seen"},
		{Resource: "other", Causal: true},
		{Resource: "seen", Causal: true},
	}
	set := &settings.Settings{Grants: []settings.Grant{{ID: "plain"}, {ID: "strict", Evidence: settings.EvidenceCloudTrail}}}
	for _, row := range []struct {
		name   string
		grants []string
		trail  *trail
		want   []bool
		asked  int
		fails  bool
	}{
		{"one grant asks", []string{"plain", "strict"}, &trail{}, []bool{true, false, true}, 1, false},
		{"only another project's grant asks", []string{"plain"}, &trail{}, nil, 0, false},
		{"no grants", nil, &trail{}, nil, 0, false},
		{"a grant that is not there", []string{"gone"}, &trail{}, nil, 0, false},
		{"CloudTrail throttles", []string{"strict"}, &trail{err: ErrLater}, nil, 1, true},
	} {
		h := &Healer{Roles: noPolicies{}, Trail: row.trail}
		f := decide.Facts{Settings: set, Project: settings.Project{Grants: row.grants}, Diagnosis: diagnose.Diagnosis{Denials: ds},
			Build: codebuild.Build{ARN: "arn:aws:codebuild:eu-west-1:111122223333:build/shop:u",
				ServiceRole: "arn:aws:iam::111122223333:role/r"}}
		err := h.readRole(t.Context(), settings.Account{}, &f)
		if errors.Is(err, ErrLater) != row.fails || (err != nil) != row.fails || row.trail.asked != row.asked ||
			(!row.fails && !slices.Equal(f.Trail, row.want)) {
			t.Errorf("%s: %v, %v, asked %d times", row.name, f.Trail, err, row.trail.asked)
		}
	}
	h, f := &Healer{Roles: noPolicies{}},
		decide.Facts{Settings: set, Project: settings.Project{Grants: []string{"strict"}},
			Diagnosis: diagnose.Diagnosis{Denials: ds}}
	if err := h.readRole(t.Context(), settings.Account{}, &f); err != nil || f.Trail != nil {
		t.Errorf("without CloudTrail: %v, %v", f.Trail, err)
	}
}
