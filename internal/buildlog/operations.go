package buildlog

import (
	"bytes"
	"strings"

	"github.com/buildmedic/buildmedic/internal/iamref"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// actionOf finds the action of the report's operation: by its service, else because only one
// service has such an operation, else by the service that the text around it names.
func (s *sentences) actionOf(r report, word string) string {
	if r.service != "" {
		if list, ok := iamref.ForOperation(r.service, r.operation); ok {
			return list[0]
		}
	}
	switch r.code {
	case "unauthorizedoperation":
		if list, ok := iamref.ForOperation("EC2", r.operation); ok {
			return list[0]
		}
	case "authorizationerror", "authorizationerrorexception":
		if list, ok := iamref.ForOperation("SNS", r.operation); ok {
			return list[0]
		}
	}
	list := iamref.ForOperationName(r.operation)
	if len(list) == 1 {
		return list[0]
	}
	if word == "accessdenied" || word == "forbidden" { // S3's whole message
		if list, ok := iamref.ForOperation("S3", r.operation); ok {
			return list[0]
		}
	}
	if a := s.nearest(r.operation, r.from); a != "" {
		return a
	}
	return s.named(list)
}

// named returns the one of the actions that a sentence of the page names.
func (s *sentences) named(actions []string) (found string) {
	for _, c := range s.list {
		if sameAction(c.Action, actions) && c.Action != found {
			if found != "" {
				return ""
			}
			found = c.Action
		}
	}
	return found
}

// clientNames are the ways in which a command or a program names the service
// that it talks to.
var clientNames = lazyregexp.New(`\baws\s+(?:--?[\w-]+(?:[ =][\w./-]+)?\s+)*([a-z0-9-]+)|` +
	`\b(?:client|resource)\(\s*['"]([a-z0-9-]+)|\b(s3)://|\bhttps://([a-z0-9-]+)\.[a-z0-9-]+\.amazonaws\.com`)

// nearest returns the operation's action in the service that the text before flat[at] names last,
// as in "aws ecr get-login-password".
func (s *sentences) nearest(operation string, at int) string {
	found := clientNames.Get().FindAllSubmatch(s.text[s.at[max(0, at-600)]:s.at[at]], -1)
	for i := len(found) - 1; i >= 0; i-- {
		if list, ok := iamref.ForOperation(string(bytes.Join(found[i][1:], nil)), operation); ok {
			return list[0]
		}
	}
	return ""
}

// denyCode reports whether code, as in flat, is that of a refusal.
func denyCode(code string) bool {
	code = strings.TrimPrefix(code, "client.")
	switch code {
	case "accessdenied", "accessdeniedexception", "accessdeniedfault", "403", "forbidden", "forbiddenexception",
		"unauthorizedoperation", "authorizationerror", "authorizationerrorexception", "unauthorizedexception", "unauthorized",
		"unauthorizedaccess", "kmsaccessdeniedexception", "kms.kmsaccessdeniedexception", "kms.accessdeniedexception":
		return true
	}
	return false
}
