// Infra is Buildmedic's CDK app: the hub, and, when the settings name member
// accounts, the small stack for these. Both are made from the settings alone,
// so that the same settings always give the same templates.
//
// The CDK's command builds and starts it from the root of the repository, as
// cdk.json says: it hands over relative paths of its own, so the app must not
// change the directory, and paths here are seen from the root.
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/buildmedic/buildmedic/internal/permissions"
	"github.com/buildmedic/buildmedic/internal/settings"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "buildmedic:", err)
		os.Exit(1)
	}
}

func run() error {
	defer jsii.Close()
	app := awscdk.NewApp(&awscdk.AppProps{AnalyticsReporting: jsii.Bool(false)})
	file := option(app, "settings", "infra/buildmedic.yaml")
	data, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("reading settings: %w", err)
	}
	s, err := settings.Parse(data)
	if err == nil {
		err = suits(s, os.Getenv("CDK_DEFAULT_ACCOUNT"), os.Getenv("CDK_DEFAULT_REGION"))
	}
	if err != nil {
		return fmt.Errorf("settings %s: %w", file, err)
	}
	code, err := stage(option(app, "bootstrap", "dist/arm64/bootstrap"), data)
	if err != nil {
		return err
	}
	defer os.RemoveAll(code) // the synth below keeps a copy of its own
	if err := NewApp(app, s, code); err != nil {
		return err
	}
	app.Synth(nil)
	return nil
}

// NewApp adds the stacks that the settings ask for. code is the directory
// with what the function carries.
func NewApp(app constructs.Construct, s *settings.Settings, code string) error {
	awscdk.Tags_Of(app).Add(jsii.String("Application"), jsii.String("buildmedic"), nil)
	hub, err := NewHubStack(app, "Buildmedic", s, code)
	if err != nil {
		return err
	}
	if err := fits(hub); err != nil || len(permissions.Elsewhere(s)) == 0 {
		return err
	}
	member, err := NewMemberStack(app, "BuildmedicMember", s)
	if err != nil {
		return err
	}
	return fits(member)
}

// fits reports more resources than CloudFormation takes in a template.
func fits(stack awscdk.Stack) error {
	const most = 500
	n := 0
	for _, c := range *stack.Node().FindAll(constructs.ConstructOrder_PREORDER) {
		if *awscdk.CfnResource_IsCfnResource(c) {
			n++
		}
	}
	if n > most {
		return fmt.Errorf("stack %s: it has %d resources, and CloudFormation takes %d in a template: give some of "+
			"the accounts or projects to another hub", *stack.StackName(), n, most)
	}
	return nil
}

// suits checks what the file alone cannot tell: that its own tests hold where
// the hub will be, that chat can be had there, and that the hub is no member of itself. The CDK names
// account and region from the credentials at hand; both are "" without any.
func suits(s *settings.Settings, account, region string) error {
	for _, a := range s.Accounts {
		if a.ID == account {
			return fmt.Errorf("accounts: %s is the hub's own account: take it out, and leave account out of its "+
				"projects; for another region of it a project names the region alone", account)
		}
	}
	if s.Notify.Chat != nil && (strings.HasPrefix(region, "cn-") || strings.HasPrefix(region, "us-gov-")) {
		return fmt.Errorf("notify.chat: %s has no Amazon Q Developer in chat applications (AWS.md#chat-command): take it out, and "+
			"tell people by email", region)
	}
	var errs []error
	for _, p := range settings.RunTests(s, settings.Account{ID: account, Region: region}, "") {
		errs = append(errs, p)
	}
	return errors.Join(errs...)
}

// option reads a context value: cdk -c name=value.
func option(scope constructs.Construct, name, otherwise string) string {
	if v, ok := scope.Node().TryGetContext(jsii.String(name)).(string); ok && v != "" {
		return v
	}
	return otherwise
}

// stage puts the function and the settings that were read into a directory of
// their own: what the function carries is, byte for byte, what its
// permissions were made from. The caller removes the directory.
func stage(bootstrap string, settings []byte) (dir string, err error) {
	program, err := os.ReadFile(bootstrap)
	if err != nil {
		return "", fmt.Errorf("the function is not built: %w: run make build first", err)
	}
	if dir, err = os.MkdirTemp("", "buildmedic"); err != nil {
		return "", fmt.Errorf("staging the function: %w", err)
	}
	if err = os.WriteFile(filepath.Join(dir, "bootstrap"), program, 0o755); err == nil {
		err = os.WriteFile(filepath.Join(dir, "buildmedic.yaml"), settings, 0o644)
	}
	if err != nil {
		os.RemoveAll(dir)
		return "", fmt.Errorf("staging the function: %w", err)
	}
	return dir, nil
}
