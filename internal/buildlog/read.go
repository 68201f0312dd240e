package buildlog

import (
	"fmt"
	"io"

	"github.com/buildmedic/buildmedic/internal/codebuild"
)

// Read reads the log of a failed build: its whole text, or its end, as
// CodeBuild wrote it. b's phases say which phase failed, and their contexts
// hold denials of their own. The error is r's.
func Read(b codebuild.Build, r io.Reader) (Failure, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return Failure{}, fmt.Errorf("reading build log: %w", err)
	}
	return ReadText(b, string(text)), nil
}

// NoLog gives what is known of a build without a log: the role may not write
// one, or logs are disabled (aws-facts §6.4).
func NoLog(b codebuild.Build) Failure {
	f := failure(b)
	f.NoLog = true
	f.Denials = contextDenials(b)
	return f
}

// failure begins the facts with those of the build record.
func failure(b codebuild.Build) Failure {
	f := Failure{Build: b}
	if p, ok := b.FailedPhase(); ok {
		f.Phase = p.Type
		for _, c := range p.Contexts {
			if c.Code != "" || c.Message != "" {
				f.Context = c
				break
			}
		}
	}
	f.Command, f.Exit = contextCommand(f.Context)
	return f
}
