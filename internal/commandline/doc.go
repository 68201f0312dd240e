// Package commandline has only tests: each command line of the AWS CLI that Buildmedic prints is
// run through the real AWS CLI, versions 1 and 2, against a recorder on loopback, and those of the
// documents in the sandbox, too.
package commandline
