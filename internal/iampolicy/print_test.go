package iampolicy

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCanonical(t *testing.T) {
	d := Document{ID: "a<b>&c", Statements: []Statement{
		Allow("read-it", []string{"s3:GetObject"}, []string{"arn:aws:s3:::b/é\"\\", "arn:aws:s3:::a/*", "arn:aws:s3:::a/*"},
			Condition{"StringLike", "s3:prefix", Values{List: []string{"b", "a"}}},
			Condition{"Bool", "aws:SecureTransport", Values{List: []string{"true"}, Scalar: true}},
			Condition{"StringLike", "aws:PrincipalTag/x", Values{List: []string{"y"}}}),
		{Effect: "Deny", NotAction: Values{List: []string{"a:b"}, Scalar: true}, NotResource: Values{List: []string{"*"}, Scalar: true}},
	}}
	want := `{
  "Version": "2012-10-17",
  "Id": "a<b>&c",
  "Statement": [
    {
      "Sid": "ReadIt",
      "Effect": "Allow",
      "Action": [
        "s3:GetObject"
      ],
      "Resource": [
        "arn:aws:s3:::a/*",
        "arn:aws:s3:::b/é\"\\"
      ],
      "Condition": {
        "Bool": {
          "aws:SecureTransport": "true"
        },
        "StringLike": {
          "aws:PrincipalTag/x": [
            "y"
          ],
          "s3:prefix": [
            "a",
            "b"
          ]
        }
      }
    },
    {
      "Effect": "Deny",
      "NotAction": "a:b",
      "NotResource": "*"
    }
  ]
}
`
	if diff := cmp.Diff(want, string(d.Canonical())); diff != "" {
		t.Error(diff)
	}
	if got := string(Document{}.Canonical()); got != "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": []\n}\n" {
		t.Errorf("empty document: %s", got)
	}
}

// What is printed must be what was judged: bytes that say something else than
// the fields are not used.
func TestCanonicalDistrustsRaw(t *testing.T) {
	honest := Allow("a", []string{"s3:GetObject"}, []string{"arn:aws:s3:::b/*"})
	for _, raw := range []string{
		`{"Sid":"A","Effect":"Allow","Action":["*"],"Resource":["*"]}`,
		`{"Sid":"B","Effect":"Allow","Action":["s3:GetObject"],"Resource":["arn:aws:s3:::b/*"]}`,
		`{"Sid":"A","Effect":"Deny","Action":["s3:GetObject"],"Resource":["arn:aws:s3:::b/*"]}`,
		`{"Sid":"A","Effect":"Allow","Action":["s3:GetObject"],"Resource":["arn:aws:s3:::b/*"],"Condition":{"Bool":{"k:b":"true"}}}`,
		`{"Sid":"A","Effect":"Allow","Action":["s3:GetObject"],"NotResource":["arn:aws:s3:::b/*"]}`,
		`{"Sid":"A","Effect":"Allow","Action":["s3:GetObject"],"Resource":["arn:aws:s3:::b/*"]},{"Effect":"Allow",` +
			`"Action":"*","Resource":"*"}`,
		`{"Sid":"A","Effect":"Allow","Action":["s3:GetObject"],"Resource":["arn:aws:s3:::b/*"],"Resource":["*"]}`,
		` {"Sid":"A","Effect":"Allow","Action":["s3:GetObject"],"Resource":["arn:aws:s3:::b/*"]}`,
		`]}`,
	} {
		s := honest
		s.Raw = raw
		got := Document{Statements: []Statement{s}}.Canonical()
		want := Document{Statements: []Statement{honest}}.Canonical()
		if !bytes.Equal(got, want) {
			t.Errorf("Raw %s was printed:\n%s", raw, got)
		}
	}
}

// Statements that differ in one part of a condition do not say the same.
func TestCanonicalDistrustsConditions(t *testing.T) {
	st := func(op, key, value string) Statement {
		return Allow("a", []string{"s3:GetObject"}, []string{"*"}, Condition{op, key, Values{List: []string{value}}})
	}
	honest := st("StringLike", "k:a", "x")
	for _, other := range []Statement{st("StringEquals", "k:a", "x"), st("StringLike", "k:b", "x"), st("StringLike", "k:a", "y")} {
		s := honest
		s.Raw = string(other.compact())
		got, want := Document{Statements: []Statement{s}}.Canonical(), Document{Statements: []Statement{honest}}.Canonical()
		if !bytes.Equal(got, want) {
			t.Errorf("Raw %s was printed:\n%s", s.Raw, got)
		}
	}
}

// Of a condition, whatever there is is printed: a key without a value, and an
// operator without a key.
func TestCompactConditions(t *testing.T) {
	for want, c := range map[string]Condition{
		`{"B":{"k":[]}}`:   {Operator: "B", Key: "k"},
		`{"B":{"":["v"]}}`: {Operator: "B", Values: Values{List: []string{"v"}}},
		`{"B":{}}`:         {Operator: "B"},
	} {
		if got := string(compactConditions([]Condition{c})); got != want {
			t.Errorf("%+v: %s, want %s", c, got, want)
		}
	}
}

// Any document can be printed, also one that no policy could be.
func TestCanonicalOfMalformed(t *testing.T) {
	d := Document{Version: "\xff", Statements: []Statement{{}, {
		Effect: "allow",
		Condition: []Condition{
			{}, {Operator: "B", Key: "k", Values: Values{Scalar: true}}, {Operator: "B"}, {Operator: "B", Key: "k"},
		},
	}}}
	if !json.Valid(d.Canonical()) || !json.Valid(d.Compact()) {
		t.Errorf("no JSON: %s", d.Canonical())
	}
	if _, err := Parse(d.Canonical()); err == nil {
		t.Error("a malformed document was read back")
	}
}

func TestSize(t *testing.T) {
	tests := []struct {
		doc  string
		want int
	}{
		{"", 0},
		{" \t\r\n", 0},
		{`{ "a" : "b" }`, 9},
		{`{"a": "b c"}`, 11},            // within a string it counts
		{`{"a": "b\" c"}`, 13},          // an escaped quote does not end it
		{`{"a": "b\\" , "c": "d"}`, 19}, // an escaped backslash does not escape
		{"\"\u00e9\"", 4},               // bytes
		{"\u00a0", 2},                   // no whitespace to JSON
		{`"open `, 6},
		{`\" x"`, 5}, // no JSON; rather too much than too little
	}
	for _, test := range tests {
		if got := Size([]byte(test.doc)); got != test.want {
			t.Errorf("Size(%q) = %d, want %d", test.doc, got, test.want)
		}
	}
	const managedPolicyQuota = 6144
	s := Allow("", []string{"a:b"}, []string{strings.Repeat("x", managedPolicyQuota)})
	d := Document{Statements: []Statement{s}}
	if Size(d.Canonical()) != len(d.Compact()) {
		t.Errorf("size %d, compact %d", Size(d.Canonical()), len(d.Compact()))
	}
}

// checkStored puts the document, and its statements by themselves, into other
// JSON and takes them out again, also through encoders that change the form
// of what they store.
func checkStored(t *testing.T, d Document) {
	t.Helper()
	type plan struct {
		Document   Document
		Statements []Statement
	}
	stored, err := json.Marshal(plan{d, d.Statements})
	if err != nil {
		t.Fatal(err)
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, stored, "\t", "\t"); err != nil {
		t.Fatal(err)
	}
	for _, text := range [][]byte{stored, pretty.Bytes()} {
		var got plan
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if diff := cmp.Diff(string(d.Canonical()), string(got.Document.Canonical())); diff != "" {
			t.Errorf("stored document: %s", diff)
		}
		alone, want := Document{Version: d.Version, Statements: got.Statements}, Document{Version: d.Version, Statements: d.Statements}
		if diff := cmp.Diff(string(want.Canonical()), string(alone.Canonical())); diff != "" {
			t.Errorf("stored statements: %s", diff)
		}
	}
}

func TestStored(t *testing.T) {
	made := []Statement{
		Allow("a", []string{"sqs:SendMessage"}, []string{"arn:aws:sqs:eu-west-1:111122223333:<&>é*"}, Condition{
			"StringLike", "k:l", Values{List: []string{"<"}, Scalar: true},
		}),
		{Effect: "Deny", NotAction: Values{List: []string{"a:b"}}, NotResource: Values{List: []string{"*"}, Scalar: true}},
	}
	checkStored(t, Document{})
	checkStored(t, Document{Version: version2008, ID: "x", Statements: made})
	for name, text := range documents(t) {
		t.Run(name, func(t *testing.T) {
			d, err := Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			merged, n := Merge(d, made)
			if n != len(made) {
				t.Fatalf("merged %d statements, want %d", n, len(made))
			}
			checkStored(t, merged)
		})
	}
}

func TestStoredForm(t *testing.T) {
	s := Allow("a", []string{"s3:GetObject"}, []string{"*"})
	const object = `{"Sid":"A","Effect":"Allow","Action":["s3:GetObject"],"Resource":["*"]}`
	read, err := Parse([]byte(doc(plain)))
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		value any
		want  string
	}{
		{s, object},
		{Document{Statements: []Statement{s}}, `{"Version":"2012-10-17","Statement":[` + object + `]}`},
		{read.Statements[0], `"{\"Effect\":\"Allow\",\"Action\":\"s3:GetObject\",\"Resource\":\"*\"}"`},
	}
	for _, test := range tests {
		got, err := json.Marshal(test.value)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, string(got)); diff != "" {
			t.Error(diff)
		}
	}
}

func TestUnmarshalIsStrict(t *testing.T) {
	for _, text := range []string{
		`null`, `1`, `""`, `"x"`, `{}`, `[]`, `"{} {}"`, `"{"`,
		doc(plain + `,"Principal":"*"`),
		doc(plain + `,"effect":"Deny"`),
		string(quote(doc(plain + `,"Effect":"Deny"`))),
		`{"Statement":[]}`,
	} {
		var d Document
		if err := json.Unmarshal([]byte(text), &d); err == nil {
			t.Errorf("document %s: no error", text)
		}
	}
	for _, text := range []string{
		`null`, `1`, `""`, `{}`, `[]`,
		`{` + plain + `,"Action":"*"}`,
		`{` + plain + `,"action":"*"}`,
		string(quote(`{` + plain + `} {}`)),
	} {
		var s Statement
		if err := json.Unmarshal([]byte(text), &s); err == nil {
			t.Errorf("statement %s: no error", text)
		}
	}
}
