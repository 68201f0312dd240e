// Code generated from causes.yaml by make generate; DO NOT EDIT.

package diagnose

import "github.com/buildmedic/buildmedic/internal/buildlog"

var causes = []Cause{
	{
		Name:   "stopped",
		Title:  "The build was stopped",
		Advice: "Nothing is wrong. Somebody, or a newer build, stopped it.",
		Remedy: "ignore",
		rules: []rule{
			{status: []string{"STOPPED"}},
		},
	},
	{
		Name:  "state-not-saved",
		Title: "What was deployed was not written to the state",
		Advice: "Save the state before anything runs again: cure the reason, then terraform (or tofu) " +
			"state push errored.tfstate from that very build, or, without that file, import what was " +
			"made; Pulumi: pulumi refresh, or pulumi state. A second run now would create the same " +
			"things again.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"failed to persist state to backend"}},
			{says: []string{"errored.tfstate"}, not: []string{"no such file"}},
			{
				says: []string{"state"},
				like: &pattern{source: "(?i)\\b(could not|failed to|unable to|error) (sav|writ|persist|upload|stor)\\w*( the)? " +
					"((terraform|remote) )?state\\b"},
			},
			{
				says: []string{"checkpoint"},
				like: &pattern{source: "(?i)\\b(could not|failed to|unable to|error:?) (sav|writ|persist|upload|patch)\\w*( " +
					"the)?( update)? checkpoint"},
			},
			{says: []string{"failed to save snapshot"}},
		},
	},
	{
		Name:  "start-queue-full",
		Title: "CodeBuild refused to start the build, as its queue was full",
		Advice: "As many builds of this size and platform wait as may ({limit}). Once they have run, " +
			"retry the stage. If it recurs, have the builds at once for the project's environment " +
			"raised in Service Quotas, or let fewer actions run at once.",
		Remedy:    "retry",
		Retryable: true,
		rules: []rule{
			{
				phase: []string{"START"},
				code:  []string{"AccountLimitExceededException"},
				says:  []string{"cannot have more than"},
				like: &pattern{source: "^AccountLimitExceededException: Cannot have more than (?P<limit>[1-9][0-9]*) builds in " +
					"queue for the account$"},
			},
		},
	},
	{
		Name:  "start-no-quota",
		Title: "CodeBuild refused to start the build, as the account may run none of this size",
		Advice: "Waiting does not help. Ask AWS Support to raise the account's builds of this " +
			"environment and size, which a new account often has none of, or give the project a " +
			"smaller size. Then retry the stage.",
		Remedy: "report",
		rules: []rule{
			{
				phase: []string{"START"},
				code:  []string{"AccountLimitExceededException"},
				says:  []string{"cannot have more than"},
				like: &pattern{source: "^AccountLimitExceededException: Cannot have more than 0+ builds in queue for the " +
					"account$"},
			},
			{
				phase: []string{"START"},
				code:  []string{"AccountLimitExceededException"},
				says:  []string{"active builds"},
			},
		},
	},
	{
		Name:  "start-project-missing",
		Title: "The pipeline starts a project that does not exist ({project})",
		Advice: "The project was renamed or deleted, or is in another account or region than the action " +
			"says. Correct the project's name in the pipeline's action, or make the project again, " +
			"then start the pipeline anew.",
		Remedy: "report",
		rules: []rule{
			{
				phase: []string{"START"},
				code:  []string{"ResourceNotFoundException"},
				says:  []string{"project cannot be found"},
				like: &pattern{source: "^ResourceNotFoundException: Project cannot be found: " +
					"(?P<project>arn:aws[a-z-]*:codebuild:\\S+)$"},
			},
		},
	},
	{
		Name:  "start-role",
		Title: "CodeBuild may not assume the service role of the project that the pipeline starts",
		Advice: "Check that the project's role exists (names are case-sensitive), that its trust policy " +
			"lets codebuild.amazonaws.com call sts:AssumeRole, and that STS is active in this " +
			"region. Then retry the stage. A role policy cannot cure this.",
		Remedy: "report",
		rules: []rule{
			{
				phase: []string{"START"},
				code:  []string{"InvalidInputException"},
				says:  []string{"codebuild is not authorized to perform: sts:assumerole"},
			},
		},
	},
	{
		Name:  "start-pipeline-role",
		Title: "The pipeline's own role {role} may not start the build",
		Advice: "Allow {call} on {project} to the role {role} of account {account}, then retry the " +
			"stage. That is the pipeline's role and not the build's, so nothing in Buildmedic's " +
			"settings gives it anything.",
		Remedy: "report",
		rules: []rule{
			{
				phase: []string{"START"},
				code:  []string{"AccessDeniedException"},
				says:  []string{"is not authorized to perform: codebuild:startbuild"},
				like: &pattern{source: "^AccessDeniedException: User: " +
					"arn:aws[a-z-]*:sts::(?P<account>[0-9]{12}):assumed-role/(?P<role>[\\w+=,.@-]{1,64})/[\\w" +
					"+=,.@-]+ is not authorized to perform: (?P<call>codebuild:StartBuild(Batch)?) on " +
					"resource: (?P<project>arn:aws[a-z-]*:codebuild:\\S+/[A-Za-z0-9_-]+)(?: |$)"},
			},
		},
	},
	{
		Name:  "start-refused",
		Title: "CodeBuild refused to start the pipeline's build",
		Advice: "There is no build, and no log. What CodeBuild answered stands beside this. Once its " +
			"reason is gone, retry the stage.",
		Remedy: "report",
		rules: []rule{
			{phase: []string{"START"}},
		},
	},
	{
		Name:  "service-role-not-assumable",
		Title: "CodeBuild may not assume the project's service role",
		Advice: "Check that the role exists (names are case-sensitive), that its trust policy lets " +
			"codebuild.amazonaws.com call sts:AssumeRole, and that STS is active in this region. A " +
			"role policy cannot cure this.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"codebuild is not authorized to perform: sts:assumerole"}},
		},
	},
	{
		Name:  "service-role-edited",
		Title: "The console cannot update a service role that somebody edited",
		Advice: "The policy that CodeBuild made was changed by hand. Clear \"Allow AWS CodeBuild to " +
			"modify this service role\" in the project's settings, or restore the policy that " +
			"CodeBuild made.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"was not created by enhanced zero click role creation"}},
		},
	},
	{
		Name:  "s3-block-public-access",
		Title: "S3 Block Public Access refused a public policy or ACL",
		Advice: "No permission is missing. Deploy without a public bucket policy or ACL (serve the " +
			"bucket through CloudFront with origin access control), or have the bucket's owner turn " +
			"this setting off on purpose.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"setting in s3 block public access"}},
			{says: []string{"block public access setting"}},
			{says: []string{"prevented by the blockpublic"}},
		},
	},
	{
		Name:  "bucket-acl-not-supported",
		Title: "The bucket does not take ACLs",
		Advice: "Object ownership of the bucket is \"bucket owner enforced\". Drop --acl (or the ACL " +
			"property) from the command, or set the bucket's object ownership to \"bucket owner " +
			"preferred\".",
		Remedy: "report",
		rules: []rule{
			{says: []string{"accesscontrollistnotsupported"}},
			{says: []string{"the bucket does not allow acls"}},
			{says: []string{"bucket cannot have acls set with objectownership"}},
		},
	},
	{
		Name:  "lake-formation-denied",
		Title: "Lake Formation does not let the caller use the table or database",
		Advice: "These are Lake Formation's own permissions, not IAM's: a data lake administrator must " +
			"grant the role what the message names (aws lakeformation grant-permissions), or hand " +
			"the table back to IAM (IAMAllowedPrincipals).",
		Remedy: "report",
		rules: []rule{
			{says: []string{"lake formation permission"}},
			{says: []string{"requester is not authorized to access requested permissions"}},
		},
	},
	{
		Name:  "bedrock-model-access",
		Title: "The account has no access to this Bedrock model",
		Advice: "Model access is turned on per account and region in the Bedrock console (Model access), " +
			"by somebody who may accept the model's terms. A policy does not cure it.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"you don't have access to the model with the specified model id"}},
			{says: []string{"model access is denied due to"}},
		},
	},
	{
		Name:  "passed-role-unusable",
		Title: "A service cannot assume the role that it was given",
		Advice: "The role's trust policy must name the service that uses it (as in " +
			"lambda.amazonaws.com), the role must exist in this account, and its policies must allow " +
			"what the message names. A role made seconds ago is often not known everywhere yet: then " +
			"start the build again. The build's own permissions are not the reason.",
		Remedy:    "report",
		Retryable: true,
		rules: []rule{
			{says: []string{"cannot be assumed"}, not: []string{"iam role (arn"}},
			{
				says: []string{"unable to assume"},
				like: &pattern{source: "(?i)(service|\\w+) (is|was) unable to assume|unable to assume the service linked role"},
			},
			{says: []string{"error in assuming"}},
			{says: []string{"could not assume role"}, not: []string{"oidc", "sts:assumerole"}},
			{
				says: []string{"to assume the "},
				not:  []string{"the credentials do not have"},
				like: &pattern{source: "(?i)(allow|authorized|required|permissions?) .*to assume the (provided )?role"},
			},
			{says: []string{"is not authorized to perform assumerole on role"}},
			{says: []string{"invalid iam instance profile"}},
			{says: []string{"the role being passed has the proper trust relationship"}},
			{
				says: []string{"is not configured properly"},
				like: &pattern{source: "(?i)IAM Role \\S+ is not configured properly"},
			},
			{says: []string{"trust relationship policy allows the action"}},
			{
				says: []string{"does not have"},
				like: &pattern{source: "(?i)\\bthe role '?arn:\\S+ does not have .*\\bpermissions?\\b"},
			},
		},
	},
	{
		Name:  "connection-access-denied",
		Title: "Access to a CodeConnections connection is refused",
		Advice: "The role that uses it (a stack's or project's own, not always the build's) needs " +
			"codeconnections:UseConnection, GetConnection and GetConnectionToken on the connection " +
			"(codestar-connections: for old ARNs). A role made in the same stack must have them " +
			"before the project is made. The connection must also be available in the console.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"access denied to connection"}},
			{says: []string{"is not authorized to access connection"}},
		},
	},
	{
		Name:  "fleet-vpc-unauthorized",
		Title: "CodeBuild could not place the build of a fleet in its VPC",
		Advice: "EC2 says only UnauthorizedOperation. The fleet {fleet} has a service role of its own, " +
			"which needs the VPC set for its machines. A build that overflows to on-demand compute " +
			"is placed with the project's service role: give that the set vpc-build as well, or let " +
			"overflow wait in the queue.",
		Remedy: "report",
		when:   when{fleet: is},
		rules: []rule{
			{
				code: []string{"VPC_CLIENT_ERROR"},
				says: []string{"unauthorizedoperation"},
				not:  []string{"is not authorized to perform"},
			},
		},
	},
	{
		Name:  "vpc-unauthorized",
		Title: "CodeBuild could not place the build in its VPC",
		Advice: "EC2 says only UnauthorizedOperation. Either the service role lacks the VPC set " +
			"(ec2:CreateNetworkInterface, ec2:CreateNetworkInterfacePermission, " +
			"ec2:DeleteNetworkInterface, ec2:DescribeDhcpOptions, DescribeNetworkInterfaces, " +
			"DescribeSecurityGroups, DescribeSubnets, DescribeVpcs), or all subnets of the project " +
			"are public: it needs private ones with a NAT gateway.",
		Remedy: "report",
		rules: []rule{
			{
				code: []string{"VPC_CLIENT_ERROR"},
				says: []string{"unauthorizedoperation"},
				not:  []string{"is not authorized to perform"},
			},
		},
	},
	{
		Name:  "not-subscribed",
		Title: "The account is not signed up for this service",
		Advice: "AWS answers OptInRequired or SubscriptionRequired. Open the service once in the console " +
			"of this account, or accept the product's terms in AWS Marketplace. A policy does not " +
			"cure it.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"optinrequired"}},
			{says: []string{"subscriptionrequiredexception"}},
			{says: []string{"needs a subscription for the service"}},
			{says: []string{"in order to use this aws marketplace product"}},
		},
	},
	{
		Name:  "account-restricted",
		Title: "AWS restricts the account: it is new, unverified or blocked",
		Advice: "No permission is missing. Complete the account's verification (payment method, " +
			"telephone), or ask AWS Support to lift the restriction. A check that AWS has begun ends " +
			"by itself, most often within hours.",
		Remedy:    "report",
		Retryable: true,
		rules: []rule{
			{says: []string{"this aws account currently does not support"}},
			{says: []string{"your account must be verified before"}},
			{says: []string{"pendingverification"}},
			{says: []string{"account is currently blocked"}},
			{says: []string{"request for accessing resources in this region is being validated"}},
			{says: []string{"account is currently being verified"}},
			{says: []string{"your account is not authorized to invoke this"}},
		},
	},
	{
		Name:  "batch-role-denied",
		Title: "The batch's own role may not start its builds",
		Advice: "A batch has a role of its own (buildBatchConfig.serviceRole of the project). It needs " +
			"codebuild:StartBuild, codebuild:StopBuild and codebuild:RetryBuild on the project. Do " +
			"not give them to the role of the builds: a build that may start builds gets around the " +
			"batch's limits.",
		Remedy:    "report",
		Retryable: true,
		rules: []rule{
			{
				phase: []string{"DOWNLOAD_BATCHSPEC", "IN_PROGRESS", "COMBINE_ARTIFACTS"},
				denial: &denialRule{
					actions: []string{"codebuild:StartBuild", "codebuild:StopBuild", "codebuild:RetryBuild"},
				},
			},
		},
	},
	{
		Name:  "denied-by-scp",
		Title: "A service control policy denies {denied}",
		Advice: "The organization forbids it for this account; no policy on the role can allow it. Ask " +
			"those who manage AWS Organizations to change the service control policy, or build " +
			"without the call.",
		Remedy: "report",
		rules: []rule{
			{denial: &denialRule{layer: []buildlog.Layer{"service-control-policy"}}},
		},
	},
	{
		Name:  "denied-by-rcp",
		Title: "A resource control policy denies {denied}",
		Advice: "The organization protects the resource against this caller; no policy on the role can " +
			"allow it. Ask those who manage AWS Organizations to change the resource control policy.",
		Remedy: "report",
		rules: []rule{
			{denial: &denialRule{layer: []buildlog.Layer{"resource-control-policy"}}},
		},
	},
	{
		Name:  "denied-by-boundary",
		Title: "The role's permissions boundary does not allow {denied}",
		Advice: "A boundary caps what any policy on the role can give. Whoever set it must add the " +
			"action to the boundary first; the role may then still need the permission itself.",
		Remedy: "report",
		rules: []rule{
			{denial: &denialRule{layer: []buildlog.Layer{"permissions-boundary"}}},
		},
	},
	{
		Name:  "denied-by-session-policy",
		Title: "The session's policy does not allow {denied}",
		Advice: "Whoever assumed the role passed a session policy that narrows it. Change the call that " +
			"assumes the role (policy or policy ARNs of AssumeRole); changing the role itself does " +
			"not help.",
		Remedy: "report",
		rules: []rule{
			{denial: &denialRule{layer: []buildlog.Layer{"session-policy"}}},
		},
	},
	{
		Name:  "denied-by-vpc-endpoint",
		Title: "A VPC endpoint's policy does not allow {denied}",
		Advice: "The call went through a VPC endpoint whose policy does not let it pass. The network's " +
			"owner must add the action, resource and role to the endpoint policy.",
		Remedy: "report",
		rules: []rule{
			{denial: &denialRule{layer: []buildlog.Layer{"vpc-endpoint-policy"}}},
		},
	},
	{
		Name:  "denied-by-trust-policy",
		Title: "The trust policy of the role to assume does not allow {denied}",
		Advice: "The owner of the target role must name the build's role as a principal in the target's " +
			"trust policy. Permissions on the build's role do not help here.",
		Remedy: "report",
		rules: []rule{
			{denial: &denialRule{layer: []buildlog.Layer{"role-trust-policy"}}},
		},
	},
	{
		Name:  "denied-by-resource-policy",
		Title: "The resource's own policy does not allow {denied}",
		Advice: "The owner of the resource must change its policy (bucket, repository, key, queue, " +
			"secret ...). If it is in another account, the build's role needs the same permission as " +
			"well: AWS names only one of the two.",
		Remedy: "report",
		rules: []rule{
			{denial: &denialRule{layer: []buildlog.Layer{"resource-based-policy"}}},
		},
	},
	{
		Name:  "explicit-deny",
		Title: "A policy explicitly denies {denied}",
		Advice: "A deny statement beats every allow, so nothing that is added to the role helps. Find " +
			"the Deny statement that covers the call and have its owner narrow it.",
		Remedy: "report",
		rules: []rule{
			{denial: &denialRule{effect: []buildlog.Effect{"explicit"}}},
		},
	},
	{
		Name:  "custom-resource-denied",
		Title: "The function behind a custom resource was refused",
		Advice: "It is that function that was refused, with its own role, not the build's. Read its log " +
			"(CloudWatch, /aws/lambda/NAME) and give the permission to its role.",
		Remedy: "report",
		rules: []rule{
			{denial: &denialRule{action: "unknown"}, says: []string{"from custom resource"}},
		},
	},
	{
		Name:  "denied-to-another",
		Title: "{denied} was denied to {principal}, not to this build",
		Advice: "A permission of the build's role cannot help. If the build acts as somebody else (a " +
			"role that it assumes, a user's keys, CloudFormation's role), grant it there, once " +
			"CloudTrail shows that it was denied. If a script or test only prints this text, look " +
			"for what else failed around that line.",
		Remedy: "report",
		rules: []rule{
			{
				denial: &denialRule{
					layer:  []buildlog.Layer{"identity-based-policy", "unstated"},
					effect: []buildlog.Effect{"implicit", "unstated"},
					other:  true,
					every:  true,
				},
			},
		},
	},
	{
		Name:  "refused-without-reason",
		Title: "{denied} was answered with 403 and no reason",
		Advice: "The answer had no body, so this may be a login that has expired (Amazon ECR's lasts 12 " +
			"hours) or is another registry's, a policy of the repository or of the account that owns " +
			"it, a quota, or a permission that the role lacks. Nothing is granted for it. Log in " +
			"again just before; then make the call with the AWS CLI in the buildspec, which prints " +
			"the reason.",
		Remedy: "report",
		rules: []rule{
			{denial: &denialRule{bare: true}},
		},
	},
	{
		Name:  "cross-account-pass-role",
		Title: "A role of another account cannot be passed",
		Advice: "A caller can pass only roles of its own account to a service, whatever its permissions: " +
			"none cures this. Name a role of the account in which the resource is made, or make the " +
			"call with credentials of the role's own account.",
		Remedy: "report",
		rules: []rule{
			{denial: &denialRule{reason: "cross-account pass role"}},
			{says: []string{"cross-account pass role is not allowed"}},
		},
	},
	{
		Name:  "kms-key-denied",
		Title: "A KMS key does not exist, or the role may not use it",
		Advice: "KMS does not say which. Check that the key exists in this region; then give the role " +
			"kms:Decrypt on it, and see that the key's policy lets the account or the role use it.",
		Remedy: "report",
		rules: []rule{
			{denial: &denialRule{}, says: []string{"ciphertext refers to a customer master key"}},
			{denial: &denialRule{}, says: []string{"access to kms is not allowed"}},
			{denial: &denialRule{reason: "ciphertext refers to a customer master key"}},
		},
	},
	{
		Name:  "object-missing-or-denied",
		Title: "S3 refuses HeadObject: the object does not exist, or the role lacks s3:GetObject",
		Advice: "To a role without s3:ListBucket, S3 answers 403 for a missing key too. So first check " +
			"whether the key exists. If it does, allow {denied} in buildmedic.yaml, and Buildmedic " +
			"adds it to the role and starts the build again, unless the role already has it. If it " +
			"does not, correct the key, or first run what creates it; with s3:ListBucket on the " +
			"bucket, S3 says 404.",
		Remedy: "grant",
		rules: []rule{
			{
				denial: &denialRule{
					layer:     []buildlog.Layer{"identity-based-policy", "unstated"},
					effect:    []buildlog.Effect{"implicit", "unstated"},
					action:    "known",
					operation: []string{"HeadObject"},
					reason:    "none",
					every:     true,
				},
			},
		},
	},
	{
		Name:  "log-denied",
		Title: "The role lacks {denied}, so nothing says why a command failed",
		Advice: "Allow it in buildmedic.yaml, and Buildmedic adds it to the role and starts the build " +
			"again; or add it by hand. The failed command was {command} (exit status {exit}); what " +
			"it printed was never written, so the next run will show why it failed.",
		Remedy: "grant",
		rules: []rule{
			{
				code:  []string{"COMMAND_EXECUTION_ERROR"},
				nolog: true,
				denial: &denialRule{
					layer:   []buildlog.Layer{"identity-based-policy", "unstated"},
					effect:  []buildlog.Effect{"implicit", "unstated"},
					actions: []string{"logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"},
					reason:  "none",
					every:   true,
				},
			},
		},
	},
	{
		Name:  "missing-permission",
		Title: "The role lacks {denied}",
		Advice: "Allow it in buildmedic.yaml, and Buildmedic adds it to the role and starts the build " +
			"again; or add it to a policy of the role by hand.",
		Remedy: "grant",
		rules: []rule{
			{
				denial: &denialRule{
					layer:  []buildlog.Layer{"identity-based-policy", "unstated"},
					effect: []buildlog.Effect{"implicit", "unstated"},
					action: "known",
					reason: "none",
					every:  true,
				},
			},
		},
	},
	{
		Name:  "secret-access-denied",
		Title: "The role may not read a variable that the project keeps in AWS",
		Advice: "The service role needs secretsmanager:GetSecretValue on the secret, or " +
			"ssm:GetParameters on the parameter, and kms:Decrypt on its key if that is a " +
			"customer-managed one, whose policy must let it in. AWS does not say which is missing.",
		Remedy: "report",
		rules: []rule{
			{
				code:   []string{"Secrets Manager Error", "Decrypted Variables Error"},
				denial: &denialRule{action: "unknown"},
			},
		},
	},
	{
		Name:  "source-access-denied",
		Title: "S3 denies CodeBuild the source",
		Advice: "The service role needs s3:GetObject and s3:GetObjectVersion on the bucket that the " +
			"source version names, and kms:Decrypt on the key that encrypts it. S3 does not say " +
			"which of the two is missing.",
		Remedy: "report",
		rules: []rule{
			{denial: &denialRule{action: "unknown"}, says: []string{"for primary source"}},
			{phase: []string{"DOWNLOAD_SOURCE"}, denial: &denialRule{action: "unknown"}},
		},
	},
	{
		Name:  "denied-for-another-reason",
		Title: "AWS refuses {denied} for a reason of its own",
		Advice: "AWS says why, and it is not that a permission of the role is missing, or nobody knows " +
			"that a permission cures it. So nothing is granted. Read the reason, and cure that.",
		Remedy: "report",
		rules: []rule{
			{denial: &denialRule{reason: "given"}},
		},
	},
	{
		Name:  "denied-unspecified",
		Title: "AWS denied access and does not say {unsaid}",
		Advice: "The text names no action, so nothing can be granted from it. Look in CloudTrail for the " +
			"role's events with an errorCode of AccessDenied at the time of the build.",
		Remedy: "report",
		rules: []rule{
			{denial: &denialRule{action: "unknown"}},
			{denial: &denialRule{}},
			{says: []string{"httpstatuscode: 403"}, also: []string{"unknownerror"}},
			{says: []string{"statuscode(403)"}},
			{says: []string{"forbidden", "no further error information was returned by the service"}},
			{says: []string{"'s3://", "status code 403 from server"}},
			{says: []string{"server returned non-2xx status code: 403"}},
			{says: []string{"aws error access_denied during "}},
			{
				says: []string{"null (service: "},
				like: &pattern{source: "null \\(Service: [^,;]+[,;] Status Code: 403[,;]"},
			},
			{says: []string{"aws::"}, like: &pattern{source: "\\bAws::\\w+::Errors::Forbidden\\b"}},
			{says: []string{"unhandled error (accessdenied"}},
		},
	},
	{
		Name:  "vpc-without-nat",
		Title: "The build gets no answer from outside of its VPC",
		Advice: "It runs in {vpc}, without a public address of its own, so a public subnet leads " +
			"nowhere. Give the project private subnets with a route to a NAT gateway, or VPC " +
			"endpoints for all that it calls, whose security groups admit it; and let its own " +
			"security group send out (TCP 443). If other builds of the project do get through, start " +
			"this one again.",
		Remedy:    "report",
		Retryable: true,
		when:      when{vpc: is, internet: isNot},
		rules: []rule{
			{any: "unanswered"},
			{status: []string{"TIMED_OUT"}, phase: []string{"DOWNLOAD_SOURCE"}},
		},
	},
	{
		Name:  "fleet-queue-timed-out",
		Title: "No machine of the reserved capacity was free in time",
		Advice: "Each machine of the fleet {fleet} takes one build. Raise its capacity, or how far it " +
			"may scale; let overflow run on demand instead of waiting; or give the project a longer " +
			"queued timeout. If no build of the fleet starts, look at its status.",
		Remedy:    "retry",
		Retryable: true,
		when:      when{fleet: is},
		rules: []rule{
			{status: []string{"TIMED_OUT"}, phase: []string{"QUEUED"}},
		},
	},
	{
		Name:  "fleet-without-capacity",
		Title: "AWS has no machine for the reserved capacity right now",
		Advice: "Start the build again later. If it recurs, let overflow of the fleet {fleet} run on " +
			"demand, choose another instance type, or give it subnets in more zones.",
		Remedy:    "retry",
		Retryable: true,
		when:      when{fleet: is},
		rules: []rule{
			{phase: []string{"SUBMITTED", "QUEUED", "PROVISIONING"}, says: []string{"insufficient_capacity"}},
			{
				phase: []string{"SUBMITTED", "QUEUED", "PROVISIONING"},
				says:  []string{"insufficientinstancecapacity"},
			},
			{phase: []string{"SUBMITTED", "QUEUED", "PROVISIONING"}, says: []string{"sufficient capacity"}},
		},
	},
	{
		Name:  "fleet-not-usable",
		Title: "The reserved capacity takes no builds",
		Advice: "Look at the fleet's status and message: aws codebuild batch-get-fleets --names {fleet}. " +
			"One that could not be made or changed, that is to be deleted, or that needs something " +
			"of you (ACTION_REQUIRED) takes none. Put that right, or choose another fleet or " +
			"on-demand compute in the project.",
		Remedy: "report",
		when:   when{fleet: is},
		rules: []rule{
			{
				phase: []string{"SUBMITTED", "QUEUED", "PROVISIONING"},
				says:  []string{"fleet"},
				like: &pattern{source: "(?i)\\bfleet\\b.*\\b(not found|not exist|not (in )?active|not " +
					"available|deleted|deletion|failed|invalid)\\b"},
			},
			{phase: []string{"SUBMITTED", "QUEUED", "PROVISIONING"}, says: []string{"action_required"}},
			{phase: []string{"SUBMITTED", "QUEUED", "PROVISIONING"}, says: []string{"pending_deletion"}},
			{phase: []string{"SUBMITTED", "QUEUED", "PROVISIONING"}, says: []string{"update_rollback_failed"}},
		},
	},
	{
		Name:  "lambda-time-limit",
		Title: "The build ran longer than Lambda compute lets it",
		Advice: "Lambda compute ends each build after 15 minutes, and no setting gives it more. See what " +
			"the last lines wait for. A build that needs longer belongs on EC2 compute (the " +
			"project's environment settings), or has to be split.",
		Remedy:    "report",
		Retryable: true,
		when:      when{environment: []string{"LAMBDA"}},
		rules: []rule{
			{
				status: []string{"TIMED_OUT"},
				phase: []string{
					"PROVISIONING",
					"DOWNLOAD_SOURCE",
					"INSTALL",
					"PRE_BUILD",
					"BUILD",
					"POST_BUILD",
					"UPLOAD_ARTIFACTS",
				},
			},
			{
				phase: []string{
					"PROVISIONING",
					"DOWNLOAD_SOURCE",
					"INSTALL",
					"PRE_BUILD",
					"BUILD",
					"POST_BUILD",
					"UPLOAD_ARTIFACTS",
				},
				code: []string{"BUILD_TIMED_OUT"},
			},
		},
	},
	{
		Name:  "queue-timed-out",
		Title: "The build timed out in the queue",
		Advice: "Other builds hold the account's or the project's concurrency. Start it again when they " +
			"are done; if it happens often, raise the concurrent build limit in Service Quotas, or " +
			"on the project.",
		Remedy:    "retry",
		Retryable: true,
		rules: []rule{
			{status: []string{"TIMED_OUT"}, phase: []string{"QUEUED"}},
		},
	},
	{
		Name:  "batch-timed-out",
		Title: "The batch reached its time limit",
		Advice: "Its builds together took longer than a batch of the project may " +
			"(buildBatchConfig.timeoutInMins): raise that limit, or have fewer builds wait for each " +
			"other.",
		Remedy:    "report",
		Retryable: true,
		rules: []rule{
			{
				status: []string{"TIMED_OUT"},
				phase:  []string{"DOWNLOAD_BATCHSPEC", "IN_PROGRESS", "COMBINE_ARTIFACTS"},
			},
		},
	},
	{
		Name:  "build-timed-out",
		Title: "The build reached its time limit",
		Advice: "See what the last lines wait for: a prompt for input, a server that was never stopped, " +
			"a stack or a service that does not settle. If it only needs longer, raise the project's " +
			"timeout.",
		Remedy:    "report",
		Retryable: true,
		rules: []rule{
			{code: []string{"BUILD_TIMED_OUT"}},
			{status: []string{"TIMED_OUT"}},
			{says: []string{"build has timed out."}, like: &pattern{source: "^Build has timed out\\."}},
			{says: []string{"build timed out"}, like: &pattern{source: "\\bMessage: Build timed out$"}},
			{says: []string{"unable to complete build after"}},
		},
	},
	{
		Name:  "batchspec-not-found",
		Title: "The batch found no buildspec",
		Advice: "Commit a buildspec.yml with a batch section at the root of the source, or give its path " +
			"in the project's settings. Paths are case-sensitive and relative to the root.",
		Remedy: "report",
		rules: []rule{
			{
				phase: []string{"DOWNLOAD_BATCHSPEC"},
				says:  []string{"does not exist"},
				like:  &pattern{source: "(?i)\\b(yaml file|buildspec|file)\\b.*does not exist"},
			},
			{phase: []string{"DOWNLOAD_BATCHSPEC"}, says: []string{"no such file or directory"}},
			{phase: []string{"DOWNLOAD_BATCHSPEC"}, says: []string{"cannot find the file specified"}},
			{
				phase: []string{"DOWNLOAD_BATCHSPEC"},
				says:  []string{"not found"},
				like:  &pattern{source: "(?i)\\bbuildspec\\b.*\\bnot found\\b"},
			},
		},
	},
	{
		Name:  "batch-section-missing",
		Title: "The buildspec has no batch section",
		Advice: "A batch build needs a batch section in the buildspec (build-list, build-graph, " +
			"build-matrix or build-fanout). Add one, or start the project as a single build.",
		Remedy: "report",
		rules: []rule{
			{
				phase: []string{"DOWNLOAD_BATCHSPEC"},
				says:  []string{"batch"},
				like: &pattern{source: "(?i)\\b(no|missing|without|require[sd]?|lacks?|must " +
					"(have|contain|specify))\\b.{0,40}\\bbatch\\b|\\bbatch\\b.{0,40}\\b(missing|not " +
					"(found|defined|specified|present)|required)\\b"},
			},
		},
	},
	{
		Name:  "batchspec-invalid",
		Title: "The buildspec of the batch cannot be read",
		Advice: "The message names the line or the key. Common: a tab, version: \"0.2\" in quotes (a " +
			"batch wants the number 0.2), an identifier that stands twice or is not of letters, " +
			"digits and underscores, a depend-on that names no build.",
		Remedy: "report",
		rules: []rule{
			{phase: []string{"DOWNLOAD_BATCHSPEC"}, code: []string{"YAML_FILE_ERROR"}},
			{phase: []string{"DOWNLOAD_BATCHSPEC"}, says: []string{"cannot unmarshal"}},
			{says: []string{"batch_build_error"}},
		},
	},
	{
		Name:  "buildspec-not-found",
		Title: "The build found no buildspec",
		Advice: "Commit a buildspec.yml at the root of the source, or give its path in the project's (or " +
			"the pipeline action's) settings. Paths are case-sensitive and relative to the root.",
		Remedy: "override-buildspec",
		rules: []rule{
			{code: []string{"YAML_FILE_ERROR"}, says: []string{"yaml file does not exist"}},
			{
				code: []string{"YAML_FILE_ERROR"},
				says: []string{"stat ", "no such file or directory"},
				like: &pattern{source: "stat (?P<buildspec>[^\\s:]+)"},
			},
			{code: []string{"YAML_FILE_ERROR"}, says: []string{"no such file or directory"}},
			{code: []string{"YAML_FILE_ERROR"}, says: []string{"cannot find the file specified"}},
			{
				says:   []string{"buildspec", "no such file or directory"},
				like:   &pattern{source: "\\bstat \\S*buildspec\\S*: no such"},
				remedy: "report",
			},
		},
	},
	{
		Name:  "buildspec-named-as-command",
		Title: "The buildspec's file name stands where commands belong",
		Advice: "Choose \"Use a buildspec file\" in the project's settings and give the name there; " +
			"under \"Insert build commands\", and in commands of a buildspec, it is run as a program.",
		Remedy: "report",
		rules: []rule{
			{
				says: []string{"buildspec"},
				like: &pattern{source: "(?i)buildspec[\\w.-]*\\.ya?ml: (line \\d+: )?((command )?not found|permission denied)"},
			},
		},
	},
	{
		Name:  "runtime-version-missing",
		Title: "The buildspec selects no runtime version",
		Advice: "This build image needs one: add runtime-versions (for instance nodejs: 22) under " +
			"phases, install.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"requires selecting at least one runtime version"}},
		},
	},
	{
		Name:  "runtime-version-unknown",
		Title: "The build image does not have the runtime version that the buildspec asks for",
		Advice: "Choose one of the versions that the message lists, or a newer build image in the " +
			"project's environment settings.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"unknown runtime version named"}},
			{says: []string{"unknown runtime named"}},
			{says: []string{"major version of alias", "is not supported in runtime"}},
		},
	},
	{
		Name:  "buildspec-invalid",
		Title: "The buildspec cannot be read",
		Advice: "The message names the line or the key. Common: a tab, a colon in an unquoted command " +
			"(quote the whole command), a misspelt phase (install, pre_build, build, post_build), a " +
			"command that is not a string.",
		Remedy: "report",
		rules: []rule{
			{code: []string{"YAML_FILE_ERROR"}},
			{says: []string{"invalid buildspec phase name"}},
			{says: []string{"expected commands[", "to be of string type"}},
		},
	},
	{
		Name:  "codebuild-account-limit",
		Title: "The account may not queue more builds",
		Advice: "Wait for running builds, or raise the concurrency in Service Quotas. A limit of 0 means " +
			"a new account: ask AWS Support to raise it.",
		Remedy:    "retry",
		Retryable: true,
		rules: []rule{
			{says: []string{"cannot have more than 0 builds in queue"}, remedy: "report"},
			{says: []string{"cannot have more than", "builds in queue"}},
			{says: []string{"accountlimitexceededexception"}},
			{says: []string{"project-level concurrent build limit"}, remedy: "report"},
			{
				says:        []string{"build failed to start"},
				like:        &pattern{source: "(?i)\\bbuild failed to start\\b"},
				consequence: true,
			},
			{says: []string{"account_limit_exceeded"}},
		},
	},
	{
		Name:  "compute-not-available",
		Title: "CodeBuild does not offer the project's compute type here",
		Advice: "The project asks for {compute} with {environment}. Not every region has each pair, nor " +
			"does each image fit; the user guide lists them under build environment compute types. " +
			"Choose another size, environment type or image in the project's environment settings. A " +
			"new start does not help.",
		Remedy: "report",
		rules: []rule{
			{
				phase: []string{"SUBMITTED", "QUEUED", "PROVISIONING"},
				says:  []string{"supported for projects with environment type"},
			},
			{
				phase: []string{"SUBMITTED", "QUEUED", "PROVISIONING"},
				says:  []string{"build_"},
				like: &pattern{source: "\\bBUILD_(GENERAL1|LAMBDA)_\\w+\\b.*\\b(is|are|was)?( not|n.t| un) " +
					"?-?(available|supported)"},
			},
			{
				phase: []string{"SUBMITTED", "QUEUED", "PROVISIONING"},
				says:  []string{"type"},
				like:  &pattern{source: "(?i)\\b(compute|environment) type \\S+ (is )?(not|un)[ -]?(available|supported)"},
			},
		},
	},
	{
		Name:  "compute-not-offered",
		Title: "CodeBuild does not offer this image, compute type or feature together",
		Advice: "The message names what does not fit: change it in the project, or in what deploys it. " +
			"Not every region has each environment and compute type; a curated image is for one " +
			"processor and kind of compute; Lambda compute has no VPC, cache, privileged mode or " +
			"queued timeout.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"supported for projects with environment type"}},
			{
				says: []string{"for lambda compute"},
				like: &pattern{source: "(?i)\\b(cannot|not|unsupported)\\b.* for lambda compute"},
			},
			{says: []string{"invalid codebuild environment:"}},
			{
				says: []string{"build_"},
				like: &pattern{source: "\\bBUILD_(GENERAL1|LAMBDA)_\\w+\\b.*\\b(is|are) (not|un)[ -]?(available|supported)"},
			},
			{
				says: []string{"type"},
				like: &pattern{source: "(?i)\\b(compute|environment) type (BUILD_\\w+|\\w+_(CONTAINER|EC2)|MAC_ARM) is " +
					"(not|un)[ -]?(available|supported)"},
			},
		},
	},
	{
		Name:  "codebuild-fault",
		Title: "CodeBuild itself failed",
		Advice: "Nothing in the source caused it. Start the build again; if it recurs, see the AWS " +
			"Health dashboard.",
		Remedy:    "retry",
		Retryable: true,
		rules: []rule{
			{code: []string{"INTERNAL_SERVICE_ERROR"}},
			{status: []string{"FAULT"}},
		},
	},
	{
		Name:  "container-found-dead",
		Title: "The build container died before the build was complete",
		Advice: "Most often it ran out of memory: use the next larger compute type. Other reasons: a " +
			"custom image without sh, an image for another architecture, proxy variables that cut " +
			"the agent off.",
		Remedy:    "report",
		Retryable: true,
		rules: []rule{
			{says: []string{"build container found dead"}},
		},
	},
	{
		Name:  "insufficient-subnet",
		Title: "No subnet of the project can take the build",
		Advice: "The subnets' address ranges overlap those that Docker keeps for itself (172.17.0.0/16), " +
			"or have no free address. Give the project other private subnets.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"insufficient_subnet"}},
			{says: []string{"insufficientfreeaddressesinsubnet"}},
		},
	},
	{
		Name:  "efs-mount-failed",
		Title: "The EFS file system could not be mounted",
		Advice: "Let the build's security group reach the mount target on TCP 2049, check that the mount " +
			"target is in the build's VPC and zone, that the file system policy lets the role mount, " +
			"and that the project is privileged.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"mounting '", "' failed"}},
			{says: []string{"mount.nfs4:"}},
			{says: []string{"failed to resolve \"fs-"}},
		},
	},
	{
		Name:  "source-authorization-failed",
		Title: "The source host refused CodeBuild's credentials",
		Advice: "With a connection, the service role needs codeconnections:GetConnectionToken, " +
			"GetConnection and UseConnection on it (codestar-connections: for old ARNs). With a " +
			"token, renew it in the project's source settings, with access to this repository.",
		Remedy: "report",
		rules: []rule{
			{
				says: []string{"authorization failed for"},
				like: &pattern{source: "authorization failed for (primary|secondary) source"},
			},
			{says: []string{"failed to get access token from"}},
			{says: []string{"oauthproviderexception"}},
			{says: []string{"could not find access token for server type"}},
		},
	},
	{
		Name:  "github-runner-unavailable",
		Title: "GitHub gave no token for the self-hosted runner",
		Advice: "The project's credential needs administration rights on the repository (or " +
			"organization) to register runners. If it has them, GitHub had an outage: start the job " +
			"again.",
		Remedy:    "report",
		Retryable: true,
		rules: []rule{
			{says: []string{"error while fetching runner token"}},
			{says: []string{"github runner jit configuration unavailable"}},
		},
	},
	{
		Name:  "runner-registration-failed",
		Title: "GitHub did not register the self-hosted runner",
		Advice: "GitHub answers 404 or 403 for a wrong URL (organization or repository) and for a " +
			"registration token that has expired (after an hour), was used for another URL, or came " +
			"from a credential without administration rights. Get a fresh token in the same build.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"http response code: notfound"}},
			{says: []string{"http response code: forbidden"}},
			{says: []string{"invalid configuration provided for token"}},
			{says: []string{"cannot configure the runner because it is already configured"}},
		},
	},
	{
		Name:  "runner-outdated",
		Title: "The self-hosted runner is too old for GitHub",
		Advice: "Install the current release of actions/runner in the build's image or script; GitHub " +
			"turns old ones away.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"runner version", "is deprecated and cannot receive messages"}},
		},
	},
	{
		Name:  "runner-name-taken",
		Title: "A runner of this name is already connected to GitHub",
		Advice: "Give each runner a name of its own (the build's id), register it as ephemeral, and " +
			"remove those that died. Once the other one is gone, start the build again.",
		Remedy:    "report",
		Retryable: true,
		rules: []rule{
			{says: []string{"a session for this runner already exists"}},
			{says: []string{"a runner exists with the same name"}},
		},
	},
	{
		Name:  "submodule-failed",
		Title: "A Git submodule could not be fetched",
		Advice: "Give the build access to the submodule's repository (https with the same credential " +
			"rather than git@), turn on \"Git submodules\" in the source settings, and check that " +
			"the recorded commit exists.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"into submodule path", "failed"}},
			{says: []string{"fetched in submodule path"}},
			{says: []string{"no submodule mapping found in .gitmodules"}},
			{says: []string{"no url found for submodule path"}},
			{
				says: []string{"failed to clone '", "aborting"},
				like: &pattern{source: "Failed to clone '[^']+' a second time"},
			},
			{says: []string{"unable to find current", "revision in submodule path"}},
		},
	},
	{
		Name:  "source-not-found",
		Title: "The source repository does not exist, or is not visible to CodeBuild",
		Advice: "Check the repository's URL in the project, and that the project's credential or " +
			"connection may read it; hosts answer \"not found\" for what they do not show.",
		Remedy: "report",
		rules: []rule{
			{
				says: []string{"repository not found for"},
				like: &pattern{source: "repository not found for (primary|secondary) source"},
			},
			{says: []string{"remote: repository not found"}},
			{says: []string{"fatal: repository '", "not found"}},
			{says: []string{"error: repository not found"}},
		},
	},
	{
		Name:  "source-artifact-missing",
		Title: "The pipeline's source artifact is gone",
		Advice: "The object was deleted or has expired, for instance by a lifecycle rule, before the " +
			"build (or its retry) read it. Release the change again so that the source stage makes a " +
			"new artifact.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"nosuchkey", "for primary source"}},
			{says: []string{"nosuchbucket", "for primary source"}},
			{phase: []string{"DOWNLOAD_SOURCE"}, says: []string{"nosuchkey"}},
			{says: []string{"nosuchkey"}, also: []string{"for primary source"}},
		},
	},
	{
		Name:  "parameter-not-found",
		Title: "A parameter of Systems Manager Parameter Store does not exist",
		Advice: "Check its name, leading slash, region and account. Some tools also say this when the " +
			"role lacks ssm:GetParameters on it.",
		Remedy: "report",
		rules: []rule{
			{code: []string{"Decrypted Variables Error"}, says: []string{"does not exist"}},
			{code: []string{"Decrypted Variables Error"}, says: []string{"parameternotfound"}},
			{says: []string{"parameternotfound"}, not: []string{"cdk-bootstrap", "unknownerror"}},
			{says: []string{"parameternotfound: unknownerror"}, consequence: true},
			{says: []string{"parameter does not exist"}},
			{
				says: []string{"unable to fetch parameters [", "from parameter store"},
				not:  []string{"cdk-bootstrap"},
			},
		},
	},
	{
		Name:  "secret-not-found",
		Title: "A secret of Secrets Manager does not exist",
		Advice: "Check its name, region and account, the version stage, and the JSON key after the colon " +
			"in the buildspec (secret:key:stage:version).",
		Remedy: "report",
		rules: []rule{
			{says: []string{"secrets manager can't find the specified"}},
			{code: []string{"Secrets Manager Error"}, says: []string{"resourcenotfoundexception"}},
			{code: []string{"Secrets Manager Error"}, says: []string{"does not exist"}},
			{says: []string{"currently marked deleted", "secret"}},
			{says: []string{"can't find the specified secret"}},
		},
	},
	{
		Name:  "secret-unreadable",
		Title: "CodeBuild could not read the variables that the project keeps in AWS",
		Advice: "The context's message says why. Check the parameter's or secret's name and format: a " +
			"secret must be JSON if the buildspec asks for a key of it.",
		Remedy: "report",
		rules: []rule{
			{code: []string{"Secrets Manager Error", "Decrypted Variables Error"}},
		},
	},
	{
		Name:  "artifact-not-found",
		Title: "The build's artifacts are not where the buildspec looks for them",
		Advice: "Compare artifacts, files and base-directory in the buildspec with what the build wrote " +
			"(list it in post_build). Paths are relative to the source directory, not to where the " +
			"last command changed to.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"no matching artifact paths found"}},
			{says: []string{"no matching base directory path found"}},
		},
	},
	{
		Name:  "wrong-region",
		Title: "The call goes to another region than the resource's",
		Advice: "Set the region of the command, the client or the project's artifacts to the one in " +
			"which the bucket or resource is (AWS_DEFAULT_REGION, --region).",
		Remedy: "report",
		rules: []rule{
			{says: []string{"must be addressed using the specified endpoint"}},
			{says: []string{"failed to upload artifacts: invalid arn"}},
			{says: []string{"permanentredirect"}},
			{says: []string{"authorizationheadermalformed", "region"}},
			{says: []string{"the region '", "' is wrong; expecting"}},
			{says: []string{"illegallocationconstraintexception"}},
			{says: []string{"bucketregionerror"}},
			{says: []string{"requested bucket from", "actual location"}},
			{says: []string{"status code: 301"}, like: &pattern{source: "\\(Service: S3, Status Code: 301"}},
			{says: []string{"statuscode: 301"}},
		},
	},
	{
		Name:  "kms-key-unusable",
		Title: "A KMS key does not exist, is disabled or is about to be deleted",
		Advice: "Check the key that the project, bucket or parameter names: its region, account and " +
			"state. Enable it, cancel its deletion, or name another one.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"kms.notfoundexception"}},
			{says: []string{"kms.disabledexception"}},
			{says: []string{"kmsinvalidstateexception"}},
			{says: []string{"kmsdisabledexception"}},
			{says: []string{"notfoundexception", "arn:aws", ":kms:", "does not exist"}},
			{says: []string{"is pending deletion", "kms"}},
			{
				aws: &pattern{source: "^\\w*(K[Mm][Ss]|EncryptionKey|ManagedKey)\\w*(Disabled|NotFound|Invalid|NotAccessible|Un" +
					"available|Validation)\\w*:|^(Invalid\\w*K[Mm][Ss]|KeyUnavailable|(De|En)cryptionFailure)" +
					"\\w*:"},
			},
			{says: []string{"kms key does not exist"}},
		},
	},
	{
		Name:  "disk-full",
		Title: "The build's disk is full",
		Advice: "Use a larger compute type (it has more disk), remove what is not needed between steps " +
			"(docker system prune -af), or make images smaller.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"no space left on device"}, sure: true},
			{says: []string{"enospc"}, not: []string{"file watchers"}, sure: true},
			{says: []string{"disk quota exceeded"}, sure: true},
			{says: []string{"there is not enough space on the disk"}, sure: true},
			{says: []string{"you don't have enough free space in"}},
			{says: []string{"failure writing output to destination"}},
		},
	},
	{
		Name:  "file-watch-limit",
		Title: "The build used up the system's file watchers",
		Advice: "A tool runs in watch mode. Run it once instead (CI=true, --no-watch, --watchAll=false); " +
			"a build does not need to watch files.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"system limit for number of file watchers reached"}},
			{says: []string{"inotify watch limit"}},
		},
	},
	{
		Name:  "out-of-memory",
		Title: "The build ran out of memory",
		Advice: "Use a larger compute type, run fewer things at once (jest --maxWorkers=2, make -j2, no " +
			"Gradle daemon), or raise the tool's own limit (NODE_OPTIONS=--max-old-space-size, -Xmx) " +
			"if there is memory left.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"javascript heap out of memory"}, sure: true},
			{says: []string{"reached heap limit"}, sure: true},
			{says: []string{"java.lang.outofmemoryerror"}, sure: true},
			{says: []string{"gradle build daemon disappeared unexpectedly"}},
			{
				says: []string{"java heap space"},
				like: &pattern{source: "^\\s*(> )?Java heap space$"},
				sure: true,
			},
			{says: []string{"gc overhead limit exceeded"}, sure: true},
			{says: []string{"because the process exited too early"}},
			{says: []string{"allowed memory size of"}, sure: true},
			{says: []string{"expiring daemon because jvm heap space is exhausted"}, sure: true},
			{says: []string{"there is insufficient memory for the java runtime environment"}, sure: true},
			{says: []string{"cannot allocate memory"}, sure: true},
			{says: []string{"runtime: out of memory"}, sure: true},
			{says: []string{"memoryerror"}, like: &pattern{source: "^\\s*MemoryError\\b"}, sure: true},
			{says: []string{"out of memory: kill"}, sure: true},
			{says: []string{"oomkilled"}},
			{says: []string{"signal: killed"}},
			{
				says: []string{"sigkill"},
				like: &pattern{source: "(?i)(worker|process|exited|terminated|command|killed).*SIGKILL"},
			},
			{says: []string{"killed"}, like: &pattern{source: "^(\\S+: line \\d+: +\\d+ )?Killed\\b"}},
			{says: []string{"cannot start cc1plus"}, sure: true},
			{says: []string{"killed signal terminated program"}},
			{says: []string{"virtual memory exhausted"}, sure: true},
			{says: []string{"outofmemoryexception"}, sure: true},
			{exit: []string{"137"}},
			{says: []string{"resource temporarily unavailable"}, like: &pattern{source: "(?i)\\bfork\\b"}},
			{says: []string{"could not reserve enough space for"}},
			{says: []string{"container killed due to memory usage"}},
			{
				says: []string{"exit code: 137"},
				like: &pattern{source: "(did not complete successfully|Error: .*): exit code: 137\\b"},
			},
			{says: []string{"code 137"}, like: &pattern{source: "\\bexited with (exit )?code 137\\b"}},
			{
				says:        []string{"out of memory"},
				like:        &pattern{source: "(?i)\\bout of memory\\b"},
				consequence: true,
				shared:      true,
			},
		},
	},
	{
		Name:  "gpu-out-of-memory",
		Title: "The GPU ran out of memory",
		Advice: "Use smaller batches or another instance type, and run fewer processes on one GPU. The " +
			"message says how much was asked for, and what else holds memory.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"cuda out of memory"}},
			{says: []string{"hip out of memory"}},
			{says: []string{"cuda_error_out_of_memory"}},
			{says: []string{"cudaerrormemoryallocation"}},
			{says: []string{"resource_exhausted: out of memory"}},
		},
	},
	{
		Name:  "docker-rate-limit",
		Title: "The image registry's pull limit was reached",
		Advice: "Pull with a login (docker login before the pull), or from Amazon ECR: a pull-through " +
			"cache, or public.ecr.aws/docker/library for the official images. The limit refills " +
			"within hours.",
		Remedy:    "retry",
		Retryable: true,
		rules: []rule{
			{says: []string{"toomanyrequests:"}},
			{says: []string{"you have reached your pull rate limit"}},
			{says: []string{"you have reached your unauthenticated pull rate limit"}},
			{says: []string{"docker", "429 too many requests"}},
		},
	},
	{
		Name:  "docker-server-unreachable",
		Title: "The build does not reach its Docker server",
		Advice: "The project has a Docker server, and docker talks to that, so privileged mode in the " +
			"build does not help. The server's security groups must admit TCP 9876 from the " +
			"project's VPC. Its status and message are in aws codebuild batch-get-projects, under " +
			"environment, dockerServer; a server that was just starting may answer the next build.",
		Remedy:    "report",
		Retryable: true,
		when:      when{dockerServer: is},
		tests:     true,
		rules: []rule{
			{says: []string{"cannot connect to the docker daemon"}},
			{says: []string{"failed to connect to the docker api"}},
			{says: []string{"is the docker daemon running"}},
			{says: []string{"running aws sam projects locally requires docker"}},
			{says: []string{"dial unix", "docker.sock"}},
			{says: []string{"dial tcp", ":9876: "}},
			{says: []string{"pipe/docker_engine"}},
			{says: []string{"error while fetching server api version"}},
			{says: []string{"could not find a valid docker environment"}},
			{says: []string{"could not find a working container runtime strategy"}},
			{says: []string{"failed to start daemon:"}},
			{says: []string{"docker is unreachable"}},
			{says: []string{"requires docker. is docker running?"}},
		},
	},
	{
		Name:  "docker-server-failed",
		Title: "The Docker server of the project did not start",
		Advice: "Its status and message are in aws codebuild batch-get-projects, under environment, " +
			"dockerServer. Check its security groups and compute type, and that the project's " +
			"subnets have free addresses; then start the build again.",
		Remedy:    "report",
		Retryable: true,
		when:      when{dockerServer: is},
		rules: []rule{
			{phase: []string{"SUBMITTED", "QUEUED", "PROVISIONING"}, says: []string{"docker server"}},
			{phase: []string{"SUBMITTED", "QUEUED", "PROVISIONING"}, says: []string{"dockerserver"}},
		},
	},
	{
		Name:  "lambda-without-docker",
		Title: "Lambda compute has no Docker",
		Advice: "No setting turns it on there. Choose EC2 compute in the project's environment settings, " +
			"with privileged mode; or leave the image to another project, and build only the program " +
			"here.",
		Remedy: "report",
		when:   when{environment: []string{"LAMBDA"}},
		rules: []rule{
			{says: []string{"cannot connect to the docker daemon"}},
			{says: []string{"failed to connect to the docker api"}},
			{says: []string{"is the docker daemon running"}},
			{says: []string{"running aws sam projects locally requires docker"}},
			{says: []string{"dial unix", "docker.sock"}},
			{says: []string{"dial tcp", ":9876: "}},
			{says: []string{"pipe/docker_engine"}},
			{says: []string{"error while fetching server api version"}},
			{says: []string{"could not find a valid docker environment"}},
			{says: []string{"failed to start daemon:"}},
			{says: []string{"docker is unreachable"}},
			{says: []string{"requires docker. is docker running?"}},
			{says: []string{"docker: command not found"}},
			{says: []string{"docker: not found"}},
		},
	},
	{
		Name:  "machine-without-docker",
		Title: "No Docker daemon runs on the build's machine",
		Advice: "With {environment} the commands run on the machine itself; privileged mode is for " +
			"containers. Start Docker there before (systemctl start docker), or have the machine's " +
			"image do it, and wait until \"docker info\" answers.",
		Remedy: "report",
		when:   when{environment: []string{"EC2", "MAC"}},
		tests:  true,
		rules: []rule{
			{says: []string{"cannot connect to the docker daemon"}},
			{says: []string{"failed to connect to the docker api"}},
			{says: []string{"is the docker daemon running"}},
			{says: []string{"running aws sam projects locally requires docker"}},
			{says: []string{"dial unix", "docker.sock"}},
			{says: []string{"dial tcp", ":9876: "}},
			{says: []string{"pipe/docker_engine"}},
			{says: []string{"error while fetching server api version"}},
			{says: []string{"could not find a valid docker environment"}},
			{says: []string{"could not find a working container runtime strategy"}},
			{says: []string{"failed to start daemon:"}},
			{says: []string{"docker is unreachable"}},
			{says: []string{"requires docker. is docker running?"}},
		},
	},
	{
		Name:  "windows-without-docker",
		Title: "There is no Docker daemon in the Windows container",
		Advice: "Privileged mode is for Linux containers. Choose the environment type WINDOWS_EC2, where " +
			"the machine itself runs the commands, with Docker on it; build an image for Linux in a " +
			"Linux project.",
		Remedy: "report",
		when:   when{environment: []string{"WINDOWS"}},
		tests:  true,
		rules: []rule{
			{says: []string{"cannot connect to the docker daemon"}},
			{says: []string{"failed to connect to the docker api"}},
			{says: []string{"is the docker daemon running"}},
			{says: []string{"running aws sam projects locally requires docker"}},
			{says: []string{"dial unix", "docker.sock"}},
			{says: []string{"dial tcp", ":9876: "}},
			{says: []string{"pipe/docker_engine"}},
			{says: []string{"error while fetching server api version"}},
			{says: []string{"could not find a valid docker environment"}},
			{says: []string{"could not find a working container runtime strategy"}},
			{says: []string{"failed to start daemon:"}},
			{says: []string{"docker is unreachable"}},
			{says: []string{"requires docker. is docker running?"}},
		},
	},
	{
		Name:  "docker-daemon-not-started",
		Title: "Privileged mode is on, but no Docker daemon answers",
		Advice: "CodeBuild's own images start it by themselves. With your own image, start dockerd in " +
			"the install phase and wait until \"docker info\" answers. If it did run before, it " +
			"ended: its log says why, most often for want of memory or disk.",
		Remedy: "report",
		when:   when{privileged: is},
		tests:  true,
		rules: []rule{
			{says: []string{"cannot connect to the docker daemon"}},
			{says: []string{"failed to connect to the docker api"}},
			{says: []string{"is the docker daemon running"}},
			{says: []string{"running aws sam projects locally requires docker"}},
			{says: []string{"dial unix", "docker.sock"}},
			{says: []string{"dial tcp", ":9876: "}},
			{says: []string{"pipe/docker_engine"}},
			{says: []string{"error while fetching server api version"}},
			{says: []string{"could not find a valid docker environment"}},
			{says: []string{"could not find a working container runtime strategy"}},
			{says: []string{"failed to start daemon:"}},
			{says: []string{"docker is unreachable"}},
			{says: []string{"requires docker. is docker running?"}},
		},
	},
	{
		Name:  "docker-daemon-unavailable",
		Title: "There is no Docker daemon to talk to",
		Advice: "Turn on privileged mode in the project's environment settings. With your own image, " +
			"start dockerd in the install phase and wait until \"docker info\" answers.",
		Remedy: "report",
		tests:  true,
		rules: []rule{
			{says: []string{"cannot connect to the docker daemon"}},
			{says: []string{"failed to connect to the docker api"}},
			{says: []string{"is the docker daemon running"}},
			{says: []string{"running aws sam projects locally requires docker"}},
			{says: []string{"dial unix", "docker.sock"}},
			{says: []string{"dial tcp", ":9876: "}},
			{says: []string{"pipe/docker_engine"}},
			{says: []string{"error while fetching server api version"}},
			{says: []string{"could not find a valid docker environment"}},
			{says: []string{"could not find a working container runtime strategy"}},
			{says: []string{"failed to start daemon:"}},
			{says: []string{"docker is unreachable"}},
			{says: []string{"requires docker. is docker running?"}},
		},
	},
	{
		Name:  "ecr-image-limit",
		Title: "The ECR repository holds as many images as it may",
		Advice: "Give the repository a lifecycle policy that expires old images, or delete some; then " +
			"push again. The limit can be raised in Service Quotas.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"already has the maximum allowed number of images"}},
		},
	},
	{
		Name:  "pull-through-cache-refused",
		Title: "Amazon ECR may not fetch the image from the registry behind its cache",
		Advice: "The pull-through cache rule's secret (its name begins with ecr-pullthroughcache/, in " +
			"the same account and region) must hold a user name and token that the upstream registry " +
			"takes. Check the image's name too: Docker Hub's official images need library/ before " +
			"it. Try the rule: aws ecr validate-pull-through-cache-rule --ecr-repository-prefix " +
			"PREFIX.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"authentication to the upstream registry failed"}},
			{says: []string{"unabletogetupstreamimageexception"}},
			{says: []string{"unabletogetupstreamlayerexception"}},
			{says: []string{"unabletodecryptsecretvalueexception"}},
			{says: []string{"unabletoaccesssecretexception"}},
			{
				says: []string{"pull access denied for "},
				not:  []string{"no basic auth credentials", "user: arn:"},
				like: &pattern{source: "^(?:Error response from daemon: |ERROR: )?pull access denied for " +
					"\\d{12}\\.dkr\\.ecr\\.\\S+/(docker-hub|ecr-public|quay|kubernetes)/"},
			},
			{
				says: []string{"/docker-hub/", "403 forbidden"},
				like: &pattern{source: "\\.dkr\\.ecr\\.[\\w-]+\\.amazonaws\\.com\\S*/docker-hub/[^/\\s]+[:@\"]"},
			},
		},
	},
	{
		Name:  "docker-push-denied",
		Title: "The image registry refuses the push",
		Advice: "With Docker Hub and others: log in first, with a token that may write, and push under a " +
			"name that the account owns. With Amazon ECR, which prints the denied action most often: " +
			"check that the repository is in this account and region, and that the role has all " +
			"eight actions for pushing.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"push access denied"}, not: []string{"no basic auth credentials"}},
			{
				says: []string{"requested access to the resource is denied"},
				not:  []string{"pull access denied"},
				also: []string{"the push refers to repository"},
			},
			{
				command: []string{"push"},
				says:    []string{"requested access to the resource is denied"},
				not:     []string{"pull access denied"},
			},
			{
				says: []string{"requested access to the resource is denied"},
				also: []string{"docker push"},
				like: &pattern{source: "^denied: "},
			},
			{
				says: []string{"requested access to the resource is denied"},
				also: []string{"docker image push"},
				like: &pattern{source: "^denied: "},
			},
			{says: []string{"failed to push", "403 forbidden"}},
			{says: []string{"failed to push", "denied:"}, not: []string{"user: arn:"}},
			{
				says: []string{"checking push permission", "unauthorized"},
				not:  []string{"authentication required"},
			},
			{says: []string{"checking push permission", "denied"}, not: []string{"user: arn:"}},
			{
				says: []string{"error parsing http 403 response body"},
				also: []string{"the push refers to repository"},
			},
			{command: []string{"push"}, says: []string{"error parsing http 403 response body"}},
			{
				says: []string{"denied: "},
				not:  []string{"authorization token", "user: arn:"},
				also: []string{"the push refers to repository"},
				like: &pattern{source: "^denied: "},
			},
			{
				command: []string{"push"},
				says:    []string{"denied: "},
				not:     []string{"authorization token", "user: arn:"},
				like:    &pattern{source: "^denied: "},
			},
			{says: []string{"permission_denied: write_package"}},
			{
				says: []string{"installation not allowed to"},
				like: &pattern{source: "installation not allowed to (Write|Create) organization package"},
			},
			{says: []string{"failed to read from destination repository", "403 (forbidden)"}},
		},
	},
	{
		Name:  "registry-authentication-required",
		Title: "The image registry requires a login that the build did not do",
		Advice: "Log in to the registry of exactly this host and region before the push or pull (for " +
			"Amazon ECR: aws ecr get-login-password | docker login --username AWS --password-stdin " +
			"HOST). A login lasts 12 hours. docker-credential-ecr-login does not print why it got " +
			"none, often a denial: print ~/.ecr/log/ecr-login.log in the buildspec.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"no basic auth credentials"}, not: []string{"unable to pull customer"}},
			{says: []string{"your authorization token has expired"}},
			{says: []string{"please login prior to push"}},
			{says: []string{"unauthorized: authentication required"}},
			{says: []string{"unauthorized: authentication required"}},
			{says: []string{"authorization status: 401: authorization failed"}},
			{says: []string{"failed to authorize", "401 unauthorized"}},
			{says: []string{"insufficient_scope: authorization failed"}, not: []string{"pull access denied"}},
			{says: []string{"credentials not found in native keychain"}},
			{says: []string{"basic credential not found"}},
			{says: []string{"401 unauthorized: not authorized"}},
			{says: []string{"unexpected status code 401"}},
			{says: []string{"unexpected status from", "401 unauthorized"}},
			{says: []string{"/v2/", "response status code 401"}, not: []string{"authenticating to"}},
			{
				says: []string{"failed with status code ["},
				like: &pattern{source: "failed with status code \\[[^\\]]+\\]: 401"},
			},
			{says: []string{"unauthorized for "}, like: &pattern{source: "Unauthorized for \\S+: 401"}},
			{says: []string{"unauthorized: access token has insufficient scopes"}},
			{
				says: []string{": unauthorized"},
				like: &pattern{source: "(Head|Get) \"https://[^\"]+/v2/[^\"]+\": unauthorized\\b"},
			},
			{says: []string{"invalid status code from registry 401"}},
		},
	},
	{
		Name:  "docker-login-failed",
		Title: "The login to the image registry failed",
		Advice: "Check that the password reaches the command (an empty one makes docker ask for it), " +
			"that user, token and registry belong together, and that the token has not expired.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"cannot perform an interactive login from a non"}, consequence: true},
			{says: []string{"login attempt to", "failed with status"}},
			{says: []string{"unauthorized: incorrect username or password"}},
			{says: []string{"error saving credentials"}},
			{says: []string{"must provide --username with --password-stdin"}},
			{says: []string{"password is empty"}},
			{says: []string{"authenticating to \"", "status code 401"}},
			{says: []string{"invalid username/password"}},
			{says: []string{"error getting credentials - err:"}},
		},
	},
	{
		Name:  "pull-through-cache-missing",
		Title: "Amazon ECR has not cached {repository}, and does not fetch it",
		Advice: "The name is that of a pull-through cache. Either the registry has no rule for its " +
			"prefix in this account and region, or the role may not fill the cache: the first pull " +
			"of an image needs ecr:CreateRepository and ecr:BatchImportUpstreamImage as well (a " +
			"grant with the set ecr-pull-through). Creating the repository by hand does not fetch " +
			"the image.",
		Remedy: "report",
		rules: []rule{
			{
				says: []string{"the repository with name", "does not exist in the registry", "not found: name unknown"},
				like: &pattern{source: "repository with name " +
					"'(?P<repository>((ecr-public|kubernetes|quay|docker-hub)/[^']+|[^'/]+/library/[^']+))' " +
					"does not exist"},
			},
		},
	},
	{
		Name:  "ecr-repository-not-found",
		Title: "The ECR repository {repository} does not exist",
		Advice: "Create the repository, or correct its name, account or region in the build. Buildmedic " +
			"can create it where a grant says create: true, and Amazon ECR at the push, where a " +
			"repository creation template for its prefix has CREATE_ON_PUSH.",
		Remedy: "create-repository",
		rules: []rule{
			{
				says: []string{"the repository with name", "does not exist in the registry"},
				not:  []string{"not found: name unknown"},
				like: &pattern{source: "repository with name '(?P<repository>[^']+)' does not exist in the registry with id " +
					"'(?P<registry>[^']*)'"},
			},
			{
				says: []string{"the repository with name", "does not exist in the registry"},
				like: &pattern{source: "repository with name '(?P<repository>[^']+)' does not exist in the registry with id " +
					"'(?P<registry>[^']*)'"},
				remedy: "report",
			},
		},
	},
	{
		Name:  "ecr-tag-immutable",
		Title: "The image tag already exists and may not be overwritten",
		Advice: "The ECR repository's tags are immutable. Push under a tag that is new with every build " +
			"(the commit), or skip the push if the tag exists.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"cannot be overwritten because the", "immutable"}},
			{says: []string{"imagetagalreadyexistsexception"}},
		},
	},
	{
		Name:  "image-platform-mismatch",
		Title: "The image or program is for another processor architecture",
		Advice: "Build for the platform it runs on (docker build --platform linux/amd64 or linux/arm64), " +
			"or choose a build environment of the same architecture.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"exec format error"}},
			{says: []string{"no matching manifest for"}},
			{says: []string{"does not match the detected host platform", "error"}},
			{says: []string{"no match for platform in manifest"}},
			{says: []string{"descriptor matching platform"}},
			{says: []string{"invalid elf header"}},
			{
				says: []string{"cannot execute: required file not found"},
				like: &pattern{source: "(^|[/ ])([^/\\s:.]+|[^/\\s:]*\\.([^/\\s:.]{4,}|[^sprb/\\s:.][^/\\s:.]*|[^/\\s:.]?)): " +
					"cannot execute: "},
			},
			{says: []string{"package architecture (", "does not match system"}},
			{says: []string{"exec format error"}},
		},
	},
	{
		Name:  "registry-access-denied",
		Title: "The image registry refuses access and does not say why",
		Advice: "It answered 403 without a reason. With Amazon ECR: the role lacks a permission for " +
			"pulling or pushing, another account's repository policy does not let it in, or the " +
			"login has expired. The address in the line names the registry and the repository; pull " +
			"or push it by hand with the same role to see AWS's sentence.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"unexpected status from", "403 forbidden"}},
			{
				says: []string{"failed with status code ["},
				like: &pattern{source: "failed with status code \\[[^\\]]+\\]: 403"},
			},
			{says: []string{"unexpected status code 403"}},
			{says: []string{"unexpected status: 403 forbidden"}},
			{says: []string{"/v2/", "response status code 403"}},
			{says: []string{"unauthorized for "}, like: &pattern{source: "Unauthorized for \\S+: 403"}},
			{
				says: []string{"/v2/", "403 forbidden"},
				like: &pattern{source: "(?i)\\b(HEAD|GET|POST|PUT) \"?https?://[^/]+/v2/"},
			},
			{says: []string{"from registry 403"}},
			{says: []string{"manifest", "statuscode: 403"}},
			{says: []string{"received unexpected http status: 403"}},
			{says: []string{"failed to authorize", "403 forbidden"}},
			{says: []string{"failed to resolve source metadata", "403 forbidden"}},
			{says: []string{"/v2/", "error parsing http 403 response body"}},
			{says: []string{"docker: error parsing http 403 response body"}},
		},
	},
	{
		Name:  "docker-pull-access-denied",
		Title: "The image does not exist, or the build may not see it",
		Advice: "Its name is wrong, or it is private. Check the spelling (docker.io/library/NAME is the " +
			"default), and log in to the registry if the image is private.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"pull access denied for"}, not: []string{" warning ", "unable to pull customer"}},
			{
				says: []string{"pull access denied, repository does not exist"},
				not:  []string{" warning ", "unable to pull customer"},
			},
			{says: []string{"requested access to the resource is denied"}, not: []string{" warning "}},
			{
				says: []string{": denied"},
				like: &pattern{source: "(Head|Get) \"https://[^\"]+/v2/[^\"]+\": denied\\b"},
			},
		},
	},
	{
		Name:  "image-not-found",
		Title: "The image or its tag does not exist",
		Advice: "Check name and tag; tags get removed (lifecycle rules, old base images). Choose a tag " +
			"that the registry lists, and pin it by digest if it must stay. One that does not exist " +
			"locally was not built before, or under another name.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"manifest unknown"}},
			{says: []string{"manifest_unknown"}},
			{says: []string{"manifest for ", " not found"}},
			{says: []string{"failed to resolve source metadata for", "not found"}},
			{says: []string{"imagenotfoundexception"}},
			{says: []string{"failed to resolve reference", "not found"}},
			{says: []string{"no such image:"}, consequence: true},
			{says: []string{"an image does not exist locally with the tag"}, consequence: true},
			{says: []string{"tag does not exist:"}, consequence: true},
			{says: []string{"did not resolve to an alias and no unqualified-search"}},
			{says: []string{"name_unknown: repository name not known"}},
		},
	},
	{
		Name:  "docker-too-old",
		Title: "Docker in the build is too old for the registry, the image or the daemon",
		Advice: "Choose a newer build image in the project's environment settings, or install a current " +
			"Docker in the install phase.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"missing signature key"}},
			{says: []string{"client version", "is too old"}},
			{says: []string{"client version", "is too new"}},
			{says: []string{"docker image format v1 and docker image manifest version 2, schema 1"}},
			{says: []string{"buildx component is missing or broken"}},
			{says: []string{"requires buildkit"}},
			{says: []string{"is not supported for the docker driver"}},
		},
	},
	{
		Name:      "docker-pull-failed",
		Title:     "Pulling an image was interrupted",
		Advice:    "Most often the network or the registry was to blame. Start the build again.",
		Remedy:    "retry",
		Retryable: true,
		rules: []rule{
			{says: []string{"error pulling image configuration"}},
			{says: []string{"failed to register layer: error"}, not: []string{"no space"}},
			{says: []string{"failed to copy: httpreadseeker"}},
			{says: []string{"cannotpullcontainererror", "timeout"}},
			{says: []string{"cannotpullcontainererror", "request canceled"}},
			{says: []string{"filesystem layer verification failed"}},
			{says: []string{"error response from daemon: get ", "request canceled"}},
			{says: []string{"error response from daemon: get ", "tls handshake timeout"}},
			{says: []string{"happened during read: unexpected eof"}},
		},
	},
	{
		Name:  "registry-unavailable",
		Title: "A registry of packages, plugins or images did not answer for now",
		Advice: "It answered 5xx or not in time. Start the build again; if it lasts, see the registry's " +
			"status page, or use a mirror or a cache (CodeArtifact, an ECR pull-through cache).",
		Remedy:    "retry",
		Retryable: true,
		rules: []rule{
			{
				says: []string{"could not get '", "received status code 5"},
				like: &pattern{source: "Received status code 5\\d\\d from server"},
			},
			{
				says: []string{"could not transfer artifact", "status"},
				like: &pattern{source: "(?i)status(?: code)?:? 5\\d\\d\\b"},
			},
			{
				says: []string{"could not transfer artifact", "return code is: 5"},
				like: &pattern{source: "Return code is: 50[0234]\\b"},
			},
			{says: []string{"could not transfer artifact", "timed out"}},
			{says: []string{"server error"}, like: &pattern{source: "\\b50[0234] Server Error: .* for url: "}},
			{
				says: []string{"http error 50"},
				like: &pattern{source: "^(ERROR: |WARNING: )?HTTP error 50[0234] while getting https?://"},
			},
			{says: []string{"[28] timeout was reached"}, also: []string{"download of"}},
			{says: []string{"[28] timeout was reached"}, also: []string{"failed to get"}},
			{says: []string{"could not query provider registry"}, also: []string{"the request failed after"}},
			{
				says: []string{"received unexpected http status: 50"},
				like: &pattern{source: "received unexpected HTTP status: 50\\d"},
			},
			{says: []string{"audit endpoint returned an error"}},
			{says: []string{"err_pnpm_fetch_50"}},
			{says: []string{"store server returned status"}},
			{says: []string{"some index files failed to download"}},
			{
				says: []string{"unexpected status from"},
				like: &pattern{source: "unexpected status from \\w+ request to https?://\\S+: 50[0234]\\b"},
			},
		},
	},
	{
		Name:  "docker-push-failed",
		Title: "The push to the image registry was cut off",
		Advice: "If it is Amazon ECR and no denial is printed, the role most often lacks a permission " +
			"for pushing (ecr:InitiateLayerUpload, UploadLayerPart, CompleteLayerUpload, PutImage, " +
			"BatchCheckLayerAvailability), or the repository is another one than logged in to. " +
			"Otherwise it is the network.",
		Remedy:    "report",
		Retryable: true,
		rules: []rule{
			{says: []string{"error checking push permissions"}, consequence: true},
			{
				says: []string{"failed to do request:"},
				like: &pattern{source: "failed to do request: (Post|Put|Patch) .*: EOF$"},
			},
			{
				says:        []string{"retrying in"},
				like:        &pattern{source: "[0-9a-f]{12}: Retrying in \\d+ seconds?"},
				consequence: true,
			},
			{
				says: []string{"failed to push"},
				like: &pattern{source: "(?i)failed to push( to destination)? \\S*[./]"},
			},
			{says: []string{"error pushing image"}},
			{says: []string{"failed commit on ref"}},
			{says: []string{"error parsing http 413 response body"}},
		},
	},
	{
		Name:  "build-image-unavailable",
		Title: "CodeBuild could not pull the build image",
		Advice: "Check the image's name and tag. In ECR, the service role (imagePullCredentialsType " +
			"SERVICE_ROLE) needs ecr:GetAuthorizationToken, BatchGetImage and " +
			"GetDownloadUrlForLayer, or (CODEBUILD) the repository's policy must let " +
			"codebuild.amazonaws.com pull. In a VPC it needs a route to the registry, and the image " +
			"must fit on the disk.",
		Remedy: "report",
		rules: []rule{
			{code: []string{"BUILD_CONTAINER_UNABLE_TO_PULL_IMAGE"}},
			{says: []string{"unable to pull", "cannotpullcontainererror"}},
			{says: []string{"unable to pull customer's container image"}},
		},
	},
	{
		Name:  "git-auth",
		Title: "The Git host refused the build's credentials",
		Advice: "Renew the token or deploy key that the build uses, with the right it needs (read, or " +
			"write to push). CodeBuild's own source credential serves later git commands only with " +
			"git-credential-helper: yes in the buildspec's env section.",
		Remedy: "report",
		rules: []rule{
			{
				says: []string{"authentication required for"},
				like: &pattern{source: "authentication required for (primary|secondary) source"},
			},
			{says: []string{"permission denied (publickey"}},
			{says: []string{"remote: permission to", "denied to"}},
			{says: []string{"fatal: authentication failed for"}},
			{says: []string{"could not read username for"}},
			{says: []string{"could not read password for"}},
			{says: []string{"support for password authentication was removed"}},
			{says: []string{"remote: invalid username or"}},
			{says: []string{"remote: http basic: access denied"}},
			{says: []string{"remote: write access to repository not granted"}},
			{
				says: []string{"fatal: unable to access 'http", "returned error: 403"},
				not:  []string{"git-codecommit"},
			},
			{says: []string{"fatal: unable to access 'http", "returned error: 401"}},
			{says: []string{"the project you were looking for could not be found or you don't have permission"}},
			{says: []string{"enoghtoken"}},
			{says: []string{"einvalidghtoken"}},
			{says: []string{"could not read from remote repository"}, consequence: true},
			{says: []string{"resource not accessible by integration"}},
			{says: []string{"tf400813"}},
		},
	},
	{
		Name:  "git-host-key",
		Title: "The Git host's key is not known to the build",
		Advice: "Add it before the first git command: ssh-keyscan HOST >> ~/.ssh/known_hosts, and " +
			"compare it with the fingerprint that the host publishes.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"host key verification failed"}},
			{says: []string{"remote host identification has changed"}},
			{says: []string{"no ecdsa host key is known for"}},
		},
	},
	{
		Name:  "git-ref-not-found",
		Title: "The branch, tag or commit does not exist",
		Advice: "It was deleted, force-pushed away, never pushed, or is outside a shallow clone. Check " +
			"the source version; set the clone depth to full if older commits or tags are needed.",
		Remedy: "report",
		rules: []rule{
			{
				says: []string{"reference not found for"},
				like: &pattern{source: "reference not found for (primary|secondary) source"},
			},
			{
				says: []string{"object not found for"},
				like: &pattern{source: "object not found for (primary|secondary) source"},
			},
			{says: []string{"couldn't find remote ref"}},
			{says: []string{"pathspec '", "did not match any file(s) known to git"}},
			{says: []string{"remote branch", "not found in upstream"}},
			{says: []string{"reference is not a tree"}},
			{says: []string{"fatal: ambiguous argument", "unknown revision"}},
			{says: []string{"no names found, cannot describe anything"}},
			{says: []string{"fatal: bad object"}},
			{says: []string{"upload-pack: not our ref"}},
			{says: []string{"fatal: bad revision"}},
			{says: []string{"not a valid object name"}},
			{says: []string{"fatal: invalid reference"}},
			{says: []string{"fatal: needed a single revision"}},
			{says: []string{"is not a commit and a branch"}},
			{says: []string{"no tags can describe"}},
			{says: []string{"src refspec", "does not match any"}},
			{says: []string{"no merge base"}},
			{says: []string{"failed to traverse parents of commit"}},
			{says: []string{"has no upstream branch"}},
			{says: []string{"you are not currently on a branch"}},
			{says: []string{"no such remote '"}},
			{says: []string{"remote ref does not exist"}},
		},
	},
	{
		Name:  "not-a-git-repository",
		Title: "The source is not a Git repository in this build",
		Advice: "CodePipeline hands over a zip without .git. Choose \"Full clone\" as output artifact " +
			"format of the source action (and the connection's permission for the build role), or " +
			"work without git: the commit is in CODEBUILD_RESOLVED_SOURCE_VERSION.",
		Remedy: "report",
		rules: []rule{
			{
				says: []string{"not a git repository"},
				like: &pattern{source: "(?i)(fatal|error)[^:]*:.*not a git repository"},
			},
			{says: []string{"does not have a .git directory"}},
			{says: []string{"does not appear to be a git repository"}},
			{says: []string{".git can't be found"}, like: &pattern{source: "(?i)error|fatal"}},
		},
	},
	{
		Name:  "git-dubious-ownership",
		Title: "Git does not trust the source directory's owner",
		Advice: "Run git config --global --add safe.directory \"$CODEBUILD_SRC_DIR\" before the first " +
			"git command.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"detected dubious ownership in repository"}},
			{says: []string{"unsafe repository (", "is owned by someone else"}},
		},
	},
	{
		Name:  "git-lfs-failed",
		Title: "Git LFS could not fetch a file",
		Advice: "Check whether the LFS bandwidth or storage of the repository's owner is used up, and " +
			"whether the build's credential may read LFS objects.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"smudge filter lfs failed"}},
			{says: []string{"this repository is over its data quota"}},
			{
				says: []string{"batch response: "},
				like: &pattern{source: "(?i)batch response: (rate limit|this repository|not authorized|repository not " +
					"found|resource not accessible)"},
			},
			{says: []string{"git: 'lfs' is not a git command"}},
			{says: []string{"'git-lfs' was not found on your path"}},
		},
	},
	{
		Name:  "git-push-rejected",
		Title: "The Git host rejected the push",
		Advice: "The branch moved on meanwhile (pull or rebase, then push), or it is protected: push to " +
			"another branch and open a pull request, or let the build's user pass the protection.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"! [rejected]"}},
			{says: []string{"! [remote rejected]"}},
			{says: []string{"protected branch hook declined"}},
			{says: []string{"gh006: protected branch update failed"}},
			{says: []string{"gh013: repository rule violations found"}},
			{says: []string{"error: failed to push some refs"}},
			{says: []string{"hint: updates were rejected because"}},
			{says: []string{"gh001:"}},
			{says: []string{"gh007:"}},
			{says: []string{"err_pnpm_git_unknown_branch"}},
		},
	},
	{
		Name:  "git-corrupt",
		Title: "The Git repository in the build is damaged",
		Advice: "A cache of .git, or a clone that was broken off, is the usual reason: clear the " +
			"project's cache and clone anew. git fsck names what is missing.",
		Remedy:    "report",
		Retryable: true,
		rules: []rule{
			{says: []string{"loose object"}, like: &pattern{source: "(?i)loose object \\S+ .*is corrupt"}},
			{says: []string{"object file"}, like: &pattern{source: "object file \\S+ is empty"}},
			{
				says: []string{"packfile"},
				like: &pattern{source: "(?i)\\bpackfile \\S+ (does not match index|cannot be accessed|index unavailable)"},
			},
			{says: []string{"index file corrupt"}},
			{says: []string{"fatal: bad config line"}},
		},
	},
	{
		Name:  "lock-held",
		Title: "Another process holds a lock that the tool needs",
		Advice: "Two steps, or two builds, share a checkout, cache or directory. Run them one after " +
			"another, or give each its own. A lock that a dead process left in a cache must be " +
			"removed (index.lock).",
		Remedy:    "report",
		Retryable: true,
		rules: []rule{
			{says: []string{"index.lock': file exists"}},
			{says: []string{"another git process seems to be running"}},
			{says: []string{"timeout waiting to lock"}},
			{says: []string{"is currently synthing to"}},
			{says: []string{"code ebusy"}},
			{says: []string{"text file busy"}},
			{says: []string{"device or resource busy"}},
			{says: []string{"error msb3027"}},
			{says: []string{"error msb3021"}},
		},
	},
	{
		Name:  "merge-conflict",
		Title: "Changes conflict, and Git could not put them together",
		Advice: "Merge or rebase the branches on your own machine, solve what the conflict names, and " +
			"push. A pull without --rebase or --no-rebase, or with --ff-only, also ends where both " +
			"sides have commits.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"conflict ("}, like: &pattern{source: "^CONFLICT \\([\\w/ -]+\\): "}},
			{says: []string{"automatic merge failed; fix conflicts"}},
			{
				says: []string{"error: could not apply"},
				like: &pattern{source: "^error: could not apply [0-9a-f]{7,}"},
			},
			{says: []string{"patch failed at"}, like: &pattern{source: "^Patch failed at \\d+ "}},
			{says: []string{"patch does not apply"}, like: &pattern{source: "^error: .*: patch does not apply"}},
			{says: []string{"out of"}, like: &pattern{source: "^\\d+ out of \\d+ hunks? (FAILED|ignored)"}},
			{says: []string{"not possible to fast-forward, aborting"}},
			{says: []string{"how to reconcile divergent branches"}},
			{says: []string{"refusing to merge unrelated histories"}},
			{says: []string{"leftover conflict marker"}, sure: true},
			{says: []string{"version control conflict marker in file"}, sure: true},
			{says: []string{"source control conflict marker in source file"}, sure: true},
			{says: []string{"encountered diff marker"}, sure: true},
			{says: []string{"merge conflict marker encountered"}, sure: true},
			{says: []string{"merge conflict detected in"}, not: []string{"successfully merged"}, sure: true},
			{
				says: []string{"<<<<<<<"},
				also: []string{"syntaxerror"},
				like: &pattern{source: "^\\s*(\\d+ *\\| ?|> ?)?<<<<<<< \\S"},
			},
			{says: []string{"you need to resolve your current index first"}},
			{says: []string{"because of an unresolved conflict"}},
			{says: []string{"because you have unmerged files"}},
			{says: []string{"error: corrupt patch at line"}},
			{says: []string{"could not apply patch"}},
			{says: []string{"yn0066"}},
			{says: []string{"a merge conflict could not be resolved"}},
		},
	},
	{
		Name:  "dirty-checkout",
		Title: "Files are not as they were committed",
		Advice: "A step wrote them, or what was generated was not committed: run the same step on your " +
			"own machine and commit what it changes, or ignore the file. git status and git diff " +
			"show which.",
		Remedy: "report",
		rules: []rule{
			{
				says: []string{"would be overwritten by"},
				like: &pattern{source: "^error: .* would be overwritten by (merge|checkout|rebase|reset)"},
			},
			{says: []string{"checkout dirty"}},
			{
				says: []string{"working directory not clean"},
				like: &pattern{source: "(?i)git working directory not clean"},
			},
			{says: []string{"git is in a dirty state"}},
			{says: []string{"contain changes that were not yet committed into git"}},
			{
				says: []string{"uncommitted changes"},
				not:  []string{"warning"},
				like: &pattern{source: "(?i)^(\\W*(error|fatal|err!?)\\b.*|.*\\b(has|have|with|contains?|found|detected|are)\\b." +
					"*) uncommitted changes"},
			},
			{
				says: []string{"not clean"},
				not:  []string{"warning"},
				like: &pattern{source: "(?i)\\b(working|work) ?(tree|copy|directory)\\b.* (is )?not clean"},
			},
			{
				says: []string{"dirty"},
				not:  []string{"warning"},
				like: &pattern{source: "(?i)\\b((working|work) ?(tree|copy|directory)|git (tree|repo(sitory)?|checkout)) (is " +
					"|left )?dirty"},
			},
			{
				says: []string{"date"},
				not:  []string{"warning"},
				like: &pattern{source: "(?i)\\b(generated|codegen|docs?|documentation|schemas?|mocks?|bundles?|dist|clients?|pro" +
					"tos?|readme)\\b.* (is|are) (out of|not up[- ]to) date"},
			},
			{says: []string{"commit"}, like: &pattern{source: "(?i)\\bplease (re-?)?run\\b.*\\band commit\\b"}},
			{
				says:        []string{"tidy/go."},
				like:        &pattern{source: "^\\+\\+\\+ tidy/go\\.(mod|sum)"},
				consequence: true,
			},
			{
				says:        []string{"diff --git a/"},
				like:        &pattern{source: "^diff --git a/"},
				first:       true,
				consequence: true,
			},
			{says: []string{"you have unstaged changes"}},
			{says: []string{"unclean working tree"}},
		},
	},
	{
		Name:  "lockfile-out-of-date",
		Title: "The lock file does not match the manifest",
		Advice: "Run the install once locally without the frozen or locked option, and commit the " +
			"changed lock file together with the manifest.",
		Remedy: "report",
		rules: []rule{
			{
				says: []string{"can only install packages when your package.json and package-lock.json"},
				sure: true,
			},
			{says: []string{"npm ci` can only install with an existing package-lock.json"}, sure: true},
			{says: []string{"`npm ci` can only install"}, sure: true},
			{says: []string{"the `npm ci` command can only install"}, sure: true},
			{says: []string{"can only install packages with an existing package-lock.json"}, sure: true},
			{says: []string{"your lockfile needs to be updated"}, sure: true},
			{says: []string{"the lockfile would have been modified by this install"}, sure: true},
			{says: []string{"err_pnpm_outdated_lockfile"}, sure: true},
			{says: []string{"err_pnpm_no_lockfile"}, sure: true},
			{says: []string{"err_pnpm_lockfile_breaking_change"}, sure: true},
			{says: []string{"lockfile had changes, but lockfile is frozen"}, sure: true},
			{says: []string{"the lock file", "needs to be updated but --locked was passed"}, sure: true},
			{says: []string{"poetry.lock was last generated"}, sure: true},
			{says: []string{"poetry.lock is not up to date"}, sure: true},
			{says: []string{"pipfile.lock", "out of date"}, sure: true},
			{says: []string{"you are trying to install in deployment mode after changing"}, sure: true},
			{says: []string{"the dependencies in your gemfile changed"}, sure: true},
			{says: []string{"error nu1004"}, sure: true},
			{says: []string{"uv.lock", "needs to be updated"}, sure: true},
			{says: []string{"because --locked was passed to prevent this"}, sure: true},
			{says: []string{"updates to go.mod needed"}, sure: true},
			{says: []string{"in --require-hashes mode, all requirements must"}, sure: true},
			{says: []string{"code enolock"}, sure: true},
			{says: []string{"yn0056"}, sure: true},
			{says: []string{"seem to be present in your lockfile"}, sure: true},
			{says: []string{"err_pnpm_lockfile_config_mismatch"}, sure: true},
			{says: []string{"err_pnpm_broken_lockfile"}, sure: true},
			{says: []string{"unable to find lockfile at"}, sure: true},
			{says: []string{"the gemspecs for path gems changed"}, sure: true},
			{says: []string{"because frozen mode is set"}, sure: true},
			{says: []string{"your bundle is locked to", "can no longer be found"}, sure: true},
			{says: []string{"is not present in the lock file"}, sure: true},
			{says: []string{"updates to go.sum needed"}, sure: true},
			{says: []string{"which is part of the dependency lock state"}, sure: true},
			{says: []string{"chart.lock", "is out of sync"}, sure: true},
			{says: []string{"uv.lock", "--locked"}, sure: true},
			{
				says: []string{"lock"},
				like: &pattern{source: "(?i)\\block ?-?file\\b.{0,80}\\b(out[- ]of[- ](date|sync)|not (up[- ]to[- ]date|in " +
					"sync)|needs? to be updated|does not match|outdated)\\b"},
				consequence: true,
				shared:      true,
			},
		},
	},
	{
		Name:  "package-publish-refused",
		Title: "The package registry refuses what the build publishes",
		Advice: "It answers 401, 403 or 409: the token is missing, expired or may only read, the name " +
			"belongs to somebody else, or this version exists and may not be written again. This is " +
			"the registry's own permission; of CodeArtifact alone it is IAM's " +
			"codeartifact:PublishPackageVersion.",
		Remedy: "report",
		rules: []rule{
			{
				says: []string{"could not put 'http", "status code 40"},
				like: &pattern{source: "status code 40[139]"},
			},
			{says: []string{"failed to publish to registry"}},
			{says: []string{"httperror: 40", "upload"}, like: &pattern{source: "HTTPError: 40[13] "}},
			{
				says: []string{"failed to deploy artifacts", "status code: 40"},
				like: &pattern{source: "status code: 40[139]"},
			},
			{says: []string{"404 not found - put"}},
			{
				says: []string{"httperror: 40", " from"},
				like: &pattern{source: "^\\W*(ERROR +)?HTTPError: 40[0139] [\\w ]+ from\\b"},
			},
			{
				says: []string{"httperror: 40"},
				also: []string{"uploading distributions to"},
				like: &pattern{source: "HTTPError: 40[0139] "},
			},
			{
				says: []string{"httperror: 40"},
				also: []string{"uploading dist/"},
				like: &pattern{source: "HTTPError: 40[0139] Client Error: [\\w ]+ for url: "},
			},
			{says: []string{"failed to publish `"}, like: &pattern{source: "^error: Failed to publish `"}},
			{
				says: []string{"failed to deploy artifacts"},
				like: &pattern{source: "Failed to deploy artifacts.*(: |code: ?)40[139]\\b"},
			},
			{
				says: []string{"failed to deploy artifacts"},
				like: &pattern{source: "\\b40[139] (Unauthorized|Forbidden|Conflict)\\b"},
			},
			{says: []string{"error deploying artifact"}, like: &pattern{source: "Return code is: 40[0139]\\b"}},
			{
				says: []string{"failed to transfer file"},
				also: []string{".deploy"},
				like: &pattern{source: "with status code 40[0139]\\b"},
			},
			{says: []string{"couldn't publish package:"}},
			{
				says: []string{"http error 40"},
				also: []string{"publishing "},
				like: &pattern{source: "HTTP Error 40[013]: .*(Invalid|Forbidden|Unauthorized|File already exists)"},
			},
			{
				says: []string{"failed to publish"},
				not:  []string{"status 401", "status 403", "failed to publish images"},
				like: &pattern{source: "(?i)failed to publish .*(401|403|unauthorized|forbidden)"},
			},
			{
				says: []string{"the remote server responded with an error"},
				like: &pattern{source: "status 40[13]"},
			},
			{
				says: []string{"response status code does not indicate success: 40"},
				also: []string{"pushing "},
				like: &pattern{source: "40[139] "},
			},
			{says: []string{"epublishconflict"}},
			{says: []string{"code eprivate"}},
			{says: []string{"402 payment required"}},
			{says: []string{"code eunscoped"}},
			{says: []string{"repushing of gem versions is not allowed"}},
			{says: []string{"already exists on crates.io index"}},
			{says: []string{"the feed already contains"}},
		},
	},
	{
		Name:  "npm-forbidden",
		Title: "The npm registry forbids a package to the build",
		Advice: "A mirror or security policy blocks this version, or the token may not read or publish " +
			"it. Choose an allowed version, or ask those who run the registry.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"code e403"}, like: &pattern{source: "(?i)npm (err!|error) code E403"}},
			{
				says: []string{"403 forbidden"},
				like: &pattern{source: "(?i)(npm (err!|error)|yarn|YN00|ERR_PNPM_FETCH_403).*403"},
			},
			{says: []string{"err_pnpm_fetch_403"}},
			{says: []string{"yn0035"}, like: &pattern{source: "Response Code: *403"}},
			{says: []string{"returned a 403"}, like: &pattern{source: "(?i)request \"[^\"]+\" returned a 403"}},
			{says: []string{"(status 403"}, like: &pattern{source: "(?i)failed to publish package"}},
			{says: []string{"403 forbidden - get"}, like: &pattern{source: "^403 Forbidden - GET https?://"}},
		},
	},
	{
		Name:  "npm-unauthorized",
		Title: "The npm registry does not accept the build's login",
		Advice: "Set the registry's token for exactly this registry in .npmrc from a secret. " +
			"CodeArtifact's token lasts at most 12 hours: run aws codeartifact login in the same " +
			"build.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"code e401"}, like: &pattern{source: "(?i)npm (err!|error) code E401"}},
			{says: []string{"code eneedauth"}},
			{says: []string{"unable to authenticate, your authentication token seems to be invalid"}},
			{says: []string{"unable to authenticate, need: "}},
			{says: []string{"err_pnpm_fetch_401"}},
			{says: []string{"yn0041"}},
			{
				says: []string{"401 unauthorized"},
				like: &pattern{source: "(?i)(npm|yarn|pnpm|registry\\.).*401 Unauthorized"},
			},
			{says: []string{"yn0035"}, like: &pattern{source: "Response Code: *401"}},
			{says: []string{"returned a 401"}, like: &pattern{source: "(?i)request \"[^\"]+\" returned a 401"}},
			{says: []string{"(status 401"}, like: &pattern{source: "(?i)failed to publish package"}},
			{says: []string{"access token expired or revoked"}},
			{says: []string{"enonpmtoken"}},
			{says: []string{"einvalidnpmtoken"}},
			{says: []string{"code eotp"}},
			{says: []string{"yn0033"}},
			{says: []string{"incorrect or missing password"}},
		},
	},
	{
		Name:  "npm-package-not-found",
		Title: "An npm package or version does not exist in the registry",
		Advice: "Check name and version, and that .npmrc points a private scope (@scope:registry=) to " +
			"the registry that has it.",
		Remedy: "report",
		rules: []rule{
			{
				says: []string{"is not in this registry"},
				like: &pattern{source: "'(?P<package>[^']+)' is not in this registry"},
			},
			{says: []string{"code e404"}, like: &pattern{source: "(?i)npm (err!|error) code E404"}},
			{
				says: []string{"404 not found - get"},
				like: &pattern{source: "(?i)npm (err!|error) .*404 Not Found - GET"},
			},
			{
				says: []string{"an unexpected error occurred:"},
				like: &pattern{source: "Request failed .*404 Not Found"},
			},
			{
				says: []string{"notarget no matching version found for"},
				like: &pattern{source: "No matching version found for (?P<package>\\S+[^.\\s])"},
			},
			{says: []string{"code etarget"}},
			{says: []string{"err_pnpm_fetch_404"}},
			{says: []string{"err_pnpm_no_matching_version"}},
			{
				says: []string{"couldn't find package"},
				like: &pattern{source: "(?i)couldn't find package \"[^\"]+\".* on the \"npm\" registry"},
			},
			{says: []string{"couldn't find any versions for"}},
			{says: []string{"yn0035"}},
			{
				says: []string{"workspace not found ("},
				like: &pattern{source: "@workspace:\\S+: Workspace not found"},
			},
			{says: []string{"eunsupportedprotocol"}},
			{says: []string{"no candidates found"}},
			{says: []string{"can't be resolved to a satisfying range"}},
			{says: []string{"supported by any available resolver"}},
			{says: []string{"err_pnpm_workspace_pkg_not_found"}},
			{says: []string{"err_pnpm_spec_not_supported_by_any_resolver"}},
			{says: []string{"err_pnpm_catalog_entry_not_found"}},
			{says: []string{"no version matching \"", "found for specifier"}},
			{says: []string{"error: workspace dependency \""}},
			{says: []string{"err_pnpm_lockfile_missing_dependency"}},
			{
				says: []string{"an unexpected error occurred:"},
				like: &pattern{source: "unexpected error occurred: \"\\S+: Not found\""},
			},
			{says: []string{" - 404"}, like: &pattern{source: "^error: GET \\S+ - 404$"}},
		},
	},
	{
		Name:  "package-corrupt",
		Title: "A downloaded package is not the one that the lock file names",
		Advice: "The registry, a proxy or a cache gave other bytes. Clear the cache and start the build " +
			"again; if it recurs, the package was published anew: renew its entry in the lock file " +
			"after looking at the change.",
		Remedy:    "report",
		Retryable: true,
		rules: []rule{
			{says: []string{"code eintegrity"}},
			{says: []string{"do not match the hashes from the requirements file"}},
			{says: []string{"integrity check failed for"}},
			{says: []string{"err_pnpm_tarball_integrity"}},
			{says: []string{"yn0018"}},
			{says: []string{"tar_bad_archive"}},
			{says: []string{"z_data_error"}},
			{says: []string{"appears to be corrupt: \"unexpected end"}},
			{says: []string{"incorrect integrity when fetching from the cache"}},
			{says: []string{"err_pnpm_bad_tarball_size"}},
			{says: []string{"dependency verification failed for configuration"}},
		},
	},
	{
		Name:  "package-too-new",
		Title: "A package is younger than the project allows",
		Advice: "The package manager holds back what was published lately (minimumReleaseAge). Wait " +
			"until the version is old enough, keep the older one in the lock file, or exclude the " +
			"package (minimumReleaseAgeExclude).",
		Remedy: "report",
		rules: []rule{
			{says: []string{"err_pnpm_no_mature_matching_version"}, sure: true},
			{says: []string{"does not meet the minimumreleaseage"}, sure: true},
		},
	},
	{
		Name:  "npm-crashed",
		Title: "npm itself crashed",
		Advice: "This is a fault of npm, often after a network error or without enough memory. Start the " +
			"build again; if it recurs, use another version of npm or Node.js.",
		Remedy:    "report",
		Retryable: true,
		rules: []rule{
			{says: []string{"cb() never called"}},
			{says: []string{"exit handler never called"}},
			{says: []string{"npm error cannot read properties of"}},
			{says: []string{"npm error invalid or unexpected token"}},
		},
	},
	{
		Name:  "npm-conflict",
		Title: "The npm packages' peer dependencies contradict each other",
		Advice: "Bring the named packages to versions that fit. --legacy-peer-deps hides the conflict " +
			"and is only a stopgap.",
		Remedy: "report",
		shows:  []string{"found: ", "peer "},
		rules: []rule{
			{says: []string{"eresolve"}, like: &pattern{source: "(?i)npm (err!|error)"}, sure: true},
			{says: []string{"err_pnpm_peer_dep_issues"}, sure: true},
		},
	},
	{
		Name:  "npm-script-missing",
		Title: "package.json has no script of that name",
		Advice: "Add the script, correct its name in the buildspec, or run it in the directory " +
			"(workspace) that has it.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"missing script:"}, sure: true},
			{says: []string{"error command \"", "\" not found"}, sure: true},
			{says: []string{"err_pnpm_no_script"}, sure: true},
			{says: []string{"couldn't find a script named"}, sure: true},
			{says: []string{"error: script not found \""}},
		},
	},
	{
		Name:  "openssl-unsupported",
		Title: "The bundler needs an older OpenSSL than this Node.js has",
		Advice: "Upgrade the bundler (webpack 5), or set NODE_OPTIONS=--openssl-legacy-provider until " +
			"then.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"err_ossl_evp_unsupported"}, sure: true},
			{says: []string{"digital envelope routines", "unsupported"}, sure: true},
		},
	},
	{
		Name:  "native-build-failed",
		Title: "A package's native part could not be compiled",
		Advice: "Install what it builds with (python3, make, g++, the library's -dev package) in the " +
			"install phase, or use a version of the package that ships a prebuilt binary for this " +
			"runtime.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"gyp err!"}, first: true},
			{says: []string{"failed building wheel for"}},
			{says: []string{"failed to build gem native extension"}},
			{says: []string{"gem files will remain installed in"}},
			{says: []string{"failed to run custom build command for"}},
			{says: []string{"could not build wheels for"}},
			{says: []string{"error: microsoft visual c++"}},
			{says: []string{"error: can't find rust compiler"}},
			{says: []string{"cargo, the rust package manager, is not installed"}},
			{says: []string{"linker `cc` not found"}},
			{
				says: []string{"error: command '"},
				like: &pattern{source: "error: command '[^']*(gcc|cc|g\\+\\+|clang)' failed"},
			},
			{says: []string{"fatal error: python.h"}},
			{says: []string{"and bundler cannot continue"}},
			{says: []string{"pg_config executable not found"}},
			{says: []string{"missing binding "}, like: &pattern{source: "Missing binding \\S+binding\\.node"}},
			{says: []string{"could not find a binding for your current environment"}},
			{says: []string{"could not load the \"sharp\" module"}},
			{says: []string{"yn0009", "be built successfully"}},
			{says: []string{"failed to build installable wheels"}},
			{says: []string{"was not found in the pkg-config search path"}},
		},
	},
	{
		Name:  "toolchain-version",
		Title: "The code needs another version of its compiler or runtime than the build has",
		Advice: "Select the version in the buildspec's runtime-versions, or choose a build image that " +
			"has it; or lower the version that the project requires.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"gotoolchain=local"}, like: &pattern{source: "requires go >= "}, sure: true},
			{says: []string{"module requires go"}, sure: true},
			{says: []string{"invalid go version"}, sure: true},
			{says: []string{"is lower than the targeted go version"}, sure: true},
			{says: []string{"module requires at least go", "was built with go"}, sure: true},
			{says: []string{"invalid target release"}, sure: true},
			{
				says: []string{"while executing "},
				like: &pattern{source: "\\b(An API incompatibility was encountered|A (required class was missing|type " +
					"incompatibility occurred)) while executing "},
			},
			{says: []string{"invalid source release"}, sure: true},
			{
				says: []string{"release version"},
				like: &pattern{source: "release version \\d+ not supported"},
				sure: true,
			},
			{says: []string{"unsupported class file major version"}, sure: true},
			{says: []string{"has been compiled by a more recent version of the java runtime"}, sure: true},
			{says: []string{"ebadengine"}, like: &pattern{source: "(?i)npm (err!|error)"}, sure: true},
			{says: []string{"the engine \"", "is incompatible with this module"}, sure: true},
			{says: []string{"err_pnpm_unsupported_engine"}, sure: true},
			{
				says: []string{"you are using node.js", "required"},
				like: &pattern{source: "(?i)required"},
				sure: true,
			},
			{says: []string{"the angular cli requires a minimum node.js version"}, sure: true},
			{says: []string{"requires a different python"}, sure: true},
			{says: []string{"current python version", "is not allowed by the project"}, sure: true},
			{says: []string{"requires rustc", "newer"}, sure: true},
			{says: []string{"cannot be built because it requires rustc"}, sure: true},
			{says: []string{"netsdk1045"}, sure: true},
			{says: []string{"a compatible .net sdk was not found"}},
			{says: []string{"your ruby version is", "but your gemfile specified"}, sure: true},
			{says: []string{"your php version (", "does not satisfy that requirement"}, sure: true},
			{says: []string{"which did not satisfy constraints for runtime"}, sure: true},
			{says: []string{"java_home", "is set to an invalid directory"}},
			{says: []string{"could not find a matching toolchain"}},
			{says: []string{"no matching toolchains found for requested specification"}},
			{
				says: []string{"is not in the allowed range"},
				like: &pattern{source: "Detected (JDK|Maven) [Vv]ersion"},
				sure: true,
			},
			{says: []string{"dependency requires at least jvm runtime version"}, sure: true},
			{says: []string{"is not stabilized in this version of cargo"}, sure: true},
			{says: []string{"requires sdk version"}, sure: true},
			{says: []string{"could not determine java version from"}, sure: true},
			{says: []string{"requires java"}, like: &pattern{source: "requires Java \\d+ to run"}, sure: true},
			{says: []string{"compatible with java", "and the consumer needed"}, sure: true},
			{says: []string{"class file has wrong version"}, sure: true},
			{says: []string{"minimum supported gradle version is"}, sure: true},
			{
				says: []string{"is no longer supported. use"},
				like: &pattern{source: "(Source|Target) option \\d+ is no longer supported"},
				sure: true,
			},
			{
				says: []string{"requires node.js"},
				like: &pattern{source: "(?i)requires Node\\.js (version )?[v>=^~\\d]"},
				sure: true,
			},
			{says: []string{"requires at least node.js"}, sure: true},
			{
				says: []string{"binary validation failed"},
				like: &pattern{source: "Binary validation failed( for (?P<runtime>\\w+)|!)"},
			},
			{says: []string{"syntaxerror: unexpected token '?"}, sure: true},
			{
				says: []string{"requires ruby version"},
				like: &pattern{source: "(?i)requires ruby version \\S"},
				sure: true,
			},
			{says: []string{"error msb4236"}, sure: true},
			{says: []string{"error msb3644"}, sure: true},
			{says: []string{"error netsdk1141"}, sure: true},
			{
				says: []string{"is required"},
				like: &pattern{source: "feature `edition\\d{4}` is required"},
				sure: true,
			},
			{
				says: []string{"is not supported by the following package"},
				like: &pattern{source: "rustc \\S+ is not supported"},
				sure: true,
			},
			{says: []string{"cannot find matching keyid"}},
			{
				says: []string{"\"packagemanager\""},
				like: &pattern{source: "(?i)defines \"packageManager|configured to use (yarn|pnpm|npm)"},
				sure: true,
			},
			{says: []string{"no pnpm version is specified"}},
			{says: []string{"is not supported by the project ("}, sure: true},
			{says: []string{"requires a node version compatible with"}, sure: true},
			{says: []string{"ebadplatform"}},
			{says: []string{"ebaddevengines"}},
			{says: []string{"not compatible with your version of node"}},
			{says: []string{"is known not to run on node.js"}},
			{says: []string{"the platform \"", "is incompatible with this module"}},
			{says: []string{"err_pnpm_bad_pm_version"}},
			{says: []string{"you must use bundler"}},
			{says: []string{"error: no interpreter found for python"}},
			{says: []string{"requested interpreter resolved to python", "incompatible"}},
			{says: []string{"could not find python interpreter with spec"}},
			{says: []string{"neither 'pyenv' nor 'asdf' could be found"}},
			{says: []string{"no compiler is provided in this environment"}},
			{says: []string{"java_home environment variable is not defined correctly"}},
			{says: []string{"java_home is not set"}},
			{says: []string{"cannot find a java installation on your machine"}},
			{says: []string{"java home supplied is invalid"}},
			{says: []string{"spring boot plugin requires gradle"}},
			{says: []string{"gradle requires jvm"}},
			{says: []string{"your composer dependencies require a php version"}},
			{says: []string{"you must install or update .net"}},
			{says: []string{"the following workloads must be installed"}},
			{says: []string{"netsdk1013"}},
			{says: []string{"node: bad option:"}},
			{says: []string{"is not allowed in node_options"}},
			{says: []string{"err_unknown_file_extension"}},
			{says: []string{"was compiled against a different node.js version"}},
			{says: []string{"may not be used on the stable release channel"}},
			{says: []string{"to support your ruby & rubygems"}},
			{says: []string{"unrecognized vm option"}},
			{says: []string{"is not installed for the toolchain"}},
			{says: []string{"you intended to execute a .net application"}},
			{says: []string{"requires kubeversion", "incompatible"}},
			{
				says: []string{"is not installed"},
				like: &pattern{source: "(rbenv: version `|toolchain ')[^']+' is not installed"},
			},
			{
				says: []string{"cannot access class"},
				like: &pattern{source: "IllegalAccessError: class \\S+ .*cannot access class"},
			},
			{says: []string{"to learn about target-specific information"}},
			{
				says: []string{"not installed"},
				like: &pattern{source: "^(\\d+ \\| )?(py|rb|nod|go|j|php|tf|pl)env: version ['`]?[^'`]+'? (is )?not installed"},
			},
		},
	},
	{
		Name:  "pip-index-unanswered",
		Title: "pip got no answer from the package index",
		Advice: "Start the build again. If it recurs, check the index's address (PIP_INDEX_URL) and its " +
			"status page, or have pip try more often (PIP_RETRIES).",
		Remedy:    "retry",
		Retryable: true,
		rules: []rule{
			{command: []string{"pip install", "pip3 install", "pip download", "pip wheel"}, any: "unanswered"},
		},
	},
	{
		Name:  "python-index-refused",
		Title: "The Python package index refuses the build's login",
		Advice: "It answered 401 or 403, so tools say that the package does not exist. Check that the " +
			"index's address holds a user and a fresh token: aws codeartifact login --tool pip in " +
			"the same build (12 hours at most); the role needs codeartifact:ReadFromRepository, " +
			"GetAuthorizationToken and sts:GetServiceBearerToken. 403 can also mean that the index " +
			"blocks this package.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"401 error", "credentials not correct for"}},
			{says: []string{"authorization error accessing"}},
			{says: []string{"returned a 403 forbidden error"}},
			{says: []string{"returned a 401 unauthorized error"}},
			{
				says: []string{"http error 40"},
				like: &pattern{source: "HTTP error 40[13] while getting|because of HTTP error 40[13]"},
			},
			{
				says: []string{"httperror: 40"},
				like: &pattern{source: "HTTPError: 40[13] Client Error: \\w+ for url: \\S*/(simple|pypi)/"},
			},
			{
				says: []string{"http status client error (40"},
				like: &pattern{source: "\\(40[13] (Forbidden|Unauthorized)\\) for url \\(\\S*(simple|\\.whl|\\.tar\\.gz)"},
			},
			{says: []string{"user for "}, like: &pattern{source: "^User for \\S+: "}},
		},
	},
	{
		Name:  "pip-dependency-failed",
		Title: "A Python package cannot be installed",
		Advice: "Check name and version, that there is a release for this Python version, and the index " +
			"(--index-url, pip config). With conflicting requirements, loosen one of those that the " +
			"message lists.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"no matching distribution found for"}},
			{says: []string{"could not find a version that satisfies the requirement"}},
			{says: []string{"resolutionimpossible"}, sure: true},
			{
				says: []string{"conflicting dependencies"},
				like: &pattern{source: "(?i)cannot install|because these package versions have"},
				sure: true,
			},
			{says: []string{"externally-managed-environment"}, sure: true},
			{says: []string{"these packages do not match the hashes"}, sure: true},
			{says: []string{"could not open requirements file"}},
			{says: []string{"error: invalid requirement:"}, sure: true},
			{command: []string{"pip check"}, says: []string{", which is not installed."}, sure: true},
			{command: []string{"pip check"}, says: []string{"has requirement", "but you have"}, sure: true},
			{says: []string{"error: http error", "while getting"}, not: []string{"429"}},
			{says: []string{"version solving failed"}, not: []string{"requires sdk version"}},
			{says: []string{"no solution found when resolving dependencies"}},
			{says: []string{"solverproblemerror"}},
			{says: []string{"your dependencies could not be resolved"}},
			{says: []string{"error: subprocess-exited-with-error"}},
			{says: []string{"command errored out with exit status"}},
			{
				says: []string{"failed with error code"},
				like: &pattern{source: "^Command \".*\" failed with error code \\d+ in \\S"},
			},
			{says: []string{"finished with status 'error'"}},
			{says: []string{"error: metadata-generation-failed"}},
			{says: []string{"error: resolution-too-deep"}},
			{says: []string{"pythonpipbuilder:resolvedependencies - "}},
			{says: []string{"chefbuilderror"}},
			{says: []string{"this error originates from the build backend"}},
			{says: []string{"failed to build `"}, like: &pattern{source: "^\\W*(x )?Failed to build `"}},
			{
				says: []string{"resolutionfailure"},
				like: &pattern{source: "ResolutionFailure|resolver\\.ResolutionFailure"},
			},
			{says: []string{"resolvepackagenotfound"}},
			{
				says: []string{"an error occurred while installing"},
				like: &pattern{source: "An error occurred while installing \\S+.*! Will try again"},
			},
			{says: []string{"packagesnotfounderror"}},
			{says: []string{"unsatisfiableerror"}, like: &pattern{source: "(LibMamba)?UnsatisfiableError: "}},
			{says: []string{"is not a supported wheel on this platform"}, sure: true},
			{says: []string{"you must give at least one requirement"}},
			{says: []string{"is not installable. neither"}},
			{says: []string{"packaging.version.invalidversion"}},
			{says: []string{"distutils installed project"}},
			{says: []string{"record file not found"}},
			{says: []string{"error: failed to build `"}},
			{says: []string{"condahttperror"}},
			{says: []string{"environmentlocationnotfound"}},
			{says: []string{"run 'conda init' before"}},
			{says: []string{"error: no virtual environment found"}},
		},
	},
	{
		Name:  "maven-dependency-failed",
		Title: "Maven cannot get a dependency",
		Advice: "Check the coordinates and the repository that should hold them, and the credentials in " +
			"settings.xml. For CodeArtifact, export a fresh CODEARTIFACT_AUTH_TOKEN in the same " +
			"build.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"could not resolve dependencies for project"}, first: true},
			{says: []string{"failed to execute goal on project", "could not resolve dependencies"}, first: true},
			{says: []string{"non-resolvable parent pom"}, first: true},
			{says: []string{"non-resolvable import pom"}, first: true},
			{
				says:  []string{"could not transfer artifact"},
				not:   []string{"failed to deploy artifacts"},
				like:  &pattern{source: "\\[ERROR\\]|^Error: "},
				first: true,
			},
			{
				says:  []string{"could not find artifact"},
				like:  &pattern{source: "\\[ERROR\\]|^Error: |\\w+NotFoundException: "},
				first: true,
			},
			{says: []string{"or one of its dependencies could not be resolved"}, first: true},
			{says: []string{"failed to read artifact descriptor for"}, first: true},
			{says: []string{"error resolving version for plugin"}},
			{says: []string{"sbt.librarymanagement.resolveexception"}},
			{says: []string{"error fetching artifacts:"}},
		},
	},
	{
		Name:  "gradle-dependency-failed",
		Title: "Gradle cannot get a dependency",
		Advice: "Check the coordinates, the repositories block and its credentials. What the message " +
			"names under \"Searched in\" is where Gradle looked.",
		Remedy: "report",
		rules: []rule{
			{
				says: []string{"could not resolve all"},
				like: &pattern{source: "(?i)could not resolve all (files|artifacts|dependencies|task dependencies)"},
			},
			{says: []string{"could not get 'http"}},
			{says: []string{"could not head 'http"}},
			{says: []string{"plugin [id:", "was not found in any of the following sources"}},
			{
				says: []string{"could not find "},
				like: &pattern{source: "^ *(> )?Could not find [\\w.-]+:[\\w.-]+:"},
			},
			{
				says: []string{"could not resolve "},
				like: &pattern{source: "^ *(> )?Could not resolve [\\w.-]+:[\\w.-]+:"},
			},
		},
	},
	{
		Name:  "go-dependency-failed",
		Title: "A Go module cannot be resolved",
		Advice: "Run go mod tidy and commit go.mod and go.sum. For private modules set GOPRIVATE and " +
			"give git a credential for their host.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"missing go.sum entry"}, sure: true},
			{says: []string{"no required module provides package"}, sure: true},
			{says: []string{"cannot find module providing package"}},
			{says: []string{"go: ", "unknown revision"}},
			{says: []string{"go: ", "invalid version: "}, not: []string{"invalid go version"}},
			{says: []string{"go: ", "checksum mismatch"}},
			{says: []string{"verifying ", "checksum mismatch"}},
			{says: []string{"reading https://", "/@v/", "404"}},
			{says: []string{"reading https://", "/@v/", "410"}},
			{says: []string{"inconsistent vendoring"}, sure: true},
			{says: []string{"is not in std"}, sure: true},
			{
				says: []string{"cannot find package \""},
				like: &pattern{source: "cannot find package \"[^\"]+\""},
				sure: true,
			},
			{says: []string{"is not in goroot"}, sure: true},
			{says: []string{"unrecognized import path"}},
			{says: []string{"module declares its path as"}},
			{says: []string{"no go files in"}},
			{says: []string{"build constraints exclude all go files"}},
			{says: []string{"errors parsing go.mod"}},
			{says: []string{"go: error loading module requirements"}},
		},
	},
	{
		Name:  "cargo-dependency-failed",
		Title: "Cargo cannot get a crate",
		Advice: "Check the crate's name and version requirement, and for private registries or Git " +
			"crates the credential and net.git-fetch-with-cli.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"failed to select a version for"}},
			{says: []string{"error: no matching package", "found"}},
			{says: []string{"failed to get `", "as a dependency of package"}},
			{says: []string{"failed to download from `"}},
			{says: []string{"failed to load source for dependency"}},
		},
	},
	{
		Name:  "package-host-refused",
		Title: "A package host refuses the build's login",
		Advice: "Give the package manager a user and token for exactly this host from a secret " +
			"(BUNDLE_HOST, auth.json, nuget.config). A token of CodeArtifact lasts at most 12 hours: " +
			"get it in the same build.",
		Remedy: "report",
		rules: []rule{
			{
				says: []string{"authentication is required for"},
				like: &pattern{source: "^Authentication is required for \\S+\\.$"},
			},
			{says: []string{"bad username or password for http"}},
			{says: []string{"nu1301"}, like: &pattern{source: "\\b40[13] \\("}},
		},
	},
	{
		Name:  "nuget-dependency-failed",
		Title: "NuGet cannot get a package",
		Advice: "Check the package's name and version and the feeds in nuget.config, with their " +
			"credentials.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"nu1101"}},
			{says: []string{"nu1102"}},
			{says: []string{"nu1103"}},
			{says: []string{"nu1301"}},
			{says: []string{"nu1107"}},
			{says: []string{"unable to load the service index for source"}},
			{says: []string{"netsdk1004"}},
			{says: []string{"netsdk1047"}},
			{says: []string{"netsdk1094"}},
			{says: []string{"error nu"}, like: &pattern{source: "\\berror NU(1[0-7]|3)\\d\\d\\b"}},
			{says: []string{"netsdk1005"}},
		},
	},
	{
		Name:  "bundler-dependency-failed",
		Title: "Bundler cannot get a gem",
		Advice: "Check the gem's name, version and source, and run bundle lock with the platform of the " +
			"build.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"could not find gem '"}},
			{says: []string{"bundler could not find compatible versions"}, sure: true},
			{says: []string{"could not find", "in locally installed gems"}},
			{says: []string{"could not find", "in any of the sources"}},
			{says: []string{"your bundle only supports platforms"}, sure: true},
			{says: []string{"gem::gemnotfoundexception"}},
			{says: []string{"gem::missingspec"}},
			{says: []string{"cannot load such file -- "}, sure: true},
			{says: []string{"version solving has failed"}},
			{says: []string{"could not find a valid gem"}},
		},
	},
	{
		Name:  "composer-dependency-failed",
		Title: "Composer cannot resolve the PHP packages",
		Advice: "The list of problems names the package and what it needs: adjust the version or add the " +
			"PHP extension. For private packages set the auth.json credential.",
		Remedy: "report",
		rules: []rule{
			{
				says: []string{"your requirements could not be resolved to an installable set of packages"},
				sure: true,
			},
			{says: []string{"could not authenticate against"}},
			{says: []string{"could not find a matching version of package"}},
			{says: []string{"root composer.json requires"}, sure: true},
			{says: []string{"lock file does not contain a compatible set of packages"}, sure: true},
			{says: []string{"in any version for your minimum-stability"}},
			{says: []string{"the zip extension and unzip/7z commands are both missing"}},
			{says: []string{"vendor/autoload.php): failed to open stream"}},
			{says: []string{"could not be downloaded (http/", "404"}},
			{
				says: []string{"could not find package "},
				like: &pattern{source: "^Could not find package [\\w.-]+/[\\w.-]+\\.$"},
			},
		},
	},
	{
		Name:  "os-package-locked",
		Title: "Another process holds the package manager's lock",
		Advice: "Start the build again. If it recurs, wait for the lock: apt-get -o " +
			"DPkg::Lock::Timeout=120 install.",
		Remedy:    "retry",
		Retryable: true,
		rules: []rule{
			{says: []string{"could not get lock /var/lib"}},
			{says: []string{"unable to acquire the dpkg frontend lock"}, not: []string{"are you root"}},
			{says: []string{"another app is currently holding the yum lock"}},
			{says: []string{"e: unable to lock directory"}},
			{says: []string{"unable to lock database", "temporarily unavailable"}},
		},
	},
	{
		Name:  "os-release-retired",
		Title: "The operating system's release is no longer supported, and its packages have moved",
		Advice: "Use an image with a release that is still supported. Until then, point the package " +
			"manager to the archive: vault.centos.org, archive.debian.org or old-releases.ubuntu.com.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"no urls in mirrorlist"}},
			{
				says: []string{"mirrorlist.centos.org"},
				like: &pattern{source: "(?i)could(n't| not) (resolve|retrieve)"},
			},
			{
				says: []string{"does not have a release file"},
				like: &pattern{source: "(archive\\.ubuntu\\.com|deb\\.debian\\.org|security\\.debian\\.org)"},
			},
		},
	},
	{
		Name:  "os-package-mirror",
		Title: "The operating system's package mirror failed",
		Advice: "A mirror was half-way through an update or out of reach. Start the build again; run " +
			"apt-get update in the same command as the install.",
		Remedy:    "retry",
		Retryable: true,
		rules: []rule{
			{says: []string{"hash sum mismatch"}},
			{says: []string{"e: failed to fetch"}, not: []string{"404"}},
			{says: []string{"failed to download metadata for repo"}},
			{says: []string{"cannot find a valid baseurl for repo"}},
			{says: []string{"file has unexpected size"}},
			{says: []string{"errors during downloading metadata for repository"}},
			{says: []string{"temporary error (try again later)"}},
		},
	},
	{
		Name:  "os-package-failed",
		Title: "A package of the operating system cannot be installed",
		Advice: "Run apt-get update first, check the package's name for this release of the image, and " +
			"replace sources that are gone or unsigned. Amazon Linux uses dnf or yum, not apt-get.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"e: unable to locate package"}},
			{says: []string{"e: failed to fetch", "404"}},
			{says: []string{"package '", "has no installation candidate"}},
			{says: []string{"does not have a release file"}},
			{says: []string{"no_pubkey"}},
			{says: []string{"the following signatures were invalid"}},
			{says: []string{"no package "}, like: &pattern{source: "^No package \\S+ available"}},
			{says: []string{"e: the repository '"}},
			{says: []string{"e: unable to correct problems, you have held broken packages"}},
			{says: []string{"e: sub-process /usr/bin/dpkg returned an error code"}},
			{says: []string{"error: unable to find a match:"}},
			{says: []string{"no match for argument:"}},
			{says: []string{"error: nothing to do"}, like: &pattern{source: "^Error: Nothing to do"}},
			{says: []string{"error: unable to select packages"}},
			{
				says: []string{"was not found"},
				like: &pattern{source: "^E: Version '[^']+' for '[^']+' was not found"},
			},
			{says: []string{"no available formula with the name"}},
			{says: []string{"e: packages were downgraded"}},
			{says: []string{"e: broken packages"}},
			{says: []string{"e: some packages could not be"}},
			{says: []string{"the following packages have unmet dependencies"}},
			{says: []string{"e: essential packages were removed"}},
			{says: []string{"e: malformed entry"}},
			{says: []string{"e: release file for"}},
			{says: []string{"e: there were unauthenticated packages"}},
			{says: []string{"by glob '"}},
			{says: []string{"e: unmet dependencies"}},
			{says: []string{"e: dpkg was interrupted"}},
			{says: []string{"e: conflicting values set for option"}},
			{says: []string{"trying to overwrite '"}},
			{says: []string{"dpkg: dependency problems"}},
			{says: []string{"problem: conflicting requests"}},
			{says: []string{"transaction test error"}},
			{says: []string{"conflicts with curl"}},
			{says: []string{"error: gpg check failed"}},
			{says: []string{"untrusted signature"}},
			{says: []string{"error: failed dependencies:"}},
			{says: []string{"no package matches '"}},
			{says: []string{"dpkg: error processing"}},
		},
	},
	{
		Name:  "checksum-mismatch",
		Title: "A file does not have the checksum that it should",
		Advice: "Compare what was downloaded with what the publisher names for this version and " +
			"architecture. An error page saved as the file, another version, or a cache are the " +
			"usual reasons; else trust nothing in it.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"computed checksum"}, like: &pattern{source: "computed checksums? did NOT match"}},
			{says: []string{"no properly formatted checksum lines found"}},
			{
				says: []string{"no properly formatted"},
				like: &pattern{source: "no properly formatted \\w+ checksum lines found"},
			},
			{says: []string{"listed file could not be read"}},
			{
				says: []string{"checksum"},
				not:  []string{"migration"},
				like: &pattern{source: "(?i)\\b(checksum|sha-?\\d+|md5|digest)( \\w+)? (mismatch|does not match|did not " +
					"match|verification failed|validation failed|check failed)"},
			},
			{
				says: []string{"hash"},
				like: &pattern{source: "(?i)^(error|fatal)\\b.*\\bhash (mismatch|does not match|did not match|sum mismatch)"},
			},
			{says: []string{"hash mismatch in fixed-output derivation"}},
			{says: []string{"bad signature from"}},
		},
	},
	{
		Name:  "expired-credentials",
		Title: "The AWS credentials have expired",
		Advice: "A role that the build assumed lasts at most an hour by default: assume it later, or for " +
			"longer (--duration-seconds). Keys copied into the build's variables should give way to " +
			"the service role, and so should a profile with SSO, which is for people.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"expiredtoken"}},
			{says: []string{"the security token included in the request is expired"}},
			{says: []string{"the provided token has expired"}},
			{says: []string{"token has expired and refresh failed"}},
			{says: []string{"requestexpired"}},
			{says: []string{"the sso session has expired"}},
			{says: []string{"authorization grant is invalid, expired"}},
			{says: []string{"error loading sso token"}},
			{says: []string{"need to perform aws calls for account", "expired"}},
		},
	},
	{
		Name:  "invalid-signature",
		Title: "The request's signature does not match",
		Advice: "The secret key is wrong or cut (a lost character, quotes, a new line), a proxy changed " +
			"the request, or the clock is off. Prefer the service role over keys.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"signaturedoesnotmatch"}},
			{says: []string{"the request signature we calculated does not match"}},
			{says: []string{"requesttimetooskewed"}},
			{says: []string{"signature expired:"}},
			{says: []string{"aws authentication requires a valid date"}},
			{aws: &pattern{source: "^(InvalidSignature|IncompleteSignature)\\w*:"}},
		},
	},
	{
		Name:  "invalid-credentials",
		Title: "AWS does not know these credentials",
		Advice: "The access key was deleted, is mistyped, or belongs to another partition; a session " +
			"token may be missing beside it. Remove the keys from the build's variables and use the " +
			"service role.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"invalidclienttokenid"}},
			{says: []string{"unrecognizedclientexception"}},
			{says: []string{"the security token included in the request is invalid"}},
			{says: []string{"invalidaccesskeyid"}},
			{says: []string{"does not exist in our records"}},
			{says: []string{"aws was not able to validate the provided access credentials"}},
			{says: []string{"invalididentitytoken"}},
			{says: []string{"(authfailure) when calling"}},
		},
	},
	{
		Name:  "missing-credentials",
		Title: "The tool found no AWS credentials",
		Advice: "Inside docker build or docker run, pass AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and " +
			"AWS_REGION in. Otherwise the SDK is too old for containers, or a profile or wrong " +
			"variable hides the service role.",
		Remedy: "report",
		rules: []rule{
			{
				says: []string{"unable to locate credentials"},
				not:  []string{"warn", "metric", "upload artifacts", "test reports", "cache"},
			},
			{says: []string{"nocredentialserror"}},
			{says: []string{"nocredentialproviders"}},
			{says: []string{"no ec2 imds role found"}},
			{says: []string{"could not load credentials from any providers"}},
			{says: []string{"credentialsprovidererror"}},
			{says: []string{"unable to load credentials from any of the providers"}},
			{says: []string{"unable to load aws credentials from any provider"}},
			{says: []string{"aws provider credentials not found"}},
			{says: []string{"no valid credential sources"}},
			{says: []string{"no valid credential sources found"}},
			{says: []string{"need to perform aws calls for account", "no credentials"}},
			{says: []string{"unable to resolve aws account to use"}},
			{says: []string{"partial credentials found in"}},
			{says: []string{"missing credentials in config"}},
			{says: []string{"missing credentials - please check"}},
			{says: []string{"you can configure credentials by running \"aws configure\""}},
			{says: []string{"credentials found"}, like: &pattern{source: "(?i)\\bno (aws )?credentials found"}},
			{says: []string{"anonymous users cannot"}, like: &pattern{source: "Anonymous users cannot \\w+"}},
			{aws: &pattern{source: "^MissingAuthenticationToken\\w*:"}},
			{
				says: []string{"credentials"},
				like: &pattern{source: "(?i)\\baws .*\\bcredentials? .*\\b(not " +
					"(found|set|provided|configured|available)|missing)\\b|\\bno (valid )?aws credentials\\b"},
				consequence: true,
				shared:      true,
			},
			{
				says: []string{"credentials"},
				like: &pattern{source: "(?i)\\b(unable|cannot|failed)( to)? (resolve|identify account based on configured) " +
					"credentials\\b|identify account based on configured credentials"},
				consequence: true,
				shared:      true,
			},
		},
	},
	{
		Name:   "aws-profile-not-found",
		Title:  "The AWS profile that the command names is not configured in the build",
		Advice: "Drop --profile (or AWS_PROFILE) in the build, which uses the service role's credentials.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"the config profile (", "could not be found"}},
			{says: []string{"failed to get shared config profile"}},
			{says: []string{"profilenotfound"}},
			{says: []string{"aws profile", "doesn't seem to be configured"}},
			{says: []string{"error: profile "}, like: &pattern{source: "^Error: Profile \\S+ does not exist"}},
		},
	},
	{
		Name:  "missing-region",
		Title: "The tool does not know which AWS region to use",
		Advice: "Set AWS_REGION or --region. CodeBuild sets AWS_REGION, but not inside docker build or " +
			"docker run.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"you must specify a region"}},
			{says: []string{"noregionerror"}},
			{says: []string{"missing region in config"}},
			{says: []string{"could not find region configuration"}},
			{says: []string{"an aws region is required, but was not found"}},
			{says: []string{"invalid configuration: missing region"}},
			{says: []string{"region is missing"}},
			{says: []string{"unable to find a region via the region provider chain"}},
			{says: []string{"error: invalid aws region"}},
			{says: []string{"error: missing region configuration"}},
			{says: []string{"not supplied: aws-region"}},
			{
				says: []string{"region"},
				like: &pattern{source: "(?i)\\bregion (is |was )?(not " +
					"(specified|set|provided|configured|found)|missing|required)\\b|\\b(no|missing|specify " +
					"(an? |the )?)(aws )?region\\b"},
				consequence: true,
				shared:      true,
			},
			{
				says: []string{"region"},
				like: &pattern{source: "(?i)\\b(unable|cannot|can't|could not|failed)( to)? (find|determine|infer) (an? |the " +
					")?(default |aws )?region\\b"},
				consequence: true,
				shared:      true,
			},
			{says: []string{"unable to resolve a region"}},
			{says: []string{"a region must be set when sending requests"}},
		},
	},
	{
		Name:  "browser-missing",
		Title: "The browser for the tests is not installed in the build",
		Advice: "Install it in the install phase with its libraries (npx playwright install --with-deps, " +
			"npx puppeteer browsers install chrome), or use an image that has it.",
		Remedy: "report",
		tests:  true,
		rules: []rule{
			{says: []string{"browsertype.launch: executable doesn't exist"}},
			{says: []string{"looks like playwright test or playwright was just installed"}},
			{says: []string{"could not find chrome"}},
			{says: []string{"no binary for chrome"}},
			{says: []string{"no binary for chromeheadless"}},
			{says: []string{"cannot find chrome binary"}},
			{says: []string{"your system is missing the dependency: xvfb"}},
			{says: []string{"failed to launch the browser process"}},
			{says: []string{"the cypress npm package is installed, but the cypress binary is missing"}},
			{says: []string{"only supports chrome version"}},
			{says: []string{"entered an invalid browser name"}},
			{
				says: []string{"host system is missing"},
				like: &pattern{source: "\\bHost system is missing (a few )?dependencies to run browsers"},
			},
		},
	},
	{
		Name:   "coverage-too-low",
		Title:  "The tests passed, but cover too little of the code",
		Advice: "Add tests for what is new, or change the threshold on purpose.",
		Remedy: "report",
		rules: []rule{
			{
				says: []string{"coverage threshold for"},
				like: &pattern{source: "(?i)coverage threshold for .+ not met"},
				sure: true,
			},
			{says: []string{"does not meet", "threshold"}, like: &pattern{source: "(?i)coverage"}, sure: true},
			{says: []string{"coverage failure: total of"}, sure: true},
			{
				says: []string{"the type coverage rate("},
				like: &pattern{source: "is lower than the target"},
				sure: true,
			},
			{says: []string{"result: failed (minimum: "}, sure: true},
			{says: []string{"required test coverage of", "not reached"}, sure: true},
			{says: []string{"coverage checks have not been met"}, sure: true},
			{says: []string{"rule violated for", "ratio is"}, sure: true},
		},
	},
	{
		Name:  "test-failure",
		Title: "Tests failed",
		Advice: "{tests} Run the same command locally; if it passes there, compare time zone, order, " +
			"services and environment variables.",
		Remedy: "report",
		unlogged: "CodeBuild's test report says so; the build left no log. {tests} Run the same tests " +
			"locally, and turn logs on, or let the role write them, to see more.",
		quotes: true,
		rules: []rule{
			{
				says: []string{"' failed"},
				like: &pattern{source: "^#\\s+`(\\[|test |assert|diff |grep ).*' failed"},
				sure: true,
			},
			{says: []string{"npm err! test failed"}},
			{says: []string{"--- fail:"}, like: &pattern{source: "^\\s*--- FAIL: (?P<test>\\S+)"}, first: true},
			{says: []string{"failed"}, like: &pattern{source: "^FAILED \\S+::(?P<test>\\S+)"}, first: true},
			{
				says:  []string{"fail"},
				not:   []string{"[build failed]"},
				like:  &pattern{source: "^FAIL\\s+\\S+\\s+(\\[build failed\\]|\\d+(\\.\\d+)?s)"},
				first: true,
			},
			{says: []string{"tests:"}, like: &pattern{source: "^\\s*Tests:\\s+.*\\b[1-9]\\d* failed"}},
			{
				says: []string{"test suites:"},
				like: &pattern{source: "^\\s*Test Suites:\\s+.*\\b[1-9]\\d* failed"},
			},
			{says: []string{"test files"}, like: &pattern{source: "^\\s*Test Files\\s+[1-9]\\d* failed"}},
			{
				says: []string{"failed"},
				like: &pattern{source: "^=+ .*\\b[1-9]\\d* (failed|errors?)\\b.* in [\\d.:]+"},
			},
			{says: []string{"failed"}, like: &pattern{source: "^FAILED \\((failures|errors)="}},
			{says: []string{"there are test failures"}},
			{says: []string{"there were test failures"}},
			{says: []string{"there were failing tests"}},
			{
				says: []string{"tests run:"},
				like: &pattern{source: "Tests run: \\d+, Failures: ([1-9]|0, Errors: [1-9])"},
			},
			{
				says: []string{"tests completed"},
				like: &pattern{source: "^\\s*\\d+ tests? completed, [1-9]\\d* failed"},
			},
			{says: []string{"examples,"}, like: &pattern{source: "^\\s*\\d+ examples?, [1-9]\\d* failures?"}},
			{says: []string{"failing"}, like: &pattern{source: "^\\s*[1-9]\\d* failing\\b"}},
			{says: []string{"test result: failed"}},
			{says: []string{"failed!  - failed:"}},
			{says: []string{"test run failed."}},
			{says: []string{"failures!"}},
			{
				says: []string{"tests: "},
				like: &pattern{source: "Tests: \\d+, Assertions: \\d+.*(Failures|Errors): [1-9]"},
			},
			{
				says: []string{"assertions,"},
				like: &pattern{source: "\\d+ (runs|tests), \\d+ assertions, (\\d+ failures, [1-9]\\d* errors|[1-9]\\d* failures)"},
			},
			{
				says: []string{"scenario"},
				like: &pattern{source: "\\d+ scenarios? \\(.*\\b[1-9]\\d* (failed|undefined|ambiguous|pending)"},
			},
			{
				says: []string{"passed, "},
				like: &pattern{source: "^\\d+ (features?|scenarios?|steps?) passed, .*\\b[1-9]\\d* " +
					"(failed|error|errored|undefined)\\b"},
			},
			{says: []string{"tests, "}, like: &pattern{source: "^\\d+ tests?, \\d+ passed, [1-9]\\d* failed"}},
			{
				says:  []string{"not ok "},
				not:   []string{"# todo", "# skip"},
				like:  &pattern{source: "^\\s*not ok \\d+"},
				first: true,
			},
			{says: []string{"# fail "}, like: &pattern{source: "^# fail +[1-9]"}},
			{says: []string{"numfailedtests"}, like: &pattern{source: "\"numFailedTests\": ?[1-9]"}},
			{says: []string{"[fail]"}, like: &pattern{source: "^\\s*[✘✖] \\[fail\\]: "}, first: true},
			{says: []string{"(fail) "}, like: &pattern{source: "^\\(fail\\) \\S"}, first: true},
			{says: []string{"failed tests: there w"}, like: &pattern{source: "There (was|were) [1-9]"}},
			{says: []string{"error: test failed"}, like: &pattern{source: "^error: Test failed$"}},
			{
				says: []string{"failures=\""},
				not: []string{
					"name=\"biome\"",
					"name=\"ruff\"",
					"name=\"cloudformation lint\"",
					"name=\"tflint\"",
					"package=\"org.biome",
					"package=\"org.eslint",
					"package=\"org.ruff",
				},
				like: &pattern{source: "<(testsuites?|OverallResults(Cases)?)\\b.* failures=\"[1-9]"},
			},
			{says: []string{"failed in "}, like: &pattern{source: "^\\W*FAILED in [\\d.]+ seconds"}},
			{says: []string{"***test failed***"}},
			{
				says: []string{"test cases: "},
				like: &pattern{source: "^(\\[doctest\\] )?test cases: .*\\b[1-9]\\d* failed"},
			},
			{says: []string{"failure! "}, like: &pattern{source: "^Failure! \\d+ passed, [1-9]\\d* failed"}},
			{
				says:  []string{"\"action\":\"fail\""},
				not:   []string{"failedbuild"},
				like:  &pattern{source: "\"Action\":\"fail\".*\"(Test|Package)\":|\"(Test|Package)\":.*\"Action\":\"fail\""},
				first: true,
			},
			{says: []string{"result: fail"}, like: &pattern{source: "^Result: FAIL$"}},
			{says: []string{"some tests failed"}, like: &pattern{source: "(?i)some tests failed\\.?$"}},
			{says: []string{"async callback was not invoked within"}},
			{
				says: []string{"exceeded timeout of"},
				like: &pattern{source: "Exceeded timeout of \\d+ ms for a (test|hook)"},
			},
			{says: []string{"specs, "}, like: &pattern{source: "^\\d+ specs?, [1-9]\\d* failures?"}},
			{
				says: []string{"tests, "},
				like: &pattern{source: "^\\s*\\d+ (doctests?, \\d+ )?tests?, [1-9]\\d* failures?"},
			},
			{says: []string{"tests passed:"}, like: &pattern{source: "Tests Passed: \\d+, Failed: [1-9]"}},
			{says: []string{"test failed"}, like: &pattern{source: "^\\** ?TEST FAILED"}},
			{
				says: []string{"tests, with "},
				like: &pattern{source: "Executed \\d+ tests?, with [1-9]\\d* failure"},
			},
			{says: []string{"total tests run:"}, like: &pattern{source: "Failures: [1-9]"}},
			{says: []string{"failed: total "}, like: &pattern{source: "Failed: Total \\d+, Failed [1-9]"}},
			{says: []string{"failures, "}, like: &pattern{source: "^[1-9]\\d* failures, \\d+ errors\\.$"}},
			{says: []string{"[ fail "}, like: &pattern{source: "\\[ FAIL [1-9]"}},
			{
				says: []string{"tests run:"},
				like: &pattern{source: "\\d+ tests? run: \\d+ passed.*, [1-9]\\d* failed"},
			},
			{says: []string{"test count:"}, like: &pattern{source: "Test Count: \\d+, .*Failed: [1-9]"}},
			{says: []string{"test summary: total:"}, like: &pattern{source: "failed: [1-9]"}},
			{says: []string{"spec files:"}, like: &pattern{source: "Spec Files:.*\\b[1-9]\\d* failed"}},
			{says: []string{"failed"}, like: &pattern{source: "^\\s*[1-9]\\d* (tests? )?failed$"}},
			{says: []string{"done "}, like: &pattern{source: "^DONE \\d+ tests.*, [1-9]\\d* failures?"}},
			{
				says: []string{"test summary: "},
				like: &pattern{source: "Test Summary: \\d+ successful, [1-9]\\d* failures?"},
			},
			{says: []string{"failed in "}, like: &pattern{source: "^//\\S+ +FAILED in "}},
			{says: []string{"tests failed"}, like: &pattern{source: "^[1-9]\\d* out of \\d+ tests failed"}},
			{
				says: []string{"thresholds on metrics"},
				like: &pattern{source: "thresholds on metrics .* have been crossed"},
			},
			{says: []string{"tests failed out of"}},
			{says: []string{"executed", "fails locally"}, like: &pattern{source: "[1-9]\\d* fails? locally"}},
			{
				says: []string{"failed"},
				like: &pattern{source: "(?i)executed \\d+ of \\d+ .*\\([1-9]\\d* FAILED\\)"},
			},
			{says: []string{"[  failed  ]"}, first: true},
			{says: []string{"cypress"}, like: &pattern{source: "(?i)[1-9]\\d* of \\d+ failed"}},
			{says: []string{"of "}, like: &pattern{source: "[✖x]\\s+[1-9]\\d* of \\d+ failed \\("}},
			{says: []string{"test failed."}, like: &pattern{source: "(?i)^(npm (err!|error) )?test failed\\."}},
			{
				says: []string{"assertionerror"},
				like: &pattern{source: "AssertionError(?: \\[ERR_ASSERTION\\])?: (?i:expected) .* to "},
				sure: true,
			},
			{
				says: []string{"assertionerror"},
				like: &pattern{source: "AssertionError: .+ (!=|not found in|is not true|is not false|!==) ?"},
				sure: true,
			},
			{
				says: []string{"assertionerror"},
				not: []string{
					"denied",
					"forbidden",
					"unauthorized",
					"authorized",
					"401",
					"403",
					"429",
					"throttl",
					"rate exceeded",
					"toomanyrequests",
					"too many requests",
				},
				like: &pattern{source: "(?:^|[\\s.>:])(?:java\\.lang\\.)?AssertionError(?: \\[ERR_ASSERTION\\])?: \\S"},
				sure: true,
			},
			{
				says: []string{"assertionerror"},
				like: &pattern{source: "^\\s+name: \"?AssertionError"},
				sure: true,
			},
			{says: []string{"assert "}, like: &pattern{source: "^E +assert \\S"}, sure: true},
			{
				says: []string{"expect("},
				like: &pattern{source: "^\\s*((error|Error): )?expect\\(\\S*\\)\\.[\\w.]+\\("},
				sure: true,
			},
			{
				says: []string{"expected:", "but was:"},
				like: &pattern{source: "(?i)expected: ?[<\\[]?.* but was: ?"},
				sure: true,
			},
			{says: []string{"expected [", "] but found ["}, sure: true},
			{says: []string{"expected but was"}, like: &pattern{source: "> expected but was"}, sure: true},
			{
				says: []string{"assertionfailederror"},
				not: []string{
					"denied",
					"forbidden",
					"unauthorized",
					"authorized",
					"401",
					"403",
					"429",
					"throttl",
					"rate exceeded",
					"toomanyrequests",
					"too many requests",
				},
				sure: true,
			},
			{says: []string{"failure/error: expect"}, sure: true},
			{
				says: []string{"got: "},
				also: []string{"expected: "},
				like: &pattern{source: "^\\s+got: \\S"},
				sure: true,
			},
			{
				says: []string{"actual: "},
				also: []string{"expected: "},
				like: &pattern{source: "^\\s+Actual: "},
				sure: true,
			},
			{
				says: []string{"actual"},
				also: []string{"expected"},
				like: &pattern{source: "^\\s+actual *: "},
				sure: true,
			},
			{says: []string{"difference (- actual, + expected)"}, sure: true},
			{
				says: []string{"failed asserting that"},
				not: []string{
					"denied",
					"forbidden",
					"unauthorized",
					"authorized",
					"401",
					"403",
					"429",
					"throttl",
					"rate exceeded",
					"toomanyrequests",
					"too many requests",
				},
				sure: true,
			},
			{
				says: []string{"_test.go:"},
				not: []string{
					"denied",
					"forbidden",
					"unauthorized",
					"authorized",
					"401",
					"403",
					"429",
					"throttl",
					"rate exceeded",
					"toomanyrequests",
					"too many requests",
				},
				like: &pattern{source: "^\\s+\\w\\S*_test\\.go:\\d+: \\S"},
				sure: true,
			},
			{says: []string{"not equal:"}, like: &pattern{source: "^\\s*(Error: +)?\\s*Not equal:"}, sure: true},
			{says: []string{"to equal"}, like: &pattern{source: "^\\s+to equal$"}, sure: true},
			{says: []string{"assertion `"}, like: &pattern{source: "assertion `[^`]+` failed"}, sure: true},
			{
				says: []string{"assertion failed:"},
				not: []string{
					"denied",
					"forbidden",
					"unauthorized",
					"authorized",
					"401",
					"403",
					"429",
					"throttl",
					"rate exceeded",
					"toomanyrequests",
					"too many requests",
				},
				sure: true,
			},
			{
				says: []string{"assert failed:"},
				not: []string{
					"denied",
					"forbidden",
					"unauthorized",
					"authorized",
					"401",
					"403",
					"429",
					"throttl",
					"rate exceeded",
					"toomanyrequests",
					"too many requests",
				},
				sure: true,
			},
			{says: []string{"error: test assertion failed"}, sure: true},
			{says: []string{"expected equality of these values"}, sure: true},
			{says: []string{"actual: "}, like: &pattern{source: "^Expected: .*, actual: "}, sure: true},
			{says: []string{"with expansion:"}, like: &pattern{source: "^with expansion:$"}, sure: true},
			{says: []string{"values are not equal"}, sure: true},
			{
				says: []string{"assert."},
				like: &pattern{source: "\\bAssert\\.\\w+\\(?\\)? (Failure|failed)"},
				sure: true,
			},
			{
				says: []string{"assertion with "},
				like: &pattern{source: "Assertion with \\S+ failed"},
				sure: true,
			},
			{says: []string{"expected values to be strictly"}, sure: true},
			{
				says: []string{"failed test '"},
				not: []string{
					"denied",
					"forbidden",
					"unauthorized",
					"authorized",
					"401",
					"403",
					"429",
					"throttl",
					"rate exceeded",
					"toomanyrequests",
					"too many requests",
				},
				like: &pattern{source: "^#\\s+Failed test '"},
				sure: true,
			},
			{says: []string{"xctassert"}, like: &pattern{source: "XCTAssert\\w+ failed"}, sure: true},
			{says: []string{"error "}, like: &pattern{source: "^ERROR \\S+\\.py::\\S+"}},
			{says: []string{" in "}, like: &pattern{source: "^\\d+ (failed|errors?)\\b.* in [\\d.]+s"}},
			{
				says: []string{"___ "},
				also: []string{"= failures ="},
				like: &pattern{source: "^_{3,} \\S.* _{3,}$"},
			},
			{says: []string{"fail: "}, like: &pattern{source: "^\\S+ {2,}FAIL: +\\S"}},
			{
				says: []string{"returning 124"},
				also: []string{"failed!"},
				like: &pattern{source: "^Command took >\\d+ ?\\w+, returning 124\\b"},
			},
			{
				says: []string{"failed!"},
				like: &pattern{source: "^(RuntimeError: )?\\S*test\\S* \\d+/\\d+ failed!"},
			},
			{any: "test"},
			{says: []string{"the forked vm terminated without properly saying goodbye"}},
			{
				says: []string{"fail"},
				like: &pattern{source: "(?i)\\b[1-9]\\d* (of \\d+ |out of \\d+ )?(unit |integration |e2e " +
					")?(tests?|specs?|scenarios?|test cases?) (have |has )?failed\\b|\\b(unit |integration " +
					"|e2e |smoke )?tests? (have |has |run |suite " +
					")?failed\\b|^FAIL\\s+\\S+[._](test|spec)\\.\\w+"},
				consequence: true,
				shared:      true,
			},
			{says: []string{"target page, context or browser has been closed"}, consequence: true},
			{says: []string{"renderer process just crashed"}, consequence: true},
			{says: []string{"write code here that turns the phrase above into concrete actions"}, sure: true},
		},
	},
	{
		Name:      "command-timed-out",
		Title:     "A command was stopped at its own time limit",
		Advice:    "Raise the limit given to timeout, or find out what the command waits for.",
		Remedy:    "report",
		Retryable: true,
		rules: []rule{
			{exit: []string{"124"}},
			{says: []string{"returning 124"}, like: &pattern{source: "\\breturning 124\\b"}},
			{
				says: []string{"has timed out after"},
				like: &pattern{source: "(?i)\\b(action|job|step|command|process|script)\\b.* has timed out after \\d+"},
			},
			{says: []string{"has exceeded the maximum execution time of"}},
			{says: []string{"!! keyboardinterrupt !!"}},
		},
	},
	{
		Name:  "sanitizer-error",
		Title: "A sanitizer found a fault in the program",
		Advice: "The first stack below the line says where memory, threads or arithmetic go wrong; build " +
			"with -g to see lines. It is a real fault even where the program still gives the right " +
			"answer.",
		Remedy: "report",
		rules: []rule{
			{
				says:  []string{"sanitizer: "},
				like:  &pattern{source: "(ERROR|WARNING): (Address|HWAddress|Leak|Memory|Thread|UndefinedBehavior)Sanitizer: "},
				first: true,
				sure:  true,
			},
			{says: []string{"summary: "}, like: &pattern{source: "SUMMARY: \\w+Sanitizer: "}, sure: true},
			{
				says:        []string{"runtime error: "},
				like:        &pattern{source: "^\\S+:\\d+:\\d+: runtime error: "},
				first:       true,
				consequence: true,
			},
			{says: []string{"warning: data race"}, first: true, sure: true},
			{says: []string{"found "}, like: &pattern{source: "^Found [1-9]\\d* data race\\(s\\)"}, sure: true},
			{
				says:        []string{"== error summary:"},
				like:        &pattern{source: "^==\\d+== ERROR SUMMARY: [1-9]"},
				consequence: true,
			},
			{
				says: []string{"=="},
				like: &pattern{source: "^==\\d+== (Invalid (read|write|free)|Conditional jump|Use of uninitialised|Mismatched " +
					"free)"},
				first:       true,
				consequence: true,
			},
			{says: []string{"error: undefined behavior: "}, sure: true},
		},
	},
	{
		Name:  "github-rate-limit",
		Title: "GitHub's API limit was reached",
		Advice: "Make the calls with a token (unauthenticated ones share 60 an hour per address), or " +
			"cache what is downloaded. The limit refills within the hour.",
		Remedy:    "retry",
		Retryable: true,
		rules: []rule{
			{says: []string{"api rate limit exceeded"}},
			{says: []string{"you have exceeded a secondary rate limit"}},
			{says: []string{"to go over the api rate limit"}},
		},
	},
	{
		Name:  "registry-rate-limit",
		Title: "A package host's request limit was reached",
		Advice: "Start the build again later. To avoid it, cache dependencies (the project's cache, or " +
			"CodeArtifact in between) or log in to the host.",
		Remedy:    "retry",
		Retryable: true,
		rules: []rule{
			{says: []string{"429 too many requests"}},
			{says: []string{"code e429"}},
			{says: []string{"status code 429"}},
			{says: []string{"http error 429"}},
			{says: []string{"err_pnpm_fetch_429"}},
			{says: []string{"responded with status 429"}},
			{says: []string{"returned error: 429"}},
			{
				says: []string{"limit"},
				like: &pattern{source: "(?i)\\brate limit(ed)? (was |has been |is )?(exceeded|reached)\\b|\\bhit (a |the )?rate " +
					"limit\\b"},
				consequence: true,
				shared:      true,
				remedy:      "report",
			},
			{
				says:        []string{"too many requests"},
				like:        &pattern{source: "(?i)\\btoo many requests\\b"},
				consequence: true,
				shared:      true,
				remedy:      "report",
			},
		},
	},
	{
		Name:   "dry-run-operation",
		Title:  "The call would have succeeded, but was only a dry run",
		Advice: "Remove --dry-run, or let the script accept DryRunOperation as success.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"dryrunoperation"}},
			{says: []string{"dryrun flag is set"}},
		},
	},
	{
		Name:  "cdk-not-bootstrapped",
		Title: "The account and region are not bootstrapped for the CDK, or the bootstrap is too old",
		Advice: "Run cdk bootstrap aws://ACCOUNT/REGION once, with the qualifier that the app uses, as " +
			"an administrator.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"has the environment been bootstrapped?"}},
			{says: []string{"please run 'cdk bootstrap'"}},
			{says: []string{"requires bootstrap stack version"}},
			{says: []string{"is it bootstrapped"}},
			{says: []string{"this stack uses assets, so the toolkit stack must be deployed"}},
			{says: []string{"cdk-bootstrap/", "/version", "not found"}},
			{says: []string{"unable to fetch parameters", "cdk-bootstrap"}},
			{says: []string{"no bucket named '", "bootstrapped?"}},
		},
	},
	{
		Name:  "cdk-assets-unreachable",
		Title: "The build may not use the CDK's bucket for assets",
		Advice: "The bucket exists, but S3 does not show it to these credentials: it is another " +
			"account's, or the build may not assume the CDK's file-publishing role. Give the build's " +
			"role sts:AssumeRole on the bootstrap's roles, or deploy to the account that the app " +
			"names.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"exists, but not in account", "wrong account?"}},
			{says: []string{"bucket named '", "exists, but we dont have access to it"}},
		},
	},
	{
		Name:  "cdk-cli-too-old",
		Title: "The CDK command line is older than the app's CDK library",
		Advice: "Pin the CLI in the project (npm i -D aws-cdk@VERSION, npx cdk) at a version that the " +
			"message accepts. Do not rely on the tag \"latest\".",
		Remedy: "report",
		rules: []rule{
			{says: []string{"cloud assembly schema version mismatch"}},
			{says: []string{"this cdk cli is not compatible with the cdk library"}},
			{says: []string{"maximum schema version supported is"}},
		},
	},
	{
		Name:  "cdk-app-failed",
		Title: "The CDK app itself failed to synthesize",
		Advice: "Read the stack trace above: a construct refused its properties, or the app's command in " +
			"cdk.json did not run. cdk synth shows the same locally.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"--app is required either in command-line, in cdk.json"}},
			{
				says: []string{"subprocess exited with error"},
				like: &pattern{source: "(?i)^(\\S*error: )?subprocess exited with error"},
			},
			{says: []string{"validationerror: resolution error"}},
			{says: []string{"there is already a construct with name"}},
			{says: []string{"this app contains no stacks"}},
			{says: []string{"id components may not include unresolved tokens"}},
			{says: []string{"error: cannot find asset at"}},
			{
				says:  []string{"[error at /"},
				not:   []string{"request limit exceeded", "rate exceeded", "awssolutions-"},
				like:  &pattern{source: "^\\[Error at /\\S+\\] "},
				first: true,
			},
			{says: []string{"cannot retrieve value from context provider"}},
			{says: []string{"cannot determine scope for context provider"}},
			{says: []string{"resolution error: supplied properties not correct"}},
			{says: []string{"would create a cyclic reference"}},
			{says: []string{"cdk.out/manifest.json'"}},
			{
				says: []string{"found zones:"},
				like: &pattern{source: "Found zones: .* but wanted exactly 1 zone"},
			},
			{says: []string{"cannot reference"}, like: &pattern{source: "Stack \"[^\"]+\" cannot reference "}},
		},
	},
	{
		Name:  "stack-in-bad-state",
		Title: "The CloudFormation stack is in a state that allows no update",
		Advice: "If it still works (…IN_PROGRESS), wait and start the build again. After " +
			"ROLLBACK_COMPLETE delete the stack; after UPDATE_ROLLBACK_FAILED continue the rollback; " +
			"then deploy.",
		Remedy:    "report",
		Retryable: true,
		rules: []rule{
			{
				says: []string{"state and can not be updated"},
				like: &pattern{source: "is in:? ?[A-Z_]+ state and can not be updated"},
			},
			{says: []string{"state and cannot be updated"}},
			{says: []string{"is in the rollback_complete state"}},
			{says: []string{"is in a failed state:", "rollback"}},
			{says: []string{"in a paused fail state"}},
			{says: []string{"state and can not be deleted"}},
			{
				says: []string{"current stack status: "},
				like: &pattern{source: "Current stack status: [A-Z_]*(ROLLBACK|IN_PROGRESS|FAILED)"},
			},
			{says: []string{"cannot be updated when status is"}},
			{says: []string{"is invalid for updating"}, like: &pattern{source: "state of [A-Z_]+ is invalid"}},
			{
				says: []string{"is currently being updated and cannot be"},
				not:  []string{"resource handler returned message"},
			},
			{
				says: []string{"rollback_"},
				like: &pattern{source: "(?i)\\bstack\\b.*\\b(state|status):? .*\\b(UPDATE_)?ROLLBACK_\\w+.*(can " +
					"?not|can.t|unable to) be"},
			},
			{says: []string{"has an ongoing operation in progress and is not stable"}},
			{says: []string{"not in a healthy state (current state:"}},
		},
	},
	{
		Name:  "cloudformation-no-changes",
		Title: "CloudFormation has nothing to update",
		Advice: "This is not an error: tell the command so (aws cloudformation deploy " +
			"--no-fail-on-empty-changeset, or sam deploy with the same option).",
		Remedy: "report",
		rules: []rule{
			{says: []string{"no updates are to be performed"}},
			{says: []string{"no changes to deploy. stack"}},
			{says: []string{"the submitted information didn't contain changes"}},
			{says: []string{"change set"}, like: &pattern{source: "change set with name \\S+ has no changes"}},
		},
	},
	{
		Name:  "cloudformation-capabilities",
		Title: "The stack creates IAM resources or uses macros, and the command does not acknowledge it",
		Advice: "Add --capabilities CAPABILITY_IAM, CAPABILITY_NAMED_IAM or CAPABILITY_AUTO_EXPAND, as " +
			"the message says.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"requires capabilities"}},
			{says: []string{"insufficientcapabilitiesexception"}},
		},
	},
	{
		Name:  "template-access-denied",
		Title: "CloudFormation may not read the template in S3",
		Advice: "CloudFormation reads it with the permissions of whoever calls it: that role needs " +
			"s3:GetObject on the template's bucket (and kms:Decrypt on its key), and no bucket or " +
			"organization policy may refuse it. A wrong key looks the same without s3:ListBucket. " +
			"The template itself is not judged yet.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"s3 error: access denied"}},
			{says: []string{"unable to fetch template from s3"}},
		},
	},
	{
		Name:  "cloudformation-template-invalid",
		Title: "The CloudFormation template is not valid",
		Advice: "The message names the key, reference or parameter. Check it with cfn-lint or aws " +
			"cloudformation validate-template before the deploy.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"template format error"}},
			{says: []string{"template validation error"}},
			{says: []string{"unresolved resource dependencies"}},
			{says: []string{"template error:"}},
			{says: []string{"parameters: [", "must have values"}},
			{says: []string{"parameters: [", "do not exist in the template"}},
			{says: []string{"invalidsamdocumentexception"}},
			{
				says: []string{"failed to create changeset for the stack"},
				like: &pattern{source: "(?i)transform|invalid"},
			},
			{says: []string{"circular dependency between resources"}},
			{says: []string{"template may not exceed"}},
			{says: []string{"transform "}, like: &pattern{source: "\\bTransform \\S+ failed with"}},
			{says: []string{"encountered unsupported property"}},
			{says: []string{"value of property"}, like: &pattern{source: "Value of property \\S+ must be "}},
			{says: []string{"error: [invalidresourceexception("}},
			{says: []string{"was invalid sam template"}},
			{says: []string{"aws::earlyvalidation::propertyvalidation"}},
			{says: []string{"reference is not supported in: ["}},
			{says: []string{"'null' values are not allowed in templates"}},
			{says: []string{"do not exist in the template"}},
			{says: []string{"[invalidtemplateexception("}},
			{
				says: []string{"layout is incorrect"},
				like: &pattern{source: "\\b(Fn::\\w+|Ref|Condition) layout is incorrect"},
			},
			{
				says: []string{"/resources/"},
				like: &pattern{source: "(^|[\\s\\[(])/Resources/\\w+/\\S+(: |\\] )"},
			},
		},
	},
	{
		Name:  "terraform-state-lock",
		Title: "The Terraform state is locked",
		Advice: "Another run holds the lock, or died with it. Look at Who and Created in the message; if " +
			"that run is gone, terraform force-unlock with the ID it prints. Let only one build at a " +
			"time apply.",
		Remedy:    "report",
		Retryable: true,
		shows:     []string{"id: ", "who: ", "created: "},
		rules: []rule{
			{says: []string{"error acquiring the state lock"}},
			{says: []string{"error locking state"}},
			{says: []string{"error releasing the state lock"}},
			{says: []string{"state blob is already locked"}},
		},
	},
	{
		Name:  "terraform-plan-stale",
		Title: "The saved Terraform plan is older than the state",
		Advice: "Something changed the state after the plan was made, often an apply of another build. " +
			"Plan and apply again, and let only one build at a time do so.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"error: saved plan is stale"}},
			{says: []string{"the given plan file can no longer be applied because the state was changed"}},
			{says: []string{"error: failed to read plan from plan file"}},
		},
	},
	{
		Name:  "terraform-init-failed",
		Title: "Terraform is not initialized for this configuration",
		Advice: "Run terraform init in the same directory and build; -reconfigure or -migrate-state if " +
			"the backend changed, -upgrade and a committed .terraform.lock.hcl (for all platforms) " +
			"if providers do not match.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"backend initialization required"}},
			{says: []string{"backend configuration changed"}},
			{says: []string{"inconsistent dependency lock file"}},
			{says: []string{"failed to query available provider packages"}},
			{says: []string{"failed to install provider"}},
			{says: []string{"required plugins are not installed"}},
			{says: []string{"please run \"terraform init\""}},
			{says: []string{"module not installed"}},
			{says: []string{"unsupported terraform core version"}},
			{says: []string{"state snapshot was created by terraform"}},
			{says: []string{"could not download module"}},
			{says: []string{"error: failed to download module"}},
			{says: []string{"error: initialization required"}},
			{says: []string{"error: unsupported backend type"}},
			{says: []string{"error: incompatible provider version"}},
			{says: []string{"error: missing plugins"}},
		},
	},
	{
		Name:  "terraform-config-invalid",
		Title: "The Terraform configuration is not valid",
		Advice: "The message names file and line. Run terraform validate locally, and give every " +
			"variable a value (-var-file).",
		Remedy: "report",
		rules: []rule{
			{says: []string{"error: unsupported argument"}, sure: true},
			{says: []string{"error: unsupported block type"}, sure: true},
			{says: []string{"error: unsupported attribute"}},
			{says: []string{"error: reference to undeclared"}, sure: true},
			{says: []string{"error: missing required argument"}, sure: true},
			{says: []string{"error: no value for required variable"}},
			{says: []string{"error: invalid reference"}},
			{says: []string{"error: argument or block definition required"}, sure: true},
			{says: []string{"error: invalid for_each argument"}},
			{says: []string{"error: invalid count argument"}},
			{says: []string{"error: duplicate resource"}, sure: true},
			{says: []string{"error: cycle:"}, sure: true},
			{says: []string{"error: no configuration files"}},
			{
				says: []string{"error: invalid "},
				like: &pattern{source: "^Error: Invalid (legacy provider address|value for (input )?variable|function " +
					"argument|index|template|expression|character|block definition|attribute|resource " +
					"(name|type|instance)|provider reference|module|variable name|default value|type " +
					"specification|operand|dynamic|multi-line|quoted|escape|number|combination|backend|condit" +
					"ion|import|version constraint|local|output|data source|on_failure|depends_on|use " +
					"of|target address)"},
			},
			{says: []string{"error: call to unknown function"}, sure: true},
			{says: []string{"error: error in function call"}},
			{says: []string{"error: incorrect attribute value type"}},
			{says: []string{"error: variables not allowed"}, sure: true},
			{says: []string{"error: unclosed configuration block"}, sure: true},
			{says: []string{"error: attribute redefined"}, sure: true},
			{
				says: []string{"error: missing "},
				like: &pattern{source: "^Error: Missing (base|block|name|item|attribute|newline|resource|key/value|required " +
					"provider)"},
			},
			{
				says: []string{"error: extraneous "},
				like: &pattern{source: "^Error: Extraneous (label|quote)"},
				sure: true,
			},
			{
				says: []string{"error: undefined "},
				not:  []string{"variable."},
				like: &pattern{source: "^Error: Undefined (remote state|variable|provider)"},
			},
			{says: []string{"error: inconsistent conditional result types"}, sure: true},
			{says: []string{"error: failed to read variables file"}},
			{says: []string{"error: value for undeclared variable"}},
			{says: []string{"error: unreadable module directory"}},
			{says: []string{"error: provider configuration not present"}},
			{says: []string{"\"valid\": false"}, also: []string{"\"diagnostics\""}, sure: true},
			{says: []string{"workspace \""}, like: &pattern{source: "^Workspace \"[^\"]+\" (does|doesn)"}},
			{says: []string{"the module address \""}},
			{
				says: []string{"condition failed"},
				like: &pattern{source: "^Error: Resource (pre|post)condition failed"},
			},
			{says: []string{"error: check block assertion failed"}},
			{says: []string{"error: duplicate provider configuration"}},
			{says: []string{"error: external program execution failed"}},
			{says: []string{"error: unable to find remote state"}},
			{says: []string{"error: unsuitable value"}},
			{says: []string{"error: invalid provider configuration"}, consequence: true},
			{any: "pointed", consequence: true},
			{
				says: []string{"expected "},
				like: &pattern{source: "\\bexpected \\S+ to (be (one of|in the range|at least|at most|between|a valid)|not " +
					"be|contain|match)\\b.*, got "},
				consequence: true,
			},
		},
	},
	{
		Name:  "terraform-provider-failed",
		Title: "A Terraform provider failed",
		Advice: "Terraform says itself that this is the provider's fault. Upgrade the provider " +
			"(terraform init -upgrade, and commit the lock file), then plan again: what was made may " +
			"be missing in the state or marked as tainted. A provider that does not respond may also " +
			"lack memory.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"provider produced inconsistent"}},
			{says: []string{"error: plugin did not respond"}},
			{
				says: []string{"error: the terraform-provider-"},
				like: &pattern{source: "The terraform-provider-\\S+ plugin crashed"},
			},
			{says: []string{"failed to load plugin schemas"}},
			{says: []string{"(*grpcprovider)."}},
		},
	},
	{
		Name:  "pulumi-login-required",
		Title: "Pulumi lacks its access token or passphrase",
		Advice: "Set PULUMI_ACCESS_TOKEN, or for a backend of your own PULUMI_CONFIG_PASSPHRASE (or a " +
			"KMS secrets provider), from a secret. This is Pulumi's own login, not IAM.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"passphrase must be set with pulumi_config_passphrase"}},
			{says: []string{"pulumi_access_token must be set"}},
			{says: []string{"error: invalid access token"}},
			{says: []string{"incorrect passphrase"}},
			{says: []string{"failed to decrypt encrypted configuration value"}},
		},
	},
	{
		Name:  "pulumi-config-missing",
		Title: "Pulumi lacks a value in the stack's configuration",
		Advice: "Set it (pulumi config set NAME VALUE, with --secret for a secret) and commit " +
			"Pulumi.STACK.yaml, or give the provider its value in an environment variable of the " +
			"build. Check that the build selects the stack that has it.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"missing required configuration variable"}},
			{says: []string{"missing a required configuration key"}},
		},
	},
	{
		Name:  "pulumi-not-set-up",
		Title: "Pulumi lacks a stack, a plugin or the program's packages",
		Advice: "Select or make the stack in the same build (pulumi stack select --create), install the " +
			"program's packages before (npm ci, pip install), and the plugins with pulumi install.",
		Remedy: "report",
		rules: []rule{
			{
				says: []string{"error: no stack named"},
				like: &pattern{source: "error: no stack named '[^']+' found"},
			},
			{says: []string{"please use `pulumi stack select`"}},
			{says: []string{"error: no resource plugin '"}},
			{says: []string{"pulumi sdk has not been installed"}},
		},
	},
	{
		Name:      "pulumi-stack-locked",
		Title:     "The Pulumi stack is locked by another update",
		Advice:    "Wait for the other update; if it is gone, run pulumi cancel and start the build again.",
		Remedy:    "report",
		Retryable: true,
		rules: []rule{
			{says: []string{"the stack is currently locked by"}},
			{says: []string{"another update is currently in progress"}},
		},
	},
	{
		Name:  "kubernetes-rbac-forbidden",
		Title: "Kubernetes forbids this to the build's user",
		Advice: "This is Kubernetes' own access control, not IAM: bind a role to the user or group that " +
			"the message names (RoleBinding), or give the build's IAM role an EKS access entry with " +
			"a matching access policy.",
		Remedy: "report",
		rules: []rule{
			{
				says: []string{"error from server (forbidden)"},
				not:  []string{"violates podsecurity", "exceeded quota", "denied the request", "pod security policy"},
				like: &pattern{source: "[^:]$|is forbidden:"},
			},
			{says: []string{"is forbidden: user \""}},
			{says: []string{"is forbidden: user \\\""}},
			{says: []string{"is forbidden: user", "\"reason\":\"forbidden\""}},
			{
				says: []string{"cannot", "resource \"", "in api group"},
				like: &pattern{source: "(?i)user \"[^\"]*\" cannot \\w+ resource"},
			},
			{says: []string{"cannot get resource", "in api group"}},
			{says: []string{" is forbidden:"}, like: &pattern{source: "\"[^\"]+\" is forbidden:$"}},
		},
	},
	{
		Name:  "kubernetes-unauthorized",
		Title: "The Kubernetes cluster does not know the build's role",
		Advice: "Give the IAM role that the build uses an EKS access entry (or a line in the aws-auth " +
			"config map, there without the role's path). IAM permissions alone do not open the " +
			"cluster.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"you must be logged in to the server"}},
			{says: []string{"the server has asked for the client to provide credentials"}},
			{says: []string{"kubernetes cluster unreachable: the server has asked"}},
			{says: []string{"is not mapped to a kubernetes"}},
			{says: []string{"your current user or role does not have access to kubernetes objects"}},
			{
				says: []string{": unauthorized"},
				like: &pattern{source: "\\b(?:UPGRADE|INSTALLATION|UNINSTALL|ROLLBACK) FAILED: .*: Unauthorized$"},
			},
			{
				says: []string{": unauthorized"},
				like: &pattern{source: "(?i)\\bfailed to \\w+ (?:config ?map|namespace|secret|deployment|service " +
					"account|service|cluster role binding|cluster role|role " +
					"binding|job|ingress|daemonset|custom resource)s?\\b.*: Unauthorized$"},
			},
			{says: []string{"- unauthorized | awsqs::kubernetes::"}},
		},
	},
	{
		Name:  "eks-nodes-not-joined",
		Title: "The nodes do not join the EKS cluster",
		Advice: "Their role needs the policies for nodes (AmazonEKSWorkerNodePolicy, the CNI's, pulling " +
			"from ECR), their subnets a way to the cluster's endpoint, EC2, ECR and S3, and their " +
			"image must fit the cluster's version. The console output of one instance says where it " +
			"stops.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"nodecreationfailure"}},
			{says: []string{"failed to join the kubernetes cluster"}},
		},
	},
	{
		Name:  "kubeconfig-outdated",
		Title: "kubectl or Helm cannot read this kubeconfig",
		Advice: "The token plugin's API version is not supported: update the AWS CLI, kubectl and Helm " +
			"to current versions and write the kubeconfig again.",
		Remedy: "report",
		rules: []rule{
			{
				says: []string{"client.authentication.k8s.io/v1alpha1"},
				like: &pattern{source: "(?i)invalid apiVersion|no kind|error|exec plugin"},
			},
			{says: []string{"exec plugin is configured to use api version"}},
			{says: []string{"invalid kubeconfig"}},
		},
	},
	{
		Name:  "kubernetes-unreachable",
		Title: "The Kubernetes cluster cannot be reached",
		Advice: "Run aws eks update-kubeconfig first (localhost:8080 means that there is no kubeconfig). " +
			"If the endpoint is private, the build must run in the cluster's VPC with a security " +
			"group that the cluster lets in.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"the connection to the server", "was refused"}},
			{says: []string{"unable to connect to the server:"}},
			{says: []string{"kubernetes cluster unreachable"}},
			{says: []string{"couldn't get current server api group list"}},
			{says: []string{"error: current-context must exist"}},
			{says: []string{"no configuration has been provided, try setting kubernetes_master"}},
			{says: []string{".eks.amazonaws.com/", "dial tcp", "i/o timeout"}},
			{says: []string{"error: no context exists with the name"}},
			{says: []string{"getting credentials: exec:"}},
			{
				says: []string{"error: context \""},
				like: &pattern{source: "^error: context \"[^\"]+\" does not exist"},
			},
		},
	},
	{
		Name:  "kubernetes-busy",
		Title: "The Kubernetes API server, or a webhook of it, did not serve the request",
		Advice: "Start the build again. If it recurs, look at the control plane's health, and at what " +
			"stands behind the webhook that the message names: without a running pod it refuses all " +
			"objects.",
		Remedy:    "report",
		Retryable: true,
		rules: []rule{
			{says: []string{"error from server (serviceunavailable)"}},
			{says: []string{"error from server (toomanyrequests)"}},
			{says: []string{"error from server (timeout)"}},
			{says: []string{"error from server (internalerror)"}, consequence: true},
			{says: []string{"etcdserver: "}, consequence: true},
			{says: []string{"failed calling webhook"}, consequence: true},
		},
	},
	{
		Name:  "kustomize-invalid",
		Title: "Kustomize cannot build the manifests",
		Advice: "Run kustomize build (or kubectl kustomize) on the same directory; the message names the " +
			"file, patch or field.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"accumulating resources"}},
			{says: []string{"kustomization.yaml', 'kustomization.yml'"}},
			{says: []string{"failed to find unique target for patch"}},
			{says: []string{"invalid kustomization"}},
		},
	},
	{
		Name:  "helm-chart-not-found",
		Title: "The Helm chart or its repository is not known to the build",
		Advice: "Run helm repo add and helm repo update in the same build, helm dependency build for a " +
			"chart's own dependencies, and check the chart's name and version.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"error: repo "}, like: &pattern{source: "^Error: repo \\S+ not found"}},
			{says: []string{"no cached repo found"}},
			{says: []string{"failed to download \""}, like: &pattern{source: "^Error: failed to download \""}},
			{says: []string{"chart \"", "not found in"}},
			{says: []string{"found in chart.yaml, but missing in charts/ directory"}},
			{says: []string{"non-absolute urls should be in form of repo_name"}},
			{says: []string{"is not a valid chart repository or cannot be reached"}},
			{says: []string{"chart.yaml file is missing"}},
			{says: []string{"no chart version found for"}},
			{says: []string{"error: no repositories found"}},
			{says: []string{"error: path \"", "\" not found"}},
		},
	},
	{
		Name:   "helm-chart-invalid",
		Title:  "The Helm chart cannot be rendered",
		Advice: "The message names template and line. Run helm template with the same values locally.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"parse error at ("}},
			{says: []string{"execution error at ("}},
			{says: []string{"error calling include"}},
			{says: []string{"values don't meet the specifications of the schema"}},
			{says: []string{"template: "}, like: &pattern{source: "\\btemplate: \\S+/templates/\\S+:\\d+"}},
			{says: []string{"error: failed parsing --set data"}},
			{says: []string{"yaml parse error on"}},
		},
	},
	{
		Name:  "helm-release-busy",
		Title: "Another operation on the Helm release is in progress, or died half-way",
		Advice: "Wait for it; if none runs, helm history shows a pending release: roll back to the last " +
			"deployed revision (helm rollback RELEASE REVISION), then deploy again.",
		Remedy:    "report",
		Retryable: true,
		rules: []rule{
			{says: []string{"another operation (install/upgrade/rollback) is in progress"}},
			{says: []string{"has no deployed releases"}},
		},
	},
	{
		Name:  "kubernetes-object-not-found",
		Title: "Kubernetes does not have the object",
		Advice: "Check its name, kind and namespace (-n), and that the kubeconfig points to the right " +
			"cluster.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"error from server (notfound)"}, consequence: true},
			{says: []string{"release: not found"}, consequence: true},
		},
	},
	{
		Name:  "kubernetes-object-invalid",
		Title: "Kubernetes does not accept the manifest",
		Advice: "The message names the kind and field. Check the API version against the cluster's " +
			"(kubectl api-resources), and try kubectl apply --dry-run=server. Some fields cannot be " +
			"changed in place: delete and create. If a policy of the cluster refuses it (an " +
			"admission webhook, pod security), keep its rule.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"is invalid: problem validating schema"}},
			{
				says: []string{"contains an invalid "},
				like: &pattern{source: "contains an invalid \\w+ \\(\\S+\\) - "},
			},
			{says: []string{"error validating data"}},
			{says: []string{"no matches for kind"}},
			{says: []string{"field is immutable"}},
			{says: []string{"error: unable to recognize"}},
			{says: []string{"error: schemaerror("}},
			{says: []string{"is invalid: spec."}},
			{says: []string{"error converting yaml to json"}},
			{says: []string{"isn't valid for cluster, check the apiversion and kind"}},
			{says: []string{"unable to build kubernetes objects from"}},
			{says: []string{"strict decoding error"}},
			{says: []string{"admission webhook \"", "denied the request"}},
			{says: []string{"error from server (badrequest)"}, not: []string{"is waiting to start"}},
			{
				says: []string{"is invalid: "},
				like: &pattern{source: "(?i)\\b(deployment|service|ingress|job|pod|statefulset|daemonset|secret|configmap|cronjo" +
					"b|persistentvolumeclaim)\\S* \"[^\"]+\" is invalid: "},
			},
			{
				says: []string{"is invalid: "},
				like: &pattern{source: "\" is invalid: .*\\b(Invalid value|Required value|Forbidden|Duplicate value|Unsupported " +
					"value|Too long|Too many): "},
			},
			{says: []string{"error from server (invalid)"}},
			{says: []string{"duplicate entries for key ["}},
			{says: []string{"server-side apply failed"}},
			{says: []string{"with kind", "cannot unmarshal"}},
			{
				says: []string{"is invalid:"},
				like: &pattern{source: "\\b[A-Z][A-Za-z]+(\\.[\\w.-]+)? \"[^\"]+\" is invalid:$"},
			},
			{says: []string{"is forbidden:", "violates podsecurity"}},
			{says: []string{"unable to validate against any pod security policy"}},
			{says: []string{"is forbidden:", "validatingadmissionpolicy"}},
			{says: []string{"the server doesn't have a resource type"}},
			{says: []string{"no objects passed to apply"}},
			{says: []string{"error from server (requestentitytoolarge)"}},
			{says: []string{"error from server (unsupportedmediatype)"}},
			{says: []string{"error from server (methodnotallowed)"}},
			{says: []string{"apply failed with"}},
			{says: []string{"conflict occurred while applying object"}},
			{
				says:        []string{"cannot patch \""},
				like:        &pattern{source: "cannot patch \"[^\"]+\" with kind \\w+"},
				consequence: true,
			},
		},
	},
	{
		Name:  "opensearch-security-denied",
		Title: "OpenSearch's or Elasticsearch's own security refuses the user",
		Advice: "This is the cluster's own access control, not IAM. Without a user, or with a wrong one: " +
			"give the command its user and password, or its API key. Otherwise map the role's ARN to " +
			"a role of the cluster that has the permission in brackets (Security, Roles, Mapped " +
			"users).",
		Remedy: "report",
		rules: []rule{
			{says: []string{"no permissions for [", "and user ["}},
			{says: []string{"security_exception"}, like: &pattern{source: "no permissions for"}},
			{says: []string{"please ensure that the correct credentials are being used to access the cluster"}},
			{
				says: []string{"security_exception"},
				like: &pattern{source: "(?i)\"type\"\\s*:\\s*\"security_exception\""},
			},
		},
	},
	{
		Name:  "unsupported-certificate",
		Title: "The load balancer does not accept this certificate",
		Advice: "The certificate must be issued, in the same region, for a full domain name, with an RSA " +
			"or ECDSA key that the listener supports. Wait for its validation if it is new.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"unsupportedcertificate"}},
			{says: []string{"the specified ssl certificate doesn't exist"}},
			{says: []string{"invalidviewercertificate"}},
			{says: []string{"certificatenotfound"}},
		},
	},
	{
		Name:  "bucket-policy-refuses-service",
		Title: "A bucket's policy does not let an AWS service write to it",
		Advice: "The bucket's owner must let the service (as in config.amazonaws.com, " +
			"cloudtrail.amazonaws.com, logdelivery.elasticloadbalancing.amazonaws.com) read the " +
			"bucket's ACL and put objects under the prefix, and use its key if it is encrypted. The " +
			"build's role is not the reason.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"insufficient delivery policy to"}},
			{says: []string{"insufficientdeliverypolicyexception"}},
			{says: []string{"insufficients3bucketpolicy"}},
			{says: []string{"incorrect s3 bucket policy is detected"}},
			{
				says: []string{"access denied for bucket:"},
				like: &pattern{source: "Please check S3 ?bucket permission"},
			},
			{says: []string{"insufficientencryptionpolicyexception"}},
		},
	},
	{
		Name:  "bucket-access-denied",
		Title: "S3 does not let the build use a bucket",
		Advice: "S3 answers the tool's first look at a bucket with 403 and no reason: the role lacks " +
			"s3:ListBucket on it, it is another account's, or a policy of the bucket, the network or " +
			"the organization refuses. Try aws s3api head-bucket, then a listing, with the same role.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"could not access the deployment bucket"}},
			{says: []string{"permission denied accessing bucket"}},
			{says: []string{"s3 error: 403"}, like: &pattern{source: "S3 error: 403 \\(Forbidden\\)"}},
			{
				says: []string{"access to bucket '"},
				like: &pattern{source: "Access to bucket '[^']+' was denied"},
			},
			{
				says: []string{"http response code: 403"},
				like: &pattern{source: "HTTP response code: 403\\. .*in bucket '[^']+'"},
			},
			{
				says: []string{"nsufficient permissions to access this path"},
				like: &pattern{source: "^mc: <ERROR> "},
			},
			{says: []string{"s3exception: service returned error code 403: forbidden"}},
			{
				says: []string{"permissiondenied ("},
				also: []string{"service: s3"},
				like: &pattern{source: "PermissionDenied \\(\\w+\\) at \\w+$"},
			},
		},
	},
	{
		Name:  "spring-settings-missing",
		Title: "Spring Boot did not get the settings that it imports from AWS",
		Advice: "Spring Cloud AWS says \"does not exist\" of a secret, parameters or an object also " +
			"where the role may not read them, and leaves the refusal out. Ask for it with the AWS " +
			"CLI in the buildspec (aws secretsmanager get-secret-value, aws ssm " +
			"get-parameters-by-path), which prints the reason. Its advice, optional:, lets the " +
			"program start without them.",
		Remedy: "report",
		rules: []rule{
			{
				says: []string{"config data resource '"},
				like: &pattern{source: "^Config data resource '.*' via location '(optional:)?aws-\\w+:.*' does not exist"},
			},
		},
	},
	{
		Name:  "malformed-policy",
		Title: "AWS does not accept the policy document",
		Advice: "The message says what is wrong: a principal that does not exist (deleted role, wildcard " +
			"in an account id), an action without service, a resource that does not fit. Access " +
			"Analyzer's validate-policy shows all of it.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"malformedpolicydocument"}},
			{says: []string{"malformedpolicy"}},
			{says: []string{"invalid principal in policy"}},
			{says: []string{"policy has invalid resource"}},
			{says: []string{"policy has invalid action"}},
			{
				aws: &pattern{source: "(?i): .*\\b(policy (document|statement|sid)s? (must|cannot)|(syntax )?errors? in " +
					"policy|policies must be|failed legacy parsing|contain(s|ed) (a statement with (one or " +
					"more )?)?(an )?invalid principals?|policy must (contain|be)|policy has invalid|invalid " +
					"principal in policy|has prohibited field|statement ids \\(sid\\)|action does not apply " +
					"to any resource)\\b"},
			},
		},
	},
	{
		Name:  "service-not-available",
		Title: "The service, or this part of it, is not available there",
		Advice: "Check that the service exists in the region, and that an emulator (LocalStack) covers " +
			"the operation in the plan that is used.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"not yet been emulated by localstack"}},
			{says: []string{"not included in your current license plan"}},
			{says: []string{"is not available in this region"}},
			{says: []string{"is not supported in this region"}},
			{says: []string{"not yet implemented or pro feature"}},
			{says: []string{"statuscode: 501"}},
			{
				aws: &pattern{source: "^\\w*(NotAvailableInRegion|NotInServiceRegion|RegionDisabled|NotImplemented|FeatureNotAv" +
					"ailable|FeatureUnavailable|FeatureNotIncluded)\\w*:"},
			},
			{says: []string{"is not allowed because there is no existing repository"}},
		},
	},
	{
		Name:  "lambda-package-too-large",
		Title: "The Lambda function's package is too large",
		Advice: "250 MB unzipped with its layers is the limit (50 MB zipped in a direct upload). Leave " +
			"out what the function does not need, upload through S3, or use a container image.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"unzipped size must be"}},
			{says: []string{"requestentitytoolargeexception"}},
			{
				says: []string{"exceeds the maximum allowed size of"},
				like: &pattern{source: "(?i)(code|layers|package).* exceeds the maximum allowed size of"},
			},
			{says: []string{"lambda only allows"}, also: []string{"deployment packages"}},
			{says: []string{"request must be smaller than", "bytes"}},
		},
	},
	{
		Name:   "lambda-runtime-retired",
		Title:  "Lambda no longer supports the function's runtime",
		Advice: "Set the function's runtime to one that AWS supports today, and test the code with it.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"value ", "at 'runtime' failed to satisfy constraint"}},
			{says: []string{"runtime parameter", "is no longer supported"}},
		},
	},
	{
		Name:  "lambda-package-invalid",
		Title: "The Lambda function's package is empty or no package",
		Advice: "Look at what the build packs and uploads (aws lambda get-function shows what is there " +
			"now): an empty zip, a wrong path or a zip of a zip. For an image, push it first, for " +
			"the function's architecture and without attestations (docker buildx build " +
			"--provenance=false).",
		Remedy: "report",
		rules: []rule{
			{says: []string{"uploaded file must be a non", "empty zip"}},
			{says: []string{"could not unzip uploaded file"}},
			{
				says: []string{"source image"},
				like: &pattern{source: "\\bSource image \\S+ (does not exist|is not valid)\\."},
			},
			{
				says: []string{"media type for the source image"},
				like: &pattern{source: "media type for the source image\\b.* is not supported"},
			},
			{says: []string{"due to invalidimage("}},
			{says: []string{"provide a valid source image"}},
			{says: []string{"invalidzipfileexception"}},
		},
	},
	{
		Name:  "lambda-layer-not-found",
		Title: "The Lambda layer's version does not exist",
		Advice: "Layers belong to one region and never keep a version that was deleted. Take the newest " +
			"version of the layer in this region (aws lambda list-layer-versions), or publish it " +
			"first.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"layer version", "does not exist"}},
		},
	},
	{
		Name:  "lambda-edge-replica",
		Title: "A Lambda@Edge function cannot be deleted while its replicas exist",
		Advice: "CloudFront deletes the replicas some hours after the function left its distribution. " +
			"Delete the stack again then, or retain the function (DeletionPolicy Retain) and delete " +
			"it later.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"because it is a replicated function"}},
		},
	},
	{
		Name:  "deletion-protected",
		Title: "What should be deleted is protected against deletion",
		Advice: "Somebody protected it on purpose. If it may go, turn the protection off first (deletion " +
			"or termination protection of the resource or stack, DisableApiTermination of an " +
			"instance), or retain it with DeletionPolicy Retain.",
		Remedy: "report",
		rules: []rule{
			{
				says: []string{"deletion protection"},
				like: &pattern{source: "(?i)deletion protection( \\w+)? (is|was) (currently )?(enabled|activated|on)\\b|disable " +
					"deletion protection"},
			},
			{says: []string{"protected against deletion"}},
			{says: []string{"while terminationprotection is enabled"}},
			{says: []string{"disableapitermination"}},
			{says: []string{"lifecycle.prevent_destroy set"}},
			{says: []string{"instance cannot be destroyed"}},
			{says: []string{"currently marked for protection"}},
		},
	},
	{
		Name:  "managed-by-service",
		Title: "An AWS service owns the resource, so it cannot be changed here",
		Advice: "It is changed through what made it: a conformance pack, Control Tower, a service's own " +
			"console or API. Delete or update that, not its resources or its stack.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"an aws service owns"}},
			{says: []string{"you do not have permissions to take action on this rule"}},
		},
	},
	{
		Name:  "resource-not-empty",
		Title: "What should be deleted is not empty",
		Advice: "Remove what is in it first: records of a hosted zone besides NS and SOA, images of a " +
			"repository, recovery points of a vault. Or have the stack empty or retain it " +
			"(EmptyOnDelete, DeletionPolicy Retain).",
		Remedy: "report",
		rules: []rule{
			{says: []string{"resource record sets and so cannot be deleted"}},
			{says: []string{"hostedzonenotempty"}},
			{says: []string{"repositorynotempty"}},
			{
				says: []string{"cannot be deleted because it"},
				like: &pattern{source: "cannot be deleted because it (still )?contains\\b"},
			},
			{not: []string{"bucketnotempty"}, aws: &pattern{source: "^\\w*(NotEmpty|NonEmpty)\\w*:"}},
		},
	},
	{
		Name:  "queue-policy-shared",
		Title: "The queue's policy was written by more than one resource",
		Advice: "A queue has one policy, and the last one written holds. Put all statements into one " +
			"QueuePolicy, or retain this one (DeletionPolicy Retain), which goes with its queue.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"last applied policy cannot be deleted"}},
		},
	},
	{
		Name:  "iam-policy-not-found",
		Title: "The managed policy does not exist, or cannot be attached",
		Advice: "Check its ARN: account and path, arn:aws:iam::aws:policy/service-role/NAME for some of " +
			"AWS's own. AWS retires policies of its own, and those for service-linked roles attach " +
			"to nothing.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"does not exist or is not attachable"}},
		},
	},
	{
		Name:  "cidr-conflict",
		Title: "The address range overlaps with another, or is outside the VPC's",
		Advice: "Choose a free range within the VPC's (aws ec2 describe-subnets shows those in use). If " +
			"only names changed, the new subnet is made before the old one goes: give it another " +
			"range.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"conflicts with another subnet"}},
			{says: []string{"invalidsubnet.conflict"}},
			{says: []string{"invalidsubnet.range"}},
		},
	},
	{
		Name:  "instance-signal-missing",
		Title: "The instances did not signal that they are set up",
		Advice: "Their set-up failed, or never reached cfn-signal: read /var/log/cloud-init-output.log " +
			"and cfn-init.log on one (roll back off, so that it stays), and check its way to " +
			"CloudFormation.",
		Remedy: "report",
		rules: []rule{
			{
				says: []string{"unable to satisfy"},
				like: &pattern{source: "Unable to satisfy \\d+% MinSuccessfulInstancesPercent"},
			},
			{says: []string{"resource signal(s) within the specified duration"}},
			{says: []string{"waitcondition timed out"}},
		},
	},
	{
		Name:  "stack-policy-denied",
		Title: "The stack's own policy forbids this update",
		Advice: "No permission of the build is missing. If the update is meant, give a temporary stack " +
			"policy (aws cloudformation update-stack --stack-policy-during-update-body), or set " +
			"another one.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"denied by stack policy"}},
		},
	},
	{
		Name:  "replacement-refused",
		Title: "The update needs a new resource in place of this one, which its fixed name prevents",
		Advice: "Give it another name, or none, so that the new one can be made before the old one goes; " +
			"or change back what forces the replacement. Its data does not move by itself.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"when a custom-named resource requires replacing"}},
		},
	},
	{
		Name:  "quota-exceeded",
		Title: "A quota of the AWS account is used up",
		Advice: "Delete what is no longer used, or raise the quota in Service Quotas. Quotas are per " +
			"account and region.",
		Remedy: "report",
		rules: []rule{
			{code: []string{"QUOTA_EXCEEDED"}},
			{says: []string{"cannot exceed quota for"}},
			{says: []string{"servicequotaexceeded"}},
			{
				says: []string{"limitexceeded"},
				not: []string{
					"requestlimitexceeded",
					"ratelimitexceeded",
					"accountlimitexceeded",
					"concurrentupdatelimitexceeded",
					"backofflimitexceeded",
					"already has an active deployment",
					"was not finished",
				},
			},
			{says: []string{"toomanybuckets"}},
			{says: []string{"you have attempted to create more buckets than allowed"}},
			{says: []string{"has reached the maximum number of"}},
			{
				says: []string{"maximum number of"},
				like: &pattern{source: "(?i)maximum number of [\\w -]+ has been reached"},
			},
			{says: []string{"instancelimitexceeded"}},
			{says: []string{"the limit for network interfaces has been reached"}},
			{says: []string{"unreservedconcurrentexecution below its minimum"}},
			{says: []string{"cannot exceed resource policy size"}},
			{
				says: []string{"resource limit exceeded."},
				like: &pattern{source: "Resource limit exceeded\\. \\(Service: "},
			},
			{says: []string{"limitsexceeded"}},
			{says: []string{"codestorageexceeded"}},
			{
				says: []string{"exceeded"},
				not:  []string{"request limit exceeded", "rate limit", "throttl"},
				like: &pattern{source: "(?i)\\b(quota|limit) exceeded\\b.*\\(Service: "},
			},
			{
				says: []string{"toomany"},
				not:  []string{"toomanyrequests", "toomanyinvalidations"},
				like: &pattern{source: "operation error .*\\bTooMany[A-Z]\\w+: "},
			},
			{says: []string{"limit exceeded"}, like: &pattern{source: "(Exception|Error): Limit exceeded\\b"}},
			{
				not: []string{
					"requestlimit",
					"ratelimit",
					"concurrentupdate",
					"accountlimit",
					"throttl",
					"rate exceeded",
					"request limit",
					"was not finished",
					"an active deployment",
				},
				aws: &pattern{source: "^\\w*(Limits?(Exceeded|Reached)|Quota\\w*Exceeded|Max(imum)?[A-Z]\\w*Exceeded|Number\\w*" +
					"Exceeded|OverLimit|ExceedsLimit|ResourceLimit)\\w*:"},
			},
			{
				not: []string{"toomanyrequest", "toomanyinvalidations", "toomanyentries", "toomanyfailed"},
				aws: &pattern{source: "^TooMany[A-Z]\\w*:"},
			},
			{
				not: []string{
					"requestlimit",
					"ratelimit",
					"concurrentupdate",
					"accountlimit",
					"throttl",
					"rate exceeded",
					"request limit",
					"was not finished",
					"an active deployment",
				},
				aws: &pattern{source: "(?i)\\b(limit|quota)( of \\S+| for [^.]{1,60}?)? (has been |have been |was |is |would " +
					"be )?(exceeded|reached)\\b|\\b(exceed(s|ed|ing)?|reach(es|ed)?) (the |your |its |an? " +
					"|account |current |service |maximum )+([\\w/-]+ ){0,4}(limit|quota)\\b|maximum (allowed " +
					")?number of .*\\b(reached|exceeded)|\\b(has|have) reached the " +
					"maximum|\\bexceed(s|ed|ing)? .{0,40}\\b(limits?|quota|maximum|threshold)\\b|\\blimits? " +
					".{0,60}exceed|\\bquota of \\d|\\balready at maximum\\b|\\bcan(not)? have (up to|more " +
					"than)\\b|\\bmaximum allowed is\\b"},
			},
			{
				says:        []string{"limit"},
				like:        &pattern{source: "(?i)\\byou have reached (your|the) [\\w ]{0,30}limit\\b"},
				consequence: true,
				shared:      true,
			},
		},
	},
	{
		Name:  "insufficient-capacity",
		Title: "AWS has no capacity for this right now",
		Advice: "Start the build again later. If it recurs, use another availability zone, instance type " +
			"or, for the build itself, compute type.",
		Remedy:    "retry",
		Retryable: true,
		rules: []rule{
			{says: []string{"insufficientinstancecapacity"}},
			{says: []string{"does not currently have sufficient capacity"}},
			{says: []string{"insufficientcapacity"}},
			{says: []string{"unsupportedavailabilityzoneexception"}},
			{says: []string{"insufficient_capacity"}},
			{says: []string{"capacity is unavailable at this time"}},
			{
				says: []string{"we currently do not have sufficient"},
				like: &pattern{source: "do not have sufficient \\S+ capacity"},
			},
			{
				not: []string{"throughput"},
				aws: &pattern{source: "^(Insufficient\\w*Capacity|OutOfCapacity)\\w*:"},
			},
		},
	},
	{
		Name:  "throttling",
		Title: "AWS throttled the calls",
		Advice: "Start the build again. If it recurs, let fewer builds or threads call at once, and let " +
			"the client retry more (AWS_RETRY_MODE=adaptive, AWS_MAX_ATTEMPTS=10).",
		Remedy:    "retry",
		Retryable: true,
		rules: []rule{
			{says: []string{"requestlimitexceeded"}},
			{
				says: []string{"request limit exceeded"},
				like: &pattern{source: "(?i)(^|[:\\]] )Request limit exceeded\\b"},
			},
			{says: []string{"throttlingexception"}},
			{says: []string{"throttledexception"}},
			{says: []string{"throttling: rate exceeded"}},
			{says: []string{"(throttling)"}},
			{says: []string{"toomanyrequestsexception"}},
			{says: []string{"provisionedthroughputexceededexception"}},
			{says: []string{"api error throttling"}},
			{says: []string{"error code: throttling"}},
			{
				says: []string{"slowdown"},
				like: &pattern{source: "(?i)\\bSlowDown\\b.*(reduce your request rate|operation)|code: SlowDown"},
			},
			{says: []string{"priorrequestnotcomplete"}},
			{says: []string{"rate exceeded"}, like: &pattern{source: "(?i)\\brate exceeded\\b"}},
			{
				not: []string{"volumemodification"},
				aws: &pattern{source: "^[\\w.]*(Throttl(ed|ing)?|SlowDown|RateExceeded|RateLimit|RateForCustomerExceeded|Throug" +
					"hputExceeded)\\w*:|^TooManyRequests?(Exception|Error)?:"},
			},
			{says: []string{"slow down"}, like: &pattern{source: "\\b503:?,? ?\\(?Slow Down\\b"}},
		},
	},
	{
		Name:  "resource-busy",
		Title: "The AWS resource is busy with another change",
		Advice: "Start the build again when the other change is done. In scripts, wait first (aws lambda " +
			"wait function-updated-v2, aws cloudformation wait ...).",
		Remedy:    "retry",
		Retryable: true,
		rules: []rule{
			{says: []string{"an update is in progress for resource"}},
			{says: []string{"a conflicting conditional operation is currently in progress"}},
			{says: []string{"operationaborted"}},
			{says: []string{"the function is currently in the following state: pending"}},
			{
				says: []string{"resourceinuseexception"},
				like: &pattern{source: "(?i)being (created|updated|deleted)|currently|in progress"},
			},
			{says: []string{"concurrentmodification"}},
			{says: []string{"concurrentupdatelimitexceeded"}},
			{says: []string{"could not be updated due to a concurrent update operation"}},
			{says: []string{"an operation on this changeset is currently in progress"}},
			{says: []string{"concurrent modification"}},
			{
				says: []string{"try again"},
				like: &pattern{source: "(?i)(Conflict|Concurrent\\w*|ResourceInUse|Busy)(Exception|Fault)\\b.*\\btry again"},
			},
			{says: []string{"operationinprogressexception"}},
			{says: []string{"toomanyinvalidationsinprogress"}},
			{says: []string{"already has an active deployment"}},
			{says: []string{"was not finished"}, like: &pattern{source: "(?i)last job \\S+ was not finished"}},
			{says: []string{"is in an invalid state for this operation. must be ready"}},
			{says: []string{"the object has been modified; please apply your changes to the latest version"}},
			{says: []string{"the operation cannot be performed at this time"}, remedy: "report"},
			{
				aws: &pattern{source: "^\\w*(Concurrent\\w*(Modification|Updat|Access|Operation)|(Operation|Update|Request|Call" +
					"|Transaction|Activity|Changes|Refresh)(Already)?InProgress|(Resource|Session)Busy|Retrya" +
					"bleConflict|ConflictingOperation|OptimisticLock|TransactionConflict|ResourceContention|(" +
					"Resource|ENI)NotReady)\\w*:"},
			},
			{not: []string{"exist"}, aws: &pattern{source: "^ResourceConflict\\w*:"}, remedy: "report"},
			{
				aws: &pattern{source: "^\\w*(State|Status|Conflict)\\w*: .*\\b(pending|being (creat|updat|delet|modif)\\w*|in " +
					"progress)\\b"},
				remedy: "report",
			},
			{aws: &pattern{source: "(?i): .*\\b(is still ongoing|retry after some time)\\b"}, remedy: "report"},
			{
				says:        []string{"at this time"},
				like:        &pattern{source: "(?i)\\bcannot be complete(d)? at this time\\b"},
				consequence: true,
				remedy:      "report",
			},
			{
				not: []string{"what is being", "that is being"},
				aws: &pattern{source: "(?i)\\b(is|are) (currently |still )?(being " +
					"(modified|updated|created|deleted|processed)|resuming)\\b|\\bplease wait a few \\w+ and " +
					"(try again|retry)\\b"},
				remedy: "report",
			},
		},
	},
	{
		Name:      "aws-internal-error",
		Title:     "An AWS service failed on its side",
		Advice:    "Start the build again; see the AWS Health dashboard if it recurs.",
		Remedy:    "retry",
		Retryable: true,
		rules: []rule{
			{says: []string{"serviceunavailableexception"}},
			{says: []string{"internalserverexception"}},
			{says: []string{"internalservererror"}, like: &pattern{source: "operation"}},
			{says: []string{"(internalfailure)"}},
			{says: []string{"(internalerror)"}, not: []string{"error from server"}},
			{says: []string{"api error internalfailure"}},
			{says: []string{"api error internalerror"}},
			{says: []string{"(serviceunavailable)"}},
			{says: []string{"we encountered an internal error. please try again"}},
			{says: []string{"handlererrorcode: serviceinternalerror"}},
			{says: []string{"sdk error: service unavailable"}},
			{
				says: []string{"status code: 503"},
				like: &pattern{source: "\\(Service: [^;,]+[;,] Status Code: 503"},
			},
			{
				says:   []string{"internal failure"},
				like:   &pattern{source: "(?i)(_FAILED\\b.*\\s|message: \"?|^\\s*)Internal Failure\\b"},
				remedy: "report",
			},
			{
				not: []string{"serverless", "gatewaynot", "image reference"},
				aws: &pattern{source: "^(\\w*Internal(Server|Service)?(Error|Failure|Exception|Fault)\\w*|Internal(Server|Servi" +
					"ce)\\w*|Server(Internal\\w*)?Exception|Service(Exception|Failure\\w*|Fault|Error)|\\w*Se" +
					"rvice(Temporarily)?Unavailable\\w*|Unavailable|(Bad)?Gateway(Timeout)?\\w*):"},
			},
		},
	},
	{
		Name:  "machine-interrupted",
		Title: "The machine that did the work was taken away",
		Advice: "Spot capacity was reclaimed, or the node was shut down or drained. The same can pass a " +
			"minute later; for what must not stop halfway, use On-Demand capacity.",
		Remedy:    "retry",
		Retryable: true,
		rules: []rule{
			{says: []string{"spotinstancetermination"}},
			{says: []string{"spot task was interrupted"}},
			{
				says: []string{"spot"},
				like: &pattern{source: "(?i)\\bspot (instance|capacity|node|vm|request)\\b.* " +
					"(interrupted|reclaimed|preempted)\\b"},
			},
			{
				says: []string{"host ec2 (instance"},
				like: &pattern{source: "(?i)Host EC2 \\(instance [\\w-]+\\) terminated"},
			},
			{says: []string{"imminent node shutdown"}},
			{says: []string{"the runner has received a shutdown signal"}, remedy: "report"},
			{says: []string{"the node was low on resource"}, remedy: "report"},
		},
	},
	{
		Name:  "kubernetes-quota-exceeded",
		Title: "A quota of the Kubernetes namespace is used up",
		Advice: "The message names the quota (ResourceQuota), what was asked for and what is used. Ask " +
			"for less, remove what is no longer used, or raise the quota. No role lacks a permission.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"is forbidden: exceeded quota:"}},
			{says: []string{"is forbidden: failed quota:"}},
		},
	},
	{
		Name:  "pod-unschedulable",
		Title: "No node has room for the pod",
		Advice: "The event names what is missing: CPU, memory, a GPU, a zone of its volume, or a " +
			"tolerated taint. Ask for less, let the cluster grow, or free what runs there.",
		Remedy:    "report",
		Retryable: true,
		rules: []rule{
			{
				says: []string{"nodes are available"},
				like: &pattern{source: "\\b\\d+/\\d+ nodes are available: "},
			},
			{says: []string{"failedscheduling"}},
			{says: []string{"pod failed to come online"}},
			{says: []string{"podscheduled=false"}},
			{
				says: []string{"unschedulable"},
				like: &pattern{source: "(?i)\\b(reason|condition)\\W+Unschedulable"},
			},
		},
	},
	{
		Name:  "ecs-task-cannot-start",
		Title: "An ECS task does not get what it needs before it starts",
		Advice: "It reads its image, secrets and log group before the container runs. With \"connection " +
			"issue\", its subnets have no way there: NAT gateway, public IP, or VPC endpoints whose " +
			"security group lets the task in. Else the task's execution role lacks the permission, " +
			"or the name is wrong. The build's role is not the reason.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"unable to pull secrets or registry auth"}},
			{says: []string{"failed to normalize image reference"}},
			{says: []string{"cannotpullcontainererror"}, consequence: true},
			{says: []string{"resourceinitializationerror:"}, consequence: true},
		},
	},
	{
		Name:  "deploy-timeout",
		Title: "The deployment did not become healthy in time",
		Advice: "What was deployed does not start or does not pass its health check. Read its events and " +
			"log (kubectl describe and logs, the ECS service's events, the stack's events), not the " +
			"build's. A deletion that does not end waits for what still uses the resource.",
		Remedy:    "report",
		Retryable: true,
		rules: []rule{
			{
				says: []string{"out waiting for the condition"},
				like: &pattern{source: "(?i)\\btimed? ?out waiting"},
			},
			{says: []string{"exceeded its progress deadline"}},
			{says: []string{"upgrade failed", "context deadline exceeded"}},
			{says: []string{"installation failed", "context deadline exceeded"}},
			{
				says: []string{" not ready"},
				like: &pattern{source: "\\bresource (\\S+ )?not ready(\\. status|, name): "},
			},
			{says: []string{"request did not complete within requested timeout"}},
			{says: []string{"waiter servicesstable failed"}},
			{says: []string{"resource is not in the state servicesstable"}},
			{says: []string{"resource timed out"}},
			{says: []string{"waiter", "failed: max attempts exceeded"}},
			{says: []string{"timeout while waiting for state to become"}},
			{says: []string{"did not stabilize"}},
			{says: []string{"notstabilized"}},
			{says: []string{"exceeded max wait time for"}},
			{says: []string{"the operation timed out. the state of the environment is unknown"}},
			{says: []string{"the eb cli timed out after"}},
			{
				says: []string{"health check"},
				like: &pattern{source: "(?i)health checks? failed after \\d+ (attempts|tries|retries|seconds|minutes)"},
			},
			{says: []string{"timeout waiting for ssh"}},
		},
	},
	{
		Name:  "deploy-failed",
		Title: "The deployment was rolled back or abandoned",
		Advice: "The new version does not come up: look at its stopped tasks, pods or instances and " +
			"their logs. The build itself did its part.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"deployment circuit breaker"}},
			{says: []string{"ecs deployment circuit breaker was triggered"}},
			{
				says: []string{"overall deployment failed because too many individual instances failed deployment"},
			},
			{says: []string{"waiter deploymentsuccessful failed"}},
			{says: []string{"the deployment failed because"}},
			{says: []string{"failed to deploy application"}},
			{says: []string{"upgrade failed:"}, consequence: true},
			{says: []string{"installation failed:"}, consequence: true},
			{says: []string{"error: failed to update the service"}},
			{says: []string{"status check on the deployed lambda failed"}},
			{says: []string{"environment still has health"}},
			{says: []string{"deployment failed! current state:"}},
			{says: []string{"was unable to place a task"}},
			{
				says:        []string{"environment health has transitioned from"},
				like:        &pattern{source: "to (Severe|Degraded)\\b"},
				consequence: true,
			},
			{says: []string{"failed to deploy configuration"}},
			{says: []string{"engine execution has encountered an error"}},
			{says: []string{"command failed on instance. return code"}},
			{says: []string{"during an aborted deployment, some instances may have deployed"}},
			{says: []string{"crashloopbackoff"}},
			{says: []string{"imagepullbackoff"}, consequence: true},
			{says: []string{"errimagepull"}, consequence: true},
			{says: []string{"operation is complete, but with errors"}},
			{says: []string{"environment update finished unsuccessfully"}},
			{
				says: []string{"instance deployment failed"},
				like: &pattern{source: "Instance deployment failed\\."},
			},
			{
				says: []string{"at specified location:"},
				like: &pattern{source: "\\bScript (does not exist )?at specified location: "},
			},
			{
				says: []string{"script"},
				also: []string{"deployment"},
				like: &pattern{source: "\\bScript(Missing|NotExecutable|TimedOut|Failed)\\b"},
			},
			{says: []string{"was not able to receive the lifecycle event"}},
			{says: []string{"could not download bundle at '"}},
			{says: []string{"file contains unknown lifecycle events: "}},
			{says: []string{"failed to launch environment"}},
			{says: []string{"reverted to the previous configuration setting"}},
			{says: []string{"health has been set to red"}, consequence: true},
			{says: []string{"unsuccessful command execution on instance"}},
			{
				says:        []string{"lifecycleevent - "},
				like:        &pattern{source: "^LifecycleEvent - [A-Z]\\w+$"},
				consequence: true,
			},
			{
				says:        []string{"unexpected state '"},
				like:        &pattern{source: "^Error: waiting for .* unexpected state '"},
				consequence: true,
			},
			{says: []string{"did not find an appspec file"}},
			{says: []string{"essential container in task exited"}},
			{says: []string{"unable to upgrade connection: container not found"}},
			{says: []string{"is waiting to start:"}},
			{says: []string{"in a completed pod"}},
			{says: []string{"did not complete successfully and exited with status"}},
			{says: []string{"watch closed before untilwithoutretry"}},
			{says: []string{"rolled back due to atomic"}},
			{says: []string{"is unable to consistently start tasks successfully"}},
			{says: []string{"health_constraints"}},
			{says: []string{"is unhealthy in (target-group"}, consequence: true},
			{
				says:        []string{" asset"},
				like:        &pattern{source: "\\bFailed to (publish|build) asset\\b"},
				consequence: true,
			},
			{
				says:        []string{"deploy"},
				like:        &pattern{source: "(?i)\\bdeploy(ment)? (has |of \\S+ )?(failed\\W*$|was rolled back|aborted|unsuccessful)"},
				consequence: true,
				shared:      true,
			},
			{says: []string{"rolled back because"}, consequence: true},
			{says: []string{"error encountered during build of "}},
			{
				says: []string{"during execution of command ["},
				like: &pattern{source: "error occurred during execution of command \\[[\\w-]+\\]"},
			},
		},
	},
	{
		Name:  "serverless-login-required",
		Title: "The Serverless Framework requires a licence or login",
		Advice: "Set SERVERLESS_ACCESS_KEY or a licence key that is still valid from a secret, or pin " +
			"serverless at version 3. AWS has refused nothing.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"you must sign in or use a license key"}},
			{says: []string{"getclientdatafromaccesskey"}},
			{says: []string{"error: unauthorized"}, also: []string{"sf-core.js"}},
			{
				says: []string{"serverless_access_key"},
				like: &pattern{source: "(?i)invalid|expired|missing|not (set|valid|found)|required"},
			},
			{says: []string{"please use \"serverless login\""}},
			{says: []string{"serverless framework v4 cli"}, like: &pattern{source: "(?i)sign in|license"}},
		},
	},
	{
		Name:  "serverless-config-invalid",
		Title: "The Serverless configuration cannot be resolved",
		Advice: "The message names the variable or key. Give every variable a value or a default, and " +
			"check the stage's name.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"variables resolution errored with"}},
			{says: []string{"cannot resolve serverless.yml"}},
			{says: []string{"cannot resolve variable at \""}},
			{
				says: []string{"configuration error at '"},
				like: &pattern{source: "Configuration error at '[^']+':"},
			},
			{says: []string{"to satisfy the declaration '"}},
		},
	},
	{
		Name:  "sonar-login-failed",
		Title: "SonarQube refuses the scanner's token",
		Advice: "Set SONAR_TOKEN from a secret, with a token that may analyse this project and has not " +
			"expired; check the project's key and organization. This is SonarQube's permission, not " +
			"IAM.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"not authorized. analyzing this project requires authentication"}},
			{says: []string{"not authorized. please check the"}},
			{says: []string{"you're not authorized to run analysis"}},
			{says: []string{"you're not authorized to analyze this project"}},
		},
	},
	{
		Name:  "signing-failed",
		Title: "The build cannot sign what it publishes",
		Advice: "Import the signing key in the build (gpg --batch --import) and give its passphrase from " +
			"a secret.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"gpg: no default secret key"}},
			{says: []string{"gpg: signing failed"}},
			{says: []string{"gpg: skipped"}, like: &pattern{source: "gpg: skipped \"[^\"]+\": No secret key"}},
			{says: []string{"no identity found"}, like: &pattern{source: "(?i)codesign|: no identity found$"}},
			{says: []string{"no signing certificate"}},
			{says: []string{"not found for signing config"}},
			{says: []string{"no profiles for '"}, like: &pattern{source: "No profiles for '[^']+' were found"}},
			{says: []string{"requires a provisioning profile"}},
			{says: []string{"gpg failed to sign the data"}},
			{says: []string{"no valid openpgp data found"}},
			{says: []string{"gpg: decryption failed"}},
			{says: []string{"gpg: can't check signature"}},
			{says: []string{"gpg: keyserver receive failed"}},
			{says: []string{"unable to load private key"}},
			{says: []string{"keystore was tampered with"}},
			{
				says: []string{"no profile for team"},
				like: &pattern{source: "No profile for team '[^']*' matching"},
			},
			{says: []string{"mac verification failed"}},
			{says: []string{"developer id application certificate"}},
		},
	},
	{
		Name:  "database-auth-failed",
		Title: "The database refused the user name or password",
		Advice: "This is the database's own login, not IAM. Check that user, password and host reach the " +
			"command (an unset secret is an empty password), and that the user may connect from the " +
			"build's address.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"access denied for user '"}},
			{says: []string{"password authentication failed for user"}},
			{says: []string{"no pg_hba.conf entry for host"}},
			{says: []string{"login failed for user '"}},
			{says: []string{"mongoservererror", "authentication failed"}},
			{says: []string{"p1000: authentication failed"}},
			{says: []string{"wrongpass"}},
			{says: []string{"pam authentication failed for user"}},
			{says: []string{"pg_hba.conf rejects connection for host"}},
		},
	},
	{
		Name:  "database-permission-denied",
		Title: "The database user may not do that",
		Advice: "This is the database's own permission, not IAM. Have the owner of the schema or table " +
			"grant it to the build's user, or let the migration run as the owner.",
		Remedy: "report",
		rules: []rule{
			{
				says: []string{"permission denied for"},
				like: &pattern{source: "(?i)ERROR: +permission denied for " +
					"(schema|table|relation|database|sequence|function|view|type|language|tablespace)\\b"},
			},
			{says: []string{"must be owner of"}, like: &pattern{source: "(?i)ERROR: +must be owner of "}},
			{says: []string{"command denied to user '", "' for table '"}},
			{says: []string{"access denied; you need (at least one of) the"}},
			{
				says: []string{"permission denied to "},
				like: &pattern{source: "(ERROR|FATAL): +permission denied to \\w"},
			},
		},
	},
	{
		Name:  "database-not-found",
		Title: "The database, or the role that logs in, does not exist",
		Advice: "Create it before this step, or correct the name in the connection's URL or variables. A " +
			"new container has only the database and user that its environment names.",
		Remedy: "report",
		rules: []rule{
			{
				says: []string{"fatal"},
				like: &pattern{source: "FATAL: +(database|role) \"[^\"]*\" does not exist"},
			},
			{says: []string{"unknown database '"}},
		},
	},
	{
		Name:  "database-unreachable",
		Title: "The database cannot be reached",
		Advice: "If it is a database in a VPC, run the build in that VPC and let its security group in. " +
			"If the build starts it itself, wait until it answers before it is used.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"can't reach database server at"}},
			{says: []string{"can't connect to mysql server"}},
			{says: []string{"can't connect to local mysql server"}},
			{
				says: []string{"could not connect to server"},
				like: &pattern{source: "(?i)(postgres|5432|tcp/ip|psql|OperationalError)|could not connect to server: " +
					"(connection|no such)"},
			},
			{says: []string{"connection to server at", "failed"}},
			{says: []string{"mongoserverselectionerror"}},
			{says: []string{"error connecting to redis"}},
			{says: []string{"communications link failure"}},
			{says: []string{"sqlstate[hy000] [2002]"}},
			{
				says: []string{"psqlexception: connection to"},
				like: &pattern{source: "PSQLException: Connection to \\S+ refused"},
			},
			{says: []string{"sequelizeconnectionrefusederror"}},
			{says: []string{"econnrefused", ":5432"}},
			{says: []string{"econnrefused", ":3306"}},
			{
				says: []string{"etimedout "},
				like: &pattern{source: "ETIMEDOUT \\S+:(5432|3306|1433|1521|27017|6379|5439|9042)\\b"},
			},
			{
				says: []string{"sequelize"},
				like: &pattern{source: "Sequelize(Connection|Host|Access)\\w*Error|SequelizeConnectionTimedOutError"},
			},
			{
				says: []string{"jdbc:"},
				like: &pattern{source: "(?i)\\bconnection (could not be created|attempt failed)|connect timed out"},
			},
			{says: []string{"sorry, too many clients already"}},
			{says: []string{"redis.exceptions.connectionerror"}},
			{says: []string{"serverselectiontimeouterror"}},
			{
				says: []string{"connect to"},
				like: &pattern{source: "(?i)\\b(unable|failed|could not|couldn't|cannot|can't)( to)? connect to (the " +
					")?(redis|mysql|mariadb|postgres\\w*|mongo\\w*|database|db|rds|sql server)\\b"},
				consequence: true,
				shared:      true,
			},
		},
	},
	{
		Name:  "database-migration-failed",
		Title: "A database migration failed",
		Advice: "The message names the migration and the statement. Repair or resolve it on the database " +
			"before the next deploy: a half-applied migration blocks those after it.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"migrate found failed migrations in the target database"}},
			{says: []string{"a migration failed to apply"}},
			{says: []string{"migration", "failed to apply"}},
			{says: []string{"migration checksum mismatch"}},
			{says: []string{"validate failed: migrations have failed validation"}},
			{says: []string{"dirty database version"}},
			{says: []string{"migration of schema", "failed"}},
			{says: []string{"liquibase.exception."}},
			{
				says: []string{"django.db.utils."},
				also: []string{"running migrations:"},
				like: &pattern{source: "^django\\.db\\.utils\\.(Programming|Operational|Integrity|Data|Internal)Error: "},
			},
			{
				says: []string{"sqlalchemy.exc."},
				also: []string{"running upgrade "},
				like: &pattern{source: "^sqlalchemy\\.exc\\.\\w+Error: "},
			},
			{says: []string{"all later migrations canceled"}},
			{says: []string{"alembic", "can't locate revision"}},
			{says: []string{"multiple head revisions are present"}},
			{says: []string{"migration file \""}, like: &pattern{source: "^migration file \"[^\"]+\" failed"}},
			{says: []string{"unexpected error running liquibase"}},
			{says: []string{"psql:"}, like: &pattern{source: "^psql:\\S+:\\d+: (ERROR|FATAL): "}},
			{
				says:        []string{"prisma migrate"},
				like:        &pattern{source: "npm (ERR!|error) command .*\\bprisma migrate (deploy|dev|reset)"},
				consequence: true,
			},
			{
				says: []string{"error: "},
				like: &pattern{source: "^(psql:\\S+ )?ERROR: +(relation|column|table|type|function|schema|constraint) " +
					"\"?[^\"]*\"? (already exists|does not exist)"},
			},
		},
	},
	{
		Name:  "shared-library-missing",
		Title: "A shared library of the operating system is missing",
		Advice: "Install the package that has the library in the install phase (apt-file search or dnf " +
			"provides names it).",
		Remedy: "report",
		rules: []rule{
			{says: []string{"error while loading shared libraries"}},
			{says: []string{"cannot open shared object file"}},
			{says: []string{"version `glibc_"}},
			{says: []string{"glibc_", "not found (required by"}},
			{says: []string{"couldn't find a valid icu package"}},
			{says: []string{"error loading shared library"}},
			{says: []string{"library not loaded:"}},
		},
	},
	{
		Name:  "bundle-too-large",
		Title: "A bundle is larger than its budget allows",
		Advice: "Find what made it grow (source-map-explorer, a bundle analyzer), or raise the budget on " +
			"purpose.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"exceeded maximum budget"}, like: &pattern{source: "(?i)error"}, sure: true},
			{says: []string{"package size limit has exceeded"}, sure: true},
		},
	},
	{
		Name:  "configure-failed",
		Title: "The project cannot be configured for its build",
		Advice: "The message names the package, tool or option that is missing. Install it in the " +
			"install phase (its -dev or -devel package), or choose an image that has it.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"cmake error"}, like: &pattern{source: "^CMake Error"}, first: true},
			{says: []string{"configure: error:"}},
			{says: []string{"sdk location not found"}},
			{
				says:  []string{"configure.ac:"},
				like:  &pattern{source: "configure\\.ac:\\d+: error: "},
				first: true,
			},
			{says: []string{"meson.build:"}, like: &pattern{source: "meson\\.build:\\d+:\\d+: ERROR: "}},
			{says: []string{"configuring incomplete, errors occurred"}, consequence: true},
		},
	},
	{
		Name:  "no-tests-found",
		Title: "The test runner found no tests",
		Advice: "Check the directory and the pattern, and that the tests are in the source. Where none " +
			"are meant, tell the runner so (--passWithNoTests).",
		Remedy: "report",
		rules: []rule{
			{says: []string{"no tests found, exiting with code 1"}, sure: true},
			{says: []string{"no test files found"}, sure: true},
			{says: []string{"no tests ran in"}, consequence: true},
			{says: []string{"error: file or directory not found:"}, consequence: true},
		},
	},
	{
		Name:   "compile-error",
		Title:  "The code does not compile",
		Advice: "The first error names file and line; later ones often follow from it.",
		Remedy: "report",
		rules: []rule{
			{
				says:  []string{".go:", ": no matching files found"},
				like:  &pattern{source: "\\.go:\\d+:\\d+: pattern \\S+: "},
				first: true,
			},
			{
				says:  []string{" [error]: "},
				like:  &pattern{source: "^TS\\d+ \\[ERROR\\]: "},
				first: true,
				sure:  true,
			},
			{says: []string{"error ts"}, like: &pattern{source: "\\berror TS\\d+:"}, first: true, sure: true},
			{says: []string{"tserror:"}, first: true, sure: true},
			{says: []string{"unable to compile typescript"}, first: true, sure: true},
			{
				says:  []string{"type error:"},
				like:  &pattern{source: "(^\\s*|:\\d+:\\d+:?\\s+)Type error: "},
				first: true,
				sure:  true,
			},
			{says: []string{"failed to compile"}, first: true},
			{says: []string{"[build failed]"}, first: true},
			{
				says: []string{".go:"},
				not: []string{
					"warning",
					"should ",
					"no matching files found",
					"reading http",
					": dial tcp",
					"no required module",
					"cannot find module",
					"cannot find package",
				},
				also: []string{"# "},
				like: &pattern{source: "^(\\S*|.*\"Output\":\"\\S*)\\.go:\\d+:\\d+: (.*[^)]|.* \\([^)]* [^)]*\\)|.*[^ " +
					"]\\([^)]*\\))$"},
				first: true,
				sure:  true,
			},
			{
				says: []string{".go:"},
				not: []string{
					"warning",
					"should ",
					"no matching files found",
					"reading http",
					": dial tcp",
					"no required module",
					"cannot find module",
					"cannot find package",
				},
				like: &pattern{source: "^(vet: |.*\"Output\":\"|\\s+)?\\S*\\.go:\\d+:\\d+: (undefined: |declared and not " +
					"used|syntax error|cannot use |missing return|expected |not enough |too many |invalid " +
					"operation|mismatched types|.* redeclared |.* imported and not used|.* undefined " +
					"\\(|.*\\((typecheck|compile)\\)$)"},
				first: true,
				sure:  true,
			},
			{
				says:  []string{"syntax error at "},
				like:  &pattern{source: "^syntax error at \\S+ line \\d+"},
				first: true,
				sure:  true,
			},
			{
				says:  []string{"compilation error in file "},
				like:  &pattern{source: "^== Compilation error in file \\S+ ==$"},
				first: true,
				sure:  true,
			},
			{says: []string{"compilation error"}, first: true},
			{
				says:  []string{".java:"},
				not:   []string{"[warning]"},
				like:  &pattern{source: "\\.java:(\\d+: error:|\\[\\d+,\\d+\\] [^(])"},
				first: true,
				sure:  true,
			},
			{says: []string{"compilation failed; see the compiler error output"}, first: true},
			{says: []string{"compilation error. see log for more details"}, first: true},
			{says: []string{".kt:"}, like: &pattern{source: "^e: .*\\.kt:"}, first: true, sure: true},
			{says: []string{"error[e"}, like: &pattern{source: "^error\\[E\\d+\\]"}, first: true, sure: true},
			{
				says:  []string{".rs:"},
				like:  &pattern{source: "^\\S+\\.rs:\\d+:\\d+: error(\\[E\\d+\\])?: "},
				first: true,
				sure:  true,
			},
			{
				says:  []string{"\"reason\":\"compiler-message\""},
				like:  &pattern{source: "\"level\":\"error\""},
				first: true,
				sure:  true,
			},
			{
				says:  []string{"error: "},
				not:   []string{"could not compile", "test failed", "failed to "},
				also:  []string{"--> ", ".rs:"},
				like:  &pattern{source: "^error: \\S"},
				first: true,
				sure:  true,
			},
			{says: []string{"error: could not compile `"}, first: true},
			{says: []string{"error cs"}, like: &pattern{source: "\\berror CS\\d+:"}, first: true, sure: true},
			{says: []string{"error fs"}, like: &pattern{source: "\\berror FS\\d+:"}, first: true, sure: true},
			{
				says: []string{"error:"},
				not:  []string{"clang-format"},
				like: &pattern{source: "\\.(c|cc|cpp|cxx|cu|h|hh|hpp|m|mm|swift|hs|zig|d|sv|v|kt|kts|scala|dart|coffee|f90|vala|" +
					"ml):\\d+:(\\d+:)? (fatal |syntax )?error:( [^(].*[^\\])]| [^(].*\\[([^\\[\\]]*[ " +
					"=][^\\[\\]]*|[-#][^\\[\\]]*|GHC-\\d+|clang-diagnostic-[^\\]]*)?\\]| \\[GHC-\\d+\\]| " +
					"[^(].*[^ _a-z]\\)| [^(].*\\([^)]*[^)_a-z][^)]*\\))?$"},
				first: true,
				sure:  true,
			},
			{
				says:  []string{"error"},
				like:  &pattern{source: "^\\s*(\\d+>)?\\S.*\\(\\d+(,\\d+)?(-\\d+)?\\) ?: (fatal )?error( (C|BC|LNK|D|RC)\\d+)?: "},
				first: true,
				sure:  true,
			},
			{says: []string{"error lnk"}, like: &pattern{source: "\\berror LNK\\d+: "}, first: true, sure: true},
			{
				says:  []string{"\"kind\": \"error\""},
				also:  []string{"\"column-origin\""},
				first: true,
				sure:  true,
			},
			{says: []string{"undefined reference to"}, first: true, sure: true},
			{says: []string{"multiple definition of"}, first: true, sure: true},
			{says: []string{"cannot find -l"}, first: true},
			{
				says:  []string{"ndefined symbol"},
				like:  &pattern{source: "^(Undefined symbols for architecture|(\\S*ld\\S*: )?error: undefined symbol: )"},
				first: true,
				sure:  true,
			},
			{
				says:  []string{"duplicate symbol"},
				like:  &pattern{source: "^(\\S*ld\\S*: )?(error: )?duplicate symbol"},
				first: true,
				sure:  true,
			},
			{says: []string{"ld returned 1 exit status"}},
			{
				says:  []string{"syntaxerror:"},
				not:   []string{"in json", "json input", "valid json", "unexpected token '<'"},
				first: true,
				sure:  true,
			},
			{says: []string{"indentationerror:"}, first: true, sure: true},
			{says: []string{"taberror:"}, first: true, sure: true},
			{says: []string{"php parse error:"}, first: true, sure: true},
			{says: []string{"syntax error, unexpected", ".rb:"}, first: true, sure: true},
			{says: []string{"module not found: error: can't resolve"}, first: true, sure: true},
			{says: []string{"module not found: can't resolve"}, first: true, sure: true},
			{says: []string{"rollup failed to resolve import"}, first: true, sure: true},
			{
				says:  []string{"[error] could not resolve"},
				like:  &pattern{source: "(?i)could not resolve \""},
				first: true,
				sure:  true,
			},
			{says: []string{"module parse failed:"}, first: true, sure: true},
			{
				says: []string{"[error] "},
				like: &pattern{source: "[✘X] \\[ERROR\\] (Unexpected|Expected|Unterminated|Syntax error|No matching " +
					"export|Cannot assign)"},
				first: true,
				sure:  true,
			},
			{says: []string{"parsing error:"}, first: true, sure: true},
			{
				says:  []string{".scala:"},
				like:  &pattern{source: "\\[error\\] (-- .*|\\S*)\\.scala:\\d+"},
				first: true,
				sure:  true,
			},
			{
				says:  []string{".proto:"},
				not:   []string{"warning:"},
				like:  &pattern{source: "\\.proto:\\d+:\\d+:( |syntax error|cannot find )"},
				first: true,
				sure:  true,
			},
			{says: []string{"build failed because of webpack errors"}, first: true},
			{
				says:  []string{"could not resolve"},
				like:  &pattern{source: "Could not resolve \"[^\"]+\" from \""},
				first: true,
				sure:  true,
			},
			{
				says:  []string{"is not exported by"},
				like:  &pattern{source: "is not exported by \"?\\S+\"?, imported by "},
				first: true,
				sure:  true,
			},
			{
				says:  []string{".kt:"},
				like:  &pattern{source: "\\.kt: ?[\\[(]\\d+, ?\\d+[\\])] \\S"},
				first: true,
				sure:  true,
			},
			{
				says:  []string{"error: "},
				like:  &pattern{source: "^(\\[error\\] )?-- (\\[E\\d+\\] )?[\\w ]*Error: \\S+:\\d+:\\d+"},
				first: true,
				sure:  true,
			},
			{
				says:  []string{". error in "},
				like:  &pattern{source: "^\\d+\\. ERROR in \\S+ \\(at line \\d+\\)"},
				first: true,
				sure:  true,
			},
			{says: []string{"typechecking error: "}, first: true, sure: true},
			{says: []string{"turbopack build failed with"}, first: true, sure: true},
			{says: []string{"error: could not resolve: \""}, first: true, sure: true},
			{
				says:  []string{"error: "},
				like:  &pattern{source: "^error: (Unexpected|Expected|Unterminated) "},
				first: true,
				sure:  true,
			},
			{
				says:  []string{"-- "},
				like:  &pattern{source: "^-- [A-Z ]+ -{4,} \\S+\\.elm"},
				first: true,
				sure:  true,
			},
			{
				says:  []string{" at (1)"},
				like:  &pattern{source: "^(Fatal )?Error: .* at \\(1\\)"},
				first: true,
				sure:  true,
			},
			{says: []string{"in "}, like: &pattern{source: "^In \\S+\\.cr:\\d+:\\d+$"}, first: true, sure: true},
			{
				says:  []string{"error: "},
				also:  []string{"--> ", ".sol:"},
				like:  &pattern{source: "^\\w*Error: \\S"},
				first: true,
				sure:  true,
			},
			{
				says:  []string{"rolluperror: "},
				like:  &pattern{source: "^(\\[!\\] |\\s*)?(\\(.*\\) )?RollupError: "},
				first: true,
				sure:  true,
			},
			{says: []string{"error in "}, like: &pattern{source: "^ERROR in \\./\\S+"}, first: true},
			{
				says: []string{"compiled with "},
				like: &pattern{source: "\\b(webpack|rspack)\\b.* compiled with [1-9]\\d* errors?"},
			},
			{says: []string{"[error] "}, like: &pattern{source: "^[✘X] \\[ERROR\\] \\S"}, first: true},
			{says: []string{"build failed."}, like: &pattern{source: "^🚨 Build failed\\.$"}, first: true},
			{
				says:  []string{"root stylesheet"},
				like:  &pattern{source: "\\.s[ac]ss \\d+:\\d+ "},
				first: true,
				sure:  true,
			},
			{
				says:  []string{" on line "},
				like:  &pattern{source: "^\\w+Error: .* in \\S+\\.less on line \\d+"},
				first: true,
				sure:  true,
			},
			{
				says:  []string{"startup failed:"},
				also:  []string{".groovy: "},
				like:  &pattern{source: "^startup failed:$"},
				first: true,
			},
			{says: []string{".groovy: "}, like: &pattern{source: "\\.groovy: \\d+: "}, first: true, sure: true},
			{says: []string{"(compileerror)"}, first: true, sure: true},
			{
				says:  []string{"characters "},
				also:  []string{"error: "},
				like:  &pattern{source: "^File \"[^\"]+\", lines? [\\d-]+, characters \\d+-\\d+:$"},
				first: true,
				sure:  true,
			},
			{
				says:  []string{"error during build:"},
				like:  &pattern{source: "^error during build:$"},
				first: true,
			},
			{
				says:  []string{"build failed in "},
				like:  &pattern{source: "[x✗] Build failed in \\d"},
				first: true,
			},
			{
				says:  []string{"failed: (exit "},
				like:  &pattern{source: "^ERROR: \\S+BUILD(\\.bazel)?:\\d+:\\d+: .* failed: \\(Exit \\d+\\)"},
				first: true,
			},
			{says: []string{"err_require_esm"}, first: true, sure: true},
			{
				says:  []string{".lua:"},
				like:  &pattern{source: "^lua\\w*(5\\.\\d)?: \\S+\\.lua:\\d+: "},
				first: true,
				sure:  true,
			},
			{
				says:  []string{"rl:"},
				also:  []string{"%    "},
				like:  &pattern{source: "^\\S+\\.[eh]rl:\\d+:\\d+: [^W]"},
				first: true,
				sure:  true,
			},
			{
				says: []string{"error"},
				like: &pattern{source: "(?i)^\\s*\\S+\\.\\w+[:(]\\d+([:,] ?\\d+)?\\)?:? ?(fatal |syntax |parse |parser )?error " +
					"?: "},
				first:       true,
				consequence: true,
			},
			{
				says:  []string{"is not exported by"},
				like:  &pattern{source: "^\\W*\"?\\w+\"? is not exported by \"\\S+\""},
				first: true,
				sure:  true,
			},
			{
				says:  []string{"unable to resolve module"},
				like:  &pattern{source: "Unable to resolve module \\S+ from "},
				first: true,
				sure:  true,
			},
			{says: []string{"error: cannot find symbol"}, first: true, sure: true},
			{
				says:  []string{"fatal error: "},
				like:  &pattern{source: "^fatal error: \\S+\\.h(h|pp)?: No such file"},
				first: true,
				sure:  true,
			},
			{says: []string{"import cycle not allowed"}, consequence: true},
			{says: []string{"subcommand failed."}, consequence: true},
			{
				says: []string{"compil"},
				like: &pattern{source: "(?i)\\b(compilation|compile) (failed|errors?|failure)\\b|\\bfailed to " +
					"compile\\b|\\bdoes not compile\\b"},
				consequence: true,
				shared:      true,
			},
			{says: []string{"|"}, like: &pattern{source: "^\\s+\\|\\s+[\\^~]+$"}, consequence: true},
			{
				says:        []string{"error msb"},
				not:         []string{"msb3073"},
				like:        &pattern{source: "\\berror MSB\\d+: "},
				consequence: true,
			},
			{says: []string{"linking with `"}, like: &pattern{source: "\\berror: linking with `[^`]+` failed"}},
		},
	},
	{
		Name:  "warnings-as-errors",
		Title: "The build treats warnings as errors",
		Advice: "Fix the warnings that are printed. CI=true makes some tools strict; setting it to false " +
			"hides them and is only a stopgap.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"treating warnings as errors because process.env.ci = true"}, sure: true},
			{says: []string{"warnings being treated as errors"}, sure: true},
			{says: []string{"error: warnings found and -werror specified"}, sure: true},
			{says: []string{"-werror="}, sure: true},
			{
				says: []string{"arning, treated as error"},
				like: &pattern{source: "(?i)^warning, treated as error:?$"},
				sure: true,
			},
			{says: []string{"warnings treated as errors)"}, sure: true},
			{
				says: []string{"in strict mode"},
				like: &pattern{source: "^Aborted with [1-9]\\d* warnings? in strict mode"},
				sure: true,
			},
			{says: []string{"[deny("}, like: &pattern{source: "= note: .*`#!?\\[deny\\("}, sure: true},
			{says: []string{"-d warnings"}, like: &pattern{source: "note: .*`-D warnings`"}, sure: true},
		},
	},
	{
		Name:   "lint-failed",
		Title:  "The linter or formatter found something",
		Advice: "Run it locally with its fix option and commit the result.",
		Remedy: "report",
		quotes: true,
		rules: []rule{
			{
				says:  []string{"error:xenon:"},
				like:  &pattern{source: "^ERROR:xenon:\\S"},
				first: true,
				sure:  true,
			},
			{
				says:  []string{".py"},
				not:   []string{"warning:", "note:", "information:"},
				like:  &pattern{source: "^\\s*\\S+\\.pyi?:\\d+:\\d+:? \\S"},
				first: true,
				sure:  true,
			},
			{
				says:  []string{".py"},
				like:  &pattern{source: "^\\S+\\.pyi?:\\d+: error: "},
				first: true,
				sure:  true,
			},
			{
				says: []string{".go:"},
				like: &pattern{source: "^(\\S*\\.go:\\d+:\\d+: .* \\(([a-z]+|[A-Z]+\\d+)\\)|\\S*\\.go:\\d+:\\d+: " +
					".*\\bshould\\b.*)$"},
				first: true,
				sure:  true,
			},
			{
				says: []string{".go:"},
				not: []string{
					"warning",
					"should ",
					"no matching files found",
					"reading http",
					": dial tcp",
					"no required module",
					"cannot find module",
					"cannot find package",
				},
				like:  &pattern{source: "^(vet: )?\\S*\\.go:\\d+:\\d+:\\s*\\S"},
				first: true,
				sure:  true,
			},
			{
				says: []string{":"},
				not: []string{
					"[-w",
					"note:",
					"warning:",
					" warning ",
					"warning]",
					"warn]",
					"info:",
					"info -",
					"information:",
				},
				like: &pattern{source: "^\\s*(\\[\\w+\\] )?\\S*([a-z/_]|[A-Z]{2})\\S*:\\d+:\\d+(-\\d+)?[:,]? " +
					".*[\\[(][\\w@./:,+-]*[a-zA-Z][\\w@./:,+-]*[\\])]( \\[\\w+\\])?\\.?$"},
				first: true,
				sure:  true,
			},
			{
				says: []string{":"},
				not: []string{
					"[-w",
					"note:",
					"warning:",
					" warning ",
					"warning]",
					"warn]",
					"info:",
					"info -",
					"information:",
				},
				like: &pattern{source: "^\\s*(\\[\\w+\\] )?\\S+\\.\\w+(:\\d+|\\(\\d+\\)): " +
					".*[\\[(]([\\w@.]+[/-][\\w@./:-]+|[A-Z]+\\d+|[a-z]+[A-Z]\\w*|[A-Z][a-z]+[A-Z]\\w*)[\\])](" +
					" \\[\\d+\\])?$"},
				first: true,
				sure:  true,
			},
			{
				says: []string{":"},
				like: &pattern{source: "^\\s*\\S*([a-z/_]|[A-Z]{2})\\S*(:\\d+){1,2}(-\\d+)?:? ((error|warning) )?\\[?([CEFR]: " +
					"|[A-Z]{1,6}\\d{3,5}\\b|(Suggestion|Refactor|Convention|Style): )"},
				first: true,
				sure:  true,
			},
			{
				says:  []string{"): ["},
				like:  &pattern{source: "^\\S+\\.\\w+\\(\\d+\\): \\[[A-Z]\\d{4}\\("},
				first: true,
				sure:  true,
			},
			{
				says:  []string{"): error "},
				not:   []string{"error msb"},
				like:  &pattern{source: "\\.\\w+\\(\\d+,\\d+\\): error [A-Z]{2,}\\d*: "},
				first: true,
				sure:  true,
			},
			{
				says:  []string{"]"},
				like:  &pattern{source: "^\\[\\S+\\.\\w+:\\d+(:\\d+)?\\] "},
				first: true,
				sure:  true,
			},
			{
				says:  []string{": error - "},
				like:  &pattern{source: "^\\S+\\.\\w+:\\d+:\\d+: error - "},
				first: true,
				sure:  true,
			},
			{
				says:  []string{": line "},
				like:  &pattern{source: ": line \\d+, col \\d+, (?i:error|warning) - "},
				first: true,
				sure:  true,
			},
			{says: []string{"::error "}, like: &pattern{source: "^::error .*\\bfile="}, first: true, sure: true},
			{
				says:  []string{".java:["},
				like:  &pattern{source: "\\.java:\\[\\d+(,\\d+)?\\] \\(\\w+\\) "},
				first: true,
				sure:  true,
			},
			{
				says:  []string{"error"},
				like:  &pattern{source: "^\\s*\\d+:\\d+\\s+(Error:|error)\\s+.*\\s{2,}@?[a-z][\\w/-]*$"},
				first: true,
				sure:  true,
			},
			{
				says:  []string{":"},
				like:  &pattern{source: "^\\s*\\d+:\\d+\\s+(error|[✖×✗])\\s+\\S|^\\s*[✖×✗]\\s+\\d+:\\d+\\s+\\S"},
				first: true,
				sure:  true,
			},
			{
				says: []string{" "},
				also: []string{"--> "},
				like: &pattern{source: "^([A-Z]{1,6}\\d{3,4}|invalid-syntax:) (\\[\\*\\] )?\\S"},
				sure: true,
			},
			{
				says:  []string{" "},
				like:  &pattern{source: "^(E\\d{4} [^\\d\\s]|[A-Z]\\d{3} \\d+:\\d+ )"},
				first: true,
				sure:  true,
			},
			{
				says:  []string{" | p:"},
				like:  &pattern{source: "^L:\\s+\\d+ \\| P:\\s+\\d+ \\| \\w+ \\| "},
				first: true,
				sure:  true,
			},
			{
				says:  []string{",error,"},
				like:  &pattern{source: "^\"?\\S+\\.\\w+\"?,\\d+,\\d+,error,\""},
				first: true,
				sure:  true,
			},
			{
				says:  []string{"file: "},
				also:  []string{" | error | "},
				like:  &pattern{source: "^FILE: \\S"},
				first: true,
				sure:  true,
			},
			{
				says:  []string{": "},
				like:  &pattern{source: "^(ERROR|INFO): [A-Z]\\w+ - \\S+:\\d+:\\d+ - "},
				first: true,
				sure:  true,
			},
			{
				says: []string{"<testsuite"},
				like: &pattern{source: "(?i)\\bpackage=\"org\\.(biome|eslint|ruff|stylelint|oxlint)\"|\\bname=\"(CloudFormation " +
					"Lint|tflint|ruff|biome|bandit)\""},
				first: true,
				sure:  true,
			},
			{
				says:  []string{"<failure"},
				like:  &pattern{source: "<failure type=['\"][A-Z]\\w+/\\w+"},
				first: true,
				sure:  true,
			},
			{
				says:  []string{"<"},
				like:  &pattern{source: "<(error|violation|issue|BugInstance)\\b.*\\b(severity|priority)="},
				first: true,
				sure:  true,
			},
			{
				says: []string{"\""},
				also: []string{"\"message\""},
				like: &pattern{source: "(?i)\"(code|id|value|message-?id)\" ?: ?\"[EF]\\d{3,4}\""},
				sure: true,
			},
			{
				says: []string{"\""},
				not:  []string{"ckv", "cve-"},
				also: []string{"line"},
				like: &pattern{source: "(?i)\"(rule_?id|cop_name|check_?id|check_name|test_id|rulenames|messageid|fromlinter|sym" +
					"bol)\" ?:"},
				first: true,
				sure:  true,
			},
			{
				says:  []string{"message-id"},
				like:  &pattern{source: "\"message-id\": ?\"[CRWEF]\\d{4}\""},
				first: true,
				sure:  true,
			},
			{
				says: []string{"\""},
				also: []string{"\"message\""},
				like: &pattern{source: "(?i)\"(code|value)\" ?: " +
					"?(\"[A-Z]{1,4}\\d{2,5}\"|\"\\w+\\([\\w/-]+\\)\"|\"[a-z]+(-[a-z0-9]+)+\"|\\d{4}\\b)"},
				first: true,
				sure:  true,
			},
			{
				says: []string{"\""},
				also: []string{"line"},
				like: &pattern{source: "(?i)\"(code|id)\" ?: ?\"[A-Z]{1,4}\\d{2,5}\"|\"category\" ?: " +
					"?\"lint/|\"source\":\"\\w+(\\.\\w+){2,}\""},
				first: true,
				sure:  true,
			},
			{
				says:  []string{"\"rule\":"},
				also:  []string{"line"},
				like:  &pattern{source: "(^|[{,])\\s*\"rule\":"},
				first: true,
				sure:  true,
			},
			{says: []string{"\"posn\":"}, first: true, sure: true},
			{says: []string{"code style issues found"}, sure: true},
			{says: []string{"code style issues in the above file"}, sure: true},
			{says: []string{"when checking code style"}, sure: true},
			{
				says:  []string{"would reformat"},
				like:  &pattern{source: "(?i)^would reformat:? \\S"},
				first: true,
				sure:  true,
			},
			{
				says: []string{"would be reformatted"},
				like: &pattern{source: "(?i)\\d+ files? would be reformatted"},
				sure: true,
			},
			{says: []string{"the following files had format violations"}, sure: true},
			{
				says: []string{"not formatted file"},
				like: &pattern{source: "Found [1-9]\\d* not formatted files?"},
				sure: true,
			},
			{
				says: []string{"format"},
				like: &pattern{source: "(?i)(\\b(is|are|was|were)(n.t| not)|: not) (properly |correctly " +
					")?formatted|\\b(must|need|needs|should) (to )?be (re|clang-)?formatted|incorrectly " +
					"formatted|would have printed the following"},
				first: true,
				sure:  true,
			},
			{
				says: []string{"reformat"},
				like: &pattern{source: "\\b[1-9]\\d* files? would fail to reformat"},
				sure: true,
			},
			{
				says: []string{"would "},
				like: &pattern{source: "(?i)^would fix [1-9]\\d* errors?|^[1-9]\\d* files? would be " +
					"(updated|changed|modified|left unformatted)"},
				sure: true,
			},
			{says: []string{"imports are incorrectly sorted"}, first: true, sure: true},
			{
				says:  []string{"diff in "},
				like:  &pattern{source: "^Diff in \\S+(:| at line \\d+)"},
				first: true,
				sure:  true,
			},
			{
				says:  []string{"--- "},
				also:  []string{"+++ "},
				like:  &pattern{source: "^--- (\\S+\\.orig\\b|(old|original|before)/|\\S+:before\\b|\\S+\\s+\\(original\\))"},
				first: true,
				sure:  true,
			},
			{
				command: []string{"fmt", "format", "lint", "black", "ruff", "yapf", "prettier", "shellcheck", "style"},
				says:    []string{"--- "},
				also:    []string{"+++ ", "@@ -"},
				like:    &pattern{source: "^--- \\S"},
				first:   true,
				sure:    true,
			},
			{
				command: []string{
					"fmt -check",
					"fmt --check",
					"fmt -- --check",
					"prettier -l",
					"prettier --list-different",
					"format:check",
					"gofmt -l",
					"gofumpt -l",
					"goimports -l",
					"gofmt -s -l",
					"shfmt -l",
					"rubocop",
					"flake8 -q",
					"docformatter",
					"--set-exit-if-changed",
				},
				says:        []string{"."},
				like:        &pattern{source: "^(\\S*[/\\\\])?[\\w.-]+\\.\\w+$"},
				first:       true,
				consequence: true,
			},
			{
				says:  []string{"error["},
				like:  &pattern{source: "^error\\[[a-z][a-z/-]+\\]: "},
				first: true,
				sure:  true,
			},
			{
				says:  []string{"sc"},
				like:  &pattern{source: "\\[SC\\d{4}\\]$|^\\s*\\^-+ SC\\d{4}|ShellCheck\\.SC\\d{4}"},
				first: true,
				sure:  true,
			},
			{
				says:  []string{"("},
				like:  &pattern{source: "^\\s*[×✖x] [\\w-]+\\([\\w/-]+\\): \\S"},
				first: true,
				sure:  true,
			},
			{
				says:  []string{"━━"},
				like:  &pattern{source: "^\\S+ (lint|format|assist|parse|suppressions)\\b\\S* .*━"},
				first: true,
				sure:  true,
			},
			{
				says:  []string{"]"},
				like:  &pattern{source: "^✖\\s+.*\\[[a-z]+-[a-z-]+\\]$"},
				first: true,
				sure:  true,
			},
			{
				says:  []string{"issue: ["},
				like:  &pattern{source: "^(>> )?Issue: \\[[A-Z]\\d+:"},
				first: true,
				sure:  true,
			},
			{
				says: []string{".py:"},
				like: &pattern{source: "^\\S+\\.py:\\d+( (in|at) (public|private|module|package)|: .*\\(\\d+% confidence|: " +
					"\\[[A-Z]\\d{4})"},
				first: true,
				sure:  true,
			},
			{says: []string{" ==> "}, like: &pattern{source: "^\\S+:\\d+: \\S+ ==> "}, first: true, sure: true},
			{says: []string{"is a misspelling of"}, first: true, sure: true},
			{says: []string{" - unknown word ("}, first: true, sure: true},
			{says: []string{"` should be `"}, first: true, sure: true},
			{says: []string{"possible bashism in"}, first: true, sure: true},
			{
				says:  []string{"(severity: "},
				like:  &pattern{source: "at line \\d+, column \\d+\\..*\\(Severity: \\d\\)$"},
				first: true,
				sure:  true,
			},
			{
				says:  []string{"error: ("},
				like:  &pattern{source: "error: \\([a-z]\\w*\\) \\S"},
				first: true,
				sure:  true,
			},
			{says: []string{"pmd failure: "}, first: true, sure: true},
			{
				says:  []string{":"},
				like:  &pattern{source: "^\\S+\\.\\w+:\\d+(:(\\t|  +)[A-Z]\\w+:(\\t|  +)|\\s{2,}[A-Z]\\w+\\s{2,})\\S"},
				first: true,
				sure:  true,
			},
			{
				says:  []string{"duplication in"},
				like:  &pattern{source: "^Found a \\d+ line \\(\\d+ tokens\\) duplication in"},
				first: true,
				sure:  true,
			},
			{
				says:  []string{":[line"},
				like:  &pattern{source: "\\w\\.\\w+:\\[lines? [\\d-]+\\]"},
				first: true,
				sure:  true,
			},
			{says: []string{"non complying file: "}, first: true, sure: true},
			{says: []string{".php:"}, like: &pattern{source: "^\\S+\\.php:\\d+:[A-Z]"}, first: true, sure: true},
			{says: []string{"file_errors"}, like: &pattern{source: "\"file_errors\": ?[1-9]"}, sure: true},
			{
				says: []string{"files that can be fixed"},
				like: &pattern{source: "Found [1-9]\\d* of \\d+ files that can be fixed"},
				sure: true,
			},
			{
				says: []string{"style issue"},
				like: &pattern{source: "\\d+ files?, [1-9]\\d* style issues?"},
				sure: true,
			},
			{says: []string{"would have been changed (dry-run)"}, sure: true},
			{
				says:  []string{" -- "},
				like:  &pattern{source: "^\\S+ -- \\d+ warnings?:$"},
				first: true,
				sure:  true,
			},
			{
				says: []string{"error(s) were found"},
				like: &pattern{source: "^[1-9]\\d* error\\(s\\) were found"},
				sure: true,
			},
			{
				says:  []string{"] "},
				like:  &pattern{source: "^\\S+:\\d+ \\[[WEF]\\] \\w+: "},
				first: true,
				sure:  true,
			},
			{says: []string{"fail - "}, like: &pattern{source: "^FAIL - \\S+ - "}, first: true, sure: true},
			{
				says:  []string{"[error] "},
				also:  []string{"chart(s) linted"},
				like:  &pattern{source: "^\\[ERROR\\] "},
				first: true,
				sure:  true,
			},
			{says: []string{"mods/funs, found "}, like: &pattern{source: "found [1-9]\\d* "}, sure: true},
			{says: []string{"error "}, like: &pattern{source: "^\\s*error [•-] \\S"}, first: true, sure: true},
			{says: []string{"# reformat"}, like: &pattern{source: "^\\S+ # reformat$"}, first: true, sure: true},
			{
				says:  []string{"error "},
				also:  []string{"--> "},
				like:  &pattern{source: "^ERROR .* \\[[a-z-]+\\]$"},
				first: true,
				sure:  true,
			},
			{says: []string{"not in allow-only licenses"}, sure: true},
			{says: []string{"not allowed license "}, sure: true},
			{says: []string{"commit validation: failed!"}, sure: true},
			{says: []string{": "}, like: &pattern{source: "^\\d+: [TB]\\d+ "}, first: true, sure: true},
			{
				says:  []string{": ["},
				like:  &pattern{source: "^\\S+:\\d+,\\d+: \\[[A-Z]\\d+\\] "},
				first: true,
				sure:  true,
			},
			{says: []string{"invalid file format "}, first: true, sure: true},
			{says: []string{"did not pass validation"}, sure: true},
			{says: []string{"status = fail"}, first: true, sure: true},
			{says: []string{"- hook id: "}, first: true},
			{says: []string{"awssolutions-"}, first: true, sure: true},
			{
				says:  []string{"["},
				like:  &pattern{source: "^[a-z][a-z-]*\\[[a-z][\\w-]*\\](: | \\()\\S"},
				first: true,
				sure:  true,
			},
			{
				says:  []string{"unused "},
				like:  &pattern{source: "^Unused (files|(dev)?[dD]ependencies|exports|exported types)\\b"},
				first: true,
				sure:  true,
			},
			{
				says:  []string{" rules: "},
				like:  &pattern{source: " failed for .* rules: "},
				first: true,
				sure:  true,
			},
			{
				says: []string{"circular dependenc"},
				like: &pattern{source: "(?i)found [1-9]\\d* circular dependenc"},
				sure: true,
			},
			{says: []string{"is not permitted by the --onlyallow flag"}, sure: true},
			{says: []string{"does not validate against"}, first: true, sure: true},
			{says: []string{"fails to validate"}, first: true, sure: true},
			{
				says:  []string{" invalid"},
				like:  &pattern{source: "^\\S+\\.(json|ya?ml) invalid$"},
				first: true,
				sure:  true,
			},
			{
				says:  []string{"(check: "},
				like:  &pattern{source: "\\(check: [\\w-]+, remediation: "},
				first: true,
				sure:  true,
			},
			{says: []string{"potential secrets about to be committed"}, sure: true},
			{
				says: []string{"problems ("},
				like: &pattern{source: "[✖✘] \\d+ problems? \\([1-9]\\d* errors?"},
				sure: true,
			},
			{says: []string{"problem ("}, like: &pattern{source: "[✖✘] 1 problem \\(1 error"}, sure: true},
			{says: []string{"problems,"}, like: &pattern{source: "✖\\s+found [1-9]\\d* problems"}, sure: true},
			{says: []string{"eslint found too many warnings"}, sure: true},
			{says: []string{"found"}, like: &pattern{source: "^Found [1-9]\\d* errors?\\.$"}},
			{
				says: []string{"found"},
				like: &pattern{source: "^Found \\d+ warnings? and [1-9]\\d* errors?\\."},
				sure: true,
			},
			{
				says: []string{"found"},
				like: &pattern{source: "^Found [1-9]\\d* errors? in [1-9]\\d* files? \\(checked "},
				sure: true,
			},
			{
				says: []string{"[error] found"},
				like: &pattern{source: "\\[ERROR\\] Found [1-9]\\d* errors?"},
				sure: true,
			},
			{says: []string{"your code has been rated at"}},
			{says: []string{"issues:"}, like: &pattern{source: "^[1-9]\\d* issues:$"}, sure: true},
			{
				says: []string{"issue(s) found:"},
				like: &pattern{source: "^[1-9]\\d* issue\\(s\\) found:"},
				sure: true,
			},
			{
				says: []string{"violations"},
				like: &pattern{source: "(?i)You have [1-9]\\d* \\w+ violations?|Found [1-9]\\d* violations, "},
				sure: true,
			},
			{says: []string{"checkstyle violations"}, sure: true},
			{says: []string{" has found "}, like: &pattern{source: "has found [1-9]\\d* violation"}, sure: true},
			{says: []string{"rule violations were found"}, sure: true},
			{
				says: []string{"checkstyle ends with"},
				like: &pattern{source: "Checkstyle ends with [1-9]\\d* errors"},
				sure: true,
			},
			{
				says: []string{" weighted issues"},
				like: &pattern{source: "(?i)failed with [1-9]\\d* weighted issues?"},
				sure: true,
			},
			{
				says: []string{"offenses detected"},
				like: &pattern{source: "[1-9]\\d* offenses? detected"},
				sure: true,
			},
			{
				says: []string{"total"},
				like: &pattern{source: "^\\d+\\s+Total in [1-9]\\d* files?$|^Total: \\d+ warnings? / \\d+ errors? in"},
				sure: true,
			},
			{says: []string{"a total of "}, like: &pattern{source: "A TOTAL OF [1-9]\\d* ERRORS?"}, sure: true},
			{says: []string{"cfn-lint scanned"}, like: &pattern{source: "found [1-9]\\d* errors"}},
			{says: []string{"svelte-check found"}, like: &pattern{source: "found [1-9]\\d* errors?"}},
			{
				says: []string{"completed "},
				like: &pattern{source: "\\bCOMPLETED \\d+ FILES [1-9]\\d* ERRORS"},
				sure: true,
			},
			{says: []string{"lint found errors in the project; aborting build"}, sure: true},
			{says: []string{"general linter failure"}, sure: true},
			{
				says:  []string{"lint for "},
				like:  &pattern{source: "^(> ?)*Lint for \\S+:$"},
				first: true,
				sure:  true,
			},
			{says: []string{"lint errors"}, like: &pattern{source: "found [1-9]\\d* lint errors"}, sure: true},
			{
				says: []string{", found "},
				like: &pattern{source: "^(Scanned|Linted) \\d+ files?, found [1-9]\\d* errors?"},
				sure: true,
			},
			{says: []string{"issues found:"}, like: &pattern{source: "Issues found: [1-9]"}, sure: true},
			{
				says: []string{"validation failed with"},
				like: &pattern{source: "Validation failed with [1-9]\\d* errors?"},
				sure: true,
			},
			{
				says: []string{"failed: "},
				like: &pattern{source: "^Failed: [1-9]\\d* failure\\(s\\), \\d+ warning"},
				sure: true,
			},
			{
				says: []string{" kept, "},
				like: &pattern{source: "^Contracts: \\d+ kept, [1-9]\\d* broken"},
				sure: true,
			},
			{says: []string{"is not compliant with version"}, sure: true},
			{
				says: []string{"dependency violations"},
				like: &pattern{source: "\\b[1-9]\\d* dependency violations"},
				sure: true,
			},
			{
				says: []string{"hint"},
				like: &pattern{source: "^[1-9]\\d* hints?( \\(\\d+ ignored\\))?$"},
				sure: true,
			},
			{says: []string{"linting failed."}, sure: true},
			{says: []string{"total warning"}, like: &pattern{source: "^[1-9]\\d* total warnings?$"}, sure: true},
			{
				says: []string{":"},
				not: []string{
					"[-w",
					"note:",
					"warning:",
					" warning ",
					"warning]",
					"warn]",
					"info:",
					"info -",
					"information:",
				},
				like:        &pattern{source: "^\\s*(\\[\\w+\\] )?([A-Za-z]:)?[^\\s\\d:][^\\s:]*:\\d+:\\d+[:\\s]\\s*\\S"},
				first:       true,
				consequence: true,
			},
			{
				says:        []string{"::warning "},
				like:        &pattern{source: "^::warning .*\\bfile="},
				first:       true,
				consequence: true,
			},
			{
				says:        []string{".go:"},
				like:        &pattern{source: "^\\d+ \\S+ \\S.* \\S+\\.go:\\d+:\\d+$"},
				first:       true,
				consequence: true,
			},
			{
				command:     []string{"cfn-lint"},
				says:        []string{" "},
				like:        &pattern{source: "^W\\d{4} \\S"},
				first:       true,
				consequence: true,
			},
			{
				command:     []string{"yamllint -s", "yamllint --strict", "--max-warnings", "cppcheck", "clang-tidy", "cpplint"},
				says:        []string{"warning"},
				like:        &pattern{source: "^\\s*(\\S+:)?\\d+:\\d+:?\\s+warning\\b"},
				first:       true,
				consequence: true,
			},
			{
				says: []string{" "},
				not:  []string{"(0 errors"},
				like: &pattern{source: "(?i)^\\W*(found |total:? |there (are|were) )?[1-9]\\d* (\\w+ " +
					")?(problems?|issues?|violations?|offen[cs]es?|findings?|lint(ing)? errors?|style " +
					"errors?)( (were )?found| detected| in [1-9]\\d* files?)?( \\(.*\\))?\\W*$"},
				consequence: true,
			},
			{says: []string{"some enforcer rules have failed"}, sure: true},
			{
				says: []string{"fail"},
				like: &pattern{source: "(?i)\\b(static|lint(er|ing)?|style|format(ting)?) (checks?|analysis) " +
					"failed\\b|\\b(lint(er|ing)?|formatting) failed\\b"},
				consequence: true,
				shared:      true,
			},
		},
	},
	{
		Name:  "commit-rules-failed",
		Title: "The commit or pull request breaks a rule of the project",
		Advice: "No code is wrong: change the commit message, the sign-off, the labels or the size of " +
			"the change as the line says.",
		Remedy: "report",
		rules: []rule{
			{says: []string{"is missing a signed-off-by"}},
			{
				says: []string{"dco"},
				like: &pattern{source: "(?i)\\b(missing|no) (DCO|sign-?off)\\b|\\bDCO (check )?failed"},
			},
			{
				says: []string{"which is more than the"},
				like: &pattern{source: "(?i)\\b(PR|pull request|merge request|change)\\b.* is \\d+ .*which is more than the " +
					"\\d+ maximum"},
			},
			{says: []string{"refusing to run ci"}},
			{
				says: []string{"needs a"},
				like: &pattern{source: "(?i)\\bthis (PR|pull request) needs an? .*\\blabel\\b"},
			},
		},
	},
	{
		Name:  "benchmark-regressed",
		Title: "A benchmark is worse than allowed",
		Advice: "Run it before and after the change on the same kind of machine: shared machines vary. " +
			"If the cost is meant, renew the recorded value.",
		Remedy: "report",
		rules: []rule{
			{
				says: []string{"regression"},
				like: &pattern{source: "^\\W*(PERFORMANCE |MISSING )?REGRESSION( TEST)?: "},
			},
			{says: []string{"performance has regressed"}},
			{
				says: []string{"failure for", "assertion"},
				like: &pattern{source: "^\\W*\\S+ failure for \\w+ assertion$"},
			},
			{says: []string{"benchmarks have changed significantly"}},
			{says: []string{"possible performance regression was detected"}},
		},
	},
	{
		Name:  "quality-gate-failed",
		Title: "SonarQube's quality gate failed",
		Advice: "Open the report whose address is printed above; it lists the conditions that were not " +
			"met.",
		Remedy: "report",
		shows:  []string{"analysis successful", "more about the report processing"},
		rules: []rule{
			{says: []string{"quality gate status: failed"}, sure: true},
			{says: []string{"quality gate has failed"}, sure: true},
			{says: []string{"quality gate failed"}},
		},
	},
	{
		Name:  "security-scan-failed",
		Title: "A security scan found something",
		Advice: "Upgrade what the report names, or record an exception with a reason in the scanner's " +
			"ignore file.",
		Remedy: "report",
		rules: []rule{
			{
				command: []string{"audit"},
				says:    []string{"vulnerabilit"},
				like:    &pattern{source: "(?i)\\b[1-9]\\d* (low |moderate |high |critical )?(severity )?vulnerabilit"},
			},
			{says: []string{"vulnerabilities found - packages audited"}, like: &pattern{source: "^[1-9]"}},
			{
				says: []string{"known vulnerabilit"},
				like: &pattern{source: "(?i)\\b(found|affected by) [1-9]\\d* known vulnerabilit"},
				sure: true,
			},
			{
				says: []string{"vulnerabilit"},
				like: &pattern{source: "(?i)^(error: )?[1-9]\\d* vulnerabilit(y|ies) (found|were reported)|^vulnerabilities " +
					"found!"},
				sure: true,
			},
			{
				says: []string{"total:"},
				like: &pattern{source: "^Total: [1-9]\\d* \\((UNKNOWN|LOW|MEDIUM|HIGH|CRITICAL)"},
			},
			{
				says: []string{"failures: "},
				like: &pattern{source: "Failures: [1-9]\\d* \\((UNKNOWN|LOW|MEDIUM|HIGH|CRITICAL)"},
			},
			{says: []string{"# npm audit report"}},
			{
				says: []string{"severity: "},
				also: []string{"vulnerable versions: "},
				like: &pattern{source: "Severity: (critical|high|moderate|low)$"},
			},
			{
				says:  []string{"https://osv.dev/"},
				like:  &pattern{source: "\\bhttps://osv\\.dev/\\S+ +\\|"},
				first: true,
			},
			{
				says: []string{"vulnerabilit"},
				like: &pattern{source: "^\\s*[1-9]\\d* vulnerabilit(y|ies) reported"},
			},
			{says: []string{"found verified result"}},
			{
				says:  []string{"reason: "},
				also:  []string{"filepath: "},
				like:  &pattern{source: "^Reason: (High Entropy|\\w[\\w /()-]*)$"},
				first: true,
			},
			{says: []string{"fatal"}, like: &pattern{source: "^FATAL\\s+- [A-Z]+-"}, first: true},
			{says: []string{"error nu190"}},
			{says: []string{"at or above the severity threshold"}},
			{
				says: []string{"security vulnerability advisor"},
				like: &pattern{source: "(?i)found [1-9]\\d* security vulnerability advisor"},
			},
			{
				says: []string{"ckv"},
				like: &pattern{source: "\"check_id\": ?\"CKV|^Check: CKV|\\bCKV2?_[A-Z]+_\\d+"},
				sure: true,
			},
			{
				says: []string{"security warnings: "},
				like: &pattern{source: "^Security Warnings: [1-9]"},
				sure: true,
			},
			{
				says: []string{"failed checks:"},
				like: &pattern{source: "Passed checks: \\d+, Failed checks: [1-9]"},
			},
			{says: []string{"leaks found:"}, like: &pattern{source: "leaks found: [1-9]"}, sure: true},
			{says: []string{"failures count:"}, like: &pattern{source: "Failures count: [1-9]"}},
			{says: []string{"dependency-check failure"}},
			{
				says: []string{"dependencies for known"},
				like: &pattern{source: "for known (vulnerabilities|issues), found [1-9]"},
			},
			{
				says: []string{"your code is affected by"},
				like: &pattern{source: "affected by [1-9]\\d* vulnerabilit"},
			},
			{
				says: []string{"finding"},
				like: &pattern{source: "^Ran \\d+ rules? on \\d+ files?: [1-9]\\d* findings?"},
			},
			{says: []string{"dependencies were identified with vulnerabilities"}},
			{
				says: []string{"potential problem"},
				like: &pattern{source: "\\d+ passed, [1-9]\\d* potential problem"},
			},
			{
				says: []string{" "},
				like: &pattern{source: "(?i)\\b([1-9]\\d* (\\w+ )?(vulnerabilit(y|ies)|threat|secret|leak)s?(\\(s\\))? (was " +
					"|were )?(found|detected)|(found|detected) [1-9]\\d* (\\w+ " +
					")?(vulnerabilit(y|ies)|threat|secret|leak)s?\\b)"},
				consequence: true,
				shared:      true,
			},
		},
	},
	{
		Name:  "lambda-without-root",
		Title: "Lambda compute gives the build no root, and only /tmp to write to",
		Advice: "Nothing can be installed with yum, dnf or apt-get there, and nothing written outside of " +
			"/tmp. Use an image that has the tool, install it below /tmp (HOME=/tmp, npm --prefix, " +
			"pip --target), or choose EC2 compute in the project's environment settings.",
		Remedy:  "report",
		when:    when{environment: []string{"LAMBDA"}},
		last:    80,
		general: true,
		rules: []rule{
			{says: []string{"are you root"}},
			{says: []string{"has to be run with superuser privileges"}},
			{says: []string{"need to be root"}},
			{says: []string{"must be root"}},
			{
				says: []string{"not found"},
				like: &pattern{source: "(?i)\\b(?P<program>sudo|yum|dnf|microdnf|rpm|apt-get|apt|apk|systemctl|service): " +
					"(command )?not found"},
			},
			{
				says: []string{"eacces"},
				like: &pattern{source: "(?i)EACCES: permission denied, \\w+ " +
					"'/(usr|var|root|home|opt|etc|lib|bin|srv|mnt|codebuild|app)\\b"},
			},
			{says: []string{"erofs"}, like: &pattern{source: "(?i)\\bEROFS\\b"}},
			{
				says: []string{"permission denied"},
				like: &pattern{source: "(?i)permission denied:? '?/(usr|var|root|home|opt|etc|lib|bin|srv|mnt|codebuild|app)\\b"},
			},
			{
				says: []string{"permission denied"},
				like: &pattern{source: "(?i)[ '\"‘](/(usr|var|root|home|opt|etc|lib|bin|srv|mnt|app)/[^ :'’\"]*)['’\"]?: " +
					"Permission denied"},
			},
			{says: []string{"read-only file system"}},
			{
				says: []string{"operation not permitted"},
				like: &pattern{source: "(?i)^(chown|mount|chroot): .*Operation not permitted"},
			},
		},
	},
	{
		Name:  "root-needed",
		Title: "The command needs root, and the build runs it as somebody else",
		Advice: "The image has a USER, or the buildspec a run-as. Run this command as root: run-as: root " +
			"in its phase, or USER root in the image.",
		Remedy:  "report",
		last:    80,
		general: true,
		rules: []rule{
			{says: []string{"are you root"}},
			{says: []string{"has to be run with superuser privileges"}},
			{says: []string{"need to be root to perform this command"}},
		},
	},
	{
		Name:  "dockerfile-error",
		Title: "The image cannot be built from this Dockerfile and directory",
		Advice: "Check the path of the Dockerfile (-f), the build context (the last argument), " +
			".dockerignore, and that what COPY and ADD name is inside the context.",
		Remedy:  "report",
		general: true,
		rules: []rule{
			{says: []string{"failed to read dockerfile"}},
			{says: []string{"unable to evaluate symlinks in dockerfile path"}},
			{says: []string{"dockerfile parse error"}},
			{says: []string{"dockerfile parse error"}},
			{says: []string{"file not found in build context"}},
			{says: []string{"failed to compute cache key", "not found"}},
			{says: []string{"failed to calculate checksum", "not found"}},
			{says: []string{"copy failed:", "no such file or directory"}},
			{says: []string{"add failed:", "no such file or directory"}},
			{says: []string{"target stage", "could not be found"}},
			{says: []string{"unable to prepare context"}},
			{says: []string{"unknown instruction:"}},
			{says: []string{"failed to walk /"}, like: &pattern{source: "failed to walk \\S+: lstat "}},
			{says: []string{"copy failed:", "stat"}},
			{says: []string{"cannot locate specified dockerfile"}},
			{
				says: []string{"outside the build context"},
				like: &pattern{source: "(?i)forbidden path|must be within"},
			},
			{says: []string{"must be within the build context"}},
			{says: []string{"base name ("}, like: &pattern{source: "base name \\([^)]*\\) should not be blank"}},
			{says: []string{"failed to parse stage name"}},
			{says: []string{"no build stage in current context"}},
			{says: []string{"file with no instructions"}},
			{says: []string{"the dockerfile cannot be empty"}},
			{says: []string{"circular dependency detected on stage"}},
			{says: []string{"invalid file request"}},
			{says: []string{"checking on sources under"}},
			{says: []string{"no containerfile or dockerfile specified"}},
			{says: []string{"error resolving dockerfile path"}},
			{says: []string{"failed to solve: secret ", "not found"}},
			{says: []string{"error building stage: failed to execute command: failed to get fileinfo"}},
		},
	},
	{
		Name:  "line-endings",
		Title: "A script has Windows line endings",
		Advice: "Store it with LF: add \"*.sh text eol=lf\" to .gitattributes and renormalize (git add " +
			"--renormalize .).",
		Remedy:  "report",
		general: true,
		rules: []rule{
			{says: []string{"^m: bad interpreter"}, sure: true},
			{says: []string{"$'\\r': command not found"}, sure: true},
			{says: []string{"/usr/bin/env: ", "\\r"}, sure: true},
			{says: []string{"env: ", "bash\\r"}, sure: true},
			{
				says: []string{"cannot execute: required file not found"},
				like: &pattern{source: "\\.(sh|bash|py|rb|pl): cannot execute: "},
			},
		},
	},
	{
		Name:  "command-not-found",
		Title: "A command that the build calls is not installed",
		Advice: "Install it in the install phase, choose an image that has it, or check the PATH; an npm " +
			"tool needs npm ci first (and must not be a dev dependency in a production install).",
		Remedy:  "report",
		last:    80,
		general: true,
		rules: []rule{
			{exit: []string{"127"}, says: []string{"command not found"}, sure: true},
			{says: []string{"command not found"}},
			{
				says: []string{": not found"},
				not:  []string{" [[:", " source:", " declare:", " shopt:", " pushd:", " function:"},
				like: &pattern{source: "^(\\S*sh|\\S+\\.sh): (eval: )?(line )?\\d+: (?P<program>[^:]+): not found"},
			},
			{
				says: []string{": not found"},
				not:  []string{" [[:", " source:", " declare:", " shopt:", " pushd:", " function:"},
				like: &pattern{source: "^\\S*sh: (?P<program>[^:]+): not found"},
			},
			{says: []string{"executable file not found in $path"}},
			{says: []string{"is not recognized as an internal or external command"}},
			{
				says: []string{"is not recognized as "},
				like: &pattern{source: "The term '(?P<program>[^']+)' is not recognized as "},
			},
			{says: []string{"commandnotfoundexception"}},
			{says: []string{"is not recognized as a name of a cmdlet"}},
			{says: []string{"no such file or directory", "/usr/bin/env:"}},
			{says: []string{"no module named pip"}},
			{says: []string{"could not determine executable to run"}},
			{exit: []string{"127"}},
			{says: []string{"unable to locate executable file"}},
			{says: []string{"failed to find required executable"}},
			{
				says: []string{"cannot run program "},
				like: &pattern{source: "Cannot run program \"[^\"]+\".*\\berror=2\\b"},
			},
			{says: []string{"enoent"}, like: &pattern{source: "\\bspawn(Sync)? [\\w./-]+ ENOENT\\b"}},
			{
				says: []string{"no such file or directory"},
				like: &pattern{source: "^(env|make|xargs|nohup|timeout|time|nice|setsid|stdbuf|ionice|tar \\(child\\)): " +
					"([^:/]+|.* (command|run) '?[^/']+'?): (Cannot exec: )?No such file"},
			},
			{says: []string{"no "}, like: &pattern{source: "^which: no \\S+ in \\("}},
			{says: []string{"code enogit"}},
			{says: []string{"cannot find command 'git'"}},
			{says: []string{"error: no such command:"}},
			{says: []string{"could not execute because"}},
			{says: []string{"err_pnpm_recursive_exec_first_fail", "not found"}},
			{says: []string{"error: failed to spawn:"}},
			{says: []string{"cannot find esbuild"}},
			{
				says:        []string{"installed"},
				like:        &pattern{source: "(?i)\\b(is|was|are) not installed\\b|\\bnot installed or not\\b"},
				consequence: true,
				shared:      true,
			},
			{
				says:        []string{"path"},
				like:        &pattern{source: "(?i)\\bnot (found|available) (in|on) (the |your )?\\$?path\\b"},
				consequence: true,
				shared:      true,
			},
			{says: []string{"unable to find utility \""}},
			{
				says: []string{"requires xcode"},
				like: &pattern{source: "^xcode-select: error: tool '[^']+' requires Xcode"},
			},
		},
	},
	{
		Name:  "not-executable",
		Title: "A script may not be executed",
		Advice: "Set its bit in Git (git update-index --chmod=+x FILE), or call it through its " +
			"interpreter (bash FILE).",
		Remedy:  "report",
		last:    80,
		general: true,
		rules: []rule{
			{
				says: []string{"permission denied"},
				like: &pattern{source: "^(\\S*sh|\\S+\\.sh): (line )?\\d+: .+: Permission denied"},
			},
			{says: []string{"eacces"}, like: &pattern{source: "(?i)spawn \\S+ EACCES"}},
			{says: []string{"bad interpreter", "permission denied"}},
			{exit: []string{"126"}},
			{
				says: []string{"permission denied"},
				like: &pattern{source: "^(\\S*sh: )(line \\d+: )?\\.{0,2}/\\S+: Permission denied$"},
			},
		},
	},
	{
		Name:  "unset-variable",
		Title: "An environment variable that the build needs is not set",
		Advice: "Set it in the project or in the buildspec's env section. Variables of one buildspec " +
			"phase reach the next only in version 0.2, and exported ones only.",
		Remedy:  "report",
		general: true,
		rules: []rule{
			{says: []string{"unbound variable"}},
			{says: []string{"parameter null or not set"}},
			{
				says: []string{"environment variable", "not set"},
				like: &pattern{source: "(?i)(error|fatal|missing|required|must|not set)"},
			},
			{says: []string{"environment variable", "is required"}},
			{says: []string{"missing required environment variable"}},
			{says: []string{"environment variable not found:"}},
			{
				says:        []string{"environment variable"},
				not:         []string{"can set the"},
				like:        &pattern{source: "set the \\w+ environment variable"},
				consequence: true,
			},
			{
				says: []string{"improperlyconfigured:"},
				like: &pattern{source: "(?i)must not be empty|environment variable|not set"},
			},
			{says: []string{"input required and not supplied: "}},
			{says: []string{"keyerror: key not found:"}},
			{says: []string{"missing `secret_key_base`"}},
			{says: []string{": parameter not set"}},
			{says: []string{": must be set"}, like: &pattern{source: "^\\S+: (line )?\\d+: \\w+: must be set$"}},
			{says: []string{"keyerror: '"}, like: &pattern{source: "^KeyError: '[A-Z][A-Z0-9_]+'$"}},
			{
				says: []string{"variable"},
				like: &pattern{source: "(?i)\\bvariables?\\b.*\\b(not (set|defined|found|provided|configured)|(is|are) " +
					"(missing|required|undefined|empty|unset)|must be (set|defined|provided))\\b|\\bmissing " +
					"(required )?(env(ironment)? )?variables?\\b"},
				consequence: true,
				shared:      true,
			},
			{
				says: []string{"_"},
				not:  []string{"err_"},
				like: &pattern{source: "\\b[A-Z][A-Z0-9]*_[A-Z0-9_]+\\b.{0,20}\\b(is |are |was )?(not " +
					"(set|defined|provided|configured)|required|missing|empty|undefined)\\b"},
				consequence: true,
				shared:      true,
			},
		},
	},
	{
		Name:  "shell-syntax-error",
		Title: "A shell command is not written correctly",
		Advice: "Check quotes, \"then\", \"fi\" and line breaks in the buildspec; use \"|\" for commands " +
			"of several lines. The default shell is sh: set env, shell: bash for bash's own syntax.",
		Remedy:  "report",
		general: true,
		rules: []rule{
			{says: []string{"syntax error near unexpected token"}, sure: true},
			{says: []string{"syntax error: unexpected end of file"}, sure: true},
			{says: []string{"unexpected eof while looking for matching"}, sure: true},
			{
				says: []string{"syntax error:"},
				like: &pattern{source: "^\\S*(sh|\\.sh): \\d+: Syntax error:"},
				sure: true,
			},
			{says: []string{"[[: not found"}, sure: true},
			{says: []string{"bad substitution"}, like: &pattern{source: "(?i): bad substitution"}, sure: true},
			{says: []string{"unary operator expected"}},
			{
				says: []string{"expression #"},
				like: &pattern{source: "^sed: -e expression #\\d+, char \\d+: "},
				sure: true,
			},
			{
				says: []string{": not found"},
				like: &pattern{source: "^\\S*sh: (line )?\\d+: (\\[\\[|source|declare|shopt|pushd|function): not found"},
				sure: true,
			},
			{says: []string{"[: too many arguments"}},
			{says: []string{"delimited by end-of-file (wanted"}},
			{says: []string{"value too great for base"}},
			{says: []string{"syntax error: operand expected"}},
			{says: []string{"integer expression expected"}},
			{says: []string{"illegal option -o pipefail"}},
			{says: []string{"': not a valid identifier"}},
			{says: []string{"awk: syntax error"}},
			{says: []string{"jq: error: syntax error", "at <top-level>"}},
			{says: []string{"declare: -a: invalid option"}},
		},
	},
	{
		Name:  "project-file-missing",
		Title: "The tool does not find the project's own file",
		Advice: "Run it in the directory that has the file, or give its path; in a CodeBuild build each " +
			"phase begins in the source's root. Check that the file is committed, and that a filter " +
			"of files or a sparse checkout does not leave it out.",
		Remedy:  "report",
		general: true,
		rules: []rule{
			{says: []string{"could not find `cargo.toml`"}, sure: true},
			{says: []string{"go.mod file not found in"}, sure: true},
			{says: []string{"does not contain a gradle build"}, sure: true},
			{says: []string{"no configuration file provided: not found"}},
			{says: []string{"could not find a pyproject.toml file in"}},
			{says: []string{"could not locate gemfile"}},
			{says: []string{"could not find a composer.json file in"}},
			{
				says: []string{"is missing in this directory"},
				like: &pattern{source: "Configuration file \"[^\"]+\" is missing in this directory"},
			},
			{says: []string{"no pulumi.yaml project file found"}},
			{says: []string{"enolerna"}},
			{says: []string{"could not find \"turbo.json\""}},
			{says: []string{"could not find nx modules"}},
			{says: []string{"no app spec found"}},
			{says: []string{"packages field missing or empty"}},
			{says: []string{"doesn't seem to have been installed"}},
			{says: []string{"couldn't find a package.json file in"}},
			{says: []string{"no package.json found in"}},
			{says: []string{"err_pnpm_no_importer_manifest_found"}},
			{says: []string{"seem to be part of the project declared"}},
			{says: []string{"no `pyproject.toml` found"}},
			{says: []string{"no rakefile found"}},
			{says: []string{"no taskfile found"}},
			{says: []string{"is only supported from within a workspace"}},
			{says: []string{"notinitializederror"}},
			{says: []string{"find an application attached to this workspace"}},
			{says: []string{"can only be run in a serverless service directory"}},
			{says: []string{"you must first run \"eb init\""}},
			{says: []string{"org.gradle.wrapper.gradlewrappermain"}},
		},
	},
	{
		Name:  "build-file-invalid",
		Title: "The build tool cannot read the project's build file",
		Advice: "The message names the file and line (pom.xml, build.gradle, package.json, Cargo.toml). " +
			"Often a version that no parent defines, a plugin that is not applied, or what a merge " +
			"left behind.",
		Remedy:  "report",
		general: true,
		rules: []rule{
			{says: []string{"problems were encountered while processing the poms"}, sure: true},
			{says: []string{"non-parseable pom"}, sure: true},
			{
				says: []string{"are missing or invalid"},
				like: &pattern{source: "The parameters .* for goal \\S+ are missing or invalid"},
				sure: true,
			},
			{says: []string{"unable to parse configuration of mojo"}, sure: true},
			{says: []string{"'dependencies.dependency.version' for"}, sure: true},
			{
				says: []string{"the build could not read"},
				like: &pattern{source: "The build could not read \\d+ project"},
			},
			{
				says:        []string{"a problem occurred evaluating"},
				like:        &pattern{source: "A problem occurred evaluating (root project|project|settings|script)"},
				consequence: true,
			},
			{says: []string{"could not compile build file '"}, sure: true},
			{says: []string{"could not compile settings file '"}, sure: true},
			{says: []string{"code ejsonparse"}, sure: true},
			{says: []string{"error: failed to parse manifest at"}, sure: true},
			{says: []string{"there was an error parsing `gemfile`"}, sure: true},
			{says: []string{"failed to parse package.json"}},
			{says: []string{"npm error invalid version:"}},
			{says: []string{"eduplicateworkspace"}},
			{says: []string{"code eoverride"}},
			{says: []string{"refers to a non-existing file"}},
			{says: []string{"workspaces can only be enabled in private"}},
			{says: []string{"err_pnpm_unused_patch"}},
			{says: []string{"err_pnpm_json_parse"}},
			{says: []string{"toml parse error at"}},
			{says: []string{"configuration is invalid:"}},
			{says: []string{"invalid toml file"}},
			{says: []string{"does not contain valid json"}},
			{says: []string{"msb4025"}},
			{says: []string{"contain a cyclic reference"}},
			{says: []string{"must be a valid version but is"}},
			{says: []string{"a problem occurred configuring"}, consequence: true},
			{says: []string{"could not get unknown property"}},
			{says: []string{"error: failed to parse lock file at"}},
			{says: []string{"unknown directive:"}},
			{says: []string{"does not contain this feature"}},
			{says: []string{"package id specification `"}},
			{says: []string{"*** commands commence before first target"}},
			{says: []string{"error: no bin target named"}},
			{says: []string{"error: failed to parse `"}},
			{says: []string{"build file '/"}, consequence: true},
			{
				says: []string{"child module "},
				like: &pattern{source: "Child module \\S+ of \\S+ does not exist"},
			},
			{
				says:        []string{"*** "},
				like:        &pattern{source: "^\\S*([Mm]akefile|\\.mk)\\S*:\\d+: \\*\\*\\* .*\\bStop\\.$"},
				consequence: true,
			},
		},
	},
	{
		Name:  "licence-not-accepted",
		Title: "A licence or terms of service were not accepted",
		Advice: "Accept them once in the build, before the step that needs it (sdkmanager --licenses, " +
			"conda tos accept, ACCEPT_EULA=Y), if your organization may.",
		Remedy:  "report",
		general: true,
		rules: []rule{
			{says: []string{"licences have not been accepted"}},
			{says: []string{"licenses have not been accepted"}},
			{
				says: []string{"license for package"},
				like: &pattern{source: "License for package .* not accepted"},
			},
			{says: []string{"terms of service have not been accepted"}},
			{
				says: []string{"you must accept the"},
				like: &pattern{source: "(?i)you must accept the .*\\b(eula|licen[cs]e|terms)\\b"},
			},
		},
	},
	{
		Name:  "ssh-key-unusable",
		Title: "The SSH key cannot be used",
		Advice: "It lost its line breaks, is empty or of another format, is protected by a passphrase, " +
			"or others may read it. Write it from the secret as it is (printf, with the last line " +
			"break), chmod 600, and start ssh-agent in the same command.",
		Remedy:  "report",
		general: true,
		rules: []rule{
			{says: []string{"load key \""}, like: &pattern{source: "Load key \"[^\"]*\": "}},
			{says: []string{"error loading key \""}},
			{says: []string{"unprotected private key file"}},
			{says: []string{"could not open a connection to your authentication agent"}},
		},
	},
	{
		Name:  "too-many-open-files",
		Title: "The build opened more files than the system lets it",
		Advice: "Raise the limit before the command (ulimit -n 65536), run fewer things at once, or " +
			"leave directories such as node_modules out of what is watched or copied.",
		Remedy:  "report",
		general: true,
		rules: []rule{
			{says: []string{"emfile"}},
			{says: []string{"too many open files"}},
		},
	},
	{
		Name:  "file-exists",
		Title: "A file or directory is already there",
		Advice: "A cache, an earlier step or the source brought it. Remove it first, or let the command " +
			"accept it (mkdir -p, ln -sf, git clone into an empty directory).",
		Remedy:  "report",
		last:    80,
		general: true,
		rules: []rule{
			{says: []string{": file exists"}},
			{says: []string{"code eexist"}},
			{says: []string{"enotempty"}},
			{says: []string{"already exists and is not an empty directory"}},
			{says: []string{"directory not empty"}},
			{says: []string{"eexist: file already exists"}},
		},
	},
	{
		Name:  "service-not-ready",
		Title: "A service that the command waits for did not come up",
		Advice: "Look at that service's own output: it crashed, listens on another port or address, or " +
			"needs longer. Start it in the background of the same phase, and wait for its health " +
			"page.",
		Remedy:    "report",
		Retryable: true,
		general:   true,
		rules: []rule{
			{
				says: []string{"timed out waiting for: "},
				like: &pattern{source: "Timed out waiting for: (https?|tcp|http-get|socket)\\b"},
			},
			{
				says: []string{"timeout: http"},
				like: &pattern{source: "^(Error: )?Timeout: https?(-get|-head|-options)?://"},
			},
			{says: []string{"timeout occurred after waiting"}},
			{
				says: []string{"waiting on dependencies to become available"},
				like: &pattern{source: "Timeout after \\S+ waiting"},
			},
			{
				says: []string{"from config.webserver"},
				like: &pattern{source: "Timed out waiting \\d+ms from config\\.webServer"},
			},
		},
	},
	{
		Name:  "git-identity-missing",
		Title: "Git does not know who commits",
		Advice: "Set user.name and user.email in the build, before it commits or tags (git config " +
			"--global user.email …).",
		Remedy:  "report",
		general: true,
		rules: []rule{
			{says: []string{"unable to auto-detect email address"}},
			{says: []string{"please tell me who you are"}},
			{says: []string{"empty ident name"}},
		},
	},
	{
		Name:  "nothing-to-commit",
		Title: "There was nothing to commit",
		Advice: "git commit ends with 1 where nothing changed. If that may happen, ask first: git diff " +
			"--cached --quiet || git commit -m TEXT.",
		Remedy:  "report",
		last:    20,
		general: true,
		rules: []rule{
			{says: []string{"nothing to commit, working tree clean"}},
			{says: []string{"nothing added to commit but untracked files present"}},
			{says: []string{"no changes added to commit"}},
		},
	},
	{
		Name:  "site-build-failed",
		Title: "A page or template of the site or documentation has a fault",
		Advice: "The line names the file, link or template. The generator's own server shows the same on " +
			"your machine.",
		Remedy:  "report",
		general: true,
		rules: []rule{
			{says: []string{"error building site:"}},
			{says: []string{"liquid exception:"}},
			{
				says:  []string{"[11ty]"},
				like:  &pattern{source: "^\\[11ty\\] (Eleventy Fatal Error|Error in your Eleventy config)"},
				first: true,
			},
			{says: []string{"docusaurus found broken"}},
			{says: []string{"unable to build website for locale"}},
			{says: []string{"dead link(s) found"}},
			{says: []string{"there was an error in your graphql query"}},
			{says: []string{"template render error: "}, like: &pattern{source: "\\bTemplate render error: \\("}},
			{says: []string{"problem writing eleventy templates"}},
			{
				says: []string{"having trouble "},
				like: &pattern{source: "Having trouble (rendering \\w+ template|compiling template|parsing data file|reading " +
					"front matter|copying|writing)\\b"},
			},
			{says: []string{"output conflict: multiple input files"}},
			{says: []string{"building static html failed for path"}},
			{says: []string{"nunjucks error: "}},
			{says: []string{"broken links found"}, consequence: true},
		},
	},
	{
		Name:  "cocoapods-dependency-failed",
		Title: "CocoaPods cannot install the pods",
		Advice: "Run pod install --repo-update on your own machine and commit Podfile.lock; loosen one " +
			"of the versions that the message names.",
		Remedy:  "report",
		general: true,
		rules: []rule{
			{says: []string{"cocoapods could not find compatible versions"}},
			{says: []string{"[!] unable to find a specification for"}},
		},
	},
	{
		Name:  "make-target-missing",
		Title: "make has no rule for the target",
		Advice: "Check the target's name, the directory, and that the files it depends on are in the " +
			"source.",
		Remedy:  "report",
		general: true,
		rules: []rule{
			{says: []string{"no rule to make target"}},
			{says: []string{"missing and no known rule to make it"}},
			{says: []string{"ninja: error: unknown target"}},
			{says: []string{"no targets specified and no makefile found"}},
			{says: []string{"*** missing separator"}, sure: true},
			{says: []string{"ninja: error: loading"}},
		},
	},
	{
		Name:    "gradle-task-missing",
		Title:   "The build tool does not know the task, goal or project",
		Advice:  "Check its spelling and the directory (module) in which it is called.",
		Remedy:  "report",
		general: true,
		rules: []rule{
			{says: []string{"task '", "not found in root project"}, sure: true},
			{says: []string{"task '", "not found in project"}, sure: true},
			{says: []string{"unknown lifecycle phase"}, sure: true},
			{says: []string{"don't know how to build task"}},
			{says: []string{"no such target '//"}},
			{says: []string{"does not contain recipe"}},
			{says: []string{"there is no pom in this directory"}},
			{says: []string{"could not find the selected project in the reactor"}},
			{says: []string{"no plugin found for prefix"}},
			{says: []string{"unable to access jarfile"}},
			{says: []string{"could not find or load main class"}},
			{says: []string{"msb1003"}},
			{says: []string{"msb1009"}},
			{says: []string{"error msb4057"}},
			{says: []string{"among available goals"}},
			{says: []string{"not a valid command:"}},
			{says: []string{"not a valid key:"}},
			{says: []string{"no such package '"}},
			{says: []string{"no main manifest attribute"}},
			{says: []string{"invalid or corrupt jarfile"}},
			{says: []string{"not declared in package"}},
			{
				says: []string{"not found in root project"},
				like: &pattern{source: "^(> )?Project '[^']+' not found in root project"},
			},
			{says: []string{"does not exist"}, like: &pattern{source: "^task: Task \"[^\"]+\" does not exist"}},
		},
	},
	{
		Name:  "python-module-missing",
		Title: "A Python module is not installed",
		Advice: "Add it to the requirements and install them with the same Python that runs the command " +
			"(python -m pip).",
		Remedy:  "report",
		last:    80,
		general: true,
		rules: []rule{
			{says: []string{"modulenotfounderror:"}, sure: true},
			{says: []string{"importerror:"}, like: &pattern{source: "^(E\\s+)?ImportError: "}, sure: true},
			{says: []string{"no module named"}, like: &pattern{source: "No module named '?\\w"}, sure: true},
			{says: []string{"failed to import the required python library"}},
			{
				says: []string{"required"},
				like: &pattern{source: "(?i)\\b(boto3?|botocore)( and botocore)? (are |is )?required\\b"},
			},
		},
	},
	{
		Name:  "node-module-missing",
		Title: "A Node.js module is not installed",
		Advice: "Add it to package.json and run npm ci before; a bundle or one of your own files may " +
			"also be missing from the source.",
		Remedy:  "report",
		last:    80,
		general: true,
		rules: []rule{
			{says: []string{"error: cannot find module '"}, sure: true},
			{says: []string{"error: cannot find module @"}, sure: true},
			{says: []string{"serverless plugin \"", "not found"}, sure: true},
			{says: []string{"err_module_not_found"}, sure: true},
			{says: []string{"cannot find package '"}, sure: true},
			{says: []string{"npm has a bug related to optional dependencies"}, sure: true},
			{says: []string{"module_not_found"}, sure: true},
			{says: []string{"error: module not found \""}, sure: true},
			{says: []string{"err_package_path_not_exported"}},
			{says: []string{"error: cannot find module \""}},
		},
	},
	{
		Name:  "invalid-json",
		Title: "A file or an answer is not valid JSON",
		Advice: "Print what was read: often it is empty, an error page, or another program's message. " +
			"Check the call before, and quotes in the shell.",
		Remedy:  "report",
		last:    80,
		general: true,
		rules: []rule{
			{says: []string{"parse error: "}, like: &pattern{source: "^(jq: )?parse error: "}},
			{
				says: []string{"parse error on line"},
				like: &pattern{source: "^(\\S*Error: )?Parse error on line \\d+"},
			},
			{says: []string{"expected: 'string'"}, like: &pattern{source: "^\\S+: line \\d+, col \\d+, "}},
			{says: []string{"jsondecodeerror"}},
			{says: []string{"unexpected end of json input"}},
			{says: []string{"is not valid json"}},
			{says: []string{"in json at position"}},
			{says: []string{"looking for beginning of value"}},
			{says: []string{"jq: error (at "}, like: &pattern{source: "^jq: error \\(at \\S+\\): "}},
			{
				says: []string{"json"},
				like: &pattern{source: "(?i)\\b(invalid|malformed|not valid|unexpected (token|end)|(failed|unable) to " +
					"parse|parse error|could not " +
					"parse)\\b.*\\bjson\\b|\\bjson\\b.*\\b(invalid|malformed|parse error|not valid)\\b"},
				consequence: true,
				shared:      true,
			},
		},
	},
	{
		Name:  "invalid-yaml",
		Title: "A file is not valid YAML",
		Advice: "The message names the line. Most often it is the indentation, a tab, or a colon or star " +
			"in a value without quotes; yamllint shows the place.",
		Remedy:  "report",
		last:    80,
		general: true,
		rules: []rule{
			{
				says: []string{"yaml: "},
				like: &pattern{source: "\\byaml: (line \\d+: |unmarshal errors|control characters)"},
			},
			{says: []string{"yamlexception"}},
			{says: []string{"yaml parsing failed"}},
			{
				says: []string{"yaml."},
				like: &pattern{source: "\\byaml\\.(scanner|parser|constructor|reader|composer)\\.\\w+Error"},
			},
			{says: []string{"mapping values are not allowed"}},
			{
				says: []string{"yaml"},
				like: &pattern{source: "(?i)\\b(invalid|malformed|not valid|(failed|unable) to parse|parse error|could not " +
					"parse)\\b.*\\byaml\\b|\\byaml\\b.*\\b(invalid|malformed|parse error|not valid)\\b"},
				consequence: true,
				shared:      true,
			},
		},
	},
	{
		Name:  "archive-broken",
		Title: "An archive cannot be unpacked",
		Advice: "Most often the download gave something else, such as an error page: let it fail (curl " +
			"-f), and look at the file's size and type.",
		Remedy:  "report",
		last:    80,
		general: true,
		rules: []rule{
			{says: []string{"end-of-central-directory signature not found"}},
			{says: []string{"not in gzip format"}},
			{says: []string{"cannot find zipfile directory"}},
			{says: []string{"tar: error is not recoverable"}},
			{says: []string{"this does not look like a tar archive"}},
			{says: []string{"configuration files cannot be extracted from the application version"}},
			{says: []string{"tar: unexpected eof in archive"}},
			{says: []string{"file format not recognized"}},
			{says: []string{"unexpected end of file"}},
			{says: []string{"zip end header not found"}},
			{
				says: []string{"zip"},
				like: &pattern{source: "(?i)\\b(fail(ed|ure)|unable|could not|cannot|can't)( to)? " +
					"(read|open|extract|unzip|unpack|decompress|inflate)\\b.{0,40}\\b(g?zip|unzip)\\b"},
				consequence: true,
				shared:      true,
			},
			{
				says: []string{"archive"},
				like: &pattern{source: "(?i)\\b(fail(ed|ure)|unable|could not|cannot|can't)( to)? " +
					"(read|open|extract|unzip|unpack|decompress|inflate)\\b.{0,40}\\b(archive|tarball)\\b"},
				consequence: true,
				shared:      true,
			},
		},
	},
	{
		Name:  "download-not-found",
		Title: "What the build downloads is not there (404)",
		Advice: "Check the address and the version in it. Releases get moved and removed: keep a copy of " +
			"what builds need.",
		Remedy:  "report",
		last:    80,
		general: true,
		rules: []rule{
			{says: []string{"the requested url returned error: 404"}},
			{says: []string{"error 404: not found"}},
			{says: []string{"http error 404"}, not: []string{"helper_schema"}},
			{says: []string{"http/1.1 404 not found"}},
		},
	},
	{
		Name:  "job-artifact-missing",
		Title: "The artifact of an earlier job does not exist",
		Advice: "The job that makes it failed, was left out, or gave it another name; or it expired. " +
			"Compare the names of both jobs, and look at that job first.",
		Remedy:  "report",
		general: true,
		rules: []rule{
			{says: []string{"artifact not found for name"}},
			{says: []string{"unable to find any artifacts for the associated workflow"}},
			{
				says: []string{"downloading artifacts"},
				like: &pattern{source: "(?i)^ERROR: Downloading artifacts .* not found"},
			},
		},
	},
	{
		Name:  "download-refused",
		Title: "The server refuses a download to the build (401 or 403)",
		Advice: "Check the token or login that the download needs, and whether the address has expired. " +
			"A signed address of S3 answers 403 for both.",
		Remedy:  "report",
		last:    80,
		general: true,
		rules: []rule{
			{
				says: []string{"the requested url returned error: 40"},
				like: &pattern{source: "returned error: 40[13]"},
			},
			{says: []string{"error 40"}, like: &pattern{source: "ERROR 40[13]: "}},
			{says: []string{"http error 40"}, like: &pattern{source: "HTTP Error 40[13]\\b"}},
			{says: []string{"connect tunnel failed, response 4"}},
			{says: []string{"client error: "}, like: &pattern{source: "HTTPError: 40[13] Client Error: "}},
		},
	},
	{
		Name:  "port-in-use",
		Title: "A port that the build needs is taken",
		Advice: "Stop the process or container that holds it before, wait until it is gone, or choose " +
			"another port.",
		Remedy:  "report",
		last:    80,
		general: true,
		rules: []rule{
			{says: []string{"eaddrinuse"}},
			{says: []string{"port is already allocated"}},
			{says: []string{"address already in use"}},
			{says: []string{"ports are not available: exposing port"}},
			{
				says:        []string{"port "},
				like:        &pattern{source: "(?i)\\bport \\d+ (is )?(already |currently )?(in use|taken|occupied|allocated)\\b"},
				consequence: true,
				shared:      true,
			},
		},
	},
	{
		Name:  "container-unhealthy",
		Title: "A container that the build starts does not become healthy",
		Advice: "Print its log (docker compose logs NAME); give its health check more time, and memory " +
			"enough.",
		Remedy:  "report",
		last:    80,
		general: true,
		rules: []rule{
			{says: []string{"dependency failed to start"}},
			{says: []string{"containerlaunchexception"}},
			{says: []string{"container did not start correctly"}},
			{says: []string{"is unhealthy"}, like: &pattern{source: "(?i)container \\S+ is unhealthy"}},
			{says: []string{"service \"", "didn't complete successfully"}},
			{
				says:        []string{"service \""},
				like:        &pattern{source: "^service \"[^\"]+\" is not running"},
				consequence: true,
			},
			{says: []string{"no such service: "}, consequence: true},
		},
	},
	{
		Name:  "container-start-failed",
		Title: "Docker cannot start a container, or does not have what the command names",
		Advice: "The end of the line says why: a program that the image does not have or may not run, " +
			"cgroups or devices that the machine does not give, a container, network or volume that " +
			"was never made or is gone. docker ps -a and docker logs show more.",
		Remedy:  "report",
		last:    80,
		general: true,
		rules: []rule{
			{says: []string{"oci runtime create failed"}},
			{says: []string{"oci runtime exec failed"}},
			{says: []string{"failed to create shim task"}},
			{says: []string{"runc create failed"}},
			{says: []string{"cgroup mountpoint does not exist"}},
			{says: []string{"could not select device driver"}},
			{says: []string{"cannotstartcontainererror"}},
			{says: []string{"no such container:"}, consequence: true},
			{says: []string{"no such volume"}, consequence: true},
			{says: []string{"error response from daemon: network ", " not found"}, consequence: true},
			{
				says:        []string{"error response from daemon: container "},
				like:        &pattern{source: "(?i)container \\S+ is not running"},
				consequence: true,
			},
			{says: []string{"cannot join network of a non running container"}, consequence: true},
			{says: []string{"non-overlapping ipv4 address pool among the defaults"}},
			{says: []string{"all predefined address pools have been fully subnetted"}},
			{says: []string{"newuidmap"}},
			{
				says: []string{"driver failed programming external connectivity"},
				not:  []string{"already allocated", "already in use"},
			},
			{
				says: []string{"failed to set up container networking"},
				not:  []string{"already allocated", "already in use"},
			},
			{says: []string{"docker: error response from daemon:"}, consequence: true},
			{says: []string{"error while creating mount source path"}, consequence: true},
			{says: []string{"failed to start docker container"}, consequence: true},
		},
	},
	{
		Name:    "compose-file-invalid",
		Title:   "The Compose file is not valid",
		Advice:  "The message names the key. Check it with docker compose config.",
		Remedy:  "report",
		last:    80,
		general: true,
		rules: []rule{
			{says: []string{"services.", "is not allowed"}, like: &pattern{source: "(?i)additional propert"}},
			{says: []string{"services must be a mapping"}},
			{says: []string{"service \"", "has neither an image nor a build context"}},
			{says: []string{"service \"", "refers to undefined"}},
			{says: []string{"invalid compose project"}},
			{says: []string{"error while interpolating services"}},
			{says: []string{"validating "}, like: &pattern{source: "validating \\S+\\.ya?ml: "}},
		},
	},
	{
		Name:  "tls-certificate",
		Title: "A server's certificate is not trusted",
		Advice: "Give the build the certificate authority (a proxy's, or the company's): the project's " +
			"certificate setting, NODE_EXTRA_CA_CERTS, REQUESTS_CA_BUNDLE, update-ca-certificates. " +
			"An expired certificate must be renewed by its owner. A registry that speaks only HTTP " +
			"must stand under insecure-registries of the Docker daemon.",
		Remedy:  "report",
		last:    80,
		general: true,
		rules: []rule{
			{says: []string{"x509: certificate"}},
			{says: []string{"ssl certificate problem"}},
			{says: []string{"certificate_verify_failed"}},
			{says: []string{"certificate verify failed"}},
			{says: []string{"self signed certificate"}},
			{says: []string{"self-signed certificate"}},
			{says: []string{"unable to get local issuer certificate"}},
			{says: []string{"unable_to_verify_leaf_signature"}},
			{says: []string{"pkix path building failed"}},
			{says: []string{"certificate has expired"}},
			{says: []string{"cert_has_expired"}},
			{says: []string{"ssl validation failed for"}},
			{says: []string{"server certificate verification failed"}},
			{says: []string{"tls: failed to verify certificate"}},
			{says: []string{"the ssl connection could not be established"}},
			{says: []string{"err_tls_cert_altname_invalid"}},
			{says: []string{"server gave http response to https client"}},
			{says: []string{"unable_to_get_issuer_cert"}},
			{says: []string{"failed to load system roots and no roots provided"}},
			{says: []string{"error setting certificate verify locations"}},
			{says: []string{"unsafe legacy renegotiation disabled"}},
			{says: []string{"unable to locally verify the issuer's authority"}},
			{
				says: []string{"certificate"},
				like: &pattern{source: "(?i)\\bcertificate\\b.*\\b(expired|not trusted|untrusted|verif\\w+ fail\\w*|unknown " +
					"authority|self[- ]signed)\\b"},
				consequence: true,
				shared:      true,
			},
		},
	},
	{
		Name:  "network-unreachable",
		Title: "The network could not reach an address",
		Advice: "Start the build again. If it recurs: CodeBuild's own network may not reach IPv6 " +
			"addresses, and reaches no private ones, for which the project needs a VPC.",
		Remedy:    "retry",
		Retryable: true,
		when:      when{vpc: isNot},
		last:      80,
		general:   true,
		rules: []rule{
			{says: []string{"requesterror: send request failed", "i/o timeout"}},
			{says: []string{"network is unreachable"}},
			{says: []string{"enetunreach"}},
		},
	},
	{
		Name:  "vpc-no-internet",
		Title: "The VPC has no route to the Internet",
		Advice: "A build in a VPC needs private subnets whose route goes to a NAT gateway (in a public " +
			"subnet, behind an Internet gateway), or VPC endpoints for everything that it calls.",
		Remedy:  "report",
		last:    80,
		general: true,
		rules: []rule{
			{says: []string{"has no internet gateway attached"}},
			{says: []string{"gateway.notattached"}},
			{says: []string{"requesterror: send request failed", "i/o timeout"}},
			{says: []string{"network is unreachable"}},
			{says: []string{"enetunreach"}},
		},
	},
	{
		Name:  "endpoint-unreachable",
		Title: "The AWS endpoint, or one like it, cannot be reached",
		Advice: "Check the address: a mistyped or wrong region, an --endpoint-url from a test setup, a " +
			"service that the region does not have; then the build's VPC (NAT gateway or VPC " +
			"endpoint) and proxy variables.",
		Remedy:    "report",
		Retryable: true,
		last:      80,
		general:   true,
		rules: []rule{
			{says: []string{"could not connect to the endpoint url"}},
			{says: []string{"endpointconnectionerror"}},
			{says: []string{"connect timeout on endpoint url"}},
			{says: []string{"read timeout on endpoint url"}},
			{says: []string{"unknownendpoint"}},
			{says: []string{"inaccessible host:", "this service may not be available in the"}},
			{says: []string{"proxyconnectionerror"}},
			{says: []string{"invalid endpoint: http"}},
		},
	},
	{
		Name:  "dns-failure",
		Title: "A host name could not be resolved",
		Advice: "Start the build again if the name is right. If it is private, the build must run in the " +
			"VPC that resolves it; if it comes from a variable, check that the variable is set.",
		Remedy:    "retry",
		Retryable: true,
		last:      80,
		general:   true,
		rules: []rule{
			{says: []string{"temporary failure in name resolution"}},
			{says: []string{"temporary failure resolving"}},
			{says: []string{"eai_again"}},
			{says: []string{"could not resolve host"}},
			{says: []string{"server misbehaving"}, like: &pattern{source: "(?i)lookup \\S+"}},
			{says: []string{"getaddrinfo enotfound"}, remedy: "report"},
			{says: []string{": no such host"}, remedy: "report"},
			{says: []string{"name or service not known"}, remedy: "report"},
			{says: []string{"nodename nor servname provided"}, remedy: "report"},
			{says: []string{"unknownhostexception"}, remedy: "report"},
			{says: []string{"name does not resolve"}, remedy: "report"},
			{says: []string{"the remote name could not be resolved"}, remedy: "report"},
			{says: []string{"unable to resolve host address"}, remedy: "report"},
			{says: []string{"wget: bad address"}, remedy: "report"},
			{says: []string{"no such host is known"}, remedy: "report"},
			{says: []string{"dial tcp: lookup "}, remedy: "report"},
			{
				says: []string{"resolve"},
				like: &pattern{source: "(?i)\\b(could not|couldn't|cannot|can't|unable to|failed to) resolve (the " +
					")?(host|hostname|domain|address|dns)\\b"},
				consequence: true,
				shared:      true,
				remedy:      "report",
			},
		},
	},
	{
		Name:  "network-failure",
		Title: "The network failed",
		Advice: "Start the build again. If it recurs in a VPC, check NAT gateway, routes and security " +
			"group; otherwise the remote host's status page.",
		Remedy:    "retry",
		Retryable: true,
		last:      80,
		general:   true,
		rules: []rule{
			{says: []string{"timeout - last error: "}, remedy: "report"},
			{
				says: []string{" 50"},
				like: &pattern{source: "(?i)/(health|healthz|health-?check|ready|readyz|livez|actuator)\\b.*\\b50[234] (Bad " +
					"Gateway|Service|Gateway)"},
				remedy: "report",
			},
			{
				says: []string{"50"},
				like: &pattern{source: "(?i)\\b50[234] (Bad " +
					"Gateway|Service|Gateway).*/(health|healthz|health-?check|ready|readyz|livez|actuator)\\b"},
				remedy: "report",
			},
			{says: []string{"econnreset"}},
			{says: []string{"etimedout"}},
			{says: []string{"esockettimedout"}},
			{says: []string{"err_socket_timeout"}},
			{says: []string{"connection reset by peer"}},
			{
				says: []string{"connection reset"},
				like: &pattern{source: "(?i)(socketexception|transfer|error|failed).*connection reset"},
			},
			{says: []string{"i/o timeout"}},
			{says: []string{"tls handshake timeout"}},
			{says: []string{"net/http: request canceled"}},
			{says: []string{"client.timeout exceeded"}},
			{says: []string{"connection timed out"}},
			{says: []string{"operation timed out"}, like: &pattern{source: "(?i)curl|connect|fetch|port"}},
			{says: []string{"read timed out"}},
			{says: []string{"readtimeouterror"}},
			{says: []string{"connecttimeouterror"}},
			{says: []string{"sockettimeoutexception"}},
			{says: []string{"incompleteread"}},
			{says: []string{"the remote end hung up unexpectedly"}},
			{says: []string{"rpc failed; curl"}},
			{says: []string{"early eof"}},
			{says: []string{"eof occurred in violation of protocol"}, remedy: "report"},
			{says: []string{"tls/ssl connection has been closed (eof)"}, remedy: "report"},
			{says: []string{"unexpected eof"}, not: []string{"while looking for matching"}},
			{says: []string{"unexpected disconnect while reading sideband packet"}},
			{says: []string{"socket hang up"}},
			{
				says: []string{"this is a problem related to network connectivity"},
				like: &pattern{source: "(?i)^npm (err!|error) network "},
			},
			{says: []string{"fetch-pack: invalid index-pack output"}},
			{says: []string{"502 bad gateway"}},
			{says: []string{"503 service unavailable"}},
			{says: []string{"503 service temporarily unavailable"}},
			{says: []string{"504 gateway"}},
			{
				says: []string{"500 internal server error"},
				like: &pattern{source: "(?i)(npm|fetch|get|download|registry|https?://)"},
			},
			{
				says: []string{"internal server error"},
				like: &pattern{source: "^error: \\[50\\d\\] Internal Server Error"},
			},
			{
				command: []string{"smoke", "health", "e2e", "probe", "verify"},
				says:    []string{"returned error: 50"},
				like:    &pattern{source: "returned error: 50\\d"},
				remedy:  "report",
			},
			{
				says:   []string{"returned error: 50"},
				also:   []string{"/health"},
				like:   &pattern{source: "returned error: 50\\d"},
				remedy: "report",
			},
			{
				says: []string{"returned error: 50"},
				not:  []string{"curl: (22) the requested url returned error: 500"},
				like: &pattern{source: "returned error: 50\\d"},
			},
			{says: []string{"http error 503"}},
			{says: []string{"status code 503"}},
			{says: []string{"remote end closed connection without response"}},
			{says: []string{"received http code 503"}},
			{says: []string{"premature close"}},
			{says: []string{"err_stream_premature_close"}},
			{says: []string{"transfer closed with"}, like: &pattern{source: "bytes remaining to read"}},
			{says: []string{"httpclient.timeout of"}},
			{
				says: []string{"openssl ssl_read: "},
				like: &pattern{source: "SSL_ERROR_SYSCALL|Connection (was )?(reset|timed out)"},
			},
			{says: []string{"gnutls recv error"}, like: &pattern{source: "GnuTLS recv error \\(-(9|54|110)\\)"}},
			{aws: &pattern{source: "^RequestTimeout(Exception)?:"}},
			{says: []string{"err_pnpm_meta_fetch_fail"}, remedy: "report"},
			{says: []string{"caused by: operation timed out"}, remedy: "report"},
			{says: []string{"could not reach host"}, remedy: "report"},
			{says: []string{"empty reply from server"}, remedy: "report"},
			{says: []string{"was not closed cleanly"}, remedy: "report"},
			{says: []string{"connection closed by remote host"}, remedy: "report"},
			{says: []string{"send disconnect: broken pipe"}, remedy: "report"},
			{says: []string{"error in rsync protocol data stream"}, remedy: "report"},
			{says: []string{"no route to host"}, remedy: "report"},
			{says: []string{"ssh: connect to host", "timed out"}, remedy: "report"},
			{says: []string{"couldn't connect to server"}, remedy: "report"},
			{says: []string{"due to underlying error", "timed out"}, remedy: "report"},
			{says: []string{"gem::remotefetcher::fetcherror", "timeout"}, remedy: "report"},
			{says: []string{"curl error (28)"}, remedy: "report"},
			{says: []string{"operation too slow"}, remedy: "report"},
			{says: []string{"returned error: 500"}, remedy: "report"},
			{
				says: []string{"connect"},
				like: &pattern{source: "(?i)\\b(unable|failed|could not|couldn't|cannot|can't)( to)? connect\\b|\\bconnection " +
					"(was |has been )?(closed|lost|aborted|terminated|dropped|timed out)\\b|\\bprematurely " +
					"closed connection\\b"},
				consequence: true,
				shared:      true,
				remedy:      "report",
			},
			{
				says:        []string{"broken pipe"},
				like:        &pattern{source: "(?i)\\bbroken pipe\\b"},
				consequence: true,
				shared:      true,
				remedy:      "report",
			},
			{says: []string{"having trouble communicating with aws"}, remedy: "report"},
		},
	},
	{
		Name:  "connection-refused",
		Title: "Nothing listens where the build connects to",
		Advice: "Start the service in the build and wait for it, or correct host and port. localhost " +
			"inside a container is that container.",
		Remedy:  "report",
		last:    80,
		general: true,
		rules: []rule{
			{says: []string{"econnrefused"}},
			{says: []string{"connection refused"}},
			{says: []string{"connectionrefusederror"}},
		},
	},
	{
		Name:  "s3-bucket-not-found",
		Title: "The S3 bucket does not exist",
		Advice: "Check the bucket's name and the variable it comes from; create it if it is missing. " +
			"Some tools also say this of a bucket that the role may not see.",
		Remedy:  "report",
		last:    80,
		general: true,
		rules: []rule{
			{says: []string{"nosuchbucket"}},
			{says: []string{"the specified bucket does not exist"}},
			{says: []string{"s3 bucket does not exist."}},
			{says: []string{"s3 bucket ", "error reading source root directory: directory not found"}},
			{says: []string{"the bucket you are attempting to access does not exist"}},
			{says: []string{"s3: listobjectsv2"}, also: []string{"statuscode: 404"}},
			{
				says: []string{"s3 bucket", "does not exist"},
				like: &pattern{source: "S3 bucket \"?[^\\s\"]+\"? does not exist"},
			},
			{says: []string{"deployment bucket", "does not exist"}},
		},
	},
	{
		Name:  "s3-object-not-found",
		Title: "The S3 object does not exist",
		Advice: "Check bucket, key and region, and that what should write the object ran before. Without " +
			"s3:ListBucket S3 says 403 instead of 404.",
		Remedy:  "report",
		last:    80,
		general: true,
		rules: []rule{
			{says: []string{"nosuchkey"}},
			{says: []string{"the specified key does not exist"}},
			{says: []string{"(404)", "headobject"}},
			{says: []string{"s3 object does not exist"}},
			{says: []string{"does not exist in s3"}},
			{says: []string{"(service: s3, status code: 404"}},
		},
	},
	{
		Name:  "bucket-not-empty",
		Title: "The S3 bucket is not empty",
		Advice: "Empty it first, with all versions (aws s3 rm --recursive, or a lifecycle rule), or keep " +
			"the bucket.",
		Remedy:  "report",
		general: true,
		rules: []rule{
			{says: []string{"bucketnotempty"}},
			{says: []string{"the bucket you tried to delete is not empty"}},
		},
	},
	{
		Name:  "resource-already-exists",
		Title: "What the build creates already exists",
		Advice: "Import it into the stack or state, choose another name, or let the script accept that " +
			"it exists. Something created by hand, or by another stack, has the name. Helm takes " +
			"over an object with helm upgrade --install --take-ownership, or one that has its label " +
			"and annotations.",
		Remedy:  "report",
		last:    80,
		general: true,
		rules: []rule{
			{says: []string{"alreadyexists"}},
			{says: []string{"entityalreadyexists"}},
			{says: []string{"bucketalreadyownedbyyou"}},
			{says: []string{"already exists"}, like: &pattern{source: "already exists\\.? \\(Service: "}},
			{says: []string{"resourceexistsexception"}},
			{says: []string{"is already exported by stack"}},
			{says: []string{"cnames you provided are already associated"}},
			{says: []string{"is already scheduled for deletion"}},
			{says: []string{"resourceconflictexception"}, like: &pattern{source: "(?i)already exist"}},
			{
				says: []string{"already exists"},
				like: &pattern{source: "(?i)(error|failed|exception|operation|handler|resource|stack|api error|: ).*already " +
					"exists"},
			},
			{
				says: []string{"duplicate"},
				like: &pattern{source: "\\.Duplicate\\b|\\((Duplicate\\w*|\\w+\\.Duplicate)\\)"},
			},
			{says: []string{"release.tag_name already exists"}},
			{
				says: []string{"is already in use by container"},
				like: &pattern{source: "The container name \"[^\"]+\" is already in use"},
			},
			{says: []string{"resource already managed by terraform"}},
			{says: []string{"rendered manifests contain a resource that already exists"}},
			{says: []string{"exists and cannot be imported into the current release"}},
			{says: []string{"aws::earlyvalidation::resourceexistencecheck"}},
			{says: []string{"a version for this lambda function exists"}},
			{
				says: []string{"already exists"},
				also: []string{"when calling the"},
				like: &pattern{source: "^(The|A|An) [\\w ]+( \\S+)? (provided )?already exists\\.?$"},
			},
			{says: []string{"priorityinuse"}},
			{
				says: []string{"status code: 409"},
				also: []string{"already exists"},
				like: &pattern{source: "\\(Service: [^;,()]+, Status Code: 409"},
			},
			{says: []string{"cannot create already existing"}},
			{
				not: []string{"notexist"},
				aws: &pattern{source: "^[\\w.]*(AlreadyExist|Duplicate|NameInUse|Already(Owned|Registered|Associated|InUse))\\w" +
					"*:|^[\\w.]*Exists(Exception|Fault)?:"},
			},
			{
				aws: &pattern{source: "(?i): .*\\balready (exists?|in use|being used|associated|registered|been " +
					"used|taken|owned|claimed|reserved|allocated|enrolled|activated)\\b|\\bsame name " +
					"(already )?exists|\\bmust be unique\\b|\\bnot unique\\b|\\balready " +
					"(has|have|attached|provisioned|owns?|an?|the)\\b|there is (already )?an " +
					"existing|\\bduplicate\\b|specified more than once"},
			},
			{says: []string{"cannot re-use a name that is still in use"}},
			{says: []string{"cannot reuse a name that is still in use"}},
			{says: []string{"already exists in stack"}},
		},
	},
	{
		Name:  "resource-in-use",
		Title: "The resource cannot be deleted or changed while something uses it",
		Advice: "Remove first what depends on it: exports that other stacks import, network interfaces, " +
			"targets, attachments.",
		Remedy:  "report",
		last:    80,
		general: true,
		rules: []rule{
			{says: []string{"dependencyviolation"}},
			{says: []string{"deleteconflict"}},
			{says: []string{"export", "cannot be deleted as it is in use by"}},
			{says: []string{"export", "cannot be updated as it is in use by"}},
			{says: []string{"cannot delete export", "as it is in use by"}},
			{says: []string{"resourceinuse"}},
			{says: []string{"has dependencies and cannot be deleted"}},
			{says: []string{"has a dependent object"}},
			{says: []string{"cannot delete entity, must"}},
			{says: []string{"cannot delete a policy attached to entities"}},
			{says: []string{"is currently in use by"}},
			{
				says: []string{"network interface"},
				like: &pattern{source: "Network interface '[^']+' is currently in use"},
			},
			{
				says: []string{"cannot be deleted while"},
				like: &pattern{source: "cannot be deleted while [\\w ]+ are (active|draining)"},
			},
			{says: []string{"has some mapped public address(es)"}},
			{says: []string{"specified group cannot be deleted"}},
			{
				says: []string{"conflictexception: "},
				like: &pattern{source: "ConflictException: .*\\bcan ?not be (deleted|removed|updated|modified)\\b"},
			},
			{says: []string{"is already being used by"}, like: &pattern{source: "is already being used by '"}},
			{
				not: []string{"notinuse"},
				aws: &pattern{source: "^[\\w.]*(InUse|DependencyViolation|ResourceDependency|DeleteConflict|ResourceAssociated|" +
					"Associated(Item|Instances|\\w*Found)|Contains[A-Z]|StillContains|StillReferenced|StillEx" +
					"ists|ReferencedItem|CannotDelete|NotDisabled)\\w*:"},
			},
			{
				aws: &pattern{source: "(?i): .*\\b(is|are) (still |currently )?(in use|being used|used by|referenced " +
					"by|attached to|associated with)\\b"},
			},
			{says: []string{"volume is in use"}},
			{says: []string{"has active endpoints"}},
			{says: []string{"unable to remove repository reference", "is using its referenced image"}},
			{
				aws: &pattern{source: "(?i): .*\\bcan(no|'| no)?t be (deleted|removed|detached|released) " +
					"(since|because|as|while|until|when|if)\\b"},
			},
			{
				aws: &pattern{source: "(?i): .*\\b(utilized by|must (first )?(delete|detach|remove|disassociate|deregister) " +
					".*\\b(first|before)|still (contains|has|have)|please " +
					"(disassociate|detach|delete|remove) )"},
			},
		},
	},
	{
		Name:  "resource-not-found",
		Title: "An AWS resource that the build names does not exist",
		Advice: "Check its name, account and region, and the variable it comes from. It may have been " +
			"deleted or renamed.",
		Remedy:  "report",
		last:    80,
		general: true,
		rules: []rule{
			{says: []string{"resourcenotfoundexception"}},
			{says: []string{"nosuchentity"}},
			{says: []string{"clusternotfoundexception"}},
			{says: []string{"servicenotfoundexception"}},
			{says: []string{"repositorynotfoundexception"}},
			{
				says: []string{"notfoundexception"},
				like: &pattern{source: "\\((\\w*NotFoundException)\\)|api error \\w*NotFoundException"},
			},
			{says: []string{".notfound)"}, like: &pattern{source: "\\(Invalid\\w+\\.NotFound\\)"}},
			{says: []string{".notfound:"}, like: &pattern{source: "Invalid\\w+\\.NotFound:"}},
			{says: []string{"stack with id", "does not exist"}},
			{says: []string{"no stack named"}},
			{
				says: []string{"does not exist"},
				like: &pattern{source: "\\bStack ('[^']+'|\\[[^\\]]+\\]) does not exist"},
			},
			{says: []string{"cannot update inactive service"}},
			{says: []string{"nosuchdistribution"}},
			{says: []string{"nosuchhostedzone"}},
			{says: []string{"no export named"}},
			{says: []string{"handlererrorcode: notfound"}},
			{says: []string{"servicenotactiveexception"}},
			{says: []string{".notfound"}, like: &pattern{source: "\\bInvalid\\w+\\.NotFound\\b"}},
			{says: []string{"the image id"}, like: &pattern{source: "The image id '[^']+' does not exist"}},
			{says: []string{"notfoundfault"}},
			{
				says: []string{"notfoundexception: "},
				also: []string{"operation error"},
				like: &pattern{source: "^\\s*\\w*NotFoundException: "},
			},
			{says: []string{"https response error statuscode: 404"}},
			{says: []string{"couldn't find resource"}},
			{
				says: []string{"status code: 404"},
				like: &pattern{source: "\\(Service: [^;,()]+[,;] Status Code: 404\\b"},
			},
			{says: []string{"does not exist"}, like: &pattern{source: "does not exist\\.? \\(Service: "}},
			{
				says: []string{"doesnotexist"},
				like: &pattern{source: "\\(\\w+DoesNotExist\\w*\\)|\\w+DoesNotExist(Exception|Fault)|api error \\w+DoesNotExist"},
			},
			{
				aws: &pattern{source: "^[\\w.]*(NotFound|NoSuch|NotExist|NonExist|NotFond|NotDiscovered|NotPresent|Gone(Excepti" +
					"on)?:|Unknown(Resource|Topic|Snapshot|Monitor|Subscription))\\w*:?"},
			},
			{
				not: []string{"cannot find version", "for given values"},
				aws: &pattern{source: "(?i): .*\\b(do(es)?( not|n't) exist|not found|(could not|cannot|can't) be " +
					"found|(wasn|weren)'t found|(could not|cannot|can't|unable to) find|no longer exists|is " +
					"inactive|(are|is) not present|no [\\w -]{1,40}(found|exists?|named|with (the " +
					")?(name|id|arn))|invalid [\\w -]{1,40}(identifier|id) specified)\\b"},
			},
			{says: []string{"your query returned no results"}},
			{says: []string{"cannot import non-existent remote object"}},
			{
				says: []string{"match"},
				like: &pattern{source: "^Error: (no matching .* found|multiple .* matched;)"},
			},
			{says: []string{"no openidconnect provider found"}},
			{says: []string{"notfounderror -", "not found"}},
			{says: []string{"couldn't find an application named"}},
			{aws: &pattern{source: "(?i): unable to (describe|find|get|locate|look ?up) (the )?\\w"}},
		},
	},
	{
		Name:  "resource-state",
		Title: "An AWS resource is in a state that does not allow the call",
		Advice: "The message names the resource, and most often its state. If it is being made, changed " +
			"or deleted, wait until that is done (aws ... wait) and start the build again. Else " +
			"bring it into the state that the call needs: enable, start, finish or detach it first.",
		Remedy:    "report",
		Retryable: true,
		last:      80,
		general:   true,
		rules: []rule{
			{
				aws: &pattern{source: "^[\\w.]*((Invalid|Incorrect|Illegal|Prohibited|Terminal|Unsupported)\\w*(State|Status)|C" +
					"onflict|NotReady|InProgress|NotRunning|(Crawler|Task|Scheduler)Running|Stopping|Transiti" +
					"oning|Paused|Suspended|Disabled|NotActive|NotConnected|Locked|Pending)\\w*:"},
			},
			{
				aws: &pattern{source: "(?i): .*\\b(not in (an? |the )?[\\w' -]*(state|status)|in (the |an? )?(following " +
					"|invalid )?state\\b|(current )?(state|status) (is|must be|of) |not (yet " +
					")?(available|active|ready|running|enabled)\\b|currently (being " +
					")?(creat|updat|delet|modif|process)\\w+|in progress|(is|are) (being |currently " +
					")?(disabled|stopped|suspended|paused|locked|pending)|(in )?its current status|current " +
					"status:|(is|are)(n't| not) (running|empty))\\b"},
			},
		},
	},
	{
		Name:  "invalid-parameter",
		Title: "AWS does not accept a value",
		Advice: "The message names the parameter and what it must be. Check the template or variable " +
			"that it comes from.",
		Remedy:  "report",
		last:    80,
		general: true,
		rules: []rule{
			{says: []string{"failed to satisfy constraint"}},
			{says: []string{"invalidparameter"}},
			{says: []string{"(validationerror)"}},
			{says: []string{"(validationexception)"}},
			{says: []string{"validationexception:"}},
			{
				says: []string{"validationerror:"},
				like: &pattern{source: "(?i)stack|template|api error|status code"},
			},
			{
				says: []string{"invalidargument"},
				like: &pattern{source: "(?i)operation|api error|status ?code|error code"},
			},
			{
				says: []string{"invalidrequest"},
				like: &pattern{source: "(?i)operation|api error|status ?code|error code|handler"},
			},
			{
				says: []string{"invalidinput"},
				like: &pattern{source: "(?i)operation|api error|status ?code|error code"},
			},
			{says: []string{"missingparameter"}},
			{says: []string{"extraneous key ["}},
			{
				says: []string{"#/"},
				like: &pattern{source: "#/[\\w/]+: (required key|expected type|extraneous key|.* is not a valid enum value)"},
			},
			{says: []string{"properties validation failed for resource"}},
			{says: []string{"belong to different networks"}},
			{says: []string{"is not supported in your requested availability zone"}},
			{says: []string{"requested configuration is currently not supported"}},
			{says: []string{"bucket name should not contain"}},
			{says: []string{"unrecognized event source"}},
			{says: []string{"cannot find version"}, like: &pattern{source: "Cannot find version \\S+ for \\w+"}},
			{
				says: []string{"cannot upgrade"},
				like: &pattern{source: "Cannot upgrade [\\w-]+ from [\\d.]+ to [\\d.]+"},
			},
			{says: []string{"unsupported kubernetes version"}},
			{says: []string{"cloudwatch logs role arn must be set in account settings"}},
			{says: []string{"the rest api doesn't contain any methods"}},
			{says: []string{"clientexception"}, like: &pattern{source: "\\(ClientException\\)"}},
			{says: []string{"(invaliddefinition)"}},
			{says: []string{"invalid request provided:"}},
			{
				says: []string{"status code: 400"},
				not:  []string{"rate exceeded", "throttl", "too many requests"},
				like: &pattern{source: "\\(Service: [^;,()]+, Status Code: 400\\b"},
			},
			{says: []string{"clientexception:"}, like: &pattern{source: "(^|, |Error: )ClientException: "}},
			{
				says: []string{"badrequestexception"},
				like: &pattern{source: "(Error Code: |api error |\\(|StatusCode: 400.*, )BadRequestException\\b"},
			},
			{says: []string{".malformed"}, like: &pattern{source: "\\bInvalid\\w+\\.Malformed\\b"}},
			{says: []string{"environment variables contain reserved keys"}},
			{
				says: []string{"must be"},
				like: &pattern{source: "(_FAILED|handler returned message|[Ee]rror).*must be (greater|less) than( or equal to)?"},
			},
			{says: []string{"validationerror"}, like: &pattern{source: "Error Code: ValidationError\\b"}},
			{says: []string{"the requested durationseconds exceeds"}},
			{
				says: []string{"validationerror: "},
				like: &pattern{source: "\\b(creating|updating|deleting|modifying|putting|registering|reading) .*: " +
					"ValidationError: "},
			},
			{
				says: []string{"invalid"},
				also: []string{"operation error "},
				like: &pattern{source: "^\\s*(api error )?Invalid\\w+: "},
			},
			{says: []string{"api error invalidbucketname"}},
			{
				aws: &pattern{source: "^[\\w.]*(Invalid|Malformed|Missing|Unsupported|NotSupported|[Nn]otCompatible|Incompatibl" +
					"e|Unrecognized|Unknown|Incorrect|Illegal|Mismatch|NotMatch|Validation|BadRequest|BadDocu" +
					"ment|BadDigest|TooLarge|TooLong|TooSmall|OutOfBounds|NotSatisfiable|Required|Unprocessab" +
					"le|Parsing|Syntax|NotValid|LengthExceeded|SizeExceeded|Constraint|Argument|Incomplete|No" +
					"tUpdatable|DoesNotCover|ParameterException)\\w*:|^(Runtime)?Client(Exception|Error):"},
			},
			{
				not: []string{"throttl", "rate exceeded"},
				aws: &pattern{source: "(?i): .*\\b(must (not |only " +
					")?(be|have|specify|contain|match|include|provide|use)|cannot (both )?be " +
					"(more|less|greater|empty|blank|null|larger|longer|specified|set|used)|requires? (the " +
					")?property|does(n't| not) (match|support|have)|not (an? " +
					")?(valid|supported|compatible|allowed|idempotent)|incompatible|invalid|malformed|unsuppo" +
					"rted|mutually exclusive|should (not )?be|(is|are) (a )?required|required " +
					"(field|member|parameter|input|header)|(is|are|was) missing|(not|no [\\w -]{1,30}) " +
					"specified|(does|did)(n't| not) (specify|contain)|can('t|not) (be " +
					"(used|prefixed|longer|cyclical|added|represented|earlier|updated|changed|modified)|speci" +
					"fy|use|begin|start|reference|both|have|update|perform|change|modify|mix|combine)|can " +
					"only (be|have|include)|only .{1,40}(is|are) (supported|allowed)|(needs?|has|have|need) " +
					"to (be|have|specify|provide)|please (specify|provide)|exceeds \\d+ characters|too " +
					"(many|few|long|short|large|small)|failed to parse|well[- ]formed|not " +
					"recogni[sz]ed|unrecogni[sz]ed|unable to validate|mismatch\\w*|at least " +
					"(one|two|\\d+)|exactly one|earlier than|isn't (supported|valid|allowed))\\b"},
			},
			{says: []string{"all attributes must be indexed"}},
			{says: []string{"must be set when using artifacts type"}},
		},
	},
	{
		Name:  "invalid-cli-arguments",
		Title: "The command was called with arguments that it does not take",
		Advice: "Compare with the tool's help in the version that the build has. An empty variable " +
			"shifts arguments: quote them.",
		Remedy:  "report",
		last:    80,
		general: true,
		rules: []rule{
			{says: []string{"in function ", "invalid type for value"}},
			{says: []string{"unknown options:"}, sure: true},
			{says: []string{"usage: aws [options]"}},
			{says: []string{"aws: error:"}},
			{says: []string{"parameter validation failed"}},
			{says: []string{"error parsing parameter"}},
			{says: []string{"the following arguments are required"}},
			{says: []string{"unrecognized arguments:"}, sure: true},
			{says: []string{"argument command: invalid choice"}, sure: true},
			{says: []string{"invalid choice:"}, like: &pattern{source: "(?i)invalid choice:"}, sure: true},
			{says: []string{"unknown flag:"}, sure: true},
			{says: []string{"unknown shorthand flag"}, sure: true},
			{says: []string{"unknown command \""}},
			{
				says: []string{"unknown option"},
				like: &pattern{source: "(?i)unknown option:? ?['\"`-]"},
				sure: true,
			},
			{says: []string{"unrecognized option"}, sure: true},
			{says: []string{"flag provided but not defined"}, sure: true},
			{says: []string{"invalid option --"}, sure: true},
			{says: []string{"docker: 'buildx' is not a docker command"}},
			{says: []string{"is not a docker command"}},
			{says: []string{"requires at least 1 argument"}},
			{says: []string{"requires exactly", "argument"}},
			{says: []string{"invalid reference format"}},
			{says: []string{"error parsing reference:"}},
			{says: []string{"no such option:"}, sure: true},
			{says: []string{"error: missing option"}, sure: true},
			{says: []string{"error: missing argument"}, sure: true},
			{says: []string{"bad value for --query"}},
			{says: []string{"error: got unexpected extra argument"}, sure: true},
			{
				says: []string{"requires "},
				like: &pattern{source: "\"[\\w -]+\" requires (at least |at most |exactly )?\\d+ arguments?"},
			},
			{says: []string{"no stacks match the name(s)"}},
			{says: []string{"existing instance for \""}},
			{says: []string{"is not a git command"}},
			{says: []string{"error: must specify one of -f and -k"}},
			{says: []string{"required flag(s)"}},
			{says: []string{"rgument list too long"}},
			{says: []string{"error: no builder"}, like: &pattern{source: "ERROR: no builder \"[^\"]+\" found"}},
			{says: []string{"enoworkspaces"}},
			{says: []string{"unknown command: \""}},
			{says: []string{"einvalidtagname"}},
			{says: []string{"einvalidpackagename"}},
			{says: []string{"code eusage"}},
			{says: []string{"unknown syntax error:"}},
			{says: []string{"usage error: unrecognized"}},
			{says: []string{"npm error version not changed"}},
			{says: []string{"could not find a task or"}},
			{says: []string{"the specified user settings file does not exist"}},
			{says: []string{"go: unknown subcommand"}},
			{says: []string{"msb1001"}},
			{says: []string{"group(s) not found:"}},
			{says: []string{"the option \"", "does not exist"}},
			{says: []string{"the command \"", "is not defined"}},
			{says: []string{"curl: no url specified"}},
			{says: []string{"curl: (2) no url specified"}},
			{says: []string{"url using bad/illegal format"}},
			{says: []string{"not supported or disabled in libcurl"}},
			{says: []string{"url malformed"}},
			{says: []string{"unrecognized option: "}},
			{says: []string{"specify which stacks to use"}},
			{says: []string{"parameters. please provide one of these"}},
			{says: []string{"cannot use both --"}},
			{says: []string{"does not have a default environment"}},
			{says: []string{"too many command line arguments"}},
			{says: []string{"no stack selected"}},
			{says: []string{"is unknown"}, like: &pattern{source: "^curl: option \\S+ is unknown"}},
			{
				says: []string{"invalid value "},
				like: &pattern{source: "^invalid (boolean )?value \".*\" for (flag )?-"},
			},
			{
				says: []string{"command is disabled"},
				like: &pattern{source: "^Error: The `[\\w-]+` command is disabled"},
			},
		},
	},
	{
		Name:  "input-needed",
		Title: "The tool asks a person, and a build has nobody to answer",
		Advice: "Give the answer as an option: cdk deploy --require-approval never, terraform apply " +
			"-auto-approve -input=false, pulumi up --yes, docker run without -t.",
		Remedy:  "report",
		general: true,
		rules: []rule{
			{says: []string{"terminal (tty) is not attached"}},
			{says: []string{"security constraints not satisfied!"}},
			{says: []string{"error asking for approval"}},
			{says: []string{"must be passed in to proceed when running in non-interactive mode"}},
			{says: []string{"the input device is not a tty"}},
			{says: []string{"your environment is non-interactive"}},
			{
				says: []string{"in non-interactive mode"},
				like: &pattern{source: "(?i)you're in non-interactive mode"},
			},
			{says: []string{"aborted removal of modules directory due to no tty"}},
			{says: []string{"err_pnpm_ignored_builds"}},
			{says: []string{"a terminal is required to read the password"}},
			{says: []string{"sudo: a password is required"}},
			{says: []string{"in non-tty environments"}},
			{says: []string{"stdin is not a terminal"}},
			{says: []string{"inappropriate ioctl for device"}},
			{says: []string{"eof when reading a line"}},
			{says: []string{"without --force-yes"}},
			{says: []string{"is not a tty"}},
			{says: []string{"user force closed the prompt"}},
			{says: []string{"unable to get a confirmation from the user"}},
			{
				says: []string{"not confirmed"},
				like: &pattern{source: "(?i)\\b(command|action|operation|deployment|request|change) (was )?not confirmed\\b"},
			},
			{
				says: []string{"confirmation"},
				like: &pattern{source: "(?i)\\b(requires?|needs?) (an? |your )?((explicit|manual|interactive) " +
					")?confirmation\\b|\\bconfirmation (is |was )?required\\b"},
				consequence: true,
				shared:      true,
			},
		},
	},
	{
		Name:  "nested-stack-failed",
		Title: "A nested stack failed",
		Advice: "Its own events name the reason (aws cloudformation describe-stack-events --stack-name " +
			"with the ARN in the line; for a deleted stack only the ARN works). Roll back off keeps " +
			"what failed.",
		Remedy:  "report",
		last:    80,
		general: true,
		rules: []rule{
			{says: []string{"embedded stack", "was not successfully"}, first: true},
		},
	},
	{
		Name:  "custom-resource-silent",
		Title: "The function behind a custom resource gave no answer",
		Advice: "It crashed or timed out before it answered, is gone, or cannot reach CloudFormation's " +
			"S3 URL (a VPC without a way there): its log says which. If it is gone, retain the " +
			"resource when you delete the stack.",
		Remedy:  "report",
		last:    80,
		general: true,
		rules: []rule{
			{says: []string{"did not receive a response from your custom resource"}, first: true},
			{says: []string{"custom resource failed to stabilize"}},
		},
	},
	{
		Name:  "custom-resource-failed",
		Title: "The function behind a custom resource reported a failure",
		Advice: "Its message stands in the line, if it gave one; the function's log (CloudWatch, " +
			"/aws/lambda/NAME, or the stream that the message names) says more. It acts with its own " +
			"role, not with the build's.",
		Remedy:  "report",
		last:    80,
		general: true,
		rules: []rule{
			{says: []string{"received response status [failed]", "from custom resource"}, first: true},
			{says: []string{"see the details in cloudwatch log stream"}, first: true},
			{
				says:  []string{"_failed"},
				not:   []string{"cancelled"},
				like:  &pattern{source: "_FAILED\\b.*\\b(Custom::\\w+|AWS::CloudFormation::CustomResource\\b)"},
				first: true,
			},
			{says: []string{"[failed] from custom resource"}},
		},
	},
	{
		Name:  "stack-create-failed",
		Title: "CloudFormation could not create or update the stack",
		Advice: "The first resource that failed names the reason in the stack's events (aws " +
			"cloudformation describe-stack-events --stack-name NAME shows them); those after it say " +
			"only \"cancelled\". Delete a stack left in ROLLBACK_COMPLETE before the next try.",
		Remedy:  "report",
		last:    80,
		general: true,
		rules: []rule{
			{says: []string{"create_failed"}, not: []string{"cancelled"}, first: true},
			{says: []string{"update_failed"}, not: []string{"cancelled"}, first: true},
			{says: []string{"resource handler returned message"}, first: true},
			{says: []string{"the following resource(s) failed to"}},
			{says: []string{"failed waiting for successful resource state"}},
			{says: []string{"failed to create/update the stack"}, consequence: true},
			{
				says:        []string{"stack "},
				like:        &pattern{source: "^\\W*Stack \\S+ failed to (deploy|remove|roll ?back)\\b"},
				consequence: true,
			},
			{says: []string{"failed to create the changeset"}},
			{says: []string{"rollback_complete"}, first: true},
			{says: []string{"rollback_in_progress"}, first: true},
			{says: []string{"rollback_failed"}, first: true},
			{says: []string{"deployment failed: error: the stack named"}},
			{says: []string{"failed to deploy: "}},
			{says: []string{"waitcondition received failed message"}, first: true},
			{
				says: []string{"the stack named"},
				like: &pattern{source: "The stack named \\S+ failed (creation|to deploy)"},
			},
			{says: []string{"waiter stack"}, like: &pattern{source: "Waiter Stack\\w+ failed"}},
			{says: []string{"resource is not in the state stack"}},
			{says: []string{"resource creation cancelled"}, consequence: true},
			{says: []string{"resource update cancelled"}, consequence: true},
		},
	},
	{
		Name:  "file-not-found",
		Title: "A file or directory that the build needs is not there",
		Advice: "Check the path and the directory in which the command runs (every buildspec command " +
			"starts where the last one left off), its case, .gitignore, and that the step which " +
			"creates it ran.",
		Remedy:  "report",
		last:    80,
		general: true,
		rules: []rule{
			{
				says: []string{"no such file or directory"},
				like: &pattern{source: "^(.*\\bline \\d+: " +
					")?(\\S*/)?(cat|cp|mv|tar|ls|rm|unzip|head|tail|grep|sed|chmod|cd|stat|sha256sum): .*No " +
					"such"},
				consequence: true,
			},
			{says: []string{"jq: error: could not open file"}, consequence: true},
			{
				says:        []string{"the user-provided path"},
				like:        &pattern{source: "The user-provided path \\S+ does not exist"},
				consequence: true,
			},
			{says: []string{"refers to a file or folder that does not exist"}},
			{says: []string{"could not find a required file"}},
			{says: []string{"could not find or access '"}},
			{says: []string{"enoent"}},
			{
				says: []string{"no such file or directory"},
				not: []string{
					"cat: ",
					"cp: ",
					"mv: ",
					"tar: ",
					"ls: ",
					"rm: ",
					"unzip: ",
					"head: ",
					"tail: ",
					"grep: ",
					"sed: ",
					"chmod: ",
					"cd: ",
					"stat: ",
					"sha256sum: ",
				},
			},
			{says: []string{"filenotfounderror"}},
			{says: []string{"filenotfoundexception"}},
			{says: []string{"unable to open file"}},
			{says: []string{"the system cannot find the path specified"}},
			{says: []string{"cd: can't cd to"}},
			{says: []string{"zip error: nothing to do!"}},
			{says: []string{"cannot find or open"}},
			{says: []string{"invalid template path"}},
			{says: []string{"template file not found at"}},
			{
				says: []string{"no such file"},
				not: []string{
					"cat: ",
					"cp: ",
					"mv: ",
					"tar: ",
					"ls: ",
					"rm: ",
					"unzip: ",
					"head: ",
					"tail: ",
					"grep: ",
					"sed: ",
					"chmod: ",
					"cd: ",
					"stat: ",
					"sha256sum: ",
				},
			},
			{says: []string{"could not find a terragrunt.hcl"}},
			{says: []string{"error msb3202"}},
			{says: []string{"error msb4019"}},
			{says: []string{"the system cannot find the file specified"}},
			{says: []string{"bind source path does not exist"}},
			{says: []string{"failed to open/read local data"}, consequence: true},
			{says: []string{"scp: "}, consequence: true},
			{says: []string{"not a directory"}, consequence: true},
			{says: []string{"omitting directory"}, consequence: true},
			{says: []string{"is a directory"}, consequence: true},
			{says: []string{"error: the path \"", "does not exist"}},
			{
				says: []string{" "},
				not:  []string{"_error:"},
				like: &pattern{source: "(?i)\\b(file|directory|folder|path|template|dockerfile|manifest)\\b.{0,100}\\b(not " +
					"found|does(n't| not) exist|could not be found|is missing|cannot be found)\\b|\\b(could " +
					"not|cannot|couldn't|can't|unable to|failed to) (find|locate|open|read) (the )?(required " +
					"|following )?(file|directory|folder|template|path|'[^' ]*[./][^' ]*'|\"[^\" ]*[./][^\" " +
					"]*\")"},
				consequence: true,
				shared:      true,
			},
			{says: []string{"stat /", "directory not found"}},
		},
	},
	{
		Name:  "file-permission",
		Title: "The build may not read or write a file",
		Advice: "This is the file system's permission, not IAM: check who owns the file (a volume or " +
			"cache from a root container?), and write below the source directory or /tmp.",
		Remedy:  "report",
		last:    80,
		general: true,
		rules: []rule{
			{says: []string{"eacces"}, like: &pattern{source: "(?i)EACCES: permission denied"}},
			{says: []string{"code eacces"}, like: &pattern{source: "(?i)npm (err!|error) code EACCES"}},
			{says: []string{"permissionerror:"}},
			{
				says: []string{"permission denied"},
				like: &pattern{source: "(?i)^(\\w+: )?(cannot|can.t|could " +
					"not|mkdir|rm|cp|mv|touch|tar|open|unlink|chmod|chown|cat|ls)\\b.*permission denied"},
			},
			{says: []string{"java.nio.file.accessdeniedexception"}},
			{says: []string{"erofs"}, like: &pattern{source: "\\bEROFS\\b"}},
			{says: []string{"read-only file system"}},
			{
				says: []string{"permission denied"},
				like: &pattern{source: "(?i)^(error|fatal)\\b.*\\b(creating|writing|opening|reading|removing|deleting) " +
					".*permission denied"},
			},
			{says: []string{"[errno 13] permission denied"}},
			{says: []string{"code eperm"}},
			{says: []string{"cache folder contains root-owned files"}},
			{says: []string{"gem::filepermissionerror"}},
			{says: []string{"failed to open apk database: permission denied"}},
			{says: []string{"changing ownership of", "operation not permitted"}},
		},
	},
	{
		Name:  "aws-api-error",
		Title: "AWS refused the call: {code}",
		Advice: "The message after the code says why. The API reference of the operation lists its " +
			"errors.",
		Remedy:  "report",
		last:    80,
		general: true,
		rules: []rule{
			{
				says: []string{"an error occurred ("},
				like: &pattern{source: "An error occurred \\((?P<code>[\\w.]+)\\) when calling the (?P<operation>\\w+) operation"},
			},
			{
				says: []string{"api error "},
				like: &pattern{source: "operation error [^:]+: (?P<operation>\\w+), .*api error (?P<code>[\\w.]+):"},
			},
			{says: []string{"api error "}, like: &pattern{source: "api error (?P<code>[\\w.]+):"}},
			{
				says: []string{"https response error statuscode: "},
				like: &pattern{source: "operation error [^:]+: (?P<operation>\\w+), https response error StatusCode: \\d+, " +
					".*?\\b(?P<code>\\w+(Exception|Fault|Error)\\w*): "},
			},
			{
				says: []string{": "},
				also: []string{"status code: 4"},
				like: &pattern{source: "(^|: |\\s)(?P<code>(Invalid|Missing|Unsupported|Malformed|Bad|Incorrect)\\w+): "},
			},
			{says: []string{"error code: "}, like: &pattern{source: "Error Code: (?P<code>[\\w.]+);"}},
			{
				says: []string{"exception: "},
				also: []string{"operation error "},
				like: &pattern{source: "^\\s*(?P<code>[A-Z]\\w+Exception): \\S"},
			},
			{
				says: []string{": "},
				like: &pattern{source: "^Error: (error " +
					")?(creating|updating|deleting|putting|modifying|attaching|reading|setting|importing|requ" +
					"esting|registering|associating) .*: (?P<code>[A-Z][a-z]+[A-Z]\\w+): \\S"},
			},
			{aws: &pattern{source: "^(?P<code>[\\w.]+): "}},
		},
	},
	{
		Name:  "ansible-not-usable",
		Title: "Ansible cannot use the playbook, inventory, role or vault",
		Advice: "The line that begins with ERROR! says which. Install the roles and collections first " +
			"(ansible-galaxy install -r requirements.yml), and give the vault's password from a " +
			"secret.",
		Remedy:  "report",
		general: true,
		rules: []rule{
			{says: []string{"error! "}, like: &pattern{source: "^ERROR! "}},
			{says: []string{"specified hosts and/or --limit does not match any hosts"}},
			{
				says: []string{"unsupported parameters for ("},
				like: &pattern{source: "Unsupported parameters for \\([\\w.]+\\) module: "},
			},
			{
				says: []string{"fatal: ["},
				like: &pattern{source: "\"msg\": \"(missing (required arguments|parameter\\(s\\) required by)|value of \\w+ " +
					"must be one of: |parameters are (mutually exclusive|required together)|one of the " +
					"following is required|\\w+ is \\w+ but (all|any) of the following are missing)"},
			},
		},
	},
	{
		Name:  "packer-failed",
		Title: "Packer could not build the image",
		Advice: "The lines above say which step: no instance, no SSH (its subnet and security group must " +
			"let the build in), or a script that failed on it. PACKER_LOG=1 shows more.",
		Remedy:  "report",
		general: true,
		rules: []rule{
			{says: []string{"errored after"}, like: &pattern{source: "Build '[^']+' errored after "}},
			{says: []string{"some builds didn't complete successfully"}},
		},
	},
	{
		Name:  "amplify-build-failed",
		Title: "Amplify could not build the app as it is configured",
		Advice: "The line with the exclamation marks names what is missing or wrong in amplify.yml or " +
			"the app's settings: the artifacts' directory, applications of a monorepo, the framework.",
		Remedy:  "report",
		general: true,
		rules: []rule{
			{says: []string{"!!! customererror:"}},
			{says: []string{"!!! unable to"}},
			{says: []string{"failed to find the deploy-manifest.json file"}},
			{
				says: []string{"the size of the build output ("},
				like: &pattern{source: "exceeds the max allowed size"},
			},
			{says: []string{"cannot read 'next' version in package.json"}},
		},
	},
	{
		Name:  "docker-build-failed",
		Title: "A step of the image build failed",
		Advice: "The step's own output stands above this line; the step runs without the build's " +
			"variables and credentials.",
		Remedy:  "report",
		last:    80,
		general: true,
		rules: []rule{
			{says: []string{"did not complete successfully: exit code"}},
			{
				says: []string{"exited with error code"},
				like: &pattern{source: "\\bfail: docker build .* exited with error code \\d"},
			},
			{says: []string{"executor failed running ["}},
			{
				says: []string{"returned a non-zero code"},
				like: &pattern{source: "'(/bin/\\w+ -\\w+|cmd /S /C|powershell) .*' returned a non-zero code: \\d"},
			},
			{says: []string{"failed to solve:"}},
			{says: []string{"service '"}, like: &pattern{source: "(?i)service '[^']+' failed to build"}},
			{says: []string{"error building image:"}},
			{
				says: []string{"ocker image"},
				like: &pattern{source: "(?i)\\bfailed to (?:create|build) (?:the )?docker image\\b"},
			},
			{
				says: []string{"docker exited with status"},
				like: &pattern{source: "(?i)\\berror: docker exited with status \\d+"},
			},
			{says: []string{"error: building at step"}},
			{says: []string{"failed to receive status: rpc error"}},
			{says: []string{"building image: exit status"}},
			{
				says: []string{"image"},
				like: &pattern{source: "(?i)\\bimage build (failed|did not succeed|error)|\\b(failed|unable) to build (the " +
					")?(docker |container )?image\\b|\\b(error|failed) building (the )?(docker |container " +
					")?image\\b|\\bbuilding (the )?(docker )?image failed\\b"},
				consequence: true,
				shared:      true,
			},
		},
	},
	{
		Name:  "job-cancelled",
		Title: "The job was cancelled",
		Advice: "Somebody, a newer run, a failed job beside it or a limit cancelled it. Start it again " +
			"if that was not meant.",
		Remedy:    "report",
		Retryable: true,
		last:      80,
		general:   true,
		rules: []rule{
			{
				says: []string{"the operation was canceled"},
				like: &pattern{source: "^(##\\[error\\]|Error: |\\[error\\]\\s*)?The operation was canceled\\.?$"},
			},
			{
				says: []string{"received sigint"},
				like: &pattern{source: "(?i)^(##\\[error\\]|.*\\b(fatal|error)\\b.*)received SIGINT"},
			},
			{says: []string{"error: job failed: canceled"}},
		},
	},
	{
		Name:  "command-killed",
		Title: "A command was ended by a signal",
		Advice: "Something stopped the command from outside, or it crashed (139 is a segmentation " +
			"fault). Its last lines say where.",
		Remedy:    "report",
		Retryable: true,
		last:      80,
		general:   true,
		rules: []rule{
			{says: []string{"segmentation fault"}, sure: true},
			{says: []string{"segmentation fault"}},
			{says: []string{"core dumped"}},
			{
				says: []string{"aborted"},
				like: &pattern{source: "^(\\S+: line \\d+: +\\d+ )?Aborted( +\\(core dumped\\)| {2,}\\S|$)"},
			},
			{
				says: []string{"double free"},
				like: &pattern{source: "^(free\\(\\): |\\*\\*\\* )?.*double free (or corruption|detected)"},
				sure: true,
			},
			{says: []string{"stack smashing detected"}, sure: true},
			{
				says: []string{"(): "},
				like: &pattern{source: "^(malloc|free|realloc|munmap_chunk|malloc_consolidate)\\(\\): " +
					"(invalid|corrupted|unaligned|mismatching)"},
				sure: true,
			},
			{says: []string{"corrupted size vs. prev_size"}, sure: true},
			{
				says: []string{"terminated by signal"},
				like: &pattern{source: "(?i)terminated by signal (SIG\\w+|\\d+)"},
			},
			{exit: []string{"129", "130", "134", "136", "139", "141", "143"}},
		},
	},
	{
		Name:  "ansible-task-failed",
		Title: "An Ansible task failed",
		Advice: "The line that begins with fatal names the host and holds the module's message; -vvv " +
			"shows what the module called.",
		Remedy:  "report",
		general: true,
		rules: []rule{
			{
				says: []string{"fatal: ["},
				like: &pattern{source: "^fatal: \\[[^\\]]+\\].*(FAILED!|UNREACHABLE!)"},
			},
			{says: []string{"the following modules failed to execute:"}},
		},
	},
	{
		Name:    "unhandled-exception",
		Title:   "A program ended with an exception that nothing caught",
		Advice:  "The message and its stack trace show where.",
		Remedy:  "report",
		last:    80,
		general: true,
		rules: []rule{
			{says: []string{"assertionerror"}},
			{says: []string{"traceback (most recent call last)"}},
			{says: []string{"panic:"}, like: &pattern{source: "^panic: "}},
			{says: []string{"exception in thread"}},
			{says: []string{"unhandled exception"}},
			{says: []string{"uncaught"}, like: &pattern{source: "(?i)uncaught (exception|\\w*error)"}},
			{says: []string{"unhandledpromiserejection"}},
			{says: []string{"php fatal error:"}},
			{says: []string{"error occurred prerendering page"}, first: true},
			{says: []string{"improperlyconfigured:"}},
			{says: []string{"nameerror: name '"}, sure: true},
			{
				says:        []string{"cannot read propert"},
				like:        &pattern{source: "Cannot read propert(y '[^']*'|ies) of (undefined|null)\\b"},
				consequence: true,
			},
			{
				says: []string{"referenceerror:"},
				like: &pattern{source: "ReferenceError: \\S+ is not defined"},
				sure: true,
			},
			{says: []string{"typeerror:"}, like: &pattern{source: "^\\s*(Uncaught )?TypeError: "}},
			{says: []string{"object reference not set to an instance of an object"}},
			{says: []string{"panicked at"}, like: &pattern{source: "^thread '[^']*' (\\(\\d+\\) )?panicked at"}},
			{says: []string{"rake aborted!"}, like: &pattern{source: "^rake aborted!"}},
			{says: []string{"nomethoderror"}, like: &pattern{source: "NoMethodError: |\\(NoMethodError\\)$"}},
			{
				says: []string{"exception: "},
				also: []string{"\tat "},
				like: &pattern{source: "^(Caused by: )?([a-z]\\w*\\.)+\\w*Exception: "},
			},
			{
				says:        []string{": "},
				also:        []string{"execution failed for task"},
				like:        &pattern{source: "^(> )?([a-z]\\w*\\.)+\\w*(Exception|Error): "},
				consequence: true,
			},
			{
				says: []string{".rb:"},
				like: &pattern{source: "\\.rb:\\d+:in .*\\(\\w+(::\\w+)*(Error|Exception)\\)$"},
			},
			{
				says: []string{"failed to load command: "},
				like: &pattern{source: "^bundler: failed to load command: "},
			},
			{says: []string{"err_unhandled_rejection"}},
			{says: []string{"err_invalid_arg_type"}},
			{says: []string{"maximum call stack size exceeded"}},
			{says: []string{"recursionerror:"}},
			{says: []string{"fatal python error:"}},
			{says: []string{"unicodedecodeerror:"}},
			{says: []string{".error: "}, like: &pattern{source: "^[a-z_]\\w*(\\.\\w+)*\\.error: "}},
			{
				says:        []string{"error: "},
				also:        []string{"file \""},
				like:        &pattern{source: "^(\\d+ \\| )?([a-z_]\\w*\\.)+\\w*(Error|Exception): "},
				consequence: true,
			},
		},
	},
	{
		Name:  "access-refused",
		Title: "Something refused access, and nothing shows that it was AWS",
		Advice: "The line says who. Check the token, password or key that the build hands to it, and " +
			"whether it reaches the command: a secret that is not set is an empty one.",
		Remedy:  "report",
		last:    80,
		vague:   true,
		general: true,
		rules: []rule{
			{
				says: []string{" "},
				not:  []string{"_error:"},
				like: &pattern{source: "(?i)(^\\W*([\\w.@/-]+:? " +
					"){0,3}\\[?(error|fatal|err!|fail(ed|ure)?|exception|\\w+(error|exception))\\b|^\\W*[❌" +
					"✗✘✖×]).*\\b(unauthori[sz]ed|authentication (failed|required|error)|not " +
					"authenticated|invalid (api[ -]?key|token|password|credentials)|forbidden|access (is " +
					")?denied|permission denied|not logged in|login (failed|required))\\b"},
				consequence: true,
			},
		},
	},
	{
		Name:  "version-mismatch",
		Title: "Versions do not fit together",
		Advice: "The line names what needs which version. Install that one, select it in the buildspec's " +
			"runtime-versions, or pin the other side to one that fits.",
		Remedy:  "report",
		last:    80,
		vague:   true,
		general: true,
		rules: []rule{
			{
				says: []string{"version"},
				not:  []string{"_error:"},
				like: &pattern{source: "(?i)(^\\W*([\\w.@/-]+:? " +
					"){0,3}\\[?(error|fatal|err!|fail(ed|ure)?|exception|\\w+(error|exception))\\b|^\\W*[❌" +
					"✗✘✖×]).*\\b(requires?|needs?|expected|unsupported|incompatible|not " +
					"(compatible|supported)|too (old|new)|newer|older|mismatch|downgrad\\w+|does not " +
					"match)\\b.*\\bversions?\\b|(^\\W*([\\w.@/-]+:? " +
					"){0,3}\\[?(error|fatal|err!|fail(ed|ure)?|exception|\\w+(error|exception))\\b|^\\W*[❌" +
					"✗✘✖×]).*\\bversions?\\b.*\\b(required|unsupported|incompatible|not " +
					"(compatible|supported)|too (old|new)|mismatch|or (newer|later|higher))\\b"},
				consequence: true,
			},
			{
				says: []string{"match"},
				not:  []string{"_error:"},
				like: &pattern{source: "(?i)(^\\W*([\\w.@/-]+:? " +
					"){0,3}\\[?(error|fatal|err!|fail(ed|ure)?|exception|\\w+(error|exception))\\b|^\\W*[❌" +
					"✗✘✖×]).*\\b(does|do)(n.t| not) match (the )?([\\w-]+ " +
					")?(runtime|version|engine)\\b"},
				consequence: true,
			},
		},
	},
	{
		Name:  "not-in-time",
		Title: "Something did not answer or end in time",
		Advice: "The line says what was waited for. Look at that: it crashed, is out of reach, or needs " +
			"longer than the limit. If it was only slow, start the build again.",
		Remedy:    "report",
		Retryable: true,
		last:      80,
		vague:     true,
		general:   true,
		rules: []rule{
			{
				says: []string{" "},
				not:  []string{"_error:"},
				like: &pattern{source: "(?i)(^\\W*([\\w.@/-]+:? " +
					"){0,3}\\[?(error|fatal|err!|fail(ed|ure)?|exception|\\w+(error|exception))\\b|^\\W*[❌" +
					"✗✘✖×]).*\\b(timed? ?out|time ?out|deadline exceeded|took too long|(with)?in (the " +
					")?(expected|allotted|allowed|given) time)\\b"},
				consequence: true,
			},
		},
	},
	{
		Name:    "exists-already",
		Title:   "What the command makes exists already",
		Advice:  "Remove it or choose another name; or let the command pass over what is there.",
		Remedy:  "report",
		last:    80,
		vague:   true,
		general: true,
		rules: []rule{
			{
				says: []string{"already"},
				not:  []string{"_error:"},
				like: &pattern{source: "(?i)(^\\W*([\\w.@/-]+:? " +
					"){0,3}\\[?(error|fatal|err!|fail(ed|ure)?|exception|\\w+(error|exception))\\b|^\\W*[❌" +
					"✗✘✖×]).*\\balready (exists?|in use|taken|registered|defined|been \\w+)\\b"},
				consequence: true,
			},
		},
	},
	{
		Name:  "named-but-missing",
		Title: "Something that the command names does not exist",
		Advice: "The line names it. Check its spelling, the variable that it comes from, the directory " +
			"or account in which the command runs, and whether the step that makes it ran before.",
		Remedy:  "report",
		last:    80,
		vague:   true,
		general: true,
		rules: []rule{
			{
				says: []string{" "},
				not:  []string{"_error:"},
				like: &pattern{source: "(?i)(^\\W*([\\w.@/-]+:? " +
					"){0,3}\\[?(error|fatal|err!|fail(ed|ure)?|exception|\\w+(error|exception))\\b|^\\W*[❌" +
					"✗✘✖×]).*\\b(not found|(does|do)( not|n.t) exist|(could|can)( ?not|n.t) " +
					"(find|locate|be found)|unable to (find|locate)|no such|not installed|no longer " +
					"exists?|not exist|is missing|missing[.!]?$|no [\\w./-]+( [\\w./-]+){0,3} " +
					"(found|named|matching|available|defined|exists?)|has no " +
					"(attribute|method|property|member|field)|not defined in)(\\b|$)"},
				consequence: true,
			},
		},
	},
	{
		Name:  "not-valid",
		Title: "Something that the command was given is not valid",
		Advice: "The line names it. Check the option, file or variable that it comes from against what " +
			"the tool expects in this version; an empty variable is the most frequent reason.",
		Remedy:  "report",
		last:    80,
		vague:   true,
		general: true,
		rules: []rule{
			{
				says: []string{" "},
				not:  []string{"_error:"},
				like: &pattern{source: "(?i)(^\\W*([\\w.@/-]+:? " +
					"){0,3}\\[?(error|fatal|err!|fail(ed|ure)?|exception|\\w+(error|exception))\\b|^\\W*[❌" +
					"✗✘✖×]).*\\b(invalid|not (a )?valid|not " +
					"allowed|malformed|unexpected|unrecogni[sz]ed|unknown|unsupported|not supported|must " +
					"(be|have|not|specify|contain)|(is|are) " +
					"required|required|missing|expected|(cannot|can.t) be " +
					"(empty|blank|null|used)|(neither|not) be (empty|blank|null)|please " +
					"(provide|specify|supply|define)|not a (number|string|boolean)|(failed|unable) to " +
					"parse|parse error|bad|should (be|have|contain|not|start|match)|(does|do)( not|n.t) " +
					"(contain|accept|match|support)|(in|not )compatible|needs? to (be|have)|requires? " +
					"(an?|the|value)|incorrect|not in valid|conflicts? with|mutually exclusive|exceeds?|out " +
					"of range|in the range|too (long|short|large|small|many|few)|(either|both|one) of|can.t " +
					"decode|cannot decode)\\b"},
				consequence: true,
			},
		},
	},
	{
		Name:  "vpc-misconfigured",
		Title: "The project's VPC settings do not work",
		Advice: "The context's message says what EC2 refused. Check that VPC, subnets and security " +
			"groups exist, belong together, and have free addresses and network interfaces.",
		Remedy:  "report",
		general: true,
		rules: []rule{
			{code: []string{"VPC_CLIENT_ERROR"}},
		},
	},
	{
		Name:  "command-failed",
		Title: "A command failed with exit status {exit}",
		Advice: "The excerpt holds its last lines. Run the same command locally with the same image to " +
			"see more.",
		Remedy: "report",
		unlogged: "The build left no log: logs are turned off, the role may not write them, or they are " +
			"deleted. Turn them on, or let the role write them, and start the build again to see why " +
			"it failed.",
		general: true,
		rules: []rule{
			{code: []string{"COMMAND_EXECUTION_ERROR"}},
			{any: "command"},
		},
	},
	{
		Name:  "unknown",
		Title: "The build failed for a reason that Buildmedic does not know",
		Advice: "Read the excerpt and the phase's context. If you see it often, name it under causes in " +
			"buildmedic.yaml.",
		Remedy: "report",
		unlogged: "Read the phase's context; the build left no log. If you see it often, let the builds " +
			"write one.",
		general: true,
		rules: []rule{
			{any: "failure"},
		},
	},
}
