package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/heal"
)

// maxRecord is how long a line of JSON Lines may be. A longer one is an
// error of its own and is read past.
const maxRecord = 256 << 20

// record is one failure as programs give it. Fields that we do not know are
// ignored: they are the sender's own.
type record struct {
	ID            json.RawMessage `json:"id"`
	Text          string          `json:"text"`
	PhaseContexts []string        `json:"phase_contexts"`
	BuildARN      string          `json:"build_arn"`
	ServiceRole   string          `json:"service_role"`
}

// answer is the diagnosis of one record, without secrets; nothing in it is
// null; also is missing where nothing else failed.
type answer struct {
	ID        json.RawMessage  `json:"id"`
	Cause     string           `json:"cause"`
	Remedy    diagnose.Remedy  `json:"remedy"`
	Retryable bool             `json:"retryable"`
	Denials   []answeredDenial `json:"denials"`
	Excerpt   []string         `json:"excerpt"`
	// Tests are those that failed, by name; it and MoreTests are missing where none is known.
	Tests       []codebuild.TestCase `json:"tests,omitempty"`
	MoreTests   int                  `json:"more_tests,omitempty"`
	Also        []buildlog.Also      `json:"also,omitempty"` // what failed besides, after the build had failed
	Fingerprint string               `json:"fingerprint"`
}

type answeredDenial struct {
	Action    string          `json:"action"`
	Resource  string          `json:"resource"`
	Near      string          `json:"near,omitempty"` // what else the text names, where resource is empty
	Principal string          `json:"principal"`
	Subject   string          `json:"subject,omitempty"` // who was denied, where words say it is not the build
	Effect    buildlog.Effect `json:"effect"`
	Layer     buildlog.Layer  `json:"layer"`
	PolicyARN string          `json:"policy_arn"`
	Reason    string          `json:"reason,omitempty"` // that AWS gives, if it is no known layer
	Bare      bool            `json:"bare,omitempty"`   // a status of 403, and no reason
	Line      int             `json:"line"`
	Causal    bool            `json:"causal"` // it failed the build
}

// badRecord answers a line that cannot be read.
type badRecord struct {
	ID    json.RawMessage `json:"id,omitempty"`
	Error string          `json:"error"`
}

// diagnoseLines answers each line of r with one line on w, in order, as soon
// as it is read. Empty lines have no answer. The error is r's, w's or ctx's.
func diagnoseLines(ctx context.Context, r io.Reader, w io.Writer, own []diagnose.Cause) error {
	in := bufio.NewReaderSize(r, 64<<10)
	for n := 1; ; n++ {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("diagnosing line %d: %w", n, err)
		}
		line, err := readRecord(in, maxRecord)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, errLongRecord):
			err = writeLine(w, badRecord{Error: fmt.Sprintf("line %d: %v", n, err)})
		case err != nil:
			return fmt.Errorf("reading line %d: %w", n, err)
		case len(bytes.TrimSpace(line)) == 0:
			continue
		default:
			err = writeLine(w, answerLine(line, n, own))
		}
		if err != nil {
			return fmt.Errorf("printing: %w", err)
		}
	}
}

var errLongRecord = fmt.Errorf("it is longer than %d bytes", maxRecord)

// readRecord reads a line of at most limit bytes, without its newline. It is
// io.EOF after the last one, and errLongRecord for one that was too long and
// is now behind.
func readRecord(in *bufio.Reader, limit int) ([]byte, error) {
	var line []byte
	long, some := false, false
	for {
		part, err := in.ReadSlice('\n')
		some = some || len(part) > 0
		if long = long || len(line)+len(part) > limit; !long {
			line = append(line, part...)
		} else {
			line = nil
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && !some:
			return nil, io.EOF
		case err != nil && !errors.Is(err, io.EOF):
			return nil, err
		case long:
			return nil, errLongRecord
		}
		return line, nil
	}
}

// answerLine diagnoses one line; n is its number.
func answerLine(line []byte, n int, own []diagnose.Cause) any {
	var rec record
	if err := json.Unmarshal(line, &rec); err != nil {
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) && wrong.Field != "" {
			err = fmt.Errorf("%s is of the wrong kind: %s", wrong.Field, wrong.Value)
		}
		return badRecord{scalar(rec.ID), fmt.Sprintf("line %d: %v", n, err)}
	}
	id := scalar(rec.ID)
	if id == nil {
		return badRecord{nil, fmt.Sprintf("line %d: id is missing, or neither text nor number", n)}
	}
	f := rec.failure()
	d := heal.WithoutSecrets(diagnose.Diagnose(f, own...))
	a := answer{id, d.Cause, d.Remedy, d.Retryable, []answeredDenial{}, []string{}, d.Tests, d.MoreTests, d.Also, d.Fingerprint}
	for _, x := range d.Denials {
		a.Denials = append(a.Denials, answeredDenial{x.Action, x.Resource, x.Near, x.Principal, x.Subject, x.Effect, x.Layer,
			x.PolicyARN, x.Reason, x.Bare, x.Line, x.Causal})
	}
	for _, l := range d.Excerpt {
		a.Excerpt = append(a.Excerpt, l.Text)
	}
	return a
}

// scalar gives id if it is text or a number, else nil.
func scalar(id json.RawMessage) json.RawMessage {
	if len(id) == 0 || !strings.ContainsRune(`"-0123456789`, rune(id[0])) {
		return nil
	}
	return id
}

// failure reads the record's text as the log of a failed build.
func (r *record) failure() buildlog.Failure {
	b := codebuild.Build{ARN: r.BuildARN, ServiceRole: r.ServiceRole, Status: codebuild.Failed}
	if _, id, ok := codebuild.ParseBuildARN(r.BuildARN); ok {
		b.ID = id
		b.Project, _, _ = strings.Cut(b.ID, ":")
	}
	for _, c := range r.PhaseContexts {
		if ctx := readContext(c); ctx != (codebuild.Context{}) {
			p := codebuild.Phase{Status: codebuild.Failed, Contexts: []codebuild.Context{ctx}}
			if len(b.Phases) > 0 { // the first is why the build failed, as in a record
				p.Type = fmt.Sprint("AFTER_", len(b.Phases))
			}
			b.Phases = append(b.Phases, p)
		}
	}
	if r.Text == "" {
		return buildlog.NoLog(b)
	}
	return buildlog.ReadText(b, r.Text)
}

// readContext splits "CODE: message" at the first colon that a space follows
// (AWS.md#phase-contexts); ": " is the context of a phase that passed.
func readContext(s string) codebuild.Context {
	code, message, ok := strings.Cut(s, ": ")
	if !ok {
		return codebuild.Context{Message: strings.TrimSpace(s)}
	}
	return codebuild.Context{Code: strings.TrimSpace(code), Message: strings.TrimSpace(message)}
}

func writeLine(w io.Writer, v any) error { return writeJSON(w, "", v) }
