//go:build crosscheck

package iampolicy

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/buildmedic/buildmedic/internal/crosscheck"
)

// multivalued.txt is what the Service Authorization Reference says.
func TestCrossCheckMultivalued(t *testing.T) {
	want := crosscheck.Lines(t, crosscheck.IAMSimulate(t, "keys.mjs"), nil)
	data, err := os.ReadFile("multivalued.txt")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(string(data)) {
		if !strings.HasPrefix(line, "#") {
			got = append(got, strings.TrimSpace(line))
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("multivalued.txt has %d keys, the reference has %d:\n%s", len(got), len(want),
			strings.Join(want, "\n"))
	}
	t.Logf("%d multivalued keys are the reference's", len(want))
}

// realCase is one request and what decides on it, in the words of AWS: the
// simulator by others takes no invented actions and keys.
type realCase struct {
	access  Access
	request Request // with the whole context
	known   Request // with the part of it that Evaluate is given
	own     string  // policy of the resource; most cases have none
}

// realRequests are actions and resources that fit each other.
var realRequests = [][2]string{
	{"s3:GetObject", "arn:aws:s3:::builds/ali"},
	{"s3:GetObject", "arn:aws:s3:::builds/ali/lib.tgz"},
	{"s3:PutObject", "arn:aws:s3:::builds/k"},
	{"s3:PutObject", "arn:aws:s3:::builds/k:v"},
	{"S3:getobject", "arn:aws:s3:::builds/$"},
	{"s3:ListBucket", "arn:aws:s3:::builds"},
	{"ecr:PutImage", "arn:aws:ecr:eu-west-1:111122223333:repository/web"},
	{"ecr:PutImage", "arn:aws:ecr:us-east-1:111122223333:repository/web/api"},
	{"ecr:BatchGetImage", "arn:aws:ecr:eu-west-1:111122223333:repository/ali"},
	{"ecr:GetAuthorizationToken", "*"},
	{"logs:PutLogEvents", "arn:aws:logs:eu-west-1:111122223333:log-group:g:log-stream:s"},
	{"codebuild:StartBuild", "arn:aws:codebuild:eu-west-1:111122223333:project/web"},
	{"ssm:GetParameters", "arn:aws:ssm:eu-west-1:111122223333:parameter/web/key"},
	{"dynamodb:GetItem", "arn:aws:dynamodb:eu-west-1:111122223333:table/web"},
	{"sns:Publish", "arn:aws:sns:eu-west-1:111122223333:web"},
}

func (g generator) realActionPattern(action string) string {
	service, name, _ := strings.Cut(action, ":")
	if g.chance(70) {
		return pick(g, action, strings.ToUpper(action), action[:len(action)-2]+"*",
			service+":"+strings.Replace(name, "e", "?", 1), service+":*", "*")
	}
	return pick(g, "s3:GetObject", "s3:Get*", "s3:*", "s3:???Object", "s3:*O*t", "ecr:*", "ecr:Put?mage",
		"logs:Put*", "dynamodb:*Item", "sns:Publish", "ssm:Get*", "codebuild:*Build")
}

func (g generator) realResourcePattern(resource string) string {
	switch {
	case g.chance(25), resource == "*" && g.chance(50):
		return "*"
	case g.chance(40) && resource != "*":
		return pick(g, resource, resource+"*", resource[:len(resource)-1]+"?")
	}
	return pick(g, "arn:aws:s3:::builds", "arn:aws:s3:::builds/*", "arn:aws:s3:::*", "arn:aws:s3:::build*/k",
		"arn:aws:s3:::builds/?", "arn:aws:s3:::builds/k*v",
		"arn:aws:s3:::builds/${aws:username}", "arn:aws:s3:::builds/${aws:username}/*",
		"arn:aws:s3:::builds/${aws:PrincipalTag/team, 'ali'}*",
		"arn:aws:s3:::builds/${aws:TagKeys}", "arn:aws:s3:::builds/${$}", "arn:aws:s3:::builds/${*}",
		"arn:*:s3:::builds/k",
		"arn:aws:ecr:*:*:repository/*", "arn:aws:ecr:eu-*:111122223333:repository/web",
		"arn:aws:ecr:??-*-1:111122223333:repository/*",
		"arn:aws:ecr:eu-west-1:111122223333:repository/${AWS:Username}", "arn:aws:ecr:*:repository/web",
		"arn:aws:*:eu-west-1:111122223333:table/web",
		"arn:aws:s3:*", "arn:aws:logs:*:*:log-group:*", "arn:aws:logs:eu-west-1:111122223333:log-group:g:*",
		"arn:aws:logs:*:*:*:log-stream:s",
		"arn:aws:codebuild:*:*:project/*", "arn:aws:codebuild:*:*:pro*", "arn:aws:ssm:*:*:?arameter/*",
		"arn:aws:dynamodb:*:*:*/web", "arn:aws:sns", "arn:aws:ecr:eu-west-1",
		"arn:aws:ssm:*:*:parameter/*/key", "arn:aws:dynamodb:*:111122223333:table/w*",
		"arn:aws:sns:*:*:*", "arn:aws:sns:*:*:w?b")
}

// realKeys are condition keys, each with values that it may have; those of
// multivalued ones are given in lists.
var realKeys = map[string][]string{
	"aws:username":          {"ali", "Ali", "web", "a*"},
	"aws:PrincipalTag/team": {"web", "ali", "WEB"},
	"aws:PrincipalTag/blob": {"QmluYXJ5", "YWxp"},
	"aws:SourceArn": {"arn:aws:iam::111122223333:role/a", "arn:aws:iam::444455556666:role/b",
		"arn:aws:sns:eu-west-1:111122223333:web"},
	"aws:MultiFactorAuthAge":    {"0", "10", "300", "3600"},
	"aws:TokenIssueTime":        {"2025-06-01T00:00:00Z", "2026-06-01T00:00:00Z", "2026-09-01T12:30:00Z"},
	"aws:SourceIp":              {"10.1.2.3", "10.9.9.9", "192.0.2.1", "2001:db8::7", "2001:db8:1::7"},
	"aws:SecureTransport":       {"true", "false"},
	"aws:TagKeys":               {"ali", "bob", "web"},
	"aws:PrincipalOrgPaths":     {"o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/", "o-a1b2c3d4e5/r-ab12/ou-ab12-22222222/"},
	"aws:CalledVia":             {"athena.amazonaws.com", "cloudformation.amazonaws.com"},
	"aws:PrincipalIsAWSService": {"true", "false"},
}

func (g generator) realCondition() Condition {
	list := func(words ...string) Values { return Values{List: some(g, func() string { return pick(g, words...) })} }
	var c Condition
	switch g.IntN(10) {
	case 0:
		c = Condition{pick(g, arnTests...), "aws:SourceArn", list("arn:aws:iam::111122223333:role/a",
			"arn:aws:iam::*:role/*", "arn:aws:iam:*:*:role/?", "arn:*:sns:*:*:${aws:PrincipalTag/team}",
			"arn:aws:iam:*:role/a")}
	case 1:
		c = Condition{pick(g, numberTests...), "aws:MultiFactorAuthAge", list("0", "10", "10.5", "300", "-1")}
	case 2:
		c = Condition{pick(g, dateTests...), "aws:TokenIssueTime", list("2026-01-01T00:00:00Z",
			"2026-06-01T00:00:00Z", "2026-06-01T02:00:00+02:00", "2027-01-01T00:00:00Z")}
	case 3:
		c = Condition{pick(g, ipTests...), "aws:SourceIp", list("10.0.0.0/8", "10.1.0.0/16", "10.1.2.3",
			"10.1.2.3/32", "192.0.2.128/25", "2001:db8::/32", "2001:db8::7", "2001:db8:1::/48")}
	case 4:
		c = Condition{"Bool", pick(g, "aws:SecureTransport", "aws:PrincipalIsAWSService"), list("true", "false")}
	case 5:
		c = Condition{"BinaryEquals", "aws:PrincipalTag/blob", list("QmluYXJ5", "YWxp", "Ym9i")}
	case 6:
		key := pick(g, slices.Sorted(maps.Keys(realKeys))...)
		return Condition{"Null", key, Values{List: []string{pick(g, "true", "false")}, Scalar: g.chance(50)}}
	case 7:
		c = Condition{pick(g, stringTests...), "aws:TagKeys", list("ali", "Bob", "*", "w?b", "${aws:username}")}
	case 8:
		key := pick(g, "aws:PrincipalOrgPaths", "aws:CalledVia")
		c = Condition{pick(g, stringTests...), key, list("*", "o-a1b2c3d4e5/*", "*/ou-ab12-11111111/",
			"athena.amazonaws.com", "*.amazonaws.com")}
	default:
		c = Condition{pick(g, stringTests...), pick(g, "aws:username", "AWS:UserName", "aws:PrincipalTag/team"),
			list("ali", "Ali", "a*", "w?b", "${aws:PrincipalTag/team}", "${aws:username, 'web'}", "${*}", "a${*}", "*")}
	}
	quantified := 20
	if isMultivalued(c.Key) {
		quantified = 75
	}
	if g.chance(quantified) {
		c.Operator = pick(g, "ForAllValues:", "ForAnyValue:") + c.Operator
	}
	if g.chance(20) {
		c.Operator += "IfExists"
	}
	return c
}

func (g generator) realStatement(r Request) Statement {
	s := Statement{Effect: "Allow"}
	if g.chance(25) {
		s.Effect = "Deny"
	}
	actions := Values{List: some(g, func() string { return g.realActionPattern(r.Action) })}
	resources := Values{List: some(g, func() string { return g.realResourcePattern(r.Resource) })}
	if s.Action = actions; g.chance(15) {
		s.Action, s.NotAction = Values{}, actions
	}
	if s.Resource = resources; g.chance(20) {
		s.Resource, s.NotResource = Values{}, resources
	}
	if g.chance(40) {
		s.Condition = some(g, g.realCondition)
		slices.SortFunc(s.Condition, compareConditions)
		s.Condition = slices.CompactFunc(s.Condition, func(a,
			b Condition) bool {
			return a.Operator == b.Operator && strings.EqualFold(a.Key, b.Key)
		})
	}
	return s
}

func (g generator) realDocument(r Request) Document {
	return Document{Version: pick(g, version2012, version2012, version2012, version2008),
		Statements: some(g, func() Statement { return g.realStatement(r) })}
}

func (g generator) realCase() realCase {
	ask := pick(g, realRequests...)
	r := Request{Action: ask[0], Resource: ask[1], Context: map[string][]string{}}
	for _, key := range slices.Sorted(maps.Keys(realKeys)) {
		switch words := realKeys[key]; {
		case g.chance(20):
			r.Context[key] = nil
		case isMultivalued(key):
			r.Context[key] = some(g, func() string { return pick(g, words...) })
		default:
			r.Context[key] = []string{pick(g, words...)}
		}
	}
	c := realCase{access: Access{Policies: some(g, func() Document { return g.realDocument(r) })}, request: r, known: r}
	if g.chance(25) {
		boundary := g.realDocument(r)
		c.access.Boundary = &boundary
	}
	if g.chance(15) {
		c.known.Context = map[string][]string{}
		for _, key := range slices.Sorted(maps.Keys(realKeys)) {
			if !g.chance(20) {
				c.known.Context[key] = r.Context[key]
			}
		}
	}
	return c
}

// MarshalJSON is the case as judge.mjs takes it: a key of one value has text,
// a multivalued one a list.
func (c realCase) MarshalJSON() ([]byte, error) {
	context := map[string]any{}
	for key, values := range c.request.Context {
		switch {
		case len(values) == 0:
		case isMultivalued(key):
			context[key] = values
		default:
			context[key] = values[0]
		}
	}
	m := map[string]any{"action": c.request.Action, "resource": c.request.Resource, "context": context}
	var policies []json.RawMessage
	for _, d := range c.access.Policies {
		policies = append(policies, d.Compact())
	}
	m["policies"] = policies
	if c.access.Boundary != nil {
		m["boundary"] = json.RawMessage(c.access.Boundary.Compact())
	}
	if c.own != "" {
		m["resourcePolicy"] = json.RawMessage(c.own)
	}
	return json.Marshal(m)
}

// simulate asks the simulator by others, with a process for each core.
func simulate(t *testing.T, cases []realCase) []string {
	t.Helper()
	out := make([]string, len(cases))
	var wait sync.WaitGroup
	size := len(cases)/runtime.NumCPU() + 1
	for start := 0; start < len(cases); start += size {
		part := cases[start:min(start+size, len(cases))]
		cmd := crosscheck.IAMSimulate(t, "judge.mjs")
		wait.Add(1)
		go func() {
			defer wait.Done()
			var in bytes.Buffer
			for _, c := range part {
				line, err := json.Marshal(c)
				if err != nil {
					t.Error(err)
					return
				}
				in.Write(append(line, '\n'))
			}
			lines := crosscheck.Lines(t, cmd, in.Bytes())
			if len(lines) != len(part) {
				t.Errorf("the simulator answered %d of %d requests", len(lines), len(part))
				return
			}
			copy(out[start:], lines)
		}()
	}
	wait.Wait()
	if t.Failed() {
		t.FailNow()
	}
	return out
}

// excuse is a kind of case in which the simulator by others is not what AWS
// documents.
type excuse struct {
	name    string
	applies func(Document, Statement, Request) bool
}

// theirs are the excuses. Each must occur, so that none outlives its reason.
var theirs = []excuse{
	// IAM User Guide, "Version": in documents of the older version variables
	// are plain text. The simulator resolves them there, too.
	{"a variable in the older version", func(d Document, s Statement, _ Request) bool {
		return d.version() == version2008 && strings.Contains(string(Document{Statements: []Statement{s}}.Compact()), "${")
	}},
	// IAM User Guide, "IP address condition operators": NotIpAddress is met by
	// all addresses but the given one. For the simulator a single address of
	// the other family is not even met by NotIpAddress.
	{"NotIpAddress of a single address of the other family", func(_ Document, s Statement, r Request) bool {
		got := r.Context["aws:SourceIp"]
		return len(got) > 0 && slices.ContainsFunc(s.Condition, func(c Condition) bool {
			return strings.Contains(c.Operator, "NotIpAddress") && slices.ContainsFunc(c.Values.List,
				func(v string) bool {
					return !strings.Contains(v, "/") && strings.Contains(v, ":") != strings.Contains(got[0], ":")
				})
		})
	}},
	// IAM User Guide, "IAM ARNs": a pattern shorter than an ARN is completed,
	// so NotResource with one is about the resources of all other services.
	// For the simulator such a NotResource is about nothing.
	{"NotResource shorter than an ARN", func(_ Document, s Statement, _ Request) bool {
		return slices.ContainsFunc(s.NotResource.List, func(v string) bool {
			return v != "*" && strings.Count(v,
				":") < arnSegments-1
		})
	}},
	// EC2 User Guide, "Grant permission to tag resources during creation": "*/*"
	// is any resource of any type. The simulator takes no wildcard in a type.
	{"* for a resource's type", func(_ Document, s Statement, _ Request) bool {
		return slices.ContainsFunc(slices.Concat(s.Resource.List, s.NotResource.List), func(v string) bool {
			return strings.Contains(v, ":*:log-stream:") || strings.Contains(v, ":*/")
		})
	}},
	// IAM User Guide, "Variables and tags": ${*} is the character * wherever
	// there may be variables. The simulator keeps it as it is unless the
	// operator takes wildcards.
	{"${*} without wildcards", func(_ Document, s Statement, _ Request) bool {
		return slices.ContainsFunc(s.Condition, func(c Condition) bool {
			return strings.Contains(c.Operator, "String") && !strings.Contains(c.Operator, "Like") &&
				slices.ContainsFunc(c.Values.List, func(v string) bool { return strings.Contains(v, "${*}") })
		})
	}},
}

func (e excuse) of(c realCase) bool {
	docs := slices.Clone(c.access.Policies)
	if c.access.Boundary != nil {
		docs = append(docs, *c.access.Boundary)
	}
	return slices.ContainsFunc(docs, func(d Document) bool {
		return slices.ContainsFunc(d.Statements, func(s Statement) bool { return e.applies(d, s, c.request) })
	})
}

// What Evaluate says for sure of a request, of which it knows the whole or a
// part, an evaluation by others says of the whole.
func TestCrossCheckEvaluate(t *testing.T) {
	const pairs = 10000
	var cases []realCase
	for seed := range uint64(pairs) {
		cases = append(cases, newGenerator(seed).realCase())
	}
	names := map[string]Verdict{"Allowed": Allowed, "ExplicitlyDenied": ExplicitDeny, "ImplicitlyDenied": ImplicitDeny}
	agreed, unsure, excused := map[Verdict]int{}, map[Verdict]int{}, map[string]int{}
	partly, unsurePartly, differ := 0, 0, 0
	for i, line := range simulate(t, cases) {
		c := cases[i]
		var answer struct {
			Verdict string
			Error   json.RawMessage
			Ignored []string
		}
		if err := json.Unmarshal([]byte(line), &answer); err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		want, ok := names[answer.Verdict]
		if !ok || answer.Error != nil || len(answer.Ignored) > 0 {
			t.Fatalf("the simulator does not take seed %d: %s\n%s", i, line, text)
		}
		part := len(c.known.Context) < len(c.request.Context)
		if part {
			partly++
		}
		got, _ := Evaluate(c.access, c.known)
		k := slices.IndexFunc(theirs, func(e excuse) bool { return e.of(c) })
		switch {
		case got == Unknown && part:
			unsurePartly++
		case got == Unknown:
			unsure[want]++
		case got == want:
			agreed[got]++
		case k >= 0:
			excused[theirs[k].name]++
		default:
			if differ++; differ <= 20 {
				t.Errorf("seed %d: we say %v, it says %v\n%s", i, got, want, text)
			}
		}
	}
	t.Logf("%d pairs, %d of them known in part: agreed %v; it errs: %v; disagreements: %d", pairs, partly,
		agreed, excused, differ)
	t.Logf("Unknown: %d known in part; known wholly, by what it says: %v", unsurePartly, unsure)
	for v := ImplicitDeny; v <= Allowed; v++ {
		if agreed[v] < pairs/10 {
			t.Errorf("%v was agreed on %d times only: the test shows little", v, agreed[v])
		}
	}
	if n := unsure[Allowed] + unsure[ImplicitDeny] + unsure[ExplicitDeny]; n > pairs*6/100 {
		t.Errorf("Unknown of %d requests known wholly: it is unsure too often", n)
	}
	for _, e := range theirs {
		if excused[e.name] == 0 {
			t.Errorf("no case of %q: the simulator was mended, or the test meets it no more", e.name)
		}
	}
}

// TestCrossCheckTighter ensures that the conditions which grants get for nothing, on whose bucket it
// is and through which service a key is used, mean to others what they mean here.
func TestCrossCheckTighter(t *testing.T) {
	equals := func(key, value string) Condition {
		return Condition{Operator: "StringEquals", Key: key, Values: Values{List: []string{value}}}
	}
	const (
		object = "arn:aws:s3:::shop-a/build/x"
		key    = "arn:aws:kms:eu-west-1:111122223333:key/1f2e3d4c-5b6a-4798-8a9b-0c1d2e3f4a5b"
	)
	policy := Document{Version: version2012, Statements: []Statement{
		Allow("bucket", []string{"s3:ListBucket"}, []string{"arn:aws:s3:::shop-*"}, equals("s3:ResourceAccount", "111122223333")),
		Allow("objects", []string{"s3:PutObject"}, []string{"arn:aws:s3:::shop-*/*"}, equals("s3:ResourceAccount", "111122223333")),
		Allow("key", []string{"kms:Decrypt"}, []string{key}, equals("kms:ViaService", "ssm.eu-west-1.amazonaws.com")),
	}}
	var cases []realCase
	var want []Verdict
	for _, row := range []struct {
		action, resource, key, value string
		verdict                      Verdict
	}{
		{"s3:PutObject", object, "s3:ResourceAccount", "111122223333", Allowed},
		{"s3:PutObject", object, "s3:ResourceAccount", "444455556666", ImplicitDeny},
		{"s3:PutObject", object, "", "", ImplicitDeny},
		{"s3:ListBucket", "arn:aws:s3:::shop-a", "s3:ResourceAccount", "111122223333", Allowed},
		{"s3:ListBucket", "arn:aws:s3:::shop-a", "s3:ResourceAccount", "444455556666", ImplicitDeny},
		{"kms:Decrypt", key, "kms:ViaService", "ssm.eu-west-1.amazonaws.com", Allowed},
		{"kms:Decrypt", key, "kms:ViaService", "s3.eu-west-1.amazonaws.com", ImplicitDeny},
		{"kms:Decrypt", key, "", "", ImplicitDeny},
	} {
		r := Request{Action: row.action, Resource: row.resource,
			Context: map[string][]string{"s3:ResourceAccount": nil, "kms:ViaService": nil}}
		if row.key != "" {
			r.Context[row.key] = []string{row.value}
		}
		own := ""
		if row.resource == key { // of all resources only a key has to leave it to IAM
			own = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},` +
				`"Action":"kms:*","Resource":"*"}]}`
		}
		cases = append(cases, realCase{Access{Policies: []Document{policy}}, r, r, own})
		want = append(want, row.verdict)
	}
	names := map[Verdict]string{Allowed: "Allowed", ImplicitDeny: "ImplicitlyDenied"}
	for i, line := range simulate(t, cases) {
		var answer struct{ Verdict string }
		if err := json.Unmarshal([]byte(line), &answer); err != nil {
			t.Fatal(err)
		}
		ours, _ := Evaluate(cases[i].access, cases[i].known)
		if ours != want[i] || answer.Verdict != names[want[i]] {
			t.Errorf("%s with %v: want %v, we say %v, it says %s", cases[i].request.Action, cases[i].request.Context, want[i], ours, line)
		}
	}
}
