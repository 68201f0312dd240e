package awsapi

import (
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/settings"
	"github.com/buildmedic/buildmedic/internal/simaws"
)

// home is where the worlds of these tests are.
var home = settings.Account{ID: "111122223333", Region: "us-east-1"}

// world starts a simulated account. LOGS in the text is a policy by which a
// build may write its log.
func world(t *testing.T, text string) *simaws.Sim {
	t.Helper()
	s, err := simaws.Load([]byte(strings.ReplaceAll(text, "LOGS", "'"+may("logs:* s3:*")+"'")))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// config is that of a caller who tries each call once.
func config(url, key string, client *http.Client) aws.Config {
	return aws.Config{Region: home.Region, BaseEndpoint: &url, HTTPClient: client,
		Credentials: credentials.NewStaticCredentialsProvider(key, "simulated", ""),
		Retryer:     func() aws.Retryer { return aws.NopRetryer{} }}
}

// function gives the accounts as the function sees them.
func function(s *simaws.Sim, memberRole string) *Accounts {
	return NewAccounts(config(s.URL(), simaws.FunctionKey, s.Client()), home, "aws", memberRole)
}

// ran starts a build, lets it end and reads it.
func ran(t *testing.T, s *simaws.Sim, st simaws.Start) codebuild.Build {
	t.Helper()
	id := begun(t, s, st)
	s.Settle()
	return got(t, s, id)
}

func begun(t *testing.T, s *simaws.Sim, st simaws.Start) string {
	t.Helper()
	id, err := s.Run(st)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func got(t *testing.T, s *simaws.Sim, id string) codebuild.Build {
	t.Helper()
	b, err := CodeBuild{function(s, "")}.Get(t.Context(), home, id)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// fault has calls of the operation answered with an error.
func fault(s *simaws.Sim, operation string, f simaws.Fault) {
	s.Hook(func(c simaws.Call) simaws.Fault {
		if c.Operation == operation && !c.Done {
			return f
		}
		return simaws.Fault{}
	})
}

// count tells how often an operation was called.
func count(s *simaws.Sim, operation string) int {
	n := 0
	for _, c := range s.Calls() {
		if c.Operation == operation {
			n++
		}
	}
	return n
}

// role is a role of the home account, by its name.
func role(name string) codebuild.Role {
	return codebuild.Role{Partition: "aws", Account: home.ID, Path: "/", Name: name}
}

// may is a document that allows the actions, separated by spaces, on
// everything.
func may(actions string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["` +
		strings.ReplaceAll(actions, " ", `","`) + `"],"Resource":"*"}]}`
}
