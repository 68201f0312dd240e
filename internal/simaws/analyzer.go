package simaws

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/buildmedic/buildmedic/internal/iampolicy"
)

var analyzerOperations = map[string]operation{
	"ValidatePolicy":   jsonCall(false, validatePolicy),
	"CheckNoNewAccess": jsonCall(false, checkNoNewAccess),

	"StartPolicyGeneration": jsonCall(true, startPolicyGeneration),
	"GetGeneratedPolicy":    {run: getGeneratedPolicy},
}

// restWire is Access Analyzer's REST protocol: the path names the operation.
func restWire(operations map[string]operation) wire {
	w := jsonWire("1.1", "", operations)
	names := map[string]string{"POST /policy/validation": "ValidatePolicy", "POST /policy/check-no-new-access": "CheckNoNewAccess",
		"PUT /policy/generation": "StartPolicyGeneration"}
	w.name = func(h *http.Request, _ []byte) string {
		if strings.HasPrefix(h.URL.Path, generations) && h.Method == http.MethodGet {
			return "GetGeneratedPolicy"
		}
		return orText(names[h.Method+" "+h.URL.Path], h.Method+" "+h.URL.Path)
	}
	w.result = func(_ *request, v any) response { return jsonResponse("application/json", 200, v) }
	w.failure = func(_ *request, e *apiError) response {
		resp := jsonResponse("application/json", orStatus(e.Status, 400), map[string]string{"message": e.Message})
		resp.header["x-amzn-ErrorType"] = e.Code
		return resp
	}
	w.throttle = apiError{Code: "ThrottlingException", Message: "Rate exceeded", Status: 429}
	return w
}

type validatePolicyInput struct {
	PolicyDocument             string `json:"policyDocument"`
	PolicyType                 string `json:"policyType"`
	Locale                     string `json:"locale"`
	ValidatePolicyResourceType string `json:"validatePolicyResourceType"`
}

type finding struct {
	FindingType    string `json:"findingType"`
	FindingDetails string `json:"findingDetails"`
	IssueCode      string `json:"issueCode"`
	LearnMoreLink  string `json:"learnMoreLink"`
	Locations      []any  `json:"locations"`
}

// validatePolicy finds what the Sim can tell: a document that cannot be
// read, iam:PassRole or everything on every resource.
func validatePolicy(r *request, in *validatePolicyInput) (any, error) {
	if err := r.authorize("access-analyzer:ValidatePolicy", "*", nil); err != nil {
		return nil, err
	}
	out := []finding{}
	add := func(kind, code, details string) {
		out = append(out, finding{kind, details, code,
			"https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html", []any{}})
	}
	d, err := iampolicy.ParseLoose([]byte(in.PolicyDocument))
	if err != nil {
		add("ERROR", "JSON_SYNTAX_ERROR", err.Error())
		return map[string]any{"findings": out}, nil
	}
	for _, st := range d.Statements {
		if st.Effect != "Allow" || !contains(st.Resource.List, "*") || len(st.Condition) > 0 {
			continue
		}
		if contains(st.Action.List, "iam:PassRole") || contains(st.Action.List, "*") {
			add("SECURITY_WARNING", "PASS_ROLE_WITH_STAR_IN_RESOURCE", "Using the iam:PassRole action with wildcards "+
				"(*) in the resource can be overly permissive because it allows iam:PassRole permissions on "+
				"multiple resources.")
		}
	}
	return map[string]any{"findings": out}, nil
}

func contains(list []string, want string) bool {
	for _, s := range list {
		if strings.EqualFold(s, want) {
			return true
		}
	}
	return false
}

type checkNoNewAccessInput struct {
	NewPolicyDocument      string `json:"newPolicyDocument"`
	ExistingPolicyDocument string `json:"existingPolicyDocument"`
	PolicyType             string `json:"policyType"`
}

// checkNoNewAccess passes if every allowed action and resource of the new
// document is within one statement of the existing one (AWS.md#access-analyzer).
// AWS reasons about the whole; this is stricter where several statements
// cover one together.
func checkNoNewAccess(r *request, in *checkNoNewAccessInput) (any, error) {
	if err := r.authorize("access-analyzer:CheckNoNewAccess", "*", nil); err != nil {
		return nil, err
	}
	next, err1 := iampolicy.ParseLoose([]byte(in.NewPolicyDocument))
	old, err2 := iampolicy.ParseLoose([]byte(in.ExistingPolicyDocument))
	if err1 != nil || err2 != nil {
		return nil, fail("InvalidParameterException", "The policy document is malformed")
	}
	result, reasons := "PASS", []any{}
	message := "The modified permissions do not grant new access compared to your existing policy."
	for i, st := range next.Statements {
		if st.Effect == "Allow" && !withinAny(st, old) {
			result, message = "FAIL", "The modified permissions grant new access compared to your existing policy."
			reasons = append(reasons, map[string]any{"description": "New access in the statement with index: " +
				itoa(i) + ".", "statementIndex": i, "statementId": st.Sid})
		}
	}
	return map[string]any{"result": result, "message": message, "reasons": reasons}, nil
}

// withinAny reports whether each action-resource pair of the statement is in
// one of the document's.
func withinAny(st iampolicy.Statement, old iampolicy.Document) bool {
	if len(st.NotAction.List)+len(st.NotResource.List) > 0 {
		return false
	}
	for _, a := range st.Action.List {
		for _, res := range st.Resource.List {
			if !covered(a, res, st.Condition, old) {
				return false
			}
		}
	}
	return true
}

func covered(action, resource string, conditions []iampolicy.Condition, old iampolicy.Document) bool {
	for _, o := range old.Statements {
		if o.Effect == "Allow" && within(action, o.Action.List, true) && within(resource, o.Resource.List, false) &&
			conditionsWithin(conditions, o.Condition) {
			return true
		}
	}
	return false
}

func within(inner string, outer []string, fold bool) bool {
	for _, o := range outer {
		if fold && iampolicy.PatternWithin(strings.ToLower(inner), strings.ToLower(o)) || !fold && iampolicy.PatternWithin(inner, o) {
			return true
		}
	}
	return false
}

// conditionsWithin reports whether each of the old conditions is among the
// new ones, as it stands.
func conditionsWithin(next, old []iampolicy.Condition) bool {
	text := func(c iampolicy.Condition) string {
		b, err := json.Marshal([]any{c.Operator, strings.ToLower(c.Key), c.Values.List})
		if err != nil {
			panic("simaws: encoding a condition: " + err.Error()) // only strings in it
		}
		return string(b)
	}
	have := map[string]bool{}
	for _, c := range next {
		have[text(c)] = true
	}
	for _, c := range old {
		if !have[text(c)] {
			return false
		}
	}
	return true
}
