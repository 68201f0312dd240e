#!/usr/bin/env bash
# Jest (30.5.2): a test that calls process.exit(0) ends the whole run with 0,
# though a test before it has failed: the build is green. Neither "FAIL" nor
# any sum is printed, and the test that failed is named nowhere. Jest knows of
# the call and prints "● process.exit called with" above it, without the names
# of the file and the test. With process.exit(3) all of that is the same, but
# for the exit status. Vitest 4.1.12 fails both tests by name and exits with 1.
#
# Output seen:
#   jest: exit 0, "● process.exit called" 1, "FAIL" 0, "Tests:" 0, the failed test's name 0
#   vitest: exit 1, the failed test's name 1
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
echo '{"name":"shop","private":true}' >package.json
npm install --silent --no-audit --no-fund jest@30.5.2 vitest@4.1.12
tests() {
  cat <<'JS'
test('charges the postage', () => { expect(6.5).toBe(7); });
test('leaves', () => { process.exit(0); });
JS
}
tests >shop.test.js
{ echo "import { test, expect } from 'vitest';"; tests; } >shop.spec.mjs

status=0
CI=true npx jest shop.test.js >jest.out 2>&1 || status=$?
count() { grep -c -- "$1" "$2" || true; }
seen="jest: exit $status, \"● process.exit called\" $(count '●  *process.exit called with' jest.out), \"FAIL\" $(count FAIL jest.out)"
seen="$seen, \"Tests:\" $(count 'Tests:' jest.out), the failed test's name $(count '● charges' jest.out)"
echo "$seen"
want="jest: exit 0, \"● process.exit called\" 1, \"FAIL\" 0, \"Tests:\" 0, the failed test's name 0"
status=0
CI=true npx vitest run shop.spec.mjs >vitest.out 2>&1 || status=$?
named=$(count 'FAIL.*charges the postage' vitest.out)
echo "vitest: exit $status, the failed test's name $named"
test "$seen" = "$want" -a "$status" = 1 -a "$named" -ge 1 || { echo "CHANGED: expected $want" >&2; exit 1; }
