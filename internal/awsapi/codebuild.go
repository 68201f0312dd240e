package awsapi

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cb "github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/redact"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// CodeBuild implements heal.Builds, heal.Projects and heal.Retrier.
type CodeBuild struct{ Accounts *Accounts }

func (c CodeBuild) client(at settings.Account) (*cb.Client, error) {
	return client(c.Accounts, at, cb.NewFromConfig)
}

// Get implements [heal.Builds].
func (c CodeBuild) Get(ctx context.Context, at settings.Account, id string) (codebuild.Build, error) {
	bs, err := c.Several(ctx, at, []string{id})
	if err != nil {
		return codebuild.Build{}, err
	}
	if len(bs) == 0 {
		return codebuild.Build{}, fmt.Errorf("build %q: %w", id, heal.ErrNotFound)
	}
	return bs[0], nil
}

// Several implements [heal.Builds].
func (c CodeBuild) Several(ctx context.Context, at settings.Account, ids []string) ([]codebuild.Build, error) {
	bs, ids, err := c.standIns(ctx, at, ids)
	if err != nil || len(ids) == 0 {
		return bs, err
	}
	client, err := c.client(at)
	if err != nil {
		return nil, err
	}
	out, err := client.BatchGetBuilds(ctx, &cb.BatchGetBuildsInput{Ids: ids})
	if err != nil {
		return nil, classify(err)
	}
	for _, b := range out.Builds {
		bs = append(bs, build(b))
	}
	return bs, nil
}

// maxBuildPages bounds how far back a project's builds are looked at: 100 a
// page.
const maxBuildPages = 10

// Since implements [heal.Builds]. ListBuildsForProject gives ids only, newest
// first, 100 a page, so pages are read until one is old enough, or has seen;
// of a project that built nothing since, no build is read.
func (c CodeBuild) Since(ctx context.Context, at settings.Account, project string, from time.Time, seen string) ([]codebuild.Build, error) {
	client, err := c.client(at)
	if err != nil {
		return nil, err
	}
	var bs []codebuild.Build
	// Without an order, the newest come first. With one, the call fails for a
	// project with more than 100 builds (AWS.md#listing-builds).
	in := &cb.ListBuildsForProjectInput{ProjectName: &project}
	for range maxBuildPages {
		out, err := client.ListBuildsForProject(ctx, in)
		if err != nil {
			return nil, classify(err)
		}
		ids := out.Ids
		i := slices.Index(ids, seen)
		if i >= 0 {
			ids = ids[:i]
		}
		page, err := c.inOrder(ctx, at, ids)
		if err != nil {
			return nil, err
		}
		for _, b := range page {
			if b.Start.Before(from) {
				return bs, nil
			}
			bs = append(bs, b)
		}
		if i >= 0 || out.NextToken == nil {
			break
		}
		in.NextToken = out.NextToken
	}
	return bs, nil
}

// inOrder reads builds in the order of their ids, which BatchGetBuilds does
// not keep.
func (c CodeBuild) inOrder(ctx context.Context, at settings.Account, ids []string) ([]codebuild.Build, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	bs, err := c.Several(ctx, at, ids)
	slices.SortFunc(bs, func(a, b codebuild.Build) int { return slices.Index(ids, a.ID) - slices.Index(ids, b.ID) })
	return bs, err
}

// Role implements [heal.Projects].
func (c CodeBuild) Role(ctx context.Context, at settings.Account, project string) (string, error) {
	client, err := c.client(at)
	if err != nil {
		return "", err
	}
	out, err := client.BatchGetProjects(ctx, &cb.BatchGetProjectsInput{Names: []string{project}})
	if err != nil {
		return "", classify(err)
	}
	if len(out.Projects) == 0 {
		return "", fmt.Errorf("project %q: %w", project, heal.ErrNotFound)
	}
	return aws.ToString(out.Projects[0].ServiceRole), nil
}

// maxProjects is how many projects BatchGetProjects takes (AWS.md#listing-builds).
const maxProjects = 100

// Read implements [heal.Projects].
func (c CodeBuild) Read(ctx context.Context, at settings.Account, names []string) (ps []codebuild.Project, err error) {
	client, err := c.client(at)
	if err != nil {
		return nil, err
	}
	for some := range slices.Chunk(names, maxProjects) {
		out, err := client.BatchGetProjects(ctx, &cb.BatchGetProjectsInput{Names: some})
		if err != nil {
			return nil, classify(err)
		}
		for _, p := range out.Projects {
			ps = append(ps, codebuild.Project{Name: aws.ToString(p.Name), ServiceRole: aws.ToString(p.ServiceRole),
				Webhook: webhook(p.Webhook), Batches: p.BuildBatchConfig != nil,
				Ran: ranWith(p.Source, p.SecondarySources, p.ServiceRole, p.Environment)})
		}
	}
	return ps, nil
}

func webhook(w *types.Webhook) *codebuild.Webhook {
	if w == nil {
		return nil
	}
	out := &codebuild.Webhook{Runner: w.BuildType == types.WebhookBuildTypeRunnerBuildkiteBuild}
	for _, g := range w.FilterGroups {
		var group []codebuild.Filter
		for _, f := range g {
			group = append(group, codebuild.Filter{Type: string(f.Type), Pattern: aws.ToString(f.Pattern)})
		}
		out.Groups = append(out.Groups, group)
	}
	return out
}

// SetRole implements [heal.Projects].
func (c CodeBuild) SetRole(ctx context.Context, at settings.Account, project, role string) error {
	client, err := c.client(at)
	if err != nil {
		return err
	}
	_, err = client.UpdateProject(ctx, &cb.UpdateProjectInput{Name: &project, ServiceRole: &role})
	return classify(err)
}

// accountOf is where the build is; ErrFinal if its record does not say.
func accountOf(b codebuild.Build) (settings.Account, error) {
	at := settings.AccountOf(b.At())
	if at.ID == "" {
		return at, fmt.Errorf("build ARN %q: %w", b.ARN, heal.ErrFinal)
	}
	return at, nil
}

// Retry implements [heal.Retrier].
func (c CodeBuild) Retry(ctx context.Context, b codebuild.Build, p decide.Plan, token string, ready func([]string) error,
) (heal.Started, error) {
	at, err := accountOf(b)
	if err != nil {
		return heal.Started{}, err
	}
	switch p.Route {
	case decide.RouteBuild:
		return c.retryBuild(ctx, at, b, token)
	case decide.RouteStart:
		return c.startBuild(ctx, at, b, p, token)
	case decide.RouteBatch:
		return heal.Started{}, c.retryBatch(ctx, at, b, token)
	case decide.RouteStage:
		return heal.Started{}, CodePipeline(c).retryStage(ctx, at, b, ready)
	}
	return heal.Started{}, fmt.Errorf("route %q starts no build: %w", p.Route, heal.ErrFinal)
}

func (c CodeBuild) retryBuild(ctx context.Context, at settings.Account, b codebuild.Build, token string) (heal.Started, error) {
	client, err := c.client(at)
	if err != nil {
		return heal.Started{}, err
	}
	out, err := client.RetryBuild(ctx, &cb.RetryBuildInput{Id: &b.ID, IdempotencyToken: &token})
	if err != nil {
		return heal.Started{}, classify(err)
	}
	again := build(*out.Build)
	got := heal.Started{ID: aws.ToString(out.Build.Id), Differs: b.Differs(again)}
	if len(got.Differs) > 0 || b.Parameters == again.Parameters || b.Parameters == "" && !b.Chosen() {
		return got, nil
	}
	// Something is other than it was: which, only the whole record of the failed build tells. The build runs
	// already, so that nothing else hangs on that.
	was, err := client.BatchGetBuilds(ctx, &cb.BatchGetBuildsInput{Ids: []string{b.ID}})
	if err == nil && len(was.Builds) > 0 {
		got.Differs = unlike(out.Build, &was.Builds[0])
	}
	return got, nil
}

// buildID is the PROJECT:UUID of a summary's build, "" if it names none.
func buildID(s *types.BuildSummary) string {
	_, id, _ := codebuild.ParseBuildARN(aws.ToString(s.Arn))
	return id
}

// build takes from the record what the healer may know: of environment
// variables only what their names say, no source credentials.
func build(b types.Build) codebuild.Build {
	out := codebuild.Build{
		ID: aws.ToString(b.Id), ARN: aws.ToString(b.Arn), Project: aws.ToString(b.ProjectName), Number: aws.ToInt64(b.BuildNumber),
		Status: string(b.BuildStatus), ServiceRole: aws.ToString(b.ServiceRole), Initiator: aws.ToString(b.Initiator),
		SourceVersion: aws.ToString(b.SourceVersion), ResolvedSourceVersion: aws.ToString(b.ResolvedSourceVersion),
		BatchARN: aws.ToString(b.BuildBatchArn), EncryptionKey: aws.ToString(b.EncryptionKey),
		Start: aws.ToTime(b.StartTime), End: aws.ToTime(b.EndTime), Logs: logs(b.Logs), Parameters: parameters(b),
		Ran: ranWith(b.Source, b.SecondarySources, b.ServiceRole, b.Environment),
	}
	if s := b.Source; s != nil {
		out.SourceType, out.Repository = string(s.Type), codebuild.RepositoryAt(aws.ToString(s.Location))
		out.Buildspec = codebuild.BuildspecPath(aws.ToString(s.Buildspec))
	}
	for _, v := range b.SecondarySourceVersions {
		out.SecondaryVersions = append(out.SecondaryVersions, aws.ToString(v.SourceVersion))
	}
	if e := b.Environment; e != nil {
		out.Image, out.Environment, out.Compute = aws.ToString(e.Image), string(e.Type), string(e.ComputeType)
		out.Privileged, out.DockerServer = aws.ToBool(e.PrivilegedMode), e.DockerServer != nil
		for _, v := range e.EnvironmentVariables {
			out.OtherCredentials = out.OtherCredentials || codebuild.TakesCredentials(aws.ToString(v.Name))
		}
		if e.Fleet != nil {
			out.Fleet = aws.ToString(e.Fleet.FleetArn)
		}
	}
	if v := b.VpcConfig; v != nil {
		out.VPC = aws.ToString(v.VpcId)
	}
	if r := b.AutoRetryConfig; r != nil {
		out.AutoRetry = codebuild.AutoRetry{Limit: int(aws.ToInt32(r.AutoRetryLimit)), Number: int(aws.ToInt32(r.AutoRetryNumber)),
			Next: aws.ToString(r.NextAutoRetry), Previous: aws.ToString(r.PreviousAutoRetry)}
	}
	out.ReportARNs = b.ReportArns[:min(len(b.ReportArns), codebuild.MaxReports)]
	for _, p := range b.Phases {
		out.Phases = append(out.Phases, codebuild.Phase{Type: string(p.PhaseType), Status: string(p.PhaseStatus),
			Start: aws.ToTime(p.StartTime), End: aws.ToTime(p.EndTime), Contexts: contexts(p.Contexts)})
	}
	return out
}

func contexts(cs []types.PhaseContext) (out []codebuild.Context) {
	for _, c := range cs {
		out = append(out, codebuild.Context{Code: aws.ToString(c.StatusCode),
			Message: codebuild.Clip(redact.Text(aws.ToString(c.Message)))})
	}
	return out
}

// parameters is the digest of [codebuild.Build.Parameters].
func parameters(b types.Build) string {
	data, err := json.Marshal([]any{b.Source, b.SecondarySources, b.SecondarySourceVersions, b.Environment, aws.ToString(b.ServiceRole),
		aws.ToString(b.EncryptionKey)})
	if err != nil {
		panic("awsapi: a record is always printable: " + err.Error())
	}
	return digest(string(data))
}

// logs says where the log is; "null" stands for nothing (AWS.md#log-location).
func logs(l *types.LogsLocation) codebuild.Logs {
	if l == nil {
		return codebuild.Logs{}
	}
	out := codebuild.Logs{Group: aws.ToString(l.GroupName), Stream: aws.ToString(l.StreamName),
		DeepLink: aws.ToString(l.DeepLink), S3ARN: aws.ToString(l.S3LogsArn)}
	if l.S3Logs != nil {
		out.S3Encrypted = !aws.ToBool(l.S3Logs.EncryptionDisabled)
	}
	return out.Known()
}

// ranWith is what a record says of what a start may override. A buildspec that is not named is buildspec.yml
// (AWS.md#overrides).
func ranWith(source *types.ProjectSource, more []types.ProjectSource, role *string, e *types.ProjectEnvironment) codebuild.Ran {
	out := codebuild.Ran{Role: aws.ToString(role)}
	if e != nil {
		out.Image = aws.ToString(e.Image)
	}
	if source != nil {
		places := []string{placeOf(*source)}
		places = append(places, sorted(more, func(s types.ProjectSource) string {
			return aws.ToString(s.SourceIdentifier) + " " + placeOf(s)
		})...)
		out.Source = digest(strings.Join(places, "\n"))
		out.Buildspec = digest(cmp.Or(aws.ToString(source.Buildspec), "buildspec.yml"))
	}
	return out
}

// placeOf is where a source is.
func placeOf(s types.ProjectSource) string {
	place := aws.ToString(s.Location)
	return string(s.Type) + " " + cmp.Or(codebuild.RepositoryAt(place), place)
}

func digest(s string) string {
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:])
}
