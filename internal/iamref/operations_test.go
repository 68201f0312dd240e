package iamref

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestForOperation(t *testing.T) {
	tests := []struct {
		service, operation string
		want               string // one action: certain
		candidates         []string
	}{
		// AWS.md#operation-names
		{"S3", "CreateMultipartUpload", "s3:PutObject", nil},
		{"S3", "HeadObject", "s3:GetObject", nil},
		{"S3", "ListObjectsV2", "s3:ListBucket", nil},
		{"S3", "HeadBucket", "s3:ListBucket", nil},
		{"S3", "ListBuckets", "s3:ListAllMyBuckets", nil},
		{"S3", "DeleteObjects", "s3:DeleteObject", nil},
		// names as they are printed
		{"s3", "PutObject", "s3:PutObject", nil},
		{"s3api", "put-object", "s3:PutObject", nil},
		{"Amazon S3", "PutObject", "s3:PutObject", nil},
		{"AmazonS3", "PutObject", "s3:PutObject", nil},
		{"ECR", "PutImage", "ecr:PutImage", nil},
		{"Amazon ECR", "GetAuthorizationToken", "ecr:GetAuthorizationToken", nil},
		{"AmazonECR", "PutImage", "ecr:PutImage", nil},
		{"AmazonEC2", "RunInstances", "ec2:RunInstances", nil},
		{"CloudWatch Logs", "CreateLogGroup", "logs:CreateLogGroup", nil},
		{"CloudWatchLogs", "CreateLogGroup", "logs:CreateLogGroup", nil},
		{"AWSLogs", "CreateLogGroup", "logs:CreateLogGroup", nil},
		{"AWSSecurityTokenService", "AssumeRole", "sts:AssumeRole", nil},
		{"AmazonIdentityManagement", "CreateRole", "iam:CreateRole", nil},
		{"AWSSimpleSystemsManagement", "GetParameters", "ssm:GetParameters", nil},
		{"SSM", "GetParameter", "ssm:GetParameter", nil},
		{"AWSCodeBuild", "StartBuild", "codebuild:StartBuild", nil},
		{"AWSKMS", "Decrypt", "kms:Decrypt", nil},
		{"Secrets Manager", "GetSecretValue", "secretsmanager:GetSecretValue", nil},
		{"AWSSecretsManager", "GetSecretValue", "secretsmanager:GetSecretValue", nil},
		{"AmazonDynamoDBv2", "PutItem", "dynamodb:PutItem", nil},
		{"Elastic Load Balancing v2", "CreateLoadBalancer", "elasticloadbalancing:CreateLoadBalancer", nil},
		{"ElasticLoadBalancingV2", "CreateLoadBalancer", "elasticloadbalancing:CreateLoadBalancer", nil},
		{"SFN", "StartExecution", "states:StartExecution", nil},
		{"AWSStepFunctions", "StartExecution", "states:StartExecution", nil},
		{"stepfunctions", "start-execution", "states:StartExecution", nil},
		{"Cognito Identity Provider", "CreateUserPool", "cognito-idp:CreateUserPool", nil},
		{"EventBridge", "PutRule", "events:PutRule", nil},
		{"CloudWatch Events", "PutRule", "events:PutRule", nil},
		{"CloudWatch", "PutMetricAlarm", "cloudwatch:PutMetricAlarm", nil},
		{"EFS", "CreateFileSystem", "elasticfilesystem:CreateFileSystem", nil},
		{"EMR", "RunJobFlow", "elasticmapreduce:RunJobFlow", nil},
		{"OpenSearch", "CreateDomain", "es:CreateDomain", nil},
		{"deploy", "CreateDeployment", "codedeploy:CreateDeployment", nil},
		{"configservice", "PutConfigRule", "config:PutConfigRule", nil},
		{"API Gateway", "CreateRestApi", "apigateway:POST", nil},
		{"ApiGatewayV2", "GetApis", "apigateway:GET", nil},
		{"RDS", "CreateDBSubnetGroup", "rds:CreateDBSubnetGroup", nil},
		{"Lambda", "Invoke", "lambda:InvokeFunction", nil},
		{"Bedrock", "Converse", "bedrock:InvokeModel", nil},
		{"SQS", "SendMessageBatch", "sqs:SendMessage", nil},
		// as CloudTrail writes them
		{"lambda", "ListFunctions20150331", "lambda:ListFunctions", nil},
		{"lambda", "UpdateFunctionCode20150331v2", "lambda:UpdateFunctionCode", nil},
		{"cloudfront", "CreateInvalidation2020_05_31", "cloudfront:CreateInvalidation", nil},
		// not certain
		{"KMS", "ReEncrypt", "", []string{"kms:ReEncryptFrom", "kms:ReEncryptTo"}},
		{"S3", "CopyObject", "",
			[]string{"s3:GetObject", "s3:GetObjectTagging", "s3:ListBucket", "s3:PutObject", "s3:PutObjectAcl",
				"s3:PutObjectTagging"}},
		// unknown
		{"S3", "NoSuchOperation", "", nil},
		{"NoSuchService", "PutObject", "", nil},
		{"", "PutObject", "", nil},
		{"S3", "", "", nil},
		{"AWS", "", "", nil},
		{"S3", "20150331", "", nil},
		{"\u017F3", "PutObject", "", nil}, // a long s
		{strings.Repeat("S", 1000), "PutObject", "", nil},
	}
	for _, tt := range tests {
		got, ok := ForOperation(tt.service, tt.operation)
		want := tt.candidates
		if tt.want != "" {
			want = []string{tt.want}
		}
		if ok != (tt.want != "") || cmp.Diff(want, got) != "" {
			t.Errorf("ForOperation(%q, %q) = %q, %v", tt.service, tt.operation, got, ok)
		}
	}
}

func TestForOperationName(t *testing.T) {
	for operation, want := range map[string][]string{
		"GetObject":             {"s3:GetObject"},
		"PutObject":             {"s3:PutObject"},
		"HeadObject":            {"s3:GetObject"},
		"ListObjects":           {"s3:ListBucket"},
		"ListObjectsV2":         {"s3:ListBucket"},
		"CreateMultipartUpload": {"s3:PutObject"},
		"ListBuckets":           {"s3:ListAllMyBuckets"},
		"RunInstances":          {"ec2:RunInstances"},
		"GetParameters":         {"ssm:GetParameters"},
		"get-secret-value":      {"secretsmanager:GetSecretValue"},
		"AssumeRole":            {"sts:AssumeRole"},
		"CreateChangeSet":       {"cloudformation:CreateChangeSet"},
		"UploadLayerPart":       {"ecr-public:UploadLayerPart", "ecr:UploadLayerPart"},
		"GetAuthorizationToken": {"codeartifact:GetAuthorizationToken", "ecr-public:GetAuthorizationToken", "ecr:GetAuthorizationToken"},
		"ReEncrypt":             {"kms:ReEncryptFrom", "kms:ReEncryptTo"},
		"NoSuchOperation":       nil,
		"":                      nil,
	} {
		if diff := cmp.Diff(want, ForOperationName(operation)); diff != "" {
			t.Errorf("%q: -want +got:\n%s", operation, diff)
		}
	}
	if got := ForOperationName("TagResource"); len(got) < 100 {
		t.Errorf("TagResource is %d services' operation", len(got))
	}
}

// The operations of the data that no longer give an action, and why.
var gone = map[string]string{
	"CloudHSM.ModifyHsm":                       "CloudHSM Classic has ended; its actions are no longer listed",
	"Finspacedata.DeleteDataset":               "FinSpace's dataset browser has ended",
	"Finspacedata.GetChangeset":                "FinSpace's dataset browser has ended",
	"Finspacedata.GetDataView":                 "FinSpace's dataset browser has ended",
	"Finspacedata.GetDataset":                  "FinSpace's dataset browser has ended",
	"Finspacedata.ListChangesets":              "FinSpace's dataset browser has ended",
	"Finspacedata.ListDataViews":               "FinSpace's dataset browser has ended",
	"Finspacedata.ListDatasets":                "FinSpace's dataset browser has ended",
	"Finspacedata.UpdateDataset":               "FinSpace's dataset browser has ended",
	"IoTThingsGraph.AssociateEntityToThing":    "IoT Things Graph has ended",
	"IoTThingsGraph.CreateSystemInstance":      "IoT Things Graph has ended",
	"IoTThingsGraph.DissociateEntityFromThing": "IoT Things Graph has ended",
	"Mobile.DescribeProject":                   "Mobile Hub has ended",
}

// Every operation of the data resolves to actions that exist: to the one that
// the data gives where it gives one, to its namesake where that is among
// several.
func TestOperationData(t *testing.T) {
	data, err := os.ReadFile("gen/operation-actions.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Operations map[string][]string }
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Operations) < 900 {
		t.Fatalf("%d operations", len(file.Operations))
	}
	corrected := corrections(t)
	uncertain := 0
	for _, name := range slices.Sorted(maps.Keys(file.Operations)) {
		service, operation, _ := strings.Cut(name, ".")
		got, ok := ForOperation(service, operation)
		if gone[name] != "" {
			if ok {
				t.Errorf("%s is not gone: %q", name, got)
			}
			continue
		}
		for _, a := range got {
			if found, exists := Lookup(a); !exists || found.Name != a {
				t.Errorf("%s gives %q, which does not exist", name, a)
			}
		}
		if !ok {
			uncertain++
			if len(got) < 2 {
				t.Errorf("%s gives %q", name, got)
			}
			continue
		}
		want := file.Operations[name]
		if c := corrected[name]; c != nil {
			want = c
		}
		if !slices.Contains(want, got[0]) {
			t.Errorf("%s gives %q, the data %q", name, got, want)
		}
		if strings.HasPrefix(got[0], "iam:") && service != "IAM" {
			t.Errorf("%s gives %q: passing a role is never all of it", name, got)
		}
	}
	// 28 of Glue, Lex and MediaPackage, whose namesakes are younger than the
	// data, and those that need several actions.
	if uncertain > 40 {
		t.Errorf("%d operations are uncertain", uncertain)
	}
	t.Logf("%d operations, %d gone, %d uncertain", len(file.Operations), len(gone), uncertain)
	for name := range gone {
		if file.Operations[name] == nil {
			t.Errorf("%s is not in the data", name)
		}
	}
}

// corrections reads what gen/corrections.json says of operations, and checks
// that each takes effect.
func corrections(t *testing.T) map[string][]string {
	t.Helper()
	data, err := os.ReadFile("gen/corrections.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Operations map[string]struct{ Actions []string }
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	list := map[string][]string{}
	for name, c := range file.Operations {
		list[name] = c.Actions
		service, operation, _ := strings.Cut(name, ".")
		if got, _ := ForOperation(service, operation); !slices.Equal(got, c.Actions) {
			t.Errorf("%s gives %q, the correction %q", name, got, c.Actions)
		}
	}
	return list
}

// The generator and this package read names of services alike.
func TestServiceNames(t *testing.T) {
	data, err := os.ReadFile("gen/services.txt")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(data)) {
		prefix, names, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if !ok || strings.HasPrefix(line, "#") {
			continue
		}
		for _, name := range strings.Split(names, " | ") {
			n++
			at, known := operations().names[nameKey(name)]
			if !known || operations().prefixes[at] != prefix {
				t.Errorf("%q is not %s", name, prefix)
			}
		}
	}
	if n < 500 {
		t.Errorf("%d names", n)
	}
	for _, prefix := range Services() {
		if at, known := operations().names[nameKey(prefix)]; !known || prefix == "s3" && operations().prefixes[at] != "s3" {
			t.Errorf("the prefix %s names no service", prefix)
		}
	}
}

func FuzzForOperation(f *testing.F) {
	f.Add("S3", "HeadObject")
	f.Add("cloudfront", "CreateInvalidation2020_05_31")
	f.Add("AWS Amazon", "v2")
	f.Fuzz(func(t *testing.T, service, operation string) {
		got, ok := ForOperation(service, operation)
		if ok != (len(got) == 1) && len(got) < 2 {
			t.Errorf("%q, %v", got, ok)
		}
		for _, a := range append(got, ForOperationName(operation)...) {
			if found, exists := Lookup(a); !exists || found.Name != a {
				t.Errorf("ForOperation(%q, %q) gives %q", service, operation, a)
			}
		}
	})
}

func BenchmarkLookupCold(b *testing.B) {
	for b.Loop() {
		open(reference, parseService).service("ecr")
	}
}

func BenchmarkLookup(b *testing.B) {
	for b.Loop() {
		Lookup("ecr:PutImage")
	}
}

func BenchmarkFits(b *testing.B) {
	for b.Loop() {
		Fits("s3:GetObject", "arn:aws:s3:::shared-artifacts-111122223333/go/*")
	}
}
