package awsapi

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// Troubleshooter implements heal.Authorizations (AWS.md#authorization-ids). The SDK's module for the
// service is of the preview and not served everywhere yet, so its one call is made by hand.
type Troubleshooter struct{ Accounts *Accounts }

// Bounds of an answer.
const (
	maxAuthorizationPages = 5
	maxRecordPage         = 1 << 20 // bytes
	maxToken              = 8 << 10
)

// page is a page of the answer, as far as it is read. What it tells besides (addresses, user agents,
// ids of the organization) goes nowhere.
type page struct {
	RequestContext map[string]json.RawMessage
	Evaluations    []struct {
		Action, Resource, EvaluatedEffect string
		Checks                            []struct {
			CheckType, EvaluatedEffect, TargetArn string
			MatchedPolicies                       []struct {
				URI               string
				MatchedStatements []struct{ EvaluatedEffect string }
			}
		}
	}
	Policies []struct {
		Type, URI string
	}
	NextToken string
}

// Details implements [heal.Authorizations].
func (t Troubleshooter) Details(ctx context.Context, at settings.Account, of buildlog.Authorization) (guardrail.Authorization, error) {
	client, err := client(t.Accounts, settings.Account{ID: at.ID, Region: of.Region}, newToolbox)
	if err != nil {
		return guardrail.Authorization{}, err
	}
	var out guardrail.Authorization
	token := ""
	for n := range maxAuthorizationPages {
		p, err := client.details(ctx, of.ID, token)
		if err != nil {
			return guardrail.Authorization{}, classify(err)
		}
		if n == 0 {
			out.Principal, out.User = p.key("aws:PrincipalArn"), p.key("aws:userid")
		}
		out.Evaluations = append(out.Evaluations, p.evaluations()...)
		if token = p.NextToken; token == "" {
			return out, nil
		}
		if len(token) > maxToken {
			break
		}
	}
	out.Partial = true
	return out, nil
}

// key gives the one value of a condition key, "" if there is none or more than one.
func (p page) key(name string) (value string) {
	for k, raw := range p.RequestContext {
		if !strings.EqualFold(k, name) {
			continue
		}
		var one string
		var list []string
		if json.Unmarshal(raw, &one) != nil {
			if json.Unmarshal(raw, &list) != nil || len(list) != 1 {
				return ""
			}
			one = list[0]
		}
		if value != "" && one != value {
			return ""
		}
		value = one
	}
	return value
}

// kinds are the types of the policies by which a check fails of which there is one kind.
var kinds = map[string]string{"PERMISSIONS_BOUNDARY": "PERMISSIONS_BOUNDARY", "SESSION": "SESSION_POLICY",
	"VPC_ENDPOINT": "VPC_ENDPOINT_POLICY", "RESOURCE": "RESOURCE_BASED_POLICY"}

func (p page) evaluations() (list []guardrail.Evaluation) {
	for _, e := range p.Evaluations {
		x := guardrail.Evaluation{Action: e.Action, Resource: e.Resource, Effect: e.EvaluatedEffect}
		for _, c := range e.Checks {
			y := guardrail.Check{Type: c.CheckType, Effect: c.EvaluatedEffect, Target: c.TargetArn}
			for _, m := range c.MatchedPolicies { // that deny
				for _, st := range m.MatchedStatements {
					if st.EvaluatedEffect == "DENY" && !slices.Contains(y.Policies, m.URI) {
						y.Policies = append(y.Policies, m.URI)
					}
				}
			}
			for _, q := range p.Policies { // that do not allow
				if c.EvaluatedEffect == "IMPLICIT_DENY" && q.Type != "" && q.Type == kinds[c.CheckType] {
					y.Policies = append(y.Policies, q.URI)
				}
			}
			x.Checks = append(x.Checks, y)
		}
		list = append(list, x)
	}
	return list
}

// toolbox is the client of the service iam-toolbox in one region.
type toolbox struct{ byHand }

// newToolbox makes one as a service's NewFromConfig does. The name in its signatures is IAM's
// (AWS.md#authorization-ids).
func newToolbox(cfg aws.Config, _ ...func(*struct{})) *toolbox {
	return &toolbox{newByHand(cfg, handService{id: "IAM Toolbox", host: "iam-toolbox", signs: "iam"})}
}

func (b *toolbox) details(ctx context.Context, id, token string) (p page, err error) {
	path := "/authorization-details/" + url.PathEscape(id)
	if token != "" {
		path += "?nextToken=" + url.QueryEscape(token)
	}
	err = b.call(ctx, handCall{operation: "GetRequestAuthorizationDetails", method: http.MethodGet, path: path,
		most: maxRecordPage}, &p)
	return p, err
}

var _ heal.Authorizations = Troubleshooter{}
