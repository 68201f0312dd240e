package iampolicy

import (
	"strings"
	"testing"
)

func TestContains(t *testing.T) {
	when := func(conditions string) string { return statement("Allow", "s3:Get*", bucket+"/*", conditions) }
	tests := []struct {
		name         string
		outer, inner []string
		want         bool
		what         string // how the answer begins
	}{
		{"nothing in nothing", nil, nil, true, ""},
		{"nothing in something", []string{allow("s3:*", "*")}, nil, true, ""},
		{"something in nothing", nil, []string{allow("s3:GetObject", object)}, false, "Statement[0]: s3:GetObject on " + object},
		{"itself", []string{allow("s3:Get*", bucket)}, []string{allow("s3:Get*", bucket)}, true, ""},
		{"less of both", []string{allow("s3:*", bucket+"/*")}, []string{allow("s3:GetObject", object)}, true, ""},
		{"action in other case", []string{allow("S3:GET*", "*")}, []string{allow("s3:getObject", "*")}, true, ""},
		{"resource in other case", []string{allow("s3:*", bucket+"/A")}, []string{allow("s3:*", bucket+"/a")}, false, "Statement[0]: s3:*"},
		{"ecr:* in ecr:Put*", []string{allow("ecr:Put*", "*")}, []string{allow("ecr:*", "*")}, false, "Statement[0]: ecr:* on *"},
		{"* in a service", []string{allow("s3:*", "*")}, []string{allow("*", object)}, false, "Statement[0]: * on"},
		{"service in *", []string{allow("*", "*")}, []string{allow("s3:*", "*")}, true, ""},
		{"wildcard for the service", []string{allow("s*:Get*", "*")}, []string{allow("s3:Get*", "*")}, false, ""},
		{"wildcard for the service in itself", []string{allow("s*:Get*", "*")}, []string{allow("S*:get*", "*")}, true, ""},
		{"wildcard for the service in *", []string{allow("*", "*")}, []string{allow("s*:Get*", "*")}, true, ""},
		{"*:* is not surely *", []string{allow("*:*", "*")}, []string{allow("s3:*", "*")}, false, ""},
		{"look-alike action", []string{allow("kms:*", "*")}, []string{allow("\u212Ams:Decrypt", "*")}, false, ""},
		{"pairs from different statements", []string{allow("s3:Get*", bucket), allow("s3:Put*", object)},
			[]string{allow("s3:Get*", object)}, false, ""},
		{"union of two statements", []string{allow("s3:Get*", object), allow("s3:Put*", object)},
			[]string{`{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"` + object + `"}`}, true, ""},

		{"resource beyond", []string{allow("s3:*", bucket+"/*")}, []string{allow("s3:*", bucket+"*")}, false, ""},
		{"* in an ARN", []string{allow("s3:*", "arn:*")}, []string{allow("s3:*", "*")}, false, ""},
		{"ARN in arn:*", []string{allow("s3:*", "arn:*")}, []string{allow("s3:*", bucket)}, false, ""},
		{"arn:* in itself", []string{allow("s3:*", "arn:*")}, []string{allow("s3:*", "arn:*")}, true, ""},
		{"short pattern", []string{allow("s3:*", "arn:aws:s3:*")}, []string{allow("s3:*", bucket+"/*")}, true, ""},
		{"short pattern without *", []string{allow("s3:*", "arn:aws:s3:")}, []string{allow("s3:*", bucket)}, false, ""},
		{"short pattern, longer one without *", []string{allow("s3:*", "arn:aws:s3::")}, []string{allow("s3:*", bucket)}, false, ""},
		{"short pattern that ends within", []string{allow("ecr:*", "arn:aws:ecr:eu-west-1")}, []string{allow("ecr:*", repo)}, false, ""},
		{"short pattern without * in itself", []string{allow("s3:*", "arn:aws:s3")}, []string{allow("s3:*", "arn:aws:s3")}, true, ""},
		{"* for what is missing", []string{allow("s3:*", "arn:aws:s3")}, []string{allow("s3:*", "arn:aws:s3*")}, false, ""},
		{"denied by a short pattern", []string{allow("s3:*", "*"), deny("s3:*", "arn:aws:s3")}, []string{allow("s3:*", bucket)}, false, ""},
		{"type in a wildcard in the type", []string{allow("ecr:*", "arn:aws:ecr:*:*:repo*")}, []string{allow("ecr:*", repo)}, false, ""},
		{"wildcard in the type in another", []string{allow("ecr:*", "arn:aws:ecr:*:*:rep*")},
			[]string{allow("ecr:*", "arn:aws:ecr:*:*:repo*")}, true, ""},
		{"short in long", []string{allow("s3:*", "arn:aws:s3:*:*:*")}, []string{allow("s3:*", "arn:aws:s3:*")}, false, ""},
		{"* across segments in *s", []string{allow("ecr:*", "arn:aws:ecr:*:*:repository/*")},
			[]string{allow("ecr:*", "arn:aws:ecr:*:repository/web")}, false, ""},
		{"*s in a * across segments", []string{allow("ecr:*", "arn:aws:ecr:*:repository/web")},
			[]string{allow("ecr:*", "arn:aws:ecr:*:*:repository/web")}, false, ""},
		{"wildcards in other order", []string{allow("s3:*", "arn:aws:s3:::?*")}, []string{allow("s3:*", "arn:aws:s3:::*a?*")}, true, ""},
		{"wildcard for the service of an ARN", []string{allow("s3:*", "arn:aws:*:::b")},
			[]string{allow("s3:*", "arn:aws:s3:::b")}, false, ""},
		{"service of an ARN in a wildcard for the partition", []string{allow("s3:*", "arn:*:s3:::*")},
			[]string{allow("s3:*", "arn:aws:s3:::b*")}, true, ""},

		{"variable in itself", []string{allow("s3:*", bucket+"/${a:b}/*")}, []string{allow("s3:Get*", bucket+"/${a:b}/*")}, true, ""},
		{"variable in another", []string{allow("s3:*", bucket+"/${a:b}/*")}, []string{allow("s3:*", bucket+"/${a:c}/*")}, false, ""},
		{"beside a variable that may void it",
			[]string{`{"Effect":"Allow","Action":"s3:*","Resource":["` + object + `","` + bucket + `/${a:b}"]}`},
			[]string{allow("s3:*", object)}, false, "Statement[0]: s3:* on"},
		{"beside the same variable", []string{`{"Effect":"Allow","Action":"s3:*","Resource":["` + object + `","` + bucket + `/${a:b}"]}`},
			[]string{`{"Effect":"Allow","Action":"s3:Get*","Resource":["` + object + `","` + bucket + `/${a:b}"]}`}, true, ""},
		{"not resource with a variable", []string{allow("s3:*", "not "+bucket+"/${a:b}")},
			[]string{allow("s3:*", "arn:aws:s3:::other")}, false, ""},
		{"denied beside a variable that may void it", []string{allow("s3:*", "*"), deny("s3:*", object)},
			[]string{allow("s3:*", "*"), `{"Effect":"Deny","Action":"s3:*","Resource":["` + object + `","` + bucket +
				`/${a:b}"]}`}, false, ""},
		{"variable in *", []string{allow("s3:*", bucket+"/*")}, []string{allow("s3:*", bucket+"/${a:b}/x")}, true, ""},
		{"text in a variable", []string{allow("s3:*", bucket+"/${a:b}")}, []string{allow("s3:*", bucket+"/x")}, false, ""},
		{"variable for the region", []string{allow("s3:*", "arn:aws:s3:*:*:b")},
			[]string{allow("s3:*", "arn:aws:s3:${a:b}::b")}, false, ""},
		{"variable for the region in *", []string{allow("s3:*", "*")}, []string{allow("s3:*", "arn:aws:s3:${a:b}::b")}, true, ""},
		{"* as text in ?", []string{allow("s3:*", bucket+"/?")}, []string{allow("s3:*", bucket+"/${*}")}, true, ""},
		{"* as a wildcard in * as text", []string{allow("s3:*", bucket+"/${*}")}, []string{allow("s3:*", bucket+"/*")}, false, ""},

		{"not action in *", []string{allow("*", "*")}, []string{allow("not iam:*", "*")}, true, ""},
		{"not action in a service", []string{allow("s3:*", "*")}, []string{allow("not iam:*", "*")}, false,
			"Statement[0]: everything except iam:* on *"},
		{"action in not action", []string{allow("not iam:*", "*")}, []string{allow("s3:*", "*")}, true, ""},
		{"action that meets not action", []string{allow("not s3:Delete*", "*")}, []string{allow("s3:*", "*")}, false, ""},
		{"not more in not less", []string{allow("not iam:Put*", "*")}, []string{allow("not iam:*", "*")}, true, ""},
		{"not less in not more", []string{allow("not iam:*", "*")}, []string{allow("not iam:Put*", "*")}, false, ""},
		{"resource in not resource", []string{allow("s3:*", "not "+bucket+"/*")},
			[]string{allow("s3:*", "arn:aws:s3:::other/*")}, true, ""},
		{"resource that meets not resource", []string{allow("s3:*", "not "+object)}, []string{allow("s3:*", bucket+"/*")}, false, ""},
		{"resource that may meet not resource", []string{allow("s3:*", "not arn:aws:s3:*")},
			[]string{allow("s3:*", "arn:aws:s3:::b")}, false, ""},
		{"not resource in not resource", []string{allow("s3:*", "not "+object)}, []string{allow("s3:*", "not "+bucket+"/*")}, true, ""},
		{"not resource in an ARN", []string{allow("s3:*", bucket+"/*")}, []string{allow("s3:*", "not "+object)}, false, ""},

		{"denied outside", []string{allow("s3:*", "*"), deny("s3:Delete*", "*")}, []string{allow("s3:*", "*")}, false,
			"Statement[0]: s3:* on *: denied by Statement[1]"},
		{"denied in both", []string{allow("s3:*", "*"), deny("s3:Delete*", "*")},
			[]string{allow("s3:*", "*"), deny("s3:Delete*", "*")}, true, ""},
		{"denied more inside", []string{allow("s3:*", "*"), deny("s3:DeleteObject", object)},
			[]string{allow("s3:*", "*"), deny("s3:Delete*", "*")}, true, ""},
		{"denied less inside", []string{allow("s3:*", "*"), deny("s3:Delete*", "*")},
			[]string{allow("s3:*", "*"), deny("s3:DeleteObject", "*")}, false, ""},
		{"denied elsewhere", []string{allow("s3:*", "*"), deny("s3:*", "arn:aws:s3:::secrets/*")},
			[]string{allow("s3:*", bucket+"/*")}, true, ""},
		{"other action denied", []string{allow("s3:*", "*"), deny("s3:Delete*", "*")}, []string{allow("s3:Get*", "*")}, true, ""},
		{"denied if, and inside always",
			[]string{allow("s3:*", "*"), statement("Deny", "*", "*", `"Bool":{"a:b":"true"}`)},
			[]string{allow("s3:*", "*"), deny("*", "*")}, true, ""},
		{"denied always, and inside if", []string{allow("s3:*", "*"), deny("*", "*")},
			[]string{allow("s3:*", "*"), statement("Deny", "*", "*", `"Bool":{"a:b":"true"}`)}, false, ""},
		{"denied except", []string{allow("s3:*", "*"), deny("not s3:Get*", "*")}, []string{allow("s3:GetObject", "*")}, true, ""},
		{"denied except something else", []string{allow("s3:*", "*"), deny("not s3:Get*", "*")},
			[]string{allow("s3:Put*", "*")}, false, ""},
		{"denied except some resource", []string{allow("s3:*", "*"), deny("*", "not "+bucket+"/*")},
			[]string{allow("s3:*", object)}, true, ""},
		{"everything except, denied except", []string{allow("*", "*"), deny("not s3:*", "*")},
			[]string{allow("not iam:*", "*")}, false, ""},
		{"everything except what is denied", []string{allow("*", "*"), deny("iam:Put*", "*")}, []string{allow("not iam:*", "*")}, true, ""},

		{"condition in none", []string{when(``)}, []string{when(`"Bool":{"a:b":"true"}`)}, true, ""},
		{"none in condition", []string{when(`"Bool":{"a:b":"true"}`)}, []string{when(``)}, false, "Statement[0]: s3:Get*"},
		{"condition in itself", []string{when(`"Bool":{"a:b":"true"}`)}, []string{when(`"Bool":{"A:B":true}`)}, true, ""},
		{"two in one", []string{when(`"Bool":{"a:b":"true"}`)}, []string{when(`"Bool":{"a:b":"true","a:c":"true"}`)}, true, ""},
		{"one in two", []string{when(`"Bool":{"a:b":"true","a:c":"true"}`)}, []string{when(`"Bool":{"a:b":"true"}`)}, false, ""},
		{"unknown operator in itself", []string{when(`"Odd":{"a:b":["x","y"]}`)}, []string{when(`"Odd":{"a:b":["y","x"]}`)}, true, ""},
		{"unknown operator, fewer values", []string{when(`"Odd":{"a:b":["x","y"]}`)}, []string{when(`"Odd":{"a:b":["y"]}`)}, false, ""},
		{"no keys in itself", []string{when(`"Bool":{}`)}, []string{when(`"Bool":{}`)}, true, ""},
		{"no keys in none", []string{when(``)}, []string{when(`"Bool":{}`)}, true, ""},
		{"none in no keys", []string{when(`"Bool":{}`)}, []string{when(``)}, false, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, what := Contains([]Document{read(t, test.outer...)}, []Document{read(t, test.inner...)})
			if got != test.want || !strings.HasPrefix(what, test.what) || got != (what == "") {
				t.Errorf("got %v, %q", got, what)
			}
		})
	}
}

func TestContainsConditions(t *testing.T) {
	tests := []struct {
		inner, outer string // conditions
		want         bool
	}{
		{`"StringEquals":{"k:s":"a"}`, `"StringEquals":{"k:s":["a","b"]}`, true},
		{`"StringEquals":{"k:s":["a","b"]}`, `"StringEquals":{"k:s":"a"}`, false},
		{`"StringEquals":{"k:s":"a"}`, `"StringEquals":{"k:t":"a"}`, false},
		{`"StringEquals":{"k:s":"a"}`, `"StringEquals":{"k:s":"A"}`, false},
		{`"StringEquals":{"k:s":"a"}`, `"StringEqualsIgnoreCase":{"k:s":"A"}`, true},
		{`"StringEquals":{"k:s":"\u00e9"}`, `"StringEqualsIgnoreCase":{"k:s":"\u00c9"}`, false},
		{`"StringEqualsIgnoreCase":{"k:s":"a"}`, `"StringEquals":{"k:s":"a"}`, false},
		{`"StringEqualsIgnoreCase":{"k:s":"a"}`, `"StringEqualsIgnoreCase":{"k:s":"A"}`, true},
		{`"StringEquals":{"k:s":"abc"}`, `"StringLike":{"k:s":"a*"}`, true},
		{`"StringEquals":{"k:s":"a*"}`, `"StringLike":{"k:s":"a?"}`, true}, // * is text here
		{`"StringLike":{"k:s":"a*"}`, `"StringEquals":{"k:s":"a*"}`, false},
		{`"StringLike":{"k:s":"a*c"}`, `"StringLike":{"k:s":"a*"}`, true},
		{`"StringLike":{"k:s":"a*"}`, `"StringLike":{"k:s":"a*c"}`, false},
		{`"StringNotEquals":{"k:s":["a","b"]}`, `"StringNotEquals":{"k:s":"a"}`, true},
		{`"StringNotEquals":{"k:s":"a"}`, `"StringNotEquals":{"k:s":["a","b"]}`, false},
		{`"StringNotLike":{"k:s":"a*"}`, `"StringNotEquals":{"k:s":"abc"}`, true},
		{`"StringNotEquals":{"k:s":"abc"}`, `"StringNotLike":{"k:s":"a*"}`, false},
		{`"StringNotLike":{"k:s":"a*"}`, `"StringNotLike":{"k:s":"ab*"}`, true},
		{`"StringNotEquals":{"k:s":"a"}`, `"StringEquals":{"k:s":"a"}`, false},
		{`"StringEquals":{"k:s":"a"}`, `"StringNotEquals":{"k:s":"a"}`, false},

		{`"StringEquals":{"k:s":"a"}`, `"StringEqualsIfExists":{"k:s":"a"}`, true},
		{`"StringEqualsIfExists":{"k:s":"a"}`, `"StringEquals":{"k:s":"a"}`, false},
		{`"StringEqualsIfExists":{"k:s":"a"}`, `"StringLikeIfExists":{"k:s":"*"}`, true},
		{`"StringEqualsIfExists":{"k:s":"a"}`, `"StringLike":{"k:s":"*"}`, false},
		{`"ForAllValues:StringEquals":{"k:s":"a"}`, `"ForAllValues:StringEquals":{"k:s":["a","b"]}`, true},
		{`"ForAllValues:StringEquals":{"k:s":"a"}`, `"StringEquals":{"k:s":["a","b"]}`, false},
		{`"ForAllValues:StringEquals":{"k:s":"a"}`, `"ForAnyValue:StringEquals":{"k:s":["a","b"]}`, false},
		{`"ForAnyValue:StringEquals":{"k:s":"a"}`, `"ForAllValues:StringEquals":{"k:s":["a","b"]}`, false},
		{`"ForAnyValue:StringNotEquals":{"k:s":["a","b"]}`, `"ForAnyValue:StringNotEquals":{"k:s":["a"]}`, true},

		{`"StringEquals":{"k:s":"${a:b}"}`, `"StringEquals":{"k:s":["${a:b}"]}`, true},
		{`"StringEquals":{"k:s":"${a:b}"}`, `"StringEquals":{"k:s":["${a:b}","c"]}`, false},
		{`"StringEquals":{"k:s":"${a:b}"}`, `"StringLike":{"k:s":"${*"}`, false},
		{`"StringEquals":{"k:s":"${a:b}"}`, `"StringLike":{"k:s":"?*"}`, false},
		{`"StringEquals":{"k:s":"x"}`, `"StringLike":{"k:s":"${a:b}"}`, false},

		{`"NumericLessThan":{"k:n":"5"}`, `"NumericLessThan":{"k:n":"10"}`, true},
		{`"NumericLessThan":{"k:n":"10"}`, `"NumericLessThan":{"k:n":"5"}`, false},
		{`"NumericLessThan":{"k:n":["5","10"]}`, `"NumericLessThan":{"k:n":"5"}`, false},
		{`"NumericLessThanEquals":{"k:n":"5"}`, `"NumericLessThan":{"k:n":"5"}`, false},
		{`"NumericLessThan":{"k:n":"5"}`, `"NumericLessThanEquals":{"k:n":"5"}`, true},
		{`"NumericEquals":{"k:n":"5"}`, `"NumericLessThanEquals":{"k:n":"5"}`, true},
		{`"NumericEquals":{"k:n":"6"}`, `"NumericLessThanEquals":{"k:n":"5"}`, false},
		{`"NumericEquals":{"k:n":"6"}`, `"NumericGreaterThanEquals":{"k:n":"5"}`, true},
		{`"NumericGreaterThan":{"k:n":"6"}`, `"NumericGreaterThan":{"k:n":"5"}`, true},
		{`"NumericGreaterThan":{"k:n":"5"}`, `"NumericGreaterThan":{"k:n":"6"}`, false},
		{`"NumericGreaterThan":{"k:n":"6"}`, `"NumericLessThan":{"k:n":"5"}`, false},
		{`"NumericLessThan":{"k:n":"x"}`, `"NumericLessThan":{"k:n":"10"}`, false},
		{`"NumericLessThan":{"k:n":"x"}`, `"NumericLessThan":{"k:n":"x"}`, true},

		{`"DateLessThan":{"aws:CurrentTime":"2026-12-01T00:00:00Z"}`, `"DateLessThan":{"aws:CurrentTime":"2026-12-24T00:00:00Z"}`, true},
		{`"DateLessThan":{"aws:CurrentTime":"2026-12-24T00:00:00Z"}`, `"DateLessThan":{"aws:CurrentTime":"2026-12-01T00:00:00Z"}`, false},
		{`"DateLessThan":{"aws:CurrentTime":"2026-12-01T00:00:00Z"}`,
			`"DateLessThanEquals":{"aws:CurrentTime":"2026-12-01T00:00:00Z"}`, true},
		{`"DateGreaterThan":{"aws:CurrentTime":"2026-12-24T00:00:00Z"}`,
			`"DateGreaterThan":{"aws:CurrentTime":"2026-12-01T00:00:00Z"}`, true},
		{`"DateGreaterThan":{"aws:CurrentTime":"2026-12-01T00:00:00Z"}`,
			`"DateGreaterThan":{"aws:CurrentTime":"2026-12-24T00:00:00Z"}`, false},

		{`"IpAddress":{"k:ip":"10.1.0.0/16"}`, `"IpAddress":{"k:ip":"10.0.0.0/8"}`, true},
		{`"IpAddress":{"k:ip":"10.0.0.0/8"}`, `"IpAddress":{"k:ip":"10.0.0.0/16"}`, false},
		{`"IpAddress":{"k:ip":"10.1.2.3"}`, `"IpAddress":{"k:ip":"10.1.2.3/32"}`, true},
		{`"IpAddress":{"k:ip":"10.1.2.3"}`, `"IpAddress":{"k:ip":"::/0"}`, false},
		{`"NotIpAddress":{"k:ip":"10.0.0.0/8"}`, `"NotIpAddress":{"k:ip":"10.1.0.0/16"}`, true},
		{`"NotIpAddress":{"k:ip":"10.1.0.0/16"}`, `"NotIpAddress":{"k:ip":"10.0.0.0/8"}`, false},

		{`"ArnEquals":{"k:arn":"arn:aws:iam::1:role/a"}`, `"ArnLike":{"k:arn":"arn:aws:iam::*:role/*"}`, true},
		{`"ArnLike":{"k:arn":"arn:aws:iam::*:role/*"}`, `"ArnEquals":{"k:arn":"arn:aws:iam::1:role/a"}`, false},
		{`"ArnLike":{"k:arn":"arn:aws:iam::1:role/a?*"}`, `"ArnLike":{"k:arn":"arn:aws:iam::1:role/*?"}`, true},
		{`"ArnLike":{"k:arn":"arn:aws:iam::1:role/a"}`, `"ArnLike":{"k:arn":"*"}`, false},
		{`"ArnLike":{"k:arn":"*"}`, `"ArnLike":{"k:arn":"arn:aws:iam::1:role/a"}`, false},
		{`"ArnLike":{"k:arn":"arn:aws:iam:*"}`, `"ArnLike":{"k:arn":"arn:*"}`, false},
		{`"ArnEquals":{"k:arn":"arn:aws:iam::1:role/a"}`, `"StringLike":{"k:arn":"*"}`, false},

		{`"Bool":{"k:b":"true"}`, `"Bool":{"k:b":["true","false"]}`, true},
		{`"Bool":{"k:b":["true","false"]}`, `"Bool":{"k:b":"true"}`, false},
		{`"Null":{"k:b":"true"}`, `"Null":{"k:b":"false"}`, false},
		{`"Null":{"k:b":"true"}`, `"Null":{"k:b":["true","false"]}`, false}, // true, but not shown
		{`"BinaryEquals":{"k:b":"QQ=="}`, `"BinaryEquals":{"k:b":["QQ==","Qg=="]}`, true},
		{`"StringEquals":{"k:b":[]}`, `"StringEquals":{"k:b":"a"}`, false},
		{`"StringEquals":{"k:b":"a"}`, `"StringEquals":{"k:b":[]}`, false},
		{`"StringNotEquals":{"k:b":"a"}`, `"StringNotEquals":{"k:b":[]}`, false},
		{`"StringNotEquals":{"k:b":[]}`, `"StringNotEquals":{"k:b":"a"}`, false},
	}
	for _, test := range tests {
		t.Run(test.inner+" in "+test.outer, func(t *testing.T) {
			outer := read(t, statement("Allow", "s3:*", "*", test.outer))
			inner := read(t, statement("Allow", "s3:*", "*", test.inner))
			if got, what := Contains([]Document{outer}, []Document{inner}); got != test.want {
				t.Errorf("got %v, %q", got, what)
			}
			// A Deny is the other way round: what outer denies, inner must.
			all := allow("*", "*")
			outer = read(t, all, statement("Deny", "s3:*", "*", test.inner))
			inner = read(t, all, statement("Deny", "s3:*", "*", test.outer))
			if got, what := Contains([]Document{outer}, []Document{inner}); got != test.want {
				t.Errorf("as Deny: got %v, %q", got, what)
			}
		})
	}
}

// The version of a document decides whether ${...} is a variable.
func TestContainsVersions(t *testing.T) {
	tests := []struct {
		resource, condition string
		innerInOuter        bool
	}{
		{bucket + "/x", ``, true},
		{bucket + "/${a:b}", ``, false},
		{bucket + "/${*}", ``, false},
		{"*", `"StringEquals":{"k:s":"x"}`, true},
		{"*", `"StringEquals":{"k:s":"${a:b}"}`, false},
	}
	for _, test := range tests {
		s := statement("Allow", "s3:*", test.resource, test.condition)
		older, newer := readVersion(t, version2008, s), read(t, s)
		for _, pair := range [][2]Document{{older, newer}, {newer, older}} {
			if got, what := Contains(pair[:1], pair[1:]); got != test.innerInOuter {
				t.Errorf("%s: %s in %s: got %v, %q", s, pair[1].Version, pair[0].Version, got, what)
			}
		}
	}
	// Turned round within NotResource, versions must not be mixed up.
	outer := read(t, allow("s3:*", "not arn:aws:s3:${a:b}::b"))
	inner := readVersion(t, version2008, allow("s3:*", "not arn:aws:s3:*::b"))
	if got, _ := Contains([]Document{outer}, []Document{inner}); got {
		t.Error("a variable that could bring in colons was taken for text")
	}
}

func TestContainsMalformed(t *testing.T) {
	all := Values{List: []string{"*"}}
	good, bad := read(t, allow("*", "*")), Document{Statements: []Statement{{Sid: "Bad", Effect: "deny", Action: all, Resource: all}}}
	for _, pair := range [][2]Document{{good, bad}, {bad, good}, {bad, bad}} {
		if got, what := Contains(pair[:1], pair[1:]); got || what != "Statement[0] Bad is malformed" {
			t.Errorf("got %v, %q", got, what)
		}
	}
}

// With several policies, the answer also tells which one.
func TestContainsNamesThePolicy(t *testing.T) {
	outer := []Document{read(t, allow("s3:*", "*"), deny("s3:Put*", "*")), read(t, deny("s3:Delete*", "*"))}
	tests := []struct{ inner, want string }{
		{`{"Sid":"Mine","Effect":"Allow","Action":["s3:Get*","ecr:*"],"Resource":"*"}`, "Policy[1].Statement[0] Mine: ecr:* on *"},
		{`{"Sid":"a b","Effect":"Allow","Action":"s3:Put*","Resource":"*"}`,
			`Policy[1].Statement[0] "a b": s3:Put* on *: denied by Policy[0].Statement[1]`},
		{allow("s3:D*", "*"), `Policy[1].Statement[0]: s3:D* on *: denied by Policy[1].Statement[0]`},
		{statement("Allow", "s3:Get*", "*", `"Bool":{"k:b":"true"}`), ""},
	}
	for _, test := range tests {
		inside, what := Contains(outer, []Document{read(t, allow("s3:Get*", "*")), read(t, test.inner)})
		if what != test.want || inside != (test.want == "") {
			t.Errorf("%s: got %v, %q", test.inner, inside, what)
		}
	}
}

// As long as a policy can be: every pair of lists that together hold 10,240
// characters.
func BenchmarkContains(b *testing.B) {
	var actions, resources []string
	for _, letter := range words("abcdefghijklmnopqr", 2)[1:] {
		actions = append(actions, "s3:Get*"+letter)
		resources = append(resources, "arn:aws:s3:::"+letter+"*")
	}
	d := Document{Statements: []Statement{Allow("", actions, resources)}}
	b.Logf("%d characters", Size(d.Canonical()))
	for b.Loop() {
		if inside, what := Contains([]Document{d}, []Document{d}); !inside {
			b.Fatal(what)
		}
	}
}
