package diagnose_test

import (
	"bytes"
	"os"
	"testing"

	"github.com/buildmedic/buildmedic/internal/diagnose/gen/causefile"
)

// TestCausesAreGenerated ensures that causes_gen.go is what causes.yaml says. It reads both files,
// so that go test does not use a cached result after an edit of either.
func TestCausesAreGenerated(t *testing.T) {
	data, err := os.ReadFile("causes.yaml")
	if err != nil {
		t.Fatal(err)
	}
	want, err := causefile.Generate(data)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("causes_gen.go")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("causes_gen.go is not what causes.yaml says; run: make generate")
	}
}
