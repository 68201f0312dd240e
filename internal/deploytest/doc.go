// Package deploytest deploys Buildmedic as README tells it, heals failed
// builds with it and removes it again, on an emulator of AWS that others
// wrote: ministack. It has tests only. `make test-deploy` runs them; the
// ordinary tests cover what they stand on.
//
// It makes a release, too, and deploys from that; `make release-check` runs it.
//
// What runs is genuine: the Makefile's targets, the CDK's command, the AWS
// CLI, and the function's bootstrap, which the emulator starts as Lambda does.
// CloudFormation, IAM with enforcement, Lambda, SQS, SNS, DynamoDB, EventBridge,
// KMS and S3 are the emulator's.
//
// No emulator has a build that fails for what its role may not do, a retry of
// it, or a simulator of policies that can be used. So a router stands before the emulator
// and gives these calls to the simulated account of package simaws, which
// judges them by the policies that the emulator's IAM has at that moment: the
// function's as CloudFormation deployed them, the builds' as the function wrote them.
package deploytest
