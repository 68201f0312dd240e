package ledgertest

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Dynalite starts dynalite, an independent implementation of DynamoDB, on loopback, and gives its
// address. Where it is not installed the test is skipped, or fails if BUILDMEDIC_NEED_DYNALITE is
// set: `make dynalite` installs it.
func Dynalite(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(root(t), "internal", "awsapi", "testdata", "dynalite", "node_modules", "dynalite")
	node, nerr := exec.LookPath("node")
	if _, err := os.Stat(dir); err != nil || nerr != nil {
		if os.Getenv("BUILDMEDIC_NEED_DYNALITE") != "" {
			t.Fatal("dynalite is not installed: run make dynalite")
		}
		t.Skip("dynalite is not installed: `make test` installs it where Node.js and npm are; the memory and file ledgers were tested")
	}
	script := `const d=require(process.argv[1])({createTableMs:0,deleteTableMs:0,updateTableMs:0});d.listen(0,` +
		`'127.0.0.1',()=>console.log('http://127.0.0.1:'+d.address().port));process.stdin.on('end',` +
		`()=>process.exit(0)).resume()`
	cmd := exec.Command(node, "-e", script, dir)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe() // its end ends the server, however the test ends
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		_, _ = io.Copy(io.Discard, out)
		if err := cmd.Wait(); err != nil {
			t.Errorf("dynalite: %v", err)
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("dynalite did not start: %v", err)
	}
	return strings.TrimSpace(line)
}

// root is the repository's: a test runs in its package's folder.
func root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil || dir == filepath.Dir(dir) {
			return dir
		}
		dir = filepath.Dir(dir)
	}
}
