package codebuild

import "testing"

// TestBuildsPullRequests is the table of webhooks.
func TestBuildsPullRequests(t *testing.T) {
	event := func(patterns ...string) *Webhook {
		w := &Webhook{}
		for _, p := range patterns {
			w.Groups = append(w.Groups, []Filter{{"HEAD_REF", "^refs/heads/.*"}, {"EVENT", p}})
		}
		return w
	}
	for name, row := range map[string]struct {
		hook *Webhook
		want bool
	}{
		"no webhook":                    {nil, false},
		"pushes":                        {event("PUSH"), false},
		"pushes and releases":           {event("PUSH, RELEASED", "PRERELEASED"), false},
		"a pull request in a list":      {event("PUSH, PULL_REQUEST_CREATED"), true},
		"a pull request in a group":     {event("PUSH", "PULL_REQUEST_UPDATED"), true},
		"merged":                        {event("PULL_REQUEST_MERGED"), true},
		"jobs of the host's pipelines":  {event("WORKFLOW_JOB_QUEUED"), true},
		"an event of tomorrow":          {event("PUSH", "COMMENT"), true},
		"no filters: every event":       {&Webhook{}, true},
		"a group that names no event":   {&Webhook{Groups: [][]Filter{{{"HEAD_REF", "main"}}}}, true},
		"a runner without event filter": {&Webhook{Runner: true, Groups: [][]Filter{{{"EVENT", "PUSH"}}}}, true},
	} {
		if got := row.hook.BuildsPullRequests(); got != row.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
