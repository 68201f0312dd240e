package main

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// TestAWSConfigIsTheSDKs ensures that the environment means to the function
// what it means to the SDK's own loader, for the configuration as a whole and
// for what clients make of it.
func TestAWSConfigIsTheSDKs(t *testing.T) {
	for _, row := range []struct {
		name string
		env  map[string]string
	}{
		{"as Lambda sets it", nil},
		{"an endpoint", map[string]string{"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}},
		{"an endpoint of one service", map[string]string{"AWS_ENDPOINT_URL_CLOUDWATCH_LOGS": "http://127.0.0.1:2"}},
		{"both", map[string]string{"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:2"}},
		{"FIPS", map[string]string{"AWS_USE_FIPS_ENDPOINT": "true"}},
		{"no FIPS", map[string]string{"AWS_USE_FIPS_ENDPOINT": "False"}},
		{"dual stack", map[string]string{"AWS_USE_DUALSTACK_ENDPOINT": "TRUE"}},
		{"FIPS and dual stack", map[string]string{"AWS_USE_FIPS_ENDPOINT": "true", "AWS_USE_DUALSTACK_ENDPOINT": "true"}},
		{"no token", map[string]string{"AWS_SESSION_TOKEN": ""}},
	} {
		t.Run(row.name, func(t *testing.T) {
			clearAWS(t)
			for _, env := range []map[string]string{
				{"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "token",
					"AWS_REGION": "eu-west-1"}, row.env,
			} {
				for name, value := range env {
					t.Setenv(name, value)
				}
			}
			want, err := awsconfig.LoadDefaultConfig(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			got, err := awsConfig("eu-west-1", os.Getenv)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got, compared...); diff != "" {
				t.Errorf("configuration: -SDK +ours:\n%s", diff)
			}
			if diff := cmp.Diff(resolved(t, want), resolved(t, got)); diff != "" {
				t.Errorf("clients: -SDK +ours:\n%s", diff)
			}
		})
	}
}

// compared leaves out what the clients are asked for instead, and the mode of
// files that the function does not write.
var compared = []cmp.Option{cmpopts.EquateEmpty(),
	cmpopts.IgnoreFields(aws.Config{}, "Credentials", "ConfigSources", "Logger", "RestrictFilePermissions")}

// clearAWS takes away what the machine's own environment says of AWS.
func clearAWS(t *testing.T) {
	t.Helper()
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); strings.HasPrefix(name, "AWS_") {
			t.Setenv(name, "")
			os.Unsetenv(name) // what Setenv restores
		}
	}
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_CONFIG_FILE", os.DevNull)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", os.DevNull)
}

// resolved is what clients have made of a configuration.
func resolved(t *testing.T, cfg aws.Config) map[string]any {
	t.Helper()
	c, err := cfg.Credentials.Retrieve(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	logs, table, bucket := cloudwatchlogs.NewFromConfig(cfg).Options(), dynamodb.NewFromConfig(cfg).Options(),
		s3.NewFromConfig(cfg).Options()
	return map[string]any{
		"credentials": c,
		"endpoints":   []string{aws.ToString(logs.BaseEndpoint), aws.ToString(table.BaseEndpoint), aws.ToString(bucket.BaseEndpoint)},
		"FIPS": []aws.FIPSEndpointState{logs.EndpointOptions.UseFIPSEndpoint,
			table.EndpointOptions.UseFIPSEndpoint, bucket.EndpointOptions.UseFIPSEndpoint},
		"dual stack": []aws.DualStackEndpointState{logs.EndpointOptions.UseDualStackEndpoint,
			table.EndpointOptions.UseDualStackEndpoint, bucket.EndpointOptions.UseDualStackEndpoint},
		"account":   table.AccountIDEndpointMode,
		"checksums": []any{bucket.RequestChecksumCalculation, bucket.ResponseChecksumValidation},
	}
}

// TestAWSConfigRefuses ensures that a switch that is neither on nor off is not
// taken for off: who writes it means something.
func TestAWSConfigRefuses(t *testing.T) {
	for _, name := range []string{"AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"} {
		_, err := awsConfig("eu-west-1", func(n string) string { return map[string]string{name: "yes"}[n] })
		if err == nil || !strings.Contains(err.Error(), name+` is "yes"`) {
			t.Errorf("%s=yes: %v", name, err)
		}
	}
}

// TestNoCredentials ensures that a function without credentials says so at its
// first call instead of looking for them elsewhere.
func TestNoCredentials(t *testing.T) {
	cfg, err := awsConfig("eu-west-1", func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cfg.Credentials.Retrieve(context.Background()); err == nil {
		t.Error("it found some")
	}
}
