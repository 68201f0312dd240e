package buildlog

import (
	"testing"

	"github.com/buildmedic/buildmedic/internal/codebuild"
)

// TestFetched ensures that a download counts for the commands behind it, if it passed and could
// not have failed unseen.
func TestFetched(t *testing.T) {
	const at = "[Container] 2026/11/20 10:00:01.000001 "
	build := func(commands ...string) Failure {
		log := at + "Entering phase BUILD\n"
		for _, c := range commands {
			log += at + "Running command " + c + "\nno\n"
		}
		failed := commands[len(commands)-1]
		return ReadText(codebuild.Build{}, log+at+"Command did not exit successfully "+failed+" exit status 1\n"+
			at+"Phase complete: BUILD State: FAILED\n"+at+"Phase context status code: COMMAND_EXECUTION_ERROR "+
			"Message: Error while executing command: "+failed+". Reason: exit status 1\n")
	}
	for command, want := range map[string]bool{
		"npm ci":                                            true,
		"npm install --no-audit":                            true,
		"yarn":                                              true,
		"pip install -r requirements.txt":                   true,
		"python3 -m pip install x":                          true,
		"apt-get -qq update":                                true,
		"sudo apk -q add jq":                                true,
		"dnf -y install jq":                                 false,
		"curl -fsSL https://example.com/x -o x":             true,
		"wget -q 'https://example.com/x'":                   true,
		"git clone https://github.com/example/lib.git":      true,
		"docker pull node:22":                               true,
		"npm ci || true":                                    false,
		"curl https://example.com/x; true":                  false,
		"curl -s https://example.com/ping | cat":            false,
		"curl -fsSL https://b.s3.eu-west-1.amazonaws.com/x": false,
		"docker pull 111122223333.dkr.ecr.eu-west-1.amazonaws.com/base:1": false,
		"curl http://localhost:3000/health":                               false,
		"npm run build":                                                   false,
		"echo npm ci":                                                     false,
		"git fetch":                                                       false,
		"aws s3 cp s3://b/x .":                                            false,
		"yarn build":                                                      false,
		"for i in 1 2; do\n  curl https://example.com/x && break\n  sleep 1\ndone": false,
	} {
		if got := build(command, "./up.sh").Fetched; got != want {
			t.Errorf("%q: %t, want %t", command, got, want)
		}
		if build(command).Fetched {
			t.Errorf("%q: it is the one that failed", command)
		}
	}
}
