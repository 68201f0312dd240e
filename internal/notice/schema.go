package notice

import _ "embed"

//go:embed schema.json
var schemaText string

// JSONSchema is the JSON Schema of notices for programs.
func JSONSchema() string { return schemaText }
