package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/smithy-go"
)

// find names the function's table in the flags, where they name no ledger: the stack says which it
// is. It says which ledger that makes it, so that a local one is never taken for the function's.
//
// Where there is no stack, and where no credentials are, it is the local ledger. Where there may be
// one that cannot be looked at, a ledger has to be named.
func (f deskFlags) find(ctx context.Context, stderr io.Writer) error {
	if *f.table != "" || *f.ledger != "" {
		return nil
	}
	local := func(why string) error {
		path, err := localLedger()
		if err == nil {
			say(stderr, "The ledger is the local one, %s: %s.", path, why)
		}
		return err
	}
	cfg, err := quietly(ctx)
	if err != nil {
		return local("the function's was not looked for: " + strings.Join(strings.Fields(err.Error()), " "))
	}
	switch ok, err := hasCredentials(ctx, cfg); {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return whichLedger(err)
	case !ok:
		return local("the function's was not looked for, since there are no AWS credentials")
	}
	table, err := tableOf(ctx, cfg, *f.stack)
	switch {
	case errors.Is(err, errNoStack):
		return local(fmt.Sprintf("there is no stack %s in region %s (-stack names another)", *f.stack, cfg.Region))
	case ctx.Err() != nil:
		return err
	case err != nil:
		return whichLedger(err)
	}
	say(stderr, "The ledger is the function's: table %s of stack %s.", table, *f.stack)
	*f.table = table
	return nil
}

// whichLedger says that the function's ledger may exist and was not found.
func whichLedger(err error) error {
	return fmt.Errorf("which ledger is meant? Looking for the function's: %w. Name its table with -table NAME, or a local "+
		"ledger with -ledger FILE", err)
}

// say prints a sentence for the person at the desk.
func say(w io.Writer, format string, args ...any) {
	for _, l := range wrapText(fmt.Sprintf(format, args...), 80) {
		fmt.Fprintln(w, l)
	}
}

// credentialsTime is how long credentials may take to come. Outside of AWS's machines, where there
// are none, the SDK asks for those of the machine.
const credentialsTime = 20 * time.Second

// hasCredentials reports whether there are credentials. Those that only take long, as where a person
// has to log in, are an error: a later call may have them, on another ledger than this one found.
func hasCredentials(ctx context.Context, cfg aws.Config) (bool, error) {
	if cfg.Credentials == nil {
		return false, nil
	}
	asking, cancel := context.WithTimeout(ctx, credentialsTime)
	defer cancel()
	_, err := cfg.Credentials.Retrieve(asking)
	switch {
	case ctx.Err() != nil:
		return false, ctx.Err()
	case asking.Err() != nil:
		return false, fmt.Errorf("your credentials did not come within %s", credentialsTime)
	}
	return err == nil, nil
}

var errNoStack = errors.New("there is no such stack")

// lookTime is how long looking at the stack may take.
const lookTime = 30 * time.Second

// tableOf reads the name of the table from the stack's outputs.
func tableOf(ctx context.Context, cfg aws.Config, stack string) (table string, err error) {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	out, err := cloudformation.NewFromConfig(cfg).DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &stack})
	var api smithy.APIError
	if errors.As(err, &api) {
		switch code := api.ErrorCode(); { // AWS.md#stack-outputs
		case code == "ValidationError" && strings.Contains(api.ErrorMessage(), "does not exist"):
			return "", errNoStack
		case slices.Contains([]string{"AccessDenied", "AccessDeniedException"}, code):
			return "", fmt.Errorf("your credentials lack cloudformation:DescribeStacks on stack %s in region %s", stack, cfg.Region)
		}
		return "", fmt.Errorf("CloudFormation answers %s: %s", api.ErrorCode(), plain(api.ErrorMessage()))
	}
	if err != nil {
		return "", fmt.Errorf("CloudFormation in region %s does not answer: %w", cfg.Region, err)
	}
	for _, s := range out.Stacks {
		for _, o := range s.Outputs {
			if aws.ToString(o.OutputKey) == "TableName" && aws.ToString(o.OutputValue) != "" {
				return *o.OutputValue, nil
			}
		}
	}
	return "", fmt.Errorf("stack %s has no output TableName, so it is not Buildmedic's", stack)
}
