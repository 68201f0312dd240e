package guardrail

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"sync"
)

// escalationJSON lists privilege-escalation paths and the permissions that
// each needs. Its source line says where they are from and under which
// licence.
//
//go:embed escalation-paths.json
var escalationJSON []byte

// escalationPath is a way to another identity's permissions: whoever holds
// all of Required can take it.
type escalationPath struct {
	ID       string   `json:"id"`
	Category string   `json:"category"`
	Required []string `json:"required"`
}

// escalationPaths are read when the first grant is judged.
var escalationPaths = sync.OnceValue(func() []escalationPath {
	var f struct {
		Source string           `json:"source"`
		Paths  []escalationPath `json:"paths"`
	}
	if err := json.Unmarshal(escalationJSON, &f); err != nil {
		panic(fmt.Sprintf("guardrail: embedded escalation paths: %v", err))
	}
	return f.Paths
})
