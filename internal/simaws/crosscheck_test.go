//go:build crosscheck

package simaws_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/buildmedic/buildmedic/internal/crosscheck"
	"github.com/buildmedic/buildmedic/internal/simaws"
)

// TestCrossCheckSimulator: the simulated policy simulator decides as one by others does, with a
// boundary, with service control policies and with their conditions, whatever is said of the call.
func TestCrossCheckSimulator(t *testing.T) {
	document := func(effect, what, condition string) string {
		return `{"Version":"2012-10-17","Statement":[{"Effect":"` + effect + `",` + what + `,"Resource":"*"` + condition + `}]}`
	}
	when := func(operator, key, value string) string {
		return `,"Condition":{"` + operator + `":{"` + key + `":"` + value + `"}}`
	}
	all := document("Allow", `"Action":"*"`, "")
	region := func(operator string) string { return when(operator, "aws:RequestedRegion", "eu-west-1") }
	layers := []string{"", all, document("Allow", `"Action":"s3:*"`, ""), document("Allow", `"NotAction":"s3:*"`, ""),
		document("Allow", `"Action":"*"`, region("StringEquals")), document("Allow", `"Action":"*"`, region("StringEqualsIfExists")),
		document("Deny", `"NotAction":"iam:*"`, region("StringNotEquals")), document("Deny", `"Action":"s3:*"`, region("StringEquals")),
		document("Deny", `"Action":"s3:*"`, when("ArnNotLike", "aws:PrincipalArn", "arn:aws:iam::*:role/build")),
		document("Deny", `"Action":"s3:*"`, when("ArnNotLike", "aws:PrincipalArn", "arn:aws:iam::*:role/other")),
		document("Deny", `"Action":"*"`, when("Null", "aws:RequestedRegion", "true"))}
	verdicts := map[string]types.PolicyEvaluationDecisionType{"Allowed": "allowed", "ImplicitlyDenied": "implicitDeny",
		"ExplicitlyDenied": "explicitDeny"}
	var input []byte
	var got []types.PolicyEvaluationDecisionType
	var asked []string
	for _, identity := range []string{all, layers[2], layers[4]} {
		for _, scp := range layers {
			for _, boundary := range layers {
				account := fmt.Sprintf("roles: [{name: build, inline: {own: '%s'}", identity)
				if boundary != "" {
					account += ", boundary: fence"
				}
				account += "}]\n"
				if boundary != "" {
					account += fmt.Sprintf("policies: [{name: fence, document: '%s'}]\n", boundary)
				}
				if scp != "" {
					account += fmt.Sprintf("scps: [{id: p-1, document: '%s'}]\n", scp)
				}
				s := world(t, account)
				c := dial(s, simaws.FunctionKey, "us-east-1")
				for _, action := range []string{"s3:GetObject", "iam:GetRole"} {
					for _, in := range []string{"", "eu-west-1", "us-east-1"} {
						said := map[string]any{"aws:PrincipalArn": "arn:aws:iam::111122223333:role/build"}
						if in != "" {
							said["aws:RequestedRegion"] = in
						}
						resource := map[string]string{"s3:GetObject": "arn:aws:s3:::b/k",
							"iam:GetRole": "arn:aws:iam::111122223333:role/x"}[action]
						ask := &iam.SimulatePrincipalPolicyInput{PolicySourceArn: aws.String("arn:aws:iam::111122223333:role/build"),
							ActionNames: []string{action}, ResourceArns: []string{resource}}
						for k, v := range said {
							ask.ContextEntries = append(ask.ContextEntries, types.ContextEntry{ContextKeyName: aws.String(k),
								ContextKeyType: types.ContextKeyTypeEnumString, ContextKeyValues: []string{v.(string)}})
						}
						out, err := c.iam.SimulatePrincipalPolicy(deadline(t), ask)
						if err != nil {
							t.Fatal(err)
						}
						got = append(got, out.EvaluationResults[0].EvalDecision)
						if scp == "" {
							alike(t, c.iam, ask, identity, boundary, out.EvaluationResults[0].EvalDecision)
						}
						q := map[string]any{"action": action, "resource": resource, "context": said,
							"policies": []json.RawMessage{json.RawMessage(identity)}}
						if boundary != "" {
							q["boundary"] = json.RawMessage(boundary)
						}
						if scp != "" {
							q["scps"] = []json.RawMessage{json.RawMessage(all), json.RawMessage(scp)}
						}
						line, err := json.Marshal(q)
						if err != nil {
							t.Fatal(err)
						}
						asked, input = append(asked, string(line)), append(append(input, line...), '\n')
					}
				}

			}
		}
	}
	answers := crosscheck.Lines(t, crosscheck.IAMSimulate(t, "judge.mjs"), input)
	if len(answers) != len(asked) {
		t.Fatalf("the other simulator answered %d of %d questions", len(answers), len(asked))
	}
	counts := map[types.PolicyEvaluationDecisionType]int{}
	for i, line := range answers {
		var answer struct {
			Verdict string
			Error   json.RawMessage
		}
		if err := json.Unmarshal([]byte(line), &answer); err != nil {
			t.Fatal(err)
		}
		counts[got[i]]++
		if answer.Error != nil || verdicts[answer.Verdict] != got[i] {
			t.Errorf("%s\nours %s, theirs %s", asked[i], got[i], line)
		}
	}
	t.Logf("%d questions: %v", len(asked), counts)
}

// alike ensures that the simulator decides the same of a role's documents where it is given them.
func alike(t *testing.T, client *iam.Client, ask *iam.SimulatePrincipalPolicyInput, identity, boundary string,
	want types.PolicyEvaluationDecisionType) {
	t.Helper()
	in := &iam.SimulateCustomPolicyInput{PolicyInputList: []string{identity}, CallerArn: ask.PolicySourceArn,
		ActionNames: ask.ActionNames, ResourceArns: ask.ResourceArns, ContextEntries: ask.ContextEntries}
	if boundary != "" {
		in.PermissionsBoundaryPolicyInputList = []string{boundary}
	}
	out, err := client.SimulateCustomPolicy(deadline(t), in)
	if err != nil {
		t.Fatal(err)
	}
	if got := out.EvaluationResults[0].EvalDecision; got != want {
		t.Errorf("%s with boundary %s: %s of the role and %s of its documents", identity, boundary, want, got)
	}
}
