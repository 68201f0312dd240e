package awsapi

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
)

// TestTrailShowsTheDenial ensures that CloudTrail confirms exactly the denial
// that it shows: a real one of one secret is no word for another.
func TestTrailShowsTheDenial(t *testing.T) {
	b := codebuild.Build{ID: "shop:u", ARN: "arn:aws:codebuild:eu-west-1:111122223333:build/shop:u", ServiceRole: "arn:aws:iam::111122223333:role/r"}
	const session = "arn:aws:sts::111122223333:assumed-role/r/AWSCodeBuild-u"
	good := record{Source: "secretsmanager.amazonaws.com", Name: "GetSecretValue", ErrorCode: "AccessDenied",
		ErrorMessage: "User: " + session + " is not authorized to perform: secretsmanager:GetSecretValue on resource: shop/a because no identity-based policy allows the secretsmanager:GetSecretValue action"}
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
	b := codebuild.Build{ID: "shop:u", ARN: "arn:aws:codebuild:eu-west-1:111122223333:build/shop:u", ServiceRole: "arn:aws:iam::111122223333:role/r"}
	trail := CloudTrail{NewAccounts(config(srv.URL, "x", srv.Client()), home, "aws", "")}
	seen, err := trail.Seen(t.Context(), b, buildlog.Denial{Action: "ecr:PutImage"})
	if err != nil || seen || asked != maxTrailPages {
		t.Errorf("seen %v, %v, asked %d times", seen, err, asked)
	}
}
