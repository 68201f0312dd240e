package settings

import (
	"strings"
	"testing"
)

func TestRunner(t *testing.T) {
	for _, row := range []struct {
		project       string
		runner, rerun bool
		reaches       bool
		problem       string
	}{
		{project: "", problem: ""},
		{project: "runner: true", runner: true},
		{project: "runner: false"},
		{project: "runner: {}", runner: true},
		{project: "runner: {rerun: false}", runner: true},
		{project: "runner: {rerun: true}, code: {github: example/shop, tell: none}", runner: true, rerun: true, reaches: true},
		{project: "runner: {rerun: true}, mode: observe, code: {github: example/shop, tell: none}", runner: true, rerun: true,
			reaches: true},
		{project: "runner: {rerun: true}", problem: "projects[0].code: it names no repository of GitHub, where runner has jobs run again"},
		{project: "runner: {rerun: true}, code: {tell: none}", problem: "projects[0].code: it names no repository of GitHub"},
		{project: "runner: {again: true}", problem: "again"},
		{project: "runner: yes please", problem: "runner"},
	} {
		text := "version: 1\ncode: {github: {secret: x}}\nprojects:\n  - {name: web, role: r" +
			strings.TrimSuffix(", "+row.project, ", ") + "}\n"
		s, err := Parse([]byte(text))
		if row.problem != "" {
			if err == nil || !strings.Contains(err.Error(), row.problem) {
				t.Errorf("%q: %v; want %q", row.project, err, row.problem)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", row.project, err)
			continue
		}
		if p := s.Projects[0]; p.Runner != row.runner || p.Rerun != row.rerun || s.ReachesGitHub() != row.reaches {
			t.Errorf("%q: runner %t, rerun %t, reaches GitHub %t", row.project, p.Runner, p.Rerun, s.ReachesGitHub())
		}
	}
	_, err := Parse([]byte("version: 1\ncode: {github: {url: \"https://github.com\"}}\nprojects:\n" +
		"  - {name: web, role: r, runner: {rerun: true}, code: {github: example/shop, tell: none}}\n"))
	if err == nil || !strings.Contains(err.Error(), "it holds no credentials, and project web has jobs run again there") {
		t.Error(err)
	}
}
