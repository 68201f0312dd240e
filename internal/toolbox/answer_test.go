package toolbox

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// An answer is a line of a run's program: which requests it is for, and what is said to them.
//
//	[once] NAME deny LAYER [action=…] [resource=…] [by=…] [code=…] [body=…]   refuse, as AWS words it
//	[once] NAME error STATUS CODE MESSAGE                                      any other error
//	[once] NAME bare STATUS                                                    a status without a body
//	[once] NAME ok [BODY]                                                      succeed, with a section of the file
//
// NAME is SERVICE:OPERATION, where * stands for anything; with a REST protocol without names it is
// SERVICE:METHOD/PATH. An option has %20 for a space. The first answer that fits is given. What
// none fits succeeds.
type answer struct {
	pattern string
	once    bool
	used    bool
	verb    string
	words   []string
	options map[string]string
}

func (a *answer) refuses() bool { return a.verb != "ok" }

func parseAnswers(text string) ([]*answer, error) {
	var list []*answer
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		a := &answer{options: map[string]string{}}
		if words[0] == "once" {
			a.once, words = true, words[1:]
		}
		if len(words) < 2 {
			return nil, fmt.Errorf("answer %q: want NAME VERB", line)
		}
		a.pattern, a.verb, a.words = words[0], words[1], words[2:]
		need := map[string]int{"deny": 1, "error": 2, "bare": 1, "ok": 0}
		n, known := need[a.verb]
		if !known || len(a.words) < n {
			return nil, fmt.Errorf("answer %q: unknown verb, or too few words", line)
		}
		if a.verb == "deny" {
			if _, ok := layers[a.words[0]]; !ok {
				return nil, fmt.Errorf("answer %q: there is no layer %q", line, a.words[0])
			}
			for _, o := range a.words[1:] {
				k, v, _ := strings.Cut(o, "=")
				a.options[k] = strings.ReplaceAll(v, "%20", " ")
			}
		}
		list = append(list, a)
	}
	return list, nil
}

// layers are the ends of AWS's sentence (AWS.md#denial-layers); %s is the action.
var layers = map[string]string{
	"identity":          " because no identity-based policy allows the %s action",
	"identity-explicit": " with an explicit deny in an identity-based policy",
	"identity-arn":      " with an explicit deny in an identity-based policy: arn:aws:iam::111122223333:policy/shop-guard",
	"boundary":          " because no permissions boundary allows the %s action",
	"boundary-explicit": " with an explicit deny in a permissions boundary",
	"boundary-arn":      " with an explicit deny in a permissions boundary: arn:aws:iam::111122223333:policy/shop-boundary",
	"scp":               " with an explicit deny in a service control policy",
	"scp-implicit":      " because no service control policy allows the %s action",
	"scp-arn": " with an explicit deny in a service control policy: " +
		"arn:aws:organizations::444455556666:policy/o-exampleorg1/service_control_policy/p-example1",
	"rcp":               " with an explicit deny in a resource control policy",
	"session":           " because no session policy allows the %s action",
	"session-explicit":  " with an explicit deny in a session policy",
	"vpce":              " because no VPC endpoint policy allows the %s action",
	"vpce-explicit":     " with an explicit deny in a VPC endpoint policy",
	"resource":          " because no resource-based policy allows the %s action",
	"resource-explicit": " with an explicit deny in a resource-based policy",
	"silent":            "", // the older sentence, which gives no reason; sts:AssumeRole still has it
	"plain":             "", // "Access Denied" alone
}

// encoded stands for EC2's encoded authorization message.
const encoded = "AQoDYXdzEJrtoolboxM2Zk8sQw0rT5yU7iOpAsDfGhJkLzXcVbN-qWeRtYuIoPaSdFgHjKlZxCvBnM1234567890abcdef" +
	"GhIjKlMnOpQrStUvWxYz0987654321zYxWvUtSrQpOnMlKjIhGfEdCbA-toolbox_0123456789abcdefghijklmnopqrstuv"

// response is what goes back over HTTP.
type response struct {
	status int
	header map[string]string
	body   string
}

// sentence is AWS's message for a refusal (AWS.md#denial-sentence).
func (q *request) sentence(a *answer) string {
	layer := a.words[0]
	if layer == "plain" {
		return "Access Denied"
	}
	action, resource := a.options["action"], a.options["resource"]
	if action == "" {
		action = q.action()
	}
	if resource == "" {
		resource = q.resource()
	}
	by := a.options["by"]
	if by == "" {
		by = session
	}
	text := "User: " + by + " is not authorized to perform: " + action
	switch {
	case resource == "" || resource == "-":
	case strings.HasPrefix(action, "s3:") && resource != "*":
		text += ` on resource: "` + resource + `"`
	default:
		text += " on resource: " + resource
	}
	end := layers[layer]
	if strings.Contains(end, "%s") {
		end = fmt.Sprintf(end, action)
	}
	text += end
	if q.protocol == protocolEC2 {
		text = "You are not authorized to perform this operation. " + text + ". Encoded authorization failure message: " + encoded
	}
	return text
}

// answer makes the response; a is nil if the program says nothing about the request.
func (q *request) answer(a *answer, bodies map[string]string) response {
	if a == nil {
		return q.success("")
	}
	switch a.verb {
	case "bare":
		status, err := strconv.Atoi(a.words[0])
		if err != nil {
			status = http.StatusForbidden
		}
		return response{status: status}
	case "error":
		status, err := strconv.Atoi(a.words[0])
		if err != nil {
			status = http.StatusBadRequest
		}
		return q.failure(status, a.words[1], strings.Join(a.words[2:], " "), a.options["body"])
	case "deny":
		code, status := q.deniedCode()
		if c := a.options["code"]; c != "" {
			code = c
		}
		return q.failure(status, code, q.sentence(a), a.options["body"])
	}
	if len(a.words) > 0 {
		body, ok := bodies["answers/"+a.words[0]]
		if !ok {
			return response{status: http.StatusNotImplemented, body: "toolbox: the file has no section answers/" + a.words[0]}
		}
		return q.success(strings.ReplaceAll(body, "{host}", q.http.Host))
	}
	return q.success("")
}
