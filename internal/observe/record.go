package observe

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/iamref"
)

// record is what is read of a CloudTrail record.
type record struct {
	Source    string `json:"eventSource"` // "ecr.amazonaws.com"
	Name      string `json:"eventName"`
	ErrorCode string `json:"errorCode"`
	User      struct {
		ARN string `json:"arn"`
	} `json:"userIdentity"`
	Resources []struct {
		ARN string `json:"ARN"`
	} `json:"resources"`
	Parameters map[string]any `json:"requestParameters"`
}

// Denials are the error codes of a call that was refused; with any other, it was allowed and failed.
var denials = []string{"AccessDenied", "AccessDeniedException", "Client.UnauthorizedOperation", "UnauthorizedOperation"}

// AddRecord adds a record that CloudTrail has of a build, and reports whether it is one of the build's
// own role and session. What was refused was not used. Where the event may need one of several
// actions, all of them count; where it needs none that is known, its service is unread.
func (p *Project) AddRecord(b codebuild.Build, text string) bool {
	var r record
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		return false
	}
	role, ok := b.Role()
	if !ok || r.User.ARN != "arn:"+role.Partition+":sts::"+role.Account+":assumed-role/"+role.Name+"/"+b.Session() {
		return false
	}
	if slices.Contains(denials, r.ErrorCode) {
		return true
	}
	service, _, _ := strings.Cut(r.Source, ".")
	actions, certain := iamref.ForOperation(service, r.Name)
	if !certain {
		p.unread(service, actions)
	}
	for _, a := range actions {
		for _, res := range r.on(a, certain) {
			p.Use(Use{a, res})
		}
	}
	return true
}

// unread notes that it is not known what an event of a service needs.
func (p *Project) unread(service string, candidates []string) {
	if len(candidates) > 0 || len(service) > 100 {
		return
	}
	if !slices.Contains(p.Unread, service) {
		p.Unread = append(p.Unread, service)
	}
}

// on are the resources that a call was about; "" alone if they are not certain.
func (r record) on(action string, certain bool) (list []string) {
	a, ok := iamref.Lookup(action)
	if !ok || !certain || len(a.Resources) != 1 {
		return []string{""} // of several types, the event may name some only
	}
	for _, res := range r.Resources {
		if iamref.Fits(action, res.ARN) && !slices.Contains(list, res.ARN) {
			list = append(list, res.ARN)
		}
	}
	if len(list) == 0 {
		list = r.named(action)
	}
	if len(list) == 0 {
		return []string{""}
	}
	return list
}

// named is the one ARN among the parameters of a call, if none of them may name more.
func (r record) named(action string) (list []string) {
	for _, k := range slices.Sorted(maps.Keys(r.Parameters)) {
		switch v := r.Parameters[k].(type) {
		case string:
			if iamref.Fits(action, v) {
				list = append(list, v)
			}
		case []any, map[string]any:
			return nil
		}
	}
	if len(list) > 1 {
		return nil
	}
	return list
}

// AddGenerated adds the actions of a policy that Access Analyzer generated for the project's role.
func (p *Project) AddGenerated(document string) error {
	d, err := iampolicy.ParseLoose([]byte(document))
	if err != nil {
		return fmt.Errorf("reading the generated policy: %w", err)
	}
	for _, st := range d.Statements {
		for _, name := range st.Action.List {
			if a, ok := iamref.Lookup(name); ok && st.Effect == "Allow" && !slices.Contains(p.Analyzed, a.Name) {
				p.Analyzed = append(p.Analyzed, a.Name)
			}
		}
	}
	return nil
}
