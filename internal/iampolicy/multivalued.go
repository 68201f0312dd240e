package iampolicy

import (
	_ "embed"
	"strings"
	"sync"
)

//go:embed multivalued.txt
var multivaluedText string

// multivalued are the keys of multivalued.txt; one that ends in / stands for
// all that begin so.
var multivalued = sync.OnceValue(func() map[string]bool {
	keys := map[string]bool{}
	for line := range strings.Lines(multivaluedText) {
		if !strings.HasPrefix(line, "#") {
			key, _, _ := strings.Cut(strings.TrimSpace(line), "${")
			keys[key] = true
		}
	}
	return keys
})

// isMultivalued reports whether AWS documents that a request may have several
// values for the key (AWS.md#multivalued-keys).
func isMultivalued(key string) bool {
	key = lowerASCII(key)
	family, _, found := strings.Cut(key, "/")
	return multivalued()[key] || found && multivalued()[family+"/"]
}
