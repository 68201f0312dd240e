package buildlog

import (
	"fmt"
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/google/go-cmp/cmp"
)

const refusedPut = "User: arn:aws:sts::111122223333:assumed-role/ci/s is not authorized to perform: s3:PutObject on resource: " +
	`"arn:aws:s3:::media/a.css" because no identity-based policy allows the s3:PutObject action`

// stack is n frames as Node prints them, the last of which opens the error's fields.
func stack(n int, indent string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%s    at async step%d (/codebuild/src/node_modules/@smithy/core/dist-cjs/index.js:%d:50)\n",
			indent, i, i)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// An error's code is printed below its message, in the block of its fields: it is no second denial.
func TestCodeOfAnErrorsFields(t *testing.T) {
	const put = "s3:PutObject arn:aws:s3:::media/a.css"
	fields := " {\n  '$fault': 'client',\n  '$metadata': {\n    httpStatusCode: 403,\n    attempts: 1\n  },\n  Code: 'AccessDenied',\n" +
		"  RequestId: 'X'\n}\n\nNode.js v22.1.0\n"
	for _, row := range []struct{ what, text, want string }{
		{"ten frames", "AccessDenied: " + refusedPut + "\n" + stack(10, "") + fields, put},
		{"as many frames as Error.stackTraceLimit = 200 gives", "AccessDenied: " + refusedPut + "\n" + stack(200, "") + fields, put},
		{"no frames", "[AccessDenied: " + refusedPut + "]" + fields, put},
		{"frames that a log shipper stamps", "AccessDenied: " + refusedPut + "\n" +
			stamped(stack(250, "")+fields), put},
		{"an error that another one has for its cause", "Error: deploy failed\n" + stack(12, "") + " {\n  [cause]: AccessDenied: " +
			refusedPut + "\n" + stack(12, "    ") + strings.ReplaceAll(fields, "\n", "\n    ") + "\n}\n", put},
		{"colours", "AccessDenied: " + refusedPut + "\n\x1b[90m" + stack(30, "") +
			"\x1b[39m {\n  Code: \x1b[32m'AccessDenied'\x1b[39m\n}\n", put},
		{"the old SDK's fields", "AccessDenied: " + refusedPut + "\n" + stack(14, "") +
			" {\n  code: 'AccessDenied',\n  region: null,\n  statusCode: 403,\n  retryable: false\n}\n", put},
		{"a Python response, printed by pprint", "{'Error': {'Code': 'AccessDenied',\n" +
			strings.Repeat("           'Detail': 'x',\n", 20) +
			"           'Message': '" + refusedPut + "'},\n 'ResponseMetadata': {'HTTPStatusCode': 403}}\n", put},
		{"JSON over many rows", "{\n  \"message\": " + fmt.Sprintf("%q", refusedPut) + ",\n" +
			strings.Repeat("  \"header\": \"x\",\n", 20) +
			"  \"code\": \"AccessDenied\"\n}\n", put},
		{"a Go struct", "&smithy.GenericAPIError{Code:\"AccessDenied\", Message:\"" +
			strings.ReplaceAll(refusedPut, `"`, "'") + "\", Fault:1}\n", put},

		{"another error's code", "AccessDenied: " + refusedPut + "\n" + stack(12, "") + fields + strings.Repeat("step\n", 12) +
			"Error: cannot read the manifest\n" + stack(12, "") + " {\n  Code: 'AccessDenied'\n}\n", put + "\n "},
		{"a code whose message is not printed", "Error: deploy failed\n" + stack(12, "") + fields, " "},
		{"a block that an earlier error does not open", refusedPut + "\n" + strings.Repeat("step\n", 12) +
			"result {\n  code: 'AccessDenied'\n}\n", put + "\n "},
	} {
		var got []string
		for _, d := range Denials(row.text) {
			got = append(got, d.Action+" "+d.Resource)
		}
		if d := cmp.Diff(row.want, strings.Join(got, "\n")); d != "" {
			t.Errorf("%s (-want +got):\n%s", row.what, d)
		}
	}
}

// stamped puts a time in front of each line.
func stamped(s string) string {
	return "2026-11-20T10:00:00Z " + strings.ReplaceAll(s, "\n", "\n2026-11-20T10:00:00Z ")
}

// The frames between message and code are in another part of a long log's buffer than what a denial
// needs around it.
func TestCodeOfAnErrorInALongLog(t *testing.T) {
	text := strings.Repeat("compiling\n", 300_000) + "AccessDenied: " + refusedPut + "\n" + stack(200, "") +
		" {\n  Code: 'AccessDenied'\n}\n" + strings.Repeat("done\n", 300_000)
	f := ReadText(codebuild.Build{}, text)
	if len(f.Denials) != 1 || f.Denials[0].Action != "s3:PutObject" || f.Denials[0].Line != 300_001 {
		t.Errorf("%+v", f.Denials)
	}
}
