package iampolicy

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// In other JSON, a document or statement that was made here is an object in
// IAM's own form. One that was read is a string with its exact text, since
// encoders change the whitespace and escapes of objects and Raw must survive.
// Either way the canonical form is the same afterwards.

// MarshalJSON gives the document as an object, or as a string with its
// canonical form if a statement of it was read.
func (d Document) MarshalJSON() ([]byte, error) {
	for _, s := range d.Statements {
		if s.Raw != "" {
			return quote(string(d.Canonical())), nil
		}
	}
	return d.Compact(), nil
}

// UnmarshalJSON reads what MarshalJSON writes, as strictly as [Parse]. The
// statements of an object count as made here: to keep a foreign document byte
// for byte, give its text to Parse.
func (d *Document) UnmarshalJSON(data []byte) error {
	text, isText, err := textOf(data)
	if err != nil {
		return err
	}
	read, err := Parse(text)
	if err != nil {
		return err
	}
	for i := range read.Statements {
		if !isText {
			read.Statements[i].Raw = ""
		}
	}
	*d = read
	return nil
}

// MarshalJSON gives the statement as an object, or as a string with its bytes
// if it was read.
func (s Statement) MarshalJSON() ([]byte, error) {
	if raw, ok := s.asRead(); ok {
		return quote(raw), nil
	}
	return s.compact(), nil
}

// UnmarshalJSON reads what MarshalJSON writes, as strictly as [Parse].
func (s *Statement) UnmarshalJSON(data []byte) error {
	text, isText, err := textOf(data)
	if err != nil {
		return err
	}
	read, err := parseStatement(text, true)
	if err != nil {
		return err
	}
	if !isText {
		read.Raw = ""
	}
	*s = read
	return nil
}

// textOf gives the policy text that data is, or is a JSON string of.
func textOf(data []byte) (text []byte, isText bool, err error) {
	data = bytes.TrimSpace(data)
	if len(data) == 0 || data[0] != '"' {
		return data, false, nil
	}
	var s string
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, true, fmt.Errorf("reading policy text: %w", err)
	}
	return []byte(s), true, nil
}
