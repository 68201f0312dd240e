package iamref

import (
	"bytes"
	"compress/flate"
	"encoding/json"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLookup(t *testing.T) {
	got, ok := Lookup("ECR:putimage")
	want := Action{
		Name:  "ecr:PutImage",
		Level: Write,
		Resources: []ResourceType{{
			Name: "repository", Required: true,
			ARN: "arn:${Partition}:ecr:${Region}:${Account}:repository/${RepositoryName}",
		}},
	}
	if !ok || cmp.Diff(want, got) != "" {
		t.Errorf("Lookup: %v, -want +got:\n%s", ok, cmp.Diff(want, got))
	}

	for _, name := range []string{
		"", ":", "ecr", "ecr:", ":PutImage", "ecr:PutImage ", " ecr:PutImage", "ecr:Put*", "ecr:PutImag", "ecr:PutImagee",
		"nosuch:PutImage", "ecr:PutImage:x", "ecr.PutImage", "*", "*:*", "#operations:x", "#dictionary:",
		"\u212Ams:Decrypt", // the Kelvin sign folds to k in Unicode, not here
		"kms:Decr\u0443pt", // a Cyrillic letter
		"ecr:" + strings.Repeat("P", 10_000),
	} {
		if a, ok := Lookup(name); ok {
			t.Errorf("Lookup(%q) = %v", name, a)
		}
	}
}

func TestLevels(t *testing.T) {
	for name, want := range map[string]Level{
		"s3:ListBucket": List, "s3:GetObject": Read, "s3:PutObject": Write,
		"s3:PutBucketPolicy": Permissions, "iam:PassRole": Write, "iam:PutRolePolicy": Permissions,
		"kms:CreateGrant": Permissions, "lambda:AddPermission": Permissions, "ecs:TagResource": Tagging,
	} {
		if a, ok := Lookup(name); !ok || a.Level != want {
			t.Errorf("%s: %q, %v; want %q", name, a.Level, ok, want)
		}
	}
}

func TestDependentAndConditions(t *testing.T) {
	a, _ := Lookup("iam:PassRole")
	if !slices.Contains(a.Conditions, "iam:PassedToService") {
		t.Errorf("iam:PassRole has the conditions %q, without iam:PassedToService", a.Conditions)
	}
	a, _ = Lookup("ec2:CreateNetworkInterfacePermission")
	if !slices.Contains(a.Conditions, "ec2:AuthorizedService") {
		t.Errorf("%s has the conditions %q, without ec2:AuthorizedService", a.Name, a.Conditions)
	}
	a, _ = Lookup("ecs:RegisterTaskDefinition")
	if !slices.Contains(a.Dependent, "iam:PassRole") {
		t.Errorf("%s depends on %q, without iam:PassRole", a.Name, a.Dependent)
	}
}

// Everything in the file is well-formed, and every name finds itself.
func TestWhole(t *testing.T) {
	services := Services()
	if len(services) < 450 || !slices.IsSorted(services) {
		t.Fatalf("%d services, sorted: %v", len(services), slices.IsSorted(services))
	}
	count := 0
	for _, prefix := range services {
		actions := Actions(prefix)
		if len(actions) == 0 {
			t.Errorf("%s has no actions", prefix)
		}
		count += len(actions)
		for _, a := range actions {
			if got, ok := Lookup(strings.ToUpper(a.Name)); !ok || got.Name != a.Name {
				t.Errorf("Lookup(%q) = %q, %v", strings.ToUpper(a.Name), got.Name, ok)
			}
			if a.Level == "" || !strings.HasPrefix(a.Name, prefix+":") {
				t.Errorf("%q has the level %q", a.Name, a.Level)
			}
			for _, r := range a.Resources {
				if r.Name == "" || !strings.HasPrefix(r.ARN, "arn:${Partition}:") || !Fits(a.Name, sample(r.ARN)) {
					t.Errorf("%s: its own type %+v does not fit as %s", a.Name, r, sample(r.ARN))
				}
			}
		}
	}
	if count < 22_000 {
		t.Errorf("%d actions", count)
	}
	if Actions("nosuch") != nil || len(Actions("ECR")) == 0 {
		t.Error("Actions does not tell services apart")
	}
}

// sample fills a type's pattern in.
func sample(arn string) string {
	for strings.Contains(arn, "${") {
		before, rest, _ := strings.Cut(arn, "${")
		name, after, _ := strings.Cut(rest, "}")
		value := "x1"
		switch {
		case name == "Partition":
			value = "aws-us-gov"
		case strings.Count(before, ":") == 4:
			value = "111122223333"
		}
		arn = before + value + after
	}
	return strings.ReplaceAll(arn, "*", "x2")
}

// These take no resource (AWS.md#actions-without-a-resource). Of ec2:Describe* a
// few do, as describeWithResource says.
func TestActionsWithoutResource(t *testing.T) {
	patterns := strings.Fields(`
		ecr:GetAuthorizationToken ecr-public:GetAuthorizationToken sts:GetServiceBearerToken sts:GetCallerIdentity
		sts:DecodeAuthorizationMessage ecs:DescribeTaskDefinition ecs:DeregisterTaskDefinition ecs:ListClusters
		ecs:ListTaskDefinitions ecs:ListServices s3:ListAllMyBuckets logs:DescribeLogGroups ssm:DescribeParameters
		secretsmanager:ListSecrets secretsmanager:BatchGetSecretValue kms:ListKeys kms:ListAliases kms:CreateKey
		codeartifact:ListDomains codeartifact:ListRepositories cloudfront:ListDistributions lambda:ListFunctions
		lambda:CreateEventSourceMapping cloudformation:ValidateTemplate cloudformation:ListStacks
		cloudformation:ListExports eks:ListClusters eks:CreateCluster ec2:Describe* elasticloadbalancing:Describe*
		iam:ListRoles iam:ListPolicies access-analyzer:ValidatePolicy access-analyzer:Check* cloudtrail:LookupEvents`)
	describeWithResource := []string{
		"ec2:DescribeCapacityBlockExtensionOfferings", "ec2:DescribeClientVpnAuthorizationRules", "ec2:DescribeClientVpnConnections",
		"ec2:DescribeClientVpnRoutes", "ec2:DescribeClientVpnTargetNetworks", "ec2:DescribeFleetHistory", "ec2:DescribeFleetInstances",
		"ec2:DescribeFpgaImageAttribute", "ec2:DescribeImageAttribute", "ec2:DescribeInstanceAttribute",
		"ec2:DescribeSecurityGroupReferences", "ec2:DescribeSnapshotAttribute", "ec2:DescribeSpotFleetInstances",
		"ec2:DescribeSpotFleetRequestHistory", "ec2:DescribeVolumeAttribute", "ec2:DescribeVpcAttribute",
		"ec2:DescribeVpcEndpointServicePermissions",
	}
	for _, p := range patterns {
		names := Expand(p)
		if len(names) == 0 {
			t.Errorf("%s is nothing", p)
		}
		for _, name := range names {
			a, _ := Lookup(name)
			if (len(a.Resources) > 0) != slices.Contains(describeWithResource, name) {
				t.Errorf("%s (%s) takes %v", name, p, a.Resources)
			}
		}
	}
	if a, _ := Lookup("ecs:RegisterTaskDefinition"); len(a.Resources) == 0 {
		t.Error("ecs:RegisterTaskDefinition has no resource level")
	}
}

func TestExpand(t *testing.T) {
	tests := []struct {
		pattern string
		want    []string
	}{
		{"ecr:PutImage", []string{"ecr:PutImage"}},
		{"ECR:putimage*", []string{"ecr:PutImage", "ecr:PutImageScanningConfiguration", "ecr:PutImageTagMutability"}},
		{"e?r:BatchCheck*", []string{"ecr:BatchCheckLayerAvailability"}},
		{"ecr*:batchcheck*", []string{"ecr-public:BatchCheckLayerAvailability", "ecr:BatchCheckLayerAvailability"}},
		{"ecr:No*", nil},
		{"nosuch:*", nil},
		{"", nil},
		{"ecr", nil},
		{"**", nil},
		{"ecr:", nil},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, Expand(tt.pattern)); diff != "" {
			t.Errorf("Expand(%q): -want +got:\n%s", tt.pattern, diff)
		}
	}
	all := Expand("*")
	if len(all) < 22_000 || len(all) != len(Expand("*:*")) {
		t.Errorf(`Expand("*") gives %d, Expand("*:*") %d`, len(all), len(Expand("*:*")))
	}
}

// The embedded file stays small in the function's package, and asking for one
// service parses one.
func TestSizeAndLaziness(t *testing.T) {
	var packed bytes.Buffer
	w, err := flate.NewWriter(&packed, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, reference); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if packed.Len() >= 250_000 {
		t.Errorf("reference.txt has %d bytes when compressed, want fewer than 250,000", packed.Len())
	}
	var parsed []string
	f := open(reference, func(prefix, text string) *service {
		parsed = append(parsed, prefix)
		return parseService(prefix, text)
	})
	if len(parsed) > 0 {
		t.Errorf("opening parses %q", parsed)
	}
	for range 2 {
		f.service("ecr")
		f.service("nosuch")
	}
	if diff := cmp.Diff([]string{"ecr"}, parsed); diff != "" {
		t.Errorf("asking for ecr: -want +parsed:\n%s", diff)
	}
}

// A file that is not whole is noticed when it is opened.
func TestDamaged(t *testing.T) {
	for name, damage := range map[string]func(string) string{
		"empty":           func(string) string { return "" },
		"another version": func(s string) string { return strings.Replace(s, version, "iamref 1", 1) },
		"cut":             func(s string) string { return s[:len(s)-1] },
		"a line gone":     func(s string) string { return strings.Replace(s, "PutImage\tW\t0!\n", "", 1) },
		"a line more":     func(s string) string { return strings.Replace(s, "\necr\n", "\necr\n\n", 1) },
		"a size more":     func(s string) string { return strings.Replace(s, "\necr\t", "\necr\t1", 1) },
	} {
		t.Run(name, func(t *testing.T) {
			text := damage(reference)
			if text == reference {
				t.Fatal("it is not damaged")
			}
			defer func() {
				if recover() == nil {
					t.Error("it was opened")
				}
			}()
			open(text, parseService)
		})
	}
}

// The sources that the file was made from are named in NOTICE.
func TestNotice(t *testing.T) {
	notice, err := os.ReadFile("NOTICE")
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile("gen/operation-actions.json")
	if err != nil {
		t.Fatal(err)
	}
	var ops struct{ Source string }
	if err := json.Unmarshal(data, &ops); err != nil {
		t.Fatal(err)
	}
	f := file()
	if f.operationSource != ops.Source || ops.Source == "" {
		t.Errorf("reference.txt was made from %q, the room has %q", f.operationSource, ops.Source)
	}
	versions := regexp.MustCompile(`\d+\.\d+\.\d+`).FindAllString(f.packageSource, -1)
	if len(versions) != 2 {
		t.Fatalf("the package's source is %q", f.packageSource)
	}
	for _, want := range []string{
		ops.Source, "version " + versions[0], "version " + versions[1], "MIT License", "Act Security",
		"The above copyright notice",
	} {
		if !strings.Contains(string(notice), want) {
			t.Errorf("NOTICE lacks %q", want)
		}
	}
}

func FuzzLookup(f *testing.F) {
	for _, s := range []string{"ecr:PutImage", "s3:*", ":", "ec2:describe?nstances", "*"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, ok := Lookup(s)
		if ok && !strings.EqualFold(a.Name, s) {
			t.Errorf("Lookup(%q) = %q", s, a.Name)
		}
		if strings.HasPrefix(s, "ecr:") || ok {
			names := Expand(s)
			if ok && !slices.Equal(names, []string{a.Name}) {
				t.Errorf("Expand(%q) = %q, Lookup gives %q", s, names, a.Name)
			}
			if !slices.IsSorted(names) {
				t.Errorf("Expand(%q) is not sorted", s)
			}
		}
	})
}
