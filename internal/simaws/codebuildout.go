package simaws

import (
	"cmp"
	"strings"
	"time"
)

// What CodeBuild answers with.

type buildOut struct {
	ID                    string         `json:"id"`
	Arn                   string         `json:"arn"`
	BuildNumber           int64          `json:"buildNumber"`
	BuildComplete         bool           `json:"buildComplete"`
	BuildStatus           string         `json:"buildStatus"`
	CurrentPhase          string         `json:"currentPhase"`
	StartTime             epoch          `json:"startTime"`
	EndTime               epoch          `json:"endTime"`
	Initiator             string         `json:"initiator"`
	ProjectName           string         `json:"projectName"`
	ServiceRole           string         `json:"serviceRole"`
	SourceVersion         string         `json:"sourceVersion,omitempty"`
	ResolvedSourceVersion string         `json:"resolvedSourceVersion,omitempty"`
	Source                sourceOut      `json:"source"`
	Environment           environmentOut `json:"environment"`
	Phases                []phaseOut     `json:"phases"`
	Logs                  *logsOut       `json:"logs,omitempty"`
	BuildBatchArn         string         `json:"buildBatchArn,omitempty"`
	AutoRetryConfig       *autoRetryOut  `json:"autoRetryConfig,omitempty"`
	EncryptionKey         string         `json:"encryptionKey"`
	TimeoutInMinutes      int            `json:"timeoutInMinutes"`
	QueuedTimeout         int            `json:"queuedTimeoutInMinutes"`
	Cache                 cacheOut       `json:"cache"`
	Artifacts             artifactsOut   `json:"artifacts"`
	SecondarySources      []secondaryOut `json:"secondarySources,omitempty"`
	SecondaryVersions     []versionOut   `json:"secondarySourceVersions,omitempty"`
	VPCConfig             *vpcOut        `json:"vpcConfig,omitempty"`
	DebugSession          *debugOut      `json:"debugSession,omitempty"`
	ReportArns            []string       `json:"reportArns,omitempty"`
}

type sourceOut struct {
	Type              string `json:"type"`
	Location          string `json:"location,omitempty"`
	Buildspec         string `json:"buildspec,omitempty"`
	GitCloneDepth     int    `json:"gitCloneDepth"`
	InsecureSSL       bool   `json:"insecureSsl"`
	ReportBuildStatus bool   `json:"reportBuildStatus"`
}

type environmentOut struct {
	Type                 string           `json:"type"`
	Image                string           `json:"image"`
	ComputeType          string           `json:"computeType"`
	Certificate          string           `json:"certificate,omitempty"`
	PrivilegedMode       bool             `json:"privilegedMode"`
	EnvironmentVariables []variableOut    `json:"environmentVariables"`
	Fleet                *fleetOut        `json:"fleet,omitempty"`
	DockerServer         *dockerServerOut `json:"dockerServer,omitempty"`
}

// artifactsOut is what a build's record tells of artifacts: where they go.
type artifactsOut struct {
	Location string `json:"location"`
}

type vpcOut struct {
	VPCID string `json:"vpcId"`
}

type debugOut struct {
	SessionEnabled bool `json:"sessionEnabled"`
}

type phaseOut struct {
	PhaseType   string       `json:"phaseType"`
	PhaseStatus string       `json:"phaseStatus,omitempty"`
	StartTime   epoch        `json:"startTime"`
	EndTime     epoch        `json:"endTime"`
	Duration    *int64       `json:"durationInSeconds,omitempty"`
	Contexts    []contextOut `json:"contexts,omitempty"`
}

type contextOut struct {
	StatusCode string `json:"statusCode"`
	Message    string `json:"message"`
}

type logsOut struct {
	GroupName         string         `json:"groupName,omitempty"`
	StreamName        string         `json:"streamName,omitempty"`
	DeepLink          string         `json:"deepLink,omitempty"`
	CloudWatchLogsArn string         `json:"cloudWatchLogsArn,omitempty"`
	CloudWatchLogs    *cloudWatchOut `json:"cloudWatchLogs,omitempty"`
	S3DeepLink        string         `json:"s3DeepLink,omitempty"`
	S3LogsArn         string         `json:"s3LogsArn,omitempty"`
	S3Logs            *s3LogsOut     `json:"s3Logs,omitempty"`
}

type cloudWatchOut struct {
	Status     string `json:"status"`
	GroupName  string `json:"groupName,omitempty"`
	StreamName string `json:"streamName,omitempty"`
}

type s3LogsOut struct {
	Status             string `json:"status"`
	Location           string `json:"location,omitempty"`
	EncryptionDisabled bool   `json:"encryptionDisabled"`
}

type autoRetryOut struct {
	Limit    int    `json:"autoRetryLimit"`
	Number   int    `json:"autoRetryNumber"`
	Next     string `json:"nextAutoRetry,omitempty"`
	Previous string `json:"previousAutoRetry,omitempty"`
}

func (b *build) out() buildOut {
	o := buildOut{
		ID: b.id(), Arn: b.arn(), BuildNumber: b.number, BuildComplete: b.complete, BuildStatus: b.status,
		CurrentPhase: b.currentPhase(), StartTime: epoch(b.start), EndTime: epoch(b.end), Initiator: b.initiator,
		ProjectName: b.p.conf.Name, ServiceRole: b.role, SourceVersion: b.sourceVersion, ResolvedSourceVersion: b.resolved,
		Source: b.sourceOut(), Environment: b.env, Phases: b.phasesOut(), Logs: b.logsOut(),
		EncryptionKey:    orText(b.over.EncryptionKey, b.p.est.arn("kms", "alias/aws/s3")),
		TimeoutInMinutes: int(time.Duration(b.conf.Timeout).Minutes()), QueuedTimeout: cmp.Or(b.over.QueuedTimeout, queuedMinutes),
		Cache: cacheOut{Type: "NO_CACHE"}, SecondarySources: b.over.SecondarySources, SecondaryVersions: b.over.SecondaryVersion,
		VPCConfig: b.conf.vpcOut(),
	}
	if b.over.Cache != nil {
		o.Cache = *b.over.Cache
	}
	if b.conf.Artifacts != "" {
		o.Artifacts.Location = "arn:" + b.p.est.acct.partition + ":s3:::" + b.conf.Artifacts + "/" + b.p.conf.Name
	}
	if b.over.Debug {
		o.DebugSession = &debugOut{true}
	}
	for _, r := range b.reports {
		o.ReportArns = append(o.ReportArns, r.arn())
	}
	if b.batch != nil {
		o.BuildBatchArn = b.batch.arn()
	}
	if r := b.retry; r.limit > 0 {
		o.AutoRetryConfig = &autoRetryOut{r.limit, r.number, r.next, r.previous}
	}
	return o
}

func (b *build) sourceOut() sourceOut {
	s := sourceOut{Type: b.sourceType, Buildspec: orText(b.buildspec, b.p.conf.Buildspec)}
	if b.over.GitCloneDepth != nil {
		s.GitCloneDepth = *b.over.GitCloneDepth
	}
	s.InsecureSSL = b.over.InsecureSSL != nil && *b.over.InsecureSSL
	s.ReportBuildStatus = b.over.ReportStatus != nil && *b.over.ReportStatus
	if s.Type != "CODEPIPELINE" {
		s.Location = b.conf.Source.Location
	}
	return s
}

func (b *build) phasesOut() []phaseOut { return phasesOut(b.phases) }

func phasesOut(phases []phase) []phaseOut {
	out := []phaseOut{}
	for _, p := range phases {
		o := phaseOut{PhaseType: p.kind, PhaseStatus: p.status, StartTime: epoch(p.start), EndTime: epoch(p.end)}
		if !p.end.IsZero() {
			d := int64(p.end.Sub(p.start).Seconds())
			o.Duration, o.Contexts = &d, []contextOut{{p.code, p.message}}
		}
		out = append(out, o)
	}
	return out
}

// logsOut: without a stream the ARN says null, even though CloudWatch logs
// are enabled; a build that was just started has no log fields at all
// (AWS.md#log-location, AWS.md#retry-of-a-build).
func (b *build) logsOut() *logsOut {
	if !b.complete && b.currentPhase() == "QUEUED" {
		return nil
	}
	o := &logsOut{CloudWatchLogs: &cloudWatchOut{Status: "ENABLED"}}
	if b.conf.Logs.Off {
		o.CloudWatchLogs.Status = "DISABLED"
	} else {
		o.CloudWatchLogs.GroupName, o.CloudWatchLogs.StreamName = b.conf.Logs.Group, b.conf.Logs.Stream
	}
	group, stream := "null", "null"
	if b.stream != nil {
		group, stream = b.group, b.name
		o.GroupName, o.StreamName = group, stream
	}
	o.DeepLink, o.CloudWatchLogsArn = b.deepLink(group, stream), b.p.est.streamARN(group, stream)
	if bucket, key, ok := b.s3Log(); ok {
		o.S3Logs = &s3LogsOut{Status: "ENABLED", Location: b.conf.Logs.S3}
		o.S3LogsArn = "arn:" + b.p.est.acct.partition + ":s3:::" + bucket + "/" + key
		o.S3DeepLink = "https://s3.console.aws.amazon.com/s3/object/" + bucket + "/" + key
	}
	return o
}

type projectOut struct {
	Name           string          `json:"name"`
	Arn            string          `json:"arn"`
	ServiceRole    string          `json:"serviceRole"`
	Source         sourceOut       `json:"source"`
	Environment    environmentOut  `json:"environment"`
	Created        epoch           `json:"created"`
	LastModified   epoch           `json:"lastModified"`
	AutoRetryLimit int             `json:"autoRetryLimit"`
	Timeout        int             `json:"timeoutInMinutes"`
	QueuedTimeout  int             `json:"queuedTimeoutInMinutes"`
	EncryptionKey  string          `json:"encryptionKey"`
	Cache          cacheOut        `json:"cache"`
	Artifacts      artifactsInput  `json:"artifacts"`
	LogsConfig     logsConfigOut   `json:"logsConfig"`
	VPCConfig      *vpcOut         `json:"vpcConfig,omitempty"`
	Webhook        *webhookOut     `json:"webhook,omitempty"`
	Batch          *batchConfigOut `json:"buildBatchConfig,omitempty"`
}

type webhookOut struct {
	FilterGroups [][]filterOut `json:"filterGroups"`
}

type filterOut struct {
	Type    string `json:"type" yaml:"type"`
	Pattern string `json:"pattern" yaml:"pattern"`
}

// queuedMinutes is how long a build may wait in the queue.
const queuedMinutes = 480

func (c projectFile) vpcOut() *vpcOut {
	if !c.VPC {
		return nil
	}
	return &vpcOut{"vpc-0a1b2c3d"}
}

func (p *project) out() projectOut {
	var hook *webhookOut
	if p.conf.Webhook != nil {
		hook = &webhookOut{p.conf.Webhook}
	}
	var batches *batchConfigOut
	if len(p.conf.Batch) > 0 {
		batches = &batchConfigOut{p.batchRole()}
	}
	return projectOut{
		Webhook: hook, Batch: batches,
		Name: p.conf.Name, Arn: p.arn(), ServiceRole: p.role,
		Source:      sourceOut{Type: p.conf.Source.Type, Location: p.conf.Source.Location, Buildspec: p.conf.Buildspec},
		Environment: p.environmentOut(), Created: epoch(p.created), LastModified: epoch(p.changed), AutoRetryLimit: p.conf.AutoRetry,
		Timeout: int(time.Duration(p.conf.Timeout).Minutes()), QueuedTimeout: queuedMinutes,
		EncryptionKey: p.est.arn("kms", "alias/aws/s3"), Cache: cacheOut{Type: "NO_CACHE"}, Artifacts: p.conf.artifactsOut(),
		LogsConfig: p.conf.logsConfigOut(), VPCConfig: p.conf.vpcOut(),
	}
}

func (c projectFile) artifactsOut() artifactsInput {
	if c.Artifacts == "" {
		return artifactsInput{Type: "NO_ARTIFACTS"}
	}
	bucket, path, _ := strings.Cut(c.Artifacts, "/")
	return artifactsInput{Type: "S3", Location: bucket, Path: path, Name: c.Name}
}

func (c projectFile) logsConfigOut() logsConfigOut {
	o := logsConfigOut{CloudWatchLogs: &cloudWatchOut{Status: "ENABLED", GroupName: c.Logs.Group, StreamName: c.Logs.Stream},
		S3Logs: &s3LogsOut{Status: "DISABLED"}}
	if c.Logs.Off {
		o.CloudWatchLogs = &cloudWatchOut{Status: "DISABLED"}
	}
	if c.Logs.S3 != "" {
		o.S3Logs = &s3LogsOut{Status: "ENABLED", Location: c.Logs.S3}
	}
	return o
}
