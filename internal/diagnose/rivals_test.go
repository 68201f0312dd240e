package diagnose

import (
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/buildlog"
)

// ownUpload is a refusal of the build's own at the end of a log.
const ownUpload = "upload failed: ./x to s3://media/x An error occurred (AccessDenied) when calling the PutObject operation: OWN\n"

// npmSays is what npm prints of a workspace whose script failed.
const npmSays = "npm error Lifecycle script `deploy` failed with error:\nnpm error code 1\nnpm error path /src/shop/a\n" +
	"npm error workspace a@1.0.0\nnpm error location /src/shop/a\nnpm error command failed\nnpm error command sh -c node put.mjs\n"

// ownDelete is one that takes something away.
const ownDelete = "An error occurred (AccessDenied) when calling the DeleteItem operation: User: " +
	"arn:aws:sts::111122223333:assumed-role/codebuild-shop/AWSCodeBuild-8745a7a9-c340-456a-9166-edf953571be0 is not authorized to " +
	"perform: dynamodb:DeleteItem on resource: arn:aws:dynamodb:eu-west-1:111122223333:table/locks because no identity-based policy " +
	"allows the dynamodb:DeleteItem action\n"

// createRepository is a refusal of the build's own that makes what does not exist.
const createRepository = "\nAn error occurred (AccessDeniedException) when calling the CreateRepository operation: User: " +
	"arn:aws:sts::111122223333:assumed-role/codebuild-shop/AWSCodeBuild-8745a7a9-c340-456a-9166-edf953571be0 is not authorized to " +
	"perform: ecr:CreateRepository on resource: arn:aws:ecr:eu-west-1:111122223333:repository/shop because no identity-based policy " +
	"allows the ecr:CreateRepository action\n"

// TestFailedBefore: where the output is a whole failure before the claim, nothing tells which of the
// two ended the command. Beside each kind stands what looks like it and is honest.
func TestFailedBefore(t *testing.T) {
	for _, tt := range []struct {
		what, command, exit, log string
		grants                   bool
	}{
		{"a registry that wants a login", "docker push 111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop:1", "1",
			"5f70bf18a086: Preparing\nno basic auth credentials\n" + ownUpload, false},
		{"an image that is missing, and is built", "./push.sh", "1", "manifest for shop:cache not found: manifest unknown\n" +
			"building it\n" + ownUpload, true},
		{"a token that has expired", "python deploy.py", "1", "Traceback (most recent call last):\n  File \"/src/deploy.py\", line 2, in " +
			"<module>\nbotocore.exceptions.ClientError: An error occurred (ExpiredToken) when calling the ListClusters operation: The " +
			"provided token has expired.\n" + ownUpload, false},
		{"a token that has expired, behind an exception's stack", "./ci.sh", "1", "Exception in thread \"main\" S3Exception: OWN\n" +
			"\tat com.example.Up.main(Up.java:31)\n\nAn error occurred (ExpiredToken) when calling the ListClusters operation: The " +
			"provided token has expired.\n", false},
		{"an exception that wraps it", "./ci.sh", "1", "Traceback (most recent call last):\n  File \"/src/a.py\", line 2, in <module>\n" +
			"botocore.exceptions.ClientError: OWN\n\nThe above exception was the direct cause of the following exception:\n\n" +
			"Traceback (most recent call last):\n  File \"/src/a.py\", line 9, in <module>\n" +
			"shop.UploadError: the upload did not end\n", true},
		{"a group of exceptions", "python up.py", "1", "  + Exception Group Traceback (most recent call last):\n" +
			"  |   File \"/src/up.py\", line 10, in <module>\n  | ExceptionGroup: not all is there (1 sub-exception)\n" +
			"  +-+---------------- 1 ----------------\n    | Traceback (most recent call last):\n" +
			"    |   File \"/src/up.py\", line 6, in <module>\n    | botocore.exceptions.ClientError: OWN\n" +
			"    +------------------------------------\n", true},
		{"two errors of one call of the CLI", "aws ssm get-parameter --name /shop/db", "255", "\nAn error occurred (ExpiredToken) " +
			"when calling the GetParameter operation: The security token included in the request is expired\n\nAn error occurred " +
			"(AccessDenied) when calling the PutObject operation: OWN\n", false},
		{"two calls of the CLI", "./rotate.sh", "254", "\nAn error occurred (ExpiredToken) when calling the GetCallerIdentity " +
			"operation: The security token included in the request is expired\n\nAn error occurred (AccessDenied) when calling the " +
			"PutObject operation: OWN\n", false}, // either may be a trap's
		{"a bucket that does not exist, and the claim is about its object", "aws s3 cp x s3://media/x", "1", "upload failed: ./x to " +
			"s3://media/x An error occurred (NoSuchBucket) when calling the PutObject operation: The specified bucket does not " +
			"exist\n" + ownUpload, false},
		{"a repository that is looked for before it is made", "./repo.sh", "1", "\nAn error occurred (RepositoryNotFoundException) when " +
			"calling the DescribeRepositories operation: The repository with name 'shop' does not exist in the registry with id " +
			"'111122223333'\n" + createRepository, true},
		{"a bucket that is there already", "./publish.sh", "1", "make_bucket failed: s3://media An error occurred " +
			"(BucketAlreadyOwnedByYou) when calling the CreateBucket operation: you already own it.\n" + ownUpload, true},
		{"a target that does not exist", "make x", "2", "make: *** No rule to make target 'x'.  Stop.\n" + ownUpload, false},
		{"make has said that it failed", "make test", "2", "winter discount check failed\nmake: *** [Makefile:8: test] Error 4\n" +
			ownUpload, false},
		{"make says so of the claim", "make test", "2", ownUpload + "make: *** [Makefile:8: test] Error 1\n", true},
		{"a head that says no reason", "rake deploy", "1", "rake aborted!\n" + ownUpload, true},
		{"a head of Terraform's", "terraform apply", "1", "Error: Error acquiring the state lock\n\nError message: operation error " +
			"DynamoDB: PutItem, api error AccessDenied: OWN\n", true},
		{"a head of Terraform's that says a reason", "crane manifest x", "1", "Error: fetching manifest shop:1: unexpected status code " +
			"401 Unauthorized: Not Authorized\n\n" + ownUpload, false},
		{"another status than that of what failed before", "./ci.sh", "1", "fatal: No names found, cannot describe anything.\n" +
			ownUpload, true},
		{"the status of what failed before", "./ci.sh", "128", "fatal: No names found, cannot describe anything.\n" + ownUpload, false},

		// npm runs a script in each workspace, and says of which it failed.
		{"a workspace is refused, and the next one passes", "npm run deploy --workspaces", "1", "\n> a@1.0.0 deploy\n> node put.mjs\n\n" +
			ownUpload + npmSays + "\n\n> b@1.0.0 deploy\n> echo b deployed\n\nb deployed\n", true},
		{"a workspace is refused, and the next one fails by itself", "npm run deploy --workspaces", "1", "\n> a@1.0.0 deploy\n" +
			"> node put.mjs\n\n" + ownUpload + npmSays + "\n\n> b@1.0.0 deploy\n> node check.mjs\n\nb: dist is empty\n" + npmSays, false},
		{"a workspace goes on after a refusal, and the next one fails", "npm run deploy --workspaces", "1", "\n> a@1.0.0 deploy\n" +
			"> node put.mjs\n\n" + ownUpload + "\n> b@1.0.0 deploy\n> node check.mjs\n\nb: dist is empty\n" + npmSays, false},
		{"a script goes on behind npm's errors", "./ci.sh", "1", ownUpload + npmSays + "prices: 3 rows without currency\n", false},

		// A program that no shell runs ends with a status of its own.
		{"a program that ends with the CLI's status", "python3 check.py", "254", "\nAn error occurred (AccessDenied) when calling the " +
			"PutObject operation: OWN\nprices: 3 rows without currency\n", false},
		{"a program that hands on the CLI's status", "python3 deploy.py", "254", "\nAn error occurred (AccessDenied) when calling the " +
			"PutObject operation: OWN\ndeploy failed\n", true},

		// Under set -e, a trap on EXIT whose call is refused gives the shell the AWS CLI's status.
		{"tests, and a trap", "./verify.sh", "254", "FAIL src/cart.test.ts\n  ● totals › rounds\n\n" +
			"    expect(received).toBe(expected)\n\n    Expected: 12.35\n    Received: 12.34\n\n" +
			"Tests:       1 failed, 11 passed, 12 total\n\n" + ownDelete, false},
		{"an error, and a trap", "./apply.sh", "254", "╷\n│ Error: updating Lambda Function (cart): Unzipped size must be smaller\n│ \n" +
			"│   with aws_lambda_function.cart,\n╵\n\n" + ownDelete, false},
		{"a plain line, and a trap", "./release.sh", "254", "version 2.3.0 is older than 2.4.1\n\n" + ownDelete, false},
		{"an error that was cured, and the last call", "./release.sh", "254", "error: entry 9f2c is stale, rebuilding\n214 entries\n\n" +
			"An error occurred (AccessDenied) when calling the PutObject operation: OWN\n", true},
		{"a call that the command itself ends with", "npm test && aws dynamodb delete-item --table-name locks", "254",
			"error: this is what the parser says\n3 passing\n\n" + ownDelete, true},
		{"a defer behind a plain line", "./release", "1", "version 2.3.0 is older than 2.4.1\nunlock: " + ownDelete, false},
		{"an unlock that is the work", "./unlock", "1", "lock of 10:00 found\nunlock: " + ownDelete, true},
		{"a program that ends with the CLI's status itself", "./pack.sh", "254", "\nAn error occurred (AccessDenied) when calling the " +
			"PutObject operation: OWN\nERROR: 3 of 14 assets are missing in dist\n", false},
		{"the CLI's status, and last words", "./pack.sh", "254", "\nAn error occurred (AccessDenied) when calling the PutObject " +
			"operation: OWN\nremoving /tmp/pack.7f3a\nERROR: pack.sh failed with exit code 254\n", true},
		// What timeout or a signal ended has said nothing of it.
		{"a timeout", "timeout 600 ./rollout.sh", "124", "row: OWN\n......\n", false},
		{"a pipe without a reader", "./tags.sh", "141", "row: OWN\n", false},
		{"an exception that nobody catches, in .NET", "dotnet run", "134", "Unhandled exception. Amazon.S3.AmazonS3Exception: OWN\n" +
			"   at Put.Program.Main() in /src/Program.cs:line 12\nAborted (core dumped)\n", true},

		// What only checks files asks nothing of AWS.
		{"a formatter's list", "npx prettier -l web", "1", "web/fmt.js\n" + ownUpload, false},
		{"a list of what is packed", "./publish.sh", "1", "web/fmt.js\n" + ownUpload, true},
		{"a formatter's warnings", "npx prettier --check web", "1", "[warn] web/fmt.js\n" + ownUpload +
			"[warn] Code style issues found in the above file. Run Prettier with --write to fix.\n", false},
		{"a linter's warnings before it deploys", "npm run release", "1", "web/a.js\n  12:7  warning  'n' is never used  no-unused\n\n" +
			"✖ 1 problem (0 errors, 1 warning)\n\n" + ownUpload, true},
		{"the linter cannot be fetched", "npx eslint src", "1", "npm error code E403\nnpm error 403 403 Forbidden - GET " +
			"https://shop-111122223333.d.codeartifact.eu-west-1.amazonaws.com/npm/shop/eslint - OWN\n", true},

		// Tests.
		{"a test that failed of something else", "npx mocha", "1", "  1 passing (3ms)\n  1 failing\n\n  1) cart\n       adds:\n" +
			"     Error: 1 is not 2\n      at Context.<anonymous> (cart.js:3:1)\n\n     AccessDenied: OWN\n", false},
		{"a claim in the middle of an assertion's message", "npx mocha", "1", "  1 passing (3ms)\n  1 failing\n\n  1) cart\n" +
			"       adds:\nAccessDenied: OWN\n     AssertionError: nope\n      + expected - actual\n\n      -1\n      +2\n", false},
		{"a claim in the middle of a compiler's message", "npx sass shop.scss", "65", "Error: Undefined variable.\n  ╷\n" +
			"1 │ .a { width: $y; }\noperation error S3: PutObject, api error AccessDenied: OWN\nexit status 1\n  │             ^^\n" +
			"  shop.scss 1:13  root stylesheet\n", false},
		{"the only test that failed, of it", "npx mocha", "1", "  1 passing (3ms)\n  1 failing\n\n  1) cart\n       uploads:\n" +
			"     AccessDenied: OWN\n      at Context.<anonymous> (cart.js:3:1)\n", true},
		{"one of two tests that failed", "npx mocha", "1", "  1 passing (3ms)\n  2 failing\n\n  1) cart\n       uploads:\n" +
			"     AccessDenied: OWN\n      at Context.<anonymous> (cart.js:3:1)\n\n  2) cart\n       adds:\n     Error: 1 is not 2\n" +
			"      at Context.<anonymous> (cart.js:9:1)\n", false},
		{"a test of Bats, whose command is named above it", "bats live.bats", "1", "1..1\nnot ok 1 uploads\n# (in test file live.bats, " +
			"line 5)\n#   `aws s3 cp x s3://media/x' failed\n# " + ownUpload, true},
		{"a test of unittest, whose traceback has the report's head above it", "python -m unittest live", "1", "E\n" +
			strings.Repeat("=", 70) + "\nERROR: test_up (live.Up.test_up)\n" + strings.Repeat("-", 70) + "\n" +
			"Traceback (most recent call last):\n  File \"/src/live.py\", line 9, in test_up\n" +
			"    put()\nbotocore.exceptions.ClientError: An error occurred (AccessDenied) when calling the PutObject operation: OWN\n\n" +
			strings.Repeat("-", 70) + "\nRan 1 test in 0.412s\n\nFAILED (errors=1)\n", true},
		{"a test that cannot be set up", "npx playwright test", "1", "Error: OWN\n\n   at global-setup.ts:9\n\n   7 | export default\n" +
			">  9 |   await ssm.send();\n     |   ^\n    at globalSetup (/src/global-setup.ts:9:3)\n", true},
	} {
		log := strings.ReplaceAll(evidenceLog(withDenials(tt.log)), "./ci.sh", tt.command)
		log = strings.ReplaceAll(log, "exit status 1", "exit status "+tt.exit)
		d := Diagnose(buildlog.ReadText(evidenceBuild, log))
		if (d.Remedy == Grant) != tt.grants {
			t.Errorf("%s: %s, %s by %q; %+v", tt.what, d.Remedy, d.Cause, d.Evidence.Text, d.Denials)
		}
	}
}
