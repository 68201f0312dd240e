package guardrail

import (
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/iamref"
)

// viaService is the key with the service that uses a key of KMS on the caller's behalf.
const viaService = "kms:ViaService"

// keyUsers are the operations that use the caller's permission for a key of KMS, each of one
// service (AWS.md#key-through-a-service).
var keyUsers = map[string]string{
	"GetParameter":        "ssm",
	"GetParameters":       "ssm",
	"GetParametersByPath": "ssm",
	"GetParameterHistory": "ssm",
	"PutParameter":        "ssm",

	"BatchGetSecretValue": "secretsmanager",
	"CreateSecret":        "secretsmanager",
	"GetSecretValue":      "secretsmanager",
	"PutSecretValue":      "secretsmanager",
	"UpdateSecret":        "secretsmanager",

	"CompleteMultipartUpload": "s3",
	"CopyObject":              "s3",
	"CreateMultipartUpload":   "s3",
	"GetObject":               "s3",
	"HeadObject":              "s3",
	"PutObject":               "s3",
	"UploadPart":              "s3",
	"UploadPartCopy":          "s3",
}

// via is the condition that keeps what is given of a key to requests through the service whose
// answer says that the key was denied; nil if the text does not say. A text that lies gets less than
// the settings list, never more.
func via(d buildlog.Denial, a iamref.Action, resources []string) []iampolicy.Condition {
	service := keyUsers[d.Called()]
	if service == "" || len(resources) != 1 || !slices.Contains(a.Conditions, viaService) {
		return nil
	}
	arn, ok := codebuild.ParseARN(resources[0])
	// What the names of other partitions' services end in is not documented for this key.
	if !ok || arn.Service != "kms" || arn.Partition != "aws" || strings.ContainsAny(arn.Region, "*?") {
		return nil
	}
	return []iampolicy.Condition{{Operator: "StringEquals", Key: viaService,
		Values: iampolicy.Values{List: []string{service + "." + arn.Region + ".amazonaws.com"}}}}
}

func isVia(c iampolicy.Condition) bool { return c.Key == viaService }
