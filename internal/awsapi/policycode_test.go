package awsapi

import (
	"errors"
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/settings"
	"github.com/buildmedic/buildmedic/internal/simaws"
)

const (
	codeToken = "github_pat_11SIMULATED0000000000_simulatedsimulated"
	codePath  = "aws/p.json"
)

// inCode are settings in which files of repositories own the policies of roles, one at GitHub and one
// in CodeCommit.
func inCode(t *testing.T, github string) *settings.Settings {
	t.Helper()
	s, err := settings.Parse([]byte("version: 1\n" + github + `
accounts: [{id: "444455556666", region: eu-west-1}]
projects:
  - {name: shop, role: shop, mode: heal, write: {code: {github: example/shop, path: aws/p.json}}, grants: [image]}
  - {name: site, role: site, mode: heal, write: {code: {codecommit: infra, path: aws/p.json, base: main}}, grants: [image]}
  - {name: site, role: site, account: "444455556666", region: eu-west-1, mode: heal,
     write: {code: {codecommit: infra, path: aws/p.json}}, grants: [image]}
grants: [{id: image, because: The image is pushed., owner: web, set: ecr-push,
  resources: ["arn:${partition}:ecr:${region}:${account}:repository/shop"]}]
`))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// changeFor is what a grant of the i-th project asks for.
func changeFor(s *settings.Settings, i int) (at settings.Account, c heal.PolicyChange) {
	p := s.Projects[i]
	at = home
	if p.Account != "" {
		at = settings.Account{ID: p.Account, Region: p.Region}
	}
	b := codebuild.Build{ID: p.Name + ":1", Project: p.Name,
		ARN: strings.Join([]string{"arn:aws:codebuild", at.Region, at.ID, "build/" + p.Name + ":1"}, ":")}
	g := s.Grants[0]
	return at, heal.PolicyChange{Code: p.Write.Code, Request: decide.RequestFor(s, p, p.Write.Code, g, b),
		Statements: []iampolicy.Statement{iampolicy.Allow("Image", []string{"ecr:PutImage"},
			[]string{"arn:aws:ecr:" + at.Region + ":" + at.ID + ":repository/shop"})},
		Tells: []decide.Outcome{{Settings: s, Home: home, Case: decide.Case{ID: "c1", Project: p.Name,
			Rounds: []decide.Round{{Build: b}}}}}}
}

// codeWorld is an account with a member, in each of which the function may do the actions in CodeCommit.
func codeWorld(t *testing.T, actions string) *simaws.Sim {
	t.Helper()
	s := world(t, `
enforce: true
secrets: {github: `+codeToken+`}
roles:
  - {name: buildmedic, inline: {own: '`+may("secretsmanager:GetSecretValue sts:AssumeRole "+actions)+`'}}
members:
  - account: "444455556666"
    region: eu-west-1
    roles:
      - name: buildmedic-member
        inline: {own: '`+may(actions)+`'}
        trust: '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},
          "Action":"sts:AssumeRole"}]}'
`)
	s.SetGitHub(simaws.GitHub{Token: codeToken, Permissions: []string{"contents", "pull_requests"}, Repositories: []string{"example/shop"}})
	s.Push("example/shop", "main", "first", map[string]*simaws.GitFile{"README": {Text: "x"}})
	s.PushCodeCommit("infra", "main", "first", map[string]*simaws.GitFile{"README": {Text: "x"}})
	return s
}

// wired is the function in the account.
func wired(sim *simaws.Sim, s *settings.Settings) *heal.Healer {
	return Wire(Wiring{Config: config(sim.URL(), simaws.FunctionKey, sim.Client()), Identity: Identity{Partition: "aws", Account: home.ID},
		Region: home.Region, Settings: s, MemberRole: "buildmedic-member", CodeHost: sim.CodeHost(sim.Client()), Clock: sim.Clock})
}

// TestPolicyCode: what a policy is to give is asked for where its file is: at GitHub with the secret's
// credentials, in CodeCommit as the function itself, and as the member's role in its account.
func TestPolicyCode(t *testing.T) {
	s := inCode(t, "code: {github: {secret: github}}")
	sim := codeWorld(t, "codecommit:*")
	h := wired(sim, s)
	const console = "https://console.aws.amazon.com/codesuite/codecommit/repositories/infra/pull-requests/"
	for i, want := range []struct{ number, url, as string }{
		{"101", "https://github.com/example/shop/pull/101", ""},
		{"7", console + "7/details?region=us-east-1", ":assumed-role/buildmedic/"},
		{"8", console + "8/details?region=eu-west-1", ":assumed-role/buildmedic-member/"},
	} {
		at, c := changeFor(s, i)
		before := len(sim.Calls())
		r, err := h.PolicyCode.Propose(t.Context(), at, c)
		asked := c.Request
		asked.State, asked.Number, asked.URL = decide.RequestOpened, want.number, want.url
		if err != nil || r != asked {
			t.Errorf("%d: %v\n got %+v\nwant %+v", i, err, r, asked)
		}
		for _, call := range sim.Calls()[before:] {
			if call.Service == "codecommit" && !strings.Contains(call.Principal, want.as) {
				t.Errorf("%d: %s by %s", i, call.Operation, call.Principal)
			}
		}
		asked.State = decide.RequestWaiting
		if again, err := h.PolicyCode.Propose(t.Context(), at, c); err != nil || again != asked {
			t.Errorf("%d, again: %+v, %v", i, again, err)
		}
	}
	pulls, all := sim.PullRequests(), sim.CodeCommitRequests()
	if len(pulls) != 1 || len(all) != 2 || pulls[0].Title != "Allow ecr:PutImage for the build shop" ||
		all[0].Title != "Allow ecr:PutImage for the build site" || !strings.Contains(all[1].Description, "In the new file `aws/p.json`") {
		t.Errorf("%+v\n%+v", pulls, all)
	}
	if h.CodeHost != h.PolicyCode.(PolicyCode).GitHub {
		t.Error("GitHub is asked by two who do not know of each other that it wants to be left alone")
	}
}

// TestPolicyCodeTrouble: what stands in the way is an error by which the healer knows what to do.
func TestPolicyCodeTrouble(t *testing.T) {
	s := inCode(t, "code: {github: {secret: github}}")
	s.Code.GitHub = nil
	sim := codeWorld(t, "codecommit:Get* codecommit:ListPullRequests")
	h := wired(sim, s)
	propose := func(i int) error {
		at, c := changeFor(s, i)
		_, err := h.PolicyCode.Propose(t.Context(), at, c)
		return err
	}
	var mend heal.FaultError
	if err := propose(0); !errors.As(err, &mend) || !strings.Contains(mend.Says, "add code: {github: {secret: NAME}}") {
		t.Errorf("without credentials for GitHub: %v", err)
	}
	for i := 1; i < 3; i++ {
		var denied heal.DeniedError
		if err := propose(i); !errors.As(err, &denied) || denied.Action != "codecommit:CreateBranch" {
			t.Errorf("%d, a call is denied: %v", i, err)
		}
	}
	for code, want := range map[string]error{"ThrottlingException": heal.ErrLater, "InvalidBranchNameException": heal.ErrFinal} {
		fault(sim, "GetBranch", simaws.Fault{Code: code, Status: 400, Message: "no"})
		if err := propose(1); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", code, err, want)
		}
		sim.Unhook()
	}
	h = wired(sim, s) // which has not assumed the member's role yet
	fault(sim, "AssumeRole", simaws.Fault{Code: "AccessDenied", Status: 403, Message: "User: arn:aws:sts::111122223333:assumed-role/" +
		"buildmedic/f is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::444455556666:role/buildmedic-member"})
	var denied heal.DeniedError
	if err := propose(2); !errors.As(err, &denied) || denied.Action != "sts:AssumeRole" || !strings.Contains(denied.Advice, "make member") {
		t.Errorf("no member role: %v", err)
	}
	if n := len(sim.CodeCommitRequests()) + len(sim.PullRequests()); n > 0 {
		t.Errorf("%d requests were opened", n)
	}
}
