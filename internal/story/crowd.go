package story

import (
	"fmt"
	"strings"
)

// Crowd is a world and settings in which many builds can fail at once: p0, p1
// and so on, each with a role of its own, which may not upload to s3://dist,
// and with commits to build on refs/heads/b0, b1 and so on. The settings allow
// the upload.
func Crowd(projects, commits int) (world, settings []byte) {
	var w, s strings.Builder
	w.WriteString("start: 2026-11-22T10:00:00Z\nbuckets:\n  - {name: dist}\nroles:\n")
	s.WriteString("version: 1\nprojects:\n")
	for i := range projects {
		fmt.Fprintf(&w, "  - name: role-%d\n    inline: {base: '%s'}\n", i, crowdBase)
		fmt.Fprintf(&s, "  - {name: p%d, role: role-%d, mode: heal, write: {inline: healed}, grants: [dist]}\n", i, i)
	}
	w.WriteString("projects:\n")
	for i := range projects {
		fmt.Fprintf(&w, "  - name: p%d\n    role: role-%d\n    versions:\n", i, i)
		for n := range commits {
			fmt.Fprintf(&w, "      - {ref: refs/heads/b%d, commit: \"%040x\"}\n", n, n+1)
		}
		w.WriteString("    buildspecs: {buildspec.yml: {build: [{run: make, takes: 60s}, aws s3 cp x s3://dist/x]}}\n")
	}
	s.WriteString("grants:\n  - {id: dist, because: The build uploads., owner: team, actions: [\"s3:PutObject\"], " +
		"resources: [\"arn:${partition}:s3:::dist/*\"]}\n")
	return []byte(w.String()), []byte(s.String())
}

// crowdBase lets a build write its log, and nothing else.
const crowdBase = `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["logs:CreateLogGroup", ` +
	`"logs:CreateLogStream", "logs:PutLogEvents"], "Resource": "*"}]}`
