package awsapi

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/ledger/ledgertest"
)

// taken is a DynamoDB in which the item was written already.
type taken struct {
	DynamoDBAPI
	item map[string]types.AttributeValue
}

func (t taken) PutItem(context.Context, *dynamodb.PutItemInput, ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	return nil, &types.ConditionalCheckFailedException{Item: t.item}
}

// TestTwoClaimOneItem ensures that a write whose answer was lost is taken for
// its own, and somebody else's of the same data is not: of two sweeps that claim
// a notice for a digest, one sends it.
func TestTwoClaimOneItem(t *testing.T) {
	c := ledgertest.NewClock()
	mine := heal.Item{Kind: "digest", ID: "a.1", Version: 1, Data: []byte("notice"), Due: c.Now(), Expires: c.Now().Add(time.Hour)}
	for name, row := range map[string]struct {
		later time.Duration
		want  error
	}{"its own": {0, nil}, "somebody else's": {time.Millisecond, heal.ErrConflict}} {
		there := mine
		there.Version, there.Due = 2, mine.Due.Add(row.later)
		item, err := encodeItem(there)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := NewDynamoDB(taken{item: item}, "ledger", c).Put(t.Context(), mine); !errors.Is(err, row.want) {
			t.Errorf("%s: %v, want %v", name, err, row.want)
		}
	}
}
