package floor

import (
	_ "embed"
	"regexp"
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/iamref"
)

//go:embed reviewed.txt
var reviewedText string

// Names of actions that approve, delegate, run or hand on something, or send
// it to somebody who may act on it; and the beginnings of those that only read
// or take back.
var (
	power = regexp.MustCompile(`^(Approve|Assume|Converse|Delegate|Exec|Impersonate|Invoke|Pass[A-Z]|Prompt|Run[A-Z]|Send)` +
		`|Approv|Delegat|Impersonat|OneTimeLogin|(Put|Redrive|Resume|Retry|Start|Update)\w*Execution|Start\w*(Run|Workflow)` +
		`|(Create|Initiate|Put|Run|Send|Start)\w*(Command|Chat|AgentSession)|(Create|Exchange|Generate)\w*(Access|Account|Auth)Token`)
	harmless = regexp.MustCompile(`^(BatchDelete|BatchDisassociate|BatchGet|Cancel|Count|Delete|Deregister|Describe|Disable|` +
		`Disassociate|Get|List|Reject|Search|Stop|Terminate)`)
)

// wantsReview reports whether the name of an action says that it may be a
// power, and the floor leaves it to the settings alone.
func wantsReview(action string) bool {
	_, name, _ := strings.Cut(action, ":")
	h, _ := Of(action)
	_, isBound := bound[action]
	return h == Free && !isBound && power.MatchString(name) && !harmless.MatchString(name)
}

// reviewed gives the reason why each action of reviewed.txt is free.
func reviewed(t *testing.T) map[string]string {
	t.Helper()
	list, reason := map[string]string{}, ""
	for line := range strings.Lines(reviewedText) {
		line = strings.TrimSpace(line)
		if r, ok := strings.CutPrefix(line, "## "); ok {
			reason = r
			continue
		}
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		service, names, ok := strings.Cut(line, ": ")
		if !ok || reason == "" {
			t.Errorf("reviewed.txt: %q names no service, or stands under no reason", line)
		}
		for n := range strings.FieldsSeq(names) {
			if _, twice := list[service+":"+n]; twice {
				t.Errorf("reviewed.txt names %s:%s twice", service, n)
			}
			list[service+":"+n] = reason
		}
	}
	return list
}

// TestEveryPowerIsReviewed fails when a newer service reference brings an
// action that approves, delegates, runs or hands on something, until a person
// has decided what the floor is to make of it.
func TestEveryPowerIsReviewed(t *testing.T) {
	seen := reviewed(t)
	if len(seen) < 100 {
		t.Errorf("only %d actions are reviewed", len(seen))
	}
	for _, service := range iamref.Services() {
		for _, a := range iamref.Actions(service) {
			if seen[a.Name] == "" && wantsReview(a.Name) {
				t.Errorf("%s (%s) is new: does it run code, hand on an identity, or approve what somebody else does? "+
					"If so, name it in exactonly.txt, which allows it by exact name only. If not, name it in "+
					"reviewed.txt, under the reason", a.Name, a.Level)
			}
		}
	}
	for a := range seen {
		if ref, ok := iamref.Lookup(a); !ok || ref.Name != a || !wantsReview(a) {
			t.Errorf("reviewed.txt names %s for nothing: there is no such action, its name is not looked for, or the "+
				"floor has decided about it; remove it", a)
		}
	}
}

// TestPowers ensures that the review sees what it is for.
func TestPowers(t *testing.T) {
	for _, name := range []string{
		"UpdateApprovalAction", "SendMessage", "InvokeAgent", "PassRole", "RunTask", "ExecuteCommand", "StartExecution",
		"ApproveChange", "DelegateAccess", "RegisterDelegatedAdmin", "StartJobRun", "CreateOneTimeLoginSession", "PassThing",
	} {
		if !power.MatchString(name) || harmless.MatchString(name) {
			t.Errorf("a new action %s would go unnoticed", name)
		}
	}
	for _, name := range []string{
		"PutImage", "GetObject", "DeleteMessage", "CancelExecution", "PasswordReset", "Runtime", "ListApprovals",
	} {
		if power.MatchString(name) && !harmless.MatchString(name) {
			t.Errorf("%s is no power", name)
		}
	}
}
