package simaws

import (
	"fmt"
	"strings"
)

// command is what the Sim knows of a real command line: which calls it
// makes, what it prints, how it ends when one is denied.
type command struct {
	tool        string
	service     string // of the API operation, for commands of the AWS CLI
	operation   string
	calls       []callFile
	before      string // printed before the calls
	after       string // printed when all went well
	afterDenial string // printed after the denial
	exit        int    // exit status when a call is denied
	push        *push  // what is pushed into ECR, nil for nothing
	start       *Start // the build or batch that is started, nil for none
	stack       *Stack // the stack that is deployed, nil for none
	retries     string // its auto-retry limit, "" for the project's
	unknown     bool   // which calls it makes is not known
}

// command reads a step. Calls that the step lists replace those that the
// Sim would derive.
func (b *build) command(st step) command {
	c := b.p.est.derive(st.Run)
	if len(st.Calls) > 0 {
		c.calls = st.Calls
	}
	return c
}

// derive reads a command line. The first word decides; in a pipe into docker
// login, docker does.
func (e *estate) derive(line string) command {
	f := strings.Fields(line)
	switch {
	case len(f) == 0:
		return command{exit: 1}
	case f[0] == "echo":
		return command{exit: 1, after: strings.Trim(strings.TrimSpace(line[4:]), "\"'")}
	case strings.Contains(line, "aws ecr get-login-password"):
		return login(strings.Contains(line, "docker login"))
	case f[0] == "aws":
		return e.cli(f)
	case f[0] == "docker" && len(f) > 2 && f[1] == "push":
		return e.dockerPush(f[len(f)-1])
	case f[0] == "docker":
		return command{tool: toolDocker, exit: 1}
	case f[0] == "terraform":
		return command{tool: toolTerraform, exit: 1}
	case f[0] == "npm" || f[0] == "node" || f[0] == "npx" || f[0] == "cdk":
		return command{tool: toolNode, exit: 1, after: npmOutput(f)}
	}
	return command{exit: 1}
}

func npmOutput(f []string) string {
	if len(f) > 1 && f[0] == "npm" && (f[1] == "ci" || f[1] == "install") {
		return "\nadded 412 packages, and audited 413 packages in 9s\n\nfound 0 vulnerabilities"
	}
	return ""
}

// login is aws ecr get-login-password, alone or piped into docker login.
func login(piped bool) command {
	c := command{
		tool: toolCLI, service: "ecr", operation: "GetAuthorizationToken", exit: 254,
		calls: []callFile{{Action: "ecr:GetAuthorizationToken", On: "*"}},
	}
	if piped {
		c.exit = 1 // docker's, the last in the pipe
		c.afterDenial = "Error: Cannot perform an interactive login from a non TTY device"
		c.after = "WARNING! Your password will be stored unencrypted in /root/.docker/config.json.\n" +
			"Configure a credential helper to remove this warning. See\n" +
			"https://docs.docker.com/engine/reference/commandline/login/#credential-stores\n\nLogin Succeeded"
	}
	return c
}

// push is a docker push into ECR.
type push struct {
	est       *estate // the registry's; nil if there is no such account here
	name, tag string
	registry  string
}

// dockerPush asks for what a push of new layers needs. An image of another
// registry needs no calls.
func (e *estate) dockerPush(image string) command {
	repository, _, _ := strings.Cut(image, ":")
	c := command{tool: toolDocker, exit: 1,
		before: "The push refers to repository [" + repository + "]\n5f70bf18a086: Preparing\na3b5c80a4eba: Preparing"}
	registry, region, name, tag, ok := parseImage(image)
	def(&tag, "latest")
	c.after = fmt.Sprintf("5f70bf18a086: Pushed\na3b5c80a4eba: Pushed\n%s: digest: sha256:%x size: 1786", tag, e.sim.digest("image", image))
	if !ok {
		return c
	}
	arn := strings.Join([]string{"arn", e.acct.partition, "ecr", region, registry, "repository/" + name}, ":")
	for _, a := range []string{"BatchCheckLayerAvailability", "InitiateLayerUpload", "UploadLayerPart", "CompleteLayerUpload", "PutImage"} {
		c.calls = append(c.calls, callFile{Action: "ecr:" + a, On: arn})
	}
	c.push = &push{est: e.sim.estates[place{registry, region}], name: name, tag: tag, registry: registry}
	return c
}

// fail is what ECR finds wrong after IAM said yes, "" for nothing.
func (p *push) fail() string {
	if p.est == nil || p.est.repos[p.name] == nil && !p.est.createdOnPush(p.name) {
		return fmt.Sprintf("name unknown: The repository with name '%s' does not exist in the registry with id '%s'", p.name, p.registry)
	}
	return ""
}

// store puts the image into the repository.
func (p *push) store() {
	r := p.est.repos[p.name]
	r.images = append(r.images, p.tag)
}

// cli is a command of the AWS CLI, version 2: exit status 254 when the
// service refuses.
func (e *estate) cli(f []string) command {
	if len(f) < 3 {
		return command{unknown: true}
	}
	c := command{tool: toolCLI, service: f[1], operation: camel(f[2]), exit: 254}
	resource, ok := e.cliResource(f)
	switch {
	case f[1] == "s3" && f[2] == "cp":
		c.copyObject(e, f)
		return c
	case f[1] == "ecs" && f[2] == "wait":
		c.operation, c.exit = "DescribeServices", 255
	case f[1] == "cloudformation" && f[2] == "deploy":
		c.deployStack(e, option(f, "--stack-name"))
		return c
	case f[1] == "sts" && f[2] == "get-caller-identity":
		return c // needs no permission
	}
	c.unknown = !ok
	c.calls = []callFile{{Action: f[1] + ":" + c.operation, On: resource}}
	if f[1] == "codebuild" && ok {
		c.start = &Start{Project: option(f, "--project-name"), Version: option(f, "--source-version"), Batch: f[2] == "start-build-batch"}
		c.retries = option(f, "--auto-retry-limit-override")
	}
	return c
}

// cliResource is the resource of a command of the CLI whose single call has
// the operation's own name.
func (e *estate) cliResource(f []string) (resource string, known bool) {
	arg := func(name string) string { return option(f, name) }
	switch f[1] + " " + f[2] {
	case "ecs register-task-definition":
		return e.arn("ecs", "task-definition/"+orText(arg("--family"), "*")+":*"), true
	case "ecs describe-task-definition":
		return "*", true
	case "ecs update-service":
		return e.serviceARN(arg("--cluster"), arg("--service")), true
	case "ecs describe-services", "ecs wait":
		return e.serviceARN(arg("--cluster"), arg("--services")), true
	case "ssm get-parameter":
		return e.arn("ssm", "parameter/"+strings.TrimPrefix(arg("--name"), "/")), true
	case "secretsmanager get-secret-value":
		return e.arn("secretsmanager", "secret:"+arg("--secret-id")+"-a1B2c3"), true
	case "cloudfront create-invalidation":
		return e.acct.arn("cloudfront", "", "distribution/"+arg("--distribution-id")), true
	case "codebuild start-build", "codebuild start-build-batch":
		return e.projectARN(arg("--project-name")), true
	case "lambda update-function-code":
		return e.arn("lambda", "function:"+arg("--function-name")), true
	}
	return "", false
}

func (e *estate) serviceARN(cluster, service string) string {
	return e.arn("ecs", "service/"+orText(cluster, "default")+"/"+service)
}

// deployStack is aws cloudformation deploy, which says nothing of why a stack failed.
func (c *command) deployStack(e *estate, name string) {
	c.stack = e.stacks[name]
	c.unknown = c.stack == nil
	c.before = "\nWaiting for changeset to be created.."
	c.after = "Waiting for stack create/update to complete\nSuccessfully created/updated stack - " + name
	for _, operation := range []string{"CreateChangeSet", "DescribeChangeSet", "ExecuteChangeSet", "DescribeStacks"} {
		c.calls = append(c.calls, callFile{Action: "cloudformation:" + operation, Operation: operation,
			On: e.arn("cloudformation", "stack/"+name+"/*")})
	}
}

// failedStack is what the AWS CLI prints when a stack failed.
func failedStack(name string) string {
	return "Waiting for stack create/update to complete\n\nFailed to create/update the stack. Run the following command\n" +
		"to fetch the list of events leading up to the failure\naws cloudformation describe-stack-events --stack-name " + name
}

// copyObject is aws s3 cp, which prints its own line before the error.
func (c *command) copyObject(e *estate, f []string) {
	if len(f) < 5 {
		c.unknown = true
		return
	}
	src, dst := f[3], f[4]
	action, url, verb := "s3:PutObject", dst, "upload"
	if strings.HasPrefix(src, "s3://") {
		action, url, verb = "s3:GetObject", src, "download"
	}
	object, ok := strings.CutPrefix(url, "s3://")
	c.unknown = !ok
	c.operation, c.exit = strings.TrimPrefix(action, "s3:"), 1
	c.calls = []callFile{{
		Action: action, On: "arn:" + e.acct.partition + ":s3:::" + object,
		Says: verb + " failed: " + src + " to " + dst + " An error occurred (AccessDenied) when calling the $OPERATION operation: $MESSAGE",
	}}
	c.after = verb + ": " + src + " to " + dst
}

// option finds --name value or --name=value.
func option(f []string, name string) string {
	for i, w := range f {
		if v, ok := strings.CutPrefix(w, name+"="); ok {
			return strings.Trim(v, `"'`)
		}
		if w == name && i+1 < len(f) {
			return strings.Trim(f[i+1], `"'`)
		}
	}
	return ""
}

// camel turns register-task-definition into RegisterTaskDefinition.
func camel(kebab string) string {
	var b strings.Builder
	for w := range strings.SplitSeq(kebab, "-") {
		if w != "" {
			b.WriteString(strings.ToUpper(w[:1]) + w[1:])
		}
	}
	return b.String()
}
