package awsapi

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/ledger/ledgertest"
)

// TestDynamoDB runs the suite against dynalite, an independent
// implementation of DynamoDB.
func TestDynamoDB(t *testing.T) {
	url := dynalite(t)
	api := dynamodb.New(dynamodb.Options{Region: "eu-west-1", BaseEndpoint: aws.String(url),
		Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", "")})
	n := 0
	ledgertest.Conform(t, func(t *testing.T, c *ledgertest.Clock) heal.Store {
		n++
		return NewDynamoDB(api, makeTable(t, api, fmt.Sprintf("ledger-%d", n)), c)
	})
}

func makeTable(t *testing.T, api *dynamodb.Client, name string) string {
	t.Helper()
	str := func(n string) types.AttributeDefinition {
		return types.AttributeDefinition{AttributeName: aws.String(n), AttributeType: types.ScalarAttributeTypeS}
	}
	key := func(n string, kt types.KeyType) types.KeySchemaElement {
		return types.KeySchemaElement{AttributeName: aws.String(n), KeyType: kt}
	}
	_, err := api.CreateTable(context.Background(), &dynamodb.CreateTableInput{
		TableName:            &name,
		BillingMode:          types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{str(PartitionKey), str(SortKey), str("kind"), str("due")},
		KeySchema: []types.KeySchemaElement{key(PartitionKey, types.KeyTypeHash),
			key(SortKey, types.KeyTypeRange)},
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{IndexName: aws.String(IndexName),
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll},
			KeySchema:  []types.KeySchemaElement{key("kind", types.KeyTypeHash), key("due", types.KeyTypeRange)}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	made := dynamodb.NewTableExistsWaiter(api, func(o *dynamodb.TableExistsWaiterOptions) {
		o.MinDelay, o.MaxDelay = time.Millisecond, 50*time.Millisecond
	})
	if err := made.Wait(context.Background(), &dynamodb.DescribeTableInput{TableName: &name}, time.Minute); err != nil {
		t.Fatal(err)
	}
	return name
}

// dynalite starts one on loopback and gives its address.
func dynalite(t *testing.T) string {
	t.Helper()
	dir := filepath.Join("testdata", "dynalite", "node_modules", "dynalite")
	node, nerr := exec.LookPath("node")
	if _, err := os.Stat(dir); err != nil || nerr != nil {
		if os.Getenv("BUILDMEDIC_NEED_DYNALITE") != "" {
			t.Fatal("dynalite is not installed: run make dynalite")
		}
		t.Skip("dynalite is not installed: `make test` installs it where Node.js and npm are; the memory and file ledgers were tested")
	}
	script := `const d=require(process.argv[1])({createTableMs:0,deleteTableMs:0,updateTableMs:0});d.listen(0,` +
		`'127.0.0.1',()=>console.log('http://127.0.0.1:'+d.address().port));process.stdin.on('end',` +
		`()=>process.exit(0)).resume()`
	abs, err := filepath.Abs(dir)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(node, "-e", script, abs)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe() // its end ends the server, however the test ends
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		_, _ = io.Copy(io.Discard, out)
		if err := cmd.Wait(); err != nil {
			t.Errorf("dynalite: %v", err)
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("dynalite did not start: %v", err)
	}
	return strings.TrimSpace(line)
}

// refusing is a DynamoDB that answers everything with one error code.
type refusing struct {
	DynamoDBAPI
	code string
}

func (r refusing) GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	return nil, &smithy.GenericAPIError{Code: r.code, Message: "User is not authorized to perform: dynamodb:GetItem on the table"}
}

// TestDynamoDBErrors ensures that the ledger's errors are classified like those
// of any other service: a missing permission of the healer is told as one.
func TestDynamoDBErrors(t *testing.T) {
	for code, want := range map[string]error{
		"AccessDeniedException":                  heal.ErrDenied,
		"ProvisionedThroughputExceededException": heal.ErrLater,
		"RequestLimitExceeded":                   heal.ErrLater,
		"InternalServerError":                    heal.ErrLater,
		"ResourceNotFoundException":              heal.ErrNotFound, // the table is gone
	} {
		_, err := NewDynamoDB(refusing{code: code}, "ledger", ledgertest.NewClock()).Get(t.Context(), "case", "c")
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", code, err, want)
		}
	}
}
