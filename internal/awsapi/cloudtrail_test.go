package awsapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
)

// TestTrailShowsTheDenial ensures that CloudTrail confirms exactly the denial
// that it shows: a real one of one secret is no word for another.
func TestTrailShowsTheDenial(t *testing.T) {
	b := codebuild.Build{ID: "shop:u", ARN: "arn:aws:codebuild:eu-west-1:111122223333:build/shop:u",
		ServiceRole: "arn:aws:iam::111122223333:role/r"}
	const session = "arn:aws:sts::111122223333:assumed-role/r/AWSCodeBuild-u"
	good := record{Source: "secretsmanager.amazonaws.com", Name: "GetSecretValue", ErrorCode: "AccessDenied",
		ErrorMessage: "User: " + session +
			" is not authorized to perform: secretsmanager:GetSecretValue on resource: shop/a because no " +
			"identity-based policy allows the secretsmanager:GetSecretValue action"}
	good.User.ARN = session
	denial := buildlog.Denial{Action: "secretsmanager:GetSecretValue", Resource: "shop/a"}
	for _, row := range []struct {
		name   string
		change func(*record, *buildlog.Denial)
		want   bool
	}{
		{"as it is", func(*record, *buildlog.Denial) {}, true},
		{"another resource", func(_ *record, d *buildlog.Denial) { d.Resource = "shop/b" }, false},
		{"no resource claimed", func(_ *record, d *buildlog.Denial) { d.Resource = "" }, false},
		{"another action", func(_ *record, d *buildlog.Denial) { d.Action = "secretsmanager:PutSecretValue" }, false},
		{"another session", func(r *record, _ *buildlog.Denial) { r.User.ARN += "x" }, false},
		{"no error", func(r *record, _ *buildlog.Denial) { r.ErrorCode = "" }, false},
		{"another error", func(r *record, _ *buildlog.Denial) { r.ErrorCode = "ThrottlingException" }, false},
		{"no message, same operation", func(r *record, _ *buildlog.Denial) { r.ErrorMessage = "" }, true},
		{"no message, another operation", func(r *record, _ *buildlog.Denial) { r.ErrorMessage, r.Name = "", "DescribeSecret" }, false},
	} {
		r, d := good, denial
		row.change(&r, &d)
		if got := r.shows(b, d); got != row.want {
			t.Errorf("%s: %v", row.name, got)
		}
	}
}

// TestTrailOfOtherRoles: what another role was denied is looked up by its session's name, within the time of the
// build, and confirmed by a record of that very session alone. However many sessions a log names, few are looked up.
func TestTrailOfOtherRoles(t *testing.T) {
	b := codebuild.Build{ID: "shop:u", ARN: "arn:aws:codebuild:eu-west-1:111122223333:build/shop:u",
		ServiceRole: "arn:aws:iam::111122223333:role/r", Start: time.Unix(1000, 0), End: time.Unix(2000, 0)}
	const exec = "arn:aws:sts::111122223333:assumed-role/exec/"
	type question struct {
		LookupAttributes []struct{ AttributeValue string }
		StartTime        float64
		EndTime          float64
	}
	var asked []question
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var q question
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
			t.Error(err)
		}
		asked = append(asked, q)
		event, _ := json.Marshal(map[string]any{"eventSource": "sqs.amazonaws.com", "eventName": "CreateQueue", "errorCode": "AccessDenied",
			"userIdentity": map[string]any{"arn": exec + "AWSCloudFormation"}})
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		if err := json.NewEncoder(w).Encode(map[string]any{"Events": []any{map[string]any{"CloudTrailEvent": string(event)}}}); err != nil {
			t.Error(err)
		}
	}))
	defer srv.Close()
	trail := CloudTrail{NewAccounts(config(srv.URL, "x", srv.Client()), home, "aws", "")}
	of := func(who string) buildlog.Denial { return buildlog.Denial{Principal: who, Action: "sqs:CreateQueue"} }
	seen, err := trail.Seen(t.Context(), b, []buildlog.Denial{of(exec + "AWSCloudFormation"), of(""),
		of("arn:aws:sts::111122223333:assumed-role/task/AWSCloudFormation"), of(exec + "other")})
	if err != nil || !slices.Equal(seen, []bool{true, false, false, false}) {
		t.Errorf("seen %v, %v", seen, err)
	}
	want := []question{{EndTime: 2060}, {}, {EndTime: 2060}}
	for i, session := range []string{"AWSCloudFormation", "AWSCodeBuild-u", "other"} {
		if len(asked) != 3 || asked[i].LookupAttributes[0].AttributeValue != session || asked[i].StartTime != 940 ||
			asked[i].EndTime != want[i].EndTime {
			t.Fatalf("asked %+v", asked)
		}
	}
	asked = nil
	var many []buildlog.Denial
	for i := range 40 {
		many = append(many, of(fmt.Sprintf("%ss-%d", exec, i)))
	}
	if _, err := trail.Seen(t.Context(), b, many); err != nil || len(asked) != maxTrailSessions {
		t.Errorf("%d look-ups, %v", len(asked), err)
	}
}

// TestTrailOfATalkativeBuild: a build that never stops calling costs a bounded
// number of look-ups.
func TestTrailOfATalkativeBuild(t *testing.T) {
	asked := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked++
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		fmt.Fprintf(w, `{"Events":[],"NextToken":"page-%d"}`, min(asked, 3*maxTrailPages))
	}))
	defer srv.Close()
	b := codebuild.Build{ID: "shop:u", ARN: "arn:aws:codebuild:eu-west-1:111122223333:build/shop:u",
		ServiceRole: "arn:aws:iam::111122223333:role/r"}
	trail := CloudTrail{NewAccounts(config(srv.URL, "x", srv.Client()), home, "aws", "")}
	seen, err := trail.Seen(t.Context(), b, []buildlog.Denial{{Action: "ecr:PutImage"}, {Action: "ecr:BatchGetImage"}})
	if err != nil || !slices.Equal(seen, []bool{false, false}) || asked != maxTrailPages {
		t.Errorf("seen %v, %v, asked %d times", seen, err, asked)
	}
}

// TestTrailServesAllDenialsAtOnce: however many denials a build has, its
// calls are looked up once, page by page, until each denial was seen.
func TestTrailServesAllDenialsAtOnce(t *testing.T) {
	b := codebuild.Build{ID: "shop:u", ARN: "arn:aws:codebuild:eu-west-1:111122223333:build/shop:u",
		ServiceRole: "arn:aws:iam::111122223333:role/r"}
	const session = "arn:aws:sts::111122223333:assumed-role/r/AWSCodeBuild-u"
	refused := func(op string) map[string]any {
		return map[string]any{"eventSource": "ecr.amazonaws.com", "eventName": op, "errorCode": "AccessDenied",
			"userIdentity": map[string]any{"arn": session}}
	}
	pages := [][]map[string]any{{refused("PutImage"), refused("PutImage")}, {refused("BatchGetImage")}, {refused("InitiateLayerUpload")}}
	of := func(actions ...string) (ds []buildlog.Denial) {
		for _, a := range actions {
			ds = append(ds, buildlog.Denial{Action: a})
		}
		return ds
	}
	for _, row := range []struct {
		name  string
		ds    []buildlog.Denial
		want  []bool
		asked int
	}{
		{"none to look for", nil, []bool{}, 0},
		{"all on the first page", of("ecr:PutImage"), []bool{true}, 1},
		{"on two pages, the later first", of("ecr:BatchGetImage", "ecr:PutImage"), []bool{true, true}, 2},
		{"one of them nowhere", of("ecr:PutImage", "ecr:CompleteLayerUpload", "ecr:InitiateLayerUpload"), []bool{true, false, true}, 3},
		{"the same twice", of("ecr:PutImage", "ecr:PutImage"), []bool{true, true}, 1},
	} {
		asked := 0
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			out := map[string]any{}
			var events []map[string]any
			for _, e := range pages[min(asked, len(pages)-1)] {
				text, err := json.Marshal(e)
				if err != nil {
					t.Error(err)
				}
				events = append(events, map[string]any{"CloudTrailEvent": string(text)})
			}
			if asked++; asked < len(pages) {
				out["NextToken"] = fmt.Sprint("page-", asked)
			}
			out["Events"] = events
			w.Header().Set("Content-Type", "application/x-amz-json-1.1")
			if err := json.NewEncoder(w).Encode(out); err != nil {
				t.Error(err)
			}
		}))
		trail := CloudTrail{NewAccounts(config(srv.URL, "x", srv.Client()), home, "aws", "")}
		seen, err := trail.Seen(t.Context(), b, row.ds)
		srv.Close()
		if err != nil || !slices.Equal(seen, row.want) || asked != row.asked {
			t.Errorf("%s: seen %v, %v, asked %d times, want %v and %d", row.name, seen, err, asked, row.want, row.asked)
		}
	}
}
