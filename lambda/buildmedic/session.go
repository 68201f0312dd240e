package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go/logging"
	"github.com/aws/smithy-go/middleware"

	"github.com/buildmedic/buildmedic/internal/awsapi"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// times are how long things may take, so that nothing hangs. A call is tried again a few times, and
// each try has times of its own.
var times = struct {
	connect time.Duration
	answer  time.Duration // until an answer begins
	call    time.Duration // with the answer's body
	calls   time.Duration // all tries of a call, but for those of a scan
	whoami  time.Duration // of the first call, in which most mistakes show
	look    time.Duration // of a look at other regions
}{10 * time.Second, 20 * time.Second, 2 * time.Minute, time.Minute, 30 * time.Second, 5 * time.Second}

// session is whose credentials are used, and where: what an error has to name. It travels with the
// configuration, among its sources.
type session struct {
	profile  string // "" if none is named
	region   string
	endpoint string // "" is AWS's own
	sso      bool   // the profile logs in through IAM Identity Center
	login    bool   // the profile was logged in with aws login
	env      bool   // the credentials are the environment's
	id       awsapi.Identity
}

// sessionOf finds the configuration's session; one that says nothing if it has none.
func sessionOf(cfg aws.Config) *session {
	for _, s := range cfg.ConfigSources {
		if s, ok := s.(*session); ok {
			return s
		}
	}
	return &session{region: cfg.Region}
}

// String says where calls go: first of all, since a wrong account or region looks like an empty one.
func (s *session) String() string {
	text := fmt.Sprintf("account %s, region %s", s.id.Account, s.region)
	if s.id.Partition != "" && s.id.Partition != "aws" {
		text += ", partition " + s.id.Partition
	}
	if s.profile != "" {
		text += ", profile " + plain(s.profile)
	}
	return text
}

// quietly loads the SDK's configuration without its own log. Each of its calls has a deadline.
func quietly(ctx context.Context) (aws.Config, error) {
	cfg, err := awsconfig.LoadDefaultConfig(ctx, awsconfig.WithLogger(logging.Nop{}), awsconfig.WithHTTPClient(
		awshttp.NewBuildableClient().WithTimeout(times.call).WithDialerOptions(func(d *net.Dialer) {
			d.Timeout = times.connect
		}).WithTransportOptions(func(t *http.Transport) { t.ResponseHeaderTimeout = times.answer })))
	var unknown awsconfig.SharedConfigProfileNotExistError
	if errors.As(err, &unknown) {
		return cfg, noProfile(unknown.Profile)
	}
	var mfa awsconfig.AssumeRoleTokenProviderNotSetError
	if errors.As(err, &mfa) {
		return cfg, tellable{trouble: (&session{profile: os.Getenv("AWS_PROFILE")}).noCode()}
	}
	if err != nil {
		return cfg, fmt.Errorf("loading AWS configuration: %w", err)
	}
	if cfg.Region = strings.TrimSpace(cfg.Region); cfg.Region == "" {
		return cfg, errors.New("no AWS region: set AWS_REGION, such as AWS_REGION=eu-west-1, or give your profile one with " +
			"`aws configure set region eu-west-1`")
	}
	s := &session{region: cfg.Region, endpoint: aws.ToString(cfg.BaseEndpoint)}
	for _, source := range cfg.ConfigSources {
		switch c := source.(type) {
		case awsconfig.EnvConfig:
			s.env = c.Credentials.HasKeys()
			s.profile = c.SharedConfigProfile
		case awsconfig.SharedConfig:
			s.sso = c.SSOSession != nil || c.SSOStartURL != ""
			s.login = c.LoginSession != ""
			if s.profile == "" && c.Profile != "default" {
				s.profile = c.Profile
			}
		}
	}
	if s.env { // which go before a profile's
		s.sso, s.login = false, false
	}
	return s.with(cfg), nil
}

// with makes calls with the configuration the session's.
func (s *session) with(cfg aws.Config) aws.Config {
	cfg = cfg.Copy()
	cfg.ConfigSources = append(slices.Clip(cfg.ConfigSources), s)
	cfg.APIOptions = append(slices.Clip(cfg.APIOptions), s.bound)
	return cfg
}

// noAnswer is the cause of a deadline of ours.
type noAnswer struct{ after time.Duration }

func (e noAnswer) Error() string { return fmt.Sprintf("no answer within %s", e.after) }

// patient marks calls that may be tried for as long as it takes: a scan's, while AWS throttles.
type patient struct{}

// bound gives all tries of a call one deadline together, and its error the session.
func (s *session) bound(stack *middleware.Stack) error {
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("deskDeadline", func(ctx context.Context,
		in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
		if ctx.Value(patient{}) != nil {
			out, metadata, err := next.HandleInitialize(ctx, in)
			return out, metadata, s.of(err)
		}
		ctx, cancel := context.WithTimeoutCause(ctx, times.calls, noAnswer{times.calls})
		if awsmiddleware.GetOperationName(ctx) == "GetObject" { // its body is read later, within the same time
			context.AfterFunc(ctx, cancel)
		} else {
			defer cancel()
		}
		out, metadata, err := next.HandleInitialize(ctx, in)
		if err != nil {
			err = overdue(ctx, err)
		}
		return out, metadata, s.of(err)
	}), middleware.After)
}

// sessionError is an error that knows whose call it was of.
type sessionError struct {
	err     error
	session *session
}

func (e sessionError) Error() string { return e.err.Error() }
func (e sessionError) Unwrap() error { return e.err }

func (s *session) of(err error) error {
	if err == nil {
		return nil
	}
	return sessionError{err, s}
}

// overdue puts the cause in the place of an error that a deadline of ours has brought about.
func overdue(ctx context.Context, err error) error {
	var no noAnswer
	if errors.As(context.Cause(ctx), &no) {
		return overdueError{no, err}
	}
	return err
}

type overdueError struct {
	noAnswer
	err error
}

func (e overdueError) Unwrap() []error { return []error{e.noAnswer, e.err} }

// whoami asks AWS whose credentials these are, and remembers it.
func whoami(ctx context.Context, cfg aws.Config) (awsapi.Identity, error) {
	asking, cancel := context.WithTimeoutCause(ctx, times.whoami, noAnswer{times.whoami})
	defer cancel()
	id, err := awsapi.Whoami(asking, cfg)
	if err != nil {
		if ctx.Err() == nil {
			err = overdue(asking, err)
		}
		return id, worded(err, sessionOf(cfg))
	}
	sessionOf(cfg).id = id
	return id, nil
}

// introduced loads the configuration, asks whose it is, and says so.
func introduced(ctx context.Context, stderr io.Writer) (aws.Config, error) {
	cfg, err := quietly(ctx)
	if err != nil {
		return cfg, err
	}
	if _, err := whoami(ctx, cfg); err != nil {
		return cfg, err
	}
	fmt.Fprintf(stderr, "AWS %s.\n", sessionOf(cfg))
	return cfg, nil
}

// stopped is an interruption that says how to go on.
type stopped struct {
	how string
	err error
}

func (e stopped) Error() string { return "interrupted; " + e.how }
func (e stopped) Unwrap() error { return e.err }

// goOn is how to go on after an interruption, behind what is said of it.
func goOn(err error) string {
	var s stopped
	if errors.As(err, &s) {
		return "; " + s.how
	}
	return ""
}

// noProfile says which profiles there are instead.
func noProfile(name string) error {
	text := fmt.Sprintf("your AWS configuration has no profile %q, which AWS_PROFILE names", name)
	known := profiles()
	switch near := settings.Near(name, known); {
	case near != "":
		text += fmt.Sprintf("; did you mean %q?", near)
	case len(known) > 0:
		text += "; it has " + listSome(known, 12)
	default:
		text += ": `aws configure list-profiles` lists those that it has"
	}
	return errors.New(text)
}

// profiles lists the profiles of the shared configuration, for a hint. The SDK reads a profile only
// by its name.
func profiles() (names []string) {
	for _, file := range []struct{ variable, other, prefix string }{
		{"AWS_CONFIG_FILE", awsconfig.DefaultSharedConfigFilename(), "profile "},
		{"AWS_SHARED_CREDENTIALS_FILE", awsconfig.DefaultSharedCredentialsFilename(), ""},
	} {
		path := os.Getenv(file.variable)
		if path == "" {
			path = file.other
		}
		f, err := os.Open(path)
		if err != nil {
			continue
		}
		for lines := bufio.NewScanner(io.LimitReader(f, 1<<20)); lines.Scan(); {
			line := strings.TrimSpace(lines.Text())
			name, ok := strings.CutPrefix(line, "["+file.prefix)
			if name, _, closed := strings.Cut(name, "]"); ok && closed {
				names = append(names, plain(strings.TrimSpace(name)))
			} else if strings.HasPrefix(line, "[default]") {
				names = append(names, "default")
			}
		}
		f.Close()
	}
	return names
}
