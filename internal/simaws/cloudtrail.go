package simaws

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// trailEvent is a CloudTrail management event.
type trailEvent struct {
	id       string
	role     string // of the caller
	action   string
	at       time.Time
	name     string // operation
	source   string // ecr.amazonaws.com
	username string
	record   string // JSON
}

// trailDelay is how long CloudTrail takes to show an event: about five
// minutes (AWS.md#cloudtrail).
const trailDelay = 5 * time.Minute

// dataEvent reports whether LookupEvents never shows the action
// (AWS.md#cloudtrail).
func dataEvent(action string) bool {
	switch action {
	case "s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket", "lambda:InvokeFunction", "logs:PutLogEvents":
		return true
	}
	return strings.HasPrefix(action, "dynamodb:")
}

// witness has CloudTrail record a call; code is "" if it was allowed.
func (e *estate) witness(q question, code, message string) {
	who := q.who
	if dataEvent(q.action) {
		return
	}
	s := e.sim
	service, op := operationOf(q.action)
	if code == "UnauthorizedOperation" {
		code = "Client." + code
	}
	ev := trailEvent{id: s.uuid("trail"), role: who.role, action: q.action, at: s.now, name: op, source: service + ".amazonaws.com",
		username: who.session}
	record := map[string]any{
		"eventVersion": "1.11", "userIdentity": who.identity(), "eventTime": s.now.Format(time.RFC3339), "eventSource": ev.source,
		"eventName": op, "awsRegion": e.region, "eventID": ev.id, "eventType": "AwsApiCall", "managementEvent": true,
		"recipientAccountId": e.acct.id,
	}
	if service == "ecr" && q.resource != "*" { // as ECR's events have it; others name what they are about otherwise
		record["resources"] = []any{map[string]any{"ARN": q.resource, "accountId": e.acct.id}}
	}
	if code != "" {
		record["errorCode"], record["errorMessage"] = code, message
	}
	text, err := json.Marshal(record)
	if err != nil {
		panic("simaws: encoding a CloudTrail record: " + err.Error()) // only plain values in it
	}
	ev.record = string(text)
	e.trail = append(e.trail, ev)
}

func (c caller) identity() map[string]any {
	id := map[string]any{"arn": c.arn, "accountId": c.acct.id}
	r, ok := c.acct.role(c.role)
	if !ok {
		id["type"] = "IAMUser"
		return id
	}
	id["type"], id["principalId"] = "AssumedRole", r.id+":"+c.session
	id["sessionContext"] = map[string]any{"sessionIssuer": map[string]any{
		"type": "Role", "principalId": r.id, "arn": r.arn(), "accountId": c.acct.id, "userName": r.name}}
	return id
}

var trailOperations = map[string]operation{"LookupEvents": jsonCall(false, lookupEvents)}

type lookupEventsInput struct {
	LookupAttributes []struct{ AttributeKey, AttributeValue string }
	StartTime        *float64
	EndTime          *float64
	MaxResults       int
	NextToken        string
}

type trailEventOut struct {
	EventId         string
	EventName       string
	EventTime       epoch
	EventSource     string
	Username        string
	CloudTrailEvent string
}

// lookupEvents finds events by one attribute, newest first, 50 a page.
func lookupEvents(r *request, in *lookupEventsInput) (any, error) {
	if err := r.authorize("cloudtrail:LookupEvents", "*", nil); err != nil {
		return nil, err
	}
	if len(in.LookupAttributes) > 1 {
		return nil, fail("InvalidLookupAttributesException", "You can only specify one lookup attribute.")
	}
	def(&in.MaxResults, 50)
	if in.MaxResults < 1 || in.MaxResults > 50 {
		return nil, fail("InvalidMaxResultsException",
			"A max results value of "+itoa(in.MaxResults)+" is invalid. Specify a value between 1 and 50.")
	}
	list, err := r.est.lookup(in)
	if err != nil {
		return nil, err
	}
	from := 0
	if in.NextToken != "" {
		if _, err := fmt.Sscanf(in.NextToken, "page-%d", &from); err != nil || from > len(list) {
			return nil, fail("InvalidNextTokenException", "The token is invalid.")
		}
	}
	to := min(from+in.MaxResults, len(list))
	out := map[string]any{"Events": append([]trailEventOut{}, list[from:to]...)}
	if to < len(list) {
		out["NextToken"] = fmt.Sprintf("page-%d", to)
	}
	return out, nil
}

func (e *estate) lookup(in *lookupEventsInput) ([]trailEventOut, error) {
	out := []trailEventOut{}
	for _, ev := range slices.Backward(e.trail) {
		t := float64(ev.at.UnixMilli()) / 1000
		if ev.at.Add(trailDelay).After(e.sim.now) || in.StartTime != nil && t < *in.StartTime || in.EndTime != nil && t > *in.EndTime {
			continue
		}
		ok := true
		for _, a := range in.LookupAttributes {
			v, known := map[string]string{"Username": ev.username, "EventName": ev.name, "EventSource": ev.source,
				"EventId": ev.id}[a.AttributeKey]
			if !known {
				return nil, fail("InvalidLookupAttributesException", "Lookup attribute "+a.AttributeKey+" is not simulated")
			}
			ok = v == a.AttributeValue
		}
		if ok {
			out = append(out, trailEventOut{ev.id, ev.name, epoch(ev.at), ev.source, ev.username, ev.record})
		}
	}
	return out, nil
}
