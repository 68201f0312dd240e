package buildlog

import (
	"strings"
	"testing"
)

func TestOwner(t *testing.T) {
	for _, c := range []struct{ principal, role, account, session string }{
		{"arn:aws:sts::111122223333:assumed-role/codebuild-shop/AWSCodeBuild-0a1b", "codebuild-shop", "111122223333", "AWSCodeBuild-0a1b"},
		{"arn:aws-us-gov:sts::111122223333:assumed-role/codebuild-shop/s", "codebuild-shop", "111122223333", "s"},
		{"arn:aws:sts::111122223333:assumed-role/codebuild-shop", "codebuild-shop", "111122223333", ""},
		{"arn:aws:iam::111122223333:role/service-role/deep/codebuild-shop", "codebuild-shop", "111122223333", ""},
		{"arn:aws:iam::111122223333:role/codebuild-shop", "codebuild-shop", "111122223333", ""},
		{"arn:aws:iam::111122223333:user/kim", "", "111122223333", ""},
		{"arn:aws:iam::111122223333:root", "", "111122223333", ""},
		{"arn:aws:sts::111122223333:federated-user/ci", "", "111122223333", ""},
		{"arn:aws:sts::***:assumed-role/codebuild-shop/s", "codebuild-shop", "***", "s"},
		{"anonymous", "", "", ""},
		{"arn:aws:sts", "", "", ""},
		{"", "", "", ""},
	} {
		role, account, session := Denial{Principal: c.principal}.Owner()
		if role != c.role || account != c.account || session != c.session {
			t.Errorf("%q: %q, %q, %q", c.principal, role, account, session)
		}
	}
}

// TestMayBe: what is masked may be anything, and the rest must be the same (AWS.md#masking).
func TestMayBe(t *testing.T) {
	const own = "AWSCodeBuild-8745a7a9-c340-456a-9166-edf953571be0"
	for _, c := range []struct {
		what, text, name string
		want             bool
	}{
		{"nothing is masked", own, own, true},
		{"nothing is masked, and it is another", own[:len(own)-1] + "1", own, false},
		{"npm masks the UUID", "AWSCodeBuild-***", own, true},
		{"CodeBuild masks an account", "***", "111122223333", true},
		{"a tool masks each digit", "************", "111122223333", true},
		{"a tool leaves the first digits", "1111****3333", "111122223333", true},
		{"these are another account's", "4444****3333", "111122223333", false},
		{"a secret that is a part of the name", "code***-shop", "codebuild-shop", true},
		{"two secrets", "***-***", "codebuild-shop", true},
		{"two secrets, and a part that is not in the name", "***x***", "codebuild-shop", false},
		{"the end is another", "***-web", "codebuild-shop", false},
		{"the masked text must not overlap", "codebuild-shop***shop", "codebuild-shop", false},
		{"one star is no mask", "*", "111122223333", false},
		{"nothing is there", "", "111122223333", false},
	} {
		if got := MayBe(c.text, c.name); got != c.want {
			t.Errorf("%s: MayBe(%q, %q) = %v", c.what, c.text, c.name, got)
		}
	}
}

func TestDecodeMessage(t *testing.T) {
	const whole = `{"allowed":false,"explicitDeny":false,"matchedStatements":{"items":[]},"failures":{"items":[]},"context":{
		"principal":{"id":"AROA:AWSCodeBuild-b1","arn":"arn:aws:sts::111122223333:assumed-role/codebuild-shop/AWSCodeBuild-b1"},
		"action":"ec2:CreateNetworkInterface","resource":"arn:aws:ec2:eu-west-1:111122223333:subnet/subnet-0a",
		"conditions":{"items":[{"key":"ec2:Region","values":{"items":[{"value":"eu-west-1"}]}}]}}}`
	inferred := Denial{Action: "ec2:RunInstances", Operation: "RunInstances", Effect: Unstated, Layer: LayerUnstated,
		Inferred: true, Encoded: "abc", Line: 7, Text: "text", Causal: true}
	want := Denial{Principal: "arn:aws:sts::111122223333:assumed-role/codebuild-shop/AWSCodeBuild-b1", Action: "ec2:CreateNetworkInterface",
		Resource: "arn:aws:ec2:eu-west-1:111122223333:subnet/subnet-0a", Effect: Implicit, Layer: LayerUnstated,
		Encoded: "abc", Line: 7, Text: "text", Causal: true, Origin: FromDecoded}
	got, err := DecodeMessage(inferred, []byte(whole))
	if err != nil || got != want {
		t.Errorf("%v\n got %+v\nwant %+v", err, got, want)
	}

	// The text's layer stays where AWS confirms the effect, and goes where it does not.
	stated := Denial{Action: "ec2:CreateNetworkInterface", Effect: Implicit, Layer: IdentityBased}
	if got, err := DecodeMessage(stated, []byte(whole)); err != nil || got.Layer != IdentityBased {
		t.Errorf("%v, layer %q", err, got.Layer)
	}
	explicit := strings.Replace(whole, `"explicitDeny":false`, `"explicitDeny":true`, 1)
	stated.PolicyARN = "arn:aws:iam::111122223333:policy/p"
	if got, err := DecodeMessage(stated, []byte(explicit)); err != nil || got.Layer != LayerUnstated ||
		got.Effect != Explicit || got.PolicyARN != "" {
		t.Errorf("%v, %+v", err, got)
	}

	for _, bad := range []string{"", "null", "[]", "{}", "not json", `{"allowed":false}`,
		`{"allowed":false,"context":{"action":"RunInstances"}}`,
		strings.Replace(whole, `"allowed":false`, `"allowed":true`, 1), strings.Replace(whole, `"allowed":false,`, "", 1)} {
		if d, err := DecodeMessage(inferred, []byte(bad)); err == nil {
			t.Errorf("%q gave %+v", bad, d)
		} else if !strings.HasPrefix(err.Error(), "reading decoded authorization message: ") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
