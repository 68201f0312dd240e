package iampolicy

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// conditionContext is what the conditions in these tests are about. A key
// without values is known to be absent; k:unknown is not known.
var conditionContext = map[string][]string{
	"k:s":         {"Web"},
	"k:absent":    {},
	"k:two":       {"a", "b"},
	"k:empty":     {""},
	"k:someEmpty": {"a", ""},
	"k:n":         {"10"},
	"k:huge":      {"99999999999999999999999999999999999999.5"},
	"k:exp":       {"1e3"},
	"k:date":      {"2026-11-22T12:00:00Z"},
	"k:epoch":     {"1795348800"},
	"k:day":       {"2026-11-22"},
	"k:true":      {"true"},
	"k:loud":      {"TRUE"},
	"k:ip":        {"203.0.113.7"},
	"k:ip6":       {"2001:db8::7"},
	"k:mapped":    {"::ffff:203.0.113.7"},
	"k:bin":       {"QmluYXJ5"},
	"k:arn":       {"arn:aws:iam::111122223333:role/service-role/web"},
	"k:user":      {"ali"},
	"k:café":      {"É"},
	"aws:TagKeys": {"a"},

	"aws:PrincipalOrgPaths":             {},
	"events:Metadata/team":              {"a"},
	"events:source":                     {"a"},
	"aws:CalledViaFirst":                {"a"},
	"vpc-lattice-svcs:RequestHeader/id": {"a"},
}

func TestConditions(t *testing.T) {
	tests := []struct {
		operator, key string
		values        string // JSON
		want          tri
	}{
		{"StringEquals", "k:s", `"Web"`, yes},
		{"StringEquals", "K:S", `"Web"`, yes},
		{"StringEquals", "k:s", `"web"`, no},
		{"StringEquals", "k:s", `["x","Web"]`, yes},
		{"StringEquals", "k:s", `"W*"`, no},
		{"StringEquals", "k:unknown", `"Web"`, maybe},
		{"StringEquals", "k:absent", `"Web"`, no},
		{"StringEquals", "k:two", `"a"`, maybe},
		{"StringEquals", "k:empty", `""`, maybe},
		{"StringEquals", "k:s", `[]`, maybe},
		{"StringNotEquals", "k:s", `"Web"`, no},
		{"StringNotEquals", "k:s", `["x","Web"]`, no},
		{"StringNotEquals", "k:s", `["x","y"]`, yes},
		{"StringNotEquals", "k:absent", `"Web"`, yes},
		{"StringNotEquals", "k:unknown", `"Web"`, maybe},
		{"StringEqualsIfExists", "k:absent", `"Web"`, yes},
		{"StringEqualsIfExists", "k:s", `"x"`, no},
		{"StringEqualsIfExists", "k:unknown", `"Web"`, maybe},
		{"StringNotEqualsIfExists", "k:absent", `"Web"`, yes},
		{"StringEqualsIgnoreCase", "k:s", `"wEB"`, yes},
		{"StringEqualsIgnoreCase", "k:s", `"wE"`, no},
		{"StringEqualsIgnoreCase", "k:s", `"wéb"`, maybe},
		{"StringEqualsIgnoreCase", "k:café", `"é"`, maybe},
		{"StringEqualsIgnoreCase", "k:café", `"É"`, yes},
		{"StringEqualsIgnoreCase", "k:user", `"${k:USER}"`, yes},
		{"StringEqualsIgnoreCase", "k:s", `"${k:s}"`, yes},
		{"StringNotEqualsIgnoreCase", "k:s", `"web"`, no},
		{"StringNotEqualsIgnoreCase", "k:s", `"${k:s}"`, no},
		{"StringLike", "k:s", `"W?b"`, yes},
		{"StringLike", "k:s", `"w*"`, no},
		{"StringLike", "k:s", `"${k:unknown}*"`, maybe},
		{"StringLike", "k:s", `"x${k:unknown}"`, no},
		{"StringLike", "k:s", `"${*}"`, no},
		{"StringNotLike", "k:s", `["x*","*b"]`, no},
		{"StringNotLike", "k:s", `["x*"]`, yes},
		{"StringEquals", "k:user", `"${k:user}"`, yes},
		{"StringEquals", "k:user", `"${k:two}"`, maybe},

		{"ForAllValues:StringEquals", "k:two", `["a","b","c"]`, yes},
		{"ForAllValues:StringEquals", "k:two", `["a"]`, no},
		{"ForAllValues:StringEquals", "k:absent", `["a"]`, yes},
		{"ForAllValues:StringEquals", "k:unknown", `["a"]`, maybe},
		{"ForAllValues:StringEquals", "k:someEmpty", `["a"]`, maybe},
		{"ForAllValues:StringNotEquals", "k:two", `["c"]`, yes},
		{"ForAllValues:StringNotEquals", "k:two", `["a"]`, no},
		{"ForAllValues:StringLike", "k:two", `"?"`, yes},
		{"ForAnyValue:StringEquals", "k:two", `["b","c"]`, yes},
		{"ForAnyValue:StringEquals", "k:two", `["c"]`, no},
		{"ForAnyValue:StringEquals", "k:absent", `["a"]`, no},
		{"ForAnyValue:StringNotEquals", "k:two", `["a"]`, yes},
		{"ForAnyValue:StringNotEquals", "k:two", `["a","b"]`, no},
		{"ForAnyValue:StringNotEquals", "k:absent", `["a"]`, maybe},
		{"ForAnyValue:StringEqualsIfExists", "k:absent", `["a"]`, maybe},
		{"ForAllValues:StringEqualsIfExists", "k:absent", `["a"]`, yes},

		{"Null", "k:absent", `"true"`, yes},
		{"Null", "k:absent", `true`, yes},
		{"Null", "k:absent", `false`, no},
		{"Null", "k:s", `"false"`, yes},
		{"Null", "k:two", `"true"`, no},
		{"Null", "k:s", `["true","false"]`, yes},
		{"Null", "k:s", `"maybe"`, maybe},
		{"Null", "k:unknown", `"false"`, maybe},
		{"Null", "k:empty", `"false"`, maybe},
		{"NullIfExists", "k:s", `"false"`, maybe},
		{"ForAnyValue:Null", "k:s", `"false"`, maybe},

		{"Bool", "k:true", `true`, yes},
		{"Bool", "k:true", `"false"`, no},
		{"Bool", "k:loud", `"true"`, maybe},
		{"Bool", "k:s", `"true"`, maybe},
		{"Bool", "k:absent", `"false"`, no},
		{"BoolIfExists", "k:absent", `"false"`, yes},

		{"NumericEquals", "k:n", `10`, yes},
		{"NumericEquals", "k:n", `"10.0"`, yes},
		{"NumericEquals", "k:n", `"010"`, maybe},
		{"NumericEquals", "k:n", `"0x0a"`, maybe},
		{"NumericEquals", "k:n", `"1e1"`, maybe},
		{"NumericEquals", "k:n", `1e999999999`, maybe},
		{"NumericEquals", "k:n", `"10/1"`, maybe},
		{"NumericEquals", "k:n", `" 10"`, maybe},
		{"NumericEquals", "k:n", `"Inf"`, maybe},
		{"NumericEquals", "k:exp", `"1000"`, maybe},
		{"NumericNotEquals", "k:n", `["9","11"]`, yes},
		{"NumericNotEquals", "k:n", `["9","x"]`, maybe},
		{"NumericNotEquals", "k:n", `["10","x"]`, no},
		{"NumericLessThan", "k:n", `"10"`, no},
		{"NumericLessThan", "k:n", `"10.1"`, yes},
		{"NumericLessThan", "k:n", `["-1","11"]`, yes},
		{"NumericLessThanEquals", "k:n", `"10"`, yes},
		{"NumericLessThanEquals", "k:n", `"9.99"`, no},
		{"NumericGreaterThan", "k:n", `"10"`, no},
		{"NumericGreaterThan", "k:n", `"-10"`, yes},
		{"NumericGreaterThanEquals", "k:n", `"10"`, yes},
		// Beyond what a 64-bit number can tell apart.
		{"NumericEquals", "k:huge", `"99999999999999999999999999999999999999.6"`, no},
		{"NumericEquals", "k:huge", `"99999999999999999999999999999999999999.50"`, yes},
		{"NumericLessThan", "k:huge", `"999999999999999999999999999999999999999999"`, maybe},

		{"DateEquals", "k:date", `"2026-11-22T12:00:00Z"`, yes},
		{"DateEquals", "k:date", `"2026-11-22T13:00:00+01:00"`, yes},
		{"DateEquals", "k:date", `"2026-11-22T12:00Z"`, yes},
		{"DateEquals", "k:date", `"1795348800"`, yes},
		{"DateEquals", "k:epoch", `1795348800`, yes},
		{"DateNotEquals", "k:date", `"2026-11-22T12:00:01Z"`, yes},
		{"DateLessThan", "k:date", `"2026-11-22T12:00:00Z"`, no},
		{"DateLessThan", "k:date", `"2026-11-22T12:00:00.5Z"`, yes},
		{"DateLessThanEquals", "k:date", `"2026-11-22T12:00:00Z"`, yes},
		{"DateGreaterThan", "k:date", `"2026-11-22T11:59:59Z"`, yes},
		{"DateGreaterThanEquals", "k:date", `"2026-11-22T12:00:01Z"`, no},
		{"DateLessThan", "k:date", `"2027-01-01"`, maybe},
		{"DateLessThan", "k:date", `"2027"`, maybe},
		{"DateLessThan", "k:date", `"2026-11-22T12:00:01"`, maybe},
		{"DateLessThan", "k:date", `"tomorrow"`, maybe},
		{"DateLessThan", "k:date", `"2026-11-22T12:00:00,5Z"`, maybe},
		{"DateLessThan", "k:date", `"2026-11-22T9:00:00Z"`, maybe},
		{"DateLessThan", "k:date", `"2026-02-30T00:00:00Z"`, maybe},
		{"DateLessThan", "k:date", `"2026-11-22t12:00:01z"`, maybe},
		{"DateLessThan", "k:date", `"1795348801000"`, maybe},
		{"DateLessThan", "k:date", `"-1795348801"`, maybe},
		{"DateLessThan", "k:date", `"01795348801"`, maybe},
		{"DateLessThan", "k:day", `"2027-01-01T00:00:00Z"`, maybe},
		{"DateLessThan", "aws:CurrentTime", `"2026-11-22T12:00:01Z"`, yes},
		{"DateLessThan", "aws:currenttime", `"2026-11-22T12:00:00Z"`, no},
		{"DateGreaterThan", "aws:CurrentTime", `"2026-11-22T11:59:59Z"`, yes},
		{"NumericLessThan", "aws:EpochTime", `"1795348801"`, yes},
		{"DateLessThan", "aws:EpochTime", `"2026-11-22T12:00:01Z"`, yes},

		{"IpAddress", "k:ip", `"203.0.113.0/24"`, yes},
		{"IpAddress", "k:ip", `"203.0.113.99/24"`, yes},
		{"IpAddress", "k:ip", `"203.0.114.0/24"`, no},
		{"IpAddress", "k:ip", `"203.0.113.7"`, yes},
		{"IpAddress", "k:ip", `"203.0.113.8"`, no},
		{"IpAddress", "k:ip", `"0.0.0.0/0"`, yes},
		{"IpAddress", "k:ip", `"::/0"`, no},
		{"IpAddress", "k:ip", `"203.0.113.007"`, maybe},
		{"IpAddress", "k:ip", `"203.0.113.0/33"`, maybe},
		{"IpAddress", "k:ip", `"203.0.113.*"`, maybe},
		{"IpAddress", "k:ip6", `"2001:db8::/32"`, yes},
		{"IpAddress", "k:mapped", `"203.0.113.0/24"`, maybe},
		{"IpAddress", "k:ip", `"::ffff:203.0.113.0/120"`, maybe},
		{"IpAddress", "k:s", `"0.0.0.0/0"`, maybe},
		{"NotIpAddress", "k:ip", `["10.0.0.0/8","192.0.2.0/24"]`, yes},
		{"NotIpAddress", "k:ip", `["10.0.0.0/8","203.0.113.0/24"]`, no},
		{"NotIpAddress", "k:ip", `["10.0.0.0/8","x"]`, maybe},

		{"BinaryEquals", "k:bin", `"QmluYXJ5"`, yes},
		{"BinaryEquals", "k:bin", `"QmluYXJ6"`, no},
		{"BinaryEquals", "k:bin", `"QmluYXJ5!"`, maybe},
		{"BinaryEquals", "k:n", `"QmluYXJ5"`, maybe},

		{"ArnEquals", "k:arn", `"arn:aws:iam::111122223333:role/service-role/web"`, yes},
		{"ArnEquals", "k:arn", `"arn:aws:iam::*:role/*"`, yes},
		{"ArnLike", "k:arn", `"arn:aws:iam::*:role/web"`, no},
		{"ArnLike", "k:arn", `"arn:aws:iam:*:role/*"`, maybe},
		{"ArnLike", "k:arn", `"*"`, maybe},
		{"ArnLike", "k:s", `"arn:aws:iam::*:role/*"`, no},
		{"ArnLike", "k:s", `"*"`, maybe},
		{"ArnLike", "k:arn", `"arn:aws:iam::111122223333:role/${k:unknown}"`, maybe},
		{"ArnLike", "k:arn", `"arn:aws:iam::111122223333:user/${k:unknown}"`, no},
		{"ArnNotLike", "k:arn", `"arn:aws:iam::*:role/*"`, no},
		{"ArnNotEquals", "k:arn", `"arn:aws:iam::*:user/*"`, yes},

		{"StringEquals", "aws:TagKeys", `"a"`, maybe},
		{"StringEquals", "AWS:tagkeys", `"b"`, maybe},
		{"StringNotEquals", "aws:TagKeys", `"b"`, maybe},
		{"StringLikeIfExists", "aws:TagKeys", `"*"`, maybe},
		{"StringEquals", "aws:PrincipalOrgPaths", `"a"`, maybe},
		{"StringNotEquals", "aws:PrincipalOrgPaths", `"a"`, maybe},
		{"ForAnyValue:StringEquals", "aws:TagKeys", `"a"`, yes},
		{"ForAllValues:StringEquals", "aws:TagKeys", `"b"`, no},
		{"Null", "aws:TagKeys", `"false"`, yes},
		{"StringEquals", "events:source", `"a"`, maybe},
		{"StringEquals", "events:Metadata/team", `"a"`, maybe},
		{"StringEquals", "vpc-lattice-svcs:RequestHeader/id", `"a"`, yes},
		{"StringEquals", "aws:CalledViaFirst", `"a"`, yes},

		{"StringEqual", "k:s", `"Web"`, maybe},
		{"stringequals", "k:s", `"Web"`, maybe},
		{"ForAllValues:", "k:s", `"Web"`, maybe},
		{"ForSomeValues:StringEquals", "k:s", `"Web"`, maybe},
		{"ForAllValues:ForAnyValue:StringEquals", "k:s", `"Web"`, maybe},
		{"StringEqualsIfExistsIfExists", "k:s", `"Web"`, maybe},
		{"", "k:s", `"Web"`, maybe},
	}
	for _, test := range tests {
		condition := fmt.Sprintf("%q:{%q:%s}", test.operator, test.key, test.values)
		t.Run(condition, func(t *testing.T) {
			r := Request{Action: "s3:GetObject", Resource: object, Context: conditionContext, Now: now}
			d := read(t, statement("Allow", "s3:*", "*", condition))
			want := map[tri]Verdict{yes: Allowed, no: ImplicitDeny, maybe: Unknown}[test.want]
			if got, _ := Evaluate(Access{Policies: []Document{d}}, r); got != want {
				t.Errorf("allow: got %v, want %v", got, want)
			}
			d = read(t, allow("*", "*"), statement("Deny", "s3:*", "*", condition))
			want = map[tri]Verdict{yes: ExplicitDeny, no: Allowed, maybe: Unknown}[test.want]
			if got, _ := Evaluate(Access{Policies: []Document{d}}, r); got != want {
				t.Errorf("deny: got %v, want %v", got, want)
			}
		})
	}
}

func TestConditionsAreAnded(t *testing.T) {
	tests := []struct {
		conditions string
		want       Verdict
	}{
		{``, Allowed},
		{`"Bool":{"k:true":"true"},"StringEquals":{"k:s":"Web","k:user":"ali"}`, Allowed},
		{`"Bool":{"k:true":"true"},"StringEquals":{"k:s":"Web","k:user":"bob"}`, ImplicitDeny},
		{`"Bool":{"k:true":"true"},"StringEquals":{"k:unknown":"Web"}`, Unknown},
		{`"Bool":{"k:true":"false"},"StringEquals":{"k:unknown":"Web"}`, ImplicitDeny},
		{`"StringEquals":{}`, Unknown},
	}
	for _, test := range tests {
		d := read(t, statement("Allow", "s3:*", "*", test.conditions))
		r := Request{Action: "s3:GetObject", Resource: object, Context: conditionContext}
		if got, _ := Evaluate(Access{Policies: []Document{d}}, r); got != test.want {
			t.Errorf("%s: got %v, want %v", test.conditions, got, test.want)
		}
	}
}

// The time is known only if the request says it.
func TestTimeUnknown(t *testing.T) {
	d := read(t, statement("Allow", "s3:*", "*", `"DateLessThan":{"aws:CurrentTime":"2027-01-01T00:00:00Z"}`))
	r := Request{Action: "s3:GetObject", Resource: object}
	if got, _ := Evaluate(Access{Policies: []Document{d}}, r); got != Unknown {
		t.Errorf("without a time: got %v", got)
	}
	r.Now = now
	if got, _ := Evaluate(Access{Policies: []Document{d}}, r); got != Allowed {
		t.Errorf("with a time: got %v", got)
	}
	r.Context = map[string][]string{"AWS:CurrentTime": {"2028-01-01T00:00:00Z"}}
	if got, _ := Evaluate(Access{Policies: []Document{d}}, r); got != ImplicitDeny {
		t.Errorf("with a time in the context: got %v", got)
	}
}

func TestOperators(t *testing.T) {
	for name, want := range comparisons {
		for _, quantifier := range []string{"", "ForAllValues:", "ForAnyValue:"} {
			for _, suffix := range []string{"", "IfExists"} {
				o, ok := parseOperator(quantifier + name + suffix)
				if !ok || o.comparison.name != want.name || o.comparison.negated != want.negated || o.ifExists != (suffix != "") {
					t.Errorf("%s%s%s: got %+v", quantifier, name, suffix, o)
				}
			}
		}
		if strings.Contains(name, "Not") != want.negated {
			t.Errorf("%s: negated is %v", name, want.negated)
		}
	}
}

// TestDigits: as many digits as are compared, on each side of the point, and one more.
func TestDigits(t *testing.T) {
	n := func(digits int) string { return strings.Repeat("1", digits) }
	for s, want := range map[string]bool{n(maxDigits): true, n(maxDigits + 1): false, "-" + n(maxDigits) + "." + n(maxDigits): true,
		"1." + n(maxDigits+1): false, "1": true, "01": false, "1e3": false, "": false} {
		if _, ok := parseNumber(s); ok != want {
			t.Errorf("%s: %v", s, ok)
		}
	}
}
