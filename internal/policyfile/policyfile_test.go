package policyfile_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/policyfile"
)

func push(repository string) iampolicy.Statement {
	return iampolicy.Allow("shop-image", []string{"ecr:PutImage", "ecr:InitiateLayerUpload"},
		[]string{"arn:aws:ecr:eu-west-1:111122223333:repository/" + repository})
}

// files are files as people keep them, and what they become. In each, ¦ marks where something is
// added: all else must stay byte for byte.
var files = []struct{ name, before, after string }{
	{"two spaces", `{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "Logs", "Effect": "Allow",
      "Action": ["logs:PutLogEvents"], "Resource": "*"
    }
  ]
}
`, `{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "Logs", "Effect": "Allow",
      "Action": ["logs:PutLogEvents"], "Resource": "*"
    }¦,
    {
      "Sid": "ShopImage",
      "Effect": "Allow",
      "Action": [
        "ecr:InitiateLayerUpload",
        "ecr:PutImage"
      ],
      "Resource": [
        "arn:aws:ecr:eu-west-1:111122223333:repository/shop"
      ]
    }¦
  ]
}
`},
	{"four spaces, the version last, no line end", `{
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "s3:GetObject",
            "Resource": "arn:aws:s3:::a/<b>&\u00e9"
        }
    ],
    "Version": "2012-10-17"
}`, `{
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "s3:GetObject",
            "Resource": "arn:aws:s3:::a/<b>&\u00e9"
        }¦,
        {
            "Sid": "ShopImage",
            "Effect": "Allow",
            "Action": [
                "ecr:InitiateLayerUpload",
                "ecr:PutImage"
            ],
            "Resource": [
                "arn:aws:ecr:eu-west-1:111122223333:repository/shop"
            ]
        }¦
    ],
    "Version": "2012-10-17"
}`},
	{"tabs, the bracket beside the brace", "{\n\t\"Version\": \"2012-10-17\",\n\t\"Statement\": [{\n\t\t\"Effect\": \"Deny\",\n" +
		"\t\t\"Action\": \"iam:*\",\n\t\t\"Resource\": \"*\"\n\t}]\n}\n",
		"{\n\t\"Version\": \"2012-10-17\",\n\t\"Statement\": [{\n\t\t\"Effect\": \"Deny\",\n" +
			"\t\t\"Action\": \"iam:*\",\n\t\t\"Resource\": \"*\"\n\t}¦, {\n\t\t\"Sid\": \"ShopImage\",\n\t\t\"Effect\": \"Allow\",\n" +
			"\t\t\"Action\": [\n\t\t\t\"ecr:InitiateLayerUpload\",\n\t\t\t\"ecr:PutImage\"\n\t\t],\n" +
			"\t\t\"Resource\": [\n\t\t\t\"arn:aws:ecr:eu-west-1:111122223333:repository/shop\"\n\t\t]\n\t}¦]\n}\n"},
	{"line ends of Windows", "{\r\n  \"Version\": \"2012-10-17\",\r\n  \"Statement\": []\r\n}\r\n",
		"{\r\n  \"Version\": \"2012-10-17\",\r\n  \"Statement\": [¦\r\n    {\r\n      \"Sid\": \"ShopImage\",\r\n" +
			"      \"Effect\": \"Allow\",\r\n      \"Action\": [\r\n        \"ecr:InitiateLayerUpload\",\r\n" +
			"        \"ecr:PutImage\"\r\n      ],\r\n      \"Resource\": [\r\n" +
			"        \"arn:aws:ecr:eu-west-1:111122223333:repository/shop\"\r\n      ]\r\n    }\r\n  ¦]\r\n}\r\n"},
	{"one line", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`,
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}¦,{"Sid":"ShopImage",` +
			`"Effect":"Allow","Action":["ecr:InitiateLayerUpload","ecr:PutImage"],"Resource":` +
			`["arn:aws:ecr:eu-west-1:111122223333:repository/shop"]}¦]}`},
	{"one line, empty", `{"Version":"2012-10-17","Statement":[ ]}`,
		`{"Version":"2012-10-17","Statement":[¦{"Sid":"ShopImage",` +
			`"Effect":"Allow","Action":["ecr:InitiateLayerUpload","ecr:PutImage"],"Resource":` +
			`["arn:aws:ecr:eu-west-1:111122223333:repository/shop"]}¦]}`},
	{"a line each", "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n" +
		"    { \"Sid\": \"ShopImage\", \"Effect\": \"Allow\", \"Action\": \"s3:*\", \"Resource\": \"*\" }\n  ]\n}\n",
		"{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n" +
			"    { \"Sid\": \"ShopImage\", \"Effect\": \"Allow\", \"Action\": \"s3:*\", \"Resource\": \"*\" }¦,\n" +
			`    {"Sid":"ShopImage2","Effect":"Allow","Action":["ecr:InitiateLayerUpload","ecr:PutImage"],"Resource":` +
			`["arn:aws:ecr:eu-west-1:111122223333:repository/shop"]}` + "¦\n  ]\n}\n"},
}

// TestAdd: what is added stands behind the last statement, as the file writes its own, and all else
// stays byte for byte. Adding twice adds nothing.
func TestAdd(t *testing.T) {
	for _, row := range files {
		after, added, err := policyfile.Add([]byte(row.before), []iampolicy.Statement{push("shop")})
		if want := strings.ReplaceAll(row.after, "¦", ""); err != nil || string(after) != want {
			t.Errorf("%s: %v\n got %q\nwant %q", row.name, err, after, want)
			continue
		}
		if parts := strings.Split(row.after, "¦"); strings.TrimRight(parts[0], " ")+strings.TrimLeft(parts[2], " ") !=
			strings.ReplaceAll(row.before, "[ ]", "[]") {
			t.Errorf("%s: the row itself changes more than it marks", row.name)
		}
		if len(added) != 1 || !strings.HasPrefix(added[0].Sid, "ShopImage") {
			t.Errorf("%s: added %v", row.name, added)
		}
		again, added, err := policyfile.Add(after, []iampolicy.Statement{push("shop")})
		if err != nil || len(added) > 0 || !bytes.Equal(again, after) {
			t.Errorf("%s: added again: %v, %v", row.name, added, err)
		}
	}
}

// TestNewFile: where there is no file, it is made in the canonical form.
func TestNewFile(t *testing.T) {
	after, added, err := policyfile.Add(nil, []iampolicy.Statement{push("shop"), push("site")})
	want := string(iampolicy.Document{Statements: added}.Canonical())
	if err != nil || len(added) != 2 || string(after) != want || !strings.HasSuffix(want, "}\n") {
		t.Errorf("%v, %d added:\n%s", err, len(added), after)
	}
}

// TestSameAsIAM: a file in canonical form gets the same document as IAM would.
func TestSameAsIAM(t *testing.T) {
	d := iampolicy.Document{Statements: []iampolicy.Statement{push("site")}}
	after, _, err := policyfile.Add(d.Canonical(), []iampolicy.Statement{push("shop"), push("site")})
	merged, _ := iampolicy.Merge(d, []iampolicy.Statement{push("shop"), push("site")})
	if err != nil || !bytes.Equal(after, merged.Canonical()) {
		t.Errorf("%v\n%s", err, after)
	}
}

// TestBadFile: of a file that is no policy document, nothing is guessed, and it is said what is wrong.
func TestBadFile(t *testing.T) {
	const good = `{"Version":"2012-10-17","Statement":[]}`
	for name, row := range map[string]struct{ file, want string }{
		"empty":            {" \n", "it is empty"},
		"not JSON":         {"resource \"aws_iam_policy\" \"x\" {}", "line 1:1: invalid character 'r'"},
		"a comment":        {"{ // shop\n}", "line 1:3: invalid character '/'"},
		"a comma too many": {`{"Version":"2012-10-17","Statement":[],}`, "invalid character '}'"},
		"a byte order":     {"\xef\xbb\xbf" + good, "byte order mark"},
		"not UTF-8":        {"{\"Version\":\"\xff\"}", "byte 0xff is not UTF-8"},
		"a template": {`{"Resources":{}}`,
			"line 1:2: Resources: unknown key; a policy document has Version, Id and Statement"},
		"a key twice":    {`{"Version":"2012-10-17","Statement":[],"Statement":[]}`, "Statement: this key occurs twice"},
		"no list":        {`{"Version":"2012-10-17","Statement":{}}`, "want a list of statements, not an object"},
		"no version":     {`{"Statement":[]}`, "Version: is missing"},
		"a trust policy": {`{"Version":"2012-10-17","Statement":[{"Principal":"*"}]}`, "names no principal"},
		"two documents":  {good + good, "invalid character '{' after top-level value"},
		"a huge file":    {good + strings.Repeat(" ", policyfile.MaxFile), "it has 262183 bytes"},
		"a large policy": {`{"Version":"2012-10-17","Id":"` + strings.Repeat("x", 10100) + `","Statement":[]}`,
			"no policy of IAM has more than 10240"},
	} {
		after, added, err := policyfile.Add([]byte(row.file), []iampolicy.Statement{push("shop")})
		if err == nil || !strings.Contains(err.Error(), row.want) || after != nil || added != nil {
			t.Errorf("%s: %v, want %q", name, err, row.want)
		}
	}
	if _, _, err := policyfile.Add([]byte(good+strings.Repeat(" ", policyfile.MaxFile-len(good))), nil); err != nil {
		t.Errorf("the largest file: %v", err)
	}
}

// TestPatchApplies: real git takes each patch, and makes of the file what was meant; and of a new one.
func TestPatchApplies(t *testing.T) {
	const path = "aws/iam-policy-codebuild.json"
	rows := append(slices.Clone(files), struct{ name, before, after string }{"new", "", ""})
	for _, row := range rows {
		dir := t.TempDir()
		before := []byte(row.before)
		if row.name == "new" {
			before = nil
		} else if err := errorOf(os.Mkdir(filepath.Join(dir, "aws"), 0o755),
			os.WriteFile(filepath.Join(dir, path), before, 0o644)); err != nil {
			t.Fatal(err)
		}
		after, _, err := policyfile.Add(before, []iampolicy.Statement{push("shop")})
		if err != nil {
			t.Fatal(err)
		}
		patch := policyfile.Patch(path, before, after)
		cmd := exec.Command("git", "-c", "core.autocrlf=false", "apply", "--whitespace=nowarn", "-")
		cmd.Dir, cmd.Stdin = dir, strings.NewReader(patch)
		cmd.Env = append(os.Environ(), "GIT_CEILING_DIRECTORIES="+filepath.Dir(dir), "GIT_CONFIG_GLOBAL=/dev/null", "LC_ALL=C")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s\n%s", row.name, err, out, patch)
			continue
		}
		if got, err := os.ReadFile(filepath.Join(dir, path)); err != nil || !bytes.Equal(got, after) {
			t.Errorf("%s: %v\n%q\n%q", row.name, err, got, after)
		}
		if again := policyfile.Patch(path, after, after); again != "" {
			t.Errorf("%s: a patch of nothing: %q", row.name, again)
		}
	}
}

func errorOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// TestPatch is how a patch looks.
func TestPatch(t *testing.T) {
	before := "a\nb\nc\nd\ne\nf\ng\nh"
	want := `diff --git a/p.json b/p.json
--- a/p.json
+++ b/p.json
@@ -2,7 +2,8 @@
 b
 c
 d
-e
+E
+F
 f
 g
 h
\ No newline at end of file
`
	if got := policyfile.Patch("p.json", []byte(before), []byte(strings.Replace(before, "e\n", "E\nF\n", 1))); got != want {
		t.Errorf("got\n%s", got)
	}
}

// TestValidPath: only plain paths within the repository.
func TestValidPath(t *testing.T) {
	for _, p := range []string{"p.json", "aws/iam-policy-codebuild.json", "a/b/c/d/e/f/g/h.json", ".github/p.json"} {
		if !policyfile.ValidPath(p) {
			t.Errorf("%q is refused", p)
		}
	}
	for _, p := range []string{"", "/p.json", "a//p.json", "../p.json", "a/./p.json", ".git/config", "a/.GIT/x", "a b.json",
		"a\"b.json", "a\nb", "é.json", "a/b/c/d/e/f/g/h/i.json", strings.Repeat("x", 201), `a\b`, "p.json/"} {
		if policyfile.ValidPath(p) {
			t.Errorf("%q is taken", p)
		}
	}
}

// FuzzAdd: whatever the file, what is added is what was asked for, and the rest stays.
func FuzzAdd(f *testing.F) {
	for _, row := range files {
		f.Add([]byte(row.before))
	}
	f.Fuzz(func(t *testing.T, before []byte) {
		after, added, err := policyfile.Add(before, []iampolicy.Statement{push("shop")})
		if err != nil || len(added) == 0 {
			return
		}
		was, _ := iampolicy.Parse(before)
		is, err := iampolicy.Parse(after)
		if err != nil || len(is.Statements) != len(was.Statements)+len(added) {
			t.Fatalf("%v: %q became %q", err, before, after)
		}
		for i, s := range was.Statements {
			if s.Raw != is.Statements[i].Raw {
				t.Errorf("%q became %q", s.Raw, is.Statements[i].Raw)
			}
		}
	})
}
