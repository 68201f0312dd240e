package awsapi

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/iamref"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// CloudTrail implements heal.Trail (AWS.md#cloudtrail).
type CloudTrail struct{ Accounts *Accounts }

// record is what the healer reads of a CloudTrail event.
type record struct {
	Source       string `json:"eventSource"` // "ecr.amazonaws.com"
	Name         string `json:"eventName"`
	ErrorCode    string `json:"errorCode"`
	ErrorMessage string `json:"errorMessage"`
	User         struct {
		ARN string `json:"arn"`
	} `json:"userIdentity"`
}

// denials are the error codes of a refused call.
var denials = []string{"AccessDenied", "AccessDeniedException", "Client.UnauthorizedOperation", "UnauthorizedOperation"}

// maxTrailPages bounds how far back a session's calls are looked at: 50 a
// page, newest first, two pages a second. A build may make as many as it likes.
const maxTrailPages = 10

// maxTrailSessions bounds the sessions whose calls are looked at: the build's own, and those of other roles,
// whose names come out of the log.
const maxTrailSessions = 3

// Seen implements [heal.Trail]. LookupEvents takes one attribute: the user
// name, which for a session is its name, for a build's AWSCodeBuild-UUID. So one look-up
// serves all denials of a session; it ends once each was seen. A denial with
// more than some hundred calls after it is not seen.
func (c CloudTrail) Seen(ctx context.Context, b codebuild.Build, ds []buildlog.Denial) ([]bool, error) {
	client, err := client(c.Accounts, settings.AccountOf(b.At()), cloudtrail.NewFromConfig)
	if err != nil {
		return nil, err
	}
	seen := make([]bool, len(ds))
	var asked []string
	for i, d := range ds {
		session := sessionOf(b, d)
		if seen[i] || session == "" || slices.Contains(asked, session) || len(asked) == maxTrailSessions {
			continue
		}
		asked = append(asked, session)
		if err := lookUp(ctx, client, b, session, ds, seen); err != nil {
			return nil, err
		}
	}
	return seen, nil
}

// sessionOf names the session whose denial it is: the one that the text names, if it names one of a role,
// else the build's.
func sessionOf(b codebuild.Build, d buildlog.Denial) string {
	if _, _, session := d.Owner(); session != "" && !buildlog.Masked(d.Principal) {
		return session
	}
	return b.Session()
}

// lookUp notes which denials the calls of a session show.
func lookUp(
	ctx context.Context, client *cloudtrail.Client, b codebuild.Build, session string, ds []buildlog.Denial, seen []bool,
) error {
	in := &cloudtrail.LookupEventsInput{
		LookupAttributes: []types.LookupAttribute{{AttributeKey: types.LookupAttributeKeyUsername,
			AttributeValue: aws.String(session)}},
		StartTime: aws.Time(b.Start.Add(-time.Minute)),
	}
	if session != b.Session() && !b.End.IsZero() { // the build's own has no calls after it
		in.EndTime = aws.Time(b.End.Add(time.Minute))
	}
	pages := cloudtrail.NewLookupEventsPaginator(client, in)
	unseen := func() bool {
		for i, d := range ds {
			if !seen[i] && sessionOf(b, d) == session {
				return true
			}
		}
		return false
	}
	for n := 0; n < maxTrailPages && pages.HasMorePages() && unseen(); n++ {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return classify(err)
		}
		for _, e := range page.Events {
			var r record
			if err := json.Unmarshal([]byte(aws.ToString(e.CloudTrailEvent)), &r); err != nil {
				continue
			}
			for i, d := range ds {
				seen[i] = seen[i] || sessionOf(b, d) == session && r.shows(b, d)
			}
		}
	}
	return nil
}

// shows reports whether the record is the denial: same session, same action,
// refused. The action is the event's own, or the one that its message names.
func (r record) shows(b codebuild.Build, d buildlog.Denial) bool {
	role, ok := b.Role()
	if !ok || !slices.Contains(denials, r.ErrorCode) {
		return false
	}
	want := "arn:" + role.Partition + ":sts::" + role.Account + ":assumed-role/" + role.Name + "/" + b.Session()
	if sessionOf(b, d) != b.Session() {
		want = d.Principal // of another role of the deployment; the guardrails say whether it counts
	}
	if r.User.ARN != want || !r.concerns(d.Resource) {
		return false
	}
	if strings.Contains(strings.ToLower(r.ErrorMessage), "to perform: "+strings.ToLower(d.Action)+" ") {
		return true
	}
	service, _, _ := strings.Cut(r.Source, ".")
	actions, ok := iamref.ForOperation(service, r.Name)
	return ok && slices.ContainsFunc(actions, func(a string) bool { return strings.EqualFold(a, d.Action) })
}

// concerns reports whether the record may be about the resource: where AWS's
// message names one, it must be that one.
func (r record) concerns(resource string) bool {
	for _, d := range buildlog.Denials(r.ErrorMessage) {
		if d.Resource != "" && d.Resource != resource {
			return false
		}
	}
	return true
}

var _ heal.Trail = CloudTrail{}
