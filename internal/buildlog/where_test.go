package buildlog

import (
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/google/go-cmp/cmp"
)

// shopBuild is a build of the account and region in which names without an ARN are looked for.
var shopBuild = codebuild.Build{ARN: "arn:aws:codebuild:eu-west-1:111122223333:build/shop:8745a7a9-c340-456a-9166-edf953571be0"}

// ranThese makes the log of a build whose last command failed with the text.
func ranThese(text string, commands ...string) string {
	var b strings.Builder
	for _, c := range commands {
		b.WriteString(agentStamp + "Running command " + c + "\n")
	}
	last := commands[len(commands)-1]
	return b.String() + text + "\n" + agentStamp + "Command did not exit successfully " + last + " exit status 1\n" +
		agentStamp + "Phase complete: BUILD State: FAILED\n" + agentStamp +
		"Phase context status code: COMMAND_EXECUTION_ERROR Message: Error while executing command: " + last + ". Reason: exit status 1\n"
}

// cliDenied is the AWS CLI's report of a refusal that says nothing.
func cliDenied(operation string) string {
	return "\nAn error occurred (AccessDenied) when calling the " + operation + " operation: Access Denied"
}

// A refusal that names nothing is about what the failed command works on.
func TestCommandNamesTheResource(t *testing.T) {
	const account = ":eu-west-1:111122223333:"
	for _, row := range []struct{ what, command, text, want, near string }{
		{"an option for each part of the ARN", "aws s3api delete-object --bucket other --key 'a b/x'",
			cliDenied("DeleteObject"), "arn:aws:s3:::other/a b/x", ""},
		{"an option with =", `aws s3api get-bucket-website --bucket="other"`, cliDenied("GetBucketWebsite"), "arn:aws:s3:::other", ""},
		{"a table", "aws dynamodb put-item --table-name orders --item file://i.json", cliDenied("PutItem"),
			"arn:aws:dynamodb" + account + "table/orders", ""},
		{"a function", "aws lambda update-function-code --function-name web --zip-file fileb://f.zip", cliDenied("UpdateFunctionCode"),
			"arn:aws:lambda" + account + "function:web", ""},
		{"a parameter", "aws ssm get-parameter --name /shop/db --with-decryption", cliDenied("GetParameter"),
			"arn:aws:ssm" + account + "parameter/shop/db", ""},
		{"a secret, whose ARN only AWS knows", "aws secretsmanager get-secret-value --secret-id shop/db",
			cliDenied("GetSecretValue"), "shop/db", ""},
		{"a repository in another account", "aws ecr batch-get-image --registry-id 444455556666 --repository-name " +
			"base --image-ids imageTag=1",
			cliDenied("BatchGetImage"), "arn:aws:ecr:eu-west-1:444455556666:repository/base", ""},
		{"another region", "aws --region eu-central-1 sns publish --topic-arn " +
			"arn:aws:sns:eu-central-1:111122223333:alarms --message x", cliDenied("Publish"),
			"arn:aws:sns:eu-central-1:111122223333:alarms", ""},
		{"a queue's URL", "aws sqs send-message --queue-url https://sqs.eu-west-1.amazonaws.com/111122223333/jobs " +
			"--message-body x", cliDenied("SendMessage"),
			"arn:aws:sqs" + account + "jobs", ""},
		{"two options", "aws ecs update-service --cluster main --service web --force-new-deployment", cliDenied("UpdateService"),
			"arn:aws:ecs" + account + "service/main/web", ""},
		{"a type's only name", "aws eks describe-cluster --name main", cliDenied("DescribeCluster"),
			"arn:aws:eks" + account + "cluster/main", ""},
		{"an id", "aws route53 change-resource-record-sets --hosted-zone-id Z1 --change-batch file://c.json",
			cliDenied("ChangeResourceRecordSets"),
			"arn:aws:route53:::hostedzone/Z1", ""},
		{"a stack, whose id is not known", "aws cloudformation deploy --stack-name web --template-file t.yml",
			cliDenied("CreateChangeSet"),
			"arn:aws:cloudformation" + account + "stack/web/*", ""},
		{"a substitution", `V=$(aws ssm get-parameter --name /a --output text) && echo "$V"`, cliDenied("GetParameter"),
			"arn:aws:ssm" + account + "parameter/a", ""},
		{"aws s3 cp to a key", "aws s3 cp app.zip s3://other/app.zip", cliDenied("PutObject"), "arn:aws:s3:::other/app.zip", ""},
		{"aws s3 sync lists the bucket", "aws s3 sync dist s3://other/site --delete", cliDenied("ListObjectsV2"),
			"arn:aws:s3:::other", ""},
		{"aws s3 sync puts something below", "aws s3 sync dist s3://other/site", cliDenied("PutObject"), "", "arn:aws:s3:::other/site*"},
		{"aws s3 cp between buckets reads the first", "aws s3 cp s3://cache/a s3://other/a",
			cliDenied("HeadObject"), "arn:aws:s3:::cache/a", ""},
		{"the command that failed, of several", "aws ssm get-parameter --name /a; aws s3api delete-object --bucket other --key x",
			cliDenied("DeleteObject"), "arn:aws:s3:::other/x", ""},
		{"the text below the command's prefix", "aws s3 sync dist s3://other/site",
			"upload failed: dist/a to s3://other/site/a" + strings.TrimPrefix(cliDenied("PutObject"), "\n"),
			"arn:aws:s3:::other/site/a", ""},

		{"a variable", "aws s3api delete-object --bucket $BUCKET --key x", cliDenied("DeleteObject"), "", ""},
		{"a variable in quotes", `aws ssm get-parameter --name "/shop/$STAGE/db"`, cliDenied("GetParameter"), "", ""},
		{"one call of two", "aws s3api delete-object --bucket a --key x && aws s3api delete-object --bucket b " +
			"--key x", cliDenied("DeleteObject"),
			"", "arn:aws:s3:::a/x arn:aws:s3:::b/x"},
		{"several values", "aws ssm get-parameters --names /a /b", cliDenied("GetParameters"), "",
			"arn:aws:ssm" + account + "parameter/a arn:aws:ssm" + account + "parameter/b"},
		{"text and command differ", "aws s3 cp app.zip s3://media/app.zip",
			"upload failed: ./app.zip to s3://other/app.zip " + strings.TrimPrefix(cliDenied("PutObject"), "\n"), "",
			"arn:aws:s3:::other/app.zip arn:aws:s3:::media/app.zip"},
		{"another account's profile", "aws --profile prod dynamodb put-item --table-name orders", cliDenied("PutItem"), "", ""},
		{"another endpoint", "aws --endpoint-url http://minio:9000 s3 cp a s3://other/a", cliDenied("PutObject"), "", ""},
		{"another tool's argument", "./deploy.sh s3://other/site", cliDenied("PutObject"), "", "arn:aws:s3:::other/site"},
		{"another tool's option", "aws cloudformation package --s3-bucket other --template-file t.yml",
			cliDenied("PutObject"), "", "arn:aws:s3:::other/*"},
		{"another tool's option for a function", "npx ship --function web", cliDenied("UpdateFunctionCode"), "",
			"arn:aws:lambda" + account + "function:web"},
		{"another tool's option that is called name", "npx ship --name web", cliDenied("UpdateFunctionCode"), "", ""},
		{"a key's alias, which is not what IAM asks about", "aws kms decrypt --key-id alias/shop " +
			"--ciphertext-blob fileb://c", cliDenied("Decrypt"), "", ""},
		{"no shell's command", "Remove-Item 'x", cliDenied("DeleteObject"), "", ""},
		{"a name that would be a pattern", "aws s3api delete-object --bucket other --key 'a*'",
			cliDenied("DeleteObject"), "", "arn:aws:s3:::other/a*"},
		{"an earlier command", "make deploy", cliDenied("DeleteObject"), "", ""},
		{"AWS names it", "aws s3api put-object --bucket other --key x",
			"An error occurred (AccessDenied) when calling the PutObject operation: " + refusedPut,
			"arn:aws:s3:::media/a.css", ""},
	} {
		f := ReadText(shopBuild, ranThese(row.text, "aws s3api delete-object --bucket earlier --key e", row.command))
		if len(f.Denials) != 1 {
			t.Errorf("%s: %d denials: %+v", row.what, len(f.Denials), f.Denials)
			continue
		}
		if d := f.Denials[0]; d.Resource != row.want || d.Near != row.near || d.Action == "" {
			t.Errorf("%s: %s on %q near %q, want %q near %q", row.what, d.Action, d.Resource, d.Near, row.want, row.near)
		}
	}
}

// Git prints the same when it may not pull and when it may not push.
func TestCodeCommit(t *testing.T) {
	const refused = "fatal: unable to access 'https://git-codecommit.eu-west-1.amazonaws.com/v1/repos/other/': " +
		"The requested URL returned error: 403"
	const pull, push = "codecommit:GitPull", "codecommit:GitPush"
	for _, row := range []struct{ what, command, text, want string }{
		{"a clone", "make", "Cloning into 'other'...\n" + refused, pull},
		{"a clone near the words git push", "make", "docs: after a release, git push is done by hand\nCloning " +
			"into 'other'...\n" + refused, pull},
		{"a push by a script that traces", "./release.sh", "+ git -C repo push origin main\n" + refused, push},
		{"a push by npm, which prints the command", "npm run release",
			"> shop@1.0.0 release\n> git push --follow-tags\n\n" + refused, push},
		{"git says that it failed to push", "./release.sh", refused + "\nerror: failed to push some refs to 'x'", push},
		{"the failed command pushes", "git -C repo -c http.sslVerify=true push origin main", refused, push},
		{"the failed command fetches", "git fetch --all", refused, pull},
		{"the failed command updates all", "git remote update", refused, pull},
		{"a submodule", "make", refused + "\nfatal: clone of " +
			"'https://git-codecommit.eu-west-1.amazonaws.com/v1/repos/other' into submodule path 'o' failed", pull},
		{"go", "go build ./...", "go: example.com/x@v1: git ls-remote -q origin in /root/go: exit status 128:\n\t" + refused, pull},
		{"a fetch, after a push that went well", "./release.sh",
			"+ git push origin main\nTo https://git.example.com/x\n+ git fetch upstream\n" + refused, pull},

		{"a script that says nothing", "./release.sh", refused, ""},
		{"words that are no command", "./release.sh", "will git push if there is something\n" + refused, ""},
		{"a command that does both", "git pull && git push", refused, ""},
	} {
		f := ReadText(shopBuild, ranThese(row.text, row.command))
		if len(f.Denials) != 1 || f.Denials[0].Action != row.want || !f.Denials[0].Causal ||
			f.Denials[0].Resource != "arn:aws:codecommit:eu-west-1:111122223333:other" {
			t.Errorf("%s: %+v, want %q", row.what, f.Denials, row.want)
		}
	}
}

// CodeCommit's repository stands in each form of its address.
func TestCodeCommitAddresses(t *testing.T) {
	for _, row := range []struct{ url, want string }{
		{"https://git-codecommit.eu-central-1.amazonaws.com/v1/repos/a.b_c-d", "arn:aws:codecommit:eu-central-1:111122223333:a.b_c-d"},
		{"https://user:pass%20@git-codecommit.eu-west-1.amazonaws.com/v1/repos/shop/", "arn:aws:codecommit:eu-west-1:111122223333:shop"},
		{"codecommit::eu-north-1://prod@shop", "arn:aws:codecommit:eu-north-1:111122223333:shop"},
		{"codecommit://shop", "arn:aws:codecommit:eu-west-1:111122223333:shop"},
		{"ssh://APKA@git-codecommit.eu-west-1.amazonaws.com/v1/repos/shop", "arn:aws:codecommit:eu-west-1:111122223333:shop"},
	} {
		list := namesIn("remote: " + row.url)
		if len(list) != 1 || list[0].repository(shopBuild.At()) != row.want {
			t.Errorf("%s: %+v, want %s", row.url, list, row.want)
		}
	}
}

// A denied login stands in a command that passed; the next one fails for want of a credential.
func TestLoginInAnEarlierCommand(t *testing.T) {
	denied := func(action, resource string) string {
		return "An error occurred (AccessDeniedException) when calling the GetAuthorizationToken operation: User: " +
			"arn:aws:sts::111122223333:assumed-role/codebuild-shop/AWSCodeBuild-8745a7a9-c340-456a-9166-edf953571be0 " +
			"is not authorized to perform: " +
			action + " on resource: " + resource + " because no identity-based policy allows the " + action + " action"
	}
	const domain = "arn:aws:codeartifact:eu-west-1:111122223333:domain/acme"
	artifact, ecr := denied("codeartifact:GetAuthorizationToken", domain), denied("ecr:GetAuthorizationToken", "*")
	for _, row := range []struct {
		what, login, command, text string
		causal                     bool
	}{
		{"npm", artifact, "npm ci", "npm error code E401\nnpm error 401 Unauthorized - GET " +
			"https://acme-111122223333.d.codeartifact.eu-west-1.amazonaws.com/npm/shop/ui", true},
		{"pip with an empty token", artifact, "pip install x",
			"Looking in indexes: https://aws:****@acme-111122223333.d.codeartifact.eu-west-1.amazonaws.com/pypi/shop/simple/\n" +
				"User for acme-111122223333.d.codeartifact.eu-west-1.amazonaws.com: ERROR: Exception:\nEOFError: EOF " +
				"when reading a line", true},
		{"pip", artifact, "pip install x", "WARNING: 401 Error, Credentials not correct for " +
			"https://acme-111122223333.d.codeartifact.eu-west-1.amazonaws.com/pypi/shop/simple/x/", true},
		{"npm, which names the registry below", artifact, "npm ci", "npm error code E401\nnpm error Unable to authenticate, your " +
			"authentication token seems to be invalid.\nnpm error To correct this please try logging in again with:\n" +
			"npm error   npm login " +
			"--registry=https://acme-111122223333.d.codeartifact.eu-west-1.amazonaws.com/npm/shop/", true},
		{"Maven", artifact, "mvn -B deploy", "Could not transfer artifact a:b:pom:1 from/to acme " +
			"(https://acme-111122223333.d.codeartifact.eu-west-1.amazonaws.com/maven/shop/): " +
			"status code: 401, reason phrase: Unauthorized (401)", true},
		{"npm, which names no registry", artifact, "npm ci", "npm error code E401\nnpm error Incorrect or missing password.\n" +
			"npm error If you were trying to login, change your password, create an authentication token or\n" +
			"npm error enable two-factor authentication. Please try again, or recover your password at:\n" +
			"npm error   https://www.npmjs.com/forgot", true},
		{"another service's token, and npm names no registry", ecr, "npm ci",
			"npm error code E401\nnpm error Incorrect or missing password.", false},
		{"the token of the service behind it", denied("sts:GetServiceBearerToken", "*"), "npm ci",
			"npm error 401 Unauthorized - GET https://acme-111122223333.d.codeartifact.eu-west-1.amazonaws.com/npm/shop/ui", true},
		{"docker push", ecr, "docker push $URI", "The push refers to repository " +
			"[111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop]\n5f70: Preparing\nno basic auth credentials", true},
		{"docker pull", ecr, "docker build .", "ERROR: failed to solve: " +
			"111122223333.dkr.ecr.eu-west-1.amazonaws.com/base:1: pull access denied, repository does not exist " +
			"or may " +
			"require authorization: authorization failed: no basic auth credentials", true},
		{"docker's public registry", denied("ecr-public:GetAuthorizationToken", "*"), "docker push public.ecr.aws/x/shop",
			"The push refers to repository [public.ecr.aws/x/shop]\nno basic auth credentials", true},

		{"another domain", artifact, "npm ci", "npm error 401 Unauthorized - GET " +
			"https://other-111122223333.d.codeartifact.eu-west-1.amazonaws.com/npm/shop/ui", false},
		{"another registry", artifact, "npm ci", "using https://acme-111122223333.d.codeartifact.eu-west-1.amazonaws.com/npm/shop/\n" +
			"npm error 401 Unauthorized - GET https://npm.example.org/ui", false},
		{"another service", ecr, "npm ci", "npm error 401 Unauthorized - GET " +
			"https://acme-111122223333.d.codeartifact.eu-west-1.amazonaws.com/npm/shop/ui", false},
		{"an image of Docker Hub", ecr, "docker build .", "FROM 111122223333.dkr.ecr.eu-west-1.amazonaws.com/base:1\n" +
			"pull access denied for acme/base, repository does not exist or may require 'docker login'", false},
		{"another error", ecr, "make test", "compiled 401 files for " +
			"111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop\nFAIL: TestCart", false},
		{"a refusal of another kind", ecr, "docker push $URI",
			"The push refers to repository [111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop]\n" +
				"denied: requested access to the resource is denied: 403 Unauthorized", false},
		{"no login was denied", denied("s3:GetObject", "arn:aws:s3:::media/a"), "npm ci",
			"npm error 401 Unauthorized - GET https://acme-111122223333.d.codeartifact.eu-west-1.amazonaws.com/npm/shop/ui", false},
	} {
		log := agentStamp + "Running command export TOKEN=$(aws login)\n" + row.login + "\n" + ranThese(row.text, row.command)
		f := ReadText(shopBuild, log)
		if len(f.Denials) != 1 || f.Denials[0].Causal != row.causal {
			t.Errorf("%s: causal is not %v: %+v", row.what, row.causal, f.Denials)
			continue
		}
		shown := false
		for _, l := range f.Tail {
			shown = shown || strings.Contains(l.Text, "GetAuthorizationToken operation")
		}
		if shown != row.causal {
			t.Errorf("%s: the denial is shown with the failed command: %v", row.what, shown)
		}
	}
	// What the failed command was denied itself explains its failure.
	f := ReadText(shopBuild, agentStamp+"Running command export TOKEN=$(aws login)\n"+ecr+"\n"+
		ranThese("no basic auth credentials for https://111122223333.dkr.ecr.eu-west-1.amazonaws.com/v2/\n"+refusedPut, "make"))
	var causal []string
	for _, d := range f.Denials {
		if d.Causal {
			causal = append(causal, d.Action)
		}
	}
	if d := cmp.Diff([]string{"s3:PutObject"}, causal); d != "" {
		t.Errorf("causal (-want +got):\n%s", d)
	}
}
