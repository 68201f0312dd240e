// Package internal has only tests: they hold the rooms to the table of who may
// import whom, and citations to AWS.md.
package internal

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/buildmedic/buildmedic/"

const sdk = "github.com/aws/aws-sdk-go-v2"

const lazyRegexp = "internal/lazyregexp"

// rooms says what each room may import besides the standard library: other
// rooms by name, libraries by the beginning of their path. Facts, then
// judgement, then effects: nothing imports backwards.
var rooms = map[string][]string{
	// in the place of the standard library's: any room may import it
	lazyRegexp: {},
	// facts
	"internal/codebuild":  {},
	"internal/buildevent": {"internal/codebuild"},
	"internal/iamref":     {},
	"internal/buildlog":   {"internal/codebuild", "internal/iamref", "mvdan.cc/sh"},
	"internal/testrun":    {"internal/buildlog", "internal/codebuild"},
	"internal/redact":     {},
	// judgement
	"internal/iampolicy":  {},
	"internal/policyfile": {"internal/iampolicy"},
	"internal/floor":      {"internal/iampolicy", "internal/iamref"},
	"internal/diagnose":   {"internal/buildlog", "internal/codebuild", "internal/testrun", "go.yaml.in/yaml"},
	"internal/settings": {"internal/buildlog", "internal/codebuild", "internal/diagnose", "internal/floor", "internal/iampolicy",
		"internal/iamref", "internal/policyfile", "go.yaml.in/yaml"},
	"internal/compare": {"internal/buildlog", "internal/codebuild", "internal/diagnose"},
	"internal/guardrail": {"internal/buildlog", "internal/codebuild", "internal/floor", "internal/iampolicy",
		"internal/iamref", "internal/settings"},
	"internal/observe": {"internal/codebuild", "internal/decide", "internal/guardrail", "internal/iampolicy", "internal/iamref",
		"internal/settings"},
	"internal/permissions": {"internal/guardrail", "internal/iampolicy", "internal/settings"},
	"internal/decide": {"internal/buildlog", "internal/codebuild", "internal/compare", "internal/diagnose", "internal/guardrail",
		"internal/iampolicy", "internal/settings"},
	"internal/chat": {},
	"internal/notice": {"internal/buildlog", "internal/chat", "internal/codebuild", "internal/compare", "internal/decide",
		"internal/diagnose", "internal/floor", "internal/guardrail", "internal/iampolicy", "internal/redact", "internal/settings"},
	"internal/webpage": {"internal/notice", "internal/redact"},
	// the use case: facts gathered, decisions carried out
	"internal/heal": {"internal/buildlog", "internal/codebuild", "internal/compare", "internal/decide", "internal/diagnose",
		"internal/guardrail", "internal/iampolicy", "internal/redact", "internal/settings"},
	// effects
	"internal/ledger": {"internal/heal"},
	"internal/codehost": {"internal/decide", "internal/heal", "internal/iampolicy", "internal/notice", "internal/policyfile",
		"internal/redact", "internal/settings"},
	"internal/codecommit": {"internal/codehost", "internal/heal", "internal/policyfile", sdk, "github.com/aws/smithy-go"},
	"internal/awsapi": {"internal/buildlog", "internal/codebuild", "internal/codecommit", "internal/codehost", "internal/decide",
		"internal/guardrail", "internal/heal", "internal/iampolicy", "internal/iamref", "internal/notice", "internal/redact",
		"internal/settings", sdk, "github.com/aws/smithy-go"},
	"internal/inbox": {"internal/buildevent", "internal/decide", "internal/heal", "internal/settings",
		"github.com/aws/aws-lambda-go/events", "github.com/aws/aws-lambda-go/lambdacontext"},
	"lambda": {"internal/awsapi", "internal/codebuild", "internal/heal", "internal/inbox",
		"internal/ledger", "internal/notice", "internal/settings", sdk, "github.com/aws/aws-lambda-go", "github.com/aws/smithy-go"},
	// the desk, and what stands in for AWS
	"internal/simaws":            {"internal/codebuild", "internal/iampolicy", "internal/iamref", "go.yaml.in/yaml"},
	"internal/codehost/openapi":  {"internal/simaws"},
	"internal/ledger/ledgertest": nil,
	"internal/story":             nil,
	"internal/sandbox":           nil,
	"internal/commandline":       nil,
	"internal/soak":              nil,
	"lambda/buildmedic":          nil,
	// tools of others, for tests with the build tag crosscheck
	"internal/crosscheck": {},
	// tests only: what they import is their own affair
	"internal/mutants":    {},
	"internal/deploytest": {},
	"internal/toolbox":    {},
	"testdata":            {},
}

// pure rooms are functions of what they are given: they do no I/O, wait for
// nothing and ask no clock.
var pure = []string{"internal/buildevent", "internal/buildlog", "internal/chat", "internal/codebuild", "internal/compare",
	"internal/decide", "internal/diagnose", "internal/floor", "internal/guardrail", "internal/iampolicy",
	"internal/iamref", "internal/notice", "internal/observe",
	"internal/permissions", "internal/policyfile", "internal/redact",
	"internal/settings", "internal/testrun", "internal/webpage"}

// impure are the standard library's ways out of a function: what reaches
// files, the network or other processes, or belongs to code that waits.
var impure = []string{"context", "io/ioutil", "log", "log/slog", "math/rand", "net/http", "os", "runtime", "syscall", "testing", "unsafe"}

// free rooms are the desk's own: they may import anything but infra.
var free = []string{"internal/ledger/ledgertest", "internal/story", "internal/sandbox", "internal/soak",
	"internal/commandline", "lambda/buildmedic"}

type pkg struct {
	ImportPath string
	Dir        string
	GoFiles    []string
	Imports    []string
	Deps       []string
}

func list(t *testing.T, args ...string) []pkg {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Dir,GoFiles,Imports,Deps"}, args...)...)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var ps []pkg
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return ps
		} else if err != nil {
			t.Fatal(err)
		}
		ps = append(ps, p)
	}
}

func standard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".")
}

// TestRooms ensures that every package is in the table and imports only what
// the table allows.
func TestRooms(t *testing.T) {
	for _, p := range list(t, module+"...") {
		room := strings.TrimPrefix(p.ImportPath, module)
		if room == "internal" || strings.Contains(room, "/gen") {
			continue // this test; generators, which nothing imports
		}
		may, ok := rooms[room]
		if !ok {
			t.Errorf("%s is in no row of the table: add it to rooms, with what it may import", room)
			continue
		}
		if slices.Contains(free, room) {
			continue
		}
		for _, imp := range p.Imports {
			name := strings.TrimPrefix(imp, module)
			allowed := standard(imp) || name == lazyRegexp || slices.ContainsFunc(may, func(m string) bool {
				return name == m || (!strings.HasPrefix(m, "internal/") && strings.HasPrefix(imp, m))
			})
			if !allowed {
				t.Errorf("%s may not import %s", room, name)
			}
		}
	}
}

// TestPureRooms ensures that judgement is pure: that it imports nothing by
// which it could act or wait, and that it never reads the clock.
func TestPureRooms(t *testing.T) {
	for _, p := range list(t, module+"internal/...") {
		if !slices.Contains(pure, strings.TrimPrefix(p.ImportPath, module)) {
			continue
		}
		for _, imp := range p.Imports {
			if slices.ContainsFunc(impure, func(no string) bool { return imp == no || imp == "net" || strings.HasPrefix(imp, no+"/") }) {
				t.Errorf("%s imports %s: it is no longer pure", p.ImportPath, imp)
			}
		}
		for _, name := range p.GoFiles {
			fset := token.NewFileSet()
			f, err := parser.ParseFile(fset, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(f, func(n ast.Node) bool {
				sel, ok := n.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				if x, ok := sel.X.(*ast.Ident); ok && x.Name == "time" &&
					slices.Contains([]string{"Now", "Since", "Until", "Sleep", "After", "NewTimer", "NewTicker", "Tick",
						"AfterFunc"}, sel.Sel.Name) {
					t.Errorf("%s: time.%s: a pure room is told the time", fset.Position(n.Pos()), sel.Sel.Name)
				}
				return true
			})
		}
	}
}

// TestFunctionIsLean ensures that the deployed function links neither the CDK
// nor the simulated account, and that nothing imports the function.
func TestFunctionIsLean(t *testing.T) {
	for _, p := range list(t, module+"lambda") {
		for _, d := range p.Deps {
			for _, bad := range []string{
				"aws-cdk-go", "jsii", module + "internal/simaws", module + "internal/story",
				module + "internal/sandbox", module + "testdata", "/txtar",
			} {
				if strings.Contains(d, bad) {
					t.Errorf("lambda links %s", d)
				}
			}
		}
	}
	for _, p := range list(t, module+"...") {
		if slices.Contains(p.Imports, module+"lambda") || slices.Contains(p.Imports, module+"infra") {
			t.Errorf("%s imports the function or the stack", p.ImportPath)
		}
	}
}
