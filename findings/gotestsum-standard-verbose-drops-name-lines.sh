#!/usr/bin/env bash
# gotestsum 1.12.3 (Go module gotest.tools/gotestsum), --format standard-verbose.
#
# The format is said to be that of go test -v. It leaves out the lines "=== NAME", by which go test
# says whose output follows, and prints a subtest's verdict as soon as it is there. What a parent says
# after its subtest then stands right below the subtest's verdict, where go test -v has the parent's
# name above it: a reader takes the message for the subtest's.
#
# Expected (go test -v):              === NAME  TestShop
#                                         shop_test.go:7: said by the parent
# Seen on 29 November 2026:           --- FAIL: TestShop/till (0.00s)
#                                         shop_test.go:7: said by the parent
set -euo pipefail

dir=$(mktemp -d)
trap 'chmod -R u+w "$dir"; rm -rf "$dir"' EXIT
cd "$dir"
GOBIN="$dir/bin" go install gotest.tools/gotestsum@v1.12.3 2>/dev/null
mkdir shop
cd shop
cat > go.mod <<'MOD'
module example.com/shop

go 1.24
MOD
cat > shop_test.go <<'GO'
package shop

import "testing"

func TestShop(t *testing.T) {
	t.Run("till", func(t *testing.T) { t.Fail() })
	t.Error("said by the parent")
}
GO
go test -v . > plain || true
../bin/gotestsum --format standard-verbose > verbose || true
for f in plain verbose; do echo "== $f"; cat "$f"; done

grep -B1 'said by the parent' plain | head -1 | grep -q '^=== NAME  TestShop$' || { echo "CHANGED: go test -v names nobody"; exit 1; }
if grep -q '^=== NAME' verbose; then echo "CHANGED: gotestsum keeps the line"; exit 1; fi
grep -B1 'said by the parent' verbose | head -1 | grep -q '^--- FAIL: TestShop/till ' ||
  { echo "CHANGED: the message is not below the subtest's verdict"; exit 1; }
echo "as described"
