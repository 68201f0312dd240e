// Package buildevent decodes the events that EventBridge sends about
// CodeBuild builds. It takes from an event only what tells which build ended
// and how; everything else is read from CodeBuild itself, since the event
// lacks it or has it in a form that breaks decoders (AWS.md#event-shape,
// AWS.md#event-decoding).
package buildevent

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/buildmedic/buildmedic/internal/codebuild"
)

// Source and DetailType are the envelope of the one event that matters.
const (
	Source     = "aws.codebuild"
	DetailType = "CodeBuild Build State Change"
)

// Event tells that a build changed its state.
type Event struct {
	ID      string // of the event; another delivery may carry another one
	Account string
	Region  string
	Project string
	BuildID string // PROJECT:UUID
	ARN     string // of the build
	Status  string // as it came; see the constants of package codebuild
	// Time is the envelope's: for the end of a build, when it ended, to about
	// a second; zero if it cannot be read.
	Time time.Time
	// Said is what the event says of where the build's log is, how its phases ended, who started it
	// and of which source version. Its texts are not freed of secrets.
	Said codebuild.Build
	// Ignored says why the event concerns nobody; "" if it does concern us.
	Ignored string
}

// Ended reports whether the build is over.
func (e Event) Ended() bool { return e.Ignored == "" && e.Status != codebuild.InProgress }

type envelope struct {
	Version    string          `json:"version"`
	ID         string          `json:"id"`
	Source     string          `json:"source"`
	DetailType string          `json:"detail-type"`
	Account    string          `json:"account"`
	Region     string          `json:"region"`
	Time       json.RawMessage `json:"time"`
	Resources  []string        `json:"resources"`
	Detail     json.RawMessage `json:"detail"`
}

type detail struct {
	Status  string `json:"build-status"`
	Project string `json:"project-name"`
	BuildID string `json:"build-id"`
	// Additional is read by [said].
	Additional json.RawMessage `json:"additional-information"`
}

// additional is what matters of the additional information.
type additional struct {
	Initiator string `json:"initiator"`
	Version   string `json:"source-version"`
	Logs      struct {
		Group  string `json:"group-name"`
		Stream string `json:"stream-name"`
	} `json:"logs"`
	Phases []struct {
		Type     string   `json:"phase-type"`
		Status   string   `json:"phase-status"`
		Contexts []string `json:"phase-context"`
	} `json:"phases"`
}

// said reads what the event says of the log and the phases; nothing if that cannot be read.
func said(e Event, data json.RawMessage) codebuild.Build {
	var a additional
	if json.Unmarshal(data, &a) != nil {
		return codebuild.Build{}
	}
	b := codebuild.Build{ID: e.BuildID, ARN: e.ARN, Project: e.Project, Status: e.Status, Initiator: a.Initiator, SourceVersion: a.Version,
		Logs: codebuild.Logs{Group: a.Logs.Group, Stream: a.Logs.Stream}.Known()}
	for _, p := range a.Phases {
		phase := codebuild.Phase{Type: p.Type, Status: p.Status}
		for _, c := range p.Contexts {
			code, message, _ := strings.Cut(c, ": ")
			phase.Contexts = append(phase.Contexts, codebuild.Context{Code: code, Message: message})
		}
		b.Phases = append(b.Phases, phase)
	}
	return b
}

// Decode reads one event. An event of another source or type is no error: it
// is returned with Ignored set. An error means that the data is no event, or
// that a CodeBuild event does not tell which build it is about; account and
// region are then those of the build's ARN, never those of the envelope
// against it.
func Decode(data []byte) (Event, error) {
	var env envelope
	if err := json.Unmarshal(data, &env); err != nil {
		return Event{}, fmt.Errorf("reading event: %w", err)
	}
	if env.Source == "" && env.DetailType == "" {
		return Event{}, fmt.Errorf("reading event: neither source nor detail-type: not an EventBridge event")
	}
	e := Event{ID: env.ID, Account: env.Account, Region: env.Region}
	if json.Unmarshal(env.Time, &e.Time) != nil {
		e.Time = time.Time{} // the event is about its build, whatever its time is like
	}
	if env.Source != Source || env.DetailType != DetailType {
		e.Ignored = fmt.Sprintf("%q from %q is no build state change", env.DetailType, env.Source)
		return e, nil
	}
	var d detail
	if err := json.Unmarshal(env.Detail, &d); err != nil {
		return Event{}, fmt.Errorf("reading event %q: detail: %w", env.ID, err)
	}
	arn := d.BuildID
	if !strings.HasPrefix(arn, "arn:") && len(env.Resources) > 0 {
		arn = env.Resources[0]
	}
	a, id, ok := codebuild.ParseBuildARN(arn)
	if !ok {
		return Event{}, fmt.Errorf("reading event %q: build-id %q is no build ARN", env.ID, d.BuildID)
	}
	project, uuid, ok := cutLast(id, ":")
	if !ok || project == "" || uuid == "" {
		return Event{}, fmt.Errorf("reading event %q: build-id %q has no PROJECT:UUID", env.ID, d.BuildID)
	}
	if env.Account != "" && env.Account != a.Account {
		return Event{}, fmt.Errorf("reading event %q: account %q, but the build is of account %q", env.ID, env.Account, a.Account)
	}
	e.Account, e.Region, e.Project, e.BuildID, e.ARN, e.Status = a.Account, a.Region, project, id, arn, d.Status
	e.Said = said(e, d.Additional)
	if d.Status == "" {
		return Event{}, fmt.Errorf("reading event %q: no build-status", env.ID)
	}
	return e, nil
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}
