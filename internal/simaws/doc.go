// Package simaws is a simulated AWS account: an HTTP server that the real AWS
// SDK talks to, with CodeBuild projects whose builds run scripts of commands
// and fail the way real ones do when IAM denies them. It is for the demo and
// for tests; the function never links it.
//
// It stands in for AWS, so it errs where AWS errs; comments cite the section of
// internal/AWS.md that a behaviour comes from. What it does not know
// (services, operations, parameters, conditions) is refused with status 501
// and listed by [Sim.Unknown], so that a test can fail on it.
//
// # Use
//
//	s, err := simaws.Load(text)          // or New(Config{…}) for an empty account
//	defer s.Close()
//	cfg := aws.Config{
//		Region:       "us-west-2",
//		BaseEndpoint: aws.String(s.URL()),
//		HTTPClient:   s.Client(),
//		Credentials:  credentials.NewStaticCredentialsProvider(simaws.FunctionKey, "any", ""),
//	}
//	for {
//		m, ok := s.NextMessage(ctx)      // moves simulated time on
//		if !ok { break }
//		handle(m.Body)                   // calls AWS through clients made from cfg
//		m.Ack()                          // or m.Nack()
//	}
//
// Who calls is told by the access key id: [FunctionKey] is the healer's own
// role, [OwnerKey] may do everything, others are made known by the world's
// callers, [Sim.Caller] or sts:AssumeRole. Which region, by the region that
// the request is signed for. All accounts and regions share the one endpoint.
// A role's trust policy always decides who may assume it; with enforce, so does
// the caller's own side. The session then acts in the role's account, and dies
// with the caller.
//
// What a stack has besides is put in by [Sim.AddTable], [Sim.AddStack] and [Sim.AddFunction]. The
// endpoint is on loopback, within reach of every page in a browser: requests under another host's
// name, or with an Origin, are refused.
//
// # Time
//
// Nothing happens unless time is moved: by [Clock.Advance], [Clock.Sleep],
// [Sim.NextMessage] or [Sim.Settle]. A build started at 10:00 asks IAM at
// 10:00:15 whether it may push, and what IAM says then depends on what was
// written by then and has propagated. In real time all of it is immediate.
//
// # Trouble
//
// [Trouble] loses, doubles and delays events, throttles calls and cuts
// connections with given probabilities. [Sim.Hook] sees each call before and
// after its effect, may make a stranger's change between two calls, and may
// answer with a [Fault]: an error, a lost answer, or a crash, after which
// nothing of that caller gets through until [Sim.Restart].
//
// Everything random comes from the seed and from what it is about (the third
// build of project X, the 17th call), so a run with one goroutine is
// reproducible to the byte.
//
// # World files
//
// A world is one YAML document. Only what a story needs has to be there.
//
//	account: "290008131176"       # quoted; default 111122223333
//	region: us-west-2             # default us-east-1
//	partition: aws
//	start: 2026-11-22T10:12:00Z   # simulated time at the beginning
//	seed: 1
//	propagation: 4s               # until builds feel an IAM write …
//	propagation_most: 2m          # … at most; default the same
//	enforce: false                # evaluate every call against its caller's policies
//	retry_keeps_role: false       # RetryBuild takes the old build's role, not the project's present one
//	initiator: ROLE/SESSION       # how a build names a role's session that started it; also ARN
//	no_build_keys: [kms]          # services whose requests do not say of which project's build they are
//	no_quota: [BUILD_GENERAL1_SMALL]   # compute types of which no build can be started by a call
//	build_queue: 0                # builds under way at once; 0 is any number
//	access_troubleshooter:        # denials of IAM's own APIs carry an authorization ID
//	  {late: 2, page: 1, unchecked: false}   # looked up so often in vain (-1: always); evaluations a page; without checks
//	topic_key: arn:aws:kms:…      # key that encrypts the notice topic; publishers need it
//	mailboxes: [team@example.com] # e-mail subscriptions to the notice topic, confirmed
//	function: {role: buildmedic, session: buildmedic}   # who FunctionKey is
//	callers:                      # further access keys
//	  AKIAALICE: {user: alice}
//	  ASIAHUB: {role: hub, session: s, account: "444455556666"}
//	pattern: |                    # event pattern of the rule, JSON; default: every ended build
//	queue: {visibility: 6m, max_receive: 5}
//	trouble: {drop_events: 0.1, duplicate_events: 0.1, delay_events: 2m, throttle: 0.05,
//	  lose_request: 0.02, lose_response: 0.02, call_time: 25ms, log_lag: 0s, empty_pages: 0, log_page: 0, iam_page: 0,
//	  rate_limits: false, others: 0, concurrent_builds: 0}   # see [Trouble]
//
//	scps:                         # service control policies of the account
//	  - {id: p-abcd1234, document: '…'}   # messages name arn:…:organizations::…/p-abcd1234
//	full_aws_access: true         # false: without FullAWSAccess, so SCPs must allow
//
//	policies:                     # customer managed; an ARN as name is one of AWS's own
//	  - name: team/qivr-codebuild-policy   # with path
//	    document: '…'             # or versions: [v1, v2, …], the last is the default
//	    default: v1
//
//	roles:
//	  - name: service-role/codebuild-x     # with path
//	    inline: {NAME: '…'}
//	    attached: [team/qivr-codebuild-policy]   # names with path, or ARNs
//	    boundary: NAME
//	    trust: '…'                # default: codebuild.amazonaws.com
//	    tags: {k: v}
//
//	repositories:                 # ECR
//	  - {name: tracker_api, policy: '…'}   # repository policy
//	create_on_push: [team]        # prefixes of repository creation templates for it, or ROOT
//	buckets:
//	  - {name: logs-bucket, policy: '…', objects: {key: text}}
//	topics: [ci]                  # SNS topics besides the notice topic
//	resource_policies:            # of any other resource
//	  - {resource: "arn:…", document: '…'}
//
//	secrets: {name: text}         # of Secrets Manager
//	parameters:                   # of Parameter Store
//	  /ci/token: {value: text, type: SecureString, key: "arn:…"}   # default: SecureString, AWS's own key
//	  /ci/old: {value: text, key: "arn:…", key_state: pending deletion}   # a key that decrypts nothing
//
//	stacks:                       # of CloudFormation, made by aws cloudformation deploy
//	  - name: shop
//	    role: cfn-exec            # that CloudFormation works as; default whoever deploys
//	    nested: false             # true: only a template that a resource of another stack names
//	    deleted: false            # true: gone once it failed, and found by its id alone
//	    resources:                # made in order; the first that fails stops the others
//	      - {id: Jobs, type: "AWS::SQS::Queue", needs: [sqs:CreateQueue on arn:aws:sqs:…]}
//	      - {id: Data, type: "AWS::S3::Bucket", reason: text}        # fails with it
//	      - {id: Net, type: "AWS::CloudFormation::Stack", stack: net}
//	      - {id: Log, type: "AWS::S3::Bucket", hook: {name: Company::S3::Hook, reason: text, mode: WARN}}
//	      - {id: Key, type: "AWS::KMS::Key", validation: {name: PROPERTY_VALIDATION, reason: text, path: /Resources/Key}}
//
//	projects:
//	  - name: TrackerAPI
//	    role: codebuild-TrackerAPI-service-role
//	    image: aws/codebuild/standard:7.0  # an ECR image is pulled with the role
//	    source: {type: GITHUB, location: "https://github.com/example/tracker.git"}   # or S3, CODEPIPELINE
//	    buildspec: ""             # path that the project is set to; "" is buildspec.yml
//	    buildspecs:               # what the repository has: path → phases → commands
//	      aws/buildspec.yml:
//	        install: []
//	        pre_build: []
//	        build:
//	          - docker build -t x .
//	        post_build: []
//	    versions:                 # states of the repository; the first is the default branch
//	      - {ref: refs/heads/main, commit: 2f1c…}      # commit: default from the seed
//	      - ref: pr/7
//	        buildspecs: {…}       # instead of the project's
//	    auto_retry: 0             # CodeBuild's own
//	    concurrent_builds: 0      # limit; 0 is none
//	    timeout: 1h               # of a build: TIMED_OUT
//	    faults: 0                 # the first so many builds end with FAULT
//	    on_failure: {phase: BUILD, retry: 1, log: phase}   # on-failure: RETRY of the buildspec; log: or beginning, commands
//	    batch: [linux, {identifier: windows, buildspec: win.yml}]   # children of a batch build
//	    batch_role: shop-batch    # of the batches themselves, which needs codebuild:StartBuild; default: the project's
//	    batch_fails:              # how batches fail by themselves
//	      - {phase: DOWNLOAD_BATCHSPEC, code: YAML_FILE_ERROR, message: text, status: FAILED, from: 1, times: 1}
//	      - {phase: IN_PROGRESS, status: FAULT, after: 20s}   # its builds are stopped then
//	    logs: {group: /custom, stream: prefix, off: false, s3: bucket/prefix}
//	    artifacts: bucket/prefix  # uploaded with the role
//	    reports:                  # of tests, made once the commands have run
//	      - group: unit           # of the project: its name and this; with shared: true, the group's whole name
//	        type: TEST            # or CODE_COVERAGE
//	        takes: 20s            # GENERATING until so long after the build's end
//	        incomplete: false
//	        build: "arn:…"        # the build that it says it is of; default the one that made it
//	        passed: 12            # so many cases that passed
//	        cases:                # status: default FAILED; times: only in the first so many builds of a commit
//	          - {suite: CartTest, name: adds, status: ERROR, message: text, times: 1}
//	          - {name: row %d, repeat: 600}   # a case for each number
//	    parameters: [/app/token]  # read from Parameter Store before the build
//	    secrets: [NAME]           # … from Secrets Manager
//	    vpc: false
//	    environment: LINUX_CONTAINER       # its type; Lambda compute ends builds after 15 minutes
//	    compute: BUILD_GENERAL1_SMALL
//	    privileged: true
//	    fleet: ci-large           # reserved capacity
//	    docker_server: false
//	    refused: {phase: PROVISIONING, code: CLIENT_ERROR, message: text, times: 1}   # or DOWNLOAD_SOURCE; 0: always
//
//	pipelines:
//	  - name: shop-main
//	    role: shop-pipeline       # its own; without one, whether it may start builds is not asked
//	    pull_requests: false      # true: a trigger of its definition takes pull requests, another takes pushes
//	    stages:
//	      - {name: Source, actions: [{name: Source, branch: main}]}   # branch: of a connection; it outputs what it read
//	      - {name: Build, actions: [{name: Build, project: shop}, {name: Lint, project: shop-lint, batch: true}]}
//	        # with retry_on_failure: true the stage retries itself, once
//	      - name: Deploy
//	        actions:
//	          - name: Deploy
//	            project: deploy   # with refuses, it need not exist
//	            refuses: {times: 2, code: AccountLimitExceededException, says: text}   # the first so many starts; 0: all
//	          - {name: Migrate, commands: {run: npm ci, prints: text, times: 1, exit: 1}}   # fails so often; 0: always
//
//	members:                      # other accounts and regions: same sections from scps to pipelines
//	  - {account: "444455556666", region: eu-west-1, roles: […], projects: […]}
//
//	outages:                      # when a host on the Internet answers nobody
//	  - {host: npm.example.com, after: 0s, lasts: 40m, prints: text, exit: 1}   # prints: what tools say then
//
//	github:                       # the code host beside the account
//	  token: text                 # a fine-grained token that it takes
//	  permissions: [statuses, pull_requests, contents, actions]   # that the token may write
//	  repositories: [example/shop]                          # that it sees
//	  comments:                   # what people have said on pull requests
//	    - {repository: example/shop, pull: 7, author: 5, body: text}
//	  outages: [{after: 10m, lasts: 3h}]                    # when it can serve nothing
//	  runs:                       # of workflows, whose jobs builds of projects run
//	    - repository: example/shop
//	      run: 34713051605        # its id; version: of the source that is built; after: when it begins
//	      jobs:
//	        - {name: test, project: shop-runner}   # the commands of the project's BUILD phase are its steps
//	          # lost: 1           the first so many runners get no session, and end well after minutes
//	          # idle: 1           the first so many get no job, and end well at once
//	          # dies: {times: 1, after: 30s}   the first so many builds end with FAULT so long after it began
//	          # again: 10s        somebody runs it again so long after it failed first
//	          # names_run: true   the log has the job's label
//
//	code:                         # what repositories hold: OWNER/NAME at the code host, NAME in CodeCommit
//	  - repository: example/tracker
//	    branch: main
//	    files: {aws/iam-policy-codebuild.json: text}
//	    links: {PATH: target}     # symbolic links
//	deploys:                      # what people deploy from files of code, some time after each change of the branch
//	  - {repository: example/tracker, branch: main, path: aws/iam-policy-codebuild.json, role: x, inline: NAME, takes: 3m}
//	  - {repository: infra, path: iam/ci.json, policy: NAME}   # a managed policy
//	    # IAM has at first what the file says; account: that of role or policy
//
//	starts:                       # what begins by itself
//	  - {project: TrackerAPI, version: pr/7, after: 10s}   # initiator: default is a webhook
//	  - {project: TrackerAPI, overrides: {imageOverride: aws/codebuild/standard:8.0}}   # as StartBuild names them
//	  - {pipeline: shop-main, version: pr/7, branch: main}   # branch that the source says; default that of version
//	  - {pipeline: shop-main, trigger: StartPipelineExecution, initiator: "arn:…"}   # default WebhookV2
//	  - {project: matrix, batch: true}
//
// # Commands
//
// A command is a string, or a mapping:
//
//   - run: node scripts/deploy.mjs
//     takes: 30s                  # default 2s
//     prints: text                # when all goes well; known commands print their own
//     calls:                      # made in order; the first denied one ends the command
//   - ecs:UpdateService on arn:aws:ecs:…        # or without "on": "*"
//   - action: iam:PassRole
//     on: arn:aws:iam::…:role/x
//     with: {iam:PassedToService: ecs-tasks.amazonaws.com}
//     as: full                # form of the message, see below
//     says: text              # or the tool's whole output, with $USER $ACTION $RESOURCE $MESSAGE $OPERATION
//     also: [iam:PassRole on arn:…]     # what else the request needs, as its authorization's details have it
//     operation: CreateService          # API operation that the tool names
//     role: other, session: s           # the call is made by another role
//     tool: aws-cli               # how errors are wrapped: aws-cli, docker, sdk-js, sdk-go-v1, sdk-go-v2, sdk-java, terraform
//     exit: 255                   # exit status when denied; default as the tool's
//     fails: {times: 1, prints: text, exit: 1}      # fails by itself, the first so many times per commit; 0: always
//     needs: npm.example.com   # the host that it reaches; see outages
//     ignore_failure: true        # as "|| true" does: printed, but the build goes on
//
// The forms: full is AWS's message of today; old lacks the reason at its
// end; short is "CODE: User is not authorized to perform: ACTION"; plain is
// "Access Denied"; encoded is EC2's; silent says nothing of a denial.
//
// The Sim knows by itself which calls these make and what they print: aws ecr
// get-login-password (also piped into docker login), docker push to ECR, aws
// ecs register-task-definition, describe-task-definition, update-service,
// describe-services and wait, aws s3 cp, aws ssm get-parameter, aws
// secretsmanager get-secret-value, aws cloudfront create-invalidation, aws
// lambda update-function-code, aws cloudformation deploy, aws sts get-caller-identity, aws codebuild
// start-build and start-build-batch, which do start another build or batch, with
// the build's own session as its initiator. Other commands of
// the AWS CLI need calls. All other programs make no calls unless calls says
// so. A forged denial is a command with prints.
package simaws
