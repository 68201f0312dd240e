package iampolicy

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestValidate(t *testing.T) {
	with := func(change func(*Statement)) Document {
		s := Allow("a", []string{"s3:GetObject"}, []string{object}, Condition{"Bool", "k:b", Values{List: []string{"true"}}})
		change(&s)
		return Document{Statements: []Statement{s}}
	}
	action := func(list ...string) Document { return with(func(s *Statement) { s.Action.List = list }) }
	resource := func(list ...string) Document { return with(func(s *Statement) { s.Resource.List = list }) }
	condition := func(list ...Condition) Document { return with(func(s *Statement) { s.Condition = list }) }
	value := Values{List: []string{"x"}}
	tests := []struct {
		name string
		d    Document
		want []string
	}{
		{"good", with(func(*Statement) {}), nil},
		{"older version", readVersion(t, version2008, allow("s3:*", "*")), nil},
		{"last character", resource("arn:aws:s3:::b/\t\n\r~\u00a0\u00ff"), nil},
		{"all actions", action("*", "s3:*", "S3:Get*", "s3:?", "ecr-public:PutImage"), nil},
		{"resources",
			resource("*", "arn:aws:s3:::b", "arn:aws:s3:*", "arn:*:iam::*:role/a:b", "arn:aws:s3:::${aws:username}",
				"arn:aws:iam::*"), nil},
		{"exceptions", read(t, deny("not iam:*", "not arn:aws:s3:::b")), nil},
		{"all operators", condition(Condition{"Null", "k:a", value}, Condition{"ForAllValues:ArnLikeIfExists", "k:a", value}), nil},

		{"nothing", Document{}, []string{"policy Statement: is empty"}},
		{"version", Document{Version: "2012-10-18", Statements: with(func(*Statement) {}).Statements},
			[]string{`policy Version: got "2012-10-18", want "2012-10-17"`}},
		{"id", Document{ID: "\u0100", Statements: with(func(*Statement) {}).Statements},
			[]string{`policy Id: character U+0100 at byte 0 is not allowed in a policy`}},
		{"effect", with(func(s *Statement) { s.Effect = "allow" }),
			[]string{`policy Statement[0].Effect: got "allow", want "Allow" or "Deny"`}},
		{"sid", with(func(s *Statement) { s.Sid = "a-b" }),
			[]string{`policy Statement[0].Sid: "a-b" has other characters than letters and digits`}},
		{"sid with a look-alike", with(func(s *Statement) { s.Sid = "Rеad" }),
			[]string{`policy Statement[0].Sid: "Rеad" has other characters than letters and digits`}},
		{"sid twice", read(t, `{"Sid":"A",`+plain+`}`, `{"Sid":"A",`+plain+`}`, `{"Sid":"a",`+plain+`}`, `{`+plain+`}`,
			`{`+plain+`}`), []string{`policy Statement[1].Sid: "A" occurs twice`}},
		{"both", with(func(s *Statement) { s.NotAction, s.NotResource = s.Action, s.Resource }),
			[]string{"policy Statement[0]: want exactly one of Action and NotAction",
				"policy Statement[0]: want exactly one of Resource and NotResource"}},
		{"neither", with(func(s *Statement) { s.Action, s.Resource = Values{}, Values{} }),
			[]string{"policy Statement[0]: want exactly one of Action and NotAction",
				"policy Statement[0]: want exactly one of Resource and NotResource"}},
		{"actions", action("", "s3", "s3:", ":GetObject", "s*:GetObject", "*:*", "s3:Get Object", "s3:Get:Object",
			"s3:${aws:x}", "s3:Gét"), []string{
			`policy Statement[0].Action[0]: "" does not begin with a service, as in "ecr:PutImage"`,
			`policy Statement[0].Action[1]: "s3" does not begin with a service, as in "ecr:PutImage"`,
			`policy Statement[0].Action[2]: "s3:" is no action name`,
			`policy Statement[0].Action[3]: ":GetObject" does not begin with a service, as in "ecr:PutImage"`,
			`policy Statement[0].Action[4]: "s*:GetObject" does not begin with a service, as in "ecr:PutImage"`,
			`policy Statement[0].Action[5]: "*:*" does not begin with a service, as in "ecr:PutImage"`,
			`policy Statement[0].Action[6]: "s3:Get Object" is no action name`,
			`policy Statement[0].Action[7]: "s3:Get:Object" is no action name`,
			`policy Statement[0].Action[8]: "s3:${aws:x}" is no action name`,
			`policy Statement[0].Action[9]: "s3:Gét" is no action name`,
		}},
		{"resources that are none",
			resource("", "b", "ARN:aws:s3:::b", "arn:aws:s3:::", "arn::s3:::b", "arn:aws::::b", "arn:aws:s3",
				"arn:aws:s3::", "arn:aws:*:::b", "arn:*", "**"), []string{
				`policy Statement[0].Resource[0]: "" is neither "*" nor an ARN`,
				`policy Statement[0].Resource[1]: "b" is neither "*" nor an ARN`,
				`policy Statement[0].Resource[2]: "ARN:aws:s3:::b" is neither "*" nor an ARN`,
				`policy Statement[0].Resource[3]: "arn:aws:s3:::" is neither "*" nor an ARN`,
				`policy Statement[0].Resource[4]: "arn::s3:::b" is neither "*" nor an ARN`,
				`policy Statement[0].Resource[5]: "arn:aws::::b" is neither "*" nor an ARN`,
				`policy Statement[0].Resource[6]: "arn:aws:s3" is neither "*" nor an ARN`,
				`policy Statement[0].Resource[7]: "arn:aws:s3::" is neither "*" nor an ARN`,
				`policy Statement[0].Resource[8]: "arn:aws:*:::b" has a wildcard for the service`,
				`policy Statement[0].Resource[9]: "arn:*" is neither "*" nor an ARN`,
				`policy Statement[0].Resource[10]: "**" is neither "*" nor an ARN`,
			}},
		{"characters", resource(bucket+"/\u0100", bucket+"/\x00", bucket+"/\x1f", bucket+"/\xff", bucket+"/\uFFFD",
			bucket+"/\u2028"), []string{
			`policy Statement[0].Resource[0]: character U+0100 at byte 33 is not allowed in a policy`,
			`policy Statement[0].Resource[1]: character U+0000 at byte 33 is not allowed in a policy`,
			`policy Statement[0].Resource[2]: character U+001F at byte 33 is not allowed in a policy`,
			`policy Statement[0].Resource[3]: holds text that is not UTF-8`,
			`policy Statement[0].Resource[4]: holds text that is not UTF-8`,
			`policy Statement[0].Resource[5]: character U+2028 at byte 33 is not allowed in a policy`,
		}},
		{"conditions", condition(
			Condition{"Odd", "k:b", value}, Condition{"Bool", "", value}, Condition{"Bool", "k:b", Values{}},
			Condition{"Bool", "k:c", value}, Condition{"Bool", "K:C", value},
			Condition{"Bool", "k:\u0101", Values{List: []string{"\u0101"}}}), []string{
			`policy Statement[0].Condition.Odd.k:b: unknown operator`,
			`policy Statement[0].Condition.Bool.: has no key or no values`,
			`policy Statement[0].Condition.Bool.k:b: has no key or no values`,
			`policy Statement[0].Condition.Bool.K:C: this operator and key occur twice`,
			"policy Statement[0].Condition.Bool.k:\u0101: character U+0101 at byte 2 is not allowed in a policy",
			"policy Statement[0].Condition.Bool.k:\u0101: character U+0101 at byte 0 is not allowed in a policy",
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			if err := Validate(test.d); err != nil {
				got = strings.Split(err.Error(), "\n")
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// What Validate passes is read back as it was.
func TestValidIsReadBack(t *testing.T) {
	read := 0
	for seed := range uint64(2000) {
		d := newGenerator(seed).document()
		if Validate(d) != nil {
			continue
		}
		read++
		got, err := Parse(d.Canonical())
		if err != nil {
			t.Fatalf("%v\n%s", err, d.Canonical())
		}
		if lines := Diff(d, got); len(lines) > 0 {
			t.Fatalf("reads as something else: %q", lines)
		}
		checkStored(t, d)
		checkStored(t, got)
	}
	if read < 200 {
		t.Errorf("only %d documents were valid: the test shows little", read)
	}
}
