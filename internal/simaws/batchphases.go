package simaws

import "time"

// batchFailFile is a failure of the batch itself, which no build of it explains.
type batchFailFile struct {
	Phase   string   `yaml:"phase"`   // SUBMITTED, DOWNLOAD_BATCHSPEC, IN_PROGRESS or COMBINE_ARTIFACTS
	Status  string   `yaml:"status"`  // of phase and batch; default FAILED
	Code    string   `yaml:"code"`    // of the phase's context
	Message string   `yaml:"message"` // likewise
	After   duration `yaml:"after"`   // IN_PROGRESS: so long after it began; its builds are stopped then
	From    int      `yaml:"from"`    // first attempt, of all batches of the project, that fails so; default 1
	Times   int      `yaml:"times"`   // so many attempts; 0: all from then on
}

// fails is how the present attempt fails in the phase by itself.
func (bb *batch) fails(kind string, nth int) (batchFailFile, bool) {
	for _, f := range bb.p.conf.BatchFails {
		from := max(f.From, 1)
		if f.Phase == kind && nth >= from && (f.Times == 0 || nth < from+f.Times) {
			return f, true
		}
	}
	return batchFailFile{}, false
}

// batchRole is the role of the project's batches themselves.
func (p *project) batchRole() string {
	if p.conf.BatchRole == "" {
		return p.role
	}
	if ro, ok := p.est.acct.role(p.conf.BatchRole); ok {
		return ro.arn()
	}
	return p.est.arn("iam", "role/"+p.conf.BatchRole)
}

type batchConfigOut struct {
	ServiceRole string `json:"serviceRole"`
}

// submit begins an attempt: the first, or one that starts these children again.
func (bb *batch) submit(again []*batchGroup) {
	s := bb.p.est.sim
	bb.attempts++
	bb.rerun = again
	nth := s.nth("batch attempt " + bb.p.arn())
	bb.enter("SUBMITTED")
	if bb.failsIn("SUBMITTED", nth) {
		return
	}
	bb.leave(succeeded, "", "")
	bb.enter("DOWNLOAD_BATCHSPEC")
	if bb.failsIn("DOWNLOAD_BATCHSPEC", nth) {
		return
	}
	bb.leave(succeeded, "", "")
	bb.enter("IN_PROGRESS")
	if code, message := bb.denied(); code != "" {
		bb.leave(failed, code, message)
		s.after(shortPhase, func() { bb.finish(failed) })
		return
	}
	bb.startChildren()
	if f, ok := bb.fails("IN_PROGRESS", nth); ok {
		attempt := bb.attempts
		s.after(time.Duration(f.After), func() {
			if !bb.complete && bb.attempts == attempt {
				bb.die(f)
			}
		})
	}
}

// failsIn ends the attempt in the phase, if it fails there.
func (bb *batch) failsIn(kind string, nth int) bool {
	f, ok := bb.fails(kind, nth)
	if ok {
		bb.leave(orText(f.Status, failed), f.Code, f.Message)
		bb.p.est.sim.after(shortPhase, func() { bb.finish(orText(f.Status, failed)) })
	}
	return ok
}

// denied is what CodeBuild says if the batch's role may not start builds.
func (bb *batch) denied() (code, message string) {
	if bb.p.conf.BatchRole == "" {
		return "", ""
	}
	who := bb.p.est.acct.session(bb.p.batchRole(), "AWSCodeBuild-"+bb.uuid)
	q := question{who: who, action: "codebuild:StartBuild", resource: bb.p.arn(), region: bb.p.est.region}
	if r := bb.p.est.sim.judge(q); !r.allowed {
		return "CLIENT_ERROR", q.message(r.deny)
	}
	return "", ""
}

// startChildren starts the children of the attempt: all of them if none was ever started.
func (bb *batch) startChildren() {
	groups := bb.rerun
	if len(bb.groups) == 0 {
		for _, c := range bb.p.conf.Batch {
			bb.groups = append(bb.groups, &batchGroup{identifier: c.Identifier, buildspec: c.Buildspec})
		}
		groups = bb.groups
	}
	for _, g := range groups {
		commit := bb.commit
		if old := g.current; old != nil {
			g.prior, commit = append(g.prior, old), old.commit
		}
		g.current = bb.beginChild(g, commit)
	}
}

// die fails the batch while its builds run: they are stopped.
func (bb *batch) die(f batchFailFile) {
	status := orText(f.Status, failed)
	bb.leave(status, f.Code, f.Message)
	bb.finish(status)
	for _, g := range bb.groups {
		if g.current != nil && !g.current.complete {
			g.current.abort(stopped, "", "")
		}
	}
}

func (bb *batch) enter(kind string) {
	bb.phases = append(bb.phases, phase{kind: kind, start: bb.p.est.sim.now})
}

func (bb *batch) leave(status, code, message string) {
	p := &bb.phases[len(bb.phases)-1]
	p.end, p.status, p.code, p.message = bb.p.est.sim.now, status, code, message
}

// finish ends the batch, in a phase that is named after how.
func (bb *batch) finish(status string) {
	kind := map[string]string{succeeded: "SUCCEEDED", stopped: "STOPPED"}[status]
	bb.enter(orText(kind, "FAILED"))
	bb.leave(status, "", "")
	bb.complete, bb.end, bb.status = true, bb.p.est.sim.now, status
	if bb.run != nil {
		bb.run.batchEnded(bb)
	}
}

// listBuildBatches lists the ids of a project's batches, newest first, 100 a page.
func listBuildBatches(r *request, in *listBatchesInput) (any, error) {
	p, err := r.projectNamed("codebuild:ListBuildBatchesForProject", in.ProjectName)
	if err != nil {
		return nil, err
	}
	ids := []string{}
	for i := range p.batches {
		if bb := p.batches[len(p.batches)-1-i]; in.Filter == nil || in.Filter.Status == "" || in.Filter.Status == bb.status {
			ids = append(ids, bb.id())
		}
	}
	return pageOf("ids", ids, in.NextToken)
}

type listBatchesInput struct {
	ProjectName string `json:"projectName"`
	NextToken   string `json:"nextToken"`
	Filter      *struct {
		Status string `json:"status"`
	} `json:"filter"`
}

// StopBatch stops a batch that runs, and its builds, as a person would.
func (s *Sim) StopBatch(project string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, bb := range s.home().project[project].batches {
		if !bb.complete {
			bb.die(batchFailFile{Status: stopped})
		}
	}
}

// Batches lists the ARNs of a project's batches in the home account, oldest first.
func (s *Sim) Batches(project string) (arns []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p, ok := s.home().project[project]; ok {
		for _, bb := range p.batches {
			arns = append(arns, bb.arn())
		}
	}
	return arns
}

// Attempts counts the attempts of all batches of a project in the home account.
func (s *Sim) Attempts(project string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p, ok := s.home().project[project]; ok {
		for _, bb := range p.batches {
			n += bb.attempts
		}
	}
	return n
}

// RetryBatch retries the project's last batch, as a person would.
func (s *Sim) RetryBatch(project string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	bs := s.home().project[project].batches
	if len(bs) == 0 || !bs[len(bs)-1].complete || bs[len(bs)-1].status == succeeded || bs[len(bs)-1].status == stopped {
		return false
	}
	bs[len(bs)-1].retry(false)
	return true
}
