package simaws

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// filter is a subscription's filter policy about message attributes of type String
// (AWS.md#subscription-filters): each name must have one of its values.
type filter map[string][]test

// test is one value of a filter policy: a text, a prefix, none of some texts, or whether there is
// the attribute at all.
type test struct {
	is, prefix *string
	but        []string
	exists     *bool
}

// Bounds of a filter policy.
const (
	maxFilterKeys   = 5
	maxFilterValues = 150 // the numbers of values of all keys, multiplied
)

// parseFilter reads a filter policy. What is not known here is refused, as SNS refuses what it does
// not know.
func parseFilter(text string) (filter, error) {
	var keys map[string][]json.RawMessage
	if err := json.Unmarshal([]byte(text), &keys); err != nil {
		return nil, fmt.Errorf("a filter policy is an object of lists: %w", err)
	}
	f, values := filter{}, 1
	for k, list := range keys {
		for _, v := range list {
			t, err := parseTest(v)
			if err != nil {
				return nil, fmt.Errorf("filter policy, key %q: %w", k, err)
			}
			f[k] = append(f[k], t)
		}
		values *= len(list)
	}
	if len(f) != len(keys) || len(f) > maxFilterKeys || values > maxFilterValues {
		return nil, fmt.Errorf("a filter policy has up to %d keys and %d values, and no empty list", maxFilterKeys, maxFilterValues)
	}
	return f, nil
}

func parseTest(v json.RawMessage) (t test, err error) {
	var s string
	if json.Unmarshal(v, &s) == nil {
		return test{is: &s}, nil
	}
	var of map[string]json.RawMessage
	if err := json.Unmarshal(v, &of); err != nil || len(of) != 1 {
		return t, fmt.Errorf("%s is no text and no operator", v)
	}
	for op, arg := range of {
		switch op {
		case "prefix":
			err = json.Unmarshal(arg, &t.prefix)
		case "exists":
			err = json.Unmarshal(arg, &t.exists)
		case "anything-but":
			if json.Unmarshal(arg, &s) == nil {
				t.but = []string{s}
			} else {
				err = json.Unmarshal(arg, &t.but)
			}
		default:
			err = fmt.Errorf("the operator %q is not simulated", op)
		}
	}
	return t, err
}

// lets reports whether a message with the attributes passes.
func (f filter) lets(attributes map[string]string) bool {
	for k, tests := range f {
		v, there := attributes[k]
		if !slices.ContainsFunc(tests, func(t test) bool { return t.holds(v, there) }) {
			return false
		}
	}
	return true
}

func (t test) holds(v string, there bool) bool {
	switch {
	case t.exists != nil:
		return *t.exists == there
	case !there:
		return false
	case t.is != nil:
		return v == *t.is
	case t.prefix != nil:
		return strings.HasPrefix(v, *t.prefix)
	}
	return !slices.Contains(t.but, v)
}
