package simaws_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/simaws"
)

// A world that is wrong is refused, and says where.
func TestLoadErrors(t *testing.T) {
	base := roleMay()
	tests := []struct{ name, world, want string }{
		{"unknown key", "acount: '1'", "line 1: field acount not found"},
		{"unknown key in a project", base + "projects: [{name: p, role: r, rôle: x}]", "field rôle not found"},
		{"unknown key in a step", base + buildOf("{run: make, print: x}"), "field print not found"},
		{"unknown key in a call", base + buildOf("{run: make, calls: [{action: s3:GetObject, resource: x}]}"), "field resource not found"},
		{"unknown key in a failure", base + buildOf("{run: make, fails: {exits: 1}}"), "field exits not found"},
		{"list as a step", base + buildOf("[make]"), "neither a string nor a mapping"},
		{"two documents", "region: a\n---\nregion: b", "more than one YAML document"},
		{"account of 11 digits", "account: '12345678901'", `account "12345678901" is no account id of 12 digits`},
		{"member's account", "members: [{account: '1'}]", `members: account "1"`},
		{"bad duration", "propagation: fast", `line 1: "fast" is no duration such as 90s`},
		{"negative duration", "propagation: -1s", `"-1s" is no duration`},
		{"broken policy", "roles: [{name: r, inline: {p: '{'}}]", "role r: p: MalformedPolicyDocument"},
		{"broken trust", "roles: [{name: r, trust: '{'}]", `role "r": trust: reading resource policy`},
		{"role twice", "roles: [{name: r}, {name: path/R}]", `role "path/R": there are two`},
		{"no such policy", "roles: [{name: r, attached: [gone]}]", `role r: there is no policy "gone"`},
		{"no such boundary", "roles: [{name: r, boundary: gone}]", `role r: there is no policy "gone"`},
		{"too much inline", "roles: [{name: r, inline: {p: '" + bigPolicy(10240) + "'}}]", "more than 10240 characters"},
		{"policy without document", "policies: [{name: m}]", `policy "m": needs a name, and document`},
		{"no such version", "policies: [{name: m, document: " + v1 + ", default: v2}]", `policy "m": no version "v2"`},
		{"no such role", "projects: [{name: p, role: gone}]", `project p: there is no role "gone"`},
		{"project twice", base + "projects: [{name: p, role: r}, {name: p, role: r}]", `project "p": no name, or there are two`},
		{"unknown CLI command", base + buildOf("aws eks update-kubeconfig --name x"), "does not know which calls this makes"},
		{"CLI without a command", base + buildOf("aws s3"), "does not know which calls this makes"},
		{"no such tool", base + buildOf("{run: make, tool: gradle, calls: [s3:GetObject]}"), `no tool "gradle": one of aws-cli, `},
		{"no such form", base + buildOf("{run: make, calls: [{action: s3:GetObject, as: loud}]}"), `no form "loud": one of full, `},
		{"no action", base + buildOf("{run: make, calls: [s3]}"), `"s3" is no action`},
		{"step without a command", base + buildOf("{prints: x}"), "a step without run"},
		{"repository policy", "repositories: [{name: i, policy: '[]'}]", "repository i: reading resource policy"},
		{"federated principal",
			`buckets: [{name: b, policy: '{"Statement":[{"Effect":"Allow","Principal":{"Federated":"x"},` +
				`"Action":"s3:*","Resource":"*"}]}'}]`, `principals of the kind "Federated" are not simulated`},
		{"pipeline without stages", "pipelines: [{name: x}]", `pipeline "x": needs a name and stages`},
		{"pipeline's project", "pipelines: [{name: x, stages: [{name: s, actions: [{name: a, project: gone}]}]}]",
			`pipeline x: there is no project "gone"`},
		{"start of nothing", "starts: [{project: gone}]", `starts: there is no project "gone"`},
		{"start elsewhere", "starts: [{project: p, region: mars}]", "starts: there is nothing in account 111122223333, region mars"},
		{"batch of nothing", base + buildOf("make") + "starts: [{project: p, batch: true}]", `project "p" has no batch`},
		{"caller without identity", "callers: {AKIAX: {}}", "callers: AKIAX: neither role nor user"},
		{"probability", "trouble: {throttle: 2}", "trouble: throttle: 2 is no probability"},
		{"probability that is no number", "trouble: {drop_events: .nan}", "trouble: drop_events: NaN is no probability"},
		{"negative", "build_queue: -1", "build_queue: -1 is not between"},
		{"too many retries", base + "projects: [{name: p, role: r, auto_retry: 11}]", "auto_retry is between 0 and 10"},
		{"pattern", "pattern: 'x'", "reading event pattern"},
		{"pattern operator", `pattern: '{"detail":{"build-number":[{"numeric":[">",1]}]}}'`,
			`/detail/build-number: operator "numeric" is not simulated`},
		{"repository of code", "code: [{repository: a/b/c}]", `code: repository "a/b/c": write OWNER/NAME`},
		{"deployed nowhere", "deploys: [{repository: a/b, path: p.json}]", "deploys: p.json: needs role and inline, or policy"},
		{"deployed twice", "deploys: [{repository: a/b, path: p.json, role: r, inline: p, policy: q}]", "needs role and inline, or policy"},
		{"deployed from nothing", "deploys: [{repository: a/b, path: p.json, policy: q}]", `there is no file p.json on main of "a/b"`},
		{"deployed to no role", "deploys: [{repository: a/b, path: p.json, role: gone, inline: p}]", `deploys: there is no role "gone"`},
		{"deployed trash", "code: [{repository: a/b, files: {p.json: x}}]\ndeploys: [{repository: a/b, path: p.json, policy: q}]",
			"deploys: p.json: MalformedPolicyDocument"},
		{"pattern value", `pattern: '{"source":"aws.codebuild"}'`, "/source: neither a list nor an object"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := simaws.Load([]byte(tt.world))
			if err == nil {
				s.Close()
				t.Fatal("accepted")
			}
			if !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "reading world: ") {
				t.Errorf("%v\nwant …%s…", err, tt.want)
			}
		})
	}
}

// All problems of a world are told together.
func TestLoadReportsAll(t *testing.T) {
	_, err := simaws.Load([]byte("account: '1'\nroles: [{name: r, attached: [gone]}]\nprojects: [{name: p, role: none}]"))
	for _, want := range []string{`account "1"`, `no policy "gone"`, `no role "none"`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v lacks %s", err, want)
		}
	}
}

// An empty world is an account with a queue, a topic and nothing else.
func TestEmptyWorld(t *testing.T) {
	s := world(t, "")
	if s.TopicARN() != "arn:aws:sns:us-east-1:111122223333:buildmedic" ||
		!strings.HasSuffix(s.QueueURL(simaws.Queue), "/111122223333/buildmedic") {
		t.Errorf("topic %s, queue %s", s.TopicARN(), s.QueueURL(simaws.Queue))
	}
	if _, ok := s.NextMessage(deadline(t)); ok {
		t.Error("a message")
	}
	if _, err := s.Run(simaws.Start{Project: "p"}); err == nil {
		t.Error("a project")
	}
}

// The rule lets through what its pattern says.
func TestRulePattern(t *testing.T) {
	tests := []struct {
		name, pattern string
		want          int // of: FAILED by a webhook, SUCCEEDED by the function
	}{
		{"default", "", 2},
		{"failures", `{"source":["aws.codebuild"],"detail":{"build-status":["FAILED","FAULT"]}}`, 1},
		{"by prefix", `{"detail":{"additional-information":{"initiator":[{"prefix":"buildmedic/"}]}}}`, 2}, // its start, too
		{"either",
			`{"detail":{"$or":[{"build-status":["FAILED"]},{"build-status":["SUCCEEDED"],"additional-information":{` +
				`"initiator":[{"prefix":"buildmedic/"}]}}]}}`, 2},
		{"anything but", `{"detail":{"build-status":[{"anything-but":["FAILED","IN_PROGRESS"]}]}}`, 1},
		{"anything but a prefix", `{"detail":{"build-status":["FAILED","SUCCEEDED"],"project-name":[{"anything-but":{"prefix":"p"}}]}}`, 0},
		{"exists", `{"detail":{"additional-information":{"build-number":[{"exists":true}]}}}`, 2},
		{"does not exist", `{"detail":{"build-status":["FAILED"],"nothing":[{"exists":false}]}}`, 1},
		{"suffix, any case",
			`{"detail":{"build-status":[{"equals-ignore-case":"failed"}],"additional-information":{"initiator":[{` +
				`"suffix":"2c3"}]}}}`, 1},
		{"in a list",
			`{"resources":[{"prefix":"arn:aws:codebuild:us-east-1:111122223333:build/p:"}],` +
				`"detail":{"build-status":["FAILED"]}}`, 1},
		{"number", `{"detail":{"additional-information":{"build-number":[2]}}}`, 1},
		{"another account", `{"account":["444455556666"]}`, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := roleMay() + buildOf("{run: make, fails: {times: 1, prints: x}}")
			if tt.pattern != "" {
				text = "pattern: '" + tt.pattern + "'\n" + text
			}
			s := world(t, text)
			for _, by := range []string{"", "buildmedic/buildmedic"} {
				if _, err := s.Run(simaws.Start{Project: "p", Initiator: by}); err != nil {
					t.Fatal(err)
				}
				s.Settle()
			}
			got := append(s.Queued(simaws.Queue), s.Queued(simaws.FollowUps)...)
			if len(got) != tt.want {
				t.Errorf("%d events, want %d: %q", len(got), tt.want, got)
			}
		})
	}
}

// No world makes Load panic, and one that is accepted runs to its end.
func FuzzLoad(f *testing.F) {
	f.Add(roleMay("ecr:*") +
		buildOf("aws ecr get-login-password, docker push 111122223333.dkr.ecr.us-east-1.amazonaws.com/i:1") +
		"starts: [{project: p}]")
	f.Add(pipeWorld("") + "starts: [{pipeline: shop}]")
	f.Add(errorsWorld)
	f.Add(simulated)
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := simaws.Load([]byte(text))
		if err != nil {
			return
		}
		defer s.Close()
		s.Settle()
		for _, body := range append(s.Queued(simaws.Queue), s.Queued(simaws.FollowUps)...) {
			if !json.Valid([]byte(body)) {
				t.Errorf("event %q", body)
			}
		}
	})
}
