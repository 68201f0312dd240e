package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/awsapi"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/notice"
	"github.com/buildmedic/buildmedic/internal/settings"
)

func runPolicy(ctx context.Context, args []string, _ io.Reader, stdout, stderr io.Writer) int {
	fs := flags("policy", "-role NAME [-name POLICY] [-cdk|-terraform]",
		"Prints a role's present policy in canonical form, ready to be committed, or as the snippet that\nmakes it "+
			"permanent. Reads IAM with your own credentials and changes nothing.",
		"buildmedic policy -role qivr-codebuild-role > iam-policy-codebuild.json", stderr)
	role := fs.String("role", "", "role, with its path if it has one")
	name := fs.String("name", "", "which policy, if the role has several")
	cdk := fs.Bool("cdk", false, "print a CDK snippet")
	terraform := fs.Bool("terraform", false, "print a Terraform snippet")
	if done, code := parse(fs, args, stdout); done {
		return code
	}
	if *role == "" || fs.NArg() > 0 || (*cdk && *terraform) {
		return wrong(fs, "name the role with -role NAME, and use at most one of -cdk and -terraform; it takes flags only")
	}
	state, err := readRoleState(ctx, *role, stderr)
	if err != nil {
		return fail(stderr, err)
	}
	policy, doc, err := pick(state, *name)
	if err != nil {
		return fail(stderr, err)
	}
	d, err := iampolicy.ParseLoose([]byte(doc))
	if err != nil {
		return fail(stderr, fmt.Errorf("policy %q: %w", policy, err))
	}
	switch {
	case *cdk:
		fmt.Fprintln(stdout, notice.CDK(state.Role.PathName(), policy, d))
	case *terraform:
		fmt.Fprintln(stdout, notice.Terraform(state.Role.PathName(), policy, d))
	default:
		io.WriteString(stdout, notice.VisibleJSON(string(d.Canonical())))
	}
	return exitOK
}

func readRoleState(ctx context.Context, name string, stderr io.Writer) (guardrail.RoleState, error) {
	cfg, err := introduced(ctx, stderr)
	if err != nil {
		return guardrail.RoleState{}, err
	}
	id := sessionOf(cfg).id
	r := codebuild.RoleNamed(codebuild.ARN{Partition: id.Partition, Account: id.Account}, name)
	home := settings.Account{ID: id.Account, Region: cfg.Region}
	state, err := (awsapi.IAM{Accounts: awsapi.NewAccounts(cfg, home, id.Partition, "")}).Role(ctx, home, r, settings.Write{})
	if err != nil {
		return state, fmt.Errorf("reading role %q: %w", name, err)
	}
	return state, nil
}

// pick chooses the policy: the named one, or the only one of the owner's.
func pick(s guardrail.RoleState, name string) (policy, doc string, err error) {
	docs := map[string]string{}
	maps.Copy(docs, s.Inline)
	for _, m := range s.Managed {
		if !strings.Contains(m.ARN, ":iam::aws:policy/") {
			docs[m.ARN[strings.LastIndexByte(m.ARN, '/')+1:]] = m.Document
		}
	}
	names := slices.Sorted(maps.Keys(docs))
	switch {
	case name != "" && docs[name] != "":
		return name, docs[name], nil
	case name != "":
		return "", "", fmt.Errorf("the role has no policy %q; it has %s", name, strings.Join(names, ", "))
	case len(names) == 0:
		return "", "", errors.New("the role has no policy of its owner's")
	case len(names) > 1:
		return "", "", fmt.Errorf("the role has several policies; choose one with -name: %s", strings.Join(names, ", "))
	}
	return names[0], docs[names[0]], nil
}
