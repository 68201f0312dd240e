package awsapi

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/settings"
	"github.com/buildmedic/buildmedic/internal/simaws"
)

// TestRolePages reads a role whose lists come two items a page: nothing of
// them is left out, and each document belongs to its name.
func TestRolePages(t *testing.T) {
	var b strings.Builder
	b.WriteString("trouble: {iam_page: 2}\npolicies:\n")
	for i := range 5 {
		fmt.Fprintf(&b, "  - {name: team/m%d, document: '%s'}\n", i, may(fmt.Sprintf("s3:Managed%d", i)))
	}
	b.WriteString("  - name: named\n    versions:\n")
	for i := range 5 {
		fmt.Fprintf(&b, "      - '%s'\n", may(fmt.Sprintf("s3:Version%d", i+1)))
	}
	b.WriteString("    default: v3\nroles:\n  - name: shop\n    attached: [team/m0, team/m1, team/m2, team/m3, " +
		"team/m4, named]\n    inline:\n")
	for i := range 5 {
		fmt.Fprintf(&b, "      i%d: '%s'\n", i, may(fmt.Sprintf("s3:Inline%d", i)))
	}
	for i := range 3 {
		fmt.Fprintf(&b, "  - {name: other%d, attached: [named]}\n", i)
	}
	s := world(t, b.String())
	r, err := IAM{function(s, "")}.Role(t.Context(), home, role("shop"), settings.Write{Managed: "named"})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for i := range 5 {
		want[fmt.Sprintf("i%d", i)] = may(fmt.Sprintf("s3:Inline%d", i))
	}
	if d := cmp.Diff(want, r.Inline); d != "" {
		t.Error("inline:", d)
	}
	if len(r.Managed) != 6 {
		t.Errorf("%d attached policies", len(r.Managed))
	}
	for i := range 5 {
		arn := fmt.Sprintf("arn:aws:iam::111122223333:policy/team/m%d", i)
		m := guardrail.ManagedPolicy{ARN: arn, Document: may(fmt.Sprintf("s3:Managed%d", i)), Default: "v1", Attached: true}
		if !slices.ContainsFunc(r.Managed, func(o guardrail.ManagedPolicy) bool { return cmp.Equal(m, o) }) {
			t.Errorf("%v is not among %v", m, r.Managed)
		}
	}
	n := r.Named
	if n == nil {
		t.Fatal("the named policy was not found")
	}
	var ids []string
	for _, v := range n.Versions {
		ids = append(ids, v.ID)
	}
	slices.Sort(ids)
	if !slices.Equal(ids, []string{"v1", "v2", "v3", "v4", "v5"}) || n.Default != "v3" || n.Document != may("s3:Version3") || !n.Attached {
		t.Errorf("the named policy: %v, %+v", ids, n)
	}
	slices.Sort(n.Users)
	if !slices.Equal(n.Users, []string{"role other0", "role other1", "role other2"}) {
		t.Errorf("its other users: %q", n.Users)
	}
	if u := s.Unknown(); len(u) > 0 {
		t.Errorf("asked what the account does not know: %q", u)
	}
}

// TestRoleMissing: a role that is gone, one of another path, and a named
// policy that does not exist.
func TestRoleMissing(t *testing.T) {
	s := world(t, "roles: [{name: shop}]\n")
	i := IAM{function(s, "")}
	if _, err := i.Role(t.Context(), home, role("gone"), settings.Write{}); !errors.Is(err, heal.ErrNotFound) {
		t.Errorf("no such role: %v", err)
	}
	moved := role("shop")
	moved.Path = "/ci/"
	if _, err := i.Role(t.Context(), home, moved, settings.Write{}); !errors.Is(err, heal.ErrNotFound) {
		t.Errorf("a role of another path: %v", err)
	}
	r, err := i.Role(t.Context(), home, role("shop"), settings.Write{Managed: "none"})
	if err != nil || r.Named != nil {
		t.Errorf("no such policy: %+v, %v", r.Named, err)
	}
}

// TestDocumentExact: what was written is read back to the byte, whatever is
// special in a URL.
func TestDocumentExact(t *testing.T) {
	for _, resource := range []string{
		"a+b", "a b", "a%20b", "100%", "%2B+%25", "?x=1&y=2#z", "é ÿ ¿", "${aws:username}", "a/b//c;d",
		"%zz", `\u002b`,
	} {
		doc := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject",` +
			`"Resource":"arn:aws:s3:::b/` +
			resource + `"}]}`
		s := world(t, "roles: [{name: shop}]\npolicies: [{name: shared, document: '"+statement("Before")+"'}]\n")
		i := IAM{function(s, "")}
		inlined := guardrail.Target{Kind: guardrail.Inline, Name: "p", After: doc}
		if _, err := i.Write(t.Context(), home, role("shop"), inlined, nil); err != nil {
			t.Errorf("%q: %v", resource, err)
			continue
		}
		version := guardrail.Target{Kind: guardrail.Managed, Name: policyARN, BeforeVersion: "v1", Before: statement("Before"), After: doc}
		if _, err := i.Write(t.Context(), home, role("shop"), version, []string{"v1"}); err != nil {
			t.Errorf("%q: %v", resource, err)
			continue
		}
		r, err := i.Role(t.Context(), home, role("shop"), settings.Write{Managed: "shared"})
		if err != nil || r.Inline["p"] != doc || r.Named.Document != doc {
			t.Errorf("%q was read back as %q, %q, %v", doc, r.Inline["p"], r.Named.Document, err)
		}
		if there, _ := s.RolePolicies("", "shop"); there["p"] != doc {
			t.Errorf("%q was stored as %q", doc, there["p"])
		}
	}
}

// TestDocumentDecoding: a plus sign is a plus sign, and what is no
// URL-encoding is an error.
func TestDocumentDecoding(t *testing.T) {
	for in, want := range map[string]string{"a+b": "a+b", "a%2Bb%20c%25": "a+b c%", "%C3%A9": "é", "": ""} {
		if doc, err := document(&in); err != nil || doc != want {
			t.Errorf("%q: %q, %v", in, doc, err)
		}
	}
	for _, in := range []string{"100%", "%zz"} {
		if doc, err := document(&in); err == nil {
			t.Errorf("%q was decoded to %q", in, doc)
		}
	}
}

// TestAttachHoldsAtMost: a ready-made policy is attached only as long as it
// gives no more than its grant.
func TestAttachHoldsAtMost(t *testing.T) {
	const arn = "arn:aws:iam::111122223333:policy/ready"
	for name, row := range map[string]struct {
		has, most string
		attached  bool
	}{
		"as it was made": {may("ecr:PutImage s3:GetObject"), may("ecr:PutImage s3:GetObject"), true},
		"less than that": {may("ecr:PutImage"), may("ecr:PutImage s3:GetObject"), true},
		"another action": {may("ecr:PutImage iam:PassRole"), may("ecr:PutImage"), false},
		"an extra statement": {strings.Replace(may("ecr:PutImage"), `}]}`,
			`},{"Effect":"Allow","Action":"*","Resource":"*"}]}`, 1), may("ecr:PutImage"), false},
		"everything but": {strings.Replace(may("ecr:PutImage"), "Action", "NotAction", 1), may("ecr:PutImage"), false},
		"a wider resource": {may("ecr:PutImage"),
			strings.Replace(may("ecr:PutImage"), `"*"`, `"arn:aws:ecr:us-east-1:111122223333:repository/shop"`, 1),
			false},
		"nobody says how much": {may("ecr:PutImage"), "", false},
	} {
		s := world(t, "roles: [{name: shop}]\npolicies: [{name: ready, document: '"+row.has+"'}]\n")
		target := guardrail.Target{Kind: guardrail.Attach, Attach: []string{arn}, Holds: map[string]string{arn: row.most}}
		_, err := IAM{function(s, "")}.Write(t.Context(), home, role("shop"), target, nil)
		_, there := s.RolePolicies("", "shop")
		if row.attached != (err == nil) || row.attached != slices.Contains(there, arn) {
			t.Errorf("%s: %v, attached %q", name, err, there)
		}
		if !row.attached && (!errors.Is(err, heal.ErrFinal) || count(s, "AttachRolePolicy") > 0) {
			t.Errorf("%s: %v, %d calls to attach it", name, err, count(s, "AttachRolePolicy"))
		}
	}
}

// TestAttachUndone: attaching and taking away again may each be done twice.
func TestAttachUndone(t *testing.T) {
	const arn = "arn:aws:iam::111122223333:policy/ready"
	s := world(t, "roles: [{name: shop}]\npolicies: [{name: ready, document: '"+may("ecr:PutImage")+"'}]\n")
	i := IAM{function(s, "")}
	target := guardrail.Target{Kind: guardrail.Attach, Attach: []string{arn}, Holds: map[string]string{arn: may("ecr:PutImage")}}
	for range 2 {
		if _, err := i.Write(t.Context(), home, role("shop"), target, nil); err != nil {
			t.Fatal(err)
		}
	}
	if now, _, err := i.Current(t.Context(), home, role("shop"), target); err != nil || now != arn {
		t.Errorf("attached is %q, %v", now, err)
	}
	for range 2 {
		if err := i.Restore(t.Context(), home, role("shop"), target, ""); err != nil {
			t.Fatal(err)
		}
	}
	if now, _, err := i.Current(t.Context(), home, role("shop"), target); err != nil || now != "" {
		t.Errorf("attached is %q, %v", now, err)
	}
}

// TestSimulate asks several questions, two pages a piece, and gets each
// answer at its place.
func TestSimulate(t *testing.T) {
	s := world(t, "trouble: {iam_page: 2}\nroles: [{name: shop, inline: {p: '"+may("s3:GetObject")+"', no: '"+
		strings.Replace(may("s3:DeleteObject"), "Allow", "Deny", 1)+"'}}]\n")
	qs := []guardrail.Question{
		{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k"}, {Action: "s3:PutObject", Resource: "arn:aws:s3:::b/k"},
		{Action: "s3:DeleteObject", Resource: "arn:aws:s3:::b/k"}, {Action: "ecr:PutImage", Resource: "*"},
		{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k"}, {Action: "S3:getobject", Resource: "arn:aws:s3:::b/k"},
	}
	i := IAM{function(s, "")}
	for extra, want := range map[string][]iampolicy.Verdict{
		"": {iampolicy.Allowed, iampolicy.ImplicitDeny, iampolicy.ExplicitDeny, iampolicy.ImplicitDeny,
			iampolicy.Allowed, iampolicy.Allowed},
		may("ecr:PutImage"): {iampolicy.Allowed, iampolicy.ImplicitDeny, iampolicy.ExplicitDeny, iampolicy.Allowed,
			iampolicy.Allowed, iampolicy.Allowed},
	} {
		var docs []string
		if extra != "" {
			docs = []string{extra}
		}
		as, err := i.Simulate(t.Context(), home, role("shop"), qs, docs)
		if err != nil {
			t.Fatal(err)
		}
		var vs []iampolicy.Verdict
		for _, a := range as {
			vs = append(vs, a.Verdict)
		}
		if d := cmp.Diff(want, vs); d != "" {
			t.Errorf("with %q: %s", extra, d)
		}
	}
}

// TestSimulateDocuments: the documents that are given are asked about, whatever is on the role, with their
// boundary and as the role's own calls; each answer is at its place.
func TestSimulateDocuments(t *testing.T) {
	s := world(t, "trouble: {iam_page: 2}\nroles: [{name: shop, inline: {p: '"+may("s3:PutObject")+"'}}]\n"+
		"scps: [{id: p-1, document: '"+strings.Replace(may("s3:*"), "Allow", "Deny", 1)+"'}]\n")
	own := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ecr:*","Resource":"*",` +
		`"Condition":{"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/shop"}}}]}`
	deny, fence := strings.Replace(may("s3:DeleteObject"), "Allow", "Deny", 1), may("s3:*")
	qs := []guardrail.Question{
		{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k"}, {Action: "s3:PutObject", Resource: "arn:aws:s3:::b/k"},
		{Action: "s3:DeleteObject", Resource: "arn:aws:s3:::b/k"}, {Action: "ecr:PutImage", Resource: "*"},
		{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k"},
	}
	allowed, no, denied := guardrail.Answer{Verdict: iampolicy.Allowed}, guardrail.Answer{Verdict: iampolicy.ImplicitDeny},
		guardrail.Answer{Verdict: iampolicy.ExplicitDeny}
	by := func(a guardrail.Answer, who string) guardrail.Answer { a.By = who; return a }
	for name, row := range map[string]struct {
		docs     []string
		boundary *string
		want     []guardrail.Answer
	}{
		"none": {nil, nil, []guardrail.Answer{no, no, no, no, no}},
		"two": {[]string{may("s3:GetObject"), own}, nil, []guardrail.Answer{by(allowed, "PolicyInputList.1"), no, no,
			by(allowed, "PolicyInputList.2"), by(allowed, "PolicyInputList.1")}},
		"one that denies": {[]string{may("s3:*"), deny}, nil, []guardrail.Answer{by(allowed, "PolicyInputList.1"),
			by(allowed, "PolicyInputList.1"), by(denied, "PolicyInputList.2"), no, by(allowed, "PolicyInputList.1")}},
		"bounded": {[]string{may("s3:GetObject"), own}, &fence, []guardrail.Answer{by(allowed, "PolicyInputList.1"), no, no,
			by(no, guardrail.ByBoundary), by(allowed, "PolicyInputList.1")}},
	} {
		as, err := IAM{function(s, "")}.SimulateDocuments(t.Context(), home, role("shop"), row.docs, row.boundary, qs)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(row.want, as, cmpopts.EquateEmpty()); d != "" {
			t.Errorf("%s: -want +got\n%s", name, d)
		}
	}
}

// TestSimulateLayers: a layer that asks for what each real call carries is not blamed for
// what the question left out, and one that does deny is.
func TestSimulateLayers(t *testing.T) {
	s := world(t, `
policies:
  - {name: boundary, document: '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ecr:*","s3:*","iam:*"],`+
		`"Resource":"*","Condition":{"StringEquals":{"aws:RequestedRegion":["eu-west-1","us-east-1"]}}}]}'}
scps:
  - {id: p-region, document: '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","NotAction":"iam:*","Resource":"*",`+
		`"Condition":{"StringNotEquals":{"aws:RequestedRegion":"eu-west-1"}}}]}'}
  - {id: p-who, document: '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"*",`+
		`"Condition":{"ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/builds/*"}}}]}'}
roles:
  - {name: builds/shop, boundary: boundary, inline: {boundary: '`+may("s3:GetObject")+`'}}
`)
	at, r := settings.Account{ID: home.ID, Region: "eu-west-1"}, role("shop")
	r.Path = "/builds/"
	for _, tt := range []struct {
		q       guardrail.Question
		verdict iampolicy.Verdict
		by      string
	}{
		{guardrail.Question{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k"}, iampolicy.Allowed, "boundary"},
		{guardrail.Question{Action: "ecr:PutImage", Resource: "arn:aws:ecr:eu-west-1:111122223333:repository/x"},
			iampolicy.ImplicitDeny, ""},
		{guardrail.Question{Action: "ecr:PutImage", Resource: "arn:aws:ecr:us-east-1:111122223333:repository/x"},
			iampolicy.ExplicitDeny, guardrail.ByOrganizations},
		{guardrail.Question{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k",
			Context: map[string][]string{"aws:requestedregion": {"us-west-2"}}}, iampolicy.ExplicitDeny, guardrail.ByOrganizations},
		{guardrail.Question{Action: "iam:GetRole", Resource: "arn:aws:iam::111122223333:role/x"}, iampolicy.ImplicitDeny, ""},
		{guardrail.Question{Action: "sns:Publish", Resource: "arn:aws:sns:eu-west-1:111122223333:x"},
			iampolicy.ImplicitDeny, guardrail.ByBoundary},
	} {
		as, err := IAM{function(s, "")}.Simulate(t.Context(), at, r, []guardrail.Question{tt.q}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if as[0].Verdict != tt.verdict || as[0].By != tt.by {
			t.Errorf("%+v: %+v, want %v by %q", tt.q, as[0], tt.verdict, tt.by)
		}
	}
}

// TestSimulateByResource: where the answer is told by resource, the boundary's word about that
// resource counts; and an answer that contradicts itself is none.
func TestSimulateByResource(t *testing.T) {
	boundary := func(allows bool) *types.PermissionsBoundaryDecisionDetail {
		return &types.PermissionsBoundaryDecisionDetail{AllowedByPermissionsBoundary: allows}
	}
	specific := func(d types.PolicyEvaluationDecisionType, b *types.PermissionsBoundaryDecisionDetail) []types.ResourceSpecificResult {
		return []types.ResourceSpecificResult{{EvalResourceDecision: d, PermissionsBoundaryDecisionDetail: b,
			MissingContextValues: []string{"aws:SourceVpc"}}}
	}
	missing := []string{"aws:SourceVpc"}
	for _, tt := range []struct {
		name string
		res  types.EvaluationResult
		want guardrail.Answer
	}{
		{"the resource's own", types.EvaluationResult{EvalDecision: "allowed", PermissionsBoundaryDecisionDetail: boundary(true),
			MissingContextValues: missing, ResourceSpecificResults: specific("implicitDeny", boundary(false))},
			guardrail.Answer{Verdict: iampolicy.ImplicitDeny, By: guardrail.ByBoundary, Missing: missing}},
		{"allowed for the resource", types.EvaluationResult{EvalDecision: "implicitDeny",
			PermissionsBoundaryDecisionDetail: boundary(false), ResourceSpecificResults: specific("allowed", boundary(true))},
			guardrail.Answer{Verdict: iampolicy.Allowed, Missing: missing}},
		{"nothing by resource", types.EvaluationResult{EvalDecision: "implicitDeny", PermissionsBoundaryDecisionDetail: boundary(false),
			ResourceSpecificResults: specific("implicitDeny", nil)},
			guardrail.Answer{Verdict: iampolicy.ImplicitDeny, By: guardrail.ByBoundary, Missing: missing}},
		{"allowed, and not by the organization", types.EvaluationResult{EvalDecision: "allowed",
			OrganizationsDecisionDetail: &types.OrganizationsDecisionDetail{}},
			guardrail.Answer{Verdict: iampolicy.Unknown, By: guardrail.ByOrganizations}},
	} {
		if d := cmp.Diff(tt.want, answer(tt.res)); d != "" {
			t.Errorf("%s: %s", tt.name, d)
		}
	}
}

// TestSimulateUnanswered: what IAM does not answer, or answers with a word of
// its own, is unknown, never allowed.
func TestSimulateUnanswered(t *testing.T) {
	const member = `<member><EvalActionName>%s</EvalActionName><EvalResourceName>*</EvalResourceName>` +
		`<EvalDecision>%s</EvalDecision></member>`
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w,
			`<SimulatePrincipalPolicyResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">`+
				`<SimulatePrincipalPolicyResult><IsTruncated>false</IsTruncated><EvaluationResults>`+
				member+member+`</EvaluationResults></SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>`,
			"s3:GetObject", "allowed", "s3:PutObject", "perhaps")
	}))
	defer srv.Close()
	i := IAM{NewAccounts(config(srv.URL, simaws.FunctionKey, srv.Client()), home, "aws", "")}
	as, err := i.Simulate(t.Context(), home, role("shop"), []guardrail.Question{
		{Action: "s3:GetObject"}, {Action: "s3:PutObject"}, {Action: "s3:DeleteObject"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for n, want := range []iampolicy.Verdict{iampolicy.Allowed, iampolicy.Unknown, iampolicy.Unknown} {
		if as[n].Verdict != want {
			t.Errorf("answer %d is %v, want %v", n, as[n].Verdict, want)
		}
	}
}
