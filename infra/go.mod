module github.com/buildmedic/buildmedic/infra

go 1.26.0

require (
	github.com/aws/aws-cdk-go/awscdk/v2 v2.276.0
	github.com/aws/constructs-go/constructs/v10 v10.8.1
	github.com/aws/jsii-runtime-go v1.140.0
	github.com/buildmedic/buildmedic v0.0.0
)

require (
	github.com/Masterminds/semver/v3 v3.5.0 // indirect
	go.yaml.in/yaml/v3 v3.0.6 // indirect
)

replace github.com/buildmedic/buildmedic => ../
