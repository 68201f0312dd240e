package simaws_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/simaws"
)

// signed sends a request that is signed by the owner for a service, as far as the Sim looks.
func signed(t *testing.T, s *simaws.Sim, service, method, path, body string, header ...string) (int, string, http.Header) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.URL()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if service != "" {
		scope := simaws.OwnerKey + "/20261122/us-east-1/" + service + "/aws4_request"
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+scope+", Signature=x")
	}
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			r.Host = header[i+1]
		}
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := s.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	out, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(out), resp.Header
}

// TestInvoke ensures that a function of the account runs with what it is sent, may call the
// account meanwhile, and that its error is an answer.
func TestInvoke(t *testing.T) {
	s := world(t, "region: us-east-1")
	s.AddFunction("healer", func(_ context.Context, payload json.RawMessage) (json.RawMessage, error) {
		if strings.Contains(string(payload), "bad") {
			return nil, errors.New("it is bad")
		}
		s.Clock.Now() // which the Sim would not answer if it were locked
		return json.RawMessage(`{"got":` + string(payload) + `}`), nil
	})
	const at = "/2015-03-31/functions/"
	for _, tt := range []struct {
		path, body, kind string
		status           int
		want, failed     string
	}{
		{"healer", `{"a":1}`, "", 200, `{"got":{"a":1}}`, ""},
		{"arn%3Aaws%3Alambda%3Aus-east-1%3A111122223333%3Afunction%3Ahealer", `1`, "", 200, `{"got":1}`, ""},
		{"healer", "", "", 200, `{"got":{}}`, ""},
		{"healer", `"bad"`, "", 200, `"errorMessage":"it is bad"`, "Unhandled"},
		{"healer", `{`, "", 400, "Could not parse request body into json", ""},
		{"healer", `1`, "Event", 202, "", ""},
		{"healer", `1`, "DryRun", 204, "", ""},
		{"other", `1`, "", 404, "Function not found: arn:aws:lambda:us-east-1:111122223333:function:other", ""},
	} {
		status, body, header := signed(t, s, "lambda", "POST", at+tt.path+"/invocations", tt.body, "X-Amz-Invocation-Type", tt.kind)
		if status != tt.status || !strings.Contains(body, tt.want) || header.Get("X-Amz-Function-Error") != tt.failed {
			t.Errorf("%s %s %s: %d %s %v", tt.path, tt.body, tt.kind, status, body, header)
		}
	}
}

// TestStacks ensures that a stack shows its outputs, and that one which does not exist is AWS's
// error.
func TestStacks(t *testing.T) {
	s := world(t, "region: us-east-1")
	s.AddStack(simaws.Stack{Name: "Buildmedic", Outputs: []simaws.Output{{Key: "TableName", Value: "ledger", Description: "d"}}})
	const ask = "Action=DescribeStacks&Version=2010-05-15&StackName="
	status, body, _ := signed(t, s, "cloudformation", "POST", "/", ask+"Buildmedic")
	if status != 200 || !strings.Contains(body, "<OutputKey>TableName</OutputKey><OutputValue>ledger</OutputValue>") {
		t.Errorf("%d %s", status, body)
	}
	status, body, _ = signed(t, s, "cloudformation", "POST", "/", ask+"Other")
	if status != 400 || !strings.Contains(body, "<Code>ValidationError</Code><Message>Stack with id Other does not exist</Message>") {
		t.Errorf("%d %s", status, body)
	}
}

// TestTables ensures what a ledger does not need of DynamoDB and a person does.
func TestTables(t *testing.T) {
	s := world(t, "region: us-east-1")
	s.AddTable(simaws.Table{Name: "ledger", Partition: "pk", Sort: "sk", Index: "next", IndexPartition: "shard", IndexSort: "due"})
	call := func(operation, body string) (int, string) {
		t.Helper()
		status, out, _ := signed(t, s, "dynamodb", "POST", "/", body, "X-Amz-Target", "DynamoDB_20120810."+operation)
		return status, out
	}
	for _, tt := range []struct {
		operation, body string
		status          int
		want            string
	}{
		{"ListTables", `{}`, 200, `["ledger"]`},
		{"DescribeTable", `{"TableName":"ledger"}`, 200, `"DeletionProtectionEnabled":true`},
		{"DescribeTable", `{"TableName":"other"}`, 400, "ResourceNotFoundException"},
		{"PutItem", `{"TableName":"ledger","Item":{"pk":{"S":"a"},"sk":{"S":"item"},"n":{"N":"9007199254740993"}}}`, 200, "{}"},
		{"PutItem", `{"TableName":"ledger","Item":{"pk":{"S":"a"}}}`, 400, "ValidationException"},
		{"UpdateItem", `{"TableName":"ledger","Key":{"pk":{"S":"b"},"sk":{"S":"item"}},"UpdateExpression":"SET #a = :a REMOVE x",` +
			`"ExpressionAttributeNames":{"#a":"a"},"ExpressionAttributeValues":{":a":{"S":"A"}}}`, 200, "{}"},
		{"UpdateItem", `{"TableName":"ledger","Key":{"pk":{"S":"b"},"sk":{"S":"item"}},"UpdateExpression":"ADD a :a",` +
			`"ExpressionAttributeValues":{":a":{"N":"1"}}}`, 400, "incorrect data type"},
		{"UpdateItem", `{"TableName":"ledger","Key":{"pk":{"S":"a"},"sk":{"S":"item"}},"UpdateExpression":"ADD n :a",` +
			`"ConditionExpression":"n = :old AND (size(pk) = :a OR begins_with(pk, :b))","ExpressionAttributeValues":` +
			`{":a":{"N":"1"},":b":{"S":"x"},":old":{"N":"9007199254740993"}}}`, 200, "{}"},
		{"GetItem", `{"TableName":"ledger","Key":{"pk":{"S":"a"},"sk":{"S":"item"}}}`, 200, `"n":{"N":"9007199254740994"}`},
		{"PutItem", `{"TableName":"ledger","Item":{"pk":{"S":"a"},"sk":{"S":"item"}},"ConditionExpression":"n ~ 1"}`, 400,
			"Invalid expression: unexpected"},
		{"PutItem", `{"TableName":"ledger","Item":{"pk":{"S":"a"},"sk":{"S":"item"}},"ConditionExpression":"` +
			strings.Repeat("(", 5000) + `"}`, 400, "longer than 4 KB"},
		{"Scan", `{"TableName":"ledger","Limit":1}`, 200, `"LastEvaluatedKey":{"pk":{"S":"a"},"sk":{"S":"item"}}`},
		{"Scan", `{"TableName":"ledger","Select":"COUNT"}`, 200, `{"Count":2,"ScannedCount":2}`},
		{"Scan", `{"TableName":"ledger","ExclusiveStartKey":{"pk":{"S":"a"},"sk":{"S":"item"}}}`, 200, `"Count":1`},
		{"DeleteTable", `{"TableName":"ledger"}`, 400, "protected against deletion"},
		{"UpdateTable", `{"TableName":"ledger","DeletionProtectionEnabled":false}`, 200, `"DeletionProtectionEnabled":false`},
		{"DeleteTable", `{"TableName":"ledger"}`, 200, "TableDescription"},
		{"ListTables", `{}`, 200, `[]`},
	} {
		if status, out := call(tt.operation, tt.body); status != tt.status || !strings.Contains(out, tt.want) {
			t.Errorf("%s %.120s: %d %s", tt.operation, tt.body, status, out)
		}
	}
}

// TestStrangeRequests ensures that a page in a browser reaches nothing: neither by its own name
// that it made resolve to loopback, nor by ours; and that what the Sim does not know is an error in
// the protocol of the call.
func TestStrangeRequests(t *testing.T) {
	s, err := simaws.New(simaws.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	s.Handle("/aside", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "here") }))
	const query = "application/x-www-form-urlencoded"
	for _, tt := range []struct {
		service, path, body string
		header              []string
		status              int
		want                string
	}{
		{"sts", "/", "Action=GetCallerIdentity", nil, 200, ":root"},
		{"sts", "/", "Action=GetCallerIdentity", []string{"Host", "evil.example:80"}, 403, "answers only to 127.0.0.1:"},
		{"sts", "/", "Action=GetCallerIdentity", []string{"Origin", "https://evil.example"}, 403, "does not answer to web pages"},
		{"", "/aside", "", nil, 200, "here"},
		{"", "/aside", "", []string{"Sec-Fetch-Site", "cross-site"}, 403, "does not answer to web pages"},
		{"", "/aside", "", []string{"Host", "evil.example:80"}, 403, "answers only to"},
		{"", "/", "", nil, 403, "not signed by an AWS client"},
		{"glacier", "/", "", nil, 501, `"message":"the simulated AWS account has no service \"glacier\""`},
		{"kms", "/", "{}", []string{"X-Amz-Target", "TrentService.Encrypt"}, 501, `"__type":"UnknownOperationException"`},
		{"ec2", "/", "Action=RunInstances", []string{"Content-Type", query}, 501, "<Code>UnknownOperationException</Code>"},
		{"sts", "/", "Action=GetFederationToken", nil, 501,
			"<Code>InvalidAction</Code><Message>the simulated AWS account does not know"},
		{"codebuild", "/", "{}", []string{"X-Amz-Target", "CodeBuild_20161006.DeleteProject"}, 501, "codebuild.DeleteProject"},
		{"sqs", "/", "Action=ListQueues", []string{"Content-Type", query}, 501, "does not know sqs.ListQueues in the query protocol"},
		{"sts", "/", strings.Repeat("x", 8<<20+1), nil, 413, "more than 8 MB"},
	} {
		status, body, _ := signed(t, s, tt.service, "POST", tt.path, tt.body, tt.header...)
		if status != tt.status || !strings.Contains(body, tt.want) {
			t.Errorf("%s %s %v: %d %s", tt.service, tt.path, tt.header, status, body)
		}
	}
}

// TestLookAround ensures what a person looks at with the AWS CLI, and the function does not.
func TestLookAround(t *testing.T) {
	s := world(t, `
region: us-east-1
roles:
  - name: path/build
    inline: {logs: '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"logs:*","Resource":"*"}]}'}
buckets: [{name: site, objects: {index.html: x, img/a.png: x, img/b.png: x}}]
projects:
  - name: web
    role: build
    buildspecs: {buildspec.yml: {build: [{run: "echo one two", takes: 10m}]}}
`)
	id, err := s.Run(simaws.Start{Project: "web", Version: "refs/heads/main"})
	if err != nil {
		t.Fatal(err)
	}
	s.Clock.Advance(time.Minute)
	json := func(service, target, body string) string {
		t.Helper()
		_, out, _ := signed(t, s, service, "POST", "/", body, "X-Amz-Target", target)
		return out
	}
	get := func(path string) string {
		t.Helper()
		_, out, _ := signed(t, s, "s3", "GET", path, "")
		return out
	}
	form := func(service, action string) string {
		t.Helper()
		_, out, _ := signed(t, s, service, "POST", "/", "Action="+action)
		return out
	}
	for _, tt := range []struct{ name, got, want string }{
		{"roles", form("iam", "ListRoles"), "<Arn>arn:aws:iam::111122223333:role/path/build</Arn>"},
		{"topics", form("sns", "ListTopics"), "<TopicArn>arn:aws:sns:us-east-1:111122223333:buildmedic</TopicArn>"},
		{"buckets", get("/"), "<Bucket><Name>site</Name>"},
		{"objects", get("/site?list-type=2&delimiter=%2F&prefix="),
			"<CommonPrefixes><Prefix>img/</Prefix></CommonPrefixes><Contents><Key>index.html"},
		{"below", get("/site?list-type=2&delimiter=%2F&prefix=img%2F"), "<Contents><Key>img/a.png</Key>"},
		{"log groups", json("logs", "Logs_20140328.DescribeLogGroups", "{}"), `"logGroupName":"/aws/codebuild/web"`},
		{"log", json("logs", "Logs_20140328.FilterLogEvents", `{"logGroupName":"/aws/codebuild/web","filterPattern":"one"}`),
			"echo one two"},
		{"nothing", json("logs", "Logs_20140328.FilterLogEvents", `{"logGroupName":"/aws/codebuild/web","filterPattern":"three"}`),
			`"events":[]`},
		{"no log", json("logs", "Logs_20140328.FilterLogEvents", `{"logGroupName":"g"}`), "ResourceNotFoundException"},
		{"stop", json("codebuild", "CodeBuild_20161006.StopBuild", `{"id":"`+id+`"}`), `"buildStatus":"STOPPED"`},
		{"stop again", json("codebuild", "CodeBuild_20161006.StopBuild", `{"id":"`+id+`"}`), `"buildStatus":"STOPPED"`},
		{"stop nothing", json("codebuild", "CodeBuild_20161006.StopBuild", `{"id":"web:00000000-0000-0000-0000-000000000000"}`),
			"Build cannot be found"},
	} {
		if !strings.Contains(tt.got, tt.want) {
			t.Errorf("%s: %s", tt.name, tt.got)
		}
	}
}
