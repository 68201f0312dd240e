package toolbox

import (
	"bytes"
	"encoding/json"
	"flag"
	"maps"
	"os"
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

var ownPut = ownDenial("s3:PutObject", `"arn:aws:s3:::shop-site/bundle.zip"`)

// claims are what a command may print of AWS besides the failure of its tool: in the words of the
// AWS CLI, of the SDKs, of curl.
var claims = map[string]string{
	"upload": "upload failed: ./bundle.zip to s3://shop-site/bundle.zip An error occurred (AccessDenied) when calling the " +
		"PutObject operation: " + ownPut,
	"read": "\nAn error occurred (AccessDeniedException) when calling the GetParameter operation: " +
		ownDenial("ssm:GetParameter", "arn:aws:ssm:eu-west-1:111122223333:parameter/shop/db"),
	"bare": "tags: An error occurred (AccessDenied) when calling the PutObject operation: Access Denied",
	"caught": "AccessDenied: " + ownPut + "\n" +
		"    at throwDefaultError (/src/node_modules/@smithy/smithy-client/dist-cjs/index.js:388:20) {\n" +
		"  '$fault': 'client',\n  Code: 'AccessDenied'\n}",
	"limit": "ThrottlingException: Rate exceeded",
	"java": "Exception in thread \"main\" software.amazon.awssdk.services.s3.model.S3Exception: " + ownPut +
		" (Service: S3, Status Code: 403, Request ID: TX000001, Extended Request ID: h0001)\n" +
		"\tat software.amazon.awssdk.protocols.xml.internal.unmarshall.AwsXmlPredicatedResponseHandler.handleErrorResponse" +
		"(AwsXmlPredicatedResponseHandler.java:156)\n\tat com.example.Publish.main(Publish.java:31)",
	"go": "2026/01/02 03:04:05 publish: operation error S3: PutObject, https response error StatusCode: 403, RequestID: TX000001, " +
		"HostID: h0001, api error AccessDenied: " + ownPut + "\nexit status 1",
	"ruby": "/usr/local/bundle/gems/aws-sdk-core-3.211.0/lib/seahorse/client/plugins/raise_response_errors.rb:17:in " +
		"'Seahorse::Client::Plugins::RaiseResponseErrors::Handler#call': " + ownPut + " (Aws::S3::Errors::AccessDenied)\n" +
		"\tfrom /usr/local/bundle/gems/aws-sdk-s3-1.170.0/lib/aws-sdk-s3/plugins/sse_cpk.rb:24:in 'call'\n" +
		"\tfrom publish.rb:4:in '<main>'",
	"traceback": "Traceback (most recent call last):\n  File \"/src/publish.py\", line 4, in <module>\n" +
		"    s3.put_object(Bucket=\"shop-site\", Key=\"bundle.zip\")\n" +
		"  File \"/usr/lib/python3.12/site-packages/botocore/client.py\", line 565, in _api_call\n" +
		"    return self._make_api_call(operation_name, kwargs)\n" +
		"botocore.exceptions.ClientError: An error occurred (AccessDenied) when calling the PutObject operation: " + ownPut,
	"xml": "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>AccessDenied</Code><Message>" + ownPut +
		"</Message><RequestId>TX000001</RequestId><HostId>h0001</HostId></Error>",
}

// places are where a claim may stand: before the output of a tool, behind it, or in its middle, as
// another process prints it.
var places = map[string]func(claim, output string) string{
	"before": func(claim, output string) string { return claim + "\n" + output },
	"behind": func(claim, output string) string { return strings.TrimSuffix(output, "\n") + "\n" + claim + "\n" },
	"middle": func(claim, output string) string {
		lines := strings.SplitAfter(strings.TrimSuffix(output, "\n")+"\n", "\n")
		half := (len(lines) - 1) / 2
		return strings.Join(lines[:half], "") + claim + "\n" + strings.Join(lines[half:], "")
	},
}

// crossedWrongly are the claims, places and runs that are granted or started again all the same, by
// why nothing tells the claim from the reason.
var crossedWrongly = map[string][]string{}

var (
	every = flag.Bool("every", false, "cross each failing run with every claim in every place; it takes some minutes")
	more  = flag.String("more", "", "with -every: a file with more runs, a JSON object a line with id, command, exit and output")
)

// TestCrossed ensures that a tool which failed of something else is not granted what AWS refused to
// another command of the same script, before it, behind it or in between, and not started again for
// it. Each run of a tool meets one claim in each place, so all are met in each kind.
func TestCrossed(t *testing.T) {
	names := slices.Sorted(maps.Keys(claims))
	_, runs := allRuns(t)
	runs = slices.DeleteFunc(append(runs, moreRuns(t)...), func(r *run) bool {
		_, d := r.read()
		return !strings.HasPrefix(r.denied, "nothing") || d.Remedy == diagnose.Grant || d.Remedy == diagnose.Retry
	})
	var wrong []string
	crossed := 0
	for n, r := range runs {
		for p, place := range slices.Sorted(maps.Keys(places)) {
			met := []string{names[(n+2*p)%len(names)]}
			if *every {
				met = names
			}
			for _, claim := range met {
				crossed++
				c := *r
				c.output = places[place](claims[claim], r.output)
				if _, d := c.read(); d.Remedy == diagnose.Grant || d.Remedy == diagnose.Retry {
					wrong = append(wrong, claim+" "+place+" "+r.name)
				}
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
		if *every && !slices.Contains(wrong, k) {
			t.Errorf("%s is right: take it out of crossedWrongly", k)
		}
	}
	if t.Logf("%d crossings, %d granted or started again", crossed, len(wrong)); crossed < 1000 {
		t.Errorf("%d crossings, want at least 1,000", crossed)
	}
}

// moreRuns reads the runs of the file that -more names.
func moreRuns(t *testing.T) (list []*run) {
	t.Helper()
	if *more == "" {
		return nil
	}
	text, err := os.ReadFile(*more)
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(text) {
		var r struct {
			ID, Command, Output string
			Exit                json.Number
		}
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatalf("%s: %v", *more, err)
		}
		list = append(list, &run{name: r.ID, denied: "nothing is", command: r.Command, exit: r.Exit.String(), output: r.Output})
	}
	return list
}
