package simaws

import (
	"slices"
	"strings"
	"time"
)

// project is a CodeBuild project with what its source repository holds.
type project struct {
	est     *estate
	conf    projectFile
	role    string // service role ARN, as UpdateProject may change it
	created time.Time
	changed time.Time
	number  int64    // of the last build
	builds  []*build // oldest first
	batches []*batch
	commits []*commit
	tokens  map[string]startToken
}

// commit is one state of the source repository.
type commit struct {
	id         string
	refs       []string // what resolves to it
	buildspecs map[string]phasesFile
}

// startToken remembers an idempotency token (AWS.md#retry-token).
type startToken struct {
	at     time.Time
	params string
	build  *build
	batch  *batch
}

// tokenLife is how long an idempotency token is valid (AWS.md#retry-token).
const tokenLife = 5 * time.Minute

func (p *project) arn() string { return p.est.arn("codebuild", "project/"+p.conf.Name) }

// resolve finds the commit that a source version names: "" is the default
// branch. A branch or tag may be given with or without refs/…, a webhook's
// form is refs/heads/main^{COMMIT}.
func (p *project) resolve(version string) (*commit, bool) {
	if version == "" {
		return p.commits[0], true
	}
	if i := strings.Index(version, "^{"); i >= 0 && strings.HasSuffix(version, "}") {
		version = version[i+2 : len(version)-1]
	}
	i := slices.IndexFunc(p.commits, func(c *commit) bool {
		return c.id == version || slices.ContainsFunc(c.refs, func(ref string) bool {
			return ref == version || ref == "refs/heads/"+version || ref == "refs/tags/"+version
		})
	})
	if i < 0 {
		return nil, false
	}
	return p.commits[i], true
}

// buildspecPath is the path that a build of the project looks for.
func (p *project) buildspecPath(override string) string {
	switch {
	case override != "":
		return override
	case p.conf.Buildspec != "":
		return p.conf.Buildspec
	}
	return "buildspec.yml"
}

// logGroup and logStream are where a build logs to: names may be the
// project's own, and the stream's name is a prefix (AWS.md#log-location).
func (c projectFile) logGroup() string {
	if c.Logs.Group != "" {
		return c.Logs.Group
	}
	return "/aws/codebuild/" + c.Name
}

func (c projectFile) logStream(uuid string) string {
	if c.Logs.Stream != "" {
		return c.Logs.Stream + "/" + uuid
	}
	return uuid
}

// redeem looks an idempotency token up. A token that is used again with
// other parameters is an error; one older than five minutes is forgotten.
func (p *project) redeem(token, params string) (startToken, bool, error) {
	t, ok := p.tokens[token]
	if token == "" || !ok || p.est.sim.now.Sub(t.at) >= tokenLife {
		return startToken{}, false, nil
	}
	if t.params != params {
		return startToken{}, false, fail("InvalidInputException", "Idempotency token was used before with different parameters")
	}
	return t, true, nil
}

func (p *project) remember(token, params string, b *build, bb *batch) {
	if token != "" {
		p.tokens[token] = startToken{p.est.sim.now, params, b, bb}
	}
}

// running counts the builds under way.
func (p *project) running() int {
	n := 0
	for _, b := range p.builds {
		if !b.complete {
			n++
		}
	}
	return n
}
