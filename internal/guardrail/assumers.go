package guardrail

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
)

// trustRefusals refuse a role that strangers may assume: what it is given, they
// get. An empty trust policy is one that nobody has read.
//
// Only a trust of everybody counts, or of everybody whom a public identity
// provider knows. Principals that the owner named are the owner's affair.
func trustRefusals(role RoleState) []Refusal {
	if role.Trust == "" {
		return nil
	}
	sts, err := parseTrust(role.Trust)
	if err != nil {
		return []Refusal{{Rule: UnreadablePolicy,
			Message: "The role's trust policy cannot be read: " + clip(err.Error()) +
				". Until it can, it is unknown who else would get the permission."}}
	}
	for _, st := range sts {
		if who := st.stranger(); who != "" {
			return []Refusal{{Rule: OpenTrust, Message: fmt.Sprintf(
				"The role's trust policy lets %s assume it, so they would get the permission too. Name in it who "+
					"may, or limit it by a condition.", who)}}
		}
	}
	return nil
}

// trustStatement is what of a trust policy's statement tells who is trusted.
type trustStatement struct {
	Effect       string
	Principal    principals
	NotPrincipal json.RawMessage
	Action       oneOrMore
	NotAction    oneOrMore
	Condition    map[string]map[string]oneOrMore
}

// principals are by kind: AWS, Service, Federated, CanonicalUser. A bare "*" is
// of kind AWS.
type principals map[string]oneOrMore

// UnmarshalJSON reads "*" or an object.
func (p *principals) UnmarshalJSON(data []byte) error {
	var all string
	if json.Unmarshal(data, &all) == nil {
		*p = principals{"AWS": {all}}
		return nil
	}
	return json.Unmarshal(data, (*map[string]oneOrMore)(p))
}

// oneOrMore is a scalar or a list, of strings or of what a condition takes besides.
type oneOrMore []string

// UnmarshalJSON reads either.
func (o *oneOrMore) UnmarshalJSON(data []byte) error {
	var list []any
	if err := json.Unmarshal(data, &list); err != nil {
		var one any
		if err := json.Unmarshal(data, &one); err != nil {
			return err
		}
		list = []any{one}
	}
	*o = nil
	for _, v := range list {
		*o = append(*o, fmt.Sprint(v))
	}
	return nil
}

func parseTrust(text string) ([]trustStatement, error) {
	var doc struct{ Statement json.RawMessage }
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		return nil, err
	}
	var sts []trustStatement
	if err := json.Unmarshal(doc.Statement, &sts); err != nil {
		var one trustStatement
		if json.Unmarshal(doc.Statement, &one) != nil {
			return nil, err
		}
		sts = []trustStatement{one}
	}
	return sts, nil
}

// stranger says which strangers the statement trusts, "" if none. Denials
// elsewhere in the document are not counted on.
func (st trustStatement) stranger() string {
	assumes := func(a string) bool {
		return iampolicy.MatchAction(a, "sts:AssumeRole") || strings.Contains(strings.ToLower(a), "sts:assumerole")
	}
	switch {
	case st.Effect != "Allow" ||
		len(st.NotAction) == 0 &&
			!slices.ContainsFunc(st.Action,
				func(a string) bool { return assumes(a) || iampolicy.MatchAction(a, webIdentity) }):
		return ""
	case len(st.NotPrincipal) > 0:
		return "everybody but some"
	case slices.Contains(st.Principal["AWS"], "*") && !st.limited(isCaller):
		return "anybody"
	}
	for _, provider := range st.Principal["Federated"] {
		if strings.Contains(provider, ":saml-provider/") {
			continue // its users are the owner's
		}
		if !st.limited(isSubject) {
			return "everybody whom " + fmt.Sprintf("%q", clip(provider)) + " knows"
		}
	}
	return ""
}

const webIdentity = "sts:AssumeRoleWithWebIdentity"

// limited reports whether a condition on such a key says who is meant.
func (st trustStatement) limited(about func(key string) bool) bool {
	for operator, keys := range st.Condition {
		name := strings.TrimPrefix(operator, "ForAnyValue:")
		if !slices.Contains([]string{"StringEquals", "StringEqualsIgnoreCase", "StringLike", "ArnEquals", "ArnLike"}, name) {
			continue // what is negated, or may be absent, limits nothing for sure
		}
		for key, values := range keys {
			if about(strings.ToLower(key)) && len(values) > 0 && !slices.ContainsFunc(values, beginsOpen) {
				return true
			}
		}
	}
	return false
}

// isCaller reports whether the key tells whose call it is, or a secret between
// the two.
func isCaller(key string) bool {
	return slices.Contains([]string{"aws:principalaccount", "aws:principalarn", "aws:principalorgid", "aws:principalorgpaths",
		"aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid", "aws:userid", "sts:externalid"}, key)
}

// isSubject reports whether a provider's key tells more than for whom its
// token was made out, which for AWS is the same with every customer; Cognito's
// is the owner's pool.
func isSubject(key string) bool {
	return strings.Contains(key, ":") &&
		(!strings.HasSuffix(key, ":aud") || strings.HasPrefix(key, "cognito-identity.")) &&
		!strings.HasPrefix(key, "aws:")
}

// beginsOpen reports whether a value leaves open whose it is: a wildcard stands
// where the owner's name or the account would.
func beginsOpen(value string) bool {
	if strings.HasPrefix(value, "arn:") {
		a, ok := codebuild.ParseARN(value)
		return !ok || a.Account == "" || strings.ContainsAny(a.Account, "*?")
	}
	for _, prefix := range []string{"repo:", "project_path:"} {
		value = strings.TrimPrefix(value, prefix)
	}
	return value == "" || strings.ContainsAny(value[:1], "*?")
}
