package iampolicy

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// read reads statements, given without their list, of the newer version.
func read(t testing.TB, statements ...string) Document {
	t.Helper()
	return readVersion(t, version2012, statements...)
}

func readVersion(t testing.TB, version string, statements ...string) Document {
	t.Helper()
	d, err := ParseLoose([]byte(fmt.Sprintf(`{"Version":%q,"Statement":[%s]}`, version, strings.Join(statements, ","))))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// statement makes a statement's text; an element that begins with "not " is
// a Not element.
func statement(effect, action, resource, condition string) string {
	name := func(element, value string) string {
		if rest, ok := strings.CutPrefix(value, "not "); ok {
			element, value = "Not"+element, rest
		}
		return fmt.Sprintf("%q:%q", element, value)
	}
	s := fmt.Sprintf(`{"Effect":%q,%s,%s`, effect, name("Action", action), name("Resource", resource))
	if condition != "" {
		s += `,"Condition":{` + condition + `}`
	}
	return s + "}"
}

func allow(action, resource string) string { return statement("Allow", action, resource, "") }
func deny(action, resource string) string  { return statement("Deny", action, resource, "") }

const (
	bucket = "arn:aws:s3:::builds-111122223333"
	object = bucket + "/go/lib.tgz"
	repo   = "arn:aws:ecr:eu-west-1:111122223333:repository/web"
)

func TestEvaluate(t *testing.T) {
	none := Match{-1, -1}
	first := Match{0, 0}
	tests := []struct {
		name       string
		statements []string
		action     string
		resource   string
		want       Verdict
		match      Match
	}{
		{"nothing", nil, "s3:GetObject", object, ImplicitDeny, none},
		{"exact", []string{allow("s3:GetObject", object)}, "s3:GetObject", object, Allowed, first},
		{"other action", []string{allow("s3:GetObject", object)}, "s3:PutObject", object, ImplicitDeny, none},
		{"longer action", []string{allow("s3:GetObject", object)}, "s3:GetObjectVersion", object, ImplicitDeny, none},
		{"other resource", []string{allow("s3:GetObject", object)}, "s3:GetObject", object + ".sig", ImplicitDeny, none},
		{"action in other case", []string{allow("S3:getobject", object)}, "s3:GetObject", object, Allowed, first},
		{"resource in other case", []string{allow("s3:GetObject", bucket+"/Go/*")}, "s3:GetObject", object, ImplicitDeny, none},
		{"everything", []string{allow("*", "*")}, "iam:PassRole", "arn:aws:iam::111122223333:role/x", Allowed, first},
		{"service", []string{allow("ecr:*", "*")}, "ecr:PutImage", repo, Allowed, first},
		{"service with the same beginning", []string{allow("ecr:*", "*")}, "ecr-public:PutImage", repo, ImplicitDeny, none},
		{"? in the action", []string{allow("s3:?etObject", "*")}, "s3:GetObject", object, Allowed, first},
		{"second statement", []string{allow("ecr:*", repo), allow("s3:*", "*")}, "s3:GetObject", object, Allowed, Match{0, 1}},
		{"empty pattern", []string{allow("", object)}, "s3:GetObject", object, ImplicitDeny, none},
		{"empty resource pattern", []string{allow("s3:GetObject", "")}, "s3:GetObject", object, ImplicitDeny, none},
		{"look-alike service", []string{allow("\u212Ams:*", "*")}, "kms:Decrypt", "*", ImplicitDeny, none},

		{"deny wins", []string{allow("*", "*"), deny("s3:*", bucket+"/*")}, "s3:GetObject", object, ExplicitDeny, Match{0, 1}},
		{"deny wins from the front", []string{deny("s3:*", bucket+"/*"), allow("*", "*")}, "s3:GetObject", object, ExplicitDeny, first},
		{"deny of something else", []string{allow("s3:*", "*"), deny("s3:Delete*", "*")}, "s3:GetObject", object, Allowed, first},
		{"only a deny", []string{deny("s3:*", "*")}, "s3:GetObject", object, ExplicitDeny, first},

		{"not action, allow", []string{allow("not iam:*", "*")}, "s3:GetObject", object, Allowed, first},
		{"not action, excepted", []string{allow("not s3:Get*", "*")}, "s3:GetObject", object, ImplicitDeny, none},
		{"not action, excepted in other case", []string{allow("not S3:GET*", "*")}, "s3:GetObject", object, ImplicitDeny, none},
		{"not action, deny", []string{allow("*", "*"), deny("not s3:*", "*")}, "ecr:PutImage", repo, ExplicitDeny, Match{0, 1}},
		{"not action, deny excepted", []string{allow("*", "*"), deny("not s3:*", "*")}, "s3:GetObject", object, Allowed, first},
		{"not action *", []string{allow("not *", "*")}, "s3:GetObject", object, ImplicitDeny, none},
		{"not resource, allow", []string{allow("s3:*", "not arn:aws:s3:::secrets/*")}, "s3:GetObject", object, Allowed, first},
		{"not resource, excepted", []string{allow("s3:*", "not "+bucket+"/*")}, "s3:GetObject", object, ImplicitDeny, none},
		{"not resource, deny", []string{allow("*", "*"), deny("*", "not "+bucket+"/*")}, "s3:GetObject", object, Allowed, first},
		{"not resource *", []string{allow("s3:*", "not *")}, "s3:GetObject", object, ImplicitDeny, none},

		// Wildcards and segments.
		{"* in the last segment takes colons", []string{allow("logs:*", "arn:aws:logs:*:*:log-group:*")},
			"logs:PutLogEvents", "arn:aws:logs:eu-west-1:111122223333:log-group:g:log-stream:s", Allowed, first},
		{"* takes slashes", []string{allow("s3:*", bucket+"/*.tgz")}, "s3:GetObject", object, Allowed, first},
		{"* in the middle", []string{allow("s3:*", "arn:aws:s3:::builds-*/lib.tgz")}, "s3:GetObject", object, Allowed, first},
		{"bucket without its objects", []string{allow("s3:*", bucket)}, "s3:GetObject", object, ImplicitDeny, none},
		{"objects without their bucket", []string{allow("s3:*", bucket+"/*")}, "s3:ListBucket", bucket, ImplicitDeny, none},
		{"short pattern", []string{allow("s3:*", "arn:aws:s3:*")}, "s3:GetObject", object, Allowed, first},
		{"short pattern without *", []string{allow("s3:*", "arn:aws:s3:")}, "s3:GetObject", object, Unknown, first},
		{"short pattern of the service", []string{allow("s3:*", "arn:aws:s3")}, "s3:GetObject", object, Unknown, first},
		{"short pattern of another service", []string{allow("*", "arn:aws:sqs")}, "s3:GetObject", object, ImplicitDeny, none},
		{"short pattern, denied", []string{allow("*", "*"), deny("*", "arn:aws:s3")}, "s3:GetObject", object, Unknown, Match{0, 1}},
		{"short pattern, excepted", []string{allow("*", "not arn:aws:s3")}, "s3:GetObject", object, Unknown, first},
		{"short pattern of another service, excepted", []string{allow("*", "not arn:aws:sqs")}, "s3:GetObject", object, Allowed, first},
		{"wildcard in the type", []string{allow("ecr:*", "arn:aws:ecr:*:*:repo*")}, "ecr:PutImage", repo, Unknown, first},
		{"* for the type", []string{allow("ecr:*", "arn:aws:ecr:*:*:*/web")}, "ecr:PutImage", repo, Allowed, first},
		{"? in the type, denied", []string{allow("*", "*"), deny("ecr:*", "arn:aws:ecr:*:*:?epository/web")},
			"ecr:PutImage", repo, Unknown, Match{0, 1}},
		{"wildcard in the type of another name", []string{allow("ecr:*", "arn:aws:ecr:*:*:repo*/api")}, "ecr:PutImage",
			repo, ImplicitDeny, none},
		{"* for type and name", []string{allow("ecr:*", "arn:aws:ecr:*:*:*")}, "ecr:PutImage", repo, Allowed, first},
		{"wildcard in a name without a type", []string{allow("sns:*", "arn:aws:sns:*:*:builds-*")}, "sns:Publish",
			"arn:aws:sns:eu-west-1:111122223333:builds-web", Allowed, first},
		{"any partition", []string{allow("s3:*", "arn:*:s3:::builds-*")}, "s3:GetObject", object, Allowed, first},
		{"other partition", []string{allow("s3:*", "arn:aws-cn:s3:::*")}, "s3:GetObject", object, ImplicitDeny, none},
		{"* across segments", []string{allow("ecr:*", "arn:aws:ecr:*:repository/web")}, "ecr:PutImage", repo, Unknown, first},
		{"* across segments, denied", []string{allow("*", "*"), deny("ecr:*", "arn:aws:ecr:*:repository/web")},
			"ecr:PutImage", repo, Unknown, Match{0, 1}},
		{"* for region and account", []string{allow("ecr:*", "arn:aws:ecr:*:*:repository/web")}, "ecr:PutImage", repo, Allowed, first},
		{"* for the service", []string{allow("ecr:*", "arn:aws:*:eu-west-1:111122223333:repository/web")},
			"ecr:PutImage", repo, Unknown, first},
		{"* without arn", []string{allow("ecr:*", "*repository/web")}, "ecr:PutImage", repo, Unknown, first},
		{"arn:*", []string{allow("ecr:*", "arn:*")}, "ecr:PutImage", repo, Unknown, first},
		{"? for a colon", []string{allow("ecr:*", "arn:aws:ecr?eu-west-1:111122223333:repository/web")}, "ecr:PutImage",
			repo, Unknown, first},
		{"wildcard in the action's service", []string{allow("e*:PutImage", "*")}, "ecr:PutImage", repo, Unknown, first},
		{"action without a service", []string{allow("*PutImage", "*")}, "ecr:PutImage", repo, Unknown, first},
		{"*:*", []string{allow("*:*", "*")}, "ecr:PutImage", repo, Unknown, first},
		{"*:* denied", []string{allow("*", "*"), deny("*:*", "*")}, "ecr:PutImage", repo, Unknown, Match{0, 1}},
		{"not a wildcard in the service", []string{allow("not e*:PutImage", "*")}, "ecr:PutImage", repo, Unknown, first},

		// The resource *.
		{"resource * by *", []string{allow("ecr:GetAuthorizationToken", "*")}, "ecr:GetAuthorizationToken", "*", Allowed, first},
		{"resource * by an ARN", []string{allow("ecr:GetAuthorizationToken", repo)}, "ecr:GetAuthorizationToken", "*", ImplicitDeny, none},
		{"resource * by arn:*", []string{allow("ecr:GetAuthorizationToken", "arn:*")}, "ecr:GetAuthorizationToken", "*",
			ImplicitDeny, none},
		{"resource * by ?", []string{allow("ecr:GetAuthorizationToken", "?")}, "ecr:GetAuthorizationToken", "*", Unknown, first},
		{"resource * and a deny of an ARN", []string{allow("*", "*"), deny("*", repo)}, "ecr:GetAuthorizationToken", "*", Allowed, first},

		// Requests that are no single call.
		{"action pattern", []string{allow("*", "*")}, "s3:*", object, Unknown, none},
		{"action without service", []string{allow("*", "*")}, "GetObject", object, Unknown, none},
		{"no action", []string{allow("*", "*")}, "", object, Unknown, none},
		{"look-alike action", []string{allow("*", "*")}, "\u212Ams:Decrypt", "*", Unknown, none},
		{"no resource", []string{allow("*", "*")}, "s3:GetObject", "", Unknown, none},
		{"resource pattern within", []string{allow("s3:*", bucket+"/*")}, "s3:GetObject", bucket + "/go/*", Allowed, first},
		{"resource pattern that is wider", []string{allow("s3:*", bucket+"/??/lib.tgz")}, "s3:GetObject", bucket + "/*", Unknown, first},
		{"resource pattern as itself only", []string{allow("s3:*", bucket+"/?")}, "s3:GetObject", bucket + "/*", Unknown, first},
		{"resource pattern that meets a deny", []string{allow("*", "*"), deny("*", object)}, "s3:GetObject",
			bucket + "/*", Unknown, Match{0, 1}},
		{"resource pattern apart from a deny", []string{allow("*", "*"), deny("*", object)}, "s3:GetObject",
			bucket + "/x/*", Allowed, first},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := read(t, test.statements...)
			got, match := Evaluate(Access{Policies: []Document{d}}, Request{Action: test.action, Resource: test.resource})
			if got != test.want || match != test.match {
				t.Errorf("got %v by %v, want %v by %v", got, match, test.want, test.match)
			}
		})
	}
}

func TestEvaluateSeveralPolicies(t *testing.T) {
	read1 := read(t, allow("s3:Get*", "*"))
	if v, m := Evaluate(Access{Policies: []Document{read(t), read1, read1}},
		Request{Action: "s3:GetObject", Resource: object}); v != Allowed || m != (Match{1, 0}) {
		t.Errorf("got %v by %v", v, m)
	}
	denies := read(t, allow("ecr:*", "*"), deny("s3:*", "*"))
	if v, m := Evaluate(Access{Policies: []Document{read1, denies}},
		Request{Action: "s3:GetObject", Resource: object}); v != ExplicitDeny || m != (Match{1, 1}) {
		t.Errorf("got %v by %v", v, m)
	}
	if v, m := Evaluate(Access{}, Request{Action: "s3:GetObject", Resource: object}); v != ImplicitDeny || m != (Match{-1, -1}) {
		t.Errorf("no policies: got %v by %v", v, m)
	}
}

func TestEvaluateBoundary(t *testing.T) {
	const unknown = `"StringEquals":{"a:b":"c"}`
	yes, no := allow("s3:*", "*"), allow("ecr:*", "*")
	perhaps := statement("Allow", "s3:*", "*", unknown)
	denies, mayDeny := deny("s3:*", "*"), statement("Deny", "s3:*", "*", unknown)
	tests := []struct {
		name, policy, boundary string
		want                   Verdict
		match                  Match
	}{
		{"both allow", yes, yes, Allowed, Match{0, 0}},
		{"boundary does not", yes, no, ImplicitDeny, Match{-1, -1}},
		{"boundary alone", no, yes, ImplicitDeny, Match{-1, -1}},
		{"boundary denies", yes, denies, ExplicitDeny, Match{-1, 0}},
		{"boundary denies what is not allowed", no, denies, ExplicitDeny, Match{-1, 0}},
		{"policy denies, boundary may not tell", denies, perhaps, ExplicitDeny, Match{0, 0}},
		{"boundary may deny", yes, mayDeny, Unknown, Match{-1, 0}},
		{"boundary may allow", yes, perhaps, Unknown, Match{-1, 0}},
		{"policy may allow", perhaps, yes, Unknown, Match{0, 0}},
		{"both may allow", perhaps, perhaps, Unknown, Match{0, 0}},
		{"policy may allow, boundary does not", perhaps, no, ImplicitDeny, Match{-1, -1}},
		{"policy may deny what is not allowed", mayDeny, yes, Unknown, Match{0, 0}},
		{"policy may deny, boundary denies", mayDeny, denies, ExplicitDeny, Match{-1, 0}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			boundary := read(t, test.boundary)
			a := Access{Policies: []Document{read(t, test.policy)}, Boundary: &boundary}
			got, match := Evaluate(a, Request{Action: "s3:GetObject", Resource: object})
			if got != test.want || match != test.match {
				t.Errorf("got %v by %v, want %v by %v", got, match, test.want, test.match)
			}
		})
	}
	if v, _ := Evaluate(Access{Policies: []Document{read(t, yes)}, Boundary: &Document{}},
		Request{Action: "s3:GetObject", Resource: object}); v != ImplicitDeny {
		t.Errorf("an empty boundary: got %v", v)
	}
}

// A statement that IAM would not take could mean anything.
func TestEvaluateMalformed(t *testing.T) {
	all := Values{List: []string{"*"}}
	for name, s := range map[string]Statement{
		"no effect":      {Action: all, Resource: all},
		"wrong effect":   {Effect: "allow", Action: all, Resource: all},
		"no action":      {Effect: "Allow", Resource: all},
		"both actions":   {Effect: "Allow", Action: all, NotAction: all, Resource: all},
		"no resource":    {Effect: "Allow", Action: all},
		"both resources": {Effect: "Deny", Action: all, Resource: all, NotResource: all},
		"all empty":      {},
	} {
		a := Access{Policies: []Document{{Statements: []Statement{s}}}}
		if v, m := Evaluate(a, Request{Action: "s3:GetObject", Resource: object}); v != Unknown || m != (Match{0, 0}) {
			t.Errorf("%s: got %v by %v", name, v, m)
		}
	}
}

func TestEvaluateVariables(t *testing.T) {
	context := map[string][]string{
		"aws:PrincipalTag/team": {"web"},
		"aws:userid":            {"AROAX:session"},
		"aws:username":          {},
		"s3:many":               {"a", "b"},
		"s3:star":               {"*"},
		"s3:empty":              {""},
		"s3:Key":                {"one"},
		"S3:KEY":                {"two"},
		"s3:Same":               {"web"},
		"S3:SAME":               {"web"},
	}
	tests := []struct {
		pattern, resource string
		want              Verdict
	}{
		{bucket + "/${aws:PrincipalTag/team}/*", bucket + "/web/x", Allowed},
		{bucket + "/${AWS:principaltag/TEAM}/*", bucket + "/web/x", Allowed},
		{bucket + "/${aws:PrincipalTag/team}/*", bucket + "/api/x", ImplicitDeny},
		{bucket + "/${aws:PrincipalTag/team}", bucket + "/web/x", ImplicitDeny},
		{bucket + "/${aws:userid}/*", bucket + "/AROAX:session/x", Allowed},
		{"arn:aws:s3:${aws:userid}::builds", "arn:aws:s3:AROAX:session::builds", Unknown},
		{bucket + "/${aws:username}", bucket + "/x", Unknown},
		{bucket + "/${aws:username}", object + "x", Unknown},
		{bucket + "/a/${aws:username}", bucket + "/b/x", ImplicitDeny},
		{bucket + "/${aws:username, 'web'}", bucket + "/web", Allowed},
		{bucket + "/${aws:username, 'web'}", bucket + "/api", ImplicitDeny},
		{bucket + "/${aws:username,'web'}", bucket + "/web", Allowed},
		{bucket + "/${aws:username, web}", bucket + "/web", Unknown},
		{bucket + "/${aws:username, 'a}b'}/c", bucket + "/a}b/c", Unknown},
		{bucket + "/${aws:PrincipalTag/team, 'api'}", bucket + "/web", Allowed},
		{bucket + "/${aws:missing}", bucket + "/web", Unknown},
		{bucket + "/${aws:missing, 'web'}", bucket + "/web", Unknown},
		{bucket + "/${s3:many}", bucket + "/a", Unknown},
		{bucket + "/${s3:star}", bucket + "/*", Unknown},
		{bucket + "/${s3:star}", bucket + "/a", Unknown},
		{bucket + "/${s3:empty}", bucket + "/", Unknown},
		{bucket + "/${s3:empty, 'web'}", bucket + "/web", Unknown},
		{bucket + "/${s3:key}", bucket + "/one", Unknown},
		{bucket + "/${s3:same}", bucket + "/web", Allowed},
		{bucket + "/${", bucket + "/${", Unknown},
		{bucket + "/${}", bucket + "/${}", Unknown},
		{bucket + "/${a b}", bucket + "/x", Unknown},
		{bucket + "/${aws:${x}}", bucket + "/x}", Unknown},
		{bucket + "/${*}", bucket + "/*", Unknown}, // the request's * may be a wildcard
		{bucket + "/${*}", bucket + "/a", ImplicitDeny},
		{bucket + "/${?}", bucket + "/a", ImplicitDeny},
		{bucket + "/${$}", bucket + "/$", Allowed},
		{bucket + "/$x", bucket + "/$x", Allowed},
		{bucket + "/${$}{aws:missing}", bucket + "/${aws:missing}", Allowed},
		{"${s3:star}", bucket, Unknown},
		{"${*}", bucket, ImplicitDeny},
	}
	for _, test := range tests {
		r := Request{Action: "s3:GetObject", Resource: test.resource, Context: context}
		d := read(t, allow("s3:GetObject", test.pattern))
		if got, _ := Evaluate(Access{Policies: []Document{d}}, r); got != test.want {
			t.Errorf("%s on %s: got %v, want %v", test.pattern, test.resource, got, test.want)
		}
		// What is sure of an Allow is sure of a Deny.
		wantDeny := map[Verdict]Verdict{Allowed: ExplicitDeny, ImplicitDeny: Allowed, Unknown: Unknown}[test.want]
		d = read(t, allow("*", "*"), deny("s3:GetObject", test.pattern))
		if got, _ := Evaluate(Access{Policies: []Document{d}}, r); got != wantDeny {
			t.Errorf("deny %s on %s: got %v, want %v", test.pattern, test.resource, got, wantDeny)
		}
	}
	// The older version knows no variables.
	d := readVersion(t, version2008, allow("s3:GetObject", bucket+"/${aws:PrincipalTag/team}"))
	for resource, want := range map[string]Verdict{bucket + "/web": ImplicitDeny, bucket + "/${aws:PrincipalTag/team}": Allowed} {
		if got, _ := Evaluate(Access{Policies: []Document{d}}, Request{"s3:GetObject", resource, context, time.Time{}}); got != want {
			t.Errorf("older version on %s: got %v, want %v", resource, got, want)
		}
	}
}

// A variable without a value may make its statement invalid, also where the
// statement is about the request for another reason.
func TestEvaluateUnresolvedVariables(t *testing.T) {
	context := map[string][]string{"aws:PrincipalTag/team": {"web"}, "aws:username": nil, "aws:TagKeys": {"a"},
		"s3:prefix": {"x"}, "s3:delimiter": nil}
	either := func(element, second string) string {
		return fmt.Sprintf(`{"Effect":"Allow","Action":"s3:*",%q:[%q,%q]}`, element, bucket+"/go/*", second)
	}
	condition := func(text string) string { return statement("Allow", "s3:*", "*", text) }
	tests := []struct {
		name, statement string
		want            Verdict
	}{
		{"resolved beside a match", either("Resource", bucket+"/${aws:PrincipalTag/team}"), Allowed},
		{"absent beside a match", either("Resource", bucket+"/${aws:username}"), Unknown},
		{"unknown beside a match", either("Resource", bucket+"/${s3:missing}"), Unknown},
		{"absent, with a default, beside a match", either("Resource", bucket+"/${aws:username, 'x'}"), Allowed},
		{"multivalued beside a match", either("Resource", bucket+"/${aws:TagKeys}"), Unknown},
		{"no key beside a match", either("Resource", bucket+"/${}"), Unknown},
		{"a character beside a match", either("Resource", bucket+"/${*}"), Allowed},

		{"NotResource, resolved, elsewhere", allow("s3:*", "not "+bucket+"/${aws:PrincipalTag/team}/*"), Allowed},
		{"NotResource, absent, elsewhere", allow("s3:*", "not arn:aws:s3:::other/${aws:username}"), Unknown},
		{"NotResource, unknown, elsewhere", allow("s3:*", "not arn:aws:s3:::other/${s3:missing}"), Unknown},
		{"NotResource, absent, with a default", allow("s3:*", "not arn:aws:s3:::other/${aws:username, 'x'}"), Allowed},
		{"NotResource, absent beside a match", either("NotResource", bucket+"/${aws:username}"), ImplicitDeny},

		{"condition, absent beside a match", condition(`"StringEquals":{"s3:prefix":["x","${aws:username}"]}`), Unknown},
		{"condition, resolved beside a match", condition(`"StringEquals":{"s3:prefix":["x","${aws:PrincipalTag/team}"]}`), Allowed},
		{"condition, absent, of an absent key", condition(`"StringNotEquals":{"s3:delimiter":"${aws:username}"}`), Unknown},
		{"IfExists, absent, of an absent key", condition(`"StringEqualsIfExists":{"s3:delimiter":"${aws:username}"}`), Allowed},
	}
	for _, test := range tests {
		r := Request{Action: "s3:GetObject", Resource: object, Context: context}
		if got, _ := Evaluate(Access{Policies: []Document{read(t, test.statement)}}, r); got != test.want {
			t.Errorf("%s: got %v, want %v", test.name, got, test.want)
		}
		wantDeny := map[Verdict]Verdict{Allowed: ExplicitDeny, ImplicitDeny: Allowed, Unknown: Unknown}[test.want]
		denies := strings.Replace(test.statement, `"Allow"`, `"Deny"`, 1)
		if got, _ := Evaluate(Access{Policies: []Document{read(t, allow("*", "*"), denies)}}, r); got != wantDeny {
			t.Errorf("deny, %s: got %v, want %v", test.name, got, wantDeny)
		}
	}
	d := readVersion(t, version2008, allow("s3:*", "not arn:aws:s3:::other/${aws:username}"))
	if got, _ := Evaluate(Access{Policies: []Document{d}}, Request{Action: "s3:GetObject", Resource: object}); got != Allowed {
		t.Errorf("older version: got %v", got)
	}
}

func TestVerdictString(t *testing.T) {
	for v, want := range map[Verdict]string{
		ImplicitDeny: "implicitDeny",
		ExplicitDeny: "explicitDeny",
		Allowed:      "allowed",
		Unknown:      "unknown",
		99:           "unknown",
	} {
		if v.String() != want {
			t.Errorf("got %s, want %s", v, want)
		}
	}
}

func BenchmarkEvaluate(b *testing.B) {
	var a Access
	for _, text := range documents(b) {
		d, err := Parse(text)
		if err != nil {
			b.Fatal(err)
		}
		a.Policies = append(a.Policies, d)
	}
	r := Request{Action: "ecr:PutImage", Resource: "arn:aws:ecr:us-west-2:111122223333:repository/tracker_api"}
	for b.Loop() {
		Evaluate(a, r)
	}
}
