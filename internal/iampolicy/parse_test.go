package iampolicy

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// doc puts one statement's members into a document.
func doc(members string) string {
	return `{"Version":"2012-10-17","Statement":[{` + members + `}]}`
}

const plain = `"Effect":"Allow","Action":"s3:GetObject","Resource":"*"`

func TestParse(t *testing.T) {
	got, err := Parse([]byte(`{
  "Statement": [
    {"Resource": ["arn:aws:s3:::b/*"], "Action": "s3:GetObject", "Effect": "Allow", "Sid": "Read",
     "Condition": {"StringLike": {"s3:prefix": ["a/*", "b"]}, "Bool": {"aws:SecureTransport": true, "aws:ViaAWSService": "false"},
                   "NumericLessThan": {"s3:max-keys": [10, 1e400]}}},
    {"Effect": "Deny", "NotAction": ["iam:*"], "NotResource": "*", "Condition": {}}
  ],
  "Id": "x", "Version": "2008-10-17"
}`))
	if err != nil {
		t.Fatal(err)
	}
	for i := range got.Statements {
		got.Statements[i].Raw = ""
	}
	want := Document{Version: "2008-10-17", ID: "x", Statements: []Statement{
		{
			Sid: "Read", Effect: "Allow",
			Action:   Values{List: []string{"s3:GetObject"}, Scalar: true},
			Resource: Values{List: []string{"arn:aws:s3:::b/*"}},
			Condition: []Condition{
				{"Bool", "aws:SecureTransport", Values{List: []string{"true"}, Scalar: true}},
				{"Bool", "aws:ViaAWSService", Values{List: []string{"false"}, Scalar: true}},
				{"NumericLessThan", "s3:max-keys", Values{List: []string{"10", "1e400"}}},
				{"StringLike", "s3:prefix", Values{List: []string{"a/*", "b"}}},
			},
		},
		{Effect: "Deny", NotAction: Values{List: []string{"iam:*"}}, NotResource: Values{List: []string{"*"}, Scalar: true}},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestParseCut: a document that ends anywhere is refused.
func TestParseCut(t *testing.T) {
	const whole = `{"Version": "2012-10-17", "Id": "x", "Statement": [{"Sid": "A", "Effect": "Allow", "Action": ["s3:Get*"], ` +
		`"Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": true}}}]}`
	for i := range len(whole) {
		if _, err := Parse([]byte(whole[:i])); err == nil {
			t.Errorf("%s was read", whole[:i])
		}
		if _, err := ParseLoose([]byte(whole[:i])); err == nil {
			t.Errorf("%s was read loosely", whole[:i])
		}
	}
}

func TestParseRejects(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"nothing", ``, `line 1:1: unexpected end of JSON input`},
		{"cut", "{\n\"Version\":", `line 2:10: unexpected end of JSON input`},
		{"list", `[]`, `line 1:1: want an object, not a list`},
		{"null", `null`, `line 1:1: want an object, not null`},
		{"string", `"x"`, `line 1:1: want an object, not a string`},
		{"two documents", doc(plain) + "\n{}", `line 2:1: invalid character '{' after top-level value`},
		{"trailing text", doc(plain) + " x", `line 1:98: invalid character 'x' after top-level value`},
		{"comment", `{ // no`, `line 1:3: invalid character '/' looking for beginning of object key string`},
		{"trailing comma", `{"Version":"2012-10-17",}`, `line 1:25: invalid character '}' looking for beginning of object key string`},
		{"no UTF-8", "{\"Version\":\"\xff\"}", `line 1:13: byte 0xff is not UTF-8`},
		{"byte order mark", "\ufeff{}", `line 1:1: invalid character 'ï' looking for beginning of value`},

		{"no version", `{"Statement":[]}`, `line 1:1: Version: is missing; want "2012-10-17"`},
		{"other version", `{"Version":"2012-10-18","Statement":[]}`,
			`line 1:12: Version: got "2012-10-18", want "2012-10-17" or "2008-10-17"`},
		{"version number", `{"Version":2012,"Statement":[]}`, `line 1:12: Version: want a string, not a number`},
		{"no statement", `{"Version":"2012-10-17"}`, `line 1:1: Statement: is missing`},
		{"one statement", `{"Version":"2012-10-17","Statement":{` + plain + `}}`,
			`line 1:37: Statement: want a list of statements, not an object`},
		{"unknown key", `{"Version":"2012-10-17","Statements":[]}`,
			`line 1:25: Statements: unknown key; a policy document has Version, Id and Statement`},
		{"key in other case", `{"version":"2012-10-17","Statement":[]}`,
			`line 1:2: version: unknown key; a policy document has Version, Id and Statement`},
		{"key twice", `{"Version":"2012-10-17","Version":"2012-10-17","Statement":[]}`, `line 1:25: Version: this key occurs twice`},
		{"key twice by escapes", `{"Version":"2012-10-17","\u0056ersion":"2008-10-17","Statement":[]}`,
			`line 1:25: Version: this key occurs twice`},
		{"statement is no object", `{"Version":"2012-10-17","Statement":["x"]}`, `line 1:38: Statement[0]: want an object, not a string`},

		{"wrong effect", doc(`"Effect":"allow","Action":"*","Resource":"*"`),
			`line 1:48: Statement[0].Effect: got "allow", want "Allow" or "Deny"`},
		{"effect list", doc(`"Effect":["Allow"],"Action":"*","Resource":"*"`), `line 1:48: Statement[0].Effect: want a string, not a list`},
		{"no effect", doc(`"Action":"*","Resource":"*"`), `line 1:38: Statement[0].Effect: is missing`},
		{"effect twice", doc(plain + `,"Effect":"Deny"`), `line 1:95: Statement[0].Effect: this key occurs twice`},
		{"no action", doc(`"Effect":"Allow","Resource":"*"`), `line 1:38: Statement[0]: want exactly one of Action and NotAction`},
		{"both actions", doc(plain + `,"NotAction":"*"`), `line 1:38: Statement[0]: want exactly one of Action and NotAction`},
		{"no resource", doc(`"Effect":"Allow","Action":"*"`), `line 1:38: Statement[0]: want exactly one of Resource and NotResource`},
		{"both resources", doc(plain + `,"NotResource":"*"`), `line 1:38: Statement[0]: want exactly one of Resource and NotResource`},
		{"empty list", doc(`"Effect":"Allow","Action":[],"Resource":"*"`), `line 1:65: Statement[0].Action: the list is empty`},
		{"empty list beside its opposite", doc(plain + `,"NotAction":[]`), `line 1:107: Statement[0].NotAction: the list is empty`},
		{"null action", doc(`"Effect":"Allow","Action":null,"Resource":"*"`), `line 1:65: Statement[0].Action: want a string, not null`},
		{"number among actions", doc(`"Effect":"Allow","Action":["a:b",1],"Resource":"*"`),
			`line 1:72: Statement[0].Action[1]: want a string, not a number`},
		{"list in a list", doc(`"Effect":"Allow","Action":[["a:b"]],"Resource":"*"`),
			`line 1:66: Statement[0].Action[0]: want a string, not a list`},
		{"principal", doc(plain + `,"Principal":"*"`), `line 1:95: Statement[0].Principal: an identity-based policy names no principal`},
		{"not principal", doc(plain + `,"NotPrincipal":"*"`),
			`line 1:95: Statement[0].NotPrincipal: an identity-based policy names no principal`},
		{"unknown key of a statement", doc(plain + `,"Actions":"iam:*"`),
			`line 1:95: Statement[0].Actions: unknown key; a statement has Sid, Effect, Action or NotAction, ` +
				`Resource or NotResource, and Condition`},
		{"half a surrogate pair", doc(`"Effect":"Allow","Action":"a:\ud800","Resource":"*"`),
			`line 1:65: Statement[0].Action: holds U+FFFD or half of a surrogate pair`},
		{"half a surrogate pair as key", doc(plain + `,"Condition":{"\udfff":{}}`),
			`line 1:108: Statement[0].Condition.` + "\uFFFD" + `: holds U+FFFD or half of a surrogate pair`},

		{"condition list", doc(plain + `,"Condition":[]`), `line 1:107: Statement[0].Condition: want an object, not a list`},
		{"operator without keys", doc(plain + `,"Condition":{"Bool":{}}`),
			`line 1:115: Statement[0].Condition.Bool: has no condition keys`},
		{"operator with a list", doc(plain + `,"Condition":{"Bool":["a"]}`),
			`line 1:115: Statement[0].Condition.Bool: want an object, not a list`},
		{"operator twice", doc(plain + `,"Condition":{"Bool":{"a:b":"c"},"Bool":{"a:c":"c"}}`),
			`line 1:127: Statement[0].Condition.Bool: this key occurs twice`},
		{"condition key twice", doc(plain + `,"Condition":{"Bool":{"a:b":"c","a:b":"d"}}`),
			`line 1:126: Statement[0].Condition.Bool.a:b: this key occurs twice`},
		{"condition key twice by case", doc(plain + `,"Condition":{"Bool":{"a:b":"c","A:B":"d"}}`),
			`line 1:126: Statement[0].Condition.Bool.A:B: this key occurs twice`},
		{"condition without values", doc(plain + `,"Condition":{"Bool":{"a:b":[]}}`),
			`line 1:122: Statement[0].Condition.Bool.a:b: the list is empty`},
		{"condition value object", doc(plain + `,"Condition":{"Bool":{"a:b":{}}}`),
			`line 1:122: Statement[0].Condition.Bool.a:b: want a string, not an object`},
		{"hostile key", "{\"Version\\n2026 ERROR\":1}",
			`line 1:2: "Version\n2026 ERROR": unknown key; a policy document has Version, Id and Statement`},
		{"deep", strings.Repeat("[", 20000), `line 1:10001: invalid character '[' exceeded max depth`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d, err := Parse([]byte(test.text))
			if err == nil {
				t.Fatalf("no error; got %+v", d)
			}
			if diff := cmp.Diff("reading policy: "+test.want, err.Error()); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(Document{}, d); diff != "" {
				t.Errorf("a document came with the error: %s", diff)
			}
		})
	}
}

func TestParseLoose(t *testing.T) {
	got, err := ParseLoose([]byte(`{"Statement": {` + plain + `, "Condition": {"Bool": {}, "StringEquals": {"a:b": []}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := Document{Version: "2008-10-17", Statements: []Statement{{
		Effect:   "Allow",
		Action:   Values{List: []string{"s3:GetObject"}, Scalar: true},
		Resource: Values{List: []string{"*"}, Scalar: true},
		Condition: []Condition{
			{Operator: "Bool"},
			{Operator: "StringEquals", Key: "a:b"},
		},
		Raw: `{` + plain + `, "Condition": {"Bool": {}, "StringEquals": {"a:b": []}}}`,
	}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, text := range []string{
		`{"Version":null,"Statement":[]}`,
		doc(plain + `,"Principal":"*"`),
		doc(plain + `,"Extra":1`),
		doc(`"Effect":"Allow","Action":[],"Resource":"*"`),
		doc(plain + `,"Condition":{"Bool":{"a:b":"c","A:B":"d"}}`),
		doc(plain) + `{}`,
	} {
		if d, err := ParseLoose([]byte(text)); err == nil {
			t.Errorf("no error for %s; got %+v", text, d)
		}
	}
}

// documents gives the policy documents in testdata, also with CR LF.
func documents(t testing.TB) map[string][]byte {
	t.Helper()
	names, err := filepath.Glob("testdata/*.json")
	if err != nil || len(names) == 0 {
		t.Fatalf("no documents in testdata: %v", err)
	}
	out := map[string][]byte{}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.Base(name)] = text
		out["crlf-"+filepath.Base(name)] = bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n"))
	}
	return out
}

// Documents as people and consoles write them are read, valid, and kept.
func TestRoundTrip(t *testing.T) {
	for name, text := range documents(t) {
		t.Run(name, func(t *testing.T) {
			d, err := Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			if err := Validate(d); err != nil {
				t.Error(err)
			}
			checkRoundTrip(t, d)
			for i, s := range d.Statements {
				if !bytes.Contains(text, []byte(s.Raw)) || !bytes.Contains(d.Canonical(), []byte(s.Raw)) {
					t.Errorf("Statement[%d] is not kept byte for byte", i)
				}
			}
			if Size(text) != Size(d.Canonical()) || Size(text) != Size(d.Compact()) {
				t.Errorf("size %d became %d, compact %d", Size(text), Size(d.Canonical()), Size(d.Compact()))
			}
		})
	}
}

// checkRoundTrip checks that a document that was read survives printing,
// storing and reading.
func checkRoundTrip(t *testing.T, d Document) {
	t.Helper()
	canonical := d.Canonical()
	again, err := Parse(canonical)
	if err != nil {
		t.Fatalf("canonical form: %v\n%s", err, canonical)
	}
	if diff := cmp.Diff(d, again); diff != "" {
		t.Errorf("canonical form reads as something else:\n%s", diff)
	}
	compact, err := Parse(d.Compact())
	if err != nil {
		t.Fatalf("compact form: %v", err)
	}
	if lines := Diff(d, compact); len(lines) > 0 {
		t.Errorf("compact form says something else: %q", lines)
	}
	if inside, what := Contains([]Document{d}, []Document{compact}); !inside {
		t.Errorf("a document does not contain itself: %s", what)
	}
	checkStored(t, d)
}

func FuzzParse(f *testing.F) {
	for _, text := range documents(f) {
		f.Add(text)
	}
	f.Add([]byte(doc(plain + `,"Condition":{"Bool":{"a:b":true},"NumericEquals":{"c:d":[1,-2.5e3]}}`)))
	f.Add([]byte(`{"Version":"2012-10-17","Id":"\u0000é<&>\u2028","Statement":[]}`))
	f.Add([]byte(`{"Statement":{"\u0045ffect":"Deny","NotAction":["*"],"NotResource":"${aws:x}","Condition":{}}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		loose, looseErr := ParseLoose(text)
		if looseErr == nil {
			// Nothing that can be read makes any of these panic.
			loose.Canonical()
			_ = Validate(loose)
			Diff(loose, Document{})
			Contains([]Document{loose}, []Document{loose})
			Merge(loose, loose.Statements)
			Evaluate(Access{Policies: []Document{loose}}, Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k"})
		}
		d, err := Parse(text)
		if err != nil {
			return
		}
		if looseErr != nil {
			t.Fatalf("Parse takes what ParseLoose does not: %v", looseErr)
		}
		for i, s := range d.Statements {
			if s.Raw == "" || !bytes.Contains(text, []byte(s.Raw)) {
				t.Errorf("Statement[%d]: Raw is not from the text", i)
			}
		}
		checkRoundTrip(t, d)
	})
}

func BenchmarkParse(b *testing.B) {
	text := documents(b)["console-base.json"]
	for b.Loop() {
		if _, err := Parse(text); err != nil {
			b.Fatal(err)
		}
	}
}
