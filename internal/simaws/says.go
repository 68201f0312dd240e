package simaws

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
)

// What a tool prints when AWS denies a call (AWS.md#denial-wrappers).

// errorCode is the code with which the action's service denies.
func errorCode(action string) string {
	service, _, _ := strings.Cut(action, ":")
	switch service {
	case "ec2":
		return "UnauthorizedOperation"
	case "sns":
		return "AuthorizationError"
	case "iam", "sts", "s3", "cloudformation", "cloudfront", "cloudwatch", "elasticloadbalancing", "autoscaling", "rds", "sqs":
		return "AccessDenied"
	}
	return "AccessDeniedException"
}

// The forms of a denial's message that a world may ask for.
const (
	formFull    = "full"    // as AWS writes it today
	formOld     = "old"     // no reason at the end
	formShort   = "short"   // neither principal nor resource
	formPlain   = "plain"   // "Access Denied"
	formEncoded = "encoded" // EC2's encoded authorization message
	formSilent  = "silent"  // nothing that says "denied"
)

var forms = []string{formFull, formOld, formShort, formPlain, formEncoded, formSilent}

// The tools whose way of printing an error is known.
const (
	toolCLI       = "aws-cli"
	toolDocker    = "docker"
	toolNode      = "sdk-js"
	toolGo1       = "sdk-go-v1"
	toolGo2       = "sdk-go-v2"
	toolJava      = "sdk-java"
	toolTerraform = "terraform"
)

var tools = []string{toolCLI, toolDocker, toolNode, toolGo1, toolGo2, toolJava, toolTerraform}

// refusal is a denied call of a step, to be printed.
type refusal struct {
	q         question
	d         denial
	form      string
	operation string // the API operation that was called
	service   string // of the operation, which may not be the action's
	requestID string
	also      []question // what else the request needs
}

// text is what the tool prints; says, if it is not empty, is its whole
// output with $USER, $ACTION, $RESOURCE, $OPERATION and $MESSAGE to be filled in.
func (b *build) text(tool, says string, r refusal) string {
	if r.form == formSilent {
		return silent(tool)
	}
	code, msg := b.words(r)
	if r.form == formFull {
		msg = b.sim().identified(msg, r.q, r.also)
	}
	switch {
	case says != "":
		return strings.NewReplacer("$USER", r.q.who.arn, "$ACTION", r.q.action, "$RESOURCE", r.q.resource,
			"$MESSAGE", msg, "$OPERATION", r.operation).Replace(says)
	case r.form == formShort:
		return code + ": " + msg
	}
	return wrapped(tool, code, msg, r)
}

// words are AWS's error code and message.
func (b *build) words(r refusal) (code, msg string) {
	code = errorCode(r.service + ":")
	msg = r.q.message(r.d)
	switch r.form {
	case formOld:
		return code, r.q.message(denial{})
	case formShort:
		return code, "User is not authorized to perform: " + r.q.action
	case formPlain:
		return "AccessDenied", "Access Denied"
	case formEncoded:
		return "UnauthorizedOperation", "You are not authorized to perform this operation. " + msg +
			". Encoded authorization failure message: " + b.encode(r)
	}
	return code, msg
}

func wrapped(tool, code, msg string, r refusal) string {
	switch tool {
	case toolCLI:
		return fmt.Sprintf("\nAn error occurred (%s) when calling the %s operation: %s", code, r.operation, msg)
	case toolDocker:
		return "denied: " + msg
	case toolGo1:
		return fmt.Sprintf("%s: %s\n\tstatus code: 403, request id: %s", code, msg, r.requestID)
	case toolGo2:
		return fmt.Sprintf("operation error %s: %s, https response error StatusCode: 403, RequestID: %s, api error %s: %s",
			strings.ToUpper(r.service), r.operation, r.requestID, code, msg)
	case toolJava:
		return fmt.Sprintf("%s (Service: %s; Status Code: 400; Error Code: %s; Request ID: %s; Proxy: null)", msg,
			r.service, code, r.requestID)
	case toolTerraform:
		return fmt.Sprintf("╷\n│ Error: operation error %s: %s, https response error StatusCode: 403, "+
			"RequestID: %s, api error %s: %s\n│ \n╵",
			strings.ToUpper(r.service), r.operation, r.requestID, code, msg)
	}
	return code + ": " + msg
}

// silent is docker's way of failing without a reason (AWS.md#denial-wrappers).
func silent(tool string) string {
	if tool != toolDocker {
		return ""
	}
	var b strings.Builder
	for i := 5; i > 0; i-- {
		fmt.Fprintf(&b, "5f70bf18a086: Retrying in %d seconds\n", i)
	}
	return b.String() + "EOF"
}

// encode makes an encoded authorization message, which STS can decode later.
func (b *build) encode(r refusal) string {
	s := b.sim()
	doc, err := json.Marshal(map[string]any{
		"allowed": false, "explicitDeny": r.d.explicit, "matchedStatements": map[string]any{"items": []any{}},
		"failures": map[string]any{"items": []any{}},
		"context": map[string]any{
			"principal": map[string]string{"id": s.uniqueID("AROA", r.q.who.role) + ":" + r.q.who.session, "arn": r.q.who.arn},
			"action":    r.q.action, "resource": r.q.resource, "conditions": map[string]any{"items": []any{}},
		},
	})
	if err != nil {
		panic("simaws: encoding an authorization message: " + err.Error()) // only strings in it
	}
	var raw []byte
	for i := range 8 {
		d := s.digest("encoded", string(doc), itoa(i))
		raw = append(raw, d[:]...)
	}
	text := base64.RawURLEncoding.EncodeToString(raw)
	s.encoded[text] = string(doc)
	return text
}

// operationOf is the API operation of an action, if nothing else is known.
func operationOf(action string) (service, operation string) {
	service, operation, _ = strings.Cut(action, ":")
	return service, operation
}
