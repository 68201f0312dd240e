package awsapi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	cb "github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// setting is one thing that a build takes from its project unless the start
// overrides it (AWS.md#overrides).
type setting struct {
	name string // as a person is told it
	// of is its value in a build's record, in a form that can be compared; nil if
	// the record does not tell.
	of func(b *types.Build) any
	// repeat asks for the build's value, and reports whether that can be asked for.
	// nil: it cannot, or must not, since it bounds what the function may start: the
	// function's own permissions forbid it, too.
	repeat func(in *cb.StartBuildInput, b, now *types.Build) bool
}

// The settings that a plan itself may change.
const (
	buildspecSetting = "buildspec"
	roleSetting      = "service role"
)

// buildSettings are all settings of a build, so that each is the same in the
// repeated build, or is told.
var buildSettings = slices.Concat([]setting{
	{roleSetting, func(b *types.Build) any { return told(lastPart(b.ServiceRole)) }, nil},
	{"encryption key", func(b *types.Build) any { return told(lastPart(b.EncryptionKey)) }, nil},
	{"timeout", func(b *types.Build) any { return int32Of(b.TimeoutInMinutes) }, always(func(in *cb.StartBuildInput, b *types.Build) {
		in.TimeoutInMinutesOverride = b.TimeoutInMinutes
	})},
	{"time in the queue", func(b *types.Build) any { return int32Of(b.QueuedTimeoutInMinutes) },
		always(func(in *cb.StartBuildInput, b *types.Build) {
			in.QueuedTimeoutInMinutesOverride = b.QueuedTimeoutInMinutes
		})},
	{"cache", cacheOf, always(func(in *cb.StartBuildInput, b *types.Build) { in.CacheOverride = b.Cache })},
	{"log destinations", logsOf, always(func(in *cb.StartBuildInput, b *types.Build) {
		in.LogsConfigOverride = &types.LogsConfig{CloudWatchLogs: b.Logs.CloudWatchLogs, S3Logs: b.Logs.S3Logs}
	})},
	{"auto-retry limit", autoRetryOf, always(func(in *cb.StartBuildInput, b *types.Build) {
		in.AutoRetryLimitOverride = b.AutoRetryConfig.AutoRetryLimit
	})},
	{"debug session", func(b *types.Build) any { return b.DebugSession != nil && aws.ToBool(b.DebugSession.SessionEnabled) }, nil},
	{"VPC", vpcOf, nil},
	{"file systems", func(b *types.Build) any { return sorted(b.FileSystemLocations, fileSystem) }, nil},
	{"artifacts", func(b *types.Build) any { return artifact(b.Artifacts) }, nil},
	{"secondary artifacts", func(b *types.Build) any { return sorted(b.SecondaryArtifacts, secondaryArtifact) }, nil},
	{"secondary sources", func(b *types.Build) any { return sorted(b.SecondarySources, secondarySource) }, nil},
	{"secondary source versions", func(b *types.Build) any { return sorted(b.SecondarySourceVersions, sourceVersion) }, repeatVersions},
}, sourceSettings, environmentSettings)

var sourceSettings = []setting{
	{"source type", source(func(s *types.ProjectSource) any { return told(string(s.Type)) }), nil},
	{"source location", source(func(s *types.ProjectSource) any { return told(aws.ToString(s.Location)) }), nil},
	{"source credentials", source(func(s *types.ProjectSource) any {
		if s.Auth == nil {
			return nil
		}
		return string(s.Auth.Type) + " " + aws.ToString(s.Auth.Resource)
	}), nil},
	{buildspecSetting, source(func(s *types.ProjectSource) any { return aws.ToString(s.Buildspec) }), nil},
	{"insecure TLS of the source", source(func(s *types.ProjectSource) any { return aws.ToBool(s.InsecureSsl) }), nil},
	{"git clone depth", source(func(s *types.ProjectSource) any { return aws.ToInt32(s.GitCloneDepth) }),
		always(func(in *cb.StartBuildInput, b *types.Build) {
			in.GitCloneDepthOverride = aws.Int32(aws.ToInt32(b.Source.GitCloneDepth))
		})},
	{"git submodules", source(func(s *types.ProjectSource) any { return submodules(s) }),
		always(func(in *cb.StartBuildInput, b *types.Build) {
			in.GitSubmodulesConfigOverride = &types.GitSubmodulesConfig{FetchSubmodules: aws.Bool(submodules(b.Source))}
		})},
	{"reporting of the build's status", source(func(s *types.ProjectSource) any { return aws.ToBool(s.ReportBuildStatus) }),
		always(func(in *cb.StartBuildInput, b *types.Build) {
			in.ReportBuildStatusOverride = aws.Bool(aws.ToBool(b.Source.ReportBuildStatus))
		})},
	{"form of the build's status", source(func(s *types.ProjectSource) any {
		if s.BuildStatusConfig == nil {
			return nil
		}
		return aws.ToString(s.BuildStatusConfig.Context) + " " + aws.ToString(s.BuildStatusConfig.TargetUrl)
	}), always(func(in *cb.StartBuildInput, b *types.Build) {
		in.BuildStatusConfigOverride = b.Source.BuildStatusConfig
	})},
}

var environmentSettings = []setting{
	{"environment variables", environment(func(e *types.ProjectEnvironment) any { return variables(e) }), repeatVariables},
	{"compute type", environment(func(e *types.ProjectEnvironment) any { return told(string(e.ComputeType)) }),
		always(func(in *cb.StartBuildInput, b *types.Build) { in.ComputeTypeOverride = b.Environment.ComputeType })},
	{"image", environment(func(e *types.ProjectEnvironment) any { return told(aws.ToString(e.Image)) }), nil},
	{"environment type", environment(func(e *types.ProjectEnvironment) any { return told(string(e.Type)) }), nil},
	{"privileged mode", environment(func(e *types.ProjectEnvironment) any { return aws.ToBool(e.PrivilegedMode) }), nil},
	{"certificate", environment(func(e *types.ProjectEnvironment) any { return aws.ToString(e.Certificate) }), nil},
	{"registry credentials", environment(func(e *types.ProjectEnvironment) any {
		if e.RegistryCredential == nil {
			return ""
		}
		return aws.ToString(e.RegistryCredential.Credential)
	}), nil},
	{"image credentials", environment(func(e *types.ProjectEnvironment) any {
		return cmp.Or(e.ImagePullCredentialsType, types.ImagePullCredentialsTypeCodebuild)
	}), nil},
	{"fleet", environment(func(e *types.ProjectEnvironment) any {
		if e.Fleet == nil {
			return ""
		}
		return aws.ToString(e.Fleet.FleetArn)
	}), nil},
	{"compute configuration", environment(func(e *types.ProjectEnvironment) any {
		c := aws.ToString
		if e.ComputeConfiguration == nil {
			return ""
		}
		return fmt.Sprint(c(e.ComputeConfiguration.InstanceType), " ", e.ComputeConfiguration.MachineType, " ",
			aws.ToInt64(e.ComputeConfiguration.Disk), aws.ToInt64(e.ComputeConfiguration.Memory), aws.ToInt64(e.ComputeConfiguration.VCpu))
	}), nil},
	{"Docker server", environment(func(e *types.ProjectEnvironment) any {
		if e.DockerServer == nil {
			return ""
		}
		return fmt.Sprint(e.DockerServer.ComputeType, slices.Sorted(slices.Values(e.DockerServer.SecurityGroupIds)))
	}), nil},
}

func source(of func(s *types.ProjectSource) any) func(b *types.Build) any {
	return func(b *types.Build) any {
		if b.Source == nil {
			return nil
		}
		return of(b.Source)
	}
}

func environment(of func(e *types.ProjectEnvironment) any) func(b *types.Build) any {
	return func(b *types.Build) any {
		if b.Environment == nil {
			return nil
		}
		return of(b.Environment)
	}
}

func always(repeat func(in *cb.StartBuildInput, b *types.Build)) func(in *cb.StartBuildInput, b, _ *types.Build) bool {
	return func(in *cb.StartBuildInput, b, _ *types.Build) bool {
		repeat(in, b)
		return true
	}
}

// told is nil for a text that a record always has, where it is missing.
func told(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func int32Of(n *int32) any {
	if n == nil {
		return nil
	}
	return *n
}

// lastPart is a name without what an ARN, a path or an alias puts before it:
// records have either form (AWS.md#service-role).
func lastPart(s *string) string {
	name := aws.ToString(s)
	return name[strings.LastIndexAny(name, ":/")+1:]
}

// sorted is the list in an order of its own, since records keep none.
func sorted[T any](list []T, text func(T) string) []string {
	out := []string{}
	for _, v := range list {
		out = append(out, text(v))
	}
	slices.Sort(out)
	return out
}

func cacheOf(b *types.Build) any {
	c := b.Cache
	switch {
	case c == nil:
		return nil
	case c.Type == "", c.Type == types.CacheTypeNoCache:
		return string(types.CacheTypeNoCache)
	}
	modes := sorted(c.Modes, func(m types.CacheMode) string { return string(m) })
	return fmt.Sprintf("%s %q %q %q", c.Type, aws.ToString(c.Location), modes, aws.ToString(c.CacheNamespace))
}

func logsOf(b *types.Build) any {
	if b.Logs == nil || b.Logs.CloudWatchLogs == nil && b.Logs.S3Logs == nil {
		return nil
	}
	watch, s3 := "ENABLED", "DISABLED" // what a project has that does not say
	if c := b.Logs.CloudWatchLogs; c != nil {
		if watch = string(c.Status); c.Status == types.LogsConfigStatusTypeEnabled {
			watch = fmt.Sprintf("%s %q %q", watch, aws.ToString(c.GroupName), aws.ToString(c.StreamName))
		}
	} else {
		watch = fmt.Sprintf("%s %q %q", watch, "", "")
	}
	if c := b.Logs.S3Logs; c != nil && c.Status == types.LogsConfigStatusTypeEnabled {
		s3 = fmt.Sprintf("%s %q %v %s", c.Status, aws.ToString(c.Location), aws.ToBool(c.EncryptionDisabled), c.BucketOwnerAccess)
	}
	return watch + "; " + s3
}

func autoRetryOf(b *types.Build) any {
	if b.AutoRetryConfig == nil {
		return nil
	}
	return aws.ToInt32(b.AutoRetryConfig.AutoRetryLimit)
}

func vpcOf(b *types.Build) any {
	if b.VpcConfig == nil {
		return ""
	}
	v := b.VpcConfig
	return fmt.Sprint(aws.ToString(v.VpcId), slices.Sorted(slices.Values(v.Subnets)), slices.Sorted(slices.Values(v.SecurityGroupIds)))
}

func fileSystem(f types.ProjectFileSystemLocation) string {
	return fmt.Sprintf("%s %q %q %q %q", f.Type, aws.ToString(f.Identifier), aws.ToString(f.Location), aws.ToString(f.MountPoint),
		aws.ToString(f.MountOptions))
}

// artifact is what a record tells of where artifacts go. Not told are type,
// path, name and packaging, nor the absence of artifacts (AWS.md#overrides).
func artifact(a *types.BuildArtifacts) any {
	if a == nil || aws.ToString(a.Location) == "" {
		return nil
	}
	where := *a.Location
	if i := strings.LastIndex(where, ":::"); i >= 0 {
		where = where[i+3:]
	}
	bucket, _, _ := strings.Cut(where, "/")
	return fmt.Sprintf("%q %v %v %s", bucket, aws.ToBool(a.EncryptionDisabled), aws.ToBool(a.OverrideArtifactName), a.BucketOwnerAccess)
}

func secondaryArtifact(a types.BuildArtifacts) string {
	return fmt.Sprintf("%q %v", aws.ToString(a.ArtifactIdentifier), artifact(&a))
}

func submodules(s *types.ProjectSource) bool {
	return s.GitSubmodulesConfig != nil && aws.ToBool(s.GitSubmodulesConfig.FetchSubmodules)
}

func secondarySource(s types.ProjectSource) string {
	auth := types.SourceAuth{}
	if s.Auth != nil {
		auth = *s.Auth
	}
	return fmt.Sprintf("%q %s %q %q %v %s %q %d %v", aws.ToString(s.SourceIdentifier), s.Type, aws.ToString(s.Location),
		aws.ToString(s.Buildspec), aws.ToBool(s.InsecureSsl), auth.Type, aws.ToString(auth.Resource), aws.ToInt32(s.GitCloneDepth),
		submodules(&s))
}

func sourceVersion(v types.ProjectSourceVersion) string {
	return fmt.Sprintf("%q %q", aws.ToString(v.SourceIdentifier), aws.ToString(v.SourceVersion))
}

// repeatVersions asks for the versions of the secondary sources. To ask for
// none would leave the project's.
func repeatVersions(in *cb.StartBuildInput, b, now *types.Build) bool {
	in.SecondarySourcesVersionOverride = b.SecondarySourceVersions
	return covers(b.SecondarySourceVersions, now.SecondarySourceVersions,
		func(v types.ProjectSourceVersion) string { return aws.ToString(v.SourceIdentifier) })
}

func variables(e *types.ProjectEnvironment) []string {
	return sorted(e.EnvironmentVariables, func(v types.EnvironmentVariable) string {
		return fmt.Sprintf("%q %s %q", aws.ToString(v.Name), cmp.Or(v.Type, types.EnvironmentVariableTypePlaintext), aws.ToString(v.Value))
	})
}

// repeatVariables asks for the build's variables. A variable that only the
// project has now cannot be taken away, since CodeBuild adds these to its own.
func repeatVariables(in *cb.StartBuildInput, b, now *types.Build) bool {
	in.EnvironmentVariablesOverride = b.Environment.EnvironmentVariables
	return now.Environment == nil || covers(b.Environment.EnvironmentVariables, now.Environment.EnvironmentVariables,
		func(v types.EnvironmentVariable) string { return aws.ToString(v.Name) })
}

// covers reports whether each name in b is in a.
func covers[T any](a, b []T, name func(T) string) bool {
	return !slices.ContainsFunc(b, func(v T) bool {
		return !slices.ContainsFunc(a, func(u T) bool { return name(u) == name(v) })
	})
}

// asBuilt is the record that a build of the project has if its start overrides
// nothing.
func asBuilt(p *types.Project) *types.Build {
	b := &types.Build{
		Cache: p.Cache, EncryptionKey: p.EncryptionKey, Environment: p.Environment, FileSystemLocations: p.FileSystemLocations,
		QueuedTimeoutInMinutes: p.QueuedTimeoutInMinutes, SecondarySourceVersions: p.SecondarySourceVersions,
		SecondarySources: p.SecondarySources, ServiceRole: p.ServiceRole, Source: p.Source, TimeoutInMinutes: p.TimeoutInMinutes,
		VpcConfig: p.VpcConfig, AutoRetryConfig: &types.AutoRetryConfig{AutoRetryLimit: aws.Int32(aws.ToInt32(p.AutoRetryLimit))},
		Artifacts: builtArtifact(p.Artifacts),
		Logs:      &types.LogsLocation{CloudWatchLogs: &types.CloudWatchLogsConfig{Status: types.LogsConfigStatusTypeEnabled}},
	}
	if p.Cache == nil {
		b.Cache = &types.ProjectCache{Type: types.CacheTypeNoCache}
	}
	if p.EncryptionKey == nil {
		b.EncryptionKey = aws.String("alias/aws/s3")
	}
	if l := p.LogsConfig; l != nil {
		b.Logs = &types.LogsLocation{CloudWatchLogs: cmp.Or(l.CloudWatchLogs, b.Logs.CloudWatchLogs), S3Logs: l.S3Logs}
	}
	for _, a := range p.SecondaryArtifacts {
		b.SecondaryArtifacts = append(b.SecondaryArtifacts, *builtArtifact(&a))
	}
	return b
}

func builtArtifact(a *types.ProjectArtifacts) *types.BuildArtifacts {
	if a == nil {
		return nil
	}
	out := &types.BuildArtifacts{ArtifactIdentifier: a.ArtifactIdentifier, BucketOwnerAccess: a.BucketOwnerAccess,
		EncryptionDisabled: a.EncryptionDisabled, OverrideArtifactName: a.OverrideArtifactName}
	if a.Type == types.ArtifactsTypeS3 {
		out.Location = a.Location
	}
	return out
}

// different are the settings in which two builds differ, as far as the first
// one's record tells.
func different(b, other *types.Build) (out []setting) {
	for _, s := range buildSettings {
		if v := s.of(b); v != nil && !reflect.DeepEqual(v, s.of(other)) {
			out = append(out, s)
		}
	}
	return out
}

// repetition is the request that starts the build again as it was, other than
// in the plan, and the names of what it would not repeat.
func repetition(b *types.Build, p *types.Project, plan decide.Plan) (in *cb.StartBuildInput, wanted *types.Build, missing []string) {
	wanted, now := planned(b, plan), asBuilt(p)
	in = &cb.StartBuildInput{ProjectName: p.Name}
	for _, s := range different(wanted, now) {
		switch {
		case s.name == buildspecSetting && plan.Buildspec != "":
			in.BuildspecOverride = &plan.Buildspec
		case s.repeat == nil || !s.repeat(in, wanted, now):
			missing = append(missing, s.name)
		}
	}
	return in, wanted, missing
}

// planned is the record of the build with what the plan changes.
func planned(b *types.Build, plan decide.Plan) *types.Build {
	out := *b
	if plan.NewRole != "" {
		out.ServiceRole = &plan.NewRole
	}
	if plan.Buildspec != "" && b.Source != nil {
		s := *b.Source
		s.Buildspec = &plan.Buildspec
		out.Source = &s
	}
	return &out
}

// Unrepeatable implements [heal.Retrier].
func (c CodeBuild) Unrepeatable(ctx context.Context, b codebuild.Build) ([]string, error) {
	at, err := accountOf(b)
	if err != nil {
		return nil, err
	}
	was, p, unknown, err := c.recordsOf(ctx, at, b)
	if err != nil {
		return nil, err
	}
	_, _, missing := repetition(was, p, decide.Plan{})
	return append(missing, unknown...), nil
}

// recordsOf reads the build's whole record, and its project's. They hold the
// values of variables, which are kept nowhere: they are read again for each use.
// unknown names settings in which the two differ and that this version does not know.
func (c CodeBuild) recordsOf(ctx context.Context, at settings.Account, b codebuild.Build,
) (was *types.Build, p *types.Project, unknown []string, err error) {
	client, err := c.client(at)
	if err != nil {
		return nil, nil, nil, err
	}
	had, has := unknownSettings{}, unknownSettings{}
	builds, err := client.BatchGetBuilds(ctx, &cb.BatchGetBuildsInput{Ids: []string{b.ID}}, had.note("builds"))
	if err != nil {
		return nil, nil, nil, classify(err)
	}
	projects, err := client.BatchGetProjects(ctx, &cb.BatchGetProjectsInput{Names: []string{b.Project}}, has.note("projects"))
	if err != nil {
		return nil, nil, nil, classify(err)
	}
	if len(builds.Builds) == 0 || len(projects.Projects) == 0 {
		return nil, nil, nil, fmt.Errorf("build %q or its project is gone, so it cannot be repeated: %w", b.ID, heal.ErrFinal)
	}
	return &builds.Builds[0], &projects.Projects[0], had.beyond(has), nil
}

func (c CodeBuild) startBuild(ctx context.Context, at settings.Account, b codebuild.Build, p decide.Plan, token string,
) (heal.Started, error) {
	client, err := c.client(at)
	if err != nil {
		return heal.Started{}, err
	}
	was, project, unknown, err := c.recordsOf(ctx, at, b)
	if err != nil {
		return heal.Started{}, err
	}
	in, wanted, missing := repetition(was, project, p)
	missing = append(missing, unknown...)
	if len(missing) > 0 {
		return heal.Started{}, fmt.Errorf("a new build would not have the failed one's %s, so none was started: start it by hand, "+
			"with what was overridden: %w", strings.Join(missing, ", "), heal.ErrFinal)
	}
	in.IdempotencyToken = &token
	if v := b.Commit(); v != "" {
		in.SourceVersion = &v
	}
	out, err := client.StartBuild(ctx, in)
	if err != nil {
		return heal.Started{}, withoutValues(classify(err), in.EnvironmentVariablesOverride)
	}
	return heal.Started{ID: aws.ToString(out.Build.Id), Differs: unlike(out.Build, wanted)}, nil
}

// unlike names in what the build that was started is other than was asked for.
func unlike(started, wanted *types.Build) (names []string) {
	for _, s := range different(started, wanted) {
		if s.of(wanted) != nil {
			names = append(names, s.name)
		}
	}
	return names
}

// valueless is an error without the values of variables, which AWS's message
// may quote.
type valueless struct {
	text string
	err  error
}

func (e valueless) Error() string { return e.text }

// Is and As let the error be told apart, and nobody print what it wraps.
func (e valueless) Is(target error) bool { return errors.Is(e.err, target) }

// As implements errors.As.
func (e valueless) As(target any) bool { return errors.As(e.err, target) }

func withoutValues(err error, vars []types.EnvironmentVariable) error {
	text := err.Error()
	for _, v := range vars {
		if value := aws.ToString(v.Value); value != "" {
			text = strings.ReplaceAll(text, value, "[value]")
		}
	}
	if text == err.Error() {
		return err
	}
	return valueless{text, err}
}
