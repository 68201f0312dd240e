package diagnose

import (
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
)

// The texts that stand for a denial in TestEvidence.
const (
	ownSentence = "User: arn:aws:sts::111122223333:assumed-role/codebuild-shop/AWSCodeBuild-8745a7a9-c340-456a-9166-edf953571be0 " +
		"is not authorized to perform: s3:PutObject on resource: \"arn:aws:s3:::media/x\" because no identity-based policy allows the " +
		"s3:PutObject action"
	// ownRead is AWS's sentence about this build's session and a value that it should have got.
	ownRead = "An error occurred (AccessDeniedException) when calling the GetParameter operation: User: " +
		"arn:aws:sts::111122223333:assumed-role/codebuild-shop/AWSCodeBuild-8745a7a9-c340-456a-9166-edf953571be0 is not authorized to " +
		"perform: ssm:GetParameter on resource: arn:aws:ssm:eu-west-1:111122223333:parameter/shop/db because no identity-based policy " +
		"allows the ssm:GetParameter action"
	cliReport   = "An error occurred (AccessDeniedException) when calling the GetParameter operation: "
	pythonDies  = "Traceback (most recent call last):\n  File \"/app/d.py\", line 3, in <module>\n"
	bareRefusal = "An error occurred (AccessDenied) when calling the PutObject operation: Access Denied"
)

// Other sentences about this build's session: a side matter, and a token.
var (
	ownPublish = strings.ReplaceAll(strings.ReplaceAll(ownSentence, "s3:PutObject", "sns:Publish"), "arn:aws:s3:::media/x",
		"arn:aws:sns:eu-west-1:111122223333:deploys")
	ownToken = "\nAn error occurred (AccessDeniedException) when calling the GetAuthorizationToken operation: " +
		strings.ReplaceAll(strings.ReplaceAll(ownSentence, "s3:PutObject", "codeartifact:GetAuthorizationToken"), "arn:aws:s3:::media/x",
			"arn:aws:codeartifact:eu-west-1:111122223333:domain/shop") + "\n"
)

// ownOfArchive is AWS's sentence about this build's session and an object with a name of its own.
var ownOfArchive = strings.ReplaceAll(ownSentence, "media/x", "media/app-2.3.tgz")

// evidenceRows are outputs of a command that failed. OWN stands for AWS's sentence about this
// build's session, BARE for a refusal that names nobody.
var evidenceRows = []struct {
	what, log string
	finding   string // of the first denial
	cause     string // "" if it does not matter
}{
	// Honest denials explain the failure, whatever stands around them.
	{"the CLI ends with it", "BARE\n", Explains, "missing-permission"},
	{"the CLI ends with AWS's sentence", "An error occurred (AccessDenied) when calling the PutObject operation: OWN\n", Explains,
		"missing-permission"},
	{"make and npm say that it failed", "upload failed: ./x to s3://media/x BARE\nmake: *** [Makefile:3: deploy] Error 1\n" +
		"npm error Lifecycle script `deploy` failed with error:\nnpm error code 2\n", Explains, "missing-permission"},
	{"warnings before it", "npm warn deprecated a@1.0.0\nWarning: no lock file\n2 warnings\nBARE\n", Explains, "missing-permission"},
	{"passing tests before it", "ok  \tshop\t0.1s\n12 passed in 0.4s\nUploading\nupload failed: ./x to s3://media/x BARE\n", Explains,
		"missing-permission"},
	{"a stack below it", "Error: BARE\n    at a (/app/a.js:1:2)\n    at b (/app/b.js:3:4)\n\nNode.js v22.1.0\n", Explains,
		"missing-permission"},
	{"the script says that it gives up", "BARE\nERROR: deployment failed, see the log above\n", Explains, "missing-permission"},
	{"a trap names the call that failed", ownRead + "\nerror in line 5: aws ssm get-parameter --name /shop/db > db.json\n", Explains,
		"missing-permission"},
	{"a trap names another call that failed", ownRead + "\nerror in line 9: aws ssm put-parameter --name /shop/db --value x\n", Overtaken,
		""},
	{"a trap names a call about another thing", ownRead + "\nerror in line 9: aws ssm get-parameter --name /shop/dsn\n", Overtaken, ""},
	{"a check found errors", ownRead + "\nFound errors\n", Overtaken, ""},
	{"a trap names another service's call", ownRead + "\nerror in line 9: aws ecs get-parameter --name /shop/db\n", Overtaken, ""},
	{"Python ends with the status of the call", ownRead + "\n" + pythonDies +
		"    subprocess.check_call([\"aws\", \"ssm\", \"get-parameter\"])\nsubprocess.CalledProcessError: " +
		"Command '['aws', 'ssm', 'get-parameter', '--name', '/shop/db']' returned non-zero exit status 255.\n", Explains,
		"missing-permission"},
	{"Python ends with the status of something else", ownRead + "\n" + pythonDies +
		"    subprocess.check_call([\"git\", \"push\"])\nsubprocess.CalledProcessError: " +
		"Command '['git', 'push']' returned non-zero exit status 1.\n", Overtaken, ""},
	{"Python ends with the status of another call", ownRead + "\n" + pythonDies +
		"    subprocess.check_call([\"aws\", \"ecs\", \"wait\"])\nsubprocess.CalledProcessError: " +
		"Command '['aws', 'ecs', 'wait', 'services-stable']' returned non-zero exit status 255.\n", Overtaken, ""},
	{"the script could not read it", ownRead + "\ndeploy: could not read /shop/db\n", Explains, "missing-permission"},
	{"the script could not read another file", ownRead + "\ndeploy: could not read conf/shop.toml\n", Overtaken, ""},
	{"the script could not read another parameter", ownRead + "\ndeploy: could not read /shop/dsn\n", Overtaken, ""},
	{"the CDK looked something up", "[Error at /Shop/Vpc] " + strings.TrimPrefix(ownRead, cliReport) + "\nFound errors\n", Explains,
		"missing-permission"},
	{"the CDK found another error too", "[Error at /Shop/Vpc] " + strings.TrimPrefix(ownRead, cliReport) +
		"\n[Error at /Shop/Queue] The queue must be encrypted\nFound errors\n", Overtaken, ""},
	{"a trap tidies up after it", "OWN\n+ cleanup\n+ rm -rf build\nremoved build\n", Explains, "missing-permission"},
	{"other files of the sync go on", "upload: a to s3://media/a\nupload failed: ./x to s3://media/x BARE\nupload: b to s3://media/b\n" +
		"Completed 3 of 3 files\n", Explains, "missing-permission"},
	{"a stack rolls back", "web CREATE_FAILED AWS::S3::Bucket B OWN\nweb ROLLBACK_IN_PROGRESS\nweb ROLLBACK_COMPLETE\n" +
		"❌ web failed: the stack could not be created\n", Explains, "missing-permission"},
	{"the file that it should have fetched is missing",
		"An error occurred (AccessDenied) when calling the GetObject operation: Access Denied\n+ tar xf data.tgz\n" +
			"tar: data.tgz: Cannot open: No such file or directory\nError: no such file or directory\n", Explains, "missing-permission"},
	{"the test fails only by the build's own denial", "=== RUN   TestUp\n    up_test.go:9: OWN\n--- FAIL: TestUp (0.1s)\nFAIL\n",
		Explains, "missing-permission"},
	{"Terraform's error beside its warning",
		"╷\n│ Warning: Deprecated attribute\n│ \n│   on main.tf line 3\n╵\n╷\n│ Error: putting object\n" +
			"│ \n│ OWN\n╵\n", Explains, "missing-permission"},

	// A carriage return begins a line anew: what stands behind it was printed later.
	{"a bar of progress is written over", "Completed 1 MiB/9 MiB\rupload failed: ./x to s3://media/x BARE\n", Explains,
		"missing-permission"},
	{"something else is written over it", "upload failed: ./x to s3://media/x BARE\rprices: 3 rows without currency\n", Overtaken, ""},
	{"the same, by moving the cursor", "upload failed: ./x to s3://media/x BARE\x1b[2K\x1b[1Gprices: 3 rows without currency\n",
		Overtaken, ""},
	{"a stack in the same event of the log", "Error: BARE\r    at a (/app/a.js:1:2)\n", Explains, "missing-permission"},
	{"the line ends are doubled", "upload failed: ./x to s3://media/x BARE\r\r\nmake: *** [Makefile:3: deploy] Error 1\r\r\n", Explains,
		"missing-permission"},

	// A plain line that says what is wrong with a thing that is there, and no step behind it.
	{"a version is too old, and then a row may not be written", "version 2.3.0 is older than 2.4.1\nclosing the journal: OWN\n",
		Contested, ""},
	{"the same, and the program goes on", "version 2.3.0 is older than 2.4.1\nuploading 2.3.0\nput: OWN\n", Explains,
		"missing-permission"},
	{"the same, and the line says what is done about it", "schema 13 is older than 14, migrating it\nput: OWN\n", Explains,
		"missing-permission"},
	{"what differs is what is then put", "app-2.3.tgz differs\nput app-2.3.tgz: User: " +
		strings.TrimPrefix(ownOfArchive, "User: ") + "\n", Explains, "missing-permission"},

	{"a thing has not what it needs, and then a row may not be written", "checking\nCHANGELOG.md has no section for 2.4.2\n\n" +
		"An error occurred (AccessDenied) when calling the PutObject operation: OWN\n", Contested, ""},
	{"what was not there is no verdict", "› ℹ  There is no previous release\nput: OWN\n", Explains, "missing-permission"},
	{"what a logger warns of is none", "SLF4J(W): No providers are needed\ntime=2026-11-20T10:00:12Z level=WARN " +
		"msg=\"lock is missing\"\nput: OWN\n", Explains, "missing-permission"},

	// What is empty: a value that the call was to give, or a thing of another kind.
	{"a variable is empty that the call was to give", "READ\nDB_URL is empty\n", Explains, "missing-permission"},
	{"the password is empty", "READ\nthe password is not set, set it first\n", Explains, "missing-permission"},
	{"what is named as the parameter is empty", "READ\nshop/db is empty\n", Explains, "missing-permission"},
	{"another thing is empty", "READ\nnotes for 2.3.0: body is empty\n", Overtaken, ""},

	{"the shell says that a variable is not set", "READ\nci/tok.sh: line 3: T: is not set\n", Explains, "missing-permission"},
	{"a file is missing, and a value was refused", "READ\ncat: dist/notes.html: No such file or directory\n", Overtaken, ""},
	{"a file is missing whose path lacks the value", "READ\ncat: dist/notes-.html: No such file or directory\n", Explains,
		"missing-permission"},
	{"another row of a table of suites failed", "suite      result\ncheckout   failed: total is 12.34\nupload     failed: OWN\n",
		Contested, ""},
	{"a row of a table of steps that passed but for it", "step       result\ncheckout   passed\nupload     failed: OWN\n", Explains,
		"missing-permission"},

	// npm's fields, and a script's lines in their words.
	{"npm's fields behind its code", "BARE\nnpm error code 1\nnpm error path /codebuild/output/src/shop\nnpm error command failed\n" +
		"npm error command sh -c node put.mjs\n", Explains, "missing-permission"},
	{"npm's fields without its code", "BARE\nnpm error command sh -c prices: 3 rows without currency\n", Overtaken, ""},
	{"a path that npm does not have", "BARE\nnpm error code 1\nnpm error path prices.csv row 88\n", Overtaken, ""},

	// make shows the command of a side matter before it runs it.
	{"make shows the command that is refused", "aws sns publish --topic-arn arn:aws:sns:eu-west-1:111122223333:deploys --message " +
		"start\n\nAn error occurred (AuthorizationError) when calling the Publish operation: " + ownPublish +
		"\nmake: *** [Makefile:3: note] Error 254\n", Explains, "missing-permission"},

	// The log of a job, and a token that an index has not asked for.
	{"the log of a job", "logs of job/shop-migrate:\n2026-11-20T10:02:11Z reading shop/db\nBARE\n", Shown, ""},
	{"a token is refused, and the index has other versions of the package", ownToken + "ERROR: Could not find a version that satisfies " +
		"the requirement shop-core==9.9.9 (from versions: 1.0.0, 1.1.0)\nERROR: No matching distribution found for shop-core==9.9.9\n",
		Overtaken, ""},
	{"a token is refused, and the index has none", ownToken + "ERROR: Could not find a version that satisfies the requirement " +
		"shop-core==9.9.9 (from versions: none)\nERROR: No matching distribution found for shop-core==9.9.9\n", Explains, ""},

	// A run of another service, by its id, and what it met.
	{"an execution of a pipeline failed", "execution 0a1b2c3d of pipeline shop: Failed\nstage Deploy, action Copy: BARE\n", Shown, ""},
	{"an action of a pipeline failed", "waiting for pipeline shop\nDeploy      Failed\naction CopyToBucket failed: BARE\n", Shown, ""},
	{"an action of the script's own", "building\naction upload failed: BARE\n", Explains, "missing-permission"},
	{"the log of a child", "shop-e2e is red\nits log ends with:\nBARE\n", Shown, ""},
	{"a deployment failed", "deployment d-0A1B2C3D4: Failed\n{\n    \"message\": \"BARE\"\n}\n", Shown, ""},
	{"a deployment of this build's own", "deployment of shop failed\nput: OWN\n", Explains, "missing-permission"},
	{"the build's own, behind a run that failed", "execution 0a1b2c3d of pipeline shop: Failed\nOWN\n", Explains, "missing-permission"},

	// The same in the frames of other tools, and other languages.
	{"make speaks German", "make[1]: Verzeichnis „/src/a“ wird betreten\nupload failed: ./x to s3://media/x BARE\n" +
		"make[1]: *** [Makefile:9: put] Fehler 1\nmake[1]: Verzeichnis „/src/a“ wird verlassen\nmake: *** [Makefile:3: a] Fehler 2\n",
		Explains, "missing-permission"},
	{"make speaks German, and another target fails by itself", "upload failed: ./x to s3://media/x BARE\n" +
		"make: *** [Makefile:9: notes] Fehler 1\nprices.csv row 88: no currency\nmake: *** [Makefile:5: prices] Fehler 3\n", Overtaken, ""},
	{"Gradle ran a program", "> Task :put FAILED\nException in thread \"main\" com.example.S3Exception: OWN\n" +
		"\tat com.example.A.main(A.java:12)\n\nFAILURE: Build failed with an exception.\n\n* What went wrong:\n" +
		"Execution failed for task ':put'.\n> Process 'command '/usr/bin/java'' finished with non-zero exit value 1\n", Explains,
		"missing-permission"},
	{"Gradle ran two programs", "> Task :put\nOWN\n> Task :prices FAILED\n\nFAILURE: Build failed with an exception.\n\n" +
		"* What went wrong:\nExecution failed for task ':prices'.\n" +
		"> Process 'command './prices.sh'' finished with non-zero exit value 3\n", Overtaken, ""},
	{"dbt's model, behind the time of day", "10:00:07  1 of 1 START sql table model shop.orders ........ [RUN]\n" +
		"10:00:08  1 of 1 ERROR creating sql table model shop.orders ... [ERROR in 0.81s]\n10:00:09  \n" +
		"10:00:09  Completed with 1 error and 0 warnings:\n10:00:09  \n10:00:09    Runtime Error in model orders (models/orders.sql)\n" +
		"  BARE\n10:00:09  \n10:00:09  Done. PASS=0 WARN=0 ERROR=1 SKIP=0 TOTAL=1\n", Explains, "missing-permission"},
	{"another model of dbt fails by itself", "10:00:09    Runtime Error in model orders (models/orders.sql)\n  BARE\n10:00:09  \n" +
		"10:00:09    Runtime Error in model stock (models/stock.sql)\n  line 4:3: Column 'sku' cannot be resolved\n10:00:09  \n" +
		"10:00:09  Done. PASS=0 WARN=0 ERROR=2 SKIP=0 TOTAL=2\n", Overtaken, ""},
	{"sbt shows the stack of a plugin in Scala", "[error] com.example.S3Exception: OWN\n" +
		"[error] \tat com.example.Upload.put(Upload.scala:12)\n" +
		"[error] (publish) com.example.S3Exception: OWN\n[error] Total time: 3 s, completed Nov 20, 2026, 10:00:13 AM\n", Explains,
		"missing-permission"},
	{"sbt does not compile", "[error] com.example.S3Exception: OWN\n[error] /src/Cart.scala:12:3: type mismatch;\n" +
		"[error] Total time: 3 s, completed Nov 20, 2026, 10:00:13 AM\n", Contested, "compile-error"},
	{"Collision shows PHP's exception", "   Aws\\S3\\Exception\\S3Exception \n\n AccessDenied (client): OWN\n\n" +
		"  at vendor/aws/src/WrappedHttpHandler.php:196\n    192▕         $parts = [];\n  ➜ 196▕         return new $this->class(\n\n" +
		"      +14 vendor frames \n\n  15  app/Commands/Publish.php:21\n      Adapter::put()\n", Explains, "missing-permission"},
	{"a stack behind concurrently's name", "[put] AccessDenied: OWN\n[put]     at throwDefaultError (/src/a.js:388:20)\n" +
		"[web] built in 1.02s\n[put] npm run put exited with code 1\n", Explains, "missing-permission"},
	{"Terragrunt's units", "10:00:07.100 STDERR [ssm] terraform: ╷\n10:00:07.100 STDERR [ssm] terraform: │ Error: putting: OWN\n" +
		"10:00:07.100 STDERR [ssm] terraform: │ \n10:00:07.100 STDERR [ssm] terraform: │   with aws_s3_object.note,\n" +
		"10:00:07.100 STDERR [ssm] terraform: │   on note.tf line 1, in resource \"aws_s3_object\" \"note\":\n" +
		"10:00:07.100 STDERR [ssm] terraform: ╵\n10:00:07.200 ERROR  terraform invocation failed in ./ssm\n",
		Explains, "missing-permission"},
	{"syslog's time in front of each line", "Nov 20 10:00:11 packing\nNov 20 10:00:12 OWN\nNov 20 10:00:12 \n", Explains,
		"missing-permission"},
	// Another machine prints it, or another service than AWS answers so.
	{"Systems Manager shows what an instance printed", "command 1 sent to i-1\nStatus: Failed\nStandardErrorContent:\n" +
		"download failed: s3://media/x to ./x BARE\nfailed to run commands: exit status 1\n", Shown, ""},
	{"the same as JSON", "{\n    \"Status\": \"Failed\",\n    \"StandardErrorContent\": \"download failed: BARE\"\n}\n", Shown, ""},
	{"CodeDeploy shows what an instance printed", "LifecycleEvent - AfterInstall\nScript - ci/up.sh\n[stderr]BARE\n", Shown, ""},
	{"an instance's console", "[   12.3] cloud-init[812]: BARE\n", Shown, ""},
	{"Terraform runs it on the instance", "aws_instance.web (remote-exec): BARE\nError: remote-exec provisioner error\n", Shown, ""},
	{"Terraform runs it in the build", "aws_instance.web (local-exec): BARE\n", Explains, "missing-permission"},
	{"Packer runs it on the instance", "==> amazon-ebs.web: Provisioning with shell script: up.sh\n    amazon-ebs.web: nginx installed\n" +
		"==> amazon-ebs.web: BARE\n", Shown, ""},
	{"Packer makes the image", "==> amazon-ebs.web: Provisioning with shell script: up.sh\n==> amazon-ebs.web: Stopping the source " +
		"instance...\n==> amazon-ebs.web: Error creating AMI: OWN\n", Explains, "missing-permission"},
	{"Ansible runs it on a host", "fatal: [web-1]: FAILED! => {\"changed\": false, \"msg\": \"BARE\"}\n", Shown, ""},
	{"Ansible runs it in the build for a host", "fatal: [web-1 -> localhost]: FAILED! => {\"changed\": false, \"msg\": " +
		"\"BARE\"}\n", Explains,
		"missing-permission"},
	{"the shell shows another service's endpoint", "+ aws --endpoint-url http://localhost:9000 s3 cp x s3://media/x\n" +
		"upload failed: ./x to s3://media/x BARE\n", Foreign, ""},
	{"make shows it", "aws --endpoint-url http://localhost:9000 s3 cp x s3://media/x\nupload failed: ./x to s3://media/x BARE\n" +
		"make: *** [Makefile:9: put] Error 1\n", Foreign, ""},
	{"a variable for all that follows", "+ export AWS_ENDPOINT_URL=http://localhost:9000\n+ aws s3 cp x s3://media/x\n" +
		"upload failed: ./x to s3://media/x BARE\n", Foreign, ""},
	{"another service before, and AWS now", "+ aws --endpoint-url http://localhost:9000 s3 cp x s3://media/x\n" +
		"upload: ./x to s3://media/x\n+ aws s3 cp x s3://media/x\nupload failed: ./x to s3://media/x BARE\n", Explains,
		"missing-permission"},
	// Two resources of a stack fail, each by itself.
	{"another resource of the stack is wrong", "web | 1/4 | 10:00:01 AM | CREATE_FAILED | AWS::SQS::Queue | Jobs (Jobs1A2B) OWN\n" +
		"web | 1/4 | 10:00:02 AM | CREATE_FAILED | AWS::Lambda::Function | Cart (Cart1A2B) Properties validation failed for " +
		"resource Cart\n" +
		"web | 1/4 | 10:00:09 AM | ROLLBACK_COMPLETE | AWS::CloudFormation::Stack | web\n", Overtaken, ""},
	{"it was wrong before", "AWS::S3::Bucket Media CREATE_FAILED media already exists\nAWS::SQS::Queue Jobs CREATE_FAILED OWN\n",
		Contested, ""},
	{"the others are cancelled", "web | 1/4 | 10:00:01 AM | CREATE_FAILED | AWS::SQS::Queue | Jobs (Jobs1A2B) OWN\n" +
		"web | 1/4 | 10:00:02 AM | CREATE_FAILED | AWS::Lambda::Function | Cart (Cart1A2B) Resource creation cancelled\n" +
		"web | 1/4 | 10:00:03 AM | CREATE_FAILED | AWS::CloudFormation::Stack | web The following resource(s) failed to " +
		"create: [Jobs1A2B].\n",
		Explains, "missing-permission"},

	// What a database, a function, another run or a commit says.
	{"Redshift reads S3 with its own role", "psql:copy.sql:3: ERROR:  S3ServiceException:Access Denied,Status 403,Error AccessDenied\n" +
		"DETAIL:\n  -----------------------------\n  error:  BARE\n  code:      8001\n", Shown, ""},
	{"Snowflake reads a stage", "Error: 091003 (55000): Failure using stage area. Cause: [Access Denied (Status Code: 403)]\nBARE\n",
		Shown, ""},
	{"a query, and then the CLI", "psql:seed.sql:3: ERROR:  relation orders exists\n\nBARE\n", Contested, ""},
	{"a function's log", "START RequestId: 0a1b2c3d-1111 Version: 41\n[ERROR] ClientError: BARE\nEND RequestId: 0a1b2c3d-1111\n",
		Shown, ""},
	{"the function was called before", "START RequestId: 0a1b2c3d-1111 Version: 41\nEND RequestId: 0a1b2c3d-1111\nBARE\n", Explains,
		"missing-permission"},
	{"the log of another run", "build\tUpload\t2026-11-20T09:00:12.1234567Z upload failed: ./x to s3://media/x BARE\n", Shown, ""},
	{"a time with parts of a second", "2026-11-20T09:00:12.1234567Z upload failed: ./x to s3://media/x BARE\n", Explains,
		"missing-permission"},
	{"a commit's message", "commit 4f1b0f3c5d6e7a8b9c0d1e2f3a4b5c6d7e8f9a0b\nAuthor: Ada <ada@example.com>\n\n    tell why it fails\n\n" +
		"    BARE\n", Shown, ""},
	{"a commit is named before", "commit 4f1b0f3c5d6e7a8b9c0d1e2f3a4b5c6d7e8f9a0b\nuploading\nBARE\n", Explains, "missing-permission"},
	{"a field of what was before", "{\"level\":\"error\",\"message\":\"no section 2.3.0\",\"lastWarning\":\"OWN\"}\n", Tolerated, ""},
	{"a field of the last error", "{\"level\":\"error\",\"message\":\"release failed\",\"error\":\"OWN\"}\n",
		Explains, "missing-permission"},
	{"a step mounts credentials", "#9 [4/6] RUN --mount=type=secret,id=aws,target=/root/.aws/credentials aws s3 cp x s3://media/x\n" +
		"#9 1.204 upload failed: ./x to s3://media/x BARE\n", Foreign, ""},
	{"a step mounts another secret", "#9 [4/6] RUN --mount=type=secret,id=npmrc aws s3 cp x s3://media/x\n" +
		"#9 1.204 upload failed: ./x to s3://media/x BARE\n", Explains, "missing-permission"},
	{"an object is printed behind it", "{\n  err: 'AccessDenied: OWN'\n}\n{\n  rows: [ 88, 91 ],\n  verdict: 'red'\n}\n", Overtaken, ""},
	{"it is an object itself", "{\n  err: 'AccessDenied: OWN',\n  code: 'AccessDenied'\n}\n", Explains, "missing-permission"},
	{"Rich's box above it", "╭───────── Traceback (most recent call last) ─────────╮\n" +
		"│ /src/a.py:12 in main                                │\n" +
		"│ ❱ 12 │   s3.put_object(Bucket=b)                    │\n" +
		"╰─────────────────────────╯\n" +
		"ClientError: OWN\n", Explains, "missing-permission"},
	{"Rust panics of it", "thread 'main' panicked at src/main.rs:9:10:\nput: AccessDenied: OWN\nnote: run with `RUST_BACKTRACE=1` " +
		"environment variable to display a backtrace\n", Explains, "missing-permission"},
	{"SAM says that the stack failed", "CREATE_FAILED  AWS::SQS::Queue  Jobs  OWN\n" +
		"Error: Failed to create/update the stack: shop, Waiter " +
		"StackCreateComplete failed: Waiter encountered a terminal failure state\n", Explains, "missing-permission"},

	// A script's words say that it is somebody else now.
	{"the script acts as somebody", "now acting as publisher in 444455556666\nBARE\n", Foreign, ""},
	{"the script switches its role", "switching to role publisher\nBARE\n", Foreign, ""},
	{"the script names another account", "Account: 444455556666\nBARE\n", Foreign, ""},
	{"the script names the build's own role", "using the role codebuild-shop\nBARE\n", Explains, "missing-permission"},
	{"the script names the build's own account", "Account: 111122223333\nBARE\n", Explains, "missing-permission"},
	{"git switches a branch", "Switched to branch 'main'\nBARE\n", Explains, "missing-permission"},
	{"a script switches, and AWS names the build", "switching to role publisher\nOWN\n", Explains, "missing-permission"},

	// Pulumi's rows and its list of errors: each resource has its own.
	{"Pulumi lists the one error again", pulumiWorks + pulumiEnds, Explains, "missing-permission"},
	{"another resource of Pulumi's fails in a row", pulumiWorks + " +  aws:s3:Bucket media creating (2s) error: " +
		"InvalidBucketName: shop_media is not valid\n" + pulumiEnds, Overtaken, ""},
	{"another resource of Pulumi's is in the list alone", pulumiWorks + strings.Replace(pulumiEnds, "\nOutputs",
		"\n  aws:s3:Bucket (media):\n    error: InvalidBucketName: shop_media is not valid\n\nOutputs", 1), Overtaken, ""},
	{"it failed before", " +  aws:s3:Bucket media creating (2s) error: InvalidBucketName: shop_media is not valid\n" +
		pulumiWorks + pulumiEnds, Contested, ""},

	// eksctl waits for a stack, and prints its events.
	{"eksctl says that the stack is rolled back", eksctlWaits + "[✖]  AWS::EC2::VPC/Vpc: CREATE_FAILED – \"Resource creation " +
		"cancelled\"\n[✖]  AWS::SQS::Queue/Jobs: CREATE_FAILED – \"Resource handler returned message: \\\"OWN\\\"\"\n" + eksctlEnds,
		Explains, "missing-permission"},
	{"another resource of eksctl's fails behind it", eksctlWaits + "[✖]  AWS::SQS::Queue/Jobs: CREATE_FAILED – \"OWN\"\n" +
		"[✖]  AWS::EC2::VPC/Vpc: CREATE_FAILED – \"The maximum number of VPCs has been reached.\"\n" + eksctlEnds, Overtaken, ""},
	{"another resource of eksctl's fails before", eksctlWaits + "[✖]  AWS::EC2::VPC/Vpc: CREATE_FAILED – \"The maximum number of VPCs " +
		"has been reached.\"\n[✖]  AWS::SQS::Queue/Jobs: CREATE_FAILED – \"OWN\"\n" + eksctlEnds, Contested, ""},

	// What tools say of themselves behind an error.
	{"the CDK's notices", "shop failed: AccessDenied: OWN\n\nNOTICES         (What's this? " +
		"https://github.com/aws/aws-cdk/wiki/CLI-Notices)" +
		"\n\n34892\tCDK CLI will collect telemetry data\n\n\tOverview: We do not collect customer content.\n\n" +
		"\tAffected versions: cli: ^2.0.0\n\n\nIf you don’t want to see a notice anymore, use \"cdk acknowledge <id>\".\n", Explains,
		"missing-permission"},
	{"the CDK's notices, and another failure behind them", "shop failed: AccessDenied: OWN\n\n" +
		"NOTICES         (What's this? https://a)\n\n" +
		"34892\tCDK CLI will collect telemetry data\n\nIf you don’t want to see a notice anymore, use \"cdk acknowledge <id>\".\n" +
		"prices.csv row 88: no currency\n", Overtaken, ""},
	{"a new version of a tool", "Error: Failed to create changeset: OWN\n\nSAM CLI update available (1.160.0); (1.120.0 installed)\n" +
		"To download: https://docs.example.com/install\n", Explains, "missing-permission"},
	{"likewise", "error: OWN\nwarning: A new version of Pulumi is available. To upgrade from version '3.1.0' to '3.2.0', run \n" +
		"   $ curl -sSL https://get.example.com | sh\n", Explains, "missing-permission"},
	{"a new version is what failed", "OWN\nerror: no new version of the price list is available\n", Overtaken, ""},
	{"PowerShell says where", "aws : upload failed: .\\x to s3://media/x BARE\nAt C:\\tmp\\script.ps1:1 char:1\n" +
		"+ aws s3 cp x s3://media/x\n+ ~~~~~~~~~~~~~~~~~~~~~~~~\n    + CategoryInfo          : NotSpecified: (:String) []\n" +
		"    + FullyQualifiedErrorId : NativeCommandError\n", Explains, "missing-permission"},
	{"a shell's trace goes on", "upload failed: ./x to s3://media/x BARE\n+ ./prices.sh\nrow 88\n", Overtaken, ""},
	{"another promise was rejected", "[\n  {\n    status: 'rejected',\n    reason: AccessDenied: OWN\n" +
		"        at f (/src/a.js:3:1)\n  },\n  { status: 'rejected', reason: 'template has no subject' }\n]\n", Contested, ""},
	{"the other promises were fulfilled", "[\n  { status: 'fulfilled', value: 'cart' },\n  {\n    status: 'rejected',\n" +
		"    reason: AccessDenied: OWN\n        at f (/src/a.js:3:1)\n  }\n]\n", Explains, "missing-permission"},

	// Rows and lists: each row or item says something of its own.
	{"a list of two errors", "2 errors:\n  - notes: OWN\n  - prices: 3 rows without currency\n", Overtaken, ""},
	{"a list of two errors, the other first", "2 errors occurred:\n\t* prices: 3 rows without currency\n\t* notes: OWN\n", Contested, ""},
	{"a list of one error", "1 error occurred:\n\t* notes: OWN\n\n", Explains, "missing-permission"},
	{"a list of steps", "steps:\n  - prices: written\n  - notes: OWN\n", Explains, "missing-permission"},
	{"a table of two errors", "| notes  | OWN |\n| prices | 3 rows without currency |\n", Overtaken, ""},
	{"a table of one error", "| step   | result |\n| notes  | OWN |\n+--------+-----+\n", Explains, "missing-permission"},
	{"a stack's events as JSON", "[\n    {\n        \"ResourceStatusReason\": \"OWN\"\n    },\n    {\n" +
		"        \"ResourceStatusReason\": \"shop-media already exists\"\n    }\n]\n", Overtaken, ""},
	{"a stack's events as JSON, the other is cancelled", "[\n    {\n        \"ResourceStatusReason\": \"OWN\"\n    },\n    {\n" +
		"        \"ResourceStatusReason\": \"Resource creation cancelled\"\n    }\n]\n", Explains, "missing-permission"},
	// More languages and runners.
	{"Nextflow's process", "[0a/1b2c3d] process > put (1) [100%] 1 of 1, failed: 1 ✘\nERROR ~ Error executing process > 'put (1)'\n\n" +
		"Caused by:\n  Process `put (1)` terminated with an error exit status (1)\n\n\nCommand executed:\n\n  ./put\n\n" +
		"Command exit status:\n  1\n\nCommand output:\n  (empty)\n\nCommand error:\n  OWN\n\nWork dir:\n  /src/runs/0a/1b2c\n\n" +
		" -- Check '.nextflow.log' file for details\n", Explains, "missing-permission"},
	{"R halts", "Error: AccessDenied (HTTP 403). OWN\nExecution halted\n", Explains, "missing-permission"},
	{"Julia's stack", "ERROR: LoadError: AWSException: AccessDenied -- OWN\n\nStacktrace:\n [1] macro expansion\n" +
		"   @ ~/a.jl:201 [inlined]\nin expression starting at /src/put.jl:9\n", Explains, "missing-permission"},
	{"Clojure's report", "Execution error (S3Exception) at a.B/c (B.java:1).\nOWN\n\nFull report at:\n/tmp/clojure-1.edn\n", Explains,
		"missing-permission"},
	{"Swift's optional message", "Fatal error: Error raised at top level: E(message: Optional(\"OWN\"))\n", Explains,
		"missing-permission"},
	{"an optional step", "optional: OWN\n", Tolerated, ""},
	{"Prefect's flow", "12:00:01.200 | ERROR   | Task run 'put-0' - Task run encountered an exception\n" +
		"Traceback (most recent call last):\n" +
		"ClientError: OWN\n12:00:01.300 | ERROR   | Flow run 'a' - Finished in state Failed('Flow run encountered an exception')\n",
		Explains, "missing-permission"},

	// A script closes in another language.
	{"a German script", "Fehler beim Hochladen: OWN\nAbbruch\n", Explains, "missing-permission"},
	{"a German script names something new", "Fehler beim Hochladen: OWN\nAbbruch: Preisliste unvollständig\n", Overtaken, ""},
	{"a French script", "OWN\nÉchec de l'étape, arrêt\n", Explains, "missing-permission"},
	{"a Japanese script", "OWN\n失敗しました。終了します。\n", Explains, "missing-permission"},
	{"a Japanese script names something new", "OWN\n価格のない商品が3件あります\n", Overtaken, ""},

	{"pnpm in a task of Turborepo", "infra:deploy: upload failed: ./x to s3://media/x BARE\n" +
		"infra:deploy:  ELIFECYCLE  Command failed with exit code 1.\n", Explains, "missing-permission"},
	{"Nox", "nox > Running session put\nupload failed: ./x to s3://media/x BARE\nnox > Command ./put failed with exit code 1\n" +
		"nox > Session put failed.\n", Explains, "missing-permission"},
	{"Nox goes on with a session that fails", "upload failed: ./x to s3://media/x BARE\nnox > Running session prices\nrow 88\n" +
		"nox > Session prices failed.\n", Overtaken, ""},
	{"Ant", "     [exec] upload failed: ./x to s3://media/x BARE\n\nBUILD FAILED\n/src/build.xml:9: exec returned: 1\n\n" +
		"Total time: 1 second\n",
		Explains, "missing-permission"},
	{"Rush", "upload failed: ./x to s3://media/x BARE\n\"@shop/infra\" failed to build.\n\nOperations failed.\n", Explains,
		"missing-permission"},

	{"Python warns while it ends", "Traceback (most recent call last):\n  File \"/src/a.py\", line 3, in main\nClientError: OWN\n" +
		"sys:1: ResourceWarning: unclosed <ssl.SSLSocket fd=7>\n", Explains, "missing-permission"},
	{"CDK for Terraform", "web  ╷\n     │ Error: uploading: OWN\n     │ \n     ╵\n0 Stacks deploying     1 Stack failed\n" +
		"Invoking Terraform CLI failed with exit code 1\n", Explains, "missing-permission"},

	{"the CDK's other assets go on", "shop: start: Publishing a\nshop: fail: OWN\nshop: success: Published b\nFailed to publish asset a\n" +
		"‣ AggregateError: \n", Explains, "missing-permission"},
	{"the CDK repeats which asset", "shop:  fail: OWN\n\n ❌ Deployment failed: Error: Failed to publish asset a:b\n" +
		"    at Deployments.publishSingleAsset (/x.js:1:2)\n\nFailed to publish asset a:b\n", Explains, "missing-permission"},
	{"npm's words behind Changesets' butterfly", "🦋  error an error occurred while publishing lib: E403 403 Forbidden - PUT " +
		"https://a.example.com/npm/@example%2flib - OWN\n🦋  error In most cases, you or one of " +
		"your dependencies are requesting a package version that is forbidden by your security policy\n" +
		"🦋  error npm notice Publishing to https://a.example.com/npm\n🦋  error npm error code E403\n" +
		"🦋  error npm error A complete log of this run can be found in: ~/.npm/_logs/1.log\n🦋  error\n" +
		"🦋  error packages failed to publish:\n🦋  lib@1.2.3\n", Explains, "missing-permission"},
	{"a scope that is called example", "npm error 403 403 Forbidden - PUT https://a.example.com/npm/@example%2flib - BARE\n", Explains,
		"missing-permission"},
	{"frames that a library made pretty", "  AccessDenied: OWN\n  \n  - s3.js:757 Request.extractError\n" +
		"    [shop]/[aws-sdk]/lib/services/s3.js:757:35\n  \n", Explains, "missing-permission"},
	{"Java's logging told of another exception below its level", "Jan 02, 2026 3:04:05 PM com.example.A unmarshallException\n" +
		"INFO: Unable to unmarshall exception content\n" +
		"java.lang.reflect.InaccessibleObjectException: Unable to make it accessible: module java.base does not open java.lang\n" +
		strings.Repeat("\tat com.example.A.a(A.java:1)\n", 14) + "Exception in thread \"main\" com.example.E: BARE\n", Explains,
		"missing-permission"},
	{"it ends a thread, and then the program", "[Exception] OWN\nException in thread Thread-1:\nTraceback (most recent call last):\n" +
		"  File \"/app/a.py\", line 3, in run\nbotocore.errorfactory.AccessDenied: OWN\n[Thread Failure] OWN\n[Runtime Exception] 1\n",
		Explains, "missing-permission"},
	{"Python's logging says what failed, above a long traceback", "INFO: two tasks\nERROR: task report failed\n" +
		"Traceback (most recent call last):\n" + strings.Repeat("  File \"/app/a.py\", line 3, in run\n    put()\n", 8) +
		"botocore.exceptions.ClientError: OWN\n", Explains, "missing-permission"},
	{"Terraform's error in one line, below its warning's box",
		"╷\n│ Warning: Argument is deprecated\n│ \n│   on main.tf line 3\n╵\n╷\n│ Error: putting object: OWN\n│ \n" +
			"│   on main.tf line 12\n╵\n", Explains, "missing-permission"},
	{"a task's stack behind the task's name", "infra:deploy: > node deploy.mjs\ninfra:deploy: AccessDenied: OWN\n" +
		"infra:deploy:     at throwDefaultError (/src/node_modules/smithy/index.js:388:20)\n ERROR  infra#deploy: command (/src/infra) " +
		"npm run deploy exited (1)\nFailed:    infra#deploy\n", Explains, "missing-permission"},
	{"PowerShell quotes the line", "Write-S3Object : OWN\nAt C:\\shop\\deploy.ps1:14 char:1\n+ Write-S3Object -BucketName media -File x\n" +
		"+ ~~~~~~~~~~~~~~~~~~~~~~~~\n    + CategoryInfo          : InvalidOperation: (Amazon.PowerShe...3Object:W) [Write-S3Object], E\n" +
		"    + FullyQualifiedErrorId : Amazon.S3.AmazonS3Exception,Amazon.PowerShell.Cmdlets.S3.W\n \n", Explains, "missing-permission"},
	{"PHP's console prints the chain", "In Handler.php line 195:\n\n  Error executing \"PutObject\"; AWS HTTP error: Client error: `PUT " +
		"https://media.s3.example.com/x` resulted in a `403 Forbidden` response: OWN\n\nIn Trait.php line 14:\n\n  Client error: `PUT " +
		"https://media.s3.example.com/x` resulted in a `403 Forbidden` response:\n\n", Explains, "missing-permission"},
	{"Maven says how to resume the reactor", "[ERROR] Failed to execute goal a:b:1:deploy (default) on project web: Failed: OWN -> " +
		"[Help 1]\n" +
		"[ERROR] \n[ERROR] After correcting the problems, you can resume the build with the command\n[ERROR]   mvn <args> -rf :web\n",
		Explains, "missing-permission"},
	{"BuildKit's empty line", "#6 [3/7] RUN aws s3 cp /x s3://media/x\n#6 1.9 \n#6 1.9 upload failed: ../x to s3://media/x BARE\n#6 " +
		"ERROR: " +
		"process \"/bin/sh -c aws s3 cp /x s3://media/x\" did not complete successfully: exit code: 1\n------\n > [3/7] RUN aws s3 cp " +
		"/x s3://media/x:\n1.902 \n1.902 upload failed: ../x to s3://media/x BARE\n------\nERROR: failed to solve: process \"/bin/sh -c " +
		"aws s3 cp /x s3://media/x\" did not complete successfully: exit code: 1\n", Explains, "missing-permission"},
	{"Turborepo's task in front of a dump", "@shop/flags:deploy: AccessDenied: OWN\n@shop/flags:deploy:     at async Promise.all " +
		"(index 0) {\n" +
		"@shop/flags:deploy:   '$fault': 'client',\n@shop/flags:deploy: }\n@shop/flags:deploy: \n@shop/flags:deploy: Node.js v22.1.0\n" +
		"@shop/flags:deploy:  ELIFECYCLE  Command failed with exit code 1.\n", Explains, "missing-permission"},
	{"Terragrunt's modules behind it", "10:03:11.121 STDERR [vpc] terraform: │ Error: OWN\n10:03:12.122 STDERR [vpc] terraform: │   " +
		"with a.b,\n" +
		"10:03:44.120 ERROR  [vpc] Module ./vpc has finished with an error\n10:03:44.122 ERROR  2 errors occurred:\n\n* Failed to " +
		"execute " +
		"\"terraform apply\" in ./vpc\n  \n  exit status 1\n* Cannot process module Module ./eks because one of its dependencies, Module " +
		"./vpc, finished with an error\n", Explains, "missing-permission"},
	{"another task's own error behind Turborepo's dump", "@shop/flags:deploy: AccessDenied: OWN\n@shop/flags:deploy:     at async " +
		"Promise.all " +
		"(index 0) {\n@shop/flags:deploy:   '$fault': 'client',\n@shop/flags:deploy: }\n@shop/web:deploy: owner bob is not a member\n",
		Overtaken, ""},
	{"PowerShell goes on behind the place", "Write-S3Object : OWN\nAt C:\\shop\\deploy.ps1:14 char:1\n+ Write-S3Object -BucketName " +
		"media\n" +
		"+ ~~~~~~~~~~~~~~~~~~~~~~~~\n    + FullyQualifiedErrorId : Amazon.S3.AmazonS3Exception,W\n \nowner bob is not a member\n" +
		"", Overtaken, ""},
	{"another module of Terragrunt fails by itself", "10:03:11.121 STDERR [vpc] terraform: │ Error: OWN\n10:03:44.120 ERROR  [vpc] " +
		"Module " +
		"./vpc has finished with an error\n10:03:45.120 STDERR [iam] terraform: │ Error: Invalid index\n", Overtaken, ""},
	{"PHP's chain has another exception", "  Error executing \"PutObject\"; AWS HTTP error: OWN\n\nIn Trait.php line 14:\n\n" +
		"  The owner bob is not a member of the team\n\n", Overtaken, ""},
	{"Rust prints the error as it debugs it", "shop.exceptions.PermissionDeniedError: OWN\n\nDebug source:\nPermissionDenied {\n" +
		"    source: RetryError {\n        method: PUT,\n    },\n}\n", Explains, "missing-permission"},
	{"other work behind a Rust program's error", "shop.exceptions.PermissionDeniedError: OWN\n\nDebug source:\nPermissionDenied {\n" +
		"    source: RetryError {\n    },\n}\nowner bob is not a member\n", Overtaken, ""},
	{"Python's chain of exceptions", "Traceback (most recent call last):\n  File \"/src/a.py\", line 2, in send\n    yield\n" +
		"botocore.exceptions.ClientError: OWN\n\nDuring handling of the above exception, another exception occurred:\n\n" +
		"Traceback (most recent call last):\n  File \"/src/a.py\", line 9, in <module>\n    go()\nfs.errors.PermissionDenied: OWN\n",
		Explains, "missing-permission"},
	{"a resolution below it", "[AccessDeniedError] it failed\nOWN\nResolution: Ensure you have permissions\n", Explains,
		"missing-permission"},
	{"BuildKit shows the line of the Dockerfile", "#9 [5/7] RUN aws s3 cp /x s3://media/x\n#9 1.204 upload failed: ../x to " +
		"s3://media/x BARE\n#9 ERROR: process \"/bin/sh -c aws s3 cp /x s3://media/x\" did not complete successfully: exit code: 1\n" +
		"------\n > [5/7] RUN aws s3 cp /x s3://media/x:\n1.204 upload failed: ../x to s3://media/x BARE\n------\nDockerfile:5\n" +
		"--------------------\n   3 |     COPY . .\n   5 | >>> RUN aws s3 cp /x s3://media/x\n   6 |     CMD [\"node\"]\n" +
		"--------------------\nERROR: failed to solve: process \"/bin/sh -c aws s3 cp /x s3://media/x\" did not complete " +
		"successfully: exit code: 1\n", Explains, "missing-permission"},
	{"PHP's stack", "PHP Fatal error:  Uncaught Aws\\S3\\Exception\\S3Exception: OWN in /src/a.php:12\nStack trace:\n" +
		"#0 /src/vendor/aws/src/WrappedHttpHandler.php(97): Aws\\WrappedHttpHandler->parseError()\n" +
		"#1 [internal function]: Aws\\Handler->call()\n#2 {main}\n  thrown in /src/a.php on line 12\n", Explains, "missing-permission"},
	{"concurrently stops the others", "[web] serving\n[note] AccessDenied: OWN\n[note] npm run note exited with code 1\n" +
		"--> Sending SIGTERM to other processes..\n[web] npm run web exited with code SIGTERM\n", Explains, "missing-permission"},
	{"another process has failed first", "[web] no cart\n[web] npm run web exited with code 1\n[note] AccessDenied: OWN\n" +
		"[note] npm run note exited with code 1\n", Overtaken, "command-failed"},
	{"another process has ended well first", "[web] npm run web exited with code 0\n[note] AccessDenied: OWN\n" +
		"[note] npm run note exited with code 1\n", Explains, "missing-permission"},
	{"another target of make fails by itself", "upload failed: ./x to s3://media/x BARE\nmake: *** [Makefile:9: notes] Error 1\n" +
		"prices.csv row 88: no currency\nmake: *** [Makefile:5: prices] Error 3\nmake: Target 'all' not remade because of errors.\n",
		Overtaken, ""},
	{"other targets of make go on, and the outer one fails of it", "upload failed: ./x to s3://media/x BARE\n" +
		"make[1]: *** [Makefile:9: notes] Error 1\nmake[1]: *** Waiting for unfinished jobs....\ncc -o cart cart.o\n" +
		"make: *** [Makefile:2: all] Error 2\n", Explains, "missing-permission"},
	{"a record over several lines is a warning", "{\n  \"message\": \"note was not stored: OWN\",\n  \"severity\": \"WARNING\"\n}\n",
		Tolerated, "command-failed"},
	{"a record over several lines is another error", "{\n  \"message\": \"note was not stored: OWN\",\n  \"severity\": \"ERROR\"\n}\n" +
		"{\n  \"message\": \"changelog has no entry\",\n  \"severity\": \"ERROR\"\n}\n", Overtaken, "command-failed"},
	{"a record over several lines is an error", "{\n  \"message\": \"note was not stored: OWN\",\n  \"severity\": \"ERROR\"\n}\n" +
		"{\n  \"message\": \"release failed\",\n  \"severity\": \"ERROR\"\n}\n", Explains, "missing-permission"},
	{"Pino's level of warnings", "{\"level\":60,\"time\":1,\"pid\":9,\"hostname\":\"b\",\"msg\":\"3 open migrations\"}\n" +
		"{\"level\":40,\"time\":1,\"pid\":9,\"hostname\":\"b\",\"err\":{\"message\":\"OWN\"},\"msg\":\"no note\"}\n", Tolerated, ""},
	{"Pino's level of errors", "{\"level\":50,\"time\":1,\"pid\":9,\"hostname\":\"b\",\"err\":{\"message\":\"OWN\"}," +
		"\"msg\":\"upload failed\"}\n", Explains, "missing-permission"},
	{"a level in a logger that counts otherwise", "{\"level\":40,\"logger\":\"root\",\"msg\":\"OWN\"}\n", Explains,
		"missing-permission"},
	{"Java closes something behind an exception", "Exception in thread \"main\" java.lang.IllegalStateException: version 2.3.0 is old\n" +
		"\tat com.example.A.main(A.java:12)\n\tSuppressed: com.example.S3Exception: OWN\n\t\tat com.example.Log.close(Log.java:2)\n",
		Tolerated, ""},
	{"something is closed behind the refusal", "Exception in thread \"main\" com.example.S3Exception: OWN\n" +
		"\tat com.example.A.main(A.java:12)\n\tSuppressed: java.io.IOException: the stream is closed\n" +
		"\t\tat com.example.Log.close(Log.java:2)\n", Explains, "missing-permission"},
	{"a stream of a task's log", "2026-11-20T10:00:11.123000+00:00 app/web/0a1b2c botocore.exceptions.ClientError: BARE\n", Shown,
		""},
	{"the log of a task", "task 0a1b2c stopped, its last lines:\nbotocore.exceptions.ClientError: BARE\n", Shown, ""},
	{"a time in front of it", "2026-11-20T10:00:11.123000+00:00 botocore.exceptions.ClientError: BARE\n", Explains,
		"missing-permission"},
	{"a level behind it", "{\"message\":\"no note\",\"error\":\"OWN\",\"level\":\"warn\"}\n", Tolerated, "command-failed"},
	{"a level of errors behind it", "{\"message\":\"no note\",\"error\":\"OWN\",\"level\":\"error\"}\n", Explains, "missing-permission"},
	{"a level behind a pair", "ts=1 msg=\"no note\" err=\"OWN\" level=warn\n", Tolerated, "command-failed"},
	{"a level of errors behind a pair", "ts=1 msg=\"no note\" err=\"OWN\" level=error\n", Explains, "missing-permission"},
	{"a place for the name", "User: <arn> is not authorized to perform: s3:PutObject on resource: arn:aws:s3:::media/x\n", Shown, ""},
	{"why a container stopped", "reason of the container: BARE\n", Shown, ""},
	{"Terraform's other error", "╷\n│ Error: putting object: OWN\n│ \n│   on a.tf line 1\n╵\n╷\n│ Error: " +
		"creating EC2 Instance: api error " +
		"InvalidAMIID.NotFound: The image id does not exist\n│ \n│   on web.tf line 1\n╵\n", Overtaken, "resource-not-found"},
	{"Terraform's other error before it", "╷\n│ Error: creating EC2 Instance: api error InvalidAMIID.NotFound: " +
		"The image id does not exist" +
		"\n│ \n│   on web.tf line 1\n╵\n╷\n│ Error: putting object: OWN\n│ \n│   on a.tf line 1\n╵\n",
		Contested, "resource-not-found"},
	{"Terraform's other refusal", "╷\n│ Error: putting object: OWN\n│ \n│   on a.tf line 1\n╵\n╷\n│ Error: " +
		"putting object: OWN\n│ \n" +
		"│   on b.tf line 1\n╵\n", Explains, "missing-permission"},
	{".NET's sum of two errors", "Unhandled exception. System.AggregateException: One or more errors occurred. (version is old) (OWN)\n",
		Contested, ""},
	{".NET's sum of two errors, and each again", "Unhandled exception. System.AggregateException: One or more " +
		"errors occurred. (version is " +
		"old) (OWN)\n ---> System.InvalidOperationException: version is old\n   at A.B() in /src/A.cs:line 9\n" +
		"   --- End of inner exception stack trace ---\n ---> (Inner Exception #1) Amazon.S3.AmazonS3Exception: OWN<---\n", Contested, ""},
	{"Node.js's list of two errors", "AggregateError: \n    at a (file:///src/a.mjs:4:9) {\n  [errors]: [\n    Error: version is old\n" +
		"        at check (file:///src/a.mjs:4:9),\n    AccessDenied: OWN\n        at b (/src/node_modules/x.js:388:20)\n  ]\n}\n" +
		"\nNode.js v22.1.0\n", Contested, ""},
	{"Node.js's list of refusals", "AggregateError: \n    at a (file:///src/a.mjs:4:9) {\n  [errors]: [\n    AccessDenied: OWN\n" +
		"        at check (file:///src/a.mjs:4:9),\n    AccessDenied: OWN\n        at b (/src/node_modules/x.js:388:20)\n  ]\n}\n" +
		"\nNode.js v22.1.0\n", Explains, "missing-permission"},
	{"Python's group of two", "  + Exception Group Traceback (most recent call last):\n  |   File \"/src/up.py\", line 10, in <module>\n" +
		"  | ExceptionGroup: not all is there (2 sub-exceptions)\n  +-+---------------- 1 ----------------\n" +
		"    | Traceback (most recent call last):\n    |   File \"/src/up.py\", line 6, in <module>\n    | ValueError: version is old\n" +
		"    +---------------- 2 ----------------\n    | Traceback (most recent call last):\n" +
		"    |   File \"/src/up.py\", line 6, in <module>\n    | botocore.exceptions.ClientError: OWN\n" +
		"    +------------------------------------\n", Contested, ""},
	{"Python's group of refusals", "  + Exception Group Traceback (most recent call last):\n  |   File " +
		"\"/src/up.py\", line 10, in <module>\n" +
		"  | ExceptionGroup: not all is there (2 sub-exceptions)\n  +-+---------------- 1 ----------------\n" +
		"    | Traceback (most recent call last):\n    |   File \"/src/up.py\", line 6, in <module>\n" +
		"    | botocore.exceptions.ClientError: OWN\n    +---------------- 2 ----------------\n    | Traceback (most recent call last):\n" +
		"    |   File \"/src/up.py\", line 6, in <module>\n    | botocore.exceptions.ClientError: OWN\n" +
		"    +------------------------------------\n", Explains, "missing-permission"},
	{".NET's sum of one", "Unhandled exception. System.AggregateException: One or more errors occurred. (OWN)\n", Explains,
		"missing-permission"},
	{"pnpm's words behind it", "packages/infra deploy$ node deploy.mjs\npackages/infra deploy: AccessDenied: OWN\n" +
		"packages/infra deploy:     at a (/src/node_modules/x.js:388:20)\npackages/infra deploy: Failed\npackages/infra:\n" +
		" ERR_PNPM_RECURSIVE_RUN_FIRST_FAIL  infra@1.0.0 deploy: `node deploy.mjs`\nExit status 1\n", Explains, "missing-permission"},
	{"another error, a line above the CLI's message", "Échec : 4 articles sans prix\nEnvoi du rapport\nupload " +
		"failed: ./x to s3://media/x " +
		"BARE\n", Contested, "command-failed"},
	{"a look that found nothing, a line above the CLI's message", "cache: fatal error: An error occurred (404) " +
		"when calling the HeadObject " +
		"operation: Key \"c.tgz\" does not exist\ncache: cold start\nupload failed: ./x to s3://media/x BARE\n", Explains,
		"missing-permission"},
	{"a step that failed, a line above the CLI's message", "Error: deploy failed\nEnvoi du rapport\nupload failed: ./x to s3://media/x " +
		"BARE\n", Explains, "missing-permission"},
	{"an error in another language before it", "エラー: 価格のない商品が3件あります\nuploading prices\nBARE\n",
		Contested, "command-failed"},
	{"another language before it", "価格を確認しました\nuploading prices\nBARE\n", Explains, "missing-permission"},
	{"another denial behind it is tolerated",
		"BARE\nmetrics: An error occurred (AccessDeniedException) when calling the PutMetricData operation: " +
			"Access Denied\nmetrics are off, going on\n", Explains, "missing-permission"},

	// Text that is shown.
	{"a help page under a usage error", "usage: deploy [-h]\ndeploy: error: unrecognized arguments: --fast\n\nexit status:\n" +
		"  1  BARE: the role lacks s3:PutObject\n", Shown, "invalid-cli-arguments"},
	{"a compiler quotes the line", "src/errors.ts:4:7 - error TS2322: Type 'string' is not assignable to type 'number'.\n\n" +
		"4 const hint: number = 'BARE';\n        ~~~~\n", Shown, "compile-error"},
	{"a shell trace", "+ grep -q 'is not authorized to perform: s3:PutObject' log.txt\n", Shown, ""},
	{"a formatter's difference", "--- help.py\n+++ help.py\n@@ -1 +1 @@\n-HELP = 'BARE'\n+HELP = \"BARE\"\nwould reformat help.py\n" +
		"1 file would be reformatted.\n", Shown, "lint-failed"},
	{"a documentation warning", "docs/errors.md:12: WARNING: undefined label: BARE\nbuild finished with problems, 1 warning.\n", Shown, ""},
	{"release notes",
		"# Release notes 2.3\n\n- BARE is now told with its bucket\n- faster start\n\nversion 2.3 is already tagged\n",
		Shown, ""},
	{"a policy's description",
		"{\n  \"Description\": \"cures BARE\",\n  \"Statement\": []\n}\nerror: policy has no statement\n", Shown, ""},
	{"a linter's finding", "src/a.py:3:9: E501 line too long: 'BARE'\n", Shown, ""},
	{"a comment", "# BARE is what we expect here\nnot the right branch\n", Shown, ""},

	// A test's captured log.
	{"pytest's captured log", "________ test_up ________\n    assert up() == 3\nE   assert 2 == 3\n---- Captured stderr call ----\n" +
		"BARE\n====== short test summary info ======\nFAILED t.py::test_up - assert 2 == 3\n", Shown, "test-failure"},
	{"go test's log beside an assertion",
		"=== RUN   TestUp\n    up_test.go:9: BARE\n    up_test.go:12: got 2, want 3\n--- FAIL: TestUp\nFAIL\n",
		Shown, "test-failure"},
	{"jest's console beside an expectation",
		"  ● Console\n\n    console.error\n      BARE\n\n      at log (a.js:1:2)\n\n  ● cart › total\n\n" +
			"    expect(received).toBe(expected)\n\n    Expected: 3\n    Received: 2\n\n" +
			"Tests:       1 failed, 1 total\n",
		Shown, "test-failure"},

	// Survived.
	{"the script says that it goes on", "metrics: BARE\nmetrics are off, going on\nsrc/a.ts(1,1): error TS2322: no\n",
		Tolerated, "compile-error"},
	{"own, and the script says that it goes on", "metrics: OWN\nmetrics are off, going on\nsrc/a.ts(1,1): error TS2322: no\n", Tolerated,
		"compile-error"},
	{"a warning", "WARN could not tag the image: OWN\nteam: owner is missing in service.yaml\n", Tolerated, ""},
	{"make ignores it", "upload failed: ./r to s3://media/r BARE\nmake: [Makefile:3: report] Error 1 (ignored)\nsh: vite: not found\n",
		Tolerated, ""},
	{"Ansible ignores it",
		"fatal: [localhost]: FAILED! => {\"msg\": \"BARE\"}\n...ignoring\nfatal: [localhost]: FAILED! " +
			"=> {\"msg\": \"no host\"}\n" +
			"PLAY RECAP ****\nlocalhost : ok=1 changed=0 unreachable=0 failed=1 skipped=0 rescued=0 ignored=1\n", Tolerated, ""},
	{"Ansible rescues it", "fatal: [localhost]: FAILED! => {\"msg\": \"BARE\"}\nTASK [tell] ***\nok: [localhost]\nPLAY RECAP ****\n" +
		"localhost : ok=1 changed=0 unreachable=0 failed=0 skipped=0 rescued=1 ignored=0\nsmoke: the page is empty\n", Tolerated, ""},
	{"a check of Terraform",
		"╷\n│ Warning: Check block assertion failed\n│ \n│   on main.tf line 3, in check \"x\":\n" +
			"│ BARE\n╵\n" +
			"╷\n│ Error: Unsupported argument\n╵\n", Tolerated, "terraform-config-invalid"},
	{"true behind it in a trace", "+ aws s3 cp x s3://media/x\nupload failed: ./x to s3://media/x BARE\n+ true\n+ ./check.sh\nno owner\n",
		Tolerated, ""},
	{"a second try succeeds", "upload failed: ./m to s3://media/x BARE\nagain in 15 s\nupload: ./m to s3://media/x\n" +
		"Error: Cannot find module './cart'\n", Tolerated, "node-module-missing"},

	{"an error above the line that a traceback belongs to", "ERROR: cart.py has no owner\ncleaning up\nERROR: no upload\n" +
		"Traceback (most recent call last):\n" + strings.Repeat("  File \"/app/a.py\", line 3, in run\n    put()\n", 8) +
		"botocore.exceptions.ClientError: BARE\n", Contested, ""},
	{"Java's logging told of another exception as an error", "SEVERE: the bundle is not made\n" +
		"java.lang.IllegalStateException: no owner\n" + strings.Repeat("\tat com.example.A.a(A.java:1)\n", 14) +
		"Exception in thread \"main\" com.example.E: BARE\n", Contested, ""},
	{"a success that is no asset's", "shop: fail: OWN\nshop: success: Checked b\nshop: owner is not a member\n", Overtaken, ""},
	{"another error behind Changesets' butterfly", "🦋  error tags: OWN\n🦋  error the branch is behind main\n", Overtaken, ""},
	{"a place in a list that is no frame", "tags: OWN\n\n- a.js:3 unused\n- b.js:4 unused\n", Overtaken, ""},
	{"an aside in brackets",
		"tagging: OWN\n  (the tags of before are good enough)\n#8 [4/6] COPY dist/ /srv/\n" +
			"#8 ERROR: \"/dist\": not found\n",
		Tolerated, ""},
	{"a default is taken", "flags: OWN\nflags: using the defaults of ci/flags.json\nnpm error code E404\n", Tolerated, ""},
	{"the next push goes up",
		"denied: OWN\nretrying push (1/3)\n5f70bf18a086: Pushed\n1: digest: sha256:61b2 size: 3\nno owner\n",
		Tolerated, ""},
	{"calm lines around it", "info: no new token: OWN\ninfo: the old one will do\nowner is missing\n", Tolerated, ""},
	{"every try is refused", "OWN\nretrying (1/2)\nOWN\nretrying (2/2)\nOWN\n", Explains, "missing-permission"},
	{"every try is refused, between them others go up", "denied: OWN\nretrying (1/2)\n5f70: Pushed\ndenied: OWN\n", Explains,
		"missing-permission"},
	{"a recap counts what was skipped", "fatal: [localhost]: FAILED! => {\"msg\": \"OWN\"}\n\nPLAY RECAP ****\n" +
		"localhost : ok=1 changed=0 unreachable=0 failed=1 skipped=0 rescued=0 ignored=0\n", Explains, "missing-permission"},

	// Somebody else's.
	{"another role was taken before", "assumed arn:aws:iam::444455556666:role/publisher as live\nupload failed: ./x to s3://media/x BARE\n",
		Foreign, ""},
	{"another caller's identity was printed before", "{\n    \"UserId\": \"AROAEXAMPLE:ci\",\n    \"Account\": \"444455556666\",\n" +
		"    \"Arn\": \"arn:aws:sts::444455556666:assumed-role/publisher/ci\"\n}\nupload failed: ./x to s3://media/x BARE\n", Foreign, ""},
	{"the own identity was printed before", "{\n    \"UserId\": \"AROAEXAMPLE:AWSCodeBuild-8745a7a9-c340-456a-9166-edf953571be0\",\n" +
		"    \"Arn\": \"arn:aws:sts::111122223333:assumed-role/codebuild-shop/AWSCodeBuild-8745a7a9-c340-456a-9166-edf953571be0\"\n}\n" +
		"BARE\n", Explains, "missing-permission"},
	{"the own role was named before", "assumed arn:aws:iam::111122223333:role/codebuild-shop\nBARE\n", Explains, "missing-permission"},
	{"a role could not be taken", "current credentials could not be used to assume 'arn:aws:iam::111122223333:role/cdk-deploy', " +
		"but are for the right account.\nBARE\n", Explains, "missing-permission"},

	{"the first is a warning, and the last ends it", "WARNING attempt 1 of 2 failed: BARE\nTraceback (most recent call last):\n" +
		"botocore.exceptions.ClientError: BARE\n", Explains, "missing-permission"},
	{"it says that it skips the rest, and ends", "BARE\nSkipping the remaining steps.\n", Explains, "missing-permission"},
	{"an advice behind it", "BARE\nhint: verbose output is disabled, use -v\n", Explains, "missing-permission"},
	{"make says the CLI's exit status", "214 rows in 3 files\nBARE\nmake: *** [Makefile:9: env] Error 254\n", Explains,
		"missing-permission"},
	{"make says that of a script, whose trap was refused", "src/a.ts(1,1): error TS2322: no\nBARE\nmake: *** [Makefile:9: env] Error 254\n",
		Contested, "compile-error"},
	{"the process that failed is its own",
		"[web] upload failed: dist/r to s3://media/r BARE\n[api] ready\n[web] npm run web exited with code 1\n",
		Explains, "missing-permission"},

	// Another failure is sure.
	{"a report's upload before a compiler's error", "upload failed: ./report.xml to s3://media/r OWN\na.c:3:1: error: expected ';'\n" +
		"make: *** [Makefile:2: a.o] Error 1\n", Contested, "compile-error"},
	{"a trap's upload after a compiler's error", "a.c:3:1: error: expected ';' before '}' token\nmake: *** [Makefile:2: a.o] Error 1\n" +
		"cleanup: upload failed: ./r to s3://media/x BARE\n", Contested, "compile-error"},
	{"a failed assertion beside the build's own denial", "E       assert 2 == 3\nOWN\nFAILED t.py::test_up - assert 2 == 3\n", Contested,
		"test-failure"},

	{"the report of failed checks does not hold it", "uploads: OWN\nran 14 scenarios\n2 of 14 scenarios failed\n", Contested, ""},

	// Another error ends the command.
	{"an own denial, then other work without an error's word", "fatal error: OWN\ninstalling from scratch\nadded 812 packages\n" +
		"checking bundle size\ndist/main.js is 312 kB, budget is 300 kB\n", Overtaken, ""},
	{"a metric, then a word of the script's own", "\nAn error occurred (AccessDenied) when calling the PutMetricData operation: User: " +
		"arn:aws:sts::111122223333:assumed-role/codebuild-shop/AWSCodeBuild-8745a7a9-c340-456a-9166-edf953571be0 is not authorized to " +
		"perform: cloudwatch:PutMetricData because no identity-based policy allows the cloudwatch:PutMetricData action\n" +
		"sku A12 has two prices\n", Overtaken, ""},
	{"another of several processes failed", "[report] upload failed: dist/r to s3://media/r OWN\n[sizes] main.js 312 kB of 300 kB\n" +
		"[sizes] npm run sizes exited with code 1\n", Overtaken, ""},
	{"a reason behind a summary's colon", "OWN\nchecking\nBuild failed: 3 keys are twice in de.json\n", Overtaken, ""},
	{"a home-made error after more work",
		"upload failed: ./r to s3://media/x OWN\n==> check owners\n❌ owner web is not a member of the team\n",
		Overtaken, ""},
	// What stands behind it is classified; what cannot be told is other work.
	{"a line that cannot be told", "upload failed: ./x to s3://media/x OWN\nsku A12 has two prices\n", Overtaken, ""},
	{"numbers alone", "upload failed: ./x to s3://media/x OWN\n2f1c0de2 != 9a7b\n", Overtaken, ""},
	{"a list of files", "upload failed: ./x to s3://media/x OWN\nweb/fmt.js\nweb/a.js\n", Overtaken, ""},
	{"a process that goes on after an exception", "AccessDenied: OWN\n    at a (/app/a.js:1:2) {\n  Code: 'AccessDenied'\n}\n" +
		"two carts\n", Overtaken, ""},
	{"only words with which scripts close", "upload failed: ./x to s3://media/x OWN\n❌ Publish failed!\nRemoving temporary files\n" +
		"Finished in 3.2s\n", Explains, "missing-permission"},
	{"the runner names another job", "lerna info run Ran npm script 'ci' in '@shop/web' in 0.9s:\n" +
		"upload failed: ./x to s3://media/x OWN\nlerna ERR! npm run ci exited 1 in '@shop/api'\n", Overtaken, ""},
	{"the runner names the job", "lerna info run Ran npm script 'ci' in '@shop/web' in 0.9s:\nupload failed: ./x to s3://media/x OWN\n" +
		"lerna ERR! npm run ci exited 1 in '@shop/web'\n", Explains, "missing-permission"},
	{"an error before a report that is kept",
		"sku A12 has two prices\narchiving the report\nupload failed: ./x to s3://media/x OWN\n",
		Contested, ""},
	{"a clean-up after a home-made error", "ERROR: the contract of the cart does not match\ncleanup: logs: BARE\n", Contested, ""},

	// Words with which other tools close are also the beginning of what a check found.
	{"a runner's own error line", "##[group]Run ci/put.sh\nrow: OWN\n##[endgroup]\n##[group]Run ci/size.sh\n##[endgroup]\n" +
		"##[error]dist/app.js is 12 MB, and 10 MB are allowed\n##[error]Process completed with exit code 1.\n", Overtaken, ""},
	{"a runner's last line", "##[group]Run ci/put.sh\nrow: OWN\n##[endgroup]\n##[error]Process completed with exit code 1.\n", Explains,
		"missing-permission"},
	{"Lerna found changes", "row: OWN\nlerna ERR! EUNCOMMIT Working tree has uncommitted changes\n", Overtaken, ""},
	{"Lerna streams what npm says", "@shop/web: release failed: OWN\n@shop/web: npm error Lifecycle script `release` failed with error:\n" +
		"@shop/web: npm error code 1\n@shop/web: npm error command failed\n@shop/web: npm error command sh -c node release.mjs\n" +
		"lerna ERR! npm run release exited 1 in '@shop/web'\n", Explains, "missing-permission"},
	{"a script's own Failed:", "row: OWN\nFailed: checksum of dist/app.js differs\n", Overtaken, ""},
	{"Turborepo's Failed:", "web#put: row: OWN\n Tasks:    0 successful, 1 total\nFailed:    web#put\n", Explains, "missing-permission"},
	{"where more is said of a finding", "row: OWN\n2 vulnerable packages, see https://scan.example.com/4711 for more details\n", Overtaken,
		""},
	{"where more is said", "row: OWN\nSee https://wiki.example.com/deploys for more details\n", Explains, "missing-permission"},
	{"whom to ask for an approval", "row: OWN\nAsk an owner of payments to approve migration 0014.\n", Overtaken, ""},
	{"whom to ask for the permission", "row: OWN\nAsk the platform team for the permission.\n", Explains, "missing-permission"},
	{"Nx cannot find a project", "row: OWN\n\n NX   Cannot find project 'web'\n", Overtaken, ""},
	{"pnpm names the folder", "packages/web put: row: OWN\npackages/web put: Failed\n/src/packages/web:\n" +
		" ERR_PNPM_RECURSIVE_RUN_FIRST_FAIL  web@1.0.0 put: `node put.mjs`\nExit status 1\n", Explains, "missing-permission"},
	{"a container of Compose ended", "row: OWN\nmigrate-1 exited with code 1\n", Overtaken, ""},
	{"the claim's container ended", "migrate-1  | row: OWN\nmigrate-1 exited with code 1\n", Explains, "missing-permission"},
	{"the script ended", "row: OWN\nci.sh exited with code 1\n", Explains, "missing-permission"},
	{"it was not approved", "upload failed: ./x to s3://media/x OWN\nThe upload was not approved\n", Overtaken, ""},
	{"it did not get steady", "upload failed: ./x to s3://media/x OWN\nThe upload did not stabilize\n", Overtaken, ""},
	{"it was not uploaded", "upload failed: ./x to s3://media/x OWN\nThe upload of the site was not completed\n", Explains,
		"missing-permission"},
	{"it is not allowed now", "row: OWN\nDeployments are not allowed at this time.\n", Overtaken, ""},
	{"a table that is no stack's", "web UPDATE_IN_PROGRESS AWS::SQS::Queue Jobs\nweb UPDATE_COMPLETE AWS::SQS::Queue Jobs\nrow: OWN\n" +
		"GET /         200\nGET /orders   500\n", Overtaken, ""},
	// Another service than AWS answers with 403.
	{"curl met 403 later", "row: OWN\ncurl: (22) The requested URL returned error: 403\n", Overtaken, ""},
	{"the SDK's own 403", "row: OWN\nstatus code: 403, request id: 0A1B\n", Explains, "missing-permission"},
	{"a package that may not be published", "npm error code E403\nnpm error 403 403 Forbidden - PUT https://npm.example.com/@shop%2fweb " +
		"- You may not publish it\nnpm error A complete log of this run can be found in: /root/.npm/a.log\nrow: OWN\n", Contested, ""},
	// A logger writes one message a line.
	{"JSON, an error before", `{"level":"error","msg":"manifest.json lists app.js, which was not built"}` + "\n" +
		`{"level":"error","msg":"release row: OWN"}` + "\n", Contested, ""},
	{"JSON, a warning before", `{"level":"warn","msg":"no manifest of the last release"}` + "\n" +
		`{"level":"error","msg":"deploy failed: OWN"}` + "\n", Explains, "missing-permission"},
	{"key=value, an error before", "time=2026-11-20T10:00:12Z level=ERROR msg=\"migration 0014 has no down step\"\n" +
		"time=2026-11-20T10:00:13Z level=ERROR msg=\"release row\" err=\"OWN\"\n", Contested, ""},
	{"key=value, it says that it failed", "time=2026-11-20T10:00:12Z level=ERROR msg=\"the deployment failed\"\n" +
		"time=2026-11-20T10:00:13Z level=ERROR msg=\"release row\" err=\"OWN\"\n", Explains, "missing-permission"},
	{"klog", "E1120 10:00:11.523456      12 cluster.go:88] node group web wants 3 nodes, quota is 2\n" +
		"E1120 10:00:11.723456      12 status.go:31] OWN\n", Contested, ""},
	{"logrus", "INFO[0000] pushing web\nFATA[0002] layer 9f2c does not match its digest\nERRO[0002] release row: OWN\n", Contested, ""},
	{"logrus, informed before", "INFO[0000] pushing web\nINFO[0001] 14 layers\nFATA[0002] push: OWN\n", Explains, "missing-permission"},
	// Python handles an exception, and meets another.
	{"a handler tells of it", "packing\nTraceback (most recent call last):\n  File \"/src/a.py\", line 4, in main\n    check()\n" +
		"ValueError: app.js is listed twice\n\nDuring handling of the above exception, another exception occurred:\n\n" +
		"Traceback (most recent call last):\n  File \"/src/a.py\", line 9, in <module>\n    mark()\n" +
		"botocore.exceptions.ClientError: BARE OWN\n", Contested, ""},
	{"a handler looks elsewhere", "Traceback (most recent call last):\n  File \"/src/a.py\", line 4, in main\n    return cache[name]\n" +
		"KeyError: 'web'\n\nDuring handling of the above exception, another exception occurred:\n\n" +
		"Traceback (most recent call last):\n  File \"/src/a.py\", line 9, in <module>\n    fetch()\n" +
		"botocore.exceptions.ClientError: BARE OWN\n", Explains, "missing-permission"},
	{"Python forgets what its end throws", "p99 is 412 ms, and 300 are allowed\nException ignored in atexit callback: <function keep at " +
		"0x7f3a>\nTraceback (most recent call last):\n  File \"/src/a.py\", line 61, in keep\n    put()\n" +
		"ClientError: BARE OWN\n", Tolerated, ""},
	{"nobody waited for the task", "Task exception was never retrieved\nfuture: <Task finished name='Task-2' coro=<t() done>>\n" +
		"Traceback (most recent call last):\n  File \"/src/a.py\", line 61, in keep\n    put()\nClientError: BARE OWN\n", Tolerated, ""},
	{"Python's end is disturbed by something else", "Traceback (most recent call last):\n  File \"/src/a.py\", line 6, in <module>\n" +
		"    put()\nClientError: BARE OWN\nException ignored in atexit callback: <function keep at 0x7f3a>\n" +
		"Traceback (most recent call last):\n  File \"/src/a.py\", line 61, in keep\n    os.remove(p)\nFileNotFoundError: a.lock\n",
		Explains, "missing-permission"},
	// What led to the exception is something else, and happened first.
	{"Java, with a cause of its own", "Exception in thread \"main\" com.example.ReleaseException: OWN\n" +
		"\tat com.example.R.keep(R.java:61)\n" +
		"Caused by: java.lang.IllegalArgumentException: 2.3.0 has no changelog entry\n" +
		"\tat com.example.R.check(R.java:18)\n", Overtaken, ""},
	{"Java, with an answer as the cause", "Exception in thread \"main\" com.example.ReleaseException: OWN\n" +
		"\tat com.example.R.keep(R.java:61)\n" +
		"Caused by: com.example.http.HttpException: status code 403\n\tat com.example.http.H.put(H.java:18)\n", Explains,
		"missing-permission"},
	{"Node.js, with a cause of its own", "Error: not kept: OWN\n    at release (/src/a.mjs:31:9) {\n" +
		"  [cause]: Error: stock.json has 2 rows for " +
		"sku 14\n      at check (/src/a.mjs:18:9)\n}\n", Overtaken, ""},
	{"Node.js, with the refusal as the cause", "Error: release failed\n    at release (/src/a.mjs:31:9) {\n  [cause]: AccessDenied: OWN\n" +
		"      at put (/src/a.mjs:18:9)\n}\n", Explains, "missing-permission"},
	{"Ruby's ensure", "a.rb:31:in `ensure in release': OWN (Aws::S3::Errors::AccessDenied)\n\tfrom a.rb:40:in `<main>'\n" +
		"a.rb:18:in `check': 2.3.0 has no changelog entry (RuntimeError)\n\tfrom a.rb:29:in `release'\n", Overtaken, ""},
	{"Ruby looked in a table", "a.rb:31:in `rescue in release': OWN (Aws::S3::Errors::AccessDenied)\n\tfrom a.rb:40:in `<main>'\n" +
		"a.rb:18:in `fetch': key not found (KeyError)\n\tfrom a.rb:29:in `release'\n", Explains, "missing-permission"},
	{"Rust's causes", "Error: row not kept: OWN\n\nCaused by:\n    0: release is not complete\n    1: stock.json lists sku 14 twice\n",
		Overtaken, ""},
	{"Rust's causes of the refusal", "Error: cannot publish\n\nCaused by:\n    0: service error\n    1: OWN\n", Explains,
		"missing-permission"},
	{"PHP's exception before", "PHP Fatal error:  Uncaught RuntimeException: stock.json lists sku 14 twice in /src/a.php:18\n" +
		"Stack trace:\n" +
		"#0 {main}\n\nNext Aws\\S3\\Exception\\S3Exception: OWN in /src/a.php:31\nStack trace:\n#0 {main}\n" +
		"  thrown in /src/a.php on line 31\n",
		Contested, ""},
	{"PHP's client before", "PHP Fatal error:  Uncaught GuzzleHttp\\Exception\\ClientException: Client error: `PUT https://media.s3." +
		"eu-west-1.amazonaws.com/x` resulted in a `403 Forbidden` response in /src/a.php:18\nStack trace:\n#0 {main}\n\n" +
		"Next Aws\\S3\\Exception\\S3Exception: OWN in /src/a.php:31\nStack trace:\n#0 {main}\n" +
		"  thrown in /src/a.php on line 31\n", Explains,
		"missing-permission"},
	// The same thing, and something else is wrong with it.
	{"its content differs", "head: " + ownOfArchive + "\napp-2.3.tgz: sha256 differs from the lock file\n", Overtaken, ""},
	{"it was not kept", "keep: " + ownOfArchive + "\napp-2.3.tgz: nothing was kept there\n", Explains, "missing-permission"},
	{"how many there are", "upload failed: ./x to s3://media/x OWN\nthe upload has 0 of 3 files after 300 s\n", Overtaken, ""},
	{"another try, done", "attempt 1: OWN\nwaiting 5s\nattempt 2: object updated\n0 objects\n", Tolerated, ""},
	{"another try, refused", "attempt 1: OWN\nwaiting 5s\nattempt 2: OWN\ngiving up after 2 attempts\n", Explains, "missing-permission"},
	// A list of steps.
	{"another row of the steps", "checks\n  sizes     ok\n  keep      OWN\n  licences  gpl-3.0 in left-pad\n", Overtaken, ""},
	{"the last row of the steps", "checks\n  sizes     ok\n  keep      OWN\n", Explains, "missing-permission"},
	{"another item of the steps", "results:\n  - step: keep\n    message: \"OWN\"\n  - step: sizes\n    message: \"app.js is 812 kB\"\n",
		Overtaken, ""},
	{"the only item of the steps", "results:\n  - step: keep\n    message: \"OWN\"\n    took: 3\n", Explains, "missing-permission"},
	{"it is indented less", "      Keep Plugin: OWN\n  Liquid Exception: unknown tag 'cart' in index.md\n", Overtaken, ""},
	{"it is indented more", "  Keep Plugin: OWN\n      in index.md, which is kept there\n", Explains, "missing-permission"},
	{"Elixir's frames", "** (ExAws.Error) request failed: OWN\n\n    (ex_aws 2.5.6) lib/ex_aws.ex:87: ExAws.request!/2\n" +
		"    lib/mix/tasks/put.ex:14: Mix.Tasks.Put.run/1\n    (mix 1.17.3) lib/mix/task.ex:495: anonymous fn/3 in Mix.Task.run_task/5\n",
		Explains, "missing-permission"},
	// What runs behind a failure, whatever happens.
	{"a task of Ansible failed before", "TASK [render] ****\nfatal: [localhost]: FAILED! => {\"msg\": \"'tag' is undefined\"}\n" +
		"TASK [tell] ****\n" +
		"fatal: [localhost]: FAILED! => {\"msg\": \"report: OWN\"}\nPLAY RECAP ****\n" +
		"localhost : ok=0 changed=0 unreachable=0 failed=2 skipped=0 rescued=0 ignored=0\n", Contested, ""},
	{"a task of Ansible failed before, and was ignored", "PLAY [localhost] ****\nTASK [facts] ****\nok: [localhost]\n" +
		"TASK [look] ****\n" +
		"fatal: [localhost]: FAILED! => {\"msg\": \"'tag' is undefined\"}\n" +
		"...ignoring\nTASK [tell] ****\nfatal: [localhost]: FAILED! => {\"msg\": \"OWN\"}\nPLAY RECAP ****\n" +
		"localhost : ok=1 changed=0 unreachable=0 failed=1 skipped=0 rescued=0 ignored=1\n", Explains, "missing-permission"},
	{"a stack failed of a hook", "row: OWN\n" +
		"CREATE_FAILED  AWS::CloudFormation::Stack  web  These hooks failed: [Shop::Owner::Tag]\n", Overtaken, ""},
	{"cmd.exe shows the commands", "C:\\src>node keep.mjs\nrow: OWN\n\n" +
		"C:\\src>if errorlevel 1 exit /b 1\n", Explains, "missing-permission"},
	{"cmd.exe shows another command", "C:\\src>node keep.mjs\nrow: OWN\n\nC:\\src>node size.mjs\n\nC:\\src>exit /b 1\n", Overtaken, ""},
	{"MSBuild ran the command", "  keep: OWN\n" +
		"/src/a.csproj(31,5): error MSB3073: The command \"node keep.mjs\" exited with code 1.\n", Explains,
		"missing-permission"},
	{"MSBuild ran another command", "  keep: OWN\n/src/a.csproj(31,5): error MSB3073: The command \"node size.mjs\" exited with code 1.\n",
		Overtaken, ""},
	// A container of Compose goes on.
	{"the same container goes on", "e2e-1  | keep: OWN\ne2e-1  | 14 flows, 1 wrong\ne2e-1 exited with code 3\n", Overtaken, ""},
	{"another container goes on", "seed-1  | keep: OWN\ndb-1  | checkpoint starting: time\nseed-1 exited with code 1\n", Explains,
		"missing-permission"},
	{"Composer names the script", "> php bin/keep.php\nOWN\nScript php bin/keep.php handling the release event returned with error code " +
		"255\n", Explains, "missing-permission"},
	// A program that closes something after a failure of its own.
	{"a sentence in two parts", "[\"spec/note_spec.rb\"] are not files; keep said: OWN\n", Contested, ""},
	{"a sentence in two parts about the same", "could not keep the note; OWN\n", Explains, "missing-permission"},
	{"a difference between two logs", "3c3\n< put dist/app.js\n---\n> OWN\n9d8\n< done\n", Contested, ""},
	{"a difference with its surroundings", "--- expected.log\n+++ actual.log\n@@ -1,3 +1,3 @@\n uploading\n-put dist/app.js\n+OWN\n done\n",
		Contested, ""},
	{"a line that begins like one of a difference", "uploading\n> OWN\n", Explains, "missing-permission"},
	// Whose credentials these are.
	{"the caller's identity as text", "444455556666\tAROAEXAMPLE:ci\tarn:aws:sts::444455556666:assumed-role/publisher/ci\n" +
		"upload failed: ./x to s3://media/x BARE\n", Foreign, ""},
	{"this build's identity as text", "111122223333\tAROAEXAMPLE:AWSCodeBuild-1\tarn:aws:sts::111122223333:assumed-role/codebuild-shop/" +
		"AWSCodeBuild-1\nupload failed: ./x to s3://media/x BARE\n", Explains, "missing-permission"},
	{"an action's credentials", "Assuming role with OIDC\nAuthenticated as assumedRoleId AROAEXAMPLE:GitHubActions\n" +
		"upload failed: ./x to s3://media/x BARE\n", Foreign, ""},
	// What tools that were run for the first time print around their errors.
	{"Snakemake's own last words", snakemake + "Error in rule a:\n    message: None\n    jobid: 1\n    shell:\n        echo 1 > x\n" +
		"        (command exited with non-zero exit code)\n" + snakemakeEnds, Explains, "missing-permission"},
	{"another rule of Snakemake fails by itself", snakemake + "Error in rule b:\n    message: None\n    jobid: 2\n    shell:\n" +
		"        ./check.sh prices.csv\nError in rule a:\n    message: None\n    jobid: 1\n" + snakemakeEnds, Overtaken, ""},
	{"DuckDB's advice", duckDB + "Authentication Failure - this is usually caused by invalid or missing credentials.\n" +
		"* Credentials are provided, but they did not work.\n* See https://duckdb.org/docs/stable/extensions/httpfs/s3api.html\n",
		Explains, "missing-permission"},
	{"a list of what else is wrong", duckDB + "Checks:\n* prices.csv has 3 columns, and needs 4\n", Overtaken, ""},
	{"OpenDAL's context", openDAL + "\nContext:\n   service_operation: PutObject\n   uri: https://s3.eu-west-1.amazonaws.com/media/x\n" +
		"   response: Parts { status: 403, version: HTTP/1.1 }\n   service: s3\n   path: x\n   written: 5\n", Explains,
		"missing-permission"},
	{"a script's own context", openDAL + "\nContext:\n   step: verify\n   found: 3 prices, and 4 are needed\n", Overtaken, ""},
	{"a tree of causes", rustTree + "  |-> service error\n  |-> unhandled error (AccessDenied)\n" +
		"  `-> Error { code: \"AccessDenied\", message: \"OWN\" }\n", Explains, "missing-permission"},
	{"a tree of causes, drawn with lines", "Traceback (most recent call last):\n  File \"/src/a.py\", line 3, in <module>\n    main()\n" +
		"store.StoreError:   × error writing object\n  ├─▶ service error\n" +
		"  ╰─▶ Error { code: \"AccessDenied\", message: \"OWN\" }\n", Explains, "missing-permission"},
	{"a list of what is wrong below an exception", rustTree + "  | the schema is older than the code\n  | OWN\n", Contested, ""},
	{"the fields of an answer, a line each", "Uncaught AsyncAws\\Core\\Exception\\Http\\ClientException: HTTP 403 returned for " +
		"\"https://media.s3.eu-west-1.amazonaws.com/x\".\n\nCode:    AccessDenied\nMessage: OWN\nType:    Sender\nDetail:  \n\n",
		Explains, "missing-permission"},
	{"an error before a notice, whose fields have a line each", "prices.csv has 3 columns, and needs 4\n" +
		"Code:    AuthorizationError\nMessage: " + ownNotice + "\nType:    Sender\nDetail:  \n", Contested, ""},
	{"a field of another's behind an answer", "Code:    AccessDenied\nMessage: OWN\nType:    text/html, where JSON is needed\n",
		Overtaken, ""},
	{"how long an object is cached", "Uploaded s3://media/index.html | cache-control=public,max-age=60\nAccessDenied: OWN\n" +
		"    at S3RestXmlProtocol.handleError (/src/a.js:1398:27)\n", Explains, "missing-permission"},
	{"the cache is saved behind what is wrong", "prices.csv has 3 columns, and needs 4\nUploading the cache-files\nOWN\n", Contested, ""},
	{"tried again, with its quotes escaped", gitAnnex + "100%  6 B               5 KiB/s 0s\n" + gitAnnex + "failed\ncopy: 1 failed\n",
		Explains, "missing-permission"},
	{"not tried again", gitAnnex + "100%  6 B               5 KiB/s 0s\ncopy f.txt (checksum differs) failed\n", Overtaken, ""},
}

// The beginnings of such errors.
const (
	snakemake = "WorkflowError:\nFailed to store output in storage s3://media/x\nS3UploadFailedError: Failed to upload x to " +
		"media/x: OWN\nRemoving output files of failed job a since they might be corrupted:\ns3://media/x (in storage)\n" +
		"Shutting down, this might take some time.\nExiting because a job execution failed. Look below for error messages\n" +
		"[Fri Nov 20 10:00:12 2026]\n"
	snakemakeEnds = "Complete log(s): /src/.snakemake/log/1.log\nWorkflowError:\nAt least one job did not complete successfully.\n"
	duckDB        = "_duckdb.HTTPException: HTTP Error: HTTP GET error reading 's3://media/x' in region 'eu-west-1' " +
		"(HTTP 403 Forbidden)\n\nAccessDenied: OWN\n\n"
	openDAL = "opendal.exceptions.PermissionDenied: PermissionDenied (permanent) at write => S3Error { code: \"AccessDenied\", " +
		"message: \"OWN\", resource: \"\", request_id: \"R\" }\n"
	rustTree = "Traceback (most recent call last):\n  File \"/src/a.py\", line 3, in <module>\n    main()\n" +
		"store.StoreError:   x error writing object to object store service error\n  | \n"
	gitAnnex = `S3Error {s3ErrorCode = "AccessDenied", s3ErrorMessage = "User: arn:aws:sts::111122223333:assumed-role/codebuild-shop/` +
		`AWSCodeBuild-8745a7a9-c340-456a-9166-edf953571be0 is not authorized to perform: s3:PutObject on resource: ` +
		`\"arn:aws:s3:::media/x\" ` +
		`because no identity-based policy allows the s3:PutObject action", s3ErrorResource = Nothing}` + "\n"
	ownNotice = "User: arn:aws:sts::111122223333:assumed-role/codebuild-shop/AWSCodeBuild-8745a7a9-c340-456a-9166-edf953571be0 is not " +
		"authorized to perform: sns:Publish on resource: arn:aws:sns:eu-west-1:111122223333:deploys because no identity-based policy " +
		"allows the sns:Publish action"
)

// TestEvidence shows, for each kind of text around a denial, whether the denial explains why the
// command ended.
func TestEvidence(t *testing.T) {
	for _, tt := range evidenceRows {
		t.Run(tt.what, func(t *testing.T) {
			log := withDenials(tt.log)
			d := Diagnose(buildlog.ReadText(evidenceBuild, evidenceLog(log)))
			if len(d.Denials) == 0 {
				t.Fatalf("no denial was read of\n%s", log)
			}
			v := d.Denials[0]
			if v.Verdict.Finding != tt.finding || v.Causal != (tt.finding == Explains) || tt.cause != "" && d.Cause != tt.cause {
				t.Errorf("finding %+v, causal %v, cause %s by %q; want %s, %s\n%s", v.Verdict, v.Causal, d.Cause,
					d.Evidence.Text, tt.finding, tt.cause, log)
			}
			if grants := d.Remedy == Grant; grants != (tt.finding == Explains) {
				t.Errorf("remedy is %s", d.Remedy)
			}
			checkDiagnosis(t, d)
		})
	}
}

// TestCredentialsOfTheProject: a build with credentials of its own in its environment is not certainly the
// one that AWS denies something, unless AWS names it.
func TestCredentialsOfTheProject(t *testing.T) {
	b := evidenceBuild
	b.OtherCredentials = true
	for log, grants := range map[string]bool{"upload failed: ./x to s3://media/x BARE\n": false, "OWN\n": true} {
		if d := Diagnose(buildlog.ReadText(b, evidenceLog(withDenials(log)))); (d.Remedy == Grant) != grants {
			t.Errorf("%s: %s, %s", log, d.Remedy, d.Cause)
		}
	}
}

// TestShownByTheCommand shows that a command which only prints text has met no refusal, nor one that has
// the text itself.
func TestShownByTheCommand(t *testing.T) {
	for _, c := range []struct {
		what, command, log string
		grants             bool
	}{
		{"it prints a file", "cat ci/message.txt; exit 254", "\nBARE\n", false},
		{"it searches logs", "grep -rh AccessDenied logs/ && exit 1", "BARE\n", false},
		{"it shows commits", "git log -1 --format=%B | head -3 && false", "BARE\n", false},
		{"it shows this build's own log", "cat deploy.log; exit 1", "OWN\n", true},
		{"it prints, and then asks", "cat ci/message.txt; aws s3 cp x s3://media/x", "upload failed: ./x to s3://media/x BARE\n", true},
		{"it prints what it asks for", "echo $(aws ssm get-parameter --name db)", "BARE\n", true},
		{"it has the text itself", "./ci/put.sh || bash -c 'echo \"BARE\"; exit 1'", "BARE\n", false},
		{"it goes on without it", "aws s3 cp x s3://media/x || true; test -s y", "\nupload failed: ./x to s3://media/x BARE\n", false},
		{"it ends without it", "aws s3 cp x s3://media/x || exit 1; test -s y", "\nupload failed: ./x to s3://media/x BARE\n", true},
		{"it looks for a part of the text", "./ci/put.sh || grep -q 'AccessDenied' log", "BARE\n", true},
	} {
		log := strings.ReplaceAll(evidenceLog(withDenials(c.log)), "./ci.sh", withDenials(c.command))
		if d := Diagnose(buildlog.ReadText(evidenceBuild, log)); (d.Remedy == Grant) != c.grants {
			t.Errorf("%s: %s, %s by %q", c.what, d.Remedy, d.Cause, d.Evidence.Text)
		}
	}
}

// TestEvidenceOfRetries shows that a build is not started again for a line that is shown, survived
// or beside another failure.
func TestEvidenceOfRetries(t *testing.T) {
	for _, tt := range []struct {
		what, log string
		remedy    Remedy
	}{
		{"the limit ends it", "Error response from daemon: toomanyrequests: You have reached your pull rate limit.\n", Retry},
		{"a wrapper says that it failed", "An error occurred (ThrottlingException) when calling the X operation: Rate exceeded\n" +
			"make: *** [deploy] Error 254\n", Retry},
		{"the CDK sums up", "toomanyrequests: Rate exceeded\n" +
			"[100%] fail: docker build --tag x . exited with error code 1: toomanyrequests: Rate exceeded\n\n" +
			" ❌ Building assets failed: Error: Building Assets Failed: Error: Failed to build one or more assets. " +
			"See the error messages above for more information.\n", Retry},
		{"the CDK app fails by itself", "toomanyrequests: Rate exceeded\nlib/shop.ts:3:1 - error TS2304: Cannot find name 'x'.\n" +
			" ❌ Building assets failed: Error: Building Assets Failed: Error: Failed to build one or more assets.\n", Report},
		{"a linter quotes the docs", "docs/pull.md:4:81 MD013/line-length Line length [Expected: 80; Actual: 97]\n" +
			"  4 | `toomanyrequests: You have reached your pull rate limit`\n", Report},
		{"tolerated before a compiler's error",
			"WARN: ThrottlingException: Rate exceeded (tags not read), going on\n./a.go:3:2: undefined: x\n", Report},
		{"tolerated before a type error", "ThrottlingException: Rate exceeded\nskipping tags\nsrc/a.ts(1,1): error TS2322: no\n", Report},
		{"a type error alone decides", "ThrottlingException: Rate exceeded\nsrc/a.ts(1,1): error TS2322: no\n", Report},
		{"a home-made error after more work",
			"ThrottlingException: Rate exceeded\n==> check owners\n❌ owner web is not a member\n", Report},
		{"a chat cannot be told of a finding", "dist/app.js is 12 MB, and 10 MB are allowed\ntelling chat\n" +
			"curl: (6) Could not resolve host: hooks.slack.com\n", Report},
		{"the code host cannot be found", "fetching main\ncurl: (6) Could not resolve host: github.com\n", Retry},
		{"a custom resource's function got no answer", "Shop | 3/9 | CREATE_FAILED | Custom::Seed | Seed (Seed01) " +
			"Received response status [FAILED] from custom resource. Message returned: " +
			"connect ETIMEDOUT 192.0.2.7:443 (RequestId: 1)\n", Report},
		{"a function got no answer", "{\"errorMessage\": \"connect ETIMEDOUT 192.0.2.7:443\", \"errorType\": \"Error\"}\n", Report},
		{"a state machine's task was throttled", "execution ended: States.TaskFailed, ThrottlingException: Rate exceeded\n", Report},
		{"a name that no name server outside has", "Error: getaddrinfo EAI_AGAIN db\n", Report},
		{"a name of the Internet", "Error: getaddrinfo EAI_AGAIN packages.example.com\n", Retry},
		{"a database does not answer", "Error: connect ETIMEDOUT 10.0.2.15:5432\n", Report},
		{"the page that says whether the deployed service is well",
			"GET https://shop.example.com/health 503 Service Unavailable\n", Report},
		{"the build's own service hangs up", "FetchError: request to http://localhost:4000/cart failed, reason: socket hang up\n", Report},
		{"the build's own database does not answer", "Error: connect ETIMEDOUT 127.0.0.1:5432\n", Report},
		{"a registry on the machine itself", "Error response from daemon: Get http://127.0.0.1:5000/v2/: net/http: request canceled " +
			"(Client.Timeout exceeded while awaiting headers)\n", Report},
		{"the machine's own resolver asks others", "lookup shop.example.com on 127.0.0.11:53: server misbehaving\n", Retry},
		{"from an address of the machine's own", "read tcp 127.0.0.1:43210->192.0.2.7:443: i/o timeout\n", Retry},
		{"a host of Ansible's",
			"fatal: [localhost]: FAILED! => {\"msg\": \"Get https://example.com/x: connection reset by peer\"}\n", Retry},
	} {
		t.Run(tt.what, func(t *testing.T) {
			d := Diagnose(buildlog.ReadText(evidenceBuild, evidenceLog(tt.log)))
			if d.Remedy != tt.remedy {
				t.Errorf("%s, %s by %q; want %s", d.Cause, d.Remedy, d.Evidence.Text, tt.remedy)
			}
		})
	}
}

func withDenials(log string) string {
	return strings.NewReplacer("OWN", ownSentence, "BARE", bareRefusal, "READ", ownRead).Replace(log)
}

// TestSureFailureWithholds: with the line of a sure failure before or behind it, no denial brings
// in a grant, and the other failure is the cause.
func TestSureFailureWithholds(t *testing.T) {
	n := 0
	for _, sure := range []string{
		"src/cart.ts(3,1): error TS2322: Type 'string' is not assignable to type 'number'.",
		"cart.c:3:1: error: expected ';' before '}' token",
		"E       assert 170 == 165",
		"ModuleNotFoundError: No module named 'cart'",
		"Error: Cannot find module './cart'",
		"deploy: error: unrecognized arguments: --fast",
		"write /tmp/x: no space left on device",
		"ci.sh: line 9: syntax error near unexpected token `fi'",
		"    AssertionFailedError: expected: <165> but was: <170>",
	} {
		for _, tt := range evidenceRows {
			if tt.finding != Explains {
				continue
			}
			for _, log := range []string{tt.log + sure + "\n", sure + "\n" + tt.log} {
				d := Diagnose(buildlog.ReadText(evidenceBuild, evidenceLog(withDenials(log))))
				if d.Remedy == Grant || d.Remedy == Retry {
					t.Errorf("%s, with %q: %s for %s", tt.what, sure, d.Remedy, d.Cause)
				}
				n++
			}
		}
	}
	if n < 200 {
		t.Errorf("only %d logs", n)
	}
}

// TestHonestInNoise: what builds that pass print as well does not withhold a grant.
func TestHonestInNoise(t *testing.T) {
	for _, noise := range []string{
		"npm warn deprecated glob@7.2.3: versions prior to v9 are no longer supported",
		"3 packages are looking for funding\n0 vulnerabilities",
		"DeprecationWarning: Buffer() is deprecated",
		"[INFO] BUILD SUCCESS",
		"WARNING: Running pip as the 'root' user can result in broken permissions",
		"Tests:       12 passed, 2 skipped, 14 total",
		"0 errors, 3 warnings",
		"✓ rejects an unknown error code (3 ms)",
		"TestErrorIsTold PASSED",
		"download: s3://tools/cache.tgz to ./cache.tgz",
		"Skipping: no changes in docs",
		"use --continue-on-error to go on after failures",
		"#8 CACHED",
		"+ echo done",
	} {
		for _, tt := range evidenceRows {
			if tt.finding != Explains {
				continue
			}
			d := Diagnose(buildlog.ReadText(evidenceBuild, evidenceLog(noise+"\n"+withDenials(tt.log))))
			if d.Remedy != Grant {
				t.Errorf("%s, after %q: %s for %s; %+v", tt.what, noise, d.Remedy, d.Cause, d.Denials[0].Verdict)
			}
		}
	}
}

var evidenceBuild = codebuild.Build{ID: "shop:8745a7a9-c340-456a-9166-edf953571be0", Project: "shop", Status: codebuild.Failed,
	ARN:         "arn:aws:codebuild:eu-west-1:111122223333:build/shop:8745a7a9-c340-456a-9166-edf953571be0",
	ServiceRole: "arn:aws:iam::111122223333:role/codebuild-shop"}

// evidenceLog is the log of a build whose command printed output and failed.
func evidenceLog(output string) string {
	const agent = "[Container] 2026/03/04 10:11:12.131415 "
	return agent + "Entering phase BUILD\n" + agent + "Running command ./ci.sh\n" + output +
		agent + "Command did not exit successfully ./ci.sh exit status 1\n" + agent + "Phase complete: BUILD State: FAILED\n" +
		agent +
		"Phase context status code: COMMAND_EXECUTION_ERROR Message: Error while executing command: ./ci.sh. " +
		"Reason: exit status 1\n"
}

// What eksctl prints around the events of a stack.
const (
	eksctlWaits = "[ℹ]  waiting for CloudFormation stack \"shop\"\n[✖]  unexpected status \"ROLLBACK_IN_PROGRESS\" while waiting " +
		"for CloudFormation stack \"shop\"\n[ℹ]  fetching stack events in attempt to troubleshoot the root cause of the failure\n"
	eksctlEnds = "[ℹ]  1 error(s) occurred and IAM Role stacks haven't been created properly, you may wish to check CloudFormation " +
		"console\n[✖]  waiter state transitioned to Failure\nError: failed to create iamserviceaccount(s)\n"
)

// What Pulumi prints of a resource that is refused, while it works and at its end.
const (
	pulumiWorks = "@ updating....\n +  aws:sqs:Queue jobs creating (1s) error:   sdk-v2/provider2.go:515: sdk.helper_schema: creating " +
		"SQS Queue: OWN: provider=aws@6.61.0\n +  aws:sqs:Queue jobs creating (1s) error: 1 error occurred:\n" +
		" +  aws:sqs:Queue jobs **creating failed** error: 1 error occurred:\n" +
		" +  pulumi:pulumi:Stack shop-prod creating (28s) error: update failed\n"
	pulumiEnds = " +  pulumi:pulumi:Stack shop-prod **creating failed (28s)** 1 error\nDiagnostics:\n  pulumi:pulumi:Stack (shop-prod):\n" +
		"    error: update failed\n\n  aws:sqs:Queue (jobs):\n    error:   sdk-v2/provider2.go:515: sdk.helper_schema: creating SQS " +
		"Queue: OWN: provider=aws@6.61.0\n    error: 1 error occurred:\n    \t* creating SQS Queue: OWN\n\nOutputs:\n" +
		"    region: \"eu-west-1\"\n\nResources:\n    + 11 created\n\nDuration: 30s\n"
)
