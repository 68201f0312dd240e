package simaws

import (
	"cmp"
	"strings"
	"time"
)

// What a project runs on (AWS.md#compute).

type fleetOut struct {
	FleetArn string `json:"fleetArn"`
}

type dockerServerOut struct {
	ComputeType string          `json:"computeType"`
	Status      dockerStatusOut `json:"status"`
}

type dockerStatusOut struct {
	Status string `json:"status"`
}

// environmentOut is the project's environment: privileged Linux if the world does not say.
func (p *project) environmentOut() environmentOut {
	c := &p.conf
	e := environmentOut{Type: cmp.Or(c.Environment, "LINUX_CONTAINER"), Image: c.Image, ComputeType: c.Compute,
		PrivilegedMode:       !c.onLambda() && (c.Privileged == nil || *c.Privileged),
		EnvironmentVariables: []variableOut{{Name: "STAGE", Type: "PLAINTEXT", Value: "simulated-value"}}}
	if e.ComputeType == "" && c.onLambda() {
		e.ComputeType = "BUILD_LAMBDA_2GB"
	}
	e.ComputeType = cmp.Or(e.ComputeType, "BUILD_GENERAL1_SMALL")
	if c.Fleet != "" {
		e.Fleet = &fleetOut{p.est.arn("codebuild", "fleet/"+c.Fleet+":"+p.est.sim.uuid("fleet "+c.Fleet))}
	}
	if c.DockerServer {
		e.DockerServer = &dockerServerOut{"BUILD_GENERAL1_LARGE", dockerStatusOut{"ACTIVE"}}
	}
	return e
}

func (c *projectFile) onLambda() bool { return strings.Contains(c.Environment, "LAMBDA") }

// lambdaLimit is how long a build may run on Lambda compute, whatever its project says
// (AWS.md#lambda-compute).
const lambdaLimit = 15 * time.Minute

// limit is how long the build may run once it has left the queue.
func (b *build) limit() time.Duration {
	d := time.Duration(b.conf.Timeout)
	if strings.Contains(b.env.Type, "LAMBDA") {
		d = min(d, lambdaLimit)
	}
	return d
}

// refused is what CodeBuild says where the world has it fail in that phase.
func (b *build) refused(phase string) (code, message string) {
	r := b.p.conf.Refused
	if r.Phase != phase || r.Times > 0 && b.sim().nth("refused "+b.p.arn()) > r.Times {
		return "", ""
	}
	return r.Code, r.Message
}
