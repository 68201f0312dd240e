package awsapi

import (
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/buildmedic/buildmedic/internal/heal"
)

// SizeOf is how many bytes DynamoDB counts for an item of the ledger (AWS.md#write-units).
func SizeOf(it heal.Item) (int, error) {
	m, err := encodeItem(it)
	return sizeOf(m), err
}

// SizeOfCounter is how many bytes DynamoDB counts for a counter.
func SizeOfCounter(id string, c heal.Counter) int { return sizeOf(encodeCounter(id, c)) }

// RequestsOfBetween is how many requests list so many items, and how many of them one after the other:
// the partitions of the index are asked at the same time.
func RequestsOfBetween(items int) (all, inTurn int) {
	reads := (items + batchOf - 1) / batchOf
	return shards + reads, 1 + reads
}

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
		case *types.AttributeValueMemberM:
			n += 3 + sizeOf(v.Value)
		}
	}
	return n
}
