package notice

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/buildmedic/buildmedic/internal/iampolicy"
)

// awkward is a document with everything that a snippet may have to print.
func awkward(t *testing.T) iampolicy.Document {
	t.Helper()
	d, err := iampolicy.Parse([]byte(`{"Version": "2012-10-17", "Statement": [
		{"Sid": "Own", "Effect": "Allow", "Action": ["s3:*"], "Resource": ["arn:aws:s3:::home/${aws:username}/*", ` +
		`"arn:aws:s3:::it's/%{x}/\"q\"/\\b"]},
		{"Effect": "Deny", "NotAction": "iam:*", "NotResource": "arn:aws:s3:::<a>&b",
		 "Condition": {"StringLike": {"aws:PrincipalTag/team": ["a", "b"], "s3:prefix": "x/*"}, ` +
		`"Bool": {"aws:SecureTransport": "true"}}},
		{"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*", "Condition": {"ForAnyValue:StringEquals": ` +
		`{"iam:PassedToService": ["ecs-tasks.amazonaws.com"]}}}
	]}`))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestSnippets compares the snippets with their golden files.
func TestSnippets(t *testing.T) {
	d := awkward(t)
	a := &txtar.Archive{
		Comment: []byte("An awkward policy as snippets: inline on a role with a path, and as a managed policy.\n"),
	}
	for _, row := range []struct{ name, role, policy string }{
		{"inline", "service-role/codebuild-x", "3 policy's-name"},
		{"managed", "codebuild-x", "arn:aws:iam::111122223333:policy/team/qivr-codebuild-policy"},
	} {
		a.Files = append(a.Files,
			txtar.File{Name: row.name + ".ts", Data: []byte(CDK(row.role, row.policy, d))},
			txtar.File{Name: row.name + ".tf", Data: []byte(Terraform(row.role, row.policy, d))},
			txtar.File{Name: row.name + ".sh", Data: []byte(CLI(row.role, row.policy, d))})
	}
	got := txtar.Format(a)
	file := filepath.Join("testdata", "snippets", "awkward.txtar")
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")); diff != "" {
		t.Errorf("snippets (-want +got):\n%s", diff)
	}
}

func TestIdentifier(t *testing.T) {
	for name, want := range map[string][2]string{
		"CodeBuild-ECR-Permissions": {"CodeBuildECRPermissions", "codebuild_ecr_permissions"},
		"3x":                        {"3x", "policy_3x"}, "": {"Policy", "policy"}, "---": {"Policy", "policy"},
		"a.b@c": {"ABC", "a_b_c"},
	} {
		if got := [2]string{identifier(name, true), identifier(name, false)}; got != want {
			t.Errorf("identifier(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestShellWord(t *testing.T) {
	for in, want := range map[string]string{
		"a-b_c/d.e:f": "a-b_c/d.e:f",
		"":            "''",
		"a b":         "'a b'",
		"it's":        `'it'\''s'`,
		"$x":          "'$x'",
		"é":           "'é'",
		"-x":          "-x",
	} {
		if got := shellWord(in); got != want {
			t.Errorf("shellWord(%q) = %s, want %s", in, got, want)
		}
	}
}
