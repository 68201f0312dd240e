package deploytest

import (
	"bytes"
	"context"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/buildmedic/buildmedic/internal/simaws"
)

const (
	account = "290008131176"
	region  = "us-west-2"
	hubRole = "buildmedic-hub-" + region
)

// buildRoles are the projects' roles, which are there before the stack.
var buildRoles = []string{"codebuild-TrackerAPI-service-role", "qivr-codebuild-role"}

// stage is the emulator and all before it.
type stage struct {
	t      *testing.T
	ctx    context.Context
	repo   string // the clone: where make is run
	env    []string
	awsCLI string
	sim    *simaws.Sim
	router *router
	iam    *iam.Client // of the emulator
	sqs    *sqs.Client // as everybody else sees it, by the router
	began  time.Time
}

// newStage starts all of it. tools is the folder with ministack and aws.
func newStage(t *testing.T, tools string) *stage {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 10*time.Minute)
	t.Cleanup(stop)
	s := &stage{t: t, ctx: ctx, began: time.Now()}
	var err error
	if s.repo, err = filepath.Abs("../.."); err != nil {
		t.Fatal(err)
	}
	world, err := os.ReadFile("testdata/world.yaml")
	if err != nil {
		t.Fatal(err)
	}
	// The builds fail before anything is deployed, some minutes ago.
	start := time.Now().Add(-10 * time.Minute).UTC().Format(time.RFC3339)
	if s.sim, err = simaws.Load(append(world, "start: "+start+"\n"...)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.sim.Close)
	s.emulator(tools)
	s.accounts()
	return s
}

// emulator starts the emulator and the router before it.
func (s *stage) emulator(tools string) {
	t, dir := s.t, s.t.TempDir()
	port := freePort(t)
	at := &url.URL{Scheme: "http", Host: "127.0.0.1:" + port}
	s.iam = client(at.String(), account)
	m := &mirror{from: s.iam, to: client(s.sim.URL(), simaws.OwnerKey), roles: append(buildRoles[:2:2], hubRole)}
	var err error
	if s.router, err = newRouter(at, s.sim, account, m.sync); err != nil {
		t.Fatal(err)
	}
	s.router.function = &simaws.Identity{Role: hubRole, Session: "buildmedic"}
	t.Cleanup(s.router.Close)
	ca := filepath.Join(dir, "ca.pem")
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.router.Certificate().Raw})
	if err := os.WriteFile(ca, certificate, 0o600); err != nil {
		t.Fatal(err)
	}
	ours := func(v string) bool {
		return strings.HasPrefix(v, "AWS_") || strings.HasPrefix(v, "CDK_") || strings.HasPrefix(v, "MAKE")
	}
	s.env = append(slices.DeleteFunc(os.Environ(), ours), // nobody's real credentials
		"PATH="+s.cli(dir, tools)+":"+tools+":"+os.Getenv("PATH"), "TMPDIR="+dir,
		"AWS_ENDPOINT_URL="+s.router.URL, "AWS_ACCESS_KEY_ID="+account, "AWS_SECRET_ACCESS_KEY=test",
		"AWS_REGION="+region, "AWS_DEFAULT_REGION="+region, "AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull,
		"AWS_EC2_METADATA_DISABLED=true", "AWS_PAGER=",
		// who trusts the router's certificate: the AWS CLI, the CDK, and the function
		"AWS_CA_BUNDLE="+ca, "NODE_EXTRA_CA_CERTS="+ca, "SSL_CERT_FILE="+ca)
	// The emulator gives its own AWS_ENDPOINT_URL to the functions that it runs.
	env := append(s.env[:len(s.env):len(s.env)], "GATEWAY_PORT="+port, "BIND_HOST=127.0.0.1", "AUTH=true",
		"MINISTACK_ACCOUNT_ID="+account, "MINISTACK_REGION="+region, "STATE_DIR="+filepath.Join(dir, "state"))
	out := &bytes.Buffer{}
	ctx, stop := context.WithCancel(context.Background())
	cmd, err := begin(ctx, dir, env, out, filepath.Join(tools, "ministack"))
	if err != nil {
		t.Fatalf("starting the emulator: %v: run make test-deploy, which installs it", err)
	}
	t.Cleanup(func() {
		stop()
		_ = end(cmd) // it ends by being stopped
		if t.Failed() {
			t.Logf("the last calls, answered by whom:\n%s", tail(strings.Join(s.router.seen(), "\n"), 6000))
			t.Logf("the emulator's log:\n%s", tail(out.String(), 6000))
		}
	})
	s.wait("the emulator", 30*time.Second, func() (bool, error) {
		resp, err := http.Get(at.String() + "/_ministack/health")
		if err != nil {
			return false, nil // it does not listen yet
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK, nil
	})
	s.sqs = sqs.NewFromConfig(aws.Config{Region: region, BaseEndpoint: &s.router.URL, HTTPClient: s.router.Client(),
		Credentials: credentials.NewStaticCredentialsProvider(account, "test", "")})
}

// cli gives a folder with the AWS CLI that also sends SQS's calls where
// AWS_ENDPOINT_URL says: version 1 does not by itself (see findings/awscli-sqs-endpoint.sh),
// and would go to the real AWS.
func (s *stage) cli(dir, tools string) string {
	bin := filepath.Join(dir, "bin")
	script := fmt.Sprintf("#!/bin/sh\nexec '%s/aws' --endpoint-url \"$AWS_ENDPOINT_URL\" \"$@\"\n", tools)
	if err := os.MkdirAll(bin, 0o700); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(bin, "aws"), []byte(script), 0o700); err != nil {
		s.t.Fatal(err)
	}
	s.awsCLI = filepath.Join(bin, "aws")
	return bin
}

// accounts gives the emulator's IAM the roles that the projects have.
func (s *stage) accounts() {
	t := s.t
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",` +
		`"Principal":{"Service":"codebuild.amazonaws.com"}}]}`
	for _, role := range buildRoles {
		if _, err := s.iam.CreateRole(s.ctx, &iam.CreateRoleInput{RoleName: &role, AssumeRolePolicyDocument: &trust}); err != nil {
			t.Fatal(err)
		}
		inline, attached := s.sim.RolePolicies("", role)
		for name, text := range inline {
			if _, err := s.iam.PutRolePolicy(s.ctx, &iam.PutRolePolicyInput{
				RoleName: &role, PolicyName: &name, PolicyDocument: &text}); err != nil {
				t.Fatal(err)
			}
		}
		for _, arn := range attached {
			name, text := arn[strings.LastIndexByte(arn, '/')+1:], s.sim.PolicyVersions(arn)[0].Document
			p, err := s.iam.CreatePolicy(s.ctx, &iam.CreatePolicyInput{PolicyName: &name, PolicyDocument: &text})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.iam.AttachRolePolicy(s.ctx, &iam.AttachRolePolicyInput{RoleName: &role, PolicyArn: p.Policy.Arn}); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// wait asks until it is so.
func (s *stage) wait(for_ string, most time.Duration, ok func() (bool, error)) {
	s.t.Helper()
	for deadline := time.Now().Add(most); ; time.Sleep(100 * time.Millisecond) {
		done, err := ok()
		if err != nil {
			s.t.Fatalf("waiting for %s: %v", for_, err)
		}
		if done {
			return
		}
		if time.Now().After(deadline) || s.ctx.Err() != nil {
			s.t.Fatalf("%s did not come within %s", for_, most)
		}
	}
}

// run runs a program in the clone, and gives what it printed.
func (s *stage) run(name string, args ...string) string {
	s.t.Helper()
	out, err := s.try(name, args...)
	if err != nil {
		s.t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, tail(out, 6000))
	}
	return out
}

func (s *stage) try(name string, args ...string) (string, error) {
	if name == "aws" { // looked up by its name it would be this process's
		name = s.awsCLI
	}
	out := &bytes.Buffer{}
	cmd, err := begin(s.ctx, s.repo, s.env, out, name, args...)
	if err != nil {
		return "", err
	}
	err = end(cmd)
	return out.String(), err
}

// make runs one of the Makefile's targets.
func (s *stage) make(target string, args ...string) string {
	s.t.Helper()
	return s.run("make", append([]string{"--no-print-directory", target}, args...)...)
}

// aws runs the AWS CLI.
func (s *stage) aws(args ...string) string {
	s.t.Helper()
	return strings.TrimSpace(s.run("aws", args...))
}

// step does a part of the drive and says how long it took.
func (s *stage) step(what string, do func()) {
	s.t.Helper()
	began := time.Now()
	do()
	s.t.Logf("%5.1fs  %s", time.Since(began).Seconds(), what)
}

// bootstrap is the function for the machine that this runs on.
func bootstrap() string { return fmt.Sprintf("dist/%s/bootstrap", runtime.GOARCH) }

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func tail(s string, n int) string { return s[max(0, len(s)-n):] }
