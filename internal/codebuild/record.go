package codebuild

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// record is a build as the AWS CLI prints it, one element of `builds`. Only
// these fields are read: of environment variables the name, which is not kept.
type record struct {
	ID, ARN                 string
	BuildNumber             json.Number
	BuildStatus             string
	ProjectName             string
	ServiceRole             string
	Initiator               string
	SourceVersion           string
	ResolvedSourceVersion   string
	SecondarySourceVersions []struct{ SourceVersion string }
	BuildBatchArn           string
	EncryptionKey           string
	StartTime, EndTime      moment
	Source                  struct{ Type, Location, Buildspec string }
	Environment             struct {
		Image, Type, ComputeType string
		PrivilegedMode           bool
		Fleet                    struct{ FleetArn string }
		DockerServer             *struct{}
		EnvironmentVariables     []struct{ Name string }
	}
	VpcConfig       struct{ VpcID string }
	AutoRetryConfig struct {
		AutoRetryLimit, AutoRetryNumber  int
		NextAutoRetry, PreviousAutoRetry string
	}
	ReportArns []string
	Phases     []struct {
		PhaseType, PhaseStatus string
		StartTime, EndTime     moment
		Contexts               []struct{ StatusCode, Message string }
	}
	Logs struct {
		GroupName, StreamName, DeepLink string
		S3LogsArn                       string
		S3Logs                          struct{ EncryptionDisabled bool }
	}
}

// moment is a time as the CLI prints it: RFC 3339, with version 1 a number of
// seconds.
type moment struct{ time.Time }

func (m *moment) UnmarshalJSON(data []byte) error {
	var seconds float64
	if err := json.Unmarshal(data, &seconds); err == nil {
		m.Time = time.UnixMilli(int64(seconds * 1000)).UTC()
		return nil
	}
	var s string
	if err := json.Unmarshal(data, &s); err != nil {
		return err
	}
	if s == "" {
		return nil
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return fmt.Errorf("time %q: write it as 2026-01-31T10:20:30Z", s)
	}
	m.Time = t.UTC()
	return nil
}

// Decode reads a build as `aws codebuild batch-get-builds` prints it: one
// element of its `builds`, or the whole answer with exactly one build in it.
// Fields that it does not know are skipped.
func Decode(data []byte) (Build, error) {
	var whole struct{ Builds []json.RawMessage }
	if err := json.Unmarshal(data, &whole); err != nil {
		return Build{}, fmt.Errorf("reading build: %w", err)
	}
	if len(whole.Builds) > 1 {
		return Build{}, fmt.Errorf("reading build: there are %d builds; give one element of \"builds\"", len(whole.Builds))
	}
	if len(whole.Builds) == 1 {
		data = whole.Builds[0]
	}
	var r record
	if err := json.Unmarshal(data, &r); err != nil {
		return Build{}, fmt.Errorf("reading build: %w", err)
	}
	if _, ok := ParseARN(r.ARN); !ok || r.ID == "" || r.ProjectName == "" {
		return Build{}, fmt.Errorf("reading build: it needs id, arn and projectName, as `aws codebuild batch-get-builds` prints them")
	}
	return r.build(), nil
}

// TakesCredentials reports whether AWS's tools take their credentials, or the address of a service,
// from the environment variable of that name rather than from the build.
func TakesCredentials(name string) bool {
	switch name {
	case "AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE",
		"AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE":
		return true
	}
	return strings.HasPrefix(name, "AWS_ENDPOINT_URL")
}

func (r record) build() Build {
	number, _ := r.BuildNumber.Int64() // absent while a build is young
	b := Build{ID: r.ID, ARN: r.ARN, Project: r.ProjectName, Number: number, Status: r.BuildStatus, ServiceRole: r.ServiceRole,
		Initiator: r.Initiator, SourceType: r.Source.Type,
		Repository: RepositoryAt(r.Source.Location), SourceVersion: r.SourceVersion,
		ResolvedSourceVersion: r.ResolvedSourceVersion, Buildspec: BuildspecPath(r.Source.Buildspec), BatchARN: r.BuildBatchArn,
		AutoRetry: AutoRetry{r.AutoRetryConfig.AutoRetryLimit, r.AutoRetryConfig.AutoRetryNumber,
			r.AutoRetryConfig.NextAutoRetry, r.AutoRetryConfig.PreviousAutoRetry},
		EncryptionKey: r.EncryptionKey, Image: r.Environment.Image, Environment: r.Environment.Type,
		Compute: r.Environment.ComputeType, Fleet: r.Environment.Fleet.FleetArn, VPC: r.VpcConfig.VpcID,
		Privileged: r.Environment.PrivilegedMode, DockerServer: r.Environment.DockerServer != nil,
		Start: r.StartTime.Time, End: r.EndTime.Time,
		Logs: Logs{Group: r.Logs.GroupName, Stream: r.Logs.StreamName, S3ARN: r.Logs.S3LogsArn,
			S3Encrypted: !r.Logs.S3Logs.EncryptionDisabled, DeepLink: r.Logs.DeepLink}.Known(),
		ReportARNs: r.ReportArns[:min(len(r.ReportArns), MaxReports)]}
	for _, v := range r.Environment.EnvironmentVariables {
		b.OtherCredentials = b.OtherCredentials || TakesCredentials(v.Name)
	}
	for _, v := range r.SecondarySourceVersions {
		b.SecondaryVersions = append(b.SecondaryVersions, v.SourceVersion)
	}
	for _, p := range r.Phases {
		ph := Phase{Type: p.PhaseType, Status: p.PhaseStatus, Start: p.StartTime.Time, End: p.EndTime.Time}
		for _, c := range p.Contexts {
			ph.Contexts = append(ph.Contexts, Context{c.StatusCode, Clip(c.Message)})
		}
		b.Phases = append(b.Phases, ph)
	}
	return b
}
