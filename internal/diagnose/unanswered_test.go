package diagnose

import (
	"slices"
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
)

func TestIsUnanswered(t *testing.T) {
	for line, want := range map[string]bool{
		// nobody answered
		"curl: (28) Failed to connect to github.com port 443 after 135401 ms: Couldn't connect to server":         true,
		"curl: (28) Connection timed out after 5000 milliseconds":                                                 true,
		"curl: (7) Failed to connect to github.com port 443: Connection timed out":                                true,
		"ssh: connect to host github.com port 22: Connection timed out":                                           true,
		"ssh: connect to host github.com port 22: Operation timed out":                                            true,
		"npm error network request to https://npm.example.com/x failed, reason: connect ETIMEDOUT 192.0.2.10:443": true,
		"npm error code ETIMEDOUT": true,
		"  Could not connect to deb.debian.org:80 (192.0.2.10), connection timed out":                                                 true,
		"W: Failed to fetch http://deb.debian.org/debian/dists/bookworm/InRelease  Unable to connect to deb.debian.org:http:":         true,
		"> Connect to repo.maven.apache.org:443 [repo.maven.apache.org/192.0.2.10] failed: connect timed out":                         true,
		"java.net.SocketTimeoutException: Connect timed out":                                                                          true,
		"org.apache.http.conn.ConnectTimeoutException: Connect to repo.maven.apache.org:443 failed":                                   true,
		"Net::OpenTimeout: Failed to open TCP connection to rubygems.org:443 (execution expired)":                                     true,
		`dial tcp 192.0.2.10:443: connect: connection timed out`:                                                                      true,
		"Curl error (28): Timeout was reached for https://cdn.amazonlinux.com/al2023/core/mirrors/latest/x86_64/mirror.list":          true,
		"curl error 28 while downloading https://repo.packagist.org/packages.json: Failed to connect to repo.packagist.org":           true,
		"  [28] Timeout was reached (Connection timed out after 30000 milliseconds)":                                                  true,
		"A connection attempt failed because the connected party did not properly respond after a period of time (api.nuget.org:443)": true,
		`Post "https://sts.eu-west-1.amazonaws.com/": dial tcp 10.0.3.4:443: i/o timeout`:                                             true,
		// somebody did, or it is another matter
		"curl: (7) Failed to connect to localhost port 8080 after 0 ms: Couldn't connect to server":    false,
		"curl: (7) Failed to connect to github.com port 443 after 12 ms: Couldn't connect to server":   false,
		"curl: (28) Operation timed out after 30001 milliseconds with 1024 out of 9000 bytes received": false,
		"curl: (28) Resolving timed out after 5000 milliseconds":                                       false,
		"curl: (28) SSL connection timeout":                                                            false,
		"curl: (28) Operation too slow. Less than 1000 bytes/sec transferred":                          false,
		"  [28] Timeout was reached (failed to download any data for `libc` within 30s)":               false,
		"mount.nfs4: Connection timed out":                                                             false,
		`Post "https://0A1B.gr7.eu-west-1.eks.amazonaws.com/api": dial tcp 10.1.2.3:443: i/o timeout`:  false,
		"curl: (56) OpenSSL SSL_read: Connection timed out, errno 110":                                 false,
		"npm error code ECONNRESET":                                                                    false,
		"read tcp 10.0.1.2:51812->192.0.2.10:443: i/o timeout":                                         false,
		"Read timed out.":                              false,
		"connect ECONNREFUSED 192.0.2.10:443":          false,
		"getaddrinfo EAI_AGAIN npm.example.com":        false,
		"curl: (6) Could not resolve host: github.com": false,
		"Error: timed out waiting for the condition":   false,
		// within the network
		"dial tcp 10.0.7.8:5432: i/o timeout":                                                false,
		"dial tcp 172.16.0.9:443: i/o timeout":                                               false,
		"connect ETIMEDOUT 192.168.1.4:443":                                                  false,
		"connect to nexus.shop.internal port 443 failed: Connection timed out":               false,
		"could not connect to shop.abc123.eu-west-1.rds.amazonaws.com: Connection timed out": false,
		"dial tcp 127.0.0.1:3000: i/o timeout":                                               false,
		"":                                                                                   false,
	} {
		if got := isUnanswered(line); got != want {
			t.Errorf("%q: %v", line, got)
		}
	}
}

// TestUnanswered reads whole outputs of builds in a VPC.
func TestUnanswered(t *testing.T) {
	inVPC := codebuild.Build{Environment: "LINUX_CONTAINER", VPC: aVPC, SourceType: "CODEPIPELINE"}
	fromGitHub := inVPC
	fromGitHub.SourceType, fromGitHub.Phases = "GITHUB", []codebuild.Phase{{Type: "DOWNLOAD_SOURCE", Status: codebuild.Succeeded}}
	onFleet := inVPC
	onFleet.VPC, onFleet.Fleet = "", aFleet
	const curl = "curl: (28) Connection timed out after 5000 milliseconds"
	none, linux := codebuild.Build{}, codebuild.Build{Environment: "LINUX_CONTAINER"}
	const get = "curl -O https://example.com/x"
	for _, row := range []struct {
		what          string
		build         codebuild.Build
		command, text string
		cause         string
		remedy        Remedy
	}{
		{"the first download", inVPC, get, curl, "vpc-without-nat", Report},
		{"the same, in no VPC", linux, get, curl, "network-failure", Retry},
		{"the same, and nobody knows whether in a VPC", none, get, curl, "network-failure", Retry},
		{"the same, with a source from GitHub", fromGitHub, get, curl, "network-failure", Retry},
		{"the same, on a fleet, whose VPC the record does not show", onFleet, get, curl, "network-failure", Retry},
		{"Maven got others", inVPC, "mvn package",
			"[INFO] Downloaded from central: https://repo.maven.apache.org/maven2/a/b/1/b-1.pom (1.4 kB at 3 kB/s)\n" +
				"[ERROR] Could not transfer artifact c:d:pom:1 from/to central (https://repo.maven.apache.org/maven2): " +
				"Connect to repo.maven.apache.org:443 [repo.maven.apache.org/192.0.2.10] failed: Connection timed out",
			"registry-unavailable", Retry},
		{"a test's own time-out", inVPC, "go test ./...",
			"--- FAIL: TestClient (5.00s)\n    client_test.go:12: Get \"https://example.com\": dial tcp 192.0.2.10:443: i/o timeout\n" +
				"FAIL\nFAIL\tshop\t5.01s\nFAIL",
			"test-failure", Report},
		{"survived, and then tests fail", inVPC, "./build.sh",
			curl + "\nmetrics are off, going on\n--- FAIL: TestCart (0.00s)\n    cart_test.go:7: got 1, want 2\nFAIL\nFAIL\tshop\t0.01s",
			"test-failure", Report},
		{"survived, and then the disk is full", inVPC, "./build.sh", curl + "\ncp: error writing 'x': No space left on device",
			"disk-full", Report},
		{"survived, and then another home-made error", inVPC, "./build.sh",
			curl + "\nusing the cached copy\nERROR: owner web is not a member", "command-failed", Report},
		{"a message that could not be sent of a failure before", inVPC, "./build.sh",
			"ERROR: owner web is not a member\ntelling the team\n" + curl, "command-failed", Report},
		{"a denial explains the end", inVPC, "./deploy.sh", curl +
			"\nAn error occurred (AccessDenied) when calling the PutObject operation: User: arn:aws:sts::111122223333:assumed-role/" +
			"codebuild-shop/AWSCodeBuild-11111111-2222-3333-4444-555555555555 is not authorized to perform: s3:PutObject on resource: " +
			"\"arn:aws:s3:::shop/x\" because no identity-based policy allows the s3:PutObject action", "missing-permission", Grant},
		{"the database in the same VPC", inVPC, "./migrate",
			"psycopg2.OperationalError: connection to server at \"shop.abc.eu-west-1.rds.amazonaws.com\" (10.0.4.7), port 5432 failed: " +
				"Connection timed out",
			"database-unreachable", Report},
		{"a name that nobody knows", inVPC, get, "curl: (6) Could not resolve host: example.com", "dns-failure", Retry},
		{"cut off in the middle", inVPC, "npm ci", "npm error code ECONNRESET", "network-failure", Retry},
	} {
		f := buildlog.ReadText(row.build, row.text)
		f.Command, f.Exit = row.command, "1"
		d := Diagnose(f)
		if d.Cause != row.cause || d.Remedy != row.remedy {
			t.Errorf("%s: %s, %s by %q; want %s, %s", row.what, d.Cause, d.Remedy, d.Evidence.Text, row.cause, row.remedy)
		}
		if d.Cause == "vpc-without-nat" && !strings.Contains(d.Advice, aVPC) {
			t.Errorf("%s: the advice does not name the VPC: %s", row.what, d.Advice)
		}
	}
}

// FuzzUnanswered: no text makes the search panic, and outside of a VPC it never decides.
func FuzzUnanswered(f *testing.F) {
	f.Add("curl: (28) Connection timed out after 5000 milliseconds")
	f.Add("dial tcp 999.1.1.1:443: i/o timeout")
	f.Add("WARNING: Retrying … (connect timeout=15)\nERROR: No matching distribution found for x")
	f.Fuzz(func(t *testing.T, text string) {
		in := buildlog.ReadText(codebuild.Build{Environment: "LINUX_CONTAINER", VPC: aVPC}, text)
		in.Command, in.Exit = "make", "1"
		d := Diagnose(in)
		if d.Cause == "vpc-without-nat" && !slices.ContainsFunc(in.Tail, func(l buildlog.Line) bool { return isUnanswered(bare(l.Text)) }) {
			t.Errorf("%q proves nothing", d.Evidence.Text)
		}
		in.Build.VPC = ""
		if d := Diagnose(in); d.Cause == "vpc-without-nat" {
			t.Errorf("%q outside of a VPC: %s", text, d.Cause)
		}
	})
}
