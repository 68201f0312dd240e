package toolbox

import (
	"hash/crc32"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/diagnose"
)

// ownDenial is AWS's sentence about the build's own session.
func ownDenial(action, resource string) string {
	return "User: " + session + " is not authorized to perform: " + action + " on resource: " + resource +
		" because no identity-based policy allows the " + action + " action"
}

// claims are what a command may print of AWS besides the failure of its tool.
var claims = map[string]string{
	"upload": "upload failed: ./bundle.zip to s3://shop-site/bundle.zip An error occurred (AccessDenied) when calling the " +
		"PutObject operation: " + ownDenial("s3:PutObject", `"arn:aws:s3:::shop-site/bundle.zip"`),
	"read": "\nAn error occurred (AccessDeniedException) when calling the GetParameter operation: " +
		ownDenial("ssm:GetParameter", "arn:aws:ssm:eu-west-1:111122223333:parameter/shop/db"),
	"bare": "tags: An error occurred (AccessDenied) when calling the PutObject operation: Access Denied",
	"caught": "AccessDenied: " + ownDenial("s3:PutObject", `"arn:aws:s3:::shop-site/bundle.zip"`) + "\n" +
		"    at throwDefaultError (/src/node_modules/@smithy/smithy-client/dist-cjs/index.js:388:20) {\n" +
		"  '$fault': 'client',\n  Code: 'AccessDenied'\n}",
	"limit": "ThrottlingException: Rate exceeded",
}

// crossedWrongly are the claims, places and runs that are granted or started again all the same, by
// why nothing tells the claim from the reason.
var crossedWrongly = map[string][]string{
	"the tool failed for AWS as well: a login, a token, what does not exist": {
		"caught behind ansible/expired",
		"caught behind awscli1/expired",
		"bare before awscli1/no-bucket",
		"limit behind awscli1/no-bucket",
		"bare behind awsebcli/expired",
		"upload behind boto3/expired",
		"bare behind cdk/not-bootstrapped",
		"upload behind cdk178/not-bootstrapped",
		"caught behind crane/no-login",
		"caught behind crane/no-repository",
		"caught behind docker/push-no-login",
		"read behind maven/deploy-401",
		"bare behind maven/resolve-401",
		"caught behind npm/install-401",
		"upload behind npm/publish-401",
		"upload behind osls/expired",
		"upload behind pip/read-401",
		"upload behind pnpm/publish-401",
		"caught behind poetry/read-401",
		"upload behind sam/expired",
		"bare behind sam/no-bucket",
		"caught behind sdk-go-v2/expired",
		"upload behind sdk-java-v2/expired",
		"upload behind serverless/expired",
		"bare behind skopeo/expired",
		"bare behind twine/publish-401",
		"caught behind uv/publish-401",
		"caught behind uv/read-401",
		"upload behind yarn/install-401",
	},
	"the output is a list, or has no words of an error, and what runs behind it ends the command": {
		"upload behind cmake/syntax",
		"upload behind flake8/names",
		"caught behind gcc/library",
		"limit behind gcc/no-target",
		"caught behind go-vet/gofmt-list",
		"bare behind jsonlint/compact",
		"upload behind prettier/list",
		"bare behind rust/fmt-list",
		"read behind spectral/text",
	},
	"the command does nothing but run tests, and what its output does not frame may be a test's own refusal": {
		"read before bats/pretty",
		"upload before cucumber-js/rerun",
		"caught before deno/junit",
		"caught before jasmine/default",
		"read behind jest-report/exits",
		"caught before jest-report/exits",
		"caught before jest-report/json-only",
		"read before jest-report/summary",
		"read before rspec/json",
		"caught before unittest/doctest",
	},
}

// TestCrossed ensures that a tool which failed of something else is not granted what AWS refused to
// another command of the same script, before it or behind it, and not started again for it. In each
// run of a tool one claim stands before the output and another behind, so all are met in each kind.
func TestCrossed(t *testing.T) {
	names := slices.Sorted(maps.Keys(claims))
	_, runs := allRuns(t)
	var wrong []string
	crossed := 0
	for _, r := range runs {
		if !strings.HasPrefix(r.denied, "nothing") {
			continue
		}
		if _, d := r.read(); d.Remedy == diagnose.Grant || d.Remedy == diagnose.Retry {
			continue
		}
		n := int(crc32.ChecksumIEEE([]byte(r.name)) % uint32(len(names))) // the same whatever runs are added
		before, behind := names[n], names[(n+2)%len(names)]
		for what, output := range map[string]string{
			before + " before ": claims[before] + "\n" + r.output,
			behind + " behind ": strings.TrimSuffix(r.output, "\n") + "\n" + claims[behind] + "\n",
		} {
			crossed++
			c := *r
			c.output = output
			if _, d := c.read(); d.Remedy == diagnose.Grant || d.Remedy == diagnose.Retry {
				wrong = append(wrong, what+r.name)
			}
		}
	}
	var known []string
	for _, list := range crossedWrongly {
		known = append(known, list...)
	}
	for _, w := range wrong {
		if !slices.Contains(known, w) {
			t.Errorf("%s: granted or started again", w)
		}
	}
	for _, k := range known {
		if !slices.Contains(wrong, k) {
			t.Errorf("%s is right: take it out of crossedWrongly", k)
		}
	}
	if t.Logf("%d crossings, %d granted or started again", crossed, len(wrong)); crossed < 700 {
		t.Errorf("%d crossings, want at least 700", crossed)
	}
}
