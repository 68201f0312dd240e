package guardrail

import (
	"strings"
	"testing"
)

// TestTrustOfStrangers: a role that anybody may assume gets nothing. The rows
// are statements of its trust policy.
func TestTrustOfStrangers(t *testing.T) {
	const oidc = `"Principal":{"Federated":"arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.` +
		`com"},"Action":"sts:AssumeRoleWithWebIdentity"`
	const codebuild = `{"Effect":"Allow","Principal":{"Service":"codebuild.amazonaws.com"},"Action":"sts:AssumeRole"}`
	for _, row := range []struct{ name, statement, want string }{
		{"CodeBuild only", codebuild, ""},
		{"two services",
			`{"Effect":"Allow","Principal":{"Service":["codebuild.amazonaws.com","codepipeline.amazonaws.com"]},` +
				`"Action":["sts:AssumeRole"]}`, ""},
		{"a role by name", `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/x"},"Action":"sts:AssumeRole"}`, ""},
		{"another account by name",
			`{"Effect":"Allow","Principal":{"AWS":["444455556666","arn:aws:iam::444455556666:root"]},` +
				`"Action":"sts:AssumeRole"}`, ""},
		{"everybody of the organization",
			`{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","Condition":{"StringEquals":{` +
				`"aws:PrincipalOrgID":"o-exampleorg1"}}}`, ""},
		{"everybody with the secret",
			`{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{` +
				`"sts:ExternalId":"x"}}}`, ""},
		{"a denial of everybody", `{"Effect":"Deny","Principal":"*","Action":"sts:AssumeRole"}`, ""},
		{"tags by everybody", `{"Effect":"Allow","Principal":"*","Action":"sts:TagSession"}`, ""},
		{"a repository's branch",
			`{"Effect":"Allow",` + oidc +
				`,"Condition":{"StringEquals":{"token.actions.githubusercontent.com:sub":"repo:example/shop:ref:` +
				`refs/heads/main"}}}`,
			""},
		{"an owner's repositories",
			`{"Effect":"Allow",` + oidc +
				`,"Condition":{"StringLike":{"token.actions.githubusercontent.com:sub":"repo:example/*"}}}`, ""},
		{"users of the company",
			`{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::111122223333:saml-provider/idp"},` +
				`"Action":"sts:AssumeRoleWithSAML"}`, ""},
		{"a number and a truth as values",
			`{"Effect":"Allow","Principal":{"Service":"codebuild.amazonaws.com"},"Action":"sts:AssumeRole",` +
				`"Condition":{"NumericLessThan":{"aws:x":3},"Bool":{"aws:y":[true]}}}`, ""},

		{"everybody", `{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}`, "open-trust"},
		{"everybody, in a list",
			`{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::111122223333:role/x","*"]},` +
				`"Action":["sts:TagSession","STS:assumerole"]}`, "open-trust"},
		{"everybody, by a pattern of actions", `{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:*"}`, "open-trust"},
		{"everybody, by all other actions", `{"Effect":"Allow","Principal":{"AWS":"*"},"NotAction":"sts:TagSession"}`, "open-trust"},
		{"everybody but one", `{"Effect":"Allow","NotPrincipal":{"AWS":"444455556666"},"Action":"sts:AssumeRole"}`, "open-trust"},
		{"everybody who speaks TLS",
			`{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole",` +
				`"Condition":{"Bool":{"aws:SecureTransport":"true"}}}`,
			"open-trust"},
		{"everybody of another account than one",
			`{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","Condition":{"StringNotEquals":{` +
				`"aws:PrincipalAccount":"444455556666"}}}`, "open-trust"},
		{"everybody who says so, or does not",
			`{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","Condition":{"StringEqualsIfExists":{` +
				`"sts:ExternalId":"x"}}}`, "open-trust"},
		{"everybody of any organization",
			`{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","Condition":{"StringLike":{` +
				`"aws:PrincipalOrgID":"*"}}}`,
			"open-trust"},
		{"everybody's role of a name",
			`{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole",` +
				`"Condition":{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/deploy"}}}`, "open-trust"},
		{"everybody's ARN",
			`{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","Condition":{"StringLike":{` +
				`"aws:PrincipalArn":["arn:*"]}}}`,
			"open-trust"},
		{"one of two is everybody",
			`{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","Condition":{"StringLike":{` +
				`"aws:PrincipalArn":["arn:aws:iam::111122223333:role/x","*"]}}}`, "open-trust"},
		{"every workflow", `{"Effect":"Allow",` + oidc + `}`, "open-trust"},
		{"every workflow that asks for AWS",
			`{"Effect":"Allow",` + oidc +
				`,"Condition":{"StringEquals":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com"}}}`,
			"open-trust"},
		{"every workflow on main",
			`{"Effect":"Allow",` + oidc +
				`,"Condition":{"StringLike":{"token.actions.githubusercontent.com:sub":"repo:*:ref:refs/heads/main"}}}`,
			"open-trust"},
		{"after CodeBuild", codebuild + `,{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}`, "open-trust"},
		{"nonsense", `{"Effect":[]}`, "unreadable-policy"},
	} {
		in := shop()
		in.Role.Trust = `{"Version":"2012-10-17","Statement":[` + row.statement + `]}`
		got := strings.TrimPrefix(verdict(Judge(in)), granted)
		if got != row.want {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
		if row.want != "open-trust" || strings.HasPrefix(row.statement, codebuild) {
			continue
		}
		in.Role.Trust = `{"Statement":` + row.statement + `}` // by itself, as IAM takes it too
		if got := verdict(Judge(in)); got != row.want {
			t.Errorf("%s, without a list: %q", row.name, got)
		}
	}
	for _, text := range []string{"{", "[]", `{"Statement":"x"}`, `{}`} {
		in := shop()
		in.Role.Trust = text
		if got := verdict(Judge(in)); got != "unreadable-policy" {
			t.Errorf("%s: %q", text, got)
		}
	}
}
