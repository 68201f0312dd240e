package iampolicy

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// generator makes random documents and requests from few words, so that they
// meet often.
type generator struct{ *rand.Rand }

func newGenerator(seed uint64) generator { return generator{rand.New(rand.NewPCG(seed, 1))} }

func pick[T any](g generator, list ...T) T { return list[g.IntN(len(list))] }

func (g generator) chance(percent int) bool { return g.IntN(100) < percent }

// some gives at least one of the things that make gives.
func some[T any](g generator, make func() T) []T {
	out := []T{make()}
	for g.chance(40) {
		out = append(out, make())
	}
	return out
}

func (g generator) action() string {
	return pick(g, "s3:GetObject", "s3:PutObject", "ecr:PutImage", "ECR:getimage")
}

func (g generator) resource() string {
	return pick(g, "*", "arn:aws:s3:::b", "arn:aws:s3:::b/k", "arn:aws:s3:::b/k:v", "arn:aws:s3:::b/ali", "arn:aws:s3:::b/$",
		"arn:aws:ecr:r:1:repository/a", "arn:aws:ecr:r:1:repository/a/b", "arn:aws:ecr:q:22:repository/b", "arn:aws-cn:s3:::b/k")
}

func (g generator) actionPattern() string {
	if g.chance(60) {
		return pick(g, g.action(), "*", "s3:*", "s3:Get*", "ecr:*", "s3:???Object", "ecr:Put?mage", "s3:*O*t")
	}
	return pick(g, "*:*", "s*:*", "?3:GetObject", "*Object", "*t", "")
}

func (g generator) resourcePattern() string {
	if g.chance(60) {
		return pick(g, g.resource(), "*", "arn:aws:s3:::b/*", "arn:aws:s3:::*", "arn:aws:ecr:*:*:repository/*", "arn:aws:ecr:r:1:*",
			"arn:aws:s3:::b/${k:user}", "arn:aws:ecr:r:1:repository/${k:user}", "arn:aws:s3:::b/?", "arn:*:s3:::b/k")
	}
	return pick(g, "arn:aws:s3:*", "arn:aws:*", "arn:*", "arn:aws:ecr:*:repository/a", "arn:aws:ecr:r*:repository/a", "arn:aws:*:::b/k",
		"*/k", "arn:aws:ecr:?:1:repository/?", "arn:aws:s3:::b/${*}", "arn:aws:s3:::b/${$}",
		"arn:aws:ecr:${k:user}:1:repository/a", "arn:aws:s3", "arn:aws:ecr:r", "arn:aws:s3:::*?", "**",
		"arn:aws:ecr:*:*:repo*", "arn:aws:ecr:*:*:*/a", "arn:aws:ecr:r:1:?epository/*")
}

func (g generator) values(operator string) []string {
	list := func(words ...string) []string { return some(g, func() string { return pick(g, words...) }) }
	switch {
	case operator == "Null", operator == "Bool":
		return list("true", "false")
	case strings.HasPrefix(operator, "Numeric"):
		return list("1", "2", "3.5")
	case strings.HasPrefix(operator, "Date"):
		return list("2026-01-01T00:00:00Z", "2026-06-01T00:00:00Z", "2027-01-01T00:00:00Z")
	case strings.HasSuffix(operator, "IpAddress"):
		return list("10.0.0.0/8", "10.1.0.0/16", "10.1.2.3", "0.0.0.0/0")
	case strings.HasPrefix(operator, "Arn"):
		return list("arn:aws:iam::1:role/a", "arn:aws:iam::*:role/*", "arn:aws:iam:*:role/a", "arn:aws:iam::1:role/?")
	}
	return list("ali", "Ali", "a*", "a?i", "*", "${k:user}", "${*}", "bob")
}

var (
	stringTests = []string{"StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase",
		"StringNotEqualsIgnoreCase"}
	arnTests    = []string{"ArnLike", "ArnEquals", "ArnNotLike", "ArnNotEquals"}
	numberTests = []string{"NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals",
		"NumericGreaterThan", "NumericGreaterThanEquals"}
	dateTests = []string{"DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals"}
	ipTests   = []string{"IpAddress", "NotIpAddress"}
)

func (g generator) condition() Condition {
	key, operator := "k:user", pick(g, stringTests...)
	switch g.IntN(8) {
	case 0:
		key, operator = "k:arn", pick(g, arnTests...)
	case 1:
		key, operator = "k:number", pick(g, numberTests...)
	case 2:
		key, operator = "k:date", pick(g, dateTests...)
	case 3:
		key, operator = "k:ip", pick(g, ipTests...)
	case 4:
		key, operator = "k:bool", "Bool"
	case 5:
		key, operator = pick(g, "k:user", listKey, "k:bool"), "Null"
	case 6:
		key = listKey
	}
	c := Condition{Operator: operator, Key: key, Values: Values{List: g.values(operator)}}
	if operator != "Null" && g.chance(25) {
		c.Operator = pick(g, "ForAllValues:", "ForAnyValue:") + c.Operator
	}
	if operator != "Null" && g.chance(20) {
		c.Operator += "IfExists"
	}
	return c
}

func (g generator) conditions() []Condition {
	if g.chance(55) {
		return nil
	}
	list := some(g, g.condition)
	slices.SortFunc(list, compareConditions)
	return slices.CompactFunc(list, func(a, b Condition) bool { return compareConditions(a, b) == 0 })
}

func (g generator) statement() Statement {
	s := Statement{Effect: "Allow", Condition: g.conditions()}
	if g.chance(25) {
		s.Effect = "Deny"
	}
	actions, resources := Values{List: some(g, g.actionPattern)}, Values{List: some(g, g.resourcePattern)}
	if s.Action = actions; g.chance(15) {
		s.Action, s.NotAction = Values{}, actions
	}
	if s.Resource = resources; g.chance(15) {
		s.Resource, s.NotResource = Values{}, resources
	}
	return s
}

func (g generator) document() Document {
	return Document{Version: pick(g, version2012, version2012, version2008), Statements: some(g, g.statement)}
}

// listKey is multivalued.
const listKey = "aws:TagKeys"

// requestValues are the condition keys, each with the values it may have.
var requestValues = [][]string{
	{"k:arn", "arn:aws:iam::1:role/a", "arn:aws:iam::22:role/b"},
	{"k:bool", "true", "false"},
	{"k:date", "2025-06-01T00:00:00Z", "2026-06-01T00:00:00Z", "2026-09-01T00:00:00Z"},
	{"k:ip", "10.1.2.3", "10.9.9.9", "192.0.2.1"},
	{"k:number", "1", "2", "3.5", "4"},
	{listKey, "ali", "bob", "x"},
	{"k:user", "ali", "Ali", "bob", "a*", "r"},
}

// request gives a request with all that there is to know about it.
func (g generator) request() Request {
	r := Request{Action: g.action(), Resource: g.resource(), Context: map[string][]string{}}
	for _, of := range requestValues {
		key, words := of[0], of[1:]
		switch {
		case g.chance(15):
			r.Context[key] = nil
		case key == listKey || g.chance(5):
			r.Context[key] = some(g, func() string { return pick(g, words...) })
		default:
			r.Context[key] = []string{pick(g, words...)}
		}
	}
	return r
}

// hide gives the request with less known of it.
func (g generator) hide(r Request) Request {
	known := map[string][]string{}
	for _, of := range requestValues {
		if key := of[0]; !g.chance(10) {
			known[strings.ToUpper(key)] = r.Context[key]
		}
	}
	r.Context = known
	return r
}

func (g generator) requests(n int) []Request {
	var out []Request
	for range n {
		out = append(out, g.request())
	}
	return out
}

// readings gives some of the IAMs that there may be.
func (g generator) readings() []reading {
	all := readings()
	return []reading{pick(g, all...), pick(g, all...), pick(g, all...), pick(g, all...)}
}

func printed(docs ...Document) string {
	var out []string
	for _, d := range docs {
		out = append(out, string(d.Canonical()))
	}
	return strings.Join(out, "")
}

// checkVerdict: what Evaluate says for sure of a request of which it knows a
// part, every possible IAM says of the whole request.
func checkVerdict(t *testing.T, g generator, counts map[Verdict]int) {
	t.Helper()
	a := Access{Policies: some(g, g.document)}
	if g.chance(30) {
		boundary := g.document()
		a.Boundary = &boundary
	}
	r := g.request()
	part := g.hide(r)
	got, match := Evaluate(a, part)
	counts[got]++
	if got == Unknown {
		return
	}
	for _, rd := range g.readings() {
		if want := rd.judge(a, r); got != want {
			t.Fatalf("got %v by %v, but the IAM %+v says %v\nrequest %+v\nknown %v\n%s", got, match, rd, want, r,
				part.Context, printed(a.Policies...))
		}
	}
}

func TestEvaluateIsSure(t *testing.T) {
	counts := map[Verdict]int{}
	for seed := range uint64(3000) {
		checkVerdict(t, newGenerator(seed), counts)
	}
	for v := ImplicitDeny; v <= Unknown; v++ {
		if counts[v] < 150 {
			t.Errorf("verdict %v came out %d times only: the test shows little", v, counts[v])
		}
	}
	t.Log(counts)
}

func FuzzEvaluateIsSure(f *testing.F) {
	f.Add(uint64(1 << 40))
	f.Fuzz(func(t *testing.T, seed uint64) { checkVerdict(t, newGenerator(seed), map[Verdict]int{}) })
}

// narrowed gives a statement that often, not always, allows less.
func (g generator) narrowed(s Statement) Statement {
	s.Action.List, s.Resource.List = slices.Clone(s.Action.List), slices.Clone(s.Resource.List)
	s.Condition = slices.Clone(s.Condition)
	for i := range s.Action.List {
		if g.chance(50) {
			s.Action.List[i] = g.actionPattern()
		}
	}
	for i := range s.Resource.List {
		if g.chance(50) {
			s.Resource.List[i] = g.resourcePattern()
		}
	}
	for i := range s.Condition {
		if c := &s.Condition[i]; g.chance(40) {
			*c = g.condition()
		} else if g.chance(40) {
			c.Values.List = g.values(strings.TrimSuffix(c.Operator[strings.IndexByte(c.Operator, ':')+1:], "IfExists"))
		}
	}
	if g.chance(20) {
		s.Condition = append(s.Condition, g.condition())
	}
	slices.SortFunc(s.Condition, compareConditions)
	s.Condition = slices.CompactFunc(s.Condition, func(a, b Condition) bool { return compareConditions(a, b) == 0 })
	return s
}

// within gives documents that are often contained in the outer ones.
func (g generator) within(outer []Document) []Document {
	var out []Document
	for _, d := range outer {
		inner := Document{Version: d.Version}
		if g.chance(10) {
			inner.Version = pick(g, version2008, version2012)
		}
		for _, s := range d.Statements {
			switch {
			case g.chance(15):
			case g.chance(60):
				inner.Statements = append(inner.Statements, g.narrowed(s))
			default:
				inner.Statements = append(inner.Statements, s)
			}
		}
		if g.chance(10) {
			inner.Statements = append(inner.Statements, g.statement())
		}
		out = append(out, inner)
	}
	return out
}

// checkContains: if inner is contained in outer, then what a possible IAM
// allows by inner it allows by outer, and what Evaluate allows by inner it
// allows by outer, whatever it knows.
func checkContains(t *testing.T, g generator, counts map[string]int) {
	t.Helper()
	outer := some(g, g.document)
	inner := g.within(outer)
	if inside, _ := Contains(outer, inner); !inside {
		counts["outside"]++
		return
	}
	counts["inside"]++
	for _, r := range g.requests(12) {
		part := g.hide(r)
		in, _ := Evaluate(Access{Policies: inner}, part)
		out, match := Evaluate(Access{Policies: outer}, part)
		if in == Allowed {
			counts["inside and allowed"]++
		}
		if in == Allowed && out != Allowed {
			t.Fatalf("inner allows it, outer says %v by %v\nrequest %+v\nouter %s\ninner %s", out, match, part,
				printed(outer...), printed(inner...))
		}
		for _, rd := range g.readings() {
			if rd.judge(Access{Policies: inner}, r) == Allowed && rd.judge(Access{Policies: outer}, r) != Allowed {
				t.Fatalf("the IAM %+v allows it by inner only\nrequest %+v\nouter %s\ninner %s", rd, r,
					printed(outer...), printed(inner...))
			}
		}
	}
}

func TestContainsIsSound(t *testing.T) {
	counts := map[string]int{}
	for seed := range uint64(2000) {
		checkContains(t, newGenerator(seed), counts)
	}
	for _, what := range []string{"inside", "outside", "inside and allowed"} {
		if counts[what] < 300 {
			t.Errorf("%s: %d times only: the test shows little", what, counts[what])
		}
	}
	t.Log(counts)
}

func FuzzContainsIsSound(f *testing.F) {
	f.Add(uint64(1 << 40))
	f.Fuzz(func(t *testing.T, seed uint64) { checkContains(t, newGenerator(seed), map[string]int{}) })
}

// checkImplies: if one condition implies another, then a request that meets
// the one meets the other, in every possible IAM and for Evaluate.
func checkImplies(t *testing.T, g generator, counts map[string]int) {
	t.Helper()
	a, b := g.condition(), g.condition()
	b.Key = a.Key
	versionA, versionB := pick(g, version2012, version2012, version2008), pick(g, version2012, version2012, version2008)
	if !implies(a, versionA, b, versionB) {
		return
	}
	counts["implied"]++
	if a.Operator != b.Operator {
		counts["implied by another operator"]++
	}
	for _, r := range g.requests(10) {
		c := newContext(g.hide(r))
		if a.holds(versionA, c) == yes && b.holds(versionB, c) != yes {
			t.Fatalf("%+v holds and %+v is %v\ncontext %v", a, b, b.holds(versionB, c), c)
		}
		for _, rd := range g.readings() {
			if rd.condition(a, r, versionA == version2012) && !rd.condition(b, r, versionB == version2012) {
				t.Fatalf("%+v holds and %+v does not for the IAM %+v\ncontext %v", a, b, rd, r.Context)
			}
		}
	}
}

func TestImpliesIsSound(t *testing.T) {
	counts := map[string]int{}
	for seed := range uint64(30000) {
		checkImplies(t, newGenerator(seed), counts)
	}
	if counts["implied"] < 200 || counts["implied by another operator"] < 100 {
		t.Errorf("the test shows little: %v", counts)
	}
	t.Log(counts)
}

// grants gives statements as a healer adds them.
func (g generator) grants() []Statement {
	return some(g, func() Statement {
		s := Allow(pick(g, "", "grant-a", "grant-b"), some(g, g.actionPattern), some(g, g.resourcePattern))
		if g.chance(30) {
			s.Condition = g.conditions()
		}
		return s
	})
}

// checkMerge: merging alters and removes nothing, adds what was asked and no
// more, and is done after one time.
func checkMerge(t *testing.T, g generator, counts map[string]int) {
	t.Helper()
	made := g.document()
	before, err := Parse(made.Canonical())
	if err != nil {
		t.Fatal(err)
	}
	grants := g.grants()
	after, added := Merge(before, grants)
	counts["added"] += added
	fail := func(what string) {
		t.Helper()
		t.Fatalf("%s\nbefore %s\ngrants %s\nafter %s", what, printed(before), printed(Document{Statements: grants}), printed(after))
	}
	if len(after.Statements) != len(before.Statements)+added || after.Version != before.Version {
		fail(fmt.Sprintf("%d statements were said to be added", added))
	}
	for i, s := range before.Statements {
		if !sameForm(s, after.Statements[i]) || s.Raw != after.Statements[i].Raw || !strings.Contains(printed(after), s.Raw) {
			fail("a statement was altered")
		}
	}
	sids := map[string]bool{}
	for _, s := range after.Statements[len(before.Statements):] {
		if s.Sid == "" || sids[s.Sid] || strings.ContainsFunc(s.Sid, notAlphanumeric) {
			fail(fmt.Sprintf("Sid %q is no unique name", s.Sid))
		}
		sids[s.Sid] = true
	}
	if _, again := Merge(after, grants); again != 0 {
		fail("merging again adds something")
	}
	asked := Document{Version: before.Version, Statements: grants}
	if inside, what := Contains([]Document{before, asked}, []Document{after}); !inside {
		fail("more than what was asked: " + what)
	}
	for _, r := range g.requests(8) {
		part := g.hide(r)
		was, _ := Evaluate(Access{Policies: []Document{before}}, part)
		is, _ := Evaluate(Access{Policies: []Document{after}}, part)
		both, _ := Evaluate(Access{Policies: []Document{before, asked}}, part)
		if was == Allowed && is != Allowed {
			fail(fmt.Sprintf("%+v was allowed and is %v", part, is))
		}
		if is != both {
			fail(fmt.Sprintf("%+v is %v, but %v with both", part, is, both))
		}
		if was != Allowed && is == Allowed {
			counts["newly allowed"]++
		}
	}
}

func TestMergeIsExact(t *testing.T) {
	counts := map[string]int{}
	for seed := range uint64(1000) {
		checkMerge(t, newGenerator(seed), counts)
	}
	if counts["added"] < 500 || counts["newly allowed"] < 300 {
		t.Errorf("the test shows little: %v", counts)
	}
	t.Log(counts)
}

func FuzzMergeIsExact(f *testing.F) {
	f.Add(uint64(1 << 40))
	f.Fuzz(func(t *testing.T, seed uint64) { checkMerge(t, newGenerator(seed), map[string]int{}) })
}
