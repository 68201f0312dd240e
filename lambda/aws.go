package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go/logging"
)

// awsConfig is the SDK's configuration out of the function's environment.
//
// The SDK's config.LoadDefaultConfig gives the same, but brings in the clients
// of its sign-in services and of instance metadata, which every start would
// pay for. What is not looked for here is of no use in a function: profiles in
// files, and credentials from elsewhere than the environment, where Lambda puts
// them for as long as the instance lives. How calls are retried is awsapi's
// affair; for certificates of one's own, Go has SSL_CERT_FILE.
func awsConfig(region string, getenv func(string) string) (aws.Config, error) {
	cfg := aws.Config{
		Region: region,
		Credentials: aws.NewCredentialsCache(credentials.StaticCredentialsProvider{Value: aws.Credentials{
			AccessKeyID:     getenv("AWS_ACCESS_KEY_ID"),
			SecretAccessKey: getenv("AWS_SECRET_ACCESS_KEY"),
			SessionToken:    getenv("AWS_SESSION_TOKEN"),
			Source:          "EnvConfigCredentials",
		}}),
		Logger: logging.NewStandardLogger(os.Stderr),
		// The SDK's defaults, which are not the zero values.
		DefaultsMode:                aws.DefaultsModeLegacy,
		RequestMinCompressSizeBytes: 10 << 10,
		AccountIDEndpointMode:       aws.AccountIDEndpointModePreferred,
		RequestChecksumCalculation:  aws.RequestChecksumCalculationWhenSupported,
		ResponseChecksumValidation:  aws.ResponseChecksumValidationWhenSupported,
	}
	if url := getenv("AWS_ENDPOINT_URL"); url != "" {
		cfg.BaseEndpoint = &url
	}
	fips, err := onOff(getenv, "AWS_USE_FIPS_ENDPOINT", aws.FIPSEndpointStateEnabled, aws.FIPSEndpointStateDisabled)
	if err != nil {
		return aws.Config{}, err
	}
	dualStack, err := onOff(getenv, "AWS_USE_DUALSTACK_ENDPOINT", aws.DualStackEndpointStateEnabled, aws.DualStackEndpointStateDisabled)
	if err != nil {
		return aws.Config{}, err
	}
	cfg.ConfigSources = []any{endpoints{getenv, fips, dualStack}}
	return cfg, nil
}

// onOff reads a switch; one that is not set is the zero value.
func onOff[S any](getenv func(string) string, name string, on, off S) (unset S, err error) {
	switch v := getenv(name); strings.ToLower(v) {
	case "":
		return unset, nil
	case "true":
		return on, nil
	case "false":
		return off, nil
	default:
		return unset, fmt.Errorf("%s is %q; write true or false", name, v)
	}
}

// endpoints is what the environment says of them. The SDK's clients ask it by
// these methods.
type endpoints struct {
	getenv    func(string) string
	fips      aws.FIPSEndpointState
	dualStack aws.DualStackEndpointState
}

// GetUseFIPSEndpoint is asked by each client.
func (e endpoints) GetUseFIPSEndpoint(context.Context) (aws.FIPSEndpointState, bool, error) {
	return e.fips, e.fips != aws.FIPSEndpointStateUnset, nil
}

// GetUseDualStackEndpoint is asked by each client.
func (e endpoints) GetUseDualStackEndpoint(context.Context) (aws.DualStackEndpointState, bool, error) {
	return e.dualStack, e.dualStack != aws.DualStackEndpointStateUnset, nil
}

// GetServiceBaseEndpoint is asked by each client for its own endpoint, such as
// AWS_ENDPOINT_URL_CLOUDWATCH_LOGS.
func (e endpoints) GetServiceBaseEndpoint(_ context.Context, service string) (string, bool, error) {
	url := e.getenv("AWS_ENDPOINT_URL_" + strings.ReplaceAll(strings.ToUpper(service), " ", "_"))
	return url, url != "", nil
}
