package simaws

import (
	"fmt"
	"strings"
)

// What a build needs besides its commands: each in its phase, failing with
// CodeBuild's own text (AWS.md#codebuild-denials).

// provision pulls the image and makes the network interface.
func (b *build) provision() (code, message string) {
	if code, message = b.pullImage(); code != "" {
		return code, message
	}
	if !b.conf.VPC {
		return "", ""
	}
	for _, a := range []string{"ec2:DescribeSubnets", "ec2:DescribeSecurityGroups", "ec2:CreateNetworkInterface"} {
		if _, denied := b.denied(b.ask(a, "*")); denied {
			return "VPC_CLIENT_ERROR", "Unexpected EC2 error: UnauthorizedOperation"
		}
	}
	return "", ""
}

// pullImage checks an image in ECR; CodeBuild's own images need nothing. The
// message is cut off in the middle of the principal, as it was observed.
func (b *build) pullImage() (code, message string) {
	registry, region, name, _, ok := parseImage(b.conf.Image)
	if !ok {
		return "", ""
	}
	arn := strings.Join([]string{"arn", b.p.est.acct.partition, "ecr", region, registry, "repository/" + name}, ":")
	calls := []question{b.ask("ecr:GetAuthorizationToken", "*"), b.ask("ecr:BatchGetImage", arn), b.ask("ecr:GetDownloadUrlForLayer", arn)}
	for _, q := range calls {
		if _, denied := b.denied(q); denied {
			return "BUILD_CONTAINER_UNABLE_TO_PULL_IMAGE",
				fmt.Sprintf("Unable to pull customer's container image. CannotPullContainerError: "+
					"Error response from daemon: pull access denied for %s, repository does not exist or may require "+
					"'docker login': denied: User: arn:%s:sts::%s",
					strings.Split(b.conf.Image, ":")[0], b.p.est.acct.partition, b.p.est.acct.id)
		}
	}
	return "", ""
}

// download gets the source, the parameters and the buildspec.
func (b *build) download() (phasesFile, string, string) {
	none := phasesFile{}
	b.agent("Phase is DOWNLOAD_SOURCE")
	if b.commit == nil {
		c, ok := b.p.resolve(b.sourceVersion)
		if !ok {
			return none, "CLIENT_ERROR", "reference not found for primary source and source version " + b.sourceVersion
		}
		b.commit = c
	}
	if code, msg := b.fetchArtifact(); code != "" {
		return none, code, msg
	}
	b.resolved = b.commit.id
	dir := b.srcDir()
	b.agent("CODEBUILD_SRC_DIR=" + dir)
	path := b.p.buildspecPath(b.buildspec)
	spec, ok := b.commit.buildspecs[path]
	if !ok {
		return none, "YAML_FILE_ERROR", "stat " + dir + "/" + path + ": no such file or directory"
	}
	b.agent("YAML location is " + dir + "/" + path)
	if code, msg := b.resolveVariables(); code != "" {
		return none, code, msg
	}
	b.agent("Processing environment variables")
	b.agent("Moving to directory " + dir)
	b.agent("Registering with agent")
	b.describe(spec)
	return spec, "", ""
}

// describe lists the phases found, as the agent does.
func (b *build) describe(spec phasesFile) {
	lists := [][]step{spec.Install, spec.PreBuild, spec.Build, spec.PostBuild}
	n := 0
	for _, l := range lists {
		if len(l) > 0 {
			n++
		}
	}
	b.agent("Phases found in YAML: " + itoa(n))
	for i, l := range lists {
		if len(l) > 0 {
			b.agent(" " + buildPhases[i] + ": " + itoa(len(l)) + " commands")
		}
	}
}

// fetchArtifact reads a source that lies in S3.
func (b *build) fetchArtifact() (code, message string) {
	location := b.sourceVersion
	if b.sourceType == "S3" {
		location = "arn:" + b.p.est.acct.partition + ":s3:::" + b.conf.Source.Location
	}
	if b.sourceType != "S3" && b.sourceType != "CODEPIPELINE" {
		return "", ""
	}
	if _, denied := b.denied(b.ask("s3:GetObject", location)); denied {
		id := b.sim().uuid("s3 request")
		return "CLIENT_ERROR", "AccessDenied: Access Denied status code: 403, request id: " + id +
			", host id: simulated for primary source and source version " + location
	}
	return "", ""
}

// resolveVariables reads parameters and secrets that the project's
// environment names.
func (b *build) resolveVariables() (code, message string) {
	for _, name := range b.p.conf.Parameters {
		q := b.ask("ssm:GetParameters", b.p.est.arn("ssm", "parameter/"+strings.TrimPrefix(name, "/")))
		if d, denied := b.denied(q); denied {
			return "Decrypted Variables Error", "AccessDeniedException: " + q.message(d)
		}
	}
	for _, name := range b.p.conf.Secrets {
		q := b.ask("secretsmanager:GetSecretValue", b.p.est.arn("secretsmanager", "secret:"+name+"-a1B2c3"))
		if d, denied := b.denied(q); denied {
			return "Secrets Manager Error", "AccessDeniedException: " + q.message(d)
		}
	}
	return "", ""
}

// uploadArtifacts writes the artifact.
func (b *build) uploadArtifacts() (code, message string) {
	if b.conf.Artifacts == "" || b.failed {
		return "", ""
	}
	q := b.ask("s3:PutObject", "arn:"+b.p.est.acct.partition+":s3:::"+b.conf.Artifacts+"/"+b.p.conf.Name)
	if d, denied := b.denied(q); denied {
		return "CLIENT_ERROR", "Error in UPLOAD_ARTIFACTS phase: AccessDenied: " + q.message(d) + "\n\tstatus code: 403, request id: " +
			b.sim().uuid("s3 request") + ", host id: simulated"
	}
	return "", ""
}
