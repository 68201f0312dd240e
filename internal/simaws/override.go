package simaws

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// overrides are what the start of a build sets in the place of the project's
// settings, under StartBuild's own names (AWS.md#overrides). A world file names
// them so, too.
type overrides struct {
	SourceType       string          `json:"sourceTypeOverride,omitempty"`
	SourceLocation   string          `json:"sourceLocationOverride,omitempty"`
	GitCloneDepth    *int            `json:"gitCloneDepthOverride,omitempty"`
	InsecureSSL      *bool           `json:"insecureSslOverride,omitempty"`
	ReportStatus     *bool           `json:"reportBuildStatusOverride,omitempty"`
	SecondarySources []secondaryOut  `json:"secondarySourcesOverride,omitempty"`
	SecondaryVersion []versionOut    `json:"secondarySourcesVersionOverride,omitempty"`
	Variables        []variableOut   `json:"environmentVariablesOverride,omitempty"`
	EnvironmentType  string          `json:"environmentTypeOverride,omitempty"`
	Image            string          `json:"imageOverride,omitempty"`
	ComputeType      string          `json:"computeTypeOverride,omitempty"`
	Privileged       *bool           `json:"privilegedModeOverride,omitempty"`
	Certificate      string          `json:"certificateOverride,omitempty"`
	Cache            *cacheOut       `json:"cacheOverride,omitempty"`
	ServiceRole      string          `json:"serviceRoleOverride,omitempty"`
	Timeout          int             `json:"timeoutInMinutesOverride,omitempty"`
	QueuedTimeout    int             `json:"queuedTimeoutInMinutesOverride,omitempty"`
	EncryptionKey    string          `json:"encryptionKeyOverride,omitempty"`
	Logs             *logsConfigOut  `json:"logsConfigOverride,omitempty"`
	Debug            bool            `json:"debugSessionEnabled,omitempty"`
	AutoRetry        *int            `json:"autoRetryLimitOverride,omitempty"`
	Artifacts        *artifactsInput `json:"artifactsOverride,omitempty"`
}

type secondaryOut struct {
	Type             string `json:"type"`
	Location         string `json:"location,omitempty"`
	SourceIdentifier string `json:"sourceIdentifier"`
}

type versionOut struct {
	SourceIdentifier string `json:"sourceIdentifier"`
	SourceVersion    string `json:"sourceVersion"`
}

type variableOut struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	Type  string `json:"type,omitempty"`
}

type cacheOut struct {
	Type     string   `json:"type"`
	Location string   `json:"location,omitempty"`
	Modes    []string `json:"modes,omitempty"`
}

type logsConfigOut struct {
	CloudWatchLogs *cloudWatchOut `json:"cloudWatchLogs,omitempty"`
	S3Logs         *s3LogsOut     `json:"s3Logs,omitempty"`
}

// artifactsInput is what a start may say of artifacts; a build's record shows
// only where they go.
type artifactsInput struct {
	Type     string `json:"type"`
	Location string `json:"location,omitempty"`
	Path     string `json:"path,omitempty"`
	Name     string `json:"name,omitempty"`
}

// UnmarshalYAML reads the overrides of a world file's start, as strictly as
// those of a call.
func (o *overrides) UnmarshalYAML(n *yaml.Node) error {
	var v map[string]any
	if err := n.Decode(&v); err != nil {
		return err
	}
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("line %d: %w", n.Line, err)
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	type plain overrides
	if err := dec.Decode((*plain)(o)); err != nil {
		return fmt.Errorf("line %d: overrides: %w", n.Line, err)
	}
	return nil
}

// names lists what is overridden, for the record of calls: no values.
func (o overrides) names() []string {
	text, _ := json.Marshal(o) // of plain data
	var v map[string]json.RawMessage
	_ = json.Unmarshal(text, &v)
	return sortedKeys(v)
}

// digest tells one request from another.
func (o overrides) digest() string {
	text, _ := json.Marshal(o) // of plain data
	return string(text)
}

// conf is the project's configuration as the build has it.
func (o overrides) conf(c projectFile) projectFile {
	c.Image = cmp.Or(o.Image, c.Image)
	c.Source.Type = cmp.Or(o.SourceType, c.Source.Type)
	c.Source.Location = cmp.Or(o.SourceLocation, c.Source.Location)
	if o.Timeout > 0 {
		c.Timeout = duration(time.Duration(o.Timeout) * time.Minute)
	}
	if l := o.Logs; l != nil {
		c.Logs = logsFile{}
		if w := l.CloudWatchLogs; w != nil {
			c.Logs.Off, c.Logs.Group, c.Logs.Stream = w.Status == "DISABLED", w.GroupName, w.StreamName
		}
		if l.S3Logs != nil && l.S3Logs.Status == "ENABLED" {
			c.Logs.S3 = l.S3Logs.Location
		}
	}
	if o.Artifacts != nil {
		c.Artifacts = ""
		if o.Artifacts.Type == "S3" {
			c.Artifacts = strings.TrimSuffix(o.Artifacts.Location+"/"+o.Artifacts.Path, "/")
		}
	}
	return c
}

// environment is the project's with what is overridden. Variables are added to
// the project's, and replace those of the same name (AWS.md#overrides).
func (o overrides) environment(e environmentOut) environmentOut {
	e.Type, e.Image = cmp.Or(o.EnvironmentType, e.Type), cmp.Or(o.Image, e.Image)
	e.ComputeType, e.Certificate = cmp.Or(o.ComputeType, e.ComputeType), o.Certificate
	if o.Privileged != nil {
		e.PrivilegedMode = *o.Privileged
	}
	vars := slices.Clone(e.EnvironmentVariables)
	for _, v := range o.Variables {
		v.Type = orText(v.Type, "PLAINTEXT")
		vars = append(slices.DeleteFunc(vars, func(w variableOut) bool { return w.Name == v.Name }), v)
	}
	e.EnvironmentVariables = vars
	return e
}

// context are the condition keys that StartBuild puts into the request: a key
// is there only if the request has what it is about (AWS.md#conditions-on-starts).
func (in *startBuildInput) context() map[string][]string {
	c := map[string][]string{}
	set := func(key, value string) {
		if value != "" {
			c["codebuild:"+key] = []string{value}
		}
	}
	truth := func(key string, v *bool) {
		if v != nil {
			set(key, fmt.Sprint(*v))
		}
	}
	present := func(key string, is bool) {
		if is {
			set(key, "true")
		}
	}
	set("serviceRole", in.ServiceRole)
	set("encryptionKey", in.EncryptionKey)
	if in.AutoRetry != nil {
		set("autoRetryLimit", itoa(*in.AutoRetry))
	}
	set("source.location", in.SourceLocation)
	set("source.buildspec", in.BuildspecOverride)
	truth("source.insecureSsl", in.InsecureSSL)
	present("source", in.SourceLocation != "" || in.BuildspecOverride != "" || in.InsecureSSL != nil)
	present("secondarySources", in.SecondarySources != nil)
	for _, s := range in.SecondarySources {
		c["codebuild:secondarySources.location"] = append(c["codebuild:secondarySources.location"], s.Location)
	}
	set("environment.image", in.Image)
	set("environment.type", in.EnvironmentType)
	set("environment.computeType", in.ComputeType)
	set("environment.certificate", in.Certificate)
	truth("environment.privilegedMode", in.Privileged)
	present("environment.environmentVariables", in.Variables != nil)
	for _, v := range in.Variables {
		c["codebuild:environment.environmentVariables.name"] = append(c["codebuild:environment.environmentVariables.name"], v.Name)
	}
	present("environment", in.Image+in.EnvironmentType+in.ComputeType+in.Certificate != "" || in.Privileged != nil || in.Variables != nil)
	present("cache", in.Cache != nil)
	present("logsConfig", in.Logs != nil)
	present("artifacts", in.Artifacts != nil)
	if in.Artifacts != nil {
		set("artifacts.location", in.Artifacts.Location)
	}
	return c
}
