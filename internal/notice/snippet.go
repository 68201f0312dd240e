package notice

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// CDK returns the policy as AWS CDK code in TypeScript, for the stack that owns
// the role. role is the role's name, with or without its path; policyName is
// an inline policy's name or a managed policy's ARN.
func CDK(role, policyName string, d iampolicy.Document) string {
	var b strings.Builder
	b.WriteString("import * as iam from 'aws-cdk-lib/aws-iam';\n\n")
	name, path, managed := policyOf(policyName)
	class := "Policy"
	if managed {
		class = "ManagedPolicy"
		b.WriteString("// The policy exists: bring it into the stack with `cdk import`, or give\n" +
			"// these statements to the ManagedPolicy that you have.\n")
	}
	fmt.Fprintf(&b, "new iam.%s(this, %s, {\n", class, jsString(identifier(name, true)))
	if managed {
		fmt.Fprintf(&b, "  managedPolicyName: %s,\n", jsString(name))
		if path != "/" {
			fmt.Fprintf(&b, "  path: %s,\n", jsString(path))
		}
	} else {
		fmt.Fprintf(&b, "  policyName: %s,\n", jsString(name))
	}
	fmt.Fprintf(&b, "  roles: [iam.Role.fromRoleName(this, 'BuildRole', %s)],\n  statements: [\n",
		jsString(lastElement(role)))
	for _, s := range d.Statements {
		b.WriteString("    new iam.PolicyStatement({\n")
		cdkStatement(&b, s)
		b.WriteString("    }),\n")
	}
	b.WriteString("  ],\n});\n")
	return b.String()
}

func cdkStatement(b *strings.Builder, s iampolicy.Statement) {
	if s.Sid != "" {
		fmt.Fprintf(b, "      sid: %s,\n", jsString(s.Sid))
	}
	if s.Effect == "Deny" {
		b.WriteString("      effect: iam.Effect.DENY,\n")
	}
	for _, e := range []struct {
		name string
		list []string
	}{
		{"actions", s.Action.List},
		{"notActions", s.NotAction.List},
		{"resources", s.Resource.List},
		{"notResources", s.NotResource.List},
	} {
		switch len(e.list) {
		case 0:
		case 1:
			fmt.Fprintf(b, "      %s: [%s],\n", e.name, jsString(e.list[0]))
		default:
			fmt.Fprintf(b, "      %s: [\n", e.name)
			for _, v := range e.list {
				fmt.Fprintf(b, "        %s,\n", jsString(v))
			}
			b.WriteString("      ],\n")
		}
	}
	if len(s.Condition) == 0 {
		return
	}
	b.WriteString("      conditions: {\n")
	for _, op := range operators(s.Condition) {
		fmt.Fprintf(b, "        %s: {\n", jsString(op[0].Operator))
		for _, c := range op {
			fmt.Fprintf(b, "          %s: %s,\n", jsString(c.Key), inline(c.Values, jsString))
		}
		b.WriteString("        },\n")
	}
	b.WriteString("      },\n")
}

// Terraform returns the policy as a Terraform resource, as `terraform fmt`
// prints it. The arguments are those of [CDK].
func Terraform(role, policyName string, d iampolicy.Document) string {
	var b strings.Builder
	name, path, managed := policyOf(policyName)
	label := identifier(name, false)
	outer := aligned{b: &b, indent: "  "}
	outer.add("name", hclString(name))
	if managed {
		fmt.Fprintf(&b, "import {\n  to = aws_iam_policy.%s\n  id = %s\n}\n\nresource \"aws_iam_policy\" \"%s\" {\n",
			label, hclString(policyName), label)
		if path != "/" {
			outer.add("path", hclString(path))
		}
	} else {
		fmt.Fprintf(&b, "resource \"aws_iam_role_policy\" \"%s\" {\n", label)
		outer.add("role", hclString(lastElement(role)))
	}
	outer.open("policy", "jsonencode({")
	head := aligned{b: &b, indent: "    "}
	head.add("Version", hclString(d.Version))
	if d.ID != "" {
		head.add("Id", hclString(d.ID))
	}
	head.open("Statement", "[")
	for _, s := range d.Statements {
		b.WriteString("      {\n")
		hclStatement(&b, s)
		b.WriteString("      },\n")
	}
	b.WriteString("    ]\n  })\n}\n")
	return b.String()
}

func hclStatement(b *strings.Builder, s iampolicy.Statement) {
	a := aligned{b: b, indent: "        "}
	if s.Sid != "" {
		a.add("Sid", hclString(s.Sid))
	}
	a.add("Effect", hclString(s.Effect))
	for _, e := range []struct {
		name   string
		values iampolicy.Values
	}{{"Action", s.Action}, {"NotAction", s.NotAction}, {"Resource", s.Resource}, {"NotResource", s.NotResource}} {
		switch {
		case len(e.values.List) == 0:
		case len(e.values.List) == 1:
			a.add(e.name, inline(e.values, hclString))
		default:
			a.open(e.name, "[")
			for _, v := range e.values.List {
				fmt.Fprintf(b, "          %s,\n", hclString(v))
			}
			b.WriteString("        ]\n")
		}
	}
	if len(s.Condition) > 0 {
		a.open("Condition", "{")
		for _, op := range operators(s.Condition) {
			fmt.Fprintf(b, "          %s = {\n", hclString(op[0].Operator))
			in := aligned{b: b, indent: "            "}
			for _, c := range op {
				in.add(hclString(c.Key), inline(c.Values, hclString))
			}
			in.flush()
			b.WriteString("          }\n")
		}
		b.WriteString("        }\n")
	}
	a.flush()
}

// aligned prints attributes with their equals signs in a column, as
// `terraform fmt` does for neighbours of one line each.
type aligned struct {
	b      *strings.Builder
	indent string
	rows   [][2]string
}

func (a *aligned) add(name, value string) { a.rows = append(a.rows, [2]string{name, value}) }

func (a *aligned) flush() {
	width := 0
	for _, r := range a.rows {
		width = max(width, len(r[0]))
	}
	for _, r := range a.rows {
		fmt.Fprintf(a.b, "%s%-*s = %s\n", a.indent, width, r[0], r[1])
	}
	a.rows = nil
}

// open begins an attribute that takes several lines.
func (a *aligned) open(name, bracket string) {
	a.flush()
	fmt.Fprintf(a.b, "%s%s = %s\n", a.indent, name, bracket)
}

// CLI returns the AWS CLI command that writes the policy. The arguments are
// those of [CDK].
func CLI(role, policyName string, d iampolicy.Document) string {
	return cli(role, policyName, shellQuote(strings.TrimSpace(VisibleJSON(string(d.Canonical())))))
}

func cli(role, policyName, document string) string {
	if _, _, managed := policyOf(policyName); managed {
		return "aws iam create-policy-version \\\n  --policy-arn " + shellWord(policyName) +
			" \\\n  --set-as-default \\\n  --policy-document " + document + "\n"
	}
	return "aws iam put-role-policy \\\n  --role-name " + shellWord(lastElement(role)) + " \\\n  --policy-name " +
		shellWord(policyName) + " \\\n  --policy-document " + document + "\n"
}

// policyOf distinguishes a managed policy's ARN from an inline policy's name. path is the
// managed policy's path, "/" if it has none.
func policyOf(policyName string) (name, path string, managed bool) {
	a, ok := codebuild.ParseARN(policyName)
	if !ok {
		return policyName, "/", false
	}
	name = lastElement(a.Resource)
	return name, strings.TrimSuffix(strings.TrimPrefix(a.Resource, "policy"), name), true
}

// operators groups the conditions, which are sorted, by operator.
func operators(cs []iampolicy.Condition) [][]iampolicy.Condition {
	var out [][]iampolicy.Condition
	for i, c := range cs {
		if i == 0 || c.Operator != cs[i-1].Operator {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], c)
	}
	return out
}

// inline prints values on one line, a scalar as such.
func inline(v iampolicy.Values, str func(string) string) string {
	if v.Scalar && len(v.List) == 1 {
		return str(v.List[0])
	}
	var out []string
	for _, s := range v.List {
		out = append(out, str(s))
	}
	return "[" + strings.Join(out, ", ") + "]"
}

var noIdentifier = lazyregexp.New(`[^A-Za-z0-9]+`)

// identifier turns a policy's name into a construct id (camel), or a Terraform label.
func identifier(name string, camel bool) string {
	words := strings.Fields(noIdentifier.ReplaceAllString(name, " "))
	if !camel {
		label := strings.ToLower(strings.Join(words, "_"))
		if label == "" || label[0] >= '0' && label[0] <= '9' {
			label = "policy_" + label
		}
		return strings.TrimRight(label, "_")
	}
	for i, w := range words {
		words[i] = strings.ToUpper(w[:1]) + w[1:]
	}
	if len(words) == 0 {
		return "Policy"
	}
	return strings.Join(words, "")
}

// jsString prints a string literal of TypeScript.
func jsString(s string) string {
	q := VisibleJSON(jsonText(s))
	body := strings.ReplaceAll(q[1:len(q)-1], `\"`, `"`)
	return "'" + strings.ReplaceAll(body, "'", `\'`) + "'"
}

// hclString prints a string literal of Terraform: ${ and %{ would begin a
// template there, and IAM's policy variables look like that.
func hclString(s string) string {
	return strings.NewReplacer("${", "$${", "%{", "%%{").Replace(VisibleJSON(jsonText(s)))
}

// jsonText prints v as JSON without escaping <, > and &.
func jsonText(v any) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic("notice: only printable values are printed: " + err.Error())
	}
	return strings.TrimSuffix(b.String(), "\n")
}
