package heal_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/settings"
	"github.com/buildmedic/buildmedic/internal/simaws"
)

// rewrite changes the only item of a kind that has the id, or of any where id is "".
func (s *stage) rewrite(kind, id string, change func(map[string]any)) (was map[string]any) {
	s.t.Helper()
	it, err := s.Store.Get(s.t.Context(), kind, id)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := json.Unmarshal(it.Data, &was); err != nil {
		s.t.Fatal(err)
	}
	change(was)
	if it.Data, err = json.Marshal(was); err != nil {
		s.t.Fatal(err)
	}
	if _, err := s.Store.Put(s.t.Context(), it); err != nil {
		s.t.Fatal(err)
	}
	return was
}

// twin gives the case another one that is like it, and waits for the same request.
func (s *stage) twin(c decide.Case, id string) {
	s.t.Helper()
	branch := ""
	for _, r := range c.Rounds {
		branch = r.Requests[0].Branch
	}
	it, err := s.Store.Get(s.t.Context(), "case", c.ID)
	if err != nil {
		s.t.Fatal(err)
	}
	it.Data = []byte(strings.ReplaceAll(string(it.Data), c.ID, id))
	it.ID, it.Version = id, 0
	if _, err := s.Store.Put(s.t.Context(), it); err != nil {
		s.t.Fatal(err)
	}
	s.rewrite("request", branch, func(m map[string]any) { m["cases"] = []string{c.ID, id} })
}

// TestPermanentWithoutProof: where the ledger no longer keeps what was to be proved, nothing is taken out
// that the role has from nowhere else.
func TestPermanentWithoutProof(t *testing.T) {
	s, r := bridged(t, shop(1, ""), shopSettings(1, ""))
	id := s.start("p0")
	s.drain()
	c := s.of(id)
	s.rewrite("case", c.ID, func(m map[string]any) {
		delete(m["rounds"].([]any)[0].(map[string]any)["decision"].(map[string]any)["plan"].(map[string]any), "proof")
	})
	r.merge()
	s.sweep(20 * time.Minute)
	if !strings.Contains(s.inline("role-0"), "s3:PutObject") {
		t.Fatalf("merged and not deployed, and the policy is %q", s.inline("role-0"))
	}
	s.deploy(r, "role-0")
	s.sweep(20 * time.Minute)
	if s.inline("role-0") != "" {
		t.Errorf("deployed, and the policy is %s", s.inline("role-0"))
	}
}

// TestPermanentInPart: a policy of somebody's that allows what was denied, and not all that was given, is
// not what was merged.
func TestPermanentInPart(t *testing.T) {
	s, r := bridged(t, shop(1, ""), strings.Replace(shopSettings(1, ""), `actions: ["s3:PutObject"]`,
		`give: set, actions: ["s3:PutObject", "s3:AbortMultipartUpload"]`, 1))
	s.start("p0")
	s.drain()
	r.merge()
	if err := s.Sim.PutRolePolicy("role-0", "by-hand", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow",`+
		`"Action":"s3:PutObject","Resource":"arn:aws:s3:::dist/x"}]}`); err != nil {
		t.Fatal(err)
	}
	for range 12 {
		s.sweep(20 * time.Minute)
	}
	if !strings.Contains(s.inline("role-0"), "s3:PutObject") || s.saying("deploy the file") != 1 {
		t.Errorf("the policy is %q, told %d times", s.inline("role-0"), s.saying("deploy the file"))
	}
}

// TestPermanentOfTwoRounds: what each of two rounds gave is asked for at once, and taken out.
func TestPermanentOfTwoRounds(t *testing.T) {
	s, r := bridged(t, strings.Replace(shop(1, ""), "aws s3 cp x s3://dist/x]", "aws s3 cp x s3://dist/x, aws s3 cp y s3://dist/y]", 1),
		shopSettings(1, ""))
	id := s.start("p0")
	s.drain()
	r.merge()
	s.deploy(r, "role-0")
	s.sweep(20 * time.Minute)
	if c := s.of(id); len(c.Rounds) != 2 || len(r.file) != 2 || s.inline("role-0") != "" {
		t.Errorf("%d rounds; the code has %v, and the policy is %s", len(c.Rounds), r.file, s.inline("role-0"))
	}
}

// TestPermanentOfManyTold: what is to be told of several changes that wait for one request is told once.
func TestPermanentOfManyTold(t *testing.T) {
	s, r := bridged(t, shop(1, ""), shopSettings(1, ""))
	id := s.start("p0")
	s.drain()
	s.twin(s.of(id), "00000000000000aa")
	r.merge()
	before := len(s.Sim.Notices())
	for range 40 {
		s.sweep(20 * time.Minute)
	}
	if n := len(s.Sim.Notices()) - before; n != 1 {
		t.Errorf("%d notices: %v", n, s.subjects())
	}
}

// TestPermanentNotDeployed: looking is no write, after which other cases would wait.
func TestPermanentNotDeployed(t *testing.T) {
	s, r := bridged(t, shop(1, ""), shopSettings(1, ""))
	s.start("p0")
	s.drain()
	wrote := func() string {
		it, err := s.Store.Get(t.Context(), "role", "arn:aws:iam::111122223333:role/role-0")
		if err != nil {
			t.Fatal(err)
		}
		var l struct{ Wrote string }
		if err := json.Unmarshal(it.Data, &l); err != nil || l.Wrote == "" {
			t.Fatal(err, l)
		}
		return l.Wrote
	}
	was := wrote()
	r.merge()
	s.sweep(20 * time.Minute)
	if got := wrote(); got != was {
		t.Errorf("the role was written at %s, and then at %s", was, got)
	}
}

// TestPermanentVoid: that nothing is followed any further is told where changes stand.
func TestPermanentVoid(t *testing.T) {
	s, _ := bridged(t, shop(1, ""), shopSettings(1, ""))
	s.start("p0")
	s.drain()
	for range 30 {
		s.sweep(36 * time.Hour)
	}
	if n := s.saying("30 days ago"); n != 1 {
		t.Errorf("told %d times", n)
	}
}

// TestRequestOfACaseUnderWay: a sweep that meets a case that is about to ask does not end its request.
func TestRequestOfACaseUnderWay(t *testing.T) {
	s, r := inCode(t, shop(1, commits("")), shopSettings(1, ""))
	s.commitOf("1")
	s.Inbox.Healer.PolicyCode = nil
	for b := range r.state {
		s.rewrite("request", b, func(m map[string]any) { delete(m, "cases") }) // those before it are over
	}
	h := *s.Inbox.Healer
	h.PolicyCode = r
	s.Inbox.Healer.PolicyCode = proposer(func(ctx context.Context, at settings.Account, c heal.PolicyChange) (decide.Request, error) {
		it, err := s.Store.Get(ctx, "request", c.Request.Branch)
		if err == nil {
			it.Due = s.Sim.Clock.Now().Add(-time.Minute)
			_, err = s.Store.Put(ctx, it)
		}
		if err == nil {
			err = h.Sweep(ctx)
		}
		if err != nil {
			t.Error(err)
		}
		return r.Propose(ctx, at, c)
	})
	s.Sim.Clock.Advance(20 * time.Minute)
	id := s.commitOf("2")
	if c := s.of(id); c.Outcome != decide.Requested {
		t.Fatalf("%s %v", c.Outcome, refusals(c))
	}
	s.Inbox.Healer.PolicyCode = r
	r.merge()
	s.deploy(r, "role-0")
	s.sweep(20 * time.Minute)
	if c := s.of(id); c.Outcome != decide.Healed {
		t.Errorf("deployed: %s %v", c.Outcome, refusals(c))
	}
}

type proposer func(context.Context, settings.Account, heal.PolicyChange) (decide.Request, error)

func (p proposer) Propose(ctx context.Context, at settings.Account, c heal.PolicyChange) (decide.Request, error) {
	return p(ctx, at, c)
}

// TestAskingIsDenied: that the function may not look at the request is told once.
func TestAskingIsDenied(t *testing.T) {
	s, r := inCode(t, shop(1, ""), shopSettings(1, ""))
	s.start("p0")
	s.drain()
	r.fails = heal.DeniedError{Action: "codecommit:GetFile"}
	for range 5 {
		s.Sim.Clock.Advance(20 * time.Minute)
		_, _ = s.Inbox.Invoke(t.Context(), json.RawMessage(`{"sweep":{}}`))
	}
	if n := s.saying("codecommit:GetFile"); n != 1 {
		t.Errorf("told %d times", n)
	}
}

// TestTakingOutIsDenied: that the function may not find out whether a change can be taken out is told once.
func TestTakingOutIsDenied(t *testing.T) {
	s, r := bridged(t, shop(1, ""), shopSettings(1, ""))
	s.start("p0")
	s.drain()
	r.merge()
	s.Inbox.Healer.Documents = deniedDocuments{}
	for range 5 {
		s.sweep(20 * time.Minute)
	}
	if n := s.saying("iam:SimulateCustomPolicy"); n != 1 {
		t.Errorf("told %d times", n)
	}
}

type deniedDocuments struct{}

func (deniedDocuments) SimulateDocuments(
	context.Context, settings.Account, codebuild.Role, []string, *string, []guardrail.Question,
) ([]guardrail.Answer, error) {
	return nil, heal.DeniedError{Action: "iam:SimulateCustomPolicy"}
}

// TestManyWait: cases that end make room for those that wait; none that waits is forgotten.
func TestManyWait(t *testing.T) {
	s, r := inCode(t, shop(1, commits("")), shopSettings(1, ""))
	id := s.version("refs/heads/release")
	c := s.of(id)
	var ids []string
	for i := range 60 {
		ids = append(ids, fmt.Sprintf("%016x", i+1))
	}
	for b := range r.state {
		s.rewrite("request", b, func(m map[string]any) { m["cases"] = append([]string{c.ID}, ids[:49]...) })
	}
	s.sweep(20 * time.Minute)
	s.commitOf("1")
	r.merge()
	s.deploy(r, "role-0")
	s.sweep(20 * time.Minute)
	if c = s.of(id); c.Outcome != decide.Healed {
		t.Errorf("deployed: %s %v", c.Outcome, refusals(c))
	}
}

// TestPermanentManagedBeside: of a managed policy that others changed since, a version is made without
// what was given, also if the case's last round has no plan.
func TestPermanentManagedBeside(t *testing.T) {
	world := strings.Replace(shop(1, ""), "roles:\n", "policies:\n  - {name: own, versions: ['"+ownVersion(1)+"']}\nroles:\n", 1)
	world = strings.Replace(world, "  - name: role-0\n", "  - name: role-0\n    attached: [own]\n", 1)
	for _, text := range []string{"as it was", "changed"} {
		s, r := withCode(t, world, strings.Replace(shopSettings(1, ""), "write: {inline: healed}",
			"write: {managed: own}, permanent: {code: {github: example/shop, path: aws/policy.json}}", 1))
		id := s.start("p0")
		s.drain()
		vs := s.Sim.PolicyVersions(ownARN)
		doc := vs[slices.IndexFunc(vs, func(v simaws.PolicyVersion) bool { return v.Default })].Document
		if text == "changed" {
			doc = strings.Replace(doc, `"Owner1"`, `"Owner2"`, 1)
		}
		if _, err := s.Sim.CreatePolicyVersion(ownARN, doc); err != nil {
			t.Fatal(err)
		}
		s.rewrite("case", s.of(id).ID, func(m map[string]any) {
			rs := m["rounds"].([]any)
			m["rounds"] = append(rs, map[string]any{"build": rs[0].(map[string]any)["build"], "step": "done"})
		})
		r.merge()
		s.deploy(r, "role-0")
		s.sweep(20 * time.Minute)
		if c := s.of(id); !c.Rounds[0].Permanent {
			t.Errorf("%s: versions %v", text, s.versions())
		}
		for _, v := range s.versions() {
			if strings.Contains(v, "*") && strings.Contains(v, "ours") {
				t.Errorf("%s: versions %v", text, s.versions())
			}
		}
	}
}
