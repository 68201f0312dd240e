package diagnose

import (
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
)

// TestAdviceHelps reads whole outputs: what a person is told must fit what was printed.
func TestAdviceHelps(t *testing.T) {
	const npm = `npm error code ERESOLVE
npm error ERESOLVE unable to resolve dependency tree
npm error
npm error While resolving: shop@1.0.0
npm error Found: react@18.2.0
npm error node_modules/react
npm error   react@"^18.2.0" from the root project
npm error
npm error Could not resolve dependency:
npm error peer react@"^16.8.0" from cart@2.1.0`
	const lock = `╷
│ Error: Error acquiring the state lock
│
│ Error message: ConditionalCheckFailedException: The conditional request failed
│ Lock Info:
│   ID:        11111111-2222-3333-4444-555555555555
│   Path:      shop-state/prod.tfstate
│   Operation: OperationTypeApply
│   Who:       root@ip-10-0-0-1
│   Created:   2026-11-20 10:00:00.000000000 +0000 UTC
╵`
	role := "arn:aws:iam::111122223333:role/cdk-hnb659fds-deploy-role-111122223333-eu-west-1"
	cdk := "current credentials could not be used to assume '" + role + "', but are for the right account. Proceeding anyway.\n" +
		"AccessDenied: User: arn:aws:sts::111122223333:assumed-role/codebuild-shop/AWSCodeBuild-11111111-2222-3333-4444-555555555555 " +
		"is not authorized to perform: cloudformation:DescribeStacks on resource: " +
		"arn:aws:cloudformation:eu-west-1:111122223333:stack/shop/* because no identity-based policy allows the " +
		"cloudformation:DescribeStacks action"
	tests := []struct {
		what, env, command, text string
		says, not                []string
	}{
		{"npm's peer, though the excerpt may have lost it", "", "npm ci", npm,
			[]string{`"Found: react@18.2.0"`, `"peer react@"^16.8.0" from cart@2.1.0"`}, nil},
		{"who holds Terraform's lock, and since when", "", "terraform apply", lock + strings.Repeat("\n  goroutine", 100),
			[]string{`"Who:       root@ip-10-0-0-1"`, `"Created:   2026-11-20`}, nil},
		{"no lock info, no promise of it", "", "terraform apply", "Error: Error acquiring the state lock", nil,
			[]string{"The output says"}},
		{"the CDK's roles come before any single permission", "", "npx cdk deploy", cdk,
			[]string{"First let the build's role call sts:AssumeRole on " + role}, []string{"sts:AssumeRole was denied"}},
		{"the log says that sts:AssumeRole was denied", "", "npx cdk deploy",
			strings.ReplaceAll(cdk, "cloudformation:DescribeStacks", "sts:AssumeRole"),
			[]string{"First let the build's role"}, []string{"does not say which of the two"}},
		{"a denial without the CDK's remark", "", "npx cdk deploy", cdk[strings.Index(cdk, "\n")+1:], nil,
			[]string{"sts:AssumeRole"}},
		{"apt-get on Lambda compute", "LINUX_LAMBDA_CONTAINER", "apt-get install -y x",
			"script.sh: line 4: apt-get: command not found",
			[]string{"Use an image that has the tool", "EC2 compute"}, []string{"without Docker"}},
		{"sudo yum on Lambda compute, in a script", "ARM_LAMBDA_CONTAINER", "./setup.sh",
			"./setup.sh: line 2: sudo: command not found",
			[]string{"install it below /tmp"}, nil},
		{"Docker on Lambda compute", "LINUX_LAMBDA_CONTAINER", "docker build .",
			"Cannot connect to the Docker daemon at unix:///var/run/docker.sock.",
			[]string{"No setting turns it on there", "EC2 compute"}, nil},
		{"a mirror on Lambda compute", "LINUX_LAMBDA_CONTAINER", "sudo yum install -y jq",
			"Error: Failed to download metadata for repo 'amazonlinux'", []string{"without root", "EC2 compute"}, nil},
		{"another missing program on Lambda compute", "LINUX_LAMBDA_CONTAINER", "frobnicate",
			"script.sh: line 4: frobnicate: command not found",
			nil, []string{"Lambda"}},
		{"apt-get on other compute", "LINUX_CONTAINER", "apt-get install -y x",
			"script.sh: line 4: apt-get: command not found",
			nil, []string{"Lambda"}},
		{"SonarQube's report, which the advice sends to", "", "sonar-scanner",
			"INFO: ANALYSIS SUCCESSFUL, you can find the results at: https://sonar.example.com/dashboard?id=shop\n" +
				"ERROR: QUALITY GATE STATUS: FAILED - View details on https://sonar.example.com/dashboard?id=shop",
			[]string{`"ANALYSIS SUCCESSFUL, you can find the results at: https://sonar.example.com/dashboard?id=shop"`}, nil},
		{"credentials of the helper for ECR", "", "crane pull x", "Error: basic credential not found",
			[]string{"~/.ecr/log/ecr-login.log"}, nil},
	}
	for _, tt := range tests {
		f := buildlog.ReadText(codebuild.Build{Environment: tt.env}, tt.text)
		f.Command, f.Exit = tt.command, "1"
		d := Diagnose(f)
		for _, s := range tt.says {
			if !strings.Contains(d.Advice, s) {
				t.Errorf("%s: %s (%s) does not say %q", tt.what, d.Advice, d.Cause, s)
			}
		}
		for _, s := range tt.not {
			if strings.Contains(d.Advice, s) {
				t.Errorf("%s: %s (%s) says %q", tt.what, d.Advice, d.Cause, s)
			}
		}
	}
}

// TestAdviceWithoutALog: it names no excerpt, which cannot exist.
func TestAdviceWithoutALog(t *testing.T) {
	b := codebuild.Build{Status: codebuild.Failed, Phases: []codebuild.Phase{
		{Type: "BUILD", Status: codebuild.Failed, Contexts: []codebuild.Context{
			{Code: "COMMAND_EXECUTION_ERROR", Message: "Error while executing command: make. Reason: exit status 2"}}},
	}}
	if d := Diagnose(buildlog.NoLog(b)); d.Cause != "command-failed" || strings.Contains(d.Advice, "excerpt") {
		t.Errorf("%s: %s", d.Cause, d.Advice)
	}
	b.Phases = append(b.Phases, codebuild.Phase{Type: "FINALIZING", Status: codebuild.Failed, Contexts: []codebuild.Context{
		{Code: "ACCESS_DENIED", Message: "AccessDeniedException: User: arn:aws:sts::111122223333:assumed-role/codebuild-shop/" +
			"AWSCodeBuild-11111111-2222-3333-4444-555555555555 is not authorized to perform: logs:PutLogEvents on resource: " +
			"arn:aws:logs:eu-west-1:111122223333:log-group:/aws/codebuild/shop:log-stream:x because no identity-based policy " +
			"allows the logs:PutLogEvents action"}}})
	d := Diagnose(buildlog.NoLog(b))
	if d.Cause != "log-denied" || d.Remedy != Grant || !strings.Contains(d.Advice, "failed command was make") {
		t.Errorf("with a denied log: %s, %s: %s", d.Cause, d.Remedy, d.Advice)
	}
}

// TestTitleClaimsNoMore: the title about unnamed denials does not contradict the list under it.
func TestTitleClaimsNoMore(t *testing.T) {
	named := buildlog.Denial{Action: "s3:PutObject", Causal: true, Effect: buildlog.Unstated, Layer: buildlog.LayerUnstated}
	unnamed := buildlog.Denial{Causal: true, Effect: buildlog.Unstated, Layer: buildlog.LayerUnstated}
	operation, resource := unnamed, unnamed
	operation.Operation, resource.Resource = "Frobnicate", "arn:aws:s3:::shop"
	for _, tt := range []struct {
		what string
		list []buildlog.Denial
		want string
	}{
		{"nothing is named", []buildlog.Denial{unnamed}, "AWS denied access and does not say to what"},
		{"an operation without an action", []buildlog.Denial{operation},
			"AWS denied access and does not say which permission the operation needs"},
		{"only a resource", []buildlog.Denial{resource}, "AWS denied access and does not say which action"},
		{"one of two is named", []buildlog.Denial{named, unnamed}, "AWS denied access and does not say all that it denied"},
	} {
		if d := Diagnose(buildlog.Failure{Denials: tt.list}); d.Title != tt.want {
			t.Errorf("%s: %q, want %q", tt.what, d.Title, tt.want)
		}
	}
}

// TestOfDenial: only a cause whose title names what the build itself was denied.
func TestOfDenial(t *testing.T) {
	for name, want := range map[string]bool{
		"missing-permission": true, "denied-by-scp": true, "explicit-deny": true, "gone-since-version-0": true,
		"denied-to-another": false, "kms-key-denied": false, "state-not-saved": false, "test-failure": false, "throttling": false,
	} {
		if got := OfDenial(name); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
