package awsapi

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	cb "github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/simaws"
)

// example is a project with something in every place that a build can
// override.
func example() *types.Project {
	return &types.Project{
		Name: aws.String("shop"), ServiceRole: aws.String("arn:aws:iam::111122223333:role/build/shop"),
		Source: &types.ProjectSource{Type: types.SourceTypeGithub, Location: aws.String("https://github.com/example/shop"),
			Auth: &types.SourceAuth{Type: types.SourceAuthTypeCodeconnections, Resource: aws.String("arn:connection")}},
		Environment: &types.ProjectEnvironment{Type: types.EnvironmentTypeLinuxContainer, Image: aws.String("aws/codebuild/standard:7.0"),
			ComputeType: types.ComputeTypeBuildGeneral1Small, PrivilegedMode: aws.Bool(false),
			ImagePullCredentialsType: types.ImagePullCredentialsTypeCodebuild,
			EnvironmentVariables:     []types.EnvironmentVariable{{Name: aws.String("STAGE"), Value: aws.String("production")}}},
		TimeoutInMinutes: aws.Int32(60), QueuedTimeoutInMinutes: aws.Int32(480), AutoRetryLimit: aws.Int32(0),
		Artifacts: &types.ProjectArtifacts{Type: types.ArtifactsTypeS3, Location: aws.String("dist"), Path: aws.String("shop")},
		SecondarySources: []types.ProjectSource{{Type: types.SourceTypeGithub, SourceIdentifier: aws.String("tools"),
			Location: aws.String("https://github.com/example/tools")}},
		SecondarySourceVersions: []types.ProjectSourceVersion{{SourceIdentifier: aws.String("tools"), SourceVersion: aws.String("main")}},
		VpcConfig:               &types.VpcConfig{VpcId: aws.String("vpc-1"), Subnets: []string{"subnet-2", "subnet-1"}},
		Tags:                    []types.Tag{{Key: aws.String("team"), Value: aws.String("web")}},
	}
}

// exampleBuild is a build of the example that overrides nothing, as its record
// shows it: other names for the same, lists in another order, and places filled in.
func exampleBuild() *types.Build {
	b := *asBuilt(example())
	env, src := *b.Environment, *b.Source
	env.EnvironmentVariables = []types.EnvironmentVariable{{Name: aws.String("STAGE"), Value: aws.String("production"),
		Type: types.EnvironmentVariableTypePlaintext}}
	b.Environment, b.Source = &env, &src
	b.ServiceRole = aws.String("shop")
	b.EncryptionKey = aws.String("arn:aws:kms:us-east-1:111122223333:alias/aws/s3")
	b.Artifacts = &types.BuildArtifacts{Location: aws.String("arn:aws:s3:::dist/shop/shop")}
	b.VpcConfig = &types.VpcConfig{VpcId: aws.String("vpc-1"), Subnets: []string{"subnet-1", "subnet-2"}}
	b.Logs = &types.LogsLocation{GroupName: aws.String("/aws/codebuild/shop"), StreamName: aws.String("0a1b"),
		CloudWatchLogs: &types.CloudWatchLogsConfig{Status: types.LogsConfigStatusTypeEnabled},
		S3Logs:         &types.S3LogsConfig{Status: types.LogsConfigStatusTypeDisabled, EncryptionDisabled: aws.Bool(false)}}
	b.DebugSession = &types.DebugSession{SessionEnabled: aws.Bool(false)}
	return &b
}

// changes are builds that differ from their project in one thing, which a new
// build is given by the named member of the request, or else cannot be given.
var changes = []struct {
	setting string
	member  string // of StartBuildInput; also where it is never used
	repeats bool
	change  func(b *types.Build)
}{
	{"service role", "ServiceRoleOverride", false, func(b *types.Build) { b.ServiceRole = aws.String("admin") }},
	{"encryption key", "EncryptionKeyOverride", false, func(b *types.Build) { b.EncryptionKey = aws.String("alias/other") }},
	{"timeout", "TimeoutInMinutesOverride", true, func(b *types.Build) { b.TimeoutInMinutes = aws.Int32(90) }},
	{"time in the queue", "QueuedTimeoutInMinutesOverride", true, func(b *types.Build) { b.QueuedTimeoutInMinutes = aws.Int32(5) }},
	{"cache", "CacheOverride", true, func(b *types.Build) {
		b.Cache = &types.ProjectCache{Type: types.CacheTypeS3, Location: aws.String("cache/x")}
	}},
	{"log destinations", "LogsConfigOverride", true, func(b *types.Build) {
		b.Logs.CloudWatchLogs = &types.CloudWatchLogsConfig{Status: types.LogsConfigStatusTypeEnabled, GroupName: aws.String("/ci")}
	}},
	{"auto-retry limit", "AutoRetryLimitOverride", true, func(b *types.Build) {
		b.AutoRetryConfig = &types.AutoRetryConfig{AutoRetryLimit: aws.Int32(2)}
	}},
	{"debug session", "DebugSessionEnabled", false, func(b *types.Build) { b.DebugSession.SessionEnabled = aws.Bool(true) }},
	{"VPC", "", false, func(b *types.Build) { b.VpcConfig.Subnets = []string{"subnet-9"} }},
	{"file systems", "", false, func(b *types.Build) {
		b.FileSystemLocations = []types.ProjectFileSystemLocation{{Location: aws.String("fs-1")}}
	}},
	{"artifacts", "ArtifactsOverride", false, func(b *types.Build) { b.Artifacts.Location = aws.String("arn:aws:s3:::staging/shop") }},
	{"secondary artifacts", "SecondaryArtifactsOverride", false, func(b *types.Build) {
		b.SecondaryArtifacts = []types.BuildArtifacts{{ArtifactIdentifier: aws.String("docs")}}
	}},
	{"secondary sources", "SecondarySourcesOverride", false, func(b *types.Build) {
		b.SecondarySources = []types.ProjectSource{{SourceIdentifier: aws.String("tools"), Location: aws.String("https://example.com/x")}}
	}},
	{"secondary source versions", "SecondarySourcesVersionOverride", true, func(b *types.Build) {
		b.SecondarySourceVersions = []types.ProjectSourceVersion{{SourceIdentifier: aws.String("tools"), SourceVersion: aws.String("v2")}}
	}},
	{"secondary source versions", "SecondarySourcesVersionOverride", false, func(b *types.Build) { b.SecondarySourceVersions = nil }},
	{"source type", "SourceTypeOverride", false, func(b *types.Build) { b.Source.Type = types.SourceTypeBitbucket }},
	{"source location", "SourceLocationOverride", false, func(b *types.Build) { b.Source.Location = aws.String("https://example.com/x") }},
	{"source credentials", "SourceAuthOverride", false, func(b *types.Build) {
		b.Source.Auth = &types.SourceAuth{Type: types.SourceAuthTypeOauth}
	}},
	{"buildspec", "BuildspecOverride", false, func(b *types.Build) { b.Source.Buildspec = aws.String("version: 0.2\n") }},
	{"insecure TLS of the source", "InsecureSslOverride", false, func(b *types.Build) { b.Source.InsecureSsl = aws.Bool(true) }},
	{"git clone depth", "GitCloneDepthOverride", true, func(b *types.Build) { b.Source.GitCloneDepth = aws.Int32(1) }},
	{"git submodules", "GitSubmodulesConfigOverride", true, func(b *types.Build) {
		b.Source.GitSubmodulesConfig = &types.GitSubmodulesConfig{FetchSubmodules: aws.Bool(true)}
	}},
	{"reporting of the build's status", "ReportBuildStatusOverride", true, func(b *types.Build) {
		b.Source.ReportBuildStatus = aws.Bool(true)
	}},
	{"form of the build's status", "BuildStatusConfigOverride", true, func(b *types.Build) {
		b.Source.BuildStatusConfig = &types.BuildStatusConfig{Context: aws.String("ci/shop")}
	}},
	{"environment variables", "EnvironmentVariablesOverride", true, func(b *types.Build) {
		b.Environment.EnvironmentVariables = []types.EnvironmentVariable{
			{Name: aws.String("STAGE"), Value: aws.String("staging"), Type: types.EnvironmentVariableTypePlaintext}}
	}},
	{"environment variables", "EnvironmentVariablesOverride", false, func(b *types.Build) { b.Environment.EnvironmentVariables = nil }},
	{"compute type", "ComputeTypeOverride", true, func(b *types.Build) { b.Environment.ComputeType = types.ComputeTypeBuildGeneral1Large }},
	{"image", "ImageOverride", false, func(b *types.Build) { b.Environment.Image = aws.String("example/image:1") }},
	{"environment type", "EnvironmentTypeOverride", false, func(b *types.Build) { b.Environment.Type = types.EnvironmentTypeArmContainer }},
	{"privileged mode", "PrivilegedModeOverride", false, func(b *types.Build) { b.Environment.PrivilegedMode = aws.Bool(true) }},
	{"certificate", "CertificateOverride", false, func(b *types.Build) { b.Environment.Certificate = aws.String("bucket/cert.pem") }},
	{"registry credentials", "RegistryCredentialOverride", false, func(b *types.Build) {
		b.Environment.RegistryCredential = &types.RegistryCredential{Credential: aws.String("arn:secret")}
	}},
	{"image credentials", "ImagePullCredentialsTypeOverride", false, func(b *types.Build) {
		b.Environment.ImagePullCredentialsType = types.ImagePullCredentialsTypeServiceRole
	}},
	{"fleet", "FleetOverride", false, func(b *types.Build) {
		b.Environment.Fleet = &types.ProjectFleet{FleetArn: aws.String("arn:fleet")}
	}},
	{"compute configuration", "", false, func(b *types.Build) {
		b.Environment.ComputeConfiguration = &types.ComputeConfiguration{Memory: aws.Int64(8)}
	}},
	{"Docker server", "", false, func(b *types.Build) {
		b.Environment.DockerServer = &types.DockerServer{ComputeType: types.ComputeTypeBuildGeneral1Small}
	}},
}

// given are the members of the request that are set.
func given(in *cb.StartBuildInput) (names []string) {
	v := reflect.ValueOf(*in)
	for i := range v.NumField() {
		if f := v.Type().Field(i); f.IsExported() && !v.Field(i).IsZero() && f.Name != "ProjectName" {
			names = append(names, f.Name)
		}
	}
	return names
}

// TestSettingsAreRepeatedOrTold: a build that overrode one thing is given
// exactly that again, or it is told that it cannot be; one that overrode nothing
// is given nothing.
func TestSettingsAreRepeatedOrTold(t *testing.T) {
	if in, _, missing := repetition(exampleBuild(), example(), decide.Plan{}); len(given(in)) > 0 || len(missing) > 0 {
		t.Fatalf("nothing was overridden, and it gives %v and misses %v", given(in), missing)
	}
	tried := map[string]bool{}
	for _, c := range changes {
		b := exampleBuild()
		c.change(b)
		in, _, missing := repetition(b, example(), decide.Plan{})
		tried[c.setting] = true
		if c.repeats && (!slices.Equal(given(in), []string{c.member}) || len(missing) > 0) {
			t.Errorf("%s: it gives %v and misses %v, want %s given", c.setting, given(in), missing, c.member)
		}
		if !c.repeats && !slices.Equal(missing, []string{c.setting}) {
			t.Errorf("%s: it gives %v and misses %v", c.setting, given(in), missing)
		}
		// The same difference is told of a build that was started, if the old record
		// tells what should be.
		if got := unlike(exampleBuild(), b); !slices.Equal(got, []string{c.setting}) && c.setting != "form of the build's status" {
			t.Errorf("%s: a started build is unlike in %v", c.setting, got)
		}
	}
	for _, s := range buildSettings {
		if !tried[s.name] {
			t.Errorf("no build differs in %s", s.name)
		}
	}
}

// TestEveryOverrideIsKnown: whatever a start can override, and whatever a
// record shows that a start may have overridden, is one of the settings; a
// member that is new in the SDK has to be decided about.
func TestEveryOverrideIsKnown(t *testing.T) {
	known := map[string]bool{"ProjectName": true, "IdempotencyToken": true, "SourceVersion": true}
	for _, c := range changes {
		known[c.member] = true
	}
	// What is no setting, or is compared as a part of one.
	for _, name := range strings.Fields("Arn BuildBatchArn BuildComplete BuildNumber BuildStatus CurrentPhase EndTime " +
		"ExportedEnvironmentVariables Id Initiator NetworkInterface Phases ReportArns ResolvedSourceVersion StartTime " +
		"Environment Source SourceIdentifier") {
		known[name] = true
	}
	for _, shown := range []string{"Artifacts", "AutoRetryConfig", "Cache", "DebugSession", "EncryptionKey", "FileSystemLocations", "Logs",
		"QueuedTimeoutInMinutes", "SecondaryArtifacts", "SecondarySourceVersions", "SecondarySources", "ServiceRole", "TimeoutInMinutes",
		"VpcConfig", "ComputeType", "Image", "Type", "Certificate", "ComputeConfiguration", "DockerServer", "EnvironmentVariables", "Fleet",
		"ImagePullCredentialsType", "PrivilegedMode", "RegistryCredential", "Auth", "BuildStatusConfig", "Buildspec", "GitCloneDepth",
		"GitSubmodulesConfig", "InsecureSsl", "Location", "ReportBuildStatus"} {
		known[shown] = true
	}
	for _, v := range []any{cb.StartBuildInput{}, types.Build{}, types.ProjectEnvironment{}, types.ProjectSource{}} {
		r := reflect.TypeOf(v)
		for i := range r.NumField() {
			if f := r.Field(i); f.IsExported() && !known[f.Name] {
				t.Errorf("%s.%s is in no setting", r.Name(), f.Name)
			}
		}
	}
}

// TestPlannedChangesAreNoDifference: the buildspec and the role that a plan
// names are what the build is to have.
func TestPlannedChangesAreNoDifference(t *testing.T) {
	b, p := exampleBuild(), example()
	in, wanted, missing := repetition(b, p, decide.Plan{Buildspec: "moved.yml"})
	if aws.ToString(in.BuildspecOverride) != "moved.yml" || len(missing) > 0 || aws.ToString(wanted.Source.Buildspec) != "moved.yml" {
		t.Errorf("it gives %v and misses %v", given(in), missing)
	}
	ready := "arn:aws:iam::111122223333:role/ready"
	if _, _, missing := repetition(b, p, decide.Plan{NewRole: ready}); !slices.Equal(missing, []string{"service role"}) {
		t.Errorf("the project has another role than the plan, and it misses %v", missing)
	}
	p.ServiceRole = &ready
	in, wanted, missing = repetition(b, p, decide.Plan{NewRole: ready})
	if len(given(in)) > 0 || len(missing) > 0 || *wanted.ServiceRole != ready {
		t.Errorf("it gives %v and misses %v", given(in), missing)
	}
	if b.Source.Buildspec != nil || *b.ServiceRole != "shop" {
		t.Error("the record itself was changed")
	}
}

// overriding starts a build as somebody who overrides, and gives it once it has
// ended.
func overriding(t *testing.T, s *simaws.Sim, in *cb.StartBuildInput) string {
	t.Helper()
	client, err := (CodeBuild{function(s, "")}).client(home)
	if err != nil {
		t.Fatal(err)
	}
	in.ProjectName = aws.String("shop")
	out, err := client.StartBuild(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	s.Settle()
	return *out.Build.Id
}

// stage is the variable that a build ran with.
func stage(t *testing.T, s *simaws.Sim, id string) string {
	t.Helper()
	client, err := (CodeBuild{function(s, "")}).client(home)
	if err != nil {
		t.Fatal(err)
	}
	out, err := client.BatchGetBuilds(t.Context(), &cb.BatchGetBuildsInput{Ids: []string{id}})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range out.Builds[0].Environment.EnvironmentVariables {
		if *v.Name == "STAGE" {
			return *v.Value
		}
	}
	return ""
}

// TestStagingIsNotStartedAsProduction: a build that overrode a variable is
// started again with the same, and not with the project's.
func TestStagingIsNotStartedAsProduction(t *testing.T) {
	s := world(t, failing)
	c := CodeBuild{function(s, "")}
	id := overriding(t, s, &cb.StartBuildInput{TimeoutInMinutesOverride: aws.Int32(30),
		EnvironmentVariablesOverride: []types.EnvironmentVariable{{Name: aws.String("STAGE"), Value: aws.String("staging")}}})
	b := got(t, s, id)
	if missing, err := c.Unrepeatable(t.Context(), b); err != nil || len(missing) > 0 {
		t.Fatalf("it misses %v, %v", missing, err)
	}
	again, err := c.Retry(t.Context(), b, decide.Plan{Route: decide.RouteStart, Buildspec: "moved.yml"}, "token", nil)
	if err != nil || len(again.Differs) > 0 {
		t.Fatalf("started %+v, %v", again, err)
	}
	if got := stage(t, s, again.ID); got != "staging" {
		t.Errorf("the build was of staging, and is started again with %q", got)
	}
	if text := fmt.Sprintf("%+v", got(t, s, again.ID)); strings.Contains(text, "staging") {
		t.Errorf("a variable's value is in what the healer knows: %s", text)
	}
}

// TestUnrepeatableIsNotStarted: nothing is started, and the reason says what
// and what to do.
func TestUnrepeatableIsNotStarted(t *testing.T) {
	s := world(t, failing)
	c := CodeBuild{function(s, "")}
	b := got(t, s, overriding(t, s, &cb.StartBuildInput{ImageOverride: aws.String("example/other:1"),
		PrivilegedModeOverride: aws.Bool(false)}))
	want := []string{"image", "privileged mode"}
	if missing, err := c.Unrepeatable(t.Context(), b); err != nil || !slices.Equal(missing, want) {
		t.Errorf("it misses %v, %v; want %v", missing, err, want)
	}
	before := len(s.Builds("shop"))
	_, err := c.Retry(t.Context(), b, decide.Plan{Route: decide.RouteStart, Buildspec: "moved.yml"}, "token", nil)
	if !errors.Is(err, heal.ErrFinal) || !strings.Contains(err.Error(), "image, privileged mode") ||
		!strings.Contains(err.Error(), "by hand") {
		t.Errorf("%v", err)
	}
	if n := len(s.Builds("shop")); n != before {
		t.Errorf("%d builds, want %d", n, before)
	}
	gone := b
	gone.ID = "shop:00000000-0000-4000-8000-000000000000"
	if _, err := c.Unrepeatable(t.Context(), gone); !errors.Is(err, heal.ErrFinal) {
		t.Errorf("a build that is gone: %v", err)
	}
}

// TestValuesAreToldNowhere: AWS's message may quote a value, ours does not, and
// it still says what to do.
func TestValuesAreToldNowhere(t *testing.T) {
	vars := []types.EnvironmentVariable{{Name: aws.String("TOKEN"), Value: aws.String("hunter2")},
		{Name: aws.String("EMPTY"), Value: aws.String("")}}
	err := withoutValues(fmt.Errorf("%w: value 'hunter2' at 'environmentVariablesOverride.1' is wrong", heal.ErrFinal), vars)
	if text := fmt.Sprintf("%v %+v", err, err); strings.Contains(text, "hunter2") || !strings.Contains(text, "[value]") ||
		!errors.Is(err, heal.ErrFinal) {
		t.Errorf("%s", text)
	}
	var denied heal.DeniedError
	if err := withoutValues(heal.DeniedError{Action: "codebuild:StartBuild", Advice: " hunter2"}, vars); !errors.As(err, &denied) ||
		!errors.Is(err, heal.ErrDenied) {
		t.Errorf("%v", err)
	}
}
