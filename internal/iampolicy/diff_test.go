package iampolicy

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDiff(t *testing.T) {
	a, b, c := allow("s3:GetObject", "*"), deny("not iam:*", "not "+bucket),
		statement("Allow", "s3:*", "*", `"Bool":{"k:b":true,"k:a":["x y","z"]}`)
	tests := []struct {
		name          string
		before, after Document
		want          []string
	}{
		{"nothing", Document{}, Document{}, nil},
		{"same", read(t, a, b), read(t, a, b), nil},
		{"other order", read(t, a, b), read(t, b, a), nil},
		{"other form", read(t, a), read(t, `{ "Resource": ["*"], "Action": ["s3:GetObject"], "Effect": "Allow" }`), nil},
		{"added", read(t, a), read(t, c, a), []string{`+ allow s3:* on * if Bool k:a = "x y", z and Bool k:b = true`}},
		{"removed", read(t, a, b), read(t, a), []string{"- deny everything except iam:* on everything except " + bucket}},
		{"one of two that are equal", read(t, a, a), read(t, a), []string{"- allow s3:GetObject on *"}},
		{"changed", read(t, a), read(t, deny("s3:GetObject", "*")), []string{"- allow s3:GetObject on *", "+ deny s3:GetObject on *"}},
		{"version", readVersion(t, version2008, a), read(t, a), []string{"- version 2008-10-17", "+ version 2012-10-17"}},
		{"id", read(t, a), Document{ID: "x", Statements: read(t, a).Statements}, []string{"+ id x"}},
		{"what could be misread", Document{},
			Document{
				Statements: []Statement{{Sid: "a: allow", Effect: "Allow\n- x",
					Action: Values{List: []string{"", "a, b", "\u202e"}}}},
			},
			[]string{`+ "a: allow": "allow\n- x" "", "a, b", "\u202e" on nothing`}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, Diff(test.before, test.after)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestSame ensures that white space counts as no change, and that everything
// else is.
func TestSame(t *testing.T) {
	const doc = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}`
	for _, row := range []struct {
		a, b string
		want bool
	}{
		{doc, doc, true},
		{doc, strings.ReplaceAll(doc, ",", ",\n  "), true},
		{doc, strings.Replace(doc, "GetObject", "PutObject", 1), false},
		{doc, strings.Replace(doc, "Allow", "Deny", 1), false},
		{"", "", true},
		{doc, "", false},
		{"", doc, false},
		{"{", "{ ", false},
	} {
		if got := Same(row.a, row.b); got != row.want {
			t.Errorf("Same(%q, %q) is %v", row.a, row.b, got)
		}
	}
}
