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

// TestRunsJobs: one event among others is enough, in any group.
func TestRunsJobs(t *testing.T) {
	for pattern, want := range map[string]bool{
		"WORKFLOW_JOB_QUEUED": true, "PUSH, WORKFLOW_JOB_QUEUED": true, "PUSH,workflow_job_queued": true, "PUSH": false,
		"WORKFLOW_JOB_QUEUED_LATER": false, "": false,
	} {
		w := &Webhook{Groups: [][]Filter{{{"EVENT", "PUSH"}}, {{"HEAD_REF", "WORKFLOW_JOB_QUEUED"}, {"EVENT", pattern}}}}
		if got := w.RunsJobs(); got != want {
			t.Errorf("%q: %t", pattern, got)
		}
	}
	if (*Webhook)(nil).RunsJobs() || !(&Webhook{Runner: true}).RunsJobs() {
		t.Error("no webhook runs no jobs, and a runner's does")
	}
}
