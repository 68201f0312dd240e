package simaws

import (
	"slices"
	"strings"
	"time"
)

// build is one run of a project.
type build struct {
	p         *project
	uuid      string
	number    int64
	status    string
	complete  bool
	phases    []phase
	start     time.Time
	end       time.Time
	initiator string
	role      string // service role ARN

	sourceVersion string
	sourceType    string // the pipeline overrides the project's (AWS.md#initiator)
	commit        *commit
	resolved      string // commit id, known once the source was downloaded
	buildspec     string // override, "" for the project's
	over          overrides
	conf          projectFile    // the project's, with what is overridden
	env           environmentOut // the same

	lane     *lane
	admitted bool // by the lane: it is not in the queue any more

	stream  *logStream // in CloudWatch; nil: none
	group   string
	name    string     // of the stream
	printed []logEvent // everything, wherever it goes
	last    time.Time  // of the last line
	mute    bool       // the role may not write to the stream

	batch   *batch
	batchID string // the child's identifier in the batch
	run     *stageRun
	retry   autoRetry
	job     *workflowJob // that it was started for; nil: none

	reports []*report

	todo   []step // of the present phase
	whole  []step // likewise, from its first command on
	reruns int    // likewise: how often it has begun again
	failed bool
}

// phase is one phase of a build.
type phase struct {
	kind, status  string
	code, message string
	start, end    time.Time
}

// autoRetry is CodeBuild's own retry (AWS.md#auto-retry).
type autoRetry struct {
	limit, number  int
	next, previous string
}

// The statuses (AWS.md#statuses).
const (
	inProgress = "IN_PROGRESS"
	succeeded  = "SUCCEEDED"
	failed     = "FAILED"
	fault      = "FAULT"
	timedOut   = "TIMED_OUT"
	stopped    = "STOPPED"
)

// How long CodeBuild itself takes.
const (
	queuedTime       = 1 * time.Second
	provisioningTime = 8 * time.Second
	downloadTime     = 4 * time.Second
	shortPhase       = 200 * time.Millisecond
	eventTime        = 1 * time.Second // from the end to the event
)

func (b *build) id() string  { return b.p.conf.Name + ":" + b.uuid }
func (b *build) arn() string { return b.p.est.arn("codebuild", "build/"+b.id()) }

// session is the caller as which the build acts (AWS.md#build-session).
func (b *build) session() caller {
	c := b.p.est.acct.session(b.role, "AWSCodeBuild-"+b.uuid)
	c.project, c.build = b.p.arn(), b.arn()
	return c
}

// order says what to build.
type order struct {
	version   string
	commit    *commit // nil: what version resolves to
	buildspec string
	initiator string
	role      string // "": the project's
	batch     *batch
	batchID   string
	run       *stageRun
	retry     autoRetry
	job       *workflowJob
	over      overrides
}

// begin starts a build: it goes on by itself as time passes.
func (p *project) begin(o order) *build {
	s := p.est.sim
	p.number++
	b := &build{
		p: p, uuid: s.uuid("build " + p.est.acct.id + p.est.region + p.conf.Name), number: p.number, status: inProgress,
		start: s.now, initiator: o.initiator, role: p.role, sourceVersion: o.version, sourceType: p.conf.Source.Type,
		commit: o.commit, buildspec: o.buildspec, batch: o.batch, batchID: o.batchID, run: o.run, retry: o.retry, job: o.job,
	}
	b.over, b.conf, b.env = o.over, o.over.conf(p.conf), o.over.environment(p.environmentOut())
	b.sourceType = b.conf.Source.Type
	if o.role != "" {
		b.role = o.role
	}
	if r, ok := s.roleByARN(o.over.ServiceRole); ok {
		b.role = r.arn()
	}
	if o.over.AutoRetry != nil {
		b.retry.limit = *o.over.AutoRetry
	}
	if o.run != nil {
		b.sourceType = "CODEPIPELINE"
	}
	p.builds = append(p.builds, b)
	p.est.builds[b.id()] = b
	b.phases = []phase{{kind: "SUBMITTED", status: succeeded, start: s.now, end: s.now}}
	b.phases = append(b.phases, phase{kind: "QUEUED", start: s.now})
	b.lane = p.est.lane(b.env)
	b.lane.join(b)
	b.announce()
	return b
}

// enter begins a phase and has then called after d.
func (b *build) enter(kind string, d time.Duration, then func()) {
	b.phases = append(b.phases, phase{kind: kind, start: b.sim().now})
	b.after(d, then)
}

// after continues the build after d, unless it was ended in the meantime.
func (b *build) after(d time.Duration, do func()) {
	b.sim().after(d, func() {
		if !b.complete {
			do()
		}
	})
}

func (b *build) sim() *Sim { return b.p.est.sim }

// leave ends the present phase; a code means that it failed.
func (b *build) leave(code, message string) {
	if code == "" {
		b.leaveAs(succeeded, "", "")
		return
	}
	b.leaveAs(failed, code, message)
	b.failed = true
}

func (b *build) leaveAs(status, code, message string) {
	p := &b.phases[len(b.phases)-1]
	p.end, p.status, p.code, p.message = b.sim().now, status, code, message
}

// abort ends the build in its present phase, with that status.
func (b *build) abort(status, code, message string) {
	b.leaveAs(status, code, message)
	b.finish()
}

// queued makes the log stream. If the role may not, the build fails here and has
// no log (AWS.md#codebuild-denials, AWS.md#no-log).
func (b *build) queued() {
	if code, msg := b.openLog(); code != "" {
		b.leave(code, msg)
		b.finish()
		return
	}
	b.leave("", "")
	b.enter("PROVISIONING", provisioningTime, b.provisioned)
}

// provisioned pulls the build image and joins the VPC.
func (b *build) provisioned() {
	if n := b.p.conf.Faults; n > 0 && b.sim().nth("faults "+b.p.arn()) <= n {
		b.abort(fault, "INTERNAL_SERVICE_ERROR", "CodeBuild is experiencing an issue")
		return
	}
	code, msg := b.refused("PROVISIONING")
	if code == "" {
		code, msg = b.provision()
	}
	if code != "" {
		b.leave(code, msg)
		b.finish()
		return
	}
	b.leave("", "")
	b.agent("Running on CodeBuild On-demand")
	b.agent("Waiting for agent ping")
	b.agent("Waiting for DOWNLOAD_SOURCE")
	b.enter("DOWNLOAD_SOURCE", downloadTime, b.downloaded)
}

// downloaded gets parameters, source and buildspec.
func (b *build) downloaded() {
	var spec phasesFile
	code, msg := b.refused("DOWNLOAD_SOURCE")
	if code == "" {
		spec, code, msg = b.download()
	}
	if code != "" {
		b.endPhase(code, msg)
		b.finalize()
		return
	}
	b.endPhase("", "")
	b.runPhase(spec, 0)
}

// buildPhases are the phases that a buildspec can fill.
var buildPhases = []string{"INSTALL", "PRE_BUILD", "BUILD", "POST_BUILD"}

// runPhase runs the i-th phase of the buildspec, and those after it.
func (b *build) runPhase(spec phasesFile, i int) {
	b.agent("Entering phase " + buildPhases[i])
	b.todo = [][]step{spec.Install, spec.PreBuild, spec.Build, spec.PostBuild}[i]
	if b.job != nil && buildPhases[i] == "BUILD" {
		b.todo = b.takeJob(b.todo)
	}
	b.whole, b.reruns = b.todo, 0
	b.enter(buildPhases[i], shortPhase, func() {
		b.work(func() { b.phaseEnded(spec, i) })
	})
}

// phaseEnded starts the next phase. After a failed BUILD, POST_BUILD still runs;
// after an earlier failure nothing of the buildspec does (AWS.md#build-phases).
func (b *build) phaseEnded(spec phasesFile, i int) {
	switch {
	case buildPhases[i] == "POST_BUILD":
		b.upload()
	case b.failed && buildPhases[i] != "BUILD":
		b.finalize()
	default:
		b.runPhase(spec, i+1)
	}
}

// left is when the build left the queue, from when on its own time counts
// (AWS.md#queue-limits).
func (b *build) left() time.Time {
	for _, p := range b.phases {
		if p.kind == "QUEUED" {
			return p.end
		}
	}
	return b.start
}

// work runs the commands of the present phase, then calls then.
func (b *build) work(then func()) {
	if len(b.todo) == 0 {
		b.endPhase("", "")
		then()
		return
	}
	st := b.todo[0]
	b.todo = b.todo[1:]
	b.agent("Running command " + st.Run)
	if left := b.left().Add(b.limit()).Sub(b.sim().now); st.duration() > left {
		b.after(left, func() { b.abort(timedOut, "BUILD_TIMED_OUT", "Build has timed out. ") })
		return
	}
	b.after(st.duration(), func() {
		exit := b.perform(st)
		b.print("") // as the agent does after every command
		if exit == 0 || st.Ignore {
			b.work(then)
			return
		}
		b.agent("Command did not exit successfully " + st.Run + " exit status " + itoa(exit))
		if b.runsAgain(st, exit) {
			b.work(then)
			return
		}
		b.endPhase("COMMAND_EXECUTION_ERROR", "Error while executing command: "+st.Run+". Reason: exit status "+itoa(exit))
		then()
	})
}

// onFailureFile is a phase's on-failure: RETRY in the buildspec.
type onFailureFile struct {
	Phase string `yaml:"phase"` // default BUILD
	Retry int    `yaml:"retry"`
	// Log is how the log shows that the phase runs again, which is not documented
	// (AWS.md#repeated-phases): "phase", the default, has its end and its beginning;
	// "beginning" only that; "commands" neither.
	Log string `yaml:"log"`
}

// runsAgain has the present phase begin again after a command failed, if the buildspec says so.
func (b *build) runsAgain(st step, exit int) bool {
	f := b.conf.OnFailure
	kind := b.currentPhase()
	if f.Retry <= b.reruns || kind != orText(f.Phase, "BUILD") {
		return false
	}
	b.reruns++
	if orText(f.Log, "phase") == "phase" {
		b.agent("Phase complete: " + kind + " State: FAILED")
		b.agent("Phase context status code: COMMAND_EXECUTION_ERROR Message: Error while executing command: " + st.Run +
			". Reason: exit status " + itoa(exit))
	}
	if f.Log != "commands" {
		b.agent("Entering phase " + kind)
	}
	b.todo = b.whole
	return true
}

// endPhase leaves the phase and logs it as the agent does (AWS.md#log-lines).
func (b *build) endPhase(code, message string) {
	b.leave(code, message)
	p := b.phases[len(b.phases)-1]
	if b.job != nil && p.kind == "BUILD" {
		b.leaveJob(code == "")
	}
	b.agent("Phase complete: " + p.kind + " State: " + p.status)
	b.agent("Phase context status code: " + code + " Message: " + message)
}

// upload is always attempted, even after a failed BUILD (AWS.md#build-phases).
func (b *build) upload() {
	b.makeReports()
	b.enter("UPLOAD_ARTIFACTS", shortPhase, func() {
		code, msg := b.uploadArtifacts()
		b.endPhase(code, msg)
		b.finalize()
	})
}

func (b *build) finalize() {
	b.enter("FINALIZING", 2*time.Second, func() {
		b.leave("", "")
		b.finish()
	})
}

// finish ends the build, tells of it, and starts what follows.
func (b *build) finish() {
	s := b.sim()
	b.phases = append(b.phases, phase{kind: "COMPLETED", start: s.now})
	b.status = succeeded
	for _, p := range slices.Backward(b.phases) {
		if p.status != "" && p.status != succeeded {
			b.status = p.status
		}
	}
	b.complete, b.end = true, s.now
	b.lane.leave(b)
	b.loseRunner()
	b.storeLog()
	b.autoRetry()
	s.after(eventTime, b.announce)
	if b.batch != nil {
		b.batch.childEnded(b)
	}
	if b.run != nil {
		b.run.buildEnded(b)
	}
}

// autoRetry has CodeBuild retry the build with the project's service role
// (AWS.md#auto-retry). Pipelines' and batches' builds are not retried.
func (b *build) autoRetry() {
	r := b.retry
	if b.status == succeeded || b.status == stopped || r.number >= r.limit || b.run != nil || b.batch != nil {
		return
	}
	who := b.session()
	q := question{who: who, action: "codebuild:RetryBuild", resource: b.p.arn(), region: b.p.est.region}
	if !b.sim().judge(q).allowed {
		return
	}
	next := b.p.begin(order{
		version: b.sourceVersion, commit: b.commit, buildspec: b.buildspec, over: b.over, initiator: who.initiator(),
		retry: autoRetry{limit: r.limit, number: r.number + 1, previous: b.arn()},
	})
	b.retry.next = next.arn()
}

// currentPhase is the last phase's name.
func (b *build) currentPhase() string { return b.phases[len(b.phases)-1].kind }

// failure is the code and message of the first failed phase.
func (b *build) failure() string {
	for _, p := range b.phases {
		if p.status != "" && p.status != succeeded {
			return p.code + ": " + p.message
		}
	}
	return ""
}

// srcDir is where the source lies in the container.
func (b *build) srcDir() string {
	d := b.sim().digest("src", b.uuid)
	dir := "/codebuild/output/src" + itoa(int(d[0])<<16|int(d[1])<<8|int(d[2])|1<<24) + "/src"
	if loc, ok := strings.CutPrefix(b.conf.Source.Location, "https://"); ok && b.sourceType != "CODEPIPELINE" {
		return dir + "/" + strings.TrimSuffix(loc, ".git")
	}
	return dir
}
