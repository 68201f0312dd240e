package guardrail

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// theirs is somebody's own statement.
func theirs(name string) iampolicy.Statement {
	return iampolicy.Allow(name, []string{"s3:GetObject"}, []string{"arn:aws:s3:::" + strings.ToLower(name) + "/*"})
}

// givenTo is what a project is given beside what is there: two statements.
func givenTo(t *testing.T, kind TargetKind, name, before string, scope settings.Scope) Target {
	t.Helper()
	in := sibling(shop(), name)
	grantOf(&in).Give, grantOf(&in).Scope = settings.GiveSet, scope
	switch {
	case kind == Managed:
		managed(&in)
		in.Role.Named.Document = before
		in.Role.Managed = []ManagedPolicy{*in.Role.Named}
	case before != "":
		in.Role.Inline["buildmedic"] = before
	}
	j := Judge(in)
	if j.Target == nil || len(j.Added) != 2 {
		t.Fatalf("%s: %v, %v", name, j.Refusals, j.Added)
	}
	return *j.Target
}

// TestWithout ensures that what was given is taken out as it was given, and nothing else, and that
// nothing is where somebody has changed a part of it.
func TestWithout(t *testing.T) {
	for _, kind := range []TargetKind{Inline, Managed} {
		target := givenTo(t, kind, "shop", policy(theirs("Own")), settings.ScopeRole)
		after := written(t, Judgement{Target: &target}).Statements
		gave := after[1:]
		edited := func(edit func(*iampolicy.Statement)) string {
			st := gave[1]
			st.Raw = ""
			edit(&st)
			return policy(after[0], gave[0], st)
		}
		old := iampolicy.Document{Version: "2008-10-17", Statements: after}
		all := iampolicy.Allow("All", []string{"ecr:*"}, []string{"*"})
		for _, row := range []struct {
			name, now string
			want      string // the document then; "no" where it is left as it is
		}{
			{"as it was written", target.After, policy(theirs("Own"))},
			{"written in one line", string(written(t, Judgement{Target: &target}).Compact()), policy(theirs("Own"))},
			{"others have added", policy(theirs("First"), after[0], gave[0], theirs("Between"), gave[1], all),
				policy(theirs("First"), theirs("Own"), theirs("Between"), all)},
			{"in another order", policy(gave[1], after[0], gave[0]), policy(theirs("Own"))},
			{"the rest is gone", policy(append([]iampolicy.Statement{theirs("Else")}, gave...)...), policy(theirs("Else"))},
			{"all is gone", policy(theirs("Own"), theirs("Else")), policy(theirs("Own"), theirs("Else"))},
			{"somebody gives the same", policy(after[0], iampolicy.Allow("Mine", gave[1].Action.List, gave[1].Resource.List)),
				policy(after[0], iampolicy.Allow("Mine", gave[1].Action.List, gave[1].Resource.List))},
			{"one is gone", policy(after[0], gave[1]), "no"},
			{"one has a condition", edited(func(st *iampolicy.Statement) {
				st.Condition = []iampolicy.Condition{equals("aws:RequestedRegion", "eu-west-1")}
			}), "no"},
			{"one gives less", edited(func(st *iampolicy.Statement) { st.Action.List = st.Action.List[:1] }), "no"},
			{"one gives more", edited(func(st *iampolicy.Statement) { st.Resource.List = []string{repo + "*"} }), "no"},
			{"one has another name", edited(func(st *iampolicy.Statement) { st.Sid = "Mine" }), "no"},
			{"one denies", edited(func(st *iampolicy.Statement) { st.Effect = "Deny" }), "no"},
			{"the only one left is changed",
				policy(after[0], iampolicy.Allow(gave[1].Sid, []string{"ecr:PutImage"}, []string{repo})), "no"},
			{"of another version", string(old.Canonical()), "no"},
			{"unreadable", "{", "no"},
		} {
			next, ok := target.Without(row.now)
			switch {
			case ok != (row.want != "no"):
				t.Errorf("%s, %s: %t, %s", kind, row.name, ok, next.Before)
			case !ok && cmp.Diff(target, next) != "":
				t.Errorf("%s, %s: %+v", kind, row.name, next)
			case ok && (next.Kind != kind || next.Name != target.Name || next.After != row.now || !iampolicy.Same(next.Before, row.want)):
				t.Errorf("%s, %s: from %s to %s", kind, row.name, next.After, next.Before)
			}
		}
		// What is left of a policy with nothing else in it.
		next, ok := target.Without(policy(gave...))
		if kind == Inline && (!ok || next.Before != "") || kind == Managed && ok {
			t.Errorf("%s: nothing is left: %t, %s", kind, ok, next.Before)
		}
		if next, ok := target.Without(""); ok != (kind == Inline) || ok && next.Before != "" {
			t.Errorf("%s: the policy is gone: %t, %+v", kind, ok, next)
		}
		if same := (Target{Kind: kind, Name: "n", Before: target.After, After: target.After}); len(same.Gave()) > 0 {
			t.Errorf("%s: nothing was given: %v", kind, same.Gave())
		} else if _, ok := same.Without(target.After); ok {
			t.Errorf("%s: what was not given is taken out", kind)
		}
	}
	first := givenTo(t, Inline, "shop", "", settings.ScopeRole)
	if next, ok := first.Without(first.After); !ok || next.Before != "" {
		t.Errorf("a policy of ours alone: %t, %s", ok, next.Before)
	}
	for _, kind := range []TargetKind{Attach, Code, ""} {
		target := first
		if target.Kind = kind; len(target.Gave()) > 0 {
			t.Errorf("kind %q gave %v", kind, target.Gave())
		}
		if _, ok := target.Without(first.After); ok {
			t.Errorf("kind %q: taken out", kind)
		}
	}
	for _, broken := range []Target{{Kind: Inline, After: "{"}, {Kind: Inline, Before: "{", After: first.After},
		{Kind: Inline, Before: first.After, After: policy(theirs("Own"))}} {
		if _, ok := broken.Without(first.After); ok {
			t.Errorf("taken out by %+v", broken)
		}
	}
}

// TestWithoutSiblings ensures that of a statement that several projects have together each one's part is
// taken out, in whatever order, and the others keep theirs.
func TestWithoutSiblings(t *testing.T) {
	for _, kind := range []TargetKind{Inline, Managed} {
		before := policy(theirs("Own"))
		first := givenTo(t, kind, "shop", before, settings.ScopeProject)
		second := givenTo(t, kind, "api", first.After, settings.ScopeProject)
		third := givenTo(t, kind, "web", second.After, settings.ScopeProject)
		now := third.After
		for _, target := range []Target{second, first, third} {
			next, ok := target.Without(now)
			if !ok || next.After != now || next.Before == now {
				t.Fatalf("%s: cannot be taken out of %s", kind, now)
			}
			if again, ok := target.Without(next.Before); !ok || again.Before != again.After {
				t.Errorf("%s: taken out twice: %t, %+v", kind, ok, again)
			}
			now = next.Before
			d, err := iampolicy.Parse([]byte(now))
			if err != nil {
				t.Fatal(err)
			}
			for _, project := range []string{"shop", "api", "web"} {
				want := strings.Contains(now, projectARN(project)+`"`)
				if got := may([]iampolicy.Document{d}, project, "ecr:PutImage", repo) == iampolicy.Allowed; got != want {
					t.Errorf("%s: %s: %t, want %t with %s", kind, project, got, want, now)
				}
			}
		}
		if !iampolicy.Same(now, before) {
			t.Errorf("%s: in the end it is %s", kind, now)
		}
		narrowed := policy(theirs("Own"), iampolicy.Allow("ShopImage", []string{"ecr:PutImage"}, []string{repo}, onlyFor("shop")))
		if next, ok := first.Without(narrowed); ok {
			t.Errorf("%s: a person narrowed it: becomes %s", kind, next.Before)
		}
	}
}

// crowd is a policy that a project and perhaps others were given something in since.
type crowd struct {
	target Target   // the project's
	others []Target // of siblings
	now    string
	added  []iampolicy.Statement // by somebody, by hand
}

// randomCrowd makes one of a seed; false if the project is given nothing.
func randomCrowd(t *testing.T, seed uint64) (c crowd, ok bool) {
	in := randomInput(t, seed)
	r := rand.New(rand.NewPCG(seed, 23))
	for i := range in.Settings.Grants {
		if r.IntN(2) == 0 {
			in.Settings.Grants[i].Scope = settings.ScopeProject
		}
	}
	if in.Project.Write.Attach {
		in.Project.Write = settings.Write{Inline: "buildmedic"}
	}
	denied := slices.Clone(in.Denials)
	j := Judge(in)
	if j.Target == nil || len(j.Added) == 0 {
		return c, false
	}
	c.target, c.now = *j.Target, j.Target.After
	for n := range r.IntN(4) {
		if r.IntN(2) == 0 {
			d, err := iampolicy.Parse([]byte(c.now))
			if err != nil {
				t.Fatal(err)
			}
			action := oneOf(r, []string{"s3:GetObject", "ecr:PutImage", "logs:*"})
			st := iampolicy.Allow(fmt.Sprintf("Theirs%dx%d", seed, n), []string{action},
				[]string{oneOf(r, []string{"*", repo, "arn:aws:s3:::shop-a/x y"})})
			c.added = append(c.added, st)
			d.Statements = slices.Insert(d.Statements, r.IntN(len(d.Statements)+1), st)
			c.now = string(d.Canonical())
			continue
		}
		name := oneOf(r, []string{"shop2", "shop3"})
		other := sibling(in, name)
		other.Before, other.Denials = nil, slices.Clone(denied)
		if r.IntN(2) == 0 {
			other.Denials = []buildlog.Denial{oneOf(r, fairDenials)}
		}
		for i, d := range other.Denials {
			other.Denials[i].Principal = strings.Replace(d.Principal, "/shop", "/"+name, 1)
		}
		if c.target.Kind == Managed {
			named := *in.Role.Named
			named.Document = c.now
			other.Role.Named = &named
		} else {
			other.Role.Inline = map[string]string{c.target.Name: c.now}
		}
		if k := Judge(other); k.Target != nil && len(k.Added) > 0 {
			c.others, c.now = append(c.others, *k.Target), k.Target.After
		}
	}
	return c, true
}

// checkWithout holds a document against what it was before something was taken out: nothing is allowed in it
// that was not, and what is not allowed any more, or not perhaps, was given.
func checkWithout(t *testing.T, gave []iampolicy.Statement, was, is string) {
	t.Helper()
	read := func(text string) []iampolicy.Document {
		if text == "" {
			return nil
		}
		d, err := iampolicy.ParseLoose([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return []iampolicy.Document{d}
	}
	before, after := read(was), read(is)
	ours := []iampolicy.Document{{Version: before[0].Version, Statements: gave}}
	for _, project := range []string{"shop", "shop2", "next"} {
		for _, a := range someActions {
			for _, res := range someResources {
				old, now := may(before, project, a, res), may(after, project, a, res)
				if old == now || now == iampolicy.ImplicitDeny && may(ours, project, a, res) == old {
					continue
				}
				t.Fatalf("%s on %s of a build of %s was %v and is %v\n%s\n%s", a, res, project, old, now, was, is)
			}
		}
	}
}

// TestWithoutTakesWhatWasGiven: whatever is given to whom, and whatever stands there, exactly that is taken out
// again: what others have added since stays, and without others all is as it was.
func TestWithoutTakesWhatWasGiven(t *testing.T) {
	n, took, crowded := 300, 0, 0
	if testing.Short() {
		n = 120
	}
	for seed := range uint64(n) {
		c, is := randomCrowd(t, seed)
		if !is {
			continue
		}
		gave := c.target.Gave()
		next, ok := c.target.Without(c.now)
		if len(gave) == 0 || !ok || next.After != c.now {
			t.Fatalf("seed %d: gave %v, taken out: %t\n%s\n%s", seed, gave, ok, c.target.After, c.now)
		}
		took++
		checkWithout(t, gave, c.now, next.Before)
		if alone, ok := c.target.Without(c.target.After); !ok || alone.Before != c.target.Before {
			t.Fatalf("seed %d: was %s, and is %s", seed, c.target.Before, alone.Before)
		}
		if next.Before == "" {
			continue
		}
		left, err := iampolicy.Parse([]byte(next.Before))
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		before, _ := iampolicy.ParseLoose([]byte(c.target.Before))
		for _, st := range slices.Concat(before.Statements, c.added) {
			if !slices.ContainsFunc(left.Statements, alike(st)) {
				t.Fatalf("seed %d: %s is gone from\n%s", seed, st, next.Before)
			}
		}
		if again, ok := c.target.Without(next.Before); !ok || again.Before != again.After {
			t.Fatalf("seed %d: taken out twice: %t, %s", seed, ok, next.Before)
		}
		// The others' is there still, and can be taken out, too.
		for i, other := range slices.Backward(c.others) {
			crowded++
			gave, then := other.Gave(), next.Before
			if next, ok = other.Without(then); !ok || next.Before == then {
				t.Fatalf("seed %d: what sibling %d was given is not there: %s", seed, i, then)
			}
			checkWithout(t, gave, then, next.Before)
			if next.Before == "" {
				break
			}
		}
	}
	t.Logf("%d cases take something out, after %d siblings", took, crowded)
	if took < n/20 || crowded < n/50 {
		t.Error("the property holds of too little")
	}
}

// TestWithoutLeavesWhatIsChanged: whatever somebody changes in a part of what was given, nothing is taken out.
func TestWithoutLeavesWhatIsChanged(t *testing.T) {
	tried := 0
	for seed := range uint64(400) {
		c, is := randomCrowd(t, seed)
		if !is {
			continue
		}
		gave := c.target.Gave()
		d, err := iampolicy.Parse([]byte(c.now))
		if err != nil {
			t.Fatal(err)
		}
		r := rand.New(rand.NewPCG(seed, 29))
		at := slices.IndexFunc(d.Statements, func(st iampolicy.Statement) bool {
			_, n := takeOut(iampolicy.Document{Version: d.Version, Statements: []iampolicy.Statement{st}}, gave)
			return n > 0
		})
		st := d.Statements[at]
		st.Raw, st.Condition = "", slices.Clone(st.Condition)
		switch r.IntN(5) {
		case 0:
			st.Condition = append(st.Condition, equals("aws:SourceVpc", "vpc-1"))
		case 1:
			st.Action.List = append(slices.Clone(st.Action.List), "sqs:SendMessage")
		case 2:
			st.Resource.List = []string{"arn:aws:s3:::else"}
		case 3:
			st.Effect = "Deny"
		case 4:
			st.Resource, st.NotResource = iampolicy.Values{}, st.Resource
		}
		d.Statements[at] = st
		tried++
		changed := string(d.Canonical())
		if next, ok := c.target.Without(changed); ok && next.Before != next.After {
			t.Fatalf("seed %d: %s\nbecomes %s", seed, changed, next.Before)
		}
	}
	if tried < 20 {
		t.Errorf("only %d cases were changed", tried)
	}
}

// FuzzWithout: whatever document is there, nothing is taken out of it but what was given.
func FuzzWithout(f *testing.F) {
	for i, p := range somePolicies {
		f.Add(uint64(i), p)
	}
	f.Add(uint64(3), policy(theirs("Own"), iampolicy.Allow("Image", []string{"ecr:PutImage"}, []string{repo}, onlyFor("shop"))))
	f.Fuzz(func(t *testing.T, seed uint64, text string) {
		c, is := randomCrowd(t, seed)
		if !is {
			return
		}
		for _, now := range []string{text, strings.Replace(c.now, `"Statement":[`, `"Statement":[`+text, 1)} {
			next, ok := c.target.Without(now)
			if !ok || now == "" || next.Before == now {
				continue
			}
			checkWithout(t, c.target.Gave(), now, next.Before)
		}
	})
}

// TestOtherDocuments: what is on the role besides what was written, and what is left of that.
func TestOtherDocuments(t *testing.T) {
	role := RoleState{Inline: map[string]string{"b": "own b", "Buildmedic": "ours", "a": "own a"},
		Managed: []ManagedPolicy{{ARN: policyARN, Document: "managed"}, {ARN: "arn:aws:iam::aws:policy/x", Document: "x"}}}
	for name, row := range map[string]struct {
		target Target
		next   string
		want   string
	}{
		"an inline policy":                {Target{Kind: Inline, Name: "buildmedic"}, "rest", "own a,own b,managed,x,rest"},
		"an inline policy that goes":      {Target{Kind: Inline, Name: "Buildmedic"}, "", "own a,own b,managed,x"},
		"one that is not there":           {Target{Kind: Inline, Name: "none"}, "", "ours,own a,own b,managed,x"},
		"a managed policy":                {Target{Kind: Managed, Name: policyARN}, "rest", "ours,own a,own b,rest,x"},
		"a managed policy with no rest":   {Target{Kind: Managed, Name: policyARN}, "", "ours,own a,own b,x"},
		"one that is not on it any more":  {Target{Kind: Managed, Name: policyARN + "2"}, "rest", "ours,own a,own b,managed,x"},
		"policies that were attached":     {Target{Kind: Attach, Attach: []string{policyARN}}, "", "ours,own a,own b,x"},
		"nothing of ours":                 {Target{Kind: Code, Name: policyARN}, "", "ours,own a,own b,managed,x"},
		"a policy called as the managed ": {Target{Kind: Inline, Name: policyARN}, "", "ours,own a,own b,managed,x"},
	} {
		if got := strings.Join(OtherDocuments(role, row.target, row.next), ","); got != row.want {
			t.Errorf("%s: %s, want %s", name, got, row.want)
		}
	}
	if got := OtherDocuments(RoleState{}, Target{Kind: Inline, Name: "x"}, ""); len(got) > 0 {
		t.Errorf("of a role with nothing: %v", got)
	}
}

// TestGaveWithin: other documents must allow all that was given.
func TestGaveWithin(t *testing.T) {
	gave := givenTo(t, Inline, "shop", "", settings.ScopeRole)
	is, err := iampolicy.Parse([]byte(gave.After))
	if err != nil {
		t.Fatal(err)
	}
	part := string(iampolicy.Document{Version: is.Version, Statements: is.Statements[:1]}.Canonical())
	own := string(iampolicy.Document{Version: is.Version, Statements: []iampolicy.Statement{theirs("Other")}}.Canonical())
	attached := Target{Kind: Attach, Attach: []string{"arn:aws:iam::111122223333:policy/ours"}}
	role := RoleState{Managed: []ManagedPolicy{{ARN: attached.Attach[0], Document: gave.After}}}
	for _, row := range []struct {
		what string
		t    Target
		docs []string
		want bool
	}{
		{"all", gave, []string{own, gave.After}, true},
		{"a part", gave, []string{own, part}, false},
		{"none", gave, nil, false},
		{"what cannot be read", gave, []string{gave.After, "{"}, false},
		{"what is not known to have been given", Target{Kind: Inline}, []string{gave.After}, false},
		{"all of what was attached", attached, []string{gave.After}, true},
		{"a part of what was attached", attached, []string{part}, false},
	} {
		if got := row.t.GaveWithin(role, row.docs); got != row.want {
			t.Errorf("%s: %v", row.what, got)
		}
	}
}
