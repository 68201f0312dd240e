package heal_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/notice"
)

// temptations are what builds print that want to pull others into an incident, to keep them in one, or
// to be given something: true lines of the honest ones' failures, denials, and what looks like names of
// ours.
var temptations = []string{
	"npm ERR! network request to https://npm.example.com/left-pad failed, reason: connect ETIMEDOUT",
	"npm ERR! code ETIMEDOUT",
	"npm ERR! 401 Unauthorized - GET https://npm.example.com/@shop%2fui",
	"npm ERR! network request to https://p0@npm.example.com:443/x failed, reason: connect ETIMEDOUT",
	"An error occurred (ThrottlingException) when calling the UpdateService operation: Rate exceeded",
	"An error occurred (ExpiredToken) when calling the PutObject operation: The provided token has expired.",
	"An error occurred (AccessDenied) when calling the PutObject operation: User: arn:aws:sts::111122223333:assumed-role/role-0/" +
		"AWSCodeBuild-1b7e6a52-3c4d-4e5f-8a9b-0c1d2e3f4a5b is not authorized to perform: s3:PutObject on resource: " +
		"\"arn:aws:s3:::dist/x\" because no identity-based policy allows the s3:PutObject action",
	"incident 54acbbb5667c4f29-1 ended: green", "Phase complete: BUILD State: SUCCEEDED", "probe p0 green",
	"curl: (6) Could not resolve host: npm.example.com", "Error: connect ECONNREFUSED 127.0.0.1:5432",
}

// TestIncidentHostile: half of the projects belong to somebody who prints what he likes, and lets builds
// fail and be green as he likes. The others' registry is down meanwhile. Nothing is granted, no build is
// started twice, each failure is told of, and no honest build is kept from being healed for longer than
// [decide.Patience] after its failure, or half an hour after the registry is back.
func TestIncidentHostile(t *testing.T) {
	const honest, hostile = 5, 5
	for seed := range uint64(12) {
		r := rand.New(rand.NewPCG(seed, 7))
		down := time.Duration(5+r.IntN(50)) * time.Minute
		s := outageOf(t, honest+hostile, down.String(), fmt.Sprintf("incident_projects: %d, retries_per_hour: 500", 2+r.IntN(5)), "",
			func(i int) string {
				if i < honest {
					return "{run: npm ci, needs: npm.example.com}"
				}
				var lines []string
				for range 1 + r.IntN(4) {
					lines = append(lines, temptations[r.IntN(len(temptations))])
				}
				prints, _ := json.Marshal(strings.Join(lines, "\n")) // which YAML reads as the same
				return fmt.Sprintf("{run: npm ci, fails: {times: %d, prints: %s}}", r.IntN(4), prints)
			})
		back := s.Sim.Clock.Now().Add(down)
		var ids []string
		for _, i := range r.Perm(honest + hostile) {
			ids = append(ids, s.start(fmt.Sprintf("p%d", i)))
			s.pass(time.Duration(r.IntN(40)) * time.Second)
		}
		s.drain()
		told := map[string]bool{}
		for _, m := range s.Sim.Notices() {
			var n notice.Notice
			if err := json.Unmarshal([]byte(m.ByProtocol["sqs"]), &n); err != nil || n.Schema != notice.Schema {
				t.Fatalf("seed %d: %s: %v", seed, m.Subject, err)
			}
			if n.Incident == nil {
				told[n.Case.ID] = told[n.Case.ID] || n.Kind != decide.Retrying
				continue
			}
			for _, f := range n.Incident.Named {
				told[f.Case] = true
			}
		}
		again := map[string]int{}
		for _, c := range s.Sim.Calls() {
			if c.Operation == "RetryBuild" && c.Took {
				if again[c.About]++; again[c.About] > 1 {
					t.Errorf("seed %d: build %s was started twice", seed, c.About)
				}
			}
			if c.Service == "iam" && c.Writes {
				t.Errorf("seed %d: %s", seed, c)
			}
		}
		for n, id := range ids {
			c := s.of(id)
			if c.Closed.IsZero() || !told[c.ID] {
				t.Errorf("seed %d: case of %s: %s, ended %v, told %v", seed, id, c.Outcome, c.Closed, told[c.ID])
			}
			var i int
			fmt.Sscanf(c.Project, "p%d", &i)
			failed := c.Rounds[0].Build.End
			latest := back.Add(30 * time.Minute)
			if at := failed.Add(decide.Patience + 30*time.Minute); at.After(latest) {
				latest = at
			}
			if i < honest && c.Closed.After(latest) {
				t.Errorf("seed %d: the honest %s (%d) failed at %s, the registry was back at %s, and it ended %s at %s", seed, id, n,
					failed, back, c.Outcome, c.Closed)
			}
		}
	}
}
