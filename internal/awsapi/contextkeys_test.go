package awsapi

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/buildmedic/buildmedic/internal/settings"
)

// TestKindOf is the table of the types that the simulator is told for context keys:
// it has none for ARNs.
func TestKindOf(t *testing.T) {
	for key, want := range map[string]types.ContextKeyTypeEnum{
		settings.ProjectKey:     types.ContextKeyTypeEnumString,
		settings.BuildKey:       types.ContextKeyTypeEnumString,
		"CODEBUILD:BUILDARN":    types.ContextKeyTypeEnumString,
		"aws:CurrentTime":       types.ContextKeyTypeEnumDate,
		"iam:PassedToService":   types.ContextKeyTypeEnumStringList,
		"codebuild:projectArn2": types.ContextKeyTypeEnumStringList,
	} {
		if got := kindOf(key); got != want {
			t.Errorf("%s is %s, want %s", key, got, want)
		}
	}
}
