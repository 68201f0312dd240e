package diagnose

import (
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
)

const (
	aVPC   = "vpc-0a1b2c3d"
	aFleet = "arn:aws:codebuild:eu-west-1:111122223333:fleet/ci-large:11111111-2222-3333-4444-555555555555"
)

// asks reports whether the condition asks for anything.
func (w *when) asks() bool {
	return w.environment != nil || w.vpc != either || w.fleet != either || w.dockerServer != either ||
		w.privileged != either || w.internet != either
}

// example is a record for which the condition holds; none if it asks for nothing.
func (w *when) example() codebuild.Build {
	var b codebuild.Build
	if !w.asks() {
		return b
	}
	b.Environment = "LINUX_CONTAINER"
	if w.environment != nil {
		b.Environment = "LINUX_" + w.environment[0] + "_CONTAINER"
	}
	if w.vpc == is {
		b.VPC = aVPC
	}
	if w.fleet == is {
		b.Fleet = aFleet
	}
	b.DockerServer, b.Privileged = w.dockerServer == is, w.privileged == is
	return b
}

func TestRecorded(t *testing.T) {
	linux := func(change func(b *codebuild.Build)) codebuild.Build {
		b := codebuild.Build{Environment: "LINUX_CONTAINER", Compute: "BUILD_GENERAL1_SMALL"}
		if change != nil {
			change(&b)
		}
		return b
	}
	of := func(environment string) codebuild.Build { return codebuild.Build{Environment: environment} }
	lambda := when{environment: []string{"LAMBDA"}}
	for _, row := range []struct {
		what  string
		when  when
		build codebuild.Build
		want  bool
	}{
		{"nothing is asked, there is no record", when{}, codebuild.Build{}, true},
		{"nothing is asked", when{}, linux(nil), true},
		{"Lambda compute", lambda, of("LINUX_LAMBDA_CONTAINER"), true},
		{"Lambda compute on ARM", lambda, of("ARM_LAMBDA_CONTAINER"), true},
		{"other compute", lambda, of("LINUX_CONTAINER"), false},
		{"no record, no image", lambda, codebuild.Build{}, false},
		{"no type, an image for Lambda compute", lambda,
			codebuild.Build{Image: "aws/codebuild/amazonlinux-x86_64-lambda-standard:nodejs20"}, true},
		{"an image for Lambda compute on other compute", lambda,
			codebuild.Build{Environment: "LINUX_CONTAINER", Image: "aws/codebuild/amazonlinux-x86_64-lambda-standard:nodejs20"}, false},
		{"one of several words", when{environment: []string{"EC2", "MAC"}}, of("MAC_ARM"), true},
		{"a word, not a part of one", when{environment: []string{"MAC"}}, of("MACHINE_CONTAINER"), false},
		{"Windows", when{environment: []string{"WINDOWS"}}, of("WINDOWS_SERVER_2022_CONTAINER"), true},
		{"in a VPC", when{vpc: is}, linux(func(b *codebuild.Build) { b.VPC = aVPC }), true},
		{"in no VPC", when{vpc: is}, linux(nil), false},
		{"in no VPC, as wanted", when{vpc: isNot}, linux(nil), true},
		{"in a VPC, and not wanted", when{vpc: isNot}, linux(func(b *codebuild.Build) { b.VPC = aVPC }), false},
		{"nobody knows whether in a VPC", when{vpc: isNot}, codebuild.Build{}, false},
		{"on reserved capacity", when{fleet: is}, linux(func(b *codebuild.Build) { b.Fleet = aFleet }), true},
		{"on demand", when{fleet: is}, linux(nil), false},
		{"with a Docker server", when{dockerServer: is}, linux(func(b *codebuild.Build) { b.DockerServer = true }), true},
		{"without", when{dockerServer: is}, linux(nil), false},
		{"privileged", when{privileged: is}, linux(func(b *codebuild.Build) { b.Privileged = true }), true},
		{"not privileged", when{privileged: is}, linux(nil), false},
		{"one of two holds", when{vpc: is, fleet: is}, linux(func(b *codebuild.Build) { b.VPC = aVPC }), false},
	} {
		x := gather(&buildlog.Failure{Build: row.build})
		if got := x.recorded(&row.when); got != row.want {
			t.Errorf("%s: %v", row.what, got)
		}
	}
	for i := range causes {
		if w := &causes[i].when; !gather(&buildlog.Failure{Build: w.example()}).recorded(w) {
			t.Errorf("%s: its own example does not hold", causes[i].Name)
		}
	}
}

// TestReached tells what has come from the Internet from what may have come from within.
func TestReached(t *testing.T) {
	in := func(source, status string) codebuild.Build {
		return codebuild.Build{Environment: "LINUX_CONTAINER", VPC: aVPC, SourceType: source,
			Phases: []codebuild.Phase{{Type: "PROVISIONING", Status: "SUCCEEDED"}, {Type: "DOWNLOAD_SOURCE", Status: status}}}
	}
	s3 := in("S3", "SUCCEEDED")
	for _, row := range []struct {
		what  string
		build codebuild.Build
		line  string
		want  bool
	}{
		{"the source came from GitHub", in("GITHUB", "SUCCEEDED"), "", true},
		{"from Bitbucket", in("BITBUCKET", "SUCCEEDED"), "", true},
		{"from a GitHub of the company's own, perhaps in the VPC", in("GITHUB_ENTERPRISE", "SUCCEEDED"), "", false},
		{"from a pipeline's bucket, perhaps through an endpoint", in("CODEPIPELINE", "SUCCEEDED"), "", false},
		{"from S3", s3, "", false},
		{"from CodeCommit", in("CODECOMMIT", "SUCCEEDED"), "", false},
		{"nothing was downloaded", in("NO_SOURCE", "SUCCEEDED"), "", false},
		{"the source did not come", in("GITHUB", "FAILED"), "", false},
		{"Maven got another artifact", s3,
			"[INFO] Downloaded from central: https://repo.maven.apache.org/maven2/a/b/1/b-1.pom (1.4 kB at 3 kB/s)", true},
		{"Maven only began to", s3, "[INFO] Downloading from central: https://repo.maven.apache.org/maven2/a/b/1/b-1.pom", false},
		{"Maven got it from a mirror of the company's", s3,
			"[INFO] Downloaded from mirror: https://nexus.shop.internal/maven2/a/b/1/b-1.pom (1.4 kB at 3 kB/s)", false},
		{"apt got a list", s3, "Get:1 http://deb.debian.org/debian bookworm InRelease [151 kB]", true},
		{"apt got nothing", s3, "Ign:1 http://deb.debian.org/debian bookworm InRelease", false},
		{"apt's mirror of the region, through an endpoint of S3", s3,
			"Get:1 http://mirror.s3.eu-west-1.amazonaws.com/debian bookworm InRelease [151 kB]", false},
		{"npm, if it is asked to tell", s3, "npm http fetch GET 200 https://npm.example.com/left-pad 312ms (cache miss)", true},
		{"wget", s3, "HTTP request sent, awaiting response... 200 OK", true},
		{"a test prints it", s3, "    client_test.go:12: < HTTP/1.1 200 OK", false},
	} {
		f := buildlog.Failure{Build: row.build, Tail: []buildlog.Line{{N: 1, Text: row.line}}}
		if got := gather(&f).reached(); got != row.want {
			t.Errorf("%s: %v", row.what, got)
		}
	}
}

// TestRecordDecides gives the same words to builds that ran in different places.
func TestRecordDecides(t *testing.T) {
	const (
		daemon = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?"
		root   = "Error: This command has to be run with superuser privileges (under the root user on most systems)."
		lock   = "E: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), are you root?"
		global = "npm error Error: EACCES: permission denied, mkdir '/usr/local/lib/node_modules'"
		down   = "Could not connect to the endpoint URL: \"https://sts.eu-west-1.amazonaws.com/\""
	)
	of := func(environment string, change ...func(*codebuild.Build)) codebuild.Build {
		b := codebuild.Build{Environment: environment, Status: codebuild.Failed}
		for _, c := range change {
			c(&b)
		}
		return b
	}
	lambda, linux := of("LINUX_LAMBDA_CONTAINER"), of("LINUX_CONTAINER")
	privileged := func(b *codebuild.Build) { b.Privileged = true }
	server := func(b *codebuild.Build) { b.DockerServer = true }
	vpc := func(b *codebuild.Build) { b.VPC = aVPC }
	fleet := func(b *codebuild.Build) { b.Fleet = aFleet }
	for _, row := range []struct {
		build       codebuild.Build
		text, cause string
		advice, not string
	}{
		{codebuild.Build{}, daemon, "docker-daemon-unavailable", "Turn on privileged mode", "Lambda"},
		{linux, daemon, "docker-daemon-unavailable", "Turn on privileged mode", ""},
		{of("LINUX_CONTAINER", privileged), daemon, "docker-daemon-not-started", "start dockerd", "Turn on privileged"},
		{of("LINUX_CONTAINER", privileged, server), daemon, "docker-server-unreachable", "TCP 9876", "Turn on"},
		{of("LINUX_CONTAINER", server, fleet), daemon, "docker-server-unreachable", "TCP 9876", "Turn on"},
		{lambda, daemon, "lambda-without-docker", "Choose EC2 compute", "Turn on"},
		{of("WINDOWS_SERVER_2019_CONTAINER"), daemon, "windows-without-docker", "WINDOWS_EC2", "Turn on"},
		{of("WINDOWS_EC2", fleet), daemon, "machine-without-docker", "With WINDOWS_EC2 the commands run on the machine", "Turn on"},
		{of("ARM_EC2", fleet, privileged), daemon, "machine-without-docker", "systemctl start docker", "Turn on"},
		{lambda, root, "lambda-without-root", "below /tmp", "run-as"},
		{linux, root, "root-needed", "run-as: root", "Lambda"},
		{lambda, lock, "lambda-without-root", "", ""},
		{linux, lock, "root-needed", "", "Start the build again"},
		{lambda, global, "lambda-without-root", "npm --prefix", ""},
		{linux, global, "file-permission", "", "Lambda"},
		{lambda, "./setup.sh: line 2: sudo: command not found", "lambda-without-root", "", ""},
		{linux, "./setup.sh: line 2: sudo: command not found", "command-not-found", "", "Lambda"},
		{lambda, "./setup.sh: line 2: jq: command not found", "command-not-found", "", "Lambda"},
		{lambda, "sh: 1: ./tools/x: Permission denied", "not-executable", "", ""},
		{lambda, "Error: EACCES: permission denied, open '/tmp/codebuild/output/src/x'", "file-permission", "", ""},
		{linux, down, "endpoint-unreachable", "", aVPC},
		{of("LINUX_CONTAINER", vpc), down, "endpoint-unreachable", "This build runs in " + aVPC, ""},
		{of("LINUX_CONTAINER", vpc), "curl: (6) Could not resolve host: example.com", "dns-failure", "DNS settings", ""},
		{of("LINUX_CONTAINER", fleet), "npm error code ETIMEDOUT", "network-failure", "the fleet ci-large, which may have a VPC", ""},
	} {
		f := buildlog.ReadText(row.build, row.text)
		f.Command, f.Exit = "./build.sh", "1"
		d := Diagnose(f)
		if d.Cause != row.cause || !strings.Contains(d.Advice, row.advice) || row.not != "" && strings.Contains(d.Advice, row.not) {
			t.Errorf("%s, %q: %s\n%s\nwant %s with %q, without %q",
				row.build.Environment, row.text, d.Cause, d.Advice, row.cause, row.advice, row.not)
		}
		if d.Cause == "lambda-without-root" && d.Remedy != Report {
			t.Errorf("%q would be started again", row.text)
		}
	}
}

// TestRecordChangesOnly puts every sample without a record into builds that ran elsewhere: only those
// may have another cause to which the place makes a difference.
func TestRecordChangesOnly(t *testing.T) {
	docker := func(to string) map[string]string { return map[string]string{"docker-daemon-unavailable": to} }
	for _, row := range []struct {
		where  string
		build  codebuild.Build
		others map[string]string // causes, and what they become
	}{
		{"on Linux", codebuild.Build{Environment: "LINUX_CONTAINER"}, nil},
		{"privileged", codebuild.Build{Environment: "LINUX_CONTAINER", Privileged: true}, docker("docker-daemon-not-started")},
		{"a Docker server", codebuild.Build{Environment: "LINUX_CONTAINER", DockerServer: true}, docker("docker-server-unreachable")},
		{"on Windows", codebuild.Build{Environment: "WINDOWS_CONTAINER"}, docker("windows-without-docker")},
		{"on a machine", codebuild.Build{Environment: "LINUX_EC2"}, docker("machine-without-docker")},
		{"on Lambda compute", codebuild.Build{Environment: "LINUX_LAMBDA_CONTAINER"}, map[string]string{
			"docker-daemon-unavailable": "lambda-without-docker", "build-timed-out": "lambda-time-limit",
			"file-permission": "lambda-without-root", "root-needed": "lambda-without-root"}},
		{"on a fleet", codebuild.Build{Environment: "LINUX_CONTAINER", Fleet: aFleet}, map[string]string{
			"queue-timed-out": "fleet-queue-timed-out", "vpc-unauthorized": "fleet-vpc-unauthorized"}},
		{"in a VPC", codebuild.Build{Environment: "LINUX_CONTAINER", VPC: aVPC}, map[string]string{
			"docker-pull-failed": "vpc-without-nat", "endpoint-unreachable": "vpc-without-nat", "registry-unavailable": "vpc-without-nat",
			"vpc-no-internet": "vpc-without-nat"}},
	} {
		for _, s := range samples(t) {
			b := &s.failure.Build
			if b.Environment != "" {
				continue
			}
			b.Environment, b.VPC, b.Fleet = row.build.Environment, row.build.VPC, row.build.Fleet
			b.Privileged, b.DockerServer = row.build.Privileged, row.build.DockerServer
			d := Diagnose(s.failure)
			if d.Cause == s.cause || d.Cause == row.others[s.cause] || row.build.VPC == "" && d.Cause == "network-unreachable" {
				continue
			}
			t.Errorf("%s: %s is diagnosed as %s by %q", row.where, s.name, d.Cause, d.Evidence.Text)
		}
	}
}
