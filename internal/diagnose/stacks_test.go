package diagnose

import (
	"fmt"
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/buildlog"
)

// stackReasons are the reasons that CloudFormation documents for a resource that failed, with the
// operation and the type of resource. OWN stands for this build's session.
var stackReasons = []struct{ operation, resource, message, cause string }{
	{"DELETE", "AWS::S3::Bucket",
		"The bucket you tried to delete is not empty (Service: S3, Status Code: 409, Request ID: 1, Extended " +
			"Request ID: x)",
		"bucket-not-empty"},
	{"DELETE", "AWS::EC2::SecurityGroup",
		"resource sg-0a1b has a dependent object (Service: AmazonEC2; Status Code: 400; Error Code: " +
			"DependencyViolation; Request ID: 1; Proxy: null)",
		"resource-in-use"},
	{"DELETE", "AWS::EC2::Subnet",
		"The subnet 'subnet-0a1b' has dependencies and cannot be deleted. (Service: Ec2, Status Code: 400, " +
			"Request ID: 1)",
		"resource-in-use"},
	{"DELETE", "AWS::Config::ConfigRule",
		"An AWS service owns ServiceLinkedConfigRule. You do not have permissions to take action on this " +
			"rule. (Service: AmazonConfig; Status Code: 400; Error Code: AccessDeniedException; Request ID: 1; " +
			"Proxy: null)",
		"managed-by-service"},
	{"DELETE", "AWS::IAM::Role",
		"Cannot delete entity, must detach all policies first. (Service: Iam, Status Code: 409, Request ID: " +
			"1)",
		"resource-in-use"},
	{"DELETE", "AWS::EC2::VPC",
		"The vpc 'vpc-0a1b' has dependencies and cannot be deleted. (Service: Ec2, Status Code: 400, Request " +
			"ID: 1)",
		"resource-in-use"},
	{"DELETE", "AWS::Lambda::Function",
		"Lambda was unable to delete arn:aws:lambda:us-east-1:111122223333:function:edge:1 because it is a " +
			"replicated function. Please see our documentation for Deleting Lambda@Edge Functions and Replicas. " +
			"(Service: Lambda, Status Code: 400, Request ID: 1)",
		"lambda-edge-replica"},
	{"DELETE", "AWS::CloudFormation::CustomResource",
		"Received response status [FAILED] from custom resource. Message returned: See the details in " +
			"CloudWatch Log Stream: 2026/11/22/[$LATEST]0a1b (RequestId: 1)",
		"custom-resource-failed"},
	{"DELETE", "AWS::Route53::HostedZone",
		"The specified hosted zone contains non-required resource record sets and so cannot be deleted. " +
			"(Service: Route53, Status Code: 400, Request ID: 1)",
		"resource-not-empty"},
	{"DELETE", "AWS::ECS::Cluster",
		"The Cluster cannot be deleted while Services are active. (Service: AmazonECS; Status Code: 400; " +
			"Error Code: ClusterContainsServicesException; Request ID: 1; Proxy: null)",
		"resource-in-use"},
	{"DELETE", "AWS::Logs::LogGroup",
		"User: OWN is not authorized to perform: logs:DeleteLogGroup on resource: " +
			"arn:aws:logs:eu-west-1:111122223333:log-group:/shop because no identity-based policy allows the " +
			"logs:DeleteLogGroup action",
		"missing-permission"},
	{"DELETE", "AWS::Lambda::Function",
		"User: OWN is not authorized to perform: lambda:DeleteFunction on resource: " +
			"arn:aws:lambda:eu-west-1:111122223333:function:shop because no identity-based policy allows the " +
			"lambda:DeleteFunction action",
		"missing-permission"},
	{"DELETE", "AWS::IAM::Role",
		"Cannot delete entity, must delete policies first. (Service: Iam, Status Code: 409, Request ID: 1)",
		"resource-in-use"},
	{"DELETE", "AWS::CloudFormation::CustomResource",
		"CloudFormation did not receive a response from your Custom Resource. Please check your logs for " +
			"requestId [1]. If you are using the Python cfn-response module, you may need to update your Lambda " +
			"function code so that CloudFormation can attach the updated version.",
		"custom-resource-silent"},
	{"DELETE", "AWS::SSM::Parameter",
		"User: OWN is not authorized to perform: ssm:DeleteParameter on resource: " +
			"arn:aws:ssm:eu-west-1:111122223333:parameter/shop because no identity-based policy allows the " +
			"ssm:DeleteParameter action",
		"missing-permission"},
	{"DELETE", "AWS::Lambda::Permission",
		"User: OWN is not authorized to perform: lambda:RemovePermission on resource: " +
			"arn:aws:lambda:eu-west-1:111122223333:function:shop because no identity-based policy allows the " +
			"lambda:RemovePermission action",
		"missing-permission"},
	{"DELETE", "AWS::ElasticLoadBalancingV2::TargetGroup",
		"Target group 'arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/shop/1' is currently " +
			"in use by a listener or a rule (Service: ElasticLoadBalancingV2, Status Code: 400, Request ID: 1)",
		"resource-in-use"},
	{"DELETE", "AWS::ElasticLoadBalancingV2::LoadBalancer",
		"Load balancer 'arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/shop/1' cannot " +
			"be deleted because deletion protection is enabled (Service: ElasticLoadBalancingV2, Status Code: " +
			"400, Request ID: 1)",
		"deletion-protected"},
	{"DELETE", "AWS::EC2::Instance",
		"The instance 'i-0a1b' may not be terminated. Modify its 'disableApiTermination' instance attribute " +
			"and try again. (Service: AmazonEC2; Status Code: 400; Error Code: OperationNotPermitted; Request " +
			"ID: 1; Proxy: null)",
		"deletion-protected"},
	{"DELETE", "AWS::KMS::Alias", "Access denied for operation 'DeleteAlias'.", "denied-unspecified"},
	{"DELETE", "AWS::S3::Bucket", "API: s3:DeleteBucket Access Denied", "missing-permission"},
	{"DELETE", "AWS::CloudWatch::Alarm", "Rate exceeded for operation 'DELETE'.", "throttling"},
	{"DELETE", "AWS::SQS::QueuePolicy", "Last applied policy cannot be deleted.", "queue-policy-shared"},
	{"DELETE", "Custom::S3AutoDeleteObjects",
		"CloudFormation did not receive a response from your Custom Resource. Please check your logs for " +
			"requestId [2].",
		"custom-resource-silent"},
	{"CREATE", "AWS::SageMaker::NotebookInstance",
		"The account-level service limit 'Total number of notebook instances' is 4 NotebookInstances, with " +
			"current utilization of 4 NotebookInstances and a request delta of 1 NotebookInstances. (Service: " +
			"AmazonSageMaker; Status Code: 400; Error Code: ResourceLimitExceeded; Request ID: 1; Proxy: null)",
		"quota-exceeded"},
	{"CREATE", "AWS::ECS::Service",
		"Error occurred during operation 'ECS Deployment Circuit Breaker was triggered'.",
		"deploy-failed"},
	{"UPDATE", "AWS::Lambda::Function",
		"The runtime parameter of nodejs12.x is no longer supported for creating or updating AWS Lambda " +
			"functions. We recommend you use a supported runtime while creating or updating functions. (Service: " +
			"Lambda, Status Code: 400, Request ID: 1)",
		"lambda-runtime-retired"},
	{"CREATE", "AWS::IAM::Role",
		"Policy arn:aws:iam::aws:policy/ShopAccess does not exist or is not attachable. (Service: Iam, " +
			"Status Code: 404, Request ID: 1)",
		"iam-policy-not-found"},
	{"UPDATE", "AWS::Lambda::Function",
		"Unzipped size must be smaller than 262144000 bytes (Service: Lambda, Status Code: 400, Request ID: " +
			"1)",
		"lambda-package-too-large"},
	{"CREATE", "AWS::ECS::Cluster",
		"CreateCluster SDK error: Service Unavailable. Please try again later. (Service: AmazonECS; Status " +
			"Code: 503; Error Code: ServerException; Request ID: 1)",
		"aws-internal-error"},
	{"UPDATE", "AWS::Lambda::Function",
		"Uploaded file must be a non-empty zip (Service: Lambda, Status Code: 400, Request ID: 1)",
		"lambda-package-invalid"},
	{"UPDATE", "AWS::Lambda::Function",
		"Layer version arn:aws:lambda:eu-west-1:111122223333:layer:tools:3 does not exist. (Service: Lambda, " +
			"Status Code: 400, Request ID: 1)",
		"lambda-layer-not-found"},
	{"CREATE", "AWS::ECS::Service", "Resource timed out waiting for completion", "deploy-timeout"},
	{"UPDATE", "AWS::Lambda::Function",
		"Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified key does " +
			"not exist. (Service: Lambda, Status Code: 400, Request ID: 1)",
		"s3-object-not-found"},
	{"CREATE", "AWS::Lambda::Function",
		"Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified key does " +
			"not exist. (Service: AWSLambdaInternal; Status Code: 400; Error Code: " +
			"InvalidParameterValueException; Request ID: 1; Proxy: null)",
		"s3-object-not-found"},
	{"CREATE", "AWS::EC2::EIP",
		"The maximum number of addresses has been reached. (Service: AmazonEC2; Status Code: 400; Error " +
			"Code: AddressLimitExceeded; Request ID: 1; Proxy: null)",
		"quota-exceeded"},
	{"CREATE", "AWS::EC2::Subnet",
		"The CIDR '10.0.1.0/24' conflicts with another subnet (Service: Ec2, Status Code: 400, Request ID: 1)",
		"cidr-conflict"},
	{"CREATE", "AWS::Lambda::Function",
		"Error occurred while DescribeSecurityGroups. EC2 Error Code: InvalidGroup.NotFound. EC2 Error " +
			"Message: The security group 'sg-0a1b' does not exist (Service: Lambda, Status Code: 400, Request " +
			"ID: 1)",
		"resource-not-found"},
}

// TestStackReasons ensures that each documented reason of a failed resource is named further than
// that the stack failed, in whatever form a tool prints it.
func TestStackReasons(t *testing.T) {
	right := 0
	for _, r := range stackReasons {
		message := strings.Replace(r.message, "OWN", "arn:aws:sts::111122223333:assumed-role/codebuild-shop/"+
			"AWSCodeBuild-8745a7a9-c340-456a-9166-edf953571be0", 1)
		ok := true
		for form, log := range map[string]string{
			"the CDK's table": fmt.Sprintf("shop | 2/5 | 10:00:00 AM | %[1]s_IN_PROGRESS   | %[2]s | Thing (Thing0A1B)\n"+
				"shop | 2/5 | 10:00:03 AM | %[1]s_FAILED        | %[2]s | Thing (Thing0A1B) %[3]s\n\n"+
				"❌  shop failed: Error: The stack named shop failed to deploy: %[1]s_FAILED\n", r.operation, r.resource, message),
			"a list of events": fmt.Sprintf("waiting for the stack\n%s_FAILED  %s  Thing  %s\n\n"+
				"Waiter StackUpdateComplete failed: Waiter encountered a terminal failure state\n", r.operation, r.resource, message),
			"a sentence": message + "\n",
		} {
			d := Diagnose(buildlog.ReadText(evidenceBuild, evidenceLog(log)))
			if d.Cause != r.cause {
				t.Errorf("%s of %s in %s: %s by %q, want %s", r.operation, r.resource, form, d.Cause, d.Evidence.Text, r.cause)
				ok = false
			}
		}
		if ok {
			right++
		}
	}
	t.Logf("%d of %d documented reasons are named", right, len(stackReasons))
}
