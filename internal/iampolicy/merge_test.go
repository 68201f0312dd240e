package iampolicy

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "rewrite the want files in testdata")

// Each archive has before.json, add.json and the result of merging them.
func TestMergeStories(t *testing.T) {
	names, err := filepath.Glob("testdata/merge/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatalf("no archives: %v", err)
	}
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			archive, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			want := []string{"before.json", "add.json", "want.json", "want.diff"}
			got := map[string]Document{}
			for i, file := range archive.Files {
				if i >= len(want) || file.Name != want[i] {
					t.Fatalf("unexpected file %q; want %q", file.Name, want)
				}
				if i < 2 {
					if got[file.Name], err = Parse(file.Data); err != nil {
						t.Fatalf("%s: %v", file.Name, err)
					}
				}
			}
			before := got["before.json"]
			after, added := Merge(before, got["add.json"].Statements)
			diff := Diff(before, after)
			if added != len(diff) {
				t.Errorf("%d statements were added, but the difference is %q", added, diff)
			}
			if err := Validate(after); err != nil {
				t.Error(err)
			}
			outcome := [][]byte{after.Canonical(), []byte(strings.Join(diff, "\n") + "\n")}
			for i, text := range outcome {
				file := &archive.Files[2+i]
				if *update {
					file.Data = text
				} else if d := cmp.Diff(string(file.Data), string(text)); d != "" {
					t.Errorf("%s: %s", file.Name, d)
				}
			}
			if *update {
				if err := os.WriteFile(name, txtar.Format(archive), 0o666); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func TestMergeIntoNothing(t *testing.T) {
	s := Allow("a", []string{"s3:GetObject"}, []string{"*"})
	got, added := Merge(Document{}, []Statement{s, s})
	want := Document{Version: version2012, Statements: []Statement{s}}
	if diff := cmp.Diff(want, got); added != 1 || diff != "" {
		t.Errorf("added %d: %s", added, diff)
	}
	if got, added := Merge(Document{}, nil); added != 0 || len(got.Statements) != 0 {
		t.Errorf("nothing into nothing: added %d, %+v", added, got)
	}
}

// The document that was merged into is not changed, and the outcome shares no
// list with it that appending could change.
func TestMergeLeavesInputAlone(t *testing.T) {
	statements := make([]Statement, 1, 10)
	statements[0] = Allow("a", []string{"s3:GetObject"}, []string{"*"})
	d := Document{Statements: statements}
	Merge(d, []Statement{Allow("b", []string{"s3:PutObject"}, []string{"*"})})
	if extra := statements[:2][1]; extra.Effect != "" {
		t.Errorf("the input's list was written to: %+v", extra)
	}
}

// In a document of the older version a variable is text, so it gives nothing
// that the same text as a variable would.
func TestMergeKeepsVersion(t *testing.T) {
	d := readVersion(t, version2008, allow("s3:*", bucket+"/*"))
	got, added := Merge(d, []Statement{Allow("a", []string{"ecr:PutImage"}, []string{repo})})
	if got.Version != version2008 || added != 1 {
		t.Errorf("got version %s, added %d", got.Version, added)
	}
}

// A denial, and what is said by exception, is added whole, once.
func TestMergeOther(t *testing.T) {
	d := read(t, allow("*", "*"))
	for _, text := range []string{deny("s3:*", "*"), allow("not iam:*", bucket), allow("s3:*", "not "+bucket)} {
		s := read(t, text).Statements[0]
		got, added := Merge(d, []Statement{s, s})
		if added != 1 || got.Statements[1].Sid == "" || got.Statements[1].Raw != "" {
			t.Errorf("%s: added %d: %+v", text, added, got.Statements[1:])
		}
		again, added := Merge(read(t, text), []Statement{s})
		if added != 0 {
			t.Errorf("%s: added though it is there: %+v", text, again.Statements[1:])
		}
	}
}

// Conditions are compared without regard to order and the key's case.
func TestMergeConditionsInAnyOrder(t *testing.T) {
	s := Allow("", []string{"s3:GetObject"}, []string{"*"}, Condition{"Bool", "k:a", Values{List: []string{"true"}}},
		Condition{"Bool", "K:B", Values{List: []string{"true"}}})
	slices.Reverse(s.Condition)
	d := read(t, statement("Allow", "s3:Get*", "*", `"Bool":{"k:b":true,"k:a":"true"}`))
	if got, added := Merge(d, []Statement{s}); added != 0 {
		t.Errorf("added %+v", got.Statements[1:])
	}
	d = read(t, statement("Allow", "s3:Get*", "*", `"Bool":{"k:b":true,"k:a":"true","k:c":"true"}`))
	if _, added := Merge(d, []Statement{s}); added != 1 {
		t.Error("taken for given under more conditions")
	}
	d = read(t, statement("Allow", "s3:Get*", "*", `"Bool":{"k:b":true}`))
	if got, added := Merge(d, []Statement{s}); added != 0 {
		t.Errorf("given under one of two conditions, and added %+v", got.Statements[1:])
	}
}

func TestMergeSids(t *testing.T) {
	d := Document{Statements: []Statement{
		{Sid: "x", Effect: "Deny", Action: Values{List: []string{"a:b"}}, Resource: Values{List: []string{"*"}}},
		{Sid: "tracker2", Effect: "Deny", Action: Values{List: []string{"a:c"}}, Resource: Values{List: []string{"*"}}},
	}}
	var add []Statement
	for _, sid := range []string{"X", "tracker", "trackér", "tracker", "", ""} {
		s := Allow("", []string{"s3:Action" + strings.Repeat("x", len(add))}, []string{"*"})
		s.Sid = sid
		add = append(add, s)
	}
	add[4].Action.List = []string{"s3:GetBucket", "ecr:Put*"}
	add[5].Action, add[5].NotAction = Values{}, add[5].Action
	got, _ := Merge(d, add)
	var sids []string
	for _, s := range got.Statements[2:] {
		sids = append(sids, s.Sid)
	}
	want := []string{"X2", "Tracker", "TrackR", "Tracker3", "AllowEcrS3", "AllowAllExcept"}
	if diff := cmp.Diff(want, sids); diff != "" {
		t.Error(diff)
	}
}

func TestAllow(t *testing.T) {
	actions := []string{"s3:PutObject", "s3:GetObject", "s3:PutObject"}
	got := Allow("tracker-image 2", actions, []string{"b", "a", "b"},
		Condition{"StringEquals", "k:b", Values{List: []string{"y", "x", "y"}}},
		Condition{"Bool", "k:a", Values{List: []string{"true"}, Scalar: true}})
	want := Statement{
		Sid: "TrackerImage2", Effect: "Allow",
		Action:   Values{List: []string{"s3:GetObject", "s3:PutObject"}},
		Resource: Values{List: []string{"a", "b"}},
		Condition: []Condition{
			{"Bool", "k:a", Values{List: []string{"true"}, Scalar: true}},
			{"StringEquals", "k:b", Values{List: []string{"x", "y"}}},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if !slices.Equal(actions, []string{"s3:PutObject", "s3:GetObject", "s3:PutObject"}) {
		t.Errorf("the caller's list was changed: %q", actions)
	}
}
