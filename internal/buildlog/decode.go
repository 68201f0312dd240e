package buildlog

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// DecodeMessage completes d with what sts:DecodeAuthorizationMessage gave
// for d.Encoded (AWS.md#encoded-message): AWS's own word on principal, action,
// resource and effect, which replaces what the text says of them. The layer
// is not in it and stays as the text has it, unless the two contradict each
// other. It is an error if decoded is not such a message, or if it says that
// the request was allowed.
func DecodeMessage(d Denial, decoded []byte) (Denial, error) {
	var m struct {
		Allowed      *bool `json:"allowed"`
		ExplicitDeny bool  `json:"explicitDeny"`
		Context      struct {
			Principal struct {
				ARN string `json:"arn"`
			} `json:"principal"`
			Action   string `json:"action"`
			Resource string `json:"resource"`
		} `json:"context"`
	}
	if err := json.Unmarshal(decoded, &m); err != nil {
		return Denial{}, fmt.Errorf("reading decoded authorization message: %w", err)
	}
	switch {
	case m.Allowed == nil || m.Context.Action == "":
		return Denial{}, errors.New("reading decoded authorization message: it names no decision or no action")
	case *m.Allowed:
		return Denial{}, errors.New("reading decoded authorization message: it says that the request was allowed")
	case !strings.Contains(m.Context.Action, ":"):
		return Denial{}, fmt.Errorf("reading decoded authorization message: action %q has no service", m.Context.Action)
	}
	effect := Implicit
	if m.ExplicitDeny {
		effect = Explicit
	}
	if d.Effect != effect && d.Effect != Unstated {
		d.Layer, d.PolicyARN = LayerUnstated, ""
	}
	d.Effect = effect
	d.Principal, d.Action, d.Resource = m.Context.Principal.ARN, canonical(m.Context.Action), m.Context.Resource
	d.Operation, d.Inferred = "", false
	d.Subject = "" // AWS says who
	d.Origin = FromDecoded
	return d, nil
}
