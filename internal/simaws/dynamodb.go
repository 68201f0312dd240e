package simaws

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Table describes a DynamoDB table of the home account: strings as keys, and one index that has
// the keys only.
type Table struct {
	Name            string
	Partition, Sort string // the key attributes
	Index           string // its name
	IndexPartition  string
	IndexSort       string
}

// table is a table with its items, by their key.
type table struct {
	Table
	est       *estate
	made      time.Time
	protected bool // against deletion
	items     map[[2]string]dynItem
}

// dynItem is an item; its values are not changed once they are in a table.
type dynItem map[string]dynValue

// dynValue is an attribute's value as the protocol has it: {"S": "text"}.
type dynValue map[string]any

// kind is the one type that the value has, and what is under it.
func (v dynValue) kind() (string, any) {
	for k, x := range v {
		return k, x
	}
	return "", nil
}

func (v dynValue) text() (string, bool) { s, ok := v["S"].(string); return s, ok }

// AddTable founds a table in the home account. It is protected against deletion, as the stack's is.
func (s *Sim) AddTable(t Table) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.home().tables[t.Name] = &table{Table: t, est: s.home(), made: s.now, protected: true, items: map[[2]string]dynItem{}}
}

var dynamodbOperations = map[string]operation{
	"GetItem":       jsonCall(false, dynGet),
	"BatchGetItem":  jsonCall(false, dynBatchGet),
	"PutItem":       jsonCall(true, dynPut),
	"UpdateItem":    jsonCall(true, dynUpdate),
	"Query":         jsonCall(false, dynQuery),
	"Scan":          jsonCall(false, dynScan),
	"DescribeTable": jsonCall(false, dynDescribe),
	"ListTables":    jsonCall(false, dynList),
	"UpdateTable":   jsonCall(true, dynUpdateTable),
	"DeleteTable":   jsonCall(true, dynDeleteTable),
}

// maxItemSize is DynamoDB's limit of an item, names and all.
const maxItemSize = 400 << 10

func (e *estate) tableARN(name string) string { return e.arn("dynamodb", "table/"+name) }

// tableNamed finds a table, after asking for the permission. It may be given by its ARN.
func (r *request) tableNamed(action, name string) (*table, error) {
	if _, n, ok := strings.Cut(name, ":table/"); ok {
		name = n
	}
	if err := r.authorize("dynamodb:"+action, r.est.tableARN(name), nil); err != nil {
		return nil, err
	}
	t, ok := r.est.tables[name]
	if !ok {
		return nil, fail("ResourceNotFoundException", "Requested resource not found: Table: "+name+" not found")
	}
	return t, nil
}

func dynInvalid(format string, args ...any) error {
	return fail("ValidationException", fmt.Sprintf(format, args...))
}

// keyOf reads an item's key: exactly its attributes, if it is a key alone.
func (t *table) keyOf(it dynItem, alone bool) ([2]string, error) {
	p, ok1 := it[t.Partition].text()
	s, ok2 := it[t.Sort].text()
	if !ok1 || !ok2 || p == "" || s == "" || alone && len(it) != 2 {
		return [2]string{}, dynInvalid("The provided key element does not match the schema")
	}
	return [2]string{p, s}, nil
}

type dynGetInput struct {
	TableName      string
	Key            dynItem
	ConsistentRead bool
}

func dynGet(r *request, in *dynGetInput) (any, error) {
	t, err := r.tableNamed("GetItem", in.TableName)
	if err != nil {
		return nil, err
	}
	k, err := t.keyOf(in.Key, true)
	if err != nil {
		return nil, err
	}
	if it, ok := t.items[k]; ok {
		return map[string]any{"Item": it}, nil
	}
	return map[string]any{}, nil
}

type dynBatchGetInput struct {
	RequestItems map[string]struct {
		Keys           []dynItem
		ConsistentRead bool
	}
}

func dynBatchGet(r *request, in *dynBatchGetInput) (any, error) {
	out := map[string][]dynItem{}
	for _, name := range sortedKeys(in.RequestItems) {
		t, err := r.tableNamed("BatchGetItem", name)
		if err != nil {
			return nil, err
		}
		keys := in.RequestItems[name].Keys
		if len(keys) > 100 {
			return nil, dynInvalid("Too many items requested for the BatchGetItem call")
		}
		out[name] = []dynItem{}
		for _, key := range keys {
			k, err := t.keyOf(key, true)
			if err != nil {
				return nil, err
			}
			if it, ok := t.items[k]; ok {
				out[name] = append(out[name], it)
			}
		}
	}
	return map[string]any{"Responses": out, "UnprocessedKeys": map[string]any{}}, nil
}

// dynTerms are the names and values that expressions refer to.
type dynTerms struct {
	ExpressionAttributeNames  map[string]string
	ExpressionAttributeValues map[string]dynValue
}

type dynPutInput struct {
	TableName                           string
	Item                                dynItem
	ConditionExpression                 string
	ReturnValuesOnConditionCheckFailure string
	dynTerms
}

func dynPut(r *request, in *dynPutInput) (any, error) {
	t, err := r.tableNamed("PutItem", in.TableName)
	if err != nil {
		return nil, err
	}
	k, err := t.keyOf(in.Item, false)
	if err != nil {
		return nil, err
	}
	r.about = k[0]
	if err := t.allowed(k, in.ConditionExpression, in.dynTerms, in.ReturnValuesOnConditionCheckFailure); err != nil {
		return nil, err
	}
	return map[string]any{}, t.store(k, in.Item)
}

// allowed holds an item to a write's condition.
func (t *table) allowed(k [2]string, condition string, terms dynTerms, give string) error {
	if condition == "" {
		return nil
	}
	old := t.items[k]
	ok, err := terms.holds(condition, old)
	if err != nil || ok {
		return err
	}
	e := &apiError{Code: "ConditionalCheckFailedException", Message: "The conditional request failed"}
	if give == "ALL_OLD" && old != nil {
		e.More = map[string]any{"Item": old}
	}
	return e
}

func (t *table) store(k [2]string, it dynItem) error {
	size := 0
	for name, v := range it {
		size += len(name) + v.size()
	}
	if size > maxItemSize {
		return dynInvalid("Item size has exceeded the maximum allowed size")
	}
	t.items[k] = it
	return nil
}

// size is about what a value counts towards the limit.
func (v dynValue) size() int {
	switch kind, x := v.kind(); x := x.(type) {
	case string:
		if kind == "B" {
			return base64.StdEncoding.DecodedLen(len(x))
		}
		return len(x)
	case []any:
		n := 3
		for _, e := range x {
			n += len(fmt.Sprint(e)) + 1
		}
		return n
	case map[string]any:
		return 3 + len(fmt.Sprint(x))
	}
	return 1
}

type dynUpdateInput struct {
	TableName                           string
	Key                                 dynItem
	UpdateExpression                    string
	ConditionExpression                 string
	ReturnValuesOnConditionCheckFailure string
	dynTerms
}

func dynUpdate(r *request, in *dynUpdateInput) (any, error) {
	t, err := r.tableNamed("UpdateItem", in.TableName)
	if err != nil {
		return nil, err
	}
	k, err := t.keyOf(in.Key, true)
	if err != nil {
		return nil, err
	}
	r.about = k[0]
	if err := t.allowed(k, in.ConditionExpression, in.dynTerms, in.ReturnValuesOnConditionCheckFailure); err != nil {
		return nil, err
	}
	it, err := in.updated(in.UpdateExpression, t.items[k])
	if err != nil {
		return nil, err
	}
	it[t.Partition], it[t.Sort] = in.Key[t.Partition], in.Key[t.Sort]
	return map[string]any{}, t.store(k, it)
}

type dynQueryInput struct {
	TableName              string
	IndexName              string
	KeyConditionExpression string
	ScanIndexForward       *bool
	ConsistentRead         bool
	Limit                  int
	ExclusiveStartKey      dynItem
	dynTerms
}

// dynQuery lists the items of a table, or its index, whose keys the condition lets through, by
// their sort key.
func dynQuery(r *request, in *dynQueryInput) (any, error) {
	t, err := r.tableNamed("Query", in.TableName)
	if err != nil {
		return nil, err
	}
	order := t.Sort
	if in.IndexName != "" {
		if in.IndexName != t.Index {
			return nil, dynInvalid("The table does not have the specified index: %s", in.IndexName)
		}
		order = t.IndexSort
	}
	if in.KeyConditionExpression == "" {
		return nil, dynInvalid("Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.")
	}
	var found []dynItem
	for _, it := range t.sorted() {
		if in.IndexName != "" {
			if it = t.indexed(it); it == nil {
				continue
			}
		}
		ok, err := in.holds(in.KeyConditionExpression, it)
		if err != nil {
			return nil, err
		}
		if ok {
			found = append(found, it)
		}
	}
	slices.SortStableFunc(found, func(a, b dynItem) int { return compareText(a, b, order) })
	if in.ScanIndexForward != nil && !*in.ScanIndexForward {
		slices.Reverse(found)
	}
	return t.page(found, in.ExclusiveStartKey, in.Limit)
}

func compareText(a, b dynItem, name string) int {
	x, _ := a[name].text()
	y, _ := b[name].text()
	return cmp.Compare(x, y)
}

// sorted gives the items by their keys.
func (t *table) sorted() []dynItem {
	its := make([]dynItem, 0, len(t.items))
	for _, it := range t.items {
		its = append(its, it)
	}
	slices.SortFunc(its, func(a, b dynItem) int {
		return cmp.Or(compareText(a, b, t.Partition), compareText(a, b, t.Sort))
	})
	return its
}

// indexed is what the index has of an item; nil if it is not in it.
func (t *table) indexed(it dynItem) dynItem {
	out := dynItem{}
	for _, name := range []string{t.Partition, t.Sort, t.IndexPartition, t.IndexSort} {
		v, ok := it[name]
		if !ok {
			return nil
		}
		out[name] = v
	}
	return out
}

// page cuts a list after the start key, at the limit.
func (t *table) page(its []dynItem, after dynItem, limit int) (map[string]any, error) {
	if limit < 0 {
		return nil, dynInvalid("Limit must be at least 1")
	}
	if after != nil {
		i := slices.IndexFunc(its, func(it dynItem) bool {
			return compareText(it, after, t.Partition) == 0 && compareText(it, after, t.Sort) == 0
		})
		if i < 0 {
			return nil, dynInvalid("The provided starting key is invalid")
		}
		its = its[i+1:]
	}
	out := map[string]any{}
	if limit > 0 && len(its) > limit {
		its = its[:limit]
		last := its[limit-1]
		key := dynItem{}
		for _, name := range []string{t.Partition, t.Sort, t.IndexPartition, t.IndexSort} {
			if v, ok := last[name]; ok {
				key[name] = v
			}
		}
		out["LastEvaluatedKey"] = key
	}
	out["Items"], out["Count"], out["ScannedCount"] = append([]dynItem{}, its...), len(its), len(its)
	return out, nil
}

type dynScanInput struct {
	TableName         string
	Select            string // COUNT, or all attributes
	ConsistentRead    bool
	Limit             int
	ExclusiveStartKey dynItem
}

func dynScan(r *request, in *dynScanInput) (any, error) {
	t, err := r.tableNamed("Scan", in.TableName)
	if err != nil {
		return nil, err
	}
	out, err := t.page(t.sorted(), in.ExclusiveStartKey, in.Limit)
	if err == nil && in.Select == "COUNT" {
		delete(out, "Items")
	}
	return out, err
}

type dynTableInput struct {
	TableName                 string
	DeletionProtectionEnabled *bool
	TableClass                string
}

func (t *table) out() any {
	key := func(hash, order string) []map[string]string {
		return []map[string]string{{"AttributeName": hash, "KeyType": "HASH"}, {"AttributeName": order, "KeyType": "RANGE"}}
	}
	var attributes []map[string]string
	for _, n := range []string{t.Partition, t.Sort, t.IndexPartition, t.IndexSort} {
		attributes = append(attributes, map[string]string{"AttributeName": n, "AttributeType": "S"})
	}
	return map[string]any{
		"TableName": t.Name, "TableArn": t.est.tableARN(t.Name), "TableStatus": "ACTIVE", "CreationDateTime": epoch(t.made),
		"KeySchema": key(t.Partition, t.Sort), "AttributeDefinitions": attributes, "ItemCount": len(t.items),
		"DeletionProtectionEnabled": t.protected, "BillingModeSummary": map[string]string{"BillingMode": "PAY_PER_REQUEST"},
		"GlobalSecondaryIndexes": []any{map[string]any{"IndexName": t.Index, "IndexStatus": "ACTIVE",
			"KeySchema": key(t.IndexPartition, t.IndexSort), "Projection": map[string]string{"ProjectionType": "KEYS_ONLY"}}},
	}
}

func dynDescribe(r *request, in *dynTableInput) (any, error) {
	t, err := r.tableNamed("DescribeTable", in.TableName)
	if err != nil {
		return nil, err
	}
	return map[string]any{"Table": t.out()}, nil
}

func dynList(r *request, _ *struct{ Limit int }) (any, error) {
	if err := r.authorize("dynamodb:ListTables", "*", nil); err != nil {
		return nil, err
	}
	return map[string]any{"TableNames": append([]string{}, sortedKeys(r.est.tables)...)}, nil
}

func dynUpdateTable(r *request, in *dynTableInput) (any, error) {
	t, err := r.tableNamed("UpdateTable", in.TableName)
	if err != nil {
		return nil, err
	}
	if in.DeletionProtectionEnabled != nil {
		t.protected = *in.DeletionProtectionEnabled
	}
	return map[string]any{"TableDescription": t.out()}, nil
}

func dynDeleteTable(r *request, in *dynTableInput) (any, error) {
	t, err := r.tableNamed("DeleteTable", in.TableName)
	if err != nil {
		return nil, err
	}
	if t.protected {
		return nil, dynInvalid("Resource cannot be deleted as it is currently protected against deletion. " +
			"Disable deletion protection first.")
	}
	delete(r.est.tables, t.Name)
	return map[string]any{"TableDescription": t.out()}, nil
}

// compareNumbers compares two numbers as they are written: whole ones exactly.
func compareNumbers(a, b string) (int, bool) {
	x, err1 := strconv.ParseInt(a, 10, 64)
	y, err2 := strconv.ParseInt(b, 10, 64)
	if err1 == nil && err2 == nil {
		return cmp.Compare(x, y), true
	}
	f, err1 := strconv.ParseFloat(a, 64)
	g, err2 := strconv.ParseFloat(b, 64)
	return cmp.Compare(f, g), err1 == nil && err2 == nil
}
