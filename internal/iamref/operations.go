package iamref

import (
	"slices"
	"strings"
	"sync"
)

// ForOperation gives the action that AWS checks for an API operation:
// "S3", "HeadObject" → "s3:GetObject". ok is true only if it is certain, and
// then there is exactly one. Else the list holds the candidates, for an
// explanation; it may be empty. Further permissions that a call may need are
// not listed: see Action.Dependent.
//
// service is a name as SDKs, command lines and CloudFormation print it, or an
// IAM prefix: "S3", "s3api", "Amazon ECR", "AmazonEC2", "CloudWatch Logs",
// "elbv2". Case, spaces and punctuation do not matter in either argument, nor
// does the version that CloudTrail writes after some operations
// ("ListFunctions20150331").
func ForOperation(service, operation string) (actions []string, ok bool) {
	if len(service) > maxName || len(operation) > maxName {
		return nil, false
	}
	t := operations()
	at, known := t.names[nameKey(service)]
	if !known {
		return nil, false
	}
	for _, op := range spellings(operation) {
		if actions := t.ofAPI(at, op); len(actions) > 0 {
			return actions, len(actions) == 1
		}
	}
	return nil, false
}

// ForOperationName gives every action that an operation of that name may
// need, whatever its service; sorted. More than one means that the name alone
// does not tell. Services that no SDK calls (retired ones, for instance) are
// left out.
func ForOperationName(operation string) []string {
	if len(operation) > maxName {
		return nil
	}
	for _, op := range spellings(operation) {
		list := slices.Clone(operations().rowsByName[op])
		for _, prefix := range sameName()[op] {
			list = append(list, find(prefix+":"+op).Name)
		}
		if len(list) > 0 {
			slices.Sort(list)
			return slices.Compact(list)
		}
	}
	return nil
}

// operationTable is the block "#operations": three lists, each ended by an
// empty line.
//
//	PREFIX \t NAME ...               the APIs; names are keys
//	API \t OPERATION \t ACTION ...    operations whose action is not their namesake
//	PREFIX or ACTION                 what an operation's name alone does not mean
type operationTable struct {
	prefixes   []string            // of each API
	names      map[string]int      // key → API
	rows       map[row][]string    // actions
	rowsByName map[string][]string // the same for the operation's name alone
	notByName  map[string]bool     // lower case
}

type row struct {
	api       int
	operation string // key
}

var operations = sync.OnceValue(func() *operationTable {
	text := lists(operationsBlock, file().operations)
	t := &operationTable{names: map[string]int{}, rows: map[row][]string{},
		rowsByName: map[string][]string{}, notByName: map[string]bool{}}
	for i, line := range section(&text) {
		fields := strings.Split(line, "\t")
		t.prefixes = append(t.prefixes, fields[0])
		for _, name := range fields[1:] {
			t.names[name] = i
		}
	}
	for _, line := range section(&text) {
		fields := strings.Split(line, "\t")
		r := row{number(fields[0]), alphanumeric(fields[1])}
		t.rows[r] = fields[2:]
		t.rowsByName[r.operation] = append(t.rowsByName[r.operation], fields[2:]...)
	}
	for _, name := range section(&text) {
		t.notByName[name] = true
	}
	return t
})

// ofAPI looks for the API's own row, then for the namesake, then for a row of
// another API with the same prefix: "Bedrock" may mean "Bedrock Runtime".
func (t *operationTable) ofAPI(at int, op string) []string {
	if actions, ok := t.rows[row{at, op}]; ok {
		return actions
	}
	prefix := t.prefixes[at]
	if e := find(prefix + ":" + op); e != nil {
		return []string{e.Name}
	}
	var list []string
	for other, p := range t.prefixes {
		if p == prefix {
			list = append(list, t.rows[row{other, op}]...)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// sameName maps every action's lower-case name to the prefixes that have such
// an action and that a bare name may mean. It reads all services, without
// keeping them.
var sameName = sync.OnceValue(func() map[string][]string {
	f, t := file(), operations()
	m := map[string][]string{}
	for i, prefix := range f.prefixes {
		if t.notByName[prefix] {
			continue
		}
		text := lists(prefix, f.blocks[i].text)
		section(&text)
		section(&text)
		for _, line := range section(&text) {
			name, _, _ := strings.Cut(line, "\t")
			name = lower(name)
			if !t.notByName[prefix+":"+name] {
				m[name] = append(m[name], prefix)
			}
		}
	}
	return m
})

// spellings gives the keys under which an operation may be found: its own,
// and without the date of its API's version.
func spellings(operation string) []string {
	op := alphanumeric(operation)
	head := op
	if i := strings.LastIndexByte(op, 'v'); i > 0 && len(op)-i <= 3 && digits(op[i+1:]) {
		head = op[:i]
	}
	if n := len(head) - 8; n > 0 && digits(head[n:]) && head[n:n+2] == "20" {
		return []string{op, head[:n]}
	}
	return []string{op}
}

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// nameKey is how services' names are compared. The generator has the same
// rule.
func nameKey(name string) string {
	s := alphanumeric(name)
	for _, maker := range []string{"amazon", "aws"} {
		if rest, ok := strings.CutPrefix(s, maker); ok && rest != "" {
			s = rest
		}
	}
	return s
}

// alphanumeric keeps ASCII letters, lower-cased, and digits.
func alphanumeric(s string) string {
	return strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' {
			return c
		}
		return -1
	}, lower(s))
}
