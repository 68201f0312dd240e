package iampolicy

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

const projectKey = "codebuild:projectArn"

func project(name string) string { return "arn:aws:codebuild:eu-west-1:111122223333:project/" + name }

// ofProjects is a condition that a request is of a build of one of the projects.
func ofProjects(names ...string) Condition {
	var list []string
	for _, name := range names {
		list = append(list, project(name))
	}
	return Condition{"ArnEquals", projectKey, Values{List: list}}
}

func ending(at string) Condition {
	return Condition{"DateLessThan", "aws:CurrentTime", Values{List: []string{at}}}
}

// TestContainsByValue ensures that a statement for several values is taken value by
// value, and only where that says the same.
func TestContainsByValue(t *testing.T) {
	one := func(conds ...Condition) Statement {
		return Allow("s", []string{"s3:GetObject"}, []string{object}, conds...)
	}
	many := Condition{"ForAllValues:StringEquals", "aws:TagKeys", Values{List: []string{"a", "b"}}}
	tag := func(operator string, values ...string) Condition {
		return Condition{operator, "aws:PrincipalTag/team", Values{List: values}}
	}
	for name, row := range map[string]struct {
		outer []Statement
		inner Statement
		want  bool
	}{
		"each of two by another":   {[]Statement{one(ofProjects("a")), one(ofProjects("b"))}, one(ofProjects("a", "b")), true},
		"one of two":               {[]Statement{one(ofProjects("a"))}, one(ofProjects("a", "b")), false},
		"one of two, one too much": {[]Statement{one(ofProjects("a", "c"))}, one(ofProjects("a", "b")), false},
		"one under a condition": {[]Statement{one(ofProjects("a")), one(ofProjects("b"), ending("2027-01-01T00:00:00Z"))},
			one(ofProjects("a", "b")), false},
		"each under the same": {[]Statement{one(ofProjects("a"), ending("2027-01-01T00:00:00Z")),
			one(ofProjects("b"), ending("2027-01-01T00:00:00Z"))}, one(ofProjects("a", "b"), ending("2027-01-01T00:00:00Z")), true},
		"by a pattern and by name": {[]Statement{one(Condition{"ArnLike", projectKey, Values{List: []string{project("a*")}}}),
			one(ofProjects("b"))}, one(ofProjects("a1", "b")), true},
		"of which none may be": {[]Statement{one(tag("StringNotEquals", "a")), one(tag("StringNotEquals", "b"))},
			one(tag("StringNotEquals", "a", "b")), true}, // by narrowing, not by value
		"none may be, the other way": {[]Statement{one(tag("StringNotEquals", "a", "b"))}, one(tag("StringNotEquals", "a")), false},
		"of all values": {[]Statement{one(Condition{"ForAllValues:StringEquals", "aws:TagKeys", Values{List: []string{"a"}}}),
			one(Condition{"ForAllValues:StringEquals", "aws:TagKeys", Values{List: []string{"b"}}})}, one(many), false},
		"of a key that takes several": {[]Statement{one(Condition{"StringEquals", "aws:TagKeys", Values{List: []string{"a"}}}),
			one(Condition{"StringEquals", "aws:TagKeys", Values{List: []string{"b"}}})},
			one(Condition{"StringEquals", "aws:TagKeys", Values{List: []string{"a", "b"}}}), false},
		"or absent": {[]Statement{one(tag("StringEqualsIfExists", "a")), one(tag("StringEqualsIfExists", "b"))},
			one(tag("StringEqualsIfExists", "a", "b")), false},
	} {
		if got, what := Contains([]Document{{Statements: row.outer}}, []Document{{Statements: []Statement{row.inner}}}); got != row.want {
			t.Errorf("%s: %v, %s", name, got, what)
		}
	}
}

// TestUnite ensures that a grant that two projects have becomes one statement with
// both, and that nothing else is touched.
func TestUnite(t *testing.T) {
	const end, later = "2027-01-01T00:00:00Z", "2027-02-01T00:00:00Z"
	grant := func(sid string, conds ...Condition) Statement {
		return Allow(sid, []string{"s3:GetObject"}, []string{object}, conds...)
	}
	for name, row := range map[string]struct {
		before, add Statement
		want        string // values of each statement
	}{
		"the same for another":        {grant("g", ofProjects("b")), grant("g", ofProjects("a")), "a b"},
		"numbered":                    {grant("g4", ofProjects("b")), grant("g", ofProjects("a")), "a b"},
		"a third":                     {grant("g", ofProjects("a", "c")), grant("g", ofProjects("b")), "a b c"},
		"there already":               {grant("g", ofProjects("a", "c")), grant("g", ofProjects("a")), "a c"},
		"of another name":             {grant("mine", ofProjects("b")), grant("g", ofProjects("a")), "b|a"},
		"with the same end":           {grant("g", ofProjects("b"), ending(end)), grant("g", ofProjects("a"), ending(end)), "a b"},
		"with another end":            {grant("g", ofProjects("b"), ending(end)), grant("g", ofProjects("a"), ending(later)), "b|a"},
		"with an end and without":     {grant("g", ofProjects("b"), ending(end)), grant("g", ofProjects("a")), "b|a"},
		"for everybody, then for one": {grant("g"), grant("g", ofProjects("a")), ""},
		"for one, then for everybody": {grant("g", ofProjects("b")), grant("g"), "b|"},
		"on something else": {Allow("g", []string{"s3:GetObject"}, []string{bucket}, ofProjects("b")),
			grant("g", ofProjects("a")), "b|a"},
		"more actions": {Allow("g", []string{"s3:GetObject", "s3:PutObject"}, []string{object}, ofProjects("b")),
			grant("g", ofProjects("a")), "b|a"},
		"a denial": {Statement{Sid: "g", Effect: "Deny", Action: Values{List: []string{"s3:GetObject"}},
			Resource: Values{List: []string{object}}, Condition: []Condition{ofProjects("b")}}, grant("g", ofProjects("a")), "b|a"},
		"by another operator": {grant("g", Condition{"ArnLike", projectKey, Values{List: []string{project("b")}}}),
			grant("g", ofProjects("a")), "b|a"},
		"of all but": {grant("g", Condition{"ArnNotEquals", projectKey, Values{List: []string{project("b")}}}),
			grant("g", Condition{"ArnNotEquals", projectKey, Values{List: []string{project("a")}}}), "b|a"},
		"with a variable": {grant("g", Condition{"ArnEquals", projectKey, Values{List: []string{"${codebuild:projectArn}"}}}),
			grant("g", ofProjects("a")), "${codebuild:projectArn}|a"},
	} {
		t.Run(name, func(t *testing.T) {
			other := Allow("z", []string{"ecr:PutImage"}, []string{repo})
			before, err := Parse(Document{Statements: []Statement{row.before, other}}.Canonical())
			if err != nil {
				t.Fatal(err)
			}
			merged, n := Merge(before, []Statement{row.add})
			after := Unite(merged, n, projectKey)
			var got []string
			for _, s := range after.Statements {
				if s.Resource.List[0] == repo {
					continue
				}
				var names []string
				for _, c := range s.Condition {
					if c.Key == projectKey {
						for _, v := range c.Values.List {
							names = append(names, strings.TrimPrefix(v, project("")))
						}
					}
				}
				got = append(got, strings.Join(names, " "))
			}
			if all := strings.Join(got, "|"); all != row.want {
				t.Errorf("got %q, want %q: %s", all, row.want, printed(after))
			}
			if !strings.Contains(printed(after), before.Statements[1].Raw) {
				t.Error("another statement was altered")
			}
			if inside, what := Contains([]Document{before, {Statements: []Statement{row.add}}}, []Document{after}); !inside {
				t.Errorf("cannot be shown to be no more: %s", what)
			}
			if inside, what := Contains([]Document{after}, []Document{before, {Statements: []Statement{row.add}}}); !inside &&
				row.before.Effect == "Allow" {
				t.Errorf("cannot be shown to be no less: %s", what)
			}
			read, err := Parse(after.Canonical())
			if err != nil {
				t.Fatal(err)
			}
			again, n := Merge(read, []Statement{row.add})
			if n != 0 {
				t.Errorf("merging again adds %s", printed(again))
			}
		})
	}
}

// TestUniteLeavesInputAlone ensures that neither the document nor what was added to it changes.
func TestUniteLeavesInputAlone(t *testing.T) {
	a := Allow("g", []string{"s3:GetObject"}, []string{object}, ofProjects("a"))
	b := Allow("g", []string{"s3:GetObject"}, []string{object}, ofProjects("b"))
	merged, n := Merge(Document{Statements: []Statement{a}}, []Statement{b})
	text := printed(merged)
	Unite(merged, n, projectKey)
	if printed(merged) != text {
		t.Errorf("%s became %s", text, printed(merged))
	}
	united := Unite(merged, n, projectKey)
	text = printed(united)
	for _, row := range []struct {
		out, left Statement
		found     int
	}{{a, b, 1}, {b, a, 1}, {Allow("g", []string{"s3:GetObject"}, []string{bucket}, ofProjects("a")), united.Statements[0], 0},
		{Allow("g", []string{"s3:GetObject"}, []string{object}, ofProjects("a", "c")), united.Statements[0], 0}} {
		left, found := Divide(united, []Statement{row.out}, projectKey)
		if found != row.found || !sameMeaning(left.Statements[0], row.left) || printed(united) != text {
			t.Errorf("%s without %+v: %d, %s", text, row.out, found, printed(left))
		}
	}
	if left, found := Divide(united, []Statement{a, b}, projectKey); found != 2 || len(left.Statements) != 0 {
		t.Errorf("without both: %d, %s", found, printed(left))
	}
}

// checkScope: what is merged for a project's builds gives no build of another
// project anything, and its own what was asked, whatever else the policy holds.
func checkScope(t *testing.T, g generator, counts map[string]int) {
	t.Helper()
	before, err := Parse(g.document().Canonical())
	if err != nil {
		t.Fatal(err)
	}
	const projects = 3
	was := make([]Document, 0, projects+1)
	was = append(was, before)
	grants := g.grants()
	d := before
	for k := range projects {
		var add []Statement
		for _, s := range grants {
			s.Condition = append(slices.Clone(s.Condition), ofProjects(string(rune('a'+k))))
			add = append(add, s)
		}
		merged, n := Merge(d, add)
		if next := Unite(merged, n, projectKey); len(next.Statements) < len(merged.Statements) {
			counts["united"]++
			d = next
		} else {
			d = merged
		}
		if d, err = Parse(d.Canonical()); err != nil {
			t.Fatal(err)
		}
		was = append(was, d)
	}
	for _, r := range g.requests(6) {
		for k := range projects + 1 { // the last is a project that was given nothing
			r.Context = withKey(r.Context, projectKey, project(string(rune('a'+k))))
			for given := 1; given <= projects; given++ {
				v, _ := Evaluate(Access{Policies: was[given-1 : given]}, r)
				w, _ := Evaluate(Access{Policies: was[given : given+1]}, r)
				if v != w && k != given-1 {
					t.Fatalf("project %d was answered %v, and is %v since %d was given something\nrequest %+v\nbefore %s\nafter %s",
						k, v, w, given-1, r, printed(was[given-1]), printed(was[given]))
				}
				if v != Allowed && w == Allowed {
					counts["newly allowed"]++
				}
				if v == Allowed && w != Allowed {
					t.Fatalf("project %d lost something", k)
				}
			}
		}
	}
}

func withKey(context map[string][]string, key, value string) map[string][]string {
	out := map[string][]string{key: {value}}
	for k, v := range context {
		if !strings.EqualFold(k, key) {
			out[k] = v
		}
	}
	return out
}

func TestScopeIsKept(t *testing.T) {
	counts := map[string]int{}
	for seed := range uint64(400) {
		checkScope(t, newGenerator(seed), counts)
	}
	if counts["united"] < 100 || counts["newly allowed"] < 100 {
		t.Errorf("the test shows little: %v", counts)
	}
	t.Log(counts)
}

func FuzzScopeIsKept(f *testing.F) {
	f.Add(uint64(1 << 40))
	f.Fuzz(func(t *testing.T, seed uint64) { checkScope(t, newGenerator(seed), map[string]int{}) })
}

// TestManyProjectsFit ensures that a grant of a role that many projects share takes
// little more of its policy than their ARNs do, and that it is proved in little time.
func TestManyProjectsFit(t *testing.T) {
	var d Document
	var singles []Statement
	for i := range 120 {
		s := Allow("shop-image", []string{"ecr:BatchCheckLayerAvailability", "ecr:CompleteLayerUpload", "ecr:InitiateLayerUpload",
			"ecr:PutImage", "ecr:UploadLayerPart"}, []string{repo}, ofProjects(fmt.Sprintf("shop-%03d", i)))
		singles = append(singles, s)
		merged, n := Merge(d, []Statement{s})
		d = Unite(merged, n, projectKey)
	}
	if n := Size(d.Canonical()); len(d.Statements) != 1 || n > 10240 {
		t.Errorf("%d statements of %d characters", len(d.Statements), n)
	}
	if inside, what := Contains([]Document{{Statements: singles}}, []Document{d}); !inside {
		t.Error(what)
	}
}
