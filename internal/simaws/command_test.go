package simaws_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/buildmedic/buildmedic/internal/simaws"
)

// What known commands need, by what they print when they are denied it.
func TestCommands(t *testing.T) {
	tests := []struct{ run, needs, operation string }{
		{"aws ecr get-login-password", "ecr:GetAuthorizationToken on resource: *", "GetAuthorizationToken"},
		{"aws ecs register-task-definition --family web --cli-input-json file://t.json",
			"ecs:RegisterTaskDefinition on resource: arn:aws:ecs:us-east-1:111122223333:task-definition/web:*",
			"RegisterTaskDefinition"},
		{"aws ecs describe-task-definition --task-definition web", "ecs:DescribeTaskDefinition on resource: *", "DescribeTaskDefinition"},
		{"aws ecs update-service --cluster c --service=web",
			"ecs:UpdateService on resource: arn:aws:ecs:us-east-1:111122223333:service/c/web", "UpdateService"},
		{"aws ecs describe-services --services web",
			"ecs:DescribeServices on resource: arn:aws:ecs:us-east-1:111122223333:service/default/web",
			"DescribeServices"},
		{"aws ecs wait services-stable --cluster c --services web",
			"ecs:DescribeServices on resource: arn:aws:ecs:us-east-1:111122223333:service/c/web", "DescribeServices"},
		{"aws ssm get-parameter --name /a/b",
			"ssm:GetParameter on resource: arn:aws:ssm:us-east-1:111122223333:parameter/a/b", "GetParameter"},
		{"aws secretsmanager get-secret-value --secret-id db",
			"secretsmanager:GetSecretValue on resource: arn:aws:secretsmanager:us-east-1:111122223333:secret:db-a1B2c3",
			"GetSecretValue"},
		{"aws cloudfront create-invalidation --distribution-id E1 --paths '/*'",
			"cloudfront:CreateInvalidation on resource: arn:aws:cloudfront::111122223333:distribution/E1",
			"CreateInvalidation"},
		{"aws lambda update-function-code --function-name f --zip-file fileb://f.zip",
			"lambda:UpdateFunctionCode on resource: arn:aws:lambda:us-east-1:111122223333:function:f",
			"UpdateFunctionCode"},
		{"aws s3 cp s3://b/k .", `s3:GetObject on resource: "arn:aws:s3:::b/k"`, "GetObject"},
		{"aws sts get-caller-identity", "", ""},
		{"docker push registry.example.com/img:1", "", ""},
		{"npm ci", "", ""},
		{"echo done", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.run, func(t *testing.T) {
			s := world(t, roleMay()+
				"projects:\n  - name: p\n    role: r\n    buildspecs:\n      buildspec.yml:\n        build:\n"+
				"          - "+
				tt.run+"\n")
			if err := run(s, "p"); err != nil {
				t.Fatal(err)
			}
			b := s.Builds("p")[0]
			if tt.needs == "" {
				if b.Status != "SUCCEEDED" {
					t.Errorf("%s: %s", b.Status, b.Log)
				}
				return
			}
			if !strings.Contains(b.Log, " when calling the "+tt.operation+" operation: ") ||
				!strings.Contains(b.Log, "is not authorized to perform: "+tt.needs+" because") {
				t.Errorf("want %s by %s:\n%s", tt.needs, tt.operation, b.Log)
			}
		})
	}
}

// A repository policy denies in silence: the grant is felt, and still the
// build is denied the same thing in the same words.
func TestGrantDoesNotHelp(t *testing.T) {
	s := world(t, roleMay("ecr:GetAuthorizationToken")+`
repositories: [{name: img, policy: '{"Version":"2012-10-17","Statement":[{"Effect":"Deny",`+
		`"Principal":{"AWS":"arn:aws:iam::111122223333:role/r"},"Action":"ecr:PutImage"}]}'}]
projects:
  - name: p
    role: r
    buildspecs:
      buildspec.yml:
        build:
          - run: docker push 111122223333.dkr.ecr.us-east-1.amazonaws.com/img:1
            calls:
              - {action: ecr:PutImage, on: "arn:aws:ecr:us-east-1:111122223333:repository/img", as: old}`)
	c := dial(s, simaws.FunctionKey, "us-east-1")
	var said []string
	for i := range 2 {
		if err := run(s, "p"); err != nil {
			t.Fatal(err)
		}
		b := s.Builds("p")[i]
		_, text, _ := strings.Cut(b.Log, "\ndenied: User: ")
		text, _, _ = strings.Cut(text, "\n")
		said = append(said, strings.ReplaceAll(text, strings.TrimPrefix(b.ID, "p:"), "UUID"))
		if err := putP(deadline(t), c, anyDoc); err != nil {
			t.Fatal(err)
		}
		s.Clock.Advance(simulatedMinute)
	}
	if said[0] != said[1] ||
		!strings.HasSuffix(said[0],
			"perform: ecr:PutImage on resource: arn:aws:ecr:us-east-1:111122223333:repository/img") {
		t.Errorf("said %q", said)
	}
	out, err := c.iam.SimulatePrincipalPolicy(deadline(t),
		&iam.SimulatePrincipalPolicyInput{PolicySourceArn: aws.String("arn:aws:iam::111122223333:role/r"),
			ActionNames: []string{"ecr:PutImage"}, ResourceArns: []string{"arn:aws:ecr:us-east-1:111122223333:repository/img"}})
	if err != nil || out.EvaluationResults[0].EvalDecision != "allowed" {
		t.Errorf("the simulator, which knows no resource policies, says %+v, %v", out, err)
	}
}

// A policy of any other resource counts too, as does who a call is made by.
func TestResourcePolicyOfAKey(t *testing.T) {
	s := world(t, roleMay("kms:Decrypt")+`
resource_policies:
  - resource: arn:aws:kms:us-east-1:111122223333:key/k
    document: '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"kms:Decrypt",`+
		`"Resource":"*","Condition":{"StringNotEquals":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/other"}}}]}'
`+buildOf("{run: make, calls: [{action: kms:Decrypt, on: 'arn:aws:kms:us-east-1:111122223333:key/k'}]}"))
	if err := run(s, "p"); err != nil {
		t.Fatal(err)
	}
	if b := s.Builds("p")[0]; !strings.Contains(b.Log, "AccessDeniedException: User: "+
		strings.Replace(me, "UUID", strings.TrimPrefix(b.ID, "p:"), 1)+
		" is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:us-east-1:111122223333:key/k with an "+
		"explicit deny in a resource-based policy") {
		t.Errorf("%s:\n%s", b.Status, b.Log)
	}
}

// Log groups and streams have the names that the project gives them; a user
// who starts a build is its initiator.
func TestNames(t *testing.T) {
	s := world(t, "callers: {AKIAALICE: {user: alice}}\n"+roleMay()+
		strings.Replace(buildOf("make"), "role: r", "role: r, logs: {group: /team/web, stream: main}", 1))
	s.Caller("AKIABOB", "", simaws.Identity{User: "bob"})
	for key, want := range map[string]string{"AKIAALICE": "alice", "AKIABOB": "bob", simaws.OwnerKey: "root"} {
		c, ctx := dial(s, key, "us-east-1"), deadline(t)
		started, err := c.codebuild.StartBuild(ctx, &codebuild.StartBuildInput{ProjectName: aws.String("p")})
		if err != nil {
			t.Fatal(err)
		}
		s.Settle()
		out, err := c.codebuild.BatchGetBuilds(ctx, &codebuild.BatchGetBuildsInput{Ids: []string{*started.Build.Id}})
		if err != nil {
			t.Fatal(err)
		}
		b := out.Builds[0]
		stream := "main/" + strings.TrimPrefix(*b.Id, "p:")
		if *b.Initiator != want || *b.Logs.GroupName != "/team/web" || *b.Logs.StreamName != stream ||
			logOf(t, c, "/team/web", stream) == "" {
			t.Errorf("by %s, logs %+v", *b.Initiator, b.Logs)
		}
	}
}
