package awsapi

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/buildmedic/buildmedic/internal/heal"
)

// SizeOf is how many bytes DynamoDB counts for an item of the ledger (AWS.md#write-units).
func SizeOf(it heal.Item) (int, error) {
	m, err := encodeItem(it)
	return sizeOf(m), err
}

// SizeOfCount is how many bytes DynamoDB counts for a counter that counts nobody yet.
func SizeOfCount(id string) int {
	m := itemKey("count", id, "count")
	m["who"], m[TTLAttribute] = &types.AttributeValueMemberSS{}, numberValue(time.Now().Unix())
	return sizeOf(m)
}

// RequestsOfBetween is how many requests, one after the other, list so many items.
func RequestsOfBetween(items int) int { return shards + (items+batchOf-1)/batchOf }

func sizeOf(m map[string]types.AttributeValue) (n int) {
	for name, v := range m {
		n += len(name)
		switch v := v.(type) {
		case *types.AttributeValueMemberS:
			n += len(v.Value)
		case *types.AttributeValueMemberB:
			n += len(v.Value)
		case *types.AttributeValueMemberN: // a byte for two digits, and one more
			n += (len(v.Value)+1)/2 + 1
		case *types.AttributeValueMemberSS:
			for _, s := range v.Value {
				n += len(s)
			}
		}
	}
	return n
}
