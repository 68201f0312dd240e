// Command gen writes causes_gen.go from causes.yaml. Run it by make generate.
package main

import (
	"log"
	"os"

	"github.com/buildmedic/buildmedic/internal/diagnose/gen/causefile"
)

func main() {
	log.SetFlags(0)
	if err := run("causes.yaml", "causes_gen.go"); err != nil {
		log.Fatalf("gen: %v", err)
	}
}

func run(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	code, err := causefile.Generate(data)
	if err != nil {
		return err
	}
	return os.WriteFile(to, code, 0o644)
}
