package awsapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/buildmedic/buildmedic/internal/heal"
)

// DynamoDBAPI is the part of DynamoDB that the ledger uses: writes of single items
// only, no transactions.
type DynamoDBAPI interface {
	BatchGetItem(context.Context, *dynamodb.BatchGetItemInput, ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error)
	GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
	PutItem(context.Context, *dynamodb.PutItemInput, ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error)
	UpdateItem(context.Context, *dynamodb.UpdateItemInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error)
	Query(context.Context, *dynamodb.QueryInput, ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error)
}

// The table's shape, as the stack makes it.
const (
	PartitionKey = "pk"      // KIND#ID
	SortKey      = "sk"      // "item" or "count"
	IndexName    = "next"    // partition key "shard", sort key "due", keys only
	TTLAttribute = "expires" // seconds since 1970
)

// shards is over how many partitions of the index the items of a kind are spread: a
// partition takes 1,000 writes a second (AWS.md#index). All are read, so a change of
// the number strands what is there.
const shards = 4

// shardOf is the partition of the index that an item is in.
func shardOf(kind, id string) string {
	h := fnv.New32a()
	h.Write([]byte(id))
	return shardName(kind, int(h.Sum32()%shards))
}

func shardName(kind string, n int) string { return kind + "#" + strconv.Itoa(n) }

// dueForm sorts as time does.
const dueForm = "2006-01-02T15:04:05.000000000Z"

// maxItem bounds what is written: DynamoDB takes 400 KB an item, names and
// all. The healer keeps well below it: [heal.MaxData].
const maxItem = 380 << 10

// DynamoDB is the healer's ledger in one table; it implements [heal.Store].
type DynamoDB struct {
	api   DynamoDBAPI
	table string
	clock heal.Clock
}

// NewDynamoDB gives the ledger in the table, which has the shape above.
func NewDynamoDB(api DynamoDBAPI, table string, clock heal.Clock) *DynamoDB {
	return &DynamoDB{api: api, table: table, clock: clock}
}

func itemKey(kind, id, sort string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{
		PartitionKey: &types.AttributeValueMemberS{Value: kind + "#" + id},
		SortKey:      &types.AttributeValueMemberS{Value: sort},
	}
}

func numberValue(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

// Get implements [heal.Store]. The read is consistent.
func (d *DynamoDB) Get(ctx context.Context, kind, id string) (heal.Item, error) {
	out, err := d.api.GetItem(ctx, &dynamodb.GetItemInput{TableName: &d.table, Key: itemKey(kind, id, "item"),
		ConsistentRead: aws.Bool(true)})
	if err != nil {
		return heal.Item{}, fmt.Errorf("reading %s %q: %w", kind, id, classify(err))
	}
	if out.Item == nil {
		return heal.Item{}, heal.ErrNotFound
	}
	it, err := decodeItem(out.Item)
	if err != nil {
		return heal.Item{}, fmt.Errorf("reading %s %q: %w", kind, id, err)
	}
	if past(it.Expires, d.clock.Now()) {
		return heal.Item{}, heal.ErrNotFound
	}
	return it, nil
}

// Put implements [heal.Store]. A write whose answer was lost and that the SDK
// sent again is recognised as its own, by all that it wrote: two that claim the
// same notice write the same data, and differ in when it is due.
func (d *DynamoDB) Put(ctx context.Context, it heal.Item) (heal.Item, error) {
	before := it.Version
	it.Version++
	item, err := encodeItem(it)
	if err != nil {
		return heal.Item{}, fmt.Errorf("writing %s %q: %w", it.Kind, it.ID, err)
	}
	in := &dynamodb.PutItemInput{TableName: &d.table, Item: item,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		ConditionExpression:                 aws.String("version = :v"),
		ExpressionAttributeValues:           map[string]types.AttributeValue{":v": numberValue(before)}}
	if before == 0 {
		in.ConditionExpression = aws.String("attribute_not_exists(pk) OR expires < :now")
		in.ExpressionAttributeValues = map[string]types.AttributeValue{":now": numberValue(d.clock.Now().Unix())}
	}
	_, err = d.api.PutItem(ctx, in)
	var failed *types.ConditionalCheckFailedException
	if errors.As(err, &failed) {
		if old, derr := decodeItem(failed.Item); derr == nil && len(failed.Item) > 0 && old.Version == it.Version &&
			bytes.Equal(old.Data, it.Data) && old.Due.Equal(it.Due) && len(it.Data) > 0 && before > 0 {
			return it, nil
		}
		return heal.Item{}, heal.ErrConflict
	}
	if err != nil {
		return heal.Item{}, fmt.Errorf("writing %s %q: %w", it.Kind, it.ID, classify(err))
	}
	return it, nil
}

// Between implements [heal.Store]. The index follows the table with a delay
// of usually well under a second. It has keys only: the items are read from
// the table, and one that is due at another time by now is left out.
func (d *DynamoDB) Between(ctx context.Context, kind string, from, to time.Time, newest bool, limit int) ([]heal.Item, error) {
	if !from.Before(to) {
		return nil, nil
	}
	var in [shards][]dueKey
	var fns []func(context.Context) error
	for n := range shards {
		fns = append(fns, func(ctx context.Context) (err error) {
			in[n], err = d.dueIn(ctx, shardName(kind, n), from, to, newest, limit)
			return err
		})
	}
	if err := parallel(ctx, fns...); err != nil {
		return nil, fmt.Errorf("listing %s: %w", kind, classify(err))
	}
	keys := slices.Concat(in[:]...)
	slices.SortStableFunc(keys, func(a, b dueKey) int {
		if newest {
			a, b = b, a
		}
		return strings.Compare(a.due, b.due)
	})
	keys = keys[:min(limit, len(keys))]
	its, err := d.read(ctx, keys)
	if err != nil {
		return nil, fmt.Errorf("listing %s: %w", kind, err)
	}
	now := d.clock.Now()
	its = slices.DeleteFunc(its, func(it heal.Item) bool {
		return it.Due.IsZero() || it.Due.Before(from) || !it.Due.Before(to) || past(it.Expires, now)
	})
	slices.SortStableFunc(its, func(a, b heal.Item) int {
		if newest {
			a, b = b, a
		}
		return a.Due.Compare(b.Due)
	})
	return its, nil
}

// dueKey is what the index has of an item.
type dueKey struct{ pk, due string }

// dueIn lists one partition of the index.
func (d *DynamoDB) dueIn(ctx context.Context, shard string, from, to time.Time, newest bool, limit int) ([]dueKey, error) {
	in := &dynamodb.QueryInput{TableName: &d.table, IndexName: aws.String(IndexName), ScanIndexForward: aws.Bool(!newest),
		Limit:                    aws.Int32(int32(min(limit, 1000))),
		KeyConditionExpression:   aws.String("#s = :s AND #d BETWEEN :from AND :to"),
		ExpressionAttributeNames: map[string]string{"#s": "shard", "#d": "due"},
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":s":    &types.AttributeValueMemberS{Value: shard},
			":from": &types.AttributeValueMemberS{Value: from.UTC().Format(dueForm)},
			":to":   &types.AttributeValueMemberS{Value: to.UTC().Add(-1).Format(dueForm)},
		}}
	var keys []dueKey
	for p := dynamodb.NewQueryPaginator(d.api, in); p.HasMorePages() && len(keys) < limit; {
		page, err := p.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, m := range page.Items {
			pk, _ := m[PartitionKey].(*types.AttributeValueMemberS)
			due, _ := m["due"].(*types.AttributeValueMemberS)
			if pk != nil && due != nil {
				keys = append(keys, dueKey{pk.Value, due.Value})
			}
		}
	}
	return keys, nil
}

// What DynamoDB reads at once (AWS.md#index), and how often it is asked for what
// it did not come to.
const (
	batchOf    = 100
	batchTries = 8
)

// read reads items from the table, consistently and in no order. One that is
// gone is left out.
func (d *DynamoDB) read(ctx context.Context, keys []dueKey) (its []heal.Item, err error) {
	for some := range slices.Chunk(keys, batchOf) {
		want := types.KeysAndAttributes{ConsistentRead: aws.Bool(true)}
		for _, k := range some {
			want.Keys = append(want.Keys, map[string]types.AttributeValue{
				PartitionKey: &types.AttributeValueMemberS{Value: k.pk}, SortKey: &types.AttributeValueMemberS{Value: "item"}})
		}
		for try := 0; len(want.Keys) > 0; try++ {
			if try == batchTries {
				return nil, fmt.Errorf("DynamoDB read %d of %d items: %w", len(some)-len(want.Keys), len(some), heal.ErrLater)
			}
			out, err := d.api.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{
				RequestItems: map[string]types.KeysAndAttributes{d.table: want}})
			if err != nil {
				return nil, classify(err)
			}
			got := 0
			for _, ms := range out.Responses {
				for _, m := range ms {
					it, err := decodeItem(m)
					if err != nil {
						return nil, err
					}
					its = append(its, it)
					got++
				}
			}
			want.Keys = nil
			for _, left := range out.UnprocessedKeys {
				want.Keys = left.Keys
			}
			if got > 0 {
				try = -1 // it goes on
			}
		}
	}
	return its, nil
}

// maxOld is how many who were counted are taken over from a counter in its former form.
const maxOld = 4 * heal.Remembered

// countTries bounds how often a count is tried again because others count at the same time.
const countTries = 50

// Count implements [heal.Store]. As a rule it is one update, which others that
// count at the same time do not disturb.
func (d *DynamoDB) Count(ctx context.Context, id, by string, max int, expires time.Time) (bool, error) {
	_, ok, err := d.count(ctx, id, by, max, expires, nil)
	return ok, err
}

// GiveBack implements [heal.Store].
func (d *DynamoDB) GiveBack(ctx context.Context, id, by string) error {
	for range countTries {
		item, err := d.counter(ctx, id)
		if err != nil {
			return err
		}
		c, err := decodeCounter(item)
		if err != nil {
			return fmt.Errorf("giving back a count of %q: %w", id, err)
		}
		c, counted := c.Without(by)
		if !counted || c.Expires.Before(d.clock.Now()) {
			return nil
		}
		if done, err := d.putCounter(ctx, id, item, c); err != nil || done {
			return err
		}
	}
	return fmt.Errorf("giving back a count of %q: too many count at the same time: %w", id, heal.ErrLater)
}

// Turn implements [heal.Store]. It is one update, too, if nobody else has had a
// turn a moment ago.
func (d *DynamoDB) Turn(
	ctx context.Context, id, by string, max int, expires time.Time, p heal.Pace,
) (at time.Time, ok bool, err error) {
	return d.count(ctx, id, by, max, expires, &p)
}

// count counts by, and if it goes by a pace gives it a turn.
func (d *DynamoDB) count(
	ctx context.Context, id, by string, max int, expires time.Time, p *heal.Pace,
) (at time.Time, ok bool, err error) {
	if max <= 0 && by != "" {
		return at, false, nil
	}
	for range countTries {
		item, err := d.add(ctx, id, by, max, expires, p)
		if err != nil {
			return at, false, err
		}
		if item == nil && p != nil {
			at = p.From
		}
		if item == nil {
			return at, true, nil
		}
		// It cannot be told by an update alone: by is counted, or the counter is full, past its time,
		// has to forget somebody, is in its former form, or the turn is not now.
		c, err := decodeCounter(item)
		if err != nil {
			return at, false, fmt.Errorf("counting %q: %w", id, err)
		}
		c = c.At(d.clock.Now(), expires)
		var turn time.Time
		if p == nil {
			if !c.Room(by, max) || c.Knows(by) {
				return at, c.Room(by, max), nil
			}
			c = c.Add(by)
		} else if c, turn, ok = c.Turn(by, max, *p); !ok {
			return at, false, nil
		} else if err := p.Late(turn); err != nil {
			return at, false, err
		}
		if done, err := d.putCounter(ctx, id, item, c); err != nil || done {
			return turn, done, err
		}
	}
	return at, false, fmt.Errorf("counting %q: too many count at the same time: %w", id, heal.ErrLater)
}

// add counts by in an update, if that is all it takes. If not, it gives the counter as it is.
func (d *DynamoDB) add(
	ctx context.Context, id, by string, max int, expires time.Time, p *heal.Pace,
) (map[string]types.AttributeValue, error) {
	if by == "" || p != nil && p.Late(p.From) != nil {
		return d.counter(ctx, id)
	}
	mark := heal.Mark(by)
	set, where := "", ""
	values := map[string]types.AttributeValue{":e": numberValue(expires.Unix()), ":nobody": nobody,
		":one": numberValue(1), ":marks": &types.AttributeValueMemberSS{Value: []string{mark}},
		":mark": &types.AttributeValueMemberS{Value: mark}, ":now": numberValue(d.clock.Now().Unix()),
		":max": numberValue(int64(max)), ":most": numberValue(heal.Remembered)}
	names := map[string]string{"#before": "before"}
	if p != nil {
		set, where = ", #next = :next", " AND #next <= :from"
		names["#next"] = "next"
		values[":next"], values[":from"] = numberValue(p.From.Add(p.Every).UnixNano()), numberValue(p.From.UnixNano())
	}
	_, err := d.api.UpdateItem(ctx, &dynamodb.UpdateItemInput{TableName: &d.table, Key: itemKey("count", id, "count"),
		UpdateExpression: aws.String("SET expires = if_not_exists(expires, :e), who = :nobody" + set + " ADD n :one, recent :marks"),
		ConditionExpression: aws.String("attribute_not_exists(pk) OR (attribute_exists(n) AND expires >= :now AND n < :max AND " +
			"size(recent) < :most AND NOT contains(recent, :mark) AND NOT contains(#before, :mark)" + where + ")"),
		ExpressionAttributeNames: names, ExpressionAttributeValues: values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld})
	var failed *types.ConditionalCheckFailedException
	switch {
	case err == nil:
		return nil, nil
	case !errors.As(err, &failed):
		return nil, fmt.Errorf("counting %q: %w", id, classify(err))
	case len(failed.Item) > 0:
		return failed.Item, nil
	}
	return d.counter(ctx, id)
}

// nobody is in the place where the former form of a counter had the set of all who were counted.
// An instance of that version, which may still run while this one counts already, gets an error
// instead of a count of its own: it reports what it was about to heal, and a replay heals it.
var nobody = &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{}}

func encodeCounter(id string, c heal.Counter) map[string]types.AttributeValue {
	item := itemKey("count", id, "count")
	item["who"], item["n"], item[TTLAttribute] = nobody, numberValue(int64(c.N)), numberValue(c.Expires.Unix())
	for name, marks := range map[string][]string{"recent": c.Recent, "before": c.Before} {
		if len(marks) > 0 { // a set is never empty
			item[name] = &types.AttributeValueMemberSS{Value: marks}
		}
	}
	if !c.Next.IsZero() {
		item["next"] = numberValue(c.Next.UnixNano())
	}
	if c.Back > 0 {
		item["back"] = numberValue(int64(c.Back))
	}
	return item
}

// putCounter puts a counter in the place of the item, if that is there still.
func (d *DynamoDB) putCounter(ctx context.Context, id string, old map[string]types.AttributeValue, c heal.Counter) (bool, error) {
	in := &dynamodb.PutItemInput{TableName: &d.table, Item: encodeCounter(id, c)}
	in.ConditionExpression, in.ExpressionAttributeNames, in.ExpressionAttributeValues = unchanged(old)
	_, err := d.api.PutItem(ctx, in)
	var failed *types.ConditionalCheckFailedException
	if errors.As(err, &failed) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("counting %q: %w", id, classify(err))
	}
	return true, nil
}

// unchanged is the condition that a counter is as it was read: each count makes its number larger,
// or its set in the former form, each turn the time of the next one, and each count that is given
// back the number of those.
func unchanged(old map[string]types.AttributeValue) (*string, map[string]string, map[string]types.AttributeValue) {
	switch who, former := old["who"].(*types.AttributeValueMemberSS); {
	case len(old) == 0:
		return aws.String("attribute_not_exists(pk)"), nil, nil
	case former:
		return aws.String("attribute_not_exists(n) AND expires = :e AND size(who) = :k"), nil,
			map[string]types.AttributeValue{":e": old[TTLAttribute], ":k": numberValue(int64(len(who.Value)))}
	}
	values := map[string]types.AttributeValue{":n": old["n"], ":e": old[TTLAttribute]}
	same, names := "attribute_not_exists(#next)", map[string]string{"#next": "next"}
	if next, ok := old["next"]; ok {
		same, values[":next"] = "#next = :next", next
	}
	given := "attribute_not_exists(#back)"
	names["#back"] = "back"
	if back, ok := old["back"]; ok {
		given, values[":back"] = "#back = :back", back
	}
	return aws.String("n = :n AND expires = :e AND " + same + " AND " + given), names, values
}

// counter reads a counter's item; an empty one if there is none. The read is consistent.
func (d *DynamoDB) counter(ctx context.Context, id string) (map[string]types.AttributeValue, error) {
	out, err := d.api.GetItem(ctx, &dynamodb.GetItemInput{TableName: &d.table, Key: itemKey("count", id, "count"),
		ConsistentRead: aws.Bool(true)})
	if err != nil {
		return nil, fmt.Errorf("reading the counter %q: %w", id, classify(err))
	}
	if out.Item == nil {
		return map[string]types.AttributeValue{}, nil
	}
	return out.Item, nil
}

// Room implements [heal.Store]. The read is consistent.
func (d *DynamoDB) Room(ctx context.Context, id, by string, max int) (bool, error) {
	item, err := d.counter(ctx, id)
	if err != nil {
		return false, err
	}
	c, err := decodeCounter(item)
	if err != nil {
		return false, fmt.Errorf("reading the counter %q: %w", id, err)
	}
	return c.At(d.clock.Now(), time.Time{}).Room(by, max), nil
}

// decodeCounter reads a counter in either form; of no item it is the zero one.
func decodeCounter(item map[string]types.AttributeValue) (c heal.Counter, err error) {
	set := func(name string) []string {
		if s, ok := item[name].(*types.AttributeValueMemberSS); ok {
			return s.Value
		}
		return nil
	}
	num := func(name string) (n int64) {
		if v, ok := item[name].(*types.AttributeValueMemberN); ok && err == nil {
			n, err = strconv.ParseInt(v.Value, 10, 64)
		}
		return n
	}
	if len(item) == 0 {
		return c, nil
	}
	c = heal.Counter{N: int(num("n")), Recent: set("recent"), Before: set("before"), Expires: time.Unix(num(TTLAttribute), 0)}
	c.Back = int(num("back"))
	if next := num("next"); next != 0 {
		c.Next = time.Unix(0, next)
	}
	for _, by := range set("who") {
		if c.N++; len(c.Before) < maxOld {
			c.Before = append(c.Before, heal.Mark(by))
		}
	}
	return c, err
}

// past reports whether an item's or a counter's time is over at now. DynamoDB
// deletes it days later.
func past(at, now time.Time) bool { return !at.IsZero() && at.Before(now) }

func encodeItem(it heal.Item) (map[string]types.AttributeValue, error) {
	data, err := compress(it.Data)
	if err != nil {
		return nil, err
	}
	if len(data) > maxItem {
		return nil, fmt.Errorf("%d bytes are more than DynamoDB takes: %w", len(data), heal.ErrTooLarge)
	}
	m := itemKey(it.Kind, it.ID, "item")
	m["id"] = &types.AttributeValueMemberS{Value: it.ID}
	m["kind"] = &types.AttributeValueMemberS{Value: it.Kind}
	m["version"] = numberValue(it.Version)
	m["data"] = &types.AttributeValueMemberB{Value: data}
	if !it.Due.IsZero() {
		m["shard"] = &types.AttributeValueMemberS{Value: shardOf(it.Kind, it.ID)}
		m["due"] = &types.AttributeValueMemberS{Value: it.Due.UTC().Format(dueForm)}
	}
	if !it.Expires.IsZero() {
		m[TTLAttribute] = numberValue(it.Expires.Unix())
	}
	return m, nil
}

func decodeItem(m map[string]types.AttributeValue) (it heal.Item, err error) {
	str := func(name string) string {
		if s, ok := m[name].(*types.AttributeValueMemberS); ok {
			return s.Value
		}
		return ""
	}
	num := func(name string) (n int64) {
		if s, ok := m[name].(*types.AttributeValueMemberN); ok && err == nil {
			n, err = strconv.ParseInt(s.Value, 10, 64)
		}
		return n
	}
	it = heal.Item{Kind: str("kind"), ID: str("id"), Version: num("version")}
	if n := num(TTLAttribute); n != 0 {
		it.Expires = time.Unix(n, 0).UTC()
	}
	if err != nil {
		return it, err
	}
	if s := str("due"); s != "" {
		if it.Due, err = time.Parse(dueForm, s); err != nil {
			return it, err
		}
	}
	if b, ok := m["data"].(*types.AttributeValueMemberB); ok {
		it.Data, err = decompress(b.Value)
	}
	return it, err
}
