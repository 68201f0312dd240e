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
	check       func() (text string, exit int)
	done        func()
	known       bool // the calls are complete
}

// command reads a step. Calls that the step lists replace those that the
// Sim would derive.
func (b *build) command(st step) command {
	c := b.p.est.derive(st.Run)
	if c.push != nil {
		p := *c.push
		c.check = func() (string, int) { return p.check() }
		c.done = p.done
	}
	if len(st.Calls) > 0 {
		c.calls = st.Calls
	}
	return c.command
}

// derived is a command, with the image if it is a docker push.
type derived struct {
	command
	push *push
}

// derive reads a command line. The first word decides; for a pipe into
// docker login, docker does.
func (e *estate) derive(line string) derived {
	f := strings.Fields(line)
	if len(f) == 0 {
		return derived{command: command{exit: 1, known: true}}
	}
	switch {
	case f[0] == "echo":
		return derived{command: command{exit: 1, known: true, after: strings.Trim(strings.TrimSpace(line[4:]), `"'`)}}
	case strings.Contains(line, "aws ecr get-login-password"):
		return derived{command: login(strings.Contains(line, "docker login"))}
	case f[0] == "aws" && len(f) > 2:
		return derived{command: e.cli(f)}
	case f[0] == "docker" && len(f) > 2 && f[1] == "push":
		return e.dockerPush(f[len(f)-1])
	case f[0] == "docker":
		return derived{command: command{tool: toolDocker, exit: 1, known: true}}
	case f[0] == "terraform":
		return derived{command: command{tool: toolTerraform, exit: 1, known: true}}
	case f[0] == "npm" || f[0] == "node" || f[0] == "npx" || f[0] == "cdk":
		return derived{command: command{tool: toolNode, exit: 1, known: true, after: npmOutput(f)}}
	}
	return derived{command: command{exit: 1, known: true}}
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
		tool: toolCLI, service: "ecr", operation: "GetAuthorizationToken", exit: 254, known: true,
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

func (e *estate) dockerPush(image string) derived {
	c := command{tool: toolDocker, exit: 1, known: true, before: "The push refers to repository [" + strings.TrimSuffix(image, ":"+tagOf(image)) + "]\n5f70bf18a086: Preparing\na3b5c80a4eba: Preparing"}
	registry, region, name, tag, ok := parseImage(image)
	if !ok {
		c.known = false
		return derived{command: c}
	}
	arn := strings.Join([]string{"arn", e.acct.partition, "ecr", region, registry, "repository/" + name}, ":")
	for _, a := range []string{"BatchCheckLayerAvailability", "InitiateLayerUpload", "UploadLayerPart", "CompleteLayerUpload", "PutImage"} {
		c.calls = append(c.calls, callFile{Action: "ecr:" + a, On: arn})
	}
	d := e.sim.digest("image", image)
	c.after = fmt.Sprintf("5f70bf18a086: Pushed\na3b5c80a4eba: Pushed\n%s: digest: sha256:%x size: 1786", tag, d)
	return derived{c, &push{est: e.sim.estates[place{registry, region}], name: name, tag: tag, registry: registry}}
}

func tagOf(image string) string { return image[strings.LastIndexByte(image, ':')+1:] }

// check is what ECR finds out after IAM said yes.
func (p push) check() (string, int) {
	if p.est == nil || p.est.repos[p.name] == nil {
		return fmt.Sprintf("name unknown: The repository with name '%s' does not exist in the registry with id '%s'", p.name, p.registry), 1
	}
	return "", 0
}

func (p push) done() { p.est.repos[p.name].images = append(p.est.repos[p.name].images, p.tag) }

// cli is a command of the AWS CLI, version 2: exit status 254 when the
// service refuses.
func (e *estate) cli(f []string) command {
	c := command{tool: toolCLI, service: f[1], operation: camel(f[2]), exit: 254, known: true}
	arg := func(name string) string { return option(f, name) }
	action := f[1] + ":" + c.operation
	one := func(action, resource string) []callFile { return []callFile{{Action: action, On: resource}} }
	switch f[1] + " " + f[2] {
	case "sts get-caller-identity":
	case "ecs register-task-definition":
		c.calls = one(action, e.arn("ecs", "task-definition/"+orText(arg("--family"), "*")+":*"))
	case "ecs describe-task-definition":
		c.calls = one(action, "*")
	case "ecs update-service":
		c.calls = one(action, e.serviceARN(arg("--cluster"), arg("--service")))
	case "ecs describe-services":
		c.calls = one(action, e.serviceARN(arg("--cluster"), arg("--services")))
	case "ecs wait":
		c.operation, c.exit = "DescribeServices", 255
		c.calls = one("ecs:DescribeServices", e.serviceARN(arg("--cluster"), arg("--services")))
	case "s3 cp":
		c.copyObject(e, f)
	case "ssm get-parameter":
		c.calls = one(action, e.arn("ssm", "parameter/"+strings.TrimPrefix(arg("--name"), "/")))
	case "secretsmanager get-secret-value":
		c.calls = one(action, e.arn("secretsmanager", "secret:"+arg("--secret-id")+"-a1B2c3"))
	case "cloudfront create-invalidation":
		c.calls = one(action, e.acct.arn("cloudfront", "", "distribution/"+arg("--distribution-id")))
	case "lambda update-function-code":
		c.calls = one(action, e.arn("lambda", "function:"+arg("--function-name")))
	default:
		c.known = false
	}
	return c
}

func (e *estate) serviceARN(cluster, service string) string {
	return e.arn("ecs", "service/"+orText(cluster, "default")+"/"+service)
}

// copyObject is aws s3 cp, which prints its own line before the error.
func (c *command) copyObject(e *estate, f []string) {
	if len(f) < 5 {
		c.known = false
		return
	}
	src, dst := f[3], f[4]
	action, url, verb, from := "s3:PutObject", dst, "upload", src
	if strings.HasPrefix(src, "s3://") {
		action, url, verb = "s3:GetObject", src, "download"
	}
	if !strings.HasPrefix(url, "s3://") {
		c.known = false
		return
	}
	c.operation, c.exit = strings.TrimPrefix(action, "s3:"), 1
	c.calls = []callFile{{
		Action: action, On: "arn:" + e.acct.partition + ":s3:::" + strings.TrimPrefix(url, "s3://"),
		Says: verb + " failed: " + from + " to " + dst + " An error occurred (AccessDenied) when calling the $OPERATION operation: $MESSAGE",
	}}
	c.after = verb + ": " + from + " to " + dst
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
