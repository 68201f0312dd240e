package awsapi

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/ledger/ledgertest"
	"github.com/buildmedic/buildmedic/internal/simaws"
)

// TestDynamoDB runs the suite against dynalite, an independent
// implementation of DynamoDB.
func TestDynamoDB(t *testing.T) {
	url := ledgertest.Dynalite(t)
	api := dynamodb.New(dynamodb.Options{Region: "eu-west-1", BaseEndpoint: aws.String(url),
		Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", "")})
	n := 0
	ledgertest.Conform(t, func(t *testing.T, c *ledgertest.Clock) heal.Store {
		n++
		return NewDynamoDB(api, makeTable(t, api, fmt.Sprintf("ledger-%d", n)), c)
	})
}

// TestSimulatedDynamoDB runs the suite against the simulated account, which the sandbox keeps its
// ledger in.
func TestSimulatedDynamoDB(t *testing.T) {
	sim, err := simaws.New(simaws.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer sim.Close()
	api := dynamodb.New(dynamodb.Options{Region: "us-east-1", BaseEndpoint: aws.String(sim.URL()), HTTPClient: sim.Client(),
		Credentials: credentials.NewStaticCredentialsProvider(simaws.OwnerKey, "secret", "")})
	n := 0
	ledgertest.Conform(t, func(t *testing.T, c *ledgertest.Clock) heal.Store {
		n++
		name := fmt.Sprintf("ledger-%d", n)
		sim.AddTable(simaws.Table{Name: name, Partition: PartitionKey, Sort: SortKey, Index: IndexName,
			IndexPartition: "shard", IndexSort: "due"})
		return NewDynamoDB(api, name, c)
	})
	if u := sim.Unknown(); len(u) > 0 {
		t.Errorf("it was asked what it does not know: %q", u)
	}
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
		AttributeDefinitions: []types.AttributeDefinition{str(PartitionKey), str(SortKey), str("shard"), str("due")},
		KeySchema: []types.KeySchemaElement{key(PartitionKey, types.KeyTypeHash),
			key(SortKey, types.KeyTypeRange)},
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{IndexName: aws.String(IndexName),
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly},
			KeySchema:  []types.KeySchemaElement{key("shard", types.KeyTypeHash), key("due", types.KeyTypeRange)}}},
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

// TestIndexIsSpread ensures that items of one kind are in several partitions of
// the index, that all of them are listed, in order, and that the index holds no
// more than their keys.
func TestIndexIsSpread(t *testing.T) {
	url := ledgertest.Dynalite(t)
	api := dynamodb.New(dynamodb.Options{Region: "eu-west-1", BaseEndpoint: aws.String(url),
		Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", "")})
	clock, table := ledgertest.NewClock(), makeTable(t, api, "spread")
	store, now := NewDynamoDB(api, table, clock), clock.Now()
	const n = 130 // more than are read at once
	for i := range n {
		it := heal.Item{Kind: "case", ID: fmt.Sprintf("c%d", i), Due: now.Add(time.Duration(i) * time.Second), Data: []byte("secret")}
		if _, err := store.Put(t.Context(), it); err != nil {
			t.Fatal(err)
		}
	}
	for _, newest := range []bool{false, true} {
		its, err := store.Between(t.Context(), "case", now, now.Add(time.Hour), newest, n)
		if err != nil || len(its) != n {
			t.Fatalf("%d of %d are listed, %v", len(its), n, err)
		}
		for i, it := range its {
			want := i
			if newest {
				want = n - 1 - i
			}
			if it.ID != fmt.Sprintf("c%d", want) || string(it.Data) != "secret" {
				t.Errorf("newest first %v: %d is %s, with %q", newest, i, it.ID, it.Data)
			}
		}
	}
	index, err := api.Scan(t.Context(), &dynamodb.ScanInput{TableName: &table, IndexName: aws.String(IndexName)})
	if err != nil {
		t.Fatal(err)
	}
	partitions := map[string]int{}
	for _, m := range index.Items {
		if len(m) != 4 {
			t.Errorf("the index has %d attributes of an item", len(m))
		}
		partitions[m["shard"].(*types.AttributeValueMemberS).Value]++
	}
	if len(partitions) != shards {
		t.Errorf("%d items are in %v", n, partitions)
	}
}

// halting reads one item of a batch at a time, and gives the rest back; after
// some of them none.
type halting struct {
	*dynamodb.Client
	reads int
}

func (h *halting) BatchGetItem(
	ctx context.Context, in *dynamodb.BatchGetItemInput, opts ...func(*dynamodb.Options),
) (*dynamodb.BatchGetItemOutput, error) {
	rest := map[string]types.KeysAndAttributes{}
	for table, ks := range in.RequestItems {
		rest[table] = types.KeysAndAttributes{Keys: ks.Keys[min(1, h.reads):]}
		ks.Keys = ks.Keys[:1]
		in.RequestItems[table] = ks
	}
	if h.reads == 0 {
		return &dynamodb.BatchGetItemOutput{UnprocessedKeys: rest}, nil
	}
	h.reads--
	out, err := h.Client.BatchGetItem(ctx, in, opts...)
	if err == nil {
		out.UnprocessedKeys = rest
	}
	return out, err
}

// TestBatchesAreReadToTheirEnd ensures that what DynamoDB did not come to is
// asked for again, and that a list is never short because of that.
func TestBatchesAreReadToTheirEnd(t *testing.T) {
	url := ledgertest.Dynalite(t)
	api := dynamodb.New(dynamodb.Options{Region: "eu-west-1", BaseEndpoint: aws.String(url),
		Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", "")})
	clock, table := ledgertest.NewClock(), makeTable(t, api, "halting")
	now := clock.Now()
	for i := range 12 {
		it := heal.Item{Kind: "case", ID: fmt.Sprintf("c%d", i), Due: now, Data: []byte("x")}
		if _, err := NewDynamoDB(api, table, clock).Put(t.Context(), it); err != nil {
			t.Fatal(err)
		}
	}
	its, err := NewDynamoDB(&halting{api, 12}, table, clock).Between(t.Context(), "case", now, now.Add(1), false, 50)
	if err != nil || len(its) != 12 {
		t.Errorf("%d of 12 are listed, %v", len(its), err)
	}
	its, err = NewDynamoDB(&halting{api, 5}, table, clock).Between(t.Context(), "case", now, now.Add(1), false, 50)
	if !errors.Is(err, heal.ErrLater) || its != nil {
		t.Errorf("when nothing more is read: %d are listed, %v, want %v", len(its), err, heal.ErrLater)
	}
}

// TestCounterIsSmall ensures that to count costs one write unit however many were counted.
func TestCounterIsSmall(t *testing.T) {
	url := ledgertest.Dynalite(t)
	api := dynamodb.New(dynamodb.Options{Region: "eu-west-1", BaseEndpoint: aws.String(url),
		Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", "")})
	clock, table := ledgertest.NewClock(), makeTable(t, api, "small")
	store, id := NewDynamoDB(api, table, clock), "writes arn:aws:iam::111122223333:role/service-role/shop-build 2026-11-29"
	for i := range 200 {
		by := fmt.Sprintf("0123456789abcdef-%d-1764432000", i)
		if ok, err := store.Count(t.Context(), id, by, 10_000, clock.Now().Add(time.Hour)); !ok || err != nil {
			t.Fatal(ok, err)
		}
		item, err := store.counter(t.Context(), id)
		if err != nil || sizeOf(item) > 1024 {
			t.Fatalf("after %d it has %d bytes, %v", i, sizeOf(item), err)
		}
	}
}

// formerCount is how the version before this one counted.
func formerCount(api *dynamodb.Client, table, id, by string, max int, now, expires time.Time) error {
	_, err := api.UpdateItem(context.Background(), &dynamodb.UpdateItemInput{TableName: &table, Key: itemKey("count", id, "count"),
		UpdateExpression:    aws.String("ADD who :one SET expires = if_not_exists(expires, :e)"),
		ConditionExpression: aws.String("attribute_not_exists(who) OR (expires >= :now AND (size(who) < :max OR contains(who, :by)))"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":one": &types.AttributeValueMemberSS{Value: []string{by}},
			":max": numberValue(int64(max)), ":by": &types.AttributeValueMemberS{Value: by}, ":e": numberValue(expires.Unix()),
			":now": numberValue(now.Unix())}})
	return err
}

// TestFormerCounters ensures that what an earlier version counted stays counted, and that an
// instance of it that still runs does not count apart.
func TestFormerCounters(t *testing.T) {
	url := ledgertest.Dynalite(t)
	api := dynamodb.New(dynamodb.Options{Region: "eu-west-1", BaseEndpoint: aws.String(url),
		Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", "")})
	clock, table := ledgertest.NewClock(), makeTable(t, api, "former")
	store, end := NewDynamoDB(api, table, clock), clock.Now().Add(time.Hour)
	for _, id := range []string{"n", "over"} {
		for _, by := range []string{"a", "b", "c"} {
			if err := formerCount(api, table, id, by, 5, clock.Now(), end); err != nil {
				t.Fatal(err)
			}
		}
	}
	for i, row := range []struct {
		by   string
		want bool
	}{{"a", true}, {"d", true}, {"b", true}, {"e", true}, {"f", false}, {"c", true}, {"d", true}} {
		room, rerr := store.Room(t.Context(), "n", row.by, 5)
		ok, err := store.Count(t.Context(), "n", row.by, 5, end)
		if ok != row.want || room != row.want || err != nil || rerr != nil {
			t.Errorf("%d: %s is counted: %v, with room %v, %v, %v", i, row.by, ok, room, err, rerr)
		}
	}
	if ok, err := store.Count(t.Context(), "new", "a", 5, end); !ok || err != nil {
		t.Fatal(ok, err)
	}
	for _, id := range []string{"n", "new"} {
		err := formerCount(api, table, id, "g", 5, clock.Now(), end)
		var failed *types.ConditionalCheckFailedException // which it would take for a budget that is used up
		if err == nil || errors.As(err, &failed) {
			t.Errorf("an instance of the version before counts %s: %v", id, err)
		}
	}
	clock.Advance(2 * time.Hour)
	for i, by := range []string{"f", "g", "h"} {
		if ok, err := store.Count(t.Context(), "over", by, 2, clock.Now().Add(time.Hour)); ok != (i < 2) || err != nil {
			t.Errorf("%s is counted in a new hour: %v, %v", by, ok, err)
		}
	}
}
