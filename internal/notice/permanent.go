package notice

import (
	"fmt"
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
)

// The tools that snippets are for.
const (
	forCDK       = "AWS CDK (TypeScript)"
	forTerraform = "Terraform"
	forCLI       = "AWS CLI"
)

// policyFile is the name that the notice suggests for saving the policy.
const policyFile = "iam-policy-codebuild.json"

// permanent returns the snippets that make the outcome's changes permanent.
func permanent(n Notice) []Snippet {
	out := []Snippet{}
	if n.Kind == decide.Undone || n.Kind == decide.MadePermanent || n.Kind == decide.Paused {
		return out
	}
	for _, c := range n.Changes {
		if n.asked && c.Status == Done && (c.What == InlinePolicy || c.What == ManagedPolicy || c.What == AttachedPolicies) {
			continue
		}
		switch c.What {
		case InlinePolicy, ManagedPolicy:
			out = append(out, policySnippets(c)...)
		case AttachedPolicies:
			out = append(out, attachSnippets(c)...)
		case Repository:
			out = append(out, repositorySnippets(c.Name)...)
		case Buildspec:
			out = append(out, buildspecSnippets(n.Case, c.Name)...)
		case ProjectRole:
			out = append(out, roleSnippets(n.Case, c)...)
		}
	}
	return out
}

func policySnippets(c Change) []Snippet {
	d, err := iampolicy.ParseLoose(c.Document)
	if err != nil {
		return nil
	}
	lasting, ends := withoutExpiry(d, c.added)
	note := ""
	shell := cli(c.Role, c.Name, "file://"+policyFile)
	asFile := ", with the policy saved as " + policyFile
	if ends {
		note, asFile = ", without the end of the grant", ""
		shell = CLI(c.Role, c.Name, lasting)
	}
	return []Snippet{
		{forCDK + note, CDK(c.Role, c.Name, lasting)},
		{forTerraform + note, Terraform(c.Role, c.Name, lasting)},
		{forCLI + note + asFile, shell},
	}
}

// withoutExpiry removes a grant's expiry from the statements that were added, and reports
// whether there was one: permanent code should not stop working on a date.
func withoutExpiry(d iampolicy.Document, added []iampolicy.Statement) (lasting iampolicy.Document, ends bool) {
	lasting = d
	lasting.Statements = slices.Clone(d.Statements)
	for i, s := range lasting.Statements {
		if !slices.ContainsFunc(added, func(a iampolicy.Statement) bool { return a.Raw == s.Raw }) {
			continue
		}
		kept := slices.DeleteFunc(slices.Clone(s.Condition), func(c iampolicy.Condition) bool {
			return c.Operator == "DateLessThan" && strings.EqualFold(c.Key, "aws:CurrentTime")
		})
		if len(kept) < len(s.Condition) {
			lasting.Statements[i].Condition, ends = kept, true
		}
	}
	return lasting, ends
}

func attachSnippets(c Change) []Snippet {
	var cdk, terraform, cli string
	role := lastElement(c.Role)
	for arn := range strings.FieldsSeq(c.Name) {
		name, _, _ := policyOf(arn)
		cdk += fmt.Sprintf("role.addManagedPolicy(iam.ManagedPolicy.fromManagedPolicyArn(this, %s, %s));\n",
			jsString(identifier(name, true)), jsString(arn))
		terraform += fmt.Sprintf("resource \"aws_iam_role_policy_attachment\" \"%s\" {\n  role       = %s\n"+
			"  policy_arn = %s\n}\n", identifier(name, false), hclString(role), hclString(arn))
		cli += fmt.Sprintf("aws iam attach-role-policy \\\n  --role-name %s \\\n  --policy-arn %s\n", shellWord(role),
			shellWord(arn))
	}
	return []Snippet{{forCDK, cdk}, {forTerraform, terraform}, {forCLI, cli}}
}

func repositorySnippets(name string) []Snippet {
	return []Snippet{
		{forCDK,
			fmt.Sprintf("// The repository exists: bring it into the stack with `cdk import`.\n"+
				"new ecr.Repository(this, %s, { repositoryName: %s });\n",
				jsString(identifier(name, true)), jsString(name))},
		{forTerraform,
			fmt.Sprintf("import {\n  to = aws_ecr_repository.%[1]s\n  id = %[2]s\n}\n\n"+
				"resource \"aws_ecr_repository\" \"%[1]s\" {\n  name = %[2]s\n}\n",
				identifier(name, false), hclString(name))},
	}
}

func buildspecSnippets(c Case, path string) []Snippet {
	return []Snippet{
		{"Either move the file to where the project looks for it", "git mv " + shellWord(path) + " buildspec.yml\n"},
		{"Or tell the project where it is: " + forCDK,
			"buildSpec: codebuild.BuildSpec.fromSourceFilename(" + jsString(path) + "),\n"},
		{forTerraform + ", in the project's source block", "buildspec = " + hclString(path) + "\n"},
		{forCLI,
			fmt.Sprintf("aws codebuild batch-get-projects --names %[1]s%[2]s \\\n  --query 'projects[0].source' |\n"+
				"  jq %[3]s > source.json\naws codebuild update-project --name %[1]s%[2]s --source "+
				"file://source.json\n",
				shellWord(c.Project), at(c), shellQuote(".buildspec = "+jsonText(path)))},
	}
}

func roleSnippets(c Case, ch Change) []Snippet {
	name := strings.TrimPrefix(resourceOf(ch.After), "role/")
	return []Snippet{
		{forCDK + ", in the project's properties",
			"role: iam.Role.fromRoleName(this, 'BuildRole', " + jsString(name) + "),\n"},
		{forTerraform + ", in the project", "service_role = " + hclString(ch.After) + "\n"},
		{"To switch back instead: " + forCLI,
			"aws codebuild update-project --name " + shellWord(c.Project) + at(c) + " \\\n  --service-role " +
				shellWord(ch.Before) + "\n"},
	}
}

// at is the --region option for AWS CLI commands.
func at(c Case) string {
	if c.Region == "" {
		return ""
	}
	return " --region " + shellWord(c.Region)
}

// resourceOf is the last field of an ARN.
func resourceOf(arn string) string {
	a, _ := codebuild.ParseARN(arn)
	return a.Resource
}
