package permissions_test

import (
	"errors"
	"maps"
	"os"
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/awsapi"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/iamref"
	"github.com/buildmedic/buildmedic/internal/permissions"
	"github.com/buildmedic/buildmedic/internal/settings"
	"github.com/buildmedic/buildmedic/internal/simaws"
	"github.com/buildmedic/buildmedic/internal/story"
)

// The templates of infra/testdata/code.yaml: projects whose roles' policies are owned by files, at
// GitHub, in CodeCommit, and in CodeCommit of a member.
const (
	inCode       = "template.code.json"
	inCodeMember = "template.code-member.json"
)

// fileRole is a role of a template.
type fileRole struct{ file, role string }

// inCodeRoles are the function's roles of these templates.
var inCodeRoles = []fileRole{{inCode, "buildmedic-hub-" + region}, {inCodeMember, permissions.MemberRole}}

// allRoles are the function's roles in the templates of all its ways to work.
var allRoles = append([]fileRole{{seed, "buildmedic-hub-" + region}, {member, permissions.MemberRole}}, inCodeRoles...)

// TestCodeRolesWriteNoIAM: by the synthesized templates, neither the function nor what it acts as in a
// member may do anything in IAM but read, and ready-made policies to attach there are none.
func TestCodeRolesWriteNoIAM(t *testing.T) {
	for _, r := range inCodeRoles {
		tpl := load(t, r.file)
		_, docs := tpl.role(t, r.role)
		reads := 0
		for _, st := range statements(docs) {
			for _, pattern := range st.Action.List {
				if st.Effect != "Allow" || !strings.HasPrefix(pattern, "iam:") {
					continue
				}
				actions := iamref.Expand(pattern)
				if len(actions) != 1 {
					t.Errorf("%s: %s: %s is %d actions", r.file, st.Sid, pattern, len(actions))
				}
				for _, a := range actions {
					if action, _ := iamref.Lookup(a); action.Level != iamref.Read && action.Level != iamref.List {
						t.Errorf("%s: %s allows %s, which is %q", r.file, st.Sid, a, action.Level)
					}
					reads++
				}
			}
		}
		if reads == 0 {
			t.Errorf("%s: it does not even read roles", r.file)
		}
		for id, p := range tpl.of("AWS::IAM::ManagedPolicy") {
			if p.Properties["Roles"] == nil {
				t.Errorf("%s: %s is there to be attached", r.file, id)
			}
		}
	}
}

// readsCode, asksInCode and writesCode are the calls in CodeCommit.
const (
	readsCode = "codecommit:GetBranch codecommit:GetCommit codecommit:GetDifferences codecommit:GetFile codecommit:GetMergeOptions " +
		"codecommit:GetPullRequest codecommit:ListPullRequests"
	asksInCode = "codecommit:CreatePullRequest codecommit:UpdatePullRequestDescription codecommit:UpdatePullRequestTitle"
	writesCode = "codecommit:CreateBranch codecommit:CreateCommit codecommit:MergeBranchesByFastForward"
)

// TestCodeRoles: the function writes its own branches of the repositories that the settings name, and
// does nothing else to them or to any other.
func TestCodeRoles(t *testing.T) {
	site, worker := here("codecommit", "site"), "arn:aws:codecommit:eu-west-1:"+other+":worker"
	on := func(branch string) conditions { return conditions{"codecommit:References": {"refs/heads/" + branch}} }
	own := on(decide.RequestBranch("site", "image"))
	all := strings.Join([]string{readsCode, asksInCode, writesCode}, " ")
	for _, row := range []struct {
		role    int // of inCodeRoles
		allowed bool
		calls
	}{
		{0, true, calls{site, own, all}},
		{0, false, calls{site, own, "codecommit:GetRepository"}}, // the settings name the base
		{0, true, calls{here("secretsmanager", "secret:buildmedic/github-a1B2c3"), nil, "secretsmanager:GetSecretValue"}},
		{1, true, calls{worker, own, all + " codecommit:GetRepository"}},
		{1, false, calls{here("secretsmanager", "secret:buildmedic/github-a1B2c3"), nil, "secretsmanager:GetSecretValue"}},
		{0, false, calls{site, on("main"), writesCode}},
		{0, false, calls{site, on("buildmedic"), writesCode}},
		{0, false, calls{site, on("feature/buildmedic/x"), writesCode}},
		{0, false, calls{site, conditions{"codecommit:References": {}}, writesCode}}, // of a request that names no branch
		{0, false, calls{site, own, "codecommit:DeleteBranch codecommit:PutFile codecommit:DeleteFile codecommit:GitPush " +
			"codecommit:GitPull codecommit:MergePullRequestByFastForward codecommit:MergePullRequestBySquash " +
			"codecommit:MergePullRequestByThreeWay codecommit:MergeBranchesBySquash codecommit:MergeBranchesByThreeWay " +
			"codecommit:UpdateDefaultBranch codecommit:UpdatePullRequestStatus codecommit:UpdatePullRequestApprovalState " +
			"codecommit:OverridePullRequestApprovalRules codecommit:DeletePullRequestApprovalRule " +
			"codecommit:PutRepositoryTriggers codecommit:DeleteRepository"}},
		{0, false, calls{here("codecommit", "site-2"), own, all}},
		{0, false, calls{here("codecommit", "shop"), own, all}}, // the name of one at GitHub
		{0, false, calls{worker, own, all}},
		{0, false, calls{strings.Replace(site, region, "eu-west-1", 1), own, all}},
		{1, false, calls{site, own, all}},
		{1, false, calls{strings.Replace(worker, "eu-west-1", "us-east-1", 1), own, all}},
	} {
		_, docs := load(t, inCodeRoles[row.role].file).role(t, inCodeRoles[row.role].role)
		for q := range row.each {
			if _, ok := iamref.Lookup(q.Action); !ok {
				t.Errorf("IAM knows no %s", q.Action)
			}
			v, _ := iampolicy.Evaluate(iampolicy.Access{Policies: docs}, q)
			if (v == iampolicy.Allowed) != row.allowed || v == iampolicy.Unknown {
				t.Errorf("%s: %s on %s %v is %v", inCodeRoles[row.role].role, q.Action, q.Resource, q.Context, v)
			}
		}
	}
}

// asker is a function that may do what the settings of [inCode] give it, in accounts that enforce that.
type asker struct {
	*testing.T
	sim      *simaws.Sim
	settings *settings.Settings
	healer   *heal.Healer
}

func newAsker(t *testing.T) *asker {
	t.Helper()
	file, err := os.ReadFile("../../infra/testdata/code.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const token = "github_pat_11SIMULATED0000000000_simulatedsimulated"
	s, _ := enforced(t, story.Story{Settings: file, World: []byte(`
account: "` + account + `"
region: ` + region + `
secrets: {buildmedic/github: ` + token + `}
members: [{account: "` + other + `", region: eu-west-1}]
`)})
	a := &asker{T: t}
	if a.settings, err = settings.Parse(file); err != nil {
		t.Fatal(err)
	}
	if a.sim, err = simaws.Load(s.World); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.sim.Close)
	a.sim.SetGitHub(simaws.GitHub{Token: token, Permissions: []string{"contents", "pull_requests"}, Repositories: []string{"example/shop"}})
	a.sim.Push("example/shop", "main", "first", map[string]*simaws.GitFile{"README": {Text: "x"}})
	for _, name := range []string{"site", "worker"} {
		a.sim.PushCodeCommit(name, "main", "first", map[string]*simaws.GitFile{"README": {Text: "x"}})
	}
	a.healer = awsapi.Wire(awsapi.Wiring{Config: story.Config(a.sim, simaws.FunctionKey), Region: region,
		Identity: awsapi.Identity{Partition: partition, Account: account}, Settings: a.settings, MemberRole: permissions.MemberRole,
		CodeHost: a.sim.CodeHost(a.sim.Client()), Clock: a.sim.Clock})
	return a
}

// ask asks for so many actions of the i-th project's grant.
func (a *asker) ask(i, actions int) (decide.Request, error) {
	p, g := a.settings.Projects[i], a.settings.Grants[0]
	at := settings.Account{ID: account, Region: region}
	if p.Account != "" {
		at = settings.Account{ID: p.Account, Region: p.Region}
	}
	b := codebuild.Build{ID: p.Name + ":1", Project: p.Name,
		ARN: strings.Join([]string{"arn:aws:codebuild", at.Region, at.ID, "build/" + p.Name + ":1"}, ":")}
	var sts []iampolicy.Statement
	for _, action := range []string{"ecr:PutImage", "ecr:BatchGetImage"}[:actions] {
		sts = append(sts, iampolicy.Allow("Image", []string{action}, []string{"arn:aws:ecr:" + at.Region + ":" + at.ID +
			":repository/" + p.Name}))
	}
	return a.healer.PolicyCode.Propose(a.Context(), at, heal.PolicyChange{Code: p.Write.Code,
		Request: decide.RequestFor(a.settings, p, p.Write.Code, g, b), Statements: sts,
		Tells: []decide.Outcome{{Settings: a.settings, Case: decide.Case{ID: "c1", Project: p.Name, Rounds: []decide.Round{{Build: b}}}}}})
}

// TestAsksWithOwnPermissions: with what the settings give it, the function opens requests, brings them
// up to date and finishes what was cut short; and all of that is needed.
func TestAsksWithOwnPermissions(t *testing.T) {
	a := newAsker(t)
	if r, err := a.ask(0, 1); err != nil || r.State != decide.RequestOpened {
		t.Errorf("at GitHub: %+v, %v", r, err)
	}
	for i, p := range a.settings.Projects[1:] {
		a.sim.Hook(func(c simaws.Call) simaws.Fault {
			if c.Operation == "CreateCommit" && !c.Done {
				return simaws.Fault{Code: "NameLengthExceededException"}
			}
			return simaws.Fault{}
		})
		if _, err := a.ask(i+1, 1); !errors.Is(err, heal.ErrFinal) {
			t.Errorf("%s: cut short: %v", p.Name, err)
		}
		a.sim.Unhook()
		a.sim.PushCodeCommit(p.Name, "main", "meanwhile", map[string]*simaws.GitFile{"README": {Text: "y"}})
		for n, want := range []decide.RequestState{decide.RequestOpened, decide.RequestUpdated} {
			if r, err := a.ask(i+1, n+1); err != nil || r.State != want {
				t.Errorf("%s: %+v, %v; want %s", p.Name, r, err, want)
			}
		}
	}
	for _, r := range inCodeRoles {
		allowed, used := map[string]bool{}, map[string]bool{}
		_, docs := load(t, r.file).role(t, r.role)
		for _, st := range statements(docs) {
			for _, action := range st.Action.List {
				if strings.HasPrefix(action, "codecommit:") {
					allowed[action] = true
				}
			}
		}
		for _, c := range a.sim.Calls() {
			if c.Service == "codecommit" && strings.Contains(c.Principal, ":assumed-role/"+r.role+"/") {
				used["codecommit:"+c.Operation] = true
			}
		}
		if len(used) == 0 || !maps.Equal(allowed, used) {
			t.Errorf("%s is allowed %v\nand uses %v", r.role, allowed, used)
		}
	}
}
