package simaws

import (
	"slices"
	"strings"
	"time"
)

// batch is a batch build: child builds that run side by side.
type batch struct {
	p         *project
	uuid      string
	number    int64
	status    string
	complete  bool
	start     time.Time
	end       time.Time
	initiator string
	version   string
	commit    *commit // what a pipeline's artifact holds; nil: of version
	groups    []*batchGroup
	phases    []phase
	attempts  int
	rerun     []*batchGroup // the children that the present attempt is to start
	run       *stageRun     // of a pipeline; nil: none started it
}

// batchGroup is one child: its present build and those before it.
type batchGroup struct {
	identifier string
	buildspec  string // "": the project's
	current    *build
	prior      []*build
}

func (bb *batch) id() string  { return bb.p.conf.Name + ":" + bb.uuid }
func (bb *batch) arn() string { return bb.p.est.arn("codebuild", "build-batch/"+bb.id()) }

// beginBatch starts a batch with all its children; c is what a pipeline's artifact holds, else nil. CodeBuild itself starts
// them, with the project's role (AWS.md#initiator).
func (p *project) beginBatch(version string, c *commit, initiator string) *batch {
	s := p.est.sim
	bb := &batch{p: p, uuid: s.uuid("batch " + p.est.acct.id + p.est.region + p.conf.Name), number: int64(len(p.batches) + 1),
		status: inProgress, start: s.now, initiator: initiator, version: version, commit: c}
	p.batches = append(p.batches, bb)
	p.est.batches[bb.id()] = bb
	bb.submit(nil)
	return bb
}

func (bb *batch) beginChild(g *batchGroup, c *commit) *build {
	who := bb.p.est.acct.session(bb.p.role, "AWSCodeBuild-"+bb.uuid)
	return bb.p.begin(order{version: bb.version, commit: c, buildspec: g.buildspec, initiator: who.initiator(),
		batch: bb, batchID: g.identifier})
}

// childEnded ends the batch when its last child has ended.
func (bb *batch) childEnded(_ *build) {
	if bb.complete || slices.ContainsFunc(bb.groups, func(g *batchGroup) bool { return g.current == nil || !g.current.complete }) {
		return
	}
	for _, g := range bb.groups {
		if g.current.status != succeeded {
			bb.leave("CLIENT_ERROR", "", "") // as in AWS's own example (AWS.md#statuses)
			bb.finish(failed)
			return
		}
	}
	bb.leave(succeeded, "", "")
	bb.finish(succeeded)
}

// retry starts children again: the failed ones, or all. The batch keeps its id, and its phases go on
// (AWS.md#retry-of-a-batch).
func (bb *batch) retry(all bool) {
	bb.complete, bb.end, bb.status = false, time.Time{}, inProgress
	if n := len(bb.phases); n > 0 {
		bb.phases[n-1].status = "RETRY"
	}
	again := []*batchGroup{}
	for _, g := range bb.groups {
		if all || g.current == nil || g.current.status != succeeded && g.current.status != stopped {
			again = append(again, g)
		}
	}
	bb.submit(again)
}

// batchProject is the project in a batch's id, PROJECT:UUID. Whether an ARN
// is taken is not documented, so here it is not (AWS.md#undocumented).
func batchProject(id string) (string, error) {
	project, uuid, _ := strings.Cut(id, ":")
	if !uuidForm.MatchString(uuid) {
		return "", fail("InvalidInputException", "Invalid build batch ID: "+id)
	}
	return project, nil
}

type retryBatchInput struct {
	ID               string `json:"id"`
	IdempotencyToken string `json:"idempotencyToken"`
	RetryType        string `json:"retryType"`
}

// retryBuildBatch: only batches that have failed can be retried (AWS.md#retry-of-a-batch).
func retryBuildBatch(r *request, in *retryBatchInput) (any, error) {
	id := in.ID
	name, err := batchProject(id)
	if err != nil {
		return nil, err
	}
	if in.RetryType != "RETRY_FAILED_BUILDS" && in.RetryType != "RETRY_ALL_BUILDS" {
		return nil, fail("InvalidInputException", "Invalid retry type: "+in.RetryType)
	}
	p, err := r.projectNamed("codebuild:RetryBuildBatch", name)
	if err != nil {
		return nil, err
	}
	params := "RetryBuildBatch " + id + " " + in.RetryType
	r.about = id + " " + in.RetryType
	if t, used, err := p.redeem(in.IdempotencyToken, params); err != nil {
		return nil, err
	} else if used {
		return map[string]any{"buildBatch": t.batch.out()}, nil
	}
	bb, ok := r.est.batches[id]
	if !ok {
		return nil, fail("ResourceNotFoundException", "Build batch cannot be found: "+r.est.arn("codebuild", "build-batch/"+id))
	}
	if bb.status == inProgress || bb.status == succeeded || bb.status == stopped {
		return nil, fail("InvalidInputException", "Only batch builds that have failed can be retried")
	}
	bb.retry(in.RetryType == "RETRY_ALL_BUILDS")
	p.remember(in.IdempotencyToken, params, nil, bb)
	return map[string]any{"buildBatch": bb.out()}, nil
}

type batchOut struct {
	ID               string         `json:"id"`
	Arn              string         `json:"arn"`
	BuildBatchNumber int64          `json:"buildBatchNumber"`
	BuildBatchStatus string         `json:"buildBatchStatus"`
	Complete         bool           `json:"complete"`
	StartTime        epoch          `json:"startTime"`
	EndTime          epoch          `json:"endTime"`
	Initiator        string         `json:"initiator"`
	ProjectName      string         `json:"projectName"`
	ServiceRole      string         `json:"serviceRole"`
	CurrentPhase     string         `json:"currentPhase"`
	Phases           []phaseOut     `json:"phases"`
	Config           batchConfigOut `json:"buildBatchConfig"`
	SourceVersion    string         `json:"sourceVersion,omitempty"`
	Resolved         string         `json:"resolvedSourceVersion,omitempty"`
	Source           sourceOut      `json:"source"`
	BuildGroups      []groupOut     `json:"buildGroups"`
}

type groupOut struct {
	Identifier          string       `json:"identifier"`
	IgnoreFailure       bool         `json:"ignoreFailure"`
	CurrentBuildSummary *summaryOut  `json:"currentBuildSummary,omitempty"`
	Prior               []summaryOut `json:"priorBuildSummaryList"`
}

type summaryOut struct {
	Arn         string `json:"arn"`
	BuildStatus string `json:"buildStatus"`
	RequestedOn epoch  `json:"requestedOn"`
}

func (b *build) summary() summaryOut { return summaryOut{b.arn(), b.status, epoch(b.start)} }

func (bb *batch) out() batchOut {
	o := batchOut{
		ID: bb.id(), Arn: bb.arn(), BuildBatchNumber: bb.number, BuildBatchStatus: bb.status, Complete: bb.complete,
		StartTime: epoch(bb.start), EndTime: epoch(bb.end), Initiator: bb.initiator, ProjectName: bb.p.conf.Name,
		ServiceRole: bb.p.role, SourceVersion: bb.version,
		Source: sourceOut{Type: bb.p.conf.Source.Type, Location: bb.p.conf.Source.Location, Buildspec: bb.p.conf.Buildspec},
	}
	o.CurrentPhase, o.Phases, o.Config = bb.phases[len(bb.phases)-1].kind, phasesOut(bb.phases), batchConfigOut{bb.p.batchRole()}
	for _, g := range bb.groups {
		gr := groupOut{Identifier: g.identifier, Prior: []summaryOut{}}
		if g.current != nil {
			one := g.current.summary()
			gr.CurrentBuildSummary = &one
			o.Resolved = orText(o.Resolved, g.current.resolved)
		}
		for _, b := range slices.Backward(g.prior) {
			gr.Prior = append(gr.Prior, b.summary())
		}
		o.BuildGroups = append(o.BuildGroups, gr)
	}
	return o
}

func batchGetBuildBatches(r *request, in *idsInput) (any, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	found, missing := []batchOut{}, []string{}
	for _, given := range in.Ids {
		name, err := batchProject(given)
		if err != nil {
			return nil, err
		}
		if err := r.authorize("codebuild:BatchGetBuildBatches", r.est.projectARN(name), nil); err != nil {
			return nil, err
		}
		if bb, ok := r.est.batches[given]; ok {
			found = append(found, bb.out())
		} else {
			missing = append(missing, given)
		}
	}
	return map[string]any{"buildBatches": found, "buildBatchesNotFound": missing}, nil
}
